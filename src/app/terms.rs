//! The terms of markets, as they are listed anew every ten minutes (`fees`): what the streams do not tell is taken over, and the
//! core hears how old the terms are that it has.
//!
//! Where nothing has changed that is one word for a venue, that its markets' terms were read; a market that could not be read is
//! named before. The gate refuses what opens in a market whose terms were read too long ago.

use std::sync::Arc;

use surefoot_cold::directory::Entry;
use surefoot_cold::observe::told::NamedPlace;
use surefoot_hot::event::{Control, Event};
use surefoot_hot::ids::{MarketId, Venue};

use super::Running;
use super::run_note::RunNote;
use crate::catalogue::{Change, Refreshed};

impl Running {
    /// Takes in what a venue lists of the markets that it was asked for.
    pub(super) fn take_terms(&mut self, venue: Venue, entries: &[Entry]) {
        self.fee_reading.failed[venue] = false;
        let (at, asked) =
            (self.fee_reading.at, std::mem::take(&mut self.fee_reading.markets[venue]));
        let Refreshed { changes, unread } = self.catalogue.refresh(&asked, entries);
        for &market in &unread {
            self.engine.tell(Event::Control(Control::TermsUnread { market }));
        }
        self.say_unread_terms(venue, unread);
        if let Err(why) = self.hand_on(changes) {
            return self.tell_of(RunNote::TermsUnread, NamedPlace::of_venue(venue), why);
        }
        self.engine.tell(Event::Control(Control::TermsRead { venue, at }));
    }

    /// A venue could not be read: the terms that the core has stay, and grow older.
    pub(super) fn terms_failed(&mut self, venue: Venue, why: &str) {
        if !std::mem::replace(&mut self.fee_reading.failed[venue], true) {
            let text = format!("the terms of its markets could not be read anew: {why}");
            self.tell_of(RunNote::TermsUnread, NamedPlace::of_venue(venue), text);
        }
    }

    /// Says once of a market that its terms cannot be read.
    fn say_unread_terms(&mut self, venue: Venue, unread: Vec<MarketId>) {
        let said = &mut self.fee_reading.unread[venue];
        let is_new = unread.iter().any(|market| !said.contains(market));
        *said = unread.into_iter().collect();
        if is_new {
            let directory = &self.catalogue.directory;
            let names = said.iter().filter_map(|market| directory.entry(*market));
            let names: Vec<_> = names.map(|entry| entry.names.id()).collect();
            let text = format!("the terms of {} could not be read anew", names.join(", "));
            self.tell_of(RunNote::TermsUnread, NamedPlace::of_venue(venue), text);
        }
    }

    /// A market is called or signed for otherwise than it was, such as with another neg-risk flag: whoever writes to the venue must
    /// know, and nothing is opened there before a person has looked.
    pub(super) fn rename(&mut self, entry: &Arc<Entry>, change: &Change) -> Result<(), String> {
        // The core first: it opens nothing there from then on.
        change.events().into_iter().for_each(|event| self.engine.tell(event));
        self.name_to_all(entry)?;
        let text = format!("{} is called or signed for otherwise than before", entry.names.id());
        self.tell_of(RunNote::TermsUnread, NamedPlace::of_venue(entry.def.venue), text);
        self.save_names(&self.catalogue)
    }
}
