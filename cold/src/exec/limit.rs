//! Brakes of our own, so that the venue's are never felt: token buckets and a breaker.

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
        self.refill(now);
        let enough = self.nanos >= (tokens + reserve) * NANO;
        if enough {
            self.nanos -= tokens * NANO;
        }
        enough
    }

    /// Takes what is there: the venue says that it is empty.
    pub fn drain(&mut self, now: Nanos) {
        self.refill(now);
        self.nanos = 0;
    }

    /// Whole tokens there at `now`.
    pub fn level(&mut self, now: Nanos) -> u64 {
        self.refill(now);
        self.nanos / NANO
    }

    fn refill(&mut self, now: Nanos) {
        let came = now.since(self.at).get().saturating_mul(self.per_second);
        self.nanos = self.nanos.saturating_add(came).min(self.capacity * NANO);
        self.at = self.at.max(now);
    }
}

/// Stops orders after repeated failures, then lets one through to see.
#[derive(Clone, Debug, Default)]
pub struct Breaker {
    failures: u32,
    open_until: Option<Nanos>,
    probing: bool,
    opened: u64,
}

/// Failures in a row that open it.
pub const FAILURES_MAX: u32 = 5;
/// How long it stays open.
pub const OPEN_FOR: Nanos = Nanos::from_secs(60);

impl Breaker {
    /// Whether an order may go; the first after an opening is the probe, and the only one until it is answered.
    pub fn admits(&mut self, now: Nanos) -> bool {
        match self.open_until {
            None => true,
            Some(until) if now < until || self.probing => false,
            Some(_) => {
                self.probing = true;
                true
            }
        }
    }

    /// The admitted order did not leave after all: it probed nothing.
    pub fn withdraw(&mut self) {
        self.probing = false;
    }

    /// The venue answered as it should, if only to refuse.
    pub fn on_success(&mut self) {
        self.failures = 0;
        self.open_until = None;
        self.probing = false;
    }

    /// No answer, or one that says the venue is not well.
    pub fn on_failure(&mut self, now: Nanos) {
        self.failures += 1;
        if self.probing || self.failures >= FAILURES_MAX {
            self.opened += u64::from(self.open_until.is_none() || self.probing);
            self.open_until = Some(now.after(OPEN_FOR));
            self.probing = false;
        }
    }

    /// Whether it keeps orders back, but for a probe.
    pub fn is_open(&self) -> bool {
        self.open_until.is_some()
    }

    /// Times it opened.
    pub fn opened(&self) -> u64 {
        self.opened
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

    #[test]
    fn the_breaker_opens_probes_once_and_closes_again() {
        let mut breaker = Breaker::default();
        let mut now = Nanos::from_secs(100);
        for _ in 0..FAILURES_MAX - 1 {
            assert!(breaker.admits(now));
            breaker.on_failure(now);
        }
        breaker.on_success();
        for _ in 0..FAILURES_MAX {
            assert!(breaker.admits(now));
            breaker.on_failure(now);
        }
        assert!(!breaker.admits(now));
        now = now.after(OPEN_FOR);
        assert!(breaker.admits(now));
        assert!(!breaker.admits(now), "one probe");
        breaker.on_failure(now);
        assert!(!breaker.admits(now.after(Nanos::from_secs(59))));
        now = now.after(OPEN_FOR);
        assert!(breaker.admits(now));
        breaker.withdraw();
        assert!(breaker.admits(now), "a probe that never left is none");
        breaker.on_success();
        assert!(breaker.admits(now) && breaker.admits(now));
        assert_eq!(breaker.opened(), 2);
    }
}
