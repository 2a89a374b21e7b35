//! The sink for people: notes and the line of the second, on stderr. Stdout is for data.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use surefoot_cold::observe::sink::{Interest, Sink};
use surefoot_cold::observe::told::{Observation, Phase, Source, ToldNote};
use surefoot_hot::note::Severity;
use surefoot_hot::units::Nanos;

use super::report::write_line;

/// Notes and lines that may wait for a terminal that shows nothing for a while.
const WAITING_MAX: u64 = 1_024;
/// How long the end of a run waits for it.
const ENDS_WITHIN: Duration = Duration::from_secs(2);
/// A note of the core is not said again within this time where it is about the same place.
const AGAIN_AFTER: Nanos = Nanos::from_secs(60);
/// So many notes are remembered for that; with more, all are forgotten.
const REMEMBERED_MAX: usize = 1_024;

/// The sink that writes notes for a person to stderr, each alarm about the same place once a minute.
pub(super) struct Terminal<W> {
    to: W,
    /// Lines of the second so far; `None` where none is wanted.
    lines: Option<u64>,
    /// When a note of the core was last said: by code and place.
    said: BTreeMap<(&'static str, String), Nanos>,
}

impl<W: Write> Terminal<W> {
    /// Writes to `to`; with a line for each set of figures if `lines`.
    pub const fn new(to: W, lines: bool) -> Self {
        Self { to, lines: if lines { Some(0) } else { None }, said: BTreeMap::new() }
    }

    fn note(&mut self, note: &ToldNote) -> io::Result<()> {
        let ToldNote { code, text, .. } = note;
        match (note.source, note.phase) {
            (Source::Core, _) => {
                let place = note.place.words();
                if !self.is_news(note, &place) {
                    return Ok(());
                }
                let word = note.severity.name().to_uppercase();
                let at = if place.is_empty() { String::new() } else { format!(" ({place})") };
                writeln!(self.to, "surefoot: {word} {code}{at}: {text}")
            }
            (_, Phase::Began { remedy }) => {
                writeln!(self.to, "surefoot: ALARM {code}: {text}. {remedy}")
            }
            (_, Phase::Once | Phase::Over) => writeln!(self.to, "surefoot: {text}"),
        }
    }

    /// Whether a note of the core was not said lately. One fault may raise the same alarm a thousand times.
    fn is_news(&mut self, note: &ToldNote, place: &str) -> bool {
        if self.said.len() >= REMEMBERED_MAX {
            self.said.clear();
        }
        let key = (note.code, place.to_owned());
        let is_news = self.said.get(&key).is_none_or(|said| note.at.since(*said) >= AGAIN_AFTER);
        if is_news {
            self.said.insert(key, note.at);
        }
        is_news
    }

    fn show(&mut self, seen: &[Arc<Observation>]) -> io::Result<()> {
        for seen in seen {
            match &**seen {
                Observation::Note(note) => self.note(note)?,
                Observation::Figures(figures) => {
                    if let Some(lines) = &mut self.lines {
                        write_line(&mut self.to, *lines, figures)?;
                        *lines += 1;
                    }
                }
                Observation::Records(_) => {}
            }
        }
        self.to.flush()
    }
}

impl<W: Write + Send + 'static> Sink for Terminal<W> {
    fn name(&self) -> &'static str {
        "terminal"
    }

    fn interest(&self) -> Interest {
        Interest {
            records: false,
            core_notes: Some(Severity::Alarm),
            run_notes: Some(Severity::Warning),
            figures: self.lines.is_some(),
        }
    }

    fn waiting_max(&self) -> u64 {
        WAITING_MAX
    }

    fn ends_within(&self) -> Duration {
        ENDS_WITHIN
    }

    fn take(&mut self, seen: &[Arc<Observation>]) -> Result<(), String> {
        self.show(seen).map_err(|error| format!("cannot write to stderr: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use surefoot_cold::observe::told::NamedPlace;
    use surefoot_hot::ids::Venue;

    use super::*;
    use crate::app::run_note::RunNote;

    fn core_note(second: u64, venue: Venue) -> ToldNote {
        ToldNote {
            at: Nanos::from_secs(second),
            source: Source::Core,
            code: "cash_drift",
            severity: Severity::Alarm,
            place: NamedPlace::of_venue(venue),
            text: "The venue's cash differs from ours".into(),
            phase: Phase::Once,
        }
    }

    #[test]
    fn notes_are_said_in_words_and_the_same_alarm_once_a_minute() {
        let mut terminal = Terminal::new(Vec::new(), false);
        let began = ToldNote {
            source: Source::Health,
            code: "links_down",
            text: "2 of 4 streams are up".into(),
            phase: Phase::Began { remedy: "Look at the network." },
            ..core_note(0, Venue::Kalshi)
        };
        let over = ToldNote {
            text: "over after 3 s: links_down".into(),
            phase: Phase::Over,
            ..began.clone()
        };
        let resumed = RunNote::Resumed.told(NamedPlace::default(), "resumed: seen to".into());
        let again = [0, 1, 59, 60, 61].map(|second| core_note(second, Venue::Kalshi));
        let other = core_note(61, Venue::Polymarket);
        let notes = [vec![began, over, resumed], again.to_vec(), vec![other]].concat();
        let seen: Vec<_> =
            notes.into_iter().map(|note| Arc::new(Observation::Note(note))).collect();
        terminal.take(&seen).unwrap();
        let said = String::from_utf8(terminal.to).unwrap();
        let alarm = "surefoot: ALARM cash_drift (kalshi): The venue's cash differs from ours";
        let lines: Vec<_> = said.lines().collect();
        assert_eq!(
            lines,
            [
                "surefoot: ALARM links_down: 2 of 4 streams are up. Look at the network.",
                "surefoot: over after 3 s: links_down",
                "surefoot: resumed: seen to",
                alarm,
                alarm,
                "surefoot: ALARM cash_drift (polymarket): The venue's cash differs from ours",
            ]
        );
    }
}
