//! What a depth walk is asked, and what it answers.

use crate::basket::BasketKind;
use crate::bounds::LEGS_MAX;
use crate::ids::{BasketId, MarketId, Outcome};
use crate::units::{Price, Qty, Usd};
use crate::venue_rules::CASH_ACCOUNTS;

/// What one leg may be. Legs are planned for orders that may rest: those stop at their quantity at every venue, and may have
/// any number of whole [lots](crate::venue_rules::LOT). One that takes at once may be for a sum of money instead, and is only
/// sent where that comes to the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// The most contracts: order quantity and position limits, whichever is less.
    pub qty: Qty,
    /// The most dollars at the limit price, fees included: order notional, exposure and the like.
    pub cost: Usd,
    /// The most that a contract behind the best level may cost: levels beyond are not planned with. The best level itself is
    /// always looked at.
    pub dearest: Price,
}

/// What a basket may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizing<'a> {
    /// By leg, in the basket's order.
    pub legs: &'a [Room],
    /// Cash that may be used, by [`crate::ledger::CashAccount::index`]; legs that draw on the same account share it.
    pub cash: [Usd; CASH_ACCOUNTS],
    /// The most dollars for all legs together, fees included.
    pub total: Usd,
    /// The least profit of the last unit after fees, in $0.0001.
    pub edge_min: u32,
    /// Above this share of the payout, in percent, it is bad data, not luck.
    pub edge_max_percent: u32,
    /// The least profit of the whole after fees.
    pub profit_min: Usd,
}

/// One leg of a plan: contracts of one outcome to be bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LegPlan {
    pub market: MarketId,
    pub outcome: Outcome,
    /// Contracts for each unit of the basket.
    pub ratio: u16,
    /// The worst level that is needed, and the most that may be paid.
    pub limit: Price,
    /// Contracts: the plan's units times the ratio.
    pub qty: Qty,
    /// How many levels of the book the purchase takes.
    pub levels: u8,
    /// What the levels cost, each rounded up.
    pub cost: Usd,
    /// What the venue charges for them, one fill a level.
    pub fee: Usd,
}

/// A basket worth buying. Made once with room for every leg and filled again by each walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub basket: BasketId,
    /// Of which shape.
    pub kind: BasketKind,
    pub(super) legs: Vec<LegPlan>,
    /// Units: so many times the ratio of every leg is bought.
    pub units: Qty,
    /// Profit of the last unit after fees, in $0.0001, rounded down.
    pub edge: i32,
    /// What the units pay at least, less cost and fees.
    pub profit: Usd,
}

impl Plan {
    /// Of nothing, with room for the legs of any basket: allocates all it will ever need.
    pub fn new() -> Self {
        Self {
            basket: BasketId::new(0),
            kind: BasketKind::Complement,
            legs: Vec::with_capacity(LEGS_MAX),
            units: Qty::ZERO,
            edge: 0,
            profit: Usd::ZERO,
        }
    }

    /// Its legs, in the basket's order.
    pub fn legs(&self) -> &[LegPlan] {
        &self.legs
    }
}

impl Default for Plan {
    fn default() -> Self {
        Self::new()
    }
}

/// Why nothing should be bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPlan {
    /// The basket is not whole, a book may not be used, or a leg is not offered.
    NotReady,
    /// Less is left of the gap at best prices than the least profit of a unit.
    NoEdge {
        /// Profit of the first unit after fees, in $0.0001, rounded down. Where it is nothing or less, fees eat the gap: that is
        /// no opportunity.
        edge: i32,
    },
    /// Above the largest share of the payout: bad data, not luck.
    Absurd {
        /// Profit of a unit at best prices before fees, in $0.0001.
        edge: i32,
    },
    /// Too little is left once it is bounded and rounded: no whole lot, under a venue's minimum, or under the least profit.
    TooSmall {
        /// Units before or after rounding, whichever fell short.
        units: Qty,
        /// Profit of the last unit after fees, in $0.0001, rounded down.
        edge: i32,
        /// Profit of the whole, zero where it was not reached.
        profit: Usd,
    },
}
