//! Polymarket's truth: cash, orders and trades from the CLOB, positions from the Data API.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use surefoot_hot::event::Listing;
use surefoot_hot::ids::{MarketId, OrderRef, Outcome, Venue};
use surefoot_hot::report::Fill;
use surefoot_hot::units::Qty;

use super::rest;
use super::settled::{Asked, Row, SettledFills};
use crate::directory::{Directory, Entry, Names};
use crate::json::{ReadError, as_qty};
use crate::reconcile::{Open, Reader, Truth, TruthError, walk_pages};
use crate::rest::Rest;
use crate::text::{counted, hex};

/// Reads our account at Polymarket.
#[derive(Debug)]
pub struct PolymarketReader {
    clob: Rest,
    data: Rest,
    wallet: String,
    owner: String,
    signature_type: String,
    tokens: BTreeMap<String, (MarketId, Outcome)>,
    conditions: BTreeMap<MarketId, String>,
    settled: RefCell<SettledFills>,
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
        let mut conditions = BTreeMap::new();
        for entry in directory.of(Venue::Polymarket) {
            if let Names::Polymarket(names) = &entry.names {
                conditions.insert(entry.def.market, names.condition_id.clone());
                tokens.insert(names.yes_token.clone(), (entry.def.market, Outcome::Yes));
                tokens.insert(names.no_token.clone(), (entry.def.market, Outcome::No));
            }
        }
        let signature_type = signature_type.to_string();
        let settled = RefCell::default();
        Self { clob, data, wallet, owner, signature_type, tokens, conditions, settled }
    }

    /// Walks a paged listing of the CLOB.
    fn pages(
        &self,
        path: &str,
        filter: &[(&str, &str)],
        mut each: impl FnMut(&serde_json::Value) -> Result<(), TruthError>,
    ) -> Result<(), TruthError> {
        let is_whole = walk_pages(|cursor| {
            let mut query = filter.to_vec();
            query.push(("next_cursor", cursor.unwrap_or(rest::CURSOR_FIRST)));
            let body = self.clob.get(path, &query).map_err(rest_error)?;
            let page = rest::page(&body).map_err(read_error)?;
            page.rows.iter().try_for_each(&mut each)?;
            Ok(page.next.map(str::to_owned))
        })?;
        let partial = TruthError::Partial(Venue::Polymarket, "orders or trades");
        if is_whole { Ok(()) } else { Err(partial) }
    }

    /// All positions of the wallet, page by page: contracts of markets that we follow, and the names of the others.
    fn positions(&self, truth: &mut Truth) -> Result<(), TruthError> {
        let partial = || TruthError::Partial(Venue::Polymarket, "positions");
        let mut held: BTreeMap<MarketId, [Qty; 2]> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        let is_whole = walk_pages(|cursor| {
            let mut query = vec![("user", self.wallet.as_str()), ("limit", POSITIONS_PER_PAGE)];
            query.extend(cursor.map(|cursor| ("cursor", cursor)));
            let body = self.data.get_fields("/v2/positions", &query, rest::POSITION_FIELDS);
            let body = body.map_err(rest_error)?;
            let page = rest::positions(&body).map_err(read_error)?;
            for position in page.held {
                if !position.wallet.is_empty()
                    && !position.wallet.eq_ignore_ascii_case(&self.wallet)
                {
                    return Err(TruthError::Account(Venue::Polymarket));
                }
                match (self.tokens.get(&position.token), position.size) {
                    (None, Some(Qty::ZERO)) => {}
                    (None, _) => truth.foreign.push(position.token),
                    (Some(_), None) => {
                        return Err(read_error(ReadError {
                            what: "position",
                            field: "current_size",
                        }));
                    }
                    (Some(&(market, outcome)), Some(size)) => {
                        if !seen.insert(position.token) {
                            return Err(partial()); // the list moved: twice is not twice as many
                        }
                        held.entry(market).or_default()[outcome.index()] = size;
                    }
                }
            }
            if page.nameless > 0 {
                let nameless = counted(page.nameless as u64, "position", "positions");
                truth.unread.push(format!("{nameless} without a token"));
            }
            Ok(page.next)
        })?;
        if !is_whole {
            return Err(partial());
        }
        let held = held.into_iter().filter(|(_, held)| *held != [Qty::ZERO; 2]);
        truth.positions = held.map(|(market, [yes, no])| (market, yes, no)).collect();
        Ok(())
    }

    /// Fills of the last hour that were taken back, or will not be any more.
    fn settlements(&self, truth: &mut Truth) -> Result<(), TruthError> {
        let ours = rest::Ours {
            owner: &self.owner,
            order: &|_| false,
            token: &|token| self.tokens.get(token).copied(),
        };
        let now = self.clob.now().millis() / 1_000;
        let hour = now.saturating_sub(VOID_WITHIN_S);
        let after = self.settled.borrow().after(now, hour);
        let mut asked = Asked { now, hour, after, rows: Vec::new(), is_short: false };
        self.pages("/data/trades", &[("after", &after.to_string())], |row| {
            let fills = match rest::fills(row, &ours) {
                Ok(fills) => fills,
                Err(error) => {
                    // Cash and positions do not depend on it.
                    let id = row["id"].as_str().unwrap_or("without an id");
                    truth.unread.push(format!("trade {id}: {error}"));
                    asked.is_short = true;
                    return Ok(());
                }
            };
            let of = |fill: Fill| {
                let secs = fill.venue_time.millis() / 1_000;
                Row { secs, fill: fill.fill, finality: fill.finality }
            };
            asked.rows.extend(fills.into_iter().map(of));
            Ok(())
        })?;
        self.settled.borrow_mut().take_in(asked, truth);
        Ok(())
    }
}

/// Rows asked for at a time: the most that the Data API gives (`venues/polymarket.md` §7.4, 2026-11-29).
const POSITIONS_PER_PAGE: &str = "1000";

/// How far back fills are looked at that may have been taken back: settlement takes seconds, retries minutes.
pub const VOID_WITHIN_S: u64 = 3_600;

pub(super) fn rest_error(error: crate::rest::RestError) -> TruthError {
    TruthError::Rest(Venue::Polymarket, error)
}

pub(super) fn read_error(error: crate::json::ReadError) -> TruthError {
    TruthError::Read(Venue::Polymarket, error)
}

impl Reader for PolymarketReader {
    fn venue(&self) -> Venue {
        Venue::Polymarket
    }

    fn follow(&mut self, entry: &Entry) {
        if let Names::Polymarket(names) = &entry.names {
            let market = entry.def.market;
            self.conditions.insert(market, names.condition_id.clone());
            self.tokens.insert(names.yes_token.clone(), (market, Outcome::Yes));
            self.tokens.insert(names.no_token.clone(), (market, Outcome::No));
            self.settled.get_mut().forget();
        }
    }

    fn truth(&self) -> Result<Truth, TruthError> {
        let mut truth = Truth::default();
        let query =
            [("asset_type", "COLLATERAL"), ("signature_type", self.signature_type.as_str())];
        let body = self.clob.get("/balance-allowance", &query).map_err(rest_error)?;
        truth.cash.push((0, rest::cash(&body).map_err(read_error)?));
        self.positions(&mut truth)?;
        self.pages("/data/orders", &[], |row| {
            let name = rest::order_name(row).map_err(read_error)?;
            let key = name.key();
            truth.open.push(Open {
                id: format!("0x{}", hex(&name.id)),
                key,
                market: self.tokens.get(&name.token).map(|&(market, _)| market),
                order: OrderRef::Key(key),
                listing: rest::order(row)
                    .ok()
                    .map(|row| Listing { filled: row.filled, terms: None }),
            });
            Ok(())
        })?;
        self.settlements(&mut truth)?;
        Ok(truth)
    }

    fn history(&self, market: MarketId) -> Result<Option<(Qty, Qty)>, TruthError> {
        let token = |token: &str| self.tokens.get(token).copied().filter(|held| held.0 == market);
        let Some(condition) = self.conditions.get(&market) else { return Ok(None) };
        let ours = rest::Ours { owner: &self.owner, order: &|_| false, token: &token };
        let (mut sum, mut trades) = ([0_i128; 2], 0_usize);
        self.pages("/data/trades", &[("market", condition)], |row| {
            trades += 1;
            let change = rest::change(row, &self.wallet, &ours).map_err(read_error)?;
            sum = [sum[0] + change[0], sum[1] + change[1]];
            Ok(())
        })?;
        if trades == 0 {
            return Ok(None); // a list that is empty is what a venue in trouble answers, not a history that comes to nothing
        }
        Ok(as_qty(sum[0]).zip(as_qty(sum[1])))
    }
}
