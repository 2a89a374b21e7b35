//! The venues from our side: signing, encoding, REST. What they stream is read in the hot crate.

mod bucket;
pub mod kalshi;
mod markets;
pub mod pairs;
pub mod polymarket;

use surefoot_hot::book::digest;
use surefoot_hot::event::Event;
use surefoot_hot::ids::{ClusterId, MarketId, Venue};
use surefoot_hot::units::{Nanos, Price, Qty};

use crate::directory::{Entry, Names};
use crate::rest::Rest;

/// Markets asked about in one request.
const MARKETS_PER_REQUEST: usize = 50;

/// What was read of the terms of some markets.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// The markets that were read whole. Their numbers are not given out yet: each has 0.
    pub entries: Vec<Entry>,
    /// Which of them are watched and not bought, and why: one sentence each.
    pub observed: Vec<String>,
    /// What was left out, and why: one sentence each.
    pub left_out: Vec<String>,
}

/// A market's YES book as its venue shows it over REST.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShownBook {
    /// Levels that hold something, in any order.
    pub bids: Vec<(Price, Qty)>,
    /// Levels that hold something, in any order, as prices of YES.
    pub asks: Vec<(Price, Qty)>,
    /// The venue's own time of it; zero where it gives none.
    pub venue_time: Nanos,
}

impl ShownBook {
    /// What the core is told of it.
    pub fn event(mut self, market: MarketId) -> Event {
        self.bids.sort_unstable_by_key(|(price, _)| std::cmp::Reverse(*price));
        self.asks.sort_unstable_by_key(|(price, _)| *price);
        let digest = digest(self.bids.iter().copied(), self.asks.iter().copied());
        Event::Witness { market, digest, venue_time: self.venue_time }
    }
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
    /// The whole book of one market. The client leads to the interface that takes orders; this path needs no key.
    ///
    /// # Errors
    /// The venue does not answer, or not with a book that is understood to the last level.
    fn book(&self, rest: &Rest, names: &Names) -> Result<ShownBook, String>;
}

/// How a venue's markets are read.
pub const fn listing(venue: Venue) -> &'static dyn Listing {
    match venue {
        Venue::Polymarket => &polymarket::PolymarketListing,
        Venue::Kalshi => &kalshi::KalshiListing,
    }
}
