//! Markets that settled while nobody listened: a stream tells of a result once, metadata for ever.

use std::collections::BTreeSet;

use surefoot_cold::directory::Directory;
use surefoot_cold::rest::Rest;
use surefoot_cold::venue::{kalshi, polymarket};
use surefoot_hot::event::Event;
use surefoot_hot::ids::{MarketId, Venue};
use surefoot_hot::market::MarketStatus;
use surefoot_hot::units::Price;

/// Markets asked about in one request.
const MARKETS_PER_REQUEST: usize = 50;

/// Reads the results of the markets of one venue.
pub(crate) struct Results {
    venue: Venue,
    metadata: Rest,
    /// The venue's name of each market.
    markets: Vec<(String, MarketId)>,
    told: BTreeSet<MarketId>,
}

impl Results {
    /// For every market of a directory at this venue. `metadata` leads to Gamma, or to Kalshi's REST.
    pub fn new(venue: Venue, metadata: Rest, directory: &Directory) -> Self {
        let markets =
            directory.of(venue).map(|entry| (entry.names.id().to_owned(), entry.def.market));
        Self { venue, metadata, markets: markets.collect(), told: BTreeSet::new() }
    }

    /// Results that are final and were not given before; the core takes one that it knows for nothing new.
    ///
    /// # Errors
    /// The venue did not answer with a list: nothing is given, and nothing is lost.
    pub fn read(&mut self) -> Result<Vec<Event>, String> {
        let mut paid: Vec<(MarketId, Price)> = Vec::new();
        let open: Vec<_> =
            self.markets.iter().filter(|(_, market)| !self.told.contains(market)).collect();
        for some in open.chunks(MARKETS_PER_REQUEST) {
            for (name, yes_pays) in self.ask(some)? {
                let found = some.iter().find(|(known, _)| *known == name);
                paid.extend(found.map(|(_, market)| (*market, yes_pays)));
            }
        }
        self.told.extend(paid.iter().map(|(market, _)| *market));
        let event = |(market, yes_pays)| Event::Settled { market, yes_pays };
        Ok(paid.into_iter().map(event).collect())
    }

    /// Which of these have a result, and what one YES pays. A market whose row cannot be read has none yet.
    fn ask(&self, some: &[&(String, MarketId)]) -> Result<Vec<(String, Price)>, String> {
        let failed = |why: String| format!("{} results: {why}", self.venue.name());
        let get = |path, query: &[(&str, &str)]| {
            self.metadata.get(path, query).map_err(|error| failed(error.to_string()))
        };
        let no_list = || failed("the answer is not a list of markets".to_owned());
        match self.venue {
            Venue::Polymarket => {
                let names = some.iter().map(|(name, _)| ("condition_ids", name.as_str()));
                let query: Vec<_> = names.chain([("closed", "true")]).collect();
                let body = get("/markets", &query)?;
                let rows = body.as_array().ok_or_else(no_list)?;
                let read = rows.iter().filter_map(|row| polymarket::metadata::gamma(row).ok());
                Ok(read.filter_map(|m| Some((m.names.condition_id, m.yes_pays?))).collect())
            }
            Venue::Kalshi => {
                let names: Vec<_> = some.iter().map(|(name, _)| name.as_str()).collect();
                let names = names.join(",");
                let body = get("/markets", &[("tickers", names.as_str()), ("limit", "1000")])?;
                let rows = body["markets"].as_array().ok_or_else(no_list)?;
                let read = rows.iter().filter_map(|row| kalshi::metadata::market(row).ok());
                // Determined is not paid.
                let paid = read.filter(|market| market.status == MarketStatus::Resolved);
                Ok(paid.filter_map(|market| Some((market.ticker, market.yes_pays?))).collect())
            }
        }
    }
}
