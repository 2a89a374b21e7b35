//! What is still to happen, in the order in which it happens.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use surefoot_hot::units::Nanos;

/// Things that happen at a time. Of two at the same time the one that was put in first comes first, so that the order
/// depends on nothing but the calls.
#[derive(Debug)]
pub struct Queue<T> {
    heap: BinaryHeap<Reverse<Entry<T>>>,
    /// Things put in so far.
    count: u64,
}

#[derive(Debug)]
struct Entry<T> {
    at: Nanos,
    number: u64,
    what: T,
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl<T> Eq for Entry<T> {}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

impl<T> Queue<T> {
    /// Nothing is to happen.
    pub const fn new() -> Self {
        Self { heap: BinaryHeap::new(), count: 0 }
    }

    /// `what` happens at `at`.
    pub fn push(&mut self, at: Nanos, what: T) {
        self.heap.push(Reverse(Entry { at, number: self.count, what }));
        self.count += 1;
    }

    /// When the next thing happens; [`Nanos::NEVER`] where nothing is left.
    pub fn next_at(&self) -> Nanos {
        self.heap.peek().map_or(Nanos::NEVER, |Reverse(entry)| entry.at)
    }

    /// The next thing, if its time has come.
    pub fn pop_due(&mut self, now: Nanos) -> Option<T> {
        if self.next_at() > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| entry.what)
    }

    /// How many things are still to happen.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether nothing is.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_come_by_time_and_then_in_the_order_they_were_put_in() {
        let mut queue = Queue::new();
        for (at, what) in [(5, 'c'), (3, 'a'), (5, 'd'), (4, 'b')] {
            queue.push(Nanos::new(at), what);
        }
        assert_eq!((queue.next_at(), queue.pop_due(Nanos::new(2))), (Nanos::new(3), None));
        let all: String = std::iter::from_fn(|| queue.pop_due(Nanos::new(9))).collect();
        assert_eq!(all, "abcd");
        assert!(queue.is_empty() && queue.next_at() == Nanos::NEVER);
    }
}
