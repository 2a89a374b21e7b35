//! Token buckets, as the venue counts them.

use surefoot_hot::units::Nanos;

/// Usage tiers and their budgets in tokens per second (`venues/kalshi.md` §1.2, of 2026-09-24).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// What a new account has.
    Basic,
    /// Given to whoever asks for it and has placed an order by the API.
    Advanced,
    /// Given for 0.075 % of the exchange's volume.
    Expert,
    /// Given for 0.125 % of the exchange's volume.
    Premier,
}

impl Tier {
    /// The venue's word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Advanced => "advanced",
            Self::Expert => "expert",
            Self::Premier => "premier",
        }
    }

    /// Read budget a second, and how many seconds of it the bucket holds.
    pub const fn read(self) -> (u64, u64) {
        match self {
            Self::Basic => (200, 3),
            Self::Advanced => (300, 3),
            Self::Expert => (600, 1),
            Self::Premier => (1_200, 1),
        }
    }

    /// Write budget a second, and how many seconds of it the bucket holds.
    pub const fn write(self) -> (u64, u64) {
        match self {
            Self::Basic => (100, 1),
            Self::Advanced => (300, 3),
            Self::Expert => (600, 3),
            Self::Premier => (1_200, 3),
        }
    }
}

/// What an operation costs (`venues/kalshi.md` §1.2).
pub mod cost {
    /// Create, amend, decrease, and whatever is not named.
    pub const DEFAULT: u64 = 10;
    /// Cancel one, or one of a batch.
    pub const CANCEL: u64 = 2;
    /// Tokens that cancelling everything costs, however many orders there are.
    pub const CANCEL_ALL: u64 = 2;
    /// One order by its id.
    pub const GET_ORDER: u64 = 2;
}

/// One bucket that refills continuously.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// Tokens a second.
    pub rate: u64,
    /// Tokens it holds when full.
    pub capacity: u64,
    /// Tokens in it, in billionths, so that a nanosecond at any rate is a whole number.
    level: u128,
    at: Nanos,
}

const BILLION: u128 = 1_000_000_000;

impl Bucket {
    /// A full one.
    pub fn new((rate, seconds): (u64, u64), now: Nanos) -> Self {
        let capacity = rate * seconds;
        Self { rate, capacity, level: u128::from(capacity) * BILLION, at: now }
    }

    /// Takes `tokens` if they are there.
    pub fn take(&mut self, tokens: u64, now: Nanos) -> bool {
        let added = u128::from(now.since(self.at).get()) * u128::from(self.rate);
        self.level = (self.level + added).min(u128::from(self.capacity) * BILLION);
        self.at = self.at.max(now);
        let want = u128::from(tokens) * BILLION;
        if self.level < want {
            return false;
        }
        self.level -= want;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_refills_with_time_alone() {
        let start = Nanos::from_secs(100);
        let mut bucket = Bucket::new(Tier::Basic.write(), start);
        for _ in 0..10 {
            assert!(bucket.take(cost::DEFAULT, start));
        }
        assert!(!bucket.take(cost::CANCEL, start));
        assert!(!bucket.take(cost::CANCEL, start.after(Nanos::from_millis(19))));
        assert!(bucket.take(cost::CANCEL, start.after(Nanos::from_millis(20))));
        let later = start.after(Nanos::from_secs(9_999));
        assert!(bucket.take(100, later) && !bucket.take(1, later), "never more than it holds");
    }
}
