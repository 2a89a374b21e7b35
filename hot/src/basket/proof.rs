//! That a basket pays what is said of it, whatever happens: the states of the world, one after the other.
//!
//! Which states there are is said by the cold side, which knows the venues' rules. The sums are made here, beside
//! [`BasketDef`], because nothing else may make one: a basket that nobody proved does not reach the core.

use super::{BasketDef, BasketKind, Leg};
use crate::bounds::{LEGS_MAX, RATIO_MAX};
use crate::ids::BasketId;
use crate::units::Price;

/// Legs of which one unit pays at least a known floor in every state of the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    kind: BasketKind,
    legs: Vec<Leg>,
    payout: u32,
}

/// Why legs are no basket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unproven {
    /// There are so many: none, or more than [`LEGS_MAX`].
    Legs(usize),
    /// This leg buys the outcome of an earlier one: its depth would be counted twice.
    Twice(usize),
    /// A unit needs no contract of this leg, or more than [`RATIO_MAX`].
    Ratio(usize),
    /// No state of the world was given.
    NoState,
    /// This state says what another number of legs pay.
    Payoffs(usize),
    /// In this state a unit pays so much, in $0.0001, and that is too little.
    Pays { state: usize, pays: u32 },
}

impl Proven {
    /// Adds up every state: what one contract of each leg pays there, in the order of the legs. The floor is the least of the
    /// sums; it must come to `least`, in $0.0001, and to more than nothing.
    ///
    /// # Errors
    /// See [`Unproven`]. Of several states that pay too little the one that pays least is named, of equal ones the first.
    pub fn over<'a>(
        kind: BasketKind,
        legs: Vec<Leg>,
        least: u32,
        states: impl IntoIterator<Item = &'a [Price]>,
    ) -> Result<Self, Unproven> {
        if legs.is_empty() || legs.len() > LEGS_MAX {
            return Err(Unproven::Legs(legs.len()));
        }
        for (nth, leg) in legs.iter().enumerate() {
            if leg.ratio == 0 || leg.ratio > RATIO_MAX {
                return Err(Unproven::Ratio(nth));
            }
            let same = |other: &Leg| (other.market, other.outcome) == (leg.market, leg.outcome);
            if legs[..nth].iter().any(same) {
                return Err(Unproven::Twice(nth));
            }
        }
        let mut floor: Option<(u32, usize)> = None;
        for (state, payoffs) in states.into_iter().enumerate() {
            if payoffs.len() != legs.len() {
                return Err(Unproven::Payoffs(state));
            }
            let pays = legs.iter().zip(payoffs);
            let pays = pays.map(|(leg, pays)| u32::from(leg.ratio) * u32::from(pays.ticks())).sum();
            if floor.is_none_or(|(least, _)| pays < least) {
                floor = Some((pays, state));
            }
        }
        let (payout, state) = floor.ok_or(Unproven::NoState)?;
        if payout < least.max(1) {
            return Err(Unproven::Pays { state, pays: payout });
        }
        Ok(Self { kind, legs, payout })
    }

    /// How its markets are related.
    pub const fn kind(&self) -> BasketKind {
        self.kind
    }

    /// What to buy: of each, its ratio of contracts a unit.
    pub fn legs(&self) -> &[Leg] {
        &self.legs
    }

    /// The least that one unit pays, in $0.0001.
    pub const fn payout(&self) -> u32 {
        self.payout
    }

    /// What the core is told of it under this number: its legs, in order.
    pub fn defs(&self, basket: BasketId) -> impl Iterator<Item = BasketDef> + '_ {
        let legs = u8::try_from(self.legs.len()).expect("LEGS_MAX fits");
        (0..legs).zip(&self.legs).map(move |(leg, bought)| BasketDef {
            basket,
            kind: self.kind,
            leg,
            legs,
            market: bought.market,
            outcome: bought.outcome,
            payout: self.payout,
            ratio: bought.ratio,
        })
    }
}

const _: () = assert!(LEGS_MAX <= u8::MAX as usize, "the legs of a basket are counted in a byte");
const _: () = assert!(
    LEGS_MAX as u64 * RATIO_MAX as u64 * Price::ONE.ticks() as u64 <= u32::MAX as u64,
    "what a unit pays fits"
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{MarketId, Outcome};

    fn leg(market: u16, outcome: Outcome, ratio: u16) -> Leg {
        Leg { market: MarketId::new(market), outcome, ratio }
    }

    fn prove(legs: &[Leg], least: u32, states: &[&[u16]]) -> Result<Proven, Unproven> {
        let price = |ticks: &u16| Price::from_ticks(*ticks).unwrap();
        let states: Vec<Vec<Price>> =
            states.iter().map(|state| state.iter().map(price).collect()).collect();
        let states = states.iter().map(Vec::as_slice);
        Proven::over(BasketKind::Custom, legs.to_vec(), least, states)
    }

    #[test]
    fn the_floor_is_that_of_the_worst_state() {
        let legs = [leg(0, Outcome::Yes, 2), leg(1, Outcome::No, 3)];
        let proven = prove(&legs, 1, &[&[10_000, 0], &[0, 10_000], &[5_000, 5_000]]).unwrap();
        assert_eq!(proven.payout(), 20_000);
        let defs: Vec<_> = proven.defs(BasketId::new(9)).collect();
        assert_eq!(
            defs.iter().map(|def| (def.leg(), def.legs(), def.ratio())).collect::<Vec<_>>(),
            [(0, 2, 2), (1, 2, 3)]
        );
        assert!(defs.iter().all(|def| def.payout() == 20_000 && def.basket() == BasketId::new(9)));
        assert_eq!(proven.legs(), legs);
    }

    #[test]
    fn the_state_that_pays_least_breaks_it() {
        let legs = [leg(0, Outcome::Yes, 1), leg(1, Outcome::No, 1)];
        let states: [&[u16]; 3] = [&[10_000, 0], &[4_000, 0], &[5_000, 0]];
        assert_eq!(prove(&legs, 10_000, &states), Err(Unproven::Pays { state: 1, pays: 4_000 }));
        assert_eq!(prove(&legs, 4_001, &states), Err(Unproven::Pays { state: 1, pays: 4_000 }));
        assert_eq!(prove(&legs, 4_000, &states).unwrap().payout(), 4_000);
        let equal = prove(&legs, 4_001, &[&[4_000, 0], &[0, 4_000]]);
        assert_eq!(equal, Err(Unproven::Pays { state: 0, pays: 4_000 }), "the first of equal ones");
        let nothing = prove(&legs, 0, &[&[10_000, 0], &[0, 0]]);
        assert_eq!(
            nothing,
            Err(Unproven::Pays { state: 1, pays: 0 }),
            "a floor of nothing is none"
        );
    }

    #[test]
    fn what_is_no_basket_is_refused_by_its_leg_or_state() {
        let yes = leg(0, Outcome::Yes, 1);
        let all: &[&[u16]] = &[&[10_000, 10_000]];
        assert_eq!(prove(&[], 1, all), Err(Unproven::Legs(0)));
        let many: Vec<_> = (0..=LEGS_MAX as u16).map(|id| leg(id, Outcome::Yes, 1)).collect();
        assert_eq!(prove(&many, 1, all), Err(Unproven::Legs(LEGS_MAX + 1)));
        assert!(prove(&many[1..], 1, &[&[1; LEGS_MAX]]).is_ok());
        assert_eq!(prove(&[yes, yes], 1, all), Err(Unproven::Twice(1)));
        assert_eq!(prove(&[yes, leg(1, Outcome::No, 0)], 1, all), Err(Unproven::Ratio(1)));
        assert!(prove(&[yes, leg(1, Outcome::No, RATIO_MAX)], 1, all).is_ok());
        let beyond = leg(1, Outcome::No, RATIO_MAX + 1);
        assert_eq!(prove(&[yes, beyond], 1, all), Err(Unproven::Ratio(1)));
        assert_eq!(prove(&[yes, leg(0, Outcome::No, 1)], 1, &[]), Err(Unproven::NoState));
        let short: &[&[u16]] = &[&[10_000, 0], &[10_000]];
        assert_eq!(prove(&[yes, leg(0, Outcome::No, 1)], 1, short), Err(Unproven::Payoffs(1)));
    }
}
