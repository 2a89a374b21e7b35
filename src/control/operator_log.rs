//! What operators did, in `operator.jsonl` of the state directory: one line an act, kept for ever. The database has the same acts in
//! a table.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};

use serde_json::{Map, Value, json};
use surefoot_cold::state_dir::{StateDir, StateError};
use surefoot_cold::wall;

use crate::config::explain::limit_of;
use crate::config::keys;
use crate::config::limits::written;
use crate::config::tighten::{Change, Tightened};

/// What an operator did to a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitAct {
    /// It was tightened while a run went on: that holds until somebody loosens it.
    Tightened,
    /// A start took the configuration's value, which is looser than what was in force.
    Loosened,
}

impl LimitAct {
    /// The word in the file.
    const fn name(self) -> &'static str {
        match self {
            Self::Tightened => "limit_tightened",
            Self::Loosened => "limit_loosened",
        }
    }
}

/// What an operator did, kept for ever: a line in `operator.jsonl`, synced.
///
/// # Errors
/// It could not be written; what it records must not be done then.
pub fn record(state: &StateDir, what: &str, reason: &str) -> Result<(), StateError> {
    append(state, &format!("{}\n", json!({ "when_ns": now_ns(), "what": what, "reason": reason })))
}

/// What an operator did to limits: a line each, all of them or none where the disk is full.
///
/// # Errors
/// They could not be written; what they record must not be done then.
pub fn record_limits(
    state: &StateDir,
    act: LimitAct,
    changes: &[Change],
    reason: &str,
) -> Result<(), StateError> {
    let when_ns = now_ns();
    let line = |change: &Change| {
        let Change { row, old, new } = *change;
        let line = json!({
            "when_ns": when_ns,
            "who": "operator",
            "what": act.name(),
            "reason": reason,
            "key": row.def().key,
            "old": written(row, old),
            "new": written(row, new),
        });
        format!("{line}\n")
    };
    append(state, &changes.iter().map(line).collect::<String>())
}

fn append(state: &StateDir, lines: &str) -> Result<(), StateError> {
    let path = state.operator_log();
    OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .open(&path)
        .and_then(|mut file| {
            if !ends_a_line(&mut file)? {
                file.write_all(b"\n")?; // a crash cut the last one off: what comes now is a line of its own
            }
            file.write_all(lines.as_bytes())?;
            file.sync_data()
        })
        .map_err(|source| StateError::Io { doing: "write", path, source })
}

/// Whether whatever is in the file ends with the end of a line.
fn ends_a_line(file: &mut File) -> io::Result<bool> {
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// Every line that is whole, oldest first. A crash may have cut the last one off.
///
/// # Errors
/// The file is there and cannot be read: what operators tightened or lifted is not known.
fn acts(state: &StateDir) -> Result<Vec<Map<String, Value>>, StateError> {
    let path = state.operator_log();
    let text = match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        read => read.map_err(|source| StateError::Io { doing: "read", path, source })?,
    };
    let lines = text.split(|byte| *byte == b'\n');
    Ok(lines.filter_map(|line| serde_json::from_slice(line).ok()).collect())
}

/// Whether a person resumed trading after that time, while nothing ran.
///
/// # Errors
/// The file cannot be read.
pub fn lifted_since(state: &StateDir, when_ns: u64) -> Result<bool, StateError> {
    let is_of_limits = |act: &Map<String, Value>| act.contains_key("key");
    let last = acts(state)?.into_iter().rfind(|act| !is_of_limits(act));
    Ok(last.is_some_and(|act| {
        act.get("what").is_some_and(|what| what == "resume")
            && act.get("when_ns").and_then(Value::as_u64).is_some_and(|at| at > when_ns)
    }))
}

/// What operators have tightened while runs went on and nobody has loosened since. A limit that this version does not know is left
/// out: what was in force last is compared with as well.
///
/// # Errors
/// The file cannot be read.
pub fn tightened(state: &StateDir) -> Result<Tightened, StateError> {
    let mut tightened = Tightened::NONE;
    for act in acts(state)? {
        let word = |name: &str| act.get(name).and_then(Value::as_str).unwrap_or_default();
        let Some(row) = limit_of(word("key")) else { continue };
        let what = word("what");
        if what == LimitAct::Loosened.name() {
            tightened.set(row, None);
        } else if what == LimitAct::Tightened.name()
            && let Ok(keys::Value::Number(value)) = keys::parse(keys::kind_of(row), word("new"))
        {
            tightened.set(row, Some(value));
        }
    }
    Ok(tightened)
}

/// The time of the system, in nanoseconds since 1970.
pub(crate) fn now_ns() -> u64 {
    wall::unix_ns()
}

#[cfg(test)]
mod tests {
    use surefoot_hot::risk::LimitRow;

    use super::*;

    #[test]
    fn what_was_tightened_holds_until_it_is_loosened_and_hides_no_resume() {
        let dir = format!("surefoot-operator-log-{}", std::process::id());
        let state = StateDir::open(&std::env::temp_dir().join(dir)).unwrap();
        assert_eq!(tightened(&state).unwrap(), Tightened::NONE);
        let change = |row, old, new| Change { row, old, new };
        let (loss, edge) = (LimitRow::DailyLoss, LimitRow::EdgeMin);
        let set = |changes: &[Change]| {
            record_limits(&state, LimitAct::Tightened, changes, "night").unwrap();
        };
        set(&[change(loss, 100_000_000, 50_000_000), change(edge, 100, 150)]);
        set(&[change(loss, 50_000_000, 12_500_000)]);
        record(&state, "resume", "looked").unwrap();
        let values = || [loss, edge].map(|row| tightened(&state).unwrap().value(row));
        assert_eq!(values(), [Some(12_500_000), Some(150)]);
        assert!(lifted_since(&state, 1).unwrap());
        let loosened = [change(loss, 12_500_000, 100_000_000)];
        record_limits(&state, LimitAct::Loosened, &loosened, "more money").unwrap();
        assert_eq!(values(), [None, Some(150)]);
        assert!(lifted_since(&state, 1).unwrap(), "a limit is no halt");
        // A crash cuts a line off.
        append(&state, "{\"when_ns\":1,\"what\":\"limit_loo").unwrap();
        assert_eq!(values(), [None, Some(150)]);
        set(&[change(loss, 100_000_000, 7_000_000)]);
        assert_eq!(values()[0], Some(7_000_000), "what comes behind it is read");
        fs::remove_dir_all(state.root()).unwrap();
    }
}
