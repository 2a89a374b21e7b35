//! How long baskets stand on one leg over the wire, and how soon they are flat once a later leg has failed:
//! `cargo bench --bench one_leg -- [baskets] [one way in ms] [failed baskets] [one way in ms]`
//!
//! Runs the program's demo (synthetic: the twin's calm world, one seed after the other) with each venue so far away, until so many
//! baskets have stood on one leg, and prints for all of them, and for those that sold a leg again, how long. A basket that is
//! completed needs one request and its answer; one whose second leg fails needs a second pair for the sale.
//!
//! Then the same with traps (`--traps`): in so many of a hundred gaps the twin takes the other legs away the moment one is taken, drawn
//! from the seed, until so many baskets have sold a leg again. Of those the lag of the hedge is printed: it begins when the core learns
//! that a leg has not got all that was wanted (the order's last change in the database), and lasts until the first order that corrects
//! that was written ahead, which is the last thing before its bytes (the wire log), and until the last sale is known to be over. More
//! than a hundred milliseconds for one of a hundred, and sales do not do what they could. A zero leaves a part out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use rusqlite::{Connection, OpenFlags};
use surefoot_cold::state_dir::StateDir;
use surefoot_cold::wirelog::{self, Record};
use surefoot_hot::ids::Venue;

/// How long each run lasts: then its limit for all that is at risk is nearly used up.
const RUN: &str = "45s";
/// So many runs at a time: each sleeps most of its time.
const AT_A_TIME: u64 = 4;
/// Of a hundred gaps so many lose their other legs, where the lag of the hedge is measured.
const TRAPS: u64 = 40;

/// What is asked of the database: baskets that stood on one leg, and their orders as they were decided.
const BASKETS: &str = "SELECT group_id, state, one_leg_ns FROM groups WHERE one_leg_ns > 0";
const ORDERS: &str = "SELECT order_id, market, outcome, action = 'sell', qty_micros, filled_micros, decided_ns, updated_ns \
    FROM orders WHERE group_id = ? ORDER BY decided_ns, order_id";

/// An order of a basket. Times are in nanoseconds.
struct Sent {
    id: i64,
    /// Its market and outcome.
    leg: (i64, String),
    sells: bool,
    qty: i64,
    filled: i64,
    decided: i64,
    /// When it last changed: for one that is over, when the core learnt of its end.
    updated: i64,
}

/// What was learnt of all baskets. Times are in nanoseconds.
#[derive(Default)]
struct Spans {
    /// On one leg: all, and those that sold a leg again.
    all: Vec<u64>,
    sold_again: Vec<u64>,
    /// From a leg's failure until the first order that corrects it was about to leave, and until all of it was sold.
    to_first: Vec<u64>,
    to_flat: Vec<u64>,
    /// Baskets that a person must look at.
    operator: usize,
    /// Baskets of which a leg was sold more than once, by what the sale before had come to.
    again: BTreeMap<&'static str, usize>,
}

fn nanos(span: i64) -> u64 {
    u64::try_from(span).unwrap_or(0)
}

impl Spans {
    fn add(&mut self, state: &StateDir) {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let db =
            Connection::open_with_flags(state.database(), flags).expect("the run wrote a database");
        let written = written_ahead(state);
        let mut query = db.prepare(BASKETS).expect("the table is there");
        let baskets = query.query_map([], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?))
        });
        for (group, ended, ns) in baskets.expect("it can be read").flatten() {
            self.all.push(nanos(ns));
            self.operator += usize::from(ended == "operator");
            let orders = orders_of(&db, group);
            if orders.iter().any(|order| order.sells) {
                self.sold_again.push(nanos(ns));
                self.add_sales(&orders, &written);
            }
        }
    }

    fn add_sales(&mut self, orders: &[Sent], written: &BTreeMap<i64, i64>) {
        let sales = || orders.iter().filter(|order| order.sells);
        let first = sales().next().expect("there is one");
        let last = sales().map(|order| order.updated).max().expect("there is one");
        let fell_short = orders.iter().filter(|order| !order.sells && order.filled < order.qty);
        // One that the gate refused is no order: the sale was decided in the same event.
        let failed = fell_short.map(|order| order.updated).fold(first.decided, i64::min);
        self.to_flat.push(nanos(last - failed));
        if let Some(at) = written.get(&first.id) {
            self.to_first.push(nanos(at - failed));
        }
        let mut before: BTreeMap<_, &Sent> = BTreeMap::new();
        let mut why = BTreeSet::new();
        for sale in sales() {
            if let Some(before) = before.insert(&sale.leg, sale) {
                why.insert(match (written.contains_key(&before.id), before.filled) {
                    (false, _) => "never left",
                    (true, 0) => "met no bid at its limit",
                    (true, _) => "sold a part: less stood there than was wanted",
                });
            }
        }
        for why in why {
            *self.again.entry(why).or_default() += 1;
        }
    }
}

fn orders_of(db: &Connection, group: i64) -> Vec<Sent> {
    let mut query = db.prepare_cached(ORDERS).expect("the table is there");
    let orders = query.query_map([group], |row| {
        Ok(Sent {
            id: row.get(0)?,
            leg: (row.get(1)?, row.get(2)?),
            sells: row.get(3)?,
            qty: row.get(4)?,
            filled: row.get(5)?,
            decided: row.get(6)?,
            updated: row.get(7)?,
        })
    });
    orders.expect("it can be read").collect::<Result<_, _>>().expect("as it was written")
}

/// When each order of a run was about to leave.
fn written_ahead(state: &StateDir) -> BTreeMap<i64, i64> {
    let logs = Venue::ALL.into_iter().map(|venue| state.wire_log(venue.name()));
    let records = logs.flat_map(|path| wirelog::read(&path).expect("the run kept it").records);
    let sent = records.filter_map(|record| match record {
        Record::Sent(sent) => Some((sent.order.get().cast_signed(), sent.at.get().cast_signed())),
        Record::End { .. } | Record::Amend(_) => None,
    });
    sent.collect()
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
        "{what:<26} {:>6} {:>9} {:>9} {:>9} {:>9}",
        spans.len(),
        at(500),
        at(990),
        at(999),
        at(1_000)
    );
}

/// One run of the demo, in a directory of its own.
fn run(root: &Path, seed: u64, distance: u64, traps: u64) -> PathBuf {
    let dir = root.join(seed.to_string());
    std::fs::create_dir_all(&dir).expect("the directory can be made");
    let state = dir.join("state");
    let ran = Command::new(env!("CARGO_BIN_EXE_surefoot"))
        .args(["run", "--world", "calm", "--topology", "calm", "--for", RUN, "--json"])
        .args(["--seed", &seed.to_string(), "--distance", &format!("{distance}ms")])
        .args(["--traps", &traps.to_string()])
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
    state
}

/// Runs demos until enough was learnt, and says how many it took.
fn runs(name: &str, distance: u64, traps: u64, is_enough: impl Fn(&Spans) -> bool) -> (Spans, u64) {
    let name = format!("surefoot-one-leg-{name}-{}", std::process::id());
    let root = std::env::temp_dir().join(name);
    let (mut spans, mut seeds) = (Spans::default(), 0);
    while !is_enough(&spans) {
        let next = seeds + 1..=seeds + AT_A_TIME;
        seeds += AT_A_TIME;
        let states = thread::scope(|scope| {
            let runs: Vec<_> = next
                .map(|seed| {
                    scope.spawn({
                        let root = &root;
                        move || run(root, seed, distance, traps)
                    })
                })
                .collect();
            runs.into_iter().map(|run| run.join().expect("it says why")).collect::<Vec<_>>()
        });
        states.iter().for_each(|state| spans.add(&StateDir::at(state)));
        let (all, sold) = (spans.all.len(), spans.sold_again.len());
        eprintln!("{all} baskets, of which {sold} sold a leg again, after {seeds} runs");
    }
    let _ = std::fs::remove_dir_all(&root); // in the system's temporary place
    (spans, seeds)
}

fn say(distance: u64, seeds: u64, spans: &mut Spans) {
    println!(
        "each way {distance} ms, {seeds} runs of {RUN}, {AT_A_TIME} at a time; {} baskets for the operator",
        spans.operator
    );
    println!("ms on one leg               count       p50       p99     p99.9       max");
    line("all", &mut spans.all);
    line("sold again", &mut spans.sold_again);
}

fn main() {
    let args = std::env::args().skip(1).filter(|arg| arg != "--bench"); // Cargo adds that one
    let given: Vec<u64> = args.map(|text| text.parse().expect("a whole number")).collect();
    let arg = |at: usize, default| given.get(at).copied().unwrap_or(default);
    let (baskets, distance, failed, lag_distance) =
        (arg(0, 1_000), arg(1, 5), arg(2, 200), arg(3, 10));
    if baskets > 0 {
        let (mut spans, seeds) =
            runs("all", distance, 0, |spans| spans.all.len() as u64 >= baskets);
        say(distance, seeds, &mut spans);
    }
    if failed > 0 {
        let (mut spans, seeds) =
            runs("lag", lag_distance, TRAPS, |spans| spans.sold_again.len() as u64 >= failed);
        println!();
        println!("the other legs of {TRAPS} of a hundred gaps are gone once one is taken:");
        say(lag_distance, seeds, &mut spans);
        println!("ms since a leg failed");
        line("first sale written ahead", &mut spans.to_first);
        line("all sold", &mut spans.to_flat);
        let again: usize = spans.again.values().sum();
        println!("a leg was sold more than once in {again} baskets, because the sale before it");
        for (why, count) in &spans.again {
            println!("{count:>6} {why}");
        }
    }
}
