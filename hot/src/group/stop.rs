//! How far a stop-loss has come: a limit near the best price, its cancel, and only then what is bid.
//!
//! A stop-loss is a group around contracts that nobody works on, which it sells. It is unwound like any other group, with the same bounds
//! (one order in flight, attempts, time); this says by which kind of order.

use crate::pack::enum_table;

enum_table! {
    /// How far a stop-loss has come.
    pub enum Stop {
        /// The group is none.
        Off = 0, "off";
        /// Its first sale is a limit near the best price: to be sent, resting, or being cancelled.
        Limit = 1, "limit";
        /// That order is over, by the venue's own word. What is left is to be sold at what is bid.
        Over = 2, "over";
        /// The first such sale has left.
        Fallback = 3, "fallback";
        /// The contracts are not sold: the partner that they lack is bought. What finds none is sold at what is bid.
        Completing = 4, "completing";
    }
}

/// What happens to a stop-loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopEvent {
    /// Its limit order is over: filled, cancelled or refused by the venue.
    Over,
    /// Its limit order never reached the venue.
    Missed,
    /// A sale at what is bid has left.
    Fallback,
}

impl Stop {
    /// The stage after `event`.
    ///
    /// # Panics
    /// At a pair that cannot come: our own mistake.
    #[must_use]
    pub fn next(self, event: StopEvent) -> Self {
        use {Stop as S, StopEvent as E};
        match (self, event) {
            (S::Limit, E::Missed) => S::Limit, // it is sent again
            (S::Limit, E::Over) => S::Over,
            // Where the venue takes no order that rests for so few, the limit is left out.
            (S::Limit | S::Over | S::Fallback | S::Completing, E::Fallback) => S::Fallback,
            (S::Off, E::Over | E::Missed | E::Fallback)
            | (S::Over | S::Fallback | S::Completing, E::Over | E::Missed) => {
                panic!("G3: {event:?} of a stop-loss that is {self:?}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::catch_unwind;

    /// A row an event, a column a stage by its number; `-` cannot come.
    #[test]
    fn every_pair_is_as_the_table_says() {
        let table = [
            (StopEvent::Over, "-  over  -  -  -"),
            (StopEvent::Missed, "-  limit  -  -  -"),
            (StopEvent::Fallback, "-  fallback  fallback  fallback  fallback"),
        ];
        for (event, row) in table {
            for (stage, expected) in Stop::ALL.into_iter().zip(row.split_whitespace()) {
                let next = catch_unwind(|| stage.next(event)).map_or("-", Stop::name);
                assert_eq!(next, expected, "{stage:?} at {event:?}");
            }
        }
    }
}
