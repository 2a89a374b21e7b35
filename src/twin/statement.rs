//! A venue's own statement of one account, in no venue's words: what a drill holds the trader's books against.

use surefoot_hot::units::{Nanos, Qty, Usd};

/// What a venue has of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statement {
    /// Cash by shard.
    pub cash: Vec<(u8, Usd)>,
    /// Contracts held, YES and NO, by the venue's name of the market. What was paid out is not held any more.
    pub positions: Vec<(String, Qty, Qty)>,
    /// Every order that the venue ever took from this account, oldest first.
    pub orders: Vec<StatedOrder>,
    /// Orders refused because the venue had one of the same name already.
    pub repeated: u64,
    /// Markets whose result is known, and when their money last moved, by the twin's clock.
    pub settled: Vec<(String, Nanos)>,
}

/// One order as the venue has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatedOrder {
    /// The venue's id.
    pub id: String,
    /// What the trader calls it; empty where the venue takes no such name.
    pub client_id: String,
    /// Contracts that traded, without trades that failed later.
    pub filled: Qty,
    /// Whether it may still trade.
    pub is_open: bool,
}
