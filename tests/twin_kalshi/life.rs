//! What becomes of markets besides trading: pauses, a close that moves, a result that is amended, fees that change, a payout that takes
//! its time.

use serde_json::{Value, json};
use surefoot::twin::VenueServer as _;
use surefoot::twin::kalshi::{Config, Exchange};
use surefoot::twin::market_set::{FeeType, SeriesFee};
use surefoot::twin::world::Drawn;
use surefoot_hot::ids::Side;
use surefoot_hot::units::{Nanos, Price};

use crate::rig::{ED, Rig, code};

/// The words of a market's life that a connection was told, oldest first.
fn told(rig: &mut Rig) -> Vec<String> {
    rig.drain();
    let frames = std::mem::take(&mut rig.frames);
    let life = frames.into_iter().filter(|(_, frame)| frame["type"] == "market_lifecycle_v2");
    life.map(|(_, frame)| frame["msg"]["event_type"].as_str().unwrap().to_owned()).collect()
}

fn listening() -> Rig {
    let mut rig = Rig::new();
    rig.connect(1, 0);
    let channels =
        json!({"id": 1, "cmd": "subscribe", "params": {"channels": ["market_lifecycle_v2"]}});
    rig.say(1, &channels);
    rig
}

#[test]
fn a_paused_market_takes_nothing_and_comes_back_empty() {
    let mut rig = listening();
    rig.house(0, Side::Ask, 6_000, 50);
    let resting = rig.place(0, 0, "bid", "0.4000", "5.00");
    rig.twin.pause_market(0, true, rig.now);
    let order = rig.order(0, "bid", "0.6000", "5.00");
    let (status, answer) = rig.create(0, order);
    assert_eq!((status, code(&answer)), (400, "market_inactive"));
    rig.house(0, Side::Ask, 6_000, 70);
    assert_eq!(rig.twin.best(0, Side::Ask).unwrap().1.micros(), 50_000_000, "nothing moves");
    let view = |rig: &mut Rig| {
        let target = format!("/markets/{}", rig.ticker(0));
        rig.call(0, "GET", &target, None).1["market"]["status"].clone()
    };
    assert_eq!(view(&mut rig), "inactive");
    rig.twin.pause_market(0, false, rig.now);
    assert_eq!((rig.twin.best(0, Side::Ask), rig.twin.best(0, Side::Bid)), (None, None));
    let target = format!("/portfolio/orders/{}", resting["order_id"].as_str().unwrap());
    let order: Value = rig.call(0, "GET", &target, None).1;
    assert_eq!(order["order"]["status"], "canceled");
    assert_eq!(view(&mut rig), "active");
    assert_eq!(told(&mut rig), ["deactivated", "activated"]);
}

#[test]
fn a_close_that_moved_is_told_and_holds() {
    let mut rig = listening();
    let close = rig.now.after(Nanos::from_secs(30));
    rig.twin.move_close(0, close, rig.now);
    rig.house(0, Side::Ask, 6_000, 50);
    rig.now = close;
    rig.twin.tick(rig.now);
    assert_eq!(rig.twin.best(0, Side::Ask), None, "it has closed");
    let order = rig.order(0, "bid", "0.6000", "5.00");
    assert_eq!(code(&rig.create(0, order).1), "market_inactive");
    assert_eq!(told(&mut rig), ["close_date_updated"]);
}

#[test]
fn an_amended_result_is_what_pays_and_one_that_has_paid_is_not_amended() {
    let mut rig = listening();
    rig.house(0, Side::Ask, 6_000, 50);
    rig.place(0, 0, "bid", "0.6000", "5.00");
    let held = rig.cash(0);
    rig.twin.settle(0, Price::ZERO, rig.now);
    rig.twin.amend_result(0, Price::ONE, rig.now);
    rig.now = rig.now.after(Nanos::from_secs(5));
    rig.twin.tick(rig.now);
    let dollars = |text: &str| text.parse::<f64>().unwrap();
    assert!((dollars(&rig.cash(0)) - dollars(&held) - 5.0).abs() < 1e-9, "{} {held}", rig.cash(0));
    rig.twin.amend_result(0, Price::ZERO, rig.now);
    assert_eq!(told(&mut rig), ["determined", "determined", "settled"]);
}

#[test]
fn a_pause_of_trading_takes_cancels_and_one_of_the_exchange_takes_nothing() {
    let mut rig = Rig::new();
    let resting = rig.place(ED, 0, "bid", "0.4000", "5.00");
    let cancel = format!(
        "/portfolio/events/orders/{}?market_ticker={}",
        resting["order_id"].as_str().unwrap(),
        rig.ticker(0)
    );
    let resumes = rig.now.after(Nanos::from_secs(7_200));
    for (exchange, code_of_new, code_of_cancel, flags) in [
        (Exchange::Paused, "exchange_is_paused", Some("exchange_is_paused"), (false, false)),
        (Exchange::TradingPaused, "trading_is_paused", None, (true, false)),
    ] {
        rig.twin.set_exchange(exchange, Some(resumes));
        let order = rig.order(0, "bid", "0.4000", "5.00");
        let (status, answer) = rig.create(ED, order);
        assert_eq!((status, code(&answer)), (409, code_of_new));
        let (status, answer) = rig.call(ED, "DELETE", &cancel, None);
        match code_of_cancel {
            Some(why) => assert_eq!((status, code(&answer)), (409, why)),
            None => assert_eq!(status, 200, "{answer}"),
        }
        let shown = rig.call(ED, "GET", "/exchange/status", None).1;
        for row in shown["exchange_index_statuses"].as_array().unwrap().iter().chain([&shown]) {
            let seen = (&row["exchange_active"], &row["trading_active"]);
            assert_eq!(seen, (&json!(flags.0), &json!(flags.1)), "{row}");
        }
        assert!(shown["exchange_estimated_resume_time"].is_string());
    }
    rig.twin.set_exchange(Exchange::Active, None);
    let shown = rig.call(ED, "GET", "/exchange/status", None).1;
    assert_eq!(
        (&shown["trading_active"], &shown["exchange_estimated_resume_time"]),
        (&json!(true), &Value::Null)
    );
    let order = rig.order(0, "bid", "0.4000", "5.00");
    assert_eq!(rig.create(ED, order).0, 201);
}

/// What a fill of one contract at half a dollar costs a taker, as the venue tells it.
fn fee_of_one(rig: &mut Rig) -> String {
    rig.house(0, Side::Ask, 5_000, 50);
    let order = rig.order(0, "bid", "0.5000", "1.00");
    assert_eq!(rig.create(ED, order).0, 201);
    let fills = rig.call(ED, "GET", "/portfolio/fills", None).1;
    fills["fills"][0]["fee_cost"].as_str().unwrap().to_owned()
}

#[test]
fn a_fee_that_changes_is_listed_and_charged_from_its_date_on() {
    let mut rig = Rig::new();
    let before = fee_of_one(&mut rig);
    let from = rig.now.after(Nanos::from_secs(3_600));
    let fee = SeriesFee { kind: FeeType::QuadraticWithMakerFees, multiplier: 500_000 };
    rig.twin.schedule_fee(0, fee, from);
    let list = |rig: &mut Rig, query: &str| {
        let target = format!("/series/fee_changes{query}");
        rig.call(ED, "GET", &target, None).1["series_fee_change_arr"].as_array().unwrap().clone()
    };
    let listed = list(&mut rig, "");
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (&listed[0]["fee_type"], &listed[0]["fee_multiplier"]),
        (&json!("quadratic_with_maker_fees"), &json!(0.5))
    );
    rig.now = Nanos::new(from.get() - 1);
    rig.twin.tick(rig.now);
    assert_eq!(fee_of_one(&mut rig), before, "a moment before its date");
    assert_eq!(rig.twin.deadline().min(from), rig.twin.deadline(), "it is waited for");
    rig.now = from;
    rig.twin.tick(rig.now);
    let dollars = |text: &str| (text.parse::<f64>().unwrap() * 10_000.0).round() as i64;
    assert_eq!(
        (dollars(&before), dollars(&fee_of_one(&mut rig))),
        (175, 88),
        "half of it, rounded up"
    );
    assert_eq!((list(&mut rig, "").len(), list(&mut rig, "?show_historical=true").len()), (0, 1));
}

#[test]
fn a_market_pays_when_the_world_says_so() {
    let config = Config { pays_ms: Drawn::Always(60_000), ..Config::default() };
    let mut rig = Rig::with(config);
    rig.house(0, Side::Ask, 6_000, 50);
    rig.place(0, 0, "bid", "0.6000", "5.00");
    let held = rig.cash(0);
    rig.twin.settle(0, Price::ONE, rig.now);
    rig.now = rig.now.after(Nanos::from_millis(59_999));
    rig.twin.tick(rig.now);
    assert_eq!(rig.cash(0), held, "its result is known, and it has not paid");
    rig.now = rig.now.after(Nanos::from_millis(1));
    rig.twin.tick(rig.now);
    assert_ne!(rig.cash(0), held);
}
