//! The journal as tables that can be queried: SQLite with one writer, never on the latency path. A file that is damaged,
//! ahead of the journal or behind what is left of it is moved aside and made anew, from the newest backup that fits and the
//! journal behind it, or from the journal alone.

pub mod backup;
pub mod check;
mod health;
pub mod names;
mod notes;
mod operator;
mod project;
pub mod rebuild;
mod sink;

pub use health::HealthAlarm;
pub use sink::{StoreSink, StoreStatus};

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags};
use surefoot_hot::event::Event;
use surefoot_hot::ids::OrderId;
use surefoot_hot::journal::{Body, Record};
use surefoot_hot::units::Nanos;

use crate::disk;
use crate::journal::{JournalError, Reader, Wrong};
use crate::state_dir::{StateDir, StateError};
use crate::wall::unix_ns;
use crate::wirelog::WireLogError;
use backup::{Progress, Watch};
use names::MarketNames;
use project::Cursor;

/// The steps from an empty file to today's tables. A step never changes once it was released.
const MIGRATIONS: [&str; 8] = [
    include_str!("schema.sql"),
    include_str!("schema-2.sql"),
    include_str!("schema-3.sql"),
    include_str!("schema-4.sql"),
    include_str!("schema-5.sql"),
    include_str!("schema-6.sql"),
    include_str!("schema-7.sql"),
    include_str!("schema-8.sql"),
];
/// How long SQLite itself waits for another program's lock within one call.
const BUSY: Duration = Duration::from_secs(5);
/// How long a start waits, over several tries, for another program that holds the database.
const START_BUSY: Duration = Duration::from_secs(30);
/// Records in one transaction at most.
const TRANSACTION_MAX: usize = 16_384;

/// The database, open for writing.
#[derive(Debug)]
pub struct Store {
    db: Connection,
    cursor: Cursor,
    names: MarketNames,
    /// Where the names are kept: a market that is followed while a run goes on is there before its first record.
    names_file: Option<PathBuf>,
    /// Where it is written down what operators did, and how long that was when it was last taken in.
    operator_log: Option<(PathBuf, u64)>,
}

/// Why the projection cannot be used. The journal is not touched by any of this.
#[derive(Debug)]
pub enum StoreError {
    /// SQLite could not do what was asked.
    Sqlite { path: PathBuf, source: rusqlite::Error },
    /// A later version of surefoot wrote it.
    Newer {
        path: PathBuf,
        /// The schema version in the file.
        version: i64,
    },
    /// The damaged file could not be moved aside.
    Aside { path: PathBuf, source: io::Error },
    /// The journal it is made from cannot be read.
    Journal(JournalError),
    /// A wire log cannot be read.
    WireLog(WireLogError),
    /// Another file of the state directory cannot be read or written.
    State(StateError),
    /// A copy that was to take the database's place, or to be kept, is not fit for that.
    Unfit {
        path: PathBuf,
        /// What is wrong with it, for a person.
        why: String,
    },
    /// The journal begins in the middle, so that not all of the database can be made of it.
    Shortened {
        /// The number of its first record.
        first: u64,
    },
    /// Whoever watched did not let it go on.
    Stopped,
    /// Records are missing between the last one in the database and those that came.
    Gap {
        /// Sequence number of the next record that the database lacks.
        want: u64,
        /// Sequence number of the record that came instead.
        seen: u64,
    },
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite { path, source } => write!(
                f,
                "the database {} cannot be used: {source}. Trading does not need it; it may be removed and is \
                 rebuilt from the journal at the next start",
                path.display()
            ),
            Self::Newer { path, version } => write!(
                f,
                "the database {} has version {version}, this program knows {}. Use the newer surefoot, or \
                 remove the file: it is rebuilt from the journal",
                path.display(),
                MIGRATIONS.len()
            ),
            Self::Aside { path, source } => {
                write!(f, "cannot move the damaged {} aside: {source}", path.display())
            }
            Self::Journal(error) => error.fmt(f),
            Self::WireLog(error) => error.fmt(f),
            Self::State(error) => error.fmt(f),
            Self::Unfit { path, why } => write!(f, "{} cannot be used: {why}", path.display()),
            Self::Shortened { first } => write!(
                f,
                "the journal begins at record {first}: what is older than journal.retention_days was removed from it, and of \
                 that the database alone still knows. `surefoot db restore` takes a backup and the journal behind it; \
                 `surefoot db rebuild --kept` makes a database of what the journal still has, and keeps the old one aside"
            ),
            Self::Stopped => f.write_str("it was not finished, because the run ends"),
            Self::Gap { want, seen } => write!(
                f,
                "the database misses records {want} to {}; it reads them from the journal at the next start",
                seen.saturating_sub(1)
            ),
        }
    }
}

impl std::error::Error for StoreError {}

impl StoreError {
    /// Whether another program holds the database: it is waited for, and is no damage.
    pub fn is_busy(&self) -> bool {
        let Self::Sqlite { source: rusqlite::Error::SqliteFailure(error, _), .. } = self else {
            return false;
        };
        matches!(error.code, ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    }
}

impl StoreError {
    /// Whether the file could not be read or written now, as against what is in it: it may be as whole as ever.
    pub fn is_unreadable(&self) -> bool {
        let Self::Sqlite { source: rusqlite::Error::SqliteFailure(error, _), .. } = self else {
            return matches!(self, Self::State(_));
        };
        matches!(
            error.code,
            ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::PermissionDenied
                | ErrorCode::ReadOnly
                | ErrorCode::DiskFull
                | ErrorCode::OutOfMemory
        )
    }
}

impl From<StateError> for StoreError {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}

impl From<JournalError> for StoreError {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

impl Store {
    /// Opens the database and brings it level with the journal. A damaged file, one that knows more than the journal and one
    /// that lacks what is not in the journal any more is moved aside and rebuilt; `say` is told so.
    ///
    /// # Errors
    /// It cannot be used, and not be rebuilt either.
    pub fn open(
        path: &Path,
        journal: &Path,
        names: MarketNames,
        mut say: impl FnMut(&str),
    ) -> Result<Self, StoreError> {
        let begin = Instant::now();
        back_up_older(path, &mut say);
        let connect = || Self::connect(path, names.clone());
        let mut connected = surely(path, connect);
        while connected.as_ref().is_err_and(StoreError::is_busy) && begin.elapsed() < START_BUSY {
            say(&format!("another program holds the database {}: waiting for it", path.display()));
            connected = surely(path, connect);
        }
        let mut store = match connected {
            Err(error @ StoreError::Sqlite { .. })
                if !error.is_unreadable() && !error.is_busy() =>
            {
                say(&format!("{error}; moving it aside and rebuilding it"));
                return Self::make_anew(path, journal, names, &mut say);
            }
            connected => connected?,
        };
        let why = match store.catch_up(journal) {
            Ok(end) if end >= store.cursor.next => return Ok(store),
            Ok(_) => "holds records that the journal lacks",
            // One from a backup, say.
            Err(StoreError::Gap { .. }) => "lacks records that are not in the journal any more",
            Err(error) => return Err(error),
        };
        say(&format!("the database {} {why}; moving it aside and rebuilding it", path.display()));
        let names = std::mem::take(&mut store.names);
        drop(store);
        Self::make_anew(path, journal, names, &mut say)
    }

    /// Moves the database aside and makes it of the newest backup that fits and the journal behind it, or of the journal alone.
    fn make_anew(
        path: &Path,
        journal: &Path,
        names: MarketNames,
        say: &mut dyn FnMut(&str),
    ) -> Result<Self, StoreError> {
        move_aside(path)?;
        for file in backup::list(&backups_beside(path)).unwrap_or_default() {
            let file = file.path;
            match rebuild::from_copy(&file, path, journal, names.clone(), &mut |_| true) {
                Ok(store) => {
                    say(&format!(
                        "the database was made of the backup {} and the journal",
                        file.display()
                    ));
                    return Ok(store);
                }
                Err(why) => say(&format!("the backup is not used: {why}")),
            }
        }
        let mut store = Self::connect(path, names)?;
        store.catch_up(journal)?;
        Ok(store)
    }

    /// Opens the file, checks it, and brings its tables to today's shape.
    fn connect(path: &Path, names: MarketNames) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Sqlite { path: path.to_owned(), source };
        let mut db = Connection::open(path).map_err(failed)?;
        db.busy_timeout(BUSY).map_err(failed)?;
        // Looked at first: what follows writes into the file, and one of a later version stays as it is.
        let version: i64 =
            db.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed)?;
        let done = usize::try_from(version).unwrap_or(usize::MAX);
        if done > MIGRATIONS.len() {
            return Err(StoreError::Newer { path: path.to_owned(), version });
        }
        db.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;",
        )
        .map_err(failed)?;
        let check: String =
            db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(failed)?;
        if check != "ok" {
            let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
            return Err(failed(rusqlite::Error::SqliteFailure(code, Some(check))));
        }
        let step = db.transaction().map_err(failed)?;
        for migration in &MIGRATIONS[done..] {
            step.execute_batch(migration).map_err(failed)?;
        }
        step.pragma_update(None, "user_version", MIGRATIONS.len() as i64).map_err(failed)?;
        step.commit().map_err(failed)?;
        db.set_prepared_statement_cache_capacity(64);
        let cursor = Cursor::load(&db).map_err(failed)?;
        Ok(Self { db, cursor, names, names_file: None, operator_log: None })
    }

    /// Takes in what the journal holds beyond the tables. Returns the number of its next record.
    fn catch_up(&mut self, journal: &Path) -> Result<u64, StoreError> {
        self.catch_up_to(journal, u64::MAX, &mut |_| true)
    }

    /// The same up to a record, which is left out.
    fn catch_up_to(
        &mut self,
        journal: &Path,
        until: u64,
        watch: Watch<'_>,
    ) -> Result<u64, StoreError> {
        let mut reader = match Reader::open_before(journal, self.cursor.next) {
            Err(JournalError { what: Wrong::Empty, .. }) => return Ok(0),
            opened => opened?,
        };
        let mut batch = Vec::with_capacity(TRANSACTION_MAX);
        while let Some(record) = reader.next_record()? {
            if record.seq >= until {
                break;
            }
            if self.cursor.next == 0 && batch.is_empty() {
                self.cursor.next = record.seq; // an empty database begins where the journal begins
            }
            if record.seq >= self.cursor.next {
                batch.push(record);
            }
            if batch.len() == TRANSACTION_MAX {
                self.apply(&batch)?;
                batch.clear();
                let done = self.cursor.next;
                if !watch(Progress { what: "records", done, of: done }) {
                    return Err(StoreError::Stopped);
                }
            }
        }
        self.apply(&batch)?;
        Ok(reader.chain().map_or(0, |chain| chain.next()))
    }

    /// Whether the last record that it has taken in is of the run that this journal has there.
    fn belongs_to(&self, journal: &Path) -> Result<bool, StoreError> {
        let Some(last) = self.cursor.next.checked_sub(1) else { return Ok(true) };
        let mut reader = match Reader::open_before(journal, last) {
            Err(JournalError { what: Wrong::Empty, .. }) => return Ok(false),
            opened => opened?,
        };
        Ok(match reader.next_record()? {
            Some(Record { seq, body: Body::Header(header), .. }) if seq <= last => {
                header.run.cast_signed() == self.cursor.run().1
            }
            _ => true, // what it misses is told when it catches up
        })
    }

    /// Whether the order has a row.
    fn has_order(&self, order: OrderId) -> Result<bool, StoreError> {
        let path = self.db.path().map(PathBuf::from).unwrap_or_default();
        self.db
            .prepare_cached("SELECT 1 FROM orders WHERE order_id = ?1")
            .and_then(|mut read| read.exists([project::order_id(order)]))
            .map_err(|source| StoreError::Sqlite { path, source })
    }

    /// Looks the names of markets that it does not know up in this file.
    #[must_use]
    pub fn with_names_file(mut self, path: PathBuf) -> Self {
        self.names_file = Some(path);
        self
    }

    /// Reads the names again where a record tells of a market that has none here.
    fn learn_names(&mut self, records: &[Record]) {
        let Some(path) = &self.names_file else { return };
        let known = self.names.directory(self.cursor.venue());
        let is_new = |record: &Record| match &record.body {
            Body::Input(Event::Market(def)) => {
                known.and_then(|directory| directory.entry(def.market)).is_none()
            }
            _ => false,
        };
        if records.iter().any(is_new)
            && let Ok(names) = MarketNames::load(path)
        {
            self.names = names; // without them the rows have no name, and nothing is lost
        }
    }

    /// Takes in records, in order, in one transaction.
    ///
    /// # Errors
    /// SQLite said no, or records are missing before these; nothing of them is taken in then.
    pub fn apply(&mut self, records: &[Record]) -> Result<(), StoreError> {
        // A catch-up may have read some of these from the journal meanwhile.
        let known = records.iter().take_while(|record| record.seq < self.cursor.next).count();
        let records = &records[known..];
        // Several batches come as one where another program held the database: a hole may be anywhere in them.
        for (want, record) in (self.cursor.next..).zip(records) {
            if record.seq != want {
                return Err(StoreError::Gap { want, seen: record.seq });
            }
        }
        if records.is_empty() {
            return Ok(());
        }
        self.learn_names(records);
        let path = self.db.path().map(PathBuf::from).unwrap_or_default();
        let failed = |source| StoreError::Sqlite { path: path.clone(), source };
        let mut cursor = self.cursor;
        let step = self.db.transaction().map_err(failed)?;
        for record in records {
            cursor.apply(&step, &self.names, record).map_err(failed)?;
        }
        cursor.save(&step).map_err(failed)?;
        step.commit().map_err(failed)?;
        assert_eq!(cursor.next, self.cursor.next + records.len() as u64, "S2: each record once");
        self.cursor = cursor;
        Ok(())
    }

    /// From now on it has what operators did as well, from the file in which that is written down.
    #[must_use]
    pub fn with_operator_log(mut self, path: PathBuf) -> Self {
        self.operator_log = Some((path, 0));
        self
    }

    /// Takes in what operators have done since it last looked.
    ///
    /// # Errors
    /// SQLite said no; nothing new is there then.
    pub fn take_in_acts(&mut self) -> Result<(), StoreError> {
        let Some((path, seen)) = &mut self.operator_log else { return Ok(()) };
        if operator::length(path) == *seen {
            return Ok(());
        }
        match operator::take_in(&mut self.db, path) {
            Ok(done) => *seen = done,
            Err(source) => {
                let path = self.db.path().map(PathBuf::from).unwrap_or_default();
                return Err(StoreError::Sqlite { path, source });
            }
        }
        Ok(())
    }

    /// Writes alarms of the run's health down, in one transaction.
    ///
    /// # Errors
    /// SQLite said no; none of them is there then.
    pub fn keep(&mut self, alarms: &[HealthAlarm]) -> Result<(), StoreError> {
        let path = self.db.path().map(PathBuf::from).unwrap_or_default();
        let failed = |source| StoreError::Sqlite { path: path.clone(), source };
        let step = self.db.transaction().map_err(failed)?;
        health::keep(&step, self.cursor.run(), alarms).map_err(failed)?;
        step.commit().map_err(failed)
    }

    /// The number of the next record it takes in.
    pub fn next_seq(&self) -> u64 {
        self.cursor.next
    }
}

/// A second connection that cannot write: for status, reports and tests.
///
/// # Errors
/// There is no database, or it cannot be opened.
pub fn open_read_only(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let failed = |source| StoreError::Sqlite { path: path.to_owned(), source };
    let db = Connection::open_with_flags(path, flags).map_err(failed)?;
    db.busy_timeout(BUSY).map_err(failed)?;
    Ok(db)
}

/// The number of the next record that the database lacks; `None` where there is none, or it is damaged.
///
/// # Errors
/// It is there and cannot be read.
pub fn next_record(path: &Path) -> Result<Option<u64>, StoreError> {
    if !is_there(path)? {
        return Ok(None);
    }
    let failed = |source| StoreError::Sqlite { path: path.to_owned(), source };
    let load = || open_read_only(path).and_then(|db| Cursor::load(&db).map_err(failed));
    match surely(path, load) {
        Err(error) if error.is_unreadable() || error.is_busy() => Err(error),
        cursor => Ok(cursor.ok().map(|cursor| cursor.next)),
    }
}

/// Asks SQLite, and once more where it fails: it calls a page damaged that the system could not read. Whether that is so is seen by reading
/// the file.
fn surely<T>(path: &Path, ask: impl Fn() -> Result<T, StoreError>) -> Result<T, StoreError> {
    let is_final = |answer: &Result<T, StoreError>| !matches!(answer, Err(error @ StoreError::Sqlite { .. }) if !error.is_busy());
    let first = ask();
    if is_final(&first) {
        return first;
    }
    let second = ask();
    if !is_final(&second) && second.as_ref().is_err_and(|error| !error.is_unreadable()) {
        for ending in ["", "-wal"] {
            read_through(&backup::with_ending(path, ending))?;
        }
    }
    second
}

/// Reads a file from its beginning to its end, for nothing but whether that can be done. There may be none.
fn read_through(path: &Path) -> Result<(), StoreError> {
    let read = fs::File::open(path).and_then(|mut file| io::copy(&mut file, &mut io::sink()));
    match read {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(StateError::Io { doing: "read", path: path.to_owned(), source }.into())
        }
        _ => Ok(()),
    }
}

/// Whether a file is there.
fn is_there(path: &Path) -> Result<bool, StoreError> {
    let failed = |source| StateError::Io { doing: "read", path: path.to_owned(), source };
    Ok(disk::is_there(path).map_err(failed)?)
}

/// Where the backups of a database are: in its state directory.
fn backups_beside(database: &Path) -> PathBuf {
    StateDir::at(database.parent().unwrap_or(Path::new(""))).backups()
}

/// A database that an earlier version wrote is copied before its tables change. Trading does not wait for that: what the tables hold
/// is in the journal as well.
fn back_up_older(path: &Path, say: &mut dyn FnMut(&str)) {
    let version = |db: Connection| db.query_row("PRAGMA user_version", [], |row| row.get(0)).ok();
    let version: Option<i64> = open_read_only(path).ok().and_then(version);
    if !version.is_some_and(|version| (1..MIGRATIONS.len() as i64).contains(&version)) {
        return;
    }
    let now = Nanos::new(unix_ns());
    match backup::take(path, &backups_beside(path), now, usize::MAX, &mut |_| true) {
        Ok(taken) => say(&format!(
            "an earlier version wrote the database: it was copied to {}",
            taken.path.display()
        )),
        Err(error) => say(&format!(
            "an earlier version wrote the database, and it could not be copied: {error}"
        )),
    }
}

/// Renames the file and its companions to the first free `….aside-N`, and gives the name of the file.
fn move_aside(path: &Path) -> Result<PathBuf, StoreError> {
    let with = |ending: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    let mut nth = 1;
    let aside = loop {
        let ending = format!(".aside-{nth}");
        if !is_there(&with(&ending))? {
            break ending;
        }
        nth += 1;
    };
    for part in ["", "-wal", "-shm"] {
        match fs::rename(with(part), with(&format!("{aside}{part}"))) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(StoreError::Aside { path: with(part), source: error });
            }
            _ => {}
        }
    }
    Ok(with(&aside))
}
