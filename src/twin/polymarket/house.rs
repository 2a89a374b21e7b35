//! The house: levels that rest for everybody else, and trades of somebody else.

use surefoot_hot::ids::{Action, Outcome, Side};
use surefoot_hot::units::{Nanos, Price, Qty};

use super::trade::{Placed, Taker, Trade};
use super::{HOUSE_ACCOUNT, PolymarketVenue};
use crate::twin::matching::{HOUSE, Incoming};

impl PolymarketVenue {
    /// Makes the house's resting quantity at a level `qty`. House levels that this would cross go first; orders of
    /// ours that it crosses fill, and only what they leave rests.
    pub fn house_level(&mut self, market: usize, side: Side, price: Price, qty: Qty, now: Nanos) {
        if !self.markets[market].is_open() || !self.markets[market].grid().allows(price) {
            return;
        }
        let mut left = qty;
        if !qty.is_zero() && self.markets[market].book.crosses(side, price) {
            self.markets[market].book.clear_house(side, price);
            left = qty.saturating_sub(self.house_takes(market, side, price, qty, now));
        }
        let id = self.next_house_id();
        self.markets[market].book.set_house(side, price, left, id);
        self.show_levels(market, now);
    }

    /// Somebody else takes up to `qty` at `price` or better. Nothing happens where nothing is offered.
    pub fn house_trade(&mut self, market: usize, side: Side, price: Price, qty: Qty, now: Nanos) {
        if self.markets[market].is_open() {
            self.house_takes(market, side, price, qty, now);
        }
    }

    fn house_takes(
        &mut self,
        market: usize,
        side: Side,
        limit: Price,
        qty: Qty,
        now: Nanos,
    ) -> Qty {
        self.drop_unfunded(market, side, limit, now);
        let id = self.next_house_id();
        let incoming =
            Incoming { id, owner: HOUSE, side, limit, qty, rest: false, stop_at_own: false };
        let done = self.markets[market].book.submit(incoming);
        // A side of the YES book is a buy: of YES for a bid, of NO for an ask.
        let outcome = if side == Side::Bid { Outcome::Yes } else { Outcome::No };
        let taker = Taker { order: None, account: HOUSE_ACCOUNT, outcome, action: Action::Buy };
        let mut placed = Placed::default();
        self.trade(market, taker, &done.matches, now, &mut placed);
        self.after_trades(market, &placed.trades, now);
        self.forget_house_trades(&placed.trades);
        placed.shares
    }

    /// Drops trades in which nobody but the house has a part: nobody can ask for them, and the flow makes them
    /// for as long as the twin runs. They are the last ones.
    fn forget_house_trades(&mut self, trades: &[usize]) {
        let ours = |&index: &usize| {
            let trade: &Trade = &self.trades[index];
            trade.makers.iter().any(|maker| maker.account != HOUSE_ACCOUNT)
        };
        let Some(&first) = trades.first().filter(|_| !trades.iter().any(ours)) else { return };
        self.trades.truncate(first);
        self.settling.retain(|&trade| trade < first);
    }
}
