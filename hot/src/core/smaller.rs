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

impl Core {
    /// What a strategy says of a basket now, with no more than `most` units of it.
    pub(super) fn decision(&mut self, now: Nanos, basket: BasketId, most: Option<Qty>) -> Decision {
        let mut room = self.planning.take().expect("it is put back below");
        let decision = arbitrage::consider(self, now, basket, most, &mut room);
        self.planning = Some(room);
        decision
    }

    /// The group that would buy the plan of the last decision to buy.
    pub(super) fn planned(&mut self, now: Nanos) -> Group {
        self.planning.as_mut().expect("nobody plans").begin(&mut self.groups, now)
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
    /// buying: that takes its place, and what was seen of it that of what was seen. Returns the order of its first leg, which is to
    /// leave now; else the order that was refused first, and why: nothing is held then.
    pub(super) fn hold_what_fits(
        &mut self,
        now: Nanos,
        seen: &mut Seen,
        group: &mut Group,
    ) -> Result<Passed, (Order, Refusal)> {
        self.hold_whole(now, group).or_else(|refused| self.hold_smaller(now, seen, group, refused))
    }

    /// The same of a group that was refused as it is.
    #[cold]
    fn hold_smaller(
        &mut self,
        now: Nanos,
        seen: &mut Seen,
        group: &mut Group,
        refused: (Order, Refusal),
    ) -> Result<Passed, (Order, Refusal)> {
        let mut why = refused.1;
        for _ in 0..SMALLER_MAX {
            if !why.is_of_size() {
                break;
            }
            let most = self.units_that_fit(now, group);
            if most.is_zero() {
                break;
            }
            let smaller = self.decision(now, group.basket, Some(most));
            let Decision::Buy { seen: less, .. } = smaller else { break };
            let smaller = self.planned(now);
            self.groups.give_back(std::mem::replace(group, smaller).legs);
            match self.hold_whole(now, group) {
                Ok(first) => {
                    *seen = less;
                    return Ok(first);
                }
                Err((_, other)) => why = other,
            }
        }
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
