//! The right to cancel everything at Polymarket.

use std::sync::Arc;

use surefoot_hot::ids::Venue;
use surefoot_hot::units::Nanos;

use super::encode::path::CANCEL_ALL;
use super::reconcile::{read_error, rest_error};
use super::rest;
use super::signer::KeylessLogin;
use crate::cancel_rights::{CancelCalls, CancelRights};
use crate::net::{Endpoint, Trust};
use crate::reconcile::{TruthError, walk_pages};
use crate::rest::{Auth, Rest};

/// Of the API credentials alone: an order wants the signature of the account's key, which is not there.
pub fn cancel_rights(endpoint: Endpoint, trust: &Trust, login: KeylessLogin) -> CancelRights {
    let calls = CancelCalls { venue: Venue::Polymarket, path: CANCEL_ALL, query: &[], resting };
    CancelRights::new(calls, endpoint, trust, Arc::new(login))
}

impl Auth for KeylessLogin {
    fn headers(&self, now: Nanos, method: &str, path: &str, body: &[u8]) -> Vec<(String, String)> {
        let headers = self.l2_headers(now.millis() / 1_000, method, path, body);
        headers.pairs().map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    }
}

fn resting(client: &Rest) -> Result<usize, TruthError> {
    let mut count = 0;
    let is_whole = walk_pages(|cursor| {
        let query = [("next_cursor", cursor.unwrap_or(rest::CURSOR_FIRST))];
        let body = client.get("/data/orders", &query).map_err(rest_error)?;
        let page = rest::page(&body).map_err(read_error)?;
        count += page.rows.len();
        Ok(page.next.map(str::to_owned))
    })?;
    if is_whole { Ok(count) } else { Err(TruthError::Partial(Venue::Polymarket, "orders")) }
}
