//! Fills that the venue takes back, and fills that come after everybody thought the order was over.
//!
//! Either moves a leg of a group that may long have ended. Such a group is opened again, under its own number: what
//! now lacks a partner is bought again within the plan's own worst price, or its partner is sold.

use super::Core;
use super::fills::QTY_DUST;
use crate::canary::{self, Canary};
use crate::group::{ADOPTED, NO_GROUP};
use crate::ids::{Action, FillId, GroupId, MarketId, OrderId, OrderRef, Outcome};
use crate::ledger::Booking;
use crate::note::{Alarm, Note};
use crate::order::{Order, OrderEvent, OrderState};
use crate::outbox::Outbox;
use crate::risk::HaltWhy;
use crate::units::{Nanos, Qty, Usd};

impl Core {
    /// A booked fill turned out void: position, cash and fee go back, and its group makes up for it.
    pub(super) fn undo(&mut self, now: Nanos, fill: FillId, out: &mut Outbox) {
        if canary::is(Canary::FailedFillKept) {
            return;
        }
        let Some(booked) = self.fills.on_failed(now, fill) else { return };
        self.comparison.on_booked(&booked.booking, true);
        self.stats.fills_failed += 1;
        let Booking { market, outcome, price, qty, fee, .. } = booked.booking;
        self.alarm(Alarm::FailedFill, Some(market), Some(booked.order), out);
        self.on_fill_end(market, true, out);
        if let Some(record) = self.orders.find_mut(OrderRef::Id(booked.order)) {
            assert!(qty <= record.filled, "O2: no more is taken back than was booked");
            record.acked = true; // the venue has had it, whatever became of its fill
            record.filled = record.filled.saturating_sub(qty);
            record.void += qty;
            record.told = record.told.saturating_sub(qty);
            record.notional = (record.notional - price.cost_ceil(qty)).max(Usd::ZERO);
            record.ended = record.ended.map(|total| total.saturating_sub(qty));
        }
        if booked.settled.is_none() {
            self.money.let_go(&self.books, &booked.booking, booked.held_back);
        }
        self.money.undo(&self.books, &self.baskets, booked.entry, &booked.booking);
        self.reclaim_live(booked.order);
        if self.money.position(market).is_short() {
            // Sold meanwhile: that sale should fail too; if it does not, reconciliation says what is true.
            self.alarm(Alarm::PositionDrift, Some(market), Some(booked.order), out);
        }
        out.note(Note::Booked {
            order: booked.order,
            market,
            outcome,
            price,
            qty,
            fee,
            taker: booked.taker,
            undone: true,
        });
        self.note_position(market, out);
        let (id, order) = (booked.group, booked.order);
        let Some(slot) = self.group_again(now, id, market, order, out) else { return };
        let group = self.groups.at_mut(slot);
        group.on_undone(&booked.booking);
        let in_flight = group.legs().iter().any(|leg| leg.order == Some(order));
        if in_flight {
            return self.progress(now, order, out); // the order's own count has it
        }
        self.take_back(slot, market, outcome, booked.booking.action, qty);
        self.advance(now, id, out);
    }

    /// An order that is over was filled less than the venue had said: what was counted and never told is not waited for any more.
    pub(super) fn uncount(&mut self, now: Nanos, id: OrderId, filled: Qty, out: &mut Outbox) {
        let record = self.orders.find_mut(OrderRef::Id(id)).expect("the caller found it");
        record.claimed = record.filled.max(filled.saturating_sub(record.void)) + record.void;
        self.lower_count(now, id, out);
    }

    /// A fill of an order failed that was never booked, or never was: what was counted with it is taken back.
    pub(super) fn lower_count(&mut self, now: Nanos, id: OrderId, out: &mut Outbox) {
        let record = self.orders.find_mut(OrderRef::Id(id)).expect("the caller found it");
        let total = record.known_filled();
        let is_over = record.is_over();
        if is_over && record.state != OrderState::Done {
            record.ended = Some(total);
        }
        let lost = record.told.saturating_sub(total);
        record.told = record.told.min(total);
        let Order { group, market, outcome, action, .. } = record.order;
        self.stats.fills_failed += 1;
        self.alarm(Alarm::FailedFill, Some(market), Some(id), out);
        if lost > QTY_DUST
            && let Some(slot) = self.group_again(now, group, market, id, out)
        {
            self.take_back(slot, market, outcome, action, lost);
        }
        if is_over {
            self.settle_order(now, id, OrderEvent::Cancelled, out);
        } else {
            self.progress(now, id, out);
        }
    }

    /// The leg lost, or has again, what a fill of an order that is over had brought or taken.
    fn take_back(
        &mut self,
        slot: usize,
        market: MarketId,
        outcome: Outcome,
        action: Action,
        qty: Qty,
    ) {
        let worth = self.money.worth();
        let group = self.groups.at_mut(slot);
        let is_hit = |leg: &crate::group::Leg| leg.market == market && leg.outcome == outcome;
        let Some(index) = group.legs().iter().position(is_hit) else { return };
        match action {
            // With a result known, a purchase would be a bet on the others.
            Action::Buy => {
                let open = group.legs().iter().all(|leg| worth.settled_at(leg.market).is_none());
                group.take_back(index, qty, open);
            }
            Action::Sell => {
                let leg = &mut group.legs[index];
                leg.sold = leg.sold.saturating_sub(qty);
            }
        }
    }

    /// A fill of an order that was over with less: what it brought has no partner, what it sold had one.
    pub(super) fn late(&mut self, now: Nanos, order: &Order, extra: Qty, out: &mut Outbox) {
        let &Order { id, group, market, outcome, action, .. } = order;
        let Some(slot) = self.group_again(now, group, market, id, out) else { return };
        let group = self.groups.at_mut(slot);
        for leg in group.legs_mut() {
            if leg.market == market && leg.outcome == outcome {
                match action {
                    Action::Buy => (leg.bought, leg.had) = (leg.bought + extra, leg.had + extra),
                    Action::Sell => leg.sold += extra,
                }
            }
        }
        match action {
            Action::Sell => group.target = group.target.min(group.matched()),
            // What it completes is worth keeping; a group around a lost order wants nothing.
            Action::Buy if group.basket != ADOPTED => {
                group.target = group.target.max(group.matched());
            }
            Action::Buy => {}
        }
        self.advance(now, order.group, out);
    }

    /// Where a fill's group stands, opened again if it had ended. Without it nobody knows what lacks a partner
    /// now: only a person can tell.
    fn group_again(
        &mut self,
        now: Nanos,
        group: GroupId,
        market: MarketId,
        order: OrderId,
        out: &mut Outbox,
    ) -> Option<usize> {
        if let Some(slot) = self.groups.position(group) {
            return Some(slot);
        }
        if group == NO_GROUP {
            return None; // it was sent alone: nothing else waits for what it brought
        }
        let slot = self.groups.reopen(now, group);
        match slot {
            Some(slot) => {
                self.stats.groups_reopened += 1;
                self.note_group(slot, out);
            }
            None => {
                self.alarm(Alarm::GroupGivenUp, Some(market), Some(order), out);
                self.trip(HaltWhy::Group, out);
            }
        }
        slot
    }
}
