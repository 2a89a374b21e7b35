//! What the readers make of the venues' answers: pages, rows of others, and answers that are no answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use surefoot_cold::net::Endpoint;
use surefoot_cold::reconcile::{Open, Reader, Truth, TruthError};
use surefoot_cold::rest::Rest;
use surefoot_cold::venue::kalshi::reconcile::KalshiReader;
use surefoot_cold::venue::polymarket::reconcile::PolymarketReader;
use surefoot_hot::event::Listing;
use surefoot_hot::ids::{MarketId, Venue};
use surefoot_hot::units::{Qty, Usd};

use crate::support::{answer, authority, directory, hear, say, serve, two_tokens};

pub const WALLET: &str = "0x00000000000000000000000000000000000000Aa";
const MARKET: MarketId = MarketId::new(0);

/// A venue whose answers `script` makes from the path, the query included.
fn venue(script: impl Fn(&str) -> (&'static str, Value) + Send + Sync + 'static) -> Rest {
    venue_of_texts(move |path| {
        let (status, body) = script(path);
        (status, body.to_string())
    })
}

/// The same, whatever the bodies are.
pub fn venue_of_texts(
    script: impl Fn(&str) -> (&'static str, String) + Send + Sync + 'static,
) -> Rest {
    let (trust, config) = authority();
    let (addr, _) = serve(config, move |_, stream, _| {
        while let Some(heard) = hear(stream) {
            let path = heard.head.split(' ').nth(1).expect("a request line").to_owned();
            let (status, body) = script(&path);
            say(stream, &answer(status, &body));
        }
    });
    let endpoint: Endpoint = format!("https://{addr}").parse().unwrap();
    Rest::new(endpoint, &trust, None)
}

fn yes() -> String {
    "1".repeat(77)
}

fn held(token: &str, size: Value) -> Value {
    json!({"proxy_wallet": WALLET.to_lowercase(), "token_id": token, "current_size": size})
}

fn page(rows: Value, next: Option<&str>) -> Value {
    json!({"data": rows, "pagination": {"has_more": next.is_some(), "next_cursor": next}})
}

/// A reader of a Polymarket with these pages of positions (by their cursor) and these trades.
fn polymarket(
    positions: impl Fn(&str) -> (&'static str, Value) + Send + Sync + 'static,
    trades: Vec<Value>,
) -> PolymarketReader {
    let trades = Arc::new(trades);
    let rest = venue(move |path| {
        let list = |rows: &[Value]| json!({"data": rows, "next_cursor": "LTE="});
        match path.split('?').next().expect("a path") {
            "/balance-allowance" => ("200 OK", json!({"balance": "12500000"})),
            "/data/orders" => ("200 OK", list(&[])),
            "/data/trades" => ("200 OK", list(&trades)),
            "/v2/positions" => {
                assert!(path.contains(&format!("user={WALLET}")), "{path}");
                positions(path.split("cursor=").nth(1).unwrap_or("first"))
            }
            _ => ("404 Not Found", json!({})),
        }
    });
    PolymarketReader::new(rest.clone(), rest, WALLET.into(), "us".into(), 0, &two_tokens())
}

fn polymarket_at_once(body: Value) -> Result<Truth, TruthError> {
    polymarket(move |_| ("200 OK", body.clone()), vec![]).truth()
}

fn trade(status: &str, token: &str, size: &str) -> Value {
    json!({"id": "f1", "taker_order_id": format!("0x{}", "99".repeat(32)), "market": "0xff", "asset_id": token,
        "side": "BUY", "size": size, "price": "0.5", "status": status, "owner": "us", "trader_side": "TAKER",
        "maker_orders": []})
}

#[test]
fn positions_are_read_to_the_last_page_and_others_named() {
    let no = "2".repeat(77);
    let reader = polymarket(
        move |cursor| {
            let body = match cursor {
                "first" => page(json!([held("777", json!(7.142_857_142_857_143))]), Some("c1")),
                "c1" => page(json!([held(&yes(), json!("150.5")), {"token_id": null}]), Some("c2")),
                _ => page(
                    json!([held(&no, json!(3.000_000_000_000_000_4)), held("9", json!(0))]),
                    None,
                ),
            };
            ("200 OK", body)
        },
        vec![],
    );
    let truth = reader.truth().unwrap();
    let expected = (MARKET, Qty::from_micros(150_500_000), Qty::from_contracts(3));
    assert_eq!(truth.positions, [expected]);
    assert_eq!(truth.foreign, ["777"], "one that holds nothing is not named");
    assert_eq!(truth.unread.len(), 1, "{:?}", truth.unread);
    assert_eq!(truth.cash, [(0, Usd::from_cents(1_250))]);
}

#[test]
fn a_list_of_positions_that_is_not_whole_is_an_error_and_no_zero() {
    let one = || held(&yes(), json!(30));
    let still = polymarket(move |_| ("200 OK", page(json!([]), Some("c1"))), vec![]).truth();
    assert!(matches!(still, Err(TruthError::Partial(..))), "{still:?}");
    let twice = polymarket_at_once(page(json!([one(), one()]), None));
    assert!(
        matches!(&twice, Err(error @ TruthError::Partial(..)) if error.may_pass()),
        "{twice:?}"
    );
    let broken = polymarket(
        move |cursor| match cursor {
            "first" => ("200 OK", page(json!([one()]), Some("c1"))),
            _ => ("503 Service Unavailable", json!({})),
        },
        vec![],
    );
    assert!(matches!(&broken.truth(), Err(error @ TruthError::Rest(..)) if error.may_pass()));
    let somebody = json!([{"proxy_wallet": "0x01", "token_id": yes(), "current_size": 30}]);
    for body in [
        page(somebody, None),
        page(json!([{"token_id": yes(), "current_size": "some"}]), None),
        page(json!([{"asset": yes(), "size": 30}]), None),
        json!([{"asset": yes(), "size": 30}]),
        json!([]),
        json!({"data": []}),
    ] {
        let read = polymarket_at_once(body.clone());
        assert!(matches!(&read, Err(error) if !error.may_pass()), "{body}: {read:?}");
    }
}

#[test]
fn a_trade_of_another_market_or_one_that_cannot_be_read_fails_nothing() {
    let trades = vec![
        trade("SETTLING", "777", "3"),
        trade("MINED", "777", "3.1234567"),
        trade("SETTLING", &yes(), "3"),
        json!({"id": "f9"}),
        trade("FAILED", &yes(), "3"),
        trade("CONFIRMED", &yes(), "3"),
    ];
    let reader = polymarket(|_| ("200 OK", page(json!([]), None)), trades);
    let truth = reader.truth().unwrap();
    assert_eq!(truth.unread.len(), 2, "ours whose word is new, and one of nobody knows whom");
    assert_eq!((truth.void.len(), truth.confirmed.len()), (1, 1));
}

#[test]
fn the_trades_of_a_market_add_up() {
    let mut sale = trade("MATCHED", &yes(), "12");
    sale["side"] = json!("SELL");
    let trades = vec![trade("CONFIRMED", &yes(), "30"), sale.clone(), trade("FAILED", &yes(), "5")];
    let reader = polymarket(|_| ("200 OK", page(json!([]), None)), trades);
    assert_eq!(reader.history(MARKET).unwrap(), Some((Qty::from_contracts(18), Qty::ZERO)));
    assert_eq!(reader.history(MarketId::new(7)).unwrap(), None, "not followed");
    let short = polymarket(|_| ("200 OK", page(json!([]), None)), vec![sale]);
    assert_eq!(short.history(MARKET).unwrap(), None, "a list that lacks the purchase says nothing");
}

/// Lists that are all empty are what a venue in trouble answers: contracts that are gone from one of them are not explained by another.
#[test]
fn a_list_without_a_trade_is_no_history() {
    let reader = polymarket(|_| ("200 OK", page(json!([]), None)), Vec::new());
    assert_eq!(reader.history(MARKET).unwrap(), None);
    let rest = venue(|_| ("200 OK", json!({"cursor": "", "fills": []})));
    let reader = KalshiReader::new(rest, &directory("KXA", 0));
    assert_eq!(reader.history(MARKET).unwrap(), None);
}

#[test]
fn a_purchase_told_more_finely_than_we_count_does_not_hide_the_trades() {
    let mut fine = trade("CONFIRMED", &yes(), "30.0000004");
    fine["price"] = json!("0.5199992");
    let reader = polymarket(|_| ("200 OK", page(json!([]), None)), vec![fine]);
    assert_eq!(reader.history(MARKET).unwrap(), Some((Qty::from_contracts(30), Qty::ZERO)));
    assert_eq!(reader.truth().unwrap().confirmed.len(), 2, "one fill on each side of its price");
}

#[test]
fn an_order_rests_whatever_its_row_says_beside_its_id() {
    let mut order = json!({"id": format!("0x{}", "4c".repeat(32)), "status": "LIVE", "asset_id": yes(),
        "side": "BUY", "original_size": "25", "size_matched": "5", "price": "0.47"});
    let listed = |order: Value| {
        let rest = venue(move |path| {
            let body = match path.split('?').next().expect("a path") {
                "/balance-allowance" => json!({"balance": "12500000"}),
                "/v2/positions" => page(json!([]), None),
                "/data/orders" => json!({"data": [order], "next_cursor": "LTE="}),
                _ => json!({"data": [], "next_cursor": "LTE="}),
            };
            ("200 OK", body)
        });
        let reader =
            PolymarketReader::new(rest.clone(), rest, WALLET.into(), "us".into(), 0, &two_tokens());
        reader.truth()
    };
    let plain = listed(order.clone()).unwrap().open;
    assert_eq!((plain.len(), plain[0].market), (1, Some(MARKET)));
    assert_eq!(plain[0].listing, Some(Listing { filled: Qty::from_contracts(5), terms: None }));
    for (field, value, is_read) in [
        ("price", json!("0.46999"), true),
        ("status", json!("DREAMING"), false),
        ("size_matched", json!(null), false),
    ] {
        order[field] = value;
        let listing = plain[0].listing.filter(|_| is_read);
        let open = Open { listing, ..plain[0].clone() };
        assert_eq!(listed(order.clone()).unwrap().open, [open], "{order}");
    }
    order["id"] = json!(null);
    assert!(listed(order).is_err(), "a list of orders without names is no empty list");
}

#[test]
fn a_cursor_of_polymarkets_that_stands_still_is_not_the_last_page() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let rest = venue(move |path| match path.split('?').next().expect("a path") {
        "/balance-allowance" => ("200 OK", json!({"balance": "12500000"})),
        "/v2/positions" => ("200 OK", page(json!([]), None)),
        _ => {
            count.fetch_add(1, Ordering::Relaxed);
            ("200 OK", json!({"data": [], "next_cursor": "Mg=="}))
        }
    });
    let reader =
        PolymarketReader::new(rest.clone(), rest, WALLET.into(), "us".into(), 0, &two_tokens());
    let read = reader.truth();
    assert!(matches!(read, Err(TruthError::Partial(Venue::Polymarket, _))), "{read:?}");
    assert_eq!(asked.load(Ordering::Relaxed), 2, "and is not asked a thousand times");
}

/// A reader of a Kalshi with these pages of positions, by their cursor. What it bought and sold has an average price and
/// a fee finer than ours; so has an order by hand.
fn kalshi(positions: impl Fn(&str) -> Value + Send + Sync + 'static) -> KalshiReader {
    let rest = venue(move |path| {
        let cursor = path.split("cursor=").nth(1).unwrap_or("first");
        let fill = |side: &str, count: &str| {
            json!({"fill_id": "f", "trade_id": side, "order_id": "o", "ticker": "KXA", "book_side": side,
                "count_fp": count, "yes_price_dollars": "0.43005", "is_taker": true, "fee_cost": "0.0100001"})
        };
        let resting = json!({"order_id": "web", "client_order_id": "", "ticker": "KXA", "book_side": "bid",
            "status": "resting", "yes_price_dollars": "0.43005", "initial_count_fp": "9.999999999"});
        let body = match path.split('?').next().expect("a path") {
            "/portfolio/balance" => json!({"balance_dollars": "9.50000001",
                "balance_breakdown": [{"exchange_index": 0, "balance": "9.50000001"}]}),
            "/portfolio/positions" => positions(cursor),
            "/portfolio/orders" => json!({"cursor": "", "orders": [resting]}),
            "/portfolio/fills" if cursor == "first" => {
                json!({"cursor": "next", "fills": [fill("bid", "5.00")]})
            }
            "/portfolio/fills" => json!({"cursor": "", "fills": [fill("ask", "20.00")]}),
            "/historical/fills" => {
                let mut old = fill("bid", "2.00");
                old["trade_id"] = json!("old");
                json!({"cursor": "", "fills": [fill("ask", "20.00"), old]})
            }
            _ => json!({}),
        };
        ("200 OK", body)
    });
    KalshiReader::new(rest, &directory("KXA", 0))
}

#[test]
fn a_key_pinned_to_a_subaccount_asks_for_the_cash_of_each_shard() {
    let rest = venue(|path| {
        let body = match path.split_once('?').unwrap_or((path, "")) {
            ("/portfolio/balance", "exchange_index=2") => json!({"balance_dollars": "3.0000"}),
            ("/portfolio/balance", "exchange_index=3") => json!({"balance_dollars": "7.0000"}),
            ("/portfolio/balance", "") => json!({"balance": 1_000, "balance_dollars": "10.0000"}),
            ("/portfolio/positions", _) => json!({"cursor": "", "market_positions": []}),
            ("/portfolio/orders", _) => json!({"cursor": "", "orders": []}),
            _ => return ("404 Not Found", json!({})),
        };
        ("200 OK", body)
    });
    let mut reader = KalshiReader::new(rest, &directory("KXA", 2));
    let two = (2, Usd::from_dollars(3));
    assert_eq!(reader.truth().unwrap().cash, [two], "ten dollars are what all shards have");
    reader.follow(directory("KXB", 3).iter().next().expect("it has one market"));
    assert_eq!(reader.truth().unwrap().cash, [two, (3, Usd::from_dollars(7))]);
}

#[test]
fn kalshis_positions_are_read_to_the_last_page_and_others_named() {
    let reader = kalshi(|cursor| match cursor {
        "first" => json!({"cursor": "next", "market_positions": [
            {"ticker": "KXOTHER", "position_fp": "lots"}, {"ticker": "KXNONE", "position_fp": "0.00"}]}),
        _ => {
            json!({"cursor": "", "market_positions": [{"ticker": "KXA", "position_fp": "-15.00"}]})
        }
    });
    let truth = reader.truth().unwrap();
    assert_eq!(truth.positions, [(MARKET, Qty::ZERO, Qty::from_contracts(15))]);
    assert_eq!(truth.foreign, ["KXOTHER"]);
    assert_eq!(truth.cash, [(0, Usd::from_cents(950))]);
    assert_eq!(truth.open.iter().map(|open| open.id.as_str()).collect::<Vec<_>>(), ["web"]);
    let history = Some((Qty::ZERO, Qty::from_contracts(13)));
    assert_eq!(reader.history(MARKET).unwrap(), history, "5 - 20, and 2 from the archive");
    let still = kalshi(|_| json!({"cursor": "same", "market_positions": []})).truth();
    assert!(
        matches!(still, Err(TruthError::Partial(Venue::Kalshi, _))),
        "a cursor that leads nowhere is not the last page: {still:?}"
    );
    let ours =
        json!({"cursor": "", "market_positions": [{"ticker": "KXA", "position_fp": "lots"}]});
    assert!(kalshi(move |_| ours.clone()).truth().is_err(), "ours must be read");
}
