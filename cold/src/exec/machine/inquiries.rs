//! Questions about orders: asked one request at a time until the venue has told all that it knows.

use surefoot_hot::ids::OrderRef;
use surefoot_hot::order::Query;
use surefoot_hot::report::{OrderStatus, Report};
use surefoot_hot::units::Nanos;

use super::chores::Chore;
use super::lanes::Job;
use super::{
    AfterAnswer, Inquiry, Machine, RETRY_AFTER, TRIES_MAX, VenueCodec, VenueId, WriteAhead,
};
use crate::wirelog::Ended;

impl<C: VenueCodec, L: WriteAhead> Machine<C, L> {
    pub(super) fn push_query(&mut self, now: Nanos, query: Query) {
        let order = query.order;
        let id = self.ids.find(order).unwrap_or(VenueId::NONE);
        if C::ID_FIRST && id.is_none() {
            // There is no name to ask by. That proves nothing: the order stays unknown until a person has looked.
            self.stats.unanswered += 1;
            return;
        }
        let waits = |chore: &Chore| matches!(chore, Chore::Ask { inquiry, .. } if inquiry.query.order == order && inquiry.is_untouched());
        if self.chores.iter().any(waits) {
            return; // its answer will be as fresh
        }
        let not_before = self.query_pace.due(now, order);
        let inquiry = Box::new(Inquiry::new(now, query, id));
        self.chores.push_back(Chore::Ask { inquiry, not_before });
    }

    /// Writes the next request of an inquiry.
    pub(super) fn write_question(&mut self, now: Nanos, mut inquiry: Box<Inquiry>) -> Job {
        if inquiry.id.is_none() {
            let known = self.ids.find(inquiry.query.order);
            inquiry.id = known.unwrap_or(VenueId::NONE);
        }
        self.codec.ask(now, &inquiry, &mut self.request);
        self.stats.asked += 1;
        Job::Ask(inquiry)
    }

    pub(super) fn retry_ask(&mut self, now: Nanos, mut inquiry: Box<Inquiry>) {
        inquiry.tries += 1;
        if inquiry.tries < TRIES_MAX {
            self.chores.push_back(Chore::Ask { inquiry, not_before: now.after(RETRY_AFTER) });
            return;
        }
        self.stats.unanswered += 1;
        if let Some(cancel) = inquiry.then_cancel {
            self.report(Report::TimedOut { order: cancel.order });
        }
    }

    pub(super) fn on_asked(&mut self, now: Nanos, mut inquiry: Box<Inquiry>, next: AfterAnswer) {
        let query = inquiry.query;
        let is_new = self.ids.find(query.order) != Some(inquiry.id);
        // Where the core asked without the name it is told what was known here: a crash may have taken from it what the wire log holds.
        if !inquiry.id.is_none() && (is_new || query.key.is_none()) {
            let key = inquiry.id.key();
            self.ids.learn(query.order, inquiry.id);
            self.report(Report::Bound { order: query.order, key });
            inquiry.query.key = Some(key);
        }
        if inquiry.found && self.open.contains(&query.order) {
            self.log_end(now, query.order, Ended::Asked, inquiry.id);
        }
        let reports = std::mem::take(&mut self.answer_reports);
        for report in &reports {
            self.report(named(*report, &inquiry));
        }
        self.answer_reports = reports;
        match next {
            AfterAnswer::Retry => self.retry_ask(now, inquiry),
            AfterAnswer::AskNext => {
                inquiry.tries = 0;
                self.chores.push_front(Chore::Ask { inquiry, not_before: now });
            }
            AfterAnswer::Done => self.on_told(now, &inquiry),
        }
    }

    /// The venue has told all that it knows of the order.
    fn on_told(&mut self, now: Nanos, inquiry: &Inquiry) {
        if let Some(cancel) = inquiry.then_cancel {
            if inquiry.id.is_none() {
                self.report(Report::CancelRefused { order: OrderRef::Id(cancel.order) });
            } else {
                let id = inquiry.id;
                self.chores.push_front(Chore::Cancel { cancel, id, tries: 0, not_before: now });
            }
        } else if !inquiry.found {
            let Query { order, venue, .. } = inquiry.query;
            self.report(if inquiry.incomplete {
                Report::TimedOut { order } // not found is not absent where not all was read
            } else {
                Report::Absent { order, venue }
            });
        }
    }
}

/// A report about the order asked for speaks of it by our own id: the core may not know the venue's yet.
fn named(report: Report, inquiry: &Inquiry) -> Report {
    let ours = OrderRef::Id(inquiry.query.order);
    let is_it = |order: OrderRef| order == OrderRef::Key(inquiry.id.key());
    match report {
        Report::Status(status) if is_it(status.order) => {
            Report::Status(OrderStatus { order: ours, ..status })
        }
        Report::Terms { order, price, qty } if is_it(order) => {
            Report::Terms { order: ours, price, qty }
        }
        Report::Fill(mut fill) if is_it(fill.order) => {
            fill.order = ours;
            Report::Fill(fill)
        }
        other => other,
    }
}
