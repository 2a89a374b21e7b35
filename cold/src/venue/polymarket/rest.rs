//! Own orders, fills, balances and positions from REST, for reconciliation.
//!
//! A fill read here has the same id as the one the user stream tells. Source: venue reference, `polymarket.md`
//! §4.4, §4.5, §4.7 and §6.4, compiled 2026-11-20.

use serde_json::Value;
use surefoot_hot::ids::{Action, MarketId, Outcome, Side, VenueKey};
use surefoot_hot::report::{Fill, Finality, OrderRef, OrderStatus, VenueState};
use surefoot_hot::units::{Nanos, Price, Qty, Usd};
use surefoot_hot::venue::fill_id;

use super::answer::DUST;
use super::eip712::Word;
use super::signer::venue_key;
use crate::venue::answer::state_of;
use crate::venue::json::{Object, ReadError, as_qty, scaled};
use crate::venue::text::parse_hex;

/// Where the first page begins.
pub const CURSOR_FIRST: &str = "MA==";
/// What the last page's cursor says.
pub const CURSOR_LAST: &str = "LTE=";

/// One page of a listing.
#[derive(Clone, Debug)]
pub struct Page<'a> {
    /// Its rows.
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

/// One order of ours as the venue lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderRow {
    /// Its id.
    pub id: Word,
    /// The outcome's decimal id.
    pub token: String,
    /// Which way.
    pub action: Action,
    /// Price of that outcome.
    pub price: Price,
    /// Shares wanted at first.
    pub size: Qty,
    /// Shares filled.
    pub filled: Qty,
    /// Where it stands.
    pub state: VenueState,
    /// When it was made.
    pub created: Nanos,
}

impl OrderRow {
    /// The name the core knows it by.
    pub fn key(&self) -> VenueKey {
        venue_key(&self.id)
    }

    /// As a report.
    pub fn status(&self) -> OrderStatus {
        let order = OrderRef::Key(self.key());
        OrderStatus { order, state: self.state, filled: Some(self.filled) }
    }
}

/// Reads one order of `/data/orders` or `/data/order/{id}`.
///
/// # Errors
/// A field is absent, or a status word is not known.
pub fn order(row: &Value) -> Result<OrderRow, ReadError> {
    // the single answer is wrapped by some deployments
    let object = Object::new("order", row.get("order").unwrap_or(row));
    let (size, filled) = (object.qty("original_size")?, object.qty("size_matched")?);
    let word = object.text("status")?;
    let word = word.strip_prefix("ORDER_STATUS_").unwrap_or(word);
    let state = match word {
        "LIVE" | "UNMATCHED" => VenueState::Resting,
        "DELAYED" => VenueState::Delayed,
        "MATCHED" => VenueState::Filled,
        _ if word.starts_with("CANCEL") || word.starts_with("INVALID") || word == "EXPIRED" => {
            state_of(filled, size, DUST, false)
        }
        _ => return Err(object.error("status")),
    };
    let created = match object.get("created_at") {
        Some(value @ Value::Number(_)) => crate::venue::json::parse_time(&value.to_string()),
        Some(Value::String(text)) => crate::venue::json::parse_time(text),
        _ => None,
    };
    Ok(OrderRow {
        id: parse_hex(object.text("id")?).ok_or(object.error("id"))?,
        token: object.text("asset_id")?.to_owned(),
        action: action(&object, "side")?,
        price: object.price("price")?,
        size,
        filled,
        state,
        created: created.unwrap_or(Nanos::ZERO),
    })
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
    let mut found = Vec::new();
    let mut push = |id: Word, token: &str, action: Action, price: Price, qty: Qty, taker: bool| {
        let Some((market, outcome)) = (ours.token)(token) else { return };
        let key = venue_key(&id);
        found.push(Fill {
            fill: fill_id(trade_id.as_bytes(), key),
            order: OrderRef::Key(key),
            market,
            side: Side::of(outcome, action),
            price: if outcome == Outcome::Yes { price } else { price.complement() },
            qty,
            fee: None, // the venue states no amount; ours is computed
            taker,
            finality,
        });
    };
    let is_taker = match trade.text_or_empty("trader_side") {
        "TAKER" => true,
        "MAKER" => (ours.order)(&taker_id), // both, where two of our orders met
        _ => trade.text_or_empty("owner") == ours.owner || (ours.order)(&taker_id),
    };
    if is_taker {
        push(taker_id, taker_token, taker_action, trade.price("price")?, trade.qty("size")?, true);
    }
    for maker in trade.get("maker_orders").and_then(Value::as_array).into_iter().flatten() {
        let maker = Object::new("maker order", maker);
        let owner = maker.text_or_empty("owner");
        let owned = !owner.is_empty() && owner == ours.owner;
        let id: Word = match parse_hex(maker.text("order_id")?) {
            Some(id) if owned || (ours.order)(&id) => id,
            None if owned => return Err(maker.error("order_id")),
            _ => continue, // somebody else's: its form is not our concern
        };
        let token = maker.text("asset_id")?;
        let maker_action = match maker.text_or_empty("side") {
            // one token changes hands, or two are made or merged
            "" if token == taker_token => match taker_action {
                Action::Buy => Action::Sell,
                Action::Sell => Action::Buy,
            },
            "" => taker_action,
            _ => action(&maker, "side")?,
        };
        push(id, token, maker_action, maker.price("price")?, maker.qty("matched_amount")?, false);
    }
    Ok(found)
}

/// Reads `/balance-allowance`: dollars or shares in millionths, from an integer text or, in some answers, a
/// decimal one.
///
/// # Errors
/// No balance.
pub fn balance(body: &Value) -> Result<u64, ReadError> {
    let object = Object::new("balance", body);
    let value = object.get("balance").ok_or(object.error("balance"))?;
    let whole_units = value.as_str().is_some_and(|text| text.contains('.')) || value.is_f64();
    let micros = scaled(value, if whole_units { 6 } else { 0 });
    micros.and_then(|micros| u64::try_from(micros).ok()).ok_or(object.error("balance"))
}

/// The same as dollars.
///
/// # Errors
/// No balance.
pub fn cash(body: &Value) -> Result<Usd, ReadError> {
    let micros = i64::try_from(balance(body)?);
    micros.map(Usd::from_micros).map_err(|_| ReadError { what: "balance", field: "balance" })
}

/// Shares of one outcome held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The outcome's decimal id.
    pub token: String,
    /// How many.
    pub size: Qty,
    /// Whether its market has paid and it can be redeemed.
    pub redeemable: bool,
}

/// Reads the Data API's positions: an array, or an object with one in `data`.
///
/// # Errors
/// A field is absent.
pub fn positions(body: &Value) -> Result<Vec<Position>, ReadError> {
    page(body)?
        .rows
        .iter()
        .map(|row| {
            let object = Object::new("position", row);
            // Version 2's names; version 1's, retired on 2026-10-24, are what recorded answers have.
            let two = object.get("token_id").is_some();
            let (token, size) = if two { ("token_id", "current_size") } else { ("asset", "size") };
            Ok(Position {
                token: object.text(token)?.to_owned(),
                size: object.qty(size)?,
                redeemable: object.flag("redeemable"),
            })
        })
        .collect()
}

/// One book as REST tells it, in prices of its own outcome, best level first on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookRow {
    /// The outcome's decimal id.
    pub token: String,
    /// When the venue made it.
    pub time: Nanos,
    /// The venue's hash of it.
    pub hash: String,
    /// Bids.
    pub bids: Vec<(Price, Qty)>,
    /// Asks.
    pub asks: Vec<(Price, Qty)>,
}

/// Reads `/book` or one of `/books`. Levels come in no order that may be relied on.
///
/// # Errors
/// A field is absent, or a number is off its scale.
pub fn book(body: &Value) -> Result<BookRow, ReadError> {
    let object = Object::new("book", body);
    let side = |field: &'static str| -> Result<Vec<(Price, Qty)>, ReadError> {
        let level = |row: &Value| {
            let level = Object::new("level", row);
            Ok((level.price("price")?, level.qty("size")?))
        };
        let rows = object.get(field).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        rows.iter().map(level).collect()
    };
    let (mut bids, mut asks) = (side("bids")?, side("asks")?);
    bids.sort_unstable_by(|a, b| b.cmp(a));
    asks.sort_unstable();
    Ok(BookRow {
        token: object.text("asset_id")?.to_owned(),
        time: object.time("timestamp")?,
        hash: object.text_or_empty("hash").to_owned(),
        bids,
        asks,
    })
}

fn action(object: &Object<'_>, field: &'static str) -> Result<Action, ReadError> {
    match object.text(field)? {
        "BUY" => Ok(Action::Buy),
        "SELL" => Ok(Action::Sell),
        _ => Err(object.error(field)),
    }
}

/// Whole shares of a quantity given in millionths, for callers that hold a raw balance.
pub fn shares(micros: u64) -> Option<Qty> {
    as_qty(i128::from(micros))
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
        assert_eq!((read.filled, read.size), (Qty::from_contracts(25), Qty::from_contracts(100)));
        assert_eq!(read.created.get(), 1_795_132_800_000_000_000);
        assert_eq!(order(&json!({"id": "0x12"})).unwrap_err().what, "order");
    }

    #[test]
    fn a_mint_is_our_own_no_buy() {
        let trade = json!({"id": "c1f9", "taker_order_id": hex("99"), "market": "0xdd", "asset_id": "yes",
            "side": "BUY", "size": "25", "price": "0.52", "status": "MINED", "owner": "other", "trader_side": "MAKER",
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
                taker: false,
                finality: Finality::Provisional,
            }]
        );
        let taker = Ours { owner: "other", order: &|id| *id == [0x99; 32], token: &token };
        let found = fills(&trade, &taker).unwrap();
        assert_eq!((found.len(), found[0].taker, found[0].side), (1, true, Side::Bid));
        // a maker without a side, in the taker's own token, is on the other side
        let bare = Ours { owner: "x", order: &|id| *id == [0x66; 32], token: &token };
        assert_eq!(fills(&trade, &bare).unwrap()[0].side, Side::Ask);
        let unknown = Ours { owner: "us", order: &|_| true, token: &|_| None };
        assert!(fills(&trade, &unknown).unwrap().is_empty());
    }

    #[test]
    fn balances_pages_positions_and_books() {
        assert_eq!(balance(&json!({"balance": "1000000000"})), Ok(1_000_000_000));
        assert_eq!(balance(&json!({"balance": "250.500000"})), Ok(250_500_000));
        assert!(balance(&json!({})).is_err());
        let body = json!({"data": [1], "next_cursor": "LTE="});
        assert!(page(&body).unwrap().next.is_none());
        let body = json!({"data": [], "next_cursor": "Mg=="});
        assert_eq!(page(&body).unwrap().next, Some("Mg=="));
        let held = positions(&json!([{"asset": "71", "size": 150.5, "redeemable": true}])).unwrap();
        assert_eq!(held[0].size, Qty::from_micros(150_500_000));
        let body = json!({"asset_id": "71", "timestamp": "1795132800123", "hash": "h",
            "bids": [{"price": ".48", "size": "100"}, {"price": "0.49", "size": "200"}],
            "asks": [{"price": "0.53", "size": "90"}, {"price": "0.52", "size": "180"}]});
        let read = book(&body).unwrap();
        assert_eq!((read.bids[0].0.ticks(), read.asks[0].0.ticks()), (4_900, 5_200));
    }
}
