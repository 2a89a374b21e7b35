//! The executors: production's machines, whose requests go to the venues in this process.

use std::collections::{BTreeSet, VecDeque};

use surefoot_cold::exec::codec::VenueCodec;
use surefoot_cold::exec::http::Inbox;
use surefoot_cold::exec::machine::{ExecOptions, LaneRole, Machine, WriteResult};
use surefoot_cold::exec::write_ahead::MemoryLog;
use surefoot_cold::halt::HaltEpoch;
use surefoot_cold::wirelog::{Contents, Record, VenueId};
use surefoot_hot::event::Event;
use surefoot_hot::hash::Hash64;
use surefoot_hot::ids::OrderId;
use surefoot_hot::intent::Intent;
use surefoot_hot::order::Order;
use surefoot_hot::report::Unsent;
use surefoot_hot::units::Nanos;

use super::Broken;

/// The connections of production: two for orders, one for everything else.
const LANES: [LaneRole; 3] = [LaneRole::Orders, LaneRole::Orders, LaneRole::Chores];

/// Which connection: a new one in the same place is another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lane {
    /// Its place among the connections of the executor, from 0.
    pub number: usize,
    /// How many connections were there before it.
    pub generation: u32,
}

/// What an executor wants done.
#[derive(Debug)]
pub enum Wish {
    /// Bytes to be carried to the venue.
    Send(Lane, Vec<u8>),
    /// A new connection, in place of one that was closed.
    Dial(Lane),
    /// An event for the core.
    Tell(Event),
}

/// One venue's executor, whatever the venue.
pub trait Executor {
    /// The core wants something.
    fn intend(&mut self, now: Nanos, intent: Intent);
    /// The venue's id of an order, learnt from the private stream.
    fn learn(&mut self, order: OrderId, id: VenueId);
    /// A connection is there.
    fn connect(&mut self, now: Nanos, lane: Lane);
    /// Whether this is the connection in its place, and it was not given up.
    fn is_up(&self, lane: Lane) -> bool;
    /// A connection breaks; one that was replaced meanwhile is let be.
    fn break_off(&mut self, now: Nanos, lane: Lane);
    /// An answer has come, byte for byte.
    ///
    /// # Errors
    /// It is none.
    fn answer(&mut self, now: Nanos, lane: Lane, bytes: &[u8]) -> Result<(), Broken>;
    /// One turn: what is due is done, and what it wants goes into `wishes`.
    ///
    /// # Errors
    /// An order was about to leave that must not (O7, O8).
    fn turn(&mut self, now: Nanos, wishes: &mut Vec<Wish>) -> Result<(), Broken>;
    /// When it wants its next turn.
    fn deadline(&self) -> Nanos;
    /// Whether nothing waits and nothing is in flight.
    fn is_idle(&self) -> bool;
    /// Connections, in the beginning.
    fn lanes(&self) -> Vec<Lane>;
    /// From now on nothing can be written to its log (`true`), or everything can be again.
    fn let_log_fail(&mut self, fails: bool);
    /// The last record of its log is torn, if it is of an order that was about to leave: a restart does not read it. Returns whether
    /// it is.
    fn tear_log(&mut self) -> bool;
    /// Orders that have left.
    fn sent(&self) -> u64;
    /// What a restart reads in its log.
    fn contents(&self) -> Contents;
    /// What is left when the program is killed.
    fn remains(&mut self) -> Remains;
    /// It begins with what is left of the one before it, and with the orders whose end the journal does not hold.
    fn take_up(&mut self, remains: Remains, live: &[Order]);
}

/// What is left of an executor whose program was killed.
#[derive(Debug)]
pub struct Remains {
    log: MemoryLog,
    left: BTreeSet<OrderId>,
    generations: [u32; LANES.len()],
}

/// A machine of production, and the part of its shell that is left without sockets.
pub struct InProcess<C: VenueCodec> {
    machine: Machine<C, MemoryLog>,
    halt: HaltEpoch,
    generations: [u32; LANES.len()],
    /// Intents that the machine has no room for yet.
    waiting: VecDeque<Intent>,
    /// Every order that ever left.
    left: BTreeSet<OrderId>,
    /// Where answers are put together.
    inbox: Inbox,
}

impl<C: VenueCodec> InProcess<C> {
    /// An executor without connections.
    pub fn new(codec: C, halt: &HaltEpoch, heartbeat: bool) -> Self {
        let options =
            ExecOptions { heartbeat, rehearse_every: Nanos::NEVER, ..ExecOptions::default() };
        let log = MemoryLog::default();
        Self {
            machine: Machine::new(codec, log, halt.clone(), &LANES, options),
            halt: halt.clone(),
            generations: [0; LANES.len()],
            waiting: VecDeque::new(),
            left: BTreeSet::new(),
            inbox: Inbox::new(),
        }
    }

    fn give_intents(&mut self, now: Nanos) {
        while self.machine.wants_intent() {
            let Some(intent) = self.waiting.pop_front() else { return };
            self.machine.on_intent(now, intent);
        }
    }

    /// What must hold of an order, or of a change of one, whose bytes are about to leave.
    fn check_leaving(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        let (order, payload, is_new) = match self.machine.log().records().last() {
            Some(Record::Sent(sent)) => (sent.order, sent.payload, true),
            Some(Record::Amend(sent)) => (sent.amend.order, sent.payload, false),
            Some(Record::End { .. }) | None => {
                let what = "an order leaves that was not written ahead";
                return Err(Broken::new("O8", what.to_owned()));
            }
        };
        if payload != Hash64::of(bytes) {
            let what = format!("order {order} leaves with other bytes than were written ahead");
            return Err(Broken::new("O8", what));
        }
        if is_new && !self.left.insert(order) {
            return Err(Broken::new("O7", format!("order {order} leaves a second time")));
        }
        Ok(())
    }
}

impl<C: VenueCodec> Executor for InProcess<C> {
    fn intend(&mut self, now: Nanos, intent: Intent) {
        self.waiting.push_back(intent);
        self.give_intents(now);
    }

    fn learn(&mut self, order: OrderId, id: VenueId) {
        self.machine.on_learnt(order, id);
    }

    fn connect(&mut self, now: Nanos, lane: Lane) {
        if self.generations[lane.number] == lane.generation {
            self.machine.on_lane_up(now, lane.number);
        }
    }

    fn is_up(&self, lane: Lane) -> bool {
        self.generations[lane.number] == lane.generation
    }

    fn break_off(&mut self, now: Nanos, lane: Lane) {
        if self.is_up(lane) {
            self.machine.on_lane_down(now, lane.number, "the venue is gone");
        }
    }

    fn answer(&mut self, now: Nanos, lane: Lane, bytes: &[u8]) -> Result<(), Broken> {
        if self.generations[lane.number] != lane.generation {
            return Ok(()); // its connection was closed meanwhile
        }
        self.inbox.clear();
        let bad = |error: String| Broken::new("S6", format!("the venue's answer is none: {error}"));
        self.inbox.push(bytes).map_err(|error| bad(error.to_string()))?;
        let answer = self.inbox.poll(false).map_err(|error| bad(error.to_string()))?;
        let answer = answer.ok_or_else(|| bad("cut short".to_owned()))?;
        if !self.machine.has_room() {
            return Err(Broken::new("S6", "no room for the reports of an answer".to_owned()));
        }
        self.machine.on_answer(now, lane.number, &answer);
        Ok(())
    }

    fn turn(&mut self, now: Nanos, wishes: &mut Vec<Wish>) -> Result<(), Broken> {
        self.give_intents(now);
        self.machine.on_time(now);
        loop {
            while let Some(closing) = self.machine.poll_close() {
                let generation = &mut self.generations[closing.lane];
                *generation += 1;
                wishes.push(Wish::Dial(Lane { number: closing.lane, generation: *generation }));
            }
            while let Some(event) = self.machine.poll_report() {
                wishes.push(Wish::Tell(event));
            }
            let Some(out) = self.machine.poll_request(now) else { break };
            let (number, bytes, terms) = (out.lane, out.bytes.to_vec(), out.leave);
            // The last looks of production's shell before the bytes go (O13).
            let stopped = terms.and_then(|terms| {
                let old = (now > terms.by).then_some(Unsent::Old);
                old.or((self.halt.read() != terms.epoch).then_some(Unsent::Epoch))
            });
            if let Some(why) = stopped {
                self.machine.on_wrote(now, number, WriteResult::Stopped(why));
                continue;
            }
            if terms.is_some() {
                self.check_leaving(&bytes)?;
            }
            self.machine.on_wrote(now, number, WriteResult::All);
            wishes.push(Wish::Send(Lane { number, generation: self.generations[number] }, bytes));
        }
        self.give_intents(now);
        Ok(())
    }

    fn deadline(&self) -> Nanos {
        self.machine.poll_deadline()
    }

    fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.machine.is_idle()
    }

    fn lanes(&self) -> Vec<Lane> {
        let lane = |(number, &generation)| Lane { number, generation };
        self.generations.iter().enumerate().map(lane).collect()
    }

    fn let_log_fail(&mut self, fails: bool) {
        self.machine.log_mut().set_failing(fails);
    }

    fn tear_log(&mut self) -> bool {
        self.machine.log_mut().tear()
    }

    fn sent(&self) -> u64 {
        self.left.len() as u64
    }

    fn contents(&self) -> Contents {
        self.machine.log().contents()
    }

    fn remains(&mut self) -> Remains {
        Remains {
            log: std::mem::take(self.machine.log_mut()),
            left: std::mem::take(&mut self.left),
            generations: self.generations,
        }
    }

    fn take_up(&mut self, remains: Remains, live: &[Order]) {
        let contents = remains.log.contents();
        *self.machine.log_mut() = remains.log;
        self.machine.remember(&contents, live);
        self.left = remains.left;
        // Connections of a run are not those of the run before.
        self.generations = remains.generations.map(|generation| generation + 1);
    }
}
