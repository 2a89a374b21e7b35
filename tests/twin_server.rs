//! The twin's sockets against clients that are broken, idle or hostile: the others are served on.
#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use surefoot::twin::http::{Request, Response};
use surefoot::twin::server::{Backend, HOST_CONNECTIONS_MAX, Running, Server, ServerOptions};
use surefoot::twin::{ConnId, Host, VenueServer};
use surefoot_hot::units::Nanos;
use tungstenite::{Message, WebSocket};

/// How long anything may take on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A venue that panics where a path or a text says so.
#[derive(Default)]
struct Fragile {
    mended: usize,
    answered: usize,
    frames: Vec<(ConnId, String)>,
}

impl VenueServer for Fragile {
    fn http(&mut self, _host: Host, req: &Request, _now: Nanos) -> Response {
        self.answered += 1;
        assert!(req.path != "/panic", "as the request asked");
        Response::text(200, "fine")
    }
    fn ws_open(&mut self, _: ConnId, _: Host, req: &Request, _: Nanos) -> Result<(), Response> {
        assert!(req.path != "/panic", "as the handshake asked");
        Ok(())
    }
    fn ws_text(&mut self, conn: ConnId, text: &str, _now: Nanos) {
        assert!(text != "panic", "as the frame asked");
        self.frames.push((conn, text.to_owned()));
    }
    fn ws_close(&mut self, _conn: ConnId) {}
    fn poll_out(&mut self) -> Option<(ConnId, String)> {
        self.frames.pop()
    }
    fn tick(&mut self, _now: Nanos) {}
}

impl Backend for Fragile {
    fn venue(&mut self, _host: Host) -> &mut dyn VenueServer {
        self
    }
    fn poll_out(&mut self) -> Option<(ConnId, String)> {
        VenueServer::poll_out(self)
    }
    fn tick(&mut self, _now: Nanos) {}
    fn deadline(&self) -> Nanos {
        Nanos::NEVER
    }
    fn mend(&mut self, _now: Nanos) {
        self.mended += 1;
    }
}

type Tls = StreamOwned<ClientConnection, TcpStream>;

struct Bench {
    running: Running<Fragile>,
    endpoints: [SocketAddr; 6],
    config: Arc<ClientConfig>,
}

impl Bench {
    fn start(options: &ServerOptions) -> Self {
        let server = Server::new(Fragile::default(), options).unwrap();
        let endpoints = server.endpoints();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(server.ca_pem().as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { running: server.spawn().unwrap(), endpoints, config: Arc::new(config) }
    }

    fn connect(&self, host: Host) -> Tls {
        let socket = TcpStream::connect(self.endpoints[host.index()]).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let tls = ClientConnection::new(Arc::clone(&self.config), name).unwrap();
        StreamOwned::new(tls, socket)
    }
}

/// The answer's head and body; empty where the connection ended instead.
fn get(tls: &mut Tls, path: &str) -> String {
    if write!(tls, "GET {path} HTTP/1.1\r\nHost: h\r\n\r\n").is_err() {
        return String::new();
    }
    let (mut text, mut buf) = (String::new(), [0; 4_096]);
    while !text.contains("\r\n\r\n") || text.ends_with("\r\n\r\n") {
        match tls.read(&mut buf) {
            Ok(0) | Err(_) => break,
            Ok(count) => text.push_str(std::str::from_utf8(&buf[..count]).unwrap()),
        }
    }
    text
}

/// Whether the server has closed; waits for it.
fn is_closed(tls: &mut Tls) -> bool {
    let mut buf = [0; 64];
    match tls.read(&mut buf) {
        Ok(0) => true,
        Ok(_) => false,
        Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
    }
}

#[test]
fn a_panic_in_one_connection_is_answered_and_ends_nothing() {
    let bench = Bench::start(&ServerOptions::default());
    let mut steady = bench.connect(Host::KalshiRest);
    assert!(get(&mut steady, "/").starts_with("HTTP/1.1 200"));

    let mut hostile = bench.connect(Host::Gamma);
    let answer = get(&mut hostile, "/panic");
    assert!(answer.starts_with("HTTP/1.1 500") && answer.contains("internal error"), "{answer}");
    assert!(is_closed(&mut hostile));

    let tls = bench.connect(Host::PolymarketWs);
    let refused = tungstenite::client("wss://127.0.0.1/panic", tls);
    assert!(refused.is_err(), "a handshake that panics is refused");

    let tls = bench.connect(Host::PolymarketWs);
    let (mut socket, _): (WebSocket<Tls>, _) =
        tungstenite::client("wss://127.0.0.1/ws", tls).unwrap();
    socket.send(Message::text("hello")).unwrap();
    assert_eq!(socket.read().unwrap(), Message::text("hello"));
    socket.send(Message::text("panic")).unwrap();
    let Message::Close(Some(frame)) = socket.read().unwrap() else { panic!("a close") };
    assert_eq!(u16::from(frame.code), 1011);

    assert!(get(&mut steady, "/").starts_with("HTTP/1.1 200"), "others are served on");
    let mended = bench.running.remote.with(|world, _| world.mended);
    assert_eq!(mended, Some(3), "each panic was followed by a mending");
    // A drill that panics is no different.
    let torn = bench.running.remote.with(|_, _| -> u32 { panic!("as the drill asked") });
    assert_eq!(torn, None);
    assert!(bench.running.is_running());
    assert!(get(&mut steady, "/").starts_with("HTTP/1.1 200"));
}

#[test]
fn idle_and_half_spoken_connections_are_closed() {
    let span = Nanos::from_millis(300);
    let options = ServerOptions { idle_span: span, ws_idle_span: span, ..Default::default() };
    let bench = Bench::start(&options);
    let mut idle = bench.connect(Host::Gamma);
    assert!(get(&mut idle, "/").starts_with("HTTP/1.1 200"));
    assert!(is_closed(&mut idle));
    let mut half = bench.connect(Host::Gamma);
    half.write_all(b"GET / HTT").unwrap();
    assert!(is_closed(&mut half), "a request that never ends is not waited for");
    let tls = bench.connect(Host::PolymarketWs);
    let (mut socket, _) = tungstenite::client("wss://127.0.0.1/ws", tls).unwrap();
    assert!(matches!(socket.read(), Ok(Message::Close(_)) | Err(_)));
}

#[test]
fn every_host_has_its_own_share_of_connections() {
    let bench = Bench::start(&ServerOptions::default());
    let mut held = Vec::new();
    for _ in 0..HOST_CONNECTIONS_MAX {
        let mut tls = bench.connect(Host::Gamma);
        assert!(get(&mut tls, "/").starts_with("HTTP/1.1 200"));
        held.push(tls);
    }
    for host in [Host::KalshiRest, Host::PolymarketClob, Host::Data] {
        assert!(get(&mut bench.connect(host), "/").starts_with("HTTP/1.1 200"), "{}", host.name());
    }
    // Where the share is used up by the idle, the idlest goes for a newcomer.
    let since = Instant::now();
    loop {
        if get(&mut bench.connect(Host::Gamma), "/").starts_with("HTTP/1.1 200") {
            break;
        }
        assert!(since.elapsed() < PATIENCE, "a newcomer is let in");
    }
    assert!(is_closed(&mut held[0]), "the idlest went");
}
