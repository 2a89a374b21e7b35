//! The state directory: everything one instance keeps, where each thing is, and how files are replaced.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::account::Holder;
use crate::disk;
use crate::lock::{Lock, LockError};

/// A directory that holds the state of one instance.
#[derive(Clone, Debug)]
pub struct StateDir {
    root: PathBuf,
}

/// Why a state directory cannot be used.
#[derive(Debug)]
pub enum StateError {
    /// A file or directory could not be read or written.
    Io {
        /// The action that failed, as a verb: "read", "write to".
        doing: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    /// Another instance is at work in it.
    InUse {
        path: PathBuf,
        /// The other instance's process number, where it could be read.
        pid: Option<u32>,
    },
    /// Another instance trades one of the same accounts, out of another directory.
    AccountInUse { venue: &'static str, holder: Holder },
    /// Others may write to the directory.
    Open {
        /// The state directory that other users may write to.
        path: PathBuf,
        /// Its permission bits, as `chmod` takes them.
        mode: u32,
    },
    /// A file of ours holds something else.
    Damaged { path: PathBuf, what: String },
    /// A file of ours has a version that this program does not read.
    Version {
        path: PathBuf,
        version: u64,
        /// The newest version that it reads.
        known: u64,
    },
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { doing: doing @ "read", path, source } => write!(
                f,
                "cannot {doing} {}: {source}. Check its owner and mode. {}",
                path.display(),
                disk::UNREADABLE
            ),
            Self::Io { doing, path, source } => write!(
                f,
                "cannot {doing} {}: {source}. Check its owner, mode and free space, or give another \
                 directory with --state",
                path.display()
            ),
            Self::InUse { path, pid } => {
                write!(f, "{} is in use by another surefoot", path.display())?;
                if let Some(pid) = pid {
                    write!(f, " (process {pid})")?;
                }
                f.write_str(
                    ". `surefoot status` shows what it does, `surefoot stop` ends it; or give another \
                     directory with --state",
                )
            }
            Self::AccountInUse { venue, holder } => {
                write!(f, "the {venue} account is traded by another surefoot already")?;
                if holder.pid != 0 {
                    write!(f, " (process {})", holder.pid)?;
                }
                if let Some(state) = &holder.state {
                    write!(f, ", out of {state}. `surefoot status --state {state}` shows it")?;
                }
                f.write_str(". Nothing was started: two would not know of each other's orders")
            }
            Self::Open { path, mode } => write!(
                f,
                "others may write to the state directory {} (mode {mode:04o}): whoever can put a file there can halt, \
                 replace or lift what protects the money. `chmod 700 {}`",
                path.display(),
                path.display()
            ),
            Self::Damaged { path, what } => write!(
                f,
                "{} is not as surefoot wrote it: {what}. Look at it; if it may go, remove it by hand",
                path.display()
            ),
            Self::Version { path, version, known } => write!(
                f,
                "{} has version {version}, this program knows {known}. Use the surefoot that wrote it, or give another \
                 directory with --state",
                path.display()
            ),
        }
    }
}

impl std::error::Error for StateError {}

/// A halt that outlives the process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HaltLatch {
    /// The reason as it was given, in words.
    pub reason: String,
    /// Who or what halted: `operator`, `kill_file`, `signal`, `limit`, `thread`, `ring`, `journal`, `directory`,
    /// `crash_loop` or `watchdog`.
    pub who: String,
    /// Wall clock at the halt, in Unix nanoseconds.
    pub when_ns: u64,
}

/// Room for a small file and the directory's entry of it, on any file system.
const RESERVE_BYTES: usize = 64 << 10;

impl StateDir {
    /// Opens the directory, making it (for this user alone) where it is not there.
    ///
    /// # Errors
    /// It cannot be made, or not written to.
    pub fn open(root: &Path) -> Result<Self, StateError> {
        let dir = Self { root: root.to_owned() };
        make_dir(root)?;
        let mode = fs::metadata(root).map_err(io_error("look at", root))?.mode() & 0o7777;
        if mode & 0o022 != 0 {
            return Err(StateError::Open { path: root.to_owned(), mode });
        }
        make_dir(&dir.journal())?;
        // Its own for each process: several may begin at one moment.
        let probe = root.join(format!(".probe-{}", std::process::id()));
        write_atomic(&probe, b"surefoot")?;
        fs::remove_file(&probe).map_err(io_error("write to", &probe))?;
        let reserve = dir.reserve();
        if !fs::metadata(&reserve).is_ok_and(|there| there.len() >= RESERVE_BYTES as u64) {
            write_atomic(&reserve, &[0; RESERVE_BYTES])?;
        }
        Ok(dir)
    }

    /// The directory as it is, for a verb that only looks: nothing is made.
    pub fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The path of the directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the lock is.
    pub fn lock_file(&self) -> PathBuf {
        self.root.join("lock")
    }

    /// Where the running instance listens.
    pub fn control_socket(&self) -> PathBuf {
        self.root.join("control.sock")
    }

    /// Where the journal's segments are.
    pub fn journal(&self) -> PathBuf {
        self.root.join("journal")
    }

    /// Where it is kept how far the journal is on the disk.
    pub fn journal_mark(&self) -> PathBuf {
        self.root.join("journal.mark")
    }

    /// Where the snapshots of the core are.
    pub fn snapshots(&self) -> PathBuf {
        self.root.join("snapshots")
    }

    /// Where an executor writes what it is about to send.
    pub fn wire_log(&self, venue: &str) -> PathBuf {
        self.root.join(format!("wire-{venue}.log"))
    }

    /// Where the queryable projection is.
    pub fn database(&self) -> PathBuf {
        self.root.join("surefoot.db")
    }

    /// Where dated copies of the database are.
    pub fn backups(&self) -> PathBuf {
        self.root.join("backups")
    }

    /// Where the markets' names are kept: numbers stand for the same markets after a restart.
    pub fn names(&self) -> PathBuf {
        self.root.join("markets.json")
    }

    /// Whoever makes this file halts trading.
    pub fn kill_file(&self) -> PathBuf {
        self.root.join("KILL")
    }

    /// Where a halt is kept over restarts.
    pub fn halt_latch(&self) -> PathBuf {
        self.root.join("halt.json")
    }

    /// Where an instance leaves how it ended.
    pub fn exit_file(&self) -> PathBuf {
        self.root.join("exit.json")
    }

    /// Where the times of crashes are kept.
    pub fn crashes(&self) -> PathBuf {
        self.root.join("crashes.json")
    }

    /// Where the watchdog's process writes what it did.
    pub fn watchdog_log(&self) -> PathBuf {
        self.root.join("watchdog.jsonl")
    }

    /// Whether an instance was ever at work in it.
    pub fn was_used(&self) -> bool {
        // What cannot be looked at was not made by nobody.
        let files = [self.lock_file(), self.names(), self.database()];
        files.iter().any(|path| !matches!(disk::is_there(path), Ok(false)))
    }

    /// Where it is written down what operators did.
    pub fn operator_log(&self) -> PathBuf {
        self.root.join("operator.jsonl")
    }

    /// Where every note is kept as a line of JSON.
    pub fn notes(&self) -> PathBuf {
        self.root.join("notes.jsonl")
    }

    /// Where a detached instance writes what it has to say.
    pub fn log(&self) -> PathBuf {
        self.root.join("surefoot.log")
    }

    /// Takes the directory for this process; the lock ends with the value or the process.
    ///
    /// # Errors
    /// Another instance holds it.
    pub fn lock(&self) -> Result<Lock, StateError> {
        Lock::take(&self.lock_file()).map_err(|error| match error {
            LockError::Held { pid } => StateError::InUse { path: self.root.clone(), pid },
            LockError::Io(source) => {
                StateError::Io { doing: "lock", path: self.lock_file(), source }
            }
        })
    }

    /// The process that holds the directory now.
    pub fn holder(&self) -> Option<u32> {
        Lock::holder(&self.lock_file())
    }

    /// The halt that stands, if one does.
    ///
    /// # Errors
    /// The file cannot be read or understood; treat that as halted.
    pub fn halt(&self) -> Result<Option<HaltLatch>, StateError> {
        let path = self.halt_latch();
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(StateError::Io { doing: "read", path, source }),
        };
        match serde_json::from_slice(&text) {
            Ok(latch) => Ok(Some(latch)),
            Err(error) => Err(StateError::Damaged { path, what: error.to_string() }),
        }
    }

    /// Latches a halt; it stands until [`StateDir::clear_halt`], restarts included. On a full disk the reserve makes
    /// room for it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn set_halt(&self, latch: &HaltLatch) -> Result<(), StateError> {
        let text = serde_json::to_vec_pretty(latch).expect("a struct of text is JSON");
        write_atomic(&self.halt_latch(), &text).or_else(|error| {
            fs::remove_file(self.reserve()).map_err(|_| error)?;
            write_atomic(&self.halt_latch(), &text)
        })
    }

    /// Room kept for the halt: what fills a disk is often what must be halted for.
    fn reserve(&self) -> PathBuf {
        self.root.join("reserve")
    }

    /// Lifts a halt. Does nothing where none stands.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn clear_halt(&self) -> Result<(), StateError> {
        let path = self.halt_latch();
        match fs::remove_file(&path) {
            Ok(()) => sync_dir(&self.root),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(source) => Err(StateError::Io { doing: "remove", path, source }),
        }
    }
}

/// Replaces a file whole: written aside, synced, renamed, the directory synced. Readers see the old one or the
/// new one, after a crash too. Mode 0600.
///
/// # Errors
/// A step failed; the old file stands.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), StateError> {
    let mut name = path.file_name().expect("a file has a name").to_owned();
    name.push(format!(".tmp{}", std::process::id()));
    let temporary = path.with_file_name(name);
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&temporary)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            disk::sync_all(&file)
        })
        .and_then(|()| fs::rename(&temporary, path));
    if let Err(source) = written {
        let _ = fs::remove_file(&temporary); // it may not even be there; the first error counts
        return Err(StateError::Io { doing: "write", path: path.to_owned(), source });
    }
    path.parent().map_or(Ok(()), sync_dir)
}

/// Makes the names in a directory durable.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), StateError> {
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    File::open(dir).and_then(|file| disk::sync_all(&file)).map_err(io_error("sync", dir))
}

fn make_dir(path: &Path) -> Result<(), StateError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(io_error("make the directory", path))
}

fn io_error(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StateError {
    let path = path.to_owned();
    move |source| StateError::Io { doing, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("surefoot-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        dir
    }

    #[test]
    fn a_halt_outlives_the_value_and_a_damaged_latch_is_not_taken_for_none() {
        let root = scratch("latch");
        let dir = StateDir::open(&root).unwrap();
        assert_eq!(dir.halt().unwrap(), None);
        let latch = HaltLatch { reason: "test".into(), who: "operator".into(), when_ns: 7 };
        dir.set_halt(&latch).unwrap();
        assert_eq!(StateDir::at(&root).halt().unwrap(), Some(latch));
        assert_eq!(fs::metadata(dir.reserve()).unwrap().len(), RESERVE_BYTES as u64, "not needed");
        fs::write(dir.halt_latch(), "{").unwrap();
        assert!(matches!(dir.halt(), Err(StateError::Damaged { .. })));
        dir.clear_halt().unwrap();
        dir.clear_halt().unwrap();
        assert_eq!(dir.halt().unwrap(), None);
        fs::remove_dir_all(&root).unwrap();
    }

    #[test]
    fn the_second_taker_learns_who_holds_it() {
        let root = scratch("lock");
        let dir = StateDir::open(&root).unwrap();
        assert_eq!(dir.holder(), None);
        let lock = dir.lock().unwrap();
        let error = dir.lock().unwrap_err();
        assert!(
            matches!(error, StateError::InUse { pid: Some(pid), .. } if pid == std::process::id())
        );
        assert!(error.to_string().contains("in use"), "{error}");
        assert_eq!(dir.holder(), Some(std::process::id()));
        drop(lock);
        assert_eq!(dir.holder(), None);
        drop(dir.lock().unwrap());
        fs::remove_dir_all(&root).unwrap();
    }

    #[test]
    fn a_directory_that_cannot_be_made_says_so() {
        let root = scratch("file");
        fs::write(&root, "a file").unwrap();
        let error = StateDir::open(&root).unwrap_err().to_string();
        assert!(error.contains("cannot make the directory"), "{error}");
        fs::remove_file(&root).unwrap();
    }
}
