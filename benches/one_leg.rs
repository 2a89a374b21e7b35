//! How long baskets stand on one leg over the wire: `cargo bench --bench one_leg -- [baskets] [one way in milliseconds]`
//!
//! Runs the program's demo (synthetic: the twin's calm world, one seed after the other) with each venue so far away, until so many
//! baskets have stood on one leg, and prints for all of them, and for those that sold a leg again, how long. A basket that is
//! completed needs one request and its answer; one whose second leg fails needs a second pair for the sale.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use rusqlite::{Connection, OpenFlags};
use surefoot_cold::state_dir::StateDir;

/// How long each run lasts: then its limit for all that is at risk is nearly used up.
const RUN: &str = "45s";

/// So many runs at a time: each sleeps most of its time.
const AT_A_TIME: u64 = 4;

/// What is asked of the database: times on one leg by the state in which the basket ended.
const SPANS: &str = "SELECT one_leg_ns, state FROM groups WHERE one_leg_ns > 0";

/// Times on one leg, in nanoseconds.
#[derive(Default)]
struct Spans {
    all: Vec<u64>,
    sold_again: Vec<u64>,
    /// Baskets that a person must look at.
    operator: usize,
}

impl Spans {
    fn add(&mut self, database: &Path) {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let db = Connection::open_with_flags(database, flags).expect("the run wrote a database");
        let mut query = db.prepare(SPANS).expect("the table is there");
        let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?));
        for (ns, state) in query.query_map([], row).expect("it can be read").flatten() {
            let ns = u64::try_from(ns).expect("a span is not negative");
            self.all.push(ns);
            match state.as_str() {
                "flat" => self.sold_again.push(ns),
                "operator" => self.operator += 1,
                _ => {}
            }
        }
    }
}

/// Milliseconds with two digits of their fraction.
fn millis(ns: u64) -> String {
    format!("{}.{:02}", ns / 1_000_000, ns / 10_000 % 100)
}

fn line(what: &str, spans: &mut [u64]) {
    spans.sort_unstable();
    let at = |permille: usize| {
        let index = (spans.len() * permille).div_ceil(1_000).saturating_sub(1);
        millis(spans.get(index).copied().unwrap_or(0))
    };
    println!(
        "{what:<14} {:>6} {:>9} {:>9} {:>9} {:>9}",
        spans.len(),
        at(500),
        at(990),
        at(999),
        at(1_000)
    );
}

/// One run of the demo, in a directory of its own.
fn run(root: &Path, seed: u64, distance: u64) -> PathBuf {
    let dir = root.join(seed.to_string());
    std::fs::create_dir_all(&dir).expect("the directory can be made");
    let state = dir.join("state");
    let ran = Command::new(env!("CARGO_BIN_EXE_surefoot"))
        .args(["run", "--world", "calm", "--topology", "calm", "--for", RUN, "--json"])
        .args(["--seed", &seed.to_string(), "--distance", &format!("{distance}ms")])
        .arg("--state")
        .arg(&state)
        .current_dir(&dir)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("the program can be started");
    assert!(
        ran.success(),
        "the run of seed {seed} ended with {ran}; its files are in {}",
        dir.display()
    );
    StateDir::at(&state).database()
}

fn main() {
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench"); // Cargo adds that one
    let baskets: usize =
        args.next().map_or(1_000, |text| text.parse().expect("a number of baskets"));
    let distance: u64 = args.next().map_or(5, |text| text.parse().expect("milliseconds"));
    let root = std::env::temp_dir().join(format!("surefoot-one-leg-{}", std::process::id()));
    let mut spans = Spans::default();
    let mut seeds = 0;
    while spans.all.len() < baskets {
        let next = seeds + 1..=seeds + AT_A_TIME;
        seeds += AT_A_TIME;
        let databases = thread::scope(|scope| {
            let runs: Vec<_> = next
                .map(|seed| {
                    scope.spawn({
                        let root = &root;
                        move || run(root, seed, distance)
                    })
                })
                .collect();
            runs.into_iter().map(|run| run.join().expect("it says why")).collect::<Vec<_>>()
        });
        databases.iter().for_each(|database| spans.add(database));
        eprintln!("{} of {baskets} baskets after {seeds} runs", spans.all.len());
    }
    let _ = std::fs::remove_dir_all(&root);
    println!(
        "each way {distance} ms, {seeds} runs of {RUN}, {AT_A_TIME} at a time; {} baskets for the operator",
        spans.operator
    );
    println!("ms on one leg   count       p50       p99     p99.9       max");
    line("all", &mut spans.all);
    line("sold again", &mut spans.sold_again);
}
