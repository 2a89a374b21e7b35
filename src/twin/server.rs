//! The twin's sockets: one thread, one mio loop, one TLS listener per host.
//!
//! The only part of the twin that reads a clock. Everything is handed on with that reading, so a venue's answer
//! depends on nothing else. Hostile clients get an error and a closed connection, never a panic.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crossbeam_channel::{Receiver, Sender};
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token, Waker};
use surefoot_cold::secrets::Secret;
use surefoot_hot::units::Nanos;

use super::conn::{Conn, Proto, Tls};
use super::http::{Decoded, Decoder, Request, Response};
use super::tls::Authority;
use super::ws::{self, Conversation, Incoming};
use super::{ConnId, Host, VenueServer};

/// The most connections at one time; further ones are closed at once.
pub const CONNECTIONS_MAX: usize = 512;
/// The most unsent bytes of one connection; a slower reader is closed.
pub const OUT_BYTES_MAX: usize = 16 * 1024 * 1024;
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
}

/// What goes wrong at a host, for tests and drills. One at a time; [`Fault::None`] ends it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// Connections stay open and nothing is read or written.
    Frozen,
    /// Every connection is closed, new ones too.
    Down,
    /// POSTs are read and forgotten: no effect, no answer.
    PostsIgnored,
    /// POSTs take effect and are not answered.
    PostsUnanswered,
}

/// Something to do to the world between two turns.
pub type Act<W> = Box<dyn FnOnce(&mut W, Nanos) + Send>;

/// What a test or an operator asks of a running twin.
pub enum Command<W> {
    /// A fault begins or ends.
    Fault(Host, Fault),
    /// Answers of a host wait that long before they are written.
    Delay(Host, Nanos),
    /// Every connection of a host is closed now; new ones are welcome.
    Drop(Host),
    /// Where to tell [`Stamp`]s; `None` stops it.
    Stamps(Option<Sender<Stamp>>),
    /// Runs with the venues between two turns of the loop.
    World(Act<W>),
    /// Ends the loop.
    Stop,
}

/// What a [`Stamp`] is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StampKind {
    /// Frames to one WebSocket, taken just before they were handed to the operating system.
    FramesOut {
        /// How many frames went in that write.
        count: u32,
    },
    /// An order request (`POST`), taken when its first byte had been read.
    PostIn,
}

/// A moment at the twin's sockets, for measuring from wire to wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Of what.
    pub kind: StampKind,
    /// At which host.
    pub host: Host,
    /// On which connection.
    pub conn: ConnId,
    /// On the twin's clock.
    pub at: Nanos,
}

/// What the server needs to know at start.
#[derive(Clone, Debug, Default)]
pub struct ServerOptions {
    /// Ports per host in [`Host::ALL`] order; zero lets the system choose.
    pub ports: [u16; Host::ALL.len()],
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
        Self { ports }
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
    stamps: Option<Sender<Stamp>>,
    commands: Receiver<Command<W>>,
    handle: (Sender<Command<W>>, Arc<Waker>),
    /// Connections with bytes left unread when their turn was over.
    unread: Vec<usize>,
    touched: Vec<usize>,
}

/// A way to reach a running server.
pub struct Remote<W> {
    commands: Sender<Command<W>>,
    waker: Arc<Waker>,
}

impl<W> Clone for Remote<W> {
    fn clone(&self) -> Self {
        Self { commands: self.commands.clone(), waker: Arc::clone(&self.waker) }
    }
}

impl<W> Remote<W> {
    /// Hands a command over; a server that has ended ignores it.
    pub fn command(&self, command: Command<W>) {
        if self.commands.send(command).is_ok() {
            let _ = self.waker.wake(); // the server has ended meanwhile
        }
    }

    /// Runs `act` with the world between two turns and gives what it gave; `None` where the server has ended.
    pub fn with<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut W, Nanos) -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = crossbeam_channel::bounded(1);
        self.command(Command::World(Box::new(move |world, now| {
            let _ = answer.send(act(world, now)); // whoever asked has left
        })));
        answered.recv().ok()
    }
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
            let left = Duration::from_nanos(self.deadline().since(self.clock.now()).get());
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

    fn deadline(&self) -> Nanos {
        let conns = self.conns.values().map(|c| {
            let hello = match c.tls {
                Tls::Hello(_) => c.opened.after(HELLO_SPAN_MAX),
                Tls::Open(_) => Nanos::NEVER,
            };
            let held = c.held.front().map_or(Nanos::NEVER, |(at, _)| *at);
            hello.min(held).min(c.ping_at)
        });
        conns.fold(self.world.deadline(), Nanos::min)
    }

    fn on_time(&mut self, now: Nanos) {
        if self.world.deadline() <= now {
            self.world.tick(now);
        }
        let due: Vec<usize> = self
            .conns
            .iter()
            .filter(|(_, c)| {
                c.held.front().is_some_and(|(at, _)| *at <= now)
                    || c.ping_at <= now
                    || (matches!(c.tls, Tls::Hello(_)) && c.opened.after(HELLO_SPAN_MAX) <= now)
            })
            .map(|(&token, _)| token)
            .collect();
        for token in due {
            let conn = self.conns.get_mut(&token).expect("listed above");
            if matches!(conn.tls, Tls::Hello(_)) {
                conn.dead = true;
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
                    act(&mut self.world, now);
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

    fn accept(&mut self, host: Host) {
        loop {
            let mut stream = match self.listeners[host.index()].accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return, // none left, or the system is short of something: the client tries again
            };
            if self.faults[host.index()] == Fault::Down || self.conns.len() >= CONNECTIONS_MAX {
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
                first_byte: None,
                ping_at: Nanos::NEVER,
                frames_unsent: 0,
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
                        self.world.venue(conn.host).ws_text(conn.id, &text, now);
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
            match self.world.venue(conn.host).ws_open(conn.id, conn.host, &req, now) {
                Ok(()) => {
                    conn.write(&upgrade.encode(true, false));
                    let Proto::Http(decoder) = &mut conn.proto else { return };
                    conn.proto = Proto::Ws(Box::new(Conversation::new(decoder.take_rest())));
                    if conn.host == Host::KalshiWs {
                        conn.ping_at = now.after(KALSHI_PING_SPAN);
                    }
                }
                Err(refusal) => {
                    conn.write(&refusal.encode(false, false));
                    conn.closing = true;
                }
            }
            return;
        }
        let post = req.method == "POST";
        if post && let Some(to) = &self.stamps {
            let stamp =
                Stamp { kind: StampKind::PostIn, host: conn.host, conn: conn.id, at: first_byte };
            let _ = to.try_send(stamp); // whoever measured has left
        }
        let fault = self.faults[conn.host.index()];
        if post && fault == Fault::PostsIgnored {
            return;
        }
        let head_only = req.method == "HEAD";
        if head_only {
            req.method = "GET".into();
        }
        let response = self.world.venue(conn.host).http(conn.host, &req, now);
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

    /// Writes every frame that the venues have queued, each connection's in one go.
    fn drain(&mut self) {
        while let Some((id, text)) = self.world.poll_out() {
            let token = id.0 as usize;
            let Some(conn) = self.conns.get_mut(&token) else { continue };
            let Proto::Ws(ws) = &mut conn.proto else { continue };
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
                let _ = to.try_send(Stamp { kind, host: conn.host, conn: conn.id, at }); // as above
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
            self.world.venue(conn.host).ws_close(conn.id);
        }
    }

    fn close_all(&mut self) {
        let tokens: Vec<usize> = self.conns.keys().copied().collect();
        for token in tokens {
            if let Some(conn) = self.conns.get_mut(&token) {
                if let Proto::Ws(ws) = &mut conn.proto {
                    ws.send_close();
                    let bytes = ws.take_out();
                    conn.write(&bytes);
                }
                conn.closing = true;
            }
            self.finish(token);
        }
    }
}

/// A server on its own thread.
pub struct Running<W> {
    /// How to reach it.
    pub remote: Remote<W>,
    thread: Option<JoinHandle<io::Result<()>>>,
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

impl<W> Running<W> {
    /// Ends the loop, closes every connection and waits for the thread.
    ///
    /// # Errors
    /// What the loop ended with.
    pub fn stop(&mut self) -> io::Result<()> {
        self.remote.command(Command::Stop);
        match self.thread.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(end)) => end,
            Some(Err(_)) => Err(io::Error::other("the twin's thread panicked")),
        }
    }

    /// Whether the loop still runs.
    pub fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|t| !t.is_finished())
    }
}

impl<W> Drop for Running<W> {
    fn drop(&mut self) {
        let _ = self.stop(); // nobody is left to tell
    }
}
