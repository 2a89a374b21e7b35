//! Money that a venue told of: no fill is dropped, whatever it says.

use super::*;
use crate::ids::Action;
use crate::order::Purpose;

fn alarms(desk: &Desk, wanted: Alarm) -> usize {
    let is = |note: &&Note| matches!(note, Note::Alarm { what, .. } if *what == wanted);
    desk.notes.iter().filter(is).count()
}

fn void(desk: &mut Desk, fill: &Fill) {
    desk.report(Report::Finality { fill: fill.fill, state: Finality::Failed });
}

/// A pair bought whole whose Kalshi half failed and cannot be had again: a sale of the other half is in flight.
/// Returns the purchase at Polymarket and the sale.
fn selling_at_polymarket(desk: &mut Desk) -> (Fill, Order) {
    desk.gap();
    let first = desk.last_placed();
    let kalshi = desk.fill_of(&first, 30);
    desk.report(Report::Fill(kalshi));
    let second = desk.last_placed();
    let bought = desk.fill_of(&second, 30);
    desk.report(Report::Fill(bought));
    desk.now = desk.now.after(Nanos::from_secs(20));
    desk.book(KA, &[(20, 100)], &[(52, 300)]);
    void(desk, &kalshi);
    let again = desk.last_placed();
    desk.status(&again, VenueState::Cancelled, Some(0));
    let sale = desk.last_placed();
    assert_eq!((sale.market, sale.action, sale.purpose), (PM, Action::Sell, Purpose::Unwind));
    (bought, sale)
}

#[test]
fn a_sale_for_more_than_is_held_is_booked_and_its_order_ends() {
    let mut desk = Desk::new();
    let (bought, sale) = selling_at_polymarket(&mut desk);
    void(&mut desk, &bought);
    assert_eq!(desk.held(PM, Outcome::Yes), Qty::ZERO);
    let cash = desk.core.ledger().cash_at(Venue::Polymarket);
    desk.fill(&sale, 30);
    let record = *desk.core.orders().find(OrderRef::Id(sale.id)).unwrap();
    assert_eq!((record.state, record.filled), (OrderState::Done, qty(30)));
    assert!(desk.core.is_idle(), "nothing waits for ever");
    let proceeds = sale.price.proceeds_floor(qty(30));
    let fee = FeeRule::Polymarket { rate: 40_000, exponent: 1 }.fee(sale.price, qty(30), true);
    assert_eq!(desk.core.ledger().cash_at(Venue::Polymarket), cash + proceeds - fee);
    assert!(alarms(&desk, Alarm::PositionDrift) > 0);
    assert_eq!(desk.core.ledger().position(PM).short(Outcome::Yes), qty(30));
    let queries = desk.queries();
    for _ in 0..5 {
        desk.wait(Nanos::from_secs(2));
    }
    assert_eq!(desk.queries(), queries, "and nobody is asked about it for ever");
    // The venue holds none: that is what the comparison finds, and repairs, once it has settled the sale.
    desk.report(Report::Finality { fill: FillId::new(desk.fills), state: Finality::Final });
    desk.wait(Nanos::from_secs(12));
    for _ in 0..2 {
        let since = desk.now.after(Nanos::new(1));
        desk.now = since.after(Nanos::from_secs(12));
        desk.control(Control::Reading { venue: Venue::Polymarket, since });
        desk.control(Control::Position { market: PM, yes: Qty::ZERO, no: Qty::ZERO });
    }
    assert!(desk.core.ledger().position(PM).is_flat());
    assert_eq!(desk.core.stats().exposure, Usd::ZERO);
}

#[test]
fn purchase_and_sale_that_both_fail_leave_nothing_in_whatever_order() {
    for purchase_first in [true, false] {
        let mut desk = Desk::new();
        let (bought, sale) = selling_at_polymarket(&mut desk);
        let sold = desk.fill_of(&sale, 30);
        if purchase_first {
            void(&mut desk, &bought);
            desk.report(Report::Fill(sold));
            void(&mut desk, &sold);
        } else {
            desk.report(Report::Fill(sold));
            void(&mut desk, &sold);
            void(&mut desk, &bought);
        }
        let ledger = desk.core.ledger();
        assert!(ledger.position(PM).is_flat(), "purchase first: {purchase_first}");
        assert_eq!(ledger.cash_at(Venue::Polymarket), Usd::from_dollars(10_000));
        assert_eq!(desk.core.stats().exposure, Usd::ZERO);
    }
}

#[test]
fn a_short_position_is_neither_a_gain_of_the_day_nor_a_loss() {
    let mut desk = Desk::new();
    let (bought, sale) = selling_at_polymarket(&mut desk);
    void(&mut desk, &bought);
    desk.fill(&sale, 30);
    desk.wait(Nanos::from_millis(10));
    assert_eq!(desk.core.stats().unrealised, Usd::ZERO);
}

#[test]
fn a_fill_that_failed_before_it_was_told_books_nothing() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    let fill = desk.fill_of(&first, 30);
    void(&mut desk, &fill);
    let cash = desk.core.ledger().cash_at(Venue::Kalshi);
    desk.report(Report::Fill(fill));
    assert_eq!(desk.held(KA, Outcome::No), Qty::ZERO);
    assert_eq!(desk.core.ledger().cash_at(Venue::Kalshi), cash);
}

#[test]
fn a_fill_that_failed_while_it_waited_for_its_orders_name_books_nothing() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    let key = VenueKey::new(77);
    let fill = Fill { order: OrderRef::Key(key), ..desk.fill_of(&first, 30) };
    desk.report(Report::Fill(fill));
    void(&mut desk, &fill);
    desk.report(Report::Bound { order: first.id, key });
    assert_eq!(desk.held(KA, Outcome::No), Qty::ZERO);
}

#[test]
fn a_fill_that_comes_after_the_result_is_paid_too() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.event(Event::Settled { market: KA, yes_pays: Price::ZERO });
    desk.fill(&first, 30);
    assert_eq!(desk.held(KA, Outcome::No), Qty::ZERO, "NO pays a dollar: it is not held for ever");
    let cost = first.price.cost_ceil(qty(30));
    let fee = FeeRule::Kalshi { taker: 70_000, maker: 0 }.fee(first.price, qty(30), true);
    let cash = Usd::from_dollars(10_000) - cost - fee + Usd::from_dollars(30);
    assert_eq!(desk.core.ledger().cash_at(Venue::Kalshi), cash);
}

#[test]
fn a_fill_that_nobody_claims_is_named_and_taken_over() {
    let mut desk = Desk::new();
    let since = desk.now;
    desk.report(Report::Fill(Fill {
        fill: FillId::new(99),
        order: OrderRef::Key(VenueKey::new(99)),
        market: KA,
        side: Side::Bid,
        price: price(50),
        qty: qty(10),
        fee: None,
        liquidity: Liquidity::Taker,
        finality: Finality::Provisional,
        venue_time: Nanos::ZERO,
    }));
    let told = |desk: &mut Desk, since, yes| {
        desk.control(Control::Reading { venue: Venue::Kalshi, since });
        desk.control(Control::Position { market: KA, yes, no: Qty::ZERO });
        desk.wait(Nanos::from_secs(12));
        desk.held(KA, Outcome::Yes)
    };
    assert_eq!(told(&mut desk, since, Qty::ZERO), Qty::ZERO, "it was read before the fill");
    assert_eq!(alarms(&desk, Alarm::ForeignFill), 1, "it is named");
    let since = desk.now;
    assert_eq!(told(&mut desk, since, qty(10)), Qty::ZERO, "one difference may be a lag");
    assert_eq!(told(&mut desk, since, qty(10)), qty(10), "what it changed is taken over");
}

#[test]
fn terms_with_another_account_fee_and_cluster_take_the_claims_along() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    assert_eq!((first.market, desk.core.groups().len()), (KA, 1));
    let before = desk.reserved();
    let cluster = ClusterId::new(5);
    let fee = FeeRule::Kalshi { taker: 140_000, maker: 0 };
    desk.event(Event::Market(MarketDef { shard: 3, cluster, fee, ..terms(KA) }));
    assert!(desk.reserved() > before, "R1: the fee is twice what it was");
    // What is held for a leg that is not sent yet goes along as well.
    desk.event(Event::Market(MarketDef { cluster, ..terms(PM) }));
    let at_risk = desk.core.stats().exposure;
    assert_eq!(desk.core.money.exposure().cluster(cluster), at_risk);
    desk.status(&first, VenueState::Cancelled, Some(0));
    assert_eq!((desk.reserved(), desk.core.stats().exposure), (Usd::ZERO, Usd::ZERO));
}
