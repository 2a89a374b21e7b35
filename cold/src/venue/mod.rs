//! The venues from our side: signing, encoding, REST. What they stream is read in the hot crate.

mod bucket;
pub mod kalshi;
mod markets;
pub mod polymarket;

use surefoot_hot::ids::{ClusterId, Venue};
use surefoot_hot::units::Price;

use crate::directory::Entry;
use crate::rest::Rest;

/// Markets asked about in one request.
const MARKETS_PER_REQUEST: usize = 50;

/// What was read of the terms of some markets.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// The markets that were read whole. Their numbers are not given out yet: each has 0.
    pub entries: Vec<Entry>,
    /// What was left out, and why: one sentence each.
    pub left_out: Vec<String>,
}

/// How the markets of a venue are read, by what the venue calls them. The client handed in leads to the venue's metadata, which
/// needs no key.
pub trait Listing {
    /// The terms of these markets, each in the cluster that is named for it. One that is left out counts as closed for a whole
    /// run: that is concluded from what the venue says, and never from an answer that is missing.
    ///
    /// # Errors
    /// The venue does not answer, or not with a list; asking again may help.
    fn terms(
        &self,
        rest: &Rest,
        names: &[String],
        cluster: &dyn Fn(&str) -> ClusterId,
    ) -> Result<Terms, String>;
    /// Which of these markets have a final result, and what one YES pays. A market whose row cannot be read has none yet.
    ///
    /// # Errors
    /// The venue does not answer, or not with a list.
    fn results(&self, rest: &Rest, names: &[&str]) -> Result<Vec<(String, Price)>, String>;
}

/// How a venue's markets are read.
pub const fn listing(venue: Venue) -> &'static dyn Listing {
    match venue {
        Venue::Polymarket => &polymarket::PolymarketListing,
        Venue::Kalshi => &kalshi::KalshiListing,
    }
}
