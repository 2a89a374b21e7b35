//! A run of the program as a process of its own, against venues that are elsewhere.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use surefoot_cold::state_dir::StateDir;

use crate::cli::TopologyArg;
use crate::control::client::ask;

/// How often something that is waited for is looked at.
pub const LOOK_EVERY: Duration = Duration::from_millis(3);
/// How long the run may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// A run whose drill was killed ends by itself after this.
const ORPHAN_ENDS: &str = "10m";

/// A process, killed where nobody waited for it.
#[derive(Debug)]
pub struct Program {
    child: Child,
    ended: Option<ExitStatus>,
    state: StateDir,
    words: PathBuf,
}

/// Where a run is at work, and against which venues.
#[derive(Clone, Debug)]
pub struct Place {
    /// The directory that it is started in.
    pub dir: PathBuf,
    /// Its state directory.
    pub state: PathBuf,
    /// The file that describes the venues.
    pub venues: PathBuf,
}

/// Waits until something is there, for so long at most.
pub fn until<T>(within: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let begin = Instant::now();
    loop {
        let seen = look();
        if seen.is_some() || begin.elapsed() > within {
            return seen;
        }
        thread::sleep(LOOK_EVERY);
    }
}

impl Program {
    /// Starts a run. What it says goes into the files `NAME.out` and `NAME.err`.
    ///
    /// # Errors
    /// It could not be started.
    pub fn start(
        place: &Place,
        name: &str,
        topology: TopologyArg,
        arm: impl FnOnce(&mut Command),
    ) -> io::Result<Self> {
        let words = place.dir.join(name);
        let file = |ending| File::create(words.with_extension(ending));
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["run", "--topology", topology.name(), "--json", "--for", ORPHAN_ENDS]);
        command.arg("--venues");
        command.arg(&place.venues);
        command.env("SUREFOOT__RESTART__CRASHES_MAX", "0"); // it is killed on purpose
        command.arg("--state").arg(&place.state).current_dir(&place.dir);
        command.stdin(Stdio::null()).stdout(file("out")?).stderr(file("err")?);
        arm(&mut command);
        let state = StateDir::at(&place.state);
        Ok(Self { child: command.spawn()?, ended: None, state, words })
    }

    /// What it says of itself; `None` where it does not answer.
    pub fn status(&self) -> Option<Value> {
        let mut answer = ask(&self.state, &json!({ "cmd": "status" }), PATIENCE).ok()?;
        answer.get_mut("status").map(Value::take)
    }

    /// How it ended; `None` while it runs.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().ok().flatten();
        }
        self.ended
    }

    /// Asks it to end. Whether it heard.
    pub fn stop(&self) -> bool {
        ask(&self.state, &json!({ "cmd": "stop" }), PATIENCE).is_ok()
    }

    /// Ends it at once, as the shell's `kill -9`. Whether it was still there.
    pub fn kill(&mut self) -> bool {
        let was_there = self.ended().is_none();
        let _ = self.child.kill(); // it may have ended by itself
        self.ended = self.child.wait().ok();
        was_there
    }

    /// The object that it left on stdout.
    pub fn report(&self) -> Value {
        let text = fs::read(self.words.with_extension("out")).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// Everything that it said.
    pub fn all_words(&self) -> String {
        fs::read_to_string(self.words.with_extension("err")).unwrap_or_default()
    }

    /// The last lines of what it said.
    pub fn last_words(&self) -> String {
        let text = self.all_words();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(3)..].join(" / ")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}
