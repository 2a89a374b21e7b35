//! What becomes of a basket that looked worth it.

use crate::pack::enum_table;

enum_table! {
    /// What was made of an opportunity.
    pub enum Verdict {
        /// Orders are on the way.
        Taken = 0, "taken";
        /// Too little profit in all, or under a venue's minimum, once rounded.
        TooSmall = 1, "too_small";
        /// Too good to be true: bad data.
        Absurd = 2, "absurd";
        /// The gate said no.
        Refused = 3, "refused";
        /// Not worth the risk of standing on one leg.
        LegRisk = 4, "leg_risk";
        /// Halted, stopping, not reconciled, or held back where a leg would trade.
        Closed = 5, "closed";
        /// No room for another group.
        Full = 6, "full";
    }
}
