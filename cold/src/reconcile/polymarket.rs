//! Polymarket's truth: balances of each outcome from the CLOB, positions from the Data API as a second voice.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use surefoot_hot::ids::{MarketId, Outcome, Venue};
use surefoot_hot::report::Finality;
use surefoot_hot::units::Qty;

use super::{Open, Reader, Truth, TruthError};
use crate::directory::{Directory, Names};
use crate::rest::Rest;
use crate::venue::polymarket::rest;

/// Reads our account at Polymarket.
#[derive(Debug)]
pub struct PolymarketReader {
    clob: Rest,
    data: Rest,
    wallet: String,
    owner: String,
    signature_type: String,
    tokens: BTreeMap<String, (MarketId, Outcome)>,
}

impl PolymarketReader {
    /// `clob` must sign its requests. `wallet` is whose funds trade, `owner` the API key.
    pub fn new(
        clob: Rest,
        data: Rest,
        wallet: String,
        owner: String,
        signature_type: u8,
        directory: &Directory,
    ) -> Self {
        let mut tokens = BTreeMap::new();
        for entry in directory.of(Venue::Polymarket) {
            if let Names::Polymarket(names) = &entry.names {
                tokens.insert(names.yes_token.clone(), (entry.def.market, Outcome::Yes));
                tokens.insert(names.no_token.clone(), (entry.def.market, Outcome::No));
            }
        }
        Self { clob, data, wallet, owner, signature_type: signature_type.to_string(), tokens }
    }

    /// Walks a paged listing of the CLOB.
    fn pages(
        &self,
        path: &str,
        filter: &[(&str, &str)],
        mut each: impl FnMut(&serde_json::Value) -> Result<(), TruthError>,
    ) -> Result<(), TruthError> {
        let mut cursor = rest::CURSOR_FIRST.to_owned();
        for _ in 0..PAGES_MAX {
            let mut query = filter.to_vec();
            query.push(("next_cursor", &cursor));
            let body = self.clob.get(path, &query).map_err(rest_error)?;
            let page = rest::page(&body).map_err(read_error)?;
            for row in page.rows {
                each(row)?;
            }
            match page.next {
                Some(next) => cursor = next.to_owned(),
                None => return Ok(()),
            }
        }
        Ok(())
    }
}

/// More pages than an account of ours has orders or trades; a cursor that never ends is cut here.
const PAGES_MAX: u32 = 1_000;
/// How far back fills are looked at that may have been taken back: settlement takes seconds, retries minutes.
const VOID_WITHIN_S: u64 = 3_600;

fn rest_error(error: crate::rest::RestError) -> TruthError {
    TruthError::Rest(Venue::Polymarket, error)
}

fn read_error(error: crate::venue::json::ReadError) -> TruthError {
    TruthError::Read(Venue::Polymarket, error)
}

impl Reader for PolymarketReader {
    fn venue(&self) -> Venue {
        Venue::Polymarket
    }

    fn truth(&self) -> Result<Truth, TruthError> {
        let mut truth = Truth::default();
        let query =
            [("asset_type", "COLLATERAL"), ("signature_type", self.signature_type.as_str())];
        let body = self.clob.get("/balance-allowance", &query).map_err(rest_error)?;
        truth.cash.push((0, rest::cash(&body).map_err(read_error)?));
        let query = [("user", self.wallet.as_str()), ("limit", "500")];
        let body = self.data.get("/v2/positions", &query).map_err(rest_error)?;
        let mut held: BTreeMap<MarketId, [Qty; 2]> = BTreeMap::new();
        for position in rest::positions(&body).map_err(read_error)? {
            if position.size.is_zero() {
                continue;
            }
            match self.tokens.get(&position.token) {
                Some(&(market, outcome)) => {
                    held.entry(market).or_default()[outcome.index()] += position.size
                }
                None => truth.foreign.push(position.token),
            }
        }
        truth.positions = held.into_iter().map(|(market, [yes, no])| (market, yes, no)).collect();
        self.pages("/data/orders", &[], |row| {
            let order = rest::order(row).map_err(read_error)?;
            truth.open.push(Open {
                id: format!(
                    "0x{}",
                    order.id.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
                ),
                key: order.key(),
                market: self.tokens.get(&order.token).map(|&(market, _)| market),
                status: order.status(),
            });
            Ok(())
        })?;
        let ours = rest::Ours {
            owner: &self.owner,
            order: &|_| false,
            token: &|token| self.tokens.get(token).copied(),
        };
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let after = wall.as_secs().saturating_sub(VOID_WITHIN_S).to_string();
        self.pages("/data/trades", &[("after", &after)], |row| {
            let fills = rest::fills(row, &ours).map_err(read_error)?;
            let void = fills.iter().filter(|fill| fill.finality == Finality::Failed);
            truth.void.extend(void.map(|fill| fill.fill));
            Ok(())
        })?;
        Ok(truth)
    }
}
