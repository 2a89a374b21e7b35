//! Orders that the journal lost in a crash, taken in from the wire log.

use super::*;
use crate::ids::{Action, GroupId};
use crate::order::Purpose;

/// What a wire log of the first version tells of an order: no group, no purpose.
fn logged(order: &Order) -> Event {
    Event::Adopt(Order { group: GroupId::new(0), purpose: Purpose::Leg, ..*order })
}

/// A core that lost everything behind its last good state: what happens next here never happened there.
pub(super) fn again(desk: &Desk, until: impl Fn(&mut Desk)) -> Desk {
    let mut other = Desk::new();
    until(&mut other);
    assert!(other.intents.len() < desk.intents.len(), "the other one lost something");
    other.intents.clear();
    other
}

pub(super) fn restart(desk: &mut Desk) {
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
    assert_eq!(desk.queries(), 0, "the run that begins then asks about all that are open");
    let record = *desk.core.orders().find(OrderRef::Id(lost.id)).unwrap();
    assert_eq!((record.state, record.order.purpose), (OrderState::Unknown, Purpose::Leg));
    assert!(record.reserved > Usd::ZERO);
    assert!(desk.core.has_seen(lost.id), "its id is never used again");
    restart(&mut desk);
    assert_eq!(desk.queries(), 1);
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

/// What the wire log tells of an order.
fn known(order: &Order) -> Event {
    Event::Adopt(*order)
}

fn killed(order: &Order) -> Report {
    Report::Rejected { order: OrderRef::Id(order.id), why: crate::report::Reject::Killed }
}

#[test]
fn a_hedge_that_the_journal_lost_is_sent_again_where_the_venue_had_no_time_for_it() {
    let mut before = Desk::new();
    before.gap();
    let first = before.last_placed();
    before.fill(&first, 30);
    let hedge = before.last_placed();
    let mut desk = again(&before, |desk| desk.gap());
    desk.event(known(&hedge));
    restart(&mut desk);
    desk.fill(&first, 30);
    let why = crate::report::Reject::Rate;
    desk.report(Report::Rejected { order: OrderRef::Id(hedge.id), why });
    desk.wait(Nanos::from_millis(500));
    let next = desk.last_placed();
    assert_eq!((next.purpose, next.market, next.qty), (Purpose::Hedge, hedge.market, qty(30)));
}

#[test]
fn a_sale_that_the_journal_lost_keeps_its_group_from_hedging_again() {
    let mut before = Desk::new();
    before.gap();
    let first = before.last_placed();
    before.fill(&first, 30);
    let hedge = before.last_placed();
    before.report(killed(&hedge));
    let unwind = before.last_placed();
    assert_eq!(unwind.purpose, Purpose::Unwind);
    // Lost: that the first leg is filled, the hedge, its refusal and the sale. The wire log knows that the hedge is over.
    let mut desk = again(&before, |desk| desk.gap());
    desk.event(known(&unwind));
    let record = *desk.core.orders().find(OrderRef::Id(unwind.id)).unwrap();
    assert_eq!((record.order.group, record.order.purpose), (first.group, Purpose::Unwind));
    restart(&mut desk);
    desk.fill(&first, 30);
    desk.wait(Nanos::from_secs(2));
    assert_eq!(desk.placed(), [], "neither hedged nor sold while nobody knows what the sale did");
    desk.fill(&unwind, 30);
    assert_eq!(desk.placed(), []);
    assert_eq!(desk.group_states().last(), Some(&GroupState::Flat));
    assert!(desk.core.is_idle());
}

#[test]
fn a_second_sale_stands_beside_the_first_and_both_count() {
    let sold_in_part = |desk: &mut Desk| {
        desk.gap();
        let first = desk.last_placed();
        desk.fill(&first, 30);
        let hedge = desk.last_placed();
        desk.report(killed(&hedge));
    };
    let mut before = Desk::new();
    sold_in_part(&mut before);
    let first_sale = before.last_placed();
    before.fill(&first_sale, 10);
    before.status(&first_sale, VenueState::Cancelled, Some(10));
    before.wait(Nanos::from_secs(2));
    let second_sale = before.last_placed();
    assert_eq!((second_sale.purpose, second_sale.qty), (Purpose::Unwind, qty(20)));
    for second_first in [true, false] {
        let mut desk = again(&before, sold_in_part);
        desk.event(known(&second_sale));
        restart(&mut desk);
        let end_first = |desk: &mut Desk| {
            desk.fill(&first_sale, 10);
            desk.status(&first_sale, VenueState::Cancelled, Some(10));
        };
        if second_first {
            desk.fill(&second_sale, 20);
            desk.wait(Nanos::from_secs(2));
            assert_eq!(desk.placed(), [], "the first one's end is not known");
            end_first(&mut desk);
        } else {
            end_first(&mut desk);
            desk.wait(Nanos::from_secs(2));
            assert_eq!(desk.placed(), [], "the second one's end is not known");
            desk.fill(&second_sale, 20);
        }
        desk.wait(Nanos::from_secs(2));
        assert_eq!(desk.placed(), [], "sold once");
        assert_eq!(desk.held(second_sale.market, second_sale.outcome), Qty::ZERO);
        assert!(desk.core.is_idle());
    }
}

#[test]
fn a_second_hedge_completes_the_basket_that_the_first_did_not() {
    let hedged = |desk: &mut Desk| {
        desk.gap();
        let first = desk.last_placed();
        desk.fill(&first, 30);
    };
    let mut before = Desk::new();
    hedged(&mut before);
    let hedge = before.last_placed();
    before.report(Report::Unsent { order: hedge.id, why: crate::report::Unsent::Down });
    before.wait(Nanos::from_millis(100));
    let again_hedge = before.last_placed();
    assert_eq!(again_hedge.purpose, Purpose::Hedge);
    assert_ne!(again_hedge.id, hedge.id);
    let mut desk = again(&before, hedged);
    desk.event(known(&again_hedge));
    restart(&mut desk);
    desk.report(killed(&hedge));
    desk.wait(Nanos::from_secs(2));
    assert_eq!(desk.placed(), [], "the other one may have got it");
    desk.fill(&again_hedge, 30);
    assert_eq!(desk.placed(), [], "a complete basket is kept");
    assert_eq!(desk.group_states().last(), Some(&GroupState::Hedged));
}

#[test]
fn a_basket_whose_group_was_lost_is_kept_whole_and_sold_in_part() {
    let mut before = Desk::new();
    before.gap();
    let first = before.last_placed();
    before.fill(&first, 30);
    let hedge = before.last_placed();
    for (hedged, end) in [(30, GroupState::Hedged), (0, GroupState::Flat)] {
        let mut desk = again(&before, |_| ());
        desk.event(known(&first));
        desk.event(known(&hedge));
        assert_eq!(desk.core.groups().len(), 1, "one group, as it was");
        restart(&mut desk);
        desk.fill(&first, 30);
        assert_eq!(desk.placed(), [], "the hedge is not known yet");
        if hedged > 0 {
            desk.fill(&hedge, hedged);
            assert_eq!(desk.placed(), [], "a complete basket is not sold again");
        } else {
            desk.report(killed(&hedge));
            let unwind = desk.last_placed();
            assert_eq!((unwind.market, unwind.qty), (first.market, qty(30)));
            desk.fill(&unwind, 30);
        }
        assert_eq!(desk.group_states().last(), Some(&end));
        desk.book(PM, &[(38, 300)], &[(40, 30), (60, 100)]);
        let next = desk.core.groups().iter().map(|group| group.id).max();
        assert!(next.is_none_or(|next| next > first.group), "its number is not given out again");
    }
}
