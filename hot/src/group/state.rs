//! Where a group stands.

/// Where a group stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum GroupState {
    /// Decided, nothing reserved. No group is seen in this state, nor in the next: planning and reserving are one event,
    /// and a group that cannot reserve never exists. Their numbers stay taken, so that nothing else gets them.
    Planned = 0,
    /// Every leg passes the gate and holds its cash; see [`GroupState::Planned`].
    Reserving = 1,
    /// Legs are on the way.
    Working = 2,
    /// Every leg is held in equal number.
    Hedged = 3,
    /// A leg found no partner: being sold.
    Unwinding = 4,
    /// Nothing is held.
    Flat = 5,
    /// Needs a person.
    Operator = 6,
}

impl GroupState {
    /// Whether it has ended.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Hedged | Self::Flat | Self::Operator)
    }

    /// The name used in output and in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Reserving => "reserving",
            Self::Working => "working",
            Self::Hedged => "hedged",
            Self::Unwinding => "unwinding",
            Self::Flat => "flat",
            Self::Operator => "operator",
        }
    }
}
