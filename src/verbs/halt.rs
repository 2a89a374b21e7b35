//! `surefoot halt`: told to the running instance, left for one that does not answer, or latched for the next.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;
use surefoot_cold::state_dir::{HaltLatch, StateDir};

use super::{LOOK_EVERY, absolute, never_ran, refuse, refuse_state, told};
use crate::config::Setup;
use crate::control::client::ask;
use crate::control::cut_reason;
use crate::control::operator_log::now_ns;
use crate::exit::Exit;
use crate::watchdog;

/// How long a halt waits for an answer, and again for the `KILL` file to be obeyed: who halts cannot wait.
const HALT_WITHIN: Duration = Duration::from_secs(1);

/// What a halt that was obeyed means. Whether a venue has confirmed the cancels is not known yet.
const HALTED: &str = "nothing is opened any more, and the venues are told to cancel what rests; `surefoot status` shows what \
                      is left (orders.live)";

/// Why to halt.
#[derive(Args, Clone, Debug, Default)]
pub struct HaltArgs {
    /// For the record
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// `surefoot halt`: told to the running instance, or latched for the next.
pub fn run(args: &HaltArgs, setup: &Setup) -> Exit {
    let state = StateDir::at(&setup.config.state_dir);
    let reason = args.reason.as_deref().map(cut_reason).unwrap_or_else(|| "no reason given".into());
    let place = absolute(&state);
    match ask(&state, &json!({ "cmd": "halt", "reason": reason }), HALT_WITHIN) {
        Ok(answer) => told(&answer, setup.json, &format!("halted: {HALTED}")),
        Err(error) => {
            let latch = HaltLatch { reason, who: "operator".into(), when_ns: now_ns() };
            if let Some(pid) = state.holder() {
                return halt_silent(&state, pid, &error, &latch, setup.json);
            }
            if !state.was_used() {
                return refuse(Exit::NotRunning, &never_ran(&state, "halted"), setup.json);
            }
            match state.set_halt(&latch) {
                Ok(()) => told(
                    &json!({ "ok": true, "running": false, "state": place }),
                    setup.json,
                    &format!(
                        "no instance runs in {place}. Halt latched there: the next start opens nothing until it is \
                         resumed"
                    ),
                ),
                Err(error) => refuse_state(error, setup.json),
            }
        }
    }
}

/// It lives and does not answer. The file needs no socket: the run obeys it as soon as it looks around again.
fn halt_silent(
    state: &StateDir,
    pid: u32,
    error: &io::Error,
    latch: &HaltLatch,
    json: bool,
) -> Exit {
    let (kill, before) = (state.kill_file(), state.halt().ok().flatten());
    let is_new = !kill.exists();
    // On a full disk an empty file may still be made, and its being there is what counts.
    let made = OpenOptions::new().create(true).append(true).mode(0o600).open(&kill);
    let left = match &made {
        Ok(_) => format!(
            "{} is there: it halts when it wakes, and so does the next start",
            kill.display()
        ),
        Err(error) => format!("not even {} could be made ({error})", kill.display()),
    };
    let begin = Instant::now();
    while made.is_ok() && begin.elapsed() < HALT_WITHIN {
        thread::sleep(LOOK_EVERY);
        let now = state.halt().ok().flatten();
        let obeyed = now.as_ref().is_some_and(|latch| latch.who != watchdog::WHO);
        if obeyed && now != before {
            if is_new {
                let _ = fs::remove_file(&kill); // obeyed; a resume need not trip over it
            }
            return told(
                &json!({ "ok": true, "halted": true, "pid": pid }),
                json,
                &format!("halted, after a while: {HALTED}"),
            );
        }
    }
    if state.holder() == Some(pid)
        && before.is_none() // what halted it first is what must be understood
        && let Err(error) = state.set_halt(latch)
    {
        eprintln!("surefoot: {error}");
    }
    let why = format!(
        "asked, NOT confirmed: process {pid} in {} does not answer ({error}). Orders may rest at the venues. {left}. \
         Now: `kill -9 {pid}`, cancel what rests on the venues' own pages, then `surefoot start`: it reconciles, and \
         stays halted until {} is removed and `surefoot resume --reason …` is said",
        absolute(state),
        kill.display()
    );
    refuse(Exit::Silent, &why, json)
}
