//! Fast structures against naive ones, random operations: the naive one is the specification, so it is dull.
//!
//! `SUREFOOT_CASES` says how many steps each stream of a venue takes (20,000; a million by night).
#![allow(clippy::unwrap_used)]

#[path = "support/cases.rs"]
mod cases;

use std::collections::BTreeMap;

use surefoot_hot::book::{Applied, Book, Change, DOUBT_NS_MAX, Level, StaleWhy, Sync, digest};
use surefoot_hot::event::Event;
use surefoot_hot::fees::FeeRule;
use surefoot_hot::grid::Grid;
use surefoot_hot::ids::{ClusterId, MarketId, Outcome, Side, Venue};
use surefoot_hot::links::LinkNumber;
use surefoot_hot::market::{Category, MarketDef, MarketStatus};
use surefoot_hot::units::{Nanos, Price, QTY_MAX, Qty};

use cases::cases;

const M: MarketId = MarketId::new(0);
const SEEDS: u64 = 12;
const STEPS: usize = 4_000;

/// The sequence is the seed's, on every machine.
struct Rng(u64);

impl Rng {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// Every kind of grid: cents, the finest, the coarsest, and tapered.
fn grids() -> Vec<Grid> {
    let uniform = [1_000, 100, 50, 25, 10, 1].map(|step| Grid::uniform(step).unwrap());
    let tapered = [Grid::banded(1_000, 9_000, 10, 100, 10), Grid::banded(100, 9_900, 1, 10, 1)];
    uniform.into_iter().chain(tapered.into_iter().flatten()).collect()
}

fn terms(grid: Grid) -> MarketDef {
    MarketDef {
        market: M,
        venue: Venue::Kalshi,
        shard: 0,
        cluster: ClusterId::new(0),
        grid,
        min_qty: Qty::ZERO,
        close: Nanos::NEVER,
        fee: FeeRule::Kalshi { taker: 70_000, maker: 0 },
        status: MarketStatus::Open,
        category: Category::Unknown,
        theme: None,
    }
}

/// A book as a sorted map a side, and the rules as they are written.
struct Model {
    grid: Grid,
    sides: [BTreeMap<Price, u64>; 2],
    state: State,
    open: bool,
    /// Crossed when the last frame ended.
    doubt: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Fresh,
    Loading,
    Good,
    Stale(StaleWhy),
}

impl Model {
    fn new(grid: Grid) -> Self {
        let sides = [BTreeMap::new(), BTreeMap::new()];
        Self { grid, sides, state: State::Fresh, open: false, doubt: false }
    }

    fn best(&self, side: Side) -> Option<(Price, Qty)> {
        let map = &self.sides[side.index()];
        let best = match side {
            Side::Bid => map.last_key_value(),
            Side::Ask => map.first_key_value(),
        };
        best.map(|(price, qty)| (*price, Qty::from_micros(*qty)))
    }

    fn levels(&self, side: Side) -> Vec<(Price, Qty)> {
        let rising = self.sides[side.index()].iter();
        let mut levels: Vec<_> =
            rising.map(|(price, qty)| (*price, Qty::from_micros(*qty))).collect();
        if side == Side::Bid {
            levels.reverse();
        }
        levels
    }

    fn fail(&mut self, why: StaleWhy) {
        if !matches!(self.state, State::Stale(_)) {
            self.state = State::Stale(why);
        }
        self.open = false;
    }

    fn apply(&mut self, event: &Event) {
        let takes = matches!(self.state, State::Good | State::Loading);
        match *event {
            Event::SnapshotBegin { .. } => {
                *self = Self { state: State::Loading, ..Self::new(self.grid) }
            }
            Event::SnapshotEnd { .. } if self.state == State::Loading => {
                (self.state, self.open) = (State::Good, false);
                if self.is_crossed() {
                    self.fail(StaleWhy::Crossed);
                }
            }
            Event::Level(level) if takes => self.level(&level),
            Event::Stale { why, .. } => self.fail(why),
            Event::Top { last: true, .. } if self.state == State::Good && self.open => {
                (self.open, self.doubt) = (false, self.is_crossed());
            }
            Event::GridChange { grid, .. } => {
                let state = self.state;
                *self = Self { state, ..Self::new(grid) };
                self.fail(StaleWhy::Grid);
            }
            _ => {}
        }
    }

    fn level(&mut self, level: &Level) {
        if !self.grid.allows(level.price) {
            return self.fail(StaleWhy::Level);
        }
        let map = &mut self.sides[level.side.index()];
        let held = i128::from(map.get(&level.price).copied().unwrap_or(0));
        let held = match level.change {
            Change::Set(qty) => i128::from(qty.micros()),
            Change::Add(qty) => held + i128::from(qty.micros()),
            Change::Take(qty) => held - i128::from(qty.micros()),
        };
        if held < 0 || held > i128::from(QTY_MAX.micros()) {
            return self.fail(StaleWhy::Level);
        }
        if held == 0 {
            map.remove(&level.price);
        } else {
            map.insert(level.price, held as u64);
        }
        self.open = !level.last;
        if level.last && self.state == State::Good {
            self.doubt = self.is_crossed(); // no time passes: it is never for too long
        }
    }

    fn is_crossed(&self) -> bool {
        let price = |side| self.best(side).map(|(price, _)| price);
        matches!((price(Side::Bid), price(Side::Ask)), (Some(bid), Some(ask)) if bid >= ask)
    }

    fn agrees_with(&self, book: &Book) -> bool {
        let sync = match book.sync() {
            Sync::Fresh => State::Fresh,
            Sync::Loading => State::Loading,
            Sync::Good => State::Good,
            Sync::Stale { why, .. } => State::Stale(why),
        };
        sync == self.state
            && book.is_good() == (self.state == State::Good && !self.open && !self.doubt)
    }
}

/// Mostly changes near a moving middle, so that books stay good for a while; sometimes anything at all.
fn random_event(rng: &mut Rng, grid: Grid, model: &Model) -> Event {
    let slots = grid.slots() as u64;
    let side = if rng.one_in(2) { Side::Bid } else { Side::Ask };
    let middle = slots / 2;
    let anywhere = rng.one_in(300);
    let slot = match side {
        _ if anywhere => rng.below(slots),
        Side::Bid => 1 + rng.below(middle.max(2) - 1),
        Side::Ask => middle + rng.below((slots - middle).max(2) - 1),
    };
    let mut price = grid.price(slot as usize).unwrap();
    if rng.one_in(2_000) {
        price = Price::from_ticks(rng.below(10_001) as u16).unwrap();
    }
    let held = model.sides[side.index()].get(&price).copied().unwrap_or(0);
    let change = match rng.below(8) {
        0 | 1 => Change::Set(Qty::ZERO),
        2..=4 => Change::Set(Qty::from_micros(rng.below(1_000_000_000))),
        5 => Change::Add(Qty::from_micros(rng.below(1_000_000))),
        6 => Change::Take(Qty::from_micros(held)),
        _ if rng.one_in(100) => Change::Take(Qty::from_micros(held + 1)),
        _ if rng.one_in(100) => Change::Add(QTY_MAX),
        _ => Change::Take(Qty::from_micros(rng.below(held + 1))),
    };
    let last = !rng.one_in(4);
    match rng.below(400) {
        0 => Event::SnapshotEnd { market: M },
        1 => Event::Stale { market: M, why: StaleWhy::Gap },
        2..=3 => {
            Event::SnapshotBegin { market: M, link: LinkNumber::FIRST, venue_time: Nanos::ZERO }
        }
        _ => Event::Level(Level { market: M, side, price, change, last }),
    }
}

#[test]
fn a_book_agrees_with_sorted_maps() {
    let (mut operations, mut good) = (0, 0);
    for (number, grid) in grids().into_iter().enumerate() {
        for seed in 0..SEEDS {
            let mut rng = Rng::new(seed * 100 + number as u64);
            let (mut book, mut model) = (Book::new(terms(grid)), Model::new(grid));
            for step in 0..STEPS {
                let now = Nanos::new(step as u64);
                let event = match model.state {
                    State::Fresh | State::Stale(_) if rng.one_in(5) => {
                        Event::SnapshotBegin { market: M, link: LinkNumber::FIRST, venue_time: now }
                    }
                    State::Loading if rng.one_in(20) => Event::SnapshotEnd { market: M },
                    _ => random_event(&mut rng, grid, &model),
                };
                let was = model.state;
                let applied = book.apply(now, &event);
                model.apply(&event);
                let place = format!("grid {:?}, seed {seed}, step {step}: {event:?}", grid.parts());
                assert!(
                    model.agrees_with(&book),
                    "{place}: {:?}, not {:?}",
                    book.sync(),
                    model.state
                );
                let fell = matches!(model.state, State::Stale(_)) && was != model.state;
                assert_eq!(fell, matches!(applied, Applied::Stale(_)), "{place}: {applied:?}");
                for side in [Side::Bid, Side::Ask] {
                    assert_eq!(book.best(side), model.best(side), "{place}");
                    if step % 64 == 0 {
                        assert!(book.levels(side).eq(model.levels(side)), "{place}");
                    }
                }
                if let Event::Level(level) = &event {
                    let held = model.sides[level.side.index()].get(&level.price).copied();
                    let held = Qty::from_micros(held.unwrap_or(0));
                    assert_eq!(book.qty(level.side, level.price), held, "{place}");
                }
                operations += 1;
                good += usize::from(book.is_good());
            }
        }
    }
    assert!(operations >= 200_000, "{operations}");
    assert!(
        good * 3 > operations,
        "only {good} of {operations}: the generator breaks too many books"
    );
}

#[test]
fn what_a_frame_reports_is_what_a_decision_can_see() {
    for seed in 0..40 {
        let mut rng = Rng::new(seed);
        let grid = grids()[seed as usize % grids().len()];
        let (mut book, mut model) = (Book::new(terms(grid)), Model::new(grid));
        for event in [
            Event::SnapshotBegin { market: M, link: LinkNumber::FIRST, venue_time: Nanos::ZERO },
            Event::SnapshotEnd { market: M },
        ] {
            book.apply(Nanos::ZERO, &event);
            model.apply(&event);
        }
        let view = |book: &Book| (book.best(Side::Bid), book.best(Side::Ask));
        let levels = |book: &Book| -> Vec<_> {
            book.asks_for(Outcome::Yes).chain(book.asks_for(Outcome::No)).collect()
        };
        let (mut top, mut deep) = (view(&book), levels(&book));
        for step in 0..2_000 {
            let event = random_event(&mut rng, grid, &model);
            let Event::Level(level) = event else { continue };
            let applied = book.apply(Nanos::ZERO, &event);
            model.apply(&event);
            if model.state != State::Good {
                break;
            }
            match applied {
                Applied::Pending => assert!(!level.last),
                Applied::Unchanged => assert_eq!(levels(&book), deep, "seed {seed}, step {step}"),
                Applied::Deep => assert_eq!(view(&book), top, "seed {seed}, step {step}"),
                // a frame may move the top there and back: said too often is safe, too seldom is not
                Applied::Top => {}
                other => panic!("seed {seed}, step {step}: {other:?}"),
            }
            if level.last {
                (top, deep) = (view(&book), levels(&book));
            }
        }
    }
}

/// A venue that states its best prices after every frame, over a link that loses one change in a hundred.
#[test]
fn a_lost_change_of_the_top_never_survives_a_stated_top() {
    let (mut lost, mut caught) = (0, 0);
    for seed in 0..200 {
        let mut rng = Rng::new(seed);
        let grid = Grid::uniform(100).unwrap();
        let (mut book, mut venue) = (Book::new(terms(grid)), Model::new(grid));
        for event in [
            Event::SnapshotBegin { market: M, link: LinkNumber::FIRST, venue_time: Nanos::ZERO },
            Event::SnapshotEnd { market: M },
        ] {
            book.apply(Nanos::ZERO, &event);
            venue.apply(&event);
        }
        let mut now = Nanos::ZERO;
        for _ in 0..500 {
            let Event::Level(mut level) = random_event(&mut rng, grid, &venue) else { continue };
            level.last = true;
            venue.apply(&Event::Level(level));
            if venue.state != State::Good {
                break;
            }
            if rng.one_in(100) {
                lost += 1;
            } else {
                book.apply(now, &Event::Level(level));
            }
            let price = |side| venue.best(side).map(|(price, _)| price);
            let top =
                Event::Top { market: M, bid: price(Side::Bid), ask: price(Side::Ask), last: false };
            book.apply(now, &top);
            let ours = |side| book.best(side).map(|(price, _)| price);
            let agrees = ours(Side::Bid) == price(Side::Bid) && ours(Side::Ask) == price(Side::Ask);
            assert!(
                agrees || !book.is_good(),
                "seed {seed}: a book at odds with its venue is good"
            );
            now = now.after(DOUBT_NS_MAX);
            if let Sync::Stale { .. } = book.sync() {
                caught += 1;
                break;
            }
        }
    }
    assert!(lost > 100 && caught > 20, "{lost} lost, {caught} caught");
}

/// How a venue tells of a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// One change a message, as so much more or less, in hundredths of a contract.
    Kalshi,
    /// A few levels a message as what rests there now, in millionths; then the best prices after it.
    Polymarket,
}

/// A book and its model under the messages of one venue.
struct Stream {
    rng: Rng,
    shape: Shape,
    book: Book,
    model: Model,
    steps: u64,
    good: u64,
    emptied: u64,
    grids: u64,
}

impl Stream {
    fn new(shape: Shape, seed: u64) -> Self {
        let grid = grids()[1];
        let (book, model) = (Book::new(terms(grid)), Model::new(grid));
        let rng = Rng::new(seed);
        Self { rng, shape, book, model, steps: 0, good: 0, emptied: 0, grids: 0 }
    }

    /// One event into both, and what may be seen of either compared.
    fn tell(&mut self, event: &Event) {
        self.book.apply(Nanos::new(self.steps), event);
        self.model.apply(event);
        let place = || format!("{:?}, step {}: {event:?}", self.shape, self.steps);
        assert!(
            self.model.agrees_with(&self.book),
            "{}: {:?}, not {:?}",
            place(),
            self.book.sync(),
            self.model.state
        );
        for side in [Side::Bid, Side::Ask] {
            assert_eq!(self.book.best(side), self.model.best(side), "{}", place());
        }
        if self.steps.is_multiple_of(256) {
            let levels = |side| self.model.levels(side);
            for side in [Side::Bid, Side::Ask] {
                assert!(self.book.levels(side).eq(levels(side)), "{}", place());
            }
            let model = digest(levels(Side::Bid).into_iter(), levels(Side::Ask).into_iter());
            assert_eq!(self.book.digest(), model, "{}", place());
        }
        self.steps += 1;
        self.good += u64::from(self.book.is_good());
    }

    /// So much as this venue may say, above zero.
    fn qty(&mut self) -> u64 {
        match self.shape {
            Shape::Kalshi => (1 + self.rng.below(1_000_000)) * 10_000,
            Shape::Polymarket => 1 + self.rng.below(10_000_000_000),
        }
    }

    /// A level near the middle on its own side; rarely anywhere, or off the grid.
    fn place(&mut self) -> (Side, Price) {
        let (side, slots) = (
            if self.rng.one_in(2) { Side::Bid } else { Side::Ask },
            self.model.grid.slots() as u64,
        );
        if self.rng.one_in(3_000) {
            return (side, Price::from_ticks(self.rng.below(10_001) as u16).unwrap());
        }
        let (middle, anywhere) = (slots / 2, self.rng.one_in(3_000));
        let away = self.rng.below(middle.clamp(2, 200) - 1);
        let slot = match side {
            _ if anywhere => self.rng.below(slots),
            Side::Bid => middle - 1 - away,
            Side::Ask => (middle + away).min(slots - 1),
        };
        (side, self.model.grid.price(slot as usize).unwrap())
    }

    /// What happens at a level: one change in five empties it.
    fn change(&mut self, side: Side, price: Price) -> Change {
        let held = self.model.sides[side.index()].get(&price).copied().unwrap_or(0);
        let empties = self.rng.one_in(5);
        self.emptied += u64::from(empties && held > 0);
        let qty = self.qty();
        let (micros, shape) = (Qty::from_micros, self.shape);
        match shape {
            Shape::Polymarket => Change::Set(micros(if empties { 0 } else { qty })),
            Shape::Kalshi if self.rng.one_in(2_000) => Change::Take(micros(held + 10_000)),
            Shape::Kalshi if empties => Change::Take(micros(held)),
            Shape::Kalshi if held > 10_000 && self.rng.one_in(3) => {
                Change::Take(micros(self.rng.below(held / 10_000) * 10_000))
            }
            Shape::Kalshi => Change::Add(micros(qty)),
        }
    }

    fn levels(&mut self, count: u64) {
        for nth in 0..count {
            let (side, price) = self.place();
            let change = self.change(side, price);
            let last = self.shape == Shape::Kalshi && nth + 1 == count;
            self.tell(&Event::Level(Level { market: M, side, price, change, last }));
        }
    }

    fn snapshot(&mut self) {
        let venue_time = Nanos::new(self.steps);
        self.tell(&Event::SnapshotBegin { market: M, link: LinkNumber::FIRST, venue_time });
        for _ in 0..self.rng.below(60) {
            let (side, price) = self.place();
            let change = Change::Set(Qty::from_micros(self.qty()));
            self.tell(&Event::Level(Level { market: M, side, price, change, last: false }));
        }
        self.tell(&Event::SnapshotEnd { market: M });
    }

    /// One message of the venue.
    fn message(&mut self) {
        let is_stale = matches!(self.model.state, State::Fresh | State::Stale(_));
        if (is_stale && self.rng.one_in(4)) || self.rng.one_in(1_000) {
            return self.snapshot();
        }
        match self.rng.below(1_000) {
            0 => self.tell(&Event::Stale { market: M, why: StaleWhy::Gap }),
            1 => {
                let grids = grids();
                let grid = grids[self.rng.below(grids.len() as u64) as usize];
                self.grids += 1;
                self.tell(&Event::GridChange { market: M, grid });
            }
            _ if self.shape == Shape::Kalshi => self.levels(1),
            _ => {
                let count = 1 + self.rng.below(3);
                self.levels(count);
                let price = |side| self.model.best(side).map(|(price, _)| price);
                let (bid, ask) = (price(Side::Bid), price(Side::Ask));
                self.tell(&Event::Top { market: M, bid, ask, last: true });
            }
        }
    }
}

#[test]
fn a_book_agrees_with_sorted_maps_under_the_messages_of_either_venue() {
    let steps = cases(20_000);
    for shape in [Shape::Kalshi, Shape::Polymarket] {
        let mut stream = Stream::new(shape, 1);
        while stream.steps < steps {
            stream.message();
        }
        let Stream { steps, good, emptied, grids, .. } = stream;
        assert!(good * 8 > steps, "{shape:?}: good after {good} of {steps} steps");
        assert!(emptied * 20 > steps && grids > 0, "{shape:?}: {emptied} emptied, {grids} grids");
    }
}
