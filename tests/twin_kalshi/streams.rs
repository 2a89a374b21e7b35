//! Sequence numbers, books rebuilt from deltas, private channels.

use crate::rig::{ED, RSA, Rig, micros};
use serde_json::json;
use std::collections::BTreeMap;
use surefoot::twin::kalshi::Config;
use surefoot::twin::rng::Rng;
use surefoot::twin::{ConnId, Host, VenueServer as _};
use surefoot_hot::ids::Side;
use surefoot_hot::units::Nanos;

/// A book as a client keeps it: by (side, price text) in millionths.
type ClientBook = BTreeMap<(String, String), i64>;

#[test]
fn sequence_numbers_are_contiguous_and_deltas_rebuild_the_book() {
    for yes_price in [true, false] {
        let mut rig = Rig::new();
        rig.house(0, Side::Bid, 4_000, 5);
        rig.connect(7, ED);
        let (a, b) = (rig.ticker(0), rig.ticker(1));
        let command = json!({ "id": 1, "cmd": "subscribe", "params": {
            "channels": ["orderbook_delta", "trade"], "market_tickers": [a], "use_yes_price": yes_price } });
        let mut frames = rig.say(7, &command);
        assert_eq!(
            frames[0],
            json!({ "id": 1, "type": "subscribed", "msg": { "channel": "orderbook_delta", "sid": 1 } })
        );
        assert_eq!(frames[1]["type"], "orderbook_snapshot");
        assert!(frames[1]["msg"].get("no_dollars_fp").is_none(), "an empty side has no key");
        assert_eq!(frames[2]["msg"]["sid"], 2);
        let mut rng = Rng::new(5);
        for step in 0..300 {
            rig.frames.clear();
            let side = if rng.chance(1, 2) { Side::Bid } else { Side::Ask };
            let ticks = u16::try_from(rng.range(30, 70) * 100).unwrap();
            match rng.below(10) {
                0 if step > 5 => {
                    let order =
                        rig.order(0, if side == Side::Bid { "bid" } else { "ask" }, "0.50", "3.00");
                    rig.create(ED, order);
                }
                _ => {
                    let contracts = rng.below(20);
                    rig.house(0, side, ticks, contracts);
                    rig.house(1, side, ticks, contracts);
                }
            }
            frames.extend(rig.frames.drain(..).map(|(_, frame)| frame));
            if step % 50 == 10 {
                let action =
                    ["add_markets", "get_snapshot", "delete_markets", "nonsense"][step / 50 % 4];
                let update = json!({ "id": 9, "cmd": "update_subscription",
                    "params": { "sids": [1], "action": action, "market_tickers": [b] } });
                frames.extend(rig.say(7, &update));
            }
        }
        let mut book = ClientBook::new();
        let (mut seqs, mut last) = (BTreeMap::<u64, u64>::new(), 0);
        for frame in &frames {
            if let Some(seq) = frame["seq"].as_u64() {
                let before = seqs.entry(frame["sid"].as_u64().unwrap()).or_default();
                assert_eq!(seq, *before + 1, "{frame}");
                *before = seq;
            }
            let msg = &frame["msg"];
            if msg["market_ticker"] != a.as_str() {
                continue;
            }
            if frame["type"] == "orderbook_snapshot" {
                book.clear();
                for (key, side) in [("yes_dollars_fp", "yes"), ("no_dollars_fp", "no")] {
                    for level in msg[key].as_array().into_iter().flatten() {
                        book.insert(
                            (side.into(), level[0].as_str().unwrap().into()),
                            micros(&level[1]),
                        );
                    }
                }
            } else if frame["type"] == "orderbook_delta" {
                last = frame["sending_ts_ms"].as_u64().unwrap();
                let key = (
                    msg["side"].as_str().unwrap().to_owned(),
                    msg["price_dollars"].as_str().unwrap().to_owned(),
                );
                let level = book.entry(key.clone()).or_default();
                *level += micros(&msg["delta_fp"]);
                assert!(*level >= 0, "{frame}");
                if *level == 0 {
                    book.remove(&key);
                }
            }
        }
        assert_eq!(last, rig.now.millis());
        let (_, rest) = rig.call(ED, "GET", &format!("/markets/{a}/orderbook"), None);
        let mut want = ClientBook::new();
        for (key, side) in [("yes_dollars", "yes"), ("no_dollars", "no")] {
            for level in rest["orderbook_fp"][key].as_array().unwrap() {
                let ticks = micros(&level[0]);
                let ticks = if yes_price && side == "no" { 1_000_000 - ticks } else { ticks };
                let text = format!("{}.{:04}", ticks / 1_000_000, ticks % 1_000_000 / 100);
                want.insert((side.into(), text), micros(&level[1]));
            }
        }
        assert_eq!(book, want, "use_yes_price {yes_price}");
        let gone = rig.say(7, &json!({ "id": 3, "cmd": "unsubscribe", "params": { "sids": [1] } }));
        assert_eq!(
            (&gone[0]["type"], gone[0]["seq"].as_u64().unwrap()),
            (&json!("unsubscribed"), seqs[&1] + 1)
        );
    }
}

#[test]
fn commands_are_refused_by_number() {
    let mut rig = Rig::new();
    rig.connect(7, ED);
    let cases = [
        (json!("text"), 5),
        (json!({ "id": 1, "cmd": "jump" }), 5),
        (json!({ "id": 1, "cmd": "subscribe" }), 2),
        (json!({ "id": 1, "cmd": "subscribe", "params": {} }), 3),
        (json!({ "id": 1, "cmd": "subscribe", "params": { "channels": ["x"] } }), 8),
        (json!({ "id": 1, "cmd": "subscribe", "params": { "channels": ["orderbook_delta"] } }), 14),
        (json!({ "id": 1, "cmd": "unsubscribe", "params": {} }), 4),
        (json!({ "id": 1, "cmd": "unsubscribe", "params": { "sids": [9] } }), 7),
        (json!({ "id": 1, "cmd": "update_subscription", "params": { "sids": [1, 2] } }), 12),
    ];
    for (command, want) in cases {
        assert_eq!(rig.say(7, &command)[0]["msg"]["code"], want, "{command}");
    }
    rig.say(7, &json!({ "id": 1, "cmd": "subscribe", "params": { "channels": ["fill"] } }));
    let list = rig.say(7, &json!({ "id": 6, "cmd": "list_subscriptions" }));
    assert_eq!(list[0], json!({ "id": 6, "type": "ok", "msg": [{ "channel": "fill", "sid": 1 }] }));
}

#[test]
fn connections_markets_and_commands_have_the_venues_limits() {
    let mut rig = Rig::with(Config {
        ws_connections_max: 2,
        ws_markets_max: 3,
        ws_commands_per_s: 4,
        ..Config::default()
    });
    rig.connect(1, RSA);
    rig.connect(2, RSA);
    let request = rig.request(RSA, "GET", "/trade-api/ws/v2", None);
    let refused = rig.twin.ws_open(ConnId(3), Host::KalshiWs, &request, rig.now).unwrap_err();
    assert_eq!(refused.status, 429);
    rig.connect(4, ED); // another account has its own
    rig.twin.ws_close(ConnId(2));
    rig.connect(5, RSA);

    let tickers =
        |from: usize, to: usize| -> Vec<String> { (from..to).map(|m| rig.ticker(m)).collect() };
    let (four, three, last) = (tickers(0, 4), tickers(0, 3), tickers(2, 4));
    let subscribe = |tickers: &[String]| json!({ "id": 1, "cmd": "subscribe", "params": { "channels": ["orderbook_delta"], "market_tickers": tickers } });
    assert_eq!(rig.say(1, &subscribe(&four))[0]["msg"]["code"], 26);
    assert_eq!(rig.say(1, &subscribe(&three)).len(), 4, "the word and three books");
    let add = json!({ "id": 2, "cmd": "update_subscription",
        "params": { "sid": 1, "action": "add_markets", "market_tickers": last } });
    assert_eq!(rig.say(1, &add)[0]["msg"]["code"], 26);
    let list = json!({ "id": 3, "cmd": "list_subscriptions" });
    assert_eq!(rig.say(1, &list)[0]["type"], "ok");
    assert_eq!(rig.say(1, &list)[0]["msg"]["code"], 27, "the fifth command within a second");
    rig.now = rig.now.after(Nanos::from_millis(250));
    assert_eq!(rig.say(1, &list)[0]["type"], "ok", "a quarter of a second later one more");
}

#[test]
fn private_streams_tell_only_the_owner_and_agree_with_rest() {
    let mut rig = Rig::new();
    for (conn, who) in [(1, ED), (2, RSA)] {
        rig.connect(conn, who);
        let channels = ["fill", "user_orders", "market_positions", "orderbook_delta"];
        let params = json!({ "channels": channels, "market_tickers": [rig.ticker(0)] });
        rig.say(conn, &json!({ "id": 1, "cmd": "subscribe", "params": params }));
    }
    rig.place(ED, 0, "ask", "0.60", "5.00");
    let named: Vec<_> =
        rig.frames.iter().filter(|(_, f)| f["msg"].get("client_order_id").is_some()).collect();
    assert!(named.iter().all(|(conn, _)| *conn == ConnId(1)), "others' deltas have no name");
    assert!(named.iter().any(|(_, f)| f["type"] == "orderbook_delta"));
    rig.frames.clear();
    rig.place(RSA, 0, "bid", "0.60", "2.00");
    let of = |kind: &str, conn| {
        let found = rig.frames.iter().find(|(c, f)| *c == ConnId(conn) && f["type"] == kind);
        found.map(|(_, frame)| frame["msg"].clone()).unwrap()
    };
    let (maker, taker) = (of("fill", 1), of("fill", 2));
    assert_eq!(maker["trade_id"], taker["trade_id"]);
    assert_eq!(
        (&maker["is_taker"], &maker["fee_cost"], &maker["post_position_fp"]),
        (&json!(false), &json!("0.000000"), &json!("-2.00"))
    );
    assert_eq!((&taker["is_taker"], &taker["fee_cost"]), (&json!(true), &json!("0.033600")));
    let order = of("user_order", 1);
    assert_eq!(
        (&order["remaining_count_fp"], &order["last_update_reason"]),
        (&json!("3.00"), &json!("Trade"))
    );
    assert_eq!(of("market_position", 2)["position_fp"], "2.00");
    let (_, fills) = rig.call(RSA, "GET", "/portfolio/fills", None);
    for key in ["trade_id", "order_id", "count_fp", "fee_cost", "yes_price_dollars"] {
        assert_eq!(fills["fills"][0][key], taker[key], "{key}");
    }
}
