//! Halting, lifting a halt, and releasing a market: what an operator, a file, a signal or a fault has done to a run.

use std::time::{Duration, Instant};

use surefoot_cold::observe::told::NamedPlace;
use surefoot_cold::state_dir::{HaltLatch, StateError};
use surefoot_hot::event::{Control, Event};
use surefoot_hot::risk::HaltWhy;

use super::agree::{AGREE_WITHIN, Unagreed};
use super::run_note::RunNote;
use super::{LOOK_EVERY, Running};
use crate::control::RESUME_PATIENCE;
use crate::control::operator_log::record;
use crate::exit::Exit;

/// How long a resume may take to show.
const LIFTED_WITHIN: Duration = Duration::from_secs(2);
const _: () = assert!(
    AGREE_WITHIN.as_secs() + LIFTED_WITHIN.as_secs() < RESUME_PATIENCE.as_secs(),
    "nothing is lifted once whoever asked has stopped waiting"
);

/// Why a halt was not lifted, and how the verb that asked for it ends.
pub(super) struct Refused(pub Exit, pub String);

impl Running {
    /// Stops everything that has not left, tells the core, and latches it.
    pub(super) fn halt(&mut self, who: &str, reason: &str, why: HaltWhy) {
        self.epoch = self.engine.halt.advance();
        self.engine.tell(Event::Control(Control::Halt { epoch: self.epoch, why }));
        self.latch_halt(who, reason);
    }

    pub(super) fn latch_halt(&mut self, who: &str, reason: &str) {
        let latch = HaltLatch {
            reason: reason.to_owned(),
            who: who.to_owned(),
            when_ns: self.engine.clock.now().get(),
        };
        if let Err(error) = self.state.set_halt(&latch) {
            let (what, text) = unsaved(self.state.halt().ok().flatten(), &error);
            self.tell(what, text);
        }
        if let Err(error) = record(&self.state, "halt", &format!("{who}: {reason}")) {
            self.tell(RunNote::ActUnrecorded, error.to_string());
        }
        self.tell(RunNote::Halted, format!("HALTED by {who}: {reason}"));
        self.latch = Some(latch);
    }

    pub(super) fn release(&mut self, market: &str, reason: &str) -> Result<(), String> {
        let entry = self.catalogue.directory.iter().find(|entry| entry.names.id() == market);
        let entry = entry.ok_or_else(|| {
            format!(
                "no market is called {market:?} here: `surefoot status` names those in quarantine"
            )
        })?;
        let what = format!("{market}: {reason}");
        record(&self.state, "release", &what).map_err(|error| error.to_string())?;
        self.engine.tell(Event::Control(Control::Release { market: entry.def.market }));
        let place =
            NamedPlace { market: Some(market.to_owned()), ..NamedPlace::of_venue(entry.def.venue) };
        self.tell_of(RunNote::Released, place, format!("released {what}"));
        Ok(())
    }

    /// Lifts a halt, once both venues are agreed with. `asked` is when somebody began to wait for it.
    pub(super) fn resume(&mut self, reason: &str, asked: Instant) -> Result<(), Refused> {
        self.may_resume()?;
        let (epoch, trips) = (self.engine.halt.read(), self.engine.stats().trips);
        self.resuming = true;
        let agreed = self.agree(asked + AGREE_WITHIN);
        self.resuming = false;
        match agreed {
            Ok(()) => {}
            Err(Unagreed::Why(why)) => {
                let why = format!("the venues cannot be agreed with: {why}. It stays halted");
                return Err(Refused(Exit::Unreconciled, why));
            }
            Err(Unagreed::Halted) => {
                return Err(Refused(Exit::Halted, HALTED_MEANWHILE.to_owned()));
            }
            Err(Unagreed::Over(exit)) => {
                self.over = Some(exit);
                let why = "the run is ending: nothing was resumed, and the next start is halted";
                return Err(Refused(Exit::Failed, why.to_owned()));
            }
        }
        // The venues took their time: what forbids a resume may be there by now.
        self.may_resume()?;
        if self.control.wants_halt() || self.engine.halt.read() != epoch {
            return Err(Refused(Exit::Halted, HALTED_MEANWHILE.to_owned()));
        }
        if self.engine.stats().trips != trips {
            return Err(Refused(Exit::Halted, TRIPPED_MEANWHILE.to_owned()));
        }
        self.lift(reason, epoch, trips)
    }

    /// Whether nothing that a person must mend first forbids a resume.
    fn may_resume(&self) -> Result<(), Refused> {
        if self.control.kill_file_present() {
            let kill = self.state.kill_file();
            let why = format!("{} is there: remove it first", kill.display());
            return Err(Refused(Exit::Halted, why));
        }
        if self.engine.journal().failed() {
            let why = "the journal cannot be written: `surefoot stop`, make room, `surefoot start`";
            return Err(Refused(Exit::State, why.to_owned()));
        }
        Ok(())
    }

    /// Takes the latch away and tells the core, where nobody has halted since `epoch` and the core has not wanted to
    /// since it had tripped `trips` times. What comes between is halted anew: a verb that fails never leaves the core
    /// trading.
    fn lift(&mut self, reason: &str, epoch: u64, trips: u64) -> Result<(), Refused> {
        let unwritten =
            |error: StateError| Refused(Exit::State, format!("{error}. It stays halted"));
        record(&self.state, "resume", reason).map_err(unwritten)?;
        self.state.clear_halt().map_err(unwritten)?;
        self.latch = None;
        self.epoch = self.engine.halt.advance();
        if self.epoch != epoch + 1 {
            // Somebody who halts without asking has moved it since it was read.
            self.halt(
                "ring",
                "a hot thread halted while a resume was under way",
                HaltWhy::RingFull,
            );
            return Err(Refused(Exit::Halted, HALTED_MEANWHILE.to_owned()));
        }
        self.engine.tell(Event::Control(Control::Resume { epoch: self.epoch }));
        // The counters of a moment ago still say halted: that is no new halt.
        let begin = Instant::now();
        while self.engine.stats().halted {
            if begin.elapsed() > LIFTED_WITHIN {
                // The resume may be on its way still: the halt that is told after it holds.
                let why = "halted again at once, or the core did not obey in time: what halted it still stands";
                let cause = self.engine.stats().halted_why.unwrap_or(HaltWhy::Thread);
                self.halt("limit", why, cause);
                return Err(Refused(Exit::Halted, why.to_owned()));
            }
            std::thread::sleep(LOOK_EVERY);
        }
        if self.engine.stats().trips != trips {
            // It tripped after its counters were looked at and before it heard of the resume.
            let cause = self.engine.stats().tripped.unwrap_or(HaltWhy::Thread);
            self.halt("limit", TRIPPED_MEANWHILE, cause);
            return Err(Refused(Exit::Halted, TRIPPED_MEANWHILE.to_owned()));
        }
        self.tell(RunNote::Resumed, format!("resumed: {reason}"));
        Ok(())
    }
}

/// What is told of a halt that could not be written down, beside the one that stands on the disk already.
fn unsaved(stands: Option<HaltLatch>, error: &StateError) -> (RunNote, String) {
    match stands {
        Some(HaltLatch { who, reason, .. }) => {
            let text = format!(
                "the halt holds, and so it does for the next start, by an earlier one ({who}: {reason}); this one could not be \
                 written down: {error}"
            );
            (RunNote::ActUnrecorded, text)
        }
        None => {
            let text = format!("the halt holds, but a restart would not know of it: {error}");
            (RunNote::HaltUnsaved, text)
        }
    }
}

const HALTED_MEANWHILE: &str =
    "a halt came while the venues were compared with: it stands, nothing was resumed";
const TRIPPED_MEANWHILE: &str = "the core found another reason to halt while a resume was under way (a group handed to a person, a stall, or a venue \
     that filled what it must not): it stays halted. Look at `surefoot status` and the alarms, then resume again";

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_second_halt_on_a_full_disk_does_not_deny_the_first() {
        let error = StateError::Io {
            doing: "write",
            path: "halt.json".into(),
            source: io::ErrorKind::StorageFull.into(),
        };
        let first = HaltLatch { reason: "full".into(), who: "journal".into(), when_ns: 1 };
        let (what, text) = unsaved(Some(first), &error);
        assert_eq!(what, RunNote::ActUnrecorded);
        assert!(text.contains("(journal: full)") && !text.contains("would not know"), "{text}");
        let (what, text) = unsaved(None, &error);
        assert!(what == RunNote::HaltUnsaved && text.contains("would not know"), "{text}");
    }
}
