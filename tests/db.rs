//! `surefoot db`: the database checked against the journal, copied, put back and made again, as a person meets it.
#![allow(clippy::unwrap_used)]

#[path = "support/scratch.rs"]
mod scratch;
#[path = "support/stored.rs"]
mod stored;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rusqlite::Connection;
use serde_json::Value;
use stored::{Home, day, dump, names, observe, open_journal, write_run, write_run_to};
use surefoot::exit::Exit;
use surefoot_cold::journal::segments;
use surefoot_cold::state_dir::StateDir;
use surefoot_cold::store::backup::{list, look, take};
use surefoot_cold::store::check::check;
use surefoot_cold::store::rebuild::{rebuild, restore};
use surefoot_cold::store::{HealthAlarm, Store, StoreError, open_read_only};
use surefoot_hot::journal::Record;
use surefoot_hot::units::Nanos;

fn state_of(home: &Home) -> StateDir {
    StateDir::at(&home.0)
}

fn silent(text: &str) {
    panic!("nothing is wrong here: {text}");
}

fn goes_on(_: surefoot_cold::store::backup::Progress) -> bool {
    true
}

fn open(home: &Home) -> Store {
    let store = Store::open(&home.db(), &home.journal(), names(), silent).unwrap();
    store.with_operator_log(state_of(home).operator_log())
}

/// A directory as a run leaves it: names, journal, acts of operators, and a database with an alarm of health.
fn used(name: &str, orders: u64) -> Home {
    let home = Home::new(name);
    names().save(&state_of(&home).names()).unwrap();
    write_run(&home, 1, orders);
    fs::write(
        state_of(&home).operator_log(),
        "{\"when_ns\":5,\"what\":\"halt\",\"reason\":\"night\"}\n",
    )
    .unwrap();
    let mut store = open(&home);
    store.take_in_acts().unwrap();
    let (at, name) = (Nanos::from_secs(9), "links_down");
    let (severity, what, remedy) = ("alarm", "2 of 4".to_owned(), "Look at the network.");
    store.keep(&[HealthAlarm::Began { at, name, severity, what, remedy }]).unwrap();
    home
}

/// Every row of every table, those included that no record holds.
fn everything(path: &Path) -> String {
    let db = open_read_only(path).unwrap();
    let mut text = dump(path);
    for table in ["operator_acts", "health_alarms"] {
        let mut read = db.prepare(&format!("SELECT * FROM {table} ORDER BY 1")).unwrap();
        let columns = read.column_count();
        let mut rows = read.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let cells: Vec<_> =
                (0..columns).map(|at| format!("{:?}", row.get_ref(at).unwrap())).collect();
            text.push_str(&format!("{table} {}\n", cells.join(" ")));
        }
    }
    text
}

/// What a verb said of a state directory: its exit, the object on stdout, and stderr.
fn said(state: &Path, words: &[&str]) -> (Option<i32>, Value, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_surefoot"));
    command.arg("db").args(words).arg("--json").arg("--state").arg(state);
    let output =
        command.current_dir(state.parent().unwrap()).stdin(Stdio::null()).output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    let json =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {err}"));
    (output.status.code(), json, err)
}

fn code(exit: Exit) -> Option<i32> {
    Some(i32::from(exit.code()))
}

fn asides(home: &Home) -> BTreeSet<PathBuf> {
    let files = fs::read_dir(&*home.0).unwrap().map(|entry| entry.unwrap().path());
    let is_database = |path: &PathBuf| {
        let name = path.to_string_lossy(); // whoever reads one makes companions beside it
        name.contains(".aside-") && !name.ends_with("-wal") && !name.ends_with("-shm")
    };
    files.filter(is_database).collect()
}

/// Runs whose stores die with the last batches half written, which the next one takes in from the journal.
#[test]
fn a_database_made_again_has_every_row_of_the_one_that_runs_wrote_kills_included() {
    let home = used("again", 20);
    for run in 2..8 {
        let store = Store::open(&home.db(), &home.journal(), names(), silent).unwrap();
        let (mut observer, _) = observe(store, &home);
        let mut journal = open_journal(&home, run);
        let bodies = day(run, 10 + run);
        // A run that is killed ends without a close, and its store without most of what it was handed.
        for body in &bodies {
            journal.append(Nanos::from_secs(1_000_000_000 + run), body).unwrap();
        }
        journal.flush().unwrap();
        let records: Vec<Record> = journal.take_made();
        let told = records.len() * usize::try_from(run % 4).unwrap() / 4;
        assert!(observer.records().push(told as u64, records[..told].to_vec()));
        observer.close();
    }
    write_run(&home, 8, 5);
    drop(open(&home));
    let state = state_of(&home);
    let found = check(&state, &mut goes_on).unwrap();
    assert!(found.is_good() && found.is_whole, "{found:?}");
    assert!(
        found.tables.iter().all(|(table, rows)| *rows > 0 || table == "baskets"),
        "{:?}",
        found.tables
    );
    let wrote = everything(&home.db());
    let made = rebuild(&state, false, &mut goes_on).unwrap();
    assert_eq!(everything(&home.db()), wrote);
    assert_eq!((made.alarms, made.first), (Some(1), 0));
    assert_eq!(everything(&made.aside.unwrap()), wrote, "what it replaces is kept");
}

#[test]
fn a_check_names_each_row_that_is_not_what_the_journal_says() {
    let home = used("check", 12);
    let state = state_of(&home);
    let (exit, json, _) = said(&home.0, &["check"]);
    assert_eq!(
        (exit, &json["verdict"], &json["behind"]),
        (Some(0), &"same".into(), &0.into()),
        "{json}"
    );
    assert!(json["tables"]["orders"] == 12 && json["tables"]["operator_acts"] == 1, "{json}");
    // What the journal has beyond it is no difference.
    write_run(&home, 2, 3);
    let (exit, json, _) = said(&home.0, &["check"]);
    assert!(exit == Some(0) && json["behind"].as_u64().unwrap() > 10, "{json}");
    for (sql, table, words) in [
        (
            "UPDATE positions SET yes_micros = yes_micros + 1 WHERE market = 2",
            "positions",
            "yes_micros is 10000001, by the journal 10000000",
        ),
        (
            "DELETE FROM fills WHERE seq = (SELECT max(seq) FROM fills)",
            "fills",
            "the database does not have it",
        ),
        (
            "INSERT INTO halts SELECT 999999, world, halted, why, epoch, at_ns FROM halts",
            "halts",
            "the journal does not have it",
        ),
        ("UPDATE pnl_day SET fees_micros = 0", "pnl_day", "fees_micros is 0"),
        (
            "UPDATE meta SET value = value + 1000 WHERE key = 'next'",
            "records",
            "are not in the journal",
        ),
    ] {
        let good = fs::read(home.db()).unwrap();
        let db = Connection::open(home.db()).unwrap();
        db.execute_batch("PRAGMA journal_mode = DELETE").unwrap();
        assert_eq!(db.execute(sql, []).unwrap(), 1, "{sql}");
        drop(db);
        let found = check(&state, &mut goes_on).unwrap();
        let first = &found.differences[0];
        assert!(!found.is_good() && first.starts_with(table) && first.contains(words), "{found:?}");
        let (exit, json, err) = said(&home.0, &["check"]);
        assert_eq!((exit, &json["verdict"]), (code(Exit::Failed), &"differs".into()), "{json}");
        assert!(err.contains(first) && err.contains("surefoot db rebuild"), "{err}");
        fs::write(home.db(), good).unwrap();
    }
    let mut bytes = fs::read(home.db()).unwrap();
    let pages = bytes.len() / 4_096;
    bytes[4_096..pages / 2 * 4_096].fill(0x5a);
    fs::write(home.db(), bytes).unwrap();
    let (exit, json, err) = said(&home.0, &["check"]);
    assert!(exit == code(Exit::Failed) || exit == code(Exit::State), "{json}");
    assert!(err.contains("damaged") || err.contains("malformed"), "{err}");
}

/// Of a journal that retention has shortened its own part is compared, and a database is made of it only where that is wanted.
#[test]
fn a_journal_without_its_beginning_is_compared_as_far_as_it_goes() {
    let home = Home::new("part");
    names().save(&state_of(&home).names()).unwrap();
    let state = state_of(&home);
    write_run_to(stored::open_journal_in_segments(&home, 1, 4 << 10), 1, 60);
    drop(open(&home));
    for segment in &segments(&home.journal()).unwrap()[..2] {
        fs::remove_file(&segment.path).unwrap();
    }
    let found = check(&state, &mut goes_on).unwrap();
    assert!(found.is_good() && !found.is_whole && found.first > 0, "{found:?}");
    assert!(found.tables.iter().any(|(table, rows)| table == "fills" && *rows > 10), "{found:?}");
    let db = Connection::open(home.db()).unwrap();
    let last = "UPDATE fills SET qty_micros = 1 WHERE seq = (SELECT max(seq) FROM fills)";
    db.execute(last, []).unwrap();
    drop(db);
    assert_eq!(check(&state, &mut goes_on).unwrap().differing, 1);
    let (exit, json, err) = said(&home.0, &["rebuild"]);
    assert_eq!(exit, code(Exit::Failed), "{json}");
    assert!(err.contains("--kept") && err.contains("not touched"), "{err}");
    assert!(asides(&home).is_empty());
    let (exit, json, _) = said(&home.0, &["rebuild", "--kept"]);
    assert_eq!((exit, &json["first_record"]), (Some(0), &found.first.into()), "{json}");
    assert!(!asides(&home).is_empty());
}

/// The copy is of one moment, whatever a writer does meanwhile, and only so many are kept.
#[test]
fn a_backup_beside_a_writer_is_whole_and_the_oldest_go() {
    let home = used("copy", 6_000);
    let state = state_of(&home);
    let mut writer = open(&home);
    let journal = open_journal(&home, 2);
    let records = {
        let mut journal = journal;
        for body in day(2, 400) {
            journal.append(Nanos::from_secs(1_000_000_500), &body).unwrap();
        }
        journal.flush().unwrap();
        journal.take_made()
    };
    // The journal is ahead, as beside a run: records come while pages are copied.
    let mut at = 0;
    let mut write_on = |_| {
        if at < records.len() {
            let to = (at + 200).min(records.len());
            writer.apply(&records[at..to]).unwrap();
            at = to;
        }
        true
    };
    let before = look(&home.db()).unwrap();
    let taken =
        take(&state.database(), &state.backups(), Nanos::from_secs(100_000), 3, &mut write_on)
            .unwrap();
    assert_eq!(taken.looked.tables, before.tables, "it is of the moment at which it began");
    assert!(at > 0, "nothing was written meanwhile: it proves nothing");
    assert!(!home.0.join("backups").join("surefoot-1970-01-02T03-46-40Z.db-wal").exists());
    for day in 2..6 {
        let now = Nanos::from_secs(day * 100_000);
        let taken = take(&state.database(), &state.backups(), now, 3, &mut goes_on).unwrap();
        assert_eq!(taken.removed, usize::from(day > 3));
    }
    let kept: Vec<u64> =
        list(&state.backups()).unwrap().iter().map(|file| file.at.get() / 1_000_000_000).collect();
    assert_eq!(kept, [500_000, 400_000, 300_000]);
    let (exit, json, _) = said(&home.0, &["backup", "--keep", "2"]);
    assert_eq!((exit, &json["kept"], &json["removed"]), (Some(0), &2.into(), &2.into()), "{json}");
    // One that is given up leaves nothing.
    let now = Nanos::from_secs(900_000);
    let given_up = take(&state.database(), &state.backups(), now, 3, &mut |_| false);
    assert!(matches!(given_up, Err(StoreError::Stopped)), "{given_up:?}");
    assert!(
        fs::read_dir(state.backups())
            .unwrap()
            .all(|entry| { !entry.unwrap().file_name().to_string_lossy().contains("tmp") })
    );
}

#[test]
fn a_damaged_database_gives_no_backup_and_takes_none_away() {
    let home = used("damaged", 200);
    let (exit, ..) = said(&home.0, &["backup"]);
    assert_eq!(exit, Some(0));
    let db = Connection::open(home.db()).unwrap();
    db.execute_batch("PRAGMA journal_mode = DELETE").unwrap();
    drop(db);
    let mut bytes = fs::read(home.db()).unwrap();
    let middle = bytes.len() / 8_192 * 4_096;
    bytes[middle..middle + 8_192].fill(0x5a);
    fs::write(home.db(), &bytes).unwrap();
    let before = list(&state_of(&home).backups()).unwrap();
    let (exit, json, err) = said(&home.0, &["backup", "--keep", "1"]);
    assert!(exit == code(Exit::Failed) || exit == code(Exit::State), "{json}");
    assert!(err.contains("no backup was made") && err.contains("surefoot db check"), "{err}");
    assert_eq!(list(&state_of(&home).backups()).unwrap(), before);
    // A start goes back to the backup and takes in the rest from the journal: the alarms of health are there still.
    write_run(&home, 2, 4);
    let mut told = Vec::new();
    let say = |line: &str| told.push(line.to_owned());
    drop(Store::open(&home.db(), &home.journal(), names(), say).unwrap());
    assert!(told.len() == 2 && told[1].contains("was made of the backup"), "{told:?}");
    let state = state_of(&home);
    assert!(check(&state, &mut goes_on).unwrap().is_good());
    assert!(everything(&home.db()).contains("health_alarms"));
    assert_eq!(asides(&home).len(), 1);
}

#[test]
fn what_is_put_back_is_brought_level_and_what_it_replaces_is_kept() {
    let home = used("back", 10);
    let state = state_of(&home);
    let (_, json, _) = said(&home.0, &["backup"]);
    let copy = json["backup"].as_str().unwrap().to_owned();
    write_run(&home, 2, 5);
    drop(open(&home));
    let wrote = everything(&home.db());
    let (exit, json, _) = said(&home.0, &["restore", &copy]);
    assert_eq!((exit, &json["health_alarms"]), (Some(0), &1.into()), "{json}");
    assert_eq!(everything(&home.db()), wrote);
    assert_eq!(everything(Path::new(json["aside"].as_str().unwrap())), wrote);
    assert!(check(&state, &mut goes_on).unwrap().is_good());
    // Over a running instance.
    let lock = state.lock().unwrap();
    for words in [&["restore", &copy][..], &["rebuild"]] {
        let (exit, _, err) = said(&home.0, words);
        assert_eq!(exit, code(Exit::InUse));
        assert!(err.contains("surefoot stop"), "{err}");
    }
    drop(lock);
    // Of a later version.
    let newer = home.0.join("newer.db");
    fs::copy(&copy, &newer).unwrap();
    Connection::open(&newer).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let (exit, _, err) = said(&home.0, &["restore", newer.to_str().unwrap()]);
    assert_eq!(exit, code(Exit::State));
    assert!(err.contains("version 99") && err.contains("not touched"), "{err}");
    // What is no database at all, or none of ours, or not there.
    let other = home.0.join("other.db");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE a (b)").unwrap();
    let text = home.0.join("text.db");
    fs::write(&text, "no database".repeat(1_000)).unwrap();
    for file in [&other, &text, &home.0.join("none.db")] {
        let (exit, _, err) = said(&home.0, &["restore", file.to_str().unwrap()]);
        assert_eq!(exit, code(Exit::Failed), "{err}");
        assert!(err.contains(file.to_str().unwrap()) && err.contains("not touched"), "{err}");
    }
    assert_eq!(everything(&home.db()), wrote, "nothing was touched");
    assert_eq!(asides(&home).len(), 1);
}

/// A copy is put back only where it and the journal make one whole.
#[test]
fn a_copy_of_another_journal_or_with_a_hole_behind_it_is_refused() {
    let home = used("other", 10);
    let state = state_of(&home);
    let (_, json, _) = said(&home.0, &["backup"]);
    let copy = PathBuf::from(json["backup"].as_str().unwrap());
    let refused = |state: &StateDir| match restore(state, &copy, &mut goes_on) {
        Err(StoreError::Unfit { why, .. }) => why,
        other => panic!("{other:?}"),
    };
    write_run(&home, 2, 5);
    write_run(&home, 3, 5);
    // The records between the copy and what is left of the journal are gone.
    let removed: Vec<PathBuf> = segments(&home.journal())
        .unwrap()
        .into_iter()
        .take(2)
        .map(|segment| segment.path)
        .collect();
    let kept: Vec<Vec<u8>> = removed.iter().map(|path| fs::read(path).unwrap()).collect();
    removed.iter().for_each(|path| fs::remove_file(path).unwrap());
    assert!(refused(&state).contains("what lies between is in neither"));
    for (path, bytes) in removed.iter().zip(kept) {
        fs::write(path, bytes).unwrap();
    }
    restore(&state, &copy, &mut goes_on).unwrap();
    // Another journal with as many records.
    fs::remove_dir_all(home.journal()).unwrap();
    assert!(refused(&state).contains("put the journal back first"));
    let other = stored::open_journal_in_segments(&home, 7, 1 << 20);
    write_run_to(other, 7, 40);
    assert!(refused(&state).contains("of another journal"));
    assert!(!home.0.join("surefoot.db.new").exists());
}

#[test]
fn each_verb_says_what_it_needs() {
    let root = stored::Home::new("needs");
    let state = root.0.join("state");
    fs::create_dir_all(&state).unwrap();
    for words in [&["check"][..], &["backup"], &["rebuild"], &["restore", "x.db"]] {
        let (exit, json, err) = said(&state, words);
        assert_eq!((exit, &json["ok"]), (code(Exit::NotRunning), &false.into()), "{err}");
        let mut command = Command::new(env!("CARGO_BIN_EXE_surefoot"));
        let help = command.args(["db", words[0], "--help"]).output().unwrap();
        assert!(String::from_utf8_lossy(&help.stdout).contains("Example: surefoot db "));
    }
    let home = used("none", 3);
    fs::remove_file(home.db()).unwrap();
    for words in ["check", "backup"] {
        let (exit, _, err) = said(&home.0, &[words]);
        assert_eq!(exit, code(Exit::State));
        assert!(err.contains("surefoot db rebuild"), "{err}");
    }
    let (exit, json, _) = said(&home.0, &["rebuild"]);
    assert_eq!(
        (exit, &json["health_alarms"], &json["aside"]),
        (Some(0), &Value::Null, &Value::Null)
    );
    // A damaged journal is damage, whatever the database says.
    let path = &segments(&home.journal()).unwrap()[0].path;
    let mut bytes = fs::read(path).unwrap();
    bytes[1_000] ^= 1;
    fs::write(path, bytes).unwrap();
    for words in ["check", "rebuild"] {
        let (exit, _, err) = said(&home.0, &[words]);
        assert_eq!(exit, code(Exit::Corrupt), "{err}");
    }
}
