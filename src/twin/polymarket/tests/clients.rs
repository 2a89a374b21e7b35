//! What clients of any make and age send: odd headers, old orders, numbers without bounds, reads page by page.

use super::*;

#[test]
fn headers_are_taken_for_a_minute_and_never_early() {
    let mut bench = Bench::new();
    let made = bench.now;
    let at = |bench: &mut Bench, now: Nanos| {
        let headers =
            bench.signers[0].l2_headers(made.get() / 1_000_000_000, "GET", "/data/orders", b"");
        let req = Request {
            method: "GET".into(),
            path: "/data/orders".into(),
            headers: headers.pairs().map(|(n, v)| (n.to_owned(), v.to_owned())).into(),
            ..Request::default()
        };
        bench.venue.http(Host::PolymarketClob, &req, now).status
    };
    assert_eq!(at(&mut bench, made.after(Nanos::from_secs(60))), 200);
    assert_eq!(at(&mut bench, made.after(Nanos::from_secs(61))), 401);
    let before = |secs: u64| Nanos::new(made.get() - secs * 1_000_000_000);
    assert_eq!(at(&mut bench, before(1)), 200, "a second is the grain of the header");
    assert_eq!(at(&mut bench, before(2)), 401);
}

/// The venue's own example rounds 10 dollars at 0.52 up to 19.2308 shares, an implied limit of 0.519999.
#[test]
fn an_immediate_buy_rounded_up_is_taken_and_misses_its_own_tick() {
    let mut bench = Bench::new();
    bench.house(Side::Ask, 5_200, 100);
    let token = bench.venue.markets[0].token(Yes).to_owned();
    let post = |bench: &mut Bench, salt| {
        let terms = Terms {
            exchange: bench.exchange(0),
            token: &token,
            side: Buy,
            maker_amount: 10_000_000,
            taker_amount: 19_230_800,
            salt,
            timestamp: bench.now.millis(),
            expiration: 0,
            order_type: Kind::Fak,
            post_only: false,
            metadata: [0; 32],
            builder: [0; 32],
        };
        let order = bench.signers[0].sign(&terms).unwrap();
        bench.post(&order, 0)
    };
    let (status, answer) = post(&mut bench, 1);
    assert_eq!(status, 400);
    assert!(answer["error"].as_str().unwrap().contains("no orders found to match"), "{answer}");
    bench.house(Side::Ask, 5_100, 100);
    let (status, answer) = post(&mut bench, 2);
    assert_eq!((status, &answer["status"]), (200, &json!("matched")), "{answer}");
}

#[test]
fn an_order_of_version_one_is_told_to_sign_anew() {
    let mut bench = Bench::new();
    let old = json!({"order": {"salt": 1, "maker": "0x", "nonce": "0", "feeRateBps": "0", "expiration": "0"},
        "owner": "", "orderType": "GTC"});
    let (status, answer) = bench.call(0, "POST", "/order", old.to_string().as_bytes());
    assert_eq!((status, &answer["error"]), (400, &json!("order_version_mismatch")));
    let (status, answer) = bench.call(0, "POST", "/orders", json!([old]).to_string().as_bytes());
    assert_eq!((status, &answer["error"]), (400, &json!("order_version_mismatch")));
    let (_, answer) = bench.call(0, "POST", "/order", b"{\"order\": {}}");
    assert_eq!(answer["error"], "Invalid order payload");
}

#[test]
fn last_trades_come_as_a_list_by_either_method() {
    let mut bench = Bench::new();
    let token = bench.venue.markets[0].spec.yes_token.clone();
    let untraded = bench.venue.markets[1].spec.yes_token.clone();
    bench.house(Side::Ask, 5_000, 100);
    assert_eq!(bench.order(ask(0, Yes, Buy, 5_000, 10)).0, 200);
    let body = json!([{"token_id": token}, {"token_id": untraded}, {"token_id": "1"}]).to_string();
    for method in ["POST", "GET"] {
        let (status, answer) = bench.call(0, method, "/last-trades-prices", body.as_bytes());
        assert_eq!(status, 200);
        assert_eq!(answer, json!([{"price": "0.5", "side": "BUY", "token_id": token}]));
    }
}

#[test]
fn numbers_beyond_all_bounds_are_errors_and_no_panics() {
    let mut bench = Bench::new();
    let all = "LTE="; // base64 of -1: the cursor after the last page
    let most = "MTg0NDY3NDQwNzM3MDk1NTE2MTU="; // base64 of 18446744073709551615
    for cursor in [all, most] {
        for path in ["/markets/keyset", "/events/keyset"] {
            let page = bench.get(Host::Gamma, &format!("{path}?after_cursor={cursor}"));
            let rows = page.get("markets").or(page.get("events")).unwrap();
            assert_eq!((rows, page.get("next_cursor")), (&json!([]), None), "{path}");
        }
        let page = bench.get(Host::PolymarketClob, &format!("/markets?next_cursor={cursor}"));
        assert_eq!(page["data"], json!([]));
        let user = bench.venue.demo_accounts()[0].funder.clone();
        let page = bench.get(Host::Data, &format!("/v2/trades?user={user}&cursor={cursor}"));
        assert_eq!(page["data"], json!([]));
    }
    let in_millis = bench.now.millis() + 600_000;
    for expiration in [in_millis, u64::MAX, u64::MAX / 1_000_000_000 + 1] {
        let late = Ask { kind: Kind::Gtd, expiration, ..ask(0, Yes, Buy, 100, 100) };
        bench.refused(late, 400, "invalid expiration");
    }
    bench.venue.tick(bench.now.after(Nanos::from_secs(1)));
}

#[test]
fn a_venue_torn_in_the_middle_is_mended() {
    let mut bench = Bench::new();
    bench.house(Side::Ask, 6_000, 100);
    bench.house(Side::Bid, 4_000, 100);
    assert_eq!(bench.order(ask(0, Yes, Buy, 6_000, 10)).0, 200);
    let (_, resting) = bench.order(ask(0, Yes, Buy, 3_000, 10));
    let id = resting["orderID"].as_str().unwrap().to_owned();
    let whole = bench.venue.total_micros();

    // Half of a trade: shares without their pair, cash that went nowhere, an order that is in no book.
    let funder = bench.venue.accounts.iter_mut().find(|a| a.private_key.is_some()).unwrap();
    funder.receive(0, Yes, Qty::from_contracts(7), Usd::ZERO);
    funder.cash -= Usd::from_dollars(3);
    let index = *bench.venue.accounts[1].live.first().unwrap();
    bench.venue.markets[0].book.cancel(index as u64).unwrap();
    bench.venue.mend(bench.now);

    assert_eq!(bench.venue.total_micros(), whole, "pairs are complete, and no money came or went");
    let (_, order) = bench.call(0, "GET", &format!("/data/order/{id}"), b"");
    assert_eq!(order["status"], "INVALID");
    let (_, open) = bench.call(0, "GET", "/data/orders", b"");
    assert_eq!(open["data"], json!([]));
    assert_eq!(
        bench.order(ask(0, Yes, Buy, 6_000, 10)).0,
        200,
        "the house's orders are still there"
    );
}

#[test]
fn the_data_api_pages_and_shows_trades_once_they_are_on_the_chain() {
    let mut bench = Bench::new();
    bench.house(Side::Ask, 5_000, 100);
    for _ in 0..3 {
        assert_eq!(bench.order(ask(0, Yes, Buy, 5_000, 10)).0, 200);
    }
    let funder = bench.venue.demo_accounts()[0].funder.clone();
    let trades = format!("/v2/trades?user={funder}&limit=2");
    assert_eq!(bench.get(Host::Data, &trades)["data"], json!([]), "matched is not mined");
    bench.now = bench.now.after(Nanos::from_secs(5));
    let first = bench.get(Host::Data, &trades);
    assert_eq!(first["data"].as_array().unwrap().len(), 2);
    let cursor = first["pagination"]["next_cursor"].as_str().unwrap().to_owned();
    let second = bench.get(Host::Data, &format!("{trades}&cursor={cursor}"));
    assert_eq!(second["data"].as_array().unwrap().len(), 1);
    assert_eq!(second["pagination"], json!({"has_more": false, "next_cursor": null}));
    assert_eq!(second["data"][0]["usdc_size"], 5);
    let value = bench.get(Host::Data, &format!("/v2/value?user={funder}"));
    assert_eq!(value["data"]["proxy_wallet"], funder);
    for retired in ["/positions", "/trades", "/value"] {
        let (method, path) = ("GET".into(), retired.into());
        let req = Request { method, path, ..Request::default() };
        assert_eq!(bench.venue.http(Host::Data, &req, bench.now).status, 404, "{retired}");
    }
}
