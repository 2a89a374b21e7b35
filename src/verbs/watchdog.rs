//! `surefoot watchdog`: cancels everything at the venues where a run cannot any more. A run starts it by itself.

use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use clap::Args;
use surefoot_cold::state_dir::StateDir;

use super::refuse;
use crate::access::cancel_rights;
use crate::app::harden::harden;
use crate::config::Setup;
use crate::control::exit_note;
use crate::exit::Exit;
use crate::watchdog::{Cause, Watchdog};

/// Over which run.
#[derive(Args, Clone, Debug, Default)]
pub struct WatchdogArgs {
    /// The file that describes the venues, as for `run`
    #[arg(long, value_name = "FILE")]
    pub venues: Option<PathBuf>,
    /// The run is over: cancel everything now, unless it ended in order. For the service manager, behind each end
    #[arg(long)]
    pub now: bool,
}

/// `surefoot watchdog`: watches over the run that says on stdin that it turns, or looks after one that is over.
pub fn run(args: &WatchdogArgs, setup: &Setup) -> Exit {
    let state = StateDir::at(&setup.config.state_dir);
    let Some(venues) = &args.venues else {
        eprintln!("surefoot watchdog: the embedded venues ended with the run: nothing rests there");
        return Exit::Ok;
    };
    if args.now {
        if let Some(pid) = state.holder() {
            let why = format!(
                "process {pid} is at work there: nothing was cancelled. `surefoot halt` cancels everything"
            );
            return refuse(Exit::InUse, &why, setup.json);
        }
        if !exit_note::crashed_before(&state) {
            return Exit::Ok; // it has seen to it that nothing rests, or has said that something may
        }
    }
    for gap in harden().gaps() {
        eprintln!("surefoot watchdog: {gap}");
    }
    let rights = match cancel_rights(venues) {
        Ok(rights) => rights,
        Err(error) => return refuse(Exit::Usage, &error.to_string(), setup.json),
    };
    if args.now {
        return Watchdog::new(state, rights, None).act(Cause::Died);
    }
    let run = Some(std::os::unix::process::parent_id());
    let beats = std::io::stdin().as_fd().try_clone_to_owned().map(UnixStream::from);
    match beats.and_then(|beats| Watchdog::new(state, rights, run).watch(&beats)) {
        Ok(exit) => exit,
        Err(error) => {
            let why = format!(
                "stdin is no socket of a run ({error}): `surefoot run` starts its watchdog by itself; `--now` cancels what a run left"
            );
            refuse(Exit::Usage, &why, setup.json)
        }
    }
}
