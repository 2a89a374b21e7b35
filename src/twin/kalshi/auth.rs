//! API keys, made at a start or kept from an earlier one, and the headers that prove them.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::encoding::Pkcs8V1Der;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{self, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::json;
use surefoot_cold::secrets::Secret;
use surefoot_hot::units::Nanos;

use crate::twin::http::{Request, Response};

/// How far a timestamp may be off, either way. The venue's tolerance is not documented: ±10 s was seen accepted
/// and ±60 s refused in production, −30 s refused on its demo (`venues/kalshi.md` §2, 2026-10). No more is allowed
/// here than was seen, so that a clock that goes wrong shows.
pub const SKEW_MAX: Nanos = Nanos::from_secs(10);

/// How a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    /// RSA-2048, PSS with SHA-256, MGF1 with SHA-256, salt of 32 bytes.
    Rsa,
    /// Ed25519 over the message itself.
    Ed25519,
}

impl KeyType {
    /// The venue's word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rsa => "rsa",
            Self::Ed25519 => "ed25519",
        }
    }
}

/// One key: its public half to check with, its private half to hand to whoever trades.
#[derive(Clone, Debug)]
pub struct Key {
    /// The key's id, a UUID; it goes into `KALSHI-ACCESS-KEY`.
    pub id: String,
    /// How it signs.
    pub key_type: KeyType,
    /// PKCS#8 in PEM.
    pub pem: Secret,
    public: Vec<u8>,
    /// Both halves of an Ed25519 key.
    pair: Option<Arc<Ed25519KeyPair>>,
}

/// The system gave no randomness, or the library no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyError(pub KeyType);

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "could not make a key of type {}", self.0.name())
    }
}

impl std::error::Error for KeyError {}

impl Key {
    /// Makes a fresh key from the system's randomness, never from the world's seed.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn generate(key_type: KeyType) -> Result<Self, KeyError> {
        let refused = |_| KeyError(key_type);
        let der = match key_type {
            KeyType::Rsa => {
                let pair = signature::RsaKeyPair::generate(KeySize::Rsa2048).map_err(refused)?;
                let der: Pkcs8V1Der<'_> = pair.as_der().map_err(refused)?;
                der.as_ref().to_vec()
            }
            KeyType::Ed25519 => {
                let pair = Ed25519KeyPair::generate().map_err(refused)?;
                pair.to_pkcs8v1().map_err(refused)?.as_ref().to_vec()
            }
        };
        Self::from_der(key_type, &der).ok_or(KeyError(key_type))
    }

    /// A key that was kept; it has the id that it had. `None` where the text is no such key.
    pub fn from_pem(key_type: KeyType, text: &Secret) -> Option<Self> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(text.expose().as_bytes()).ok()?;
        Self::from_der(key_type, der.secret_pkcs8_der())
    }

    /// A key out of its PKCS#8 bytes. `None` where they are no such key.
    pub fn from_der(key_type: KeyType, der: &[u8]) -> Option<Self> {
        let (public, pair) = match key_type {
            KeyType::Rsa => {
                let pair = signature::RsaKeyPair::from_pkcs8(der).ok()?;
                (pair.public_key().as_ref().to_vec(), None)
            }
            KeyType::Ed25519 => {
                let pair = Ed25519KeyPair::from_pkcs8(der).ok()?;
                (pair.public_key().as_ref().to_vec(), Some(Arc::new(pair)))
            }
        };
        Some(Self { id: id_of(&public), key_type, pem: Secret::new(pem(der)), public, pair })
    }

    /// Whether this is a signature of the message. One of Ed25519 that is the very one this key makes is, and to make it takes a
    /// quarter of the time that a check does; any other is checked.
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let makes = |pair: &Arc<Ed25519KeyPair>| pair.sign(message).as_ref() == signature;
        if self.pair.as_ref().is_some_and(makes) {
            return true;
        }
        match self.key_type {
            KeyType::Rsa => {
                UnparsedPublicKey::new(&signature::RSA_PSS_2048_8192_SHA256, &self.public)
                    .verify(message, signature)
                    .is_ok()
            }
            KeyType::Ed25519 => UnparsedPublicKey::new(&signature::ED25519, &self.public)
                .verify(message, signature)
                .is_ok(),
        }
    }
}

/// A UUID out of a public key: the same key, the same id.
fn id_of(public: &[u8]) -> String {
    crate::twin::polymarket::uuid_of(public)
}

/// DER as a PEM block of 64 columns.
fn pem(der: &[u8]) -> String {
    let text = BASE64.encode(der);
    let mut out = String::from("-----BEGIN PRIVATE KEY-----\n");
    for line in text.as_bytes().chunks(64) {
        out.push_str(std::str::from_utf8(line).expect("base64 is ASCII"));
        out.push('\n');
    }
    out.push_str("-----END PRIVATE KEY-----\n");
    out
}

/// Which of `keys` signed this request.
///
/// The message is timestamp, method and path, without query and without body (`venues/kalshi.md` §2).
///
/// # Errors
/// The 401 that the venue gives.
pub fn check<'k>(
    keys: impl Iterator<Item = &'k Key>,
    req: &Request,
    now: Nanos,
) -> Result<usize, Response> {
    let Some(id) = req.header("KALSHI-ACCESS-KEY") else {
        return Err(refusal("token_authentication_failure", "token authentication failure", None));
    };
    let Some(given) = req.header("KALSHI-ACCESS-SIGNATURE") else {
        let code = "signature_is_missing_from_headers";
        return Err(refusal(code, "signature is missing from headers", None));
    };
    let Some(stamp) = req.header("KALSHI-ACCESS-TIMESTAMP") else {
        let code = "header_timestamp_is_missing_from_headers";
        return Err(refusal(code, "timestamp is missing from headers", None));
    };
    let bad = |details| refusal("authentication_error", "authentication_error", Some(details));
    let Some((index, key)) = keys.enumerate().find(|(_, key)| key.id == id) else {
        return Err(bad("NOT_FOUND"));
    };
    let millis: u64 = stamp.parse().map_err(|_| bad("INVALID_TIMESTAMP"))?;
    if now.millis().abs_diff(millis) > SKEW_MAX.millis() {
        return Err(refusal("header_timestamp_expired", "header timestamp expired", None));
    }
    let message = format!("{stamp}{}{}", req.method, req.path);
    let good = BASE64.decode(given).is_ok_and(|bytes| key.verifies(message.as_bytes(), &bytes));
    if good { Ok(index) } else { Err(bad("INCORRECT_API_KEY_SIGNATURE")) }
}

fn refusal(code: &str, message: &str, details: Option<&str>) -> Response {
    let mut error = json!({ "code": code, "message": message });
    if let Some(details) = details {
        error["details"] = details.into();
    }
    Response::json(401, &json!({ "error": error }))
}
