//! A basket as the compiler hands it in: one event per leg.

use crate::ids::{BasketId, MarketId, Outcome};
use crate::pack::{enum_table, pack_fields};

/// One leg of a basket. Legs arrive in order, `leg` from 0 to `legs - 1`; the last completes the basket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BasketDef {
    pub basket: BasketId,
    pub kind: BasketKind,
    /// The number of this leg, from 0 to `legs` - 1.
    pub leg: u8,
    /// The number of legs, from 1 to [`LEGS_MAX`](crate::bounds::LEGS_MAX).
    pub legs: u8,
    /// The market of this leg.
    pub market: MarketId,
    /// The outcome of which this leg buys contracts.
    pub outcome: Outcome,
    /// The least that one unit (`ratio` contracts of every leg) pays in any state of the world, in $0.0001.
    pub payout: u32,
    /// How many contracts of this leg one unit needs, from 1 to [`RATIO_MAX`](crate::bounds::RATIO_MAX).
    pub ratio: u16,
}

impl BasketDef {
    /// The legs of a basket of one contract each, in order: what the core is told of it.
    ///
    /// # Panics
    /// More legs than 255.
    pub fn of_single_contracts(
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
        /// NO of every member of an exclusive set.
        ExclusiveNo = 2, "exclusive_no";
        /// YES here and NO there, for the same question.
        CrossVenue = 3, "cross_venue";
    }
}

pack_fields! {
    BasketDef { basket, kind, leg, legs, market, outcome, payout, ratio }
}
