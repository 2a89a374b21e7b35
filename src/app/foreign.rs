//! What the venues have of our account that is not ours to judge: orders that no record explains, because another
//! program or a person has the same keys, contracts of markets that are not followed, rows that cannot be read. It is
//! named once, and never touched.

use std::collections::{BTreeMap, BTreeSet};

use surefoot_cold::observe::observer::Announcer;
use surefoot_cold::observe::snapshot::CoreWords;
use surefoot_cold::observe::told::NamedPlace;
use surefoot_cold::reconcile::{Open, Truth};
use surefoot_hot::core::Core;
use surefoot_hot::ids::{OrderRef, Venue, VenueKey};
use surefoot_hot::per_venue::PerVenue;

use super::run_note::RunNote;

/// The names of orders that rest, contracts held in markets that are not followed, by venue, and what was said.
#[derive(Debug, Default)]
pub(crate) struct Foreign {
    names: PerVenue<BTreeMap<VenueKey, String>>,
    held: PerVenue<Vec<String>>,
    said: BTreeSet<String>,
}

impl Foreign {
    /// Remembers what the orders of a reading are called and what else it has; what is new of the latter is told.
    pub fn read(&mut self, venue: Venue, truth: &Truth, notes: &Announcer) {
        let names = truth.open.iter().map(|open| (open.key, name(venue, open)));
        self.names[venue] = names.collect();
        let held = truth.foreign.iter().map(|held| format!("{} {held}", venue.name()));
        self.held[venue] = held.collect();
        let held = truth.foreign.iter().map(|held| {
            format!("{} holds {held}, which is not followed here: left alone", venue.name())
        });
        let unread = truth
            .unread
            .iter()
            .map(|row| format!("{}: {row}: left out, the rest of the list is used", venue.name()));
        for line in held.chain(unread).collect::<Vec<_>>() {
            if self.said.insert(line.clone()) {
                notes.note(RunNote::NotOurs.told(NamedPlace::of_venue(venue), line));
            }
        }
    }

    /// Contracts held in markets that are not followed: venue and the venue's name.
    pub fn held(&self) -> Vec<&str> {
        self.held.values().flatten().map(String::as_str).collect()
    }

    /// Tells each once.
    pub fn say(&mut self, words: &CoreWords, notes: &Announcer) {
        for name in self.now(words) {
            if self.said.insert(name.clone()) {
                let text = format!("{name} rests and is not ours: left alone");
                notes.note(RunNote::NotOurs.told(NamedPlace::default(), text));
            }
        }
    }

    /// Those that rest now: venue and the venue's id.
    pub fn now(&self, words: &CoreWords) -> Vec<String> {
        let all = self.names.values().zip(words.foreign.values());
        all.flat_map(|(names, foreign)| foreign.shown().filter_map(|key| names.get(&key).cloned()))
            .collect()
    }
}

/// Those that rest at the end.
pub(crate) fn at_end(core: &Core, truths: &PerVenue<Result<Truth, String>>) -> Vec<String> {
    let open = truths.iter().filter_map(|(venue, truth)| Some((venue, &truth.as_ref().ok()?.open)));
    open.flat_map(|(venue, open)| {
        let foreign = open.iter().filter(|open| is_foreign(core, open));
        foreign.map(move |open| name(venue, open))
    })
    .collect()
}

/// Whether no record of ours explains it. One under a name of our own making is ours, whatever we remember: that it rests
/// is a difference.
pub(crate) fn is_foreign(core: &Core, open: &Open) -> bool {
    matches!(open.order, OrderRef::Key(_)) && core.orders().find(open.order).is_none()
}

fn name(venue: Venue, open: &Open) -> String {
    format!("{} order {}", venue.name(), open.id)
}
