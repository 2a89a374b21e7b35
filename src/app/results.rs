//! Markets that settled while nobody listened: a stream tells of a result once, metadata for ever.

use std::collections::{BTreeMap, BTreeSet};

use surefoot_cold::directory::{Directory, Entry};
use surefoot_cold::rest::Rest;
use surefoot_cold::venue::listing;
use surefoot_hot::event::Event;
use surefoot_hot::ids::{MarketId, Venue};
use surefoot_hot::units::Price;

/// Reads the results of the markets of one venue.
pub(crate) struct Results {
    venue: Venue,
    metadata: Rest,
    /// The venue's name of each market.
    markets: Vec<(String, MarketId)>,
    told: BTreeSet<MarketId>,
}

impl Results {
    /// For every market of a directory at this venue. `metadata` leads to the venue's metadata.
    pub fn new(venue: Venue, metadata: Rest, directory: &Directory) -> Self {
        let markets =
            directory.of(venue).map(|entry| (entry.names.id().to_owned(), entry.def.market));
        Self { venue, metadata, markets: markets.collect(), told: BTreeSet::new() }
    }

    /// One more market is followed.
    pub fn follow(&mut self, entry: &Entry) {
        let market = (entry.names.id().to_owned(), entry.def.market);
        if entry.def.venue == self.venue && !self.markets.contains(&market) {
            self.markets.push(market);
        }
    }

    /// Results that are final and were not given before; the core takes one that it knows for nothing new.
    ///
    /// # Errors
    /// The venue did not answer with a list: nothing is given, and nothing is lost.
    pub fn read(&mut self) -> Result<Vec<Event>, String> {
        let mut paid: Vec<(MarketId, Price)> = Vec::new();
        let open = self.markets.iter().filter(|(_, market)| !self.told.contains(market));
        let open: BTreeMap<_, _> = open.map(|(name, market)| (name.as_str(), *market)).collect();
        let names: Vec<_> = open.keys().copied().collect();
        for (name, yes_pays) in listing(self.venue).results(&self.metadata, &names)? {
            paid.extend(open.get(name.as_str()).map(|market| (*market, yes_pays)));
        }
        self.told.extend(paid.iter().map(|(market, _)| *market));
        let event = |(market, yes_pays)| Event::Settled { market, yes_pays };
        Ok(paid.into_iter().map(event).collect())
    }
}
