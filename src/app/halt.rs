//! What is kept of a halt, and what a release does.

use surefoot_cold::observe::told::NamedPlace;
use surefoot_cold::policy::RESUME_WITHIN;
use surefoot_cold::state_dir::{HaltLatch, StateDir, StateError};
use surefoot_hot::event::{Control, Event};

use super::Running;
use super::run_note::RunNote;
use crate::control::RESUME_PATIENCE;
use crate::control::operator_log::record;

const _: () = assert!(
    RESUME_WITHIN.as_secs() < RESUME_PATIENCE.as_secs(),
    "nothing is lifted once whoever asked has stopped waiting"
);

impl Running {
    /// Keeps a halt over restarts (S12), and tells of it.
    pub(super) fn latch_halt(&mut self, who: &str, reason: &str) {
        let when_ns = self.engine.clock.now().get();
        let (latch, told) = keep_halt(&self.state, who, reason, when_ns);
        for (what, text) in told {
            self.tell(what, text);
        }
        self.latch = Some(latch);
    }

    pub(super) fn release(&mut self, market: &str, reason: &str) -> Result<(), String> {
        let entry = self.catalogue.directory.iter().find(|entry| entry.names.id() == market);
        let entry = entry.ok_or_else(|| {
            format!(
                "no market is called {market:?} here: `surefoot status` names those in quarantine"
            )
        })?;
        let what = format!("{market}: {reason}");
        record(&self.state, "release", &what).map_err(|error| error.to_string())?;
        self.engine.tell(Event::Control(Control::Release { market: entry.def.market }));
        let place =
            NamedPlace { market: Some(market.to_owned()), ..NamedPlace::of_venue(entry.def.venue) };
        self.tell_of(RunNote::Released, place, format!("released {what}"));
        Ok(())
    }
}

/// Writes a halt down for the next start, and what is to be told of it. It holds whether or not it could be written.
pub(super) fn keep_halt(
    state: &StateDir,
    who: &str,
    reason: &str,
    when_ns: u64,
) -> (HaltLatch, Vec<(RunNote, String)>) {
    let latch = HaltLatch { reason: reason.to_owned(), who: who.to_owned(), when_ns };
    let mut told = Vec::new();
    if let Err(error) = state.set_halt(&latch) {
        told.push(unsaved(state.halt().ok().flatten(), &error));
    }
    if let Err(error) = record(state, "halt", &format!("{who}: {reason}")) {
        told.push((RunNote::ActUnrecorded, error.to_string()));
    }
    told.push((RunNote::Halted, format!("HALTED by {who}: {reason}")));
    (latch, told)
}

/// What is told of a halt that could not be written down, beside the one that stands on the disk already.
fn unsaved(stands: Option<HaltLatch>, error: &StateError) -> (RunNote, String) {
    match stands {
        Some(HaltLatch { who, reason, .. }) => {
            let text = format!(
                "the halt holds, and so it does for the next start, by an earlier one ({who}: {reason}); this one could not be \
                 written down: {error}"
            );
            (RunNote::ActUnrecorded, text)
        }
        None => {
            let text = format!("the halt holds, but a restart would not know of it: {error}");
            (RunNote::HaltUnsaved, text)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_halt_that_cannot_be_written_holds_and_is_told() {
        let dir = format!("surefoot-keep-halt-{}", std::process::id());
        let state = StateDir::open(&std::env::temp_dir().join(dir)).unwrap();
        std::fs::remove_dir_all(state.root()).unwrap();
        let (latch, told) = keep_halt(&state, "kill_file", "it is there", 7);
        assert_eq!((latch.who.as_str(), latch.reason.as_str()), ("kill_file", "it is there"));
        let told: Vec<_> = told.iter().map(|(what, _)| *what).collect();
        assert_eq!(told, [RunNote::HaltUnsaved, RunNote::ActUnrecorded, RunNote::Halted]);
    }

    #[test]
    fn a_second_halt_on_a_full_disk_does_not_deny_the_first() {
        let error = StateError::Io {
            doing: "write",
            path: "halt.json".into(),
            source: io::ErrorKind::StorageFull.into(),
        };
        let first = HaltLatch { reason: "full".into(), who: "journal".into(), when_ns: 1 };
        let (what, text) = unsaved(Some(first), &error);
        assert_eq!(what, RunNote::ActUnrecorded);
        assert!(text.contains("(journal: full)") && !text.contains("would not know"), "{text}");
        let (what, text) = unsaved(None, &error);
        assert!(what == RunNote::HaltUnsaved && text.contains("would not know"), "{text}");
    }
}
