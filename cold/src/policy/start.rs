//! The start: streams come up, the venues say what became of orders of an earlier run, and both are agreed with. Orders that
//! rest go on resting meanwhile: the core keeps those whose purpose is to rest and cancels the others.

use std::time::Duration;

use surefoot_hot::core::ASKED_SINGLY_MAX;
use surefoot_hot::ids::Venue;

use super::agreement::{AGREE_WITHIN, Agreement, Step};
use super::seen::Seen;
use super::wants::{Ending, Message, Want};
use super::{Phase, Policy};

/// How long streams may take to come up, and orders of an unknown fate to be accounted for, before it is told.
const UP_WITHIN: Duration = Duration::from_secs(20);
/// With more orders of an unknown fate than this the venues' lists are read: the core waits for them where so many may rest.
const LISTED_FROM: u64 = ASKED_SINGLY_MAX as u64;
/// How often a start tries to agree with the venues.
pub const START_TRIES: u32 = 3;
/// The pause after a start's first failure to agree; each further one is longer by as much.
const PAUSE: Duration = Duration::from_secs(1);

/// When a start that waits must be looked at again although nothing has happened.
pub(super) const fn deadline(said: bool) -> Duration {
    if said { Duration::MAX } else { UP_WITHIN }
}

impl Policy {
    /// Waits for streams and for the venues' word on orders of an earlier run. Of many orders the venues' lists say what rests: both are
    /// read for that, once.
    pub(super) fn go_on_starting(&mut self, now: Duration, seen: &Seen, said: bool, listed: bool) {
        if seen.streams_up && seen.core.orders_unknown == 0 {
            return self.begin_to_agree(now, seen, 0);
        }
        // A resume that was given up may have left a reading under way.
        let is_free = self.readings.under_way().is_none() && self.readings.lost().is_none();
        let lists = seen.streams_up && !listed && is_free && seen.core.orders_unknown > LISTED_FROM;
        if lists {
            for venue in Venue::ALL {
                self.read(now, venue);
            }
        }
        let late = now >= UP_WITHIN && !said;
        self.phase = Phase::Starting { said: said || late, listed: listed || lists };
        if late {
            self.say(Message::StillWaiting { for_streams: !seen.streams_up });
        }
    }

    fn begin_to_agree(&mut self, now: Duration, seen: &Seen, failed: u32) {
        let agreement = Agreement::until(now.saturating_add(AGREE_WITHIN));
        self.go_on_agreeing(now, seen, failed, agreement);
    }

    /// Agrees with both venues for the first time, and opens.
    pub(super) fn go_on_agreeing(
        &mut self,
        now: Duration,
        seen: &Seen,
        failed: u32,
        mut agreement: Agreement,
    ) {
        self.phase = match self.step_of(now, seen, &mut agreement) {
            Step::Wait | Step::Read => Phase::Agreeing { failed, agreement },
            Step::Agreed => {
                self.opened = true;
                self.wants.push_back(Want::Opened);
                Phase::Open
            }
            Step::Failed(why) => {
                let failed = failed + 1;
                self.say(Message::NotAgreed { failed, why });
                Phase::Pausing { failed, until: now.saturating_add(PAUSE * failed) }
            }
        };
    }

    /// Tries again once the pause is over, or gives up.
    pub(super) fn go_on_pausing(
        &mut self,
        now: Duration,
        seen: &Seen,
        failed: u32,
        until: Duration,
    ) {
        if now < until {
            return;
        }
        if failed < START_TRIES {
            self.begin_to_agree(now, seen, failed);
        } else {
            self.say(Message::NothingOpened);
            self.end(now, seen, Ending::NotAgreed);
        }
    }
}
