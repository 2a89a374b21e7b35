//! One 64-bit hash for decisions, state and the journal's chain.
//!
//! Every step is a bijection of the running value for a given word and of the word for a given running value,
//! so two inputs of equal length that differ in exactly one word always differ in the result: a single flipped
//! bit is always seen. It is not a defence against an adversary who can rewrite the file.

use crate::pack::pack_newtypes;

/// A running hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hash64(u64);

impl Hash64 {
    /// The hash of nothing.
    pub const fn new() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }

    /// Continues from a value that [`Hash64::get`] gave.
    pub const fn resume(value: u64) -> Self {
        Self(value)
    }

    /// Takes in one word.
    pub const fn word(&mut self, word: u64) {
        let mut x = self.0.rotate_left(23) ^ word;
        x = x.wrapping_mul(0xd6e8_feb8_6659_fd93);
        x ^= x >> 32;
        x = x.wrapping_mul(0xd6e8_feb8_6659_fd93);
        x ^= x >> 29;
        self.0 = x;
    }

    /// Takes in bytes, eight at a time, the last ones padded with zeros; then their number.
    pub fn bytes(&mut self, bytes: &[u8]) {
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            self.word(u64::from_le_bytes(chunk.try_into().expect("chunks of eight")));
        }
        let rest = chunks.remainder();
        if !rest.is_empty() {
            let mut last = [0; 8];
            last[..rest.len()].copy_from_slice(rest);
            self.word(u64::from_le_bytes(last));
        }
        self.word(bytes.len() as u64);
    }

    /// The value so far.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The hash of one byte string.
    pub fn of(bytes: &[u8]) -> u64 {
        let mut hash = Self::new();
        hash.bytes(bytes);
        hash.get()
    }
}

impl Default for Hash64 {
    fn default() -> Self {
        Self::new()
    }
}

pack_newtypes!(Hash64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_single_bit_flip_changes_the_hash() {
        let mut bytes = [7_u8; 80];
        let before = Hash64::of(&bytes);
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(Hash64::of(&bytes), before, "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }
}
