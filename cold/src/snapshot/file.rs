//! One snapshot as a file: where in the journal it was taken, what was folded up to there, and the core's state.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use surefoot_hot::core::{Core, LoadError};
use surefoot_hot::hash::Hash64;
use surefoot_hot::journal::Header;
use surefoot_hot::pack::{Pack, Unpacker};
use surefoot_hot::units::Nanos;

use crate::journal::replay::{Counts, Differences};
use crate::journal::{Position, Replayed};

/// What every snapshot begins with.
const MAGIC: [u8; 4] = *b"SFSN";
/// The version of the layout around the core's state, which has a version of its own.
pub const FILE_FORMAT: u32 = 1;
/// No snapshot is longer: a longer file is not read into memory.
const BYTES_MAX: u64 = 1 << 30;

/// Why a snapshot is not used.
#[derive(Debug)]
pub enum Refused {
    /// The file could not be read.
    Io(io::Error),
    /// It was cut short or altered, or never was a snapshot.
    Damaged,
    /// A program with another layout wrote it.
    Format { seen: u32 },
    /// The state in it has another layout.
    State(LoadError),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "it cannot be read: {error}"),
            Self::Damaged => f.write_str("it is not what was written"),
            Self::Format { seen } => {
                write!(f, "it has format {seen}, and this program reads format {FILE_FORMAT}")
            }
            Self::State(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Refused {}

/// Where a snapshot was taken, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The place in the journal whose state it is.
    pub at: Position,
    /// The time of the record before it.
    pub last: Nanos,
}

/// Format and layout of the state in a snapshot. A program can load those of its own alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateVersion(u32, u64);

/// The bytes of a snapshot.
pub fn encode(at: &Position, folded: &Replayed) -> Vec<u8> {
    let Replayed {
        core,
        last_run,
        counts,
        last,
        closed: _, // of the place
        torn: _,   // of a reading
        first: _,
        differences: _,
        untold: _, // none: a snapshot is taken once all that an input made is written
    } = folded;
    let Position { segment, offset, chain, closed } = *at;
    let mut bytes = MAGIC.to_vec();
    FILE_FORMAT.pack(&mut bytes);
    (segment, offset, chain, closed, *last).pack(&mut bytes);
    last_run.pack(&mut bytes);
    counts.pack(&mut bytes);
    core.save(&mut bytes);
    Hash64::of(&bytes).pack(&mut bytes);
    bytes
}

/// The bytes of a file, if it is a whole snapshot of a layout that is known; without magic, format and check.
fn open(bytes: &[u8]) -> Result<&[u8], Refused> {
    let rest = bytes.strip_prefix(&MAGIC).ok_or(Refused::Damaged)?;
    let (format, _) = rest.split_first_chunk().ok_or(Refused::Damaged)?;
    let (all, check) = bytes.split_last_chunk().ok_or(Refused::Damaged)?;
    let is_whole = Hash64::of(all) == u64::from_le_bytes(*check);
    match u32::from_le_bytes(*format) {
        _ if !is_whole => Err(Refused::Damaged),
        FILE_FORMAT => Ok(&all[MAGIC.len() + size_of::<u32>()..]),
        seen => Err(Refused::Format { seen }),
    }
}

fn taken(from: &mut Unpacker<'_>) -> Option<Taken> {
    let (segment, offset, chain, closed, last) = Pack::unpack(from)?;
    Some(Taken { at: Position { segment, offset, chain, closed }, last })
}

/// What a snapshot says of itself, its bytes checked and its core not loaded.
///
/// # Errors
/// See [`Refused`].
pub fn look(path: &Path) -> Result<(Taken, StateVersion), Refused> {
    let bytes = read(path)?;
    let mut from = Unpacker::new(open(&bytes)?);
    let (taken, ..) = meta(&mut from).ok_or(Refused::Damaged)?;
    let (format, layout) = Pack::unpack(&mut from).ok_or(Refused::Damaged)?; // what `Core::save` begins with
    Ok((taken, StateVersion(format, layout)))
}

/// A snapshot, whole.
///
/// # Errors
/// See [`Refused`].
pub fn load(path: &Path) -> Result<(Position, Replayed), Refused> {
    decode(&read(path)?)
}

/// A snapshot out of its bytes.
///
/// # Errors
/// See [`Refused`]; there is no part of a core then.
pub fn decode(bytes: &[u8]) -> Result<(Position, Replayed), Refused> {
    let mut from = Unpacker::new(open(bytes)?);
    let (Taken { at, last }, last_run, counts) = meta(&mut from).ok_or(Refused::Damaged)?;
    let core = Core::load(from.rest()).map_err(|error| match error {
        LoadError::Format { .. } | LoadError::Layout { .. } => Refused::State(error),
        LoadError::Damaged => Refused::Damaged,
    })?;
    let folded = Replayed {
        core,
        last_run,
        counts,
        last,
        closed: at.closed,
        torn: None,
        first: at.chain.next(),
        differences: Differences::default(),
        untold: Vec::new(),
    };
    Ok((at, folded))
}

fn meta(from: &mut Unpacker<'_>) -> Option<(Taken, Header, Counts)> {
    Some((taken(from)?, Pack::unpack(from)?, Pack::unpack(from)?))
}

fn read(path: &Path) -> Result<Vec<u8>, Refused> {
    let meta = fs::metadata(path).map_err(Refused::Io)?;
    if !meta.is_file() || meta.len() > BYTES_MAX {
        return Err(Refused::Damaged);
    }
    fs::read(path).map_err(Refused::Io)
}
