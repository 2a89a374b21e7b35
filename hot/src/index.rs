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

    /// Names are hashes, or numbers that go up one by one, and in each run of the program from a number whose low bits are zero. Four
    /// of the latter stand side by side, each with an empty slot behind it: what comes next is in the cache most of the time, and a
    /// removal has little to move. Where the four stand depends on all the other bits: else the names of each run would lie on
    /// those of the run before, and after a few starts every probe would walk over all of them.
    const fn home(name: u64, mask: usize) -> usize {
        let four = (name >> 2).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        ((four as usize) << 3 | (name as usize & 3) << 1) & mask
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
    use crate::ids::OrderId;
    use std::collections::BTreeMap;

    /// How many slots are looked at until a name is found.
    fn looks(index: &Index, name: u64) -> usize {
        let mask = index.slots.len() - 1;
        (index.probe(name).wrapping_sub(Index::home(name, mask)) & mask) + 1
    }

    #[test]
    fn ids_of_many_runs_are_found_within_a_few_looks() {
        for (runs, each) in [(1, 5_000), (2, 2_500), (5, 1_000), (20, 250), (200, 25)] {
            let mut index = Index::with_capacity(5_120);
            let first = |run: u64| OrderId::first_at(1_795_197_660 + run * 977).get();
            let names = || (0..runs).flat_map(|run| (0..each).map(move |n| first(run) + n));
            names().for_each(|name| assert!(index.insert(name, 7)));
            let all: usize = names().map(|name| looks(&index, name)).sum();
            let most = names().chain([first(runs)]).map(|name| looks(&index, name)).max();
            assert!(all <= 3 * 5_000, "{runs} runs: {all} looks for 5,000 names");
            assert!(most <= Some(64), "{runs} runs: {most:?} looks for one name");
        }
    }

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
