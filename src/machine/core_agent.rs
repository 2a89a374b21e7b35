//! The agent of the core: its turn between the rings, and what it records before and after.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering, fence};

use hdrhistogram::Histogram;
use rtrb::{Consumer, Producer};
use surefoot_cold::halt::HaltEpoch;
use surefoot_hot::book::BookRoom;
use surefoot_hot::bounds::{INTENTS_PER_EVENT_MAX, NOTES_PER_EVENT_MAX};
use surefoot_hot::core::Core;
use surefoot_hot::event::Event;
use surefoot_hot::ids::MarketId;
use surefoot_hot::intent::Intent;
use surefoot_hot::journal::{Entry, JournalItem};
use surefoot_hot::outbox::Outbox;
use surefoot_hot::per_venue::PerVenue;
use surefoot_hot::stats::Stats;
use surefoot_hot::units::Nanos;

use super::meter::histogram;
use crate::clock::Clock;
use crate::watchdog::words::Beats;

/// Events taken from one input before the next input has its turn.
const BURST_MAX: usize = 64;
/// Events that a run begins with, taken in one turn: with ten thousand markets they are some fifty thousand, and whoever
/// watches the thread must see it move.
const FIRST_MAX: usize = 256;
/// Room the journal's ring must have before an event is taken in: the event and all it can cause.
const JOURNAL_ROOM: usize = 1 + INTENTS_PER_EVENT_MAX + NOTES_PER_EVENT_MAX;
/// Records for which an idle turn brings the journal's next places into the cache: an order waits for the input's.
const WARM_RECORDS: usize = 8;
/// How often the core hears that time passes.
pub const TIMER_EVERY: Nanos = Nanos::from_millis(10);
const _: () = assert!(
    TIMER_EVERY.millis() <= 100,
    "G1: what stands on one leg is looked at ten times a second at least"
);
/// How often counters are published.
pub const STATS_EVERY: Nanos = Nanos::from_millis(100);

/// What the core measures of itself.
#[derive(Debug)]
pub struct CoreTimes {
    /// One event through the core, its records handed to the journal.
    pub event: Histogram<u64>,
    /// From an event taken to its orders in their executors' rings, for events that caused one.
    pub decide: Histogram<u64>,
}

/// The core with its rings.
#[derive(Debug)]
pub struct CoreAgent {
    core: Core,
    outbox: Outbox,
    inputs: Vec<Consumer<Event>>,
    rooms: Consumer<BookRoom>,
    executors: PerVenue<Producer<Intent>>,
    feeds: Producer<Intent>,
    journal: Producer<JournalItem>,
    /// Records for which the journal's ring has room, at least: looked at anew only where that may be too little, because the other
    /// side's place in a ring is on its way from another core.
    room: usize,
    stats: Producer<Stats>,
    halt: HaltEpoch,
    clock: Clock,
    timer_due: Nanos,
    stats_due: Nanos,
    first: VecDeque<Event>,
    sent: u64,
    /// When each event of this turn was taken and done with: counted at its end, when no order waits for it any more.
    spans: Vec<(u64, u64)>,
    /// Whether something was handled since the next places in the rings were brought into the cache.
    is_cold: bool,
    /// Whether the epoch was moved for the want of room in the journal that lasts.
    voided: bool,
    turns: Arc<AtomicU64>,
    /// Where it tells another process that it turns.
    beats: Option<Beats>,
    /// Where paper venues hear of public events.
    public: Option<PerVenue<Producer<Event>>>,
    /// What it measured.
    pub times: CoreTimes,
    /// Turns in which the journal had no room.
    pub blocked: u64,
}

/// The rings that a core agent is built from.
#[derive(Debug)]
pub struct CoreRings {
    /// Read in this order: what executors say comes before what streams say.
    pub inputs: Vec<Consumer<Event>>,
    /// Memory for the books of further markets; each comes before its market does.
    pub rooms: Consumer<BookRoom>,
    /// To the executors.
    pub executors: PerVenue<Producer<Intent>>,
    /// Requests for snapshots.
    pub feeds: Producer<Intent>,
    /// To the journal.
    pub journal: Producer<JournalItem>,
    /// The core's counters, for console and status.
    pub stats: Producer<Stats>,
    /// Turns of the core in which it could take something in, for whoever must know whether it still moves.
    pub turns: Arc<AtomicU64>,
}

impl CoreAgent {
    /// Around a core that may already have folded a journal.
    pub fn new(core: Core, rings: CoreRings, halt: HaltEpoch, clock: Clock) -> Self {
        let events = FIRST_MAX + 1 + rings.inputs.len() * BURST_MAX;
        Self {
            core,
            outbox: Outbox::new(),
            inputs: rings.inputs,
            rooms: rings.rooms,
            executors: rings.executors,
            feeds: rings.feeds,
            journal: rings.journal,
            room: 0,
            stats: rings.stats,
            halt,
            clock,
            timer_due: Nanos::ZERO,
            stats_due: Nanos::ZERO,
            first: VecDeque::new(),
            sent: 0,
            spans: Vec::with_capacity(events),
            is_cold: true,
            voided: false,
            turns: rings.turns,
            beats: None,
            public: None,
            times: CoreTimes { event: histogram(), decide: histogram() },
            blocked: 0,
        }
    }

    /// Events that it takes in before anything else, the clock included. A folded core believes that its links are up and
    /// its books good until it is told that a run begins; and a snapshot of a market whose terms it does not know is lost.
    #[must_use]
    pub fn begins_with(mut self, first: Vec<Event>) -> Self {
        self.first = first.into();
        self
    }

    /// Whom it tells that it turns: in its own turns, so that a core that hangs tells nobody.
    #[must_use]
    pub fn beats_to(mut self, beats: Option<Beats>) -> Self {
        self.beats = beats;
        self
    }

    /// Where public events are copied to, for paper venues.
    #[must_use]
    pub fn copies_public_to(mut self, public: Option<PerVenue<Producer<Event>>>) -> Self {
        self.public = public;
        self
    }

    /// One turn: a bounded number of events from every input. Returns how many.
    pub fn turn(&mut self, now: Nanos) -> u32 {
        let blocked = self.blocked;
        let handled = self.take_turn(now);
        self.count_spans();
        if handled == 0 && std::mem::take(&mut self.is_cold) {
            self.warm(now);
        }
        // A core that may take nothing in hears of no halt either: whatever its thread does, it stands still.
        if handled > 0 || self.blocked == blocked {
            self.count_turn(now, handled);
        }
        handled
    }

    /// Those who watch over the core see it move.
    fn count_turn(&mut self, now: Nanos, handled: u32) {
        self.turns.store(self.turns.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        if let Some(beats) = &mut self.beats {
            beats.on_turn(now, handled);
        }
    }

    /// Writes where the next records and orders will go, and hands none of it over: with places that are in the cache, a record does
    /// not hold up the order behind it.
    fn warm(&mut self, now: Nanos) {
        warm_ring(
            &mut self.journal,
            WARM_RECORDS,
            JournalItem { now, entry: Entry::Input(Event::Timer) },
        );
        for ring in self.executors.values_mut() {
            warm_ring(ring, 1, Intent::Resync { market: MarketId::new(0) });
        }
    }

    fn take_turn(&mut self, now: Nanos) -> u32 {
        let mut handled = 0;
        // Where one event's time ends the next one's begins: a clock read less for each.
        let mut read = None;
        for _ in 0..self.first.len().min(FIRST_MAX) {
            if !self.look_for_room() || !self.paper_has_room() {
                self.blocked += 1;
                return handled; // nothing was decided yet that a halt could void: it waits for the journal
            }
            let event = self.first.pop_front().expect("it is not empty");
            self.handle(now, &event, &mut read);
            handled += 1;
        }
        if !self.first.is_empty() {
            return handled; // nothing else is taken in before the last of these
        }
        if now >= self.timer_due {
            if !self.journal_has_room() {
                return handled;
            }
            self.timer_due = now.after(TIMER_EVERY);
            self.handle(now, &Event::Timer, &mut read);
        }
        let mut inputs = std::mem::take(&mut self.inputs); // so that an event is handled where it lies
        let has_room = self.take_inputs(now, &mut inputs, &mut handled, &mut read);
        self.inputs = inputs;
        if has_room && now >= self.stats_due {
            self.stats_due = now.after(STATS_EVERY);
            self.publish_stats();
        }
        handled
    }

    /// Takes so many events from each input. Returns whether the journal had room for all of them.
    fn take_inputs(
        &mut self,
        now: Nanos,
        inputs: &mut [Consumer<Event>],
        handled: &mut u32,
        read: &mut Option<u64>,
    ) -> bool {
        for input in inputs {
            for _ in 0..BURST_MAX {
                if !self.journal_has_room() || !self.paper_has_room() {
                    return false;
                }
                let Ok(event) = input.peek() else { break };
                if matches!(event, Event::Market(_)) {
                    self.take_rooms();
                }
                self.handle(now, event, read);
                input.pop().expect("it was there");
                *handled += 1;
            }
        }
        true
    }

    #[inline(never)] // its room on the stack is not for every turn
    fn publish_stats(&mut self) {
        let _ = self.stats.push(self.core.stats());
    }

    /// Takes the memory that was made for books, as far as the core has places for it.
    fn take_rooms(&mut self) {
        while self.core.wants_room()
            && let Ok(room) = self.rooms.pop()
        {
            self.core.take_room(room);
        }
    }

    /// The thread stood still for `span`. The core hears of it before anything that waited meanwhile.
    pub fn stalled(&mut self, now: Nanos, span: Nanos) {
        if !self.first.is_empty() {
            return; // the run has not begun
        }
        if self.journal_has_room() {
            self.handle(now, &Event::Stall { span }, &mut None);
            self.count_spans();
        }
        // Else the epoch has moved: a halt that says more than a stall.
    }

    /// Whether an event may be taken in: what cannot be replayed is not traded. The epoch moves once for each time without
    /// room. Moved in every turn, it would be far beyond the one that the core is told with the halt, and no hedge and no
    /// sale decided under that would ever leave.
    #[inline]
    fn journal_has_room(&mut self) -> bool {
        self.room >= JOURNAL_ROOM || self.may_take_in()
    }

    /// The same where the ring is to be looked at.
    #[cold]
    fn may_take_in(&mut self) -> bool {
        let room = self.look_for_room();
        if !room {
            self.blocked += 1;
            if !self.voided {
                self.halt.advance();
            }
        }
        self.voided = !room;
        room
    }

    fn look_for_room(&mut self) -> bool {
        if self.room < JOURNAL_ROOM {
            self.room = self.journal.slots();
        }
        self.room >= JOURNAL_ROOM
    }

    /// One event: into the journal, through the core, its orders on their way, and only then the rest.
    ///
    /// The input is recorded before the core sees it, so that an event that ends in a panic stands in the journal too.
    /// Intents and notes may follow after the orders have left for the executors' rings: their room was made sure of
    /// before the event was taken, nothing between can fail, and the record of what left is the wire log, which an
    /// executor writes before the socket. The journal's order stays input, intents, notes.
    fn handle(&mut self, now: Nanos, event: &Event, read: &mut Option<u64>) {
        let begin = read.unwrap_or_else(|| self.clock.raw());
        self.is_cold = true;
        self.record(now, Entry::Input(*event));
        self.core.on_event(now, event, &mut self.outbox);
        if let Some(epoch) = self.outbox.raised() {
            self.halt.raise_to(epoch); // before anything more is sent: what was decided earlier stays here
        }
        if self.public.is_some() {
            self.copy_public(event); // a paper venue knows the book that an order was decided from
        }
        if !self.outbox.intents().is_empty() {
            self.send(begin);
        }
        self.record_outputs(now);
        self.outbox.clear();
        let end = self.clock.raw();
        *read = Some(end);
        self.spans.push((begin, end));
    }

    /// Whether a public event may be taken in: one that is not copied would make the books of a paper venue wrong without a sign.
    fn paper_has_room(&self) -> bool {
        self.public.as_ref().is_none_or(|rings| rings.values().all(|ring| !ring.is_full()))
    }

    /// Copies a public event to the paper venue that it is of.
    #[cold]
    fn copy_public(&mut self, event: &Event) {
        let Some(rings) = self.public.as_mut().filter(|_| surefoot_cold::paper::wants(event))
        else {
            return;
        };
        let of_market = |market| Some(self.core.books().terms(market)?.venue);
        let venue = match *event {
            Event::StaleAll { venue, .. } => Some(venue),
            _ => event.market().and_then(of_market),
        };
        let Some(venue) = venue else { return };
        if rings[venue].push(*event).is_err() {
            self.halt.advance(); // a turn made sure of the room
        }
    }

    /// Counts how long the events of a turn took.
    fn count_spans(&mut self) {
        for (begin, end) in self.spans.drain(..) {
            self.times.event.saturating_record(self.clock.between(begin, end));
        }
    }

    /// Hands every intent to its ring; where an order was among them, notes when the last was there.
    fn send(&mut self, begin: u64) {
        let mut placed = false;
        for intent in self.outbox.intents() {
            placed |= matches!(intent, Intent::Place(_));
            let sent = match intent.venue() {
                Some(venue) => self.executors[venue].push(*intent),
                None => self.feeds.push(*intent),
            };
            if sent.is_err() && intent.venue().is_some() {
                // What cannot be sent must not be counted on: stop everything that has not left.
                self.halt.advance();
            }
        }
        if placed {
            fence(Ordering::SeqCst); // the counter could else be read while the push is still on its way
            self.sent = self.clock.raw();
            self.times.decide.saturating_record(self.clock.between(begin, self.sent));
        }
    }

    fn record(&mut self, now: Nanos, entry: Entry) {
        // `turn` made sure of the room.
        self.room = self.room.saturating_sub(1);
        if self.journal.push(JournalItem { now, entry }).is_err() {
            self.blocked += 1;
            self.halt.advance();
        }
    }

    /// Records what came of an event, intents first, all of it at once.
    fn record_outputs(&mut self, now: Nanos) {
        let (intents, notes) = (self.outbox.intents(), self.outbox.notes());
        let count = intents.len() + notes.len();
        if count == 0 {
            return; // nearly always
        }
        // `turn` made sure of the room.
        self.room = self.room.saturating_sub(count);
        let intents = intents.iter().map(|intent| Entry::Intent(*intent));
        let notes = notes.iter().map(|note| Entry::Note(*note));
        let items = intents.chain(notes).map(|entry| JournalItem { now, entry });
        if let Ok(chunk) = self.journal.write_chunk_uninit(count) {
            chunk.fill_from_iter(items);
        } else {
            self.blocked += 1;
            self.halt.advance();
        }
    }

    /// When the last order stood in its executor's ring: a stamp of [`Clock::raw`], zero before the first.
    pub const fn sent(&self) -> u64 {
        self.sent
    }

    /// The core, for reading.
    pub const fn core(&self) -> &Core {
        &self.core
    }

    /// The core, when the agent is done with.
    pub fn into_core(self) -> Core {
        self.core
    }
}

/// Writes `item` to the next free slots of a ring without handing it over.
fn warm_ring<T: Copy>(ring: &mut Producer<T>, slots: usize, item: T) {
    let Ok(mut chunk) = ring.write_chunk_uninit(slots) else { return };
    let (first, second) = chunk.as_mut_slices();
    for slot in first.iter_mut().chain(second) {
        slot.write(item);
    }
}

#[cfg(test)]
mod tests {
    use rtrb::RingBuffer;
    use surefoot_hot::book::{Change, Level};
    use surefoot_hot::event::Control;
    use surefoot_hot::fees::FeeRule;
    use surefoot_hot::ids::{Side, Venue};
    use surefoot_hot::links::LinkNumber;
    use surefoot_hot::market::MarketDef;
    use surefoot_hot::risk::{HaltWhy, LimitRow};
    use surefoot_hot::units::{Price, Qty};

    use super::*;

    /// A core on rings that holds 30 contracts bought at fifty cents and halts when they have lost a dollar.
    fn agent(halt: &HaltEpoch) -> (CoreAgent, Producer<Event>, PerVenue<Consumer<Intent>>) {
        let (events, input) = RingBuffer::new(64);
        let (executors, intents) = PerVenue::from_fn(|_| RingBuffer::new(64)).unzip();
        // Nobody reads these here: a core without room in its journal takes nothing in.
        let (journal, _) = RingBuffer::new(64 * JOURNAL_ROOM);
        let rings = CoreRings {
            inputs: vec![input],
            rooms: RingBuffer::new(1).1,
            executors,
            feeds: RingBuffer::new(64).0,
            journal,
            stats: RingBuffer::new(8).0,
            turns: Arc::default(),
        };
        let clock = Clock::start().unwrap();
        let agent = CoreAgent::new(Core::new(), rings, halt.clone(), clock);
        (agent, events, intents)
    }

    fn terms(market: MarketId) -> MarketDef {
        let fee = FeeRule::Kalshi { taker: 70_000, maker: 0 };
        MarketDef { fee, ..MarketDef::bare(market, Venue::Kalshi) }
    }

    fn book(market: MarketId, bid: u16) -> Vec<Event> {
        let level = |side, ticks| {
            let (price, qty) = (Price::from_ticks(ticks).unwrap(), Qty::from_contracts(100));
            Event::Level(Level { market, side, price, change: Change::Set(qty), last: false })
        };
        vec![
            Event::SnapshotBegin { market, link: LinkNumber::FIRST, venue_time: Nanos::ZERO },
            level(Side::Bid, bid),
            level(Side::Ask, bid + 100),
            Event::SnapshotEnd { market },
        ]
    }

    #[test]
    fn a_halt_of_the_cores_own_moves_the_epoch_that_executors_compare() {
        let market = MarketId::new(0);
        let halt = HaltEpoch::new(7);
        let (mut agent, mut input, _executors) = agent(&halt);
        let mut events = vec![Event::Control(Control::Start { epoch: 7, first_order: 1 })];
        for row in LimitRow::ALL {
            events.push(Event::Control(Control::Limit { row, value: 1_000_000 }));
        }
        events.push(Event::Market(terms(market)));
        events.extend(book(market, 5_000));
        let (yes, no) = (Qty::from_contracts(30), Qty::ZERO);
        events.push(Event::Control(Control::Position { market, yes, no }));
        let mut now = agent.clock.now();
        for event in events {
            input.push(event).unwrap();
        }
        agent.turn(now);
        now = now.after(TIMER_EVERY);
        agent.turn(now);
        assert_eq!((halt.look(), agent.core.halted()), ((7, false), None));
        for event in book(market, 4_000) {
            input.push(event).unwrap();
        }
        agent.turn(now);
        now = now.after(TIMER_EVERY);
        agent.turn(now);
        assert_eq!(agent.core.halted(), Some(HaltWhy::DailyLoss));
        assert_eq!(halt.look(), (8, true), "in the same turn");
    }

    #[test]
    fn nothing_is_taken_in_before_the_first_events_are() {
        let (agent, mut input, _executors) = agent(&HaltEpoch::new(7));
        let market = MarketId::new(0);
        let row = LimitRow::Positions;
        // More of them than the journal has room for, and the market's terms come last.
        let mut first = vec![Event::Control(Control::Limit { row, value: 1 }); 80 * JOURNAL_ROOM];
        let halt = agent.halt.clone();
        first.push(Event::Market(terms(market)));
        let mut agent = agent.begins_with(first);
        for event in book(market, 5_000) {
            input.push(event).unwrap();
        }
        let now = agent.clock.now();
        while agent.blocked == 0 {
            agent.turn(now);
        }
        assert_eq!(input.slots(), 64 - 4, "the snapshot waits for what is to come before it");
        assert_eq!(halt.read(), 7, "a start that waits for its journal is no reason to halt");
    }

    #[test]
    fn what_a_run_begins_with_is_taken_in_over_many_turns() {
        let (agent, mut input, _executors) = agent(&HaltEpoch::new(7));
        let row = LimitRow::Positions;
        let first = vec![Event::Control(Control::Limit { row, value: 1 }); 4 * FIRST_MAX];
        let mut agent = agent.begins_with(first);
        input.push(Event::Timer).unwrap();
        let now = agent.clock.now();
        for turn in 0..4 {
            assert_eq!(agent.turn(now) as usize, FIRST_MAX + usize::from(turn == 3));
            assert_eq!(input.slots(), if turn == 3 { 64 } else { 63 }, "the others wait for them");
        }
    }

    #[test]
    fn an_idle_turn_hands_nothing_over_to_a_ring() {
        let (mut agent, mut input, mut executors) = agent(&HaltEpoch::new(7));
        let now = agent.clock.now();
        agent.turn(now);
        for _ in 0..3 {
            input.push(Event::Timer).unwrap();
            assert_eq!((agent.turn(now), agent.is_cold), (1, true));
            let room = agent.journal.slots();
            assert_eq!(
                (agent.turn(now), agent.is_cold),
                (0, false),
                "it is warm after an idle turn"
            );
            assert_eq!(agent.journal.slots(), room);
            assert!(executors.values_mut().all(|ring| ring.pop().is_err()));
        }
    }

    #[test]
    fn a_journal_without_room_moves_the_epoch_once_and_not_beyond_what_the_core_is_told() {
        let halt = HaltEpoch::new(7);
        let (mut agent, _input, _executors) = agent(&halt);
        let mut now = agent.clock.now();
        while agent.blocked == 0 {
            now = now.after(TIMER_EVERY);
            agent.turn(now);
        }
        assert_eq!(halt.read(), 8);
        let turns = agent.turns.load(Ordering::Relaxed);
        assert!(turns > 0, "it turned while there was room");
        let told = halt.advance(); // the main thread's halt, on its way to the core
        for _ in 0..1_000 {
            now = now.after(TIMER_EVERY);
            agent.turn(now);
        }
        assert_eq!((halt.read(), agent.blocked > 1_000), (told, true));
        let after = agent.turns.load(Ordering::Relaxed);
        assert_eq!(after, turns, "nobody takes it for one that moves: executors cancel, beats end");
    }
}
