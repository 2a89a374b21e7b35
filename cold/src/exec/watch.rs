//! What an executor sees for itself: whether the core still turns, whether the venue hears and takes us.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use surefoot_hot::report::Reject;
use surefoot_hot::units::Nanos;

/// How long the core may stand still before everything is cancelled.
pub const CORE_STILL_MAX: Nanos = Nanos::from_secs(2);
/// How often its turns are looked at.
const LOOK_EVERY: Nanos = Nanos::from_millis(50);
/// A look that comes so late proves nothing: this thread stood still itself.
const LOOK_LATE: Nanos = Nanos::from_millis(500);
/// Heartbeats missed in a row from which on nothing protects what rests.
pub const BEATS_MISSED_MAX: u32 = 2;

/// Whether the core turns: its turns are counted where both threads see them.
#[derive(Clone, Debug)]
pub(super) struct CoreWatch {
    turns: Arc<AtomicU64>,
    seen: u64,
    moved_at: Nanos,
    looked_at: Nanos,
    still: bool,
}

impl CoreWatch {
    pub(super) fn new(turns: Arc<AtomicU64>) -> Self {
        Self { turns, seen: 0, moved_at: Nanos::ZERO, looked_at: Nanos::ZERO, still: false }
    }

    /// Looks, when it is time. Returns whether the core has just been found standing still.
    pub(super) fn look(&mut self, now: Nanos) -> bool {
        let gap = now.since(self.looked_at);
        if gap < LOOK_EVERY {
            return false;
        }
        self.looked_at = now;
        let turns = self.turns.load(Ordering::Relaxed);
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

/// What health is judged by, of one venue's executor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ExecFigures {
    /// Whether a connection for orders is open.
    pub connected: bool,
    /// Whether orders that open something are held back after failures in a row.
    pub breaker_open: bool,
    /// Why the venue last turned an order away that it did not look at; nothing since it took one or looked at one.
    pub turned_away: Option<Reject>,
    /// Whether the last request that was signed was answered "who are you".
    pub credentials_refused: bool,
    /// Heartbeats missed in a row.
    pub beats_missed: u32,
    /// Whether the core stands still: everything is being cancelled.
    pub core_still: bool,
    /// Whether a cancel of everything waits for the venue's confirmation.
    pub cancelling_all: bool,
    /// Records that the wire log did not take.
    pub unlogged: u64,
}

impl ExecFigures {
    /// Whether orders that open something may be sent: told to the core as the state of its order path.
    pub const fn may_open(&self) -> bool {
        self.connected
            && !self.breaker_open
            && !self.core_still
            && self.beats_missed < BEATS_MISSED_MAX
    }

    /// All of it in one word, so that another thread reads figures that belong together.
    pub fn pack(&self) -> u64 {
        let bits = [
            self.connected,
            self.breaker_open,
            self.credentials_refused,
            self.core_still,
            self.cancelling_all,
        ];
        let bits = bits.iter().rev().fold(0, |bits, bit| bits << 1 | u64::from(*bit));
        let turned_away = self.turned_away.map_or(0, |why| 1 + why as u64);
        let unlogged = self.unlogged.min(u64::from(u32::MAX));
        bits | turned_away << 8 | u64::from(self.beats_missed.min(0xffff)) << 16 | unlogged << 32
    }

    /// What [`ExecFigures::pack`] made a word of.
    pub fn unpack(word: u64) -> Self {
        let bit = |nth: u32| word >> nth & 1 == 1;
        let turned_away = word >> 8 & 0xff;
        let of_venue = [Reject::Auth, Reject::Rate, Reject::Mode, Reject::Blocked];
        Self {
            connected: bit(0),
            breaker_open: bit(1),
            credentials_refused: bit(2),
            core_still: bit(3),
            cancelling_all: bit(4),
            turned_away: of_venue.into_iter().find(|why| 1 + *why as u64 == turned_away),
            beats_missed: (word >> 16 & 0xffff) as u32,
            unlogged: word >> 32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_survive_the_way_through_one_word() {
        let none = ExecFigures::default();
        for figures in [
            none,
            ExecFigures { connected: true, ..none },
            ExecFigures { breaker_open: true, turned_away: Some(Reject::Blocked), ..none },
            ExecFigures { credentials_refused: true, turned_away: Some(Reject::Auth), ..none },
            ExecFigures { core_still: true, cancelling_all: true, ..none },
            ExecFigures { beats_missed: 0xffff, unlogged: u64::from(u32::MAX), ..none },
        ] {
            assert_eq!(ExecFigures::unpack(figures.pack()), figures);
        }
    }

    #[test]
    fn a_core_that_stands_still_is_found_once_and_a_late_look_finds_nothing() {
        let turns = Arc::new(AtomicU64::new(1));
        let mut watch = CoreWatch::new(Arc::clone(&turns));
        let mut now = Nanos::from_secs(100);
        let mut run = |watch: &mut CoreWatch, span: u64, moves: bool| {
            let mut found = 0;
            for _ in 0..span / 10 {
                now = now.after(Nanos::from_millis(10));
                if moves {
                    turns.fetch_add(1, Ordering::Relaxed);
                }
                found += u32::from(watch.look(now));
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
        assert!(!watch.look(now), "this thread stood still too");
    }
}
