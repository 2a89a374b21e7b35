//! Markets that settled while nobody listened: a stream tells of a result once, metadata for ever.

use std::collections::BTreeSet;

use serde_json::Value;
use surefoot_cold::directory::{Directory, Names};
use surefoot_cold::rest::Rest;
use surefoot_cold::venue::{kalshi, polymarket};
use surefoot_hot::event::Event;
use surefoot_hot::ids::MarketId;
use surefoot_hot::market::MarketStatus;
use surefoot_hot::units::Price;

use crate::access::Access;

/// Markets asked about in one request.
const MARKETS_PER_REQUEST: usize = 50;

/// Reads the results of the markets followed.
pub(crate) struct Results {
    gamma: Rest,
    kalshi: Rest,
    conditions: Vec<(String, MarketId)>,
    tickers: Vec<(String, MarketId)>,
    told: BTreeSet<MarketId>,
}

impl Results {
    /// For every market of a directory.
    pub fn new(access: &Access, directory: &Directory) -> Self {
        let mut results = Self {
            gamma: Rest::new(access.polymarket.gamma.clone(), &access.trust, None),
            kalshi: Rest::new(access.kalshi.rest.clone(), &access.trust, None),
            conditions: Vec::new(),
            tickers: Vec::new(),
            told: BTreeSet::new(),
        };
        for entry in directory.iter() {
            let market = entry.def.market;
            match &entry.names {
                Names::Polymarket(names) => {
                    results.conditions.push((names.condition_id.clone(), market))
                }
                Names::Kalshi(names) => results.tickers.push((names.ticker.clone(), market)),
            }
        }
        results
    }

    /// Results that are final and were not given before; the core takes one that it knows for nothing new.
    ///
    /// # Errors
    /// A venue did not answer: nothing is given, and nothing is lost.
    pub fn read(&mut self) -> Result<Vec<Event>, String> {
        let mut paid: Vec<(MarketId, Price)> = Vec::new();
        let open = |list: &[(String, MarketId)]| {
            let open = list.iter().filter(|(_, market)| !self.told.contains(market));
            open.cloned().collect::<Vec<_>>()
        };
        for some in open(&self.conditions).chunks(MARKETS_PER_REQUEST) {
            let names = some.iter().map(|(name, _)| ("condition_ids", name.as_str()));
            let query: Vec<_> = names.chain([("closed", "true")]).collect();
            let body = self
                .gamma
                .get("/markets", &query)
                .map_err(|error| format!("polymarket results: {error}"))?;
            for row in rows(&body) {
                let Ok(market) = polymarket::metadata::gamma(row) else { continue };
                let found = some.iter().find(|(name, _)| *name == market.names.condition_id);
                paid.extend(found.and_then(|(_, id)| Some((*id, market.yes_pays?))));
            }
        }
        for some in open(&self.tickers).chunks(MARKETS_PER_REQUEST) {
            let names: Vec<_> = some.iter().map(|(name, _)| name.as_str()).collect();
            let names = names.join(",");
            let body = self
                .kalshi
                .get("/markets", &[("tickers", names.as_str()), ("limit", "1000")])
                .map_err(|error| format!("kalshi results: {error}"))?;
            for row in rows(&body["markets"]) {
                let Ok(market) = kalshi::metadata::market(row) else { continue };
                if market.status != MarketStatus::Resolved {
                    continue; // determined is not paid
                }
                let found = some.iter().find(|(name, _)| *name == market.ticker);
                paid.extend(found.and_then(|(_, id)| Some((*id, market.yes_pays?))));
            }
        }
        self.told.extend(paid.iter().map(|(market, _)| *market));
        let event = |(market, yes_pays)| Event::Settled { market, yes_pays };
        Ok(paid.into_iter().map(event).collect())
    }
}

fn rows(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
