//! Dated copies of the database. Each is made by SQLite's own online backup, so that a run goes on meanwhile, and counts only after
//! it was opened, checked and counted.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode};
use surefoot_hot::units::Nanos;

use super::project::Cursor;
use super::{MIGRATIONS, StoreError, open_read_only};
use crate::json::parse_time;
use crate::state_dir::{StateError, sync_dir};
use crate::wall::iso;

/// How many backups are kept where nobody says otherwise: a week of days.
pub const KEEP: usize = 7;
/// Pages copied at a time: a megabyte.
const STEP_PAGES: i32 = 256;
/// A copy that nobody has written to for so long was left by a crash: it takes minutes at most to look one through.
const UNFINISHED_AFTER: Duration = Duration::from_secs(3_600);
/// Messages of SQLite's check that are passed on.
const MESSAGES_MAX: usize = 10;

/// How far long work has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is counted: "pages", "records".
    pub what: &'static str,
    /// How many are done.
    pub done: u64,
    /// How many there are in all.
    pub of: u64,
}

/// Is told how far long work has come, and says whether it goes on.
pub type Watch<'a> = &'a mut dyn FnMut(Progress) -> bool;

/// A backup on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupFile {
    /// When it was made, to the second.
    pub at: Nanos,
    pub path: PathBuf,
}

/// A backup that was just made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    pub path: PathBuf,
    /// How long the file is.
    pub bytes: u64,
    /// What it holds.
    pub looked: Looked,
    /// Older backups that went.
    pub removed: usize,
}

/// What a database holds that was looked through and found whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// The version of its schema.
    pub version: i64,
    /// The number of the first record that it lacks.
    pub next: u64,
    /// Rows of each table.
    pub tables: Vec<(String, u64)>,
}

impl Looked {
    /// Rows of all tables.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|(_, rows)| rows).sum()
    }
}

/// The backups of a directory, the newest first. A directory that is not there has none.
///
/// # Errors
/// The directory cannot be read.
pub fn list(dir: &Path) -> io::Result<Vec<BackupFile>> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if let Some(at) = date_of(&path) {
            found.push(BackupFile { at, path });
        }
    }
    found.sort_by_key(|file| std::cmp::Reverse(file.at));
    Ok(found)
}

/// `surefoot-2026-11-30T22-15-00Z.db`: sorts by its date, and is a name on every file system.
fn name_of(at: Nanos) -> String {
    let (second, _) = iso(at)
        .split_once('.')
        .map_or_else(Default::default, |(a, b)| (a.to_owned(), b.to_owned()));
    format!("surefoot-{}Z.db", second.replace(':', "-"))
}

fn date_of(path: &Path) -> Option<Nanos> {
    let name = path.file_name()?.to_str()?.strip_prefix("surefoot-")?.strip_suffix("Z.db")?;
    let (day, time) = name.split_once('T')?;
    parse_time(&format!("{day}T{}Z", time.replace('-', ":")))
}

/// Makes a backup of the database in `dir`, dated `now`, looks it through, and removes the oldest beyond `keep`. A run may write on
/// meanwhile: what the copy holds is what was there when it began.
///
/// # Errors
/// The database cannot be read, the copy cannot be written, or it is not what was read; nothing of it is left then, and nothing was
/// removed.
pub fn take(
    database: &Path,
    dir: &Path,
    now: Nanos,
    keep: usize,
    watch: Watch<'_>,
) -> Result<Taken, StoreError> {
    let io = |doing, path: &Path| {
        let path = path.to_owned();
        move |source| StoreError::State(StateError::Io { doing, path, source })
    };
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(io("make the directory", dir))?;
    remove_unfinished(dir).map_err(io("clear", dir))?;
    let path = dir.join(name_of(now));
    let part = with_ending(&path, ".tmp");
    let taken = copy(database, &part, watch).and_then(|tables| {
        let looked = look(&part)?;
        if looked.tables != tables {
            let why = "it does not have the rows that were copied".to_owned();
            return Err(StoreError::Unfit { path: part.clone(), why });
        }
        fs::rename(&part, &path).map_err(io("rename", &part))?;
        sync_dir(dir)?;
        Ok(looked)
    });
    let looked = taken.inspect_err(|_| {
        let _ = fs::remove_file(&part); // the first error counts
    })?;
    let bytes = fs::metadata(&path).map_err(io("read", &path))?.len();
    let mut removed = 0;
    for old in list(dir).map_err(io("list", dir))?.into_iter().skip(keep.max(1)) {
        fs::remove_file(&old.path).map_err(io("remove", &old.path))?;
        removed += 1;
    }
    Ok(Taken { path, bytes, looked, removed })
}

/// Removes what a crash left of a backup that was being made. One that was written to within the hour may be made just now, by a run or by
/// somebody beside it.
fn remove_unfinished(dir: &Path) -> io::Result<()> {
    for path in fs::read_dir(dir)?.flatten().map(|entry| entry.path()) {
        let name = path.file_name().map(|name| name.to_string_lossy());
        if name.is_some_and(|name| name.starts_with("surefoot-") && name.contains(".db.tmp")) {
            let Ok(written) = fs::metadata(&path).and_then(|found| found.modified()) else {
                continue; // it is done, and has its name
            };
            if written.elapsed().is_ok_and(|ago| ago >= UNFINISHED_AFTER) {
                fs::remove_file(&path)?;
            }
        }
    }
    Ok(())
}

/// Copies a database to a file that is not there yet, as it was at one moment: one file, on the disk when this returns. Gives the
/// rows of each table as they were read.
pub(super) fn copy(
    from: &Path,
    to: &Path,
    watch: Watch<'_>,
) -> Result<Vec<(String, u64)>, StoreError> {
    let read = |source| StoreError::Sqlite { path: from.to_owned(), source };
    let written = |source| StoreError::Sqlite { path: to.to_owned(), source };
    let source = open_read_only(from)?;
    // Held to the end: pages that a writer changes meanwhile do not make the copy begin anew.
    source.execute_batch("BEGIN").map_err(read)?;
    let tables = rows_of(&source).map_err(read)?;
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(to)
        .map_err(|source| StateError::Io { doing: "make", path: to.to_owned(), source })?;
    let mut copy = Connection::open(to).map_err(written)?;
    {
        let backup = Backup::new(&source, &mut copy).map_err(written)?;
        loop {
            let step = backup.step(STEP_PAGES).map_err(written)?;
            let rusqlite::backup::Progress { remaining, pagecount } = backup.progress();
            let of = u64::try_from(pagecount).unwrap_or(0);
            let done = of.saturating_sub(u64::try_from(remaining).unwrap_or(0));
            match step {
                StepResult::Done => break,
                StepResult::More => {}
                _ => return Err(read(busy())),
            }
            if !watch(Progress { what: "pages", done, of }) {
                return Err(StoreError::Stopped);
            }
        }
    }
    // As one file: nothing lies beside it that could be forgotten when it is moved.
    copy.execute_batch("PRAGMA journal_mode = DELETE").map_err(written)?;
    copy.close().map_err(|(_, source)| written(source))?;
    Ok(tables)
}

fn busy() -> rusqlite::Error {
    let code = rusqlite::ffi::Error { code: ErrorCode::DatabaseBusy, extended_code: 5 };
    rusqlite::Error::SqliteFailure(code, None)
}

/// Opens a database, has SQLite check all of it, and counts its rows.
///
/// # Errors
/// It cannot be read, is damaged, is no database of surefoot's, or one of a later version.
pub fn look(path: &Path) -> Result<Looked, StoreError> {
    let unfit = |why: String| StoreError::Unfit { path: path.to_owned(), why };
    let failed = |source: rusqlite::Error| unfit(source.to_string());
    let db = open_read_only(path).map_err(|error| match error {
        StoreError::Sqlite { source, .. } => failed(source),
        error => error,
    })?;
    db.execute_batch("BEGIN").map_err(failed)?;
    let wrong = wrong_in(&db).map_err(failed)?;
    if !wrong.is_empty() {
        return Err(unfit(format!("it is damaged: {}", wrong.join("; "))));
    }
    let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed)?;
    if version == 0 {
        return Err(unfit("it is no database of surefoot's".to_owned()));
    }
    if usize::try_from(version).is_ok_and(|version| version > MIGRATIONS.len()) {
        return Err(StoreError::Newer { path: path.to_owned(), version });
    }
    let next = Cursor::load(&db).map_err(failed)?.next;
    Ok(Looked { version, next, tables: rows_of(&db).map_err(failed)? })
}

/// What SQLite finds wrong with a database, in its own words.
pub(super) fn wrong_in(db: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut check = db.prepare(&format!("PRAGMA integrity_check({MESSAGES_MAX})"))?;
    let messages = check.query_map([], |row| row.get(0))?;
    let mut wrong: Vec<String> = messages.collect::<rusqlite::Result<_>>()?;
    wrong.retain(|message| message != "ok");
    let mut orphans = db.prepare("PRAGMA foreign_key_check")?;
    let orphans = orphans.query_map([], |row| row.get::<_, String>(0))?;
    for table in orphans.take(MESSAGES_MAX) {
        wrong.push(format!("a row of {} belongs to none that is there", table?));
    }
    Ok(wrong)
}

/// The tables of a database, in the order of their names.
pub(super) fn tables_of(db: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut names = db.prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
    )?;
    names.query_map([], |row| row.get(0))?.collect()
}

fn rows_of(db: &Connection) -> rusqlite::Result<Vec<(String, u64)>> {
    let count = |table: String| {
        let sql = format!("SELECT count(*) FROM \"{table}\"");
        let rows: i64 = db.query_row(&sql, [], |row| row.get(0))?;
        Ok((table, rows.cast_unsigned()))
    };
    tables_of(db)?.into_iter().map(count).collect()
}

/// The path with this behind its name.
pub(super) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_that_somebody_else_is_making_is_left_alone_and_one_that_a_crash_left_goes() {
        let dir = std::env::temp_dir().join(format!("surefoot-unfinished-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let [fresh, old] = [10, 11].map(|minute| {
            let path = dir.join(format!("surefoot-2026-11-30T22-{minute}-00Z.db.tmp"));
            fs::write(&path, "part of a copy").unwrap();
            path
        });
        let before = std::time::SystemTime::now() - UNFINISHED_AFTER;
        fs::File::options().write(true).open(&old).unwrap().set_modified(before).unwrap();
        remove_unfinished(&dir).unwrap();
        assert_eq!((fresh.exists(), old.exists()), (true, false));
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn a_backups_name_is_its_date_and_nothing_else_is_taken_for_one() {
        let at = Nanos::from_secs(1_796_076_900);
        let name = name_of(at);
        assert_eq!(name, "surefoot-2026-11-30T22-15-00Z.db");
        assert_eq!(date_of(Path::new(&name)), Some(at));
        for other in ["surefoot-2026-11-30T22-15-00Z.db.tmp", "surefoot.db", "surefoot-nowT-Z.db"] {
            assert_eq!(date_of(Path::new(other)), None, "{other}");
        }
    }
}
