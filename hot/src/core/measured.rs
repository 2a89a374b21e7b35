//! What was measured of the venues and of our clock, for the gate: how quickly orders are acknowledged, and how far our clock
//! is off.

use crate::ids::Venue;
use crate::per_venue::PerVenue;
use crate::state::state_fields;
use crate::units::Nanos;

/// Nothing is measured yet when a run begins.
#[derive(Debug, Default)]
pub(super) struct Measured {
    /// How long acknowledgements take, by venue: see [`Measured::latency`].
    latency: PerVenue<Option<Nanos>>,
    clock_error: Nanos,
}

state_fields! {
    Measured { latency: value, clock_error: value }
}

impl Measured {
    /// An order that nobody had doubted was acknowledged `after` it was handed to the executor.
    pub fn on_acked(&mut self, venue: Venue, after: Nanos) {
        let latency = &mut self.latency[venue];
        let (new, old) = (after.get(), latency.unwrap_or(after).get());
        *latency = Some(Nanos::new(old - old / 8 + new / 8));
    }

    /// How long the venue takes to acknowledge an order: a moving average, in which the newest order counts an eighth. `None`
    /// before the first one.
    pub fn latency(&self, venue: Venue) -> Option<Nanos> {
        self.latency[venue]
    }

    pub const fn on_clock_error(&mut self, error: Nanos) {
        self.clock_error = error;
    }

    /// By how much our clock was off the system's at the last look, at most.
    pub const fn clock_error(&self) -> Nanos {
        self.clock_error
    }
}
