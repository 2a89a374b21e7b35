//! Whether a link lives: what came in, when to ask for a sign of life, and how long silence may last.

use super::EventSink;
use crate::event::{Event, Link};
use crate::ids::Venue;
use crate::links::LinkNumber;
use crate::units::Nanos;

/// The life of one link. It counts as up from the first thing that came over it, not from its handshake: some venues
/// accept a link and drop it at once.
#[derive(Debug)]
pub(super) struct Pulse {
    venue: Venue,
    link: Link,
    number: LinkNumber,
    ping_every: Nanos,
    silence_max: Nanos,
    open: bool,
    up: bool,
    heard: Nanos,
    ping_at: Nanos,
    data: Rhythm,
}

/// What a moment asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beat {
    /// Nothing is due.
    Quiet,
    /// A ping is to be sent now.
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
            number: LinkNumber::FIRST,
            ping_every,
            silence_max,
            open: false,
            up: false,
            heard: Nanos::ZERO,
            ping_at: Nanos::NEVER,
            data: Rhythm::NONE,
        }
    }

    /// The link has this number among the venue's market links.
    pub(super) const fn set_number(&mut self, number: LinkNumber) {
        self.number = number;
    }

    pub(super) const fn number(&self) -> LinkNumber {
        self.number
    }

    pub(super) const fn is_open(&self) -> bool {
        self.open
    }

    /// The socket is there.
    pub(super) const fn open(&mut self, now: Nanos) {
        (self.open, self.up) = (true, false);
        self.heard = now;
        self.ping_at = now.after(self.ping_every);
        self.data.begin(now);
    }

    /// A change or a whole book came. A link that answers pings and carries no more of them is dead all the same.
    #[inline]
    pub(super) fn data(&mut self, now: Nanos) {
        self.data.hear(now);
    }

    /// A sign of life that proves nothing of the conversation.
    pub(super) const fn hear(&mut self, now: Nanos) {
        self.heard = now;
    }

    /// A frame came.
    #[inline]
    pub(super) fn alive<S: EventSink>(&mut self, now: Nanos, sink: &mut S) {
        self.heard = now;
        if self.open && !self.up {
            self.up = true;
            self.tell(true, sink);
        }
    }

    /// Time has passed on an open link.
    pub(super) fn beat(&mut self, now: Nanos) -> Beat {
        if now.since(self.heard) >= self.silence_max {
            return Beat::Dead;
        }
        if now >= self.data.deadline() {
            self.data.strike();
            return Beat::Dead;
        }
        if now < self.ping_at {
            return Beat::Quiet;
        }
        self.ping_at = now.after(self.ping_every);
        Beat::Ping
    }

    /// The socket is gone.
    pub(super) fn close<S: EventSink>(&mut self, sink: &mut S) {
        self.open = false;
        if std::mem::replace(&mut self.up, false) {
            self.tell(false, sink);
        }
    }

    fn tell<S: EventSink>(&self, up: bool, sink: &mut S) {
        let Self { venue, link, number, .. } = *self;
        sink.push(Event::Link { venue, link, number, up });
    }

    /// When [`Pulse::beat`] has something to say.
    pub(super) fn deadline(&self) -> Nanos {
        if !self.open {
            return Nanos::NEVER;
        }
        self.ping_at.min(self.heard.after(self.silence_max)).min(self.data.deadline())
    }
}

/// How often a stream has something to say of its markets, learnt from itself: busy ones within milliseconds, quiet
/// ones within minutes.
#[derive(Clone, Copy, Debug)]
struct Rhythm {
    heard: u32,
    last: Nanos,
    /// The longest silences of this window and the one before.
    longest: [Nanos; 2],
    window: Nanos,
    /// How often in a row it was silent for too long.
    strikes: u8,
    struck: Nanos,
}

/// So many messages must have come before a stream has a rhythm: until then only the longest silence is too long. They are remembered
/// over a reconnect, and not over a restart.
const RHYTHM_LEAST: u32 = 64;
/// A stream is silent for too long once its silence is this many times the longest of late; see the two bounds below.
const RHYTHM_TIMES: u64 = 8;
/// No silence shorter than this is too long.
const SILENCE_LEAST: Nanos = Nanos::from_secs(5);
/// Every silence longer than this is too long.
const SILENCE_MOST: Nanos = Nanos::from_secs(120);
/// Silences are remembered for one to two of these.
const WINDOW: Nanos = Nanos::from_secs(60);
/// Each time that it was too silent the bound is doubled, so often at most: a market that went to sleep costs a few
/// reconnects, a stream that is cut off again and again is still found within some twenty seconds.
const STRIKES_MAX: u8 = 2;
/// A link that was never too silent for so long is judged as at first.
const FORGIVEN_AFTER: Nanos = Nanos::from_secs(600);

impl Rhythm {
    const NONE: Self = Self {
        heard: 0,
        last: Nanos::ZERO,
        longest: [Nanos::ZERO; 2],
        window: Nanos::ZERO,
        strikes: 0,
        struck: Nanos::ZERO,
    };

    /// The link is new.
    const fn begin(&mut self, now: Nanos) {
        self.last = now;
    }

    #[inline]
    fn hear(&mut self, now: Nanos) {
        let silent = now.since(self.last);
        self.last = now;
        self.heard = self.heard.saturating_add(1);
        self.longest[0] = self.longest[0].max(silent);
        if now.since(self.window) >= WINDOW {
            self.turn_window(now);
        }
    }

    #[cold]
    fn turn_window(&mut self, now: Nanos) {
        self.longest = [Nanos::ZERO, self.longest[0]];
        self.window = now;
        if now.since(self.struck) >= FORGIVEN_AFTER {
            self.strikes = 0;
        }
    }

    /// It has been silent for too long.
    fn strike(&mut self) {
        self.struck = self.deadline();
        self.strikes = (self.strikes + 1).min(STRIKES_MAX);
    }

    /// When silence will have been too long.
    fn deadline(&self) -> Nanos {
        if self.heard == 0 {
            return Nanos::NEVER; // not a link of books, or none is followed there yet
        }
        let longest = self.longest[0].max(self.longest[1]);
        let usual = Nanos::new(longest.get().saturating_mul(RHYTHM_TIMES));
        let has_rhythm = self.heard >= RHYTHM_LEAST;
        let bound =
            if has_rhythm { usual.max(SILENCE_LEAST).min(SILENCE_MOST) } else { SILENCE_MOST };
        self.last.after(Nanos::new(bound.get() << self.strikes))
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
        let (venue, link, number) = (Venue::Kalshi, Link::Market, LinkNumber::FIRST);
        let link = |up| Event::Link { venue, link, number, up };
        assert_eq!(told, [link(true)]);
        assert_eq!(pulse.beat(at(116)), Beat::Ping);
        assert_eq!((pulse.deadline(), pulse.beat(at(117))), (at(117), Beat::Dead));
        pulse.close(&mut told);
        pulse.close(&mut told);
        assert_eq!(told, [link(true), link(false)]);
        assert!(!pulse.is_open() && pulse.deadline() == Nanos::NEVER);
    }

    /// A link that hears a pong every second, and data every so many milliseconds for so long; when it is given up, in
    /// seconds after its data ended, if within ten minutes.
    fn given_up(every_ms: u64, secs: u64) -> Option<u64> {
        let mut pulse = Pulse::new(Venue::Polymarket, Link::Market, at(4), at(10));
        pulse.open(at(1_000));
        let end = at(1_000 + secs);
        let mut now = at(1_000);
        while now < end {
            now = now.after(Nanos::from_millis(every_ms));
            pulse.hear(now);
            pulse.data(now);
        }
        (0..600).find(|second| {
            let then = now.after(at(*second));
            pulse.hear(then);
            pulse.beat(then) == Beat::Dead
        })
    }

    #[test]
    fn pongs_alone_do_not_keep_a_link_of_books_alive() {
        assert_eq!(given_up(5, 6), Some(5), "a busy one, cut off after six seconds");
        assert_eq!(given_up(2_000, 300), Some(16), "one that speaks every two seconds");
        assert_eq!(given_up(30_000, 3_600), Some(120), "a quiet one");
        assert_eq!(given_up(1_000, 20), Some(120), "too little was heard to know its rhythm");
        assert_eq!(given_up(1_000, 0), None, "a link that carries no books");
    }

    #[test]
    fn a_link_that_is_cut_off_again_after_its_snapshots_is_found_again() {
        let mut pulse = Pulse::new(Venue::Polymarket, Link::Market, at(4), at(10));
        pulse.open(at(100));
        for ms in 0..1_000 {
            pulse.data(at(100).after(Nanos::from_millis(ms)));
        }
        for (begin, bound) in [(101, 5), (200, 10), (300, 20), (400, 20)] {
            pulse.open(at(begin));
            pulse.data(at(begin));
            pulse.hear(at(begin + bound));
            assert_ne!(pulse.beat(at(begin + bound - 1)), Beat::Dead);
            assert_eq!(pulse.beat(at(begin + bound)), Beat::Dead, "{bound}");
        }
        pulse.open(at(500));
        for second in 0..700 {
            pulse.data(at(500 + second));
        }
        assert_eq!(pulse.data.strikes, 0, "long since well");
    }
}
