//! Polymarket's markets, asked for at Gamma by their condition ids.

use surefoot_hot::ids::{ClusterId, MarketId};
use surefoot_hot::units::Price;

use super::super::{Listing, MARKETS_PER_REQUEST, Terms};
use super::metadata;
use crate::rest::Rest;

/// How they are read.
#[derive(Clone, Copy, Debug)]
pub struct PolymarketListing;

impl Listing for PolymarketListing {
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
    gamma: &Rest,
    names: &[String],
    cluster: &dyn Fn(&str) -> ClusterId,
) -> Result<Terms, String> {
    let mut read = Terms::default();
    for names in names.chunks(MARKETS_PER_REQUEST) {
        let query: Vec<_> = names.iter().map(|name| ("condition_ids", name.as_str())).collect();
        let body = gamma
            .get("/markets", &query)
            .map_err(|error| format!("polymarket metadata: {error}"))?;
        for row in body.as_array().into_iter().flatten() {
            match metadata::gamma(row) {
                Ok(market) => {
                    let cluster = cluster(&market.names.condition_id);
                    read.entries.push(market.entry(MarketId::new(0), cluster));
                }
                Err(error) => read.left_out.push(format!("polymarket: {error}")),
            }
        }
    }
    Ok(read)
}

fn results(gamma: &Rest, names: &[&str]) -> Result<Vec<(String, Price)>, String> {
    let mut found = Vec::new();
    for names in names.chunks(MARKETS_PER_REQUEST) {
        let names = names.iter().map(|name| ("condition_ids", *name));
        let query: Vec<_> = names.chain([("closed", "true")]).collect();
        let body = gamma
            .get("/markets", &query)
            .map_err(|error| format!("polymarket results: {error}"))?;
        let rows =
            body.as_array().ok_or("polymarket results: the answer is not a list of markets")?;
        let read = rows.iter().filter_map(|row| metadata::gamma(row).ok());
        found.extend(read.filter_map(|m| Some((m.names.condition_id, m.yes_pays?))));
    }
    Ok(found)
}
