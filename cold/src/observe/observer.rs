//! The one thread that hands what is observed to every sink.
//!
//! It takes the journal's records, the notes of the run and the figures, gives the core's notes their words, and hands each
//! sink what it wants. It waits for none of them, and nobody waits for it (S8): whatever finds no room on the way is dropped,
//! counted and named among the figures.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::RecvTimeoutError;
use surefoot_hot::journal::{Body, Record};
use surefoot_hot::note::Severity;

use super::Snapshot;
use super::counts::ObserverCounts;
use super::sink::{Sink, SinkThread, SinkWatch};
use super::text;
use super::told::{NamedPlace, Observation, Phase, Source, ToldNote};
use crate::directory::Directory;
use crate::queue::{self, Receiver, Sender};

/// Records that may wait for the observer. What is beyond is in the journal, and the store reads it there.
const RECORDS_MAX: u64 = 262_144;
/// Notes of the run and sets of figures that may wait for it.
const NOTES_MAX: u64 = 4_096;
/// How long it waits for notes before it looks for records.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// Batches of records that are handed on before notes are looked for again.
const BATCHES_MAX: usize = 64;
/// How long the end of a run waits until the observer takes that in.
const ROOM_WITHIN: Duration = Duration::from_secs(10);

/// What the observer is told beside the journal's records.
#[derive(Debug)]
enum Heard {
    Seen(Observation),
    /// A sink to hand things to from here on.
    Sink(SinkThread),
    /// Names of markets from here on.
    Markets(Arc<Directory>),
    /// Nothing more comes after what is there already.
    End,
}

/// The way for notes and figures to the observer. Never waits.
#[derive(Clone, Debug)]
pub struct Announcer {
    to: Sender<Heard>,
}

impl Announcer {
    /// Tells a note.
    pub fn note(&self, note: ToldNote) {
        let _ = self.to.push(1, Heard::Seen(Observation::Note(note))); // counted where there is no room
    }

    /// Tells every figure as of now.
    pub fn figures(&self, figures: Snapshot) {
        let _ = self.to.push(1, Heard::Seen(Observation::Figures(Box::new(figures))));
    }

    /// Gives the names of markets for the core's notes that follow.
    pub fn markets(&self, markets: Arc<Directory>) {
        let _ = self.to.push(1, Heard::Markets(markets));
    }
}

/// The running observer. Dropped, it ends as [`Observer::close`] ends it.
#[derive(Debug)]
pub struct Observer {
    notes: Announcer,
    records: Sender<Vec<Record>>,
    watches: Vec<SinkWatch>,
    thread: Option<JoinHandle<Vec<String>>>,
}

impl Observer {
    /// Starts the observer's thread, without a sink.
    ///
    /// # Errors
    /// The system has no room for another thread.
    pub fn start() -> std::io::Result<Self> {
        let (to, notes) = queue::bounded(NOTES_MAX);
        let (records_to, records) = queue::bounded(RECORDS_MAX);
        let work = move || Distributor::default().run(&notes, &records);
        let thread = thread::Builder::new().name("observer".into()).spawn(work)?;
        let (notes, watches) = (Announcer { to }, Vec::new());
        Ok(Self { notes, records: records_to, watches, thread: Some(thread) })
    }

    /// Starts a sink: it is handed what is told from here on.
    ///
    /// # Errors
    /// The system has no room for another thread.
    pub fn add(&mut self, sink: impl Sink) -> std::io::Result<()> {
        let thread = SinkThread::start(Box::new(sink))?;
        self.watches.push(thread.watch());
        let added = self.notes.to.push(1, Heard::Sink(thread));
        assert!(added, "sinks are added before there is much to tell");
        Ok(())
    }

    /// The way for notes and figures.
    pub fn announcer(&self) -> &Announcer {
        &self.notes
    }

    /// The way for the journal's records.
    pub fn records(&self) -> Sender<Vec<Record>> {
        self.records.clone()
    }

    /// How each sink is watched.
    pub fn watches(&self) -> &[SinkWatch] {
        &self.watches
    }

    /// What it has counted so far.
    pub fn counts(&self) -> ObserverCounts {
        let (notes, records) = (self.notes.to.gauge(), self.records.gauge());
        ObserverCounts {
            records_dropped: records.dropped(),
            notes_dropped: notes.dropped(),
            waiting: notes.waiting() + records.waiting(),
        }
    }

    /// Its threads that ended although the run goes on.
    pub fn ended(&self) -> Vec<&'static str> {
        let is_over = self.thread.as_ref().is_none_or(JoinHandle::is_finished);
        let sinks = self.watches.iter().filter(|watch| watch.counts().ended);
        let own = is_over.then_some("observer");
        own.into_iter().chain(sinks.map(|watch| watch.name)).collect()
    }

    /// Hands on what was told until now, waits until every sink has taken it, and gives what went wrong in words. A sink that
    /// does not end within the time that it asked for is left behind. What is told later is lost.
    pub fn close(&mut self) -> Vec<String> {
        let Some(thread) = self.thread.take() else { return Vec::new() };
        if !self.notes.to.push_by(Instant::now() + ROOM_WITHIN, 1, Heard::End) {
            return vec!["the observer takes nothing in: what was told last is lost".to_owned()];
        }
        thread.join().unwrap_or_else(|_| vec!["the observer's thread panicked".to_owned()])
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        let _ = self.close(); // whoever wants to know what went wrong closes it
    }
}

/// What the observer's thread works with.
#[derive(Default)]
struct Distributor {
    sinks: Vec<SinkThread>,
    /// The least severity of the core's notes that any sink wants; those below it get no words.
    least: Option<Severity>,
    directory: Arc<Directory>,
    /// When the end began, once it has: from then on a sink's room is waited for.
    end: Option<Instant>,
}

impl Distributor {
    fn run(mut self, notes: &Receiver<Heard>, records: &Receiver<Vec<Record>>) -> Vec<String> {
        loop {
            match notes.recv_timeout(LOOK_EVERY) {
                Ok((_, Heard::End)) => break,
                Ok((_, heard)) => self.on_heard(heard),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.take_records(records, BATCHES_MAX);
        }
        let end = Instant::now();
        self.end = Some(end);
        self.take_records(records, usize::MAX);
        while let Ok((_, heard)) = notes.try_recv() {
            self.on_heard(heard);
        }
        let endings: Vec<_> = self.sinks.into_iter().map(SinkThread::finish).collect();
        endings.into_iter().filter_map(|ending| ending.wait(end).err()).collect()
    }

    fn on_heard(&mut self, heard: Heard) {
        match heard {
            Heard::Seen(seen) => self.hand(seen),
            Heard::Sink(sink) => {
                let wanted = [self.least, sink.interest().core_notes];
                self.least = wanted.into_iter().flatten().min();
                self.sinks.push(sink);
            }
            Heard::Markets(directory) => self.directory = directory,
            Heard::End => {}
        }
    }

    fn take_records(&self, records: &Receiver<Vec<Record>>, batches: usize) {
        for _ in 0..batches {
            let Ok((_, batch)) = records.try_recv() else { return };
            for record in &batch {
                if let Some(note) = self.told(record) {
                    self.hand(Observation::Note(note));
                }
            }
            self.hand(Observation::Records(batch));
        }
    }

    /// A record's note with its words, if any sink wants it.
    fn told(&self, record: &Record) -> Option<ToldNote> {
        let Body::Note(note) = &record.body else { return None };
        let code = note.code();
        if self.least.is_none_or(|least| code.severity() < least) {
            return None;
        }
        Some(ToldNote {
            at: record.now,
            source: Source::Core,
            code: code.name(),
            severity: code.severity(),
            place: NamedPlace::of(&note.place(), &self.directory),
            text: text::of(note),
            phase: Phase::Once,
        })
    }

    fn hand(&self, seen: Observation) {
        let seen = Arc::new(seen);
        for sink in &self.sinks {
            match self.end {
                Some(end) => sink.hand_at_end(end, &seen),
                None => sink.hand(&seen),
            }
        }
    }
}

#[cfg(test)]
mod tests;
