//! Views drawn by chance, so that rows meet, asked of the table in use and of its plain second writing.

use super::*;
use crate::order::Expiry;
use crate::random::Rng;
use crate::risk::{BestPrices, Claimed, Headroom, LastTrade};

/// Values around those at which something changes.
fn disturb(world: &mut World, rng: &mut Rng) {
    let near = |rng: &mut Rng, of: &[u64]| {
        let of = rng.of(of);
        of.saturating_add(rng.below(3)).saturating_sub(1)
    };
    for _ in 0..rng.below(4) {
        match rng.below(20) {
            0 => world.order.price = ticks(100 * rng.below(101) as u16),
            1 => world.order.price = ticks(rng.below(10_001) as u16),
            2 => world.order.qty = Qty::from_micros(near(rng, &[100_000_000])),
            3 => world.order.qty = Qty::from_micros(near(rng, &[5_000_000])),
            4 => world.order.outcome = rng.of(&Outcome::ALL),
            5 => {
                let venue = rng.of(&Venue::ALL);
                (world.def.venue, world.order.venue) = (venue, venue);
            }
            6 => {
                let secs = 1_800_000_000 + near(rng, &[0, 2, 122]);
                world.order.tif = rng.of(&Tif::ALL);
                world.order.expires =
                    Expiry::at(Nanos::from_secs(secs)).filter(|_| rng.percent(60));
            }
            7 => world.order.post_only = rng.percent(50),
            8 => world.cost = micros(near(rng, &[50_000_000]) as i64),
            9 => world.cash_free = micros(near(rng, &[0, 50_000_000, 52_631_579]) as i64),
            10 => world.held_free = Qty::from_micros(near(rng, &[100_000_000])),
            11 => {
                let sign = rng.of(&[-1, 1]);
                world.day_result = micros(sign * near(rng, &[100_000_000]) as i64);
            }
            12 => {
                let row = rng.of(&LimitRow::ALL);
                world.limit(row, near(rng, &[0, 1, 50_000_000, 100_000_000]));
            }
            13 => {
                for row in LimitRow::ALL {
                    world.limit(row, row.def().default);
                }
            }
            14 => {
                let mut side =
                    || Some(ticks(100 * rng.below(101) as u16)).filter(|_| rng.percent(80));
                world.context.market.best = BestPrices { bid: side(), ask: side() };
            }
            15 => {
                let at = NOW.since(Nanos::new(near(rng, &[0, 30_000_000_000])));
                world.context.last_trade =
                    Some(LastTrade { price: ticks(rng.below(10_001) as u16), at });
            }
            16 => world.equity = micros(near(rng, &[0, 1_000_000_000, 9_000_000_000]) as i64),
            17 => world.strategy_result = micros(-(near(rng, &[50_000_000, 100_000_000]) as i64)),
            18 => world.position.cost = micros(near(rng, &[50_000_000]) as i64),
            _ => world.def.status = rng.of(&MarketStatus::ALL),
        }
    }
}

/// Cases and values drawn together, so that rows meet: twenty thousand views, or as many as `SUREFOOT_CASES` says.
#[test]
fn a_plain_table_says_the_same_of_any_view() {
    let mut rng = Rng::from_seed(8);
    let cases = [STATE, MARKET, BUDGET, HEDGING].concat();
    let mut said = [0_u32; R::ALL.len()];
    for nth in 0..crate::cases::cases(20_000) {
        let mut world = World::new();
        for _ in 0..rng.below(3) {
            let (_, _, _, breaks, passes) = rng.of(&cases);
            if rng.percent(60) { breaks(&mut world) } else { passes(&mut world) }
        }
        disturb(&mut world, &mut rng);
        let purpose = rng.of(ALL);
        let sells = rng.percent(if purpose.reduces() { 90 } else { 10 });
        let action = if sells { Action::Sell } else { Action::Buy };
        let (ours, plain) = world.ask(purpose, action, world.context, |view, order| {
            (check(view, order).err(), plain::check(view, &order))
        });
        assert_eq!(ours, plain, "view {nth}: {purpose:?}, {action:?}");
        if let Some(why) = ours {
            said[why as usize] += 1;
        }
    }
    // What the core refuses before it asks the gate.
    let beside = [R::NotResting];
    let unsaid = R::ALL.into_iter().filter(|why| said[*why as usize] == 0 && !beside.contains(why));
    assert_eq!(unsaid.collect::<Vec<_>>(), [], "chance has not met these");
}

/// The rows that look at nothing but the run, the account and the plan. A market's rate has the same name as that of all markets.
const OF_ALL_LEGS: &[R] = &[
    R::Full,
    R::Halted,
    R::Stopping,
    R::Unreconciled,
    R::Slow,
    R::ClockOff,
    R::Disabled,
    R::EquityFloor,
    R::Drawdown,
    R::DailyLoss,
    R::StrategyLoss,
    R::ClusterOutcome,
    R::Shock,
    R::Rate,
];

/// A leg that follows another one of its plan is not asked what that one was asked for both: every other row must refuse it as before.
#[test]
fn a_leg_that_follows_is_refused_by_every_row_that_is_about_itself() {
    let mut rng = Rng::from_seed(10);
    let cases = [STATE, MARKET, BUDGET].concat();
    let mut said = [0_u32; R::ALL.len()];
    for nth in 0..crate::cases::cases(20_000) {
        let mut world = World::new();
        let (_, _, _, breaks, passes) = rng.of(&cases);
        if rng.percent(80) {
            breaks(&mut world)
        } else {
            passes(&mut world)
        }
        disturb(&mut world, &mut rng);
        world.order.post_only = false;
        world.ask(Purpose::Leg, Action::Buy, world.context, |view, order| {
            let alone = check(view, order).err();
            assert_eq!(check_leg(view, &order, Place::First).err(), alone, "view {nth}");
            if alone.is_none_or(|why| !OF_ALL_LEGS.contains(&why)) {
                assert_eq!(check_leg(view, &order, Place::Follows).err(), alone, "view {nth}");
                said[alone.unwrap_or(R::Full) as usize] += 1;
            }
        });
    }
    let often = said.iter().filter(|said| **said > 20).count();
    assert!(often > 15, "{said:?}");
}

/// A purchase that passed is asked about at a lower price by few rows: the whole table must say the same there.
#[test]
fn what_passes_below_is_what_the_whole_table_lets_pass_there() {
    let mut rng = Rng::from_seed(9);
    let cases = [MARKET, BUDGET].concat();
    let (mut asked, mut refused) = (0, 0);
    for nth in 0..crate::cases::cases(20_000) {
        let mut world = World::new();
        if rng.percent(50) {
            let (_, _, _, breaks, passes) = rng.of(&cases);
            if rng.percent(50) { breaks(&mut world) } else { passes(&mut world) }
        }
        disturb(&mut world, &mut rng);
        let purpose = rng.of(BUYING);
        let dearer = world.order.price.ticks();
        let lower = ticks(dearer.saturating_sub(rng.of(&[0, 1, 50, 100, 1_000, 4_900])));
        let cost = micros(world.cost.micros().min(rng.of(&[0, 25_000_000, i64::MAX])));
        if rng.percent(20) {
            let order = Order { purpose, price: lower, ..world.order };
            world.rate.remember(NOW, &order);
        }
        let both = world.ask(purpose, Action::Buy, world.context, |view, order| {
            let passed = check(view, order).ok()?;
            let there = View { cost, ..*view };
            let whole = check(&there, Order { price: lower, ..order }).is_ok();
            let few = passes_below((&passed, view.cost), (lower, cost), view.def, view.rate);
            assert!(few.is_none_or(|few| *few == Order { price: lower, ..order }));
            Some((few.is_some(), whole))
        });
        let Some((few, whole)) = both else { continue };
        assert_eq!(few, whole, "view {nth}: {purpose:?} at {lower}");
        asked += 1;
        refused += u32::from(!whole);
    }
    assert!(refused > 100 && asked - refused > 1_000, "{refused} of {asked}");
}

/// Orders in other outcomes claim cash, of the same market, cluster, category, theme, venue and account or of others.
fn claim_elsewhere(world: &mut World, rng: &mut Rng) -> Claimed {
    let mut claimed = Claimed::default();
    for _ in 0..rng.below(3) {
        let mut def = MarketDef { market: rng.of(&[HERE, ELSEWHERE]), ..world.def };
        if rng.percent(50) {
            def.cluster = ClusterId::new(1 + rng.below(3) as u16);
        }
        if rng.percent(30) {
            def.venue = rng.of(&Venue::ALL);
        }
        if rng.percent(30) {
            (def.category, def.theme) = (Category::Crypto, Some(ThemeId::new(3)));
        }
        let by =
            micros(rng.of(&[1, 300_000_000, 474_999_999, 475_000_000, 475_000_001, 950_000_000]));
        world.exposure.add(&def, by);
        if def.venue == world.def.venue && rng.percent(80) {
            world.cash_free -= by;
        }
        claimed = claimed.and(by);
    }
    claimed
}

/// Where a headroom was worked out ahead, and others have claimed cash since, the gate says of an opening order what it says without:
/// what the headroom lets pass, no row of a sum refuses.
#[test]
fn a_headroom_lets_nothing_pass_that_a_row_refuses() {
    let mut rng = Rng::from_seed(11);
    let cases = [MARKET, BUDGET].concat();
    let (mut held, mut refused) = (0, [0_u32; R::ALL.len()]);
    for nth in 0..crate::cases::cases(20_000) {
        let mut world = World::new();
        if rng.percent(70) {
            let (_, _, _, breaks, passes) = rng.of(&cases);
            if rng.percent(50) { breaks(&mut world) } else { passes(&mut world) }
        }
        if rng.percent(50) {
            disturb(&mut world, &mut rng);
        }
        if rng.percent(50) {
            world.limit(L::Positions, rng.below(4));
        }
        world.def.theme = Some(ThemeId::new(3)).filter(|_| rng.percent(50));
        let purpose = rng.of(&[Purpose::Leg, Purpose::Quote]);
        let room = world.ask(purpose, Action::Buy, world.context, |view, order| {
            let &View { limits, exposure, def, position, cash_free, .. } = view;
            let sums = (limits, &view.context.equity_limits, exposure);
            Headroom::new(sums, def, (order.decided, order.outcome), position, cash_free)
        });
        let since = claim_elsewhere(&mut world, &mut rng);
        let (few, whole, holds) = world.ask(purpose, Action::Buy, world.context, |view, order| {
            let ahead = View { headroom: Some((room, since)), ..*view };
            let holds = room.holds(&order, view.cost, since);
            (check(&ahead, order), check(view, order), holds)
        });
        assert_eq!(few, whole, "view {nth}: {purpose:?}");
        held += u32::from(holds);
        if let Some(why) = whole.err().filter(|_| !holds) {
            refused[why as usize] += 1;
        }
    }
    assert!(held > 1_000, "{held}: the draws are lame");
    let sums = [
        R::Cash,
        R::Position,
        R::ExposureMarket,
        R::ExposureCluster,
        R::ExposureVenue,
        R::ExposureTotal,
        R::Positions,
        R::PositionShare,
        R::Category,
        R::ExposureTheme,
    ];
    assert!(sums.iter().all(|why| refused[*why as usize] > 0), "{refused:?}");
}

/// Whether an order passes still where a view's sums count what is held for it.
fn still(passed: &Approved<Order>, view: &View<'_>, held: Usd) -> bool {
    let &View { limits, exposure, def, cash_free, cost, .. } = view;
    let shares = &view.context.equity_limits;
    passes_still(passed, &Sums { limits, shares, exposure, def, cash_free, held, cost })
}

/// An opening order that passed is asked about again by few rows once others have claimed cash: the whole table must say the same.
#[test]
fn what_passes_still_is_what_the_whole_table_lets_pass_then() {
    let mut rng = Rng::from_seed(10);
    let cases = [MARKET, BUDGET].concat();
    let mut said = [0_u32; R::ALL.len()];
    let mut passed_still = 0;
    for nth in 0..crate::cases::cases(20_000) {
        let mut world = World::new();
        if rng.percent(30) {
            let (_, _, _, _, passes) = rng.of(&cases);
            passes(&mut world);
        }
        if rng.percent(50) {
            disturb(&mut world, &mut rng);
        }
        world.limit(L::Positions, rng.below(4));
        world.limit(L::CategoryPercent, rng.of(&[10, 100]));
        world.def.theme = Some(ThemeId::new(3)).filter(|_| rng.percent(50));
        world.cash_free = micros(rng.of(&[1_000_000_000, 10_000_000_000]));
        let purpose = rng.of(&[Purpose::Leg, Purpose::Quote]);
        let before =
            world.ask(purpose, Action::Buy, world.context, |view, order| check(view, order));
        let Ok(passed) = before else { continue };
        claim_elsewhere(&mut world, &mut rng);
        let whole =
            world.ask(purpose, Action::Buy, world.context, |view, order| check(view, order)).err();
        // Its own leg may hold cash already, for as much as it costs or more.
        let held = rng.of(&[Usd::ZERO, world.cost, world.cost + Usd::from_dollars(5)]);
        world.exposure.add(&world.def, held);
        world.cash_free -= held;
        let few =
            world.ask(purpose, Action::Buy, world.context, |view, _| still(&passed, view, held));
        assert_eq!(few, whole.is_none(), "view {nth}: {purpose:?}, {whole:?}");
        match whole {
            Some(why) => said[why as usize] += 1,
            None => passed_still += 1,
        }
    }
    assert!(passed_still > 1_000, "{passed_still}");
    let sums = [
        R::Cash,
        R::ExposureMarket,
        R::ExposureCluster,
        R::ExposureVenue,
        R::ExposureTotal,
        R::Positions,
        R::Category,
        R::ExposureTheme,
    ];
    assert!(sums.iter().all(|why| said[*why as usize] > 0), "{said:?}");
}

#[test]
fn nothing_but_an_opening_purchase_passes_still_without_the_whole_table() {
    let world = World::new();
    let passes = |purpose, action| {
        world.ask(purpose, action, world.context, |view, order| {
            still(&check(view, order).unwrap(), view, Usd::ZERO)
        })
    };
    assert!(passes(Purpose::Leg, Action::Buy));
    assert!(!passes(Purpose::Hedge, Action::Buy) && !passes(Purpose::Unwind, Action::Sell));
}

#[test]
fn nothing_but_a_purchase_that_is_no_dearer_passes_without_the_whole_table() {
    let world = World::new();
    let at = world.order.price;
    let above = ticks(at.ticks() + 100);
    let passes = |purpose, action, price, more| {
        world.ask(purpose, action, world.context, |view, order| {
            let passed = check(view, order).unwrap();
            let there = (price, view.cost + more);
            passes_below((&passed, view.cost), there, view.def, view.rate).is_some()
        })
    };
    assert!(passes(Purpose::Leg, Action::Buy, at, Usd::ZERO));
    assert!(!passes(Purpose::Leg, Action::Buy, above, Usd::ZERO));
    assert!(!passes(Purpose::Leg, Action::Buy, at, micros(1)));
    assert!(!passes(Purpose::Unwind, Action::Sell, at, Usd::ZERO));
}
