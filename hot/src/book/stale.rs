//! Why a book is in doubt.

/// Why a book is in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum StaleWhy {
    /// No snapshot yet.
    Fresh = 0,
    /// A sequence number was skipped.
    Gap = 1,
    /// A frame could not be decoded.
    Decode = 2,
    /// The link went down or silent.
    Link = 3,
    /// The venue's stated best prices differ from ours.
    Top = 4,
    /// The other outcome's book differs from ours.
    Mirror = 5,
    /// The book's hash differs from the venue's.
    Hash = 6,
    /// Crossed or locked.
    Crossed = 7,
    /// A level off the grid or below zero.
    Level = 8,
    /// The ring to the core was full.
    Overflow = 9,
    /// The grid changed.
    Grid = 10,
    /// The program started again.
    Restart = 11,
}

impl StaleWhy {
    /// Whether the session asks for the snapshot by itself: when its link is back, or when it saw the gap.
    pub const fn resyncs_by_itself(self) -> bool {
        matches!(self, Self::Fresh | Self::Gap | Self::Link | Self::Restart)
    }
}
