//! Text of numbers and bytes, written into buffers the caller keeps.

/// The digits of a number, without allocating.
#[derive(Clone, Copy)]
pub struct Digits {
    bytes: [u8; 20],
    from: u8,
}

impl Digits {
    /// Decimal digits, no sign, no padding.
    pub fn new(mut number: u64) -> Self {
        let (mut bytes, mut from) = ([b'0'; 20], 20);
        loop {
            from -= 1;
            bytes[from] = b'0' + u8::try_from(number % 10).expect("a digit");
            number /= 10;
            if number == 0 {
                return Self { bytes, from: u8::try_from(from).expect("below 20") };
            }
        }
    }

    /// The digits as ASCII bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[usize::from(self.from)..]
    }

    /// The digits as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).expect("digits are ASCII")
    }
}

/// A number with what is counted, for a person: `1 market`, `2 markets`.
pub fn counted(number: u64, one: &str, more: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { more })
}

/// Appends `number / 10^decimals` with exactly that many decimals.
pub fn push_fixed(out: &mut Vec<u8>, number: u64, decimals: u32) {
    let scale = 10_u64.pow(decimals);
    out.extend_from_slice(Digits::new(number / scale).as_bytes());
    out.push(b'.');
    let part = Digits::new(number % scale);
    for _ in part.as_bytes().len()..decimals as usize {
        out.push(b'0');
    }
    out.extend_from_slice(part.as_bytes());
}

/// The digit of a half-byte.
pub const fn nibble(value: u8) -> u8 {
    b"0123456789abcdef"[(value & 15) as usize]
}

/// Appends bytes as lower-case hex, without a prefix.
pub fn push_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    for chunk in bytes.chunks(32) {
        let mut digits = [0; 64]; // one append for 32 bytes: a wrapped signature has 317
        for (pair, byte) in digits.chunks_exact_mut(2).zip(chunk) {
            pair.copy_from_slice(&[nibble(byte >> 4), nibble(byte & 15)]);
        }
        out.extend_from_slice(&digits[..2 * chunk.len()]);
    }
}

/// Bytes as lower-case hex, without a prefix.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = Vec::with_capacity(2 * bytes.len());
    push_hex(&mut text, bytes);
    String::from_utf8(text).expect("hex digits are ASCII")
}

/// Bytes from hex of exactly the right length, with or without `0x`; `None` otherwise.
pub fn parse_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.strip_prefix("0x").unwrap_or(text).as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = hex_digit(pair[0])? << 4 | hex_digit(pair[1])?;
    }
    Some(bytes)
}

/// Any number of bytes from hex, with or without `0x`; `None` for an odd count or another character.
pub fn parse_hex_vec(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x").unwrap_or(text).as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits
        .chunks_exact(2)
        .map(|pair| Some(hex_digit(pair[0])? << 4 | hex_digit(pair[1])?))
        .collect()
}

const fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// A 256-bit word from decimal text; `None` where it is not a number or does not fit.
///
/// Eighteen digits at a time: five rounds over four limbs for the longest token id.
pub fn parse_u256(text: &str) -> Option<[u8; 32]> {
    if text.is_empty() || text.len() > 78 {
        return None;
    }
    let mut limbs = [0_u64; 4]; // least first
    for chunk in text.as_bytes().chunks(18) {
        let mut part = 0_u64;
        for byte in chunk {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            part = part * 10 + u64::from(digit);
        }
        let scale = 10_u64.pow(u32::try_from(chunk.len()).expect("at most 18"));
        let mut carry = u128::from(part);
        for limb in &mut limbs {
            let sum = u128::from(*limb) * u128::from(scale) + carry;
            *limb = sum as u64;
            carry = sum >> 64;
        }
        if carry != 0 {
            return None;
        }
    }
    let mut word = [0; 32];
    for (place, limb) in word.rchunks_exact_mut(8).zip(limbs) {
        place.copy_from_slice(&limb.to_be_bytes());
    }
    Some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_print_exactly() {
        let fixed = |number, decimals| {
            let mut out = Vec::new();
            push_fixed(&mut out, number, decimals);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(fixed(4_300, 4), "0.4300");
        assert_eq!(fixed(2_500, 2), "25.00");
        assert_eq!(fixed(7, 2), "0.07");
        assert_eq!(Digits::new(0).as_str(), "0");
        assert_eq!(Digits::new(u64::MAX).as_str(), u64::MAX.to_string());
    }

    #[test]
    fn words_parse_to_the_last_value_that_fits() {
        let max = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
        assert_eq!(parse_u256(max), Some([255; 32]));
        assert_eq!(parse_u256(&max.replace("9935", "9936")), None);
        assert_eq!(parse_u256("256").unwrap()[30..], [1, 0]);
        assert_eq!(parse_u256(""), None);
        assert_eq!(parse_u256("12x"), None);
    }

    #[test]
    fn hex_goes_both_ways() {
        let mut out = Vec::new();
        push_hex(&mut out, &[0, 0xab, 0x10]);
        assert_eq!(out, b"00ab10");
        assert_eq!(hex(&[0, 0xab, 0x10]), "00ab10");
        assert_eq!(parse_hex::<3>("0x00AB10"), Some([0, 0xab, 0x10]));
        assert_eq!(parse_hex::<3>("00ab1"), None);
        assert_eq!(parse_hex::<3>("00ab1g"), None);
        assert_eq!(parse_hex_vec("0xff00"), Some(vec![255, 0]));
    }
}
