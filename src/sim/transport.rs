//! Cold REST without a network: a request goes to the venues in this process, at a time that is handed in.

use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use surefoot_cold::rest::{RestAnswer, RestRequest, Transport};
use surefoot_hot::units::Nanos;

use super::world::Venues;
use crate::twin::Host;

/// Bytes of a request without its body, and some.
const HEAD_BYTES: usize = 1_024;

/// The venues, shared by whoever speaks with them; one thread in all, so that the lock is always free.
pub type Shared = Arc<Mutex<Venues>>;

/// The venues for a moment.
pub fn lock(venues: &Shared) -> MutexGuard<'_, Venues> {
    venues.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Virtual time, shared by whoever stamps requests.
#[derive(Clone, Debug, Default)]
pub struct VirtualTime(Arc<AtomicU64>);

impl VirtualTime {
    /// The time now.
    pub fn now(&self) -> Nanos {
        Nanos::new(self.0.load(Ordering::Relaxed))
    }

    /// Time goes on.
    pub fn set(&self, now: Nanos) {
        assert!(now >= self.now(), "virtual time never runs back");
        self.0.store(now.get(), Ordering::Relaxed);
    }
}

/// Carries requests of cold readers to a host. A whole reading takes no virtual time: the venue answers as of one moment.
#[derive(Clone, Debug)]
pub struct InProcess {
    /// The venues that answer.
    pub venues: Shared,
    /// Which host answers.
    pub host: Host,
    /// The time at which they are asked.
    pub time: VirtualTime,
}

impl Transport for InProcess {
    fn exchange(&self, request: &RestRequest<'_>) -> Result<RestAnswer, String> {
        let mut bytes = Vec::with_capacity(HEAD_BYTES + request.body.len());
        let fits = "a buffer takes everything";
        let (method, target) = (request.method, request.target);
        write!(bytes, "{method} {target} HTTP/1.1\r\nHost: {}\r\n", request.endpoint.authority())
            .expect(fits);
        for (name, value) in request.headers {
            write!(bytes, "{name}: {value}\r\n").expect(fits);
        }
        if request.has_body() {
            let length = request.body.len();
            write!(bytes, "Content-Type: application/json\r\nContent-Length: {length}\r\n")
                .expect(fits);
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(request.body);
        if lock(&self.venues).is_away(self.host) {
            return Err(format!("{}: no connection", request.endpoint.authority()));
        }
        let answer = lock(&self.venues).answer(self.host, &bytes, self.time.now());
        let answer = answer.map_err(|broken| broken.to_string())?;
        let body = lock(&self.venues).shown(self.host, answer.body);
        Ok(RestAnswer { status: answer.status, retry_after: None, body })
    }

    fn now(&self) -> Nanos {
        self.time.now()
    }
}
