//! The venues' twin: both venues' REST and WebSocket wire on loopback over TLS, one thread, no locks.
//!
//! [`server`] owns the sockets and calls a venue through [`VenueServer`]; a venue is a value that time and
//! requests are handed to, so tests drive it without a socket. [`matching`] knows orders and no money.

mod conn;
pub mod demo;
pub mod drawn;
pub mod flow;
pub mod http;
pub mod kalshi;
mod keys_on_disk;
pub mod market_set;
pub mod matching;
pub mod open;
pub mod polymarket;
mod remote;
pub mod rng;
pub mod routes;
pub mod server;
pub mod statement;
pub mod tls;
pub mod ways;
pub mod world;
pub mod ws;

use http::{Request, Response};
use surefoot_hot::ids::Venue;
use surefoot_hot::units::Nanos;

/// What readings of a venue depend on, as numbers: while one stays the same, so does what is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    /// Cash, contracts, orders and trades of every account but the house's.
    pub account: u64,
    /// The results of all markets.
    pub results: u64,
}

/// One name a venue answers under; each has its own TLS listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Host {
    /// Polymarket's CLOB REST.
    PolymarketClob = 0,
    /// Polymarket's market metadata.
    Gamma = 1,
    /// Polymarket's positions and trades.
    Data = 2,
    /// Polymarket's WebSocket channels, `/ws/market` and `/ws/user`.
    PolymarketWs = 3,
    /// Kalshi's REST, `/trade-api/v2`.
    KalshiRest = 4,
    /// Kalshi's WebSocket, `/trade-api/ws/v2`.
    KalshiWs = 5,
}

impl Host {
    /// Every host, in index order.
    pub const ALL: [Self; 6] = [
        Self::PolymarketClob,
        Self::Gamma,
        Self::Data,
        Self::PolymarketWs,
        Self::KalshiRest,
        Self::KalshiWs,
    ];

    /// Where a venue takes orders.
    pub const fn of_orders(venue: Venue) -> Self {
        match venue {
            Venue::Polymarket => Self::PolymarketClob,
            Venue::Kalshi => Self::KalshiRest,
        }
    }

    /// Index into per-host arrays.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The name used in output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PolymarketClob => "polymarket_clob",
            Self::Gamma => "gamma",
            Self::Data => "data",
            Self::PolymarketWs => "polymarket_ws",
            Self::KalshiRest => "kalshi_rest",
            Self::KalshiWs => "kalshi_ws",
        }
    }

    /// The path below which its requests are.
    pub const fn base(self) -> &'static str {
        match self {
            Self::KalshiRest => kalshi::BASE,
            Self::PolymarketClob
            | Self::Gamma
            | Self::Data
            | Self::PolymarketWs
            | Self::KalshiWs => "",
        }
    }

    /// Whether this is one of Kalshi's.
    pub const fn is_kalshi(self) -> bool {
        matches!(self, Self::KalshiRest | Self::KalshiWs)
    }
}

/// One WebSocket connection, never reused within a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

/// A venue as the server sees it: requests and frames in, answers and frames out, time as an argument.
pub trait VenueServer {
    /// Answers one REST request.
    fn http(&mut self, host: Host, req: &Request, now: Nanos) -> Response;
    /// A WebSocket handshake asks to be let in; an error is answered instead of the upgrade.
    ///
    /// # Errors
    /// The response with which the venue refuses the handshake.
    fn ws_open(
        &mut self,
        conn: ConnId,
        host: Host,
        req: &Request,
        now: Nanos,
    ) -> Result<(), Response>;
    /// One text frame of an open connection.
    fn ws_text(&mut self, conn: ConnId, text: &str, now: Nanos);
    /// The connection is gone.
    fn ws_close(&mut self, conn: ConnId);
    /// The next text frame to write, in order; called until `None` after every other call.
    fn poll_out(&mut self) -> Option<(ConnId, String)>;
    /// Something in here panicked half way: what it may have torn is made whole.
    fn mend(&mut self, _now: Nanos) {}
    /// Time has come: expiries, settlements, heartbeats.
    fn tick(&mut self, now: Nanos);
    /// When [`VenueServer::tick`] next has something to do; the server also ticks when anything else happens.
    fn deadline(&self) -> Nanos {
        Nanos::NEVER
    }
}
