//! Does what the policy wants, and gives what it says its words.

use serde_json::json;
use surefoot_cold::observe::told::NamedPlace;
use surefoot_cold::policy::{
    HaltCause, Message, ReadResult, Refusal, RequestId, START_TRIES, Unagreed, Waited, Want,
};
use surefoot_cold::state_dir::StateError;
use surefoot_cold::text::counted;
use surefoot_hot::event::{Control, Event};

use super::close::{CLOSE_WITHIN, GIVEN_UP_WITHIN};
use super::report::ThisRun;
use super::run_note::RunNote;
use super::{MAIN_THREAD_FAILED, Running, STALL_AFTER, status};
use crate::control::Command;
use crate::control::operator_log::record;
use crate::exit::Exit;

const HALTED_MEANWHILE: &str =
    "a halt came while the venues were compared with: it stands, nothing was resumed";
const TRIPPED_MEANWHILE: &str = "the core found another reason to halt while a resume was under way (a group handed to a person, a stall, or a venue \
     that filled what it must not): it stays halted. Look at `surefoot status` and the alarms, then resume again";
const NOT_LIFTED: &str =
    "halted again at once, or the core did not obey in time: what halted it still stands";
/// What is answered to who asks for what only a run that goes on can do.
pub(super) const ENDING: &str =
    "it is ending: nothing was changed; ask again after the next `surefoot start`";

impl Running {
    /// Does everything that the policy wants, in its order.
    pub(super) fn carry_out(&mut self) {
        while let Some(want) = self.policy.poll_want() {
            match want {
                Want::Read(venue) => {
                    if !self.begin_check(venue) {
                        self.policy.on_read(self.watched.now(), venue, ReadResult::NotBegun);
                    }
                }
                Want::Tell(event) => {
                    let is_stop = event == Event::Control(Control::Stop);
                    self.engine.tell(event);
                    if is_stop {
                        crate::fault::on_stop();
                    }
                }
                Want::Advance => {
                    let epoch = self.engine.halt.advance();
                    self.policy.on_advanced(epoch);
                }
                Want::Latch(cause) => {
                    let (who, reason) = self.halt_words(cause);
                    self.latch_halt(who, &reason);
                }
                Want::Unlatch(request) => {
                    let unlatched = self.unlatch(request);
                    self.policy.on_unlatched(unlatched.is_ok());
                    self.requests.unwritten = unlatched.err();
                }
                Want::Answer { request, outcome } => self.answer(request, outcome),
                Want::Say(message) => self.say(message),
                Want::Opened => self.notify.ready(),
                Want::CancelWithoutCore => {
                    let rescue = self.rescue.as_ref().expect("it begins once the run has closed");
                    rescue.tell_once(self.observer.announcer());
                    self.watchdog.rescue_within(GIVEN_UP_WITHIN);
                    self.notify.alive();
                }
                Want::Stopping => {
                    self.give_up_follow(ENDING);
                    self.notify.stopping();
                    self.watchdog.expect_within(CLOSE_WITHIN);
                }
                Want::ReadAtEnd => self.begin_last_reading(),
                Want::Close { why, how } => self.closed = Some((why, how)),
            }
        }
    }

    /// Writes a resume down and removes the latch.
    fn unlatch(&mut self, request: RequestId) -> Result<(), StateError> {
        record(&self.state, "resume", self.requests.words(request).1)?;
        self.state.clear_halt()?;
        self.latch = None;
        Ok(())
    }

    /// Who halts, and why, for a person.
    fn halt_words(&mut self, cause: HaltCause) -> (&'static str, String) {
        let text = |who, why: &str| (who, why.to_owned());
        match cause {
            HaltCause::Asked { request, .. } => {
                let (who, reason) = self.requests.words(request);
                text(who, reason)
            }
            HaltCause::CoreTripped => {
                let seen = self.look_at_figures();
                ("limit", status::why_halted(ThisRun(&seen), &self.config.limits))
            }
            HaltCause::ThreadDead(name) => {
                let why = self.engine.death().map_or("", |(_, why)| why);
                ("thread", format!("the {name} thread failed an assertion: {why}"))
            }
            HaltCause::ThreadStill(name) => {
                ("thread", format!("the {name} thread stood still for {} s", STALL_AFTER.as_secs()))
            }
            HaltCause::JournalFailed => {
                ("journal", self.engine.journal().error().unwrap_or_default())
            }
            HaltCause::DirectoryLost => {
                let lost = self.lock.check().err();
                ("directory", lost.map(|lost| lost.to_string()).unwrap_or_default())
            }
            HaltCause::EpochMoved => text("ring", "a ring that may not fill was full"),
            HaltCause::ReaderLost(_) => text("thread", "reconciliation failed an assertion"),
            HaltCause::MainThread => text("thread", MAIN_THREAD_FAILED),
            HaltCause::EpochMovedMeanwhile => {
                text("ring", "a hot thread halted while a resume was under way")
            }
            HaltCause::TrippedMeanwhile(_) => text("limit", TRIPPED_MEANWHILE),
            HaltCause::NotLifted(_) => text("limit", NOT_LIFTED),
            HaltCause::EndedMeanwhile => text(
                "operator",
                "the run was stopped before `surefoot resume` took effect, so trading stays halted. After the next start \
                 resume again",
            ),
        }
    }

    fn answer(&mut self, request: RequestId, outcome: Result<(), Refusal>) {
        let request = self.requests.take(request);
        match outcome {
            Ok(()) => {
                let done = match &request.command {
                    Command::Halt { .. } => json!({ "halted": true }),
                    Command::Resume { .. } => json!({ "halted": false }),
                    Command::Stop { .. } => {
                        json!({ "stopping": true, "pid": std::process::id() })
                    }
                    Command::Status
                    | Command::Limits
                    | Command::SetLimit { .. }
                    | Command::Release { .. }
                    | Command::Follow { .. }
                    | Command::Unfollow { .. } => json!({}),
                };
                request.done(done);
            }
            Err(refusal) => match self.refusal_words(refusal) {
                (Some(exit), why) => request.refused(exit, &why),
                (None, why) => request.failed(&why),
            },
        }
    }

    /// How the verb that asked ends, where it has an exit of its own, and why, for a person.
    fn refusal_words(&mut self, refusal: Refusal) -> (Option<Exit>, String) {
        let text = |exit, why: &str| (Some(exit), why.to_owned());
        match refusal {
            Refusal::KillFile => {
                let kill = self.state.kill_file();
                text(Exit::Halted, &format!("{} is there: remove it first", kill.display()))
            }
            Refusal::JournalFailed => text(
                Exit::State,
                "the journal cannot be written: `surefoot stop`, make room, `surefoot start`",
            ),
            Refusal::DirectoryLost => text(
                Exit::State,
                "the state directory was removed, renamed or replaced: no halt could be kept there. `surefoot stop`, put it \
                 back where it was, `surefoot start`",
            ),
            Refusal::ThreadStill(name) => {
                let why = format!(
                    "the {name} thread stands still: nothing was resumed. If that lasts, the run cancels everything and ends \
                     by itself (exit 70). Once `surefoot status` no longer shows it, resume again"
                );
                text(Exit::Halted, &why)
            }
            Refusal::Unagreed(why) => {
                let why = self.unagreed_words(why);
                let why = format!(
                    "the venues cannot be agreed with: {why}. Trading stays halted: resume again in a minute"
                );
                text(Exit::Unreconciled, &why)
            }
            Refusal::HaltedMeanwhile => text(Exit::Halted, HALTED_MEANWHILE),
            Refusal::TrippedMeanwhile => text(Exit::Halted, TRIPPED_MEANWHILE),
            Refusal::NotLifted => text(Exit::Halted, NOT_LIFTED),
            Refusal::Unwritten => {
                let error = self.requests.unwritten.take().map(|error| error.to_string());
                text(Exit::State, &format!("{}. Trading stays halted", error.unwrap_or_default()))
            }
            Refusal::Ending => text(
                Exit::Failed,
                "the run is ending: nothing was resumed, and the next start is halted",
            ),
            Refusal::Closing => (None, ENDING.to_owned()),
            Refusal::Busy => (
                None,
                "the venues are being compared with already, for the start or for another resume: nothing was \
                 changed. Wait for that, look at `surefoot status`, then resume where it is still halted"
                    .to_owned(),
            ),
        }
    }

    /// Why the venues were not agreed with, for a person.
    fn unagreed_words(&mut self, why: Unagreed) -> String {
        match why {
            Unagreed::NoAnswer(venue) => format!("{} does not answer", venue.name()),
            Unagreed::Unread(venue) => self.checks[venue].why.clone(),
            Unagreed::Differs => self.disagreement(),
        }
    }

    fn say(&mut self, message: Message) {
        match message {
            Message::StillWaiting { for_streams } => {
                let what = match for_streams {
                    true => "all streams",
                    false => "the venues' word on orders of an earlier run",
                };
                let text = format!("still waiting for {what}: nothing is opened before that");
                self.tell(RunNote::StillWaiting, text);
            }
            Message::NotAgreed { failed, why } => {
                let why = self.unagreed_words(why);
                let text = format!("reconciliation {failed} of {START_TRIES}: {why}");
                self.tell(RunNote::NotAgreed, text);
            }
            Message::NothingOpened => {
                let text = "the venues could not be agreed with; nothing was opened";
                self.tell(RunNote::NotAgreed, text.to_owned());
            }
            Message::JournalFailed => {
                let why = self.engine.journal().error().unwrap_or_default();
                let text = format!(
                    "the journal cannot be written ({why}): trading is halted, cancels still go out"
                );
                self.tell(RunNote::JournalFailed, text);
            }
            Message::ReadFailed { venue, again } => {
                let why = &self.checks[venue].why;
                let text = match again {
                    None => why.clone(),
                    Some(again) => {
                        format!(
                            "{why}; {} is asked again in {} s",
                            venue.name(),
                            again.as_secs_f32()
                        )
                    }
                };
                self.tell_of(RunNote::ReadingFailed, NamedPlace::of_venue(venue), text);
            }
            Message::StillStopping(Waited::Reading) => {
                self.say_stopping("a venue is still being read");
            }
            Message::StillStopping(Waited::InFlight { orders, groups }) => {
                let (orders, groups) =
                    (counted(orders, "order", "orders"), counted(groups, "group", "groups"));
                self.say_stopping(&format!("{orders} and {groups} have not ended yet"));
            }
            Message::Resumed { request } => {
                let text = format!("resumed: {}", self.requests.words(request).1);
                self.tell(RunNote::Resumed, text);
            }
        }
    }
}
