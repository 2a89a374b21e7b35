//! Dollars at risk: what is held at cost, and what orders in flight may yet cost.

use crate::bounds::{CLUSTERS_MAX, MARKETS_MAX};
use crate::ids::{ClusterId, MarketId, Venue};
use crate::per_venue::PerVenue;
use crate::state::state_fields;
use crate::units::Usd;

/// Sums that the gate reads, kept by one function so that they agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposure {
    market: Vec<Usd>,
    cluster: Vec<Usd>,
    venue: PerVenue<Usd>,
    total: Usd,
    clusters_active: u32,
}

impl Exposure {
    /// Nothing at risk.
    pub fn new() -> Self {
        Self {
            market: vec![Usd::ZERO; MARKETS_MAX],
            cluster: vec![Usd::ZERO; CLUSTERS_MAX],
            venue: PerVenue::all(Usd::ZERO),
            total: Usd::ZERO,
            clusters_active: 0,
        }
    }

    /// More, or less, at risk in one market.
    pub fn add(&mut self, market: MarketId, cluster: ClusterId, venue: Venue, delta: Usd) {
        self.market[market.index()] += delta;
        let cluster = &mut self.cluster[cluster.index()];
        let before = *cluster > Usd::ZERO;
        *cluster += delta;
        assert!(*cluster >= Usd::ZERO, "R3: what is at risk in a cluster is never negative");
        match (before, *cluster > Usd::ZERO) {
            (false, true) => self.clusters_active += 1,
            (true, false) => self.clusters_active -= 1,
            (true, true) | (false, false) => {}
        }
        self.venue[venue] += delta;
        self.total += delta;
        assert!(self.market[market.index()] >= Usd::ZERO, "R3: what is at risk is never negative");
        assert!(self.venue[venue] <= self.total, "R2: a venue's share is a part of the whole");
    }

    /// A market moves to another cluster, and what is at risk in it with it.
    pub fn recluster(&mut self, market: MarketId, venue: Venue, from: ClusterId, to: ClusterId) {
        let all = self.market[market.index()];
        self.add(market, from, venue, -all);
        self.add(market, to, venue, all);
        assert!(self.market[market.index()] == all, "R2: another cluster puts no more at risk");
    }

    /// Dollars at risk in one market.
    pub fn market(&self, market: MarketId) -> Usd {
        self.market[market.index()]
    }

    /// Dollars at risk in one cluster.
    pub fn cluster(&self, cluster: ClusterId) -> Usd {
        self.cluster[cluster.index()]
    }

    /// Dollars at risk at one venue.
    pub fn venue(&self, venue: Venue) -> Usd {
        self.venue[venue]
    }

    /// Dollars at risk over everything.
    pub const fn total(&self) -> Usd {
        self.total
    }

    /// The number of clusters with something at risk. A hedged basket is one position.
    pub const fn positions(&self) -> u32 {
        self.clusters_active
    }
}

impl Default for Exposure {
    fn default() -> Self {
        Self::new()
    }
}

state_fields! {
    Exposure {
        market: table(Usd::ZERO), cluster: table(Usd::ZERO), venue: value, total: value, clusters_active: value,
    }
}
