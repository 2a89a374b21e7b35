//! Reports under a venue's name that no order of ours has: of an order whose name is still to come, or of none of
//! ours.

use super::Core;
use super::orders::Orders;
use crate::bounds::{FOREIGN_MAX, ORPHANS_MAX, STRAYS_TOLD_MAX};
use crate::ids::{MarketId, OrderId, OrderRef, VenueKey};
use crate::note::Alarm;
use crate::outbox::Outbox;
use crate::pack::pack_fields;
use crate::report::{Fill, OrderStatus, Report};
use crate::state::state_fields;
use crate::units::Nanos;

use std::collections::VecDeque;

/// How long a report waits to be claimed before it is taken for another's. Polymarket's names are known before the
/// order leaves; Kalshi's comes with the answer, which is waited for 2 s, or with that to a query, sent once a
/// second from then on: room for several to be lost.
const CLAIM_WAIT: Nanos = Nanos::from_secs(10);
/// The same while an order of ours is live that it may be about and whose name nobody has said: a start takes such orders from the wire
/// log, and a venue may leave questions about them unanswered for a minute.
const OWNER_WAIT: Nanos = Nanos::from_secs(120);
/// The most alarms about orders that are not ours within one [`ALARMS_SPAN`]. Further ones are only counted.
const ALARMS_MAX: u32 = 16;
/// The time that [`ALARMS_MAX`] is counted over.
const ALARMS_SPAN: Nanos = Nanos::from_secs(60);

/// A report that waits for its order's name.
#[derive(Clone, Copy, Debug)]
struct Orphan {
    since: Nanos,
    report: Report,
    /// Whether it may be about an order of ours whose venue name was not known when it came.
    expects_owner: bool,
    /// Whether it has been counted as another's. It is kept while there is room: a name may come very late.
    given_up: bool,
}

/// Those that wait, in the order in which they came, and what was told of the others.
#[derive(Debug)]
pub(super) struct Orphans {
    waiting: VecDeque<Orphan>,
    /// Orders that an alarm has named, the oldest first.
    told: VecDeque<(OrderRef, Alarm)>,
    /// Open orders, not ours, that a reading has named, the oldest first.
    named: VecDeque<VenueKey>,
    /// Orders of ours that had ended when a reading listed them as resting, the oldest first, and when that reading began.
    risen: VecDeque<(OrderId, Nanos)>,
    span_began: Nanos,
    alarms: u32,
}

pack_fields! {
    Orphan { since, report, expects_owner, given_up }
}

state_fields! {
    Orphans {
        waiting: list(ORPHANS_MAX), told: list(STRAYS_TOLD_MAX), named: list(FOREIGN_MAX), risen: list(FOREIGN_MAX),
        span_began: value, alarms: value,
    }
}

impl Orphans {
    pub fn new() -> Self {
        Self {
            waiting: VecDeque::with_capacity(ORPHANS_MAX),
            told: VecDeque::with_capacity(STRAYS_TOLD_MAX),
            named: VecDeque::with_capacity(FOREIGN_MAX),
            risen: VecDeque::with_capacity(FOREIGN_MAX),
            span_began: Nanos::ZERO,
            alarms: 0,
        }
    }

    /// The position of the report that matters least: one that was given up, else one that none of our orders can explain,
    /// else the oldest.
    fn least(&self) -> usize {
        let worth = |orphan: &Orphan| match (orphan.given_up, orphan.expects_owner) {
            (true, _) => 0,
            (false, false) => 1,
            (false, true) => 2,
        };
        let all = self.waiting.iter().enumerate();
        all.min_by_key(|(at, orphan)| (worth(orphan), *at)).map_or(0, |(at, _)| at)
    }

    /// Keeps a report until its order's name is known. Returns one that had to go for it and was not given up before: the
    /// one that matters least, where there was no room.
    fn keep(&mut self, now: Nanos, report: &Report, expects_owner: bool) -> Option<Report> {
        let mut gone = None;
        if self.waiting.len() == ORPHANS_MAX {
            let least = self.waiting.remove(self.least()).expect("it was just found");
            gone = (!least.given_up).then_some(least.report);
        }
        self.waiting.push_back(Orphan {
            since: now,
            report: *report,
            expects_owner,
            given_up: false,
        });
        gone
    }

    /// Whether the very same report is kept already.
    fn keeps(&self, report: &Report) -> bool {
        self.waiting.iter().any(|orphan| orphan.report == *report)
    }

    /// Hands over the next report under a name, from position `at` on, which moves to where the search goes on.
    fn poll_claimed(&mut self, name: OrderRef, at: &mut usize) -> Option<Report> {
        while let Some(orphan) = self.waiting.get(*at) {
            if subject(&orphan.report) == Some(name) {
                return self.waiting.remove(*at).map(|orphan| orphan.report);
            }
            *at += 1;
        }
        None
    }

    /// Gives up the next report that nobody claimed in time, from position `at` on, and hands it over. It is kept still. One that an
    /// order of ours may yet claim, by what `has_owner` says, has more time.
    fn poll_unclaimed(
        &mut self,
        now: Nanos,
        at: &mut usize,
        has_owner: impl Fn(&Report) -> bool,
    ) -> Option<Report> {
        // They stand in the order in which they came.
        while let Some(orphan) = self.waiting.get_mut(*at) {
            let waited = now.since(orphan.since);
            if waited < CLAIM_WAIT {
                return None;
            }
            *at += 1;
            let is_due =
                waited >= OWNER_WAIT || !orphan.expects_owner || !has_owner(&orphan.report);
            if !orphan.given_up && is_due {
                orphan.given_up = true;
                return Some(orphan.report);
            }
        }
        None
    }

    /// A reading names an open order that is not ours. Returns whether an alarm is due about it: neither a reading nor the
    /// order's own stream has told of it before.
    pub fn name(&mut self, key: VenueKey) -> bool {
        if self.named.contains(&key) {
            return false;
        }
        if self.named.len() == FOREIGN_MAX {
            self.named.pop_front();
        }
        self.named.push_back(key);
        !self.has_told(OrderRef::Key(key), Alarm::ForeignOrder)
    }

    /// A reading that began at `since` lists an order of ours as resting that had ended. Returns whether an earlier one did so too.
    pub fn rises(&mut self, order: OrderId, since: Nanos) -> bool {
        if let Some(&(_, first)) = self.risen.iter().find(|(risen, _)| *risen == order) {
            return since > first;
        }
        if self.risen.len() == FOREIGN_MAX {
            self.risen.pop_front();
        }
        self.risen.push_back((order, since));
        false
    }

    /// Whether a reading has named an order as open and not ours.
    fn has_named(&self, order: OrderRef) -> bool {
        matches!(order, OrderRef::Key(key) if self.named.contains(&key))
    }

    /// Whether an alarm has named an order.
    fn has_told(&self, order: OrderRef, what: Alarm) -> bool {
        self.told.contains(&(order, what))
    }

    /// Whether an alarm is due about an order: once each, and never a storm of them.
    fn may_tell(&mut self, now: Nanos, order: OrderRef, what: Alarm) -> bool {
        if self.has_told(order, what) {
            return false;
        }
        if now.since(self.span_began) >= ALARMS_SPAN {
            (self.span_began, self.alarms) = (now, 0);
        }
        if self.alarms == ALARMS_MAX {
            return false;
        }
        self.alarms += 1;
        if self.told.len() == STRAYS_TOLD_MAX {
            self.told.pop_front();
        }
        self.told.push_back((order, what));
        true
    }
}

impl Core {
    /// Keeps a report until its order's name is known; where there is no room, what is missed least goes.
    pub(super) fn keep_orphan(&mut self, now: Nanos, report: &Report, out: &mut Outbox) {
        if self.orphans.keeps(report) {
            return; // told twice
        }
        let expects_owner = may_be_ours(&self.orders, report);
        if let Some(gone) = self.orphans.keep(now, report, expects_owner) {
            self.stray(now, &gone, out);
        }
    }

    /// An order's name is known: whatever was told under it is heard now, in the order in which it came.
    pub(super) fn claim_orphans(&mut self, now: Nanos, name: OrderRef, out: &mut Outbox) {
        if self.orders.find(name).is_none() {
            return; // a name for an order that is forgotten
        }
        let mut at = 0;
        while let Some(report) = self.orphans.poll_claimed(name, &mut at) {
            self.on_report(now, &report, out);
        }
    }

    /// A report that no order of ours claims in time belongs to somebody else's order.
    pub(super) fn give_up_orphans(&mut self, now: Nanos, out: &mut Outbox) {
        let mut at = 0;
        loop {
            let Self { orphans, orders, .. } = self;
            let has_owner = |report: &Report| may_be_ours(orders, report);
            let Some(report) = orphans.poll_unclaimed(now, &mut at, has_owner) else { return };
            self.stray(now, &report, out);
        }
    }

    /// A report of an order that is none of ours: somebody else uses the account, or we have lost an order.
    pub(super) fn stray(&mut self, now: Nanos, report: &Report, out: &mut Outbox) {
        self.stats.strays += 1;
        let Some(order) = subject(report) else { return };
        let (what, market): (_, Option<MarketId>) = match report {
            Report::Fill(fill) => (Alarm::ForeignFill, Some(fill.market)),
            Report::Bound { .. }
            | Report::Unsent { .. }
            | Report::Rejected { .. }
            | Report::TimedOut { .. }
            | Report::Status(_)
            | Report::Finality { .. }
            | Report::CancelRefused { .. }
            | Report::Absent { .. }
            | Report::Terms { .. }
            | Report::AmendRefused { .. } => (Alarm::ForeignOrder, None),
        };
        // A resting one that reconciliation has named is not told again.
        let named = what == Alarm::ForeignOrder && self.orphans.has_named(order);
        if !named && self.orphans.may_tell(now, order, what) {
            self.alarm(what, market, None, out);
        }
    }
}

/// Whether a report may be about a live order of ours whose venue name is not known yet.
fn may_be_ours(orders: &Orders, report: &Report) -> bool {
    let mut nameless = orders.live().filter(|record| record.key.is_none());
    match report {
        Report::Fill(fill) => nameless.any(|record| {
            record.order.market == fill.market && record.order.on_book().0 == fill.side
        }),
        Report::Bound { .. }
        | Report::Unsent { .. }
        | Report::Rejected { .. }
        | Report::TimedOut { .. }
        | Report::Status(_)
        | Report::Finality { .. }
        | Report::CancelRefused { .. }
        | Report::Absent { .. }
        | Report::Terms { .. }
        | Report::AmendRefused { .. } => nameless.next().is_some(),
    }
}

/// The order that a report speaks of, where it can go by the venue's name.
const fn subject(report: &Report) -> Option<OrderRef> {
    match *report {
        Report::Status(OrderStatus { order, .. })
        | Report::Fill(Fill { order, .. })
        | Report::Rejected { order, .. }
        | Report::CancelRefused { order }
        | Report::Terms { order, .. }
        | Report::AmendRefused { order } => Some(order),
        Report::Bound { .. }
        | Report::Unsent { .. }
        | Report::TimedOut { .. }
        | Report::Finality { .. }
        | Report::Absent { .. } => None,
    }
}
