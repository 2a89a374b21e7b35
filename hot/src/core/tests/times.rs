//! What ends an order or a market's trading from outside: another grid, the close; and levels that two baskets share.

use super::*;
use crate::order::Purpose;

#[test]
fn a_grid_change_cancels_what_rests_between_the_new_prices() {
    type Change = fn(Grid) -> Event;
    let changes: [Change; 2] = [
        |grid| Event::GridChange { market: PM, grid },
        |grid| Event::Market(MarketDef { grid, ..terms(PM) }),
    ];
    for change in changes {
        for (step, cancels) in [(1_000, 1), (10, 0)] {
            let mut desk = Desk::new();
            desk.gap();
            let first = desk.last_placed();
            desk.fill(&first, 30);
            let hedge = desk.last_placed();
            assert_eq!((hedge.market, hedge.tif, hedge.price), (PM, Tif::Gtc, price(47)));
            desk.event(change(Grid::uniform(step).unwrap()));
            assert_eq!(desk.cancels(), cancels, "{step}");
            if cancels == 0 {
                continue;
            }
            // The whole way: what was not bought is made up for, at prices that exist.
            desk.status(&hedge, VenueState::Cancelled, Some(0));
            let sale = desk.last_placed();
            assert_eq!((sale.purpose, sale.market, sale.qty), (Purpose::Unwind, KA, qty(30)));
            desk.fill(&sale, 30);
            assert!(desk.core.is_idle());
        }
    }
}

#[test]
fn a_sale_after_a_grid_change_has_a_price_of_the_new_grid() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    let hedge = desk.last_placed();
    desk.wait(Nanos::from_millis(10));
    desk.event(Event::GridChange { market: KA, grid: Grid::uniform(500).unwrap() });
    desk.report(Report::Rejected {
        order: OrderRef::Id(hedge.id),
        why: crate::report::Reject::Funds,
    });
    let sale = desk.last_placed();
    assert_eq!((sale.purpose, sale.price), (Purpose::Unwind, price(45)), "the last bid was 48");
}

/// A desk whose Kalshi market closes so many seconds from now.
fn closing(seconds: u64) -> Desk {
    let mut desk = Desk::new();
    let close = desk.now.after(Nanos::from_secs(seconds));
    desk.event(Event::Market(MarketDef { close, ..terms(KA) }));
    desk
}

#[test]
fn nothing_is_opened_shortly_before_the_close_or_after_it() {
    for (seconds, opens) in [(40, true), (29, false), (1, false)] {
        let mut desk = closing(seconds);
        desk.gap();
        assert_eq!(desk.placed().len(), usize::from(opens), "{seconds} s before");
    }
    let mut desk = closing(1);
    desk.wait(Nanos::from_secs(3_600));
    desk.gap();
    assert_eq!(desk.placed().len(), 0, "an hour after");
}

#[test]
fn what_reduces_goes_on_at_the_close_and_what_opens_no_longer_rests() {
    let mut desk = closing(35);
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    let hedge = desk.last_placed();
    desk.report(Report::Rejected {
        order: OrderRef::Id(hedge.id),
        why: crate::report::Reject::Funds,
    });
    let sale = desk.last_placed();
    desk.status(&sale, VenueState::Cancelled, Some(0));
    desk.wait(Nanos::from_secs(34));
    let again = desk.last_placed();
    assert_ne!(again.id, sale.id);
    assert_eq!(again.purpose, Purpose::Unwind, "a second before the close");

    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    let close = desk.now.after(Nanos::from_secs(32));
    desk.event(Event::Market(MarketDef { close, ..terms(PM) }));
    assert_eq!((desk.last_placed().market, desk.cancels()), (PM, 0));
    desk.wait(Nanos::from_secs(3));
    assert_eq!(desk.cancels(), 1);
}

#[test]
fn two_baskets_that_share_a_level_do_not_both_shoot_at_it() {
    let third = MarketId::new(2);
    let mut desk = Desk::new();
    desk.event(Event::Market(MarketDef { market: third, ..terms(KA) }));
    // Like basket 0, with its NO in another market: YES at Polymarket is in both.
    for (leg, market, outcome) in [(0, PM, Outcome::Yes), (1, third, Outcome::No)] {
        desk.event(Event::Basket(BasketDef {
            basket: BasketId::new(2),
            kind: BasketKind::CrossVenue,
            leg,
            legs: 2,
            market,
            outcome,
            payout: 10_000,
            ratio: 1,
        }));
    }
    desk.book(KA, &[(50, 30), (20, 100)], &[(52, 300)]);
    desk.book(third, &[(50, 30), (20, 100)], &[(52, 300)]);
    desk.book(PM, &[(38, 300)], &[(40, 30), (60, 100)]);
    assert_eq!(desk.placed().len(), 1, "thirty are offered: one basket");
    let first = desk.last_placed();
    desk.fill(&first, 30);
    let hedge = desk.last_placed();
    assert_eq!(hedge.market, PM);
    desk.fill(&hedge, 30);
    desk.wait(Nanos::from_millis(10));
    assert_eq!(desk.placed().len(), 2, "the book still shows what was just taken");
    desk.book(PM, &[(38, 300)], &[(60, 100)]);
    desk.wait(Nanos::from_secs(2));
    assert_eq!(desk.placed().len(), 2, "and it was taken");
    desk.book(PM, &[(38, 300)], &[(40, 30), (60, 100)]);
    assert_eq!(desk.placed().len(), 3, "a new offer is another matter");
}
