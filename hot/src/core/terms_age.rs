//! How long ago each market's terms were read, and when its venue expects to have paid.
//!
//! The venues are asked for the terms of all markets every few minutes. What comes of it is one word for each venue, that the
//! terms were read and are what the core has; a market whose terms have changed gets them by
//! [`Event::Market`](crate::event::Event::Market), and one whose terms could not be read is named before.

use crate::bounds::MARKETS_MAX;
use crate::id_set::IdSet;
use crate::ids::{MarketId, Venue};
use crate::per_id::PerId;
use crate::per_venue::PerVenue;
use crate::state::state_fields;
use crate::units::Nanos;

/// When the terms of markets were read: see the head of this file.
#[derive(Debug)]
pub(super) struct TermsAge {
    /// When the terms of a venue's markets were last read, but for those that are unread.
    venues: PerVenue<Nanos>,
    /// When the core was last told the terms of each market.
    told: Vec<Nanos>,
    /// Markets whose terms could not be read since they were told last.
    unread: IdSet,
    /// When each market is expected to have paid; [`Nanos::NEVER`] where its venue has not said.
    paid_by: PerId<Nanos>,
}

state_fields! {
    TermsAge { venues: value, told: table(Nanos::ZERO), unread: value, paid_by: table(Nanos::NEVER) }
}

impl TermsAge {
    /// Nothing was read. Allocates all it will ever need.
    pub fn new() -> Self {
        Self {
            venues: PerVenue::all(Nanos::ZERO),
            told: vec![Nanos::ZERO; MARKETS_MAX],
            unread: IdSet::new(MARKETS_MAX),
            paid_by: PerId::new(MARKETS_MAX, Nanos::NEVER),
        }
    }

    /// A venue said when it expects to have paid what a market owes.
    pub fn on_expected(&mut self, market: MarketId, paid_by: Nanos) {
        if market.index() < MARKETS_MAX {
            self.paid_by[market.index()] = paid_by;
        }
    }

    /// When a market is expected to have paid; [`Nanos::NEVER`] where its venue has not said.
    pub fn paid_by(&self, market: MarketId) -> Nanos {
        self.paid_by[market.index()]
    }

    /// The terms of a market were told.
    pub fn on_told(&mut self, now: Nanos, market: MarketId) {
        if let Some(told) = self.told.get_mut(market.index()) {
            *told = now;
            self.unread.remove(market.index());
        }
    }

    /// The terms of a market could not be read: they are as old as when they were told last.
    pub fn on_unread(&mut self, market: MarketId) {
        if market.index() < MARKETS_MAX {
            self.unread.insert(market.index());
        }
    }

    /// The terms of all markets of a venue but the unread ones were read at `at`. Those that are read again are told.
    pub fn on_read(&mut self, venue: Venue, at: Nanos) {
        self.venues[venue] = self.venues[venue].max(at);
    }

    /// How long ago the terms of a market were read.
    #[inline]
    pub fn age(&self, now: Nanos, venue: Venue, market: MarketId) -> Nanos {
        let told = self.told[market.index()];
        let read =
            if self.unread.contains(market.index()) { told } else { told.max(self.venues[venue]) };
        now.since(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_market_is_as_old_as_its_venues_reading_unless_it_was_left_out() {
        let (mut terms, venue) = (TermsAge::new(), Venue::Kalshi);
        let [a, b] = [MarketId::new(3), MarketId::new(4)];
        let at = |secs: u64| Nanos::from_secs(1_000 + secs);
        let ages =
            |terms: &TermsAge, secs: u64| [a, b].map(|market| terms.age(at(secs), venue, market));
        let secs = |ages: [u64; 2]| ages.map(Nanos::from_secs);
        assert_eq!(terms.age(at(0), venue, a), at(0), "never read");
        for market in [a, b] {
            terms.on_told(at(0), market);
        }
        assert_eq!(ages(&terms, 60), secs([60, 60]));
        terms.on_unread(b);
        terms.on_read(venue, at(50));
        assert_eq!(ages(&terms, 60), secs([10, 60]));
        terms.on_read(Venue::Polymarket, at(60));
        terms.on_read(venue, at(40));
        assert_eq!(ages(&terms, 60), secs([10, 60]), "another venue, an older reading");
        terms.on_told(at(70), b);
        assert_eq!(ages(&terms, 80), secs([30, 10]), "it was read again");
    }
}
