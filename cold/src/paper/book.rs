//! The public book of a market as paper orders meet it: other people's levels, and what we have taken of them.

use std::collections::BTreeMap;

use surefoot_hot::book::Change;
use surefoot_hot::ids::Side;
use surefoot_hot::units::{Price, QTY_MAX, Qty};

/// A change of what rests at one price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelChange {
    pub side: Side,
    pub price: Price,
    pub before: Qty,
    pub after: Qty,
}

/// Other people's levels.
#[derive(Clone, Debug, Default)]
pub struct PublicBook {
    sides: [BTreeMap<Price, Qty>; 2],
    /// Levels that were there before the snapshot that is being read.
    before: Option<[BTreeMap<Price, Qty>; 2]>,
    /// Whether nothing is known to be missing.
    is_good: bool,
}

impl PublicBook {
    /// Whether orders may be filled from it.
    pub const fn is_good(&self) -> bool {
        self.is_good
    }

    /// A snapshot begins.
    pub fn begin(&mut self) {
        let sides = std::mem::take(&mut self.sides);
        self.before.get_or_insert(sides);
        self.is_good = false;
    }

    /// The snapshot is complete. Returns what is different from before it.
    pub fn end(&mut self) -> Vec<LevelChange> {
        let Some(before) = self.before.take() else { return Vec::new() };
        self.is_good = true;
        let mut changes = Vec::new();
        for side in [Side::Bid, Side::Ask] {
            let (was, is) = (&before[side.index()], &self.sides[side.index()]);
            let mut prices: Vec<Price> = was.keys().chain(is.keys()).copied().collect();
            prices.sort_unstable();
            prices.dedup();
            let at = |of: &BTreeMap<Price, Qty>, price| of.get(&price).copied().unwrap_or_default();
            let all = prices.into_iter().map(|price| LevelChange {
                side,
                price,
                before: at(was, price),
                after: at(is, price),
            });
            changes.extend(all.filter(|change| change.before != change.after));
        }
        changes
    }

    /// Something may be missing: nothing is filled until a fresh snapshot.
    pub fn doubt(&mut self) {
        self.is_good = false;
    }

    /// A level changes; `None` where it does not, or where the change makes no sense and the book is in doubt by it. What changes
    /// within a snapshot is told at its end.
    pub fn change(&mut self, side: Side, price: Price, change: Change) -> Option<LevelChange> {
        let before = self.at(side, price);
        let after = match change {
            Change::Set(qty) => Some(qty),
            Change::Add(qty) => Some(before + qty),
            Change::Take(qty) => before.checked_sub(qty),
        };
        let Some(after) = after.filter(|after| *after <= QTY_MAX) else {
            self.is_good = false;
            return None;
        };
        if after.is_zero() {
            self.sides[side.index()].remove(&price);
        } else {
            self.sides[side.index()].insert(price, after);
        }
        let is_told = self.before.is_none() && before != after;
        is_told.then_some(LevelChange { side, price, before, after })
    }

    /// What rests at a price.
    pub fn at(&self, side: Side, price: Price) -> Qty {
        self.sides[side.index()].get(&price).copied().unwrap_or_default()
    }

    /// The levels of a side, the best first.
    pub fn levels(&self, side: Side) -> Box<dyn Iterator<Item = (Price, Qty)> + '_> {
        let levels = self.sides[side.index()].iter().map(|(price, qty)| (*price, *qty));
        match side {
            Side::Bid => Box::new(levels.rev()),
            Side::Ask => Box::new(levels),
        }
    }
}

/// What we have taken of levels that still show it, because nobody at the venue knows of us: it stays gone until new orders come.
#[derive(Clone, Debug, Default)]
pub struct Taken(BTreeMap<(Side, Price), Qty>);

impl Taken {
    /// What is left for us of a level that shows so much.
    pub fn left(&self, side: Side, price: Price, shown: Qty) -> Qty {
        shown.saturating_sub(self.0.get(&(side, price)).copied().unwrap_or_default())
    }

    /// We take so much.
    pub fn take(&mut self, side: Side, price: Price, qty: Qty) {
        if !qty.is_zero() {
            *self.0.entry((side, price)).or_default() += qty;
        }
    }

    /// A level shows so much now: no more than that is ours, and a level that went has forgotten us.
    pub fn limit(&mut self, side: Side, price: Price, shown: Qty) {
        if shown.is_zero() {
            self.0.remove(&(side, price));
        } else if let Some(taken) = self.0.get_mut(&(side, price)) {
            *taken = shown.min(*taken);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cents(cents: u16) -> Price {
        Price::from_ticks(cents * 100).unwrap()
    }

    #[test]
    fn a_snapshot_tells_what_is_different_and_ends_a_doubt() {
        let mut book = PublicBook::default();
        let of = Qty::from_contracts;
        let set = |book: &mut PublicBook, at, qty| {
            book.change(Side::Bid, cents(at), Change::Set(of(qty)))
        };
        book.begin();
        assert_eq!(set(&mut book, 40, 5), None);
        assert_eq!(set(&mut book, 41, 7), None);
        assert_eq!(book.end().len(), 2);
        assert!(book.is_good());
        let (side, price) = (Side::Bid, cents(41));
        let change = LevelChange { side, price, before: of(7), after: of(2) };
        assert_eq!(book.change(side, price, Change::Take(of(5))), Some(change));
        assert_eq!(book.change(side, price, Change::Take(of(5))), None);
        assert!(!book.is_good(), "less than nothing makes no sense");
        book.begin();
        book.begin(); // the first one never ended
        set(&mut book, 40, 5);
        set(&mut book, 42, 1);
        let told: Vec<_> = book.end().iter().map(|change| (change.price, change.after)).collect();
        assert_eq!(told, [(cents(41), Qty::ZERO), (cents(42), of(1))]);
        assert_eq!(book.levels(Side::Bid).next(), Some((cents(42), of(1))));
    }

    #[test]
    fn what_was_taken_stays_gone_until_new_orders_come() {
        let (side, at, of) = (Side::Ask, cents(50), Qty::from_contracts);
        let mut taken = Taken::default();
        taken.take(side, at, of(6));
        assert_eq!(taken.left(side, at, of(10)), of(4));
        taken.limit(side, at, of(10));
        assert_eq!(taken.left(side, at, of(10)), of(4), "shown again is not new");
        assert_eq!(taken.left(side, at, of(13)), of(7), "three came");
        taken.limit(side, at, of(2));
        assert_eq!(taken.left(side, at, of(5)), of(3));
        taken.limit(side, at, Qty::ZERO);
        assert_eq!(taken.left(side, at, of(5)), of(5), "another queue");
    }
}
