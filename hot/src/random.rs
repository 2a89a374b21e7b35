//! Numbers from a seed, for tests that draw their cases.

use crate::units::Nanos;

/// Xorshift of 64 bits. The same state gives the same numbers; a state of zero gives zeros alone.
#[derive(Debug)]
pub(crate) struct Rng(pub u64);

impl Rng {
    /// Seeds that are next to each other give numbers that are not.
    pub const fn from_seed(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `bound`, which is not zero.
    pub const fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }

    /// `true` in so many of a hundred cases.
    pub const fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    pub fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }

    /// A time of up to so many milliseconds.
    pub const fn millis(&mut self, most: u64) -> Nanos {
        Nanos::from_millis(self.below(most + 1))
    }
}
