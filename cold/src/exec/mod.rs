//! The executors, one per venue: intents in; signed requests, the wire log and reports out.
//!
//! [`machine`] decides, and is a value without socket, thread, clock or ring. `shell.rs` is its way to the world: mio, TLS
//! lanes, rings, the halt epoch compared last. [`write_ahead`] is where orders are written down before they leave, [`codec`]
//! what a venue's requests and answers mean.

mod bucket;
pub mod codec;
pub mod http;
pub mod kalshi;
mod lane;
pub mod machine;
mod markets;
pub mod polymarket;
mod shell;
pub mod write_ahead;

pub use kalshi::Kalshi;
pub use machine::{BEATS_MISSED_MAX, CORE_STILL_MAX, ExecFigures, ExecOptions, ExecStats};
pub use polymarket::Polymarket;
pub use shell::{Exec, ExecWiring};

/// The executor that trades at Polymarket.
pub type PolymarketExec<M> = Exec<Polymarket, M>;
/// The executor that trades at Kalshi.
pub type KalshiExec<M> = Exec<Kalshi, M>;
