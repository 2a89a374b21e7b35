//! Ids of our orders, learnt from the frames of the private stream.

use surefoot_hot::ids::OrderId;
use surefoot_hot::venue::kalshi::our_order_id;

use super::codec::venue_id;
use crate::wirelog::VenueId;

/// What a frame of the private stream teaches: our id and the venue's, from any message that has both. To be
/// put in front of the private session: fills and updates may outrun the answer that names the id.
pub fn learn_from_frame(frame: &[u8]) -> Option<(OrderId, VenueId)> {
    let frame = std::str::from_utf8(frame).ok()?;
    let client = field(frame, "\"client_order_id\"")?;
    let order = our_order_id(client.as_bytes())?;
    let id = venue_id(field(frame, "\"order_id\"")?);
    (!id.is_none()).then_some((order, id))
}

/// The text after a key; keys and ids hold no escapes.
fn field<'a>(frame: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = frame.split_once(key)?;
    let rest = rest.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    rest.split_once('"').map(|(text, _)| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_teaches_the_venue_id() {
        let frame = br#"{"type":"fill","msg":{"trade_id":"d9","order_id":"3b23c1c7","client_order_id": "sf-000000000001f3a2"}}"#;
        let (order, id) = learn_from_frame(frame).unwrap();
        assert_eq!((order, id.as_bytes()), (OrderId::new(0x1f3a2), &b"3b23c1c7"[..]));
        assert_eq!(learn_from_frame(br#"{"order_id":"a","client_order_id":"mm1-1"}"#), None);
        assert_eq!(learn_from_frame(b"{}"), None);
        for id in ["", "a b", "a\\r\\nHost: x", "a?b", "a/b", &"a".repeat(41)] {
            let frame = format!(r#"{{"order_id":"{id}","client_order_id":"sf-000000000001f3a2"}}"#);
            assert_eq!(learn_from_frame(frame.as_bytes()), None, "{id}");
        }
    }
}
