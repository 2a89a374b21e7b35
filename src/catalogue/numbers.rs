//! Which number stands for which basket.
//!
//! A number stays a basket's own for as long as the core knows the basket: over a restart, and where the basket is withdrawn
//! and comes back. What the core remembers under a number (a group at work, a cooldown, what is held together) is then of
//! this basket and of no other.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use surefoot_hot::basket::{Basket, BasketDef, BasketKind, Baskets};
use surefoot_hot::bounds::BASKETS_MAX;
use surefoot_hot::ids::{BasketId, MarketId, Outcome};

/// A basket without a number. Two that differ by the order of their legs alone are the same one.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub kind: BasketKind,
    pub legs: Vec<(MarketId, Outcome)>,
    pub payout: u32,
}

impl Shape {
    /// That of a basket that the core knows; `None` where a unit needs more than one contract of a leg, which no relation
    /// declares.
    fn of(basket: &Basket) -> Option<Self> {
        let single =
            |leg: &surefoot_hot::basket::Leg| (leg.ratio == 1).then_some((leg.market, leg.outcome));
        let legs: Option<Vec<_>> = basket.legs().iter().map(single).collect();
        Some(Self { kind: basket.kind(), legs: legs?, payout: basket.payout() })
    }

    /// Whether a leg of it is of a market for which this holds.
    pub fn has(&self, holds: impl Fn(MarketId) -> bool) -> bool {
        self.legs.iter().any(|(market, _)| holds(*market))
    }

    /// Its legs under a number, as the core is told them.
    pub fn defs(&self, basket: BasketId) -> Vec<BasketDef> {
        BasketDef::of_single_contracts(basket, self.kind, self.payout, &self.legs).collect()
    }
}

impl Ord for Shape {
    fn cmp(&self, other: &Self) -> Ordering {
        let legs = |shape: &Self| {
            let legs = shape.legs.iter().map(|&(market, outcome)| (market, outcome as u8));
            let mut legs: Vec<_> = legs.collect();
            legs.sort_unstable();
            legs
        };
        let whole = (self.kind as u8, self.payout).cmp(&(other.kind as u8, other.payout));
        whole.then_with(|| legs(self).cmp(&legs(other)))
    }
}

impl PartialEq for Shape {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Shape {}

impl PartialOrd for Shape {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
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
            if let Some(shape) = Shape::of(basket) {
                numbers.of.entry(shape).or_insert(id);
            }
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

    /// Every number that stands for a basket.
    pub fn taken(&self) -> impl Iterator<Item = BasketId> {
        self.taken.iter().copied()
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
    use super::*;

    #[test]
    fn a_basket_has_one_number_in_whatever_order_its_legs_are_declared() {
        let legs = [7, 3].map(|market| (MarketId::new(market), Outcome::Yes));
        let shape = |legs: &[_]| Shape {
            kind: BasketKind::ExclusiveYes,
            legs: legs.to_vec(),
            payout: 10_000,
        };
        let (one, other) = (shape(&legs), shape(&[legs[1], legs[0]]));
        assert_eq!(one, other);
        let mut numbers = Numbers::default();
        let number = numbers.give(&one);
        assert_eq!(numbers.give(&other), number);
        let no = shape(&legs.map(|(market, _)| (market, Outcome::No)));
        assert_ne!(numbers.give(&no), number);
    }
}
