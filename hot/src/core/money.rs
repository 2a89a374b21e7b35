//! Reservations: cash claimed by orders and groups before it is spent.

use super::Core;
use crate::basket::Leg;
use crate::book::Sync;
use crate::fees::{self, FeeRule};
use crate::ids::{Action, MarketId, Outcome, Side};
use crate::ledger::Purse;
use crate::market::{MarketDef, MarketStatus};
use crate::order::{Order, Record};
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
        worst_cost(self.terms(market).fee, price, qty)
    }

    /// What an order must hold for `open` contracts: cash for a purchase, contracts for a sale.
    pub(super) fn claim(&self, order: &Order, open: Qty) -> (Usd, Qty) {
        match order.action {
            Action::Buy => {
                // An order that spends dollars spends no more of them for more contracts.
                let open = if order.spends() { open.min(order.qty) } else { open };
                (self.worst_cost(order.market, order.price, open), Qty::ZERO)
            }
            // A sale beyond what is held may be a purchase of the other outcome, and costs what that costs.
            Action::Sell if order.venue.rules().sells_beyond_holding() => {
                let held = self.ledger.position(order.market).held(order.outcome).min(open);
                (self.worst_cost(order.market, order.price.complement(), open - held), held)
            }
            Action::Sell => (Usd::ZERO, open),
        }
    }

    /// Claims cash, or gives it back.
    pub(super) fn reserve(&mut self, market: MarketId, delta: Usd) {
        if delta == Usd::ZERO {
            return;
        }
        let &MarketDef { venue, shard, cluster, .. } = self.terms(market);
        let reserved = &mut self.reserved[Purse::of(venue, shard).index()];
        *reserved += delta;
        assert!(*reserved >= Usd::ZERO, "R3: no more is given back than was claimed");
        self.exposure.add(market, cluster, venue, delta);
    }

    /// Cash in a purse that nothing has a claim on.
    pub(super) fn cash_free(&self, purse: Purse) -> Usd {
        self.ledger.cash(purse) - self.reserved[purse.index()]
    }

    /// Contracts held that no sale in flight has a claim on.
    pub(super) fn held_free(&self, market: MarketId, outcome: Outcome) -> Qty {
        let held = self.ledger.position(market).held(outcome);
        self.orders_in(market)
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

    /// Values everything held, twice.
    ///
    /// `marked`, which the loss of the day is measured by, is what selling would bring now: each contract at the best bid
    /// of its outcome, and without a bid nothing. A complete basket counts at no more than it cost, however much it
    /// promises or fetches, so that a promised profit never makes room for a real loss; and at less where its legs fetch
    /// less, so that a pair which is none shows its loss before it settles. Once a leg of it has been paid for, the others
    /// count at their bids alone.
    ///
    /// `unrealised`, which people are shown, takes complete baskets at what they pay at least.
    ///
    /// A book that is not whole just now counts as it last was, and one that never was, as neither gain nor loss: a
    /// snapshot on its way is no loss. In a market that is paused or closed the last bid stands: its book is emptied, its
    /// contracts are still there. Baskets are taken out in the order of their ids, as many as the holdings have, whichever groups
    /// the contracts were bought for.
    pub(super) fn mark(&mut self) {
        let mut left = std::mem::take(&mut self.left);
        let mut held = false;
        for (market, book) in self.books.iter() {
            if book.sync() == Sync::Good && has_book(book.terms().status) {
                let bid = |outcome| book.best_bid_for(outcome).map_or(Price::ZERO, |(bid, _)| bid);
                self.bids[market.index()] = [Outcome::Yes, Outcome::No].map(|o| Some(bid(o)));
            }
            let position = self.ledger.position(market);
            left[market.index()] = [position.held(Outcome::Yes), position.held(Outcome::No)];
            held |= !position.is_flat();
        }
        let (mut promised, mut marked) = (Usd::ZERO, Usd::ZERO);
        if held {
            (promised, marked) = self.value_baskets(&mut left);
            for (market, _) in self.books.iter() {
                let position = self.ledger.position(market);
                for outcome in [Outcome::Yes, Outcome::No] {
                    // What is short was sold and never known to be held: neither gain nor loss until it is known.
                    let value = if position.short(outcome).is_zero() {
                        self.fetches(market, outcome, left[market.index()][outcome.index()])
                    } else {
                        position.cost(outcome)
                    };
                    promised += value;
                    marked += value;
                }
            }
        }
        self.left = left;
        self.unrealised = promised - self.ledger.cost();
        self.marked = marked - self.ledger.cost();
    }

    /// What the complete baskets among `left` pay at least, and what they count for in the loss of the day. Takes their
    /// contracts out of it.
    fn value_baskets(&self, left: &mut [[Qty; 2]]) -> (Usd, Usd) {
        let (mut promised, mut marked) = (Usd::ZERO, Usd::ZERO);
        for (_, basket) in self.baskets.iter() {
            let legs = basket.legs();
            // A leg whose market is settled has paid what it pays: the others pay at least the rest.
            let paid =
                |leg: &Leg| self.settled[leg.market.index()].map(|yes| pays(leg.outcome, yes));
            let known: u32 =
                legs.iter().filter_map(paid).map(|price| u32::from(price.ticks())).sum();
            let open = || legs.iter().filter(|leg| paid(leg).is_none());
            let of = |leg: &Leg| left[leg.market.index()][leg.outcome.index()];
            let units = open().map(of).min().unwrap_or(Qty::ZERO);
            if units.is_zero() {
                continue;
            }
            let (mut fetches, mut cost) = (Usd::ZERO, Usd::ZERO);
            for leg in open() {
                left[leg.market.index()][leg.outcome.index()] -= units;
                fetches += self.fetches(leg.market, leg.outcome, units);
                cost += self.ledger.position(leg.market).share(leg.outcome, units);
            }
            promised += pays_floor(basket.payout().saturating_sub(known), units);
            let whole = open().count() == legs.len();
            marked += if whole { fetches.min(cost) } else { fetches };
        }
        (promised, marked)
    }

    /// What so many of the contracts held would bring at the best bid; at their cost where no book ever was whole.
    fn fetches(&self, market: MarketId, outcome: Outcome, qty: Qty) -> Usd {
        match self.bids[market.index()][outcome.index()] {
            Some(bid) => bid.proceeds_floor(qty),
            None => self.ledger.position(market).share(outcome, qty),
        }
    }

    /// Result of the day: what was realised since it began, and by how much what is held has come to be worth more.
    /// What was bought today starts from its cost, what was held before from its worth then; a settlement only
    /// moves the one into the other.
    pub(super) fn day_result(&self) -> Usd {
        self.ledger.realised_today() + self.marked - self.day_base
    }

    fn orders_in(&self, market: MarketId) -> impl Iterator<Item = &Record> {
        self.orders.live().filter(move |record| record.order.market == market)
    }
}

/// The most that buying can cost under a fee rule, rounding included.
pub(super) fn worst_cost(fee: FeeRule, price: Price, qty: Qty) -> Usd {
    if qty.is_zero() {
        return Usd::ZERO;
    }
    price.cost_ceil(qty) + fees::fee_bound(fee, price, qty, true)
}

/// Whether a market of this status has a book to sell into; a venue empties it when trading ends or pauses.
const fn has_book(status: MarketStatus) -> bool {
    match status {
        MarketStatus::Observe | MarketStatus::Open => true,
        MarketStatus::Paused
        | MarketStatus::Closed
        | MarketStatus::Proposed
        | MarketStatus::Resolved => false,
    }
}

/// What one contract of an outcome pays where YES pays `yes`.
const fn pays(outcome: Outcome, yes: Price) -> Price {
    match outcome {
        Outcome::Yes => yes,
        Outcome::No => yes.complement(),
    }
}

/// What `units` of a basket pay at least, rounded down; `payout` in $0.0001 a unit.
pub(super) fn pays_floor(payout: u32, units: Qty) -> Usd {
    let exact = u128::from(payout) * u128::from(units.micros()) / 10_000;
    Usd::from_micros(i64::try_from(exact).expect("QTY_MAX bounds the payout"))
}
