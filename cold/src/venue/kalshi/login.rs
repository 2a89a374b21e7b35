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

/// Signs the upgrade to the stream, and nothing else: for whoever reads public data and must never be able to place an order.
///
/// ```compile_fail,E0616
/// use surefoot_cold::venue::kalshi::StreamKey;
///
/// fn order(key: &StreamKey) {
///     let _ = key.signer.sign(0, "POST", "/portfolio/orders");
/// }
/// ```
#[derive(Clone, Debug)]
pub struct StreamKey {
    signer: Arc<Signer>,
}

impl StreamKey {
    /// What is left of a key that signs everything.
    pub const fn new(signer: Arc<Signer>) -> Self {
        Self { signer }
    }
}

impl Upgrade for StreamKey {
    /// Only `GET` is signed, and only of the stream's own path: of any other the request leaves unsigned, and the venue refuses it.
    fn headers(&mut self, now: Nanos, path: &str) -> Vec<(String, String)> {
        let path = if path.is_empty() { WS } else { path };
        if path == WS { signed(&self.signer, now, "GET", path) } else { Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::secrets::Secret;

    #[test]
    fn a_key_to_read_with_signs_the_stream_and_nothing_else() {
        let key = aws_lc_rs::signature::Ed25519KeyPair::generate().unwrap();
        let body = STANDARD.encode(key.to_pkcs8().unwrap().as_ref());
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
        let signer = Arc::new(Signer::from_pem("key", &Secret::new(pem)).unwrap());
        let mut key = StreamKey::new(signer);
        let mut signs = |path: &str| !key.headers(Nanos::from_secs(1), path).is_empty();
        assert!(signs("") && signs(WS));
        assert!(!signs("/trade-api/v2/portfolio/orders") && !signs("/trade-api/v2"));
    }
}
