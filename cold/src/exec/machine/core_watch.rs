//! Whether the core still turns.

use surefoot_hot::units::Nanos;

/// How long the core may stand still before everything is cancelled.
pub const CORE_STILL_MAX: Nanos = Nanos::from_secs(2);
/// How often its turns are looked at.
const LOOK_EVERY: Nanos = Nanos::from_millis(50);
/// A look that comes so late proves nothing: this thread stood still itself.
const LOOK_LATE: Nanos = Nanos::from_millis(500);

/// Whether the core turns, by the count of its turns.
#[derive(Clone, Debug, Default)]
pub(super) struct CoreWatch {
    /// The count at the last look.
    seen: u64,
    moved_at: Nanos,
    looked_at: Nanos,
    still: bool,
}

impl CoreWatch {
    /// Whether it is time for a look.
    pub(super) fn is_due(&self, now: Nanos) -> bool {
        now.since(self.looked_at) >= LOOK_EVERY
    }

    /// Looks at the count, when it is time. Returns whether the core has just been found standing still.
    pub(super) fn look(&mut self, now: Nanos, turns: u64) -> bool {
        let gap = now.since(self.looked_at);
        if gap < LOOK_EVERY {
            return false;
        }
        self.looked_at = now;
        if turns != self.seen {
            (self.seen, self.moved_at, self.still) = (turns, now, false);
        } else if gap > LOOK_LATE && !self.still {
            self.moved_at = now;
        }
        let was_still = self.still;
        self.still = now.since(self.moved_at) >= CORE_STILL_MAX;
        self.still && !was_still
    }

    pub(super) const fn is_still(&self) -> bool {
        self.still
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_that_stands_still_is_found_once_and_a_late_look_finds_nothing() {
        let mut turns = 1;
        let mut watch = CoreWatch::default();
        let mut now = Nanos::from_secs(100);
        let mut run = |watch: &mut CoreWatch, span: u64, moves: bool| {
            let mut found = 0;
            for _ in 0..span / 10 {
                now = now.after(Nanos::from_millis(10));
                if moves {
                    turns += 1;
                }
                found += u32::from(watch.look(now, turns));
            }
            found
        };
        assert_eq!(run(&mut watch, 5_000, true), 0);
        assert_eq!(run(&mut watch, 1_900, false), 0);
        assert_eq!(run(&mut watch, 10_000, false), 1, "once");
        assert!(watch.is_still());
        assert_eq!(run(&mut watch, 100, true), 0);
        assert!(!watch.is_still(), "it moves again");
        assert_eq!(run(&mut watch, 5_000, false), 1);
        run(&mut watch, 100, true);
        now = now.after(Nanos::from_secs(5)); // the whole process was frozen
        assert!(!watch.look(now, turns), "this thread stood still too");
    }
}
