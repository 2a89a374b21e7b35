//! Sockets that never block: addresses, trust, TLS over mio, and when to try again.

pub mod backoff;
pub mod dial;
pub mod endpoint;
mod lookup;
pub mod meter;
pub mod stream;
pub mod tls;

pub use backoff::Backoff;
pub use dial::{DialPace, Dialer, Neighbours};
pub use endpoint::{Endpoint, Scheme};
pub use meter::{Meter, NoMeter, Stage};
pub use stream::TlsStream;
pub use tls::{Trust, client_config};

use std::fmt;
use std::io;
use std::time::Duration;

use mio::{Events, Poll};

/// Takes readiness from the system into `events`, waiting for it at most `timeout`; without end where that is `None`.
/// `false` where a signal cut the wait short: then `events` is of an earlier call.
pub(crate) fn wait_ready(poll: &mut Poll, events: &mut Events, timeout: Option<Duration>) -> bool {
    match poll.poll(events, timeout) {
        Ok(()) => true,
        Err(error) if error.kind() == io::ErrorKind::Interrupted => false,
        Err(error) => panic!("the poll is ours and open: {error}"),
    }
}

/// What kept us from setting up a link.
#[derive(Debug)]
pub enum NetError {
    /// The address is not one we speak to: `https://` and `wss://` alone are.
    Endpoint {
        /// The URL as it was given.
        url: String,
        why: &'static str,
    },
    /// A certificate file could not be read.
    Trust {
        /// The file, or a name for certificates that are not from a file.
        source: String,
        why: String,
    },
    /// The operating system said no.
    Io {
        /// The action that failed: "connect".
        doing: &'static str,
        error: io::Error,
    },
}

impl fmt::Display for NetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Endpoint { url, why } => write!(f, "{url:?} cannot be used: {why}"),
            Self::Trust { source, why } => write!(f, "certificates of {source}: {why}"),
            Self::Io { doing, error } => write!(f, "{doing}: {error}"),
        }
    }
}

impl std::error::Error for NetError {}
