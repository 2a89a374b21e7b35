//! Orders: on their way out, and when their answer is in.

use surefoot_hot::hash::Hash64;
use surefoot_hot::ids::OrderId;
use surefoot_hot::order::{Order, Purpose, Query};
use surefoot_hot::report::{Reject, Report, Unsent};
use surefoot_hot::risk::Approved;
use surefoot_hot::units::Nanos;

use super::codec::{RequestKind, VenueCodec, is_urgent};
use super::lane::{Leave, WriteResult};
use super::{Exec, ExecOptions, Job, PLACES_MAX, Slot};
use crate::net::{Meter, Stage};
use crate::venue::answer::Placed;
use crate::wirelog::{Ended, Record, Sent, VenueId};

/// Whether an order can leave.
enum Way {
    /// Over this connection, now.
    Open(usize),
    /// The order stays in the queue and is tried again in a later turn.
    Wait,
    /// The order is answered as not sent, for this reason.
    Closed(Unsent),
}

impl<W: VenueCodec, M: Meter> Exec<W, M> {
    /// Takes an order in: one that hedges or reduces ahead of those that open something.
    pub(super) fn push_place(&mut self, now: Nanos, order: Approved<Order>) {
        if self.places.len() == PLACES_MAX {
            return self.unsent(order.id, Unsent::Down);
        }
        let first = |waiting: &(Nanos, Approved<Order>)| !is_urgent(&waiting.1);
        let at = self.places.iter().position(first).filter(|_| is_urgent(&order));
        self.places.insert(at.unwrap_or(self.places.len()), (now, order));
    }

    pub(super) fn send_orders(&mut self, now: Nanos) -> u32 {
        let (mut sent, mut at) = (0, 0);
        while let Some((since, order)) = self.places.get(at).copied() {
            if self.out.is_waiting() {
                break; // the core must hear of each of them
            }
            match self.way(now, since, &order) {
                Way::Wait => {
                    at += 1;
                    continue;
                }
                Way::Open(slot) => self.place(now, &order, slot),
                Way::Closed(why) => self.unsent(order.id, why),
            }
            self.places.remove(at);
            sent += 1;
        }
        sent
    }

    /// Whether an order can leave now. One that hedges or reduces waits a moment for a way that is closed and is then
    /// told as not sent; one that opens something waits for nothing but a connection that is busy: its price is old.
    fn way(&mut self, now: Nanos, since: Nanos, order: &Approved<Order>) -> Way {
        if self.halt.read() != order.epoch {
            return Way::Closed(Unsent::Epoch);
        }
        if now > leave_by(&self.options, order) {
            return Way::Closed(Unsent::Old);
        }
        let (urgent, waited) = (is_urgent(order), now.since(since));
        let hold = |why, longest: Nanos| {
            if waited < longest { Way::Wait } else { Way::Closed(why) }
        };
        let urgent_max = if urgent { self.options.hold_max } else { Nanos::ZERO };
        let lane = |slot: &Slot| slot.orders && slot.lane.is_open();
        let Some(slot) = self.slots.iter().position(|slot| lane(slot) && slot.job.is_none()) else {
            let busy = self.slots.iter().any(lane);
            let longest = if busy { self.options.queue_wait_max } else { Nanos::ZERO };
            return hold(Unsent::Down, longest.max(urgent_max));
        };
        if now < self.pause_until {
            return hold(Unsent::Tokens, urgent_max);
        }
        if !self.breaker.admits(now, urgent) {
            return hold(Unsent::Breaker, urgent_max);
        }
        if !self.codec.admit(now, RequestKind::Place(order)) {
            self.breaker.withdraw();
            return hold(Unsent::Tokens, urgent_max);
        }
        Way::Open(slot)
    }

    /// Signs an order, writes it ahead and sends it over a connection that is free; its tokens are taken.
    fn place(&mut self, now: Nanos, order: &Approved<Order>, slot: usize) {
        self.request.clear();
        let Ok(id) = self.codec.place(now, order, &mut self.request) else {
            self.breaker.withdraw();
            return self.unsent(order.id, Unsent::Encode);
        };
        let signed = self.meter.now();
        self.meter.record(Stage::Sign, signed.since(order.decided));
        let payload = Hash64::of(self.request.as_bytes());
        let record = Record::Sent(Sent::of(order, now, payload, id));
        if self.log.append(&record).is_err() {
            self.stats.unlogged += 1;
            self.breaker.withdraw();
            return self.unsent(order.id, Unsent::WireLog);
        }
        if !id.is_none() {
            // after the wire log, which a restart reads, and before the socket, whose answer speaks of it
            self.ids.learn(order.id, id);
            self.report(Report::Bound { order: order.id, key: id.key() });
        }
        // The wire log may have waited for the disk, and the process may have been stopped anywhere since the decision.
        let by = leave_by(&self.options, order);
        let meter = &mut self.meter;
        let mut leave = Leave::new(&self.halt, order.epoch, by, || meter.now());
        let bytes = self.request.as_bytes();
        let wrote = self.slots[slot].lane.write_order(&mut leave, Some(bytes));
        let at = self.meter.now();
        match wrote {
            WriteResult::All | WriteResult::Part => {
                self.meter.record(Stage::Write, at.since(order.decided));
                self.stats.sent += 1;
                self.open.push(order.id);
                let part = wrote == WriteResult::Part;
                self.slots[slot].job = Some(Job::Place { order: **order, id, at, part });
                self.slots[slot].by = now.after(self.options.order_wait_max);
            }
            WriteResult::Stopped(why) => self.take_back(now, order.id, id, slot, why),
            WriteResult::Nothing => self.take_back(now, order.id, id, slot, Unsent::Down),
            WriteResult::Cut => {
                self.stats.sent += 1;
                self.open.push(order.id);
                self.cut(now, slot, "broke within an order");
                self.on_lost_order(now, order.id);
            }
        }
    }

    /// The order is in the wire log and no byte of it left: that is written there too. The connection holds encrypted bytes
    /// that must not follow, and goes.
    fn take_back(&mut self, now: Nanos, order: OrderId, id: VenueId, slot: usize, why: Unsent) {
        self.breaker.withdraw();
        self.cut(now, slot, "broke before an order left");
        self.log_end(now, order, Ended::Unsent, id);
        self.unsent(order, why);
    }

    pub(super) fn unsent(&mut self, order: OrderId, why: Unsent) {
        self.stats.unsent[why as usize] += 1;
        self.report(Report::Unsent { order, why });
    }

    /// Bytes left and no answer will come: nothing is known.
    pub(super) fn on_lost_order(&mut self, now: Nanos, order: OrderId) {
        self.stats.timed_out += 1;
        self.breaker.on_failure(now, false);
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
                self.turned_away = None;
                self.breaker.on_success();
                self.log_end(now, order.id, Ended::Taken, id);
            }
            Placed::Rejected(why) => {
                self.stats.rejected += 1;
                let of_the_market =
                    matches!(why, Reject::Killed | Reject::Crossed | Reject::Duplicate);
                self.stats.turned_away += u64::from(!of_the_market);
                // a venue that is away, or will not know us, is spared a storm of orders
                self.turned_away = why.is_of_venue().then_some((now, why));
                if why.is_of_venue() {
                    let turned_away = matches!(why, Reject::Auth | Reject::Blocked);
                    self.breaker.on_failure(now, turned_away);
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
                self.breaker.on_failure(now, false);
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

/// Until when an order may be handed to the kernel. One that opens something or tops a leftover up was decided on prices
/// that move; one that hedges or sells leaves however late it is: what stands alone loses more by waiting.
pub(super) fn leave_by(options: &ExecOptions, order: &Order) -> Nanos {
    let leaves_at_any_age = is_urgent(order) && order.purpose != Purpose::TopUp;
    if leaves_at_any_age { Nanos::NEVER } else { order.decided.after(options.open_age_max) }
}
