use super::*;
use crate::bounds::FEE_RULES_MAX;
use crate::ids::Action;
use crate::pack::{Pack as _, Unpacker};
use crate::units::Nanos;

fn price(ticks: u16) -> Price {
    Price::from_ticks(ticks).unwrap()
}

fn qty(hundredths: u64) -> Qty {
    Qty::from_micros(hundredths * 10_000)
}

const FULL: FeeRule = FeeRule::Kalshi { taker: 70_000, maker: 17_500 };

#[test]
fn kalshi_worked_examples() {
    // Source: venue reference, kalshi.md §7.3: price, hundredths, taker, trade fee, charged at $0.0001.
    let combo = FeeRule::Kalshi { taker: 70_000, maker: 35_000 };
    let half = FeeRule::Kalshi { taker: 35_000, maker: 0 };
    let rows = [
        (FULL, Action::Buy, 5_000, 10_000, true, 1_750_000, 1_750_000),
        (FULL, Action::Buy, 5_200, 100, true, 17_472, 17_500),
        (FULL, Action::Buy, 3_700, 1_000, true, 163_170, 163_200),
        (FULL, Action::Sell, 6_000, 1_000, true, 168_000, 168_000),
        (FULL, Action::Buy, 5_000, 1_000, false, 43_750, 43_800),
        (half, Action::Buy, 5_000, 10_000, true, 875_000, 875_000),
        (combo, Action::Buy, 1_000, 10_000, false, 315_000, 315_000),
        (FULL, Action::Buy, 5_000, 30, true, 5_250, 5_300),
        (FULL, Action::Buy, 100, 100, true, 693, 700),
        (FULL, Action::Buy, 30, 10_000, true, 20_937, 21_000),
    ];
    for (rule, action, ticks, hundredths, taker, trade_fee, charged) in rows {
        let fee = rule.fee(price(ticks), qty(hundredths), taker);
        assert_eq!(fee, Usd::from_micros(trade_fee), "{ticks} {hundredths}");
        let mut order = FeeAccumulator::NEW;
        let net = rule.charge(&mut order, action, price(ticks), qty(hundredths), taker);
        assert_eq!(net, Usd::from_micros(charged), "{ticks} {hundredths}");
        if taker && action == Action::Buy {
            let cost = price(ticks).cost_ceil(qty(hundredths));
            let counted = TakerFee::at(rule, price(ticks)).charge(qty(hundredths), cost);
            assert_eq!(counted, net, "what plans count with");
        }
    }
    for (ticks, trade_fee, charged) in [(550, 3_639, 5_000), (5_200, 17_472, 20_000)] {
        let (price, qty) = (price(ticks), qty(100));
        let fee = FULL.fee(price, qty, true);
        let mut order = FeeAccumulator::NEW;
        let charge = order.fill(Precision::Broker, Action::Buy, price, qty, fee);
        assert_eq!((fee, charge.net), (Usd::from_micros(trade_fee), Usd::from_micros(charged)));
        assert_eq!((charge.rounding, charge.rebate), (charge.net - fee, Usd::ZERO));
    }
}

#[test]
fn polymarket_rounds_up_and_takes_nothing_below_its_least() {
    let crypto = FeeRule::Polymarket { rate: 70_000, exponent: 1 };
    assert_eq!(crypto.fee(price(5_000), qty(10_000), true), Usd::from_micros(1_750_000));
    assert_eq!(crypto.fee(price(5_000), qty(10_000), false), Usd::ZERO);
    // 0.07 × 0.01 × 0.0001 × 0.9999 is less than $0.00001
    assert_eq!(crypto.fee(price(1), qty(1), true), Usd::ZERO);
    // 0.07 × 1.01 × 0.01 × 0.99 = 0.00069993: up to 0.0007
    assert_eq!(crypto.fee(price(100), qty(101), true), Usd::from_micros(700));
    let curved = FeeRule::Polymarket { rate: 250_000, exponent: 2 };
    assert_eq!(curved.fee(price(5_000), qty(10_000), true), Usd::from_micros(1_562_500));
    // 0.04 × 0.001 × 0.25 and 0.25 × 0.00064 × 0.25² are exactly the least, $0.00001
    let linear = FeeRule::Polymarket { rate: 40_000, exponent: 1 };
    for (rule, micros) in [(linear, 1_000), (curved, 640)] {
        let of = |micros| rule.fee(price(5_000), Qty::from_micros(micros), true);
        assert_eq!([of(micros - 1), of(micros)], [0, 10].map(Usd::from_micros), "{rule:?}");
    }
    let free = FeeRule::Polymarket { rate: 0, exponent: 1 };
    assert_eq!(free.fee(price(5_000), qty(10_000), true), Usd::ZERO);
    assert_eq!(fee_bound(free, price(5_000), qty(10_000), true), Usd::ZERO);
}

#[test]
fn both_ways_to_divide_agree_and_never_round_down() {
    let mut seed = 1_u64;
    for _ in 0..200_000 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let ticks = 1 + u16::try_from(seed >> 40).unwrap_or(0) % 9_999;
        let micros = (seed >> 8) % 1_000_000_000_000_000;
        let (price, qty) = (price(ticks), Qty::from_micros(micros >> (seed % 40)));
        let exact =
            u128::from(ticks) * u128::from(10_000 - ticks) * 70_000 * u128::from(qty.micros());
        let fee = FULL.fee(price, qty, true).micros();
        assert_eq!(u128::try_from(fee).unwrap(), exact.div_ceil(10_u128.pow(14)));
        let linear = FeeRule::Polymarket { rate: 70_000, exponent: 1 }.fee(price, qty, true);
        let step = 10_u128.pow(15);
        let expected = if exact < step { 0 } else { exact.div_ceil(step) * 10 };
        assert_eq!(u128::try_from(linear.micros()).unwrap(), expected);
        // exponent 2 through the general path, against plain arithmetic
        let square = FeeRule::Polymarket { rate: 70_000, exponent: 2 }.fee(price, qty, true);
        let exact = exact * u128::from(ticks) * u128::from(10_000 - ticks);
        let step = 10_u128.pow(23);
        let expected = if exact < step { 0 } else { exact.div_ceil(step) * 10 };
        assert_eq!(u128::try_from(square.micros()).unwrap(), expected);
    }
}

#[test]
fn an_order_in_many_fills_stays_within_its_bound() {
    let polymarket = FeeRule::Polymarket { rate: 70_000, exponent: 1 };
    for ticks in [1, 7, 100, 3_333, 5_000, 9_999] {
        for parts in 1..=u64::try_from(FILLS_PER_ORDER).unwrap() {
            let (price, each) = (price(ticks), 37);
            let whole = qty(each * parts);
            let mut order = FeeAccumulator::NEW;
            let (mut kalshi, mut flat) = (Usd::ZERO, Usd::ZERO);
            for _ in 0..parts {
                kalshi += FULL.charge(&mut order, Action::Buy, price, qty(each), true);
                flat += polymarket.fee(price, qty(each), true);
            }
            assert!(kalshi <= fee_bound(FULL, price, whole, true), "{ticks} in {parts}");
            assert!(flat <= fee_bound(polymarket, price, whole, true), "{ticks} in {parts}");
        }
    }
}

#[test]
fn a_bound_has_a_step_for_every_further_fill_and_a_unit_for_each_on_kalshi() {
    let (price, qty) = (price(5_000), qty(10_000));
    let polymarket = FeeRule::Polymarket { rate: 70_000, exponent: 1 };
    // seven steps of $0.00001; eight of $0.000001 with eight units of $0.0001
    for (rule, steps) in [(polymarket, 70), (FULL, 808)] {
        let fee = rule.fee(price, qty, true);
        assert_eq!(fee_bound(rule, price, qty, true), fee + Usd::from_micros(steps), "{rule:?}");
    }
    assert_eq!(fee_bound(polymarket, price, qty, false), Usd::ZERO, "makers pay nothing");
}

#[test]
fn every_fill_on_kalshi_moves_the_balance_by_whole_units() {
    let mut order = FeeAccumulator::NEW;
    for nth in 1..=3_000_u16 {
        let (price, qty) = (price(nth * 3), Qty::from_micros(u64::from(nth) * 7_919));
        let mut charge = |action| FULL.charge(&mut order, action, price, qty, nth % 2 == 0);
        let bought = price.cost_ceil(qty) + charge(Action::Buy);
        let sold = price.proceeds_floor(qty) - charge(Action::Sell);
        for money in [bought, sold] {
            assert_eq!(money.micros() % 100, 0, "{qty:?} at {price:?}");
        }
    }
}

#[test]
fn what_rounding_keeps_of_an_order_is_less_than_a_unit_where_every_fill_costs_one() {
    // From 0.13 contracts on the fee of a fill at these prices is a unit and more, so that a rebate always fits.
    for ticks in [500, 3_333, 5_000, 9_200] {
        let (mut order, mut charged, mut by_rule) = (FeeAccumulator::NEW, Usd::ZERO, Usd::ZERO);
        for nth in 0..2_000 {
            let (price, qty) = (price(ticks + nth % 7), qty(13 + u64::from(nth) % 311));
            let action = if nth % 2 == 0 { Action::Buy } else { Action::Sell };
            charged += FULL.charge(&mut order, action, price, qty, nth % 3 > 0);
            by_rule += FULL.fee(price, qty, nth % 3 > 0);
            let kept = charged - by_rule;
            assert!((0..100).contains(&kept.micros()), "{kept:?} after {nth} fills at {ticks}");
        }
    }
}

/// Source: venue reference, polymarket.md §8: ticks, rate, and microdollars for a hundred shares.
#[test]
fn polymarket_worked_examples() {
    let rows = [
        (100, [69_300, 49_500, 39_600]),
        (500, [332_500, 237_500, 190_000]),
        (1_000, [630_000, 450_000, 360_000]),
        (2_500, [1_312_500, 937_500, 750_000]),
        (5_000, [1_750_000, 1_250_000, 1_000_000]),
    ];
    for (ticks, fees) in rows {
        for (rate, fee) in [70_000, 50_000, 40_000].into_iter().zip(fees) {
            let rule = FeeRule::Polymarket { rate, exponent: 1 };
            for price in [price(ticks), price(ticks).complement()] {
                let expected = Usd::from_micros(fee);
                assert_eq!(rule.fee(price, qty(10_000), true), expected, "{rate} at {ticks}");
                let cost = price.cost_ceil(qty(10_000));
                assert_eq!(TakerFee::at(rule, price).charge(qty(10_000), cost), expected);
                assert_eq!(rule.fee(price, qty(10_000), false), Usd::ZERO, "makers pay nothing");
            }
        }
    }
    let rule = FeeRule::Polymarket { rate: 50_000, exponent: 1 };
    let fee = rule.fee(price(4_200), qty(3_700), true);
    assert_eq!(price(4_200).cost_ceil(qty(3_700)) + fee, Usd::from_micros(15_990_660));
    assert_eq!(price(4_200).proceeds_floor(qty(3_700)) - fee, Usd::from_micros(15_089_340));
    // YES at 0.48 with NO at 0.49: half a cent is left of three
    let pair = TakerFee::at(rule, price(4_800)).cost_of_many()
        + TakerFee::at(rule, price(4_900)).cost_of_many();
    assert_eq!(pair, 994_975 * MICROS as i64);
}

const fn at(from: u64, taker: Ppm) -> FeeChange {
    FeeChange { from: Nanos::from_secs(from), rule: FeeRule::Kalshi { taker, maker: 0 } }
}

fn taker(rule: Option<FeeRule>) -> Ppm {
    match rule {
        Some(FeeRule::Kalshi { taker, .. }) => taker,
        other => panic!("{other:?}"),
    }
}

fn schedule(now: u64, rule: Ppm, changes: &[FeeChange]) -> FeeSchedule {
    let mut schedule = FeeSchedule::NONE;
    schedule.state(Nanos::from_secs(now), at(0, rule).rule);
    for change in changes {
        schedule.change(Nanos::from_secs(now), *change);
    }
    schedule
}

#[test]
fn the_rule_of_a_time_is_the_last_that_began_by_then() {
    let waived = schedule(100, 0, &[at(300, 35_000), at(200, 70_000)]);
    let of = |secs| taker(waived.rule_at(Nanos::from_secs(secs)));
    assert_eq!(
        [of(0), of(100), of(199), of(200), of(299), of(300)],
        [0, 0, 0, 70_000, 70_000, 35_000]
    );
    assert_eq!(FeeSchedule::NONE.rule_at(Nanos::ZERO), None);
    let within =
        |from, to| waived.rules_within(Nanos::from_secs(from), Nanos::from_secs(to)).count();
    assert_eq!([within(0, 199), within(199, 200), within(200, 200), within(0, 300)], [1, 2, 1, 3]);
}

#[test]
fn near_a_change_the_dearer_rule_counts_on_both_sides() {
    let reach = Nanos::from_secs(7);
    let of = |schedule: &FeeSchedule, secs| taker(schedule.dearest(Nanos::from_secs(secs), reach));
    let rises = schedule(100, 35_000, &[at(200, 70_000)]);
    assert_eq!([of(&rises, 192), of(&rises, 193), of(&rises, 300)], [35_000, 70_000, 70_000]);
    let falls = schedule(100, 70_000, &[at(200, 0)]);
    assert_eq!([of(&falls, 193), of(&falls, 206), of(&falls, 207)], [70_000, 70_000, 0]);
    assert!(!falls.is_settled(Nanos::from_secs(207), reach));
    assert!(falls.is_settled(Nanos::from_secs(208), reach));
    assert!(schedule(0, 70_000, &[]).is_settled(Nanos::ZERO, reach));
}

#[test]
fn what_the_venue_states_voids_what_was_to_come_and_keeps_what_was() {
    let mut rules = schedule(100, 70_000, &[at(200, 35_000), at(400, 0)]);
    rules.state(Nanos::from_secs(300), at(0, 140_000).rule);
    let all: Vec<_> =
        rules.rules().iter().map(|entry| (entry.from, taker(Some(entry.rule)))).collect();
    let secs = Nanos::from_secs;
    assert_eq!(all, [(secs(0), 70_000), (secs(200), 35_000), (secs(300), 140_000)]);
    rules.state(secs(300), at(0, 1).rule);
    assert_eq!(
        (rules.rules().len(), taker(rules.rule_at(secs(300)))),
        (3, 1),
        "said twice at one time"
    );
    rules.state(secs(301), at(0, 1).rule);
    assert_eq!(rules.rules().len(), 3, "said again, it has begun once");
    rules.state(secs(301), FeeRule::Polymarket { rate: 1, exponent: 1 });
    assert_eq!(rules.rules().len(), 1, "another venue's rules are no history of it");
    rules.change(secs(301), at(400, 70_000));
    assert_eq!(rules.rules().len(), 1, "nor its future");
}

#[test]
fn a_full_schedule_forgets_what_has_ended_and_then_what_is_farthest() {
    let mut rules = schedule(100, 1, &[at(50, 2), at(200, 3), at(300, 4)]);
    rules.change(Nanos::from_secs(100), at(400, 5));
    let from = |rules: &FeeSchedule| {
        rules.rules().iter().map(|entry| entry.from.get() / 1_000_000_000).collect::<Vec<_>>()
    };
    assert_eq!(from(&rules), [50, 200, 300, 400], "the rule before is over");
    rules.change(Nanos::from_secs(100), at(500, 6));
    assert_eq!(from(&rules), [50, 200, 300, 400], "the farthest is told again");
    rules.change(Nanos::from_secs(100), at(350, 7));
    assert_eq!(from(&rules), [50, 200, 300, 350]);
    rules.change(Nanos::from_secs(100), at(350, 8));
    assert_eq!(taker(rules.rule_at(Nanos::from_secs(350))), 8, "the same date again");
    for now in [310, 360, 370, 380] {
        rules.state(Nanos::from_secs(now), at(0, now as Ppm).rule);
        assert_eq!(taker(rules.rule_at(Nanos::from_secs(now))), now as Ppm);
        assert!(rules.rules().is_sorted_by(|one, next| one.from < next.from));
    }
}

#[test]
fn the_dearer_of_two_rules_is_a_bound_of_both() {
    let of = |rate, exponent| FeeRule::Polymarket { rate, exponent };
    let rules = [of(0, 1), of(70_000, 1), of(40_000, 1), of(250_000, 2), of(20_000, 2)];
    for (one, other) in rules.into_iter().flat_map(|one| rules.map(|other| (one, other))) {
        let both = one.dearer(other);
        for ticks in (0..=10_000).step_by(50) {
            let fee = |rule: FeeRule| rule.fee(price(ticks), qty(3_700), true);
            assert!(fee(both) >= fee(one).max(fee(other)), "{one:?} {other:?} at {ticks}");
        }
    }
    for waived in [of(0, 1).dearer(of(250_000, 2)), of(250_000, 2).dearer(of(0, 1))] {
        assert_eq!(waived, of(250_000, 2), "a waiver makes no curve dearer");
    }
    let makers = FeeRule::Kalshi { taker: 35_000, maker: 17_500 };
    assert_eq!(makers.dearer(FeeRule::Kalshi { taker: 70_000, maker: 0 }), FULL);
}

#[test]
fn a_schedule_that_is_no_order_of_times_is_not_read() {
    let mut bytes = Vec::new();
    schedule(100, 1, &[at(200, 3)]).pack(&mut bytes);
    let read = |bytes: &[u8]| FeeSchedule::unpack(&mut Unpacker::new(bytes));
    assert_eq!(read(&bytes).unwrap(), schedule(100, 1, &[at(200, 3)]));
    let full = schedule(100, 1, &[at(200, 2), at(300, 3), at(400, 4)]);
    let mut of_full = Vec::new();
    full.pack(&mut of_full);
    assert_eq!((read(&of_full), full.rules().len()), (Some(full), FEE_RULES_MAX));
    let time = 1 + 8 + 9;
    bytes[time..time + 8].fill(0);
    assert_eq!(read(&bytes), None);
}
