//! Orders that left although the journal does not hold them: a crash may lose what was decided in the last moment
//! before it, and the wire log, written before the first byte leaves, still has it.

use super::Core;
use crate::group::{ADOPTED, Group, Leg, NO_GROUP};
use crate::ids::{Action, BasketId, GroupId, OrderId, OrderRef, Outcome};
use crate::note::{Alarm, Note};
use crate::order::{Order, OrderState, Purpose, Record};
use crate::outbox::Outbox;
use crate::units::{Nanos, Qty, Usd};

impl Core {
    /// Takes in an order of ours that the core does not know. It counts in full from here, and the run that begins then has the
    /// venue asked about it. It is its group's, which does nothing while the order's fate is open: whatever was sent for that group
    /// last, a hedge or a sale, is not sent again. Where the group itself was lost, one of the same number is made that
    /// wants nothing: what its orders bought stays if it is a whole basket, and is sold if not.
    ///
    /// Orders must be adopted in the order of their ids, and before a run begins.
    pub(super) fn on_adopt(&mut self, now: Nanos, order: &Order, out: &mut Outbox) {
        if self.orders.find(OrderRef::Id(order.id)).is_some() {
            return; // told twice
        }
        self.orders.begin_ids_at(order.id.get() + 1);
        let known = self.orders.has_room() && self.books.terms(order.market).is_some();
        if known && order.purpose.is_alone() {
            return self.adopt_alone(order, out);
        }
        let Some((slot, index)) = known.then(|| self.leg_for(now, order)).flatten() else {
            return self.alarm(Alarm::ForeignOrder, Some(order.market), Some(order.id), out);
        };
        let id = self.groups.at(slot).id;
        let purpose = match (order.action, index) {
            _ if order.group != NO_GROUP => order.purpose,
            (Action::Sell, _) => Purpose::Unwind,
            (Action::Buy, 0) => Purpose::Leg,
            (Action::Buy, _) => Purpose::Hedge,
        };
        let order = Order { group: id, purpose, ..*order };
        self.take_leg(now, slot, index, &order, out);
        let (cash, qty) = self.claim(&order, order.qty);
        self.reserve(order.market, cash);
        let record = Record::new(order, cash, qty, order.decided);
        self.orders.adopt(Record { state: OrderState::Unknown, ..record });
        out.note(Note::Adopted { order: order.id, group: id, purpose });
        self.note_order(order.id, out);
        self.note_group(slot, out);
    }

    /// An order that was sent for no group: it counts from here.
    fn adopt_alone(&mut self, order: &Order, out: &mut Outbox) {
        let order = Order { group: NO_GROUP, ..*order };
        let (cash, qty) = self.claim(&order, order.qty);
        self.reserve(order.market, cash);
        let record = Record::new(order, cash, qty, order.decided);
        self.orders.adopt(Record { state: OrderState::Unknown, ..record });
        out.note(Note::Adopted { order: order.id, group: NO_GROUP, purpose: order.purpose });
        self.note_order(order.id, out);
    }

    /// The order is its leg's order in flight; or one beside it, where the journal holds another whose end it lost.
    fn take_leg(&mut self, now: Nanos, slot: usize, index: usize, order: &Order, out: &mut Outbox) {
        let leg = &mut self.groups.at_mut(slot).legs_mut()[index];
        let hold = std::mem::replace(&mut leg.hold, Usd::ZERO);
        leg.tried = true;
        if order.action == Action::Buy {
            leg.price = order.price;
        }
        if leg.order.is_none() {
            leg.order = Some(order.id);
            leg.had = leg.bought;
        } else {
            self.groups.beside.push(order.id);
        }
        self.reserve(order.market, -hold);
        let corrects = order.action == Action::Sell || order.purpose.corrects();
        if order.group != NO_GROUP && corrects {
            // It was being unwound: what it did not hold by then it does not want any more.
            self.groups.at_mut(slot).give_up();
            self.begin_unwind(now, slot, out);
        }
    }

    /// Orders beside their legs' own that are over: what they brought or took is the leg's all the same. Returns whether
    /// the group has such orders in flight still.
    pub(super) fn settle_beside(&mut self, id: GroupId) -> bool {
        let (mut at, mut waits) = (0, false);
        while let Some(order) = self.groups.beside.get(at).copied() {
            match self.orders.find(OrderRef::Id(order)).copied() {
                Some(record) if record.order.group != id => at += 1,
                Some(record) if !record.is_over() => (at, waits) = (at + 1, true),
                Some(record) => {
                    self.groups.beside.swap_remove(at);
                    self.on_beside_over(&record);
                    let record = self.orders.find_mut(OrderRef::Id(order)).expect("just found");
                    record.told = record.known_filled();
                }
                None => {
                    self.groups.beside.swap_remove(at);
                }
            }
        }
        waits
    }

    fn on_beside_over(&mut self, record: &Record) {
        let Some(slot) = self.groups.position(record.order.group) else { return };
        // Its group has heard of a part where the order ended while it was found in no leg.
        let (order, got) = (&record.order, record.known_filled().saturating_sub(record.told));
        let group = self.groups.at_mut(slot);
        let is_it = |leg: &&mut Leg| leg.market == order.market && leg.outcome == order.outcome;
        let Some(leg) = group.legs_mut().iter_mut().find(is_it) else { return };
        match order.action {
            Action::Buy => {
                leg.bought += got;
                leg.had += got;
                // An order before it may have got nothing, and the target followed that one.
                group.target = group.target.max(group.matched());
            }
            Action::Sell => {
                leg.sold += got;
                group.target = group.target.min(group.matched());
            }
        }
    }

    /// What a group whose plan was lost keeps: complete units of a basket that pays for them, and nothing else.
    pub(super) fn settle_target(&mut self, slot: usize) {
        let group = self.groups.at(slot);
        if group.basket != ADOPTED || group.legs().iter().any(|leg| leg.order.is_some()) {
            return;
        }
        let Some(basket) = self.basket_of(group) else {
            self.groups.at_mut(slot).target = Qty::ZERO;
            return;
        };
        let (basket, group) = (self.baskets.get(basket), self.groups.at_mut(slot));
        for of in basket.into_iter().flat_map(|basket| basket.legs()) {
            let same = |leg: &&mut Leg| leg.market == of.market && leg.outcome == of.outcome;
            group.legs_mut().iter_mut().filter(same).for_each(|leg| leg.ratio = of.ratio);
        }
        group.target = group.matched();
    }

    /// The basket that has the legs of a group and no other: the first by its id.
    fn basket_of(&self, group: &Group) -> Option<BasketId> {
        let first = group.legs().first()?;
        let has_all = |(id, outcome): &(BasketId, Outcome)| {
            let legs = self.baskets.get(*id).map_or(&[][..], |basket| basket.legs());
            *outcome == first.outcome
                && legs.len() == group.legs().len()
                && legs.iter().all(|leg| {
                    let same =
                        |other: &Leg| other.market == leg.market && other.outcome == leg.outcome;
                    group.legs().iter().any(same)
                })
        };
        self.baskets.touching(first.market).filter(has_all).map(|(id, _)| id).min()
    }

    /// The leg that an order belongs to. `None` where there is no room.
    fn leg_for(&mut self, now: Nanos, order: &Order) -> Option<(usize, usize)> {
        if order.group == NO_GROUP {
            return self.owner(order).or_else(|| Some((self.group_of_one(now, order)?, 0)));
        }
        let slot = self
            .groups
            .position(order.group)
            .or_else(|| self.groups.reopen(now, order.group))
            .or_else(|| self.group_of_one(now, order))?;
        let group = self.groups.at(slot);
        let same = |leg: &Leg| leg.market == order.market && leg.outcome == order.outcome;
        if let Some(index) = group.legs().iter().position(same) {
            return Some((slot, index));
        }
        // One more leg of a group whose plan was lost; a plan that is known has them all.
        if group.basket != ADOPTED {
            return None;
        }
        let index = self.groups.add_leg(slot, leg_of(order))?;
        Some((slot, index))
    }

    /// A group around one order, where there is room: under the number of its group where that was lost, else under a new
    /// one. It wants nothing: what its order buys has no partner, unless others of the same group follow.
    fn group_of_one(&mut self, now: Nanos, order: &Order) -> Option<usize> {
        if !self.groups.has_room(1) {
            return None;
        }
        let mut legs = self.groups.take_room();
        legs.push(leg_of(order));
        // One below the next number has ended so long ago that it is forgotten.
        let is_lost = order.group != NO_GROUP && order.group >= self.groups.next_id();
        let id = if is_lost { order.group } else { self.groups.next_id() };
        let group = Group::new(id, ADOPTED, legs, now);
        Some(if is_lost { self.groups.push_lost(group) } else { self.groups.push(group) })
    }

    /// The group, and the leg of it, that would have sent this order next.
    fn owner(&self, order: &Order) -> Option<(usize, usize)> {
        let wanted = |group: &Group, leg: &Leg| {
            let same = leg.market == order.market && leg.outcome == order.outcome;
            same && leg.order.is_none()
                && match order.action {
                    Action::Buy => {
                        let terms = order.price <= leg.reach.max(leg.limit);
                        !leg.tried && terms && order.qty <= group.target.times(leg.ratio)
                    }
                    Action::Sell => order.qty <= leg.net(),
                }
        };
        self.groups.iter().enumerate().find_map(|(slot, group)| {
            let leg = group.legs().iter().position(|leg| wanted(group, leg))?;
            Some((slot, leg))
        })
    }

    /// Whether an order was ever placed or adopted here, or one with a later id.
    pub fn has_seen(&self, order: OrderId) -> bool {
        self.orders.has_seen(order)
    }
}

fn leg_of(order: &Order) -> Leg {
    Leg {
        market: order.market,
        venue: order.venue,
        outcome: order.outcome,
        limit: order.price,
        reach: order.price,
        ..Leg::NONE
    }
}
