//! Whether a link lives: what came in, when to ask for a sign of life, and how long silence may last.

use super::EventSink;
use crate::event::{Event, Link};
use crate::ids::Venue;
use crate::links::LinkNumber;
use crate::units::Nanos;

/// The life of one link. It counts as up from the first thing that came over it, not from its handshake: some venues
/// accept a link and drop it at once. One that is not up by the time that silence may last is dead, though it answers pings.
#[derive(Debug)]
pub(super) struct Pulse {
    venue: Venue,
    link: Link,
    number: LinkNumber,
    ping_every: Nanos,
    silence_max: Nanos,
    open: bool,
    up: bool,
    /// When it must be up.
    up_by: Nanos,
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
            up_by: Nanos::NEVER,
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
    pub(super) fn open(&mut self, now: Nanos) {
        (self.open, self.up) = (true, false);
        self.heard = now;
        self.expect(now);
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
        if self.up_by != Nanos::NEVER {
            self.up_by = Nanos::NEVER;
            if !std::mem::replace(&mut self.up, true) {
                self.tell(true, sink);
            }
        }
    }

    /// What makes it useful was asked for: [`Pulse::alive`] must be told that it came, in the time that silence may last.
    pub(super) fn expect(&mut self, now: Nanos) {
        self.up_by = now.after(self.silence_max);
    }

    /// Whether what makes it useful has not come in time.
    pub(super) fn is_late(&self, now: Nanos) -> bool {
        now >= self.up_by
    }

    /// Time has passed on an open link.
    pub(super) fn beat(&mut self, now: Nanos) -> Beat {
        if now.since(self.heard) >= self.silence_max || self.is_late(now) {
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
        (self.open, self.up_by) = (false, Nanos::NEVER);
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
        let heard_by = self.heard.after(self.silence_max);
        self.ping_at.min(heard_by).min(self.up_by).min(self.data.deadline())
    }
}

/// How often a stream has something to say of its markets, learnt from itself: busy ones within milliseconds, quiet
/// ones within minutes.
#[derive(Clone, Copy, Debug)]
struct Rhythm {
    heard: u32,
    last: Nanos,
    /// When the link was made.
    began: Nanos,
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
/// Each time that it was too silent the bound is doubled, so often at most: a stream that is cut off again and again is still found
/// within some twenty seconds.
const STRIKES_MAX: u8 = 2;
/// The same where nothing came but what a new link begins with: its markets are asleep, most likely, and none of them is worth a
/// reconnect every twenty seconds. A stream that is cut off as it begins looks the same; its markets are suspect one by one
/// (`core/silence.rs`).
const ASLEEP_MAX: u8 = 7;
/// What a new link begins with has come by then.
const BEGUN_WITHIN: Nanos = Nanos::from_secs(5);
/// However often it was too silent, it is so once it has been for this long.
const STRUCK_MOST: Nanos = Nanos::new(SILENCE_MOST.get() << STRIKES_MAX);
/// A link that was never too silent for so long is judged as at first.
const FORGIVEN_AFTER: Nanos = Nanos::from_secs(600);

impl Rhythm {
    const NONE: Self = Self {
        heard: 0,
        last: Nanos::ZERO,
        began: Nanos::ZERO,
        longest: [Nanos::ZERO; 2],
        window: Nanos::ZERO,
        strikes: 0,
        struck: Nanos::ZERO,
    };

    /// The link is new.
    const fn begin(&mut self, now: Nanos) {
        (self.began, self.last) = (now, now);
    }

    #[inline]
    fn hear(&mut self, now: Nanos) {
        let silent = now.since(self.last);
        self.last = now;
        self.heard = self.heard.saturating_add(1);
        self.longest[0] = self.longest[0].max(silent);
        if self.strikes > STRIKES_MAX && now.since(self.began) > BEGUN_WITHIN {
            self.strikes = STRIKES_MAX; // it has woken up
        }
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
        let is_asleep = self.last.since(self.began) <= BEGUN_WITHIN;
        let most = if is_asleep { ASLEEP_MAX } else { STRIKES_MAX };
        self.strikes = (self.strikes + 1).min(most);
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
        self.last.after(Nanos::new(bound.get() << self.strikes).min(STRUCK_MOST))
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
        assert!(!pulse.is_late(at(110)));
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

    #[test]
    fn a_link_that_answers_pings_and_nothing_else_is_dead_in_as_long() {
        let mut pulse = Pulse::new(Venue::Kalshi, Link::Private, at(4), at(10));
        let mut told = Vec::new();
        pulse.open(at(100));
        for second in 101..110 {
            pulse.hear(at(second));
            assert_ne!(pulse.beat(at(second)), Beat::Dead);
        }
        pulse.hear(at(110));
        assert!(pulse.deadline() <= at(110) && pulse.is_late(at(110)));
        assert_eq!(pulse.beat(at(110)), Beat::Dead);
        // What was up and must be asked for anew has as long again.
        pulse.open(at(200));
        pulse.alive(at(201), &mut told);
        pulse.expect(at(300));
        pulse.hear(at(309));
        assert_ne!(pulse.beat(at(309)), Beat::Dead);
        assert_eq!(pulse.beat(at(310)), Beat::Dead);
        assert_eq!(told.len(), 1);
    }

    /// A link that hears a pong every second, and data every so many milliseconds for so long; when it is given up, in
    /// seconds after its data ended, if within ten minutes.
    fn given_up(every_ms: u64, secs: u64) -> Option<u64> {
        let mut pulse = Pulse::new(Venue::Polymarket, Link::Market, at(4), at(10));
        pulse.open(at(1_000));
        pulse.alive(at(1_000), &mut Vec::new());
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

    /// A busy link that is made anew at 1,000 s, speaks for so many seconds and falls silent for good, time after time: after how
    /// many seconds of silence it is given up each time.
    fn given_up_again(speaks: u64, times: u64) -> Vec<u64> {
        let mut pulse = Pulse::new(Venue::Polymarket, Link::Market, at(4), at(10));
        pulse.open(at(100));
        for ms in 0..1_000 {
            pulse.data(at(100).after(Nanos::from_millis(ms)));
        }
        let mut now = at(101);
        let give_up = |_| {
            pulse.open(now);
            pulse.alive(now, &mut Vec::new());
            for _ in 0..speaks * 10 + 1 {
                pulse.data(now);
                now = now.after(Nanos::from_millis(100));
            }
            let silent = now;
            loop {
                now = now.after(at(1));
                pulse.hear(now);
                if pulse.beat(now) == Beat::Dead {
                    return now.since(silent).millis() / 1_000;
                }
            }
        };
        (0..times).map(give_up).collect()
    }

    #[test]
    fn a_link_that_is_cut_off_again_and_again_is_found_again() {
        assert_eq!(given_up_again(6, 5), [5, 10, 20, 20, 20]);
        let mut pulse = Pulse::new(Venue::Polymarket, Link::Market, at(4), at(10));
        pulse.data.strikes = ASLEEP_MAX;
        pulse.open(at(500));
        for second in 0..6 {
            pulse.data(at(500 + second));
        }
        assert_eq!(pulse.data.strikes, ASLEEP_MAX, "those may be its snapshots");
        pulse.data(at(506));
        assert_eq!(pulse.data.strikes, STRIKES_MAX);
        for second in 7..700 {
            pulse.data(at(500 + second));
        }
        assert_eq!(pulse.data.strikes, 0, "long since well");
    }

    #[test]
    fn a_link_whose_markets_went_to_sleep_costs_a_few_reconnects() {
        let spans = given_up_again(0, 10);
        assert_eq!(spans, [5, 10, 20, 40, 80, 160, 320, 480, 480, 480]);
    }
}
