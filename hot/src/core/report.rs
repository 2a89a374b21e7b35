//! What became of orders. Every message may come late, twice, in any order, or from two places: the final state
//! is the same.

use super::Core;
use super::fills::QTY_DUST;
use crate::ids::{Action, GroupId, MarketId, OrderId, OrderRef, Outcome, VenueKey};
use crate::note::{Alarm, Note};
use crate::order::{Change, ChangeSent, EndKind, Order, OrderEvent, OrderState, Purpose};
use crate::outbox::Outbox;
use crate::report::{Finality, OrderStatus, Reject, Report, VenueState};
use crate::risk::LimitRow;
use crate::units::{Nanos, Qty};

/// How often in a row the venue must answer that it does not know an order before the order counts as over. See
/// [`ABSENT_SPAN`].
const ABSENT_TIMES: u8 = 3;
/// How long after it was sent an order that the venue does not know counts as over, at the earliest: longer than a taker
/// delay (3 s, `venues/polymarket.md` §4.6), and twice what the read side of a venue has been seen to lag behind its
/// engine (15 s).
const ABSENT_SPAN: Nanos = Nanos::from_secs(30);
/// How far apart the venue must say twice that an order is filled in part, after it refused to cancel it, before the
/// rest is taken as gone: a fill on its way is told within that time.
const PART_TOLD_SPAN: Nanos = Nanos::from_secs(1);

impl Core {
    pub(super) fn on_report(&mut self, now: Nanos, report: &Report, out: &mut Outbox) {
        match *report {
            Report::Bound { order, key } => self.on_bound(now, order, key, out),
            Report::Unsent { order, why } => {
                self.stats.orders_unsent += 1;
                let end = if why.may_pass_later() { EndKind::Missed } else { EndKind::Refused };
                if why.is_of_the_way() {
                    self.on_turned_away(now, order, out);
                }
                self.on_never(now, OrderRef::Id(order), end, out);
            }
            Report::Rejected { order, why } => self.on_rejected(now, order, why, report, out),
            Report::TimedOut { order } => self.on_timed_out(now, order, out),
            Report::Status(status) => self.on_status(now, &status, report, out),
            Report::Fill(fill) => self.on_fill(now, &fill, report, out),
            Report::Finality { fill, state } => match state {
                Finality::Failed => self.undo(now, fill, out),
                Finality::Final => self.on_final(now, fill, out),
                Finality::Provisional => {}
            },
            Report::CancelRefused { order } => {
                if let Some(id) = self.known(now, order, report, out) {
                    self.on_cancel_refused(now, id, out);
                }
            }
            Report::Absent { order, .. } => self.on_absent(now, order, out),
            Report::Terms { order, price, qty } => {
                if let Some(id) = self.known(now, order, report, out) {
                    self.on_terms(now, id, price, qty, out);
                }
            }
            Report::AmendRefused { order } => {
                if let Some(id) = self.known(now, order, report, out) {
                    self.on_amend_refused(now, id, out);
                }
            }
        }
    }

    /// The venue's name of an order is known. A second name of one order, or one name for two, is not believed (O7).
    pub(super) fn on_bound(&mut self, now: Nanos, order: OrderId, key: VenueKey, out: &mut Outbox) {
        if self.orders.bind(order, key) {
            return self.claim_orphans(now, OrderRef::Key(key), out);
        }
        let market = self.orders.find(OrderRef::Id(order)).map(|record| record.order.market);
        self.alarm(Alarm::NameTwice, market, Some(order), out);
    }

    fn on_rejected(
        &mut self,
        now: Nanos,
        order: OrderRef,
        why: Reject,
        report: &Report,
        out: &mut Outbox,
    ) {
        let Some(id) = self.known(now, order, report, out) else { return };
        if why == Reject::Duplicate {
            // It is there already: what it is doing, only the venue can say.
            self.step(id, OrderEvent::TimedOut, out);
            return self.query(now, id, out);
        }
        self.stats.orders_rejected += 1;
        let record = self.orders.find(OrderRef::Id(id)).expect("just found");
        let (order, end) = (record.order, end_of_rejected(why, &record.order));
        if why == Reject::Terms {
            self.on_terms_rejected(&order);
        }
        self.count_rejection(now, order, why, out);
        self.on_never(now, OrderRef::Id(id), end, out);
    }

    /// A sale or top-up of less than the market's least size was rejected for its terms: that size holds for it too, it
    /// seems.
    fn on_terms_rejected(&mut self, order: &Order) {
        let corrects = order.action == Action::Sell || order.purpose == Purpose::TopUp;
        let small = corrects && order.qty < self.terms(order.market).min_qty;
        if let Some((slot, leg)) = self.leg_of(order.group, order.id).filter(|_| small) {
            self.groups.at_mut(slot).legs_mut()[leg].least_for_all = true;
        }
    }

    /// A venue that turns away whatever it is sent, or a market whose purchases are rejected one after another, is left alone
    /// for a while.
    fn count_rejection(&mut self, now: Nanos, order: Order, why: Reject, out: &mut Outbox) {
        let most = self.limits.raw(LimitRow::RejectsPerMinute);
        // Nor does the mode that a venue is in: it has a row of the gate by itself.
        let is_any = !matches!(why, Reject::Killed | Reject::Mode);
        if is_any && self.rejections.on_any(now, order.market, most) {
            self.alarm(Alarm::RejectStorm, None, Some(order.id), out);
        }
        if why.is_of_venue() {
            return self.on_turned_away(now, order.id, out);
        }
        self.rejections.on_looked_at(order.venue);
        // A kill says that somebody else was quicker: that is no fault of ours or the market's.
        let counts = order.action == Action::Buy && why != Reject::Killed;
        let most = self.limits.raw(LimitRow::RejectsMarket);
        if counts && self.rejections.on_rejected(now, order.market, most) {
            self.stats.market_pauses += 1;
            self.alarm(Alarm::OrdersRefused, Some(order.market), Some(order.id), out);
        }
    }

    /// An order did not come before its venue's matching engine.
    fn on_turned_away(&mut self, now: Nanos, order: OrderId, out: &mut Outbox) {
        let Some(record) = self.orders.find(OrderRef::Id(order)) else { return };
        let (venue, market) = (record.order.venue, record.order.market);
        if !record.is_over() && self.rejections.on_turned_away(now, venue) {
            self.alarm(Alarm::OrdersRefused, Some(market), Some(order), out);
        }
    }

    /// Filled, gone or never there: the venue is asked, and until it has said that the order rests, "filled in part"
    /// may mean that the rest is gone.
    fn on_cancel_refused(&mut self, now: Nanos, id: OrderId, out: &mut Outbox) {
        let record = self.orders.find_mut(OrderRef::Id(id)).expect("the caller found it");
        if !record.is_over() {
            record.cancel_refused = true;
        }
        self.step(id, OrderEvent::CancelRefused, out);
        self.query(now, id, out);
    }

    /// The order never was and never will be. Of one that the venue has acknowledged, or of which something filled, that is a
    /// contradiction: the venue is asked, and the reservation stays.
    fn on_never(&mut self, now: Nanos, order: OrderRef, end: EndKind, out: &mut Outbox) {
        let Some(record) = self.orders.find_mut(order) else { return };
        if record.is_over() {
            return;
        }
        let id = record.order.id;
        if record.acked || !record.known_filled().is_zero() {
            // The venue has had it, whatever this message says: only the venue's own count ends it.
            self.step(id, OrderEvent::CancelRefused, out);
            return self.query(now, id, out);
        }
        (record.ended, record.end) = (Some(Qty::ZERO), end);
        self.settle_order(now, id, OrderEvent::Rejected, out);
    }

    fn on_timed_out(&mut self, now: Nanos, order: OrderId, out: &mut Outbox) {
        if self.orders.find(OrderRef::Id(order)).is_none_or(crate::order::Record::is_over) {
            return;
        }
        self.stats.orders_unknown += 1;
        let record = self.orders.find(OrderRef::Id(order)).expect("just found");
        if record.state == OrderState::Pending {
            self.on_turned_away(now, order, out); // as far as anybody knows
        }
        self.step(order, OrderEvent::TimedOut, out);
        self.query(now, order, out);
    }

    /// The venue has had the order: told for the first time, that is its acknowledgement.
    fn acknowledge(&mut self, now: Nanos, id: OrderId) {
        let record = self.orders.find_mut(OrderRef::Id(id)).expect("the caller found it");
        if std::mem::replace(&mut record.acked, true) {
            return;
        }
        self.stats.orders_acked += 1;
        self.rejections.on_looked_at(record.order.venue);
        // Where it was asked about, the answer says nothing of how long an acknowledgement takes.
        if record.state == OrderState::Pending {
            self.measured.on_acked(record.order.venue, now.since(record.sent));
        }
    }

    fn on_status(&mut self, now: Nanos, status: &OrderStatus, report: &Report, out: &mut Outbox) {
        let Some(id) = self.known(now, status.order, report, out) else { return };
        self.acknowledge(now, id);
        let record = self.orders.find_mut(OrderRef::Id(id)).expect("just found");
        record.absent = 0;
        let (qty, spends, claim_max) =
            (record.qty_max(), record.order.spends(), record.claim_max());
        if let Some(filled) = status.filled {
            record.claimed = record.claimed.max(filled.min(claim_max));
            if filled > qty + QTY_DUST {
                self.on_overfill(id, spends, out);
            }
            self.raise_end(id);
        }
        let record = self.orders.find_mut(OrderRef::Id(id)).expect("just found");
        if record.state == OrderState::Done {
            // Only a fill still moves it: where the venue counts more than was told here, its details are asked for.
            if record.known_filled() > record.filled + QTY_DUST {
                self.query(now, id, out);
            }
            return;
        }
        let rests = matches!(status.state, VenueState::Resting | VenueState::Delayed);
        if record.is_over() {
            let waits = record.filled < record.known_filled();
            if waits && record.filled + QTY_DUST >= record.known_filled() {
                return self.on_dust_untold(now, id, out);
            }
            let fewer =
                status.filled.filter(|filled| !rests && *filled + QTY_DUST < record.claimed);
            if let Some(filled) = fewer.filter(|_| waits) {
                return self.on_fewer(now, id, filled, out);
            }
        }
        let whole = record.claimed + QTY_DUST >= qty;
        if status.state != VenueState::Filled || record.is_over() {
            record.part_told = None;
        }
        match status.state {
            // A limit order that matched only in part rests with what is left, unless its rest is gone.
            VenueState::Filled
                if status.filled.is_some() && !whole && record.order.tif.may_rest() =>
            {
                if record.cancel_refused {
                    self.on_part_without_rest(now, id, out);
                } else {
                    self.on_resting(now, id, out);
                }
            }
            VenueState::Resting | VenueState::Delayed => {
                record.cancel_refused = false;
                self.on_resting(now, id, out);
            }
            VenueState::Filled => self.on_filled(now, id, status.filled.is_none(), out),
            VenueState::Cancelled | VenueState::Expired if status.filled.is_some() => {
                let how = self.on_gone(now, id, status.state);
                self.settle_order(now, id, how, out);
            }
            // Over, but nobody has said with how much filled: ask before letting the rest go.
            VenueState::Cancelled | VenueState::Expired => {
                if !record.is_over() {
                    self.query(now, id, out);
                }
            }
        }
    }

    /// The venue says that the order is filled; where it says not with how much, with all that it was for.
    fn on_filled(&mut self, now: Nanos, id: OrderId, is_all: bool, out: &mut Outbox) {
        let record = self.orders.find_mut(OrderRef::Id(id)).expect("the caller found it");
        let qty = record.qty_max();
        if is_all {
            record.claimed = record.claimed.max(qty);
        }
        if record.claimed < qty && record.order.tif.may_rest() {
            self.cancel(now, id, out); // the venue says so of an order of which a hundredth rests, too
        }
        let record = self.orders.find_mut(OrderRef::Id(id)).expect("still there");
        record.ended = Some(record.known_filled());
        self.settle_order(now, id, OrderEvent::Filled, out);
    }

    /// The venue would not cancel the order, and says that it is filled, in part. Told the same once more a while later,
    /// nothing rests any more: it ended with what was filled. Told once, a fill may still be on its way.
    fn on_part_without_rest(&mut self, now: Nanos, id: OrderId, out: &mut Outbox) {
        self.progress(now, id, out);
        let record = self.orders.find_mut(OrderRef::Id(id)).expect("the caller found it");
        if record.is_over() {
            return;
        }
        let total = record.known_filled();
        match record.part_told {
            Some((told, since)) if told == total => {
                if now.since(since) >= PART_TOLD_SPAN {
                    record.ended = Some(total);
                    return self.settle_order(now, id, OrderEvent::Cancelled, out);
                }
            }
            _ => record.part_told = Some((total, now)),
        }
        self.query(now, id, out);
    }

    /// What ended with less than the venue counts by now did not: the rest of what it filled is on its way, and reserved.
    fn raise_end(&mut self, id: OrderId) {
        let record = self.orders.find_mut(OrderRef::Id(id)).expect("the caller found it");
        let known = record.known_filled();
        let short = record.ended.is_some_and(|total| total < known);
        if short && record.state != OrderState::Done {
            record.ended = Some(known);
            self.reclaim_live(id);
        }
    }

    /// The order is over, and the venue says that it ended with fewer contracts than were called filled before: one of its fills
    /// failed and was never told, or the number was wrong. Reads may lag behind writes: it is believed once it has been said over
    /// [`ABSENT_SPAN`] without a word to the contrary.
    fn on_fewer(&mut self, now: Nanos, id: OrderId, filled: Qty, out: &mut Outbox) {
        let record = self.orders.find_mut(OrderRef::Id(id)).expect("the caller found it");
        match record.part_told {
            Some((told, since)) if told == filled => {
                if now.since(since) >= ABSENT_SPAN {
                    return self.uncount(now, id, filled, out);
                }
            }
            _ => record.part_told = Some((filled, now)),
        }
        self.query(now, id, out);
    }

    /// The order is over, and its fills are told but for a hundredth of a contract. That is a fill whose word was lost, or it is the
    /// venue's rounding: then no fill comes of it however often it is asked for. It is believed once the venue has said nothing
    /// else over [`ABSENT_SPAN`].
    fn on_dust_untold(&mut self, now: Nanos, id: OrderId, out: &mut Outbox) {
        let record = self.orders.find_mut(OrderRef::Id(id)).expect("the caller found it");
        let total = record.known_filled();
        match record.part_told {
            Some((told, since)) if told == total => {
                if now.since(since) >= ABSENT_SPAN {
                    record.claimed = record.filled + record.void;
                    record.ended = Some(record.filled);
                    return self.settle_order(now, id, OrderEvent::Cancelled, out);
                }
            }
            _ => record.part_told = Some((total, now)),
        }
        self.query(now, id, out);
    }

    fn on_resting(&mut self, now: Nanos, id: OrderId, out: &mut Outbox) {
        self.step(id, OrderEvent::Accepted, out);
        let record = *self.orders.find(OrderRef::Id(id)).expect("just stepped");
        self.progress(now, id, out);
        let unwanted = record.order.tif.may_rest() && !record.is_wanted();
        if record.state == OrderState::Resting && unwanted {
            self.cancel(now, id, out);
        }
    }

    /// The group of an order that is over is told what the order got beyond what the group knows.
    pub(super) fn tell_rest(&mut self, now: Nanos, id: OrderId, out: &mut Outbox) {
        let record = self.orders.find_mut(OrderRef::Id(id)).expect("the caller found it");
        let total = match record.state {
            OrderState::Done => record.filled,
            OrderState::Pending
            | OrderState::Resting
            | OrderState::Unknown
            | OrderState::Cancelling
            | OrderState::Amending => record.known_filled(),
        };
        let rest = total.saturating_sub(record.told);
        if rest <= QTY_DUST {
            return;
        }
        record.told = total;
        let order = record.order;
        if order.purpose.is_alone() {
            return; // no group waits for it
        }
        self.late(now, &order, rest, out);
    }

    /// The venue does not know the order, and its history shows no fill of it. Once proves nothing, and time alone never does
    /// (O10): reads lag behind writes. Of one that is over it says that nothing was filled beyond what is booked.
    fn on_absent(&mut self, now: Nanos, order: OrderId, out: &mut Outbox) {
        let Some(record) = self.orders.find_mut(OrderRef::Id(order)) else { return };
        if record.state == OrderState::Done {
            return;
        }
        if record.is_over() {
            return self.on_fewer(now, order, Qty::ZERO, out);
        }
        record.absent = record.absent.saturating_add(1);
        if record.absent >= ABSENT_TIMES && now.since(record.sent) >= ABSENT_SPAN {
            let total = record.known_filled();
            (record.ended, record.end) = (Some(total), EndKind::Missed);
            let group = record.order.group;
            if let Some(slot) = self.groups.position(group) {
                self.groups.at_mut(slot).doubted = true; // a fill may come yet: the longer cooldown applies
            }
            self.settle_order(now, order, OrderEvent::Cancelled, out);
        }
    }

    /// One of our orders by either name. A venue name that is not known yet may be bound in a moment: its report
    /// is kept.
    pub(super) fn known(
        &mut self,
        now: Nanos,
        order: OrderRef,
        report: &Report,
        out: &mut Outbox,
    ) -> Option<OrderId> {
        let found = self.orders.find(order).map(|record| record.order.id);
        if found.is_none() && matches!(order, OrderRef::Key(_)) {
            self.keep_orphan(now, report, out);
        }
        found
    }

    /// Moves an order's state; a step that makes no sense raises the alarm and changes nothing.
    pub(super) fn step(&mut self, id: OrderId, event: OrderEvent, out: &mut Outbox) {
        let Some(record) = self.orders.find_mut(OrderRef::Id(id)) else { return };
        let market = record.order.market;
        match record.state.next(event) {
            Ok(state) if state == record.state => {}
            Ok(state) => {
                record.state = state;
                self.note_order(id, out);
            }
            Err(_) => self.alarm(Alarm::IllegalStep, Some(market), Some(id), out),
        }
    }

    /// The order is over at the venue. It is done here once every fill it claims is booked; its group goes on
    /// at once.
    pub(super) fn settle_order(
        &mut self,
        now: Nanos,
        id: OrderId,
        event: OrderEvent,
        out: &mut Outbox,
    ) {
        // What is over is not changed any more; what was to replace it may follow.
        let found = self.orders.find_mut(OrderRef::Id(id)).expect("the caller found it");
        found.part_told = None;
        found.loosest = found.worst_price(); // a change may have been made before the end, and its fills be told after it
        let change = found.change.take();
        let is_larger = |change: &ChangeSent| !change.replaces && change.to.qty > found.order.qty;
        let larger = change.filter(is_larger);
        if let Some(made) = larger.filter(|_| found.known_filled() > found.order.qty + QTY_DUST) {
            // More than it was for: the change was made, though the venue has not said so (O4).
            found.order = made.to.on(&found.order);
            let Change { price, qty, .. } = made.to;
            self.stats.amended += 1;
            out.note(Note::Amended { order: id, price, qty });
        }
        let record = *found;
        let alive = record.state != OrderState::Done;
        let complete = record.ended.is_some_and(|total| record.filled + record.dust() >= total);
        if alive && complete {
            self.step(id, event, out);
        }
        if alive {
            let record = *self.orders.find(OrderRef::Id(id)).expect("still there");
            let ended =
                if record.state == OrderState::Done { Some(record.filled) } else { record.ended };
            let updated = self.reclaim(crate::order::Record { ended, ..record });
            let account = self.cash_account(record.order.market);
            self.comparison.on_released(now, account, record.reserved - updated.reserved);
            *self.orders.find_mut(OrderRef::Id(id)).expect("still there") = updated;
            if updated.state == OrderState::Done {
                self.orders.retire(id);
            }
        }
        let group = record.order.group;
        if let Some((slot, leg)) = self.leg_of(group, id) {
            self.on_leg_over(now, slot, leg, &record);
            let record = self.orders.find_mut(OrderRef::Id(id)).expect("still there");
            record.told = record.known_filled();
        } else {
            self.tell_rest(now, id, out);
        }
        // Also where the leg went on before: what waited for this order's last fill is due.
        self.advance(now, group, out);
        if let Some(change) = change.filter(|change| change.replaces) {
            self.place_what_is_left(now, id, &change.to, out);
        }
    }

    /// An order moved without being over: its claim shrinks with each fill, and its group's clock runs.
    pub(super) fn progress(&mut self, now: Nanos, id: OrderId, out: &mut Outbox) {
        let record = *self.orders.find(OrderRef::Id(id)).expect("the caller found it");
        self.reclaim_live(id);
        self.note_order(id, out);
        let Some((slot, leg)) = self.leg_of(record.order.group, id) else { return };
        let group = self.groups.at_mut(slot);
        if record.order.action == Action::Buy {
            let entry = &mut group.legs_mut()[leg];
            entry.bought = entry.had + record.known_filled();
        }
        group.keep_time(now);
    }

    /// Which leg of which live group an order in flight belongs to.
    fn leg_of(&self, group: GroupId, id: OrderId) -> Option<(usize, usize)> {
        let slot = self.groups.position(group)?;
        let leg = self.groups.at(slot).legs().iter().position(|leg| leg.order == Some(id))?;
        Some((slot, leg))
    }

    pub(super) fn note_position(&self, market: MarketId, out: &mut Outbox) {
        let position = self.money.position(market);
        out.note(Note::Position {
            market,
            yes: position.held(Outcome::Yes),
            no: position.held(Outcome::No),
            cost: position.cost_total(),
            realised: position.realised,
        });
    }
}

/// What a rejection says of sending the same order again. For a sale there is no other way out: it waits for the venue. A
/// purchase has one, its partner is sold, so that only a rejection of the moment (too many requests) is waited for.
fn end_of_rejected(why: Reject, order: &Order) -> EndKind {
    match (why, order.action) {
        (Reject::Killed, _) => EndKind::Traded,
        (Reject::Rate, _) => EndKind::Missed,
        // Contracts may change hands seconds after the match: until then their sale is rejected for funds.
        (Reject::Funds, Action::Sell) if order.venue.rules().provisional_fills => EndKind::Missed,
        (why, Action::Sell) if why.is_of_venue() => EndKind::Missed,
        (
            Reject::Funds
            | Reject::Closed
            | Reject::Crossed
            | Reject::Terms
            | Reject::Auth
            | Reject::Mode
            | Reject::Duplicate
            | Reject::Blocked
            | Reject::Gone
            | Reject::Other,
            _,
        ) => EndKind::Refused,
    }
}
