//! What the agents on the hot threads show to the cold ones.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use surefoot_cold::exec::ExecFigures;

/// What the agents show while they run.
#[derive(Debug, Default)]
pub struct Shown {
    /// Frames read, by venue.
    pub frames: [AtomicU64; 2],
    /// Each venue's figures, by index.
    pub venues: [VenueShown; 2],
    /// Links that are up.
    pub links_up: AtomicU64,
    /// Times a link was lost.
    pub links_lost: AtomicU64,
    /// Frames not understood.
    pub bad_frames: AtomicU64,
    /// Of those about our own money: how many, and words for the last one.
    pub unread: Mutex<(u64, String)>,
}

/// What feed and executor show of one venue.
#[derive(Debug, Default)]
pub struct VenueShown {
    /// Links that are up.
    pub links_up: AtomicU64,
    /// Times a link was lost.
    pub links_lost: AtomicU64,
    /// Whether the venue refuses the key on one of its streams.
    pub key_refused: AtomicBool,
    /// Orders that the venue took.
    pub taken: AtomicU64,
    /// Orders that it refused for no reason of the market's.
    pub turned_away: AtomicU64,
    /// The way of orders to it, [packed](ExecFigures::pack).
    pub(super) exec: AtomicU64,
}

impl VenueShown {
    /// The way of orders to the venue.
    pub fn exec(&self) -> ExecFigures {
        ExecFigures::unpack(self.exec.load(Ordering::Relaxed))
    }
}
