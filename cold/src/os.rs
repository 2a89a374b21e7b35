//! What the operating system makes us do by hand: the only unsafe code there is.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

/// Keeps every page in memory that is there or is touched from now on: neither the hot thread nor a key goes to the swap.
///
/// # Errors
/// The system would not. Under a finite `RLIMIT_MEMLOCK` without `CAP_IPC_LOCK` it is not even tried: what is allocated later
/// would fail by it.
#[expect(unsafe_code, reason = "no safe wrapper")]
pub fn lock_memory() -> io::Result<()> {
    const CAP_IPC_LOCK: u64 = 14;
    let has_right = status_field("CapEff:")
        .and_then(|text| u64::from_str_radix(&text, 16).ok())
        .is_some_and(|rights| rights >> CAP_IPC_LOCK & 1 == 1);
    let bound = limit(libc::RLIMIT_MEMLOCK)?;
    if !has_right && bound.rlim_cur != libc::RLIM_INFINITY {
        let what =
            format!("RLIMIT_MEMLOCK is {} bytes (LimitMEMLOCK=infinity lifts it)", bound.rlim_cur);
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, what));
    }
    let flags = libc::MCL_CURRENT | libc::MCL_FUTURE | libc::MCL_ONFAULT;
    // SAFETY: takes flags by value, touches no memory of ours, fails only by its return code.
    let code = unsafe { libc::mlockall(flags) };
    if code == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Whether pages of this process are kept in memory, as the kernel counts them.
pub fn memory_is_locked() -> bool {
    let locked = status_field("VmLck:").and_then(|text| text.parse::<u64>().ok());
    locked.is_some_and(|kilobytes| kilobytes > 0)
}

/// The first word behind a name in `/proc/self/status`.
fn status_field(name: &str) -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next().map(str::to_owned)
}

/// `__rlimit_resource_t` of glibc, `c_int` of musl.
#[cfg(target_env = "gnu")]
type Resource = libc::__rlimit_resource_t;
#[cfg(not(target_env = "gnu"))]
type Resource = libc::c_int;

#[expect(unsafe_code, reason = "no safe wrapper")]
fn limit(resource: Resource) -> io::Result<libc::rlimit> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: writes one `rlimit` that lives until the call returns.
    let code = unsafe { libc::getrlimit(resource, &raw mut limit) };
    if code == 0 { Ok(limit) } else { Err(io::Error::last_os_error()) }
}

/// Whether neither a core dump nor another process of this user can see this one's memory, as the kernel says.
#[expect(unsafe_code, reason = "no safe wrapper")]
pub fn dumps_are_forbidden() -> bool {
    let none: libc::c_ulong = 0;
    // SAFETY: `PR_GET_DUMPABLE` takes no pointer and returns the flag.
    let dumpable = unsafe { libc::prctl(libc::PR_GET_DUMPABLE, none, none, none, none) };
    dumpable == 0 && limit(libc::RLIMIT_CORE).is_ok_and(|limit| limit.rlim_cur == 0)
}

/// Forbids core dumps and attachment by other processes of the same user: keys are in memory.
///
/// # Errors
/// What the system says.
#[expect(unsafe_code, reason = "no safe wrapper")]
pub fn forbid_dumps() -> io::Result<()> {
    let (no, none): (libc::c_ulong, libc::c_ulong) = (0, 0);
    // SAFETY: `PR_SET_DUMPABLE` takes its arguments by value and changes a flag of this process alone.
    let code = unsafe { libc::prctl(libc::PR_SET_DUMPABLE, no, none, none, none) };
    if code != 0 {
        return Err(io::Error::last_os_error());
    }
    let limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: reads one `rlimit` that lives until the call returns.
    let code = unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const limit) };
    if code == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// From here on every file and directory that this process makes is for its user alone, SQLite's own included.
#[expect(unsafe_code, reason = "no safe wrapper")]
pub fn make_private() {
    // SAFETY: takes the mask by value, changes it for this process alone and cannot fail.
    unsafe { libc::umask(0o077) };
}

/// A number among a TCP socket's options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TcpOption {
    /// Whether the system asks a silent peer for a sign of life: 0 or 1.
    KeepAlive,
    /// After how many silent seconds it begins to ask.
    KeepIdleS,
    /// How many seconds lie between two such questions.
    KeepEveryS,
    /// After how many questions without an answer the connection is broken.
    KeepCount,
    /// How many milliseconds sent bytes may stay unacknowledged before the connection is broken.
    UserTimeoutMs,
}

impl TcpOption {
    const fn name(self) -> (libc::c_int, libc::c_int) {
        match self {
            Self::KeepAlive => (libc::SOL_SOCKET, libc::SO_KEEPALIVE),
            Self::KeepIdleS => (libc::IPPROTO_TCP, libc::TCP_KEEPIDLE),
            Self::KeepEveryS => (libc::IPPROTO_TCP, libc::TCP_KEEPINTVL),
            Self::KeepCount => (libc::IPPROTO_TCP, libc::TCP_KEEPCNT),
            Self::UserTimeoutMs => (libc::IPPROTO_TCP, libc::TCP_USER_TIMEOUT),
        }
    }

    /// Sets this option of the socket to `number`, in the unit that its name says.
    ///
    /// # Errors
    /// It is no TCP socket, or the number is out of range.
    #[expect(unsafe_code, reason = "no safe wrapper")]
    pub fn set(self, socket: BorrowedFd<'_>, number: u32) -> io::Result<()> {
        let (level, name) = self.name();
        let number = libc::c_int::try_from(number).map_err(|_| io::ErrorKind::InvalidInput)?;
        let len = size_of::<libc::c_int>() as libc::socklen_t;
        // SAFETY: the descriptor is borrowed, so it is open; reads one `c_int` that lives until the call returns.
        let code = unsafe {
            libc::setsockopt(socket.as_raw_fd(), level, name, (&raw const number).cast(), len)
        };
        if code == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// Reads it back.
    ///
    /// # Errors
    /// It is no TCP socket.
    #[expect(unsafe_code, reason = "no safe wrapper")]
    pub fn get(self, socket: &impl AsFd) -> io::Result<u32> {
        let (level, name) = self.name();
        let (mut number, mut len) = (0_i32, size_of::<libc::c_int>() as libc::socklen_t);
        // SAFETY: the descriptor is borrowed, so it is open; writes at most `len` bytes into one `c_int`, and its length.
        let code = unsafe {
            libc::getsockopt(
                socket.as_fd().as_raw_fd(),
                level,
                name,
                (&raw mut number).cast(),
                &raw mut len,
            )
        };
        if code != 0 {
            return Err(io::Error::last_os_error());
        }
        u32::try_from(number).map_err(io::Error::other)
    }
}

/// The user whom this process acts as.
#[expect(unsafe_code, reason = "no safe wrapper")]
pub fn user() -> u32 {
    // SAFETY: takes nothing, touches no memory of ours and cannot fail.
    unsafe { libc::geteuid() }
}

/// Process and user at the other end of a socket, as the kernel has them: who made it listen, or who connected.
///
/// # Errors
/// What the system says.
#[expect(unsafe_code, reason = "no safe wrapper")]
pub fn peer(stream: &std::os::unix::net::UnixStream) -> io::Result<(u32, u32)> {
    use std::os::fd::AsRawFd;
    let mut cred = libc::ucred { pid: 0, uid: 0, gid: 0 };
    let mut size = libc::socklen_t::try_from(size_of::<libc::ucred>()).expect("twelve bytes");
    // SAFETY: the descriptor is open while `stream` is borrowed; at most `size` bytes are written to `cred`, which is that
    // long, and to `size`; both live until the call returns.
    let code = unsafe {
        libc::getsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut cred).cast(),
            &raw mut size,
        )
    };
    if code != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok((u32::try_from(cred.pid).unwrap_or(0), cred.uid))
}

/// Sends `signal` (`libc::SIGTERM`) to one process.
///
/// # Errors
/// It does not exist, or is not ours.
#[expect(unsafe_code, reason = "no safe wrapper")]
pub fn signal(pid: u32, signal: i32) -> io::Result<()> {
    let pid = libc::pid_t::try_from(pid).map_err(|_| io::ErrorKind::InvalidInput)?;
    if pid == 0 {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: takes both by value, touches no memory of ours.
    let code = unsafe { libc::kill(pid, signal) };
    if code == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_told_from_none() {
        assert!(signal(0, 0).is_err(), "the whole group");
        assert!(signal(u32::MAX, 0).is_err());
        assert!(signal(4_194_305, 0).is_err(), "beyond the largest process number there is");
        assert!(signal(std::process::id(), 0).is_ok());
        assert!(!dumps_are_forbidden(), "nobody asked for it yet");
        forbid_dumps().unwrap();
        assert!(dumps_are_forbidden());
    }
}
