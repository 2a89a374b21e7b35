//! Where the core puts what it wants: intents to be carried out and notes for the record.

use crate::intent::Intent;
use crate::limits::{INTENTS_PER_EVENT_MAX, NOTES_PER_EVENT_MAX};
use crate::note::Note;

/// The outputs of one event, in order. Emptied by its owner after each event; its room is set at start.
#[derive(Debug)]
pub struct Outbox {
    intents: Vec<Intent>,
    notes: Vec<Note>,
}

impl Outbox {
    /// Room for the worst event.
    pub fn new() -> Self {
        Self {
            intents: Vec::with_capacity(INTENTS_PER_EVENT_MAX),
            notes: Vec::with_capacity(NOTES_PER_EVENT_MAX),
        }
    }

    /// Asks an executor, or the feed, to do something.
    pub fn send(&mut self, intent: Intent) {
        assert!(
            self.intents.len() < INTENTS_PER_EVENT_MAX,
            "limits.rs bounds the intents of one event"
        );
        self.intents.push(intent);
    }

    /// Tells the record something.
    pub fn note(&mut self, note: Note) {
        assert!(self.notes.len() < NOTES_PER_EVENT_MAX, "limits.rs bounds the notes of one event");
        self.notes.push(note);
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
    }
}

impl Default for Outbox {
    fn default() -> Self {
        Self::new()
    }
}
