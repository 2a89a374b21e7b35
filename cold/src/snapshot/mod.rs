//! Snapshots of the core: a start is the newest good one and what the journal holds behind it.
//!
//! A cold thread, the [`Follower`], folds the journal a second time while it is being written and writes down the core that
//! it comes to. The hot core has no part in it. A snapshot names the place in the journal that it is the state of, with
//! the chain's hash there: it is used with that journal and no other.

mod file;
mod follower;
mod retention;

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use surefoot_hot::journal::{Body, Header};

use crate::journal::replay::{Divergence, Expect, ReplayError, Replayed, fold};
use crate::journal::{JournalError, Position, Reader, Wrong, binary_hash};
use crate::state_dir::{StateError, write_atomic};

pub use file::{FILE_FORMAT, Refused, Taken, decode, encode, load, look};
pub use follower::{Figures, Follower, Following, Status};
pub use retention::{Removed, shorten};

/// A snapshot on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotFile {
    /// The number of the first record that is not in it.
    pub next: u64,
    pub path: PathBuf,
}

/// The snapshots of a directory, the newest first. A directory that is not there has none.
///
/// # Errors
/// The directory cannot be read.
pub fn list(dir: &Path) -> io::Result<Vec<SnapshotFile>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if let Some(next) = number(&path) {
            found.push(SnapshotFile { next, path });
        }
    }
    found.sort_by_key(|file| std::cmp::Reverse(file.next));
    Ok(found)
}

fn number(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.strip_prefix("snapshot-")?.strip_suffix(".sfs")?.parse().ok()
}

/// Writes a snapshot of what was folded up to a place, whole or not at all. It is on the disk when this returns.
///
/// # Errors
/// It could not be written.
pub fn write(dir: &Path, at: &Position, folded: &Replayed) -> Result<PathBuf, StateError> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|source| {
        StateError::Io { doing: "make the directory", path: dir.to_owned(), source }
    })?;
    let path = dir.join(format!("snapshot-{:020}.sfs", at.chain.next()));
    write_atomic(&path, &encode(at, folded))?;
    Ok(path)
}

/// The state at the journal's end: the newest snapshot that is good and the records behind it, or the whole journal where
/// there is none. Decisions in the journal are compared with what the core decides now, and differences listed. `say` is
/// told of each snapshot that is not used, and why.
///
/// # Errors
/// The journal cannot be read or is damaged behind the snapshot, or goes on from a state that is in no snapshot.
pub fn restore(
    journal: &Path,
    snapshots: &Path,
    say: impl FnMut(&str),
) -> Result<Replayed, ReplayError> {
    let files = list(snapshots).map_err(|error| JournalError::io("list", snapshots, error))?;
    from_any(journal, files, Expect::Nothing(binary_hash()), say)
}

/// Folds all that there is of a journal: from its beginning, or from the oldest snapshot where retention has removed that.
///
/// # Errors
/// As [`restore`], and the decisions that must be the same are not.
pub fn replay_kept(
    journal: &Path,
    snapshots: &Path,
    expect: Expect,
    say: impl FnMut(&str),
) -> Result<Replayed, ReplayError> {
    let mut first = Reader::open(journal)?;
    let begins = matches!(
        first.next_record()?.map(|record| record.body),
        None | Some(Body::Header(Header { fresh: true, .. }))
    );
    if !begins {
        let files = list(snapshots).map_err(|error| JournalError::io("list", snapshots, error))?;
        let oldest_first = files.into_iter().rev().collect();
        return from_any(journal, oldest_first, expect, say);
    }
    fold(Reader::open(journal)?, None, expect, |_| ())
}

/// The state at the journal's end, folded from the first of these snapshots that can be used, or from the journal's beginning.
fn from_any(
    journal: &Path,
    files: Vec<SnapshotFile>,
    expect: Expect,
    mut say: impl FnMut(&str),
) -> Result<Replayed, ReplayError> {
    let mut unread = None;
    for SnapshotFile { path, .. } in files {
        match resume(journal, &path) {
            Ok((reader, folded)) => return fold(reader, Some(folded), expect, |_| ()),
            Err(why) => {
                say(&format!("the snapshot {} is not used: {why:#}", path.display()));
                if let Unusable::Unread(error) = why {
                    unread.get_or_insert(error);
                }
            }
        }
    }
    match (fold(Reader::open(journal)?, None, expect, |_| ()), unread) {
        // The state that the journal goes on from may be in what could not be read: it is not lost.
        (Err(ReplayError::Diverged { how: Divergence::Headless, .. }), Some(error)) => {
            Err(error.into())
        }
        (folded, _) => folded,
    }
}

/// Why nothing goes on from a snapshot.
enum Unusable {
    /// It, or the journal behind it, cannot be read now.
    Unread(JournalError),
    /// It is no good, or no good here.
    Snapshot(Refused),
    Journal(JournalError),
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unread(error) | Self::Journal(error) => write!(f, "{error:#}"),
            Self::Snapshot(why) => why.fmt(f),
        }
    }
}

/// What a snapshot holds, and the journal behind it.
fn resume(journal: &Path, path: &Path) -> Result<(Reader, Replayed), Unusable> {
    let (at, folded) = load(path).map_err(|why| match why {
        Refused::Io(source) => Unusable::Unread(JournalError::io("read", path, source)),
        why => Unusable::Snapshot(why),
    })?;
    let reader = Reader::resume(journal, &at).map_err(|error| match error.what {
        Wrong::Io { .. } => Unusable::Unread(error),
        _ => Unusable::Journal(error),
    })?;
    Ok((reader, folded))
}
