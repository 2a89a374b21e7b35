//! The files with which a twin keeps its identity: the certificate authority, its key, and Kalshi's keys. A later
//! twin in the same directory reads them, so that clients go on trusting it.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use surefoot_cold::secrets::Secret;

use super::kalshi::auth::{Key, KeyError, KeyType};
use super::tls::{Authority, Damaged};

/// Name of the file with the authority's certificate, in PEM.
pub(super) const CA: &str = "ca.pem";
/// Name of the file with the authority's private key, in PEM.
pub(super) const CA_KEY: &str = "ca-key.pem";

/// Why the keys cannot be read, made or written.
#[derive(Debug)]
pub enum KeysError {
    /// One of Kalshi's keys cannot be generated.
    Generate(KeyError),
    /// This file cannot be read or written, or is damaged.
    File(PathBuf, io::Error),
}

impl fmt::Display for KeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Generate(error) => error.fmt(f),
            Self::File(path, error) => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for KeysError {}

/// Name of the file with Kalshi's key of this type, in PEM.
pub(super) fn kalshi_key(key_type: KeyType) -> String {
    format!("kalshi-{}.pem", key_type.name())
}

/// Reads the authority from `dir`, or makes a new one if there is none.
pub(super) fn authority(dir: &Path) -> Result<Authority, KeysError> {
    let (ca, key) = (dir.join(CA), dir.join(CA_KEY));
    match (read(&key)?, read(&ca)?) {
        (None, None) => Authority::new().map_err(|error| KeysError::File(key, error)),
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

/// Reads Kalshi's keys from `dir`, RSA first. A key that is not there is generated.
pub(super) fn kalshi_keys(dir: &Path) -> Result<[Key; 2], KeysError> {
    let key = |key_type: KeyType| {
        let path = dir.join(kalshi_key(key_type));
        match read(&path)? {
            None => Key::generate(key_type).map_err(KeysError::Generate),
            Some(text) => Key::from_pem(key_type, &Secret::new(text)).ok_or_else(|| {
                damaged(&path, format!("is no private key of type {}; {AGAIN}", key_type.name()))
            }),
        }
    };
    Ok([key(KeyType::Rsa)?, key(KeyType::Ed25519)?])
}

const AGAIN: &str = "put it back, or empty the directory to begin with fresh keys";

fn read(path: &Path) -> Result<Option<String>, KeysError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(damaged(path, format!("is not text; {AGAIN}")))
        }
        Err(error) => Err(KeysError::File(path.to_owned(), error)),
    }
}

fn damaged(path: &Path, text: String) -> KeysError {
    KeysError::File(path.to_owned(), io::Error::new(io::ErrorKind::InvalidData, text))
}

/// Writes a file that only its owner may read and replaces one that is there. Returns its path as text.
pub(super) fn write_private(path: &Path, text: &str) -> Result<String, KeysError> {
    let fail = |error| KeysError::File(path.to_owned(), error);
    let fresh = path.with_extension("new");
    let _ = fs::remove_file(&fresh); // a twin that was killed may have left it
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh).map_err(fail)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(fail)?;
    fs::rename(&fresh, path).map_err(fail)?;
    Ok(path.display().to_string())
}
