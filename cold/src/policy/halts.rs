//! Halting: at once by the epoch, which every executor reads before it writes, then in the core, then on the disk. Whatever
//! fails of the later ones, the earlier ones hold.

use std::collections::VecDeque;
use std::time::Duration;

use surefoot_hot::event::{Control, Event};
use surefoot_hot::risk::HaltWhy;

use super::Policy;
use super::seen::Seen;
use super::wants::{HaltCause, Message, Want};

/// A hot thread that still stands so long after the halt for it is given up: the venues are told without it.
pub const GIVE_UP_AFTER: Duration = Duration::from_secs(8);

/// What the policy knows of halts.
#[derive(Debug)]
pub(super) struct Halts {
    /// The epoch as this policy left it: one beyond it was moved by a hot thread.
    epoch: u64,
    /// Whether a halt is kept over restarts, or is about to be.
    latched: bool,
    /// What the epoch is to be moved for, in order; `None` is a resume.
    advances: VecDeque<Option<HaltCause>>,
    /// Whether the shell was handed the want to move it, and has not done so yet.
    handed_out: bool,
    /// Since when a hot thread stands still, as time since the run began.
    stalled: Option<Duration>,
    /// Whether the halt for a thread that is dead was latched.
    dead_latched: bool,
}

impl Halts {
    pub const fn new(epoch: u64, latched: bool) -> Self {
        Self {
            epoch,
            latched,
            advances: VecDeque::new(),
            handed_out: false,
            stalled: None,
            dead_latched: false,
        }
    }

    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    pub const fn is_latched(&self) -> bool {
        self.latched
    }

    pub const fn is_stalled(&self) -> bool {
        self.stalled.is_some()
    }

    /// Whether the epoch is to be moved and was not yet.
    pub fn is_advancing(&self) -> bool {
        !self.advances.is_empty()
    }

    pub const fn is_handed_out(&self) -> bool {
        self.handed_out
    }

    pub fn hand_out(&mut self) {
        assert!(self.is_advancing() && !self.handed_out, "moved for something, once");
        self.handed_out = true;
    }

    /// The latch is gone: somebody resumes.
    pub const fn unlatch(&mut self) {
        self.latched = false;
    }

    /// The epoch is to be moved for a resume.
    pub fn advance_for_resume(&mut self) {
        assert!(self.advances.is_empty(), "nothing is lifted while a halt is under way");
        self.advances.push_back(None);
    }

    /// What the epoch was moved for; `None` is a resume.
    pub fn on_advanced(&mut self, epoch: u64) -> Option<HaltCause> {
        assert!(self.handed_out, "the epoch is moved when it is wanted");
        assert!(epoch > self.epoch, "O13: the epoch only grows");
        self.handed_out = false;
        self.epoch = epoch;
        self.advances.pop_front().expect("it was moved for something")
    }

    /// When a thread that stands still is given up.
    pub fn deadline(&self) -> Duration {
        self.stalled.map_or(Duration::MAX, |since| since.saturating_add(GIVE_UP_AFTER))
    }
}

impl Policy {
    /// Halts: the epoch is wanted first, the rest follows when it has moved.
    pub(super) fn halt(&mut self, cause: HaltCause) {
        assert!(cause.why().is_some(), "the core is told why");
        self.halts.latched = true;
        self.halts.advances.push_back(Some(cause));
        self.wants.push_back(Want::Advance);
    }

    /// The epoch has moved: the core is told, then the halt is kept, then whoever asked for it hears so.
    pub(super) fn halt_further(&mut self, epoch: u64, cause: HaltCause) {
        let why = cause.why().expect("the core is told why");
        // What follows goes ahead of what else is wanted: a halt is one act.
        let mut rest = std::mem::take(&mut self.wants);
        self.tell_halt(epoch, why);
        self.wants.push_back(Want::Latch(cause));
        if let HaltCause::Asked { request, .. } = cause {
            self.answer(request, Ok(()));
        }
        self.wants.append(&mut rest);
    }

    fn tell_halt(&mut self, epoch: u64, why: HaltWhy) {
        self.wants.push_back(Want::Tell(Event::Control(Control::Halt { epoch, why })));
    }

    /// A halt that the core knows of already, or can not be told: only the latch is missing.
    fn latch(&mut self, cause: HaltCause) {
        assert!(cause.why().is_none(), "the core is told of any other");
        self.halts.latched = true;
        self.wants.push_back(Want::Latch(cause));
    }

    /// Health, as far as it halts. Whether the core is gone: dead, or given up.
    pub(super) fn look_at_halts(&mut self, now: Duration, seen: &Seen) -> bool {
        if let Some(name) = seen.dead {
            if !self.halts.dead_latched {
                self.halts.dead_latched = true;
                self.latch(HaltCause::ThreadDead(name));
            }
            return true;
        }
        if seen.journal_failed && !self.halts.latched {
            self.say(Message::JournalFailed);
            self.halt(HaltCause::JournalFailed);
        }
        self.look_at_epoch(seen);
        let Some(name) = seen.still else {
            self.halts.stalled = None;
            return false;
        };
        if self.halts.stalled.is_none() {
            self.wants.push_back(Want::CancelWithoutCore);
        }
        let since = *self.halts.stalled.get_or_insert(now);
        if !self.halts.latched {
            self.halt(HaltCause::ThreadStill(name));
        }
        // One that wakes hears of the halt and cancels by itself. One that does not is not waited for.
        now.saturating_sub(since) >= GIVE_UP_AFTER
    }

    /// Whether somebody else has moved the epoch.
    fn look_at_epoch(&mut self, seen: &Seen) {
        if self.halts.is_advancing() || seen.epoch <= self.halts.epoch {
            return; // it is about to be moved beyond what was seen, or stands where it was left
        }
        if seen.epoch_is_cores {
            // Nothing was lost: the core has halted by itself, and its counters say why within a moment.
            self.halts.epoch = seen.epoch;
        } else if self.halts.latched {
            // A hot thread voided what it could not hand on. Halted already, the core must still hear of the epoch: one that
            // decides under an older one sells and hedges nothing any more.
            self.halts.epoch = seen.epoch;
            self.tell_halt(seen.epoch, HaltWhy::RingFull);
        } else {
            self.halt(HaltCause::EpochMoved);
        }
    }

    /// Whether the core has tripped a limit by itself: the latch makes that survive a restart. Before the run is open the
    /// core may still be halted as the journal left it; and while a resume waits to be seen, the counters are of before it.
    pub(super) fn look_at_trip(&mut self, seen: &Seen) {
        let counts = self.opened && !self.is_lifting();
        if counts && seen.core.halted.is_some() && !self.halts.latched {
            self.latch(HaltCause::CoreTripped);
        }
    }
}
