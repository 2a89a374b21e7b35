//! Orders, money and listings.

use crate::rig::{ED, ORDERS, RSA, Rig, START, code, micros, sign};
use serde_json::{Value, json};
use surefoot::twin::http::Request;
use surefoot::twin::kalshi::limits::Tier;
use surefoot::twin::kalshi::{Config, SETTLEMENT_DELAY};
use surefoot::twin::rng::Rng;
use surefoot::twin::{ConnId, Host, VenueServer};
use surefoot_hot::ids::Side;
use surefoot_hot::units::{Nanos, Price, Qty, Usd};

#[test]
fn an_order_rests_is_read_shrinks_and_goes() {
    let mut rig = Rig::new();
    let placed = rig.place(ED, 0, "bid", "0.4300", "25.00");
    assert_eq!(
        (&placed["fill_count"], &placed["remaining_count"]),
        (&json!("0.00"), &json!("25.00"))
    );
    assert!(placed.get("average_fill_price").is_none());
    let id = placed["order_id"].as_str().unwrap().to_owned();
    assert_eq!(rig.cash(ED), "9989.2500", "its cost is reserved");

    let (_, order) = rig.call(ED, "GET", &format!("/portfolio/orders/{id}"), None);
    assert_eq!(order["order"]["status"], "resting");
    assert_eq!(order["order"]["no_price_dollars"], "0.5700");
    assert_eq!(
        rig.call(RSA, "GET", &format!("/portfolio/orders/{id}"), None).0,
        404,
        "others do not see it"
    );

    let (status, less) = rig.call(
        ED,
        "POST",
        &format!("{ORDERS}/{id}/decrease"),
        Some(json!({ "reduce_to": "5.00" })),
    );
    assert_eq!((status, &less["remaining_count"]), (200, &json!("5.00")));
    let both = json!({ "reduce_to": "5.00", "reduce_by": "1.00" });
    assert_eq!(rig.call(ED, "POST", &format!("{ORDERS}/{id}/decrease"), Some(both)).0, 400);

    let amend =
        json!({ "ticker": rig.ticker(0), "side": "bid", "price": "0.4400", "count": "8.00" });
    let (status, more) = rig.call(ED, "POST", &format!("{ORDERS}/{id}/amend"), Some(amend.clone()));
    assert_eq!((status, &more["remaining_count"]), (200, &json!("8.00")), "{more}");
    let (status, same) = rig.call(ED, "POST", &format!("{ORDERS}/{id}/amend"), Some(amend));
    assert_eq!((status, code(&same)), (400, "AMEND_ORDER_NO_OP"));

    let (status, gone) = rig.call(ED, "DELETE", &format!("{ORDERS}/{id}?exchange_index=0"), None);
    assert_eq!((status, &gone["reduced_by"]), (200, &json!("8.00")));
    assert_eq!(rig.call(ED, "DELETE", &format!("{ORDERS}/{id}?exchange_index=0"), None).0, 404);
    assert_eq!(rig.cash(ED), "10000.0000");
    let (_, list) = rig.call(ED, "GET", "/portfolio/orders?status=canceled", None);
    assert_eq!(list["orders"].as_array().unwrap().len(), 1);
}

#[test]
fn times_in_force_and_flags() {
    let mut rig = Rig::new();
    rig.house(0, Side::Ask, 5_000, 10);
    let with = |rig: &mut Rig, price: &str, count: &str, change: Value| {
        let mut order = rig.order(0, "bid", price, count);
        for (key, value) in change.as_object().unwrap() {
            order[key] = value.clone();
        }
        rig.create(ED, order)
    };
    let (status, kill) = with(&mut rig, "0.50", "11", json!({ "time_in_force": "fill_or_kill" }));
    assert_eq!((status, code(&kill)), (409, "fill_or_kill_insufficient_resting_volume"));
    let (status, cross) = with(&mut rig, "0.50", "1", json!({ "post_only": true }));
    assert_eq!((status, &cross["error"]["details"]), (400, &json!("post only cross")));
    let (_, ioc) =
        with(&mut rig, "0.50", "12.00", json!({ "time_in_force": "immediate_or_cancel" }));
    assert_eq!((&ioc["fill_count"], &ioc["remaining_count"]), (&json!("10.00"), &json!("0.00")));
    assert_eq!(
        (&ioc["average_fill_price"], &ioc["average_fee_paid"]),
        (&json!("0.5000"), &json!("0.0175"))
    );
    let (status, _) = with(&mut rig, "0.50", "1", json!({ "reduce_only": true }));
    assert_eq!(status, 400, "reduce_only needs immediate_or_cancel");
    let ioc_reduce = json!({ "time_in_force": "immediate_or_cancel", "reduce_only": true });
    assert_eq!(
        with(&mut rig, "0.50", "1", ioc_reduce.clone()).0,
        400,
        "a bid adds to a YES position"
    );
    rig.house(0, Side::Bid, 4_900, 50);
    let mut sell = rig.order(0, "ask", "0.49", "30");
    for (key, value) in ioc_reduce.as_object().unwrap() {
        sell[key] = value.clone();
    }
    assert_eq!(rig.create(ED, sell).1["fill_count"], "10.00", "capped at the position");

    let past = json!({ "expiration_time": START.get() / 1_000_000_000 - 1 });
    assert_eq!(with(&mut rig, "0.40", "1", past).0, 400);
    let soon = json!({ "expiration_time": START.get() / 1_000_000_000 + 2 });
    let (_, placed) = with(&mut rig, "0.40", "1", soon);
    rig.now = START.after(Nanos::from_secs(2));
    let id = placed["order_id"].as_str().unwrap();
    assert_eq!(
        rig.call(ED, "GET", &format!("/portfolio/orders/{id}"), None).1["order"]["status"],
        "canceled"
    );
}

#[test]
fn a_post_only_order_is_not_amended_across_the_book() {
    let mut rig = Rig::new();
    rig.house(0, Side::Ask, 5_000, 10);
    let amended = |rig: &mut Rig, id: &str, price: &str| {
        let amend =
            json!({ "ticker": rig.ticker(0), "side": "bid", "price": price, "count": "8.00" });
        rig.call(ED, "POST", &format!("{ORDERS}/{id}/amend"), Some(amend))
    };
    for (post_only, expected) in [(true, (400, "0.00")), (false, (200, "8.00"))] {
        let mut order = rig.order(0, "bid", "0.44", "8.00");
        order["post_only"] = json!(post_only);
        let (_, placed) = rig.create(ED, order);
        let id = placed["order_id"].as_str().unwrap();
        let (status, answer) = amended(&mut rig, id, "0.50");
        let row = &rig.call(ED, "GET", &format!("/portfolio/orders/{id}"), None).1["order"];
        let filled = row["fill_count_fp"].as_str().unwrap();
        assert_eq!((status, filled), expected, "post_only {post_only}: {answer}");
        if post_only {
            assert_eq!(answer["error"]["details"], "post only cross");
            assert_eq!(row["status"], "resting", "it stays where it was");
            assert_eq!(amended(&mut rig, id, "0.45").0, 200);
        }
    }
}

#[test]
fn bad_orders_are_refused_by_name() {
    let mut rig = Rig::new();
    let good = rig.order(0, "bid", "0.40", "1");
    let cases = [
        ("price", json!("0.405"), 400, "invalid_order"),
        ("price", json!("1.0000"), 400, "invalid_order"),
        ("price", json!("0.40001"), 400, "invalid_parameters"),
        ("price", json!(0.4), 400, "invalid_parameters"),
        ("count", json!(1), 400, "invalid_parameters"),
        ("count", json!("0.00"), 400, "invalid_order_size"),
        ("count", json!("0.001"), 400, "invalid_parameters"),
        ("side", json!("buy"), 400, "invalid_parameters"),
        ("time_in_force", json!("GTT"), 400, "invalid_parameters"),
        ("self_trade_prevention_type", Value::Null, 400, "invalid_parameters"),
        ("client_order_id", json!("a.b"), 400, "invalid_parameters"),
        ("ticker", json!("KXNONE"), 404, "market_not_found"),
        ("exchange_index", json!(2), 404, "market_not_found"),
        ("count", json!("100000"), 400, "insufficient_balance"),
    ];
    for (field, value, status, want) in cases {
        let mut order = good.clone();
        order[field] = value;
        let (seen, answer) = rig.create(ED, order.clone());
        assert_eq!((seen, code(&answer)), (status, want), "{order}");
    }
    assert_eq!(rig.create(ED, good.clone()).0, 201);
    let (status, again) = rig.create(ED, good.clone());
    assert_eq!((status, code(&again)), (409, "order_already_exists"));
    assert_eq!(rig.call(ED, "DELETE", ORDERS, None).0, 204);
    assert_eq!(rig.create(ED, good).0, 409, "an id is burned for ever");
    rig.twin.set_trading_active(false);
    let order = rig.order(0, "bid", "0.40", "1");
    let (status, paused) = rig.create(ED, order);
    assert_eq!((status, code(&paused)), (409, "trading_is_paused"));
}

#[test]
fn the_retired_endpoints_are_gone() {
    let mut rig = Rig::new();
    let retired = [
        ("POST", "/portfolio/orders"),
        ("POST", "/portfolio/orders/batched"),
        ("DELETE", "/portfolio/orders/batched"),
        ("DELETE", "/portfolio/orders/x"),
        ("POST", "/portfolio/orders/x/amend"),
        ("POST", "/portfolio/orders/x/decrease"),
    ];
    for (method, path) in retired {
        let (status, answer) = rig.call(ED, method, path, Some(json!({})));
        assert_eq!(
            (status, code(&answer)),
            (410, "deprecated_v1_order_endpoint"),
            "{method} {path}"
        );
    }
    assert_eq!(rig.call(ED, "GET", "/portfolio/orders", None).0, 200, "the reads live on");
}

#[test]
fn only_a_true_signature_is_let_in() {
    for who in [RSA, ED] {
        let mut rig = Rig::new();
        let good = rig.request(who, "GET", "/portfolio/balance?subaccount=0", None);
        assert_eq!(rig.send(&good).0, 200);
        let change = |name: &str, value: Option<String>| {
            let mut bad = good.clone();
            bad.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
            bad.headers.extend(value.map(|value| (name.to_owned(), value)));
            bad
        };
        let other = sign(&rig.keys[1 - who], b"anything");
        let cases = [
            (change("KALSHI-ACCESS-KEY", None), "token_authentication_failure", Value::Null),
            (
                change("KALSHI-ACCESS-KEY", Some("nobody".into())),
                "authentication_error",
                json!("NOT_FOUND"),
            ),
            (
                change("KALSHI-ACCESS-SIGNATURE", None),
                "signature_is_missing_from_headers",
                Value::Null,
            ),
            (
                change("KALSHI-ACCESS-SIGNATURE", Some(other)),
                "authentication_error",
                json!("INCORRECT_API_KEY_SIGNATURE"),
            ),
            (
                change("KALSHI-ACCESS-TIMESTAMP", Some("1".into())),
                "header_timestamp_expired",
                Value::Null,
            ),
            (
                change("KALSHI-ACCESS-TIMESTAMP", Some((rig.now.millis() + 1).to_string())),
                "authentication_error",
                json!("INCORRECT_API_KEY_SIGNATURE"),
            ),
            (
                Request { method: "DELETE".into(), ..good.clone() },
                "authentication_error",
                json!("INCORRECT_API_KEY_SIGNATURE"),
            ),
        ];
        for (bad, want, details) in cases {
            let (status, answer) = rig.send(&bad);
            assert_eq!((status, code(&answer)), (401, want), "{who}");
            assert_eq!(answer["error"]["details"], details);
        }
        let early = rig.request(who, "GET", "/portfolio/balance", None);
        rig.now = rig.now.after(Nanos::from_secs(10));
        assert_eq!(rig.send(&early).0, 200, "ten seconds were seen accepted");
        rig.now = rig.now.after(Nanos::from_millis(1));
        let (status, answer) = rig.send(&early);
        assert_eq!((status, code(&answer)), (401, "header_timestamp_expired"));
        let mut upgrade = rig.request(who, "GET", "/trade-api/ws/v2", None);
        assert!(rig.twin.ws_open(ConnId(1), Host::KalshiWs, &upgrade, rig.now).is_ok());
        upgrade.headers.clear();
        let refused = rig.twin.ws_open(ConnId(2), Host::KalshiWs, &upgrade, rig.now).unwrap_err();
        assert_eq!(refused.status, 401);
    }
}

#[test]
fn yes_and_no_net_and_fees_are_the_venues() {
    let mut rig = Rig::new();
    rig.house(0, Side::Ask, 5_200, 100);
    rig.place(ED, 0, "bid", "0.52", "1.00");
    assert_eq!(rig.cash(ED), "9999.4625", "0.52 and 0.0175");
    let (_, fills) = rig.call(ED, "GET", "/portfolio/fills", None);
    assert_eq!(fills["fills"][0]["fee_cost"], "0.017500");
    rig.house(0, Side::Ask, 5_200, 0);
    rig.house(0, Side::Bid, 5_000, 100);
    // Three NO at 0.50: one closes the YES and pays its dollar, two open.
    rig.place(ED, 0, "ask", "0.50", "3.00");
    let (_, positions) = rig.call(ED, "GET", "/portfolio/positions", None);
    let position = &positions["market_positions"][0];
    assert_eq!(
        (&position["position_fp"], &position["market_exposure_dollars"]),
        (&json!("-2.00"), &json!("1.0000"))
    );
    assert_eq!(position["realized_pnl_dollars"], "-0.0200");
    assert_eq!(rig.cash(ED), "9998.9100", "0.50 back, 1.00 out, 0.0525 fee");
    let (_, balance) = rig.call(ED, "GET", "/portfolio/balance", None);
    let parts = balance["balance_breakdown"].as_array().unwrap();
    assert_eq!(parts.len(), 2);
    assert_eq!(parts[1]["balance"], "5000.0000", "shard 2 has its own cash");
}

#[test]
fn shards_have_their_own_money() {
    let mut rig = Rig::new();
    let there = (0..rig.market_set.kalshi.len())
        .find(|&m| rig.market_set.series_of(m).exchange_index == 2)
        .unwrap();
    let too_much = rig.order(there, "bid", "0.50", "10100");
    let (status, answer) = rig.create(ED, too_much);
    assert_eq!((status, code(&answer)), (400, "insufficient_balance"));
    let transfer = json!({ "source": "event_contract", "destination": "event_contract", "amount": 10_000_000,
        "source_exchange_shard": 0, "destination_exchange_shard": 2 });
    assert_eq!(
        rig.call(ED, "POST", "/portfolio/intra_exchange_instance_transfer", Some(transfer)).0,
        200
    );
    let placed = rig.place(ED, there, "bid", "0.50", "10100");
    let id = placed["order_id"].as_str().unwrap();
    assert_eq!(
        rig.call(ED, "DELETE", &format!("{ORDERS}/{id}"), None).0,
        404,
        "no shard named means shard 0"
    );
    let target = format!("{ORDERS}/{id}?market_ticker={}", rig.ticker(there));
    assert_eq!(rig.call(ED, "DELETE", &target, None).0, 200);
}

#[test]
fn ones_own_orders_do_not_trade() {
    let mut rig = Rig::new();
    let resting = rig.place(ED, 0, "ask", "0.50", "5.00");
    let stopped = rig.place(ED, 0, "bid", "0.50", "5.00");
    assert_eq!(
        (&stopped["fill_count"], &stopped["remaining_count"]),
        (&json!("0.00"), &json!("0.00"))
    );
    let mut replace = rig.order(0, "bid", "0.50", "5.00");
    replace["self_trade_prevention_type"] = "maker".into();
    let (_, placed) = rig.create(ED, replace);
    assert_eq!(placed["remaining_count"], "5.00", "the resting one went, this one rests");
    let id = resting["order_id"].as_str().unwrap();
    assert_eq!(
        rig.call(ED, "GET", &format!("/portfolio/orders/{id}"), None).1["order"]["status"],
        "canceled"
    );
}

#[test]
fn batches_answer_one_by_one() {
    let mut rig = Rig::new();
    let (good, mut bad) = (rig.order(0, "bid", "0.40", "1"), rig.order(0, "bid", "0.41", "1"));
    bad["price"] = "0.4111".into();
    let (status, answer) =
        rig.call(ED, "POST", &format!("{ORDERS}/batched"), Some(json!({ "orders": [good, bad] })));
    assert_eq!(status, 201);
    assert_eq!(answer["orders"][0]["error"], Value::Null);
    assert_eq!(answer["orders"][1]["error"]["code"], "invalid_order");
    let id = &answer["orders"][0]["order_id"];
    let cancel =
        json!({ "orders": [{ "order_id": id, "exchange_index": 0 }, { "order_id": "x" }] });
    let (_, answer) = rig.call(ED, "DELETE", &format!("{ORDERS}/batched"), Some(cancel));
    assert_eq!(answer["orders"][0]["reduced_by"], "1.00");
    assert!(answer["orders"][1]["error"].is_object());
}

#[test]
fn tokens_run_out_and_come_back() {
    let mut rig = Rig::with(Config { tier: Tier::Basic, ..Config::default() });
    for _ in 0..10 {
        rig.place(ED, 0, "bid", "0.40", "1");
    }
    let order = rig.order(0, "bid", "0.40", "1");
    assert_eq!(rig.create(ED, order.clone()), (429, json!({ "error": "too many requests" })));
    rig.now = rig.now.after(Nanos::from_millis(100));
    assert_eq!(rig.create(ED, order).0, 201);
    let (_, limits) = rig.call(ED, "GET", "/account/limits", None);
    assert_eq!(limits["write"], json!({ "refill_rate": 100, "bucket_capacity": 100 }));
}

#[test]
fn a_group_stops_what_fills_too_fast() {
    let mut rig = Rig::new();
    let create = json!({ "contracts_limit_fp": "10.00", "exchange_index": 0 });
    let (status, group) = rig.call(ED, "POST", "/portfolio/order_groups/create", Some(create));
    assert_eq!(status, 201);
    let id = group["order_group_id"].as_str().unwrap().to_owned();
    let mut order = rig.order(0, "bid", "0.50", "30");
    order["order_group_id"] = id.clone().into();
    let (_, placed) = rig.create(ED, order.clone());
    rig.house(0, Side::Ask, 5_000, 11);
    let order_id = placed["order_id"].as_str().unwrap();
    let (_, seen) = rig.call(ED, "GET", &format!("/portfolio/orders/{order_id}"), None);
    assert_eq!(
        (&seen["order"]["status"], &seen["order"]["fill_count_fp"]),
        (&json!("canceled"), &json!("11.00"))
    );
    order["client_order_id"] = "again".into();
    assert_eq!(rig.create(ED, order.clone()).0, 400);
    assert_eq!(
        rig.call(ED, "PUT", &format!("/portfolio/order_groups/{id}/reset"), Some(json!({}))).0,
        200
    );
    assert_eq!(rig.create(ED, order).0, 201);
}

#[test]
fn listings_page_filter_and_refuse() {
    let mut rig = Rig::new();
    assert_eq!(rig.call(ED, "GET", "/markets?limit=1001", None).0, 400);
    let (_, first) = rig.call(ED, "GET", "/markets?limit=10", None);
    let cursor = first["cursor"].as_str().unwrap();
    let (_, rest) = rig.call(ED, "GET", &format!("/markets?limit=1000&cursor={cursor}"), None);
    let count = |page: &Value| page["markets"].as_array().unwrap().len();
    assert_eq!(count(&first) + count(&rest), rig.market_set.kalshi.len());
    assert_eq!(rest["cursor"], "");
    assert_eq!(
        count(&rig.call(ED, "GET", "/markets?cursor=garbage", None).1),
        rig.market_set.kalshi.len()
    );
    assert_eq!(count(&rig.call(ED, "GET", "/markets?status=settled", None).1), 0);
    let two = format!("/markets?tickers={},{}", rig.ticker(0), rig.ticker(1));
    assert_eq!(count(&rig.call(ED, "GET", &two, None).1), 2);
    let (_, event) =
        rig.call(ED, "GET", "/events?with_nested_markets=true&series_ticker=KXSYNRANGE", None);
    assert_eq!(event["events"][0]["mutually_exclusive"], true);
    assert_eq!(event["events"][0]["markets"].as_array().unwrap().len(), 3);
    let (_, series) = rig.call(ED, "GET", "/series/KXSYNRANGE", None);
    assert_eq!(series["series"]["fee_multiplier"], 1);
    rig.house(0, Side::Bid, 4_000, 3);
    let (_, book) = rig.call(ED, "GET", &format!("/markets/{}/orderbook", rig.ticker(0)), None);
    assert_eq!(
        book["orderbook_fp"],
        json!({ "yes_dollars": [["0.4000", "3.00"]], "no_dollars": [] })
    );
    for path in [
        "/exchange/status",
        "/exchange/schedule",
        "/exchange/user_data_timestamp",
        "/account/endpoint_costs",
        "/series/fee_changes",
        "/api_keys",
        "/account/limits",
        "/portfolio/settlements",
        "/markets/trades",
    ] {
        assert_eq!(rig.call(ED, "GET", path, None).0, 200, "{path}");
    }
}

#[test]
fn a_result_cancels_pays_and_is_told() {
    let mut rig = Rig::new();
    rig.connect(1, ED);
    rig.say(
        1,
        &json!({ "id": 1, "cmd": "subscribe", "params": { "channels": ["market_lifecycle_v2"] } }),
    );
    rig.house(0, Side::Ask, 4_000, 10);
    rig.place(ED, 0, "bid", "0.40", "10.00");
    rig.place(ED, 0, "bid", "0.30", "10.00");
    let before = rig.cash(ED);
    assert_eq!(before, "9992.8320", "4.00, 0.168 and 3.00 reserved");
    rig.frames.clear();
    rig.twin.settle(0, Price::ONE, rig.now);
    rig.drain();
    assert_eq!(rig.frames[0].1["msg"]["event_type"], "determined");
    assert_eq!(
        (&rig.frames[0].1["msg"]["result"], &rig.frames[0].1["msg"]["settlement_value"]),
        (&json!("yes"), &json!("1.0000"))
    );
    assert_eq!(rig.cash(ED), "9995.8320", "the resting order gave its reserve back");
    let order = rig.order(0, "bid", "0.40", "1");
    assert_eq!(code(&rig.create(ED, order).1), "market_inactive");
    rig.now = rig.now.after(SETTLEMENT_DELAY);
    rig.frames.clear();
    rig.twin.tick(rig.now);
    rig.drain();
    assert_eq!(rig.frames[0].1["msg"]["event_type"], "settled");
    assert_eq!(rig.cash(ED), "10005.8320");
    let (_, rows) = rig.call(ED, "GET", "/portfolio/settlements", None);
    let row = &rows["settlements"][0];
    assert_eq!(
        (&row["revenue"], &row["yes_count_fp"], &row["market_result"]),
        (&json!(1_000), &json!("10.00"), &json!("yes"))
    );
    let (_, market) = rig.call(ED, "GET", &format!("/markets/{}", rig.ticker(0)), None);
    assert_eq!(market["market"]["status"], "finalized");
    let (_, open) = rig.call(ED, "GET", "/portfolio/positions", None);
    assert!(open["market_positions"].as_array().unwrap().is_empty());
}

#[test]
fn money_is_neither_made_nor_lost() {
    for seed in 1..=6 {
        let mut rig = Rig::with(Config {
            cash: Usd::from_dollars(200),
            tier: Tier::Premier,
            ..Config::default()
        });
        let total = rig.twin.money();
        assert_eq!(total, Usd::from_dollars(400));
        let mut rng = Rng::new(seed);
        for step in 0..800 {
            rig.now = rig.now.after(Nanos::from_millis(20));
            let market = usize::try_from(rng.below(3)).unwrap();
            let ticks = u16::try_from(rng.range(35, 65) * 100).unwrap();
            let side = if rng.chance(1, 2) { Side::Bid } else { Side::Ask };
            match rng.below(12) {
                0..5 => {
                    let contracts = rng.below(30);
                    rig.house(market, side, ticks, contracts);
                }
                5 => {
                    let (price, qty) = (
                        Price::from_ticks(ticks).unwrap(),
                        Qty::from_micros(rng.range(1, 900) * 10_000),
                    );
                    rig.twin.house_trade(market, side, price, qty, rig.now);
                }
                6 if step % 40 == 0 => {
                    rig.call(ED, "DELETE", ORDERS, None);
                }
                _ => {
                    let who = usize::try_from(rng.below(2)).unwrap();
                    let count = format!("{}.{:02}", rng.below(30), rng.range(1, 99));
                    let text = format!("0.{:04}", ticks);
                    let mut order = rig.order(
                        market,
                        if side == Side::Bid { "bid" } else { "ask" },
                        &text,
                        &count,
                    );
                    if rng.chance(1, 3) {
                        order["self_trade_prevention_type"] = "maker".into();
                    }
                    rig.create(who, order);
                }
            }
            assert_eq!(rig.twin.money() + rig.twin.fees_taken(), total, "seed {seed}, step {step}");
            for who in [RSA, ED] {
                let (_, balance) = rig.call(who, "GET", "/portfolio/balance", None);
                for part in balance["balance_breakdown"].as_array().unwrap() {
                    assert!(
                        micros(&part["balance"]) > -10_000,
                        "seed {seed}, step {step}: {balance}"
                    );
                }
                rig.now = rig.now.after(Nanos::from_millis(20));
            }
        }
        assert!(rig.twin.fees_taken() > Usd::ZERO);
        for market in 0..3 {
            let pays = if rng.chance(1, 2) { Price::ONE } else { Price::ZERO };
            rig.twin.settle(market, pays, rig.now);
        }
        rig.now = rig.now.after(SETTLEMENT_DELAY);
        rig.twin.tick(rig.now);
        assert_eq!(rig.twin.money() + rig.twin.fees_taken(), total, "seed {seed}: settled");
    }
}

#[test]
fn a_group_that_trips_in_the_middle_of_a_sweep_keeps_what_the_sweep_has_matched() {
    let mut rig = Rig::new();
    let body = json!({ "contracts_limit_fp": "1.00", "exchange_index": 0 });
    let (status, group) = rig.call(ED, "POST", "/portfolio/order_groups/create", Some(body));
    assert_eq!(status, 201, "{group}");
    let mut ids = Vec::new();
    for price in ["0.4000", "0.3900", "0.3800"] {
        let mut order = rig.order(0, "bid", price, "5.00");
        order["order_group_id"] = group["order_group_id"].clone();
        let (status, answer) = rig.create(ED, order);
        assert_eq!(status, 201, "{answer}");
        ids.push(answer["order_id"].as_str().unwrap().to_owned());
    }
    // One taker sweeps two of the three, and a part of the third: the first fill already trips the group.
    rig.twin.house_trade(
        0,
        Side::Ask,
        Price::from_ticks(3_800).unwrap(),
        Qty::from_contracts(12),
        rig.now,
    );
    rig.drain();
    let seen: Vec<(Value, Value)> = ids
        .iter()
        .map(|id| rig.call(ED, "GET", &format!("/portfolio/orders/{id}"), None).1)
        .map(|answer| (answer["order"]["status"].clone(), answer["order"]["fill_count_fp"].clone()))
        .collect();
    let want = [("executed", "5.00"), ("executed", "5.00"), ("canceled", "2.00")];
    assert_eq!(seen, want.map(|(status, filled)| (json!(status), json!(filled))));
}

#[test]
fn answers_have_every_field_that_clients_want() {
    let mut rig = Rig::new();
    let placed = rig.place(ED, 0, "bid", "0.0100", "1.00");
    let known = placed["order_id"].as_str().unwrap();
    let orders = json!({ "orders": [{ "order_id": known }, { "order_id": "unknown" }] });
    let (status, answer) = rig.call(ED, "DELETE", &format!("{ORDERS}/batched"), Some(orders));
    assert_eq!(status, 200);
    assert_eq!(answer["orders"][0]["reduced_by"], "1.00");
    assert_eq!(answer["orders"][1]["reduced_by"], "0.00", "never null");
    assert_eq!(answer["orders"][1]["error"]["code"], "not_found");

    let event = rig.market_set.events[0].ticker.clone();
    for (nested, inside) in [("true", true), ("false", false)] {
        let path = format!("/events/{event}?with_nested_markets={nested}");
        let (_, answer) = rig.call(ED, "GET", &path, None);
        assert!(answer["markets"].as_array().is_some_and(|markets| !markets.is_empty()));
        assert_eq!(answer["event"].get("markets").is_some(), inside);
    }
    let (_, changes) = rig.call(ED, "GET", "/events/fee_changes", None);
    assert_eq!(changes["event_fee_changes"], json!([]));
}

#[test]
fn a_group_is_known_on_its_own_shard_alone() {
    let mut rig = Rig::new();
    let body = json!({ "contracts_limit_fp": "5.00", "exchange_index": 2 });
    let (_, group) = rig.call(ED, "POST", "/portfolio/order_groups/create", Some(body));
    let id = group["order_group_id"].as_str().unwrap();
    let limit = json!({ "contracts_limit_fp": "6.00" });
    let path = format!("/portfolio/order_groups/{id}/limit");
    assert_eq!(rig.call(ED, "PUT", &path, Some(limit.clone())).0, 404, "shard 0 is meant");
    assert_eq!(rig.call(ED, "PUT", &format!("{path}?exchange_index=2"), Some(limit)).0, 200);
    let (_, seen) = rig.call(ED, "GET", &format!("/portfolio/order_groups/{id}"), None);
    assert_eq!(seen["contracts_limit_fp"], "6.00");
}

#[test]
fn a_mended_venue_has_cancelled_what_rested_and_trades_on() {
    let mut rig = Rig::new();
    rig.house(0, Side::Ask, 6_000, 100);
    rig.place(ED, 0, "bid", "0.6000", "10.00");
    let resting = rig.place(ED, 0, "bid", "0.3000", "10.00");
    let whole = rig.twin.money() + rig.twin.fees_taken();
    rig.twin.mend(rig.now);
    rig.drain();
    assert_eq!(rig.twin.money() + rig.twin.fees_taken(), whole);
    let id = resting["order_id"].as_str().unwrap();
    let (_, order) = rig.call(ED, "GET", &format!("/portfolio/orders/{id}"), None);
    assert_eq!(order["order"]["status"], "canceled");
    let (_, held) = rig.call(ED, "GET", "/portfolio/positions", None);
    assert_eq!(held["market_positions"][0]["position_fp"], "10.00", "what was bought is held");
    let again = rig.place(ED, 0, "bid", "0.6000", "10.00");
    assert_eq!(again["fill_count"], "10.00", "the house's orders are still there");
    assert_eq!(rig.twin.money() + rig.twin.fees_taken(), whole);
}
