//! Kalshi: signing, encoding, and what its answers and listings say.

pub mod answer;
mod cancel;
pub mod codec;
pub mod encode;
pub mod fees;
mod follow;
mod header_slots;
mod learn;
mod listing;
mod login;
pub mod metadata;
pub mod reconcile;
pub mod rest;
mod shown;
pub mod signer;
pub mod terms;

pub use cancel::cancel_rights;
pub use codec::{Kalshi, KalshiRates};
pub use header_slots::HeaderSlots;
pub use learn::learn_from_frame;
pub use listing::KalshiListing;
pub use login::{KalshiAuth, StreamKey};
