//! Kalshi's second rounding: the balance moves in whole units, and what that costs comes back in whole units.

use crate::ids::Action;
use crate::units::{Price, Qty, Usd};

/// To what a member's balance is rounded down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// $0.0001: direct members.
    Direct,
    /// $0.01: members through a broker (FCM).
    Broker,
}

impl Precision {
    /// The unit in microdollars.
    pub const fn micros(self) -> i64 {
        match self {
            Self::Direct => 100,
            Self::Broker => 10_000,
        }
    }
}

/// What one order has paid in rounding and not got back. One per order; it stays when the order goes from
/// taking to making.
///
/// Only the vectors use it: the core books the fee that the venue tells with a fill, and reserves what
/// [`fee_bound`](super::fee_bound) says before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeeAccumulator {
    precision: Precision,
    held: i64,
}

/// What one fill costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// What rounding the balance down took.
    pub rounding: Usd,
    /// What the accumulator held with it, before the rebate.
    pub held: Usd,
    /// What came back.
    pub rebate: Usd,
    /// Trade fee plus rounding less rebate; never negative.
    pub net: Usd,
    /// How the balance changed, the rebate not in it.
    pub balance_change: Usd,
}

impl FeeAccumulator {
    /// Of a new order.
    pub const fn new(precision: Precision) -> Self {
        Self { precision, held: 0 }
    }

    /// Takes in one fill: `price` of the outcome bought or sold, and its trade fee ([`super::FeeRule::fee`]).
    pub fn fill(&mut self, action: Action, price: Price, qty: Qty, trade_fee: Usd) -> Charge {
        let unit = self.precision.micros();
        let raw = match action {
            Action::Buy => -price.cost_ceil(qty),
            Action::Sell => price.proceeds_floor(qty),
        } - trade_fee;
        let floored = raw.micros().div_euclid(unit) * unit;
        let rounding = raw.micros() - floored;
        let held = self.held + rounding;
        let most = trade_fee.micros() + rounding;
        let rebate = held.min(most).div_euclid(unit) * unit;
        self.held = held - rebate;
        Charge {
            rounding: Usd::from_micros(rounding),
            held: Usd::from_micros(held),
            rebate: Usd::from_micros(rebate),
            net: Usd::from_micros(most - rebate),
            balance_change: Usd::from_micros(floored),
        }
    }
}
