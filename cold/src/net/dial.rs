//! Dialling: addresses in turn, waits in between, names looked up beside the path.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;

use crossbeam_channel::{Receiver, TryRecvError, bounded};
use mio::{Registry, Token};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use surefoot_hot::units::Nanos;

use super::{Backoff, Endpoint, NetError, TlsStream};

/// How long connect and handshake may take together.
pub const OPEN_WAIT_MAX: Nanos = Nanos::from_secs(5);

/// Makes connections to one endpoint.
///
/// The name service is asked once at start, where waiting is allowed, and again after each failure in a
/// helper thread that ends with its answer; until then the addresses known are tried in turn.
#[derive(Debug)]
pub struct Dialer {
    endpoint: Endpoint,
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    addrs: Vec<SocketAddr>,
    next: usize,
    lookup: Option<Receiver<io::Result<Vec<SocketAddr>>>>,
    backoff: Backoff,
    not_before: Nanos,
    dials: u64,
    failures: u64,
}

impl Dialer {
    /// Looks the name up, which blocks. A name that has no address yet is looked up again later.
    ///
    /// # Errors
    /// The host cannot be a server name.
    pub fn new(endpoint: Endpoint, config: Arc<ClientConfig>, seed: u64) -> Result<Self, NetError> {
        let name = ServerName::try_from(endpoint.host.clone()).map_err(|_| NetError::Endpoint {
            url: endpoint.to_string(),
            why: "not a server name",
        })?;
        let addrs = endpoint.resolve().unwrap_or_default();
        Ok(Self {
            endpoint,
            config,
            name,
            addrs,
            next: 0,
            lookup: None,
            backoff: Backoff::new(seed),
            not_before: Nanos::ZERO,
            dials: 0,
            failures: 0,
        })
    }

    /// Where it leads.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// When the next attempt may be made.
    pub fn not_before(&self) -> Nanos {
        self.not_before
    }

    /// Attempts made so far.
    pub fn dials(&self) -> u64 {
        self.dials
    }

    /// Attempts and connections that failed so far.
    pub fn failures(&self) -> u64 {
        self.failures
    }

    /// Starts an attempt if one is due.
    pub fn dial(&mut self, now: Nanos, registry: &Registry, token: Token) -> Option<TlsStream> {
        if now < self.not_before {
            return None;
        }
        self.take_lookup();
        if self.addrs.is_empty() {
            self.on_failure(now);
            return None;
        }
        let addr = self.addrs[self.next % self.addrs.len()];
        self.dials += 1;
        match TlsStream::connect(&self.config, &self.name, addr, registry, token) {
            Ok(stream) => Some(stream),
            Err(_) => {
                self.on_failure(now);
                None
            }
        }
    }

    /// The connection works.
    pub fn on_open(&mut self) {
        self.backoff.on_success();
    }

    /// The attempt failed, or the connection broke: the next one waits.
    pub fn on_failure(&mut self, now: Nanos) {
        self.failures += 1;
        self.next = self.next.wrapping_add(1);
        self.not_before = now.after(self.backoff.on_failure());
        if self.lookup.is_none() && self.endpoint.literal().is_none() {
            let (answer, lookup) = bounded(1);
            let endpoint = self.endpoint.clone();
            let asked = thread::Builder::new().name("lookup".to_owned()).spawn(move || {
                let _ = answer.send(endpoint.resolve()); // nobody waits once the dialer is gone
            });
            if asked.is_ok() {
                self.lookup = Some(lookup);
            }
        }
    }

    fn take_lookup(&mut self) {
        let Some(lookup) = &self.lookup else { return };
        match lookup.try_recv() {
            Ok(Ok(addrs)) => {
                self.addrs = addrs;
                self.lookup = None;
            }
            Ok(Err(_)) | Err(TryRecvError::Disconnected) => self.lookup = None,
            Err(TryRecvError::Empty) => {}
        }
    }
}
