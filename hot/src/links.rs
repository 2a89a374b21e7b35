//! The market links of a venue by number: a venue that limits what one connection may carry is read over several.

use std::fmt;

use crate::bounds::MARKET_LINKS_MAX;
use crate::pack::{Pack, PackSink, PackSource, pack_fields};

const WORDS: usize = MARKET_LINKS_MAX / 64;
const _: () = assert!(WORDS * 64 == MARKET_LINKS_MAX, "a link set has one bit a link");
const _: () = assert!(MARKET_LINKS_MAX <= u8::MAX as usize, "a link's number is a byte");

/// Which of a venue's market links, from 0 and below [`MARKET_LINKS_MAX`]. Private links and order links are one a venue:
/// theirs is always 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkNumber(u8);

impl LinkNumber {
    /// The link of a venue that needs only one, and the number of private and order links.
    pub const FIRST: Self = Self(0);

    /// From its number; `None` from [`MARKET_LINKS_MAX`] on.
    pub const fn new(number: usize) -> Option<Self> {
        if number < MARKET_LINKS_MAX { Some(Self(number as u8)) } else { None }
    }

    /// The number as the journal and people have it, below [`MARKET_LINKS_MAX`].
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Its number as an index, below [`MARKET_LINKS_MAX`].
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for LinkNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl Pack for LinkNumber {
    fn pack<W: PackSink>(&self, to: &mut W) {
        self.0.pack(to);
    }
    fn unpack<S: PackSource>(from: &mut S) -> Option<Self> {
        from.below(MARKET_LINKS_MAX as u8).map(Self)
    }
}

/// Some of a venue's market links.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkSet {
    /// Numbers 0 to 63, lowest bit first.
    low: u64,
    /// Numbers 64 to 127, lowest bit first.
    high: u64,
}

pack_fields! {
    LinkSet { low, high }
}

impl LinkSet {
    /// A set without a link.
    pub const NONE: Self = Self { low: 0, high: 0 };

    /// The set of this one link.
    pub const fn only(number: LinkNumber) -> Self {
        let bit = 1 << (number.0 % 64);
        if number.0 < 64 { Self { low: bit, high: 0 } } else { Self { low: 0, high: bit } }
    }

    /// Puts a link in; one that is in stays in once.
    pub const fn insert(&mut self, number: LinkNumber) {
        let one = Self::only(number);
        *self = Self { low: self.low | one.low, high: self.high | one.high };
    }

    /// Takes a link out, if it is in.
    pub const fn remove(&mut self, number: LinkNumber) {
        let one = Self::only(number);
        *self = Self { low: self.low & !one.low, high: self.high & !one.high };
    }

    /// Whether the link is in the set.
    pub const fn contains(self, number: LinkNumber) -> bool {
        let one = Self::only(number);
        self.low & one.low | self.high & one.high != 0
    }

    /// Whether the set has no link.
    pub const fn is_empty(self) -> bool {
        self.low | self.high == 0
    }

    /// The links of the set, by rising number.
    pub fn iter(self) -> impl Iterator<Item = LinkNumber> {
        let mut words = [self.low, self.high];
        std::iter::from_fn(move || {
            let word = words.iter().position(|&word| word != 0)?;
            let bit = words[word].trailing_zeros();
            words[word] &= words[word] - 1;
            Some(LinkNumber(word as u8 * 64 + bit as u8))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in_and_tells_it_in_order() {
        let numbers = [0, 1, 63, 64, 100, 127].map(|number| LinkNumber::new(number).unwrap());
        let mut set = LinkSet::NONE;
        for number in numbers.into_iter().rev() {
            assert!(!set.contains(number));
            set.insert(number);
            assert!(set.contains(number));
        }
        assert!(set.iter().eq(numbers));
        for number in numbers {
            set.remove(number);
            assert!(!set.contains(number) && LinkSet::only(number).iter().eq([number]));
        }
        assert!(set.is_empty() && set.iter().next().is_none());
        assert_eq!(LinkNumber::new(MARKET_LINKS_MAX), None);
    }
}
