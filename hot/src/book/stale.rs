//! Why a book is stale: nothing is decided from it until a fresh snapshot.

use crate::pack::enum_table;

enum_table! {
    /// Why a book is stale.
    pub enum StaleWhy {
        /// No snapshot yet.
        Fresh = 0, "fresh";
        /// A sequence number was skipped.
        Gap = 1, "gap";
        /// A frame could not be decoded.
        Decode = 2, "decode";
        /// The link went down or silent.
        Link = 3, "link";
        /// The venue's stated best prices differ from ours.
        Top = 4, "top";
        /// The other outcome's book differs from ours.
        Mirror = 5, "mirror";
        /// The book's hash differs from the venue's.
        Hash = 6, "hash";
        /// Crossed or locked.
        Crossed = 7, "crossed";
        /// A level off the grid or below zero.
        Level = 8, "level";
        /// The ring to the core was full.
        Overflow = 9, "overflow";
        /// The grid changed.
        Grid = 10, "grid";
        /// The program started again.
        Restart = 11, "restart";
        /// The venue shows another book over REST, and the stream has not said so.
        Frozen = 12, "frozen";
        /// The market is silent beyond its rhythm, and the venue does not answer over REST whether that is right.
        Unwitnessed = 13, "unwitnessed";
    }
}

impl StaleWhy {
    /// Whether the session asks for the snapshot by itself: when its link is back, or when it saw the gap.
    pub const fn resyncs_by_itself(self) -> bool {
        matches!(self, Self::Fresh | Self::Gap | Self::Link | Self::Restart)
    }
}
