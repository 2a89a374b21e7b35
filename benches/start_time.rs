//! How long a start takes on a journal of a simulated day (synthetic: the twin's markets, one seed): from the newest snapshot, and
//! from the beginning. `cargo bench --bench start_time -- [events] [directory]`
//!
//! The day is written as a run writes it, and the follower takes its snapshots beside. Then the run "dies" with as many records
//! behind the last snapshot as there ever are, and the steps of a start that read files are timed: the journal's end held
//! against its mark, the state restored, a second core for the follower, and the journal opened behind its end.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use surefoot::sim;
use surefoot_cold::journal::{Identity, Journal, Mark, Options, SEGMENT_BYTES, Sync};
use surefoot_cold::snapshot::{Follower, Following, list, restore};
use surefoot_cold::state_dir::StateDir;
use surefoot_hot::journal::Body;
use surefoot_hot::units::Nanos;

/// The journal's records behind the last snapshot, at most: as the follower takes them.
const TAIL: u64 = 250_000;
const SEED: u64 = 1;

fn options(state: &StateDir, run: u64) -> Options {
    Options {
        dir: state.journal(),
        sync: Sync::Off,
        segment_bytes: SEGMENT_BYTES,
        identity: Identity {
            config: 1,
            binary: surefoot_cold::journal::binary_hash(),
            run,
            venue: 3,
            mode: 0,
        },
        fresh: run == 1,
        mark: Some(state.journal_mark()),
        untold: Vec::new(),
    }
}

/// Writes the journal of a day of at least so many events, followed until `TAIL` records before its end.
fn write_day(state: &StateDir, events: u64) -> (u64, u64) {
    struct Writing {
        journal: Journal,
        follower: Option<Follower>,
        events: u64,
        records: u64,
        stop_after: u64,
    }
    let journal =
        Journal::open(options(state, 1), Nanos::ZERO).expect("the directory can be written");
    let following = Following {
        journal: state.journal(),
        snapshots: state.snapshots(),
        applied: Box::new(|| 0), // nothing is removed
        keep: Duration::MAX,
        begins: journal.begins(),
        folded: None,
    };
    let follower = Some(Follower::start(following).expect("a thread can be started"));
    // What a record costs in events is not known before: notes and intents are few.
    let stop_after = events.saturating_sub(TAIL);
    let writing =
        Rc::new(RefCell::new(Writing { journal, follower, events: 0, records: 0, stop_after }));
    let heard = Rc::clone(&writing);
    let listener: sim::Listener = Box::new(move |now, event, out| {
        let mut to = heard.borrow_mut();
        if to.events == events {
            return;
        }
        to.events += 1;
        let mut bodies = vec![Body::Input(*event)];
        bodies.extend(out.intents().iter().map(|intent| Body::Intent(intent.into())));
        bodies.extend(out.notes().iter().map(|note| Body::Note(*note)));
        for body in &bodies {
            to.journal.append(now, body).expect("there is room");
            to.records += 1;
        }
        if to.events.is_multiple_of(4_096) {
            to.journal.flush().expect("there is room");
        }
        if to.events == to.stop_after {
            to.journal.flush().expect("there is room");
            let follower = to.follower.take().expect("it stops once");
            let (figures, trouble) = follower.close();
            println!(
                "snapshots while the day was written: {figures:?} {}",
                trouble.unwrap_or_default()
            );
        }
    });
    // A day has some two million events; the rest of it is not written down.
    let hours = (events / 80_000 + 2).min(24);
    sim::run_heard(SEED, Nanos::from_secs(hours * 3_600), listener).expect("the day holds");
    let mut writing = writing.borrow_mut();
    writing.journal.flush().and_then(|()| writing.journal.sync()).expect("there is room");
    (writing.events, writing.records)
}

fn timed<T>(what: &str, step: impl FnOnce() -> T) -> T {
    let begin = Instant::now();
    let made = step();
    println!("  {what:<44} {:>6} ms", begin.elapsed().as_millis());
    made
}

fn size_of(dir: &Path) -> u64 {
    let files = fs::read_dir(dir).into_iter().flatten().flatten();
    files.filter_map(|file| file.metadata().ok()).map(|meta| meta.len()).sum()
}

fn main() {
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench"); // Cargo adds that one
    let events = args.next().map_or(1_000_000, |text| text.parse().expect("a number of events"));
    let root =
        args.next().map_or_else(|| std::env::temp_dir().join("surefoot-start-time"), PathBuf::from);
    let _ = fs::remove_dir_all(&root);
    let state = StateDir::open(&root).expect("the directory can be made");
    let (events, records) = write_day(&state, events);
    println!("{events} events, {records} records, journal of {} bytes", size_of(&state.journal()));
    let newest = list(&state.snapshots()).expect("it can be listed").first().cloned();
    let bytes = newest.and_then(|file| fs::metadata(file.path).ok()).map_or(0, |meta| meta.len());
    println!("newest snapshot of {bytes} bytes");

    println!("a start:");
    let begin = Instant::now();
    timed("journal.mark against the journal's end", || {
        let mark = Mark::read(&state.journal_mark()).expect("it is whole").expect("it is there");
        mark.check(&state.journal()).expect("the end is there");
    });
    let say = |line: &str| println!("{line}");
    let restored = timed("snapshot and what is behind it", || {
        restore(&state.journal(), &state.snapshots(), say).expect("it can be restored")
    });
    timed("a second core for the follower", || drop(restored.twin()));
    timed("the journal opened behind its end", || {
        drop(Journal::open(options(&state, 2), Nanos::ZERO).expect("it can be opened"));
    });
    println!("  {:<44} {:>6} ms", "in all", begin.elapsed().as_millis());
    println!("  {} records behind the snapshot", records + 1 - restored.first);

    println!("without a snapshot:");
    let whole = timed("the whole journal", || {
        restore(&state.journal(), &root.join("none"), say).expect("it can be folded")
    });
    assert_eq!(whole.core.state_hash(), restored.core.state_hash(), "both ways lead to one state");
    println!("state hash {:016x} both ways", whole.core.state_hash());
    let _ = fs::remove_dir_all(&root);
}
