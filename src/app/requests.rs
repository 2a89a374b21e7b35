//! What was asked of a run and waits for the policy's answer.

use std::collections::BTreeMap;

use surefoot_cold::policy::RequestId;
use surefoot_cold::state_dir::StateError;

use crate::control::{Command, Request};

/// Requests by number.
#[derive(Debug, Default)]
pub(super) struct Requests {
    next: u64,
    waiting: BTreeMap<u64, Request>,
    /// Why a resume could not be written down, before its answer.
    pub unwritten: Option<StateError>,
}

impl Requests {
    /// Keeps a request until it is answered.
    pub fn keep(&mut self, request: Request) -> RequestId {
        self.next += 1;
        self.waiting.insert(self.next, request);
        RequestId(self.next)
    }

    /// Hands out the request that is answered now.
    pub fn take(&mut self, id: RequestId) -> Request {
        self.waiting.remove(&id.0).expect("a request is answered once")
    }

    /// Who asks, and why.
    pub fn words(&self, id: RequestId) -> (&'static str, &str) {
        match &self.waiting[&id.0].command {
            Command::Halt { reason, who } => (who, reason),
            Command::Resume { reason }
            | Command::Release { reason, .. }
            | Command::SetLimit { reason, .. } => ("operator", reason),
            Command::Stop { who } => (who, ""),
            Command::Status
            | Command::Limits
            | Command::Follow { .. }
            | Command::Unfollow { .. } => ("operator", ""),
        }
    }

    /// Forgets them all: whoever asked hears that the run is busy or ending.
    pub fn drop_all(&mut self) {
        self.waiting.clear();
    }
}
