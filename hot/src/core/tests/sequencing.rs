//! In what order the legs of a basket leave, and what becomes of legs that left at once.

use super::*;
use crate::group::Sequencing;
use crate::order::Purpose;
use crate::report::Reject;

/// What the venues are taken to have shown: of first legs one in forty failed, of later ones more than half.
fn where_waiting_fails(desk: &mut Desk) {
    let risk = desk.core.groups.leg_risks_mut().of_mut(Venue::Kalshi, Venue::Polymarket);
    for nth in 0..40 {
        risk.on_first(nth > 0);
        match nth % 2 {
            0 => risk.on_unwound(Usd::from_dollars(100), Usd::from_cents(50)),
            _ => risk.on_hedged(),
        }
    }
}

fn told(desk: &Desk) -> Vec<(Sequencing, Usd, Sequencing, Usd)> {
    let told = desk.notes.iter().filter_map(|note| match *note {
        Note::Sequenced { taken, expected, other, other_expected, .. } => {
            Some((taken, expected, other, other_expected))
        }
        _ => None,
    });
    told.collect()
}

/// Both legs of the gap, which left at once.
fn both_at_once() -> (Desk, [Order; 2]) {
    let mut desk = Desk::new();
    let mut limits = desk.core.limits;
    assert!(limits.set(LimitRow::Sequencing, 2, false));
    desk.core.limits = limits;
    where_waiting_fails(&mut desk);
    desk.gap();
    let placed = desk.placed();
    let [first, second] = placed[..] else { panic!("both leave at once: {placed:?}") };
    assert_eq!((first.market, second.market), (KA, PM));
    assert_eq!((first.qty, second.qty), (qty(30), qty(30)), "each at its planned size");
    assert_eq!((first.price, second.price), (price(50), price(40)), "and at the plan's own price");
    assert_eq!((first.purpose, second.purpose), (Purpose::Leg, Purpose::Leg));
    (desk, [first, second])
}

#[test]
fn one_leg_leaves_after_the_other_and_what_another_order_would_cost_is_told() {
    let mut desk = Desk::new();
    desk.gap();
    assert_eq!(desk.placed().len(), 1);
    let [(taken, expected, other, other_expected)] = told(&desk)[..] else { panic!("told once") };
    assert_eq!((taken, other), (Sequencing::Sequential, Sequencing::Parallel));
    // $27 x 0.85 x 0.15 x 3.5 %, and $27 x 2 x 0.85 x 0.15 x 3.5 %
    assert_eq!((expected, other_expected), (Usd::from_micros(120_488), Usd::from_micros(240_975)));
    // However dear waiting is: nothing else is allowed.
    let mut desk = Desk::new();
    where_waiting_fails(&mut desk);
    desk.gap();
    assert_eq!(desk.placed().len(), 1);
    assert!(
        matches!(told(&desk)[..], [(Sequencing::Sequential, dear, Sequencing::Parallel, less)] if less < dear)
    );
}

#[test]
fn legs_that_left_at_once_and_filled_are_a_basket() {
    let (mut desk, [first, second]) = both_at_once();
    assert!(matches!(told(&desk)[..], [(Sequencing::Parallel, _, Sequencing::Sequential, _)]));
    desk.fill(&second, 30);
    desk.fill(&first, 30);
    assert_eq!(desk.group_states().last(), Some(&GroupState::Hedged));
    assert_eq!((desk.placed().len(), desk.reserved()), (2, Usd::ZERO));
}

#[test]
fn of_legs_that_left_at_once_the_one_that_filled_alone_is_sold_once_the_other_is_over() {
    for first_fails in [true, false] {
        let (mut desk, [first, second]) = both_at_once();
        let (fails, fills) = if first_fails { (first, second) } else { (second, first) };
        desk.fill(&fills, 30);
        for _ in 0..10 {
            desk.wait(Nanos::from_millis(100));
        }
        assert_eq!(desk.placed().len(), 2, "G3: the other may still fill");
        desk.report(Report::Rejected { order: OrderRef::Id(fails.id), why: Reject::Killed });
        let sale = desk.last_placed();
        assert_eq!((sale.purpose, sale.market, sale.qty), (Purpose::Unwind, fills.market, qty(30)));
        desk.fill(&sale, 30);
        assert_eq!(desk.group_states().last(), Some(&GroupState::Flat));
        assert!(desk.core.is_idle());
    }
}

/// While nothing is held, nothing is in need of it: it would only be another leg that may fill alone.
#[test]
fn a_leg_that_never_left_beside_the_other_waits_for_what_that_gets() {
    for fills in [true, false] {
        let (mut desk, [first, second]) = both_at_once();
        desk.report(Report::Unsent { order: second.id, why: crate::report::Unsent::Down });
        for up in [false, true] {
            let (venue, link) = (Venue::Polymarket, crate::event::Link::Orders);
            desk.wait(Nanos::from_millis(500));
            desk.event(Event::Link { venue, link, number: LinkNumber::FIRST, up });
        }
        assert_eq!(desk.placed().len(), 2, "it is not sent again");
        assert!(desk.core.groups().iter().all(|group| group.legs()[1].hold > Usd::ZERO));
        if fills {
            desk.fill(&first, 30);
            let hedge = desk.last_placed();
            assert_eq!((hedge.market, hedge.qty, hedge.purpose), (PM, qty(30), Purpose::Hedge));
            desk.fill(&hedge, 30);
            assert_eq!(desk.group_states().last(), Some(&GroupState::Hedged));
        } else {
            desk.report(Report::Rejected { order: OrderRef::Id(first.id), why: Reject::Killed });
            desk.wait(Nanos::from_millis(500)); // longer than its pause, and less than the cooldown
            assert_eq!(desk.placed().len(), 2);
            assert_eq!(desk.group_states().last(), Some(&GroupState::Flat));
            assert_eq!(desk.core.stats().baskets_failed, 1);
        }
        assert_eq!(desk.reserved(), Usd::ZERO);
        assert!(desk.core.is_idle());
    }
}

#[test]
fn a_leg_that_the_gate_keeps_from_leaving_beside_the_other_follows_it() {
    let mut desk = Desk::new();
    let mut limits = desk.core.limits;
    assert!(limits.set(LimitRow::Sequencing, 2, false));
    assert!(limits.set(LimitRow::OrdersPerMinute, 1, false));
    desk.core.limits = limits;
    where_waiting_fails(&mut desk);
    desk.gap();
    assert_eq!(desk.core.groups().iter().next().unwrap().sequencing, Sequencing::Parallel);
    let [first] = desk.placed()[..] else { panic!("one order a minute opens something") };
    desk.wait(Nanos::from_millis(100));
    assert_eq!(desk.placed().len(), 1);
    desk.fill(&first, 30);
    let hedge = desk.last_placed();
    assert_eq!((hedge.market, hedge.qty, hedge.purpose), (PM, qty(30), Purpose::Hedge));
    desk.fill(&hedge, 30);
    assert_eq!(desk.group_states().last(), Some(&GroupState::Hedged));
    assert!(desk.core.is_idle());
}

/// Nothing was bought, so that nothing was sold again and nothing was lost.
#[test]
fn a_group_of_which_nothing_filled_is_no_unwind_however_long_it_took() {
    for halted in [false, true] {
        let (mut desk, [first, second]) = both_at_once();
        desk.report(Report::TimedOut { order: first.id });
        desk.report(Report::Unsent { order: second.id, why: crate::report::Unsent::Down });
        desk.wait(Nanos::from_secs(7));
        if halted {
            desk.control(Control::Halt { epoch: 2, why: HaltWhy::Operator });
            desk.wait(Nanos::from_secs(1));
        }
        assert!(!desk.group_states().contains(&GroupState::Unwinding));
        desk.report(Report::Rejected { order: OrderRef::Id(first.id), why: Reject::Killed });
        assert_eq!(desk.group_states().last(), Some(&GroupState::Flat));
        let stats = desk.core.stats();
        assert_eq!((stats.baskets_unwound, stats.baskets_failed, stats.baskets_judged), (0, 1, 0));
        assert_eq!(desk.reserved(), Usd::ZERO);
    }
}

#[test]
fn a_first_leg_that_never_left_says_nothing_of_how_often_one_fails() {
    let miss = |why: fn(&Order) -> Report| {
        let mut desk = Desk::new();
        desk.gap();
        let first = desk.last_placed();
        desk.report(why(&first));
        assert_eq!(desk.group_states().last(), Some(&GroupState::Flat));
        desk.core.groups.leg_risks().of(Venue::Kalshi, Venue::Polymarket).miss_ppm(150_000)
    };
    let unsent =
        |first: &Order| Report::Unsent { order: first.id, why: crate::report::Unsent::Old };
    let killed =
        |first: &Order| Report::Rejected { order: OrderRef::Id(first.id), why: Reject::Killed };
    assert_eq!(miss(unsent), 150_000, "as is assumed");
    assert!(miss(killed) > 180_000);
}

/// Three markets of a set, two at Kalshi: by what could be had for each if it stood alone, the worst goes out last.
#[test]
fn the_leg_that_is_worst_to_be_left_with_goes_out_last() {
    let third = MarketId::new(2);
    let good = [(28, 300)];
    for (of_ka, of_third, order) in [
        (&good[..], &[(20, 300)][..], [KA, third, PM]), // the wider one follows
        (&[(20, 300)], &good, [third, KA, PM]),
        (&good, &[(28, 29), (27, 300)], [KA, third, PM]), // so does one whose best bid has no room for all
        (&[(28, 29), (27, 300)], &good, [third, KA, PM]),
        (&good, &[], [KA, PM, third]), // nobody bids: worse than fills that may fail
        (&good, &good, [KA, third, PM]), // else they keep the basket's order
    ] {
        let mut desk = Desk::new();
        desk.event(Event::Market(MarketDef { market: third, ..terms(KA) }));
        for (leg, market) in [PM, KA, third].into_iter().enumerate() {
            desk.event(Event::Basket(BasketDef {
                basket: BasketId::new(2),
                kind: BasketKind::ExclusiveYes,
                leg: leg as u8,
                legs: 3,
                market,
                outcome: Outcome::Yes,
                payout: 10_000,
                ratio: 1,
            }));
        }
        for (market, bids) in [(KA, of_ka), (third, of_third), (PM, &good[..])] {
            desk.book(market, bids, &[(30, 30), (60, 100)]);
        }
        let mut markets = Vec::new();
        for _ in 0..3 {
            let order = desk.last_placed();
            markets.push(order.market);
            desk.fill(&order, 30);
        }
        assert_eq!(markets, order);
    }
}
