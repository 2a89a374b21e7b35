//! A whole book in one number, so that a book read elsewhere can be held against ours in one event.

use crate::hash::Hash64;
use crate::units::{Price, Qty};

/// A number for the levels of a YES book, each side best first: books of the same levels have the same one.
pub fn digest(
    bids: impl Iterator<Item = (Price, Qty)>,
    asks: impl Iterator<Item = (Price, Qty)>,
) -> u64 {
    let mut hash = Hash64::new();
    for (price, qty) in bids {
        hash.word(u64::from(price.ticks()));
        hash.word(qty.micros());
    }
    hash.word(u64::MAX); // no price: the asks begin
    for (price, qty) in asks {
        hash.word(u64::from(price.ticks()));
        hash.word(qty.micros());
    }
    hash.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The levels of a book's bids and asks.
    type Sides<'a> = (&'a [(Price, Qty)], &'a [(Price, Qty)]);

    #[test]
    fn a_level_more_elsewhere_or_on_the_other_side_is_another_book() {
        let level =
            |ticks, contracts| (Price::from_ticks(ticks).unwrap(), Qty::from_contracts(contracts));
        let books: [Sides<'_>; 7] = [
            (&[], &[]),
            (&[level(4_700, 5)], &[]),
            (&[], &[level(4_700, 5)]),
            (&[level(4_700, 6)], &[]),
            (&[level(4_700, 5), level(4_600, 5)], &[]),
            (&[level(4_700, 5)], &[level(4_600, 5)]),
            (&[level(4_600, 5), level(4_700, 5)], &[]),
        ];
        let of = |(bids, asks): Sides<'_>| digest(bids.iter().copied(), asks.iter().copied());
        for (at, book) in books.into_iter().enumerate() {
            let same: Vec<_> =
                (0..books.len()).filter(|&other| of(books[other]) == of(book)).collect();
            assert_eq!(same, [at]);
        }
    }
}
