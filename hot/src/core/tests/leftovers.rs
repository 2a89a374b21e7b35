//! Contracts without a partner that the venue takes no order for, and legs that cannot be sold just now: while the market
//! trades, no group is left to a person for them.

use super::adopt::{again, restart};
use super::reducing::{two_legs_to_sell, unwinding_at_polymarket};
use super::*;
use crate::bounds::DATA_AGE_MAX;
use crate::ids::Action;
use crate::order::Purpose;
use crate::report::Reject;

/// A step between two sales of a leg, and a moment.
const STEP: Nanos = Nanos::from_millis(600);

/// An order fills so far, and its rest is gone.
fn fills_in_part(desk: &mut Desk, order: &Order, hundredths: u64) {
    let qty = Qty::from_micros(hundredths * 10_000);
    if !qty.is_zero() {
        let fill = Fill { qty, ..desk.fill_of(order, 1) };
        desk.report(Report::Fill(fill));
    }
    let filled = Some(qty);
    let (order, state) = (OrderRef::Id(order.id), VenueState::Cancelled);
    desk.report(Report::Status(OrderStatus { order, state, filled }));
}

/// 30 YES at Polymarket of which all were sold but so many hundredths.
fn left_over(desk: &mut Desk, hundredths: u64) {
    let sale = unwinding_at_polymarket(desk);
    fills_in_part(desk, &sale, 3_000 - hundredths);
    assert_eq!(desk.last_placed(), sale, "corrections keep their distance");
}

fn rejected(desk: &mut Desk, order: &Order, why: Reject) {
    desk.report(Report::Rejected { order: OrderRef::Id(order.id), why });
}

fn top_ups(desk: &Desk) -> usize {
    desk.placed().iter().filter(|order| order.purpose == Purpose::TopUp).count()
}

/// All is sold, and nobody was called.
fn is_flat(desk: &Desk) {
    assert_eq!(desk.group_states().last(), Some(&GroupState::Flat));
    assert_eq!(desk.held(PM, Outcome::Yes), Qty::ZERO);
    assert_eq!(desk.core.halted(), None);
    assert_eq!(desk.core.stats().baskets_operator, 0);
    assert_eq!(desk.reserved(), Usd::ZERO);
    assert!(desk.core.is_idle());
}

#[test]
fn an_order_that_ends_a_cent_of_a_contract_short_or_over_is_whole() {
    for hundredths in [2_999, 3_001] {
        let mut desk = Desk::new();
        desk.gap();
        let order = desk.last_placed();
        let qty = Qty::from_micros(hundredths * 10_000);
        let fill = Fill { qty, ..desk.fill_of(&order, 1) };
        desk.report(Report::Fill(fill));
        let (id, state, filled) = (OrderRef::Id(order.id), VenueState::Filled, Some(qty));
        desk.report(Report::Status(OrderStatus { order: id, state, filled }));
        let record = desk.core.orders().find(id).unwrap();
        assert_eq!((record.is_over(), record.reserved), (true, Usd::ZERO), "{hundredths}");
        assert_eq!(desk.held(order.market, order.outcome), qty);
        assert_eq!(desk.core.stats().alarms, 0, "{hundredths}");
        assert_eq!(desk.last_placed().purpose, Purpose::Hedge, "the next leg is bought");
    }
}

#[test]
fn a_rest_below_the_least_size_is_sold_by_an_order_that_may_not_rest() {
    let mut desk = Desk::new();
    left_over(&mut desk, 377);
    desk.wait(STEP);
    let sale = desk.last_placed();
    assert_eq!((sale.purpose, sale.tif), (Purpose::Unwind, Tif::Ioc));
    assert_eq!(sale.qty, Qty::from_micros(3_770_000));
    fills_in_part(&mut desk, &sale, 377);
    is_flat(&desk);
}

#[test]
fn where_the_venue_refuses_so_small_a_sale_more_is_bought_and_all_sold() {
    let mut desk = Desk::new();
    left_over(&mut desk, 377);
    desk.wait(STEP);
    let sale = desk.last_placed();
    rejected(&mut desk, &sale, Reject::Terms);
    desk.wait(STEP);
    let more = desk.last_placed();
    assert_eq!((more.purpose, more.action), (Purpose::TopUp, Action::Buy));
    assert_eq!((more.market, more.outcome, more.price), (PM, Outcome::Yes, price(40)));
    assert_eq!(more.qty, qty(5), "the least that the venue takes");
    assert!(desk.reserved() > Usd::from_dollars(2), "its cash is held");
    desk.wait(STEP);
    assert_eq!(desk.last_placed(), more, "one correction at a time");
    fills_in_part(&mut desk, &more, 500);
    let sale = desk.last_placed();
    assert_eq!((sale.purpose, sale.qty), (Purpose::Unwind, Qty::from_micros(8_770_000)));
    fills_in_part(&mut desk, &sale, 877);
    is_flat(&desk);
}

#[test]
fn a_rest_that_came_to_be_worth_less_than_the_venue_takes_is_topped_up() {
    let mut desk = Desk::new();
    left_over(&mut desk, 400);
    desk.book(PM, &[(20, 300)], &[(22, 100)]);
    desk.wait(STEP);
    let more = desk.last_placed();
    assert_eq!((more.purpose, more.price), (Purpose::TopUp, price(22)));
    assert!(more.price.proceeds_floor(more.qty) >= Usd::from_dollars(1));
    assert!(more.qty <= qty(5), "no more than the least: {}", more.qty);
    let spent = more.qty;
    fills_in_part(&mut desk, &more, spent.micros() / 10_000);
    let sale = desk.last_placed();
    assert_eq!((sale.purpose, sale.qty), (Purpose::Unwind, qty(4) + spent));
    fills_in_part(&mut desk, &sale, sale.qty.micros() / 10_000);
    is_flat(&desk);
}

#[test]
fn a_sale_goes_down_the_book_no_farther_than_the_venue_takes_it() {
    let mut desk = Desk::new();
    left_over(&mut desk, 400);
    // $1.08 at the best bid, 96 cents where there is room for all of it.
    desk.book(PM, &[(27, 3), (24, 300)], &[(40, 100)]);
    desk.wait(STEP);
    let sale = desk.last_placed();
    assert_eq!((sale.purpose, sale.price, sale.qty), (Purpose::Unwind, price(26), qty(4)));
}

#[test]
fn all_of_a_leg_that_fell_below_a_dollar_is_topped_up_too() {
    let mut desk = Desk::new();
    let sale = unwinding_at_polymarket(&mut desk);
    desk.book(PM, &[(3, 300)], &[(4, 100)]);
    fills_in_part(&mut desk, &sale, 0);
    desk.wait(STEP);
    // 30 at the bid are worth ninety cents.
    let more = desk.last_placed();
    assert_eq!((more.purpose, more.price), (Purpose::TopUp, price(4)));
    fills_in_part(&mut desk, &more, more.qty.micros() / 10_000);
    let sale = desk.last_placed();
    assert_eq!(sale.purpose, Purpose::Unwind);
    assert!(sale.price.proceeds_floor(sale.qty) >= Usd::from_dollars(1));
    fills_in_part(&mut desk, &sale, sale.qty.micros() / 10_000);
    is_flat(&desk);
}

#[test]
fn a_concession_is_not_made_where_the_sale_would_be_too_small_for_it() {
    let mut desk = Desk::new();
    left_over(&mut desk, 265);
    desk.wait(STEP);
    let sale = desk.last_placed();
    // $1.007 at the bid, 98 cents a cent below it.
    assert_eq!((sale.purpose, sale.price), (Purpose::Unwind, price(38)));
}

#[test]
fn what_is_worth_less_than_a_top_up_loses_is_left() {
    let mut desk = Desk::new();
    left_over(&mut desk, 10);
    assert_eq!(top_ups(&desk), 0);
    assert_eq!(desk.group_states().last(), Some(&GroupState::Flat));
    assert_eq!(desk.core.halted(), None);
    // Worth more than that, it is not left though it is worth less than a dollar.
    let mut desk = Desk::new();
    left_over(&mut desk, 100);
    desk.wait(STEP);
    assert_eq!(top_ups(&desk), 1);
}

#[test]
fn a_top_up_waits_for_a_price_at_which_it_does_not_lose_more_than_it_frees() {
    let mut desk = Desk::new();
    left_over(&mut desk, 400);
    desk.book(PM, &[(20, 300)], &[(70, 100)]);
    for _ in 0..20 {
        desk.wait(STEP);
    }
    assert_eq!((top_ups(&desk), desk.core.halted()), (0, None));
    desk.book(PM, &[(20, 300)], &[(22, 100)]);
    desk.wait(Nanos::from_millis(10));
    assert_eq!(top_ups(&desk), 1);
}

#[test]
fn top_ups_are_bounded_and_none_is_bought_in_a_halt() {
    let mut desk = Desk::new();
    left_over(&mut desk, 400);
    desk.book(PM, &[(20, 300)], &[(22, 100)]);
    for _ in 0..20 {
        desk.wait(STEP);
        let last = desk.last_placed();
        if last.purpose == Purpose::TopUp {
            fills_in_part(&mut desk, &last, 0);
        }
    }
    assert_eq!(top_ups(&desk), 5, "after one that brought nothing the next one waits, ever longer");
    while !desk.core.groups().is_empty() && top_ups(&desk) < 16 {
        desk.book(PM, &[(20, 300)], &[(22, 100)]); // a book that is silent for minutes is not bought from
        desk.wait(STEP);
        let last = desk.last_placed();
        if last.purpose == Purpose::TopUp {
            fills_in_part(&mut desk, &last, 0);
        }
    }
    assert_eq!(top_ups(&desk), 16, "within the ten minutes that it may wait");
    for _ in 0..80 {
        desk.book(PM, &[(20, 300)], &[(22, 100)]);
        desk.wait(STEP);
    }
    assert_eq!(top_ups(&desk), 16, "and no more");
    desk.book(PM, &[(30, 300)], &[(32, 100)]);
    desk.wait(STEP);
    assert_eq!(desk.last_placed().purpose, Purpose::Unwind, "it is sold when it can be");

    let mut desk = Desk::new();
    left_over(&mut desk, 400);
    desk.control(Control::Halt { epoch: 2, why: HaltWhy::Operator });
    desk.book(PM, &[(20, 300)], &[(22, 100)]);
    for _ in 0..20 {
        desk.wait(STEP);
    }
    assert_eq!(top_ups(&desk), 0);
}

#[test]
fn a_top_up_that_never_left_is_sent_again_and_counts_as_none() {
    let mut desk = Desk::new();
    left_over(&mut desk, 100);
    desk.wait(STEP);
    for tried in 1..10 {
        assert_eq!(top_ups(&desk), tried);
        let last = desk.last_placed();
        desk.report(Report::Unsent { order: last.id, why: crate::report::Unsent::Down });
        assert_eq!(desk.reserved(), Usd::ZERO);
        desk.wait(Nanos::from_secs(1));
    }
    let last = desk.last_placed();
    fills_in_part(&mut desk, &last, last.qty.micros() / 10_000);
    assert_eq!(desk.last_placed().purpose, Purpose::Unwind);
}

#[test]
fn a_leftover_under_a_dollar_that_cannot_be_topped_up_for_long_halts_nothing() {
    let mut desk = Desk::new();
    left_over(&mut desk, 100);
    desk.wait(STEP);
    for _ in 0..610 {
        // ten minutes and a little
        let last = desk.last_placed();
        desk.report(Report::Unsent { order: last.id, why: crate::report::Unsent::Down });
        desk.wait(Nanos::from_secs(1));
    }
    assert!(top_ups(&desk) > 100, "it was tried all the time");
    assert_eq!(desk.group_states().last(), Some(&GroupState::Flat));
    assert_eq!((desk.core.halted(), desk.core.stats().baskets_operator), (None, 0));
}

#[test]
fn a_top_up_that_is_refused_for_its_size_is_made_as_large_as_the_least() {
    let mut desk = Desk::new();
    left_over(&mut desk, 200);
    desk.wait(STEP);
    let more = desk.last_placed();
    assert!(more.purpose == Purpose::TopUp && more.qty < qty(5), "{more:?}");
    rejected(&mut desk, &more, Reject::Terms);
    desk.wait(Nanos::from_secs(2));
    let more = desk.last_placed();
    assert!(more.purpose == Purpose::TopUp && more.qty >= qty(3), "{more:?}");
    fills_in_part(&mut desk, &more, more.qty.micros() / 10_000);
    let sale = desk.last_placed();
    assert!(sale.purpose == Purpose::Unwind && sale.qty >= qty(5), "{sale:?}");
    fills_in_part(&mut desk, &sale, sale.qty.micros() / 10_000);
    is_flat(&desk);
}

#[test]
fn nothing_is_topped_up_from_old_frames_and_it_is_no_dust_for_that() {
    let mut desk = Desk::new();
    left_over(&mut desk, 100);
    desk.silence();
    let now = desk.now;
    desk.now = now.after(DATA_AGE_MAX).after(STEP);
    desk.wait(STEP);
    assert_eq!(top_ups(&desk), 0, "old frames");
    assert_ne!(desk.group_states().last(), Some(&GroupState::Flat));
    let now = desk.now;
    desk.tell_current(&Venue::ALL, now);
    desk.wait(Nanos::from_millis(10));
    assert_eq!(top_ups(&desk), 1);
}

#[test]
fn a_sale_that_goes_on_part_by_part_calls_nobody() {
    let mut desk = Desk::new();
    let mut sale = unwinding_at_polymarket(&mut desk);
    for _ in 0..9 {
        fills_in_part(&mut desk, &sale, 300);
        desk.wait(STEP);
        let last = desk.last_placed();
        assert_eq!((last.purpose, last.qty + qty(3)), (Purpose::Unwind, sale.qty));
        assert!(last.price >= price(37), "no cent more for each part");
        sale = last;
    }
    fills_in_part(&mut desk, &sale, 300);
    is_flat(&desk);
}

#[test]
fn a_leg_that_cannot_be_sold_keeps_no_other_one_waiting() {
    let spoils: [fn(&mut Desk); 2] = [
        |desk| desk.book(KA, &[], &[(30, 30)]),
        |desk| desk.event(Event::Status { market: KA, status: MarketStatus::Paused }),
    ];
    for spoil in spoils {
        let mut desk = two_legs_to_sell(spoil);
        let sale = desk.last_placed();
        assert_eq!((sale.purpose, sale.market), (Purpose::Unwind, MarketId::new(2)));
        desk.fill(&sale, 30);
        desk.event(Event::Status { market: KA, status: MarketStatus::Open });
        desk.book(KA, &[(28, 300)], &[(30, 30)]);
        desk.wait(Nanos::from_secs(1));
        let sale = desk.last_placed();
        assert_eq!((sale.purpose, sale.market), (Purpose::Unwind, KA));
        desk.fill(&sale, 30);
        assert_eq!(desk.group_states().last(), Some(&GroupState::Flat));
    }
}

/// A core before which a top-up was sent, and the top-up.
fn topped_up() -> (Desk, Order) {
    let mut desk = Desk::new();
    left_over(&mut desk, 100);
    desk.wait(STEP);
    let more = desk.last_placed();
    assert_eq!(more.purpose, Purpose::TopUp);
    (desk, more)
}

#[test]
fn a_crash_between_a_top_up_and_the_sale_sells_all_of_it() {
    let (before, more) = topped_up();
    let mut desk = again(&before, |desk| left_over(desk, 100));
    desk.event(Event::Adopt(more));
    restart(&mut desk);
    assert_eq!(desk.placed(), [], "nothing is sold before its fate is known");
    fills_in_part(&mut desk, &more, more.qty.micros() / 10_000);
    let sale = desk.last_placed();
    assert_eq!((sale.purpose, sale.qty), (Purpose::Unwind, qty(1) + more.qty));
    fills_in_part(&mut desk, &sale, sale.qty.micros() / 10_000);
    is_flat(&desk);
}

#[test]
fn a_top_up_says_that_its_group_was_being_sold_though_the_journal_lost_that() {
    let (before, more) = topped_up();
    let mut desk = again(&before, |desk| {
        desk.gap();
        let first = desk.last_placed();
        desk.fill(&first, 30);
    });
    let state = |desk: &Desk| desk.core.groups().iter().next().unwrap().state();
    assert_eq!(state(&desk), GroupState::Working);
    desk.event(Event::Adopt(more));
    assert_eq!(state(&desk), GroupState::Unwinding);
}
