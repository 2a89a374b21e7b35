//! Speaking to a running instance.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use surefoot_cold::state_dir::StateDir;

/// A socket's name may have 107 bytes; some are kept for the name of the file itself.
const NAME_BYTES_MAX: usize = 100;
/// How long the run may take to answer, its own patience included.
const PATIENCE: Duration = Duration::from_secs(15);

/// Asks the instance of a state directory, and waits for its answer.
///
/// # Errors
/// None answers.
pub fn ask(state: &StateDir, request: &Value) -> io::Result<Value> {
    let mut stream = at_short_path(&state.control_socket(), |path| UnixStream::connect(path))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    writeln!(stream, "{request}")?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
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
