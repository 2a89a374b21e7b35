//! What the venue charges for a fill. Written apart from the trader's own fee code on purpose: where the two
//! disagree, reconciliation shows it.

use surefoot_hot::fees::FeeRule;
use surefoot_hot::ids::Side;
use surefoot_hot::units::{Price, Qty, Usd};

/// A direct member's balance has four decimals: $0.0001 in microdollars.
const PRECISION: i64 = 100;

/// What rounding has kept from one order so far. It gives back whole units of precision with the fill that
/// completes them (`venues/kalshi.md` §7.2, page of 2026-08-26).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct FeeAccumulator(i64);

impl FeeAccumulator {
    /// What one fill costs beyond its price, rounding and rebate in it; never negative.
    pub(super) fn charge(
        &mut self,
        rule: FeeRule,
        is_taker: bool,
        side: Side,
        price: Price,
        qty: Qty,
    ) -> Usd {
        self.charge_at(PRECISION, rule, is_taker, side, price, qty)
    }

    fn charge_at(
        &mut self,
        precision: i64,
        rule: FeeRule,
        is_taker: bool,
        side: Side,
        price: Price,
        qty: Qty,
    ) -> Usd {
        let FeeRule::Kalshi { taker, maker } = rule else {
            panic!("a Kalshi market has a Kalshi fee")
        };
        let rate = if is_taker { taker } else { maker };
        let p_q = u128::from(price.ticks()) * u128::from(price.complement().ticks()); // 1e-8
        let exact = p_q * u128::from(qty.micros()) * u128::from(rate); // 1e-20
        let trade_fee =
            i64::try_from(exact.div_ceil(10_u128.pow(14))).expect("QTY_MAX bounds the fee");
        let value = price.proceeds_floor(qty).micros();
        // Buying NO at the complement differs by whole dollars a contract, which rounding does not see.
        let change = if side == Side::Bid { -value - trade_fee } else { value - trade_fee };
        let rounding = change.rem_euclid(precision);
        self.0 += rounding;
        let rebate = self.0.min(trade_fee + rounding) / precision * precision;
        self.0 -= rebate;
        Usd::from_micros(trade_fee + rounding - rebate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn micros(value: &Value) -> i64 {
        let text = value.as_str().unwrap();
        let (sign, text) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        sign * format!("{whole}{part:0<6}").parse::<i64>().unwrap()
    }

    /// The worked examples of `venues/kalshi.md` §7.3 for direct members.
    #[test]
    fn worked_examples() {
        let cases = [
            (Side::Bid, 5_000, 100_000_000, 70_000, 1_750_000),
            (Side::Bid, 5_200, 1_000_000, 70_000, 17_500),
            (Side::Bid, 3_700, 10_000_000, 70_000, 163_200),
            (Side::Ask, 6_000, 10_000_000, 70_000, 168_000),
            (Side::Bid, 5_000, 10_000_000, 17_500, 43_800),
            (Side::Bid, 5_000, 100_000_000, 35_000, 875_000),
            (Side::Bid, 5_000, 300_000, 70_000, 5_300),
            (Side::Bid, 100, 1_000_000, 70_000, 700),
            (Side::Bid, 30, 100_000_000, 70_000, 21_000),
        ];
        for (side, ticks, qty, taker, want) in cases {
            let rule = FeeRule::Kalshi { taker, maker: 0 };
            let price = Price::from_ticks(ticks).unwrap();
            let fee =
                FeeAccumulator::default().charge(rule, true, side, price, Qty::from_micros(qty));
            assert_eq!(fee, Usd::from_micros(want), "{ticks} {qty}");
        }
    }

    #[test]
    fn agrees_with_the_derived_vectors() {
        let text = include_str!("../../../tests/golden/vectors/kalshi_fee_rounding_derived.jsonl");
        for (number, line) in text.lines().enumerate() {
            let case: Value = serde_json::from_str(line).unwrap();
            let coef = micros(&case["coef"]) * micros(&case["multiplier"]) / 1_000_000;
            let rule = FeeRule::Kalshi { taker: u32::try_from(coef).unwrap(), maker: 0 };
            let side = if case["side"] == "buy" { Side::Bid } else { Side::Ask };
            let mut fees = FeeAccumulator::default();
            for fill in case["fills"].as_array().unwrap() {
                let price = Price::from_ticks(u16::try_from(micros(&fill["price"]) / 100).unwrap())
                    .unwrap();
                let qty = Qty::from_micros(micros(&fill["qty"]).unsigned_abs());
                let fee = fees.charge_at(micros(&case["precision"]), rule, true, side, price, qty);
                assert_eq!(fee.micros(), micros(&fill["net_fee"]), "line {}: {fill}", number + 1);
            }
        }
    }
}
