//! What a venue takes at the moment, where that is not everything.
//!
//! A venue that restarts, is in maintenance or has paused trading says so in its answers. That is a state of the venue and no
//! failure: whoever sends waits for its end instead of counting refusals.

use crate::pack::{enum_table, pack_fields};
use crate::units::Nanos;

/// Shards of a venue that have a mode of their own; the last one's holds for every shard beyond.
pub const MODE_SHARDS: usize = 8;

enum_table! {
    /// What a venue, or one shard of it, takes at the moment; the more it takes, the smaller the number.
    #[derive(Default, PartialOrd, Ord)]
    pub enum VenueMode {
        /// Orders and cancels.
        #[default]
        Open = 0, "open";
        /// Orders that only rest, and cancels: Polymarket for two minutes after a restart.
        PostOnly = 1, "post_only";
        /// Cancels alone: Polymarket in its mode of that name, Kalshi while trading is paused.
        CancelOnly = 2, "cancel_only";
        /// Nothing, for a moment: Polymarket's engine restarts (425).
        Restarting = 3, "restarting";
        /// Nothing, cancels included: Polymarket when it is disabled, Kalshi while the exchange is paused.
        Shut = 4, "shut";
    }
}

impl VenueMode {
    /// Whether an order is taken. `post_only`: the venue is to reject it rather than let it trade at once.
    #[inline]
    pub const fn takes(self, post_only: bool) -> bool {
        self as u8 <= post_only as u8
    }

    /// Whether an order that trades at once is taken.
    pub const fn takes_all(self) -> bool {
        self.takes(false)
    }
}

/// Where the mode of a shard is kept among [`MODE_SHARDS`].
#[inline]
pub const fn mode_shard(shard: u8) -> usize {
    if (shard as usize) < MODE_SHARDS { shard as usize } else { MODE_SHARDS - 1 }
}

/// What one venue takes, for status and reports: the shard that takes least.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ModeShown {
    pub mode: VenueMode,
    /// When the venue says that it takes everything again; zero where it has not said.
    pub until: Nanos,
}

pack_fields! {
    ModeShown { mode, until }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_each_mode_takes() {
        let takes = VenueMode::ALL.map(|mode| (mode.takes_all(), mode.takes(true)));
        let nothing = (false, false);
        assert_eq!(takes, [(true, true), (false, true), nothing, nothing, nothing]);
        assert_eq!([0, 7, 8, 255].map(mode_shard), [0, 7, 7, 7]);
    }
}
