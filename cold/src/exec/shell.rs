//! The shell of production around a [`Machine`]: sockets, rings and one poll. Never blocks, and decides nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::directory::Entry;
use crate::halt::HaltEpoch;
use mio::{Events, Poll, Token, Waker};
use rtrb::{Consumer, Producer};
use surefoot_hot::event::Event;
use surefoot_hot::ids::OrderId;
use surefoot_hot::intent::Intent;
use surefoot_hot::order::Order;
use surefoot_hot::units::Nanos;

use super::codec::VenueCodec;
use super::lane::{Lane, Leave, Received};
use super::machine::{
    ANSWER_REPORTS_MAX, ExecFigures, ExecOptions, ExecStats, LaneRole, LeaveTerms, Machine,
    WriteResult,
};
use crate::feed::OutletFigures;
use crate::net::{Dialer, Meter, NetError, Stage, wait_ready};
use crate::wirelog::{Contents, VenueId, WireLog};

/// Intents taken per turn.
const INTENTS_PER_TURN_MAX: usize = 256;
const WAKE: Token = Token(usize::MAX);

/// Everything an executor is wired to.
#[derive(Debug)]
pub struct ExecWiring {
    /// From the core.
    pub core_exec: Consumer<Intent>,
    /// To the core.
    pub exec_core: Producer<Event>,
    /// The shared halt epoch.
    pub halt: HaltEpoch,
    /// This venue's wire log.
    pub log: WireLog,
    /// Connections for orders: two, say.
    pub order_lanes: Vec<Dialer>,
    /// Connections for cancels and questions: one, say.
    pub chore_lanes: Vec<Dialer>,
    /// Venue ids learnt elsewhere: from the private stream, or from the wire log at start.
    pub learnt: Option<Consumer<(OrderId, VenueId)>>,
}

/// An order whose bytes are with the kernel, all of them or a part.
#[derive(Clone, Copy, Debug)]
struct OnWire {
    leave: LeaveTerms,
    /// When they were handed over.
    at: Nanos,
    part: bool,
}

/// A connection, and the order that it carries, if it does.
struct Connection {
    lane: Lane,
    order: Option<OnWire>,
}

/// One venue's executor on sockets.
pub struct Exec<C, M> {
    machine: Machine<C, WireLog>,
    intents: Consumer<Intent>,
    learnt: Option<Consumer<(OrderId, VenueId)>>,
    /// Markets that may be traded from now on.
    names: Option<Consumer<Arc<Entry>>>,
    reports: Producer<Event>,
    /// Reports that found no room in the ring when it was last filled.
    left: usize,
    /// Reports that had to wait for room so far; none of them was lost.
    waited: u64,
    halt: HaltEpoch,
    poll: Poll,
    events: Events,
    waker: Arc<Waker>,
    connections: Vec<Connection>,
    /// The core's count of turns, where this thread is not the core's.
    core_turns: Option<Arc<AtomicU64>>,
    scratch: Box<[u8]>,
    meter: M,
}

impl<C: VenueCodec, M: Meter> Exec<C, M> {
    /// Wires an executor up; it dials in its first turn.
    ///
    /// # Errors
    /// The system has no room for another poll.
    pub fn new(
        codec: C,
        wiring: ExecWiring,
        options: ExecOptions,
        meter: M,
    ) -> Result<Self, NetError> {
        let fail = |doing| move |error| NetError::Io { doing, error };
        let poll = Poll::new().map_err(fail("making the executor's poll"))?;
        let waker = Waker::new(poll.registry(), WAKE).map_err(fail("making its waker"))?;
        let orders = wiring.order_lanes.into_iter().map(|dialer| (dialer, LaneRole::Orders));
        let chores = wiring.chore_lanes.into_iter().map(|dialer| (dialer, LaneRole::Chores));
        let (dialers, roles): (Vec<_>, Vec<_>) = orders.chain(chores).unzip();
        let connections = dialers
            .into_iter()
            .enumerate()
            .map(|(lane, dialer)| Connection { lane: Lane::new(dialer, Token(lane)), order: None })
            .collect();
        Ok(Self {
            machine: Machine::new(codec, wiring.log, wiring.halt.clone(), &roles, options),
            intents: wiring.core_exec,
            learnt: wiring.learnt,
            names: None,
            reports: wiring.exec_core,
            left: 0,
            waited: 0,
            halt: wiring.halt,
            poll,
            events: Events::with_capacity(64),
            waker: Arc::new(waker),
            connections,
            core_turns: None,
            scratch: vec![0; 16 << 10].into_boxed_slice(),
            meter,
        })
    }

    /// Takes in what an earlier run left: see [`Machine::remember`].
    pub fn remember<'a>(&mut self, contents: &Contents, live: impl IntoIterator<Item = &'a Order>) {
        self.machine.remember(contents, live);
    }

    /// Tells it the venue's id of an order.
    pub fn learn(&mut self, order: OrderId, id: VenueId) {
        self.machine.on_learnt(order, id);
    }

    /// Where it hears of further markets while it runs. A market must be told there before the core hears of it.
    pub fn take_names(&mut self, names: Consumer<Arc<Entry>>) {
        self.names = Some(names);
    }

    /// Watches the core by its count of turns: where that stands still, nobody else would cancel what rests. For threads
    /// that are not the core's own.
    pub fn watch_core(&mut self, turns: Arc<AtomicU64>) {
        self.core_turns = Some(turns);
    }

    /// What it has done so far.
    pub fn stats(&self) -> &ExecStats {
        self.machine.stats()
    }

    /// What health is judged by.
    pub fn figures(&self, now: Nanos) -> ExecFigures {
        self.machine.figures(now)
    }

    /// The venue's codec, for reading its counters.
    pub fn codec(&self) -> &C {
        self.machine.codec()
    }

    /// What its way to the core has counted: nothing is ever dropped there.
    pub fn outlet_figures(&self) -> OutletFigures {
        OutletFigures { waited: self.waited, ..OutletFigures::default() }
    }

    /// The meter, for reading.
    pub fn meter(&mut self) -> &mut M {
        &mut self.meter
    }

    /// Times the breaker opened.
    pub fn breaker_opened(&self) -> u64 {
        self.machine.breaker_opened()
    }

    /// Connections made so far, and how many of them failed.
    pub fn dials(&self) -> (u64, u64) {
        let count = |of: fn(&Dialer) -> u64| {
            self.connections.iter().map(|connection| of(connection.lane.dialer())).sum()
        };
        (count(Dialer::dials), count(Dialer::failures))
    }

    /// Connections for orders that are open now.
    pub fn open_lanes(&self) -> usize {
        self.machine.open_order_lanes()
    }

    /// Whether nothing waits and nothing is in flight.
    pub fn is_idle(&self) -> bool {
        self.machine.is_idle() && self.intents.is_empty()
    }

    /// Ends a [`Exec::park`] from another thread.
    pub fn waker(&self) -> Arc<Waker> {
        Arc::clone(&self.waker)
    }

    /// One turn. New orders go first; then whatever came in. Returns the work done; zero is idle.
    pub fn turn(&mut self, now: Nanos) -> u32 {
        let mut work = self.tell_core();
        self.watch(now);
        work += self.take_intents(now);
        work += self.send_orders(now);
        self.gather(Some(Duration::ZERO));
        work += self.drive(now);
        work += self.read(now);
        self.machine.on_time(now);
        work += self.settle(now);
        work += self.send_chores(now);
        if work == 0 {
            self.machine.on_idle(now);
        }
        work
    }

    /// Waits for an answer, for the waker, for the next deadline or for `longest`. For threads that may sleep.
    pub fn park(&mut self, now: Nanos, longest: Duration) {
        if self.machine.has_report() || !self.intents.is_empty() {
            return;
        }
        let lanes = self.connections.iter().map(|connection| connection.lane.deadline());
        let first = lanes.fold(self.machine.poll_deadline(), Nanos::min);
        self.gather(Some(Duration::from_nanos(first.since(now).get()).min(longest)));
    }

    fn gather(&mut self, timeout: Option<Duration>) {
        if !wait_ready(&mut self.poll, &mut self.events, timeout) {
            return;
        }
        for event in &self.events {
            if let Some(connection) = self.connections.get_mut(event.token().0) {
                connection.lane.on_ready(event);
            }
        }
    }

    // --- the core's side ---

    /// Moves reports into the ring, as far as there is room; how many were moved. The others wait in the machine.
    fn tell_core(&mut self) -> u32 {
        let mut moved: u32 = 0;
        while !self.reports.is_full()
            && let Some(event) = self.machine.poll_report()
        {
            self.reports.push(event).expect("it was not full, and only we fill it");
            moved += 1;
        }
        let waiting = self.machine.reports_waiting();
        let known = self.left.saturating_sub(moved as usize);
        self.waited += (waiting - known) as u64;
        self.left = waiting;
        moved
    }

    fn watch(&mut self, now: Nanos) {
        if let Some(turns) = &self.core_turns
            && self.machine.wants_core_turns(now)
        {
            self.machine.on_core_turns(now, turns.load(Ordering::Relaxed));
        }
    }

    fn take_intents(&mut self, now: Nanos) -> u32 {
        if let Some(learnt) = &mut self.learnt {
            while let Ok((order, id)) = learnt.pop() {
                self.machine.on_learnt(order, id);
            }
        }
        let mut taken = 0;
        for _ in 0..INTENTS_PER_TURN_MAX {
            if self.machine.has_report() || !self.machine.wants_intent() {
                break; // the rest stays in the ring
            }
            let Ok(intent) = self.intents.pop() else { break };
            taken += 1;
            // Looked for behind the intent: a market was told before anything could be wanted there.
            while let Some(entry) = self.names.as_mut().and_then(|names| names.pop().ok()) {
                self.machine.codec_mut().follow(entry.def.market, &entry.names);
            }
            self.machine.on_intent(now, intent);
            self.tell_core();
        }
        taken
    }

    // --- the venue's side ---

    fn send_orders(&mut self, now: Nanos) -> u32 {
        let mut work = 0;
        while !self.machine.has_report() {
            let meter = &mut self.meter;
            let signed = |order: &Order| {
                let at = meter.now();
                meter.record(Stage::Sign, at.since(order.decided));
            };
            if self.machine.poll_order(now, signed).is_none() {
                break;
            }
            self.tell_core(); // the id that binds an order is told before the venue can speak of it
            self.write_order(now);
            work += 1 + self.settle(now);
        }
        work + self.settle(now)
    }

    /// Writes the order that the machine has just handed out.
    fn write_order(&mut self, now: Nanos) {
        let out = self.machine.handed().expect("an order was handed out");
        let (lane, terms) = (out.lane, out.leave.expect("an order leaves on terms"));
        let connection = &mut self.connections[lane];
        let meter = &mut self.meter;
        let mut leave = Leave::new(&self.halt, terms, || meter.now());
        let result = connection.lane.write_order(&mut leave, Some(out.bytes));
        let at = self.meter.now();
        let part = result == WriteResult::Part;
        if part || result == WriteResult::All {
            self.meter.record(Stage::Write, at.since(terms.decided));
            connection.order = Some(OnWire { leave: terms, at, part });
        }
        self.machine.on_wrote(now, lane, result);
    }

    fn send_chores(&mut self, now: Nanos) -> u32 {
        let mut sent = 0;
        while let Some(out) = self.machine.poll_chore(now) {
            let lane = out.lane;
            let whole = self.connections[lane].lane.write(out.bytes);
            let result = if whole { WriteResult::All } else { WriteResult::Cut };
            self.machine.on_wrote(now, lane, result);
            self.settle(now);
            if !whole {
                break;
            }
            sent += 1;
        }
        sent
    }

    /// Dials, shakes hands, and pushes out what a socket did not take at once.
    fn drive(&mut self, now: Nanos) -> u32 {
        let mut moved = 0;
        for at in 0..self.connections.len() {
            let lane = &mut self.connections[at].lane;
            let was_open = lane.is_open();
            moved += u32::from(lane.drive(now, self.poll.registry()));
            if lane.is_open() && !was_open {
                self.machine.on_lane_up(now, at);
            }
            moved += u32::from(self.push_out(now, at));
        }
        moved + self.settle(now)
    }

    fn push_out(&mut self, now: Nanos, at: usize) -> bool {
        let connection = &mut self.connections[at];
        match &mut connection.order {
            Some(order) if order.part => {
                let meter = &mut self.meter;
                let mut leave = Leave::new(&self.halt, order.leave, || meter.now());
                let result = connection.lane.write_order(&mut leave, None);
                order.part = result == WriteResult::Part;
                self.machine.on_wrote(now, at, result);
                true
            }
            Some(_) => false,
            None => {
                if !connection.lane.flush() {
                    self.machine.on_lane_down(now, at, "broke while writing");
                }
                false
            }
        }
    }

    fn read(&mut self, now: Nanos) -> u32 {
        let mut answers = 0;
        for at in 0..self.connections.len() {
            if !self.connections[at].lane.is_ready() {
                continue;
            }
            if !self.has_room() {
                self.machine.on_held();
                break;
            }
            answers += u32::from(self.read_lane(now, at));
            self.settle(now);
        }
        answers
    }

    /// Whether the reports of an answer find room in the ring.
    fn has_room(&self) -> bool {
        !self.machine.has_report()
            && self.machine.has_room()
            && self.reports.slots() >= ANSWER_REPORTS_MAX
    }

    fn read_lane(&mut self, now: Nanos, at: usize) -> bool {
        let connection = &mut self.connections[at];
        match connection.lane.read(&mut self.scratch) {
            Received::Nothing => return false,
            Received::Broken(why) => {
                self.machine.on_lane_down(now, at, &why);
                return true;
            }
            Received::Answer(answer) => {
                if let Some(order) = connection.order.take() {
                    let answered = self.meter.now();
                    self.meter.record(Stage::Answer, answered.since(order.at));
                }
                self.machine.on_answer(now, at, &answer);
            }
        }
        connection.lane.done();
        true
    }

    /// Closes what the machine wants closed and tells the core what it reports; how many reports were moved.
    fn settle(&mut self, now: Nanos) -> u32 {
        while let Some(closing) = self.machine.poll_close() {
            let connection = &mut self.connections[closing.lane];
            connection.order = None;
            if closing.fault {
                connection.lane.close(now, self.poll.registry());
            } else {
                connection.lane.recycle(now, self.poll.registry());
            }
        }
        self.tell_core()
    }
}
