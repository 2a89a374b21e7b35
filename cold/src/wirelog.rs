//! The wire log: what left, or was about to leave, for a venue, written down before it did.
//!
//! One append-only file per executor, records of one size, one `write` each. An order's `Sent` record is in the
//! page cache before its first byte is at the socket: a crash of the process loses nothing. A crash of the
//! machine may lose what was not synced yet; the operator chooses the grouped or the strict mode. A `Sent`
//! without an `End` is an order whose fate is unknown: it is asked about at the next start.
//!
//! While it is open the file goes on beyond its last record with zeros: a write into blocks that are there costs a third
//! of one that makes the file longer, and needs no room on the disk. After a power cut the records that no sync had covered
//! yet may be there or not, each by itself. Every record says how many had been synced when it was written. A hole behind
//! that number is what a power cut leaves; a hole before it is damage.

mod record;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use surefoot_hot::ids::OrderId;
use surefoot_hot::units::Nanos;

use crate::disk;
use crate::state_dir::write_atomic;
use record::{decode, encode, hash_of, is_sound, other_version, synced_of};

pub use record::{Ended, RECORD_BYTES, Record, Sent, SentAmend, VenueId};

/// How often the grouped mode syncs.
pub const SYNC_EVERY: Duration = Duration::from_millis(5);

/// Room is made when less than this is left, for some eight hundred records, and so much of it at a time.
const ROOM_BYTES_MIN: u64 = 128 << 10;
const ROOM_STEP: usize = 16 << 10;
/// With less than this left, for some two hundred records, it is made whatever it may have to wait for.
const ROOM_BYTES_URGENT: u64 = 32 << 10;
/// How long after a full disk it is tried again.
const ROOM_RETRY: Nanos = Nanos::from_secs(1);

/// Whether a record is on the disk before its order is on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncMode {
    /// A cold thread syncs every [`SYNC_EVERY`]: a power cut may lose that much.
    Grouped,
    /// Every `Sent` and `Amend` is synced before the socket is written: slow and certain.
    Always,
}

/// What keeps the log from being used.
#[derive(Debug)]
pub enum WireLogError {
    /// A record in the middle is not what was written.
    Corrupt {
        path: PathBuf,
        /// Byte offset of the record.
        offset: u64,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Another version of surefoot wrote records in it.
    Version {
        path: PathBuf,
        /// Byte offset of the first of them.
        offset: u64,
        /// The version that they name.
        seen: char,
    },
    /// The file could not be used.
    Io {
        path: PathBuf,
        /// What we were doing.
        doing: &'static str,
        /// What the system said.
        error: io::Error,
    },
}

impl fmt::Display for WireLogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Corrupt { path, offset, why } => {
                write!(f, "{} is corrupt at byte {offset}: {why}", path.display())
            }
            Self::Version { path, offset, seen } => write!(
                f,
                "{} has records of version {seen} from byte {offset} on, and this program reads versions 1 and 2: another version of \
                 surefoot wrote it. Nothing in it was changed. Go on with that version, or begin a new directory with this \
                 one (docs/operator.md, *Files of another version*)",
                path.display()
            ),
            Self::Io { path, doing: "reading", error } => {
                write!(f, "reading {}: {error}. {}", path.display(), disk::UNREADABLE)
            }
            Self::Io { path, doing, error } => write!(f, "{doing} {}: {error}", path.display()),
        }
    }
}

impl std::error::Error for WireLogError {}

/// What a log holds.
#[derive(Debug, Default)]
pub struct Contents {
    /// Every whole record, in order.
    pub records: Vec<Record>,
    /// Where a record cut short by a crash begins, if there is one. Records behind it that a power cut left whole are among
    /// `records`.
    pub torn_at: Option<u64>,
    /// How many records there are before the first that is not whole, and the last one's hash.
    whole: usize,
    chain: u64,
}

impl Contents {
    /// Closes the hole that a power cut left: what is sound behind it moves up, in a file that replaces the old one whole.
    fn mend(&mut self, path: &Path) -> io::Result<()> {
        let mut bytes = std::fs::read(path)?;
        bytes.truncate(self.whole * RECORD_BYTES);
        for (seq, record) in self.records.iter().enumerate().skip(self.whole) {
            let record = encode(record, seq as u64, self.chain, seq as u64);
            self.chain = hash_of(&record);
            bytes.extend_from_slice(&record);
        }
        self.whole = self.records.len();
        write_atomic(path, &bytes).map_err(io::Error::other)
    }

    /// The orders whose fate is unknown, in the order they were sent.
    pub fn without_end(&self) -> Vec<Sent> {
        let mut open: Vec<Sent> = Vec::new();
        for record in &self.records {
            match record {
                Record::Sent(sent) => open.push(*sent),
                Record::End { order, .. } => open.retain(|sent| sent.order != *order),
                Record::Amend(_) => {} // of an order that the venue has taken
            }
        }
        open
    }

    /// The venue's id of every order, by ours, the latest known.
    pub fn venue_ids(&self) -> impl Iterator<Item = (OrderId, VenueId)> {
        let known = |record: &&Record| !record.id().is_none();
        self.records.iter().filter(known).map(|record| (record.order(), record.id()))
    }

    /// The largest order id in it.
    pub fn last_order(&self) -> Option<OrderId> {
        self.records.iter().map(Record::order).max()
    }
}

/// The log, open for appending by its one writer.
#[derive(Debug)]
pub struct WireLog {
    file: File,
    path: PathBuf,
    mode: SyncMode,
    chain: u64,
    seq: u64,
    /// Where the zeros end.
    room: u64,
    room_after: Nanos,
    shared: Arc<Shared>,
    syncer: Option<JoinHandle<()>>,
}

/// What the writer and the syncing thread both see.
#[derive(Debug, Default)]
struct Shared {
    written: AtomicU64,
    synced: AtomicU64,
    /// A sync failed: what the disk holds is unknown, so nothing more may rely on this file.
    suspect: AtomicBool,
    stop: AtomicBool,
}

impl WireLog {
    /// Opens the log, or begins one. A torn tail is cut off; corruption anywhere else is an error.
    ///
    /// # Errors
    /// See [`WireLogError`].
    pub fn open(path: &Path, mode: SyncMode) -> Result<(Self, Contents), WireLogError> {
        let fail = |doing| move |error| WireLogError::Io { path: path.to_owned(), doing, error };
        let mut contents = match File::open(path) {
            Ok(file) => read_from(path, file)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Contents::default(),
            Err(error) => return Err(fail("reading")(error)),
        };
        if contents.whole < contents.records.len() {
            contents.mend(path).map_err(fail("mending"))?;
        }
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(fail("opening"))?;
        let seq = contents.whole as u64;
        let end = seq * RECORD_BYTES as u64;
        file.set_len(end).map_err(fail("cutting the torn tail of"))?;
        let mut room = end;
        while room - end < 2 * ROOM_BYTES_MIN {
            file.write_all_at(&[0; ROOM_STEP], room).map_err(fail("making room in"))?;
            room += ROOM_STEP as u64;
        }
        file.sync_all().map_err(fail("syncing"))?;
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
        File::open(dir.unwrap_or(Path::new(".")))
            .and_then(|dir| dir.sync_all()) // the name itself must survive a power cut
            .map_err(fail("syncing the directory of"))?;
        let shared = Arc::new(Shared {
            written: AtomicU64::new(seq),
            synced: AtomicU64::new(seq),
            ..Shared::default()
        });
        let syncer = match mode {
            SyncMode::Always => None,
            SyncMode::Grouped => {
                let file = file.try_clone().map_err(fail("sharing"))?;
                let shared = Arc::clone(&shared);
                let thread = thread::Builder::new()
                    .name("wirelog-sync".to_owned())
                    .spawn(move || sync_in_groups(&file, &shared))
                    .map_err(fail("starting the syncing thread of"))?;
                Some(thread)
            }
        };
        let log = Self {
            file,
            path: path.to_owned(),
            mode,
            chain: contents.chain,
            seq,
            room,
            room_after: Nanos::ZERO,
            shared,
            syncer,
        };
        Ok((log, contents))
    }

    /// Writes one record; a `Sent` or an `Amend` is on the disk when this returns in the strict mode.
    ///
    /// # Errors
    /// It could not be written, or an earlier one could not be synced: what it speaks of must not be sent.
    ///
    /// # Panics
    /// O8: if more were on the disk than was written, or less than the strict mode promises.
    pub fn append(&mut self, record: &Record) -> io::Result<()> {
        if self.shared.suspect.load(Ordering::Acquire) {
            return Err(io::Error::other("an earlier write or sync of the wire log failed"));
        }
        let synced = self.shared.synced.load(Ordering::Relaxed);
        assert!(synced <= self.seq, "O8: no more records are on the disk than were written");
        let bytes = encode(record, self.seq, self.chain, synced);
        if let Err(error) = self.file.write_all_at(&bytes, self.end()) {
            self.shared.suspect.store(true, Ordering::Release); // half a record may be in the file
            return Err(error);
        }
        self.chain = hash_of(&bytes);
        self.seq += 1;
        if self.mode == SyncMode::Always {
            if matches!(record, Record::Sent(_) | Record::Amend(_)) {
                self.sync()?;
                let synced = self.shared.synced.load(Ordering::Relaxed);
                assert!(
                    synced == self.seq,
                    "O8: a strict record is on the disk before its order leaves"
                );
            }
        } else {
            self.shared.written.store(self.seq, Ordering::Release);
        }
        Ok(())
    }

    /// Makes room for records to come, a little at a time: to be called when there is nothing better to do. Not while a sync
    /// is due or under way, which it might have to wait for, unless there is little left. A full disk is not an error yet:
    /// what has room can still be written.
    pub fn make_room(&mut self, now: Nanos) {
        let end = self.end();
        let left = self.room.saturating_sub(end);
        if left >= ROOM_BYTES_MIN || now < self.room_after {
            return;
        }
        if left >= ROOM_BYTES_URGENT && self.may_wait_for_a_sync() {
            return;
        }
        let from = self.room.max(end);
        match self.file.write_all_at(&[0; ROOM_STEP], from) {
            Ok(()) => self.room = from + ROOM_STEP as u64,
            // A failed allocation takes milliseconds, so it is not tried again in every turn.
            Err(_) => self.room_after = now.after(ROOM_RETRY),
        }
    }

    /// Whether a write might have to wait: a sync is due or under way.
    fn may_wait_for_a_sync(&self) -> bool {
        let synced = self.shared.synced.load(Ordering::Acquire) == self.seq;
        disk::is_syncing() || (self.mode == SyncMode::Grouped && !synced)
    }

    /// Writes zeros over the zeros where the next record goes: nothing changes but what is in the caches. Not while a
    /// sync is due or under way, which it might have to wait for, nor in the strict mode, which waits anyhow.
    pub fn rehearse(&mut self) {
        let calm = self.mode == SyncMode::Grouped && !self.may_wait_for_a_sync();
        if calm && self.end() + RECORD_BYTES as u64 <= self.room {
            let _ = self.file.write_all_at(&[0; RECORD_BYTES], self.end()); // a real one will say what is wrong
        }
    }

    /// Where the next record goes.
    const fn end(&self) -> u64 {
        self.seq * RECORD_BYTES as u64
    }

    /// Waits until everything written is on the disk.
    ///
    /// # Errors
    /// It is not, and from now on nothing is appended: a failed sync leaves the page cache in doubt.
    pub fn sync(&mut self) -> io::Result<()> {
        if let Err(error) = disk::sync_data(&self.file) {
            self.shared.suspect.store(true, Ordering::Release);
            return Err(error);
        }
        self.shared.synced.store(self.seq, Ordering::Release);
        Ok(())
    }

    /// Records written since it began, earlier runs included.
    pub fn len(&self) -> u64 {
        self.seq
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.seq == 0
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for WireLog {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        if let Some(syncer) = self.syncer.take() {
            let _ = syncer.join(); // it ends by its flag; its own failure is in `suspect`
        }
        let _ = self.file.set_len(self.end()); // zeros left there would do no harm
    }
}

fn sync_in_groups(file: &File, shared: &Shared) {
    loop {
        let stop = shared.stop.load(Ordering::Acquire);
        let written = shared.written.load(Ordering::Acquire);
        if written != shared.synced.load(Ordering::Acquire) {
            if disk::sync_data(file).is_err() {
                shared.suspect.store(true, Ordering::Release);
                return;
            }
            shared.synced.store(written, Ordering::Release);
        }
        if stop {
            return;
        }
        thread::sleep(SYNC_EVERY);
    }
}

/// Reads a log without opening it for writing.
///
/// # Errors
/// See [`WireLogError`]. An end that a crash cut short is no error.
pub fn read(path: &Path) -> Result<Contents, WireLogError> {
    let file = File::open(path).map_err(|error| WireLogError::Io {
        path: path.to_owned(),
        doing: "reading",
        error,
    })?;
    read_from(path, file)
}

/// Removes the records of orders that are over: those of which `is_over` says that the journal knows their end, and whose own
/// end was written before `before`. An order that the venue never had gets no end here: it goes by the time that it was
/// sent at. Returns how many records went. The log must not be open. No log, no records.
///
/// # Errors
/// See [`WireLogError`]; the log is as it was.
pub fn shorten(
    path: &Path,
    before: Nanos,
    is_over: impl Fn(OrderId) -> bool,
) -> Result<usize, WireLogError> {
    let Some(Contents { records, .. }) = read_if_there(path)? else { return Ok(0) };
    let mut latest: BTreeMap<OrderId, (bool, Nanos)> = BTreeMap::new();
    for record in &records {
        let (is_end, at) = match record {
            Record::End { at, .. } => (true, *at),
            Record::Sent(Sent { at, .. }) | Record::Amend(SentAmend { at, .. }) => (false, *at),
        };
        let told = latest.entry(record.order()).or_insert((is_end, at));
        *told = (*told).max((is_end, at)); // its end, where it has one, whatever came after
    }
    let gone = |order: OrderId| latest[&order].1 < before && is_over(order);
    let kept = records.iter().filter(|record| !gone(record.order()));
    let (mut bytes, mut chain, mut count) = (Vec::new(), 0, 0_usize);
    for (seq, record) in (0_u64..).zip(kept) {
        let record = encode(record, seq, chain, seq);
        chain = hash_of(&record);
        bytes.extend_from_slice(&record);
        count += 1;
    }
    if count < records.len() {
        write_atomic(path, &bytes).map_err(|error| WireLogError::Io {
            path: path.to_owned(),
            doing: "shortening",
            error: io::Error::other(error),
        })?;
    }
    Ok(records.len() - count)
}

/// The orders of the log at `path` whose fate is unknown: to be asked about before anything is opened.
/// No log means no orders.
///
/// # Errors
/// See [`WireLogError`].
pub fn recover(path: &Path) -> Result<Vec<Sent>, WireLogError> {
    Ok(read_if_there(path)?.unwrap_or_default().without_end())
}

/// As [`read`]; `None` where there is no log. One that cannot be opened is no log that is absent.
///
/// # Errors
/// See [`WireLogError`].
pub fn read_if_there(path: &Path) -> Result<Option<Contents>, WireLogError> {
    match read(path) {
        Err(WireLogError::Io { error, .. }) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}

fn read_from(path: &Path, mut file: File) -> Result<Contents, WireLogError> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(|error| WireLogError::Io {
        path: path.to_owned(),
        doing: "reading",
        error,
    })?;
    let mut contents = Contents::default();
    for (index, slot) in bytes.chunks(RECORD_BYTES).enumerate() {
        let whole = slot.first_chunk::<RECORD_BYTES>();
        let decoded = whole.ok_or("cut short").and_then(|bytes| {
            decode(bytes, index as u64, Some(contents.chain)).map(|record| (record, bytes))
        });
        match decoded {
            Ok((record, bytes)) => {
                contents.records.push(record);
                contents.chain = hash_of(bytes);
            }
            Err(why) => {
                let rest = &bytes[index * RECORD_BYTES..];
                if rest.iter().any(|byte| *byte != 0) {
                    // else it is room that was made, and not used
                    let offset = (index * RECORD_BYTES) as u64;
                    if let Some(seen) = other_version(rest) {
                        // Records of another length look torn, and would be cut off.
                        return Err(WireLogError::Version { path: path.to_owned(), offset, seen });
                    }
                    contents.torn_at = Some(offset);
                    let behind = survivors(rest, index);
                    let fail = || WireLogError::Corrupt { path: path.to_owned(), offset, why };
                    contents.records.extend(behind.ok_or_else(fail)?);
                }
                contents.whole = index;
                return Ok(contents);
            }
        }
    }
    contents.whole = contents.records.len();
    Ok(contents)
}

/// The sound records of `rest`, which begins with the slot `first` that holds none. `None` where the hole is no power cut's:
/// something behind it was written when the hole had been synced, or does not stand where it was written.
fn survivors(rest: &[u8], first: usize) -> Option<Vec<Record>> {
    let mut records = Vec::new();
    for (slot, bytes) in rest.as_chunks::<RECORD_BYTES>().0.iter().enumerate() {
        if !is_sound(bytes) {
            continue;
        }
        if synced_of(bytes) > first as u64 {
            return None;
        }
        records.push(decode(bytes, (first + slot) as u64, None).ok()?);
    }
    Some(records)
}
