//! Comparing with the venues under virtual time: production's readers, asked over values instead of sockets.
//!
//! When to ask is decided here as the program's main thread does it.
//! A whole reading is of one moment: no virtual time passes while a reader asks page after page.

use std::collections::BTreeSet;

use surefoot_cold::directory::Directory;
use surefoot_cold::reconcile::{self, Reader, Truth};
use surefoot_hot::event::{Control, Event};
use surefoot_hot::ids::{FillId, MarketId, Venue};
use surefoot_hot::report::{Finality, Report};
use surefoot_hot::units::Nanos;

use super::Broken;
use crate::app::results::Results;

/// How often a venue is read while venue and core agree. The program reads every 12 s; a comparison may be 40 s old before
/// nothing is opened any more.
pub const READ_EVERY: Nanos = Nanos::from_secs(30);
/// How often while they do not.
pub const READ_AGAIN: Nanos = Nanos::from_secs(5);
/// How often before anything opens, until venue and core have agreed for the first time.
pub const READ_AT_START: Nanos = Nanos::from_millis(250);

/// Who asks one venue what is true.
pub struct Asker {
    reader: Box<dyn Reader>,
    results: Results,
    /// Confirmed fills that the core was told of: those of the last reading.
    confirmed: BTreeSet<FillId>,
}

impl Asker {
    /// Nothing was asked yet.
    pub fn new(reader: Box<dyn Reader>, results: Results) -> Self {
        Self { reader, results, confirmed: BTreeSet::new() }
    }

    /// Everything that the venue says now.
    ///
    /// # Errors
    /// It does not say it: nothing is in the way of that here.
    pub fn truth(&self) -> Result<Truth, Broken> {
        self.reader.truth().map_err(|error| Broken::new("P1", error.to_string()))
    }

    /// Asks, and gives what the core is to be told of it.
    ///
    /// # Errors
    /// The venue could not be read.
    pub fn read(
        &mut self,
        now: Nanos,
        doubts: &[MarketId],
        directory: &Directory,
    ) -> Result<Vec<Event>, Broken> {
        // Results come first: a market that was paid is a result, not a difference.
        let mut events = self.results.read().map_err(|why| Broken::new("P1", why))?;
        let mut history = Vec::new();
        for &market in doubts {
            let said = self.reader.history(market);
            let said = said.map_err(|error| Broken::new("P1", error.to_string()))?;
            history.extend(said.map(|(yes, no)| Control::History { market, yes, no }));
        }
        let truth = self.truth()?;
        let venue = self.reader.venue();
        let confirmed: BTreeSet<_> = truth.confirmed.iter().copied().collect();
        for &fill in confirmed.difference(&self.confirmed) {
            events.push(Event::Report(Report::Finality { fill, state: Finality::Final }));
        }
        self.confirmed = confirmed;
        events.push(Event::Control(Control::Reading { venue, since: now }));
        events.extend(history.into_iter().map(Event::Control));
        events.extend(reconcile::events(venue, &truth, markets(venue, directory)));
        events.push(Event::Control(Control::Reconciled { venue, clean: true }));
        Ok(events)
    }
}

fn markets(venue: Venue, directory: &Directory) -> impl Iterator<Item = MarketId> {
    directory.of(venue).map(|entry| entry.def.market)
}
