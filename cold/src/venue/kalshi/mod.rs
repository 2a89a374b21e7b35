//! Kalshi: signing, encoding, and what its answers and listings say.

pub mod answer;
pub mod codec;
pub mod encode;
pub mod metadata;
pub mod reconcile;
pub mod rest;
pub mod signer;

pub use codec::{HeaderSlots, Kalshi, KalshiRates, learn_from_frame};

use crate::exec::Exec;

/// The executor that trades at Kalshi.
pub type KalshiExec<M> = Exec<Kalshi, M>;
