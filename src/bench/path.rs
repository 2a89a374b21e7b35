//! How long from a frame's bytes to an order in the executor's ring? More than a microsecond, and the codec or the
//! core is in the way; the budget for everything after it, signature included, is sixty.
//!
//! The clock starts before the session sees the frame's first byte. It stops at the stamp that the core's agent takes
//! once the order stands in the ring; what the turn does after that, its records for the journal, is no longer in
//! the order's way, and the whole turn is told beside it.

use std::time::{Duration, Instant};

use rtrb::{Consumer, Producer, RingBuffer};
use surefoot_cold::directory::Directory;
use surefoot_cold::halt::HaltEpoch;
use surefoot_hot::book::{Change, Level};
use surefoot_hot::core::Core;
use surefoot_hot::event::{Control, Event, Link};
use surefoot_hot::ids::{MarketId, OrderRef, Side, Venue};
use surefoot_hot::intent::Intent;
use surefoot_hot::journal::JournalItem;
use surefoot_hot::links::{LinkNumber, LinkSet};
use surefoot_hot::per_venue::PerVenue;
use surefoot_hot::report::{Reject, Report};
use surefoot_hot::units::{Nanos, Price, Qty};
use surefoot_hot::venue::{EventSink, Session, kalshi, polymarket};

use super::desk::{self, KA, KalshiSeq, PM, Strategy};
use super::{Row, Span, fenced, histogram, ns, plain};
use crate::clock::Clock;
use crate::machine::core_agent::{CoreAgent, CoreRings};

/// Events of whole books, and of one frame.
const EVENTS: usize = 16_384;
/// Changes of other markets between two shots in a crowd.
const CHANGES_BESIDE: u32 = 64;
/// Between two shots, on the core's clock: a run that trades twelve times a minute.
const PAUSE: Nanos = Nanos::from_secs(5);

/// The ring to the core, as a session sees it.
struct Ring<'a>(&'a mut Producer<Event>);

impl EventSink for Ring<'_> {
    #[inline]
    fn push(&mut self, event: Event) {
        self.0.push(event).expect("it is drained after every frame");
    }
}

/// Sessions and the core's agent, wired by rings as on the hot thread.
pub struct Path {
    polymarket: polymarket::MarketSession,
    kalshi: kalshi::Session,
    feed: Producer<Event>,
    reports: Producer<Event>,
    agent: CoreAgent,
    orders: PerVenue<Consumer<Intent>>,
    _resyncs: Consumer<Intent>,
    journal: Consumer<JournalItem>,
    now: Nanos,
    /// The frame that opens the gap.
    open: Vec<u8>,
    /// The frame that closes the gap again.
    shut: Vec<u8>,
    seq: KalshiSeq,
    shots: u64,
    /// Where the changes of other markets between two shots go on; `None` where there are none.
    beside: Option<u16>,
    /// What it took to get there: resident megabytes of the whole program, and the time until every book was good.
    loaded: (u64, Duration),
}

impl Path {
    /// A core that trades on frames of `venue`, every book loaded, no gap.
    pub fn new(venue: Venue) -> Self {
        Self::among(venue, &desk::directory(), Strategy::Pairs)
    }

    /// The same among 10,000 markets and 20,000 baskets, of which other ones change between two shots.
    pub fn in_a_crowd(venue: Venue) -> Self {
        let directory = desk::directory_of(desk::MANY_PAIRS);
        let mut path = Self::among(venue, &directory, Strategy::Crowd);
        path.beside = Some(0);
        path
    }

    fn among(venue: Venue, directory: &Directory, strategy: Strategy) -> Self {
        let began = Instant::now();
        let (feed, feed_core) = RingBuffer::new(EVENTS);
        let (reports, exec_core) = RingBuffer::new(EVENTS);
        let (executors, orders) = PerVenue::from_fn(|_| RingBuffer::new(64)).unzip();
        let (feeds, resyncs) = RingBuffer::new(64);
        let (to_journal, journal) = RingBuffer::new(65_536);
        let (stats, _) = RingBuffer::new(1);
        let rings = CoreRings {
            inputs: vec![exec_core, feed_core],
            rooms: RingBuffer::new(1).1,
            executors,
            feeds,
            journal: to_journal,
            stats,
            turns: std::sync::Arc::default(),
        };
        let clock = Clock::start().expect("the clock is set");
        let now = clock.now();
        let agent = CoreAgent::new(Core::new(), rings, HaltEpoch::new(1), clock);
        let (open, shut) = frames(directory, venue);
        let mut path = Self {
            polymarket: desk::polymarket_session(directory),
            kalshi: desk::kalshi_session(directory),
            feed,
            reports,
            agent,
            orders,
            _resyncs: resyncs,
            journal,
            now,
            open,
            shut,
            seq: KalshiSeq::new(),
            shots: 0,
            beside: None,
            loaded: (0, Duration::ZERO),
        };
        path.load(directory, venue, strategy);
        path.loaded = (resident_mb(), began.elapsed());
        path
    }

    fn load(&mut self, directory: &Directory, venue: Venue, strategy: Strategy) {
        let links = Venue::ALL.into_iter().flat_map(|venue| {
            [Link::Market, Link::Private, Link::Orders].map(|link| (venue, link))
        });
        for event in desk::setup(directory, strategy, &links.collect::<Vec<_>>()) {
            self.reports.push(event).expect("there is room");
            self.settle();
        }
        self.tell_current();
        self.settle();
        self.polymarket.on_open(self.now);
        self.kalshi.on_open(self.now);
        for entry in directory.iter() {
            let market = entry.def.market;
            let sides = match (entry.def.venue, venue) {
                (Venue::Polymarket, Venue::Polymarket) => desk::sides(38, 52),
                (Venue::Polymarket, Venue::Kalshi) if market == PM => desk::sides(38, 40),
                (Venue::Polymarket, Venue::Kalshi) => desk::sides(38, 52),
                (Venue::Kalshi, Venue::Polymarket) => desk::sides(50, 54),
                (Venue::Kalshi, Venue::Kalshi) => desk::sides(40, 54),
            };
            let frame = match entry.def.venue {
                Venue::Polymarket => {
                    desk::polymarket_book(desk::polymarket_names(directory, market), &sides)
                }
                Venue::Kalshi => self.seq.snapshot(desk::kalshi_names(directory, market), &sides),
            };
            match entry.def.venue {
                Venue::Polymarket => polymarket(self, &frame),
                Venue::Kalshi => kalshi(self, &frame),
            }
            self.settle();
        }
        while self.polymarket.poll_send().is_some() {}
        while self.kalshi.poll_send().is_some() {}
        let (books, good) = self.agent.core().books().health(venue);
        assert_eq!(books, good, "every book came whole");
        assert!(self.take_orders().is_none(), "there is no gap yet");
    }

    /// Turns the agent until it has nothing left to do; what it told the journal is thrown away.
    fn settle(&mut self) {
        while self.agent.turn(self.now) > 0 {}
        while self.journal.pop().is_ok() {}
    }

    /// As the feed does where its sockets are empty.
    fn tell_current(&mut self) {
        for venue in Venue::ALL {
            let event =
                Event::Current { venue, links: LinkSet::only(LinkNumber::FIRST), upto: self.now };
            self.reports.push(event).expect("there is room");
            let read = Control::TermsRead { venue, at: self.now };
            self.reports.push(Event::Control(read)).expect("there is room");
        }
    }

    fn take_orders(&mut self) -> Option<Intent> {
        let first = self.orders.values_mut().find_map(|ring| ring.pop().ok());
        assert!(self.orders.values().all(Consumer::is_empty), "one order a gap");
        first
    }

    /// What went out is refused by the venue, the gap closes, time passes.
    fn reset(&mut self, shut: impl Fn(&mut Self)) {
        if let Some(intent) = self.take_orders() {
            let Intent::Place(order) = intent else { panic!("{intent:?} was not asked for") };
            self.shots += 1;
            let order = OrderRef::Id(order.id);
            let report = Report::Rejected { order, why: Reject::Killed };
            self.reports.push(Event::Report(report)).expect("there is room");
            self.settle();
            shut(self);
            self.settle();
        } else {
            let refused = self.agent.core().stats().refused;
            assert_eq!(self.shots, 0, "every frame that opens a gap is shot at: {refused:?}");
        }
        self.now = self.now.after(PAUSE);
        self.tell_current();
        for market in [PM, KA] {
            self.change_behind(market, 0); // neither is so silent that its book is doubted
        }
        self.settle(); // the timer, which is another measurement
        self.stir();
        assert!(self.agent.core().is_idle(), "nothing is left of the last shot");
    }

    /// Other markets change, each behind its best prices, as they do in a run: the tables of the core are touched all over.
    fn stir(&mut self) {
        let Some(mut at) = self.beside else { return };
        for _ in 0..CHANGES_BESIDE {
            at = (at + 1) % (2 * desk::MANY_PAIRS);
            let market = MarketId::new(at);
            if market == PM || market == KA {
                continue;
            }
            self.change_behind(market, at % 8);
        }
        self.beside = Some(at);
        self.settle();
    }

    /// A level of a book changes, so many cents from 90, where it is far behind the best price.
    fn change_behind(&mut self, market: MarketId, cents: u16) {
        let price = Price::from_ticks(9_000 + 100 * cents).expect("under a dollar");
        let change = Change::Set(Qty::from_contracts(1 + self.now.get() % 997));
        let level = Level { market, side: Side::Ask, price, change, last: true };
        self.reports.push(Event::Level(level)).expect("there is room");
    }

    /// Orders seen so far.
    pub const fn shots(&self) -> u64 {
        self.shots
    }

    /// One whole cycle of Polymarket's: for tests.
    pub fn cycle_polymarket(&mut self) {
        reset_polymarket(self);
        fire_polymarket(self);
    }

    /// One whole cycle of Kalshi's: for tests.
    pub fn cycle_kalshi(&mut self) {
        reset_kalshi(self);
        fire_kalshi(self);
    }
}

/// The frames that open and close the gap.
fn frames(directory: &Directory, venue: Venue) -> (Vec<u8>, Vec<u8>) {
    match venue {
        Venue::Polymarket => {
            let names = desk::polymarket_names(directory, PM);
            (
                desk::polymarket_ask(names, 40, 30, (38, 40)),
                desk::polymarket_ask(names, 40, 0, (38, 52)),
            )
        }
        Venue::Kalshi => {
            let names = desk::kalshi_names(directory, KA);
            (KalshiSeq::delta(names, 50, 30), KalshiSeq::delta(names, 50, -30))
        }
    }
}

fn polymarket(path: &mut Path, frame: &[u8]) {
    path.polymarket.on_frame(path.now, frame, &mut Ring(&mut path.feed)).expect("a good frame");
}

fn kalshi(path: &mut Path, frame: &[u8]) {
    path.kalshi.on_frame(path.now, frame, &mut Ring(&mut path.feed)).expect("a good frame");
}

fn reset_polymarket(path: &mut Path) {
    path.reset(|path| {
        let shut = std::mem::take(&mut path.shut);
        polymarket(path, &shut);
        path.shut = shut;
    });
}

fn reset_kalshi(path: &mut Path) {
    path.reset(|path| {
        let mut shut = std::mem::take(&mut path.shut);
        path.seq.next(&mut shut);
        kalshi(path, &shut);
        path.shut = shut;
    });
    path.seq.next(&mut path.open);
}

#[inline(never)] // a name that a profiler can be pointed at
fn fire_polymarket(path: &mut Path) {
    let Path { polymarket, feed, open, now, agent, .. } = path;
    polymarket.on_frame(*now, open, &mut Ring(feed)).expect("a good frame");
    agent.turn(*now);
}

#[inline(never)] // a name that a profiler can be pointed at
fn fire_kalshi(path: &mut Path) {
    let Path { kalshi, feed, open, now, agent, .. } = path;
    kalshi.on_frame(*now, open, &mut Ring(feed)).expect("a good frame");
    agent.turn(*now);
}

/// Times `fire` one at a time, to the order in the ring and to the end of the turn; `reset`, before each, is not timed.
/// Returns the row of the first and the median of the second, in picoseconds.
fn shots(
    name: &'static str,
    span: Span,
    path: &mut Path,
    reset: fn(&mut Path),
    fire: fn(&mut Path),
) -> (Row, u64) {
    let clock = quanta::Clock::new();
    let (mut hist, mut whole) = (histogram(), histogram());
    for turn in 0..span.warm_up + span.blocks {
        reset(path);
        let start = fenced(&clock);
        fire(path);
        let end = fenced(&clock);
        let sent = path.agent.sent();
        assert!((start..=end).contains(&sent), "each was shot at");
        if turn >= span.warm_up {
            hist.saturating_record(clock.delta_as_nanos(start, sent) * 1_000);
            whole.saturating_record(clock.delta_as_nanos(start, end) * 1_000);
        }
    }
    assert_eq!(path.shots() + 1, u64::from(span.warm_up + span.blocks), "each was shot at");
    let row = Row { name, input: String::new(), block: 1, hist, single: None, reference: None };
    (row, whole.value_at_quantile(0.5))
}

/// What the row of a crowd was fed with, and what the crowd takes.
fn fed_in_a_crowd(row: Row, path: &Path, whole: u64) -> Row {
    let (memory, time) = path.loaded;
    let (bytes, markets, whole) = (path.open.len(), 2 * u32::from(desk::MANY_PAIRS), ns(whole));
    row.fed(format!(
        "synthetic {bytes}-byte frame, {markets} markets with books and {} baskets, {CHANGES_BESIDE} changes of other \
         markets between two shots; otherwise as the row of {} pairs; to the end of the turn, decision journalled, p50 \
         {whole}; the program had {memory} MB resident and every book good after {} ms",
        2 * markets,
        desk::PAIRS,
        time.as_millis()
    ))
}

/// Megabytes of this program that are in memory; 0 where the system does not say.
fn resident_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok());
    kilobytes.map_or(0, |kilobytes| kilobytes / 1_024)
}

/// What a row was fed with and where its clock stopped.
fn fed(row: Row, frame: &[u8], whole: u64) -> Row {
    let (bytes, pairs, whole) = (frame.len(), desk::PAIRS, ns(whole));
    row.fed(format!(
        "synthetic {bytes}-byte frame, {pairs} pairs; bytes → session → ring → core (its events journalled, clocks \
         read) → order in the ring, where the clock stops; to the end of the turn, decision journalled, p50 {whole}"
    ))
}

/// A `price_change` that opens a gap between the venues.
pub fn frame_to_intent_pm(span: Span) -> Row {
    let mut path = Path::new(Venue::Polymarket);
    let (row, whole) =
        shots("frame_to_intent_pm", span, &mut path, reset_polymarket, fire_polymarket);
    fed(row, &path.open, whole).beside(plain::frame_to_intent_pm(span, &path.open, &path.shut))
}

/// An `orderbook_delta` that opens a gap between the venues.
pub fn frame_to_intent_kalshi(span: Span) -> Row {
    let mut path = Path::new(Venue::Kalshi);
    let (row, whole) = shots("frame_to_intent_kalshi", span, &mut path, reset_kalshi, fire_kalshi);
    fed(row, &path.open, whole).beside(plain::frame_to_intent_kalshi(span, &path.open, &path.shut))
}

/// The same `price_change` where 10,000 markets and 20,000 baskets are resident.
pub fn frame_to_intent_pm_crowd(span: Span) -> Row {
    let mut path = Path::in_a_crowd(Venue::Polymarket);
    let (row, whole) =
        shots("frame_to_intent_pm_10k", span, &mut path, reset_polymarket, fire_polymarket);
    fed_in_a_crowd(row, &path, whole)
}

/// The same `orderbook_delta` where 10,000 markets and 20,000 baskets are resident.
pub fn frame_to_intent_kalshi_crowd(span: Span) -> Row {
    let mut path = Path::in_a_crowd(Venue::Kalshi);
    let (row, whole) =
        shots("frame_to_intent_kalshi_10k", span, &mut path, reset_kalshi, fire_kalshi);
    fed_in_a_crowd(row, &path, whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_gap_is_shot_at_once() {
        let mut path = Path::new(Venue::Polymarket);
        for _ in 0..100 {
            path.cycle_polymarket();
        }
        assert_eq!(path.shots(), 99, "the last one is still in the ring");
        let mut path = Path::new(Venue::Kalshi);
        for _ in 0..100 {
            path.cycle_kalshi();
        }
        assert_eq!(path.shots(), 99);
        let mut path = Path::in_a_crowd(Venue::Polymarket);
        for _ in 0..100 {
            path.cycle_polymarket();
        }
        assert_eq!(path.shots(), 99, "whatever else is there");
    }
}
