//! The venues from our side: signing, encoding, REST. What they stream is read in the hot crate.

mod bucket;
pub mod kalshi;
mod markets;
pub mod polymarket;
