//! What a run says to its watchdog: a byte each, over a socket, never waited for.

use std::io::Write;
use std::os::unix::net::UnixStream;

use surefoot_hot::units::Nanos;

/// How often the core says that it turns.
const BEAT_EVERY: Nanos = Nanos::from_millis(100);
/// A core that is busy beats behind its work; one that is never idle beats so late all the same.
const BEAT_LATE: Nanos = Nanos::from_millis(100);

/// What is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// The core has turned.
    Beat,
    /// The core is about to be ended in order: nothing is in flight, and it beats no more.
    Closing,
    /// The run has ended in order, and nothing of it rests at a venue.
    Ended,
}

impl Word {
    const fn byte(self) -> u8 {
        match self {
            Self::Beat => b'b',
            Self::Closing => b'c',
            Self::Ended => b'e',
        }
    }

    /// What a byte says.
    pub fn of(byte: u8) -> Option<Self> {
        [Self::Beat, Self::Closing, Self::Ended].into_iter().find(|word| word.byte() == byte)
    }

    /// Says it. Whether it was taken: a watchdog that is gone, or stands still, keeps nobody.
    pub fn say(self, mut to: &UnixStream) -> bool {
        matches!(to.write(&[self.byte()]), Ok(1))
    }
}

/// The core's beats: it writes them in its own turns, so that a core that does not turn does not beat.
#[derive(Debug)]
pub struct Beats {
    to: UnixStream,
    due: Nanos,
}

impl Beats {
    /// Over a socket that does not block.
    pub const fn new(to: UnixStream) -> Self {
        Self { to, due: Nanos::ZERO }
    }

    /// The core has turned, and handled so much.
    #[inline]
    pub fn on_turn(&mut self, now: Nanos, handled: u32) {
        if now >= self.due && (handled == 0 || now >= self.due.after(BEAT_LATE)) {
            self.beat(now);
        }
    }

    #[cold]
    fn beat(&mut self, now: Nanos) {
        self.due = now.after(BEAT_EVERY);
        Word::Beat.say(&self.to);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn a_core_beats_while_it_turns_and_waits_for_nobody() {
        let (to, mut from) = UnixStream::pair().unwrap();
        to.set_nonblocking(true).unwrap();
        from.set_nonblocking(true).unwrap();
        let mut beats = Beats::new(to);
        let mut heard = |beats: &mut Beats, at: u64, handled: u32| {
            beats.on_turn(Nanos::from_secs(1).after(Nanos::from_millis(at)), handled);
            let mut byte = [0];
            from.read(&mut byte)
                .is_ok_and(|read| read == 1 && Word::of(byte[0]) == Some(Word::Beat))
        };
        let turns = [(0, 0), (50, 0), (99, 0), (100, 0), (200, 7), (299, 7), (300, 7), (400, 0)];
        let beaten = turns.map(|(at, handled)| heard(&mut beats, at, handled));
        assert_eq!(beaten, [true, false, false, true, false, false, true, true]);
        // Nobody reads any more, then nobody is there: the core goes on.
        for at in 0..10_000 {
            beats.on_turn(Nanos::from_secs(10 + at), 0);
        }
        assert!(!Word::Beat.say(&beats.to), "there is no room");
        drop(from);
        assert!(!Word::Beat.say(&beats.to), "there is nobody");
        beats.on_turn(Nanos::from_secs(20_000), 0);
    }

    #[test]
    fn each_word_is_read_as_it_was_said() {
        for word in [Word::Beat, Word::Closing, Word::Ended] {
            assert_eq!(Word::of(word.byte()), Some(word));
        }
        assert_eq!(Word::of(b'x'), None);
    }
}
