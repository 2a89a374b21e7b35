//! What orders have a claim on: cash before it is spent, contracts before they are sold.

use super::Core;
use super::money::worst_cost;
use crate::canary::{self, Canary};
use crate::ids::{Action, MarketId, OrderId, OrderRef, Outcome, Side};
use crate::ledger::CashAccount;
use crate::order::{Order, OrderState, Record};
use crate::risk::Stake;
use crate::units::{Price, Qty, Usd};

impl Core {
    /// Which cash a market's orders draw on.
    pub(super) fn cash_account(&self, market: MarketId) -> CashAccount {
        let terms = self.terms(market);
        CashAccount::of(terms.venue, terms.shard)
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
        if canary::is(Canary::ClaimKept) && delta < Usd::ZERO {
            return;
        }
        self.money.reserve(terms, delta);
    }

    /// Makes an order's claim fit what may still fill (R4): on its present terms or, while a change of them is under way, on the
    /// new ones, whichever needs more.
    pub(super) fn reclaim(&mut self, record: Record) -> Record {
        let (mut cash, mut qty) = self.claim(&record.order, record.open());
        if let Some(change) = record.change {
            let (more, more_qty) = self.claim(&change.to.on(&record.order), record.change_open());
            (cash, qty) = (cash.max(more), qty.max(more_qty));
        }
        self.reserve(record.order.market, cash - record.reserved);
        Record { reserved: cash, reserved_qty: qty, ..record }
    }

    /// Makes the claim of an order fit what may still fill, where it is not done: see [`Self::reclaim`].
    pub(super) fn reclaim_live(&mut self, id: OrderId) {
        let record = self.orders.find(OrderRef::Id(id)).copied();
        if let Some(record) = record.filter(|record| record.state != OrderState::Done) {
            let claimed = self.reclaim(record);
            *self.orders.find_mut(OrderRef::Id(id)).expect("just found") = claimed;
        }
    }

    /// Gives back all that orders and groups have claimed in a market, before its terms change. See [`Self::claim_anew`].
    pub(super) fn release_claims(&mut self, market: MarketId) {
        let reserved: Usd =
            self.orders.live_in(market).fold(Usd::ZERO, |sum, record| sum + record.reserved);
        let held = self.holds_in(market);
        self.reserve(market, -(reserved + held));
    }

    /// Claims all of it again, on the terms that the market has now. What a group holds for a leg that is not sent yet stays
    /// what it was: the gate asks about the leg's own order on the new terms.
    pub(super) fn claim_anew(&mut self, market: MarketId) {
        self.reserve(market, self.holds_in(market));
        let mut at = 0;
        while let Some(id) = self.orders.live_id(at) {
            at += 1;
            let record = *self.orders.find(OrderRef::Id(id)).expect("it is on the live list");
            if record.order.market == market {
                let claimed = self.reclaim(Record { reserved: Usd::ZERO, ..record });
                *self.orders.find_mut(OrderRef::Id(id)).expect("just found") = claimed;
            }
        }
    }

    /// Cash that groups hold for legs in a market that are not sent yet.
    fn holds_in(&self, market: MarketId) -> Usd {
        let legs = self.groups.iter().flat_map(|group| group.legs());
        legs.filter(|leg| leg.market == market).fold(Usd::ZERO, |sum, leg| sum + leg.hold)
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
        if !order.venue.rules().nets_pairs() || order.purpose.is_alone() {
            // An order that is being changed gives its own contracts back first.
            let own = self.orders.find(OrderRef::Id(order.id));
            let own = own.map_or(Qty::ZERO, |own| own.reserved_qty);
            return self.held_free(order.market, order.outcome) + own;
        }
        self.groups.position(order.group).map_or(Qty::ZERO, |slot| {
            let legs = self.groups.at(slot).legs().iter();
            let of = legs.filter(|leg| leg.market == order.market && leg.outcome == order.outcome);
            of.fold(Qty::ZERO, |sum, leg| sum + leg.net())
        })
    }

    /// What an outcome holds at worst, but for one order, which is being changed or still to be sent.
    #[inline]
    pub(super) fn stake(&self, market: MarketId, outcome: Outcome, but: Option<OrderId>) -> Stake {
        let position = self.money.position(market);
        let cost = position.cost(outcome).max(Usd::ZERO);
        let held = Stake { qty: position.held(outcome), cost };
        if self.orders.live_len() == 0 && !self.groups.has_leg_in(market) {
            return held;
        }
        self.stake_to_come(held, market, outcome, but)
    }

    /// The same, with what is still to be bought.
    #[inline(never)]
    fn stake_to_come(
        &self,
        held: Stake,
        market: MarketId,
        outcome: Outcome,
        but: Option<OrderId>,
    ) -> Stake {
        let waits = self.waits_for(market, outcome);
        let held = Stake { qty: held.qty + waits.qty, cost: held.cost + waits.cost };
        let buys = self.orders.live_in(market).filter(|record| {
            let Order { id, outcome: of, action, .. } = record.order;
            of == outcome && action == Action::Buy && Some(id) != but
        });
        buys.fold(held, |sum, record| Stake {
            qty: sum.qty + record.open(),
            cost: sum.cost + record.reserved,
        })
    }

    /// What groups have yet to buy of an outcome by orders that are not sent, and the cash that they hold for it.
    fn waits_for(&self, market: MarketId, outcome: Outcome) -> Stake {
        if !self.groups.has_leg_in(market) {
            return Stake::NONE; // nearly always
        }
        let legs =
            self.groups.iter().flat_map(|group| group.legs().iter().map(move |leg| (group, leg)));
        let waits =
            legs.filter(|(_, leg)| leg.market == market && leg.outcome == outcome && !leg.tried);
        waits.fold(Stake::NONE, |sum, (group, leg)| Stake {
            qty: sum.qty + group.target.times(leg.ratio).saturating_sub(leg.net()),
            cost: sum.cost + leg.hold,
        })
    }

    /// Whether an order of our own rests where this one would meet it, across outcomes too (O16).
    #[inline]
    pub(super) fn own_cross(&self, order: &Order) -> bool {
        self.orders.live_len() > 0 && self.crosses_live(order)
    }

    #[inline(never)]
    fn crosses_live(&self, order: &Order) -> bool {
        self.orders.live_in(order.market).any(|record| meets_record(order, record))
    }
}

/// Whether an order would meet one of ours that may still fill. One whose price is just being changed in place may rest at either price.
pub(super) fn meets_record(order: &Order, record: &Record) -> bool {
    let (side, price) = order.on_book();
    let meets = |own: &Order| {
        let (other, at) = own.on_book();
        let reaches = match side {
            Side::Bid => price >= at,
            Side::Ask => price <= at,
        };
        other != side && reaches
    };
    let change = record.change.filter(|change| !change.replaces);
    let may_meet =
        meets(&record.order) || change.is_some_and(|change| meets(&change.to.on(&record.order)));
    may_meet && !record.open().is_zero() && record.order.id != order.id
}
