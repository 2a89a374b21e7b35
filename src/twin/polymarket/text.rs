//! Numbers as the venue writes them.

use surefoot_hot::units::{Price, Qty};

/// `0.52`, `0.0025`, `1`: no zeros at the end.
pub fn price(price: Price) -> String {
    trimmed::<4>(u64::from(price.ticks()))
}

/// `12.5`, `100`, `0.000001`: no zeros at the end.
pub fn qty(qty: Qty) -> String {
    trimmed::<6>(qty.micros())
}

/// Microdollars as dollars, no zeros at the end.
pub fn usd(micros: i64) -> String {
    let mut out = String::with_capacity(16);
    push_usd(&mut out, micros);
    out
}

/// A last trade's price as `book` frames carry it: three decimals, four where three do not hold it
/// (recorded session of 2026-09-24: `0.420`).
pub fn last_price(price: Price) -> String {
    let ticks = price.ticks();
    if ticks.is_multiple_of(10) {
        format!("{}.{:03}", ticks / 10_000, ticks % 10_000 / 10)
    } else {
        price.to_string()
    }
}

/// A JSON number for `number / 10^DECIMALS`, written exactly.
pub fn number<const DECIMALS: u32>(number: u64) -> serde_json::Value {
    serde_json::from_str(&trimmed::<DECIMALS>(number)).expect("digits and a point are JSON")
}

/// Appends what [`price`] gives.
pub fn push_price(out: &mut String, price: Price) {
    push_trimmed::<4>(out, u64::from(price.ticks()));
}

/// Appends what [`usd`] gives.
pub fn push_usd(out: &mut String, micros: i64) {
    out.push_str(if micros < 0 { "-" } else { "" });
    push_trimmed::<6>(out, micros.unsigned_abs());
}

/// Appends what [`qty`] gives.
pub fn push_qty(out: &mut String, qty: Qty) {
    push_trimmed::<6>(out, qty.micros());
}

/// Appends a level of a book: a price and how much there is, as JSON. A book of seventy levels is written at each of its changes.
pub fn push_level(out: &mut Vec<u8>, price: Price, qty: Qty) {
    out.extend_from_slice(b"{\"price\":\"");
    with_trimmed::<4>(u64::from(price.ticks()), |text| out.extend_from_slice(text));
    out.extend_from_slice(b"\",\"size\":\"");
    with_trimmed::<6>(qty.micros(), |text| out.extend_from_slice(text));
    out.extend_from_slice(b"\"}");
}

fn trimmed<const DECIMALS: u32>(number: u64) -> String {
    let mut out = String::with_capacity(16);
    push_trimmed::<DECIMALS>(&mut out, number);
    out
}

fn push_trimmed<const DECIMALS: u32>(out: &mut String, number: u64) {
    let ascii = "digits and a point are ASCII";
    with_trimmed::<DECIMALS>(number, |text| out.push_str(std::str::from_utf8(text).expect(ascii)));
}

/// Into a buffer, from its end, and then in one piece.
fn with_trimmed<const DECIMALS: u32>(number: u64, push: impl FnOnce(&[u8])) {
    let unit = 10_u64.pow(DECIMALS);
    let (mut whole, mut rest) = (number / unit, number % unit);
    let mut places = if rest == 0 { 0 } else { DECIMALS };
    while places > 0 && rest.is_multiple_of(10) {
        (rest, places) = (rest / 10, places - 1);
    }
    let (mut bytes, mut from) = ([0; 24], 24); // 20 digits at most, and a point
    let mut put = |byte| {
        from -= 1;
        bytes[from] = byte;
    };
    let digit = |rest: u64| b'0' + u8::try_from(rest % 10).expect("a digit");
    for _ in 0..places {
        put(digit(rest));
        rest /= 10;
    }
    if places > 0 {
        put(b'.');
    }
    loop {
        put(digit(whole));
        whole /= 10;
        if whole == 0 {
            break;
        }
    }
    push(&bytes[from..]);
}

/// `0x` and lower-case digits.
pub fn hex(bytes: &[u8]) -> String {
    let mut out = Vec::with_capacity(2 + 2 * bytes.len());
    out.extend_from_slice(b"0x");
    surefoot_cold::text::push_hex(&mut out, bytes);
    String::from_utf8(out).expect("hex is ASCII")
}

/// A UUID of sixteen bytes.
pub fn uuid(bytes: &[u8]) -> String {
    let digits = hex(&bytes[..16]);
    let d = &digits[2..];
    format!("{}-{}-{}-{}-{}", &d[..8], &d[8..12], &d[12..16], &d[16..20], &d[20..])
}

/// Days since 1970 to year, month, day.
fn civil(days: u64) -> (u64, u64, u64) {
    let z = days + 719_468;
    let (era, doe) = (z / 146_097, z % 146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + u64::from(month <= 2), month, doy - (153 * mp + 2) / 5 + 1)
}

/// RFC 3339 in UTC, to the second.
pub fn rfc3339(at: surefoot_hot::units::Nanos) -> String {
    let secs = at.get() / 1_000_000_000;
    let (year, month, day) = civil(secs / 86_400);
    let (hour, minute, second) = (secs / 3_600 % 24, secs / 60 % 60, secs % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;
    use surefoot_hot::units::Nanos;

    #[test]
    fn as_the_venue_writes() {
        let px = |t| Price::from_ticks(t).unwrap();
        assert_eq!([price(px(5_200)), price(px(25)), price(px(10_000))], ["0.52", "0.0025", "1"]);
        assert_eq!(qty(Qty::from_micros(489_690_000)), "489.69");
        assert_eq!(usd(-1_500_000), "-1.5");
        assert_eq!([last_price(px(4_200)), last_price(px(4_205))], ["0.420", "0.4205"]);
        assert_eq!(number::<4>(25).to_string(), "0.0025");
        assert_eq!(number::<4>(50_000).to_string(), "5");
        assert_eq!(rfc3339(Nanos::from_secs(1_795_132_800)), "2026-11-20T00:00:00Z");
        assert_eq!(rfc3339(Nanos::from_secs(1_709_164_800)), "2024-02-29T00:00:00Z");
    }
}
