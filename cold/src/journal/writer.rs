//! Writing the journal: batches, grouped syncs, segments.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::mem;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};
use surefoot_hot::journal::{
    Body, Chain, Close, FORMAT, Header, JournalItem, RECORD_BYTES, Record,
};
use surefoot_hot::note::Note;
use surefoot_hot::units::Nanos;

use super::{
    Identity, JournalError, Mark, MarkFile, Position, Reader, SegmentFile, segment, segment_path,
    segments,
};
use crate::disk;
use crate::queue;
use crate::state_dir::{StateError, sync_dir};

/// A segment is over when it is this long: some 800,000 records.
pub const SEGMENT_BYTES: u64 = 64 << 20;
/// Records are on the disk at most this long after they were written, in grouped mode.
pub const SYNC_WITHIN: Duration = Duration::from_millis(5);
/// How many items are taken from the ring before they are written.
const BATCH_MAX: usize = 4_096;
/// How long the end of a run waits for room for the last records on their way on.
const ROOM_WITHIN: Duration = Duration::from_secs(10);
/// How long an idle writer sleeps: together with one write it stays well within [`SYNC_WITHIN`].
const IDLE: Duration = Duration::from_millis(1);

/// When the journal's records are synced to the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sync {
    /// Within [`SYNC_WITHIN`], many at once.
    #[default]
    Grouped,
    /// After every batch.
    Always,
    /// Never by us: a crash of the machine may lose the last seconds, a crash of the process loses nothing.
    Off,
}

/// How to write a journal.
#[derive(Clone, Debug)]
pub struct Options {
    /// The directory of the segments.
    pub dir: PathBuf,
    pub sync: Sync,
    /// How long a segment becomes; [`SEGMENT_BYTES`] outside tests.
    pub segment_bytes: u64,
    /// What the headers say of this run.
    pub identity: Identity,
    /// Whether the core begins empty, and not from what the journal says so far.
    pub fresh: bool,
    /// Where it is kept how far the journal is on the disk; nowhere in some tests.
    pub mark: Option<PathBuf>,
    /// What the last input of the run before made and no record holds
    /// ([`Replayed::untold`](super::replay::Replayed::untold)): the first records behind the header.
    pub untold: Vec<(Nanos, Note)>,
}

/// A journal open for appending.
#[derive(Debug)]
pub struct Journal {
    options: Options,
    chain: Chain,
    segment: u32,
    file: File,
    path: PathBuf,
    written: u64,
    buffer: Vec<u8>,
    /// Records added since [`Journal::take_made`], headers included: the store sees what a reader sees.
    made: Vec<Record>,
    /// How many of them are in the system's hands; the others wait in the buffer, or could not be written.
    made_flushed: usize,
    /// Segments of this and earlier runs that are over and not compressed yet.
    over: Vec<PathBuf>,
    mark: Option<MarkFile>,
    /// Whether the record that ends the run was added.
    closed: bool,
    /// Where the run's first record is.
    begins: Position,
}

impl Journal {
    /// Begins a run: finds the end of what is there and opens the next segment behind it.
    ///
    /// # Errors
    /// What is there is damaged, or the directory cannot be written to.
    pub fn open(options: Options, now: Nanos) -> Result<Self, JournalError> {
        fs::create_dir_all(&options.dir)
            .map_err(|source| JournalError::io("make", &options.dir, source))?;
        // Beginning behind an end that is missing would make the loss last.
        if let Some(path) = &options.mark
            && let Some(mark) = Mark::read(path)?
        {
            mark.check(&options.dir)?;
        }
        let earlier = segments(&options.dir)?;
        let chain = end_of(&earlier)?;
        let segment = earlier.last().map_or(1, |last| last.number + 1);
        let (file, path) = create(&options.dir, segment)?;
        let over = earlier.into_iter().map(|segment| segment.path);
        let over =
            over.filter(|path| path.extension().is_some_and(|ending| ending == "sfj")).collect();
        let mut journal = Self {
            options,
            chain,
            segment,
            file,
            path,
            written: 0,
            buffer: Vec::with_capacity(BATCH_MAX * RECORD_BYTES),
            made: Vec::with_capacity(BATCH_MAX),
            made_flushed: 0,
            over,
            mark: None,
            closed: false,
            begins: Position { segment, offset: 0, chain, closed: false },
        };
        journal.push_header(now, true);
        for (made, note) in mem::take(&mut journal.options.untold) {
            journal.push(made, Body::Note(note)); // a fill belongs to the day on which it was made
        }
        journal.flush()?;
        journal.sync()?;
        if let Some(path) = &journal.options.mark {
            journal.mark = Some(MarkFile::create(path, journal.chain.into())?);
        }
        Ok(journal)
    }

    /// Where this run's first record, the header of its first segment, is.
    pub fn begins(&self) -> Position {
        self.begins
    }

    /// Adds a record to the batch. Begins the next segment first where this one is full.
    ///
    /// # Errors
    /// The full segment could not be written or the next one not be made.
    pub fn append(&mut self, now: Nanos, body: &Body) -> Result<(), JournalError> {
        assert!(!self.closed, "S2: nothing follows the record that closes the run");
        if self.written + self.buffer.len() as u64 >= self.options.segment_bytes {
            self.rotate(now)?;
        }
        self.push(now, *body);
        Ok(())
    }

    /// Hands the batch to the system: from here it survives a crash of the process.
    ///
    /// # Errors
    /// The disk is full or broken. The journal must not be used after that: part of a record may be there.
    pub fn flush(&mut self) -> Result<(), JournalError> {
        assert!(self.buffer.len().is_multiple_of(RECORD_BYTES), "S2: records are written whole");
        self.file
            .write_all(&self.buffer)
            .map_err(|source| JournalError::io("write to", &self.path, source))?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        self.made_flushed = self.made.len();
        Ok(())
    }

    /// Waits until everything flushed is on the disk.
    ///
    /// # Errors
    /// The disk says it is not. What it holds is unknown from then on.
    pub fn sync(&mut self) -> Result<(), JournalError> {
        disk::sync_data(&self.file)
            .map_err(|source| JournalError::io("sync", &self.path, source))?;
        match &mut self.mark {
            // What waits in the buffer is not on the disk: the mark stays where it was until that is.
            Some(mark) if self.buffer.is_empty() => mark.set(self.chain.into()),
            _ => Ok(()),
        }
    }

    /// Ends the run as it should end.
    ///
    /// # Errors
    /// As [`Journal::flush`] and [`Journal::sync`].
    pub fn close(&mut self, now: Nanos, close: Close) -> Result<(), JournalError> {
        self.append(now, &Body::Close(close))?;
        self.closed = true;
        self.flush()?;
        self.sync()?;
        self.mark.as_ref().map_or(Ok(()), MarkFile::sync)
    }

    /// What was added and handed to the system since this was last called. What no file holds is not among it.
    pub fn take_made(&mut self) -> Vec<Record> {
        let unwritten = self.made.split_off(self.made_flushed);
        self.made_flushed = 0;
        mem::replace(&mut self.made, unwritten)
    }

    /// The header of the segment that is open, as a record.
    fn header(&self, starts: bool) -> Header {
        let Identity { config, binary, run, venue, mode } = self.options.identity;
        Header {
            format: FORMAT,
            segment: self.segment,
            config,
            binary,
            run,
            venue,
            before: self.chain.hash(),
            starts,
            fresh: starts && self.options.fresh,
            mode,
        }
    }

    fn push_header(&mut self, now: Nanos, starts: bool) {
        let header = self.header(starts);
        self.push(now, Body::Header(header));
    }

    fn push(&mut self, now: Nanos, body: Body) {
        let seq = self.chain.next();
        self.made.push(Record { seq, now, body });
        self.buffer.extend_from_slice(&self.chain.seal(now, &body));
        assert_eq!(self.chain.next(), seq + 1, "S2: numbers run without a gap");
    }

    fn rotate(&mut self, now: Nanos) -> Result<(), JournalError> {
        self.flush()?;
        self.sync()?;
        assert!(self.buffer.is_empty(), "a segment is over once all of it is written");
        self.segment += 1;
        let (file, path) = create(&self.options.dir, self.segment)?;
        self.file = file;
        self.over.push(mem::replace(&mut self.path, path));
        self.written = 0;
        self.push_header(now, false);
        Ok(())
    }
}

fn create(dir: &Path, segment: u32) -> Result<(File, PathBuf), JournalError> {
    let path = segment_path(dir, segment);
    let file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(&path);
    let file = file.map_err(|source| JournalError::io("make", &path, source))?;
    sync_dir(dir).map_err(|error| match error {
        StateError::Io { source, .. } => JournalError::io("sync", dir, source),
        other => JournalError::io("sync", dir, std::io::Error::other(other.to_string())),
    })?;
    Ok((file, path))
}

/// Where the chain stands behind the last segment. The last segments may hold no whole record at all, where a
/// start died at once; then the one before them tells.
///
/// # Errors
/// What had to be read is damaged.
pub fn end_of(earlier: &[SegmentFile]) -> Result<Chain, JournalError> {
    for from in (0..earlier.len()).rev() {
        let mut reader = Reader::over(earlier[from..].to_vec());
        while reader.next_record()?.is_some() {}
        if let Some(chain) = reader.chain() {
            return Ok(chain);
        }
    }
    Ok(Chain::new())
}

/// What the rest of the program may know of the writer, without waiting for it.
#[derive(Debug, Default)]
pub struct Status {
    failed: AtomicBool,
    written: AtomicU64,
    synced: AtomicU64,
    lost: AtomicU64,
    store_behind: AtomicBool,
    turns: AtomicU64,
    error: Mutex<Option<String>>,
}

/// What the journal's thread has counted so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Records handed to the system in this run.
    pub written: u64,
    /// Of those, records known to be on the disk.
    pub synced: u64,
    /// Items taken from the ring after the failure, which no file holds.
    pub lost: u64,
    /// Turns of the thread.
    pub turns: u64,
    /// Whether the journal can no longer be written.
    pub failed: bool,
    /// Whether the store fell so far behind that it must catch up from the journal.
    pub store_behind: bool,
}

impl Status {
    /// Everything that is counted.
    pub fn figures(&self) -> Figures {
        Figures {
            written: self.written(),
            synced: self.synced(),
            lost: self.lost(),
            turns: self.turns(),
            failed: self.failed(),
            store_behind: self.store_behind(),
        }
    }

    /// Whether the journal can no longer be written: nothing may be opened from then on.
    pub fn failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    /// Turns of its thread: a number that stands still is a thread that hangs.
    pub fn turns(&self) -> u64 {
        self.turns.load(Ordering::Relaxed)
    }

    /// Counts one turn of the writer, so that the watchdog sees it move.
    pub fn turned(&self) {
        self.turns.fetch_add(1, Ordering::Relaxed);
    }

    /// Why nothing can be written; `None` while it can.
    pub fn error(&self) -> Option<String> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Records handed to the system in this run.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Records known to be on the disk.
    pub fn synced(&self) -> u64 {
        self.synced.load(Ordering::Relaxed)
    }

    /// Items taken from the ring after the failure, which no file holds.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Whether the store fell so far behind that it must catch up from the journal.
    pub fn store_behind(&self) -> bool {
        self.store_behind.load(Ordering::Relaxed)
    }

    fn fail(&self, error: &JournalError) {
        let mut text = self.error.lock().unwrap_or_else(PoisonError::into_inner);
        text.get_or_insert_with(|| error.to_string());
        self.failed.store(true, Ordering::Release);
    }
}

/// The thread that writes.
#[derive(Debug)]
pub struct Writer {
    status: Arc<Status>,
    stop: Sender<(Nanos, Close)>,
    thread: JoinHandle<()>,
}

impl Writer {
    /// Starts the thread: it empties the ring into the journal and hands what it wrote on, without ever waiting for whoever
    /// takes it: the store sees the gap in the numbers and reads what it lacks from the journal.
    ///
    /// A journal that cannot be written sets [`Status::failed`] and goes on emptying the ring, so that
    /// cancels still flow; whoever feeds the ring must halt.
    ///
    /// # Errors
    /// The thread could not be started.
    pub fn start(
        journal: Journal,
        ring: rtrb::Consumer<JournalItem>,
        on: Option<queue::Sender<Vec<Record>>>,
    ) -> std::io::Result<Self> {
        let status = Arc::new(Status::default());
        let (stop, stopped) = crossbeam_channel::bounded(1);
        let turn = Turn { journal, ring, status: Arc::clone(&status), on, unsynced: None };
        let thread =
            thread::Builder::new().name("journal".into()).spawn(move || turn.run(&stopped))?;
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

    /// Writes what the ring still holds, closes the run and waits until it is on the disk. The ring's other
    /// end must have stopped feeding it.
    ///
    /// # Errors
    /// Why the journal could not be written, in words.
    pub fn close(self, now: Nanos, close: Close) -> Result<(), String> {
        let _ = self.stop.send((now, close)); // a thread that died is told by `join`
        let joined = self.thread.join();
        match (self.status.error(), joined) {
            (Some(error), _) => Err(error),
            (None, Err(_)) => Err("the journal's thread panicked".into()),
            (None, Ok(())) => Ok(()),
        }
    }
}

struct Turn {
    journal: Journal,
    ring: rtrb::Consumer<JournalItem>,
    status: Arc<Status>,
    on: Option<queue::Sender<Vec<Record>>>,
    /// Since when something written is not synced.
    unsynced: Option<Instant>,
}

impl Turn {
    fn run(mut self, stopped: &Receiver<(Nanos, Close)>) {
        let (press, compressor) = start_compressor();
        loop {
            let stop = stopped.try_recv().ok(); // asked first: what was pushed before it is still taken
            let taken = self.take();
            self.status.turned();
            for path in mem::take(&mut self.journal.over) {
                let _ = press.send(path); // without a compressor segments stay as they are
            }
            if let Some((now, close)) = stop {
                while self.take() > 0 {}
                self.end(now, close);
                break;
            }
            if taken == 0 {
                thread::sleep(IDLE);
            }
        }
        drop(press);
        if let Some(compressor) = compressor {
            let _ = compressor.join(); // a segment that could not be compressed stays as it is
        }
    }

    /// Takes what the ring holds, up to a batch, and writes it. Returns how many items that was.
    fn take(&mut self) -> usize {
        let taken = self.ring.slots().min(BATCH_MAX);
        if self.status.failed() {
            while self.ring.pop().is_ok() {
                self.status.lost.fetch_add(1, Ordering::Relaxed);
            }
            return 0;
        }
        let written = if taken > 0 { self.write(taken) } else { Ok(()) };
        if let Err(error) = written.and_then(|()| self.sync_when_due()) {
            self.status.fail(&error);
        }
        self.hand_on();
        taken
    }

    fn write(&mut self, count: usize) -> Result<(), JournalError> {
        for _ in 0..count {
            let Ok(item) = self.ring.pop() else { break };
            self.journal.append(item.now, &Body::from(&item.entry))?;
        }
        self.journal.flush()?;
        self.status.written.fetch_add(count as u64, Ordering::Relaxed);
        self.unsynced.get_or_insert_with(Instant::now);
        Ok(())
    }

    fn sync_when_due(&mut self) -> Result<(), JournalError> {
        let Some(since) = self.unsynced else { return Ok(()) };
        let due = match self.journal.options.sync {
            Sync::Always => true,
            // Two milliseconds are left for the sleep and the sync itself.
            Sync::Grouped => since.elapsed() + Duration::from_millis(2) >= SYNC_WITHIN,
            Sync::Off => false,
        };
        if due {
            self.journal.sync()?;
            self.unsynced = None;
            self.status.synced.store(self.status.written(), Ordering::Relaxed);
        }
        Ok(())
    }

    fn end(&mut self, now: Nanos, close: Close) {
        if !self.status.failed() {
            match self.journal.close(now, close) {
                Ok(()) => self.status.synced.store(self.status.written(), Ordering::Relaxed),
                Err(error) => self.status.fail(&error),
            }
        }
        if let Some(on) = &self.on {
            // The run is over: the receiver may take its time now.
            let made = self.journal.take_made();
            let _ = on.push_by(Instant::now() + ROOM_WITHIN, made.len() as u64, made);
        }
    }

    fn hand_on(&mut self) {
        let made = self.journal.take_made();
        let Some(on) = &self.on else { return };
        if !made.is_empty() {
            let _ = on.push(made.len() as u64, made); // counted where there is no room
        }
        self.status.store_behind.store(on.gauge().dropped() > 0, Ordering::Relaxed);
    }
}

/// A thread that compresses segments as they end; `None` where it could not be started.
fn start_compressor() -> (Sender<PathBuf>, Option<JoinHandle<()>>) {
    let (press, pressed) = crossbeam_channel::unbounded::<PathBuf>();
    let work = move || {
        for path in pressed {
            let _ = segment::compress(&path); // it stays as it is, and is tried again at the next start
        }
    };
    (press, thread::Builder::new().name("journal-zstd".into()).spawn(work).ok())
}

#[cfg(test)]
mod tests {
    use surefoot_hot::event::Event;
    use surefoot_hot::journal::Entry;

    use super::*;

    #[test]
    fn what_could_not_be_written_is_handed_on_to_nobody() {
        let dir = std::env::temp_dir().join(format!("surefoot-writer-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        let options = Options {
            dir: dir.clone(),
            sync: Sync::Off,
            segment_bytes: SEGMENT_BYTES,
            identity: Identity::default(),
            fresh: true,
            mark: None,
            untold: Vec::new(),
        };
        let journal = Journal::open(options, Nanos::ZERO).unwrap();
        let (mut to, ring) = rtrb::RingBuffer::new(8);
        let (on, handed) = queue::bounded(100);
        let status = Arc::new(Status::default());
        let mut turn = Turn { journal, ring, status, on: Some(on), unsynced: None };
        let mut tell = |turn: &mut Turn, count: u64| {
            for n in 0..count {
                let entry = Entry::Input(Event::Timer);
                to.push(JournalItem { now: Nanos::new(n), entry }).unwrap();
            }
            turn.take();
        };
        tell(&mut turn, 2);
        assert_eq!(handed.try_recv().unwrap().1.len(), 3, "the header and two records");
        turn.journal.file = OpenOptions::new().write(true).open("/dev/full").unwrap();
        tell(&mut turn, 3);
        assert!(turn.status.failed());
        assert!(handed.try_recv().is_err(), "the database would know more than the journal");
        fs::remove_dir_all(dir).unwrap();
    }
}
