//! The bodies of create and amend, read strictly: what the venue refuses is refused here.

use serde_json::Value;
use surefoot_hot::ids::Side;
use surefoot_hot::units::Nanos;

use super::order::{Amend, NewOrder, Refusal, SelfTrade, Tif};
use super::text::{count, price};

/// What a client order id may hold (`venues/kalshi.md` §3.2).
const CLIENT_ID_BYTES_MAX: usize = 64;

fn optional_bool(body: &Value, key: &'static str) -> Result<bool, Refusal> {
    match &body[key] {
        Value::Null => Ok(false),
        Value::Bool(value) => Ok(*value),
        _ => Err(Refusal::invalid(key)),
    }
}

fn client_id(value: &Value) -> Result<Option<String>, Refusal> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) if text.is_empty() => Ok(None),
        Value::String(text) => {
            let fine = |b: u8| b.is_ascii_alphanumeric() || b"-_:+=/".contains(&b);
            if text.len() <= CLIENT_ID_BYTES_MAX && text.bytes().all(fine) {
                Ok(Some(text.clone()))
            } else {
                Err(Refusal::invalid("client_order_id"))
            }
        }
        _ => Err(Refusal::invalid("client_order_id")),
    }
}

fn side(body: &Value) -> Result<Side, Refusal> {
    match body["side"].as_str() {
        Some("bid") => Ok(Side::Bid),
        Some("ask") => Ok(Side::Ask),
        _ => Err(Refusal::invalid("side")),
    }
}

fn shard_number(body: &Value) -> Result<Option<u8>, Refusal> {
    match &body["exchange_index"] {
        Value::Null => Ok(None),
        value if value.as_i64() == Some(-1) => Ok(None),
        value => {
            let shard = value.as_u64().and_then(|n| u8::try_from(n).ok());
            shard.map(Some).ok_or(Refusal::invalid("exchange_index"))
        }
    }
}

fn seconds(value: &Value) -> Result<Nanos, Refusal> {
    let secs = value.as_u64().filter(|secs| *secs < 10_000_000_000);
    secs.map(Nanos::from_secs).ok_or(Refusal::invalid("expiration_time"))
}

/// Reads the body of a create.
pub(super) fn new_order(body: &Value) -> Result<NewOrder, Refusal> {
    if body["subaccount"].as_u64().unwrap_or(0) != 0 {
        return Err(Refusal::invalid("subaccount"));
    }
    Ok(NewOrder {
        ticker: body["ticker"].as_str().ok_or(Refusal::invalid("ticker"))?.to_owned(),
        side: side(body)?,
        qty: body["count"].as_str().and_then(count).ok_or(Refusal::invalid("count"))?,
        price: body["price"].as_str().and_then(price).ok_or(Refusal::invalid("price"))?,
        tif: match body["time_in_force"].as_str() {
            Some("good_till_canceled") => Tif::Gtc,
            Some("immediate_or_cancel") => Tif::Ioc,
            Some("fill_or_kill") => Tif::Fok,
            _ => return Err(Refusal::invalid("time_in_force")),
        },
        self_trade: match body["self_trade_prevention_type"].as_str() {
            Some("taker_at_cross") => SelfTrade::TakerAtCross,
            Some("maker") => SelfTrade::Maker,
            _ => return Err(Refusal::invalid("self_trade_prevention_type")),
        },
        client_id: client_id(&body["client_order_id"])?,
        expires: match &body["expiration_time"] {
            Value::Null => None,
            value => Some(seconds(value)?),
        },
        post_only: optional_bool(body, "post_only")?,
        reduce_only: optional_bool(body, "reduce_only")?,
        cancel_on_pause: optional_bool(body, "cancel_order_on_pause")?,
        group: match &body["order_group_id"] {
            Value::Null => None,
            Value::String(id) => Some(id.clone()),
            _ => return Err(Refusal::invalid("order_group_id")),
        },
        shard: shard_number(body)?,
    })
}

/// Reads the body of an amend.
pub(super) fn amend(body: &Value) -> Result<Amend, Refusal> {
    Ok(Amend {
        ticker: body["ticker"].as_str().ok_or(Refusal::invalid("ticker"))?.to_owned(),
        side: side(body)?,
        price: body["price"].as_str().and_then(price).ok_or(Refusal::invalid("price"))?,
        total: body["count"].as_str().and_then(count).ok_or(Refusal::invalid("count"))?,
        client_id: client_id(&body["client_order_id"])?,
        new_client_id: client_id(&body["updated_client_order_id"])?,
        expires: match &body["expiration_time"] {
            Value::Null => None,
            value if value.as_u64() == Some(0) => Some(None),
            value => Some(Some(seconds(value)?)),
        },
        shard: shard_number(body)?,
    })
}
