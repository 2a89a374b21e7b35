//! `surefoot accept-loss`: a person takes it upon them that records of the journal are gone.

use clap::Args;
use serde_json::json;
use surefoot_cold::journal::{self, JournalError};
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

/// Puts the damaged journal aside, so that the next start begins an empty book and takes the venues' word; says so in
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
    let loss = match journal_loss(&state) {
        Ok(()) => {
            let why = "nothing is lost: the journal is whole up to its mark. Nothing was done";
            return refuse(Exit::Failed, why, setup.json);
        }
        Err(error) if !error.is_damage() => {
            return refuse(Exit::State, &error.to_string(), setup.json);
        }
        Err(error) => error,
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

fn put_aside(state: &StateDir, reason: &str, loss: &JournalError) -> Result<String, StateError> {
    let latch = HaltLatch {
        reason: format!("the loss of journal records was accepted: {reason}"),
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
