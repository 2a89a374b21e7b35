//! How much later than usual a stream's messages reach us, by the venue's own time in them.

use crate::units::Nanos;

/// A message says how late its stream is for this long; a stream that is silent for longer is another matter.
const HOLDS: Nanos = Nanos::from_secs(5);
/// By this much, in a second, the least lag seen is forgotten: two clocks drift apart by less than 122 ppm, and one
/// early message must not make all later ones late.
const FORGET_SHIFT: u32 = 13;

/// The lag of one stream. Ours and the venue's clock may be apart by any amount: what counts is how much a message is
/// later than the promptest ones.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lag {
    /// The newest time of the venue's, in milliseconds.
    newest: u64,
    /// Our time less the venue's for it, in nanoseconds; and the least of late.
    last: i64,
    least: i64,
    heard: Nanos,
}

impl Lag {
    pub(super) const NONE: Self = Self { newest: 0, last: 0, least: i64::MAX, heard: Nanos::ZERO };

    /// A change came that the venue made at `venue_ms`. A time that does not move on says nothing new: one message
    /// may be told twice, or in parts.
    #[inline]
    pub(super) fn hear(&mut self, now: Nanos, venue_ms: u64) {
        if venue_ms <= self.newest {
            return;
        }
        self.newest = venue_ms;
        let venue = venue_ms.saturating_mul(1_000_000).cast_signed();
        self.last = now.get().cast_signed().saturating_sub(venue);
        let forgotten = (now.since(self.heard).get() >> FORGET_SHIFT).cast_signed();
        self.least = self.least.saturating_add(forgotten).min(self.last);
        self.heard = now;
    }

    /// How much later than usual the newest message came.
    pub(super) fn late(&self, now: Nanos) -> Nanos {
        if self.newest == 0 || now.since(self.heard) > HOLDS {
            return Nanos::ZERO;
        }
        Nanos::new(u64::try_from(self.last.saturating_sub(self.least)).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waited_on_the_way_is_late_whatever_the_clocks_say() {
        for apart in [0_i64, 3_600_000, -3_600_000] {
            let mut lag = Lag::NONE;
            let base = 1_800_000_000_000_i64;
            let venue = |ms: i64| u64::try_from(base + ms + apart).unwrap();
            let ours = |ms: i64| Nanos::from_millis(u64::try_from(base + ms).unwrap());
            for ms in 0..100 {
                lag.hear(ours(ms * 10 + 30 + ms % 3), venue(ms * 10));
            }
            assert!(lag.late(ours(1_100)).millis() <= 2, "{lag:?}");
            lag.hear(ours(6_000), venue(1_000)); // five seconds in a buffer
            assert_eq!(lag.late(ours(6_000)).millis(), 4_969);
            lag.hear(ours(6_001), venue(1_000)); // the same again says nothing
            assert_eq!(lag.late(ours(6_001)).millis(), 4_969);
            lag.hear(ours(6_040), venue(6_010));
            assert_eq!(lag.late(ours(6_040)).millis(), 0);
        }
    }

    #[test]
    fn a_late_message_is_forgotten_and_clocks_may_drift() {
        let mut lag = Lag::NONE;
        lag.hear(Nanos::from_secs(100), 99_000);
        lag.hear(Nanos::from_secs(110), 105_000);
        assert_eq!(lag.late(Nanos::from_secs(110)).millis(), 3_998);
        assert_eq!(lag.late(Nanos::from_secs(116)), Nanos::ZERO, "silence is not lateness");
        for second in 0..100_000_u64 {
            // 100 parts in a million: ten seconds in a bit more than a day
            lag.hear(Nanos::from_secs(200 + second), 200_000 + second * 1_000 - second / 10);
        }
        assert!(lag.late(Nanos::from_secs(100_199)).millis() <= 10, "{lag:?}");
    }
}
