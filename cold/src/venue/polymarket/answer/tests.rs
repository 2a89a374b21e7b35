use surefoot_hot::ids::{GroupId, MarketId, OrderId, Outcome, Venue};
use surefoot_hot::order::Purpose;
use surefoot_hot::units::{Nanos, Price};

use super::*;

const ID: Word = [0xab; 32];

fn order(action: Action, tif: Tif) -> Order {
    Order {
        id: OrderId::new(1),
        epoch: 0,
        decided: Nanos::ZERO,
        group: GroupId::new(0),
        market: MarketId::new(0),
        venue: Venue::Polymarket,
        outcome: Outcome::Yes,
        action,
        price: Price::from_ticks(5_200).unwrap(),
        qty: Qty::from_contracts(10),
        tif,
        expires: None,
        post_only: false,
        purpose: Purpose::Leg,
    }
}

fn status(state: VenueState, contracts: Option<u64>) -> Placed {
    Placed::Status { state, filled: contracts.map(Qty::from_contracts) }
}

#[test]
fn an_accepted_order() {
    use Action::{Buy, Sell};
    use VenueState::{Cancelled, Delayed, Filled, Resting};
    let rows = [
        (Buy, Tif::Gtc, "live", "", "", status(Resting, Some(0))),
        (Buy, Tif::Gtc, "delayed", "0", "0", status(Delayed, Some(0))),
        (Buy, Tif::Gtc, "unmatched", "", "", status(Resting, None)),
        (Buy, Tif::Ioc, "unmatched", "", "", Placed::Unknown),
        (Buy, Tif::Gtc, "matched", "5.2", "10", status(Filled, Some(10))),
        (Buy, Tif::Gtc, "matched", "2.08", "4", status(Resting, Some(4))),
        (Buy, Tif::Ioc, "matched", "2.08", "4", status(Cancelled, Some(4))),
        (Sell, Tif::Ioc, "matched", "4", "2.08", status(Cancelled, Some(4))),
        (Sell, Tif::Fok, "matched", "10", "5.2", status(Filled, Some(10))),
        (Buy, Tif::Fok, "matched", "5200000", "10000000", status(Filled, Some(10))),
        (Buy, Tif::Fok, "matched", "", "", status(Filled, Some(10))),
        (Buy, Tif::Ioc, "matched", "", "", Placed::Unknown),
        (Buy, Tif::Gtc, "a new word", "", "", Placed::Unknown),
    ];
    let id = "ab".repeat(32);
    for (action, tif, word, making, taking, expected) in rows {
        let body = format!(
            "{{\"success\":true,\"errorMsg\":\"\",\"orderID\":\"0x{id}\",\"status\":\"{word}\",\
\"makingAmount\":\"{making}\",\"takingAmount\":\"{taking}\"}}"
        );
        assert_eq!(placed(200, body.as_bytes(), &order(action, tif), &ID), expected, "{body}");
    }
    let dust =
        format!("{{\"orderID\":\"0x{id}\",\"status\":\"matched\",\"takingAmount\":\"9.99\"}}");
    let Placed::Status { state, .. } = placed(200, dust.as_bytes(), &order(Buy, Tif::Gtc), &ID)
    else {
        panic!("accepted")
    };
    assert_eq!(state, Filled, "within dust of its size");
    let other = placed(200, dust.as_bytes(), &order(Buy, Tif::Gtc), &[0; 32]);
    assert_eq!(other, Placed::Unknown, "another order's id");
}

#[test]
fn a_refused_or_open_order() {
    use Placed::{Exists, Rejected, Unknown};
    let rows = [
        (
            200,
            r#"{"success":true,"errorMsg":"not enough balance / allowance","orderID":"","status":""}"#,
            Rejected(Reject::Funds),
        ),
        (
            200,
            r#"{"success":false,"orderID":null,"errorMsg":"Insufficient balance"}"#,
            Rejected(Reject::Funds),
        ),
        (
            200,
            r#"{"success":true,"errorMsg":"post-only mode: only post-only orders","orderID":""}"#,
            Rejected(Reject::Mode),
        ),
        (
            200,
            r#"{"success":false,"orderID":"","errorMsg":"something new"}"#,
            Rejected(Reject::Other),
        ),
        (
            403,
            "<!DOCTYPE html><title>Attention Required! | Cloudflare</title>Sorry, you have been blocked",
            Rejected(Reject::Blocked),
        ),
        (403, "error code: 1015", Rejected(Reject::Blocked)),
        (302, "", Rejected(Reject::Blocked)),
        (401, "Unauthorized", Rejected(Reject::Auth)),
        (429, "<html>slow down</html>", Rejected(Reject::Rate)),
        (502, "<html>bad gateway</html>", Unknown),
        (408, r#"{"error":"not enough balance / allowance"}"#, Unknown),
        (504, r#"{"error":"not enough balance / allowance"}"#, Unknown),
        (200, r#"{"success":true,"orderID":"","errorMsg":""}"#, Unknown),
        (200, "not json", Unknown),
        (400, r#"{"error":"order 0xab is invalid. Duplicated."}"#, Exists),
        (
            400,
            r#"{"error":"invalid post-only order: order crosses book"}"#,
            Rejected(Reject::Crossed),
        ),
        (
            400,
            r#"{"error":"order 0xab is invalid. Price (0.5) breaks minimum tick size rule: 0.01"}"#,
            Rejected(Reject::Terms),
        ),
        (
            400,
            r#"{"error":"order 0xab is invalid. Size (1) lower than the minimum: 5"}"#,
            Rejected(Reject::Terms),
        ),
        (
            400,
            r#"{"error":"order couldn't be fully filled. FOK orders are fully filled or killed."}"#,
            Rejected(Reject::Killed),
        ),
        (
            400,
            r#"{"error":"no orders found to match with FAK order. FAK orders are partially filled or killed if no match is found."}"#,
            Rejected(Reject::Killed),
        ),
        (
            400,
            r#"{"error":"invalid amount for a marketable BUY order ($0.5), min size: $1"}"#,
            Rejected(Reject::Terms),
        ),
        (
            400,
            r#"{"error":"the market is not yet ready to process new orders"}"#,
            Rejected(Reject::Closed),
        ),
        (400, r#"{"error":"order_version_mismatch"}"#, Rejected(Reject::Auth)),
        (400, r#"{"error":"order match delayed due to market conditions"}"#, Unknown),
        (400, r#"{"error":"order timed out"}"#, Rejected(Reject::Other)),
        (401, r#"{"error":"Unauthorized/Invalid api key"}"#, Rejected(Reject::Auth)),
        (403, "<html>", Rejected(Reject::Blocked)),
        (
            404,
            r#"{"error":"No orderbook exists for the requested token id"}"#,
            Rejected(Reject::Closed),
        ),
        (408, "", Unknown),
        (425, "", Rejected(Reject::Mode)),
        (429, "", Rejected(Reject::Rate)),
        (500, r#"{"error":"there are no matching orders"}"#, Rejected(Reject::Killed)),
        (500, r#"{"error":"the trade contains rounding issues"}"#, Rejected(Reject::Terms)),
        (500, r#"{"error":"could not insert order"}"#, Unknown),
        (500, r#"{"error":"Internal server error"}"#, Unknown),
        (502, "", Unknown),
        (
            503,
            r#"{"error":"post-only mode: only post-only orders and cancels are allowed","code":"post_only_mode","retry_after_seconds":79}"#,
            Rejected(Reject::Mode),
        ),
        (
            503,
            r#"{"error":"Trading is currently cancel-only. New orders are not accepted, but cancels are allowed."}"#,
            Rejected(Reject::Mode),
        ),
        (503, "", Unknown),
        (504, "", Unknown),
    ];
    for (code, body, expected) in rows {
        let got = placed(code, body.as_bytes(), &order(Action::Buy, Tif::Gtc), &ID);
        assert_eq!(got, expected, "{code} {body}");
    }
}

/// A refused leg of a batch says `success` too.
#[test]
fn the_id_decides_and_not_the_word_success() {
    let body = br#"{"success":true,"orderID":"","errorMsg":"not enough balance / allowance"}"#;
    let got = placed(200, body, &order(Action::Buy, Tif::Gtc), &ID);
    assert_eq!(got, Placed::Rejected(Reject::Funds));
}

#[test]
fn a_cancel() {
    let id = "ab".repeat(32);
    let gone = format!("{{\"canceled\":[\"0x{id}\"],\"not_canceled\":{{}}}}");
    let kept = format!(
        "{{\"canceled\":[],\"not_canceled\":{{\"0x{id}\":\"already canceled or matched\"}}}}"
    );
    let rows = [
        (200, gone.as_str(), Cancelled::Gone { reduced_by: None }),
        (200, kept.as_str(), Cancelled::Refused),
        (200, "{\"canceled\":[],\"not_canceled\":{}}", Cancelled::Unknown),
        (200, "", Cancelled::Unknown),
        (425, "", Cancelled::NotNow(Reject::Mode)),
        (429, "", Cancelled::NotNow(Reject::Rate)),
        (500, "", Cancelled::Unknown),
        (503, "{\"error\":\"Trading is currently disabled.\"}", Cancelled::NotNow(Reject::Mode)),
    ];
    for (code, body, expected) in rows {
        assert_eq!(cancelled(code, body.as_bytes(), &ID), expected, "{code} {body}");
    }
}

#[test]
fn a_cancel_of_everything_is_confirmed_where_nothing_stayed() {
    let held =
        r#"{"canceled":["0xaa"],"not_canceled":{"0xbb":"order is delayed and can't be canceled"}}"#;
    for (status, body, confirmed) in [
        (200, r#"{"canceled":["0xaa"],"not_canceled":{}}"#, true),
        (200, r#"{"canceled":[]}"#, true),
        (200, held, false),
        (200, r#"{"error":"something new"}"#, false),
        (200, "", false),
        (503, r#"{"canceled":[],"not_canceled":{}}"#, false),
    ] {
        assert_eq!(all_cancelled(status, body.as_bytes()), confirmed, "{status} {body}");
    }
}

#[test]
fn a_beat() {
    assert_eq!(beat(200, br#"{"heartbeat_id":"a"}"#), Beat::Armed("a".into()));
    let wrong = br#"{"error_msg":"Invalid Heartbeat ID","heartbeat_id":"b"}"#;
    assert_eq!(beat(400, wrong), Beat::Resend("b".into()));
    assert_eq!(beat(500, b""), Beat::Failed);
    assert_eq!(beat(200, b"{}"), Beat::Failed);
    for id in ["a\\\"b", "a b", &"a".repeat(65)] {
        let body = format!("{{\"heartbeat_id\":\"{id}\"}}");
        assert_eq!(
            beat(200, body.as_bytes()),
            Beat::Failed,
            "{id} would stand in the next body as it is"
        );
    }
}

#[test]
fn what_the_venue_takes_is_read_from_refusals() {
    use VenueMode::{CancelOnly, PostOnly, Restarting, Shut};
    let post_only = r#"{"error":"post-only mode: only post-only orders and cancels are allowed","code":"post_only_mode","retry_after_seconds":79}"#;
    let cancel_only = r#"{"error":"Trading is currently cancel-only. New orders are not accepted, but cancels are allowed."}"#;
    let disabled = r#"{"error":"Trading is currently disabled. Check polymarket.com for updates"}"#;
    let rows = [
        (425, "", None, Some((Restarting, None))),
        (425, "", Some(3), Some((Restarting, Some(3)))),
        (503, post_only, Some(80), Some((PostOnly, Some(79)))),
        (503, cancel_only, Some(100_000), Some((CancelOnly, Some(MODE_SECS_MAX)))),
        (503, disabled, None, Some((Shut, None))),
        (503, "", None, None),
        (400, r#"{"error":"not enough balance"}"#, None, None),
    ];
    for (status, body, retry_after, expected) in rows {
        let said = mode(status, body.as_bytes(), retry_after);
        let lasts = |said: ModeSaid| said.lasts.map(|lasts| lasts.get() / 1_000_000_000);
        assert_eq!(said.map(|said| (said.mode, lasts(said))), expected, "{status} {body}");
        assert!(said.is_none_or(|said| said.shard.is_none() && !said.is_status));
    }
}
