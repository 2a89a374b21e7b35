//! How a run ended, left in its directory for whoever asked it to end.
//!
//! The file is written when the run begins and overwritten in place when it ends: that needs no room on a disk that
//! may be full by then.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};
use surefoot_cold::disk;
use surefoot_cold::state_dir::{StateDir, StateError};

use crate::exit::Exit;

/// The file as it was begun: where the directory was renamed meanwhile, it still leads there.
static BEGUN: Mutex<Option<File>> = Mutex::new(None);

/// Bytes of the file, padded with spaces.
const BYTES: usize = 64;

/// Says that this process is at work there and has not ended.
///
/// # Errors
/// The file could not be written.
pub fn begin(state: &StateDir) -> Result<(), StateError> {
    let path = state.exit_file();
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(&path);
    let begun = file.and_then(|file| file.write_all_at(&text(&Value::Null), 0).map(|()| file));
    let file = begun.map_err(|source| StateError::Io { doing: "write", path, source })?;
    *BEGUN.lock().unwrap_or_else(PoisonError::into_inner) = Some(file);
    Ok(())
}

/// Says how this process ends. Does nothing where it did not begin there.
pub fn leave(state: &StateDir, exit: Exit) {
    let file = BEGUN.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(file) = file.as_ref() else { return };
    if let Err(error) = file.write_all_at(&text(&exit.code().into()), 0) {
        eprintln!("surefoot: {}: {error}", state.exit_file().display());
    }
}

/// How that process ended; `None` where it has not, or did not say.
pub fn of(state: &StateDir, pid: u32) -> Option<Exit> {
    read(state).filter(|(by, _)| *by == pid)?.1
}

/// How the run before this one ended; `None` where there was none, or it did not say.
pub fn before(state: &StateDir) -> Option<Exit> {
    read(state)?.1
}

/// Whether the run before this one crashed: it was killed, or an assertion failed. A file that is not understood is of a run that
/// was killed while it began; one that cannot be read may be.
pub fn crashed_before(state: &StateDir) -> bool {
    let is_absent = matches!(disk::is_there(&state.exit_file()), Ok(false));
    !is_absent && matches!(read(state), None | Some((_, None | Some(Exit::Internal))))
}

/// Whose file it is, and how that process ended.
fn read(state: &StateDir) -> Option<(u32, Option<Exit>)> {
    let value: Value = serde_json::from_slice(&fs::read(state.exit_file()).ok()?).ok()?;
    let pid = u32::try_from(value["pid"].as_u64()?).ok()?;
    let code = value["exit"].as_u64();
    Some((pid, Exit::ALL.iter().copied().find(|exit| Some(u64::from(exit.code())) == code)))
}

fn text(exit: &Value) -> Vec<u8> {
    let object = json!({ "pid": std::process::id(), "exit": exit });
    format!("{object:<width$}\n", object = object.to_string(), width = BYTES - 1).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_left_in_place_and_read_by_the_number_of_the_process() {
        let dir = format!("surefoot-exit_note-{}", std::process::id());
        let state = StateDir::open(&std::env::temp_dir().join(dir)).unwrap();
        let pid = std::process::id();
        leave(&state, Exit::Ok);
        assert!(!state.exit_file().exists(), "only where it began");
        assert!(!crashed_before(&state), "there was none before");
        begin(&state).unwrap();
        assert!(crashed_before(&state), "it has not said how it ended");
        assert_eq!(of(&state, pid), None);
        for exit in [Exit::Unreconciled, Exit::Ok, Exit::Internal] {
            leave(&state, exit);
            assert_eq!((of(&state, pid), of(&state, pid + 1)), (Some(exit), None));
            assert_eq!(crashed_before(&state), exit == Exit::Internal);
            assert_eq!(fs::metadata(state.exit_file()).unwrap().len(), BYTES as u64);
        }
        fs::remove_dir_all(state.root()).unwrap();
    }
}
