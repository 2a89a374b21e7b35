//! Measuring the parts and the whole.

use crate::cli::BenchArgs;
use crate::exit::Exit;
use crate::run::Setup;

/// Runs until it is told to end.
pub fn run(_args: &BenchArgs, _setup: &Setup) -> Exit {
    eprintln!("surefoot: `bench` is not built in this version");
    Exit::NotYet
}
