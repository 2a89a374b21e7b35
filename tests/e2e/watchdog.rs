//! The process beside a run that cancels everything where the run cannot: it stands still as a whole, or is gone.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use surefoot_cold::state_dir::StateDir;

use crate::rig::{Scratch, Twin, count, run_against, say, signal, truths, until, wait};
use crate::safety::{names, placed_again, placed_by_hand};
use crate::secrets;

/// Orders that rest at both venues.
fn open(twin: &Twin, state: &Path) -> usize {
    truths(&twin.access, state).iter().map(|truth| truth.open.len()).sum()
}

/// Everything that watchdogs wrote there, a line each time that one acted.
fn acts(state: &Path) -> Vec<Value> {
    let text = fs::read_to_string(StateDir::at(state).watchdog_log()).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What it wrote the `nth` time.
fn act(state: &Path, nth: usize, cause: &str) -> Value {
    let act = wait("the watchdog says what it did", || acts(state).get(nth - 1).cloned()).unwrap();
    assert_eq!(act["cause"], cause, "{act}");
    for venue in ["polymarket", "kalshi"] {
        assert_eq!(act["venues"][venue], json!({ "cleared": true, "why": null }), "{act}");
    }
    act
}

fn nothing_rests(twin: &Twin, state: &Path) {
    let cleared = || (open(twin, state) == 0).then_some(());
    assert!(wait("nothing rests", cleared).is_some(), "{:?}", truths(&twin.access, state));
}

/// The process number of a run's watchdog.
fn watchdog_of(status: &Value) -> i32 {
    let pid = status["watchdog"].as_i64().unwrap_or_else(|| panic!("no watchdog: {status:#}"));
    i32::try_from(pid).unwrap()
}

pub fn a_process_that_stands_still_leaves_nothing_resting_and_wakes_halted() {
    let scratch = Scratch::new("watchdog-still");
    let state = scratch.path("state");
    let twin = Twin::start(&scratch, 62);
    let run = run_against(&scratch, &twin.venues, &state, "run");
    let status = until(&scratch, &state, "trading", |status| count(status, "/orders/sent") > 0);
    secrets::keep_status(&scratch, &state);
    // What everybody on the machine may see of it is looked through for secrets; its environment is the run's.
    let seen = |pid: i32, name: &str| fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
    let words = seen(watchdog_of(&status), "cmdline");
    assert!(!words.is_empty(), "its command line is there");
    fs::write(scratch.path("watchdog.cmdline"), words).unwrap();
    // Of any order: who starts a process may sort it.
    let environment = |pid: i32| {
        let all = String::from_utf8(seen(pid, "environ")).expect("it is text");
        all.split('\0').map(str::to_owned).collect::<BTreeSet<_>>()
    };
    assert!(environment(watchdog_of(&status)) == environment(run.pid()), "another environment");
    placed_by_hand(&twin.access, &names(&twin.access, &state));
    assert!(open(&twin, &state) >= 2, "one rests at each venue");
    signal(run.pid(), "-STOP");
    nothing_rests(&twin, &state);
    let done = act(&state, 1, "stalled");
    assert_eq!((&done["pid"], &done["halted"]), (&json!(run.pid()), &json!(true)));
    let latch = StateDir::at(&state).halt().unwrap().expect("kept for the next start");
    assert_eq!(latch.who, "watchdog");
    let said = format!("surefoot watchdog: process {} has not moved for 2 s", run.pid());
    assert!(run.err().contains(&said), "{}", run.err());
    // It wakes: its core halts for the time that it lost, and a person lifts that.
    signal(run.pid(), "-CONT");
    let halted = until(&scratch, &state, "halted and at rest", |status| {
        let busy = count(status, "/orders/live") + count(status, "/groups_live");
        status["halted"] == true && status["counters_current"] == true && busy == 0
    });
    let resumed = say(&scratch, &state, "resume --reason looked");
    assert_eq!(resumed.code, Some(0), "{resumed:#?}");
    let sent = count(&halted, "/orders/sent");
    until(&scratch, &state, "it trades again", |status| count(status, "/orders/sent") > sent);
    assert_eq!(say(&scratch, &state, "stop").code, Some(0));
    let said = run.end();
    assert_eq!((said.code, acts(&state).len()), (Some(0), 1), "{said:#?}");
    secrets::none_was_left(&scratch, &twin, &state);
}

pub fn a_process_that_is_killed_leaves_nothing_resting_and_the_next_start_needs_nobody() {
    let scratch = Scratch::new("watchdog-killed");
    let state = scratch.path("state");
    let twin = Twin::start(&scratch, 63);
    let venues = twin.venues.display();
    let trading = |status: &Value| count(status, "/orders/sent") > 0;
    let run = run_against(&scratch, &twin.venues, &state, "run");
    until(&scratch, &state, "trading", trading);
    let pid = run.pid();
    placed_by_hand(&twin.access, &names(&twin.access, &state));
    assert!(open(&twin, &state) >= 2, "one rests at each venue");
    run.kill();
    nothing_rests(&twin, &state);
    let done = act(&state, 1, "died");
    assert_eq!((&done["pid"], &done["halted"]), (&json!(pid), &json!(false)));
    assert_eq!(StateDir::at(&state).halt().unwrap(), None, "the next start compares by itself");

    // The next one goes on. Without its watchdog it opens nothing, and whoever looks after its end does what is left to do.
    let run = run_against(&scratch, &twin.venues, &state, "again");
    let status = until(&scratch, &state, "trading again", trading);
    let refused = say(&scratch, &state, &format!("watchdog --now --venues {venues}"));
    assert_eq!(refused.code, Some(5), "somebody is at work: {refused:#?}");
    signal(watchdog_of(&status), "-KILL");
    let told = until(&scratch, &state, "it is missed", |status| {
        status["trouble_rows"].as_array().is_some_and(|rows| rows.contains(&json!("no_watchdog")))
    });
    assert_eq!(told["held_back_at"], json!(["polymarket", "kalshi"]), "{told:#}");
    placed_again(&twin.access, &names(&twin.access, &state), 2);
    run.kill();
    assert!(open(&twin, &state) >= 2, "nobody was there");
    let done = say(&scratch, &state, &format!("watchdog --now --venues {venues}"));
    assert_eq!((done.code, open(&twin, &state)), (Some(0), 0), "{done:#?}");
    assert_eq!(act(&state, 2, "died")["pid"], Value::Null);

    // One that ends in order is left alone, at its end and behind it.
    let run = run_against(&scratch, &twin.venues, &state, "last");
    let status = until(&scratch, &state, "trading once more", trading);
    let watchdog = watchdog_of(&status);
    assert_eq!(say(&scratch, &state, "stop").code, Some(0));
    assert_eq!(run.end().code, Some(0));
    let gone = || (!Path::new(&format!("/proc/{watchdog}")).exists()).then_some(());
    assert!(wait("it goes with the run", gone).is_some());
    let nothing = say(&scratch, &state, &format!("watchdog --now --venues {venues}"));
    assert_eq!((nothing.code, acts(&state).len()), (Some(0), 2), "{nothing:#?}");
}
