//! The venues' twin alone.

use crate::cli::TwinArgs;
use crate::exit::Exit;
use crate::run::Setup;

/// Runs until it is told to end.
pub fn run(_args: &TwinArgs, _setup: &Setup) -> Exit {
    eprintln!("surefoot: `twin` is not built in this version");
    Exit::NotYet
}
