//! Processes of the program, directories of their own, and a second client that asks the venues.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rusqlite::Connection;
use serde_json::Value;
use surefoot::access::Access;
use surefoot_cold::reconcile::Truth;
use surefoot_cold::state_dir::StateDir;
use surefoot_cold::store::names::MarketNames;
use surefoot_cold::store::open_read_only;

use crate::harness;

/// What a loaded machine may take for something that is done at once on an idle one, or once an executor's breaker has
/// been open for its minute.
pub const SOON: Duration = Duration::from_secs(150);

/// A directory that goes with the value; kept where the test failed, and named.
pub struct Scratch(PathBuf);

/// In memory where the system has such a place: a disk that a build writes to holds a write up for seconds, and then a
/// run halts as it should, which is not what these tests are about.
fn fast_disk() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    let is_writable = fs::metadata(&memory).is_ok_and(|meta| !meta.permissions().readonly());
    if is_writable { memory } else { std::env::temp_dir() }
}

impl Scratch {
    pub fn new(name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let dir = format!("surefoot-e2e-{name}-{}-{count}", std::process::id());
        let dir = fast_disk().join(dir);
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("left for a look: {}", self.0.display());
        } else {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

/// The program, in a directory where no configuration lies.
pub fn surefoot<A: AsRef<OsStr>>(scratch: &Scratch, args: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_surefoot"));
    command.args(args).current_dir(&scratch.0).stdin(Stdio::null());
    command
}

/// The same, where no file may become longer than some 800 kB: what a full disk does to a journal, without one.
pub fn surefoot_without_room(scratch: &Scratch, args: &[&str]) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; ulimit -f 1600; exec \"$0\" \"$@\""]);
    command.arg(env!("CARGO_BIN_EXE_surefoot")).args(args);
    command.current_dir(&scratch.0).stdin(Stdio::null());
    command
}

/// What a verb said.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Said {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let code = output.status.code();
        Self { code, out: text(output.stdout), err: text(output.stderr) }
    }

    /// The one object on stdout.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}

/// Runs a verb of `--state state` to its end.
pub fn say(scratch: &Scratch, state: &Path, words: &str) -> Said {
    let mut command = surefoot(scratch, words.split_whitespace());
    Said::from(command.arg("--state").arg(state).output().unwrap())
}

/// A process that is killed where nobody waited for it.
pub struct Process {
    child: Option<Child>,
    dir: PathBuf,
    name: String,
}

impl Process {
    /// Its words go into files: nobody has to read a pipe meanwhile.
    pub fn spawn(scratch: &Scratch, name: &str, mut command: Command) -> Self {
        let file =
            |ending: &str| fs::File::create(scratch.path(&format!("{name}.{ending}"))).unwrap();
        let child = command.stdout(file("out")).stderr(file("err")).spawn().unwrap();
        Self { child: Some(child), dir: scratch.0.clone(), name: name.to_owned() }
    }

    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.as_ref().unwrap().id()).unwrap()
    }

    pub fn is_running(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| child.try_wait().unwrap().is_none())
    }

    pub fn err(&self) -> String {
        fs::read_to_string(self.dir.join(format!("{}.err", self.name))).unwrap()
    }

    /// The same after a moment, to the microsecond: the moment is what a crash test draws.
    pub fn kill_after(self, moment: Duration) {
        thread::sleep(moment);
        self.kill();
    }

    /// As the shell's `kill -9`.
    pub fn kill(mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Its end, which must come within [`SOON`].
    pub fn end(mut self) -> Said {
        let begin = Instant::now();
        while self.is_running() {
            assert!(begin.elapsed() < SOON, "{} goes on: {}", self.name, self.err());
            thread::sleep(Duration::from_millis(20));
        }
        let code = self.child.take().unwrap().wait().unwrap().code();
        let out = fs::read_to_string(self.dir.join(format!("{}.out", self.name))).unwrap();
        Said { code, out, err: self.err() }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Sends a signal by the system's own tool.
pub fn signal(pid: i32, signal: &str) {
    let sent = Command::new("kill").args([signal, &pid.to_string()]).status().unwrap();
    assert!(sent.success(), "kill {signal} {pid}");
}

fn wall_ns() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()).unwrap()
}

/// Stops the process for so long. Returns from when to when nothing may have been decided, by the system's clock: it
/// stands still from some moment after the first signal until some moment after the second.
pub fn stop_for(pid: i32, span: Duration) -> (i64, i64) {
    signal(pid, "-STOP");
    let begin = wall_ns();
    thread::sleep(span);
    let end = wall_ns();
    signal(pid, "-CONT");
    (begin, end)
}

/// `surefoot twin --json`, in a process of its own.
pub struct Twin {
    child: Child,
    pub venues: PathBuf,
    pub access: Access,
}

impl Twin {
    pub fn start(scratch: &Scratch, seed: u64) -> Self {
        let seed = harness::take_seed(seed).to_string();
        let mut command = surefoot(scratch, ["twin", "--world", "calm", "--json", "--seed", &seed]);
        let err = fs::File::create(scratch.path("twin.err")).unwrap();
        command.arg("--dir").arg(scratch.path("twin"));
        let mut child = command.stdout(Stdio::piped()).stderr(err).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap().by_ref()).read_line(&mut line).unwrap();
        let venues = scratch.path("venues.json");
        fs::write(&venues, &line).unwrap();
        let access = Access::from_file(&venues).unwrap();
        Self { child, venues, access }
    }

    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }
}

impl Drop for Twin {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `surefoot run` against venues that run elsewhere.
pub fn run_against(scratch: &Scratch, venues: &Path, state: &Path, name: &str) -> Process {
    Process::spawn(scratch, name, command_against(scratch, venues, state))
}

/// The command of [`run_against`].
pub fn command_against(scratch: &Scratch, venues: &Path, state: &Path) -> Command {
    let topology = harness::runs().topology();
    let mut command = surefoot(scratch, ["run", "--topology", topology, "--json", "--venues"]);
    command.arg(venues).arg("--state").arg(state);
    command
}

/// What the run says of itself, once it says anything.
pub fn status(scratch: &Scratch, state: &Path) -> Option<Value> {
    let said = say(scratch, state, "status --json");
    (said.code == Some(0)).then(|| said.json())
}

/// Waits until the run's status is as wanted.
pub fn until(
    scratch: &Scratch,
    state: &Path,
    what: &str,
    wanted: impl Fn(&Value) -> bool,
) -> Value {
    let mut last = None;
    wait(what, || {
        last = status(scratch, state);
        last.clone().filter(&wanted)
    })
    .unwrap_or_else(|| panic!("never: {what}; the last status: {last:#?}"))
}

/// Waits for something, at most [`SOON`].
pub fn wait<T>(what: &str, mut poll: impl FnMut() -> Option<T>) -> Option<T> {
    let begin = Instant::now();
    while begin.elapsed() < SOON {
        if let Some(found) = poll() {
            return Some(found);
        }
        thread::sleep(Duration::from_millis(100));
    }
    eprintln!("waited in vain: {what}");
    None
}

/// Looks for so long, and fails at the first status that is not as wanted: how a test shows that something does not
/// happen. The last status.
pub fn holds(
    scratch: &Scratch,
    state: &Path,
    span: Duration,
    what: &str,
    wanted: impl Fn(&Value) -> bool,
) -> Value {
    let begin = Instant::now();
    loop {
        // A machine with too much to do may leave one question unanswered for longer than `status` waits.
        let status = wait("a status", || status(scratch, state));
        let status = status.unwrap_or_else(|| panic!("{what}: no status"));
        assert!(wanted(&status), "after {:?}, no longer: {what}; {status:#?}", begin.elapsed());
        if begin.elapsed() >= span {
            return status;
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// A whole number in it; nothing while the run still starts and has no counters.
pub fn count(value: &Value, pointer: &str) -> u64 {
    if value["trouble_rows"] == serde_json::json!(["starting"]) {
        return 0;
    }
    value
        .pointer(pointer)
        .and_then(Value::as_u64)
        .unwrap_or_else(|| panic!("{pointer} is no count: {value:#}"))
}

/// What both venues say, read by a client that shares nothing with the run but the keys.
pub fn truths(access: &Access, state: &Path) -> Vec<Truth> {
    let names = MarketNames::load(&StateDir::at(state).names()).unwrap();
    let directory = names.directory(access.identity()).unwrap();
    let readers = access.accounts.readers(&access.trust, directory);
    readers.values().map(|reader| reader.truth().unwrap()).collect()
}

/// The projection, for reading.
pub fn database(state: &Path) -> Connection {
    open_read_only(&StateDir::at(state).database()).unwrap()
}

/// One number out of it.
pub fn ask(db: &Connection, query: &str) -> i64 {
    db.query_row(query, [], |row| row.get(0)).unwrap_or_else(|error| panic!("{query}: {error}"))
}

/// The files of a journal, oldest first.
pub fn segments(state: &Path) -> Vec<PathBuf> {
    let dir = StateDir::at(state).journal();
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Every segment, one bit at a time, at `places` places of each: replay must name the damage and say so by its
/// exit code.
pub fn every_flipped_bit_is_found(scratch: &Scratch, state: &Path, places: usize) {
    for file in segments(state) {
        let good = fs::read(&file).unwrap();
        for place in 0..places {
            let at = (good.len() - 1) * place / (places - 1).max(1);
            let mut bad = good.clone();
            bad[at] ^= 1 << (place % 8);
            fs::write(&file, &bad).unwrap();
            let said = say(scratch, state, "replay --json");
            assert_eq!(said.code, Some(6), "byte {at} of {}: {said:#?}", file.display());
            assert_eq!(said.json()["verdict"], "corrupt");
            let name = file.file_name().unwrap().to_str().unwrap();
            assert!(said.err.contains(name), "the file is named: {}", said.err);
        }
        fs::write(&file, &good).unwrap();
    }
}
