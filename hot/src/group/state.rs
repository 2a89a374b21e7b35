//! Where a group stands.

use crate::pack::enum_table;

enum_table! {
    /// Where a group stands.
    pub enum GroupState {
        /// Decided, nothing reserved. No group is seen in this state, nor in the next: planning and reserving are one event,
        /// and a group that cannot reserve never exists. Their numbers stay taken, so that nothing else gets them.
        Planned = 0, "planned";
        /// Every leg passes the gate and holds its cash; see [`GroupState::Planned`].
        Reserving = 1, "reserving";
        /// Legs are on the way.
        Working = 2, "working";
        /// Every leg is held in equal number.
        Hedged = 3, "hedged";
        /// A leg found no partner: being sold.
        Unwinding = 4, "unwinding";
        /// Nothing is held.
        Flat = 5, "flat";
        /// Needs a person.
        Operator = 6, "operator";
    }
}

impl GroupState {
    /// Whether it has ended.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Hedged | Self::Flat | Self::Operator)
    }
}
