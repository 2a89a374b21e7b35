//! Making the venue whole again after a panic in the middle of something.

use surefoot_hot::units::{Nanos, Qty, Usd};

use super::KalshiVenue;
use super::order::OrderStatus;
use crate::twin::matching::HOUSE;

impl KalshiVenue {
    /// What is derived is made again and what must add up does.
    ///
    /// What was half done to an open order cannot be told, so every one is cancelled. Contracts exist in pairs
    /// again, and money is what it was but for fees: the house stands in for either.
    pub(super) fn mend_all(&mut self, now: Nanos) {
        self.filled_groups.clear();
        for market in &mut self.markets {
            market.book = market.book.of_house();
        }
        for account in &mut self.accounts {
            account.open.clear();
            account.reserved.clear();
        }
        for index in 0..self.orders.len() {
            let order = &mut self.orders[index];
            if order.status == OrderStatus::Resting {
                order.status = OrderStatus::Canceled;
                order.left = Qty::ZERO;
                order.updated = now;
                order.reason = Some("HaltCancel");
                self.show_order(index, now);
            }
        }
        for market in 0..self.markets.len() {
            let held =
                self.accounts.iter().map(|account| account.position(market).qty).sum::<i64>();
            if held != 0 && self.markets[market].settled_at.is_none() {
                let house = &mut self.accounts[HOUSE as usize];
                house.positions.entry(market).or_default().qty -= held;
            }
            self.show_books_again(market, now);
        }
        let due = self.markets.iter().enumerate();
        self.due = due.filter_map(|(market, entry)| Some((entry.next_due()?, market))).collect();
        let lost = self.founded - self.fees_taken() - self.money();
        let house = &mut self.accounts[HOUSE as usize];
        let shard = house.cash.keys().next().copied().unwrap_or(0);
        if lost != Usd::ZERO {
            house.pay(shard, lost);
        }
    }
}
