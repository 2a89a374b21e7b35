//! The nth call on our own files fails, for every n: what was told to be written is there afterwards, what was told to be on the
//! disk too, and an error names its file.
//!
//! Each case is a script that a process of its own runs under `src/drill/shim.c`, which fails one call. It tells on stdout what it
//! was promised. Then the files are opened again without the library. The numbers go up until no call is left to fail.
#![allow(clippy::unwrap_used)]

#[path = "support/scratch.rs"]
mod scratch;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use scratch::Scratch;
use surefoot::drill::shim::{Aim, Fate, Shim};
use surefoot_cold::journal::{Identity, Journal, Options, Reader, Sync, replay, segments};
use surefoot_cold::snapshot;
use surefoot_cold::state_dir::{HaltLatch, StateDir};
use surefoot_cold::store::names::MarketNames;
use surefoot_cold::store::rebuild::rebuild;
use surefoot_cold::store::{Store, backup};
use surefoot_cold::wirelog::{self, Ended, Record, Sent, SyncMode, VenueId, WireLog};
use surefoot_hot::event::Event;
use surefoot_hot::ids::{Action, GroupId, MarketId, OrderId, Outcome, Venue};
use surefoot_hot::journal::{Body, Close};
use surefoot_hot::order::{Order, Purpose, Tif};
use surefoot_hot::units::{Nanos, Price, Qty};

/// No script makes so many calls.
const CALLS_MAX: u64 = 400;
/// Writes, syncs, cuts, renames, removals, new directories and files opened to be written. What only reads is another matter.
const CHANGES: &str = "owstnum";
const EIO: i32 = 5;
const ENOSPC: i32 = 28;

/// A script, and what must hold of the files that it leaves when it was promised `promised`.
struct Case {
    name: &'static str,
    /// Made before, without faults.
    prepare: fn(&Path),
    script: fn(&Path),
    check: fn(&Path, promised: &BTreeSet<String>),
}

const CASES: &[Case] = &[
    Case { name: "wirelog", prepare: nothing, script: write_orders, check: orders_are_there },
    Case {
        name: "wirelog-always",
        prepare: nothing,
        script: write_strictly,
        check: orders_are_there,
    },
    Case { name: "journal", prepare: nothing, script: write_journal, check: records_are_there },
    Case {
        name: "snapshot",
        prepare: make_journal,
        script: write_snapshot,
        check: snapshots_are_whole,
    },
    Case { name: "latch", prepare: nothing, script: latch, check: latch_stands },
    Case { name: "lift", prepare: make_latch, script: lift, check: latch_stands },
    Case { name: "lock", prepare: nothing, script: lock, check: lock_is_free },
    Case { name: "names", prepare: nothing, script: save_names, check: names_are_there },
    Case { name: "database", prepare: make_journal, script: project, check: database_is_level },
    Case { name: "backup", prepare: make_database, script: back_up, check: backups_are_whole },
    Case { name: "rebuild", prepare: make_database, script: make_again, check: database_is_level },
];

fn nothing(_: &Path) {}

/// Tells the parent.
fn promise(what: impl std::fmt::Display) {
    println!("promised {what}");
}

/// Tells the parent why it goes no further.
fn told<T>(result: Result<T, impl std::fmt::Display>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(error) => {
            println!("error {}", error.to_string().replace('\n', " "));
            None
        }
    }
}

fn order(id: u64) -> Order {
    Order {
        id: OrderId::new(id),
        epoch: 1,
        decided: Nanos::new(1),
        group: GroupId::new(1),
        market: MarketId::new(1),
        venue: Venue::Kalshi,
        outcome: Outcome::Yes,
        action: Action::Buy,
        price: Price::from_ticks(4_000).unwrap(),
        qty: Qty::from_contracts(5),
        tif: Tif::Fok,
        expires: None,
        post_only: false,
        purpose: Purpose::Leg,
    }
}

fn log_of(dir: &Path) -> std::path::PathBuf {
    dir.join("wire-test.log")
}

fn write_orders(dir: &Path) {
    append_orders(dir, SyncMode::Grouped);
}

fn write_strictly(dir: &Path) {
    append_orders(dir, SyncMode::Always);
}

/// An order that may leave is one whose record was taken. After a failure nothing more is: half a record may be there.
fn append_orders(dir: &Path, mode: SyncMode) {
    let Some((mut log, _)) = told(WireLog::open(&log_of(dir), mode)) else { return };
    let mut failed = false;
    for id in 1..=6 {
        let sent = Record::Sent(Sent::of(&order(id), Nanos::new(id), 0, VenueId::NONE));
        let end = Record::End {
            at: Nanos::new(id),
            order: OrderId::new(id),
            how: Ended::Taken,
            id: VenueId::NONE,
        };
        match log.append(&sent) {
            Ok(()) => {
                assert!(!failed, "an order was taken after a failure");
                promise(id);
            }
            Err(_) => failed = true,
        }
        let _ = log.append(&end); // an end that is missing makes the order unknown, which is asked about
    }
}

fn orders_are_there(dir: &Path, promised: &BTreeSet<String>) {
    let read = wirelog::read(&log_of(dir)).map(|log| log.records).unwrap_or_default();
    let there: BTreeSet<String> = read
        .iter()
        .filter(|record| matches!(record, Record::Sent(_)))
        .map(|record| record.order().get().to_string())
        .collect();
    assert!(promised.is_subset(&there), "promised {promised:?}, there are {there:?}");
    WireLog::open(&log_of(dir), SyncMode::Always).unwrap();
}

fn options(dir: &Path, run: u64) -> Options {
    Options {
        dir: dir.join("journal"),
        sync: Sync::Grouped,
        segment_bytes: 4 << 10,
        identity: Identity { config: 1, binary: 2, run, venue: 3, mode: 0 },
        fresh: run == 1,
        mark: Some(dir.join("journal.mark")),
        untold: Vec::new(),
    }
}

/// Several segments; a promise after each sync, and for the end.
fn write_journal(dir: &Path) {
    let Some(mut journal) = told(Journal::open(options(dir, 1), Nanos::new(1))) else { return };
    let mut written = 0;
    for nth in 1..=60 {
        let now = Nanos::new(nth);
        let wrote = journal
            .append(now, &Body::Input(Event::Timer))
            .and_then(|()| if nth % 3 == 0 { journal.flush() } else { Ok(()) })
            .and_then(|()| if nth % 6 == 0 { journal.sync() } else { Ok(()) });
        if told(wrote).is_none() {
            return; // its thread writes no more after a failure
        }
        written += 1;
        if nth % 6 == 0 {
            promise(written);
        }
    }
    if told(journal.close(Nanos::new(99), Close { decision: 5, state: 6 })).is_some() {
        promise("closed");
    }
}

fn records_are_there(dir: &Path, promised: &BTreeSet<String>) {
    let (mut inputs, mut closed) = (0_u64, false);
    if segments(&dir.join("journal")).is_ok_and(|segments| !segments.is_empty()) {
        let mut reader = Reader::open(&dir.join("journal")).unwrap();
        while let Some(record) = reader.next_record().unwrap() {
            inputs += u64::from(matches!(record.body, Body::Input(_)));
            closed |= matches!(record.body, Body::Close(_));
        }
    }
    let most = promised.iter().filter_map(|word| word.parse::<u64>().ok()).max().unwrap_or(0);
    assert!(inputs >= most, "{most} records were promised, {inputs} are there");
    assert!(closed || !promised.contains("closed"), "the end was promised");
    Journal::open(options(dir, 2), Nanos::new(200)).unwrap(); // and the next run goes on
}

/// What a follower and a store read.
fn make_journal(dir: &Path) {
    fs::create_dir_all(dir).unwrap();
    let mut core = surefoot_hot::core::Core::new();
    let mut out = surefoot_hot::outbox::Outbox::new();
    let mut journal = Journal::open(options(dir, 1), Nanos::new(1)).unwrap();
    for nth in 2..60 {
        let now = Nanos::from_secs(nth);
        core.on_event(now, &Event::Timer, &mut out);
        journal.append(now, &Body::Input(Event::Timer)).unwrap();
        for note in out.notes() {
            journal.append(now, &Body::Note(*note)).unwrap();
        }
        out.clear();
    }
    journal.flush().unwrap();
    journal.sync().unwrap();
}

fn write_snapshot(dir: &Path) {
    let journal = dir.join("journal");
    let folded = replay(&journal, |_| ()).unwrap();
    let mut reader = Reader::open(&journal).unwrap();
    while reader.next_record().unwrap().is_some() {}
    let at = reader.place().unwrap();
    for _ in 0..2 {
        if let Some(path) = told(snapshot::write(&dir.join("snapshots"), &at, &folded)) {
            promise(path.display());
        }
    }
}

fn snapshots_are_whole(dir: &Path, promised: &BTreeSet<String>) {
    for path in promised {
        snapshot::load(Path::new(path)).unwrap();
    }
    for file in snapshot::list(&dir.join("snapshots")).unwrap() {
        snapshot::load(&file.path).unwrap(); // whole or not there
    }
}

fn latch(dir: &Path) {
    let state = StateDir::at(dir);
    let halt = HaltLatch { reason: "a test".into(), who: "operator".into(), when_ns: 7 };
    if told(StateDir::open(dir)).is_some() && told(state.set_halt(&halt)).is_some() {
        promise("halted");
    }
}

/// With a halt that stands already.
fn lift(dir: &Path) {
    if told(StateDir::at(dir).clear_halt()).is_some() {
        promise("lifted");
    }
}

fn make_latch(dir: &Path) {
    let halt = HaltLatch { reason: "a test".into(), who: "operator".into(), when_ns: 7 };
    StateDir::open(dir).unwrap().set_halt(&halt).unwrap();
}

fn latch_stands(dir: &Path, promised: &BTreeSet<String>) {
    let stands = StateDir::at(dir).halt().unwrap().is_some();
    assert!(stands || !promised.contains("halted"), "a halt was promised");
    assert!(!stands || !promised.contains("lifted"), "it was promised to be lifted");
    // The next start can use the directory.
    StateDir::open(dir).unwrap();
}

fn lock(dir: &Path) {
    if let Some(_lock) = told(StateDir::at(dir).lock()) {
        promise("locked");
        assert!(StateDir::at(dir).lock().is_err(), "a second one got it as well");
    }
}

fn lock_is_free(dir: &Path, _: &BTreeSet<String>) {
    StateDir::at(dir).lock().unwrap();
}

fn save_names(dir: &Path) {
    for venue in 1..=3 {
        let mut names = MarketNames::load(&dir.join("markets.json")).unwrap();
        names.put(venue, surefoot_cold::directory::Directory::default());
        if told(names.save(&dir.join("markets.json"))).is_some() {
            promise(venue);
        }
    }
}

fn names_are_there(dir: &Path, promised: &BTreeSet<String>) {
    let names = MarketNames::load(&dir.join("markets.json")).unwrap();
    for venue in promised {
        assert!(names.directory(venue.parse().unwrap()).is_some(), "world {venue} was promised");
    }
}

fn open_store(dir: &Path) -> Option<Store> {
    let database = dir.join("surefoot.db");
    told(Store::open(&database, &dir.join("journal"), MarketNames::default(), |_| ()))
}

fn project(dir: &Path) {
    if let Some(store) = open_store(dir) {
        promise(store.next_seq());
    }
}

fn database_is_level(dir: &Path, promised: &BTreeSet<String>) {
    let next = open_store(dir).unwrap().next_seq();
    for seq in promised {
        assert!(
            next >= seq.parse::<u64>().unwrap(),
            "record {seq} was promised, the next is {next}"
        );
    }
    let db = surefoot_cold::store::open_read_only(&dir.join("surefoot.db")).unwrap();
    let sound: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
}

fn make_database(dir: &Path) {
    make_journal(dir);
    open_store(dir).unwrap();
}

/// The second one removes the first.
fn back_up(dir: &Path) {
    let state = StateDir::at(dir);
    for second in [1_000_000, 2_000_000] {
        let (from, to, now) = (state.database(), state.backups(), Nanos::from_secs(second));
        if let Some(taken) = told(backup::take(&from, &to, now, 1, &mut |_| true)) {
            promise(taken.path.display());
        }
    }
}

fn backups_are_whole(dir: &Path, promised: &BTreeSet<String>) {
    let there = backup::list(&StateDir::at(dir).backups()).unwrap();
    for file in &there {
        assert!(backup::look(&file.path).unwrap().next > 50);
    }
    let newest = promised.iter().max().is_none_or(|path| Path::new(path).exists());
    assert!(newest, "promised {promised:?}, there are {there:?}");
}

fn make_again(dir: &Path) {
    if let Some(made) = told(rebuild(&StateDir::at(dir), false, &mut |_| true)) {
        promise(made.looked.next);
    }
}

/// The process that runs a script; nothing where it is run as a test.
#[test]
fn script() {
    let Ok(name) = std::env::var("SUREFOOT_IO_CASE") else { return };
    let dir = std::env::var("SUREFOOT_IO_DIR").unwrap();
    let case = CASES.iter().find(|case| case.name == name).unwrap();
    (case.script)(Path::new(&dir));
}

/// Runs a case with one call failing. Whether there was such a call.
fn fails_at(case: &Case, shim: &Shim, root: &Path, nth: u64, what: Fate) -> bool {
    let dir = root.join(format!("{}-{nth}", case.name));
    let fired = root.join("fired");
    let _ = fs::remove_file(&fired); // from the last one
    fs::create_dir_all(&dir).unwrap();
    (case.prepare)(&dir);
    let aim = Aim { part: dir.display().to_string(), calls: CHANGES, nth, what, head: "" };
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "script", "--nocapture", "--test-threads", "1"]);
    command.env("SUREFOOT_IO_CASE", case.name).env("SUREFOOT_IO_DIR", &dir);
    shim.arm(&mut command, &aim, &fired);
    let said = command.stdin(Stdio::null()).output().unwrap();
    let out = String::from_utf8_lossy(&said.stdout).into_owned();
    let what = format!("{}, call {nth}, {what:?}", case.name);
    assert!(said.status.success(), "{what}: {out}{}", String::from_utf8_lossy(&said.stderr));
    for error in out.lines().filter_map(|line| line.strip_prefix("error ")) {
        assert!(error.contains(dir.to_str().unwrap()), "{what}: no file is named: {error}");
    }
    let promised =
        out.lines().filter_map(|line| line.split_once("promised ").map(|(_, what)| what));
    let promised: BTreeSet<String> = promised.map(str::to_owned).collect();
    (case.check)(&dir, &promised);
    fs::remove_dir_all(&dir).unwrap();
    fired.exists()
}

#[test]
fn no_failed_call_on_a_file_makes_a_promise_false() {
    let root = Scratch::new("io-faults");
    let shim = Shim::build(&root).unwrap();
    let mut told = Vec::new();
    for case in CASES {
        for what in [Fate::Fail(EIO), Fate::Fail(ENOSPC), Fate::FailFromThen(ENOSPC)] {
            let calls = (1..).find(|&nth| {
                assert!(nth < CALLS_MAX, "{}: still failing", case.name);
                !fails_at(case, &shim, &root, nth, what)
            });
            let calls = calls.unwrap() - 1;
            assert!(calls >= 2, "{}: only {calls} calls were met: it proves nothing", case.name);
            told.push(format!("{} {calls}", case.name));
        }
    }
    eprintln!("calls failed, each with EIO, ENOSPC and ENOSPC from then on: {}", told.join(", "));
}

/// A configuration that cannot be read is no configuration: the verb names the file and ends by its own exit.
#[test]
fn a_configuration_that_cannot_be_read_is_named() {
    let root = Scratch::new("io-config");
    let shim = Shim::build(&root).unwrap();
    let (file, fired) = (root.join("surefoot.toml"), root.join("fired"));
    fs::write(&file, "[limits]\ndaily_loss = 50\n").unwrap();
    let mut nth = 1;
    loop {
        let _ = fs::remove_file(&fired); // from the last one
        let part = file.display().to_string();
        let aim = Aim { part, calls: "ir", nth, what: Fate::Fail(EIO), head: "" };
        let mut command = Command::new(env!("CARGO_BIN_EXE_surefoot"));
        command.args(["config", "check", "--config"]).arg(&file).current_dir(&*root);
        shim.arm(&mut command, &aim, &fired);
        let said = command.stdin(Stdio::null()).output().unwrap();
        if !fired.exists() {
            assert!(said.status.success() && nth > 2, "{nth}: {said:?}");
            return;
        }
        let words = String::from_utf8_lossy(&said.stderr).into_owned();
        assert!(!said.status.success(), "call {nth} failed, and it was taken: {said:?}");
        assert!(words.contains(file.to_str().unwrap()), "call {nth}: no file is named: {words}");
        nth += 1;
    }
}
