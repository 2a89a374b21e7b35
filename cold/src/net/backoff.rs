//! When to try again: doubling waits with jitter, from a seed so that a run can be repeated.

use surefoot_hot::hash::Hash64;
use surefoot_hot::units::Nanos;

/// The first wait, before jitter.
pub const WAIT_MIN: Nanos = Nanos::from_millis(250);
/// The longest wait, before jitter. A link of ours is one of a dozen: a venue that is away does not notice a dial every
/// few seconds, and after half a minute of waiting we would stand blind before a venue that is well.
pub const WAIT_MAX: Nanos = Nanos::from_secs(4);

/// How long to wait after the n-th failure in a row.
#[derive(Clone, Debug)]
pub struct Backoff {
    seed: u64,
    drawn: u64,
    failures: u32,
}

impl Backoff {
    /// Two links with different seeds do not come back in step.
    pub const fn new(seed: u64) -> Self {
        Self { seed, drawn: 0, failures: 0 }
    }

    /// It works again: the next failure waits [`WAIT_MIN`].
    pub fn on_success(&mut self) {
        self.failures = 0;
    }

    /// It failed: how long to wait. Between half and the whole of [`WAIT_MIN`] doubled per failure.
    pub fn on_failure(&mut self) -> Nanos {
        let doubled = WAIT_MIN.get() << self.failures.min(16);
        let whole = doubled.min(WAIT_MAX.get());
        self.failures = self.failures.saturating_add(1);
        let mut hash = Hash64::resume(self.seed);
        hash.word(self.drawn);
        self.drawn += 1;
        Nanos::new(whole / 2 + hash.get() % (whole / 2))
    }

    /// Failures in a row.
    pub const fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_within_bounds_and_repeat_from_the_seed() {
        let (mut first, mut again, mut other) = (Backoff::new(1), Backoff::new(1), Backoff::new(2));
        let mut differs = false;
        for n in 0..40_u32 {
            let wait = first.on_failure();
            let whole = (WAIT_MIN.get() << n.min(16)).min(WAIT_MAX.get());
            assert!(wait.get() >= whole / 2 && wait.get() < whole, "failure {n}: {wait:?}");
            assert_eq!(wait, again.on_failure());
            differs |= wait != other.on_failure();
        }
        assert!(differs);
        first.on_success();
        assert!(first.on_failure() < WAIT_MIN);
    }
}
