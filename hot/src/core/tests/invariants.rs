//! What a running core checks of itself, and that the alarm rings.

use super::*;
use crate::bounds::{INVARIANT_POSITIONS, INVARIANTS_EVERY};

/// The market with the highest number that anything was booked in: those beyond it are not looked at.
const LAST: u16 = 100;

/// Hands timer events in until the core has checked itself `times` more.
fn run_to_check(core: &mut Core, now: Nanos, times: u64) {
    let mut out = Outbox::new();
    let until = core.stats().invariant_checks + times;
    while core.stats().invariant_checks < until {
        core.on_event(now, &Event::Timer, &mut out);
        out.clear();
    }
}

/// A desk that holds contracts and has orders and a group in flight.
fn busy() -> Desk {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    desk
}

#[test]
fn a_running_core_checks_itself_at_intervals_and_comes_round_all_markets() {
    let mut desk = busy();
    let last = MarketId::new(LAST);
    desk.event(Event::Market(terms(last)));
    desk.event(Event::Settled { market: last, yes_pays: Price::ZERO });
    let events = desk.core.stats().events;
    run_to_check(&mut desk.core, desk.now, 1);
    let checked = desk.core.stats();
    assert_eq!(checked.events % INVARIANTS_EVERY, 0);
    assert!(checked.events - events <= INVARIANTS_EVERY);
    let slices = (usize::from(LAST) + 1).div_ceil(INVARIANT_POSITIONS) as u64;
    for _ in 1..slices {
        assert_ne!(desk.core.money.checked_to(), 0, "one slice a time");
        run_to_check(&mut desk.core, desk.now, 1);
    }
    assert_eq!(desk.core.money.checked_to(), 0, "all markets were looked at");
    assert_eq!(desk.core.stats().events, checked.events + (slices - 1) * INVARIANTS_EVERY);
}

#[test]
#[should_panic(expected = "R5: reservations are the sum of live orders and holds")]
fn a_reservation_that_no_order_explains_stops_a_running_core() {
    let mut desk = busy();
    let account = crate::ledger::CashAccount::of(Venue::Kalshi, 0);
    desk.core.money.ledger_mut().reserve(account, Usd::from_micros(1));
    run_to_check(&mut desk.core, desk.now, 1);
}

#[test]
#[should_panic(expected = "R2: exposure is what is held and reserved")]
fn exposure_that_nothing_explains_stops_a_running_core() {
    let mut desk = busy();
    desk.core.money.exposure_mut().add(&terms(KA), Usd::from_micros(1));
    run_to_check(&mut desk.core, desk.now, 1);
}

#[test]
#[should_panic(expected = "O4: more than was ordered is filled only with an alarm")]
fn an_overfill_without_an_alarm_stops_a_running_core() {
    let mut desk = busy();
    let id = desk.core.orders.live_id(0).unwrap();
    let record = desk.core.orders.find_mut(OrderRef::Id(id)).unwrap();
    record.filled = record.order.qty + qty(1);
    record.claimed = record.filled;
    run_to_check(&mut desk.core, desk.now, 1);
}

/// The first live order of a desk at work, changed in a way that no event can.
fn with_first_order(spoil: fn(&mut crate::order::Record)) {
    let mut desk = busy();
    let id = desk.core.orders.live_id(0).unwrap();
    spoil(desk.core.orders.find_mut(OrderRef::Id(id)).unwrap());
    run_to_check(&mut desk.core, desk.now, 1);
}

#[test]
#[should_panic(expected = "O1: an order that ended has no more fills than it ended with")]
fn more_fills_than_an_order_ended_with_stop_a_running_core() {
    with_first_order(|record| {
        (record.filled, record.claimed, record.ended) = (qty(2), qty(2), Some(qty(1)));
    });
}

#[test]
#[should_panic(expected = "O1: what is booked is part of what the venue is known to have filled")]
fn fills_that_no_count_of_the_venue_has_stop_a_running_core() {
    with_first_order(|record| (record.filled, record.claimed) = (qty(1), Qty::ZERO));
}

#[test]
#[should_panic(expected = "O17: an order has a group, or is sent alone")]
fn an_order_without_an_owner_stops_a_running_core() {
    with_first_order(|record| record.order.group = crate::group::NO_GROUP);
}

#[test]
#[should_panic(expected = "O17: the order that a leg waits for is alive and of the leg's group")]
fn a_leg_that_waits_for_an_order_of_another_group_stops_a_running_core() {
    with_first_order(|record| record.order.group = crate::ids::GroupId::new(999));
}

#[test]
#[should_panic(expected = "O2: no more is taken back than was booked")]
fn more_taken_back_than_was_booked_stops_a_running_core() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    let fill = desk.fill_of(&first, 30);
    desk.report(Report::Fill(fill));
    desk.core.orders.find_mut(OrderRef::Id(first.id)).unwrap().filled = Qty::ZERO;
    let failed = Report::Finality { fill: fill.fill, state: Finality::Failed };
    desk.core.on_event(desk.now, &Event::Report(failed), &mut Outbox::new());
}

// --- the check after each event ---

/// Events that bring the time and nothing else, each checked as on a simulated day.
fn hear_the_time(desk: &mut Desk, events: u32, checked: &mut Checked) {
    for _ in 0..events {
        let event = Event::Handed { read: desk.now };
        let mut out = Outbox::new();
        desk.core.on_event(desk.now, &event, &mut out);
        desk.core.check_after(&event, &out, checked);
    }
}

#[test]
#[should_panic(expected = "R5: reservations are the sum of live orders and holds")]
fn a_reservation_that_no_order_explains_is_found_after_the_next_event_of_any_kind() {
    let (mut desk, mut checked) = (busy(), Checked::default());
    hear_the_time(&mut desk, 2, &mut checked);
    let account = crate::ledger::CashAccount::of(Venue::Kalshi, 0);
    desk.core.money.ledger_mut().reserve(account, Usd::from_micros(1));
    hear_the_time(&mut desk, 1, &mut checked);
}

#[test]
#[should_panic(expected = "R6: cash of sales that may fail is held back, and nothing else")]
fn cash_held_back_for_no_sale_is_found_after_the_next_event_of_any_kind() {
    let (mut desk, mut checked) = (busy(), Checked::default());
    hear_the_time(&mut desk, 2, &mut checked);
    *desk.core.money.doubtful_mut() += Usd::from_micros(1);
    hear_the_time(&mut desk, 1, &mut checked);
}

#[test]
#[should_panic(expected = "R2: what may be taken back completes nothing")]
fn what_only_a_walk_finds_is_found_after_the_next_event_that_moves_money() {
    let (mut desk, mut checked) = (busy(), Checked::default());
    hear_the_time(&mut desk, 2, &mut checked);
    desk.core.money.worth_mut().on_provisional(PM);
    let event = Event::Market(terms(MarketId::new(LAST)));
    let mut out = Outbox::new();
    desk.core.on_event(desk.now, &event, &mut out);
    desk.core.check_after(&event, &out, &mut checked);
}

#[test]
#[should_panic(expected = "R2: what may be taken back completes nothing")]
fn what_only_a_walk_finds_is_found_sixty_five_quiet_events_later_at_the_latest() {
    let (mut desk, mut checked) = (busy(), Checked::default());
    hear_the_time(&mut desk, 2, &mut checked);
    desk.core.money.worth_mut().on_provisional(PM);
    hear_the_time(&mut desk, 65, &mut checked);
}
