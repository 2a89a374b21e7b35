//! Known defects that a build with the feature `canary` can switch on, one at a time, so that a test of the tests can show that each
//! of them is found. Every other build has none of this: [`is`] is a constant there.

/// A defect of the kind that costs money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Canary {
    /// What an order claimed is kept when it ends.
    ClaimKept = 1,
    /// The gate does not ask how near the close of a market is.
    CloseNotAsked = 2,
    /// A fill that is told twice is booked twice.
    FillTwice = 3,
    /// A group corrects what it holds while another order of it is in flight.
    CorrectionBeside = 4,
    /// A hedge is for a contract more than what it is to match.
    HedgeTooLarge = 5,
    /// A snapshot says that it has one input less than it has.
    SnapshotLate = 6,
    /// An order leaves without a word in the log.
    NotWrittenAhead = 7,
    /// A restart takes no order from the wire log, and gives out ids that were given out before.
    IdAgain = 8,
    /// An order that was not answered counts as refused.
    SilenceIsRefusal = 9,
    /// The fees of fills are not booked.
    FeeForgotten = 10,
    /// A fill that fails stays booked.
    FailedFillKept = 11,
    /// A halt is over as soon as the program starts again.
    HaltForgotten = 12,
    /// Orders are opened from books that are not good.
    StaleBookTraded = 13,
}

impl Canary {
    /// Every defect, by number.
    pub const ALL: [Self; 13] = [
        Self::ClaimKept,
        Self::CloseNotAsked,
        Self::FillTwice,
        Self::CorrectionBeside,
        Self::HedgeTooLarge,
        Self::SnapshotLate,
        Self::NotWrittenAhead,
        Self::IdAgain,
        Self::SilenceIsRefusal,
        Self::FeeForgotten,
        Self::FailedFillKept,
        Self::HaltForgotten,
        Self::StaleBookTraded,
    ];

    /// What is wrong, in one sentence.
    pub const fn words(self) -> &'static str {
        match self {
            Self::ClaimKept => "what an order claimed is kept when it ends",
            Self::CloseNotAsked => "the gate does not ask how near the close of a market is",
            Self::FillTwice => "a fill that is told twice is booked twice",
            Self::CorrectionBeside => {
                "a group corrects what it holds while another order of it is in flight"
            }
            Self::HedgeTooLarge => "a hedge is for a contract more than what it is to match",
            Self::SnapshotLate => "a snapshot says that it has one input less than it has",
            Self::NotWrittenAhead => "an order leaves without a word in the log",
            Self::IdAgain => {
                "a restart takes no order from the wire log, and gives out ids that were given out before"
            }
            Self::SilenceIsRefusal => "an order that was not answered counts as refused",
            Self::FeeForgotten => "the fees of fills are not booked",
            Self::FailedFillKept => "a fill that fails stays booked",
            Self::HaltForgotten => "a halt is over as soon as the program starts again",
            Self::StaleBookTraded => "orders are opened from books that are not good",
        }
    }
}

#[cfg(feature = "canary")]
mod switch {
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::Canary;

    static ON: AtomicU8 = AtomicU8::new(0);

    /// Switches this defect on, for the whole process.
    pub fn switch_on(canary: Canary) {
        ON.store(canary as u8, Ordering::Relaxed);
    }

    /// Whether this defect is on.
    pub fn is(canary: Canary) -> bool {
        ON.load(Ordering::Relaxed) == canary as u8
    }
}

#[cfg(feature = "canary")]
pub use switch::{is, switch_on};

/// Whether this defect is on: never, in a build that trades.
#[cfg(not(feature = "canary"))]
#[inline(always)]
pub const fn is(_canary: Canary) -> bool {
    false
}
