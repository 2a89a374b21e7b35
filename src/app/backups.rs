//! Dated copies of the database while a run goes on, made on a thread of their own: neither the core nor the store waits for it.

use std::io;
use std::path::PathBuf;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError};
use surefoot_cold::observe::observer::Announcer;
use surefoot_cold::observe::told::NamedPlace;
use surefoot_cold::state_dir::StateDir;
use surefoot_cold::store::StoreError;
use surefoot_cold::store::backup::{list, take};
use surefoot_cold::wall::unix_ns;
use surefoot_hot::units::Nanos;

use super::run_note::RunNote;
use crate::config::BackupConfig;

/// A run makes no copy before it has lasted for so long.
const FIRST_AFTER: Duration = Duration::from_secs(60);
/// How often it looks whether one is due, and tries again after one that failed.
const LOOK_EVERY: Duration = Duration::from_secs(3_600);

/// The thread that copies the database.
pub(super) struct Backups {
    /// Dropped where it is to end.
    stop: Option<Sender<()>>,
    /// `None` where no copies are wanted.
    thread: Option<JoinHandle<()>>,
}

struct Work {
    database: PathBuf,
    dir: PathBuf,
    options: BackupConfig,
    notes: Announcer,
    stopped: Receiver<()>,
}

impl Backups {
    /// Starts the thread, where copies are wanted.
    ///
    /// # Errors
    /// The system has no room for another thread.
    pub fn start(state: &StateDir, options: BackupConfig, notes: Announcer) -> io::Result<Self> {
        let (stop, stopped) = crossbeam_channel::bounded(0);
        let (database, dir) = (state.database(), state.backups());
        let work = Work { database, dir, options, notes, stopped };
        let thread = (!options.every.is_zero())
            .then(|| thread::Builder::new().name("backup".into()).spawn(move || work.run()))
            .transpose()?;
        Ok(Self { stop: Some(stop), thread })
    }

    /// Whether its thread has ended, which it does only where it is closed, or by a panic.
    pub fn has_ended(&self) -> bool {
        self.thread.as_ref().is_some_and(JoinHandle::is_finished)
    }

    /// Ends the thread; a copy that is being made is given up.
    pub fn close(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // its panic was said where it happened
        }
    }
}

impl Work {
    fn run(self) {
        let mut wait = FIRST_AFTER;
        while let Err(RecvTimeoutError::Timeout) = self.stopped.recv_timeout(wait) {
            wait = self.due_in(Nanos::new(unix_ns()));
            if wait.is_zero() {
                self.back_up();
                wait = self.options.every;
            }
            wait = wait.min(LOOK_EVERY);
        }
    }

    /// How long it is until the next copy is due; zero where none is there, or they cannot be listed: making one says why.
    fn due_in(&self, now: Nanos) -> Duration {
        let newest = list(&self.dir).ok().and_then(|files| files.first().map(|file| file.at));
        newest.map_or(Duration::ZERO, |at| {
            self.options.every.saturating_sub(Duration::from_nanos(now.since(at).get()))
        })
    }

    fn back_up(&self) {
        let goes_on = || self.stopped.try_recv() != Err(TryRecvError::Disconnected);
        let now = Nanos::new(unix_ns());
        let taken = take(&self.database, &self.dir, now, self.options.keep, &mut |_| goes_on());
        let (what, text) = match taken {
            Ok(taken) => (
                RunNote::BackedUp,
                format!(
                    "the database was copied to {}: {} rows",
                    taken.path.display(),
                    taken.looked.rows()
                ),
            ),
            Err(StoreError::Stopped) => return,
            Err(error) => (
                RunNote::BackupFailed,
                format!(
                    "no backup of the database could be made, it is tried again within the hour: {error}. Trading goes on; make \
                     room where the disk is full, and see `surefoot db check`"
                ),
            ),
        };
        self.notes.note(what.told(NamedPlace::default(), text));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use surefoot_cold::observe::log::{JsonLog, LogOptions};
    use surefoot_cold::observe::observer::Observer;
    use surefoot_cold::store::Store;
    use surefoot_cold::store::names::MarketNames;

    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);
    const HOUR: Duration = Duration::from_secs(3_600);

    #[test]
    fn a_copy_is_made_where_none_is_young_enough_and_a_failure_is_told_with_what_to_do() {
        let root = std::env::temp_dir().join(format!("surefoot-backups-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        let state = StateDir::open(&root).unwrap();
        let (database, journal) = (state.database(), state.journal());
        drop(Store::open(&database, &journal, MarketNames::default(), |_| ()).unwrap());
        let mut observer = Observer::start().unwrap();
        let log = LogOptions { path: state.notes(), bytes_max: 1 << 20, older_max: 0 };
        observer.add(JsonLog::new(log)).unwrap();
        let (stop, stopped) = crossbeam_channel::bounded(0);
        let options = BackupConfig { every: DAY, keep: 2 };
        let (dir, notes) = (state.backups(), observer.announcer().clone());
        let work = Work { database: database.clone(), dir, options, notes, stopped };
        let now = unix_ns();
        let later = |span: Duration| Nanos::new(now + u64::try_from(span.as_nanos()).unwrap());
        assert_eq!(work.due_in(later(Duration::ZERO)), Duration::ZERO, "there is none");
        work.back_up();
        let made = list(&state.backups()).unwrap();
        assert_eq!(made.len(), 1);
        let due = work.due_in(later(HOUR));
        assert!(due > 22 * HOUR && due < 24 * HOUR, "{due:?}");
        assert_eq!(work.due_in(later(2 * DAY)), Duration::ZERO);
        for part in ["-wal", "-shm"] {
            let _ = fs::remove_file(format!("{}{part}", database.display()));
        }
        fs::write(&database, "no database".repeat(1_000)).unwrap();
        work.back_up();
        assert_eq!(list(&state.backups()).unwrap(), made, "what was there stays");
        drop(stop);
        work.run(); // it ends, and does not wait for its first look
        observer.close();
        let notes = fs::read_to_string(state.notes()).unwrap();
        for word in ["\"backed_up\"", "\"backup_failed\"", "surefoot db check"] {
            assert!(notes.contains(word), "{word} is missing in {notes}");
        }
        fs::remove_dir_all(&root).unwrap();
    }

    #[test]
    fn the_thread_ends_when_it_is_closed_and_is_not_there_where_no_copies_are_wanted() {
        let state = StateDir::at(std::path::Path::new("none"));
        let mut observer = Observer::start().unwrap();
        for (every, is_there) in [(DAY, true), (Duration::ZERO, false)] {
            let options = BackupConfig { every, keep: 2 };
            let mut backups =
                Backups::start(&state, options, observer.announcer().clone()).unwrap();
            assert_eq!((backups.thread.is_some(), backups.has_ended()), (is_there, false));
            backups.close();
            assert!(!backups.has_ended());
        }
        observer.close();
    }
}
