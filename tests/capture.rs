//! The codecs and the hash audit on recorded frames of both venues.
//!
//! The files are not part of the repository: `SUREFOOT_DATA` names the folder that holds `polymarket/` and
//! `kalshi/`; where it is unset the tests say so and check nothing.

#[path = "support/recorded.rs"]
mod recorded;
#[path = "support/skip.rs"]
mod skip;

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;
use surefoot_cold::directory::{Generation, PolymarketNames};
use surefoot_cold::venue::polymarket::audit::{Audit, Verdict};
use surefoot_hot::book::{Change, Level};
use surefoot_hot::event::Event;
use surefoot_hot::grid::Grid;
use surefoot_hot::ids::{MarketId, OrderId, Outcome, Side};
use surefoot_hot::market::MarketStatus;
use surefoot_hot::report::{Finality, Liquidity, Report, VenueState};
use surefoot_hot::units::{Nanos, Price, Qty, Usd};
use surefoot_hot::venue::{DecodeError, Notice, Session, decimal, kalshi, polymarket};

/// A recorded file's text, or `None` with a word to the reader.
fn recorded(name: &str) -> Option<String> {
    let path = recorded::recorded(name)?;
    Some(std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display())))
}

fn lines(text: &str) -> impl Iterator<Item = Value> + '_ {
    text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON"))
}

fn cent() -> Grid {
    Grid::uniform(100).expect("a cent divides a dollar")
}

/// The dullest book there is.
#[derive(Debug, Default)]
struct Book {
    bids: BTreeMap<Price, Qty>,
    asks: BTreeMap<Price, Qty>,
    whole: bool,
}

impl Book {
    fn side(&mut self, side: Side) -> &mut BTreeMap<Price, Qty> {
        match side {
            Side::Bid => &mut self.bids,
            Side::Ask => &mut self.asks,
        }
    }

    fn top(&self) -> (Option<Price>, Option<Price>) {
        (self.bids.keys().next_back().copied(), self.asks.keys().next().copied())
    }
}

/// Applies events to books and checks what the venue says beside them.
#[derive(Debug, Default)]
struct Books {
    books: HashMap<MarketId, Book>,
    tops: usize,
    mirrors: usize,
    levels: usize,
}

impl Books {
    fn apply(&mut self, events: &[Event]) {
        for event in events {
            let book = event.market().map(|market| self.books.entry(market).or_default());
            match (*event, book) {
                (Event::SnapshotBegin { .. }, Some(book)) => *book = Book::default(),
                (Event::SnapshotEnd { .. }, Some(book)) => book.whole = true,
                (Event::Level(Level { side, price, change, .. }), Some(book)) => {
                    self.levels += 1;
                    let there = book.side(side).entry(price).or_default();
                    *there = match change {
                        Change::Set(qty) => qty,
                        Change::Add(qty) => *there + qty,
                        Change::Take(qty) => there.checked_sub(qty).expect("never below zero"),
                    };
                    if there.is_zero() {
                        book.side(side).remove(&price);
                    }
                }
                (Event::Mirror { side, price, qty, .. }, Some(book)) => {
                    self.mirrors += 1;
                    let there = book.side(side).get(&price).copied().unwrap_or(Qty::ZERO);
                    assert_eq!(there, qty, "the other outcome differs");
                }
                (Event::Top { bid, ask, .. }, Some(book)) => {
                    self.tops += 1;
                    assert_eq!(book.top(), (bid, ask), "the stated best prices differ");
                }
                _ => {}
            }
        }
    }
}

/// One market of the session: its tokens in the order in which their books came.
struct Pair {
    condition: String,
    tokens: Vec<String>,
}

fn pairs(first_frame: &str) -> Vec<Pair> {
    let books: Vec<Value> = serde_json::from_str(first_frame).expect("an array of books");
    let mut pairs: Vec<Pair> = Vec::new();
    for book in &books {
        let text = |name: &str| book[name].as_str().expect("a text").to_owned();
        match pairs.iter_mut().find(|pair| pair.condition == text("market")) {
            Some(pair) => pair.tokens.push(text("asset_id")),
            None => pairs.push(Pair { condition: text("market"), tokens: vec![text("asset_id")] }),
        }
    }
    pairs
}

fn price(text: &str) -> Option<Price> {
    decimal::price(text.as_bytes()).expect("a price")
}

#[test]
fn polymarket_session_of_2026_09_24() {
    let Some(text) = recorded("polymarket/ws_market_2026-09-24_all110.jsonl") else { return };
    let expected =
        recorded("polymarket/ws_market_2026-09-24_all110.expected.json").expect("its twin");
    let expected: Value = serde_json::from_str(&expected).expect("JSON");
    let frames: Vec<String> =
        lines(&text).map(|line| line["payload"].as_str().expect("a frame").to_owned()).collect();
    assert_eq!(frames.len(), 110);

    let pairs = pairs(&frames[0]);
    let mut session = polymarket::MarketSession::with_capacity(pairs.len());
    let mut audit = Audit::new();
    for (index, pair) in pairs.iter().enumerate() {
        let market = MarketId::new(u16::try_from(index).expect("few"));
        let [yes, no] = &pair.tokens[..] else { panic!("two tokens a market") };
        let condition = &pair.condition;
        let names = polymarket::MarketNames { market, condition, yes, no, grid: cent() };
        session.add_market(Nanos::ZERO, &names).expect("there is room");
        let names = PolymarketNames {
            condition_id: condition.clone(),
            yes_token: yes.clone(),
            no_token: no.clone(),
            generation: Generation::Two,
            neg_risk: false,
            min_size_text: "5".to_owned(),
            event: String::new(),
        };
        audit.add_market(market, &names);
    }
    session.on_open(Nanos::ZERO);

    let (mut books, mut matched, mut grids) = (Books::default(), 0, 0);
    for frame in &frames {
        let mut events = Vec::new();
        session.on_frame(Nanos::ZERO, frame.as_bytes(), &mut events).expect("a good frame");
        grids += events.iter().filter(|event| matches!(event, Event::GridChange { .. })).count();
        books.apply(&events);
        audit.on_frame(frame.as_bytes(), |finding| {
            assert_eq!(finding.verdict, Verdict::Matched);
            matched += 1;
        });
    }
    assert_eq!((pairs.len(), grids), (14, 4), "four of fourteen markets have a tick of 0.001");
    assert_eq!((books.tops, books.mirrors), (51, 51));
    let counters = session.counters();
    assert_eq!((counters.messages, counters.unusual, counters.bad), (28 + 51 + 58, 0, 0));
    assert_eq!((counters.backwards, counters.unknown_type, counters.unknown_market), (0, 0, 0));
    assert_eq!(matched, 28 + 102, "every hash");
    assert_eq!((audit.counts().snapshots, audit.counts().changes), (28, 102));

    let finals = expected["final"].as_object().expect("by token");
    assert_eq!(finals.len(), 28);
    for (index, pair) in pairs.iter().enumerate() {
        let book = &books.books[&MarketId::new(u16::try_from(index).expect("few"))];
        assert!(book.whole);
        let (bid, ask) = book.top();
        let views = [
            (bid, ask, book.bids.len(), book.asks.len()),
            (
                ask.map(Price::complement),
                bid.map(Price::complement),
                book.asks.len(),
                book.bids.len(),
            ),
        ];
        for (token, (bid, ask, bid_levels, ask_levels)) in pair.tokens.iter().zip(views) {
            let want = &finals[token];
            let text = |name: &str| want[name].as_str().and_then(price);
            assert_eq!((bid, ask), (text("best_bid"), text("best_ask")), "{token}");
            assert_eq!(want["bid_levels"], bid_levels, "{token}");
            assert_eq!(want["ask_levels"], ask_levels, "{token}");
        }
    }
}

/// A session that follows each of `tokens` as the YES of a market of its own.
fn lone_tokens(tokens: &[(String, String)]) -> polymarket::MarketSession {
    let mut session = polymarket::MarketSession::with_capacity(tokens.len());
    for (index, (condition, token)) in tokens.iter().enumerate() {
        let names = polymarket::MarketNames {
            market: MarketId::new(u16::try_from(index).expect("few")),
            condition,
            yes: token,
            no: &format!("no-{index}"),
            grid: cent(),
        };
        session.add_market(Nanos::ZERO, &names).expect("there is room");
    }
    session.on_open(Nanos::ZERO);
    session
}

#[test]
fn polymarket_books_and_trades_of_2026_02_12() {
    let Some(text) = recorded("polymarket/ws_book_2026-02-12.jsonl") else { return };
    let field = |line: &Value, name: &str| line[name].as_str().expect("a text").to_owned();
    let mut tokens: Vec<_> =
        lines(&text).map(|line| (field(&line, "market"), field(&line, "asset_id"))).collect();
    tokens.sort();
    tokens.dedup();
    let (mut session, mut books) = (lone_tokens(&tokens), Books::default());
    for (line, value) in text.lines().zip(lines(&text)) {
        let mut events = Vec::new();
        session.on_frame(Nanos::ZERO, line.as_bytes(), &mut events).expect("a good frame");
        books.apply(&events);
        let market = events.iter().rev().find_map(Event::market).expect("a book");
        let book = &books.books[&market];
        let count = |name: &str| value[name].as_array().expect("levels").len();
        assert_eq!((book.bids.len(), book.asks.len()), (count("bids"), count("asks")));
        let (bid, ask) = book.top();
        assert!(bid.is_none() || ask.is_none() || bid < ask);
    }
    assert_eq!(text.lines().count(), 10);

    let text = recorded("polymarket/ws_last_trade_2026-02-12.jsonl").expect("beside it");
    let tokens: Vec<_> =
        lines(&text).map(|line| (field(&line, "market"), field(&line, "asset_id"))).collect();
    let mut unique = tokens.clone();
    unique.sort();
    unique.dedup_by(|one, other| one.0 == other.0);
    let mut session = lone_tokens(&unique);
    let mut trades = 0;
    for (line, value) in text.lines().zip(lines(&text)) {
        let mut events = Vec::new();
        session.on_frame(Nanos::ZERO, line.as_bytes(), &mut events).expect("a good frame");
        for event in events {
            let Event::Trade { price: told, qty, taker, .. } = event else { continue };
            trades += 1;
            assert_eq!(Some(told), price(&field(&value, "price")));
            assert_eq!(Some(qty), decimal::qty(field(&value, "size").as_bytes()).expect("a size"));
            assert_eq!(taker == Side::Bid, field(&value, "side") == "BUY");
        }
    }
    let followed = tokens.iter().filter(|token| unique.contains(token)).count();
    assert_eq!((trades, tokens.len()), (followed, 10));
}

/// Payloads by the fixture's file name.
fn fixtures(text: &str) -> HashMap<String, String> {
    lines(text)
        .map(|line| {
            (line["file"].as_str().expect("a name").to_owned(), line["payload"].to_string())
        })
        .collect()
}

const FIXTURE_MARKET: [&str; 3] = [
    "0xdd22472e552920b8438158ea7238bfadfa4f736aa4cee91a6b86c39ead110917",
    "71321045679252212594626385532706912750332728571942532289631379312455583992563",
    "52114319501245915516055106046884209969926127482827954674443846427813813222426",
];

#[test]
fn polymarket_market_fixtures() {
    let Some(text) = recorded("polymarket/ws_fixtures_nautilus.jsonl") else { return };
    let fixtures = fixtures(&text);
    let market = MarketId::new(7);
    let [condition, yes, no] = FIXTURE_MARKET;
    let mut session = polymarket::MarketSession::with_capacity(2);
    let names = polymarket::MarketNames { market, condition, yes, no, grid: cent() };
    session.add_market(Nanos::ZERO, &names).expect("there is room");
    session.on_open(Nanos::ZERO);
    let mut decode = |file: &str| {
        let mut events = Vec::new();
        session.on_frame(Nanos::ZERO, fixtures[file].as_bytes(), &mut events).expect(file);
        events.retain(|event| !matches!(event, Event::Link { .. }));
        (events, session.poll_notice())
    };
    let of = |ticks| Price::from_ticks(ticks).expect("on the scale");
    let top = |bid, ask| Event::Top { market, bid: Some(of(bid)), ask: Some(of(ask)), last: true };

    assert_eq!(decode("ws_market_book_msg.json").0.len(), 6);
    assert_eq!(decode("ws_book_snapshot.json").0.len(), 8, "known by its shape");
    let (changed, _) = decode("ws_market_price_change_msg.json");
    let change = Change::Set(Qty::from_contracts(150));
    let level = Level { market, side: Side::Bid, price: of(5_100), change, last: false };
    assert_eq!(changed, [Event::Level(level), top(5_100, 5_200)]);
    let trade =
        Event::Trade { market, price: of(5_100), qty: Qty::from_contracts(25), taker: Side::Bid };
    assert_eq!(decode("ws_market_last_trade_msg.json").0, [trade]);
    assert_eq!(decode("ws_market_best_bid_ask_msg.json").0, [], "another market");
    assert_eq!(decode("ws_market_tick_size_msg.json").0, [], "the grid it had");
    assert_eq!(decode("ws_market_new_market_msg.json"), (vec![], Some(Notice::NewMarket)));
    assert_eq!(decode("ws_market_resolved_msg.json").0, [], "another market");
    let (three, _) = decode("price_change_v2.json");
    let levels = three.iter().filter_map(|event| match event {
        Event::Level(Level { side, price, last, .. }) => Some((*side, price.ticks(), *last)),
        _ => None,
    });
    let asks = [(4_000, false), (5_000, false), (3_000, false)];
    assert!(levels.eq(asks.map(|(ticks, last)| (Side::Ask, ticks, last))), "NO without its twin");
    assert_eq!(three.last(), Some(&top(3_000, 4_000)), "once, for the whole frame");
    assert_eq!(decode("price_change.json").0, [], "another market");
}

#[test]
fn polymarket_user_fixtures() {
    let Some(text) = recorded("polymarket/ws_fixtures_nautilus.jsonl") else { return };
    let fixtures = fixtures(&text);
    let mut session =
        polymarket::UserSession::new(4, b"{}".to_vec(), "3e2c94ca-8124-c4c1-c7ea-be1ea21b71fe");
    let tokens = [
        "21742633143463906290569050155826241533067272736897614950488156847949938836455",
        "48331043336612883890938759509493159234755048973500640148014422747788308965732",
    ];
    let names = polymarket::MarketNames {
        market: MarketId::new(9),
        condition: FIXTURE_MARKET[0],
        yes: tokens[0],
        no: tokens[1],
        grid: cent(),
    };
    session.add_market(&names).expect("there is room");
    session.on_open(Nanos::ZERO);
    let mut decode = |file: &str| {
        let mut events = Vec::new();
        let result = session.on_frame(Nanos::ZERO, fixtures[file].as_bytes(), &mut events);
        events.retain(|event| !matches!(event, Event::Link { .. }));
        result.map(|()| events)
    };
    let placed = match decode("order_placement.json").as_deref() {
        Ok([Event::Report(Report::Status(status))]) => *status,
        other => panic!("one status, not {other:?}"),
    };
    assert_eq!((placed.state, placed.filled), (VenueState::Resting, Some(Qty::ZERO)));
    let fill = |said: Result<Vec<Event>, DecodeError>| match said.as_deref() {
        Ok([Event::Report(Report::Fill(fill))]) => *fill,
        other => panic!("one fill, not {other:?}"),
    };
    // the maker entry of ours, among five of others
    let maker = fill(decode("user_trade1.json"));
    assert_eq!((maker.side, maker.liquidity), (Side::Ask, Liquidity::Maker));
    assert_eq!((maker.price.ticks(), maker.qty), (5_180, Qty::from_contracts(5)));
    assert_eq!((maker.finality, maker.fee), (Finality::Provisional, None));
    let taker = fill(decode("user_trade2.json"));
    assert_eq!(
        (taker.side, taker.liquidity, taker.price.ticks()),
        (Side::Bid, Liquidity::Taker, 5_200)
    );
    assert_eq!(fill(decode("trades.json")).finality, Finality::Final);
    // made-up order ids that are no 32 bytes
    for file in [
        "ws_user_order_fok_killed.json",
        "ws_user_order_venue_cancel.json",
        "ws_user_order_msg.json",
    ] {
        let error = DecodeError::BadField { field: "order_id", at: 0 };
        assert_eq!(decode(file), Err(error), "{file}");
    }
}

/// A market link that follows every ticker it meets in `text`.
fn kalshi_session(role: kalshi::Role, frames: &[Value]) -> kalshi::Session {
    let mut session = kalshi::Session::with_capacity(role, 64);
    let mut next = 0;
    for frame in frames {
        let msg = &frame["msg"];
        for ticker in [&msg["market_ticker"], &msg["ticker"]].into_iter().filter_map(Value::as_str)
        {
            if session.add_market(Nanos::ZERO, ticker, MarketId::new(next), cent()).is_ok() {
                next += 1;
            }
        }
    }
    session.on_open(Nanos::ZERO);
    session
}

/// Everything a session says of `frames`, links aside; each of them must be understood. Sequence numbers are
/// taken out: the examples are from different subscriptions.
fn kalshi_events(role: kalshi::Role, frames: &[Value]) -> (Vec<Event>, kalshi::Session) {
    let mut session = kalshi_session(role, frames);
    let mut events = Vec::new();
    for frame in frames {
        let mut frame = frame.clone();
        if let Some(frame) = frame.as_object_mut() {
            frame.remove("seq");
        }
        let text = frame.to_string();
        session
            .on_frame(Nanos::ZERO, text.as_bytes(), &mut events)
            .unwrap_or_else(|why| panic!("{text}: {why:?}"));
    }
    events.retain(|event| !matches!(event, Event::Link { .. }));
    (events, session)
}

#[test]
fn kalshi_recordings() {
    let Some(text) = recorded("kalshi/ws_trade_2026-02-12.jsonl") else { return };
    let trades: Vec<Value> = lines(&text).collect();
    let (events, session) = kalshi_events(kalshi::Role::Market, &trades);
    assert_eq!((events.len(), trades.len(), session.counters().unusual), (10, 10, 0));
    for (event, frame) in events.iter().zip(&trades) {
        let Event::Trade { price: told, taker, .. } = event else { panic!("{event:?}") };
        assert_eq!(Some(*told), frame["msg"]["yes_price_dollars"].as_str().and_then(price));
        assert_eq!(*taker == Side::Bid, frame["msg"]["taker_side"] == "yes");
    }

    let text = recorded("kalshi/ws_ticker_2026-02-12.jsonl").expect("beside it");
    let tickers: Vec<Value> = lines(&text).collect();
    let (events, session) = kalshi_events(kalshi::Role::Market, &tickers);
    assert_eq!((events.len(), session.counters().ignored), (0, 10), "informational");

    let text = recorded("kalshi/ws_lifecycle_ticker_real_2026-07.jsonl").expect("beside it");
    let frames: Vec<Value> = lines(&text).collect();
    let (events, mut session) = kalshi_events(kalshi::Role::Market, &frames);
    let status = |market, status| Event::Status { market: MarketId::new(market), status };
    assert_eq!(events, [status(0, MarketStatus::Proposed), status(1, MarketStatus::Resolved)]);
    let unseen = Notice::SettledUnseen { market: MarketId::new(1) };
    assert_eq!(session.poll_notice(), Some(unseen), "settled, but never told at what");

    let text = recorded("kalshi/ws_live_lines_observed.jsonl").expect("beside it");
    let frames: Vec<Value> = lines(&text).collect();
    let (events, session) = kalshi_events(kalshi::Role::Market, &frames);
    assert_eq!(session.counters().early, 1, "a change before its snapshot");
    assert_eq!(events.len(), 1 + 4 + 1, "the side that is absent is empty");
}

#[test]
fn kalshi_fixtures_and_examples() {
    let Some(text) = recorded("kalshi/fixtures_nautilus_pr3659.jsonl") else { return };
    let by_name = fixtures(&text);
    let frame = |name: &str| serde_json::from_str::<Value>(&by_name[name]).expect("JSON");
    let frames =
        ["ws_orderbook_snapshot.json", "ws_orderbook_delta.json", "ws_trade.json"].map(frame);
    let (events, _) = kalshi_events(kalshi::Role::Market, &frames);
    let mut books = Books::default();
    books.apply(&events);
    let book = &books.books[&MarketId::new(0)];
    let at = Price::from_ticks(4_200).expect("on the scale");
    assert_eq!(book.bids[&at], Qty::from_contracts(13 + 50));
    assert!(matches!(events.last(), Some(Event::Trade { taker: Side::Ask, .. })));

    let text = recorded("kalshi/ws_doc_examples_2026-08-22.jsonl").expect("beside it");
    let examples: Vec<Value> = lines(&text).collect();
    let frames: Vec<Value> = examples
        .iter()
        .map(|line| line["payload"].clone())
        .filter(|payload| payload["type"].is_string())
        .collect();
    let (events, session) = kalshi_events(kalshi::Role::Market, &frames);
    let count = |wanted: fn(&Event) -> bool| events.iter().filter(|event| wanted(event)).count();
    assert_eq!(count(|event| matches!(event, Event::SnapshotEnd { .. })), 1);
    assert_eq!(count(|event| matches!(event, Event::Trade { .. })), 1);
    assert_eq!(count(|event| matches!(event, Event::GridChange { .. })), 1);
    let counters = session.counters();
    assert_eq!((counters.errors, counters.bad), (5, 0));
    assert_eq!(session.last_error(), Some(16));

    let (events, session) = kalshi_events(kalshi::Role::Private, &frames);
    assert_eq!(session.counters().bad, 0);
    let fills: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::Report(Report::Fill(fill)) => Some(fill),
            _ => None,
        })
        .collect();
    assert_eq!(fills.len(), 1);
    assert_eq!((fills[0].side, fills[0].price.ticks()), (Side::Bid, 7_500));
    assert_eq!((fills[0].liquidity, fills[0].fee), (Liquidity::Taker, None::<Usd>));
    let resting = |event: &&Event| matches!(event, Event::Report(Report::Status(status)) if status.state == VenueState::Resting);
    assert_eq!(events.iter().filter(resting).count(), 1);
    assert_eq!(kalshi::our_order_id(b"sf-00000000000000ff"), Some(OrderId::new(255)));
    assert_eq!(Outcome::Yes.other(), Outcome::No);
}
