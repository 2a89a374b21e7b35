//! Request bodies and paths of the V2 order calls, written by hand into a buffer the caller keeps.
//!
//! `exchange_index` is always explicit: an omitted one is routed slower, billed to every shard, and on a cancel
//! means shard 0. Source: venue reference, `kalshi.md` §3, compiled 2026-11-20.

use surefoot_hot::ids::{OrderId, Side};
use surefoot_hot::order::{Amend, Expiry, Order, Tif};
use surefoot_hot::units::{Price, Qty};
use surefoot_hot::venue_rules::LOT;

use crate::directory::KalshiNames;
use crate::text::{Digits, nibble, push_fixed};

/// Where every path starts; it is part of what is signed.
pub const ROOT: &str = "/trade-api/v2";
/// `DELETE` all orders, behind [`ROOT`]: cold clients have the root in their endpoint.
pub const CANCEL_ALL: &str = "/portfolio/events/orders";
/// `POST` one order, `DELETE` all.
pub const ORDERS: &str = "/trade-api/v2/portfolio/events/orders";
/// Reading orders: V1 is how orders are read.
pub const READ_ORDERS: &str = "/trade-api/v2/portfolio/orders";
/// The path a WebSocket upgrade signs.
pub const WS: &str = "/trade-api/ws/v2";

/// Characters of a client order id.
pub const CLIENT_ID_BYTES: usize = 19;

/// Our order id as the venue is told it: `sf-` and 16 hex digits, so that its streams map back without a
/// table: `surefoot_hot::venue::kalshi::our_order_id` reads it.
pub fn client_id(order: OrderId) -> [u8; CLIENT_ID_BYTES] {
    let mut text = *b"sf-0000000000000000";
    for (place, byte) in order.get().to_be_bytes().into_iter().enumerate() {
        text[3 + 2 * place] = nibble(byte >> 4);
        text[4 + 2 * place] = nibble(byte & 15);
    }
    text
}

/// Why an order was not encoded: our mistake, and nothing left the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncodeError {
    /// No quantity, or one with more than two decimals.
    Qty,
    /// A price of $0 or $1.
    Price,
    /// Post-only and immediate exclude each other; an expiry and any time in force but good-till-date do as well.
    Flags,
}

/// Appends the body of a create: the same bytes for the same order, so that a resend is the same request.
///
/// # Errors
/// See [`EncodeError`].
pub fn create(out: &mut Vec<u8>, names: &KalshiNames, order: &Order) -> Result<(), EncodeError> {
    let (side, price) = order.on_book();
    check_terms(price, order.qty)?;
    if (!order.tif.may_rest() && order.post_only) || !order.has_fitting_expiry() {
        return Err(EncodeError::Flags);
    }
    out.extend_from_slice(b"{\"ticker\":\"");
    out.extend_from_slice(names.ticker.as_bytes());
    out.extend_from_slice(b"\",\"client_order_id\":\"");
    out.extend_from_slice(&client_id(order.id));
    push_terms(out, side, price, order.qty);
    out.extend_from_slice(b",\"time_in_force\":\"");
    out.extend_from_slice(match order.tif {
        Tif::Gtc | Tif::Gtd => b"good_till_canceled",
        Tif::Ioc => b"immediate_or_cancel",
        Tif::Fok => b"fill_or_kill",
    });
    out.extend_from_slice(b"\",\"self_trade_prevention_type\":\"taker_at_cross\"");
    if order.post_only {
        out.extend_from_slice(b",\"post_only\":true");
    }
    if let Some(expires) = order.expires {
        push_expiry(out, expires.secs());
    }
    push_shard(out, names.exchange_index);
    out.push(b'}');
    Ok(())
}

/// Appends the body of an amend, which names the order's side, limit and size anew: the size with what is filled.
///
/// # Errors
/// See [`EncodeError`].
pub fn amend(out: &mut Vec<u8>, names: &KalshiNames, amend: &Amend) -> Result<(), EncodeError> {
    let (side, price) = amend.on_book();
    check_terms(price, amend.qty)?;
    out.extend_from_slice(b"{\"ticker\":\"");
    out.extend_from_slice(names.ticker.as_bytes());
    out.extend_from_slice(b"\",\"client_order_id\":\"");
    out.extend_from_slice(&client_id(amend.order));
    push_terms(out, side, price, amend.qty);
    if !amend.keeps_expiry {
        push_expiry(out, amend.expires.map_or(0, Expiry::secs)); // zero clears it
    }
    push_shard(out, names.exchange_index);
    out.push(b'}');
    Ok(())
}

/// Appends the body of a decrease by `less`, which keeps the order's place in the queue. By how much, not to what is left:
/// a fill on the way would make that another size.
///
/// # Errors
/// See [`EncodeError`].
pub fn decrease(out: &mut Vec<u8>, shard: u8, less: Qty) -> Result<(), EncodeError> {
    check_qty(less)?;
    out.extend_from_slice(b"{\"reduce_by\":\"");
    push_qty(out, less);
    out.push(b'"');
    push_shard(out, shard);
    out.push(b'}');
    Ok(())
}

/// Appends the path of a cancel, which is what is signed, and returns where its query begins: the request line
/// is all of it, the signature covers the bytes before.
pub fn cancel_target(out: &mut Vec<u8>, order_id: &str, shard: u8) -> usize {
    order_path(out, order_id, "");
    let signed = out.len();
    out.extend_from_slice(b"?subaccount=0&exchange_index=");
    out.extend_from_slice(Digits::new(u64::from(shard)).as_bytes());
    signed
}

/// Appends the path of `/<order id>`, and what follows it.
pub fn order_path(out: &mut Vec<u8>, order_id: &str, call: &str) {
    for part in [ORDERS, "/", order_id, call] {
        out.extend_from_slice(part.as_bytes());
    }
}

fn check_terms(price: Price, qty: Qty) -> Result<(), EncodeError> {
    check_qty(qty)?;
    if price == Price::ZERO || price == Price::ONE { Err(EncodeError::Price) } else { Ok(()) }
}

fn check_qty(qty: Qty) -> Result<(), EncodeError> {
    let whole = qty.micros().is_multiple_of(LOT.micros());
    if qty.is_zero() || !whole { Err(EncodeError::Qty) } else { Ok(()) }
}

fn push_expiry(out: &mut Vec<u8>, secs: u64) {
    out.extend_from_slice(b",\"expiration_time\":");
    out.extend_from_slice(Digits::new(secs).as_bytes());
}

fn push_terms(out: &mut Vec<u8>, side: Side, price: Price, qty: Qty) {
    out.extend_from_slice(match side {
        Side::Bid => b"\",\"side\":\"bid\",\"count\":\"",
        Side::Ask => b"\",\"side\":\"ask\",\"count\":\"",
    });
    push_qty(out, qty);
    out.extend_from_slice(b"\",\"price\":\"");
    push_fixed(out, u64::from(price.ticks()), 4);
    out.push(b'"');
}

fn push_qty(out: &mut Vec<u8>, qty: Qty) {
    push_fixed(out, qty.micros() / LOT.micros(), 2);
}

fn push_shard(out: &mut Vec<u8>, shard: u8) {
    out.extend_from_slice(b",\"exchange_index\":");
    out.extend_from_slice(Digits::new(u64::from(shard)).as_bytes());
}

#[cfg(test)]
mod tests {
    use surefoot_hot::ids::{Action, GroupId, MarketId, Outcome, Venue};
    use surefoot_hot::order::{Change, Purpose};
    use surefoot_hot::units::Nanos;
    use surefoot_hot::venue::kalshi::our_order_id;

    use super::*;

    fn names() -> KalshiNames {
        KalshiNames {
            ticker: "KXBTCD-26NOV2017-T94999.99".into(),
            event_ticker: "KXBTCD-26NOV2017".into(),
            series_ticker: "KXBTCD".into(),
            exchange_index: 2,
        }
    }

    fn order() -> Order {
        Order {
            id: OrderId::new(0x1f3a2),
            epoch: 1,
            decided: Nanos::from_secs(1),
            group: GroupId::new(0),
            market: MarketId::new(0),
            venue: Venue::Kalshi,
            outcome: Outcome::No,
            action: Action::Buy,
            price: Price::from_ticks(5_700).unwrap(),
            qty: Qty::from_contracts(25),
            tif: Tif::Gtc,
            expires: None,
            post_only: true,
            purpose: Purpose::Leg,
        }
    }

    fn text(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_create_speaks_of_yes() {
        let body = text(|out| create(out, &names(), &order()).unwrap());
        assert_eq!(
            body,
            "{\"ticker\":\"KXBTCD-26NOV2017-T94999.99\",\"client_order_id\":\"sf-000000000001f3a2\",\
\"side\":\"ask\",\"count\":\"25.00\",\"price\":\"0.4300\",\"time_in_force\":\"good_till_canceled\",\
\"self_trade_prevention_type\":\"taker_at_cross\",\"post_only\":true,\"exchange_index\":2}"
        );
        let ioc = Order { tif: Tif::Ioc, post_only: false, outcome: Outcome::Yes, ..order() };
        let body = text(|out| create(out, &names(), &ioc).unwrap());
        assert!(body.contains("\"side\":\"bid\"") && body.contains("\"price\":\"0.5700\""));
        assert!(body.contains("immediate_or_cancel") && !body.contains("post_only"));
        serde_json::from_str::<serde_json::Value>(&body).unwrap();
    }

    #[test]
    fn what_the_venue_would_refuse_is_not_written() {
        let refused = |order: Order| {
            let mut out = Vec::new();
            let result = create(&mut out, &names(), &order);
            assert!(out.is_empty());
            result.unwrap_err()
        };
        assert_eq!(refused(Order { qty: Qty::from_micros(1_000), ..order() }), EncodeError::Qty);
        assert_eq!(refused(Order { qty: Qty::ZERO, ..order() }), EncodeError::Qty);
        assert_eq!(refused(Order { price: Price::ONE, ..order() }), EncodeError::Price);
        assert_eq!(refused(Order { tif: Tif::Fok, ..order() }), EncodeError::Flags);
    }

    #[test]
    fn an_order_that_expires_says_when_and_rests_until_then() {
        let expires = Expiry::at(Nanos::from_secs(1_795_197_660));
        let body = text(|out| {
            create(out, &names(), &Order { tif: Tif::Gtd, expires, ..order() }).unwrap();
        });
        assert!(
            body.contains("\"good_till_canceled\"")
                && body.contains("\"expiration_time\":1795197660,")
        );
        for unfit in [Order { expires, ..order() }, Order { tif: Tif::Gtd, ..order() }] {
            assert_eq!(create(&mut Vec::new(), &names(), &unfit), Err(EncodeError::Flags));
        }
    }

    #[test]
    fn a_change_names_the_whole_size_and_a_decrease_the_difference() {
        let change = |to: Change| Amend::new(&order(), &to, 1, Nanos::from_secs(2));
        let now = Change::of(&order());
        let higher = change(Change { price: Price::from_ticks(5_800).unwrap(), ..now });
        assert_eq!(higher.shrinks_by(), None);
        assert_eq!(
            text(|out| amend(out, &names(), &higher).unwrap()),
            "{\"ticker\":\"KXBTCD-26NOV2017-T94999.99\",\"client_order_id\":\"sf-000000000001f3a2\",\
\"side\":\"ask\",\"count\":\"25.00\",\"price\":\"0.4200\",\"exchange_index\":2}"
        );
        let later = change(Change { expires: Expiry::at(Nanos::from_secs(1_795_197_720)), ..now });
        assert_eq!(later.shrinks_by(), None);
        let body = text(|out| amend(out, &names(), &later).unwrap());
        assert!(
            body.contains("\"count\":\"25.00\"")
                && body.contains("\"expiration_time\":1795197720,")
        );
        let was = Order { tif: Tif::Gtd, expires: later.expires, ..order() };
        let for_good = Amend::new(&was, &now, 1, Nanos::from_secs(2));
        assert!(
            text(|out| amend(out, &names(), &for_good).unwrap()).contains("\"expiration_time\":0,")
        );
        let less = change(Change { qty: Qty::from_contracts(20), ..now }).shrinks_by().unwrap();
        assert_eq!(
            text(|out| decrease(out, 2, less).unwrap()),
            "{\"reduce_by\":\"5.00\",\"exchange_index\":2}"
        );
        assert_eq!(decrease(&mut Vec::new(), 2, Qty::ZERO), Err(EncodeError::Qty));
    }

    #[test]
    fn client_ids_go_both_ways() {
        for id in [0, 1, 0x1f3a2, u64::MAX].map(OrderId::new) {
            assert_eq!(our_order_id(&client_id(id)), Some(id));
        }
        for other in ["", "sf-", "sf-1", "mm-0000000000000001", "sf-000000000000000G"] {
            assert_eq!(our_order_id(other.as_bytes()), None);
        }
    }

    #[test]
    fn a_cancel_signs_its_path_alone() {
        let mut out = Vec::new();
        let signed = cancel_target(&mut out, "3b23", 2);
        assert_eq!(&out[..signed], b"/trade-api/v2/portfolio/events/orders/3b23");
        assert_eq!(&out[signed..], b"?subaccount=0&exchange_index=2");
    }
}
