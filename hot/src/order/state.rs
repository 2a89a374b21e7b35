//! The order state machine: one table, every legal pair listed.

use crate::pack::enum_table;

enum_table! {
    /// Where an order stands, as the core sees it.
    pub enum OrderState {
        /// Approved and reserved, handed to the executor.
        Pending = 0, "pending";
        /// On the venue's book.
        Resting = 1, "resting";
        /// Nobody can say whether the venue has it; the reservation stays.
        Unknown = 2, "unknown";
        /// A cancel is on the way; it still counts.
        Cancelling = 3, "cancelling";
        /// Over; only a late fill can still move it.
        Done = 4, "done";
        /// On the venue's book, and a change of it is on the way: it may fill on its old terms or on its new ones.
        Amending = 5, "amending";
    }
}

/// What can happen to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderEvent {
    /// The venue says it is on the book.
    Accepted,
    /// The venue says it never was and never will be; or the executor never sent it.
    Rejected,
    /// No answer came.
    TimedOut,
    /// We asked for its cancellation.
    CancelSent,
    /// The venue would not cancel it.
    CancelRefused,
    /// Part of it filled.
    PartFilled,
    /// All of it filled.
    Filled,
    /// The venue says it is over, without being filled whole.
    Cancelled,
    /// The venue says it is over because its time had come, without being filled whole.
    Expired,
    /// We asked for a change of it.
    AmendSent,
    /// The venue says that it has its new terms.
    Amended,
    /// It was not changed: the venue would not, or the change was never sent.
    AmendRefused,
    /// The program started again: the state of the order at the venue is unknown.
    Restarted,
}

/// A pair that the table does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IllegalStep {
    /// The state it was in.
    pub from: OrderState,
    pub event: OrderEvent,
}

impl OrderState {
    /// The state after `event`.
    ///
    /// # Errors
    /// A step that makes no sense: our mistake or the venue's; the caller raises an alarm and keeps the state.
    pub fn next(self, event: OrderEvent) -> Result<Self, IllegalStep> {
        use {OrderEvent as E, OrderState as S};
        Ok(match (self, event) {
            (S::Pending | S::Unknown, E::Accepted) => S::Resting,
            (S::Pending | S::Unknown, E::Rejected) => S::Done,
            (S::Pending, E::TimedOut) => S::Unknown, // O10: proves nothing; the reservation stays
            (S::Unknown | S::Resting, E::TimedOut) => self, // a late time-out of something already known
            (S::Pending | S::Resting | S::Unknown | S::Amending, E::CancelSent) => S::Cancelling,
            (S::Cancelling, E::CancelSent | E::TimedOut) => S::Cancelling, // asked again; it still stands
            (S::Cancelling, E::Accepted) => S::Cancelling, // accepted late; the cancel still stands
            (S::Cancelling, E::Rejected) => S::Done, // it never got there, so there is nothing to cancel
            (S::Cancelling, E::CancelRefused) => S::Unknown, // filled, gone or never there: ask
            // told twice, or by a stream; or a change of what is gone
            (S::Pending | S::Resting | S::Unknown | S::Amending, E::CancelRefused) => S::Unknown,
            (S::Pending | S::Unknown, E::PartFilled) => S::Resting, // a fill may outrun its own acceptance
            (S::Resting | S::Cancelling | S::Amending, E::PartFilled) => self,
            (
                S::Pending | S::Resting | S::Unknown | S::Cancelling | S::Amending,
                E::Filled | E::Cancelled | E::Expired,
            ) => S::Done,
            (S::Resting, E::Accepted) => self, // told twice
            (S::Resting, E::AmendSent) => S::Amending,
            (S::Amending, E::Amended | E::AmendRefused) => S::Resting,
            // It still may be either: a word on its way said so before the change came, or no answer did.
            (S::Amending, E::Accepted | E::TimedOut) => S::Amending,
            // Told twice; or what else is known of it weighs more.
            (
                S::Pending | S::Resting | S::Unknown | S::Cancelling,
                E::Amended | E::AmendRefused,
            ) => self,
            (S::Pending | S::Resting | S::Unknown | S::Cancelling | S::Amending, E::Restarted) => {
                S::Unknown
            }
            // Whatever is told of an order that is over changes nothing here; a late fill still moves the position.
            (S::Done, _) => S::Done,
            // Only what rests is changed, and one change at a time; and what rests was never rejected.
            (S::Pending | S::Unknown | S::Cancelling | S::Amending, E::AmendSent)
            | (S::Resting | S::Amending, E::Rejected) => {
                return Err(IllegalStep { from: self, event });
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: [OrderEvent; 13] = [
        OrderEvent::Accepted,
        OrderEvent::Rejected,
        OrderEvent::TimedOut,
        OrderEvent::CancelSent,
        OrderEvent::CancelRefused,
        OrderEvent::PartFilled,
        OrderEvent::Filled,
        OrderEvent::Cancelled,
        OrderEvent::Expired,
        OrderEvent::AmendSent,
        OrderEvent::Amended,
        OrderEvent::AmendRefused,
        OrderEvent::Restarted,
    ];

    /// The whole table: a row an event in the order of [`EVENTS`], a column a state in the order of its number. `-` is a
    /// pair that makes no sense.
    const TABLE: [&str; 13] = [
        // pending   resting    unknown    cancelling done  amending
        "resting    resting    resting    cancelling done  amending", // Accepted
        "done       -          done       done       done  -",        // Rejected
        "unknown    resting    unknown    cancelling done  amending", // TimedOut
        "cancelling cancelling cancelling cancelling done  cancelling", // CancelSent
        "unknown    unknown    unknown    unknown    done  unknown",  // CancelRefused
        "resting    resting    resting    cancelling done  amending", // PartFilled
        "done       done       done       done       done  done",     // Filled
        "done       done       done       done       done  done",     // Cancelled
        "done       done       done       done       done  done",     // Expired
        "-          amending   -          -          done  -",        // AmendSent
        "pending    resting    unknown    cancelling done  resting",  // Amended
        "pending    resting    unknown    cancelling done  resting",  // AmendRefused
        "unknown    unknown    unknown    unknown    done  unknown",  // Restarted
    ];

    #[test]
    fn every_pair_is_decided() {
        for (event, row) in EVENTS.into_iter().zip(TABLE) {
            let names: Vec<&str> = row.split_whitespace().collect();
            assert_eq!(names.len(), OrderState::ALL.len(), "{event:?}");
            for (state, wanted) in OrderState::ALL.into_iter().zip(names) {
                let next = state.next(event).map_or("-", OrderState::name);
                assert_eq!(next, wanted, "{} + {event:?}", state.name());
            }
        }
    }

    /// From each pair on: whatever is told of an order in which order, it can still be cancelled, and it can end.
    #[test]
    fn every_pair_leads_on_to_an_end() {
        for state in OrderState::ALL {
            for event in EVENTS {
                let Ok(next) = state.next(event) else { continue };
                for end in [OrderEvent::Filled, OrderEvent::Cancelled, OrderEvent::Expired] {
                    assert_eq!(next.next(end), Ok(OrderState::Done), "{state:?} {event:?} {end:?}");
                }
                let cancelled = next.next(OrderEvent::CancelSent);
                assert!(
                    cancelled.is_ok_and(|s| matches!(s, OrderState::Cancelling | OrderState::Done))
                );
            }
        }
    }

    #[test]
    fn over_is_over() {
        for event in EVENTS {
            assert_eq!(OrderState::Done.next(event), Ok(OrderState::Done));
        }
    }

    #[test]
    fn only_evidence_ends_an_unknown_order() {
        for event in EVENTS {
            let ends = OrderState::Unknown.next(event) == Ok(OrderState::Done);
            let evidence = matches!(
                event,
                OrderEvent::Rejected
                    | OrderEvent::Filled
                    | OrderEvent::Cancelled
                    | OrderEvent::Expired
            );
            assert_eq!(ends, evidence, "{event:?}");
        }
    }
}
