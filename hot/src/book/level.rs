//! One change of a book.

use crate::ids::{MarketId, Side};
use crate::pack::{pack_fields, pack_variants};
use crate::units::{Price, Qty};

/// One level of the YES book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    pub market: MarketId,
    pub side: Side,
    pub price: Price,
    /// What happens there.
    pub change: Change,
    /// Whether this is the last event of its frame: decisions are taken only then.
    pub last: bool,
}

/// What happens at a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// This much rests there now; zero removes the level.
    Set(Qty),
    /// So much more.
    Add(Qty),
    /// So much less; below zero is corruption.
    Take(Qty),
}

pack_fields! {
    Level { market, side, price, change, last }
}

pack_variants! {
    Change { 0 = Set(qty), 1 = Add(qty), 2 = Take(qty) }
}
