//! A market's book as `GET /book` shows it.
//!
//! It may come out of a cache and be older than the stream (`polymarket.md` §11, issue 180 of the venue's Python client), so it
//! carries its own time along.

use serde_json::Value;
use surefoot_hot::units::{Nanos, Price, Qty};

use super::super::ShownBook;
use crate::json::{Object, ReadError};

/// Reads the book of a YES token.
///
/// # Errors
/// It is of another token, or a level or the time cannot be read.
pub fn book(body: &Value, token: &str) -> Result<ShownBook, ReadError> {
    let object = Object::new("book", body);
    if object.text("asset_id")? != token {
        return Err(object.error("asset_id"));
    }
    let millis = object.whole("timestamp")?;
    let venue_time = Nanos::new(millis.checked_mul(1_000_000).ok_or(object.error("timestamp"))?);
    Ok(ShownBook { bids: side(&object, "bids")?, asks: side(&object, "asks")?, venue_time })
}

fn side(book: &Object<'_>, name: &'static str) -> Result<Vec<(Price, Qty)>, ReadError> {
    let level = |row| -> Result<(Price, Qty), ReadError> {
        let row = Object::new("level of a book", row);
        Ok((row.price("price")?, row.qty("size")?))
    };
    let levels = book.list(name)?.iter().map(level);
    levels.filter(|level| !matches!(level, Ok((_, Qty::ZERO)))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_book_is_read_whole_or_not_at_all() {
        let body = json!({"market": "0xc1", "asset_id": "1111", "timestamp": "1795197600123", "hash": "ab",
            "bids": [{"price": "0.01", "size": "5"}, {"price": "0.425", "size": "12.5"}],
            "asks": [{"price": "0.99", "size": "0"}, {"price": "0.43", "size": "7"}], "tick_size": "0.001"});
        let px = |ticks| Price::from_ticks(ticks).unwrap();
        let read = book(&body, "1111").unwrap();
        assert_eq!(read.venue_time, Nanos::from_millis(1_795_197_600_123));
        assert_eq!(
            read.bids,
            [(px(100), Qty::from_contracts(5)), (px(4_250), Qty::from_micros(12_500_000))]
        );
        assert_eq!(
            read.asks,
            [(px(4_300), Qty::from_contracts(7))],
            "nothing rests where nothing is left"
        );
        assert!(book(&body, "1112").is_err(), "another token's");
        for (field, odd) in [
            ("bids", json!(null)),
            ("asks", json!([{"price": "1.5", "size": "1"}])),
            ("asks", json!([{"price": "0.5", "size": "-1"}])),
            ("timestamp", json!("soon")),
        ] {
            let mut strange = body.clone();
            strange[field] = odd;
            assert!(book(&strange, "1111").is_err(), "{field}");
        }
    }
}
