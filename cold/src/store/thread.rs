//! The thread that writes the database. Nothing waits for it, and it waits for whoever else holds the file.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, never, select};
use surefoot_hot::journal::Record;

use super::{HealthAlarm, Store, StoreError, TRANSACTION_MAX};

/// Alarms waiting for the writer, and for a database that another program holds.
const ALARMS_MAX: usize = 256;
/// Batches waiting for the writer.
const BATCHES_MAX: usize = 256;
/// Records kept while another program holds the database; beyond that they are read from the journal again.
const WAITING_MAX: usize = 16 * TRANSACTION_MAX;
/// How often a database that is held is tried again, beside the wait within each try.
const RETRY_EVERY: Duration = Duration::from_millis(200);
/// How long the end of a run waits for whoever holds it.
const END_BUSY: Duration = Duration::from_secs(10);

/// The thread that writes the database.
#[derive(Debug)]
pub struct StoreThread {
    input: Sender<Vec<Record>>,
    alarms: Sender<HealthAlarm>,
    seen: Arc<Seen>,
    thread: JoinHandle<Result<(), StoreError>>,
}

/// What others may know of it.
#[derive(Debug, Default)]
struct Seen {
    applied: AtomicU64,
    trouble: Mutex<Option<String>>,
}

impl Seen {
    fn set(&self, trouble: Option<&StoreError>) {
        let text = trouble.map(ToString::to_string);
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }
}

impl StoreThread {
    /// Starts it over the database and the journal it is made from. A database that another program holds is waited for and
    /// then caught up; after any other error it stops writing and goes on emptying its channel: the next start catches up.
    ///
    /// # Errors
    /// The thread could not be started.
    pub fn start(store: Store, journal: PathBuf) -> io::Result<Self> {
        let (input, batches) = crossbeam_channel::bounded(BATCHES_MAX);
        let (alarms, raised) = crossbeam_channel::bounded(ALARMS_MAX);
        let seen = Arc::new(Seen::default());
        seen.applied.store(store.next_seq(), Ordering::Relaxed);
        let writer = Writer {
            store,
            journal,
            seen: Arc::clone(&seen),
            waiting: Vec::new(),
            behind: false,
            alarms: Vec::new(),
        };
        let write = move || writer.run(&batches, raised);
        let thread = thread::Builder::new().name("store".into()).spawn(write)?;
        Ok(Self { input, alarms, seen, thread })
    }

    /// Where the journal's writer sends what it wrote.
    pub fn input(&self) -> Sender<Vec<Record>> {
        self.input.clone()
    }

    /// Has an alarm of the run's health written down. Whether there was room for it.
    #[must_use]
    pub fn keep(&self, alarm: HealthAlarm) -> bool {
        self.alarms.try_send(alarm).is_ok()
    }

    /// The number of the next record the tables lack.
    pub fn applied(&self) -> u64 {
        self.seen.applied.load(Ordering::Acquire)
    }

    /// Why nothing is written now; `None` where it is.
    pub fn trouble(&self) -> Option<String> {
        self.seen.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether its thread has ended, which it does only where it is closed, or by a panic.
    pub fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits until everything sent is in the tables. Every sender must be gone, the journal's too.
    ///
    /// # Errors
    /// What went wrong while it ran.
    pub fn close(self) -> Result<(), StoreError> {
        drop((self.input, self.alarms));
        self.thread.join().unwrap_or(Err(StoreError::Ended))
    }
}

struct Writer {
    store: Store,
    journal: PathBuf,
    seen: Arc<Seen>,
    waiting: Vec<Record>,
    /// Records were dropped: they are in the journal.
    behind: bool,
    /// Alarms of the run's health that are not written down yet.
    alarms: Vec<HealthAlarm>,
}

impl Writer {
    /// Waits for records or alarms; no longer than a moment where something waits to be written already. `false` once the
    /// journal has ended.
    fn receive(
        &mut self,
        batches: &Receiver<Vec<Record>>,
        raised: &mut Receiver<HealthAlarm>,
    ) -> bool {
        let idle = self.waiting.is_empty() && self.alarms.is_empty() && !self.behind;
        let retry = if idle { never() } else { crossbeam_channel::after(RETRY_EVERY) };
        select! {
            recv(batches) -> records => match records {
                Ok(records) => self.waiting.extend(records),
                Err(_) => return false,
            },
            recv(raised) -> alarm => match alarm {
                Ok(alarm) => self.alarms.push(alarm),
                Err(_) => *raised = never(), // nobody raises any more; the journal may still end
            },
            recv(retry) -> _ => {}
        }
        true
    }

    fn run(
        mut self,
        batches: &Receiver<Vec<Record>>,
        mut raised: Receiver<HealthAlarm>,
    ) -> Result<(), StoreError> {
        let mut broken = None;
        while self.receive(batches, &mut raised) {
            while self.alarms.len() < ALARMS_MAX
                && let Ok(alarm) = raised.try_recv()
            {
                self.alarms.push(alarm);
            }
            while self.waiting.len() < TRANSACTION_MAX
                && let Ok(more) = batches.try_recv()
            {
                self.waiting.extend(more);
            }
            if broken.is_some() {
                self.waiting.clear();
                self.alarms.clear();
                continue;
            }
            match self.write() {
                Err(error) if error.is_busy() => self.wait_for_it(&error),
                Err(error) => {
                    self.seen.set(Some(&error));
                    self.waiting.clear();
                    self.alarms.clear();
                    self.behind = false;
                    broken = Some(error);
                }
                Ok(()) => {}
            }
        }
        if let Some(error) = broken {
            return Err(error);
        }
        self.alarms.extend(raised.try_iter());
        let begin = Instant::now();
        loop {
            match self.write() {
                Err(error) if error.is_busy() && begin.elapsed() < END_BUSY => {}
                Err(error) => return Err(error),
                Ok(()) => break,
            }
        }
        // Leaves one file behind where it can; readers that are still there keep the others.
        let _ = self.store.db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA optimize;");
        Ok(())
    }

    /// Takes in what waits, from the journal where records are missing before it.
    fn write(&mut self) -> Result<(), StoreError> {
        if self.behind {
            self.store.catch_up(&self.journal)?;
            self.behind = false;
        }
        match self.store.apply(&self.waiting) {
            Err(StoreError::Gap { .. }) => {
                self.store.catch_up(&self.journal)?;
                self.store.apply(&self.waiting)?;
            }
            applied => applied?,
        }
        self.waiting.clear();
        if !self.alarms.is_empty() {
            self.store.keep(&self.alarms)?; // after the records: they may begin the run that it belongs to
            self.alarms.clear();
        }
        // In this order: who sees that a record is in the tables sees that nothing keeps the writer any more.
        self.seen.set(None);
        self.seen.applied.store(self.store.next_seq(), Ordering::Release);
        Ok(())
    }

    fn wait_for_it(&mut self, error: &StoreError) {
        self.seen.set(Some(error));
        if self.waiting.len() > WAITING_MAX {
            self.waiting.clear();
            self.behind = true;
        }
    }
}
