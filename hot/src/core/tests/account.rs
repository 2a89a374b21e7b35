//! The account as a whole: the losses that halt it, what follows what it is worth, and whose a result is.

use super::*;
use crate::ids::ThemeId;
use crate::note::Alarm;
use crate::order::Strategy;
use crate::risk::Refusal;

const CENT: u64 = 10_000;

fn limit(desk: &mut Desk, row: LimitRow, value: u64) {
    desk.control(Control::Limit { row, value });
}

/// The venue's figure for the cash at Kalshi, read until it is believed.
fn cash(desk: &mut Desk, dollars: i64) {
    let cash = Usd::from_dollars(dollars);
    for _ in 0..2 {
        desk.wait(Nanos::from_secs(12));
        desk.reading(Venue::Kalshi, &[Control::Cash { venue: Venue::Kalshi, shard: 0, cash }]);
    }
    assert_eq!(desk.core.ledger().cash_at(Venue::Kalshi), cash);
    desk.wait(Nanos::from_millis(10));
}

/// The day has lost so much more.
fn lose(desk: &mut Desk, micros: i64) {
    *desk.core.money.day_base_mut() += Usd::from_micros(micros);
    desk.wait(Nanos::from_millis(10));
}

/// A desk with so many dollars at each venue, and no floor under them.
fn funded(dollars: i64) -> Desk {
    let mut desk = Desk::unfunded();
    limit(&mut desk, LimitRow::EquityFloor, 0);
    for venue in Venue::ALL {
        for _ in 0..2 {
            let cash = Usd::from_dollars(dollars);
            desk.control(Control::Cash { venue, shard: 0, cash });
        }
    }
    desk.open();
    desk
}

/// Thirty contracts on one leg: their fee is a loss.
fn on_one_leg(desk: &mut Desk) {
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
}

type Act = fn(&mut Desk);

/// What halts the account as a whole, and how.
const LOSSES: [(HaltWhy, Act); 4] = [
    (HaltWhy::DailyLoss, |desk| lose(desk, 100_000_000)),
    (HaltWhy::StrategyLoss, |desk| {
        limit(desk, LimitRow::DailyLossStrategy, CENT);
        on_one_leg(desk);
        desk.wait(Nanos::from_millis(10));
    }),
    (HaltWhy::EquityFloor, |desk| {
        limit(desk, LimitRow::EquityFloor, 20_000_000_000);
        desk.wait(Nanos::from_millis(10));
    }),
    (HaltWhy::Drawdown, |desk| cash(desk, 8_000)),
];

#[test]
fn every_loss_of_the_account_halts_moves_the_epoch_and_stays() {
    for (why, act) in LOSSES {
        let mut desk = Desk::new();
        desk.wait(Nanos::from_millis(10));
        assert_eq!((desk.core.halted(), desk.raised), (None, None), "{why:?}");
        act(&mut desk);
        assert_eq!((desk.core.halted(), desk.raised), (Some(why), Some(2)), "{why:?}");
        let told = |note: &Note| matches!(note, Note::Halt { halted: true, epoch: 2, .. });
        assert!(desk.notes.iter().any(told), "{why:?}");
        desk.control(Control::Day { day: 30_000 });
        desk.control(Control::Start { epoch: 3, first_order: 1_000 });
        desk.open();
        desk.wait(Nanos::from_millis(10));
        assert_eq!(desk.core.halted(), Some(why), "neither a new day nor a restart lifts it");
    }
}

#[test]
fn a_resume_finds_the_loss_that_is_still_there() {
    for (why, act) in LOSSES {
        let mut desk = Desk::new();
        act(&mut desk);
        desk.control(Control::Resume { epoch: 9 });
        desk.wait(Nanos::from_millis(10));
        // Whoever resumes from a drawdown accepts it: there would be no other way on.
        let still = (why != HaltWhy::Drawdown).then_some(why);
        assert_eq!(desk.core.halted(), still, "{why:?}");
    }
}

#[test]
fn a_daily_loss_of_a_cent_halts_on_the_first_losing_cent() {
    let mut desk = Desk::new();
    limit(&mut desk, LimitRow::DailyLoss, CENT);
    desk.wait(Nanos::from_millis(10));
    lose(&mut desk, 9_999);
    assert_eq!(desk.core.halted(), None);
    lose(&mut desk, 1);
    assert_eq!(desk.core.halted(), Some(HaltWhy::DailyLoss));
}

#[test]
fn what_is_near_its_limit_is_warned_of_once_a_day() {
    let mut desk = Desk::new();
    let told = |desk: &Desk, alarm| {
        let is_it = |note: &&Note| matches!(note, Note::Alarm { what, .. } if *what == alarm);
        desk.notes.iter().filter(is_it).count()
    };
    lose(&mut desk, 79_999_999);
    assert_eq!(told(&desk, Alarm::DailyLossNear), 0);
    lose(&mut desk, 1);
    lose(&mut desk, 1);
    assert_eq!(told(&desk, Alarm::DailyLossNear), 1);
    desk.control(Control::Day { day: 1 });
    lose(&mut desk, 80_000_000);
    assert_eq!((told(&desk, Alarm::DailyLossNear), desk.core.halted()), (2, None));
    // A strategy's own loss.
    let mut desk = Desk::new();
    on_one_leg(&mut desk);
    desk.wait(Nanos::from_millis(10));
    let lost = -desk.core.money.strategy_result(Strategy::Arbitrage);
    assert!(lost > Usd::ZERO);
    for _ in 0..2 {
        limit(&mut desk, LimitRow::DailyLossStrategy, lost.micros().cast_unsigned() * 5 / 4);
        desk.wait(Nanos::from_millis(10));
        assert_eq!((told(&desk, Alarm::StrategyLossNear), desk.core.halted()), (1, None));
    }
}

#[test]
fn what_is_paid_in_raises_the_peak_and_what_is_gone_is_a_drawdown_until_a_resume() {
    let mut desk = Desk::new();
    let account = |desk: &Desk| {
        let account = desk.core.money.account();
        (account.equity, account.peak)
    };
    let dollars = Usd::from_dollars;
    cash(&mut desk, 9_000);
    assert_eq!(account(&desk), (dollars(19_000), dollars(20_000)));
    cash(&mut desk, 12_000);
    assert_eq!(account(&desk), (dollars(22_000), dollars(23_000)), "the thousand is still lost");
    cash(&mut desk, 10_700);
    assert_eq!(
        (account(&desk), desk.core.halted()),
        ((dollars(20_700), dollars(23_000)), Some(HaltWhy::Drawdown))
    );
    desk.control(Control::Resume { epoch: 9 });
    desk.wait(Nanos::from_millis(10));
    assert_eq!((account(&desk), desk.core.halted()), ((dollars(20_700), dollars(20_700)), None));
}

#[test]
fn a_fill_that_explains_an_earlier_correction_was_no_payment() {
    let mut account = crate::risk::Account::default();
    let dollars = Usd::from_dollars;
    account.on_corrected(dollars(1_000));
    account.on_corrected(dollars(50));
    account.on_explained(dollars(50));
    assert_eq!((account.equity, account.peak), (dollars(1_000), dollars(1_000)));
    account.on_corrected(dollars(-50));
    account.on_explained(dollars(-50));
    assert_eq!((account.equity, account.peak), (dollars(1_000), dollars(1_000)));
}

#[test]
fn a_poor_account_buys_less_and_the_gate_refuses_more() {
    let mut desk = funded(1_000);
    desk.gap();
    let order = desk.last_placed();
    let cost = order.price.cost_ceil(order.qty);
    assert!(cost > Usd::from_dollars(10) && cost < Usd::from_dollars(20), "1 % is $20: {cost}");
    assert_eq!(desk.core.stats().refusals, 0, "the plan fits");
    let mut desk = funded(1_000);
    desk.book(PM, &[(38, 300)], &[(60, 100)]);
    desk.control(to_rest(PM, Action::Buy, 40, 50, false));
    let refused =
        |why| move |note: &Note| matches!(note, Note::Refused { why: found, .. } if *found == why);
    assert!(desk.placed().is_empty() && desk.notes.iter().any(refused(Refusal::PositionShare)));
    desk.control(to_rest(PM, Action::Buy, 40, 48, false));
    assert_eq!(desk.placed().len(), 1);
}

/// Dollars bound what an outcome holds, not one purchase: what is held, what rests and what is added count together.
#[test]
fn two_purchases_of_an_outcome_are_one_position() {
    let mut desk = funded(1_000); // 1 % is $20
    let buy = |desk: &mut Desk, outcome, cents, contracts| {
        let before = (desk.placed().len(), desk.notes.len());
        desk.wait(Nanos::from_secs(2));
        desk.book(PM, &[(38, 300)], &[(60, 100)]);
        desk.control(Control::Rest {
            market: PM,
            outcome,
            action: Action::Buy,
            price: price(cents),
            qty: qty(contracts),
            expires: None,
            post_only: true,
            exit: false,
        });
        let is_full =
            |note: &Note| matches!(note, Note::Refused { why: Refusal::PositionShare, .. });
        let refused = desk.notes[before.1..].iter().any(is_full);
        assert_ne!(desk.placed().len() > before.0, refused);
        !refused
    };
    assert!(buy(&mut desk, Outcome::Yes, 40, 24), "$9.60 and its fee");
    let first = desk.last_placed();
    assert!(!buy(&mut desk, Outcome::Yes, 39, 26), "$10.14 beside what rests");
    assert!(buy(&mut desk, Outcome::No, 40, 26), "the other outcome is another position");
    let fill = Fill { fee: Some(Usd::ZERO), ..desk.fill_of(&first, 24) };
    desk.report(Report::Fill(Fill { finality: Finality::Final, ..fill }));
    assert!(!buy(&mut desk, Outcome::Yes, 39, 27), "$10.53 beside what is held");
    assert!(buy(&mut desk, Outcome::Yes, 39, 25), "$9.75");
}

#[test]
fn a_plan_fits_what_is_left_of_a_position() {
    let mut desk = funded(1_000); // 1 % is $20
    desk.book(PM, &[(38, 300)], &[(60, 100)]);
    desk.buy_at_rest(PM, Outcome::Yes, 40, 24);
    desk.wait(Nanos::from_secs(2));
    desk.book(KA, &[(50, 300)], &[(52, 300)]);
    desk.book(PM, &[(38, 300)], &[(43, 300)]);
    let order = desk.last_placed();
    assert_eq!((order.market, desk.core.stats().refusals), (KA, 0), "the plan fits");
    let both = price(40).cost_ceil(qty(24)) + price(43).cost_ceil(order.qty);
    assert!(both < Usd::from_dollars(20) && both > Usd::from_dollars(18), "{both}");
}

#[test]
fn what_a_group_has_yet_to_buy_is_part_of_the_position() {
    for (contracts, passes) in [(10, true), (11, false)] {
        let mut desk = Desk::new();
        limit(&mut desk, LimitRow::PositionQty, 40_000_000);
        desk.gap();
        assert_eq!(desk.last_placed().market, KA, "thirty YES of the other market wait for it");
        desk.notes.clear();
        desk.control(to_rest(PM, Action::Buy, 10, contracts, false));
        let full = |note: &Note| matches!(note, Note::Refused { why: Refusal::Position, .. });
        assert_eq!(desk.notes.iter().any(full), !passes, "{contracts}");
        assert_eq!(desk.last_placed().market == PM, passes, "{contracts}");
    }
}

/// The limit of the rows is left as it is, and what may be bought is sized to it.
#[test]
fn a_plan_fits_what_category_and_theme_leave() {
    for (row, share, theme) in [
        (LimitRow::CategoryPercent, 1, None),
        (LimitRow::ExposureTheme, 20_000_000, Some(ThemeId::new(7))),
    ] {
        let mut desk = funded(1_000);
        limit(&mut desk, LimitRow::PositionPercent, 1);
        for market in [PM, KA] {
            desk.event(Event::Market(MarketDef {
                theme,
                category: Category::Crypto,
                ..terms(market)
            }));
        }
        limit(&mut desk, row, share);
        desk.book(PM, &[(38, 300)], &[(43, 30)]);
        desk.book(KA, &[(50, 30)], &[(52, 300)]);
        let order = desk.last_placed();
        let both = price(93).cost_ceil(order.qty);
        assert!(both < Usd::from_dollars(20) && both > Usd::from_dollars(10), "{row:?}: {both}");
        assert_eq!(desk.core.stats().refusals, 0, "{row:?}");
    }
}

#[test]
fn a_result_is_of_the_strategy_that_bought_there_first() {
    let mut desk = Desk::new();
    on_one_leg(&mut desk);
    desk.wait(Nanos::from_millis(10));
    let of = |desk: &Desk| Strategy::ALL.map(|strategy| desk.core.money.strategy_result(strategy));
    let [arbitrage, quoting] = of(&desk);
    assert!(arbitrage < Usd::ZERO && quoting == Usd::ZERO);
    let other = MarketId::new(2);
    desk.event(Event::Market(MarketDef { market: other, cluster: ClusterId::new(7), ..terms(KA) }));
    desk.book(other, &[(40, 100)], &[(50, 100)]);
    desk.control(to_rest(other, Action::Buy, 42, 20, false));
    let quote = desk.last_placed();
    desk.fill(&quote, 20);
    desk.event(Event::Settled { market: other, yes_pays: Price::ZERO });
    let [same, quoting] = of(&desk);
    assert_eq!(same, arbitrage);
    assert!(quoting <= -price(42).cost_ceil(qty(20)), "what it cost is lost: {quoting}");
    assert_eq!(desk.core.stats().strategy_results, [arbitrage, quoting]);
    desk.control(Control::Day { day: 1 });
    assert_eq!(of(&desk), [Usd::ZERO; 2]);
}

/// It is told while something is held or rests: nothing is opened any more, and what there is, is watched.
#[test]
fn a_daily_loss_of_nothing_takes_quotes_off_the_book_and_watches_what_is_held() {
    let mut desk = Desk::new();
    on_one_leg(&mut desk);
    desk.control(to_rest(PM, Action::Buy, 10, 10, false));
    let quote = desk.last_placed();
    desk.status(&quote, VenueState::Resting, Some(0));
    let cancels = desk.cancels();
    limit(&mut desk, LimitRow::DailyLoss, 0);
    desk.wait(Nanos::from_millis(10));
    assert_eq!((desk.cancels(), desk.core.halted()), (cancels + 1, None));
    limit(&mut desk, LimitRow::EquityFloor, 20_000_000_000);
    desk.wait(Nanos::from_millis(10));
    assert_eq!(desk.core.halted(), Some(HaltWhy::EquityFloor));
}
