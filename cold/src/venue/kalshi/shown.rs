//! A market's book as `GET /markets/{ticker}/orderbook` shows it (`kalshi.md` §5, 2026-11-20).

use serde_json::Value;
use surefoot_hot::units::{Nanos, Price, Qty};

use super::super::ShownBook;
use crate::json::{Object, ReadError, as_qty, scaled};

/// Reads a book: bids of YES, and bids of NO in prices of NO. The answer has no time of its own.
///
/// # Errors
/// A side goes by another name, or a level cannot be read.
pub fn book(body: &Value) -> Result<ShownBook, ReadError> {
    let body = Object::new("answer", body);
    let book = body.get("orderbook_fp").ok_or(body.error("orderbook_fp"))?;
    let book = Object::new("book", book);
    let bids = side(&book, "yes_dollars")?;
    let mut asks = side(&book, "no_dollars")?;
    asks.iter_mut().for_each(|(price, _)| *price = price.complement());
    Ok(ShownBook { bids, asks, venue_time: Nanos::ZERO })
}

/// A side that is null holds nothing; one that is not there may go by another name.
fn side(book: &Object<'_>, name: &'static str) -> Result<Vec<(Price, Qty)>, ReadError> {
    let Some(rows) = book.get(name) else {
        return if book.has(name) { Ok(Vec::new()) } else { Err(book.error(name)) };
    };
    let level = |row: &Value| {
        let (price, qty) = (scaled(row.get(0)?, 4)?, scaled(row.get(1)?, 6)?);
        Some((Price::from_ticks(u16::try_from(price).ok()?)?, as_qty(qty)?))
    };
    let rows = rows.as_array().ok_or(book.error(name))?;
    let levels = rows.iter().map(|row| level(row).ok_or(book.error(name)));
    levels.filter(|level| !matches!(level, Ok((_, Qty::ZERO)))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_book_is_read_whole_or_not_at_all() {
        let body = json!({"orderbook_fp": {"yes_dollars": [["0.4200", "300.00"], ["0.4300", "25.50"]],
            "no_dollars": [["0.5400", "20.00"], ["0.5600", "0.00"]]}});
        let px = |ticks| Price::from_ticks(ticks).unwrap();
        let read = book(&body).unwrap();
        assert_eq!(
            read.bids,
            [(px(4_200), Qty::from_contracts(300)), (px(4_300), Qty::from_micros(25_500_000))]
        );
        assert_eq!(
            read.asks,
            [(px(4_600), Qty::from_contracts(20))],
            "what NO bids is what YES asks"
        );
        assert_eq!(read.venue_time, Nanos::ZERO);
        let empty =
            book(&json!({"orderbook_fp": {"yes_dollars": null, "no_dollars": []}})).unwrap();
        assert_eq!(empty, ShownBook::default());
        for odd in [
            json!({"orderbook": {"yes": [], "no": []}}),
            json!({"orderbook_fp": {"yes_dollars": []}}),
            json!({"orderbook_fp": {"yes_dollars": [["1.4", "1"]], "no_dollars": []}}),
            json!({"orderbook_fp": {"yes_dollars": [["0.4"]], "no_dollars": []}}),
            json!({"orderbook_fp": {"yes_dollars": [["0.4", "-1"]], "no_dollars": []}}),
        ] {
            assert!(book(&odd).is_err(), "{odd}");
        }
    }
}
