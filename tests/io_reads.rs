//! The nth reading call on our own files fails, for every n: who reads goes on with the whole of what is there, or stops and names
//! the file and what to do; and nothing that could not be read is removed, cut or replaced.
//!
//! Each case is a script that a process of its own runs under `src/drill/shim.c`, over a copy of the same state directory. What it
//! comes to without a failure is what it must come to with one, if it comes to anything.
#![allow(clippy::unwrap_used)]

#[path = "support/scratch.rs"]
mod scratch;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use scratch::Scratch;
use surefoot::drill::shim::{Aim, Fate, Shim};
use surefoot_cold::journal::{
    Expect, Identity, Journal, Mark, Options, Position, Reader, Replayed, Sync, replay, segment,
    segments,
};
use surefoot_cold::snapshot::{self, Follower, Following};
use surefoot_cold::state_dir::{HaltLatch, StateDir};
use surefoot_cold::store::names::MarketNames;
use surefoot_cold::store::rebuild::{rebuild, restore};
use surefoot_cold::store::{Store, backup, next_record};
use surefoot_cold::wirelog::{self, Record, Sent, SyncMode, VenueId, WireLog};
use surefoot_hot::core::Core;
use surefoot_hot::event::Event;
use surefoot_hot::ids::{Action, GroupId, MarketId, OrderId, Outcome, Venue};
use surefoot_hot::journal::{Body, Close};
use surefoot_hot::order::{Order, Purpose, Tif};
use surefoot_hot::outbox::Outbox;
use surefoot_hot::units::{Nanos, Price, Qty};

/// No script makes so many calls.
const CALLS_MAX: u64 = 3_000;
/// Files opened to be read, looked at, listed and read.
const READS: &str = "ixdr";
const EIO: i32 = 5;

/// What is left where something could not be read, as lines of what it came to.
type Lines = Vec<String>;

/// A script over a state directory; what it returns is the same whatever could not be read, or an error.
struct Case {
    name: &'static str,
    /// What is done to the directory before.
    prepare: fn(&StateDir),
    script: fn(&StateDir) -> Result<Lines, String>,
    /// Files that it may change although it failed: its own tables, made of the journal.
    changes: &'static [&'static str],
    /// Whether what to do is said by who calls it: `surefoot db` says that the old database stands, and a run what to do about a wire log.
    is_said_above: bool,
}

const CASES: &[Case] = &[
    case("restored", nothing, restored),
    case("restored-shortened", cut_beginning, restored),
    case("replayed", nothing, replayed),
    case("replayed-shortened", cut_beginning, replayed),
    case("mark", nothing, mark),
    case("journal", nothing, open_journal),
    Case { is_said_above: true, ..case("wirelog", nothing, open_wire_log) },
    Case { is_said_above: true, ..case("wirelog-torn", tear_wire_log, open_wire_log) },
    case("wirelog-shortened", nothing, shorten_wire_log),
    case("wirelog-unknown", nothing, unknown_orders),
    case("halt", nothing, halt),
    case("names", nothing, names),
    case("retention", nothing, retention),
    case("retention-upgraded", other_versions, retention),
    case("compressed", nothing, compress),
    Case { changes: COMPANIONS, ..case("witness", nothing, witness) },
    Case {
        changes: &["surefoot.db", "surefoot.db-wal", "surefoot.db-shm"],
        ..case("database", nothing, open_database)
    },
    Case { changes: COMPANIONS, is_said_above: true, ..case("rebuilt", nothing, make_again) },
    Case { changes: COMPANIONS, is_said_above: true, ..case("put-back", nothing, put_back) },
    case("follower", nothing, follow),
];

/// SQLite's own, and what a crash of `db rebuild` leaves.
const COMPANIONS: &[&str] = &["surefoot.db-", "surefoot.db.new"];

impl Case {
    /// A change that ends with `-` or `.new` is the beginning of names.
    fn may_change(&self, name: &str) -> bool {
        self.changes
            .iter()
            .any(|&change| name == change || (change != "surefoot.db" && name.starts_with(change)))
    }
}

const fn case(
    name: &'static str,
    prepare: fn(&StateDir),
    script: fn(&StateDir) -> Result<Lines, String>,
) -> Case {
    Case { name, prepare, script, changes: &[], is_said_above: false }
}

fn nothing(_: &StateDir) {}

fn words(error: impl std::fmt::Display) -> String {
    error.to_string().replace('\n', " ")
}

fn options(state: &StateDir, run: u64) -> Options {
    Options {
        dir: state.journal(),
        sync: Sync::Grouped,
        segment_bytes: 4 << 10,
        identity: Identity { config: 1, binary: 2, run, venue: 3, mode: 0 },
        fresh: run == 1,
        mark: Some(state.journal_mark()),
        untold: Vec::new(),
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

fn wire_log(state: &StateDir) -> PathBuf {
    state.wire_log("kalshi")
}

/// A day's files: six runs of one core, a snapshot at the end of each but the last, the first segments compressed.
fn make(state: &StateDir) {
    StateDir::open(state.root()).unwrap();
    let (mut core, mut out) = (Core::new(), Outbox::new());
    for run in 1..=6 {
        let mut journal = Journal::open(options(state, run), Nanos::from_secs(run * 100)).unwrap();
        for nth in 1..40 {
            let now = Nanos::from_secs(run * 100 + nth);
            core.on_event(now, &Event::Timer, &mut out);
            journal.append(now, &Body::Input(Event::Timer)).unwrap();
            for note in out.notes() {
                journal.append(now, &Body::Note(*note)).unwrap();
            }
            out.clear();
        }
        if run == 6 {
            journal.flush().unwrap();
            journal.sync().unwrap();
            break; // it was killed
        }
        let (decision, hash) = (core.decision_hash(), core.state_hash());
        let end = Close { decision, state: hash };
        journal.close(Nanos::from_secs(run * 100 + 50), end).unwrap();
        let (at, folded) = end_of(state);
        snapshot::write(&state.snapshots(), &at, &folded).unwrap();
    }
    for file in segments(&state.journal()).unwrap().iter().take(3) {
        segment::compress(&file.path).unwrap();
    }
    let (mut log, _) = WireLog::open(&wire_log(state), SyncMode::Always).unwrap();
    for id in 1..=6 {
        let sent = Sent::of(&order(id), Nanos::new(id), 0, VenueId::NONE);
        log.append(&Record::Sent(sent)).unwrap();
    }
    drop(log);
    let latch = HaltLatch { reason: "a test".into(), who: "operator".into(), when_ns: 7 };
    state.set_halt(&latch).unwrap();
    let mut names = MarketNames::default();
    names.put(3, surefoot_cold::directory::Directory::default());
    names.save(&state.names()).unwrap();
    drop(open_store(state).unwrap());
    backup::take(&state.database(), &state.backups(), Nanos::from_secs(9), 2, &mut |_| true)
        .unwrap();
}

/// The journal folded to its end, and where that is.
fn end_of(state: &StateDir) -> (Position, Replayed) {
    let folded = replay(&state.journal(), |_| ()).unwrap();
    let mut reader = Reader::open(&state.journal()).unwrap();
    while reader.next_record().unwrap().is_some() {}
    (reader.place().unwrap(), folded)
}

/// As retention leaves it: without its beginning, and the two newest snapshots.
fn cut_beginning(state: &StateDir) {
    let files = snapshot::list(&state.snapshots()).unwrap();
    for file in &files[2..] {
        fs::remove_file(&file.path).unwrap();
    }
    let (at, _) = snapshot::load(&files[1].path).unwrap();
    for file in segments(&state.journal()).unwrap() {
        if file.number < at.segment {
            fs::remove_file(&file.path).unwrap();
        }
    }
}

/// A power cut took a record from among the last ones.
fn tear_wire_log(state: &StateDir) {
    let mut bytes = fs::read(wire_log(state)).unwrap();
    let last = 5 * wirelog::RECORD_BYTES;
    bytes[last..].fill(0x55);
    fs::write(wire_log(state), bytes).unwrap();
}

/// Snapshots of another layout of the state are there beside this program's two newest.
fn other_versions(state: &StateDir) {
    for file in &snapshot::list(&state.snapshots()).unwrap()[2..] {
        let mut bytes = fs::read(&file.path).unwrap();
        let layout = layout_at(&bytes);
        bytes[layout] ^= 0xff;
        let body = bytes.len() - 8;
        let check = surefoot_hot::hash::Hash64::of(&bytes[..body]);
        bytes[body..].copy_from_slice(&check.to_le_bytes());
        fs::write(&file.path, bytes).unwrap();
    }
}

/// Where a snapshot says the layout of its state: what the core's own bytes begin with.
fn layout_at(bytes: &[u8]) -> usize {
    let (_, folded) = snapshot::decode(bytes).unwrap();
    let mut core = Vec::new();
    folded.core.save(&mut core);
    let at = bytes.windows(core.len()).position(|part| part == core).unwrap();
    at + size_of::<u32>()
}

fn outcome(replayed: &Replayed) -> Lines {
    let Replayed { core, last, closed, .. } = replayed;
    vec![format!("state {:016x}, {last:?}, closed {closed}", core.state_hash())]
}

fn restored(state: &StateDir) -> Result<Lines, String> {
    let say = |line: &str| println!("said {line}");
    let restored = snapshot::restore(&state.journal(), &state.snapshots(), say).map_err(words)?;
    Ok(outcome(&restored))
}

fn replayed(state: &StateDir) -> Result<Lines, String> {
    let say = |line: &str| println!("said {line}");
    let expect = Expect::Nothing(2);
    let replayed = snapshot::replay_kept(&state.journal(), &state.snapshots(), expect, say);
    Ok(outcome(&replayed.map_err(words)?))
}

fn mark(state: &StateDir) -> Result<Lines, String> {
    let mark = Mark::read(&state.journal_mark()).map_err(words)?;
    mark.unwrap_or(Mark { next: 0, hash: 0 }).check(&state.journal()).map_err(words)?;
    Ok(vec![format!("{mark:?}")])
}

fn open_journal(state: &StateDir) -> Result<Lines, String> {
    let journal = Journal::open(options(state, 7), Nanos::from_secs(900)).map_err(words)?;
    Ok(vec![format!("{:?}", journal.begins())])
}

fn open_wire_log(state: &StateDir) -> Result<Lines, String> {
    let (log, there) = WireLog::open(&wire_log(state), SyncMode::Always).map_err(words)?;
    Ok(vec![format!("{} records, {:?}", log.len(), there.without_end())])
}

fn shorten_wire_log(state: &StateDir) -> Result<Lines, String> {
    let over = |order: OrderId| order.get() < 3;
    let gone = wirelog::shorten(&wire_log(state), Nanos::from_secs(1), over).map_err(words)?;
    Ok(vec![gone.to_string()])
}

fn unknown_orders(state: &StateDir) -> Result<Lines, String> {
    let open = wirelog::recover(&wire_log(state)).map_err(words)?;
    Ok(vec![format!("{open:?}")])
}

fn halt(state: &StateDir) -> Result<Lines, String> {
    Ok(vec![format!("{:?}", state.halt().map_err(words)?)])
}

fn names(state: &StateDir) -> Result<Lines, String> {
    let names = MarketNames::load(&state.names()).map_err(words)?;
    Ok(vec![names.directory(3).is_some().to_string()])
}

/// What retention would keep is not removed.
fn retention(state: &StateDir) -> Result<Lines, String> {
    let (now, keep) = (Nanos::from_secs(700), Duration::from_secs(200));
    let removed = snapshot::shorten(&state.journal(), &state.snapshots(), u64::MAX, now, keep)?;
    Ok(vec![format!("{removed:?}")])
}

fn compress(state: &StateDir) -> Result<Lines, String> {
    let plain = segments(&state.journal()).map_err(words)?.into_iter();
    let mut plain = plain.filter(|file| file.path.extension().is_some_and(|end| end == "sfj"));
    segment::compress(&plain.next().unwrap().path).map_err(words)?;
    Ok(Vec::new())
}

/// How far the database says that the journal went.
fn witness(state: &StateDir) -> Result<Lines, String> {
    Ok(vec![format!("{:?}", next_record(&state.database()).map_err(words)?)])
}

fn open_store(state: &StateDir) -> Result<Store, String> {
    let say = |line: &str| println!("said {line}");
    Store::open(&state.database(), &state.journal(), MarketNames::default(), say).map_err(words)
}

fn open_database(state: &StateDir) -> Result<Lines, String> {
    Ok(vec![open_store(state)?.next_seq().to_string()])
}

fn make_again(state: &StateDir) -> Result<Lines, String> {
    let made = rebuild(state, false, &mut |_| true).map_err(words)?;
    Ok(vec![made.looked.next.to_string(), format!("aside {}", made.aside.is_some())])
}

fn put_back(state: &StateDir) -> Result<Lines, String> {
    let newest = state.backups().join("surefoot-1970-01-01T00-00-09Z.db");
    let made = restore(state, &newest, &mut |_| true).map_err(words)?;
    Ok(vec![made.looked.next.to_string(), format!("aside {}", made.aside.is_some())])
}

/// The journal followed from its beginning; a read that fails once is made again.
fn follow(state: &StateDir) -> Result<Lines, String> {
    let chain = surefoot_hot::journal::Chain::new();
    let following = Following {
        journal: state.journal(),
        snapshots: state.snapshots(),
        applied: Box::new(|| 0),
        keep: Duration::from_secs(1 << 30),
        begins: Position { segment: 1, offset: 0, chain, closed: false },
        folded: None,
    };
    let follower = Follower::start(following).map_err(words)?;
    let end = Instant::now() + Duration::from_secs(10);
    let all: u64 = std::env::var("SUREFOOT_IO_RECORDS").unwrap().parse().unwrap();
    while follower.status().figures().followed < all && follower.status().trouble().is_none() {
        assert!(Instant::now() < end, "neither followed nor told why");
        std::thread::sleep(Duration::from_millis(1));
    }
    match follower.close() {
        (figures, None) => Ok(vec![format!("{} {}", figures.followed, figures.newest)]),
        (_, Some(trouble)) => Err(trouble),
    }
}

/// The process that runs a script; nothing where it is run as a test.
#[test]
fn script() {
    let Ok(name) = std::env::var("SUREFOOT_IO_CASE") else { return };
    let dir = std::env::var("SUREFOOT_IO_DIR").unwrap();
    let case = CASES.iter().find(|case| case.name == name).unwrap();
    match (case.script)(&StateDir::at(Path::new(&dir))) {
        Ok(lines) => lines.iter().for_each(|line| println!("came {line}")),
        Err(error) => println!("error {error}"),
    }
}

/// Every file below a directory, by its name there. What a wire log has made room for is no content.
fn contents(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut open = vec![dir.to_owned()];
    while let Some(at) = open.pop() {
        for path in fs::read_dir(&at).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let name = path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
            let mut bytes = fs::read(&path).unwrap();
            if name.starts_with("wire-") {
                bytes.truncate(bytes.len() - bytes.iter().rev().take_while(|b| **b == 0).count());
            }
            all.insert(name, bytes);
        }
    }
    all
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for (name, _) in contents(from) {
        fs::create_dir_all(to.join(&name).parent().unwrap()).unwrap();
        fs::copy(from.join(&name), to.join(&name)).unwrap();
    }
}

/// What a script came to.
#[derive(Debug)]
struct Came {
    lines: Lines,
    error: Option<String>,
    left: BTreeMap<String, Vec<u8>>,
    fired: bool,
}

/// The directory that each case begins with, and the library.
struct Rig<'a> {
    root: &'a Path,
    shim: &'a Shim,
    base: PathBuf,
    records: u64,
}

impl Rig<'_> {
    /// Runs a case over a copy. Without a fate nothing fails.
    fn run(&self, case: &Case, fails: Option<(u64, Fate)>) -> Came {
        let dir = self.root.join("state");
        let _ = fs::remove_dir_all(&dir); // of the last one
        copy(&self.base, &dir);
        let fired = self.root.join("fired");
        let _ = fs::remove_file(&fired); // from the last one
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "script", "--nocapture", "--test-threads", "1"]);
        command.env("SUREFOOT_IO_CASE", case.name).env("SUREFOOT_IO_DIR", &dir);
        command.env("SUREFOOT_IO_RECORDS", self.records.to_string());
        if let Some((nth, what)) = fails {
            let aim = Aim { part: dir.display().to_string(), calls: READS, nth, what, head: "" };
            self.shim.arm(&mut command, &aim, &fired);
        }
        let said = command.stdin(Stdio::null()).output().unwrap();
        let out = String::from_utf8_lossy(&said.stdout).into_owned();
        // The first line of a script stands behind what the test's own frame says.
        let all: Lines = out.lines().map(|line| line.replace("test script ... ", "")).collect();
        let of = |mark: &str| -> Lines {
            all.iter().filter_map(|line| line.strip_prefix(mark)).map(str::to_owned).collect()
        };
        let (lines, mut error) = (of("came "), of("error ").pop());
        if !said.status.success() {
            let words = String::from_utf8_lossy(&said.stderr);
            error =
                Some(format!("it failed: {}", words.lines().take(4).collect::<Vec<_>>().join(" ")));
        }
        Came { lines, error, left: contents(&dir), fired: fired.exists() }
    }

    /// Holds what came of a failure against what comes of none.
    fn hold(
        &self,
        case: &Case,
        before: &BTreeMap<String, Vec<u8>>,
        whole: &Came,
        came: &Came,
    ) -> Result<(), String> {
        match &came.error {
            None if came.lines == whole.lines => {}
            None => {
                return Err(format!("it came to {:?}, the whole is {:?}", came.lines, whole.lines));
            }
            Some(error) => {
                let dir = self.root.join("state").display().to_string();
                if !error.contains(&dir) {
                    return Err(format!("no file is named: {error}"));
                }
                if !case.is_said_above
                    && !["docs/operator.md", "Check its owner", "rebuilt from"]
                        .iter()
                        .any(|what| error.contains(what))
                {
                    return Err(format!("nobody is told what to do: {error}"));
                }
            }
        }
        for (name, bytes) in before {
            let now = came.left.get(name);
            let stands = now == Some(bytes)
                || now == whole.left.get(name)
                || came.left.values().any(|left| left == bytes);
            if !stands && !case.may_change(name) {
                return Err(format!("{name} is not what it was"));
            }
        }
        let new = came.left.keys().find(|name| {
            !before.contains_key(*name) && !whole.left.contains_key(*name) && !case.may_change(name)
        });
        new.map_or(Ok(()), |name| Err(format!("{name} was made")))
    }
}

#[test]
fn what_cannot_be_read_is_neither_left_out_nor_removed() {
    let root = Scratch::new("io-reads");
    let shim = Shim::build(&root).unwrap();
    let made = root.join("made");
    make(&StateDir::at(&made));
    let only = std::env::var("SUREFOOT_IO_ONLY").ok();
    let (mut told, mut wrong) = (Vec::new(), Vec::new());
    for case in CASES.iter().filter(|case| only.as_ref().is_none_or(|only| only == case.name)) {
        let base = root.join(format!("base-{}", case.name));
        copy(&made, &base);
        (case.prepare)(&StateDir::at(&base));
        let records = Reader::open(&base.join("journal")).map_or(0, |mut reader| {
            while reader.next_record().unwrap().is_some() {}
            reader.chain().unwrap().next()
        });
        let before = contents(&base);
        let rig = Rig { root: &root, shim: &shim, base, records };
        let whole = rig.run(case, None);
        assert!(whole.error.is_none(), "{}: {whole:?}", case.name);
        let mut failed = 0;
        for what in [Fate::Fail(EIO), Fate::FailFromThen(EIO)] {
            let calls = (1..).find(|&nth| {
                assert!(nth < CALLS_MAX, "{}: still failing", case.name);
                let came = rig.run(case, Some((nth, what)));
                if let Err(why) = rig.hold(case, &before, &whole, &came) {
                    wrong.push(format!("{}, call {nth}, {what:?}: {why}", case.name));
                }
                !came.fired
            });
            failed = calls.unwrap() - 1;
            assert!(failed >= 1, "{}: no call was met: it proves nothing", case.name);
        }
        let short = rig.run(case, Some((1, Fate::Short)));
        if short.lines != whole.lines {
            wrong.push(format!("{}, a few bytes a read: {short:?}", case.name));
        }
        told.push(format!("{} {failed}", case.name));
    }
    eprintln!("reading calls failed, each with EIO once and from then on: {}", told.join(", "));
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
