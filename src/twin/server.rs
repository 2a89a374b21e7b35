//! The twin's sockets: one thread, one mio loop, one TLS listener per host.
//!
//! The only part of the twin that reads a clock. Everything is handed on with that reading, so a venue's answer
//! depends on nothing else. Hostile clients get an error and a closed connection, never a panic.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::{self, Write as _};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crossbeam_channel::{Receiver, Sender};
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token, Waker};
use surefoot_cold::secrets::Secret;
use surefoot_hot::units::Nanos;

use super::conn::{Conn, Proto, Tls};
use super::http::{Decoded, Decoder, Request, Response};
use super::tls::Authority;
use super::ws::{self, CloseCode, Conversation, Incoming};
use super::{ConnId, Host, VenueServer};

pub use super::remote::{Act, Command, Fault, Remote, Running, Stamp, StampKind};

/// The most connections of one host at one time. Each host has a share of its own, so that a client of one cannot
/// keep everybody from the others.
pub const HOST_CONNECTIONS_MAX: usize = 128;
/// The same for Kalshi's WebSocket, where one account alone may have 200.
pub const KALSHI_WS_CONNECTIONS_MAX: usize = 256;
/// The longest that a connection may stay without a whole request: then it is closed.
pub const IDLE_SPAN: Nanos = Nanos::from_secs(60);
/// The longest silence of a WebSocket's client: about 125 s were seen at Polymarket (`venues/polymarket.md` §5.1).
pub const WS_IDLE_SPAN: Nanos = Nanos::from_secs(125);
/// A connection that has been idle for less is not closed for a newcomer's sake.
const IDLE_SPAN_MIN: Nanos = Nanos::from_secs(1);
/// Where the world cannot even tell when it next has something to do, it is asked again after this.
const RETRY_SPAN: Nanos = Nanos::from_secs(1);
/// How long a client may take until its TLS hello is there.
const HELLO_SPAN_MAX: Nanos = Nanos::from_secs(10);
/// How often Kalshi pings (`venues/kalshi.md`, 2026-10).
const KALSHI_PING_SPAN: Nanos = Nanos::from_secs(10);
/// The most bytes of one connection per turn, so that one talker does not starve the others.
const READ_BYTES_TURN_MAX: usize = 1024 * 1024;

const WAKE: Token = Token(Host::ALL.len());
const FIRST_CONN: usize = 16;
const _: () = assert!(FIRST_CONN > Host::ALL.len());

/// Everything behind the sockets: the venues, and what moves them by itself.
pub trait World: 'static {
    /// Who answers for a host.
    fn venue(&mut self, host: Host) -> &mut dyn VenueServer;
    /// The next text frame of any venue.
    fn poll_out(&mut self) -> Option<(ConnId, String)>;
    /// Time has come.
    fn tick(&mut self, now: Nanos);
    /// When [`World::tick`] next has something to do.
    fn deadline(&self) -> Nanos;
    /// Something in here panicked half way: what it may have torn is made whole.
    fn mend(&mut self, _now: Nanos) {}
}

/// What the server needs to know at start.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// Ports per host in [`Host::ALL`] order; zero lets the system choose.
    pub ports: [u16; Host::ALL.len()],
    /// The longest that a connection may stay without a whole request.
    pub idle_span: Nanos,
    /// The longest silence of a WebSocket's client.
    pub ws_idle_span: Nanos,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self { ports: [0; Host::ALL.len()], idle_span: IDLE_SPAN, ws_idle_span: WS_IDLE_SPAN }
    }
}

impl ServerOptions {
    /// Ports in a row; those past the last one there is are left to the system.
    pub fn from_port(first: u16) -> Self {
        let mut next = Some(first);
        let ports = Host::ALL.map(|_| {
            let port = next.unwrap_or(0);
            next = next.and_then(|port| port.checked_add(1));
            port
        });
        Self { ports, ..Self::default() }
    }
}

/// A monotonic clock anchored to the wall once.
struct Clock {
    start: Instant,
    anchor: Nanos,
}

/// The wall clock, for what is made before the loop runs.
pub fn wall_now() -> Nanos {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Nanos::new(u64::try_from(wall.as_nanos()).unwrap_or(0))
}

impl Clock {
    fn new() -> Self {
        Self { start: Instant::now(), anchor: wall_now() }
    }

    fn now(&self) -> Nanos {
        let since = u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.anchor.after(Nanos::new(since))
    }
}

/// The sockets of a world.
pub struct Server<W: World> {
    world: W,
    poll: Poll,
    events: Events,
    clock: Clock,
    authority: Authority,
    listeners: Vec<TcpListener>,
    endpoints: [SocketAddr; Host::ALL.len()],
    conns: BTreeMap<usize, Box<Conn>>,
    next_conn: usize,
    faults: [Fault; Host::ALL.len()],
    delays: [Nanos; Host::ALL.len()],
    idle_span: Nanos,
    ws_idle_span: Nanos,
    /// Panics of the world that were caught; each is a mistake of ours.
    panics: u64,
    stamps: Option<Sender<Stamp>>,
    commands: Receiver<Command<W>>,
    handle: (Sender<Command<W>>, Arc<Waker>),
    /// Connections with bytes left unread when their turn was over.
    unread: Vec<usize>,
    touched: Vec<usize>,
}

impl<W: World> Server<W> {
    /// Listens on loopback for every host.
    ///
    /// # Errors
    /// A port is taken, or certificates could not be made.
    pub fn new(world: W, options: &ServerOptions) -> io::Result<Self> {
        Self::with_authority(world, options, Authority::new()?)
    }

    /// Listens on loopback for every host, under an authority that is there already.
    ///
    /// # Errors
    /// A port is taken.
    pub fn with_authority(
        world: W,
        options: &ServerOptions,
        authority: Authority,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut listeners = Vec::with_capacity(Host::ALL.len());
        let mut endpoints = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)); Host::ALL.len()];
        for host in Host::ALL {
            let at = SocketAddr::from((Ipv4Addr::LOCALHOST, options.ports[host.index()]));
            let mut listener = TcpListener::bind(at)
                .map_err(|e| io::Error::new(e.kind(), format!("{} on {at}: {e}", host.name())))?;
            endpoints[host.index()] = listener.local_addr()?;
            poll.registry().register(&mut listener, Token(host.index()), Interest::READABLE)?;
            listeners.push(listener);
        }
        let waker = Arc::new(Waker::new(poll.registry(), WAKE)?);
        let (sender, commands) = crossbeam_channel::unbounded();
        Ok(Self {
            world,
            poll,
            events: Events::with_capacity(256),
            clock: Clock::new(),
            authority,
            listeners,
            endpoints,
            conns: BTreeMap::new(),
            next_conn: FIRST_CONN,
            faults: [Fault::None; Host::ALL.len()],
            delays: [Nanos::ZERO; Host::ALL.len()],
            idle_span: options.idle_span,
            ws_idle_span: options.ws_idle_span,
            panics: 0,
            stamps: None,
            commands,
            handle: (sender, waker),
            unread: Vec::new(),
            touched: Vec::new(),
        })
    }

    /// Where each host listens, in [`Host::ALL`] order.
    pub fn endpoints(&self) -> [SocketAddr; Host::ALL.len()] {
        self.endpoints
    }

    /// The certificate that clients must trust.
    pub fn ca_pem(&self) -> &str {
        &self.authority.ca_pem
    }

    /// The certificate's key, for whoever keeps the authority.
    pub fn ca_key_pem(&self) -> &Secret {
        &self.authority.ca_key_pem
    }

    /// The server's clock now.
    pub fn now(&self) -> Nanos {
        self.clock.now()
    }

    /// The world, before the loop starts or between steps.
    pub fn world(&mut self) -> &mut W {
        &mut self.world
    }

    /// How often the world panicked and was mended.
    pub const fn panics(&self) -> u64 {
        self.panics
    }

    /// A way to reach the server from another thread.
    pub fn remote(&self) -> Remote<W> {
        Remote { commands: self.handle.0.clone(), waker: Arc::clone(&self.handle.1) }
    }

    /// Runs until [`Command::Stop`].
    ///
    /// # Errors
    /// The operating system refused to wait for events.
    pub fn run(mut self) -> io::Result<()> {
        while self.step(None)? {}
        Ok(())
    }

    /// One turn: waits for something to do, at most `timeout`, and does it. `false` when told to stop.
    ///
    /// # Errors
    /// The operating system refused to wait for events.
    pub fn step(&mut self, timeout: Option<Duration>) -> io::Result<bool> {
        let wait = if self.unread.is_empty() {
            let until = self.deadline();
            let left = Duration::from_nanos(until.since(self.clock.now()).get());
            Some(timeout.map_or(left, |t| t.min(left)))
        } else {
            Some(Duration::ZERO)
        };
        if let Err(error) = self.poll.poll(&mut self.events, wait)
            && error.kind() != io::ErrorKind::Interrupted
        {
            return Err(error);
        }
        let now = self.clock.now();
        let ready: Vec<(Token, bool)> = self
            .events
            .iter()
            .map(|e| (e.token(), e.is_readable() || e.is_read_closed()))
            .collect();
        let unread = std::mem::take(&mut self.unread);
        let mut go_on = true;
        for (token, readable) in
            ready.into_iter().chain(unread.into_iter().map(|token| (Token(token), true)))
        {
            match token {
                WAKE => go_on &= self.obey(now),
                Token(index) if index < Host::ALL.len() => self.accept(Host::ALL[index]),
                Token(conn) => self.on_ready(conn, readable),
            }
        }
        self.on_time(self.clock.now());
        if !go_on {
            self.close_all();
        }
        Ok(go_on)
    }

    /// Lets the world act. A panic in there is a mistake of ours that one client may have found: it is told and
    /// counted, the world is mended, and everybody else is served on. `None` after one.
    fn guarded<T>(&mut self, what: fmt::Arguments<'_>, act: impl FnOnce(&mut W) -> T) -> Option<T> {
        let world = &mut self.world;
        if let Ok(value) = panic::catch_unwind(AssertUnwindSafe(|| act(world))) {
            return Some(value);
        }
        self.panics += 1;
        let count = self.panics;
        eprintln!(
            "surefoot: the twin failed inside ({what}), number {count} since its start. It goes on; its open orders \
             are cancelled. Please report the lines above"
        );
        let now = self.clock.now();
        let world = &mut self.world;
        if panic::catch_unwind(AssertUnwindSafe(|| world.mend(now))).is_err() {
            eprintln!(
                "surefoot: the twin could not be mended: its figures may be wrong from here on"
            );
        }
        None
    }

    fn world_deadline(&mut self) -> Nanos {
        let retry = self.clock.now().after(RETRY_SPAN);
        self.guarded(format_args!("its timers"), |world| world.deadline()).unwrap_or(retry)
    }

    fn poll_frame(&mut self) -> Option<(ConnId, String)> {
        self.guarded(format_args!("its frames"), World::poll_out).flatten()
    }

    /// When a connection is to be closed for its silence.
    fn idle_at(&self, conn: &Conn) -> Nanos {
        match (&conn.tls, &conn.proto) {
            (Tls::Hello(_), _) => conn.opened.after(HELLO_SPAN_MAX),
            // A frozen host does nothing, and an answer that waits is not the client's silence.
            _ if self.faults[conn.host.index()] == Fault::Frozen || !conn.held.is_empty() => {
                Nanos::NEVER
            }
            (Tls::Open(_), Proto::Http(_)) => conn.served.after(self.idle_span),
            (Tls::Open(_), Proto::Ws(_)) => conn.served.after(self.ws_idle_span),
        }
    }

    fn deadline(&mut self) -> Nanos {
        let world = self.world_deadline();
        let conns = self.conns.values().map(|c| {
            let held = c.held.front().map_or(Nanos::NEVER, |(at, _)| *at);
            self.idle_at(c).min(held).min(c.ping_at)
        });
        conns.fold(world, Nanos::min)
    }

    fn on_time(&mut self, now: Nanos) {
        if self.world_deadline() <= now {
            self.guarded(format_args!("what time brings"), |world| world.tick(now));
        }
        let due: Vec<(usize, bool)> = self
            .conns
            .iter()
            .map(|(&token, c)| (token, c, self.idle_at(c) <= now))
            .filter(|(_, c, idle)| {
                *idle || c.ping_at <= now || c.held.front().is_some_and(|(at, _)| *at <= now)
            })
            .map(|(token, _, idle)| (token, idle))
            .collect();
        for (token, idle) in due {
            let conn = self.conns.get_mut(&token).expect("listed above");
            if idle {
                // A client that does not read either is not waited for.
                conn.dead = conn.closing || matches!(conn.tls, Tls::Hello(_));
                conn.closing = true;
            }
            while conn.held.front().is_some_and(|(at, _)| *at <= now) {
                let (_, bytes) = conn.held.pop_front().expect("looked at above");
                conn.write(&bytes);
            }
            if conn.ping_at <= now {
                conn.ping_at = now.after(KALSHI_PING_SPAN);
                if let Proto::Ws(ws) = &mut conn.proto {
                    ws.send_ping(b"heartbeat");
                    let bytes = ws.take_out();
                    conn.write(&bytes);
                }
            }
            self.finish(token);
        }
        self.drain();
    }

    /// Does what was asked from outside; `false` for stop.
    fn obey(&mut self, now: Nanos) -> bool {
        while let Ok(command) = self.commands.try_recv() {
            match command {
                Command::Fault(host, fault) => {
                    self.faults[host.index()] = fault;
                    if fault == Fault::Down {
                        self.drop_host(host);
                    }
                    // Readiness that came while frozen was told once and is over.
                    self.unread.extend(
                        self.conns.iter().filter(|(_, c)| c.host == host).map(|(&token, _)| token),
                    );
                }
                Command::Delay(host, span) => self.delays[host.index()] = span,
                Command::Drop(host) => self.drop_host(host),
                Command::Stamps(to) => self.stamps = to,
                Command::World(act) => {
                    self.guarded(format_args!("what was asked of it"), |world| act(world, now));
                    self.drain();
                }
                Command::Stop => return false,
            }
        }
        true
    }

    fn drop_host(&mut self, host: Host) {
        let tokens: Vec<usize> =
            self.conns.iter().filter(|(_, c)| c.host == host).map(|(&token, _)| token).collect();
        for token in tokens {
            if let Some(conn) = self.conns.get_mut(&token) {
                conn.dead = true;
            }
            self.finish(token);
        }
    }

    /// Whether a host takes one more connection. Where its share is used up, the one that has been idle the longest
    /// goes for it, if there is one.
    fn has_room(&mut self, host: Host) -> bool {
        let of_host = || self.conns.iter().filter(|(_, c)| c.host == host);
        let most =
            if host == Host::KalshiWs { KALSHI_WS_CONNECTIONS_MAX } else { HOST_CONNECTIONS_MAX };
        if of_host().count() < most {
            return true;
        }
        let long_ago = self.clock.now().get().saturating_sub(IDLE_SPAN_MIN.get());
        let idle = of_host().filter(|(_, c)| c.is_idle() && c.served.get() <= long_ago);
        let Some(token) = idle.min_by_key(|(_, c)| c.served).map(|(&token, _)| token) else {
            return false;
        };
        if let Some(conn) = self.conns.get_mut(&token) {
            conn.dead = true;
        }
        self.finish(token);
        true
    }

    fn accept(&mut self, host: Host) {
        loop {
            let mut stream = match self.listeners[host.index()].accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return, // none left, or the system is short of something: the client tries again
            };
            if self.faults[host.index()] == Fault::Down || !self.has_room(host) {
                continue;
            }
            let _ = stream.set_nodelay(true); // slower without, not wrong
            let token = self.next_conn;
            let interest = Interest::READABLE | Interest::WRITABLE;
            if self.poll.registry().register(&mut stream, Token(token), interest).is_err() {
                continue;
            }
            self.next_conn += 1;
            let conn = Conn {
                id: ConnId(token as u64),
                host,
                stream,
                tls: Tls::Hello(Box::default()),
                proto: Proto::Http(Decoder::default()),
                held: VecDeque::new(),
                opened: self.clock.now(),
                served: self.clock.now(),
                first_byte: None,
                ping_at: Nanos::NEVER,
                frames_unsent: 0,
                is_market: false,
                closing: false,
                dead: false,
            };
            self.conns.insert(token, Box::new(conn));
        }
    }

    fn on_ready(&mut self, token: usize, readable: bool) {
        let Some(host) = self.conns.get(&token).map(|c| c.host) else { return };
        if self.faults[host.index()] == Fault::Frozen {
            return;
        }
        // Out of the map while it is worked on, so that the venue and the connection are two borrows.
        let mut conn = self.conns.remove(&token).expect("found above");
        if readable && !conn.closing {
            self.read(&mut conn, token);
        }
        self.conns.insert(token, conn);
        self.finish(token);
        self.drain();
    }

    fn read(&mut self, conn: &mut Conn, token: usize) {
        let mut total = 0;
        loop {
            if total > READ_BYTES_TURN_MAX {
                self.unread.push(token);
                return;
            }
            if let Tls::Hello(_) = conn.tls {
                if !conn.read_hello(&self.authority) {
                    return;
                }
                continue;
            }
            let Tls::Open(tls) = &mut conn.tls else { return };
            match tls.read_tls(&mut conn.stream) {
                Ok(0) => {
                    conn.dead = true;
                    return;
                }
                Ok(count) => total += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => {
                    conn.dead = true;
                    return;
                }
            }
            let at = self.clock.now();
            if conn.decrypt(at) {
                self.serve(conn);
            }
            if conn.dead || conn.closing {
                return;
            }
        }
    }

    /// Handles everything whole that a connection has received.
    fn serve(&mut self, conn: &mut Conn) {
        loop {
            let now = self.clock.now();
            match &mut conn.proto {
                Proto::Http(decoder) => match decoder.poll() {
                    Ok(Some(Decoded::Request(req, keep_alive))) => {
                        let first_byte = conn.first_byte.take().unwrap_or(now);
                        if !decoder.is_empty() {
                            conn.first_byte = Some(now);
                        }
                        conn.served = now;
                        self.answer(conn, req, keep_alive, first_byte, now);
                    }
                    Ok(Some(Decoded::Continue)) => conn.write(b"HTTP/1.1 100 Continue\r\n\r\n"),
                    Ok(None) => return,
                    Err(bad) => {
                        let body = serde_json::json!({ "error": bad.text });
                        conn.write(&Response::json(bad.status, &body).encode(false, false));
                        conn.closing = true;
                    }
                },
                Proto::Ws(ws) => match ws.poll() {
                    Some(Incoming::Text(text)) => {
                        let (host, id) = (conn.host, conn.id);
                        let done = self.guarded(format_args!("a WebSocket's message"), |world| {
                            world.venue(host).ws_text(id, &text, now);
                        });
                        if done.is_none()
                            && let Proto::Ws(ws) = &mut conn.proto
                        {
                            ws.send_close(CloseCode::Error);
                            let bytes = ws.take_out();
                            conn.write(&bytes);
                            conn.closing = true;
                        }
                    }
                    Some(Incoming::Closed) => {
                        let bytes = ws.take_out();
                        conn.write(&bytes);
                        conn.closing = true;
                    }
                    None => {
                        let bytes = ws.take_out();
                        conn.write(&bytes);
                        return;
                    }
                },
            }
            if conn.closing || conn.dead {
                return;
            }
        }
    }

    fn answer(
        &mut self,
        conn: &mut Conn,
        mut req: Request,
        keep_alive: bool,
        first_byte: Nanos,
        now: Nanos,
    ) {
        if let Some(upgrade) = ws::upgrade(&req) {
            return self.upgrade(conn, &req, &upgrade, now);
        }
        let post = req.method == "POST";
        if post && let Some(to) = &self.stamps {
            let stamp =
                Stamp { kind: StampKind::PostIn, host: conn.host, conn: conn.id, at: first_byte };
            let _ = to.try_send(stamp); // the one who measures may have gone
        }
        let fault = self.faults[conn.host.index()];
        if post && fault == Fault::PostsIgnored {
            return;
        }
        let head_only = req.method == "HEAD";
        if head_only {
            req.method = "GET".into();
        }
        let host = conn.host;
        let (method, path) = (Printable(&req.method), Printable(&req.path));
        let refused = fault.refuses(&req);
        let response = refused.or_else(|| {
            self.guarded(format_args!("{method} {path} at {}", host.name()), |world| {
                world.venue(host).http(host, &req, now)
            })
        });
        let (response, keep_alive) = match response {
            Some(_) if fault == Fault::AnswersEmptied => (Response::empty(200), keep_alive),
            Some(response) => (response, keep_alive),
            None => (failed(), false),
        };
        if post && fault == Fault::PostsUnanswered {
            return;
        }
        let bytes = response.encode(keep_alive, head_only);
        let delay = self.delays[conn.host.index()];
        if delay > Nanos::ZERO || !conn.held.is_empty() {
            conn.held.push_back((now.after(delay), bytes));
        } else {
            conn.write(&bytes);
            conn.flush();
        }
        if !keep_alive {
            conn.closing = true;
        }
    }

    /// Makes a WebSocket of a connection, or answers why the venue does not want one.
    fn upgrade(&mut self, conn: &mut Conn, req: &Request, upgrade: &Response, now: Nanos) {
        let (id, host) = (conn.id, conn.host);
        let opened = self.guarded(format_args!("a handshake"), |world| {
            world.venue(host).ws_open(id, host, req, now)
        });
        match opened.unwrap_or_else(|| Err(failed())) {
            Ok(()) => {
                conn.write(&upgrade.encode(true, false));
                let Proto::Http(decoder) = &mut conn.proto else { return };
                conn.proto = Proto::Ws(Box::new(Conversation::new(decoder.take_rest())));
                conn.is_market = req.path == "/ws/market";
                if conn.host == Host::KalshiWs {
                    conn.ping_at = now.after(KALSHI_PING_SPAN);
                }
            }
            Err(refusal) => {
                conn.write(&refusal.encode(false, false));
                conn.closing = true;
            }
        }
    }

    /// Writes every frame that the venues have queued, each connection's in one go.
    fn drain(&mut self) {
        while let Some((id, text)) = self.poll_frame() {
            let token = id.0 as usize;
            let Some(conn) = self.conns.get_mut(&token) else { continue };
            let Proto::Ws(ws) = &mut conn.proto else { continue };
            let fault = self.faults[conn.host.index()];
            if fault.withholds(conn.is_market, &text) {
                continue;
            }
            if ws.send_text(text) {
                conn.frames_unsent += 1;
                if !self.touched.contains(&token) {
                    self.touched.push(token);
                }
            }
        }
        let mut touched = std::mem::take(&mut self.touched);
        for token in touched.drain(..) {
            let Some(conn) = self.conns.get_mut(&token) else { continue };
            let count = std::mem::take(&mut conn.frames_unsent);
            let Proto::Ws(ws) = &mut conn.proto else { continue };
            let bytes = ws.take_out();
            conn.write(&bytes);
            if let Some(to) = &self.stamps {
                let (kind, at) = (StampKind::FramesOut { count }, self.clock.now());
                let _ = to.try_send(Stamp { kind, host: conn.host, conn: conn.id, at }); // the one who measures may have gone
            }
            self.finish(token);
        }
        self.touched = touched;
    }

    /// Writes what can be written, and buries the connection if it is over.
    fn finish(&mut self, token: usize) {
        let Some(conn) = self.conns.get_mut(&token) else { return };
        if self.faults[conn.host.index()] == Fault::Frozen && !conn.dead {
            return;
        }
        conn.flush();
        let written = match &conn.tls {
            Tls::Hello(_) => true,
            Tls::Open(tls) => !tls.wants_write(),
        };
        if conn.closing && written && conn.held.is_empty() && !conn.dead {
            if let Tls::Open(tls) = &mut conn.tls {
                tls.send_close_notify();
            }
            conn.flush();
            conn.dead = true;
        }
        if !conn.dead {
            return;
        }
        let mut conn = self.conns.remove(&token).expect("found above");
        let _ = self.poll.registry().deregister(&mut conn.stream); // closed by dropping all the same
        if matches!(conn.proto, Proto::Ws(_)) {
            let (host, id) = (conn.host, conn.id);
            self.guarded(format_args!("a WebSocket's end"), |world| world.venue(host).ws_close(id));
        }
    }

    fn close_all(&mut self) {
        let tokens: Vec<usize> = self.conns.keys().copied().collect();
        for token in tokens {
            if let Some(conn) = self.conns.get_mut(&token) {
                if let Proto::Ws(ws) = &mut conn.proto {
                    ws.send_close(CloseCode::Away);
                    let bytes = ws.take_out();
                    conn.write(&bytes);
                }
                conn.closing = true;
            }
            self.finish(token);
        }
    }
}

/// What is answered where the twin failed inside.
fn failed() -> Response {
    Response::json(500, &serde_json::json!({ "error": "internal error" }))
}

/// The beginning of a client's text as a log may show it.
struct Printable<'a>(&'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.chars().take(80);
        shown.map(|c| if c.is_ascii_graphic() { c } else { '?' }).try_for_each(|c| f.write_char(c))
    }
}

impl<W: World + Send> Server<W> {
    /// Runs the loop on a thread named `twin`.
    ///
    /// # Errors
    /// The system has no thread for us.
    pub fn spawn(self) -> io::Result<Running<W>> {
        let remote = self.remote();
        let thread = std::thread::Builder::new().name("twin".into()).spawn(move || self.run())?;
        Ok(Running { remote, thread: Some(thread) })
    }
}
