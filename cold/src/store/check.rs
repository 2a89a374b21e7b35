//! Whether the database is whole, and says what the journal says: every row made again and compared.

use std::cmp::Ordering;
use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Rows};

use super::backup::{Watch, tables_of, wrong_in};
use super::names::MarketNames;
use super::project::Cursor;
use super::rebuild::{Begin, begin_of, counted, only_in_wire_logs};
use super::{MIGRATIONS, Store, StoreError, open_read_only};
use crate::journal::{end_of, segments};
use crate::state_dir::StateDir;

/// Differences that are kept to be shown.
const DIFFERENCES_MAX: usize = 20;
/// What is not made of the journal alone: alarms of health, which no record holds.
const NOT_COMPARED: &str = "health_alarms";
/// Tables of which each row is of one record, or has only what the last record about it says. Of a journal that begins in the
/// middle these can be compared.
const OF_A_PART: [&str; 6] = ["fills", "opportunities", "refusals", "halts", "alarms", "positions"];

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// What SQLite finds wrong with the file; nothing else was looked at where it does.
    pub damage: Vec<String>,
    /// The version of its schema, and this program's.
    pub version: (i64, i64),
    /// The number of the first record that the database lacks.
    pub next: u64,
    /// Records that the journal holds behind that: while no run goes on, the next start takes them in.
    pub behind: u64,
    /// The number of the first record that the journal still has.
    pub first: u64,
    /// Whether the journal has everything from its beginning. Where not, what is of its part alone was compared.
    pub is_whole: bool,
    /// Rows that were compared, by table.
    pub tables: Vec<(String, u64)>,
    /// Rows that differ, or are in one of the two alone.
    pub differing: u64,
    /// The first of them, in words.
    pub differences: Vec<String>,
    /// Orders that a wire log has and the journal does not: the next start takes them up.
    pub only_in_wire_logs: u64,
}

impl Checked {
    /// Whether the database is whole and says what the journal says.
    pub fn is_good(&self) -> bool {
        self.damage.is_empty() && self.differing == 0
    }

    fn differs(&mut self, what: String) {
        self.differing += 1;
        if self.differences.len() < DIFFERENCES_MAX {
            self.differences.push(what);
        }
    }
}

/// Checks the database of a state directory. A run may go on meanwhile: what is compared is what the database held when this began.
///
/// # Errors
/// It is of a later version, or it, the journal or what lies beside cannot be read.
pub fn check(state: &StateDir, watch: Watch<'_>) -> Result<Checked, StoreError> {
    let path = state.database();
    let failed = |source| StoreError::Sqlite { path: path.clone(), source };
    let db = open_read_only(&path)?;
    db.execute_batch("BEGIN").map_err(failed)?; // one moment of it, until this is over
    let mut found = Checked { damage: wrong_in(&db).map_err(failed)?, ..Checked::default() };
    if !found.damage.is_empty() {
        return Ok(found);
    }
    let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed)?;
    found.version = (version, MIGRATIONS.len() as i64);
    if version > found.version.1 {
        return Err(StoreError::Newer { path, version });
    }
    found.next = Cursor::load(&db).map_err(failed)?.next;
    let begin = begin_of(&state.journal())?;
    (found.first, found.is_whole) = (begin.first, begin.is_whole);
    let end = end_of(&segments(&state.journal())?)?.next();
    found.behind = end.saturating_sub(found.next);
    if end < found.next {
        let what = format!("records {end} to {} are not in the journal", found.next - 1);
        found.differs(what);
    }
    if version < found.version.1 {
        return Ok(found); // its tables are of another shape, which the next start changes
    }
    let made = make(state, &db, begin, found.next, watch)?;
    found.only_in_wire_logs = only_in_wire_logs(state, &made)?;
    for table in tables_of(&db).map_err(failed)? {
        if table == NOT_COMPARED || !(begin.is_whole || OF_A_PART.contains(&table.as_str())) {
            continue;
        }
        let rows = compare(&table, (&db, &made.db), begin, &mut found).map_err(failed)?;
        found.tables.push((table, rows));
    }
    Ok(found)
}

/// The same tables, made of the journal up to the record that `db` lacks, in a file of SQLite's own that goes with the value.
fn make(
    state: &StateDir,
    db: &Connection,
    begin: Begin,
    next: u64,
    watch: Watch<'_>,
) -> Result<Store, StoreError> {
    let path = state.database();
    let failed = |source| StoreError::Sqlite { path: path.clone(), source };
    let names = MarketNames::load(&state.names())?;
    let mut made = Store::connect(Path::new(""), names)?.with_operator_log(state.operator_log());
    if !begin.is_whole {
        let sql = "SELECT world FROM runs WHERE run = ?1";
        let row = db.query_row(sql, [begin.run.cast_signed()], |row| row.get(0)).optional();
        made.cursor.world = row.map_err(failed)?.unwrap_or(0);
    }
    made.catch_up_to(&state.journal(), next, &mut counted(state, watch)?)?;
    made.take_in_acts()?;
    // What operators did since the database last looked is no difference.
    let sql = "SELECT coalesce((SELECT value FROM meta WHERE key = 'operator_bytes'), 0)";
    let acts: i64 = db.query_row(sql, [], |row| row.get(0)).map_err(failed)?;
    made.db.execute("DELETE FROM operator_acts WHERE line >= ?1", [acts]).map_err(failed)?;
    made.db
        .execute("UPDATE meta SET value = ?1 WHERE key = 'operator_bytes'", [acts])
        .map_err(failed)?;
    Ok(made)
}

/// Compares a table of both, row by row, and gives how many there are.
fn compare(
    table: &str,
    (db, made): (&Connection, &Connection),
    begin: Begin,
    found: &mut Checked,
) -> rusqlite::Result<u64> {
    let Shape { columns, key } = Shape::of(db, table)?;
    let order: Vec<&str> = key.iter().map(|&at| columns[at].as_str()).collect();
    let from = if order == ["seq"] && !begin.is_whole {
        format!("WHERE seq >= {}", begin.first)
    } else {
        String::new()
    };
    let sql = format!("SELECT * FROM \"{table}\" {from} ORDER BY {}", order.join(", "));
    let (mut ours, mut theirs) = (db.prepare(&sql)?, made.prepare(&sql)?);
    let (mut ours, mut theirs) = (ours.query([])?, theirs.query([])?);
    let name = |row: &[Value]| {
        let of = |at: &usize| format!("{} {}", columns[*at], shown(&row[*at]));
        format!("{table}, {}", key.iter().map(of).collect::<Vec<_>>().join(", "))
    };
    let mut rows = 0;
    let (mut a, mut b) = (next(&mut ours, columns.len())?, next(&mut theirs, columns.len())?);
    loop {
        let place = match (&a, &b) {
            (None, None) => return Ok(rows),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => by_key(&key, a, b),
        };
        rows += 1;
        if place == Ordering::Equal
            && let (Some(a), Some(b)) = (&a, &b)
            && let Some(at) = (0..columns.len()).find(|&at| a[at] != b[at])
        {
            let (a_has, b_has) = (shown(&a[at]), shown(&b[at]));
            let column = &columns[at];
            found.differs(format!("{}: {column} is {a_has}, by the journal {b_has}", name(a)));
        }
        // A position that no record of a part of the journal speaks of is of before it.
        if let (Ordering::Less, Some(a)) = (place, &a)
            && (begin.is_whole || order == ["seq"])
        {
            found.differs(format!("{}: the journal does not have it", name(a)));
        }
        if let (Ordering::Greater, Some(b)) = (place, &b) {
            found.differs(format!("{}: the database does not have it", name(b)));
        }
        if place != Ordering::Greater {
            a = next(&mut ours, columns.len())?;
        }
        if place != Ordering::Less {
            b = next(&mut theirs, columns.len())?;
        }
    }
}

/// The columns of a table, and which of them tell its rows apart.
struct Shape {
    columns: Vec<String>,
    key: Vec<usize>,
}

impl Shape {
    fn of(db: &Connection, table: &str) -> rusqlite::Result<Self> {
        let mut info = db.prepare("SELECT name, pk FROM pragma_table_info(?1) ORDER BY cid")?;
        let columns = info.query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let columns: Vec<(String, i64)> = columns.collect::<rusqlite::Result<_>>()?;
        let mut key: Vec<(i64, usize)> = columns
            .iter()
            .enumerate()
            .filter(|(_, (_, pk))| *pk > 0)
            .map(|(at, (_, pk))| (*pk, at))
            .collect();
        key.sort_unstable();
        assert!(!key.is_empty(), "each of our tables has a primary key");
        let key = key.into_iter().map(|(_, at)| at).collect();
        Ok(Self { columns: columns.into_iter().map(|(name, _)| name).collect(), key })
    }
}

fn next(rows: &mut Rows<'_>, columns: usize) -> rusqlite::Result<Option<Vec<Value>>> {
    let Some(row) = rows.next()? else { return Ok(None) };
    (0..columns).map(|at| row.get(at)).collect::<rusqlite::Result<_>>().map(Some)
}

/// Keys are whole numbers and text, which SQLite orders as we do.
fn by_key(key: &[usize], a: &[Value], b: &[Value]) -> Ordering {
    let one = |at: &usize| match (&a[*at], &b[*at]) {
        (Value::Integer(a), Value::Integer(b)) => a.cmp(b),
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        _ => Ordering::Equal,
    };
    key.iter().map(one).find(|place| place.is_ne()).unwrap_or(Ordering::Equal)
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "empty".to_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        Value::Blob(_) => "bytes".to_owned(),
    }
}
