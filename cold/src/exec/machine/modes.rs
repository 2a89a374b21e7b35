//! What the venue takes at the moment, shard by shard, as its answers say.
//!
//! A mode ends when the venue says so; where it says nothing of an end, it is tried again after a while that grows, so that a venue
//! that goes on refusing hears of an order now and then and not of a storm.
//!
//! What is sent to see whether it is over may be the second leg of a basket whose first one is held elsewhere by then, and has to be
//! sold at a loss. So after a few refusals without an order taken between, what hedges and reduces alone is tried, for as long as a
//! breaker would be open; then one more that opens something.

use surefoot_hot::units::Nanos;
use surefoot_hot::venue_mode::{MODE_SHARDS, VenueMode, mode_shard};

use crate::exec::codec::ModeSaid;

/// How long after an answer that named a mode the venue is tried again, where it did not say. Doubled for each further one.
const TRY_AFTER: Nanos = Nanos::from_secs(1);
/// The longest such time.
const TRY_AFTER_MAX: Nanos = Nanos::from_secs(32);
/// So many refusals without an order taken between keep what opens something away for longer.
const OPENS_NOT_FROM: u32 = 3;
/// How often that time is doubled at most, as a breaker's is.
const DOUBLINGS_MAX: u32 = 4;
/// How long a mode stands that the venue's own status has named, unless the status names it again.
const STATUS_HOLDS: Nanos = Nanos::from_secs(60);
/// How often a venue that does not take everything is asked what it takes.
const ASK_EVERY: Nanos = Nanos::from_secs(5);

#[derive(Clone, Copy, Debug)]
struct Shard {
    mode: VenueMode,
    /// When the venue says that it takes everything again; zero where it has not said.
    until: Nanos,
    /// What the core was told last.
    told: (VenueMode, Nanos),
    /// Before this the venue is not tried again, whatever its status says.
    not_before: Nanos,
    /// When the mode is over unless it is named again.
    ends: Nanos,
    /// How often a mode was named since an order was last taken.
    named: u32,
    /// Before this nothing is opened there, whatever its mode.
    opens_at: Nanos,
}

/// The modes of one venue.
#[derive(Debug)]
pub(super) struct Modes {
    shards: [Shard; MODE_SHARDS],
    /// When the venue was last asked.
    asked: Nanos,
    /// Whether to ask at once: an answer has named a mode.
    ask_now: bool,
    /// For how long nothing is opened at first where the venue goes on refusing.
    not_opening_for: Nanos,
}

impl Modes {
    /// Everything is taken. A venue that goes on refusing has nothing opened there for so long at first.
    pub(super) const fn new(not_opening_for: Nanos) -> Self {
        let shard = Shard {
            mode: VenueMode::Open,
            until: Nanos::ZERO,
            told: (VenueMode::Open, Nanos::ZERO),
            not_before: Nanos::ZERO,
            ends: Nanos::ZERO,
            named: 0,
            opens_at: Nanos::ZERO,
        };
        let asked = Nanos::ZERO;
        Self { shards: [shard; MODE_SHARDS], asked, ask_now: false, not_opening_for }
    }

    /// Whether an order in this shard is taken.
    pub(super) const fn takes(&self, shard: u8, post_only: bool) -> bool {
        self.shards[mode_shard(shard)].mode.takes(post_only)
    }

    /// An answer says what a shard takes, or what all of them do.
    pub(super) fn on_said(&mut self, now: Nanos, said: &ModeSaid) {
        let only = said.shard.map(mode_shard);
        for (at, shard) in self.shards.iter_mut().enumerate() {
            if only.is_some_and(|only| only != at) {
                continue;
            }
            match (said.mode, said.is_status) {
                (VenueMode::Open, _) => shard.ends = now.max(shard.not_before),
                (_, true) => shard.on_status(now, said),
                (_, false) => {
                    shard.on_refused(now, said, self.not_opening_for);
                    self.ask_now = true;
                }
            }
        }
        self.on_time(now);
    }

    /// The venue has taken an order that could trade at once: it takes everything.
    pub(super) fn on_taken(&mut self, shard: u8) {
        let shard = &mut self.shards[mode_shard(shard)];
        (shard.mode, shard.until, shard.named) = (VenueMode::Open, Nanos::ZERO, 0);
        shard.opens_at = Nanos::ZERO;
    }

    /// Before this nothing is to be opened at the venue, though it may take everything by now: it has refused again and again.
    pub(super) fn opens_at(&self) -> Nanos {
        self.shards.iter().map(|shard| shard.opens_at).max().unwrap_or(Nanos::ZERO)
    }

    /// What is over by time is over.
    pub(super) fn on_time(&mut self, now: Nanos) {
        for shard in &mut self.shards {
            if shard.mode != VenueMode::Open && now >= shard.ends {
                (shard.mode, shard.until) = (VenueMode::Open, Nanos::ZERO);
            }
        }
    }

    /// The next shard of which the core has not heard what it takes, and until when.
    pub(super) fn poll_news(&mut self) -> Option<(u8, VenueMode, Nanos)> {
        let (at, shard) = (0..)
            .zip(&mut self.shards)
            .find(|(_, shard)| shard.told != (shard.mode, shard.until))?;
        shard.told = (shard.mode, shard.until);
        Some((at, shard.mode, shard.until))
    }

    /// When the first mode is over by time.
    pub(super) fn deadline(&self) -> Nanos {
        let left = self.shards.iter().filter(|shard| shard.mode != VenueMode::Open);
        left.map(|shard| shard.ends).min().unwrap_or(Nanos::NEVER)
    }

    /// When the venue is to be asked what it takes, where it is asked every so often.
    pub(super) fn ask_at(&self, every: Nanos) -> Nanos {
        if self.ask_now {
            return Nanos::ZERO;
        }
        let is_open = self.shards.iter().all(|shard| shard.mode == VenueMode::Open);
        self.asked.after(if is_open { every } else { every.min(ASK_EVERY) })
    }

    /// The venue is being asked.
    pub(super) const fn on_asked(&mut self, now: Nanos) {
        (self.asked, self.ask_now) = (now, false);
    }
}

impl Shard {
    /// The venue's own status names a mode.
    fn on_status(&mut self, now: Nanos, said: &ModeSaid) {
        (self.mode, self.until) = (said.mode, said.until);
        self.ends = self.not_before.max(now.after(STATUS_HOLDS));
    }

    /// An order, or another request, was answered with a mode.
    fn on_refused(&mut self, now: Nanos, said: &ModeSaid, not_opening_for: Nanos) {
        // Several that were under way together are one refusal.
        self.named += u32::from(self.mode == VenueMode::Open);
        // No time at all says nothing of an end.
        let lasts = said.lasts.filter(|lasts| *lasts > Nanos::ZERO);
        let pause = TRY_AFTER.doubled(self.named.saturating_sub(1), TRY_AFTER_MAX);
        self.not_before = now.after(lasts.unwrap_or(pause));
        let again = self.named.checked_sub(OPENS_NOT_FROM).filter(|_| lasts.is_none());
        self.opens_at = again.map_or(Nanos::ZERO, |again| {
            now.after(not_opening_for.doubled(again.min(DOUBLINGS_MAX), Nanos::NEVER))
        });
        self.ends = match self.mode {
            VenueMode::Open => self.not_before,
            _ if lasts.is_some() => self.not_before,
            VenueMode::PostOnly
            | VenueMode::CancelOnly
            | VenueMode::Restarting
            | VenueMode::Shut => self.ends.max(self.not_before),
        };
        let until = lasts.map_or(said.until, |lasts| now.after(lasts));
        // What the status has said of an end stands beside an answer that says nothing of it.
        if self.mode != said.mode || until != Nanos::ZERO {
            self.until = until;
        }
        self.mode = said.mode;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Nanos = Nanos::from_secs(1_795_000_000);
    const SECOND: Nanos = Nanos::from_secs(1);
    const MINUTE: Nanos = Nanos::from_secs(60);

    fn said(shard: Option<u8>, mode: VenueMode, lasts: Option<u64>) -> ModeSaid {
        let lasts = lasts.map(Nanos::from_secs);
        ModeSaid { shard, mode, lasts, until: Nanos::ZERO, is_status: false }
    }

    fn status(shard: Option<u8>, mode: VenueMode) -> ModeSaid {
        ModeSaid { is_status: true, ..said(shard, mode, None) }
    }

    #[test]
    fn a_refusal_without_an_end_is_tried_again_later_and_later() {
        let (mut modes, mut now) = (Modes::new(MINUTE), START);
        for wait in [1, 2, 4, 8, 16, 32, 32] {
            let news = said(None, VenueMode::Restarting, None);
            modes.on_said(now, &news);
            modes.on_said(now, &news); // another order that was under way
            assert!(!modes.takes(0, true) && !modes.takes(7, false));
            assert_eq!(modes.deadline().since(now), Nanos::from_secs(wait));
            now = modes.deadline();
            modes.on_time(Nanos::new(now.get() - 1));
            assert!(!modes.takes(0, true), "{wait} s");
            modes.on_time(now);
            assert!(modes.takes(0, false), "{wait} s");
        }
        modes.on_taken(0);
        modes.on_said(now, &said(Some(0), VenueMode::Restarting, None));
        assert_eq!(modes.deadline().since(now), SECOND, "an order was taken between");
    }

    #[test]
    fn what_opens_something_is_kept_away_for_longer_where_refusals_go_on() {
        let (mut modes, mut now) = (Modes::new(MINUTE), START);
        for minutes in [0, 0, 1, 2, 4, 8, 16, 16] {
            modes.on_said(now, &said(None, VenueMode::CancelOnly, None));
            let until =
                if minutes == 0 { Nanos::ZERO } else { now.after(Nanos::from_secs(60 * minutes)) };
            assert_eq!(modes.opens_at(), until, "{minutes} min");
            now = modes.deadline();
            modes.on_time(now);
            assert!(modes.takes(0, false), "what reduces is tried sooner");
        }
        modes.on_said(now, &said(None, VenueMode::PostOnly, Some(90)));
        assert_eq!(modes.opens_at(), Nanos::ZERO, "it has said when it is over");
        modes.on_said(now, &said(None, VenueMode::PostOnly, Some(0)));
        assert!(modes.opens_at() > now && !modes.takes(0, false), "in no time it is not over");
        for shard in 0..MODE_SHARDS {
            modes.on_taken(u8::try_from(shard).unwrap());
        }
        assert_eq!(modes.opens_at(), Nanos::ZERO, "an order was taken");
    }

    #[test]
    fn what_the_venue_says_of_the_end_counts_for_its_shard_alone() {
        let mut modes = Modes::new(MINUTE);
        modes.on_said(START, &said(Some(2), VenueMode::PostOnly, Some(79)));
        assert!(modes.takes(2, true) && !modes.takes(2, false) && modes.takes(0, false));
        let end = START.after(Nanos::from_secs(79));
        assert_eq!(modes.poll_news(), Some((2, VenueMode::PostOnly, end)));
        assert_eq!(modes.poll_news(), None, "once");
        modes.on_time(end);
        assert_eq!(modes.poll_news(), Some((2, VenueMode::Open, Nanos::ZERO)));
    }

    #[test]
    fn a_status_holds_while_it_is_repeated_and_does_not_outrun_a_refusal() {
        let mut modes = Modes::new(MINUTE);
        let resumes = START.after(Nanos::from_secs(7_200));
        modes.on_said(START, &ModeSaid { until: resumes, ..status(None, VenueMode::CancelOnly) });
        modes.on_said(START, &said(Some(0), VenueMode::CancelOnly, None));
        assert_eq!(modes.poll_news(), Some((0, VenueMode::CancelOnly, resumes)), "the end stands");
        let mut now = START;
        for _ in 0..10 {
            now = now.after(Nanos::from_secs(50));
            modes.on_said(now, &status(None, VenueMode::CancelOnly));
            assert!(!modes.takes(0, false));
        }
        modes.on_said(now, &status(None, VenueMode::Open));
        assert!(modes.takes(0, false) && modes.takes(3, false), "at once");
        // The venue goes on refusing although its status is well.
        modes.on_said(now, &said(Some(0), VenueMode::CancelOnly, None));
        modes.on_said(now, &status(None, VenueMode::Open));
        assert!(!modes.takes(0, false));
        let wait = modes.deadline().since(now);
        assert!(wait >= SECOND && wait <= TRY_AFTER_MAX, "{wait:?}");
        // A status that nobody repeats is not believed for ever.
        modes.on_said(now, &status(Some(3), VenueMode::Shut));
        modes.on_time(now.after(STATUS_HOLDS));
        assert!(modes.takes(3, false));
    }

    #[test]
    fn a_venue_is_asked_at_once_after_a_refusal_and_more_often_until_it_is_over() {
        let (mut modes, every) = (Modes::new(MINUTE), Nanos::from_secs(12));
        modes.on_asked(START);
        assert_eq!(modes.ask_at(every), START.after(every));
        modes.on_said(START, &said(Some(1), VenueMode::CancelOnly, None));
        assert_eq!(modes.ask_at(every), Nanos::ZERO);
        modes.on_asked(START);
        assert_eq!(modes.ask_at(every), START.after(ASK_EVERY));
        modes.on_said(START, &status(Some(1), VenueMode::CancelOnly));
        assert_eq!(modes.ask_at(every), START.after(ASK_EVERY), "a status asks for none");
        modes.on_taken(1);
        assert_eq!(modes.ask_at(every), START.after(every));
    }
}
