//! The database made again: of the journal alone, or of a copy and what the journal holds behind it. What it replaces is kept.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::types::Value;
use surefoot_hot::ids::{OrderId, Venue};
use surefoot_hot::journal::{Body, Header};

use super::backup::{Looked, Progress, Watch, copy, list, look, with_ending};
use super::names::MarketNames;
use super::{Store, StoreError, is_there, move_aside, open_read_only};
use crate::journal::{JournalError, Reader, Wrong, end_of, segments};
use crate::state_dir::{StateDir, StateError, sync_dir};
use crate::wirelog::{self, Ended, Record};

/// A database that was made again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// The number of the first record that the journal still has.
    pub first: u64,
    /// What it holds, looked through after it was written.
    pub looked: Looked,
    /// Where the database that it replaces is kept; `None` where there was none.
    pub aside: Option<PathBuf>,
    /// Alarms of health, which no record holds: taken from the database that was there or a backup; `None` where neither could be read.
    pub alarms: Option<u64>,
    /// Orders that a wire log has and the journal does not: the next start takes them up.
    pub only_in_wire_logs: u64,
}

/// Where a journal begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Begin {
    /// The number of its first record.
    pub first: u64,
    /// The run that it is of.
    pub run: u64,
    /// Whether nothing came before it.
    pub is_whole: bool,
}

/// Where the journal begins. An empty one is whole.
pub(super) fn begin_of(journal: &Path) -> Result<Begin, StoreError> {
    let mut reader = Reader::open(journal)?;
    let nothing = Begin { first: 0, run: 0, is_whole: true };
    Ok(match reader.next_record()? {
        None => nothing,
        Some(record) => match record.body {
            Body::Header(Header { run, fresh, .. }) => {
                Begin { first: record.seq, run, is_whole: fresh }
            }
            _ => unreachable!("a reader refuses a segment that begins with anything else"),
        },
    })
}

/// Makes the whole database again from the journal, the names of the markets and what operators did. The caller holds the lock of
/// the directory.
///
/// # Errors
/// The journal is damaged, or begins in the middle and that is not `allowed`; the database that is there stands then.
pub fn rebuild(state: &StateDir, allowed: bool, watch: Watch<'_>) -> Result<Made, StoreError> {
    let begin = begin_of(&state.journal())?;
    if !begin.is_whole && !allowed {
        return Err(StoreError::Shortened { first: begin.first });
    }
    let part = fresh_part(&state.database())?;
    let names = MarketNames::load(&state.names())?;
    let mut store = Store::connect(&part, names)?.with_operator_log(state.operator_log());
    store.catch_up_to(&state.journal(), u64::MAX, &mut counted(state, watch)?)?;
    store.take_in_acts()?;
    let alarms = carry_alarms(state, &mut store.db);
    finish(state, store, &part, begin.first, alarms)
}

/// Puts a copy in the place of the database, and takes in what the journal holds behind it. The caller holds the lock of the
/// directory.
///
/// # Errors
/// The copy is damaged, of a later version, of another journal, or behind what is left of this one; the database that is there
/// stands then.
pub fn restore(state: &StateDir, file: &Path, watch: Watch<'_>) -> Result<Made, StoreError> {
    let begin = match begin_of(&state.journal()) {
        Err(StoreError::Journal(JournalError { what: Wrong::Empty, .. })) => {
            let why = "it is worth nothing without the journal, which is not there: put the journal back first".to_owned();
            return Err(StoreError::Unfit { path: file.to_owned(), why });
        }
        begin => begin?,
    };
    let part = fresh_part(&state.database())?;
    let names = MarketNames::load(&state.names())?;
    let store = from_copy(file, &part, &state.journal(), names, watch)?;
    let mut store = store.with_operator_log(state.operator_log());
    store.take_in_acts()?;
    let alarms: Option<i64> =
        store.db.query_row("SELECT count(*) FROM health_alarms", [], |row| row.get(0)).ok();
    finish(state, store, &part, begin.first, alarms.map(i64::cast_unsigned))
}

/// A database at `path` of a copy and of what the journal holds behind it; nothing is left there where it cannot be.
pub(super) fn from_copy(
    file: &Path,
    path: &Path,
    journal: &Path,
    names: MarketNames,
    watch: Watch<'_>,
) -> Result<Store, StoreError> {
    let unfit = |why: &str| StoreError::Unfit { path: file.to_owned(), why: why.to_owned() };
    let make = || {
        look(file)?;
        copy(file, path, watch)?;
        let mut store = Store::connect(path, names)?;
        if !store.belongs_to(journal)? {
            return Err(unfit("it is of another journal than the one that is here"));
        }
        match store.catch_up_to(journal, u64::MAX, watch) {
            Ok(end) if end >= store.next_seq() => Ok(store),
            Ok(_) => Err(unfit("it holds records that the journal lacks")),
            Err(StoreError::Gap { want, seen }) => Err(unfit(&format!(
                "it ends before record {want}, and the journal begins at record {seen}: what lies between is in neither"
            ))),
            Err(error) => Err(error),
        }
    };
    make().inspect_err(|_| {
        let _ = remove(path); // the first error counts
    })
}

/// Checks what was made, moves the old one aside and puts this one in its place.
fn finish(
    state: &StateDir,
    store: Store,
    part: &Path,
    first: u64,
    alarms: Option<u64>,
) -> Result<Made, StoreError> {
    let only_in_wire_logs = only_in_wire_logs(state, &store)?;
    let failed = |source| StoreError::Sqlite { path: part.to_owned(), source };
    let db = store.db;
    db.execute_batch(
        "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA optimize; PRAGMA journal_mode = DELETE",
    )
    .map_err(failed)?;
    db.close().map_err(|(_, source)| failed(source))?;
    let looked = look(part)?;
    let database = state.database();
    let aside = if is_there(&database)? { Some(move_aside(&database)?) } else { None };
    // Of a database that went, these may still be there; another one must not take them for its own.
    for companion in ["-wal", "-shm"] {
        let _ = fs::remove_file(with_ending(&database, companion)); // mostly there is none
    }
    fs::rename(part, &database).map_err(|source| StateError::Io {
        doing: "rename",
        path: part.to_owned(),
        source,
    })?;
    sync_dir(state.root())?;
    Ok(Made { first, looked, aside, alarms, only_in_wire_logs })
}

/// The name under which a database is made before it takes its place; nothing is there.
fn fresh_part(database: &Path) -> Result<PathBuf, StoreError> {
    let part = with_ending(database, ".new");
    remove(&part).map_err(|source| StateError::Io {
        doing: "remove",
        path: part.clone(),
        source,
    })?;
    Ok(part)
}

/// Removes a database with its companions; one that is not there is no error.
fn remove(path: &Path) -> io::Result<()> {
    for ending in ["", "-wal", "-shm", "-journal"] {
        match fs::remove_file(with_ending(path, ending)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// The same watch, told how many records there are in all.
pub(super) fn counted<'a>(
    state: &StateDir,
    watch: Watch<'a>,
) -> Result<impl FnMut(Progress) -> bool + use<'a>, StoreError> {
    let of = end_of(&segments(&state.journal())?)?.next();
    Ok(move |progress: Progress| watch(Progress { of, ..progress }))
}

/// Takes the alarms of health over, from the database that is there or else from the newest backup that can be read.
fn carry_alarms(state: &StateDir, to: &mut Connection) -> Option<u64> {
    let backups = list(&state.backups()).unwrap_or_default();
    let sources =
        std::iter::once(state.database()).chain(backups.into_iter().map(|file| file.path));
    sources.filter(|path| path.exists()).find_map(|path| take_alarms(&path, to).ok())
}

fn take_alarms(from: &Path, to: &mut Connection) -> Result<u64, StoreError> {
    let failed = |source| StoreError::Sqlite { path: from.to_owned(), source };
    let from_db = open_read_only(from)?;
    let mut read = from_db.prepare("SELECT * FROM health_alarms ORDER BY id").map_err(failed)?;
    let columns = read.column_count();
    let alarm = |row: &rusqlite::Row<'_>| (0..columns).map(|at| row.get(at)).collect();
    let alarms: Vec<Vec<Value>> =
        read.query_map([], alarm).and_then(Iterator::collect).map_err(failed)?;
    let marks = vec!["?"; columns].join(", ");
    let step = to.transaction().map_err(failed)?;
    for alarm in &alarms {
        step.execute(
            &format!("INSERT INTO health_alarms VALUES ({marks})"),
            rusqlite::params_from_iter(alarm),
        )
        .map_err(failed)?;
    }
    // Of runs that this journal does not have there is nothing to tell.
    let foreign = "DELETE FROM health_alarms WHERE run NOT IN (SELECT run FROM runs)";
    let gone = step.execute(foreign, []).map_err(failed)?;
    step.commit().map_err(failed)?;
    Ok((alarms.len() - gone) as u64)
}

/// How many orders the wire logs have that may be at a venue and are not in the tables.
pub(super) fn only_in_wire_logs(state: &StateDir, store: &Store) -> Result<u64, StoreError> {
    let mut count = 0;
    for venue in Venue::ALL {
        let path = state.wire_log(venue.name());
        let Some(log) = wirelog::read_if_there(&path).map_err(StoreError::WireLog)? else {
            continue;
        };
        let mut sent: BTreeSet<OrderId> = BTreeSet::new();
        for record in &log.records {
            match record {
                Record::Sent(order) => {
                    sent.insert(order.order);
                }
                Record::End { order, how: Ended::Unsent | Ended::Rejected, .. } => {
                    sent.remove(order);
                }
                Record::End { .. } | Record::Amend(_) => {}
            }
        }
        for order in sent {
            count += u64::from(!store.has_order(order)?);
        }
    }
    Ok(count)
}
