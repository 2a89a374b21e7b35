//! Limits that are tightened while trading is open.

use super::*;
use crate::risk::Refusal;

#[test]
fn a_limit_that_is_tightened_holds_from_the_next_order_on_and_is_in_the_state() {
    let row = LimitRow::DailyLoss;
    let before = Desk::new().core.state_hash();
    let mut desk = Desk::new();
    assert_eq!(desk.core.state_hash(), before, "the same events, the same state");
    desk.control(Control::Limit { row, value: 0 });
    assert_eq!(desk.core.limits().value(row), Some(0));
    assert_ne!(desk.core.state_hash(), before);
    desk.gap();
    let refused = |desk: &Desk, wanted: Refusal| {
        let is_so = |note: &&Note| matches!(note, Note::Refused { why, .. } if *why == wanted);
        desk.notes.iter().filter(is_so).count()
    };
    assert_eq!((desk.placed().len(), refused(&desk, Refusal::DailyLoss)), (0, 1));
    // Nothing loosens it before the next run.
    desk.control(Control::Limit { row, value: 100_000_000 });
    assert_eq!(desk.core.limits().value(row), Some(0));
    desk.control(Control::Start { epoch: 2, first_order: 200 });
    assert_eq!(desk.core.limits().value(row), Some(0), "a start alone loosens nothing");
    desk.control(Control::Limit { row, value: 100_000_000 });
    assert_eq!(desk.core.limits().value(row), Some(100_000_000), "what it is told at a start does");
}
