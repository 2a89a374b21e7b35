//! What a venue calls the markets that an executor trades in, by our number.

use surefoot_hot::ids::MarketId;

/// Names by market.
#[derive(Debug)]
pub(super) struct Markets<N>(Vec<Option<N>>);

impl<N> Markets<N> {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    /// One more market, or one whose metadata changed.
    pub(super) fn set(&mut self, market: MarketId, names: N) {
        if self.0.len() <= market.index() {
            self.0.resize_with(market.index() + 1, || None);
        }
        self.0[market.index()] = Some(names);
    }

    pub(super) fn get(&self, market: MarketId) -> Option<&N> {
        self.0.get(market.index())?.as_ref()
    }
}
