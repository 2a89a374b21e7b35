//! One instance per account: two directories must not trade the same money (S3).
//!
//! The lock is a listening socket in the kernel's abstract name space, one for each account at a venue. It goes with the
//! process, needs no file, and whoever finds it taken can ask it which directory and process have it; so it is also the way
//! to an instance whose directory was removed or renamed. All users of a machine share the names: an account is one instance's,
//! whoever started it. Containers and machines do not see each other's.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::time::Duration;

use crate::os;

/// The longest answer, and how long it may take.
const ANSWER_BYTES_MAX: u64 = 65_536;
const PATIENCE: Duration = Duration::from_secs(2);

/// Who has an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holder {
    /// Its process number; 0 where the kernel does not tell.
    pub pid: u32,
    /// Its state directory, where it answered.
    pub state: Option<String>,
}

/// Why an account could not be taken.
#[derive(Debug)]
pub enum AccountError {
    /// Another instance has it.
    Held(Holder),
    /// The socket could not be made.
    Io(io::Error),
}

/// What every name begins with. Not the user's: two users may have the same account's keys.
const PREFIX: &str = "surefoot/account/";

/// Takes an account, by a hash of what identifies it. Whoever connects is answered by the caller.
///
/// # Errors
/// See [`AccountError`].
pub fn take(account: u64) -> Result<UnixListener, AccountError> {
    let name = format!("{PREFIX}{account:016x}");
    let address = SocketAddr::from_abstract_name(&name).map_err(AccountError::Io)?;
    match UnixListener::bind_addr(&address) {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            let holder = UnixStream::connect_addr(&address).map(|stream| holder_of(&stream));
            Err(AccountError::Held(holder.unwrap_or_default()))
        }
        Err(error) => Err(AccountError::Io(error)),
    }
}

fn holder_of(stream: &UnixStream) -> Holder {
    let pid = os::peer(stream).map_or(0, |(pid, _)| pid);
    let place = converse(stream, "{\"cmd\":\"where\"}").ok();
    let state = place.and_then(|place| Some(place["state"].as_str()?.to_owned()));
    Holder { pid, state }
}

/// One request, a line of JSON, and its answer.
///
/// # Errors
/// No answer in time, or none that is understood.
pub fn converse(mut stream: &UnixStream, request: &str) -> io::Result<serde_json::Value> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(format!("{request}\n").as_bytes())?;
    let mut line = String::new();
    BufReader::new(stream.take(ANSWER_BYTES_MAX)).read_line(&mut line)?;
    serde_json::from_str(&line).map_err(io::Error::other)
}

/// A connection to the instance that says it was started in `state`, wherever that directory is by now.
#[must_use]
pub fn find(state: &str) -> Option<UnixStream> {
    let names = fs::read_to_string("/proc/net/unix").unwrap_or_default();
    let mark = format!("@{PREFIX}");
    let mut names: Vec<&str> = names
        .lines()
        .filter_map(|line| line.split_whitespace().last())
        .filter(|name| name.starts_with(&mark))
        .collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().find_map(|name| {
        let address = SocketAddr::from_abstract_name(name.strip_prefix('@')?).ok()?;
        let asked = UnixStream::connect_addr(&address).ok()?;
        let is_it = holder_of(&asked).state.as_deref() == Some(state);
        if is_it { UnixStream::connect_addr(&address).ok() } else { None }
    })
}

/// Whether whoever is at the other end is this user, or root: an abstract name has no file whose mode could say so.
#[must_use]
pub fn is_trusted(stream: &UnixStream) -> bool {
    os::peer(stream).is_ok_and(|(_, user)| user == 0 || user == os::user())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_taken_once_and_names_its_holder() {
        let account = 0xabcd_0000_0000_0000 | u64::from(std::process::id());
        let listener = take(account).unwrap();
        let answers = std::thread::spawn(move || {
            for stream in listener.incoming().take(4) {
                let mut stream = stream.unwrap();
                assert!(is_trusted(&stream));
                let mut line = String::new();
                if BufReader::new(&stream).read_line(&mut line).unwrap_or(0) > 0 {
                    let _ = writeln!(stream, "{{\"state\":\"/some/where\"}}");
                }
            }
        });
        let Err(AccountError::Held(holder)) = take(account) else { panic!("taken twice") };
        assert_eq!(holder, Holder { pid: std::process::id(), state: Some("/some/where".into()) });
        assert!(find("/else/where").is_none());
        assert!(find("/some/where").is_some());
        answers.join().unwrap();
        drop(take(account).unwrap());
    }
}
