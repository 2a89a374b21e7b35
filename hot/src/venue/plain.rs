//! Frames outside the plain dialect, rewritten into it with the library's help.
//!
//! The rewritten frame goes through the very same reader, so there is one interpretation of a message. This
//! path allocates; it is for what a venue has not been seen to send.

use serde_json::Value;

/// Rewrites `frame` into `out` without escapes, exponents and names given twice (the last one counts).
/// `None` where it is not JSON.
///
/// A quote, backslash or control character within a text becomes `?`: no word that means anything here
/// holds one.
pub fn rewrite(frame: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let value: Value = serde_json::from_slice(frame).ok()?;
    out.clear();
    write_value(&value, out);
    Some(())
}

fn write_value(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => out.extend_from_slice(number.to_string().as_bytes()),
        Value::String(text) => write_text(text, out),
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_value(item, out);
            }
            out.push(b']');
        }
        Value::Object(members) => {
            out.push(b'{');
            for (index, (name, item)) in members.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_text(name, out);
                out.push(b':');
                write_value(item, out);
            }
            out.push(b'}');
        }
    }
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend(text.bytes().map(|byte| match byte {
        b'"' | b'\\' | 0..0x20 => b'?',
        byte => byte,
    }));
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dialect_is_plain() {
        let mut out = Vec::new();
        let frame = br#"{"a\u0062":"x\"y","n":1e-1,"n":5e-1, "l":[null,true,0.05]}"#;
        assert!(rewrite(frame, &mut out).is_some());
        assert_eq!(out, br#"{"ab":"x?y","n":0.5,"l":[null,true,0.05]}"#);
        assert!(rewrite(b"{", &mut out).is_none());
    }
}
