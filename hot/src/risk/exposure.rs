//! Dollars at risk: what is held at cost, and what orders in flight may yet cost.

use crate::bounds::{CLUSTERS_MAX, MARKETS_MAX, THEMES_MAX};
use crate::ids::{ClusterId, MarketId, ThemeId, Venue};
use crate::market::{Category, MarketDef};
use crate::per_venue::PerVenue;
use crate::state::state_fields;
use crate::units::{Qty, Usd};

/// One outcome of a market at worst: what is held of it, and what orders in flight and legs that wait may yet buy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stake {
    /// Contracts held, and those that orders in flight may yet buy.
    pub qty: Qty,
    /// What the contracts held have cost, and what orders in flight and legs that wait may yet cost with fees.
    pub cost: Usd,
}

impl Stake {
    /// Nothing held, and nothing on the way.
    pub const NONE: Self = Self { qty: Qty::ZERO, cost: Usd::ZERO };
}

/// Sums that the gate reads, kept by one function so that they agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposure {
    market: Vec<Usd>,
    cluster: Vec<Usd>,
    category: [Usd; Category::ALL.len()],
    /// The most that is at risk in a category that is known.
    category_most: Usd,
    theme: Vec<Usd>,
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
            category: [Usd::ZERO; Category::ALL.len()],
            category_most: Usd::ZERO,
            theme: vec![Usd::ZERO; THEMES_MAX],
            venue: PerVenue::all(Usd::ZERO),
            total: Usd::ZERO,
            clusters_active: 0,
        }
    }

    /// More, or less, at risk in the market of these terms.
    #[inline(always)] // into what claims cash
    pub fn add(&mut self, terms: &MarketDef, delta: Usd) {
        let &MarketDef { market, cluster, venue, category, theme, .. } = terms;
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
        let of = &mut self.category[category as usize];
        let before = *of;
        *of += delta;
        assert!(*of >= Usd::ZERO, "R3: what is at risk in a category is never negative");
        if category != Category::Unknown {
            if *of >= self.category_most {
                self.category_most = *of;
            } else if before == self.category_most {
                self.category_most = self.most_of_categories();
            }
        }
        if let Some(theme) = theme {
            let theme = &mut self.theme[theme.index()];
            *theme += delta;
            assert!(*theme >= Usd::ZERO, "R3: what is at risk in a theme is never negative");
        }
        self.venue[venue] += delta;
        self.total += delta;
        assert!(self.market[market.index()] >= Usd::ZERO, "R3: what is at risk is never negative");
        assert!(self.venue[venue] <= self.total, "R2: a venue's share is a part of the whole");
    }

    /// A market moves to another cluster, category, theme or venue, and what is at risk in it with it.
    pub fn regroup(&mut self, from: &MarketDef, to: &MarketDef) {
        let all = self.market[from.market.index()];
        self.add(from, -all);
        self.add(to, all);
        assert!(self.market(to.market) == all, "R2: another group puts no more at risk");
    }

    /// Dollars at risk in one market.
    pub fn market(&self, market: MarketId) -> Usd {
        self.market[market.index()]
    }

    /// Dollars at risk in one cluster.
    pub fn cluster(&self, cluster: ClusterId) -> Usd {
        self.cluster[cluster.index()]
    }

    /// Dollars that may be at risk in one category. A market whose category is not known may be of any: it counts in each,
    /// and where it is asked for itself, it counts as being of the category in which most is at risk.
    #[inline]
    pub fn category(&self, category: Category) -> Usd {
        let unknown = self.category[Category::Unknown as usize];
        let known = match category {
            Category::Unknown => self.category_most,
            known => self.category[known as usize],
        };
        known + unknown
    }

    #[inline(never)] // seldom is less at risk in that one
    fn most_of_categories(&self) -> Usd {
        self.category.iter().skip(1).fold(Usd::ZERO, |most, sum| most.max(*sum))
    }

    fn rebuild(&mut self) -> Option<()> {
        self.category_most = self.most_of_categories();
        Some(())
    }

    /// Dollars at risk in one theme; nothing where there is none.
    pub fn theme(&self, theme: Option<ThemeId>) -> Usd {
        theme.map_or(Usd::ZERO, |theme| self.theme[theme.index()])
    }

    /// Dollars at risk at one venue.
    pub fn venue(&self, venue: Venue) -> Usd {
        self.venue[venue]
    }

    /// Dollars at risk over everything.
    pub const fn total(&self) -> Usd {
        self.total
    }

    /// The number of clusters with something at risk. Baskets of one event count as one, and so does a hedged basket: venues hold
    /// contracts by market, and of two baskets that share a market nobody can tell later whose they are.
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
        market: table(Usd::ZERO), cluster: table(Usd::ZERO), category: value, category_most: derived,
        theme: table(Usd::ZERO), venue: value, total: value, clusters_active: value,
    } then rebuild
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fees::FeeRule;
    use crate::grid::Grid;
    use crate::market::MarketStatus;
    use crate::units::Nanos;

    fn terms(market: u16, category: Category, theme: Option<u8>) -> MarketDef {
        MarketDef {
            market: MarketId::new(market),
            venue: Venue::Kalshi,
            shard: 0,
            cluster: ClusterId::new(market),
            grid: Grid::uniform(100).unwrap(),
            min_qty: Qty::ZERO,
            close: Nanos::NEVER,
            fee: FeeRule::Kalshi { taker: 0, maker: 0 },
            status: MarketStatus::Open,
            category,
            theme: theme.map(ThemeId::new),
        }
    }

    #[test]
    fn a_market_of_unknown_category_counts_in_every_one() {
        let mut exposure = Exposure::new();
        let dollars = Usd::from_dollars;
        exposure.add(&terms(0, Category::Crypto, None), dollars(7));
        exposure.add(&terms(1, Category::Sports, None), dollars(20));
        exposure.add(&terms(2, Category::Unknown, None), dollars(100));
        exposure.add(&terms(3, Category::Unknown, None), dollars(300));
        let of = |category| exposure.category(category);
        assert_eq!(of(Category::Crypto), dollars(407));
        assert_eq!(of(Category::Sports), dollars(420));
        assert_eq!(of(Category::Weather), dollars(400));
        assert_eq!(of(Category::Unknown), dollars(420), "it may be sports as well");
        for (market, category, less, unknown) in [
            (1, Category::Sports, 15, 407), // crypto has most now
            (0, Category::Crypto, 1, 406),
            (2, Category::Unknown, 100, 306),
            (0, Category::Crypto, 6, 305),
        ] {
            exposure.add(&terms(market, category, None), -dollars(less));
            assert_eq!(exposure.category(Category::Unknown), dollars(unknown));
        }
    }

    #[test]
    fn what_moves_to_another_group_is_counted_there_alone() {
        let mut exposure = Exposure::new();
        let from = terms(0, Category::Crypto, Some(255));
        let to = MarketDef {
            cluster: ClusterId::new(9),
            venue: Venue::Polymarket,
            ..terms(0, Category::Sports, Some(0))
        };
        let all = Usd::from_dollars(5);
        exposure.add(&from, all);
        exposure.regroup(&from, &to);
        let of = |def: &MarketDef| {
            [
                exposure.cluster(def.cluster),
                exposure.category(def.category),
                exposure.theme(def.theme),
                exposure.venue(def.venue),
            ]
        };
        assert_eq!((of(&from), of(&to)), ([Usd::ZERO; 4], [all; 4]));
        assert_eq!((exposure.theme(None), exposure.total()), (Usd::ZERO, all));
    }
}
