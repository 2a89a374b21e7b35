//! The one writer of every book, order, position and dollar.

use crate::event::Event;
use crate::outbox::Outbox;
use crate::units::Nanos;

/// The core: a pure function of state, time and event.
#[derive(Debug, Default)]
pub struct Core {}

impl Core {
    /// Allocates everything it will ever need.
    pub fn new() -> Self {
        Self {}
    }

    /// The only way in. Same state, same `now`, same `event`: the same intents, to the bit.
    pub fn on_event(&mut self, _now: Nanos, _event: &Event, _out: &mut Outbox) {}

    /// A hash over everything that decisions depend on.
    pub fn state_hash(&self) -> u64 {
        0
    }

    /// A hash over every intent so far, in order, with its time.
    pub fn decision_hash(&self) -> u64 {
        0
    }
}
