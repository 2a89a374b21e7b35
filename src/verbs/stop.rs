//! `surefoot stop`: the running instance ends gracefully, and this verb as it does.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use surefoot_cold::state_dir::StateDir;

use super::status::not_running;
use super::{LOOK_EVERY, refuse, told};
use crate::config::Setup;
use crate::control::client::{PATIENCE, ask};
use crate::control::exit_note;
use crate::exit::Exit;

/// After how long `stop` says that it still waits, and how long it waits in all: a run whose venue hangs needs minutes to
/// end well. As `TimeoutStopSec` in `tuning/systemd/surefoot.service`.
const STOP_SAID_AFTER: Duration = Duration::from_secs(15);
const STOP_WITHIN: Duration = Duration::from_secs(300);
/// The lock goes with the process, the last words may come a moment after it.
const EXIT_NOTE_WITHIN: Duration = Duration::from_secs(1);

/// `surefoot stop`: returns when the instance is gone, and ends as it ended.
pub fn run(setup: &Setup) -> Exit {
    let state = StateDir::at(&setup.config.state_dir);
    let holder = state.holder();
    let pid = match ask(&state, &json!({ "cmd": "stop" }), PATIENCE) {
        Err(error) => return not_running(&state, &error, setup.json),
        Ok(answer) => holder.or_else(|| u32::try_from(answer["pid"].as_u64()?).ok()),
    };
    // Where the directory was renamed or removed, only the instance itself can tell that it is still there.
    let is_there = || match holder {
        Some(_) => state.holder().is_some(),
        None => ask(&state, &json!({ "cmd": "where" }), PATIENCE).is_ok(),
    };
    let begin = Instant::now();
    let mut said = false;
    while is_there() {
        if begin.elapsed() > STOP_SAID_AFTER && !said {
            said = true;
            eprintln!(
                "surefoot: it is still stopping: it waits for its groups and for the venues' word on what rests, at most {} s",
                STOP_WITHIN.as_secs()
            );
        }
        if begin.elapsed() > STOP_WITHIN {
            let why = format!(
                "it still runs after {} s. `surefoot status` shows what rests at the venues; a second \
                 signal ends it at once and leaves that resting",
                STOP_WITHIN.as_secs()
            );
            return refuse(Exit::Silent, &why, setup.json);
        }
        thread::sleep(LOOK_EVERY);
    }
    let pid = pid.unwrap_or_default();
    let begin = Instant::now();
    let mut ended = exit_note::of(&state, pid);
    while ended.is_none() && begin.elapsed() < EXIT_NOTE_WITHIN {
        thread::sleep(LOOK_EVERY);
        ended = exit_note::of(&state, pid);
    }
    match ended {
        Some(Exit::Ok) => {
            told(&json!({ "ok": true, "stopping": true, "exit": 0 }), setup.json, "stopped")
        }
        Some(exit) => {
            let (meaning, remedy) = exit.meaning();
            let why =
                format!("it stopped, and not well ({}): {} {remedy}", exit.code(), meaning.trim());
            refuse(exit, &why, setup.json)
        }
        None => {
            let why = "it is gone and did not say how it ended: orders may rest at the venues. `surefoot start` finds \
                       and reconciles what rests";
            refuse(Exit::Unreconciled, why, setup.json)
        }
    }
}
