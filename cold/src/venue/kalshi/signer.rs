//! One API key: the signature that every private request carries.
//!
//! The signed text is time, method and path; the body is not in it. So the pair (time, signature) of the
//! constant create path can be made ahead, and sending an order costs no signature at all.
//! Source: venue reference, `kalshi.md` §2, compiled 2026-11-20.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    ED25519, Ed25519KeyPair, KeyPair as _, RSA_PSS_2048_8192_SHA256, RSA_PSS_SHA256,
    UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::secrets::Secret;
use crate::text::Digits;

/// Characters of the longest signature: RSA-4096 in base64.
const SIGNATURE_TEXT_MAX: usize = 684;
/// Bytes of the longest signature.
const SIGNATURE_BYTES_MAX: usize = 512;
/// Bytes of the longest text that is signed without a buffer made for it: every request of the order path is shorter.
const MESSAGE_BYTES_MAX: usize = 256;
/// How old a pair made ahead may be when it is sent: the venue's window is not documented, ±10 s was accepted.
pub const PAIR_AGE_MS_MAX: u64 = 2_000;

/// Which algorithm a key is for. The PEM label does not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    /// Ed25519, some 6 to 9 µs a signature (`sign_kalshi_ed25519`).
    Ed25519,
    /// RSA-PSS with SHA-256, MGF1 of the same and a salt of 32 bytes: 0.2 to 0.5 ms for 2048 bits (`surefoot bench`,
    /// `sign_kalshi_rsa2048`; `benches/BENCHMARKS.md`).
    Rsa,
}

/// Why there is no signer, or no signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// The text is not PEM.
    Pem,
    /// The key is neither Ed25519 nor RSA of 2048 to 4096 bits.
    Key,
}

impl std::fmt::Display for KeyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Pem => "the key file is not PEM",
            Self::Key => "the key is neither Ed25519 nor RSA of 2048 to 4096 bits",
        })
    }
}

impl std::error::Error for KeyError {}

/// Signs for one API key.
pub struct Signer {
    key_id: String,
    key: Key,
    random: SystemRandom,
}

enum Key {
    Ed25519(Box<Ed25519KeyPair>),
    Rsa(Box<rsa::KeyPair>),
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signer({}, {:?}, ***)", self.key_id, self.key_type())
    }
}

impl Signer {
    /// A signer from the key's id and its PEM text (PKCS#8; PKCS#1 for RSA too).
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn from_pem(key_id: &str, pem: &Secret) -> Result<Self, KeyError> {
        let der = Zeroizing::new(pem_bytes(pem.expose()).ok_or(KeyError::Pem)?);
        let key = if let Ok(key) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der) {
            Key::Ed25519(Box::new(key))
        } else if let Ok(key) =
            rsa::KeyPair::from_pkcs8(&der).or_else(|_| rsa::KeyPair::from_der(&der))
        {
            if key.public_modulus_len() > SIGNATURE_BYTES_MAX {
                return Err(KeyError::Key);
            }
            Key::Rsa(Box::new(key))
        } else {
            return Err(KeyError::Key);
        };
        Ok(Self { key_id: key_id.to_owned(), key, random: SystemRandom::new() })
    }

    /// The algorithm of the key.
    pub const fn key_type(&self) -> KeyType {
        match self.key {
            Key::Ed25519(_) => KeyType::Ed25519,
            Key::Rsa(_) => KeyType::Rsa,
        }
    }

    /// The public half, to check with: 32 bytes, or a DER `RSAPublicKey`.
    pub fn public_key(&self) -> PublicKey {
        match &self.key {
            Key::Ed25519(key) => {
                PublicKey { key_type: KeyType::Ed25519, bytes: key.public_key().as_ref().to_vec() }
            }
            Key::Rsa(key) => {
                PublicKey { key_type: KeyType::Rsa, bytes: key.public_key().as_ref().to_vec() }
            }
        }
    }

    /// Signs a request: `path` from the root, without the query. Unix milliseconds.
    pub fn sign(&self, timestamp_ms: u64, method: &str, path: &str) -> Pair {
        let timestamp = Digits::new(timestamp_ms);
        let parts = [timestamp.as_bytes(), method.as_bytes(), path.as_bytes()];
        let len = parts.iter().map(|part| part.len()).sum();
        let (mut short, mut long) = ([0; MESSAGE_BYTES_MAX], Vec::new());
        let message = match short.get_mut(..len) {
            Some(short) => short,
            None => {
                long.resize(len, 0); // an order's or an event's name of the venue's, as long as it likes
                &mut long[..]
            }
        };
        let mut rest = &mut *message;
        for part in parts {
            let (here, behind) = rest.split_at_mut(part.len());
            here.copy_from_slice(part);
            rest = behind;
        }
        let mut text = [0; SIGNATURE_TEXT_MAX];
        let written = match &self.key {
            Key::Ed25519(key) => STANDARD.encode_slice(key.sign(message), &mut text),
            Key::Rsa(key) => {
                let mut bytes = [0; SIGNATURE_BYTES_MAX];
                let bytes = &mut bytes[..key.public_modulus_len()];
                key.sign(&RSA_PSS_SHA256, &self.random, message, bytes)
                    .expect("the key was checked and the buffer is as long as its modulus");
                STANDARD.encode_slice(bytes, &mut text)
            }
        };
        let len = written.expect("the buffer holds the longest signature");
        Pair { timestamp_ms, text, len: u16::try_from(len).expect("at most 684") }
    }

    /// Name and value of the three headers of a request signed as `pair`.
    pub fn headers<'a>(
        &'a self,
        pair: &'a Pair,
        stamp: &'a Digits,
    ) -> [(&'static str, &'a str); 3] {
        [
            ("KALSHI-ACCESS-KEY", &self.key_id),
            ("KALSHI-ACCESS-TIMESTAMP", stamp.as_str()),
            ("KALSHI-ACCESS-SIGNATURE", pair.signature()),
        ]
    }

    /// Appends the three headers as HTTP/1.1 lines.
    pub fn write_headers(&self, out: &mut Vec<u8>, pair: &Pair) {
        let stamp = Digits::new(pair.timestamp_ms);
        for (name, value) in self.headers(pair, &stamp) {
            for part in [name, ": ", value, "\r\n"] {
                out.extend_from_slice(part.as_bytes());
            }
        }
    }
}

/// A time and the signature that goes with it, good for one request of one method and path.
#[derive(Clone, Copy)]
pub struct Pair {
    timestamp_ms: u64,
    text: [u8; SIGNATURE_TEXT_MAX],
    len: u16,
}

impl Pair {
    /// The time that was signed, in Unix milliseconds.
    pub const fn timestamp_ms(&self) -> u64 {
        self.timestamp_ms
    }

    /// The signature in base64, standard alphabet.
    pub fn signature(&self) -> &str {
        std::str::from_utf8(&self.text[..usize::from(self.len)]).expect("base64 is ASCII")
    }
}

impl std::fmt::Debug for Pair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pair({})", self.timestamp_ms)
    }
}

/// A public key, for whoever checks requests.
#[derive(Clone, Debug)]
pub struct PublicKey {
    key_type: KeyType,
    bytes: Vec<u8>,
}

impl PublicKey {
    /// From PEM `PUBLIC KEY` (SubjectPublicKeyInfo).
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        const ED25519_PREFIX: [u8; 12] =
            [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
        let der = pem_bytes(pem).ok_or(KeyError::Pem)?;
        if let Some(bytes) = der.strip_prefix(&ED25519_PREFIX)
            && bytes.len() == 32
        {
            return Ok(Self { key_type: KeyType::Ed25519, bytes: bytes.to_vec() });
        }
        // The library takes an RSA SubjectPublicKeyInfo as it is.
        Ok(Self { key_type: KeyType::Rsa, bytes: der })
    }

    /// The algorithm of the key.
    pub const fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// Whether `signature` (base64) is this key's of time, method and path (without query).
    pub fn verify(&self, timestamp_ms: &str, method: &str, path: &str, signature: &str) -> bool {
        let Ok(bytes) = STANDARD.decode(signature) else { return false };
        let message = [timestamp_ms, method, path].concat();
        match self.key_type {
            KeyType::Ed25519 => {
                UnparsedPublicKey::new(&ED25519, &self.bytes).verify(message.as_bytes(), &bytes)
            }
            KeyType::Rsa => UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, &self.bytes)
                .verify(message.as_bytes(), &bytes),
        }
        .is_ok()
    }
}

/// The bytes between the first `BEGIN` line and its `END`.
fn pem_bytes(pem: &str) -> Option<Vec<u8>> {
    let mut inside = false;
    let mut body = Zeroizing::new(String::new());
    for line in pem.lines().map(str::trim) {
        if line.starts_with("-----BEGIN ") {
            inside = true;
        } else if line.starts_with("-----END ") {
            return STANDARD.decode(body.as_bytes()).ok();
        } else if inside {
            body.push_str(line);
        }
    }
    None
}

#[cfg(test)]
mod tests;
