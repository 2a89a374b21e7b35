//! Agreeing with both venues before anything opens: at the start, and before a halt is lifted. Meanwhile the run answers:
//! it can be looked at, halted and ended, and a halt ends what it interrupts.

use std::time::{Duration, Instant};

use serde_json::json;
use surefoot_hot::event::{Control as Tell, Event};
use surefoot_hot::ids::Venue;
use surefoot_hot::risk::HaltWhy;
use surefoot_hot::units::Nanos;

use super::agree::Reading;
use super::{LOOK_EVERY, LOOK_WITHIN, Running};
use crate::control::{Command, RESUME_PATIENCE, verbs};
use crate::exit::Exit;

/// How often the venues are read at most until the core agrees.
const AGREE_TRIES: u32 = 20;
/// How long the venues are waited for, whatever hangs.
pub(super) const AGREE_WITHIN: Duration = Duration::from_secs(45);
/// How long the core may take to show that it has compared, before the venues are read again.
const CORE_SHOWS_WITHIN: Duration = Duration::from_secs(2);
/// How long a resume may take to show.
const LIFTED_WITHIN: Duration = Duration::from_secs(2);
const _: () = assert!(
    AGREE_WITHIN.as_secs() + LIFTED_WITHIN.as_secs() < RESUME_PATIENCE.as_secs(),
    "nothing is lifted once whoever asked has stopped waiting"
);

/// Why both venues were not agreed with.
pub(super) enum Unagreed {
    /// They differ, or do not answer: in words.
    Why(String),
    /// Somebody halted meanwhile.
    Halted,
    /// The run is to end.
    Over(Exit),
}

/// Why a halt was not lifted, and how the verb that asked for it ends.
pub(super) struct Refused(pub Exit, pub String);

/// One reading of both venues, under way or told.
struct Round {
    /// When it began, on the core's clock.
    since: Nanos,
    /// When both were told.
    told: Option<Instant>,
}

impl Running {
    /// Takes both venues' word, read twice the same, until the core agrees.
    pub(super) fn agree(&mut self, by: Instant) -> Result<(), Unagreed> {
        let mut round: Option<Round> = None;
        let mut tries = 0;
        loop {
            self.attend()?;
            let away = self.gather(round.is_some())?;
            if Instant::now() >= by {
                return Err(Unagreed::Why(match away {
                    Some(venue) => format!("{} does not answer", venue.name()),
                    None => self.disagreement(),
                }));
            }
            if away.is_some() {
                continue;
            }
            let stats = *self.engine.stats();
            if let Some(round) = &mut round {
                let told = *round.told.get_or_insert_with(Instant::now);
                let compared = stats.compared.iter().all(|at| *at >= round.since);
                if compared && stats.reconciled {
                    return Ok(());
                }
                if !compared && told.elapsed() < CORE_SHOWS_WITHIN {
                    continue;
                }
            }
            if stats.orders_live > 0 {
                continue;
            }
            if tries == AGREE_TRIES {
                return Err(Unagreed::Why(self.disagreement()));
            }
            tries += 1;
            round = Some(Round { since: self.engine.clock.now(), told: None });
            for venue in Venue::ALL {
                self.begin_check(venue, Reading::Settled).map_err(Unagreed::Why)?;
            }
        }
    }

    /// Tells the core what has been read by now. A venue whose reading is still under way, if there is one; where it was
    /// asked by an earlier check (`ours` is false), it does not matter how that ended.
    fn gather(&mut self, ours: bool) -> Result<Option<Venue>, Unagreed> {
        let mut away = None;
        for venue in Venue::ALL {
            match &self.checks[venue.index()].thread {
                Some(thread) if thread.is_finished() => {
                    let told = self.end_check(venue);
                    if ours {
                        told.map_err(Unagreed::Why)?;
                    }
                }
                Some(_) => away = Some(venue),
                None => {}
            }
        }
        Ok(away)
    }

    /// One look around while the venues are waited for.
    fn attend(&mut self) -> Result<(), Unagreed> {
        std::thread::sleep(LOOK_EVERY);
        self.watchdog.expect_within(LOOK_WITHIN);
        while let Some(asked) = self.control.poll() {
            match &asked.command {
                Command::Stop { .. } => {
                    asked.done(json!({ "stopping": true, "pid": std::process::id() }));
                    return Err(Unagreed::Over(Exit::Ok));
                }
                Command::Halt { .. } => {
                    self.obey(asked);
                    return Err(Unagreed::Halted);
                }
                Command::Resume { .. } => asked.failed(
                    "the venues are being compared with already, for the start or for another resume: nothing was \
                     changed. Wait for that, look at `surefoot status`, then resume where it is still halted",
                ),
                Command::Status | Command::Release { .. } => self.obey(asked),
            }
        }
        self.look_around().map_or(Ok(()), |exit| Err(Unagreed::Over(exit)))
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
        let unwritten = |error: surefoot_cold::state_dir::StateError| {
            Refused(Exit::State, format!("{error}. It stays halted"))
        };
        verbs::record(&self.state, "resume", reason).map_err(unwritten)?;
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
        self.engine.tell(Event::Control(Tell::Resume { epoch: self.epoch }));
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
        eprintln!("surefoot: resumed: {reason}");
        Ok(())
    }
}

const HALTED_MEANWHILE: &str =
    "a halt came while the venues were compared with: it stands, nothing was resumed";
const TRIPPED_MEANWHILE: &str = "the core found another reason to halt while a resume was under way (a group handed to a person, a stall, or a venue \
     that filled what it must not): it stays halted. Look at `surefoot status` and the alarms, then resume again";
