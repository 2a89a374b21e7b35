//! Orders that left although the journal does not hold them: a crash may lose what was decided in the last moment
//! before it, and the wire log, written before the first byte leaves, still has it.

use super::Core;
use crate::group::{ADOPTED, Group, Leg};
use crate::ids::{Action, OrderId};
use crate::intent::{Order, Purpose};
use crate::limits::LEGS_MAX;
use crate::note::{Alarm, Note, OrderState};
use crate::order::Record;
use crate::outbox::Outbox;
use crate::report::OrderRef;
use crate::units::{Nanos, Usd};

impl Core {
    /// Takes in an order of ours that the core does not know. It counts in full from here and the venue is asked
    /// about it. Where a group was about to send just this order, it is that group's; else it is in a group of
    /// its own that wants nothing, so that whatever it bought is sold again.
    pub(super) fn on_adopt(&mut self, now: Nanos, order: &Order, out: &mut Outbox) {
        if self.orders.find(OrderRef::Id(order.id)).is_some() {
            return; // told twice
        }
        self.next_order = self.next_order.max(order.id.get() + 1);
        let owner = self.owner(order);
        let room = self.orders.has_room() && (owner.is_some() || self.groups.has_room());
        if !room || self.books.terms(order.market).is_none() {
            return self.alarm(Alarm::ForeignOrder, Some(order.market), Some(order.id), out);
        }
        let (place, index) = match owner {
            Some(found) => found,
            None => {
                self.groups.push(self.group_of_one(now, order));
                (self.groups.len() - 1, 0)
            }
        };
        let group = self.groups.at_mut(place);
        let id = group.id;
        let leg = &mut group.legs_mut()[index];
        let hold = std::mem::replace(&mut leg.hold, Usd::ZERO);
        leg.order = Some(order.id);
        leg.had = leg.bought;
        if order.action == Action::Buy {
            leg.price = order.price;
        }
        leg.tried = true;
        let purpose = match (order.action, index) {
            (Action::Sell, _) => Purpose::Unwind,
            (Action::Buy, 0) => Purpose::Leg,
            (Action::Buy, _) => Purpose::Hedge,
        };
        let order = Order { group: id, purpose, ..*order };
        self.reserve(order.market, -hold);
        let (cash, qty) = self.claim(&order, order.qty);
        self.reserve(order.market, cash);
        let record = Record::new(order, cash, qty, order.decided);
        self.orders.insert(Record { state: OrderState::Unknown, ..record });
        out.note(Note::Adopted { order: order.id, group: id, purpose });
        self.note_order(order.id, out);
        self.note_group(place, out);
        self.query(now, order.id, out);
    }

    /// The group, and the leg of it, that would have sent this order next.
    fn owner(&self, order: &Order) -> Option<(usize, usize)> {
        let wanted = |group: &Group, leg: &Leg| {
            let same = leg.market == order.market && leg.outcome == order.outcome;
            same && leg.order.is_none()
                && match order.action {
                    Action::Buy => {
                        let terms = order.price <= leg.reach.max(leg.limit);
                        !leg.tried && terms && order.qty <= group.target
                    }
                    Action::Sell => order.qty <= leg.net(),
                }
        };
        self.groups.iter().enumerate().find_map(|(place, group)| {
            let leg = group.legs().iter().position(|leg| wanted(group, leg))?;
            Some((place, leg))
        })
    }

    /// Wants nothing: what its order buys has no partner.
    fn group_of_one(&self, now: Nanos, order: &Order) -> Group {
        let mut legs = [Leg::NONE; LEGS_MAX];
        legs[0] = Leg {
            market: order.market,
            venue: order.venue,
            outcome: order.outcome,
            limit: order.price,
            reach: order.price,
            ..Leg::NONE
        };
        Group::new(self.groups.next_id(), ADOPTED, legs, 1, now)
    }

    /// Whether an order was ever placed or adopted here, or one with a later id.
    pub fn has_seen(&self, order: OrderId) -> bool {
        order.get() < self.next_order
    }
}
