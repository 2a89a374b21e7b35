//! What a fill costs, by the venue's own rule and rounding.
//!
//! Sources: venue references, `polymarket.md` §8 and `kalshi.md` §7, both compiled 2026-11-20; Kalshi's
//! fee-rounding page is of 2026-08-26. Vectors in `tests/golden`.

mod accumulator;
mod schedule;

pub use accumulator::{Charge, FeeAccumulator, Precision};
pub use schedule::{FeeChange, FeeSchedule};

use crate::ids::Action;
use crate::pack::pack_variants;
use crate::units::{MICROS, Price, Qty, Usd};

/// Parts per million.
pub type Ppm = u32;

/// Fills that [`fee_bound`] allows for what is open of an order.
///
/// A claim is made anew after every fill, for what is left: there are always so many ahead. Of more fills than these between two
/// words of the venue each costs $0.0001 that is not reserved; the twentieth of the cash that no opening order may use is there
/// for that.
pub const FILLS_PER_ORDER: i64 = 8;

/// A market's fee rule, as its metadata gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeeRule {
    /// Polymarket: `shares × rate × (p(1−p))^exponent`, taker only, rounded to $0.00001.
    Polymarket {
        /// The schedule's rate, in parts per million (0.07 is 70,000).
        rate: Ppm,
        /// The schedule's exponent; 1 today.
        exponent: u8,
    },
    /// Kalshi: `coef × multiplier × contracts × p(1−p)`, rounded up to $0.000001 per fill; then the balance
    /// change is rounded down to the member's precision.
    Kalshi {
        /// Taker coefficient times multiplier, in parts per million.
        taker: Ppm,
        /// Maker coefficient times multiplier, in parts per million.
        maker: Ppm,
    },
}

/// So many contracts that a fee on them is exact to a millionth of a microdollar each.
pub(crate) const MANY: Qty = Qty::from_contracts(MICROS);

/// What a tick comes to on [`MANY`] contracts, in microdollars.
pub(crate) const TICK_OF_MANY: i64 = 100 * MICROS as i64;

impl FeeRule {
    /// One that charges nothing.
    pub(crate) const FREE: Self = Self::Kalshi { taker: 0, maker: 0 };

    /// The fee of one fill, rounded up. `price` is of either outcome: the rules are symmetric.
    ///
    /// Polymarket: to $0.00001, and nothing where it is less than that; which way the venue rounds is not
    /// documented, so against us. Kalshi: the trade fee, to $0.000001, before [`FeeAccumulator`].
    #[inline]
    pub fn fee(self, price: Price, qty: Qty, taker: bool) -> Usd {
        match self {
            Self::Polymarket { .. } if !taker => Usd::ZERO,
            Self::Polymarket { rate, exponent: 1 } => polymarket_linear(linear(rate, price), qty),
            Self::Polymarket { rate, exponent } => polymarket_curved(rate, exponent, price, qty),
            Self::Kalshi { taker: coef, .. } if taker => kalshi(linear(coef, price), qty),
            Self::Kalshi { maker, .. } => kalshi(linear(maker, price), qty),
        }
    }

    /// What the venue charges for one fill of an order, whose earlier fills have left `order` behind: Polymarket the
    /// trade fee, Kalshi what comes of a direct member's rounding, less the rebate. `price` is of the outcome bought or
    /// sold.
    pub fn charge(
        self,
        order: &mut FeeAccumulator,
        action: Action,
        price: Price,
        qty: Qty,
        taker: bool,
    ) -> Usd {
        let fee = self.fee(price, qty, taker);
        match self {
            Self::Polymarket { .. } => fee,
            Self::Kalshi { .. } => order.fill(Precision::Direct, action, price, qty, fee).net,
        }
    }

    /// Whether both follow the same formula: those of one venue do.
    pub const fn is_like(self, other: Self) -> bool {
        matches!(
            (self, other),
            (Self::Polymarket { .. }, Self::Polymarket { .. })
                | (Self::Kalshi { .. }, Self::Kalshi { .. })
        )
    }

    /// A rule that costs at no price less than either of two.
    ///
    /// # Panics
    /// Where they follow different formulas.
    #[must_use]
    pub fn dearer(self, other: Self) -> Self {
        match (self, other) {
            // p(1−p) is at most a quarter, so the smaller exponent costs more
            (
                Self::Polymarket { rate, exponent },
                Self::Polymarket { rate: next, exponent: curve },
            ) => match (rate, next) {
                (_, 0) => self,
                (0, _) => other,
                _ => Self::Polymarket { rate: rate.max(next), exponent: exponent.min(curve) },
            },
            (Self::Kalshi { taker, maker }, Self::Kalshi { taker: next, maker: resting }) => {
                Self::Kalshi { taker: taker.max(next), maker: maker.max(resting) }
            }
            _ => unreachable!("a schedule has rules of one formula"),
        }
    }
}

/// The charge for taking at one price under one rule.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TakerFee {
    rule: FeeRule,
    /// That of the rule for those who take.
    rate: Ppm,
    price: Price,
    /// What a contract is charged, in 1e-14 dollars, where the rule's exponent is one.
    linear: u64,
}

impl TakerFee {
    /// At a price of either outcome.
    #[inline]
    pub fn at(rule: FeeRule, price: Price) -> Self {
        let rate = match rule {
            FeeRule::Polymarket { rate, .. } => rate,
            FeeRule::Kalshi { taker, .. } => taker,
        };
        Self { rule, rate, price, linear: linear(rate, price) }
    }

    /// The same rule at another price.
    #[inline]
    pub fn move_to(&mut self, price: Price) {
        (self.price, self.linear) = (price, linear(self.rate, price));
    }

    /// The price that the fee is worked out for.
    pub const fn price(&self) -> Price {
        self.price
    }

    /// What the venue charges for one fill that takes and costs `cost`. Kalshi rounds the balance change of a direct
    /// member down to $0.0001 and gives whole units back with later fills of the order; the rebate is not counted on.
    #[inline(always)] // one of each level
    pub fn charge(&self, qty: Qty, cost: Usd) -> Usd {
        match self.rule {
            FeeRule::Kalshi { .. } => {
                let fee = kalshi(self.linear, qty);
                let whole = (cost + fee).micros().unsigned_abs().next_multiple_of(100);
                Usd::from_micros(i64::try_from(whole).expect("QTY_MAX bounds the cost")) - cost
            }
            FeeRule::Polymarket { exponent: 1, .. } => polymarket_linear(self.linear, qty),
            FeeRule::Polymarket { .. } => self.rule.fee(self.price, qty, true),
        }
    }

    /// What [`MANY`] contracts cost with what the venue charges for them, in microdollars.
    ///
    /// The same as [`Self::charge`] on top of the cost, and cheaper: with the quantity known, all of it fits 64 bits.
    #[inline]
    pub fn cost_of_many(&self) -> i64 {
        let fee = match self.rule {
            FeeRule::Kalshi { .. } => self.linear.div_ceil(10_000) * 100,
            FeeRule::Polymarket { exponent: 1, .. } => match self.linear {
                0..1_000 => 0,
                exact => exact.div_ceil(1_000) * 10,
            },
            FeeRule::Polymarket { .. } => {
                self.rule.fee(self.price, MANY, true).micros().unsigned_abs() // nobody has such a rule today
            }
        };
        i64::from(self.price.ticks()) * TICK_OF_MANY
            + i64::try_from(fee).expect("a rate's 32 bits bound the fee")
    }
}

/// The most that an order of `qty` at limit `price` can cost in fees over up to [`FILLS_PER_ORDER`] fills, for
/// opportunities and reservations: the fee of the whole, a rounding step for every further fill and, on Kalshi,
/// a unit of a direct member's precision for each, because fills too small for a rebate get none.
///
/// A fill better than the limit may carry a higher fee, but `p + rate × p(1−p)` rises with `p` for every rate
/// below 1: price and fee together stay within the bound at the limit.
#[inline]
pub fn fee_bound(rule: FeeRule, price: Price, qty: Qty, taker: bool) -> Usd {
    let fee = rule.fee(price, qty, taker);
    let steps = match rule {
        FeeRule::Polymarket { rate, .. } if taker && rate > 0 => (FILLS_PER_ORDER - 1) * 10,
        FeeRule::Polymarket { .. } => 0,
        FeeRule::Kalshi { .. } => FILLS_PER_ORDER * (1 + Precision::Direct.micros()),
    };
    fee + Usd::from_micros(steps)
}

/// The fee of `qty` at [`linear`] a contract.
#[inline]
fn kalshi(linear: u64, qty: Qty) -> Usd {
    micros(div_ceil_pow10::<14>(u128::from(linear) * u128::from(qty.micros())))
}

/// The fee of `qty` at [`linear`] a contract.
#[inline]
fn polymarket_linear(linear: u64, qty: Qty) -> Usd {
    let exact = u128::from(linear) * u128::from(qty.micros()); // 1e-20 dollars
    if exact < 10_u128.pow(15) { Usd::ZERO } else { micros(10 * div_ceil_pow10::<15>(exact)) }
}

/// `rate × p(1−p)`, in 1e-14 dollars a contract.
fn linear(rate: Ppm, price: Price) -> u64 {
    u64::from(price.ticks()) * u64::from(price.complement().ticks()) * u64::from(rate)
}

/// Exact up to exponent 2; from there on the curve itself is rounded up, to 1e-16.
#[cold]
fn polymarket_curved(rate: Ppm, exponent: u8, price: Price, qty: Qty) -> Usd {
    let product = u128::from(price.ticks()) * u128::from(price.complement().ticks()); // 1e-8
    let mut curve = 10_u128.pow(16);
    for _ in 0..exponent {
        curve = (curve * product).div_ceil(10_u128.pow(8));
    }
    let exact = u128::from(rate) * u128::from(qty.micros()) * curve; // 1e-28
    let step = 10_u128.pow(23); // $0.00001
    let steps = u64::try_from(exact.div_ceil(step)).expect("QTY_MAX bounds the fee");
    if exact < step { Usd::ZERO } else { micros(10 * steps) }
}

/// `value ÷ 10^N` rounded up, by a shift and a 64-bit division wherever that is enough: 2^N first, then 5^N,
/// since rounding up twice is rounding up once.
#[inline]
fn div_ceil_pow10<const N: u32>(value: u128) -> u64 {
    let halved = value.div_ceil(1 << N);
    match u64::try_from(halved) {
        Ok(halved) => halved.div_ceil(5_u64.pow(N)),
        Err(_) => div_ceil_pow5::<N>(halved),
    }
}

#[cold]
fn div_ceil_pow5<const N: u32>(value: u128) -> u64 {
    u64::try_from(value.div_ceil(5_u128.pow(N))).expect("QTY_MAX bounds the fee")
}

fn micros(value: u64) -> Usd {
    Usd::from_micros(i64::try_from(value).expect("QTY_MAX bounds the fee"))
}

pack_variants! {
    FeeRule { 0 = Polymarket { rate, exponent }, 1 = Kalshi { taker, maker } }
}

#[cfg(test)]
mod tests;
