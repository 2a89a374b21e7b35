//! What Kalshi's answers prove. Source: venue reference, `kalshi.md` §3, compiled 2026-11-20.

use serde_json::Value;
use surefoot_hot::ids::OrderId;
use surefoot_hot::order::{Amend, Order};
use surefoot_hot::report::{Reject, VenueState};
use surefoot_hot::units::{Nanos, Qty};
use surefoot_hot::venue::kalshi::our_order_id;
use surefoot_hot::venue_mode::VenueMode;

use crate::exec::answer::{Amended, Cancelled, Placed, state_of};
use crate::exec::codec::ModeSaid;
use crate::http_answer::{holds, is_filter_page, parse};
use crate::json::{Object, as_qty, parse_time, scaled};

/// What the answer to a create says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    pub placed: Placed,
    /// The venue's id of the order, a UUID, where the answer names it: cancels go by it.
    pub order_id: Option<String>,
}

impl Created {
    const fn without_id(placed: Placed) -> Self {
        Self { placed, order_id: None }
    }
}

/// The words of codes, messages and details, the first that fits; codes may carry a suffix.
const WORDS: &[(&str, Placed)] = &[
    ("order_already_exists", Placed::Exists),
    ("insufficient_balance", Placed::Rejected(Reject::Funds)),
    ("insufficient balance", Placed::Rejected(Reject::Funds)),
    ("available_balance_too_low", Placed::Rejected(Reject::Funds)),
    ("post only cross", Placed::Rejected(Reject::Crossed)),
    ("post_only_cross", Placed::Rejected(Reject::Crossed)),
    ("fill_or_kill", Placed::Rejected(Reject::Killed)),
    ("fok_insufficient", Placed::Rejected(Reject::Killed)),
    ("insufficient_resting_volume", Placed::Rejected(Reject::Killed)),
    ("trading_is_paused", Placed::Rejected(Reject::Mode)),
    ("exchange_is_paused", Placed::Rejected(Reject::Mode)),
    ("trading_paused", Placed::Rejected(Reject::Mode)),
    ("exchange_paused", Placed::Rejected(Reject::Mode)),
    ("market_inactive", Placed::Rejected(Reject::Closed)),
    ("market_already_closed", Placed::Rejected(Reject::Closed)),
    ("market_closed", Placed::Rejected(Reject::Closed)),
    ("market_not_found", Placed::Rejected(Reject::Closed)),
    ("invalid_parameters", Placed::Rejected(Reject::Terms)),
    ("invalid_order", Placed::Rejected(Reject::Terms)),
    ("invalid_price", Placed::Rejected(Reject::Terms)),
    ("authentication_error", Placed::Rejected(Reject::Auth)),
    ("header_timestamp_expired", Placed::Rejected(Reject::Auth)),
];

/// What the answer to a create proves, for the order as sent.
pub fn created(status: u16, body: &[u8], order: &Order) -> Created {
    let json = parse(body);
    match status {
        200..=299 => accepted(&json, order),
        _ => Created::without_id(refused_whole(status, body, &json)),
    }
}

/// There is no status field: the two counts say it all. An order that self-trade prevention killed answers 201
/// with both zero, and an IOC's cancelled rest is not in `remaining_count`.
fn accepted(body: &Value, order: &Order) -> Created {
    let named = body.get("client_order_id").and_then(Value::as_str);
    if named.is_some_and(|name| our_order_id(name.as_bytes()) != Some(order.id)) {
        return Created::without_id(Placed::Unknown); // another order's answer: the query by our own id will tell
    }
    let order_id = body.get("order_id").and_then(Value::as_str).map(str::to_owned);
    let count = |field: &str| body.get(field).and_then(|value| scaled(value, 6)).and_then(as_qty);
    let placed = match (count("fill_count"), count("remaining_count")) {
        (Some(filled), Some(left)) => {
            let rests = order.tif.may_rest() && !left.is_zero();
            Placed::Status {
                state: state_of(filled, order.qty, Qty::ZERO, rests),
                filled: Some(filled),
            }
        }
        _ => Placed::Unknown,
    };
    Created { placed, order_id }
}

fn refused_whole(status: u16, body: &[u8], json: &Value) -> Placed {
    let own = matches!(status, 401 | 408 | 429) || !is_filter_page(status, body);
    if own { refused(status, json) } else { Placed::Rejected(Reject::Blocked) }
}

fn refused(status: u16, body: &Value) -> Placed {
    if status >= 500 || status == 408 {
        return Placed::Unknown; // a 5xx proves nothing, whatever it says (§3.9)
    }
    if status == 429 {
        return Placed::Rejected(Reject::Rate);
    }
    let words = words(body);
    if let Some((_, meaning)) =
        WORDS.iter().find(|(part, _)| words.iter().any(|word| holds(word, part)))
    {
        return *meaning;
    }
    Placed::Rejected(match status {
        401 | 403 => Reject::Auth,
        425 => Reject::Mode,
        404 => Reject::Closed,
        410 => Reject::Gone,
        409 => return Placed::Unknown, // a conflict of a kind not known: perhaps it exists
        _ => Reject::Other,
    })
}

/// Code, message and details, nested or flat: errors have four shapes. Details first: they say most.
fn words(body: &Value) -> [&str; 4] {
    let inner = body.get("error").filter(|error| error.is_object()).unwrap_or(body);
    let text = |field: &str| inner.get(field).and_then(Value::as_str).unwrap_or("");
    // "invalid_order" is matched after its details, which tell a post-only cross from a bad price
    let flat = body.get("error").and_then(Value::as_str).unwrap_or(text("msg"));
    [text("details"), text("code"), text("message"), flat]
}

/// What an answer says of what the venue takes (§1.4): its own status, which may also be the body of a 5xx, or the refusal of a
/// request about `shard`.
pub fn modes(status: u16, body: &[u8], shard: Option<u8>, said: &mut Vec<ModeSaid>) {
    let json = parse(body);
    if json.get("exchange_active").is_some() {
        return status_modes(&json, said);
    }
    let words = words(&json);
    let says = |part: &str| words.iter().any(|word| holds(word, part));
    let mode = if says("exchange_is_paused") || says("exchange_paused") {
        VenueMode::Shut
    } else if says("trading_is_paused") || says("trading_paused") {
        VenueMode::CancelOnly
    } else if status == 425 {
        VenueMode::Restarting
    } else {
        return;
    };
    said.push(ModeSaid { shard, mode, lasts: None, until: Nanos::ZERO, is_status: false });
}

/// The status of the exchange: a row for each shard, and above them the default one's.
fn status_modes(status: &Value, said: &mut Vec<ModeSaid>) {
    let resumes = status.get("exchange_estimated_resume_time").and_then(Value::as_str);
    let resumes = resumes.and_then(parse_time).unwrap_or(Nanos::ZERO);
    let read = |row: &Value, shard: Option<u8>| {
        let flag = |field: &str| row.get(field).and_then(Value::as_bool);
        let mode = match (flag("exchange_active")?, flag("trading_active")?) {
            (false, _) => VenueMode::Shut,
            (true, false) => VenueMode::CancelOnly,
            (true, true) => VenueMode::Open,
        };
        let until = if mode == VenueMode::Open { Nanos::ZERO } else { resumes };
        Some(ModeSaid { shard, mode, lasts: None, until, is_status: true })
    };
    let rows = status.get("exchange_index_statuses").and_then(Value::as_array);
    let shards = rows.into_iter().flatten().filter_map(|row| {
        let shard = row.get("exchange_index").and_then(Value::as_u64)?;
        read(row, Some(u8::try_from(shard).ok()?))
    });
    let before = said.len();
    said.extend(shards);
    if said.len() == before {
        said.extend(read(status, None)); // no rows: it speaks of all of them
    }
}

/// What the answer to a cancel or to one of a batch of cancels proves.
pub fn cancelled(status: u16, body: &[u8], order_id: &str) -> Cancelled {
    let body = parse(body);
    let named = body.get("order_id").and_then(Value::as_str);
    if named.is_some_and(|named| named != order_id) {
        return Cancelled::Unknown; // another order's answer
    }
    let paused = words(&body).iter().any(|word| holds(word, "paused"));
    match status {
        200..=299 => match Object::new("cancel", &body).qty("reduced_by") {
            // Nothing was taken off: it was over before, and that does not say with how much filled.
            Ok(Qty::ZERO) => Cancelled::Gone { reduced_by: None },
            Ok(off) => Cancelled::Gone { reduced_by: Some(off) },
            Err(_) => Cancelled::Unknown,
        },
        409 if paused => Cancelled::NotNow(Reject::Mode),
        429 => Cancelled::NotNow(Reject::Rate),
        401 | 403 => Cancelled::NotNow(Reject::Auth),
        400 | 404 | 409 | 410 => Cancelled::Refused,
        _ => Cancelled::Unknown,
    }
}

/// What the answer to an amend or a decrease proves. Both say what is left; an amend says what is filled besides.
pub fn amended(status: u16, body: &[u8], amend: &Amend, order_id: &str) -> Amended {
    let json = parse(body);
    let text = |field: &str| json.get(field).and_then(Value::as_str);
    let is_other = text("order_id").is_some_and(|named| named != order_id)
        || text("client_order_id")
            .is_some_and(|named| our_order_id(named.as_bytes()) != Some(amend.order));
    if is_other {
        return Amended::Unknown; // another order's answer
    }
    let count = |field: &str| json.get(field).and_then(|value| scaled(value, 6)).and_then(as_qty);
    match status {
        200..=299 => match (count("remaining_count"), count("fill_count")) {
            (Some(left), filled) => {
                // A decrease tells what is left of the new size alone.
                let filled = filled.or(amend.qty.checked_sub(left));
                // Nothing left is not all filled: self-trade prevention ends an order as well.
                let state = match filled {
                    _ if !left.is_zero() => VenueState::Resting,
                    Some(filled) if filled < amend.qty => VenueState::Cancelled,
                    _ => VenueState::Filled,
                };
                Amended::Done { state, filled }
            }
            (None, _) => Amended::Unknown,
        },
        404 => Amended::Gone,
        // It has those terms: told twice, or as it was told before (§3.3).
        400 if words(&json).iter().any(|word| holds(word, "no_op")) => {
            Amended::Done { state: VenueState::Resting, filled: None }
        }
        _ => match refused_whole(status, body, &json) {
            Placed::Rejected(why) => Amended::Refused(why),
            Placed::Status { .. } | Placed::Exists | Placed::Unknown => Amended::Unknown,
        },
    }
}

/// Which order of ours a row speaks of, where it names it.
pub fn row_order(row: &Value) -> Option<OrderId> {
    our_order_id(row.get("client_order_id")?.as_str()?.as_bytes())
}

/// Where an order stands, from the venue's three words; `None` for a fourth.
pub fn state(word: &str) -> Option<VenueState> {
    match word {
        "resting" => Some(VenueState::Resting),
        "canceled" => Some(VenueState::Cancelled),
        "executed" => Some(VenueState::Filled),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use surefoot_hot::ids::{Action, GroupId, MarketId, Outcome, Venue};
    use surefoot_hot::order::{Cancel, Purpose, Tif};
    use surefoot_hot::report::Report;
    use surefoot_hot::units::Price;

    use super::*;

    fn order(tif: Tif) -> Order {
        Order {
            id: OrderId::new(0xa1),
            epoch: 0,
            decided: Nanos::ZERO,
            group: GroupId::new(0),
            market: MarketId::new(0),
            venue: Venue::Kalshi,
            outcome: Outcome::Yes,
            action: Action::Buy,
            price: Price::from_ticks(5_600).unwrap(),
            qty: Qty::from_contracts(10),
            tif,
            expires: None,
            post_only: false,
            purpose: Purpose::Leg,
        }
    }

    #[test]
    fn the_two_counts_are_the_state() {
        use VenueState::{Cancelled, Filled, Resting};
        let rows = [
            (Tif::Gtc, "0.00", "10.00", Resting, 0),
            (Tif::Gtc, "4.00", "6.00", Resting, 4),
            (Tif::Gtc, "10.00", "0.00", Filled, 10),
            (Tif::Gtc, "0.00", "0.00", Cancelled, 0), // self-trade prevention
            (Tif::Ioc, "4.00", "0.00", Cancelled, 4),
            (Tif::Fok, "10.00", "0.00", Filled, 10),
        ];
        for (tif, filled, left, state, contracts) in rows {
            let body = format!(
                "{{\"order_id\":\"3b23\",\"client_order_id\":\"sf-00000000000000a1\",\"fill_count\":\"{filled}\",\
\"remaining_count\":\"{left}\",\"ts_ms\":1}}"
            );
            let filled = Some(Qty::from_contracts(contracts));
            let expected =
                Created { placed: Placed::Status { state, filled }, order_id: Some("3b23".into()) };
            assert_eq!(created(201, body.as_bytes(), &order(tif)), expected, "{body}");
        }
        assert_eq!(created(201, b"{}", &order(Tif::Gtc)).placed, Placed::Unknown);
        let other = br#"{"order_id":"9","client_order_id":"sf-00000000000000a2","fill_count":"10.00","remaining_count":"0.00"}"#;
        let nothing = Created::without_id(Placed::Unknown);
        assert_eq!(created(201, other, &order(Tif::Fok)), nothing, "another order's");
    }

    #[test]
    fn refusals() {
        use Placed::{Exists, Rejected, Unknown};
        let rows = [
            (
                400,
                r#"{"error":{"code":"insufficient_balance","message":"insufficient balance"}}"#,
                Rejected(Reject::Funds),
            ),
            (
                400,
                r#"{"error":{"code":"invalid_order","message":"invalid order","details":"post only cross"}}"#,
                Rejected(Reject::Crossed),
            ),
            (
                400,
                r#"{"error":{"code":"invalid_order","message":"invalid order","details":"bad price"}}"#,
                Rejected(Reject::Terms),
            ),
            (
                400,
                r#"{"error":{"code":"invalid_order","details":"FOK_INSUFFICIENT_VOLUME"}}"#,
                Rejected(Reject::Killed),
            ),
            (400, r#"{"code":"invalid_parameters","message":"x"}"#, Rejected(Reject::Terms)),
            (400, r#"{"msg":"something new"}"#, Rejected(Reject::Other)),
            (
                401,
                r#"{"error":{"code":"authentication_error","details":"INCORRECT_API_KEY_SIGNATURE"}}"#,
                Rejected(Reject::Auth),
            ),
            (403, "", Rejected(Reject::Auth)),
            (403, "<html>Sorry, you have been blocked</html>", Rejected(Reject::Blocked)),
            (302, "", Rejected(Reject::Blocked)),
            (429, "<html>slow down</html>", Rejected(Reject::Rate)),
            (425, r#"{"error":"too early"}"#, Rejected(Reject::Mode)),
            (504, "<html>gateway</html>", Unknown),
            (404, r#"{"error":{"code":"market_not_found:_1f"}}"#, Rejected(Reject::Closed)),
            (409, r#"{"error":{"code":"order_already_exists"}}"#, Exists),
            (409, r#"{"error":{"code":"trading_is_paused"}}"#, Rejected(Reject::Mode)),
            (409, r#"{"error":{"code":"MARKET_INACTIVE"}}"#, Rejected(Reject::Closed)),
            (409, r#"{"error":{"code":"new"}}"#, Unknown),
            (410, r#"{"error":{"code":"deprecated_v1_order_endpoint"}}"#, Rejected(Reject::Gone)),
            (429, r#"{"error":"too many requests"}"#, Rejected(Reject::Rate)),
            (500, r#"{"error":{"code":"insufficient_balance"}}"#, Unknown),
            (503, r#"{"exchange_active":false}"#, Unknown),
            (504, "", Unknown),
        ];
        for (code, body, expected) in rows {
            assert_eq!(
                created(code, body.as_bytes(), &order(Tif::Gtc)).placed,
                expected,
                "{code} {body}"
            );
        }
    }

    #[test]
    fn what_the_venue_takes_is_read_from_refusals_and_from_its_status() {
        use VenueMode::{CancelOnly, Open, Restarting, Shut};
        let read = |status, body: &str| {
            let mut said = Vec::new();
            modes(status, body.as_bytes(), Some(2), &mut said);
            said.into_iter()
                .map(|said| (said.shard, said.mode, said.until.get(), said.is_status))
                .collect::<Vec<_>>()
        };
        let row = |index, exchange, trading| {
            format!(
                r#"{{"exchange_index":{index},"exchange_active":{exchange},"trading_active":{trading}}}"#
            )
        };
        let status = |resumes: &str, rows: &[String]| {
            format!(
                r#"{{"exchange_active":true,"trading_active":false,"exchange_estimated_resume_time":{resumes},"exchange_index_statuses":[{}]}}"#,
                rows.join(",")
            )
        };
        let refusal = |code: &str| format!(r#"{{"error":{{"code":"{code}"}}}}"#);
        assert_eq!(read(409, &refusal("trading_is_paused")), [(Some(2), CancelOnly, 0, false)]);
        assert_eq!(read(409, &refusal("exchange_is_paused")), [(Some(2), Shut, 0, false)]);
        assert_eq!(read(425, ""), [(Some(2), Restarting, 0, false)]);
        for (code, body) in
            [(409, refusal("order_already_exists")), (503, String::new()), (200, "{}".into())]
        {
            assert_eq!(read(code, &body), [], "{code} {body}");
        }
        let rows = [row(0, true, true), row(2, true, false), row(3, false, false)];
        let secs = 1_795_197_600;
        let said = read(503, &status(r#""2026-11-20T18:00:00Z""#, &rows));
        assert_eq!(
            said,
            [
                (Some(0), Open, 0, true),
                (Some(2), CancelOnly, secs * 1_000_000_000, true),
                (Some(3), Shut, secs * 1_000_000_000, true)
            ],
            "each shard by its own row"
        );
        assert_eq!(read(200, &status("null", &[])), [(None, CancelOnly, 0, true)], "no rows");
    }

    #[test]
    fn a_cancel() {
        let off = Cancelled::Gone { reduced_by: Some(Qty::from_contracts(6)) };
        let rows = [
            (200, r#"{"order_id":"a","reduced_by":"6.00","ts_ms":1}"#, off),
            (200, r#"{"order_id":"b","reduced_by":"6.00"}"#, Cancelled::Unknown), // another order's
            (200, r#"{"order_id":"a","reduced_by":"0.00"}"#, Cancelled::Gone { reduced_by: None }),
            (200, "{}", Cancelled::Unknown),
            (404, r#"{"error":{"code":"not_found"}}"#, Cancelled::Refused),
            (400, r#"{"error":{"code":"MARKET_INACTIVE"}}"#, Cancelled::Refused),
            (409, r#"{"error":{"code":"exchange_is_paused"}}"#, Cancelled::NotNow(Reject::Mode)),
            (429, r#"{"error":"too many requests"}"#, Cancelled::NotNow(Reject::Rate)),
            (503, "", Cancelled::Unknown),
        ];
        for (code, body, expected) in rows {
            assert_eq!(cancelled(code, body.as_bytes(), "a"), expected, "{code} {body}");
        }
        let cancel = Cancel {
            order: OrderId::new(1),
            key: None,
            market: MarketId::new(0),
            venue: Venue::Kalshi,
            qty: Qty::from_contracts(10),
        };
        let Some(Report::Status(status)) = off.report(&cancel) else { panic!("a status") };
        assert_eq!(status.filled, Some(Qty::from_contracts(4)));
        assert_eq!(Cancelled::NotNow(Reject::Rate).report(&cancel), None);
        let (report, ask) = Placed::Exists.report(OrderId::new(1));
        assert!(ask && matches!(report, Report::TimedOut { .. }));
    }

    #[test]
    fn the_answer_to_a_change_says_what_is_left() {
        use surefoot_hot::order::{Amend, Change};
        let rests = order(Tif::Gtc);
        let to = Change { qty: Qty::from_contracts(8), ..Change::of(&rests) };
        let amend = Amend::new(&rests, &to, 1, Nanos::ZERO);
        let say = |status, body: &str| amended(status, body.as_bytes(), &amend, "3b23");
        let done = |state, contracts| Amended::Done {
            state,
            filled: Some(Qty::from_contracts(contracts)),
        };
        for (body, meaning) in [
            (
                r#"{"order_id":"3b23","client_order_id":"sf-00000000000000a1","remaining_count":"5.00","fill_count":"3.00"}"#,
                done(VenueState::Resting, 3),
            ),
            (
                r#"{"order_id":"3b23","remaining_count":"0.00","fill_count":"8.00"}"#,
                done(VenueState::Filled, 8),
            ),
            // killed by self-trade prevention once it crossed
            (
                r#"{"order_id":"3b23","remaining_count":"0.00","fill_count":"3.00"}"#,
                done(VenueState::Cancelled, 3),
            ),
            // a decrease
            (
                r#"{"order_id":"3b23","client_order_id":"sf-00000000000000a1","remaining_count":"5.00"}"#,
                done(VenueState::Resting, 3),
            ),
            (r#"{"order_id":"3b23"}"#, Amended::Unknown),
            (r#"{"order_id":"9999","remaining_count":"5.00"}"#, Amended::Unknown),
            (
                r#"{"client_order_id":"sf-00000000000000a2","remaining_count":"5.00"}"#,
                Amended::Unknown,
            ),
            ("", Amended::Unknown),
        ] {
            assert_eq!(say(200, body), meaning, "{body}");
        }
        for (status, body, meaning) in [
            (404, r#"{"error":{"code":"not_found"}}"#, Amended::Gone),
            (
                400,
                r#"{"error":{"code":"AMEND_ORDER_NO_OP"}}"#,
                Amended::Done { state: VenueState::Resting, filled: None },
            ),
            (400, r#"{"error":{"code":"insufficient_balance"}}"#, Amended::Refused(Reject::Funds)),
            (
                400,
                r#"{"error":{"code":"invalid_order","details":"post only cross"}}"#,
                Amended::Refused(Reject::Crossed),
            ),
            (409, r#"{"error":{"code":"trading_is_paused"}}"#, Amended::Refused(Reject::Mode)),
            (429, r#"{"error":"too many requests"}"#, Amended::Refused(Reject::Rate)),
            (403, "<html>blocked</html>", Amended::Refused(Reject::Blocked)),
            (500, r#"{"error":{"code":"internal"}}"#, Amended::Unknown),
        ] {
            assert_eq!(say(status, body), meaning, "{status} {body}");
        }
    }
}
