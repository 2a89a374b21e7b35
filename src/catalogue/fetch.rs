//! The terms of markets, asked for at both venues.

use std::collections::BTreeMap;

use surefoot_cold::directory::{Directory, Entry};
use surefoot_cold::rest::Rest;
use surefoot_cold::venue::{kalshi, polymarket};
use surefoot_hot::ids::{MarketId, Venue};

use super::clusters::Clusters;
use super::{Catalogue, ExtraMarkets};
use crate::access::Relations;

/// Markets asked about in one request.
const MARKETS_PER_REQUEST: usize = 50;

impl Catalogue {
    /// Asks both venues for the terms of every market named. Markets of `known` keep their numbers; one that the
    /// venue lists no more stays, closed.
    ///
    /// # Errors
    /// A venue does not answer.
    pub fn load(
        gamma: &Rest,
        kalshi_rest: &Rest,
        relations: &Relations,
        extra: &ExtraMarkets,
        known: Option<&Directory>,
    ) -> Result<Self, String> {
        let clusters = Clusters::of(relations, extra, known);
        let mut catalogue = Self::default();
        let mut found = BTreeMap::new();
        catalogue.fetch_polymarket(gamma, &clusters, &mut found)?;
        catalogue.fetch_kalshi(kalshi_rest, &clusters, &mut found)?;
        catalogue.number(found, known, &clusters);
        catalogue.relate(relations);
        Ok(catalogue)
    }

    fn fetch_polymarket(
        &mut self,
        gamma: &Rest,
        clusters: &Clusters,
        found: &mut BTreeMap<String, Entry>,
    ) -> Result<(), String> {
        let polymarket_ids = clusters.names(Venue::Polymarket);
        for names in polymarket_ids.chunks(MARKETS_PER_REQUEST) {
            let query: Vec<_> = names.iter().map(|name| ("condition_ids", name.as_str())).collect();
            let body = gamma
                .get("/markets", &query)
                .map_err(|error| format!("polymarket metadata: {error}"))?;
            let rows = body.as_array().cloned().unwrap_or_default();
            for row in &rows {
                match polymarket::metadata::gamma(row) {
                    Ok(market) => {
                        let name = market.names.condition_id.clone();
                        let cluster = clusters.find(Venue::Polymarket, &name);
                        found.insert(name, market.entry(MarketId::new(0), cluster));
                    }
                    Err(error) => self.left_out.push(format!("polymarket: {error}")),
                }
            }
        }
        Ok(())
    }

    fn fetch_kalshi(
        &mut self,
        kalshi_rest: &Rest,
        clusters: &Clusters,
        found: &mut BTreeMap<String, Entry>,
    ) -> Result<(), String> {
        let tickers = clusters.names(Venue::Kalshi);
        let mut series = BTreeMap::new();
        let mut events = BTreeMap::new();
        for names in tickers.chunks(MARKETS_PER_REQUEST) {
            let body = kalshi_rest
                .get("/markets", &[("tickers", names.join(",").as_str()), ("limit", "1000")])
                .map_err(|error| format!("kalshi metadata: {error}"))?;
            for row in body["markets"].as_array().cloned().unwrap_or_default() {
                let market = match kalshi::metadata::market(&row) {
                    Ok(market) => market,
                    Err(error) => {
                        self.left_out.push(format!("kalshi: {error}"));
                        continue;
                    }
                };
                let cluster = clusters.find(Venue::Kalshi, &market.ticker);
                match kalshi_terms(kalshi_rest, &market.event_ticker, &mut events, &mut series) {
                    Ok((event, series)) => {
                        let name = market.ticker.clone();
                        found.insert(name, market.entry(series, event, MarketId::new(0), cluster));
                    }
                    Err(why) => self.left_out.push(format!("kalshi {}: {why}", market.ticker)),
                }
            }
        }
        Ok(())
    }
}

/// An event's and its series' terms, asked for once each.
fn kalshi_terms<'a>(
    rest: &Rest,
    event_ticker: &str,
    events: &'a mut BTreeMap<String, kalshi::metadata::Event>,
    series: &'a mut BTreeMap<String, kalshi::metadata::Series>,
) -> Result<(&'a kalshi::metadata::Event, &'a kalshi::metadata::Series), String> {
    if !events.contains_key(event_ticker) {
        let body =
            rest.get(&format!("/events/{event_ticker}"), &[]).map_err(|error| error.to_string())?;
        let event = kalshi::metadata::event(&body).map_err(|error| error.to_string())?;
        events.insert(event_ticker.to_owned(), event);
    }
    let event = &events[event_ticker];
    if !series.contains_key(&event.series_ticker) {
        let body = rest
            .get(&format!("/series/{}", event.series_ticker), &[])
            .map_err(|error| error.to_string())?;
        let read = kalshi::metadata::series(&body).map_err(|error| error.to_string())?;
        series.insert(event.series_ticker.clone(), read);
    }
    Ok((event, &series[&event.series_ticker]))
}
