//! The groups that have not ended, and the last ones that have.

use std::collections::VecDeque;

use super::{ADOPTED, Group, GroupState, Leg};
use crate::bounds::{GROUPS_ENDED_MAX, GROUPS_LIVE_MAX, ORDERS_LIVE_MAX};
use crate::ids::{BasketId, GroupId, OrderId};
use crate::risk::LegRisk;
use crate::state::state_fields;
use crate::units::{Nanos, Usd};

/// Groups that have not ended, oldest first, and the last ones that have.
#[derive(Debug)]
pub struct Groups {
    live: Vec<Group>,
    ended: VecDeque<Group>,
    next: u32,
    /// Adopted orders that stand beside the order in flight of their leg: their group waits for them too.
    pub(crate) beside: Vec<OrderId>,
    /// What the groups that ended say of legs that fail.
    leg_risk: LegRisk,
}

impl Groups {
    /// Allocates all it will ever need.
    pub fn new() -> Self {
        Self {
            live: Vec::with_capacity(GROUPS_LIVE_MAX),
            ended: VecDeque::with_capacity(GROUPS_ENDED_MAX),
            next: 1,
            beside: Vec::with_capacity(ORDERS_LIVE_MAX),
            leg_risk: LegRisk::default(),
        }
    }

    /// How often legs failed and what that lost, as the groups that ended show it.
    pub const fn leg_risk(&self) -> &LegRisk {
        &self.leg_risk
    }

    /// Learns from a group that has ended how often legs fail and what that loses. One around an adopted order never was a
    /// basket, and one that was opened again was counted when it first ended.
    pub fn learn_from(&mut self, group: &Group) {
        assert!(group.state.is_over(), "G2: a group is counted once it has ended");
        if group.basket == ADOPTED || group.reopened {
            return;
        }
        let cost = |leg: &Leg| leg.limit.cost_ceil(leg.sold);
        let sold: Usd = group.legs().iter().map(cost).fold(Usd::ZERO, |sum, cost| sum + cost);
        match group.state {
            GroupState::Operator => self.leg_risk.on_failed(),
            _ if sold > Usd::ZERO => self.leg_risk.on_unwound(sold, -group.result),
            GroupState::Hedged => self.leg_risk.on_hedged(),
            _ => self.leg_risk.on_failed(),
        }
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

    /// Adds a group under the number that it had when a crash took it; later ones get higher numbers. Returns its place.
    pub fn push_lost(&mut self, group: Group) -> usize {
        let id = group.id.get();
        assert!(self.has_room() && id >= self.next, "room and number are checked before");
        self.next = id + 1;
        self.live.push(group);
        self.live.len() - 1
    }

    /// Where a group stands in the table.
    pub fn position(&self, id: GroupId) -> Option<usize> {
        self.live.iter().position(|group| group.id == id)
    }

    /// The group at a place of the table.
    pub fn at(&self, place: usize) -> &Group {
        &self.live[place]
    }

    /// The group at a place of the table, to be changed.
    pub fn at_mut(&mut self, place: usize) -> &mut Group {
        &mut self.live[place]
    }

    /// Puts a group that has ended aside; the oldest one there is forgotten when there are too many.
    ///
    /// # Panics
    /// If it has not ended, or an order of it is in flight.
    pub fn end(&mut self, place: usize) {
        let group = &self.live[place];
        assert!(group.state.is_over(), "G2: a group ends hedged, flat or with a person");
        assert!(
            group.legs().iter().all(|leg| leg.order.is_none()),
            "G3: a group ends without an order in flight"
        );
        if self.ended.len() == GROUPS_ENDED_MAX {
            self.ended.pop_front();
        }
        self.ended.push_back(self.live.remove(place));
    }

    /// Takes a group that has ended up again, under its own number. Returns its place: `None` where it is
    /// forgotten, or where there is no room.
    pub fn reopen(&mut self, now: Nanos, id: GroupId) -> Option<usize> {
        let at = self.ended.iter().rposition(|group| group.id == id).filter(|_| self.has_room())?;
        let mut group = self.ended.remove(at).expect("just found");
        group.reopen(now);
        self.live.push(group);
        Some(self.live.len() - 1)
    }

    /// Whether a basket has a group that has not ended: the same opportunity is not taken twice.
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

state_fields! {
    Groups {
        live: list(GROUPS_LIVE_MAX), ended: list(GROUPS_ENDED_MAX), next: value, beside: list(ORDERS_LIVE_MAX),
        leg_risk: value,
    }
}
