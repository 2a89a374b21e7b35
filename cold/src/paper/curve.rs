//! Three sets of assumptions about what cannot be seen, applied to the same orders at once.

use surefoot_hot::units::{Nanos, Price, Qty};

/// What is assumed where the public data does not say what would have become of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Curve {
    /// Every doubt is decided against us.
    Pessimistic,
    /// What is most likely; where that is not known, against us.
    Realistic,
    /// Every doubt is decided for us: a bound from above, never a forecast.
    Optimistic,
}

impl Curve {
    /// All of them, the worst first.
    pub const ALL: [Self; 3] = [Self::Pessimistic, Self::Realistic, Self::Optimistic];

    /// The name in settings and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pessimistic => "pessimistic",
            Self::Realistic => "realistic",
            Self::Optimistic => "optimistic",
        }
    }

    /// The curve of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|curve| curve.name() == name)
    }

    /// Index into arrays with a place for each curve.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// How long a request takes to the book, where the measured round trip is `measured`. The way there is counted as long as the
    /// whole round trip, because nothing measures it alone.
    pub const fn latency(self, measured: Nanos) -> Nanos {
        match self {
            Self::Pessimistic => Nanos::new(measured.get().saturating_mul(2)),
            Self::Realistic => measured,
            Self::Optimistic => Nanos::new(measured.get() / 2),
        }
    }

    /// How much of a cancel came from the contracts ahead of us, where `ahead` and `behind` rested at the price. Rounded down: what
    /// is ahead stays there in doubt.
    pub fn cancelled_ahead(self, cancelled: Qty, ahead: Qty, behind: Qty) -> Qty {
        let all = ahead + behind;
        if all.is_zero() {
            return Qty::ZERO;
        }
        let cancelled = cancelled.min(all);
        match self {
            // Only what cannot have been behind.
            Self::Pessimistic => cancelled.saturating_sub(behind),
            Self::Realistic => {
                let share = u128::from(cancelled.micros()) * u128::from(ahead.micros());
                let share = share / u128::from(all.micros());
                let share = u64::try_from(share).expect("no more than what is ahead");
                // More than is behind cannot have come from there.
                Qty::from_micros(share).max(cancelled.saturating_sub(behind))
            }
            Self::Optimistic => cancelled.min(ahead),
        }
    }

    /// How much of what is shown at a level an order that takes gets: others reach for it in the same moment.
    pub const fn reachable(self, shown: Qty) -> Qty {
        match self {
            Self::Pessimistic => Qty::from_micros(shown.micros() / 2),
            Self::Realistic | Self::Optimistic => shown,
        }
    }

    /// Which of three prices an order that takes pays, `worse` telling the worse of two for its side: the penalty for fills that are
    /// too good. A price that became better while the order was on its way is one that others take first, so the realistic curve gives
    /// nothing better than what was `seen` when the order was decided; the pessimistic one gives nothing better than the `limit`.
    pub fn taken_at(
        self,
        level: Price,
        seen: Option<Price>,
        limit: Price,
        worse: impl Fn(Price, Price) -> Price,
    ) -> Price {
        match (self, seen) {
            (Self::Pessimistic, _) => limit,
            (Self::Realistic, Some(seen)) => {
                let worst = worse(level, seen);
                // An order never pays beyond its limit, whatever was seen.
                if worse(worst, limit) == worst { limit } else { worst }
            }
            (Self::Realistic, None) => limit,
            (Self::Optimistic, _) => level,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_doubt_is_decided_against_us_but_on_the_optimistic_curve() {
        let of = Qty::from_contracts;
        let ahead = |curve: Curve, cancelled, ahead, behind| {
            curve.cancelled_ahead(of(cancelled), of(ahead), of(behind))
        };
        let all = |cancelled, before, behind| {
            Curve::ALL.map(|curve| ahead(curve, cancelled, before, behind))
        };
        assert_eq!(all(10, 30, 10), [of(0), Qty::from_micros(7_500_000), of(10)]);
        assert_eq!(all(20, 30, 10), [of(10), of(15), of(20)], "ten cannot have been behind");
        assert_eq!(all(40, 30, 10), [of(30); 3], "all of it went");
        assert_eq!(all(50, 30, 10), [of(30); 3], "no more than there was");
        assert_eq!(all(5, 0, 0), [Qty::ZERO; 3]);
        let third = Curve::Realistic.cancelled_ahead(Qty::from_micros(1), of(1), of(2));
        assert_eq!(third, Qty::ZERO, "rounded against us");
    }

    #[test]
    fn a_price_that_became_better_on_the_way_is_not_given() {
        let [level, seen, limit] =
            [40, 45, 50].map(|cents| Price::from_ticks(cents * 100).unwrap());
        let buys = |level, seen| {
            Curve::ALL.map(|curve| curve.taken_at(level, seen, limit, |a, b| a.max(b)))
        };
        assert_eq!(buys(level, Some(seen)), [limit, seen, level]);
        assert_eq!(buys(seen, Some(level)), [limit, seen, seen], "a worse one is");
        assert_eq!(buys(level, None), [limit, limit, level], "nothing was there to be had");
        let beyond = Price::from_ticks(6_000).unwrap();
        assert_eq!(buys(level, Some(beyond)), [limit, limit, level], "never beyond the limit");
        let sold = Curve::Realistic.taken_at(limit, Some(seen), level, |a, b| a.min(b));
        assert_eq!(sold, seen, "the other way round for a sale");
    }
}
