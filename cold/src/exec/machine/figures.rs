//! What an executor tells of itself: counters, and what health is judged by.

use surefoot_hot::report::Reject;

/// Heartbeats missed in a row from which on nothing protects what rests.
pub const BEATS_MISSED_MAX: u32 = 2;

/// What an executor has done so far: plain counters, never reset.
#[derive(Clone, Debug, Default)]
pub struct ExecStats {
    /// Orders whose bytes left.
    pub sent: u64,
    /// Orders taken by the venue.
    pub taken: u64,
    /// Orders it would not have.
    pub rejected: u64,
    /// Of those, refused for no reason of the market's: not killed, crossed or sent twice. Many in a row are a venue or an
    /// account that takes nothing.
    pub turned_away: u64,
    /// Orders without a definite answer.
    pub timed_out: u64,
    /// Orders not sent, by [`surefoot_hot::report::Unsent`].
    pub unsent: [u64; 8],
    /// Cancels written, repetitions included.
    pub cancels: u64,
    /// Questions written, pages and repetitions included.
    pub asked: u64,
    /// Questions given up.
    pub unanswered: u64,
    /// Heartbeats that the venue confirmed.
    pub beats: u64,
    /// Heartbeats that did not count: after two, orders may be gone.
    pub beats_missed: u64,
    /// Rehearsals: nothing of them ever left.
    pub rehearsed: u64,
    /// Connections that broke or were cut.
    pub broken: u64,
    /// Answers that were "too many requests".
    pub limited: u64,
    /// Answers of success that were not understood, and calls that the venue has withdrawn (410).
    pub strange: u64,
    /// Records that the wire log did not take.
    pub unlogged: u64,
    /// Times the core was found standing still, and everything was cancelled for it.
    pub core_still: u64,
    /// Turns in which answers were left unread because the ring had no room.
    pub held: u64,
    /// Why a connection last broke.
    pub last_error: Option<String>,
}

/// What health is judged by, of one venue's executor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ExecFigures {
    /// Whether a connection for orders is open.
    pub connected: bool,
    /// Whether orders that open something are held back after failures in a row.
    pub breaker_open: bool,
    /// Why the venue last turned an order away that it did not look at; nothing since it took one or looked at one.
    pub turned_away: Option<Reject>,
    /// Whether the last request that was signed was answered "who are you".
    pub credentials_refused: bool,
    /// Heartbeats missed in a row.
    pub beats_missed: u32,
    /// Whether the core stands still: everything is being cancelled.
    pub core_still: bool,
    /// Whether a cancel of everything waits for the venue's confirmation.
    pub cancelling_all: bool,
    /// Records that the wire log did not take.
    pub unlogged: u64,
}

impl ExecFigures {
    /// Whether orders that open something may be sent: told to the core as the state of its order path.
    pub const fn may_open(&self) -> bool {
        self.connected
            && !self.breaker_open
            && !self.core_still
            && self.beats_missed < BEATS_MISSED_MAX
    }
}
