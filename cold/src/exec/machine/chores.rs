//! Cancels, and which of the cancels, questions, heartbeats and warming requests goes next over which connection.

use surefoot_hot::ids::OrderRef;
use surefoot_hot::order::Cancel;
use surefoot_hot::report::{Report, Unsent};
use surefoot_hot::units::Nanos;

use super::lanes::{Job, LaneRole};
use super::{Inquiry, Machine, RETRY_AFTER, TRIES_MAX, VenueCodec, WriteAhead, query_of};
use crate::exec::answer::Cancelled;
use crate::exec::codec::RequestKind;
use crate::wirelog::VenueId;

/// How many cancels or questions are looked at in a turn for which there are no tokens.
const REFUSED_MAX: u32 = 32;

/// What waits for a connection.
#[derive(Debug)]
pub(super) enum Chore {
    /// `id` is the venue's of the order, or none where it is not known yet.
    Cancel {
        cancel: Cancel,
        id: VenueId,
        tries: u8,
        not_before: Nanos,
    },
    Ask {
        inquiry: Box<Inquiry>,
        not_before: Nanos,
    },
}

impl Chore {
    const fn not_before(&self) -> Nanos {
        match self {
            Self::Cancel { not_before, .. } | Self::Ask { not_before, .. } => *not_before,
        }
    }
}

/// The kill switch at the venue: a cancel of everything that rests.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CancelAll {
    /// It is to be sent then.
    due: Option<Nanos>,
    /// How many in a row the venue did not confirm.
    tries: u32,
    /// It is to be sent once more then, whatever became of the first: an order may have come to rest since.
    again: Option<Nanos>,
}

impl CancelAll {
    pub(super) fn want(&mut self, now: Nanos) {
        self.due = Some(now);
    }

    pub(super) fn want_again(&mut self, at: Nanos) {
        self.again = Some(at);
    }

    pub(super) const fn again(&self) -> Option<Nanos> {
        self.again
    }

    pub(super) fn on_time(&mut self, now: Nanos) {
        if self.again.is_some_and(|at| now >= at) {
            (self.again, self.due) = (None, Some(now));
        }
    }

    pub(super) fn on_confirmed(&mut self) {
        self.tries = 0;
    }

    /// It is never given up, but the pauses grow: a venue that is away is not helped by a storm.
    pub(super) fn retry(&mut self, now: Nanos) {
        let pause = RETRY_AFTER.get() << self.tries.min(4);
        self.tries += 1;
        self.due = Some(now.after(Nanos::new(pause)));
    }

    pub(super) const fn is_wanted(&self) -> bool {
        self.due.is_some()
    }

    /// Whether the last one was not confirmed.
    pub(super) const fn is_refused(&self) -> bool {
        self.tries > 0
    }
}

impl<C: VenueCodec, L: WriteAhead> Machine<C, L> {
    pub(super) fn push_cancel(&mut self, now: Nanos, cancel: Cancel) {
        let order = cancel.order;
        if let Some(at) = self.places.iter().position(|(_, waiting)| waiting.id == order) {
            self.places.remove(at);
            return self.unsent(order, Unsent::Down); // it never left: nothing to cancel
        }
        self.drop_amend(order);
        let id = self.ids.find(order).unwrap_or(VenueId::NONE);
        if C::ID_FIRST && id.is_none() {
            return self.report(Report::CancelRefused { order: OrderRef::Id(order) });
        }
        let waits =
            |chore: &Chore| matches!(chore, Chore::Cancel { cancel, .. } if cancel.order == order);
        if self.chores.iter().any(waits) {
            return; // the one that waits says the same
        }
        let not_before = self.cancel_pace.due(now, order);
        self.chores.push_back(Chore::Cancel { cancel, id, tries: 0, not_before });
    }

    pub(super) fn on_cancelled(
        &mut self,
        now: Nanos,
        cancel: Cancel,
        id: VenueId,
        cancelled: Cancelled,
        tries: u8,
    ) {
        match cancelled.report(&cancel) {
            None | Some(Report::TimedOut { .. }) => self.retry_cancel(now, cancel, id, tries),
            Some(report) => self.report(report),
        }
        if let Cancelled::Gone { reduced_by: None } = cancelled {
            self.push_query(now, query_of(&cancel)); // how much was filled?
        }
    }

    pub(super) fn retry_cancel(&mut self, now: Nanos, cancel: Cancel, id: VenueId, tries: u8) {
        if tries + 1 >= TRIES_MAX {
            return self.report(Report::TimedOut { order: cancel.order });
        }
        let not_before = now.after(RETRY_AFTER);
        self.chores.push_back(Chore::Cancel { cancel, id, tries: tries + 1, not_before });
    }

    /// Hands out the next request that is no order.
    pub(super) fn next_chore(&mut self, now: Nanos) -> bool {
        self.tick(now);
        let Some((lane, any)) = self.free_for_chores() else { return false };
        self.request.clear();
        if let Some((job, by)) = self.write_chore(now, any) {
            self.hand_out(lane, job, by);
            return true;
        }
        let own = (any && self.is_cold(now, lane)).then_some(lane);
        let Some(cold) = own.or_else(|| self.cold_order_lane(now, lane)) else { return false };
        self.codec.warm(&mut self.request);
        self.hand_out(cold, Job::Warm, now.after(self.options.chore_wait_max));
        true
    }

    /// A connection for a chore, and whether any chore may take it: one of their own; or, while no order waits, one for
    /// orders if another stays free. The last one for orders is lent only if all of their own are away, and only to
    /// cancels and heartbeats, which must get out over whatever there is: a question that the venue leaves unanswered
    /// would hold it for longer than a hedge waits.
    pub(super) fn free_for_chores(&self) -> Option<(usize, bool)> {
        let free = |role: LaneRole| {
            self.lanes
                .iter()
                .enumerate()
                .filter_map(move |(at, lane)| (lane.role == role && lane.is_free()).then_some(at))
        };
        if let Some(own) = free(LaneRole::Chores).next() {
            return Some((own, true));
        }
        let mut others =
            free(LaneRole::Orders).filter(|_| self.places.is_empty() && self.amends.is_empty());
        let (first, spare) = (others.next(), others.next());
        let mut own = self.lanes.iter().filter(|lane| lane.role == LaneRole::Chores).peekable();
        let away = own.peek().is_some() && own.all(|lane| !lane.open);
        first.map(|first| (first, spare.is_some())).filter(|(_, any)| *any || away)
    }

    /// Writes the chore that goes next, with the time by which its answer must be there. `any`: whether it may be a
    /// question; otherwise a cancel or a heartbeat alone.
    fn write_chore(&mut self, now: Nanos, any: bool) -> Option<(Job, Nanos)> {
        // A heartbeat that is lost must be known while there is still time for the next one.
        let (soon, later) = (self.options.order_wait_max, self.options.chore_wait_max);
        if let Some(every) = self.heartbeat_every()
            && self.heartbeat.is_due(now)
        {
            self.heartbeat.on_sent(now.after(every));
            self.codec.beat(now, &mut self.request);
            return Some((Job::Heartbeat, now.after(soon)));
        }
        let is_out = self.lanes.iter().any(|lane| matches!(lane.job, Some(Job::CancelAll)));
        if self.cancel_all.due.is_some_and(|at| now >= at)
            && !is_out
            && self.codec.admit(now, RequestKind::CancelAll)
        {
            self.cancel_all.due = None; // what is asked for while this one is out is another one
            self.codec.cancel_all(now, &mut self.request);
            self.stats.cancels += 1;
            return Some((Job::CancelAll, now.after(later)));
        }
        if let Some(job) = self.write_from_queue(now, any) {
            return Some((job, now.after(later)));
        }
        if !any || now < self.ask_mode_at() {
            return None;
        }
        self.modes.on_asked(now);
        self.codec.warm(&mut self.request);
        Some((Job::Warm, now.after(later)))
    }

    /// Cancels before questions, each in order; what may not go yet keeps its place. Without `questions`, neither does a
    /// cancel whose order's id must be asked for first.
    fn write_from_queue(&mut self, now: Nanos, questions: bool) -> Option<Job> {
        for cancels in [true, false] {
            let mut refused = 0;
            for at in 0..self.chores.len() {
                let due = match &self.chores[at] {
                    Chore::Cancel { cancel, id, not_before, .. } => {
                        let goes =
                            questions || !id.is_none() || self.ids.find(cancel.order).is_some();
                        cancels && goes && now >= *not_before
                    }
                    Chore::Ask { not_before, .. } => !cancels && questions && now >= *not_before,
                };
                if !due {
                    continue;
                }
                let search;
                let kind = match &self.chores[at] {
                    Chore::Cancel { cancel, id, .. }
                        if id.is_none() && self.ids.find(cancel.order).is_none() =>
                    {
                        search = Inquiry::new(now, query_of(cancel), VenueId::NONE);
                        RequestKind::Ask(&search)
                    }
                    Chore::Cancel { cancel, .. } => RequestKind::Cancel(cancel),
                    Chore::Ask { inquiry, .. } => RequestKind::Ask(inquiry),
                };
                if !self.codec.admit(now, kind) {
                    refused += 1; // another one may be of a shard that has tokens
                    if refused == REFUSED_MAX {
                        break;
                    }
                    continue;
                }
                return match self.chores.remove(at).expect("it was just looked at") {
                    Chore::Cancel { cancel, id, tries, .. } => {
                        Some(self.write_cancel(now, cancel, id, tries))
                    }
                    Chore::Ask { inquiry, .. } => Some(self.write_question(now, inquiry)),
                };
            }
        }
        None
    }

    fn write_cancel(&mut self, now: Nanos, cancel: Cancel, id: VenueId, tries: u8) -> Job {
        let learnt = || self.ids.find(cancel.order);
        if let Some(id) = Some(id).filter(|id| !id.is_none()).or_else(learnt) {
            self.codec.cancel(now, &cancel, &id, &mut self.request);
            self.stats.cancels += 1;
            return Job::Cancel { cancel, id, tries };
        }
        // its id is not known: find it first
        let mut inquiry = Box::new(Inquiry::new(now, query_of(&cancel), VenueId::NONE));
        inquiry.then_cancel = Some(cancel);
        self.write_question(now, inquiry)
    }

    /// When the venue is to be asked what it takes; never where it does not tell.
    fn ask_mode_at(&self) -> Nanos {
        if C::ASKS_MODE { self.modes.ask_at(self.options.mode_every) } else { Nanos::NEVER }
    }

    /// Whether a connection has idled for so long that something is to be sent over it.
    fn is_cold(&self, now: Nanos, lane: usize) -> bool {
        now.since(self.lanes[lane].used) >= self.options.warm_every
    }

    /// One idle connection for orders that is to be kept warm, and only while none of them is busy: another must stay free.
    /// `own`: the connection that a chore could have had now; only where that is one of their own.
    fn cold_order_lane(&self, now: Nanos, own: usize) -> Option<usize> {
        if self.lanes[own].role == LaneRole::Orders {
            return None;
        }
        let orders = |at: &usize| self.lanes[*at].role == LaneRole::Orders;
        let mut lanes = (0..self.lanes.len()).filter(orders);
        if lanes.clone().any(|at| self.lanes[at].job.is_some()) {
            return None;
        }
        lanes.find(|at| self.lanes[*at].open && self.is_cold(now, *at))
    }

    /// When the next chore is due, whatever it is; the past for one that could not go yet.
    pub(super) fn chores_due(&self) -> Nanos {
        let queued = self.chores.iter().map(Chore::not_before);
        let beat = self.heartbeat_every().and_then(|_| self.heartbeat.due());
        let free = self.lanes.iter().filter(|lane| lane.is_free());
        let warm = free.map(|lane| lane.used.after(self.options.warm_every));
        let ask = C::ASKS_MODE.then(|| self.ask_mode_at());
        let due = queued.chain(beat).chain(self.cancel_all.due).chain(warm).chain(ask);
        due.min().unwrap_or(Nanos::NEVER)
    }
}
