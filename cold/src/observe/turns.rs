//! What is counted by no agent of its own: a thread's turns, and the run.

use surefoot_hot::units::Nanos;

/// Turns of a hot thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turns {
    /// Turns that did something.
    pub busy: u64,
    /// Turns that found nothing to do.
    pub idle: u64,
    /// The longest turn, in nanoseconds.
    pub longest: u64,
}

/// What the run says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunFacts {
    /// How long it has lasted.
    pub lasted: Nanos,
    /// Whether both venues were agreed with, so that baskets may be opened.
    pub open: bool,
    /// Whether a halt is latched.
    pub latched: bool,
    /// Rows of the health table that find something.
    pub troubles: u64,
    /// Alarms of health that were raised.
    pub alarms: u64,
    /// Those of them that were over again.
    pub alarms_over: u64,
    /// Messages to the service manager that could not be sent.
    pub notify_failed: u64,
}
