//! One side of a book: a flat array of quantities, and a bitmap to find the next one that is not empty.

use crate::pack::{Arbitrary, Pack, PackSink, PackSource};
use crate::state::State;
use crate::units::Qty;

/// The most ranks: every price of a dollar, both ends included.
const RANKS_MAX: usize = 10_001;

/// Quantities by rank; the highest rank that holds anything is the best price.
///
/// Knows neither price nor side: a bid's rank rises with its price, an ask's falls, so that one piece of code
/// serves both. Removing the best costs one look per 64 ranks down to the next: 2 words on a grid of cents,
/// 157 at most on the finest.
///
/// Both sides of a book are looked up by one cache line: the ladder itself is 24 bytes, and everything else is in one
/// allocation.
#[derive(Clone, Debug)]
pub struct Ladder {
    /// First the bitmap, where bit `rank % 64` of word `rank / 64` says that something rests there; then what rests at each rank,
    /// in millionths of a contract. All of it is zero where nothing rests, beyond `ranks` too.
    words: Box<[u64]>,
    /// Words of the bitmap.
    maps: u16,
    /// How many ranks there are.
    ranks: u16,
    /// One above the best rank; 0 when empty.
    top: u16,
}

impl Ladder {
    /// Empty, for `ranks` prices, with room for `room` of them without another allocation.
    pub fn new(ranks: usize, room: usize) -> Self {
        let room = room.max(ranks);
        let maps = room.div_ceil(64);
        // Each word is written here, so that no page of it is new to whoever changes the book first.
        let words = std::iter::repeat_n(0, maps + room).collect();
        Self { words, maps: narrow(maps), ranks: narrow(ranks), top: 0 }
    }

    /// Empties it and gives it another number of ranks. Costs what it held, and allocates only beyond the room it was made with.
    pub fn reset(&mut self, ranks: usize) {
        if ranks > self.room() {
            *self = Self::new(ranks, 0);
        } else {
            self.clear();
            self.ranks = narrow(ranks);
        }
    }

    /// Empties it. Costs what it held, not what it could hold.
    pub fn clear(&mut self) {
        let (held, qty) = self.words.split_at_mut(usize::from(self.maps));
        for (index, word) in held.iter_mut().enumerate() {
            while *word != 0 {
                qty[index * 64 + word.trailing_zeros() as usize] = 0;
                *word &= *word - 1;
            }
        }
        self.top = 0;
    }

    /// What rests at a rank.
    #[inline]
    pub fn qty(&self, rank: usize) -> Qty {
        Qty::from_micros(self.words[usize::from(self.maps) + rank])
    }

    /// Bytes that it has allocated.
    #[cfg(test)]
    pub(super) fn heap_bytes(&self) -> usize {
        size_of_val(&*self.words)
    }

    /// How many ranks it can be given without another allocation.
    pub fn room(&self) -> usize {
        self.words.len() - usize::from(self.maps)
    }

    /// How many ranks there are.
    pub const fn slots(&self) -> usize {
        self.ranks as usize
    }

    /// One above the best rank; 0 when empty.
    pub const fn top(&self) -> usize {
        self.top as usize
    }

    /// The best rank and what rests there.
    pub fn best(&self) -> Option<(usize, Qty)> {
        let rank = self.top().checked_sub(1)?;
        Some((rank, self.qty(rank)))
    }

    /// Makes `qty` rest at `rank`.
    ///
    /// # Panics
    /// If it has no such rank.
    #[inline(always)] // a dozen instructions, without the call
    pub fn set(&mut self, rank: usize, qty: Qty) -> Moved {
        assert!(rank < self.slots(), "the rank is one of the ladder's");
        if self.put(rank, qty) == Moved::Not {
            return Moved::Not;
        }
        if rank + 1 < self.top() {
            return Moved::Behind;
        }
        self.move_top(rank, qty);
        Moved::Top
    }

    /// Makes `qty` rest at `rank`, as if it were behind the best.
    #[inline(always)]
    fn put(&mut self, rank: usize, qty: Qty) -> Moved {
        let there = &mut self.words[usize::from(self.maps) + rank];
        if *there == qty.micros() {
            return Moved::Not;
        }
        *there = qty.micros();
        // Without a branch: whether a level comes or goes is not to be foretold.
        let (word, bit) = (&mut self.words[rank / 64], rank % 64);
        *word = (*word & !(1 << bit)) | (u64::from(!qty.is_zero()) << bit);
        Moved::Behind
    }

    /// The same where `rank` is below the best; `None` where it is not, and then nothing has changed.
    #[inline(always)]
    pub(super) fn set_behind(&mut self, rank: usize, qty: Qty) -> Option<Moved> {
        if rank + 1 < self.top() { Some(self.put(rank, qty)) } else { None }
    }

    /// The best rank is now `rank` or, where nothing rests there any more, the next one below.
    #[inline(never)] // so that a change behind the best saves no registers
    fn move_top(&mut self, rank: usize, qty: Qty) {
        self.top = if qty.is_zero() { self.next_top(rank) } else { narrow(rank + 1) };
        assert!(
            self.best().is_none_or(|(_, qty)| !qty.is_zero()),
            "something rests at the best rank"
        );
    }

    /// One above the highest held rank that is not above `rank`.
    fn next_top(&self, rank: usize) -> u16 {
        let held = self.words[..=rank / 64].iter().enumerate();
        match held.rev().find(|(_, word)| **word != 0) {
            Some((index, word)) => narrow(index * 64 + 64 - word.leading_zeros() as usize),
            None => 0,
        }
    }

    /// Ranks and what rests there, best first.
    pub fn iter(&self) -> Ranks<'_> {
        match self.top().checked_sub(1) {
            Some(best) => Ranks { ladder: self, from: best & !63, left: self.words[best / 64] },
            None => Ranks { ladder: self, from: 0, left: 0 },
        }
    }

    /// The same without the best one.
    #[inline]
    pub fn behind_best(&self) -> Ranks<'_> {
        let mut ranks = self.iter();
        if let Some(best) = self.top().checked_sub(1) {
            ranks.left &= !(1 << (best % 64));
        }
        ranks
    }
}

/// Ranks, and words of the bitmap, are counted in 16 bits.
const fn narrow(count: usize) -> u16 {
    assert!(count <= RANKS_MAX, "a dollar has 10,001 prices at most");
    count as u16
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
    /// The lowest rank of the word of the bitmap that `left` is of.
    from: usize,
    left: u64,
}

impl Iterator for Ranks<'_> {
    type Item = (usize, Qty);

    #[inline]
    fn next(&mut self) -> Option<(usize, Qty)> {
        while self.left == 0 {
            self.from = self.from.checked_sub(64)?;
            self.left = self.ladder.words[self.from / 64];
        }
        let bit = 63 - self.left.leading_zeros() as usize;
        self.left &= !(1 << bit);
        let rank = self.from | bit;
        Some((rank, self.ladder.qty(rank)))
    }
}

/// The levels that hold anything, best first; the number of ranks follows from the grid.
impl State for Ladder {
    fn save<W: PackSink>(&self, to: &mut W) {
        let Self { words, maps, ranks: _, top: _ } = self; // all of it is in the levels
        words[..usize::from(*maps)].iter().map(|word| word.count_ones()).sum::<u32>().pack(to);
        for (rank, qty) in self.iter() {
            narrow(rank).pack(to);
            qty.pack(to);
        }
    }
    fn load<S: PackSource>(&mut self, from: &mut S) -> Option<()> {
        for _ in 0..u32::unpack(from)? {
            let rank = usize::from(u16::unpack(from)?);
            let qty = Qty::unpack(from)?;
            if rank >= self.slots() || !self.qty(rank).is_zero() || qty.is_zero() {
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
        assert_eq!(ladder.behind_best().collect::<Vec<_>>(), [(3, qty(7))]);
        ladder.clear();
        assert_eq!((ladder.best(), ladder.qty(64), ladder.qty(3)), (None, Qty::ZERO, Qty::ZERO));
        assert_eq!((ladder.iter().next(), ladder.behind_best().next()), (None, None));
    }

    #[test]
    fn another_size_within_the_room_keeps_the_memory() {
        let mut ladder = Ladder::new(101, 1_001);
        let before = ladder.words.as_ptr();
        ladder.set(100, qty(1));
        ladder.reset(1_001);
        assert_eq!((ladder.words.as_ptr(), ladder.best()), (before, None));
        ladder.set(1_000, qty(1));
        assert_eq!(ladder.best(), Some((1_000, qty(1))));
    }
}
