//! Levels that several baskets want: never more is ordered of a level than it shows, from either side of it.

use super::*;
use crate::order::Purpose;
use crate::report::Reject;

/// A third and a fourth market, of Kalshi's terms.
const THIRD: MarketId = MarketId::new(2);
const FOURTH: MarketId = MarketId::new(3);

/// A pair of YES in one market and NO in another, under this number.
fn pair(desk: &mut Desk, basket: u16, yes_at: MarketId, no_at: MarketId) {
    let legs = [(yes_at, Outcome::Yes), (no_at, Outcome::No)];
    let (basket, kind) = (BasketId::new(basket), BasketKind::CrossVenue);
    for def in BasketDef::of_single_contracts(basket, kind, 10_000, &legs) {
        desk.event(Event::Basket(def));
    }
}

fn desk() -> Desk {
    let mut desk = Desk::new();
    for market in [THIRD, FOURTH] {
        desk.event(Event::Market(MarketDef { market, ..terms(KA) }));
    }
    desk
}

#[test]
fn three_baskets_take_a_level_one_after_the_other_and_never_more_than_it_shows() {
    let mut desk = desk();
    pair(&mut desk, 2, PM, THIRD);
    pair(&mut desk, 3, PM, FOURTH);
    // Each other leg has thirty, the level that all of them want has seventy.
    for market in [KA, THIRD, FOURTH] {
        desk.book(market, &[(50, 30), (20, 100)], &[(52, 300)]);
    }
    let mut left = 70;
    desk.verdicts();
    desk.book(PM, &[(38, 300)], &[(40, left), (60, 100)]);
    let waits = |basket| (basket, Verdict::LevelTaken);
    let first = [(0, Verdict::Taken), waits(2), waits(3)];
    assert_eq!(desk.verdicts(), first, "those that wait are told");
    assert_eq!(desk.core.stats().opportunities, 3);
    for _ in 0..3 {
        desk.wait(Nanos::from_millis(300));
        desk.book(PM, &[(38, 300)], &[(40, left), (60, 100)]);
    }
    assert_eq!(desk.verdicts(), [], "once in an episode");
    let (mut seen, mut bought) = (0, Vec::new());
    for _ in 0..3 {
        let placed = desk.placed();
        assert_eq!(placed.len(), seen + 1, "one basket at a time");
        let first = placed[seen];
        desk.fill(&first, first.qty.micros() / 1_000_000);
        let hedge = desk.last_placed();
        assert_eq!((hedge.market, desk.placed().len()), (PM, seen + 2));
        let here = hedge.qty.micros() / 1_000_000;
        assert!(here <= left, "{here} of {left}");
        desk.fill(&hedge, here);
        desk.wait(Nanos::from_millis(10));
        assert_eq!(desk.placed().len(), seen + 2, "the book still shows what was just taken");
        left -= here;
        bought.push(here);
        seen += 2;
        // What is left of either level is shown, and the cooldown passes.
        let no_bid: Vec<_> = [(20, 100)].into();
        desk.book(first.market, &no_bid, &[(52, 300)]);
        let asks: Vec<_> = [(40, left), (60, 100)].into_iter().filter(|at| at.1 > 0).collect();
        desk.book(PM, &[(38, 300)], &asks);
        desk.wait(Nanos::from_secs(2));
    }
    assert_eq!((bought, left), (vec![30, 30, 10], 0));
    assert_eq!(desk.placed().len(), 6);
}

/// A first basket whose second leg failed: its NO at Kalshi is to be sold, where YES is offered, by a sale that was just sent.
/// Nobody else offers YES there than `offered` contracts at 52, which another basket wants to buy.
fn one_leg_to_sell(offered: u64) -> Desk {
    let mut desk = desk();
    pair(&mut desk, 2, KA, THIRD);
    desk.gap();
    let first = desk.last_placed();
    assert_eq!((first.market, first.outcome), (KA, Outcome::No));
    desk.fill(&first, 30);
    let hedge = desk.last_placed();
    let offers: Vec<_> = [(52, offered)].into_iter().filter(|at| at.1 > 0).collect();
    desk.book(KA, &[(20, 100)], &offers);
    desk.book(PM, &[(38, 300)], &[(60, 100)]);
    desk.report(Report::Rejected { order: OrderRef::Id(hedge.id), why: Reject::Funds });
    desk
}

/// NO is offered at 40: with YES at Kalshi for 52 that is worth it.
fn offer_the_other_leg(desk: &mut Desk) {
    desk.book(THIRD, &[(60, 30), (20, 100)], &[(62, 300)]);
    desk.wait(Nanos::from_millis(10));
}

#[test]
fn a_level_that_a_sale_of_the_other_outcome_takes_is_not_bought_as_well() {
    let mut desk = one_leg_to_sell(300);
    let sale = desk.last_placed();
    assert_eq!((sale.purpose, sale.market, sale.outcome), (Purpose::Unwind, KA, Outcome::No));
    assert_eq!(sale.on_book(), (Side::Bid, price(52)), "it takes the offers of YES");
    let before = desk.placed().len();
    offer_the_other_leg(&mut desk);
    assert_eq!(desk.placed().len(), before, "our own sale was just sent to that level");
    desk.wait(Nanos::from_secs(2));
    assert_eq!(desk.placed().len(), before, "what it took is not known yet, however long ago");
    desk.fill(&sale, 30);
    desk.book(KA, &[(20, 100)], &[(52, 270)]);
    desk.wait(Nanos::from_secs(2));
    let now = desk.placed();
    assert!(
        now.len() > before && now[before].purpose == Purpose::Leg,
        "what is left of it is free"
    );
}

#[test]
fn a_level_that_a_group_waits_for_to_sell_is_not_bought_by_another_basket() {
    let mut desk = one_leg_to_sell(0);
    let before = desk.placed().len();
    offer_the_other_leg(&mut desk);
    desk.wait(Nanos::from_secs(2));
    assert_eq!(desk.placed().len(), before, "nobody offers YES: nothing can be sold or bought");
    desk.book(KA, &[(20, 100)], &[(52, 30)]);
    assert_eq!(desk.placed().len(), before, "the group comes first");
    desk.wait(Nanos::from_millis(10));
    let now = desk.placed();
    assert_eq!(now.len(), before + 1);
    assert_eq!((now[before].purpose, now[before].outcome), (Purpose::Unwind, Outcome::No));
}
