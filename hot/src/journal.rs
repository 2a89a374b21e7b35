//! The journal's records: what the core was given, in order, and what it made of it.
//!
//! A record is [`RECORD_BYTES`] long, little-endian: sequence number and kind in one word, the time given to
//! the core, the packed value, and a hash over the hash of the record before and these bytes. One flipped bit
//! anywhere breaks the chain there.

use crate::event::Event;
use crate::hash::Hash64;
use crate::intent::{Intent, IntentRecord};
use crate::note::Note;
use crate::pack::{PACKED_BYTES_MAX, Packed, pack, pack_fields, unpack};
use crate::units::Nanos;

/// The version of the layout of records and of everything in them.
pub const FORMAT: u32 = 6;
/// The size of every record.
pub const RECORD_BYTES: usize = 8 + 8 + PACKED_BYTES_MAX + 8;
/// Sequence numbers end here; at a million records a second that is two thousand years.
pub const SEQ_MAX: u64 = (1 << 56) - 1;

const _: () = assert!(RECORD_BYTES == 80);
const _: () = assert!(size_of::<JournalItem>() <= 80, "an item crosses a ring for every event");

/// What the core's thread hands to the journal: an input, then the intents and notes it caused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalItem {
    /// The time given to the core.
    pub now: Nanos,
    /// What it is.
    pub entry: Entry,
}

/// One item of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// What the core was given.
    Input(Event),
    /// What it asked for.
    Intent(Intent),
    /// What it told.
    Note(Note),
}

/// A record as it is read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its number, counted from the first of all runs.
    pub seq: u64,
    /// The time given to the core; the shell's own for headers and ends.
    pub now: Nanos,
    /// What it holds.
    pub body: Body,
}

/// What a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// A segment begins.
    Header(Header),
    /// What the core was given.
    Input(Event),
    /// What it asked for.
    Intent(IntentRecord),
    /// What it told.
    Note(Note),
    /// A run ended as it should.
    Close(Close),
}

impl From<&Entry> for Body {
    fn from(entry: &Entry) -> Self {
        match entry {
            Entry::Input(event) => Self::Input(*event),
            Entry::Intent(intent) => Self::Intent(intent.into()),
            Entry::Note(note) => Self::Note(*note),
        }
    }
}

/// The first record of a segment: it names the configuration and the program by their hashes (S10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// [`FORMAT`] of what follows.
    pub format: u32,
    /// The segment's number, from 1.
    pub segment: u32,
    /// Hash of the configuration that holds.
    pub config: u64,
    /// Hash of the program that ran.
    pub binary: u64,
    pub run: u64,
    /// Hash of what identifies the venues: another value means other accounts, other markets.
    pub venue: u64,
    /// The chain's value before this record.
    pub before: u64,
    /// Whether a run begins here; otherwise the one before goes on.
    pub starts: bool,
    /// Whether the core began empty here, and not from what the journal says so far.
    pub fresh: bool,
    /// With what money: 0 demo, 1 paper, 2 shadow, 3 live.
    pub mode: u8,
}

/// The last record of a run that ended as it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Close {
    /// The core's decision hash.
    pub decision: u64,
    /// The core's state hash.
    pub state: u64,
}

/// Why a record could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordError {
    /// The bytes are not those that were written: their hash differs.
    Chain,
    /// It is whole, but not the next one.
    Seq {
        /// The number that should have come.
        want: u64,
        /// The one that came.
        seen: u64,
    },
    /// It is whole and begins a segment of another format.
    Format {
        /// The format that its writer gave it.
        seen: u32,
    },
    /// It is whole, but of a kind or with a value that this program does not know.
    Unknown { kind: u8 },
}

/// Where a journal stands: the next record's number and the hash of all before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chain {
    next: u64,
    hash: u64,
}

impl Chain {
    /// Before the first record of all.
    pub const fn new() -> Self {
        Self { next: 0, hash: Hash64::new().get() }
    }

    /// The number of the next record.
    pub const fn next(&self) -> u64 {
        self.next
    }

    /// The hash of all records so far.
    pub const fn hash(&self) -> u64 {
        self.hash
    }

    /// Adds a record and gives its bytes.
    pub fn seal(&mut self, now: Nanos, body: &Body) -> [u8; RECORD_BYTES] {
        assert!(self.next <= SEQ_MAX, "two thousand years");
        let (kind, packed) = match body {
            Body::Header(header) => (0, pack_header(header)),
            Body::Input(event) => (1, pack(event)),
            Body::Intent(intent) => (2, pack(intent)),
            Body::Note(note) => (3, pack(note)),
            Body::Close(close) => (4, pack_words(&[close.decision, close.state])),
        };
        let mut bytes = [0; RECORD_BYTES];
        bytes[..8].copy_from_slice(&(self.next << 8 | kind).to_le_bytes());
        bytes[8..16].copy_from_slice(&now.get().to_le_bytes());
        bytes[16..72].copy_from_slice(&packed);
        self.hash = link(self.hash, &bytes);
        bytes[72..].copy_from_slice(&self.hash.to_le_bytes());
        self.next += 1;
        bytes
    }

    /// Checks a record against the chain and reads it. On error the chain stays where it was.
    ///
    /// # Errors
    /// See [`RecordError`].
    pub fn open(&mut self, bytes: &[u8; RECORD_BYTES]) -> Result<Record, RecordError> {
        let hash = link(self.hash, bytes);
        if word(bytes, 72) != hash {
            return Err(RecordError::Chain);
        }
        let (seq, kind) = (word(bytes, 0) >> 8, bytes[0]);
        if seq != self.next {
            return Err(RecordError::Seq { want: self.next, seen: seq });
        }
        let packed: &Packed = bytes[16..72].try_into().expect("56 bytes");
        let body = match kind {
            0 if format_of(packed) != FORMAT => {
                return Err(RecordError::Format { seen: format_of(packed) });
            }
            0 => unpack_header(packed).map(Body::Header),
            1 => unpack(packed).map(Body::Input),
            2 => unpack(packed).map(Body::Intent),
            3 => unpack(packed).map(Body::Note),
            4 => Some(Body::Close(Close { decision: word(bytes, 16), state: word(bytes, 24) })),
            _ => None,
        };
        let body = body.ok_or(RecordError::Unknown { kind })?;
        (self.next, self.hash) = (seq + 1, hash);
        Ok(Record { seq, now: Nanos::new(word(bytes, 8)), body })
    }

    /// Where a journal whose older segments are gone begins: as the header in `bytes` says of itself, which
    /// [`Chain::open`] then checks.
    pub fn before(bytes: &[u8; RECORD_BYTES]) -> Self {
        Self { next: word(bytes, 0) >> 8, hash: word(bytes, 16 + 40) }
    }
}

impl Default for Chain {
    fn default() -> Self {
        Self::new()
    }
}

// As snapshots hold them; in the journal itself a header is a record of words.
pack_fields! {
    Header { format, segment, config, binary, run, venue, before, starts, fresh, mode }
    Chain { next, hash }
}

/// Each word in turn: every step is a bijection, so that no single change can go unseen.
fn link(before: u64, bytes: &[u8; RECORD_BYTES]) -> u64 {
    let mut hash = Hash64::resume(before);
    for at in (0..72).step_by(8) {
        hash.word(word(bytes, at));
    }
    hash.get()
}

fn word(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

fn pack_words(words: &[u64]) -> Packed {
    let mut packed = [0; PACKED_BYTES_MAX];
    for (to, value) in packed.chunks_exact_mut(8).zip(words) {
        to.copy_from_slice(&value.to_le_bytes());
    }
    packed
}

fn pack_header(header: &Header) -> Packed {
    pack_words(&[
        u64::from(header.format) << 32 | u64::from(header.segment),
        header.config,
        header.binary,
        header.run,
        header.venue,
        header.before,
        u64::from(header.starts) | u64::from(header.fresh) << 1 | u64::from(header.mode) << 8,
    ])
}

/// The format that a header names: it stands there in every one.
fn format_of(packed: &Packed) -> u32 {
    (word(packed, 0) >> 32) as u32
}

fn unpack_header(packed: &Packed) -> Option<Header> {
    let flags = word(packed, 48);
    (flags & !0xff03 == 0).then_some(Header {
        format: format_of(packed),
        segment: word(packed, 0) as u32,
        config: word(packed, 8),
        binary: word(packed, 16),
        run: word(packed, 24),
        venue: word(packed, 32),
        before: word(packed, 40),
        starts: flags & 1 == 1,
        fresh: flags & 2 == 2,
        mode: (flags >> 8) as u8,
    })
}

#[cfg(test)]
mod layout;
#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::Arbitrary;

    fn header(before: u64) -> Header {
        Header {
            format: FORMAT,
            segment: 1,
            config: 2,
            binary: 3,
            run: 4,
            venue: 5,
            before,
            starts: true,
            fresh: true,
            mode: 3,
        }
    }

    #[test]
    fn every_flipped_bit_of_every_kind_breaks_the_chain() {
        let mut draw = Arbitrary::from_seed(3);
        let start = Chain::new();
        let bodies = [
            Body::Header(header(start.hash())),
            Body::Input(draw.value()),
            Body::Intent(draw.value()),
            Body::Note(draw.value()),
            Body::Close(Close { decision: 1, state: 2 }),
        ];
        for body in bodies {
            let mut bytes = start.clone().seal(Nanos::new(9), &body);
            let read = start.clone().open(&bytes).unwrap();
            assert_eq!(read, Record { seq: 0, now: Nanos::new(9), body });
            for bit in 0..RECORD_BYTES * 8 {
                bytes[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(start.clone().open(&bytes), Err(RecordError::Chain), "bit {bit}");
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
        }
    }

    #[test]
    fn a_record_out_of_order_does_not_fit() {
        let mut chain = Chain::new();
        let first = chain.seal(Nanos::ZERO, &Body::Input(Event::Timer));
        let second = chain.seal(Nanos::ZERO, &Body::Input(Event::Timer));
        assert_eq!(Chain::new().open(&second), Err(RecordError::Chain));
        let mut read = Chain::new();
        read.open(&first).unwrap();
        assert_eq!(read.open(&first), Err(RecordError::Chain));
        read.open(&second).unwrap();
        assert_eq!(read, chain);
    }

    #[test]
    fn a_header_tells_where_its_chain_begins() {
        let mut chain = Chain::new();
        for _ in 0..5 {
            chain.seal(Nanos::ZERO, &Body::Input(Event::Timer));
        }
        let before = chain;
        let bytes = chain.seal(Nanos::ZERO, &Body::Header(header(before.hash())));
        assert_eq!(Chain::before(&bytes), before);
    }
}
