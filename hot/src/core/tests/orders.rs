//! Orders: any order of arrival, any number of times, the same end.

use super::*;
use crate::ids::Action;
use crate::order::OrderState;
use crate::report::Reject;
use crate::venue::fine;

#[test]
fn every_order_of_the_same_messages_ends_the_same() {
    // Fill in two parts, acknowledgement, final status, each twice: all orders of eight messages would be many,
    // so a seeded shuffle takes a thousand.
    let mut ends = Vec::new();
    for seed in 0..1_000_u64 {
        let mut desk = Desk::new();
        desk.gap();
        let first = desk.last_placed();
        let (a, b) = (desk.fill_of(&first, 10), desk.fill_of(&first, 20));
        let status = |state, filled| {
            Report::Status(OrderStatus {
                order: OrderRef::Id(first.id),
                state,
                filled: Some(qty(filled)),
            })
        };
        let mut reports = vec![
            Report::Fill(a),
            Report::Fill(b),
            status(VenueState::Resting, 0),
            status(VenueState::Filled, 30),
        ];
        reports.extend(reports.clone());
        let mut state = seed;
        for left in (1..reports.len()).rev() {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            reports.swap(left, (state >> 33) as usize % (left + 1));
        }
        for report in reports {
            desk.report(report);
        }
        ends.push((
            desk.core.ledger().clone(),
            desk.core
                .orders()
                .find(OrderRef::Id(first.id))
                .map(|record| (record.state, record.filled, record.reserved)),
            desk.placed(),
        ));
        let (ledger, record, placed) = ends.last().unwrap();
        let (ledger0, record0, placed0) = &ends[0];
        assert_eq!(
            (ledger, record, placed.len()),
            (ledger0, record0, placed0.len()),
            "seed {seed}"
        );
    }
}

#[test]
fn a_time_out_proves_nothing_and_frees_nothing() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    let reserved = desk.reserved();
    assert!(reserved > Usd::ZERO);
    desk.report(Report::TimedOut { order: first.id });
    assert_eq!(desk.queries(), 1);
    for _ in 0..30 {
        desk.wait(Nanos::from_secs(1));
    }
    assert_eq!(desk.reserved(), reserved, "time alone never resolves it");
    assert_eq!(
        desk.queries(),
        7,
        "ever more slowly: 0, 1, 3, 7, 15, 23 s; and at 30 s for its group"
    );
    let record = *desk.core.orders().find(OrderRef::Id(first.id)).unwrap();
    assert_eq!(record.state, OrderState::Unknown);
    // It had executed after all.
    desk.fill(&first, 30);
    assert_eq!(desk.held(KA, Outcome::No), qty(30));
    assert_eq!(desk.last_placed().market, PM, "and the group goes on");
}

#[test]
fn an_order_nobody_knows_needs_time_and_repetition_to_be_given_up() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.report(Report::TimedOut { order: first.id });
    let absent = Report::Absent { order: first.id, venue: Venue::Kalshi };
    for _ in 0..10 {
        desk.report(absent);
    }
    assert!(!desk.core.is_idle(), "many answers at once are one answer");
    desk.wait(Nanos::from_secs(29));
    desk.report(absent);
    assert!(!desk.core.is_idle(), "what the venue reads may lag far behind what it does");
    desk.gap();
    assert_eq!(desk.placed().len(), 1, "while it is in doubt its basket is not shot again");
    desk.wait(Nanos::from_secs(2));
    desk.report(absent);
    assert!(desk.core.is_idle());
    assert_eq!(desk.reserved(), Usd::ZERO);
    desk.wait(Nanos::from_secs(60));
    desk.gap();
    assert_eq!(desk.placed().len(), 1, "nor for long after it was given up");
}

/// It was given up, or its venue said that it had ended, and rests all the same: nothing is reserved for what it may still buy.
#[test]
fn an_order_that_ended_and_rests_by_two_readings_is_cancelled() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.report(Report::TimedOut { order: first.id });
    desk.wait(Nanos::from_secs(31));
    let key = VenueKey::new(1);
    let open = Control::Open {
        venue: Venue::Kalshi,
        market: Some(KA),
        order: OrderRef::Id(first.id),
        key,
    };
    let cancels = |desk: &Desk| {
        let of_it = |intent: &&Intent| matches!(intent, Intent::Cancel(cancel) if (cancel.order, cancel.key) == (first.id, Some(key)));
        desk.intents.iter().filter(of_it).count()
    };
    let told = |desk: &Desk| {
        let is_it = |note: &&Note| matches!(note, Note::Alarm { what: Alarm::RestsAgain, .. });
        desk.notes.iter().filter(is_it).count()
    };
    for _ in 0..2 {
        desk.reading(Venue::Kalshi, &[open]);
        desk.wait(Nanos::from_secs(12));
    }
    assert_eq!(cancels(&desk), 0, "it is not over: what is open is asked about");
    for _ in 0..3 {
        desk.wait(Nanos::from_secs(1));
        desk.report(Report::Absent { order: first.id, venue: Venue::Kalshi });
    }
    assert!(desk.core.is_idle(), "it was given up");
    desk.reading(Venue::Kalshi, &[open, open]);
    assert_eq!((cancels(&desk), told(&desk)), (0, 0), "one reading may be older than the end");
    desk.wait(Nanos::from_secs(12));
    desk.reading(Venue::Kalshi, &[open]);
    assert_eq!((cancels(&desk), told(&desk)), (1, 1));
    desk.wait(Nanos::from_secs(12));
    desk.reading(Venue::Kalshi, &[]);
    desk.wait(Nanos::from_secs(12));
    desk.reading(Venue::Kalshi, &[open]);
    assert_eq!((cancels(&desk), told(&desk)), (2, 2), "as often as it is found");
    assert_eq!(desk.core.stats().foreign[Venue::Kalshi].count, 0, "it is ours");
}

#[test]
fn a_fill_told_after_fifteen_seconds_of_absence_completes_its_basket() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.report(Report::TimedOut { order: first.id });
    for _ in 0..15 {
        desk.wait(Nanos::from_secs(1));
        desk.report(Report::Absent { order: first.id, venue: Venue::Kalshi });
        desk.gap();
    }
    assert_eq!(desk.placed().len(), 1, "the basket is not shot again");
    desk.fill(&first, 30);
    let hedge = desk.last_placed();
    assert_eq!((hedge.market, hedge.qty), (PM, qty(30)));
    desk.fill(&hedge, 30);
    assert_eq!(desk.group_states().last(), Some(&GroupState::Hedged));
    assert_eq!(desk.core.stats().alarms, 0);
}

#[test]
fn a_hedge_given_up_that_fills_while_its_partner_is_sold_leaves_equal_legs() {
    // How much of the sale is filled when the late fill of the hedge comes; the rest is cancelled afterwards.
    for sold in [0, 10, 30] {
        let mut desk = Desk::new();
        desk.gap();
        let first = desk.last_placed();
        desk.fill(&first, 30);
        let hedge = desk.last_placed();
        desk.report(Report::TimedOut { order: hedge.id });
        for _ in 0..4 {
            desk.wait(Nanos::from_secs(10));
            desk.report(Report::Absent { order: hedge.id, venue: Venue::Polymarket });
        }
        let sale = desk.last_placed();
        assert_eq!(
            (sale.market, sale.qty),
            (KA, qty(30)),
            "nobody knows the hedge: its partner is sold"
        );
        if sold > 0 {
            desk.fill(&sale, sold);
        }
        desk.fill(&hedge, 30);
        if sold < 30 {
            desk.status(&sale, VenueState::Cancelled, Some(sold));
        }
        desk.wait(Nanos::from_millis(600));
        if sold > 0 {
            let rest = desk.last_placed();
            assert_eq!(
                (rest.market, rest.qty),
                (PM, qty(sold)),
                "what the late fill lacks a partner for"
            );
            desk.fill(&rest, sold);
        }
        assert!(desk.core.is_idle(), "{sold} sold");
        let kept = qty(30 - sold);
        assert_eq!((desk.held(KA, Outcome::No), desk.held(PM, Outcome::Yes)), (kept, kept));
    }
}

/// A hedge of 30 of which 12 are filled; the venue will not cancel it and calls it matched.
fn matched_though_partial() -> (Desk, Order) {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    let hedge = desk.last_placed();
    assert_eq!((hedge.market, hedge.tif), (PM, Tif::Gtc));
    desk.status(&hedge, VenueState::Resting, Some(0));
    desk.fill(&hedge, 12);
    desk.report(Report::CancelRefused { order: OrderRef::Id(hedge.id) });
    (desk, hedge)
}

#[test]
fn matched_though_partial_ends_with_what_was_filled() {
    let (mut desk, hedge) = matched_though_partial();
    let began = desk.now;
    // The same answers for ever, as often as anything is asked.
    let mut answered = 0;
    for _ in 0..500 {
        for intent in desk.intents.split_off(answered) {
            desk.intents.push(intent);
            answered = desk.intents.len();
            match intent {
                Intent::Query(query) if query.order == hedge.id => {
                    desk.status(&hedge, VenueState::Filled, Some(12));
                }
                Intent::Cancel(cancel) if cancel.order == hedge.id => {
                    desk.report(Report::CancelRefused { order: OrderRef::Id(hedge.id) });
                }
                _ => {}
            }
        }
        if desk.last_placed() != hedge {
            break;
        }
        desk.wait(Nanos::from_millis(10));
    }
    assert!(desk.now.since(began) < Nanos::from_secs(2), "told twice, a second apart, it is over");
    assert!(desk.cancels() + desk.queries() <= 6, "{} and {}", desk.cancels(), desk.queries());
    let unwind = desk.last_placed();
    assert_eq!((unwind.market, unwind.qty), (KA, qty(18)), "what found no partner is sold");
    desk.fill(&unwind, 18);
    assert_eq!(desk.group_states().last(), Some(&GroupState::Hedged));
    assert_eq!(desk.reserved(), Usd::ZERO);
    assert!(desk.core.is_idle());
}

#[test]
fn an_update_that_says_matched_in_part_is_no_end() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    let hedge = desk.last_placed();
    desk.status(&hedge, VenueState::Filled, Some(7)); // a stream's update: the rest may rest
    assert_eq!(desk.cancels(), 1, "what rests is not wanted");
    desk.status(&hedge, VenueState::Cancelled, Some(7));
    desk.fill(&hedge, 7);
    assert_eq!(desk.last_placed().qty, qty(23));
}

#[test]
fn a_fill_on_its_way_is_waited_for_before_the_rest_is_taken_as_gone() {
    let (mut desk, hedge) = matched_though_partial();
    desk.status(&hedge, VenueState::Filled, Some(12)); // the read lags behind the match
    desk.wait(Nanos::from_millis(900));
    desk.fill(&hedge, 18);
    assert_eq!(desk.group_states().last(), Some(&GroupState::Hedged));
    assert_eq!((desk.core.stats().alarms, desk.alarms(Alarm::HedgeSlow)), (1, 1));
}

#[test]
fn answers_that_say_nothing_provoke_no_storm() {
    // An executor that cannot ask answers each question at once; a venue that refuses each cancel does, too.
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    let hedge = desk.last_placed();
    desk.report(Report::TimedOut { order: hedge.id });
    for _ in 0..3_000 {
        desk.wait(Nanos::from_millis(10));
        desk.report(Report::TimedOut { order: hedge.id });
        desk.report(Report::CancelRefused { order: OrderRef::Id(hedge.id) });
        desk.status(&hedge, VenueState::Resting, Some(0));
    }
    assert!(desk.queries() <= 7, "{} queries in 30 s", desk.queries());
    assert!(desk.cancels() <= 7, "{} cancels in 30 s", desk.cancels());
    assert!(desk.cancels() >= 4, "it goes on being cancelled");
}

#[test]
fn a_fill_may_come_before_the_venues_name() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    let key = VenueKey::new(77);
    let fill = Fill { order: OrderRef::Key(key), ..desk.fill_of(&first, 30) };
    desk.report(Report::Fill(fill));
    assert_eq!(desk.held(KA, Outcome::No), Qty::ZERO);
    desk.report(Report::Bound { order: first.id, key });
    assert_eq!(desk.held(KA, Outcome::No), qty(30), "it was kept");
}

#[test]
fn a_cancel_without_a_count_is_asked_about() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    let second = desk.last_placed();
    desk.status(&second, VenueState::Resting, None);
    let queries = desk.queries();
    desk.status(&second, VenueState::Cancelled, None);
    assert_eq!(desk.queries(), queries + 1);
    assert!(desk.reserved() > Usd::ZERO, "what may have filled stays reserved");
    desk.status(&second, VenueState::Cancelled, Some(0));
    assert_eq!(desk.last_placed().purpose, crate::order::Purpose::Unwind);
}

#[test]
fn a_duplicate_is_an_order_that_exists() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.report(Report::Rejected { order: OrderRef::Id(first.id), why: Reject::Duplicate });
    assert_eq!(desk.queries(), 1);
    assert!(desk.reserved() > Usd::ZERO);
}

#[test]
fn a_failed_fill_goes_back() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    let second = desk.last_placed();
    let fill = desk.fill_of(&second, 30);
    desk.report(Report::Fill(fill));
    let cash = desk.core.ledger().cash_at(Venue::Polymarket);
    desk.report(Report::Finality { fill: fill.fill, state: Finality::Failed });
    assert_eq!(desk.held(PM, Outcome::Yes), Qty::ZERO);
    assert!(desk.core.ledger().cash_at(Venue::Polymarket) > cash);
    assert_eq!(desk.core.stats().fills_failed, 1);
    desk.report(Report::Finality { fill: fill.fill, state: Finality::Failed });
    assert_eq!(desk.core.stats().fills_failed, 1, "once");
}

#[test]
fn a_restart_makes_everything_in_flight_unknown() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    let reserved = desk.reserved();
    desk.control(Control::Start { epoch: 5, first_order: 1 });
    let record = *desk.core.orders().find(OrderRef::Id(first.id)).unwrap();
    assert_eq!(record.state, OrderState::Unknown);
    assert_eq!(desk.reserved(), reserved);
    assert_eq!(desk.queries(), 1);
    assert!(desk.core.next_order() > first.id.get(), "ids are never used again");
    assert!(!desk.core.books().get(PM).unwrap().is_good());
    // The first leg had filled meanwhile; the second follows once everything is known and fresh again.
    desk.open();
    desk.gap();
    desk.fill(&first, 30);
    assert_eq!(desk.last_placed().market, PM);
}

#[test]
fn a_buy_releases_its_reservation_part_by_part() {
    let mut desk = Desk::new();
    desk.book(PM, &[(38, 300)], &[(40, 100), (60, 100)]);
    desk.book(KA, &[(50, 100), (20, 100)], &[(52, 300)]);
    let first = desk.last_placed();
    desk.report(Report::Status(OrderStatus {
        order: OrderRef::Id(first.id),
        state: VenueState::Resting,
        filled: None,
    }));
    let before = desk.reserved();
    let half = first.qty.micros() / 2_000_000;
    desk.fill(&first, half);
    let after = desk.reserved();
    assert!(after < before && after > Usd::ZERO);
    desk.status(&first, VenueState::Cancelled, Some(half));
    let record = *desk.core.orders().find(OrderRef::Id(first.id)).unwrap();
    assert_eq!(record.reserved, Usd::ZERO);
}

#[test]
fn a_fee_that_is_not_the_rules_is_booked_and_told() {
    let drifts = |fee: i64| {
        let mut desk = Desk::new();
        desk.gap();
        let first = desk.last_placed();
        let fill = Fill { fee: Some(Usd::from_micros(fee)), ..desk.fill_of(&first, 30) };
        desk.report(Report::Fill(fill));
        assert_eq!(
            desk.core.stats().fees,
            Usd::from_micros(fee),
            "what was charged is what was paid"
        );
        desk.notes
            .iter()
            .filter(|note| matches!(note, Note::Alarm { what: Alarm::FeeDrift, .. }))
            .count()
    };
    // 7 % of 30 × 0.5 × 0.5
    assert_eq!(drifts(525_000), 0);
    assert_eq!(drifts(525_100), 0, "rounding");
    assert_eq!(drifts(1_050_000), 1);
    assert_eq!(drifts(0), 1);
}

#[test]
fn a_fee_on_a_fill_at_an_average_price_is_held_against_the_rule_as_a_whole() {
    let drifts = |fee: i64| {
        let mut desk = Desk::new();
        desk.gap();
        let first = desk.last_placed();
        assert_eq!((first.outcome, first.price), (Outcome::No, price(50)));
        let fill = Fill { fee: Some(Usd::from_micros(fee)), ..desk.fill_of(&first, 30) };
        // NO at 49.995 cents, on average over two makers: YES was sold at 50.005.
        let average = fine::price(b"0.50005").unwrap().unwrap();
        let parts = fine::parts(fill, Outcome::Yes, Action::Sell, average);
        assert!(parts.iter().all(Option::is_some));
        for part in parts.into_iter().flatten() {
            desk.report(Report::Fill(part));
        }
        assert_eq!(desk.core.stats().fees, Usd::from_micros(fee));
        let is_drift = |note: &&Note| matches!(note, Note::Alarm { what: Alarm::FeeDrift, .. });
        desk.notes.iter().filter(is_drift).count()
    };
    assert_eq!(drifts(525_000), 0, "7 % of 30 × 0.5 × 0.5, as the venue states it once");
    assert_eq!(drifts(525_100), 0, "rounding");
    assert!(drifts(1_050_000) > 0);
    assert!(drifts(0) > 0);
}

#[test]
fn agreement_needs_no_quiet_moment() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.control(Control::Start { epoch: 2, first_order: 1_000 });
    let cash = desk.core.ledger().cash_at(Venue::Kalshi);
    let cost = desk.reserved();
    let mut agrees = |no, cash| {
        let position = Control::Position { market: KA, yes: Qty::ZERO, no: qty(no) };
        let venue = Venue::Kalshi;
        desk.reading(venue, &[position, Control::Cash { venue, shard: 0, cash }]);
        desk.reading(Venue::Polymarket, &[]);
        desk.core.stats().reconciled
    };
    assert_eq!(first.qty, qty(30));
    for (no, cash) in [(0, cash), (12, cash - Usd::from_dollars(5)), (30, cash - cost)] {
        assert!(agrees(no, cash), "what became of it is not known: {no}");
    }
    assert!(!agrees(31, cash), "no fate of it explains that");
}

#[test]
fn an_order_that_is_not_ours_is_told_once_and_claims_nothing() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    let (ours, theirs) = (VenueKey::new(1), VenueKey::new(2));
    desk.report(Report::Bound { order: first.id, key: ours });
    let (reserved, intents) = (desk.reserved(), desk.intents.len());
    let open = |key| Control::Open {
        venue: Venue::Kalshi,
        market: Some(KA),
        order: OrderRef::Key(key),
        key,
    };
    for _ in 0..3 {
        let since = desk.now;
        desk.control(Control::Reading { venue: Venue::Kalshi, since });
        desk.control(open(ours));
        desk.control(open(theirs));
        let foreign = desk.core.stats().foreign[Venue::Kalshi];
        assert_eq!((foreign.count, foreign.shown().collect()), (1, vec![theirs]));
    }
    let alarms = desk.notes.iter().filter(|note| {
        matches!(note, Note::Alarm { what: Alarm::ForeignOrder, place } if place.market == Some(KA))
    });
    assert_eq!((alarms.count(), desk.core.stats().alarms), (1, 1));
    assert_eq!((desk.reserved(), desk.intents.len()), (reserved, intents));
    let since = desk.now;
    desk.control(Control::Reading { venue: Venue::Kalshi, since });
    assert_eq!(desk.core.stats().foreign[Venue::Kalshi].count, 0, "it is gone");
}

/// A start takes orders in that only the wire log knows; a reading may list one of them before the answer about it has its name.
#[test]
fn an_order_that_a_reading_names_may_be_ours_whose_name_is_to_come() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    let key = VenueKey::new(2);
    let open =
        Control::Open { venue: Venue::Kalshi, market: Some(KA), order: OrderRef::Key(key), key };
    desk.reading(Venue::Kalshi, &[open]);
    assert_eq!(
        desk.core.stats().foreign[Venue::Kalshi].count,
        0,
        "it may be the one without a name"
    );
    assert_eq!(desk.core.stats().alarms, 0);
    desk.report(Report::Bound { order: first.id, key: VenueKey::new(1) });
    desk.wait(Nanos::from_secs(12));
    desk.reading(Venue::Kalshi, &[open]);
    assert_eq!(desk.core.stats().foreign[Venue::Kalshi].count, 1, "it is another's");
    assert!(
        desk.notes.iter().any(|note| matches!(note, Note::Alarm { what: Alarm::ForeignOrder, .. }))
    );
}

#[test]
fn an_order_keeps_its_first_name_and_a_name_its_first_order() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    let key = |number| OrderRef::Key(VenueKey::new(number));
    let bind = |desk: &mut Desk, order: &Order, number| {
        desk.report(Report::Bound { order: order.id, key: VenueKey::new(number) });
    };
    let alarms = |desk: &Desk| {
        let is_it = |note: &&Note| matches!(note, Note::Alarm { what: Alarm::NameTwice, .. });
        desk.notes.iter().filter(is_it).count()
    };
    let named = |desk: &Desk, number| desk.core.orders().find(key(number)).map(|of| of.order.id);
    for told in 0..2 {
        bind(&mut desk, &first, 7);
        assert_eq!((named(&desk, 7), alarms(&desk)), (Some(first.id), 0), "{told}");
    }
    bind(&mut desk, &first, 8);
    assert_eq!((named(&desk, 7), named(&desk, 8), alarms(&desk)), (Some(first.id), None, 1));
    desk.fill(&first, 30);
    let second = desk.last_placed();
    bind(&mut desk, &second, 7);
    assert_eq!((named(&desk, 7), alarms(&desk)), (Some(first.id), 2), "it is the first one's");
    bind(&mut desk, &second, 9);
    assert_eq!(named(&desk, 9), Some(second.id));
}

#[test]
fn what_the_venue_has_had_was_never_refused() {
    for gone in [false, true] {
        let mut desk = Desk::new();
        desk.gap();
        let first = desk.last_placed();
        let reserved = desk.reserved();
        desk.status(&first, VenueState::Resting, Some(0));
        let queries = desk.queries();
        if gone {
            for _ in 0..3 {
                desk.wait(Nanos::from_secs(11));
                desk.report(Report::Absent { order: first.id, venue: first.venue });
            }
        } else {
            desk.report(Report::Rejected { order: OrderRef::Id(first.id), why: Reject::Funds });
            assert_eq!(desk.reserved(), reserved, "it said that it rests: nothing is let go");
            assert!(desk.queries() > queries, "the venue is asked");
            desk.status(&first, VenueState::Cancelled, Some(0));
        }
        let record = desk.core.orders().find(OrderRef::Id(first.id)).unwrap();
        assert_eq!((record.state, record.reserved), (OrderState::Done, Usd::ZERO));
        assert_eq!(desk.core.orders().live_len(), 0, "it is over, and asked about no more");
    }
}

#[test]
fn a_count_that_goes_down_and_stays_there_is_believed() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    let hedge = desk.last_placed();
    desk.fill(&hedge, 10);
    desk.status(&hedge, VenueState::Cancelled, Some(30));
    // The other twenty failed before they were told: the venue counts ten from here on.
    desk.report(Report::Finality { fill: FillId::new(77), state: Finality::Failed });
    let held = |desk: &Desk| {
        let record = desk.core.orders().find(OrderRef::Id(hedge.id)).unwrap();
        (record.state == OrderState::Done, record.reserved)
    };
    let waits = held(&desk);
    desk.book(KA, &[(20, 100)], &[(52, 300)]); // the gap is gone
    assert!(!waits.0 && waits.1 > Usd::ZERO, "twenty are on their way, as far as is known");
    for _ in 0..3 {
        desk.status(&hedge, VenueState::Cancelled, Some(10));
        assert_eq!(held(&desk), waits, "a read may lag behind");
        desk.wait(Nanos::from_secs(9));
    }
    desk.status(&hedge, VenueState::Cancelled, Some(30)); // one that lags
    for _ in 0..4 {
        desk.status(&hedge, VenueState::Cancelled, Some(10));
        assert_eq!(held(&desk), waits);
        desk.wait(Nanos::from_secs(9));
    }
    desk.status(&hedge, VenueState::Cancelled, Some(10));
    assert_eq!(held(&desk), (true, Usd::ZERO));
    // Twenty of the first leg have no partner: it is bought again, as after a fill that failed, or they are sold.
    let last = desk.last_placed();
    assert_eq!((last.group, last.qty), (hedge.group, qty(20)));
    assert_ne!(last.id, hedge.id);
    desk.fill(&last, 20);
    assert!(desk.core.is_idle());
    assert_eq!(desk.held(KA, Outcome::No), desk.held(PM, Outcome::Yes), "no leg stands alone");
}

#[test]
fn a_larger_count_after_the_end_is_reserved() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    let hedge = desk.last_placed();
    desk.status(&hedge, VenueState::Cancelled, Some(10));
    let ten = desk.reserved();
    desk.status(&hedge, VenueState::Resting, Some(20));
    assert!(desk.reserved() > ten, "twenty may have to be paid");
    desk.fill(&hedge, 20);
    let late = |note: &Note| matches!(note, Note::Alarm { what: Alarm::LateFill, .. });
    assert!(!desk.notes.iter().any(late), "the venue had counted them");
}
