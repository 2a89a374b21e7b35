//! The right to cancel everything at Kalshi.

use std::sync::Arc;

use surefoot_hot::ids::Venue;

use super::KalshiAuth;
use super::encode::CANCEL_ALL;
use super::reconcile::{read_error, rest_error};
use super::rest;
use super::signer::Signer;
use crate::cancel_rights::{CancelCalls, CancelRights};
use crate::net::{Endpoint, Trust};
use crate::reconcile::{TruthError, walk_pages};
use crate::rest::Rest;

/// Of the account's API key, which Kalshi knows with all rights only: what it signs here is the cancel and questions.
pub fn cancel_rights(endpoint: Endpoint, trust: &Trust, signer: Arc<Signer>) -> CancelRights {
    let calls = CancelCalls {
        venue: Venue::Kalshi,
        path: CANCEL_ALL,
        query: &[("subaccount", "0")],
        resting,
    };
    CancelRights::new(calls, endpoint, trust, Arc::new(KalshiAuth(signer)))
}

fn resting(client: &Rest) -> Result<usize, TruthError> {
    let mut count = 0;
    let is_whole = walk_pages(|cursor| {
        let mut query = vec![("status", "resting"), ("limit", "200")];
        query.extend(cursor.map(|cursor| ("cursor", cursor)));
        let body = client.get("/portfolio/orders", &query).map_err(rest_error)?;
        let (rows, next) = rest::page(&body, "orders").map_err(read_error)?;
        count += rows.len();
        Ok(next.map(str::to_owned))
    })?;
    if is_whole { Ok(count) } else { Err(TruthError::Partial(Venue::Kalshi, "orders")) }
}
