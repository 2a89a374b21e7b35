//! Orders: on their way out, and when their answer is in.

use surefoot_hot::hash::Hash64;
use surefoot_hot::ids::OrderId;
use surefoot_hot::intent::{Order, Query};
use surefoot_hot::report::{Reject, Report, Unsent};
use surefoot_hot::risk::Approved;
use surefoot_hot::units::Nanos;

use super::lane::Wrote;
use super::words::{What, Words};
use super::{Exec, Job};
use crate::net::{Meter, Stage};
use crate::venue::answer::Placed;
use crate::wirelog::{Ended, Record, Sent, VenueId};

impl<W: Words, M: Meter> Exec<W, M> {
    pub(super) fn send_orders(&mut self, now: Nanos) -> u32 {
        let mut sent = 0;
        while let Some((since, order)) = self.places.front().copied() {
            if self.out.is_waiting() {
                break; // the core must hear of each of them
            }
            let stopped = self.halt.read() != order.epoch;
            let free =
                self.slots.iter().position(|s| s.orders && s.job.is_none() && s.lane.is_open());
            let may_wait = self.slots.iter().any(|s| s.orders && s.lane.is_open())
                && now.since(since) < self.options.queue_wait_max;
            if !stopped && free.is_none() && may_wait {
                break;
            }
            self.places.pop_front();
            sent += 1;
            match free {
                _ if stopped => self.unsent(order.id, Unsent::Epoch),
                None => self.unsent(order.id, Unsent::Down),
                Some(slot) => self.place(now, &order, slot),
            }
        }
        sent
    }

    pub(super) fn place(&mut self, now: Nanos, order: &Approved<Order>, slot: usize) {
        if now < self.pause_until {
            return self.unsent(order.id, Unsent::Tokens);
        }
        if !self.breaker.admits(now) {
            return self.unsent(order.id, Unsent::Breaker);
        }
        if !self.words.admit(now, What::Place(order)) {
            self.breaker.withdraw();
            return self.unsent(order.id, Unsent::Tokens);
        }
        self.request.clear();
        let Ok(id) = self.words.place(now, order, &mut self.request) else {
            self.breaker.withdraw();
            return self.unsent(order.id, Unsent::Encode);
        };
        let signed = self.meter.now();
        self.meter.record(Stage::Sign, signed.since(order.decided));
        if !id.is_none() {
            self.ids.learn(order.id, id);
            self.report(Report::Bound { order: order.id, key: id.key() });
        }
        let payload = Hash64::of(self.request.as_bytes());
        let record = Record::Sent(Sent::of(order, now, payload, id));
        if self.log.append(&record).is_err() {
            self.stats.unlogged += 1;
            self.breaker.withdraw();
            return self.unsent(order.id, Unsent::WireLog);
        }
        let bytes = self.request.as_bytes();
        let wrote = self.slots[slot].lane.write_order(&self.halt, order.epoch, Some(bytes));
        let at = self.meter.now();
        match wrote {
            Wrote::All | Wrote::Part => {
                self.meter.record(Stage::Write, at.since(order.decided));
                self.stats.sent += 1;
                self.open.push(order.id);
                let part = wrote == Wrote::Part;
                self.slots[slot].job = Some(Job::Place { order: **order, id, at, part });
                self.slots[slot].by = now.after(self.options.order_wait_max);
            }
            Wrote::Stopped | Wrote::Nothing => {
                self.breaker.withdraw();
                self.cut(now, slot, "broke before an order left");
                self.log_end(now, order.id, Ended::Unsent, id);
                let stopped = wrote == Wrote::Stopped;
                self.unsent(order.id, if stopped { Unsent::Epoch } else { Unsent::Down });
            }
            Wrote::Cut => {
                self.stats.sent += 1;
                self.open.push(order.id);
                self.cut(now, slot, "broke within an order");
                self.on_lost_order(now, order.id);
            }
        }
    }

    pub(super) fn unsent(&mut self, order: OrderId, why: Unsent) {
        self.stats.unsent[why as usize] += 1;
        self.report(Report::Unsent { order, why });
    }

    /// Bytes left and no answer will come: nothing is known.
    pub(super) fn on_lost_order(&mut self, now: Nanos, order: OrderId) {
        self.stats.timed_out += 1;
        self.breaker.on_failure(now);
        self.report(Report::TimedOut { order });
    }

    pub(super) fn on_placed(&mut self, now: Nanos, order: &Order, id: VenueId, placed: Placed) {
        if !id.is_none() && self.ids.find(order.id) != Some(id) {
            self.ids.learn(order.id, id);
            self.report(Report::Bound { order: order.id, key: id.key() });
        }
        match placed {
            Placed::Status { .. } => {
                self.stats.taken += 1;
                self.breaker.on_success();
                self.log_end(now, order.id, Ended::Taken, id);
            }
            Placed::Rejected(why) => {
                self.stats.rejected += 1;
                let of_the_market =
                    matches!(why, Reject::Killed | Reject::Crossed | Reject::Duplicate);
                self.stats.turned_away += u64::from(!of_the_market);
                // a venue that is away, or will not know us, is spared a storm of orders
                if why.is_of_venue() {
                    self.breaker.on_failure(now);
                } else {
                    self.breaker.on_success();
                }
                self.log_end(now, order.id, Ended::Rejected, id);
            }
            Placed::Exists => {
                self.stats.timed_out += 1;
                self.breaker.on_success();
            }
            Placed::Unknown => {
                self.stats.timed_out += 1;
                self.breaker.on_failure(now);
            }
        }
        let (report, ask) = placed.report(order.id);
        self.report(report);
        if ask {
            let Order { id: order, market, venue, .. } = *order;
            let key = (!id.is_none()).then(|| id.key());
            self.push_query(now, Query { order, key, market, venue });
        }
    }
}
