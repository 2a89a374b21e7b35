//! Fills that fail, at a venue that takes them out of what it counts of an order and at one that leaves them in: neither is waited
//! for, and neither is held.

use super::*;
use crate::ids::VenueKey;
use crate::order::{Purpose, Record};

/// The first leg has filled: the order for the second one, 30 contracts, and the desk.
fn hedging() -> (Desk, Order) {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    let hedge = desk.last_placed();
    assert_eq!((hedge.market, hedge.purpose, hedge.qty), (PM, Purpose::Hedge, qty(30)));
    (desk, hedge)
}

fn failed(desk: &mut Desk, order: &Order, contracts: u64) -> Fill {
    Fill { finality: Finality::Failed, ..desk.fill_of(order, contracts) }
}

fn record(desk: &Desk, order: &Order) -> Record {
    *desk.core.orders().find(OrderRef::Id(order.id)).unwrap()
}

/// The order is over, with so many contracts, and holds nothing.
fn is_done(desk: &Desk, order: &Order, contracts: u64) {
    let Record { state, filled, reserved, .. } = record(desk, order);
    assert_eq!((state, filled, reserved), (OrderState::Done, qty(contracts), Usd::ZERO));
}

/// What the first leg has without a partner is sold, or the second leg is bought again.
fn is_corrected(desk: &Desk, hedge: &Order, lacks: u64) {
    let next = desk.last_placed();
    assert_ne!(next.id, hedge.id, "the group goes on");
    match next.action {
        Action::Buy => assert_eq!((next.market, next.qty), (PM, qty(lacks))),
        Action::Sell => assert_eq!((next.market, next.qty), (KA, qty(lacks))),
    }
}

#[test]
fn a_fill_that_failed_before_it_was_told_is_not_waited_for() {
    let (mut desk, hedge) = hedging();
    desk.status(&hedge, VenueState::Filled, Some(30));
    let fill = failed(&mut desk, &hedge, 30);
    assert_eq!(desk.group_states().last(), Some(&GroupState::Hedged), "by the venue's count");
    desk.report(Report::Fill(fill));
    is_done(&desk, &hedge, 0);
    is_corrected(&desk, &hedge, 30);
    let last = desk.last_placed();
    // What is told again counts once.
    desk.report(Report::Fill(fill));
    desk.report(Report::Finality { fill: fill.fill, state: Finality::Failed });
    desk.status(&hedge, VenueState::Filled, Some(30));
    is_done(&desk, &hedge, 0);
    assert_eq!((desk.last_placed(), desk.alarms(Alarm::FailedFill)), (last, 1));
}

#[test]
fn an_order_ends_by_a_count_with_its_failed_fill_in_it_or_without() {
    for counted in [0, 10] {
        let (mut desk, hedge) = hedging();
        let fill = desk.fill_of(&hedge, 10);
        desk.report(Report::Fill(fill));
        desk.report(Report::Finality { fill: fill.fill, state: Finality::Failed });
        desk.status(&hedge, VenueState::Cancelled, Some(counted));
        is_done(&desk, &hedge, 0);
        is_corrected(&desk, &hedge, 30);
    }
}

#[test]
fn what_did_not_fail_is_waited_for() {
    let (mut desk, hedge) = hedging();
    let fill = failed(&mut desk, &hedge, 10);
    desk.report(Report::Fill(fill));
    desk.report(Report::Fill(fill));
    desk.status(&hedge, VenueState::Filled, Some(30));
    desk.fill(&hedge, 10);
    assert_ne!(record(&desk, &hedge).state, OrderState::Done, "ten more are told in a moment");
    desk.fill(&hedge, 10);
    is_done(&desk, &hedge, 20);
    is_corrected(&desk, &hedge, 10);
}

/// The order is over with 30 contracts by the venue's count; 10 of them were told, and failed. 20 are owed.
fn owing() -> (Desk, Order) {
    let (mut desk, hedge) = hedging();
    desk.status(&hedge, VenueState::Filled, Some(30));
    let fill = desk.fill_of(&hedge, 10);
    desk.report(Report::Fill(fill));
    assert_eq!(desk.group_states().last(), Some(&GroupState::Hedged), "by the venue's count");
    desk.report(Report::Finality { fill: fill.fill, state: Finality::Failed });
    assert_eq!(
        desk.group_states().last(),
        Some(&GroupState::Working),
        "ten are to be bought again"
    );
    (desk, hedge)
}

#[test]
fn nothing_is_bought_again_beside_an_order_that_owes_a_fill() {
    let (mut desk, hedge) = owing();
    desk.wait(Nanos::from_millis(500));
    assert_eq!(desk.last_placed(), hedge, "G3: it is in flight until all of it is told");
    desk.fill(&hedge, 20);
    is_done(&desk, &hedge, 20);
    let again = desk.last_placed();
    assert_eq!((again.market, again.action, again.qty), (PM, Action::Buy, qty(10)));
    desk.fill(&again, 10);
    assert_eq!(desk.group_states().last(), Some(&GroupState::Hedged));
    assert!(desk.core.is_idle());
}

#[test]
fn what_an_order_never_tells_is_not_waited_for_with_a_leg_alone() {
    let (mut desk, hedge) = owing();
    desk.wait(desk.core.limits().span(LimitRow::LegTimeoutMs));
    assert_eq!(desk.group_states().last(), Some(&GroupState::Unwinding));
    assert_eq!(desk.last_placed(), hedge, "G3: nothing is sold beside it either");
    desk.fill(&hedge, 20);
    let sale = desk.last_placed();
    assert_eq!((sale.market, sale.action, sale.qty), (KA, Action::Sell, qty(10)));
    desk.fill(&sale, 10);
    assert_eq!(desk.group_states().last(), Some(&GroupState::Hedged));
    assert!(desk.core.is_idle());
}

#[test]
fn a_fill_told_after_the_word_that_it_failed_is_not_waited_for() {
    let (mut desk, hedge) = hedging();
    let fill = desk.fill_of(&hedge, 30);
    desk.report(Report::Finality { fill: fill.fill, state: Finality::Failed });
    desk.status(&hedge, VenueState::Filled, Some(30));
    desk.report(Report::Fill(fill));
    is_done(&desk, &hedge, 0);
    is_corrected(&desk, &hedge, 30);
}

#[test]
fn a_failed_fill_by_a_name_that_is_told_later_is_not_waited_for() {
    let (mut desk, hedge) = hedging();
    let key = VenueKey::new(7_777);
    desk.status(&hedge, VenueState::Filled, Some(30));
    let fill = Fill { order: OrderRef::Key(key), ..failed(&mut desk, &hedge, 30) };
    desk.report(Report::Fill(fill));
    desk.report(Report::Bound { order: hedge.id, key });
    is_done(&desk, &hedge, 0);
    is_corrected(&desk, &hedge, 30);
}

#[test]
fn an_order_that_is_over_and_that_the_venue_does_not_know_is_not_asked_about_for_ever() {
    let (mut desk, hedge) = hedging();
    desk.status(&hedge, VenueState::Filled, Some(30));
    let absent = Report::Absent { order: hedge.id, venue: hedge.venue };
    for _ in 0..3 {
        desk.report(absent);
        assert_ne!(record(&desk, &hedge).state, OrderState::Done, "reads may lag");
        desk.wait(Nanos::from_secs(10));
    }
    desk.report(absent);
    is_done(&desk, &hedge, 0);
    is_corrected(&desk, &hedge, 30);
}

#[test]
fn a_sale_whose_fill_failed_before_it_was_told_is_made_again() {
    let mut desk = Desk::new();
    let sale = super::reducing::unwinding_at_polymarket(&mut desk);
    desk.status(&sale, VenueState::Filled, Some(sale.qty.micros() / 1_000_000));
    let fill = failed(&mut desk, &sale, sale.qty.micros() / 1_000_000);
    desk.report(Report::Fill(fill));
    is_done(&desk, &sale, 0);
    desk.wait(Nanos::from_secs(5));
    let again = desk.last_placed();
    assert_ne!(again.id, sale.id);
    assert_eq!((again.action, again.market, again.qty), (Action::Sell, sale.market, sale.qty));
}
