//! Feeds the service manager's watchdog, and only while everything that must move has moved: every hot thread, the
//! journal's thread, and the main thread within the time that it has announced. Where a hot thread is given up and the main thread
//! cancels in its place, the main thread alone must move, and no longer than a rescue takes at most.
//!
//! On a thread of its own: at the end of a run the main thread waits for the venues for minutes, and must not be killed for
//! that.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use surefoot_cold::journal::Status as JournalStatus;

use super::notify::Notify;
use crate::machine::threads::Pulse;

/// The thread that feeds it; nothing runs where nobody listens.
#[derive(Debug)]
pub(crate) struct Watchdog {
    /// Until when the main thread may be silent, in milliseconds since `began`.
    silent_until: Arc<AtomicU64>,
    /// Until when nothing but the main thread must move, in milliseconds since `began`; zero without a rescue.
    rescue_until: Arc<AtomicU64>,
    began: Instant,
    thread: Option<(Sender<()>, JoinHandle<()>)>,
}

/// What must move, and where it stood when the watchdog was last fed.
struct Moving {
    pulses: Vec<Pulse>,
    journal: Arc<JournalStatus>,
    seen: Vec<u64>,
}

impl Moving {
    fn read(&self) -> Vec<u64> {
        let turns = self.pulses.iter().map(Pulse::turns);
        turns.chain([self.journal.turns()]).collect()
    }

    /// Whether each of them has moved since this was last true.
    fn have_moved(&mut self) -> bool {
        let now = self.read();
        let moved = now.iter().zip(&self.seen).all(|(now, seen)| now != seen)
            && !self.pulses.iter().any(|pulse| pulse.death().is_some())
            && !self.journal.failed();
        if moved {
            self.seen = now;
        }
        moved
    }
}

impl Watchdog {
    /// Starts it over the hot threads' pulses and the journal.
    ///
    /// # Errors
    /// The thread could not be started.
    pub fn start(
        mut notify: Notify,
        pulses: Vec<Pulse>,
        journal: Arc<JournalStatus>,
    ) -> std::io::Result<Self> {
        let [silent_until, rescue_until] = [0, 0].map(|never| Arc::new(AtomicU64::new(never)));
        let began = Instant::now();
        let Some(every) = notify.beat_every() else {
            return Ok(Self { silent_until, rescue_until, began, thread: None });
        };
        let (stop, stopped) = bounded(0);
        let (silent, rescue) = (Arc::clone(&silent_until), Arc::clone(&rescue_until));
        let is_before = move |until: &AtomicU64| {
            u128::from(until.load(Ordering::Relaxed)) >= began.elapsed().as_millis()
        };
        let mut moving = Moving { seen: vec![u64::MAX; pulses.len() + 1], pulses, journal };
        let feed = move || {
            while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                if is_before(&silent) && (is_before(&rescue) || moving.have_moved()) {
                    notify.alive();
                }
            }
        };
        let thread = thread::Builder::new().name("watchdog".into()).spawn(feed)?;
        Ok(Self { silent_until, rescue_until, began, thread: Some((stop, thread)) })
    }

    /// The hot threads are given up, and the main thread does within `span` what they would have done: until then nothing but
    /// itself must move.
    pub fn rescue_within(&self, span: Duration) {
        self.rescue_until.store(self.after(span), Ordering::Relaxed);
    }

    /// The main thread will be heard of again within `span`.
    pub fn expect_within(&self, span: Duration) {
        self.silent_until.store(self.after(span), Ordering::Relaxed);
    }

    /// In milliseconds since `began`.
    fn after(&self, span: Duration) -> u64 {
        u64::try_from((self.began.elapsed() + span).as_millis()).unwrap_or(u64::MAX)
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.thread.take() {
            drop(stop);
            let _ = thread.join(); // it has nothing to tell
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram};
    use std::sync::atomic::AtomicBool;

    use surefoot_cold::halt::HaltEpoch;

    use super::*;
    use crate::clock::Clock;
    use crate::machine::threads::{Idle, spin};

    const BOUND: Duration = Duration::from_secs(60);

    /// Whether it is fed within a bound, everything heard before forgotten.
    fn is_fed(manager: &UnixDatagram, within: Duration) -> bool {
        let mut bytes = [0; 64];
        manager.set_nonblocking(true).unwrap();
        while manager.recv(&mut bytes).is_ok() {}
        manager.set_nonblocking(false).unwrap();
        manager.set_read_timeout(Some(within)).unwrap();
        manager.recv(&mut bytes).is_ok_and(|length| &bytes[..length] == b"WATCHDOG=1")
    }

    #[test]
    fn it_is_fed_only_while_every_thread_moves() {
        let name = format!("surefoot-test-watchdog-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(name.as_bytes()).unwrap();
        let manager = UnixDatagram::bind_addr(&address).unwrap();
        let notify = Notify::new(Some(OsStr::new(&format!("@{name}"))), Some("40000"));
        let (pulse, journal) = (Pulse::default(), Arc::new(JournalStatus::default()));
        let (stop, still, quiet) = [(); 3].map(|()| Arc::new(AtomicBool::new(false))).into();
        let hot = thread::spawn({
            let (pulse, stop, still) = (pulse.clone(), Arc::clone(&stop), Arc::clone(&still));
            move || {
                let clock = Clock::start().unwrap();
                let turn = |_| {
                    while still.load(Ordering::Relaxed) && !stop.load(Ordering::Relaxed) {
                        thread::yield_now();
                    }
                    0
                };
                spin(turn, &clock, Idle::Rest, &stop, &pulse, &HaltEpoch::default())
            }
        });
        let writer = thread::spawn({
            let (journal, stop, quiet) =
                (Arc::clone(&journal), Arc::clone(&stop), Arc::clone(&quiet));
            move || {
                while !stop.load(Ordering::Relaxed) {
                    if !quiet.load(Ordering::Relaxed) {
                        journal.turned();
                    }
                    thread::sleep(Duration::from_millis(1));
                }
            }
        });
        let watchdog = Watchdog::start(notify, vec![pulse], journal).unwrap();
        let silence = Duration::from_millis(300);
        assert!(!is_fed(&manager, silence), "the main thread has not been heard of");
        watchdog.expect_within(BOUND);
        assert!(is_fed(&manager, BOUND));
        for flag in [&still, &quiet] {
            flag.store(true, Ordering::Relaxed);
            let _ = is_fed(&manager, silence); // what moved before is told once more
            assert!(!is_fed(&manager, silence));
            flag.store(false, Ordering::Relaxed);
            assert!(is_fed(&manager, BOUND), "it moves again");
        }
        watchdog.expect_within(Duration::ZERO);
        let _ = is_fed(&manager, silence);
        assert!(!is_fed(&manager, silence), "the main thread is late");
        still.store(true, Ordering::Relaxed);
        watchdog.rescue_within(BOUND);
        let _ = is_fed(&manager, silence);
        assert!(!is_fed(&manager, silence), "a rescue whose thread is late goes on no more");
        watchdog.expect_within(BOUND);
        for _ in 0..3 {
            assert!(is_fed(&manager, BOUND), "the thread that rescues moves");
        }
        watchdog.rescue_within(Duration::ZERO);
        let _ = is_fed(&manager, silence);
        assert!(!is_fed(&manager, silence), "a rescue that takes longer than it may");
        stop.store(true, Ordering::Relaxed);
        drop(watchdog);
        hot.join().unwrap();
        writer.join().unwrap();
    }
}
