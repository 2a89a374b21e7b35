//! The groups that have not ended, and the last ones that have.

use std::collections::VecDeque;

use super::ends::BasketEnd;
use super::{ADOPTED, BasketEnds, Group, Leg, Stop};
use crate::bounds::{
    GROUPS_ENDED_MAX, GROUPS_LIVE_MAX, LEGS_LIVE_MAX, LEGS_MAX, MARKETS_MAX, ORDERS_LIVE_MAX,
};
use crate::ids::{BasketId, GroupId, MarketId, OrderId};
use crate::ledger::Booking;
use crate::risk::LegRisks;
use crate::state::state_fields;
use crate::units::{Nanos, Usd};

/// Groups that have not ended, oldest first, and the last ones that have.
#[derive(Debug)]
pub struct Groups {
    live: Vec<Group>,
    ended: VecDeque<Group>,
    next: u32,
    /// Legs of all groups that have not ended.
    legs_live: usize,
    /// How many of them each market has.
    legs_in: Vec<u16>,
    /// Room for the legs of a group: one for each that may be alive, one that is asked about at the gate, and one more to
    /// plan with. The one given back last is taken first: it is still in the cache.
    rooms: Vec<Vec<Leg>>,
    /// Room for the legs of groups that have ended.
    ended_rooms: Vec<Vec<Leg>>,
    /// Adopted orders that stand beside the order in flight of their leg: their group waits for them too.
    pub(crate) beside: Vec<OrderId>,
    /// What the groups that ended say of legs that fail.
    leg_risks: LegRisks,
    /// How the baskets went that have ended.
    ends: BasketEnds,
}

const _: () = assert!(MARKETS_MAX * (u16::MAX as usize) <= u32::MAX as usize);

impl Groups {
    /// Allocates all it will ever need. The room for legs costs memory only once it is used.
    pub fn new() -> Self {
        let rooms = |count: usize| (0..count).map(|_| Vec::with_capacity(LEGS_MAX)).collect();
        Self {
            legs_live: 0,
            legs_in: vec![0; MARKETS_MAX],
            rooms: rooms(GROUPS_LIVE_MAX + 2),
            ended_rooms: rooms(GROUPS_ENDED_MAX),
            live: Vec::with_capacity(GROUPS_LIVE_MAX),
            ended: VecDeque::with_capacity(GROUPS_ENDED_MAX),
            next: 1,
            beside: Vec::with_capacity(ORDERS_LIVE_MAX),
            leg_risks: LegRisks::default(),
            ends: BasketEnds::default(),
        }
    }

    /// How often legs failed and what that lost, as the groups that ended show it.
    pub const fn leg_risks(&self) -> &LegRisks {
        &self.leg_risks
    }

    /// How the baskets went of which a leg had filled.
    pub const fn ends(&self) -> &BasketEnds {
        &self.ends
    }

    /// The same, to be changed.
    pub const fn ends_mut(&mut self) -> &mut BasketEnds {
        &mut self.ends
    }

    /// How often legs failed, as if groups had ended so.
    #[cfg(test)]
    pub fn leg_risks_mut(&mut self) -> &mut LegRisks {
        &mut self.leg_risks
    }

    /// Learns from a group that has ended how often legs fail and what that loses. One around an adopted order, or around contracts that
    /// were found alone, never was a basket, and one of which nothing filled says nothing. One that was opened again was counted when it first ended: from now on it
    /// counts as what it ended as last. If it held every leg then and had to give some up since, it failed.
    pub fn learn_from(&mut self, slot: usize) {
        let group = &self.live[slot];
        assert!(group.state.is_over(), "G2: a group is counted once it has ended");
        let is_empty = |leg: &Leg| leg.bought.is_zero() && leg.booked.is_zero();
        let is_nothing = group.counted.is_none() && group.legs().iter().all(is_empty);
        if group.basket == ADOPTED || group.stop != Stop::Off || is_nothing {
            return;
        }
        let end = BasketEnd {
            state: group.state,
            sold: group.legs().iter().any(|leg| !leg.sold.is_zero()),
            result: group.result(),
            one_leg: group.one_leg,
        };
        let before = group.counted;
        if before.is_some_and(|before| before.end.is_whole() && end.is_whole()) {
            return; // as long as it stood on one leg at first
        }
        if before.is_none_or(|before| before.end.is_whole()) {
            self.learn_failure(slot, before.is_some(), &end);
        }
        self.live[slot].counted = Some(self.ends.on_ended(before.as_ref(), end));
    }

    /// Learns from a group that has ended whether its legs failed. `again` says that it ended before with every leg held.
    fn learn_failure(&mut self, slot: usize, again: bool, end: &BasketEnd) {
        let group = &self.live[slot];
        // What was sold again has cost its share of what its leg was bought for, fees included.
        let bought = |leg: &&Leg| !leg.booked.is_zero();
        let cost = |leg: &Leg| leg.paid.share_ceil(leg.sold.min(leg.booked), leg.booked);
        let costs = group.legs().iter().filter(bought).map(cost);
        let sold: Usd = costs.fold(Usd::ZERO, |sum, cost| sum + cost);
        let venue = |leg: usize| group.legs[leg.min(group.legs.len() - 1)].venue;
        let risk = self.leg_risks.of_mut(venue(0), venue(1));
        if again {
            risk.take_hedged_back();
        }
        if end.is_whole() {
            risk.on_hedged();
        } else if sold > Usd::ZERO {
            risk.on_unwound(sold, -end.result);
        } else {
            risk.on_failed();
        }
    }

    /// Learns whether the first leg of a group got anything, which reached its venue: how often a leg fails that leaves at once. What is
    /// bought again leaves later, and one around an adopted order never was a basket.
    pub fn learn_first(&mut self, slot: usize, got: bool) {
        let group = &self.live[slot];
        let venue = |leg: usize| group.legs[leg.min(group.legs.len() - 1)].venue;
        if group.basket != ADOPTED && !group.reopened && group.again == 0 {
            self.leg_risks.of_mut(venue(0), venue(1)).on_first(got);
        }
    }

    /// Whether another one of so many legs fits.
    pub fn has_room(&self, legs: usize) -> bool {
        self.live.len() < GROUPS_LIVE_MAX && self.legs_live + legs <= LEGS_LIVE_MAX
    }

    /// Room for the legs of a group that may follow: to be pushed with the group, or given back.
    pub fn take_room(&mut self) -> Vec<Leg> {
        self.rooms.pop().expect("there is a room for every group, and one to plan with")
    }

    /// A group that was planned does not come to be.
    pub fn give_back(&mut self, mut room: Vec<Leg>) {
        room.clear();
        self.rooms.push(room);
    }

    /// The number of the next group.
    pub const fn next_id(&self) -> GroupId {
        GroupId::new(self.next)
    }

    /// Adds a group that carries [`Groups::next_id`]. Returns its slot.
    #[inline(always)] // so that the group is moved once
    pub fn push(&mut self, group: Group) -> usize {
        assert!(group.id == self.next_id(), "the number is checked before");
        self.next += 1;
        self.enter(group)
    }

    #[inline(always)] // see `push`
    fn enter(&mut self, group: Group) -> usize {
        assert!(self.has_room(group.legs().len()), "room is checked before");
        self.legs_live += group.legs().len();
        group.legs().iter().for_each(|leg| self.legs_in[leg.market.index()] += 1);
        self.live.push(group);
        self.live.len() - 1
    }

    /// Adds a group under the number that it had when a crash took it; later ones get higher numbers. Returns its slot.
    pub fn push_lost(&mut self, group: Group) -> usize {
        let id = group.id.get();
        assert!(id >= self.next, "the number is checked before");
        self.next = id + 1;
        self.enter(group)
    }

    /// Adds a leg to a group, where there is room for one more. Returns its number in the group.
    pub fn add_leg(&mut self, slot: usize, leg: Leg) -> Option<usize> {
        let legs = &mut self.live[slot].legs;
        if legs.len() == LEGS_MAX || self.legs_live == LEGS_LIVE_MAX {
            return None;
        }
        self.legs_live += 1;
        self.legs_in[leg.market.index()] += 1;
        legs.push(leg);
        Some(legs.len() - 1)
    }

    /// Where a group stands in the table.
    pub fn position(&self, id: GroupId) -> Option<usize> {
        self.live.iter().position(|group| group.id == id)
    }

    /// A fill of a group was booked: see [`Group::on_booked`]. Returns the group where it has ended and its result is another one now.
    pub fn on_booked(&mut self, id: GroupId, booking: &Booking) -> Option<&Group> {
        if let Some(slot) = self.position(id) {
            self.live[slot].on_booked(booking);
            return None;
        }
        let group = self.ended.iter_mut().rev().find(|group| group.id == id)?;
        let before = group.result();
        group.on_booked(booking);
        if group.result() == before {
            return None;
        }
        if let Some(counted) = group.counted {
            let end = BasketEnd { result: group.result(), ..counted.end };
            group.counted = Some(self.ends.on_ended(Some(&counted), end));
        }
        Some(group)
    }

    /// The group in a slot of the table.
    pub fn at(&self, slot: usize) -> &Group {
        &self.live[slot]
    }

    /// The group in a slot of the table, to be changed.
    pub fn at_mut(&mut self, slot: usize) -> &mut Group {
        &mut self.live[slot]
    }

    /// Puts a group that has ended aside; the oldest one there is forgotten when there are too many.
    ///
    /// # Panics
    /// If it has not ended, or an order of it is in flight.
    pub fn end(&mut self, slot: usize) {
        let group = &self.live[slot];
        assert!(group.state.is_over(), "G2: a group ends hedged, flat or with a person");
        assert!(
            group.legs().iter().all(|leg| leg.order.is_none()),
            "G3: a group ends without an order in flight"
        );
        self.legs_live -= group.legs().len();
        group.legs().iter().for_each(|leg| self.legs_in[leg.market.index()] -= 1);
        if self.ended.len() == GROUPS_ENDED_MAX
            && let Some(oldest) = self.ended.pop_front()
        {
            self.ended_rooms.push(oldest.legs);
        }
        let mut group = self.live.remove(slot);
        let room = self.ended_rooms.pop().expect("there is one for each that has ended");
        let live = move_legs(&mut group, room);
        self.give_back(live);
        self.ended.push_back(group);
    }

    /// Takes a group that has ended up again, under its own number. Returns its slot: `None` where it is
    /// forgotten, or where there is no room.
    pub fn reopen(&mut self, now: Nanos, id: GroupId) -> Option<usize> {
        let at = self.ended.iter().rposition(|group| group.id == id)?;
        if !self.has_room(self.ended[at].legs().len()) {
            return None;
        }
        let mut group = self.ended.remove(at).expect("just found");
        let room = self.take_room();
        let ended = move_legs(&mut group, room);
        self.ended_rooms.push(ended);
        group.reopen(now);
        Some(self.enter(group))
    }

    /// Whether a basket has a group that has not ended: the same opportunity is not taken twice.
    pub fn is_busy(&self, basket: BasketId) -> bool {
        self.live.iter().any(|group| group.basket == basket)
    }

    /// Whether a group that has not ended has a leg in a market.
    pub fn has_leg_in(&self, market: MarketId) -> bool {
        self.legs_in[market.index()] > 0
    }

    /// The counts of legs, and the room for them: each group that was loaded brought its own. `None` where there are more legs
    /// than there may be, or one in no market.
    fn rebuild(&mut self) -> Option<()> {
        for leg in self.live.iter().flat_map(Group::legs) {
            *self.legs_in.get_mut(leg.market.index())? += 1;
            self.legs_live += 1;
        }
        self.rooms.truncate(self.rooms.len().checked_sub(self.live.len())?);
        self.ended_rooms.truncate(self.ended_rooms.len().checked_sub(self.ended.len())?);
        (self.legs_live <= LEGS_LIVE_MAX).then_some(())
    }

    /// Checks the counts of legs against a walk over all groups that have not ended.
    ///
    /// # Panics
    /// Where they differ.
    pub fn check_counts(&self) {
        self.check_legs();
        // The markets with legs have the right counts: if those make up all legs, every other count is zero. The sum of so
        // many counts of two bytes fits into four, so that nothing has to look for an overflow.
        let all = self.legs_in.iter().fold(0_u32, |sum, &count| sum.wrapping_add(count.into()));
        assert_eq!(all as usize, self.legs_live, "a count of a market without a leg is not zero");
    }

    /// The part of [`Groups::check_counts`] that looks at nothing but the legs there are.
    ///
    /// # Panics
    /// Where a count differs.
    pub fn check_legs(&self) {
        let legs = || self.live.iter().flat_map(Group::legs);
        assert_eq!(self.legs_live, legs().count(), "legs of all groups");
        for market in legs().map(|leg| leg.market) {
            let count = usize::from(self.legs_in[market.index()]);
            let is_in = |leg: &&Leg| leg.market == market;
            assert_eq!(count, legs().filter(is_in).count(), "legs in {market:?}");
        }
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

/// Copies a group's legs to another room, which it keeps. Returns the one it had.
fn move_legs(group: &mut Group, mut to: Vec<Leg>) -> Vec<Leg> {
    to.clear();
    to.extend_from_slice(&group.legs);
    std::mem::replace(&mut group.legs, to)
}

impl Default for Groups {
    fn default() -> Self {
        Self::new()
    }
}

state_fields! {
    Groups {
        live: list(GROUPS_LIVE_MAX), ended: list(GROUPS_ENDED_MAX), next: value, legs_live: derived, legs_in: derived,
        rooms: derived, ended_rooms: derived, beside: list(ORDERS_LIVE_MAX), leg_risks: value, ends: value,
    } then rebuild
}
