//! What a mode hands in.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::access::Access;
use crate::catalogue::ExtraMarkets;
use crate::cli::Mode;
use crate::twin::world::WorldName;

/// What one run is to be: in which mode, at which venues, with which markets, for how long.
pub struct RunSpec {
    pub mode: Mode,
    /// Where the venues are, and with whose keys they are reached.
    pub access: Arc<Access>,
    /// The file that this was read from, which names the keys to the watchdog's process; `None` for venues that are embedded: they
    /// end with the run, and stand still with it.
    pub venues_file: Option<PathBuf>,
    /// Markets to follow beside those in relations.
    pub extra: ExtraMarkets,
    /// The run ends by itself after this long; `None` runs until it is stopped.
    pub span: Option<Duration>,
    /// What the embedded venues are like; `None` where the venues do not say.
    pub world: Option<WorldName>,
    /// Makes back-off differ between runs.
    pub seed: u64,
    /// Why limits may be looser than they were last, in the operator's words; `None` where they may not.
    pub loosen: Option<String>,
    /// Lines that say what this run is: said first, and kept in the report.
    pub about: Vec<String>,
}
