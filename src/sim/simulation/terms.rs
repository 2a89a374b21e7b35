//! The terms of markets, read anew while the program runs, as `app/fees.rs` has them read: what is not so any more is told to the core.

use surefoot_cold::venue::listing;
use surefoot_hot::event::{Control, Event};
use surefoot_hot::ids::{ClusterId, Venue};
use surefoot_hot::units::Nanos;

use super::Simulation;
use crate::catalogue::{CatalogueChange, Refreshed};
use crate::sim::Broken;

/// How often they are read, as in production.
pub(super) const TERMS_EVERY: Nanos = Nanos::from_secs(600);
/// The same while a venue does not list markets of an earlier run.
const UNLISTED_EVERY: Nanos = Nanos::from_secs(60);
/// How soon a reading that failed is made again.
const AGAIN: Nanos = Nanos::from_secs(10);

impl Simulation {
    /// Reads the terms of all markets anew where that is due.
    pub(super) fn read_terms(&mut self) -> Result<(), Broken> {
        if self.now < self.terms_due {
            return Ok(());
        }
        let mut failed = false;
        for venue in Venue::ALL {
            failed |= !self.read_terms_of(venue)?;
        }
        let after = match (failed, self.catalogue.has_unread()) {
            (true, _) => AGAIN,
            (false, true) => UNLISTED_EVERY,
            (false, false) => TERMS_EVERY,
        };
        self.terms_due = self.now.after(after);
        Ok(())
    }

    /// Whether a venue could be read.
    fn read_terms_of(&mut self, venue: Venue) -> Result<bool, Broken> {
        let followed = self.catalogue.directory.of(venue);
        let followed = followed.filter(|entry| !entry.def.status.is_over());
        let (asked, names): (Vec<_>, Vec<_>) =
            followed.map(|entry| (entry.def.market, entry.names.id().to_owned())).unzip();
        let cluster = |_: &str| ClusterId::new(0); // nobody looks at it
        let read = listing(venue).terms(&self.metadata[venue], &names, &cluster);
        let Ok(terms) = read else { return Ok(false) };
        let Refreshed { changes, unread } = self.catalogue.refresh(&asked, &terms.entries);
        for market in unread {
            self.tell_one(&Event::Control(Control::TermsUnread { market }))?;
        }
        self.tell_changes(&changes)?;
        self.tell_one(&Event::Control(Control::TermsRead { venue, at: self.now }))?;
        let facts = self.catalogue.take_facts(&terms.entries);
        self.tell_changes(&facts.map_err(|why| Broken::new("start", why))?)?;
        let fees = self.catalogue.take_fees(&terms.entries);
        self.tell_changes(&fees)?;
        Ok(true)
    }

    fn tell_changes(&mut self, changes: &[CatalogueChange]) -> Result<(), Broken> {
        for event in changes.iter().flat_map(|change| change.what.events()) {
            self.tell_one(&event)?;
        }
        Ok(())
    }
}
