//! The wall clock: for stamps and signatures, never for durations or decisions.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use surefoot_hot::units::Nanos;

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

/// A time since 1970 as UTC in ISO 8601, to the microsecond: `2026-11-29T21:04:05.000123Z`.
#[must_use]
pub fn iso(time: Nanos) -> String {
    let micros = time.get() / 1_000;
    let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
    let (days, of_day) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil_from_days(days);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

/// The date of the Gregorian calendar so many days after 1970-01-01.
const fn civil_from_days(days: u64) -> (u64, u64, u64) {
    // Years begin in March, so that the leap day is the last of its year; an era is 400 years.
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, january) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + january, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse_time;

    #[test]
    fn times_are_written_as_they_are_read() {
        assert_eq!(iso(Nanos::ZERO), "1970-01-01T00:00:00.000000Z");
        assert_eq!(iso(Nanos::new(1_709_210_096_007_008_009)), "2024-02-29T12:34:56.007008Z");
        // Every day until 2200, at another time of the day each.
        for day in 0..84_000_u64 {
            let time = Nanos::new((day * 86_400 + day % 86_400) * 1_000_000_000);
            assert_eq!(parse_time(&iso(time)), Some(time), "{}", iso(time));
        }
    }
}
