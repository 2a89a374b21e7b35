//! Measuring the parts and the whole: one question a file, each beside a reference as a user would write it.
//!
//! Under a microsecond things are timed in blocks, and one at a time between fenced clock reads beside; from a
//! microsecond on one at a time. Every value is picoseconds per operation, so that a block of a thousand keeps
//! its digits.
//!
//! The files here name the venues, and match on them in full: what is measured is each venue's own frame, codec, order and
//! signature, for which no row of rules can stand in. A further venue is measured once it has its arms.

pub mod basket;
pub mod book;
pub mod codec;
pub mod desk;
pub mod gate;
pub mod halt;
pub mod hiccups;
pub mod path;
pub mod plain;
pub mod plain_table;
pub mod report;
pub mod ring;
pub mod risk_table;
pub mod shocks;
pub mod sign;
pub mod typed;
pub mod venue;
pub mod wire;

use std::fmt;
use std::hint::black_box;
use std::sync::OnceLock;
use std::sync::atomic::{Ordering, fence};

use hdrhistogram::Histogram;
use quanta::Clock;

/// One measured thing, in picoseconds per operation.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its name: an interface, changed only by adding.
    pub name: &'static str,
    /// What it was fed with, for people.
    pub input: String,
    /// Operations timed together; 1 is one at a time.
    pub block: u32,
    /// Picoseconds per operation, one value a block.
    pub hist: Histogram<u64>,
    /// Operations one at a time, clock reads included, where `block` is more than one.
    pub single: Option<Histogram<u64>>,
    /// The same thing as a user would write it, measured in the same run.
    pub reference: Option<Box<Row>>,
}

impl Row {
    /// A quantile in picoseconds per operation.
    pub fn quantile_ps(&self, quantile: f64) -> u64 {
        self.hist.value_at_quantile(quantile)
    }

    /// The same, fed with `input`.
    #[must_use]
    pub fn fed(mut self, input: impl Into<String>) -> Self {
        self.input = input.into();
        self
    }

    /// The same beside its reference; a further one stands behind the first.
    #[must_use]
    pub fn beside(mut self, reference: Self) -> Self {
        self.reference = Some(Box::new(match self.reference {
            Some(first) => first.beside(reference),
            None => reference,
        }));
        self
    }

    /// What it is measured beside, in order.
    pub fn references(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(self.reference.as_deref(), |row| row.reference.as_deref())
    }
}

impl fmt::Display for Row {
    /// `book_update_1k  p50 9.1 ns  p99 11.0 ns …`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |quantile| ns(self.quantile_ps(quantile));
        let (p50, p99, p999) = (at(0.5), at(0.99), at(0.999));
        write!(f, "{:<34} p50 {p50:>9}  p99 {p99:>9}  p99.9 {p999:>9}", self.name)?;
        write!(f, "  max {:>10} ns  n {} × {}", ns(self.hist.max()), self.hist.len(), self.block)?;
        match &self.single {
            Some(single) => write!(f, "  one at a time p99 {}", ns(single.value_at_quantile(0.99))),
            None => Ok(()),
        }
    }
}

/// Frames that are timed together where a codec or its reference reads them.
const FRAMES: usize = 64;

/// Picoseconds as nanoseconds with a digit.
pub fn ns(ps: u64) -> String {
    format!("{}.{}", ps / 1_000, ps / 100 % 10)
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

    /// So many times as many, for things measured one at a time.
    #[must_use]
    pub const fn times(self, factor: u32) -> Self {
        Self { warm_up: self.warm_up * factor, blocks: self.blocks * factor }
    }
}

/// Reads the clock with nothing before it left undone and nothing after it begun: a full memory fence on both
/// sides, which on AMD serialises what is dispatched. It is part of what is measured; [`clock_read`] says how
/// much.
#[inline]
fn fenced(clock: &Clock) -> u64 {
    fence(Ordering::SeqCst);
    let raw = clock.raw();
    fence(Ordering::SeqCst);
    raw
}

/// Times blocks of `inputs`, then the same inputs one at a time.
pub fn measure<T, R>(
    name: &'static str,
    span: Span,
    inputs: &[T],
    run: impl FnMut(&T) -> R,
) -> Row {
    measure_stream(name, span, inputs.len(), inputs, run)
}

/// Times `inputs` in blocks of `block`, from the first to the last and again, then the same inputs one at a time.
///
/// # Panics
/// If the inputs are not whole blocks.
pub fn measure_stream<T, R>(
    name: &'static str,
    span: Span,
    block: usize,
    inputs: &[T],
    mut run: impl FnMut(&T) -> R,
) -> Row {
    assert!(inputs.len().is_multiple_of(block), "a stream is whole blocks");
    let clock = Clock::new();
    let (mut hist, mut single) = (histogram(), histogram());
    let turns = 0..span.warm_up + span.blocks;
    for (turn, inputs) in turns.zip(inputs.chunks(block).cycle()) {
        let start = fenced(&clock);
        for input in inputs {
            black_box(run(black_box(input)));
        }
        let end = fenced(&clock);
        if turn >= span.warm_up {
            let ns = clock.delta_as_nanos(start, end);
            hist.saturating_record(ns * 1_000 / block as u64);
        }
    }
    for _ in 0..(span.blocks as usize / 100 * block / inputs.len()).max(1) {
        for input in inputs {
            let start = fenced(&clock);
            black_box(run(black_box(input)));
            let end = fenced(&clock);
            single.saturating_record(clock.delta_as_nanos(start, end) * 1_000);
        }
    }
    let block = u32::try_from(block).expect("blocks are small");
    Row { name, input: String::new(), block, hist, single: Some(single), reference: None }
}

/// Times `fire` one at a time; `reset`, before each, is not timed.
pub fn shots<S>(
    name: &'static str,
    span: Span,
    state: &mut S,
    mut reset: impl FnMut(&mut S),
    mut fire: impl FnMut(&mut S),
) -> Row {
    let clock = Clock::new();
    let mut hist = histogram();
    for turn in 0..span.warm_up + span.blocks {
        reset(state);
        let start = fenced(&clock);
        fire(state);
        let end = fenced(&clock);
        if turn >= span.warm_up {
            hist.saturating_record(clock.delta_as_nanos(start, end) * 1_000);
        }
    }
    Row { name, input: String::new(), block: 1, hist, single: None, reference: None }
}

/// What two fenced clock reads with nothing between them show: the floor of everything timed one at a time.
pub fn clock_read(span: Span) -> Row {
    shots("clock_read", span, &mut (), |()| {}, |()| {}).fed("two fenced reads, nothing between")
}

/// Up to a minute, three digits.
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000_000_000, 3).expect("the bounds are constants in order")
}

/// Cores that this process may use.
pub fn cores() -> usize {
    allowed().len().max(1)
}

/// Keeps the calling thread on the last core, which measures; does nothing where that cannot be had.
pub fn pin_first() {
    pin(0);
}

/// Keeps the calling thread on a core that does not measure, where there is one.
pub fn pin_other() {
    pin(1);
}

fn pin(nth: usize) {
    if let Some(&core) = allowed().iter().rev().nth(nth) {
        core_affinity::set_for_current(core);
    }
}

/// The cores of the process: asked once, before any thread is pinned, because a pinned thread sees only its own.
fn allowed() -> &'static [core_affinity::CoreId] {
    static CORES: OnceLock<Vec<core_affinity::CoreId>> = OnceLock::new();
    CORES.get_or_init(|| core_affinity::get_core_ids().unwrap_or_default())
}
