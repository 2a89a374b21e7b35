//! What operators did, in `operator.jsonl` of the state directory: one line an act, kept for ever.

use std::fs::{self, OpenOptions};
use std::io::Write;

use serde_json::{Value, json};
use surefoot_cold::state_dir::{StateDir, StateError};
use surefoot_cold::wall;

/// What an operator did, kept for ever: a line in `operator.jsonl`, synced.
///
/// # Errors
/// It could not be written; what it records must not be done then.
pub fn record(state: &StateDir, what: &str, reason: &str) -> Result<(), StateError> {
    let path = state.root().join("operator.jsonl");
    let line = json!({ "when_ns": now_ns(), "what": what, "reason": reason });
    OpenOptions::new()
        .append(true)
        .create(true)
        .open(&path)
        .and_then(|mut file| {
            writeln!(file, "{line}")?;
            file.sync_data()
        })
        .map_err(|source| StateError::Io { doing: "write", path, source })
}

/// Whether a person resumed trading after that time, while nothing ran.
pub fn lifted_since(state: &StateDir, when_ns: u64) -> bool {
    let text = fs::read_to_string(state.root().join("operator.jsonl")).unwrap_or_default();
    let last = text.lines().rev().find_map(|line| serde_json::from_str::<Value>(line).ok());
    last.is_some_and(|line| {
        line["what"] == "resume" && line["when_ns"].as_u64().is_some_and(|at| at > when_ns)
    })
}

/// The time of the system, in nanoseconds since 1970.
pub(crate) fn now_ns() -> u64 {
    wall::unix_ns()
}
