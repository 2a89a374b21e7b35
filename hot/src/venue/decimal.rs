//! Decimal text of the venues to integers, exactly: what does not fit its grid is an error, never rounded.

use crate::units::{Price, QTY_MAX, Qty, Usd};

/// Why a text is not the number it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotDecimal {
    /// Not `[-]digits[.digits]`.
    Malformed,
    /// A decimal, but finer than the unit, negative where it may not be, or too large.
    OffGrid,
}

/// A price in dollars: `0.5`, `.5`, `0.5000`, `1`. `None` for the empty text.
///
/// # Errors
/// [`NotDecimal::OffGrid`] beyond $1, below $0 or finer than $0.0001.
pub fn price(text: &[u8]) -> Result<Option<Price>, NotDecimal> {
    if text.is_empty() {
        return Ok(None);
    }
    let (negative, ticks) = decimal(text, 4)?;
    if negative && ticks > 0 {
        return Err(NotDecimal::OffGrid);
    }
    let ticks = u16::try_from(ticks).map_err(|_| NotDecimal::OffGrid)?;
    Price::from_ticks(ticks).map(Some).ok_or(NotDecimal::OffGrid)
}

/// A number of contracts: `25`, `6.39`, `0`. `None` for the empty text.
///
/// # Errors
/// [`NotDecimal::OffGrid`] below zero, beyond [`QTY_MAX`] or finer than a millionth.
pub fn qty(text: &[u8]) -> Result<Option<Qty>, NotDecimal> {
    match signed_qty(text)? {
        Some((true, qty)) if !qty.is_zero() => Err(NotDecimal::OffGrid),
        found => Ok(found.map(|(_, qty)| qty)),
    }
}

/// A signed number of contracts as (negative, size): `-54.00`. `None` for the empty text.
///
/// # Errors
/// [`NotDecimal::OffGrid`] beyond [`QTY_MAX`] either way or finer than a millionth.
pub fn signed_qty(text: &[u8]) -> Result<Option<(bool, Qty)>, NotDecimal> {
    if text.is_empty() {
        return Ok(None);
    }
    let (negative, micros) = decimal(text, 6)?;
    let qty = Qty::from_micros(micros);
    if qty > QTY_MAX { Err(NotDecimal::OffGrid) } else { Ok(Some((negative, qty))) }
}

/// An amount of dollars: `0.017500`, `-3`. `None` for the empty text.
///
/// # Errors
/// [`NotDecimal::OffGrid`] finer than a microdollar or beyond what fits.
pub fn usd(text: &[u8]) -> Result<Option<Usd>, NotDecimal> {
    if text.is_empty() {
        return Ok(None);
    }
    let (negative, micros) = decimal(text, 6)?;
    let micros = i64::try_from(micros).map_err(|_| NotDecimal::OffGrid)?;
    Ok(Some(Usd::from_micros(if negative { -micros } else { micros })))
}

/// A whole number without sign: sequence numbers, ids, times. `None` unless it is one and fits.
pub fn whole(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 20 {
        return None;
    }
    text.iter().try_fold(0_u64, |value, &byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 { None } else { value.checked_mul(10)?.checked_add(u64::from(digit)) }
    })
}

/// `[-]digits[.digits]` in units of `10^-places`, as (negative, size).
///
/// # Errors
/// See [`NotDecimal`].
#[inline]
pub fn decimal(text: &[u8], places: u32) -> Result<(bool, u64), NotDecimal> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let mut value = 0_u64;
    let mut count = 0_usize; // digits before the point, then after it
    let mut left = places;
    let mut bytes = digits.iter();
    let mut pointed = false;
    for &byte in bytes.by_ref() {
        if byte == b'.' {
            pointed = true;
            break;
        }
        value = push(value, byte)?;
        count += 1;
    }
    if pointed {
        let whole_digits = count;
        for &byte in bytes {
            count += 1;
            if left > 0 {
                value = push(value, byte)?;
                left -= 1;
            } else if !byte.is_ascii_digit() {
                return Err(NotDecimal::Malformed);
            } else if byte != b'0' {
                return Err(NotDecimal::OffGrid);
            }
        }
        if count == whole_digits {
            return Err(NotDecimal::Malformed); // "1." and "."
        }
    }
    if count == 0 {
        return Err(NotDecimal::Malformed);
    }
    for _ in 0..left {
        value = value.checked_mul(10).ok_or(NotDecimal::OffGrid)?;
    }
    Ok((negative, value))
}

#[inline]
fn push(value: u64, byte: u8) -> Result<u64, NotDecimal> {
    let digit = byte.wrapping_sub(b'0');
    if digit > 9 {
        return Err(NotDecimal::Malformed);
    }
    value
        .checked_mul(10)
        .and_then(|value| value.checked_add(u64::from(digit)))
        .ok_or(NotDecimal::OffGrid)
}

#[cfg(test)]
mod tests {
    use super::NotDecimal::{Malformed, OffGrid};
    use super::*;

    fn ticks(text: &str) -> Result<Option<u16>, NotDecimal> {
        price(text.as_bytes()).map(|price| price.map(Price::ticks))
    }

    #[test]
    fn prices() {
        for text in ["0.5", ".5", "0.50", "0.5000", "0.500000", "00.5"] {
            assert_eq!(ticks(text), Ok(Some(5_000)), "{text}");
        }
        assert_eq!(ticks(""), Ok(None));
        assert_eq!(ticks("0"), Ok(Some(0)));
        assert_eq!(ticks("1"), Ok(Some(10_000)));
        assert_eq!(ticks("1.0000"), Ok(Some(10_000)));
        assert_eq!(ticks("0.0001"), Ok(Some(1)));
        for text in ["1.0001", "1.2", "-0.1", "0.00001", "6.6", "99999999999999999999999"] {
            assert_eq!(ticks(text), Err(OffGrid), "{text}");
        }
        for text in
            [".", "1.", "-", "+1", "1e1", "0x1", " 1", "1 ", "0.5.5", "0,5", "0.500a", "0.0.0"]
        {
            assert_eq!(ticks(text), Err(Malformed), "{text}");
        }
    }

    #[test]
    fn quantities_and_money() {
        assert_eq!(qty(b"6.39"), Ok(Some(Qty::from_micros(6_390_000))));
        assert_eq!(qty(b"1123110"), Ok(Some(Qty::from_contracts(1_123_110))));
        assert_eq!(qty(b"0.0000010"), Ok(Some(Qty::from_micros(1))));
        assert_eq!(qty(b"0.0000001"), Err(OffGrid));
        assert_eq!(qty(b"1000000000"), Ok(Some(QTY_MAX)));
        assert_eq!(qty(b"1000000000.1"), Err(OffGrid));
        assert_eq!(qty(b"-1"), Err(OffGrid));
        assert_eq!(qty(b"-0"), Ok(Some(Qty::ZERO)));
        assert_eq!(signed_qty(b"-54.00"), Ok(Some((true, Qty::from_contracts(54)))));
        assert_eq!(usd(b"-0.017500"), Ok(Some(Usd::from_micros(-17_500))));
        assert_eq!(usd(b"92233720368547758070"), Err(OffGrid));
        assert_eq!(whole(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(whole(b"18446744073709551616"), None);
        assert_eq!(whole(b""), None);
        assert_eq!(whole(b"-1"), None);
    }
}
