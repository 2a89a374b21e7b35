//! The sink that writes the database. Nothing waits for it, and it waits for whoever else holds the file.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use surefoot_hot::journal::Record;
use surefoot_hot::note::Severity;

use super::{HealthAlarm, Store, StoreError, TRANSACTION_MAX};
use crate::observe::sink::{Interest, Sink};
use crate::observe::told::Observation;

/// Records that may wait for it. What is beyond is read from the journal again.
const QUEUE_MAX: u64 = 1_000_000;
/// Alarms kept while another program holds the database; the last ones go first.
const ALARMS_MAX: usize = 256;
/// Records kept while another program holds the database; beyond that they are read from the journal again.
const WAITING_MAX: usize = 16 * TRANSACTION_MAX;
/// How often a database that is held is tried again, beside the wait within each try.
const RETRY_EVERY: Duration = Duration::from_millis(200);
/// How long the end of a run waits for whoever holds it.
const END_BUSY: Duration = Duration::from_secs(10);
/// How long the end of a run waits for it in all.
const ENDS_WITHIN: Duration = Duration::from_secs(60);

/// What others may know of it.
#[derive(Debug, Default)]
pub struct StoreStatus {
    applied: AtomicU64,
    trouble: Mutex<Option<String>>,
}

impl StoreStatus {
    /// The number of the next record the tables lack.
    pub fn applied(&self) -> u64 {
        self.applied.load(Ordering::Acquire)
    }

    /// Why nothing is written now; `None` where it is.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, trouble: Option<&StoreError>) {
        let text = trouble.map(ToString::to_string);
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }
}

/// The sink that writes the database. A database that another program holds is waited for and then caught up; after any other
/// error it writes nothing more: the next start catches up.
#[derive(Debug)]
pub struct StoreSink {
    store: Store,
    journal: PathBuf,
    status: Arc<StoreStatus>,
    waiting: Vec<Record>,
    /// Records were dropped: they are in the journal.
    behind: bool,
    /// Alarms of the run's health that are not written down yet.
    alarms: Vec<HealthAlarm>,
    /// Why nothing is written any more.
    broken: Option<String>,
}

impl StoreSink {
    /// Over the database and the journal it is made from.
    pub fn new(store: Store, journal: PathBuf) -> Self {
        let status = Arc::new(StoreStatus::default());
        status.applied.store(store.next_seq(), Ordering::Relaxed);
        let (waiting, alarms) = (Vec::new(), Vec::new());
        Self { store, journal, status, waiting, behind: false, alarms, broken: None }
    }

    /// What others may know of it.
    pub fn status(&self) -> Arc<StoreStatus> {
        Arc::clone(&self.status)
    }

    fn is_level(&self) -> bool {
        self.waiting.is_empty() && self.alarms.is_empty() && !self.behind
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
        self.store.take_in_acts()?;
        // In this order: who sees that a record is in the tables sees that nothing keeps the writer any more.
        self.status.set(None);
        self.status.applied.store(self.store.next_seq(), Ordering::Release);
        Ok(())
    }

    fn wait_for_it(&mut self, error: &StoreError) {
        self.status.set(Some(error));
        if self.waiting.len() > WAITING_MAX {
            self.waiting.clear();
            self.behind = true;
        }
    }

    fn give_up(&mut self, error: &StoreError) -> String {
        self.status.set(Some(error));
        (self.waiting, self.alarms, self.behind) = (Vec::new(), Vec::new(), false);
        let why = error.to_string();
        self.broken = Some(why.clone());
        why
    }
}

impl Sink for StoreSink {
    fn name(&self) -> &'static str {
        "store"
    }

    fn interest(&self) -> Interest {
        Interest {
            records: true,
            core_notes: None,
            run_notes: Some(Severity::Warning),
            figures: false,
        }
    }

    fn waiting_max(&self) -> u64 {
        QUEUE_MAX
    }

    fn ends_within(&self) -> Duration {
        ENDS_WITHIN
    }

    fn take(&mut self, seen: &[Arc<Observation>]) -> Result<(), String> {
        if let Some(why) = &self.broken {
            return Err(why.clone());
        }
        for seen in seen {
            match &**seen {
                Observation::Records(records) => self.waiting.extend_from_slice(records),
                // The core's alarms are in the records.
                Observation::Note(note) => self.alarms.extend(HealthAlarm::of(note)),
                Observation::Figures(_) => {}
            }
        }
        self.alarms.truncate(ALARMS_MAX);
        match self.write() {
            Err(error) if error.is_busy() => {
                self.wait_for_it(&error);
                Ok(())
            }
            Err(error) => Err(self.give_up(&error)),
            Ok(()) => Ok(()),
        }
    }

    fn again_in(&self) -> Option<Duration> {
        (!self.is_level()).then_some(RETRY_EVERY)
    }

    fn end(&mut self) -> Result<(), String> {
        if let Some(why) = &self.broken {
            return Err(why.clone());
        }
        let begin = Instant::now();
        loop {
            match self.write() {
                Err(error) if error.is_busy() && begin.elapsed() < END_BUSY => {}
                Err(error) => return Err(self.give_up(&error)),
                Ok(()) => break,
            }
        }
        // Leaves one file behind where it can; readers that are still there keep the others.
        let _ = self.store.db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA optimize;");
        Ok(())
    }
}
