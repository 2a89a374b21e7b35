//! `surefoot replay`: the journal folded again, and whether it gives the same decisions.

use serde_json::json;
use surefoot_cold::journal::replay::ReplayError;
use surefoot_cold::journal::{Mark, replay};
use surefoot_cold::state_dir::StateDir;

use crate::cli::ReplayArgs;
use crate::config::Setup;
use crate::exit::Exit;

/// Replays the journal named, or the state directory's.
pub fn run(args: &ReplayArgs, setup: &Setup) -> Exit {
    let path = match &args.path {
        // A state directory is as good a name for its journal.
        Some(path) if StateDir::at(path).journal().is_dir() => StateDir::at(path).journal(),
        Some(path) => path.clone(),
        None => StateDir::at(&setup.config.state_dir).journal(),
    };
    // Read first: a run that goes on meanwhile moves it.
    let mark =
        path.parent().map_or(Ok(None), |root| Mark::read(&StateDir::at(root).journal_mark()));
    let replayed = mark.map_err(ReplayError::Journal).and_then(|mark| {
        let replayed = replay(&path, |_| ())?;
        if let Some(mark) = mark.filter(|_| path.is_dir()) {
            mark.check(&path).map_err(ReplayError::Journal)?;
        }
        Ok(replayed)
    });
    let replayed = match replayed {
        Ok(replayed) => replayed,
        Err(error) => {
            let (exit, verdict) = match &error {
                ReplayError::Diverged { .. } => (Exit::Diverged, "diverged"),
                ReplayError::Journal(error) if error.is_damage() => (Exit::Corrupt, "corrupt"),
                ReplayError::Journal(_) => (Exit::Failed, "unreadable"),
            };
            eprintln!("surefoot: {error}");
            if setup.json {
                println!("{}", json!({ "verdict": verdict, "error": error.to_string() }));
            }
            return exit;
        }
    };
    let (decision, state) = (replayed.core.decision_hash(), replayed.core.state_hash());
    if let Some(torn) = &replayed.torn {
        eprintln!(
            "surefoot: {} ends within a record at byte {}: the run was cut off there ({} bytes are left out)",
            torn.file.display(),
            torn.offset,
            torn.bytes
        );
    }
    if setup.json {
        let report = json!({
            "verdict": "same",
            "journal": path.display().to_string(),
            "decision_hash": format!("{decision:016x}"),
            "state_hash": format!("{state:016x}"),
            "records": replayed.records,
            "inputs": replayed.inputs,
            "intents": replayed.intents,
            "notes": replayed.notes,
            "runs": replayed.runs,
            "closed": replayed.closed,
            "torn_bytes": replayed.torn.as_ref().map_or(0, |torn| torn.bytes),
        });
        println!("{report}");
    } else {
        println!("decision hash {decision:016x}");
        println!("state hash    {state:016x}");
        println!(
            "{} records of {} runs: {} inputs gave the same {} intents and {} notes{}",
            replayed.records,
            replayed.runs,
            replayed.inputs,
            replayed.intents,
            replayed.notes,
            if replayed.closed { "" } else { "; the last run did not end as it should" }
        );
    }
    Exit::Ok
}
