//! A core that panics or stands still: the program cancels everything at both venues without it, says what is left, and
//! ends by its own exit.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;
use surefoot::control::client::ask;
use surefoot_cold::state_dir::StateDir;

use crate::rig::{
    Process, SOON, Scratch, Twin, command_against, count, run_against, say, signal, surefoot,
    truths, until, wait,
};
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

/// A service manager: what it hears.
struct Manager(UnixDatagram);

impl Manager {
    /// Whether a word comes within so long.
    fn hears(&self, wanted: &str, within: Duration) -> bool {
        let (begin, mut bytes) = (Instant::now(), [0; 256]);
        while let Some(left) = within.checked_sub(begin.elapsed()).filter(|left| !left.is_zero()) {
            self.0.set_read_timeout(Some(left)).unwrap();
            let Ok(length) = self.0.recv(&mut bytes) else { return false };
            if &bytes[..length] == wanted.as_bytes() {
                return true;
            }
        }
        false
    }

    /// Everything that was said before counts no more.
    fn forget(&self) {
        self.0.set_nonblocking(true).unwrap();
        while self.0.recv(&mut [0; 256]).is_ok() {}
        self.0.set_nonblocking(false).unwrap();
    }
}

/// Fed by what moves: by a run that waits for a venue to resume, for its threads move; and by the main thread while it does what a core
/// would that stands still. That nothing is fed beyond a bound is shown beside `Watchdog` (`src/app/watchdog.rs`).
pub fn the_service_manager_is_fed_while_a_resume_waits_and_while_a_rescue_goes_on() {
    let scratch = Scratch::new("fed");
    let state = scratch.path("state");
    let twin = Twin::start(&scratch, 64);
    let manager = Manager(UnixDatagram::bind(scratch.path("notify")).unwrap());
    let mut command = command_against(&scratch, &twin.venues, &state);
    // Every half second; on a machine with too much to do a thread may not move in each of them.
    command.env("NOTIFY_SOCKET", scratch.path("notify")).env("WATCHDOG_USEC", "1000000");
    let run = Process::spawn(&scratch, "run", command);
    assert!(manager.hears("READY=1", SOON), "{}", run.err());
    assert!(manager.hears("WATCHDOG=1", SOON), "it is open and moves");
    assert_eq!(say(&scratch, &state, "halt --reason test").code, Some(0));
    signal(twin.pid(), "-STOP");
    let mut resume = surefoot(&scratch, ["resume", "--reason", "test", "--state"]);
    resume.arg(&state);
    let resume = Process::spawn(&scratch, "resume", resume);
    until(&scratch, &state, "it waits for the venues", |status| status["resuming"] == true);
    for _ in 0..3 {
        assert!(manager.hears("WATCHDOG=1", SOON), "its threads move: {}", run.err());
    }
    let wish = json!({ "cmd": "fault", "what": "stall" });
    let _ = ask(&StateDir::at(&state), &wish, Duration::from_secs(2)); // its answer may never come
    for (what, said) in [
        ("the core stands still", "the hot thread stands still"),
        ("the main thread rescues", "over connections of our own"),
    ] {
        let said = || run.err().contains(said).then_some(());
        assert!(wait(what, said).is_some(), "{what}: {}", run.err());
        manager.forget();
        // Longer than a thread that stands still is fed for what it did before.
        for _ in 0..6 {
            let while_it_lasts = Duration::from_secs(4);
            assert!(manager.hears("WATCHDOG=1", while_it_lasts), "{what}: {}", run.err());
        }
    }
    signal(twin.pid(), "-CONT");
    assert_eq!(run.end().code, Some(70));
    assert_ne!(resume.end().code, Some(0), "nothing was resumed");
}
