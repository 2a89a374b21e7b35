//! Polymarket: signing, encoding, and what its answers and listings say.

pub mod answer;
pub mod audit;
mod cancel;
pub mod codec;
pub mod eip712;
pub mod encode;
mod follow;
mod listing;
mod login;
pub mod metadata;
pub mod reconcile;
pub mod rest;
mod settled;
mod shown;
pub mod signer;
pub mod terms;

pub use cancel::cancel_rights;
pub use codec::{Polymarket, PolymarketRates};
pub use listing::PolymarketListing;
pub use login::{PolymarketAuth, polymarket_user_frame};
