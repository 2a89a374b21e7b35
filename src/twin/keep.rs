//! What a twin leaves in its directory and the next one there takes up: the authority and Kalshi's keys.

use std::fs;
use std::io;
use std::path::Path;

use surefoot_cold::secrets::Secret;

use super::kalshi::auth::{Key, KeyType};
use super::open::OpenError;
use super::tls::{Authority, Damaged};

/// The authority's certificate.
pub(super) const CA: &str = "ca.pem";
/// The authority's key.
pub(super) const CA_KEY: &str = "ca-key.pem";

/// The file of one of Kalshi's keys.
pub(super) fn kalshi_key(key_type: KeyType) -> String {
    format!("kalshi-{}.pem", key_type.name())
}

/// The authority in `dir`, or a fresh one where there is none.
pub(super) fn authority(dir: &Path) -> Result<Authority, OpenError> {
    let (ca, key) = (dir.join(CA), dir.join(CA_KEY));
    match (read(&key)?, read(&ca)?) {
        (None, None) => Authority::new().map_err(|error| OpenError::File(key, error)),
        (None, Some(_)) => {
            let text = format!(
                "is missing, and {CA} is there: remove that one too and the twin begins as a venue that nobody \
                 trusts yet"
            );
            Err(damaged(&key, text))
        }
        (Some(key_text), ca_text) => {
            Authority::kept(&Secret::new(key_text), ca_text).map_err(|what| match what {
                Damaged::Key => damaged(&key, format!("is no private key; {AGAIN}")),
                Damaged::Certificate => {
                    damaged(&ca, format!("is no certificate of the key in {CA_KEY}; {AGAIN}"))
                }
            })
        }
    }
}

/// Kalshi's keys in `dir`, RSA first; fresh ones where there are none.
pub(super) fn kalshi_keys(dir: &Path) -> Result<[Key; 2], OpenError> {
    let key = |key_type: KeyType| {
        let path = dir.join(kalshi_key(key_type));
        match read(&path)? {
            None => Key::generate(key_type).map_err(OpenError::Key),
            Some(text) => Key::from_pem(key_type, Secret::new(text)).ok_or_else(|| {
                damaged(&path, format!("is no private key of type {}; {AGAIN}", key_type.name()))
            }),
        }
    };
    Ok([key(KeyType::Rsa)?, key(KeyType::Ed25519)?])
}

const AGAIN: &str = "put it back, or empty the directory to begin with fresh keys";

fn read(path: &Path) -> Result<Option<String>, OpenError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(damaged(path, format!("is not text; {AGAIN}")))
        }
        Err(error) => Err(OpenError::File(path.to_owned(), error)),
    }
}

fn damaged(path: &Path, text: String) -> OpenError {
    OpenError::File(path.to_owned(), io::Error::new(io::ErrorKind::InvalidData, text))
}
