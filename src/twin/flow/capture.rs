//! A recorded Polymarket market session, played again and again as house levels, its times moved to now.
//!
//! The file has one JSON object a line: `payload` is the frame's text as it was received, and
//! `receive_monotonic_ns` or `receive_wall_ms` says when. Frames that follow from the books (`best_bid_ask`) are
//! left out, because the twin makes its own; hashes too.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::Value;
use surefoot_hot::ids::Side;
use surefoot_hot::units::{Nanos, Price, Qty};

use super::Action;
use super::quote::Quote;
use crate::twin::market_set::{Generation, MarketSet, POLYMARKET_RATE, PolymarketMarket};
use crate::twin::rng::Rng;

/// From the last frame to the first of the next round.
const SEAM: Nanos = Nanos::from_millis(1_000);
/// Recorded markets that get a counterpart on Kalshi: those with the narrowest spread.
const COUNTERPARTS: usize = 4;
/// A session has at most this many markets, so that core's tables hold them beside the generated ones.
const MARKETS_MAX: usize = 200;

/// What a session's file could not be used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureError {
    /// The capture that cannot be used.
    pub file: PathBuf,
    /// The line, from 1; zero where it is the file as a whole.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, what } = self;
        match line {
            0 => write!(f, "capture {}: {what}", file.display()),
            _ => write!(f, "capture {}, line {line}: {what}", file.display()),
        }
    }
}

impl std::error::Error for CaptureError {}

type Levels = [BTreeMap<u16, Qty>; 2];

/// A session in YES terms.
#[derive(Clone, Debug, Default)]
pub struct Capture {
    markets: Vec<Recorded>,
    /// By time from the first frame.
    changes: Vec<(Nanos, Vec<Change>)>,
}

#[derive(Clone, Debug)]
struct Recorded {
    condition_id: String,
    yes: String,
    no: String,
    /// Price step, in $0.0001.
    tick: u16,
    /// The last trade's price in YES terms, which the book's hash takes in.
    last: Option<Price>,
    first: Option<Levels>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Change {
    Level { market: usize, side: Side, ticks: u16, qty: Qty },
    Whole { market: usize, levels: Levels },
}

impl Capture {
    /// Reads a session.
    ///
    /// # Errors
    /// The first line that does not fit, or a file that cannot be read or holds no book.
    pub fn load(path: &Path) -> Result<Self, CaptureError> {
        let fail = |line, what: String| CaptureError { file: path.to_owned(), line, what };
        let bytes = std::fs::read(path).map_err(|error| fail(0, error.to_string()))?;
        let read = std::str::from_utf8(&bytes).map_err(|error| {
            let good = &bytes[..error.valid_up_to()];
            (good.iter().filter(|&&byte| byte == b'\n').count() + 1, "not text".to_owned())
        });
        read.and_then(Self::parse).map_err(|(line, what)| fail(line, what))
    }

    fn parse(text: &str) -> Result<Self, (usize, String)> {
        let mut capture = Self::default();
        let mut began = None;
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let at = |what: String| (number + 1, what);
            let envelope: Value =
                serde_json::from_str(line).map_err(|e| at(format!("not JSON: {e}")))?;
            let when = envelope["receive_monotonic_ns"]
                .as_u64()
                .or_else(|| envelope["receive_wall_ms"].as_u64()?.checked_mul(1_000_000))
                .ok_or_else(|| at("neither receive_monotonic_ns nor receive_wall_ms".into()))?;
            let offset = Nanos::new(when).since(Nanos::new(*began.get_or_insert(when)));
            let payload =
                envelope["payload"].as_str().ok_or_else(|| at("no payload text".into()))?;
            let frame: Value = serde_json::from_str(payload)
                .map_err(|e| at(format!("payload is not JSON: {e}")))?;
            let single = [frame];
            let events = single[0].as_array().map_or(&single[..], |list| list.as_slice());
            let mut changes = Vec::new();
            for event in events {
                capture.event(event, &mut changes).map_err(at)?;
            }
            if !changes.is_empty() {
                capture.changes.push((offset, changes));
            }
        }
        capture.markets.retain(|market| market.first.is_some());
        if capture.markets.is_empty() {
            return Err((0, "holds no book".into()));
        }
        Ok(capture)
    }

    fn event(&mut self, event: &Value, changes: &mut Vec<Change>) -> Result<(), String> {
        match event["event_type"].as_str() {
            Some("book") => {
                let (market, is_yes) = self.market(event, field(event, "asset_id")?)?;
                if let Some(tick) = event["tick_size"].as_str() {
                    self.markets[market].tick = ticks(tick)?;
                }
                if !is_yes {
                    return Ok(()); // the mirror of the other
                }
                if let Some(last) =
                    event["last_trade_price"].as_str().filter(|text| !text.is_empty())
                {
                    self.markets[market].last = Price::from_ticks(ticks(last)?);
                }
                let mut levels = Levels::default();
                for (key, side) in [("bids", Side::Bid), ("asks", Side::Ask)] {
                    for level in event[key].as_array().ok_or(format!("a book without {key}"))? {
                        let price = ticks(field(level, "price")?)?;
                        levels[side.index()].insert(price, qty(field(level, "size")?)?);
                    }
                }
                if self.markets[market].first.is_none() {
                    self.markets[market].first = Some(levels);
                } else {
                    changes.push(Change::Whole { market, levels });
                }
            }
            Some("price_change") => {
                let rows = event["price_changes"]
                    .as_array()
                    .ok_or("a price_change without price_changes")?;
                let mut seen: Vec<(usize, bool, Change)> = Vec::new();
                for row in rows {
                    let (market, is_yes) = self.market(event, field(row, "asset_id")?)?;
                    if self.markets[market].first.is_none() {
                        return Err("a price_change before the first book of its market".into());
                    }
                    let side = match field(row, "side")? {
                        "BUY" => Side::Bid,
                        "SELL" => Side::Ask,
                        other => return Err(format!("side {other:?} is neither BUY nor SELL")),
                    };
                    let (at, qty) = (ticks(field(row, "price")?)?, qty(field(row, "size")?)?);
                    let (side, at) = if is_yes { (side, at) } else { (side.other(), 10_000 - at) };
                    seen.push((market, is_yes, Change::Level { market, side, ticks: at, qty }));
                }
                // Both outcomes tell one change; one telling is enough.
                for (market, is_yes, change) in &seen {
                    let told = seen
                        .iter()
                        .any(|(other, yes, same)| other == market && *yes && same == change);
                    if *is_yes || !told {
                        changes.push(change.clone());
                    }
                }
            }
            Some(_) => {}
            None => return Err("an event without event_type".into()),
        }
        Ok(())
    }

    /// The market of an event, made when first seen, and whether `asset` is its YES: the first asset seen is.
    fn market(&mut self, event: &Value, asset: &str) -> Result<(usize, bool), String> {
        let id = field(event, "market")?;
        let Some(index) = self.markets.iter().position(|market| market.condition_id == id) else {
            if self.markets.len() == MARKETS_MAX {
                return Err(format!("more than {MARKETS_MAX} markets"));
            }
            let (condition_id, yes) = (id.to_owned(), asset.to_owned());
            self.markets.push(Recorded {
                condition_id,
                yes,
                no: String::new(),
                tick: 100,
                last: None,
                first: None,
            });
            return Ok((self.markets.len() - 1, true));
        };
        let market = &mut self.markets[index];
        if market.yes == asset {
            return Ok((index, true));
        }
        if market.no.is_empty() {
            asset.clone_into(&mut market.no);
        }
        if market.no == asset {
            Ok((index, false))
        } else {
            Err(format!("a third asset of market {id}"))
        }
    }

    /// The last trade's price of each market before the session, in order.
    pub fn lasts(&self) -> impl Iterator<Item = Option<Price>> + '_ {
        self.markets.iter().map(|market| market.last)
    }

    /// How many markets it has.
    pub fn markets(&self) -> usize {
        self.markets.len()
    }

    /// Adds its markets to a set, and a generated counterpart on Kalshi to the narrowest of them.
    pub fn add_to(&self, market_set: &mut MarketSet, seed: u64, start: Nanos) {
        let mut rng = Rng::new(seed).fork(0x0063_6170);
        let close = start.after(Nanos::from_secs(30 * 86_400));
        let first = market_set.polymarket.len();
        for (number, market) in self.markets.iter().enumerate() {
            let question = format!("Recorded market {} ({})", number + 1, &market.condition_id);
            let id = rng.range(800_000, 899_999).to_string();
            market_set.polymarket.push(PolymarketMarket {
                condition_id: market.condition_id.clone(),
                question_id: format!(
                    "0x{:064x}",
                    u128::from(rng.word()) << 64 | u128::from(rng.word())
                ),
                yes_token: market.yes.clone(),
                no_token: market.no.clone(),
                slug: format!("recorded-market-{}", number + 1),
                group_title: String::new(),
                event_id: id,
                event_slug: format!("recorded-market-{}", number + 1),
                event_title: question.clone(),
                question,
                generation: Generation::Two,
                neg_risk_market_id: None,
                tick: market.tick,
                min_size: 5,
                fee_rate: POLYMARKET_RATE,
                close,
                settle: None,
                captured: true,
            });
        }
        let mut by_spread: Vec<(u16, u16, usize)> = self
            .markets
            .iter()
            .enumerate()
            .filter_map(|(index, market)| {
                let [bids, asks] = market.first.as_ref()?;
                let (bid, ask) = (*bids.last_key_value()?.0, *asks.first_key_value()?.0);
                let middle = bid.midpoint(ask);
                (1_000..=9_000).contains(&middle).then(|| (ask.saturating_sub(bid), middle, index))
            })
            .collect();
        by_spread.sort_unstable();
        for (_, middle, index) in by_spread.into_iter().take(COUNTERPARTS) {
            market_set.add_counterpart(first + index, middle, close);
        }
    }
}

/// Plays a session in a loop.
#[derive(Clone, Debug)]
pub(super) struct Player {
    capture: Capture,
    /// Index of its first market, among Polymarket's and so among the quotes.
    first: usize,
    began: Nanos,
    next: usize,
}

impl Player {
    pub(super) fn new(capture: Capture, first: usize, start: Nanos) -> Self {
        Self { capture, first, began: start, next: 0 }
    }

    /// When the next change is due; after the last one, the seam.
    pub(super) fn deadline(&self) -> Nanos {
        match self.capture.changes.get(self.next) {
            Some((offset, _)) => self.began.after(*offset),
            None => self.began.after(self.length()),
        }
    }

    fn length(&self) -> Nanos {
        self.capture.changes.last().map_or(SEAM, |(offset, _)| offset.after(SEAM))
    }

    /// Shows the session's first books.
    pub(super) fn open(&mut self, quotes: &mut [Quote], out: &mut VecDeque<Action>) {
        for (index, market) in self.capture.markets.iter().enumerate() {
            let first = market.first.as_ref().expect("kept only with a book");
            become_levels(&mut quotes[self.first + index], first, out);
        }
    }

    /// Does what is due, and begins again after the last change.
    pub(super) fn step(&mut self, at: Nanos, quotes: &mut [Quote], out: &mut VecDeque<Action>) {
        let Some((_, changes)) = self.capture.changes.get(self.next) else {
            self.began = at;
            self.next = 0;
            self.open(quotes, out);
            out.extend(
                (0..self.capture.markets.len())
                    .map(|index| Action::Book { market: self.first + index }),
            );
            return;
        };
        for change in changes {
            match change {
                Change::Level { market, side, ticks, qty } => {
                    quotes[self.first + market].set(*side, *ticks, *qty, out);
                }
                Change::Whole { market, levels } => {
                    become_levels(&mut quotes[self.first + market], levels, out)
                }
            }
        }
        self.next += 1;
    }
}

/// Sets every level that is or shall be there: removals first, so that the book never crosses on the way.
fn become_levels(quote: &mut Quote, want: &Levels, out: &mut VecDeque<Action>) {
    for side in [Side::Bid, Side::Ask] {
        let gone: Vec<u16> = quote.levels[side.index()]
            .keys()
            .copied()
            .filter(|t| !want[side.index()].contains_key(t))
            .collect();
        for ticks in gone {
            quote.set(side, ticks, Qty::ZERO, out);
        }
    }
    for side in [Side::Bid, Side::Ask] {
        for (&ticks, &qty) in &want[side.index()] {
            quote.set(side, ticks, qty, out);
        }
    }
}

fn field<'v>(value: &'v Value, key: &str) -> Result<&'v str, String> {
    value[key].as_str().ok_or_else(|| format!("no text {key:?}"))
}

fn scaled(text: &str, decimals: usize) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = whole.bytes().chain(part.bytes()).all(|b| b.is_ascii_digit());
    if !digits || (whole.is_empty() && part.is_empty()) || part.len() > decimals || whole.len() > 9
    {
        return None;
    }
    format!("{whole}{part:0<decimals$}").parse().ok()
}

fn ticks(text: &str) -> Result<u16, String> {
    let read = scaled(text, 4).and_then(|t| u16::try_from(t).ok()).and_then(Price::from_ticks);
    let read = read.filter(|price| *price != Price::ZERO && *price != Price::ONE);
    read.map(Price::ticks).ok_or_else(|| format!("price {text:?}"))
}

fn qty(text: &str) -> Result<Qty, String> {
    scaled(text, 6).map(Qty::from_micros).ok_or_else(|| format!("size {text:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(ns: u64, payload: &Value) -> String {
        serde_json::json!({ "receive_monotonic_ns": ns, "payload": payload.to_string() })
            .to_string()
    }

    fn book(asset: &str) -> Value {
        serde_json::json!({ "event_type": "book", "market": "0xm", "asset_id": asset, "tick_size": "0.01",
            "bids": [{ "price": "0.40", "size": "10.5" }], "asks": [{ "price": ".6", "size": "3" }] })
    }

    #[test]
    fn a_bad_line_is_named() {
        let good = line(5, &book("1"));
        let cases = [
            ("{", "not JSON"),
            ("{\"payload\":\"{}\"}", "neither receive_monotonic_ns"),
            ("{\"receive_wall_ms\":18446744073709551615}", "neither receive_monotonic_ns"),
            ("{\"receive_wall_ms\":1}", "no payload"),
            ("{\"receive_wall_ms\":1,\"payload\":\"{\"}", "payload is not JSON"),
            ("{\"receive_wall_ms\":1,\"payload\":\"{}\"}", "event_type"),
        ];
        for (bad, says) in cases {
            let (number, what) = Capture::parse(&format!("{good}\n{bad}\n")).unwrap_err();
            assert_eq!(number, 2);
            assert!(what.contains(says), "{what}");
        }
        assert_eq!(Capture::parse("").unwrap_err(), (0, "holds no book".into()));
        let off = good.replace("0.40", "1.40");
        assert!(Capture::parse(&off).unwrap_err().1.contains("price \"1.40\""));
    }

    #[test]
    fn both_tellings_of_a_change_are_one() {
        let row = |asset: &str, side: &str, price: &str| serde_json::json!({ "asset_id": asset, "side": side, "price": price, "size": "7" });
        let both = serde_json::json!({ "event_type": "price_change", "market": "0xm",
            "price_changes": [row("1", "BUY", "0.41"), row("2", "SELL", "0.59")] });
        let lone = serde_json::json!({ "event_type": "price_change", "market": "0xm",
            "price_changes": [row("2", "SELL", "0.58")] });
        let text =
            [line(5, &serde_json::json!([book("1"), book("2")])), line(9, &both), line(12, &lone)]
                .join("\n");
        let capture = Capture::parse(&text).unwrap();
        let level = |ticks| Change::Level {
            market: 0,
            side: Side::Bid,
            ticks,
            qty: Qty::from_contracts(7),
        };
        let want = vec![(Nanos::new(4), vec![level(4_100)]), (Nanos::new(7), vec![level(4_200)])];
        assert_eq!(capture.changes, want);
    }
}
