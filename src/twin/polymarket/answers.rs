//! What the answers of all of Polymarket's hosts have in common: errors, cursors, and how values are written.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use surefoot_hot::ids::Outcome;
use surefoot_hot::units::{Nanos, Price, Usd};

use super::text;
use crate::twin::http::Response;

/// The answer to a request; an error is the venue's refusal, ready to be sent.
pub(super) type Answer = Result<Response, Response>;

/// An error answer. All hosts share this shape: an object with the field `error`.
pub(super) fn error(status: u16, text: &str) -> Response {
    Response::json(status, &json!({ "error": text }))
}

/// The row at which a cursor's page starts; `None` if the text is not a cursor. The cursor for "no more rows" is
/// base64 of `-1` and gives a row after every list.
pub(super) fn cursor(text: &str) -> Option<usize> {
    if text.is_empty() {
        return Some(0);
    }
    let digits = String::from_utf8(STANDARD.decode(text).ok()?).ok()?;
    if digits == "-1" { Some(usize::MAX) } else { digits.parse().ok() }
}

/// The cursor of the page that starts at row `offset`.
pub(super) fn cursor_text(offset: usize) -> String {
    STANDARD.encode(offset.to_string())
}

/// The venue's word for an outcome.
pub(super) const fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Yes => "Yes",
        Outcome::No => "No",
    }
}

/// A price as a JSON number in dollars.
pub(super) fn price_number(price: Price) -> Value {
    text::number::<4>(price.ticks().into())
}

/// An amount of money as a JSON number in dollars.
pub(super) fn usd_number(usd: Usd) -> Value {
    serde_json::from_str(&text::usd(usd.micros())).expect("digits and a point are JSON")
}

/// A time in whole seconds since 1970, rounded down.
pub(super) const fn secs(at: Nanos) -> u64 {
    at.get() / 1_000_000_000
}
