//! How a running instance is spoken to: the socket that every verb uses, signals, and the `KILL` file, all as
//! one stream of commands for the run to poll.
//!
//! One request, one answer, a line of JSON each. `{"cmd":"status"}`, `{"cmd":"halt","reason":"…"}`,
//! `{"cmd":"resume","reason":"…"}`, `{"cmd":"release","market":"…","reason":"…"}`,
//! `{"cmd":"limits"}`, `{"cmd":"limits_set","key":"…","value":"…","reason":"…"}`,
//! `{"cmd":"follow","markets":["VENUE:NAME",…]}`, `{"cmd":"unfollow","markets":[…]}`, `{"cmd":"stop"}`; the answer is
//! `{"ok":true,…}` or `{"ok":false,"error":"…"}`. Status answers with `status`, an object whose `healthy` says whether it
//! trades. `{"cmd":"where"}` is answered at once, whatever the run is busy with: which instance this is, and where.

pub mod client;
pub mod exit_note;
pub mod operator_log;
pub mod signals;

use std::collections::VecDeque;
use std::fs;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use serde_json::{Value, json};
use surefoot_cold::account;
use surefoot_cold::halt::{HaltEpoch, HaltOnItsWay};
use surefoot_cold::state_dir::StateDir;

use crate::exit::Exit;
pub use signals::Signals;

/// The longest request, in bytes.
const REQUEST_BYTES_MAX: usize = 65_536;
/// The longest reason kept, in characters: a longer one is cut, and says so.
pub const REASON_CHARS_MAX: usize = 1_000;
/// Requests that may wait for the run.
const REQUESTS_MAX: usize = 16;
/// How long a peer may take to say what it wants, and the run to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the run may take to lift a halt, which wants both venues' word first.
pub const RESUME_PATIENCE: Duration = Duration::from_secs(55);
/// How often the socket looks for a peer, and the run for the `KILL` file.
const LOOK_EVERY: Duration = Duration::from_millis(20);
const KILL_EVERY: Duration = Duration::from_millis(100);

/// What is answered where the run has not.
const BUSY: &str = "the run is busy or ending; try again";
/// The same, to who halts: it is not as if nothing had happened.
const HALT_UNANSWERED: &str = "the run has not answered, because it is busy, stands still or is ending. Nothing that was decided before leaves any \
                               more, and it halts as soon as it looks around: see `surefoot status`, and halt again where that does not say so";

/// What someone wants of the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Tell what the run does, what is wrong with it, and its figures.
    Status,
    /// Stop opening, cancel everything, latch it.
    Halt {
        /// Why, in the words of whoever halts.
        reason: String,
        /// Who halts: `operator`, `signal` or `kill_file`.
        who: &'static str,
    },
    /// Lift the halt.
    Resume {
        /// What was wrong and why it is right now, in the operator's words.
        reason: String,
    },
    /// Let a quarantined market be opened in again.
    Release {
        /// What the venue calls the market.
        market: String,
        /// Why it may be opened in again, in the operator's words.
        reason: String,
    },
    /// Tell every limit: what is configured, in force and used.
    Limits,
    /// Make a limit tighter.
    SetLimit {
        /// Its key, as in the configuration.
        key: String,
        /// The value, as in the configuration.
        value: String,
        /// Why, in the operator's words.
        reason: String,
    },
    /// Follow further markets.
    Follow {
        /// The venue and the venue's name of each: `VENUE:NAME`; the name alone where the market was followed before.
        markets: Vec<String>,
    },
    /// Follow markets no more, once nothing is held there.
    Unfollow {
        /// The venue's names of them, as for `Follow`.
        markets: Vec<String>,
    },
    /// Cancel what rests, wait for what is in flight, and end.
    Stop {
        /// Who ends the run: `operator` or `signal`.
        who: &'static str,
    },
}

impl Command {
    /// Whether it changes nothing.
    pub const fn only_looks(&self) -> bool {
        matches!(self, Self::Status | Self::Limits)
    }
}

/// A command and where its answer goes.
#[derive(Debug)]
pub struct Request {
    /// What whoever asks wants of the run.
    pub command: Command,
    /// When it was asked for.
    pub since: Instant,
    /// The same by the wall clock, where it was read from a socket.
    read_ns: Option<u64>,
    reply: Option<Sender<Value>>,
    /// A halt: nothing leaves any more since it was read.
    _voids: Option<HaltOnItsWay>,
}

impl Request {
    /// Done; `more` adds to the answer, which has `ok` already, and of a halt when it was read. Does nothing where nobody waits.
    pub fn done(self, more: Value) {
        let mut answer = json!({ "ok": true });
        if let (Command::Halt { .. }, Some(read_ns)) = (&self.command, self.read_ns) {
            answer["read_ns"] = read_ns.into();
        }
        if let (Value::Object(answer), Value::Object(more)) = (&mut answer, more) {
            answer.extend(more);
        }
        self.answer(answer);
    }

    /// Of the run's own: nobody waits for an answer.
    fn by_itself(command: Command) -> Self {
        Self { command, since: Instant::now(), read_ns: None, reply: None, _voids: None }
    }

    /// Not done, and why: a sentence with the remedy.
    pub fn failed(self, why: &str) {
        self.answer(json!({ "ok": false, "error": why }));
    }

    /// The same, where the verb that asked ends by an exit of its own.
    pub fn refused(self, exit: Exit, why: &str) {
        self.answer(json!({ "ok": false, "exit": exit.code(), "error": why }));
    }

    fn answer(self, answer: Value) {
        if let Some(reply) = self.reply {
            let _ = reply.try_send(answer); // whoever asked may be gone
        }
    }
}

/// Whose requests a socket takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trust {
    /// Everybody who reaches it: its file is for this user alone.
    Everybody,
    /// This user and root, as the kernel names them.
    OwnUser,
}

/// Everything that may command the run.
#[derive(Debug)]
pub struct Control {
    requests: Receiver<Request>,
    /// Taken from their source and not obeyed yet.
    held: VecDeque<Request>,
    signals: Signals,
    stop_told: bool,
    kill_file: PathBuf,
    kill_seen: bool,
    kill_looked: Option<Instant>,
    socket: PathBuf,
    over: Arc<AtomicBool>,
    place: Arc<Value>,
    to: Sender<Request>,
    /// What a halt moves as soon as it is read; empty while there is no machine.
    halt: Arc<OnceLock<HaltEpoch>>,
    threads: Vec<JoinHandle<()>>,
}

impl Control {
    /// Listens in a state directory that this process has locked.
    ///
    /// # Errors
    /// The socket could not be made.
    pub fn start(state: &StateDir, signals: Signals) -> io::Result<Self> {
        let socket = state.control_socket();
        match fs::remove_file(&socket) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {} // what a dead instance left behind: the lock says it is dead
        }
        let listener = client::at_short_path(&socket, |path| UnixListener::bind(path))?;
        fs::set_permissions(&socket, fs::Permissions::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        let (to, requests) = bounded(REQUESTS_MAX);
        let over = Arc::new(AtomicBool::new(false));
        let root = std::path::absolute(state.root()).unwrap_or_else(|_| state.root().to_owned());
        let place =
            json!({ "ok": true, "state": root.display().to_string(), "pid": std::process::id() });
        let mut control = Self {
            requests,
            held: VecDeque::new(),
            signals,
            stop_told: false,
            kill_file: state.kill_file(),
            kill_seen: false,
            kill_looked: None,
            socket,
            over,
            place: Arc::new(place),
            to,
            halt: Arc::default(),
            threads: Vec::new(),
        };
        control.listen_at(listener, Trust::Everybody)?;
        Ok(control)
    }

    /// Listens for the same requests by the name of an account, which outlives the directory's: this user's and root's are
    /// obeyed.
    ///
    /// # Errors
    /// The thread could not be started.
    pub fn listen_by_account(&mut self, listener: UnixListener) -> io::Result<()> {
        listener.set_nonblocking(true)?;
        self.listen_at(listener, Trust::OwnUser)
    }

    /// From now on a halt moves this epoch as soon as it is read from a socket: what it voids does not wait for the main thread.
    pub fn halts_at_once(&self, halt: HaltEpoch) {
        assert!(self.halt.set(halt).is_ok(), "a run has one machine");
    }

    fn listen_at(&mut self, listener: UnixListener, trust: Trust) -> io::Result<()> {
        let ends = Arc::clone(&self.over);
        let ears = Ears {
            to: self.to.clone(),
            place: Arc::clone(&self.place),
            halt: Arc::clone(&self.halt),
        };
        let listen = move || listen(&listener, trust, &ears, &ends);
        self.threads.push(thread::Builder::new().name("control".into()).spawn(listen)?);
        Ok(())
    }

    /// The next command, if there is one: signals first, then the `KILL` file, then the socket. Whoever only looks waits for
    /// all others: nobody who wants a halt stands in a row of them. Otherwise the order is kept, so that a halt is never
    /// followed by a resume that was asked for before it.
    pub fn poll(&mut self) -> Option<Request> {
        self.hold_all();
        let acts = |request: &Request| !request.command.only_looks();
        let first = self.held.iter().position(acts).unwrap_or(0);
        self.held.remove(first)
    }

    /// Waits for a command that does more than look, so long at most: who halts does not wait for the next look around.
    pub fn wait(&mut self, longest: Duration) {
        let until = Instant::now() + longest;
        while let Ok(request) = self.requests.recv_deadline(until) {
            let acts = !request.command.only_looks();
            self.held.push_back(request);
            if acts {
                return;
            }
        }
    }

    fn hold_all(&mut self) {
        while let Some(request) = self.take() {
            self.held.push_back(request);
        }
    }

    /// Whether a halt or the end is among the commands that wait. Something that takes long asks before it lifts a halt:
    /// who wanted one meanwhile must not see trading begin first.
    pub fn wants_halt(&mut self) -> bool {
        self.hold_all();
        let closes = |request: &Request| {
            matches!(request.command, Command::Halt { .. } | Command::Stop { .. })
        };
        self.held.iter().any(closes)
    }

    fn take(&mut self) -> Option<Request> {
        if self.signals.stop() && !self.stop_told {
            self.stop_told = true;
            return Some(Request::by_itself(Command::Stop { who: "signal" }));
        }
        if self.signals.take_halt() {
            let reason = "SIGUSR1".to_owned();
            return Some(Request::by_itself(Command::Halt { reason, who: "signal" }));
        }
        if self.kill_looked.is_none_or(|looked| looked.elapsed() >= KILL_EVERY) {
            self.kill_looked = Some(Instant::now());
            let there = self.kill_file.exists();
            if there != std::mem::replace(&mut self.kill_seen, there) && there {
                let reason = format!("{} is there", self.kill_file.display());
                let command = Command::Halt { reason, who: "kill_file" };
                return Some(Request::by_itself(command));
            }
        }
        self.requests.try_recv().ok()
    }

    /// Whether the `KILL` file is there: a resume must be refused until it is removed.
    pub fn kill_file_present(&self) -> bool {
        self.kill_file.exists()
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
        let _ = fs::remove_file(&self.socket);
    }
}

/// A peer that is being served by a thread of its own.
struct Peer {
    stream: UnixStream,
    heard: Arc<AtomicBool>,
    served: Arc<AtomicBool>,
}

/// A connection being served. However that ends, the peer sees its end and its place is free.
struct Serving {
    stream: UnixStream,
    heard: Arc<AtomicBool>,
    served: Arc<AtomicBool>,
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Both); // the listener still holds it open; gone already: as good
        self.served.store(true, Ordering::Relaxed);
    }
}

/// What everybody who listens needs.
#[derive(Clone)]
struct Ears {
    to: Sender<Request>,
    place: Arc<Value>,
    halt: Arc<OnceLock<HaltEpoch>>,
}

/// Takes peers in, a short-lived thread each, so that one who says nothing holds up nobody. Where all places are taken,
/// the longest silent peer gives way: somebody who wants a halt must not wait until others have lost their patience.
fn listen(listener: &UnixListener, trust: Trust, ears: &Ears, over: &AtomicBool) {
    let mut peers: Vec<Peer> = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let Ok((stream, _)) = listener.accept() else {
            thread::sleep(LOOK_EVERY);
            continue;
        };
        if trust == Trust::OwnUser && !account::is_trusted(&stream) {
            continue;
        }
        peers.retain(|peer| !peer.served.load(Ordering::Relaxed));
        if peers.len() >= REQUESTS_MAX {
            let silent = peers.iter().position(|peer| !peer.heard.load(Ordering::Relaxed));
            let Some(silent) = silent else { continue }; // closed unread: the peer says so
            let _ = peers.remove(silent).stream.shutdown(Shutdown::Both); // gone already: as good
        }
        let Ok(kept) = stream.try_clone() else { continue };
        let (heard, served) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let peer = Peer { stream: kept, heard: Arc::clone(&heard), served: Arc::clone(&served) };
        let mut serving = Serving { stream, heard, served };
        let ears = ears.clone();
        let serve = move || {
            let _ = serve(&mut serving, &ears); // a peer that went away needs no answer
        };
        if thread::Builder::new().name("control-peer".into()).spawn(serve).is_ok() {
            peers.push(peer);
        }
    }
}

fn serve(peer: &mut Serving, ears: &Ears) -> io::Result<()> {
    peer.stream.set_nonblocking(false)?;
    peer.stream.set_write_timeout(Some(PATIENCE))?;
    let line = read_line(&mut peer.stream, Instant::now() + PATIENCE)?;
    let read_ns = operator_log::now_ns();
    peer.heard.store(true, Ordering::Relaxed);
    let is_text = std::str::from_utf8(&line).is_ok();
    let line = String::from_utf8_lossy(&line);
    if is_where(&line) {
        return writeln!(peer.stream, "{}", ears.place);
    }
    // Of what is no text only a halt is taken: that one never fails for its words.
    let request = parse(&line).and_then(|command| match command {
        Command::Halt { .. } => Ok(command),
        _ if is_text => Ok(command),
        _ => Err("not a line of text".to_owned()),
    });
    let answer = match request {
        Ok(command) => ask(command, read_ns, ears),
        Err(why) => json!({ "ok": false, "error": why }),
    };
    writeln!(peer.stream, "{answer}")
}

/// A line, or what came until the peer had no more to say or said too much. All of it by `until`: a byte now and then
/// is no reason to wait longer.
fn read_line(stream: &mut UnixStream, until: Instant) -> io::Result<Vec<u8>> {
    let (mut line, mut part) = (Vec::new(), [0; 1_024]);
    while !line.contains(&b'\n') && line.len() < REQUEST_BYTES_MAX {
        let left = until.saturating_duration_since(Instant::now());
        stream.set_read_timeout(Some(left.max(Duration::from_millis(1))))?;
        match stream.read(&mut part)? {
            0 => break,
            _ if left.is_zero() => return Err(io::ErrorKind::TimedOut.into()),
            read => line.extend_from_slice(&part[..read]),
        }
    }
    line.truncate(line.iter().position(|byte| *byte == b'\n').unwrap_or(line.len()));
    Ok(line)
}

fn ask(command: Command, read_ns: u64, ears: &Ears) -> Value {
    let since = Instant::now();
    let is_halt = matches!(command, Command::Halt { .. });
    let halt = ears.halt.get().filter(|_| is_halt);
    // Where the request then finds no place, the run halts all the same: it finds its epoch moved.
    let voids = halt.map(HaltEpoch::advance_ahead);
    let (reply, replied) = bounded(1);
    let patience = match command {
        Command::Resume { .. } | Command::Follow { .. } => RESUME_PATIENCE,
        Command::Status
        | Command::Limits
        | Command::SetLimit { .. }
        | Command::Halt { .. }
        | Command::Release { .. }
        | Command::Unfollow { .. }
        | Command::Stop { .. } => PATIENCE,
    };
    let request =
        Request { command, since, read_ns: Some(read_ns), reply: Some(reply), _voids: voids };
    let busy = || json!({ "ok": false, "error": if is_halt { HALT_UNANSWERED } else { BUSY } });
    // Who halts waits for a place among others that were quicker; they do not.
    let room = if is_halt { patience } else { Duration::ZERO };
    if ears.to.send_timeout(request, room).is_err() {
        return busy();
    }
    replied.recv_timeout(patience).unwrap_or_else(|_| busy())
}

/// Whether a peer asks which instance this is: answered at once, whatever the run is busy with.
fn is_where(line: &str) -> bool {
    serde_json::from_str::<Value>(line).is_ok_and(|value| value["cmd"] == "where")
}

/// A reason as it is kept: cut where it is longer than anybody reads.
pub fn cut_reason(reason: &str) -> String {
    let mut kept: String = reason.trim().chars().take(REASON_CHARS_MAX).collect();
    if kept.len() < reason.trim().len() {
        kept.push_str(" … (cut)");
    }
    kept
}

fn parse(line: &str) -> Result<Command, String> {
    let value: Value = match serde_json::from_str(line) {
        Ok(value) => value,
        // A halt never fails for its words: one whose line is longer than is read is still a halt.
        Err(_) if line.len() >= REQUEST_BYTES_MAX && line.starts_with(r#"{"cmd":"halt""#) => {
            json!({ "cmd": "halt", "reason": cut_reason(line) })
        }
        Err(_) if line.len() >= REQUEST_BYTES_MAX => {
            return Err(format!(
                "the request is longer than {REQUEST_BYTES_MAX} bytes: nothing was changed. Name fewer markets at a time"
            ));
        }
        Err(error) => return Err(format!("not a line of JSON: {error}")),
    };
    let reason = || cut_reason(value.get("reason").and_then(Value::as_str).unwrap_or(""));
    match value.get("cmd").and_then(Value::as_str) {
        Some("status") => Ok(Command::Status),
        Some("halt") => {
            let reason = Some(reason()).filter(|text| !text.is_empty());
            let reason = reason.unwrap_or_else(|| "no reason given".into());
            Ok(Command::Halt { reason, who: "operator" })
        }
        Some("resume") if reason().is_empty() => Err("resume needs a reason".into()),
        Some("resume") => Ok(Command::Resume { reason: reason() }),
        Some("release") if reason().is_empty() => Err("release needs a reason".into()),
        Some("release") => {
            let market = value.get("market").and_then(Value::as_str).unwrap_or("").to_owned();
            Ok(Command::Release { market, reason: reason() })
        }
        Some("limits") => Ok(Command::Limits),
        Some("limits_set") if reason().is_empty() => Err("limits set needs a reason".into()),
        Some("limits_set") => {
            let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
            Ok(Command::SetLimit { key: text("key"), value: text("value"), reason: reason() })
        }
        Some("follow") => Ok(Command::Follow { markets: markets(&value)? }),
        Some("unfollow") => Ok(Command::Unfollow { markets: markets(&value)? }),
        Some("stop") => Ok(Command::Stop { who: "operator" }),
        #[cfg(debug_assertions)]
        Some("fault") if crate::fault::ask(value["what"].as_str().unwrap_or_default()) => {
            Ok(Command::Status)
        }
        other => Err(format!(
            "unknown command {other:?}: status, halt, resume, release, limits, limits_set, follow, unfollow or stop"
        )),
    }
}

/// The names in a request about markets.
fn markets(value: &Value) -> Result<Vec<String>, String> {
    let names = value["markets"].as_array().into_iter().flatten();
    let names: Option<Vec<_>> = names.map(|name| name.as_str().map(str::to_owned)).collect();
    let names = names.filter(|names| !names.is_empty());
    names.ok_or_else(|| "`markets` must be a list of names".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> StateDir {
        let dir =
            std::env::temp_dir().join(format!("surefoot-control-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        StateDir::open(&dir).unwrap()
    }

    #[test]
    fn the_socket_answers_and_refuses() {
        // Longer than a socket's name may be: reached through its directory.
        let state = scratch(&"long-name-".repeat(12));
        let mut control = Control::start(&state, Signals::default()).unwrap();
        let (root, began) = (state.clone(), operator_log::now_ns());
        let peer = thread::spawn(move || {
            let ask = |request| client::ask(&root, &request, client::PATIENCE_LONG);
            let halted = ask(json!({ "cmd": "halt", "reason": "test" })).unwrap();
            let refused = ask(json!({ "cmd": "resume", "reason": "why" })).unwrap();
            let wrong = ask(json!({ "cmd": "fly" })).unwrap();
            let empty = ask(json!({ "cmd": "resume" })).unwrap();
            (halted, refused, wrong, empty)
        });
        let mut seen = Vec::new();
        while seen.len() < 2 {
            let Some(request) = control.poll() else {
                thread::yield_now();
                continue;
            };
            seen.push(request.command.clone());
            match request.command {
                Command::Halt { .. } => request.done(json!({ "epoch": 2 })),
                _ => request.failed("not reconciled"),
            }
        }
        assert_eq!(seen[0], Command::Halt { reason: "test".into(), who: "operator" });
        assert_eq!(seen[1], Command::Resume { reason: "why".into() });
        let (halted, refused, wrong, empty) = peer.join().unwrap();
        assert_eq!((&halted["ok"], &halted["epoch"]), (&json!(true), &json!(2)));
        let read = halted["read_ns"].as_u64().expect("a halt is told when it was read");
        assert!((began..=operator_log::now_ns()).contains(&read), "while this test ran: {read}");
        assert_eq!(refused, json!({ "ok": false, "error": "not reconciled" }));
        assert_eq!(wrong["ok"], false);
        assert_eq!(empty["ok"], false);
        drop(control);
        let gone = client::ask(&state, &json!({ "cmd": "status" }), client::PATIENCE).unwrap_err();
        assert_eq!(gone.kind(), io::ErrorKind::NotFound, "gone with its owner");
        fs::remove_dir_all(state.root()).unwrap();
    }

    #[test]
    fn whoever_listens_and_says_nothing_is_not_waited_for() {
        let state = scratch("silent");
        let listener = UnixListener::bind(state.control_socket()).unwrap();
        let error = client::ask(&state, &json!({ "cmd": "status" }), Duration::from_secs(1));
        let error = error.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(error.to_string(), "no answer in 1 s");
        drop(listener);
        fs::remove_dir_all(state.root()).unwrap();
    }

    #[test]
    fn who_only_looks_waits_for_whoever_acts_and_those_keep_their_order() {
        let state = scratch("order");
        let mut control = Control::start(&state, Signals::default()).unwrap();
        let (why, who) = (|| "why".to_owned(), "operator");
        let resume = Command::Resume { reason: why() };
        let halt = Command::Halt { reason: why(), who };
        let asked = [&Command::Status, &Command::Status, &resume, &halt, &Command::Status];
        for command in asked {
            control.to.try_send(Request::by_itself(command.clone())).unwrap();
        }
        let taken: Vec<_> =
            std::iter::from_fn(|| control.poll()).map(|request| request.command).collect();
        assert_eq!(taken, [resume, halt, Command::Status, Command::Status, Command::Status]);
        drop(control);
        fs::remove_dir_all(state.root()).unwrap();
    }

    /// The run is busy with something else, and nothing that was decided leaves any more.
    #[test]
    fn a_halt_voids_what_was_decided_as_soon_as_it_is_read_and_ends_the_wait_of_the_run() {
        let state = scratch("voids");
        let mut control = Control::start(&state, Signals::default()).unwrap();
        let halt = HaltEpoch::new(7);
        control.halts_at_once(halt.clone());
        let root = state.clone();
        let peer = thread::spawn(move || {
            let ask = |request| client::ask(&root, &request, client::PATIENCE_LONG);
            ask(json!({ "cmd": "status" })).unwrap();
            ask(json!({ "cmd": "halt" })).unwrap()
        });
        control.wait(Duration::from_millis(1));
        let status = loop {
            control.wait(Duration::from_millis(1));
            if let Some(request) = control.poll() {
                break request;
            }
        };
        assert_eq!((status.command.clone(), halt.read()), (Command::Status, 7));
        status.done(json!({}));
        let begin = Instant::now();
        control.wait(Duration::from_secs(60));
        assert!(begin.elapsed() < Duration::from_secs(30), "whoever halts is not waited for");
        assert_eq!((halt.read(), halt.is_ahead()), (8, true), "before anybody has taken it in");
        let request = control.poll().unwrap();
        assert!(matches!(request.command, Command::Halt { .. }));
        request.done(json!({}));
        assert_eq!((halt.read(), halt.is_ahead()), (8, false));
        assert_eq!(peer.join().unwrap()["ok"], true);
        drop(control);
        fs::remove_dir_all(state.root()).unwrap();
    }

    /// Others have taken every place before the run looks around: the halt is no less one, and keeps its own words.
    #[test]
    fn a_halt_waits_for_a_place_among_those_who_only_look() {
        let state = scratch("place");
        let mut control = Control::start(&state, Signals::default()).unwrap();
        let halt = HaltEpoch::new(7);
        control.halts_at_once(halt.clone());
        for _ in 0..REQUESTS_MAX {
            control.to.try_send(Request::by_itself(Command::Status)).unwrap();
        }
        let root = state.clone();
        let peer = thread::spawn(move || {
            let halt = json!({ "cmd": "halt", "reason": "smoke" });
            client::ask(&root, &halt, client::PATIENCE_LONG).unwrap()
        });
        while halt.read() == 7 && !peer.is_finished() {
            thread::yield_now();
        }
        let request = loop {
            match control.poll() {
                Some(request) if !request.command.only_looks() => break request,
                _ if peer.is_finished() => panic!("{:?}", peer.join()),
                _ => thread::yield_now(),
            }
        };
        let smoke = Command::Halt { reason: "smoke".into(), who: "operator" };
        assert_eq!((&request.command, halt.is_ahead()), (&smoke, true));
        request.done(json!({}));
        assert_eq!(peer.join().unwrap()["ok"], true);
        drop(control);
        fs::remove_dir_all(state.root()).unwrap();
    }

    #[test]
    fn the_kill_file_and_signals_are_commands_told_once() {
        let state = scratch("kill");
        fs::write(state.kill_file(), "").unwrap();
        let signals = Signals::default();
        let mut control = Control::start(&state, signals.clone()).unwrap();
        let command = control.poll().map(|request| request.command);
        assert!(matches!(command, Some(Command::Halt { who: "kill_file", .. })));
        assert!(control.poll().is_none() && control.kill_file_present());
        signals.halt.store(true, Ordering::Relaxed);
        signals.stop.store(true, Ordering::Relaxed);
        let first = control.poll().map(|request| request.command);
        assert_eq!(first, Some(Command::Stop { who: "signal" }));
        let second = control.poll().map(|request| request.command);
        assert!(matches!(second, Some(Command::Halt { who: "signal", .. })));
        assert!(control.poll().is_none() && !control.wants_halt());
        signals.halt.store(true, Ordering::Relaxed);
        assert!(control.wants_halt() && control.wants_halt(), "it waits");
        let command = control.poll().map(|request| request.command);
        assert!(matches!(command, Some(Command::Halt { who: "signal", .. })), "and is not lost");
        assert!(control.poll().is_none() && !control.wants_halt());
        drop(control);
        fs::remove_dir_all(state.root()).unwrap();
    }
}
