//! What a settled market owes, until it is paid.

use super::*;

/// A pair bought whole, both venues agreeing, and Polymarket's half settled: 30 YES pay `yes_pays`.
fn settled(yes_pays: Price) -> Desk {
    let mut desk = Desk::new();
    desk.buy_gap();
    desk.book(KA, &[(20, 100)], &[(52, 300)]); // the gap is gone
    desk.wait(Nanos::from_secs(20));
    reading(&mut desk, 30, Usd::ZERO);
    desk.event(Event::Settled { market: PM, yes_pays });
    desk.wait(Nanos::from_secs(20));
    desk.notes.clear();
    desk
}

/// Polymarket lists so many YES, and has so much more cash than we.
fn reading(desk: &mut Desk, yes: u64, more: Usd) {
    desk.wait(Nanos::from_secs(12));
    let (venue, no) = (Venue::Polymarket, Qty::ZERO);
    let cash = desk.core.ledger().cash_at(venue) + more;
    desk.reading(
        venue,
        &[
            Control::Position { market: PM, yes: qty(yes), no },
            Control::Cash { venue, shard: 0, cash },
        ],
    );
}

fn alarms(desk: &Desk) -> usize {
    desk.notes.iter().filter(|note| matches!(note, Note::Alarm { .. })).count()
}

#[test]
fn a_result_is_a_claim_until_it_is_redeemed_and_neither_is_a_difference() {
    let mut desk = settled(Price::ONE);
    let (cash, stats) = (desk.core.ledger().cash_at(Venue::Polymarket), desk.core.stats());
    assert_eq!((stats.claims, desk.held(PM, Outcome::Yes)), (Usd::from_dollars(30), Qty::ZERO));
    assert_eq!(desk.core.money.exposure().market(PM), Usd::ZERO, "it takes no limit up");
    for _ in 0..3 {
        reading(&mut desk, 30, Usd::ZERO); // nobody has redeemed it yet
    }
    assert_eq!(desk.core.ledger().cash_at(Venue::Polymarket), cash);
    let day = desk.core.money.day_result();
    reading(&mut desk, 0, Usd::from_dollars(30));
    assert_eq!(desk.core.ledger().cash_at(Venue::Polymarket), cash + Usd::from_dollars(30));
    assert_eq!((desk.core.stats().claims, desk.core.money.day_result()), (Usd::ZERO, day));
    reading(&mut desk, 0, Usd::ZERO);
    assert!(desk.core.stats().reconciled);
    assert_eq!(alarms(&desk), 0, "{:?}", desk.notes);
}

#[test]
fn money_that_comes_before_the_list_shows_it_waits_for_the_list() {
    let mut desk = settled(Price::ONE);
    let cash = desk.core.ledger().cash_at(Venue::Polymarket);
    for _ in 0..3 {
        reading(&mut desk, 30, Usd::from_dollars(30));
        assert_eq!(desk.core.ledger().cash_at(Venue::Polymarket), cash);
    }
    reading(&mut desk, 0, Usd::from_dollars(30));
    assert_eq!(desk.core.ledger().cash_at(Venue::Polymarket), cash + Usd::from_dollars(30));
    assert!(desk.core.stats().reconciled);
    assert_eq!(alarms(&desk), 0, "{:?}", desk.notes);
}

#[test]
fn a_claim_that_is_gone_without_its_money_is_a_difference() {
    let mut desk = settled(Price::ONE);
    for _ in 0..5 {
        reading(&mut desk, 0, Usd::ZERO); // it may be on its way
        assert_eq!(alarms(&desk), 0, "{:?}", desk.notes);
    }
    for _ in 0..3 {
        reading(&mut desk, 0, Usd::ZERO);
    }
    assert!(!desk.core.stats().reconciled, "nothing is opened until somebody has looked");
    assert!(desk.notes.iter().any(|note| matches!(note, Note::Alarm { what: Alarm::Gone, .. })));
    assert_eq!(desk.core.stats().claims, Usd::from_dollars(30), "it is owed all the same");
    reading(&mut desk, 0, Usd::from_dollars(30));
    assert_eq!(desk.core.stats().claims, Usd::ZERO);
}

#[test]
fn a_start_gives_up_a_claim_that_is_gone_without_its_money() {
    let mut desk = settled(Price::ONE);
    for _ in 0..8 {
        reading(&mut desk, 0, Usd::ZERO);
    }
    assert!(!desk.core.stats().reconciled);
    let (cash, day) = (desk.core.ledger().cash_at(Venue::Polymarket), desk.core.money.day_result());
    desk.notes.clear();
    desk.control(Control::Start { epoch: 9, first_order: 1_000_000 });
    reading(&mut desk, 0, Usd::ZERO);
    let agrees = |desk: &Desk| desk.core.stats().agrees[Venue::Polymarket];
    assert_eq!((desk.core.stats().claims, agrees(&desk)), (Usd::from_dollars(30), false), "once");
    reading(&mut desk, 0, Usd::ZERO);
    assert_eq!((desk.core.stats().claims, alarms(&desk), agrees(&desk)), (Usd::ZERO, 1, true));
    assert_eq!(desk.alarms(Alarm::ClaimLost), 1, "it is believed, which `gone` is not");
    assert_eq!(desk.core.ledger().cash_at(Venue::Polymarket), cash);
    assert_eq!(desk.core.money.day_result(), day - Usd::from_dollars(30), "a loss of the day");
    assert!(desk.core.ledger().is_balanced());
    let venue = Venue::Kalshi;
    let cash = desk.core.ledger().cash_at(venue);
    let no = desk.core.ledger().position(KA).held(Outcome::No);
    desk.reading(
        venue,
        &[
            Control::Position { market: KA, yes: Qty::ZERO, no },
            Control::Cash { venue, shard: 0, cash },
        ],
    );
    assert!(desk.core.stats().reconciled);
}

fn told_changed(desk: &Desk) -> usize {
    desk.alarms(Alarm::ResultChanged)
}

#[test]
fn another_result_changes_what_is_owed_and_is_told() {
    let mut desk = settled(Price::ONE);
    let day = desk.core.money.day_result();
    desk.event(Event::Settled { market: PM, yes_pays: Price::ONE });
    assert_eq!(told_changed(&desk), 0, "it is no news");
    desk.event(Event::Settled { market: PM, yes_pays: price(50) });
    assert_eq!((told_changed(&desk), desk.core.stats().claims), (1, Usd::from_dollars(15)));
    assert_eq!(desk.core.money.day_result(), day - Usd::from_dollars(15));
    reading(&mut desk, 0, Usd::from_dollars(15));
    assert_eq!(desk.core.stats().claims, Usd::ZERO);
    let cash = desk.core.ledger().cash_at(Venue::Polymarket);
    desk.event(Event::Settled { market: PM, yes_pays: Price::ONE });
    assert_eq!(told_changed(&desk), 2);
    let now = (desk.core.ledger().cash_at(Venue::Polymarket), desk.core.stats().claims);
    assert_eq!(now, (cash, Usd::ZERO), "what was redeemed is not paid again");
    reading(&mut desk, 0, Usd::ZERO);
    assert!(desk.core.stats().reconciled);
}

#[test]
fn a_venue_that_pays_by_itself_may_take_back_what_it_paid_and_its_cash_may_show_it_late() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    let fill = desk.fill_of(&first, 30);
    desk.report(Report::Fill(Fill { finality: Finality::Final, ..fill }));
    let before = desk.core.ledger().cash_at(Venue::Kalshi);
    for (yes_pays, dollars) in [(Price::ZERO, 30), (Price::ONE, 0), (price(50), 15)] {
        desk.event(Event::Settled { market: KA, yes_pays });
        let now = desk.core.ledger().cash_at(Venue::Kalshi);
        assert_eq!(now, before + Usd::from_dollars(dollars), "{yes_pays}");
    }
    desk.wait(Nanos::from_secs(30));
    desk.event(Event::Settled { market: KA, yes_pays: Price::ONE });
    let ours = desk.core.ledger().cash_at(Venue::Kalshi);
    let (venue, shard) = (Venue::Kalshi, 0);
    for late in [15, 0, 7] {
        let cash = ours + Usd::from_dollars(late);
        desk.reading(venue, &[Control::Cash { venue, shard, cash }]);
        assert!(desk.core.stats().agrees[venue], "{late}");
    }
    let cash = ours + Usd::from_dollars(16);
    desk.reading(venue, &[Control::Cash { venue, shard, cash }]);
    assert!(!desk.core.stats().agrees[venue], "more than it took back");
}

#[test]
fn what_pays_nothing_leaves_the_list_or_stays_on_it() {
    let mut desk = settled(Price::ZERO);
    assert_eq!(desk.core.stats().claims, Usd::ZERO);
    reading(&mut desk, 30, Usd::ZERO);
    assert!(desk.core.ledger().position(PM).has_claim());
    reading(&mut desk, 0, Usd::ZERO);
    assert!(!desk.core.ledger().position(PM).has_claim());
    assert_eq!(alarms(&desk), 0, "{:?}", desk.notes);
}

#[test]
fn kalshi_pays_at_once() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    let cash = desk.core.ledger().cash_at(Venue::Kalshi);
    desk.event(Event::Settled { market: KA, yes_pays: Price::ZERO });
    assert_eq!(desk.core.ledger().cash_at(Venue::Kalshi), cash + Usd::from_dollars(30));
    assert_eq!(desk.core.stats().claims, Usd::ZERO);
}

#[test]
fn a_claim_that_is_paid_before_its_result_is_known_is_paid_once() {
    let mut desk = Desk::new();
    desk.buy_gap();
    desk.book(KA, &[(20, 100)], &[(52, 300)]);
    for fill in 1..=2 {
        desk.report(Report::Finality { fill: FillId::new(fill), state: Finality::Final });
    }
    desk.wait(Nanos::from_secs(20));
    reading(&mut desk, 30, Usd::ZERO);
    let cash = desk.core.ledger().cash_at(Venue::Polymarket);
    let paid = cash + Usd::from_dollars(30);
    reading(&mut desk, 0, Usd::from_dollars(30));
    reading(&mut desk, 0, Usd::from_dollars(30));
    assert_eq!(desk.core.ledger().cash_at(Venue::Polymarket), paid, "the same figure twice");
    for _ in 0..10 {
        reading(&mut desk, 0, Usd::ZERO);
        assert!(!desk.core.stats().reconciled, "nobody knows what became of the contracts");
    }
    desk.event(Event::Settled { market: PM, yes_pays: Price::ONE });
    for _ in 0..10 {
        let more = paid - desk.core.ledger().cash_at(Venue::Polymarket);
        reading(&mut desk, 0, more);
        assert_eq!(desk.core.ledger().cash_at(Venue::Polymarket), paid);
        assert!(desk.core.stats().reconciled, "it opens again, without a restart");
    }
    assert_eq!(desk.core.stats().claims, Usd::ZERO);
    assert!(desk.core.ledger().is_balanced());
}

#[test]
fn what_kalshi_paid_before_its_result_is_heard_of_is_counted_once() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    desk.report(Report::Finality { fill: FillId::new(1), state: Finality::Final });
    desk.wait(Nanos::from_secs(20));
    let (venue, shard) = (Venue::Kalshi, 0);
    let paid = desk.core.ledger().cash_at(venue) + Usd::from_dollars(30);
    let read = |desk: &mut Desk, cash, no| {
        desk.wait(Nanos::from_secs(12));
        let position = Control::Position { market: KA, yes: Qty::ZERO, no: qty(no) };
        desk.reading(venue, &[position, Control::Cash { venue, shard, cash }]);
    };
    read(&mut desk, paid - Usd::from_dollars(30), 30);
    for _ in 0..2 {
        read(&mut desk, paid, 0);
    }
    assert_eq!(desk.core.ledger().cash_at(venue), paid, "the same figure twice");
    desk.event(Event::Settled { market: KA, yes_pays: Price::ZERO });
    assert_eq!(desk.core.ledger().cash_at(venue), paid);
    read(&mut desk, paid, 0);
    assert!(desk.core.stats().reconciled);
}

#[test]
fn a_claim_that_is_paid_within_a_minute_of_the_first_funding_is_paid_once() {
    let mut desk = Desk::unfunded();
    let (venue, shard, no) = (Venue::Polymarket, 0, Qty::ZERO);
    let read = |desk: &mut Desk, yes, dollars| {
        let position = Control::Position { market: PM, yes: qty(yes), no };
        let cash = Usd::from_dollars(dollars);
        desk.reading(venue, &[position, Control::Cash { venue, shard, cash }]);
    };
    let agrees = |desk: &Desk| desk.core.stats().agrees[venue];
    read(&mut desk, 30, 500);
    assert_eq!(desk.core.ledger().cash_at(venue), Usd::ZERO, "told once");
    desk.wait(Nanos::from_secs(1));
    read(&mut desk, 30, 500);
    assert_eq!(desk.core.ledger().cash_at(venue), Usd::from_dollars(500), "told twice");
    assert_eq!((desk.held(PM, Outcome::Yes), agrees(&desk)), (qty(30), true));
    desk.event(Event::Settled { market: PM, yes_pays: Price::ONE });
    desk.wait(Nanos::from_secs(12));
    read(&mut desk, 0, 530);
    assert_eq!(desk.core.ledger().cash_at(venue), Usd::from_dollars(530));
    assert_eq!((desk.core.stats().claims, agrees(&desk)), (Usd::ZERO, true));
    desk.wait(Nanos::from_secs(12));
    read(&mut desk, 0, 530);
    assert_eq!((desk.core.ledger().cash_at(venue), agrees(&desk)), (Usd::from_dollars(530), true));
    assert_eq!(alarms(&desk), 0, "{:?}", desk.notes);
    assert!(desk.core.ledger().is_balanced());
}

#[test]
fn a_short_that_settles_owes_and_is_no_claim_that_anybody_redeems() {
    let mut desk = Desk::new();
    desk.book(PM, &[(40, 100)], &[(50, 100)]);
    desk.control(to_rest(PM, Action::Buy, 42, 20, false));
    let bought = desk.last_placed();
    let fill = desk.fill_of(&bought, 20);
    desk.report(Report::Fill(fill));
    desk.control(to_rest(PM, Action::Sell, 48, 20, false));
    let sold = desk.last_placed();
    desk.fill(&sold, 20);
    // The purchase is taken back after its contracts were sold.
    desk.report(Report::Finality { fill: fill.fill, state: Finality::Failed });
    assert!(desk.core.ledger().position(PM).is_short());
    desk.event(Event::Settled { market: PM, yes_pays: Price::ONE });
    assert!(desk.core.ledger().claims() < Usd::ZERO);
    for _ in 0..3 {
        reading(&mut desk, 0, Usd::ZERO);
    }
    assert!(desk.core.ledger().is_balanced());
}

#[test]
fn a_claim_may_be_redeemed_before_its_result_is_heard_of_in_the_middle_of_a_reading() {
    let mut desk = Desk::new();
    desk.buy_gap();
    desk.book(KA, &[(20, 100)], &[(52, 300)]);
    desk.wait(Nanos::from_secs(20));
    reading(&mut desk, 30, Usd::ZERO);
    let cash = desk.core.ledger().cash_at(Venue::Polymarket);
    desk.wait(Nanos::from_secs(20));
    let (venue, since, no) = (Venue::Polymarket, desk.now, Qty::ZERO);
    desk.control(Control::Reading { venue, since });
    desk.control(Control::Position { market: PM, yes: Qty::ZERO, no });
    desk.event(Event::Settled { market: PM, yes_pays: Price::ONE });
    desk.control(Control::Position { market: PM, yes: Qty::ZERO, no });
    let paid = cash + Usd::from_dollars(30);
    desk.control(Control::Cash { venue, shard: 0, cash: paid });
    desk.control(Control::Reconciled { venue, clean: true });
    assert_eq!(desk.core.ledger().cash_at(venue), paid);
    assert_eq!(desk.core.stats().claims, Usd::ZERO, "it was paid");
}
