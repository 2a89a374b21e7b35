//! Sockets that never block: addresses, trust, TLS over mio, and when to try again.

pub mod backoff;
pub mod dial;
pub mod endpoint;
pub mod meter;
pub mod stream;
pub mod tls;

pub use backoff::Backoff;
pub use dial::{Dialer, Neighbours};
pub use endpoint::{Endpoint, Scheme};
pub use meter::{Meter, NoMeter, Stage};
pub use stream::TlsStream;
pub use tls::{Trust, client_config};

use std::fmt;
use std::io;

/// What kept us from setting up a link.
#[derive(Debug)]
pub enum NetError {
    /// The address is not one we speak to: `https://` and `wss://` alone are.
    Endpoint {
        /// As given.
        url: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A certificate file could not be read.
    Trust {
        /// Which file, or where it came from.
        source: String,
        /// What is wrong with it.
        why: String,
    },
    /// The operating system said no.
    Io {
        /// What we were doing.
        doing: &'static str,
        /// What it said.
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
