//! What is held in one market.

use crate::ids::Outcome;
use crate::units::{Price, Qty, Usd};

/// Contracts of both outcomes, and what they cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    held: [Qty; 2],
    cost: [Usd; 2],
    /// Settlement result in this market.
    pub realised: Usd,
}

impl Position {
    /// Contracts held of an outcome.
    pub const fn held(&self, outcome: Outcome) -> Qty {
        self.held[outcome.index()]
    }

    /// What they cost.
    pub const fn cost(&self, outcome: Outcome) -> Usd {
        self.cost[outcome.index()]
    }

    /// What both outcomes cost.
    pub fn cost_total(&self) -> Usd {
        self.cost[0] + self.cost[1]
    }

    /// Whether nothing is held.
    pub const fn is_flat(&self) -> bool {
        self.held[0].is_zero() && self.held[1].is_zero()
    }

    pub(super) fn add(&mut self, outcome: Outcome, qty: Qty, cost: Usd) {
        self.held[outcome.index()] += qty;
        self.cost[outcome.index()] += cost;
    }

    /// Takes contracts out and returns their share of the cost; the last ones take all that is left of it.
    ///
    /// # Panics
    /// If fewer are held: a sale of what we do not hold is refused before it is sent.
    pub(super) fn take(&mut self, outcome: Outcome, qty: Qty) -> Usd {
        let share = self.share(outcome, qty);
        self.held[outcome.index()] -= qty;
        self.cost[outcome.index()] -= share;
        share
    }

    pub(super) fn set(&mut self, outcome: Outcome, qty: Qty, price: Price) {
        let held = self.held(outcome);
        if qty < held {
            self.take(outcome, held - qty);
        } else if qty > held {
            self.add(outcome, qty - held, price.cost_ceil(qty - held));
        }
    }

    /// The part of the cost that `qty` contracts carry, rounded down.
    ///
    /// # Panics
    /// If fewer are held.
    pub fn share(&self, outcome: Outcome, qty: Qty) -> Usd {
        let (held, cost) = (self.held(outcome), self.cost(outcome));
        assert!(qty <= held, "no more is taken than is held");
        if qty == held {
            return cost;
        }
        let exact =
            i128::from(cost.micros()) * i128::from(qty.micros()) / i128::from(held.micros());
        Usd::from_micros(i64::try_from(exact).expect("a share of the cost fits"))
    }
}
