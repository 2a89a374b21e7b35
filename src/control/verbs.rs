//! The verbs that speak to a running instance, and what they do where none runs.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use surefoot_cold::state_dir::{HaltLatch, StateDir, StateError};
use surefoot_cold::store::open_read_only;

use super::client::{PATIENCE, PATIENCE_LONG, ask, ask_patiently};
use super::{cut_reason, farewell};
use crate::cli::{HaltArgs, ReleaseArgs, ResumeArgs, StatusArgs};
use crate::exit::Exit;
use crate::run::Setup;

/// How long `start` waits for health.
const START_WITHIN: Duration = Duration::from_secs(60);
/// After how long `stop` says that it still waits, and how long it waits in all: a run whose venue hangs needs minutes to
/// end well. As `TimeoutStopSec` in `tuning/systemd/surefoot.service`.
const STOP_SAID_AFTER: Duration = Duration::from_secs(15);
const STOP_WITHIN: Duration = Duration::from_secs(300);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long a halt waits for an answer, and again for the `KILL` file to be obeyed: who halts cannot wait.
const HALT_WITHIN: Duration = Duration::from_secs(1);
/// The lock goes with the process, the last words may come a moment after it.
const FAREWELL_WITHIN: Duration = Duration::from_secs(1);

/// `surefoot status`.
pub fn status(args: &StatusArgs, setup: &Setup) -> Exit {
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
            for (key, value) in fields {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                flatten(value, &name, text);
            }
        }
        Value::String(words) => text.push_str(&format!("{name:<28} {words}\n")),
        other => text.push_str(&format!("{name:<28} {other}\n")),
    }
}

/// Tells what is known without a running instance: who holds the directory, the halt, the last run.
fn not_running(state: &StateDir, error: &io::Error, json: bool) -> Exit {
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
        None => eprintln!("surefoot: not running in {place}. `surefoot start` starts it"),
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

/// The directory's whole name: a relative one says nothing to who stands in the wrong place.
fn absolute(state: &StateDir) -> String {
    let path = std::path::absolute(state.root()).unwrap_or_else(|_| state.root().to_owned());
    path.display().to_string()
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

/// `surefoot halt`: told to the running instance, or latched for the next.
pub fn halt(args: &HaltArgs, setup: &Setup) -> Exit {
    let state = StateDir::at(&setup.config.state_dir);
    let reason = args.reason.as_deref().map(cut_reason).unwrap_or_else(|| "no reason given".into());
    let place = absolute(&state);
    match ask(&state, &json!({ "cmd": "halt", "reason": reason }), HALT_WITHIN) {
        Ok(answer) => {
            told(&answer, setup.json, "halted: nothing is opened, everything is cancelled")
        }
        Err(error) => {
            let latch = HaltLatch { reason, who: "operator".into(), when_ns: now_ns() };
            if let Some(pid) = state.holder() {
                return halt_silent(&state, pid, &error, &latch, setup.json);
            }
            if !state.was_used() {
                return refuse(Exit::NotRunning, &never_ran(&state, "halted"), setup.json);
            }
            match state.set_halt(&latch) {
                Ok(()) => told(
                    &json!({ "ok": true, "running": false, "state": place }),
                    setup.json,
                    &format!(
                        "no instance runs in {place}. Halt latched there: the next start opens nothing until it is \
                         resumed"
                    ),
                ),
                Err(error) => say(&error),
            }
        }
    }
}

/// It lives and does not answer. The file needs no socket: the run obeys it as soon as it looks around again.
fn halt_silent(
    state: &StateDir,
    pid: u32,
    error: &io::Error,
    latch: &HaltLatch,
    json: bool,
) -> Exit {
    let (kill, before) = (state.kill_file(), state.halt().ok().flatten());
    let is_new = !kill.exists();
    // On a full disk an empty file may still be made, and its being there is what counts.
    let made = OpenOptions::new().create(true).append(true).mode(0o600).open(&kill);
    let left = match &made {
        Ok(_) => format!(
            "{} is there: it halts when it wakes, and so does the next start",
            kill.display()
        ),
        Err(error) => format!("not even {} could be made ({error})", kill.display()),
    };
    let begin = Instant::now();
    while made.is_ok() && begin.elapsed() < HALT_WITHIN {
        thread::sleep(LOOK_EVERY);
        let now = state.halt().ok().flatten();
        if now.is_some() && now != before {
            if is_new {
                let _ = fs::remove_file(&kill); // obeyed; a resume need not trip over it
            }
            return told(
                &json!({ "ok": true, "halted": true, "pid": pid }),
                json,
                "halted, after a while: nothing is opened, everything is cancelled",
            );
        }
    }
    if state.holder() == Some(pid)
        && before.is_none() // what halted it first is what must be understood
        && let Err(error) = state.set_halt(latch)
    {
        eprintln!("surefoot: {error}");
    }
    let why = format!(
        "asked, NOT confirmed: process {pid} in {} does not answer ({error}). Orders may rest at the venues. {left}. \
         Now: `kill -9 {pid}`, cancel what rests on the venues' own pages, then `surefoot start`: it reconciles, and \
         stays halted until {} is removed and `surefoot resume --reason …` is said",
        absolute(state),
        kill.display()
    );
    refuse(Exit::Silent, &why, json)
}

pub(super) fn never_ran(state: &StateDir, done: &str) -> String {
    format!(
        "no surefoot has run in {}: NOTHING was {done}; name its state directory with --state",
        absolute(state)
    )
}

/// `surefoot resume`: told to the running instance, or the latch lifted for the next start, which reconciles
/// before it opens anything.
pub fn resume(args: &ResumeArgs, setup: &Setup) -> Exit {
    let state = StateDir::at(&setup.config.state_dir);
    let reason = args.reason.trim();
    if reason.is_empty() {
        eprintln!("surefoot: resume needs a reason: what was wrong, and why it is right now");
        return Exit::Usage;
    }
    if state.kill_file().exists() {
        eprintln!(
            "surefoot: {} is still there and keeps the halt; remove it first",
            state.kill_file().display()
        );
        return Exit::Halted;
    }
    let wait = || {
        eprintln!(
            "surefoot: waiting for both venues to be compared with, up to a minute. `surefoot status` and `surefoot halt` work \
             meanwhile"
        );
    };
    let request = json!({ "cmd": "resume", "reason": reason });
    match ask_patiently(&state, &request, PATIENCE_LONG, wait) {
        Ok(answer) => told(&answer, setup.json, "resumed"),
        Err(error) => match state.holder() {
            Some(pid) => {
                let why = format!("process {pid} does not answer ({error}); nothing was resumed");
                refuse(Exit::Silent, &why, setup.json)
            }
            None if !state.was_used() => {
                refuse(Exit::NotRunning, &never_ran(&state, "resumed"), setup.json)
            }
            None => {
                let lifted = record(&state, "resume", reason).and_then(|()| state.clear_halt());
                match lifted {
                    Ok(()) => told(
                        &json!({ "ok": true, "running": false }),
                        setup.json,
                        "halt lifted: the next start reconciles, then trades",
                    ),
                    Err(error) => say(&error),
                }
            }
        },
    }
}

/// `surefoot release`: told to the running instance; where none runs there is nobody who could check the name.
pub fn release(args: &ReleaseArgs, setup: &Setup) -> Exit {
    let state = StateDir::at(&setup.config.state_dir);
    let (market, reason) = (args.market.trim(), args.reason.trim());
    if reason.is_empty() {
        eprintln!(
            "surefoot: release needs a reason: what the message meant, and why the market may be traded"
        );
        return Exit::Usage;
    }
    match ask(&state, &json!({ "cmd": "release", "market": market, "reason": reason }), PATIENCE) {
        Ok(answer) => told(&answer, setup.json, "released: it may be opened in again"),
        Err(error) => not_running(&state, &error, setup.json),
    }
}

/// What an operator did, kept for ever: a line in `operator.jsonl`, synced.
///
/// # Errors
/// It could not be written; what it records must not be done then.
pub fn record(state: &StateDir, what: &str, reason: &str) -> Result<(), StateError> {
    let path = state.root().join("operator.jsonl");
    let line = json!({ "when_ns": now_ns(), "what": what, "reason": reason });
    OpenOptions::new()
        .append(true)
        .create(true)
        .open(&path)
        .and_then(|mut file| {
            writeln!(file, "{line}")?;
            file.sync_data()
        })
        .map_err(|source| StateError::Io { doing: "write", path, source })
}

/// Whether a person resumed trading after that time, while nothing ran.
pub fn lifted_since(state: &StateDir, when_ns: u64) -> bool {
    let text = fs::read_to_string(state.root().join("operator.jsonl")).unwrap_or_default();
    let last = text.lines().rev().find_map(|line| serde_json::from_str::<Value>(line).ok());
    last.is_some_and(|line| {
        line["what"] == "resume" && line["when_ns"].as_u64().is_some_and(|at| at > when_ns)
    })
}

/// `surefoot stop`: returns when the instance is gone, and ends as it ended.
pub fn stop(setup: &Setup) -> Exit {
    let state = StateDir::at(&setup.config.state_dir);
    let holder = state.holder();
    let pid = match ask(&state, &json!({ "cmd": "stop" }), PATIENCE) {
        Err(error) => return not_running(&state, &error, setup.json),
        Ok(answer) => holder.or_else(|| u32::try_from(answer["pid"].as_u64()?).ok()),
    };
    // Where the directory was renamed or removed, only the instance itself can tell that it is still there.
    let is_there = || match holder {
        Some(_) => state.holder().is_some(),
        None => ask(&state, &json!({ "cmd": "where" }), PATIENCE).is_ok(),
    };
    let begin = Instant::now();
    let mut said = false;
    while is_there() {
        if begin.elapsed() > STOP_SAID_AFTER && !said {
            said = true;
            eprintln!(
                "surefoot: it is still stopping: it waits for its groups and for the venues' word on what rests, at most {} s",
                STOP_WITHIN.as_secs()
            );
        }
        if begin.elapsed() > STOP_WITHIN {
            eprintln!(
                "surefoot: it still runs after {} s. `surefoot status` shows what rests at the venues; a second \
                 signal ends it at once and leaves that resting",
                STOP_WITHIN.as_secs()
            );
            return Exit::Silent;
        }
        thread::sleep(LOOK_EVERY);
    }
    let pid = pid.unwrap_or_default();
    let begin = Instant::now();
    let mut ended = farewell::of(&state, pid);
    while ended.is_none() && begin.elapsed() < FAREWELL_WITHIN {
        thread::sleep(LOOK_EVERY);
        ended = farewell::of(&state, pid);
    }
    match ended {
        Some(Exit::Ok) => {
            told(&json!({ "ok": true, "stopping": true, "exit": 0 }), setup.json, "stopped")
        }
        Some(exit) => {
            let (meaning, remedy) = exit.meaning();
            let why =
                format!("it stopped, and not well ({}): {} {remedy}", exit.code(), meaning.trim());
            refuse(exit, &why, setup.json)
        }
        None => {
            let why = "it is gone and did not say how it ended: orders may rest at the venues. `surefoot start` finds \
                       and reconciles what rests";
            refuse(Exit::Unreconciled, why, setup.json)
        }
    }
}

/// `surefoot start`: this program again, with these arguments, in the background.
pub fn start(run_args: &[OsString], setup: &Setup) -> Exit {
    let state = match StateDir::open(&setup.config.state_dir) {
        Ok(state) => state,
        Err(error) => return say(&error),
    };
    if let Some(pid) = state.holder() {
        let path = state.root().to_owned();
        return say(&StateError::InUse { path, pid: Some(pid) });
    }
    let mut child = match spawn(&state, run_args) {
        Ok(child) => child,
        Err(source) => {
            return say(&StateError::Io { doing: "start with", path: state.log(), source });
        }
    };
    let begin = Instant::now();
    loop {
        if let Ok(Some(ended)) = child.try_wait() {
            eprintln!(
                "surefoot: it ended at once ({ended}); the end of {}:",
                state.log().display()
            );
            eprintln!("{}", tail(&state));
            let code = ended.code().and_then(|code| u8::try_from(code).ok());
            let same = Exit::ALL.iter().find(|exit| Some(exit.code()) == code && code != Some(0));
            return same.copied().unwrap_or(Exit::Failed);
        }
        if let Ok(answer) = ask(&state, &json!({ "cmd": "status" }), PATIENCE)
            && answer["status"]["pid"] == child.id() // another may have been quicker
            && is_up(&answer["status"])
        {
            let (pid, halted) = (child.id(), answer["status"]["halted"] == true);
            let answer =
                json!({ "ok": true, "pid": pid, "halted": halted, "state": absolute(&state) });
            let done =
                format!("started: process {pid}{}", if halted { ", HALTED as before" } else { "" });
            return told(&answer, setup.json, &done);
        }
        if begin.elapsed() > START_WITHIN {
            eprintln!(
                "surefoot: process {} runs but is not healthy after {} s; it goes on trying. `surefoot status` \
                 shows why, {} has the details",
                child.id(),
                START_WITHIN.as_secs(),
                state.log().display()
            );
            return Exit::Venue;
        }
        thread::sleep(LOOK_EVERY);
    }
}

/// Healthy, or kept from it by nothing but a halt that stands: no start lifts that.
fn is_up(status: &Value) -> bool {
    status["healthy"] == true
        || (status["open"] == true && status["trouble_rows"] == json!(["halted"]))
}

/// In a process group of its own and without a terminal, so that closing the terminal does not end it.
fn spawn(state: &StateDir, run_args: &[OsString]) -> io::Result<Child> {
    let log = OpenOptions::new().create(true).append(true).open(state.log())?;
    Command::new(std::env::current_exe()?)
        .arg("run")
        .args(run_args)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .process_group(0)
        .spawn()
}

/// The last lines of the log.
fn tail(state: &StateDir) -> String {
    let text = fs::read(state.log()).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}

pub(super) fn told(answer: &Value, json: bool, done: &str) -> Exit {
    if json {
        println!("{answer}");
    }
    if answer["ok"] == true {
        if !json {
            println!("{done}");
        }
        return Exit::Ok;
    }
    let why = answer["error"].as_str().unwrap_or("no reason was given");
    eprintln!("surefoot: {why}");
    let exit = Exit::ALL.iter().find(|exit| answer["exit"] == exit.code());
    exit.copied().unwrap_or(Exit::Failed)
}

/// Not done: the sentence on stderr, and the exit in the object where one is wanted.
pub(super) fn refuse(exit: Exit, why: &str, json: bool) -> Exit {
    if json {
        println!("{}", json!({ "ok": false, "exit": exit.code(), "error": why }));
    }
    eprintln!("surefoot: {why}");
    exit
}

pub(super) fn say(error: &StateError) -> Exit {
    eprintln!("surefoot: {error}");
    match error {
        StateError::InUse { .. } | StateError::AccountInUse { .. } => Exit::InUse,
        _ => Exit::State,
    }
}

pub(super) fn now_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
