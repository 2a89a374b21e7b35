//! Making the venue whole again after a panic in the middle of something.

use surefoot_hot::ids::Outcome;
use surefoot_hot::units::{Nanos, Qty, Usd};

use super::order::Status;
use super::{HOUSE_ACCOUNT, PolymarketVenue};

impl PolymarketVenue {
    /// What is derived is made again and what must add up does.
    ///
    /// What was half done to an open order cannot be told, so every one is cancelled. Shares exist in pairs again,
    /// and money is what it was: the house stands in for either.
    pub(super) fn mend_all(&mut self, now: Nanos) {
        self.held.clear();
        for market in &mut self.markets {
            market.book = market.book.of_house();
        }
        for account in &mut self.accounts {
            account.live.clear();
        }
        for index in 0..self.orders.len() {
            if self.orders[index].status.is_open() {
                self.orders[index].status = Status::Invalid;
                self.show_order(index, "CANCELLATION", now);
            }
        }
        let trades = self.trades.len();
        self.settling.retain(|&trade| trade < trades);
        for market in 0..self.markets.len() {
            self.complete_pairs(market);
            self.show_levels(market, now);
        }
        let lost = self.founded - self.total_micros();
        let house = &mut self.accounts[HOUSE_ACCOUNT];
        house.cash += Usd::from_micros(i64::try_from(lost).unwrap_or(0));
    }

    fn complete_pairs(&mut self, market: usize) {
        let of = |outcome| {
            let held = self.accounts.iter().map(|a| a.held(market, outcome));
            held.fold(Qty::ZERO, |sum, qty| sum + qty)
        };
        let (yes, no) = (of(Outcome::Yes), of(Outcome::No));
        let house = &mut self.accounts[HOUSE_ACCOUNT];
        house.receive(market, Outcome::Yes, no.saturating_sub(yes), Usd::ZERO);
        house.receive(market, Outcome::No, yes.saturating_sub(no), Usd::ZERO);
    }
}
