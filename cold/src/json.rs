//! Exact numbers out of JSON answers.
//!
//! Money and sizes mostly come as strings and are read as decimals. Where a venue sends a bare number (`0.01`,
//! `0.07`, `150.5`) the parser has already made a binary float of it; that is harmless as long as the number
//! has at most 15 significant digits, because such a number survives the round trip exactly: the parser's
//! `digits ÷ 10^n` is then one correctly rounded division, and printing gives back the shortest text that reads
//! as the same float, which is the number as sent. More digits than that are refused, never guessed.

use serde_json::Value;
use surefoot_hot::units::{Nanos, Price, QTY_MAX, Qty, Usd};
use surefoot_hot::venue::fine::FinePrice;

/// Significant digits that a number survives being a binary float with.
const FLOAT_DIGITS_MAX: usize = 15;

/// What was wrong with an answer: which field, of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// What was being read.
    pub what: &'static str,
    /// The field that is absent, of another type, off its grid or unknown.
    pub field: &'static str,
}

impl std::fmt::Display for ReadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: field `{}` is absent or not understood", self.what, self.field)
    }
}

impl std::error::Error for ReadError {}

/// One JSON object being read, with its name for errors.
#[derive(Clone, Copy, Debug)]
pub struct Object<'a> {
    what: &'static str,
    value: &'a Value,
}

impl<'a> Object<'a> {
    /// Reads `value` as `what`.
    pub const fn new(what: &'static str, value: &'a Value) -> Self {
        Self { what, value }
    }

    /// An error about one of its fields.
    pub const fn error(&self, field: &'static str) -> ReadError {
        ReadError { what: self.what, field }
    }

    /// Whether a field is there, be it null.
    pub fn has(&self, field: &str) -> bool {
        self.value.get(field).is_some()
    }

    /// A field that is there and not null.
    pub fn get(&self, field: &str) -> Option<&'a Value> {
        self.value.get(field).filter(|value| !value.is_null())
    }

    /// A text that is there; may be empty.
    pub fn text(&self, field: &'static str) -> Result<&'a str, ReadError> {
        self.get(field).and_then(Value::as_str).ok_or(self.error(field))
    }

    /// A text, empty where it is absent.
    pub fn text_or_empty(&self, field: &str) -> &'a str {
        self.get(field).and_then(Value::as_str).unwrap_or("")
    }

    /// A flag; absent means false, on both venues.
    pub fn flag(&self, field: &str) -> bool {
        self.get(field).and_then(Value::as_bool).unwrap_or(false)
    }

    /// A list that must be there.
    pub fn list(&self, field: &'static str) -> Result<&'a [Value], ReadError> {
        self.get(field).and_then(Value::as_array).map(Vec::as_slice).ok_or(self.error(field))
    }

    /// A list of texts that some answers wrap in a text of JSON.
    pub fn texts(&self, field: &'static str) -> Result<Vec<String>, ReadError> {
        let error = self.error(field);
        match self.get(field).ok_or(error)? {
            Value::String(inner) => serde_json::from_str(inner).map_err(|_| error),
            Value::Array(items) => {
                items.iter().map(|item| item.as_str().map(str::to_owned).ok_or(error)).collect()
            }
            _ => Err(error),
        }
    }

    /// A small whole number, from a number or a text.
    pub fn whole(&self, field: &'static str) -> Result<u64, ReadError> {
        let value = self.scaled(field, 0)?;
        u64::try_from(value).map_err(|_| self.error(field))
    }

    /// A decimal number times `10^decimals`, exactly.
    pub fn scaled(&self, field: &'static str, decimals: u32) -> Result<i128, ReadError> {
        self.get(field).and_then(|value| scaled(value, decimals)).ok_or(self.error(field))
    }

    /// The same, rounded to the nearest: see [`scaled_nearest`].
    pub fn rounded(&self, field: &'static str, decimals: u32) -> Result<i128, ReadError> {
        let value = self.get(field).and_then(|value| scaled_nearest(value, decimals));
        value.ok_or(self.error(field))
    }

    /// A price between $0 and $1 in $0.0001.
    pub fn price(&self, field: &'static str) -> Result<Price, ReadError> {
        let ticks = self.scaled(field, 4)?;
        u16::try_from(ticks).ok().and_then(Price::from_ticks).ok_or(self.error(field))
    }

    /// A price of a fill, which may lie between ticks.
    pub fn fine_price(&self, field: &'static str) -> Result<FinePrice, ReadError> {
        FinePrice::from_units(self.scaled(field, 10)?).ok_or(self.error(field))
    }

    /// A quantity of a fill in millionths; what is finer is cut off, as the streams' reader does.
    pub fn fine_qty(&self, field: &'static str) -> Result<Qty, ReadError> {
        as_qty(self.scaled(field, 12)?.div_euclid(1_000_000)).ok_or(self.error(field))
    }

    /// A fee in millionths of a dollar; what is finer is rounded up, as the streams' reader does.
    pub fn fine_fee(&self, field: &'static str) -> Result<Usd, ReadError> {
        let micros = -(-self.scaled(field, 12)?).div_euclid(1_000_000);
        i64::try_from(micros).map(Usd::from_micros).map_err(|_| self.error(field))
    }

    /// A quantity in millionths.
    pub fn qty(&self, field: &'static str) -> Result<Qty, ReadError> {
        as_qty(self.scaled(field, 6)?).ok_or(self.error(field))
    }

    /// Cash in millionths of a dollar, rounded to the nearest: a venue may count it more finely than we do.
    pub fn rounded_usd(&self, field: &'static str) -> Result<Usd, ReadError> {
        let micros = self.rounded(field, 6)?;
        i64::try_from(micros).map(Usd::from_micros).map_err(|_| self.error(field))
    }

    /// The first of these fields that has a time; zero where none has: nothing depends on it that would not be done without.
    pub fn told_time(&self, fields: &[&str]) -> Nanos {
        let time = |field: &&str| match self.get(field)? {
            Value::String(text) => parse_time(text),
            Value::Number(number) => parse_time(&number.to_string()),
            _ => None,
        };
        fields.iter().find_map(time).unwrap_or(Nanos::ZERO)
    }

    /// A time that must be there.
    pub fn time(&self, field: &'static str) -> Result<Nanos, ReadError> {
        self.get(field).and_then(Value::as_str).and_then(parse_time).ok_or(self.error(field))
    }
}

/// A quantity from millionths; `None` below zero and beyond [`QTY_MAX`].
pub fn as_qty(micros: i128) -> Option<Qty> {
    let qty = Qty::from_micros(u64::try_from(micros).ok()?);
    (qty <= QTY_MAX).then_some(qty)
}

/// A number or a text of one, times `10^decimals`, exactly.
pub fn scaled(value: &Value, decimals: u32) -> Option<i128> {
    match value {
        Value::String(text) => parse_scaled(text, decimals),
        Value::Number(number) => {
            let text = number.to_string();
            let mantissa = text.split(['e', 'E']).next().unwrap_or("");
            let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
            let leading = mantissa.bytes().take_while(|byte| !(b'1'..=b'9').contains(byte));
            let significant = digits - leading.filter(u8::is_ascii_digit).count();
            if number.is_f64() && significant > FLOAT_DIGITS_MAX {
                return None;
            }
            parse_scaled(&text, decimals)
        }
        _ => None,
    }
}

/// The same, rounded to the nearest: for the sums that a venue keeps, cash and contracts held, which it may compute in
/// binary floating point (`150.50000000000003`). Not for prices or fills, which are exact.
pub fn scaled_nearest(value: &Value, decimals: u32) -> Option<i128> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let part = text.split_once('.').map_or("", |(_, part)| part);
    let extra = part.len().saturating_sub(usize::try_from(decimals).ok()?);
    if extra == 0 || !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return parse_scaled(&text, decimals);
    }
    let (kept, rest) = text.split_at(text.len() - extra);
    let away = i128::from(rest.as_bytes()[0] >= b'5');
    Some(parse_scaled(kept, decimals)? + if kept.starts_with('-') { -away } else { away })
}

/// Decimal text (`0.47`, `.5`, `-3`, `1e-5`) times `10^decimals`; `None` where that is not a whole number.
pub fn parse_scaled(text: &str, decimals: u32) -> Option<i128> {
    let (text, negative) = match text.strip_prefix('-') {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && part.is_empty() {
        return None;
    }
    let mut number = 0_i128;
    for byte in whole.bytes().chain(part.bytes()) {
        if !byte.is_ascii_digit() {
            return None;
        }
        number = number.checked_mul(10)?.checked_add(i128::from(byte - b'0'))?;
    }
    let shift = i64::from(decimals) + i64::from(exponent) - i64::try_from(part.len()).ok()?;
    if number != 0 {
        let power = 10_i128.checked_pow(u32::try_from(shift.unsigned_abs()).ok()?)?;
        if shift >= 0 {
            number = number.checked_mul(power)?;
        } else if number % power == 0 {
            number /= power;
        } else {
            return None;
        }
    }
    Some(if negative { -number } else { number })
}

/// A time in any of the venues' spellings: RFC 3339 with `T` or a space, a fraction or none, `Z`, `+00` or
/// `+00:00`; or the digits of Unix seconds, milliseconds, microseconds or nanoseconds.
pub fn parse_time(text: &str) -> Option<Nanos> {
    let text = text.trim();
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number: u64 = text.parse().ok()?;
        let scale = match text.len() {
            1..=10 => 1_000_000_000,
            11..=13 => 1_000_000,
            14..=16 => 1_000,
            _ => 1,
        };
        return number.checked_mul(scale).map(Nanos::new);
    }
    let number = |from: usize, to: usize| -> Option<i64> {
        let part = text.get(from..to)?;
        part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())?
    };
    let bytes = text.as_bytes();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let dashes = bytes.get(4) == Some(&b'-') && bytes.get(7) == Some(&b'-');
    if !dashes || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let days = days_from_civil(year, month, day);
    if bytes.len() == 10 {
        return nanos_since_1970(days * 86_400, 0);
    }
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if hour > 23 || minute > 59 || second > 60 || !matches!(bytes[10], b'T' | b't' | b' ') {
        return None;
    }
    let rest = &text[19..];
    let (fraction, zone) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())),
        None => ("", rest),
    };
    let mut nanos = 0_i64;
    for place in 0..9 {
        nanos =
            nanos * 10 + fraction.as_bytes().get(place).map_or(0, |digit| i64::from(digit - b'0'));
    }
    let offset = match zone.as_bytes() {
        b"" | b"Z" | b"z" => 0,
        [sign @ (b'+' | b'-'), digits @ ..] => {
            let digits: Vec<i64> = digits
                .iter()
                .filter(|&&byte| byte != b':')
                .map(|byte| byte.is_ascii_digit().then(|| i64::from(byte - b'0')))
                .collect::<Option<_>>()?;
            let secs = match digits[..] {
                [a, b] => (a * 10 + b) * 3_600,
                [a, b, c, d] => (a * 10 + b) * 3_600 + (c * 10 + d) * 60,
                _ => return None,
            };
            if *sign == b'+' { secs } else { -secs }
        }
        _ => return None,
    };
    nanos_since_1970(days * 86_400 + hour * 3_600 + minute * 60 + second - offset, nanos)
}

/// `None` before 1970 and after 2554, the last year that [`Nanos`] holds: a listing may say 9999-12-31.
fn nanos_since_1970(secs: i64, nanos: i64) -> Option<Nanos> {
    let nanos = i128::from(secs) * 1_000_000_000 + i128::from(nanos);
    u64::try_from(nanos).ok().map(Nanos::new)
}

/// Days since 1970-01-01 of a date of the Gregorian calendar.
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March, so that the leap day is the last of its year.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let month = (month + 9) % 12;
    let of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact_or_refused() {
        let rows = [
            ("0.47", 4, Some(4_700)),
            (".5", 4, Some(5_000)),
            ("5", 0, Some(5)),
            ("1e-5", 6, Some(10)),
            ("-3.25", 2, Some(-325)),
            ("0.9600", 4, Some(9_600)),
            ("0.960000", 4, Some(9_600)),
            ("0.96001", 4, None),
            ("", 4, None),
            (".", 4, None),
            ("1.2.3", 4, None),
            ("0x1", 4, None),
            ("0e999999999999", 4, None),
        ];
        for (text, decimals, expected) in rows {
            assert_eq!(parse_scaled(text, decimals), expected, "{text}");
        }
    }

    #[test]
    fn bare_numbers_are_read_as_sent() {
        // Every price and every cent amount: what was sent is what is read.
        for ticks in 0..=10_000_i128 {
            let text = format!("{}.{:04}", ticks / 10_000, ticks % 10_000);
            let value: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(scaled(&value, 4), Some(ticks), "{text}");
            let text = format!("123456{ticks}.{:06}", ticks * 97 % 1_000_000);
            let value: Value = serde_json::from_str(&text).unwrap();
            let exact = parse_scaled(&text, 6);
            let digits = text.trim_end_matches('0').len() - 1;
            assert!(scaled(&value, 6) == exact || digits > 15, "{text}");
        }
        let value: Value = serde_json::from_str("0.1234567890123456789").unwrap();
        assert_eq!(scaled(&value, 19), None, "too many digits for a float");
        let value: Value = serde_json::from_str("12345678901234567").unwrap();
        assert_eq!(scaled(&value, 0), Some(12_345_678_901_234_567), "an integer is exact");
    }

    #[test]
    fn times_in_every_spelling() {
        let secs = |text| parse_time(text).map(|time| time.get() / 1_000_000_000);
        assert_eq!(secs("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(secs("2026-07-24T00:00:00Z"), Some(1_784_851_200));
        assert_eq!(secs("2026-07-24 00:00:16+00"), Some(1_784_851_216));
        assert_eq!(secs("2026-07-24T02:00:00+02:00"), Some(1_784_851_200));
        assert_eq!(secs("2026-07-23T22:00:00-0200"), Some(1_784_851_200));
        assert_eq!(secs("2024-02-29"), Some(1_709_164_800));
        assert_eq!(secs("1784851200"), Some(1_784_851_200));
        assert_eq!(secs("1784851200123"), Some(1_784_851_200));
        let fine = parse_time("2026-07-24T00:00:00.8Z").unwrap();
        assert_eq!(fine.get() % 1_000_000_000, 800_000_000);
        assert_eq!(secs("2262-04-11T23:47:16.999999999Z"), Some(9_223_372_036), "beyond 63 bits");
        for bad in [
            "",
            "yesterday",
            "2026-13-01T00:00:00Z",
            "2026-07-24T25:00:00Z",
            "2026-07-24T00:00:00+1",
            "9999-12-31",
            "9999-12-31T23:59:59.999999999-23:59",
            "1969-12-31T23:59:59Z",
        ] {
            assert!(parse_time(bad).is_none(), "{bad}");
        }
    }
}
