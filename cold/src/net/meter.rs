//! What the agents tell of their own speed.

use surefoot_hot::units::Nanos;

/// Which stretch was timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Frame in hand → its events in the ring.
    Decode,
    /// Turn of the decision → the order's bytes encoded and signed.
    Sign,
    /// Turn of the decision → the order's bytes handed to the kernel.
    Write,
    /// The order's bytes handed to the kernel → the answer read.
    Answer,
}

impl Stage {
    /// Every stage, in index order.
    pub const ALL: [Self; 4] = [Self::Decode, Self::Sign, Self::Write, Self::Answer];

    /// The name used in output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Decode => "decode",
            Self::Sign => "sign",
            Self::Write => "write",
            Self::Answer => "answer",
        }
    }
}

/// A clock finer than the turn's, and the place for what it measured. The shell gives one in; what acts on
/// time still uses the turn's `now` alone.
pub trait Meter {
    /// The time now, on the same scale as the turn's `now`.
    fn now(&mut self) -> Nanos;
    /// Takes in one measurement.
    fn record(&mut self, stage: Stage, span: Nanos);
}

/// A meter that records nothing and whose time stands still.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoMeter;

impl Meter for NoMeter {
    fn now(&mut self) -> Nanos {
        Nanos::ZERO
    }
    fn record(&mut self, _: Stage, _: Nanos) {}
}
