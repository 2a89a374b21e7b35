//! A sink, and the thread that each has to itself: one that is slow, blocks or fails keeps nobody else waiting.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::RecvTimeoutError;
use surefoot_hot::note::Severity;

use super::counts::SinkCounts;
use super::told::{Observation, Source};
use crate::queue::{self, Gauge, Receiver, Sender};

/// How often an idle sink looks whether it is to end.
const IDLE: Duration = Duration::from_secs(1);
/// How much one call of [`Sink::take`] is handed at most, beyond its first item.
const BATCH_MAX: u64 = 16_384;

/// Why a sink whose assertion failed takes nothing more.
const PANICKED: &str = "an assertion failed: the message above names it";

/// What a sink wants to be handed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interest {
    /// The journal's records.
    pub records: bool,
    /// Notes of the core, of this severity and above; `None` for none.
    pub core_notes: Option<Severity>,
    /// Notes of the run and of its health, likewise.
    pub run_notes: Option<Severity>,
    pub figures: bool,
}

impl Interest {
    /// Whether an observation is one of these.
    pub fn has(&self, seen: &Observation) -> bool {
        match seen {
            Observation::Records(_) => self.records,
            Observation::Note(note) => {
                let least = match note.source {
                    Source::Core => self.core_notes,
                    Source::Health | Source::Run => self.run_notes,
                };
                least.is_some_and(|least| note.severity >= least)
            }
            Observation::Figures(_) => self.figures,
        }
    }
}

/// Something that shows or keeps what is observed. It runs on a thread of its own and may take its time: while it does, up to
/// `waiting_max` observations wait for it, and what comes beyond that is dropped and counted.
pub trait Sink: Send + 'static {
    /// What it is called among the figures; the name of its thread.
    fn name(&self) -> &'static str;

    /// What it is handed.
    fn interest(&self) -> Interest;

    /// How much may wait for it: a note or a record counts as one.
    fn waiting_max(&self) -> u64;

    /// How long the end of a run waits for it.
    fn ends_within(&self) -> Duration;

    /// Takes what waits, in the order in which it was told.
    ///
    /// # Errors
    /// It could not be shown or kept, in words; it is counted as failed and not handed over again.
    fn take(&mut self, seen: &[Arc<Observation>]) -> Result<(), String>;

    /// When [`Sink::take`] is to be called although nothing has come: where something is to be tried again.
    fn again_in(&self) -> Option<Duration> {
        None
    }

    /// Nothing more comes.
    ///
    /// # Errors
    /// What it took is not all shown or kept, in words.
    fn end(&mut self) -> Result<(), String> {
        Ok(())
    }
}

/// What others may know of a sink's thread.
#[derive(Debug, Default)]
pub(super) struct SinkStatus {
    taken: AtomicU64,
    failed: AtomicU64,
    ended: AtomicBool,
    trouble: Mutex<Option<String>>,
}

impl SinkStatus {
    fn trouble(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a sink is watched from outside.
#[derive(Clone, Debug)]
pub struct SinkWatch {
    pub name: &'static str,
    status: Arc<SinkStatus>,
    queue: Gauge,
}

impl SinkWatch {
    /// What it has counted so far.
    pub fn counts(&self) -> SinkCounts {
        SinkCounts {
            taken: self.status.taken.load(Ordering::Relaxed),
            failed: self.status.failed.load(Ordering::Relaxed),
            dropped: self.queue.dropped(),
            waiting: self.queue.waiting(),
            ended: self.status.ended.load(Ordering::Relaxed),
        }
    }

    /// Why the last items could not be shown or kept; `None` where the last ones were.
    pub fn trouble(&self) -> Option<String> {
        self.status.trouble().clone()
    }
}

/// A sink on its thread.
#[derive(Debug)]
pub(super) struct SinkThread {
    watch: SinkWatch,
    to: Sender<Arc<Observation>>,
    interest: Interest,
    ends_within: Duration,
    thread: JoinHandle<Result<(), String>>,
}

impl SinkThread {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system has no room for another thread.
    pub fn start(sink: Box<dyn Sink>) -> std::io::Result<Self> {
        let (to, from) = queue::bounded(sink.waiting_max());
        let (name, interest, ends_within) = (sink.name(), sink.interest(), sink.ends_within());
        let watch = SinkWatch { name, status: Arc::default(), queue: to.gauge() };
        let status = Arc::clone(&watch.status);
        let work = move || run(sink, &from, &status);
        let thread = thread::Builder::new().name(name.into()).spawn(work)?;
        Ok(Self { watch, to, interest, ends_within, thread })
    }

    /// How it is watched from outside.
    pub fn watch(&self) -> SinkWatch {
        self.watch.clone()
    }

    /// What it is handed.
    pub fn interest(&self) -> Interest {
        self.interest
    }

    /// Hands it an observation if it wants it. Never waits.
    pub fn hand(&self, seen: &Arc<Observation>) {
        if self.interest.has(seen) {
            let _ = self.to.push(seen.weight(), Arc::clone(seen)); // counted where there is no room
        }
    }

    /// The same at the end of a run, which began at `end`: waits for room for as long as the sink asked for.
    pub fn hand_at_end(&self, end: Instant, seen: &Arc<Observation>) {
        if self.interest.has(seen) {
            let by = end + self.ends_within;
            let _ = self.to.push_by(by, seen.weight(), Arc::clone(seen)); // counted likewise
        }
    }

    /// Nothing more comes: gives what is left to wait for.
    pub fn finish(self) -> Ending {
        let Self { watch: SinkWatch { name, status, .. }, to, ends_within, thread, .. } = self;
        drop(to);
        Ending { name, status, ends_within, thread }
    }
}

/// A sink's thread that takes its last items.
pub(super) struct Ending {
    name: &'static str,
    status: Arc<SinkStatus>,
    ends_within: Duration,
    thread: JoinHandle<Result<(), String>>,
}

impl Ending {
    /// Waits for it, for as long as it asked for since the end began; then it is left to itself.
    ///
    /// # Errors
    /// What it took is not all shown or kept, in words.
    pub fn wait(self, end: Instant) -> Result<(), String> {
        while !self.thread.is_finished() {
            if end.elapsed() >= self.ends_within {
                let why = format!("{}: it did not end within {:?}", self.name, self.ends_within);
                return Err(why);
            }
            thread::sleep(Duration::from_millis(1));
        }
        let ended = self.thread.join().unwrap_or_else(|_| Err("its thread panicked".to_owned()));
        ended.map_err(|why| format!("{}: {why}", self.name))?;
        let failed = self.status.failed.load(Ordering::Relaxed);
        match self.status.trouble().clone() {
            Some(why) => {
                Err(format!("{}: {failed} items were lost, the last ones: {why}", self.name))
            }
            None => Ok(()),
        }
    }
}

/// Takes whatever comes until nothing more does. After a failed assertion the sink is handed nothing more; what comes for it
/// is taken and counted as failed.
fn run(
    sink: Box<dyn Sink>,
    from: &Receiver<Arc<Observation>>,
    status: &SinkStatus,
) -> Result<(), String> {
    let (mut sink, mut batch) = (Some(sink), Vec::new());
    loop {
        let again = sink.as_ref().and_then(|sink| sink.again_in());
        let mut weight = 0;
        match from.recv_timeout(again.unwrap_or(IDLE)) {
            Ok((first, item)) => {
                weight += first;
                batch.push(item);
            }
            Err(RecvTimeoutError::Timeout) if again.is_none() => continue,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        while weight < BATCH_MAX
            && let Ok((more, item)) = from.try_recv()
        {
            weight += more;
            batch.push(item);
        }
        let taken = match &mut sink {
            Some(sink) => catch_unwind(AssertUnwindSafe(|| sink.take(&batch))),
            None => Ok(Err(PANICKED.to_owned())),
        };
        batch.clear();
        status.taken.fetch_add(weight, Ordering::Relaxed);
        let failed = match taken {
            Ok(failed) => failed.err(),
            Err(_) => {
                sink = None;
                status.ended.store(true, Ordering::Relaxed);
                Some(PANICKED.to_owned())
            }
        };
        if failed.is_some() {
            status.failed.fetch_add(weight, Ordering::Relaxed);
        }
        *status.trouble() = failed;
    }
    let Some(mut sink) = sink else { return Err(PANICKED.to_owned()) };
    let ended = catch_unwind(AssertUnwindSafe(|| sink.end()));
    ended.unwrap_or_else(|_| Err(PANICKED.to_owned()))
}
