//! What does the worst case of a plan cost? It is worked out once before the first order leaves; above 2 µs it would have to
//! leave the path. The reference walks through every set of legs under every shock, in floats.

#![allow(clippy::float_arithmetic, reason = "the reference is written with floats on purpose")]

use surefoot_hot::book::{Book, Books, Change, Level};
use surefoot_hot::event::Event;
use surefoot_hot::ids::{MarketId, Outcome, Side, Venue};
use surefoot_hot::links::LinkNumber;
use surefoot_hot::risk::{PlanLoss, PlannedLeg, shocks};
use surefoot_hot::units::{Nanos, Price, Qty, Usd};

use super::{Row, Span, desk, measure_stream};

/// Plans in a block.
const BLOCK: usize = 100;
const PLANS: usize = 4_000;
/// Pairs of books that they are of, so many that the books take more than a megabyte.
const PAIRS: u16 = 4_096;
/// Levels of a side of each.
const DEPTH: u16 = 15;
/// Of all of them: the rows of their table, and what rests at each level of both sides.
const BOOK_BYTES: usize =
    2 * PAIRS as usize * (size_of::<Book>() + 2 * DEPTH as usize * size_of::<Qty>());
const _: () = assert!(BOOK_BYTES > 1 << 20, "more than a cache close to a core holds");

/// A plan of two legs of which one pays, so that every shock has to be looked at: a pair, and how many contracts of each leg.
#[derive(Clone, Copy, Debug)]
struct Pair {
    nth: u16,
    qty: Qty,
}

/// By how many cents the prices of a pair lie above those of the first.
const fn shift(nth: u16) -> u16 {
    nth % 9
}

impl Pair {
    /// The legs, and what one contract of them costs, in cents.
    const fn legs(self) -> [(MarketId, Outcome, u16); 2] {
        let [pm, ka] = [MarketId::new(2 * self.nth), MarketId::new(2 * self.nth + 1)];
        [(pm, Outcome::Yes, 43 + shift(self.nth)), (ka, Outcome::No, 53 - shift(self.nth))]
    }
}

/// Every book: the sizes of its levels are its own.
fn books() -> Books {
    let (mut books, now) = (Books::new(), Nanos::from_secs(1));
    for entry in desk::directory_of(PAIRS).iter() {
        let market = entry.def.market;
        let (bid, ask) = match entry.def.venue {
            Venue::Polymarket => (38, 40),
            Venue::Kalshi => (50, 54),
        };
        books.apply(now, &Event::Market(entry.def));
        let link = LinkNumber::FIRST;
        books.apply(now, &Event::SnapshotBegin { market, link, venue_time: now });
        let shift = shift(market.get() / 2);
        for nth in 0..DEPTH {
            for (side, cents) in [(Side::Bid, bid + shift - nth), (Side::Ask, ask + shift + nth)] {
                let price = Price::from_ticks(100 * cents).expect("under a dollar");
                let contracts = 20 + (7 * u64::from(nth) + 13 * u64::from(market.get())) % 90;
                let change = Change::Set(Qty::from_contracts(contracts));
                books.apply(now, &Event::Level(Level { market, side, price, change, last: false }));
            }
        }
        books.apply(now, &Event::SnapshotEnd { market });
    }
    books
}

/// The plans, in an order that jumps from book to book.
fn plans() -> Vec<Pair> {
    let nth = |at: usize| (at * 197 % usize::from(PAIRS)) as u16; // no divisor in common
    (0..PLANS)
        .map(|at| Pair { nth: nth(at), qty: Qty::from_contracts(10 + 3 * (at as u64 % 100)) })
        .collect()
}

fn book(books: &Books, market: MarketId) -> &Book {
    books.get(market).expect("it has terms")
}

/// The worst case of a plan.
fn worst(books: &Books, pair: Pair) -> PlanLoss {
    let legs = pair.legs().into_iter().map(|(market, outcome, cents)| {
        let book = book(books, market);
        let micros = pair.qty.micros() / 100 * u64::from(cents);
        PlannedLeg {
            cost: Usd::from_micros(i64::try_from(micros).expect("a few hundred dollars")),
            qty: pair.qty,
            ratio: 1,
            fee: book.terms().fee,
            ask: book.best_ask_for(outcome).map(|(ask, _)| ask),
            bids: book.bids_for(outcome),
        }
    });
    shocks::worst(legs, 10_000, true)
}

/// Plans of two legs.
pub fn shock_plan(span: Span) -> Row {
    let (books, plans) = (books(), plans());
    let row = measure_stream("shock_plan", span, BLOCK, &plans, |&pair| worst(&books, pair));
    row.fed(format!(
        "{PLANS} plans of 10 to 307 contracts a leg; {} synthetic books of {DEPTH} levels a side, {} KiB without their levels",
        2 * PAIRS,
        BOOK_BYTES / 1_024
    ))
}

/// A leg of a plan as a user would hold it.
#[derive(Debug)]
struct Leg {
    cost: f64,
    qty: f64,
    rate: f64,
    ask: f64,
    bids: Vec<(f64, f64)>,
}

#[derive(Clone, Copy, Debug)]
enum Shock {
    /// Prices move by so much.
    Price(f64),
    /// The spread is so many times as wide.
    Spread(f64),
    /// Levels have this share of their size.
    Depth(f64),
}

impl Leg {
    /// What is lost by selling it again.
    fn sold(&self, shock: Shock) -> f64 {
        let best = self.bids.first().map_or(0.0, |(bid, _)| *bid);
        let (falls, share) = match shock {
            Shock::Price(by) => (-by, 1.0),
            Shock::Spread(times) => ((times - 1.0) * (self.ask - best) / 2.0, 1.0),
            Shock::Depth(share) => (0.0, share),
        };
        let (mut left, mut brings) = (self.qty, 0.0);
        for &(bid, there) in &self.bids {
            let price = (bid - falls).clamp(0.0, 1.0);
            let here = left.min(there * share);
            brings += here * (price - self.rate * price * (1.0 - price));
            left -= here;
        }
        self.cost - brings
    }
}

/// The greatest loss over the sets of legs that may have filled.
fn worst_sale(legs: &[Leg], shock: Shock, lost: f64) -> f64 {
    let Some((first, others)) = legs.split_first() else { return lost };
    let filled = worst_sale(others, shock, lost + first.sold(shock));
    worst_sale(others, shock, lost).max(filled)
}

/// The greatest loss over the outcomes that pay at least `owed`, and over the sets of legs that may have filled.
fn worst_jump(legs: &[Leg], owed: f64, lost: f64) -> f64 {
    let Some((first, others)) = legs.split_first() else {
        return if owed > 0.0 { f64::MIN } else { lost };
    };
    let mut worst = f64::MIN;
    for pays in [0.0, 1.0] {
        let filled = lost + first.cost - pays * first.qty;
        worst = worst.max(worst_jump(others, owed - pays, lost));
        worst = worst.max(worst_jump(others, owed - pays, filled));
    }
    worst
}

/// A plan as a user would hold it.
fn plain(books: &Books, pair: Pair) -> Vec<Leg> {
    let dollars = |price: Price| f64::from(price.ticks()) / 10_000.0;
    let contracts = |qty: Qty| qty.micros() as f64 / 1_000_000.0;
    let leg = |((market, outcome, cents), rate): ((MarketId, Outcome, u16), f64)| {
        let book = book(books, market);
        let bids = book.bids_for(outcome).take(shocks::SALE_LEVELS_MAX);
        Leg {
            cost: contracts(pair.qty) * f64::from(cents) / 100.0,
            qty: contracts(pair.qty),
            rate,
            ask: book.best_ask_for(outcome).map_or(1.0, |(ask, _)| dollars(ask)),
            bids: bids.map(|(bid, there)| (dollars(bid), contracts(there))).collect(),
        }
    };
    pair.legs().into_iter().zip([0.04, 0.07]).map(leg).collect()
}

/// Every shock of a sale.
fn sales() -> Vec<Shock> {
    let by = [0.03, 0.1].into_iter().flat_map(|by| [1.0, 1.3, 1.5].map(|times| by * times));
    by.flat_map(|by| [Shock::Price(-by), Shock::Price(by)])
        .chain([Shock::Spread(1.5), Shock::Spread(2.0), Shock::Depth(0.5)])
        .collect()
}

fn plain_worst(legs: &[Leg], sales: &[Shock]) -> f64 {
    let jump = worst_jump(legs, 1.0, 0.0);
    sales.iter().fold(jump, |worst, &shock| worst.max(worst_sale(legs, shock, 0.0)))
}

/// The same plans, by plain recursion.
pub fn shock_plan_reference(span: Span) -> Row {
    let books = books();
    let plans: Vec<_> = plans().into_iter().map(|pair| plain(&books, pair)).collect();
    let bytes = PLANS * 2 * (size_of::<Leg>() + usize::from(DEPTH) * size_of::<(f64, f64)>());
    let sales = sales();
    let row = measure_stream("plain recursion, f64", span, BLOCK, &plans, |legs| {
        plain_worst(legs, &sales)
    });
    row.fed(format!("the same plans, {} KiB with their levels", bytes / 1_024))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_come_to_the_same_but_for_rounding() {
        let books = books();
        for pair in plans() {
            let (ours, plain) =
                (worst(&books, pair).worst.loss, plain_worst(&plain(&books, pair), &sales()));
            let apart = ours.micros() as f64 / 1_000_000.0 - plain;
            assert!((0.0..0.01).contains(&apart), "{pair:?}: {ours} and {plain}");
        }
    }
}
