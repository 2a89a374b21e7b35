//! Where a group stands.

use crate::pack::enum_table;

enum_table! {
    /// Where a group stands.
    pub enum GroupState {
        /// Every leg has passed the gate and holds its cash or its order: a group that cannot reserve never exists.
        Working = 0, "working";
        /// Every leg is held, each in its ratio.
        Hedged = 1, "hedged";
        /// A leg found no partner: being sold.
        Unwinding = 2, "unwinding";
        /// Nothing is held.
        Flat = 3, "flat";
        /// Needs a person.
        Operator = 4, "operator";
    }
}

impl GroupState {
    /// Whether it has ended.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Hedged | Self::Flat | Self::Operator)
    }
}
