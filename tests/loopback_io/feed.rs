//! The feed: up, down, up again, and what a full ring does.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rtrb::{Consumer, RingBuffer};
use surefoot_cold::directory::{Entry, Names, PolymarketNames};
use surefoot_cold::facts::Facts;
use surefoot_cold::feed::{
    Command, Feed, FeedLink, Follow, LinkOptions, LinkStats, TapReader, Upgrade,
};
use surefoot_cold::net::{NoMeter, Trust};
use surefoot_hot::book::StaleWhy;
use surefoot_hot::bounds::DATA_AGE_MAX;
use surefoot_hot::event::{Event, Link};
use surefoot_hot::ids::{MarketId, Venue};
use surefoot_hot::intent::Intent;
use surefoot_hot::links::{LinkNumber, LinkSet};
use surefoot_hot::units::Nanos;
use surefoot_hot::venue::Notice;
use surefoot_hot::venue::polymarket::MarketSession;
use tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tungstenite::{Message, WebSocket};

use crate::support::*;

const PM: Venue = Venue::Polymarket;

fn entry(number: u16) -> Entry {
    let mut def = market_def(PM);
    def.market = MarketId::new(number);
    let names = PolymarketNames {
        condition_id: format!("0x{number:064x}"),
        yes_token: format!("{}1", number + 1),
        no_token: format!("{}2", number + 1),
        generation: surefoot_cold::directory::Generation::Two,
        neg_risk: false,
        min_size_text: "5".to_owned(),
        event: String::new(),
    };
    Entry {
        def,
        fee_changes: Vec::new(),
        paid_by: None,
        title: String::new(),
        names: Names::Polymarket(names),
        facts: Facts::default(),
    }
}

pub fn book(number: u16) -> String {
    let (condition, token) = (format!("0x{number:064x}"), format!("{}1", number + 1));
    format!(
        "{{\"event_type\":\"book\",\"market\":\"{condition}\",\"asset_id\":\"{token}\",\
\"timestamp\":\"1795000000000\",\"hash\":\"\",\"bids\":[{{\"price\":\"0.48\",\"size\":\"100\"}}],\
\"asks\":[{{\"price\":\"0.52\",\"size\":\"90\"}}]}}"
    )
}

struct Badge;

impl Upgrade for Badge {
    fn headers(&mut self, _: Nanos, path: &str) -> Vec<(String, String)> {
        vec![("X-Badge".to_owned(), format!("for {path}"))]
    }
}

pub type Socket<'a> = WebSocket<&'a mut Stream>;

/// A WebSocket server that wants the badge and then plays `script`; texts it reads are told.
pub fn ws_server<F>(script: F) -> (Trust, std::net::SocketAddr)
where
    F: Fn(usize, &mut Socket<'_>) + Send + Sync + 'static,
{
    let (trust, config) = authority();
    let (addr, _) = serve(config, move |number, stream, _| {
        #[allow(clippy::result_large_err, reason = "the library's type")]
        let badge = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
            assert_eq!(request.headers()["x-badge"], "for /ws/market");
            assert!(!request.headers().contains_key("sec-websocket-extensions"));
            Ok(response)
        };
        if let Ok(mut socket) = tungstenite::accept_hdr(stream, badge) {
            script(number, &mut socket);
        }
    });
    (trust, addr)
}

pub fn text(socket: &mut Socket<'_>) -> Option<String> {
    loop {
        match socket.read() {
            Ok(Message::Text(text)) => return Some(text.to_string()),
            Ok(_) => {}
            Err(_) => return None,
        }
    }
}

fn text_of(socket: &mut Socket<'_>) -> bool {
    text(socket).is_some()
}

pub struct Rig {
    pub feed: Feed<NoMeter>,
    pub core: Consumer<Event>,
    pub now: Nanos,
}

impl Rig {
    pub fn new(
        trust: &Trust,
        addr: std::net::SocketAddr,
        ring: usize,
        options: LinkOptions,
    ) -> Self {
        let (feed_core, core) = RingBuffer::new(ring);
        let mut feed = Feed::new(feed_core, None, NoMeter).unwrap();
        Self::add(&mut feed, trust, addr, options);
        Self { feed, core, now: START }
    }

    fn add(
        feed: &mut Feed<NoMeter>,
        trust: &Trust,
        addr: std::net::SocketAddr,
        mut options: LinkOptions,
    ) {
        let number = feed.stats().count() as u16; // each link carries the market of its number
        let link = LinkNumber::new(number.into()).unwrap();
        let mut session = MarketSession::with_capacity(8).numbered(link);
        session.follow(START, &entry(number)).unwrap();
        options.upgrade = Some(Box::new(Badge));
        let dialer = dialer(trust, addr, "/ws/market", "wss", 1);
        let markets = vec![MarketId::new(number)];
        feed.add(FeedLink::new(PM, Link::Market, session, markets, dialer, options));
    }

    pub fn event(&mut self) -> Event {
        for _ in 0..20_000 {
            self.feed.turn(self.now);
            match self.core.pop() {
                Ok(Event::Handed { .. }) => continue, // how far it is, and no news
                Ok(event) => return event,
                Err(_) => {}
            }
            self.feed.park(self.now, Duration::from_millis(1));
        }
        panic!("nothing came: {:?}", self.feed.stats().collect::<Vec<_>>());
    }

    pub fn until(&mut self, done: impl Fn(&mut Self) -> bool) {
        for _ in 0..20_000 {
            self.feed.turn(self.now);
            if done(self) {
                return;
            }
            self.feed.park(self.now, Duration::from_millis(1));
        }
        panic!("it never came to that: {:?}", self.feed.stats().collect::<Vec<_>>());
    }

    pub fn wait_for(&mut self, event: &Event) {
        while self.event() != *event {}
    }
}

pub fn link(up: bool) -> Event {
    Event::Link { venue: PM, link: Link::Market, number: LinkNumber::FIRST, up }
}

#[test]
fn a_lost_link_says_so_and_comes_back_by_itself() {
    let (trust, addr) = ws_server(|_, socket| {
        assert!(text(socket).unwrap().contains("\"assets_ids\":[\"11\",\"12\"]"));
        socket.send(Message::text(book(0))).unwrap();
        if text(socket).is_some_and(|text| text != "PING") {
            panic!("nothing else was to be sent");
        } // here the stream is dropped without a goodbye
    });
    let (ring, tap) = RingBuffer::new(1 << 16);
    let (feed_core, core) = RingBuffer::new(1_024);
    let mut feed = Feed::new(feed_core, Some(ring), NoMeter).unwrap();
    let (commands, receiver) = crossbeam_channel::bounded(4);
    let options = LinkOptions { commands: Some(receiver), ..LinkOptions::default() };
    Rig::add(&mut feed, &trust, addr, options);
    let mut rig = Rig { feed, core, now: START };
    rig.wait_for(&link(true));
    rig.wait_for(&Event::SnapshotEnd { market: MarketId::new(0) });
    rig.now = rig.now.after(Nanos::from_secs(10)); // the session pings, the server drops
    rig.wait_for(&link(false));
    assert_eq!(rig.feed.stats().next().unwrap().lost, 1);
    rig.now = rig.now.after(Nanos::from_secs(1));
    rig.wait_for(&link(true));
    rig.wait_for(&Event::SnapshotEnd { market: MarketId::new(0) });
    commands.send(Command::Reconnect).unwrap();
    rig.wait_for(&link(false));
    rig.now = rig.now.after(Nanos::from_secs(1));
    rig.wait_for(&link(true));
    let stats = rig.feed.stats().next().unwrap().clone();
    assert_eq!((stats.opened, stats.lost, stats.failed), (3, 2, 0));
    let mut bytes = Vec::new();
    let tapped = TapReader::new(tap).poll_frame(&mut bytes).unwrap();
    assert_eq!((tapped.recv, tapped.link), (START, Link::Market));
    assert_eq!(bytes, book(0).as_bytes());
}

#[test]
fn markets_are_followed_and_snapshots_fetched_while_running() {
    let said = Arc::new(Mutex::new(Vec::new()));
    let hears = Arc::clone(&said);
    let (trust, addr) = ws_server(move |_, socket| {
        while let Some(text) = text(socket) {
            hears.lock().unwrap().push(text);
            socket.send(Message::text(book(0))).unwrap();
        }
    });
    let mut rig = Rig::new(&trust, addr, 1_024, LinkOptions::default());
    let (mut core_feed, intents) = RingBuffer::new(16);
    let (mut names, told) = RingBuffer::new(16);
    rig.feed.take_intents(intents);
    rig.feed.take_names(told);
    rig.wait_for(&Event::SnapshotEnd { market: MarketId::new(0) });
    core_feed.push(Intent::Resync { market: MarketId::new(9) }).unwrap(); // nobody knows its name
    names.push(Arc::new(entry(3))).unwrap();
    core_feed.push(Intent::Resync { market: MarketId::new(3) }).unwrap();
    let has = |part: &'static str| {
        let said = Arc::clone(&said);
        move |_: &mut Rig| said.lock().unwrap().iter().any(|text| text.contains(part))
    };
    rig.until(has("\"operation\":\"subscribe\",\"assets_ids\":[\"41\",\"42\"]"));
    core_feed.push(Intent::Resync { market: MarketId::new(0) }).unwrap();
    rig.until(has("\"operation\":\"unsubscribe\",\"assets_ids\":[\"11\",\"12\"]"));
    // It is left, and comes back in one breath: the last word counts.
    for intent in [
        Intent::Unfollow { market: MarketId::new(3) },
        Intent::Resync { market: MarketId::new(3) },
        Intent::Unfollow { market: MarketId::new(0) },
    ] {
        core_feed.push(intent).unwrap();
    }
    said.lock().unwrap().clear();
    let said_in_order = |said: &[String]| {
        let at = |part| said.iter().position(|text: &String| text.contains(part));
        let left = at("\"operation\":\"unsubscribe\",\"assets_ids\":[\"41\",\"42\"]");
        let back = at("\"operation\":\"subscribe\",\"assets_ids\":[\"41\",\"42\"]");
        let other = at("\"operation\":\"unsubscribe\",\"assets_ids\":[\"11\",\"12\"]");
        left < back && back < other && left.is_some()
    };
    rig.until(|_| said_in_order(&said.lock().unwrap()));
}

#[test]
fn a_market_without_a_place_takes_a_spare_link_and_the_place_of_one_that_went_is_used_first() {
    let (trust, addr) = ws_server(|_, socket| {
        while let Some(text) = text(socket) {
            for number in [0, 3, 4] {
                let token = format!("\"{}1\"", number + 1);
                if text.contains(&token) && !text.contains("unsubscribe") {
                    socket.send(Message::text(book(number))).unwrap();
                }
            }
        }
    });
    let (feed_core, core) = RingBuffer::new(1_024);
    let mut feed = Feed::new(feed_core, None, NoMeter).unwrap();
    let small = |number: u8, markets: &[u16]| {
        let number = LinkNumber::new(number.into()).unwrap();
        let mut session = MarketSession::with_capacity(1).numbered(number);
        for market in markets {
            session.follow(START, &entry(*market)).unwrap();
        }
        let markets = markets.iter().map(|market| MarketId::new(*market)).collect();
        let dialer = dialer(&trust, addr, "/ws/market", "wss", 1);
        let options = LinkOptions { upgrade: Some(Box::new(Badge)), ..LinkOptions::default() };
        FeedLink::new(PM, Link::Market, session, markets, dialer, options)
    };
    feed.add(small(0, &[0]));
    feed.add_spare(small(1, &[]));
    let (mut core_feed, intents) = RingBuffer::new(16);
    feed.take_intents(intents);
    for market in [3, 4] {
        feed.know(Arc::new(entry(market)));
    }
    let mut rig = Rig { feed, core, now: START };
    let end = |market| Event::SnapshotEnd { market: MarketId::new(market) };
    rig.wait_for(&end(0));
    assert_eq!(rig.feed.stats().count(), 1, "a spare link does not dial");
    core_feed.push(Intent::Resync { market: MarketId::new(3) }).unwrap();
    rig.wait_for(&end(3));
    assert_eq!(rig.feed.stats().count(), 2);
    core_feed.push(Intent::Resync { market: MarketId::new(4) }).unwrap();
    rig.until(|rig| rig.feed.unplaced() == 1);
    core_feed.push(Intent::Unfollow { market: MarketId::new(0) }).unwrap();
    core_feed.push(Intent::Resync { market: MarketId::new(4) }).unwrap();
    rig.wait_for(&end(4));
    assert_eq!((rig.feed.stats().count(), rig.feed.unplaced()), (2, 1));
}

#[test]
fn a_full_ring_costs_market_data_then_a_fresh_snapshot() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&asked);
    let (trust, addr) = ws_server(move |_, socket| {
        text(socket).unwrap();
        for _ in 0..40 {
            socket.send(Message::text(book(0))).unwrap();
        }
        while let Some(text) = text(socket) {
            if text.contains("unsubscribe") {
                counts.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    let mut rig = Rig::new(&trust, addr, 16, LinkOptions::default());
    rig.until(|rig| rig.feed.stats().next().unwrap().held > 0);
    assert_eq!(rig.feed.outlet().dropped(), 0, "for a moment it is left unread");
    rig.now = rig.now.after(DATA_AGE_MAX);
    rig.until(|rig| rig.feed.stats().next().unwrap().frames == 40);
    assert!(rig.feed.outlet().dropped() > 0);
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    let mut open = None;
    let mut stale = false;
    while !stale {
        match rig.event() {
            Event::SnapshotBegin { market, .. } => open = Some(market),
            Event::SnapshotEnd { market } => assert_eq!(open.take(), Some(market)),
            Event::StaleAll { venue: PM, link: LinkNumber::FIRST, why: StaleWhy::Overflow } => {
                stale = true
            }
            _ => {}
        }
    }
    rig.until(|_| asked.load(Ordering::SeqCst) == 1);
    assert_eq!(rig.feed.outlet().overflows(), 1);
}

#[test]
fn a_link_that_is_lost_costs_its_own_markets_and_no_other() {
    let drop_it = Arc::new(AtomicBool::new(false));
    let dropped = Arc::clone(&drop_it);
    let (trust, addr) = ws_server(move |_, socket| {
        let second = text(socket).unwrap().contains("\"assets_ids\":[\"21\",\"22\"]");
        socket.send(Message::text(book(u16::from(second)))).unwrap();
        while !(second && dropped.load(Ordering::SeqCst)) && text(socket).is_some() {}
    });
    let mut rig = Rig::new(&trust, addr, 1_024, LinkOptions::default());
    Rig::add(&mut rig.feed, &trust, addr, LinkOptions::default());
    rig.until(|rig| rig.feed.stats().all(|link| link.frames == 1));
    let number = LinkNumber::new(1).unwrap();
    let names: Vec<_> = rig.feed.stats().map(LinkStats::name).collect();
    assert_eq!(names, ["polymarket market 0", "polymarket market 1"]);
    let mut events: Vec<_> = std::iter::from_fn(|| rig.core.pop().ok()).collect();
    for market in [0, 1].map(MarketId::new) {
        let venue_time = Nanos::from_millis(1_795_000_000_000);
        let link = LinkNumber::new(market.index()).unwrap();
        assert!(events.contains(&Event::SnapshotBegin { market, link, venue_time }), "{events:?}");
    }
    drop_it.store(true, Ordering::SeqCst);
    rig.now = rig.now.after(Nanos::from_secs(10)); // the sessions ping, the server hears and drops one
    let down = Event::Link { venue: PM, link: Link::Market, number, up: false };
    events.clear();
    while events.last() != Some(&down) {
        events.push(rig.event());
    }
    let stale = Event::Stale { market: MarketId::new(1), why: StaleWhy::Link };
    assert_eq!(rig.event(), stale);
    assert!(!events.contains(&link(false)));
    rig.now = rig.now.after(Nanos::from_millis(100));
    let current = loop {
        if let Event::Current { links, upto, .. } = rig.event() {
            break (links, upto);
        }
    };
    assert_eq!(
        current,
        (LinkSet::only(LinkNumber::FIRST), rig.now),
        "the other one is as fresh as ever"
    );
}

#[test]
fn a_settlement_whose_price_is_not_told_is_passed_on() {
    let (trust, addr) = ws_server(|_, socket| {
        text(socket).unwrap();
        let resolved = format!(
            "{{\"event_type\":\"market_resolved\",\"id\":\"1\",\"market\":\"0x{:064x}\",\"assets_ids\":[\"11\",\"12\"],\
\"winning_asset_id\":\"\",\"winning_outcome\":\"\",\"timestamp\":\"1795132805000\"}}",
            0
        );
        socket.send(Message::text(book(0))).unwrap();
        socket.send(Message::text(resolved)).unwrap();
        while text(socket).is_some() {}
    });
    let (to, notices) = crossbeam_channel::bounded(4);
    let options = LinkOptions { notices: Some(to), ..LinkOptions::default() };
    let mut rig = Rig::new(&trust, addr, 1_024, options);
    rig.until(|_| !notices.is_empty());
    let unseen = Notice::SettledUnseen { market: MarketId::new(0) };
    assert_eq!(notices.try_recv(), Ok((PM, unseen)));
    assert_eq!(rig.feed.stats().next().unwrap().notices_lost, 0);
}

/// How long a key that is refused may go unnoticed, on the feed's clock.
const REFUSED_WITHIN: Nanos = Nanos::from_secs(2);

/// A venue that answers an upgrade by `status`; what the link knows of it, once it failed.
fn refused_by(status: &'static str) -> bool {
    let (trust, config) = authority();
    let (addr, _) = serve(config, move |_, stream, _| {
        if hear(stream).is_some() {
            say(stream, &answer(status, "{\"error\":\"no\"}"));
        }
    });
    let mut rig = Rig::new(&trust, addr, 64, LinkOptions::default());
    rig.until(|rig| rig.feed.stats().next().unwrap().failed >= 1);
    assert!(rig.now.since(START) <= REFUSED_WITHIN);
    let stats = rig.feed.stats().next().unwrap();
    let error = stats.last_error.clone().unwrap();
    assert!(error.contains(&status[..3]), "{error}");
    assert!(!stats.up && stats.opened == 0);
    stats.credentials_refused
}

#[test]
fn a_refused_upgrade_says_at_the_first_attempt_that_it_is_about_the_key() {
    assert!(refused_by("401 Unauthorized") && refused_by("403 Forbidden"));
    assert!(!refused_by("429 Too Many Requests") && !refused_by("503 Service Unavailable"));
}

/// Refused first, let in afterwards: the trouble is over by itself.
#[test]
fn an_upgrade_that_works_again_ends_the_refusal() {
    let (trust, config) = authority();
    let (addr, _) = serve(config, move |number, stream, _| {
        if number == 0 {
            if hear(stream).is_some() {
                say(stream, &answer("401 Unauthorized", ""));
            }
        } else if let Ok(mut socket) = tungstenite::accept(stream) {
            let _ = socket.send(Message::text(book(0)));
            while text_of(&mut socket) {}
        }
    });
    let mut rig = Rig::new(&trust, addr, 64, LinkOptions::default());
    rig.until(|rig| rig.feed.stats().next().unwrap().credentials_refused);
    rig.now = rig.now.after(Nanos::from_secs(10));
    rig.until(|rig| rig.feed.stats().next().unwrap().up);
    assert!(!rig.feed.stats().next().unwrap().credentials_refused);
}

#[test]
fn an_untrusted_server_never_comes_up() {
    let (_, addr) = ws_server(|_, _| panic!("it was let in"));
    let (other, _) = authority();
    let mut rig = Rig::new(&other, addr, 64, LinkOptions::default());
    rig.until(|rig| rig.feed.stats().next().unwrap().failed >= 1);
    let error = rig.feed.stats().next().unwrap().last_error.clone().unwrap();
    assert!(error.contains("certificate"), "{error}");
    while let Ok(event) = rig.core.pop() {
        assert!(matches!(event, Event::Handed { .. }), "{event:?}"); // how far it is, and no news
    }
}
