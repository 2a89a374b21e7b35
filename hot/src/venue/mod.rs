//! The venues' words: bytes to events. No socket, key or file; the cold side's folder of the same name has those.

pub mod decimal;
mod fields;
pub mod fine;
mod hints;
pub mod kalshi;
mod lag;
pub mod odd;
mod outgoing;
pub mod plain;
pub mod polymarket;
mod pulse;
pub mod sample;
pub mod scan;
mod snapshots;
mod template;
mod window;

use crate::event::Event;
use crate::hash::Hash64;
use crate::ids::{FillId, MarketId, VenueKey};
use crate::links::LinkNumber;
use crate::units::Nanos;

/// The venue's order id as a key: Polymarket's 32 raw digest bytes, Kalshi's UUID as text.
pub fn venue_key(order_id: &[u8]) -> VenueKey {
    VenueKey::new(Hash64::of(order_id))
}

/// One fill of one order of ours. Stream and REST give the same id: on Polymarket the order is the taker's own
/// or our maker entry's, on Kalshi the fill's `order_id`.
pub fn fill_id(trade_id: &[u8], order: VenueKey) -> FillId {
    let mut hash = Hash64::new();
    hash.bytes(trade_id);
    hash.word(order.get());
    FillId::new(hash.get())
}

/// Where a session puts what it understood.
pub trait EventSink {
    /// Takes one event. One that is full counts it and marks what it lost; it never blocks.
    fn push(&mut self, event: Event);
}

impl EventSink for Vec<Event> {
    fn push(&mut self, event: Event) {
        Self::push(self, event);
    }
}

/// One WebSocket conversation as a value: what happened goes in, what to send comes out, time is an argument.
pub trait Session {
    /// Its number among the venue's market links; 0 for a private one.
    fn number(&self) -> LinkNumber {
        LinkNumber::FIRST
    }
    /// The link is up: whatever was known before is in doubt. Queues the first frames to send.
    fn on_open(&mut self, now: Nanos);
    /// One whole text frame, received at `now`. On error the books it feeds have been reported stale.
    ///
    /// # Errors
    /// The frame was not understood from some byte on; what was understood before it has been pushed.
    fn on_frame<S: EventSink>(
        &mut self,
        now: Nanos,
        frame: &[u8],
        sink: &mut S,
    ) -> Result<(), DecodeError>;
    /// A control frame (ping or pong) came: a sign of life.
    fn on_alive(&mut self, now: Nanos);
    /// The time named by [`Session::poll_deadline`] has come: heartbeats, silence.
    /// Returns `false` when the link is dead and must be closed.
    fn on_deadline<S: EventSink>(&mut self, now: Nanos, sink: &mut S) -> bool;
    /// The link is gone.
    fn on_close<S: EventSink>(&mut self, now: Nanos, sink: &mut S);
    /// The next text frame to write; call until `None` after every `on_*`.
    fn poll_send(&mut self) -> Option<&[u8]>;
    /// What the session has counted so far.
    fn counters(&self) -> &Counters;
    /// When [`Session::on_deadline`] wants to be called.
    fn poll_deadline(&self) -> Nanos;
    /// Asks for a fresh snapshot of one market; its changes are ignored until it comes.
    /// Asking again while one is on its way does nothing.
    fn resync(&mut self, now: Nanos, market: MarketId) {
        let _ = (now, market); // a link without books has nothing to fetch
    }
    /// How much later than usual the newest messages came, by the venue's time in them; zero where nothing tells.
    fn late(&self, now: Nanos) -> Nanos {
        let _ = now;
        Nanos::ZERO
    }
    /// Whether a ping control frame is wanted; call after every `on_*`.
    fn poll_ping(&mut self) -> bool {
        false
    }
    /// News for the catalogue; call until `None` after every `on_frame`.
    fn poll_notice(&mut self) -> Option<Notice> {
        None
    }
}

/// What a stream says of markets that is no input of the core. Health shows what a person must act on; fees and closes are read
/// within ten seconds, the rest of the metadata within ten minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A market was created that is not in the catalogue.
    NewMarket,
    /// The venue moved the close of a market.
    CloseMoved {
        /// The market that this is about.
        market: MarketId,
        /// When it closes now; [`Nanos::NEVER`] where that could not be read.
        close: Nanos,
    },
    /// The fees of some event changed.
    FeesChanged,
    /// A market's descriptive fields (strikes, titles) changed.
    MetadataChanged {
        /// The market that this is about.
        market: MarketId,
    },
    /// A market was settled, but the stream never said at what price.
    SettledUnseen {
        /// The market that this is about.
        market: MarketId,
    },
}

/// What a session has seen, for reports: plain counters, never reset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames handed in.
    pub frames: u64,
    /// Messages understood (an array frame holds several).
    pub messages: u64,
    /// Frames that the plain reader left to the library.
    pub unusual: u64,
    /// Frames, or messages of a frame, that were not understood.
    pub bad: u64,
    /// Of those, messages that are neither about a book nor about our money: they cost nothing.
    pub passed_over: u64,
    /// Messages of a type that is not known here.
    pub unknown_type: u64,
    /// Messages about markets that are not followed here.
    pub unknown_market: u64,
    /// Changes of books whose snapshot has not come yet.
    pub early: u64,
    /// Messages whose time is before the one before, per market.
    pub backwards: u64,
    /// Skipped sequence numbers, by occurrence.
    pub gaps: u64,
    /// Frames with a sequence number seen before; dropped.
    pub duplicates: u64,
    /// Error frames of the venue.
    pub errors: u64,
    /// Messages that are understood and need nothing done.
    pub ignored: u64,
    /// Times that the link was given up because a market that was asked for had no book in time, or a private stream that was subscribed
    /// to was not acknowledged.
    pub unanswered: u64,
}

/// Why a frame was not understood. Formatted on the cold side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// `field` is absent, cut short or not of its type; the frame is good up to byte `at`.
    BadField { field: &'static str, at: u32 },
    /// A number is off its grid: $1.2, a negative size, a seventh decimal.
    OffGrid { field: &'static str },
    /// A sequence number was skipped.
    Gap {
        /// The one that should have come.
        want: u64,
        /// The one that came.
        seen: u64,
    },
    /// A word whose meaning is not known here.
    Unknown {
        /// Which field holds it.
        field: &'static str,
    },
}

#[cfg(test)]
mod tests;
