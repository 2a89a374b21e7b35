//! Markets in which nothing is opened because something about them was not understood, and messages about our money
//! that could not be read.
//!
//! A quarantine is ours, not the venue's: no frame lifts it, nor does a restart or the end of a halt. One for frames of a
//! strange shape lifts itself once the book has been whole for a while; every other one, above all one for a fill that
//! must not be, waits until a person releases that market.

use super::Core;
use crate::book::Book;
use crate::bounds::{MARKETS_MAX, QUARANTINED_PER_TIMER_MAX};
use crate::event::Oddity;
use crate::id_set::IdSet;
use crate::ids::{MarketId, Venue};
use crate::note::{Alarm, Place};
use crate::outbox::Outbox;
use crate::pack::pack_fields;
use crate::per_id::PerId;
use crate::per_venue::PerVenue;
use crate::risk::{HaltWhy, QuarantineWhy};
use crate::state::state_fields;
use crate::stats::Quarantined;
use crate::units::Nanos;

/// How many messages of a strange shape about one book, within [`SHAPES_SPAN`], quarantine its market: a single one may be
/// a bit that flipped on the way.
const SHAPES_MAX: u8 = 3;
/// The time that [`SHAPES_MAX`] is counted over.
const SHAPES_SPAN: Nanos = Nanos::from_secs(60);
/// A book that has been whole for so long since a fresh snapshot, with nothing odd between, ends that.
const WHOLE_FOR: Nanos = Nanos::from_secs(10);

/// What is odd about one market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Watched {
    /// Odd messages about its book since `first`.
    shapes: u8,
    first: Nanos,
    shut: Option<Shut>,
}

/// Why nothing is opened in a market, and since when its book proves it well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shut {
    why: QuarantineWhy,
    /// The book's epoch then: a later one has had a fresh snapshot.
    epoch: u32,
    /// Since when the book has been whole with one.
    whole: Option<Nanos>,
}

/// Which markets are shut for opening, indexed by market id, and what shut each.
#[derive(Debug)]
pub(super) struct Quarantine {
    markets: PerId<Watched>,
    /// Those of them that are shut.
    shut: IdSet,
    /// Where the next timer event begins to look through them.
    next: usize,
    /// Since when a message about our money at a venue has been unread.
    unread: PerVenue<Option<Nanos>>,
}

impl Watched {
    /// Nothing is odd.
    const CALM: Self = Self { shapes: 0, first: Nanos::ZERO, shut: None };
}

pack_fields! {
    Shut { why, epoch, whole }
    Watched { shapes, first, shut }
}

state_fields! {
    Quarantine { markets: table(Watched::CALM), shut: value, next: index, unread: value }
}

impl Quarantine {
    pub fn new() -> Self {
        Self {
            markets: PerId::new(MARKETS_MAX, Watched::CALM),
            shut: IdSet::new(MARKETS_MAX),
            next: 0,
            unread: PerVenue::default(),
        }
    }

    #[inline]
    pub fn holds(&self, market: MarketId) -> bool {
        self.shut.contains(market.index())
    }

    /// Whether anything about our money is unread.
    pub fn is_unread(&self) -> bool {
        self.unread.values().any(Option::is_some)
    }

    /// A venue's own history, asked for at `since`, agrees with us: whatever was unread before is in it.
    pub fn has_read(&mut self, venue: Venue, since: Nanos) {
        let unread = &mut self.unread[venue];
        *unread = unread.filter(|at| *at >= since);
    }

    /// Every quarantined market, by rising id, and why.
    pub fn iter(&self) -> impl Iterator<Item = (MarketId, QuarantineWhy)> {
        self.shut.iter().filter_map(|at| {
            let why = self.markets[at].shut?.why;
            Some((MarketId::new(at as u16), why))
        })
    }

    /// Checks the list of shut markets against a walk over all of them.
    ///
    /// # Panics
    /// Where they differ.
    pub fn check_list(&self) {
        for (at, watched) in self.markets.iter().enumerate() {
            assert_eq!(self.shut.contains(at), watched.shut.is_some(), "market {at} is shut");
        }
    }

    pub fn shown(&self) -> Quarantined {
        let mut shown = Quarantined::default();
        self.iter().for_each(|(market, why)| shown.add(market, why));
        shown
    }

    /// Returns whether it is new: the market was open before, or shut for a lesser cause.
    fn shut(&mut self, market: MarketId, why: QuarantineWhy, epoch: u32) -> bool {
        let shut = &mut self.markets[market.index()].shut;
        let before = shut.map(|shut| shut.why);
        if before.is_none_or(|before| before <= why) {
            *shut = Some(Shut { why, epoch, whole: None }); // again: the time of good books begins anew
        }
        self.shut.insert(market.index());
        before.is_none_or(|before| before < why)
    }

    fn open(&mut self, market: MarketId) -> bool {
        let watched = &mut self.markets[market.index()];
        (watched.shapes, watched.first) = (0, Nanos::ZERO);
        watched.shut = None;
        self.shut.remove(market.index())
    }
}

impl Core {
    /// How many markets of each venue are quarantined.
    pub(super) fn quarantined(&self) -> PerVenue<u32> {
        let mut count = PerVenue::default();
        for (market, _) in self.quarantine.iter() {
            // One without terms yet is of no venue.
            let venue = self.books.terms(market).map(|terms| terms.venue);
            venue.into_iter().for_each(|venue| count[venue] += 1);
        }
        count
    }

    /// A message was odd. What it may cost is decided here, for both venues.
    pub(super) fn on_odd(
        &mut self,
        now: Nanos,
        venue: Venue,
        market: Option<MarketId>,
        what: Oddity,
        out: &mut Outbox,
    ) {
        self.stats.odd += 1;
        match what {
            Oddity::Shape => {
                if let Some(market) = market {
                    self.on_odd_shape(now, market, SHAPES_MAX, out);
                }
            }
            Oddity::Schema => {
                if let Some(market) = market {
                    self.on_odd_shape(now, market, 1, out);
                }
            }
            Oddity::Meaning => {
                if let Some(market) = market {
                    self.quarantine(market, QuarantineWhy::Meaning, out);
                }
            }
            Oddity::Money => {
                self.stats.unread += 1;
                self.quarantine.unread[venue] = Some(now);
                let place = Place { market, ..Place::of_venue(venue) };
                self.alarm_at(Alarm::UnreadMoney, place, out);
                self.ask_about_all(now, venue, out);
            }
            Oddity::Rounded => {
                let place = Place { market, ..Place::of_venue(venue) };
                self.alarm_at(Alarm::RoundedMoney, place, out);
            }
        }
    }

    fn on_odd_shape(&mut self, now: Nanos, market: MarketId, most: u8, out: &mut Outbox) {
        let watched = &mut self.quarantine.markets[market.index()];
        if now.since(watched.first) >= SHAPES_SPAN {
            (watched.shapes, watched.first) = (0, now);
        }
        watched.shapes = watched.shapes.saturating_add(1);
        if watched.shapes < most && watched.shut.is_none() {
            return;
        }
        self.quarantine(market, QuarantineWhy::Shape, out);
    }

    /// Nothing more is opened in a market; what is held there can be left. Where a venue filled what it must not in a
    /// second market, it is no longer the market's fault: trading halts.
    pub(super) fn quarantine(&mut self, market: MarketId, why: QuarantineWhy, out: &mut Outbox) {
        let elsewhere = why.is_fill()
            && self.quarantine.iter().any(|(other, why)| other != market && why.is_fill());
        let epoch = self.books.get(market).map_or(0, Book::epoch);
        if !self.quarantine.shut(market, why, epoch) {
            return;
        }
        self.alarm(Alarm::Quarantined, Some(market), None, out);
        if elsewhere {
            self.trip(HaltWhy::Impossible, out);
        }
    }

    /// A person has looked.
    pub(super) fn on_release(&mut self, now: Nanos, market: MarketId, out: &mut Outbox) {
        if self.quarantine.open(market) {
            self.on_book(now, market, out);
        }
    }

    /// Books that have been whole for long enough are taken out of quarantine for their shape. Looks at so many markets in
    /// one timer event; the next one goes on behind them.
    pub(super) fn tend_quarantine(&mut self, now: Nanos, out: &mut Outbox) {
        for _ in 0..QUARANTINED_PER_TIMER_MAX {
            let Some(at) = self.quarantine.shut.next(self.quarantine.next) else { break };
            self.quarantine.next = at + 1;
            self.tend_quarantined(now, MarketId::new(at as u16), out);
        }
        if self.quarantine.shut.next(self.quarantine.next).is_none() {
            self.quarantine.next = 0;
        }
    }

    fn tend_quarantined(&mut self, now: Nanos, market: MarketId, out: &mut Outbox) {
        let Some(Shut { why, epoch, whole }) = self.quarantine.markets[market.index()].shut else {
            return;
        };
        if why.needs_person() {
            return;
        }
        let book = self.books.get(market);
        let good = book.is_some_and(|book| book.is_good() && book.epoch() != epoch);
        let since = if good { whole.or(Some(now)) } else { None };
        if since.is_some_and(|since| now.since(since) >= WHOLE_FOR) {
            self.on_release(now, market, out);
        } else {
            let shut = Shut { why, epoch, whole: since };
            self.quarantine.markets[market.index()].shut = Some(shut);
        }
    }
}
