//! What was measured of the venues and of ourselves, for the gate: how quickly orders are acknowledged, how far our clock is
//! off, how long what was read took to reach the core, and whether the executors would send.

use super::latency::Latency;
use crate::ids::Venue;
use crate::pack::pack_fields;
use crate::per_venue::PerVenue;
use crate::state::state_fields;
use crate::units::Nanos;

/// Nothing is measured yet when a run begins.
#[derive(Debug)]
pub(super) struct Measured {
    /// How long acknowledgements take, by venue: see [`Measured::latency`].
    latency: PerVenue<Option<Nanos>>,
    clock_error: Nanos,
    own: Latency,
    ways: PerVenue<Way>,
}

/// What keeps an executor from sending an order that opens something, though it is connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Way {
    breaker_open: bool,
    tokens_short: bool,
}

state_fields! {
    Measured { latency: value, clock_error: value, own: value, ways: value }
}

pack_fields! {
    Way { breaker_open, tokens_short }
}

impl Measured {
    pub fn new() -> Self {
        Self {
            latency: PerVenue::default(),
            clock_error: Nanos::ZERO,
            own: Latency::NONE,
            ways: PerVenue::default(),
        }
    }

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

    /// What was read from the sockets at `read` has all been handed in.
    pub fn on_handed(&mut self, now: Nanos, read: Nanos) {
        self.own.add(now.since(read));
    }

    /// How long what is read takes to reach the core, in 99 of 100 cases; `None` where too little was read to say so.
    pub const fn own_latency(&self) -> Option<Nanos> {
        self.own.p99()
    }

    /// An executor tells what keeps it from sending. Returns whether something did and nothing does any more.
    pub fn on_way(&mut self, venue: Venue, breaker_open: bool, tokens_short: bool) -> bool {
        let way = Way { breaker_open, tokens_short };
        let before = std::mem::replace(&mut self.ways[venue], way);
        before != way && way == Way::default()
    }

    /// Whether the venue's breaker is open.
    pub fn breaker_open(&self, venue: Venue) -> bool {
        self.ways[venue].breaker_open
    }

    /// Whether too few rate tokens are left for an order that opens something.
    pub fn tokens_short(&self, venue: Venue) -> bool {
        self.ways[venue].tokens_short
    }

    pub const fn on_clock_error(&mut self, error: Nanos) {
        self.clock_error = error;
    }

    /// By how much our clock was off the system's at the last look, at most.
    pub const fn clock_error(&self) -> Nanos {
        self.clock_error
    }
}
