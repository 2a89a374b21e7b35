//! Any JSON into the readers of both venues' REST answers: an error, or what the answer says, and nothing that
//! it does not say.
//!
//! The oracle knows nothing of the readers' fields: every number, name and price that comes out must stand in
//! the answer, as text or number: exactly, or less than one of our units beside it where the answer is finer.

use super::said::Said;
use serde_json::Value;
use surefoot_cold::exec::answer::{Cancelled, Placed};
use surefoot_cold::json;
use surefoot_cold::venue::{kalshi, polymarket};
use surefoot_hot::ids::{MarketId, OrderId, Outcome};
use surefoot_hot::order::{Order, Tif};
use surefoot_hot::pack::Arbitrary;
use surefoot_hot::report::VenueState;
use surefoot_hot::units::{QTY_MAX, Qty, Usd};

/// Any body: no panic from any reader, and nothing made up.
pub fn read_any(body: &[u8]) {
    let value: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let said = Said::of(&value);
    polymarket_rows(&value, &said);
    kalshi_rows(&value, &said);
    metadata(&value, &said);
    for status in [0, 200, 201, 299, 400, 401, 404, 408, 409, 425, 429, 500, 503, 999] {
        placed(status, body, &value, &said);
        cancelled(status, body, &said);
        let _ = polymarket::answer::beat(status, body);
    }
    for text in &said.texts {
        let _ = (json::parse_time(text), json::parse_scaled(text, 6), kalshi::answer::state(text));
        let _ = kalshi::metadata::status(text);
    }
}

fn same<T: PartialEq + std::fmt::Debug>(read: impl Fn() -> T) -> T {
    let first = read();
    assert_eq!(first, read(), "the same body was read otherwise the second time");
    first
}

fn polymarket_rows(value: &Value, said: &Said) {
    use polymarket::rest;
    if let Ok(page) = rest::page(value) {
        said.text(page.next.unwrap_or_default());
        let rows = value.as_array().or_else(|| value.get("data")?.as_array()).map(Vec::len);
        assert_eq!(Some(page.rows.len()), rows, "a listing with rows of its own");
    }
    if let Ok(order) = same(|| rest::order(value)) {
        said.text(&order.name.token);
        said.qty(order.filled);
    }
    if let Ok(cash) = same(|| rest::cash(value)) {
        said.usd(cash);
        assert!(cash >= Usd::ZERO);
    }
    if let Ok(page) = same(|| rest::positions(value)) {
        said.text(page.next.as_deref().unwrap_or_default());
        let rows = value.get("data").and_then(Value::as_array).map(Vec::len);
        assert_eq!(Some(page.held.len() + page.nameless), rows, "a row of its own");
        for position in page.held {
            said.text(&position.token);
            said.text(&position.wallet);
            assert!(
                position.size.is_none_or(|size| size <= QTY_MAX),
                "rounded, so not said exactly"
            );
        }
    }
    let known = |_: &str| Some((MarketId::new(1), Outcome::Yes));
    for owner in ["owner", "somebody"] {
        let ours = rest::Ours { owner, order: &|_| false, token: &known };
        let fills = rest::fills(value, &ours).unwrap_or_default();
        said.fills(&fills);
        let named = said.texts.contains(owner) || said.texts.contains("TAKER");
        assert!(fills.is_empty() || named, "a fill that is somebody else's");
    }
}

fn kalshi_rows(value: &Value, said: &Said) {
    use kalshi::rest;
    for field in ["orders", "market_positions", "fills"] {
        if let Ok((rows, next)) = rest::page(value, field) {
            said.text(next.unwrap_or_default());
            let listed = value.get(field).and_then(Value::as_array).map(Vec::len);
            assert_eq!(Some(rows.len()), listed, "a listing with rows of its own");
        }
    }
    if let Ok(order) = same(|| rest::order(value)) {
        said.text(&order.name.id);
        said.text(&order.name.ticker);
        said.qty(order.filled);
    }
    if let Ok(told) = same(|| rest::fills(value, &|_| Some(MarketId::new(1)))) {
        said.fills(&told);
    }
    let none = rest::fills(value, &|_| None).unwrap_or_default();
    assert!(none.is_empty(), "a fill of no market");
    if let Ok(position) = same(|| rest::position(value)) {
        said.text(&position.ticker);
        assert!(position.yes.is_zero() || position.no.is_zero());
        said.qty(position.yes + position.no);
    }
    if let Ok(Some(cash)) = same(|| rest::balance_by_shard(value)) {
        cash.iter().for_each(|&(_, cash)| said.usd(cash));
    }
    if let Ok(cash) = same(|| rest::balance(value)) {
        said.usd(cash);
    }
}

fn metadata(value: &Value, said: &Said) {
    if let Ok(market) = same(|| polymarket::metadata::gamma(value)) {
        said.text(&market.names.yes_token);
        said.text(&market.names.no_token);
        assert!(market.names.condition_id.len() == 66);
        said.qty(market.min_qty);
        if let Some(pays) = market.yes_pays {
            said.price(pays);
        }
    }
    if let Ok(market) = same(|| kalshi::metadata::market(value)) {
        said.text(&market.ticker);
        said.text(&market.event_ticker);
        assert!(market.grid.slots() > 1);
    }
    let _ = same(|| kalshi::metadata::series(value));
    let _ = same(|| kalshi::metadata::event(value));
}

/// Any order, as small and as large as they come.
fn order() -> Order {
    let order: Order = Arbitrary::from_seed(4).value();
    Order { id: OrderId::new(0xa1), qty: Qty::from_contracts(10), ..order }
}

fn placed(status: u16, body: &[u8], value: &Value, said: &Said) {
    let id = [0x4c; 32];
    for tif in [Tif::Gtc, Tif::Ioc, Tif::Fok] {
        let order = Order { tif, ..order() };
        let polymarket = polymarket::answer::placed(status, body, &order, &id);
        let created = kalshi::answer::created(status, body, &order);
        said.text(created.order_id.as_deref().unwrap_or_default());
        for (venue, told) in [("polymarket", polymarket), ("kalshi", created.placed)] {
            let success = (200..=299).contains(&status);
            match told {
                Placed::Status { state, filled } => {
                    assert!(success, "{venue} said {status}, and we read {told:?}");
                    let filled = filled.unwrap_or(Qty::ZERO);
                    // a fill-or-kill that matched is filled whole, and nothing is said of a rest
                    let whole =
                        tif == Tif::Fok && state == VenueState::Filled && filled == order.qty;
                    if !filled.is_zero() && !whole {
                        said.qty(filled);
                    }
                }
                Placed::Rejected(_) | Placed::Exists if success => {
                    assert!(!said.texts.is_empty(), "{venue}: a refusal out of an empty answer");
                }
                Placed::Rejected(_) | Placed::Exists | Placed::Unknown => {}
            }
            if success && (value.is_null() || *value == serde_json::json!({})) {
                assert_eq!(told, Placed::Unknown, "{venue}: an answer that says nothing");
            }
        }
    }
}

fn cancelled(status: u16, body: &[u8], said: &Said) {
    let all = [
        kalshi::answer::cancelled(status, body, "a"),
        polymarket::answer::cancelled(status, body, &[0x4c; 32]),
    ];
    for told in all {
        if let Cancelled::Gone { reduced_by } = told {
            assert!((200..=299).contains(&status), "gone by an answer {status}");
            if let Some(off) = reduced_by {
                said.qty(off);
            }
        }
    }
}

/// Every member that a reader looks for, for bodies made from nothing.
pub const KEYS: &[&str] = &[
    "data",
    "next_cursor",
    "cursor",
    "order",
    "orders",
    "fills",
    "market_positions",
    "id",
    "asset_id",
    "asset",
    "token_id",
    "side",
    "price",
    "size",
    "current_size",
    "original_size",
    "size_matched",
    "status",
    "created_at",
    "owner",
    "trader_side",
    "taker_order_id",
    "maker_orders",
    "order_id",
    "matched_amount",
    "balance",
    "balance_dollars",
    "balance_breakdown",
    "exchange_index",
    "redeemable",
    "timestamp",
    "ticker",
    "client_order_id",
    "book_side",
    "outcome_side",
    "yes_price_dollars",
    "initial_count_fp",
    "fill_count_fp",
    "remaining_count_fp",
    "created_time",
    "trade_id",
    "count_fp",
    "fee_cost",
    "is_taker",
    "position_fp",
    "orderID",
    "success",
    "errorMsg",
    "error",
    "message",
    "code",
    "details",
    "makingAmount",
    "takingAmount",
    "fill_count",
    "remaining_count",
    "reduced_by",
    "canceled",
    "not_canceled",
    "heartbeat_id",
    "exchange_active",
    "trading_active",
    "pagination",
];

/// Answers as the venues send them, for mutating. Shapes: `polymarket.md` §4, `kalshi.md` §3, §5 and §8.
pub const GOOD: &[&str] = &[
    r#"{"limit":100,"next_cursor":"LTE=","count":1,"data":[{"id":"0x4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c","status":"LIVE","owner":"owner","asset_id":"1111","side":"BUY","original_size":"25","size_matched":"5.5","price":"0.47","created_at":1795000000}]}"#,
    r#"{"id":"0x4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c","status":"ORDER_STATUS_CANCELED","owner":"owner","asset_id":"1111","side":"SELL","original_size":"25.000001","size_matched":"24.999","price":"0.4725","created_at":"1795000000"}"#,
    r#"{"id":"t-1","taker_order_id":"0x4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c","asset_id":"1111","side":"BUY","size":"10","price":"0.53","status":"CONFIRMED","owner":"other","trader_side":"MAKER","maker_orders":[{"order_id":"0x5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d","owner":"owner","matched_amount":"3.5","price":"0.47","asset_id":"1112","side":"BUY"}]}"#,
    r#"{"balance":"123456789","allowances":{"0x1":"1"}}"#,
    r#"{"balance":"123.456789"}"#,
    r#"[{"asset":"1111","size":12.5,"redeemable":false,"curPrice":0.5},{"asset":"1112","size":0}]"#,
    r#"{"data":[{"token_id":"1111","current_size":"12.5","proxy_wallet":"0xaa","redeemable":false}],"pagination":{"next_cursor":"abc","has_more":true}}"#,
    r#"{"success":true,"errorMsg":"","orderID":"0x4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c","status":"matched","makingAmount":"4.7","takingAmount":"10"}"#,
    r#"{"success":true,"errorMsg":"","orderID":"0x4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c","status":"matched","makingAmount":"4700000","takingAmount":"10000000"}"#,
    r#"{"success":false,"errorMsg":"not enough balance / allowance","orderID":"","status":""}"#,
    r#"{"canceled":["0x4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c"],"not_canceled":{}}"#,
    r#"{"heartbeat_id":"b7a1"}"#,
    r#"{"order":{"order_id":"3b23c1c7","client_order_id":"sf-00000000000000a1","ticker":"KXONE-26-A","outcome_side":"yes","book_side":"bid","status":"resting","yes_price_dollars":"0.4300","initial_count_fp":"25.00","fill_count_fp":"5.00","remaining_count_fp":"20.00","created_time":"2026-11-20T18:00:00.131Z","exchange_index":2}}"#,
    r#"{"cursor":"next","orders":[{"order_id":"3b23c1c7"}],"fills":[],"market_positions":[{"ticker":"KXONE-26-A","position_fp":"-15.00"}]}"#,
    r#"{"ticker":"KXONE-26-A","position_fp":"-15.00","market_exposure_dollars":"6.45"}"#,
    r#"{"trade_id":"d91b","order_id":"3b23c1c7","ticker":"KXONE-26-A","book_side":"ask","count_fp":"5.00","yes_price_dollars":"0.4300","is_taker":false,"fee_cost":"0.017500"}"#,
    r#"{"balance":123456,"balance_dollars":"1234.5678","balance_breakdown":[{"exchange_index":0,"balance":"734.5678"},{"exchange_index":2,"balance":"500.0000"}]}"#,
    r#"{"balance":123456,"balance_dollars":"1234.5678"}"#,
    r#"{"order_id":"3b23c1c7","client_order_id":"sf-00000000000000a1","fill_count":"4.00","remaining_count":"6.00","ts_ms":1}"#,
    r#"{"order_id":"3b23c1c7","reduced_by":"6.00","ts_ms":1}"#,
    r#"{"error":{"code":"invalid_order","message":"invalid order","details":"post only cross"}}"#,
    r#"{"exchange_active":true,"trading_active":true,"exchange_index_statuses":[{"exchange_index":2,"exchange_active":true,"trading_active":false}]}"#,
    r#"{"market":{"ticker":"KXONE-26-A","event_ticker":"KXONE-26","market_type":"binary","title":"t","close_time":"2026-11-20T22:00:00Z","status":"finalized","result":"yes","settlement_value_dollars":"1.0000","price_ranges":[{"start":"0.0000","end":"0.1000","step":"0.0010"},{"start":"0.1000","end":"0.9000","step":"0.0100"},{"start":"0.9000","end":"1.0000","step":"0.0010"}],"exchange_index":2}}"#,
    r#"{"series":{"ticker":"KXONE","fee_type":"quadratic_with_maker_fees","fee_multiplier":0.5},"event":{"event_ticker":"KXONE-26","series_ticker":"KXONE","mutually_exclusive":true,"fee_type_override":"quadratic","fee_multiplier_override":1}}"#,
    r#"{"id":"3","version":"v1","question":"q","conditionId":"0x4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c","outcomes":"[\"Yes\",\"No\"]","clobTokenIds":"[\"1111\",\"1112\"]","orderPriceMinTickSize":0.01,"orderMinSize":5,"active":true,"closed":true,"acceptingOrders":true,"enableOrderBook":true,"endDate":"2026-07-25T00:15:00Z","umaResolutionStatus":"resolved","outcomePrices":"[\"1\",\"0\"]","feesEnabled":true,"feeSchedule":{"rate":0.07,"exponent":1,"takerOnly":true}}"#,
];
