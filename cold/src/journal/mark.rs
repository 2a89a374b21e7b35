//! How far the journal was on the disk, kept where the journal is not: a journal cannot tell by itself that its end is
//! missing, for a file cut between two records looks like one that never was longer.
//!
//! The mark is a small file beside the journal's directory. It is written after each sync of the journal, and so never
//! says more than the disk held: what follows it may be lost in a crash, what stands before it may not. Two slots take
//! turns, each in a sector of its own with its own check, so that one is whole whatever the machine was doing.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use surefoot_hot::hash::Hash64;
use surefoot_hot::journal::Chain;

use super::{JournalError, Reader, Wrong, segments};
use crate::disk;
use crate::state_dir::{StateError, write_atomic};

/// A slot's text, and where each of the two begins.
const SLOT_BYTES: usize = 64;
const SLOTS_AT: [usize; 2] = [0, 512];

/// How far a journal was known to be on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The number of the record that came next.
    pub next: u64,
    /// The chain's value before it.
    pub hash: u64,
}

impl From<Chain> for Mark {
    fn from(chain: Chain) -> Self {
        Self { next: chain.next(), hash: chain.hash() }
    }
}

impl Mark {
    fn slot(self) -> [u8; SLOT_BYTES] {
        let Self { next, hash } = self;
        let text = format!("{next:020} {hash:016x} {:016x}", check_of(next, hash));
        let line = format!("{text:<width$}\n", width = SLOT_BYTES - 1);
        line.into_bytes().try_into().expect("20 + 16 + 16 digits and two spaces fit a slot")
    }

    fn parse(slot: &[u8]) -> Option<Self> {
        let mut words = std::str::from_utf8(slot).ok()?.split_ascii_whitespace();
        let next = words.next()?.parse().ok()?;
        let hash = u64::from_str_radix(words.next()?, 16).ok()?;
        let check = u64::from_str_radix(words.next()?, 16).ok()?;
        (words.next().is_none() && check == check_of(next, hash)).then_some(Self { next, hash })
    }

    /// The mark in that file; `None` where there is no file.
    ///
    /// # Errors
    /// It cannot be read, or holds no whole slot.
    pub fn read(path: &Path) -> Result<Option<Self>, JournalError> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(JournalError::io("read", path, error)),
        };
        let slots = SLOTS_AT.iter().filter_map(|&at| bytes.get(at..at + SLOT_BYTES));
        match slots.filter_map(Self::parse).max_by_key(|mark| mark.next) {
            Some(mark) => Ok(Some(mark)),
            None => Err(JournalError { file: path.to_owned(), offset: 0, what: Wrong::Mark }),
        }
    }

    /// Holds the journal in `dir` against the mark.
    ///
    /// # Errors
    /// The journal ends before the mark, is another one, or is damaged.
    pub fn check(self, dir: &Path) -> Result<(), JournalError> {
        let wrong = |what| JournalError { file: dir.to_owned(), offset: 0, what };
        let all = segments(dir)?;
        for from in (0..all.len()).rev() {
            let mut reader = Reader::over(all[from..].to_vec());
            let Some(first) = reader.next_record()? else { continue }; // a start that died at once
            if first.seq >= self.next && from > 0 {
                continue;
            }
            loop {
                let chain = reader.chain().expect("a record was read");
                if chain.next() == self.next && chain.hash() != self.hash {
                    return Err(wrong(Wrong::Other { next: self.next }));
                }
                if chain.next() >= self.next {
                    return Ok(());
                }
                if reader.next_record()?.is_none() {
                    return Err(wrong(Wrong::Lost { from: chain.next(), to: self.next }));
                }
            }
        }
        if self.next == 0 { Ok(()) } else { Err(wrong(Wrong::Lost { from: 0, to: self.next })) }
    }
}

/// The mark's file, open for its one writer.
#[derive(Debug)]
pub struct MarkFile {
    file: File,
    path: PathBuf,
    turn: usize,
    /// Sequence number of the newest mark, which the next may not fall below.
    last: u64,
}

impl MarkFile {
    /// Writes the mark whole and keeps the file open; on the disk when this returns.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn create(path: &Path, mark: Mark) -> Result<Self, JournalError> {
        let mut bytes = vec![b' '; SLOTS_AT[1] + SLOT_BYTES];
        bytes[SLOTS_AT[1] - 1] = b'\n';
        for at in SLOTS_AT {
            bytes[at..at + SLOT_BYTES].copy_from_slice(&mark.slot());
        }
        write_atomic(path, &bytes).map_err(|error| match error {
            StateError::Io { doing, source, .. } => JournalError::io(doing, path, source),
            other => JournalError::io("write", path, io::Error::other(other.to_string())),
        })?;
        let file = OpenOptions::new().write(true).open(path);
        let file = file.map_err(|source| JournalError::io("open", path, source))?;
        Ok(Self { file, path: path.to_owned(), turn: 0, last: mark.next })
    }

    /// Moves the mark. The journal must be on the disk up to there; the mark itself may follow later.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn set(&mut self, mark: Mark) -> Result<(), JournalError> {
        assert!(mark.next >= self.last, "S2: the end of a journal does not move back");
        self.last = mark.next;
        let at = SLOTS_AT[self.turn % SLOTS_AT.len()] as u64;
        self.turn += 1;
        let written = self.file.write_all_at(&mark.slot(), at);
        written.map_err(|source| JournalError::io("write to", &self.path, source))
    }

    /// Waits until the mark is on the disk.
    ///
    /// # Errors
    /// It is not.
    pub fn sync(&self) -> Result<(), JournalError> {
        let synced = disk::sync_data(&self.file);
        synced.map_err(|source| JournalError::io("sync", &self.path, source))
    }
}

fn check_of(next: u64, hash: u64) -> u64 {
    let mut check = Hash64::new();
    check.word(next);
    check.word(hash);
    check.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slot_is_whole_whatever_happens_to_the_other() {
        let path = std::env::temp_dir().join(format!("surefoot-mark-{}", std::process::id()));
        let _ = fs::remove_file(&path);
        assert_eq!(Mark::read(&path).unwrap(), None);
        let at = |next| Mark { next, hash: next * 7 };
        let mut file = MarkFile::create(&path, at(1)).unwrap();
        for next in 2..7 {
            file.set(at(next)).unwrap();
            assert_eq!(Mark::read(&path).unwrap(), Some(at(next)));
        }
        let good = fs::read(&path).unwrap();
        for byte in 0..good.len() {
            let mut bad = good.clone();
            bad[byte] ^= 1;
            fs::write(&path, &bad).unwrap();
            let mark = Mark::read(&path).unwrap().expect("the other slot is whole");
            assert!(mark == at(6) || mark == at(5), "byte {byte}: {mark:?}");
        }
        for bad in ["", "surefoot"] {
            fs::write(&path, bad).unwrap();
            let error = Mark::read(&path).unwrap_err();
            assert!(error.is_damage() && error.to_string().contains("surefoot-mark"), "{error}");
        }
        fs::remove_file(&path).unwrap();
    }
}
