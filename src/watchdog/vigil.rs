//! When a watchdog acts: a value, told what the run said and what time it is.
//!
//! Two clocks, because a machine that was suspended must not look like a run that stood still: the clock that runs on stands still
//! with a suspended machine or jumps with a suspended guest, the wall clock always jumps. Where either shows that this process itself
//! was not there, the run is given its time anew.

use std::time::Duration;

use super::words::Word;

/// How long a run may say nothing before everything is cancelled. As [`surefoot_cold::exec::CORE_STILL_MAX`].
pub const STILL_MAX: Duration = Duration::from_secs(2);
/// How long it may take to end, from the moment that nothing was in flight any more.
const CLOSING_MAX: Duration = Duration::from_secs(60);
/// A look that comes so late proves nothing: this process stood still itself, or a clock was set.
const LATE: Duration = Duration::from_millis(500);

/// Why everything is cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The run lives, and has not moved for two seconds.
    Stalled,
    /// Its process is gone, and it did not end in order.
    Died,
}

impl Cause {
    /// The word in the file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stalled => "stalled",
            Self::Died => "died",
        }
    }

    /// What the run did, for a person.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Stalled => "has not moved for 2 s",
            Self::Died => "is gone and did not end in order",
        }
    }
}

/// What time it is, by both clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// On the clock that runs on and is never set.
    pub ran: Duration,
    /// On the wall, since 1970.
    pub wall: Duration,
}

impl Moment {
    /// Whether whoever looked `before` and now was away in between.
    fn is_late_behind(self, before: Self) -> bool {
        let ran = self.ran.saturating_sub(before.ran);
        let wall = self.wall.saturating_sub(before.wall);
        let set_back = before.wall.saturating_sub(self.wall);
        ran > LATE || wall.abs_diff(ran) > LATE || set_back > LATE
    }
}

/// What the run was last known to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// It has not begun: nothing of it can rest.
    #[default]
    Waiting,
    /// Its core turns.
    Turning,
    /// It stands still, and that was acted on.
    Still,
    /// The run has begun to end: it closes files, and may stand still for `CLOSING_MAX`.
    Closing,
    /// It has ended in order.
    Ended,
}

/// See the head of this file.
#[derive(Debug, Default)]
pub(super) struct Vigil {
    phase: Phase,
    /// When it was last known to move.
    moved: Duration,
    looked: Option<Moment>,
}

impl Vigil {
    /// The run said something.
    pub fn on_word(&mut self, now: Moment, word: Word) {
        self.moved = now.ran;
        self.phase = match (self.phase, word) {
            (Phase::Ended, _) | (_, Word::Ended) => Phase::Ended,
            (Phase::Closing, Word::Beat) | (_, Word::Closing) => Phase::Closing,
            (_, Word::Beat) => Phase::Turning,
        };
    }

    /// Looks at the clocks. Whether the run has just been found standing still.
    pub fn on_time(&mut self, now: Moment) -> bool {
        let before = self.looked.replace(now);
        if before.is_none_or(|before| now.is_late_behind(before)) {
            self.moved = self.moved.max(now.ran);
        }
        let most = match self.phase {
            Phase::Turning => STILL_MAX,
            Phase::Closing => CLOSING_MAX,
            Phase::Waiting | Phase::Still | Phase::Ended => return false,
        };
        let is_still = now.ran.saturating_sub(self.moved) >= most;
        if is_still {
            self.phase = Phase::Still;
        }
        is_still
    }

    /// The run's process is gone. Why everything is to be cancelled, where it is.
    pub fn on_end(&self) -> Option<Cause> {
        match self.phase {
            Phase::Waiting | Phase::Ended => None,
            Phase::Turning | Phase::Still | Phase::Closing => Some(Cause::Died),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both clocks, and a vigil that is told what time it is every 50 ms.
    struct Watch {
        vigil: Vigil,
        now: Moment,
        found: u32,
    }

    impl Watch {
        fn new() -> Self {
            let now = Moment { ran: Duration::ZERO, wall: Duration::from_secs(1_800_000_000) };
            Self { vigil: Vigil::default(), now, found: 0 }
        }

        /// Time passes, with a beat at each look or without. How often it was found standing still.
        fn pass(&mut self, millis: u64, beats: bool) -> u32 {
            self.found = 0;
            for _ in 0..millis / 50 {
                self.jump(50, 50);
                if beats {
                    self.vigil.on_word(self.now, Word::Beat);
                }
            }
            self.found
        }

        /// One look after so many milliseconds on each clock.
        fn jump(&mut self, ran: u64, wall: i64) {
            self.now.ran += Duration::from_millis(ran);
            let step = Duration::from_millis(wall.unsigned_abs());
            self.now.wall = if wall < 0 { self.now.wall - step } else { self.now.wall + step };
            self.found += u32::from(self.vigil.on_time(self.now));
        }
    }

    #[test]
    fn a_run_that_stands_still_is_found_once_and_again_when_it_has_moved() {
        let mut watch = Watch::new();
        assert_eq!(watch.pass(10_000, false), 0, "it has not begun");
        assert_eq!(watch.vigil.on_end(), None, "nothing of it can rest");
        assert_eq!(watch.pass(5_000, true), 0);
        assert_eq!(watch.pass(1_950, false), 0);
        assert_eq!(watch.pass(10_000, false), 1);
        assert_eq!(watch.vigil.on_end(), Some(Cause::Died), "it may have sent something before");
        assert_eq!(watch.pass(1_000, true), 0);
        assert_eq!(watch.pass(5_000, false), 1);
    }

    #[test]
    fn a_machine_that_was_away_is_no_run_that_stood_still() {
        // A machine suspended for an hour, a guest suspended for an hour, a clock set ahead, a clock set back, this process stopped.
        for (ran, wall) in
            [(50, 3_600_000), (3_600_000, 3_600_000), (50, 10_000), (50, -10_000), (3_000, 3_000)]
        {
            let mut watch = Watch::new();
            watch.pass(1_000, true);
            watch.pass(1_500, false);
            watch.jump(ran, wall);
            assert_eq!(watch.pass(1_900, false), 0, "{ran} {wall}: its time begins anew");
            assert_eq!(watch.pass(200, false), 1, "{ran} {wall}: it did not come back with us");
        }
    }

    #[test]
    fn a_run_that_ends_in_order_is_left_alone_and_one_that_does_not_is_not() {
        let mut watch = Watch::new();
        watch.pass(1_000, true);
        watch.vigil.on_word(watch.now, Word::Closing);
        watch.vigil.on_word(watch.now, Word::Beat); // on its way before
        assert_eq!(watch.pass(59_000, false), 0, "files are closed");
        assert_eq!(watch.vigil.on_end(), Some(Cause::Died), "it did not come to its end");
        assert_eq!(watch.pass(2_000, false), 1, "it hangs there");
        watch.vigil.on_word(watch.now, Word::Ended);
        assert_eq!((watch.pass(10_000, false), watch.vigil.on_end()), (0, None));
    }
}
