//! `surefoot status`: what the running instance says of itself, or what is known where none runs.

use std::io::{self, IsTerminal, Write};
use std::thread;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};
use surefoot_cold::state_dir::{HaltLatch, StateDir};
use surefoot_cold::store::open_read_only;

use super::{absolute, told};
use crate::config::Setup;
use crate::control::client::{PATIENCE, ask};
use crate::exit::Exit;

/// What to show.
#[derive(Args, Clone, Debug, Default)]
pub struct StatusArgs {
    /// Again every second, until interrupted
    #[arg(long)]
    pub watch: bool,
}

/// Runs `surefoot status`: asks the running instance how it is.
pub fn run(args: &StatusArgs, setup: &Setup) -> Exit {
    let state = StateDir::at(&setup.config.state_dir);
    loop {
        let exit = match ask(&state, &json!({ "cmd": "status" }), PATIENCE) {
            Ok(answer) if answer["ok"] == true => show(&answer["status"], setup.json, args.watch),
            Ok(answer) => return told(&answer, setup.json, ""),
            Err(error) => return not_running(&state, &error, setup.json),
        };
        if !args.watch {
            return exit;
        }
        thread::sleep(Duration::from_secs(1));
    }
}

fn show(status: &Value, json: bool, again: bool) -> Exit {
    let mut text = String::new();
    if json {
        text = format!("{status}\n");
    } else {
        if again && io::stdout().is_terminal() {
            text.push_str("\x1b[2J\x1b[H"); // one screen, drawn anew
        }
        flatten(status, "", &mut text);
    }
    // A reader that went away (`| head`) ends the watch, and is no mistake.
    if io::stdout().write_all(text.as_bytes()).is_err() {
        return Exit::Ok;
    }
    if status["halt"].is_object() || status["halted"] == true {
        eprintln!("surefoot: trading is halted; `surefoot resume --reason …` lifts it");
    }
    if status["counters_current"] == false {
        eprintln!(
            "surefoot: the counters above are from before the last halt or resume: orders may be missing from them. Ask again"
        );
    }
    Exit::Ok
}

/// One line a value: `orders.sent  12`.
fn flatten(value: &Value, name: &str, text: &mut String) {
    match value {
        Value::Array(values) => {
            let words: Vec<_> = values.iter().map(|value| value.as_str().unwrap_or("?")).collect();
            let words = if words.is_empty() { "none".to_owned() } else { words.join("; ") };
            text.push_str(&format!("{name:<28} {words}\n"));
        }
        Value::Object(fields) => {
            // Every figure of every agent: for scripts, with --json. People read those that are named above.
            for (key, value) in fields.iter().filter(|(key, _)| *key != "figures") {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                flatten(value, &name, text);
            }
        }
        Value::String(words) => text.push_str(&format!("{name:<28} {words}\n")),
        other => text.push_str(&format!("{name:<28} {other}\n")),
    }
}

/// Tells what is known without a running instance: who holds the directory, the halt, the last run.
pub(super) fn not_running(state: &StateDir, error: &io::Error, json: bool) -> Exit {
    let holder = state.holder();
    let (halt, halt_error) = match state.halt() {
        Ok(halt) => (halt, None),
        Err(error) => (None, Some(error.to_string())),
    };
    let last = last_run(state);
    let place = absolute(state);
    match holder {
        Some(pid) => eprintln!(
            "surefoot: process {pid} holds {place} and does not answer ({error}). It may be starting or ending: \
             ask again. Where it stays silent: `surefoot halt` leaves it the word to halt; `kill -9 {pid}` ends it, \
             then look at the venues' own pages, cancel what rests there, and `surefoot start` reconciles"
        ),
        None if !state.was_used() => eprintln!(
            "surefoot: not running in {place}, and no surefoot ever ran there: name its state directory with --state, or \
             `surefoot start` begins a new one"
        ),
        None => eprintln!("surefoot: not running in {place}. `surefoot start` starts it"),
    }
    if holder.is_none() && !last.is_null() && last["ended"].is_null() {
        eprintln!(
            "surefoot: the last run did not end as it should: orders may rest at the venues. `surefoot start` finds what it \
             left, and compares with the venues before anything opens"
        );
    }
    if let Some(latch) = &halt {
        let HaltLatch { reason, who, .. } = latch;
        let done = if holder.is_some() {
            "a halt is latched, NOT confirmed by that process: by"
        } else {
            "halted by"
        };
        eprintln!("surefoot: {done} {who} ({reason}); `surefoot resume --reason …` lifts it");
    }
    if let Some(error) = &halt_error {
        eprintln!("surefoot: {error}; it counts as a halt");
    }
    if json {
        // What a process does that does not answer, nobody knows.
        let halted = holder.is_none().then_some(halt.is_some() || halt_error.is_some());
        let halt = halt.map(
            |latch| json!({ "reason": latch.reason, "who": latch.who, "when_ns": latch.when_ns }),
        );
        println!(
            "{}",
            json!({ "running": holder.is_some(), "healthy": false, "holder": holder, "halted": halted,
                "halt": halt, "last_run": last })
        );
    } else if !last.is_null() {
        let mut text = String::new();
        flatten(&last, "last_run", &mut text);
        print!("{text}");
    }
    if holder.is_some() { Exit::Silent } else { Exit::NotRunning }
}

fn last_run(state: &StateDir) -> Value {
    let read = || -> Option<Value> {
        let db = open_read_only(&state.database()).ok()?;
        db.query_row(
            "SELECT mode, started, ended, (SELECT count(*) FROM orders o WHERE o.run = r.run), \
             (SELECT count(*) FROM orders o WHERE o.run = r.run AND o.state <> 'done') \
             FROM v_runs r ORDER BY started_ns DESC LIMIT 1",
            [],
            |row| {
                Ok(json!({
                    "mode": row.get::<_, String>(0)?,
                    "started": row.get::<_, String>(1)?,
                    "ended": row.get::<_, Option<String>>(2)?,
                    "orders": row.get::<_, i64>(3)?,
                    "orders_not_done": row.get::<_, i64>(4)?,
                }))
            },
        )
        .ok()
    };
    read().unwrap_or(Value::Null)
}
