//! Kalshi: signing, encoding, and what its answers and listings say.

pub mod answer;
pub mod encode;
pub mod metadata;
pub mod reconcile;
pub mod rest;
pub mod signer;
