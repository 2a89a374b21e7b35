//! The twin's sockets: one thread, one mio loop, one TLS listener per host.
//!
//! The only part of the twin that reads a clock. Everything is handed on with that reading, so a venue's answer
//! depends on nothing else. Hostile clients get an error and a closed connection, never a panic.

mod conns;
mod serve;
mod timers;

use std::collections::BTreeMap;
use std::fmt;
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

use super::conn::Conn;
use super::rng::Rng;
use super::tls::Authority;
use super::world::{Way, Ways, World, WorldName};
use super::{ConnId, Host, VenueServer};

pub use super::remote::{Act, Command, ConditionId, Fault, Remote, Running, Stamp, StampKind};

/// The most connections of one host at one time. Each host has a share of its own, so that a client of one cannot
/// keep everybody from the others.
pub const HOST_CONNECTIONS_MAX: usize = 128;
/// The same for Kalshi's WebSocket, where one account alone may have 200.
pub const KALSHI_WS_CONNECTIONS_MAX: usize = 256;
/// The longest that a connection may stay without a whole request: then it is closed.
pub const IDLE_SPAN: Nanos = Nanos::from_secs(60);
/// The longest silence of a WebSocket's client: about 125 s were seen at Polymarket (`venues/polymarket.md` §5.1).
pub const WS_IDLE_SPAN: Nanos = Nanos::from_secs(125);
/// How often Kalshi pings (`venues/kalshi.md`, 2026-10).
const KALSHI_PING_SPAN: Nanos = Nanos::from_secs(10);

const WAKE: Token = Token(Host::ALL.len());
const FIRST_CONN: usize = 16;
const _: () = assert!(FIRST_CONN > Host::ALL.len());

/// Everything behind the sockets: the venues, and what moves them by itself.
pub trait Backend: 'static {
    /// Who answers for a host.
    fn venue(&mut self, host: Host) -> &mut dyn VenueServer;
    /// The next text frame of any venue.
    fn poll_out(&mut self) -> Option<(ConnId, String)>;
    /// Time has come.
    fn tick(&mut self, now: Nanos);
    /// When [`Backend::tick`] next has something to do.
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
    /// How long everything is on its way between a client and each venue.
    pub ways: Ways,
    /// What the times of the ways are drawn from.
    pub seed: u64,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            ports: [0; Host::ALL.len()],
            idle_span: IDLE_SPAN,
            ws_idle_span: WS_IDLE_SPAN,
            ways: World::of(WorldName::Calm).ways,
            seed: 0,
        }
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

/// The sockets of a backend.
pub struct Server<W: Backend> {
    backend: W,
    poll: Poll,
    events: Events,
    clock: Clock,
    authority: Authority,
    listeners: Vec<TcpListener>,
    endpoints: [SocketAddr; Host::ALL.len()],
    conns: BTreeMap<usize, Box<Conn>>,
    next_conn: usize,
    faults: [Fault; Host::ALL.len()],
    /// What answers of a host wait beyond their way.
    delays: [Nanos; Host::ALL.len()],
    ways: Ways,
    /// What the times of the ways are drawn from.
    rng: Rng,
    idle_span: Nanos,
    ws_idle_span: Nanos,
    /// Panics of the backend that were caught; each is a mistake of ours.
    panics: u64,
    stamps: Option<Sender<Stamp>>,
    commands: Receiver<Command<W>>,
    handle: (Sender<Command<W>>, Arc<Waker>),
    /// Connections with bytes left unread when their turn was over.
    unread: Vec<usize>,
    touched: Vec<usize>,
}

impl<W: Backend> Server<W> {
    /// Listens on loopback for every host.
    ///
    /// # Errors
    /// A port is taken, or certificates could not be made.
    pub fn new(backend: W, options: &ServerOptions) -> io::Result<Self> {
        Self::with_authority(backend, options, Authority::new()?)
    }

    /// Listens on loopback for every host, under an authority that is there already.
    ///
    /// # Errors
    /// A port is taken.
    pub fn with_authority(
        backend: W,
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
            backend,
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
            ways: options.ways,
            rng: Rng::new(options.seed).fork(0x7761_7973),
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

    /// The way to a host.
    const fn way(&self, host: Host) -> Way {
        if host.is_kalshi() { self.ways.kalshi } else { self.ways.polymarket }
    }

    /// The backend, before the loop starts or between steps.
    pub fn backend(&mut self) -> &mut W {
        &mut self.backend
    }

    /// How often the backend panicked and was mended.
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

    /// Lets the backend act. A panic in there is a mistake of ours that one client may have found: it is told and
    /// counted, the backend is mended, and everybody else is served on. `None` after one.
    fn guarded<T>(&mut self, what: fmt::Arguments<'_>, act: impl FnOnce(&mut W) -> T) -> Option<T> {
        let backend = &mut self.backend;
        if let Ok(value) = panic::catch_unwind(AssertUnwindSafe(|| act(backend))) {
            return Some(value);
        }
        self.panics += 1;
        let count = self.panics;
        eprintln!(
            "surefoot: the twin failed inside ({what}), number {count} since its start. It goes on; its open orders \
             are cancelled. Please report the lines above"
        );
        let now = self.clock.now();
        let backend = &mut self.backend;
        if panic::catch_unwind(AssertUnwindSafe(|| backend.mend(now))).is_err() {
            eprintln!(
                "surefoot: the twin could not be mended: its figures may be wrong from here on"
            );
        }
        None
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
                Command::Act(act) => {
                    self.guarded(format_args!("what was asked of it"), |backend| act(backend, now));
                    self.drain();
                }
                Command::Stop => return false,
            }
        }
        true
    }
}

impl<W: Backend + Send> Server<W> {
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
