//! The venue's id of each order of ours, and back: bounded, the oldest goes first.

use surefoot_hot::ids::OrderId;

use crate::wirelog::VenueId;

/// Sets of the table.
const SETS: usize = 2_048;
/// Orders in one set: 8,192 in all, more than the core remembers.
const WAYS: usize = 4;

/// Our id to the venue's. Ids count up, so neighbours fall into different sets, and what is pushed out of a set
/// is the oldest of it.
#[derive(Debug)]
pub struct VenueIds {
    slots: Vec<Option<(OrderId, VenueId)>>,
}

impl VenueIds {
    /// Empty, at its full size.
    pub fn new() -> Self {
        Self { slots: vec![None; SETS * WAYS] }
    }

    /// Takes a pair in, or replaces what was known.
    pub fn learn(&mut self, order: OrderId, id: VenueId) {
        if id.is_none() {
            return;
        }
        let set = self.set(order);
        let known = set.iter().position(|slot| slot.is_some_and(|(other, _)| other == order));
        let empty = set.iter().position(Option::is_none);
        let oldest = || (0..WAYS).min_by_key(|way| set[*way].map(|(order, _)| order));
        let way = known.or(empty).or_else(oldest).expect("a set has ways");
        set[way] = Some((order, id));
    }

    /// The venue's id of an order.
    pub fn find(&self, order: OrderId) -> Option<VenueId> {
        let at = set_of(order);
        let set = &self.slots[at..at + WAYS];
        set.iter().flatten().find(|(other, _)| *other == order).map(|(_, id)| *id)
    }

    fn set(&mut self, order: OrderId) -> &mut [Option<(OrderId, VenueId)>] {
        let at = set_of(order);
        &mut self.slots[at..at + WAYS]
    }
}

impl Default for VenueIds {
    fn default() -> Self {
        Self::new()
    }
}

fn set_of(order: OrderId) -> usize {
    usize::try_from(order.get() % SETS as u64).expect("below SETS") * WAYS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_and_the_oldest_go() {
        let mut ids = VenueIds::new();
        let id = |n: u64| VenueId::new(&n.to_le_bytes()).unwrap();
        for n in 0..20_000_u64 {
            ids.learn(OrderId::new(n), id(n));
        }
        for n in 20_000 - (SETS * WAYS) as u64..20_000 {
            assert_eq!(ids.find(OrderId::new(n)), Some(id(n)), "{n}");
        }
        assert_eq!(ids.find(OrderId::new(3)), None);
        ids.learn(OrderId::new(19_999), id(7));
        assert_eq!(ids.find(OrderId::new(19_999)), Some(id(7)));
        ids.learn(OrderId::new(19_999), VenueId::NONE);
        assert_eq!(ids.find(OrderId::new(19_999)), Some(id(7)), "nothing known changes nothing");
    }
}
