//! How Polymarket is told who we are: headers of REST requests, and the first frame of the user channel.

use std::sync::Arc;

use surefoot_hot::units::Nanos;

use super::signer::{Credentials, Signer};
use crate::rest::Auth;
use crate::text::nibble;

/// Signs REST requests to Polymarket's CLOB with L2 headers, at the time given.
#[derive(Debug)]
pub struct PolymarketAuth(pub Arc<Signer>);

impl Auth for PolymarketAuth {
    fn headers(&self, now: Nanos, method: &str, path: &str, body: &[u8]) -> Vec<(String, String)> {
        let headers = self.0.l2_headers(now.millis() / 1_000, method, path, body);
        headers.pairs().map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    }
}

/// The first frame of Polymarket's user channel, for all markets (`polymarket.md` §6.1, 2026-11-20). It holds
/// the raw secret: the session keeps it, because each reconnect sends it again, and wipes it when it ends.
pub fn polymarket_user_frame(credentials: &Credentials) -> Vec<u8> {
    // Written by hand into one buffer, large enough for every character escaped: no copy of the secret is left behind
    // in a library's, nor where a buffer grew.
    let texts = [
        credentials.api_key.as_str(),
        credentials.secret.expose(),
        credentials.passphrase.expose(),
    ];
    let names =
        ["{\"type\":\"user\",\"auth\":{\"apiKey\":\"", "\",\"secret\":\"", "\",\"passphrase\":\""];
    let room = 128 + texts.iter().map(|text| 6 * text.len()).sum::<usize>();
    let mut frame = Vec::with_capacity(room);
    for (name, text) in names.into_iter().zip(texts) {
        frame.extend_from_slice(name.as_bytes());
        for &byte in text.as_bytes() {
            match byte {
                b'"' | b'\\' => frame.extend_from_slice(&[b'\\', byte]),
                0..0x20 => {
                    frame.extend_from_slice(b"\\u00");
                    frame.extend_from_slice(&[nibble(byte >> 4), nibble(byte)]);
                }
                _ => frame.push(byte),
            }
        }
    }
    frame.extend_from_slice(b"\"}}");
    assert!(frame.len() <= room, "a buffer that grows leaves a copy behind");
    frame
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::Secret;

    #[test]
    fn the_user_frame_is_json() {
        let frame = polymarket_user_frame(&Credentials {
            api_key: "b349".into(),
            secret: Secret::new("AA==".into()),
            passphrase: Secret::new("9\"c\\1\nf".into()),
        });
        let value: serde_json::Value = serde_json::from_slice(&frame).unwrap();
        assert_eq!(value["auth"]["secret"], "AA==");
        assert_eq!(value["auth"]["passphrase"], "9\"c\\1\nf", "odd characters end no text");
        assert_eq!((&value["type"], value.get("markets")), (&"user".into(), None));
    }
}
