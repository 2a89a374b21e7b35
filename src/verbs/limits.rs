//! `surefoot limits`: the limits in force, and one of them tightened while a run goes on.

use std::fmt::Write as _;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use surefoot_cold::state_dir::StateDir;

use super::status::not_running;
use super::{refuse, told};
use crate::config::Setup;
use crate::control::client::{PATIENCE, ask};
use crate::exit::Exit;

/// What about the limits.
#[derive(Clone, Debug, Subcommand)]
pub enum LimitsVerb {
    /// Show every limit: configured, in force, and used now where that is known
    Show,
    /// Make a limit tighter, over restarts too; for instance `limits set limits.daily_loss 50 --reason "thin night"`
    Set(LimitSetArgs),
}

/// Which limit is to be tighter.
#[derive(Args, Clone, Debug)]
pub struct LimitSetArgs {
    /// Its key, as in the configuration: `surefoot limits show` lists them
    #[arg(value_name = "KEY")]
    pub key: String,
    /// The value, as in the configuration and tighter than what is in force
    #[arg(value_name = "VALUE")]
    pub value: String,
    /// For the record: why it is to be tighter
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// `surefoot limits …`: asked of the running instance, which alone knows what is in force.
pub fn run(verb: &LimitsVerb, setup: &Setup) -> Exit {
    match verb {
        LimitsVerb::Show => show(setup),
        LimitsVerb::Set(args) => set(args, setup),
    }
}

fn show(setup: &Setup) -> Exit {
    let state = StateDir::at(&setup.config.state_dir);
    match ask(&state, &json!({ "cmd": "limits" }), PATIENCE) {
        Ok(answer) => told(&answer, setup.json, table(&answer).trim_end()),
        Err(error) => not_running(&state, &error, setup.json),
    }
}

fn set(args: &LimitSetArgs, setup: &Setup) -> Exit {
    let state = StateDir::at(&setup.config.state_dir);
    let reason = args.reason.trim();
    if reason.is_empty() {
        let why = "limits set needs a reason: why the limit is to be tighter";
        return refuse(Exit::Usage, why, setup.json);
    }
    let request =
        json!({ "cmd": "limits_set", "key": args.key, "value": args.value, "reason": reason });
    match ask(&state, &request, PATIENCE) {
        Ok(answer) => told(&answer, setup.json, &changed(&answer)),
        Err(error) => not_running(&state, &error, setup.json),
    }
}

fn word<'a>(of: &'a Value, key: &str) -> &'a str {
    of[key].as_str().unwrap_or("–")
}

/// A line a limit; a star where it is tighter than the configuration has it.
fn table(answer: &Value) -> String {
    let mut text = String::new();
    let mut line = |key: &str, cells: [&str; 4], mark: &str| {
        let [configured, in_force, used, unit] = cells;
        writeln!(text, "{key:<34} {configured:>12} {in_force:>12}{mark} {used:>12}  {unit}")
            .expect("text takes everything");
    };
    line("", ["configured", "in force", "used now", ""], " ");
    for limit in answer["limits"].as_array().into_iter().flatten() {
        let cells = ["configured", "in_force", "used", "unit"].map(|key| word(limit, key));
        let mark = if cells[0] == cells[1] { " " } else { "*" };
        line(word(limit, "key"), cells, mark);
    }
    text
}

/// What was changed, for a person.
fn changed(answer: &Value) -> String {
    let changes = answer["changed"].as_array().into_iter().flatten();
    let lines: Vec<_> = changes
        .map(|change| {
            let [key, old, new] = ["key", "old", "new"].map(|name| word(change, name));
            format!("{key}: {old} to {new}")
        })
        .collect();
    if lines.is_empty() {
        return "it has that value already: nothing was changed".to_owned();
    }
    format!("tightened, over restarts too:\n{}", lines.join("\n"))
}
