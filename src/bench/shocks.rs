//! What does the worst case of a plan cost? It is worked out once before the first order leaves; above 2 µs it would have to
//! leave the path. The reference walks through every set of legs under every shock, in floats.

#![allow(clippy::float_arithmetic, reason = "the reference is written with floats on purpose")]

use surefoot_hot::book::{Book, Books};
use surefoot_hot::ids::{MarketId, Outcome};
use surefoot_hot::risk::{PlanLoss, PlannedLeg, shocks};
use surefoot_hot::units::{Price, Qty, Usd};

use super::desk::{KA, PM};
use super::gate::with_pair;
use super::{Row, Span, measure};

/// Plans in a block.
const BLOCK: u64 = 100;
/// The legs of each, and what one contract of them costs, in cents.
const LEGS: [(MarketId, Outcome, u64); 2] = [(PM, Outcome::Yes, 43), (KA, Outcome::No, 53)];

/// The two books, and how many contracts each plan has.
fn inputs() -> (Books, Vec<Qty>) {
    (with_pair(), (0..BLOCK).map(|nth| Qty::from_contracts(10 + 3 * nth)).collect())
}

fn book(books: &Books, leg: usize) -> &Book {
    books.get(LEGS[leg].0).expect("it has terms")
}

/// The worst case of a plan of two legs of which one pays, so that every shock has to be looked at.
fn worst(books: &Books, qty: Qty) -> PlanLoss {
    let legs = [0, 1].into_iter().map(|at| {
        let (book, (_, outcome, cents)) = (book(books, at), LEGS[at]);
        let micros = qty.micros() / 100 * cents;
        PlannedLeg {
            cost: Usd::from_micros(i64::try_from(micros).expect("a few hundred dollars")),
            qty,
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
    let (books, plans) = inputs();
    let row = measure("shock_plan", span, &plans, |&qty| worst(&books, qty));
    row.fed("synthetic books of 15 levels, 10 to 307 contracts a leg")
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
fn plain(books: &Books, qty: Qty) -> Vec<Leg> {
    let dollars = |price: Price| f64::from(price.ticks()) / 10_000.0;
    let contracts = |qty: Qty| qty.micros() as f64 / 1_000_000.0;
    let leg = |(at, rate): (usize, f64)| {
        let (book, (_, outcome, cents)) = (book(books, at), LEGS[at]);
        let bids = book.bids_for(outcome).take(shocks::SALE_LEVELS_MAX);
        Leg {
            cost: contracts(qty) * cents as f64 / 100.0,
            qty: contracts(qty),
            rate,
            ask: book.best_ask_for(outcome).map_or(1.0, |(ask, _)| dollars(ask)),
            bids: bids.map(|(bid, there)| (dollars(bid), contracts(there))).collect(),
        }
    };
    [0.04, 0.07].into_iter().enumerate().map(leg).collect()
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
    let (books, plans) = inputs();
    let plans: Vec<_> = plans.into_iter().map(|qty| plain(&books, qty)).collect();
    let sales = sales();
    let row = measure("plain recursion, f64", span, &plans, |legs| plain_worst(legs, &sales));
    row.fed("the same")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_come_to_the_same_but_for_rounding() {
        let (books, plans) = inputs();
        for qty in plans {
            let (ours, plain) =
                (worst(&books, qty).worst.loss, plain_worst(&plain(&books, qty), &sales()));
            let apart = ours.micros() as f64 / 1_000_000.0 - plain;
            assert!((0.0..0.01).contains(&apart), "{qty}: {ours} and {plain}");
        }
    }
}
