//! One attempt to agree with both venues: they are read until the core finds both readings within the range of its own
//! figures. Orders may rest and fill meanwhile; the core believes a difference only once it has seen the same one twice.

use std::time::Duration;

use surefoot_hot::ids::Venue;
use surefoot_hot::units::Nanos;

use super::readings::Readings;
use super::seen::Seen;
use super::wants::{ReadResult, Unagreed};

/// How often the venues are read at most until the core agrees.
const TRIES_MAX: u32 = 20;
/// How long the venues are waited for, whatever hangs.
pub(super) const AGREE_WITHIN: Duration = Duration::from_secs(45);
/// How long the core may take to show that it has compared, before the venues are read again.
const CORE_SHOWS_WITHIN: Duration = Duration::from_secs(2);

/// A reading of both venues that was asked for at the same moment.
#[derive(Clone, Copy, Debug)]
struct Round {
    /// When it was asked for, on the core's clock: a reading that began before it was not asked for, however late the core
    /// compares it.
    since: Nanos,
    /// When the core had been told of both, as time since the run began.
    told: Option<Duration>,
}

/// An attempt to agree with both venues.
#[derive(Clone, Copy, Debug)]
pub(super) struct Agreement {
    /// It fails at this time, counted from the beginning of the run.
    by: Duration,
    tries: u32,
    round: Option<Round>,
    /// A reading of the round that ended without the venue's whole word.
    unread: Option<Venue>,
}

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Wait,
    /// Both venues are to be read.
    Read,
    Agreed,
    Failed(Unagreed),
}

impl Agreement {
    /// An attempt that begins now and fails at `by`, as time since the run began.
    pub const fn until(by: Duration) -> Self {
        Self { by, tries: 0, round: None, unread: None }
    }

    /// A reading has ended. One that was under way before the first round does not matter, however it ended.
    pub fn on_read(&mut self, venue: Venue, result: ReadResult) {
        if self.round.is_some() && result != ReadResult::Whole {
            self.unread.get_or_insert(venue);
        }
    }

    /// What is to be done at this look.
    pub fn look(&mut self, now: Duration, seen: &Seen, readings: &Readings) -> Step {
        if let Some(venue) = self.unread {
            return Step::Failed(Unagreed::Unread(venue));
        }
        let under_way = readings.under_way();
        if now >= self.by {
            return Step::Failed(under_way.map_or(Unagreed::Differs, Unagreed::NoAnswer));
        }
        if under_way.is_some() {
            return Step::Wait;
        }
        if let Some(round) = &mut self.round {
            let told = *round.told.get_or_insert(now);
            let compared = seen.core.compared_since.values().all(|since| *since >= round.since);
            if compared && seen.core.agreed {
                return Step::Agreed;
            }
            if !compared && now.saturating_sub(told) < CORE_SHOWS_WITHIN {
                return Step::Wait;
            }
        }
        if let Some(venue) = readings.lost() {
            return Step::Failed(Unagreed::Unread(venue));
        }
        if self.tries == TRIES_MAX {
            return Step::Failed(Unagreed::Differs);
        }
        self.tries += 1;
        self.round = Some(Round { since: seen.core_now, told: None });
        Step::Read
    }

    /// When it must be looked at again although nothing has happened.
    pub fn deadline(&self) -> Duration {
        let goes_on = match self.round {
            None | Some(Round { told: None, .. }) => Duration::MAX,
            Some(Round { told: Some(told), .. }) => told.saturating_add(CORE_SHOWS_WITHIN),
        };
        self.by.min(goes_on)
    }
}
