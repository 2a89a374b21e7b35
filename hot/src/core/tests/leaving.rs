//! Markets and baskets that come and go while others are traded.

use super::*;
use crate::event::WithdrawnWhy;
use crate::order::{OrderState, Purpose};
use crate::risk::Refusal;

const TICK: Nanos = Nanos::from_millis(10);

fn withdraw(desk: &mut Desk, market: MarketId) {
    desk.event(Event::MarketWithdrawn { market });
}

fn drop_basket(desk: &mut Desk, basket: u16, why: WithdrawnWhy) {
    desk.event(Event::BasketWithdrawn { basket: BasketId::new(basket), why });
}

fn unfollowed(desk: &Desk) -> Vec<MarketId> {
    let market = |intent: &Intent| match intent {
        Intent::Unfollow { market } => Some(*market),
        _ => None,
    };
    desk.intents.iter().filter_map(market).collect()
}

fn rest(desk: &mut Desk, action: Action, cents: u16, exit: bool) -> Order {
    desk.control(to_rest(PM, action, cents, 20, exit));
    let order = desk.last_placed();
    desk.status(&order, VenueState::Resting, Some(0));
    order
}

/// Both legs of the gap bought and settled, 30 contracts each.
fn hedged() -> Desk {
    let mut desk = Desk::new();
    for fill in desk.buy_gap() {
        desk.report(Report::Finality { fill: fill.fill, state: Finality::Final });
    }
    assert_eq!(desk.core.groups().len(), 0, "the group has ended");
    desk
}

#[test]
fn a_market_without_anything_to_do_is_followed_no_more_and_again_when_its_terms_come() {
    let mut desk = Desk::new();
    desk.book(PM, &[(38, 300)], &[(60, 100)]);
    desk.book(KA, &[(20, 100)], &[(52, 300)]);
    let all = desk.core.books().health(Venue::Polymarket);
    assert_eq!(all, (1, 1));
    withdraw(&mut desk, PM);
    withdraw(&mut desk, PM);
    desk.wait(TICK);
    assert_eq!((unfollowed(&desk), desk.core.stats().markets_leaving), (vec![PM], 0));
    assert!(desk.notes.contains(&Note::Unfollowed { market: PM }));
    assert_eq!(desk.core.books().health(Venue::Polymarket), (0, 0), "nobody waits for its book");
    desk.intents.clear();
    for _ in 0..200 {
        desk.wait(Nanos::from_secs(1));
    }
    assert_eq!(desk.intents, [], "and nobody asks for it");
    // Frames that were on their way fill no book, and a snapshot that comes later says that the word was lost.
    desk.gap();
    assert_eq!((unfollowed(&desk), desk.placed().len()), (vec![PM], 0));
    assert_eq!(desk.core.books().get(PM).unwrap().best(Side::Bid), None);
    desk.intents.clear();
    desk.event(Event::Market(terms(PM)));
    assert_eq!(desk.intents, [Intent::Resync { market: PM }], "it is subscribed to at once");
    desk.gap();
    assert_eq!(desk.placed().len(), 1, "its baskets are what they were");
}

#[test]
fn terms_that_come_before_the_links_ask_for_nothing_by_themselves() {
    let mut desk = Desk::new();
    desk.control(Control::Start { epoch: 2, first_order: 200 });
    desk.intents.clear();
    let market = MarketId::new(7);
    desk.event(Event::Market(MarketDef { market, ..terms(KA) }));
    assert_eq!(desk.intents, [], "the link subscribes to it as it comes up");
    desk.open();
    desk.intents.clear();
    let market = MarketId::new(8);
    desk.event(Event::Market(MarketDef { market, ..terms(KA) }));
    assert_eq!(desk.intents, [Intent::Resync { market }]);
}

#[test]
fn nothing_is_opened_in_a_market_that_leaves_and_what_would_open_something_is_cancelled() {
    let mut desk = Desk::new();
    for market in [PM, KA] {
        desk.book(market, &[(40, 100)], &[(50, 100)]);
    }
    let quote = rest(&mut desk, Action::Buy, 42, false);
    withdraw(&mut desk, PM);
    let state = |desk: &Desk| desk.core.orders().find(OrderRef::Id(quote.id)).unwrap().state;
    assert_eq!((desk.cancels(), state(&desk)), (1, OrderState::Cancelling));
    desk.wait(TICK);
    assert_eq!(unfollowed(&desk), [], "its order may still fill");
    desk.status(&quote, VenueState::Cancelled, Some(0));
    desk.wait(TICK);
    assert_eq!(unfollowed(&desk), [PM]);

    let mut desk = Desk::new();
    withdraw(&mut desk, PM);
    desk.gap();
    assert_eq!(desk.placed(), [], "a basket with a leg there is not begun");
    let refused =
        |note: &Note| matches!(note, Note::Refused { market: PM, why: Refusal::Withdrawn, .. });
    assert!(desk.notes.iter().any(refused));
}

#[test]
fn what_is_held_stays_counts_as_complete_and_can_be_sold_until_the_market_is_left() {
    let mut desk = hedged();
    desk.wait(TICK);
    let unrealised = desk.core.stats().unrealised;
    drop_basket(&mut desk, 0, WithdrawnWhy::Unfollowed);
    drop_basket(&mut desk, 1, WithdrawnWhy::Unfollowed);
    withdraw(&mut desk, PM);
    for _ in 0..100 {
        desk.wait(TICK);
    }
    let stats = desk.core.stats();
    assert_eq!((unfollowed(&desk), stats.markets_leaving), (vec![], 1), "30 contracts are held");
    assert_eq!(desk.core.books().health(Venue::Polymarket), (1, 1), "its book is kept");
    assert_eq!((stats.unrealised, stats.baskets_withdrawn), (unrealised, 2));
    desk.reading(Venue::Polymarket, &[Control::Position { market: PM, yes: qty(30), no: qty(0) }]);
    desk.reading(Venue::Kalshi, &[Control::Position { market: KA, yes: qty(0), no: qty(30) }]);
    assert_eq!(desk.core.stats().unpaired.count, 0, "the two still pay together");
    let before = desk.placed().len();
    desk.gap();
    assert_eq!(desk.placed().len(), before, "the basket is bought no more");
    desk.control(to_rest(PM, Action::Sell, 45, 30, true));
    let sale = desk.last_placed();
    assert_eq!(sale.purpose, Purpose::Exit);
    desk.wait(TICK);
    let fill = desk.fill_of(&sale, 30);
    desk.report(Report::Fill(fill));
    desk.wait(TICK);
    assert_eq!(unfollowed(&desk), [], "the venue may still take the fill back");
    desk.report(Report::Finality { fill: fill.fill, state: Finality::Final });
    desk.wait(TICK);
    assert_eq!(unfollowed(&desk), [PM]);
    assert!(desk.core.baskets.get(BasketId::new(0)).is_some(), "a leg of it is held");
}

#[test]
fn a_basket_that_is_withdrawn_is_forgotten_once_nothing_of_it_is_held() {
    let mut desk = Desk::new();
    drop_basket(&mut desk, 0, WithdrawnWhy::Unfollowed);
    drop_basket(&mut desk, 0, WithdrawnWhy::Unfollowed);
    drop_basket(&mut desk, 77, WithdrawnWhy::Unfollowed);
    desk.wait(TICK);
    assert!(desk.core.baskets.get(BasketId::new(0)).is_none());
    assert!(desk.core.baskets.get(BasketId::new(1)).is_some());
    assert_eq!(desk.core.stats().baskets_withdrawn, 1);
}

#[test]
fn a_basket_that_takes_the_number_of_one_that_leaves_stays() {
    let mut desk = Desk::new();
    drop_basket(&mut desk, 1, WithdrawnWhy::Unfollowed);
    for (leg, outcome) in [(0, Outcome::Yes), (1, Outcome::No)] {
        desk.event(Event::Basket(BasketDef {
            basket: BasketId::new(1),
            kind: BasketKind::Complement,
            leg,
            legs: 2,
            market: KA,
            outcome,
            payout: 10_000,
            ratio: 1,
        }));
    }
    desk.wait(TICK);
    let basket = desk.core.baskets.get(BasketId::new(1)).unwrap();
    assert_eq!(basket.kind(), BasketKind::Complement);
}

#[test]
fn a_group_that_has_begun_completes_its_basket_although_both_are_withdrawn() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    drop_basket(&mut desk, 0, WithdrawnWhy::Unfollowed);
    for market in [PM, KA] {
        withdraw(&mut desk, market);
    }
    desk.fill(&first, 30);
    let hedge = desk.last_placed();
    assert_ne!(hedge.id, first.id, "the hedge leaves");
    desk.fill(&hedge, 30);
    assert_eq!(desk.core.groups().len(), 0);
    desk.wait(TICK);
    assert_eq!((desk.core.stats().baskets_completed, unfollowed(&desk)), (1, vec![]));
}

#[test]
fn a_hedge_on_its_way_is_not_cancelled_where_its_market_is_withdrawn() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    let hedge = desk.last_placed();
    assert_eq!((hedge.market, hedge.purpose), (PM, Purpose::Hedge));
    assert!(hedge.tif.may_rest(), "else a cancel would come to nothing anyway");
    let cancels = desk.cancels();
    withdraw(&mut desk, PM);
    assert_eq!(desk.cancels(), cancels, "without it the first leg stands alone");
    desk.fill(&hedge, 30);
    assert_eq!((desk.core.groups().len(), desk.core.stats().baskets_completed), (0, 1));
}

#[test]
fn a_basket_that_is_revoked_counts_for_nothing_and_its_group_buys_no_further_leg() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    drop_basket(&mut desk, 0, WithdrawnWhy::Revoked);
    desk.fill(&first, 30);
    let sale = desk.last_placed();
    assert_eq!((sale.market, sale.action), (first.market, Action::Sell), "what was got is sold");

    let mut desk = hedged();
    for (venue, market) in [(Venue::Polymarket, PM), (Venue::Kalshi, KA)] {
        let [yes, no] = [Outcome::Yes, Outcome::No].map(|outcome| desk.held(market, outcome));
        desk.reading(venue, &[Control::Position { market, yes, no }]);
    }
    assert_eq!(desk.core.stats().unpaired.count, 0);
    drop_basket(&mut desk, 0, WithdrawnWhy::Revoked);
    for (venue, market) in [(Venue::Polymarket, PM), (Venue::Kalshi, KA)] {
        let [yes, no] = [Outcome::Yes, Outcome::No].map(|outcome| desk.held(market, outcome));
        desk.reading(venue, &[Control::Position { market, yes, no }]);
    }
    assert_eq!(desk.core.stats().unpaired.count, 2, "a person is told of both legs");
}

#[test]
fn a_restart_and_a_saved_state_know_what_leaves() {
    let mut desk = hedged();
    drop_basket(&mut desk, 0, WithdrawnWhy::Unfollowed);
    drop_basket(&mut desk, 1, WithdrawnWhy::Unfollowed);
    for market in [PM, KA] {
        withdraw(&mut desk, market);
    }
    let mut saved = Vec::new();
    desk.core.save(&mut saved);
    let loaded = Core::load(&saved).unwrap();
    assert_eq!(loaded.state_hash(), desk.core.state_hash());
    loaded.check_invariants();
    desk.core = loaded;
    desk.control(Control::Start { epoch: 2, first_order: 200 });
    desk.open();
    desk.gap();
    assert_eq!(desk.core.stats().markets_leaving, 2);
    for market in [PM, KA] {
        desk.event(Event::Settled { market, yes_pays: Price::ONE });
        let [yes, no] = [qty(0); 2];
        for _ in 0..2 {
            let venue = if market == PM { Venue::Polymarket } else { Venue::Kalshi };
            desk.wait(Nanos::from_secs(20));
            desk.reading(venue, &[Control::Position { market, yes, no }]);
        }
    }
    desk.wait(TICK);
    assert_eq!(unfollowed(&desk), [KA], "Polymarket owes for its contracts still");
}

#[test]
fn a_thousand_markets_leave_a_few_in_each_timer_event() {
    let mut desk = Desk::new();
    let markets = || (100..1_100_u16).map(MarketId::new);
    for market in markets() {
        desk.event(Event::Market(MarketDef { market, ..terms(KA) }));
    }
    desk.intents.clear();
    for market in markets() {
        withdraw(&mut desk, market);
    }
    assert_eq!(desk.core.stats().markets_leaving, 1_000);
    desk.wait(TICK);
    assert_eq!(unfollowed(&desk).len(), crate::bounds::LEAVING_PER_TIMER_MAX);
    for _ in 0..40 {
        desk.wait(TICK);
    }
    assert!(unfollowed(&desk).into_iter().eq(markets()), "each once");
}
