//! Kalshi's second rounding: the balance moves in whole units, and what that costs comes back in whole units.

use crate::ids::Action;
use crate::pack::pack_newtypes;
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

/// What one order has paid in rounding and not got back. There is one for each order; it stays when the order goes from
/// taking to making, and when its price or size is changed in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeeAccumulator(Usd);

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
    pub const NEW: Self = Self(Usd::ZERO);

    /// Takes in one fill: `price` of the outcome bought or sold, and its trade fee ([`super::FeeRule::fee`]).
    pub fn fill(
        &mut self,
        precision: Precision,
        action: Action,
        price: Price,
        qty: Qty,
        trade_fee: Usd,
    ) -> Charge {
        let unit = precision.micros();
        let raw = match action {
            Action::Buy => -price.cost_ceil(qty),
            Action::Sell => price.proceeds_floor(qty),
        } - trade_fee;
        let floored = raw.micros().div_euclid(unit) * unit;
        let rounding = raw.micros() - floored;
        let held = self.0.micros() + rounding;
        let most = trade_fee.micros() + rounding;
        let rebate = held.min(most).div_euclid(unit) * unit;
        self.0 = Usd::from_micros(held - rebate);
        Charge {
            rounding: Usd::from_micros(rounding),
            held: Usd::from_micros(held),
            rebate: Usd::from_micros(rebate),
            net: Usd::from_micros(most - rebate),
            balance_change: Usd::from_micros(floored),
        }
    }
}

pack_newtypes!(FeeAccumulator);
