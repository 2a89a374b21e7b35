//! The wall clock: for stamps and signatures, never for durations or decisions.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The time since 1970 by the machine's wall clock; zero for a clock set before that.
#[must_use]
pub fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// The same in nanoseconds.
#[must_use]
pub fn unix_ns() -> u64 {
    u64::try_from(since_1970().as_nanos()).expect("nanoseconds since 1970 fit until 2554")
}

/// The same in milliseconds, as both venues want it in what they verify.
#[must_use]
pub fn unix_ms() -> u64 {
    u64::try_from(since_1970().as_millis())
        .expect("milliseconds since 1970 fit for 500 million years")
}
