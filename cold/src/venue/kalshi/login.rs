//! How Kalshi is told who we are: headers of REST requests, and of the upgrade to a stream.

use std::sync::Arc;

use surefoot_hot::units::Nanos;

use super::encode::WS;
use super::signer::Signer;
use crate::feed::Upgrade;
use crate::rest::Auth;
use crate::text::Digits;

/// Signs REST requests to Kalshi, and the upgrade to a stream, which even public channels want (`kalshi.md` §4.1, 2026-11-20).
#[derive(Clone, Debug)]
pub struct KalshiAuth(pub Arc<Signer>);

impl Auth for KalshiAuth {
    fn headers(&self, now: Nanos, method: &str, path: &str, _: &[u8]) -> Vec<(String, String)> {
        signed(&self.0, now, method, path)
    }
}

/// The headers of a request that leaves at `now`. The body is not signed (§2).
fn signed(signer: &Signer, now: Nanos, method: &str, path: &str) -> Vec<(String, String)> {
    let pair = signer.sign(now.millis(), method, path);
    let stamp = Digits::new(pair.timestamp_ms());
    let headers = signer.headers(&pair, &stamp);
    headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

impl Upgrade for KalshiAuth {
    fn headers(&mut self, now: Nanos, path: &str) -> Vec<(String, String)> {
        let path = if path.is_empty() { WS } else { path };
        signed(&self.0, now, "GET", path)
    }
}
