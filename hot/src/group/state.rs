//! The group's state machine: one table, every pair of state and event listed.
//!
//! A group is planned and its legs are reserved within the one step of the core that begins it (`open_group` in
//! `hot/src/core/decide.rs`): no other event can come between, and a plan of which a leg cannot be reserved never is a group.
//! So neither has a state of its own: nobody could ever see a group in it, and no snapshot could hold one.

use crate::pack::enum_table;

enum_table! {
    /// Where a group stands.
    pub enum GroupState {
        /// Every leg has passed the gate and holds its cash or its order: a group that cannot reserve never exists.
        Working = 0, "working";
        /// Every leg is held, each in its ratio.
        Hedged = 1, "hedged";
        /// A leg found no partner: being sold.
        Unwinding = 2, "unwinding";
        /// Nothing is held.
        Flat = 3, "flat";
        /// Needs a person.
        Operator = 4, "operator";
    }
}

/// What happens to a group that may move it to another state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupEvent {
    /// A leg holds contracts that will find no partner any more: they are to be sold.
    Uneven,
    /// Nothing more is to be bought or sold, and every leg holds its ratio of what is wanted.
    Whole,
    /// Nothing more is to be bought or sold, and nothing is wanted.
    Empty,
    /// The bounds of an unwind are used up: what has no partner is a person's.
    HandedOver,
    /// Contracts of a group that has ended came or went: a venue took a fill back, or told one late.
    Reopened,
}

impl GroupState {
    /// The state after `event`; `None` for a pair that cannot come: it would be our own mistake.
    pub const fn next(self, event: GroupEvent) -> Option<Self> {
        use {GroupEvent as E, GroupState as S};
        match (self, event) {
            (S::Working | S::Unwinding, E::Uneven) => Some(S::Unwinding),
            (S::Working | S::Unwinding, E::Whole) => Some(S::Hedged),
            (S::Working | S::Unwinding, E::Empty) => Some(S::Flat),
            // A person is called for what could not be sold, so that its sale has begun before.
            (S::Unwinding, E::HandedOver) => Some(S::Operator),
            // Every leg was held: what is lacking may be bought again.
            (S::Hedged, E::Reopened) => Some(S::Working),
            // It had given up, and wants nothing more than what is complete.
            (S::Flat | S::Operator, E::Reopened) => Some(S::Unwinding),
            (S::Working, E::HandedOver)
            | (S::Working | S::Unwinding, E::Reopened)
            | (
                S::Hedged | S::Flat | S::Operator,
                E::Uneven | E::Whole | E::Empty | E::HandedOver,
            ) => None,
        }
    }

    /// Whether it has ended.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Hedged | Self::Flat | Self::Operator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: [(GroupEvent, &str); 5] = [
        (GroupEvent::Uneven, "uneven"),
        (GroupEvent::Whole, "whole"),
        (GroupEvent::Empty, "empty"),
        (GroupEvent::HandedOver, "handed over"),
        (GroupEvent::Reopened, "reopened"),
    ];

    /// The whole table: a row an event in the order of [`EVENTS`], a column a state in the order of its number. `-` is a pair
    /// that cannot come.
    const TABLE: [&str; 5] = [
        // working  hedged  unwinding flat      operator
        "unwinding  -       unwinding -         -", // Uneven
        "hedged     -       hedged    -         -", // Whole
        "flat       -       flat      -         -", // Empty
        "-          -       operator  -         -", // HandedOver
        "-          working -         unwinding unwinding", // Reopened
    ];

    #[test]
    fn every_pair_of_state_and_event_is_as_the_table_says() {
        for ((event, _), row) in EVENTS.into_iter().zip(TABLE) {
            let expected: Vec<_> = row.split_whitespace().collect();
            assert_eq!(expected.len(), GroupState::ALL.len());
            for (state, expected) in GroupState::ALL.into_iter().zip(expected) {
                let next = state.next(event).map_or("-", GroupState::name);
                assert_eq!(next, expected, "{state:?} at {event:?}");
            }
        }
    }

    /// What has ended moves by being opened again alone, and what is opened again has to end once more.
    #[test]
    fn only_what_has_ended_is_opened_again() {
        for state in GroupState::ALL {
            let again = state.next(GroupEvent::Reopened);
            assert_eq!(again.is_some(), state.is_over(), "{state:?}");
            assert!(again.is_none_or(|next| !next.is_over()));
            for (event, _) in EVENTS {
                let moves = state.next(event).is_some();
                assert!(!moves || event == GroupEvent::Reopened || !state.is_over(), "{state:?}");
            }
        }
    }

    /// The page shows this very table.
    #[test]
    fn the_architecture_draws_the_table() {
        let page = include_str!("../../../ARCHITECTURE.md");
        for ((_, name), row) in EVENTS.into_iter().zip(TABLE) {
            let cell = |cell| if cell == "-" { "–" } else { cell };
            let cells: Vec<_> = row.split_whitespace().map(cell).collect();
            let row = format!("| {name} | {} |", cells.join(" | "));
            assert!(page.contains(&row), "ARCHITECTURE.md lacks the row {row}");
        }
    }
}
