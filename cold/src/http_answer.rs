//! What an HTTP answer says by itself, whichever venue it comes from.

use serde_json::Value;

/// The body as JSON, or null where it is none.
pub(crate) fn parse(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or(Value::Null)
}

/// Whether a refusal comes from a filter in front of the venue: the venue's servers answer in JSON or not at all, a filter with a
/// page, and a redirect leads to one.
pub(crate) fn is_filter_page(status: u16, body: &[u8]) -> bool {
    let body = body.trim_ascii();
    // By its beginning alone: of a long answer only that may have been kept.
    let page = !body.is_empty() && !matches!(body[0], b'{' | b'[' | b'"');
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_answers_with_a_page_and_the_venue_in_json_or_not_at_all() {
        for body in ["", " \n", r#"{"error":"no"}"#, r#" {"error":"cut"#, r#""no""#, "[]"] {
            assert!(refuses_credentials(403, body.as_bytes()), "{body}");
        }
        for body in ["<html>blocked</html>", "Forbidden", "error code: 1010"] {
            assert!(!refuses_credentials(403, body.as_bytes()), "{body}");
            assert!(refuses_credentials(401, body.as_bytes()), "{body}");
        }
        assert!(is_filter_page(302, b"{}") && !is_filter_page(502, b"<html>"));
    }
}
