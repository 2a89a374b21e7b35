//! Reservations: cash claimed by orders and groups before it is spent.

use super::Core;
use crate::fees;
use crate::ids::{Action, MarketId, Outcome, Side};
use crate::intent::Order;
use crate::ledger::Purse;
use crate::order::Record;
use crate::units::{Price, Qty, Usd};

impl Core {
    /// Which cash a market's orders draw on.
    pub(super) fn purse(&self, market: MarketId) -> Purse {
        let terms = self.terms(market);
        Purse::of(terms.venue, terms.shard)
    }

    /// The most that buying can cost, fees and rounding included. It rises with the price, so the limit is the
    /// worst case.
    pub(super) fn worst_cost(&self, market: MarketId, price: Price, qty: Qty) -> Usd {
        if qty.is_zero() {
            return Usd::ZERO;
        }
        price.cost_ceil(qty) + fees::fee_bound(self.terms(market).fee, price, qty, true)
    }

    /// What an order must hold for `open` contracts: cash for a purchase, contracts for a sale.
    pub(super) fn claim(&self, order: &Order, open: Qty) -> (Usd, Qty) {
        match order.action {
            Action::Buy => (self.worst_cost(order.market, order.price, open), Qty::ZERO),
            Action::Sell => (Usd::ZERO, open),
        }
    }

    /// Claims cash, or gives it back.
    pub(super) fn reserve(&mut self, market: MarketId, delta: Usd) {
        if delta == Usd::ZERO {
            return;
        }
        let purse = self.purse(market);
        self.reserved[purse.index()] += delta;
        assert!(
            self.reserved[purse.index()] >= Usd::ZERO,
            "R3: no more is given back than was claimed"
        );
        let terms = *self.terms(market);
        self.exposure.add(market, terms.cluster, terms.venue, delta);
    }

    /// Cash that nothing has a claim on.
    pub(super) fn cash_free(&self, market: MarketId) -> Usd {
        let purse = self.purse(market);
        self.ledger.cash(purse) - self.reserved[purse.index()]
    }

    /// Contracts held that no sale in flight has a claim on.
    pub(super) fn held_free(&self, market: MarketId, outcome: Outcome) -> Qty {
        let held = self.ledger.position(market).held(outcome);
        self.orders_in(market)
            .filter(|record| record.order.outcome == outcome)
            .fold(held, |left, record| left.saturating_sub(record.reserved_qty))
    }

    /// Contracts held, and those that orders in flight may yet buy.
    pub(super) fn position_worst(&self, market: MarketId, outcome: Outcome) -> Qty {
        let held = self.ledger.position(market).held(outcome);
        self.orders_in(market)
            .filter(|record| record.order.outcome == outcome && record.order.action == Action::Buy)
            .fold(held, |sum, record| sum + record.open())
    }

    /// Whether an order of our own rests where this one would meet it, across outcomes too.
    pub(super) fn own_cross(&self, order: &Order) -> bool {
        let (side, price) = order.on_book();
        self.orders_in(order.market).any(|record| {
            let (other, at) = record.order.on_book();
            let meets = match side {
                Side::Bid => price >= at,
                Side::Ask => price <= at,
            };
            other != side && meets && !record.open().is_zero()
        })
    }

    /// Makes an order's claim fit what may still fill.
    pub(super) fn reclaim(&mut self, record: Record) -> Record {
        let (cash, qty) = self.claim(&record.order, record.open());
        self.reserve(record.order.market, cash - record.reserved);
        Record { reserved: cash, reserved_qty: qty, ..record }
    }

    /// What selling everything that is not part of a complete basket would bring over its cost, and what complete
    /// baskets pay at least over theirs.
    pub(super) fn unrealised(&self) -> Usd {
        let mut sum = Usd::ZERO;
        for (market, book) in self.books.iter() {
            let position = self.ledger.position(market);
            if position.is_flat() {
                continue;
            }
            sum += position.locked_gain();
            for outcome in [Outcome::Yes, Outcome::No] {
                sum += position
                    .unrealised(outcome, book.best_bid_for(outcome).map(|(price, _)| price));
            }
        }
        sum
    }

    fn orders_in(&self, market: MarketId) -> impl Iterator<Item = &Record> {
        self.orders.live().filter(move |record| record.order.market == market)
    }
}
