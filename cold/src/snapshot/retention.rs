//! What may go from the journal and from the snapshots.
//!
//! A start needs the newest snapshot and the records behind it, and the one before where the newest turns out torn; whoever
//! looks into what happened needs the records of the last days, and a snapshot to fold them from. So the newest two
//! snapshots stay, and one a day down to the *base*: of those behind the very newest, the newest that is older than the time to
//! keep. What is older than the base goes: snapshots, and segments of which all records are before it. Nothing goes
//! that the database has not taken in.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use surefoot_hot::units::Nanos;

use super::{Refused, SnapshotFile, Taken, list, look};
use crate::disk;
use crate::journal::segments;
use crate::state_dir::sync_dir;

const DAY_NS: u64 = 86_400_000_000_000;

/// How much was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Segments of the journal.
    pub segments: u64,
    /// Snapshots of the core, whole files.
    pub snapshots: u64,
}

/// Removes what neither a start nor a look back needs. The newest snapshot is the running program's: one with another version of
/// the state, as before an upgrade, is none that a start could go back to. `applied` is the number of the first record that the database lacks,
/// `now` the time of the journal's last record, and `keep` how long records stay in any case.
///
/// # Errors
/// Something could not be read or removed, in words. What was removed until then was the oldest.
pub fn shorten(
    journal: &Path,
    snapshots: &Path,
    applied: u64,
    now: Nanos,
    keep: Duration,
) -> Result<Removed, String> {
    let mut removed = Removed::default();
    remove_unfinished(snapshots)?;
    let files = list(snapshots).map_err(|error| in_words("list", snapshots, &error))?;
    let mut good: Vec<(SnapshotFile, Taken)> = Vec::new();
    let mut version = None;
    for file in &files {
        match look(&file.path) {
            Ok((taken, state)) if *version.get_or_insert(state) == state => {
                good.push((file.clone(), taken));
            }
            // It may be the only one that a start can use: nothing goes before that is known.
            Err(Refused::Io(error)) => return Err(in_words("read", &file.path, &error)),
            Ok(_) | Err(_) => {}
        }
    }
    let old = |taken: &Taken| u128::from(now.since(taken.last).get()) >= keep.as_nanos();
    let base = (1..good.len()).find(|&nth| old(&good[nth].1));
    let Some((base_file, base)) = base.map(|nth| &good[nth]) else {
        return Ok(removed);
    };
    if applied < base_file.next {
        return Ok(removed);
    }
    for segment in segments(journal).map_err(|error| error.to_string())? {
        if segment.number >= base.at.segment {
            break;
        }
        // Its compressed copy may lie beside it.
        let packed = segment.path.with_extension("sfj.zst");
        for path in [&segment.path, &packed] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(in_words("remove", path, &error));
                }
                _ => {}
            }
        }
        removed.segments += 1;
    }
    // A crash in between leaves snapshots of segments that are gone, which nothing uses.
    let kept = one_a_day(&good, base_file.next);
    for file in &files[2.min(files.len())..] {
        if !kept.contains(&file.next) && !good[..2].iter().any(|(good, _)| good.next == file.next) {
            fs::remove_file(&file.path).map_err(|error| in_words("remove", &file.path, &error))?;
            removed.snapshots += 1;
        }
    }
    if removed != Removed::default() {
        sync_dir(journal).and_then(|()| sync_dir(snapshots)).map_err(|error| error.to_string())?;
    }
    Ok(removed)
}

/// Of the good snapshots down to the base, the newest of each day, and the base itself.
fn one_a_day(good: &[(SnapshotFile, Taken)], base: u64) -> Vec<u64> {
    let (mut kept, mut day) = (Vec::new(), None);
    for (file, taken) in good.iter().filter(|(file, _)| file.next >= base) {
        let its_day = Some(taken.last.get() / DAY_NS);
        if its_day != day || file.next == base {
            kept.push(file.next);
        }
        day = its_day;
    }
    kept
}

/// Removes what a crash left of snapshots that were being written: each is written aside and renamed.
fn remove_unfinished(dir: &Path) -> Result<(), String> {
    let entries = fs::read_dir(dir).map_err(|error| in_words("list", dir, &error))?;
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().map(|name| name.to_string_lossy());
        if name.is_some_and(|name| name.starts_with("snapshot-") && name.contains(".sfs.tmp")) {
            fs::remove_file(&path).map_err(|error| in_words("remove", &path, &error))?;
        }
    }
    Ok(())
}

fn in_words(doing: &str, path: &Path, error: &io::Error) -> String {
    let what = format!("cannot {doing} {}: {error}", path.display());
    if doing == "remove" { what } else { format!("{what}. {}", disk::UNREADABLE) }
}
