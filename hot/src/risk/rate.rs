//! Order mutations in the last minute, and orders that repeat.

use std::collections::VecDeque;

use crate::bounds::MARKETS_MAX;
use crate::ids::{MarketId, Side};
use crate::order::Order;
use crate::risk::LimitRow;
use crate::state::state_fields;
use crate::units::{Nanos, Price, Qty};

const WINDOW: Nanos = Nanos::from_secs(60);
/// Mutations that the window remembers: more than the row allows at most, so that a full window refuses.
const REMEMBERED: usize = 65_536;
const _: () = assert!(
    LimitRow::OrdersPerMinute.def().bounds.1 < REMEMBERED as u64,
    "a window that is full is over every limit"
);
/// Orders that are remembered within the duplicate window. Where there are more, every order counts as a repeated one: the
/// one that it repeats may be forgotten.
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

    /// Whether the same market, side, price and size was placed within the window, or may have been.
    #[inline]
    pub fn repeats(&self, order: &Order) -> bool {
        let (side, price) = order.on_book();
        let same = |&(_, m, s, p, q): &(Nanos, MarketId, Side, Price, Qty)| {
            (m, s, p, q) == (order.market, side, price, order.qty)
        };
        self.recent.len() == RECENT || self.recent.iter().any(same)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{Action, GroupId, OrderId, Outcome, Venue};
    use crate::order::{Purpose, Tif};

    fn order(nth: u64) -> Order {
        Order {
            id: OrderId::new(nth),
            epoch: 1,
            decided: Nanos::ZERO,
            group: GroupId::new(1),
            market: MarketId::new(3),
            venue: Venue::Kalshi,
            outcome: Outcome::Yes,
            action: Action::Buy,
            price: Price::from_ticks(100).unwrap(),
            qty: Qty::from_micros(nth),
            tif: Tif::Ioc,
            expires: None,
            post_only: false,
            purpose: Purpose::Leg,
        }
    }

    #[test]
    fn a_window_that_is_full_is_over_every_limit() {
        let mut rate = Rate::new();
        let now = Nanos::from_secs(100);
        for _ in 0..REMEMBERED + 5 {
            rate.count(now, MarketId::new(3));
        }
        let (_, most) = LimitRow::OrdersPerMinute.def().bounds;
        assert!(rate.in_all() > most && rate.in_market(MarketId::new(3)) == rate.in_all());
        rate.advance(now.after(WINDOW), Nanos::from_secs(1));
        assert_eq!((rate.in_all(), rate.in_market(MarketId::new(3))), (0, 0));
    }

    #[test]
    fn where_orders_are_forgotten_too_early_every_order_may_be_a_repeated_one() {
        let (mut rate, now) = (Rate::new(), Nanos::from_secs(100));
        for nth in 0..RECENT as u64 - 1 {
            rate.remember(now, &order(nth));
        }
        assert!(rate.repeats(&order(0)) && !rate.repeats(&order(10_000)));
        rate.remember(now, &order(RECENT as u64));
        assert!(rate.repeats(&order(10_000)), "the one that it repeats may be forgotten");
        rate.advance(now.after(Nanos::from_secs(2)), Nanos::from_secs(1));
        assert!(!rate.repeats(&order(10_000)));
    }
}
