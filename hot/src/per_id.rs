//! One value for each id, in memory that is used as ids come into use.

use std::ops::{Index, IndexMut};

/// One value for each id below a bound.
///
/// Ids are given out from zero on, and a run uses far fewer than the bounds allow. The room for all of them is allocated
/// once; a value is written there when its id, or a higher one, is first changed. Until then it reads as the value that
/// all begin with. So memory and the time to start follow what is configured, and nothing allocates later.
#[derive(Clone, Debug)]
pub struct PerId<T> {
    /// Values of the ids below some number.
    used: Vec<T>,
    /// The value of every id beyond.
    first: T,
    bound: usize,
}

impl<T: Clone> PerId<T> {
    /// The same value for every id below `bound`.
    pub fn new(bound: usize, first: T) -> Self {
        Self { used: Vec::with_capacity(bound), first, bound }
    }

    /// The values of the ids up to the highest one that was ever changed, by rising id.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.used.iter()
    }

    /// As [`PerId::iter`], to be changed.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, T> {
        self.used.iter_mut()
    }

    /// How many ids those are.
    pub const fn len(&self) -> usize {
        self.used.len()
    }

    /// Whether no value was ever changed.
    pub const fn is_empty(&self) -> bool {
        self.used.is_empty()
    }

    /// The value of an id; `None` beyond the bound.
    #[inline]
    pub fn get(&self, id: usize) -> Option<&T> {
        match self.used.get(id) {
            Some(value) => Some(value),
            None if id < self.bound => Some(&self.first),
            None => None,
        }
    }

    /// The value of the lowest id; `None` where the bound is zero.
    pub fn first(&self) -> Option<&T> {
        self.get(0)
    }

    /// Becomes equal to one of the same bound, in the memory it has.
    pub fn copy_from(&mut self, other: &Self) {
        assert!(self.bound == other.bound, "only what has the same ids is copied");
        self.used.clear();
        self.used.extend_from_slice(&other.used);
        self.first.clone_from(&other.first);
    }

    #[cold]
    fn grow(&mut self, id: usize) {
        assert!(id < self.bound, "an id is below its bound");
        self.used.resize(id + 1, self.first.clone());
    }
}

impl<T> Index<usize> for PerId<T> {
    type Output = T;

    #[inline]
    fn index(&self, id: usize) -> &T {
        match self.used.get(id) {
            Some(value) => value,
            None => {
                assert!(id < self.bound, "an id is below its bound");
                &self.first
            }
        }
    }
}

impl<T: Clone> IndexMut<usize> for PerId<T> {
    #[inline]
    fn index_mut(&mut self, id: usize) -> &mut T {
        if id >= self.used.len() {
            self.grow(id);
        }
        &mut self.used[id]
    }
}

/// Two are equal if every id has the same value, however far each has come into use.
impl<T: PartialEq> PartialEq for PerId<T> {
    fn eq(&self, other: &Self) -> bool {
        let used = self.used.len().max(other.used.len());
        self.bound == other.bound
            && self.first == other.first
            && (0..used).all(|id| self[id] == other[id])
    }
}

impl<T: Eq> Eq for PerId<T> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_has_a_value_and_the_memory_stays_where_it_is() {
        let mut per_id = PerId::new(1_000, 7_u32);
        assert_eq!((per_id[999], per_id.get(999), per_id.get(1_000)), (7, Some(&7), None));
        assert!(per_id.is_empty());
        let room = per_id.used.as_ptr();
        per_id[3] = 1;
        per_id[999] += 1;
        assert_eq!((per_id[0], per_id[3], per_id[998], per_id[999]), (7, 1, 7, 8));
        assert_eq!((per_id.len(), per_id.used.as_ptr()), (1_000, room));
        assert_eq!(per_id.iter().filter(|value| **value != 7).count(), 2);
    }

    #[test]
    fn what_was_written_and_what_was_not_are_equal_where_they_read_the_same() {
        let (mut one, mut other) = (PerId::new(10, 0_u8), PerId::new(10, 0_u8));
        one[5] = 0;
        assert_eq!(one, other);
        one[6] = 1;
        assert_ne!(one, other);
        other.copy_from(&one);
        assert_eq!(one, other);
        one.iter_mut().for_each(|value| *value = 2);
        assert_ne!(one, other);
    }

    #[test]
    #[should_panic(expected = "below its bound")]
    fn beyond_the_bound_there_is_nothing() {
        let per_id = PerId::new(10, 0_u8);
        let _ = per_id[10];
    }
}
