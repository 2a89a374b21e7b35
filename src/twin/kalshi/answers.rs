//! What the answers of all of Kalshi's calls have in common: pages, filters and numbers of a query.

use serde_json::Value;

use super::order::Refusal;
use crate::twin::http::{Request, Response};

/// The answer to a request; an error is the venue's refusal, ready to be sent.
pub(super) type Answer = Result<Response, Response>;

pub(super) fn ok(value: &Value) -> Answer {
    Ok(Response::json(200, value))
}

/// `None`, `-1` and nothing at all leave it to the ticker.
pub(super) fn shard_of(text: Option<&str>) -> Result<Option<u8>, Refusal> {
    match text {
        None | Some("" | "-1") => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|_| Refusal::invalid("exchange_index")),
    }
}

pub(super) fn number(
    req: &Request,
    key: &'static str,
    usual: u64,
    most: u64,
) -> Result<u64, Response> {
    match req.query(key) {
        None | Some("") => Ok(usual),
        Some(text) => {
            let read = text.parse().ok().filter(|n| *n <= most);
            read.ok_or_else(|| Refusal::invalid(key).into())
        }
    }
}

/// One page of rows from the cursor on, and the cursor of the next. A cursor that is none starts over, as the
/// venue's does.
pub(super) fn page<'a, T>(
    req: &Request,
    rows: &'a [T],
    usual: u64,
    most: u64,
) -> Result<(&'a [T], String), Response> {
    let limit = usize::try_from(number(req, "limit", usual, most)?).expect("small");
    let from = req.query("cursor").and_then(|c| c.parse().ok()).unwrap_or(0).min(rows.len());
    let to = from.saturating_add(limit.max(1)).min(rows.len());
    let cursor = if to < rows.len() { to.to_string() } else { String::new() };
    Ok((&rows[from..to], cursor))
}

/// Whether `value` is one of a comma-separated list; a list that is not there takes everything.
pub(super) fn filter_csv(req: &Request, key: &str, value: &str) -> bool {
    let mut named = req.query_all(key).peekable();
    named.peek().is_none() || named.any(|one| one == value)
}

/// Whether seconds lie within `min_<key>` and `max_<key>`.
pub(super) fn within(req: &Request, key: &str, at: u64) -> bool {
    let bound = |prefix: &str| {
        req.query(&format!("{prefix}_{key}")).and_then(|text| text.parse::<u64>().ok())
    };
    bound("min").is_none_or(|min| min <= at) && bound("max").is_none_or(|max| at <= max)
}
