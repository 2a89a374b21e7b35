//! What the gate may look at around an order is what happened.

use super::*;
use crate::risk::{LastTrade, VenueCondition};

fn on_one_leg(desk: &mut Desk) -> Order {
    desk.gap();
    desk.wait(Nanos::from_millis(10));
    desk.last_placed()
}

#[test]
fn the_account_is_worth_what_selling_would_bring_and_its_peak_stands() {
    let mut desk = Desk::new();
    let order = on_one_leg(&mut desk);
    let before = desk.core.context(&order).account;
    let all = Usd::from_dollars(20_000);
    assert_eq!((before.equity, before.peak, before.drawdown()), (all, all, Usd::ZERO));
    desk.fill(&order, 10);
    desk.wait(Nanos::from_millis(10));
    let (bid, _) =
        desk.core.books().get(order.market).unwrap().best_bid_for(order.outcome).unwrap();
    let lost =
        order.price.cost_ceil(qty(10)) - bid.proceeds_floor(qty(10)) + desk.core.stats().fees;
    let after = desk.core.context(&order).account;
    assert!(lost > Usd::ZERO);
    assert_eq!((after.equity, after.peak, after.drawdown()), (all - lost, all, lost));
}

#[test]
fn the_last_trade_is_the_markets_own() {
    let mut desk = Desk::new();
    let order = on_one_leg(&mut desk);
    assert_eq!(desk.core.context(&order).last_trade, None);
    let other = if order.market == PM { KA } else { PM };
    let trade = |market, cents| {
        let (price, qty, taker) = (price(cents), qty(3), Side::Bid);
        Event::Trade { market, price, qty, taker }
    };
    desk.event(trade(order.market, 41));
    desk.event(trade(order.market, 43));
    let last = LastTrade { price: price(43), at: desk.now };
    desk.event(trade(other, 60));
    assert_eq!(desk.core.context(&order).last_trade, Some(last));
    // A market that nobody knows is nobody's.
    desk.event(trade(MarketId::new(u16::MAX), 1));
}

#[test]
fn the_venues_condition_is_what_was_heard_of_it() {
    let mut desk = Desk::new();
    let order = on_one_leg(&mut desk);
    let well =
        VenueCondition { has_data: true, agrees: true, held_back: false, refused_in_a_row: 0 };
    assert_eq!(desk.core.context(&order).venue, well);
    let venue = order.venue;
    desk.control(Control::Hold { venue, held: true });
    desk.control(Control::Reconciled { venue, clean: false });
    desk.event(Event::Link { venue, link: Link::Market, number: LinkNumber::FIRST, up: false });
    let ill = VenueCondition { has_data: false, agrees: false, held_back: true, ..well };
    assert_eq!(desk.core.context(&order).venue, ill);
}
