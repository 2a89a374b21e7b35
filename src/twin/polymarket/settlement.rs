//! How trades end on the chain, and how markets end.

use surefoot_hot::ids::{Action, Outcome, Side};
use surefoot_hot::units::{Nanos, Price, Qty};

use super::order::Status;
use super::trade::{Course, Part, TradeStatus, move_leg, opposite};
use super::{PolymarketVenue, text};
use crate::twin::matching::Book;

impl PolymarketVenue {
    /// The result is known: open orders go, and every share is redeemed at once. The real venue redeems through a
    /// contract call or its auto-redeemer; the twin's accounts have that switched on.
    pub fn settle(&mut self, market: usize, yes_pays: Price, now: Nanos) {
        if !self.markets[market].is_open() {
            return;
        }
        let open: Vec<usize> = (0..self.orders.len())
            .filter(|&i| self.orders[i].market == market && self.orders[i].status.is_open())
            .collect();
        self.held.retain(|(_, index)| !open.contains(index));
        for index in open {
            self.orders[index].status = Status::Live;
            self.cancel(index, Status::Resolved, now);
        }
        self.markets[market].book = Book::new();
        self.show_levels(market, now);
        self.markets[market].resolved = Some(yes_pays);
        self.markets[market].resolved_at = now;
        for account in &mut self.accounts {
            for (outcome, pays) in [(Outcome::Yes, yes_pays), (Outcome::No, yes_pays.complement())]
            {
                let qty = account.held(market, outcome);
                account.give(market, outcome, qty);
                account.cash += pays.proceeds_floor(qty);
            }
        }
        self.show_resolved(market, now);
    }

    /// The result was proposed and somebody disputes it: orders are taken as before, but the house's makers withdraw. The result
    /// comes by [`PolymarketVenue::settle`].
    pub fn dispute(&mut self, market: usize, now: Nanos) {
        if !self.markets[market].is_open() {
            return;
        }
        self.markets[market].is_disputed = true;
        for side in [Side::Bid, Side::Ask] {
            let levels: Vec<Price> =
                self.markets[market].book.levels(side).map(|(price, _)| price).collect();
            for price in levels {
                self.house_level(market, side, price, Qty::ZERO, now);
            }
        }
    }

    /// Reverts a trade that is not final, as the chain does when a party has moved its funds: everybody gets back
    /// what they gave, the fee too, and hears `FAILED`. `false` where it is final, or where a buyer has already
    /// passed the shares on and the twin has nothing to take back.
    pub fn fail_trade(&mut self, id: &str, now: Nanos) -> bool {
        let found = self.settling.iter().position(|&index| self.trades[index].id == id);
        let Some(place) = found else { return false };
        let trade = self.trades[self.settling[place]].clone();
        let parts = || std::iter::once(&trade.taker).chain(&trade.makers);
        let has = |p: &Part| {
            p.action == Action::Sell
                || self.accounts[p.account].held(trade.market, p.outcome) >= p.qty
        };
        if !self.markets[trade.market].is_open() || !parts().all(has) {
            return false;
        }
        for part in parts() {
            let account = &mut self.accounts[part.account];
            let back = opposite(part.action);
            move_leg(account, (trade.market, part.outcome), back, part.qty, part.amount);
        }
        self.accounts[trade.taker.account].cash += trade.fee;
        self.fees -= trade.fee;
        let index = self.settling.remove(place).expect("found above");
        self.trades[index].status = TradeStatus::Failed;
        self.trades[index].updated = now;
        self.failed_at = now;
        self.show_trade(index, now);
        true
    }

    /// When a trade was last taken back; zero where none was.
    pub const fn failed_at(&self) -> Nanos {
        self.failed_at
    }

    /// Trades that are not final, and may yet be reverted: the oldest first.
    pub fn unsettled(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.settling.iter().map(|&index| self.trades[index].id.as_str())
    }

    /// Trades go on to the chain: mined, then confirmed.
    pub(super) fn progress(&mut self, now: Nanos) {
        for _ in 0..self.settling.len() {
            let index = self.settling.pop_front().expect("counted above");
            let next = self.next_status(index);
            if next.1 > now {
                self.settling.push_back(index);
                continue;
            }
            if next.0 == TradeStatus::Failed {
                self.settling.push_back(index);
                let id = self.trades[index].id.clone();
                // Where the shares are sold on there is nothing to take back: then the chain takes it after all.
                self.trades[index].course.fails = self.fail_trade(&id, now);
                continue;
            }
            if next.0 == TradeStatus::Retrying {
                self.trades[index].status = next.0;
                self.trades[index].updated = now;
                self.settling.push_back(index);
                self.show_trade(index, now);
                continue;
            }
            let transaction = text::hex(&self.ids.named(b"transaction", index as u64));
            let trade = &mut self.trades[index];
            trade.status = next.0;
            trade.updated = now;
            trade.transaction = Some(transaction);
            if next.0 != TradeStatus::Confirmed {
                self.settling.push_back(index);
            }
            self.show_trade(index, now);
        }
    }

    pub(super) fn next_status(&self, trade: usize) -> (TradeStatus, Nanos) {
        let trade = &self.trades[trade];
        let (next, after) = trade.course.next(trade.status);
        (next, trade.at.after(after))
    }

    /// What is to become of a trade that was matched.
    pub(super) fn draw_course(&mut self) -> Course {
        let Some(rules) = self.chain_rules else {
            let (mined_after, confirmed_after) = (self.mined_after, self.confirmed_after);
            return Course { mined_after, confirmed_after, retries: false, fails: false };
        };
        let rng = &mut self.chain_rng;
        let mined_after = rules.mined_ms.millis(rng);
        Course {
            mined_after,
            confirmed_after: mined_after.after(rules.confirmed_ms.millis(rng)),
            retries: rng.chance(rules.retries_permille, 1_000),
            fails: rng.chance(rules.fails_permille, 1_000),
        }
    }
}
