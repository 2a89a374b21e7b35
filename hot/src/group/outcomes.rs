//! How baskets went of which a leg had filled: the last ones one by one, and the sums since the journal began.

use super::GroupState;
use crate::pack::{enum_table, pack_fields};
use crate::units::{Nanos, Usd};

/// So many of the last baskets are judged: a bit of a word for each.
const JUDGED_MAX: u32 = u64::BITS;
/// With fewer than so many nothing is said of them.
const EVIDENCE_MIN: u32 = 20;
/// A hedge that takes longer than this is late.
pub const HEDGE_LATE: Nanos = Nanos::from_millis(500);
const MILLION: u64 = 1_000_000;

enum_table! {
    /// What is to be said of the last baskets.
    #[derive(PartialOrd, Ord)]
    pub enum BasketHealth {
        /// They do as they should, or are too few to tell.
        Good = 0, "good";
        /// Fewer than 70 of 100 came to hold complete units, or more than 20 had to sell contracts again.
        Poor = 1, "poor";
        /// Fewer than 50 of 100 came to hold complete units, or more than 30 had to sell contracts again.
        Bad = 2, "bad";
    }
}

/// How a basket ended.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// The state in which it ended.
    pub state: GroupState,
    /// Whether contracts of it had to be sold again.
    pub sold: bool,
    /// What those sales brought beyond the cost of what they sold; negative for a loss.
    pub result: Usd,
    /// How long a leg stood without its partners.
    pub one_leg: Nanos,
}

/// How baskets went: see the head of this file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcomes {
    /// How many of the last baskets the two words below speak of.
    judged: u32,
    /// A bit for each of them, the newest the lowest: whether it ended with complete units.
    held: u64,
    /// The same: whether contracts of it had to be sold again.
    sold: u64,
    /// What was said of them last.
    told: BasketHealth,
    /// Baskets since the journal began of which contracts had to be sold again.
    liquidated: u64,
    /// What those sales lost together; gains are taken off.
    lost: Usd,
    /// Baskets since the journal began that came to hold every leg without a sale.
    hedged: u64,
    /// How long those stood on one leg together.
    lag: Nanos,
    /// The longest that one of those stood on one leg.
    lag_max: Nanos,
    /// Those of them that stood on one leg for longer than [`HEDGE_LATE`].
    late: u64,
}

pack_fields! {
    Outcomes { judged, held, sold, told, liquidated, lost, hedged, lag, lag_max, late }
}

impl Default for Outcomes {
    fn default() -> Self {
        Self {
            judged: 0,
            held: 0,
            sold: 0,
            told: BasketHealth::Good,
            liquidated: 0,
            lost: Usd::ZERO,
            hedged: 0,
            lag: Nanos::ZERO,
            lag_max: Nanos::ZERO,
            late: 0,
        }
    }
}

impl Outcomes {
    /// A basket has ended, or ended once more otherwise than it first did.
    pub fn on_ended(&mut self, outcome: &Outcome) {
        let is_held = outcome.state == GroupState::Hedged;
        self.judged = (self.judged + 1).min(JUDGED_MAX);
        self.held = self.held << 1 | u64::from(is_held);
        self.sold = self.sold << 1 | u64::from(outcome.sold);
        if outcome.sold {
            self.liquidated += 1;
            self.lost -= outcome.result;
        } else if is_held {
            self.hedged += 1;
            self.lag = self.lag.after(outcome.one_leg);
            self.lag_max = self.lag_max.max(outcome.one_leg);
            self.late += u64::from(outcome.one_leg > HEDGE_LATE);
        }
    }

    /// How many of the last baskets the two shares speak of, at most 64.
    pub const fn judged(&self) -> u32 {
        self.judged
    }

    /// How many of the last baskets ended with complete units, in millionths; zero without any.
    pub const fn held_ppm(&self) -> u64 {
        self.share(self.held)
    }

    /// How many of the last baskets had to sell contracts again, in millionths; zero without any.
    pub const fn sold_ppm(&self) -> u64 {
        self.share(self.sold)
    }

    const fn share(&self, of: u64) -> u64 {
        match (of.count_ones() as u64 * MILLION).checked_div(self.judged as u64) {
            Some(share) => share,
            None => 0,
        }
    }

    /// What a basket that had to sell contracts again lost on average, rounded down; zero without any.
    pub fn mean_loss(&self) -> Usd {
        match i64::try_from(self.liquidated) {
            Ok(count) if count > 0 => self.lost.scale_floor(1, count),
            _ => Usd::ZERO,
        }
    }

    /// How long a basket that came to hold every leg stood on one leg on average; zero without any.
    pub const fn mean_lag(&self) -> Nanos {
        match self.lag.get().checked_div(self.hedged) {
            Some(mean) => Nanos::new(mean),
            None => Nanos::ZERO,
        }
    }

    /// The longest that such a basket stood on one leg.
    pub const fn longest_lag(&self) -> Nanos {
        self.lag_max
    }

    /// How many of those stood on one leg for longer than [`HEDGE_LATE`].
    pub const fn late(&self) -> u64 {
        self.late
    }

    /// What is to be said of the last baskets.
    pub const fn health(&self) -> BasketHealth {
        let (held, sold) = (self.held_ppm(), self.sold_ppm());
        if self.judged < EVIDENCE_MIN {
            BasketHealth::Good
        } else if held < 500_000 || sold > 300_000 {
            BasketHealth::Bad
        } else if held < 700_000 || sold > 200_000 {
            BasketHealth::Poor
        } else {
            BasketHealth::Good
        }
    }

    /// What is to be said of the last baskets, where that is worse than what was said last.
    pub fn poll_worse(&mut self) -> Option<BasketHealth> {
        let health = self.health();
        let before = std::mem::replace(&mut self.told, health);
        (health > before).then_some(health)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELD: Outcome = Outcome {
        state: GroupState::Hedged,
        sold: false,
        result: Usd::ZERO,
        one_leg: Nanos::from_millis(2),
    };
    const SOLD: Outcome = Outcome {
        state: GroupState::Flat,
        sold: true,
        result: Usd::from_cents(-50),
        one_leg: Nanos::from_millis(900),
    };

    fn after(outcomes: &[(usize, Outcome)]) -> Outcomes {
        let mut all = Outcomes::default();
        for &(times, ref outcome) in outcomes {
            (0..times).for_each(|_| all.on_ended(outcome));
        }
        all
    }

    #[test]
    fn shares_and_means_are_those_of_what_ended() {
        let all = after(&[(3, HELD), (1, SOLD)]);
        assert_eq!((all.judged(), all.held_ppm(), all.sold_ppm()), (4, 750_000, 250_000));
        assert_eq!(all.mean_loss(), Usd::from_cents(50));
        assert_eq!((all.mean_lag(), all.longest_lag()), (HELD.one_leg, HELD.one_leg));
        assert_eq!(all.late(), 0, "what was sold was no hedge");
        let late = after(&[(1, Outcome { one_leg: Nanos::from_millis(501), ..HELD })]);
        assert_eq!(late.late(), 1);
        assert_eq!(Outcomes::default().mean_loss(), Usd::ZERO);
    }

    #[test]
    fn only_the_last_ones_are_judged() {
        let all = after(&[(40, SOLD), (64, HELD)]);
        assert_eq!((all.judged(), all.held_ppm(), all.sold_ppm()), (64, 1_000_000, 0));
    }

    #[test]
    fn each_bound_is_where_it_is_said_to_be() {
        use BasketHealth::{Bad, Good, Poor};
        let operator = Outcome { state: GroupState::Operator, sold: false, ..SOLD };
        for (held, sold, left, health) in [
            (9, 10, 0, Good), // too few to tell
            (16, 4, 0, Good),
            (39, 10, 0, Poor),
            (42, 0, 18, Good),
            (41, 0, 19, Poor),
            (30, 0, 30, Poor),
            (29, 0, 31, Bad),
            (42, 18, 0, Poor),
            (41, 19, 0, Bad),
        ] {
            let all = after(&[(held, HELD), (sold, SOLD), (left, operator)]);
            assert_eq!(all.health(), health, "{held} held, {sold} sold, {left} left");
        }
    }

    #[test]
    fn it_is_said_once_and_again_only_after_it_was_better() {
        let mut all = after(&[(16, HELD), (5, SOLD)]);
        assert_eq!(all.poll_worse(), Some(BasketHealth::Poor));
        assert_eq!(all.poll_worse(), None);
        (0..4).for_each(|_| all.on_ended(&SOLD));
        assert_eq!(all.poll_worse(), Some(BasketHealth::Bad));
        (0..30).for_each(|_| all.on_ended(&HELD));
        assert_eq!((all.poll_worse(), all.health()), (None, BasketHealth::Good));
        (0..10).for_each(|_| all.on_ended(&SOLD));
        assert_eq!(all.poll_worse(), Some(BasketHealth::Poor));
    }
}
