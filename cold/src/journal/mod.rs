//! The journal: every input of the core and every intent, in order, on disk. It is the truth; all else is
//! derived from it.
//!
//! A journal is a directory of segments, `journal-000001.sfj` and on, numbered without a gap over all runs.
//! Every run begins a new segment, and a segment that is full is followed by the next. Segments that are
//! over are compressed beside the run (`.sfj.zst`, readable by `zstd -d` too). One chain of hashes runs
//! through all records of all segments: see `surefoot_hot::journal`.

pub mod mark;
pub mod reader;
pub mod replay;
pub mod segment;
pub mod tail;
pub mod writer;

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use surefoot_hot::hash::Hash64;
use surefoot_hot::journal::{Chain, FORMAT, RecordError};

use crate::disk;
use crate::state_dir::{StateError, sync_dir};

pub use mark::{Mark, MarkFile};
pub use reader::{Reader, Torn};
pub use replay::{Expect, Fold, Replayed, replay};
pub use tail::Tail;
pub use writer::{Figures, Journal, Options, SEGMENT_BYTES, Status, Sync, Writer, end_of};

/// What a run is told apart by; every segment's header holds it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Hash of the configuration.
    pub config: u64,
    /// Hash of the program: see [`binary_hash`].
    pub binary: u64,
    /// The number of this run: one more than that of the run before.
    pub run: u64,
    /// Hash of what identifies the venues and accounts.
    pub venue: u64,
    /// With what money: 0 demo, 1 paper, 2 shadow, 3 live.
    pub mode: u8,
}

/// A place between two records of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The segment that holds the record before it, or begins there.
    pub segment: u32,
    /// At which byte of the segment, uncompressed.
    pub offset: u64,
    /// Number of the next record, and the hash of all before it.
    pub chain: Chain,
    /// Whether the record before it ended a run as it should.
    pub closed: bool,
}

/// Something is wrong with a journal, there.
#[derive(Debug)]
pub struct JournalError {
    pub file: PathBuf,
    /// At which byte of it, counted in the uncompressed segment.
    pub offset: u64,
    pub what: Wrong,
}

/// What is wrong with a journal.
#[derive(Debug)]
pub enum Wrong {
    /// The file could not be read or written.
    Io {
        /// What we were doing.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A record is not what was written, or not what this program knows.
    Record(RecordError),
    /// The first record is no header, or the header of another segment.
    Header,
    /// A header stands where none may be.
    HeaderInside,
    /// A segment ends within a record although its run goes on in the next.
    Cut,
    /// Something follows the record that closes the run.
    AfterClose,
    /// A compressed segment's bytes are not those that were written.
    Compressed,
    /// A segment is absent.
    Missing { segment: u32 },
    /// There are no segments at all.
    Empty,
    /// Records that were on the disk are gone from the journal's end.
    Lost {
        /// The first that is missing.
        from: u64,
        /// The first that never was.
        to: u64,
    },
    /// It is not the journal that was written here: what was marked is not in it.
    Other {
        /// The record before which they differ.
        next: u64,
    },
    /// The mark, which says how far the journal went, is not as it was written.
    Mark,
    /// The database holds records that the journal lacks, and there is no mark that says how far it went.
    Behind {
        /// The first that is missing.
        from: u64,
        /// The first that the database does not hold.
        to: u64,
    },
}

impl JournalError {
    pub(crate) fn io(doing: &'static str, file: &Path, source: io::Error) -> Self {
        Self { file: file.to_owned(), offset: 0, what: Wrong::Io { doing, source } }
    }

    /// Whether the journal is damaged, as against unreadable, absent or of another format.
    pub fn is_damage(&self) -> bool {
        let is_other = matches!(self.what, Wrong::Record(RecordError::Format { .. }));
        !is_other && !matches!(self.what, Wrong::Io { .. } | Wrong::Empty)
    }
}

impl JournalError {
    /// What is wrong, without what to do about it.
    fn say_what(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, at) = (self.file.display(), self.offset);
        match &self.what {
            Wrong::Io { doing, source } => write!(f, "cannot {doing} {file}: {source}"),
            Wrong::Empty => write!(f, "there is no journal in {file}"),
            Wrong::Record(error) => say_record(error, &file, at, f),
            Wrong::Header => write!(
                f,
                "{file} is damaged at byte {at}: it does not begin as a journal segment of that number"
            ),
            Wrong::HeaderInside => {
                write!(f, "{file} is damaged at byte {at}: a segment's header stands within it")
            }
            Wrong::Cut => write!(
                f,
                "{file} is damaged at byte {at}: it ends within a record, but its run goes on in the next \
                 segment"
            ),
            Wrong::AfterClose => {
                write!(f, "{file} is damaged at byte {at}: something follows the end of the run")
            }
            Wrong::Compressed => write!(
                f,
                "{file} is damaged at byte {at} or after: its bytes are not those that were written"
            ),
            Wrong::Missing { segment } => {
                write!(f, "{file}: segment {segment} is missing between those that are there")
            }
            Wrong::Lost { from, to } => write!(
                f,
                "the end of the journal in {file} is missing: records {from} to {}, which were on the disk, are not there. \
                 Orders and fills may be among them. Nothing was traded",
                to.saturating_sub(1)
            ),
            Wrong::Other { next } => write!(
                f,
                "{file} does not hold the journal that was written here: it differs before record {next}. Nothing was traded"
            ),
            Wrong::Mark => write!(
                f,
                "{file} is not as surefoot wrote it: whether the journal's end is there cannot be told. Nothing was traded"
            ),
            Wrong::Behind { from, to } => write!(
                f,
                "the end of the journal in {file} is missing: the database beside it knows records {from} to {}, which are \
                 not there. Nothing was traded",
                to.saturating_sub(1)
            ),
        }
    }

    /// Whether it says by itself what to do, or nothing is to be done.
    const fn is_plain(&self) -> bool {
        matches!(
            self.what,
            Wrong::Empty | Wrong::Record(RecordError::Unknown { .. } | RecordError::Format { .. })
        )
    }
}

/// What is wrong with a record at byte `at` of a file.
fn say_record(
    error: &RecordError,
    file: &impl fmt::Display,
    at: u64,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    match error {
        RecordError::Chain => {
            write!(f, "{file} is damaged at byte {at}: the record there is not what was written")
        }
        RecordError::Seq { want, seen } => {
            write!(f, "{file} is damaged at byte {at}: record {seen} stands where {want} should")
        }
        RecordError::Format { seen } => {
            let by = if *seen > FORMAT { "a newer" } else { "an older" };
            write!(
                f,
                "{file} is a journal of format {seen}, and this program reads format {FORMAT}: {by} version of surefoot \
                     wrote it. Nothing in it was changed. Go on with that version, or begin a new directory with this one \
                     (docs/operator.md, *Files of another version*)"
            )
        }
        RecordError::Unknown { kind } => {
            write!(
                f,
                "{file}, byte {at}: a record (kind {kind}) that this program does not know; it reads \
                     format {FORMAT}. Use the version of surefoot that wrote the journal"
            )
        }
    }
}

/// With `{:#}` what is wrong alone, without what to do about it.
impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.say_what(f)?;
        if f.alternate() || self.is_plain() {
            return Ok(());
        }
        if let Wrong::Io { doing, .. } = self.what {
            let is_read = matches!(doing, "read" | "list");
            let changes = "Check its owner, mode and free space";
            return write!(f, ". {}", if is_read { disk::UNREADABLE } else { changes });
        }
        f.write_str(
            ". Do not trade on this journal: restore it from a backup; or, when you have looked at the venues' own pages, \
             accept what is lost with `surefoot accept-loss --reason …` (docs/operator.md)",
        )
    }
}

impl std::error::Error for JournalError {}

/// A segment on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentFile {
    /// Its number, from 1.
    pub number: u32,
    pub path: PathBuf,
}

/// The name of an open segment.
pub fn segment_path(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("journal-{number:06}.sfj"))
}

/// The segments of a directory in order. Of a segment that is there with its compressed copy (a crash came before the original was
/// removed) the original counts. A directory that is not there has none.
///
/// # Errors
/// The directory cannot be read, or a segment in the middle is missing.
pub fn segments(dir: &Path) -> Result<Vec<SegmentFile>, JournalError> {
    let failed = |source| JournalError::io("list", dir, source);
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if let Some(number) = segment_number(&path) {
            found.push(SegmentFile { number, path });
        }
    }
    // `.sfj` sorts before `.sfj.zst`, and the first of a number stays.
    found.sort_by(|a, b| (a.number, &a.path).cmp(&(b.number, &b.path)));
    found.dedup_by_key(|segment| segment.number);
    for pair in found.windows(2) {
        if pair[1].number != pair[0].number + 1 {
            let what = Wrong::Missing { segment: pair[0].number + 1 };
            return Err(JournalError { file: dir.to_owned(), offset: 0, what });
        }
    }
    Ok(found)
}

/// Renames each of these, where it is there, to one free `….aside-N`. Returns the first one's new name.
///
/// # Errors
/// One could not be renamed; those before it were.
///
/// # Panics
/// Where it is given nothing to put aside.
pub fn put_aside(paths: &[PathBuf]) -> Result<PathBuf, StateError> {
    let with = |path: &Path, n: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".aside-{n}"));
        PathBuf::from(name)
    };
    let mut free = 1;
    for path in paths {
        // A name that cannot be looked at may be in use: nothing is put over it.
        let look = |n| {
            let path = with(path, n);
            disk::is_there(&path).map_err(|source| StateError::Io { doing: "read", path, source })
        };
        while look(free)? {
            free += 1;
        }
    }
    for path in paths {
        match fs::rename(path, with(path, free)) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(StateError::Io { doing: "put aside", path: path.clone(), source });
            }
            _ => {}
        }
    }
    let first = paths.first().expect("something is put aside");
    first.parent().map_or(Ok(()), sync_dir)?;
    Ok(with(first, free))
}

/// The number in a segment's name.
fn segment_number(path: &Path) -> Option<u32> {
    let name = path.file_name()?.to_str()?;
    let stem = name.strip_suffix(".zst").unwrap_or(name);
    stem.strip_prefix("journal-")?.strip_suffix(".sfj")?.parse().ok()
}

/// The hash of the program that runs; zero where it cannot be read.
pub fn binary_hash() -> u64 {
    fs::read("/proc/self/exe").map_or(0, |bytes| Hash64::of(&bytes))
}
