//! The operator, reconciliation, settlement and the clock.

use super::Core;
use super::measured::Measured;
use super::modes::Modes;
use super::resting::is_doubtful;
use crate::book::Sync;
use crate::bounds::{RESYNCS_PER_TIMER_MAX, STALL_HALT, STALL_REST};
use crate::canary::{self, Canary};
use crate::event::{Control, Event};
use crate::ids::{MarketId, OrderRef, Outcome, Venue, VenueKey};
use crate::intent::Intent;
use crate::ledger::CashAccount;
use crate::market::MarketStatus;
use crate::note::{Alarm, Note};
use crate::order::{Change, OrderEvent, OrderState, Pace, Record};
use crate::outbox::Outbox;
use crate::risk::{HaltWhy, LimitRow};
use crate::units::{Nanos, Price};
use crate::venue_rules::Settlement;

/// How long an order may be without any answer before it is asked about.
const SILENT_AFTER: Nanos = Nanos::from_secs(3);
/// How often a fresh snapshot is asked for while a book is stale.
pub(super) const RESYNC_EVERY: Nanos = Nanos::from_secs(5);

impl Core {
    pub(super) fn on_control(
        &mut self,
        now: Nanos,
        event: &Event,
        control: &Control,
        out: &mut Outbox,
    ) {
        match *control {
            Control::Start { epoch, first_order } => {
                self.on_start(now, event, epoch, first_order, out)
            }
            Control::Halt { epoch, why } => {
                self.run.raise_to(epoch);
                self.halt(why, out);
                self.cancel_everything(now, out);
            }
            Control::Resume { epoch } => {
                if self.run.halted() == Some(HaltWhy::Drawdown) {
                    self.money.begin_peak(); // whoever resumes accepts what was lost
                    self.follow_account();
                }
                self.run.resume(epoch);
                self.repeats.on_resume();
                self.unpaired_told.begin_anew();
                out.note(Note::Halt { halted: false, why: 0, epoch: self.run.epoch() });
            }
            Control::Stop => {
                self.run.on_stop();
                self.cancel_resting(now, out);
            }
            Control::Cash { venue, shard, cash } => {
                self.on_cash(venue, shard, cash, out);
                self.follow_account();
            }
            Control::Position { market, yes, no } => self.on_position(market, yes, no, out),
            Control::History { market, yes, no } => self.on_history(market, yes, no),
            Control::Reconciled { venue, clean } => {
                self.on_reconciled(now, venue, clean, out);
                if clean {
                    self.ask_about_unlisted(now, venue, out);
                }
                if self.truth.agrees(venue) {
                    self.quarantine.has_read(venue, self.comparison.since(venue));
                }
            }
            Control::Limit { row, value } => {
                self.limits.set(row, value, !self.run.is_configuring());
                self.follow_account();
            }
            Control::Day { day } => self.money.on_day(day, &self.books, &self.baskets),
            Control::Reading { venue, since } => self.on_reading(venue, since),
            Control::Release { market } => self.on_release(now, market, out),
            Control::Open { venue, market, order, key } => {
                self.on_open(now, (venue, market), order, key, out);
            }
            Control::Listed { venue, order, ref listing } => {
                self.on_listed(now, venue, order, listing, out);
            }
            Control::Hold { venue, held } => self.truth.on_hold(venue, held),
            Control::TermsRead { venue, at } => self.terms_age.on_read(venue, at),
            Control::TermsUnread { market } => self.terms_age.on_unread(market),
            Control::ClockError { error } => self.measured.on_clock_error(error),
            Control::Rest { .. } => self.on_rest(now, control, out),
            Control::Amend { order, price, qty, expires } => {
                self.on_amend(now, order, &Change { price, qty, expires }, out);
            }
            Control::Withdraw { order } => self.withdraw(now, order, out),
        }
    }

    /// A run begins. The state of orders in flight is unknown: each keeps its reservation, and the venue is asked about it; where many may
    /// rest, only about those that its list does not have (see `listed`).
    fn on_start(
        &mut self,
        now: Nanos,
        event: &Event,
        epoch: u64,
        first_order: u64,
        out: &mut Outbox,
    ) {
        self.run.on_start(epoch);
        if !canary::is(Canary::IdAgain) {
            self.orders.begin_ids_at(first_order);
        }
        self.truth.on_start();
        self.measured = Measured::new();
        self.modes = Modes::new();
        self.comparison.restart();
        self.unpaired_told.begin_anew();
        self.books.apply(now, event);
        self.baskets.refresh_all(&self.books);
        let waits_for_list = self.waits_for_list();
        let mut at = 0;
        while let Some(id) = self.orders.live_id(at) {
            self.step(id, OrderEvent::Restarted, out);
            let record = self.orders.find_mut(OrderRef::Id(id)).expect("it is on the live list");
            record.cancels = Pace::NEW;
            if waits_for_list[record.order.venue] && record.order.tif.may_rest() {
                record.queries = Pace::put_off(now);
            } else {
                record.queries = Pace::NEW;
                self.query(now, id, out);
            }
            at += 1;
        }
        for slot in 0..self.groups.len() {
            self.groups.at_mut(slot).on_restart(now);
        }
        self.resync_asked.fill(Nanos::ZERO);
    }

    /// The core stops opening by itself. The epoch moves, so that an opening order that still waits for its executor or a
    /// connection does not leave either. What rests is cancelled at the end of the event ([`Core::on_event`]), when nothing
    /// is half done any more. It is counted also while halted: a resume that waits for the venues' word must not lift what
    /// nobody has looked at.
    pub(super) fn trip(&mut self, why: HaltWhy, out: &mut Outbox) {
        self.stats.trips += 1;
        self.stats.tripped = Some(why);
        if !self.run.is_halted() {
            out.raise(self.run.raise());
        }
        self.halt(why, out);
    }

    /// Stops opening, until a person resumes. Nothing lifts it by itself.
    fn halt(&mut self, why: HaltWhy, out: &mut Outbox) {
        if self.run.halt(why) {
            out.note(Note::Halt { halted: true, why: why as u8, epoch: self.run.epoch() });
        }
    }

    /// The hot thread stood still. Frames and answers that waited meanwhile come in now as if nothing had been: all
    /// market data counts as old until the sockets have been read empty again, and a long stall halts.
    pub(super) fn on_stall(&mut self, now: Nanos, span: Nanos, out: &mut Outbox) {
        self.stats.stalls += 1;
        self.truth.on_stall(now.after(STALL_REST));
        if span >= STALL_HALT {
            self.alarm(Alarm::Stalled, None, None, out);
            self.trip(HaltWhy::Thread, out);
        }
    }

    /// Everything that may be on a book goes, and groups sell what has no partner.
    pub(super) fn cancel_everything(&mut self, now: Nanos, out: &mut Outbox) {
        for venue in Venue::ALL {
            if self.orders.live().any(|record| record.order.venue == venue) {
                out.send(Intent::CancelAll { venue });
            }
        }
        self.cancel_resting(now, out);
        for slot in 0..self.groups.len() {
            let group = self.groups.at_mut(slot);
            group.give_up();
            group.wake(now); // what the moved epoch stopped leaves under the new one
        }
        self.tend_groups(now, out);
    }

    fn cancel_resting(&mut self, now: Nanos, out: &mut Outbox) {
        let mut at = 0;
        while let Some(id) = self.orders.live_id(at) {
            let record = self.orders.find(OrderRef::Id(id)).expect("it is on the live list");
            if record.order.tif.may_rest() {
                self.withdraw(now, id, out);
            }
            at += 1;
        }
    }

    /// An order rests at the venue. Ours are asked about one by one, and those that had ended cancelled; any other belongs to somebody who has the same
    /// keys: it is never touched and claims nothing here. What it takes, cash and positions will say.
    fn on_open(
        &mut self,
        now: Nanos,
        (venue, market): (Venue, Option<MarketId>),
        order: OrderRef,
        key: VenueKey,
        out: &mut Outbox,
    ) {
        if let Some(record) = self.orders.find(order) {
            let id = record.order.id;
            if record.is_over() && self.orphans.rises(id, self.comparison.since(venue)) {
                self.cancel_risen(now, id, key, out);
            } else if !record.is_over() && record.key.is_none() {
                self.on_bound(now, id, key, out);
            }
            return;
        }
        // An order that a start took from the wire log has no name of the venue here until the first answer about it.
        let awaits_name = |record: &Record| record.order.venue == venue && record.key.is_none();
        if matches!(order, OrderRef::Key(_)) && self.orders.live().any(awaits_name) {
            return; // it may be this one: the next reading says
        }
        self.stats.foreign[venue].add(key);
        if !self.orphans.name(key) {
            return;
        }
        let id = if let OrderRef::Id(id) = order { Some(id) } else { None };
        self.alarm(Alarm::ForeignOrder, market, id, out);
    }

    /// The market is settled and paid: nothing is held, nothing rests. Another result than the one it had is told and
    /// booked in its place (P6).
    pub(super) fn on_settled(
        &mut self,
        now: Nanos,
        market: MarketId,
        yes_pays: Price,
        out: &mut Outbox,
    ) {
        if self.books.terms(market).is_none() {
            return;
        }
        self.books.set_status(market, MarketStatus::Resolved);
        let account = self.cash_account(market);
        if self.money.worth().settled_at(market).is_some_and(|before| before != yes_pays) {
            self.alarm(Alarm::ResultChanged, Some(market), None, out);
        }
        self.take_back_early_payment(market, account, yes_pays);
        let paid = self.money.settle(&self.books, &self.baskets, market, yes_pays);
        let claim = self.money.position(market).claim();
        self.comparison.on_settled(now, market, account, paid, claim);
        self.note_position(market, out);
        // A group that still worked on it cannot any more: its contracts there are paid, what is not complete is sold.
        for slot in 0..self.groups.len() {
            let group = self.groups.at_mut(slot);
            let mut hit = false;
            for leg in group.legs_mut().iter_mut().filter(|leg| leg.market == market) {
                (leg.tried, hit) = (true, true);
            }
            if hit {
                group.target = group.target.min(group.matched());
            }
        }
    }

    /// A venue that pays by itself may have done so before the result is heard of: the contracts are gone from its list,
    /// and the money has been taken over with the cash. Where a claim must be redeemed, its money is looked for with it.
    fn take_back_early_payment(&mut self, market: MarketId, account: CashAccount, yes_pays: Price) {
        if account.venue().rules().settlement == Settlement::Claimed {
            return;
        }
        let Some(from) = self.comparison.payable_from(market) else { return };
        let position = self.money.position(market);
        let pays = |price: Price, outcome| price.proceeds_floor(position.held(outcome));
        let paid = pays(yes_pays, Outcome::Yes) + pays(yes_pays.complement(), Outcome::No);
        self.take_back_payment(account, paid, from);
    }

    pub(super) fn on_timer(&mut self, now: Nanos, out: &mut Outbox) {
        self.orders.on_time(now, self.limits.span(LimitRow::DuplicateMs));
        self.rejections.on_time(now);
        while let Some((market, _)) = self.books.poll_overdue(now) {
            self.stats.stales += 1;
            self.on_book(now, market, out);
        }
        self.reprice_failed();
        self.tend_quarantine(now, out);
        self.tend_silence(now, out);
        self.ask_for_snapshots(now, out);
        self.ask_about_orders(now, out);
        self.withdraw_where_none_opens(now, out);
        self.tend_groups(now, out);
        self.tend_fee_rules(now, out);
        self.wake_cooled(now, out);
        self.give_up_orphans(now, out);
        self.doubt_old_comparisons(now, out);
        self.tend_leaving(out);
        self.mark();
        self.tend_stops(now, out);
        self.follow_account();
        self.watch_losses(out);
        self.orders.warm();
    }

    /// Books that wait for a snapshot have it asked for, so many of them in one timer event; the next one goes on behind
    /// them.
    fn ask_for_snapshots(&mut self, now: Nanos, out: &mut Outbox) {
        let mut from = self.snapshots_from;
        for _ in 0..RESYNCS_PER_TIMER_MAX {
            let Some(market) = self.books.next_waiting(from) else { break };
            self.ask_for_snapshot(now, market, out);
            from = MarketId::new(market.get() + 1);
        }
        let is_through = self.books.next_waiting(from).is_none();
        self.snapshots_from = if is_through { MarketId::new(0) } else { from };
    }

    /// A book that doubts itself asks for a snapshot. Where the session asks by itself, or one comes with the link, it is
    /// asked for as well if it has not come a while later: it may have been lost on the way, or have come before the
    /// market's terms, and then it was dropped. The session knows whether one is on its way still.
    fn ask_for_snapshot(&mut self, now: Nanos, market: MarketId, out: &mut Outbox) {
        let Some(book) = self.books.get(market) else { return };
        let by_itself = match book.sync() {
            Sync::Good | Sync::Loading => return,
            Sync::Fresh => true,
            Sync::Stale { why, .. } => why.resyncs_by_itself(),
        };
        if by_itself && !self.truth.is_fed(book) {
            return; // one comes when it is back
        }
        let last = &mut self.resync_asked[market.index()];
        if by_itself && *last == Nanos::ZERO {
            *last = now; // it is most likely on its way
        } else if *last == Nanos::ZERO || now.since(*last) >= RESYNC_EVERY {
            *last = now;
            out.send(Intent::Resync { market });
        }
    }

    /// Something a venue said of our money was not read: it is asked about every order that may be meant.
    pub(super) fn ask_about_all(&mut self, now: Nanos, venue: Venue, out: &mut Outbox) {
        let mut at = 0;
        while let Some(id) = self.orders.live_id(at) {
            at += 1;
            let record = *self.orders.find(OrderRef::Id(id)).expect("it is on the live list");
            if record.order.venue == venue {
                self.query(now, id, out);
            }
        }
    }

    /// Orders that nobody can account for are asked about until somebody can, ever more slowly.
    fn ask_about_orders(&mut self, now: Nanos, out: &mut Outbox) {
        let mut at = 0;
        while let Some(id) = self.orders.live_id(at) {
            at += 1;
            let record = *self.orders.find(OrderRef::Id(id)).expect("it is on the live list");
            let silent = now.since(record.sent) >= SILENT_AFTER;
            let wanted = record.is_wanted();
            let asks = record.query_owed
                // A sale's or purchase's fills are claimed but not told: their details are missing.
                || record.ended.is_some()
                // A change of it may have been made or not.
                || record.change.is_some()
                || match record.state {
                    OrderState::Unknown | OrderState::Cancelling | OrderState::Amending => true,
                    OrderState::Resting if wanted => is_doubtful(now, &record),
                    OrderState::Pending | OrderState::Resting => silent,
                    OrderState::Done => false,
                };
            // Either answer to a cancel may have been lost: it is repeated, the venue asked. What rests and is unwanted is
            // left only where its last cancel was a moment ago.
            let replaced = record.change.is_some_and(|change| change.replaces);
            let unwanted = record.order.tif.may_rest() && (!wanted || replaced);
            if record.state == OrderState::Cancelling
                || (record.state == OrderState::Resting && unwanted)
            {
                self.cancel(now, id, out);
            }
            if asks && record.queries.is_due(now) {
                self.query(now, id, out);
            }
        }
    }
}
