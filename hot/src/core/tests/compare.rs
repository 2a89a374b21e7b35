//! The venues' figures against ours: what explains a difference, what is taken over, and what is not believed.

use super::*;
use crate::report::Reject;

const KALSHI: Venue = Venue::Kalshi;
const POLYMARKET: Venue = Venue::Polymarket;
/// Longer than reads lag behind fills.
const LATER: Nanos = Nanos::from_secs(11);

fn alarms(desk: &Desk, which: Alarm) -> usize {
    let is_it = |note: &&Note| matches!(note, Note::Alarm { what, .. } if *what == which);
    desk.notes.iter().filter(is_it).count()
}

fn position(market: MarketId, yes: u64, no: u64) -> Control {
    Control::Position { market, yes: qty(yes), no: qty(no) }
}

fn cash(venue: Venue, cash: Usd) -> Control {
    Control::Cash { venue, shard: 0, cash }
}

fn clean(desk: &Desk) -> bool {
    desk.core.stats().reconciled
}

/// Opens the gap and fills the first leg: 30 NO at Kalshi, and the second leg rests at Polymarket.
fn on_one_leg() -> (Desk, Order) {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    let second = desk.last_placed();
    assert_eq!((second.market, second.tif), (PM, Tif::Gtc));
    (desk, second)
}

/// Books without a gap.
fn calm(desk: &mut Desk) {
    desk.book(PM, &[(38, 300)], &[(60, 100)]);
    desk.book(KA, &[(50, 30), (20, 100)], &[(52, 300)]);
}

/// 30 NO at Kalshi and 30 YES at Polymarket, all of it settled long ago.
fn with_a_pair() -> Desk {
    let (mut desk, second) = on_one_leg();
    desk.fill(&second, 30);
    calm(&mut desk);
    for fill in 1..=2 {
        desk.report(Report::Finality { fill: FillId::new(fill), state: Finality::Final });
    }
    desk.wait(LATER);
    assert!(desk.core.is_idle());
    desk
}

fn opens(desk: &mut Desk) -> bool {
    let before = desk.core.stats().baskets_opened;
    desk.wait(Nanos::from_secs(2)); // the cooldown
    desk.gap();
    desk.core.stats().baskets_opened > before
}

#[test]
fn two_different_figures_are_not_the_truth() {
    let mut desk = with_a_pair();
    desk.reading(KALSHI, &[position(KA, 0, 25)]);
    assert!(!clean(&desk), "it stops opening at the first difference");
    desk.reading(KALSHI, &[position(KA, 0, 7)]);
    desk.reading(KALSHI, &[position(KA, 0, 25)]);
    assert_eq!(desk.held(KA, Outcome::No), qty(30));
    assert!(!clean(&desk) && !opens(&mut desk));
    desk.reading(KALSHI, &[position(KA, 0, 25)]);
    assert_eq!(desk.held(KA, Outcome::No), qty(25), "the same figure twice");
    assert!(clean(&desk));
    assert_eq!((alarms(&desk, Alarm::Unreconciled), alarms(&desk, Alarm::PositionDrift)), (1, 1));
    let ours = desk.core.ledger().cash_at(KALSHI);
    for dollars in [1, 2, 1] {
        let theirs = cash(KALSHI, ours - Usd::from_dollars(dollars));
        desk.reading(KALSHI, &[position(KA, 0, 25), theirs]);
        assert_eq!(desk.core.ledger().cash_at(KALSHI), ours);
    }
    let theirs = ours - Usd::from_dollars(1);
    desk.reading(KALSHI, &[position(KA, 0, 25), cash(KALSHI, theirs)]);
    assert_eq!((desk.core.ledger().cash_at(KALSHI), clean(&desk)), (theirs, true));
}

#[test]
fn an_outage_that_answers_zeros_reduces_nothing() {
    let mut desk = with_a_pair();
    let before = desk.core.stats();
    for _ in 0..20 {
        desk.reading(KALSHI, &[position(KA, 0, 0), cash(KALSHI, Usd::ZERO)]);
        desk.reading(POLYMARKET, &[position(PM, 0, 0), cash(POLYMARKET, Usd::ZERO)]);
        assert!(!clean(&desk), "at once, and for as long as it stands");
        desk.wait(Nanos::from_secs(12));
    }
    let now = desk.core.stats();
    assert_eq!((now.exposure, now.cash), (before.exposure, before.cash));
    assert_eq!((desk.held(KA, Outcome::No), desk.held(PM, Outcome::Yes)), (qty(30), qty(30)));
    assert_eq!(alarms(&desk, Alarm::Gone), 2, "one a venue");
    assert!(!opens(&mut desk));
    desk.reading(KALSHI, &[position(KA, 0, 30)]);
    desk.reading(POLYMARKET, &[position(PM, 30, 0)]);
    assert!(clean(&desk) && opens(&mut desk), "the venues are well again");
}

#[test]
fn an_answer_without_a_purse_or_with_one_outcome_missing_is_a_zero_too() {
    let mut desk = with_a_pair();
    let since = desk.now;
    desk.control(Control::Reading { venue: KALSHI, since });
    desk.control(position(KA, 0, 30));
    desk.control(Control::Reconciled { venue: KALSHI, clean: true });
    assert!(!clean(&desk), "no cash was told");
    let stats = desk.core.stats();
    assert_eq!((stats.gone[KALSHI], stats.agrees[KALSHI]), (true, false));
    assert_eq!((stats.gone[POLYMARKET], stats.agrees[POLYMARKET]), (false, true));
    desk.reading(KALSHI, &[position(KA, 0, 30)]);
    assert!(clean(&desk));
    for _ in 0..2 {
        desk.reading(POLYMARKET, &[position(PM, 30, 12)]);
    }
    assert_eq!(desk.held(PM, Outcome::No), qty(12), "more than we knew of is believed");
    for _ in 0..3 {
        desk.reading(POLYMARKET, &[position(PM, 0, 12)]);
    }
    assert_eq!(desk.held(PM, Outcome::Yes), qty(30), "one outcome alone gone is not");
}

#[test]
fn a_restart_believes_zeros_no_more_than_a_run() {
    let mut desk = with_a_pair();
    desk.control(Control::Start { epoch: 5, first_order: 1_000 });
    for _ in 0..5 {
        desk.reading(KALSHI, &[position(KA, 0, 0), cash(KALSHI, Usd::ZERO)]);
        desk.reading(POLYMARKET, &[position(PM, 30, 0)]);
        assert!(!clean(&desk));
    }
    assert_eq!(desk.held(KA, Outcome::No), qty(30));
    let ours = desk.core.ledger().cash_at(KALSHI);
    let more = ours + Usd::from_dollars(5);
    desk.reading(KALSHI, &[position(KA, 0, 30), cash(KALSHI, more)]);
    assert_eq!((desk.core.ledger().cash_at(KALSHI), clean(&desk)), (ours, false), "told once");
    desk.reading(KALSHI, &[position(KA, 0, 30), cash(KALSHI, more)]);
    assert_eq!((desk.core.ledger().cash_at(KALSHI), clean(&desk)), (more, true), "told twice");
    assert_eq!(alarms(&desk, Alarm::CashDrift), 0, "it moved while nothing ran");
}

/// A reading asks for the results before it asks for the contracts: what is paid between the two is explained by the next one.
#[test]
fn contracts_that_may_have_been_paid_are_not_gone_before_the_result_was_asked_for() {
    let is_gone = |desk: &Desk, venue| (desk.core.stats().gone[venue], alarms(desk, Alarm::Gone));
    for is_paid in [true, false] {
        let mut desk = with_a_pair();
        let gone = position(KA, 0, 0);
        let more = desk.core.ledger().cash_at(KALSHI) + Usd::from_dollars(30);
        desk.reading(KALSHI, &[gone, cash(KALSHI, more)]);
        assert_eq!((is_gone(&desk, KALSHI), clean(&desk)), ((false, 0), false), "it may be paid");
        assert_eq!(desk.core.stats().doubts[KALSHI].count, 1, "its trades are asked for");
        desk.wait(Nanos::from_secs(5));
        if is_paid {
            desk.event(Event::Settled { market: KA, yes_pays: Price::ZERO });
            desk.reading(KALSHI, &[gone, cash(KALSHI, more)]);
            assert_eq!((is_gone(&desk, KALSHI), clean(&desk)), ((false, 0), true));
            assert_eq!(desk.core.ledger().cash_at(KALSHI), more);
            assert_eq!(alarms(&desk, Alarm::CashDrift), 0);
        } else {
            desk.reading(KALSHI, &[gone]);
            assert_eq!((is_gone(&desk, KALSHI), clean(&desk)), ((true, 1), false));
        }
    }
    // Where a claim stays on the list until it is redeemed, nothing is paid by itself.
    let mut desk = with_a_pair();
    desk.reading(POLYMARKET, &[position(PM, 0, 0)]);
    assert_eq!(is_gone(&desk, POLYMARKET), (true, 1));
}

#[test]
fn what_the_venues_own_trades_explain_is_gone() {
    let mut desk = with_a_pair();
    let gone = position(KA, 0, 0);
    desk.reading(KALSHI, &[gone]);
    let doubts = desk.core.stats().doubts[KALSHI];
    assert_eq!((doubts.count, doubts.shown().collect::<Vec<_>>()), (1, vec![KA]));
    let history = |no| Control::History { market: KA, yes: Qty::ZERO, no: qty(no) };
    for _ in 0..3 {
        desk.reading(KALSHI, &[history(30), gone]);
        assert_eq!(desk.held(KA, Outcome::No), qty(30), "its trades say that they are there");
    }
    desk.reading(KALSHI, &[history(0), gone]);
    assert_eq!(desk.held(KA, Outcome::No), Qty::ZERO);
    assert!(clean(&desk));
    desk.reading(KALSHI, &[gone]);
    assert_eq!(desk.core.stats().doubts[KALSHI].count, 0);
}

/// Both lists of a venue in trouble are empty, so that its contracts are taken for gone. When they are listed again, an order that rests
/// beside them has not bought them.
#[test]
fn contracts_that_come_back_are_no_fill_of_an_order_that_rests() {
    for market in [PM, KA] {
        let venue = terms(market).venue;
        let mut desk = Desk::new();
        desk.book(market, &[(40, 100)], &[(50, 100)]);
        desk.buy_at_rest(market, Outcome::Yes, 42, 20);
        let cost = desk.core.ledger().position(market).cost_total();
        desk.control(to_rest(market, Action::Buy, 41, 30, false));
        let rests = desk.last_placed();
        desk.status(&rests, VenueState::Resting, Some(0));
        desk.wait(Nanos::from_secs(20));
        desk.reading(venue, &[position(market, 20, 0)]);
        assert!(clean(&desk));
        let gone = Control::History { market, yes: Qty::ZERO, no: Qty::ZERO };
        for _ in 0..4 {
            desk.wait(Nanos::from_secs(12));
            desk.reading(venue, &[gone, position(market, 0, 0)]);
        }
        assert!(desk.held(market, Outcome::Yes).is_zero(), "{market:?}: as the venue says");
        desk.wait(Nanos::from_secs(12));
        desk.reading(venue, &[position(market, 20, 0)]);
        assert!(!clean(&desk), "{market:?}: once may be a fill that is not told yet");
        desk.wait(Nanos::from_secs(12));
        desk.reading(venue, &[position(market, 20, 0)]);
        assert_eq!((desk.held(market, Outcome::Yes), clean(&desk)), (qty(20), true), "{market:?}");
        assert_eq!(desk.core.ledger().position(market).cost_total(), cost, "at what they cost");
        assert_eq!(alarms(&desk, Alarm::PositionDrift), 2, "{market:?}: gone, and back");
    }
}

#[test]
fn money_moved_between_shards_is_not_gone() {
    let mut desk = Desk::new();
    let shard =
        |shard, dollars| Control::Cash { venue: KALSHI, shard, cash: Usd::from_dollars(dollars) };
    for _ in 0..2 {
        desk.reading(KALSHI, &[shard(2, 10_000), shard(0, 0)]);
    }
    assert!(clean(&desk));
    assert_eq!(desk.core.ledger().cash_at(KALSHI), Usd::from_dollars(10_000));
    assert_eq!(alarms(&desk, Alarm::Gone), 0);
}

#[test]
fn an_order_that_rests_explains_what_it_may_have_done_and_no_more() {
    let (mut desk, second) = on_one_leg();
    desk.status(&second, VenueState::Delayed, None);
    desk.wait(LATER);
    let ours = desk.core.ledger().cash_at(POLYMARKET);
    let cost = desk.reserved();
    assert!(cost > Usd::ZERO);
    for (yes, spent) in [(0, Usd::ZERO), (30, cost), (12, Usd::from_dollars(5))] {
        desk.reading(POLYMARKET, &[position(PM, yes, 0), cash(POLYMARKET, ours - spent)]);
        assert!(clean(&desk), "{yes} {spent:?}");
        assert_eq!(desk.core.stats().compared[POLYMARKET].millis(), desk.now.millis());
    }
    assert_eq!(desk.held(PM, Outcome::Yes), Qty::ZERO, "the fills themselves will tell");
    assert_eq!(desk.core.ledger().cash_at(POLYMARKET), ours);
    for (yes, no, theirs) in [
        (31, 0, ours),
        (0, 1, ours),
        (0, 0, ours - cost - Usd::from_cents(1)),
        (0, 0, ours + Usd::from_cents(1)),
    ] {
        desk.reading(POLYMARKET, &[position(PM, yes, no), cash(POLYMARKET, theirs)]);
        assert!(!clean(&desk), "{yes} {no} {theirs:?}");
        desk.reading(POLYMARKET, &[position(PM, 0, 0), cash(POLYMARKET, ours)]);
        assert!(clean(&desk));
    }
    for _ in 0..2 {
        desk.reading(POLYMARKET, &[position(PM, 0, 5), cash(POLYMARKET, ours)]);
    }
    assert_eq!(desk.held(PM, Outcome::No), qty(5), "no order of ours explains these");
    assert!(clean(&desk));
}

#[test]
fn what_moves_while_the_venue_is_read_is_no_difference() {
    let (mut desk, second) = on_one_leg();
    desk.wait(LATER);
    let ours = desk.core.ledger().cash_at(POLYMARKET);
    let since = desk.now;
    let told = |desk: &mut Desk, yes, theirs| {
        desk.control(position(PM, yes, 0));
        desk.control(cash(POLYMARKET, theirs));
        desk.control(Control::Reconciled { venue: POLYMARKET, clean: true });
    };
    desk.fill(&second, 12); // after the first question, before the answers are told
    desk.control(Control::Reading { venue: POLYMARKET, since });
    told(&mut desk, 0, ours);
    assert!(clean(&desk));
    desk.control(Control::Reading { venue: POLYMARKET, since });
    desk.fill(&second, 8); // between two answers
    told(&mut desk, 12, ours - Usd::from_dollars(3));
    assert!(clean(&desk));
    desk.control(Control::Reading { venue: POLYMARKET, since });
    desk.status(&second, VenueState::Cancelled, Some(20)); // the cancel, too
    let now = desk.core.ledger().cash_at(POLYMARKET);
    told(&mut desk, 20, now);
    assert!(clean(&desk));
    assert_eq!(desk.held(PM, Outcome::Yes), qty(20));
    assert_eq!((desk.core.stats().alarms, alarms(&desk, Alarm::LegMismatch)), (1, 1));
}

#[test]
fn a_fill_that_is_not_settled_is_neither_taken_back_nor_booked_twice() {
    let (mut desk, second) = on_one_leg();
    let before = desk.core.ledger().cash_at(POLYMARKET);
    desk.fill(&second, 30); // provisional
    calm(&mut desk);
    let ours = desk.core.ledger().cash_at(POLYMARKET);
    for minute in 0..20 {
        let (yes, theirs) = if minute % 4 < 2 { (0, before) } else { (30, ours) };
        for _ in 0..5 {
            desk.wait(Nanos::from_secs(12));
            desk.reading(POLYMARKET, &[position(PM, yes, 0), cash(POLYMARKET, theirs)]);
            desk.reading(KALSHI, &[position(KA, 0, 30)]);
            assert!(clean(&desk));
        }
    }
    assert_eq!((desk.held(PM, Outcome::Yes), desk.core.stats().alarms), (qty(30), 0));
    desk.report(Report::Finality { fill: FillId::new(2), state: Finality::Final });
    desk.reading(POLYMARKET, &[position(PM, 0, 0), cash(POLYMARKET, before)]);
    assert!(clean(&desk), "reads lag behind the word");
    desk.wait(LATER);
    desk.reading(POLYMARKET, &[position(PM, 20, 0)]);
    assert_eq!((clean(&desk), desk.core.stats().alarms), (false, 1));
}

#[test]
fn one_that_failed_may_still_show() {
    let (mut desk, second) = on_one_leg();
    let before = desk.core.ledger().cash_at(POLYMARKET);
    desk.fill(&second, 30);
    let paid = desk.core.ledger().cash_at(POLYMARKET);
    desk.report(Report::Finality { fill: FillId::new(2), state: Finality::Failed });
    let again = desk.last_placed();
    desk.report(Report::Rejected { order: OrderRef::Id(again.id), why: Reject::Killed });
    assert_eq!(desk.core.ledger().cash_at(POLYMARKET), before);
    desk.reading(POLYMARKET, &[position(PM, 30, 0), cash(POLYMARKET, paid)]);
    assert!(clean(&desk));
    desk.wait(LATER);
    desk.reading(POLYMARKET, &[position(PM, 30, 0), cash(POLYMARKET, paid)]);
    assert!(!clean(&desk));
}

#[test]
fn a_settlement_found_by_the_poll_leaves_the_rest_of_it_compared() {
    let mut desk = with_a_pair();
    let ours = desk.core.ledger().cash_at(KALSHI);
    let since = desk.now;
    desk.event(Event::Settled { market: KA, yes_pays: Price::ZERO });
    for (theirs, agrees) in
        [(ours, true), (ours + Usd::from_dollars(30), true), (ours - Usd::from_cents(1), false)]
    {
        desk.control(Control::Reading { venue: KALSHI, since });
        desk.control(position(KA, 0, 30)); // on the venue's list until it is paid out
        desk.control(cash(KALSHI, theirs));
        desk.control(Control::Reconciled { venue: KALSHI, clean: true });
        assert_eq!(clean(&desk), agrees, "{theirs:?}");
        assert_eq!(desk.core.stats().compared[KALSHI], desk.now);
    }
    assert_eq!(desk.held(KA, Outcome::No), Qty::ZERO);
}

#[test]
fn a_comparison_is_known_by_the_beginning_of_its_reading() {
    let mut desk = Desk::new();
    let shown = |desk: &Desk| desk.core.stats().compared_since[KALSHI];
    assert_eq!(shown(&desk), Nanos::ZERO);
    let first = desk.now;
    desk.wait(Nanos::from_secs(3)); // the venue takes its time
    desk.control(Control::Reading { venue: KALSHI, since: first });
    assert_eq!(shown(&desk), Nanos::ZERO, "it is under way");
    desk.control(Control::Reconciled { venue: KALSHI, clean: true });
    assert_eq!(shown(&desk), first);
    desk.control(Control::Reading { venue: KALSHI, since: desk.now });
    assert_eq!(shown(&desk), first, "the next one is under way");
    desk.control(Control::Reconciled { venue: KALSHI, clean: false });
    assert_eq!(shown(&desk), first, "it was not read whole");
}

#[test]
fn an_old_comparison_opens_nothing() {
    let mut desk = Desk::new();
    let both = |desk: &mut Desk| {
        for venue in Venue::ALL {
            desk.reading(venue, &[]);
        }
    };
    both(&mut desk);
    desk.wait(Nanos::from_secs(39));
    assert!(clean(&desk));
    desk.reading(POLYMARKET, &[]);
    desk.wait(Nanos::from_secs(2));
    assert!(!clean(&desk) && !opens(&mut desk), "Kalshi was not compared with for 41 s");
    assert_eq!(alarms(&desk, Alarm::Unreconciled), 1);
    both(&mut desk);
    assert!(clean(&desk) && opens(&mut desk));
    desk.control(Control::Reconciled { venue: KALSHI, clean: false });
    assert!(!clean(&desk), "it could not be read");
    desk.reading(KALSHI, &[]);
    assert!(clean(&desk));
}

#[test]
fn a_difference_leaves_no_leg_without_its_partner() {
    let mut desk = Desk::new();
    for venue in Venue::ALL {
        desk.reading(venue, &[]);
    }
    desk.gap();
    let first = desk.last_placed();
    let other = cash(POLYMARKET, Usd::from_dollars(9_000));
    desk.reading(POLYMARKET, &[other]);
    assert!(!clean(&desk));
    desk.fill(&first, 30);
    let second = desk.last_placed();
    assert_eq!((second.market, second.action, second.qty), (PM, crate::ids::Action::Buy, qty(30)));
}

#[test]
fn cash_in_an_account_that_no_order_draws_on_is_a_difference_and_no_crash() {
    let mut desk = Desk::new();
    let venue = Venue::Kalshi;
    let told = |cash| {
        let all = Usd::from_dollars(10_000);
        [Control::Cash { venue, shard: 0, cash: all }, Control::Cash { venue, shard: 200, cash }]
    };
    desk.reading(venue, &told(Usd::ZERO));
    assert!(desk.core.stats().reconciled, "an empty one is nothing to us");
    desk.reading(venue, &told(Usd::from_dollars(1)));
    assert!(!desk.core.stats().reconciled);
}
