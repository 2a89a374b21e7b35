//! Every figure of the machine, for whoever shows it.

use std::sync::Arc;

use serde_json::{Value, json};
use surefoot_cold::journal::Status as JournalStatus;
use surefoot_hot::ids::Venue;
use surefoot_hot::stats::Stats;

use super::published::Published;
use super::threads::Pulse;
use surefoot_cold::observe::read_json;
use surefoot_cold::observe::table::{CoreFigure, JournalFigure};

/// Everything that the machine's agents publish, for whoever shows it.
#[derive(Clone, Debug)]
pub struct MachineFigures {
    /// What feed and executors publish.
    pub published: Arc<Published>,
    /// The journal's thread.
    pub journal: Arc<JournalStatus>,
    /// The hot threads by name.
    pub threads: Vec<(&'static str, Pulse)>,
}

impl MachineFigures {
    /// Every figure by name, with the core's own beside them.
    pub fn json(&self, core: &Stats) -> Value {
        let published = &self.published;
        let executors = Venue::ALL
            .map(|venue| (venue.name().to_owned(), published.executors[venue.index()].json()));
        let links = published.links.iter().map(|link| (link.name.clone(), link.cells.json()));
        let sessions = published.links.iter().map(|link| (link.name.clone(), link.session.json()));
        let outlets = Venue::ALL
            .map(|venue| (venue.name().to_owned(), published.exec_outlets[venue.index()].json()))
            .into_iter()
            .chain([("feed".to_owned(), published.feed_outlet.json())]);
        let threads = self.threads.iter().map(|(name, pulse)| ((*name).to_owned(), pulse.json()));
        json!({
            "core": read_json::<CoreFigure>(core),
            "executors": Value::Object(executors.into_iter().collect()),
            "links": Value::Object(links.collect()),
            "sessions": Value::Object(sessions.collect()),
            "outlets": Value::Object(outlets.collect()),
            "journal": read_json::<JournalFigure>(&self.journal.figures()),
            "threads": Value::Object(threads.collect()),
        })
    }
}
