//! Whether the core may open anything: the halt, its epoch, the stop, and the time in which limits may be loosened.
//!
//! This part keeps that the epoch only grows (O13), and that nothing but a resume ends a halt (S12).

use crate::risk::HaltWhy;
use crate::state::state_fields;

/// The state of a run: see the head of this file.
#[derive(Debug)]
pub(super) struct RunState {
    halted: Option<HaltWhy>,
    /// Whether the run is to end: nothing new is opened.
    stopping: bool,
    /// Orders carry it; an executor sends none of an earlier one than the highest that was raised.
    epoch: u64,
    /// Whether limits may still be loosened: from the start of a run until both venues and we agree.
    configuring: bool,
}

state_fields! {
    RunState { halted: value, stopping: value, epoch: value, configuring: value }
}

impl RunState {
    /// Before the first start.
    pub const fn new() -> Self {
        Self { halted: None, stopping: false, epoch: 0, configuring: true }
    }

    /// Why trading is halted; `None` while it is not.
    pub const fn halted(&self) -> Option<HaltWhy> {
        self.halted
    }

    pub const fn is_halted(&self) -> bool {
        self.halted.is_some()
    }

    pub const fn is_stopping(&self) -> bool {
        self.stopping
    }

    pub const fn is_configuring(&self) -> bool {
        self.configuring
    }

    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// A run begins. A halt stands until it is resumed.
    pub fn on_start(&mut self, epoch: u64) {
        self.raise_to(epoch);
        self.stopping = false;
        self.configuring = true;
    }

    /// The run is to end.
    pub const fn on_stop(&mut self) {
        self.stopping = true;
    }

    /// Both venues and we agree: from here on limits are only tightened.
    pub const fn on_agreed(&mut self) {
        self.configuring = false;
    }

    /// The epoch moves up to `epoch`, and never back.
    pub fn raise_to(&mut self, epoch: u64) {
        self.epoch = self.epoch.max(epoch);
    }

    /// Moves the epoch up by one, so that an order that still waits for its executor or a connection does not leave.
    /// Returns the new one.
    pub const fn raise(&mut self) -> u64 {
        self.epoch += 1;
        self.epoch
    }

    /// Halts. Returns whether that is new; the reason of a halt that stands is kept.
    pub const fn halt(&mut self, why: HaltWhy) -> bool {
        let is_new = self.halted.is_none();
        if is_new {
            self.halted = Some(why);
        }
        is_new
    }

    /// A person ends the halt, under a new epoch.
    pub fn resume(&mut self, epoch: u64) {
        self.raise_to(epoch);
        self.halted = None;
    }
}
