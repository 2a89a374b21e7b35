//! The venues' sessions, told of further markets by the directory's entries.

use surefoot_hot::ids::MarketId;
use surefoot_hot::units::Nanos;
use surefoot_hot::venue::{kalshi, polymarket};

use super::link::{Follow, Unfollowed};
use crate::directory::{Entry, Names};

fn polymarket_names(entry: &Entry) -> Result<polymarket::MarketNames<'_>, Unfollowed> {
    let Names::Polymarket(names) = &entry.names else { return Err(Unfollowed) };
    Ok(polymarket::MarketNames {
        market: entry.def.market,
        condition: &names.condition_id,
        yes: &names.yes_token,
        no: &names.no_token,
        grid: entry.def.grid,
    })
}

impl Follow for polymarket::MarketSession {
    fn follow(&mut self, now: Nanos, entry: &Entry) -> Result<(), Unfollowed> {
        self.add_market(now, &polymarket_names(entry)?).map_err(|_| Unfollowed)
    }

    fn unfollow(&mut self, _: Nanos, market: MarketId) {
        self.remove_market(market);
    }
}

impl Follow for polymarket::UserSession {
    fn follow(&mut self, _: Nanos, entry: &Entry) -> Result<(), Unfollowed> {
        self.add_market(&polymarket_names(entry)?).map_err(|_| Unfollowed)
    }

    /// Nothing to do: the subscription has no filter, and late fills of a dropped market still count.
    fn unfollow(&mut self, _: Nanos, _: MarketId) {}
}

impl Follow for kalshi::Session {
    fn follow(&mut self, now: Nanos, entry: &Entry) -> Result<(), Unfollowed> {
        let Names::Kalshi(names) = &entry.names else { return Err(Unfollowed) };
        self.add_market(now, &names.ticker, entry.def.market, entry.def.grid)
            .map_err(|_| Unfollowed)
    }

    fn unfollow(&mut self, _: Nanos, market: MarketId) {
        self.remove_market(market);
    }
}
