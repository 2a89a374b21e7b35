//! Contracts that no group explains: told, kept until they have lost too much, or sold; and how a stop-loss sells.

use super::*;
use crate::order::Purpose;
use crate::report::Reject;
use crate::risk::Refusal;
use crate::venue_mode::VenueMode;

fn count(desk: &Desk, of: Alarm) -> usize {
    let is_it = |note: &&Note| matches!(note, Note::Alarm { what, .. } if *what == of);
    desk.notes.iter().filter(is_it).count()
}

/// Bids of 40 cents for YES at Polymarket and for NO at Kalshi.
fn books(desk: &mut Desk) {
    desk.book(PM, &[(40, 100), (39, 100), (38, 300)], &[(60, 100)]);
    desk.book(KA, &[(40, 100)], &[(60, 100), (61, 300)]);
}

/// Both venues are read twice: Polymarket holds so many YES and Kalshi so many NO.
fn read(desk: &mut Desk, yes_at_polymarket: u64, no_at_kalshi: u64) {
    let (yes, no) = (qty(yes_at_polymarket), qty(no_at_kalshi));
    for _ in 0..2 {
        desk.reading(Venue::Polymarket, &[Control::Position { market: PM, yes, no: Qty::ZERO }]);
        desk.reading(Venue::Kalshi, &[Control::Position { market: KA, yes: Qty::ZERO, no }]);
    }
    desk.wait(Nanos::from_millis(10));
}

/// A start at which Polymarket holds so many YES, which somebody else bought; `policy` is `strategy.unpaired`.
fn found(policy: u64, yes_at_polymarket: u64) -> Desk {
    let mut desk = Desk::new();
    desk.control(Control::Start { epoch: 2, first_order: 500 });
    for (venue, link) in
        Venue::ALL.into_iter().flat_map(|at| [(at, Link::Private), (at, Link::Orders)])
    {
        desk.event(Event::Link { venue, link, number: LinkNumber::FIRST, up: true });
    }
    desk.control(Control::Limit { row: LimitRow::Unpaired, value: policy });
    books(&mut desk);
    read(&mut desk, yes_at_polymarket, 0);
    desk
}

/// 30 contracts of an outcome that cost 40 cents each and have no partner.
fn held(policy: u64, market: MarketId, outcome: Outcome) -> Desk {
    let mut desk = Desk::new();
    desk.core.limits.set(LimitRow::Unpaired, policy, false);
    books(&mut desk);
    desk.buy_at_rest(market, outcome, 40, 30);
    desk.intents.clear();
    let (yes, no) = if outcome == Outcome::Yes { (30, 0) } else { (0, 30) };
    read(&mut desk, yes, no);
    desk
}

/// 30 YES at Polymarket that are to be sold at once: the limit order.
fn limit_order() -> (Desk, Order) {
    let desk = held(2, PM, Outcome::Yes);
    let order = desk.last_placed();
    assert_eq!(
        (order.purpose, order.tif, order.action),
        (Purpose::StopLoss, Tif::Gtc, Action::Sell)
    );
    assert_eq!((order.market, order.outcome, order.qty), (PM, Outcome::Yes, qty(30)));
    assert_eq!(order.price, price(40), "the best bid has room for all of it");
    (desk, order)
}

#[test]
fn what_is_found_without_a_group_is_a_persons_unless_the_policy_says_otherwise() {
    for (policy, sold) in [(0, false), (1, false), (2, true)] {
        let mut desk = found(policy, 30);
        assert_eq!(count(&desk, Alarm::Unpaired), 1, "a person hears of it in any case");
        for _ in 0..100 {
            desk.wait(Nanos::from_millis(10));
        }
        assert_eq!(!desk.placed().is_empty(), sold, "policy {policy}");
        assert_eq!(count(&desk, Alarm::StopLoss), usize::from(sold));
        assert_eq!(desk.core.stats().unpaired.count, 1, "it is shown while it is held");
    }
}

/// A fifth of 40 cents is 8 cents.
#[test]
fn a_stop_loss_sells_what_has_lost_a_fifth_and_not_a_cent_before() {
    for (outcome, market) in [(Outcome::Yes, PM), (Outcome::No, KA)] {
        let mut desk = held(1, market, outcome);
        let cost = desk.core.money.position(market).cost(outcome);
        assert_eq!(cost, Usd::from_dollars(12), "30 at 40 cents");
        let bid_of = |desk: &mut Desk, cents: u16| match outcome {
            Outcome::Yes => desk.book(market, &[(cents, 300)], &[(90, 10)]),
            Outcome::No => desk.book(market, &[(10, 10)], &[(100 - cents, 300)]),
        };
        bid_of(&mut desk, 33);
        desk.wait(Nanos::from_millis(10));
        assert!(desk.placed().is_empty(), "17.5 %");
        bid_of(&mut desk, 32);
        desk.wait(Nanos::from_millis(10));
        assert!(desk.placed().is_empty(), "it has not stood for a second");
        desk.wait(Nanos::from_millis(500));
        desk.wait(Nanos::from_millis(500));
        let sale = desk.last_placed();
        assert_eq!((sale.purpose, sale.market, sale.outcome), (Purpose::StopLoss, market, outcome));
        assert_eq!((sale.price, sale.qty), (price(32), qty(30)));
        desk.fill(&sale, 30);
        assert_eq!(desk.held(market, outcome), Qty::ZERO);
        assert_eq!(desk.group_states().last(), Some(&GroupState::Flat));
        assert!(desk.core.is_idle());
    }
}

/// A price that is withdrawn and stated again begins nothing, however often; the second counts from the last time that it came back.
#[test]
fn a_loss_that_does_not_stand_for_a_second_begins_no_stop_loss() {
    let mut desk = held(1, PM, Outcome::Yes);
    for _ in 0..5 {
        desk.book(PM, &[(32, 300)], &[(90, 10)]);
        desk.wait(Nanos::from_millis(10));
        desk.wait(Nanos::from_millis(980));
        desk.book(PM, &[(40, 300)], &[(90, 10)]);
        desk.wait(Nanos::from_millis(10));
        desk.wait(Nanos::from_millis(10));
    }
    assert!(desk.placed().is_empty());
    desk.book(PM, &[(32, 300)], &[(90, 10)]);
    desk.wait(Nanos::from_millis(10));
    desk.wait(Nanos::from_millis(999));
    assert!(desk.placed().is_empty(), "a millisecond before");
    desk.wait(Nanos::from_millis(1));
    assert_eq!(desk.last_placed().purpose, Purpose::StopLoss);
}

/// Fine grid, half a percent: of 40 cents that is 0.2 cents. Contracts of YES are sold down to 39.8; those of NO are closed by a
/// purchase of YES up to 60.3 (60 and half a percent), which is NO at 39.7.
#[test]
fn the_limit_lies_no_further_from_the_best_price_than_the_allowance_on_either_side() {
    let fine = Grid::uniform(10).unwrap();
    let ticks = |ticks| Price::from_ticks(ticks).unwrap();
    for (outcome, market, offers, limit) in [
        (Outcome::Yes, PM, [(4_000, 30), (3_990, 0), (3_980, 0), (3_970, 99)], 4_000),
        (Outcome::Yes, PM, [(4_000, 10), (3_990, 20), (3_980, 99), (3_970, 99)], 3_990),
        (Outcome::Yes, PM, [(4_000, 10), (3_990, 10), (3_980, 10), (3_970, 99)], 3_980),
        (Outcome::Yes, PM, [(4_000, 10), (3_990, 10), (3_970, 99), (3_960, 99)], 3_990),
        (Outcome::No, KA, [(4_000, 30), (3_990, 0), (3_970, 0), (3_960, 99)], 4_000),
        (Outcome::No, KA, [(4_000, 10), (3_990, 10), (3_970, 10), (3_960, 99)], 3_970),
        (Outcome::No, KA, [(4_000, 10), (3_990, 10), (3_960, 99), (3_950, 99)], 3_990),
    ] {
        let mut desk = held(0, market, outcome);
        desk.event(Event::Market(MarketDef { grid: fine, ..terms(market) }));
        desk.event(Event::SnapshotBegin {
            market,
            link: LinkNumber::FIRST,
            venue_time: Nanos::ZERO,
        });
        for (bid, contracts) in offers {
            let side = Side::of(outcome, Action::Buy);
            let change = Change::Set(qty(contracts));
            let price = outcome.price_from_yes(ticks(bid));
            desk.event(Event::Level(Level { market, side, price, change, last: false }));
        }
        desk.event(Event::SnapshotEnd { market });
        desk.core.limits.set(LimitRow::Unpaired, 2, false);
        desk.wait(Nanos::from_millis(10));
        let sale = desk.last_placed();
        assert_eq!((sale.purpose, sale.price), (Purpose::StopLoss, ticks(limit)), "{offers:?}");
        let (side, on_book) = sale.on_book();
        assert_eq!(side, Side::of(outcome, Action::Sell));
        assert_eq!(on_book, outcome.price_from_yes(ticks(limit)));
    }
}

#[test]
fn a_limit_that_does_not_fill_is_cancelled_after_two_seconds_and_the_rest_sold_once_that_is_confirmed()
 {
    let (mut desk, limit) = limit_order();
    let sent = desk.now;
    desk.status(&limit, VenueState::Resting, Some(0));
    desk.fill(&limit, 10);
    let wait = Nanos::from_millis(LimitRow::StopWaitMs.def().default);
    desk.wait(Nanos::new(wait.get() - 1 - desk.now.since(sent).get() - 1_000));
    assert_eq!(desk.now.since(sent), Nanos::new(wait.get() - 1));
    assert_eq!(desk.cancels(), 0, "it has two seconds");
    desk.wait(Nanos::ZERO);
    assert_eq!(desk.cancels(), 1, "and no more");
    for _ in 0..500 {
        desk.wait(Nanos::from_millis(10));
        assert_eq!(
            desk.last_placed(),
            limit,
            "G3: until its end is confirmed nothing else is sold"
        );
    }
    desk.status(&limit, VenueState::Cancelled, Some(10));
    let sale = desk.last_placed();
    assert_eq!((sale.purpose, sale.tif, sale.qty), (Purpose::Unwind, Tif::Ioc, qty(20)));
    assert_eq!(sale.price, price(40), "at once, at what is bid");
    assert_eq!(count(&desk, Alarm::StopLossFallback), 1);
    assert_eq!(desk.core.groups().iter().next().map(|group| group.attempts), Some(0));
    desk.fill(&sale, 20);
    assert_eq!(desk.held(PM, Outcome::Yes), Qty::ZERO);
    assert_eq!(desk.group_states().last(), Some(&GroupState::Flat));
    desk.wait(Nanos::from_millis(10));
    assert!(desk.core.is_idle());
}

#[test]
fn a_fill_that_comes_while_the_limit_is_being_cancelled_is_not_sold_twice() {
    let (mut desk, limit) = limit_order();
    desk.status(&limit, VenueState::Resting, Some(0));
    desk.wait(Nanos::from_secs(2));
    assert_eq!(desk.cancels(), 1);
    desk.report(Report::CancelRefused { order: OrderRef::Id(limit.id) });
    desk.fill(&limit, 30);
    desk.status(&limit, VenueState::Filled, Some(30));
    assert_eq!(desk.last_placed(), limit);
    assert_eq!(desk.group_states().last(), Some(&GroupState::Flat));
    assert_eq!(count(&desk, Alarm::StopLossFallback), 0);
    assert_eq!(desk.held(PM, Outcome::Yes), Qty::ZERO);
}

#[test]
fn a_limit_that_never_left_is_sent_again_and_one_that_the_venue_refuses_is_not() {
    let (mut desk, limit) = limit_order();
    let why = crate::report::Unsent::Tokens;
    desk.report(Report::Unsent { order: limit.id, why });
    assert_eq!(desk.last_placed(), limit, "not at once");
    desk.wait(Nanos::from_millis(60));
    let again = desk.last_placed();
    assert_ne!(again.id, limit.id);
    assert_eq!((again.purpose, again.price), (Purpose::StopLoss, price(40)));
    desk.report(Report::Rejected { order: OrderRef::Id(again.id), why: Reject::Other });
    desk.wait(Nanos::from_millis(600));
    let sale = desk.last_placed();
    assert_eq!((sale.purpose, sale.tif, sale.qty), (Purpose::Unwind, Tif::Ioc, qty(30)));
}

#[test]
fn it_goes_on_after_a_restart_with_one_order_in_flight() {
    let (mut desk, limit) = limit_order();
    desk.status(&limit, VenueState::Resting, Some(0));
    let mut saved = Vec::new();
    desk.core.save(&mut saved);
    desk.core = Core::load(&saved).expect("it was just saved");
    desk.control(Control::Start { epoch: 3, first_order: limit.id.get() + 1 });
    assert_eq!(desk.last_placed(), limit);
    desk.open();
    desk.status(&limit, VenueState::Resting, Some(0));
    desk.wait(Nanos::from_secs(2));
    assert_eq!((desk.cancels(), desk.last_placed()), (1, limit));
    desk.status(&limit, VenueState::Cancelled, Some(0));
    assert_eq!(desk.last_placed().purpose, Purpose::Unwind);
}

/// Five sales at what is bid that sell nothing: a person is called, trading halts, and nothing is begun again before a resume.
#[test]
fn what_cannot_be_sold_is_handed_to_a_person_and_tried_once_more_after_a_resume() {
    let (mut desk, mut order) = limit_order();
    while desk.core.halted().is_none() {
        desk.report(Report::Rejected { order: OrderRef::Id(order.id), why: Reject::Killed });
        for _ in 0..60 {
            desk.wait(Nanos::from_millis(10));
        }
        order = desk.last_placed();
    }
    assert_eq!(desk.core.halted(), Some(HaltWhy::Group));
    assert_eq!(desk.group_states().last(), Some(&GroupState::Operator));
    let stats = desk.core.stats();
    assert_eq!((stats.baskets_opened, stats.baskets_operator), (0, 0), "G2: it never was a basket");
    let placed = desk.placed().len();
    assert_eq!(placed, 1 + 5, "the limit costs no attempt");
    let wait = |desk: &mut Desk| (0..20).for_each(|_| desk.wait(Nanos::from_millis(10)));
    wait(&mut desk);
    assert_eq!(desk.placed().len(), placed);
    desk.control(Control::Resume { epoch: 9 });
    wait(&mut desk);
    assert_eq!((desk.placed().len(), desk.last_placed().purpose), (placed + 1, Purpose::StopLoss));
}

#[test]
fn nothing_is_begun_by_a_book_in_doubt_or_before_the_venues_agree() {
    type Spoil = fn(&mut Desk);
    let spoils: [Spoil; 4] = [
        |desk| desk.event(Event::Stale { market: PM, why: crate::book::StaleWhy::Gap }),
        |desk| desk.book(PM, &[], &[(60, 100)]),
        |desk| desk.control(Control::Reconciled { venue: Venue::Kalshi, clean: false }),
        |desk| desk.control(Control::Halt { epoch: 9, why: HaltWhy::Operator }),
    ];
    for (nth, spoil) in spoils.into_iter().enumerate() {
        let mut desk = held(0, PM, Outcome::Yes);
        spoil(&mut desk);
        desk.core.limits.set(LimitRow::Unpaired, 2, false);
        desk.wait(Nanos::from_millis(10));
        assert!(desk.placed().is_empty(), "case {nth}");
    }
}

/// A quote of ours that bids for the very contracts gives way, as to any other order that corrects.
#[test]
fn a_quote_of_ours_in_its_way_is_withdrawn_and_the_limit_follows() {
    let mut desk = held(0, PM, Outcome::Yes);
    desk.control(Control::Rest {
        market: PM,
        outcome: Outcome::Yes,
        action: Action::Buy,
        price: price(40),
        qty: qty(20),
        expires: None,
        post_only: true,
        exit: false,
    });
    let quote = desk.last_placed();
    assert_eq!(quote.purpose, Purpose::Quote);
    desk.status(&quote, VenueState::Resting, Some(0));
    desk.core.limits.set(LimitRow::Unpaired, 2, false);
    desk.wait(Nanos::from_millis(10));
    assert_eq!((desk.last_placed(), desk.cancels()), (quote, 1), "O16");
    desk.status(&quote, VenueState::Cancelled, Some(0));
    desk.wait(Nanos::from_millis(60));
    let sale = desk.last_placed();
    assert_eq!((sale.purpose, sale.qty), (Purpose::StopLoss, qty(30)));
}

/// What was begun there could not end within ten minutes, which halts all trading.
#[test]
fn nothing_is_begun_where_nothing_can_be_sold_and_at_once_when_it_can() {
    let status = |desk: &mut Desk, status| {
        desk.event(Event::Market(MarketDef { status, ..terms(PM) }));
        desk.book(PM, &[(40, 100)], &[(60, 100)]);
    };
    let mode = |desk: &mut Desk, mode| {
        let (venue, until) = (Venue::Polymarket, Nanos::ZERO);
        desk.event(Event::Mode { venue, shard: 0, mode, until });
    };
    let link = |desk: &mut Desk, up| {
        let (venue, link, number) = (Venue::Polymarket, Link::Orders, LinkNumber::FIRST);
        desk.event(Event::Link { venue, link, number, up });
    };
    for case in 0..4 {
        let mut desk = held(0, PM, Outcome::Yes);
        match case {
            0 => status(&mut desk, MarketStatus::Paused),
            1 => status(&mut desk, MarketStatus::Closed),
            2 => mode(&mut desk, VenueMode::CancelOnly),
            _ => link(&mut desk, false),
        }
        desk.core.limits.set(LimitRow::Unpaired, 2, false);
        for _ in 0..10 {
            desk.wait(Nanos::from_millis(10));
        }
        assert_eq!((desk.placed().len(), count(&desk, Alarm::StopLoss)), (0, 0), "case {case}");
        assert!(desk.core.groups().is_empty());
        match case {
            0 | 1 => status(&mut desk, MarketStatus::Observe),
            2 => mode(&mut desk, VenueMode::Open),
            _ => link(&mut desk, true),
        }
        desk.wait(Nanos::from_millis(10));
        assert_eq!(desk.last_placed().purpose, Purpose::StopLoss, "case {case}");
    }
}

/// Contracts that an order of the operator's is selling already are not sold once more.
#[test]
fn what_an_exit_is_selling_is_left_to_it() {
    for (market, outcome) in [(PM, Outcome::Yes), (KA, Outcome::No)] {
        let mut desk = held(0, market, outcome);
        desk.control(Control::Rest {
            market,
            outcome,
            action: Action::Sell,
            price: price(50),
            qty: qty(20),
            expires: None,
            post_only: true,
            exit: true,
        });
        let exit = desk.last_placed();
        assert_eq!(exit.purpose, Purpose::Exit);
        desk.status(&exit, VenueState::Resting, Some(0));
        desk.core.limits.set(LimitRow::Unpaired, 2, false);
        desk.wait(Nanos::from_millis(10));
        let sale = desk.last_placed();
        assert_eq!((sale.purpose, sale.qty), (Purpose::StopLoss, qty(10)), "{market:?}");
    }
}

/// Three contracts at 34 cents are worth more than a dollar, and less at the bid that has room for all: they are offered at the best bid,
/// and what that leaves is too little for another sale.
#[test]
fn what_a_stop_loss_leaves_and_the_venue_takes_no_order_for_is_not_begun_again() {
    let mut desk = found(0, 3);
    desk.book(PM, &[(34, 1), (33, 100)], &[]);
    desk.core.limits.set(LimitRow::Unpaired, 2, false);
    desk.wait(Nanos::from_millis(10));
    let sale = desk.last_placed();
    assert_eq!((sale.price, sale.qty, sale.tif), (price(34), qty(3), Tif::Ioc));
    desk.fill(&sale, 1);
    desk.status(&sale, VenueState::Cancelled, Some(1));
    for _ in 0..100 {
        desk.wait(Nanos::from_millis(10));
    }
    assert_eq!((count(&desk, Alarm::StopLoss), desk.placed().len()), (1, 1));
    assert!(desk.core.is_idle(), "and nothing waits for a person");
    desk.wait(desk.core.limits().span(LimitRow::CooldownLossMs));
    read(&mut desk, 2, 0);
    assert_eq!((count(&desk, Alarm::StopLoss), desk.placed().len()), (1, 1));
}

/// In its place another order would leave once its cancel is confirmed, beside the one that the group sends then.
#[test]
fn the_limit_of_a_stop_loss_is_changed_by_nobody_else() {
    let (mut desk, order) = limit_order();
    desk.report(Report::Status(OrderStatus {
        order: OrderRef::Id(order.id),
        state: VenueState::Resting,
        filled: Some(Qty::ZERO),
    }));
    let sent = desk.intents.len();
    desk.control(Control::Amend { order: order.id, price: price(41), qty: qty(40), expires: None });
    assert_eq!(desk.intents.len(), sent, "neither changed nor cancelled");
    let is_refused = |note: &Note| matches!(note, Note::Refused { why: Refusal::NotResting, .. });
    assert!(desk.notes.iter().any(is_refused));
}
