//! Kalshi's truth.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use surefoot_hot::event::Listing;
use surefoot_hot::ids::{MarketId, Side, Venue};
use surefoot_hot::units::{Qty, Usd};

use super::rest;
use crate::directory::{Directory, Entry, Names};
use crate::json::as_qty;
use crate::reconcile::{Open, Reader, Truth, TruthError, walk_pages};
use crate::rest::Rest;

/// Reads our account at Kalshi.
#[derive(Debug)]
pub struct KalshiReader {
    rest: Rest,
    tickers: BTreeMap<String, MarketId>,
    /// Those of the markets that we follow.
    shards: BTreeSet<u8>,
}

/// Orders and positions asked for at a time: the most that the venue gives (`venues/kalshi.md` §3.8 and §8, 2026-11-20).
const MOST_PER_PAGE: (&str, &str) = ("limit", "1000");
/// Fills asked for at a time: of these the venue does not say how many it gives at most.
const FILLS_PER_PAGE: (&str, &str) = ("limit", "200");

impl KalshiReader {
    /// `rest` must sign its requests.
    pub fn new(rest: Rest, directory: &Directory) -> Self {
        let tickers = directory
            .of(Venue::Kalshi)
            .map(|entry| (entry.names.id().to_owned(), entry.def.market))
            .collect();
        let shards = directory.of(Venue::Kalshi).map(|entry| entry.def.shard).collect();
        Self { rest, tickers, shards }
    }

    /// Cash by shard. A key that is pinned to a subaccount is told the sum alone, so that it asks shard by shard.
    fn cash(&self) -> Result<Vec<(u8, Usd)>, TruthError> {
        let ask =
            |query: &[(&str, &str)]| self.rest.get("/portfolio/balance", query).map_err(rest_error);
        if let Some(cash) = rest::balance_by_shard(&ask(&[])?).map_err(read_error)? {
            return Ok(cash);
        }
        let of_shard = |&shard: &u8| {
            let body = ask(&[("exchange_index", &shard.to_string())])?;
            Ok((shard, rest::balance(&body).map_err(read_error)?))
        };
        self.shards.iter().map(of_shard).collect()
    }

    /// Walks a paged listing.
    fn pages(
        &self,
        path: &str,
        field: &'static str,
        query: &[(&str, &str)],
        mut each: impl FnMut(&Value) -> Result<(), TruthError>,
    ) -> Result<(), TruthError> {
        let is_whole = walk_pages(|cursor| {
            let mut query = query.to_vec();
            query.extend(cursor.map(|cursor| ("cursor", cursor)));
            let body = self.rest.get(path, &query).map_err(rest_error)?;
            let (rows, next) = rest::page(&body, field).map_err(read_error)?;
            rows.iter().try_for_each(&mut each)?;
            Ok(next.map(str::to_owned))
        })?;
        if is_whole { Ok(()) } else { Err(TruthError::Partial(Venue::Kalshi, field)) }
    }
}

pub(super) fn rest_error(error: crate::rest::RestError) -> TruthError {
    TruthError::Rest(Venue::Kalshi, error)
}

pub(super) fn read_error(error: crate::json::ReadError) -> TruthError {
    TruthError::Read(Venue::Kalshi, error)
}

impl Reader for KalshiReader {
    fn venue(&self) -> Venue {
        Venue::Kalshi
    }

    fn follow(&mut self, entry: &Entry) {
        if let Names::Kalshi(names) = &entry.names {
            self.tickers.insert(names.ticker.clone(), entry.def.market);
            self.shards.insert(entry.def.shard);
        }
    }

    fn truth(&self) -> Result<Truth, TruthError> {
        let mut truth = Truth { cash: self.cash()?, ..Truth::default() };
        let mut seen = BTreeSet::new();
        self.pages("/portfolio/positions", "market_positions", &[MOST_PER_PAGE], |row| {
            let ticker = rest::ticker(row).map_err(read_error)?;
            let position = rest::position(row).map_err(read_error);
            let Some(&market) = self.tickers.get(ticker) else {
                // How many, and whether that can be read, matters only in markets that we follow.
                if position.is_ok_and(|held| held.yes.is_zero() && held.no.is_zero()) {
                    return Ok(());
                }
                truth.foreign.push(ticker.to_owned());
                return Ok(());
            };
            let position = position?;
            if !seen.insert(market) {
                return Err(TruthError::Partial(Venue::Kalshi, "market_positions"));
            }
            if !(position.yes.is_zero() && position.no.is_zero()) {
                truth.positions.push((market, position.yes, position.no));
            }
            Ok(())
        })?;
        truth.positions.sort();
        self.pages(
            "/portfolio/orders",
            "orders",
            &[("status", "resting"), MOST_PER_PAGE],
            |row| {
                let name = rest::order_name(row).map_err(read_error)?;
                let market = self.tickers.get(&name.ticker).copied();
                let (key, order) = (name.key(), name.order_ref());
                let row = rest::order(row).ok();
                let listing = row.map(|row| Listing { filled: row.filled, terms: row.terms });
                truth.open.push(Open { id: name.id, key, market, order, listing });
                Ok(())
            },
        )?;
        Ok(truth)
    }

    fn history(&self, market: MarketId) -> Result<Option<(Qty, Qty)>, TruthError> {
        let mut tickers = self.tickers.iter();
        let Some((ticker, _)) = tickers.find(|(_, followed)| **followed == market) else {
            return Ok(None);
        };
        let (mut net, mut seen) = (0_i128, BTreeSet::new());
        // What is older than the venue's cutoff, some two weeks back, is in the archive alone (§6.5, 2026-11-20).
        for path in ["/portfolio/fills", "/historical/fills"] {
            self.pages(path, "fills", &[("ticker", ticker), FILLS_PER_PAGE], |row| {
                let fills = rest::fills(row, &|of| (of == ticker).then_some(market));
                for fill in fills.map_err(read_error)? {
                    let micros = i128::from(fill.qty.micros());
                    let change = if fill.side == Side::Bid { micros } else { -micros };
                    net += if seen.insert(fill.fill) { change } else { 0 }; // it moved meanwhile
                }
                Ok(())
            })?;
        }
        if seen.is_empty() {
            return Ok(None); // lists that are empty are what a venue in trouble answers, not a history that comes to nothing
        }
        Ok(as_qty(net.max(0)).zip(as_qty((-net).max(0))))
    }
}
