//! The hot threads: agents that share one take turns on it, and each is watched from outside.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use surefoot_cold::feed::Feed;
use surefoot_cold::halt::HaltEpoch;
use surefoot_hot::bounds::STALL_MIN;
use surefoot_hot::note::Severity;
use surefoot_hot::units::Nanos;

use super::core_agent::CoreAgent;
use super::executors::Executors;
use super::meter::HotMeter;
use super::published::Published;
use super::topology::{self, Claimed, Topology};
use crate::clock::Clock;
use surefoot_cold::observe::observer::Announcer;
use surefoot_cold::observe::table::ThreadFigure;
use surefoot_cold::observe::told::{NamedPlace, ToldNote};
use surefoot_cold::observe::{Cells, Turns, Values};

/// How often agents publish their figures.
const PUBLISH_EVERY: Nanos = Nanos::from_millis(100);

/// The note of a thread that spins without a core of its own: code and severity.
const NOT_PINNED: (&str, Severity) = ("thread_not_pinned", Severity::Warning);
/// The note of a core on which another instance spins too.
const CORE_SHARED: (&str, Severity) = ("cpu_core_shared", Severity::Warning);

/// Agents that share a thread. Each is optional: a topology deals them out.
pub(super) struct ThreadAgents {
    pub(super) feed: Option<Feed<HotMeter>>,
    pub(super) core: Option<CoreAgent>,
    pub(super) executors: Option<Executors>,
    clock: Clock,
    pace: Pace,
    published: Arc<Published>,
    publish_due: Nanos,
}

impl ThreadAgents {
    /// The clock is read again between the agents: the thread may be stopped at any of them, most likely where the feed
    /// asks the system, and what is decided afterwards must know how old it is.
    #[inline]
    fn turn(&mut self, mut now: Nanos) -> u32 {
        let mut work = 0;
        self.keep_pace(now);
        if let Some(feed) = &mut self.feed {
            work += feed.turn(now);
            now = self.clock.now();
            self.keep_pace(now);
        }
        if let Some(core) = &mut self.core {
            crate::fault::on_core_turn();
            work += core.turn(now);
        }
        if let Some(executors) = &mut self.executors {
            work += executors.turn(now);
        }
        if now >= self.publish_due {
            self.publish_due = now.after(PUBLISH_EVERY);
            self.publish(now);
        }
        work
    }

    /// Turns until told to stop, then closes its links.
    fn run(
        mut self,
        idle: Idle,
        stop: &AtomicBool,
        pulse: &Pulse,
        halt: &HaltEpoch,
    ) -> (Self, Turns) {
        let clock = self.clock.clone();
        let turns = spin(|now| self.turn(now), &clock, idle, stop, pulse, halt);
        self.publish(clock.now()); // the last figures of links that work: closing them is not losing them
        if let Some(feed) = &mut self.feed {
            feed.close(clock.now());
        }
        (self, turns)
    }

    #[inline]
    fn keep_pace(&mut self, now: Nanos) {
        if let Some(span) = self.pace.step(now)
            && let Some(core) = &mut self.core
        {
            core.stalled(now, span);
        }
    }

    fn publish(&self, now: Nanos) {
        if let Some(executors) = &self.executors {
            executors.publish(now, &self.published);
        }
        if let Some(feed) = &self.feed {
            self.published.publish_feed(feed);
        }
    }
}

/// Deals the agents out to threads, each with its name, as the topology says.
pub(super) fn deal(
    topology: Topology,
    feed: Feed<HotMeter>,
    core: CoreAgent,
    executors: Executors,
    clock: &Clock,
    published: &Arc<Published>,
) -> Vec<(&'static str, ThreadAgents)> {
    let on_one = |feed, core, executors| ThreadAgents {
        feed,
        core,
        executors,
        clock: clock.clone(),
        pace: Pace::default(),
        published: Arc::clone(published),
        publish_due: Nanos::ZERO,
    };
    match topology {
        Topology::Fused | Topology::Calm => {
            vec![("hot", on_one(Some(feed), Some(core), Some(executors)))]
        }
        Topology::Split => vec![
            ("core", on_one(None, Some(core), None)),
            ("feed", on_one(Some(feed), None, None)),
            ("exec", on_one(None, None, Some(executors))),
        ],
    }
}

/// The hot threads while they run.
pub(super) struct HotThreads {
    /// Held for as long as the threads spin there.
    _claimed: Vec<Claimed>,
    pub(super) threads: Vec<JoinHandle<(ThreadAgents, Turns)>>,
    /// One for each thread, with its name.
    pub(super) pulses: Vec<(&'static str, Pulse)>,
}

impl HotThreads {
    /// Starts a thread for each lot of agents, pinned where the topology has it spin.
    ///
    /// # Errors
    /// The system has no room for another thread; the words name which.
    pub(super) fn start(
        topology: Topology,
        pin: Option<usize>,
        agents: Vec<(&'static str, ThreadAgents)>,
        stop: &Arc<AtomicBool>,
        halt: &HaltEpoch,
        notes: &Announcer,
    ) -> Result<Self, String> {
        let idle = if topology == Topology::Calm { Idle::Rest } else { Idle::Spin };
        let claimed = match idle {
            Idle::Spin => topology::claim(agents.len(), pin),
            Idle::Rest => Vec::new(),
        };
        let (mut threads, mut pulses) = (Vec::new(), Vec::new());
        for (nth, (name, agents)) in agents.into_iter().enumerate() {
            let pulse = Pulse::default();
            pulses.push((name, pulse.clone()));
            let cpu = claimed.get(nth).map(|claimed| claimed.cpu);
            let (stop, halt) = (Arc::clone(stop), halt.clone());
            let notes = notes.clone();
            let body = move || {
                pin_and_tell(name, cpu, idle, notes);
                agents.run(idle, &stop, &pulse, &halt)
            };
            let thread = thread::Builder::new()
                .name(name.into())
                .spawn(body)
                .map_err(|error| format!("starting the {name} thread: {error}"))?;
            threads.push(thread);
        }
        for claimed in claimed.iter().filter(|claimed| claimed.is_shared()) {
            let text = format!(
                "another surefoot spins on core {} too, and no other is free: they starve each other. Give one of them \
                 `--topology calm`, or another core (`pin_cpu`)",
                claimed.cpu
            );
            notes.note(ToldNote::of_run(CORE_SHARED, NamedPlace::default(), text));
        }
        Ok(Self { _claimed: claimed, threads, pulses })
    }
}

/// Pins the calling thread to its core, and tells where a thread that spins has none of its own.
fn pin_and_tell(name: &str, cpu: Option<usize>, idle: Idle, notes: Announcer) {
    let text = match cpu {
        Some(cpu) if !topology::pin(cpu) => {
            format!("the {name} thread could not be pinned to core {cpu}: it may be moved")
        }
        None if idle == Idle::Spin => {
            format!("the {name} thread is not pinned: no core of its own is there for it")
        }
        Some(_) | None => return,
    };
    notes.note(ToldNote::of_run(NOT_PINNED, NamedPlace::default(), text));
}

/// What a thread does when it has nothing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idle {
    /// Spins: the next event is met within nanoseconds, and the core is never given away.
    Spin,
    /// Sleeps a little after some idle turns: for machines that have other things to do.
    Rest,
}

/// Finds out when a thread stood still, on the thread itself, from the times it is given.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    last: Nanos,
}

impl Pace {
    /// Time is `now`. For how long the thread stood still since the last step, if it did.
    #[inline]
    pub fn step(&mut self, now: Nanos) -> Option<Nanos> {
        let before = std::mem::replace(&mut self.last, now);
        let span = now.since(before);
        (span > STALL_MIN && before != Nanos::ZERO).then_some(span)
    }
}

/// How a spinning thread is watched from outside.
#[derive(Clone, Debug, Default)]
pub struct Pulse {
    turns: Arc<AtomicU64>,
    figures: Arc<Cells<ThreadFigure>>,
    /// What the thread panicked with; empty while it lives.
    death: Arc<OnceLock<String>>,
}

impl Pulse {
    /// Turns so far: a number that stands still is a thread that hangs.
    pub fn turns(&self) -> u64 {
        self.turns.load(Ordering::Relaxed)
    }

    /// What the thread counts.
    pub fn values(&self) -> Values<ThreadFigure> {
        self.figures.values()
    }

    /// What the thread panicked with; `None` while it lives. The words of an assertion name the invariant that does not hold by
    /// its id (`docs/invariants.md`), where it has one.
    pub fn death(&self) -> Option<&str> {
        self.death.get().map(String::as_str)
    }
}

/// Finds a thread that hangs. Each pulse is watched by itself: a thread that spins hides nobody.
#[derive(Clone, Debug)]
pub struct Watch {
    /// By thread: its turns, and when they last moved.
    seen: Vec<(u64, Instant)>,
}

impl Watch {
    /// Over so many threads, from `now`.
    pub fn new(threads: usize, now: Instant) -> Self {
        Self { seen: vec![(0, now); threads] }
    }

    /// Takes in each thread's turns, and returns the first thread that has stood still for `limit`.
    pub fn still(
        &mut self,
        turns: impl IntoIterator<Item = u64>,
        now: Instant,
        limit: Duration,
    ) -> Option<usize> {
        let mut still = None;
        for (nth, (seen, turns)) in self.seen.iter_mut().zip(turns).enumerate() {
            if seen.0 != turns {
                *seen = (turns, now);
            } else if now.saturating_duration_since(seen.1) >= limit {
                still = still.or(Some(nth));
            }
        }
        still
    }
}

/// Idle turns before a resting thread sleeps, and how long it does.
const REST_AFTER: u32 = 64;
const REST_FOR: Duration = Duration::from_micros(100);

/// A thread publishes what it counts of its own turns once in so many.
const PUBLISH_TURNS: u64 = 1_024;

/// Turns until told to stop. A panic ends the thread, moves the halt epoch so that nothing more leaves, and is
/// seen through the pulse.
pub fn spin(
    mut turn: impl FnMut(Nanos) -> u32,
    clock: &Clock,
    idle: Idle,
    stop: &AtomicBool,
    pulse: &Pulse,
    halt: &HaltEpoch,
) -> Turns {
    let mut turns = Turns::default();
    let ended = catch_unwind(AssertUnwindSafe(|| {
        let mut idle_row = 0_u32;
        let mut before = clock.now();
        while !stop.load(Ordering::Relaxed) {
            let handled = turn(before);
            let after = clock.now();
            turns.longest = turns.longest.max(after.since(before).get());
            if handled > 0 {
                turns.busy += 1;
                idle_row = 0;
            } else {
                turns.idle += 1;
                idle_row = idle_row.saturating_add(1);
                match idle {
                    Idle::Spin => std::hint::spin_loop(),
                    Idle::Rest if idle_row > REST_AFTER => std::thread::sleep(REST_FOR),
                    Idle::Rest => std::thread::yield_now(),
                }
            }
            before = if idle == Idle::Rest { clock.now() } else { after };
            let done = turns.busy + turns.idle;
            pulse.turns.store(done, Ordering::Relaxed);
            if done.is_multiple_of(PUBLISH_TURNS) {
                pulse.figures.publish(&turns);
            }
        }
    }));
    pulse.figures.publish(&turns);
    if let Err(panicked) = ended {
        halt.advance();
        let _ = pulse.death.set(words(panicked.as_ref())); // a thread dies once
    }
    turns
}

/// What somebody panicked with.
fn words(panicked: &(dyn Any + Send)) -> String {
    let fixed = panicked.downcast_ref::<&str>().map(|words| (*words).to_owned());
    let made = || panicked.downcast_ref::<String>().cloned();
    fixed.or_else(made).unwrap_or_else(|| "no words".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_dies_halts_and_leaves_the_words_of_its_assertion() {
        let (clock, stop) = (Clock::start().unwrap(), AtomicBool::new(false));
        let more = 4;
        let fixed = |_: Nanos| -> u32 { panic!("R5: nothing explains it") };
        let made = |_: Nanos| -> u32 { panic!("P2: {more} too many") };
        let turns: [(&dyn Fn(Nanos) -> u32, &str); 2] =
            [(&fixed, "R5: nothing explains it"), (&made, "P2: 4 too many")];
        for (turn, told) in turns {
            let (pulse, halt) = (Pulse::default(), HaltEpoch::new(7));
            assert_eq!(pulse.death(), None);
            spin(turn, &clock, Idle::Spin, &stop, &pulse, &halt);
            assert_eq!((pulse.death(), halt.read()), (Some(told), 8));
        }
    }

    #[test]
    fn a_thread_that_wakes_knows_how_long_it_slept() {
        let mut pace = Pace::default();
        let mut now = Nanos::from_secs(1_800_000_000);
        assert_eq!(pace.step(now), None, "the first turn follows nothing");
        for span in [Nanos::ZERO, Nanos::from_millis(10), STALL_MIN] {
            now = now.after(span);
            assert_eq!(pace.step(now), None, "{span:?}");
        }
        let long = Nanos::from_secs(5);
        now = now.after(long);
        assert_eq!((pace.step(now), pace.step(now)), (Some(long), None));
    }

    #[test]
    fn a_thread_that_spins_hides_none_that_hangs() {
        let (begin, limit) = (Instant::now(), Duration::from_secs(2));
        let mut watch = Watch::new(3, begin);
        let found: Vec<_> = (0..6_u64)
            .map(|second| {
                let core = second.min(2); // hangs after the second one
                watch.still([core, second * 9, second], begin + Duration::from_secs(second), limit)
            })
            .collect();
        assert_eq!(found, [None, None, None, None, Some(0), Some(0)]);
        let later = begin + Duration::from_secs(6);
        assert_eq!(watch.still([3, 99, 9], later, limit), None, "it moves again");
    }
}
