//! A state directory that outlives the program that wrote it, and one that has been in use for long.

use std::fs;
use std::path::Path;

use surefoot_cold::journal::{Reader, segment_path};
use surefoot_cold::state_dir::StateDir;
use surefoot_cold::wirelog;
use surefoot_hot::ids::Action;
use surefoot_hot::intent::IntentRecord;
use surefoot_hot::journal::{Body, Chain};
use surefoot_hot::units::Price;

use crate::rig::{
    Scratch, Twin, ask, count, database, run_against, say, signal, status, truths, until, wait,
};

/// One run, ended once it has completed a basket.
fn trades_and_stops(scratch: &Scratch, twin: &Twin, state: &Path, name: &str) {
    let run = run_against(scratch, &twin.venues, state, name);
    until(scratch, state, "a basket is complete", |status| count(status, "/baskets/completed") > 0);
    signal(run.pid(), "-TERM");
    let said = run.end();
    assert_eq!(said.code, Some(0), "{said:#?}");
}

/// Writes the journal anew as a program would have that paid a cent more for the first purchase.
fn decide_otherwise(state: &Path) {
    let dir = StateDir::at(state).journal();
    let mut reader = Reader::open(&dir).unwrap();
    let (mut chain, mut bytes, mut changed) = (Chain::new(), Vec::new(), false);
    while let Some(mut record) = reader.next_record().unwrap() {
        if let Body::Intent(IntentRecord::Place(order)) = &mut record.body
            && order.action == Action::Buy
            && !std::mem::replace(&mut changed, true)
        {
            order.price = Price::from_ticks(order.price.ticks() + 100).unwrap();
        }
        bytes.extend(chain.seal(record.now, &record.body));
    }
    assert!(changed, "the run bought something");
    fs::remove_dir_all(&dir).unwrap();
    fs::create_dir(&dir).unwrap();
    fs::write(segment_path(&dir, 1), bytes).unwrap();
    fs::remove_file(StateDir::at(state).journal_mark()).unwrap(); // it names the hash of the other journal
}

pub fn a_program_that_decides_otherwise_goes_on_with_the_positions_it_finds() {
    let scratch = Scratch::new("upgrade");
    let state = scratch.path("state");
    let twin = Twin::start(&scratch, 29);
    trades_and_stops(&scratch, &twin, &state, "old");
    let held = |truth: &surefoot_cold::reconcile::Truth| !truth.positions.is_empty();
    assert!(truths(&twin.access, &state).iter().any(held), "there are open positions");
    decide_otherwise(&state);

    let mut run = run_against(&scratch, &twin.venues, &state, "new");
    let open = wait("it is open and agrees with the venues", || {
        assert!(run.is_running(), "it does not start: {}", run.err());
        status(&scratch, &state).filter(|now| now["open"] == true && now["reconciled"] == true)
    });
    let status = open.unwrap_or_else(|| panic!("it never opened: {}", run.err()));
    let said = run.err();
    assert!(said.contains("this version decides otherwise"), "the operator is told: {said}");
    let kept = fs::read_to_string(StateDir::at(&state).notes()).unwrap();
    for code in ["decides_otherwise", "journal_mark_missing", "continued"] {
        assert!(kept.contains(&format!("\"code\":\"{code}\"")), "{code} is kept too: {kept}");
    }
    let replay = say(&scratch, &state, "replay --json");
    assert_eq!(replay.code, Some(7), "the same program wrote it, as its header says: {replay:#?}");
    assert_eq!(status["halted"], false, "{status:#}");
    signal(run.pid(), "-TERM");
    let said = run.end();
    assert_eq!(said.code, Some(0), "{said:#?}");
    let drift =
        "SELECT count(*) FROM alarms WHERE what IN ('position_drift', 'cash_drift', 'gone')";
    assert_eq!(ask(&database(&state), drift), 0, "nothing had to be taken over");
}

/// What a start reads: bytes of the journal, and records of both wire logs.
fn read_at_start(state: &Path) -> (u64, usize) {
    let dir = StateDir::at(state);
    let files = fs::read_dir(dir.journal()).unwrap();
    let journal = files.map(|file| file.unwrap().metadata().unwrap().len()).sum();
    let records = |venue| wirelog::read(&dir.wire_log(venue)).unwrap().records.len();
    (journal, records("kalshi") + records("polymarket"))
}

pub fn what_a_start_reads_stays_within_a_bound_however_many_runs_there_were() {
    let scratch = Scratch::new("retention");
    let state = scratch.path("state");
    let twin = Twin::start(&scratch, 30);
    fs::write(scratch.path("surefoot.toml"), "[journal]\nretention_days = 0\n").unwrap();
    // Halted or not, a run writes down what it sees.
    let words = format!("run --topology calm --json --for 2s --venues {}", twin.venues.display());
    let rounds = |count: usize| {
        for _ in 0..count {
            let said = say(&scratch, &state, &words);
            assert_eq!(said.code, Some(0), "{said:#?}");
        }
        read_at_start(&state)
    };
    let (journal, records) = rounds(2);
    let (journal_later, records_later) = rounds(8);
    assert!(ask(&database(&state), "SELECT count(*) FROM fills") > 20, "they traded");
    assert!(journal_later <= 2 * journal, "journal: {journal} bytes, {journal_later} later");
    assert!(records_later <= 2 * records.max(50), "wire logs: {records} records, {records_later}");
    // What is left is enough: every start has agreed with the venues, and it can be folded again.
    let replay = say(&scratch, &state, "replay --json");
    assert_eq!(replay.code, Some(0), "{replay:#?}");
    let replay = replay.json();
    assert_eq!(replay["verdict"], "same", "{replay:#}");
    assert!(count(&replay, "/first_record") > 0, "it begins at a snapshot: {replay:#}");
}
