//! What sinks are handed: notes with their words, figures, and the journal's records.

use serde_json::{Map, Value, json};
use surefoot_hot::event::Link;
use surefoot_hot::ids::{GroupId, OrderId, Venue};
use surefoot_hot::journal::Record;
use surefoot_hot::note::{Place, Severity};
use surefoot_hot::units::Nanos;

use super::Snapshot;
use crate::directory::Directory;
use crate::wall;

/// One thing that sinks are handed.
#[derive(Clone, Debug)]
pub enum Observation {
    /// Records that the journal's thread has written, in order, none left out between two that come one after the other
    /// unless something was dropped on the way.
    Records(Vec<Record>),
    Note(ToldNote),
    /// Every figure as of one look.
    Figures(Box<Snapshot>),
}

impl Observation {
    /// What it counts for in a queue: a record or a note is one.
    pub const fn weight(&self) -> u64 {
        match self {
            Self::Records(records) => records.len() as u64,
            Self::Note(_) | Self::Figures(_) => 1,
        }
    }
}

/// Who tells a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The core: the note is in the journal.
    Core,
    /// A row of the health table.
    Health,
    /// The run itself: what its people, files, venues and threads did.
    Run,
}

impl Source {
    /// The name used in output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Health => "health",
            Self::Run => "run",
        }
    }
}

/// Whether what a note tells has an end of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Once,
    /// It stands from now on.
    Began {
        /// What to do about it: a sentence.
        remedy: &'static str,
    },
    /// It stands no more.
    Over,
}

/// A note as sinks are handed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldNote {
    /// When: the wall clock.
    pub at: Nanos,
    pub source: Source,
    /// What it tells, for scripts: one word, unique within its source, never changed.
    pub code: &'static str,
    pub severity: Severity,
    pub place: NamedPlace,
    /// The same for people, with figures. Never a secret.
    pub text: String,
    pub phase: Phase,
}

impl ToldNote {
    /// A note of the run, as of now.
    pub fn of_run(
        (code, severity): (&'static str, Severity),
        place: NamedPlace,
        text: String,
    ) -> Self {
        let at = Nanos::new(wall::unix_ns());
        Self { at, source: Source::Run, code, severity, place, text, phase: Phase::Once }
    }

    /// One JSON object: `time` (UTC, ISO 8601, to the microsecond), `source`, `code`, `severity`, `place`, `text`, and where it
    /// has an end `phase` and `remedy`.
    pub fn json(&self) -> Value {
        let mut note = json!({
            "time": wall::iso(self.at),
            "source": self.source.name(),
            "code": self.code,
            "severity": self.severity.name(),
            "place": self.place.json(),
            "text": self.text,
        });
        match self.phase {
            Phase::Once => {}
            Phase::Began { remedy } => {
                note["phase"] = "began".into();
                note["remedy"] = remedy.into();
            }
            Phase::Over => note["phase"] = "over".into(),
        }
        note
    }
}

/// The place of a note with the venue's name for the market.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamedPlace {
    pub venue: Option<Venue>,
    /// What the venue calls it.
    pub market: Option<String>,
    pub order: Option<OrderId>,
    pub group: Option<GroupId>,
    pub link: Option<Link>,
}

impl NamedPlace {
    /// A venue as a whole.
    pub fn of_venue(venue: Venue) -> Self {
        Self { venue: Some(venue), ..Self::default() }
    }

    /// With the names of a directory. A market that it does not know goes by its number.
    pub fn of(place: &Place, directory: &Directory) -> Self {
        let entry = place.market.and_then(|market| directory.entry(market));
        let name = entry.map(|entry| entry.names.id().to_owned());
        Self {
            venue: place.venue.or(entry.map(|entry| entry.def.venue)),
            market: name.or(place.market.map(|market| format!("number {market}"))),
            order: place.order,
            group: place.group,
            link: place.link,
        }
    }

    /// Each part that is given, as `(name, value)`.
    fn parts(&self) -> Vec<(&'static str, String)> {
        let parts = [
            ("venue", self.venue.map(|venue| venue.name().to_owned())),
            ("market", self.market.clone()),
            ("order", self.order.map(|order| order.to_string())),
            ("group", self.group.map(|group| group.to_string())),
            ("link", self.link.map(|link| link.name().to_owned())),
        ];
        parts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }

    /// An object of the parts that are given. Orders and groups are text: their numbers are beyond what a JSON reader may
    /// hold exactly.
    pub fn json(&self) -> Value {
        let parts = self.parts().into_iter();
        Value::Object(
            parts.map(|(name, value)| (name.to_owned(), value.into())).collect::<Map<_, _>>(),
        )
    }

    /// For people: `kalshi KXA, order 9`; empty where nothing is given.
    pub fn words(&self) -> String {
        let words = self.parts().into_iter().map(|(name, value)| match name {
            "venue" => value,
            name => format!("{name} {value}"),
        });
        words.collect::<Vec<_>>().join(", ")
    }
}
