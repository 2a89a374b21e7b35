//! Kalshi's session, told of further markets by the directory's entries.

use surefoot_hot::ids::MarketId;
use surefoot_hot::units::Nanos;
use surefoot_hot::venue::kalshi::Session;

use crate::directory::{Entry, Names};
use crate::feed::{Follow, Unfollowed};

impl Follow for Session {
    fn follow(&mut self, now: Nanos, entry: &Entry) -> Result<(), Unfollowed> {
        let Names::Kalshi(names) = &entry.names else { return Err(Unfollowed) };
        self.add_market(now, &names.ticker, entry.def.market, entry.def.grid)
            .map_err(|_| Unfollowed)
    }

    fn has_room(&self) -> bool {
        Self::has_room(self)
    }

    fn unfollow(&mut self, now: Nanos, markets: &[MarketId]) {
        self.remove_markets(now, markets);
    }
}
