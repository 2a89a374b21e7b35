//! The executor: what it sends, what it concludes, and above all what it does not.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rtrb::{Consumer, Producer, RingBuffer};
use surefoot_cold::directory::Names;
use surefoot_cold::exec::answer::{Cancelled, Placed};
use surefoot_cold::exec::codec::{
    AfterAnswer, CannotEncode, Inquiry, Limited, ModeSaid, RequestKind, VenueCodec,
};
use surefoot_cold::exec::http::{Answer, Request};
use surefoot_cold::exec::{Exec, ExecOptions, ExecWiring};
use surefoot_cold::halt::HaltEpoch;
use surefoot_cold::net::{Meter, NoMeter, Trust};
use surefoot_cold::venue::kalshi::signer::Signer;
use surefoot_cold::venue::kalshi::{Kalshi, KalshiRates};
use surefoot_cold::wirelog::{self, SyncMode, VenueId, WireLog};
use surefoot_hot::event::{Event, Link};
use surefoot_hot::ids::{MarketId, OrderId, OrderRef, Venue};
use surefoot_hot::intent::Intent;
use surefoot_hot::links::LinkNumber;
use surefoot_hot::order::{Cancel, Order, Query};
use surefoot_hot::report::{OrderStatus, Reject, Report, Unsent, VenueState};
use surefoot_hot::risk::Approved;
use surefoot_hot::units::{Nanos, Qty};

use crate::support::*;

/// An executor, both ends of its rings, and a clock that only the test moves.
pub struct Rig<W: VenueCodec, M: Meter = NoMeter> {
    pub exec: Exec<W, M>,
    pub intents: Producer<Intent>,
    pub events: Consumer<Event>,
    pub halt: HaltEpoch,
    pub now: Nanos,
    pub log: std::path::PathBuf,
}

pub struct Setup {
    pub order_lanes: usize,
    pub chore_lanes: usize,
    pub reports: usize,
    pub options: ExecOptions,
}

impl Default for Setup {
    fn default() -> Self {
        let options = ExecOptions {
            warm_every: Nanos::NEVER,
            mode_every: Nanos::NEVER,
            ..ExecOptions::default()
        };
        Self { order_lanes: 1, chore_lanes: 0, reports: 1_024, options }
    }
}

impl<W: VenueCodec> Rig<W> {
    pub fn new(
        name: &str,
        codec: W,
        trust: &Trust,
        addr: std::net::SocketAddr,
        setup: &Setup,
    ) -> Self {
        Self::metered(name, codec, trust, addr, setup, NoMeter)
    }
}

impl<W: VenueCodec, M: Meter> Rig<W, M> {
    /// With a clock of its own for what is finer than a turn.
    pub fn metered(
        name: &str,
        codec: W,
        trust: &Trust,
        addr: std::net::SocketAddr,
        setup: &Setup,
        meter: M,
    ) -> Self {
        let (intents, core_exec) = RingBuffer::new(256);
        let (exec_core, events) = RingBuffer::new(setup.reports);
        let log = scratch(name).join("wire.log");
        let lane = |n: usize| dialer(trust, addr, "", "https", n as u64);
        let halt = HaltEpoch::new(7);
        let wiring = ExecWiring {
            core_exec,
            exec_core,
            halt: halt.clone(),
            log: WireLog::open(&log, SyncMode::Always).unwrap().0,
            order_lanes: (0..setup.order_lanes).map(lane).collect(),
            chore_lanes: (0..setup.chore_lanes).map(|n| lane(n + 100)).collect(),
            learnt: None,
        };
        let exec = Exec::new(codec, wiring, setup.options, meter).unwrap();
        Self { exec, intents, events, halt, now: START, log }
    }

    /// Turns until the next event; the clock stands still.
    pub fn event(&mut self) -> Event {
        for _ in 0..20_000 {
            self.exec.turn(self.now);
            if let Ok(event) = self.events.pop() {
                return event;
            }
            self.exec.park(self.now, Duration::from_millis(1));
        }
        panic!("nothing came: {:?}", self.exec.stats());
    }

    /// The next report of an order; how the way to the venue is may be told before it.
    pub fn report(&mut self) -> Report {
        match self.event() {
            Event::Report(report) => report,
            Event::Link { .. } | Event::Way { .. } | Event::Mode { .. } => self.report(),
            other => panic!("{other:?}"),
        }
    }

    /// Turns until `done`; the clock stands still.
    pub fn until(&mut self, done: impl Fn(&mut Self) -> bool) {
        for _ in 0..20_000 {
            self.exec.turn(self.now);
            if done(self) {
                return;
            }
            self.exec.park(self.now, Duration::from_millis(1));
        }
        panic!("it never came to that: {:?}", self.exec.stats());
    }

    /// Turns until the order path is up.
    pub fn up(mut self) -> Self {
        let up = Event::Link {
            venue: W::VENUE,
            link: Link::Orders,
            number: LinkNumber::FIRST,
            up: true,
        };
        assert_eq!(self.event(), up);
        self
    }

    pub fn place(&mut self, id: u64) {
        let order = approved(id, W::VENUE, 7, self.now);
        self.intents.push(Intent::Place(order)).unwrap();
    }

    /// Sells what has no partner.
    pub fn unwind(&mut self, id: u64) {
        let order = unwinding(id, W::VENUE, 7, self.now);
        self.intents.push(Intent::Place(order)).unwrap();
    }

    /// Some turns, in which nothing may be told of an order.
    pub fn quiet(&mut self) {
        for _ in 0..20 {
            self.exec.turn(self.now);
            self.exec.park(self.now, Duration::from_millis(1));
        }
        while let Ok(event) = self.events.pop() {
            assert!(
                matches!(event, Event::Link { .. } | Event::Way { .. } | Event::Mode { .. }),
                "{event:?}"
            );
        }
    }

    pub fn pass_time(&mut self, span: Nanos) {
        self.now = self.now.after(span);
    }
}

pub fn kalshi(signer: Arc<Signer>) -> Kalshi {
    let endpoint = "https://127.0.0.1:1/trade-api/v2".parse().unwrap();
    Kalshi::new(signer, &endpoint, &directory("KXA", 2), KalshiRates::default(), None)
}

pub fn rig(name: &str, trust: &Trust, addr: std::net::SocketAddr, setup: &Setup) -> Rig<Kalshi> {
    Rig::new(name, kalshi(kalshi_signer()), trust, addr, setup)
}

pub fn filled(order: u64) -> Report {
    Report::Status(OrderStatus {
        order: OrderRef::Id(OrderId::new(order)),
        state: VenueState::Filled,
        filled: Some(Qty::from_contracts(10)),
    })
}

pub fn timed_out(order: u64) -> Report {
    Report::TimedOut { order: OrderId::new(order) }
}

pub fn unsent(order: u64, why: Unsent) -> Report {
    Report::Unsent { order: OrderId::new(order), why }
}

pub fn bound(order: u64) -> Report {
    let id = VenueId::new(format!("uuid-{order}").as_bytes()).unwrap();
    Report::Bound { order: OrderId::new(order), key: id.key() }
}

/// What a venue does that takes every order.
pub fn takes_every_order(number: usize, stream: &mut Stream, tell: &Sender<(usize, Heard)>) {
    while let Some(heard) = hear(stream) {
        let body = answer("201 Created", &created(order_in(&heard)));
        tell.send((number, heard)).unwrap(); // before the answer: whoever has it looks at once
        say(stream, &body);
    }
}

/// Our order id in a create.
pub fn order_in(heard: &Heard) -> u64 {
    let at = heard.body.find("\"sf-").unwrap() + 4;
    u64::from_str_radix(&heard.body[at..at + 16], 16).unwrap()
}

#[test]
fn orders_are_signed_answered_logged_and_share_a_connection() {
    let (trust, config) = authority();
    let (addr, seen) = serve(config, takes_every_order);
    let signer = kalshi_signer();
    let codec = kalshi(Arc::clone(&signer));
    let mut rig = Rig::new("answered", codec, &trust, addr, &Setup::default()).up();
    for order in [1, 2, 3] {
        rig.place(order);
        assert_eq!(rig.report(), bound(order));
        assert_eq!(rig.report(), filled(order));
        let (connection, heard) = seen.recv().unwrap();
        assert_eq!(connection, 0, "one connection for all");
        assert!(heard.head.starts_with("POST /trade-api/v2/portfolio/events/orders HTTP/1.1\r\n"));
        let (stamp, signature) = (
            heard.header("KALSHI-ACCESS-TIMESTAMP").unwrap(),
            heard.header("KALSHI-ACCESS-SIGNATURE").unwrap(),
        );
        assert_eq!(stamp, START.millis().to_string());
        let path = "/trade-api/v2/portfolio/events/orders";
        assert!(signer.public_key().verify(stamp, "POST", path, signature));
        assert!(heard.body.contains("\"side\":\"ask\"") && heard.body.contains("\"10.00\""));
    }
    assert_eq!((rig.exec.stats().sent, rig.exec.stats().taken), (3, 3));
    drop(rig.exec);
    let contents = wirelog::read(&rig.log).unwrap();
    assert_eq!(contents.records.len(), 6);
    assert!(contents.without_end().is_empty());
}

#[test]
fn a_wrong_certificate_is_refused_and_nothing_is_said() {
    let (_, config) = authority();
    let (other_trust, _) = authority();
    let spoken = Arc::new(AtomicBool::new(false));
    let saw = Arc::clone(&spoken);
    let (addr, _seen) = serve(config, move |_, stream, _| {
        // TLS 1.3: the server may think the handshake done before the client's alert arrives
        if hear(stream).is_some() {
            saw.store(true, Ordering::SeqCst);
        }
    });
    let mut rig = rig("wrong-cert", &other_trust, addr, &Setup::default());
    rig.until(|rig| rig.exec.dials().1 >= 1);
    rig.place(1);
    assert_eq!(rig.report(), unsent(1, Unsent::Down));
    assert!(!spoken.load(Ordering::SeqCst));
    assert!(wirelog::recover(&rig.log).unwrap().is_empty());
}

#[test]
fn an_answer_cut_anywhere_leaves_the_order_unknown() {
    let whole = answer("201 Created", &created(1));
    for cut in 0..=whole.len() {
        if cut > 60 && cut % 13 != 0 && cut < whole.len() - 2 {
            continue; // every byte of the head, then some of the body
        }
        let (trust, config) = authority();
        let part = whole[..cut].to_vec();
        let (addr, _seen) = serve(config, move |_, stream, _| {
            if hear(stream).is_some() {
                say(stream, &part); // and the connection is gone without a goodbye
            }
        });
        let mut rig = rig("cut", &trust, addr, &Setup::default()).up();
        rig.place(1);
        if cut == whole.len() {
            assert_eq!((rig.report(), rig.report()), (bound(1), filled(1)));
            assert!(wirelog::recover(&rig.log).unwrap().is_empty());
        } else {
            assert_eq!(rig.report(), timed_out(1), "cut at {cut}");
            let open = wirelog::recover(&rig.log).unwrap();
            assert_eq!(open[0].order, OrderId::new(1), "cut at {cut}: to be asked about");
        }
    }
}

#[test]
fn no_answer_in_time_is_unknown_and_its_connection_is_never_used_again() {
    let (trust, config) = authority();
    let (addr, seen) = serve(config, |number, stream, tell| {
        while let Some(heard) = hear(stream) {
            let order = order_in(&heard);
            tell.send((number, heard)).unwrap();
            if number > 0 {
                say(stream, &answer("201 Created", &created(order)));
            } // the first connection never answers
        }
    });
    let mut rig = rig("late", &trust, addr, &Setup::default()).up();
    rig.place(1);
    rig.until(|rig| rig.exec.stats().sent == 1);
    assert_eq!(seen.recv().unwrap().0, 0);
    rig.pass_time(Nanos::from_millis(1_999));
    rig.exec.turn(rig.now);
    assert!(rig.events.pop().is_err(), "not yet");
    rig.pass_time(Nanos::from_millis(1));
    assert_eq!(rig.report(), timed_out(1));
    rig.place(2);
    assert_eq!(rig.report(), unsent(2, Unsent::Down), "no connection yet");
    rig.pass_time(Nanos::from_secs(1));
    let mut rig = rig.up_again();
    rig.place(3);
    assert_eq!((rig.report(), rig.report()), (bound(3), filled(3)));
    assert_eq!(seen.recv().unwrap().0, 1);
}

impl<W: VenueCodec> Rig<W> {
    fn up_again(mut self) -> Self {
        while self.event()
            != (Event::Link {
                venue: W::VENUE,
                link: Link::Orders,
                number: LinkNumber::FIRST,
                up: true,
            })
        {}
        self
    }
}

#[test]
fn too_many_requests_pauses_and_trouble_opens_the_breaker() {
    let (trust, config) = authority();
    let (addr, _seen) = serve(config, |_, stream, _| {
        let mut n = 0;
        while hear(stream).is_some() {
            n += 1;
            if n == 1 {
                say(
                    stream,
                    b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3\r\nContent-Length: 29\r\n\r\n\
{\"error\":\"too many requests\"}",
                );
            } else {
                say(stream, &answer("503 Service Unavailable", "{}"));
            }
        }
    });
    let mut rig = rig("trouble", &trust, addr, &Setup::default()).up();
    rig.place(1);
    let order = OrderRef::Id(OrderId::new(1));
    assert_eq!(rig.report(), Report::Rejected { order, why: Reject::Rate });
    rig.pass_time(Nanos::from_millis(2_999));
    rig.place(2);
    assert_eq!(rig.report(), unsent(2, Unsent::Tokens));
    for order in 3..7 {
        rig.pass_time(Nanos::from_secs(1));
        rig.place(order);
        assert_eq!(rig.report(), timed_out(order), "a 503 proves nothing");
    }
    rig.place(7);
    assert_eq!(rig.report(), unsent(7, Unsent::Breaker), "five in a row");
    rig.pass_time(Nanos::from_secs(60));
    rig.place(8);
    assert_eq!(rig.report(), timed_out(8), "the probe");
    rig.place(9);
    assert_eq!(rig.report(), unsent(9, Unsent::Breaker));
}

#[test]
fn an_order_of_an_older_epoch_is_not_written() {
    let (trust, config) = authority();
    let (addr, seen) = serve(config, |number, stream, tell| {
        while let Some(heard) = hear(stream) {
            tell.send((number, heard)).unwrap();
        }
    });
    let mut rig = rig("epoch", &trust, addr, &Setup::default()).up();
    rig.place(1);
    rig.halt.advance();
    assert_eq!(rig.report(), unsent(1, Unsent::Epoch));
    assert!(wirelog::read(&rig.log).unwrap().records.is_empty());
    assert!(seen.recv_timeout(Duration::from_millis(50)).is_err(), "not a byte");
}

#[test]
fn a_rehearsal_leaves_nothing_behind() {
    let (trust, config) = authority();
    let (addr, seen) = serve(config, takes_every_order);
    let mut setup = Setup::default();
    setup.options.rehearse_every = Nanos::ZERO; // in every idle turn
    let mut rig = rig("rehearsal", &trust, addr, &setup).up();
    rig.until(|rig| rig.exec.stats().rehearsed > 100);
    assert!(rig.events.is_empty(), "the core hears nothing of it");
    assert!(wirelog::read(&rig.log).unwrap().records.is_empty());
    assert_eq!(rig.exec.codec().signatures(), Some((0, 0)), "signatures are for orders");
    rig.place(1);
    assert_eq!(rig.report(), bound(1));
    let (_, heard) = seen.recv().unwrap();
    assert_eq!(order_in(&heard), 1, "the first thing that the venue hears");
    assert_eq!((rig.exec.stats().sent, rig.exec.codec().signatures()), (1, Some((0, 1))));
}

/// Words that halt in the very moment between decision and write.
struct Meddler {
    codec: Kalshi,
    halt: Arc<Mutex<Option<HaltEpoch>>>,
}

impl VenueCodec for Meddler {
    const VENUE: Venue = Venue::Kalshi;
    const ID_FIRST: bool = false;
    fn follow(&mut self, market: MarketId, names: &Names) {
        self.codec.follow(market, names);
    }
    fn is_id(id: &VenueId) -> bool {
        Kalshi::is_id(id)
    }
    fn admit(&mut self, now: Nanos, what: RequestKind<'_>) -> bool {
        self.codec.admit(now, what)
    }
    fn is_short(&mut self, now: Nanos) -> bool {
        self.codec.is_short(now)
    }

    fn on_limited(&mut self, now: Nanos, what: Limited) {
        self.codec.on_limited(now, what);
    }
    fn place(
        &mut self,
        now: Nanos,
        order: &Approved<Order>,
        request: &mut Request,
    ) -> Result<VenueId, CannotEncode> {
        let id = self.codec.place(now, order, request);
        self.halt.lock().unwrap().as_ref().unwrap().advance();
        id
    }
    fn on_place(&mut self, order: &Order, id: VenueId, answer: &Answer<'_>) -> (Placed, VenueId) {
        self.codec.on_place(order, id, answer)
    }
    fn cancel(&mut self, now: Nanos, cancel: &Cancel, id: &VenueId, request: &mut Request) {
        self.codec.cancel(now, cancel, id, request);
    }
    fn on_cancel(&mut self, cancel: &Cancel, id: &VenueId, answer: &Answer<'_>) -> Cancelled {
        self.codec.on_cancel(cancel, id, answer)
    }
    fn cancel_all(&mut self, now: Nanos, request: &mut Request) {
        self.codec.cancel_all(now, request);
    }
    fn on_cancel_all(&mut self, answer: &Answer<'_>) -> bool {
        self.codec.on_cancel_all(answer)
    }
    fn ask(&mut self, now: Nanos, inquiry: &Inquiry, request: &mut Request) {
        self.codec.ask(now, inquiry, request);
    }
    fn on_ask(
        &mut self,
        inquiry: &mut Inquiry,
        answer: &Answer<'_>,
        reports: &mut Vec<Report>,
    ) -> AfterAnswer {
        self.codec.on_ask(inquiry, answer, reports)
    }
    fn modes(&self, about: Option<MarketId>, answer: &Answer<'_>, said: &mut Vec<ModeSaid>) {
        self.codec.modes(about, answer, said);
    }
    fn warm(&mut self, request: &mut Request) {
        self.codec.warm(request);
    }
    fn rehearse(&mut self, now: Nanos, request: &mut Request) -> Result<(), CannotEncode> {
        self.codec.rehearse(now, request)
    }
}

#[test]
fn a_halt_after_signing_still_keeps_every_byte_back() {
    let (trust, config) = authority();
    let (addr, seen) = serve(config, |number, stream, tell| {
        while let Some(heard) = hear(stream) {
            tell.send((number, heard)).unwrap();
        }
    });
    let halt = Arc::new(Mutex::new(None));
    let codec = Meddler { codec: kalshi(kalshi_signer()), halt: Arc::clone(&halt) };
    let mut rig = Rig::new("meddled", codec, &trust, addr, &Setup::default()).up();
    *halt.lock().unwrap() = Some(rig.halt.clone());
    rig.place(1);
    assert_eq!(rig.report(), unsent(1, Unsent::Epoch));
    let contents = wirelog::read(&rig.log).unwrap();
    assert_eq!(contents.records.len(), 2, "it was about to leave, and did not");
    assert!(contents.without_end().is_empty());
    assert!(seen.recv_timeout(Duration::from_millis(50)).is_err(), "not a byte");
}

#[test]
fn answers_stay_unread_while_the_core_has_no_room() {
    let (trust, config) = authority();
    let (addr, seen) = serve(config, takes_every_order);
    let setup = Setup { reports: 64, ..Setup::default() };
    let mut rig = rig("no-room", &trust, addr, &setup);
    rig.until(|rig| !rig.events.is_empty()); // the link's news takes a slot: 63 are free, 64 wanted
    rig.place(1);
    rig.until(|rig| rig.exec.stats().held > 3);
    seen.recv().unwrap();
    assert_eq!(rig.exec.stats().taken, 0, "sent, answered, unread");
    rig.events.pop().unwrap();
    assert_eq!((rig.report(), rig.report()), (bound(1), filled(1)));
}

#[test]
fn a_cancel_without_the_venue_id_finds_it_first() {
    let (trust, config) = authority();
    let (addr, seen) = serve(config, |number, stream, tell| {
        while let Some(heard) = hear(stream) {
            let row = "{\"order_id\":\"uuid-9\",\"client_order_id\":\"sf-0000000000000009\",\"ticker\":\"KXA\",\
\"book_side\":\"ask\",\"status\":\"resting\",\"yes_price_dollars\":\"0.56005\",\"initial_count_fp\":\"10.00\",\
\"fill_count_fp\":\"4.00\",\"remaining_count_fp\":\"6.00\",\"created_time\":\"2026-11-20T18:00:00Z\",\
\"exchange_index\":2}";
            let fill = "{\"trade_id\":\"t1\",\"order_id\":\"uuid-9\",\"ticker\":\"KXA\",\"book_side\":\"ask\",\
\"count_fp\":\"4.00\",\"yes_price_dollars\":\"0.56005\",\"is_taker\":false,\"fee_cost\":\"0.010000\"}";
            let body = match heard.head.split(['?', ' ']).collect::<Vec<_>>()[..2] {
                ["GET", "/trade-api/v2/portfolio/orders"] => {
                    format!("{{\"cursor\":\"\",\"orders\":[{row}]}}")
                }
                ["GET", "/trade-api/v2/portfolio/fills"] => {
                    format!("{{\"cursor\":\"\",\"fills\":[{fill}]}}")
                }
                ["DELETE", "/trade-api/v2/portfolio/events/orders/uuid-9"] => {
                    "{\"order_id\":\"uuid-9\",\"reduced_by\":\"6.00\",\"ts_ms\":1}".to_owned()
                }
                _ => panic!("{}", heard.head),
            };
            tell.send((number, heard)).unwrap(); // before the answer: whoever has it looks at once
            say(stream, &answer("200 OK", &body));
        }
    });
    let setup = Setup { chore_lanes: 1, ..Setup::default() };
    let mut rig = rig("cancel", &trust, addr, &setup).up();
    let (order, market, venue) = (OrderId::new(9), MarketId::new(0), Venue::Kalshi);
    let qty = Qty::from_contracts(10);
    rig.intents.push(Intent::Cancel(Cancel { order, key: None, market, venue, qty })).unwrap();
    assert_eq!(rig.report(), bound(9));
    let status = |state| {
        let filled = Some(Qty::from_contracts(4));
        Report::Status(OrderStatus { order: OrderRef::Id(order), state, filled })
    };
    assert_eq!(rig.report(), status(VenueState::Resting));
    let mut filled = Qty::ZERO;
    for price in [5_600, 5_601] {
        let Report::Fill(fill) = rig.report() else { panic!("its fill, half of it at each tick") };
        assert_eq!((fill.order, fill.price.ticks()), (OrderRef::Id(order), price));
        filled += fill.qty;
    }
    assert_eq!(filled, Qty::from_contracts(4));
    assert_eq!(rig.report(), status(VenueState::Cancelled));
    let heads: Vec<_> = seen.try_iter().map(|(_, heard)| heard.head).collect();
    assert_eq!(heads.len(), 3);
    assert!(heads[2].contains("exchange_index=2"), "the shard is always told");
}

#[test]
fn an_order_nobody_knows_is_absent_and_a_broken_answer_is_asked_again() {
    let (trust, config) = authority();
    let (addr, seen) = serve(config, |number, stream, tell| {
        while let Some(heard) = hear(stream) {
            tell.send((number, heard)).unwrap();
            if number == 0 {
                return; // the first connection is lost with the question
            }
            say(stream, &answer("200 OK", "{\"cursor\":\"\",\"orders\":[]}"));
        }
    });
    let setup = Setup { order_lanes: 0, chore_lanes: 1, ..Setup::default() };
    let mut rig = rig("absent", &trust, addr, &setup);
    let (order, market, venue) = (OrderId::new(5), MarketId::new(0), Venue::Kalshi);
    rig.intents.push(Intent::Query(Query { order, key: None, market, venue })).unwrap();
    rig.until(|rig| rig.exec.stats().broken == 1);
    rig.pass_time(Nanos::from_secs(1));
    assert_eq!(rig.report(), Report::Absent { order, venue });
    assert_eq!(seen.try_iter().count(), 2);
}

#[test]
fn a_listing_with_a_strange_row_proves_no_absence() {
    let (trust, config) = authority();
    let (addr, _seen) = serve(config, |_, stream, _| {
        while hear(stream).is_some() {
            let body =
                "{\"cursor\":\"\",\"orders\":[{\"order_id\":\"new\",\"status\":\"dreaming\"}]}";
            say(stream, &answer("200 OK", body));
        }
    });
    let setup = Setup { order_lanes: 0, chore_lanes: 1, ..Setup::default() };
    let mut rig = rig("strange", &trust, addr, &setup);
    let (order, market, venue) = (OrderId::new(5), MarketId::new(0), Venue::Kalshi);
    rig.intents.push(Intent::Query(Query { order, key: None, market, venue })).unwrap();
    assert_eq!(rig.report(), timed_out(5));
}

#[test]
fn an_order_cancelled_while_it_waits_is_never_sent() {
    let (trust, config) = authority();
    let (addr, seen) = serve(config, |number, stream, tell| {
        while let Some(heard) = hear(stream) {
            tell.send((number, heard)).unwrap(); // and no answer
        }
    });
    let mut rig = rig("waits", &trust, addr, &Setup::default()).up();
    rig.place(1);
    rig.place(2);
    rig.until(|rig| rig.exec.stats().sent == 1);
    let (order, market, venue) = (OrderId::new(2), MarketId::new(0), Venue::Kalshi);
    let qty = Qty::from_contracts(10);
    rig.intents.push(Intent::Cancel(Cancel { order, key: None, market, venue, qty })).unwrap();
    assert_eq!(rig.report(), unsent(2, Unsent::Down));
    assert_eq!(order_in(&seen.recv().unwrap().1), 1);
    assert!(seen.recv_timeout(Duration::from_millis(50)).is_err());
}

#[test]
fn two_orders_use_two_connections_and_a_third_waits_its_turn_in_vain() {
    let (trust, config) = authority();
    let (addr, seen) = serve(config, |number, stream, tell| {
        while let Some(heard) = hear(stream) {
            tell.send((number, heard)).unwrap(); // and no answer
        }
    });
    let setup = Setup { order_lanes: 2, ..Setup::default() };
    let mut rig = rig("busy", &trust, addr, &setup).up();
    rig.until(|rig| rig.exec.dials().0 == 2 && rig.exec.open_lanes() == 2);
    for order in [1, 2, 3] {
        rig.place(order);
    }
    rig.until(|rig| rig.exec.stats().sent == 2);
    let mut lanes = [seen.recv().unwrap().0, seen.recv().unwrap().0];
    lanes.sort_unstable();
    assert_eq!(lanes, [0, 1], "never two orders on one connection");
    rig.pass_time(Nanos::from_millis(99));
    rig.exec.turn(rig.now);
    assert!(rig.events.pop().is_err(), "it may still wait");
    rig.pass_time(Nanos::from_millis(1));
    assert_eq!(rig.report(), unsent(3, Unsent::Down));
}
