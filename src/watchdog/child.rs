//! The run's side: the watchdog as a process of its own, and the words to it.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use surefoot_cold::state_dir::StateDir;

use super::words::{Beats, Word};

/// A watchdog that was started by this process, and outlives it.
#[derive(Debug)]
pub struct WatchdogChild {
    child: Child,
    words: UnixStream,
}

impl WatchdogChild {
    /// Starts this program once more, as the watchdog of a run in `state` at the venues that a file describes. It is told where the
    /// keys are, never the keys. Returns it and the core's way to it.
    ///
    /// It is in a process group of its own: what a terminal sends to the run (Ctrl-C, Ctrl-Z, its end) does not reach it.
    ///
    /// # Errors
    /// The process could not be started.
    pub fn start(venues: &Path, state: &StateDir) -> io::Result<(Self, Beats)> {
        let (words, its) = UnixStream::pair()?;
        words.set_nonblocking(true)?;
        let beats = Beats::new(words.try_clone()?);
        let child = Command::new(std::env::current_exe()?)
            .arg("watchdog")
            .arg("--venues")
            .arg(std::path::absolute(venues)?)
            .arg("--state")
            .arg(std::path::absolute(state.root())?)
            .env_remove("LD_PRELOAD") // what is put into a run to try it is not for what watches over it
            .stdin(Stdio::from(OwnedFd::from(its)))
            .stdout(Stdio::null())
            .process_group(0)
            .spawn()?;
        Ok((Self { child, words }, beats))
    }

    /// Its process number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended although the run goes on.
    pub fn is_gone(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// The core is about to be ended, and nothing is in flight.
    pub fn closing(&self) {
        Word::Closing.say(&self.words);
    }

    /// The run has ended in order: nothing of it rests.
    pub fn ended(&self) {
        Word::Ended.say(&self.words);
    }
}
