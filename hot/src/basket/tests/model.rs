//! The detector against brute force: every size, every order of the legs, fees of both kinds, minimums and shared cash.
//!
//! 20,000 baskets, or as many as `SUREFOOT_CASES` says while the tests run: a million of a night.

use super::*;
use crate::basket::{Leg, LegPlan};
use crate::fees::TakerFee;
use crate::ledger::CashAccount;

/// How many baskets are drawn where nobody says.
const CASES: u64 = 20_000;

/// A basket of few contracts, so that every size can be tried.
fn small_world(rng: &mut Rng, legs: u16, ratio_max: u16) -> World {
    let ratios: Vec<_> = (0..legs).map(|_| 1 + rng.below(u64::from(ratio_max)) as u16).collect();
    let contracts: u16 = ratios.iter().sum();
    // Each contract costs some cents at least, and the ends of the price range come up too.
    let payout = 10_000.max(700 * u32::from(contracts));
    let fair = (payout / u32::from(contracts)) as u16;
    let step = [10, 50, 100][rng.below(3) as usize];
    let mut world =
        World { books: Books::new(), baskets: Baskets::new(), rooms: Vec::new(), sizing: WIDE };
    let deep = 1 + u64::from(fair < 2_000); // cheap contracts come to a dollar only by their number
    // Of many legs the least deep one bounds all, and each must come to the venue's least worth.
    let (least, bargain) = if legs > 8 { (2_500, u64::from(fair) / 4) } else { (0, 900) };
    for (id, &ratio) in ratios.iter().enumerate() {
        let mut terms = market(id as u16, Venue::ALL[rng.below(2) as usize]);
        let rate = [0, 1, 999, 17_500, 40_000, 70_000, 70_000][rng.below(7) as usize];
        terms.fee = match terms.venue {
            Venue::Polymarket => FeeRule::Polymarket { rate, exponent: 1 },
            Venue::Kalshi => FeeRule::Kalshi { taker: rate, maker: 0 },
        };
        terms.grid = Grid::uniform(step).unwrap();
        terms.min_qty = cents([1, 100, 500][rng.below(3) as usize]);
        if terms.venue == Venue::Kalshi {
            terms.shard = rng.below(3) as u8; // some legs share an account, some do not
        }
        let times = u64::from(ratio) * deep;
        let mut ticks = fair.saturating_sub(rng.below(bargain) as u16);
        ticks = ticks.max(step).next_multiple_of(step);
        let mut levels = Vec::new();
        for _ in 0..1 + rng.below(5) {
            levels.push((Side::Ask, ticks.min(9_900), 1 + times * (least + rng.below(400))));
            ticks += step * (1 + rng.below(3) as u16);
        }
        levels.dedup_by_key(|level| level.1);
        let outcome = if rng.below(2) == 1 { Outcome::No } else { Outcome::Yes };
        for level in &mut levels {
            if outcome == Outcome::No {
                *level = (Side::Bid, 10_000 - level.1, level.2);
            }
        }
        load(&mut world.books, terms, &levels);
        let def = BasketDef {
            basket: B,
            kind: BasketKind::Custom,
            leg: id as u8,
            legs: legs as u8,
            market: MarketId::new(id as u16),
            outcome,
            payout,
            ratio,
        };
        world.baskets.define(&def, &world.books).unwrap();
        let qty = cents(times * (50 + least + rng.below(1_500)));
        let cost = Usd::from_cents((50 + least + rng.below(3_000)) as i64);
        let dearest = if rng.below(3) > 0 { Price::ONE } else { px(rng.below(10_001) as u16) };
        world.rooms.push(Room { qty, cost, dearest });
    }
    let dollars = |rng: &mut Rng, most: u64| {
        Usd::from_cents((u64::from(contracts) * (30 + rng.below(most))) as i64)
    };
    world.sizing.cash = [(); CASH_ACCOUNTS].map(|()| dollars(rng, 2_000));
    world.sizing.total = dollars(rng, 3_000);
    world.sizing.edge_min = rng.below(150) as u32;
    world.sizing.edge_max_percent = [20, 90][rng.below(2) as usize];
    world.sizing.profit_min = Usd::from_cents(rng.below(40) as i64);
    world
}

/// What is planned of the same basket with its legs in another order.
fn walk_in_order(world: &World, order: &[usize]) -> Result<Plan, NoPlan> {
    let basket = world.basket();
    let mut baskets = Baskets::new();
    for (nth, &leg) in order.iter().enumerate() {
        let Leg { market, outcome, ratio } = basket.legs()[leg];
        let def = BasketDef {
            basket: B,
            kind: basket.kind(),
            leg: nth as u8,
            legs: order.len() as u8,
            market,
            outcome,
            payout: basket.payout(),
            ratio,
        };
        baskets.define(&def, &world.books).unwrap();
    }
    let rooms: Vec<_> = order.iter().map(|&leg| world.rooms[leg]).collect();
    walk(&baskets, &world.books, &Sizing { legs: &rooms, ..world.sizing })
}

/// Every order of a few legs; of many legs that they are turned round, and two shuffles.
fn orders(rng: &mut Rng, legs: usize) -> Vec<Vec<usize>> {
    if legs <= 3 {
        let mut all = vec![vec![]];
        for leg in 0..legs {
            let longer = |order: &Vec<usize>| {
                (0..=order.len()).map(|at| [&order[..at], &[leg], &order[at..]].concat()).collect()
            };
            all = all.iter().flat_map::<Vec<Vec<usize>>, _>(longer).collect();
        }
        return all;
    }
    let mut all = vec![(0..legs).rev().collect::<Vec<_>>()];
    for _ in 0..2 {
        let mut order: Vec<_> = (0..legs).collect();
        for at in (1..legs).rev() {
            order.swap(at, rng.below(at as u64 + 1) as usize);
        }
        all.push(order);
    }
    all
}

/// What `units` really cost where every level of the books is a fill of its own, rounded as the venue rounds it.
fn charged(world: &World, units: Qty) -> (Usd, bool) {
    let (mut sum, mut passes) = (Usd::ZERO, true);
    for leg in world.basket().legs() {
        let terms = world.books.terms(leg.market).unwrap();
        let mut need = units.times(leg.ratio);
        passes &= need >= terms.min_qty;
        let mut worth = Usd::ZERO;
        for (price, qty) in world.books.get(leg.market).unwrap().asks_for(leg.outcome) {
            let here = need.min(qty);
            let cost = price.cost_ceil(here);
            worth += price.proceeds_floor(here);
            sum += cost + TakerFee::at(terms.fee, price).charge(here, cost);
            need -= here;
            if need.is_zero() {
                break;
            }
        }
        assert!(need.is_zero(), "there is depth for the best size");
        passes &= worth >= terms.venue.rules().marketable_min;
    }
    (sum, passes)
}

/// What may come of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Came {
    Plan,
    TooSmall,
    NoEdge,
    Absurd,
}

fn check(seed: u64) -> (Came, usize, bool) {
    let mut rng = Rng(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let (legs, ratio_max) = match seed % 32 {
        0 => (9 + rng.below(LEGS_MAX as u64 - 8) as u16, 1 + rng.below(3) as u16),
        1..=3 => (4 + rng.below(5) as u16, 4),
        4..=11 => (2 + rng.below(2) as u16, 7),
        _ => (2 + rng.below(2) as u16, 1),
    };
    let world = small_world(&mut rng, legs, ratio_max);
    let (basket, sizing) = (world.basket(), world.sizing());
    let passes = |units: &Qty| naive_ok(&world.books, &basket, &sizing, *units) == Some(true);
    let best = (1..).map(cents).take_while(passes).last();
    let profit = |units: Qty| payout_floor(basket.payout(), units) - charged(&world, units).0;
    let answer = world.walk();
    let came = match &answer {
        Ok(plan) => {
            let best = best.unwrap_or_else(|| panic!("seed {seed}: no size passes"));
            let apart = best.micros().abs_diff(plan.units.micros());
            assert!(apart <= LOT.micros(), "seed {seed}: {} and best {best}", plan.units);
            let (cost, large_enough) = charged(&world, plan.units);
            let left = payout_floor(basket.payout(), plan.units) - cost;
            assert!(large_enough && left >= Usd::ZERO, "seed {seed}: a loss, {left}");
            assert_eq!(left, plan.profit, "seed {seed}");
            assert!(left >= sizing.profit_min, "seed {seed}");
            Came::Plan
        }
        Err(NoPlan::TooSmall { .. }) => {
            let whole = best.filter(|&best| charged(&world, best).1);
            let worth = whole.map(profit).filter(|profit| *profit >= sizing.profit_min);
            assert_eq!(worth, None, "seed {seed}: {best:?} is worth it");
            Came::TooSmall
        }
        Err(NoPlan::NoEdge { .. }) => {
            assert_eq!(best, None, "seed {seed}");
            Came::NoEdge
        }
        Err(NoPlan::Absurd { .. }) => Came::Absurd,
        Err(why) => panic!("seed {seed}: {why:?}"),
    };
    let by_market = |plan: &Plan| {
        let mut legs: Vec<LegPlan> = plan.legs().to_vec();
        legs.sort_by_key(|leg| leg.market);
        (legs, plan.units, plan.edge, plan.profit)
    };
    for order in orders(&mut rng, basket.legs().len()) {
        let other = walk_in_order(&world, &order);
        let (one, other) = (answer.as_ref().map(by_market), other.as_ref().map(by_market));
        assert_eq!(one, other, "seed {seed}: legs in the order {order:?}");
    }
    let shares = basket.legs().iter().enumerate().any(|(nth, leg)| {
        let account = |leg: &Leg| {
            let terms = world.books.terms(leg.market).unwrap();
            CashAccount::of(terms.venue, terms.shard).index()
        };
        basket.legs()[..nth].iter().any(|other| account(other) == account(leg))
    });
    (came, basket.legs().len(), shares)
}

#[test]
fn no_order_of_legs_and_no_size_is_better_than_what_is_planned() {
    let cases = crate::cases::cases(CASES);
    let mut counts = [0_u64; 4];
    let (mut many, mut shared) = (0, 0);
    for seed in 0..cases {
        let (came, legs, shares) = check(seed);
        counts[came as usize] += 1;
        many += u64::from(came == Came::Plan && legs > 8);
        shared += u64::from(came == Came::Plan && shares);
    }
    if cases >= CASES {
        let enough = counts.iter().all(|&count| count * 50 > cases);
        assert!(enough, "{counts:?}: the generator is lame");
        assert!(many * 1_000 > cases && shared * 20 > cases, "{many} {shared}: it is lame");
    }
}
