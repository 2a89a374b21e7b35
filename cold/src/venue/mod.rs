//! The venues from our side: signing, encoding, REST. What they stream is read in the hot crate.

pub mod answer;
pub mod auth;
pub mod kalshi;
pub mod polymarket;
pub mod text;
