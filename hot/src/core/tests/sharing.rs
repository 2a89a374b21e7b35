//! A level that several baskets want: never more is ordered of it than it shows.

use super::*;

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
    desk.book(PM, &[(38, 300)], &[(40, left), (60, 100)]);
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
