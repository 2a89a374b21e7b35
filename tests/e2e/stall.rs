//! A core that panics or stands still: the program cancels everything at both venues without it, says what is left, and
//! ends by its own exit.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use surefoot::control::client::ask;
use surefoot_cold::state_dir::StateDir;

use crate::rig::{Scratch, Twin, count, run_against, say, signal, truths, until, wait};
use crate::safety::{names, placed_by_hand};
use crate::secrets;

/// The core is gone in the way asked for while an order rests: it does not rest when the program has ended. `stop`: the
/// run is being ended when that happens.
fn ends_with_nothing_resting(what: &'static str, seed: u64, says: &str, stop: bool) {
    let scratch = Scratch::new(what);
    let state = scratch.path("state");
    let twin = Twin::start(&scratch, seed);
    let run = run_against(&scratch, &twin.venues, &state, "run");
    until(&scratch, &state, "trading", |status| count(status, "/orders/sent") > 0);
    secrets::keep_status(&scratch, &state);
    placed_by_hand(&twin.access, &names(&twin.access, &state));
    let open = |state: &Path| {
        truths(&twin.access, state).iter().map(|truth| truth.open.len()).sum::<usize>()
    };
    assert!(open(&state) >= 2, "one rests at each venue");
    // Its answer may never come: the run is at its end by then.
    let _ = ask(
        &StateDir::at(&state),
        &json!({ "cmd": "fault", "what": what }),
        Duration::from_secs(2),
    );
    if stop {
        signal(run.pid(), "-TERM");
    }
    let said = run.end();
    assert_eq!(said.code, Some(70), "{said:#?}");
    assert!(said.err.contains(says), "{said:#?}");
    for venue in ["polymarket", "kalshi"] {
        let cleared = format!("{venue}: everything is cancelled, nothing rests");
        assert!(said.err.contains(&cleared), "{cleared}: {said:#?}");
    }
    assert_eq!(open(&state), 0, "nothing rests: {said:#?}");
    assert!(
        said.err.contains("without a partner"),
        "it says what stands on one leg, or nothing: {said:#?}"
    );
    let latch = StateDir::at(&state).halt().unwrap().expect("latched");
    assert_eq!(latch.who, "thread");
    assert!(fs::read_to_string(state.join("exit.json")).unwrap().contains("70"));
    secrets::none_was_left(&scratch, &twin, &state);
}

/// What is done without the core waits for venues that hang, and nobody else does.
pub fn a_core_that_panics_while_the_venues_hang_can_be_looked_at_and_halted() {
    let scratch = Scratch::new("panic-hangs");
    let state = scratch.path("state");
    let twin = Twin::start(&scratch, 45);
    let run = run_against(&scratch, &twin.venues, &state, "run");
    until(&scratch, &state, "trading", |status| count(status, "/orders/sent") > 0);
    signal(twin.pid(), "-STOP");
    let wish = json!({ "cmd": "fault", "what": "panic" });
    let _ = ask(&StateDir::at(&state), &wish, Duration::from_secs(2)); // its answer may never come
    let said = || run.err().contains("over connections of our own").then_some(());
    assert!(wait("the venues are told", said).is_some(), "{}", run.err());
    until(&scratch, &state, "it answers", |status| status["running"] == true);
    let halted = say(&scratch, &state, "halt --reason late");
    assert_eq!(halted.code, Some(0), "{halted:#?}");
    signal(twin.pid(), "-CONT");
    let ended = run.end();
    assert_eq!(ended.code, Some(70), "{ended:#?}");
    for venue in ["polymarket", "kalshi"] {
        let cleared = format!("{venue}: everything is cancelled, nothing rests");
        assert!(ended.err.contains(&cleared), "{cleared}: {ended:#?}");
    }
}

pub fn a_core_that_panics_leaves_nothing_resting() {
    ends_with_nothing_resting(
        "panic",
        12,
        "the hot thread failed an assertion: a test asked for this",
        false,
    );
}

pub fn a_core_that_stands_still_leaves_nothing_resting() {
    ends_with_nothing_resting("stall", 13, "the hot thread stood still", false);
}

pub fn a_core_that_panics_while_the_run_ends_leaves_nothing_resting() {
    ends_with_nothing_resting(
        "panic-at-stop",
        19,
        "the hot thread failed an assertion: a test asked for this",
        true,
    );
}

pub fn a_core_that_stands_still_while_the_run_ends_leaves_nothing_resting() {
    ends_with_nothing_resting("stall-at-stop", 20, "the hot thread stood still", true);
}
