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
use crate::ids::{MarketId, OrderId, Venue};
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

/// How many fills of a market that were charged another fee than its rule's quarantine it.
const FEE_DRIFTS_MAX: u8 = 3;
/// How many fills of a market must have been taken back, among those whose end is known, before their share counts.
const REVERTS_MIN: u16 = 5;
/// The share of fills taken back, in percent, that quarantines a market. On a bad day a third of a market's fills were seen to
/// fail (`venues/polymarket.md` §10, 2026-05).
const REVERTS_PERCENT: u32 = 25;
/// Of so many fills whose end is known half is forgotten, so that the share is that of late.
const ENDS_MAX: u16 = 64;

/// What is odd about one market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Watched {
    /// Odd messages about its book since `first`.
    shapes: u8,
    first: Nanos,
    shut: Option<Shut>,
    /// Fills that were charged another fee than the rule's.
    fee_drifts: u8,
    /// Of the fills that were provisional, those that became final and those that were taken back.
    confirmed: u16,
    reverted: u16,
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
    const CALM: Self = Self {
        shapes: 0,
        first: Nanos::ZERO,
        shut: None,
        fee_drifts: 0,
        confirmed: 0,
        reverted: 0,
    };

    /// A provisional fill came to its end. Returns whether too many were taken back.
    fn on_end(&mut self, reverted: bool) -> bool {
        let count = if reverted { &mut self.reverted } else { &mut self.confirmed };
        *count += 1;
        let all = self.confirmed + self.reverted;
        let too_many = self.reverted >= REVERTS_MIN
            && u32::from(self.reverted) * 100 >= u32::from(all) * REVERTS_PERCENT;
        if all >= ENDS_MAX {
            (self.confirmed, self.reverted) = (self.confirmed / 2, self.reverted / 2);
        }
        too_many && reverted
    }
}

pack_fields! {
    Shut { why, epoch, whole }
    Watched { shapes, first, shut, fee_drifts, confirmed, reverted }
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
        if before.is_none_or(|before| before.gravity() <= why.gravity()) {
            *shut = Some(Shut { why, epoch, whole: None }); // again: the time of good books begins anew
        }
        self.shut.insert(market.index());
        before.is_none_or(|before| before.gravity() < why.gravity())
    }

    fn open(&mut self, market: MarketId) -> bool {
        let watched = &mut self.markets[market.index()];
        // A book that is whole again says nothing of fees and fills.
        let was_looked_at = watched.shut.is_some_and(|shut| shut.why.needs_person());
        let before = if was_looked_at { Watched::CALM } else { *watched };
        *watched = Watched { shapes: 0, first: Nanos::ZERO, shut: None, ..before };
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
            Oddity::Unanswered => {
                let place = Place { market, ..Place::of_venue(venue) };
                self.alarm_at(Alarm::Unanswered, place, out);
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

    /// A fill, or what was found of the fees of a market later, is not what its rule says (P5).
    pub(super) fn on_fee_drift(
        &mut self,
        market: MarketId,
        order: Option<OrderId>,
        out: &mut Outbox,
    ) {
        self.alarm(Alarm::FeeDrift, Some(market), order, out);
        let drifts = &mut self.quarantine.markets[market.index()].fee_drifts;
        *drifts = drifts.saturating_add(1);
        if *drifts >= FEE_DRIFTS_MAX {
            self.quarantine(market, QuarantineWhy::Fees, out);
        }
    }

    /// A fill that was provisional became final, or was taken back: a market in which that happens again and again is left
    /// alone.
    pub(super) fn on_fill_end(&mut self, market: MarketId, reverted: bool, out: &mut Outbox) {
        if self.quarantine.markets[market.index()].on_end(reverted) {
            self.quarantine(market, QuarantineWhy::Reverts, out);
        }
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
