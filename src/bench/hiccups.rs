//! How often does the machine take the processor away? A thread reads the clock as fast as it can while the rows
//! are measured; a gap is a moment in which nothing of ours ran there, whatever we wrote. Tails of rows are read
//! against it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use hdrhistogram::Histogram;
use quanta::Clock;

/// Gaps longer than this are counted.
pub const GAP_NS: u64 = 10_000;

/// What was seen.
#[derive(Clone, Debug)]
pub struct Hiccups {
    /// Gaps over [`GAP_NS`], in nanoseconds.
    pub gaps: Histogram<u64>,
    /// How long was watched, in nanoseconds.
    pub watched_ns: u64,
}

impl Hiccups {
    /// Gaps a second, in thousandths.
    pub fn per_s_milli(&self) -> u64 {
        let watched_us = (self.watched_ns / 1_000).max(1);
        self.gaps.len() * 1_000_000_000 / watched_us
    }

    /// The longest, in nanoseconds.
    pub fn max_ns(&self) -> u64 {
        self.gaps.max()
    }
}

/// The watching thread.
pub struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Hiccups>,
}

impl Watch {
    /// Begins to watch, on another core than the one that measures where there is one.
    ///
    /// # Errors
    /// The system has no room for a thread.
    pub fn start() -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = thread::Builder::new().name("hiccups".into()).spawn(move || {
            super::pin_other();
            watch(&told)
        })?;
        Ok(Self { stop, thread })
    }

    /// Ends it.
    ///
    /// # Panics
    /// Where its thread did.
    pub fn finish(self) -> Hiccups {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("it only reads the clock")
    }
}

fn watch(stop: &AtomicBool) -> Hiccups {
    let clock = Clock::new();
    let mut gaps = super::histogram();
    let begin = clock.raw();
    let mut last = begin;
    while !stop.load(Ordering::Relaxed) {
        let now = clock.raw();
        let gap = clock.delta_as_nanos(last, now);
        if gap > GAP_NS {
            gaps.saturating_record(gap);
        }
        last = now;
    }
    Hiccups { gaps, watched_ns: clock.delta_as_nanos(begin, last) }
}
