//! The last public trade in each market, for the gate: what others have just paid.

use crate::bounds::MARKETS_MAX;
use crate::ids::MarketId;
use crate::risk::LastTrade;
use crate::state::state_fields;
use crate::units::{Nanos, Price};

/// The last public trade in each market.
#[derive(Debug)]
pub(super) struct Tape {
    last: Vec<Option<LastTrade>>,
}

state_fields! {
    Tape { last: table(None) }
}

impl Tape {
    /// No trade heard of. Allocates all it will ever need.
    pub fn new() -> Self {
        Self { last: vec![None; MARKETS_MAX] }
    }

    /// A trade was heard of. One in a market beyond the last possible number is nobody's.
    pub fn on_trade(&mut self, now: Nanos, market: MarketId, price: Price) {
        if let Some(last) = self.last.get_mut(market.index()) {
            *last = Some(LastTrade { price, at: now });
        }
    }

    /// The last trade in a market; `None` before the first.
    pub fn last(&self, market: MarketId) -> Option<LastTrade> {
        self.last[market.index()]
    }
}
