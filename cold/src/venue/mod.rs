//! The venues from our side: signing, encoding, REST. What they stream is read in the hot crate.

pub mod answer;
pub mod auth;
mod bucket;
pub mod kalshi;
mod markets;
pub mod polymarket;
pub mod text;
