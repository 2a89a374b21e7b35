//! Any body over HTTP into the readers of our account: a reading is an error, or says what the venue said. It never has
//! an order, a contract or a dollar of its own making, and what one answer spoils is not taken from another.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use surefoot_cold::reconcile::{Reader, Truth};
use surefoot_cold::venue::kalshi::reconcile::KalshiReader;
use surefoot_cold::venue::polymarket::reconcile::PolymarketReader;
use surefoot_hot::ids::MarketId;
use surefoot_hot::units::{Qty, Usd};
use surefoot_properties::answers;
use surefoot_properties::random::{Rng, any_json, for_each_seed, mutate_bytes, mutate_json};
use surefoot_properties::said;

use crate::support::{directory, two_tokens};
use crate::truth::{WALLET, venue_of_texts};

/// Status and body by path.
type Answers = BTreeMap<&'static str, (&'static str, String)>;

const MARKET: MarketId = MarketId::new(0);

/// A venue that answers whatever was last put into the table.
fn scripted() -> (surefoot_cold::rest::Rest, Arc<Mutex<Answers>>) {
    let table = Arc::new(Mutex::new(Answers::new()));
    let answers = Arc::clone(&table);
    let rest = venue_of_texts(move |path| {
        let path = path.split('?').next().expect("a path");
        let known = answers.lock().unwrap().get(path).cloned();
        known.unwrap_or(("404 Not Found", "{}".to_owned()))
    });
    (rest, table)
}

fn kalshi_answers() -> Answers {
    let fill = json!({"trade_id": "t1", "order_id": "o1", "ticker": "KXA", "book_side": "bid", "count_fp": "5.00",
        "yes_price_dollars": "0.4300", "is_taker": true, "fee_cost": "0.01"});
    let mut old = fill.clone();
    old["trade_id"] = json!("t0");
    let rows = [
        (
            "/portfolio/balance",
            json!({"balance_dollars": "9.5000", "balance_breakdown": [{"exchange_index": 0, "balance": "9.5000"}]}),
        ),
        (
            "/portfolio/positions",
            json!({"cursor": "", "market_positions": [{"ticker": "KXA", "position_fp": "-15.00"},
                {"ticker": "KXOTHER", "position_fp": "3.00"}]}),
        ),
        (
            "/portfolio/orders",
            json!({"cursor": "", "orders": [{"order_id": "3b23", "client_order_id": "sf-000000000000001f",
                "ticker": "KXA", "book_side": "ask", "status": "resting", "yes_price_dollars": "0.4300",
                "fill_count_fp": "5.00"}, {"order_id": "web", "ticker": "KXOTHER"}]}),
        ),
        ("/portfolio/fills", json!({"cursor": "", "fills": [fill]})),
        ("/historical/fills", json!({"cursor": "", "fills": [old]})),
    ];
    rows.map(|(path, body)| (path, ("200 OK", body.to_string()))).into()
}

fn polymarket_answers() -> Answers {
    let id = |byte: &str| format!("0x{}", byte.repeat(32));
    let (yes, no) = ("1".repeat(77), "2".repeat(77));
    let held = |token: &str, size: Value| json!({"proxy_wallet": WALLET, "token_id": token, "current_size": size});
    let trade = |name: &str, status: &str| {
        json!({"id": name, "taker_order_id": id("99"), "asset_id": yes, "side": "BUY", "size": "30", "price": "0.5",
            "status": status, "owner": "us", "trader_side": "TAKER", "maker_orders": []})
    };
    let rows = [
        ("/balance-allowance", json!({"balance": "12500000"})),
        (
            "/v2/positions",
            json!({"data": [held(&yes, json!("30")), held(&no, json!(2.5)), held("777", json!(1))],
                "pagination": {"has_more": false, "next_cursor": null}}),
        ),
        (
            "/data/orders",
            json!({"next_cursor": "LTE=", "data": [{"id": id("4c"), "status": "LIVE", "asset_id": yes, "side": "BUY",
                "original_size": "25", "size_matched": "5", "price": "0.47"}]}),
        ),
        (
            "/data/trades",
            json!({"next_cursor": "LTE=", "data": [trade("f1", "CONFIRMED"), trade("f2", "FAILED")]}),
        ),
    ];
    rows.map(|(path, body)| (path, ("200 OK", body.to_string()))).into()
}

/// Makes one to three of the answers odd; says which.
fn make_odd(rng: &mut Rng, answers: &mut Answers) -> Vec<&'static str> {
    let paths: Vec<_> = answers.keys().copied().collect();
    let mut odd = Vec::new();
    for _ in 0..1 + rng.below(3) {
        let path = *rng.pick(&paths);
        let (status, body) = answers.get_mut(path).unwrap();
        odd.push(path);
        if let Ok(mut value) = serde_json::from_str(body) {
            match rng.below(8) {
                0 => value = any_json(rng, answers::KEYS, 4),
                _ => mutate_json(rng, &mut value),
            }
            *body = value.to_string();
        }
        if rng.one_in(8) {
            let mut bytes = body.clone().into_bytes();
            mutate_bytes(rng, &mut bytes);
            *body = String::from_utf8_lossy(&bytes).into_owned();
        }
        if rng.one_in(10) {
            *status =
                *rng.pick(&["204 No Content", "301 Moved", "403 Forbidden", "502 Bad Gateway"]);
        }
    }
    odd
}

fn said_at(answers: &Answers, path: &str) -> said::Said {
    said::Said::of(&serde_json::from_str(&answers[path].1).unwrap_or(Value::Null))
}

/// Holds a reading against the answers that it was made of. `paths` are those of cash, positions and orders.
fn check(truth: &Truth, good: &Truth, answers: &Answers, odd: &[&str], paths: [&str; 3]) {
    for path in paths {
        let (status, body) = &answers[path];
        let value: Result<Value, _> = serde_json::from_str(body);
        assert!(status.starts_with('2') && value.is_ok(), "{path} {status}: {body}: {truth:?}");
    }
    let [cash, positions, orders] = paths;
    let of_cash = said_at(answers, cash);
    for &(_, dollars) in &truth.cash {
        of_cash.usd(dollars);
    }
    let of_positions = said_at(answers, positions);
    for &(market, yes, no) in &truth.positions {
        assert_eq!(market, MARKET);
        [yes, no].into_iter().filter(|qty| !qty.is_zero()).for_each(|qty| of_positions.qty(qty));
    }
    truth.foreign.iter().for_each(|name| of_positions.text(name));
    let of_orders = said_at(answers, orders);
    truth.open.iter().for_each(|open| of_orders.text(&open.id));
    if !odd.contains(&cash) {
        assert_eq!(truth.cash, good.cash);
    }
    if !odd.contains(&positions) {
        assert_eq!((&truth.positions, &truth.foreign), (&good.positions, &good.foreign));
    }
    if !odd.contains(&orders) {
        assert_eq!(truth.open, good.open);
    }
}

/// Draws odd answers for one venue's reader.
fn hold(
    name: &str,
    reader: &dyn Reader,
    table: &Mutex<Answers>,
    whole: &Answers,
    paths: [&str; 3],
    trades: &[&str],
) {
    *table.lock().unwrap() = whole.clone();
    let good = reader.truth().unwrap();
    let history = reader.history(MARKET).unwrap();
    assert!(history.is_some() && !good.positions.is_empty() && !good.open.is_empty());
    let (mut round, mut read, mut refused) = (0_u32, 0, 0);
    for_each_seed(name, |rng| {
        round += 1;
        if round % 5 != 1 {
            return; // a round is several requests
        }
        let mut answers = whole.clone();
        let odd = make_odd(rng, &mut answers);
        *table.lock().unwrap() = answers.clone();
        match reader.truth() {
            Ok(truth) => {
                read += 1;
                check(&truth, &good, &answers, &odd, paths);
            }
            Err(error) => {
                refused += 1;
                assert!(!error.to_string().is_empty());
            }
        }
        match reader.history(MARKET) {
            Ok(sum) if !trades.iter().any(|path| odd.contains(path)) => assert_eq!(sum, history),
            Ok(_) => assert!(trades.iter().all(|path| answers[path].0.starts_with('2'))),
            Err(_) => assert!(
                trades.iter().any(|path| odd.contains(path)),
                "what another answer says is no matter"
            ),
        }
    });
    assert!(round < 50 || (read > 0 && refused > 0), "{read} were read and {refused} refused");
}

#[test]
fn whatever_kalshi_answers_nothing_of_our_account_is_made_up() {
    let (rest, table) = scripted();
    let reader = KalshiReader::new(rest, &directory("KXA", 0));
    let paths = ["/portfolio/balance", "/portfolio/positions", "/portfolio/orders"];
    let trades = ["/portfolio/fills", "/historical/fills"];
    hold("kalshi account", &reader, &table, &kalshi_answers(), paths, &trades);
}

#[test]
fn whatever_polymarket_answers_nothing_of_our_account_is_made_up() {
    let (rest, table) = scripted();
    let (wallet, owner) = (WALLET.to_owned(), "us".to_owned());
    let reader = PolymarketReader::new(rest.clone(), rest, wallet, owner, 0, &two_tokens());
    let paths = ["/balance-allowance", "/v2/positions", "/data/orders"];
    hold("polymarket account", &reader, &table, &polymarket_answers(), paths, &["/data/trades"]);
}

#[test]
fn the_good_answers_are_read_whole() {
    let (rest, table) = scripted();
    *table.lock().unwrap() = kalshi_answers();
    let truth = KalshiReader::new(rest, &directory("KXA", 0)).truth().unwrap();
    assert_eq!(truth.cash, [(0, Usd::from_cents(950))]);
    assert_eq!(truth.positions, [(MARKET, Qty::ZERO, Qty::from_contracts(15))]);
    let open: Vec<_> = truth.open.iter().map(|open| open.id.as_str()).collect();
    assert_eq!(open, ["3b23", "web"], "a row that says little more than its id rests as well");
}
