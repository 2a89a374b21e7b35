//! The thread that folds the journal again while it is being written, and takes the snapshots.
//!
//! It reads the journal's files and nothing else, so that neither the hot core nor the journal's thread does anything for
//! it. It comes to the same decisions as the core, or says so: no snapshot is taken of a state that is in doubt.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use surefoot_hot::journal::{Body, Record};

use super::{Removed, shorten, write};
use crate::journal::replay::{Expect, Fold, Replayed};
use crate::journal::{Position, Tail, Wrong, binary_hash};

/// How often the journal's files are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Records read at a time.
const BATCH_MAX: usize = 4_096;
/// A snapshot is taken when so many records have come since the last one: folding them takes a start some 0.1 s.
pub const RECORDS_MAX: u64 = 250_000;
/// A snapshot is taken at least this often, where any record has come since the last one.
pub const TAKE_EVERY: Duration = Duration::from_secs(300);

/// What a follower is started with.
pub struct Following {
    /// The directory of the journal's segments.
    pub journal: PathBuf,
    /// The directory of the snapshots.
    pub snapshots: PathBuf,
    /// Gives the number of the first record that the database has not taken in: nothing from there on is removed.
    pub applied: Box<dyn Fn() -> u64 + Send>,
    /// Records younger than this are kept, whatever a start needs.
    pub keep: Duration,
    /// Where this run begins in the journal.
    pub begins: Position,
    /// What was folded up to there; `None` where the core begins empty.
    pub folded: Option<Replayed>,
}

/// What the follower has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Records of this run that it has folded.
    pub followed: u64,
    /// Snapshots that it has written.
    pub written: u64,
    /// The number of the first record that is not in the newest of them.
    pub newest: u64,
    /// Segments of the journal that it has removed.
    pub segments_removed: u64,
}

/// What others may know of the follower, without waiting for it.
#[derive(Debug, Default)]
pub struct Status {
    followed: AtomicU64,
    written: AtomicU64,
    newest: AtomicU64,
    segments_removed: AtomicU64,
    trouble: Mutex<Option<String>>,
}

impl Status {
    /// What it has done so far.
    pub fn figures(&self) -> Figures {
        let Self { followed, written, newest, segments_removed, trouble: _ } = self;
        Figures {
            followed: followed.load(Ordering::Relaxed),
            written: written.load(Ordering::Relaxed),
            newest: newest.load(Ordering::Relaxed),
            segments_removed: segments_removed.load(Ordering::Relaxed),
        }
    }

    /// Why no snapshot can be taken; `None` where they can.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_trouble(&self, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }
}

/// The thread that follows the journal.
#[derive(Debug)]
pub struct Follower {
    status: Arc<Status>,
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl Follower {
    /// Starts the thread.
    ///
    /// # Errors
    /// It could not be started.
    pub fn start(following: Following) -> io::Result<Self> {
        let status = Arc::new(Status::default());
        let (stop, stopped) = crossbeam_channel::bounded(1);
        let follow = Follow {
            tail: Tail::new(&following.journal, following.begins),
            fold: None,
            failed: false,
            unread: false,
            since: 0,
            taken: Instant::now(),
            status: Arc::clone(&status),
            following,
        };
        let thread =
            thread::Builder::new().name("snapshot".into()).spawn(move || follow.run(&stopped))?;
        Ok(Self { status, stop, thread })
    }

    /// What may be known of it.
    pub fn status(&self) -> &Arc<Status> {
        &self.status
    }

    /// Whether its thread has ended, which it does only where it is closed, or by a panic.
    pub fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// Folds the rest of the journal and takes a last snapshot. The journal must be closed. Returns what was done in all, and
    /// why no snapshot could be taken where that is so.
    pub fn close(self) -> (Figures, Option<String>) {
        let _ = self.stop.send(()); // a thread that died is told by `join`
        let status = Arc::clone(&self.status);
        if self.thread.join().is_err() {
            status.set_trouble(Some("the thread that takes snapshots panicked".to_owned()));
        }
        (status.figures(), status.trouble())
    }
}

struct Follow {
    following: Following,
    tail: Tail,
    /// `None` before the header of a run that begins empty, and after a failure.
    fold: Option<Fold>,
    /// Whether it came to a stop: what it would fold is not what the core has.
    failed: bool,
    /// Whether the journal's files could not be read when they were last looked at: they are looked at again.
    unread: bool,
    /// Records folded since the last snapshot.
    since: u64,
    taken: Instant,
    status: Arc<Status>,
}

impl Follow {
    fn run(mut self, stopped: &Receiver<()>) {
        loop {
            let stop = !matches!(stopped.recv_timeout(LOOK_EVERY), Err(RecvTimeoutError::Timeout));
            if let Err(why) = self.follow() {
                self.failed = true;
                self.status.set_trouble(Some(why));
            }
            if self.since > 0 && (stop || self.taken.elapsed() >= TAKE_EVERY) {
                self.take_snapshot();
            }
            if stop {
                return;
            }
        }
    }

    /// Folds what has come.
    fn follow(&mut self) -> Result<(), String> {
        while !self.failed {
            let records = match self.tail.read(BATCH_MAX) {
                Err(error) if matches!(error.what, Wrong::Io { .. }) => {
                    self.unread = true;
                    self.status.set_trouble(Some(error.to_string()));
                    return Ok(());
                }
                read => read.map_err(|error| format!("{error:#}"))?,
            };
            if std::mem::take(&mut self.unread) {
                self.status.set_trouble(None);
            }
            if records.is_empty() {
                return Ok(());
            }
            for record in &records {
                self.fold(record)?;
            }
            self.since += records.len() as u64;
            self.status.followed.fetch_add(records.len() as u64, Ordering::Relaxed);
            if self.since >= RECORDS_MAX {
                self.take_snapshot();
            }
        }
        Ok(())
    }

    fn fold(&mut self, record: &Record) -> Result<(), String> {
        if self.fold.is_none() {
            let expect = Expect::Program(binary_hash());
            self.fold = match (self.following.folded.take(), &record.body) {
                (Some(folded), _) => Some(Fold::resume(folded, expect)),
                (None, Body::Header(header)) if header.fresh => Some(Fold::new(*header, expect)),
                (None, _) => {
                    return Err("the run goes on from a state that was not handed on".into());
                }
            };
        }
        let fold = self.fold.as_mut().expect("made above");
        fold.take(record).map_err(|how| {
            format!("the core's decisions cannot be repeated, record {}: {how}", record.seq)
        })
    }

    /// Takes a snapshot, if the last record folded is the last that its input made; else the next look takes it.
    fn take_snapshot(&mut self) {
        let Some(fold) = self.fold.as_ref().filter(|fold| !self.failed && fold.is_settled()) else {
            return;
        };
        let at = self.tail.place();
        let Following { journal, snapshots, applied, keep, .. } = &self.following;
        self.taken = Instant::now();
        let written = write(snapshots, &at, fold.replayed()).map_err(|error| error.to_string());
        let removed = written.and_then(|_| {
            self.since = 0;
            self.status.written.fetch_add(1, Ordering::Relaxed);
            self.status.newest.store(at.chain.next(), Ordering::Relaxed);
            shorten(journal, snapshots, applied(), fold.replayed().last, *keep)
        });
        match removed {
            Ok(Removed { segments, .. }) => {
                self.status.segments_removed.fetch_add(segments, Ordering::Relaxed);
                if !self.unread {
                    self.status.set_trouble(None);
                }
            }
            Err(why) => self.status.set_trouble(Some(why)),
        }
    }
}
