//! Kalshi's markets, asked for by their tickers, with the events and series that their terms stand in.

use std::collections::BTreeMap;

use surefoot_hot::ids::{ClusterId, MarketId};
use surefoot_hot::market::MarketStatus;
use surefoot_hot::units::Price;

use super::super::{Listing, MARKETS_PER_REQUEST, Terms};
use super::metadata::{self, Event, Series};
use crate::rest::Rest;

/// How they are read.
#[derive(Clone, Copy, Debug)]
pub struct KalshiListing;

impl Listing for KalshiListing {
    fn terms(
        &self,
        rest: &Rest,
        names: &[String],
        cluster: &dyn Fn(&str) -> ClusterId,
    ) -> Result<Terms, String> {
        terms(rest, names, cluster)
    }

    fn results(&self, rest: &Rest, names: &[&str]) -> Result<Vec<(String, Price)>, String> {
        results(rest, names)
    }
}

fn terms(
    rest: &Rest,
    tickers: &[String],
    cluster: &dyn Fn(&str) -> ClusterId,
) -> Result<Terms, String> {
    let mut read = Terms::default();
    let (mut events, mut series) = (BTreeMap::new(), BTreeMap::new());
    for tickers in tickers.chunks(MARKETS_PER_REQUEST) {
        let body = rest
            .get("/markets", &[("tickers", tickers.join(",").as_str()), ("limit", "1000")])
            .map_err(|error| format!("kalshi metadata: {error}"))?;
        for row in body["markets"].as_array().into_iter().flatten() {
            let market = match metadata::market(row) {
                Ok(market) => market,
                Err(error) => {
                    read.left_out.push(format!("kalshi: {error}"));
                    continue;
                }
            };
            match of_event(rest, &market.event_ticker, &mut events, &mut series) {
                Ok((event, series)) => {
                    let cluster = cluster(&market.ticker);
                    read.entries.push(market.entry(series, event, MarketId::new(0), cluster));
                }
                Err(why) => read.left_out.push(format!("kalshi {}: {why}", market.ticker)),
            }
        }
    }
    Ok(read)
}

/// An event's and its series' terms, asked for once each.
fn of_event<'a>(
    rest: &Rest,
    event_ticker: &str,
    events: &'a mut BTreeMap<String, Event>,
    series: &'a mut BTreeMap<String, Series>,
) -> Result<(&'a Event, &'a Series), String> {
    if !events.contains_key(event_ticker) {
        let body =
            rest.get(&format!("/events/{event_ticker}"), &[]).map_err(|error| error.to_string())?;
        let event = metadata::event(&body).map_err(|error| error.to_string())?;
        events.insert(event_ticker.to_owned(), event);
    }
    let event = &events[event_ticker];
    if !series.contains_key(&event.series_ticker) {
        let body = rest
            .get(&format!("/series/{}", event.series_ticker), &[])
            .map_err(|error| error.to_string())?;
        let read = metadata::series(&body).map_err(|error| error.to_string())?;
        series.insert(event.series_ticker.clone(), read);
    }
    Ok((event, &series[&event.series_ticker]))
}

fn results(rest: &Rest, tickers: &[&str]) -> Result<Vec<(String, Price)>, String> {
    let mut found = Vec::new();
    for tickers in tickers.chunks(MARKETS_PER_REQUEST) {
        let query = [("tickers", tickers.join(",")), ("limit", "1000".to_owned())];
        let query = query.each_ref().map(|(name, value)| (*name, value.as_str()));
        let body =
            rest.get("/markets", &query).map_err(|error| format!("kalshi results: {error}"))?;
        let rows = body["markets"]
            .as_array()
            .ok_or("kalshi results: the answer is not a list of markets")?;
        let read = rows.iter().filter_map(|row| metadata::market(row).ok());
        // Determined is not paid.
        let paid = read.filter(|market| market.status == MarketStatus::Resolved);
        found.extend(paid.filter_map(|market| Some((market.ticker, market.yes_pays?))));
    }
    Ok(found)
}
