//! `surefoot run`: trades in the mode that the configuration names, in the foreground.

use super::refuse;
use crate::cli::{Mode, RunArgs};
use crate::config::Setup;
use crate::exit::Exit;
use crate::modes;

/// Runs the mode to its end.
pub fn run(args: &RunArgs, setup: &Setup) -> Exit {
    match modes::of(setup.config.mode) {
        Some(run) => run(args, setup),
        None => not_yet(setup.config.mode, setup.json),
    }
}

/// Says that a mode is not built, and that nothing was done.
pub(super) fn not_yet(mode: Mode, json: bool) -> Exit {
    let why = format!(
        "the mode `{}` is not built in this version; nothing was connected and nothing sent. \
         `surefoot run demo` trades the embedded venues",
        mode.name()
    );
    refuse(Exit::NotYet, &why, json)
}
