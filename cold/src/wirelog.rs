//! The wire log: what left, or was about to leave, for a venue, written down before it did.
//!
//! One append-only file per executor, records of one size, one `write` each. An order's `Sent` record is in the
//! page cache before its first byte is at the socket: a crash of the process loses nothing. A crash of the
//! machine may lose what was not synced yet; the operator chooses the grouped or the strict mode. A `Sent`
//! without an `End` is an order whose fate is unknown: it is asked about at the next start.
//!
//! While it is open the file goes on beyond its last record with zeros: a write into blocks that are there costs a third
//! of one that makes the file longer, and needs no room on the disk. After a power cut the records that no sync had covered
//! yet may be there or not, each by itself; every record says how many had been synced when it was written, so that a hole
//! among those is a power cut's and any other is damage.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use surefoot_hot::hash::Hash64;
use surefoot_hot::ids::{Action, MarketId, OrderId, Outcome, Venue, VenueKey};
use surefoot_hot::intent::{Order, Tif};
use surefoot_hot::units::{Nanos, Price, Qty};

use crate::disk;

/// Bytes of one record.
pub const RECORD_BYTES: usize = 160;
/// How often the grouped mode syncs.
pub const SYNC_EVERY: Duration = Duration::from_millis(5);

/// Room is made when less than this is left, for some eight hundred records, and so much of it at a time.
const ROOM_BYTES_MIN: u64 = 128 << 10;
const ROOM_STEP: usize = 16 << 10;
/// How long after a full disk it is tried again.
const ROOM_RETRY: Nanos = Nanos::from_secs(1);

const MAGIC: u32 = 0x3157_4653; // "SFW1"
const HASH_AT: usize = RECORD_BYTES - 8;

/// The venue's own order id in full: 32 raw bytes of Polymarket's hash, or Kalshi's UUID as text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct VenueId {
    bytes: [u8; 40],
    len: u8,
}

impl VenueId {
    /// Nothing known.
    pub const NONE: Self = Self { bytes: [0; 40], len: 0 };

    /// `None` if it is longer than any venue's.
    pub fn new(id: &[u8]) -> Option<Self> {
        let mut bytes = [0; 40];
        bytes.get_mut(..id.len())?.copy_from_slice(id);
        Some(Self { bytes, len: u8::try_from(id.len()).ok()? })
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// Whether nothing is known.
    pub const fn is_none(&self) -> bool {
        self.len == 0
    }

    /// The name by which the core knows it.
    pub fn key(&self) -> VenueKey {
        VenueKey::new(Hash64::of(self.as_bytes()))
    }
}

impl fmt::Debug for VenueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.as_bytes();
        match std::str::from_utf8(bytes) {
            Ok(text) if bytes.iter().all(u8::is_ascii_graphic) => write!(f, "{text:?}"),
            _ => {
                f.write_str("0x")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    }
}

/// One order on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// When it was about to leave.
    pub at: Nanos,
    /// Ours.
    pub order: OrderId,
    /// The halt epoch of its decision.
    pub epoch: u64,
    /// At which venue.
    pub venue: Venue,
    /// Where.
    pub market: MarketId,
    /// Contracts of this outcome
    pub outcome: Outcome,
    /// bought or sold
    pub action: Action,
    /// at this price of that outcome or better,
    pub price: Price,
    /// so many,
    pub qty: Qty,
    /// for so long.
    pub tif: Tif,
    /// Hash of the request's bytes.
    pub payload: u64,
    /// The venue's id, where it is known before sending.
    pub id: VenueId,
}

impl Sent {
    /// What is written of `order` at `at`.
    pub fn of(order: &Order, at: Nanos, payload: u64, id: VenueId) -> Self {
        Self {
            at,
            order: order.id,
            epoch: order.epoch,
            venue: order.venue,
            market: order.market,
            outcome: order.outcome,
            action: order.action,
            price: order.price,
            qty: order.qty,
            tif: order.tif,
            payload,
            id,
        }
    }
}

/// How the executor's part in an order ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Ended {
    /// No byte left, and none will.
    Unsent = 0,
    /// The venue took it; from here its life is the journal's.
    Taken = 1,
    /// The venue would not have it.
    Rejected = 2,
    /// The venue, asked, told what became of it, or knows none of that name.
    Asked = 3,
}

/// One record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    /// An order is about to leave.
    Sent(Sent),
    /// Its fate is known.
    End {
        /// When it became so.
        at: Nanos,
        /// Which order.
        order: OrderId,
        /// How.
        how: Ended,
        /// The venue's id, where it is known by now.
        id: VenueId,
    },
}

/// Whether a record is on the disk before its order is on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncMode {
    /// A cold thread syncs every [`SYNC_EVERY`]: a power cut may lose that much.
    Grouped,
    /// Every `Sent` is synced before the socket is written: slow and certain.
    Always,
}

/// What keeps the log from being used.
#[derive(Debug)]
pub enum WireLogError {
    /// A record in the middle is not what was written.
    Corrupt {
        /// Which file.
        path: PathBuf,
        /// Byte offset of the record.
        offset: u64,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The file could not be used.
    Io {
        /// Which file.
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
    /// The orders whose fate is unknown, in the order they were sent.
    pub fn without_end(&self) -> Vec<Sent> {
        let mut open: Vec<Sent> = Vec::new();
        for record in &self.records {
            match record {
                Record::Sent(sent) => open.push(*sent),
                Record::End { order, .. } => open.retain(|sent| sent.order != *order),
            }
        }
        open
    }

    /// The venue's id of every order, by ours, the latest known.
    pub fn venue_ids(&self) -> impl Iterator<Item = (OrderId, VenueId)> {
        self.records.iter().filter_map(|record| match record {
            Record::Sent(Sent { order, id, .. }) | Record::End { order, id, .. } => {
                (!id.is_none()).then_some((*order, *id))
            }
        })
    }

    /// The largest order id in it.
    pub fn last_order(&self) -> Option<OrderId> {
        let order = |record: &Record| match record {
            Record::Sent(Sent { order, .. }) | Record::End { order, .. } => *order,
        };
        self.records.iter().map(order).max()
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
        let contents = match File::open(path) {
            Ok(file) => read_from(path, file)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Contents::default(),
            Err(error) => return Err(fail("opening")(error)),
        };
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
        let mut log = Self {
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
        for record in &contents.records[contents.whole..] {
            log.append(record).map_err(fail("mending"))?; // what a power cut left behind a hole moves up
        }
        Ok((log, contents))
    }

    /// Writes one record; a `Sent` is on the disk when this returns in the strict mode.
    ///
    /// # Errors
    /// It could not be written, or an earlier one could not be synced: what it speaks of must not be sent.
    pub fn append(&mut self, record: &Record) -> io::Result<()> {
        if self.shared.suspect.load(Ordering::Acquire) {
            return Err(io::Error::other("an earlier write or sync of the wire log failed"));
        }
        let synced = self.shared.synced.load(Ordering::Relaxed);
        let bytes = encode(record, self.seq, self.chain, synced);
        if let Err(error) = self.file.write_all_at(&bytes, self.end()) {
            self.shared.suspect.store(true, Ordering::Release); // half a record may be in the file
            return Err(error);
        }
        self.chain = hash_of(&bytes);
        self.seq += 1;
        if self.mode == SyncMode::Always {
            if matches!(record, Record::Sent(_)) {
                self.sync()?;
            }
        } else {
            self.shared.written.store(self.seq, Ordering::Release);
        }
        Ok(())
    }

    /// Makes room for records to come, a little at a time: to be called when there is nothing better to do. A full disk
    /// is not an error yet: what has room can still be written.
    pub fn make_room(&mut self, now: Nanos) {
        let end = self.end();
        if self.room.saturating_sub(end) >= ROOM_BYTES_MIN || now < self.room_after {
            return;
        }
        let from = self.room.max(end);
        match self.file.write_all_at(&[0; ROOM_STEP], from) {
            Ok(()) => self.room = from + ROOM_STEP as u64,
            Err(_) => self.room_after = now.after(ROOM_RETRY), // in vain it takes milliseconds
        }
    }

    /// Writes zeros over the zeros where the next record goes: nothing changes but what is in the caches. Not while a
    /// sync is due or under way, which it might have to wait for, nor in the strict mode, which waits anyhow.
    pub fn rehearse(&mut self) {
        let synced = self.shared.synced.load(Ordering::Acquire) == self.seq;
        let calm = self.mode == SyncMode::Grouped && synced && !disk::is_syncing();
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
/// See [`WireLogError`]. A torn tail is none.
pub fn read(path: &Path) -> Result<Contents, WireLogError> {
    let file = File::open(path).map_err(|error| WireLogError::Io {
        path: path.to_owned(),
        doing: "opening",
        error,
    })?;
    read_from(path, file)
}

/// The orders of the log at `path` whose fate is unknown: to be asked about before anything is opened.
/// No log means no orders.
///
/// # Errors
/// See [`WireLogError`].
pub fn recover(path: &Path) -> Result<Vec<Sent>, WireLogError> {
    if path.exists() { Ok(read(path)?.without_end()) } else { Ok(Vec::new()) }
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

/// How many records had been synced when this one was written.
fn synced_of(bytes: &[u8; RECORD_BYTES]) -> u64 {
    u64::from_le_bytes(bytes[112..120].try_into().expect("eight bytes"))
}

fn hash_of(bytes: &[u8; RECORD_BYTES]) -> u64 {
    u64::from_le_bytes(bytes[HASH_AT..].try_into().expect("eight bytes"))
}

fn is_sound(bytes: &[u8]) -> bool {
    bytes[HASH_AT..] == Hash64::of(&bytes[..HASH_AT]).to_le_bytes()
}

/// Little-endian: magic 0..4, kind 4, venue 5, market 6..8, number 8..16, hash of the record before 16..24,
/// time 24..32, order 32..40, epoch 40..48, payload 48..56, qty 56..64, price 64..66, outcome 66, action 67,
/// tif 68, how 69, id length 70, id 72..112, records synced by then 112..120, zeros, hash of all that 152..160.
fn encode(record: &Record, seq: u64, chain: u64, synced: u64) -> [u8; RECORD_BYTES] {
    let mut out = [0; RECORD_BYTES];
    let mut put = |at: usize, bytes: &[u8]| out[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &MAGIC.to_le_bytes());
    put(8, &seq.to_le_bytes());
    put(16, &chain.to_le_bytes());
    put(112, &synced.to_le_bytes());
    let (at, order, id) = match record {
        Record::Sent(sent) => {
            put(4, &[1, sent.venue as u8]);
            put(6, &sent.market.get().to_le_bytes());
            put(40, &sent.epoch.to_le_bytes());
            put(48, &sent.payload.to_le_bytes());
            put(56, &sent.qty.micros().to_le_bytes());
            put(64, &sent.price.ticks().to_le_bytes());
            put(66, &[sent.outcome as u8, sent.action as u8, sent.tif as u8]);
            (sent.at, sent.order, &sent.id)
        }
        Record::End { at, order, how, id } => {
            put(4, &[2]);
            put(69, &[*how as u8]);
            (*at, *order, id)
        }
    };
    put(24, &at.get().to_le_bytes());
    put(32, &order.get().to_le_bytes());
    put(70, &[id.len]);
    put(72, &id.bytes);
    let hash = Hash64::of(&out[..HASH_AT]);
    out[HASH_AT..].copy_from_slice(&hash.to_le_bytes());
    out
}

/// `chain` is `None` where the record before is not known.
fn decode(
    bytes: &[u8; RECORD_BYTES],
    seq: u64,
    chain: Option<u64>,
) -> Result<Record, &'static str> {
    let word = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
    let half = |at: usize| u16::from_le_bytes(bytes[at..at + 2].try_into().expect("two bytes"));
    if bytes[..4] != MAGIC.to_le_bytes() {
        return Err("not a record");
    }
    if !is_sound(bytes) {
        return Err("its checksum differs");
    }
    if word(8) != seq {
        return Err("a record is missing before it");
    }
    if chain.is_some_and(|chain| word(16) != chain) {
        return Err("the record before it is another one");
    }
    let id = bytes[72..112].get(..usize::from(bytes[70])).and_then(VenueId::new);
    let id = id.ok_or("the venue's id is too long")?;
    let (at, order) = (Nanos::new(word(24)), OrderId::new(word(32)));
    match bytes[4] {
        1 => Ok(Record::Sent(Sent {
            at,
            order,
            epoch: word(40),
            venue: *Venue::ALL.get(usize::from(bytes[5])).ok_or("unknown venue")?,
            market: MarketId::new(half(6)),
            outcome: *[Outcome::Yes, Outcome::No].get(usize::from(bytes[66])).ok_or("outcome")?,
            action: *[Action::Buy, Action::Sell].get(usize::from(bytes[67])).ok_or("action")?,
            price: Price::from_ticks(half(64)).ok_or("a price beyond $1")?,
            qty: Qty::from_micros(word(56)),
            tif: *[Tif::Gtc, Tif::Ioc, Tif::Fok].get(usize::from(bytes[68])).ok_or("tif")?,
            payload: word(48),
            id,
        })),
        2 => {
            let how = [Ended::Unsent, Ended::Taken, Ended::Rejected, Ended::Asked];
            let how = *how.get(usize::from(bytes[69])).ok_or("unknown end")?;
            Ok(Record::End { at, order, how, id })
        }
        _ => Err("unknown kind"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("surefoot-wirelog-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join(name);
        let _ = std::fs::remove_file(&path);
        path
    }

    fn sent(order: u64) -> Record {
        Record::Sent(Sent {
            at: Nanos::new(order * 10),
            order: OrderId::new(order),
            epoch: 3,
            venue: Venue::Kalshi,
            market: MarketId::new(511),
            outcome: Outcome::No,
            action: Action::Sell,
            price: Price::from_ticks(4_321).unwrap(),
            qty: Qty::from_micros(12_340_000),
            tif: Tif::Fok,
            payload: 0xdead_beef,
            id: VenueId::new(&[7; 32]).unwrap(),
        })
    }

    fn end(order: u64, how: Ended) -> Record {
        let id = VenueId::new(b"3b23c1c7-f4ef-4f0d-8b9a-9e53c61f1a0d").unwrap();
        Record::End { at: Nanos::new(order * 10 + 5), order: OrderId::new(order), how, id }
    }

    fn written(path: &Path, records: &[Record], mode: SyncMode) -> Vec<u8> {
        let (mut log, _) = WireLog::open(path, mode).unwrap();
        for record in records {
            log.append(record).unwrap();
        }
        drop(log);
        std::fs::read(path).unwrap()
    }

    #[test]
    fn what_is_written_is_read_and_what_has_no_end_is_named() {
        let path = scratch("roundtrip");
        assert!(recover(&path).unwrap().is_empty());
        let first = [sent(1), sent(2), end(1, Ended::Taken)];
        written(&path, &first, SyncMode::Always);
        let second = [sent(3), end(2, Ended::Rejected)];
        written(&path, &second, SyncMode::Grouped);
        let contents = read(&path).unwrap();
        assert_eq!(contents.records, [&first[..], &second[..]].concat());
        assert_eq!(contents.torn_at, None);
        assert_eq!(contents.last_order(), Some(OrderId::new(3)));
        let open = recover(&path).unwrap();
        assert_eq!(open.iter().map(|sent| sent.order.get()).collect::<Vec<_>>(), [3]);
        let (_, id) = contents.venue_ids().last().unwrap();
        assert_eq!(id.as_bytes(), b"3b23c1c7-f4ef-4f0d-8b9a-9e53c61f1a0d");
    }

    #[test]
    fn a_torn_tail_of_any_length_costs_the_last_record_and_no_other() {
        let path = scratch("torn");
        let records = [sent(1), end(1, Ended::Taken), sent(2)];
        let bytes = written(&path, &records, SyncMode::Always);
        for cut in 1..=RECORD_BYTES {
            std::fs::write(&path, &bytes[..bytes.len() - cut]).unwrap();
            let contents = read(&path).unwrap();
            assert_eq!(contents.records, records[..2], "cut {cut}");
            assert_eq!(contents.torn_at.is_some(), cut < RECORD_BYTES, "cut {cut}");
            if cut % 37 != 1 {
                continue; // opening syncs the disk, which is slow
            }
            let (mut log, again) = WireLog::open(&path, SyncMode::Always).unwrap();
            assert_eq!(again.records.len(), 2);
            log.append(&sent(9)).unwrap();
            assert_eq!(read(&path).unwrap().records.len(), 3, "cut {cut}");
        }
    }

    #[test]
    fn every_flipped_bit_is_seen_and_named_where_it_is() {
        let path = scratch("flip");
        let records = [sent(1), sent(2), end(1, Ended::Taken)];
        let good = written(&path, &records, SyncMode::Always);
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&path, &bad).unwrap();
            let record = bit / 8 / RECORD_BYTES;
            let offset = (record * RECORD_BYTES) as u64;
            match read(&path) {
                Err(WireLogError::Corrupt { offset: seen, .. }) => {
                    assert_eq!(seen, offset, "bit {bit}");
                    assert!(
                        record < 2,
                        "bit {bit}: the last record cannot be told from a torn one"
                    );
                }
                Ok(contents) => {
                    assert_eq!(contents.torn_at, Some(offset), "bit {bit}");
                    assert_eq!((record, contents.records.len()), (2, 2), "bit {bit}");
                }
                Err(other) => panic!("bit {bit}: {other}"),
            }
        }
    }

    #[test]
    fn room_that_was_not_used_is_no_part_of_the_log() {
        let path = scratch("room");
        let (mut log, _) = WireLog::open(&path, SyncMode::Grouped).unwrap();
        log.rehearse();
        log.append(&sent(1)).unwrap();
        log.rehearse();
        let killed = std::fs::read(&path).unwrap(); // as a killed process leaves it
        assert!(killed.len() as u64 > ROOM_BYTES_MIN);
        for order in 2..10_000 {
            log.append(&sent(order)).unwrap(); // beyond the room, which nobody makes
        }
        log.make_room(Nanos::ZERO);
        log.append(&sent(10_000)).unwrap();
        drop(log);
        let contents = read(&path).unwrap();
        assert_eq!((contents.records.len(), contents.torn_at), (10_000, None));
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 10_000 * RECORD_BYTES as u64);

        std::fs::write(&path, &killed).unwrap();
        let contents = read(&path).unwrap();
        assert_eq!((contents.records.len(), contents.torn_at), (1, None));
        for torn in [1, 80, RECORD_BYTES - 1] {
            let mut bytes = killed.clone();
            let half = encode(&sent(2), 1, contents.chain, 1);
            bytes[RECORD_BYTES..RECORD_BYTES + torn].copy_from_slice(&half[..torn]);
            std::fs::write(&path, &bytes).unwrap();
            let (log, contents) = WireLog::open(&path, SyncMode::Grouped).unwrap();
            assert_eq!((contents.records.len(), contents.torn_at), (1, Some(160)), "{torn}");
            drop(log);
            assert_eq!(read(&path).unwrap().torn_at, None, "cut off when opened");
        }
    }

    #[test]
    fn what_a_power_cut_took_is_a_hole_and_what_it_left_is_kept() {
        let path = scratch("power");
        let mut log = written(&path, &[sent(1), end(1, Ended::Taken)], SyncMode::Always);
        let mut chain = hash_of(log.last_chunk().unwrap());
        for (seq, order) in (2..).zip([2, 3, 4]) {
            let record = encode(&sent(order), seq, chain, 2); // none of them synced yet
            chain = hash_of(&record);
            log.extend_from_slice(&record);
        }
        let mut torn = log.clone();
        torn[2 * RECORD_BYTES + 60..3 * RECORD_BYTES + 90].fill(0); // a page: parts of two records
        std::fs::write(&path, &torn).unwrap();
        let kept = [sent(1), end(1, Ended::Taken), sent(4)];
        let contents = read(&path).unwrap();
        assert_eq!((&contents.records[..], contents.torn_at), (&kept[..], Some(320)));
        drop(WireLog::open(&path, SyncMode::Grouped).unwrap());
        let mended = read(&path).unwrap();
        assert_eq!((&mended.records[..], mended.torn_at), (&kept[..], None));

        log.extend_from_slice(&encode(&sent(5), 5, chain, 5)); // all of them synced
        log[2 * RECORD_BYTES..3 * RECORD_BYTES].fill(0);
        std::fs::write(&path, &log).unwrap();
        assert!(matches!(read(&path), Err(WireLogError::Corrupt { offset: 320, .. })));
    }

    #[test]
    fn a_removed_or_repeated_record_is_corruption() {
        let path = scratch("removed");
        let good = written(&path, &[sent(1), sent(2), sent(3)], SyncMode::Always);
        let (one, two) = (&good[..RECORD_BYTES], &good[RECORD_BYTES..2 * RECORD_BYTES]);
        let three = &good[2 * RECORD_BYTES..];
        std::fs::write(&path, [one, three, three].concat()).unwrap();
        assert!(matches!(read(&path), Err(WireLogError::Corrupt { offset: 160, .. })));
        std::fs::write(&path, [one, two, two, three].concat()).unwrap();
        assert!(matches!(read(&path), Err(WireLogError::Corrupt { offset: 320, .. })));
    }

    #[test]
    fn after_a_failed_write_nothing_more_is_taken() {
        let path = scratch("full");
        drop(WireLog::open(&path, SyncMode::Always).unwrap());
        let file = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let shared = Arc::new(Shared::default());
        let mode = SyncMode::Always;
        let mut log = WireLog {
            file,
            path,
            mode,
            chain: 0,
            seq: 0,
            room: 0,
            room_after: Nanos::ZERO,
            shared,
            syncer: None,
        };
        assert!(log.append(&sent(1)).is_err());
        let path = scratch("full-after");
        log.file = File::create(path).unwrap(); // even where the disk has room again
        assert!(log.append(&sent(2)).is_err());
    }
}
