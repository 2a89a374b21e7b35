//! Whether a link lives: what came in, when to ask for a sign of life, and how long silence may last.

use super::Sink;
use crate::event::{Event, Link};
use crate::ids::Venue;
use crate::units::Nanos;

/// The life of one link. It counts as up from the first thing that came over it, not from its handshake: some venues
/// accept a link and drop it at once.
#[derive(Debug)]
pub(super) struct Pulse {
    venue: Venue,
    link: Link,
    ping_every: Nanos,
    silence_max: Nanos,
    open: bool,
    up: bool,
    heard: Nanos,
    ping_at: Nanos,
}

/// What a moment asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beat {
    /// Nothing.
    Quiet,
    /// A ping.
    Ping,
    /// It has been silent for too long.
    Dead,
}

impl Pulse {
    /// Of a link that is not open yet.
    pub(super) const fn new(
        venue: Venue,
        link: Link,
        ping_every: Nanos,
        silence_max: Nanos,
    ) -> Self {
        Self {
            venue,
            link,
            ping_every,
            silence_max,
            open: false,
            up: false,
            heard: Nanos::ZERO,
            ping_at: Nanos::NEVER,
        }
    }

    pub(super) const fn is_open(&self) -> bool {
        self.open
    }

    /// The socket is there.
    pub(super) const fn open(&mut self, now: Nanos) {
        (self.open, self.up) = (true, false);
        self.heard = now;
        self.ping_at = now.after(self.ping_every);
    }

    /// A sign of life that proves nothing of the conversation.
    pub(super) const fn hear(&mut self, now: Nanos) {
        self.heard = now;
    }

    /// A frame came.
    #[inline]
    pub(super) fn alive<S: Sink>(&mut self, now: Nanos, sink: &mut S) {
        self.heard = now;
        if self.open && !self.up {
            self.up = true;
            sink.push(Event::Link { venue: self.venue, link: self.link, up: true });
        }
    }

    /// Time has passed on an open link.
    pub(super) fn beat(&mut self, now: Nanos) -> Beat {
        if now.since(self.heard) >= self.silence_max {
            return Beat::Dead;
        }
        if now < self.ping_at {
            return Beat::Quiet;
        }
        self.ping_at = now.after(self.ping_every);
        Beat::Ping
    }

    /// The socket is gone.
    pub(super) fn close<S: Sink>(&mut self, sink: &mut S) {
        self.open = false;
        if std::mem::replace(&mut self.up, false) {
            sink.push(Event::Link { venue: self.venue, link: self.link, up: false });
        }
    }

    /// When [`Pulse::beat`] has something to say.
    pub(super) fn deadline(&self) -> Nanos {
        if self.open { self.ping_at.min(self.heard.after(self.silence_max)) } else { Nanos::NEVER }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Nanos {
        Nanos::from_secs(secs)
    }

    #[test]
    fn a_link_is_up_once_something_came_and_dead_once_nothing_does() {
        let mut pulse = Pulse::new(Venue::Kalshi, Link::Market, at(4), at(10));
        let mut told = Vec::new();
        assert_eq!(pulse.deadline(), Nanos::NEVER);
        pulse.open(at(100));
        assert_eq!(pulse.deadline(), at(104));
        assert_eq!(pulse.beat(at(103)), Beat::Quiet);
        assert_eq!(pulse.beat(at(104)), Beat::Ping);
        assert_eq!((pulse.beat(at(105)), pulse.deadline()), (Beat::Quiet, at(108)));
        pulse.alive(at(106), &mut told);
        pulse.alive(at(107), &mut told);
        let link = |up| Event::Link { venue: Venue::Kalshi, link: Link::Market, up };
        assert_eq!(told, [link(true)]);
        assert_eq!(pulse.beat(at(116)), Beat::Ping);
        assert_eq!((pulse.deadline(), pulse.beat(at(117))), (at(117), Beat::Dead));
        pulse.close(&mut told);
        pulse.close(&mut told);
        assert_eq!(told, [link(true), link(false)]);
        assert!(!pulse.is_open() && pulse.deadline() == Nanos::NEVER);
    }
}
