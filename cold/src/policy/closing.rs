//! The end: the core is told to stop, what is in flight is waited for, the readings under way are taken in, both venues are
//! read for the report. Where a hot thread is dead or stands still, none of that is waited for.

use std::time::Duration;

use surefoot_hot::event::{Control, Event};

use super::seen::Seen;
use super::wants::{Closing, Ending, Message, Waited, Want};
use super::{Phase, Policy};

/// How long a graceful end waits for orders and groups in flight: longer than an order that the venue does not know is
/// taken to be on its way (30 s).
pub const DRAIN_WITHIN: Duration = Duration::from_secs(40);
/// How long an end waits for readings that were under way before it: one of a venue that hangs lets each request time out after
/// 10 s, and there may be ten of them.
pub const GATHER_WITHIN: Duration = Duration::from_secs(60);
/// How long the venues may take to be read for the report. One that hangs lets each request time out after 10 s, and is asked
/// for its results once and for our account eight times, some 92 s in all: this is for one that answers slowly.
pub const READ_WITHIN: Duration = Duration::from_secs(120);
/// How long a graceful end may take in all.
pub const END_WITHIN: Duration =
    DRAIN_WITHIN.saturating_add(GATHER_WITHIN).saturating_add(READ_WITHIN);
/// After so long an end that still waits says what for: silence makes people end it at once, with orders resting.
const SAID_AFTER: Duration = Duration::from_secs(3);
/// Counters are at most this old.
pub(super) const COUNTERS_LAG: Duration = Duration::from_millis(150);
/// Counters of before the stop do not have the order that left a moment before it: the first ones published after it may be
/// those, the second ones are not.
const PUBLISHED_SINCE: u64 = 2;

/// A step of the end that may take long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wait {
    /// When it began, as time since the run began.
    since: Duration,
    /// Whether it was told that it lasts.
    said: bool,
}

impl Wait {
    const fn begin(now: Duration) -> Self {
        Self { since: now, said: false }
    }

    /// When it must be looked at again although nothing has happened; it may last until `within` has passed.
    pub const fn deadline(self, within: Duration) -> Duration {
        self.since.saturating_add(if self.said { within } else { SAID_AFTER })
    }
}

impl Policy {
    /// The run begins to end.
    pub(super) fn end(&mut self, now: Duration, seen: &Seen, why: Ending) {
        assert!(!self.is_closing(), "a run ends once");
        self.end_resume_for_good();
        self.ending = Some(why);
        self.wants.push_back(Want::Stopping);
        if self.is_without_core(seen) {
            return self.close(Closing::WithoutCore);
        }
        self.wants.push_back(Want::Tell(Event::Control(Control::Stop)));
        let heard = seen.core.heard;
        self.phase = Phase::Draining { heard, wait: Wait::begin(now) };
    }

    /// What the end makes of a look around.
    pub(super) fn go_on_closing(&mut self, now: Duration, seen: &Seen, is_gone: bool) {
        if is_gone && !matches!(self.phase, Phase::Closed) {
            return self.close(Closing::WithoutCore);
        }
        match self.phase {
            Phase::Draining { heard, wait } => self.go_on_draining(now, seen, heard, wait),
            Phase::Gathering { idle, wait } => self.gather(now, idle, wait),
            Phase::ReadingAtEnd { idle, wait } => self.read_at_end(now, seen, idle, wait),
            Phase::Lagging { idle, until } => {
                if now >= until {
                    self.close_at_last(seen, idle);
                }
            }
            Phase::Closed => {}
            Phase::Starting { .. }
            | Phase::Agreeing { .. }
            | Phase::Pausing { .. }
            | Phase::Open => {
                unreachable!("a run that goes on does not close")
            }
        }
    }

    /// Waits until nothing is in flight, or for as long as an end may take.
    fn go_on_draining(&mut self, now: Duration, seen: &Seen, heard: u64, mut wait: Wait) {
        let shows = seen.core.heard >= heard + PUBLISHED_SINCE;
        if shows && seen.core.is_idle() {
            self.gather(now, true, Wait::begin(now));
        } else if now < wait.since.saturating_add(DRAIN_WITHIN) {
            let (orders, groups) = (seen.core.orders_live, seen.core.groups_live);
            self.say_if_long(now, &mut wait, Waited::InFlight { orders, groups });
            self.phase = Phase::Draining { heard, wait };
        } else if self.is_without_core(seen) {
            self.close(Closing::WithoutCore);
        } else {
            self.gather(now, false, Wait::begin(now));
        }
    }

    /// Waits for the readings under way. Where a venue does not answer in time, the report shows what is missing as a difference.
    fn gather(&mut self, now: Duration, idle: bool, mut wait: Wait) {
        let lasts = now >= wait.since.saturating_add(GATHER_WITHIN);
        if self.readings.under_way().is_some() && !lasts {
            self.say_if_long(now, &mut wait, Waited::Reading);
            self.phase = Phase::Gathering { idle, wait };
        } else {
            self.wants.push_back(Want::ReadAtEnd);
            let wait = Wait { since: now, ..wait }; // what lasts is said once
            self.phase = Phase::ReadingAtEnd { idle, wait };
        }
    }

    /// Waits for the readings for the report. A venue that takes too long counts as one that could not be read.
    fn read_at_end(&mut self, now: Duration, seen: &Seen, idle: bool, mut wait: Wait) {
        if now < wait.since.saturating_add(READ_WITHIN) {
            self.say_if_long(now, &mut wait, Waited::Reading);
            self.phase = Phase::ReadingAtEnd { idle, wait };
        } else {
            self.close_at_last(seen, idle);
        }
    }

    fn say_if_long(&mut self, now: Duration, wait: &mut Wait, waited: Waited) {
        if !wait.said && now >= wait.since.saturating_add(SAID_AFTER) {
            wait.said = true;
            self.say(Message::StillStopping(waited));
        }
    }

    fn close(&mut self, how: Closing) {
        let why = self.ending.expect("a run that closes knows why");
        self.phase = Phase::Closed;
        self.wants.push_back(Want::Close { why, how });
    }

    fn close_at_last(&mut self, seen: &Seen, idle: bool) {
        let is_whole = !self.is_without_core(seen);
        self.close(if is_whole { Closing::Whole { idle } } else { Closing::WithoutCore });
    }

    const fn is_without_core(&self, seen: &Seen) -> bool {
        seen.dead.is_some() || self.is_stalled()
    }
}
