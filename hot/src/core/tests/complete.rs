//! Contracts that no group explains get the partner that they lack, where that is no worse than selling them.

use super::*;
use crate::order::Purpose;
use crate::report::Reject;

fn count(desk: &Desk, of: Alarm) -> usize {
    let is_it = |note: &&Note| matches!(note, Note::Alarm { what, .. } if *what == of);
    desk.notes.iter().filter(is_it).count()
}

/// Both venues are read twice: 30 YES at Polymarket, and so many NO at Kalshi.
fn read(desk: &mut Desk, no_at_kalshi: u64) {
    let (none, no) = (Qty::ZERO, qty(no_at_kalshi));
    for _ in 0..2 {
        desk.reading(
            Venue::Polymarket,
            &[Control::Position { market: PM, yes: qty(30), no: none }],
        );
        desk.reading(Venue::Kalshi, &[Control::Position { market: KA, yes: none, no }]);
    }
    desk.wait(Nanos::from_millis(10));
}

/// 30 YES at Polymarket that cost 40 cents and could be sold for that; NO at Kalshi is offered at these cents.
fn held(no_offered_at: u16) -> Desk {
    let mut desk = Desk::new();
    desk.core.limits.set(LimitRow::Unpaired, 3, false);
    desk.book(PM, &[(40, 100)], &[(60, 100)]);
    desk.book(KA, &[(100 - no_offered_at, 100)], &[(90, 100)]);
    desk.buy_at_rest(PM, Outcome::Yes, 40, 30);
    desk.intents.clear();
    read(&mut desk, 0);
    desk
}

/// The purchase of the partner, offered at 50 cents.
fn purchase() -> (Desk, Order) {
    let desk = held(50);
    let order = desk.last_placed();
    assert_eq!((order.purpose, order.action), (Purpose::Hedge, Action::Buy));
    assert_eq!((order.market, order.outcome, order.qty), (KA, Outcome::No, qty(30)));
    (desk, order)
}

#[test]
fn the_partner_is_bought_up_to_the_price_at_which_a_sale_is_as_good() {
    let (mut desk, order) = purchase();
    // A sale brings 40 cents less 0.96 cents of fee: the partner may cost 60.96 cents, of which some 1.7 are its fee.
    assert_eq!((order.price, order.tif), (price(59), Tif::Ioc));
    assert_eq!((count(&desk, Alarm::Completing), count(&desk, Alarm::StopLoss)), (1, 0));
    let cost = desk.reserved();
    desk.fill(&order, 30);
    assert_eq!(desk.group_states().last(), Some(&GroupState::Hedged));
    assert_eq!((desk.held(PM, Outcome::Yes), desk.held(KA, Outcome::No)), (qty(30), qty(30)));
    assert!(cost > Usd::ZERO && desk.reserved() == Usd::ZERO);
    assert_eq!(desk.core.stats().unpaired.count, 1, "as of the last comparison");
    desk.wait(Nanos::from_secs(1));
    read(&mut desk, 30);
    let stats = desk.core.stats();
    assert_eq!(stats.unpaired.count, 0, "the basket explains both");
    assert_eq!((stats.baskets_opened, stats.baskets_completed, stats.baskets_judged), (0, 0, 0));
    assert!(desk.core.is_idle());
}

#[test]
fn it_is_sold_where_the_partner_costs_more_than_the_sale_brings() {
    for (no_offered_at, completes) in [(59, true), (60, false)] {
        let desk = held(no_offered_at);
        let order = desk.last_placed();
        let (market, purpose) =
            if completes { (KA, Purpose::Hedge) } else { (PM, Purpose::StopLoss) };
        assert_eq!((order.market, order.purpose), (market, purpose), "{no_offered_at} cents");
        let alarms = [Alarm::Completing, Alarm::StopLoss].map(|alarm| count(&desk, alarm));
        assert_eq!(alarms, [usize::from(completes), usize::from(!completes)]);
    }
}

#[test]
fn what_finds_no_partner_is_sold_and_what_found_one_is_kept() {
    let (mut desk, order) = purchase();
    desk.status(&order, VenueState::Cancelled, Some(10));
    desk.fill(&order, 10);
    let sale = desk.last_placed();
    assert_eq!((sale.market, sale.action, sale.qty), (PM, Action::Sell, qty(20)));
    assert_eq!(sale.purpose, Purpose::Unwind);
    desk.fill(&sale, 20);
    assert_eq!(desk.group_states().last(), Some(&GroupState::Hedged));
    assert_eq!((desk.held(PM, Outcome::Yes), desk.held(KA, Outcome::No)), (qty(10), qty(10)));
    assert_eq!(desk.core.stats().baskets_judged, 0, "no evidence of how legs of baskets do");
}

#[test]
fn a_partner_that_the_venue_refuses_leaves_a_sale() {
    let (mut desk, order) = purchase();
    desk.report(Report::Rejected { order: OrderRef::Id(order.id), why: Reject::Killed });
    let sale = desk.last_placed();
    assert_eq!((sale.market, sale.action, sale.qty), (PM, Action::Sell, qty(30)));
    desk.fill(&sale, 30);
    assert_eq!(desk.group_states().last(), Some(&GroupState::Flat));
    assert!(desk.core.is_idle() && desk.reserved() == Usd::ZERO);
}

#[test]
fn a_partner_whose_book_is_not_known_is_not_bought() {
    let mut desk = Desk::new();
    desk.core.limits.set(LimitRow::Unpaired, 3, false);
    desk.book(PM, &[(40, 100)], &[(60, 100)]);
    desk.buy_at_rest(PM, Outcome::Yes, 40, 30);
    desk.intents.clear();
    read(&mut desk, 0);
    assert_eq!(desk.last_placed().purpose, Purpose::StopLoss, "Kalshi's book is not known");
}

/// A core that is saved while the partner is bought goes on with the same group.
#[test]
fn it_goes_on_after_a_restart() {
    let (mut desk, order) = purchase();
    let mut saved = Vec::new();
    desk.core.save(&mut saved);
    desk.core = Core::load(&saved).expect("it was just saved");
    desk.control(Control::Start { epoch: 3, first_order: order.id.get() + 1 });
    assert_eq!(desk.last_placed(), order);
    desk.open();
    desk.fill(&order, 30);
    assert_eq!(desk.held(KA, Outcome::No), qty(30));
    desk.wait(Nanos::from_secs(1));
    assert_eq!(desk.group_states().last(), Some(&GroupState::Hedged));
    assert!(desk.core.is_idle());
}
