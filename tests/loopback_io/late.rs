//! An order that was decided before the process stood still and would leave after it.

use std::collections::VecDeque;

use surefoot_cold::net::{Meter, Stage};
use surefoot_cold::venue::kalshi::Kalshi;
use surefoot_cold::wirelog::{self, Ended, Record};
use surefoot_hot::bounds::DATA_AGE_MAX;
use surefoot_hot::report::Unsent;
use surefoot_hot::units::Nanos;

use crate::exec::*;
use crate::support::*;

/// A clock that shows one time after the other, then the last one for ever.
struct Shows(VecDeque<Nanos>);

impl Meter for Shows {
    fn now(&mut self) -> Nanos {
        if self.0.len() > 1 { self.0.pop_front().unwrap() } else { self.0[0] }
    }
    fn record(&mut self, _: Stage, _: Nanos) {}
}

/// An executor whose process stands still for `span` once its order is signed.
fn frozen(name: &str, span: Nanos) -> (Rig<Kalshi, Shows>, Seen) {
    let (trust, config) = authority();
    let (addr, seen) = serve(config, takes_every_order);
    let shows = Shows([START, START.after(span)].into());
    let codec = kalshi(kalshi_signer());
    (Rig::metered(name, codec, &trust, addr, &Setup::default(), shows).up(), seen)
}

#[test]
fn what_opens_something_does_not_leave_after_a_freeze_and_what_reduces_does() {
    let (mut rig, seen) = frozen("late", DATA_AGE_MAX.after(Nanos::new(1)));
    rig.place(1);
    assert_eq!(rig.report(), unsent(1, Unsent::Old));
    let records = wirelog::read(&rig.log).unwrap().records;
    assert!(
        matches!(records[..], [Record::Sent(_), Record::End { how: Ended::Unsent, .. }]),
        "a restart asks nobody about it: {records:?}"
    );
    assert_eq!(seen.try_iter().count(), 0, "not a byte");
    rig.pass_time(Nanos::from_secs(1)); // the next dial is due
    rig.until(|rig| rig.exec.open_lanes() == 1);
    rig.unwind(2);
    assert_eq!((rig.report(), rig.report()), (bound(2), filled(2)));

    let (mut rig, _seen) = frozen("in-time", DATA_AGE_MAX);
    rig.place(1);
    assert_eq!((rig.report(), rig.report()), (bound(1), filled(1)));
}

#[test]
fn what_waited_too_long_in_the_ring_is_not_even_signed() {
    let (mut rig, seen) = frozen("ring", Nanos::ZERO);
    rig.place(1);
    rig.unwind(2);
    rig.pass_time(DATA_AGE_MAX.after(Nanos::new(1)));
    assert_eq!((rig.report(), rig.report()), (unsent(1, Unsent::Old), bound(2)));
    assert_eq!(rig.report(), filled(2));
    let records = wirelog::read(&rig.log).unwrap().records;
    assert_eq!(records.len(), 2, "of the sale alone: {records:?}");
    assert_eq!(seen.try_iter().map(|(_, heard)| order_in(&heard)).collect::<Vec<_>>(), [2]);
}
