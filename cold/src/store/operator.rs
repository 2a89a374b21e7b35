//! What operators did, as `operator.jsonl` has it. The file is kept for ever; this table is made from it, anew where the database is.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;

/// How many bytes of the file the table has.
const DONE: &str = "operator_bytes";

const INSERT: &str = "INSERT OR REPLACE INTO operator_acts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

/// Takes in the whole lines that the table lacks; all of them again where the file is another one. Returns how far it has come.
pub(super) fn take_in(db: &mut Connection, path: &Path) -> rusqlite::Result<u64> {
    let done: Option<i64> = db
        .query_row("SELECT value FROM meta WHERE key = ?1", [DONE], |row| row.get(0))
        .optional()?;
    let length = length(path);
    let known = done.unwrap_or(0).cast_unsigned();
    let from = if known > length { 0 } else { known };
    // A file that cannot be read now is read with the next records.
    let Ok(text) = read_from(path, from) else { return Ok(known) };
    let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
    let step = db.transaction()?;
    if from < known {
        step.execute("DELETE FROM operator_acts", [])?;
    }
    let mut at = from;
    for line in whole.split_inclusive('\n') {
        if let Ok(act) = serde_json::from_str::<Value>(line) {
            insert(&step, at, &act)?;
        }
        at += line.len() as u64;
    }
    step.execute("INSERT OR REPLACE INTO meta VALUES (?1, ?2)", params![DONE, at.cast_signed()])?;
    step.commit()?;
    Ok(at)
}

/// How long the file is; 0 where there is none.
pub(super) fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |file| file.len())
}

fn read_from(path: &Path, from: u64) -> io::Result<String> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        opened => opened?,
    };
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    String::from_utf8(bytes).map_err(io::Error::other)
}

fn insert(db: &Connection, line: u64, act: &Value) -> rusqlite::Result<()> {
    let word = |name: &str| act[name].as_str();
    db.prepare_cached(INSERT)?.execute(params![
        line.cast_signed(),
        word("who").unwrap_or("operator"),
        word("what").unwrap_or_default(),
        word("reason").unwrap_or_default(),
        word("key"),
        word("old"),
        word("new"),
        act["when_ns"].as_i64().unwrap_or(0),
    ])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(db: &Connection) -> Vec<(String, Option<String>)> {
        let mut read =
            db.prepare("SELECT what, new_value FROM operator_acts ORDER BY line").unwrap();
        let rows = read.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.map(Result::unwrap).collect()
    }

    #[test]
    fn each_whole_line_is_a_row_once_and_another_file_is_read_anew() {
        let path = std::env::temp_dir().join(format!("surefoot-acts-{}.jsonl", std::process::id()));
        let mut db = Connection::open_in_memory().unwrap();
        for migration in super::super::MIGRATIONS {
            db.execute_batch(migration).unwrap();
        }
        assert_eq!(take_in(&mut db, &path), Ok(0), "nobody did anything yet");
        let halt = "{\"when_ns\":5,\"what\":\"halt\",\"reason\":\"operator: night\"}\n";
        let set = "{\"when_ns\":7,\"who\":\"operator\",\"what\":\"limit_tightened\",\"reason\":\"thin\",\"key\":\"limits.positions\",\
                   \"old\":\"16\",\"new\":\"3\"}\n";
        fs::write(&path, format!("{halt}{}", &set[..20])).unwrap();
        assert_eq!(take_in(&mut db, &path), Ok(halt.len() as u64), "half a line is not there yet");
        fs::write(&path, format!("{halt}{set}no line\n{halt}")).unwrap();
        for _ in 0..2 {
            take_in(&mut db, &path).unwrap();
        }
        let halted = ("halt".to_owned(), None);
        let tightened = ("limit_tightened".to_owned(), Some("3".to_owned()));
        assert_eq!(rows(&db), [halted.clone(), tightened, halted.clone()]);
        let shown: (String, String, String) = db
            .query_row(
                "SELECT who, reason, at FROM v_operator WHERE limit_key = 'limits.positions'",
                [],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )
            .unwrap();
        assert_eq!(shown, ("operator".into(), "thin".into(), "1970-01-01T00:00:00.000Z".into()));
        fs::write(&path, halt).unwrap();
        take_in(&mut db, &path).unwrap();
        assert_eq!(rows(&db), [halted], "another file");
        fs::remove_file(&path).unwrap();
    }
}
