//! Which number stands for which basket.
//!
//! A number stays a basket's own for as long as the core knows the basket: over a restart, and where the basket is withdrawn
//! and comes back. What the core remembers under a number (a group at work, a cooldown, what is held together) is then of
//! this basket and of no other.

use std::collections::{BTreeMap, BTreeSet};

use surefoot_hot::basket::{Basket, BasketKind, Baskets, Leg, Proven};
use surefoot_hot::bounds::BASKETS_MAX;
use surefoot_hot::ids::{BasketId, MarketId};

/// What makes a basket this one. Two that differ by the order of their legs alone are the same one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Shape {
    kind: u8,
    payout: u32,
    /// Market, outcome and ratio of each leg, in the order of these.
    legs: Vec<(MarketId, u8, u16)>,
}

impl Shape {
    fn new(kind: BasketKind, payout: u32, legs: &[Leg]) -> Self {
        let legs = legs.iter().map(|leg| (leg.market, leg.outcome as u8, leg.ratio));
        let mut legs: Vec<_> = legs.collect();
        legs.sort_unstable();
        Self { kind: kind as u8, payout, legs }
    }

    /// That of a basket that the core knows.
    fn known(basket: &Basket) -> Self {
        Self::new(basket.kind(), basket.payout(), basket.legs())
    }

    /// That of a basket that is proven.
    pub fn of(proven: &Proven) -> Self {
        Self::new(proven.kind(), proven.payout(), proven.legs())
    }
}

/// The numbers that stand for a basket, of this run and of the core that it begins with.
#[derive(Clone, Debug, Default)]
pub(super) struct Numbers {
    of: BTreeMap<Shape, BasketId>,
    /// Every number that stands for a basket, two for one basket included.
    taken: BTreeSet<BasketId>,
    /// From which number on the next free one is looked for.
    next: u16,
}

impl Numbers {
    /// Those by which the core knows its baskets. Where it knows one twice, the lower number stands for it.
    pub fn of_core(baskets: &Baskets) -> Self {
        let mut numbers = Self::default();
        for (id, basket) in baskets.iter() {
            numbers.taken.insert(id);
            numbers.of.entry(Shape::known(basket)).or_insert(id);
        }
        numbers
    }

    /// The number of a basket: the one it has, or a free one. `None` where none is free.
    pub fn give(&mut self, shape: &Shape) -> Option<BasketId> {
        if let Some(id) = self.of.get(shape) {
            return Some(*id);
        }
        while self.taken.contains(&BasketId::new(self.next)) {
            self.next += 1;
        }
        if usize::from(self.next) >= BASKETS_MAX {
            return None;
        }
        let id = BasketId::new(self.next);
        self.taken.insert(id);
        self.of.insert(shape.clone(), id);
        Some(id)
    }
}

#[cfg(test)]
impl Numbers {
    /// With none left.
    pub fn full() -> Self {
        Self { next: u16::try_from(BASKETS_MAX).expect("it fits"), ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use surefoot_hot::ids::Outcome;

    use super::*;

    #[test]
    fn a_basket_has_one_number_in_whatever_order_its_legs_are_declared() {
        let leg = |market, outcome, ratio| Leg { market: MarketId::new(market), outcome, ratio };
        let shape = |legs: &[Leg]| Shape::new(BasketKind::ExclusiveYes, 10_000, legs);
        let legs = [7, 3].map(|market| leg(market, Outcome::Yes, 1));
        let (one, other) = (shape(&legs), shape(&[legs[1], legs[0]]));
        assert_eq!(one, other);
        let mut numbers = Numbers::default();
        let number = numbers.give(&one);
        assert_eq!(numbers.give(&other), number);
        let no = shape(&[7, 3].map(|market| leg(market, Outcome::No, 1)));
        assert_ne!(numbers.give(&no), number);
        let twice = shape(&[legs[0], leg(3, Outcome::Yes, 2)]);
        assert_ne!(numbers.give(&twice), number, "two of the one for one of the other");
    }
}
