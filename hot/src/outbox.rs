//! Where the core puts what it wants: intents to be carried out, a new halt epoch, and notes for the record.

use crate::bounds::{INTENTS_PER_EVENT_MAX, NOTES_PER_EVENT_MAX};
use crate::intent::Intent;
use crate::note::Note;

/// The outputs of one event, in order. Emptied by its owner after each event; its room is set at start.
#[derive(Debug)]
pub struct Outbox {
    intents: Vec<Intent>,
    notes: Vec<Note>,
    epoch: Option<u64>,
}

impl Outbox {
    /// Room for the worst event.
    pub fn new() -> Self {
        Self {
            intents: Vec::with_capacity(INTENTS_PER_EVENT_MAX),
            notes: Vec::with_capacity(NOTES_PER_EVENT_MAX),
            epoch: None,
        }
    }

    /// Asks an executor, or the feed, to do something.
    pub fn send(&mut self, intent: Intent) {
        assert!(
            self.intents.len() < INTENTS_PER_EVENT_MAX,
            "bounds.rs bounds the intents of one event"
        );
        self.intents.push(intent);
    }

    /// Tells the record something.
    pub fn note(&mut self, note: Note) {
        assert!(self.notes.len() < NOTES_PER_EVENT_MAX, "bounds.rs bounds the notes of one event");
        self.notes.push(note);
    }

    /// The core has halted by itself: orders of earlier epochs must not leave any more.
    pub const fn raise(&mut self, epoch: u64) {
        self.epoch = Some(epoch);
    }

    /// The epoch that everybody must move up to before any of the intents is carried out, if the core has halted.
    pub const fn raised(&self) -> Option<u64> {
        self.epoch
    }

    /// What executors should do, in order.
    pub fn intents(&self) -> &[Intent] {
        &self.intents
    }

    /// What the record should hold, in order.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// Ready for the next event.
    pub fn clear(&mut self) {
        self.intents.clear();
        self.notes.clear();
        self.epoch = None;
    }
}

impl Default for Outbox {
    fn default() -> Self {
        Self::new()
    }
}
