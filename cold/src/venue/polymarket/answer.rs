//! What Polymarket's answers prove. Source: venue reference, `polymarket.md` §1.7, §4.1 to §4.3 and §4.8,
//! compiled 2026-11-20.

use serde_json::Value;
use surefoot_hot::ids::Action;
use surefoot_hot::order::{Order, Tif};
use surefoot_hot::report::{Reject, VenueState};
use surefoot_hot::units::{Nanos, Qty};
use surefoot_hot::venue_mode::VenueMode;

use super::eip712::Word;
use crate::exec::answer::{Cancelled, Placed, state_of};
use crate::exec::codec::ModeSaid;
use crate::http_answer::{holds, is_filter_page, parse};
use crate::json::{as_qty, parse_scaled};
use crate::text::parse_hex;

/// An order this close to its size is filled: sums of fills end up to 0.01 below it (`polymarket.md` §10, 9).
pub const DUST: Qty = Qty::from_micros(10_000);

/// The longest time that an answer may say a mode lasts: a strange one must not keep us away for days.
const MODE_SECS_MAX: u64 = 600;

/// The longest id of a heartbeat that is sent back: those of the venue are UUIDs (§1.6).
const BEAT_ID_BYTES_MAX: usize = 64;

/// What the venue's words mean, the first that fits; matched by substring. `None`: the fate stays open.
const WORDS: &[(&str, Option<Placed>)] = &[
    ("duplicated", Some(Placed::Exists)),
    ("not enough balance", rejected(Reject::Funds)),
    ("insufficient balance", rejected(Reject::Funds)),
    ("post-only mode", rejected(Reject::Mode)),
    ("cancel-only", rejected(Reject::Mode)),
    ("trading is currently disabled", rejected(Reject::Mode)),
    ("crosses book", rejected(Reject::Crossed)),
    ("crosses the book", rejected(Reject::Crossed)),
    ("couldn't be fully filled", rejected(Reject::Killed)),
    ("no orders found to match", rejected(Reject::Killed)),
    ("no matching orders", rejected(Reject::Killed)),
    ("filled or killed", rejected(Reject::Killed)),
    ("minimum tick size", rejected(Reject::Terms)),
    ("lower than the minimum", rejected(Reject::Terms)),
    ("invalid amount", rejected(Reject::Terms)),
    ("max accuracy", rejected(Reject::Terms)),
    ("invalid expiration", rejected(Reject::Terms)),
    ("invalid nonce", rejected(Reject::Terms)),
    ("invalid order payload", rejected(Reject::Terms)),
    ("rounding issues", rejected(Reject::Terms)),
    ("discrepancy greater than allowed", rejected(Reject::Terms)),
    ("not yet ready", rejected(Reject::Closed)),
    ("no orderbook exists", rejected(Reject::Closed)),
    ("order_version_mismatch", rejected(Reject::Auth)),
    ("api key", rejected(Reject::Auth)),
    ("request headers", rejected(Reject::Auth)),
    ("maker address not allowed", rejected(Reject::Auth)),
    ("banned", rejected(Reject::Auth)),
    ("closed only mode", rejected(Reject::Auth)),
    ("invalid signature", rejected(Reject::Auth)),
    ("match delayed", None),
    ("could not insert order", None),
];

const fn rejected(why: Reject) -> Option<Placed> {
    Some(Placed::Rejected(why))
}

/// What the answer to `POST /order` proves, for the order as sent and its id.
pub fn placed(status: u16, body: &[u8], order: &Order, id: &Word) -> Placed {
    let json = parse(body);
    match status {
        200..=299 => accepted(&json, order, id),
        _ => refused(status, body, &json),
    }
}

/// The id decides, never `success`: a refused leg of a batch says `true` too.
fn accepted(body: &Value, order: &Order, id: &Word) -> Placed {
    let text = |field: &str| body.get(field).and_then(Value::as_str).unwrap_or("");
    if text("orderID").is_empty() {
        let said = !message(body).is_empty();
        return if said { refused(200, b"", body) } else { Placed::Unknown };
    }
    if parse_hex::<32>(text("orderID")) != Some(*id) {
        return Placed::Unknown; // not our order's answer: the query by our own id will tell
    }
    let rests = order.tif.may_rest();
    match text("status") {
        "live" => Placed::Status { state: VenueState::Resting, filled: Some(Qty::ZERO) },
        "delayed" => Placed::Status { state: VenueState::Delayed, filled: Some(Qty::ZERO) },
        // accepted, marketable, found nothing: what may rest rests; how it ended otherwise must be asked
        "unmatched" if rests => Placed::Status { state: VenueState::Resting, filled: None },
        "matched" => match shares(order, text("makingAmount"), text("takingAmount")) {
            Some(filled) => Placed::Status {
                state: state_of(filled, order.qty, DUST, rests),
                filled: Some(filled),
            },
            None if order.tif == Tif::Fok => {
                Placed::Status { state: VenueState::Filled, filled: Some(order.qty) }
            }
            None => Placed::Unknown,
        },
        _ => Placed::Unknown,
    }
}

/// The shares of a match: what a buyer takes, what a seller makes. In whole units, or by older pages in
/// millionths: a whole number a thousand times the order is the latter.
fn shares(order: &Order, making: &str, taking: &str) -> Option<Qty> {
    let text = if order.action == Action::Buy { taking } else { making };
    let whole = parse_scaled(text, 6)?;
    let too_many = i128::from(order.qty.micros()) * 1_000;
    as_qty(if whole > too_many && !text.contains('.') { whole / 1_000_000 } else { whole })
}

/// What a refusal proves. A definite word counts under any status but a time-out, where nobody can say what came of the
/// order; without one, a 4xx is definite and a 5xx is not.
fn refused(status: u16, body: &[u8], json: &Value) -> Placed {
    if matches!(status, 408 | 504) {
        return Placed::Unknown;
    }
    let message = message(json);
    if let Some((_, meaning)) = WORDS.iter().find(|(part, _)| holds(message, part)) {
        return meaning.unwrap_or(Placed::Unknown);
    }
    match status {
        425 => Placed::Rejected(Reject::Mode), // the engine restarts: refused before it was looked at
        429 => Placed::Rejected(Reject::Rate),
        401 => Placed::Rejected(Reject::Auth),
        _ if is_filter_page(status, body) => Placed::Rejected(Reject::Blocked),
        403 => Placed::Rejected(Reject::Auth),
        410 => Placed::Rejected(Reject::Gone),
        200..=499 => Placed::Rejected(Reject::Other),
        _ => Placed::Unknown,
    }
}

/// What an answer says of what the venue takes (§1.7); `None` where it says nothing of it.
pub fn mode(status: u16, body: &[u8], retry_after: Option<u32>) -> Option<ModeSaid> {
    let json = parse(body);
    let says = |part: &str| holds(message(&json), part);
    let mode = if says("post-only mode") {
        VenueMode::PostOnly
    } else if says("cancel-only") {
        VenueMode::CancelOnly
    } else if says("trading is currently disabled") {
        VenueMode::Shut
    } else if status == 425 {
        VenueMode::Restarting
    } else {
        return None;
    };
    let secs = json.get("retry_after_seconds").and_then(Value::as_u64);
    let secs = secs.or(retry_after.map(u64::from)).map(|secs| secs.min(MODE_SECS_MAX));
    let lasts = secs.map(Nanos::from_secs);
    Some(ModeSaid { shard: None, mode, lasts, until: Nanos::ZERO, is_status: false })
}

fn message(body: &Value) -> &str {
    ["errorMsg", "error", "error_msg", "message"]
        .into_iter()
        .find_map(|field| body.get(field).and_then(Value::as_str).filter(|text| !text.is_empty()))
        .unwrap_or("")
}

/// What the answer to a cancel of `id` proves; the same for one and for several.
pub fn cancelled(status: u16, body: &[u8], id: &Word) -> Cancelled {
    let body = parse(body);
    match status {
        200..=299 => {
            let is_ours = |text: &str| parse_hex::<32>(text) == Some(*id);
            let gone = body
                .get("canceled")
                .and_then(Value::as_array)
                .is_some_and(|ids| ids.iter().filter_map(Value::as_str).any(is_ours));
            let refused = body
                .get("not_canceled")
                .and_then(Value::as_object)
                .is_some_and(|ids| ids.keys().any(|text| is_ours(text)));
            match (gone, refused) {
                (true, _) => Cancelled::Gone { reduced_by: None },
                (false, true) => Cancelled::Refused,
                (false, false) => Cancelled::Unknown,
            }
        }
        425 => Cancelled::NotNow(Reject::Mode),
        429 => Cancelled::NotNow(Reject::Rate),
        503 if holds(message(&body), "disabled") => Cancelled::NotNow(Reject::Mode),
        404 => Cancelled::Refused,
        401 | 403 => Cancelled::NotNow(Reject::Auth),
        _ => Cancelled::Unknown,
    }
}

/// Whether the answer to a cancel of everything says that nothing rests any more. What stayed is listed, an order that the venue
/// holds back before it matches among it (§4.6): it may come to rest yet.
pub fn all_cancelled(status: u16, body: &[u8]) -> bool {
    let body = parse(body);
    let stayed =
        body.get("not_canceled").and_then(Value::as_object).is_some_and(|ids| !ids.is_empty());
    (200..300).contains(&status) && body.get("canceled").is_some_and(Value::is_array) && !stayed
}

/// What the answer to a heartbeat says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Beat {
    /// Armed; the next beat carries this id.
    Armed(String),
    /// The id was not the expected one: beat again at once with this one.
    Resend(String),
    /// No beat: the venue may cancel everything within 15 s.
    Failed,
}

/// Reads the answer to a heartbeat.
pub fn beat(status: u16, body: &[u8]) -> Beat {
    let body = parse(body);
    let id = body.get("heartbeat_id").and_then(Value::as_str).filter(|id| is_beat_id(id));
    match (status, id) {
        (200..=299, Some(id)) => Beat::Armed(id.to_owned()),
        (400, Some(id)) => Beat::Resend(id.to_owned()),
        _ => Beat::Failed,
    }
}

/// Whether a text may be the id of a heartbeat: it goes into the next one as it is.
fn is_beat_id(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    !id.is_empty() && id.len() <= BEAT_ID_BYTES_MAX && id.bytes().all(plain)
}

#[cfg(test)]
mod tests;
