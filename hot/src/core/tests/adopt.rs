//! Orders that the journal lost in a crash, taken in from the wire log.

use super::*;
use crate::ids::{Action, GroupId};
use crate::intent::Purpose;

/// What the wire log tells of an order: no group, no purpose.
fn logged(order: &Order) -> Event {
    Event::Adopt(Order { group: GroupId::new(0), purpose: Purpose::Exit, ..*order })
}

/// A core that lost everything behind its last good state: what happens next here never happened there.
fn again(desk: &Desk, until: impl Fn(&mut Desk)) -> Desk {
    let mut other = Desk::new();
    until(&mut other);
    assert!(other.intents.len() < desk.intents.len(), "the other one lost something");
    other.intents.clear();
    other
}

fn restart(desk: &mut Desk) {
    desk.control(Control::Start { epoch: 9, first_order: 1_000_000 });
    desk.open();
    desk.book(PM, &[(38, 300)], &[(60, 100)]);
    desk.book(KA, &[(50, 30), (20, 100)], &[(52, 300)]);
}

#[test]
fn an_order_of_no_group_is_counted_asked_about_and_unwound() {
    let mut before = Desk::new();
    before.gap();
    let lost = before.last_placed();
    let mut desk = again(&before, |_| ());
    desk.event(logged(&lost));
    assert_eq!(desk.queries(), 1);
    let record = *desk.core.orders().find(OrderRef::Id(lost.id)).unwrap();
    assert_eq!((record.state, record.order.purpose), (OrderState::Unknown, Purpose::Leg));
    assert!(record.reserved > Usd::ZERO);
    assert!(desk.core.has_seen(lost.id), "its id is never used again");
    restart(&mut desk);
    assert_eq!(desk.placed(), [], "nothing is sold before it is known to be held");
    desk.fill(&lost, 30);
    let unwind = desk.last_placed();
    assert_eq!((unwind.purpose, unwind.action), (Purpose::Unwind, Action::Sell));
    assert_eq!((unwind.market, unwind.outcome, unwind.qty), (lost.market, lost.outcome, lost.qty));
    desk.fill(&unwind, 30);
    assert!(desk.core.orders().live().all(|record| record.order.id != lost.id));
    assert_eq!(desk.core.stats().baskets_completed + desk.core.stats().baskets_unwound, 0);
}

#[test]
fn one_that_never_was_leaves_nothing_behind() {
    let mut before = Desk::new();
    before.gap();
    let lost = before.last_placed();
    let mut desk = again(&before, |_| ());
    desk.event(logged(&lost));
    for _ in 0..6 {
        desk.report(Report::Absent { order: lost.id, venue: lost.venue });
        desk.wait(Nanos::from_secs(6));
    }
    desk.report(Report::Absent { order: lost.id, venue: lost.venue });
    assert!(desk.core.is_idle());
    assert_eq!(desk.reserved(), Usd::ZERO);
}

#[test]
fn a_hedge_goes_back_to_the_group_that_was_about_to_send_it() {
    let first_leg = |desk: &mut Desk| desk.gap();
    let mut before = Desk::new();
    first_leg(&mut before);
    let first = before.last_placed();
    before.status(&first, VenueState::Filled, Some(30));
    let hedge = before.last_placed();
    assert_eq!(hedge.purpose, Purpose::Hedge);
    // Lost: that the first leg is filled, and the hedge that followed.
    let mut desk = again(&before, first_leg);
    desk.event(logged(&hedge));
    let record = *desk.core.orders().find(OrderRef::Id(hedge.id)).unwrap();
    assert_eq!((record.order.group, record.order.purpose), (first.group, Purpose::Hedge));
    restart(&mut desk);
    desk.fill(&first, 30);
    desk.fill(&hedge, 30);
    assert_eq!(desk.group_states().last(), Some(&GroupState::Hedged));
    assert_eq!(desk.placed().len(), 0, "nothing was bought twice");
    assert_eq!(desk.core.stats().baskets_completed, 1);
    assert_eq!((desk.held(KA, Outcome::No), desk.held(PM, Outcome::Yes)), (qty(30), qty(30)));
}

#[test]
fn a_sale_goes_back_to_the_group_that_unwinds() {
    let refused = |desk: &mut Desk| {
        desk.gap();
        let first = desk.last_placed();
        desk.fill(&first, 30);
    };
    let mut before = Desk::new();
    refused(&mut before);
    let (first, hedge) = (before.placed()[0], before.placed()[1]);
    let why = crate::report::Reject::Funds;
    let no = Report::Rejected { order: OrderRef::Id(hedge.id), why };
    before.report(no);
    let unwind = before.last_placed();
    assert_eq!(unwind.purpose, Purpose::Unwind);
    let mut desk = again(&before, refused);
    desk.event(logged(&unwind));
    restart(&mut desk);
    desk.report(no);
    desk.fill(&unwind, 30);
    assert_eq!(desk.group_states().last(), Some(&GroupState::Flat));
    assert_eq!(desk.held(first.market, first.outcome), Qty::ZERO, "sold once");
    assert_eq!(desk.placed().len(), 0);
    assert!(desk.core.is_idle());
}

#[test]
fn told_twice_it_is_one() {
    let mut before = Desk::new();
    before.gap();
    let lost = before.last_placed();
    let mut desk = again(&before, |_| ());
    desk.event(logged(&lost));
    let reserved = desk.reserved();
    desk.event(logged(&lost));
    assert_eq!(desk.reserved(), reserved);
    assert_eq!(desk.core.groups().len(), 1);
}
