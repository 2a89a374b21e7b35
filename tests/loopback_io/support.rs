//! A scripted TLS server, keys and orders.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use surefoot_cold::directory::{Directory, Entry, Generation, KalshiNames, Names, PolymarketNames};
use surefoot_cold::facts::Facts;
use surefoot_cold::net::{Dialer, Endpoint, Trust, client_config};
use surefoot_cold::secrets::Secret;
use surefoot_cold::venue::kalshi::signer::Signer;
use surefoot_hot::ids::{Action, GroupId, MarketId, OrderId, Outcome, Venue};
use surefoot_hot::market::MarketDef;
use surefoot_hot::order::{Order, Purpose, Tif};
use surefoot_hot::risk::gate::{View, check};
use surefoot_hot::risk::{
    Approved, BestPrices, Context, Exposure, LimitRow, Limits, MarketCondition, Rate,
};
use surefoot_hot::units::{Nanos, Price, Qty, Usd};

/// When the virtual clock starts.
pub const START: Nanos = Nanos::from_secs(1_795_000_000);

pub type Stream = StreamOwned<ServerConnection, TcpStream>;

/// An authority and a server configuration it vouches for.
pub fn authority() -> (Trust, Arc<ServerConfig>) {
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_cert = ca.self_signed(&ca_key).unwrap();
    let issuer = Issuer::new(ca, ca_key);
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned(), "localhost".to_owned()]);
    let leaf = leaf.unwrap().signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    (Trust::from_pem("test", ca_cert.pem().as_bytes()).unwrap(), Arc::new(config))
}

/// What a server saw on its connections: their numbers, from 0, and the requests.
pub type Seen = Receiver<(usize, Heard)>;

/// One request.
#[derive(Debug)]
pub struct Heard {
    pub head: String,
    pub body: String,
}

impl Heard {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// Where a script tells what it heard, by the connection's number.
pub type Tell = Sender<(usize, Heard)>;

/// Runs `script` on every connection, one thread each; it ends with the test's process.
pub fn serve<F>(config: Arc<ServerConfig>, script: F) -> (SocketAddr, Seen)
where
    F: Fn(usize, &mut Stream, &Sender<(usize, Heard)>) + Send + Sync + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let (tell, seen) = channel();
    let script = Arc::new(script);
    thread::spawn(move || {
        for (number, sock) in listener.incoming().enumerate() {
            let (config, tell, script) = (Arc::clone(&config), tell.clone(), Arc::clone(&script));
            thread::spawn(move || {
                let sock = sock.unwrap();
                sock.set_nodelay(true).unwrap();
                sock.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
                let mut tls = ServerConnection::new(config).unwrap();
                let mut io = sock;
                while tls.is_handshaking() {
                    if tls.complete_io(&mut io).is_err() {
                        return; // refused by the client
                    }
                }
                script(number, &mut StreamOwned::new(tls, io), &tell);
            });
        }
    });
    (addr, seen)
}

/// Reads one request; `None` at the end of the stream.
pub fn hear(stream: &mut Stream) -> Option<Heard> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4_096];
    loop {
        if let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..at].to_vec()).unwrap();
            let heard = Heard { head, body: String::new() };
            let len = heard.header("content-length").map_or(0, |len| len.parse().unwrap());
            while bytes.len() < at + 4 + len {
                let read = stream.read(&mut chunk).ok().filter(|n| *n > 0)?;
                bytes.extend_from_slice(&chunk[..read]);
            }
            let body = String::from_utf8(bytes[at + 4..].to_vec()).unwrap();
            return Some(Heard { body, ..heard });
        }
        let read = stream.read(&mut chunk).ok().filter(|n| *n > 0)?;
        bytes.extend_from_slice(&chunk[..read]);
    }
}

/// An answer with a length.
pub fn answer(status: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

pub fn say(stream: &mut Stream, bytes: &[u8]) {
    let _ = stream.write_all(bytes).and_then(|()| stream.flush()); // the client may have hung up
}

/// Kalshi's answer to a create: all of it filled.
pub fn created(order: u64) -> String {
    format!(
        "{{\"order_id\":\"uuid-{order}\",\"client_order_id\":\"sf-{order:016x}\",\"fill_count\":\"10.00\",\
\"remaining_count\":\"0.00\",\"ts_ms\":1}}"
    )
}

pub fn dialer(trust: &Trust, addr: SocketAddr, path: &str, scheme: &str, seed: u64) -> Dialer {
    let endpoint: Endpoint = format!("{scheme}://{addr}{path}").parse().unwrap();
    Dialer::new(endpoint, client_config(trust), seed).unwrap()
}

/// A fresh Ed25519 key.
pub fn kalshi_signer() -> Arc<Signer> {
    let pem = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap().serialize_pem();
    Arc::new(Signer::from_pem("key-1", &Secret::new(pem)).unwrap())
}

pub fn market_def(venue: Venue) -> MarketDef {
    let close = Nanos::from_secs(4_000_000_000);
    MarketDef { close, ..MarketDef::bare(MarketId::new(0), venue) }
}

/// One Kalshi market, `KXA`.
pub fn directory(ticker: &str, shard: u8) -> Directory {
    let names = KalshiNames {
        ticker: ticker.to_owned(),
        event_ticker: String::new(),
        series_ticker: String::new(),
        exchange_index: shard,
    };
    let mut directory = Directory::default();
    let def = MarketDef { shard, ..market_def(Venue::Kalshi) };
    directory.push(Entry {
        def,
        fee_changes: Vec::new(),
        paid_by: None,
        title: String::new(),
        names: Names::Kalshi(names),
        facts: Facts::default(),
    });
    directory
}

/// One Polymarket market with tokens `111…` and `222…`.
pub fn two_tokens() -> Directory {
    let names = PolymarketNames {
        condition_id: format!("0x{}", "c1".repeat(32)),
        yes_token: "1".repeat(77),
        no_token: "2".repeat(77),
        generation: Generation::Two,
        neg_risk: false,
        min_size_text: "5".into(),
        event: String::new(),
    };
    let mut directory = Directory::default();
    let def = market_def(Venue::Polymarket);
    directory.push(Entry {
        def,
        fee_changes: Vec::new(),
        paid_by: None,
        title: String::new(),
        names: Names::Polymarket(names),
        facts: Facts::default(),
    });
    directory
}

/// Ten YES at 56 cents, passed by the gate at `epoch` as an order that opens something.
pub fn approved(id: u64, venue: Venue, epoch: u64, decided: Nanos) -> Approved<Order> {
    pass(ten_yes(id, venue, epoch, decided, Purpose::Leg))
}

/// The same as a sale of what has no partner.
pub fn unwinding(id: u64, venue: Venue, epoch: u64, decided: Nanos) -> Approved<Order> {
    pass(ten_yes(id, venue, epoch, decided, Purpose::Unwind))
}

fn ten_yes(id: u64, venue: Venue, epoch: u64, decided: Nanos, purpose: Purpose) -> Order {
    Order {
        id: OrderId::new(id),
        epoch,
        decided,
        group: GroupId::new(0),
        market: MarketId::new(0),
        venue,
        outcome: Outcome::Yes,
        action: Action::Sell,
        price: Price::from_ticks(5_600).unwrap(),
        qty: Qty::from_contracts(10),
        tif: Tif::Ioc,
        expires: None,
        post_only: false,
        purpose,
    }
}

/// Through a gate that has nothing against it.
pub fn pass(order: Order) -> Approved<Order> {
    let mut limits = Limits::unset();
    for row in LimitRow::ALL {
        limits.set(row, if row.larger_is_safer() { 0 } else { u64::from(u32::MAX) }, false);
    }
    // A price that any other is near enough to, as the limits are here.
    let half = Price::from_ticks(5_000);
    let best = BestPrices { bid: half, ask: half };
    let context = Context {
        market: MarketCondition { best, ..MarketCondition::default() },
        ..Context::funded(Usd::from_dollars(1_000_000), &limits)
    };
    let (exposure, rate, def) = (Exposure::new(), Rate::new(), market_def(order.venue));
    check(&View::clear(&limits, &exposure, &rate, &def, context), order).unwrap()
}

/// A directory of its own for each test.
pub fn scratch(name: &str) -> std::path::PathBuf {
    let dir = std::env::temp_dir().join(format!("surefoot-io-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    dir
}
