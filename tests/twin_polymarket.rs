//! The twin's Polymarket over real loopback TLS: sockets, ALPN, keep-alive, streams, faults.
#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};
use surefoot::twin::market_set;
use surefoot::twin::polymarket::{Config, DemoAccount, PolymarketVenue};
use surefoot::twin::server::{
    Backend, Command, Fault, Running, Server, ServerOptions, StampKind, wall_now,
};
use surefoot::twin::{ConnId, Host, VenueServer};
use surefoot_cold::secrets::Secret;
use surefoot_cold::venue::polymarket::eip712::{Address, Chain, SignatureType};
use surefoot_cold::venue::polymarket::encode;
use surefoot_cold::venue::polymarket::signer::{Credentials, OrderType, Signer, Terms};
use surefoot_hot::ids::{Action, Side};
use surefoot_hot::units::{Nanos, Price, Qty};
use tungstenite::{Message, WebSocket};

struct Only(PolymarketVenue);

impl Backend for Only {
    fn venue(&mut self, _host: Host) -> &mut dyn VenueServer {
        &mut self.0
    }
    fn poll_out(&mut self) -> Option<(ConnId, String)> {
        self.0.poll_out()
    }
    fn tick(&mut self, now: Nanos) {
        self.0.tick(now);
    }
    fn deadline(&self) -> Nanos {
        self.0.deadline()
    }
}

struct Bench {
    running: Running<Only>,
    endpoints: [SocketAddr; 6],
    roots: RootCertStore,
    accounts: Vec<DemoAccount>,
    market: market_set::PolymarketMarket,
}

type Tls = StreamOwned<ClientConnection, TcpStream>;

fn start() -> Bench {
    let mut venue = PolymarketVenue::new(5, &Config::default());
    let market_set = market_set::MarketSet::generated(5, wall_now());
    for market in &market_set.polymarket {
        venue.add_market(market.clone(), wall_now());
    }
    for (side, ticks) in [(Side::Bid, 4_900), (Side::Ask, 5_100)] {
        let price = Price::from_ticks(ticks).unwrap();
        venue.house_level(0, side, price, Qty::from_contracts(100), wall_now());
    }
    let accounts = venue.demo_accounts();
    let server = Server::new(Only(venue), &ServerOptions::default()).unwrap();
    let endpoints = server.endpoints();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(server.ca_pem().as_bytes()).unwrap()).unwrap();
    let market = market_set.polymarket[0].clone();
    Bench { running: server.spawn().unwrap(), endpoints, roots, accounts, market }
}

impl Bench {
    fn dial(&self, host: Host, alpn: &[&[u8]]) -> Tls {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(self.roots.clone())
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let client = ClientConnection::new(Arc::new(config), name).unwrap();
        let stream = TcpStream::connect(self.endpoints[host.index()]).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        StreamOwned::new(client, stream)
    }

    fn signer(&self, by: usize) -> Signer {
        let account = &self.accounts[by];
        let credentials = Credentials {
            api_key: account.api_key.clone(),
            secret: Secret::new(account.secret.clone()),
            passphrase: Secret::new(account.passphrase.clone()),
        };
        let kind = SignatureType::from_number(account.signature_type).unwrap();
        let funder = Address::parse(&account.funder);
        let key = Secret::new(account.private_key.clone());
        Signer::new(&key, kind, funder, Chain::Polygon, Some(&credentials)).unwrap()
    }

    /// The bytes of a signed `POST /order`: 10 YES at `ticks`.
    fn buy(&self, signer: &Signer, ticks: u64, salt: u64) -> Vec<u8> {
        let millis = wall_now().millis();
        let order = signer
            .sign(&Terms {
                exchange: surefoot_cold::venue::polymarket::eip712::Exchange::Ctf,
                token: &self.market.yes_token,
                side: Action::Buy,
                maker_amount: ticks * 1_000,
                taker_amount: 10_000_000,
                salt,
                timestamp: millis,
                expiration: 0,
                order_type: OrderType::Gtc,
                post_only: false,
                metadata: [0; 32],
                builder: [0; 32],
            })
            .unwrap();
        let mut body = Vec::new();
        encode::post_order(&mut body, signer, &order);
        request(signer, "POST", "/order", &body)
    }

    fn ws(&self, path: &str) -> WebSocket<Tls> {
        let stream = self.dial(Host::PolymarketWs, &[]);
        let uri = format!("wss://127.0.0.1{path}");
        tungstenite::client(uri, stream).unwrap().0
    }
}

fn request(signer: &Signer, method: &str, path: &str, body: &[u8]) -> Vec<u8> {
    let headers = signer.l2_headers(wall_now().millis() / 1_000, method, path, body);
    let mut out = format!("{method} {path} HTTP/1.1\r\nHost: clob\r\n").into_bytes();
    for (name, value) in headers.pairs() {
        out.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    out.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
    out.extend_from_slice(body);
    out
}

fn answer(stream: &mut impl Read) -> (u16, Vec<u8>) {
    let (mut bytes, mut byte) = (Vec::new(), [0]);
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        bytes.push(byte[0]);
    }
    let head = String::from_utf8(bytes).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).unwrap();
    (status, body)
}

fn text(ws: &mut WebSocket<Tls>) -> Value {
    loop {
        if let Message::Text(text) = ws.read().unwrap() {
            return serde_json::from_str(&text).unwrap_or_else(|_| json!(text.as_str()));
        }
    }
}

#[test]
fn clients_that_offer_h2_are_answered_in_http_1_1() {
    let bench = start();
    for (offered, chosen) in [
        (&[b"h2".as_slice(), b"http/1.1"][..], Some(b"http/1.1".as_slice())),
        (&[b"h2"], None),
        (&[], None),
    ] {
        let mut stream = bench.dial(Host::PolymarketClob, offered);
        stream.write_all(b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        assert_eq!(answer(&mut stream), (200, br#"{"version":2}"#.to_vec()));
        assert_eq!(stream.conn.alpn_protocol(), chosen);
    }
}

#[test]
fn one_connection_carries_many_requests_and_a_bad_one_ends_it() {
    let bench = start();
    let mut stream = bench.dial(Host::PolymarketClob, &[]);
    let book = format!("GET /book?token_id={} HTTP/1.1\r\n\r\n", bench.market.yes_token);
    stream.write_all(format!("{book}HEAD /ok HTTP/1.1\r\n\r\n{book}").as_bytes()).unwrap();
    let (status, first) = answer(&mut stream);
    let first: Value = serde_json::from_slice(&first).unwrap();
    assert_eq!((status, &first["bids"][0]["price"]), (200, &json!("0.49")));
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    assert!(String::from_utf8(head).unwrap().contains("Content-Length: 4"));
    assert_eq!(answer(&mut stream).0, 200);
    stream.write_all(b"nonsense\r\n\r\n").unwrap();
    assert_eq!(answer(&mut stream).0, 400);
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0, "closed");
    // Bytes that are no TLS at all do not hurt the others.
    let mut raw = TcpStream::connect(bench.endpoints[0]).unwrap();
    raw.write_all(&[0x55; 4_096]).unwrap();
    let mut stream = bench.dial(Host::Gamma, &[]);
    stream.write_all(b"GET /markets?limit=1 HTTP/1.1\r\nConnection: close\r\n\r\n").unwrap();
    assert_eq!(answer(&mut stream).0, 200);
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0, "closed as asked");
}

#[test]
fn an_order_lives_and_both_channels_tell_it() {
    let bench = start();
    let signer = bench.signer(3);
    let mut market = bench.ws("/ws/market");
    let assets = [&bench.market.yes_token, &bench.market.no_token];
    let subscribe = json!({"type": "market", "assets_ids": assets, "custom_feature_enabled": true});
    market.send(Message::text(subscribe.to_string())).unwrap();
    assert_eq!(text(&mut market).as_array().unwrap().len(), 2);
    let mut user = bench.ws("/ws/user");
    let account = &bench.accounts[3];
    let auth = json!({"apiKey": account.api_key, "secret": account.secret, "passphrase": account.passphrase});
    user.send(Message::text(json!({"type": "user", "auth": auth}).to_string())).unwrap();
    user.send(Message::text("PING")).unwrap();
    assert_eq!(text(&mut user), "PONG");

    let mut rest = bench.dial(Host::PolymarketClob, &[b"http/1.1"]);
    rest.write_all(&bench.buy(&signer, 5_000, 1)).unwrap();
    let (status, body) = answer(&mut rest);
    let placed: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((status, &placed["status"]), (200, &json!("live")), "{placed}");
    let told = text(&mut user);
    assert_eq!((&told["type"], &told["id"]), (&json!("PLACEMENT"), &placed["orderID"]));
    let kinds: Vec<Value> = (0..3).map(|_| text(&mut market)["event_type"].clone()).collect();
    assert_eq!(kinds, ["best_bid_ask", "best_bid_ask", "price_change"]);

    let id = placed["orderID"].as_str().unwrap();
    let body = json!({"orderID": id}).to_string();
    rest.write_all(&request(&signer, "DELETE", "/order", body.as_bytes())).unwrap();
    let canceled: Value = serde_json::from_slice(&answer(&mut rest).1).unwrap();
    assert_eq!(canceled["canceled"], json!([id]));
    assert_eq!(text(&mut user)["type"], "CANCELLATION");

    rest.write_all(&bench.buy(&signer, 5_100, 2)).unwrap();
    let placed: Value = serde_json::from_slice(&answer(&mut rest).1).unwrap();
    assert_eq!((&placed["status"], &placed["takingAmount"]), (&json!("matched"), &json!("10")));
    let steps: Vec<Value> = (0..4).map(|_| text(&mut user)["status"].clone()).collect();
    assert_eq!(steps, ["MATCHED", "MATCHED", "MINED", "CONFIRMED"], "the clock runs by itself");
}

#[test]
fn faults_come_and_go() {
    let bench = start();
    let signer = bench.signer(0);
    let clob = Host::PolymarketClob;
    let remote = bench.running.remote.clone();
    let get = |path: &str| request(&signer, "GET", path, b"");
    let count = || -> u64 {
        let mut stream = bench.dial(clob, &[]);
        stream.write_all(&get("/data/orders")).unwrap();
        let page: Value = serde_json::from_slice(&answer(&mut stream).1).unwrap();
        page["count"].as_u64().unwrap()
    };
    // Commands are obeyed before the next connection is: one round trip on another host is enough.
    let settle = |command| {
        remote.command(command);
        let mut stream = bench.dial(Host::Gamma, &[]);
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        answer(&mut stream);
    };
    let short = |stream: &Tls| {
        stream.sock.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    };
    for (fault, landed) in [(Fault::PostsIgnored, 0), (Fault::PostsUnanswered, 1)] {
        settle(Command::Fault(clob, fault));
        let mut stream = bench.dial(clob, &[]);
        short(&stream);
        stream.write_all(&bench.buy(&signer, 1_000, 10 + landed)).unwrap();
        assert!(stream.read(&mut [0; 1]).is_err(), "no answer");
        settle(Command::Fault(clob, Fault::None));
        assert_eq!(count(), landed, "{fault:?}");
    }
    settle(Command::Fault(clob, Fault::Frozen));
    let mut stream = bench.dial(clob, &[]);
    short(&stream);
    assert!(
        stream.write_all(&get("/data/orders")).and_then(|()| stream.read(&mut [0; 1])).is_err()
    );
    settle(Command::Fault(clob, Fault::Down));
    stream.sock.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    assert!(matches!(stream.sock.read(&mut [0; 1]), Ok(0) | Err(_)), "closed");
    settle(Command::Fault(clob, Fault::None));
    assert_eq!(count(), 1);
    let mut ws = bench.ws("/ws/market");
    settle(Command::Drop(Host::PolymarketWs));
    assert!(ws.read().is_err());
    assert!(bench.running.is_running());
    assert_eq!(remote.with(|backend, _| backend.0.markets().len()), Some(18));
    let mut running = bench.running;
    running.stop().unwrap();
    assert_eq!(remote.with(|_, _| ()), None, "ended");
}

#[test]
fn stamps_bracket_the_wire() {
    let bench = start();
    let (sender, stamps) = crossbeam_channel::bounded(64);
    bench.running.remote.command(Command::Stamps(Some(sender)));
    let mut market = bench.ws("/ws/market");
    let subscribe = json!({"type": "market", "assets_ids": [bench.market.yes_token]});
    market.send(Message::text(subscribe.to_string())).unwrap();
    text(&mut market);
    let first = stamps.recv_timeout(Duration::from_secs(10)).unwrap();
    assert_eq!((first.host, first.kind), (Host::PolymarketWs, StampKind::FramesOut { count: 1 }));
    let mut rest = bench.dial(Host::PolymarketClob, &[]);
    rest.write_all(&bench.buy(&bench.signer(1), 4_000, 1)).unwrap();
    answer(&mut rest);
    let second = stamps.recv_timeout(Duration::from_secs(10)).unwrap();
    assert_eq!((second.host, second.kind), (Host::PolymarketClob, StampKind::PostIn));
    assert!(second.at > first.at);
}
