//! What does it cost to read one frame? The codecs are most of the path from frame to decision; above a microsecond
//! they would not leave room for the rest.

use std::hint::black_box;
use std::path::PathBuf;

use serde_json::Value;
use surefoot_hot::event::Event;
use surefoot_hot::grid::Grid;
use surefoot_hot::ids::MarketId;
use surefoot_hot::units::Nanos;
use surefoot_hot::venue::polymarket::{MarketNames, MarketSession};
use surefoot_hot::venue::{EventSink, Session, sample};

use super::{Row, Span, measure, plain};

/// Where the recorded session lies in `SUREFOOT_DATA`.
const CAPTURE: &str = "polymarket/ws_market_2026-09-24_all110.jsonl";
/// Kalshi frames in a block.
const DELTAS: usize = 100;

/// Takes events and does as little as can be.
struct Count(u64);

impl EventSink for Count {
    #[inline]
    fn push(&mut self, event: Event) {
        black_box(&event);
        self.0 += 1;
    }
}

/// What a Polymarket row is fed with.
struct Feed {
    session: MarketSession,
    frames: Vec<Vec<u8>>,
    input: String,
}

/// A `price_change` of the usual size: the recorded ones where they are at hand, else the synthetic samples.
pub fn decode_pm_price_change(span: Span) -> Row {
    let mut feed = recorded().unwrap_or_else(synthetic);
    let mut sink = Count(0);
    let session = &mut feed.session;
    let row = measure("decode_pm_price_change", span, &feed.frames, |frame| {
        session.on_frame(Nanos::ZERO, frame, &mut sink).expect("a good frame");
        sink.0
    });
    let counters = session.counters();
    assert_eq!(
        (counters.unusual, counters.bad, counters.early, counters.unknown_market),
        (0, 0, 0, 0),
        "every frame went the usual way"
    );
    row.fed(feed.input).beside(plain::decode_pm(span, &feed.frames))
}

fn synthetic() -> Feed {
    Feed {
        session: sample::polymarket_session(),
        frames: (0..50).flat_map(|_| sample::price_changes()).collect(),
        input: "two synthetic frames of 604 and 607 bytes (SUREFOOT_DATA is unset)".into(),
    }
}

/// The recorded session: its books loaded, its `price_change` frames in order. Run again and again, which a codec
/// does not mind: it checks no hash and no level.
fn recorded() -> Option<Feed> {
    let folder = std::env::var_os("SUREFOOT_DATA")?;
    let path = PathBuf::from(folder).join(CAPTURE);
    let text = std::fs::read_to_string(&path)
        .inspect_err(|why| eprintln!("{}: {why}; synthetic frames are used", path.display()))
        .ok()?;
    let frames: Vec<String> = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|line| line["payload"].as_str().map(str::to_owned))
        .collect();
    let books: Vec<Value> = serde_json::from_str(frames.first()?).ok()?;
    let mut markets: Vec<(&str, Vec<&str>)> = Vec::new();
    for book in &books {
        let (market, token) = (book["market"].as_str()?, book["asset_id"].as_str()?);
        match markets.iter_mut().find(|(known, _)| *known == market) {
            Some((_, tokens)) => tokens.push(token),
            None => markets.push((market, vec![token])),
        }
    }
    let mut session = MarketSession::with_capacity(markets.len());
    for (nth, (condition, tokens)) in markets.iter().enumerate() {
        let [yes, no] = tokens[..] else { return None };
        let market = MarketId::new(u16::try_from(nth).ok()?);
        let grid = Grid::uniform(100)?;
        session.add_market(Nanos::ZERO, &MarketNames { market, condition, yes, no, grid }).ok()?;
    }
    session.on_open(Nanos::ZERO);
    while session.poll_send().is_some() {}
    let mut sink = Count(0);
    session.on_frame(Nanos::ZERO, frames[0].as_bytes(), &mut sink).ok()?;
    let changes: Vec<Vec<u8>> = frames
        .into_iter()
        .filter(|frame| frame.contains("\"event_type\":\"price_change\""))
        .map(String::into_bytes)
        .collect();
    let (count, bytes) = (changes.len(), changes.iter().map(Vec::len).sum::<usize>());
    let mean = bytes / count.max(1);
    let input =
        format!("{count} recorded frames of {mean} bytes on average, {} markets", markets.len());
    Some(Feed { session, frames: changes, input })
}

/// An `orderbook_delta`. Synthetic: no recorded ones may be redistributed.
pub fn decode_kalshi_delta(span: Span) -> Row {
    let (mut session, mut deltas) = (sample::kalshi_session(), sample::KalshiDeltas::new());
    let mut sink = Count(0);
    // The number in each frame is written in place as it is used: ten stores, part of what is measured.
    let row = measure("decode_kalshi_delta", span, &[(); DELTAS], |()| {
        session.on_frame(Nanos::ZERO, black_box(deltas.frame()), &mut sink).expect("a good frame");
        sink.0
    });
    let counters = session.counters();
    assert_eq!((counters.unusual, counters.bad, counters.gaps), (0, 0, 0), "the usual way");
    let frames: Vec<Vec<u8>> = (0..DELTAS).map(|_| deltas.frame().to_vec()).collect();
    let bytes = frames[0].len();
    row.fed(format!("synthetic {bytes}-byte frames")).beside(plain::decode_kalshi(span, &frames))
}
