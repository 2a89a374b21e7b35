//! One file per verb that does work.

pub mod bench;
pub mod demo;
pub mod replay;
pub mod twin;

use crate::config::Config;

/// What every verb is given.
#[derive(Clone, Debug)]
pub struct Setup {
    /// What holds for this run.
    pub config: Config,
    /// Whether stdout is one JSON object.
    pub json: bool,
}
