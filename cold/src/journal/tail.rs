//! Following a journal while it is being written, from its files alone.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use surefoot_hot::journal::{Body, RECORD_BYTES, Record, RecordError};

use super::{JournalError, Position, Wrong, segment, segment_path};
use crate::disk;

/// Reads records behind a place as they come. What it returns may not be on the disk yet, only in the system's hands.
#[derive(Debug)]
pub struct Tail {
    dir: PathBuf,
    at: Position,
    /// The bytes of the segment at hand, where it was compressed before all of it was read.
    unpacked: Option<Vec<u8>>,
}

impl Tail {
    /// Follows the journal in `dir` from there on.
    pub fn new(dir: &Path, at: Position) -> Self {
        Self { dir: dir.to_owned(), at, unpacked: None }
    }

    /// The place after what was read.
    pub fn place(&self) -> Position {
        self.at
    }

    /// Up to `max` records that have come; none where there are none yet.
    ///
    /// # Errors
    /// The files cannot be read, or do not go on as they began.
    pub fn read(&mut self, max: usize) -> Result<Vec<Record>, JournalError> {
        loop {
            // Looked for first: the segment before it is over then, and is read to its end below.
            let is_over = self.segment_exists(self.at.segment + 1)?;
            let bytes = self.load(max)?;
            let records = self.take(&bytes, is_over)?;
            if !records.is_empty() || !is_over {
                return Ok(records);
            }
            (self.at.segment, self.at.offset) = (self.at.segment + 1, 0);
            self.unpacked = None;
        }
    }

    fn segment_exists(&self, number: u32) -> Result<bool, JournalError> {
        let open = segment_path(&self.dir, number);
        for path in [open.with_extension("sfj.zst"), open] {
            if disk::is_there(&path).map_err(|error| JournalError::io("read", &path, error))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The bytes behind the place, up to `max` records of them.
    fn load(&mut self, max: usize) -> Result<Vec<u8>, JournalError> {
        if let Some(segment) = &self.unpacked {
            return Ok(self.behind(segment, max));
        }
        let path = segment_path(&self.dir, self.at.segment);
        let failed = |source| JournalError::io("read", &path, source);
        match File::open(&path) {
            Ok(file) => {
                let mut bytes = vec![0; max * RECORD_BYTES];
                let mut len = 0;
                while len < bytes.len() {
                    match file.read_at(&mut bytes[len..], self.at.offset + len as u64) {
                        Ok(0) => break,
                        Ok(read) => len += read,
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        Err(error) => return Err(failed(error)),
                    }
                }
                bytes.truncate(len);
                Ok(bytes)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let segment = segment::load(&path.with_extension("sfj.zst"))?;
                let bytes = self.behind(&segment, max);
                self.unpacked = Some(segment);
                Ok(bytes)
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// The bytes of a segment behind the place, up to `max` records of them.
    fn behind(&self, segment: &[u8], max: usize) -> Vec<u8> {
        let from = usize::try_from(self.at.offset).unwrap_or(usize::MAX).min(segment.len());
        let to = segment.len().min(from.saturating_add(max * RECORD_BYTES));
        segment[from..to].to_vec()
    }

    /// Checks the whole records of `bytes` and goes on behind them. What a crash left at the end of a segment that is over
    /// is passed by.
    fn take(&mut self, bytes: &[u8], is_over: bool) -> Result<Vec<Record>, JournalError> {
        let mut records = Vec::new();
        for bytes in bytes.as_chunks::<RECORD_BYTES>().0 {
            let record = match self.at.chain.open(bytes) {
                Ok(record) => record,
                // A file grows before its bytes are there, and after a power cut it may end in zeros.
                Err(RecordError::Chain) if !is_over || bytes.iter().all(|&byte| byte == 0) => break,
                Err(error) => return Err(self.error(Wrong::Record(error))),
            };
            let begins = self.at.offset == 0;
            match record.body {
                Body::Header(header) if begins && header.segment == self.at.segment => {}
                Body::Header(_) if begins => return Err(self.error(Wrong::Header)),
                Body::Header(_) => return Err(self.error(Wrong::HeaderInside)),
                _ if begins => return Err(self.error(Wrong::Header)),
                _ => {}
            }
            self.at.offset += RECORD_BYTES as u64;
            self.at.closed = matches!(record.body, Body::Close(_));
            records.push(record);
        }
        Ok(records)
    }

    fn error(&self, what: Wrong) -> JournalError {
        let file = segment_path(&self.dir, self.at.segment);
        JournalError { file, offset: self.at.offset, what }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use surefoot_hot::event::Event;
    use surefoot_hot::units::Nanos;

    use super::*;
    use crate::journal::{Identity, Journal, Options, Sync};

    #[test]
    fn a_segment_that_was_compressed_is_unpacked_once() {
        let dir = std::env::temp_dir().join(format!("surefoot-tail-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        let options = Options {
            dir: dir.clone(),
            sync: Sync::Off,
            segment_bytes: 20 * RECORD_BYTES as u64,
            identity: Identity::default(),
            fresh: true,
            mark: None,
            untold: Vec::new(),
        };
        let mut journal = Journal::open(options, Nanos::ZERO).unwrap();
        for n in 0..30 {
            journal.append(Nanos::new(n), &Body::Input(Event::Timer)).unwrap();
        }
        journal.flush().unwrap();
        let packed = segment::compress(&segment_path(&dir, 1)).unwrap();
        let mut tail = Tail::new(&dir, journal.begins());
        let mut read = tail.read(3).unwrap().len();
        fs::remove_file(packed).unwrap(); // whoever opens it again finds nothing
        loop {
            let records = tail.read(3).unwrap();
            read += records.len();
            if records.is_empty() {
                break;
            }
        }
        assert_eq!(read, 32, "thirty records and two headers");
        fs::remove_dir_all(dir).unwrap();
    }
}
