//! The venue as a value: orders through signatures and books to money, without a socket.

mod clients;

use serde_json::{Value, json};
use surefoot_cold::directory::{Generation, PolymarketNames};
use surefoot_cold::secrets::Secret;
use surefoot_cold::venue::polymarket::audit::Audit;
use surefoot_cold::venue::polymarket::eip712::Exchange;
use surefoot_cold::venue::polymarket::metadata;
use surefoot_cold::venue::polymarket::signer::{
    Credentials, OrderType as Kind, SignedOrder, Signer, Terms,
};
use surefoot_cold::venue::polymarket::{eip712, encode};
use surefoot_hot::ids::{Action, ClusterId, MarketId};

use super::*;
use crate::twin::market_set::MarketSet;
use crate::twin::rng::Rng;

const START: Nanos = Nanos::from_secs(1_795_132_800);

struct Bench {
    venue: PolymarketVenue,
    signers: Vec<Signer>,
    now: Nanos,
    salt: u64,
}

/// What a test varies about an order.
#[derive(Clone, Copy)]
struct Ask {
    by: usize,
    market: usize,
    outcome: Outcome,
    action: Action,
    /// Ticks of its own outcome.
    price: u64,
    /// Hundredths of a share.
    cents: u64,
    kind: Kind,
    post_only: bool,
    expiration: u64,
}

fn ask(by: usize, outcome: Outcome, action: Action, price: u64, shares: u64) -> Ask {
    Ask {
        by,
        market: 0,
        outcome,
        action,
        price,
        cents: shares * 100,
        kind: Kind::Gtc,
        post_only: false,
        expiration: 0,
    }
}

use Action::{Buy, Sell};
use Outcome::{No, Yes};

impl Bench {
    fn new() -> Self {
        Self::with(&Config::default())
    }

    fn with(config: &Config) -> Self {
        let mut venue = PolymarketVenue::new(7, config);
        for market in MarketSet::generated(7, START).polymarket {
            venue.add_market(market, START);
        }
        let signers = venue
            .demo_accounts()
            .into_iter()
            .map(|account| {
                Signer::new(
                    &Secret::new(account.private_key),
                    SignatureType::from_number(account.signature_type).unwrap(),
                    Address::parse(&account.funder),
                    Chain::Polygon,
                    Some(&Credentials {
                        api_key: account.api_key,
                        secret: Secret::new(account.secret),
                        passphrase: Secret::new(account.passphrase),
                    }),
                )
                .unwrap()
            })
            .collect();
        Self { venue, signers, now: START, salt: 1 }
    }

    fn exchange(&self, market: usize) -> Exchange {
        self.venue.markets[market].exchange()
    }

    fn sign_for(&mut self, exchange: Exchange, ask: Ask) -> SignedOrder {
        self.salt += 1;
        let (quote, shares) = (ask.price * ask.cents, ask.cents * 10_000);
        let buy = ask.action == Buy;
        let token = self.venue.markets[ask.market].token(ask.outcome).to_owned();
        self.signers[ask.by]
            .sign(&Terms {
                exchange,
                token: &token,
                side: ask.action,
                maker_amount: if buy { quote } else { shares },
                taker_amount: if buy { shares } else { quote },
                salt: self.salt,
                timestamp: self.now.millis(),
                expiration: ask.expiration,
                order_type: ask.kind,
                post_only: ask.post_only,
                metadata: [0; 32],
                builder: [0; 32],
            })
            .unwrap()
    }

    fn call(&mut self, by: usize, method: &str, target: &str, body: &[u8]) -> (u16, Value) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let headers =
            self.signers[by].l2_headers(self.now.get() / 1_000_000_000, method, path, body);
        let pair = |p: &str| p.split_once('=').map(|(a, b)| (a.to_owned(), b.to_owned()));
        let req = Request {
            method: method.into(),
            path: path.into(),
            query: query.split('&').filter_map(pair).collect(),
            headers: headers.pairs().map(|(n, v)| (n.to_owned(), v.to_owned())).into(),
            body: body.to_vec(),
        };
        let answer = self.venue.http(Host::PolymarketClob, &req, self.now);
        (answer.status, serde_json::from_slice(&answer.body).unwrap_or_default())
    }

    fn get(&mut self, host: Host, target: &str) -> Value {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let pair = |p: &str| p.split_once('=').map(|(a, b)| (a.to_owned(), b.to_owned()));
        let query = query.split('&').filter_map(pair).collect();
        let (method, path) = ("GET".into(), path.into());
        let req = Request { method, path, query, ..Request::default() };
        let answer = self.venue.http(host, &req, self.now);
        assert_eq!(answer.status, 200, "{target}");
        serde_json::from_slice(&answer.body).unwrap()
    }

    fn post(&mut self, order: &SignedOrder, by: usize) -> (u16, Value) {
        let mut body = Vec::new();
        encode::post_order(&mut body, &self.signers[by], order);
        self.call(by, "POST", "/order", &body)
    }

    fn order(&mut self, ask: Ask) -> (u16, Value) {
        let order = self.sign_for(self.exchange(ask.market), ask);
        let (status, answer) = self.post(&order, ask.by);
        if status == 200 {
            assert_eq!(answer["orderID"], text::hex(&order.id), "the id is the digest");
        }
        (status, answer)
    }

    fn refused(&mut self, ask: Ask, status: u16, words: &str) {
        let (got, answer) = self.order(ask);
        let text = answer["error"].as_str().unwrap_or_default();
        assert!(got == status && text.contains(words), "{got} {answer}, wanted {words}");
    }

    fn cash(&self, by: usize) -> i64 {
        self.venue.accounts[by + 1].cash.micros()
    }

    fn held(&self, by: usize, outcome: Outcome) -> u64 {
        self.venue.accounts[by + 1].held(0, outcome).micros() / 1_000_000
    }

    fn frames(&mut self) -> Vec<(ConnId, String)> {
        std::iter::from_fn(|| self.venue.poll_out()).collect()
    }

    fn house(&mut self, side: Side, ticks: u16, contracts: u64) {
        let (price, qty) = (Price::from_ticks(ticks).unwrap(), Qty::from_contracts(contracts));
        self.venue.house_level(0, side, price, qty, self.now);
    }
}

#[test]
fn every_signature_type_and_generation_is_taken_and_a_wrong_one_refused() {
    let mut bench = Bench::new();
    let of = |f: &dyn Fn(&Market) -> bool| bench.venue.markets.iter().position(f).unwrap();
    let kinds = [
        of(&|m| m.exchange() == Exchange::Ctf),
        of(&|m| m.exchange() == Exchange::NegRisk),
        of(&|m| m.exchange() == Exchange::V3),
    ];
    for by in 0..4 {
        for market in kinds {
            let order = Ask { market, ..ask(by, Yes, Buy, 100, 10) };
            let (status, answer) = bench.order(order);
            assert_eq!(
                (status, &answer["status"]),
                (200, &json!("live")),
                "{by} {market} {answer}"
            );
            for exchange in Exchange::ALL {
                if exchange == bench.exchange(market) {
                    continue;
                }
                let signed = bench.sign_for(exchange, order);
                let (status, answer) = bench.post(&signed, by);
                let same = exchange.version() == bench.exchange(market).version();
                let words = if same { "invalid signature" } else { "order_version_mismatch" };
                assert_eq!((status, &answer["error"]), (400, &json!(words)));
            }
        }
    }
    // Somebody else's order under my key, and mine under somebody else's owner.
    let signed = bench.sign_for(bench.exchange(0), ask(1, Yes, Buy, 100, 10));
    let mut body = Vec::new();
    encode::post_order(&mut body, &bench.signers[1], &signed);
    let (status, answer) = bench.call(0, "POST", "/order", &body);
    assert_eq!(status, 400);
    assert_eq!(answer["error"], "the order owner has to be the owner of the API KEY");
    let mut body = Vec::new();
    encode::post_order(&mut body, &bench.signers[0], &signed);
    let (status, answer) = bench.call(0, "POST", "/order", &body);
    assert_eq!(status, 400);
    let words = "maker address not allowed, please use the deposit wallet flow";
    assert_eq!(answer["error"], words);
}

#[test]
fn a_changed_header_is_unauthorized() {
    let mut bench = Bench::new();
    let headers = bench.signers[0].l2_headers(1_795_132_800, "GET", "/data/orders", b"");
    let good: Vec<(String, String)> =
        headers.pairs().map(|(n, v)| (n.to_owned(), v.to_owned())).into();
    for broken in 0..=good.len() {
        let mut headers = good.clone();
        if let Some((name, value)) = headers.get_mut(broken) {
            *value = if name.as_str() == "POLY_ADDRESS" {
                bench.signers[1].address().text()
            } else {
                format!("1{}", &value[1..].chars().rev().collect::<String>())
            };
        }
        let req = Request {
            method: "GET".into(),
            path: "/data/orders".into(),
            headers,
            ..Request::default()
        };
        let answer = bench.venue.http(Host::PolymarketClob, &req, START);
        assert_eq!(answer.status, if broken == good.len() { 200 } else { 401 }, "{broken}");
    }
    let l1 = bench.signers[2].l1_headers(1_795_132_800, 0);
    let mut req = Request {
        method: "GET".into(),
        path: "/auth/derive-api-key".into(),
        headers: l1.map(|(n, v)| (n.to_owned(), v)).into(),
        ..Request::default()
    };
    let answer = bench.venue.http(Host::PolymarketClob, &req, START);
    let keys: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(keys["apiKey"], bench.venue.demo_accounts()[2].api_key);
    req.headers.last_mut().unwrap().1 = "1".into();
    assert_eq!(bench.venue.http(Host::PolymarketClob, &req, START).status, 401);
}

#[test]
fn normal_mint_and_merge_move_money_and_conserve_it() {
    let mut bench = Bench::new();
    let total = bench.venue.total_micros();
    let start = bench.cash(0);
    // Mint: two buys that add up to a dollar.
    bench.order(ask(0, No, Buy, 4_800, 100));
    let (_, answer) = bench.order(ask(1, Yes, Buy, 5_300, 100));
    assert_eq!((&answer["status"], &answer["makingAmount"]), (&json!("matched"), &json!("52")));
    assert_eq!((bench.held(0, No), bench.held(1, Yes)), (100, 100));
    assert_eq!(start - bench.cash(0), 48_000_000, "makers pay no fee");
    // 100 × 0.04 × 0.52 × 0.48 = 0.9984 for the taker.
    assert_eq!(start - bench.cash(1), 52_000_000 + 998_400);
    // Normal: the minted YES is sold on.
    bench.order(ask(2, Yes, Buy, 5_000, 40));
    bench.order(ask(1, Yes, Sell, 4_900, 40));
    assert_eq!((bench.held(1, Yes), bench.held(2, Yes)), (60, 40));
    assert_eq!(start - bench.cash(2), 20_000_000, "at the maker's price");
    // Merge: two sales.
    bench.order(ask(2, Yes, Sell, 4_700, 40));
    let before = bench.cash(2);
    bench.order(ask(0, No, Sell, 5_300, 40));
    assert_eq!((bench.held(0, No), bench.held(2, Yes)), (60, 0));
    assert_eq!(bench.cash(2) - before, 18_800_000);
    assert_eq!(bench.venue.total_micros(), total);
    // Settled, every share is cash again.
    bench.venue.settle(0, Price::ONE, bench.now);
    assert_eq!((bench.held(0, No), bench.held(1, Yes)), (0, 0));
    assert_eq!(bench.venue.total_micros(), total);
    bench.refused(ask(0, Yes, Buy, 100, 10), 400, "not yet ready");
}

#[test]
fn the_error_catalogue() {
    let mut bench = Bench::new();
    bench.house(Side::Ask, 5_000, 100);
    let buy = ask(0, Yes, Buy, 5_000, 10);
    bench.refused(
        Ask { post_only: true, ..buy },
        400,
        "invalid post-only order: order crosses book",
    );
    bench.refused(Ask { price: 5_050, ..buy }, 400, "breaks minimum tick size rule: 0.01");
    bench.refused(Ask { cents: 400, price: 100, ..buy }, 400, "Size (4) lower than the minimum: 5");
    bench.refused(Ask { cents: 100, kind: Kind::Fak, ..buy }, 400, "min size: $1");
    bench.refused(Ask { cents: 3_000_000, ..buy }, 400, "not enough balance / allowance");
    bench.refused(ask(0, Yes, Sell, 6_000, 10), 400, "not enough balance / allowance");
    bench.refused(Ask { kind: Kind::Fok, cents: 20_000, ..buy }, 400, "fully filled or killed");
    bench.refused(
        Ask { kind: Kind::Fak, price: 4_900, ..buy },
        400,
        "no orders found to match with FAK",
    );
    bench.refused(Ask { kind: Kind::Fak, cents: 333, ..buy }, 400, "max accuracy of 2 decimals");
    let soon = START.get() / 1_000_000_000 + 179;
    bench.refused(Ask { kind: Kind::Gtd, expiration: soon, ..buy }, 400, "invalid expiration");
    bench.refused(Ask { expiration: soon, ..buy }, 400, "invalid expiration");
    let signed = bench.sign_for(bench.exchange(0), Ask { price: 100, ..buy });
    assert_eq!(bench.post(&signed, 0).0, 200);
    let (status, answer) = bench.post(&signed, 0);
    assert!(
        status == 400 && answer["error"].as_str().unwrap().ends_with("is invalid. Duplicated.")
    );
    assert_eq!(
        bench.call(0, "POST", "/order", b"{\"order\":1}").1["error"],
        "Invalid order payload"
    );
    let none = bench.call(0, "GET", "/book?token_id=12", b"");
    assert_eq!(none, (404, json!({"error": "No orderbook exists for the requested token id"})));
    for (mode, status) in [(Mode::Restarting, 425), (Mode::PostOnly, 503), (Mode::CancelOnly, 503)]
    {
        bench.venue.set_mode(mode);
        assert_eq!(bench.order(buy).0, status);
    }
    bench.venue.set_mode(Mode::Disabled);
    assert_eq!(bench.call(0, "DELETE", "/cancel-all", b"").0, 503);
    let until = bench.now.after(Nanos::from_millis(31_500));
    bench.venue.set_mode_until(Mode::PostOnly, until);
    assert_eq!(bench.order(buy).1["retry_after_seconds"], 32, "what is left of it");
}

#[test]
fn a_disputed_result_comes_later_and_meanwhile_the_market_takes_orders() {
    let mut bench = Bench::new();
    bench.house(Side::Ask, 4_000, 10);
    let resting = ask(0, Outcome::Yes, Buy, 3_000, 10);
    assert_eq!(bench.order(resting).0, 200);
    let status = |bench: &Bench| {
        let row = bench.venue.gamma_market(0, false);
        (row["umaResolutionStatus"].clone(), row["resolutionStatus"].clone())
    };
    let before = status(&bench);
    bench.venue.dispute(0, bench.now);
    assert!([status(&bench).0, status(&bench).1].contains(&json!("disputed")), "{before:?}");
    let book = &bench.venue.markets[0].book;
    assert_eq!(book.levels(Side::Ask).count(), 0, "the makers are gone");
    assert_eq!(book.levels(Side::Bid).count(), 1, "our order stays");
    assert_eq!(bench.order(resting).0, 200);
    bench.venue.settle(0, Price::ONE, bench.now);
    assert!([status(&bench).0, status(&bench).1].contains(&json!("resolved")));
}

#[test]
fn prices_of_both_sides_of_one_token() {
    let mut bench = Bench::new();
    bench.house(Side::Bid, 4_800, 10);
    bench.house(Side::Ask, 5_200, 10);
    let token = bench.venue.markets[0].spec.yes_token.clone();
    let row = |side: &str| json!({"token_id": token, "side": side});
    let body = json!([{"token_id": token}, row("BUY"), row("SELL")]).to_string();
    let (status, answer) = bench.call(0, "POST", "/prices", body.as_bytes());
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer[&token], json!({"BUY": "0.48", "SELL": "0.52"}));
}

#[test]
fn an_immediate_buy_spends_its_collateral() {
    let mut bench = Bench::new();
    bench.house(Side::Ask, 4_000, 10);
    bench.house(Side::Ask, 5_000, 100);
    // $10 at up to 0.50: 10 shares for $4, then $6 buys 12, two more than asked for.
    let fok = Ask { kind: Kind::Fok, ..ask(3, Yes, Buy, 5_000, 20) };
    let (_, answer) = bench.order(fok);
    assert_eq!((&answer["makingAmount"], &answer["takingAmount"]), (&json!("10"), &json!("22")));
    assert_eq!(answer["tradeIDs"].as_array().unwrap().len(), 2, "one trade a price");
    let id = answer["orderID"].as_str().unwrap().to_owned();
    let (_, order) = bench.call(3, "GET", &format!("/data/order/{id}"), b"");
    assert_eq!((&order["status"], &order["size_matched"]), (&json!("MATCHED"), &json!("22")));
    // A limit order takes the shares it asked for, and rests with what is missing.
    let (_, answer) = bench.order(ask(3, Yes, Buy, 5_000, 100));
    assert_eq!((&answer["status"], &answer["takingAmount"]), (&json!("matched"), &json!("88")));
    let (_, page) = bench.call(3, "GET", "/data/orders?next_cursor=MA==", b"");
    assert_eq!((&page["count"], &page["next_cursor"]), (&json!(1), &json!("LTE=")));
    assert_eq!(page["data"][0]["size_matched"], "88");
    // FAK keeps what it got.
    bench.house(Side::Ask, 6_000, 5);
    let (_, answer) = bench.order(Ask { kind: Kind::Fak, ..ask(3, Yes, Buy, 6_000, 20) });
    assert_eq!(answer["takingAmount"], "5");
}

#[test]
fn cancels_name_what_they_could_not_do() {
    let mut bench = Bench::new();
    let mut ids = Vec::new();
    for n in 1..=3 {
        let (_, answer) = bench.order(ask(0, Yes, Buy, n * 100, 10));
        ids.push(answer["orderID"].as_str().unwrap().to_owned());
    }
    let body = json!({"orderID": ids[0]}).to_string();
    let (_, answer) = bench.call(0, "DELETE", "/order", body.as_bytes());
    assert_eq!(answer, json!({"canceled": [ids[0]], "not_canceled": {}}));
    let (_, answer) = bench.call(0, "DELETE", "/order", body.as_bytes());
    assert_eq!(answer["not_canceled"][&ids[0]], "already canceled or matched");
    let (_, answer) = bench.call(1, "DELETE", "/orders", json!([ids[1]]).to_string().as_bytes());
    assert_eq!(answer["canceled"], json!([]), "not the other's order");
    let market = bench.venue.markets[0].spec.condition_id.clone();
    let body = json!({"market": market, "asset_id": "1"}).to_string();
    let (_, answer) = bench.call(0, "DELETE", "/cancel-market-orders", body.as_bytes());
    assert_eq!(answer["canceled"], json!([]));
    let (_, answer) = bench.call(0, "DELETE", "/cancel-all", b"");
    assert_eq!(answer["canceled"], json!(ids[1..]));
    let (_, order) = bench.call(0, "GET", &format!("/data/order/{}", ids[2]), b"");
    assert_eq!(order["status"], "CANCELED");
}

#[test]
fn a_silent_heart_cancels_everything_and_only_if_it_ever_beat() {
    let mut bench = Bench::new();
    bench.order(ask(0, Yes, Buy, 100, 10));
    let (_, first) = bench.call(0, "POST", "/v1/heartbeats", br#"{"heartbeat_id":""}"#);
    let id = first["heartbeat_id"].as_str().unwrap().to_owned();
    let (status, wrong) = bench.call(0, "POST", "/v1/heartbeats", br#"{"heartbeat_id":"x"}"#);
    assert_eq!((status, &wrong["heartbeat_id"]), (400, &json!(id)));
    let live = |b: &mut Bench| b.call(0, "GET", "/data/orders", b"").1["count"].as_u64().unwrap();
    for _ in 0..4 {
        bench.now = bench.now.after(Nanos::from_secs(2));
        bench.venue.tick(bench.now);
    }
    assert_eq!(live(&mut bench), 1);
    bench.now = bench.now.after(Nanos::from_secs(8));
    bench.venue.tick(bench.now);
    assert_eq!(live(&mut bench), 0);
    bench.order(ask(0, Yes, Buy, 100, 10));
    bench.now = bench.now.after(Nanos::from_secs(60));
    bench.venue.tick(bench.now);
    assert_eq!(live(&mut bench), 1, "disarmed after it fired");
}

#[test]
fn a_good_till_date_order_ends_a_minute_early() {
    let mut bench = Bench::new();
    let at = START.get() / 1_000_000_000 + 200;
    bench.order(Ask { kind: Kind::Gtd, expiration: at, ..ask(0, Yes, Buy, 100, 10) });
    bench.venue.tick(START.after(Nanos::from_secs(139)));
    assert_eq!(bench.venue.accounts[1].live.len(), 1);
    assert_eq!(bench.venue.deadline(), START.after(Nanos::from_secs(140)));
    bench.venue.tick(START.after(Nanos::from_secs(140)));
    assert_eq!(bench.venue.accounts[1].live.len(), 0);
}

#[test]
fn a_sports_market_holds_takers_alone() {
    let mut bench = Bench::new();
    bench.venue.set_delay_secs(0, 3);
    bench.house(Side::Ask, 5_000, 10);
    assert_eq!(bench.order(ask(0, Yes, Buy, 100, 10)).1["status"], "live");
    let (_, answer) = bench.order(ask(0, Yes, Buy, 5_000, 10));
    assert_eq!(answer["status"], "delayed");
    let body = json!({"orderID": answer["orderID"]}).to_string();
    let (_, cancel) = bench.call(0, "DELETE", "/order", body.as_bytes());
    assert_eq!(cancel["canceled"], json!([]));
    bench.venue.tick(START.after(Nanos::from_secs(3)));
    assert_eq!(bench.held(0, Yes), 10);
}

#[test]
fn users_hear_of_orders_and_of_every_step_of_a_trade() {
    let mut bench = Bench::new();
    let (maker, taker) = (ConnId(1), ConnId(2));
    for (conn, by) in [(maker, 0), (taker, 1)] {
        let req = Request { path: "/ws/user".into(), ..Request::default() };
        bench.venue.ws_open(conn, Host::PolymarketWs, &req, START).unwrap();
        let account = bench.venue.demo_accounts()[by].clone();
        let auth = json!({"apiKey": account.api_key, "secret": account.secret, "passphrase": account.passphrase});
        let subscribe = json!({"type": "user", "auth": auth}).to_string();
        bench.venue.ws_text(conn, &subscribe, START);
    }
    bench.order(ask(0, No, Buy, 5_000, 10));
    bench.order(ask(1, Yes, Buy, 5_000, 10));
    bench.now = START.after(Nanos::from_secs(2));
    bench.venue.tick(bench.now);
    bench.venue.tick(bench.now);
    let frames: Vec<(ConnId, Value)> = bench
        .frames()
        .into_iter()
        .map(|(conn, text)| (conn, serde_json::from_str(&text).unwrap()))
        .collect();
    let told = |conn: ConnId| -> Vec<String> {
        let mine = frames.iter().filter(|(c, _)| *c == conn);
        mine.map(|(_, f)| {
            format!("{} {}", f["type"].as_str().unwrap(), f["status"].as_str().unwrap())
        })
        .collect()
    };
    let steps = ["TRADE MATCHED", "TRADE MINED", "TRADE CONFIRMED"];
    assert_eq!(told(maker), [&["PLACEMENT LIVE", "UPDATE MATCHED"][..], &steps].concat());
    assert_eq!(told(taker), [&["UPDATE MATCHED"][..], &steps].concat());
    let trade = frames.iter().find(|(c, f)| *c == maker && f["type"] == "TRADE").unwrap();
    let part = &trade.1["maker_orders"][0];
    assert_eq!(
        (&trade.1["trader_side"], &part["side"], &part["outcome"]),
        (&json!("MAKER"), &json!("BUY"), &json!("No"))
    );
    assert!(!bench.venue.is_settling());
    let (_, page) = bench.call(1, "GET", "/data/trades", b"");
    assert_eq!(page["data"][0]["status"], "CONFIRMED");
    assert_eq!(page["data"][0]["transaction_hash"].as_str().unwrap().len(), 66);
}

/// Random house flow and orders of all accounts: the auditor, written apart, agrees with every hash, tops agree
/// with the frames, and no money is made or lost.
#[test]
fn hashes_tops_and_money_hold_under_random_trading() {
    for seed in 1..=12 {
        let mut bench = Bench::new();
        let mut rng = Rng::new(seed);
        let (mut audit, conn, total) = (Audit::new(), ConnId(9), bench.venue.total_micros());
        let req = Request { path: "/ws/market".into(), ..Request::default() };
        bench.venue.ws_open(conn, Host::PolymarketWs, &req, START).unwrap();
        let spec = bench.venue.markets[0].spec.clone();
        let names = PolymarketNames {
            condition_id: spec.condition_id.clone(),
            yes_token: spec.yes_token.clone(),
            no_token: spec.no_token.clone(),
            generation: Generation::Two,
            neg_risk: false,
            min_size_text: "5".into(),
            event: String::new(),
        };
        audit.add_market(MarketId::new(0), &names);
        let subscribe = json!({"type": "market", "assets_ids": [spec.yes_token, spec.no_token],
            "custom_feature_enabled": true});
        bench.venue.ws_text(conn, &subscribe.to_string(), START);
        for _ in 0..250 {
            bench.now = bench.now.after(Nanos::from_millis(rng.range(50, 400)));
            let side = if rng.chance(1, 2) { Side::Bid } else { Side::Ask };
            let ticks = u16::try_from(rng.range(30, 70) * 100).unwrap();
            match rng.below(4) {
                0 => bench.house(side, ticks, rng.below(60)),
                1 => {
                    let (price, qty) = (Price::from_ticks(ticks).unwrap(), rng.range(1, 40));
                    let qty = Qty::from_contracts(qty);
                    bench.venue.house_trade(0, side, price, qty, bench.now);
                }
                _ => {
                    let kinds = [Kind::Gtc, Kind::Gtc, Kind::Fak, Kind::Fok];
                    let order = Ask {
                        kind: *rng.pick(&kinds),
                        ..ask(
                            usize::try_from(rng.below(4)).unwrap(),
                            if rng.chance(1, 2) { Yes } else { No },
                            if rng.chance(2, 3) { Buy } else { Sell },
                            ticks.into(),
                            rng.range(5, 50),
                        )
                    };
                    bench.order(order);
                }
            }
            assert_eq!(bench.venue.total_micros(), total, "seed {seed}");
            bench.venue.tick(bench.now);
        }
        let mut tops = 0;
        for (_, frame) in bench.frames() {
            audit.on_frame(frame.as_bytes(), |_| {});
            let frame: Value = serde_json::from_str(&frame).unwrap();
            tops += usize::from(frame["event_type"] == "best_bid_ask");
            for change in frame["price_changes"].as_array().into_iter().flatten() {
                let (bid, ask) = (change["best_bid"].as_str(), change["best_ask"].as_str());
                let number = |t: Option<&str>| t.unwrap().parse::<f64>().unwrap();
                assert!(number(bid) < number(ask), "seed {seed}: crossed in {change}");
            }
        }
        let counts = audit.counts();
        assert!(counts.changes > 100 && tops > 20, "seed {seed}: {counts:?}");
        assert_eq!(counts.matched, counts.changes + counts.snapshots, "seed {seed}: {counts:?}");
        bench.venue.settle(0, Price::ZERO, bench.now);
        assert_eq!(bench.venue.total_micros(), total, "seed {seed}");
    }
}

#[test]
fn a_reverted_trade_gives_everything_back() {
    let mut bench = Bench::new();
    let total = bench.venue.total_micros();
    let before = [bench.cash(0), bench.cash(1)];
    bench.order(ask(0, No, Buy, 4_800, 100));
    let (_, answer) = bench.order(ask(1, Yes, Buy, 5_300, 100));
    let id = answer["tradeIDs"][0].as_str().unwrap().to_owned();
    assert!(bench.venue.fail_trade(&id, START) && !bench.venue.fail_trade(&id, START));
    assert_eq!([bench.cash(0), bench.cash(1)], before);
    assert_eq!((bench.held(0, No), bench.held(1, Yes)), (0, 0));
    assert_eq!(bench.venue.total_micros(), total);
    let (_, page) = bench.call(0, "GET", "/data/trades", b"");
    assert_eq!(page["data"][0]["status"], "FAILED");
    assert!(!bench.venue.is_settling());
    // Once final, it stays.
    bench.order(ask(0, No, Buy, 4_800, 100));
    let (_, answer) = bench.order(ask(1, Yes, Buy, 5_300, 100));
    let id = answer["tradeIDs"][0].as_str().unwrap().to_owned();
    for _ in 0..2 {
        bench.now = bench.now.after(Nanos::from_secs(2));
        bench.venue.tick(bench.now);
    }
    assert!(!bench.venue.fail_trade(&id, bench.now));
}

#[test]
fn money_lags_the_match_and_a_trade_may_be_tried_again_and_fail() {
    use trade::TradeStatus::{Confirmed, Failed, Mined, Retrying};
    let courses = [
        (0, 0, vec![Mined, Confirmed]),
        (1_000, 0, vec![Retrying, Mined, Confirmed]),
        (1_000, 1_000, vec![Retrying, Failed]),
    ];
    for (retries_permille, fails_permille, course) in courses {
        let rules =
            ChainRules { retries_permille, fails_permille, holds_percent: 0, ..ChainRules::REAL };
        let config = Config { chain_rules: Some(rules), ..Config::default() };
        let mut bench = Bench::with(&config);
        let (total, account) = (bench.venue.total_micros(), 2); // the house, then the first of ours
        let before = bench.venue.shown_cash(account);
        bench.order(ask(0, No, Buy, 4_800, 100));
        bench.order(ask(1, Yes, Buy, 5_300, 100));
        assert_eq!(bench.held(1, Yes), 100);
        assert_eq!(bench.venue.shown_held(account, 0, Yes), Qty::ZERO, "the wallet has not moved");
        assert_eq!(bench.venue.shown_cash(account), before);
        let mut seen = Vec::new();
        while bench.venue.is_settling() {
            bench.now = bench.venue.deadline();
            bench.venue.tick(bench.now);
            seen.push(bench.venue.trades[0].status);
        }
        assert_eq!(seen, course);
        let fails = fails_permille > 0;
        assert_eq!(bench.held(1, Yes), if fails { 0 } else { 100 });
        let held = bench.venue.accounts[account].held(0, Yes);
        assert_eq!(bench.venue.shown_held(account, 0, Yes), held);
        assert_eq!(bench.venue.shown_cash(account) == before, fails);
        assert_eq!(bench.venue.total_micros(), total);
    }
}

#[test]
fn what_the_house_does_with_itself_is_not_kept() {
    let mut bench = Bench::new();
    bench.house(Side::Ask, 5_000, 100);
    let (price, qty) = (Price::from_ticks(5_000).unwrap(), Qty::from_contracts(10));
    bench.venue.house_trade(0, Side::Bid, price, qty, START);
    assert!(bench.venue.trades.is_empty() && bench.venue.settling.is_empty());
    assert_eq!(bench.venue.poll_taken(), None, "the flow hears of our orders alone");
    assert_eq!(bench.venue.markets[0].last, Some(price));
    bench.order(ask(0, Yes, Buy, 5_000, 10));
    let taken = bench.venue.poll_taken().unwrap();
    assert_eq!((taken.side, taken.price, taken.qty), (Side::Ask, price, qty));
    bench.order(ask(0, Yes, Buy, 4_900, 10));
    bench.venue.house_trade(0, Side::Ask, Price::from_ticks(4_900).unwrap(), qty, START);
    assert_eq!(bench.venue.trades.len(), 2, "ours are");
    assert_eq!(bench.held(0, Yes), 20);
}

#[test]
fn a_coarser_price_step_takes_off_what_rests_between_its_prices() {
    let mut bench = Bench::new();
    let (conn, total) = (ConnId(1), bench.venue.total_micros());
    let req = Request { path: "/ws/market".into(), ..Request::default() };
    bench.venue.ws_open(conn, Host::PolymarketWs, &req, START).unwrap();
    let token = bench.venue.markets[0].spec.yes_token.clone();
    let subscribe = json!({"type": "market", "assets_ids": [token]});
    bench.venue.ws_text(conn, &subscribe.to_string(), START);
    bench.venue.set_tick(0, 10, START);
    for price in [4_810, 4_700] {
        assert_eq!(bench.order(ask(0, Yes, Buy, price, 100)).0, 200, "{price}");
    }
    bench.frames();
    bench.venue.set_tick(0, 100, START);
    let said: Vec<Value> =
        bench.frames().iter().map(|(_, text)| serde_json::from_str(text).unwrap()).collect();
    assert_eq!(said[0]["event_type"], "tick_size_change");
    assert_eq!(
        (&said[0]["old_tick_size"], &said[0]["new_tick_size"]),
        (&json!("0.001"), &json!("0.01"))
    );
    assert!(said[1..].iter().any(|frame| frame["event_type"] == "book"), "a whole book follows");
    let (_, page) = bench.call(0, "GET", "/data/orders", b"");
    assert_eq!((&page["count"], &page["data"][0]["price"]), (&json!(1), &json!("0.47")));
    bench.refused(ask(0, Yes, Buy, 4_810, 100), 400, "breaks minimum tick size rule: 0.01");
    assert_eq!(bench.venue.total_micros(), total);
    bench.venue.set_tick(0, 100, START);
    assert_eq!(bench.frames(), [], "the same step again is no news");
}

#[test]
fn subscribing_follows_the_venues_rules() {
    let mut bench = Bench::new();
    let conn = ConnId(1);
    let req = Request { path: "/ws/market".into(), ..Request::default() };
    bench.venue.ws_open(conn, Host::PolymarketWs, &req, START).unwrap();
    let [a, b, c] = [0, 1, 2].map(|m| bench.venue.markets[m].spec.yes_token.clone());
    let mut say = |message: Value| -> Vec<String> {
        bench.venue.ws_text(conn, &message.to_string(), START);
        std::iter::from_fn(|| bench.venue.poll_out()).map(|(_, text)| text).collect()
    };
    let first = say(json!({"type": "market", "assets_ids": [a, b]}));
    assert!(first.len() == 1 && first[0].starts_with("[{"), "one array: {first:?}");
    assert_eq!(say(json!({"operation": "subscribe", "assets_ids": [a]})), ["NO NEW ASSETS"]);
    let added = say(json!({"operation": "subscribe", "assets_ids": [a, c]}));
    assert!(added.len() == 1 && added[0].contains(&c) && added[0].starts_with('{'));
    assert!(say(json!({"operation": "unsubscribe", "assets_ids": [a]})).is_empty());
    assert_eq!(say(json!({"operation": "subscribe", "assets_ids": [a]})).len(), 1);
    bench.venue.ws_text(conn, "PING", START);
    assert_eq!(bench.frames(), [(conn, "PONG".to_owned())]);
    assert!(bench.venue.ws_open(conn, Host::PolymarketWs, &Request::default(), START).is_err());
}

#[test]
fn metadata_is_what_our_own_reader_takes() {
    let mut bench = Bench::new();
    let page = bench.get(Host::Gamma, "/markets/keyset?limit=100&closed=false");
    let rows = page["markets"].as_array().unwrap().clone();
    assert_eq!(rows.len(), bench.venue.markets.len());
    for (row, index) in rows.iter().zip(0..) {
        let read = metadata::gamma(row).unwrap_or_else(|e| panic!("{e:?} in {row}"));
        let market = &bench.venue.markets[index];
        let entry = read.entry(MarketId::new(0), ClusterId::new(0));
        assert_eq!(entry.def.grid, market.grid());
        assert_eq!(entry.def.fee, market.spec.fee());
        let surefoot_cold::directory::Names::Polymarket(names) = entry.names else { panic!() };
        assert_eq!(names.condition_id, market.spec.condition_id);
        assert_eq!(names.yes_token, market.spec.yes_token);
        let is_three = market.spec.generation == crate::twin::market_set::Generation::Three;
        assert_eq!(names.generation == Generation::Three, is_three);
        assert_eq!(names.neg_risk, market.spec.neg_risk());
        let id = market.spec.condition_id.clone();
        let terms = bench.get(Host::PolymarketClob, &format!("/clob-markets/{id}"));
        assert_eq!(terms["c"], id);
        let found = bench.get(Host::Gamma, &format!("/markets?condition_ids={id}"));
        assert_eq!(found.as_array().unwrap().len(), 1);
    }
    let events = bench.get(Host::Gamma, "/events?limit=500");
    let neg_risk: Vec<&Value> =
        events.as_array().unwrap().iter().filter(|e| e["enableNegRisk"] == true).collect();
    assert_eq!(neg_risk.len(), 1);
    assert_eq!(neg_risk[0]["markets"].as_array().unwrap().len(), 3);
    bench.house(Side::Ask, 5_000, 100);
    bench.order(ask(0, Yes, Buy, 5_000, 10));
    let funder = bench.venue.demo_accounts()[0].funder.clone();
    let page = bench.get(Host::Data, &format!("/v2/positions?user={funder}"));
    assert_eq!(page["pagination"], json!({"has_more": false, "next_cursor": null}));
    let row = &page["data"][0];
    assert_eq!((&row["current_size"], &row["avg_price"]), (&json!(10), &json!(0.5)));
    let address: Address = eip712::Address::parse(&funder).unwrap();
    assert_eq!(row["proxy_wallet"], address.text());
    let held = surefoot_cold::venue::polymarket::rest::positions(&page).unwrap();
    assert_eq!(held.held[0].size, Some(Qty::from_contracts(10)));
    assert!(held.held[0].wallet.eq_ignore_ascii_case(&funder));
}
