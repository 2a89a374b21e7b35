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
    /// The program started again: whatever it was, nobody can say now.
    Restarted,
}

/// A pair that the table does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IllegalStep {
    /// The state it was in.
    pub from: OrderState,
    /// What happened.
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
            (S::Pending, E::TimedOut) => S::Unknown, // proves nothing; the reservation stays
            (S::Unknown | S::Resting, E::TimedOut) => self, // a late time-out of something already known
            (S::Pending | S::Resting | S::Unknown, E::CancelSent) => S::Cancelling,
            (S::Cancelling, E::CancelSent | E::TimedOut) => S::Cancelling, // asked again; it still stands
            (S::Cancelling, E::Accepted) => S::Cancelling, // accepted late; the cancel still stands
            (S::Cancelling, E::Rejected) => S::Done, // it never got there, so there is nothing to cancel
            (S::Cancelling, E::CancelRefused) => S::Unknown, // filled, gone or never there: ask
            (S::Pending | S::Resting | S::Unknown, E::CancelRefused) => S::Unknown, // told twice, or by a stream
            (S::Pending | S::Unknown, E::PartFilled) => S::Resting, // a fill may outrun its own acceptance
            (S::Resting | S::Cancelling, E::PartFilled) => self,
            (S::Pending | S::Resting | S::Unknown | S::Cancelling, E::Filled | E::Cancelled) => {
                S::Done
            }
            (S::Resting, E::Accepted) => self, // told twice
            (S::Pending | S::Resting | S::Unknown | S::Cancelling, E::Restarted) => S::Unknown,
            // Whatever is told of an order that is over changes nothing here; a late fill still moves the position.
            (S::Done, _) => S::Done,
            (S::Resting, E::Rejected) => return Err(IllegalStep { from: self, event }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [OrderState; 5] = [
        OrderState::Pending,
        OrderState::Resting,
        OrderState::Unknown,
        OrderState::Cancelling,
        OrderState::Done,
    ];
    const EVENTS: [OrderEvent; 9] = [
        OrderEvent::Accepted,
        OrderEvent::Rejected,
        OrderEvent::TimedOut,
        OrderEvent::CancelSent,
        OrderEvent::CancelRefused,
        OrderEvent::PartFilled,
        OrderEvent::Filled,
        OrderEvent::Cancelled,
        OrderEvent::Restarted,
    ];

    #[test]
    fn every_pair_is_decided() {
        let mut table = String::new();
        for state in STATES {
            for event in EVENTS {
                let next = state.next(event).map_or("illegal", OrderState::name);
                table += &format!("{} + {event:?} = {next}\n", state.name());
            }
        }
        let illegal: Vec<_> = table.lines().filter(|line| line.ends_with("illegal")).collect();
        assert_eq!(illegal, ["resting + Rejected = illegal"]);
        assert!(table.contains("pending + TimedOut = unknown\n"), "a time-out proves nothing");
        assert!(table.contains("unknown + TimedOut = unknown\n"));
        assert!(table.contains("cancelling + Accepted = cancelling\n"));
        assert!(table.contains("pending + PartFilled = resting\n"));
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
            let evidence =
                matches!(event, OrderEvent::Rejected | OrderEvent::Filled | OrderEvent::Cancelled);
            assert_eq!(ends, evidence, "{event:?}");
        }
    }
}
