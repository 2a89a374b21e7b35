//! Groups: both legs, one leg, no leg.

use super::*;
use crate::order::Purpose;
use crate::report::Reject;

#[test]
fn a_gap_is_bought_leg_by_leg() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    assert_eq!(
        (first.market, first.outcome, first.price),
        (KA, Outcome::No, price(50)),
        "the venue whose fills are final goes first"
    );
    assert_eq!((first.qty, first.tif, first.purpose), (qty(30), Tif::Fok, Purpose::Leg));
    assert_eq!(desk.placed().len(), 1, "the second leg waits for the first");
    desk.status(&first, VenueState::Filled, Some(30));
    let second = desk.last_placed();
    assert_eq!(
        (second.market, second.outcome, second.qty),
        (PM, Outcome::Yes, qty(30)),
        "sized to what the first got"
    );
    assert_eq!(second.purpose, Purpose::Hedge);
    assert!(second.price >= price(40), "it may give the edge away, never more");
    desk.fill(&first, 30);
    desk.fill(&second, 30);
    assert_eq!(desk.group_states().last(), Some(&GroupState::Hedged));
    assert_eq!(desk.held(KA, Outcome::No), qty(30));
    assert_eq!(desk.held(PM, Outcome::Yes), qty(30));
    assert_eq!(desk.reserved(), Usd::ZERO);
    let stats = desk.core.stats();
    assert_eq!((stats.baskets_opened, stats.baskets_completed, stats.opportunities), (1, 1, 1));
    assert!(desk.core.is_idle());
    desk.wait(Nanos::from_millis(10));
    let stats = desk.core.stats();
    assert_eq!(
        stats.unrealised,
        Usd::from_dollars(3) - Usd::from_micros(30 * 70_000),
        "what it pays over what it cost"
    );
}

#[test]
fn it_pays_what_it_promised_at_settlement() {
    for (cents, profit) in [
        // Ten cents a pair, less 7 % and 4 % of p(1−p).
        (40, Usd::from_dollars(3) - Usd::from_micros(30 * (17_500 + 9_600))),
        // As far as the hedge may reach, it still does not lose.
        (47, Usd::from_micros(30 * 30_000) - Usd::from_micros(30 * (17_500 + 9_964))),
    ] {
        for yes_pays in [Price::ONE, Price::ZERO] {
            let mut desk = Desk::new();
            desk.gap();
            let first = desk.last_placed();
            desk.fill(&first, 30);
            let second = desk.last_placed();
            assert_eq!(second.price, price(47));
            let fill = Fill { price: price(cents), ..desk.fill_of(&second, 30) };
            desk.report(Report::Fill(fill));
            for market in [PM, KA] {
                desk.event(Event::Settled { market, yes_pays });
            }
            assert_eq!(desk.core.stats().realised, profit);
            assert!(profit > Usd::ZERO);
            assert_eq!(desk.core.stats().exposure, Usd::ZERO);
        }
    }
}

#[test]
fn a_first_leg_killed_costs_nothing() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.report(Report::Rejected { order: OrderRef::Id(first.id), why: Reject::Killed });
    assert_eq!(desk.placed().len(), 1);
    assert_eq!(desk.group_states().last(), Some(&GroupState::Flat));
    assert_eq!(desk.core.stats().baskets_failed, 1);
    assert_eq!(desk.core.stats().exposure, Usd::ZERO);
    assert!(desk.core.is_idle());
}

#[test]
fn a_second_leg_refused_sells_the_first() {
    let mut desk = Desk::new();
    let unwind = desk.first_leg_to_sell();
    assert_eq!(
        (unwind.market, unwind.outcome, unwind.action, unwind.qty),
        (KA, Outcome::No, crate::ids::Action::Sell, qty(30))
    );
    assert_eq!(unwind.price, price(48), "NO sells where YES is offered: 1 − 0.52");
    desk.fill(&unwind, 30);
    assert_eq!(desk.group_states().last(), Some(&GroupState::Flat));
    let stats = desk.core.stats();
    assert_eq!(stats.baskets_unwound, 1);
    assert!(stats.leg_fail_ppm > 150_000, "one of one failed: {}", stats.leg_fail_ppm);
    assert_eq!(desk.held(KA, Outcome::No), Qty::ZERO);
    assert!(desk.core.stats().realised < Usd::ZERO);
    assert!(desk.core.is_idle());
}

/// G1 from the first leg's fill to the end: a second leg that nothing is heard of has its time and no more, and the time without a
/// partner is told to the nanosecond, whether the basket is completed or sold.
#[test]
fn the_time_on_one_leg_is_bounded_and_told_exactly() {
    let limit = Nanos::from_millis(LimitRow::LegTimeoutMs.def().default);
    for (completes, expected) in [(true, GroupState::Hedged), (false, GroupState::Flat)] {
        let mut desk = Desk::new();
        desk.gap();
        desk.wait(Nanos::from_millis(50)); // no leg is held yet: this is not counted
        let first = desk.last_placed();
        desk.fill(&first, 30);
        let since = desk.now;
        let second = desk.last_placed();
        assert_eq!((second.purpose, second.tif), (Purpose::Hedge, Tif::Gtc));
        desk.wait(Nanos::new(limit.get() - 1_001));
        assert_eq!(desk.now.since(since), Nanos::new(limit.get() - 1));
        assert_eq!(desk.cancels(), 0, "it has {} ms", limit.millis());
        if completes {
            desk.fill(&second, 30);
        } else {
            desk.wait(Nanos::ZERO);
            assert!(desk.cancels() == 1 && desk.last_placed() == second, "and no more");
            desk.wait(Nanos::from_millis(30));
            desk.status(&second, VenueState::Cancelled, Some(0));
            let sale = desk.last_placed();
            assert_eq!((sale.purpose, sale.market, sale.qty), (Purpose::Unwind, KA, qty(30)));
            desk.wait(Nanos::from_millis(70));
            desk.fill(&sale, 30);
        }
        let told = desk.notes.iter().rev().find_map(|note| match note {
            Note::Group { state, one_leg_ns, .. } if state.is_over() => Some((*state, *one_leg_ns)),
            _ => None,
        });
        assert_eq!(told, Some((expected, desk.now.since(since).get())));
    }
}

/// The venue's count ends a group; what its sale brought is told after it.
#[test]
fn a_sale_that_is_told_after_its_group_has_ended_is_part_of_its_result() {
    let mut desk = Desk::new();
    let sale = desk.first_leg_to_sell();
    desk.status(&sale, VenueState::Filled, Some(30));
    let told = |desk: &Desk| {
        let groups = desk.notes.iter().filter_map(|note| match note {
            Note::Group { state: GroupState::Flat, result, .. } => Some(*result),
            _ => None,
        });
        groups.collect::<Vec<_>>()
    };
    assert_eq!(told(&desk), [Usd::ZERO], "nothing of it was booked yet");
    desk.fill(&sale, 10);
    desk.fill(&sale, 20);
    let [_, first, all] = told(&desk)[..] else { panic!("told with each part: {:?}", told(&desk)) };
    assert!(all < first && first < Usd::ZERO, "it was sold at a loss");
    assert_eq!(all, desk.core.ledger().realised(), "nothing else was traded");
    assert_eq!(desk.core.stats().unwind_loss_mean, -all);
    assert_eq!(desk.core.stats().baskets_judged, 1);
}

#[test]
fn an_unwind_that_fills_in_part_goes_on() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    let second = desk.last_placed();
    desk.report(Report::Rejected { order: OrderRef::Id(second.id), why: Reject::Funds });
    let unwind = desk.last_placed();
    desk.fill(&unwind, 10);
    desk.status(&unwind, VenueState::Cancelled, Some(10));
    assert_eq!(desk.last_placed(), unwind, "corrections keep their distance");
    desk.wait(Nanos::from_millis(600));
    let again = desk.last_placed();
    assert_eq!((again.qty, again.price), (qty(20), price(47)), "the rest, a cent lower");
    desk.fill(&again, 20);
    assert_eq!(desk.group_states().last(), Some(&GroupState::Flat));
}

/// G5: what the sales of a group may lose is bounded too. A worse price is waited out for half a minute, and then it is a person's.
#[test]
fn a_sale_that_would_lose_more_than_a_group_may_waits_and_then_calls_the_operator() {
    for (ask, sells) in [(Some(49), true), (Some(51), false), (None, false)] {
        let mut desk = Desk::new();
        desk.control(Control::Limit { row: LimitRow::UnwindLoss, value: 1_000_000 });
        desk.gap();
        let first = desk.last_placed();
        desk.fill(&first, 30);
        let second = desk.last_placed();
        // NO cost 50 cents and sells at 48, and both fees come to more than a dollar.
        desk.report(Report::Rejected { order: OrderRef::Id(second.id), why: Reject::Funds });
        assert_eq!(desk.last_placed(), second, "$1.64 is too much");
        assert_eq!(desk.group_states().last(), Some(&GroupState::Unwinding));
        desk.wait(Nanos::from_secs(29));
        assert_eq!((desk.last_placed(), desk.core.halted()), (second, None));
        if let Some(ask) = ask {
            desk.book(KA, &[(40, 30)], &[(ask, 300)]); // NO is bid so much less than a dollar
            desk.wait(Nanos::from_millis(10));
        }
        let last = desk.last_placed();
        assert_eq!(last.purpose == Purpose::Unwind, sells, "{ask:?}");
        if sells {
            desk.fill(&last, 30);
            assert_eq!(desk.group_states().last(), Some(&GroupState::Flat));
            assert_eq!(desk.core.halted(), None);
        } else {
            desk.wait(Nanos::from_secs(1));
            assert_eq!(desk.last_placed(), second, "nothing was sold");
            assert_eq!(desk.group_states().last(), Some(&GroupState::Operator));
            assert_eq!(desk.core.halted(), Some(HaltWhy::Group));
        }
    }
}

#[test]
fn what_was_lost_already_counts_for_what_a_group_may_lose() {
    let mut desk = Desk::new();
    desk.control(Control::Limit { row: LimitRow::UnwindLoss, value: 2_000_000 });
    let sale = desk.first_leg_to_sell();
    desk.fill(&sale, 15);
    desk.status(&sale, VenueState::Cancelled, Some(15)); // $1.09 are lost
    desk.book(KA, &[(40, 30)], &[(56, 300)]);
    desk.wait(Nanos::from_millis(600));
    assert_eq!(desk.last_placed(), sale, "another $1.16 is too much, though it alone would not be");
    desk.book(KA, &[(40, 30)], &[(53, 300)]);
    desk.wait(Nanos::from_millis(600));
    assert_eq!((desk.last_placed().purpose, desk.last_placed().qty), (Purpose::Unwind, qty(15)));
}

/// A limit is met by better bids first: where a cent less might lose too much, it is sold at the bid as before.
#[test]
fn a_sale_gives_in_by_no_more_cents_than_the_group_may_lose() {
    for (limit, cents) in [(1_700_000, 48), (2_000_000, 47)] {
        let mut desk = Desk::new();
        desk.control(Control::Limit { row: LimitRow::UnwindLoss, value: limit });
        let sale = desk.first_leg_to_sell();
        desk.status(&sale, VenueState::Cancelled, Some(0));
        desk.wait(Nanos::from_millis(600));
        let again = desk.last_placed();
        assert_ne!(again.id, sale.id, "it is not too dear at the bid");
        assert_eq!(
            (again.purpose, again.qty, again.price),
            (Purpose::Unwind, qty(30), price(cents))
        );
    }
}

/// How long an unwind had to wait before there was any bid is no part of how long a better one is waited for.
#[test]
fn a_dear_bid_is_waited_out_from_when_it_is_first_seen() {
    let mut desk = Desk::new();
    desk.control(Control::Limit { row: LimitRow::UnwindLoss, value: 1_000_000 });
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    let second = desk.last_placed();
    desk.book(KA, &[(40, 30)], &[]); // nobody bids for NO
    desk.report(Report::Rejected { order: OrderRef::Id(second.id), why: Reject::Funds });
    desk.wait(Nanos::from_secs(35));
    desk.book(KA, &[(40, 30)], &[(70, 300)]);
    desk.wait(Nanos::from_millis(10));
    for _ in 0..2 {
        desk.wait(Nanos::from_secs(14));
        assert_eq!(desk.group_states().last(), Some(&GroupState::Unwinding));
    }
    desk.wait(Nanos::from_secs(3));
    assert_eq!(desk.group_states().last(), Some(&GroupState::Operator));
    assert_eq!((desk.last_placed(), desk.core.halted()), (second, Some(HaltWhy::Group)));
}

/// A price at which something could be sold ends the wait for one, though nobody took the sale.
#[test]
fn a_dear_bid_after_a_sale_is_waited_out_anew() {
    let mut desk = Desk::new();
    desk.control(Control::Limit { row: LimitRow::UnwindLoss, value: 1_000_000 });
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    let second = desk.last_placed();
    desk.report(Report::Rejected { order: OrderRef::Id(second.id), why: Reject::Funds });
    desk.wait(Nanos::from_secs(20));
    desk.book(KA, &[(40, 30)], &[(49, 300)]);
    desk.wait(Nanos::from_millis(10));
    let sale = desk.last_placed();
    assert_eq!(sale.purpose, Purpose::Unwind);
    desk.book(KA, &[(40, 30)], &[(52, 300)]);
    desk.status(&sale, VenueState::Cancelled, Some(0));
    desk.wait(Nanos::from_secs(29));
    assert_eq!((desk.last_placed(), desk.core.halted()), (sale, None));
    desk.wait(Nanos::from_secs(2));
    assert_eq!((desk.last_placed(), desk.core.halted()), (sale, Some(HaltWhy::Group)));
}

#[test]
fn a_leg_of_which_more_than_a_tenth_has_no_partner_is_told_once() {
    for (got, told) in [(28, 0), (27, 0), (26, 1), (0, 1)] {
        let mut desk = Desk::new();
        desk.gap();
        let first = desk.last_placed();
        desk.fill(&first, 30);
        assert_eq!(desk.alarms(Alarm::LegMismatch), 0, "the second leg is on its way");
        let second = desk.last_placed();
        if got > 0 {
            desk.fill(&second, got);
        }
        desk.status(&second, VenueState::Cancelled, Some(got));
        assert_eq!(desk.last_placed().qty, qty(30 - got));
        for _ in 0..3 {
            desk.wait(Nanos::from_millis(600));
        }
        assert_eq!(desk.alarms(Alarm::LegMismatch), told, "{got} of 30");
    }
}

/// The figures of baskets are of those of which a leg filled: complete, sold again, and how long they stood on one leg.
#[test]
fn what_became_of_baskets_is_counted_and_a_slow_hedge_is_told() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    let second = desk.last_placed();
    desk.wait(Nanos::from_millis(501));
    desk.fill(&second, 30);
    let stats = desk.core.stats();
    assert_eq!(
        (stats.baskets_judged, stats.baskets_held_ppm, stats.baskets_sold_ppm),
        (1, 1_000_000, 0)
    );
    assert_eq!((stats.hedges_late, desk.alarms(Alarm::HedgeSlow)), (1, 1));
    assert_eq!(stats.hedge_lag_max, Nanos::from_millis(501).after(Nanos::new(2_000)));
    desk.wait(Nanos::from_secs(2));
    let sale = desk.first_leg_to_sell();
    desk.fill(&sale, 30);
    let stats = desk.core.stats();
    assert_eq!(
        (stats.baskets_judged, stats.baskets_held_ppm, stats.baskets_sold_ppm),
        (2, 500_000, 500_000)
    );
    assert!(stats.unwind_loss_mean > Usd::from_dollars(1), "{}", stats.unwind_loss_mean);
    assert_eq!(desk.alarms(Alarm::BasketsFailing), 0, "two baskets say nothing");
}

#[test]
fn baskets_that_fail_again_and_again_are_told() {
    let mut desk = Desk::new();
    for turn in 1..=20 {
        desk.wait(Nanos::from_secs(1_000)); // longer than the cooldown after a loss
        desk.gap();
        let first = desk.last_placed();
        desk.fill(&first, 30);
        let second = desk.last_placed();
        desk.status(&second, VenueState::Cancelled, Some(0)); // no rejection: those would pause the market
        let sale = desk.last_placed();
        desk.fill(&sale, 30);
        assert_eq!(desk.core.stats().baskets_unwound, turn, "it is bought again each time");
        assert_eq!(desk.alarms(Alarm::BasketsFailingMost), usize::from(turn == 20), "{turn}");
    }
    assert_eq!(desk.alarms(Alarm::BasketsFailing), 0, "the graver one says it");
}

#[test]
fn an_unwind_without_end_halts_and_calls_the_operator() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    let second = desk.last_placed();
    desk.report(Report::Rejected { order: OrderRef::Id(second.id), why: Reject::Funds });
    for _ in 0..20 {
        let last = desk.last_placed();
        if last.purpose == Purpose::Unwind {
            desk.status(&last, VenueState::Cancelled, Some(0));
        }
        desk.wait(Nanos::from_millis(600));
    }
    let unwinds = desk.placed().iter().filter(|order| order.purpose == Purpose::Unwind).count();
    assert_eq!(unwinds, 5, "G5: attempts are bounded");
    assert_eq!(desk.group_states().last(), Some(&GroupState::Operator));
    assert_eq!(desk.core.halted(), Some(HaltWhy::Group));
    let told = [Alarm::GroupGivenUp, Alarm::GroupStuck].map(|of| desk.alarms(of));
    assert_eq!(told, [1, 0], "it did not wait");
}

#[test]
fn a_second_leg_in_part_keeps_what_has_a_partner() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    let second = desk.last_placed();
    assert_eq!(second.tif, Tif::Gtc);
    desk.fill(&second, 12);
    desk.status(&second, VenueState::Resting, Some(12));
    assert_eq!(desk.cancels(), 1, "what rests is not wanted");
    assert_eq!(desk.last_placed(), second, "no correction before the cancel is confirmed");
    desk.status(&second, VenueState::Cancelled, Some(12));
    let unwind = desk.last_placed();
    assert_eq!((unwind.purpose, unwind.qty), (Purpose::Unwind, qty(18)));
    desk.fill(&unwind, 18);
    assert_eq!(desk.group_states().last(), Some(&GroupState::Hedged));
    assert_eq!(desk.held(KA, Outcome::No), qty(12));
    assert_eq!(desk.held(PM, Outcome::Yes), qty(12));
}

#[test]
fn the_same_edge_is_not_shot_twice() {
    let mut desk = Desk::new();
    desk.gap();
    for _ in 0..5 {
        desk.book(PM, &[(38, 300)], &[(40, 30), (60, 100)]);
    }
    assert_eq!(desk.placed().len(), 1, "in flight");
    let first = desk.last_placed();
    desk.report(Report::Rejected { order: OrderRef::Id(first.id), why: Reject::Killed });
    desk.book(PM, &[(38, 300)], &[(40, 30), (60, 100)]);
    assert_eq!(desk.placed().len(), 1, "resting");
    desk.book(KA, &[(50, 30), (20, 100)], &[(52, 300)]); // somebody has put there what another one took
    desk.wait(Nanos::from_millis(1_500)); // the same order again is no duplicate any more
    desk.book(PM, &[(38, 300)], &[(40, 30), (60, 100)]);
    assert_eq!(desk.placed().len(), 2);
}

#[test]
fn what_is_too_good_is_bad_data() {
    let mut desk = Desk::new();
    desk.book(PM, &[(38, 300)], &[(40, 30)]);
    desk.book(KA, &[(85, 30)], &[(90, 300)]);
    assert_eq!(desk.placed().len(), 0);
    assert!(
        desk.notes
            .iter()
            .any(|note| matches!(note, Note::Opportunity { verdict: Verdict::Absurd, .. }))
    );
}

#[test]
fn a_halt_between_the_legs_sells_the_first() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    let second = desk.last_placed();
    desk.control(Control::Halt { epoch: 2, why: HaltWhy::Operator });
    desk.report(Report::Unsent { order: second.id, why: crate::report::Unsent::Epoch });
    let unwind = desk.last_placed();
    assert_eq!((unwind.purpose, unwind.epoch), (Purpose::Unwind, 2));
    desk.fill(&unwind, 30);
    assert!(desk.core.is_idle());
    desk.gap();
    assert_eq!(desk.last_placed(), unwind, "nothing is opened while halted");
}

#[test]
fn a_leg_that_met_the_opposite_outcome_is_unwound_all_the_same() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    let second = desk.last_placed();
    desk.fill(&second, 30);
    // The gap now opens the other way: YES at Kalshi meets the NO that is held there, and is paid at once.
    desk.now = desk.now.after(Nanos::from_secs(2));
    desk.book(KA, &[(38, 300)], &[(40, 40), (60, 100)]);
    desk.book(PM, &[(50, 40), (20, 100)], &[(52, 300)]);
    let third = desk.last_placed();
    assert_eq!((third.market, third.outcome, third.qty), (KA, Outcome::Yes, qty(40)));
    desk.fill(&third, 40);
    assert_eq!(desk.held(KA, Outcome::Yes), qty(10));
    let fourth = desk.last_placed();
    desk.report(Report::Rejected { order: OrderRef::Id(fourth.id), why: Reject::Funds });
    let unwind = desk.last_placed();
    assert_eq!((unwind.purpose, unwind.qty), (Purpose::Unwind, qty(40)));
    desk.fill(&unwind, 40);
    assert_eq!(desk.group_states().last(), Some(&GroupState::Flat));
    assert_eq!(desk.held(KA, Outcome::No), qty(30), "as it was before");
    assert!(desk.core.is_idle());
}

#[test]
fn between_the_two_settlements_of_a_pair_nothing_looks_lost() {
    for (market, yes_pays) in
        [(PM, Price::ZERO), (PM, Price::ONE), (KA, Price::ZERO), (KA, Price::ONE)]
    {
        let mut desk = Desk::new();
        desk.gap();
        let first = desk.last_placed();
        desk.fill(&first, 30);
        let second = desk.last_placed();
        desk.fill(&second, 30);
        desk.wait(Nanos::from_millis(10));
        let result = |desk: &Desk| desk.core.stats().realised + desk.core.stats().unrealised;
        let before = result(&desk);
        desk.event(Event::Settled { market, yes_pays });
        desk.wait(Nanos::from_millis(10));
        assert_eq!(result(&desk), before, "{market} pays {yes_pays}");
    }
}

/// The result that a group's last note told.
fn told_result(desk: &Desk) -> Usd {
    let told = desk.notes.iter().rev().find_map(|note| match note {
        Note::Group { result, .. } => Some(*result),
        _ => None,
    });
    told.expect("a group was told")
}

/// 29 of 30 find a partner: what the sale of the last one lost is its own, fees of what stays held are not.
#[test]
fn fees_of_what_is_held_are_no_loss_of_a_sale() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    let second = desk.last_placed();
    desk.fill(&second, 29);
    desk.status(&second, VenueState::Cancelled, Some(29));
    let sale = desk.last_placed();
    assert_eq!((sale.purpose, sale.qty, sale.price), (Purpose::Unwind, qty(1), price(48)));
    desk.fill(&sale, 1);
    // Two cents below what it cost, a thirtieth of the 52.5 cents of its leg's fee, and the sale's own.
    let lost = Usd::from_micros(-55_000);
    assert_eq!(told_result(&desk), lost);
    assert_eq!(desk.core.stats().unwind_loss_mean, -lost);
}

/// 30 NO are held by a basket that ended. Another one buys 40 YES, of which 30 are paid with them at once: what these pairs bring or
/// cost is no result of its sales, and neither lifts nor lowers what those may lose.
#[test]
fn pairs_that_another_groups_contracts_made_are_no_result_of_a_groups_sales() {
    // At 40 cents for YES each pair brings ten cents, at 55 it costs five.
    // What a sale may lose is reckoned with the fee's formula, and what it is charged comes to whole hundredths of a cent.
    for (bid, partners, lost, told) in [(38, 0, 2_131_680, 2_131_700), (53, 35, 273_810, 273_825)] {
        for (limit, sells) in [(lost - 1, false), (lost, true)] {
            let mut desk = Desk::new();
            desk.buy_gap();
            desk.now = desk.now.after(Nanos::from_secs(2));
            desk.book(PM, &[(20, 100)], &[(80, 300)]); // there is no gap until both books are new
            desk.book(KA, &[(bid, 300)], &[(bid + 2, 40), (60, 100)]);
            desk.book(PM, &[(bid + 12, 40), (20, 100)], &[(bid + 14, 300)]);
            let third = desk.last_placed();
            assert_eq!((third.market, third.outcome, third.qty), (KA, Outcome::Yes, qty(40)));
            desk.fill(&third, 40);
            assert_eq!(desk.held(KA, Outcome::Yes), qty(10), "30 pairs were paid");
            desk.control(Control::Limit { row: LimitRow::UnwindLoss, value: limit });
            let fourth = desk.last_placed();
            if partners > 0 {
                desk.fill(&fourth, partners);
            }
            desk.status(&fourth, VenueState::Cancelled, Some(partners));
            let last = desk.last_placed();
            assert_eq!(last.purpose == Purpose::Unwind, sells, "{bid}, {limit}");
            if sells {
                desk.fill(&last, 40 - partners);
                assert_eq!(told_result(&desk), Usd::from_micros(-told));
            }
        }
    }
}
