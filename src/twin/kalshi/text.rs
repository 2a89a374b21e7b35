//! Kalshi's way of writing numbers and times, and reading them back.

use surefoot_hot::units::{Nanos, Price, QTY_MAX, Qty, Usd};

/// A dollar price with up to four decimals: `0.43`, `0.4300`. `None` for anything else, over $1 included.
pub fn price(text: &str) -> Option<Price> {
    let ticks = scaled(text, 4)?;
    Price::from_ticks(u16::try_from(ticks).ok()?)
}

/// A count with at most two decimals: `25`, `25.00`. Zero is read, and refused by whoever asks for an order.
pub fn count(text: &str) -> Option<Qty> {
    let qty = Qty::from_micros(scaled(text, 2)?.checked_mul(10_000)?);
    (qty <= QTY_MAX).then_some(qty)
}

/// An unsigned decimal as an integer of `10^-decimals`.
fn scaled(text: &str, decimals: usize) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let all_digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty()
        || whole.len() > 12
        || part.len() > decimals
        || !all_digits(whole)
        || !all_digits(part)
    {
        return None;
    }
    if text.contains('.') && part.is_empty() {
        return None;
    }
    let mut value: u64 = whole.parse().ok()?;
    for at in 0..decimals {
        let digit = part.as_bytes().get(at).map_or(0, |b| u64::from(b - b'0'));
        value = value.checked_mul(10)?.checked_add(digit)?;
    }
    Some(value)
}

/// Dollars with four decimals, the finest a direct member's balance has: `1234.5678`. Rounded down.
pub fn dollars4(usd: Usd) -> String {
    let units = usd.micros().div_euclid(100);
    let sign = if units < 0 { "-" } else { "" };
    let abs = units.unsigned_abs();
    format!("{sign}{}.{:04}", abs / 10_000, abs % 10_000)
}

/// A signed count with two decimals, from millionths of a contract.
pub fn signed_count(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    format!("{sign}{}", Qty::from_micros(micros.unsigned_abs()))
}

/// Whole cents, rounded down.
pub fn cents(usd: Usd) -> i64 {
    usd.micros().div_euclid(10_000)
}

/// RFC 3339 in UTC with milliseconds: `2026-11-20T18:00:00.131Z`.
pub fn rfc3339(at: Nanos) -> String {
    let (secs, millis) = (at.get() / 1_000_000_000, at.millis() % 1_000);
    let (days, of_day) = (secs / 86_400, secs % 86_400);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// Year, month and day of a day counted from 1970-01-01 (Hinnant's `civil_from_days`, for days after 1970).
const fn civil(days: u64) -> (u64, u64, u64) {
    let z = days + 719_468;
    let (era, doe) = (z / 146_097, z % 146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, doy - (153 * mp + 2) / 5 + 1)
}

/// Whole Unix seconds.
pub const fn secs(at: Nanos) -> u64 {
    at.get() / 1_000_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_the_venue_reads_them() {
        assert_eq!(price("0.43").unwrap().ticks(), 4_300);
        assert_eq!(price("0.0001").unwrap().ticks(), 1);
        assert_eq!(price("1").unwrap(), Price::ONE);
        for bad in ["", ".5", "0.", "0.43001", "1.0001", "-0.4", "+0.4", "0,4", "1e-1", " 0.4"] {
            assert_eq!(price(bad), None, "{bad}");
        }
        assert_eq!(count("25").unwrap(), Qty::from_contracts(25));
        assert_eq!(count("0.01").unwrap(), Qty::from_micros(10_000));
        for bad in ["0.001", "1.000", "999999999999", "NaN"] {
            assert_eq!(count(bad), None, "{bad}");
        }
    }

    #[test]
    fn times_and_money_print() {
        assert_eq!(rfc3339(Nanos::new(1_795_197_600_131_000_000)), "2026-11-20T18:00:00.131Z");
        assert_eq!(rfc3339(Nanos::from_secs(951_782_400)), "2000-02-29T00:00:00.000Z");
        assert_eq!(dollars4(Usd::from_micros(1_234_567_899)), "1234.5678");
        assert_eq!(dollars4(Usd::from_micros(-100)), "-0.0001");
        assert_eq!(signed_count(-15_000_000), "-15.00");
        assert_eq!(cents(Usd::from_micros(19_999)), 1);
    }
}
