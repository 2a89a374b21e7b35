//! The venues' names for things, looked up without allocating or hashing maps.

use crate::hash::Hash64;

/// The longest name: a Polymarket token id has at most 78 digits, a Kalshi ticker fewer.
pub const SYMBOL_BYTES_MAX: usize = 80;

/// A table from a name to a small number.
///
/// Open addressing with linear probing over a power of two at most half full, so a lookup ends; a name that is removed leaves no
/// gap that a lookup would have to step over.
#[derive(Clone, Debug)]
pub struct SymbolTable {
    slots: Vec<Slot>,
    used: usize,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    hash: u64,
    value: u32,
    len: u8,
    name: [u8; SYMBOL_BYTES_MAX],
}

const EMPTY: Slot = Slot { hash: 0, value: 0, len: 0, name: [0; SYMBOL_BYTES_MAX] };

/// Why a name could not be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SymbolError {
    /// Empty, or longer than [`SYMBOL_BYTES_MAX`].
    Length,
    /// The table holds as many as it was made for.
    Full,
    /// The name is there with another number.
    Taken,
}

impl SymbolTable {
    /// Room for `capacity` names.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { slots: vec![EMPTY; (capacity.max(4) * 2).next_power_of_two()], used: 0 }
    }

    /// Adds a name. The same name with the same number is fine.
    ///
    /// # Errors
    /// See [`SymbolError`].
    pub fn insert(&mut self, name: &[u8], value: u32) -> Result<(), SymbolError> {
        if name.is_empty() || name.len() > SYMBOL_BYTES_MAX {
            return Err(SymbolError::Length);
        }
        let hash = key(name);
        let index = self.probe(hash, name);
        if self.slots[index].len > 0 {
            return if self.slots[index].value == value { Ok(()) } else { Err(SymbolError::Taken) };
        }
        if (self.used + 1) * 2 > self.slots.len() {
            return Err(SymbolError::Full);
        }
        let slot = &mut self.slots[index];
        slot.hash = hash;
        slot.value = value;
        slot.len = u8::try_from(name.len()).expect("checked above");
        slot.name[..name.len()].copy_from_slice(name);
        self.used += 1;
        Ok(())
    }

    /// The number of a name.
    pub fn find(&self, name: &[u8]) -> Option<u32> {
        if name.is_empty() || name.len() > SYMBOL_BYTES_MAX {
            return None;
        }
        let slot = &self.slots[self.probe(key(name), name)];
        (slot.len > 0).then_some(slot.value)
    }

    /// Forgets a name. Returns whether it was there.
    pub fn remove(&mut self, name: &[u8]) -> bool {
        if self.find(name).is_none() {
            return false;
        }
        let mask = self.slots.len() - 1;
        let mut hole = self.probe(key(name), name);
        self.slots[hole] = EMPTY;
        self.used -= 1;
        let mut next = (hole + 1) & mask;
        while self.slots[next].len > 0 {
            let home = self.slots[next].hash as usize & mask;
            // An entry may move into the hole only if its home is not between the hole and where it stands.
            if (next.wrapping_sub(home) & mask) >= (next.wrapping_sub(hole) & mask) {
                self.slots[hole] = self.slots[next];
                self.slots[next] = EMPTY;
                hole = next;
            }
            next = (next + 1) & mask;
        }
        true
    }

    /// How many names there are.
    pub const fn len(&self) -> usize {
        self.used
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// The slot that holds `name`, or the empty one where it would go.
    fn probe(&self, hash: u64, name: &[u8]) -> usize {
        let mask = self.slots.len() - 1;
        let mut index = hash as usize & mask;
        loop {
            let slot = &self.slots[index];
            if slot.len == 0 || (slot.hash == hash && &slot.name[..usize::from(slot.len)] == name) {
                return index;
            }
            index = (index + 1) & mask;
        }
    }
}

/// Where a name's search begins: from its length, its first word and its last two. Token ids are digests and tickers
/// differ at the end, so the rest would tell no more; what is found is compared whole.
#[inline]
fn key(name: &[u8]) -> u64 {
    let word = |bytes: Option<&[u8; 8]>| bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let mut hash = Hash64::new();
    match name.split_last_chunk::<8>() {
        None => hash.bytes(name),
        Some((rest, last)) => {
            hash.word(name.len() as u64);
            hash.word(word(name.first_chunk()));
            hash.word(word(rest.last_chunk()));
            hash.word(word(Some(last)));
        }
    }
    hash.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_put_in_and_nothing_else() {
        let mut table = SymbolTable::with_capacity(100);
        for n in 0..100_u32 {
            table.insert(format!("KXTEST-{n}").as_bytes(), n).unwrap();
        }
        for n in 0..100_u32 {
            assert_eq!(table.find(format!("KXTEST-{n}").as_bytes()), Some(n));
        }
        assert_eq!(table.find(b"KXTEST-100"), None);
        assert_eq!(table.find(b""), None);
        assert_eq!(table.insert(b"KXTEST-7", 7), Ok(()));
        assert_eq!(table.insert(b"KXTEST-7", 8), Err(SymbolError::Taken));
        assert_eq!(table.insert(&[b'x'; 81], 8), Err(SymbolError::Length));
    }

    #[test]
    fn names_that_come_and_go_are_found_as_in_a_sorted_map() {
        let (mut table, mut model) =
            (SymbolTable::with_capacity(64), std::collections::BTreeMap::new());
        let mut seed = 1_u64;
        for _ in 0..100_000 {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let name = format!("KX-{}", (seed >> 33) % 60);
            let value = (seed >> 50) as u32;
            if seed >> 63 == 0 {
                if let std::collections::btree_map::Entry::Vacant(place) = model.entry(name) {
                    table.insert(place.key().as_bytes(), value).unwrap();
                    place.insert(value);
                }
            } else {
                assert_eq!(table.remove(name.as_bytes()), model.remove(&name).is_some());
            }
            assert_eq!(table.len(), model.len());
        }
        for name in (0..60).map(|n| format!("KX-{n}")) {
            assert_eq!(table.find(name.as_bytes()), model.get(&name).copied());
        }
    }
}
