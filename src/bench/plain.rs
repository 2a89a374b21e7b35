//! The references: the same work as a user would write it, with serde_json's `Value`, sorted maps and floats.
//!
//! Not a straw man: one pass, no logging, no clones beyond what the approach needs, the same checks of prices.

#![allow(clippy::float_arithmetic, reason = "the reference is written with floats on purpose")]

use std::collections::{BTreeMap, HashMap};
use std::hint::black_box;
use std::sync::mpsc::{Receiver, Sender, channel};

use serde_json::Value;

use super::{FRAMES, Row, Span, measure_stream, shots};

/// A price as a user would hold it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Float(pub f64);

impl Eq for Float {}

impl PartialOrd for Float {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Float {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// One token's book.
#[derive(Debug, Default)]
struct Book {
    bids: BTreeMap<Float, f64>,
    asks: BTreeMap<Float, f64>,
}

impl Book {
    fn set(&mut self, bid: bool, price: f64, size: f64) {
        let side = if bid { &mut self.bids } else { &mut self.asks };
        if size == 0.0 {
            side.remove(&Float(price));
        } else {
            side.insert(Float(price), size);
        }
    }

    fn add(&mut self, bid: bool, price: f64, size: f64) {
        let side = if bid { &mut self.bids } else { &mut self.asks };
        let there = side.entry(Float(price)).or_default();
        *there += size;
        if *there <= 0.0 {
            side.remove(&Float(price));
        }
    }

    fn ask(&self) -> Option<(f64, f64)> {
        self.asks.first_key_value().map(|(price, size)| (price.0, *size))
    }

    fn bid(&self) -> Option<(f64, f64)> {
        self.bids.last_key_value().map(|(price, size)| (price.0, *size))
    }
}

/// An order as a user would hold it.
#[derive(Debug)]
struct Order {
    _venue: &'static str,
    _market: String,
    _price: f64,
    _size: f64,
}

/// A bot of one pair.
struct Bot {
    polymarket: HashMap<String, Book>,
    kalshi: HashMap<String, Book>,
    pair: Option<(String, String)>,
    orders: Sender<Order>,
    sent: Receiver<Order>,
}

fn number(value: &Value) -> f64 {
    value.as_str().and_then(|text| text.parse().ok()).expect("a number in a string")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

impl Bot {
    fn new() -> Self {
        let (orders, sent) = channel();
        Self { polymarket: HashMap::new(), kalshi: HashMap::new(), pair: None, orders, sent }
    }

    fn on_polymarket(&mut self, frame: &[u8]) {
        let frame: Value = serde_json::from_slice(frame).expect("JSON");
        for change in frame["price_changes"].as_array().expect("a list") {
            let bid = text(&change["side"]) == "BUY";
            let (price, size) = (number(&change["price"]), number(&change["size"]));
            let asset = text(&change["asset_id"]);
            match self.polymarket.get_mut(asset) {
                Some(book) => book.set(bid, price, size),
                None => {
                    self.polymarket.entry(asset.to_owned()).or_default().set(bid, price, size);
                }
            }
        }
        self.decide();
    }

    fn on_kalshi(&mut self, frame: &[u8]) {
        let frame: Value = serde_json::from_slice(frame).expect("JSON");
        let message = &frame["msg"];
        let bid = text(&message["side"]) == "yes";
        let (price, size) = (number(&message["price_dollars"]), number(&message["delta_fp"]));
        let ticker = text(&message["market_ticker"]);
        match self.kalshi.get_mut(ticker) {
            Some(book) => book.add(bid, price, size),
            None => self.kalshi.entry(ticker.to_owned()).or_default().add(bid, price, size),
        }
        self.decide();
    }

    /// YES here, NO there: is a pair under a dollar after fees?
    fn decide(&mut self) {
        let Some((token, ticker)) = &self.pair else { return };
        let (Some(here), Some(there)) = (self.polymarket.get(token), self.kalshi.get(ticker))
        else {
            return;
        };
        let (Some((yes, yes_size)), Some((bid, no_size))) = (here.ask(), there.bid()) else {
            return;
        };
        let no = 1.0 - bid;
        let fees = 0.04 * yes * (1.0 - yes) + 0.07 * no * (1.0 - no);
        let edge = 1.0 - yes - no - fees;
        let size = yes_size.min(no_size).min(200.0);
        if edge > 0.01 && edge * size > 0.5 {
            let order =
                Order { _venue: "kalshi", _market: ticker.clone(), _price: no, _size: size };
            self.orders.send(order).expect("its other end is here");
        }
    }
}

/// Fills a book with fifteen levels a side, best prices in cents.
fn fill(book: &mut Book, bid: u32, ask: u32) {
    for nth in 0..15_u32 {
        let size = f64::from(if nth == 0 { 30 } else { 100 + 20 * nth });
        book.set(true, f64::from(bid - nth) / 100.0, size);
        book.set(false, f64::from(ask + nth) / 100.0, size);
    }
}

fn bot(polymarket: (&str, u32, u32), kalshi: (&str, u32, u32)) -> Bot {
    let mut bot = Bot::new();
    fill(bot.polymarket.entry(polymarket.0.to_owned()).or_default(), polymarket.1, polymarket.2);
    fill(bot.kalshi.entry(kalshi.0.to_owned()).or_default(), kalshi.1, kalshi.2);
    bot.pair = Some((polymarket.0.to_owned(), kalshi.0.to_owned()));
    bot
}

const NAME: &str = "serde_json Value, BTreeMap, f64";

/// From a Polymarket frame to an order in a channel.
pub fn frame_to_intent_pm(span: Span, open: &[u8], shut: &[u8]) -> Row {
    let frame: Value = serde_json::from_slice(open).expect("JSON");
    let token = text(&frame["price_changes"][0]["asset_id"]);
    let mut bot = bot((token, 38, 52), ("KX", 50, 54));
    let reset = |bot: &mut Bot| {
        bot.on_polymarket(shut);
        while bot.sent.try_recv().is_ok() {}
    };
    let row = shots(NAME, span, &mut bot, reset, |bot| bot.on_polymarket(open));
    assert!(bot.sent.try_recv().is_ok(), "the last gap was seen");
    row
}

/// From a Kalshi frame to an order in a channel.
pub fn frame_to_intent_kalshi(span: Span, open: &[u8], shut: &[u8]) -> Row {
    let frame: Value = serde_json::from_slice(open).expect("JSON");
    let ticker = text(&frame["msg"]["market_ticker"]);
    let mut bot = bot(("token", 38, 40), (ticker, 40, 54));
    let mut opened = false;
    let reset = |bot: &mut Bot| {
        if std::mem::replace(&mut opened, true) {
            bot.on_kalshi(shut);
        }
        while bot.sent.try_recv().is_ok() {}
    };
    let row = shots(NAME, span, &mut bot, reset, |bot| bot.on_kalshi(open));
    assert!(bot.sent.try_recv().is_ok(), "the last gap was seen");
    row
}

/// Reading `price_change` frames into floats and owned names.
pub fn decode_pm(span: Span, frames: &[Vec<u8>]) -> Row {
    measure_stream(NAME, span, FRAMES, frames, |frame| {
        let frame: Value = serde_json::from_slice(frame).expect("JSON");
        let mut sum = 0.0;
        for change in frame["price_changes"].as_array().expect("a list") {
            black_box(text(&change["asset_id"]));
            black_box(text(&change["side"]) == "BUY");
            sum += number(&change["price"]) + number(&change["size"]);
            for field in ["best_bid", "best_ask"] {
                sum += number(&change[field]);
            }
        }
        sum
    })
}

/// Reading an `orderbook_delta` into floats.
pub fn decode_kalshi(span: Span, frames: &[Vec<u8>]) -> Row {
    measure_stream(NAME, span, FRAMES, frames, |frame| {
        let frame: Value = serde_json::from_slice(frame).expect("JSON");
        let message = &frame["msg"];
        black_box((frame["sid"].as_u64(), frame["seq"].as_u64()));
        black_box(text(&message["market_ticker"]));
        black_box(text(&message["side"]) == "yes");
        number(&message["price_dollars"]) + number(&message["delta_fp"])
    })
}
