//! What an HTTP answer says by itself, whichever venue it comes from.

use serde_json::Value;

/// The body as JSON, or null where it is none.
pub(crate) fn parse(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or(Value::Null)
}

/// Whether a refusal comes from a filter in front of the venue: the venue's servers answer in JSON or not at all, a filter with a
/// page, and a redirect leads to one.
pub(crate) fn is_filter_page(status: u16, body: &[u8]) -> bool {
    let page = !body.trim_ascii().is_empty() && parse(body).is_null();
    (300..400).contains(&status) || (page && (400..500).contains(&status))
}

/// Whether the venue itself refuses who asked: a key that was revoked, has expired, is of another account or lacks the right.
pub(crate) fn refuses_credentials(status: u16, body: &[u8]) -> bool {
    status == 401 || (status == 403 && !is_filter_page(status, body))
}

/// Whether `text` holds `part`, whatever the case.
pub(crate) fn holds(text: &str, part: &str) -> bool {
    text.len() >= part.len()
        && text
            .as_bytes()
            .windows(part.len())
            .any(|window| window.eq_ignore_ascii_case(part.as_bytes()))
}
