//! Odd messages: each venue's table (`hot/src/venue/*/odd.rs`, `docs/odd-messages.md`) is a law, and here it is held
//! against messages that users have reported and against real ones with fields dropped, renamed, of another type or
//! with more decimals.
//!
//! A message that is not about a book never costs the book; a message about our money is never lost; an unknown shape
//! is never a value. Everything drawn derives from a seed, which a failure prints with the frame.
#![allow(clippy::unwrap_used)]

mod drawn;

use std::fs;
use std::path::Path;

use serde_json::json;
use surefoot_hot::book::Books;
use surefoot_hot::event::{Event, Oddity};
use surefoot_hot::grid::Grid;
use surefoot_hot::ids::{MarketId, Venue};
use surefoot_hot::links::LinkNumber;
use surefoot_hot::market::{MarketDef, MarketStatus};
use surefoot_hot::report::{Fill, Finality, Liquidity, Report};
use surefoot_hot::units::{Nanos, Qty, Usd};
use surefoot_hot::venue::odd::{About, Row};
use surefoot_hot::venue::{Notice, Session, kalshi, polymarket};
use surefoot_properties::decode::{self, KALSHI, POLYMARKET};

/// Market 1 is Polymarket's, 3 Kalshi's.
const PM: MarketId = MarketId::new(1);
const KA: MarketId = MarketId::new(3);

fn file(name: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/odd").join(name);
    fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

fn terms(market: MarketId) -> MarketDef {
    MarketDef::bare(market, if market == PM { Venue::Polymarket } else { Venue::Kalshi })
}

/// A session, the books it feeds, and what it asked to be sent.
struct Line<S> {
    session: S,
    books: Books,
    now: Nanos,
    /// Events of the last frame.
    told: Vec<Event>,
    sent: Vec<String>,
    notices: Vec<Notice>,
}

impl<S: Session> Line<S> {
    /// Around a session that is open; its books are whole and empty.
    fn new(session: S) -> Self {
        let now = Nanos::from_secs(1_795_132_800);
        let mut books = Books::new();
        for market in [PM, KA] {
            books.apply(now, &Event::Market(terms(market)));
            books.apply(
                now,
                &Event::SnapshotBegin { market, link: LinkNumber::FIRST, venue_time: Nanos::ZERO },
            );
            books.apply(now, &Event::SnapshotEnd { market });
        }
        let (told, sent, notices) = (Vec::new(), Vec::new(), Vec::new());
        let mut line = Self { session, books, now, told, sent, notices };
        line.drain();
        line.sent.clear();
        line
    }

    fn drain(&mut self) {
        while let Some(frame) = self.session.poll_send() {
            self.sent.push(String::from_utf8(frame.to_vec()).unwrap());
        }
        while let Some(notice) = self.session.poll_notice() {
            self.notices.push(notice);
        }
    }

    /// A frame, or `@ms N`: time passes, and the core looks at its books every ten milliseconds of it.
    fn take(&mut self, line: &str) {
        if let Some(ms) = line.strip_prefix("@ms ") {
            let until = self.now.after(Nanos::from_millis(ms.parse().unwrap()));
            while self.now < until {
                self.now = self.now.after(Nanos::from_millis(10)).min(until);
                while self.books.poll_overdue(self.now).is_some() {}
                if self.now >= self.session.poll_deadline() {
                    self.session.on_deadline(self.now, &mut self.told);
                    self.drain();
                }
            }
            return;
        }
        self.told.clear();
        let _ = self.session.on_frame(self.now, line.as_bytes(), &mut self.told);
        for event in &self.told {
            self.books.apply(self.now, event);
        }
        self.drain();
    }

    /// Whether it asked for no snapshot.
    fn is_quiet(&self) -> bool {
        !self.sent.iter().any(|sent| sent.contains("subscribe") || sent.contains("snapshot"))
    }

    fn is_good(&self, market: MarketId) -> bool {
        self.books.get(market).unwrap().is_good()
    }

    fn odd(&self) -> Vec<Oddity> {
        let odd = |event: &Event| match event {
            Event::Odd { what, .. } => Some(*what),
            _ => None,
        };
        self.told.iter().filter_map(odd).collect()
    }

    fn fills(&self) -> Vec<Fill> {
        let fill = |event: &Event| match event {
            Event::Report(Report::Fill(fill)) => Some(*fill),
            _ => None,
        };
        self.told.iter().filter_map(fill).collect()
    }
}

fn polymarket_market() -> Line<polymarket::MarketSession> {
    Line::new(decode::polymarket_session())
}

fn polymarket_user(owner: &str) -> Line<polymarket::UserSession> {
    let mut session = polymarket::UserSession::new(4, b"{}".to_vec(), owner);
    for (market, [condition, yes, no]) in (1..).zip(POLYMARKET) {
        let (market, grid) = (MarketId::new(market), Grid::uniform(100).unwrap());
        session.add_market(&polymarket::MarketNames { market, condition, yes, no, grid }).unwrap();
    }
    session.on_open(Nanos::from_secs(1));
    Line::new(session)
}

fn kalshi(role: kalshi::Role) -> Line<kalshi::Session> {
    Line::new(decode::kalshi_session(role))
}

#[test]
fn a_book_crossed_for_a_moment_and_a_sweep_in_two_frames_cost_no_snapshot() {
    for name in [
        "polymarket_crossed_for_a_moment.jsonl",
        "polymarket_crossed_both_tokens.jsonl",
        "polymarket_sweep_in_two_frames.jsonl",
    ] {
        let mut line = polymarket_market();
        let lines = file(name);
        let [book, first, pause, second, rest] = &lines[..] else { panic!("{name}") };
        line.take(book);
        assert!(line.is_good(PM));
        line.take(first);
        assert!(!line.is_good(PM), "{name}: not decided from meanwhile");
        line.take(pause);
        line.take(second);
        assert!(line.is_good(PM), "{name}: good again by itself");
        line.take(rest);
        assert!(line.is_good(PM) && line.is_quiet(), "{name}: {:?}", line.sent);
    }
}

#[test]
fn the_tape_is_not_the_book() {
    for name in [
        "polymarket_trade_without_size.jsonl",
        "polymarket_trade_five_decimals.jsonl",
        "polymarket_trade_at_one.jsonl",
    ] {
        let mut line = polymarket_market();
        for frame in file(name) {
            line.take(&frame);
        }
        assert!(line.is_good(PM) && line.told.is_empty() && line.is_quiet(), "{name}");
        assert_eq!(line.session.counters().passed_over, 1, "{name}: counted");
    }
}

#[test]
fn six_hundred_changes_are_read_and_more_than_may_be_cost_their_market_alone() {
    let [condition, yes, _] = POLYMARKET[0];
    let change = |nth: usize| {
        json!({ "asset_id": yes, "price": format!("0.{:02}", 1 + nth % 40), "size": format!("{}", 1 + nth),
            "side": "BUY", "hash": "x", "best_bid": "0.40", "best_ask": "" })
    };
    for (count, read) in [(600, true), (2_048, true), (2_049, false), (10_000, false)] {
        let mut line = polymarket_market();
        let changes: Vec<_> = (0..count).map(change).collect();
        let frame = json!({ "market": condition, "price_changes": changes,
            "timestamp": "1795132801007", "event_type": "price_change" });
        line.take(&frame.to_string());
        let stale: Vec<_> = line
            .told
            .iter()
            .filter_map(|event| match event {
                Event::Stale { market, .. } => Some(*market),
                _ => None,
            })
            .collect();
        assert_eq!(stale, if read { vec![] } else { vec![PM] }, "{count}");
        assert_eq!(line.odd(), if read { vec![] } else { vec![Oddity::Shape] });
        let levels = line.told.iter().filter(|event| matches!(event, Event::Level(_))).count();
        assert_eq!(levels, if read { count } else { 0 });
    }
}

#[test]
fn levels_by_another_name_are_no_empty_book() {
    let lines = file("kalshi_renamed_levels.jsonl");
    let mut session = kalshi::Session::with_capacity(kalshi::Role::Market, 4);
    for (market, ticker) in (3..).zip(KALSHI) {
        let grid = Grid::uniform(100).unwrap();
        session.add_market(Nanos::from_secs(1), ticker, MarketId::new(market), grid).unwrap();
    }
    session.on_open(Nanos::from_secs(1));
    let mut line = Line::new(session);
    line.take(&lines[0]);
    for frame in &lines[1..3] {
        line.take(frame);
        assert_eq!(line.odd(), [Oddity::Schema], "{frame}");
        assert!(!line.told.iter().any(|event| matches!(event, Event::SnapshotEnd { .. })));
    }
    let one_sided = r#"{"type":"orderbook_snapshot","sid":1,"seq":3,"msg":{"market_ticker":"KXONE-26-A","yes_dollars_fp":[["0.42","3"]]}}"#;
    line.take(one_sided);
    assert!(line.odd().is_empty() && line.is_good(KA), "an absent side is an empty one");
    line.take(
        r#"{"type":"orderbook_snapshot","sid":1,"seq":4,"msg":{"market_ticker":"KXONE-26-A"}}"#,
    );
    assert!(line.odd().is_empty() && line.is_good(KA), "so is an empty market");
    line.take(r#"{"type":"orderbook_snapshot","sid":1,"seq":5,"msg":{"market_ticker":"KXONE-26-A","yes_dollars_fp":[["0.42","3"]],"no_prices":[["0.5","1"]]}}"#);
    assert_eq!(line.odd(), [Oddity::Schema], "one side of another name");

    let mut line = polymarket_market();
    for lists in [
        r#""buys":[],"sells":[]"#,
        r#""bids":[],"sells":[{"price":"0.5","size":"1"}]"#,
        r#""hash":"h""#,
    ] {
        let [condition, yes, _] = POLYMARKET[0];
        line.take(&format!(
            r#"{{"event_type":"book","market":"{condition}","asset_id":"{yes}",{lists}}}"#
        ));
        assert_eq!(line.odd(), [Oddity::Schema], "{lists}");
    }
}

#[test]
fn no_fill_of_kalshis_is_lost() {
    let mut line = kalshi(kalshi::Role::Private);
    for (nth, frame) in (1..).zip(file("kalshi_fills.jsonl")) {
        line.take(&frame);
        let (fills, odd) = (line.fills(), line.odd());
        match nth {
            3 | 9 => {
                assert_eq!(
                    (fills.len(), odd),
                    (0, vec![Oddity::Money]),
                    "line {nth}: history is read"
                );
            }
            8 => {
                assert_eq!(odd, [Oddity::Rounded]);
                assert_eq!(fills[0].fee, Some(Usd::from_micros(1)), "against us");
                assert_eq!(fills[0].qty, Qty::from_contracts(5));
            }
            // Who took is not said: how the order was sent, and the book, say it.
            10 => assert_eq!((fills[0].liquidity, odd), (Liquidity::Unsaid, vec![])),
            _ => assert_eq!((fills.len(), odd), (1, vec![]), "line {nth}"),
        }
    }
}

#[test]
fn no_trade_of_polymarkets_is_lost() {
    let mut line = polymarket_user("us");
    for (nth, frame) in (1..).zip(file("polymarket_trades.jsonl")) {
        line.take(&frame);
        let (fills, odd) = (line.fills(), line.odd());
        match nth {
            4 => {
                let void = |event: &Event| {
                    matches!(event, Event::Report(Report::Finality { state: Finality::Failed, .. }))
                };
                assert!(line.told.iter().any(void));
            }
            5 => {
                assert_eq!((fills.len(), odd), (0, vec![Oddity::Money, Oddity::Meaning]));
                let later = frame.replace("SETTLING", "CONFIRMED");
                line.take(&later);
                assert_eq!(line.fills()[0].finality, Finality::Final, "its later words are taken");
            }
            7 => {
                assert_eq!(odd, []);
                let cost =
                    fills.iter().fold(Usd::ZERO, |sum, fill| sum + fill.price.cost_ceil(fill.qty));
                let qty = fills.iter().fold(Qty::ZERO, |sum, fill| sum + fill.qty);
                assert_eq!((cost, qty), (Usd::from_micros(5_199_900), Qty::from_contracts(10)));
            }
            8 => {
                assert_eq!((fills.len(), odd), (1, vec![Oddity::Rounded]));
                assert_eq!(fills[0].qty, Qty::from_micros(19_230_769));
            }
            _ => assert_eq!((fills.len(), odd), (1, vec![]), "line {nth}"),
        }
    }
}

#[test]
fn a_market_that_is_over_without_a_winner_stays_shut_whatever_books_come() {
    let mut line = polymarket_market();
    let lines = file("polymarket_resolved_without_winner.jsonl");
    line.take(&lines[0]);
    line.take(&lines[1]);
    assert_eq!(line.odd(), [Oddity::Meaning]);
    assert!(line.told.contains(&Event::Status { market: PM, status: MarketStatus::Closed }));
    assert_eq!(line.notices, [Notice::SettledUnseen { market: PM }]);
    assert!(line.is_quiet(), "no snapshot is asked for");
    line.take(&lines[2]);
    assert_eq!(line.books.get(PM).unwrap().terms().status, MarketStatus::Closed);
}

#[test]
fn requests_for_snapshots_that_bad_frames_provoke_are_few() {
    let [condition, yes, _] = POLYMARKET[0];
    let off_grid = format!(
        r#"{{"market":"{condition}","price_changes":[{{"asset_id":"{yes}","price":"7"}}],"timestamp":"1","event_type":"price_change"}}"#
    );
    let book = |[condition, yes, _]: [&str; 3]| {
        format!(
            r#"{{"event_type":"book","market":"{condition}","asset_id":"{yes}","bids":[],"asks":[]}}"#
        )
    };
    for (name, frame) in [("one market", off_grid.as_str()), ("no JSON", "{")] {
        let mut line = polymarket_market();
        POLYMARKET.iter().for_each(|names| line.take(&book(*names))); // it has just been well
        let mut requests = 0;
        for _ in 0..30_000 {
            line.now = line.now.after(Nanos::from_millis(1));
            line.take(frame);
            if line.now >= line.session.poll_deadline() {
                line.session.on_deadline(line.now, &mut line.told);
                line.drain();
            }
            let asked = line.sent.iter().filter(|sent| sent.contains("\"subscribe\"")).count();
            requests += asked;
            line.sent.clear();
            for names in POLYMARKET.iter().filter(|_| asked > 0) {
                line.take(&book(*names)); // the venue answers at once
            }
        }
        assert!((2..=12).contains(&requests), "{name}: {requests} in half a minute");
    }
}

#[test]
fn a_message_that_cannot_be_read_leaves_those_beside_it_in_the_frame() {
    let [condition, yes, _] = POLYMARKET[0];
    let [other, other_yes, _] = POLYMARKET[1];
    let good = format!(
        r#"{{"event_type":"book","market":"{other}","asset_id":"{other_yes}","bids":[{{"price":"0.3","size":"2"}}],"asks":[]}}"#
    );
    let bad = format!(
        r#"{{"event_type":"book","market":"{condition}","asset_id":"{yes}","bids":"none","asks":[]}}"#
    );
    let tape = format!(
        r#"{{"event_type":"last_trade_price","market":"{condition}","asset_id":"{yes}","price":{{}}}}"#
    );
    let mut line = polymarket_market();
    line.take(&format!("[{good},{bad},{tape},{good}]"));
    let stale: Vec<_> =
        line.told.iter().filter(|event| matches!(event, Event::Stale { .. })).collect();
    assert!(matches!(stale[..], [Event::Stale { market: PM, .. }]), "{:?}", line.told);
    let whole = line.told.iter().filter(|event| matches!(event, Event::SnapshotEnd { .. })).count();
    assert_eq!(whole, 2);
}

#[test]
fn every_kind_of_message_is_in_the_page_for_people() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/odd-messages.md");
    let page = fs::read_to_string(page).unwrap();
    let user = ["order", "trade"].map(|word| Row { word, about: About::Money });
    let tables = [&polymarket::odd::MARKET[..], &user, &kalshi::odd::TABLE];
    for row in tables.into_iter().flatten() {
        let about = match row.about {
            About::Book => "book",
            About::Tape => "tape",
            About::Life => "life",
            About::Money => "money",
            About::Talk => "talk",
        };
        assert!(page.contains(&format!("| `{}` | {about} |", row.word)), "{}", row.word);
    }
}
