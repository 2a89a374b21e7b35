//! What becomes of a basket that looked worth it.

/// What was made of an opportunity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Verdict {
    /// Orders are on the way.
    Taken = 0,
    /// Too little profit in all, or under a venue's minimum, once rounded.
    TooSmall = 1,
    /// Just shot, or still in flight. Nothing gives this verdict: such a basket is not looked at. Its number is kept for the
    /// journals that are there.
    Cooldown = 2,
    /// Too good to be true: bad data.
    Absurd = 3,
    /// The gate said no.
    Refused = 4,
    /// Not worth the risk of standing on one leg.
    LegRisk = 5,
    /// Halted, stopping, or not reconciled.
    Closed = 6,
    /// No room for another group.
    Full = 7,
}

impl Verdict {
    /// The name used in output and in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::TooSmall => "too_small",
            Self::Cooldown => "cooldown",
            Self::Absurd => "absurd",
            Self::Refused => "refused",
            Self::LegRisk => "leg_risk",
            Self::Closed => "closed",
            Self::Full => "full",
        }
    }
}
