//! A start with many orders of an earlier run.

use super::*;

#[test]
fn a_start_with_many_orders_has_the_venues_lists_read_once_and_goes_on_waiting() {
    for (unknown, reads) in [(32, false), (33, true)] {
        let mut desk = Desk::begin(false);
        desk.seen.streams_up = false;
        desk.seen.core.orders_unknown = unknown;
        desk.look();
        assert_eq!(desk.take(), [], "streams come first: a list must not be older than they are");
        desk.seen.streams_up = true;
        desk.look();
        let lists = [Want::Read(PM), Want::Read(KALSHI)];
        assert_eq!(desk.take(), lists[..if reads { 2 } else { 0 }]);
        if reads {
            desk.look();
            desk.read_all(ReadResult::Whole);
            desk.compare(true);
        }
        desk.look();
        assert_eq!(desk.take(), [], "once, and nothing is opened by it: {unknown}");
        assert!(!desk.policy.is_open());
        desk.seen.core.orders_unknown = 0;
        desk.look();
        assert_eq!(desk.take(), lists, "agreed by readings that began when nothing was unknown");
        desk.read_all(ReadResult::Whole);
        desk.compare(true);
        desk.look();
        assert_eq!(desk.take(), [Want::Opened]);
    }
}

#[test]
fn a_list_that_cannot_be_read_leaves_the_start_waiting() {
    let mut desk = Desk::begin(false);
    desk.seen.streams_up = true;
    desk.seen.core.orders_unknown = 1_000;
    desk.look();
    assert_eq!(desk.take(), [Want::Read(PM), Want::Read(KALSHI)]);
    desk.read_all(ReadResult::Failed);
    let failed = |venue| Want::Say(Message::ReadFailed { venue, again: None });
    desk.look();
    assert_eq!(desk.take(), [failed(PM), failed(KALSHI)], "the core asks about each");
    desk.seen.core.orders_unknown = 0;
    desk.look();
    assert_eq!(desk.take(), [Want::Read(PM), Want::Read(KALSHI)]);
}
