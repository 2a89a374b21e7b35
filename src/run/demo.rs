//! Trading the embedded venues.

use crate::cli::RunArgs;
use crate::exit::Exit;
use crate::run::Setup;

/// Runs until it is told to end.
pub fn run(_args: &RunArgs, _setup: &Setup) -> Exit {
    eprintln!("surefoot: `demo` is not built in this version");
    Exit::NotYet
}
