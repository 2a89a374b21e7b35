//! The second reference of the codecs: serde_json into types that borrow the frame's texts, and the numbers in them parsed.
//!
//! It is what a careful user would write: nothing is read that is not needed, and no text is copied.

#![allow(clippy::float_arithmetic, reason = "the reference is written with floats on purpose")]

use std::hint::black_box;

use serde::Deserialize;

use super::{FRAMES, Row, Span, measure_stream};

const NAME: &str = "serde_json types, borrowed, f64";

#[derive(Deserialize)]
struct PriceChanges<'a> {
    market: &'a str,
    #[serde(borrow)]
    price_changes: Vec<PriceChange<'a>>,
    timestamp: &'a str,
    event_type: &'a str,
}

#[derive(Deserialize)]
struct PriceChange<'a> {
    asset_id: &'a str,
    price: &'a str,
    size: &'a str,
    side: &'a str,
    best_bid: &'a str,
    best_ask: &'a str,
}

#[derive(Deserialize)]
struct OrderbookDelta<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    sid: u64,
    seq: u64,
    msg: Delta<'a>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    market_ticker: &'a str,
    price_dollars: &'a str,
    delta_fp: &'a str,
    side: &'a str,
    ts_ms: u64,
}

fn number(text: &str) -> f64 {
    text.parse().expect("a number in a string")
}

/// Reading `price_change` frames.
pub fn decode_pm(span: Span, frames: &[Vec<u8>]) -> Row {
    measure_stream(NAME, span, FRAMES, frames, |frame| {
        let frame: PriceChanges<'_> = serde_json::from_slice(frame).expect("JSON");
        assert!(frame.event_type == "price_change", "the frames are of one kind");
        let mut sum = 0.0;
        for change in &frame.price_changes {
            black_box((change.asset_id, change.side == "BUY"));
            sum += number(change.price) + number(change.size);
            sum += number(change.best_bid) + number(change.best_ask);
        }
        black_box((frame.market, frame.timestamp.parse::<u64>().expect("a time")));
        sum
    })
}

/// Reading `orderbook_delta` frames.
pub fn decode_kalshi(span: Span, frames: &[Vec<u8>]) -> Row {
    measure_stream(NAME, span, FRAMES, frames, |frame| {
        let frame: OrderbookDelta<'_> = serde_json::from_slice(frame).expect("JSON");
        assert!(frame.kind == "orderbook_delta", "the frames are of one kind");
        let Delta { market_ticker, price_dollars, delta_fp, side, ts_ms } = frame.msg;
        black_box((frame.sid, frame.seq, ts_ms, market_ticker, side == "yes"));
        number(price_dollars) + number(delta_fp)
    })
}
