//! One side of a book: a flat array of quantities, and a bitmap to find the next one that is not empty.

use crate::pack::{Arbitrary, Pack, PackSink, PackSource};
use crate::state::State;
use crate::units::Qty;

/// Quantities by rank; the highest rank that holds anything is the best price.
///
/// Knows neither price nor side: a bid's rank rises with its price, an ask's falls, so that one piece of code
/// serves both. Removing the best costs one look per 64 ranks down to the next: 2 words on a grid of cents,
/// 157 at most on the finest.
#[derive(Clone, Debug)]
pub struct Ladder {
    qty: Vec<Qty>,
    /// Bit `rank % 64` of word `rank / 64`: something rests there.
    held: Vec<u64>,
    /// One above the best rank; 0 when empty.
    top: usize,
}

impl Ladder {
    /// Empty, for `ranks` prices, with room for `room` of them without another allocation.
    pub fn new(ranks: usize, room: usize) -> Self {
        let room = room.max(ranks);
        let mut ladder = Self {
            qty: Vec::with_capacity(room),
            held: Vec::with_capacity(room.div_ceil(64)),
            top: 0,
        };
        ladder.reset(ranks);
        ladder
    }

    /// Empties it and gives it another number of ranks. Allocates only beyond the room it was made with.
    pub fn reset(&mut self, ranks: usize) {
        self.qty.clear();
        self.qty.resize(ranks, Qty::ZERO);
        self.held.clear();
        self.held.resize(ranks.div_ceil(64), 0);
        self.top = 0;
    }

    /// Gives an empty one fewer ranks, or as many as it has. Costs nothing, unlike [`Ladder::reset`], which writes every rank.
    ///
    /// # Panics
    /// If something rests in it, or it has not as many ranks.
    pub fn narrow(&mut self, ranks: usize) {
        assert!(self.top == 0 && ranks <= self.qty.len(), "only an empty ladder is cut");
        self.qty.truncate(ranks);
        self.held.truncate(ranks.div_ceil(64));
    }

    /// Empties it. Costs what it held, not what it could hold.
    pub fn clear(&mut self) {
        for (index, word) in self.held.iter_mut().enumerate() {
            while *word != 0 {
                self.qty[index * 64 + word.trailing_zeros() as usize] = Qty::ZERO;
                *word &= *word - 1;
            }
        }
        self.top = 0;
    }

    /// What rests at a rank.
    pub fn qty(&self, rank: usize) -> Qty {
        self.qty[rank]
    }

    /// Bytes that it has allocated.
    #[cfg(test)]
    pub(super) fn heap_bytes(&self) -> usize {
        size_of::<Qty>() * self.qty.capacity() + size_of::<u64>() * self.held.capacity()
    }

    /// How many ranks it can be given without another allocation.
    pub fn room(&self) -> usize {
        self.qty.capacity().min(self.held.capacity() * 64)
    }

    /// How many ranks there are.
    pub const fn slots(&self) -> usize {
        self.qty.len()
    }

    /// One above the best rank; 0 when empty.
    pub const fn top(&self) -> usize {
        self.top
    }

    /// The best rank and what rests there.
    pub fn best(&self) -> Option<(usize, Qty)> {
        let rank = self.top.checked_sub(1)?;
        Some((rank, self.qty[rank]))
    }

    /// Makes `qty` rest at `rank`.
    #[inline]
    pub fn set(&mut self, rank: usize, qty: Qty) -> Moved {
        if self.qty[rank] == qty {
            return Moved::Not;
        }
        let bit = 1_u64 << (rank % 64);
        self.qty[rank] = qty;
        let at_top = rank + 1 >= self.top;
        if qty.is_zero() {
            self.held[rank / 64] &= !bit;
            if rank + 1 == self.top {
                self.top = self.next_top(rank);
            }
        } else {
            self.held[rank / 64] |= bit;
            if at_top {
                self.top = rank + 1;
            }
        }
        assert!(self.top <= self.qty.len(), "the best rank is one of the ladder's");
        assert!(
            self.top == 0 || !self.qty[self.top - 1].is_zero(),
            "something rests at the best rank"
        );
        if at_top { Moved::Top } else { Moved::Behind }
    }

    /// One above the highest held rank that is not above `rank`.
    fn next_top(&self, rank: usize) -> usize {
        let held = self.held[..=rank / 64].iter().enumerate();
        match held.rev().find(|(_, word)| **word != 0) {
            Some((index, word)) => index * 64 + 64 - word.leading_zeros() as usize,
            None => 0,
        }
    }

    /// Ranks and what rests there, best first.
    pub fn iter(&self) -> Ranks<'_> {
        match self.top.checked_sub(1) {
            Some(best) => Ranks { ladder: self, word: best / 64, left: self.held[best / 64] },
            None => Ranks { ladder: self, word: 0, left: 0 },
        }
    }
}

/// What a change did to a [`Ladder`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    /// Nothing: it held that already.
    Not,
    /// A level behind the best.
    Behind,
    /// The best rank, or what rests there.
    Top,
}

/// Ranks of a [`Ladder`] and what rests there, best first.
#[derive(Clone, Debug)]
pub struct Ranks<'a> {
    ladder: &'a Ladder,
    word: usize,
    left: u64,
}

impl Iterator for Ranks<'_> {
    type Item = (usize, Qty);

    fn next(&mut self) -> Option<(usize, Qty)> {
        while self.left == 0 {
            self.word = self.word.checked_sub(1)?;
            self.left = self.ladder.held[self.word];
        }
        let bit = 63 - self.left.leading_zeros() as usize;
        self.left &= !(1 << bit);
        let rank = self.word * 64 + bit;
        Some((rank, self.ladder.qty[rank]))
    }
}

/// The levels that hold anything, best first; the number of ranks follows from the grid.
impl State for Ladder {
    fn save<W: PackSink>(&self, to: &mut W) {
        let Self { qty: _, held, top: _ } = self; // all of it is in the levels
        held.iter().map(|word| word.count_ones()).sum::<u32>().pack(to);
        for (rank, qty) in self.iter() {
            u16::try_from(rank).expect("a dollar has 10,001 prices at most").pack(to);
            qty.pack(to);
        }
    }
    fn load<S: PackSource>(&mut self, from: &mut S) -> Option<()> {
        for _ in 0..u32::unpack(from)? {
            let rank = usize::from(u16::unpack(from)?);
            let qty = Qty::unpack(from)?;
            if self.qty.get(rank).is_none_or(|held| !held.is_zero()) || qty.is_zero() {
                return None;
            }
            self.set(rank, qty);
        }
        Some(())
    }
    fn sketch<W: PackSink>(&self, _: &mut Arbitrary, to: &mut W) {
        (u16::MAX, Qty::ZERO).pack(to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn qty(micros: u64) -> Qty {
        Qty::from_micros(micros)
    }

    #[test]
    fn the_best_is_found_again_across_empty_words() {
        let mut ladder = Ladder::new(10_001, 0);
        assert_eq!(ladder.set(3, qty(7)), Moved::Top);
        assert_eq!(ladder.set(9_999, qty(8)), Moved::Top);
        assert_eq!(ladder.set(64, qty(9)), Moved::Behind);
        assert_eq!(ladder.set(64, qty(9)), Moved::Not);
        assert_eq!(ladder.set(10_000, Qty::ZERO), Moved::Not);
        assert_eq!(ladder.set(9_999, Qty::ZERO), Moved::Top, "the best went");
        assert_eq!(ladder.best(), Some((64, qty(9))));
        assert_eq!(ladder.iter().collect::<Vec<_>>(), [(64, qty(9)), (3, qty(7))]);
        ladder.clear();
        assert_eq!((ladder.best(), ladder.qty(64), ladder.qty(3)), (None, Qty::ZERO, Qty::ZERO));
        assert_eq!(ladder.iter().next(), None);
    }

    #[test]
    fn another_size_within_the_room_keeps_the_memory() {
        let mut ladder = Ladder::new(101, 1_001);
        let before = ladder.qty.as_ptr();
        ladder.set(100, qty(1));
        ladder.reset(1_001);
        assert_eq!((ladder.qty.as_ptr(), ladder.best()), (before, None));
        ladder.set(1_000, qty(1));
        assert_eq!(ladder.best(), Some((1_000, qty(1))));
    }
}
