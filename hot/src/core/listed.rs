//! Orders of an earlier run that a venue lists as resting. A start does not know what became of what was in flight, and asking about
//! each of a thousand orders takes longer than the venue's rates give in a minute. One list says it of all that rest; what it does not
//! have is asked about alone.

use super::Core;
use super::fills::QTY_DUST;
use crate::event::Listing;
use crate::ids::{OrderRef, Venue};
use crate::order::{OrderState, Pace, Record};
use crate::outbox::Outbox;
use crate::per_venue::PerVenue;
use crate::report::{OrderStatus, Report, VenueState};
use crate::units::Nanos;

/// Up to so many orders that may rest at a venue are asked about one by one as a run begins: sooner than a list is read.
pub const ASKED_SINGLY_MAX: usize = 32;

/// Whether the question about an order waits for the venue's list, and nothing was heard of the order meanwhile.
fn waits_for_list(record: &Record) -> bool {
    record.state == OrderState::Unknown && record.queries.is_put_off()
}

impl Core {
    /// At which venues the first list is waited for before orders that may rest are asked about.
    pub(super) fn waits_for_list(&self) -> PerVenue<bool> {
        let mut resting = PerVenue::all(0);
        for record in self.orders.live().filter(|record| record.order.tif.may_rest()) {
            resting[record.order.venue] += 1;
        }
        PerVenue::from_fn(|venue| resting[venue] > ASKED_SINGLY_MAX)
    }

    /// A reading found an order on the venue's book. Where its question waits for that, this is the venue's answer; but a list names no
    /// fills, so that where it counts more than were told here the order is asked about all the same. Of any other order the streams and
    /// answers say more, and later, than a list that was read meanwhile.
    pub(super) fn on_listed(
        &mut self,
        now: Nanos,
        venue: Venue,
        order: OrderRef,
        listing: &Listing,
        out: &mut Outbox,
    ) {
        let is_it = |record: &&mut Record| record.order.venue == venue;
        let since = self.comparison.since(venue);
        let Some(record) = self.orders.find_mut(order).filter(is_it) else { return };
        if !waits_for_list(record) || record.cancel_refused || record.queries.last() >= since {
            return;
        }
        record.query_owed = false;
        record.queries.on_sent(now); // as good as a question, and answered
        let id = record.order.id;
        let order = OrderRef::Id(id);
        let filled = Some(listing.filled);
        let status = OrderStatus { order, state: VenueState::Resting, filled };
        self.on_report(now, &Report::Status(status), out);
        if let Some((price, qty)) = listing.terms {
            self.on_report(now, &Report::Terms { order, price, qty }, out);
        }
        let record = self.orders.find_mut(order).expect("it was just found");
        if record.known_filled() > record.filled + QTY_DUST {
            record.queries = Pace::NEW;
            self.query(now, id, out);
        }
    }

    /// A venue's list was read to its end: what waited for it and is not on it is asked about now.
    pub(super) fn ask_about_unlisted(&mut self, now: Nanos, venue: Venue, out: &mut Outbox) {
        let mut at = 0;
        while let Some(id) = self.orders.live_id(at) {
            at += 1;
            let record = self.orders.find_mut(OrderRef::Id(id)).expect("it is on the live list");
            if record.order.venue == venue && waits_for_list(record) {
                record.queries = Pace::NEW;
                self.query(now, id, out);
            }
        }
    }
}
