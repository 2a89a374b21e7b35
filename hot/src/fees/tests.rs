use super::*;
use crate::ids::Action;

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
        let charge =
            FeeAccumulator::new(Precision::Direct).fill(action, price(ticks), qty(hundredths), fee);
        assert_eq!(charge.net, Usd::from_micros(charged), "{ticks} {hundredths}");
    }
    let fee = FULL.fee(price(550), qty(100), true);
    let charge =
        FeeAccumulator::new(Precision::Broker).fill(Action::Buy, price(550), qty(100), fee);
    assert_eq!((fee, charge.net), (Usd::from_micros(3_639), Usd::from_micros(5_000)));
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
            let mut book = FeeAccumulator::new(Precision::Direct);
            let (mut kalshi, mut flat) = (Usd::ZERO, Usd::ZERO);
            for _ in 0..parts {
                let fee = FULL.fee(price, qty(each), true);
                kalshi += book.fill(Action::Buy, price, qty(each), fee).net;
                flat += polymarket.fee(price, qty(each), true);
            }
            assert!(kalshi <= fee_bound(FULL, price, whole, true), "{ticks} in {parts}");
            assert!(flat <= fee_bound(polymarket, price, whole, true), "{ticks} in {parts}");
        }
    }
}

#[test]
fn a_buy_shrinks_by_its_fees() {
    let buy = |amount, ticks, balance, rate, exponent, builder, slippage| {
        let (amount, balance) = (Usd::from_micros(amount), Usd::from_micros(balance));
        fee_adjusted_buy(amount, price(ticks), balance, rate, exponent, builder, slippage)
            .map(Usd::micros)
    };
    assert_eq!(buy(707_160_000, 7_460, 1_008_796_067, 0, 1, 5_000, 5), Some(707_160_000));
    assert_eq!(buy(836_400_000, 8_700, 703_321_899, 20_000, 2, 0, 0), Some(703_115_080));
    assert_eq!(buy(1, 8_700, 1, 20_000, 3, 0, 0), None);
    assert_eq!(buy(1, 0, 1, 20_000, 1, 0, 0), None);
    assert_eq!(buy(10_000_000, 5_000, 0, 70_000, 1, 0, 0), Some(0));
}
