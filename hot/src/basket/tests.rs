mod model;
mod plain;

use super::*;
use crate::book::{Change, Level, StaleWhy};
use crate::event::Event;
use crate::fees::{FeeRule, fee_bound};
use crate::grid::Grid;
use crate::ids::{Side, Venue};
use crate::links::LinkNumber;
use crate::market::MarketDef;
use crate::pack::Unpacker;
use crate::random::Rng;
use crate::state::State;
use crate::units::{Nanos, Price, Qty, Usd};
use crate::venue_rules::{CASH_ACCOUNTS, LOT};

const T: Nanos = Nanos::new(1);
const B: BasketId = BasketId::new(0);

fn px(ticks: u16) -> Price {
    Price::from_ticks(ticks).unwrap()
}

fn cents(hundredths: u64) -> Qty {
    Qty::from_micros(hundredths * 10_000)
}

fn market(id: u16, venue: Venue) -> MarketDef {
    let fee = match venue {
        Venue::Polymarket => FeeRule::Polymarket { rate: 40_000, exponent: 1 },
        Venue::Kalshi => FeeRule::Kalshi { taker: 70_000, maker: 0 },
    };
    MarketDef { fee, ..MarketDef::bare(MarketId::new(id), venue) }
}

/// A market whose book holds these levels, quantities in hundredths.
fn load(books: &mut Books, def: MarketDef, levels: &[(Side, u16, u64)]) {
    let market = def.market;
    books.apply(T, &Event::Market(def));
    books.apply(T, &Event::SnapshotBegin { market, link: LinkNumber::FIRST, venue_time: T });
    for &(side, ticks, qty) in levels {
        set(books, market, side, ticks, qty);
    }
    books.apply(T, &Event::SnapshotEnd { market });
    assert!(books.get(market).unwrap().is_good());
}

fn set(books: &mut Books, market: MarketId, side: Side, ticks: u16, qty: u64) {
    let change = Change::Set(cents(qty));
    books.apply(T, &Event::Level(Level { market, side, price: px(ticks), change, last: true }));
}

fn define(baskets: &mut Baskets, books: &Books, id: u16, payout: u32, legs: &[(u16, Outcome)]) {
    let legs: Vec<_> = legs.iter().map(|&(market, outcome)| (market, outcome, 1)).collect();
    define_ratios(baskets, books, id, payout, &legs);
}

fn define_ratios(
    baskets: &mut Baskets,
    books: &Books,
    id: u16,
    payout: u32,
    legs: &[(u16, Outcome, u16)],
) {
    for (leg, &(market, outcome, ratio)) in legs.iter().enumerate() {
        let def = BasketDef {
            basket: BasketId::new(id),
            kind: BasketKind::CrossVenue,
            leg: leg as u8,
            legs: legs.len() as u8,
            market: MarketId::new(market),
            outcome,
            payout,
            ratio,
        };
        assert_eq!(baskets.define(&def, books), Ok(leg + 1 == legs.len()));
    }
}

const ROOM: Room =
    Room { qty: Qty::from_contracts(500), cost: Usd::from_dollars(100), dearest: Price::ONE };
const WIDE: Sizing<'static> = Sizing {
    edge_max_percent: 20,
    legs: &[ROOM; LEGS_MAX],
    cash: [Usd::from_dollars(10_000); CASH_ACCOUNTS],
    total: Usd::from_dollars(1_000),
    edge_min: 100,
    profit_min: Usd::from_cents(50),
};

fn walk(baskets: &Baskets, books: &Books, sizing: &Sizing<'_>) -> Result<Plan, NoPlan> {
    let mut plan = Plan::new();
    baskets.walk(books, B, sizing, &mut plan).map(|()| plan)
}

/// YES on Polymarket at 0.45 and up, NO on Kalshi at 0.48 and up.
fn cross() -> (Books, Baskets) {
    let (mut books, mut baskets) = (Books::new(), Baskets::new());
    let yes = [(Side::Ask, 4_500, 3_000), (Side::Ask, 4_600, 5_000), (Side::Ask, 4_900, 9_900)];
    let no = [(Side::Bid, 5_200, 4_000), (Side::Bid, 5_100, 1_500), (Side::Bid, 4_000, 900)];
    load(&mut books, market(0, Venue::Polymarket), &yes);
    load(&mut books, market(1, Venue::Kalshi), &no);
    define(&mut baskets, &books, 0, 10_000, &[(0, Outcome::Yes), (1, Outcome::No)]);
    (books, baskets)
}

#[test]
fn a_cross_venue_basket_is_walked_as_deep_as_it_pays() {
    let (books, mut baskets) = cross();
    assert_eq!(baskets.poll_dirty(), Some(B));
    assert_eq!(baskets.poll_dirty(), None);
    assert_eq!(baskets.get(B).unwrap().cost(), Some(9_300));
    let plan = walk(&baskets, &books, &WIDE).unwrap();
    // 30 @ 0.45 + 0.48: edge 0.07 - 0.0099 - 0.017472 = 0.042628
    // 10 @ 0.46 + 0.48: edge 0.06 - 0.009936 - 0.017472 = 0.032592
    // 15 @ 0.46 + 0.49: edge 0.05 - 0.009936 - 0.017493 = 0.022571
    // then NO is at 0.60: nothing
    assert_eq!((plan.units, plan.edge), (cents(5_500), 225));
    let yes = plan.legs()[0];
    assert_eq!((yes.limit, yes.levels, yes.cost), (px(4_600), 2, Usd::from_cents(2_500)));
    // 30 × 0.04 × 0.2475 = 0.297 and 25 × 0.04 × 0.2484 = 0.2484
    assert_eq!(yes.fee, Usd::from_micros(545_400));
    let no = plan.legs()[1];
    assert_eq!((no.limit, no.levels, no.cost), (px(4_900), 2, Usd::from_cents(2_655)));
    // 40 × 0.07 × 0.2496 = 0.69888 → 0.6989; 15 × 0.07 × 0.2499 = 0.262395 → 0.2624
    assert_eq!(no.fee, Usd::from_micros(961_300));
    assert_eq!(
        plan.profit,
        Usd::from_micros(55_000_000 - 25_000_000 - 26_550_000 - 545_400 - 961_300)
    );
}

#[test]
fn every_bound_binds() {
    let (books, baskets) = cross();
    let units = |sizing: &Sizing<'_>| walk(&baskets, &books, sizing).map(|plan| plan.units);
    let leg = |index: usize, room: Room| {
        let mut legs = [ROOM; LEGS_MAX];
        legs[index] = room;
        units(&Sizing { legs: &legs, ..WIDE })
    };
    assert_eq!(leg(1, Room { qty: cents(1_234), ..ROOM }), Ok(cents(1_234)));
    // $10 less 2 cents at 0.45 + 0.0099 each
    assert_eq!(leg(0, Room { cost: Usd::from_dollars(10), ..ROOM }), Ok(cents(2_170)));
    let mut sizing = WIDE;
    sizing.cash[0] = Usd::from_dollars(10);
    assert_eq!(units(&sizing), Ok(cents(2_170)));
    let sizing = Sizing { total: Usd::from_dollars(20), ..WIDE };
    assert_eq!(units(&sizing), Ok(cents(2_084))); // 19.96 / 0.957372 = 20.848
    assert_eq!(units(&Sizing { edge_min: 300, ..WIDE }), Ok(cents(4_000)));
    assert_eq!(units(&Sizing { edge_min: 426, ..WIDE }), Ok(cents(3_000)));
    assert_eq!(units(&Sizing { edge_min: 427, ..WIDE }), Err(NoPlan::NoEdge { edge: 426 }));
    let sizing = Sizing { profit_min: Usd::from_dollars(3), ..WIDE };
    assert!(matches!(units(&sizing), Err(NoPlan::TooSmall { profit, .. }) if profit > Usd::ZERO));
    let none = leg(0, Room { cost: Usd::ZERO, ..ROOM });
    assert!(matches!(none, Err(NoPlan::TooSmall { units: Qty::ZERO, .. })));
}

/// Without fees the edge is exact: 7 cents at the best prices, 6 and 5 behind.
fn free_cross() -> (Books, Baskets) {
    let (mut books, baskets) = cross();
    for id in [0, 1] {
        let def = *books.terms(MarketId::new(id)).unwrap();
        books.apply(T, &Event::Market(MarketDef { fee: FeeRule::FREE, ..def }));
    }
    (books, baskets)
}

#[test]
fn what_is_exactly_enough_is_bought() {
    let (books, baskets) = free_cross();
    for (edge_min, units) in [(500, 5_500), (501, 4_000), (600, 4_000), (700, 3_000)] {
        let plan = walk(&baskets, &books, &Sizing { edge_min, ..WIDE }).unwrap();
        assert_eq!(plan.units, cents(units), "{edge_min}");
    }
    let none = walk(&baskets, &books, &Sizing { edge_min: 701, ..WIDE });
    assert_eq!(none, Err(NoPlan::NoEdge { edge: 700 }));
    // 30 × 0.07 + 10 × 0.06 + 15 × 0.05
    let profit = Usd::from_cents(345);
    let least = |profit_min| walk(&baskets, &books, &Sizing { profit_min, ..WIDE });
    assert_eq!(least(profit).unwrap().profit, profit);
    assert!(matches!(
        least(profit + Usd::from_micros(1)),
        Err(NoPlan::TooSmall { profit: seen, .. }) if seen == profit
    ));
}

/// One contract at an edge of 7 cents, more behind it at 6; two of them are worth less than the least order.
#[test]
fn what_is_too_small_tells_the_edge_of_the_last_unit_that_was_bought() {
    let (mut books, baskets) = free_cross();
    set(&mut books, MarketId::new(0), Side::Ask, 4_500, 100);
    for (room, edge) in [(99, 700), (100, 700), (101, 600), (200, 600)] {
        let mut legs = [ROOM; LEGS_MAX];
        legs[0].qty = cents(room);
        let told = walk(&baskets, &books, &Sizing { legs: &legs, ..WIDE });
        let small = NoPlan::TooSmall { units: cents(room), edge, profit: Usd::ZERO };
        assert_eq!(told, Err(small));
    }
}

#[test]
fn a_payout_beyond_64_bits_is_rounded_down_as_well() {
    let payout = u32::from(RATIO_MAX) * 10_000;
    let (units, odd) = (Qty::from_contracts(5_000_000), Qty::from_micros(5_000_000_000_001));
    assert_eq!(payout_floor(payout, units), Usd::from_dollars(5_000_000_000));
    assert_eq!(payout_floor(payout - 1, odd), Usd::from_micros(4_999_999_500_000_999));
}

#[test]
fn lots_and_minimums_hold_after_rounding() {
    let (books, baskets) = cross();
    let with = |qty| {
        let mut legs = [ROOM; LEGS_MAX];
        legs[0] = Room { qty, ..ROOM };
        let sizing = Sizing { profit_min: Usd::ZERO, legs: &legs, ..WIDE };
        walk(&baskets, &books, &sizing)
    };
    assert_eq!(with(cents(2_031)).unwrap().units, cents(2_031));
    assert_eq!(with(Qty::from_micros(20_319_999)).unwrap().units, cents(2_031));
    // 2.22 × 0.45 is less than a dollar
    assert_eq!(with(cents(223)).unwrap().units, cents(223));
    assert!(matches!(with(cents(222)), Err(NoPlan::TooSmall { .. })));
    assert!(matches!(with(Qty::from_micros(9_999)), Err(NoPlan::TooSmall { .. })));
}

#[test]
fn too_good_is_bad_data_and_a_stale_book_is_nothing() {
    let (mut books, mut baskets) = cross();
    set(&mut books, MarketId::new(0), Side::Ask, 3_100, 100);
    baskets.refresh(MarketId::new(0), &books);
    assert_eq!(walk(&baskets, &books, &WIDE), Err(NoPlan::Absurd { edge: 2_100 }));
    set(&mut books, MarketId::new(0), Side::Ask, 3_100, 0);
    set(&mut books, MarketId::new(0), Side::Ask, 3_200, 100);
    baskets.refresh(MarketId::new(0), &books);
    assert!(walk(&baskets, &books, &WIDE).is_ok(), "20 % is not more than 20 %");
    let stale = Event::Stale { market: MarketId::new(0), why: StaleWhy::Gap };
    books.apply(T, &stale);
    assert_eq!(walk(&baskets, &books, &WIDE), Err(NoPlan::NotReady));
    while baskets.poll_dirty().is_some() {}
    baskets.refresh_all(&books);
    assert_eq!((baskets.poll_dirty(), baskets.get(B).unwrap().cost()), (None, None));
}

#[test]
fn a_definition_is_whole_or_nothing() {
    let (books, mut baskets) = cross();
    let def = BasketDef {
        basket: BasketId::new(1),
        kind: BasketKind::ExclusiveNo,
        leg: 0,
        legs: 2,
        market: MarketId::new(0),
        outcome: Outcome::No,
        payout: 10_000,
        ratio: 1,
    };
    let cases = [
        (BasketDef { legs: 0, ..def }, DefError::Legs),
        (BasketDef { legs: LEGS_MAX as u8 + 1, ..def }, DefError::Legs),
        (BasketDef { leg: 1, ..def }, DefError::Order),
        (BasketDef { payout: 0, ..def }, DefError::Payout),
        (BasketDef { payout: u32::MAX, ..def }, DefError::Payout),
        (BasketDef { ratio: 0, ..def }, DefError::Ratio),
        (BasketDef { ratio: RATIO_MAX + 1, ..def }, DefError::Ratio),
        (BasketDef { basket: BasketId::new(BASKETS_MAX as u16), ..def }, DefError::Unknown),
        (BasketDef { market: MarketId::new(MARKETS_MAX as u16), ..def }, DefError::Unknown),
    ];
    for (bad, why) in cases {
        assert_eq!(baskets.define(&bad, &books), Err(why));
    }
    assert_eq!(baskets.define(&def, &books), Ok(false));
    assert!(baskets.get(BasketId::new(1)).is_none());
    assert_eq!(baskets.define(&BasketDef { leg: 1, ..def }, &books), Err(DefError::Twice));
    assert_eq!(baskets.define(&def, &books), Ok(false));
    let other = BasketDef { leg: 1, payout: 9_000, market: MarketId::new(1), ..def };
    assert_eq!(baskets.define(&other, &books), Err(DefError::Order));
    // A contract of the one and two of the other pay no more than three dollars.
    let dear = BasketDef { payout: 30_001, ..def };
    assert_eq!(baskets.define(&dear, &books), Ok(false));
    let last = BasketDef { leg: 1, market: MarketId::new(1), ratio: 2, ..dear };
    assert_eq!(baskets.define(&last, &books), Err(DefError::Payout));
    assert!(baskets.get(BasketId::new(1)).is_none());
    let dear = [dear, last].map(|def| BasketDef { payout: 30_000, ..def });
    assert_eq!(dear.map(|def| baskets.define(&def, &books)), [Ok(false), Ok(true)]);
    let most = [dear[0], dear[1]].map(|def| {
        let payout = 2 * u32::from(RATIO_MAX) * 10_000;
        BasketDef { ratio: RATIO_MAX, payout, ..def }
    });
    assert_eq!(most.map(|def| baskets.define(&def, &books)), [Ok(false), Ok(true)]);
    assert_eq!(dear.map(|def| baskets.define(&def, &books)), [Ok(false), Ok(true)]);
    let beyond = BasketDef { leg: 2, outcome: Outcome::Yes, ..dear[0] };
    assert_eq!(baskets.define(&beyond, &books), Err(DefError::Order), "it has its last leg");
    for id in 1..BASKETS_PER_MARKET_MAX as u16 {
        define(&mut baskets, &books, id, 10_000, &[(0, Outcome::Yes), (1, Outcome::No)]);
    }
    let more = BasketDef { basket: BasketId::new(99), ..def };
    assert_eq!(baskets.define(&more, &books), Err(DefError::Full));
    define(&mut baskets, &books, 5, 9_000, &[(1, Outcome::No), (0, Outcome::Yes)]);
    assert_eq!(baskets.get(BasketId::new(5)).unwrap().payout(), 9_000, "replaced in its place");
    assert_eq!(baskets.iter().count(), BASKETS_PER_MARKET_MAX);
}

#[test]
fn what_is_saved_and_loaded_is_the_same_and_goes_on_the_same_way() {
    let (mut books, mut baskets) = cross();
    let legs = [(0, Outcome::Yes, 1), (1, Outcome::No, 2)];
    define_ratios(&mut baskets, &books, 1, 20_000, &legs);
    define(&mut baskets, &books, 2, 10_000, &[(1, Outcome::No), (0, Outcome::Yes)]);
    assert!(baskets.withdraw(BasketId::new(2)));
    let largest: Vec<_> = (0..LEGS_MAX as u16).map(|market| (market, Outcome::Yes)).collect();
    define(&mut baskets, &books, 3, 10_000, &largest);
    let mut bytes = Vec::new();
    baskets.save(&mut bytes);
    let mut loaded = Baskets::new();
    loaded.load(&mut Unpacker::new(&bytes)).unwrap();
    let whole = |baskets: &Baskets| baskets.iter().map(|(id, it)| (id, *it)).collect::<Vec<_>>();
    assert_eq!(whole(&loaded), whole(&baskets));
    for market in [0, 1].map(MarketId::new) {
        assert!(loaded.touching(market).eq(baskets.touching(market)));
    }
    let mut of_no_market = Baskets::new();
    of_no_market.baskets[0] = *baskets.get(B).unwrap();
    of_no_market.baskets[0].legs[0].market = MarketId::new(MARKETS_MAX as u16);
    let mut bytes = Vec::new();
    of_no_market.save(&mut bytes);
    assert_eq!(Baskets::new().load(&mut Unpacker::new(&bytes)), None);
    set(&mut books, MarketId::new(0), Side::Ask, 4_400, 900);
    for baskets in [&mut baskets, &mut loaded] {
        baskets.refresh(MarketId::new(0), &books);
    }
    assert_eq!(whole(&loaded), whole(&baskets));
    assert_eq!(loaded.get(BasketId::new(1)).unwrap().cost(), Some(4_400 + 2 * 4_800));
}

#[test]
fn whoever_remembers_a_version_sees_that_a_basket_was_removed() {
    let (_, mut baskets) = cross();
    let version = baskets.version();
    assert!(baskets.remove(B) && baskets.version() > version);
    let version = baskets.version();
    assert!(!baskets.remove(B) && baskets.version() == version, "nothing was there");
}

/// Books, one basket of them, and what bounds it.
struct World {
    books: Books,
    baskets: Baskets,
    rooms: Vec<Room>,
    sizing: Sizing<'static>,
}

impl World {
    fn sizing(&self) -> Sizing<'_> {
        Sizing { legs: &self.rooms, ..self.sizing }
    }

    fn basket(&self) -> Basket {
        *self.baskets.get(B).unwrap()
    }

    fn walk(&self) -> Result<Plan, NoPlan> {
        walk(&self.baskets, &self.books, &self.sizing())
    }

    /// `legs` legs of which a unit needs up to `ratio_max` contracts.
    fn random(rng: &mut Rng, legs: u16, ratio_max: u16) -> Self {
        let (mut books, mut baskets) = (Books::new(), Baskets::new());
        let venues = [Venue::Polymarket, Venue::Kalshi];
        let ratios: Vec<_> =
            (0..legs).map(|_| 1 + rng.below(u64::from(ratio_max)) as u16).collect();
        // The legs of a unit cost about a dollar together where there are few contracts in it, a few cents each at least.
        let contracts: u16 = ratios.iter().sum();
        let payout = 10_000.max(1_000 * u32::from(contracts));
        let fair = (payout / u32::from(contracts)) as u16;
        // Where there are many legs, the least of them bounds the whole: each has more, and is less of a bargain.
        let (many, bargain) = if legs > 8 { (1_500, 4) } else { (0, 8) };
        let mut rooms = Vec::new();
        for id in 0..legs {
            let mut levels = Vec::new();
            let mut ticks = (fair - 100 * rng.below(bargain) as u16).next_multiple_of(100);
            for _ in 0..1 + rng.below(6) {
                levels.push((Side::Ask, ticks, 1 + many + rng.below(3_000)));
                ticks += 100 * (1 + rng.below(2) as u16);
            }
            // half the legs are bought as NO: the same levels, seen from the other side
            let no = rng.below(2) == 1;
            let turned = |&(_, ticks, qty): &(Side, u16, u64)| (Side::Bid, 10_000 - ticks, qty);
            let levels = if no { levels.iter().map(turned).collect() } else { levels };
            load(&mut books, market(id, venues[rng.below(2) as usize]), &levels);
            let outcome = if no { Outcome::No } else { Outcome::Yes };
            let def = BasketDef {
                basket: B,
                kind: BasketKind::ExclusiveYes,
                leg: id as u8,
                legs: legs as u8,
                market: MarketId::new(id),
                outcome,
                payout,
                ratio: ratios[usize::from(id)],
            };
            baskets.define(&def, &books).unwrap();
            rooms.push(Room {
                qty: cents(100 + many + rng.below(20_000)),
                cost: Usd::from_cents((100 + many / 4 + rng.below(8_000)) as i64),
                dearest: if rng.below(3) == 0 { Price::ONE } else { px(rng.below(10_001) as u16) },
            });
        }
        let dollars = i64::from(1 + legs / 4);
        let cash = [(); CASH_ACCOUNTS]
            .map(|()| Usd::from_cents(dollars * (500 + rng.below(9_000) as i64)));
        let sizing = Sizing {
            cash,
            total: Usd::from_cents(dollars * (1_000 + rng.below(12_000) as i64)),
            edge_min: rng.below(200) as u32,
            profit_min: Usd::from_cents(rng.below(60) as i64),
            ..WIDE
        };
        Self { books, baskets, rooms, sizing }
    }
}

/// Price of the contract that completes `units` on a leg.
fn price_at(books: &Books, leg: Leg, units: Qty) -> Option<Price> {
    let mut sum = Qty::ZERO;
    for (price, qty) in books.get(leg.market).unwrap().asks_for(leg.outcome) {
        sum += qty;
        if sum >= units {
            return Some(price);
        }
    }
    None
}

/// A contract's fee where rounding does not matter, in 1e-14 dollars.
fn smooth_fee(rule: FeeRule, price: Price) -> i64 {
    let rate = match rule {
        FeeRule::Polymarket { rate, .. } => rate,
        FeeRule::Kalshi { taker, .. } => taker,
    };
    i64::from(price.ticks()) * i64::from(price.complement().ticks()) * i64::from(rate)
}

/// Whether so many units pass: dull, one condition a line.
fn naive_ok(books: &Books, basket: &Basket, sizing: &Sizing<'_>, units: Qty) -> Option<bool> {
    let mut edge = i64::from(basket.payout()) * 10_i64.pow(10);
    let (mut total, mut accounts) = (0_i128, [0_i128; CASH_ACCOUNTS]);
    let mut ok = true;
    let slack = walk::ROUNDING.micros();
    let mut counts = [0_i64; CASH_ACCOUNTS];
    for (leg, room) in basket.legs().iter().zip(sizing.legs) {
        let contracts = units.times(leg.ratio);
        let price = price_at(books, *leg, contracts)?;
        let terms = books.terms(leg.market).unwrap();
        let unit = i64::from(price.ticks()) * 10_i64.pow(10) + smooth_fee(terms.fee, price);
        edge -= unit * i64::from(leg.ratio);
        let cost = i128::from(unit) * i128::from(contracts.micros()); // 1e-20
        ok &= contracts <= room.qty;
        ok &= price <= room.dearest || Some(price) == price_at(books, *leg, Qty::from_micros(1));
        ok &= cost <= i128::from(room.cost.micros() - slack) * 10_i128.pow(14);
        total += cost;
        let account = crate::ledger::CashAccount::of(terms.venue, terms.shard).index();
        accounts[account] += cost;
        counts[account] += 1;
    }
    for account in 0..CASH_ACCOUNTS {
        let cash = sizing.cash[account].micros() - slack * counts[account];
        ok &= counts[account] == 0 || accounts[account] <= i128::from(cash) * 10_i128.pow(14);
    }
    let legs = basket.legs().len() as i64;
    ok &= total <= i128::from(sizing.total.micros() - slack * legs) * 10_i128.pow(14);
    ok &= edge >= i64::from(sizing.edge_min) * 10_i64.pow(10);
    Some(ok)
}

/// How many legs a random basket has, and how many contracts of one a unit needs at most: every other one is of a few legs
/// without ratios, as most real ones are.
fn shape(seed: u64, rng: &mut Rng) -> (u16, u16) {
    match seed % 8 {
        1 | 3 | 5 | 7 => (2 + rng.below(3) as u16, 1),
        2 | 6 => (2 + rng.below(3) as u16, 5),
        4 => (2 + rng.below(7) as u16, 3),
        _ => (9 + rng.below(LEGS_MAX as u64 - 8) as u16, 1 + rng.below(4) as u16),
    }
}

#[test]
fn the_walk_agrees_with_a_naive_one() {
    let (mut plans, mut none) = (0, 0);
    for seed in 1..=600 {
        let mut rng = Rng(seed * 0x9e37_79b9);
        let (legs, ratio_max) = shape(seed, &mut rng);
        let world = World::random(&mut rng, legs, ratio_max);
        let (books, basket, sizing) = (&world.books, world.basket(), world.sizing());
        let naive = (1..)
            .map(cents)
            .take_while(|units| naive_ok(books, &basket, &sizing, *units) == Some(true))
            .last();
        match world.walk() {
            Ok(plan) => {
                assert_eq!(Some(plan.units), naive, "seed {seed}");
                prove(books, &basket, &sizing, &plan, seed);
                plans += 1;
            }
            Err(NoPlan::NoEdge { .. }) => assert_eq!(naive, None, "seed {seed}"),
            Err(NoPlan::TooSmall { units, profit, .. }) => {
                assert!(units <= naive.unwrap_or(cents(1)), "seed {seed}");
                assert!(profit < sizing.profit_min || profit == Usd::ZERO, "seed {seed}");
                none += 1;
            }
            Err(NoPlan::Absurd { edge }) => {
                assert!(edge as u32 * 5 > basket.payout(), "seed {seed}");
                assert_eq!(basket.cost(), Some(basket.payout() - edge as u32), "seed {seed}");
            }
            Err(why) => panic!("seed {seed}: {why:?}"),
        }
    }
    assert!(plans > 100 && none > 20, "{plans} plans, {none} too small: the generator is lame");
}

/// Worlds of every kind of rule, life of an order and quantity: the same answer to the bit.
#[test]
fn the_walk_agrees_with_the_plain_one() {
    let (mut seen, mut of_many, mut of_ratios) = ([0; 4], 0, 0);
    for seed in 1..=6_000 {
        let mut rng = Rng(seed * 0x2545_f491);
        let (legs, ratio_max) = shape(seed, &mut rng);
        let mut world = World::random(&mut rng, legs, ratio_max);
        let legs = world.basket().legs().to_vec();
        let World { books, baskets, .. } = &mut world;
        for leg in &legs {
            let mut terms = *books.terms(leg.market).unwrap();
            let rate = [0, 1, 999, 17_500, 40_000, 70_000, 333_333][rng.below(7) as usize];
            terms.fee = match terms.venue {
                Venue::Polymarket => {
                    FeeRule::Polymarket { rate, exponent: 1 + (seed % 7 == 0) as u8 }
                }
                Venue::Kalshi => FeeRule::Kalshi { taker: rate, maker: 0 },
            };
            if terms.venue == Venue::Kalshi {
                terms.shard = rng.below(3) as u8; // some legs share an account, some do not
            }
            let levels: Vec<_> = books.get(leg.market).unwrap().asks_for(leg.outcome).collect();
            let at = |price: Price| match leg.outcome {
                Outcome::Yes => (Side::Ask, price.ticks()),
                Outcome::No => (Side::Bid, price.complement().ticks()),
            };
            let parts = levels.iter().map(|&(price, qty)| {
                let (side, ticks) = at(price);
                (side, ticks, 1 + qty.micros() / 10_000)
            });
            load(books, terms, &parts.collect::<Vec<_>>());
            // half of the time a quantity between two hundredths, as a venue's remainder may be
            if rng.below(2) == 0 {
                let (side, ticks) = at(levels[0].0);
                let change = Change::Set(Qty::from_micros(1 + rng.below(40_000_000)));
                let level =
                    Level { market: leg.market, side, price: px(ticks), change, last: true };
                books.apply(T, &Event::Level(level));
            }
            baskets.refresh(leg.market, books);
        }
        let got = world.walk();
        let plain = plain::walk(&world.books, B, &world.basket(), &world.sizing());
        assert_eq!(got, plain, "seed {seed}");
        of_many += u32::from(got.is_ok() && legs.len() > 8);
        of_ratios += u32::from(got.is_ok() && legs.iter().any(|leg| leg.ratio > 1));
        seen[match got {
            Ok(plan) if plan.legs().iter().any(|leg| leg.levels > 1) => 0,
            Ok(_) => 1,
            Err(NoPlan::TooSmall { .. }) => 2,
            Err(_) => 3,
        }] += 1;
    }
    assert!(seen.iter().all(|&times| times > 200), "{seen:?}: the generator is lame");
    assert!(of_many > 50 && of_ratios > 200, "{of_many} {of_ratios}: the generator is lame");
}

/// Every promise of a plan, recomputed.
fn prove(books: &Books, basket: &Basket, sizing: &Sizing<'_>, plan: &Plan, seed: u64) {
    let pays = i128::from(plan.units.micros()) * i128::from(basket.payout());
    let mut left = pays * 10_i128.pow(10); // 1e-20 dollars
    let mut total = Usd::ZERO;
    let mut cash = [Usd::ZERO; CASH_ACCOUNTS];
    for ((leg, room), plan_leg) in basket.legs().iter().zip(sizing.legs).zip(plan.legs()) {
        let terms = books.terms(leg.market).unwrap();
        let book = books.get(leg.market).unwrap();
        let contracts = plan.units.times(leg.ratio);
        assert_eq!((plan_leg.qty, plan_leg.ratio), (contracts, leg.ratio), "seed {seed}");
        let mut need = contracts.micros();
        for (price, qty) in book.asks_for(leg.outcome).take_while(|(p, _)| *p <= plan_leg.limit) {
            let here = need.min(qty.micros());
            let unit = i64::from(price.ticks()) * 10_i64.pow(10) + smooth_fee(terms.fee, price);
            left -= i128::from(unit) * i128::from(here);
            need -= here;
        }
        assert_eq!(need, 0, "seed {seed}: never more than the depth within the limit");
        assert_eq!(
            Some(plan_leg.limit),
            price_at(books, *leg, contracts),
            "seed {seed}: the tightest"
        );
        let limit = plan_leg.limit;
        let hold = limit.cost_ceil(contracts) + fee_bound(terms.fee, limit, contracts, true);
        assert!(
            hold <= room.cost
                && plan_leg.cost + plan_leg.fee
                    <= hold + Usd::from_micros(100 * i64::from(plan_leg.levels))
        );
        assert!(contracts >= terms.min_qty && plan.units.micros().is_multiple_of(10_000));
        total += hold;
        cash[crate::ledger::CashAccount::of(terms.venue, terms.shard).index()] += hold;
    }
    assert!(total <= sizing.total, "seed {seed}");
    assert!(cash.iter().zip(sizing.cash).all(|(used, most)| *used <= most), "seed {seed}");
    let promised = i128::from(plan.profit.micros()) * 10_i128.pow(14);
    assert!(promised <= left, "seed {seed}: promised more than the exact sum");
    assert!(plan.profit >= sizing.profit_min && plan.edge >= sizing.edge_min as i32);
}

#[test]
fn more_depth_never_promises_less_and_every_leg_is_whole_lots() {
    for seed in 1..=300 {
        let mut rng = Rng(seed * 0x51_7cc1);
        let (legs, ratio_max) = shape(seed, &mut rng);
        let mut world = World::random(&mut rng, legs, ratio_max);
        world.sizing.profit_min = Usd::ZERO;
        let before = world.walk().map_or(Qty::ZERO, |plan| plan.units);
        let leg = *rng_leg(&mut rng, &world.basket());
        let (price, qty) = world.books.get(leg.market).unwrap().best_ask_for(leg.outcome).unwrap();
        let (side, ticks) = match leg.outcome {
            Outcome::Yes => (Side::Ask, price.ticks()),
            Outcome::No => (Side::Bid, price.complement().ticks()),
        };
        set(&mut world.books, leg.market, side, ticks, qty.micros() / 10_000 + rng.below(900));
        world.baskets.refresh(leg.market, &world.books);
        let after = world.walk().map_or(Qty::ZERO, |plan| plan.units);
        assert!(after >= before, "seed {seed}: {after} < {before}");
        let Ok(plan) = world.walk() else { continue };
        for leg in plan.legs() {
            assert_eq!(leg.qty.floor_to(LOT), leg.qty, "seed {seed}");
        }
    }
}

fn rng_leg<'a>(rng: &mut Rng, basket: &'a Basket) -> &'a Leg {
    &basket.legs()[rng.below(basket.legs().len() as u64) as usize]
}

#[test]
fn running_sums_agree_with_fresh_ones() {
    let mut rng = Rng(42);
    let (mut books, mut baskets) = (Books::new(), Baskets::new());
    for id in 0..12 {
        load(&mut books, market(id, Venue::Kalshi), &[]);
    }
    for id in 0..40 {
        let outcome = if rng.below(2) == 0 { Outcome::Yes } else { Outcome::No };
        let first = rng.below(8) as u16;
        let legs: Vec<_> = (0..2 + rng.below(3) as u16)
            .map(|leg| (first + leg, outcome, 1 + rng.below(3) as u16))
            .collect();
        define_ratios(&mut baskets, &books, id, 10_000, &legs);
    }
    for step in 0..20_000 {
        let id = MarketId::new(rng.below(12) as u16);
        let side = if rng.below(2) == 0 { Side::Bid } else { Side::Ask };
        let ticks = match side {
            Side::Bid => 100 * (1 + rng.below(49) as u16),
            Side::Ask => 100 * (50 + rng.below(50) as u16),
        };
        set(&mut books, id, side, ticks, rng.below(3) * 100);
        baskets.refresh(id, &books);
        let mut want = Vec::new();
        for (basket_id, basket) in baskets.iter() {
            let ask = |leg: &Leg| {
                let (price, _) = books.get(leg.market).unwrap().best_ask_for(leg.outcome)?;
                Some(u32::from(price.ticks()) * u32::from(leg.ratio))
            };
            let asks: Option<Vec<_>> = basket.legs().iter().map(ask).collect();
            let sum = asks.map(|asks| asks.iter().sum());
            assert_eq!(basket.cost(), sum, "step {step}");
            let touched = basket.legs().iter().any(|leg| leg.market == id);
            if touched && sum.is_some_and(|sum: u32| sum < basket.payout()) {
                want.push(basket_id);
            }
        }
        let seen: Vec<_> = std::iter::from_fn(|| baskets.poll_dirty()).collect();
        assert_eq!(seen, want, "step {step}");
    }
}
