//! Measuring the parts: one question a file, each beside a reference as a user would write it.

pub mod book;

use std::fmt;
use std::hint::black_box;

use hdrhistogram::Histogram;
use quanta::Clock;

/// One measured thing, in picoseconds per operation.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its name: an interface, changed only by adding.
    pub name: &'static str,
    /// Operations timed together; 1 is one at a time.
    pub block: u32,
    /// Picoseconds per operation, one value a block.
    pub hist: Histogram<u64>,
    /// Operations one at a time, clock reads included, where `block` is more than one.
    pub single: Option<Histogram<u64>>,
}

impl Row {
    /// A quantile in picoseconds per operation.
    pub fn quantile_ps(&self, quantile: f64) -> u64 {
        self.hist.value_at_quantile(quantile)
    }
}

impl fmt::Display for Row {
    /// `book_update_1k  p50 9.1 ns  p99 11.0 ns …`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ns = |ps: u64| format!("{}.{}", ps / 1_000, ps / 100 % 10);
        let at = |quantile| ns(self.quantile_ps(quantile));
        let (p50, p99, p999) = (at(0.5), at(0.99), at(0.999));
        write!(f, "{:<28} p50 {p50:>7}  p99 {p99:>7}  p99.9 {p999:>7}", self.name)?;
        write!(f, "  max {:>9} ns  n {} × {}", ns(self.hist.max()), self.hist.len(), self.block)?;
        match &self.single {
            Some(single) => write!(f, "  one at a time p99 {}", ns(single.value_at_quantile(0.99))),
            None => Ok(()),
        }
    }
}

/// How long to measure.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// Blocks that are run and not counted.
    pub warm_up: u32,
    /// Blocks that are counted.
    pub blocks: u32,
}

impl Span {
    /// Enough for a quantile of one in a thousand.
    pub const FULL: Self = Self { warm_up: 2_000, blocks: 20_000 };
    /// Enough to see that it works.
    pub const QUICK: Self = Self { warm_up: 100, blocks: 1_000 };
}

/// Times blocks of `inputs`, then the same inputs one at a time.
pub fn measure<T, R>(
    name: &'static str,
    span: Span,
    inputs: &[T],
    mut run: impl FnMut(&T) -> R,
) -> Row {
    let clock = Clock::new();
    let block = u32::try_from(inputs.len()).expect("blocks are small");
    let (mut hist, mut single) = (histogram(), histogram());
    for turn in 0..span.warm_up + span.blocks {
        let start = clock.raw();
        for input in inputs {
            black_box(run(black_box(input)));
        }
        let end = clock.raw();
        if turn >= span.warm_up {
            let ns = clock.delta_as_nanos(start, end);
            hist.saturating_record(ns * 1_000 / u64::from(block));
        }
    }
    for _ in 0..(span.blocks / 100).max(1) {
        for input in inputs {
            let start = clock.raw();
            black_box(run(black_box(input)));
            let end = clock.raw();
            single.saturating_record(clock.delta_as_nanos(start, end) * 1_000);
        }
    }
    Row { name, block, hist, single: Some(single) }
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000_000_000, 3).expect("the bounds are constants in order")
}
