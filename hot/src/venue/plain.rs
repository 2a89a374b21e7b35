//! Frames outside the plain dialect, rewritten into it with the library's help.
//!
//! The rewritten frame goes through the very same reader, so there is one interpretation of a message. This
//! path allocates; it is for what a venue has not been seen to send.

use serde_json::{Number, Value};

/// More digits than this do not survive the library's binary numbers.
const EXACT_DIGITS_MAX: usize = 15;

/// Rewrites `frame` into `out` without escapes and exponents; numbers keep their digits. `None` where the
/// library finds that it is not JSON. A name given twice stays so, and is refused: no telling which is meant.
///
/// A quote, backslash, control character or byte beyond ASCII within a text becomes `?`: no word that means
/// anything here holds one. A number whose exponent cannot be undone exactly becomes a text.
pub fn rewrite(frame: &[u8], out: &mut Vec<u8>) -> Option<()> {
    serde_json::from_slice::<Value>(frame).ok()?;
    out.clear();
    let mut at = 0;
    while let Some(&byte) = frame.get(at) {
        let length = match byte {
            b'"' => {
                let length = text_length(&frame[at..]);
                write_text(&serde_json::from_slice::<String>(&frame[at..at + length]).ok()?, out);
                length
            }
            b'-' | b'0'..=b'9' => {
                let rest = &frame[at..];
                let is_part =
                    |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
                let length = rest.iter().take_while(|byte| is_part(byte)).count();
                write_number(&rest[..length], out);
                length
            }
            _ => {
                out.push(byte);
                1
            }
        };
        at += length;
    }
    Some(())
}

/// Bytes of the text that `rest` begins with, quotes included.
fn text_length(rest: &[u8]) -> usize {
    let mut at = 1;
    while let Some(&byte) = rest.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    rest.len()
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend(text.bytes().map(|byte| match byte {
        b'"' | b'\\' | 0..0x20 | 0x80.. => b'?',
        byte => byte,
    }));
    out.push(b'"');
}

fn write_number(number: &[u8], out: &mut Vec<u8>) {
    if !number.iter().any(|byte| matches!(byte, b'e' | b'E')) {
        return out.extend_from_slice(number);
    }
    let digits = number.iter().filter(|byte| byte.is_ascii_digit()).count();
    let undone = serde_json::from_slice::<Number>(number).map(|number| number.to_string());
    match undone {
        Ok(undone) if digits <= EXACT_DIGITS_MAX && !undone.contains('e') => {
            out.extend_from_slice(undone.as_bytes());
        }
        _ => {
            out.push(b'"');
            out.extend_from_slice(number);
            out.push(b'"');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dialect_is_plain() {
        let mut out = Vec::new();
        let frame =
            br#"{"a\u0062":"x\"y\u00e9\\" ,"n":5e-1, "l":[null,-1,0.30000000000000000001,5e99]}"#;
        assert!(rewrite(frame, &mut out).is_some());
        let plain = br#"{"ab":"x?y???" ,"n":0.5, "l":[null,-1,0.30000000000000000001,"5e99"]}"#;
        assert_eq!(out, plain, "{}", String::from_utf8_lossy(&out));
        assert!(rewrite(b"{", &mut out).is_none());
    }
}
