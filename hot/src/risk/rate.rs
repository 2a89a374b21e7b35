//! Order mutations in the last minute, and orders that repeat.

use std::collections::VecDeque;

use crate::bounds::MARKETS_MAX;
use crate::ids::{MarketId, Side};
use crate::order::Order;
use crate::state::state_fields;
use crate::units::{Nanos, Price, Qty};

const WINDOW: Nanos = Nanos::from_secs(60);
/// More than any limit allows in a minute; beyond it the window reads as full.
const REMEMBERED: usize = 8_192;
/// Orders within the duplicate window; at the largest rate a second holds fewer.
const RECENT: usize = 512;

/// A sliding window over order mutations.
#[derive(Debug)]
pub struct Rate {
    mutations: VecDeque<(Nanos, MarketId)>,
    /// How many of them are of each market.
    by_market: Vec<u32>,
    recent: VecDeque<(Nanos, MarketId, Side, Price, Qty)>,
}

impl Rate {
    /// Allocates all it will ever need.
    pub fn new() -> Self {
        Self {
            mutations: VecDeque::with_capacity(REMEMBERED),
            by_market: vec![0; MARKETS_MAX],
            recent: VecDeque::with_capacity(RECENT),
        }
    }

    /// Forgets what has left the windows. Call before asking.
    pub fn advance(&mut self, now: Nanos, duplicate: Nanos) {
        while self.mutations.front().is_some_and(|&(at, _)| now.since(at) >= WINDOW) {
            self.forget_first();
        }
        while self.recent.front().is_some_and(|&(at, ..)| now.since(at) >= duplicate) {
            self.recent.pop_front();
        }
    }

    /// Counts one mutation: a new order or a cancel. Cancels are counted and never refused.
    pub fn count(&mut self, now: Nanos, market: MarketId) {
        if self.mutations.len() == REMEMBERED {
            self.forget_first();
        }
        self.mutations.push_back((now, market));
        self.by_market[market.index()] += 1;
        assert!(self.mutations.len() <= REMEMBERED, "S6: the window has its bound");
        assert!(
            self.in_market(market) <= self.in_all(),
            "S7: a market's rate is part of the whole"
        );
    }

    fn forget_first(&mut self) {
        if let Some((_, market)) = self.mutations.pop_front() {
            self.by_market[market.index()] -= 1;
        }
    }

    /// Remembers a placed order.
    pub fn remember(&mut self, now: Nanos, order: &Order) {
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        let (side, price) = order.on_book();
        self.recent.push_back((now, order.market, side, price, order.qty));
    }

    /// The mutations of each market.
    fn rebuild(&mut self) -> Option<()> {
        for (_, market) in &self.mutations {
            *self.by_market.get_mut(market.index())? += 1;
        }
        Some(())
    }

    /// Mutations in the window.
    pub fn in_all(&self) -> u64 {
        self.mutations.len() as u64
    }

    /// Mutations in the window in one market.
    pub fn in_market(&self, market: MarketId) -> u64 {
        u64::from(self.by_market[market.index()])
    }

    /// Whether the same market, side, price and size was placed within the window.
    pub fn repeats(&self, order: &Order) -> bool {
        let (side, price) = order.on_book();
        self.recent
            .iter()
            .any(|&(_, m, s, p, q)| (m, s, p, q) == (order.market, side, price, order.qty))
    }
}

impl Default for Rate {
    fn default() -> Self {
        Self::new()
    }
}

state_fields! {
    Rate { mutations: list(REMEMBERED), by_market: derived, recent: list(RECENT) } then rebuild
}
