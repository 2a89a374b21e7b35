//! What both venues' links owe the markets that they were asked for: a book, or a new link.

use super::*;
use crate::event::{Link, Oddity};
use crate::grid::Grid;

const TICKERS: [&str; 2] = ["KXONE-26-A", "KXTWO-26-B"];
const CONDITIONS: [&str; 2] = [
    "0x00000000000000000000000000000000000000000000000000000000000000c1",
    "0x00000000000000000000000000000000000000000000000000000000000000c2",
];

fn at(secs: u64) -> Nanos {
    Nanos::from_secs(secs)
}

fn grid() -> Grid {
    Grid::uniform(100).expect("a cent divides a dollar")
}

/// A market link with markets 1 and 2.
fn kalshi_link() -> kalshi::Session {
    let mut session = kalshi::Session::with_capacity(kalshi::Role::Market, 4);
    for (market, ticker) in (1..).zip(TICKERS) {
        session.add_market(at(1), ticker, MarketId::new(market), grid()).expect("there is room");
    }
    session
}

/// The book of the market of this index.
fn kalshi_book(index: usize) -> String {
    let ticker = TICKERS[index];
    format!(
        r#"{{"type":"orderbook_snapshot","sid":1,"seq":1,"msg":{{"market_ticker":"{ticker}"}}}}"#
    )
}

/// A market link with markets 1 and 2.
fn polymarket_link() -> polymarket::MarketSession {
    let mut session = polymarket::MarketSession::with_capacity(4);
    for (market, condition) in (1..).zip(CONDITIONS) {
        let (yes, no) = (format!("{market}1"), format!("{market}2"));
        let market = MarketId::new(market);
        let names = polymarket::MarketNames { market, condition, yes: &yes, no: &no, grid: grid() };
        session.add_market(at(1), &names).expect("there is room");
    }
    session
}

/// The book of the market of this index.
fn polymarket_book(index: usize) -> String {
    let (condition, market) = (CONDITIONS[index], index + 1);
    format!(
        r#"{{"event_type":"book","market":"{condition}","asset_id":"{market}1","bids":[],"asks":[]}}"#
    )
}

/// Opens the link, hands it these frames after a second, and then pongs alone, a thousand seconds long. After how many seconds it was
/// given up, if it was; and the markets that a person was told of.
fn given_up(session: &mut impl Session, frames: &[String]) -> (Option<u64>, Vec<Option<MarketId>>) {
    let mut events = Vec::new();
    session.on_open(at(10_000));
    let mut gone = None;
    for second in 1..1_000 {
        let now = at(10_000 + second);
        session.on_alive(now);
        if second == 1 {
            for frame in frames {
                session.on_frame(now, frame.as_bytes(), &mut events).expect("a good frame");
            }
        }
        while session.poll_send().is_some() {}
        if now >= session.poll_deadline() && !session.on_deadline(now, &mut events) {
            gone = Some(second);
            break;
        }
    }
    let told = events.iter().filter_map(|event| match event {
        Event::Odd { market, what: Oddity::Unanswered, .. } => Some(*market),
        _ => None,
    });
    (gone, told.collect())
}

/// What says that the link works, and nothing of any book.
const PONG: &str = "PONG";
const SUBSCRIBED: &str =
    r#"{"id":1,"type":"subscribed","msg":{"channel":"orderbook_delta","sid":1}}"#;

#[test]
fn a_link_that_freezes_before_its_first_book_is_made_anew() {
    let (mut polymarket, mut kalshi) = (polymarket_link(), kalshi_link());
    for bound in [30, 60, 120, 240, 480, 480] {
        let gone = Some(bound);
        assert_eq!(given_up(&mut polymarket, &[PONG.to_owned()]).0, gone);
        assert_eq!(given_up(&mut kalshi, &[SUBSCRIBED.to_owned()]).0, gone);
    }
    assert_eq!((polymarket.counters().unanswered, kalshi.counters().unanswered), (6, 6));
    // The first book forgives it.
    let both = [polymarket_book(0), polymarket_book(1)];
    assert_ne!(given_up(&mut polymarket, &both).0, Some(480));
    assert_eq!(polymarket.counters().unanswered, 6, "its silence is another matter");
}

#[test]
fn a_market_that_its_link_does_not_answer_costs_the_others_two_reconnects_and_is_told() {
    fn check(session: &mut impl Session, book: &str) {
        let others = [book.to_owned()];
        for bound in [30, 60] {
            assert_eq!(given_up(session, &others), (Some(bound), vec![]));
        }
        let (_, told) = given_up(session, &others);
        assert_eq!(told, [Some(MarketId::new(2))]);
        assert_eq!(session.counters().unanswered, 2);
    }
    check(&mut polymarket_link(), &polymarket_book(0));
    check(&mut kalshi_link(), &kalshi_book(0));
}

#[test]
fn a_private_link_that_the_venue_does_not_acknowledge_is_never_up_and_is_made_anew() {
    let ack = |channel: &str| {
        format!(r#"{{"id":1,"type":"subscribed","msg":{{"channel":"{channel}","sid":4}}}}"#)
    };
    let error = r#"{"id":1,"type":"error","msg":{"code":9,"msg":"authentication required"}}"#;
    for (frames, gone) in [
        (vec![], Some(10)),
        (vec![error.to_owned()], Some(10)),
        (vec![ack("fill")], Some(10)),
        (vec![ack("fill"), ack("user_orders")], None),
    ] {
        let mut session = kalshi::Session::with_capacity(kalshi::Role::Private, 4);
        assert_eq!(given_up(&mut session, &frames).0, gone, "{frames:?}");
        assert_eq!(session.counters().unanswered, u64::from(gone.is_some()));
    }
}

#[test]
fn a_private_link_whose_subscription_ends_is_acknowledged_again_or_made_anew() {
    let mut session = kalshi::Session::with_capacity(kalshi::Role::Private, 4);
    let mut events = Vec::new();
    session.on_open(at(100));
    for channel in ["fill", "user_orders"] {
        let ack = format!(r#"{{"type":"subscribed","msg":{{"channel":"{channel}","sid":4}}}}"#);
        session.on_frame(at(101), ack.as_bytes(), &mut events).expect("a good frame");
    }
    let up = |up| Event::Link {
        venue: crate::ids::Venue::Kalshi,
        link: Link::Private,
        number: LinkNumber::FIRST,
        up,
    };
    assert_eq!(events, [up(true)]);
    let ended = r#"{"sid":4,"type":"error","msg":{"code":25,"msg":"buffer overflow"}}"#;
    session.on_frame(at(200), ended.as_bytes(), &mut events).expect("a good frame");
    session.on_alive(at(209));
    assert!(session.on_deadline(at(209), &mut events));
    session.on_alive(at(210));
    assert!(session.poll_deadline() <= at(210) && !session.on_deadline(at(210), &mut events));
    assert_eq!(events.last(), Some(&up(false)));
}
