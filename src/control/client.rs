//! Speaking to a running instance.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, bounded};
use serde_json::Value;
use surefoot_cold::account;
use surefoot_cold::state_dir::StateDir;

use super::RESUME_PATIENCE;

/// A socket's name may have 107 bytes; some are kept for the name of the file itself.
const NAME_BYTES_MAX: usize = 100;
/// How long the run may take to answer what it can answer at once.
pub const PATIENCE: Duration = Duration::from_secs(2);
/// How long it may take to agree with both venues first, its own patience included.
pub const PATIENCE_LONG: Duration = Duration::from_secs(RESUME_PATIENCE.as_secs() + 5);
/// After so long, whoever waits is told what for.
const SAID_AFTER: Duration = Duration::from_secs(3);

/// Asks the instance of a state directory, and waits so long for its answer.
///
/// # Errors
/// None answers; [`io::ErrorKind::TimedOut`] where somebody listens and says nothing.
pub fn ask(state: &StateDir, request: &Value, patience: Duration) -> io::Result<Value> {
    begin(state, request)?.recv_timeout(patience).unwrap_or_else(|_| Err(silent(patience)))
}

/// The same for what may take long: where it does, `say` is called once.
///
/// # Errors
/// As [`ask`].
pub fn ask_patiently(
    state: &StateDir,
    request: &Value,
    patience: Duration,
    say: impl FnOnce(),
) -> io::Result<Value> {
    let answered = begin(state, request)?;
    answered.recv_timeout(SAID_AFTER).unwrap_or_else(|_| {
        say();
        let left = patience.saturating_sub(SAID_AFTER);
        answered.recv_timeout(left).unwrap_or_else(|_| Err(silent(patience)))
    })
}

fn silent(patience: Duration) -> io::Error {
    let what = format!("no answer in {} s", patience.as_secs());
    io::Error::new(io::ErrorKind::TimedOut, what)
}

fn begin(state: &StateDir, request: &Value) -> io::Result<Receiver<io::Result<Value>>> {
    let (socket, request) = (state.control_socket(), request.to_string());
    let root = std::path::absolute(state.root()).unwrap_or_else(|_| state.root().to_owned());
    let (answer, answered) = bounded(1);
    // On a thread of its own: connecting to a process that stands still may wait for ever too.
    thread::Builder::new().name("ask".into()).spawn(move || {
        let _ = answer.send(converse(&socket, &root, &request)); // whoever asked may have gone on
    })?;
    Ok(answered)
}

fn converse(socket: &Path, root: &Path, request: &str) -> io::Result<Value> {
    let mut stream = match at_short_path(socket, |path| UnixStream::connect(path)) {
        Ok(stream) => stream,
        // The directory may have been removed or renamed under an instance that was started in it.
        Err(error) => account::find(&root.display().to_string()).ok_or(error)?,
    };
    writeln!(stream, "{request}")?;
    let mut line = String::new();
    if BufReader::new(stream).read_line(&mut line)? == 0 {
        let what = "it hung up without an answer";
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, what));
    }
    serde_json::from_str(&line).map_err(io::Error::other)
}

/// Uses a socket under a name short enough for the system: a long one is reached through its open directory.
pub(super) fn at_short_path<T>(
    socket: &Path,
    open: impl Fn(&Path) -> io::Result<T>,
) -> io::Result<T> {
    if socket.as_os_str().len() <= NAME_BYTES_MAX {
        return open(socket);
    }
    let dir = File::open(socket.parent().unwrap_or(Path::new(".")))?;
    let name = socket.file_name().unwrap_or_default();
    open(&PathBuf::from(format!("/proc/self/fd/{}", dir.as_raw_fd())).join(name))
}
