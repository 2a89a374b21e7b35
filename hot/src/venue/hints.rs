//! A guess at which slot a name has.

use crate::hash::Hash64;

/// How many places there are for each name: of eight names one or two share a place, and are then looked up elsewhere.
const PLACES: usize = 8;

/// For each name the slot that it most likely has, found by its last eight bytes. A guess costs a load or two and is wrong where
/// names share a place, or where a name is not known at all: whoever asks compares the name itself.
#[derive(Debug)]
pub(super) struct Hints {
    slots: Vec<u16>,
}

impl Hints {
    /// For so many names.
    pub(super) fn with_capacity(names: usize) -> Self {
        Self { slots: vec![0; (names.max(1) * PLACES).next_power_of_two()] }
    }

    /// A name has this slot from now on.
    pub(super) fn note(&mut self, name: &[u8], slot: u16) {
        if let Some(last) = name.last_chunk() {
            let place = self.place(*last);
            self.slots[place] = slot;
        }
    }

    /// The slot of a name that ends like this.
    #[inline(always)]
    pub(super) fn guess(&self, last: [u8; 8]) -> u16 {
        self.slots[self.place(last)]
    }

    #[inline(always)]
    fn place(&self, last: [u8; 8]) -> usize {
        let mut hash = Hash64::new();
        hash.word(u64::from_le_bytes(last));
        hash.get() as usize & (self.slots.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_names_are_guessed() {
        let mut hints = Hints::with_capacity(100);
        let name = |nth: u16| {
            format!("KXSAMPLE-26NOV20-T{}.{:02}", 70_000 + u32::from(nth) * 250, nth % 7)
        };
        for nth in 0..100 {
            hints.note(name(nth).as_bytes(), nth);
        }
        hints.note(b"short", 7); // is in no place
        let guess = |nth| hints.guess(*name(nth).as_bytes().last_chunk().unwrap());
        let right = (0..100).filter(|&nth| guess(nth) == nth).count();
        assert!((80..=100).contains(&right), "{right}");
    }
}
