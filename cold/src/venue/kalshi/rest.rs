//! Own orders, fills, balances and positions from REST, for reconciliation.
//!
//! A fill read here has the same id as the one the fill stream tells. Source: venue reference, `kalshi.md` §1.4,
//! §3.8, §5 and §8, compiled 2026-11-20.

use serde_json::Value;
use surefoot_hot::ids::{Action, MarketId, OrderId, OrderRef, Outcome, Side, Venue, VenueKey};
use surefoot_hot::report::{Fill, Finality, Liquidity, OrderStatus, Report, VenueState};
use surefoot_hot::units::{Price, Qty, Usd};
use surefoot_hot::venue::{fill_id, fine, venue_key};

use super::answer::{row_order, state};
use crate::json::{Object, ReadError, as_qty};

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

/// Which order a row of a listing is: enough to name it, whatever else the row says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderName {
    /// The venue's id, a UUID.
    pub id: String,
    /// Ours; `None` for an order we did not make.
    pub order: Option<OrderId>,
    /// Market ticker; empty where the row does not say.
    pub ticker: String,
}

impl OrderName {
    /// The name the core knows it by.
    pub fn key(&self) -> VenueKey {
        venue_key(self.id.as_bytes())
    }

    /// By our own id where it is ours.
    pub fn order_ref(&self) -> OrderRef {
        self.order.map_or(OrderRef::Key(self.key()), OrderRef::Id)
    }
}

/// Reads which order a row of `/portfolio/orders` is. An order rests whatever its price or its size looks like.
///
/// # Errors
/// The row has no id.
pub fn order_name(row: &Value) -> Result<OrderName, ReadError> {
    let object = Object::new("order", row);
    let id = object.text("order_id")?.to_owned();
    Ok(OrderName { id, order: row_order(row), ticker: object.text_or_empty("ticker").to_owned() })
}

/// One order as the venue lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderRow {
    /// What the venue and we call it.
    pub name: OrderName,
    pub filled: Qty,
    pub state: VenueState,
    /// Price of YES and contracts in all, of one that rests.
    pub terms: Option<(Price, Qty)>,
}

impl OrderRow {
    /// The terms that it rests on as a report, where it does.
    pub fn terms(&self) -> Option<Report> {
        let order = self.name.order_ref();
        self.terms.map(|(price, qty)| Report::Terms { order, price, qty })
    }

    /// As a report, by our own id where it is ours.
    pub fn status(&self) -> OrderStatus {
        let order = self.name.order_ref();
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
    let filled = object.fine_qty("fill_count_fp")?;
    let state = state(object.text("status")?).ok_or(object.error("status"))?;
    // What is left and what is filled, and not what it began with: that is what an amend leaves (§3.3).
    let resting = || {
        Some((
            object.price("yes_price_dollars").ok()?,
            object.qty("remaining_count_fp").ok()? + filled,
        ))
    };
    let terms = if state == VenueState::Resting { resting() } else { None };
    Ok(OrderRow { name: order_name(row)?, filled, state, terms })
}

/// Reads one row of `/portfolio/fills`: one fill, or two where its price lies between ticks, as the stream tells it;
/// none where `market` does not know its ticker. Final at once: the venue's matching is its settlement.
///
/// # Errors
/// A field is absent.
pub fn fills(
    row: &Value,
    market: &dyn Fn(&str) -> Option<MarketId>,
) -> Result<Vec<Fill>, ReadError> {
    let object = Object::new("fill", row);
    let ticker = object.get("ticker").or(object.get("market_ticker")).and_then(Value::as_str);
    let Some(market) = market(ticker.ok_or(object.error("ticker"))?) else {
        return Ok(Vec::new()); // whatever else the row says, it is not about our markets
    };
    let key = venue_key(object.text("order_id")?.as_bytes());
    let side = side(&object)?;
    let fill = Fill {
        fill: fill_id(object.text("trade_id")?.as_bytes(), key),
        order: OrderRef::Key(key),
        market,
        side,
        price: Price::ZERO, // its parts have theirs
        qty: object.fine_qty("count_fp")?,
        fee: Some(object.fine_fee("fee_cost")?),
        liquidity: match object.get("is_taker") {
            Some(Value::Bool(true)) => Liquidity::Taker,
            Some(Value::Bool(false)) => Liquidity::Maker,
            None | Some(Value::Null) => Liquidity::Unsaid,
            Some(_) => return Err(object.error("is_taker")),
        },
        finality: Finality::Final,
        venue_time: object.told_time(&["created_time", "ts"]),
    };
    let action = if side == Side::Bid { Action::Buy } else { Action::Sell };
    let price = object.fine_price("yes_price_dollars")?;
    Ok(fine::parts(fill, Outcome::Yes, action, price).into_iter().flatten().collect())
}

/// What is held in one market.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    pub ticker: String,
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
    let signed = object.rounded("position_fp", 6)?;
    let held = as_qty(signed.abs()).ok_or(object.error("position_fp"))?;
    let (yes, no) = if signed < 0 { (Qty::ZERO, held) } else { (held, Qty::ZERO) };
    Ok(Position { ticker: object.text("ticker")?.to_owned(), yes, no })
}

/// Reads the cash of each shard from `/portfolio/balance`; `None` where the answer has no breakdown, as for a key that is pinned
/// to a subaccount: what it says then is the sum over all shards, which no order can spend (§8).
///
/// # Errors
/// A row lacks a field.
pub fn balance_by_shard(body: &Value) -> Result<Option<Vec<(u8, Usd)>>, ReadError> {
    let Some(rows) = Object::new("balance", body).get("balance_breakdown") else { return Ok(None) };
    let rows = rows.as_array().ok_or(Object::new("balance", body).error("balance_breakdown"))?;
    let cash = rows.iter().filter_map(|row| {
        let row = Object::new("balance of a shard", row);
        let read = |row: &Object<'_>| {
            // dollars as text; a number here would be the cents of the old field
            row.text("balance")?;
            row.rounded_usd("balance")
        };
        match (read(&row), shard(&row)) {
            (Ok(Usd::ZERO), Err(_)) => None, // a shard that we do not trade on, and nothing there
            // What lies on one that we do not know is told all the same: the core counts it as a difference, and what else
            // the reading says is compared.
            (cash, _) => Some(cash.and_then(|cash| Ok((shard_number(&row)?, cash)))),
        }
    });
    cash.collect::<Result<_, _>>().map(Some)
}

/// Reads `/portfolio/balance` that was asked for one shard. The integer cents of `balance` are truncated, so they are never used.
///
/// # Errors
/// The field is absent.
pub fn balance(body: &Value) -> Result<Usd, ReadError> {
    Object::new("balance", body).rounded_usd("balance_dollars")
}

/// `bid` gains YES, `ask` gains NO; the older words say other things and are not read.
fn side(object: &Object<'_>) -> Result<Side, ReadError> {
    match (object.text_or_empty("book_side"), object.text_or_empty("outcome_side")) {
        ("bid", _) | ("", "yes") => Ok(Side::Bid),
        ("ask", _) | ("", "no") => Ok(Side::Ask),
        _ => Err(object.error("book_side")),
    }
}

/// The shard that something belongs to: one of those that [`VenueRules`](surefoot_hot::venue_rules::VenueRules) gives cash
/// accounts for.
pub(super) fn shard(object: &Object<'_>) -> Result<u8, ReadError> {
    let known = |shard: &u8| *shard < Venue::Kalshi.rules().cash_accounts;
    shard_number(object).ok().filter(known).ok_or(object.error("exchange_index"))
}

/// The number of a shard, whether there are cash accounts for it or not.
fn shard_number(object: &Object<'_>) -> Result<u8, ReadError> {
    let number = u8::try_from(object.whole("exchange_index")?).ok();
    number.ok_or(object.error("exchange_index"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use surefoot_hot::units::Nanos;

    use super::*;

    #[test]
    fn an_order() {
        let row = json!({"order": {"order_id": "3b23", "client_order_id": "sf-000000000000001f",
            "ticker": "KXA", "outcome_side": "no", "book_side": "ask", "status": "canceled",
            "yes_price_dollars": "0.4300", "initial_count_fp": "25.00", "fill_count_fp": "5.00",
            "remaining_count_fp": "0.00", "created_time": "2026-11-20T18:00:00.131Z", "exchange_index": 2}});
        let read = order(&row).unwrap();
        assert_eq!((read.name.ticker.as_str(), read.state), ("KXA", VenueState::Cancelled));
        assert_eq!(read.status().order, OrderRef::Id(OrderId::new(0x1f)));
        assert_eq!(read.status().filled, Some(Qty::from_contracts(5)));
        let mut foreign = row.clone();
        foreign["order"]["client_order_id"] = json!("mm1-1");
        assert_eq!(order(&foreign).unwrap().status().order, OrderRef::Key(venue_key(b"3b23")));
        for field in ["status", "fill_count_fp", "order_id"] {
            let mut strange = row.clone();
            strange["order"][field] = json!(true);
            assert_eq!(order(&strange).unwrap_err().field, field);
        }
        for (field, value) in [
            ("yes_price_dollars", json!("0.43005")),
            ("initial_count_fp", json!("24.9999999")),
            ("fill_count_fp", json!("5.0000001")),
            ("remaining_count_fp", json!(null)),
            ("book_side", json!("new")),
        ] {
            let mut odd = row.clone();
            odd["order"][field] = value;
            assert_eq!(order(&odd), Ok(read.clone()), "{field} says nothing that we do not know");
        }
    }

    fn fill_row() -> Value {
        json!({"fill_id": "f", "trade_id": "d91b", "order_id": "3b23", "ticker": "KXA",
            "book_side": "bid", "count_fp": "5.00", "yes_price_dollars": "0.4300", "is_taker": false,
            "fee_cost": "0.017500"})
    }

    #[test]
    fn a_fill() {
        let row = fill_row();
        let read = fills(&row, &|_| Some(MarketId::new(1))).unwrap();
        assert_eq!((read.len(), read[0].price.ticks()), (1, 4_300));
        assert_eq!(read[0].fill, fill_id(b"d91b", venue_key(b"3b23")));
        assert_eq!((read[0].fee, read[0].side), (Some(Usd::from_micros(17_500)), Side::Bid));
        assert_eq!(read[0].venue_time, Nanos::ZERO, "it does not say");
        for (created, ts, millis) in [
            (json!("2026-11-20T18:00:00.8Z"), json!(1_795_197_600), 1_795_197_600_800),
            (json!(null), json!(1_795_197_600), 1_795_197_600_000),
            (json!("soon"), json!("1795197601"), 1_795_197_601_000),
            (json!("soon"), json!(null), 0),
        ] {
            let mut timed = row.clone();
            (timed["created_time"], timed["ts"]) = (created, ts);
            let read = fills(&timed, &|_| Some(MarketId::new(1))).unwrap();
            assert_eq!(read[0].venue_time, Nanos::from_millis(millis), "{timed}");
        }
        assert_eq!(fills(&row, &|_| None), Ok(vec![]));
        assert!(fills(&json!({"ticker": "KXA"}), &|_| Some(MarketId::new(1))).is_err());
    }

    #[test]
    fn a_fill_at_a_price_between_ticks_is_two_that_cost_exactly_as_much() {
        let mut row = fill_row();
        row["yes_price_dollars"] = json!("0.43005");
        row["count_fp"] = json!("10.0000004");
        row["fee_cost"] = json!("0.0175001");
        let read = fills(&row, &|_| Some(MarketId::new(1))).unwrap();
        let parts: Vec<_> = read.iter().map(|fill| (fill.price.ticks(), fill.qty)).collect();
        assert_eq!(
            parts,
            [(4_300, Qty::from_contracts(5)), (4_301, Qty::from_contracts(5))],
            "what is finer than a millionth of a contract is cut off"
        );
        let fees = [&read[0], &read[1]].map(|part| part.fee.unwrap());
        assert_eq!(fees[0] + fees[1], Usd::from_micros(17_501), "rounded against us, told once");
        assert_eq!(fees[0], Usd::from_micros(8_750), "each part has its share");
        assert_ne!(read[0].fill, read[1].fill);
    }

    #[test]
    fn balances_and_positions() {
        let body = json!({"balance": 123_456, "balance_dollars": "1234.5678", "balance_breakdown": [
            {"exchange_index": 0, "balance": "734.5678"}, {"exchange_index": 2, "balance": "500.0000"}]});
        let dollars = |micros| Usd::from_micros(micros);
        assert_eq!(
            balance_by_shard(&body),
            Ok(Some(vec![(0, dollars(734_567_800)), (2, dollars(500_000_000))]))
        );
        let pinned = json!({"balance": 123_456, "balance_dollars": "1234.5678"});
        assert_eq!(balance_by_shard(&pinned), Ok(None));
        assert_eq!(balance(&pinned), Ok(dollars(1_234_567_800)));
        let held = position(&json!({"ticker": "KXA", "position_fp": "-15.00"})).unwrap();
        assert_eq!((held.yes, held.no), (Qty::ZERO, Qty::from_contracts(15)));
        for (text, no) in [("-15.0000001", 15_000_000), ("-14.9999999", 15_000_000)] {
            let held = position(&json!({"ticker": "KXA", "position_fp": text})).unwrap();
            assert_eq!((held.yes, held.no), (Qty::ZERO, Qty::from_micros(no)), "{text}");
        }
        let fine = json!({"balance_dollars": "1234.56780004"});
        assert_eq!(balance(&fine), Ok(dollars(1_234_567_800)));
        let more = |cash: &str| {
            let rows = [(0, "5.0000"), (8, cash)]
                .map(|(index, cash)| json!({"exchange_index": index, "balance": cash}));
            balance_by_shard(&json!({"balance_breakdown": rows}))
        };
        assert_eq!(more("0.0000"), Ok(Some(vec![(0, dollars(5_000_000))])), "an empty ninth shard");
        let both = vec![(0, dollars(5_000_000)), (8, dollars(100))];
        assert_eq!(more("0.0001"), Ok(Some(both)), "money where no order can draw on it is told");
        assert!(more("0.x").is_err(), "what cannot be read is not taken for nothing");
        let old = json!({"balance_breakdown": [{"exchange_index": 0, "balance": 73_456}]});
        assert!(balance_by_shard(&old).is_err(), "cents of an older answer are not dollars");
        assert!(balance_by_shard(&json!({"balance_breakdown": {}})).is_err());
    }
}
