//! Any bytes as a journal segment or a wire log: what was written and nothing else, or an error with its place.

use std::fs;
use std::path::{Path, PathBuf};

use surefoot_cold::journal::{Identity, Journal, Options, Reader, Sync, segment, segments};
use surefoot_cold::state_dir::StateDir;
use surefoot_cold::store::names::MarketNames;
use surefoot_cold::wirelog::{self, SyncMode, WireLog, WireLogError};
use surefoot_hot::hash::Hash64;
use surefoot_hot::ids::OrderId;
use surefoot_hot::journal::{Body, Close, Record};
use surefoot_hot::order::Order;
use surefoot_hot::pack::Arbitrary;
use surefoot_hot::units::Nanos;

/// A directory of its own, gone with the value.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("surefoot-fuzz-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).expect("the temporary directory is writable");
        Self(dir)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A journal of a few runs, and the bytes of each segment.
pub struct GoodJournal {
    pub dir: Scratch,
    pub records: Vec<Record>,
    pub segments: Vec<(PathBuf, Vec<u8>)>,
}

/// One run of each kind: closed and compressed, died without its end, closed.
pub fn good_journal() -> GoodJournal {
    let dir = Scratch::new("journal");
    let (mut records, mut draw) = (Vec::new(), Arbitrary::from_seed(3));
    for run in 1..=3 {
        let options = Options {
            dir: dir.path().to_owned(),
            sync: Sync::Off,
            segment_bytes: 64 << 20,
            identity: Identity { config: 1, binary: 2, run, venue: 3, mode: 0 },
            fresh: run == 1,
            mark: None,
            untold: Vec::new(),
        };
        let mut journal = Journal::open(options, Nanos::new(run)).expect("writable");
        for n in 0..12 {
            let body = match draw.word() % 3 {
                0 => Body::Intent(draw.value()),
                1 => Body::Note(draw.value()),
                _ => Body::Input(draw.value()),
            };
            journal.append(Nanos::new(n), &body).expect("writable");
        }
        journal.flush().expect("writable");
        if run != 2 {
            journal.close(Nanos::new(20), Close { decision: 5, state: 6 }).expect("writable");
        }
        records.extend(journal.take_made());
    }
    let files = segments(dir.path()).expect("readable");
    segment::compress(&files[0].path).expect("writable");
    let read = |file: surefoot_cold::journal::SegmentFile| {
        let bytes = fs::read(&file.path).expect("readable");
        (file.path, bytes)
    };
    let segments = segments(dir.path()).expect("readable").into_iter().map(read).collect();
    GoodJournal { dir, records, segments }
}

/// The journal with these bytes as one of its segments: a beginning of what was written, then the end, a cut that
/// is named, or an error that names its file and a place within it.
pub fn journal_any(good: &GoodJournal, index: usize, bytes: &[u8]) {
    let (path, original) = &good.segments[index];
    fs::write(path, bytes).expect("writable");
    let mut read = Vec::new();
    let end = Reader::open(good.dir.path()).and_then(|mut reader| {
        while let Some(record) = reader.next_record()? {
            read.push(record);
        }
        Ok(reader)
    });
    fs::write(path, original).expect("writable");
    assert!(good.records.starts_with(&read), "records that were never written");
    match end {
        Ok(reader) if read.len() < good.records.len() => {
            // Only the end of the last run may be missing; a cut within a record is told.
            assert_eq!(index, good.segments.len() - 1, "a gap in the middle was not seen");
            assert!(!reader.closed(), "an end that was cut off passes for the end");
        }
        Ok(_) => {}
        Err(error) => {
            assert!(error.file.starts_with(good.dir.path()), "{error}");
            let plain = original.len().max(bytes.len()) as u64;
            assert!(error.offset <= plain, "byte {} of {plain}: {error}", error.offset);
            assert!(error.to_string().contains("journal"), "{error}");
        }
    }
}

/// Any bytes as the only segment of a journal: read to the end or refused, and never more than was there.
pub fn segment_any(dir: &Path, bytes: &[u8]) {
    for name in ["journal-000001.sfj", "journal-000001.sfj.zst"] {
        let path = dir.join(name);
        fs::write(&path, bytes).expect("writable");
        if let Ok(mut reader) = Reader::open(dir) {
            while let Ok(Some(_)) = reader.next_record() {}
        }
        fs::remove_file(&path).expect("it was there");
    }
}

/// A packed segment that says it is longer than any memory, its own hash being right: refused, and no room made.
pub fn a_length_is_not_believed(good: &GoodJournal) {
    let (path, packed) = &good.segments[0];
    assert!(path.extension().is_some_and(|ending| ending == "zst"));
    for length in [u64::MAX, u64::MAX / 2, 1 << 40, segment::BYTES_MAX + 1] {
        let mut bytes = packed.clone();
        let end = bytes.len();
        bytes[end - 16..end - 8].copy_from_slice(&length.to_le_bytes());
        let hash = Hash64::of(&bytes[..end - 8]);
        bytes[end - 8..].copy_from_slice(&hash.to_le_bytes());
        fs::write(path, &bytes).expect("writable");
        let error = segment::load(path).expect_err("it is not that long");
        assert!(error.is_damage(), "{error}");
    }
    fs::write(path, packed).expect("writable");
}

/// A wire log of a few orders, and its bytes.
pub struct GoodLog {
    _dir: Scratch,
    pub path: PathBuf,
    pub records: Vec<wirelog::Record>,
    pub bytes: Vec<u8>,
}

pub fn good_log() -> GoodLog {
    let dir = Scratch::new("wirelog");
    let path = dir.path().join("wire.log");
    let (mut log, _) = WireLog::open(&path, SyncMode::Always).expect("writable");
    let (mut records, mut draw) = (Vec::new(), Arbitrary::from_seed(3));
    let id = wirelog::VenueId::new(&[7; 32]).expect("short enough");
    for n in 1..=8 {
        let order = Order { id: OrderId::new(n), ..draw.value() };
        records.push(wirelog::Record::Sent(wirelog::Sent::of(&order, Nanos::new(n), 9, id)));
        if n % 2 == 0 {
            let (at, order) = (Nanos::new(n + 1), OrderId::new(n));
            let how = wirelog::Ended::Taken;
            records.push(wirelog::Record::End { at, order, how, id });
        }
    }
    for record in &records {
        log.append(record).expect("writable");
    }
    drop(log);
    let bytes = fs::read(&path).expect("readable");
    GoodLog { _dir: dir, path, records, bytes }
}

/// Any bytes as a wire log: only records that were written, or an error that names a place within the file.
pub fn wire_log_any(good: &GoodLog, bytes: &[u8]) {
    fs::write(&good.path, bytes).expect("writable");
    match wirelog::read(&good.path) {
        Ok(contents) => {
            for record in &contents.records {
                assert!(good.records.contains(record), "never written: {record:?}");
            }
            let all = contents.records.len() >= good.records.len();
            let whole = bytes.len() < good.bytes.len() || contents.torn_at.is_some();
            assert!(all || whole, "records are missing, and nothing is said of it");
            let _ = contents.without_end();
        }
        Err(
            WireLogError::Corrupt { path, offset, .. } | WireLogError::Version { path, offset, .. },
        ) => {
            assert_eq!(path, good.path);
            assert!(offset < bytes.len() as u64, "byte {offset} of {}", bytes.len());
        }
        Err(WireLogError::Io { .. }) => panic!("a file that is there is read"),
    }
}

/// Any bytes as the small files of a state directory: names, halt, how the last run ended.
pub fn state_any(dir: &Path, bytes: &[u8]) {
    let state = StateDir::at(dir);
    let path = dir.join("any");
    fs::write(&path, bytes).expect("writable");
    let _ = MarketNames::load(&path); // an error or a book; which is for its own tests
    let _ = surefoot::access::Access::from_file(&path);
    fs::rename(&path, state.halt_latch()).expect("the same directory");
    let _ = state.halt();
    fs::rename(state.halt_latch(), state.exit_file()).expect("the same directory");
    let _ = surefoot::control::exit_note::of(&state, 1);
}
