//! `surefoot resume`: a halt is lifted, by the running instance or for the next one.

use clap::Args;
use serde_json::json;
use surefoot_cold::state_dir::StateDir;

use super::{never_ran, refuse, refuse_state, told};
use crate::config::Setup;
use crate::control::client::{PATIENCE_LONG, ask_patiently};
use crate::control::operator_log::record;
use crate::exit::Exit;

/// Why to go on.
#[derive(Args, Clone, Debug)]
pub struct ResumeArgs {
    /// For the record: what was wrong and why it is right now
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// `surefoot resume`: told to the running instance, or the latch lifted for the next start, which reconciles
/// before it opens anything.
pub fn run(args: &ResumeArgs, setup: &Setup) -> Exit {
    let state = StateDir::at(&setup.config.state_dir);
    let reason = args.reason.trim();
    if reason.is_empty() {
        let why = "resume needs a reason: what was wrong, and why it is right now";
        return refuse(Exit::Usage, why, setup.json);
    }
    if state.kill_file().exists() {
        let kill = state.kill_file();
        let why = format!("{} is still there and keeps the halt; remove it first", kill.display());
        return refuse(Exit::Halted, &why, setup.json);
    }
    let wait = || {
        eprintln!(
            "surefoot: waiting for both venues to be compared with, up to a minute. `surefoot status` and `surefoot halt` work \
             meanwhile"
        );
    };
    let request = json!({ "cmd": "resume", "reason": reason });
    match ask_patiently(&state, &request, PATIENCE_LONG, wait) {
        Ok(answer) => told(&answer, setup.json, "trading is not halted now"),
        Err(error) => match state.holder() {
            Some(pid) => {
                let why = format!("process {pid} does not answer ({error}); nothing was resumed");
                refuse(Exit::Silent, &why, setup.json)
            }
            None if !state.was_used() => {
                refuse(Exit::NotRunning, &never_ran(&state, "resumed"), setup.json)
            }
            None => {
                let lifted = record(&state, "resume", reason).and_then(|()| state.clear_halt());
                match lifted {
                    Ok(()) => told(
                        &json!({ "ok": true, "running": false }),
                        setup.json,
                        "halt lifted: the next start reconciles, then trades",
                    ),
                    Err(error) => refuse_state(error, setup.json),
                }
            }
        },
    }
}
