//! Own orders, fills, balances and positions from REST, for reconciliation.
//!
//! A fill read here has the same id as the one the user stream tells. Source: venue reference, `polymarket.md`
//! §4.4, §4.5, §4.7 and §6.4, compiled 2026-11-20.

use serde_json::Value;
use surefoot_hot::ids::{Action, MarketId, OrderRef, Outcome, Side, VenueKey};
use surefoot_hot::report::{Fill, Finality, Liquidity, OrderStatus, VenueState};
use surefoot_hot::units::{Nanos, Price, Qty, Usd};
use surefoot_hot::venue::{fill_id, fine, venue_key};

use super::answer::DUST;
use super::eip712::Word;
use crate::exec::answer::state_of;
use crate::json::{Object, ReadError, as_qty, scaled, scaled_nearest};
use crate::json_fields::Fields;
use crate::text::parse_hex;

/// Where the first page begins.
pub const CURSOR_FIRST: &str = "MA==";
/// What the last page's cursor says.
pub const CURSOR_LAST: &str = "LTE=";

/// One page of a listing.
#[derive(Clone, Debug)]
pub struct Page<'a> {
    pub rows: &'a [Value],
    /// Where the next one begins; `None` after the last.
    pub next: Option<&'a str>,
}

/// Reads the envelope of `/data/orders` and `/data/trades`; a bare array is one whole page.
///
/// # Errors
/// No rows.
pub fn page(body: &Value) -> Result<Page<'_>, ReadError> {
    if let Some(rows) = body.as_array() {
        return Ok(Page { rows, next: None });
    }
    let object = Object::new("page", body);
    let next = Some(object.text_or_empty("next_cursor"));
    let next = next.filter(|cursor| !cursor.is_empty() && *cursor != CURSOR_LAST);
    Ok(Page { rows: object.list("data")?, next })
}

/// Which order a row of a listing is: enough to name it, whatever else the row says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderName {
    /// The order's EIP-712 digest, which is its id at the venue.
    pub id: Word,
    /// The outcome's decimal id; empty where the row does not say.
    pub token: String,
}

impl OrderName {
    /// The name the core knows it by.
    pub fn key(&self) -> VenueKey {
        venue_key(&self.id)
    }
}

/// Reads which order a row of `/data/orders` is. An order rests whatever its price or its size looks like.
///
/// # Errors
/// The row has no id.
pub fn order_name(row: &Value) -> Result<OrderName, ReadError> {
    let object = Object::new("order", row);
    let id = parse_hex(object.text("id")?).ok_or(object.error("id"))?;
    Ok(OrderName { id, token: object.text_or_empty("asset_id").to_owned() })
}

/// One order of ours as the venue lists it. Its price and size are ours to know: we set them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderRow {
    /// What the venue and we call it.
    pub name: OrderName,
    pub filled: Qty,
    pub state: VenueState,
    /// When it was made; zero where the row does not say.
    pub created: Nanos,
}

impl OrderRow {
    /// The same as a report to the core.
    pub fn status(&self) -> OrderStatus {
        let order = OrderRef::Key(self.name.key());
        OrderStatus { order, state: self.state, filled: Some(self.filled) }
    }
}

/// Reads one order of `/data/orders` or `/data/order/{id}`.
///
/// # Errors
/// A field is absent, or a status word is not known.
pub fn order(row: &Value) -> Result<OrderRow, ReadError> {
    // the single answer is wrapped by some deployments
    let row = row.get("order").unwrap_or(row);
    let object = Object::new("order", row);
    let filled = object.fine_qty("size_matched")?;
    let word = object.text("status")?;
    let word = word.strip_prefix("ORDER_STATUS_").unwrap_or(word);
    let state = match word {
        "LIVE" | "UNMATCHED" => VenueState::Resting,
        "DELAYED" => VenueState::Delayed,
        "MATCHED" => VenueState::Filled,
        _ if word.starts_with("CANCEL") || word.starts_with("INVALID") || word == "EXPIRED" => {
            match state_of(filled, object.fine_qty("original_size")?, DUST, false) {
                VenueState::Cancelled if word == "EXPIRED" => VenueState::Expired,
                state => state,
            }
        }
        _ => return Err(object.error("status")),
    };
    let created = match object.get("created_at") {
        Some(value @ Value::Number(_)) => crate::json::parse_time(&value.to_string()),
        Some(Value::String(text)) => crate::json::parse_time(text),
        _ => None,
    };
    let created = created.unwrap_or(Nanos::ZERO);
    Ok(OrderRow { name: order_name(row)?, filled, state, created })
}

/// Whose orders and markets a trade is read for.
pub struct Ours<'a> {
    /// The API key's UUID.
    pub owner: &'a str,
    /// Whether an order is ours though its row names no owner.
    pub order: &'a dyn Fn(&Word) -> bool,
    /// Which market and outcome a decimal id is; `None` where we do not follow it.
    pub token: &'a dyn Fn(&str) -> Option<(MarketId, Outcome)>,
}

/// Reads one row of `/data/trades`: every fill of ours in it. None where its markets are not followed.
///
/// We are the taker where the row says so, or without a word where the taker's order is ours; else each maker
/// row of ours is a fill with its own outcome, side and price, which may be the complement of the taker's.
///
/// # Errors
/// A field is absent or a word is not known.
pub fn fills(row: &Value, ours: &Ours<'_>) -> Result<Vec<Fill>, ReadError> {
    let trade = Object::new("trade", row);
    if !is_followed(&trade, ours)? {
        return Ok(Vec::new()); // whatever else the row says, it is not about our markets
    }
    let (trade_id, word) = (trade.text("id")?, trade.text("status")?);
    let finality = match word.strip_prefix("TRADE_STATUS_").unwrap_or(word) {
        "MATCHED" | "MATCHED_NOT_BROADCASTED" | "MINED" | "RETRYING" => Finality::Provisional,
        "CONFIRMED" => Finality::Final,
        "FAILED" => Finality::Failed,
        _ => return Err(trade.error("status")),
    };
    let taker_id: Word =
        parse_hex(trade.text("taker_order_id")?).ok_or(trade.error("taker_order_id"))?;
    let taker_token = trade.text("asset_id")?;
    let taker_action = action(&trade, "side")?;
    let matched = trade.told_time(&["match_time_nano", "match_time", "matchtime"]);
    let mut found = Vec::new();
    let mut push = |id: Word, token: &str, action: Action, row: &Object<'_>, size, liquidity| {
        let (price, qty) = (row.fine_price("price")?, row.fine_qty(size)?);
        let Some((market, outcome)) = (ours.token)(token) else { return Ok(()) };
        let key = venue_key(&id);
        let fill = Fill {
            fill: fill_id(trade_id.as_bytes(), key),
            order: OrderRef::Key(key),
            market,
            side: Side::of(outcome, action),
            price: Price::ZERO, // its parts have theirs
            qty,
            fee: None, // the venue states no amount; ours is computed
            liquidity,
            finality,
            venue_time: matched,
        };
        found.extend(fine::parts(fill, outcome, action, price).into_iter().flatten());
        Ok(())
    };
    let is_taker = match trade.text_or_empty("trader_side") {
        "TAKER" => true,
        "MAKER" => (ours.order)(&taker_id), // both, where two of our orders met
        _ => trade.text_or_empty("owner") == ours.owner || (ours.order)(&taker_id),
    };
    if is_taker {
        push(taker_id, taker_token, taker_action, &trade, "size", Liquidity::Taker)?;
    }
    for maker in trade.get("maker_orders").and_then(Value::as_array).into_iter().flatten() {
        let maker = Object::new("maker order", maker);
        let owner = maker.text_or_empty("owner");
        let owned = !owner.is_empty() && owner == ours.owner;
        let id: Word = match parse_hex(maker.text("order_id")?) {
            Some(id) if owned || (ours.order)(&id) => id,
            None if owned => return Err(maker.error("order_id")),
            _ => continue, // another trader's row: its form does not matter
        };
        let token = maker.text("asset_id")?;
        let maker_action = maker_action(&maker, token == taker_token, taker_action)?;
        push(id, token, maker_action, &maker, "matched_amount", Liquidity::Maker)?;
    }
    Ok(found)
}

/// Whether a trade is about an outcome that we follow, on its taker's side or a maker's.
fn is_followed(trade: &Object<'_>, ours: &Ours<'_>) -> Result<bool, ReadError> {
    let makers = trade.get("maker_orders").and_then(Value::as_array).into_iter().flatten();
    let mut tokens = makers.filter_map(|maker| maker.get("asset_id").and_then(Value::as_str));
    let taker = trade.text("asset_id")?;
    Ok((ours.token)(taker).is_some() || tokens.any(|token| (ours.token)(token).is_some()))
}

/// Reads the collateral of `/balance-allowance`: millionths of a dollar as an integer text or, in some answers, dollars
/// as a decimal one.
///
/// # Errors
/// No balance, or one below zero.
pub fn cash(body: &Value) -> Result<Usd, ReadError> {
    let object = Object::new("balance", body);
    let value = object.get("balance").ok_or(object.error("balance"))?;
    let whole_units = value.as_str().is_some_and(|text| text.contains('.')) || value.is_f64();
    let micros = if whole_units { scaled_nearest(value, 6) } else { scaled(value, 0) };
    let micros = micros.and_then(|micros| i64::try_from(micros).ok()).filter(|&micros| micros >= 0);
    micros.map(Usd::from_micros).ok_or(object.error("balance"))
}

/// Shares of one outcome held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The outcome's decimal id.
    pub token: String,
    /// How many; `None` where the row's figure cannot be read.
    pub size: Option<Qty>,
    /// The wallet that holds them, as the row writes it; empty where it does not say.
    pub wallet: String,
}

/// One page of the positions of a wallet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Positions {
    /// One row for each outcome.
    pub held: Vec<Position>,
    /// Rows that do not say of what.
    pub nameless: usize,
    /// Where the next page begins; `None` after the last.
    pub next: Option<String>,
}

/// What [`positions`] reads, of the three dozen fields that a row has.
pub const POSITION_FIELDS: Fields = Fields(&[
    "data",
    "pagination",
    "has_more",
    "next_cursor",
    "token_id",
    "current_size",
    "proxy_wallet",
]);

/// Reads one page of the Data API's `/v2/positions`: `{data, pagination}` (`polymarket.md` §7.4, 2026-11-29). Version 1,
/// a bare array, was retired on 2026-10-24 and is refused.
///
/// # Errors
/// The envelope lacks a field, or no row says of what it is: another schema is not an empty list.
pub fn positions(body: &Value) -> Result<Positions, ReadError> {
    let object = Object::new("positions", body);
    let rows = object.list("data")?;
    let pagination = object.get("pagination").ok_or(object.error("pagination"))?;
    let pagination = Object::new("pagination of positions", pagination);
    let has_more = pagination.get("has_more").and_then(Value::as_bool);
    let has_more = has_more.ok_or(pagination.error("has_more"))?;
    let mut page = Positions::default();
    for row in rows {
        let row = Object::new("position", row);
        let Ok(token) = row.text("token_id") else {
            page.nameless += 1;
            continue;
        };
        let size = row.get("current_size").and_then(|size| scaled_nearest(size, 6));
        page.held.push(Position {
            token: token.to_owned(),
            size: size.and_then(as_qty),
            wallet: row.text_or_empty("proxy_wallet").to_owned(),
        });
    }
    if page.held.is_empty() && page.nameless > 0 {
        return Err(ReadError { what: "position", field: "token_id" });
    }
    if has_more {
        page.next = Some(pagination.text("next_cursor")?.to_owned());
    }
    Ok(page)
}

/// By how many shares of YES and NO one row of `/data/trades` changed our account, in millionths; nothing where the
/// trade failed. Ours is what our wallet or our key traded, by whatever program.
///
/// # Errors
/// A field is absent or a word is not known.
pub fn change(row: &Value, wallet: &str, ours: &Ours<'_>) -> Result<[i128; 2], ReadError> {
    let trade = Object::new("trade", row);
    let word = trade.text("status")?;
    let mut change = [0_i128; 2];
    if word.strip_prefix("TRADE_STATUS_").unwrap_or(word) == "FAILED" {
        return Ok(change);
    }
    let mut add = |token: &str, action: Action, qty: Qty| {
        if let Some((_, outcome)) = (ours.token)(token) {
            let micros = i128::from(qty.micros());
            change[outcome.index()] += if action == Action::Buy { micros } else { -micros };
        }
    };
    let is_ours = |part: &Object<'_>| {
        part.text_or_empty("maker_address").eq_ignore_ascii_case(wallet)
            || part.text_or_empty("owner") == ours.owner
    };
    let taker_token = trade.text("asset_id")?;
    let taker_action = action(&trade, "side")?;
    match trade.text_or_empty("trader_side") {
        "MAKER" => {}
        "TAKER" => add(taker_token, taker_action, trade.fine_qty("size")?),
        _ if is_ours(&trade) => add(taker_token, taker_action, trade.fine_qty("size")?),
        _ => {}
    }
    for maker in trade.get("maker_orders").and_then(Value::as_array).into_iter().flatten() {
        let maker = Object::new("maker order", maker);
        if is_ours(&maker) {
            let token = maker.text("asset_id")?;
            let action = maker_action(&maker, token == taker_token, taker_action)?;
            add(token, action, maker.fine_qty("matched_amount")?);
        }
    }
    Ok(change)
}

/// What a maker did in a trade. Where its row has no side (§6.4) the taker's tells: in the taker's own token the two are on
/// opposite sides, else both bought, and two tokens were made, or both sold, and two were merged.
fn maker_action(
    maker: &Object<'_>,
    in_takers_token: bool,
    taker: Action,
) -> Result<Action, ReadError> {
    match (maker.text_or_empty("side"), taker) {
        ("", Action::Buy) if in_takers_token => Ok(Action::Sell),
        ("", Action::Sell) if in_takers_token => Ok(Action::Buy),
        ("", _) => Ok(taker),
        _ => action(maker, "side"),
    }
}

fn action(object: &Object<'_>, field: &'static str) -> Result<Action, ReadError> {
    match object.text(field)? {
        "BUY" => Ok(Action::Buy),
        "SELL" => Ok(Action::Sell),
        _ => Err(object.error(field)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn hex(byte: &str) -> String {
        format!("0x{}", byte.repeat(32))
    }

    #[test]
    fn orders_by_their_word() {
        let row = |status: &str, filled: &str| {
            json!({"id": hex("ab"), "status": status, "asset_id": "71", "side": "BUY", "original_size": "100",
                "size_matched": filled, "price": "0.5", "created_at": 1_795_132_800_u64, "order_type": "GTC"})
        };
        let rows = [
            ("LIVE", "25", Some(VenueState::Resting)),
            ("ORDER_STATUS_LIVE", "0", Some(VenueState::Resting)),
            ("MATCHED", "100", Some(VenueState::Filled)),
            ("CANCELED", "25", Some(VenueState::Cancelled)),
            ("CANCELED_MARKET_RESOLVED", "25", Some(VenueState::Cancelled)),
            ("CANCELED", "99.995", Some(VenueState::Filled)),
            ("INVALID", "0", Some(VenueState::Cancelled)),
            ("NEW_WORD", "0", None),
        ];
        for (word, filled, expected) in rows {
            assert_eq!(order(&row(word, filled)).ok().map(|row| row.state), expected, "{word}");
        }
        let read = order(&row("LIVE", "25")).unwrap();
        assert_eq!((read.filled, read.name.token.as_str()), (Qty::from_contracts(25), "71"));
        assert_eq!(read.created.get(), 1_795_132_800_000_000_000);
        assert_eq!(order(&json!({"id": "0x12"})).unwrap_err().what, "order");
        for (field, value) in [
            ("price", json!("0.5199999")),
            ("original_size", json!("99.9999999")),
            ("size_matched", json!("25.0000001")),
            ("side", json!("LEND")),
        ] {
            let mut odd = row("LIVE", "25");
            odd[field] = value;
            assert_eq!(order(&odd), Ok(read.clone()), "{field} says nothing that we do not know");
        }
    }

    #[test]
    fn a_mint_is_our_own_no_buy() {
        let trade = json!({"id": "c1f9", "taker_order_id": hex("99"), "market": "0xdd", "asset_id": "yes",
            "side": "BUY", "size": "25", "price": "0.52", "status": "MINED", "owner": "other", "trader_side": "MAKER",
            "match_time": "1795132805", "match_time_nano": "1795132805123456789",
            "maker_orders": [{"order_id": hex("77"), "owner": "us", "matched_amount": "20", "price": "0.48",
                "asset_id": "no", "side": "BUY"},
                {"order_id": hex("66"), "owner": "them", "matched_amount": "5", "price": "0.52", "asset_id": "yes"}]});
        let token = |token: &str| {
            let outcome = if token == "yes" { Outcome::Yes } else { Outcome::No };
            Some((MarketId::new(3), outcome))
        };
        let ours = Ours { owner: "us", order: &|_| false, token: &token };
        let found = fills(&trade, &ours).unwrap();
        let key = venue_key(&[0x77; 32]);
        assert_eq!(
            found,
            [Fill {
                fill: fill_id(b"c1f9", key),
                order: OrderRef::Key(key),
                market: MarketId::new(3),
                side: Side::Ask, // buying NO at 0.48 is selling YES at 0.52
                price: Price::from_ticks(5_200).unwrap(),
                qty: Qty::from_contracts(20),
                fee: None,
                liquidity: Liquidity::Maker,
                finality: Finality::Provisional,
                venue_time: Nanos::new(1_795_132_805_123_456_789),
            }]
        );
        let mut later = trade.clone();
        later["match_time_nano"] = Value::Null;
        let told = |row: &Value| fills(row, &ours).unwrap()[0].venue_time;
        assert_eq!(told(&later), Nanos::from_secs(1_795_132_805));
        later["match_time"] = json!("2026-11-20T18:00:05Z");
        assert_eq!(told(&later), Nanos::from_secs(1_795_197_605));
        later["match_time"] = json!("soon");
        assert_eq!(told(&later), Nanos::ZERO, "what is not read is not told");
        let taker = Ours { owner: "other", order: &|id| *id == [0x99; 32], token: &token };
        let found = fills(&trade, &taker).unwrap();
        assert_eq!((found.len(), found[0].side), (1, Side::Bid));
        assert_eq!(found[0].liquidity, Liquidity::Taker);
        // a maker without a side, in the taker's own token, is on the other side
        let bare = Ours { owner: "x", order: &|id| *id == [0x66; 32], token: &token };
        assert_eq!(fills(&trade, &bare).unwrap()[0].side, Side::Ask);
        let unknown = Ours { owner: "us", order: &|_| true, token: &|_| None };
        assert!(fills(&trade, &unknown).unwrap().is_empty());
    }

    #[test]
    fn balances_and_pages() {
        let cases = [
            (json!("1000000000"), Some(1_000_000_000)),
            (json!("250.500000"), Some(250_500_000)),
            (json!("250.5000004"), Some(250_500_000)),
            (json!(250.500_000_000_000_03), Some(250_500_000)),
            (json!("-1"), None),
            (json!("all"), None),
            (json!(null), None),
        ];
        for (balance, micros) in cases {
            let read = cash(&json!({ "balance": balance })).ok();
            assert_eq!(read, micros.map(Usd::from_micros), "{balance}");
        }
        let body = json!({"data": [1], "next_cursor": "LTE="});
        assert!(page(&body).unwrap().next.is_none());
        let body = json!({"data": [], "next_cursor": "Mg=="});
        assert_eq!(page(&body).unwrap().next, Some("Mg=="));
    }

    fn v2(rows: &Value, more: &Value) -> Value {
        json!({"data": rows, "pagination": {"has_more": more, "next_cursor": "c2"}})
    }

    #[test]
    fn positions_of_version_two_page_by_page() {
        let row = |token: &str, size: Value| {
            json!({"proxy_wallet": "0x1", "token_id": token, "condition_id": "0xc1", "current_size": size,
                "avg_price": 0.5, "total_size": 900, "status": "OPEN", "redeemable": false})
        };
        let sizes = [
            (json!("12.5"), Some(12_500_000)),
            (json!(150.500_000_000_000_03), Some(150_500_000)),
            (json!(7.142_857_142_857_143), Some(7_142_857)),
            (json!(0.999_999_999_9), Some(1_000_000)),
            (json!(-1), None),
            (json!("many"), None),
            (json!(null), None),
        ];
        for (size, micros) in sizes {
            let page = positions(&v2(&json!([row("71", size.clone())]), &json!(false))).unwrap();
            assert_eq!(page.held[0].size, micros.map(Qty::from_micros), "{size}");
            assert_eq!((page.held[0].token.as_str(), page.next), ("71", None));
        }
        let page = positions(&v2(&json!([row("71", json!(1))]), &json!(true))).unwrap();
        assert_eq!(page.next.as_deref(), Some("c2"));
        let rows = json!([row("71", json!(1)), {"token_id": null, "current_size": 1}]);
        let page = positions(&v2(&rows, &json!(false))).unwrap();
        assert_eq!((page.held.len(), page.nameless), (1, 1));
    }

    #[test]
    fn an_answer_of_another_shape_is_no_empty_list() {
        let good = v2(&json!([]), &json!(false));
        assert_eq!(positions(&good), Ok(Positions::default()));
        let old = json!([{"asset": "71", "size": 150.5, "redeemable": true}]);
        let renamed = v2(&json!([{"asset": "71", "size": 150.5}]), &json!(false));
        let bad = [
            old,
            renamed,
            json!({}),
            json!(null),
            json!({"data": []}),
            json!({"data": {}, "pagination": {"has_more": false}}),
            json!({"data": [], "pagination": {}}),
            json!({"data": [], "pagination": {"has_more": true, "next_cursor": null}}),
        ];
        for body in bad {
            assert!(positions(&body).is_err(), "{body}");
        }
    }

    #[test]
    fn a_row_of_a_market_that_is_not_followed_is_not_read_any_further() {
        let ours = Ours { owner: "us", order: &|_| true, token: &|_| None };
        for (price, size, status) in
            [("0.5", "3", "SETTLING"), ("0.5199992", "3", "MINED"), ("0.5", "3.1234567", "MINED")]
        {
            let row = json!({"id": "f1", "taker_order_id": hex("99"), "market": "0xff", "asset_id": "777",
                "side": "BUY", "size": size, "price": price, "status": status, "owner": "x",
                "trader_side": "TAKER", "maker_orders": []});
            assert_eq!(fills(&row, &ours), Ok(vec![]));
        }
    }

    #[test]
    fn a_market_history_counts_what_our_wallet_traded_by_whatever_program() {
        let token = |token: &str| match token {
            "yes" => Some((MarketId::new(3), Outcome::Yes)),
            "no" => Some((MarketId::new(3), Outcome::No)),
            _ => None,
        };
        let ours = Ours { owner: "us", order: &|_| false, token: &token };
        let row = |status: &str, side: &str, role: &str| {
            json!({"status": status, "asset_id": "yes", "side": side, "size": "25", "trader_side": role,
                "owner": "web", "maker_orders": [
                    {"owner": "web", "maker_address": "0xAB", "matched_amount": "20", "asset_id": "no", "side": "BUY"},
                    {"owner": "them", "maker_address": "0xcd", "matched_amount": "5", "asset_id": "yes", "side": "SELL"}]})
        };
        let mut finer = row("CONFIRMED", "BUY", "TAKER");
        (finer["size"], finer["price"]) = (json!("25.0000004"), json!("0.5199992"));
        finer["maker_orders"][0]["matched_amount"] = json!("20.0000009");
        let mut sideless = row("CONFIRMED", "SELL", "MAKER");
        sideless["maker_orders"][0]["side"] = json!(null);
        let cases = [
            (sideless, [0, -20_000_000]), // both sold, and the pair was merged
            (row("CONFIRMED", "BUY", "TAKER"), [25_000_000, 20_000_000]), // both sides were ours
            (row("MATCHED", "SELL", "TAKER"), [-25_000_000, 20_000_000]),
            (row("TRADE_STATUS_MINED", "BUY", "MAKER"), [0, 20_000_000]),
            (row("FAILED", "BUY", "TAKER"), [0, 0]),
            (finer, [25_000_000, 20_000_000]),
        ];
        for (row, expected) in cases {
            assert_eq!(change(&row, "0xab", &ours), Ok(expected), "{row}");
        }
        assert!(change(&json!({"status": "MINED"}), "0xab", &ours).is_err());
    }
}
