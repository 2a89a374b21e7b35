//! What an order is for.

/// What an order is for: stored with it, and used by the gate to tell opening from reducing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Purpose {
    /// The first leg of a basket.
    Leg = 0,
    /// A later leg: it completes what is already held.
    Hedge = 1,
    /// Gets rid of a leg that found no partner.
    Unwind = 2,
    /// Closes a position for the operator.
    Exit = 3,
    /// Buys a few more of what has no partner, because the venue takes no order for so little: all of it is sold next.
    TopUp = 4,
}

impl Purpose {
    /// Whether it puts more at risk than is at risk now: the first order of a basket. A hedge does not: it completes
    /// what is already held, and without it the group is exposed for longer. Nor does a top-up: what it buys is sold at
    /// once, with what could not be sold without it.
    pub const fn opens(self) -> bool {
        matches!(self, Self::Leg)
    }

    /// Whether it may only sell what is held.
    pub const fn reduces(self) -> bool {
        matches!(self, Self::Unwind | Self::Exit)
    }

    /// Whether it gets rid of contracts without a partner, or makes that possible.
    pub const fn corrects(self) -> bool {
        matches!(self, Self::Unwind | Self::TopUp)
    }

    /// The name used in output and in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Leg => "arb_leg",
            Self::Hedge => "hedge",
            Self::Unwind => "unwind",
            Self::Exit => "exit",
            Self::TopUp => "top_up",
        }
    }
}
