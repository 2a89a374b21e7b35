//! A twin with keys, a clock and a memory of its frames.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, RSA_PSS_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use surefoot::twin::http::{Request, Response};
use surefoot::twin::kalshi::auth::KeyType;
use surefoot::twin::kalshi::limits::Tier;
use surefoot::twin::kalshi::{Config, Credential, KalshiVenue};
use surefoot::twin::market_set::MarketSet;
use surefoot::twin::{ConnId, Host, VenueServer};
use surefoot_hot::ids::Side;
use surefoot_hot::units::{Nanos, Price, Qty};

pub const START: Nanos = Nanos::from_secs(1_795_197_600);
pub const ORDERS: &str = "/trade-api/v2/portfolio/events/orders";
pub const RSA: usize = 0;
pub const ED: usize = 1;

pub struct Rig {
    pub twin: KalshiVenue,
    pub market_set: MarketSet,
    pub keys: Vec<Credential>,
    pub now: Nanos,
    pub frames: Vec<(ConnId, Value)>,
    pub next_id: u64,
}

fn der(pem: &str) -> Vec<u8> {
    STANDARD.decode(pem.lines().filter(|line| !line.starts_with('-')).collect::<String>()).unwrap()
}

pub fn sign(key: &Credential, message: &[u8]) -> String {
    let der = der(key.pem.expose());
    STANDARD.encode(match key.key_type {
        KeyType::Rsa => {
            let pair = RsaKeyPair::from_pkcs8(&der).unwrap();
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(&RSA_PSS_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
            signature
        }
        KeyType::Ed25519 => {
            Ed25519KeyPair::from_pkcs8(&der).unwrap().sign(message).as_ref().to_vec()
        }
    })
}

impl Rig {
    pub fn new() -> Self {
        Self::with(Config { tier: Tier::Premier, ..Config::default() })
    }

    pub fn with(config: Config) -> Self {
        let market_set = MarketSet::generated(1, START);
        let twin = KalshiVenue::new(&market_set, 1, config, START).unwrap();
        let keys = twin.credentials();
        Self { twin, market_set, keys, now: START, frames: Vec::new(), next_id: 0 }
    }

    pub fn request(&self, who: usize, method: &str, target: &str, body: Option<&Value>) -> Request {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = if path.starts_with("/trade-api") {
            path.to_owned()
        } else {
            format!("/trade-api/v2{path}")
        };
        let stamp = self.now.millis().to_string();
        let signature = sign(&self.keys[who], format!("{stamp}{method}{path}").as_bytes());
        let pair = |text: &str| text.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned()));
        Request {
            method: method.into(),
            path,
            query: query.split('&').filter_map(pair).collect(),
            headers: vec![
                ("kalshi-access-key".into(), self.keys[who].key_id.clone()),
                ("KALSHI-ACCESS-TIMESTAMP".into(), stamp),
                ("KALSHI-ACCESS-SIGNATURE".into(), signature),
                ("Content-Type".into(), "application/json".into()),
            ],
            body: body.map(|body| body.to_string().into_bytes()).unwrap_or_default(),
        }
    }

    pub fn send(&mut self, request: &Request) -> (u16, Value) {
        let Response { status, body, .. } = self.twin.http(Host::KalshiRest, request, self.now);
        self.drain();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    pub fn call(
        &mut self,
        who: usize,
        method: &str,
        target: &str,
        body: Option<Value>,
    ) -> (u16, Value) {
        let request = self.request(who, method, target, body.as_ref());
        self.send(&request)
    }

    pub fn order(&mut self, market: usize, side: &str, price: &str, count: &str) -> Value {
        self.next_id += 1;
        json!({
            "ticker": self.market_set.kalshi[market].ticker, "client_order_id": format!("sf-{:016x}", self.next_id),
            "side": side, "count": count, "price": price, "time_in_force": "good_till_canceled",
            "self_trade_prevention_type": "taker_at_cross",
            "exchange_index": self.market_set.series_of(market).exchange_index,
        })
    }

    pub fn create(&mut self, who: usize, order: Value) -> (u16, Value) {
        self.call(who, "POST", ORDERS, Some(order))
    }

    pub fn place(
        &mut self,
        who: usize,
        market: usize,
        side: &str,
        price: &str,
        count: &str,
    ) -> Value {
        let order = self.order(market, side, price, count);
        let (status, answer) = self.create(who, order);
        assert_eq!(status, 201, "{answer}");
        answer
    }

    pub fn house(&mut self, market: usize, side: Side, ticks: u16, contracts: u64) {
        let (price, qty) = (Price::from_ticks(ticks).unwrap(), Qty::from_contracts(contracts));
        self.twin.house_level(market, side, price, qty, self.now);
        self.drain();
    }

    pub fn drain(&mut self) {
        while let Some((conn, text)) = self.twin.poll_out() {
            self.frames.push((conn, serde_json::from_str(&text).unwrap()));
        }
    }

    pub fn connect(&mut self, conn: u64, who: usize) {
        let request = self.request(who, "GET", "/trade-api/ws/v2", None);
        self.twin.ws_open(ConnId(conn), Host::KalshiWs, &request, self.now).unwrap();
    }

    pub fn say(&mut self, conn: u64, command: &Value) -> Vec<Value> {
        self.frames.clear();
        self.twin.ws_text(ConnId(conn), &command.to_string(), self.now);
        self.drain();
        self.frames.drain(..).map(|(_, frame)| frame).collect()
    }

    pub fn cash(&mut self, who: usize) -> String {
        self.call(who, "GET", "/portfolio/balance", None).1["balance_dollars"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    pub fn ticker(&self, market: usize) -> String {
        self.market_set.kalshi[market].ticker.clone()
    }
}

pub fn code(answer: &Value) -> &str {
    answer["error"]["code"].as_str().unwrap_or_default()
}

pub fn micros(text: &Value) -> i64 {
    let text = text.as_str().unwrap();
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, part) = text.split_once('.').unwrap();
    sign * format!("{whole}{part:0<6}").parse::<i64>().unwrap()
}
