//! The gate's rows about the market, the venues and the clock, where the core fills them: what it remembers, when that ends,
//! and what is withdrawn meanwhile.

use super::*;
use crate::order::Purpose;
use crate::report::Reject;
use crate::risk::Refusal;

/// A market that nobody has an edge in, at either venue.
fn quiet() -> Desk {
    let mut desk = Desk::new();
    for market in [PM, KA] {
        desk.book(market, &[(40, 100)], &[(50, 100)]);
    }
    desk
}

fn quote(desk: &mut Desk, market: MarketId, cents: u16, contracts: u64) {
    desk.control(to_rest(market, Action::Buy, cents, contracts, false));
}

/// A quote that the venue has on its book.
fn resting(desk: &mut Desk, market: MarketId) -> Order {
    quote(desk, market, 42, 20);
    let order = desk.last_placed();
    desk.status(&order, VenueState::Resting, Some(0));
    order
}

fn reject(desk: &mut Desk, order: &Order, why: Reject) {
    desk.report(Report::Rejected { order: OrderRef::Id(order.id), why });
}

/// What the gate has refused since this was last asked.
fn refused(desk: &mut Desk) -> Vec<Refusal> {
    let why = |note: &Note| if let Note::Refused { why, .. } = note { Some(*why) } else { None };
    let refused = desk.notes.iter().filter_map(why).collect();
    desk.notes.clear();
    refused
}

fn alarms(desk: &Desk, of: Alarm) -> usize {
    let is = |note: &&Note| matches!(note, Note::Alarm { what, .. } if *what == of);
    desk.notes.iter().filter(is).count()
}

/// Whether the order was asked to be cancelled.
fn is_cancelled(desk: &Desk, order: &Order) -> bool {
    let is = |intent: &Intent| matches!(intent, Intent::Cancel(cancel) if cancel.order == order.id);
    desk.intents.iter().any(is)
}

fn limit(desk: &mut Desk, row: LimitRow, value: u64) {
    desk.core.limits.set(row, value, false);
}

#[test]
fn a_trade_far_below_stops_a_basket_until_it_is_old() {
    let mut desk = Desk::new();
    let (market, taker) = (PM, Side::Ask);
    desk.event(Event::Trade { market, price: price(30), qty: qty(1), taker });
    desk.gap();
    assert_eq!((refused(&mut desk), desk.placed().len()), (vec![Refusal::Collar], 0));
    desk.wait(Nanos::from_secs(31));
    assert_eq!((refused(&mut desk), desk.placed().len()), (vec![], 1));
}

#[test]
fn legs_reach_and_levels_are_planned_no_farther_than_the_collar() {
    let mut desk = Desk::new();
    desk.book(PM, &[(18, 300)], &[(20, 10), (24, 10), (25, 100)]);
    desk.book(KA, &[(38, 300)], &[(40, 300)]); // NO at 62: eighteen cents under a dollar
    let group = desk.core.groups().at(0);
    let legs: Vec<_> = group.legs().iter().map(|leg| (leg.market, leg.limit, leg.reach)).collect();
    let pm = legs.iter().find(|leg| leg.0 == PM).unwrap();
    assert_eq!((pm.1, pm.2), (price(24), price(24)), "a fifth of twenty cents more");
    assert_eq!(group.target, qty(20), "the level at 25 is not planned with");
    let ka = legs.iter().find(|leg| leg.0 == KA).unwrap();
    assert!(ka.1 == price(62) && ka.2 > price(62) && ka.2 <= price(72), "{ka:?}");
    assert_eq!(refused(&mut desk), vec![]);
}

/// What is refused of a gap, and the orders placed.
fn gap(desk: &mut Desk) -> (Vec<Refusal>, usize) {
    desk.gap();
    (refused(desk), desk.placed().len())
}

#[test]
fn what_keeps_an_executor_from_sending_is_known_at_the_gate() {
    for (breaker_open, tokens_short, why) in
        [(true, false, Refusal::Breaker), (false, true, Refusal::Tokens)]
    {
        let (mut desk, venue) = (Desk::new(), Venue::Kalshi);
        desk.event(Event::Way { venue, breaker_open, tokens_short });
        assert_eq!(gap(&mut desk), (vec![why], 0));
        desk.event(Event::Way { venue, breaker_open: false, tokens_short: false });
        assert_eq!(gap(&mut desk), (vec![], 1));
        let counted: Vec<_> = desk.core.stats().refused.iter().collect();
        assert_eq!(counted, [(why, 1)]);
    }
}

#[test]
fn a_core_that_hears_late_opens_nothing_until_it_is_quick_again() {
    let mut desk = Desk::new();
    let hear = |desk: &mut Desk, times, late: Nanos| {
        for _ in 0..times {
            let read = desk.now.since(late);
            desk.event(Event::Handed { read });
        }
    };
    hear(&mut desk, 99, Nanos::from_millis(20));
    assert_eq!(desk.core.measured.own_latency(), None, "too few to say so");
    hear(&mut desk, 1, Nanos::from_millis(20));
    assert_eq!(gap(&mut desk), (vec![Refusal::Slow], 0));
    hear(&mut desk, 10_000, Nanos::ZERO);
    assert_eq!(gap(&mut desk), (vec![], 1));
    desk.control(Control::Start { epoch: 2, first_order: 1_000 });
    assert_eq!(desk.core.measured.own_latency(), None, "a run begins with nothing known");
}

#[test]
fn terms_that_cannot_be_read_for_half_an_hour_open_nothing() {
    let mut desk = Desk::new();
    desk.control(Control::TermsUnread { market: PM });
    desk.wait(Nanos::from_secs(1_799));
    desk.wait(Nanos::from_secs(2)); // the other market's are read all the time
    assert_eq!(gap(&mut desk), (vec![Refusal::OldTerms], 0));
    desk.event(Event::Market(terms(PM)));
    assert_eq!(gap(&mut desk), (vec![], 1));
    desk.control(Control::TermsUnread { market: MarketId::new(u16::MAX) }); // nobody's
}

#[test]
fn a_market_without_a_close_is_not_quoted_in() {
    let mut desk = quiet();
    let order = resting(&mut desk, PM);
    desk.wait(Nanos::from_secs(1));
    assert!(!is_cancelled(&desk, &order));
    desk.event(Event::Market(MarketDef { close: Nanos::NEVER, ..terms(PM) }));
    desk.wait(Nanos::from_secs(1));
    assert!(is_cancelled(&desk, &order), "its close is not known any more");
    quote(&mut desk, PM, 43, 20);
    assert_eq!(refused(&mut desk), [Refusal::NoClose]);
    desk.event(Event::Market(terms(PM)));
    quote(&mut desk, PM, 43, 20);
    assert_eq!(refused(&mut desk), []);
    // Baskets need no close: they hold until the market settles.
    let mut desk = Desk::new();
    desk.event(Event::Market(MarketDef { close: Nanos::NEVER, ..terms(PM) }));
    desk.gap();
    assert_eq!(desk.placed().len(), 1);
}

#[test]
fn nothing_is_opened_and_no_quote_rests_within_the_cut_off() {
    let mut desk = quiet();
    let order = resting(&mut desk, PM);
    let close = desk.now.after(Nanos::from_secs(60));
    for market in [PM, KA] {
        desk.event(Event::Market(MarketDef { close, ..terms(market) }));
    }
    desk.wait(Nanos::from_secs(29));
    assert!(!is_cancelled(&desk, &order));
    desk.wait(Nanos::from_secs(1));
    assert!(is_cancelled(&desk, &order), "half a minute before the close");
    quote(&mut desk, PM, 43, 20);
    desk.gap();
    assert_eq!(refused(&mut desk), [Refusal::Closing; 2]);
    // The row is the operator's to widen.
    let mut desk = quiet();
    let order = resting(&mut desk, PM);
    desk.event(Event::Market(MarketDef {
        close: desk.now.after(Nanos::from_secs(60)),
        ..terms(PM)
    }));
    desk.control(Control::Limit { row: LimitRow::CloseCutoffMs, value: 60_000 });
    desk.wait(Nanos::from_millis(10));
    assert!(is_cancelled(&desk, &order));
}

#[test]
fn a_reject_keeps_quotes_out_of_its_market_for_a_while_and_nothing_else() {
    let mut desk = quiet();
    let order = resting(&mut desk, PM);
    desk.fill(&order, 20);
    quote(&mut desk, PM, 43, 20);
    let second = desk.last_placed();
    reject(&mut desk, &second, Reject::Crossed);
    quote(&mut desk, PM, 44, 20);
    assert_eq!(refused(&mut desk), [Refusal::QuoteCooldown]);
    quote(&mut desk, KA, 30, 20);
    desk.control(to_rest(PM, Action::Sell, 60, 5, true));
    let exit = desk.last_placed();
    assert_eq!(
        (exit.purpose, refused(&mut desk)),
        (Purpose::Exit, vec![]),
        "another market, an exit"
    );
    desk.control(Control::Withdraw { order: exit.id });
    desk.wait(Nanos::from_secs(3)); // no basket takes a level that was just sent an order
    desk.gap();
    assert_eq!(
        (desk.last_placed().purpose, refused(&mut desk)),
        (Purpose::Leg, vec![]),
        "a basket"
    );
    desk.wait(Nanos::from_secs(30));
    quote(&mut desk, PM, 39, 20);
    assert_eq!(refused(&mut desk), []);
}

#[test]
fn a_kill_is_no_reject() {
    let mut desk = quiet();
    quote(&mut desk, PM, 42, 20);
    let order = desk.last_placed();
    reject(&mut desk, &order, Reject::Killed);
    quote(&mut desk, PM, 43, 20);
    assert_eq!((refused(&mut desk), desk.core.rejections.in_a_minute()), (vec![], 0));
}

#[test]
fn a_market_that_rejects_one_purchase_after_another_is_closed_at_the_gate_too() {
    let mut desk = quiet();
    limit(&mut desk, LimitRow::QuoteCooldownMs, 0);
    let other = resting(&mut desk, PM);
    for cents in 30..35 {
        quote(&mut desk, PM, cents, 20);
        let order = desk.last_placed();
        reject(&mut desk, &order, Reject::Other);
    }
    quote(&mut desk, PM, 36, 20);
    assert_eq!(refused(&mut desk), [Refusal::MarketPaused]);
    desk.wait(Nanos::from_millis(10));
    assert!(is_cancelled(&desk, &other), "what is quoted there goes");
    desk.wait(Nanos::from_secs(300));
    desk.book(PM, &[(40, 100)], &[(50, 100)]); // it has been silent for long
    desk.wait(Nanos::from_millis(250));
    quote(&mut desk, PM, 36, 20);
    assert_eq!(refused(&mut desk), []);
}

#[test]
fn a_storm_of_rejects_ends_all_quotes_until_the_minute_is_over() {
    let mut desk = quiet();
    for row in [LimitRow::OrdersPerMinute, LimitRow::OrdersPerMinuteMarket, LimitRow::RejectsMarket]
    {
        limit(&mut desk, row, 1_000);
    }
    limit(&mut desk, LimitRow::QuoteCooldownMs, 0);
    let elsewhere = resting(&mut desk, KA);
    for nth in 0..51 {
        assert_eq!(refused(&mut desk), [], "{nth}");
        quote(&mut desk, PM, 42, 20 + nth);
        let order = desk.last_placed();
        reject(&mut desk, &order, Reject::Other);
    }
    assert_eq!(alarms(&desk, Alarm::RejectStorm), 1);
    quote(&mut desk, KA, 41, 20);
    assert_eq!(refused(&mut desk), [Refusal::RejectStorm]);
    desk.wait(Nanos::from_millis(10));
    assert!(is_cancelled(&desk, &elsewhere));
    desk.wait(Nanos::from_secs(3)); // no basket takes a level that was just sent an order
    desk.gap();
    assert_eq!(desk.last_placed().purpose, Purpose::Leg, "baskets go on");
    desk.wait(Nanos::from_secs(60));
    quote(&mut desk, KA, 30, 20);
    assert_eq!(refused(&mut desk), []);
}

#[test]
fn what_repeats_itself_is_disabled_until_a_person_resumes() {
    let mut desk = quiet();
    let first = resting(&mut desk, PM);
    for nth in 1..=3 {
        assert_eq!(
            (alarms(&desk, Alarm::Repeated), desk.core.stats().disabled),
            (0, false),
            "{nth}"
        );
        quote(&mut desk, PM, 42, 20);
    }
    assert_eq!((alarms(&desk, Alarm::Repeated), desk.core.stats().disabled), (1, true));
    assert_eq!(refused(&mut desk), [Refusal::Duplicate; 3]);
    desk.wait(Nanos::from_secs(3_600));
    assert!(is_cancelled(&desk, &first), "its quotes go");
    quote(&mut desk, KA, 41, 20);
    assert_eq!(
        refused(&mut desk),
        [Refusal::Disabled],
        "anything of its kind, however long it waits"
    );
    desk.control(Control::Start { epoch: 2, first_order: 1_000 });
    assert!(desk.core.stats().disabled, "a start is no resume");
    desk.open();
    for market in [PM, KA] {
        desk.book(market, &[(40, 100)], &[(50, 100)]);
    }
    desk.control(Control::Resume { epoch: 3 });
    desk.notes.clear();
    quote(&mut desk, KA, 41, 20);
    assert_eq!((refused(&mut desk), desk.core.stats().disabled), (vec![], false));
}
