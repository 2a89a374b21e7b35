//! The groups that have not ended.

use super::Group;
use crate::ids::{BasketId, GroupId};
use crate::limits::GROUPS_LIVE_MAX;

/// Groups that have not ended, oldest first.
#[derive(Debug)]
pub struct Groups {
    live: Vec<Group>,
    next: u32,
}

impl Groups {
    /// Allocates all it will ever need.
    pub fn new() -> Self {
        Self { live: Vec::with_capacity(GROUPS_LIVE_MAX), next: 1 }
    }

    /// Whether another one fits.
    pub fn has_room(&self) -> bool {
        self.live.len() < GROUPS_LIVE_MAX
    }

    /// The number of the next group.
    pub const fn next_id(&self) -> GroupId {
        GroupId::new(self.next)
    }

    /// Adds a group that carries [`Groups::next_id`]. Returns its place.
    pub fn push(&mut self, group: Group) -> usize {
        assert!(
            self.has_room() && group.id == self.next_id(),
            "room and number are checked before"
        );
        self.next += 1;
        self.live.push(group);
        self.live.len() - 1
    }

    /// Where a group stands in the table.
    pub fn position(&self, id: GroupId) -> Option<usize> {
        self.live.iter().position(|group| group.id == id)
    }

    /// By place.
    pub fn at(&self, place: usize) -> &Group {
        &self.live[place]
    }

    /// By place, to be changed.
    pub fn at_mut(&mut self, place: usize) -> &mut Group {
        &mut self.live[place]
    }

    /// Forgets a group that has ended.
    pub fn remove(&mut self, place: usize) {
        self.live.remove(place);
    }

    /// Whether a basket has a group that has not ended: the same edge is not shot twice.
    pub fn is_busy(&self, basket: BasketId) -> bool {
        self.live.iter().any(|group| group.basket == basket)
    }

    /// All of them, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Group> {
        self.live.iter()
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.live.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.live.is_empty()
    }
}

impl Default for Groups {
    fn default() -> Self {
        Self::new()
    }
}
