//! A fixed table from a 64-bit name to a slot, for names that come and go.

/// Open addressing with linear probing and backward-shift deletion: no tombstones, no growth, no order that
/// depends on history. At most half full, so every probe ends.
#[derive(Clone, Debug)]
pub struct Index {
    slots: Vec<(u64, u32)>,
    used: usize,
    capacity: usize,
}

const EMPTY: u32 = u32::MAX;

impl Index {
    /// Room for `capacity` names.
    pub fn with_capacity(capacity: usize) -> Self {
        let slots = (capacity.max(4) * 2).next_power_of_two();
        Self { slots: vec![(0, EMPTY); slots], used: 0, capacity }
    }

    /// The slot of a name.
    pub fn find(&self, name: u64) -> Option<u32> {
        let (_, value) = self.slots[self.probe(name)];
        (value != EMPTY).then_some(value)
    }

    /// Names a slot, or renames it. Returns whether there was room.
    pub fn insert(&mut self, name: u64, value: u32) -> bool {
        assert!(value != EMPTY, "slots are numbered from zero and few");
        let index = self.probe(name);
        if self.slots[index].1 == EMPTY {
            if self.used == self.capacity {
                return false;
            }
            self.used += 1;
        }
        self.slots[index] = (name, value);
        true
    }

    /// Forgets a name.
    pub fn remove(&mut self, name: u64) {
        let mask = self.slots.len() - 1;
        let mut hole = self.probe(name);
        if self.slots[hole].1 == EMPTY {
            return;
        }
        self.used -= 1;
        self.slots[hole].1 = EMPTY;
        let mut next = (hole + 1) & mask;
        while self.slots[next].1 != EMPTY {
            let home = Self::home(self.slots[next].0, mask);
            // An entry may move into the hole only if its home is not between the hole and where it stands.
            if (next.wrapping_sub(home) & mask) >= (next.wrapping_sub(hole) & mask) {
                self.slots[hole] = self.slots[next];
                self.slots[next].1 = EMPTY;
                hole = next;
            }
            next = (next + 1) & mask;
        }
    }

    /// How many names there are.
    pub const fn len(&self) -> usize {
        self.used
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// Names are hashes, or numbers that go up one by one. The latter stand side by side, each with an empty slot behind it: what
    /// comes next is in the cache, and a removal has nothing to move.
    const fn home(name: u64, mask: usize) -> usize {
        name.rotate_left(1) as usize & mask
    }

    fn probe(&self, name: u64) -> usize {
        let mask = self.slots.len() - 1;
        let mut index = Self::home(name, mask);
        while self.slots[index].1 != EMPTY && self.slots[index].0 != name {
            index = (index + 1) & mask;
        }
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn agrees_with_a_sorted_map() {
        let (mut index, mut model) = (Index::with_capacity(64), BTreeMap::new());
        let mut seed = 1_u64;
        for _ in 0..200_000 {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let (name, value) = ((seed >> 33) % 97, (seed >> 50) as u32);
            if seed >> 63 == 0 {
                let fits = model.len() < 64 || model.contains_key(&name);
                assert_eq!(index.insert(name, value), fits);
                if fits {
                    model.insert(name, value);
                }
            } else {
                index.remove(name);
                model.remove(&name);
            }
            assert_eq!(index.len(), model.len());
            for name in 0..97 {
                assert_eq!(index.find(name), model.get(&name).copied());
            }
        }
    }
}
