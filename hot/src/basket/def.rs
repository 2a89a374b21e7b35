//! A basket as the core is told of it: one event per leg.

use crate::ids::{BasketId, MarketId, Outcome};
use crate::pack::{enum_table, pack_fields};

/// One leg of a basket. Legs arrive in order, `leg` from 0 to `legs - 1`; the last completes the basket.
///
/// Outside of tests [`Proven`](super::Proven) alone makes one, and the journal gives it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BasketDef {
    pub(crate) basket: BasketId,
    pub(crate) kind: BasketKind,
    /// The number of this leg, from 0 to `legs` - 1.
    pub(crate) leg: u8,
    /// The number of legs, from 1 to [`LEGS_MAX`](crate::bounds::LEGS_MAX).
    pub(crate) legs: u8,
    /// The market of this leg.
    pub(crate) market: MarketId,
    /// The outcome of which this leg buys contracts.
    pub(crate) outcome: Outcome,
    /// The least that one unit (`ratio` contracts of every leg) pays in any state of the world, in $0.0001.
    pub(crate) payout: u32,
    /// How many contracts of this leg one unit needs, from 1 to [`RATIO_MAX`](crate::bounds::RATIO_MAX).
    pub(crate) ratio: u16,
}

impl BasketDef {
    /// The number that stands for the basket.
    pub const fn basket(&self) -> BasketId {
        self.basket
    }

    /// How the basket's markets are related.
    pub const fn kind(&self) -> BasketKind {
        self.kind
    }

    /// The number of this leg, from 0.
    pub const fn leg(&self) -> u8 {
        self.leg
    }

    /// The number of legs.
    pub const fn legs(&self) -> u8 {
        self.legs
    }

    /// The market of this leg.
    pub const fn market(&self) -> MarketId {
        self.market
    }

    /// The outcome of which this leg buys contracts.
    pub const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The least that one unit pays in any state of the world, in $0.0001.
    pub const fn payout(&self) -> u32 {
        self.payout
    }

    /// How many contracts of this leg one unit needs.
    pub const fn ratio(&self) -> u16 {
        self.ratio
    }
}

#[cfg(test)]
impl BasketDef {
    /// The legs of a basket of one contract each, in order, whatever they pay.
    pub(crate) fn of_single_contracts(
        basket: BasketId,
        kind: BasketKind,
        payout: u32,
        legs: &[(MarketId, Outcome)],
    ) -> impl Iterator<Item = Self> {
        let count = u8::try_from(legs.len()).expect("at most LEGS_MAX legs");
        (0..count).zip(legs).map(move |(leg, &(market, outcome))| Self {
            basket,
            kind,
            leg,
            legs: count,
            market,
            outcome,
            payout,
            ratio: 1,
        })
    }
}

enum_table! {
    /// The shape of a basket, for people and for statistics; the arithmetic is the same.
    pub enum BasketKind {
        /// YES and NO of one market.
        Complement = 0, "complement";
        /// YES of every member of an exhaustive exclusive set.
        ExclusiveYes = 1, "exclusive_yes";
        /// NO of every member of an exclusive set, or of some of them.
        ExclusiveNo = 2, "exclusive_no";
        /// YES here and NO there, for the same question.
        CrossVenue = 3, "cross_venue";
        /// NO of a question and YES of one that follows from it.
        Ladder = 4, "ladder";
        /// Legs and states as an operator declared them.
        Custom = 5, "custom";
    }
}

pack_fields! {
    BasketDef { basket, kind, leg, legs, market, outcome, payout, ratio }
}
