//! The object that `surefoot twin --json` prints, read field by field.

use std::fmt;

use serde_json::Value;
use surefoot_cold::net::{Endpoint, NetError};

/// Why a venues file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessError(pub String);

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for AccessError {}

/// The text at a place, which is a JSON pointer.
///
/// # Errors
/// No text stands there.
pub fn text<'a>(value: &'a Value, at: &str) -> Result<&'a str, AccessError> {
    value.pointer(at).and_then(Value::as_str).ok_or_else(|| absent(at))
}

/// The endpoint at a place, which is a JSON pointer.
///
/// # Errors
/// No text stands there, or it is not understood as an endpoint.
pub fn endpoint(value: &Value, at: &str) -> Result<Endpoint, AccessError> {
    text(value, at)?.parse().map_err(|error: NetError| AccessError(format!("{at}: {error}")))
}

/// The error of a place where nothing is, or nothing that is understood.
pub fn absent(at: &str) -> AccessError {
    AccessError(format!(
        "`{at}` is absent or not text; run `surefoot twin --json > FILE` again and give that file"
    ))
}
