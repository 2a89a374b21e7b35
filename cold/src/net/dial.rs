//! Dialling: addresses in turn, waits in between, names looked up beside the path.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_channel::{Receiver, TryRecvError};
use mio::{Registry, Token};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use surefoot_hot::units::Nanos;

use super::{Backoff, Endpoint, NetError, TlsStream, lookup};

/// How long connect and handshake may take together.
pub const OPEN_WAIT_MAX: Nanos = Nanos::from_secs(5);

/// How often a wait is cut short because a neighbour has connected.
const SKIP_EVERY: Nanos = Nanos::from_secs(1);

/// The dialers of one venue tell each other when it is there again: whoever waits dials at once.
#[derive(Clone, Debug, Default)]
pub struct Neighbours(Arc<AtomicU64>);

/// So many connections are begun at once to one venue,
const DIALS_AT_ONCE: u64 = 8;
/// and then one after each such span. Neither venue documents how often one may connect (2026-11); a hundred TLS
/// handshakes in one moment would look like an attack on either side of the wire.
const DIAL_EVERY: Nanos = Nanos::from_millis(100);

/// The links of one venue dial one after another: a venue that was away is not met by a hundred handshakes at once.
#[derive(Clone, Debug, Default)]
pub struct DialPace {
    /// When the line of dials would have been worked off at one for each [`DIAL_EVERY`], in nanoseconds.
    busy_until: Arc<AtomicU64>,
}

impl DialPace {
    /// When the next dial may begin.
    fn ready_at(&self) -> Nanos {
        let ahead = DIAL_EVERY.get() * (DIALS_AT_ONCE - 1);
        Nanos::new(self.busy_until.load(Ordering::Relaxed).saturating_sub(ahead))
    }

    /// A dial begins. Whoever shares it is on one thread: two that ask at once would both get the same place.
    fn take(&self, now: Nanos) {
        let begin = self.busy_until.load(Ordering::Relaxed).max(now.get());
        self.busy_until.store(begin + DIAL_EVERY.get(), Ordering::Relaxed);
    }
}

/// Makes connections to one endpoint.
///
/// The name service is asked once at start, where waiting is allowed, and again after each failure, on a thread of its own; until
/// the answer is there the addresses known are tried in turn.
#[derive(Debug)]
pub struct Dialer {
    endpoint: Endpoint,
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    addrs: Vec<SocketAddr>,
    next: usize,
    lookup: Option<Receiver<Option<Vec<SocketAddr>>>>,
    backoff: Backoff,
    not_before: Nanos,
    /// Whether the last connection made was told as one that works, and has not failed since.
    works: bool,
    neighbours: Neighbours,
    pace: Option<DialPace>,
    /// How often any of them had connected when this one last failed or dialled early.
    heard: u64,
    skipped_at: Nanos,
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
        let addrs = match endpoint.literal() {
            Some(addr) => vec![addr],
            None => lookup::ask(&endpoint).recv().ok().flatten().unwrap_or_default(),
        };
        Ok(Self {
            endpoint,
            config,
            name,
            addrs,
            next: 0,
            lookup: None,
            backoff: Backoff::new(seed),
            not_before: Nanos::ZERO,
            works: false,
            neighbours: Neighbours::default(),
            pace: None,
            heard: 0,
            skipped_at: Nanos::ZERO,
            dials: 0,
            failures: 0,
        })
    }

    /// The same as one of several that lead to one venue.
    #[must_use]
    pub fn beside(mut self, neighbours: &Neighbours) -> Self {
        self.neighbours = neighbours.clone();
        self
    }

    /// The same in line with those that share the pace; all of them are turned by one thread.
    #[must_use]
    pub fn paced(mut self, pace: &DialPace) -> Self {
        self.pace = Some(pace.clone());
        self
    }

    /// The endpoint that it dials.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// When the next attempt may be made.
    pub fn not_before(&self) -> Nanos {
        self.pace.as_ref().map_or(self.not_before, |pace| self.not_before.max(pace.ready_at()))
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
        let in_line = self.pace.as_ref().is_some_and(|pace| now < pace.ready_at());
        if in_line || now < self.not_before && !self.may_skip_wait(now) {
            return None;
        }
        self.take_lookup();
        if self.addrs.is_empty() {
            self.on_failure(now);
            return None;
        }
        let addr = self.addrs[self.next % self.addrs.len()];
        self.dials += 1;
        self.works = false;
        if let Some(pace) = &self.pace {
            pace.take(now);
        }
        match TlsStream::connect(&self.config, &self.name, addr, registry, token) {
            Ok(stream) => Some(stream),
            Err(_) => {
                self.on_failure(now);
                None
            }
        }
    }

    /// Whether a neighbour has connected since this one failed.
    fn may_skip_wait(&mut self, now: Nanos) -> bool {
        let connected = self.neighbours.0.load(Ordering::Relaxed);
        if connected == self.heard || now.since(self.skipped_at) < SKIP_EVERY {
            return false;
        }
        (self.heard, self.skipped_at) = (connected, now);
        true
    }

    /// The connection works: the next wait is short again, and the neighbours may dial at once. A link says so with each frame
    /// that it reads; of one connection only the first time counts.
    pub fn on_open(&mut self) {
        if std::mem::replace(&mut self.works, true) {
            return;
        }
        self.backoff.on_success();
        self.neighbours.0.fetch_add(1, Ordering::Relaxed);
    }

    /// The attempt failed, or the connection broke: the next one waits.
    pub fn on_failure(&mut self, now: Nanos) {
        self.failures += 1;
        self.works = false;
        self.heard = self.neighbours.0.load(Ordering::Relaxed);
        self.next = self.next.wrapping_add(1);
        self.not_before = now.after(self.backoff.on_failure());
        if self.lookup.is_none() && self.endpoint.literal().is_none() {
            self.lookup = Some(lookup::ask(&self.endpoint));
        }
    }

    fn take_lookup(&mut self) {
        let Some(lookup) = &self.lookup else { return };
        match lookup.try_recv() {
            Ok(Some(addrs)) => {
                self.addrs = addrs;
                self.lookup = None;
            }
            Ok(None) | Err(TryRecvError::Disconnected) => self.lookup = None,
            Err(TryRecvError::Empty) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use mio::Poll;

    use super::*;
    use crate::net::{Trust, backoff, client_config};

    fn dialer(seed: u64, neighbours: &Neighbours) -> Dialer {
        let endpoint = "https://127.0.0.1:9".parse().unwrap();
        Dialer::new(endpoint, client_config(&Trust::Public), seed).unwrap().beside(neighbours)
    }

    #[test]
    fn links_of_one_venue_dial_in_line() {
        let poll = Poll::new().unwrap();
        let pace = DialPace::default();
        let mut dialers: Vec<_> =
            (0..60).map(|seed| dialer(seed, &Neighbours::default()).paced(&pace)).collect();
        let begin = Nanos::from_secs(100);
        let mut dialled = 0;
        for step in 0..60_u64 {
            let now = begin.after(Nanos::from_millis(step * 100));
            for dialer in dialers.iter_mut().filter(|dialer| dialer.dials() == 0) {
                assert!(dialer.not_before() <= now.after(DIAL_EVERY));
                drop(dialer.dial(now, poll.registry(), Token(0)));
            }
            let so_far = dialers.iter().map(Dialer::dials).sum::<u64>();
            assert!(so_far - dialled <= if step == 0 { DIALS_AT_ONCE } else { 1 }, "step {step}");
            dialled = so_far;
        }
        assert_eq!(dialled, 60, "nobody is forgotten");
    }

    #[test]
    fn a_neighbour_that_connects_ends_the_wait_of_the_others_once() {
        let poll = Poll::new().unwrap();
        let neighbours = Neighbours::default();
        let (mut one, mut other) = (dialer(1, &neighbours), dialer(2, &neighbours));
        let mut now = Nanos::from_secs(100);
        for _ in 0..10 {
            one.on_failure(now);
        }
        let tried = |dialer: &mut Dialer, now| {
            let before = dialer.dials();
            drop(dialer.dial(now, poll.registry(), Token(0)));
            dialer.dials() > before
        };
        assert!(one.not_before() <= now.after(backoff::WAIT_MAX), "never longer than this");
        assert!(!tried(&mut one, now));
        other.on_open();
        assert!(tried(&mut one, now), "the venue is there");
        one.on_failure(now);
        assert!(!tried(&mut one, now), "not for this one");
        for _ in 0..5 {
            now = now.after(Nanos::from_millis(100));
            other.on_failure(now);
            other.on_open(); // it breaks and comes back again and again
            assert!(!tried(&mut one, now), "not more than once a second");
        }
    }

    #[test]
    fn a_neighbour_that_goes_on_working_ends_no_wait() {
        let poll = Poll::new().unwrap();
        let neighbours = Neighbours::default();
        let (mut one, mut other) = (dialer(1, &neighbours), dialer(2, &neighbours));
        let mut now = Nanos::from_secs(100);
        other.on_open();
        for _ in 0..10 {
            one.on_failure(now); // its waits have grown to seconds
        }
        let begin = now;
        while now < one.not_before() {
            other.on_open(); // a frame
            assert!(one.dial(now, poll.registry(), Token(0)).is_none());
            now = now.after(Nanos::from_millis(10));
        }
        assert!(now.since(begin) > SKIP_EVERY, "the test shows nothing otherwise");
    }
}
