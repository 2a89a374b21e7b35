//! `surefoot replay`: the journal folded again, and whether it gives the same decisions.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};
use surefoot_cold::journal::replay::ReplayError;
use surefoot_cold::journal::{Expect, Mark, Replayed, binary_hash};
use surefoot_cold::snapshot::replay_kept;
use surefoot_cold::state_dir::StateDir;
use surefoot_cold::text::counted;

use crate::config::Setup;
use crate::exit::Exit;

/// What to replay.
#[derive(Args, Clone, Debug, Default)]
pub struct ReplayArgs {
    /// A journal directory or one of its segments [default: the state directory's journal]
    pub path: Option<PathBuf>,
}

/// Replays the journal named, or the state directory's.
pub fn run(args: &ReplayArgs, setup: &Setup) -> Exit {
    let path = match &args.path {
        // A state directory is as good a name for its journal.
        Some(path) if StateDir::at(path).journal().is_dir() => StateDir::at(path).journal(),
        Some(path) => path.clone(),
        None => StateDir::at(&setup.config.state_dir).journal(),
    };
    // Asked first: whoever writes it now may end meanwhile.
    let is_running = path.parent().is_some_and(|root| StateDir::at(root).holder().is_some());
    let replayed = match replay_whole(&path) {
        Ok(replayed) => replayed,
        Err(error) => return say_failure(&error, setup.json),
    };
    if let Some(torn) = replayed.torn.as_ref().filter(|_| !is_running) {
        eprintln!(
            "surefoot: {} ends within a record at byte {}: the run was cut off there ({} bytes are left out)",
            torn.file.display(),
            torn.offset,
            torn.bytes
        );
    }
    if setup.json {
        println!("{}", as_json(&path, &replayed, is_running));
    } else {
        print_for_people(&replayed, is_running);
    }
    Exit::Ok
}

/// All that there is of the journal folded again, its end held against the mark beside it. Runs of this program must come
/// out the same; what it decides otherwise than another one is listed.
fn replay_whole(path: &Path) -> Result<Replayed, ReplayError> {
    // Read first: a run that goes on meanwhile moves it.
    let mark =
        path.parent().map_or(Ok(None), |root| Mark::read(&StateDir::at(root).journal_mark()));
    let mark = mark.map_err(ReplayError::Journal)?;
    let snapshots = path.parent().map(|root| StateDir::at(root).snapshots()).unwrap_or_default();
    let say = |line: &str| eprintln!("surefoot: {line}");
    let replayed = replay_kept(path, &snapshots, Expect::Program(binary_hash()), say)?;
    if let Some(mark) = mark.filter(|_| path.is_dir()) {
        mark.check(path).map_err(ReplayError::Journal)?;
    }
    Ok(replayed)
}

fn say_failure(error: &ReplayError, json: bool) -> Exit {
    let (exit, verdict) = match error {
        ReplayError::Diverged { .. } => (Exit::Diverged, "diverged"),
        ReplayError::Journal(error) if error.is_damage() => (Exit::Corrupt, "corrupt"),
        ReplayError::Journal(_) => (Exit::Failed, "unreadable"),
    };
    eprintln!("surefoot: {error}");
    if json {
        println!("{}", json!({ "verdict": verdict, "error": error.to_string() }));
    }
    exit
}

fn as_json(path: &Path, replayed: &Replayed, is_running: bool) -> Value {
    let first = replayed.differences.first.iter();
    let first_differences: Vec<Value> =
        first.map(|(seq, how)| json!({ "record": seq, "what": how.to_string() })).collect();
    json!({
        "verdict": if replayed.differences.count == 0 { "same" } else { "differs" },
        "journal": path.display().to_string(),
        "decision_hash": format!("{:016x}", replayed.core.decision_hash()),
        "state_hash": format!("{:016x}", replayed.core.state_hash()),
        "records": replayed.counts.records,
        "inputs": replayed.counts.inputs,
        "intents": replayed.counts.intents,
        "notes": replayed.counts.notes,
        "runs": replayed.counts.runs,
        "closed": replayed.closed,
        "running": is_running,
        "first_record": replayed.first,
        "differences": replayed.differences.count,
        "first_differences": first_differences,
        "torn_bytes": replayed.torn.as_ref().map_or(0, |torn| torn.bytes),
    })
}

fn print_for_people(replayed: &Replayed, is_running: bool) {
    println!("decision hash {:016x}", replayed.core.decision_hash());
    println!("state hash    {:016x}", replayed.core.state_hash());
    if replayed.first > 0 {
        println!(
            "begins at record {} from a snapshot: what came before is no longer there",
            replayed.first
        );
    }
    let made = if replayed.differences.count == 0 { "gave the same" } else { "were compared with" };
    let end = match (replayed.closed, is_running) {
        (true, _) => "",
        (false, true) => "; an instance is at work and writes on",
        (false, false) => "; the last run did not end as it should",
    };
    let counts = &replayed.counts;
    println!(
        "{} of {}: {} {made} {} and {}{end}",
        counted(counts.records, "record", "records"),
        counted(counts.runs, "run", "runs"),
        counted(counts.inputs, "input", "inputs"),
        counted(counts.intents, "intent", "intents"),
        counted(counts.notes, "note", "notes"),
    );
    if replayed.differences.count > 0 {
        println!(
            "another version of surefoot wrote runs of it; this one decides otherwise {}, the later ones perhaps because \
             of the first:",
            counted(replayed.differences.count, "time", "times")
        );
        for (seq, how) in &replayed.differences.first {
            println!("record {seq}: {how}");
        }
    }
}
