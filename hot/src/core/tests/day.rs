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

/// A desk that holds 30 complete pairs, ten cents under what they pay, fees aside.
fn with_pairs() -> Desk {
    let mut desk = Desk::new();
    desk.gap();
    for _ in 0..2 {
        let order = desk.last_placed();
        desk.fill(&order, 30);
    }
    desk.wait(Nanos::from_millis(10));
    desk
}

/// A desk that took over 30 contracts at fifty cents, which now fetch thirty.
fn with_a_paper_loss() -> Desk {
    let mut desk = Desk::new();
    desk.book(KA, &[(48, 300)], &[(50, 300)]);
    for _ in 0..2 {
        desk.control(Control::Position { market: KA, yes: Qty::ZERO, no: qty(30) });
    }
    desk.wait(Nanos::from_millis(10));
    desk.book(KA, &[(48, 300)], &[(70, 300)]);
    desk.wait(Nanos::from_millis(10));
    desk
}

#[test]
fn a_daily_loss_of_nothing_only_observes_whatever_the_day_brought() {
    type Made = fn() -> Desk;
    let days: [(Made, std::cmp::Ordering); 3] = [
        (Desk::new, std::cmp::Ordering::Equal),
        (with_pairs, std::cmp::Ordering::Greater),
        (with_a_paper_loss, std::cmp::Ordering::Less),
    ];
    for (made, brought) in days {
        let mut desk = made();
        assert_eq!(desk.core.day_result().cmp(&Usd::ZERO), brought);
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
        desk.control(Control::Position { market: KA, yes: Qty::ZERO, no: qty(no) });
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
        assert_eq!(desk.core.day_result(), -desk.core.ledger().fees());
        let second = desk.last_placed();
        desk.fill(&second, 30);
        desk.wait(Nanos::from_millis(10));
        desk
    };
    let stats = desk.core.stats();
    assert_eq!(desk.core.day_result(), stats.realised + stats.unrealised);
    assert!(desk.core.day_result() > Usd::ZERO);
}

#[test]
fn yesterdays_gain_does_not_widen_todays_limit() {
    let mut desk = with_pairs();
    desk.control(Control::Day { day: 1 });
    assert!(desk.core.stats().unrealised > Usd::ZERO);
    assert_eq!(desk.core.day_result(), Usd::ZERO);
    desk.control(Control::Limit { row: LimitRow::DailyLoss, value: 1_000_000 });
    no_fetches(&mut desk, 48);
    take_over(&mut desk, 40);
    assert_eq!(desk.core.day_result(), Usd::ZERO, "what the venue knew before is not today's");
    no_fetches(&mut desk, 39);
    assert_eq!(desk.core.day_result(), Usd::from_cents(-90));
    assert_eq!(desk.core.halted(), None);
    no_fetches(&mut desk, 38);
    assert_eq!(desk.core.day_result(), Usd::from_dollars(-1));
    assert_eq!(desk.core.halted(), Some(HaltWhy::DailyLoss));
}

#[test]
fn an_old_loss_does_not_halt_a_day_that_lost_nothing() {
    let mut desk = with_a_paper_loss();
    assert_eq!(desk.core.day_result(), Usd::from_dollars(-6));
    desk.control(Control::Day { day: 1 });
    desk.control(Control::Limit { row: LimitRow::DailyLoss, value: 5_000_000 });
    desk.wait(Nanos::from_millis(10));
    assert_eq!((desk.core.day_result(), desk.core.halted()), (Usd::ZERO, None));
    no_fetches(&mut desk, 14);
    assert_eq!((desk.core.day_result(), desk.core.halted()), (Usd::from_cents(-480), None));
    no_fetches(&mut desk, 13);
    assert_eq!(desk.core.halted(), Some(HaltWhy::DailyLoss));
}

#[test]
fn a_restart_neither_forgets_the_days_loss_nor_makes_one() {
    let mut desk = with_a_paper_loss();
    desk.control(Control::Day { day: 1 });
    no_fetches(&mut desk, 20);
    let lost = Usd::from_dollars(-3);
    assert_eq!(desk.core.day_result(), lost);
    let hash = desk.core.state_hash();
    desk.core.day_base += Usd::from_micros(1);
    assert_ne!(desk.core.state_hash(), hash, "decisions depend on it");
    desk.core.day_base -= Usd::from_micros(1);
    desk.control(Control::Start { epoch: 2, first_order: 1_000 });
    desk.wait(Nanos::from_millis(10));
    assert_eq!(desk.core.day_result(), lost, "the books are stale");
    desk.control(Control::Day { day: 1 });
    desk.event(Event::SnapshotBegin { market: KA, venue_time: Nanos::ZERO });
    desk.wait(Nanos::from_millis(10));
    assert_eq!(desk.core.day_result(), lost, "a book on its way is no loss");
    desk.control(Control::Start { epoch: 3, first_order: 2_000 });
    desk.control(Control::Day { day: 2 });
    assert_eq!(desk.core.day_result(), Usd::ZERO, "a day begins where the last one was left");
    no_fetches(&mut desk, 21);
    assert_eq!(desk.core.day_result(), Usd::from_cents(30));
}

#[test]
fn what_the_venue_does_not_know_leaves_no_gain_behind() {
    let gone = |desk: &mut Desk, market| {
        for _ in 0..2 {
            desk.control(Control::Position { market, yes: Qty::ZERO, no: Qty::ZERO });
        }
        desk.wait(Nanos::from_millis(10));
    };
    let mut desk = with_pairs();
    assert!(desk.core.day_result() > Usd::ZERO);
    gone(&mut desk, PM);
    gone(&mut desk, KA);
    assert!(desk.core.day_result() < Usd::ZERO, "the fees at least");
    let mut desk = with_a_paper_loss();
    gone(&mut desk, KA);
    assert_eq!(desk.core.day_result(), Usd::from_dollars(-6), "a loss is not forgotten");
}

#[test]
fn a_settlement_after_midnight_only_moves_what_was_known() {
    for (market, yes_pays) in [(PM, Price::ZERO), (KA, Price::ONE)] {
        let mut desk = with_pairs();
        desk.control(Control::Day { day: 1 });
        for market in [market, if market == PM { KA } else { PM }] {
            desk.event(Event::Settled { market, yes_pays });
            assert_eq!(desk.core.day_result(), Usd::ZERO, "{market}, before it is valued again");
            desk.wait(Nanos::from_millis(10));
            assert_eq!(desk.core.day_result(), Usd::ZERO, "{market} pays {yes_pays}");
        }
        assert!(desk.core.ledger().realised_today() > Usd::ZERO, "realised, but yesterday's");
    }
    for (yes_pays, result) in [(Price::ONE, -9), (Price::ZERO, 21)] {
        let mut desk = with_a_paper_loss();
        desk.control(Control::Day { day: 1 });
        desk.event(Event::Settled { market: KA, yes_pays });
        assert_eq!(desk.core.day_result(), Usd::from_dollars(result), "from thirty cents");
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
    let at_once = desk.core.day_result();
    desk.wait(Nanos::from_millis(10));
    assert_eq!(at_once, desk.core.day_result());
    assert_eq!(at_once, desk.core.stats().realised);
}
