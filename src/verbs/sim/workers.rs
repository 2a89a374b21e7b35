//! Threads that simulate a day each, and what they tell.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use surefoot_hot::units::Nanos;

use super::LINES_MAX;
use crate::sim::fault::Fault;
use crate::sim::{self, Outcome, Plan};

/// How often it is told how far a run has come.
const PROGRESS_EVERY: Duration = Duration::from_secs(10);
/// Stack of a thread: a core is made on it.
const STACK_BYTES: usize = 16 << 20;

/// A day that has ended.
#[derive(Debug)]
pub struct Day {
    pub seed: u64,
    /// What came of it.
    pub outcome: Result<Outcome, Failure>,
    /// Time that its thread had a core for.
    pub spent: Duration,
}

/// A day that did not hold.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What did not hold, for a person.
    pub why: String,
    /// Its id; `None` where an assertion failed.
    pub by: Option<&'static str>,
    /// What the day was to bring.
    pub faults: Vec<Fault>,
    /// What led to it, the last entries.
    pub led: Vec<String>,
}

/// What is told of a run.
pub enum Told<'a> {
    /// A day has ended.
    Ended(&'a Day),
    /// The next day by the order of the seeds: it and all before it have ended.
    InOrder(Box<Day>),
    /// So many days have ended after so long.
    Progress { ended: usize, spent: Duration },
}

/// Simulates a day of `span` for each seed on `jobs` threads, and tells of it for as long as `tell` says that it is to go on.
pub fn run(
    seeds: &[u64],
    jobs: u16,
    span: Nanos,
    plan: &(impl Fn(u64) -> Plan + Sync),
    mut tell: impl FnMut(Told<'_>) -> bool,
) {
    let (next, stop) = (&AtomicUsize::new(0), &AtomicBool::new(false));
    let (to, from) = channel();
    thread::scope(|scope| {
        for _ in 0..usize::from(jobs).min(seeds.len()) {
            let to = to.clone();
            let work = move || {
                while !stop.load(Ordering::Relaxed) {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(&seed) = seeds.get(place) else { break };
                    let day = simulate(seed, span, || plan(seed));
                    if to.send((place, day)).is_err() {
                        break;
                    }
                }
            };
            let thread = thread::Builder::new().name("day".to_owned()).stack_size(STACK_BYTES);
            thread.spawn_scoped(scope, work).expect("a process may have threads");
        }
        drop(to);
        let (begun, mut due) = (Instant::now(), PROGRESS_EVERY);
        let (mut waiting, mut ended, mut told) = (BTreeMap::new(), 0, 0);
        let mut goes_on = true;
        while goes_on {
            match from.recv_timeout(due.saturating_sub(begun.elapsed())) {
                Ok((place, day)) => {
                    ended += 1;
                    goes_on = tell(Told::Ended(&day));
                    waiting.insert(place, day);
                    while goes_on && let Some(day) = waiting.remove(&told) {
                        told += 1;
                        goes_on = tell(Told::InOrder(Box::new(day)));
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    due += PROGRESS_EVERY;
                    goes_on = tell(Told::Progress { ended, spent: begun.elapsed() });
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
}

/// One day. One that breaks an assertion is a finding, and no reason to leave out the others.
fn simulate(seed: u64, span: Nanos, plan: impl FnOnce() -> Plan) -> Day {
    let (begun, had) = (Instant::now(), cpu_time());
    let plan = plan();
    let (faults, chronicle) = (plan.faults.clone(), plan.chronicle.clone());
    let ran = catch_unwind(AssertUnwindSafe(|| sim::run_planned(seed, span, plan)));
    let failed = match ran {
        Ok(Ok(outcome)) => Ok(outcome),
        Ok(Err(broken)) => Err((Some(broken.id), broken.to_string())),
        Err(why) => Err((None, format!("an assertion failed: {}", words_of(why.as_ref())))),
    };
    let outcome = failed.map_err(|(by, why)| {
        let led = chronicle.last(&why, LINES_MAX);
        Failure { why, by, faults, led }
    });
    let spent = cpu_time().zip(had).map(|(now, had)| now.saturating_sub(had));
    Day { seed, outcome, spent: spent.unwrap_or_else(|| begun.elapsed()) }
}

/// What an assertion said.
fn words_of(why: &(dyn Any + Send)) -> &str {
    let text = why.downcast_ref::<String>().map(String::as_str);
    text.or(why.downcast_ref::<&str>().copied()).unwrap_or("the message above says which")
}

/// Time that this thread has had a core for; `None` where the system does not say.
fn cpu_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}
