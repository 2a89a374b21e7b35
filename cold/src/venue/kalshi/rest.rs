//! Own orders, fills, balances and positions from REST, for reconciliation.
//!
//! A fill read here has the same id as the one the fill stream tells. Source: venue reference, `kalshi.md` §1.4,
//! §3.8, §5 and §8, compiled 2026-11-20.

use serde_json::Value;
use surefoot_hot::ids::{MarketId, OrderId, Side, VenueKey};
use surefoot_hot::report::{Fill, Finality, OrderRef, OrderStatus, VenueState};
use surefoot_hot::units::{Nanos, Price, Qty, Usd};
use surefoot_hot::venue::fill_id;

use super::answer::{row_order, state, venue_key};
use crate::venue::json::{Object, ReadError, as_qty, parse_scaled};

/// One page of a listing: the rows of `field` and where the next begins.
///
/// # Errors
/// No rows.
pub fn page<'a>(
    body: &'a Value,
    field: &'static str,
) -> Result<(&'a [Value], Option<&'a str>), ReadError> {
    let object = Object::new("page", body);
    let next = object.text_or_empty("cursor");
    Ok((object.list(field)?, (!next.is_empty()).then_some(next)))
}

/// One order as the venue lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderRow {
    /// The venue's id, a UUID.
    pub id: String,
    /// Ours; `None` for an order we did not make.
    pub order: Option<OrderId>,
    /// Market ticker.
    pub ticker: String,
    /// Which side of the YES book.
    pub side: Side,
    /// Price of YES.
    pub price: Price,
    /// Contracts wanted: filled, resting and cancelled.
    pub size: Qty,
    /// Contracts filled.
    pub filled: Qty,
    /// Contracts resting.
    pub left: Qty,
    /// Where it stands.
    pub state: VenueState,
    /// Which shard.
    pub shard: u8,
    /// When it was made.
    pub created: Nanos,
}

impl OrderRow {
    /// The name the core knows it by.
    pub fn key(&self) -> VenueKey {
        venue_key(&self.id)
    }

    /// As a report, by our own id where it is ours.
    pub fn status(&self) -> OrderStatus {
        let order = self.order.map_or(OrderRef::Key(self.key()), OrderRef::Id);
        OrderStatus { order, state: self.state, filled: Some(self.filled) }
    }
}

/// Reads one order of `/portfolio/orders`, or the single answer that wraps one.
///
/// # Errors
/// A field is absent, or a status word is not known.
pub fn order(row: &Value) -> Result<OrderRow, ReadError> {
    let row = row.get("order").unwrap_or(row);
    let object = Object::new("order", row);
    Ok(OrderRow {
        id: object.text("order_id")?.to_owned(),
        order: row_order(row),
        ticker: object.text("ticker")?.to_owned(),
        side: side(&object)?,
        price: object.price("yes_price_dollars")?,
        size: object.qty("initial_count_fp")?,
        filled: object.qty("fill_count_fp")?,
        left: object.qty("remaining_count_fp")?,
        state: state(object.text("status")?).ok_or(object.error("status"))?,
        shard: shard(&object)?,
        created: object.time("created_time")?,
    })
}

/// Reads one row of `/portfolio/fills`; `None` where `market` does not know its ticker. Final at once: the
/// venue's matching is its settlement.
///
/// # Errors
/// A field is absent.
pub fn fill(
    row: &Value,
    market: &dyn Fn(&str) -> Option<MarketId>,
) -> Result<Option<Fill>, ReadError> {
    let object = Object::new("fill", row);
    let ticker = object.get("ticker").or(object.get("market_ticker")).and_then(Value::as_str);
    let Some(market) = market(ticker.ok_or(object.error("ticker"))?) else { return Ok(None) };
    let key = venue_key(object.text("order_id")?);
    Ok(Some(Fill {
        fill: fill_id(object.text("trade_id")?.as_bytes(), key),
        order: OrderRef::Key(key),
        market,
        side: side(&object)?,
        price: object.price("yes_price_dollars")?,
        qty: object.fine_qty("count_fp")?,
        fee: Some(object.fine_fee("fee_cost")?),
        taker: object.get("is_taker").and_then(Value::as_bool).ok_or(object.error("is_taker"))?,
        finality: Finality::Final,
    }))
}

/// What is held in one market.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Market ticker.
    pub ticker: String,
    /// YES held.
    pub yes: Qty,
    /// NO held; never with YES, they cancel at once.
    pub no: Qty,
}

/// The market that a row is about.
///
/// # Errors
/// It does not say.
pub fn ticker(row: &Value) -> Result<&str, ReadError> {
    Object::new("row", row).text("ticker")
}

/// Reads one row of `market_positions`: one signed number, negative is NO.
///
/// # Errors
/// A field is absent.
pub fn position(row: &Value) -> Result<Position, ReadError> {
    let object = Object::new("position", row);
    let signed = object.scaled("position_fp", 6)?;
    let held = as_qty(signed.abs()).ok_or(object.error("position_fp"))?;
    let (yes, no) = if signed < 0 { (Qty::ZERO, held) } else { (held, Qty::ZERO) };
    Ok(Position { ticker: object.text("ticker")?.to_owned(), yes, no })
}

/// Reads `/portfolio/balance` asked for all shards: cash by shard, or the whole under `asked` where the query
/// named a shard or the key is pinned to a subaccount.
///
/// The integer cents of `balance` are truncated, so they are never used.
///
/// # Errors
/// A field is absent.
pub fn balance(body: &Value, asked: u8) -> Result<Vec<(u8, Usd)>, ReadError> {
    let object = Object::new("balance", body);
    let Some(rows) = object.get("balance_breakdown").and_then(Value::as_array) else {
        return Ok(vec![(asked, object.usd("balance_dollars")?)]);
    };
    rows.iter()
        .map(|row| {
            let row = Object::new("balance of a shard", row);
            // dollars as text; a number here would be the cents of the old field
            let text = row.text("balance")?;
            let micros = parse_scaled(text, 6).and_then(|micros| i64::try_from(micros).ok());
            Ok((shard(&row)?, micros.map(Usd::from_micros).ok_or(row.error("balance"))?))
        })
        .collect()
}

/// One book in YES terms, best level first on both sides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Book {
    /// Bids for YES.
    pub bids: Vec<(Price, Qty)>,
    /// Offers of YES: bids for NO at the complement.
    pub asks: Vec<(Price, Qty)>,
}

/// Reads `/markets/{ticker}/orderbook`. An empty side may be absent, null or empty.
///
/// # Errors
/// A number is absent or off its scale.
pub fn book(body: &Value) -> Result<Book, ReadError> {
    let object = Object::new("book", body);
    let inner = object.get("orderbook_fp").ok_or(object.error("orderbook_fp"))?;
    let side = |field: &'static str| -> Result<Vec<(Price, Qty)>, ReadError> {
        let error = ReadError { what: "book", field };
        let rows = inner.get(field).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        rows.iter()
            .map(|row| {
                let text = |place: usize| row.get(place).and_then(Value::as_str).ok_or(error);
                let ticks = parse_scaled(text(0)?, 4).and_then(|ticks| u16::try_from(ticks).ok());
                let price = ticks.and_then(Price::from_ticks).ok_or(error)?;
                let qty = parse_scaled(text(1)?, 6).and_then(as_qty).ok_or(error)?;
                Ok((price, qty))
            })
            .collect()
    };
    let mut bids = side("yes_dollars")?;
    let mut asks = side("no_dollars")?;
    for level in &mut asks {
        level.0 = level.0.complement();
    }
    bids.sort_unstable_by(|a, b| b.cmp(a));
    asks.sort_unstable();
    Ok(Book { bids, asks })
}

/// `bid` gains YES, `ask` gains NO; the older words say other things and are not read.
fn side(object: &Object<'_>) -> Result<Side, ReadError> {
    match (object.text_or_empty("book_side"), object.text_or_empty("outcome_side")) {
        ("bid", _) | ("", "yes") => Ok(Side::Bid),
        ("ask", _) | ("", "no") => Ok(Side::Ask),
        _ => Err(object.error("book_side")),
    }
}

pub(super) fn shard(object: &Object<'_>) -> Result<u8, ReadError> {
    u8::try_from(object.whole("exchange_index")?).map_err(|_| object.error("exchange_index"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_order() {
        let row = json!({"order": {"order_id": "3b23", "client_order_id": "sf-000000000000001f",
            "ticker": "KXA", "outcome_side": "no", "book_side": "ask", "status": "canceled",
            "yes_price_dollars": "0.4300", "initial_count_fp": "25.00", "fill_count_fp": "5.00",
            "remaining_count_fp": "0.00", "created_time": "2026-11-20T18:00:00.131Z", "exchange_index": 2}});
        let read = order(&row).unwrap();
        assert_eq!((read.side, read.shard, read.state), (Side::Ask, 2, VenueState::Cancelled));
        assert_eq!(read.status().order, OrderRef::Id(OrderId::new(0x1f)));
        assert_eq!(read.status().filled, Some(Qty::from_contracts(5)));
        let mut foreign = row.clone();
        foreign["order"]["client_order_id"] = json!("mm1-1");
        assert_eq!(order(&foreign).unwrap().status().order, OrderRef::Key(venue_key("3b23")));
        for field in ["book_side", "status", "exchange_index"] {
            let mut strange = row.clone();
            strange["order"][field] = json!("new");
            assert_eq!(order(&strange).unwrap_err().field, field);
        }
    }

    #[test]
    fn a_fill() {
        let row = json!({"fill_id": "f", "trade_id": "d91b", "order_id": "3b23", "ticker": "KXA",
            "book_side": "bid", "count_fp": "5.00", "yes_price_dollars": "0.4300", "is_taker": false,
            "fee_cost": "0.017500"});
        let read = fill(&row, &|_| Some(MarketId::new(1))).unwrap().unwrap();
        assert_eq!(read.fill, fill_id(b"d91b", venue_key("3b23")));
        assert_eq!((read.fee, read.side), (Some(Usd::from_micros(17_500)), Side::Bid));
        assert_eq!(fill(&row, &|_| None), Ok(None));
        assert!(fill(&json!({"ticker": "KXA"}), &|_| Some(MarketId::new(1))).is_err());
    }

    #[test]
    fn balances_positions_and_books() {
        let body = json!({"balance": 123_456, "balance_dollars": "1234.5678", "balance_breakdown": [
            {"exchange_index": 0, "balance": "734.5678"}, {"exchange_index": 2, "balance": "500.0000"}]});
        let dollars = |micros| Usd::from_micros(micros);
        assert_eq!(
            balance(&body, 0),
            Ok(vec![(0, dollars(734_567_800)), (2, dollars(500_000_000))])
        );
        let pinned = json!({"balance": 123_456, "balance_dollars": "1234.5678"});
        assert_eq!(balance(&pinned, 2), Ok(vec![(2, dollars(1_234_567_800))]));
        let held = position(&json!({"ticker": "KXA", "position_fp": "-15.00"})).unwrap();
        assert_eq!((held.yes, held.no), (Qty::ZERO, Qty::from_contracts(15)));
        let body = json!({"orderbook_fp": {"yes_dollars": [["0.4200", "300.00"], ["0.4300", "25.00"]],
            "no_dollars": [["0.5400", "20.00"], ["0.5600", "146.00"]]}});
        let read = book(&body).unwrap();
        assert_eq!((read.bids[0].0.ticks(), read.asks[0].0.ticks()), (4_300, 4_400));
        assert!(book(&json!({"orderbook_fp": {}})).unwrap().bids.is_empty());
    }
}
