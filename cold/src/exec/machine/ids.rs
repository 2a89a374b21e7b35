//! The venue's id of each order of ours: bounded. Orders that are over go first, the oldest of them before the others.

use surefoot_hot::bounds::{ORDERS_DONE_MAX, ORDERS_LIVE_MAX};
use surefoot_hot::ids::OrderId;

use crate::wirelog::VenueId;

/// Sets of the table.
const SETS: usize = 2_048;
/// Orders in one set: 8,192 in all.
const WAYS: usize = 4;
const _: () =
    assert!(SETS * WAYS > ORDERS_LIVE_MAX + ORDERS_DONE_MAX, "more than the core remembers");

/// Our id to the venue's. Ids count up, so neighbours fall into different sets. What is pushed out of a set is the oldest order
/// of it that is over, and the oldest of all only where none is known to be: an order may rest while thousands come after it.
#[derive(Debug)]
pub struct VenueIds {
    slots: Vec<Option<Known>>,
}

/// An order whose id at the venue is known.
#[derive(Clone, Copy, Debug)]
struct Known {
    order: OrderId,
    id: VenueId,
    /// Nothing of it rests any more, as far as the executor has heard: of what is filled while it rests the core alone hears.
    is_over: bool,
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
        if let Some(known) = set.iter_mut().flatten().find(|known| known.order == order) {
            known.id = id;
            return;
        }
        let empty = set.iter().position(Option::is_none);
        let first_to_go =
            || (0..WAYS).min_by_key(|way| set[*way].map(|known| (!known.is_over, known.order)));
        let way = empty.or_else(first_to_go).expect("a set has ways");
        set[way] = Some(Known { order, id, is_over: false });
    }

    /// Nothing of an order rests any more: its id may make room for others. It is known until one needs the place.
    pub fn on_over(&mut self, order: OrderId) {
        if let Some(known) = self.set(order).iter_mut().flatten().find(|known| known.order == order)
        {
            known.is_over = true;
        }
    }

    /// The venue's id of an order.
    pub fn find(&self, order: OrderId) -> Option<VenueId> {
        let at = set_of(order);
        let set = &self.slots[at..at + WAYS];
        set.iter().flatten().find(|known| known.order == order).map(|known| known.id)
    }

    fn set(&mut self, order: OrderId) -> &mut [Option<Known>] {
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

    #[test]
    fn an_order_that_is_not_over_stays_whatever_comes_after_it() {
        let mut ids = VenueIds::new();
        let id = |n: u64| VenueId::new(&n.to_le_bytes()).unwrap();
        let rests = |n: u64| n.is_multiple_of(100);
        for n in 0..20_000_u64 {
            ids.learn(OrderId::new(n), id(n));
            if !rests(n) {
                ids.on_over(OrderId::new(n));
            }
        }
        for n in (0..20_000).filter(|n| rests(*n)) {
            assert_eq!(ids.find(OrderId::new(n)), Some(id(n)), "{n}");
        }
        assert_eq!(
            ids.find(OrderId::new(19_999)),
            Some(id(19_999)),
            "over, and nobody needs its place"
        );
    }
}
