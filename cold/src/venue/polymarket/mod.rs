//! Polymarket: signing and encoding.

pub mod eip712;
pub mod encode;
pub mod signer;
