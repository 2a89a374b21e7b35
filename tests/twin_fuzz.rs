//! Thousands of random and mutated requests at the router of each host, and frames at each stream: no panic, no answer
//! that is none, and the money adds up afterwards.
#![allow(clippy::unwrap_used)]

#[path = "support/scratch.rs"]
mod scratch;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use scratch::Scratch;
use serde_json::{Value, json};
use surefoot::twin::demo::Demo;
use surefoot::twin::http::{Request, Response};
use surefoot::twin::kalshi::calls as kalshi;
use surefoot::twin::open::{Options, open};
use surefoot::twin::polymarket::{calls as clob, data, meta};
use surefoot::twin::rng::Rng;
use surefoot::twin::routes::Route;
use surefoot::twin::server::{Backend, Server};
use surefoot::twin::{ConnId, Host};
use surefoot_cold::secrets::Secret;
use surefoot_cold::venue::polymarket::eip712::{Address, Chain, Exchange, SignatureType};
use surefoot_cold::venue::polymarket::encode;
use surefoot_cold::venue::polymarket::signer::{Credentials, OrderType, Signer, Terms};
use surefoot_hot::ids::Action;
use surefoot_hot::units::Nanos;

/// Requests at each host and seed: some minutes of the whole on one core would be too many.
const REQUESTS: usize = 3_000;

/// A twin with its keys, and what has been seen in its answers.
struct Fuzz {
    server: Server<Demo>,
    told: Value,
    rng: Rng,
    now: Nanos,
    kalshi: aws_lc_rs::signature::Ed25519KeyPair,
    signer: Signer,
    /// Texts worth sending again: ids, tickers, cursors, amounts.
    words: Vec<String>,
}

/// What a number that somebody sends may be.
const NUMBERS: [&str; 16] = [
    "0",
    "1",
    "-1",
    "100",
    "0.01",
    "0.5",
    "1e400",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "1795132800000",
    "0.000001",
    "NaN",
    "1000000000",
    "115792089237316195423570985008687907853269984665640564039457584007913129639936",
];

impl Fuzz {
    fn new(seed: u64) -> Self {
        let dir = Scratch::new("twin-fuzz");
        let (mut server, told) = open(&Options { seed, ..Options::default() }, &dir).unwrap();
        let now = server.now();
        let account = &told["polymarket"]["accounts"][0];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let signer = Signer::new(
            &Secret::new(text(&account["private_key"])),
            SignatureType::from_number(0).unwrap(),
            Address::parse(&text(&account["funder"])),
            Chain::Polygon,
            Some(&Credentials {
                api_key: text(&account["api_key"]),
                secret: Secret::new(text(&account["secret"])),
                passphrase: Secret::new(text(&account["passphrase"])),
            }),
        )
        .unwrap();
        let pem = std::fs::read_to_string(text(&told["kalshi"]["accounts"][1]["private_key_file"]));
        let pem = pem.unwrap();
        let der: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let der = STANDARD.decode(der).unwrap();
        let kalshi = aws_lc_rs::signature::Ed25519KeyPair::from_pkcs8(&der).unwrap();
        let mut words: Vec<String> = NUMBERS.map(str::to_owned).into();
        for list in ["polymarket", "kalshi"] {
            words.extend(told["markets"][list].as_array().unwrap().iter().map(text));
        }
        for market in server.backend().polymarket.markets() {
            words.extend([market.spec.yes_token.clone(), market.spec.no_token.clone()]);
            words.extend([market.spec.slug.clone(), market.spec.event_id.clone()]);
        }
        words.push(text(&account["funder"]));
        for word in
            ["LTE=", "MTg0NDY3NDQwNzM3MDk1NTE2MTU=", "MA==", "%", "\u{fffd}\u{1f9e6}", "open"]
        {
            words.push(word.into());
        }
        Self { server, told, rng: Rng::new(seed), now, kalshi, signer, words }
    }

    fn word(&mut self) -> String {
        if self.rng.chance(1, 8) {
            let count = self.rng.below(40) as usize;
            let bytes: Vec<u8> = (0..count).map(|_| self.rng.below(256) as u8).collect();
            return String::from_utf8_lossy(&bytes).into_owned();
        }
        let at = self.rng.below(self.words.len() as u64) as usize;
        let mut word = self.words[at].clone();
        if self.rng.chance(1, 10) && !word.is_empty() {
            let at = self.rng.below(word.chars().count() as u64) as usize;
            word = word.chars().enumerate().filter(|(i, _)| *i != at).map(|(_, c)| c).collect();
        }
        word
    }

    /// Any JSON, some levels deep.
    fn value(&mut self, depth: u32) -> Value {
        match self.rng.below(if depth == 0 { 5 } else { 7 }) {
            0 => json!(self.word()),
            1 => serde_json::from_str(NUMBERS[self.rng.below(16) as usize]).unwrap_or(Value::Null),
            2 => json!(self.rng.word()),
            3 => json!(self.rng.chance(1, 2)),
            4 => Value::Null,
            5 => (0..self.rng.below(4)).map(|_| self.value(depth - 1)).collect(),
            _ => {
                let keys =
                    ["order", "orders", "order_id", "orderID", "params", "cmd", "exchange_index"];
                let count = self.rng.below(4);
                let mut object = json!({});
                for _ in 0..count {
                    let key = keys[self.rng.below(keys.len() as u64) as usize];
                    object[key] = self.value(depth - 1);
                }
                object
            }
        }
    }

    /// A sound value with one thing in it changed.
    fn mutate(&mut self, value: &mut Value) {
        match value {
            Value::Object(map) if !map.is_empty() => {
                let at = self.rng.below(map.len() as u64) as usize;
                if self.rng.chance(1, 8) {
                    let key = map.keys().nth(at).unwrap().clone();
                    map.shift_remove(&key);
                } else {
                    self.mutate(map.values_mut().nth(at).unwrap());
                }
            }
            Value::Array(list) if !list.is_empty() => {
                let at = self.rng.below(list.len() as u64) as usize;
                self.mutate(&mut list[at]);
            }
            other => *other = self.value(1),
        }
    }

    fn query(&mut self) -> Vec<(String, String)> {
        const NAMES: [&str; 30] = [
            "limit",
            "offset",
            "cursor",
            "next_cursor",
            "after_cursor",
            "user",
            "token_id",
            "condition_id",
            "status",
            "id",
            "market",
            "asset_id",
            "before",
            "after",
            "start",
            "end",
            "side",
            "asset_type",
            "exchange_index",
            "ticker",
            "tickers",
            "event_ticker",
            "depth",
            "min_ts",
            "max_ts",
            "count_filter",
            "with_nested_markets",
            "closed",
            "condition_ids",
            "settlement_status",
        ];
        let count = self.rng.below(4);
        (0..count)
            .map(|_| {
                let name = NAMES[self.rng.below(NAMES.len() as u64) as usize];
                (name.to_owned(), self.word())
            })
            .collect()
    }

    /// A request at a route, its open parts and everything else drawn.
    fn at<E>(&mut self, routes: &[Route<E>]) -> Request {
        let route = &routes[self.rng.below(routes.len() as u64) as usize];
        let parts: Vec<String> = route
            .path
            .split('/')
            .map(|part| if part.starts_with('{') { self.word() } else { part.to_owned() })
            .collect();
        let method = if self.rng.chance(1, 20) { "PATCH" } else { route.method };
        let body = if self.rng.chance(2, 3) { self.value(3).to_string() } else { self.word() };
        Request {
            method: method.into(),
            path: parts.join("/"),
            query: self.query(),
            headers: vec![("Content-Type".into(), "application/json".into())],
            body: body.into_bytes(),
        }
    }

    fn kalshi_signed(&mut self, mut req: Request) -> Request {
        let stamp = self.now.millis().to_string();
        let message = format!("{stamp}{}{}", req.method, req.path);
        let signature = STANDARD.encode(self.kalshi.sign(message.as_bytes()).as_ref());
        let key = self.told["kalshi"]["accounts"][1]["key_id"].as_str().unwrap().to_owned();
        req.headers.push(("KALSHI-ACCESS-KEY".into(), key));
        req.headers.push(("KALSHI-ACCESS-TIMESTAMP".into(), stamp));
        req.headers.push(("KALSHI-ACCESS-SIGNATURE".into(), signature));
        req
    }

    fn clob_signed(&mut self, mut req: Request) -> Request {
        let secs = self.now.get() / 1_000_000_000;
        let headers = self.signer.l2_headers(secs, &req.method, &req.path, &req.body);
        let pairs = headers.pairs();
        req.headers.extend(pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        req
    }

    /// A Kalshi order, sound but for at most one field.
    fn kalshi_order(&mut self) -> Value {
        let tickers = self.told["markets"]["kalshi"].as_array().unwrap().clone();
        let ticker = self.rng.pick(&tickers).clone();
        let price = *self.rng.pick(&["0.0100", "0.4000", "0.5000", "0.6000", "0.9900"]);
        let kinds = ["good_till_canceled", "immediate_or_cancel", "fill_or_kill"];
        let kind = *self.rng.pick(&kinds);
        let self_trade = *self.rng.pick(&["taker_at_cross", "maker"]);
        let mut order = json!({
            "ticker": ticker,
            "client_order_id": format!("f-{}", self.rng.word()),
            "side": if self.rng.chance(1, 2) { "bid" } else { "ask" },
            "count": format!("{}.00", self.rng.range(1, 400)),
            "price": price,
            "time_in_force": kind,
            "self_trade_prevention_type": self_trade,
        });
        if self.rng.chance(1, 3) {
            self.mutate(&mut order);
        }
        order
    }

    /// A Polymarket order that its account signed; mutated ones carry the signature of what they were.
    fn clob_order(&mut self) -> Vec<u8> {
        let index =
            self.rng.below(self.server.backend().polymarket.markets().len() as u64) as usize;
        let market = &self.server.backend().polymarket.markets()[index];
        let (exchange, token) = (market.exchange(), market.spec.yes_token.clone());
        let (price, cents) = (self.rng.range(1, 99), self.rng.range(500, 40_000));
        let (quote, shares) = (price * 100 * cents, cents * 10_000);
        let buy = self.rng.chance(2, 3);
        let kinds = [OrderType::Gtc, OrderType::Gtd, OrderType::Fok, OrderType::Fak];
        let order_type = kinds[self.rng.below(4) as usize];
        let ends = [0, self.now.millis(), self.now.get() / 1_000_000_000 + 600, u64::MAX];
        let terms = Terms {
            exchange: if self.rng.chance(1, 10) { Exchange::V3 } else { exchange },
            token: &token,
            side: if buy { Action::Buy } else { Action::Sell },
            maker_amount: if buy { quote } else { shares },
            taker_amount: if buy { shares } else { quote },
            salt: self.rng.word() >> 12,
            timestamp: self.now.millis(),
            expiration: ends[self.rng.below(4) as usize],
            order_type,
            post_only: self.rng.chance(1, 5),
            metadata: [0; 32],
            builder: [0; 32],
        };
        let Ok(signed) = self.signer.sign(&terms) else { return b"{}".to_vec() };
        let mut body = Vec::new();
        encode::post_order(&mut body, &self.signer, &signed);
        if self.rng.chance(1, 3)
            && let Ok(mut value) = serde_json::from_slice::<Value>(&body)
        {
            self.mutate(&mut value);
            return value.to_string().into_bytes();
        }
        body
    }

    fn send(&mut self, host: Host, req: &Request) -> Response {
        let now = self.now;
        let answer = self.server.backend().venue(host).http(host, req, now);
        assert!((200..=599).contains(&answer.status), "{req:?}");
        let is_json = answer.headers.iter().any(|(_, value)| value == "application/json");
        if is_json {
            let read = serde_json::from_slice::<Value>(&answer.body);
            let read = read.unwrap_or_else(|error| panic!("{error} in the answer to {req:?}"));
            if self.words.len() < 2_000 && self.rng.chance(1, 4) {
                self.learn(&read);
            }
        }
        self.pass();
        answer
    }

    /// Keeps ids out of an answer.
    fn learn(&mut self, value: &Value) {
        match value {
            Value::Object(map) => map.values().take(12).for_each(|value| self.learn(value)),
            Value::Array(list) => list.iter().take(3).for_each(|value| self.learn(value)),
            Value::String(text) if !text.is_empty() && text.len() < 100 => {
                self.words.push(text.clone())
            }
            _ => {}
        }
    }

    /// A little time goes by, the flow moves, and frames are taken.
    fn pass(&mut self) {
        self.now = self.now.after(Nanos::from_millis(self.rng.below(40)));
        let now = self.now;
        let backend = self.server.backend();
        if backend.deadline() <= now {
            backend.tick(now);
        }
        while backend.poll_out().is_some() {}
    }
}

#[test]
fn any_request_gets_an_answer_and_money_adds_up() {
    for seed in [1, 2] {
        let mut fuzz = Fuzz::new(seed);
        let backend = fuzz.server.backend();
        let (polymarket, kalshi_money) =
            (backend.polymarket.total_micros(), backend.kalshi.money());
        for _ in 0..REQUESTS {
            let req = fuzz.at(clob::ROUTES);
            let req = if fuzz.rng.chance(3, 4) { fuzz.clob_signed(req) } else { req };
            fuzz.send(Host::PolymarketClob, &req);
            let body = fuzz.clob_order();
            let (method, path) = ("POST".into(), "/order".into());
            let req = fuzz.clob_signed(Request { method, path, body, ..Request::default() });
            fuzz.send(Host::PolymarketClob, &req);
            let req = fuzz.at(meta::ROUTES);
            fuzz.send(Host::Gamma, &req);
            let req = fuzz.at(data::ROUTES);
            fuzz.send(Host::Data, &req);
            let req = fuzz.at(kalshi::ROUTES);
            let req = if fuzz.rng.chance(3, 4) { fuzz.kalshi_signed(req) } else { req };
            fuzz.send(Host::KalshiRest, &req);
            let order = fuzz.kalshi_order();
            let batch = fuzz.rng.chance(1, 8);
            let path = if batch { "/batched" } else { "" };
            let body =
                if batch { json!({ "orders": [order, fuzz.kalshi_order()] }) } else { order };
            let req = fuzz.kalshi_signed(Request {
                method: "POST".into(),
                path: format!("/trade-api/v2/portfolio/events/orders{path}"),
                headers: vec![("Content-Type".into(), "application/json".into())],
                body: body.to_string().into_bytes(),
                ..Request::default()
            });
            fuzz.send(Host::KalshiRest, &req);
        }
        let backend = fuzz.server.backend();
        assert_eq!(backend.polymarket.total_micros(), polymarket, "seed {seed}");
        let money = backend.kalshi.money() + backend.kalshi.fees_taken();
        assert_eq!(money, kalshi_money, "seed {seed}");
        assert!(backend.kalshi.fees_taken() > surefoot_hot::units::Usd::ZERO, "orders traded");
    }
}

#[test]
fn any_frame_is_survived() {
    let mut fuzz = Fuzz::new(3);
    let (market, user, kalshi) = (ConnId(1_001), ConnId(1_002), ConnId(1_003));
    let now = fuzz.now;
    let path =
        |path: &str| Request { method: "GET".into(), path: path.into(), ..Request::default() };
    let signed = fuzz.kalshi_signed(path("/trade-api/ws/v2"));
    let backend = fuzz.server.backend();
    backend
        .venue(Host::PolymarketWs)
        .ws_open(market, Host::PolymarketWs, &path("/ws/market"), now)
        .unwrap();
    backend
        .venue(Host::PolymarketWs)
        .ws_open(user, Host::PolymarketWs, &path("/ws/user"), now)
        .unwrap();
    backend.venue(Host::KalshiWs).ws_open(kalshi, Host::KalshiWs, &signed, now).unwrap();
    let tickers = fuzz.told["markets"]["kalshi"].clone();
    let token = fuzz.server.backend().polymarket.markets()[0].spec.yes_token.clone();
    let account = fuzz.told["polymarket"]["accounts"][0].clone();
    let sound = [
        json!({"type": "market", "assets_ids": [token], "custom_feature_enabled": true}),
        json!({"operation": "subscribe", "assets_ids": [token]}),
        json!({"operation": "unsubscribe", "assets_ids": [token]}),
        json!({"type": "user", "markets": [], "auth": {"apiKey": account["api_key"], "secret": account["secret"],
            "passphrase": account["passphrase"]}}),
        json!({"id": 1, "cmd": "subscribe", "params": {"channels": ["orderbook_delta", "ticker", "fill"],
            "market_tickers": tickers}}),
        json!({"id": 2, "cmd": "update_subscription", "params": {"sids": [1], "action": "add_markets",
            "market_tickers": tickers}}),
        json!({"id": 3, "cmd": "update_subscription", "params": {"sid": 1, "action": "get_snapshot",
            "market_ticker": tickers[0]}}),
        json!({"id": 4, "cmd": "unsubscribe", "params": {"sids": [1, 2]}}),
        json!({"id": 5, "cmd": "list_subscriptions"}),
    ];
    for _ in 0..20_000 {
        let mut frame = sound[fuzz.rng.below(sound.len() as u64) as usize].clone();
        if fuzz.rng.chance(2, 3) {
            fuzz.mutate(&mut frame);
        }
        let text = if fuzz.rng.chance(1, 20) { fuzz.word() } else { frame.to_string() };
        let (conn, host) =
            [(market, Host::PolymarketWs), (user, Host::PolymarketWs), (kalshi, Host::KalshiWs)]
                [fuzz.rng.below(3) as usize];
        let now = fuzz.now;
        fuzz.server.backend().venue(host).ws_text(conn, &text, now);
        fuzz.pass();
    }
}
