//! Segments as files: read whole, compressed once they are over.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use surefoot_hot::hash::Hash64;

use super::{JournalError, Wrong};
use crate::state_dir::{StateError, write_atomic};

/// Behind the compressed bytes stands a zstd skippable frame: its magic, its length, the length of the
/// segment, and a hash over everything before. zstd's own checksum does not cover its headers.
const TRAILER_BYTES: usize = 24;
const SKIPPABLE: [u8; 8] = [0x5e, 0x2a, 0x4d, 0x18, 16, 0, 0, 0];
const LEVEL: i32 = 3;
/// No segment is longer, unpacked: what a file says of its length is not believed beyond it, nor is a longer file
/// read into memory.
pub const BYTES_MAX: u64 = 1 << 30;

/// The bytes of a segment, compressed or not.
///
/// # Errors
/// It cannot be read, or a compressed one is not what was written.
pub fn load(path: &Path) -> Result<Vec<u8>, JournalError> {
    let failed = |source| JournalError::io("read", path, source);
    let meta = fs::metadata(path).map_err(failed)?;
    if !meta.is_file() || meta.len() > BYTES_MAX {
        let what = "it is no file of a segment's size";
        return Err(failed(io::Error::new(io::ErrorKind::InvalidData, what)));
    }
    let bytes = fs::read(path).map_err(failed)?;
    if path.extension().is_none_or(|ending| ending != "zst") {
        return Ok(bytes);
    }
    unpack(&bytes).ok_or_else(|| JournalError {
        file: path.to_owned(),
        offset: 0,
        what: Wrong::Compressed,
    })
}

fn unpack(bytes: &[u8]) -> Option<Vec<u8>> {
    let (body, hash) = bytes.split_last_chunk::<8>()?;
    if Hash64::of(body) != u64::from_le_bytes(*hash) {
        return None;
    }
    let (frame, trailer) = body.split_at_checked(bytes.len().checked_sub(TRAILER_BYTES)?)?;
    let length = u64::from_le_bytes(*trailer.strip_prefix(&SKIPPABLE)?.first_chunk()?);
    if length > BYTES_MAX {
        return None;
    }
    let segment = zstd::bulk::decompress(frame, usize::try_from(length).ok()?).ok()?;
    (segment.len() as u64 == length).then_some(segment)
}

fn pack(segment: &[u8]) -> io::Result<Vec<u8>> {
    let mut bytes = zstd::bulk::compress(segment, LEVEL)?;
    bytes.extend_from_slice(&SKIPPABLE);
    bytes.extend_from_slice(&(segment.len() as u64).to_le_bytes());
    let hash = Hash64::of(&bytes);
    bytes.extend_from_slice(&hash.to_le_bytes());
    Ok(bytes)
}

/// Compresses a segment that is over and removes the original once the copy is on disk and reads back equal.
///
/// # Errors
/// A step failed; the original stands.
pub fn compress(path: &Path) -> Result<PathBuf, JournalError> {
    let segment = load(path)?;
    let failed = |source| JournalError::io("compress", path, source);
    let bytes = pack(&segment).map_err(failed)?;
    if unpack(&bytes).as_deref() != Some(&segment) {
        return Err(failed(io::Error::other("the compressed copy does not read back equal")));
    }
    let packed = path.with_extension("sfj.zst");
    write_atomic(&packed, &bytes).map_err(|error| match error {
        StateError::Io { doing, path, source } => JournalError::io(doing, &path, source),
        other => failed(io::Error::other(other.to_string())),
    })?;
    fs::remove_file(path).map_err(failed)?;
    Ok(packed)
}
