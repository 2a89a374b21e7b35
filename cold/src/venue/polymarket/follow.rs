//! Polymarket's sessions, told of further markets by the directory's entries.

use surefoot_hot::ids::MarketId;
use surefoot_hot::units::Nanos;
use surefoot_hot::venue::polymarket::{MarketNames, MarketSession, UserSession};

use crate::directory::{Entry, Names};
use crate::feed::{Follow, Unfollowed};

fn market_names(entry: &Entry) -> Result<MarketNames<'_>, Unfollowed> {
    let Names::Polymarket(names) = &entry.names else { return Err(Unfollowed) };
    Ok(MarketNames {
        market: entry.def.market,
        condition: &names.condition_id,
        yes: &names.yes_token,
        no: &names.no_token,
        grid: entry.def.grid,
    })
}

impl Follow for MarketSession {
    fn follow(&mut self, now: Nanos, entry: &Entry) -> Result<(), Unfollowed> {
        self.add_market(now, &market_names(entry)?).map_err(|_| Unfollowed)
    }

    fn has_room(&self) -> bool {
        Self::has_room(self)
    }

    fn unfollow(&mut self, now: Nanos, markets: &[MarketId]) {
        self.remove_markets(now, markets);
    }
}

impl Follow for UserSession {
    fn follow(&mut self, _: Nanos, entry: &Entry) -> Result<(), Unfollowed> {
        self.add_market(&market_names(entry)?).map_err(|_| Unfollowed)
    }

    /// It knows every market that there may be.
    fn has_room(&self) -> bool {
        true
    }

    /// Nothing to do: the subscription has no filter, and late fills of a dropped market still count.
    fn unfollow(&mut self, _: Nanos, _: &[MarketId]) {}
}
