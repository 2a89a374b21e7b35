//! Cash that orders have given back lately. A venue that tells its cash without what resting orders claim may still leave
//! that out for a while after an order has ended.

use crate::pack::pack_fields;
use crate::units::{Nanos, Usd};

/// For so many seconds it is remembered: longer than a reading takes and lags behind together.
const SECONDS: usize = 64;

/// What the orders of one cash account have given back, second by second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Released {
    /// Which second since 1970 each place is of, and how much was given back in it.
    seconds: [(u64, Usd); SECONDS],
}

pack_fields! {
    Released { seconds }
}

impl Released {
    /// Nothing was given back yet.
    pub const NONE: Self = Self { seconds: [(0, Usd::ZERO); SECONDS] };

    /// An order gives `cash` back now.
    pub fn add(&mut self, now: Nanos, cash: Usd) {
        let second = second(now);
        let place = &mut self.seconds[(second % SECONDS as u64) as usize];
        if place.0 != second {
            *place = (second, Usd::ZERO);
        }
        place.1 += cash;
    }

    /// How much was given back at `from` or later, or up to a second before.
    pub fn since(&self, from: Nanos) -> Usd {
        let lately = self.seconds.iter().filter(|(at, _)| *at >= second(from));
        lately.fold(Usd::ZERO, |sum, (_, cash)| sum + *cash)
    }
}

const fn second(at: Nanos) -> u64 {
    at.get() / 1_000_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_back_lately_is_all_of_it_and_what_was_long_ago_is_not() {
        let mut released = Released::NONE;
        let at = |seconds: u64| Nanos::from_secs(1_800_000_000 + seconds);
        for seconds in 0..200 {
            released.add(at(seconds), Usd::from_dollars(1));
            released.add(at(seconds), Usd::from_dollars(2));
        }
        assert_eq!(released.since(at(190)), Usd::from_dollars(30));
        assert_eq!(released.since(at(199)), Usd::from_dollars(3));
        assert_eq!(released.since(at(200)), Usd::ZERO);
        assert_eq!(released.since(at(0)), Usd::from_dollars(3 * SECONDS as i64), "and no more");
    }
}
