//! What of a day is kept for people: which scenarios it has had, and what happened to orders.

use surefoot_hot::event::Event;

use super::{START, Simulation};
use crate::sim::Broken;

impl Simulation {
    /// Whoever looks for scenarios sees an event.
    pub(super) fn watch_event(&mut self, event: &Event) -> Result<(), Broken> {
        let at = self.now.since(START);
        self.watch.after_event(self.now, &self.core, event, &self.outbox)?;
        while let Some(number) = self.watch.poll_seen() {
            self.chronicle.see(at, number);
        }
        Ok(())
    }
}
