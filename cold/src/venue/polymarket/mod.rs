//! Polymarket: signing, encoding, and what its answers and listings say.

pub mod answer;
pub mod audit;
pub mod eip712;
pub mod encode;
pub mod metadata;
pub mod reconcile;
pub mod rest;
pub mod signer;
