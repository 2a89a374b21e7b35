//! Every market's book, by market id.

use super::{Applied, Book};
use crate::book::StaleWhy;
use crate::bounds::MARKETS_MAX;
use crate::hash::Hash64;
use crate::ids::{MarketId, Venue};
use crate::market::MarketDef;
use crate::units::Nanos;

/// Every market's book. The table is allocated once; a book with its market's terms.
#[derive(Debug)]
pub struct Books {
    books: Vec<Option<Book>>,
    /// Where [`Books::poll_overdue`] goes on.
    turn: usize,
}

impl Books {
    /// Without a market yet.
    pub fn new() -> Self {
        Self { books: (0..MARKETS_MAX).map(|_| None).collect(), turn: 0 }
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
        ids.zip(&self.books).filter_map(|(market, book)| Some((market, book.as_ref()?)))
    }

    /// The book of a market whose terms have come in, to be changed.
    #[inline]
    pub(crate) fn get_mut(&mut self, market: MarketId) -> Option<&mut Book> {
        self.books.get_mut(market.index())?.as_mut()
    }

    /// Books that have disagreed with their venue for too long become stale: call until `None` on every timer event.
    pub fn poll_overdue(&mut self, now: Nanos) -> Option<(MarketId, StaleWhy)> {
        while let Some(slot) = self.books.get_mut(self.turn) {
            let market = MarketId::new(self.turn as u16);
            self.turn += 1;
            if let Some(why) = slot.as_mut().and_then(|book| book.on_time(now)) {
                return Some((market, why));
            }
        }
        self.turn = 0;
        None
    }

    /// Markets of a venue, and how many of their books are good.
    pub fn health(&self, venue: Venue) -> (usize, usize) {
        let mine = || self.books.iter().flatten().filter(|book| book.terms().venue == venue);
        (mine().count(), mine().filter(|book| book.is_good()).count())
    }

    /// Takes everything a decision depends on into a hash.
    pub fn hash_into(&self, hash: &mut Hash64) {
        for (market, book) in self.iter() {
            hash.word(u64::from(market.get()));
            book.hash_into(hash);
        }
    }

    /// A market's terms came in: the first time they make its book.
    pub(crate) fn on_terms(&mut self, now: Nanos, terms: &MarketDef) -> Applied {
        let slot = self
            .books
            .get_mut(terms.market.index())
            .expect("the directory gives ids below MARKETS_MAX");
        match slot {
            Some(book) => book.on_terms(now, terms),
            None => {
                let book = slot.insert(Book::new(*terms));
                assert!(!book.is_good(), "O14: a new book waits for its first snapshot");
                Applied::Unchanged
            }
        }
    }

    /// The books of some markets became stale at once.
    pub(crate) fn fail_where(
        &mut self,
        now: Nanos,
        why: StaleWhy,
        which: impl Fn(&MarketDef) -> bool,
    ) -> Applied {
        let mut any = false;
        for book in self.books.iter_mut().flatten().filter(|book| which(book.terms())) {
            any |= book.fail(now, why) != Applied::Unchanged;
        }
        if any { Applied::Many } else { Applied::Unchanged }
    }
}

impl Default for Books {
    fn default() -> Self {
        Self::new()
    }
}
