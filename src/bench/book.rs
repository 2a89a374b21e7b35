//! What does a change of a book cost, both best prices read? Above 15 ns at the median the ladder is not worth its
//! memory, and a sorted map would do; with thousands of books, the cost is that of the memory that a change touches, and a
//! bare ladder beside says how much of it is the ladder's.

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
/// Prices a side at which changes happen. As one change in five empties its level, four fifths of them hold something: 330 levels.
const PLACES: u64 = 206;
/// Books where there are many.
const BOOKS: u16 = 8_192;
const NOW: Nanos = Nanos::new(1);

/// A row's books and the changes they get.
struct Feed {
    step: u16,
    books: u16,
    changes: Vec<Event>,
}

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
    /// there are several books, each change is of any of them. Synthetic: the sequence is the seed's.
    fn new(step: u16, apart: u16, books: u16) -> Self {
        let mut draw = draws(7);
        let change = |_| {
            let market = MarketId::new(draw(u64::from(books)) as u16);
            let side = if draw(2) == 0 { Side::Bid } else { Side::Ask };
            let places = PLACES.min(u64::from((5_000 - 2 * step) / apart));
            let away = draw(places) as u16 * apart;
            let ticks = match side {
                Side::Bid => 5_000 - step - away,
                Side::Ask => 5_000 + away,
            };
            let qty = if draw(5) == 0 { 0 } else { 1 + draw(50_000) };
            let price = Price::from_ticks(ticks).expect("within a dollar");
            let change = Change::Set(Qty::from_micros(qty * 10_000));
            Event::Level(Level { market, side, price, change, last: true })
        };
        Self { step, books, changes: (0..STREAM).map(change).collect() }
    }

    /// A thousand prices, ten ticks apart.
    fn thousand() -> Self {
        Self::new(10, 10, 1)
    }

    /// Ten thousand prices; the levels are as far apart as above, so that most words of the ladder hold some.
    fn ten_thousand() -> Self {
        Self::new(1, 10, 1)
    }

    /// Many books of cents, in random order.
    fn many() -> Self {
        Self::new(100, 100, BOOKS)
    }

    fn levels(&self) -> impl Iterator<Item = &Level> {
        self.changes.iter().map(|event| match event {
            Event::Level(level) => level,
            other => unreachable!("a feed holds levels alone, not {other:?}"),
        })
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
        for change in &self.changes {
            books.apply(NOW, change);
        }
        books
    }
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
        let Event::Level(level) = event else { unreachable!("a feed holds levels alone") };
        let applied = books.apply(NOW, event);
        let book = books.get(level.market).expect("its terms came in");
        let (bid, ask) = (book.best(Side::Bid).map(word), book.best(Side::Ask).map(word));
        bid.unwrap_or(0) ^ ask.unwrap_or(1) ^ u64::from(applied == Applied::Top)
    });
    assert!(books.iter().all(|(_, book)| book.is_good()), "they took every change");
    let of = if feed.books == 1 { "one book".to_owned() } else { format!("{} books", feed.books) };
    row.fed(format!(
        "{STREAM} synthetic changes of {of}, {} prices, {live} levels held, one change in five empties its level; both bests read",
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
    let inputs: Vec<_> = feed
        .levels()
        .map(|level| {
            let Change::Set(qty) = level.change else { unreachable!("a feed sets levels") };
            let (price, qty) = (float(level.price.to_string()), float(qty.to_string()));
            (level.market.index(), level.side, price, qty)
        })
        .collect();
    let mut books: Vec<[BTreeMap<Float, f64>; 2]> = Vec::new();
    books.resize_with(usize::from(feed.books), Default::default);
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

/// The least that a book can be: a ladder a side, changed by rank, and nothing that says whether it may be decided from.
fn bare_ladders(name: &'static str, span: Span, feed: &Feed) -> Row {
    let grid = Grid::uniform(feed.step).expect("the step divides a dollar");
    let inputs: Vec<_> = feed
        .levels()
        .map(|level| {
            let Change::Set(qty) = level.change else { unreachable!("a feed sets levels") };
            let slot = grid.slot(level.price).expect("it is on the grid");
            let rank = if level.side == Side::Bid { slot } else { grid.slots() - 1 - slot };
            (level.market.index(), level.side.index(), rank, qty)
        })
        .collect();
    let pair = || [(); 2].map(|()| Ladder::new(grid.slots(), 0));
    let mut books: Vec<[Ladder; 2]> = (0..feed.books).map(|_| pair()).collect();
    measure_stream(name, span, BLOCK, &inputs, |&(market, side, rank, qty)| {
        let sides = &mut books[market];
        let moved = sides[side].set(rank, qty);
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
    let bare = bare.fed("the same changes by rank, each of a bare ladder; both bests read");
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
            (Feed::many(), 101, 8_000, 20_000),
        ] {
            assert!(size_of_val(feed.changes.as_slice()) >= 1 << 20, "a megabyte of input");
            let books = feed.load();
            assert_eq!(Grid::uniform(feed.step).unwrap().slots(), slots);
            let held = levels(&books);
            assert!((least..=most).contains(&held), "{held} levels held");
            assert!(books.iter().all(|(_, book)| book.is_good()));
            let emptied = feed.levels().filter(|level| level.change == Change::Set(Qty::ZERO));
            let emptied = emptied.count() * 100 / STREAM;
            assert!((18..=22).contains(&emptied), "{emptied} in a hundred empty a level");
        }
    }
}
