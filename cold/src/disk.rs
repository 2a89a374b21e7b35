//! The disk is one: a thread that may not wait for it asks first whether another of ours does.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

/// What a person can do about a file that is there and cannot be read.
pub const UNREADABLE: &str = "Nothing in it was changed. Where the disk fails, copy the state directory to another one before \
     anything else, then start again (docs/operator.md, *A file that cannot be read*)";

/// Whether there is something at this path. What cannot be looked at is an error, and not absent.
///
/// # Errors
/// It cannot be told.
pub fn is_there(path: &Path) -> io::Result<bool> {
    match fs::metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Threads of this process that wait in [`sync_data`] or [`sync_all`].
static SYNCING: AtomicU32 = AtomicU32::new(0);

/// Waits until what was written to `file` is on the disk.
///
/// # Errors
/// It could not be written; what is on the disk is unknown from then on.
pub fn sync_data(file: &File) -> io::Result<()> {
    while_syncing(|| file.sync_data())
}

/// Waits until what was written to `file`, its length and its other attributes are on the disk; or the names in a directory.
///
/// # Errors
/// They could not be written; what is on the disk is unknown from then on.
pub fn sync_all(file: &File) -> io::Result<()> {
    while_syncing(|| file.sync_all())
}

/// Does something that waits for the disk, counted as such meanwhile.
pub(crate) fn while_syncing<T>(sync: impl FnOnce() -> T) -> T {
    SYNCING.fetch_add(1, Ordering::Relaxed);
    let synced = sync();
    SYNCING.fetch_sub(1, Ordering::Relaxed);
    synced
}

/// Whether a write might have to wait for a sync of ours: of any file, for the file system's journal is shared.
pub fn is_syncing() -> bool {
    SYNCING.load(Ordering::Relaxed) > 0
}
