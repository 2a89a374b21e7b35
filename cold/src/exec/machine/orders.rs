//! Orders: on their way out, and when their answer is in.

use surefoot_hot::canary::{self, Canary};
use surefoot_hot::hash::Hash64;
use surefoot_hot::ids::{OrderId, OrderRef};
use surefoot_hot::order::{Order, Purpose, Query};
use surefoot_hot::report::{Reject, Report, Unsent};
use surefoot_hot::risk::Approved;
use surefoot_hot::units::Nanos;

use super::lanes::{Job, LaneRole, LaneState, LeaveTerms, WriteResult, Written};
use super::{Machine, PLACES_MAX, VenueCodec, WriteAhead};
use crate::exec::answer::Placed;
use crate::exec::codec::{RequestKind, is_urgent};
use crate::wirelog::{Ended, Record, Sent, VenueId};

/// Whether an order can leave.
pub(super) enum Way {
    /// Over this connection, now.
    Open(usize),
    /// The order stays in the queue and is tried again in a later turn.
    Wait,
    /// The order is answered as not sent, for this reason.
    Closed(Unsent),
}

impl<C: VenueCodec, L: WriteAhead> Machine<C, L> {
    /// Takes an order in: one that hedges or reduces ahead of those that open something.
    pub(super) fn push_place(&mut self, now: Nanos, order: Approved<Order>) {
        if self.places.len() == PLACES_MAX {
            return self.unsent(order.id, Unsent::Down);
        }
        let first = |waiting: &(Nanos, Approved<Order>)| !is_urgent(&waiting.1);
        let at = self.places.iter().position(first).filter(|_| is_urgent(&order));
        self.places.insert(at.unwrap_or(self.places.len()), (now, order));
    }

    /// Hands out the first order that can leave; refuses those before it that cannot any more.
    pub(super) fn next_order(&mut self, now: Nanos, mut signed: impl FnMut(&Order)) -> bool {
        self.tick(now);
        let mut at = 0;
        while let Some((since, order)) = self.places.get(at).copied() {
            if !self.has_room() {
                break; // the core must hear of each of them
            }
            match self.way(now, since, &order) {
                Way::Wait => {
                    at += 1;
                    continue;
                }
                Way::Open(lane) => {
                    self.places.remove(at);
                    if self.prepare(now, &order, lane, &mut signed) {
                        return true;
                    }
                }
                Way::Closed(why) => {
                    self.places.remove(at);
                    self.unsent(order.id, why);
                }
            }
        }
        false
    }

    fn way(&mut self, now: Nanos, since: Nanos, order: &Approved<Order>) -> Way {
        let terms = self.leave_terms(order);
        self.way_for(now, since, terms, is_urgent(order), RequestKind::Place(order))
    }

    /// Whether an order, or a change of one, can leave now. One that hedges or reduces waits a moment for a way that is
    /// closed and is then told as not sent; one that opens something waits for nothing but a connection that is busy: its
    /// price is old.
    pub(super) fn way_for(
        &mut self,
        now: Nanos,
        since: Nanos,
        terms: LeaveTerms,
        urgent: bool,
        what: RequestKind<'_>,
    ) -> Way {
        if self.halt.read() != terms.epoch {
            return Way::Closed(Unsent::Epoch);
        }
        if now > terms.by {
            return Way::Closed(Unsent::Old);
        }
        let waited = now.since(since);
        let hold = |why, longest: Nanos| {
            if waited < longest { Way::Wait } else { Way::Closed(why) }
        };
        let urgent_max = if urgent { self.options.hold_max } else { Nanos::ZERO };
        let open = |lane: &LaneState| lane.role == LaneRole::Orders && lane.open;
        let Some(lane) = self.lanes.iter().position(|lane| open(lane) && lane.is_free()) else {
            let busy = self.lanes.iter().any(open);
            let longest = if busy { self.options.queue_wait_max } else { Nanos::ZERO };
            return hold(Unsent::Down, longest.max(urgent_max));
        };
        if let Some((market, post_only)) = what.order()
            && !self.modes.takes(self.codec.shard_of(market), post_only)
        {
            return hold(Unsent::Mode, urgent_max);
        }
        if now < self.pause_until {
            return hold(Unsent::Tokens, urgent_max);
        }
        if !self.breaker.admits(now, urgent) {
            return hold(Unsent::Breaker, urgent_max);
        }
        if !self.codec.admit(now, what) {
            self.breaker.withdraw();
            return hold(Unsent::Tokens, urgent_max);
        }
        Way::Open(lane)
    }

    /// Signs an order and writes it ahead (O8); its tokens are taken. Returns whether it was handed out: if not, it was refused.
    fn prepare(
        &mut self,
        now: Nanos,
        order: &Approved<Order>,
        lane: usize,
        signed: &mut impl FnMut(&Order),
    ) -> bool {
        self.request.clear();
        let Ok(id) = self.codec.place(now, order, &mut self.request) else {
            self.breaker.withdraw();
            self.unsent(order.id, Unsent::Encode);
            return false;
        };
        signed(order);
        let payload = Hash64::of(self.request.as_bytes());
        let record = Record::Sent(Sent::of(order, now, payload, id));
        if !canary::is(Canary::NotWrittenAhead) && self.log.append(&record).is_err() {
            self.stats.unlogged += 1;
            self.breaker.withdraw();
            self.unsent(order.id, Unsent::WireLog);
            return false;
        }
        if !id.is_none() {
            // after the log, which a restart reads, and before the socket, whose answer speaks of it
            self.ids.learn(order.id, id);
            self.report(Report::Bound { order: order.id, key: id.key() });
        }
        let job = Job::Place { order: **order, id, written: Written::Not };
        self.hand_out(lane, job, now.after(self.options.order_wait_max));
        true
    }

    /// What an order must still meet when its bytes go. One that opens something or tops a leftover up was decided on prices
    /// that move; one that hedges or sells leaves however late it is: what stands alone loses more by waiting.
    pub(super) fn leave_terms(&self, order: &Order) -> LeaveTerms {
        let at_any_age = is_urgent(order) && order.purpose != Purpose::TopUp;
        let by =
            if at_any_age { Nanos::NEVER } else { order.decided.after(self.options.open_age_max) };
        LeaveTerms { epoch: order.epoch, by, decided: order.decided }
    }

    /// How the bytes of the order on `lane`, or of a change of one, went.
    pub(super) fn on_wrote_order(&mut self, now: Nanos, lane: usize, result: WriteResult) {
        let (order, id, written, is_new) = match &mut self.lanes[lane].job {
            Some(Job::Place { order, id, written }) => (order.id, *id, written, true),
            Some(Job::Amend { amend, id, written }) => (amend.order, *id, written, false),
            Some(
                Job::Cancel { .. } | Job::CancelAll | Job::Ask(_) | Job::Heartbeat | Job::Warm,
            )
            | None => unreachable!("the caller has looked"),
        };
        let before = *written;
        match result {
            WriteResult::All => *written = Written::All,
            WriteResult::Part => *written = Written::Part,
            WriteResult::Stopped(_) | WriteResult::Nothing | WriteResult::Cut => {}
        }
        assert!(before != Written::All, "all of it had left");
        let left = before == Written::Part;
        let leaves = matches!(result, WriteResult::All | WriteResult::Part | WriteResult::Cut);
        if !left && leaves && is_new {
            self.stats.sent += 1;
            self.open.push(order);
        }
        match result {
            WriteResult::All | WriteResult::Part => {}
            WriteResult::Stopped(_) | WriteResult::Nothing if !left && !is_new => {
                self.take_amend_back(order, lane);
            }
            WriteResult::Stopped(why) if !left => self.take_back(now, order, id, lane, why),
            WriteResult::Nothing if !left => self.take_back(now, order, id, lane, Unsent::Down),
            WriteResult::Stopped(_) | WriteResult::Nothing | WriteResult::Cut => {
                self.lanes[lane].job = None;
                self.cut(lane, "broke within an order");
                self.on_lost_order(now, order);
            }
        }
    }

    /// The order is in the log and no byte of it left: that is written there too. The connection holds encrypted bytes that
    /// must not follow, and goes.
    fn take_back(&mut self, now: Nanos, order: OrderId, id: VenueId, lane: usize, why: Unsent) {
        self.lanes[lane].job = None;
        self.breaker.withdraw();
        self.cut(lane, "broke before an order left");
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
        if canary::is(Canary::SilenceIsRefusal) {
            return self
                .report(Report::Rejected { order: OrderRef::Id(order), why: Reject::Other });
        }
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
                if !order.post_only {
                    self.modes.on_taken(self.codec.shard_of(order.market));
                }
                self.log_end(now, order.id, Ended::Taken, id);
            }
            Placed::Rejected(why) => {
                self.stats.rejected += 1;
                let of_the_market =
                    matches!(why, Reject::Killed | Reject::Crossed | Reject::Duplicate);
                self.stats.turned_away += u64::from(!of_the_market);
                self.on_refused(now, why);
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
