//! The journal of a simulated day, as a run that lived it would have written it: for `replay`, and for measuring it.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use surefoot_cold::journal::{
    Identity, Journal, JournalError, Options, SEGMENT_BYTES, Sync, binary_hash, end_of, segments,
};
use surefoot_cold::state_dir::StateDir;
use surefoot_hot::event::Event;
use surefoot_hot::journal::{Body, Close};
use surefoot_hot::outbox::Outbox;
use surefoot_hot::units::Nanos;

use super::{Outcome, Plan, run_planned};

/// Events between two writes to the file.
const FLUSH_EVERY: u64 = 4_096;

/// A journal that was written.
#[derive(Clone, Debug)]
pub struct Written {
    /// What came of the day.
    pub outcome: Outcome,
    /// Records in the journal, its headers and its end among them.
    pub records: u64,
}

/// How the journal of a day in `dir` is written.
pub fn options(dir: &Path, run: u64) -> Options {
    let state = StateDir::at(dir);
    Options {
        dir: state.journal(),
        sync: Sync::Off,
        segment_bytes: SEGMENT_BYTES,
        identity: Identity { config: 1, binary: binary_hash(), run, venue: 3, mode: 0 },
        fresh: run == 1,
        mark: Some(state.journal_mark()),
        untold: Vec::new(),
    }
}

/// Writes what an event was and what the core made of it.
///
/// # Errors
/// There is no room.
pub fn append(
    journal: &mut Journal,
    now: Nanos,
    event: &Event,
    out: &Outbox,
) -> Result<u64, JournalError> {
    journal.append(now, &Body::Input(*event))?;
    for intent in out.intents() {
        journal.append(now, &Body::Intent(intent.into()))?;
    }
    for note in out.notes() {
        journal.append(now, &Body::Note(*note))?;
    }
    Ok(1 + (out.intents().len() + out.notes().len()) as u64)
}

/// Simulates a day in which the program is not killed, and writes its journal into `dir`, which becomes a state directory that
/// `surefoot replay` takes.
///
/// # Errors
/// The day does not hold, the directory has a journal already, or there is no room, in words.
pub fn write(dir: &Path, seed: u64, span: Nanos, plan: Plan) -> Result<Written, String> {
    struct Writing {
        journal: Journal,
        events: u64,
        last: Nanos,
        failed: Option<JournalError>,
    }
    let state = StateDir::open(dir).map_err(|error| error.to_string())?;
    let there = segments(&state.journal()).map_err(|error| error.to_string())?;
    if !there.is_empty() {
        return Err(format!(
            "{} is there already: name another directory",
            state.journal().display()
        ));
    }
    let journal = Journal::open(options(dir, 1), Nanos::ZERO).map_err(|error| error.to_string())?;
    let writing = Writing { journal, events: 0, last: Nanos::ZERO, failed: None };
    let writing = Rc::new(RefCell::new(writing));
    let to = Rc::clone(&writing);
    let listener = Box::new(move |now: Nanos, event: &Event, out: &Outbox| {
        let mut to = to.borrow_mut();
        if to.failed.is_some() {
            return;
        }
        (to.events, to.last) = (to.events + 1, now);
        let is_due = to.events.is_multiple_of(FLUSH_EVERY);
        let wrote = append(&mut to.journal, now, event, out)
            .and_then(|_| if is_due { to.journal.flush() } else { Ok(()) });
        to.failed = wrote.err();
        if is_due {
            drop(to.journal.take_made()); // nobody follows it
        }
    });
    let outcome =
        run_planned(seed, span, Plan { listener, ..plan }).map_err(|broken| broken.to_string())?;
    let writing = Rc::into_inner(writing).expect("the day is over, and its listener with it");
    let Writing { mut journal, last, failed, .. } = writing.into_inner();
    let close = Close { decision: outcome.decision_hash, state: outcome.state_hash };
    let closed = failed.map_or_else(|| journal.close(last, close), Err);
    closed.map_err(|error| error.to_string())?;
    let all = segments(&state.journal())
        .and_then(|all| end_of(&all))
        .map_err(|error| error.to_string())?;
    Ok(Written { outcome, records: all.next() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use surefoot_cold::journal::replay;

    /// The end of the journal holds both hashes of the day: a replay that comes to others fails.
    #[test]
    fn the_journal_of_a_day_folds_to_what_the_day_was() {
        let dir = std::env::temp_dir().join(format!("surefoot-day-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        let (seed, span) = (3, Nanos::from_secs(1_800));
        let plan = || Plan { faults: Vec::new(), ..Plan::of(seed, span) };
        let Written { outcome, records } = write(&dir, seed, span, plan()).unwrap();
        let folded = replay(&StateDir::at(&dir).journal(), |_| ()).unwrap();
        assert!(folded.closed && folded.differences.count == 0, "{:?}", folded.differences);
        assert_eq!((folded.counts.records, folded.counts.inputs), (records, outcome.events));
        assert_eq!(folded.core.decision_hash(), outcome.decision_hash);
        assert_eq!(folded.core.state_hash(), outcome.state_hash);
        assert!(outcome.opened > 0 && folded.counts.intents > 10, "nothing was traded");
        let again = write(&dir, seed, span, plan()).unwrap_err();
        assert!(again.contains("is there already"), "{again}");
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
