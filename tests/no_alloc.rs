//! Nothing is allocated where it counts: in the core, the codecs and the encoders, once they are warm. What the TLS and
//! WebSocket libraries allocate for a frame beside them is counted and printed.
//!
//! The counter is the allocator of this test program alone, and counts by thread.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use surefoot::bench::desk::{self, KA, KalshiSeq, PM, Strategy};
use surefoot::bench::{path, sign};
use surefoot::twin::tls::Authority;
use surefoot::twin::ws::Conversation;
use surefoot_cold::exec::http::Request;
use surefoot_cold::net::{Trust, client_config};
use surefoot_cold::venue::kalshi::encode;
use surefoot_hot::book::{BookRoom, Change, Level};
use surefoot_hot::core::Core;
use surefoot_hot::event::{Control, Event, Link};
use surefoot_hot::grid::Grid;
use surefoot_hot::ids::{FillId, MarketId, OrderRef, Side, Venue};
use surefoot_hot::intent::Intent;
use surefoot_hot::links::{LinkNumber, LinkSet};
use surefoot_hot::market::MarketDef;
use surefoot_hot::order::Order;
use surefoot_hot::outbox::Outbox;
use surefoot_hot::report::{Fill, Finality, Liquidity, OrderStatus, Reject, Report, VenueState};
use surefoot_hot::units::{Nanos, Price, Qty};
use surefoot_hot::venue::{Counters, EventSink, Session, kalshi, polymarket, sample};
use tungstenite::WebSocket;
use tungstenite::protocol::Role;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// Counts, and leaves the work to the system's.
struct Counting;

#[expect(
    unsafe_code,
    reason = "an allocator can be written in no other way; it is this test's alone"
)]
// SAFETY: every call is handed to the system's allocator as it came, and its answer handed back; the counter is a plain
// number of the thread's own, which needs no destructor and allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as above; `block` came from `System`, because every block does.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.realloc(block, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn count() {
    // A thread that is ending has no counter any more, and nothing of it is measured.
    let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
}

/// How often this thread allocated while `work` ran.
fn allocations(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.with(Cell::get);
    work();
    ALLOCATIONS.with(Cell::get) - before
}

/// Takes events and keeps none.
struct Drain(u64);

impl EventSink for Drain {
    fn push(&mut self, event: Event) {
        std::hint::black_box(event);
        self.0 += 1;
    }
}

#[test]
fn the_counter_counts() {
    let mut kept = Vec::new();
    assert_eq!(allocations(|| kept.push(1)), 1);
    assert_eq!(allocations(|| kept[0] += 1), 0);
    assert_eq!(allocations(|| kept.extend(0..100)), 1, "growing counts too");
}

#[test]
fn frame_to_order_allocates_nothing() {
    for (venue, in_a_crowd) in Venue::ALL.into_iter().flat_map(|v| [(v, false), (v, true)]) {
        let mut path =
            if in_a_crowd { path::Path::in_a_crowd(venue) } else { path::Path::new(venue) };
        let mut cycle = |times: u32| {
            for _ in 0..times {
                match venue {
                    Venue::Polymarket => path.cycle_polymarket(),
                    Venue::Kalshi => path.cycle_kalshi(),
                }
            }
        };
        cycle(20);
        assert_eq!(allocations(|| cycle(1_000)), 0, "{}", venue.name());
    }
}

/// A core with every book loaded, and a gap that opens and closes.
struct Desk {
    core: Core,
    out: Outbox,
    now: Nanos,
    placed: [Option<Order>; 4],
    fills: u64,
}

impl Desk {
    fn new() -> Self {
        let now = Nanos::from_secs(1_800_000_000);
        let (core, out) = (Core::new(), Outbox::new());
        let mut desk = Self { core, out, now, placed: [None; 4], fills: 0 };
        let directory = desk::directory();
        let links = Venue::ALL.into_iter().flat_map(|venue| {
            [Link::Market, Link::Private, Link::Orders].map(|link| (venue, link))
        });
        for event in desk::setup(&directory, Strategy::Pairs, &links.collect::<Vec<_>>()) {
            desk.event(&event);
        }
        let mut events: Vec<Event> = Vec::new();
        let mut session = desk::polymarket_session(&directory);
        session.on_open(now);
        let names = desk::polymarket_names(&directory, PM);
        let book = desk::polymarket_book(names, &desk::sides(38, 52));
        session.on_frame(now, &book, &mut events).unwrap();
        let mut session = desk::kalshi_session(&directory);
        session.on_open(now);
        let names = desk::kalshi_names(&directory, KA);
        // So far from Polymarket's that a basket pays although its second leg fails every time, as it does here.
        let book = KalshiSeq::new().snapshot(names, &desk::sides(56, 58));
        session.on_frame(now, &book, &mut events).unwrap();
        for event in &events {
            desk.event(event);
        }
        desk
    }

    fn event(&mut self, event: &Event) {
        self.now = self.now.after(Nanos::new(1_000));
        for venue in Venue::ALL {
            let (links, upto) = (LinkSet::only(LinkNumber::FIRST), self.now);
            self.core.on_event(self.now, &Event::Current { venue, links, upto }, &mut self.out);
            let read = Event::Control(Control::TermsRead { venue, at: self.now });
            self.core.on_event(self.now, &read, &mut self.out);
        }
        self.core.on_event(self.now, event, &mut self.out);
        for intent in self.out.intents() {
            if let Intent::Place(order) = intent {
                let free = self.placed.iter_mut().find(|slot| slot.is_none());
                *free.expect("few orders at a time") = Some(**order);
            }
        }
        self.out.clear();
    }

    fn report(&mut self, report: Report) {
        self.event(&Event::Report(report));
    }

    fn placed(&mut self) -> Order {
        let last = self.placed.iter_mut().rev().find_map(Option::take);
        last.unwrap_or_else(|| panic!("an order was placed: {:?}", self.core.stats()))
    }

    fn ask(&mut self, contracts: u64) {
        let (side, price) = (Side::Ask, Price::from_ticks(4_000).unwrap());
        let change = Change::Set(Qty::from_contracts(contracts));
        self.event(&Event::Level(Level { market: PM, side, price, change, last: true }));
    }

    fn fill(&mut self, order: &Order) {
        self.fills += 1;
        let (side, price) = order.on_book();
        let fill = Fill {
            fill: FillId::new(self.fills),
            order: OrderRef::Id(order.id),
            market: order.market,
            side,
            price,
            qty: order.qty,
            fee: None,
            liquidity: Liquidity::Taker,
            finality: Finality::Final,
            venue_time: Nanos::ZERO,
        };
        self.report(Report::Fill(fill));
        self.report(Report::Fill(fill)); // told twice
    }

    /// A gap is shot at, the first leg fills, the second is refused, the first is sold again: every part of the core
    /// that handles orders has its turn. Then fifteen minutes pass.
    fn cycle(&mut self) {
        self.ask(30);
        let first = self.placed();
        let accepted = OrderStatus {
            order: OrderRef::Id(first.id),
            state: VenueState::Filled,
            filled: Some(first.qty),
        };
        self.report(Report::Status(accepted));
        let second = self.placed();
        self.fill(&first);
        self.report(Report::Rejected { order: OrderRef::Id(second.id), why: Reject::Killed });
        let sale = self.placed();
        self.fill(&sale);
        self.ask(0);
        assert!(self.core.is_idle(), "the leg is sold again");
        self.now = self.now.after(Nanos::from_secs(1_000));
        // More than there is: a difference that no fee explains, so that accounts are repaired each time.
        let five = surefoot_hot::units::Usd::from_dollars(5);
        let cash = self.core.stats().cash[Venue::Kalshi] + five;
        let cash = Control::Cash { venue: Venue::Kalshi, shard: 0, cash };
        let day = u32::try_from(self.fills).unwrap(); // a new one each time: its loss starts at nothing
        self.event(&Event::Control(Control::Day { day }));
        for _ in 0..2 {
            let since = self.now;
            let reading = Control::Reading { venue: Venue::Kalshi, since };
            let whole = Control::Reconciled { venue: Venue::Kalshi, clean: true };
            for control in [reading, cash, whole] {
                self.event(&Event::Control(control));
            }
        }
        for market in [PM, KA] {
            // Far behind the best price: neither is so silent that its book is doubted.
            let (side, price) = (Side::Ask, Price::from_ticks(9_800).unwrap());
            let change = Change::Set(Qty::from_contracts(self.fills + 1));
            self.event(&Event::Level(Level { market, side, price, change, last: true }));
        }
        self.event(&Event::Timer);
    }
}

#[test]
fn a_market_that_comes_while_the_core_runs_takes_the_memory_that_was_made_for_it() {
    let mut desk = Desk::new();
    let known = *desk.core.books().terms(KA).unwrap();
    let [cents, tenths] = [100, 10].map(|step| Grid::uniform(step).unwrap());
    let follow = |desk: &mut Desk, market: u16, grid: Grid| {
        let event = Event::Market(MarketDef { market: MarketId::new(market), grid, ..known });
        allocations(|| desk.event(&event))
    };
    assert!(follow(&mut desk, 2_100, cents) > 0, "without it the core allocates");
    for market in 2_000..2_100 {
        let grid = if market % 2 == 0 { cents } else { tenths };
        assert!(desk.core.wants_room());
        desk.core.take_room(BookRoom::new(grid));
        assert_eq!(follow(&mut desk, market, grid), 0, "market {market}");
    }
    desk.core.take_room(BookRoom::new(cents));
    assert!(follow(&mut desk, 1_999, tenths) > 0, "a finer grid does not fit it");
    assert_eq!(follow(&mut desk, 1_998, cents), 0, "it is kept for one that does");
    // One that comes and goes has its book still.
    let market = MarketId::new(1_998);
    for _ in 0..300 {
        let left = allocations(|| {
            desk.event(&Event::MarketWithdrawn { market });
            desk.event(&Event::Timer);
        });
        assert_eq!((left, follow(&mut desk, 1_998, cents)), (0, 0));
    }
    assert!(desk.core.stats().markets_unfollowed >= 300);
    desk.core.check_invariants();
}

#[test]
fn the_core_allocates_nothing_through_fills_refusals_and_unwinds() {
    let mut desk = Desk::new();
    for _ in 0..20 {
        desk.cycle();
    }
    assert_eq!(allocations(|| (0..300).for_each(|_| desk.cycle())), 0);
    assert_eq!(desk.core.stats().baskets_unwound, 320);
    desk.core.check_invariants();
}

/// Reads the frames of a golden file twice; what the second reading allocates, frames that are left to the library
/// aside. How many frames counted.
fn read_twice<S: Session>(
    mut session: S,
    counters: impl Fn(&S) -> Counters,
    file: &str,
) -> (u64, u64) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
    let text = fs::read_to_string(&path).unwrap();
    let frames = || text.lines().filter(|line| !line.is_empty() && !line.starts_with(['#', '@']));
    let (mut sink, mut now) = (Drain(0), Nanos::from_secs(1));
    let (mut allocated, mut usual) = (0, 0);
    for counted in [false, true] {
        session.on_open(now);
        for frame in frames() {
            now = now.after(Nanos::from_millis(1));
            let unusual = counters(&session).unusual;
            let count = allocations(|| {
                let _ = session.on_frame(now, frame.as_bytes(), &mut sink); // some are bad on purpose
                while session.poll_send().is_some() {}
            });
            if counted && counters(&session).unusual == unusual {
                allocated += count;
                usual += 1;
                assert_eq!(count, 0, "{file}: {frame}");
            }
            while session.poll_notice().is_some() {}
        }
        session.on_close(now, &mut sink);
    }
    assert!(sink.0 > 0, "{file} holds events");
    (allocated, usual)
}

fn cent() -> Grid {
    Grid::uniform(100).unwrap()
}

fn names(market: u16) -> polymarket::MarketNames<'static> {
    let (condition, yes, no) = [
        ("0x00000000000000000000000000000000000000000000000000000000000000c1", "1111", "1112"),
        ("0x00000000000000000000000000000000000000000000000000000000000000c2", "2221", "2222"),
    ][usize::from(market - 1)];
    polymarket::MarketNames { market: MarketId::new(market), condition, yes, no, grid: cent() }
}

fn kalshi_session(role: kalshi::Role) -> kalshi::Session {
    let mut session = kalshi::Session::with_capacity(role, 4);
    for (ticker, market) in [("KXONE-26-A", 3), ("KXTWO-26-B", 4)] {
        session.add_market(Nanos::ZERO, ticker, MarketId::new(market), cent()).unwrap();
    }
    session
}

#[test]
fn no_session_allocates_for_any_frame_of_the_golden_files() {
    for file in ["polymarket/market_life.frames", "polymarket/market_bad.frames"] {
        let mut session = polymarket::MarketSession::with_capacity(4);
        for market in [1, 2] {
            session.add_market(Nanos::ZERO, &names(market)).unwrap();
        }
        let (allocated, frames) = read_twice(session, |s| *s.counters(), file);
        assert!((allocated, frames > 5) == (0, true), "{file}: {frames} frames");
    }
    let file = "polymarket/user_orders_and_fills.frames";
    let mut session = polymarket::UserSession::new(4, b"{}".to_vec(), "ours");
    session.add_market(&names(1)).unwrap();
    let (allocated, frames) = read_twice(session, |s| *s.counters(), file);
    assert!((allocated, frames > 5) == (0, true), "{file}: {frames} frames");
    for (role, file) in [
        (kalshi::Role::Market, "kalshi/market_life.frames"),
        (kalshi::Role::Market, "kalshi/market_bad.frames"),
        (kalshi::Role::Market, "kalshi/market_sequence.frames"),
        (kalshi::Role::Private, "kalshi/private_orders_and_fills.frames"),
    ] {
        let (allocated, frames) = read_twice(kalshi_session(role), |s| *s.counters(), file);
        assert!((allocated, frames > 5) == (0, true), "{file}: {frames} frames");
    }
}

#[test]
fn the_fast_path_of_both_market_links_allocates_nothing() {
    let (mut session, frames) = (sample::polymarket_session(), sample::price_changes());
    let mut sink = Drain(0);
    let mut read = |times: usize| {
        for nth in 0..times {
            session.on_frame(Nanos::ZERO, &frames[nth % 2], &mut sink).unwrap();
        }
    };
    read(10);
    assert_eq!(allocations(|| read(10_000)), 0);
    let (mut session, mut deltas) = (sample::kalshi_session(), sample::KalshiDeltas::new());
    let mut read = |times: usize| {
        for _ in 0..times {
            session.on_frame(Nanos::ZERO, deltas.frame(), &mut sink).unwrap();
        }
    };
    read(10);
    assert_eq!(allocations(|| read(10_000)), 0);
}

#[test]
fn signing_and_encoding_an_order_allocates_nothing() {
    let directory = desk::directory();
    let mut request = Request::new();
    let (signer, names) = (sign::polymarket_signer(), desk::polymarket_names(&directory, PM));
    let mut orders = (1..).map(|nth| sign::order(nth, Venue::Polymarket));
    let mut write = |times: usize| {
        for order in orders.by_ref().take(times) {
            sign::write_polymarket(&signer, names, &order, &mut request);
        }
    };
    write(3);
    assert_eq!(allocations(|| write(100)), 0, "polymarket: order, body, headers");
    let (signer, names) = (sign::kalshi_signer(), desk::kalshi_names(&directory, KA));
    let pair = signer.sign(1_800_000_000_000, "POST", encode::ORDERS);
    let mut orders = (1..).map(|nth| sign::order(nth, Venue::Kalshi));
    let mut write = |times: usize| {
        for order in orders.by_ref().take(times) {
            sign::write_kalshi(&signer, names, &order, &pair, &mut request);
        }
    };
    write(3);
    assert_eq!(
        allocations(|| write(100)),
        0,
        "kalshi: body, headers around a signature made ahead"
    );
    let inline = allocations(|| {
        for nth in 0..100 {
            std::hint::black_box(signer.sign(1_800_000_000_000 + nth, "POST", encode::ORDERS));
        }
    });
    println!(
        "kalshi: {inline} Rust allocations for 100 Ed25519 header signatures (made ahead by a cold thread)"
    );
}

/// Bytes between two ends in one thread.
#[derive(Default)]
struct Wire {
    bytes: Vec<u8>,
    at: usize,
}

impl Read for Wire {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let left = &self.bytes[self.at..];
        if left.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let count = left.len().min(buf.len());
        buf[..count].copy_from_slice(&left[..count]);
        self.at += count;
        Ok(count)
    }
}

impl Write for Wire {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        if self.at == self.bytes.len() {
            self.bytes.clear();
            self.at = 0;
        }
        self.bytes.extend_from_slice(buf);
        Ok(buf.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A client's end of TLS over [`Wire`]s, as a stream that never blocks.
struct Client {
    tls: rustls::ClientConnection,
    inbox: Wire,
    outbox: Wire,
}

impl Read for Client {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.tls.reader().read(buf) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            done => return done,
        }
        self.tls.read_tls(&mut self.inbox)?;
        self.tls.process_new_packets().map_err(io::Error::other)?;
        self.tls.reader().read(buf)
    }
}

impl Write for Client {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let taken = self.tls.writer().write(buf)?;
        self.tls.write_tls(&mut self.outbox)?;
        Ok(taken)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_tls_and_websocket_allocate_for_a_frame_is_said() {
    const FRAMES: u64 = 1_000;
    let authority = Authority::new().unwrap();
    let trust = Trust::from_pem("test", authority.ca_pem.as_bytes()).unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let tls = rustls::ClientConnection::new(Arc::clone(&client_config(&trust)), name).unwrap();
    let mut client = Client { tls, inbox: Wire::default(), outbox: Wire::default() };
    let mut acceptor = rustls::server::Acceptor::default();
    client.tls.write_tls(&mut client.outbox).unwrap();
    acceptor.read_tls(&mut client.outbox).unwrap();
    let accepted = acceptor.accept().map_err(|(why, _)| why).unwrap().unwrap();
    let config = authority.config_for(&accepted);
    let mut server = accepted.into_connection(config).map_err(|(why, _)| why).unwrap();
    for _ in 0..8 {
        while server.wants_write() {
            server.write_tls(&mut client.inbox).unwrap();
        }
        while client.tls.read_tls(&mut client.inbox).is_ok_and(|count| count > 0) {
            client.tls.process_new_packets().unwrap();
        }
        while client.tls.wants_write() {
            client.tls.write_tls(&mut client.outbox).unwrap();
        }
        while server.read_tls(&mut client.outbox).is_ok_and(|count| count > 0) {
            server.process_new_packets().unwrap();
        }
    }
    assert!(!server.is_handshaking() && !client.tls.is_handshaking());

    let mut talk = Conversation::new(Vec::new());
    let mut socket = WebSocket::from_raw_socket(client, Role::Client, None);
    let frame = String::from_utf8(sample::price_changes()[0].clone()).unwrap();
    let mut receive = |frames: u64| {
        let mut allocated = 0;
        for _ in 0..frames {
            talk.send_text(frame.clone());
            server.writer().write_all(&talk.take_out()).unwrap();
            while server.wants_write() {
                server.write_tls(&mut socket.get_mut().inbox).unwrap();
            }
            allocated += allocations(|| {
                let message = socket.read().unwrap();
                assert_eq!(message.len(), frame.len());
            });
        }
        allocated
    };
    receive(10);
    let of_frames = receive(FRAMES);
    let client = socket.get_mut();
    let request = vec![b'x'; 1_100];
    let mut send = |times: u64| {
        allocations(|| {
            for _ in 0..times {
                client.outbox.bytes.clear();
                client.outbox.at = 0;
                client.tls.writer().write_all(&request).unwrap();
                client.tls.write_tls(&mut client.outbox).unwrap();
            }
        })
    };
    send(10);
    let of_requests = send(FRAMES);
    println!(
        "libraries: {of_frames} allocations for {FRAMES} frames of {} bytes read through TLS and WebSocket, \
         {of_requests} for {FRAMES} requests of {} bytes written through TLS",
        frame.len(),
        request.len(),
    );
    assert!(of_frames <= 20 * FRAMES && of_requests <= 20 * FRAMES, "far more than it was");
}
