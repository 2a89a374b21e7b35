//! Cancels, questions, heartbeats, and what keeps connections warm.

use surefoot_hot::ids::OrderRef;
use surefoot_hot::order::{Cancel, Query};
use surefoot_hot::report::{OrderStatus, Report};
use surefoot_hot::units::Nanos;

use super::codec::{AfterAnswer, Inquiry, RequestKind, VenueCodec};
use super::{Chore, Exec, Job, RETRY_AFTER, Slot, TRIES_MAX};
use crate::net::Meter;
use crate::wirelog::{Ended, VenueId};

impl<W: VenueCodec, M: Meter> Exec<W, M> {
    pub(super) fn send_chores(&mut self, now: Nanos) -> u32 {
        let mut sent = 0;
        while let Some((slot, any)) = self.free_for_chores() {
            if !self.send_one_chore(now, slot, any) {
                break;
            }
            sent += 1;
        }
        sent
    }

    /// A connection for a chore, and whether any chore may take it: one of their own; or, while no order waits, one for
    /// orders if another stays free. The last one for orders is lent only if all of their own are away, and only to
    /// cancels and heartbeats, which must get out over whatever there is: a question that the venue leaves unanswered
    /// would hold it for longer than a hedge waits.
    pub(super) fn free_for_chores(&self) -> Option<(usize, bool)> {
        let free = |orders: bool| {
            self.slots.iter().enumerate().filter_map(move |(at, slot)| {
                let free = slot.orders == orders && slot.job.is_none() && slot.lane.is_open();
                free.then_some(at)
            })
        };
        if let Some(own) = free(false).next() {
            return Some((own, true));
        }
        let mut others = free(true).filter(|_| self.places.is_empty());
        let (first, spare) = (others.next(), others.next());
        let mut own = self.slots.iter().filter(|slot| !slot.orders).peekable();
        let away = own.peek().is_some() && own.all(|slot| !slot.lane.is_open());
        first.map(|first| (first, spare.is_some())).filter(|(_, any)| *any || away)
    }

    /// `any`: whether it may be a question or something cheap; otherwise a cancel or a heartbeat alone.
    pub(super) fn send_one_chore(&mut self, now: Nanos, slot: usize, any: bool) -> bool {
        self.request.clear();
        let beats = self.options.heartbeat && !self.beating && !self.is_core_still();
        let beat = self.codec.beat_every().filter(|_| beats);
        if let Some(every) = beat
            && now >= self.beat_at
        {
            self.beat_at = now.after(every);
            self.beating = true;
            self.codec.beat(now, &mut self.request);
            return self.write_chore(now, slot, Job::Beat);
        }
        let no_other = !self.slots.iter().any(|s| matches!(s.job, Some(Job::CancelAll)));
        if self.cancel_all.is_some_and(|at| now >= at)
            && no_other
            && self.codec.admit(now, RequestKind::CancelAll)
        {
            self.cancel_all = None; // what is asked for while this one is out is another one
            self.codec.cancel_all(now, &mut self.request);
            self.stats.cancels += 1;
            return self.write_chore(now, slot, Job::CancelAll);
        }
        if let Some(job) = self.next_chore(now, any) {
            return self.write_chore(now, slot, job);
        }
        let idle = now.since(self.slots[slot].lane.used) >= self.options.warm_every;
        if idle && any {
            self.codec.warm(&mut self.request);
            return self.write_chore(now, slot, Job::Warm);
        }
        if !self.slots[slot].orders {
            self.warm_orders(now);
        }
        false
    }

    /// Cancels before questions, each in order; what may not go yet keeps its place. Without `questions`, neither does a
    /// cancel whose order's id must be asked for first.
    pub(super) fn next_chore(&mut self, now: Nanos, questions: bool) -> Option<Job> {
        for cancels in [true, false] {
            for at in 0..self.chores.len() {
                let due = match &self.chores[at] {
                    Chore::Cancel { cancel, not_before, .. } => {
                        let goes = questions || self.ids.find(cancel.order).is_some();
                        cancels && goes && now >= *not_before
                    }
                    Chore::Ask { not_before, .. } => !cancels && questions && now >= *not_before,
                };
                if !due {
                    continue;
                }
                let what = match &self.chores[at] {
                    Chore::Cancel { cancel, .. } => RequestKind::Cancel(cancel),
                    Chore::Ask { inquiry, .. } => RequestKind::Ask(inquiry),
                };
                if !self.codec.admit(now, what) {
                    break; // no tokens for this kind
                }
                match self.chores.remove(at).expect("it was just looked at") {
                    Chore::Cancel { cancel, tries, .. } => {
                        if let Some(id) = self.ids.find(cancel.order) {
                            self.codec.cancel(now, &cancel, &id, &mut self.request);
                            self.stats.cancels += 1;
                            return Some(Job::Cancel { cancel, id, tries });
                        }
                        // its id is not known: find it first
                        let Cancel { order, key, market, venue, .. } = cancel;
                        let query = Query { order, key, market, venue };
                        let mut inquiry = Box::new(Inquiry::new(query, VenueId::NONE));
                        inquiry.then_cancel = Some(cancel);
                        self.codec.ask(now, &inquiry, &mut self.request);
                        self.stats.asked += 1;
                        return Some(Job::Ask(inquiry));
                    }
                    Chore::Ask { mut inquiry, .. } => {
                        if inquiry.id.is_none() {
                            let known = self.ids.find(inquiry.query.order);
                            inquiry.id = known.unwrap_or(VenueId::NONE);
                        }
                        self.codec.ask(now, &inquiry, &mut self.request);
                        self.stats.asked += 1;
                        return Some(Job::Ask(inquiry));
                    }
                }
            }
        }
        None
    }

    /// Keeps one idle connection for orders warm at a time, and only while none of them is busy: another must stay free.
    pub(super) fn warm_orders(&mut self, now: Nanos) {
        let busy = |slot: &Slot| slot.orders && slot.job.is_some();
        if self.slots.iter().any(busy) {
            return;
        }
        let cold = self.slots.iter().position(|slot| {
            slot.orders
                && slot.job.is_none()
                && slot.lane.is_open()
                && now.since(slot.lane.used) >= self.options.warm_every
        });
        if let Some(slot) = cold {
            self.request.clear();
            self.codec.warm(&mut self.request);
            self.write_chore(now, slot, Job::Warm);
        }
    }

    pub(super) fn write_chore(&mut self, now: Nanos, slot: usize, job: Job) -> bool {
        let wrote = self.slots[slot].lane.write(self.request.as_bytes());
        self.slots[slot].job = Some(job);
        // A heartbeat that is lost must be known while there is still time for the next one.
        let beat = matches!(self.slots[slot].job, Some(Job::Beat));
        let super::ExecOptions { order_wait_max, chore_wait_max, .. } = self.options;
        self.slots[slot].by = now.after(if beat { order_wait_max } else { chore_wait_max });
        if !wrote {
            self.lose(now, slot, "broke before a chore left");
        }
        wrote
    }

    pub(super) fn retry_cancel(&mut self, now: Nanos, cancel: Cancel, tries: u8) {
        if tries + 1 >= TRIES_MAX {
            return self.report(Report::TimedOut { order: cancel.order });
        }
        let not_before = now.after(RETRY_AFTER);
        self.chores.push_back(Chore::Cancel { cancel, tries: tries + 1, not_before });
    }

    /// A kill switch is never given up, but the pauses grow: a venue that is away is not helped by a storm.
    pub(super) fn retry_cancel_all(&mut self, now: Nanos) {
        let pause = RETRY_AFTER.get() << self.cancel_all_tries.min(4);
        self.cancel_all_tries += 1;
        self.cancel_all = Some(now.after(Nanos::new(pause)));
    }

    pub(super) fn retry_ask(&mut self, now: Nanos, mut inquiry: Box<Inquiry>) {
        inquiry.tries += 1;
        if inquiry.tries < TRIES_MAX {
            self.chores.push_back(Chore::Ask { inquiry, not_before: now.after(RETRY_AFTER) });
            return;
        }
        self.stats.unanswered += 1;
        if let Some(cancel) = inquiry.then_cancel {
            self.report(Report::TimedOut { order: cancel.order });
        }
    }

    pub(super) fn on_missed_beat(&mut self, now: Nanos) {
        self.beating = false;
        self.stats.beats_missed += 1;
        self.beats_missed += 1;
        self.beats_again = 0;
        let every = self.codec.beat_every().unwrap_or(RETRY_AFTER).get();
        let pause = (RETRY_AFTER.get() << self.beats_missed.min(8).saturating_sub(1)).min(every);
        self.beat_at = now.after(Nanos::new(pause));
    }

    pub(super) fn on_asked(&mut self, now: Nanos, mut inquiry: Box<Inquiry>, next: AfterAnswer) {
        let query = inquiry.query;
        if !inquiry.id.is_none() && self.ids.find(query.order) != Some(inquiry.id) {
            self.ids.learn(query.order, inquiry.id);
            self.report(Report::Bound { order: query.order, key: inquiry.id.key() });
        }
        if inquiry.found && self.open.contains(&query.order) {
            self.log_end(now, query.order, Ended::Asked, inquiry.id);
        }
        let reports = std::mem::take(&mut self.reports);
        for report in &reports {
            self.report(named(*report, &inquiry));
        }
        self.reports = reports;
        match next {
            AfterAnswer::Retry => self.retry_ask(now, inquiry),
            AfterAnswer::AskNext => {
                inquiry.tries = 0;
                self.chores.push_front(Chore::Ask { inquiry, not_before: now });
            }
            AfterAnswer::Done => {
                if let Some(cancel) = inquiry.then_cancel {
                    if inquiry.id.is_none() {
                        self.report(Report::CancelRefused { order: OrderRef::Id(cancel.order) });
                    } else {
                        self.chores.push_front(Chore::Cancel { cancel, tries: 0, not_before: now });
                    }
                } else if !inquiry.found {
                    let Query { order, venue, .. } = query;
                    self.report(if inquiry.incomplete {
                        Report::TimedOut { order } // not found is not absent where not all was read
                    } else {
                        Report::Absent { order, venue }
                    });
                }
            }
        }
    }
}

/// A report about the order asked for speaks of it by our own id: the core may not know the venue's yet.
fn named(report: Report, inquiry: &Inquiry) -> Report {
    let ours = OrderRef::Id(inquiry.query.order);
    let is_it = |order: OrderRef| order == OrderRef::Key(inquiry.id.key());
    match report {
        Report::Status(status) if is_it(status.order) => {
            Report::Status(OrderStatus { order: ours, ..status })
        }
        Report::Fill(mut fill) if is_it(fill.order) => {
            fill.order = ours;
            Report::Fill(fill)
        }
        other => other,
    }
}
