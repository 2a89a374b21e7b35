//! The markets of a run, asked for at both venues by a thread of its own: a venue that hangs keeps nobody from looking at a
//! start, halting it or ending it.

use std::sync::Arc;
use std::thread;

use crossbeam_channel::{RecvTimeoutError, bounded};
use serde_json::{Value, json};
use surefoot_cold::directory::Directory;
use surefoot_cold::observe::observer::Announcer;
use surefoot_cold::observe::told::NamedPlace;
use surefoot_cold::state_dir::{HaltLatch, StateDir};

use super::halt::keep_halt;
use super::held::Held;
use super::{LOOK_EVERY, RunSpec};
use crate::catalogue::{Catalogue, load_catalogue};
use crate::control::operator_log::now_ns;
use crate::control::{Command, Request};
use crate::exit::{Exit, Failed};

/// Asks both venues for the terms of the markets to follow; those of `known` keep their numbers. Requests and signals are
/// answered meanwhile. Returns the last halt that came until then as well: it holds although it may not be on the disk.
///
/// # Errors
/// A venue does not answer; or somebody ended the run, which is [`Exit::Ok`] where nothing of an earlier run can rest.
pub(super) fn ask(
    spec: &RunSpec,
    held: &mut Held,
    known: Option<&Directory>,
    notes: &Announcer,
) -> Result<(Catalogue, Option<HaltLatch>), Failed> {
    let (access, extra) = (Arc::clone(&spec.access), spec.extra.clone());
    let known = known.cloned();
    let (answer, answered) = bounded(1);
    let ask = move || {
        let _ = answer.send(load_catalogue(&access, &extra, known.as_ref())); // the run may have been ended
    };
    thread::Builder::new().name("metadata".into()).spawn(ask).map_err(|error| {
        Failed(Exit::Failed, format!("starting the thread that asks for markets: {error}"))
    })?;
    let mut halt = None;
    loop {
        match answered.recv_timeout(LOOK_EVERY) {
            Ok(loaded) => return Ok((loaded?, halt)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                let why = "an assertion failed while the venues were asked for their markets: the message above names it";
                return Err(Failed(Exit::Internal, why.to_owned()));
            }
        }
        while let Some(request) = held.control.poll() {
            if matches!(request.command, Command::Stop { .. }) {
                request.done(json!({ "stopping": true, "pid": std::process::id() }));
                return Err(ended_before_it_began(held.ended_well_before));
            }
            halt = attend(request, spec, &held.state, notes).or(halt);
        }
    }
}

/// Nothing was asked of the core or of an order yet: what an earlier run left at the venues is as it was.
fn ended_before_it_began(ended_well_before: bool) -> Failed {
    let said = "ended before it began: the venues were still being asked for their markets, and nothing was sent to them";
    if ended_well_before {
        return Failed(Exit::Ok, said.to_owned());
    }
    let rests = "the run before it did not end well, so that orders of it may rest there";
    Failed(
        Exit::Unreconciled,
        format!("{said}. But {rests}: look at the venues' own pages, then start again"),
    )
}

/// Answers what can be answered before there is a core. Returns the halt that was asked for.
fn attend(
    request: Request,
    spec: &RunSpec,
    state: &StateDir,
    notes: &Announcer,
) -> Option<HaltLatch> {
    match request.command.clone() {
        Command::Status => request.done(json!({ "status": status(spec, state) })),
        Command::Halt { reason, who } => {
            let (latch, told) = keep_halt(state, who, &reason, now_ns());
            for (what, text) in told {
                notes.note(what.told(NamedPlace::default(), text));
            }
            request.done(json!({ "halted": true }));
            return Some(latch);
        }
        Command::Resume { .. }
        | Command::Release { .. }
        | Command::Limits
        | Command::SetLimit { .. }
        | Command::Follow { .. }
        | Command::Unfollow { .. } => request.failed(
            "it is starting and asks the venues for their markets: nothing was changed. Ask again once `surefoot status` \
             shows that it is open",
        ),
        Command::Stop { .. } => unreachable!("taken by the caller"),
    }
    None
}

/// A status of few words: there are no figures yet.
fn status(spec: &RunSpec, state: &StateDir) -> Value {
    let halt = state.halt().ok().flatten();
    json!({
        "running": true,
        "healthy": false,
        "troubles": ["starting: the venues are asked for their markets"],
        "trouble_rows": ["starting"],
        "open": false,
        "mode": spec.mode.name(),
        "pid": std::process::id(),
        "halted": halt.is_some(),
        "halt": halt.map(|latch| json!({ "reason": latch.reason, "who": latch.who, "when_ns": latch.when_ns })),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_before_the_beginning_is_well_only_where_nothing_can_rest() {
        let Failed(exit, said) = ended_before_it_began(true);
        assert!(exit == Exit::Ok && said.contains("nothing was sent"), "{said}");
        let Failed(exit, said) = ended_before_it_began(false);
        assert!(exit == Exit::Unreconciled && said.contains("may rest there"), "{said}");
    }
}
