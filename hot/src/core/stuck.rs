//! Groups that do not end: a person is told, and what they may be waiting for is asked for anew.
//!
//! A group waits for an answer about an order, for a price, or for a venue. Each of these is asked for ever more slowly, or only once,
//! because mostly it comes by itself; where it has not come for long, the question or its answer may have been lost.

use super::Core;
use super::control::RESYNC_EVERY;
use crate::group::Leg;
use crate::ids::OrderRef;
use crate::intent::Intent;
use crate::note::Alarm;
use crate::order::Pace;
use crate::outbox::Outbox;
use crate::units::Nanos;

/// How long a group may be unfinished before it is looked after, and how often it is from then on.
const STUCK_AFTER: Nanos = Nanos::from_secs(30);

impl Core {
    /// Looks after a group that has not ended within [`STUCK_AFTER`], once in that time: the venues are asked at once about each of its
    /// orders, what rests unwanted is cancelled once more, the books of what it has to sell are fetched anew, and what it put off is
    /// tried now. None of this opens anything or lowers a price. The alarm is raised the first time.
    pub(super) fn look_after(&mut self, now: Nanos, slot: usize, out: &mut Outbox) {
        let group = self.groups.at_mut(slot);
        if now.since(group.started) <= STUCK_AFTER || now < group.next_look {
            return;
        }
        group.next_look = now.after(STUCK_AFTER);
        group.try_now(now);
        if !std::mem::replace(&mut group.alarmed, true) {
            self.alarm_group(Alarm::GroupStuck, slot, out);
        }
        for index in 0..self.groups.at(slot).legs().len() {
            let group = self.groups.at(slot);
            let (leg, wanted) = (group.legs[index], group.target.times(group.legs[index].ratio));
            match leg.order {
                Some(id) => {
                    if let Some(record) = self.orders.find_mut(OrderRef::Id(id)) {
                        (record.queries, record.cancels) = (Pace::NEW, Pace::NEW);
                    }
                    self.query(now, id, out);
                }
                None if leg.net() > wanted => self.fetch_book(now, &leg, out),
                None => {}
            }
        }
    }

    /// The book of a leg that is to be sold and has not been for long: what we have of it may be wrong.
    fn fetch_book(&mut self, now: Nanos, leg: &Leg, out: &mut Outbox) {
        let asked = &mut self.resync_asked[leg.market.index()];
        if now.since(*asked) >= RESYNC_EVERY {
            *asked = now;
            out.send(Intent::Resync { market: leg.market });
        }
    }
}
