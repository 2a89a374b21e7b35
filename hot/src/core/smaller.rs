//! A plan that the gate finds too large is made smaller.
//!
//! A strategy sizes its plan by the plan's own prices, and a group holds cash for each leg at the price that it may reach. How far
//! apart both are depends on the edge, which is known when the plan is: where that is more than the strategy has kept free, the gate
//! refuses. So the gate itself is asked how many units would pass, and the strategy plans once more with no more than these.

use super::Core;
use super::place::Passed;
use crate::group::Group;
use crate::ids::BasketId;
use crate::order::Order;
use crate::risk::Refusal;
use crate::strategy::arbitrage::{self, Decision, Seen};
use crate::units::{Nanos, Qty};
use crate::venue_rules::LOT;

/// How often a plan is made smaller. A smaller one has the better edge, and reaches farther for it: a second time is seldom
/// needed.
const SMALLER_MAX: u32 = 4;

/// A group whose cash is held, leg by leg.
#[derive(Debug)]
pub(super) struct Held {
    pub seen: Seen,
    pub group: Group,
    /// The order of its first leg, which is to leave now.
    pub first: Passed,
}

impl Core {
    /// What a strategy says of a basket now, with no more than `most` units of it.
    pub(super) fn decision(&mut self, now: Nanos, basket: BasketId, most: Option<Qty>) -> Decision {
        let mut room = self.planning.take().expect("it is put back below");
        let decision = arbitrage::consider(self, now, basket, most, &mut room);
        if matches!(decision, Decision::Buy { .. }) {
            room.refill(&mut self.groups);
        }
        self.planning = Some(room);
        decision
    }

    /// Claims the cash of all legs of a group as it is, or of none.
    pub(super) fn hold_whole(
        &mut self,
        now: Nanos,
        group: &mut Group,
    ) -> Result<Passed, (Order, Refusal)> {
        for leg in &mut group.legs {
            // What is to be held for it: nothing of it is reserved yet.
            leg.hold = self.worst_cost(leg.market, leg.reach, group.target.times(leg.ratio));
        }
        group.risk = self.plan_risk(group);
        self.hold(now, group)
    }

    /// Claims the cash of all legs of a group or, where the gate finds it too large, of as large a one as passes and is still worth
    /// buying. Returns the group whose cash is held; else the order that was refused first, and why: nothing is held then.
    pub(super) fn hold_what_fits(
        &mut self,
        now: Nanos,
        seen: Seen,
        mut group: Group,
    ) -> Result<Held, (Order, Refusal)> {
        let refused = match self.hold_whole(now, &mut group) {
            Ok(first) => return Ok(Held { seen, group, first }),
            Err(refused) => refused,
        };
        let mut why = refused.1;
        for _ in 0..SMALLER_MAX {
            if !why.is_of_size() {
                break;
            }
            let most = self.units_that_fit(now, &mut group);
            if most.is_zero() {
                break;
            }
            let basket = group.basket;
            self.groups.give_back(std::mem::take(&mut group.legs));
            let smaller = self.decision(now, basket, Some(most));
            let Decision::Buy { seen, group: smaller, .. } = smaller else { return Err(refused) };
            group = smaller;
            match self.hold_whole(now, &mut group) {
                Ok(first) => return Ok(Held { seen, group, first }),
                Err((_, other)) => why = other,
            }
        }
        self.groups.give_back(group.legs);
        Err(refused)
    }

    /// The most units of a group, in whole lots and fewer than it has, for which the gate finds no leg of it too large. Nothing is
    /// held then.
    fn units_that_fit(&mut self, now: Nanos, group: &mut Group) -> Qty {
        let lots = |count: u64| Qty::from_micros(count * LOT.micros());
        let (mut fit, mut too_many) = (0, group.target.micros() / LOT.micros());
        while too_many - fit > 1 {
            let count = fit + (too_many - fit) / 2;
            if self.fits(now, group, lots(count)) { fit = count } else { too_many = count }
        }
        lots(fit)
    }

    /// Whether so many units of a group are not too many for the gate, whatever else it says of them.
    fn fits(&mut self, now: Nanos, group: &mut Group, units: Qty) -> bool {
        group.target = units;
        match self.hold_whole(now, group) {
            Ok(_) => {
                group.legs().iter().for_each(|leg| self.reserve(leg.market, -leg.hold));
                true
            }
            Err((_, why)) => !why.is_of_size(),
        }
    }
}
