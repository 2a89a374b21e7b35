//! Any request and any frame at the twin, signed as a client's are: an answer, and it serves on.

use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use surefoot::access::Access;
use surefoot::machine::venue::{KalshiAccount, PolymarketAccount};
use surefoot::twin::demo::Demo;
use surefoot::twin::http::{Request, Response};
use surefoot::twin::open::{Options, open};
use surefoot::twin::server::{Backend as _, Remote, Running};
use surefoot::twin::{ConnId, Host};
use surefoot_cold::directory::PolymarketNames;
use surefoot_cold::rest::Auth;
use surefoot_cold::venue::kalshi::KalshiAuth;
use surefoot_cold::venue::polymarket::PolymarketAuth;
use surefoot_cold::venue::polymarket::{encode, metadata};
use surefoot_hot::order::Order;
use surefoot_hot::pack::Arbitrary;
use surefoot_hot::units::{Nanos, Price, Qty};

use surefoot_properties::random::{Rng, any_json, mutate_json, odd_value};

const CLOB: &[&str] = &[
    "/order",
    "/orders",
    "/cancel-all",
    "/cancel-market-orders",
    "/data/orders",
    "/data/order/",
    "/data/trades",
    "/balance-allowance",
    "/balance-allowance/update",
    "/v1/heartbeats",
    "/heartbeats",
    "/auth/api-key",
    "/auth/derive-api-key",
    "/auth/api-keys",
    "/book",
    "/books",
    "/midpoint",
    "/midpoints",
    "/price",
    "/prices",
    "/spread",
    "/spreads",
    "/last-trade-price",
    "/last-trades-prices",
    "/tick-size",
    "/neg-risk",
    "/fee-rate",
    "/time",
    "/markets",
    "/simplified-markets",
    "/sampling-markets",
    "/markets/",
    "/clob-markets/",
    "/markets-by-token/",
    "/prices-history",
    "/order-scoring",
    "/orders-scoring",
    "/notifications",
    "/version",
];
const GAMMA: &[&str] = &[
    "/markets",
    "/events",
    "/markets/keyset",
    "/events/keyset",
    "/markets/",
    "/events/",
    "/public-search",
    "/series",
];
const DATA: &[&str] = &[
    "/positions",
    "/trades",
    "/activity",
    "/v2/positions",
    "/v2/trades",
    "/v2/activity",
    "/value",
    "/closed-positions",
];
const KALSHI: &[&str] = &[
    "/exchange/status",
    "/exchange/schedule",
    "/account/limits",
    "/account/endpoint_costs",
    "/markets",
    "/markets/",
    "/markets/trades",
    "/markets/orderbooks",
    "/events",
    "/events/",
    "/events/fee_changes",
    "/series",
    "/series/",
    "/series/fee_changes",
    "/portfolio/balance",
    "/portfolio/positions",
    "/portfolio/fills",
    "/portfolio/orders",
    "/portfolio/orders/",
    "/portfolio/settlements",
    "/portfolio/events/orders",
    "/portfolio/events/orders/",
    "/portfolio/events/orders/batched",
    "/portfolio/order_groups",
    "/portfolio/order_groups/create",
    "/portfolio/order_groups/",
    "/portfolio/intra_exchange_instance_transfer",
    "/portfolio/subaccounts",
];
const QUERY: &[&str] = &[
    "limit",
    "offset",
    "cursor",
    "next_cursor",
    "after_cursor",
    "after",
    "before",
    "min_ts",
    "max_ts",
    "start_ts",
    "end_ts",
    "startTs",
    "endTs",
    "interval",
    "fidelity",
    "depth",
    "status",
    "ticker",
    "tickers",
    "event_ticker",
    "series_ticker",
    "token_id",
    "side",
    "user",
    "market",
    "asset_id",
    "id",
    "condition_id",
    "condition_ids",
    "clob_token_ids",
    "order",
    "ascending",
    "signature_type",
    "asset_type",
    "exchange_index",
    "subaccount",
    "size",
    "sizeThreshold",
    "with_nested_markets",
    "count_filter",
    "category",
    "closed",
    "settlement_status",
    "order_id",
    "min_close_ts",
    "max_close_ts",
    "mve_filter",
    "include_markets",
    "type",
];
const BODY: &[&str] = &[
    "ticker",
    "client_order_id",
    "side",
    "action",
    "count",
    "count_fp",
    "price",
    "yes_price_dollars",
    "time_in_force",
    "expiration_time",
    "expiration_ts",
    "self_trade_prevention_type",
    "exchange_index",
    "post_only",
    "reduce_only",
    "cancel_order_on_pause",
    "order_group_id",
    "orders",
    "order_id",
    "ids",
    "reduce_by",
    "reduce_to",
    "contracts_limit",
    "subaccount",
    "amount",
    "from",
    "to",
    "order",
    "owner",
    "orderType",
    "deferExec",
    "postOnly",
    "salt",
    "maker",
    "signer",
    "taker",
    "tokenId",
    "makerAmount",
    "takerAmount",
    "expiration",
    "signatureType",
    "signature",
    "timestamp",
    "metadata",
    "builder",
    "heartbeat_id",
    "token_id",
    "market",
    "asset_id",
    "orderID",
    "orderIDs",
];
const FRAME: &[&str] = &[
    "type",
    "id",
    "cmd",
    "params",
    "channels",
    "sids",
    "market_tickers",
    "market_ticker",
    "action",
    "assets_ids",
    "markets",
    "auth",
    "apiKey",
    "secret",
    "passphrase",
    "operation",
    "custom_feature_enabled",
    "initial_dump",
    "level",
    "send_initial_snapshot",
    "skip_ticker_ack",
    "orderbook_delta",
    "ticker",
    "trade",
    "fill",
    "user_orders",
];

/// A running twin, and what a client knows of it.
pub struct Twin {
    running: Running<Demo>,
    remote: Remote<Demo>,
    access: Access,
    polymarket: Vec<PolymarketNames>,
    kalshi: Vec<(String, Value)>,
    words: Vec<String>,
}

pub fn start(dir: &Path) -> Twin {
    let options = Options { seed: 3, ..Options::default() };
    let (server, description) = open(&options, dir).expect("it listens");
    let access = Access::from_json(&description).expect("its own description");
    let remote = server.remote();
    let running = server.spawn().expect("a thread");
    let mut twin =
        Twin { running, remote, access, polymarket: vec![], kalshi: vec![], words: vec![] };
    let list = |host, path: &str| {
        let request = Request { method: "GET".into(), path: path.into(), ..Request::default() };
        let response = twin.ask(host, request);
        serde_json::from_slice::<Value>(&response.body).expect("JSON")
    };
    let gamma = list(Host::Gamma, "/markets");
    let rows = gamma.as_array().expect("a list");
    let polymarket = rows.iter().filter_map(|row| Some(metadata::gamma(row).ok()?.names)).collect();
    let listed = list(Host::KalshiRest, "/trade-api/v2/markets");
    let rows = listed["markets"].as_array().expect("a list");
    let kalshi = rows.iter().filter_map(|row| {
        Some((row["ticker"].as_str()?.to_owned(), row["exchange_index"].clone()))
    });
    let kalshi = kalshi.collect();
    twin.polymarket = polymarket;
    twin.kalshi = kalshi;
    assert!(!twin.polymarket.is_empty() && !twin.kalshi.is_empty());
    twin.words = twin.kalshi.iter().take(5).map(|(ticker, _)| ticker.clone()).collect();
    twin.words.extend(twin.polymarket.iter().take(5).flat_map(|names| {
        [names.condition_id.clone(), names.yes_token.clone(), names.no_token.clone()]
    }));
    twin
}

impl Twin {
    fn ask(&self, host: Host, request: Request) -> Response {
        let shown = format!("{} {} {:?}", request.method, request.path, request.query);
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let answer = self.remote.with(move |world, now| {
            let answer = world.venue(host).http(host, &request, now);
            while world.poll_out().is_some() {}
            answer
        });
        answer.unwrap_or_else(|| panic!("the twin ended at {shown}\n{body}"))
    }

    /// A word that means something to a venue, or an odd one.
    fn word(&self, rng: &mut Rng) -> String {
        if rng.one_in(3) {
            return rng.pick(&self.words).clone();
        }
        match odd_value(rng) {
            Value::String(text) => text,
            other => other.to_string(),
        }
    }

    fn path(&self, rng: &mut Rng, of: &[&str]) -> String {
        let path = *rng.pick(of);
        if path.ends_with('/') { format!("{path}{}", self.word(rng)) } else { path.to_owned() }
    }

    /// An order as a client signs it, of any price and size that can be signed.
    fn signed(&self, rng: &mut Rng) -> Option<Value> {
        let order: Order = Arbitrary::from_seed(rng.next()).value();
        let price = Price::from_ticks(u16::try_from(100 * (1 + rng.below(99))).ok()?)?;
        let qty = Qty::from_micros(10_000 * (rng.next() % 1_000_000));
        let names = &self.polymarket[rng.below(self.polymarket.len())];
        let signed = self
            .access
            .accounts
            .of::<PolymarketAccount>()
            .expect("the accounts are the twin\'s")
            .signer
            .order(names, &Order { price, qty, ..order })
            .ok()?;
        let mut body = Vec::new();
        encode::post_order(
            &mut body,
            &self
                .access
                .accounts
                .of::<PolymarketAccount>()
                .expect("the accounts are the twin\'s")
                .signer,
            &signed,
        );
        serde_json::from_slice(&body).ok()
    }

    fn kalshi_order(&self, rng: &mut Rng) -> Value {
        let (ticker, shard) = &self.kalshi[rng.below(self.kalshi.len())];
        let (cents, count) = (1 + rng.below(99), 1 + rng.below(1_000));
        json!({
            "ticker": ticker, "client_order_id": format!("fuzz-{}", rng.next()),
            "side": *rng.pick(&["bid", "ask"]), "count": format!("{count}.00"), "price": format!("0.{cents:02}00"),
            "time_in_force": *rng.pick(&["good_till_canceled", "immediate_or_cancel", "fill_or_kill"]),
            "self_trade_prevention_type": "taker_at_cross", "exchange_index": shard,
        })
    }

    fn body(&self, rng: &mut Rng, host: Host) -> Value {
        let mut value = match (rng.below(4), host) {
            (0, _) => any_json(rng, BODY, 3),
            (1, Host::PolymarketClob) => json!([self.signed(rng), self.signed(rng)]),
            (_, Host::PolymarketClob) => self.signed(rng).unwrap_or_else(|| odd_value(rng)),
            (1, Host::KalshiRest) => {
                json!({ "orders": [self.kalshi_order(rng), self.kalshi_order(rng)] })
            }
            (_, Host::KalshiRest) => self.kalshi_order(rng),
            _ => odd_value(rng),
        };
        for _ in 0..rng.below(3) {
            mutate_json(rng, &mut value);
        }
        value
    }

    /// One request to any host: answered, with a status that HTTP has.
    pub fn request_any(&self, rng: &mut Rng) {
        let (host, paths) = *rng.pick(&[
            (Host::PolymarketClob, CLOB),
            (Host::Gamma, GAMMA),
            (Host::Data, DATA),
            (Host::KalshiRest, KALSHI),
            (Host::KalshiRest, KALSHI),
        ]);
        let mut path = self.path(rng, paths);
        if host == Host::KalshiRest {
            path = format!("/trade-api/v2{path}");
        }
        let method = (*rng.pick(&["GET", "POST", "DELETE", "POST", "PUT"])).to_owned();
        let query =
            (0..rng.below(4)).map(|_| ((*rng.pick(QUERY)).to_owned(), self.word(rng))).collect();
        let body = if method == "GET" {
            Vec::new()
        } else {
            self.body(rng, host).to_string().into_bytes()
        };
        let auth: Arc<dyn Auth> = match host {
            Host::KalshiRest => Arc::new(KalshiAuth(
                self.access
                    .accounts
                    .of::<KalshiAccount>()
                    .expect("the accounts are the twin\'s")
                    .signer
                    .clone(),
            )),
            _ => Arc::new(PolymarketAuth(
                self.access
                    .accounts
                    .of::<PolymarketAccount>()
                    .expect("the accounts are the twin\'s")
                    .signer
                    .clone(),
            )),
        };
        let mut headers = auth.headers(wall(), &method, &path, &body);
        headers.push(("Content-Type".into(), "application/json".into()));
        let answer = self.ask(host, Request { method, path, query, headers, body });
        assert!((200..600).contains(&answer.status), "{answer:?}");
    }

    /// One frame of any kind on a connection of any kind.
    pub fn frame_any(&self, rng: &mut Rng) {
        let mut frame = match rng.below(3) {
            0 => any_json(rng, FRAME, 3),
            1 => {
                json!({ "type": "market", "assets_ids": [rng.pick(&self.words)], "operation": "subscribe" })
            }
            _ => json!({ "id": 1, "cmd": "subscribe", "params": {
                "channels": ["orderbook_delta", "ticker"], "market_tickers": [rng.pick(&self.words)] } }),
        };
        for _ in 0..rng.below(3) {
            mutate_json(rng, &mut frame);
        }
        let (host, path, text) = match rng.below(3) {
            0 => (Host::PolymarketWs, "/ws/market", frame.to_string()),
            1 => (Host::PolymarketWs, "/ws/user", frame.to_string()),
            _ => (Host::KalshiWs, "/trade-api/ws/v2", frame.to_string()),
        };
        let headers = KalshiAuth(
            self.access
                .accounts
                .of::<KalshiAccount>()
                .expect("the accounts are the twin\'s")
                .signer
                .clone(),
        )
        .headers(wall(), "GET", path, b"");
        let request =
            Request { method: "GET".into(), path: path.into(), headers, ..Request::default() };
        let (conn, shown) = (ConnId(u64::MAX - rng.next() % 1_000), text.clone());
        let served = self.remote.with(move |world, now| {
            let venue = world.venue(host);
            if venue.ws_open(conn, host, &request, now).is_ok() {
                venue.ws_text(conn, &text, now);
                while venue.poll_out().is_some() {}
                venue.ws_close(conn);
            }
        });
        assert!(served.is_some(), "the twin ended at {shown}");
    }

    pub fn stop(mut self) {
        self.running.stop().expect("it runs to its end");
    }
}

/// What a request is stamped with.
fn wall() -> Nanos {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Nanos::new(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}
