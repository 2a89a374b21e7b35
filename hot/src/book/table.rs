//! Every market's book, by market id.

use super::worst::{StaleMarket, StaleWorst};
use super::{Applied, Book, BookRoom, Ladder, RANKS_ROOM};
use crate::book::StaleWhy;
use crate::bounds::{BOOK_ROOMS_MAX, FINER_GRIDS_MAX, MARKET_LINKS_MAX, MARKETS_MAX};
use crate::grid::Grid;
use crate::id_set::IdSet;
use crate::ids::{MarketId, Venue};
use crate::links::LinkNumber;
use crate::market::{MarketDef, MarketStatus};
use crate::per_id::PerId;
use crate::per_venue::PerVenue;
use crate::state::state_fields;
use crate::units::{Nanos, Qty};

/// Every market's book. The table is allocated once; a book with its market's terms.
///
/// What is asked of all books together is kept as lists and changed where one book changes, so that nothing walks them all:
/// see [`Books::check_lists`].
#[derive(Debug)]
pub struct Books {
    books: PerId<Option<Book>>,
    /// Markets that are followed, by venue.
    markets: PerVenue<IdSet>,
    /// How many books of each venue are whole and not in doubt.
    well: PerVenue<usize>,
    /// The books that `well` counts: whole and not in doubt.
    is_well: IdSet,
    /// Books that disagree with what their venue stated.
    doubted: IdSet,
    /// Books that wait for a snapshot.
    waiting: IdSet,
    /// Books that became stale together with others and that [`Books::take_failed`] has not given yet.
    failed: IdSet,
    /// The books of each market link of each venue, by the link's number: those whose last snapshot came over it.
    by_link: PerVenue<Vec<IdSet>>,
    /// In which of these sets each market is.
    link_of: PerId<Option<(Venue, LinkNumber)>>,
    /// Where [`Books::poll_overdue`] goes on.
    turn: usize,
    /// Ladders with room for tenths of a cent, for markets that are moved to a finer grid.
    finer: Vec<[Ladder; 2]>,
    /// Memory for the books of further markets, made by others.
    rooms: Vec<BookRoom>,
    /// The markets whose books became stale most often.
    worst: StaleWorst,
}

impl Books {
    /// Without a market yet.
    pub fn new() -> Self {
        let none = || IdSet::new(MARKETS_MAX);
        Self {
            books: PerId::new(MARKETS_MAX, None),
            markets: PerVenue::from_fn(|_| none()),
            well: PerVenue::default(),
            is_well: none(),
            doubted: none(),
            waiting: none(),
            failed: none(),
            by_link: PerVenue::from_fn(|_| (0..MARKET_LINKS_MAX).map(|_| none()).collect()),
            link_of: PerId::new(MARKETS_MAX, None),
            turn: 0,
            finer: (0..FINER_GRIDS_MAX)
                .map(|_| [(); 2].map(|()| Ladder::new(1, RANKS_ROOM)))
                .collect(),
            rooms: Vec::with_capacity(BOOK_ROOMS_MAX),
            worst: StaleWorst::default(),
        }
    }

    /// The book of a market whose terms have come in.
    #[inline]
    pub fn get(&self, market: MarketId) -> Option<&Book> {
        self.books.get(market.index())?.as_ref()
    }

    /// A market's terms.
    pub fn terms(&self, market: MarketId) -> Option<&MarketDef> {
        self.get(market).map(Book::terms)
    }

    /// Every market with its book, by rising id.
    pub fn iter(&self) -> impl Iterator<Item = (MarketId, &Book)> {
        let ids = (0_u16..).map(MarketId::new);
        ids.zip(self.books.iter()).filter_map(|(market, book)| Some((market, book.as_ref()?)))
    }

    /// The book of a market whose terms have come in, to be changed.
    #[inline]
    pub(crate) fn get_mut(&mut self, market: MarketId) -> Option<&mut Book> {
        if market.index() >= self.books.len() {
            return None;
        }
        self.books[market.index()].as_mut()
    }

    /// Books that have disagreed with their venue for too long become stale: call until `None` on every timer event. Looks
    /// only at those that are in doubt.
    pub fn poll_overdue(&mut self, now: Nanos) -> Option<(MarketId, StaleWhy)> {
        while let Some(at) = self.doubted.next(self.turn) {
            let market = MarketId::new(at as u16);
            self.turn = at + 1;
            let why = self.get_mut(market).and_then(|book| book.on_time(now));
            self.on_change(market);
            if let Some(why) = why {
                return Some((market, why));
            }
        }
        self.turn = 0;
        None
    }

    /// Markets of a venue that are followed, and how many of their books are whole and not in doubt. One in the middle of a
    /// frame counts as it did before it.
    pub fn health(&self, venue: Venue) -> (usize, usize) {
        (self.markets[venue].len(), self.well[venue])
    }

    /// The first market from `from` on whose book waits for a snapshot that has not begun.
    #[inline]
    pub fn next_waiting(&self, from: MarketId) -> Option<MarketId> {
        self.waiting.next(from.index()).map(|market| MarketId::new(market as u16))
    }

    /// The first market from `from` on that is followed.
    #[inline]
    pub fn next_followed(&self, from: MarketId) -> Option<MarketId> {
        let of_venue = self.markets.values().filter_map(|markets| markets.next(from.index()));
        of_venue.min().map(|market| MarketId::new(market as u16))
    }

    /// The markets whose books became stale most often, and why.
    pub const fn stale_worst(&self) -> StaleWorst {
        self.worst
    }

    /// The next market whose book became stale together with others: whoever keeps prices of it has to look again.
    pub fn take_failed(&mut self) -> Option<MarketId> {
        self.failed.pop().map(|market| MarketId::new(market as u16))
    }

    /// A book has changed: the lists follow. Nothing is to be done where only levels changed, which is most of the time.
    #[inline]
    pub(crate) fn on_change(&mut self, market: MarketId) {
        if self.get(market).is_some_and(|book| book.refile) {
            self.file(market);
        }
    }

    /// Files one book in the lists that it belongs to.
    #[cold]
    fn file(&mut self, market: MarketId) {
        let at = market.index();
        let Some(book) = self.get_mut(market) else { return };
        book.refile = false;
        let venue = book.terms().venue;
        let (is_well, is_doubted) = (book.is_well(), book.is_timed());
        let (is_waiting, is_followed) = (book.is_waiting(), book.is_followed());
        let fed_by = book.fed_by();
        let stales = StaleMarket { market, by: *book.stales() };
        if stales.times() > 0 {
            self.worst.rise(stales);
        }
        for of in Venue::ALL {
            let was_of = self.markets[of].contains(at);
            self.well[of] -= usize::from(was_of && self.is_well.contains(at));
            self.markets[of].set(at, of == venue && is_followed);
        }
        self.well[venue] += usize::from(is_well);
        self.is_well.set(at, is_well);
        self.doubted.set(at, is_doubted);
        self.waiting.set(at, is_waiting);
        let before = std::mem::replace(&mut self.link_of[at], fed_by);
        if before != fed_by {
            if let Some((venue, link)) = before {
                self.by_link[venue][link.index()].remove(at);
            }
            if let Some((venue, link)) = fed_by {
                self.by_link[venue][link.index()].insert(at);
            }
        }
    }

    /// Checks that the lists hold what a walk over all books finds.
    ///
    /// # Panics
    /// Where they do not.
    pub fn check_lists(&self) {
        let mut well = PerVenue::<usize>::default();
        let mut of_links = 0;
        for (at, book) in self.books.iter().enumerate() {
            self.check_place(at);
            let Some(book) = book else { continue };
            of_links += usize::from(book.fed_by().is_some());
            let is_counted = book.is_followed() && book.is_well();
            well[book.terms().venue] += usize::from(is_counted);
        }
        assert_eq!(well, self.well, "the number of books that are well");
        let sets = self.by_link.values().flatten().map(IdSet::len);
        assert_eq!(sets.sum::<usize>(), of_links, "no book is of two links");
    }

    /// The part of [`Books::check_lists`] that looks at one market: it is in the lists in which it belongs, and in no other.
    ///
    /// # Panics
    /// Where it is not.
    pub fn check_place(&self, at: usize) {
        let book = self.books.get(at).and_then(Option::as_ref);
        let is = |of: fn(&Book) -> bool| book.is_some_and(of);
        assert_eq!(self.is_well.contains(at), is(Book::is_well), "market {at} is well");
        assert_eq!(self.waiting.contains(at), is(Book::is_waiting), "market {at} waits");
        assert_eq!(self.doubted.contains(at), is(Book::is_timed), "market {at} is in doubt");
        if let Some((venue, link)) = book.and_then(Book::fed_by) {
            let set = &self.by_link[venue][link.index()];
            assert!(set.contains(at), "market {at} is of its link");
        }
        for venue in Venue::ALL {
            let is_of = |book: &Book| book.is_followed() && book.terms().venue == venue;
            assert_eq!(self.markets[venue].contains(at), book.is_some_and(is_of), "market {at}");
        }
    }

    /// The lists of books. `None` where a book does not stand at its market's place.
    fn rebuild(&mut self) -> Option<()> {
        for at in 0..self.books.len() {
            let market = MarketId::new(u16::try_from(at).expect("MARKETS_MAX fits"));
            if self.terms(market).is_some_and(|terms| terms.market != market) {
                return None;
            }
            self.file(market);
        }
        (self.turn <= self.books.len()).then_some(())
    }

    /// A market's grid is about to be this one: where its book is too small for it, it takes shared room while there is some.
    #[cold]
    pub(crate) fn make_room(&mut self, market: MarketId, grid: Grid) {
        let fits = self.get(market).is_none_or(|book| book.has_room_for(grid));
        if fits || grid.slots() > RANKS_ROOM {
            return;
        }
        if let Some(ladders) = self.finer.pop()
            && let Some(book) = self.get_mut(market)
        {
            book.take_ladders(ladders);
        }
    }

    /// Whether there is a place for further memory: see [`Self::take_room`].
    pub(crate) fn wants_room(&self) -> bool {
        self.rooms.len() < BOOK_ROOMS_MAX
    }

    /// Keeps memory for the book of a market whose terms have not come yet.
    ///
    /// # Panics
    /// Where there is no place for it.
    pub(crate) fn take_room(&mut self, room: BookRoom) {
        assert!(self.wants_room(), "whoever gives memory asks first");
        self.rooms.push(room);
    }

    /// A market's terms came in: the first time they make its book, in memory that was given for it where there is some.
    pub(crate) fn on_terms(&mut self, now: Nanos, terms: &MarketDef) -> Applied {
        self.make_room(terms.market, terms.grid);
        // The directory gives ids below MARKETS_MAX.
        let slot = &mut self.books[terms.market.index()];
        let applied = match slot {
            Some(book) => book.on_terms(now, terms),
            None => {
                // The smallest that fits: larger ones were made for finer grids.
                let rooms = self.rooms.iter().enumerate();
                let fitting = rooms.filter(|(_, room)| room.fits(terms.grid));
                let book = match fitting.min_by_key(|(_, room)| room.slots()) {
                    Some((at, _)) => Book::in_room(*terms, self.rooms.swap_remove(at)),
                    None => Book::new(*terms),
                };
                let book = slot.insert(book);
                assert!(!book.is_good(), "O14: a new book waits for its first snapshot");
                Applied::Unchanged
            }
        };
        self.on_change(terms.market);
        applied
    }

    /// A market that has a book has another status; its levels stay.
    pub(crate) fn set_status(&mut self, market: MarketId, status: MarketStatus) {
        let Some(book) = self.get_mut(market) else { return };
        book.on_status(status);
        self.on_change(market);
    }

    /// A market's least order and its close, as they are listed now.
    pub(crate) fn set_listed(&mut self, market: MarketId, min_qty: Qty, close: Nanos) {
        if let Some(book) = self.get_mut(market) {
            book.on_listed(min_qty, close);
        }
    }

    /// A market is subscribed to no more.
    pub(crate) fn unfollow(&mut self, market: MarketId) {
        let book = self.get_mut(market).expect("a market that is followed has a book");
        book.unfollow();
        self.on_change(market);
        self.failed.remove(market.index());
    }

    /// The books of one market link of a venue became stale at once. Looks at no other book.
    pub(crate) fn fail_link(
        &mut self,
        now: Nanos,
        why: StaleWhy,
        venue: Venue,
        link: LinkNumber,
    ) -> Applied {
        let (mut any, mut from) = (false, 0);
        while let Some(at) = self.by_link[venue][link.index()].next(from) {
            from = at + 1;
            any |= self.fail_one(now, why, at);
        }
        if any { Applied::Many } else { Applied::Unchanged }
    }

    /// Every book became stale at once.
    pub(crate) fn fail_all(&mut self, now: Nanos, why: StaleWhy) -> Applied {
        let mut any = false;
        for at in 0..self.books.len() {
            any |= self.fail_one(now, why, at);
        }
        if any { Applied::Many } else { Applied::Unchanged }
    }

    /// A book became stale together with others. Returns whether it was not before.
    fn fail_one(&mut self, now: Nanos, why: StaleWhy, at: usize) -> bool {
        let market = MarketId::new(at as u16);
        let fails = |book: &mut Book| book.fail(now, why) != Applied::Unchanged;
        let is_new = self.get_mut(market).is_some_and(fails);
        if is_new {
            self.failed.insert(at);
            self.on_change(market);
        }
        is_new
    }
}

impl Default for Books {
    fn default() -> Self {
        Self::new()
    }
}

state_fields! {
    Books {
        books: slots, markets: derived, well: derived, is_well: derived, doubted: derived, waiting: derived, failed: value,
        by_link: derived, link_of: derived, turn: index, finer: derived, rooms: derived,
        worst: derived,
    } then rebuild
}
