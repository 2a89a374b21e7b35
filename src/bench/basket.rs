//! What do baskets cost when a book changes: those that it touches and that stay dear, and one that has become worth buying?
//!
//! The books and baskets are more than a cache close to a core holds, and are asked for in an order that repeats only after all of
//! them. The best prices differ from one look at a market to the next, so that each look reprices every basket.

use std::collections::HashMap;
use std::hint::black_box;

use surefoot_hot::basket::{BasketKind, Baskets, Plan, Room, Sizing};
use surefoot_hot::book::{Books, Change, Level};
use surefoot_hot::event::Event;
use surefoot_hot::ids::{BasketId, MarketId, Outcome, Side};
use surefoot_hot::links::LinkNumber;
use surefoot_hot::units::{Nanos, Price, Qty, Usd};
use surefoot_hot::venue_rules::CASH_ACCOUNTS;

use super::desk::{self, one_pays};
use super::{Row, Span, measure};

/// Markets, so many that their baskets take more than a megabyte.
const MARKETS: u16 = 512;
/// Each market is the first leg of so many baskets, and the second of as many.
const FIRST_OF: u16 = 4;
/// Levels of a side that a basket with an edge takes.
const DEPTH: u16 = 5;

/// A level of a side, in cents and contracts.
type CentLevel = (u16, u64);

/// The asks of a market's YES, from the best one on; its bids are their mirror, a cent further from the middle.
fn levels(best: u16) -> impl Iterator<Item = CentLevel> {
    (0..2 * DEPTH).map(move |nth| (best + nth, 20 + 7 * u64::from((best + nth) % 5)))
}

/// Books of all markets, with the best ask that `best` says of each.
fn books(best: impl Fn(u16) -> u16) -> Books {
    let directory = desk::directory_of(MARKETS / 2);
    let (mut books, now) = (Books::new(), Nanos::from_secs(1));
    for entry in directory.iter() {
        let market = entry.def.market;
        books.apply(now, &Event::Market(entry.def));
        let link = LinkNumber::FIRST;
        books.apply(now, &Event::SnapshotBegin { market, link, venue_time: now });
        for (cents, contracts) in levels(best(market.get())) {
            for (side, cents) in
                [(Side::Ask, cents), (Side::Bid, best(market.get()) * 2 - 1 - cents)]
            {
                let price = Price::from_ticks(cents * 100).expect("under a dollar");
                let change = Change::Set(Qty::from_contracts(contracts));
                books.apply(now, &Event::Level(Level { market, side, price, change, last: false }));
            }
        }
        books.apply(now, &Event::SnapshotEnd { market });
    }
    books
}

/// The market that is the other leg of a market's basket.
const fn partner(market: u16, nth: u16) -> u16 {
    (market + 1 + 37 * nth) % MARKETS
}

/// Baskets of two legs, YES of a market and YES of its partner.
fn baskets(books: &Books) -> Baskets {
    let mut baskets = Baskets::new();
    for market in 0..MARKETS {
        for nth in 0..FIRST_OF {
            let legs = [market, partner(market, nth)].map(|id| (MarketId::new(id), Outcome::Yes));
            let proven = one_pays(BasketKind::ExclusiveYes, &legs);
            for def in proven.defs(BasketId::new(market * FIRST_OF + nth)) {
                baskets.define(&def, books).expect("it is sound");
            }
        }
    }
    baskets
}

/// Every market once at each of two prices, in an order that jumps.
fn looks() -> Vec<(MarketId, usize)> {
    let stride = 197; // has no divisor in common with the number of markets
    let market = |nth: usize| MarketId::new((nth * stride % usize::from(MARKETS)) as u16);
    let all = usize::from(MARKETS);
    (0..2 * all).map(|nth| (market(nth), nth / all)).collect()
}

/// A market's best price has changed: eight baskets are repriced, and none is worth a look.
pub fn eval_8_baskets(span: Span) -> Row {
    let worlds = [0, 1].map(|more| books(|market| 52 + market % 7 + more));
    let mut baskets = baskets(&worlds[1]);
    let looks = looks();
    let span = Span { warm_up: span.warm_up / 10, blocks: span.blocks / 10 };
    let row = measure("eval_8_baskets", span, &looks, |&(market, world)| {
        baskets.refresh(market, &worlds[world]);
        baskets.poll_dirty().is_none()
    });
    assert!(baskets.poll_dirty().is_none(), "no basket has an edge");
    let touched = baskets.touching(MarketId::new(7)).count();
    assert_eq!(touched, 8);
    let count = MARKETS * FIRST_OF;
    let bytes = usize::from(count) * size_of::<surefoot_hot::basket::Basket>() / 1_024;
    row.fed(format!("{touched} baskets a look; {MARKETS} markets, {count} baskets of {bytes} KiB"))
}

/// The same as a user would write it: the sum of each basket's legs in floats, found by names in a map.
pub fn eval_8_baskets_reference(span: Span) -> Row {
    struct Pair {
        legs: [String; 2],
    }
    let name = |market: u16| format!("MARKET-{market}");
    let mut touched: HashMap<String, Vec<usize>> = HashMap::new();
    let mut all = Vec::new();
    for market in 0..MARKETS {
        for nth in 0..FIRST_OF {
            let legs = [market, partner(market, nth)].map(name);
            for leg in &legs {
                touched.entry(leg.clone()).or_default().push(all.len());
            }
            all.push(Pair { legs });
        }
    }
    let asks = [0, 1].map(|more| {
        let ask = |market: u16| (name(market), plain::cents(52 + market % 7 + more));
        (0..MARKETS).map(ask).collect::<HashMap<_, _>>()
    });
    let looks: Vec<_> =
        looks().into_iter().map(|(market, world)| (name(market.get()), world)).collect();
    let span = Span { warm_up: span.warm_up / 100, blocks: span.blocks / 100 };
    let row = measure("HashMap by name, f64", span, &looks, |(market, world)| {
        let is_worth_it = |&&basket: &&usize| {
            let [one, other] = &all[basket].legs;
            plain::is_under_a_dollar(asks[*world][one], asks[*world][other])
        };
        touched[market].iter().filter(is_worth_it).count()
    });
    row.fed("the same looks")
}

/// A basket of two legs with an edge five levels deep in both is sized.
pub fn size_2_legs(span: Span) -> Row {
    let books = books(|market| 38 + market % 3);
    let baskets = baskets(&books);
    let (qty, cost) = (Qty::from_contracts(100_000), Usd::from_dollars(100_000));
    let room = Room { qty, cost, dearest: Price::ONE };
    let edge_min = EDGE_MIN_TICKS;
    let sizing = Sizing {
        legs: &[room; 2],
        cash: [Usd::from_dollars(100_000); CASH_ACCOUNTS],
        total: Usd::from_dollars(100_000),
        edge_min,
        edge_max_percent: 50,
        profit_min: Usd::ZERO,
    };
    let mut plan = Plan::new();
    let inputs: Vec<_> =
        looks().into_iter().map(|(market, _)| BasketId::new(market.get() * FIRST_OF)).collect();
    let mut taken = 0;
    for basket in &inputs {
        baskets.walk(&books, *basket, &sizing, &mut plan).expect("it pays");
        taken += plan.legs().iter().map(|leg| usize::from(leg.levels)).sum::<usize>();
    }
    let span = Span { warm_up: span.warm_up / 10, blocks: span.blocks / 10 };
    let row = measure("size_2_legs", span, &inputs, |basket| {
        baskets.walk(&books, *basket, &sizing, &mut plan).is_ok()
    });
    let (mean, part) = (taken / inputs.len() / 2, taken * 5 / inputs.len() % 10);
    row.fed(format!("{MARKETS} books, {mean}.{part} levels of either leg are taken"))
}

/// The least edge of the last unit in the walks measured here: about five levels of either leg have more.
const EDGE_MIN_TICKS: u32 = 1_000;

/// The same as a user would write it: two sorted lists of floats, merged level by level.
pub fn size_2_legs_reference(span: Span) -> Row {
    let all: Vec<Vec<(f64, f64)>> =
        (0..MARKETS).map(|market| levels(38 + market % 3).map(plain::level).collect()).collect();
    let inputs: Vec<_> = looks()
        .into_iter()
        .map(|(market, _)| (usize::from(market.get()), usize::from(partner(market.get(), 0))))
        .collect();
    let span = Span { warm_up: span.warm_up / 10, blocks: span.blocks / 10 };
    let row = measure("Vec, f64", span, &inputs, |&(one, other)| {
        black_box(plain::size(&all[one], &all[other], plain::dollars(EDGE_MIN_TICKS)))
    });
    row.fed("the same levels, sorted lists of price and size")
}

/// The arithmetic of the references.
mod plain {
    #![allow(clippy::float_arithmetic, reason = "the reference is written with floats on purpose")]

    use super::CentLevel;

    pub fn cents(cents: u16) -> f64 {
        f64::from(cents) / 100.0
    }

    pub fn dollars(ticks: u32) -> f64 {
        f64::from(ticks) / 10_000.0
    }

    pub fn level((price, contracts): CentLevel) -> (f64, f64) {
        (cents(price), f64::from(u32::try_from(contracts).expect("few")))
    }

    pub fn is_under_a_dollar(one: f64, other: f64) -> bool {
        one + other < 1.0
    }

    /// How many units pay at least `edge` after fees, and what they pay together.
    pub fn size(one: &[(f64, f64)], other: &[(f64, f64)], edge: f64) -> (f64, f64) {
        let (mut one, mut other) = (one.iter().copied(), other.iter().copied());
        let (mut units, mut profit) = (0.0, 0.0);
        let (mut here, mut there) = (one.next(), other.next());
        while let (Some((price, left)), Some((other_price, other_left))) = (here, there) {
            let fees = 0.04 * price * (1.0 - price) + 0.07 * other_price * (1.0 - other_price);
            let gain = 1.0 - price - other_price - fees;
            if gain < edge {
                break;
            }
            let size = left.min(other_left);
            (units, profit) = (units + size, profit + size * gain);
            here = if left > size { Some((price, left - size)) } else { one.next() };
            there = if other_left > size {
                Some((other_price, other_left - size))
            } else {
                other.next()
            };
        }
        (units, profit)
    }
}
