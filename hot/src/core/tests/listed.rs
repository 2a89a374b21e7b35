//! A run that begins with many orders on the books hears of them from the venues' lists, and asks about the others.

use super::*;
use crate::event::Listing;
use crate::order::OrderState;

/// As many quotes of one contract rest at Kalshi, and the program is started anew.
fn restarted(resting: u64) -> (Desk, Vec<Order>) {
    let mut desk = Desk::new();
    desk.book(KA, &[(40, 1_000)], &[(60, 1_000)]);
    for nth in 0..resting {
        desk.wait(Nanos::from_secs(5));
        desk.control(Control::Rest {
            market: KA,
            outcome: Outcome::Yes,
            action: Action::Buy,
            price: price(1 + (nth % 30) as u16),
            qty: qty(4 + nth / 30),
            expires: None,
            post_only: true,
            exit: false,
        });
        let order = desk.last_placed();
        desk.status(&order, VenueState::Resting, Some(0));
    }
    let orders = desk.placed();
    assert_eq!(orders.len() as u64, resting);
    desk.intents.clear();
    desk.wait(Nanos::from_secs(1));
    desk.control(Control::Start { epoch: 2, first_order: 10_000 });
    (desk, orders)
}

fn queries(desk: &Desk) -> usize {
    desk.intents.iter().filter(|intent| matches!(intent, Intent::Query(_))).count()
}

fn open(order: &Order, filled: u64) -> [Control; 2] {
    let (venue, market, key) = (Venue::Kalshi, Some(order.market), VenueKey::new(order.id.get()));
    let order = OrderRef::Id(order.id);
    let listing = Listing { filled: qty(filled), terms: None };
    [Control::Open { venue, market, order, key }, Control::Listed { venue, order, listing }]
}

fn unknown(desk: &Desk) -> u64 {
    desk.core.stats().orders_unknown_live
}

#[test]
fn a_few_are_asked_about_at_once() {
    let (desk, orders) = restarted(crate::core::ASKED_SINGLY_MAX as u64);
    assert_eq!(queries(&desk), orders.len());
}

#[test]
fn of_many_the_list_says_what_rests_and_the_others_are_asked_about_as_it_ends() {
    let (mut desk, orders) = restarted(40);
    assert_eq!((queries(&desk), unknown(&desk)), (0, 40));
    desk.wait(Nanos::from_secs(1));
    let (gone, listed) = orders.split_last().unwrap();
    let rows: Vec<Control> = listed.iter().flat_map(|order| open(order, 0)).collect();
    desk.reading(Venue::Kalshi, &rows);
    assert_eq!((queries(&desk), unknown(&desk)), (1, 1), "one is not on the list");
    desk.status(gone, VenueState::Cancelled, Some(0));
    assert_eq!(unknown(&desk), 0);
    for _ in 0..50 {
        desk.wait(Nanos::from_millis(100));
    }
    assert_eq!(queries(&desk), 1, "nobody is asked about what the list has told");
    assert!(desk.core.orders().live().all(|record| record.state == OrderState::Resting));
}

#[test]
fn without_a_list_they_are_asked_about_after_four_seconds() {
    let (mut desk, orders) = restarted(40);
    desk.wait(Nanos::from_millis(3_990));
    assert_eq!(queries(&desk), 0);
    desk.wait(Nanos::from_millis(10));
    assert_eq!(queries(&desk), orders.len());
}

#[test]
fn what_filled_while_the_program_was_away_is_asked_for() {
    let (mut desk, orders) = restarted(40);
    desk.wait(Nanos::from_secs(1));
    let mut rows: Vec<Control> = orders.iter().flat_map(|order| open(order, 0)).collect();
    rows.splice(0..2, open(&orders[0], 3));
    desk.reading(Venue::Kalshi, &rows);
    let record = desk.core.orders().find(OrderRef::Id(orders[0].id)).unwrap();
    assert_eq!(
        (record.state, record.claimed, record.filled),
        (OrderState::Resting, qty(3), qty(0))
    );
    assert_eq!(queries(&desk), 1, "a list names no fills");
    desk.fill(&orders[0], 3);
    assert_eq!(desk.held(KA, Outcome::Yes), qty(3));
    assert_eq!(unknown(&desk), 0);
}

/// A list that was read before an order was in doubt, or is of an order that nobody doubts, says nothing new.
#[test]
fn a_list_answers_for_no_order_that_was_sent_after_it_began_nor_for_one_that_is_known() {
    let (mut desk, orders) = restarted(40);
    let rows: Vec<Control> = orders.iter().flat_map(|order| open(order, 0)).collect();
    let since = Nanos::from_secs(1); // long before any of them was sent
    desk.control(Control::Reading { venue: Venue::Kalshi, since });
    rows.iter().for_each(|row| desk.control(*row));
    assert_eq!(unknown(&desk), 40);
    desk.status(&orders[0], VenueState::Resting, Some(2));
    desk.wait(Nanos::from_secs(1));
    desk.reading(Venue::Kalshi, &open(&orders[0], 0));
    let record = desk.core.orders().find(OrderRef::Id(orders[0].id)).unwrap();
    assert_eq!(record.claimed, qty(2));
}
