//! What becomes of a basket that looked worth it.

use crate::pack::enum_table;

enum_table! {
    /// What was made of an opportunity.
    pub enum Verdict {
        /// Orders are on the way.
        Taken = 0, "taken";
        /// Too little profit in all, or under a venue's minimum, once rounded.
        TooSmall = 1, "too_small";
        /// Traded a moment ago, or still in flight. Nothing gives this verdict: such a basket is not looked at. Its number is kept for the
        /// journals that are there.
        Cooldown = 2, "cooldown";
        /// Too good to be true: bad data.
        Absurd = 3, "absurd";
        /// The gate said no.
        Refused = 4, "refused";
        /// Not worth the risk of standing on one leg.
        LegRisk = 5, "leg_risk";
        /// Halted, stopping, or not reconciled.
        Closed = 6, "closed";
        /// No room for another group.
        Full = 7, "full";
    }
}
