//! The disk is one: a thread that may not wait for it asks first whether another of ours does.

use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};

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
