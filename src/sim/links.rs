//! The WebSockets of the venues: production sessions, whose frames go straight to the venues in this process and back.

use surefoot_cold::feed::Upgrade;
use surefoot_cold::wirelog::VenueId;
use surefoot_hot::event::{Event, Link as Kind};
use surefoot_hot::ids::{MarketId, OrderId, Venue};
use surefoot_hot::links::LinkNumber;
use surefoot_hot::units::Nanos;
use surefoot_hot::venue::{DecodeError, Notice, Session};

use crate::twin::{ConnId, Host};

/// A session of any venue that pushes into a list. It does what [`Session`] does under the same names.
pub trait AnySession {
    /// Does what [`Session::on_open`] does.
    fn open(&mut self, now: Nanos);
    /// Does what [`Session::on_frame`] does.
    ///
    /// # Errors
    /// The frame was not understood.
    fn frame(
        &mut self,
        now: Nanos,
        frame: &[u8],
        events: &mut Vec<Event>,
    ) -> Result<(), DecodeError>;
    /// Does what [`Session::on_alive`] does.
    fn alive(&mut self, now: Nanos);
    /// Does what [`Session::on_deadline`] does.
    fn due(&mut self, now: Nanos, events: &mut Vec<Event>) -> bool;
    /// Does what [`Session::on_close`] does.
    fn close(&mut self, now: Nanos, events: &mut Vec<Event>);
    /// Does what [`Session::poll_send`] does.
    fn next_frame(&mut self) -> Option<String>;
    /// Does what [`Session::poll_ping`] does.
    fn wants_ping(&mut self) -> bool;
    /// Does what [`Session::poll_deadline`] does.
    fn deadline(&self) -> Nanos;
    /// Does what [`Session::resync`] does.
    fn fetch(&mut self, now: Nanos, market: MarketId);
    /// Does what [`Session::late`] does.
    fn late_by(&self, now: Nanos) -> Nanos;
    /// Does what [`Session::poll_notice`] does.
    fn next_notice(&mut self) -> Option<Notice>;
}

impl<S: Session> AnySession for S {
    fn open(&mut self, now: Nanos) {
        self.on_open(now);
    }

    fn frame(
        &mut self,
        now: Nanos,
        frame: &[u8],
        events: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        self.on_frame(now, frame, events)
    }

    fn alive(&mut self, now: Nanos) {
        self.on_alive(now);
    }

    fn due(&mut self, now: Nanos, events: &mut Vec<Event>) -> bool {
        self.on_deadline(now, events)
    }

    fn close(&mut self, now: Nanos, events: &mut Vec<Event>) {
        self.on_close(now, events);
    }

    fn next_frame(&mut self) -> Option<String> {
        self.poll_send().map(|frame| String::from_utf8_lossy(frame).into_owned())
    }

    fn wants_ping(&mut self) -> bool {
        self.poll_ping()
    }

    fn deadline(&self) -> Nanos {
        self.poll_deadline()
    }

    fn fetch(&mut self, now: Nanos, market: MarketId) {
        self.resync(now, market);
    }

    fn late_by(&self, now: Nanos) -> Nanos {
        self.late(now)
    }

    fn next_notice(&mut self) -> Option<Notice> {
        self.poll_notice()
    }
}

/// Reads our id of an order and the venue's out of a frame that names both.
pub type Learn = fn(&[u8]) -> Option<(OrderId, VenueId)>;

/// One WebSocket to a venue.
pub struct Link {
    /// To which venue.
    pub venue: Venue,
    /// What it carries.
    pub kind: Kind,
    /// Which of the venue's market links; 0 for a private one.
    pub number: LinkNumber,
    /// Which host of the venue it leads to.
    pub host: Host,
    /// The path that is asked for there.
    pub path: &'static str,
    /// Who understands it.
    pub session: Box<dyn AnySession>,
    /// The connection, while there is one.
    pub conn: Option<ConnId>,
    /// Since when the connection carries pings and nothing else, where it does.
    pub frozen_since: Option<Nanos>,
    /// Whether a message of this connection was lost: whenever the next one of its kind comes, a gap is found.
    pub lacks: bool,
    /// Until when what we have sent is on its way: nothing overtakes what was sent before.
    pub out_until: Nanos,
    /// The same for what the venue has sent, by kind: where the world says how far the venues are, frames of one kind overtake those
    /// of another.
    pub in_until: [Nanos; 3],
    /// Signs the request that opens it, where the venue wants that.
    pub upgrade: Option<Box<dyn Upgrade>>,
    /// Reads an order's id out of a frame, where the executor learns from this link.
    pub learn: Option<Learn>,
    /// How often the venue pings on it.
    pub pings_every: Option<Nanos>,
}
