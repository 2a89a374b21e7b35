//! Some of the markets, one bit for each.

use surefoot_hot::bounds::MARKETS_MAX;
use surefoot_hot::ids::MarketId;

/// The markets of one link: asked about for every snapshot that the core wants, whatever the link.
#[derive(Clone, Debug)]
pub(super) struct MarketSet(Vec<u64>);

impl MarketSet {
    /// A set without a market, with room for as many as there may be.
    pub(super) fn new() -> Self {
        Self(vec![0; MARKETS_MAX.div_ceil(64)])
    }

    pub(super) fn insert(&mut self, market: MarketId) {
        self.0[market.index() / 64] |= 1 << (market.index() % 64);
    }

    pub(super) fn remove(&mut self, market: MarketId) {
        self.0[market.index() / 64] &= !(1 << (market.index() % 64));
    }

    pub(super) fn contains(&self, market: MarketId) -> bool {
        self.0.get(market.index() / 64).is_some_and(|word| word & 1 << (market.index() % 64) != 0)
    }

    /// The markets of the set, by rising id.
    pub(super) fn iter(&self) -> impl Iterator<Item = MarketId> {
        (0..u16::MAX).map(MarketId::new).take(self.0.len() * 64).filter(|id| self.contains(*id))
    }
}

impl FromIterator<MarketId> for MarketSet {
    fn from_iter<I: IntoIterator<Item = MarketId>>(markets: I) -> Self {
        let mut set = Self::new();
        markets.into_iter().for_each(|market| set.insert(market));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in() {
        let ids = [0, 63, 64, MARKETS_MAX as u16 - 1].map(MarketId::new);
        let mut set: MarketSet = ids.into_iter().collect();
        assert!(set.iter().eq(ids));
        set.remove(ids[1]);
        assert!(!set.contains(ids[1]) && set.contains(ids[2]) && set.iter().count() == 3);
        assert!(!set.contains(MarketId::new(u16::MAX)), "no such market");
    }
}
