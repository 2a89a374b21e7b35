//! In what order the legs of a group leave: the ways there are, what each is expected to cost, and the rule that takes one.
//!
//! What is compared is the cost of being left on one leg, by what this account's own baskets of the two venues have shown: how
//! often a leg that is sent at once gets nothing (every first leg is such a one), how often a later leg fails that had to wait,
//! and what an unwind loses. One leg after the other wins unless waiting makes later legs fail much more often; decision 0019
//! has the formulas.

use crate::pack::enum_table;
use crate::units::Usd;

const MILLION: u64 = 1_000_000;

enum_table! {
    /// In what order the legs of a group leave.
    #[derive(PartialOrd, Ord)]
    pub enum Sequencing {
        /// Each leg once the one before it is confirmed, sized to what that one got.
        Sequential = 0, "sequential";
        /// The first leg by itself, and all others at once when it is confirmed, sized to what it got.
        Staggered = 1, "staggered";
        /// All legs at once, each at its planned size.
        Parallel = 2, "parallel";
    }
}

/// How often legs fail and what that costs.
#[derive(Clone, Copy, Debug)]
pub struct Odds {
    /// How often a leg that leaves at once gets nothing, in millionths.
    pub at_once_ppm: u64,
    /// How often a basket whose first leg has filled does not come to hold every leg, in millionths.
    pub later_ppm: u64,
    /// What an unwind loses of the cost, in millionths.
    pub loss_ppm: u64,
    /// Whether all three have been observed often enough to choose by.
    pub is_known: bool,
    /// What the plan costs.
    pub cost: Usd,
    /// The number of its legs.
    pub legs: u32,
}

/// The way that was taken, and the best of those that were not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    pub taken: Sequencing,
    /// What being left on one leg is expected to cost this way, rounded up.
    pub expected: Usd,
    pub other: Sequencing,
    /// What it would be expected to cost the other way, rounded up.
    pub other_expected: Usd,
}

impl Odds {
    /// What being left on one leg is expected to cost, rounded up.
    #[inline(always)] // in `choose` of a pair the ways are known
    pub fn expected(&self, way: Sequencing) -> Usd {
        let (fails, later) = (self.at_once_ppm.min(MILLION), self.later_ppm.min(MILLION));
        let fills = MILLION - fails;
        let naked = match way {
            Sequencing::Sequential => times(fills, later),
            // No later leg waits for longer than it would one after the other.
            Sequencing::Staggered => {
                let at_once = MILLION - power(fills, self.legs.saturating_sub(1));
                times(fills, later.min(at_once))
            }
            // Neither all of them fill nor none.
            Sequencing::Parallel => MILLION
                .saturating_sub(power(fills, self.legs))
                .saturating_sub(power(fails, self.legs)),
        };
        let share =
            i64::try_from(naked * self.loss_ppm.min(MILLION)).expect("at most a million squared");
        self.cost.scale_ceil(share, (MILLION * MILLION).cast_signed())
    }

    /// The way with the least expected cost of those up to `most`, and of two that cost the same the one that has less in flight
    /// at once. Without evidence it is one leg after the other. With two legs nothing can be staggered.
    pub fn choose(&self, most: Sequencing) -> Choice {
        let may = |way| way == Sequencing::Sequential || (self.is_known && way <= most);
        if self.legs <= 2 {
            // Nearly every plan is a pair: of two ways one is taken, and the other is the other.
            let [one, other] = PAIR.map(|way| (self.expected(way), way));
            return if may(other.1) && other < one {
                Choice::between(other, one)
            } else {
                Choice::between(one, other)
            };
        }
        let ways = self.ways().filter(|&(_, way)| may(way));
        let (_, taken) = ways.min().expect("one leg after the other always may");
        self.weigh(taken)
    }

    /// A way that is taken whatever it is expected to cost, beside the best other one. With two legs nothing can be staggered:
    /// they leave one after the other.
    pub fn take(&self, way: Sequencing) -> Choice {
        let is_one = self.legs > 2 || way != Sequencing::Staggered;
        self.weigh(if is_one { way } else { Sequencing::Sequential })
    }

    /// What the way that is taken is expected to cost, and the best of the others.
    fn weigh(&self, taken: Sequencing) -> Choice {
        let others = self.ways().filter(|&(_, way)| way != taken);
        let other = others.min().expect("there are at least two ways");
        Choice::between((self.expected(taken), taken), other)
    }

    /// The ways that there are for so many legs, with what each is expected to cost.
    fn ways(&self) -> impl Iterator<Item = (Usd, Sequencing)> {
        let is_one = |way: &Sequencing| self.legs > 2 || *way != Sequencing::Staggered;
        Sequencing::ALL.into_iter().filter(is_one).map(|way| (self.expected(way), way))
    }
}

/// The ways that there are for two legs.
const PAIR: [Sequencing; 2] = [Sequencing::Sequential, Sequencing::Parallel];

impl Choice {
    /// The way that is taken, and the best other one, each with what it is expected to cost.
    const fn between(
        (expected, taken): (Usd, Sequencing),
        (other_expected, other): (Usd, Sequencing),
    ) -> Self {
        Self { taken, expected, other, other_expected }
    }
}

/// The product of two shares in millionths, rounded down.
const fn times(one: u64, other: u64) -> u64 {
    one * other / MILLION
}

/// A share in millionths to the power of a number of legs, each step rounded down.
fn power(share: u64, legs: u32) -> u64 {
    match legs {
        0 => MILLION,
        2 => times(share, share), // nearly every plan is a pair
        legs => (1..legs).fold(share, |product, _| times(product, share)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Sequencing::{Parallel, Sequential, Staggered};

    const ODDS: Odds = Odds {
        at_once_ppm: 100_000,
        later_ppm: 150_000,
        loss_ppm: 40_000,
        is_known: true,
        cost: Usd::from_dollars(100),
        legs: 2,
    };

    #[test]
    fn each_way_costs_what_its_formula_says() {
        // 0.9 x 0.15 x 4 %; 1 - 0.9^2 - 0.1^2 of 4 %
        assert_eq!(ODDS.expected(Sequential), Usd::from_micros(540_000));
        assert_eq!(ODDS.expected(Parallel), Usd::from_micros(720_000));
        let three = Odds { legs: 3, later_ppm: 400_000, ..ODDS };
        // 0.9 x 0.4; 0.9 x (1 - 0.9^2); 1 - 0.9^3 - 0.1^3
        assert_eq!(three.expected(Sequential), Usd::from_micros(1_440_000));
        assert_eq!(three.expected(Staggered), Usd::from_micros(684_000));
        assert_eq!(three.expected(Parallel), Usd::from_micros(1_080_000));
        let sure = Odds { at_once_ppm: 0, later_ppm: 0, ..ODDS };
        assert!(Sequencing::ALL.map(|way| sure.expected(way)) == [Usd::ZERO; 3]);
        let rounded = Odds { cost: Usd::from_micros(1), ..ODDS };
        assert_eq!(rounded.expected(Sequential), Usd::from_micros(1), "up");
    }

    #[test]
    fn the_cheapest_way_that_may_be_is_taken_and_the_best_other_is_told() {
        let choice = ODDS.choose(Parallel);
        assert_eq!((choice.taken, choice.other), (Sequential, Parallel));
        assert_eq!(choice.other_expected, Usd::from_micros(720_000));
        // From 0.18 / 0.9 on waiting costs more than both at once.
        for (later_ppm, taken) in
            [(199_999, Sequential), (200_000, Sequential), (200_100, Parallel)]
        {
            let odds = Odds { later_ppm, ..ODDS };
            assert_eq!(odds.choose(Parallel).taken, taken, "{later_ppm}");
            assert_eq!(odds.choose(Staggered).taken, Sequential, "two legs cannot be staggered");
            assert_eq!(odds.choose(Sequential).taken, Sequential);
        }
        let three = Odds { legs: 3, later_ppm: 400_000, ..ODDS };
        let choice = three.choose(Parallel);
        assert_eq!((choice.taken, choice.other), (Staggered, Parallel));
        let choice = three.choose(Sequential);
        assert_eq!(
            (choice.taken, choice.other),
            (Sequential, Staggered),
            "what it would have been"
        );
    }

    #[test]
    fn a_way_that_is_asked_for_is_taken_without_evidence_and_whatever_it_costs() {
        let odds = Odds { is_known: false, ..ODDS };
        let choice = odds.take(Parallel);
        assert_eq!((choice.taken, choice.other), (Parallel, Sequential));
        assert_eq!(choice.expected, Usd::from_micros(720_000));
        assert_eq!(odds.take(Staggered).taken, Sequential, "two legs cannot be staggered");
        assert_eq!(Odds { legs: 3, ..odds }.take(Staggered).taken, Staggered);
    }

    #[test]
    fn without_evidence_it_is_one_leg_after_the_other() {
        let odds = Odds { later_ppm: 900_000, is_known: false, ..ODDS };
        assert_eq!(odds.choose(Parallel).taken, Sequential);
        assert_eq!(odds.choose(Parallel).other, Parallel);
    }
}
