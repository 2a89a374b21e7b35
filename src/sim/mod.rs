//! A simulated day: the production core, sessions, executors, readers and run policy, joined to the twin's venues as values under
//! virtual time, from one seed.
//!
//! There is no socket, no thread, no clock and no file (but where `day_journal` keeps what was heard). Everything that happens is a value in one [`queue`]; the same seed
//! gives the same day to the bit, in every build and on every machine. What it does not show: `docs/simulator.md`.

pub mod checks;
pub mod chronicle;
pub mod day_journal;
pub mod executor;
pub mod fault;
pub mod links;
pub mod outcome;
pub mod plan;
pub mod queue;
pub mod remembered;
pub mod scenario;
pub mod script;
pub mod shell;
pub mod shrink;
pub mod simulation;
pub mod transport;
pub mod venue;
pub mod world;

pub use outcome::Outcome;
pub use plan::{Listener, Plan, Verb};
pub use simulation::{run, run_heard, run_planned};

use std::fmt;

use surefoot_hot::units::Nanos;

/// Something that must hold did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The invariant's id.
    pub id: &'static str,
    /// What was seen, for a person.
    pub what: String,
    /// When, as time since the day began; set by whoever runs the day.
    pub at: Nanos,
}

impl Broken {
    /// `id` does not hold.
    pub const fn new(id: &'static str, what: String) -> Self {
        Self { id, what, at: Nanos::ZERO }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} does not hold {} ms into the day: {}", self.id, self.at.millis(), self.what)
    }
}

impl std::error::Error for Broken {}
