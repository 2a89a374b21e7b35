//! Polymarket: signing, encoding, and what its answers and listings say.

pub mod answer;
pub mod audit;
pub mod codec;
pub mod eip712;
pub mod encode;
pub mod metadata;
pub mod reconcile;
pub mod rest;
pub mod signer;

pub use codec::{Polymarket, PolymarketRates};

use crate::exec::Exec;

/// The executor that trades at Polymarket.
pub type PolymarketExec<M> = Exec<Polymarket, M>;
