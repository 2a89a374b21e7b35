//! The loss of the day: what counts as today's, and what stops when there is too much of it.

use super::*;

#[test]
fn a_days_loss_halts_and_stays() {
    let mut desk = Desk::new();
    desk.control(Control::Limit { row: LimitRow::DailyLoss, value: 1_000_000 });
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    // The bid under what we hold falls away: 30 contracts lose fifty cents each.
    desk.book(KA, &[(50, 30)], &[(97, 300)]);
    desk.wait(Nanos::from_millis(10));
    assert_eq!(desk.core.halted(), Some(HaltWhy::DailyLoss));
    desk.control(Control::Day { day: 30_000 });
    desk.wait(Nanos::from_millis(10));
    assert_eq!(desk.core.halted(), Some(HaltWhy::DailyLoss), "a new day does not lift it");
}

#[test]
fn a_daily_loss_of_one_cent_halts_on_the_first_cent_that_is_lost() {
    let mut desk = Desk::new();
    desk.book(KA, &[(48, 300)], &[(50, 300)]);
    take_over(&mut desk, 1);
    desk.control(Control::Limit { row: LimitRow::DailyLoss, value: 10_000 });
    desk.wait(Nanos::from_millis(10));
    assert_eq!((desk.core.money.day_result(), desk.core.halted()), (Usd::ZERO, None));
    desk.book(KA, &[(48, 300)], &[(51, 300)]); // what is held fetches a cent less
    desk.wait(Nanos::from_millis(10));
    assert_eq!(desk.core.money.day_result(), Usd::from_cents(-1));
    assert_eq!((desk.core.halted(), desk.raised), (Some(HaltWhy::DailyLoss), Some(2)));
    let opens = |desk: &Desk| desk.placed().iter().filter(|order| order.purpose.opens()).count();
    let before = opens(&desk);
    desk.gap();
    assert_eq!(opens(&desk), before, "nothing is opened any more");
}

#[test]
fn a_halt_of_the_cores_own_voids_what_was_decided_before_it() {
    let mut desk = Desk::new();
    desk.control(Control::Limit { row: LimitRow::DailyLoss, value: 1_000_000 });
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    let hedge = desk.last_placed();
    assert_eq!((hedge.epoch, desk.raised), (1, None));
    desk.book(KA, &[(50, 30)], &[(97, 300)]);
    desk.wait(Nanos::from_millis(10));
    assert_eq!(desk.core.halted(), Some(HaltWhy::DailyLoss));
    assert_eq!(desk.raised, Some(2), "everybody moves to the next epoch");
    let told = |note: &Note| matches!(note, Note::Halt { halted: true, epoch: 2, .. });
    assert!(desk.notes.iter().any(told));
    // The hedge did not leave any more; what reduces is decided in the new epoch and does.
    desk.report(Report::Unsent { order: hedge.id, why: crate::report::Unsent::Epoch });
    let sale = desk.last_placed();
    assert_eq!((sale.purpose, sale.epoch), (crate::order::Purpose::Unwind, 2));
    // An operator's halt has moved it already.
    let mut desk = Desk::new();
    desk.control(Control::Halt { epoch: 9, why: HaltWhy::Operator });
    assert_eq!(desk.raised, None);
    assert_eq!(desk.core.stats().epoch, 9, "the counters say which halt they know");
}

/// A desk that holds 30 complete pairs, ten cents under what they pay, fees aside.
fn with_pairs() -> Desk {
    let mut desk = Desk::new();
    desk.buy_gap();
    desk.wait(Nanos::from_millis(10));
    desk
}

/// A desk that took over 30 contracts at fifty cents, which now fetch thirty.
fn with_a_paper_loss() -> Desk {
    let mut desk = Desk::new();
    desk.book(KA, &[(48, 300)], &[(50, 300)]);
    for _ in 0..2 {
        desk.reading(
            Venue::Kalshi,
            &[Control::Position { market: KA, yes: Qty::ZERO, no: qty(30) }],
        );
    }
    desk.wait(Nanos::from_millis(10));
    desk.book(KA, &[(48, 300)], &[(70, 300)]);
    desk.wait(Nanos::from_millis(10));
    desk
}

/// A desk that took over 30 contracts at fifty cents, which now fetch seventy.
fn with_a_paper_gain() -> Desk {
    let mut desk = with_a_paper_loss();
    desk.book(KA, &[(20, 300)], &[(30, 300)]);
    desk.wait(Nanos::from_millis(10));
    desk
}

#[test]
fn a_daily_loss_of_nothing_only_observes_whatever_the_day_brought() {
    type Made = fn() -> Desk;
    let days: [(Made, std::cmp::Ordering); 3] = [
        (Desk::new, std::cmp::Ordering::Equal),
        (with_a_paper_gain, std::cmp::Ordering::Greater),
        (with_a_paper_loss, std::cmp::Ordering::Less),
    ];
    for (made, brought) in days {
        let mut desk = made();
        assert_eq!(desk.core.money.day_result().cmp(&Usd::ZERO), brought);
        desk.control(Control::Limit { row: LimitRow::DailyLoss, value: 0 });
        let (orders, opened) = (desk.placed().len(), desk.core.stats().baskets_opened);
        desk.notes.clear();
        desk.now = desk.now.after(Nanos::from_secs(2));
        desk.gap();
        desk.wait(Nanos::from_millis(10));
        let placed = desk.placed().split_off(orders);
        assert!(placed.iter().all(|order| order.purpose.reduces()), "{brought:?}: {placed:?}");
        assert_eq!(desk.core.stats().baskets_opened, opened);
        assert_eq!(desk.core.halted(), None, "it goes on deciding");
        let refused =
            |note: &Note| matches!(note, Note::Opportunity { verdict: Verdict::Refused, .. });
        assert!(desk.notes.iter().any(refused), "{brought:?}: decided, and refused");
    }
}

#[test]
fn a_days_loss_counts_until_the_day_is_over_restarts_included() {
    let mut desk = Desk::new();
    desk.control(Control::Day { day: 20_000 });
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    let yes_pays = if first.outcome == Outcome::Yes { price(0) } else { price(100) };
    desk.event(Event::Settled { market: first.market, yes_pays });
    let today = |desk: &Desk| desk.core.ledger().realised_today();
    let before = today(&desk);
    assert!(before < Usd::ZERO, "all of it was lost");
    desk.control(Control::Day { day: 20_000 });
    assert_eq!(today(&desk), before, "told again");
    desk.control(Control::Day { day: 20_001 });
    assert_eq!(today(&desk), Usd::ZERO);
}

/// Ten contracts of NO on Kalshi beside what is held, from another hand.
fn take_over(desk: &mut Desk, no: u64) {
    for _ in 0..2 {
        desk.reading(
            Venue::Kalshi,
            &[Control::Position { market: KA, yes: Qty::ZERO, no: qty(no) }],
        );
    }
    assert_eq!(desk.held(KA, Outcome::No), qty(no));
}

/// What a contract of NO on Kalshi fetches, in cents; the PM book stays.
fn no_fetches(desk: &mut Desk, cents: u16) {
    desk.book(KA, &[(20, 300)], &[(100 - cents, 300)]);
    desk.wait(Nanos::from_millis(10));
}

#[test]
fn what_is_bought_today_starts_from_its_cost() {
    let desk = {
        let mut desk = Desk::new();
        desk.control(Control::Day { day: 1 });
        desk.gap();
        let first = desk.last_placed();
        desk.fill(&first, 30);
        // Before anything is valued, the fee is all that the day has cost.
        assert_eq!(desk.core.money.day_result(), -desk.core.ledger().fees());
        let second = desk.last_placed();
        desk.fill(&second, 30);
        desk.wait(Nanos::from_millis(10));
        desk
    };
    let stats = desk.core.stats();
    assert_eq!(desk.core.money.day_result(), stats.realised + desk.core.money.worth().marked());
    assert!(stats.unrealised > Usd::ZERO, "a profit is promised");
    assert!(
        desk.core.money.day_result() < -stats.fees,
        "what they would fetch now is under their cost"
    );
}

#[test]
fn yesterdays_gain_does_not_widen_todays_limit() {
    let mut desk = with_pairs();
    desk.control(Control::Day { day: 1 });
    assert!(desk.core.stats().unrealised > Usd::ZERO);
    assert_eq!(desk.core.money.day_result(), Usd::ZERO);
    desk.control(Control::Limit { row: LimitRow::DailyLoss, value: 4_000_000 });
    no_fetches(&mut desk, 48);
    take_over(&mut desk, 40);
    assert_eq!(
        desk.core.money.day_result(),
        Usd::ZERO,
        "what the venue knew before is not today's"
    );
    no_fetches(&mut desk, 39);
    assert_eq!(desk.core.money.day_result(), Usd::from_cents(-360));
    assert_eq!(desk.core.halted(), None);
    no_fetches(&mut desk, 38);
    assert_eq!(desk.core.money.day_result(), Usd::from_dollars(-4));
    assert_eq!(desk.core.halted(), Some(HaltWhy::DailyLoss));
}

#[test]
fn an_old_loss_does_not_halt_a_day_that_lost_nothing() {
    let mut desk = with_a_paper_loss();
    assert_eq!(desk.core.money.day_result(), Usd::from_dollars(-6));
    desk.control(Control::Day { day: 1 });
    desk.control(Control::Limit { row: LimitRow::DailyLoss, value: 5_000_000 });
    desk.wait(Nanos::from_millis(10));
    assert_eq!((desk.core.money.day_result(), desk.core.halted()), (Usd::ZERO, None));
    no_fetches(&mut desk, 14);
    assert_eq!((desk.core.money.day_result(), desk.core.halted()), (Usd::from_cents(-480), None));
    no_fetches(&mut desk, 13);
    assert_eq!(desk.core.halted(), Some(HaltWhy::DailyLoss));
}

#[test]
fn a_restart_neither_forgets_the_days_loss_nor_makes_one() {
    let mut desk = with_a_paper_loss();
    desk.control(Control::Day { day: 1 });
    no_fetches(&mut desk, 20);
    let lost = Usd::from_dollars(-3);
    assert_eq!(desk.core.money.day_result(), lost);
    let hash = desk.core.state_hash();
    *desk.core.money.day_base_mut() += Usd::from_micros(1);
    assert_ne!(desk.core.state_hash(), hash, "decisions depend on it");
    *desk.core.money.day_base_mut() -= Usd::from_micros(1);
    desk.control(Control::Start { epoch: 2, first_order: 1_000 });
    desk.wait(Nanos::from_millis(10));
    assert_eq!(desk.core.money.day_result(), lost, "the books are stale");
    desk.control(Control::Day { day: 1 });
    desk.event(Event::SnapshotBegin {
        market: KA,
        link: LinkNumber::FIRST,
        venue_time: Nanos::ZERO,
    });
    desk.wait(Nanos::from_millis(10));
    assert_eq!(desk.core.money.day_result(), lost, "a book on its way is no loss");
    desk.control(Control::Start { epoch: 3, first_order: 2_000 });
    desk.control(Control::Day { day: 2 });
    assert_eq!(desk.core.money.day_result(), Usd::ZERO, "a day begins where the last one was left");
    no_fetches(&mut desk, 21);
    assert_eq!(desk.core.money.day_result(), Usd::from_cents(30));
}

#[test]
fn what_the_venue_does_not_know_leaves_no_gain_behind() {
    let gone = |desk: &mut Desk, market| {
        desk.wait(Nanos::from_secs(4_000)); // settled long ago
        let (yes, no) = (Qty::ZERO, Qty::ZERO);
        for _ in 0..2 {
            desk.reading(
                terms(market).venue,
                &[Control::History { market, yes, no }, Control::Position { market, yes, no }],
            );
        }
        desk.wait(Nanos::from_millis(10));
    };
    let mut desk = with_a_paper_gain();
    assert_eq!(desk.core.money.day_result(), Usd::from_dollars(6));
    gone(&mut desk, KA);
    assert!(desk.core.money.day_result() < Usd::from_dollars(1), "the gain went along");
    let mut desk = with_a_paper_loss();
    gone(&mut desk, KA);
    assert_eq!(desk.core.money.day_result(), Usd::from_dollars(-6), "a loss is not forgotten");
}

#[test]
fn a_pair_that_settles_half_by_half_is_a_profit_of_the_day_on_which_it_pays_and_no_loss_between() {
    // YES at Polymarket cost 47, NO at Kalshi 50. Everybody knows the result before it is told.
    for (first, yes_pays, pm, ka) in [
        (PM, Price::ZERO, (1, 3), (1, 2)),    // NO fetches 98
        (KA, Price::ONE, (98, 99), (98, 99)), // YES fetches 98, NO a cent
    ] {
        let mut desk = with_pairs();
        desk.book(PM, &[(pm.0, 300)], &[(pm.1, 300)]);
        desk.book(KA, &[(ka.0, 300)], &[(ka.1, 300)]);
        desk.wait(Nanos::from_millis(10));
        desk.control(Control::Day { day: 1 });
        let second = if first == PM { KA } else { PM };
        let results = [(first, 98 - 97), (second, 100 - 97)];
        for (market, cents) in results {
            desk.event(Event::Settled { market, yes_pays });
            let result = Usd::from_cents(30 * cents);
            assert_eq!(desk.core.money.day_result(), result, "{market}, before it is valued again");
            desk.wait(Nanos::from_millis(10));
            assert_eq!(desk.core.money.day_result(), result, "{market} pays {yes_pays}");
        }
    }
    for (yes_pays, result) in [(Price::ONE, -9), (Price::ZERO, 21)] {
        let mut desk = with_a_paper_loss();
        desk.control(Control::Day { day: 1 });
        desk.event(Event::Settled { market: KA, yes_pays });
        assert_eq!(desk.core.money.day_result(), Usd::from_dollars(result), "from thirty cents");
    }
}

#[test]
fn what_a_sale_realises_counts_once() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    desk.wait(Nanos::from_millis(10));
    let second = desk.last_placed();
    desk.report(Report::Rejected {
        order: OrderRef::Id(second.id),
        why: crate::report::Reject::Funds,
    });
    let unwind = desk.last_placed();
    assert_eq!(unwind.action, crate::ids::Action::Sell);
    desk.fill(&unwind, 30);
    let at_once = desk.core.money.day_result();
    desk.wait(Nanos::from_millis(10));
    assert_eq!(at_once, desk.core.money.day_result());
    assert_eq!(at_once, desk.core.stats().realised);
}

/// Another market of Kalshi's, in no basket.
const THIRD: MarketId = MarketId::new(2);

/// A desk that took over 800 complete pairs for 90 cents each, and 500 contracts in another market for 50 cents each.
fn with_a_promise_and_a_bet() -> Desk {
    let mut desk = Desk::new();
    desk.control(Control::Limit { row: LimitRow::EdgeMin, value: 10_000 }); // nothing is bought here
    desk.event(Event::Market(MarketDef { market: THIRD, cluster: ClusterId::new(1), ..terms(KA) }));
    desk.book(PM, &[(45, 900)], &[(56, 900)]);
    desk.book(KA, &[(55, 900)], &[(56, 900)]);
    desk.book(THIRD, &[(50, 900)], &[(51, 900)]);
    for (market, yes, no) in [(PM, 800, 0), (KA, 0, 800), (THIRD, 500, 0)] {
        for _ in 0..2 {
            desk.control(Control::Position { market, yes: qty(yes), no: qty(no) });
        }
        assert_eq!(
            (desk.held(market, Outcome::Yes), desk.held(market, Outcome::No)),
            (qty(yes), qty(no))
        );
    }
    desk.book(KA, &[(54, 900)], &[(55, 900)]); // NO fetches what it cost
    desk.wait(Nanos::from_millis(10));
    desk.control(Control::Day { day: 1 });
    desk
}

#[test]
fn a_promised_profit_makes_no_room_for_a_real_loss() {
    let mut desk = with_a_promise_and_a_bet();
    assert_eq!(desk.core.stats().unrealised, Usd::from_dollars(80), "that much is promised");
    desk.control(Control::Limit { row: LimitRow::DailyLoss, value: 100_000_000 });
    desk.book(THIRD, &[(31, 900)], &[(33, 900)]);
    desk.wait(Nanos::from_millis(10));
    assert_eq!((desk.core.money.day_result(), desk.core.halted()), (Usd::from_dollars(-95), None));
    desk.book(THIRD, &[(20, 900)], &[(22, 900)]);
    desk.wait(Nanos::from_millis(10));
    assert_eq!(desk.core.money.day_result(), Usd::from_dollars(-150));
    assert_eq!(desk.core.halted(), Some(HaltWhy::DailyLoss));
}

#[test]
fn what_complete_baskets_fetch_beyond_their_cost_makes_no_room_either() {
    let mut desk = with_a_promise_and_a_bet();
    desk.book(PM, &[(70, 900)], &[(71, 900)]);
    desk.wait(Nanos::from_millis(10));
    assert_eq!(
        desk.core.money.day_result(),
        Usd::ZERO,
        "25 cents more each, and none of it counts"
    );
}

#[test]
fn a_false_pair_shows_its_loss_before_it_settles() {
    let mut desk = with_pairs();
    desk.control(Control::Limit { row: LimitRow::DailyLoss, value: 20_000_000 });
    // Both halves fall: whatever these two markets ask, it is not the same question.
    desk.book(PM, &[(9, 300)], &[(11, 300)]);
    desk.book(KA, &[(88, 300)], &[(91, 300)]);
    desk.wait(Nanos::from_millis(10));
    let cost = desk.core.ledger().cost();
    let lost = Usd::from_cents(18 * 30) - cost + desk.core.stats().realised;
    assert_eq!(desk.core.money.day_result(), lost);
    assert!(lost < Usd::from_dollars(-20));
    assert_eq!(desk.core.halted(), Some(HaltWhy::DailyLoss));
    assert!(desk.core.stats().unrealised > Usd::ZERO, "though it promises a profit");
}

#[test]
fn a_book_that_is_emptied_when_trading_ends_is_no_loss() {
    for status in [MarketStatus::Paused, MarketStatus::Closed, MarketStatus::Proposed] {
        let mut desk = with_pairs();
        let before = desk.core.money.day_result();
        desk.event(Event::Status { market: KA, status });
        desk.book(KA, &[], &[]);
        desk.wait(Nanos::from_millis(10));
        assert_eq!(desk.core.money.day_result(), before, "{status:?}");
    }
}
