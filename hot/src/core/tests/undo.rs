//! Fills that the venue takes back after their group has ended: nothing stays on one leg.

use super::*;
use crate::bounds::GROUPS_ENDED_MAX;
use crate::ids::Action;
use crate::order::Purpose;
use crate::report::Reject;

/// A pair bought whole: NO at Kalshi for 50, YES at Polymarket for up to 47. The fills of its legs.
fn hedged(desk: &mut Desk, parts: &[u64]) -> (Fill, Vec<Fill>) {
    desk.gap();
    let first = desk.last_placed();
    let kalshi = desk.fill_of(&first, 30);
    desk.report(Report::Fill(kalshi));
    let second = desk.last_placed();
    let fills: Vec<_> = parts.iter().map(|&part| desk.fill_of(&second, part)).collect();
    for fill in &fills {
        desk.report(Report::Fill(*fill));
    }
    assert_eq!(desk.group_states().last(), Some(&GroupState::Hedged));
    assert!(desk.core.is_idle());
    desk.now = desk.now.after(Nanos::from_secs(20));
    desk.book(PM, &[(38, 300)], &[(40, 30), (60, 100)]);
    desk.book(KA, &[(20, 100)], &[(52, 300)]); // the gap is gone
    assert!(desk.core.is_idle());
    (kalshi, fills)
}

fn void(desk: &mut Desk, fill: &Fill) {
    desk.report(Report::Finality { fill: fill.fill, state: Finality::Failed });
}

fn alarms(desk: &Desk, wanted: Alarm) -> usize {
    desk.notes
        .iter()
        .filter(|note| matches!(note, Note::Alarm { what, .. } if *what == wanted))
        .count()
}

/// Nothing in flight, and both legs hold as much.
fn ends(desk: &Desk, state: GroupState, held: u64) {
    assert_eq!(desk.group_states().last(), Some(&state));
    assert_eq!((desk.held(KA, Outcome::No), desk.held(PM, Outcome::Yes)), (qty(held), qty(held)));
    assert!(desk.core.is_idle());
    assert_eq!(desk.reserved(), Usd::ZERO);
}

/// How long the last group told of stood on one leg.
fn one_leg(desk: &Desk) -> u64 {
    let told = desk.notes.iter().rev().find_map(|note| match note {
        Note::Group { one_leg_ns, .. } => Some(*one_leg_ns),
        _ => None,
    });
    told.expect("a group was told of")
}

#[test]
fn the_missing_leg_is_bought_again_as_far_as_the_basket_pays() {
    let run = || {
        let mut desk = Desk::new();
        let (_, fills) = hedged(&mut desk, &[30]);
        let (before, id) = (one_leg(&desk), desk.placed()[0].group);
        void(&mut desk, &fills[0]);
        assert_eq!(alarms(&desk, Alarm::FailedFill), 1);
        let again = desk.last_placed();
        assert_eq!((again.market, again.outcome, again.action), (PM, Outcome::Yes, Action::Buy));
        assert_eq!((again.qty, again.price, again.group), (qty(30), price(47), id));
        desk.wait(Nanos::from_millis(400));
        desk.fill(&again, 30);
        ends(&desk, GroupState::Hedged, 30);
        assert!(one_leg(&desk) - before >= 400_000_000, "the time on one leg is counted");
        let stats = desk.core.stats();
        assert_eq!((stats.baskets_completed, stats.groups_reopened, stats.fills_failed), (1, 1, 1));
        (desk.core.decision_hash(), desk.core.state_hash(), desk.intents)
    };
    assert_eq!(run(), run());
}

/// The venue's count ends a group; what was paid is told after it.
#[test]
fn a_fill_that_is_told_after_its_group_has_ended_is_part_of_what_was_paid() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    let hedge = desk.last_placed();
    desk.status(&hedge, VenueState::Filled, Some(30));
    assert_eq!(desk.group_states().last(), Some(&GroupState::Hedged));
    let parts = [10, 20].map(|contracts| desk.fill_of(&hedge, contracts));
    for part in &parts {
        desk.report(Report::Fill(*part));
    }
    void(&mut desk, &parts[1]);
    let group = desk.core.groups().iter().next().expect("it lacks a part of a leg");
    let leg = group.legs().iter().find(|leg| leg.market == PM).expect("one of its two");
    assert_eq!((leg.bought, leg.booked), (qty(10), qty(10)));
    assert!(leg.paid >= hedge.price.cost_ceil(qty(10)), "{:?}", leg.paid);
    let again = desk.last_placed();
    assert_eq!((again.market, again.qty), (PM, qty(20)));
    desk.fill(&again, 20);
    ends(&desk, GroupState::Hedged, 30);
}

#[test]
fn what_is_taken_back_is_told_as_it_was_booked() {
    for taker in [true, false] {
        let mut desk = Desk::new();
        desk.book(PM, &[(38, 300)], &[(60, 100)]);
        let cents = if taker { 60 } else { 40 };
        let rests = to_rest(PM, Action::Buy, cents, 30, false);
        let Control::Rest { market, outcome, action, price, qty, expires, exit, .. } = rests else {
            unreachable!("it was just made")
        };
        let post_only = !taker;
        desk.control(Control::Rest {
            market,
            outcome,
            action,
            price,
            qty,
            expires,
            post_only,
            exit,
        });
        let first = desk.last_placed();
        let fill = Fill { liquidity: Liquidity::Unsaid, ..desk.fill_of(&first, 30) };
        desk.report(Report::Fill(fill));
        void(&mut desk, &fill);
        let told = |undone: bool| {
            desk.notes
                .iter()
                .copied()
                .find(|note| matches!(note, Note::Booked { undone: seen, .. } if *seen == undone))
        };
        let (Some(booked), Some(undone)) = (told(false), told(true)) else {
            panic!("booked, and taken back")
        };
        let Note::Booked { order, market, outcome, price, qty, fee, taker: seen, .. } = booked
        else {
            unreachable!("it was looked for")
        };
        assert_eq!(seen, taker);
        let back = Note::Booked { order, market, outcome, price, qty, fee, taker, undone: true };
        assert_eq!(undone, back);
    }
}

#[test]
fn taken_back_at_once_the_same_order_again_is_no_mistake() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    let second = desk.last_placed();
    let fill = desk.fill_of(&second, 30);
    desk.report(Report::Fill(fill));
    void(&mut desk, &fill);
    let again = desk.last_placed();
    assert_eq!(Order { id: second.id, decided: second.decided, ..again }, second);
    assert_ne!(again.id, second.id);
    desk.fill(&again, 30);
    ends(&desk, GroupState::Hedged, 30);
}

#[test]
fn where_it_cannot_be_bought_the_other_leg_is_sold() {
    let mut desk = Desk::new();
    let (_, fills) = hedged(&mut desk, &[30]);
    desk.book(PM, &[(55, 300)], &[(60, 100)]);
    void(&mut desk, &fills[0]);
    let again = desk.last_placed();
    desk.status(&again, VenueState::Resting, Some(0));
    desk.status(&again, VenueState::Cancelled, Some(0));
    let sale = desk.last_placed();
    assert_eq!((sale.market, sale.outcome, sale.action), (KA, Outcome::No, Action::Sell));
    assert_eq!((sale.qty, sale.purpose), (qty(30), Purpose::Unwind));
    desk.fill(&sale, 30);
    ends(&desk, GroupState::Flat, 0);
    let stats = desk.core.stats();
    assert_eq!(stats.exposure, Usd::ZERO);
    // It is one basket, and held nothing in the end.
    assert_eq!(
        (stats.baskets_judged, stats.baskets_held_ppm, stats.baskets_sold_ppm),
        (1, 0, 1_000_000)
    );
    assert_eq!((stats.hedge_lag_mean, stats.hedges_late), (Nanos::ZERO, 0));
}

#[test]
fn a_part_bought_again_keeps_what_has_a_partner() {
    let mut desk = Desk::new();
    let (_, fills) = hedged(&mut desk, &[10, 20]);
    void(&mut desk, &fills[1]);
    let again = desk.last_placed();
    assert_eq!(again.qty, qty(20), "the ten that stand are not bought twice");
    desk.fill(&again, 8);
    desk.status(&again, VenueState::Cancelled, Some(8));
    let sale = desk.last_placed();
    assert_eq!((sale.market, sale.action, sale.qty), (KA, Action::Sell, qty(12)));
    desk.fill(&sale, 12);
    ends(&desk, GroupState::Hedged, 18);
}

#[test]
fn parts_that_fail_one_by_one_are_all_made_up_for() {
    let mut desk = Desk::new();
    let (_, fills) = hedged(&mut desk, &[10, 20]);
    void(&mut desk, &fills[0]);
    let again = desk.last_placed();
    assert_eq!(again.qty, qty(10));
    void(&mut desk, &fills[1]);
    assert_eq!(desk.last_placed(), again, "one correction at a time");
    desk.fill(&again, 10);
    assert_eq!(desk.last_placed(), again, "and the next one half a second after it");
    desk.wait(Nanos::from_millis(500));
    let more = desk.last_placed();
    assert_eq!((more.market, more.action, more.qty), (PM, Action::Buy, qty(20)));
    desk.fill(&more, 20);
    ends(&desk, GroupState::Hedged, 30);
    assert_eq!(desk.core.stats().groups_reopened, 1);
}

#[test]
fn what_was_bought_again_may_fail_too_but_not_for_ever() {
    let mut desk = Desk::new();
    let (_, fills) = hedged(&mut desk, &[30]);
    let mut fill = fills[0];
    for _ in 0..3 {
        void(&mut desk, &fill);
        let again = desk.last_placed();
        assert_eq!((again.market, again.action, again.qty), (PM, Action::Buy, qty(30)));
        fill = desk.fill_of(&again, 30);
        desk.report(Report::Fill(fill));
        ends(&desk, GroupState::Hedged, 30);
        desk.wait(Nanos::from_secs(2));
    }
    void(&mut desk, &fill);
    let sale = desk.last_placed();
    assert_eq!((sale.market, sale.action, sale.qty), (KA, Action::Sell, qty(30)));
    desk.fill(&sale, 30);
    ends(&desk, GroupState::Flat, 0);
}

/// How often a leg fails and what an unwind loses, as all baskets have shown it, in millionths.
fn learnt(desk: &Desk) -> (u64, u64) {
    let all = desk.core.groups.leg_risks().of_all();
    (all.fail_ppm(150_000), all.loss_ppm(35_000))
}

#[test]
fn a_basket_that_loses_a_leg_after_its_end_is_learnt_as_one_that_failed() {
    let mut desk = Desk::new();
    let (_, fills) = hedged(&mut desk, &[10, 20]);
    assert_eq!(learnt(&desk), (142_857, 35_000), "one of twenty-one, and none lost");
    void(&mut desk, &fills[0]);
    let again = desk.last_placed();
    desk.fill(&again, 10);
    ends(&desk, GroupState::Hedged, 30);
    assert_eq!(learnt(&desk).0, 142_857, "it holds every leg again");
    desk.control(Control::Halt { epoch: 2, why: HaltWhy::Operator });
    for (nth, fill) in fills.iter().skip(1).enumerate() {
        void(&mut desk, fill);
        let sale = desk.last_placed();
        desk.fill(&sale, 20);
        let (fails, loses) = learnt(&desk);
        assert_eq!(fails, 190_476, "one of twenty-one has failed: {nth}");
        assert!(loses > 35_000, "sold for 48 what had cost more than 50: {loses}");
    }
    let stats = desk.core.stats();
    assert_eq!((stats.baskets_opened, stats.baskets_completed, stats.groups_reopened), (1, 1, 2));
}

#[test]
fn halted_it_sells_and_buys_nothing() {
    let mut desk = Desk::new();
    let (_, fills) = hedged(&mut desk, &[10, 20]);
    desk.control(Control::Halt { epoch: 2, why: HaltWhy::Operator });
    void(&mut desk, &fills[0]);
    let sale = desk.last_placed();
    assert_eq!((sale.market, sale.action, sale.qty), (KA, Action::Sell, qty(10)));
    desk.fill(&sale, 10);
    ends(&desk, GroupState::Hedged, 20);
}

#[test]
fn a_halt_while_it_is_bought_again_leaves_the_rest_of_the_group_alone() {
    let mut desk = Desk::new();
    let (_, fills) = hedged(&mut desk, &[10, 20]);
    void(&mut desk, &fills[0]);
    let again = desk.last_placed();
    void(&mut desk, &fills[1]);
    desk.control(Control::Halt { epoch: 2, why: HaltWhy::Operator });
    desk.status(&again, VenueState::Cancelled, Some(0));
    let sale = desk.last_placed();
    assert_eq!((sale.market, sale.action, sale.qty), (KA, Action::Sell, qty(30)));
    desk.fill(&sale, 30);
    ends(&desk, GroupState::Flat, 0);
}

#[test]
fn both_legs_taken_back_leave_the_same_on_both() {
    for answers in [[30, 30], [0, 30], [30, 0], [0, 0]] {
        let mut desk = Desk::new();
        let (kalshi, fills) = hedged(&mut desk, &[30]);
        void(&mut desk, &kalshi);
        let first = desk.last_placed();
        assert_eq!((first.market, first.action, first.price), (KA, Action::Buy, price(50)));
        void(&mut desk, &fills[0]);
        let mut orders = vec![first];
        for got in answers {
            let last = *orders.last().unwrap();
            if got > 0 {
                desk.fill(&last, got);
            } else {
                desk.status(&last, VenueState::Cancelled, Some(0));
            }
            if desk.last_placed() != last {
                orders.push(desk.last_placed());
            }
        }
        if !desk.core.is_idle() {
            let last = desk.last_placed();
            assert_eq!(last.action, Action::Sell, "{answers:?}");
            desk.fill(&last, 30);
        }
        assert!(desk.core.is_idle(), "{answers:?}");
        assert_eq!(desk.held(KA, Outcome::No), desk.held(PM, Outcome::Yes), "{answers:?}");
    }
}

#[test]
fn with_a_result_known_nothing_is_bought_again() {
    // The partner is paid: what the void fill lacks cannot be made up for, and nothing is to be sold.
    let mut desk = Desk::new();
    let (_, fills) = hedged(&mut desk, &[10, 20]);
    desk.event(Event::Settled { market: KA, yes_pays: Price::ZERO });
    let placed = desk.placed().len();
    void(&mut desk, &fills[0]);
    assert_eq!(desk.placed().len(), placed);
    assert_eq!(desk.held(PM, Outcome::Yes), qty(20), "the rest of the pair stays");
    assert!(desk.core.is_idle());

    // The void leg's own market is over: its partner is sold, in part.
    let mut desk = Desk::new();
    let (_, fills) = hedged(&mut desk, &[10, 20]);
    desk.event(Event::Settled { market: PM, yes_pays: Price::ZERO });
    void(&mut desk, &fills[0]);
    let sale = desk.last_placed();
    assert_eq!((sale.market, sale.action, sale.qty), (KA, Action::Sell, qty(10)));
    desk.fill(&sale, 10);
    assert_eq!(desk.held(KA, Outcome::No), qty(20));
    assert!(desk.core.is_idle());
}

#[test]
fn a_settlement_while_it_is_bought_again_sells_no_more_than_what_lacks_a_partner() {
    let mut desk = Desk::new();
    let (_, fills) = hedged(&mut desk, &[10, 20]);
    void(&mut desk, &fills[0]);
    let again = desk.last_placed();
    desk.event(Event::Settled { market: PM, yes_pays: Price::ZERO });
    desk.status(&again, VenueState::Cancelled, Some(0));
    let sale = desk.last_placed();
    assert_eq!((sale.market, sale.action, sale.qty), (KA, Action::Sell, qty(10)));
    desk.fill(&sale, 10);
    assert_eq!(desk.held(KA, Outcome::No), qty(20));
    assert!(desk.core.is_idle());
}

#[test]
fn a_sale_taken_back_is_sold_again() {
    let mut desk = Desk::new();
    let sale = desk.first_leg_to_sell();
    let fill = desk.fill_of(&sale, 30);
    desk.report(Report::Fill(fill));
    ends(&desk, GroupState::Flat, 0);
    desk.wait(Nanos::from_secs(20));
    void(&mut desk, &fill);
    assert_eq!(desk.held(KA, Outcome::No), qty(30));
    let again = desk.last_placed();
    assert_eq!((again.market, again.action, again.qty), (KA, Action::Sell, qty(30)));
    desk.fill(&again, 30);
    ends(&desk, GroupState::Flat, 0);
}

#[test]
fn a_position_repaired_before_the_word_came_still_lacks_its_leg() {
    let mut desk = Desk::new();
    let (_, fills) = hedged(&mut desk, &[30]);
    let (market, yes, no) = (PM, Qty::ZERO, Qty::ZERO);
    desk.control(Control::History { market, yes, no });
    for _ in 0..2 {
        desk.control(Control::Position { market, yes, no });
    }
    assert_eq!(desk.held(PM, Outcome::Yes), Qty::ZERO, "two differences are the truth");
    void(&mut desk, &fills[0]);
    let again = desk.last_placed();
    assert_eq!((again.market, again.action, again.qty), (PM, Action::Buy, qty(30)));
    desk.fill(&again, 30);
    ends(&desk, GroupState::Hedged, 30);
}

#[test]
fn after_a_restart_it_waits_until_both_venues_agree() {
    let mut desk = Desk::new();
    let (_, fills) = hedged(&mut desk, &[30]);
    desk.control(Control::Start { epoch: 5, first_order: 1 });
    let placed = desk.placed().len();
    void(&mut desk, &fills[0]);
    assert_eq!(desk.placed().len(), placed);
    desk.open();
    desk.gap();
    desk.wait(Nanos::from_millis(100));
    let again = desk.last_placed();
    assert_eq!((again.market, again.action, again.qty), (PM, Action::Buy, qty(30)));
}

#[test]
fn a_group_that_is_forgotten_calls_a_person() {
    let mut desk = Desk::new();
    let (_, fills) = hedged(&mut desk, &[30]);
    for _ in 0..GROUPS_ENDED_MAX {
        desk.wait(Nanos::from_secs(4)); // within the limit of orders a minute
        desk.gap();
        let first = desk.last_placed();
        desk.status(&first, VenueState::Cancelled, Some(0));
    }
    assert_eq!(desk.core.stats().baskets_opened as usize, 1 + GROUPS_ENDED_MAX);
    let placed = desk.placed().len();
    void(&mut desk, &fills[0]);
    assert_eq!(desk.core.halted(), Some(HaltWhy::Group));
    assert_eq!((alarms(&desk, Alarm::GroupGivenUp), desk.placed().len()), (1, placed));
    assert_eq!(desk.held(PM, Outcome::Yes), Qty::ZERO, "the money is right all the same");
}

#[test]
fn a_fill_after_everybody_thought_it_over_is_sold_again() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.report(Report::Rejected { order: OrderRef::Id(first.id), why: Reject::Killed });
    assert!(desk.core.is_idle());
    desk.fill(&first, 30);
    assert_eq!(alarms(&desk, Alarm::LateFill), 1);
    let sale = desk.last_placed();
    assert_eq!((sale.market, sale.action, sale.qty), (KA, Action::Sell, qty(30)));
    desk.fill(&sale, 30);
    ends(&desk, GroupState::Flat, 0);
}

/// A venue's count may be a cent of a contract ahead of its fills: the order is over with the count, its last fill is waited for,
/// and it is no late one.
#[test]
fn the_last_cent_of_a_contract_that_the_venue_had_counted_is_on_time() {
    const CENT: Qty = Qty::from_micros(10_000);
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    let most = Fill { qty: first.qty - CENT, ..desk.fill_of(&first, 1) };
    desk.report(Report::Fill(most));
    desk.status(&first, VenueState::Filled, Some(30));
    let record = |desk: &Desk| *desk.core.orders().find(OrderRef::Id(first.id)).unwrap();
    assert_eq!(
        (first.venue, first.tif.may_rest()),
        (Venue::Kalshi, false),
        "counts are exact there"
    );
    assert!(record(&desk).is_over() && record(&desk).state != OrderState::Done);
    assert!(desk.placed().len() > 1, "its group goes on at once");
    let last = Fill { qty: CENT, ..desk.fill_of(&first, 1) };
    desk.report(Report::Fill(last));
    assert_eq!(record(&desk).state, OrderState::Done);
    assert_eq!(alarms(&desk, Alarm::LateFill), 0);
    assert_eq!(desk.held(first.market, first.outcome), first.qty, "it is booked");
    // What nobody counted is late, however small, once it is more than the rounding.
    let more = Fill { qty: CENT + CENT, ..desk.fill_of(&first, 1) };
    desk.report(Report::Fill(more));
    assert_eq!(alarms(&desk, Alarm::LateFill), 1);
}
