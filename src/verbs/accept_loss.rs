//! `surefoot accept-loss`: a person takes it upon them that records of the journal are gone, or the state that it goes on from.

use std::fmt;

use clap::Args;
use serde_json::json;
use surefoot_cold::journal::replay::{Divergence, ReplayError};
use surefoot_cold::journal::{self, JournalError};
use surefoot_cold::snapshot;
use surefoot_cold::state_dir::{HaltLatch, StateDir, StateError};

use super::{never_ran, refuse, refuse_state, told};
use crate::app::recover::journal_loss;
use crate::config::Setup;
use crate::control::operator_log::{now_ns, record};
use crate::exit::Exit;

/// Why a loss is accepted.
#[derive(Args, Clone, Debug)]
pub struct AcceptArgs {
    /// For the record: what was lost, and what you saw at the venues
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// What a journal has lost.
#[derive(Debug)]
enum Loss {
    /// Records that were on the disk once are missing or damaged.
    Records(JournalError),
    /// The state that it goes on from: its beginning was removed, and no snapshot is left that this program can read.
    State,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Records(error) => error.fmt(f),
            Self::State => f.write_str(
                "the journal is whole, and the state that it goes on from is in no snapshot that this version reads",
            ),
        }
    }
}

/// What the journal has lost, every record read; `None` where a start can go on from it, or fails for another reason.
///
/// # Errors
/// It cannot be read.
fn loss_of(state: &StateDir) -> Result<Option<Loss>, JournalError> {
    match journal_loss(state) {
        Err(error) if error.is_damage() => return Ok(Some(Loss::Records(error))),
        read => read?,
    }
    let restored = snapshot::restore(&state.journal(), &state.snapshots(), |_| ());
    match restored {
        Err(ReplayError::Diverged { how: Divergence::Headless, .. }) => Ok(Some(Loss::State)),
        Err(ReplayError::Journal(error)) => Err(error),
        Ok(_) | Err(ReplayError::Diverged { .. }) => Ok(None),
    }
}

/// Puts the journal aside that cannot be gone on from, so that the next start begins an empty book and takes the venues' word; says so in
/// `operator.jsonl`, and halts until a person has looked.
///
/// What is left of the journal is not continued: it may believe in a group's first leg whose hedge it lost.
pub fn run(args: &AcceptArgs, setup: &Setup) -> Exit {
    let state = StateDir::at(&setup.config.state_dir);
    let reason = args.reason.trim();
    if reason.is_empty() {
        let why = "accept-loss needs a reason: what was lost, and what you saw at the venues";
        return refuse(Exit::Usage, why, setup.json);
    }
    if !state.was_used() {
        return refuse(Exit::NotRunning, &never_ran(&state, "accepted"), setup.json);
    }
    let _lock = match state.lock() {
        Ok(lock) => lock,
        Err(error) => return refuse_state(error, setup.json),
    };
    let loss = match loss_of(&state) {
        Ok(None) => {
            let why = "nothing is lost: the journal is whole up to its mark, and what it goes on from is there. Nothing was done";
            return refuse(Exit::Failed, why, setup.json);
        }
        Ok(Some(loss)) => loss,
        Err(error) => return refuse(Exit::State, &error.to_string(), setup.json),
    };
    match put_aside(&state, reason, &loss) {
        Ok(aside) => {
            let done = format!(
                "accepted. The journal is kept as {aside}; halted until you have looked. Next: `surefoot start` begins an \
                 empty book and takes the venues' word on cash and positions; today's loss counts from zero; contracts on \
                 one leg are not known as such: close them at the venues' own pages, then `surefoot resume --reason …`"
            );
            told(&json!({ "ok": true, "journal": aside, "halted": true }), setup.json, &done)
        }
        Err(error) => refuse_state(error, setup.json),
    }
}

fn put_aside(state: &StateDir, reason: &str, loss: &Loss) -> Result<String, StateError> {
    let latch = HaltLatch {
        reason: format!("a loss of the journal was accepted: {reason}"),
        who: "operator".into(),
        when_ns: now_ns(),
    };
    // In this order: a crash in between leaves a journal that still does not start, and a halt.
    state.set_halt(&latch)?;
    record(state, "accept-loss", &format!("{reason} ({loss})"))?;
    let aside = journal::put_aside(&[
        state.journal(),
        state.database(),
        state.journal_mark(),
        state.snapshots(),
        state.backups(), // of the journal that goes
    ])?;
    Ok(aside.display().to_string())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use surefoot_cold::journal::Journal;
    use surefoot_hot::units::Nanos;

    use super::*;
    use crate::config::load::{Inputs, read};
    use crate::sim::day_journal::options;

    /// What `accept-loss` ends with where the journal begins with this run: the first is fresh, a later one goes on from another.
    fn accepted(name: &str, first_run: u64) -> (Exit, StateDir) {
        let root =
            std::env::temp_dir().join(format!("surefoot-loss-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        let state = StateDir::open(&root).unwrap();
        fs::write(state.names(), "{}").unwrap(); // a run came before
        let mut journal = Journal::open(options(&root, first_run), Nanos::from_secs(1)).unwrap();
        journal.flush().and_then(|()| journal.sync()).unwrap();
        let mut setup = Setup { config: read(&Inputs::default()).0.config, json: true };
        setup.config.state_dir = root;
        (run(&AcceptArgs { reason: "the upgrade of today".to_owned() }, &setup), state)
    }

    #[test]
    fn a_whole_journal_without_the_state_it_goes_on_from_is_put_aside_with_a_halt() {
        let (exit, state) = accepted("state", 2);
        assert_eq!(exit, Exit::Ok);
        assert!(!state.journal().exists(), "the next start begins an empty book");
        assert!(state.root().join("journal.aside-1").is_dir(), "and the journal is kept");
        let halt = state.halt().unwrap().expect("nothing opens before a person has looked");
        assert!(halt.reason.contains("the upgrade of today"), "{halt:?}");
        let record = fs::read_to_string(state.operator_log()).unwrap();
        assert!(record.contains("no snapshot that this version reads"), "{record}");
        fs::remove_dir_all(state.root()).unwrap();
    }

    #[test]
    fn a_journal_that_a_start_goes_on_from_is_left() {
        let (exit, state) = accepted("whole", 1);
        assert_eq!(exit, Exit::Failed);
        assert!(state.journal().is_dir() && state.halt().unwrap().is_none());
        fs::remove_dir_all(state.root()).unwrap();
    }
}
