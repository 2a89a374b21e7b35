//! What a thread counts of its own turns.

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
