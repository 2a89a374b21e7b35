//! What a service manager wants to hear: ready, status, watchdog, stopping.
//!
//! systemd names a datagram socket in `NOTIFY_SOCKET`, and the watchdog's period in `WATCHDOG_USEC`; where neither is set
//! every call does nothing. Sending may fail (the manager is gone, its buffer is full): that is counted, never waited
//! for, and never a reason to trade differently. Protocol: sd_notify(3), systemd 255.

use std::ffi::OsStr;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;
use std::time::Duration;

/// The service manager's ear, if there is one.
#[derive(Debug, Default)]
pub struct Notify {
    socket: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Duration>,
    failed: u64,
}

impl Notify {
    /// From the environment that systemd starts a service with.
    #[must_use]
    pub fn from_env() -> Self {
        let socket = std::env::var_os("NOTIFY_SOCKET");
        let usec = std::env::var("WATCHDOG_USEC").ok();
        let meant_for_us = match std::env::var("WATCHDOG_PID") {
            Ok(pid) => pid == std::process::id().to_string(),
            Err(_) => true,
        };
        Self::new(socket.as_deref(), usec.as_deref().filter(|_| meant_for_us))
    }

    /// `socket` is a path, or a name in the abstract namespace behind an `@`; `usec` the watchdog's period.
    #[must_use]
    pub fn new(socket: Option<&OsStr>, usec: Option<&str>) -> Self {
        let address = socket.and_then(|name| match name.as_bytes() {
            [b'@', rest @ ..] => SocketAddr::from_abstract_name(rest).ok(),
            [] => None,
            _ => SocketAddr::from_pathname(Path::new(name)).ok(),
        });
        let socket = address.and_then(|address| {
            let socket = UnixDatagram::unbound().ok()?;
            socket.set_nonblocking(true).ok()?;
            Some((socket, address))
        });
        let watchdog = usec.and_then(|usec| usec.parse().ok()).filter(|&usec| usec > 0);
        Self { socket, watchdog: watchdog.map(Duration::from_micros), failed: 0 }
    }

    /// How often `alive` should be called: half the watchdog's period, so that one late call is not the last.
    #[must_use]
    pub fn beat_every(&self) -> Option<Duration> {
        self.watchdog.map(|period| period / 2)
    }

    /// Trading has opened, after reconciliation.
    pub fn ready(&mut self) {
        self.send("READY=1");
    }

    /// One line for `systemctl status`: mode and health.
    pub fn status(&mut self, text: &str) {
        let line = text.replace(['\n', '\r'], " ");
        self.send(&format!("STATUS={line}"));
    }

    /// Feeds the watchdog. The caller does so only if hot thread, journal and feeds have all moved since the last time:
    /// a timer that always feeds it is worse than none.
    pub fn alive(&mut self) {
        if self.watchdog.is_some() {
            self.send("WATCHDOG=1");
        }
    }

    /// The graceful end has begun.
    pub fn stopping(&mut self) {
        self.send("STOPPING=1");
    }

    /// Messages that could not be sent.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.failed
    }

    fn send(&mut self, message: &str) {
        let Some((socket, address)) = &self.socket else { return };
        if socket.send_to_addr(message.as_bytes(), address).is_err() {
            self.failed += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A manager listening under an abstract name, which leaves no file behind.
    fn manager(name: &str) -> (UnixDatagram, String) {
        let name = format!("surefoot-test-{name}-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(name.as_bytes()).unwrap();
        let socket = UnixDatagram::bind_addr(&address).unwrap();
        socket.set_nonblocking(true).unwrap();
        (socket, format!("@{name}"))
    }

    fn heard(socket: &UnixDatagram) -> Option<String> {
        let mut bytes = [0; 256];
        let length = socket.recv(&mut bytes).ok()?;
        Some(String::from_utf8_lossy(&bytes[..length]).into_owned())
    }

    #[test]
    fn a_manager_hears_each_word_once() {
        let (socket, name) = manager("words");
        let mut notify = Notify::new(Some(OsStr::new(&name)), Some("5000000"));
        assert_eq!(notify.beat_every(), Some(Duration::from_millis(2_500)));
        notify.ready();
        notify.status("demo\nall well");
        notify.alive();
        notify.stopping();
        for word in ["READY=1", "STATUS=demo all well", "WATCHDOG=1", "STOPPING=1"] {
            assert_eq!(heard(&socket).as_deref(), Some(word));
        }
        assert_eq!(heard(&socket), None);
        assert_eq!(notify.failed(), 0);
    }

    #[test]
    fn without_a_watchdog_it_is_not_fed() {
        let (socket, name) = manager("no-watchdog");
        let mut notify = Notify::new(Some(OsStr::new(&name)), None);
        notify.alive();
        assert_eq!((heard(&socket), notify.beat_every()), (None, None));
    }

    #[test]
    fn without_a_manager_nothing_happens() {
        for socket in [None, Some(OsStr::new(""))] {
            let mut notify = Notify::new(socket, Some("0"));
            notify.ready();
            notify.alive();
            assert_eq!((notify.failed(), notify.beat_every()), (0, None));
        }
    }

    #[test]
    fn a_manager_that_is_gone_is_counted_and_no_more() {
        let (socket, name) = manager("gone");
        drop(socket);
        let mut notify = Notify::new(Some(OsStr::new(&name)), Some("1000000"));
        notify.ready();
        notify.alive();
        assert_eq!(notify.failed(), 2);
    }
}
