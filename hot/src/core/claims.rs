//! What orders have a claim on: cash before it is spent, contracts before they are sold.

use super::Core;
use super::money::worst_cost;
use crate::ids::{Action, MarketId, Outcome, Side};
use crate::ledger::Purse;
use crate::order::{Order, Record};
use crate::units::{Price, Qty, Usd};

impl Core {
    /// Which cash a market's orders draw on.
    pub(super) fn purse(&self, market: MarketId) -> Purse {
        let terms = self.terms(market);
        Purse::of(terms.venue, terms.shard)
    }

    /// The most that buying can cost, fees and rounding included.
    pub(super) fn worst_cost(&self, market: MarketId, price: Price, qty: Qty) -> Usd {
        worst_cost(self.terms(market).fee, price, qty)
    }

    /// What an order must hold for `open` contracts: cash for a purchase, contracts for a sale.
    pub(super) fn claim(&self, order: &Order, open: Qty) -> (Usd, Qty) {
        self.money.claim(self.terms(order.market), order, open)
    }

    /// Claims cash, or gives it back.
    pub(super) fn reserve(&mut self, market: MarketId, delta: Usd) {
        let terms = self.books.terms(market).expect("a market in use has terms");
        self.money.reserve(terms, delta);
    }

    /// Makes an order's claim fit what may still fill.
    pub(super) fn reclaim(&mut self, record: Record) -> Record {
        let (cash, qty) = self.claim(&record.order, record.open());
        self.reserve(record.order.market, cash - record.reserved);
        Record { reserved: cash, reserved_qty: qty, ..record }
    }

    /// Values everything held.
    pub(super) fn mark(&mut self) {
        self.money.mark(&self.books, &self.baskets);
    }

    /// Contracts held that no sale in flight has a claim on.
    pub(super) fn held_free(&self, market: MarketId, outcome: Outcome) -> Qty {
        let held = self.money.position(market).held(outcome);
        self.orders
            .live_in(market)
            .filter(|record| record.order.outcome == outcome)
            .fold(held, |left, record| left.saturating_sub(record.reserved_qty))
    }

    /// What a reducing order may sell, in contracts. Where a venue nets pairs, a leg's contracts may have met others of the
    /// opposite outcome and be gone with them; selling as many restores what was held before, so the leg itself is the
    /// bound.
    pub(super) fn sellable(&self, order: &Order) -> Qty {
        if !order.venue.rules().nets_pairs() {
            return self.held_free(order.market, order.outcome);
        }
        self.groups.position(order.group).map_or(Qty::ZERO, |place| {
            let legs = self.groups.at(place).legs().iter();
            let of = legs.filter(|leg| leg.market == order.market && leg.outcome == order.outcome);
            of.fold(Qty::ZERO, |sum, leg| sum + leg.net())
        })
    }

    /// Contracts held, and those that orders in flight may yet buy.
    pub(super) fn position_worst(&self, market: MarketId, outcome: Outcome) -> Qty {
        let held = self.money.position(market).held(outcome);
        self.orders
            .live_in(market)
            .filter(|record| record.order.outcome == outcome && record.order.action == Action::Buy)
            .fold(held, |sum, record| sum + record.open())
    }

    /// Whether an order of our own rests where this one would meet it, across outcomes too.
    pub(super) fn own_cross(&self, order: &Order) -> bool {
        let (side, price) = order.on_book();
        self.orders.live_in(order.market).any(|record| {
            let (other, at) = record.order.on_book();
            let meets = match side {
                Side::Bid => price >= at,
                Side::Ask => price <= at,
            };
            other != side && meets && !record.open().is_zero()
        })
    }
}
