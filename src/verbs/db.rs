//! `surefoot db`: the database checked, copied, put back and made again.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use surefoot_cold::state_dir::StateDir;
use surefoot_cold::store::StoreError;
use surefoot_cold::store::backup::{Looked, Progress, list, take};
use surefoot_cold::store::check::{Checked, check};
use surefoot_cold::store::rebuild::{Made, rebuild, restore};
use surefoot_cold::text::counted;
use surefoot_cold::wall::unix_ns;
use surefoot_cold::wirelog::WireLogError;
use surefoot_hot::units::Nanos;

use super::{never_ran, refuse, refuse_state, told};
use crate::config::Setup;
use crate::exit::{Exit, Failed};

/// How often long work says how far it is.
const SAY_EVERY: Duration = Duration::from_secs(2);

/// What about the database.
#[derive(Clone, Debug, Subcommand)]
pub enum DbVerb {
    /// Check that the database is whole and that every row says what the journal says; beside a run as well
    #[command(after_help = "Example: surefoot db check --json")]
    Check,
    /// Copy the database into `backups/` of the state directory, and look the copy through; beside a run as well
    #[command(after_help = "Example: surefoot db backup --keep 14")]
    Backup(BackupArgs),
    /// Put a copy in the place of the database and take in what the journal holds behind it; what was there is kept aside
    #[command(
        after_help = "Example: surefoot db restore surefoot-state/backups/surefoot-2026-11-30T22-15-00Z.db"
    )]
    Restore(RestoreArgs),
    /// Make the whole database again from the journal; what was there is kept aside
    #[command(after_help = "Example: surefoot db rebuild")]
    Rebuild(RebuildArgs),
}

/// How a copy is made.
#[derive(Args, Clone, Debug)]
pub struct BackupArgs {
    /// How many copies are kept, this one among them [default: backup.keep of the configuration]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub keep: Option<u16>,
}

/// What is put back.
#[derive(Args, Clone, Debug)]
pub struct RestoreArgs {
    /// A copy that `db backup` or a run has made
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// What the database is made of.
#[derive(Args, Clone, Debug)]
pub struct RebuildArgs {
    /// Also where the journal does not have its beginning any more: the new database begins where the journal does
    #[arg(long)]
    pub kept: bool,
}

/// `surefoot db …`.
pub fn run(verb: &DbVerb, setup: &Setup) -> Exit {
    let state = StateDir::at(&setup.config.state_dir);
    if !state.was_used() && !state.journal().is_dir() {
        return refuse(Exit::NotRunning, &never_ran(&state, "done"), setup.json);
    }
    let needs_one = matches!(verb, DbVerb::Check | DbVerb::Backup(_));
    if needs_one && !state.database().exists() {
        let why = format!(
            "there is no database at {}: `surefoot db rebuild` makes it from the journal, and so does the next start",
            state.database().display()
        );
        return refuse(Exit::State, &why, setup.json);
    }
    match verb {
        DbVerb::Check => run_check(&state, setup),
        DbVerb::Backup(args) => run_backup(&state, args, setup),
        DbVerb::Restore(args) => {
            let why = "The database that is there was not touched. `surefoot db rebuild` makes it from the journal";
            replace(&state, setup, why, |state| restore(state, &args.file, &mut watch()))
        }
        DbVerb::Rebuild(args) => {
            let why = "The database that is there was not touched";
            replace(&state, setup, why, |state| rebuild(state, args.kept, &mut watch()))
        }
    }
}

/// Says on stderr how far long work is, every few seconds.
fn watch() -> impl FnMut(Progress) -> bool {
    let mut said = Instant::now();
    move |Progress { what, done, of }| {
        if said.elapsed() >= SAY_EVERY {
            said = Instant::now();
            eprintln!("surefoot: {done} of {of} {what}");
        }
        true
    }
}

/// How the program ends by an error of the store.
fn exit_of(error: &StoreError) -> Exit {
    match error {
        StoreError::Journal(error) if error.is_damage() => Exit::Corrupt,
        StoreError::WireLog(WireLogError::Corrupt { .. }) => Exit::Corrupt,
        StoreError::Sqlite { .. }
        | StoreError::Newer { .. }
        | StoreError::Aside { .. }
        | StoreError::Journal(_)
        | StoreError::WireLog(_)
        | StoreError::State(_) => Exit::State,
        StoreError::Unfit { .. }
        | StoreError::Shortened { .. }
        | StoreError::Gap { .. }
        | StoreError::Stopped => Exit::Failed,
    }
}

fn tables(rows: &[(String, u64)]) -> Value {
    Value::Object(
        rows.iter().map(|(name, rows)| (name.clone(), (*rows).into())).collect::<Map<_, _>>(),
    )
}

fn run_check(state: &StateDir, setup: &Setup) -> Exit {
    // Asked first: whoever writes it now may end meanwhile.
    let is_running = state.holder().is_some();
    match check(state, &mut watch()) {
        Ok(found) => say_checked(&found, is_running, setup.json),
        Err(error) => refuse(exit_of(&error), &error.to_string(), setup.json),
    }
}

fn say_checked(found: &Checked, is_running: bool, json: bool) -> Exit {
    let is_older = found.version.0 < found.version.1;
    let verdict = match () {
        () if !found.damage.is_empty() => "damaged",
        () if found.differing > 0 => "differs",
        () if is_older => "whole",
        () => "same",
    };
    let rows: u64 = found.tables.iter().map(|(_, rows)| rows).sum();
    let mut answer = json!({
        "ok": found.is_good(),
        "verdict": verdict,
        "running": is_running,
        "schema": found.version.0,
        "records": found.next,
        "behind": found.behind,
        "first_record": found.first,
        "rows": rows,
        "tables": tables(&found.tables),
        "differing": found.differing,
        "differences": found.differences,
        "damage": found.damage,
        "only_in_wire_logs": found.only_in_wire_logs,
    });
    if !found.is_good() {
        for line in found.damage.iter().chain(&found.differences) {
            eprintln!("surefoot: {line}");
        }
        let what = match verdict {
            "damaged" => "the database is damaged".to_owned(),
            _ => format!(
                "{} not what the journal says",
                counted(found.differing, "row is", "rows are")
            ),
        };
        answer["exit"] = Exit::Failed.code().into();
        answer["error"] = format!(
            "{what}. Trading does not need it: `surefoot stop`, then `surefoot db rebuild` makes it from the journal, or \
             `surefoot db restore FILE` of a backup and the journal"
        )
        .into();
    }
    told(&answer, json, &checked_in_words(found, is_running, rows))
}

fn checked_in_words(found: &Checked, is_running: bool, rows: u64) -> String {
    let mut text = String::from("whole");
    if found.version.0 < found.version.1 {
        text.push_str(&format!(
            "; of an earlier version ({}, this program's is {}), so that its rows were not compared: the next start brings it up",
            found.version.0, found.version.1
        ));
        return text;
    }
    text.push_str(&format!(
        ", and {} of it made again from the journal up to record {} are the same",
        counted(rows, "row", "rows"),
        found.next
    ));
    if !found.is_whole {
        text.push_str(&format!(
            "; the journal begins at record {}, what was before it and what adds up over it was not compared",
            found.first
        ));
    }
    if found.behind > 0 && !is_running {
        let behind = counted(found.behind, "record", "records");
        text.push_str(&format!("; the journal is {behind} ahead, which the next start takes in"));
    }
    if found.only_in_wire_logs > 0 && !is_running {
        let orders = counted(found.only_in_wire_logs, "order", "orders");
        text.push_str(&format!("; a wire log has {orders} more, which the next start takes up"));
    }
    text
}

fn run_backup(state: &StateDir, args: &BackupArgs, setup: &Setup) -> Exit {
    let keep = args.keep.map_or(setup.config.backup.keep, usize::from);
    let now = Nanos::new(unix_ns());
    let taken = match take(&state.database(), &state.backups(), now, keep, &mut watch()) {
        Ok(taken) => taken,
        Err(error) => {
            let why = format!(
                "no backup was made: {error}. `surefoot db check` says whether the database is whole"
            );
            return refuse(exit_of(&error), &why, setup.json);
        }
    };
    let kept = list(&state.backups()).map_or(1, |files| files.len());
    let path = taken.path.display().to_string();
    let done = format!(
        "{path}: {} bytes, {}, up to record {}, looked through; {} kept",
        taken.bytes,
        counted(taken.looked.rows(), "row", "rows"),
        taken.looked.next,
        counted(kept as u64, "backup is", "backups are"),
    );
    let answer = json!({
        "ok": true,
        "backup": path,
        "bytes": taken.bytes,
        "schema": taken.looked.version,
        "records": taken.looked.next,
        "rows": taken.looked.rows(),
        "tables": tables(&taken.looked.tables),
        "kept": kept,
        "removed": taken.removed,
    });
    told(&answer, setup.json, &done)
}

/// Puts another database in the place of the one that is there, where no instance is at work.
fn replace(
    state: &StateDir,
    setup: &Setup,
    untouched: &str,
    make: impl FnOnce(&StateDir) -> Result<Made, StoreError>,
) -> Exit {
    let _lock = match state.lock() {
        Ok(lock) => lock,
        Err(error) => return refuse_state(error, setup.json),
    };
    match make(state) {
        Ok(made) => say_made(&state.database(), &made, setup.json),
        Err(StoreError::State(error)) => Failed::from(error).say(setup.json),
        Err(error) => {
            let why = format!("{error}. {untouched}");
            refuse(exit_of(&error), &why, setup.json)
        }
    }
}

fn say_made(database: &Path, made: &Made, json: bool) -> Exit {
    let Made { first, looked, aside, alarms, only_in_wire_logs } = made;
    let Looked { next, tables: rows, .. } = looked;
    let aside = aside.as_ref().map(|path| path.display().to_string());
    let mut done = format!(
        "{}: {} of records {first} to {}, looked through",
        database.display(),
        counted(looked.rows(), "row", "rows"),
        next.saturating_sub(1)
    );
    match alarms {
        Some(alarms) => {
            done.push_str(&format!("; {} of health kept", counted(*alarms, "alarm", "alarms")))
        }
        None => done
            .push_str("; the alarms of health are lost, no database that was there could be read"),
    }
    if *only_in_wire_logs > 0 {
        let orders = counted(*only_in_wire_logs, "order", "orders");
        done.push_str(&format!("; a wire log has {orders} more, which the next start takes up"));
    }
    if let Some(aside) = &aside {
        done.push_str(&format!(". What it replaces is kept as {aside}"));
    }
    let answer = json!({
        "ok": true,
        "database": database.display().to_string(),
        "aside": aside,
        "first_record": first,
        "records": next,
        "rows": looked.rows(),
        "tables": tables(rows),
        "health_alarms": alarms,
        "only_in_wire_logs": only_in_wire_logs,
    });
    told(&answer, json, &done)
}
