//! Following a journal while it is being written, from its files alone.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use surefoot_hot::journal::{Body, RECORD_BYTES, Record, RecordError};

use super::{JournalError, Position, Wrong, segment, segment_path};

/// Reads records behind a place as they come. What it returns may not be on the disk yet, only in the system's hands.
#[derive(Debug)]
pub struct Tail {
    dir: PathBuf,
    at: Position,
}

impl Tail {
    /// Follows the journal in `dir` from there on.
    pub fn new(dir: &Path, at: Position) -> Self {
        Self { dir: dir.to_owned(), at }
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
            let is_over = self.segment_exists(self.at.segment + 1);
            let bytes = self.load(max)?;
            let records = self.take(&bytes, is_over)?;
            if !records.is_empty() || !is_over {
                return Ok(records);
            }
            (self.at.segment, self.at.offset) = (self.at.segment + 1, 0);
        }
    }

    fn segment_exists(&self, number: u32) -> bool {
        let open = segment_path(&self.dir, number);
        open.exists() || open.with_extension("sfj.zst").exists()
    }

    /// The bytes behind the place, up to `max` records of them.
    fn load(&self, max: usize) -> Result<Vec<u8>, JournalError> {
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
                let bytes = segment::load(&path.with_extension("sfj.zst"))?;
                let from = usize::try_from(self.at.offset).unwrap_or(usize::MAX).min(bytes.len());
                Ok(bytes[from..].iter().take(max * RECORD_BYTES).copied().collect())
            }
            Err(error) => Err(failed(error)),
        }
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
