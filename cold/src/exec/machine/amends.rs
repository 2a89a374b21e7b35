//! Changes of orders in place: on their way out, and when their answer is in.
//!
//! A change takes the way of an order: halt epoch, age, a connection for orders, breaker, tokens, and the log before the
//! socket. Whatever keeps it from leaving, the order rests on as it is, and the core hears that.

use surefoot_hot::hash::Hash64;
use surefoot_hot::ids::{OrderId, OrderRef};
use surefoot_hot::order::{Amend, Query};
use surefoot_hot::report::{OrderStatus, Report};
use surefoot_hot::risk::Approved;
use surefoot_hot::units::Nanos;

use super::lanes::{Job, LeaveTerms, Written};
use super::orders::Way;
use super::{Machine, PLACES_MAX, VenueCodec, WriteAhead};
use crate::exec::answer::Amended;
use crate::exec::codec::RequestKind;
use crate::wirelog::{Record, SentAmend, VenueId};

impl<C: VenueCodec, L: WriteAhead> Machine<C, L> {
    /// Takes a change in.
    pub(super) fn push_amend(&mut self, now: Nanos, amend: Approved<Amend>) {
        if self.amends.len() == PLACES_MAX || self.ids.find(amend.order).is_none() {
            return self.not_amended(amend.order); // without the venue's id there is nothing to ask for
        }
        self.amends.push_back((now, amend));
    }

    /// The order is to be cancelled: a change of it that still waits is dropped.
    pub(super) fn drop_amend(&mut self, order: OrderId) {
        if let Some(at) = self.amends.iter().position(|(_, amend)| amend.order == order) {
            self.amends.remove(at);
            self.not_amended(order);
        }
    }

    fn not_amended(&mut self, order: OrderId) {
        self.report(Report::AmendRefused { order: OrderRef::Id(order) });
    }

    /// Hands out the first change that can leave; refuses those before it that cannot any more.
    pub(super) fn next_amend(&mut self, now: Nanos) -> bool {
        self.tick(now);
        let mut at = 0;
        while let Some((since, amend)) = self.amends.get(at).copied() {
            if !self.has_room() {
                break;
            }
            let (terms, urgent) = (self.amend_leaves(&amend), !amend.purpose.opens());
            match self.way_for(now, since, terms, urgent, RequestKind::Amend(&amend)) {
                Way::Wait => at += 1,
                Way::Open(lane) => {
                    self.amends.remove(at);
                    if self.prepare_amend(now, &amend, lane) {
                        return true;
                    }
                }
                Way::Closed(_) => {
                    self.amends.remove(at);
                    self.not_amended(amend.order);
                }
            }
        }
        false
    }

    /// Signs a change and writes it ahead; its tokens are taken. Returns whether it was handed out: if not, it was refused.
    fn prepare_amend(&mut self, now: Nanos, amend: &Approved<Amend>, lane: usize) -> bool {
        self.request.clear();
        let id = self.ids.find(amend.order).expect("it was there when the change came in");
        if self.codec.amend(now, amend, &id, &mut self.request).is_err() {
            self.breaker.withdraw();
            self.not_amended(amend.order);
            return false;
        }
        let payload = Hash64::of(self.request.as_bytes());
        let sent = SentAmend { at: now, amend: **amend, payload, id };
        if self.log.append(&Record::Amend(sent)).is_err() {
            self.stats.unlogged += 1;
            self.breaker.withdraw();
            self.not_amended(amend.order);
            return false;
        }
        let job = Job::Amend { amend: **amend, id, written: Written::Not };
        self.hand_out(lane, job, now.after(self.options.order_wait_max));
        true
    }

    /// What a change must still meet when its bytes go: what an order of its purpose would.
    pub(super) fn amend_leaves(&self, amend: &Amend) -> LeaveTerms {
        let by = if amend.purpose.opens() {
            amend.decided.after(self.options.open_age_max)
        } else {
            Nanos::NEVER
        };
        LeaveTerms { epoch: amend.epoch, by, decided: amend.decided }
    }

    /// No byte of the change left. The connection holds encrypted bytes that must not follow, and goes.
    pub(super) fn take_amend_back(&mut self, order: OrderId, lane: usize) {
        self.lanes[lane].job = None;
        self.breaker.withdraw();
        self.cut(lane, "broke before a change of an order left");
        self.not_amended(order);
    }

    pub(super) fn on_amended(&mut self, now: Nanos, amend: &Amend, id: VenueId, amended: Amended) {
        let order = OrderRef::Id(amend.order);
        match amended {
            Amended::Done { state, filled } => {
                self.turned_away = None;
                self.breaker.on_success();
                let price = amend.on_book().1;
                self.report(Report::Terms { order, price, qty: amend.qty });
                self.report(Report::Status(OrderStatus { order, state, filled }));
            }
            Amended::Refused(why) => {
                self.on_refused(now, why);
                self.report(Report::AmendRefused { order });
            }
            Amended::Gone => {
                self.breaker.on_success();
                self.report(Report::AmendRefused { order });
                self.report(Report::CancelRefused { order });
            }
            Amended::Unknown => {
                self.stats.timed_out += 1;
                self.breaker.on_failure(now, false);
                self.report(Report::TimedOut { order: amend.order });
            }
        }
        if matches!(amended, Amended::Unknown | Amended::Gone) {
            let &Amend { order, market, venue, .. } = amend;
            let key = (!id.is_none()).then(|| id.key());
            self.push_query(now, Query { order, key, market, venue });
        }
    }
}
