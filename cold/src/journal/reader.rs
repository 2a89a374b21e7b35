//! Reading a journal back, every byte checked.

use std::io;
use std::path::{Path, PathBuf};

use surefoot_hot::journal::{Body, Chain, RECORD_BYTES, Record, RecordError};

use super::{JournalError, Position, SegmentFile, Wrong, segment, segment_number, segments};

/// The records of a journal in order.
#[derive(Debug)]
pub struct Reader {
    segments: Vec<SegmentFile>,
    /// How many segments were opened so far.
    opened: usize,
    bytes: Vec<u8>,
    offset: usize,
    /// `None` before the first record: the first header says where the chain begins.
    chain: Option<Chain>,
    closed: bool,
    torn: Option<Torn>,
}

/// The last record of a run was cut short: the machine or the process died while it was being written. An order leaves before its
/// record is written here, so what the record spoke of may have happened: the wire log tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Torn {
    pub file: PathBuf,
    /// Where the good part ends.
    pub offset: u64,
    /// How many bytes follow.
    pub bytes: u64,
}

impl Reader {
    /// Opens a journal directory, or one segment of it.
    ///
    /// # Errors
    /// There is no journal, or a segment is missing.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let segments = match segment_number(path) {
            Some(number) if path.is_file() => vec![SegmentFile { number, path: path.to_owned() }],
            _ => segments(path)?,
        };
        if segments.is_empty() {
            return Err(JournalError { file: path.to_owned(), offset: 0, what: Wrong::Empty });
        }
        Ok(Self::over(segments))
    }

    /// Opens a journal directory at a place that was noted earlier. The segment is checked from its beginning up to there:
    /// a journal of other records is not taken for the one that was noted.
    ///
    /// # Errors
    /// The segment is gone, ends before that place, or holds other records up to there.
    pub fn resume(dir: &Path, at: &Position) -> Result<Self, JournalError> {
        let mut all = segments(dir)?;
        all.retain(|segment| segment.number >= at.segment);
        if all.first().is_none_or(|first| first.number != at.segment) {
            let what = Wrong::Missing { segment: at.segment };
            return Err(JournalError { file: dir.to_owned(), offset: 0, what });
        }
        let mut reader = Self::over(all);
        if at.offset == 0 {
            // The header that comes next says which hash stands before it.
            reader.chain = Some(at.chain);
            reader.closed = at.closed;
            return Ok(reader);
        }
        while (reader.offset as u64) < at.offset || reader.opened == 0 {
            if reader.next_record()?.is_none() || reader.opened > 1 {
                let from = reader.chain.map_or(0, |chain| chain.next());
                return Err(reader.error(Wrong::Lost { from, to: at.chain.next() }));
            }
        }
        if reader.chain != Some(at.chain) || reader.closed != at.closed {
            return Err(reader.error(Wrong::Other { next: at.chain.next() }));
        }
        Ok(reader)
    }

    /// Reads these segments, which follow each other.
    pub(super) fn over(segments: Vec<SegmentFile>) -> Self {
        Self {
            segments,
            opened: 0,
            bytes: Vec::new(),
            offset: 0,
            chain: None,
            closed: false,
            torn: None,
        }
    }

    /// The next record; `None` at the end.
    ///
    /// # Errors
    /// Anything is not as it was written. What was returned so far is good.
    pub fn next_record(&mut self) -> Result<Option<Record>, JournalError> {
        loop {
            let rest = &self.bytes[self.offset..];
            if self.closed && self.offset > 0 && !rest.is_empty() {
                return Err(self.error(Wrong::AfterClose));
            }
            let Some((bytes, _)) = rest.split_first_chunk::<RECORD_BYTES>() else {
                if !self.next_segment()? {
                    return Ok(None);
                }
                continue;
            };
            let mut chain = self.chain.unwrap_or_else(|| Chain::before(bytes));
            match chain.open(bytes) {
                Ok(record) => {
                    self.check_header(&record, chain)?;
                    self.closed = matches!(record.body, Body::Close(_));
                    self.chain = Some(chain);
                    self.offset += RECORD_BYTES;
                    return Ok(Some(record));
                }
                // After a power cut a file may be longer than what was written to it: zeros to its very end.
                Err(RecordError::Chain) if rest.iter().all(|&byte| byte == 0) => {
                    if !self.next_segment()? {
                        return Ok(None);
                    }
                }
                Err(error) if self.offset == 0 && error == RecordError::Chain => {
                    return Err(self.error(Wrong::Header));
                }
                Err(error) => return Err(self.error(Wrong::Record(error))),
            }
        }
    }

    /// Opens a journal directory at the beginning of the last segment that begins at or before record `next`; at the first
    /// segment where none does.
    ///
    /// # Errors
    /// As [`Reader::open`], or the first record of a segment is damaged.
    pub fn open_before(dir: &Path, next: u64) -> Result<Self, JournalError> {
        let all = segments(dir)?;
        for from in (1..all.len()).rev() {
            let mut reader = Self::over(all[from..from + 1].to_vec());
            // A segment without a whole record is left of a start that died at once.
            if reader.next_record()?.is_some_and(|first| first.seq <= next) {
                return Ok(Self::over(all[from..].to_vec()));
            }
        }
        Self::open(dir)
    }

    /// Looks whether the journal's newest segment is of the format that this program reads; whatever else is wrong with it is told
    /// by who reads on. No journal is of any format.
    ///
    /// # Errors
    /// It is of another format, or the directory cannot be read.
    pub fn check_format(dir: &Path) -> Result<(), JournalError> {
        let newest = segments(dir)?.pop();
        match newest.map(|newest| Self::over(vec![newest]).next_record()) {
            Some(Err(error)) if matches!(error.what, Wrong::Record(RecordError::Format { .. })) => {
                Err(error)
            }
            _ => Ok(()),
        }
    }

    /// The place after what was read; `None` before the first record.
    pub fn place(&self) -> Option<Position> {
        let segment = self.segments[self.opened.checked_sub(1)?].number;
        let chain = self.chain?;
        Some(Position { segment, offset: self.offset as u64, chain, closed: self.closed })
    }

    /// Where the chain stands after what was read.
    pub fn chain(&self) -> Option<Chain> {
        self.chain
    }

    /// Whether the last run read so far ended as it should.
    pub fn closed(&self) -> bool {
        self.closed
    }

    /// What was cut off at the end of the last run read so far.
    pub fn torn(&self) -> Option<&Torn> {
        self.torn.as_ref()
    }

    /// File and byte of the record that comes next.
    pub fn position(&self) -> (PathBuf, u64) {
        let index = self.opened.saturating_sub(1);
        let path = self.segments.get(index).map(|segment| segment.path.clone());
        (path.unwrap_or_default(), self.offset as u64)
    }

    /// Goes on to the next segment; what is left of this one was cut short. `false` where there is none.
    fn next_segment(&mut self) -> Result<bool, JournalError> {
        let left = self.bytes.len() - self.offset;
        if left > 0 {
            let (file, offset) = self.position();
            self.torn = Some(Torn { file, offset, bytes: left as u64 });
            self.bytes.truncate(self.offset); // counted once, however often the end is asked for
        }
        let Some(next) = self.segments.get(self.opened) else { return Ok(false) };
        self.bytes = match segment::load(&next.path) {
            // It was compressed since the directory was listed.
            Err(JournalError { what: Wrong::Io { source, .. }, .. })
                if source.kind() == io::ErrorKind::NotFound =>
            {
                segment::load(&next.path.with_extension("sfj.zst"))?
            }
            loaded => loaded?,
        };
        self.offset = 0;
        self.opened += 1;
        Ok(true)
    }

    fn check_header(&mut self, record: &Record, after: Chain) -> Result<(), JournalError> {
        let before = self.chain;
        match (self.offset, record.body) {
            (0, Body::Header(header)) => {
                let number = self.segments[self.opened - 1].number;
                let follows = before.is_none_or(|chain| chain.hash() == header.before);
                if header.segment != number || !follows || after.next() == 0 {
                    return Err(self.error(Wrong::Header));
                }
                if !header.starts
                    && let Some(torn) = self.torn.take()
                {
                    return Err(JournalError {
                        file: torn.file,
                        offset: torn.offset,
                        what: Wrong::Cut,
                    });
                }
                self.torn = None; // a new run began after it
                Ok(())
            }
            (0, _) => Err(self.error(Wrong::Header)),
            (_, Body::Header(_)) => Err(self.error(Wrong::HeaderInside)),
            _ => Ok(()),
        }
    }

    fn error(&self, what: Wrong) -> JournalError {
        let (file, offset) = self.position();
        JournalError { file, offset, what }
    }
}
