//! Request bodies, byte for byte as the venue's SDK writes them, into a buffer the caller keeps.
//!
//! Source: venue reference, `polymarket.md` §4.1 to §4.3 and §1.6, compiled 2026-11-20.

use surefoot_hot::ids::Action;

use super::eip712::Word;
use super::signer::{SignedOrder, Signer};
use crate::text::{Digits, push_hex};

/// Paths of the order calls.
pub mod path {
    /// `POST` one order, `DELETE` one order.
    pub const ORDER: &str = "/order";
    /// `DELETE` everything these credentials see.
    pub const CANCEL_ALL: &str = "/cancel-all";
    /// `POST` the dead man's beat.
    pub const HEARTBEAT: &str = "/v1/heartbeats";
    /// `GET` one order: its id follows.
    pub const DATA_ORDER: &str = "/data/order/";
    /// Path of the account's own trades (`GET`).
    pub const DATA_TRADES: &str = "/data/trades";
}

/// Appends the body of `POST /order`.
pub fn post_order(out: &mut Vec<u8>, signer: &Signer, order: &SignedOrder) {
    let fields = &order.fields;
    out.extend_from_slice(b"{\"deferExec\":false,\"postOnly\":");
    out.extend_from_slice(if order.post_only { b"true" } else { b"false" });
    out.extend_from_slice(b",\"order\":{\"salt\":");
    out.extend_from_slice(Digits::new(fields.salt).as_bytes());
    out.extend_from_slice(b",\"maker\":\"");
    out.extend_from_slice(signer.maker_text().as_bytes());
    out.extend_from_slice(b"\",\"signer\":\"");
    out.extend_from_slice(signer.signer_text().as_bytes());
    out.extend_from_slice(b"\",\"tokenId\":\"");
    out.extend_from_slice(order.token());
    out.extend_from_slice(b"\",\"makerAmount\":\"");
    out.extend_from_slice(Digits::new(fields.maker_amount).as_bytes());
    out.extend_from_slice(b"\",\"takerAmount\":\"");
    out.extend_from_slice(Digits::new(fields.taker_amount).as_bytes());
    out.extend_from_slice(b"\",\"side\":\"");
    out.extend_from_slice(match fields.side {
        Action::Buy => b"BUY",
        Action::Sell => b"SELL",
    });
    out.extend_from_slice(b"\",\"signatureType\":");
    out.push(b'0' + fields.kind as u8);
    out.extend_from_slice(b",\"timestamp\":\"");
    out.extend_from_slice(Digits::new(fields.timestamp).as_bytes());
    out.extend_from_slice(b"\",\"expiration\":\"");
    out.extend_from_slice(Digits::new(order.expiration).as_bytes());
    out.extend_from_slice(b"\",\"metadata\":\"0x");
    push_hex(out, &fields.metadata);
    out.extend_from_slice(b"\",\"builder\":\"0x");
    push_hex(out, &fields.builder);
    out.extend_from_slice(b"\",\"signature\":\"0x");
    push_hex(out, order.signature.as_bytes());
    out.extend_from_slice(b"\"},\"owner\":\"");
    out.extend_from_slice(signer.owner().as_bytes());
    out.extend_from_slice(b"\",\"orderType\":\"");
    out.extend_from_slice(order.order_type.name().as_bytes());
    out.extend_from_slice(b"\"}");
}

/// Appends an order id as the venue writes it: `0x` and 64 digits.
pub fn order_id(out: &mut Vec<u8>, id: &Word) {
    out.extend_from_slice(b"0x");
    push_hex(out, id);
}

/// Appends the body of `DELETE /order`.
pub fn cancel(out: &mut Vec<u8>, id: &Word) {
    out.extend_from_slice(b"{\"orderID\":\"");
    order_id(out, id);
    out.extend_from_slice(b"\"}");
}

/// Appends the body of `POST /v1/heartbeats`: the id of the last answer, empty the first time.
pub fn heartbeat(out: &mut Vec<u8>, id: &str) {
    out.extend_from_slice(b"{\"heartbeat_id\":\"");
    out.extend_from_slice(id.as_bytes());
    out.extend_from_slice(b"\"}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_small_bodies() {
        let body = |write: &dyn Fn(&mut Vec<u8>)| {
            let mut out = Vec::new();
            write(&mut out);
            String::from_utf8(out).unwrap()
        };
        let text = "ab".repeat(32);
        assert_eq!(body(&|out| cancel(out, &[0xab; 32])), format!("{{\"orderID\":\"0x{text}\"}}"));
        assert_eq!(body(&|out| heartbeat(out, "")), "{\"heartbeat_id\":\"\"}");
    }
}
