//! Lifting a halt: both venues are agreed with first, and nothing is lifted that came after the question.

use std::time::Duration;

use surefoot_hot::event::{Control, Event};
use surefoot_hot::risk::HaltWhy;

use super::agreement::{AGREE_WITHIN, Agreement, Step};
use super::seen::Seen;
use super::wants::{HaltCause, Message, Refusal, RequestId, Want};
use super::{Phase, Policy};

/// How long a resume may take to show in the core's counters.
const LIFTED_WITHIN: Duration = Duration::from_secs(2);
/// Nothing is lifted later than this after the question: whoever asks must wait for longer.
pub const RESUME_WITHIN: Duration =
    Duration::from_secs(AGREE_WITHIN.as_secs() + LIFTED_WITHIN.as_secs());

/// A resume under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resume {
    request: RequestId,
    stage: Stage,
}

/// The stages of a resume, in their order.
#[derive(Clone, Copy, Debug)]
enum Stage {
    /// It is looked at with what the shell sees next. It was asked for at `since`, as time since the run began.
    Asked { since: Duration },
    /// It waits until both venues are agreed with.
    Agreeing { begun: Begun, agreement: Agreement },
    /// The shell writes it down and removes the latch, then the epoch is moved.
    Unlatching { begun: Begun },
    /// Until the core's counters show it, and not beyond `by`.
    Lifting { begun: Begun, by: Duration },
}

/// What stood when the resume began: a halt that moved one of them came after the question.
#[derive(Clone, Copy, Debug)]
struct Begun {
    epoch: u64,
    trips: u64,
}

impl Resume {
    pub const fn agreement_mut(&mut self) -> Option<&mut Agreement> {
        match &mut self.stage {
            Stage::Agreeing { agreement, .. } => Some(agreement),
            Stage::Asked { .. } | Stage::Unlatching { .. } | Stage::Lifting { .. } => None,
        }
    }

    /// When it must be looked at again although nothing has happened.
    pub fn deadline(&self) -> Duration {
        match self.stage {
            Stage::Asked { .. } => Duration::ZERO,
            Stage::Agreeing { agreement, .. } => agreement.deadline(),
            Stage::Unlatching { .. } => Duration::MAX,
            Stage::Lifting { by, .. } => by,
        }
    }
}

/// What a person must mend before anything is resumed. Each of these halts by itself; where something else had halted
/// before, nothing but this keeps a resume from lifting it.
const fn forbids(seen: &Seen) -> Option<Refusal> {
    if seen.kill_file {
        Some(Refusal::KillFile)
    } else if seen.journal_failed {
        Some(Refusal::JournalFailed)
    } else if seen.directory_lost {
        Some(Refusal::DirectoryLost)
    } else if let Some(name) = seen.still {
        Some(Refusal::ThreadStill(name))
    } else {
        None
    }
}

impl Policy {
    /// Somebody wants the halt lifted. Looked at with what the shell sees next.
    pub(super) fn on_resume(&mut self, request: RequestId, since: Duration) {
        let refusal = match self.phase {
            _ if self.resume.is_some() => Some(Refusal::Busy),
            _ if self.ending.is_some() => Some(Refusal::Closing),
            Phase::Starting { .. } | Phase::Open => None,
            Phase::Agreeing { .. } | Phase::Pausing { .. } => Some(Refusal::Busy),
            Phase::Draining { .. }
            | Phase::Gathering { .. }
            | Phase::Lagging { .. }
            | Phase::ReadingAtEnd { .. }
            | Phase::Closed => Some(Refusal::Closing),
        };
        match refusal {
            Some(refusal) => self.answer(request, Err(refusal)),
            None => self.resume = Some(Resume { request, stage: Stage::Asked { since } }),
        }
    }

    /// Ends a resume, if one is under way, and answers who asked.
    pub(super) fn end_resume(&mut self, outcome: Result<(), Refusal>) {
        if let Some(resume) = self.resume.take() {
            self.answer(resume.request, outcome);
        }
    }

    /// Ends a resume, if one is under way, because the run ends. A verb that fails never leaves the core trading, now or at the
    /// next start: where the latch is removed already, it is halted anew.
    pub(super) fn end_resume_for_good(&mut self) {
        if self.is_lifting() && !self.halts.is_latched() {
            self.halt(HaltCause::EndedMeanwhile);
        }
        self.end_resume(Err(Refusal::Ending));
    }

    /// Somebody has halted: a resume that was asked for before does not lift that, and a start agrees from the beginning.
    pub(super) fn interrupt_agreements(&mut self, now: Duration) {
        self.end_resume(Err(Refusal::HaltedMeanwhile));
        if let Phase::Agreeing { agreement, .. } = &mut self.phase {
            *agreement = Agreement::until(now.saturating_add(AGREE_WITHIN));
        }
    }

    /// Whether the core was told of a resume, or is about to be, and its counters do not show it yet.
    pub(super) const fn is_lifting(&self) -> bool {
        match self.resume {
            Some(resume) => {
                matches!(resume.stage, Stage::Unlatching { .. } | Stage::Lifting { .. })
            }
            None => false,
        }
    }

    fn set_stage(&mut self, stage: Stage) {
        self.resume.as_mut().expect("a resume is under way").stage = stage;
    }

    /// What a resume makes of a look around.
    pub(super) fn go_on_resuming(&mut self, now: Duration, seen: &Seen) {
        let Some(resume) = self.resume else { return };
        match resume.stage {
            Stage::Asked { since } => match forbids(seen) {
                Some(refusal) => self.end_resume(Err(refusal)),
                // Moving the epoch would stop orders that are on their way: one leg of a basket without the others.
                None if !self.halts.is_latched()
                    && seen.core.halted.is_none()
                    && !seen.core.disabled =>
                {
                    self.end_resume(Ok(()));
                }
                None => {
                    let begun = Begun { epoch: seen.epoch, trips: seen.core.trips };
                    let agreement = Agreement::until(since.saturating_add(AGREE_WITHIN));
                    self.agree_to_resume(now, seen, begun, agreement);
                }
            },
            Stage::Agreeing { begun, agreement } => {
                self.agree_to_resume(now, seen, begun, agreement)
            }
            Stage::Unlatching { .. } => unreachable!("the shell does it before it looks around"),
            Stage::Lifting { begun, by } => self.see_lifted(now, seen, begun, by),
        }
    }

    fn agree_to_resume(
        &mut self,
        now: Duration,
        seen: &Seen,
        begun: Begun,
        mut agreement: Agreement,
    ) {
        match self.step_of(now, seen, &mut agreement) {
            Step::Wait | Step::Read => self.set_stage(Stage::Agreeing { begun, agreement }),
            Step::Failed(why) => self.end_resume(Err(Refusal::Unagreed(why))),
            Step::Agreed => match self.may_lift(seen, begun) {
                Err(refusal) => self.end_resume(Err(refusal)),
                Ok(()) => self.unlatch(begun),
            },
        }
    }

    /// Whether nothing came after the question. The venues took their time: what forbids a resume may be there by now.
    fn may_lift(&self, seen: &Seen, begun: Begun) -> Result<(), Refusal> {
        if let Some(refusal) = forbids(seen) {
            return Err(refusal);
        }
        let is_halting = self.halts.is_advancing(); // since this very look
        if is_halting || seen.halt_waits || seen.epoch != begun.epoch {
            return Err(Refusal::HaltedMeanwhile);
        }
        if seen.core.trips != begun.trips {
            return Err(Refusal::TrippedMeanwhile);
        }
        Ok(())
    }

    fn unlatch(&mut self, begun: Begun) {
        let request = self.resume.expect("a resume is under way").request;
        self.set_stage(Stage::Unlatching { begun });
        self.wants.push_back(Want::Unlatch(request));
    }

    /// The latch is gone, or it is not: then nothing was resumed.
    pub(super) fn unlatched(&mut self, done: Result<(), Refusal>) {
        assert!(self.is_unlatching(), "the latch is removed when it is wanted");
        match done {
            Err(refusal) => self.end_resume(Err(refusal)),
            Ok(()) => {
                self.halts.unlatch();
                self.halts.advance_for_resume();
                self.wants.push_front(Want::Advance);
            }
        }
    }

    const fn is_unlatching(&self) -> bool {
        matches!(self.resume, Some(Resume { stage: Stage::Unlatching { .. }, .. }))
    }

    /// The epoch has moved for the resume: the core is told, where nobody else has moved it since the question. A verb that
    /// fails never leaves the core trading: what came between is halted anew.
    pub(super) fn lift(&mut self, epoch: u64) {
        let Some(Resume { stage: Stage::Unlatching { begun }, .. }) = self.resume else {
            unreachable!("the epoch is moved for a resume that has removed the latch");
        };
        if epoch != begun.epoch + 1 {
            self.halt(HaltCause::EpochMovedMeanwhile);
            return self.end_resume(Err(Refusal::HaltedMeanwhile));
        }
        self.wants.push_front(Want::Tell(Event::Control(Control::Resume { epoch })));
        self.set_stage(Stage::Lifting { begun, by: self.now.saturating_add(LIFTED_WITHIN) });
    }

    /// Whether the core's counters show the resume. Those of a moment ago still say halted: that is no new halt.
    fn see_lifted(&mut self, now: Duration, seen: &Seen, begun: Begun, by: Duration) {
        if self.halts.is_latched() {
            return self.end_resume(Err(Refusal::HaltedMeanwhile));
        }
        let knows = seen.core.epoch > begun.epoch;
        if !(knows && seen.core.halted.is_none()) {
            if now >= by {
                // The resume may be on its way still: the halt that is told after it holds.
                let why = seen.core.halted.unwrap_or(HaltWhy::Thread);
                self.halt(HaltCause::NotLifted(why));
                self.end_resume(Err(Refusal::NotLifted));
            }
            return;
        }
        if seen.core.trips != begun.trips {
            // It tripped after its counters were looked at and before it heard of the resume.
            let why = seen.core.tripped.unwrap_or(HaltWhy::Thread);
            self.halt(HaltCause::TrippedMeanwhile(why));
            return self.end_resume(Err(Refusal::TrippedMeanwhile));
        }
        let request = self.resume.expect("a resume is under way").request;
        self.say(Message::Resumed { request });
        self.end_resume(Ok(()));
    }
}
