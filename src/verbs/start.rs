//! `surefoot start`: this program again, in the background, watched until it is healthy.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use surefoot_cold::state_dir::{StateDir, StateError};

use super::run::not_yet;
use super::{LOOK_EVERY, absolute, refuse, refuse_state, told};
use crate::config::Setup;
use crate::control::client::{PATIENCE, ask};
use crate::exit::Exit;
use crate::modes;

/// How long `start` waits for health.
const START_WITHIN: Duration = Duration::from_secs(60);

/// `surefoot start`: this program again, with these arguments, in the background.
pub fn run(run_args: &[OsString], setup: &Setup) -> Exit {
    if modes::of(setup.config.mode).is_none() {
        return not_yet(setup.config.mode, setup.json);
    }
    let state = match StateDir::open(&setup.config.state_dir) {
        Ok(state) => state,
        Err(error) => return refuse_state(error, setup.json),
    };
    if let Some(pid) = state.holder() {
        let path = state.root().to_owned();
        return refuse_state(StateError::InUse { path, pid: Some(pid) }, setup.json);
    }
    let mut child = match spawn(&state, run_args) {
        Ok(child) => child,
        Err(source) => {
            let error = StateError::Io { doing: "start with", path: state.log(), source };
            return refuse_state(error, setup.json);
        }
    };
    let begin = Instant::now();
    loop {
        if let Ok(Some(ended)) = child.try_wait() {
            let log = state.log();
            let why = format!(
                "it ended at once ({ended}); the end of {}:\n{}",
                log.display(),
                tail(&state)
            );
            let code = ended.code().and_then(|code| u8::try_from(code).ok());
            let same = Exit::ALL.iter().find(|exit| Some(exit.code()) == code && code != Some(0));
            return refuse(same.copied().unwrap_or(Exit::Failed), &why, setup.json);
        }
        if let Ok(answer) = ask(&state, &json!({ "cmd": "status" }), PATIENCE)
            && answer["status"]["pid"] == child.id() // another may have been quicker
            && is_up(&answer["status"])
        {
            let (pid, halted) = (child.id(), answer["status"]["halted"] == true);
            let answer =
                json!({ "ok": true, "pid": pid, "halted": halted, "state": absolute(&state) });
            let done =
                format!("started: process {pid}{}", if halted { ", HALTED as before" } else { "" });
            return told(&answer, setup.json, &done);
        }
        if begin.elapsed() > START_WITHIN {
            let why = format!(
                "process {} runs but is not healthy after {} s; it goes on trying. `surefoot status` \
                 shows why, {} has the details",
                child.id(),
                START_WITHIN.as_secs(),
                state.log().display()
            );
            return refuse(Exit::Venue, &why, setup.json);
        }
        thread::sleep(LOOK_EVERY);
    }
}

/// Healthy, or kept from it by nothing but a halt that stands: no start lifts that.
fn is_up(status: &Value) -> bool {
    status["healthy"] == true
        || (status["open"] == true && status["trouble_rows"] == json!(["halted"]))
}

/// In a process group of its own and without a terminal, so that closing the terminal does not end it.
fn spawn(state: &StateDir, run_args: &[OsString]) -> io::Result<Child> {
    let log = OpenOptions::new().create(true).append(true).open(state.log())?;
    Command::new(std::env::current_exe()?)
        .arg("run")
        .args(run_args)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .process_group(0)
        .spawn()
}

/// The last lines of the log.
fn tail(state: &StateDir) -> String {
    let text = fs::read(state.log()).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}
