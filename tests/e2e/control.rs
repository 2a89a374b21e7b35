//! The verbs that speak to a running instance, signals, the `KILL` file, and what is said where none runs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use surefoot_cold::state_dir::StateDir;

use crate::harness;
use crate::rig::{
    Process, Scratch, Twin, count, holds, run_against, say, signal, surefoot,
    surefoot_without_room, truths, until, wait,
};

/// Long enough for some opportunities to pass by.
const A_WHILE: Duration = Duration::from_secs(3);

/// An instance that was started in the background: ended with the test, whatever happens.
pub struct Detached(pub PathBuf);

impl Drop for Detached {
    fn drop(&mut self) {
        if let Some(pid) = StateDir::at(&self.0).holder() {
            signal(i32::try_from(pid).unwrap(), "-KILL");
        }
    }
}

fn start(scratch: &Scratch, twin: &Twin, state: &Path) -> Detached {
    let guard = Detached(state.to_owned());
    let venues = twin.venues.display();
    let topology = harness::runs().topology();
    let words = format!("start --topology {topology} --json --venues {venues}");
    let said = say(scratch, state, &words);
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert_eq!(said.json()["ok"], true);
    guard
}

fn done(scratch: &Scratch, state: &Path, words: &str) {
    let said = say(scratch, state, words);
    assert_eq!(said.code, Some(0), "{words}: {said:#?}");
}

/// Halted and at rest, no order leaves.
fn stands_still(scratch: &Scratch, state: &Path) -> Value {
    let rest = until(scratch, state, "halted and at rest", |status| {
        let busy = count(status, "/orders/live") + count(status, "/groups_live");
        status["halted"] == true && status["counters_current"] == true && busy == 0
    });
    let sent = count(&rest, "/orders/sent");
    holds(scratch, state, A_WHILE, "a halt is a halt", |status| {
        status["halted"] == true && count(status, "/orders/sent") == sent
    })
}

fn trades_again(scratch: &Scratch, state: &Path, since: &Value) {
    let sent = count(since, "/orders/sent");
    let now =
        until(scratch, state, "it trades again", |status| count(status, "/orders/sent") > sent);
    assert_eq!((&now["halted"], &now["halt"]), (&Value::Bool(false), &Value::Null));
}

pub fn started_halted_resumed_and_stopped_as_a_person_would() {
    let scratch = Scratch::new("control");
    let state = scratch.path("state");
    let twin = Twin::start(&scratch, 4);
    let guard = start(&scratch, &twin, &state);
    let healthy = until(&scratch, &state, "trading", |status| count(status, "/orders/sent") > 0);
    assert_eq!((&healthy["healthy"], &healthy["running"]), (&true.into(), &true.into()));
    assert_eq!((&healthy["halted"], &healthy["mode"]), (&false.into(), &"demo".into()));
    assert_eq!(healthy["pid"].as_u64(), StateDir::at(&state).holder().map(u64::from));

    done(&scratch, &state, "halt --reason lunch");
    let halted = stands_still(&scratch, &state);
    assert_eq!(
        (&halted["halt"]["who"], &halted["halt"]["reason"]),
        (&"operator".into(), &"lunch".into())
    );
    done(&scratch, &state, "resume --reason test");
    trades_again(&scratch, &state, &halted);

    let kill = StateDir::at(&state).kill_file();
    fs::write(&kill, "").unwrap();
    let halted = stands_still(&scratch, &state);
    assert_eq!(halted["halt"]["who"], "kill_file");
    let refused = say(&scratch, &state, "resume --reason test");
    assert_eq!(refused.code, Some(11), "{refused:#?}");
    assert!(refused.err.contains("KILL"), "{refused:#?}");
    fs::remove_file(&kill).unwrap();
    done(&scratch, &state, "resume --reason test");
    trades_again(&scratch, &state, &halted);

    // Halted, stopped, started: still halted. Resumed while nothing runs: the next start trades.
    done(&scratch, &state, "halt --reason night");
    done(&scratch, &state, "stop");
    let gone = say(&scratch, &state, "status --json");
    assert_eq!(gone.code, Some(8), "{gone:#?}");
    assert_eq!((&gone.json()["running"], &gone.json()["halted"]), (&false.into(), &true.into()));
    drop(guard);
    let guard = start(&scratch, &twin, &state);
    let halted = stands_still(&scratch, &state);
    assert_eq!((&halted["halt"]["reason"], count(&halted, "/orders/sent")), (&"night".into(), 0));
    done(&scratch, &state, "stop");
    done(&scratch, &state, "resume --reason morning");
    drop(guard);
    let guard = start(&scratch, &twin, &state);
    trades_again(&scratch, &state, &halted);
    done(&scratch, &state, "stop");
    drop(guard);
    for truth in truths(&twin.access, &state) {
        assert!(truth.open.is_empty(), "still resting: {:?}", truth.open);
    }
    done(&scratch, &state, "replay");
}

pub fn signals_halt_and_end_it_and_the_directory_is_one_instances() {
    let scratch = Scratch::new("signals");
    let state = scratch.path("state");
    let twin = Twin::start(&scratch, 6);
    let run = run_against(&scratch, &twin.venues, &state, "run");
    until(&scratch, &state, "trading", |status| count(status, "/orders/sent") > 0);

    for verb in ["run", "start"] {
        let other = say(&scratch, &state, &format!("{verb} --for 1s --topology calm"));
        assert_eq!(other.code, Some(5), "{other:#?}");
        assert!(other.err.contains("in use by another surefoot"), "{other:#?}");
        assert!(other.err.contains(&run.pid().to_string()), "it says by whom: {other:#?}");
    }

    // Asked while it stands still: not confirmed, and obeyed as soon as it wakes.
    signal(run.pid(), "-STOP");
    let said = say(&scratch, &state, "halt --reason stopped --json");
    assert_eq!(said.code, Some(15), "{said:#?}");
    assert!(said.err.contains("NOT confirmed") && said.err.contains("kill -9"), "{said:#?}");
    assert_eq!(said.json()["ok"], false);
    let said = say(&scratch, &state, "status");
    assert_eq!(said.code, Some(15), "{said:#?}");
    assert!(said.err.contains("no answer in 2 s"), "{said:#?}");
    assert!(said.err.contains("NOT confirmed by that process"), "{said:#?}");
    signal(run.pid(), "-CONT");
    stands_still(&scratch, &state);
    fs::remove_file(StateDir::at(&state).kill_file()).unwrap();
    done(&scratch, &state, "resume --reason test");

    signal(run.pid(), "-USR1");
    let halted = stands_still(&scratch, &state);
    assert_eq!(halted["halt"]["who"], "signal");
    done(&scratch, &state, "resume --reason test");
    trades_again(&scratch, &state, &halted);
    signal(run.pid(), "-TERM");
    let said = run.end();
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert_eq!(
        (&said.json()["reconciled"], &said.json()["orders"]["live"]),
        (&true.into(), &0.into())
    );
    for truth in truths(&twin.access, &state) {
        assert!(truth.open.is_empty(), "still resting: {:?}", truth.open);
    }
}

/// The core halts by itself, and its process dies before the latch is on disk: the journal has it.
pub fn a_halt_that_only_the_journal_knows_stands_at_the_next_start() {
    let scratch = Scratch::new("journal-halt");
    let state = scratch.path("state");
    let twin = Twin::start(&scratch, 8);
    let run = run_against(&scratch, &twin.venues, &state, "run");
    until(&scratch, &state, "trading", |status| count(status, "/orders/sent") > 0);
    done(&scratch, &state, "halt --reason test");
    stands_still(&scratch, &state);
    run.kill();
    fs::remove_file(StateDir::at(&state).halt_latch()).unwrap();
    let guard = start(&scratch, &twin, &state);
    let halted = stands_still(&scratch, &state);
    assert_eq!((&halted["halt"]["who"], count(&halted, "/orders/sent")), (&"journal".into(), 0));
    assert!(StateDir::at(&state).halt_latch().exists(), "and it is latched now");
    done(&scratch, &state, "resume --reason test");
    trades_again(&scratch, &state, &halted);
    done(&scratch, &state, "stop");
    drop(guard);
}

pub fn a_journal_without_room_halts_and_the_end_is_still_compared_and_told() {
    let scratch = Scratch::new("full");
    let state = scratch.path("state");
    let twin = Twin::start(&scratch, 9);
    let (at, venues) = (state.to_str().unwrap(), twin.venues.to_str().unwrap());
    let args =
        ["run", "--topology", "calm", "--json", "--venues", venues, "--state", at, "--for", "1h"];
    let run = Process::spawn(&scratch, "run", surefoot_without_room(&scratch, &args));
    let halted = until(&scratch, &state, "the journal is full", |status| {
        status["halt"]["who"] == "journal" && count(status, "/orders/live") == 0
    });
    assert_eq!(halted["healthy"], false);
    let refused = say(&scratch, &state, "resume --reason test");
    assert_ne!(refused.code, Some(0), "{refused:#?}");
    let stopped = say(&scratch, &state, "stop --json");
    assert_eq!(stopped.code, Some(4), "it ends as the run: {stopped:#?}");
    assert_eq!((&stopped.json()["ok"], &stopped.json()["exit"]), (&false.into(), &4.into()));
    let said = run.end();
    assert_eq!(said.code, Some(4), "{said:#?}");
    assert!(said.err.contains("the journal ends before the run did"), "{said:#?}");
    let report = said.json();
    assert_eq!(report["reconciled"], true, "{said:#?}");
    assert!(report["journal_error"].as_str().is_some_and(|why| why.contains("journal-")));
    for truth in truths(&twin.access, &state) {
        assert!(truth.open.is_empty(), "still resting: {:?}", truth.open);
    }
    // What is in the directory is for its user alone.
    for entry in fs::read_dir(&state).unwrap().map(Result::unwrap) {
        let mode = entry.metadata().unwrap().permissions().mode() & 0o077;
        assert_eq!(mode, 0, "{}: {mode:o}", entry.path().display());
    }
    // A wire log that cannot be used: damaged in the middle, then without room.
    let log = StateDir::at(&state).wire_log("polymarket");
    let good = fs::read(&log).unwrap();
    let mut bad = good.clone();
    bad[20] ^= 1;
    fs::write(&log, &bad).unwrap();
    let args = format!("run --topology calm --for 1s --venues {venues}");
    let refused = say(&scratch, &state, &args);
    assert_eq!(refused.code, Some(6), "{refused:#?}");
    assert!(refused.err.contains("wire-polymarket.log is corrupt at byte"), "{refused:#?}");
    assert!(refused.err.contains("docs/operator.md"), "{refused:#?}");
    fs::remove_file(&log).unwrap();
    fs::create_dir(&log).unwrap();
    let refused = say(&scratch, &state, &args);
    assert_eq!(refused.code, Some(4), "{refused:#?}");
    assert!(refused.err.contains("wire-polymarket.log") && refused.err.contains("free space"));
    fs::remove_dir(&log).unwrap();
    fs::write(&log, &good).unwrap();
    // With room again: what the journal lacks is the venues' to tell, and the halt stands.
    let run = run_against(&scratch, &twin.venues, &state, "again");
    let halted = stands_still(&scratch, &state);
    assert_eq!(halted["halt"]["who"], "journal");
    signal(run.pid(), "-TERM");
    let said = run.end();
    assert_eq!(said.code, Some(0), "{said:#?}");
}

pub fn where_nothing_runs_or_nothing_can_be_written_it_says_so() {
    let scratch = Scratch::new("nothing");
    let state = scratch.path("state");
    for verb in ["status", "stop", "status --json"] {
        let said = say(&scratch, &state, verb);
        assert_eq!(said.code, Some(8), "{verb}: {said:#?}");
        assert!(said.err.contains("not running"), "{verb}: {said:#?}");
        assert!(said.err.contains("surefoot start"), "the remedy: {said:#?}");
    }
    // A directory under a file can be made by nobody, root included.
    fs::write(scratch.path("file"), "").unwrap();
    for verb in ["run", "start"] {
        let said = say(&scratch, &scratch.path("file/state"), verb);
        assert_eq!(said.code, Some(4), "{verb}: {said:#?}");
        assert!(said.err.contains("file/state") && said.err.contains("--state"), "{said:#?}");
    }
    let gone = scratch.path("no-venues.json");
    let mut command = surefoot(&scratch, ["run", "--venues"]);
    let output = command.arg(&gone).arg("--state").arg(&state).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("surefoot twin --json"));
    // A halt where none ever ran is none.
    let said = say(&scratch, &state, "halt --reason early");
    assert_eq!(said.code, Some(8), "{said:#?}");
    assert!(said.err.contains("NOTHING was halted") && !state.exists(), "{said:#?}");
    drop(StateDir::open(&state).unwrap().lock().unwrap());
    // Latched for whoever starts next, and lifted again, with nothing running.
    done(&scratch, &state, "halt --reason early");
    let said = say(&scratch, &state, "status --json");
    assert_eq!(said.json()["halt"]["reason"], "early");
    done(&scratch, &state, "resume --reason late");
    assert_eq!(say(&scratch, &state, "status --json").json()["halted"], false);
    assert!(
        wait("nothing holds it", || StateDir::at(&state).holder().is_none().then_some(()))
            .is_some()
    );
}
