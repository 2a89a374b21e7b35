//! What agents measure on themselves: how long each stage took.

use hdrhistogram::Histogram;
use surefoot_cold::net::{Meter, Stage};
use surefoot_hot::units::Nanos;

use crate::clock::Clock;

/// A latency histogram: 1 ns to 60 s, three digits, no allocation after it was made.
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("the bounds are sound")
}

/// Measures an agent's stretches.
#[derive(Clone, Debug)]
pub struct HotMeter {
    clock: Clock,
    /// How long each stage took, by [`Stage`].
    pub stages: [Histogram<u64>; Stage::ALL.len()],
}

impl HotMeter {
    /// Nothing measured yet.
    pub fn new(clock: Clock) -> Self {
        Self { clock, stages: [(); Stage::ALL.len()].map(|()| histogram()) }
    }
}

impl Meter for HotMeter {
    #[inline]
    fn now(&mut self) -> Nanos {
        self.clock.now()
    }

    #[inline]
    fn record(&mut self, stage: Stage, span: Nanos) {
        self.stages[stage as usize].saturating_record(span.get());
    }
}
