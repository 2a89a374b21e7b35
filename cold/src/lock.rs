//! One instance per state directory: locks that a second process cannot take (S3).

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A held lock, of the file and of the directory it lies in: a file that is removed lets nobody in. It ends with this value
/// or with the process, however that ends: the kernel keeps it.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    file: File,
    dir: File,
}

/// Why the lock could not be taken.
#[derive(Debug)]
pub enum LockError {
    /// Another process holds it.
    Held {
        /// Its number, where the file or the kernel says.
        pid: Option<u32>,
    },
    /// The file could not be opened, locked or written.
    Io(io::Error),
}

impl Lock {
    /// Takes the lock, or says at once who has it.
    ///
    /// # Errors
    /// See [`LockError`].
    pub fn take(path: &Path) -> Result<Self, LockError> {
        let dir = File::open(directory(path)).map_err(LockError::Io)?;
        if !try_lock(&dir)? {
            return Err(LockError::Held { pid: Self::holder(path) });
        }
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(LockError::Io)?;
        if !try_lock(&file)? {
            return Err(LockError::Held { pid: read_pid(&mut file) });
        }
        write_pid(&mut file).map_err(LockError::Io)?;
        Ok(Self { path: path.to_owned(), file, dir })
    }

    /// Who holds the lock; `None` where nobody does. A holder that neither file nor kernel names has the number 0.
    pub fn holder(path: &Path) -> Option<u32> {
        let held = |file: &File| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
        if let Ok(mut file) = File::open(path)
            && held(&file)
        {
            return read_pid(&mut file); // the shared lock that is taken else ends with `file`
        }
        let dir = File::open(directory(path)).ok()?;
        held(&dir).then(|| locker_of(&dir).unwrap_or(0))
    }

    /// What is wrong where the path no longer leads to what is locked: the directory or the file was removed, renamed or
    /// replaced, and what is written goes where nobody looks.
    ///
    /// # Errors
    /// See [`Lost`].
    pub fn check(&self) -> Result<(), Lost> {
        let dir = directory(&self.path);
        if !is_same(dir, &self.dir) {
            return Err(Lost::Directory(dir.to_owned()));
        }
        if is_same(&self.path, &self.file) { Ok(()) } else { Err(Lost::File(self.path.clone())) }
    }
}

/// What no longer is where it was locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lost {
    /// The state directory was renamed or removed: this is where it was.
    Directory(PathBuf),
    /// The lock file alone; the directory is still locked.
    File(PathBuf),
}

impl std::fmt::Display for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Directory(path) => write!(
                f,
                "the state directory {} was removed, renamed or replaced: what is written goes where nobody looks",
                path.display()
            ),
            Self::File(path) => write!(f, "{} was removed or replaced", path.display()),
        }
    }
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// `false` where another process has it. A file system that cannot lock a directory leaves it to the file.
fn try_lock(file: &File) -> Result<bool, LockError> {
    for attempt in 0..4 {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            // `holder` looks by locking for an instant: that is not an instance.
            Err(TryLockError::WouldBlock) if attempt < 3 => {
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(_)) if file.metadata().is_ok_and(|file| file.is_dir()) => {
                return Ok(true);
            }
            Err(TryLockError::Error(error)) => return Err(LockError::Io(error)),
        }
    }
    Ok(false)
}

fn is_same(path: &Path, open: &File) -> bool {
    let (Ok(there), Ok(ours)) = (fs::metadata(path), open.metadata()) else { return false };
    (there.dev(), there.ino()) == (ours.dev(), ours.ino())
}

/// The process that the kernel names as the holder of a lock on this file.
fn locker_of(file: &File) -> Option<u32> {
    let inode = format!(":{}", file.metadata().ok()?.ino());
    let locks = fs::read_to_string("/proc/locks").ok()?;
    locks.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (kind, pid, place) = (words.get(1)?, words.get(4)?, words.get(5)?);
        (*kind == "FLOCK" && place.ends_with(&inode)).then(|| pid.parse().ok())?
    })
}

fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().and_then(|()| file.read_to_string(&mut text)).ok()?;
    text.trim().parse().ok()
}

fn write_pid(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}
