//! Kalshi: signing and encoding.

pub mod encode;
pub mod signer;
