//! Kalshi's truth.

use std::collections::BTreeMap;

use serde_json::Value;
use surefoot_hot::ids::{MarketId, Venue};

use super::{Open, Reader, Truth, TruthError};
use crate::directory::{Directory, Names};
use crate::rest::Rest;
use crate::venue::kalshi::rest;

/// Reads our account at Kalshi.
#[derive(Debug)]
pub struct KalshiReader {
    rest: Rest,
    tickers: BTreeMap<String, MarketId>,
}

impl KalshiReader {
    /// `rest` must sign its requests.
    pub fn new(rest: Rest, directory: &Directory) -> Self {
        let tickers = directory
            .of(Venue::Kalshi)
            .filter_map(|entry| match &entry.names {
                Names::Kalshi(names) => Some((names.ticker.clone(), entry.def.market)),
                Names::Polymarket(_) => None,
            })
            .collect();
        Self { rest, tickers }
    }

    /// Walks a paged listing.
    fn pages(
        &self,
        path: &str,
        field: &'static str,
        query: &[(&str, &str)],
        mut each: impl FnMut(&Value) -> Result<(), TruthError>,
    ) -> Result<(), TruthError> {
        let mut cursor = String::new();
        for _ in 0..PAGES_MAX {
            let mut query = query.to_vec();
            query.push(("limit", "200"));
            if !cursor.is_empty() {
                query.push(("cursor", &cursor));
            }
            let body = self.rest.get(path, &query).map_err(rest_error)?;
            let (rows, next) = rest::page(&body, field).map_err(read_error)?;
            for row in rows {
                each(row)?;
            }
            match next {
                Some(next) if next != cursor => cursor = next.to_owned(),
                _ => return Ok(()),
            }
        }
        Ok(())
    }
}

/// A garbage cursor is answered with success (`venues/kalshi.md` §6.3), so the walk is bounded here.
const PAGES_MAX: u32 = 1_000;

fn rest_error(error: crate::rest::RestError) -> TruthError {
    TruthError::Rest(Venue::Kalshi, error)
}

fn read_error(error: crate::venue::json::ReadError) -> TruthError {
    TruthError::Read(Venue::Kalshi, error)
}

impl Reader for KalshiReader {
    fn venue(&self) -> Venue {
        Venue::Kalshi
    }

    fn truth(&self) -> Result<Truth, TruthError> {
        let mut truth = Truth::default();
        let body = self.rest.get("/portfolio/balance", &[]).map_err(rest_error)?;
        truth.cash = rest::balance(&body, 0).map_err(read_error)?;
        self.pages("/portfolio/positions", "market_positions", &[], |row| {
            let position = rest::position(row).map_err(read_error)?;
            if position.yes.is_zero() && position.no.is_zero() {
                return Ok(());
            }
            match self.tickers.get(&position.ticker) {
                Some(&market) => truth.positions.push((market, position.yes, position.no)),
                None => truth.foreign.push(position.ticker),
            }
            Ok(())
        })?;
        truth.positions.sort();
        self.pages("/portfolio/orders", "orders", &[("status", "resting")], |row| {
            let order = rest::order(row).map_err(read_error)?;
            let market = self.tickers.get(&order.ticker).copied();
            let (key, status) = (order.key(), order.status());
            truth.open.push(Open { id: order.id, key, market, status });
            Ok(())
        })?;
        Ok(truth)
    }
}
