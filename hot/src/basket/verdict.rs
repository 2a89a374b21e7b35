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
        /// Less profit for the money and the days that it locks than the hurdle rate asks for.
        NotWorthIt = 7, "not_worth_it";
        /// It was traded a while ago and is not traded again yet.
        Cooldown = 8, "cooldown";
        /// A profit at the best prices after fees, but less of it on a unit than the least that is wanted.
        NoEdge = 9, "no_edge";
        /// An order of ours has just been sent, or is about to be, to a level that it needs: it waits for what is left.
        LevelTaken = 10, "level_taken";
    }
}
