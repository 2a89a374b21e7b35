//! A set of small numbers that is walked by what is in it, not by what could be.

use crate::pack::{Arbitrary, Pack, PackSink, PackSource};
use crate::state::State;

/// Numbers from zero to a bound, each of them in the set or not.
///
/// Two levels of bits: one bit a number, and above them one bit for every word of 64 numbers that is not empty. To add a
/// number, to remove one and to ask for one is a few instructions; the next number in the set is found by looking at
/// one bit for each 64 that are not. Allocates once, when it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdSet {
    /// Bit `n % 64` of word `n / 64`: `n` is in the set.
    words: Vec<u64>,
    /// Bit `w % 64` of word `w / 64`: word `w` of `words` is not zero.
    summary: Vec<u64>,
    len: usize,
}

impl IdSet {
    /// Empty, for the numbers below `bound`.
    pub fn new(bound: usize) -> Self {
        let words = bound.div_ceil(64);
        Self { words: vec![0; words], summary: vec![0; words.div_ceil(64)], len: 0 }
    }

    /// Adds a number. Returns whether it is new.
    ///
    /// # Panics
    /// If it is not below the bound, rounded up to a whole word.
    #[inline]
    pub fn insert(&mut self, number: usize) -> bool {
        let (at, bit) = (number / 64, 1_u64 << (number % 64));
        let word = &mut self.words[at];
        let is_new = *word & bit == 0;
        *word |= bit;
        self.summary[at / 64] |= 1 << (at % 64);
        self.len += usize::from(is_new);
        is_new
    }

    /// Removes a number. Returns whether it was in the set.
    ///
    /// # Panics
    /// If it is not below the bound, rounded up to a whole word.
    #[inline]
    pub fn remove(&mut self, number: usize) -> bool {
        let (at, bit) = (number / 64, 1_u64 << (number % 64));
        let word = &mut self.words[at];
        let was_in = *word & bit != 0;
        *word &= !bit;
        if *word == 0 {
            self.summary[at / 64] &= !(1 << (at % 64));
        }
        self.len -= usize::from(was_in);
        was_in
    }

    /// Adds a number or removes it.
    #[inline]
    pub fn set(&mut self, number: usize, is_in: bool) {
        if is_in {
            self.insert(number);
        } else {
            self.remove(number);
        }
    }

    /// Whether a number is in the set; none beyond the bound is.
    #[inline]
    pub fn contains(&self, number: usize) -> bool {
        self.words.get(number / 64).is_some_and(|word| word & (1 << (number % 64)) != 0)
    }

    /// How many numbers are in the set.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether the set is empty.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The lowest number in the set that is not below `from`.
    #[inline]
    pub fn next(&self, from: usize) -> Option<usize> {
        if self.len == 0 {
            return None;
        }
        let at = from / 64;
        let rest = self.words.get(at)? & (u64::MAX << (from % 64));
        if rest != 0 {
            return Some(at * 64 + rest.trailing_zeros() as usize);
        }
        let at = self.next_word(at + 1)?;
        Some(at * 64 + self.words[at].trailing_zeros() as usize)
    }

    /// The first word from `from` on that is not zero.
    fn next_word(&self, from: usize) -> Option<usize> {
        let mut at = from / 64;
        let mut bits = self.summary.get(at)? & (u64::MAX << (from % 64));
        while bits == 0 {
            at += 1;
            bits = *self.summary.get(at)?;
        }
        Some(at * 64 + bits.trailing_zeros() as usize)
    }

    /// Takes the lowest number out of the set.
    #[inline]
    pub fn pop(&mut self) -> Option<usize> {
        let lowest = self.next(0)?;
        self.remove(lowest);
        Some(lowest)
    }

    /// The numbers in the set, by rising number.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        let mut from = 0;
        std::iter::from_fn(move || {
            let number = self.next(from)?;
            from = number + 1;
            Some(number)
        })
    }

    /// Becomes equal to a set of the same bound, in the memory it has.
    pub fn copy_from(&mut self, other: &Self) {
        self.words.copy_from_slice(&other.words);
        self.summary.copy_from_slice(&other.summary);
        self.len = other.len;
    }

    /// Empties the set.
    pub fn clear(&mut self) {
        while self.pop().is_some() {}
    }
}

/// How many numbers are in it, and these by rising order.
impl State for IdSet {
    fn save<W: PackSink>(&self, to: &mut W) {
        let Self { words: _, summary: _, len } = self; // all of it is in the numbers
        u32::try_from(*len).expect("sets are bounded").pack(to);
        for number in self.iter() {
            u32::try_from(number).expect("sets are bounded").pack(to);
        }
    }
    fn load<S: PackSource>(&mut self, from: &mut S) -> Option<()> {
        for _ in 0..u32::unpack(from)? {
            let number = usize::try_from(u32::unpack(from)?).ok()?;
            if number / 64 >= self.words.len() || !self.insert(number) {
                return None;
            }
        }
        Some(())
    }
    fn sketch<W: PackSink>(&self, _: &mut Arbitrary, to: &mut W) {
        u32::MAX.pack(to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn agrees_with_a_sorted_set() {
        const BOUND: usize = 9_000;
        let (mut set, mut model) = (IdSet::new(BOUND), BTreeSet::new());
        let mut seed = 1_u64;
        for turn in 0..100_000_u32 {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            // Most numbers fall close together, so that words fill and empty; some are anywhere, the last one included.
            let number = match (seed >> 20) % 8 {
                0 => BOUND - 1,
                1 | 2 => (seed >> 33) as usize % BOUND,
                _ => 4_000 + (seed >> 33) as usize % 200,
            };
            match seed >> 61 {
                0..4 => assert_eq!(set.insert(number), model.insert(number)),
                4..7 => assert_eq!(set.remove(number), model.remove(&number)),
                _ => assert_eq!(set.pop(), model.pop_first()),
            }
            assert_eq!((set.len(), set.is_empty()), (model.len(), model.is_empty()));
            assert_eq!(set.contains(number), model.contains(&number));
            assert_eq!(set.next(number), model.range(number..).next().copied());
            if turn % 1_000 == 0 {
                assert!(set.iter().eq(model.iter().copied()));
            }
        }
        let mut copy = IdSet::new(BOUND);
        copy.insert(17);
        copy.copy_from(&set);
        assert_eq!(copy, set);
        assert!(!set.contains(BOUND * 2) && set.next(BOUND * 2).is_none());
        set.clear();
        assert_eq!(set, IdSet::new(BOUND), "an empty set has one form");
    }
}
