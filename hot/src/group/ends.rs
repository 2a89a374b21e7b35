//! How baskets went of which a leg had filled: the last ones one by one, and the sums since the journal began.

use super::GroupState;
use crate::pack::{enum_table, pack_fields};
use crate::units::{Nanos, Usd};

/// So many of the last baskets are judged: a bit of a word for each.
const JUDGED_MAX: u64 = u64::BITS as u64;
/// With fewer than so many nothing is said of them.
const EVIDENCE_MIN: u64 = 20;
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BasketEnd {
    /// The state in which it ended.
    pub state: GroupState,
    /// Whether contracts of it had to be sold again.
    pub sold: bool,
    /// What those sales brought beyond the cost of what they sold; negative for a loss.
    pub result: Usd,
    /// How long a leg stood without its partners.
    pub one_leg: Nanos,
}

impl BasketEnd {
    /// Whether it came to hold every leg without a sale.
    pub fn is_whole(&self) -> bool {
        self.is_held() && !self.sold
    }

    fn is_held(&self) -> bool {
        self.state == GroupState::Hedged
    }
}

/// A basket whose end was counted: what was said of it is taken back where it ends once more otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountedEnd {
    /// The first basket since the journal began is 1.
    pub number: u64,
    /// How it ended last.
    pub end: BasketEnd,
}

/// How baskets went: see the head of this file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BasketEnds {
    /// Baskets since the journal began of which a leg had filled.
    ended: u64,
    /// A bit for each of the last of them, the newest the lowest: whether it ended with complete units.
    held: u64,
    /// The same: whether contracts of it had to be sold again.
    sold: u64,
    /// What was said of them last.
    told: BasketHealth,
    /// Those since the journal began of which contracts had to be sold again.
    liquidated: u64,
    /// What those sales lost together; gains are taken off.
    lost: Usd,
    /// Those since the journal began that hold every leg without a sale.
    hedged: u64,
    /// How long those stood on one leg together.
    lag: Nanos,
    /// The longest that one stood on one leg before it held every leg, whether it does still or not.
    lag_max: Nanos,
    /// Those of them that stood on one leg for longer than [`HEDGE_LATE`].
    late: u64,
}

pack_fields! {
    BasketEnd { state, sold, result, one_leg }
    CountedEnd { number, end }
    BasketEnds { ended, held, sold, told, liquidated, lost, hedged, lag, lag_max, late }
}

impl Default for BasketEnds {
    fn default() -> Self {
        Self {
            ended: 0,
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

impl BasketEnds {
    /// A basket has ended: `before` is what was counted of it when it had ended already, and went on since. Returns what is counted
    /// of it now.
    pub fn on_ended(&mut self, before: Option<&CountedEnd>, end: BasketEnd) -> CountedEnd {
        let number = if let Some(counted) = before {
            self.take_back(&counted.end);
            counted.number
        } else {
            self.ended += 1;
            (self.held, self.sold) = (self.held << 1, self.sold << 1);
            self.ended
        };
        assert!((1..=self.ended).contains(&number), "it was counted here");
        let age = self.ended - number;
        if age < JUDGED_MAX {
            let set = |word: u64, to: bool| word & !(1 << age) | u64::from(to) << age;
            (self.held, self.sold) = (set(self.held, end.is_held()), set(self.sold, end.sold));
        }
        if end.sold {
            self.liquidated += 1;
            self.lost -= end.result;
        } else if end.is_whole() {
            self.hedged += 1;
            self.lag = self.lag.after(end.one_leg);
            self.lag_max = self.lag_max.max(end.one_leg);
            self.late += u64::from(end.one_leg > HEDGE_LATE);
        }
        CountedEnd { number, end }
    }

    /// What a basket that goes on has added to the sums.
    fn take_back(&mut self, end: &BasketEnd) {
        if end.sold {
            self.liquidated -= 1;
            self.lost += end.result;
        } else if end.is_whole() {
            self.hedged -= 1;
            self.lag = Nanos::new(self.lag.get() - end.one_leg.get());
            self.late -= u64::from(end.one_leg > HEDGE_LATE);
        }
    }

    /// How many of the last baskets the two shares speak of, at most 64.
    pub const fn judged(&self) -> u64 {
        if self.ended < JUDGED_MAX { self.ended } else { JUDGED_MAX }
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
        match (of.count_ones() as u64 * MILLION).checked_div(self.judged()) {
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

    /// The longest that a basket stood on one leg before it held every leg, whether it does still or not.
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
        if self.judged() < EVIDENCE_MIN {
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

    const HELD: BasketEnd = BasketEnd {
        state: GroupState::Hedged,
        sold: false,
        result: Usd::ZERO,
        one_leg: Nanos::from_millis(2),
    };
    const SOLD: BasketEnd = BasketEnd {
        state: GroupState::Flat,
        sold: true,
        result: Usd::from_cents(-50),
        one_leg: Nanos::from_millis(900),
    };

    fn add(to: &mut BasketEnds, times: usize, end: BasketEnd) {
        for _ in 0..times {
            to.on_ended(None, end);
        }
    }

    fn after(ends: &[(usize, BasketEnd)]) -> BasketEnds {
        let mut all = BasketEnds::default();
        ends.iter().for_each(|&(times, end)| add(&mut all, times, end));
        all
    }

    #[test]
    fn shares_and_means_are_those_of_what_ended() {
        let all = after(&[(3, HELD), (1, SOLD)]);
        assert_eq!((all.judged(), all.held_ppm(), all.sold_ppm()), (4, 750_000, 250_000));
        assert_eq!(all.mean_loss(), Usd::from_cents(50));
        assert_eq!((all.mean_lag(), all.longest_lag()), (HELD.one_leg, HELD.one_leg));
        assert_eq!(all.late(), 0, "what was sold was no hedge");
        let late = after(&[(1, BasketEnd { one_leg: Nanos::from_millis(501), ..HELD })]);
        assert_eq!(late.late(), 1);
        assert_eq!(BasketEnds::default().mean_loss(), Usd::ZERO);
    }

    #[test]
    fn only_the_last_ones_are_judged() {
        let all = after(&[(40, SOLD), (64, HELD)]);
        assert_eq!((all.judged(), all.held_ppm(), all.sold_ppm()), (64, 1_000_000, 0));
    }

    #[test]
    fn each_bound_is_where_it_is_said_to_be() {
        use BasketHealth::{Bad, Good, Poor};
        let operator = BasketEnd { state: GroupState::Operator, sold: false, ..SOLD };
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
        add(&mut all, 4, SOLD);
        assert_eq!(all.poll_worse(), Some(BasketHealth::Bad));
        add(&mut all, 30, HELD);
        assert_eq!((all.poll_worse(), all.health()), (None, BasketHealth::Good));
        add(&mut all, 10, SOLD);
        assert_eq!(all.poll_worse(), Some(BasketHealth::Poor));
    }

    /// Those that held every leg and failed since are what they ended as, among the shares and in the means.
    #[test]
    fn a_basket_that_ends_once_more_is_judged_once() {
        let mut all = BasketEnds::default();
        let counted = [(); 20].map(|()| all.on_ended(None, HELD));
        assert_eq!(all.health(), BasketHealth::Good);
        for counted in &counted[3..11] {
            let again = all.on_ended(Some(counted), SOLD);
            assert_eq!((again.number, again.end), (counted.number, SOLD));
        }
        assert_eq!((all.judged(), all.held_ppm(), all.sold_ppm()), (20, 600_000, 400_000));
        assert_eq!(all.health(), BasketHealth::Bad);
        assert_eq!((all.mean_loss(), all.mean_lag()), (Usd::from_cents(50), HELD.one_leg));
        assert_eq!(all.health(), after(&[(12, HELD), (8, SOLD)]).health());
        // What is too old to be judged changes the sums alone.
        let late = BasketEnd { one_leg: Nanos::from_millis(501), ..HELD };
        let mut all = BasketEnds::default();
        let old = all.on_ended(None, late);
        add(&mut all, 64, HELD);
        all.on_ended(Some(&old), SOLD);
        assert_eq!((all.judged(), all.held_ppm(), all.sold_ppm()), (64, 1_000_000, 0));
        assert_eq!((all.late(), all.mean_lag()), (0, HELD.one_leg));
        assert_eq!((all.mean_loss(), all.longest_lag()), (Usd::from_cents(50), late.one_leg));
    }
}
