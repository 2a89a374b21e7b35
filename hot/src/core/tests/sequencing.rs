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
    assert_eq!((first.purpose, second.purpose), (Purpose::Leg, Purpose::Hedge));
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

#[test]
fn a_leg_that_never_left_is_sent_again_beside_the_other_and_not_once_that_has_failed() {
    let (mut desk, [first, second]) = both_at_once();
    desk.report(Report::Unsent { order: second.id, why: crate::report::Unsent::Down });
    desk.wait(Nanos::from_millis(100));
    let again = desk.last_placed();
    assert_eq!((again.market, again.qty), (PM, qty(30)));
    assert_ne!(again.id, second.id);
    desk.report(Report::Unsent { order: again.id, why: crate::report::Unsent::Down });
    desk.report(Report::Rejected { order: OrderRef::Id(first.id), why: Reject::Killed });
    desk.wait(Nanos::from_millis(500)); // longer than its pause, and less than the cooldown
    assert_eq!(desk.last_placed(), again);
    assert_eq!(desk.group_states().last(), Some(&GroupState::Flat));
    assert_eq!((desk.reserved(), desk.core.stats().baskets_failed), (Usd::ZERO, 1));
    assert!(desk.core.is_idle());
}
