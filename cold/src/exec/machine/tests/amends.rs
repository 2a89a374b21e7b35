//! Changes of orders that rest: written ahead like orders, under the same halt, and never in doubt for the core.

use surefoot_hot::intent::Intent;
use surefoot_hot::report::{OrderStatus, Report, VenueState};
use surefoot_hot::units::{Nanos, Price, Qty};

use super::desk::{Rig, cancel, order_id, order_ref, timed_out};
use super::{Closing, ExecOptions, LaneRole, MS, Record, WriteResult};

fn refused(id: u64) -> Report {
    Report::AmendRefused { order: order_ref(id) }
}

fn resting(id: u64) -> Report {
    let (state, filled) = (VenueState::Resting, Some(Qty::ZERO));
    Report::Status(OrderStatus { order: order_ref(id), state, filled })
}

#[test]
fn a_change_is_in_the_log_before_it_is_handed_out_and_its_answer_tells_the_terms() {
    let mut rig = Rig::up();
    rig.rest(1);
    let written = rig.records().len();
    rig.amend(1);
    let out = rig.machine.poll_request(rig.now).unwrap();
    assert!(out.bytes.starts_with(b"POST /orders/uuid-1/amend "));
    let (lane, leave) = (out.lane, out.leave.unwrap());
    assert_eq!((leave.epoch, leave.decided), (7, rig.now));
    let Record::Amend(sent) = rig.records()[written] else { panic!("not written ahead") };
    assert_eq!((sent.amend.order, sent.amend.qty), (order_id(1), Qty::from_contracts(12)));
    rig.machine.on_wrote(rig.now, lane, WriteResult::All);
    rig.answer(lane, 200, None);
    let (price, qty) = (Price::from_ticks(5_700).unwrap(), Qty::from_contracts(12));
    let terms = Report::Terms { order: order_ref(1), price, qty };
    assert_eq!(rig.reports(), [terms, resting(1)]);
    assert!(rig.machine.log().contents().without_end().is_empty(), "its order has its end already");
    assert!(rig.machine.is_idle() && rig.closings().is_empty());
}

#[test]
fn what_keeps_a_change_from_leaving_leaves_the_order_as_it_is() {
    // A halt before it is signed, and one before its bytes go.
    let mut rig = Rig::up();
    rig.rest(1);
    rig.amend(1);
    let lane = rig.machine.poll_request(rig.now).unwrap().lane;
    rig.machine.on_wrote(rig.now, lane, WriteResult::Stopped(surefoot_hot::report::Unsent::Epoch));
    assert_eq!(rig.reports(), [refused(1)]);
    assert_eq!(rig.closings(), [Closing { lane, fault: true }], "it holds encrypted bytes");
    rig.machine.on_lane_up(rig.now, lane);
    rig.halt.advance();
    rig.amend(1);
    assert!(rig.machine.poll_request(rig.now).is_none());
    assert_eq!(rig.reports(), [refused(1)]);
    // A log that takes nothing.
    let mut rig = Rig::up();
    rig.rest(1);
    rig.machine.log_mut().set_failing(true);
    rig.amend(1);
    assert!(rig.machine.poll_request(rig.now).is_none());
    assert_eq!(rig.reports(), [refused(1)]);
    // A price that has become old while the connection was busy.
    let mut rig = Rig::with(&[LaneRole::Orders, LaneRole::Chores]);
    rig.rest(1);
    rig.place(2);
    rig.write(WriteResult::All);
    rig.amend(1);
    rig.pass(ExecOptions::default().open_age_max);
    rig.pass(MS);
    assert!(rig.machine.poll_request(rig.now).is_none());
    assert_eq!(rig.reports(), [refused(1)]);
    // An order whose id nobody knows.
    let mut rig = Rig::up();
    rig.amend(9);
    assert_eq!(rig.reports(), [refused(9)]);
}

#[test]
fn a_cancel_takes_the_place_of_a_change_that_waits() {
    let mut rig = Rig::with(&[LaneRole::Orders, LaneRole::Chores]);
    rig.rest(1);
    rig.place(2);
    rig.write(WriteResult::All);
    rig.amend(1);
    rig.intent(Intent::Cancel(cancel(1)));
    assert_eq!(rig.reports(), [refused(1)]);
    assert!(rig.request().starts_with("DELETE /orders/uuid-1 "));
}

#[test]
fn an_answer_that_proves_nothing_and_none_at_all_have_the_venue_asked() {
    for status in [Some(500), None] {
        let mut rig = Rig::up();
        rig.rest(1);
        rig.amend(1);
        let lane = rig.write(WriteResult::All);
        match status {
            Some(status) => rig.answer(lane, status, None),
            None => rig.pass(Nanos::new(ExecOptions::default().order_wait_max.get() + 1)),
        }
        assert_eq!(rig.reports(), [timed_out(1)]);
        if status.is_some() {
            assert!(rig.request().starts_with("GET /orders/1 "));
        }
    }
}

#[test]
fn a_refusal_keeps_the_order_and_one_that_is_gone_is_asked_about() {
    let mut rig = Rig::up();
    rig.rest(1);
    rig.amend(1);
    let lane = rig.write(WriteResult::All);
    rig.answer(lane, 400, None);
    assert_eq!(rig.reports(), [refused(1)]);
    rig.amend(1);
    let lane = rig.write(WriteResult::All);
    rig.answer(lane, 404, None);
    assert_eq!(rig.reports(), [refused(1), Report::CancelRefused { order: order_ref(1) }]);
    assert!(rig.request().starts_with("GET /orders/1 "));
}
