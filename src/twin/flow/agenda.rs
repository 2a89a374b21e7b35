//! What rivals and makers have made up their minds to do, and when.

use std::collections::BTreeMap;

use surefoot_hot::ids::{Side, Venue};
use surefoot_hot::units::{Nanos, Price};

use super::Phase;
use crate::twin::market_set::SeriesFee;

/// Something that somebody is about to do. Quotes are indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// A rival takes what the gap of this number shows.
    TakeGap(u64),
    /// Somebody who knows the news takes a quote's side at these ticks or better.
    Take { quote: usize, side: Side, ticks: u16 },
    /// The makers of a quote follow the fair price again.
    Requote(usize),
    /// News comes, which moves the fair prices of a cluster.
    News,
    /// The makers of some market withdraw.
    Withdraw,
    /// The makers of a quote's side come back.
    Return(usize, Side),
    /// A venue enters a phase.
    Phase(Venue, Phase),
    /// Kalshi pauses some market.
    PauseMarket,
    /// The paused market of a quote goes on.
    ResumeMarket(usize),
    /// Some market of Kalshi is to close at another time.
    CloseMoves,
    /// The market of a quote closes.
    Close(usize),
    /// A result of Kalshi that was told is another one.
    Amend { market: usize, yes_pays: Price },
    /// Kalshi announces another fee for some series.
    FeeChange,
    /// The fee that was announced for a series holds.
    FeeHolds { series: usize, fee: SeriesFee },
    /// A dispute at Polymarket is over.
    Resolve { market: usize, yes_pays: Price },
}

/// Everything that is to be done, in the order of time; at one moment, in the order in which it was put there.
#[derive(Clone, Debug, Default)]
pub(super) struct Agenda {
    due: BTreeMap<(Nanos, u64), Due>,
    count: u64,
}

impl Agenda {
    /// Something is to be done at a time.
    pub(super) fn put(&mut self, at: Nanos, due: Due) {
        self.count += 1;
        self.due.insert((at, self.count), due);
    }

    /// When the next thing is due.
    pub(super) fn next_at(&self) -> Nanos {
        self.due.first_key_value().map_or(Nanos::NEVER, |((at, _), _)| *at)
    }

    /// Whether something is on it.
    #[cfg(test)]
    pub(super) fn is_planned(&self, due: Due) -> bool {
        self.due.values().any(|planned| *planned == due)
    }

    /// Whether something comes next.
    #[cfg(test)]
    pub(super) fn is_next(&self, due: Due) -> bool {
        self.due.first_key_value().is_some_and(|(_, next)| *next == due)
    }

    /// The next thing that is due by now.
    pub(super) fn pop_due(&mut self, now: Nanos) -> Option<Due> {
        let first = self.due.first_entry().filter(|first| first.key().0 <= now)?;
        Some(first.remove())
    }
}
