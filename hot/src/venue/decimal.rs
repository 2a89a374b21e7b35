//! Decimal text of the venues to integers, exactly: what does not fit its grid is an error, never rounded.

use crate::units::{Price, QTY_MAX, Qty, Usd};

/// Why a text is not the number it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotDecimal {
    /// The text is no number of the form `[-]digits[.digits]`.
    Malformed,
    /// A decimal, but finer than the unit, negative where it may not be, or too large.
    OffGrid,
}

/// A price in dollars: `0.5`, `.5`, `0.5000`, `1`. `None` for the empty text.
///
/// # Errors
/// [`NotDecimal::OffGrid`] beyond $1, below $0 or finer than $0.0001.
#[inline(always)] // the usual half; the other is a call
pub fn price(text: &[u8]) -> Result<Option<Price>, NotDecimal> {
    match usual_price(text) {
        Some(price) => Ok(Some(price)),
        None => any_price(text),
    }
}

/// A price from $0 to under $1 with one to four decimals, as nearly all are written.
#[inline(always)]
fn usual_price(text: &[u8]) -> Option<Price> {
    let [a, b, c, d] = match *text {
        [b'0', b'.', a, b] => [a, b, b'0', b'0'],
        [b'0', b'.', a, b, c, d] => [a, b, c, d],
        [b'0', b'.', a, b, c] => [a, b, c, b'0'],
        [b'0', b'.', a] => [a, b'0', b'0', b'0'],
        _ => return None,
    };
    let digits = u64::from_le_bytes([b'0', b'0', b'0', b'0', a, b, c, d]) ^ ZEROS;
    if !are_digits(digits) {
        return None;
    }
    Price::from_ticks(u16::try_from(word_value(digits)).ok()?)
}

/// A price from $0 to under $1 with one to four decimals that ends at a quote, and the bytes of both; whatever follows the quote is
/// not looked at. `None` for any other text.
#[inline(always)]
pub const fn quoted_price(text: [u8; 8]) -> Option<(Price, usize)> {
    let word = u64::from_le_bytes(text);
    let quote = first(word, b'"');
    if word & 0xffff != 0x2e30 || quote < 3 || quote > 6 {
        return None; // not `0.` and one to four bytes
    }
    let mask = (1 << (8 * (quote - 2))) - 1;
    let digits = ((word >> 16) ^ ZEROS) & mask; // those that are not written are zero
    if !are_digits(digits) {
        return None;
    }
    let pairs = (digits.wrapping_mul((10 << 8) + 1) >> 8) & 0x00ff_00ff;
    let ticks = pairs.wrapping_mul((100 << 16) + 1) >> 16;
    match Price::from_ticks(ticks as u16) {
        Some(price) => Some((price, quote + 1)),
        None => None,
    }
}

/// A number of contracts below a hundred million with at most six decimals that ends at a quote, and the bytes of both; whatever
/// follows the quote is not looked at. `None` for any other text.
#[inline(always)]
pub const fn quoted_qty(text: [u8; 16]) -> Option<(Qty, usize)> {
    let both = u128::from_le_bytes(text);
    let (low, high) = (both as u64, (both >> 64) as u64);
    let quote = match first(low, b'"') {
        8 => 8 + first(high, b'"'),
        at => at,
    };
    let point = first(low, b'.');
    let (whole, places) = if point < quote { (point, quote - point - 1) } else { (quote, 0) };
    let pointed = point < quote;
    if whole == 0 || whole > 8 || quote > 15 || (pointed && (places == 0 || places > 6)) {
        return None;
    }
    if pointed && point == 8 && high & 0xff != b'.' as u64 {
        return None; // there is no point in the first word
    }
    let digits = (low ^ ZEROS) << (64 - 8 * whole); // zeros before the first
    let after = if places == 0 { 0 } else { (both >> (8 * (whole + 1))) as u64 };
    let parts = (after ^ ZEROS) & ((1 << (8 * places)) - 1); // zeros behind the last
    if !are_digits(digits) || !are_digits(parts) {
        return None;
    }
    let micros = word_value(digits) * 1_000_000 + word_value(parts << 16);
    Some((Qty::from_micros(micros), quote + 1))
}

/// Up to four digits that a text begins with: their values, the first in the lowest byte and zeros behind the last, and how many
/// bytes there are before one that is surely no digit, four at most. Whether all of them are digits is for [`two_fours`] to say.
#[inline(always)]
pub const fn up_to_four(text: [u8; 4]) -> (u32, usize) {
    let word = u32::from_le_bytes(text) as u64;
    let ends = (!word & 0x1010_1010) | (1 << 36); // digits have that bit; quote, point, comma and minus have not
    let below = ends.wrapping_sub(1) & !ends;
    let digits = (word ^ ZEROS) & (below >> 4);
    (digits as u32, (ends.trailing_zeros() / 8) as usize)
}

/// The numbers below 10,000 that two groups of four digits' values make; `None` where one of them is no digit's.
#[inline(always)]
pub const fn two_fours(one: u32, other: u32) -> Option<[u16; 2]> {
    let word = one as u64 | (other as u64) << 32;
    if !are_digits(word) {
        return None;
    }
    let pairs = (word.wrapping_mul((10 << 8) + 1) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul((100 << 16) + 1) >> 16;
    Some([fours as u16, (fours >> 32) as u16])
}

/// A number of one to seven digits and up to four decimals that a text begins with: the values of its digits, zeros before the
/// first; those of its decimals as [`up_to_four`] gives them; and its bytes. `None` for any other; whatever follows is for the
/// caller to look at.
#[inline(always)]
pub fn seven_and_four(text: &[u8; 12]) -> Option<(u64, u32, usize)> {
    let word = u64::from_le_bytes(*text.first_chunk()?);
    let ends = !word & (ONES << 4); // as in `up_to_four`
    let count = (ends.trailing_zeros() / 8) as usize;
    if count == 0 || count == 8 {
        return None;
    }
    let digits = (word ^ ZEROS) << (64 - 8 * count);
    let pointed = text[count] == b'.';
    let (parts, places) = up_to_four(*text.get(count + 1..)?.first_chunk()?);
    let (parts, length) = if pointed { (parts, count + 1 + places) } else { (0, count) };
    let good = are_digits(digits) && (places > 0 || !pointed);
    good.then_some((digits, parts, length))
}

/// Contracts of what [`seven_and_four`] has read, its decimals made a number by [`two_fours`].
#[inline(always)]
pub const fn contracts(digits: u64, parts: u16) -> Qty {
    Qty::from_micros(word_value(digits) * 1_000_000 + parts as u64 * 100)
}

/// The number that 13 digits make, as times in milliseconds have them.
#[inline(always)]
pub fn thirteen(text: &[u8; 13]) -> u64 {
    let word = |bytes: Option<&[u8; 8]>| u64::from_le_bytes(*bytes.expect("eight of 13")) ^ ZEROS;
    let (head, tail) = (word(text.first_chunk()), word(text.last_chunk()));
    word_value(head) * 100_000 + word_value(tail & (u64::MAX << 24)) // three are the head's as well
}

/// The number below 10,000 that four digits make.
#[inline(always)]
pub const fn four(text: [u8; 4]) -> u16 {
    let pairs =
        ((u32::from_le_bytes(text) ^ ZEROS as u32).wrapping_mul((10 << 8) + 1) >> 8) & 0x00ff_00ff;
    (pairs.wrapping_mul((100 << 16) + 1) >> 16) as u16
}

/// The number of one to eight digits that a text ends with, and how many there are. Of more than eight it is the last eight; what stands
/// before them is for the caller to look at. `None` where the text does not end with a digit.
#[inline(always)]
pub const fn ending(text: [u8; 8]) -> Option<(u64, usize)> {
    let word = u64::from_le_bytes(text);
    let count = ((!word & (ONES << 4)).leading_zeros() / 8) as usize; // as in `up_to_four`
    if count == 0 {
        return None;
    }
    let digits = (word ^ ZEROS) & (u64::MAX << (64 - 8 * count)); // zeros before the first
    if are_digits(digits) { Some((word_value(digits), count)) } else { None }
}

/// So many contracts, and hundredths of one in two digits.
#[inline(always)]
pub const fn hundredths(contracts: u64, parts: [u8; 2]) -> Qty {
    let [tens, ones] = [parts[0] & 0xf, parts[1] & 0xf]; // the digits' values
    Qty::from_micros(contracts * 1_000_000 + tens as u64 * 100_000 + ones as u64 * 10_000)
}

#[inline(never)]
fn any_price(text: &[u8]) -> Result<Option<Price>, NotDecimal> {
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
#[inline]
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
#[inline]
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
#[inline]
pub fn whole(text: &[u8]) -> Option<u64> {
    if let (Some(head), Some(tail), 9..=16) = (text.first_chunk(), text.last_chunk(), text.len()) {
        let more = text.len() - 8;
        let (head, tail) = (u64::from_le_bytes(*head) ^ ZEROS, u64::from_le_bytes(*tail) ^ ZEROS);
        let tail = tail & (u64::MAX << (64 - 8 * more)); // zeros where it is the head's as well
        let are_digits = are_digits(head) && are_digits(tail);
        return are_digits.then(|| word_value(head) * TENS[more] + word_value(tail));
    }
    if text.len() > 20 {
        return None;
    }
    match leading(text)? {
        (value, []) => Some(value),
        _ => None,
    }
}

/// The whole number that a text begins with, and what follows it. `None` where there is no digit or too many.
#[inline]
pub fn leading(text: &[u8]) -> Option<(u64, &[u8])> {
    let (mut value, mut rest) = (0_u64, text);
    while let Some((eight, after)) = rest.split_first_chunk() {
        let word = u64::from_le_bytes(*eight) ^ ZEROS;
        let count = digits_of(word);
        if count < 8 {
            if count > 0 {
                value = value.checked_mul(TENS[count])?;
                value = value.checked_add(word_value(word << (64 - 8 * count)))?;
            }
            rest = &rest[count..];
            return (rest.len() < text.len()).then_some((value, rest));
        }
        value = value.checked_mul(100_000_000)?.checked_add(word_value(word))?;
        rest = after;
    }
    while let [byte @ b'0'..=b'9', after @ ..] = rest {
        value = value.checked_mul(10)?.checked_add(u64::from(byte - b'0'))?;
        rest = after;
    }
    (rest.len() < text.len()).then_some((value, rest))
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = ONES << 7;
/// Taken from digits in a word, these leave their values; from any other byte more than nine.
const ZEROS: u64 = ONES * b'0' as u64;
const TENS: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// Where a byte first stands in a word of text; 8 where it does not.
#[inline(always)]
const fn first(word: u64, byte: u8) -> usize {
    let other = word ^ (ONES * byte as u64);
    // the lowest marked byte is exact: borrows only run upwards
    ((other.wrapping_sub(ONES) & !other & HIGHS).trailing_zeros() / 8) as usize
}

/// A mark in each byte that is no digit's value, beginning with the first of them.
#[inline(always)]
const fn odd_digits(word: u64) -> u64 {
    (word | word.wrapping_add(ONES * 6)) & (ONES * 0xf0) // a carry comes from a byte that is marked itself
}

#[inline(always)]
const fn are_digits(word: u64) -> bool {
    odd_digits(word) == 0
}

/// How many digits' values a word begins with.
#[inline(always)]
const fn digits_of(word: u64) -> usize {
    (odd_digits(word).trailing_zeros() / 8) as usize
}

/// The number that eight digits' values make, pairs at once.
#[inline(always)]
const fn word_value(word: u64) -> u64 {
    // the first digit is the lowest byte: each step adds ten (a hundred, ...) times it to its neighbour
    let pairs = (word.wrapping_mul((10 << 8) + 1) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul((100 << 16) + 1) >> 16) & 0x0000_ffff_0000_ffff;
    fours.wrapping_mul((10_000 << 32) + 1) >> 32
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
    match usual(digits, places) {
        Some(value) => Ok((negative, value)),
        None => any(digits, places).map(|value| (negative, value)),
    }
}

/// A number with no decimals or two, as nearly all sizes are written, and too short to overflow while it is read.
#[inline(always)]
fn usual(digits: &[u8], places: u32) -> Option<u64> {
    let (whole, cents, places) = match digits {
        [whole @ .., b'.', tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => {
            (whole, (tens - b'0') * 10 + (ones - b'0'), places.checked_sub(2)?)
        }
        whole => (whole, 0, places),
    };
    if whole.is_empty() || whole.len() > 10 {
        return None;
    }
    let mut value = 0_u64;
    for byte in whole {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u64::from(digit);
    }
    let unit = 10_u64.checked_pow(places)?;
    if whole.len() < digits.len() {
        value = value * 100 + u64::from(cents);
    }
    value.checked_mul(unit)
}

/// The slow way, for any number that the grammar allows.
#[inline(never)]
fn any(digits: &[u8], places: u32) -> Result<u64, NotDecimal> {
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
    Ok(value)
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
    fn the_quick_readers_say_what_the_general_ones_say() {
        let alphabet = *b"0123456789..-e /:\x00\xff,\"}z";
        let mut seed = 2_u64;
        let mut below = |bound: u64| {
            seed = seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            usize::try_from((seed >> 33) % bound).unwrap()
        };
        let mut taken = [0; 4];
        for turn in 0..400_000 {
            let kinds = if turn % 4 == 0 { alphabet.len() as u64 } else { 11 };
            let length = 1 + below(17);
            let text: Vec<u8> = (0..length).map(|_| alphabet[below(kinds)]).collect();
            let more = [text.as_slice(), b"\",1234567890123456789"].concat();
            let (digits, count) = up_to_four(*more.first_chunk().unwrap());
            if let Some([value, 0]) = two_fours(digits, 0) {
                let written = [&more[..count], &b"0000"[..4 - count]].concat();
                assert_eq!(whole(&written), Some(u64::from(value)), "{text:?}");
                taken[0] += 1;
            }
            if let Some((whole, parts, length)) = seven_and_four(more.first_chunk().unwrap())
                && let Some([parts, 0]) = two_fours(parts, 0)
            {
                assert_eq!(qty(&more[..length]), Ok(Some(contracts(whole, parts))), "{text:?}");
                taken[1] += 1;
            }
            if let Some(digits) = text.first_chunk::<13>()
                && digits.iter().all(u8::is_ascii_digit)
            {
                let four: [u8; 4] = *digits.first_chunk().unwrap();
                assert_eq!(whole(digits), Some(thirteen(digits)), "{text:?}");
                assert_eq!(whole(&four), Some(u64::from(super::four(four))), "{text:?}");
                let parts = [digits[4], digits[5]];
                let written = [&four, &b"."[..], &parts].concat();
                let contracts = u64::from(super::four(four));
                assert_eq!(qty(&written), Ok(Some(hundredths(contracts, parts))), "{text:?}");
                taken[2] += 1;
            }
            let before = [&b"-\".:1234"[..below(9)], &text].concat();
            if let Some(last) = before.last_chunk()
                && let Some((value, count)) = ending(*last)
            {
                assert_eq!(whole(&before[before.len() - count..]), Some(value), "{before:?}");
                assert!(count == 8 || !before[before.len() - count - 1].is_ascii_digit());
                taken[3] += 1;
            }
        }
        assert!(taken.iter().all(|&count| count > 1_000), "{taken:?}");
    }

    #[test]
    fn the_usual_readers_say_what_the_general_ones_say() {
        let alphabet = *b"0123456789..-e /:\x00\xff";
        let mut seed = 1_u64;
        let mut below = |bound: u64| {
            seed = seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            usize::try_from((seed >> 33) % bound).unwrap()
        };
        let mut taken = [0; 5];
        for turn in 0..400_000 {
            let kinds = if turn % 4 == 0 { alphabet.len() as u64 } else { 11 };
            let mut text: Vec<u8> = (0..below(14)).map(|_| alphabet[below(kinds)]).collect();
            if turn % 2 == 0 && text.len() > 2 {
                text[..2].copy_from_slice(b"0.");
            }
            if let Some(price) = usual_price(&text) {
                assert_eq!(any_price(&text), Ok(Some(price)), "{text:?}");
                taken[0] += 1;
            }
            for places in [0, 1, 4, 6, 9, 19, 20] {
                if let Some(value) = usual(&text, places) {
                    assert_eq!(any(&text, places), Ok(value), "{text:?} {places}");
                    taken[1] += 1;
                }
            }
            let mut quoted = [text.as_slice(), b"\"12.34\"56789012345"].concat();
            quoted.truncate(16);
            if let Some((price, length)) = quoted_price(quoted[..8].try_into().unwrap()) {
                assert_eq!(
                    (any_price(&text), length),
                    (Ok(Some(price)), text.len() + 1),
                    "{text:?}"
                );
                taken[4] += 1;
            }
            if let Some((size, length)) = quoted_qty(quoted.try_into().unwrap()) {
                assert_eq!((qty(&text), length), (Ok(Some(size)), text.len() + 1), "{text:?}");
                taken[3] += 1;
            }
            assert_eq!(whole(&text), whole_of(&text), "{text:?}");
            taken[2] += u32::from(text.len() >= 8 && whole(&text).is_some());
        }
        assert!(taken.iter().all(|&count| count > 1_000), "{taken:?}");
        for text in ["0.4", "0.40", "0.412", "0.4000"] {
            assert!(usual_price(text.as_bytes()).is_some(), "{text}");
            let quoted = format!("{text}\", \"size\"");
            let quoted = quoted.as_bytes()[..8].try_into().unwrap();
            assert!(quoted_price(quoted).is_some_and(|(_, length)| length == text.len() + 1));
        }
        for text in ["30", "65.75", "1123110", "5.00", "0"] {
            assert!(usual(text.as_bytes(), 6).is_some(), "{text}");
            let quoted = format!("{text}\", \"side\":\"SELL\"");
            let quoted = quoted.as_bytes()[..16].try_into().unwrap();
            assert!(
                quoted_qty(quoted).is_some_and(|(_, length)| length == text.len() + 1),
                "{text}"
            );
        }
        for digit in 0..8 {
            for byte in 0..=u8::MAX {
                let mut text = *b"87654321";
                text[digit] = byte;
                assert_eq!(whole(&text), whole_of(&text), "{text:?}");
                let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
                let begins = leading(&text).map(|(value, after)| (value, 8 - after.len()));
                assert_eq!(begins, whole_of(&text[..length]).map(|value| (value, length)));
            }
        }
    }

    /// Only digits, read one by one.
    fn whole_of(text: &[u8]) -> Option<u64> {
        let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
        digits.then(|| any(text, 0).ok()).flatten()
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
