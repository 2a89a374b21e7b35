//! Where every figure of the machine is read.

use std::sync::Arc;

use surefoot_cold::journal::Status as JournalStatus;
use surefoot_cold::observe::snapshot::CoreWords;
use surefoot_cold::observe::table::CoreFigure;
use surefoot_cold::observe::{Snapshot, Values};
use surefoot_cold::snapshot::Status as FollowerStatus;
use surefoot_hot::stats::Stats;

use super::published::Published;
use super::threads::Pulse;

/// Where the machine's agents publish their figures.
#[derive(Clone, Debug)]
pub struct MachineFigures {
    /// What feed and executors publish.
    pub published: Arc<Published>,
    /// The journal's thread.
    pub journal: Arc<JournalStatus>,
    /// The thread that follows the journal and takes snapshots.
    pub follower: Arc<FollowerStatus>,
    /// The hot threads by name.
    pub threads: Vec<(&'static str, Pulse)>,
    /// What the core had counted when the run began.
    pub base: Arc<Values<CoreFigure>>,
}

impl MachineFigures {
    /// Reads all of them, the core's from its counters. What is beside the machine is left at zero.
    pub fn read(&self, core: &Stats) -> Snapshot {
        Snapshot {
            core: Values::of(core),
            words: CoreWords::of(core),
            executors: self.published.executors(),
            links: self.published.links(),
            feed_outlet: self.published.feed_outlet(),
            journal: Values::of(&self.journal.figures()),
            follower: Values::of(&self.follower.figures()),
            threads: self.threads.iter().map(|(name, pulse)| (*name, pulse.values())).collect(),
            base: Arc::clone(&self.base),
            run: Values::default(),
            observer: Values::default(),
            sinks: Vec::new(),
            unread: self.published.unread(),
        }
    }
}
