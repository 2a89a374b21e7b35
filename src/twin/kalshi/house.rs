//! The house: everybody else. Its levels, its trades, and how markets end.

use surefoot_hot::ids::Side;
use surefoot_hot::units::{Nanos, Price, Qty, Usd};

use super::account::{SettlementRow, signed};
use super::{KalshiVenue, Status};
use crate::twin::matching::{HOUSE, Incoming};

/// Liquidity of the house that an order of ours took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Index of the market.
    pub market: usize,
    /// The side that lost it.
    pub side: Side,
    /// In YES terms.
    pub price: Price,
    /// Contracts that were taken.
    pub qty: Qty,
}

impl KalshiVenue {
    /// Makes the house's resting quantity at a level `qty`. House levels that this would cross go first; orders
    /// of ours that it crosses fill, and only what they leave rests.
    pub fn house_level(&mut self, market: usize, side: Side, price: Price, qty: Qty, now: Nanos) {
        if self.markets[market].status != Status::Active {
            return;
        }
        let mut left = qty;
        if !qty.is_zero() && self.markets[market].book.crosses(side, price) {
            self.clear_house(market, side, price, now);
            let id = self.next_house_id();
            let owner = HOUSE;
            let incoming =
                Incoming { id, owner, side, limit: price, qty, rest: false, stop_at_own: true };
            let done = self.markets[market].book.submit(incoming);
            for met in &done.matches {
                self.on_match(market, None, side, met, now);
            }
            self.check_filled_groups(now);
            left = done.left;
        }
        self.set_house(market, side, price, left, now);
        self.touched.push(market);
    }

    /// Somebody else takes up to `qty` at `price` or better. Nothing happens where nothing is offered.
    pub fn house_trade(&mut self, market: usize, side: Side, price: Price, qty: Qty, now: Nanos) {
        if self.markets[market].status != Status::Active {
            return;
        }
        let id = self.next_house_id();
        let owner = HOUSE;
        let incoming =
            Incoming { id, owner, side, limit: price, qty, rest: false, stop_at_own: false };
        let done = self.markets[market].book.submit(incoming);
        for met in &done.matches {
            self.on_match(market, None, side, met, now);
        }
        self.check_filled_groups(now);
        self.touched.push(market);
    }

    /// The result is known: trading ends, what rests is cancelled, and after a while it pays.
    pub fn settle(&mut self, market: usize, yes_pays: Price, now: Nanos) {
        if matches!(self.markets[market].status, Status::Determined | Status::Finalized) {
            return;
        }
        self.close(market, now);
        let pays_after = self.config.pays_ms.millis(&mut self.pay_rng);
        let entry = &mut self.markets[market];
        entry.status = Status::Determined;
        entry.yes_pays = Some(yes_pays);
        entry.settled_at = Some(now);
        entry.pays_at = now.after(pays_after);
        self.due.insert((entry.pays_at, market));
        self.show_determined(market, now);
    }

    /// The next piece of house liquidity that an order of ours took, oldest first.
    pub fn poll_taken(&mut self) -> Option<Taken> {
        self.taken.pop_front()
    }

    /// The best level of a side, whoever's it is.
    pub fn best(&self, market: usize, side: Side) -> Option<(Price, Qty)> {
        self.markets[market].book.best(side)
    }

    fn next_house_id(&mut self) -> u64 {
        self.house_ids += 1;
        self.house_ids
    }

    fn clear_house(&mut self, market: usize, side: Side, price: Price, now: Nanos) {
        let other = side.other();
        let met: Vec<Price> = self.markets[market]
            .book
            .levels(other)
            .map(|(level, _)| level)
            .take_while(|level| if side == Side::Bid { *level <= price } else { *level >= price })
            .collect();
        for level in met {
            self.set_house(market, other, level, Qty::ZERO, now);
        }
    }

    pub(super) fn set_house(
        &mut self,
        market: usize,
        side: Side,
        price: Price,
        qty: Qty,
        now: Nanos,
    ) {
        let id = self.next_house_id();
        let book = &mut self.markets[market].book;
        let before = book.at(side, price);
        book.set_house(side, price, qty, id);
        let change = signed(book.at(side, price).micros()) - signed(before.micros());
        if change != 0 {
            self.show_delta(market, side, price, change, None, now);
        }
    }

    /// Trading is over: everything that rests goes.
    fn close(&mut self, market: usize, now: Nanos) {
        if !matches!(self.markets[market].status, Status::Active | Status::Inactive) {
            return;
        }
        self.clear(market, "CloseCancel", now);
        self.due.remove(&(self.markets[market].spec.close, market));
        self.markets[market].status = Status::Closed;
        self.touched.push(market);
    }

    pub(super) fn close_and_pay(&mut self, now: Nanos) {
        while let Some(&(at, market)) = self.due.first().filter(|(at, _)| *at <= now) {
            match self.markets[market].status {
                Status::Active | Status::Inactive => self.close(market, now),
                Status::Determined => self.pay(market, now),
                Status::Closed | Status::Finalized => {}
            }
            self.due.remove(&(at, market));
        }
    }

    /// When the next market closes or pays.
    pub(super) fn next_close(&self) -> Nanos {
        self.due.first().map_or(Nanos::NEVER, |&(at, _)| at)
    }

    fn pay(&mut self, market: usize, now: Nanos) {
        let yes_pays = self.markets[market].yes_pays.expect("determined");
        let shard = self.markets[market].shard;
        self.markets[market].status = Status::Finalized;
        for account in 0..self.accounts.len() {
            let owner = &mut self.accounts[account];
            let Some(position) = owner.positions.get_mut(&market).filter(|p| !p.settled) else {
                continue;
            };
            let (found, revenue) = (*position, position.payout(yes_pays));
            position.realized += revenue - position.cost;
            position.cost = Usd::ZERO;
            position.qty = 0;
            position.settled = true;
            position.updated = now;
            owner.pay(shard, revenue);
            owner.settlements.push(SettlementRow {
                market,
                position: found,
                revenue,
                yes_pays,
                at: now,
            });
            self.show_position(u32::try_from(account).expect("few accounts"), market, now);
        }
        self.show_settled(market, now);
    }
}
