//! One file a mode: which venues, markets and money it hands to a run. And which modes there are.

pub mod demo;
pub mod paper;

use crate::cli::{Mode, RunArgs};
use crate::config::Setup;
use crate::exit::Exit;

/// Runs a mode to its end.
pub type Run = fn(&RunArgs, &Setup) -> Exit;

/// What runs a mode; `None` where it is not built.
pub const fn of(mode: Mode) -> Option<Run> {
    match mode {
        Mode::Demo => Some(demo::run),
        Mode::Paper => Some(paper::run),
        Mode::Shadow | Mode::Live => None,
    }
}
