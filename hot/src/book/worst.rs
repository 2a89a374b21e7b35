//! The markets whose books became stale most often, kept as each count rises: nobody walks all markets to find them.

use crate::book::StaleWhy;
use crate::bounds::STALE_SHOWN_MAX;
use crate::ids::MarketId;
use crate::pack::pack_fields;

/// How often the book of a market became stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StaleMarket {
    pub market: MarketId,
    /// For each reason, by its number; none counts beyond 65,535.
    pub by: [u16; StaleWhy::ALL.len()],
}

impl StaleMarket {
    /// How often for any reason.
    pub fn times(&self) -> u32 {
        self.by.iter().map(|&times| u32::from(times)).sum()
    }

    /// The reasons that there were, and how often each.
    pub fn reasons(&self) -> impl Iterator<Item = (StaleWhy, u16)> + '_ {
        StaleWhy::ALL.into_iter().zip(self.by).filter(|(_, times)| *times > 0)
    }

    /// Whether it comes before another: more often or, where that is equal, by the lower number.
    fn is_before(&self, other: &Self) -> bool {
        (other.times(), self.market) < (self.times(), other.market)
    }
}

/// The markets whose books became stale most often, worst first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StaleWorst {
    shown: [Option<StaleMarket>; STALE_SHOWN_MAX],
}

impl StaleWorst {
    /// The count of a market has risen, or is what it was. Counts never fall, so whoever is not here has no more than the last.
    pub(super) fn rise(&mut self, risen: StaleMarket) {
        let is_it =
            |held: &Option<StaleMarket>| held.is_none_or(|held| held.market == risen.market);
        let last = STALE_SHOWN_MAX - 1;
        let mut at = self.shown.iter().position(is_it).unwrap_or(last);
        if self.shown[at].is_some_and(|held| held.market != risen.market && !risen.is_before(&held))
        {
            return;
        }
        self.shown[at] = Some(risen);
        while at > 0 && self.shown[at - 1].is_some_and(|held| risen.is_before(&held)) {
            self.shown.swap(at - 1, at);
            at -= 1;
        }
    }

    /// The markets whose books were stale most often, the worst of them first.
    pub fn iter(&self) -> impl Iterator<Item = StaleMarket> {
        self.shown.into_iter().flatten()
    }
}

pack_fields! {
    StaleMarket { market, by }
    StaleWorst { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_the_head_of_all_markets_in_order() {
        const MARKETS: u64 = 20;
        let mut seed = 5_u64;
        let mut all: Vec<_> = (0..MARKETS as u16)
            .map(|market| StaleMarket { market: MarketId::new(market), by: Default::default() })
            .collect();
        let mut worst = StaleWorst::default();
        for _ in 0..5_000 {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let market = &mut all[(seed >> 33) as usize % MARKETS as usize];
            market.by[(seed >> 50) as usize % StaleWhy::ALL.len()] += 1;
            worst.rise(*market);
            let mut want: Vec<_> =
                all.iter().filter(|market| market.times() > 0).copied().collect();
            want.sort_by_key(|market| (u32::MAX - market.times(), market.market));
            want.truncate(STALE_SHOWN_MAX);
            assert!(worst.iter().eq(want.iter().copied()), "{worst:?}");
        }
    }
}
