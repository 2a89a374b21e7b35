//! What becomes of markets besides trading: pauses, a close that moves, a result that is amended.

use serde_json::{Value, json};
use surefoot::twin::VenueServer as _;
use surefoot_hot::ids::Side;
use surefoot_hot::units::{Nanos, Price};

use crate::rig::{Rig, code};

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
