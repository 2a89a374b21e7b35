//! The venues' words: bytes to events. No socket, key or file; the cold side's folder of the same name has those.

use crate::event::Event;
use crate::units::Nanos;

/// Where a session puts what it understood.
pub trait Sink {
    /// Takes one event. A sink that is full counts it and marks what it lost; it never blocks.
    fn push(&mut self, event: Event);
}

impl Sink for Vec<Event> {
    fn push(&mut self, event: Event) {
        Self::push(self, event);
    }
}

/// One WebSocket conversation as a value: what happened goes in, what to send comes out, time is an argument.
pub trait Session {
    /// The link is up: whatever was known before is in doubt. Queues the first frames to send.
    fn on_open(&mut self, now: Nanos);
    /// One whole text frame, received at `now`. On error the books it feeds have been reported stale.
    ///
    /// # Errors
    /// The frame was not understood from some byte on; what was understood before it has been pushed.
    fn on_frame<S: Sink>(
        &mut self,
        now: Nanos,
        frame: &[u8],
        sink: &mut S,
    ) -> Result<(), DecodeError>;
    /// A control frame (ping or pong) came: a sign of life.
    fn on_alive(&mut self, now: Nanos);
    /// The time named by [`Session::poll_deadline`] has come: heartbeats, silence.
    /// Returns `false` when the link is dead and must be closed.
    fn on_deadline<S: Sink>(&mut self, now: Nanos, sink: &mut S) -> bool;
    /// The link is gone.
    fn on_close<S: Sink>(&mut self, now: Nanos, sink: &mut S);
    /// The next text frame to write; call until `None` after every `on_*`.
    fn poll_send(&mut self) -> Option<&[u8]>;
    /// When [`Session::on_deadline`] wants to be called.
    fn poll_deadline(&self) -> Nanos;
}

/// Why a frame was not understood. Formatted on the cold side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// `field` is absent, cut short or not of its type; the frame is good up to byte `at`.
    BadField {
        /// Which field.
        field: &'static str,
        /// Where.
        at: u32,
    },
    /// A number is off its grid: $1.2, a negative size, a seventh decimal.
    OffGrid {
        /// Which field.
        field: &'static str,
    },
    /// A sequence number was skipped.
    Gap {
        /// The one that should have come.
        want: u64,
        /// The one that came.
        seen: u64,
    },
    /// A word whose meaning is not known here: the market is quarantined.
    Unknown {
        /// Which field holds it.
        field: &'static str,
    },
}
