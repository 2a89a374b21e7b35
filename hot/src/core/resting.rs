//! Orders that are wanted on the book: how they come to rest, are changed, withdrawn and end by their expiry.
//!
//! A change that a venue makes in place ([`amends_in_place`]) leaves the order what it is while the change is on its way: it
//! may fill on either terms, and the larger of both claims is held. Where a venue knows no change, the order is cancelled,
//! its size beyond what was filled passes to another order once the cancel is confirmed, and until then one claim covers
//! both. Either way the gate is asked about the new terms first.
//!
//! [`amends_in_place`]: crate::venue_rules::VenueRules::amends_in_place

use super::Core;
use super::asked::Worked;
use super::claims::meets_record;
use super::fills::QTY_DUST;
use super::place::Draft;
use crate::event::Control;
use crate::group::NO_GROUP;
use crate::ids::{OrderId, OrderRef, Venue, VenueKey};
use crate::intent::Intent;
use crate::note::{Alarm, Note};
use crate::order::{
    Amend, Cancel, Change, ChangeSent, EndKind, Order, OrderEvent, OrderState, Purpose, Record, Tif,
};
use crate::outbox::Outbox;
use crate::report::VenueState;
use crate::risk::{LimitRow, Refusal, gate};
use crate::units::{Nanos, Price, QTY_MAX, Qty};

/// How long after a change was sent the venue's word that the order has its old terms means that it was not made. Before, the
/// change may still be on its way: twice what a request waits for its answer.
const CHANGE_LOST_AFTER: Nanos = Nanos::from_secs(20);
/// How long an order may have outlived its expiry before the venue is asked about it.
const EXPIRY_GRACE: Nanos = Nanos::from_secs(2);
/// How often the venue is asked about an order that rests and is wanted, though nothing is in doubt.
const ASK_EVERY: Nanos = Nanos::from_secs(60);

/// Whether an order that rests, as far as is known, should be asked about: its expiry has passed without a word, or nobody
/// has asked for long.
pub(super) fn is_doubtful(now: Nanos, record: &Record) -> bool {
    let overdue = |expires: crate::order::Expiry| now >= expires.time().after(EXPIRY_GRACE);
    let asked = record.sent.max(record.queries.last());
    record.order.expires.is_some_and(overdue) || now.since(asked) >= ASK_EVERY
}

impl Core {
    /// An order is to rest. What the gate refuses is noted, and nothing is sent.
    pub(super) fn on_rest(&mut self, now: Nanos, control: &Control, out: &mut Outbox) {
        let &Control::Rest { market, outcome, action, price, qty, expires, post_only, exit } =
            control
        else {
            unreachable!("the caller has looked")
        };
        let draft = Draft {
            group: NO_GROUP,
            market,
            outcome,
            action,
            price,
            qty,
            tif: if expires.is_some() { Tif::Gtd } else { Tif::Gtc },
            purpose: if exit { Purpose::Exit } else { Purpose::Quote },
            expires,
            post_only,
            plan: None,
        };
        let beyond = match self.books.terms(market) {
            None => Some(Refusal::NotOpen),
            Some(_) => (qty > QTY_MAX).then_some(Refusal::OrderQty),
        };
        if let Some(why) = beyond {
            return self.count_refusal(market, NO_GROUP, why, out);
        }
        let _ = self.place(now, &draft, out); // a refusal is noted there
    }

    /// An order that rests is to have other terms. What is refused is noted, and the order stays what it is.
    pub(super) fn on_amend(&mut self, now: Nanos, id: OrderId, to: &Change, out: &mut Outbox) {
        let Some(record) = self.orders.find(OrderRef::Id(id)) else { return };
        let order = record.order;
        if let Err(why) = self.amend(now, id, to, out) {
            self.on_refused(now, &order, why, out);
        }
    }

    /// Changes an order that rests: gate, claim, table, outbox, in this order.
    fn amend(
        &mut self,
        now: Nanos,
        id: OrderId,
        to: &Change,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let record = *self.orders.find(OrderRef::Id(id)).ok_or(Refusal::NotResting)?;
        let order = record.order;
        let rests = record.state == OrderState::Resting && !record.is_over();
        // What a group sends is the group's to change: another order in its place would sell beside the group's own.
        let is_its_own = order.purpose.is_alone();
        let may = rests && is_its_own && record.is_wanted() && record.change.is_none();
        if !may || *to == Change::of(&order) {
            return Err(Refusal::NotResting);
        }
        if to.qty > QTY_MAX {
            return Err(Refusal::OrderQty); // beyond it no cost can be worked out
        }
        let replaces = !order.venue.rules().amends_in_place;
        if replaces && !record.cancels.is_due(now) {
            return Err(Refusal::Rate); // it was to be cancelled a moment ago
        }
        // What it would leave to fill is asked about, as if the order were not there.
        let left = to.qty.saturating_sub(record.known_filled());
        let asked = Order { qty: left, epoch: self.run.epoch(), decided: now, ..to.on(&order) };
        self.orders.on_time(now, self.limits.span(LimitRow::DuplicateMs));
        self.rejections.on_time(now);
        self.reserve(order.market, -record.reserved);
        let amend = Amend::new(&order, to, self.run.epoch(), now);
        let facts = self.asked(&asked, None, Worked::default());
        let approved = gate::check_amend(&facts, asked, amend);
        self.reserve(order.market, record.reserved);
        let approved = approved?;
        let change = Some(ChangeSent { to: *to, sent: now, replaces });
        let crossed = record.crossed || (!replaces && self.crosses(&asked));
        let claimed = self.reclaim(Record { change, crossed, ..record });
        *self.orders.find_mut(OrderRef::Id(id)).expect("just found") = claimed;
        if replaces {
            self.cancel(now, id, out);
        } else {
            self.step(id, OrderEvent::AmendSent, out);
            self.stats.amends += 1;
            self.orders.send_change(now, &asked);
            out.send(Intent::Amend(approved));
        }
        Ok(())
    }

    /// An order is not wanted any more: it is cancelled, again where the venue refuses, and nothing takes its place.
    pub(super) fn withdraw(&mut self, now: Nanos, id: OrderId, out: &mut Outbox) {
        let Some(record) = self.orders.find_mut(OrderRef::Id(id)) else { return };
        record.withdrawn = true;
        let record = *record;
        if record.change.is_some_and(|change| change.replaces) {
            let claimed = self.reclaim(Record { change: None, ..record });
            *self.orders.find_mut(OrderRef::Id(id)).expect("just found") = claimed;
        }
        if record.state != OrderState::Cancelling {
            self.cancel(now, id, out);
        }
    }

    /// An order that had ended, because it was given up or the venue said so, rests all the same. Nothing is reserved for it, so that it
    /// must go; what it still takes is booked as a late fill.
    pub(super) fn cancel_risen(
        &mut self,
        now: Nanos,
        id: OrderId,
        key: VenueKey,
        out: &mut Outbox,
    ) {
        let record = self.orders.find_mut(OrderRef::Id(id)).expect("the caller found it");
        assert!(record.is_over(), "an order that has not ended is cancelled by a step of its own");
        if !record.cancels.is_due(now) {
            return;
        }
        record.cancels.on_sent(now);
        let order = record.order;
        self.stats.cancels += 1;
        self.orders.count_request(now, order.market);
        self.alarm(Alarm::RestsAgain, Some(order.market), Some(id), out);
        let Order { market, venue, .. } = order;
        out.send(Intent::Cancel(Cancel {
            order: id,
            key: Some(key),
            market,
            venue,
            qty: Qty::ZERO,
        }));
    }

    /// What rests of ours keeps an order of a group from leaving, which would meet it: what quotes gives way to what corrects.
    pub(super) fn make_way(&mut self, now: Nanos, order: &Order, out: &mut Outbox) {
        loop {
            let mut ours = self.orders.live_in(order.market);
            let meets = ours.find(|record| {
                record.order.purpose.rests() && record.is_wanted() && meets_record(order, record)
            });
            let Some(id) = meets.map(|record| record.order.id) else { return };
            drop(ours);
            self.withdraw(now, id, out);
        }
    }

    /// The order that another was to take the place of is over: what it left to fill is placed on the new terms. Its claim
    /// was given back a moment ago, so that no one else can have taken it.
    pub(super) fn place_what_is_left(
        &mut self,
        now: Nanos,
        id: OrderId,
        to: &Change,
        out: &mut Outbox,
    ) {
        let record = *self.orders.find(OrderRef::Id(id)).expect("the caller found it");
        let left = to.qty.saturating_sub(record.known_filled());
        // One that never was, or that nobody found, may have been anything: nothing follows it.
        if left <= QTY_DUST || record.end != EndKind::Traded {
            return;
        }
        let order = to.on(&record.order);
        let draft = Draft {
            group: order.group,
            market: order.market,
            outcome: order.outcome,
            action: order.action,
            price: order.price,
            qty: left,
            tif: order.tif,
            purpose: order.purpose,
            expires: order.expires,
            post_only: order.post_only,
            plan: None,
        };
        if let Ok(by) = self.place(now, &draft, out) {
            out.note(Note::Replaced { order: id, by });
        }
    }

    /// The venue says which limit and which size an order has that rests.
    pub(super) fn on_terms(
        &mut self,
        now: Nanos,
        id: OrderId,
        yes_price: Price,
        qty: Qty,
        out: &mut Outbox,
    ) {
        let record = *self.orders.find(OrderRef::Id(id)).expect("the caller found it");
        if record.is_over() {
            return; // said before it ended
        }
        let order = &record.order;
        let price = order.outcome.price_from_yes(yes_price);
        let change = record.change.filter(|change| !change.replaces);
        let is = |terms: Change| (terms.price, terms.qty) == (price, qty);
        match change {
            Some(change) if is(change.to) => {
                self.stats.amended += 1;
                self.take_terms(now, id, &change.to, OrderEvent::Amended, out);
            }
            Some(change) if is(Change::of(order)) => {
                if now.since(change.sent) >= CHANGE_LOST_AFTER {
                    self.on_amend_refused(now, id, out);
                }
            }
            None if is(Change::of(order)) => {}
            // The answer to a question that was on its way, or an older message of the stream.
            _ if record
                .former
                .is_some_and(|(terms, at)| is(terms) && now.since(at) < CHANGE_LOST_AFTER) => {}
            Some(_) | None => {
                self.alarm(Alarm::ForeignTerms, Some(order.market), Some(id), out);
                let told = Change { price, qty, expires: order.expires };
                self.take_terms(now, id, &told, OrderEvent::Amended, out);
            }
        }
    }

    /// The change was not made: the order is what it was.
    pub(super) fn on_amend_refused(&mut self, now: Nanos, id: OrderId, out: &mut Outbox) {
        let record = *self.orders.find(OrderRef::Id(id)).expect("the caller found it");
        if record.is_over() || record.change.is_none_or(|change| change.replaces) {
            return; // told twice, or of what is over
        }
        self.stats.amends_refused += 1;
        self.take_terms(now, id, &Change::of(&record.order), OrderEvent::AmendRefused, out);
    }

    /// The order has these terms and no change is under way: its claim shrinks to what they need. It may be filled whole
    /// by them.
    fn take_terms(
        &mut self,
        now: Nanos,
        id: OrderId,
        terms: &Change,
        how: OrderEvent,
        out: &mut Outbox,
    ) {
        let record = *self.orders.find(OrderRef::Id(id)).expect("the caller found it");
        let change = record.change.filter(|change| change.replaces);
        let (before, order) = (record.order, terms.on(&record.order));
        let claimed = self.reclaim(Record { order, change, ..record });
        let account = self.cash_account(order.market);
        self.comparison.on_released(now, account, record.reserved - claimed.reserved);
        let loosest = Record { change: None, ..record }.worst_price();
        let former = if order == before { record.former } else { Some((Change::of(&before), now)) };
        *self.orders.find_mut(OrderRef::Id(id)).expect("just found") =
            Record { former, loosest, ..claimed };
        self.step(id, how, out);
        if order != before {
            let &Change { price, qty, .. } = terms;
            out.note(Note::Amended { order: id, price, qty });
        }
        let record = self.orders.find_mut(OrderRef::Id(id)).expect("just found");
        if record.filled >= order.qty {
            record.ended = Some(record.filled);
            self.settle_order(now, id, OrderEvent::Filled, out);
        }
    }

    /// An order is over without being filled whole: how it ended. A venue that does not tell an expiry from a cancel leaves
    /// it to the clock.
    pub(super) fn on_gone(&mut self, now: Nanos, id: OrderId, state: VenueState) -> OrderEvent {
        let record = self.orders.find_mut(OrderRef::Id(id)).expect("the caller found it");
        record.ended = Some(record.known_filled());
        let due = record.order.expires.is_some_and(|expires| now >= expires.time());
        let asked = record.state == OrderState::Cancelling;
        if state == VenueState::Expired || (due && !asked) {
            self.stats.orders_expired += 1;
            OrderEvent::Expired
        } else {
            OrderEvent::Cancelled
        }
    }

    /// The stream of our orders was away: what rests at the venue may have filled or ended meanwhile.
    pub(super) fn ask_about_resting(&mut self, now: Nanos, venue: Venue, out: &mut Outbox) {
        let mut at = 0;
        while let Some(id) = self.orders.live_id(at) {
            at += 1;
            let record = *self.orders.find(OrderRef::Id(id)).expect("it is on the live list");
            if record.order.venue == venue && record.is_wanted() {
                self.query(now, id, out);
            }
        }
    }
}
