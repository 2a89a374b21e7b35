//! The whole machine, running: agents on their threads, and the cold threads around them.

pub mod core_agent;
pub mod executors;
pub mod figures;
pub mod meter;
pub mod published;
mod rooms;
pub mod threads;
pub mod topology;
pub mod venue;
pub mod wiring;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, SendTimeoutError, Sender};
use hdrhistogram::Histogram;
use rtrb::{Consumer, Producer};
use surefoot_cold::directory::Entry;
use surefoot_cold::halt::HaltEpoch;
use surefoot_cold::journal::{Journal, Status as JournalStatus, Writer};
use surefoot_cold::net::Stage;
use surefoot_cold::policy::Counters;
use surefoot_cold::snapshot::Status as FollowerStatus;
use surefoot_hot::core::Core;
use surefoot_hot::event::Event;
use surefoot_hot::journal::{Close, Record};
use surefoot_hot::note::Severity;
use surefoot_hot::per_venue::PerVenue;
use surefoot_hot::stats::Stats;

use crate::clock::Clock;
use crate::watchdog::words::Beats;
use core_agent::CoreAgent;
use figures::MachineFigures;
use published::Published;
use rooms::Rooms;
use surefoot_cold::observe::observer::Announcer;
use surefoot_cold::observe::table::CoreFigure;
use surefoot_cold::observe::told::{NamedPlace, ToldNote};
use surefoot_cold::observe::{Snapshot, Turns, Values};
use surefoot_cold::queue;
use threads::{HotThreads, Pulse, Watch};
use topology::{AgentEnds, NameEnds, Topology};
use wiring::{WireError, Wired};

/// How long the core may take nothing before what it is told is lost, and how often it is looked whether it is alive.
const TELL_WITHIN: Duration = Duration::from_secs(5);
const TELL_LOOK: Duration = Duration::from_millis(100);
/// The note that is told then: code, severity and words.
const CORE_DEAF: (&str, Severity) = ("core_deaf", Severity::Critical);
const CORE_DEAF_WORDS: &str = "the core takes nothing in: what the venues and the operator say does not reach it until it does";

/// What an engine is started with.
pub struct Plan {
    /// Which agents share which thread.
    pub topology: Topology,
    /// The first spinner's core, if wanted.
    pub pin: Option<usize>,
    /// The clock everything runs by.
    pub clock: Clock,
    /// The core, empty or folded from a journal.
    pub core: Core,
    /// The journal, open for appending.
    pub journal: Journal,
    /// What the thread publishes that takes snapshots.
    pub follower: Arc<FollowerStatus>,
    /// Where written records go on to.
    pub on: Option<queue::Sender<Vec<Record>>>,
    /// Where it is said that the core takes nothing in.
    pub notes: Announcer,
    /// The halt epoch that everybody shares who may stop an order.
    pub halt: HaltEpoch,
    /// Where the core says that it turns; `None` where nobody watches from outside.
    pub beats: Option<Beats>,
    /// Whether the executors are paper venues, which hear of public events from the core.
    pub on_paper: bool,
}

/// The machine while its threads run.
pub struct Engine {
    hot: HotThreads,
    stop: Arc<AtomicBool>,
    watch: Watch,
    /// The figures that feed and executors publish.
    pub published: Arc<Published>,
    /// The halt epoch that everybody shares who may stop an order.
    pub halt: HaltEpoch,
    /// The clock everything runs by.
    pub clock: Clock,
    ops: Sender<Event>,
    ops_thread: JoinHandle<()>,
    notes: Announcer,
    names: NameEnds,
    /// Markets whose book is wanted over REST; `None` once somebody has taken them.
    witnesses: Option<PerVenue<Consumer<Arc<Entry>>>>,
    /// Memory for the books of further markets.
    rooms: Rooms,
    stats_in: Consumer<Stats>,
    stats: Stats,
    /// What the core had counted when the run began.
    base: Arc<Values<CoreFigure>>,
    /// How often the core has published them.
    stats_heard: u64,
    /// The core took nothing in for so long that something it was to be told is lost, and has taken in nothing since.
    deaf: AtomicBool,
    journal: Writer,
    follower: Arc<FollowerStatus>,
}

/// What an engine leaves behind.
pub struct Finished {
    /// The core as it ended.
    pub core: Core,
    /// Latency by stage: name and histogram.
    pub stages: Vec<(&'static str, Histogram<u64>)>,
    /// What each hot thread has counted of its turns.
    pub turns: Vec<Turns>,
    /// Turns in which the journal had no room.
    pub blocked: u64,
    /// Why the journal does not hold the run to its end, where it does not.
    pub journal_error: Option<String>,
    /// Whether a hot thread beside the core's panicked.
    pub dead: bool,
}

impl Engine {
    /// Starts every thread. `wire` builds the agents around the core on their ends of the rings, and gives what the core is
    /// told before anything else. The agents dial by themselves; nothing is traded before the core is told that both venues
    /// agree.
    ///
    /// # Errors
    /// A thread or a poll could not be made.
    pub fn start(
        plan: Plan,
        wire: impl FnOnce(AgentEnds) -> Result<(Wired, Vec<Event>), WireError>,
    ) -> Result<Self, WireError> {
        let Plan {
            topology,
            pin,
            clock,
            core,
            journal,
            follower,
            on,
            notes,
            halt,
            beats,
            on_paper,
        } = plan;
        let ends = topology::rings();
        let (Wired { feed, executors }, first) = wire(ends.agents)?;
        let rooms = Rooms::new(ends.rooms, core.books(), &first);
        let stats = core.stats(); // what is asked before the core has its first turn
        let core = CoreAgent::new(core, ends.core, halt.clone(), clock.clone())
            .begins_with(first)
            .beats_to(beats)
            .copies_public_to(on_paper.then_some(ends.public));
        let journal = Writer::start(journal, ends.journal, on)
            .map_err(|error| format!("starting the journal's thread: {error}"))?;
        let stop = Arc::new(AtomicBool::new(false));
        let (ops, ops_thread) = start_ops(ends.ops, &stop)?;
        let published = Arc::new(Published::new(feed.stats()));
        let agents = threads::deal(topology, feed, core, executors, &clock, &published);
        let hot = HotThreads::start(topology, pin, agents, &stop, &halt, &notes)?;
        Ok(Self {
            watch: Watch::new(hot.pulses.len(), Instant::now()),
            hot,
            stop,
            published,
            halt,
            clock,
            ops,
            ops_thread,
            notes,
            names: ends.names,
            witnesses: Some(ends.witnesses),
            rooms,
            stats_in: ends.stats,
            base: Arc::new(Values::of(&stats)),
            stats,
            stats_heard: 0,
            deaf: AtomicBool::new(false),
            journal,
            follower,
        })
    }

    /// Tells the core something. Waits where the ring is full. What a core that is dead, or takes nothing for seconds,
    /// would have been told is lost, and said once: whoever tells must go on, to cancel over other connections what rests.
    /// After one loss nothing is waited for until the core takes something in again.
    pub fn tell(&self, event: Event) {
        let (begin, mut event) = (Instant::now(), event);
        let patience = if self.deaf.load(Ordering::Relaxed) { Duration::ZERO } else { TELL_WITHIN };
        // That nobody receives any more is so at the very end alone: the thread outlives every other sender.
        while let Err(SendTimeoutError::Timeout(back)) = self.ops.send_timeout(event, TELL_LOOK) {
            if self.dead().is_some() || begin.elapsed() > patience {
                if !self.deaf.swap(true, Ordering::Relaxed) {
                    self.notes.note(ToldNote::of_run(
                        CORE_DEAF,
                        NamedPlace::default(),
                        CORE_DEAF_WORDS.into(),
                    ));
                }
                return;
            }
            event = back;
        }
        self.deaf.store(false, Ordering::Relaxed);
    }

    /// Tells feed and executors what a market is called, before the core hears of it, and gives the core memory for its book.
    /// Waits where a ring of names is full.
    ///
    /// # Errors
    /// One of them takes nothing in for seconds; the words say so.
    pub fn tell_names(&mut self, entry: &Arc<Entry>) -> Result<(), String> {
        let begin = Instant::now();
        self.rooms.give(entry.def.market, entry.def.grid);
        let NameEnds { feed, executors } = &mut self.names;
        let executor = &mut executors[entry.def.venue];
        for ring in [feed, executor] {
            while ring.push(Arc::clone(entry)).is_err() {
                if begin.elapsed() > TELL_WITHIN {
                    let name = entry.names.id();
                    return Err(format!(
                        "{name}: the hot threads take in no further market, because one of them stands still. What was asked \
                         for is written down and followed after `surefoot stop` and `surefoot start`"
                    ));
                }
                thread::sleep(Duration::from_millis(1));
            }
        }
        Ok(())
    }

    /// Which markets' books are wanted over REST.
    ///
    /// # Panics
    /// If somebody has taken them before: one asks each venue.
    pub fn take_witnesses(&mut self) -> PerVenue<Consumer<Arc<Entry>>> {
        self.witnesses.take().expect("they are taken once")
    }

    /// Another way in for another thread.
    pub fn teller(&self) -> Sender<Event> {
        self.ops.clone()
    }

    /// The newest counters that the core has published: up to 100 ms old.
    pub fn stats(&mut self) -> &Stats {
        while let Ok(stats) = self.stats_in.pop() {
            self.stats = stats;
            self.stats_heard += 1;
        }
        &self.stats
    }

    /// The newest counters as the run policy looks at them.
    pub fn counters(&mut self) -> Counters {
        self.stats();
        Counters::of(&self.stats, self.stats_heard)
    }

    /// How far the journal is written, and whether it can be.
    pub fn journal(&self) -> &Arc<JournalStatus> {
        self.journal.status()
    }

    /// How each hot thread is watched.
    pub fn pulses(&self) -> Vec<Pulse> {
        self.hot.pulses.iter().map(|(_, pulse)| pulse.clone()).collect()
    }

    /// Every figure of the machine, those of the core as last published.
    pub fn look(&mut self) -> Snapshot {
        let core = *self.stats();
        self.figures().read(&core)
    }

    /// Where the agents publish their figures, for a look after the machine's end.
    pub fn figures(&self) -> MachineFigures {
        let threads = self.hot.pulses.clone();
        let journal = Arc::clone(self.journal());
        let (published, base) = (Arc::clone(&self.published), Arc::clone(&self.base));
        let follower = Arc::clone(&self.follower);
        MachineFigures { published, journal, follower, threads, base }
    }

    /// The name of a hot thread that panicked.
    pub fn dead(&self) -> Option<&'static str> {
        self.death().map(|(name, _)| name)
    }

    /// The same, and what it panicked with.
    pub fn death(&self) -> Option<(&'static str, &str)> {
        self.hot.pulses.iter().find_map(|(name, pulse)| Some((*name, pulse.death()?)))
    }

    /// The cold threads of the engine that ended although it runs.
    pub fn ended(&self) -> Vec<&'static str> {
        let threads =
            [("ops", self.ops_thread.is_finished()), ("journal", self.journal.has_ended())];
        threads.into_iter().filter(|(_, ended)| *ended).map(|(name, _)| name).collect()
    }

    /// The name of a hot thread that has stood still for `limit`.
    pub fn still(&mut self, limit: Duration) -> Option<&'static str> {
        let turns = self.hot.pulses.iter().map(|(_, pulse)| pulse.turns());
        let nth = self.watch.still(turns, Instant::now(), limit)?;
        Some(self.hot.pulses[nth].0)
    }

    /// Leaves everything as it is, for a thread that stands still and cannot be waited for. What the journal's ring holds is
    /// written and synced first, as far as that goes in a moment.
    pub fn abandon(self) {
        self.stop.store(true, Ordering::Relaxed);
        let (begin, status) = (Instant::now(), Arc::clone(self.journal.status()));
        while begin.elapsed() < Duration::from_secs(1) && status.synced() < status.written() {
            thread::sleep(Duration::from_millis(5));
        }
        std::mem::forget(self); // its ends of channels stay open: nobody runs into a closed one
    }

    /// Ends every thread, in the order of the flow, and closes the journal. A journal that could not be written leaves a
    /// core all the same: it knows what to compare with the venues.
    ///
    /// # Errors
    /// The core's thread panicked, and there is no core.
    pub fn finish(self) -> Result<Finished, String> {
        let Self { hot, stop, ops, ops_thread, journal, clock, .. } = self;
        drop(ops);
        stop.store(true, Ordering::Relaxed);
        let _ = ops_thread.join();
        let mut finished = None;
        let mut turns = Vec::new();
        let mut stages = Vec::new();
        let mut dead = false;
        for thread in hot.threads {
            let Ok((mut agents, counted)) = thread.join() else {
                dead = true;
                continue;
            };
            turns.push(counted);
            let mut meters = Vec::new();
            if let Some(feed) = &mut agents.feed {
                meters.push(feed.meter().clone());
            }
            if let Some(executors) = &mut agents.executors {
                meters.extend(executors.meters());
            }
            for meter in meters {
                for (stage, measured) in Stage::ALL.into_iter().zip(meter.stages) {
                    merge(&mut stages, stage.name(), &measured);
                }
            }
            if let Some(agent) = agents.core {
                merge(&mut stages, "core", &agent.times.event);
                merge(&mut stages, "decide", &agent.times.decide);
                let blocked = agent.blocked;
                finished = Some((agent.into_core(), blocked));
            }
        }
        let Some((core, blocked)) = finished else {
            return Err("the core's thread ended in a panic: everything was halted; the journal holds what led to it".into());
        };
        let close = Close { decision: core.decision_hash(), state: core.state_hash() };
        let journal_error = journal.close(clock.now(), close).err();
        stages.retain(|(_, measured)| !measured.is_empty());
        Ok(Finished { core, stages, turns, blocked, journal_error, dead })
    }
}

fn merge(
    stages: &mut Vec<(&'static str, Histogram<u64>)>,
    name: &'static str,
    measured: &Histogram<u64>,
) {
    match stages.iter_mut().find(|(there, _)| *there == name) {
        Some((_, sum)) => sum.add(measured).expect("made with the same bounds"),
        None => stages.push((name, measured.clone())),
    }
}

/// The one producer of the core's ring for what the cold threads say, and the way to it.
fn start_ops(
    into: Producer<Event>,
    stop: &Arc<AtomicBool>,
) -> Result<(Sender<Event>, JoinHandle<()>), String> {
    let (ops, from) = crossbeam_channel::bounded(topology::OPS_CORE.slots);
    let stop = Arc::clone(stop);
    let thread = thread::Builder::new()
        .name("ops".into())
        .spawn(move || pump(&from, into, &stop))
        .map_err(|error| format!("starting the ops thread: {error}"))?;
    Ok((ops, thread))
}

/// Carries what the cold threads say into the core's ring, one producer for many senders.
fn pump(from: &Receiver<Event>, mut into: Producer<Event>, stop: &AtomicBool) {
    loop {
        let event = match from.recv_timeout(Duration::from_millis(20)) {
            Ok(event) => event,
            Err(RecvTimeoutError::Timeout) if !stop.load(Ordering::Relaxed) => continue,
            Err(_) => return,
        };
        let mut event = Some(event);
        while let Some(waiting) = event.take() {
            if let Err(rtrb::PushError::Full(back)) = into.push(waiting) {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                event = Some(back);
                thread::sleep(Duration::from_micros(100));
            }
        }
    }
}
