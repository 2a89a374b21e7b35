//! The venues' headers for cold REST.

use std::sync::Arc;

use surefoot_hot::units::Nanos;

use crate::rest::Auth;
use crate::venue::text::Digits;
use crate::venue::{kalshi, polymarket};

/// Signs REST requests to Polymarket's CLOB with L2 headers, at the time given.
#[derive(Debug)]
pub struct PolymarketAuth(pub Arc<polymarket::signer::Signer>);

impl Auth for PolymarketAuth {
    fn headers(&self, now: Nanos, method: &str, path: &str, body: &[u8]) -> Vec<(String, String)> {
        let headers = self.0.l2_headers(now.millis() / 1_000, method, path, body);
        headers.pairs().map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    }
}

/// Signs REST requests to Kalshi, at the time given.
#[derive(Debug)]
pub struct KalshiAuth(pub Arc<kalshi::signer::Signer>);

impl Auth for KalshiAuth {
    fn headers(&self, now: Nanos, method: &str, path: &str, _: &[u8]) -> Vec<(String, String)> {
        let pair = self.0.sign(now.millis(), method, path);
        let stamp = Digits::new(pair.timestamp_ms());
        self.0
            .headers(&pair, &stamp)
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec()
    }
}
