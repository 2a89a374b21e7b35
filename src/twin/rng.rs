//! A seeded generator for the twin's worlds: the same seed gives the same day, on every machine.

/// SplitMix64: one word of state, passes the usual batteries, and needs no crate. Not for keys.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// From a seed; every seed is fine, zero too.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// An independent stream for one purpose, so that drawing more for one thing does not move the others.
    #[must_use]
    pub const fn fork(&self, purpose: u64) -> Self {
        let mut child = Self(self.0 ^ purpose.wrapping_mul(0xd134_2543_de82_ef95));
        child.word();
        child
    }

    /// The next 64 bits.
    pub const fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in `0..bound`; zero where `bound` is zero. The bias of at most `bound / 2^64` is of no account.
    pub const fn below(&mut self, bound: u64) -> u64 {
        ((self.word() as u128 * bound as u128) >> 64) as u64
    }

    /// Uniform in `low..=high`.
    pub const fn range(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// True in `num` of `den` draws.
    pub const fn chance(&mut self, num: u64, den: u64) -> bool {
        self.below(den) < num
    }

    /// One of a slice, which must not be empty.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[usize::try_from(self.below(from.len() as u64)).expect("below a length")]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_stay_in_bounds_and_reach_every_value() {
        let mut rng = Rng::new(0);
        let mut seen = [0_u32; 6];
        for _ in 0..6_000 {
            seen[usize::try_from(rng.range(10, 15) - 10).unwrap()] += 1;
        }
        assert!(seen.iter().all(|&n| (800..1_200).contains(&n)), "{seen:?}");
        assert_eq!(rng.below(0), 0);
    }

    #[test]
    fn forks_differ_and_repeat() {
        let root = Rng::new(7);
        let draw = |mut rng: Rng| [rng.word(), rng.word()];
        assert_eq!(draw(root.fork(1)), draw(root.fork(1)));
        assert_ne!(draw(root.fork(1)), draw(root.fork(2)));
    }
}
