//! What the gate may look at around an order is what happened.

use super::*;
use crate::book::StaleWhy;
use crate::core::asked::{Asked, Worked};
use crate::event::WithdrawnWhy;
use crate::risk::gate::Facts;
use crate::risk::{BestPrices, LastTrade, VenueCondition};
use crate::venue_mode::VenueMode;

/// What the gate would see of an order.
fn facts<'a>(desk: &'a Desk, order: &'a Order) -> Asked<'a> {
    desk.core.asked(order, None, Worked::default())
}

fn on_one_leg(desk: &mut Desk) -> Order {
    desk.gap();
    desk.wait(Nanos::from_millis(10));
    desk.last_placed()
}

#[test]
fn the_account_is_worth_what_selling_would_bring_and_its_peak_stands() {
    let mut desk = Desk::new();
    let order = on_one_leg(&mut desk);
    let before = facts(&desk, &order).account();
    let all = Usd::from_dollars(20_000);
    assert_eq!((before.equity, before.peak, before.drawdown()), (all, all, Usd::ZERO));
    desk.fill(&order, 10);
    desk.wait(Nanos::from_millis(10));
    let (bid, _) =
        desk.core.books().get(order.market).unwrap().best_bid_for(order.outcome).unwrap();
    let lost =
        order.price.cost_ceil(qty(10)) - bid.proceeds_floor(qty(10)) + desk.core.stats().fees;
    let after = facts(&desk, &order).account();
    assert!(lost > Usd::ZERO);
    assert_eq!((after.equity, after.peak, after.drawdown()), (all - lost, all, lost));
}

#[test]
fn the_last_trade_is_the_markets_own() {
    let mut desk = Desk::new();
    let order = on_one_leg(&mut desk);
    assert_eq!(facts(&desk, &order).around().last_trade, None);
    let other = if order.market == PM { KA } else { PM };
    let trade = |market, cents| {
        let (price, qty, taker) = (price(cents), qty(3), Side::Bid);
        Event::Trade { market, price, qty, taker }
    };
    desk.event(trade(order.market, 41));
    desk.event(trade(order.market, 43));
    let last = LastTrade { price: price(43), at: desk.now };
    desk.event(trade(other, 60));
    assert_eq!(facts(&desk, &order).around().last_trade, Some(last));
    // A market that nobody knows is nobody's.
    desk.event(trade(MarketId::new(u16::MAX), 1));
}

#[test]
fn the_venues_condition_is_what_was_heard_of_it() {
    let mut desk = Desk::new();
    let order = on_one_leg(&mut desk);
    let well = VenueCondition {
        has_data: true,
        agrees: true,
        held_back: false,
        refused_in_a_row: 0,
        latency: None,
        breaker_open: false,
        tokens_short: false,
        mode: VenueMode::Open,
    };
    assert_eq!(facts(&desk, &order).venue(), well);
    let venue = order.venue;
    desk.control(Control::Hold { venue, held: true });
    desk.control(Control::Reconciled { venue, clean: false });
    desk.event(Event::Link { venue, link: Link::Market, number: LinkNumber::FIRST, up: false });
    let (shard, mode, until) = (0, VenueMode::CancelOnly, Nanos::ZERO);
    desk.event(Event::Mode { venue, shard, mode, until });
    let ill = VenueCondition { has_data: false, agrees: false, held_back: true, mode, ..well };
    assert_eq!(facts(&desk, &order).venue(), ill);
}

#[test]
fn the_latency_of_a_venue_follows_its_acknowledgements() {
    let mut desk = Desk::new();
    let first = on_one_leg(&mut desk);
    let latency = |desk: &Desk| facts(desk, &first).venue().latency.map(Nanos::millis);
    assert_eq!(latency(&desk), None);
    let took = |desk: &Desk| desk.now.since(first.decided).millis();
    desk.wait(Nanos::from_millis(70));
    desk.status(&first, VenueState::Resting, None);
    let once = latency(&desk);
    assert_eq!(once, Some(took(&desk)), "the first one is all that is known");
    desk.wait(Nanos::from_millis(500));
    desk.status(&first, VenueState::Filled, Some(30));
    assert_eq!(latency(&desk), once, "an order is acknowledged once");
    let hedge = desk.last_placed();
    assert_ne!(hedge.venue, first.venue);
    assert_eq!(facts(&desk, &hedge).venue().latency, None, "each venue has its own");
    desk.report(Report::TimedOut { order: hedge.id });
    desk.wait(Nanos::from_secs(2));
    desk.status(&hedge, VenueState::Resting, None);
    assert_eq!(facts(&desk, &hedge).venue().latency, None, "it was asked about");
    desk.control(Control::Start { epoch: 2, first_order: 10_000 });
    assert_eq!(latency(&desk), None, "a run begins with nothing known");
}

#[test]
fn the_clock_is_as_far_off_as_was_told_last() {
    let mut desk = Desk::new();
    let order = on_one_leg(&mut desk);
    assert_eq!(facts(&desk, &order).clock_error(), Nanos::ZERO);
    for millis in [3, 700, 1] {
        let error = Nanos::from_millis(millis);
        desk.control(Control::ClockError { error });
        assert_eq!(facts(&desk, &order).clock_error(), error);
    }
}

#[test]
fn the_other_venues_price_is_of_the_same_outcome() {
    let mut desk = Desk::new();
    let order = on_one_leg(&mut desk);
    let best = |desk: &Desk, market| {
        let order = Order { market, venue: terms(market).venue, ..order };
        facts(desk, &order).around().other_venue.unwrap().best()
    };
    let prices = |bid, ask| Some(BestPrices { bid, ask });
    assert_eq!(best(&desk, PM), prices(Some(price(50)), Some(price(52))));
    assert_eq!(best(&desk, KA), prices(Some(price(38)), Some(price(40))));
    // A market in whose pairs both legs are YES asks the opposite question.
    let (opposite, alone) = (MarketId::new(2), MarketId::new(3));
    for market in [opposite, alone] {
        desk.event(Event::Market(MarketDef { market, ..terms(KA) }));
    }
    desk.book(opposite, &[(30, 10)], &[]);
    for (leg, market) in [(0, opposite), (1, PM)] {
        desk.event(Event::Basket(BasketDef {
            basket: BasketId::new(2),
            kind: BasketKind::CrossVenue,
            leg,
            legs: 2,
            market,
            outcome: Outcome::Yes,
            payout: 10_000,
            ratio: 1,
        }));
    }
    assert_eq!(best(&desk, opposite), prices(Some(price(60)), Some(price(62))));
    assert_eq!(best(&desk, PM), prices(Some(price(50)), Some(price(52))), "of the first pair");
    desk.event(Event::Stale { market: KA, why: StaleWhy::Gap });
    assert_eq!(
        best(&desk, PM),
        prices(None, Some(price(70))),
        "of the next one, whose book is good"
    );
    assert_eq!(best(&desk, alone), None, "it is in no pair");
    desk.fill(&order, 10); // what is held keeps its basket here, though nothing more is bought
    for why in [WithdrawnWhy::Unfollowed, WithdrawnWhy::Revoked] {
        for basket in [0, 1].map(BasketId::new) {
            desk.event(Event::BasketWithdrawn { basket, why });
        }
        assert_eq!(best(&desk, KA), None, "it is in no pair any more");
    }
    // A set of another kind that it is in as well says nothing of its price.
    for (leg, market) in [(0, KA), (1, opposite)] {
        desk.event(Event::Basket(BasketDef {
            basket: BasketId::new(3),
            kind: BasketKind::ExclusiveNo,
            leg,
            legs: 2,
            market,
            outcome: Outcome::No,
            payout: 10_000,
            ratio: 1,
        }));
    }
    assert_eq!(best(&desk, KA), None, "its set is of another kind");
    assert_eq!(best(&desk, PM), prices(None, Some(price(70))));
    desk.event(Event::Stale { market: opposite, why: StaleWhy::Gap });
    assert_eq!(best(&desk, PM), None, "the book there may not be decided from");
}
