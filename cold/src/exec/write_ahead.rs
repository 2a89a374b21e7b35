//! Where the machine writes an order down before its first byte may leave: a file, or memory.

use std::io;

use surefoot_hot::units::Nanos;

use crate::wirelog::{Contents, Record, WireLog};

/// A log that is written before the socket is.
///
/// A `Sent` record that was appended without an error is there after whatever the log is meant to survive: a crash of the
/// process for the file, nothing for the memory form.
pub trait WriteAhead {
    /// Appends one record.
    ///
    /// # Errors
    /// It was not written, or an earlier one is in doubt: the order that it speaks of must not be sent.
    fn append(&mut self, record: &Record) -> io::Result<()>;

    /// Makes room for records to come. Called in idle turns.
    fn make_room(&mut self, now: Nanos) {
        let _ = now;
    }

    /// Goes through the motions of [`WriteAhead::append`] without any effect but on caches. Called in idle turns.
    fn rehearse(&mut self) {}
}

impl WriteAhead for WireLog {
    fn append(&mut self, record: &Record) -> io::Result<()> {
        WireLog::append(self, record)
    }

    fn make_room(&mut self, now: Nanos) {
        WireLog::make_room(self, now);
    }

    fn rehearse(&mut self) {
        WireLog::rehearse(self);
    }
}

/// The log of simulations and tests: the records in memory, and a disk that can be told to fail.
#[derive(Debug, Default)]
pub struct MemoryLog {
    records: Vec<Record>,
    failing: bool,
}

impl MemoryLog {
    /// Every record appended so far, in order.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// From now on nothing can be appended (`true`), or everything can be again.
    pub fn set_failing(&mut self, failing: bool) {
        self.failing = failing;
    }

    /// The last record is torn, as by a crash within its write, if it is of an order about to leave: a restart does not read it.
    /// Returns whether it is.
    pub fn tear(&mut self) -> bool {
        self.records.pop_if(|last| matches!(last, Record::Sent(_))).is_some()
    }

    /// What a restart reads.
    pub fn contents(&self) -> Contents {
        let mut contents = Contents::default();
        contents.records.clone_from(&self.records);
        contents
    }
}

impl WriteAhead for MemoryLog {
    fn append(&mut self, record: &Record) -> io::Result<()> {
        if self.failing {
            return Err(io::Error::other("the log was told to fail"));
        }
        self.records.push(*record);
        Ok(())
    }
}
