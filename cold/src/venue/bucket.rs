//! Token buckets of our own, so that the venue's limits are never felt.

use surefoot_hot::units::Nanos;

/// Billionths of a token in one token: a rate of one per second adds one per nanosecond.
const NANO: u64 = 1_000_000_000;

/// A token bucket, full at first, refilled without steps.
#[derive(Clone, Debug)]
pub struct Bucket {
    per_second: u64,
    capacity: u64,
    nanos: u64,
    at: Nanos,
}

impl Bucket {
    /// `per_second` tokens come back, at most `capacity` are there.
    pub const fn new(per_second: u64, capacity: u64) -> Self {
        Self { per_second, capacity, nanos: capacity * NANO, at: Nanos::ZERO }
    }

    /// Takes `tokens` if at least `reserve` remain after it.
    pub fn take(&mut self, now: Nanos, tokens: u64, reserve: u64) -> bool {
        let enough = self.has(now, tokens, reserve);
        if enough {
            self.nanos -= tokens * NANO;
        }
        enough
    }

    /// Whether [`Bucket::take`] would take `tokens` and leave `reserve`.
    pub fn has(&mut self, now: Nanos, tokens: u64, reserve: u64) -> bool {
        self.refill(now);
        self.nanos >= (tokens + reserve) * NANO
    }

    /// Takes what is there: the venue says that it is empty.
    pub fn drain(&mut self, now: Nanos) {
        self.refill(now);
        self.nanos = 0;
    }

    /// Whole tokens there at `now`.
    #[cfg(test)]
    fn level(&mut self, now: Nanos) -> u64 {
        self.refill(now);
        self.nanos / NANO
    }

    fn refill(&mut self, now: Nanos) {
        let came = now.since(self.at).get().saturating_mul(self.per_second);
        self.nanos = self.nanos.saturating_add(came).min(self.capacity * NANO);
        self.at = self.at.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_burst_then_its_rate_and_keeps_the_reserve() {
        let mut bucket = Bucket::new(40, 60);
        let mut now = Nanos::from_secs(1_795_000_000);
        let mut taken = 0;
        while bucket.take(now, 1, 0) {
            taken += 1;
        }
        assert_eq!(taken, 60);
        for _ in 0..2_000 {
            now = now.after(Nanos::from_millis(1));
            taken += u32::from(bucket.take(now, 1, 0));
        }
        assert_eq!(taken, 60 + 80, "two seconds at 40 a second");
        now = now.after(Nanos::from_secs(3_600));
        assert_eq!(bucket.level(now), 60);
        assert!(!bucket.take(now, 51, 10) && bucket.take(now, 50, 10));
        assert!(bucket.take(now, 10, 0), "the reserve is for those who ask without one");
        bucket.drain(now);
        assert!(!bucket.take(now.since(Nanos::from_secs(9)), 1, 0), "time never runs back");
    }
}
