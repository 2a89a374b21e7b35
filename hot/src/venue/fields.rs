//! What the venues' messages have in common: fields that are given once, numbers that must be there, and lists of levels.

use super::DecodeError;
use super::decimal::{self, NotDecimal};
use super::scan::{Odd, Scan};
use crate::units::{Nanos, Price, Qty};

/// Levels that one side of a book may hold: every price there is.
const LEVELS_MAX: usize = 10_001;
/// Levels per side that fit without allocating.
pub(super) const LEVELS_ROOM: usize = 1_024;

/// A field whose second appearance in a message makes the message odd: `seen` says whether it was there before.
pub(super) fn once(seen: &mut bool, scan: &Scan<'_>) -> Result<(), Odd> {
    if std::mem::replace(seen, true) { Err(scan.odd()) } else { Ok(()) }
}

/// The error of a field that is no decimal.
pub(super) const fn not_decimal(field: &'static str, why: NotDecimal) -> DecodeError {
    match why {
        NotDecimal::Malformed => DecodeError::BadField { field, at: 0 },
        NotDecimal::OffGrid => DecodeError::OffGrid { field },
    }
}

/// What was read of a field's text, where it must be there.
#[inline(always)]
pub(super) fn required<T>(
    field: &'static str,
    read: Result<Option<T>, NotDecimal>,
) -> Result<T, DecodeError> {
    match read {
        Ok(Some(value)) => Ok(value),
        Ok(None) => Err(DecodeError::BadField { field, at: 0 }),
        Err(why) => Err(not_decimal(field, why)),
    }
}

/// A price at which something can rest or trade: between $0 and $1, neither included.
#[inline(always)]
pub(super) fn level_price(field: &'static str, text: &[u8]) -> Result<Price, DecodeError> {
    match required(field, decimal::price(text))? {
        Price::ZERO | Price::ONE => Err(DecodeError::OffGrid { field }),
        price => Ok(price),
    }
}

/// A time in digits: Unix seconds, milliseconds, microseconds or nanoseconds, by how many digits there are. Zero where there is
/// none, or in any other form: nothing depends on it that would not be done without.
pub(super) fn told_time(text: &[u8]) -> Nanos {
    let scale = match text.len() {
        1..=10 => 1_000_000_000,
        11..=13 => 1_000_000,
        14..=16 => 1_000,
        _ => 1,
    };
    let nanos = decimal::whole(text).and_then(|number| number.checked_mul(scale));
    nanos.map_or(Nanos::ZERO, Nanos::new)
}

/// Takes one level of a snapshot, or remembers why the first of them that is none is not: `bad`.
pub(super) fn push_level(
    level: Result<(Price, Qty), DecodeError>,
    levels: &mut Vec<(Price, Qty)>,
    bad: &mut Option<DecodeError>,
) {
    match level {
        Ok(_) if levels.len() == LEVELS_MAX => {
            *bad = bad.or(Some(DecodeError::OffGrid { field: "levels" }));
        }
        Ok(level) => levels.push(level),
        Err(error) => *bad = bad.or(Some(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_in_any_unit_and_nothing_else_is_one() {
        for text in ["1795132805", "1795132805000", "1795132805000000", "1795132805000000000"] {
            assert_eq!(told_time(text.as_bytes()), Nanos::from_secs(1_795_132_805), "{text}");
        }
        assert_eq!(told_time(b"1795132805123456789"), Nanos::new(1_795_132_805_123_456_789));
        for text in ["", "0", "soon", "-1", "2026-11-20T18:00:00Z", "99999999999999999999"] {
            assert_eq!(told_time(text.as_bytes()), Nanos::ZERO, "{text}");
        }
    }

    #[test]
    fn a_snapshot_has_no_more_levels_than_there_are_prices_and_tells_its_first_fault() {
        let (mut levels, mut bad) = (Vec::new(), None);
        let level = level_price("price", b"0.52").map(|price| (price, Qty::from_contracts(1)));
        for _ in 0..LEVELS_MAX {
            push_level(level, &mut levels, &mut bad);
        }
        assert_eq!((levels.len(), bad), (LEVELS_MAX, None));
        push_level(level, &mut levels, &mut bad);
        assert_eq!(bad, Some(DecodeError::OffGrid { field: "levels" }));
        let [absent, edge] = [&b""[..], b"1"].map(|text| level_price("price", text).unwrap_err());
        assert_eq!(absent, DecodeError::BadField { field: "price", at: 0 });
        assert_eq!(edge, DecodeError::OffGrid { field: "price" });
        let (mut levels, mut bad) = (Vec::new(), None);
        for error in [absent, edge] {
            push_level(Err(error), &mut levels, &mut bad);
        }
        assert_eq!((levels.len(), bad), (0, Some(absent)));
    }
}
