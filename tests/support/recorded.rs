//! Where recorded files of the venues are, which are never committed.

use std::path::PathBuf;

use super::skip::skip;

/// A recorded file, where there is one. Where `SUREFOOT_DATA` is set it must hold the file.
pub fn recorded(name: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("SUREFOOT_DATA") else {
        skip("data", &format!("SUREFOOT_DATA is not set, so {name} cannot be read"));
        return None;
    };
    let path = std::path::absolute(PathBuf::from(folder).join(name)).expect("a path");
    assert!(path.exists(), "SUREFOOT_DATA is set, and {} is not there", path.display());
    Some(path)
}
