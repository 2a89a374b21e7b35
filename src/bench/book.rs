//! What does a change of a book cost, both best prices read? Above 15 ns at the median the ladder is not worth its
//! memory, and a sorted map would do; with thousands of books, the cost is that of the memory that a change touches, and a
//! bare ladder beside says how much of it is the ladder's: above 1.2 times that, a book touches memory that it need not.
//!
//! Three things make the comparison of books with bare ladders honest. The ladders take the same events, so that both read the same
//! stream. Both are as deep as a market of cents: of two levels a side, most of a ladder would never be touched. And each level that
//! the stream changes comes in it twice, with different sizes: a level that comes once holds already what the stream says as soon as
//! the stream begins again, and what was then timed is that nothing is to be done.

use std::collections::BTreeMap;

use surefoot_hot::book::{Applied, Book, Books, Change, Ladder, Level};
use surefoot_hot::event::Event;
use surefoot_hot::grid::Grid;
use surefoot_hot::ids::{MarketId, Side, Venue};
use surefoot_hot::links::LinkNumber;
use surefoot_hot::market::MarketDef;
use surefoot_hot::units::{Nanos, Price, Qty};

use super::plain::Float;
use super::{Row, Span, measure_stream};

/// Changes in a block.
const BLOCK: usize = 1_000;
/// Changes in a stream: 1.3 MB of events, and many more ways through a book than a processor remembers.
const STREAM: usize = 20_000;
/// Changes in a stream over many books, four of each: 4.1 MB of events, which change three times as much memory as a second-level cache
/// holds.
const STREAM_MANY: usize = 64_000;
/// Prices a side at which changes happen. As one change in five empties its level, four fifths of them hold something: 330 levels.
const PLACES: u64 = 206;
/// Books where there are many.
const BOOKS: u16 = 8_192;
const NOW: Nanos = Nanos::new(1);

/// Ticks from one price to the next where there are many books.
const CENT: u16 = 100;

/// A row's books and the changes they get.
struct Feed {
    step: u16,
    apart: u16,
    books: u16,
    changes: Vec<Event>,
}

/// Where a level may be: its market, its side, and how many places it is away from the middle.
type Place = (MarketId, Side, u16);

/// Xorshift: the sequence is the seed's.
fn draws(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed | 1;
    move |bound| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) % bound
    }
}

impl Feed {
    /// Changes at any distance from the middle, of `apart` ticks from one place to the next; one in five empties its level. Where
    /// there are several books, each change is of any of them. The second half of the stream is at the places of the first, in
    /// another order. Synthetic: the sequence is the seed's.
    fn new(step: u16, apart: u16, books: u16, stream: usize) -> Self {
        let mut feed = Self { step, apart, books, changes: Vec::with_capacity(stream) };
        let mut draw = draws(7);
        let mut places: Vec<Place> = (0..stream / 2)
            .map(|_| {
                let market = MarketId::new(draw(u64::from(books)) as u16);
                let side = if draw(2) == 0 { Side::Bid } else { Side::Ask };
                (market, side, draw(feed.places()) as u16)
            })
            .collect();
        for _ in 0..2 {
            let changes = places.iter().map(|&place| feed.change(place, &mut draw));
            let changes: Vec<_> = changes.collect();
            feed.changes.extend(changes);
            for nth in (1..places.len()).rev() {
                places.swap(nth, draw(nth as u64 + 1) as usize);
            }
        }
        feed
    }

    /// Places a side.
    fn places(&self) -> u64 {
        PLACES.min(u64::from((5_000 - 2 * self.step) / self.apart))
    }

    fn change(&self, (market, side, away): Place, draw: &mut impl FnMut(u64) -> u64) -> Event {
        let ticks = match side {
            Side::Bid => 5_000 - self.step - away * self.apart,
            Side::Ask => 5_000 + away * self.apart,
        };
        let qty = if draw(5) == 0 { 0 } else { 1 + draw(50_000) };
        let price = Price::from_ticks(ticks).expect("within a dollar");
        let change = Change::Set(Qty::from_micros(qty * 10_000));
        Event::Level(Level { market, side, price, change, last: true })
    }

    /// What many books hold before the stream: something at four places of five. A single book has it from its stream.
    fn held(&self) -> impl Iterator<Item = Event> {
        let books = if self.books > 1 { self.books } else { 0 };
        let mut draw = draws(11);
        let sides = move |market| Side::ALL.into_iter().map(move |side| (market, side));
        let places = (0..books).map(MarketId::new).flat_map(sides).flat_map(|(market, side)| {
            (0..self.places() as u16).map(move |away| (market, side, away))
        });
        places.map(move |place| self.change(place, &mut draw))
    }

    /// A thousand prices, ten ticks apart.
    fn thousand() -> Self {
        Self::new(10, 10, 1, STREAM)
    }

    /// Ten thousand prices; the levels are as far apart as above, so that most words of the ladder hold some.
    fn ten_thousand() -> Self {
        Self::new(1, 10, 1, STREAM)
    }

    /// Many books of cents, in random order.
    fn many() -> Self {
        Self::new(CENT, CENT, BOOKS, STREAM_MANY)
    }

    /// Books that have seen every change once.
    fn load(&self) -> Books {
        let mut books = Books::new();
        for market in (0..self.books).map(MarketId::new) {
            let begin = Event::SnapshotBegin { market, link: LinkNumber::FIRST, venue_time: NOW };
            for event in
                [Event::Market(terms(market, self.step)), begin, Event::SnapshotEnd { market }]
            {
                books.apply(NOW, &event);
            }
        }
        for change in self.held().chain(self.changes.iter().copied()) {
            books.apply(NOW, &change);
        }
        books
    }
}

/// The level that an event of a feed is about.
fn level(event: &Event) -> &Level {
    let Event::Level(level) = event else { unreachable!("a feed holds levels alone") };
    level
}

/// What a level of a feed holds from now on.
fn qty(level: &Level) -> Qty {
    let Change::Set(qty) = level.change else { unreachable!("a feed sets levels") };
    qty
}

fn terms(market: MarketId, step: u16) -> MarketDef {
    let grid = Grid::uniform(step).expect("the step divides a dollar");
    MarketDef { grid, ..MarketDef::bare(market, Venue::Kalshi) }
}

/// One word: handing back the whole would time the copy of it.
fn word((price, qty): (Price, Qty)) -> u64 {
    qty.micros() ^ u64::from(price.ticks())
}

/// Our books: an event in, both best prices out.
fn ours(name: &'static str, span: Span, feed: &Feed) -> Row {
    let mut books = feed.load();
    let live = levels(&books);
    let row = measure_stream(name, span, BLOCK, &feed.changes, |event| {
        let applied = books.apply(NOW, event);
        let book = books.get(level(event).market).expect("its terms came in");
        let (bid, ask) = (book.best(Side::Bid).map(word), book.best(Side::Ask).map(word));
        bid.unwrap_or(0) ^ ask.unwrap_or(1) ^ u64::from(applied == Applied::Top)
    });
    assert!(books.iter().all(|(_, book)| book.is_good()), "they took every change");
    let of = if feed.books == 1 { "one book".to_owned() } else { format!("{} books", feed.books) };
    row.fed(format!(
        "{} synthetic changes of {of}, {} prices, {live} levels held, one change in five empties its level; both bests read",
        feed.changes.len(),
        Grid::uniform(feed.step).expect("as above").slots()
    ))
}

fn levels(books: &Books) -> usize {
    let held = |book: &Book| book.levels(Side::Bid).count() + book.levels(Side::Ask).count();
    books.iter().map(|(_, book)| held(book)).sum()
}

/// The reference: a sorted map of floats a side.
fn sorted_maps(name: &'static str, span: Span, feed: &Feed) -> Row {
    let float = |text: String| text.parse::<f64>().expect("digits");
    let input = |event: &Event| {
        let level = level(event);
        let (price, qty) = (float(level.price.to_string()), float(qty(level).to_string()));
        (level.market.index(), level.side, price, qty)
    };
    let mut books: Vec<[BTreeMap<Float, f64>; 2]> = Vec::new();
    books.resize_with(usize::from(feed.books), Default::default);
    for (market, side, price, qty) in feed.held().map(|event| input(&event)) {
        if qty != 0.0 {
            books[market][side.index()].insert(Float(price), qty);
        }
    }
    let inputs: Vec<_> = feed.changes.iter().map(input).collect();
    measure_stream(name, span, BLOCK, &inputs, |&(market, side, price, qty)| {
        let sides = &mut books[market];
        let map = &mut sides[side.index()];
        if qty == 0.0 {
            map.remove(&Float(price));
        } else {
            map.insert(Float(price), qty);
        }
        let word = |(price, qty): (&Float, &f64)| qty.to_bits() ^ price.0.to_bits();
        let bid = sides[0].last_key_value().map(word);
        let ask = sides[1].first_key_value().map(word);
        bid.unwrap_or(0) ^ ask.unwrap_or(1)
    })
}

/// The least that a book can be: a ladder a side, changed by what the same events say, and nothing that says whether it may be
/// decided from, of how many frames it is or whether they fit each other.
fn bare_ladders(name: &'static str, span: Span, feed: &Feed) -> Row {
    assert!(feed.step == CENT, "what a price's rank is, is written for cents");
    let slots = Grid::uniform(CENT).expect("the step divides a dollar").slots();
    let rank = move |level: &Level| {
        let slot = usize::from(level.price.ticks() / CENT);
        [slot, slots - 1 - slot][level.side.index()] // as a book does: the side is not to be foretold
    };
    let pair = || [(); 2].map(|()| Ladder::new(slots, 0));
    let mut books: Vec<[Ladder; 2]> = (0..feed.books).map(|_| pair()).collect();
    for event in feed.held() {
        let level = level(&event);
        books[level.market.index()][level.side.index()].set(rank(level), qty(level));
    }
    measure_stream(name, span, BLOCK, &feed.changes, |event| {
        let level = level(event);
        let sides = &mut books[level.market.index()];
        let moved = sides[level.side.index()].set(rank(level), qty(level));
        let word = |(rank, qty): (usize, Qty)| qty.micros() ^ rank as u64;
        let (bid, ask) = (sides[0].best().map(word), sides[1].best().map(word));
        bid.unwrap_or(0) ^ ask.unwrap_or(1) ^ moved as u64
    })
}

/// One book of a thousand prices.
pub fn book_update(span: Span) -> Row {
    ours("book_update_1k", span, &Feed::thousand())
}

/// The same through sorted maps.
pub fn book_update_reference(span: Span) -> Row {
    sorted_maps("book_update_1k (BTreeMap, f64)", span, &Feed::thousand())
}

/// One book of ten thousand prices, beside sorted maps.
pub fn book_update_10k(span: Span) -> Row {
    let feed = Feed::ten_thousand();
    let row = ours("book_update_10k", span, &feed);
    row.beside(sorted_maps("book_update_10k (BTreeMap, f64)", span, &feed))
}

/// Many books in random order, beside sorted maps; and bare ladders over the same stream.
pub fn book_update_8192_books(span: Span) -> [Row; 2] {
    let feed = Feed::many();
    let row = ours("book_update_8192_books", span, &feed);
    let bare = bare_ladders("book_update_8192_ladders", span, &feed);
    let bare = bare.fed("the same events, each of a bare ladder of as many prices that holds the same levels; both bests read");
    [row.beside(sorted_maps("book_update_8192_books (BTreeMap, f64)", span, &feed)), bare]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_books_are_what_the_rows_say() {
        for (feed, slots, least, most) in [
            (Feed::thousand(), 1_001, 310, 350),
            (Feed::ten_thousand(), 10_001, 310, 350),
            (Feed::many(), 101, 620_000, 640_000),
        ] {
            assert!(size_of_val(feed.changes.as_slice()) >= 1 << 20, "a megabyte of input");
            let mut books = feed.load();
            assert_eq!(Grid::uniform(feed.step).unwrap().slots(), slots);
            let held = levels(&books);
            assert!((least..=most).contains(&held), "{held} levels held");
            assert!(books.iter().all(|(_, book)| book.is_good()));
            let is_zero = |event: &&Event| qty(level(event)).is_zero();
            let emptied = feed.changes.iter().filter(is_zero).count() * 100 / feed.changes.len();
            assert!((18..=22).contains(&emptied), "{emptied} in a hundred empty a level");
            // The stream begins again: what it says is still news, of nearly every book.
            let mut changed = vec![false; usize::from(feed.books)];
            let mut news = 0;
            for event in &feed.changes {
                if books.apply(NOW, event) != Applied::Unchanged {
                    changed[level(event).market.index()] = true;
                    news += 1;
                }
            }
            let news = news * 100 / feed.changes.len();
            assert!((94..=98).contains(&news), "{news} in a hundred change something");
            let changed = changed.iter().filter(|changed| **changed).count();
            assert!(changed * 100 >= usize::from(feed.books) * 97, "{changed} books");
        }
    }
}
