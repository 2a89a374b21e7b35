//! What does it cost to read one frame? The codecs are most of the path from frame to decision; above a microsecond
//! they would not leave room for the rest.
//!
//! A codec that reads the same few frames again and again has their lengths foretold and their bytes in the first-level cache. So
//! each row reads more than a megabyte of frames that all differ, of many markets, in the shape that the venue sends, again and
//! again: `SHAPE` says which fields vary.

use std::collections::HashSet;
use std::fmt::Write;
use std::hint::black_box;
use std::path::PathBuf;

use serde_json::Value;
use surefoot_hot::event::Event;
use surefoot_hot::grid::Grid;
use surefoot_hot::ids::MarketId;
use surefoot_hot::units::Nanos;
use surefoot_hot::venue::polymarket::{MarketNames, MarketSession};
use surefoot_hot::venue::{EventSink, Session, kalshi};

use super::{FRAMES, Row, Span, measure_stream, plain, typed};

/// Where the recorded session lies in `SUREFOOT_DATA`.
const CAPTURE: &str = "polymarket/ws_market_2026-09-24_all110.jsonl";
/// Different `price_change` frames: 1.2 MB.
const CHANGES: usize = 2_048;
/// Different `orderbook_delta` frames: 1.2 MB.
const DELTAS: usize = 4_096;
/// Markets of the synthetic frames.
const MARKETS: usize = 64;
/// The first sequence number; the others have as many digits.
const SEQ: u64 = 1_000_000_000;
/// What is different from frame to frame.
const SHAPE: &str = "market, side, price (a fifth in tenths of a cent), size (one to seven digits, half with cents) and times vary";

/// Takes events and does as little as can be.
struct Count(u64);

impl EventSink for Count {
    #[inline]
    fn push(&mut self, event: Event) {
        black_box(&event);
        self.0 += 1;
    }
}

/// Xorshift, from a seed of its own.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }

    fn text(&mut self, alphabet: &[u8], length: usize) -> String {
        let byte = |_| char::from(alphabet[self.below(alphabet.len() as u64) as usize]);
        (0..length).map(byte).collect()
    }

    /// Ticks from 10 to 9,990: four in five are whole cents.
    fn ticks(&mut self) -> u64 {
        if self.below(5) == 0 { 10 + 10 * self.below(999) } else { 100 + 100 * self.below(99) }
    }

    /// One to seven digits.
    fn contracts(&mut self) -> u64 {
        let most = 10_u64.pow(1 + self.below(7) as u32);
        1 + self.below(most - 1)
    }

    /// A number of contracts as it is written; a tenth of them are the zero of a level that went.
    fn size(&mut self) -> String {
        let contracts = self.contracts();
        match self.below(20) {
            0 | 1 => "0".to_owned(),
            2..=10 => format!("{contracts}.{:02}", self.below(100)),
            _ => contracts.to_string(),
        }
    }
}

/// A price as Polymarket writes it: no more decimals than it takes.
fn dollars(ticks: u64) -> String {
    let text = format!("0.{ticks:04}");
    text.trim_end_matches('0').to_owned()
}

/// What Polymarket calls one market.
struct Name {
    condition: String,
    yes: String,
    no: String,
}

/// The markets of the recorded session where it is at hand, and where they are from; else synthetic ones.
fn names() -> (Vec<Name>, &'static str) {
    if let Some(names) = recorded() {
        return (names, "of the markets of a recorded session");
    }
    let mut draw = Draw(3);
    let mut token = || format!("{}{}", 1 + draw.below(9), draw.text(b"0123456789", 76));
    let tokens: Vec<[String; 2]> = (0..MARKETS).map(|_| [token(), token()]).collect();
    let name = |[yes, no]: [String; 2]| Name {
        condition: format!("0x{}", draw.text(b"0123456789abcdef", 64)),
        yes,
        no,
    };
    (tokens.into_iter().map(name).collect(), "of synthetic markets (SUREFOOT_DATA is unset)")
}

/// The names in the books that the recorded session begins with.
fn recorded() -> Option<Vec<Name>> {
    let folder = std::env::var_os("SUREFOOT_DATA")?;
    let path = PathBuf::from(folder).join(CAPTURE);
    let text = std::fs::read_to_string(&path)
        .inspect_err(|why| eprintln!("{}: {why}; synthetic names are used", path.display()))
        .ok()?;
    let line: Value = serde_json::from_str(text.lines().next()?).ok()?;
    let books: Vec<Value> = serde_json::from_str(line["payload"].as_str()?).ok()?;
    let mut names: Vec<Name> = Vec::new();
    for book in &books {
        let (market, token) = (book["market"].as_str()?, book["asset_id"].as_str()?);
        match names.iter_mut().find(|name| name.condition == market) {
            Some(name) => name.no = token.to_owned(),
            None => {
                let (condition, yes) = (market.to_owned(), token.to_owned());
                names.push(Name { condition, yes, no: String::new() });
            }
        }
    }
    (!names.is_empty() && names.iter().all(|name| !name.no.is_empty())).then_some(names)
}

/// One change told from both sides, as the venue writes it (2026-09-24): 590 to 624 bytes.
fn price_change(name: &Name, draw: &mut Draw) -> Vec<u8> {
    let (ticks, size) = (draw.ticks(), draw.size());
    let bid = ticks.min(10 * (1 + draw.below(998)));
    let ask = bid + 10 * (1 + draw.below((9_990 - bid) / 10));
    let buys = draw.below(2) == 0;
    let entry = |token: &str, ticks, buys, bid, ask, hash: String| {
        format!(
            "{{\"asset_id\":\"{token}\", \"price\":\"{}\", \"size\":\"{size}\", \"side\":\"{}\", \
             \"hash\":\"{hash}\", \"best_bid\":\"{}\", \"best_ask\":\"{}\"}}",
            dollars(ticks),
            if buys { "BUY" } else { "SELL" },
            dollars(bid),
            dollars(ask),
        )
    };
    let mut hash = || draw.text(b"0123456789abcdef", 40);
    let yes = entry(&name.yes, ticks, buys, bid, ask, hash());
    let no = entry(&name.no, 10_000 - ticks, !buys, 10_000 - ask, 10_000 - bid, hash());
    let [first, second] = if draw.below(2) == 0 { [yes, no] } else { [no, yes] };
    let time = 1_790_267_000_000 + draw.below(1_000_000);
    format!(
        "{{\"market\":\"{}\", \"price_changes\":[{first}, {second}], \"timestamp\":\"{time}\", \
         \"event_type\":\"price_change\"}}",
        name.condition
    )
    .into_bytes()
}

/// A market link with a book of every market.
fn polymarket(names: &[Name]) -> MarketSession {
    let mut session = MarketSession::with_capacity(names.len());
    let mut sink = Count(0);
    for (nth, Name { condition, yes, no }) in names.iter().enumerate() {
        let market = MarketId::new(u16::try_from(nth).expect("a few markets"));
        let grid = Grid::uniform(10).expect("tenths of a cent divide a dollar");
        let names = MarketNames { market, condition, yes, no, grid };
        session.add_market(Nanos::ZERO, &names).expect("there is room");
    }
    session.on_open(Nanos::ZERO);
    for Name { condition, yes, .. } in names {
        let book = format!(
            "{{\"event_type\":\"book\",\"market\":\"{condition}\",\"asset_id\":\"{yes}\",\"timestamp\":\"1\",\
             \"bids\":[{{\"price\":\"0.1\",\"size\":\"10\"}}],\"asks\":[{{\"price\":\"0.9\",\"size\":\"10\"}}]}}"
        );
        session.on_frame(Nanos::ZERO, book.as_bytes(), &mut sink).expect("a good frame");
    }
    while session.poll_send().is_some() {}
    session
}

/// What the frames are, for people.
///
/// # Panics
/// If they are not many, large and different.
fn told(frames: &[Vec<u8>]) -> String {
    let bytes: usize = frames.iter().map(Vec::len).sum();
    let different = frames.iter().collect::<HashSet<_>>().len();
    assert!(bytes >= 1 << 20 && different >= 256, "{different} frames of {bytes} bytes");
    format!("{different} different frames of {} bytes on average", bytes / frames.len())
}

/// A `price_change` of the usual size and shape.
pub fn decode_pm_price_change(span: Span) -> Row {
    let (names, origin) = names();
    let mut draw = Draw(7);
    let frames: Vec<Vec<u8>> = (0..CHANGES)
        .map(|_| price_change(&names[draw.below(names.len() as u64) as usize], &mut draw))
        .collect();
    let (mut session, mut sink) = (polymarket(&names), Count(0));
    let row = measure_stream("decode_pm_price_change", span, FRAMES, &frames, |frame| {
        session.on_frame(Nanos::ZERO, frame, &mut sink).expect("a good frame");
        sink.0
    });
    let counters = session.counters();
    assert_eq!(
        (counters.unusual, counters.bad, counters.early, counters.unknown_market),
        (0, 0, 0, 0),
        "every frame went the usual way"
    );
    let input = format!("{} {origin} ({}); {SHAPE}", told(&frames), names.len());
    row.fed(input).beside(plain::decode_pm(span, &frames)).beside(typed::decode_pm(span, &frames))
}

/// Frames that are read again and again, each time with the next sequence number, which is written in place.
struct Numbered {
    frames: Vec<Vec<u8>>,
    /// Where the number's ten digits begin.
    digits: usize,
    seq: u64,
}

impl Numbered {
    fn next(&mut self) -> &[u8] {
        let mut left = self.seq;
        let at = (self.seq - SEQ) as usize % self.frames.len();
        self.seq += 1;
        let frame = &mut self.frames[at];
        for digit in frame[self.digits..self.digits + 10].iter_mut().rev() {
            *digit = b'0' + (left % 10) as u8;
            left /= 10;
        }
        frame
    }
}

/// Synthetic `orderbook_delta` frames: no recorded ones may be redistributed.
fn deltas(tickers: &[String]) -> Numbered {
    let head = "{\"type\":\"orderbook_delta\",\"sid\":1,\"seq\":";
    let mut draw = Draw(9);
    let frame = |nth: usize| {
        let ticker = &tickers[draw.below(tickers.len() as u64) as usize];
        let id = [8, 4, 4, 4, 12].map(|length| draw.text(b"0123456789abcdef", length)).join("-");
        let (ticks, sign) = (draw.ticks(), if draw.below(2) == 0 { "-" } else { "" });
        let contracts = draw.contracts();
        let cents = if draw.below(2) == 0 { 0 } else { draw.below(100) };
        let side = if draw.below(2) == 0 { "yes" } else { "no" };
        let (second, ms) = (10 + draw.below(50), 100 + draw.below(900));
        let mut text =
            format!("{head}{},\"sending_ts_ms\":17951976{second}{ms},", SEQ + nth as u64);
        write!(
            text,
            "\"msg\":{{\"market_ticker\":\"{ticker}\",\"market_id\":\"{id}\",\"price_dollars\":\"0.{ticks:04}\",\
             \"delta_fp\":\"{sign}{contracts}.{cents:02}\",\"side\":\"{side}\",\
             \"ts\":\"2026-11-20T18:00:{second}.{ms}Z\",\"ts_ms\":17951976{second}{ms}}}}}"
        )
        .expect("a text takes what is written");
        text.into_bytes()
    };
    Numbered { frames: (0..DELTAS).map(frame).collect(), digits: head.len(), seq: SEQ }
}

/// A market link with a book of every market, the next message of which has the number [`SEQ`].
fn kalshi(tickers: &[String]) -> kalshi::Session {
    let mut session = kalshi::Session::with_capacity(kalshi::Role::Market, tickers.len());
    let mut sink = Count(0);
    for (nth, ticker) in tickers.iter().enumerate() {
        let market = MarketId::new(u16::try_from(nth).expect("a few markets"));
        let grid = Grid::uniform(10).expect("tenths of a cent divide a dollar");
        session.add_market(Nanos::ZERO, ticker, market, grid).expect("there is room");
    }
    session.on_open(Nanos::ZERO);
    for (seq, ticker) in (SEQ - tickers.len() as u64..).zip(tickers) {
        let book = format!(
            "{{\"type\":\"orderbook_snapshot\",\"sid\":1,\"seq\":{seq},\"msg\":{{\"market_ticker\":\"{ticker}\",\
             \"yes_dollars_fp\":[[\"0.4200\",\"300.00\"]],\"no_dollars_fp\":[[\"0.4400\",\"20.00\"]]}}}}"
        );
        session.on_frame(Nanos::ZERO, book.as_bytes(), &mut sink).expect("a good frame");
    }
    while session.poll_send().is_some() {}
    session
}

/// An `orderbook_delta`. Its number is written in place as it is used: ten stores, part of what is measured.
pub fn decode_kalshi_delta(span: Span) -> Row {
    let mut draw = Draw(5);
    let tickers: Vec<String> = (0..MARKETS)
        .map(|nth| format!("KXSAMPLE-26NOV2017-T{}.{nth:02}", 10_000 + draw.below(90_000)))
        .collect();
    let (mut session, mut deltas) = (kalshi(&tickers), deltas(&tickers));
    let input = format!(
        "{} of {MARKETS} synthetic markets; {SHAPE}; the sequence number is written as each is read",
        told(&deltas.frames)
    );
    let mut sink = Count(0);
    let row = measure_stream("decode_kalshi_delta", span, FRAMES, &[(); DELTAS], |()| {
        session.on_frame(Nanos::ZERO, black_box(deltas.next()), &mut sink).expect("a good frame");
        sink.0
    });
    let counters = session.counters();
    assert_eq!(
        (counters.unusual, counters.bad, counters.gaps, counters.early, counters.unknown_market),
        (0, 0, 0, 0, 0),
        "every frame went the usual way"
    );
    row.fed(input)
        .beside(plain::decode_kalshi(span, &deltas.frames))
        .beside(typed::decode_kalshi(span, &deltas.frames))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frames_are_what_the_rows_say() {
        let span = Span { warm_up: 0, blocks: 1 };
        for row in [decode_pm_price_change(span), decode_kalshi_delta(span)] {
            let names: Vec<_> = row.references().map(|row| row.name).collect();
            assert_eq!(names.len(), 2, "{}", row.name);
            assert!(names[0].contains("Value") && names[1].contains("types"), "{names:?}");
        }
        let name = Name { condition: "0".repeat(66), yes: "1".repeat(77), no: "2".repeat(77) };
        let mut draw = Draw(7);
        for _ in 0..1_000 {
            let length = price_change(&name, &mut draw).len();
            assert!((590..=636).contains(&length), "{length} bytes");
        }
    }
}
