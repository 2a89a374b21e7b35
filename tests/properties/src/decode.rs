//! Any bytes into every codec, as plain functions: `main.rs` runs them over the corpus under `cargo test`,
//! `fuzz_targets/` under cargo-fuzz, `../codec_property.rs` over generated frames.

use surefoot_hot::book::{Change, Level};
use surefoot_hot::event::{Event, Oddity};
use surefoot_hot::grid::Grid;
use surefoot_hot::ids::{MarketId, Side};
use surefoot_hot::market::MarketStatus;
use surefoot_hot::report::Report;
use surefoot_hot::units::{Nanos, Price, QTY_MAX};
use surefoot_hot::venue::{DecodeError, Session, kalshi, plain, polymarket};

/// What a codec says of a frame.
pub type Said = (Result<(), DecodeError>, Vec<Event>);

/// One codec: a fresh session reads a frame.
pub type Decode = fn(&[u8]) -> Said;

/// Every codec.
pub const CODECS: [(&str, Decode); 4] = [
    ("polymarket market", polymarket_market),
    ("polymarket user", polymarket_user),
    ("kalshi market", kalshi_market),
    ("kalshi private", kalshi_private),
];

/// Condition, YES and NO token of the two Polymarket markets known here: ids 1 and 2.
pub const POLYMARKET: [[&str; 3]; 2] = [
    ["0x00000000000000000000000000000000000000000000000000000000000000c1", "1111", "1112"],
    ["0x00000000000000000000000000000000000000000000000000000000000000c2", "2221", "2222"],
];
/// The two Kalshi markets known here: ids 3 and 4.
pub const KALSHI: [&str; 2] = ["KXONE-26-A", "KXTWO-26-B"];
/// Our key in user frames.
pub const API_KEY: &str = "00000000-0000-0000-0000-00000000000a";

fn grid() -> Grid {
    Grid::uniform(100).expect("a cent divides a dollar")
}

/// A link whose books have their snapshots.
pub fn polymarket_session() -> polymarket::MarketSession {
    let (now, mut events) = (Nanos::from_secs(1), Vec::new());
    let mut session = polymarket::MarketSession::with_capacity(4);
    for (market, [condition, yes, no]) in (1..).zip(POLYMARKET) {
        let market = MarketId::new(market);
        let names = polymarket::MarketNames { market, condition, yes, no, grid: grid() };
        session.add_market(now, &names).expect("there is room");
    }
    session.on_open(now);
    for [condition, yes, _] in POLYMARKET {
        let book = format!(
            r#"{{"event_type":"book","market":"{condition}","asset_id":"{yes}","bids":[],"asks":[]}}"#
        );
        session.on_frame(now, book.as_bytes(), &mut events).expect("a good frame");
    }
    session
}

/// A link whose books have their snapshots.
pub fn kalshi_session(role: kalshi::Role) -> kalshi::Session {
    let (now, mut events) = (Nanos::from_secs(1), Vec::new());
    let mut session = kalshi::Session::with_capacity(role, 4);
    for (market, ticker) in (3..).zip(KALSHI) {
        session.add_market(now, ticker, MarketId::new(market), grid()).expect("there is room");
    }
    session.on_open(now);
    for (seq, ticker) in (1..).zip(KALSHI) {
        let book = format!(
            r#"{{"type":"orderbook_snapshot","sid":1,"seq":{seq},"msg":{{"market_ticker":"{ticker}"}}}}"#
        );
        session.on_frame(now, book.as_bytes(), &mut events).expect("a good frame");
    }
    session
}

fn said(session: &mut impl Session, frame: &[u8]) -> Said {
    let mut events = Vec::new();
    let result = session.on_frame(Nanos::from_secs(2), frame, &mut events);
    (result, events)
}

fn polymarket_market(frame: &[u8]) -> Said {
    said(&mut polymarket_session(), frame)
}

fn polymarket_user(frame: &[u8]) -> Said {
    let mut session = polymarket::UserSession::new(4, b"{}".to_vec(), API_KEY);
    for (market, [condition, yes, no]) in (1..).zip(POLYMARKET) {
        let market = MarketId::new(market);
        let names = polymarket::MarketNames { market, condition, yes, no, grid: grid() };
        session.add_market(&names).expect("there is room");
    }
    session.on_open(Nanos::from_secs(1));
    said(&mut session, frame)
}

fn kalshi_market(frame: &[u8]) -> Said {
    said(&mut kalshi_session(kalshi::Role::Market), frame)
}

fn kalshi_private(frame: &[u8]) -> Said {
    said(&mut kalshi_session(kalshi::Role::Private), frame)
}

/// Any bytes: no panic, the same answer twice, only well-formed events, and no doubt unsaid.
pub fn decode_any(frame: &[u8]) {
    for (name, decode) in CODECS {
        let (result, events) = decode(frame);
        assert_eq!((result, &events), (decode(frame).0, &decode(frame).1), "{name}: twice");
        for event in &events {
            assert!(is_well_formed(event), "{name}: {event:?}");
        }
        let stale = events.iter().any(|event| matches!(event, Event::Stale { .. }));
        let money =
            events.iter().any(|event| matches!(event, Event::Odd { what: Oddity::Money, .. }));
        let private = events.iter().all(|event| !matches!(event, Event::Level(_)));
        let is_json = plain::rewrite(frame, &mut Vec::new()).is_some();
        match result {
            Ok(()) | Err(DecodeError::Gap { .. }) => {}
            // What is JSON may be about no book: `../odd.rs` knows.
            Err(_) if name.ends_with("market") => {
                assert!(stale || is_json, "{name}: an error without a stale book")
            }
            Err(_) => {
                assert!(private, "{name}: a level from a private link");
                assert!(money || is_json, "{name}: money may be lost");
            }
        }
        agrees_with_the_library(name, decode, frame, result, &events);
    }
}

/// The plain reader and the library's must tell the same: the frame rewritten by the library, which has no
/// escapes or exponents, gives the same events; what the library refuses is refused.
fn agrees_with_the_library(
    name: &str,
    decode: Decode,
    frame: &[u8],
    result: Result<(), DecodeError>,
    events: &[Event],
) {
    let json = frame.trim_ascii_start().first().is_some_and(|byte| matches!(byte, b'{' | b'['));
    if !json || std::str::from_utf8(frame).is_err() {
        return; // not a text frame, or a plain text
    }
    let mut rewritten = Vec::new();
    match plain::rewrite(frame, &mut rewritten) {
        Some(()) => {
            let (again, told) = decode(&rewritten);
            assert_eq!(events, told, "{name}: {}", String::from_utf8_lossy(frame));
            assert_eq!(
                result.map_err(|error| std::mem::discriminant(&error)),
                again.map_err(|error| std::mem::discriminant(&error)),
                "{name}: {}",
                String::from_utf8_lossy(frame)
            );
        }
        None => assert!(
            result.is_err(),
            "{name}: took what is no JSON: {}",
            String::from_utf8_lossy(frame)
        ),
    }
}

/// Within every bound the types do not hold by themselves.
fn is_well_formed(event: &Event) -> bool {
    let known = event.market().is_none_or(|market| (1..=4).contains(&market.get()));
    let tradable = |price: Price| price > Price::ZERO && price < Price::ONE;
    known
        && match *event {
            Event::Level(Level { price, change, .. }) => {
                let (Change::Set(qty) | Change::Add(qty) | Change::Take(qty)) = change;
                tradable(price) && qty <= QTY_MAX
            }
            Event::Mirror { price, qty, .. } => tradable(price) && qty <= QTY_MAX,
            Event::Top { bid, ask, .. } | Event::Stated { bid, ask, .. } => {
                bid.is_none_or(tradable) && ask.is_none_or(tradable)
            }
            Event::Trade { qty, .. } => qty <= QTY_MAX,
            Event::Report(Report::Fill(fill)) => {
                fill.qty <= QTY_MAX && (1..=4).contains(&fill.market.get())
            }
            Event::Status { status, .. } => status != MarketStatus::Observe,
            _ => true,
        }
}

/// The levels among events, as (market, side, price in $0.0001, change).
pub fn levels(events: &[Event]) -> Vec<(u16, Side, u16, Change)> {
    let level = |event: &Event| match event {
        Event::Level(level) => {
            Some((level.market.get(), level.side, level.price.ticks(), level.change))
        }
        _ => None,
    };
    events.iter().filter_map(level).collect()
}

/// A target that must fail: it claims that no frame makes a level. If it ever passes over the corpus, the
/// corpus reaches nothing.
pub fn nothing_makes_a_level(frame: &[u8]) {
    for (name, decode) in CODECS {
        assert_eq!(levels(&decode(frame).1), [], "{name}");
    }
}
