//! When a run reads the venues, opens, halts, keeps a halt over restarts, lifts it and ends: one value, the run policy.
//!
//! It has no thread, clock, socket, file or output. A shell tells it what happened (`on_*`) and does what it wants
//! ([`Policy::poll_want`], until there is nothing more). `now` is the time since the run began, on a clock that nobody sets
//! and that never runs back; it is not the clock of the core's events, which follows the system's, and has a type of its own
//! ([`Nanos`](surefoot_hot::units::Nanos)). The shell of production is the program's main thread; a simulation joins the
//! policy to venues that are values as well.
//!
//! At each look around the shell tells what was asked ([`Policy::on_asked`]) and which readings have ended
//! ([`Policy::on_read`]), then what it sees ([`Policy::on_seen`]). A wait is a state and never a loop:
//!
//! ```text
//! Starting ─▶ Agreeing ─▶ Open ───────▶ Draining ─▶ Gathering ─▶ ReadingAtEnd ─▶ Lagging ─▶ Closed
//!                │ ▲                      ▲
//!                ▼ │                      └── from every phase before, for any Ending
//!              Pausing ─▶ (given up)
//! ```
//!
//! A halt stands beside the phase: a run starts, agrees and ends halted as well. So does a resume, which
//! goes `Asked → Agreeing → Unlatching → Lifting` while the run starts or is open.
//!
//! | part | keeps |
//! | --- | --- |
//! | `readings` | a venue is read once at a time, after pauses |
//! | `agreement` | only a reading that was begun after the question counts |
//! | `halts` | a halt is first the epoch, then the core, then the latch |
//! | `resume` | nothing is lifted that came after the question |
//! | `start`, `closing` | the first agreement; the end with nothing in flight |

mod agreement;
mod closing;
mod halts;
mod readings;
mod resume;
mod seen;
mod start;
#[cfg(test)]
mod tests;
mod wants;

use std::collections::VecDeque;
use std::time::Duration;

use surefoot_hot::event::{Control, Event};
use surefoot_hot::ids::Venue;
use surefoot_hot::per_venue::PerVenue;

use agreement::{Agreement, Step};
use closing::{GATHER_WITHIN, Wait};
use halts::Halts;
use readings::Readings;
use resume::Resume;

pub use closing::{DRAIN_WITHIN, END_WITHIN, READ_WITHIN};
pub use halts::GIVE_UP_AFTER;
pub use readings::ReadTimes;
pub use resume::RESUME_WITHIN;
pub use seen::{Counters, Seen};
pub use start::START_TRIES;
pub use wants::{
    Asked, Closing, Ending, HaltCause, Message, ReadResult, Refusal, RequestId, Unagreed, Waited,
    Want,
};

/// How often both venues are read while something that they said of our money has not been understood.
const UNREAD_EVERY: Duration = Duration::from_secs(2);

/// What a policy is told of its run when that begins.
#[derive(Clone, Copy, Debug)]
pub struct PolicyOptions {
    /// The halt epoch as the start left it.
    pub epoch: u64,
    /// Whether a halt of an earlier run stands.
    pub latched: bool,
    /// How often each venue is read.
    pub read: ReadTimes,
    /// How long the run lasts; `None` without an end.
    pub span: Option<Duration>,
}

/// Where a run stands between its start and its end. The arms of [`Policy::step`] say what each waits for.
#[derive(Clone, Copy, Debug)]
enum Phase {
    /// Until streams are up and the venues have said what became of orders of an earlier run.
    Starting {
        /// Whether it was told that this lasts.
        said: bool,
        /// Whether the venues' lists of orders that rest were asked for.
        listed: bool,
    },
    /// Both venues are agreed with for the first time.
    Agreeing {
        /// How many attempts of this start have failed.
        failed: u32,
        agreement: Agreement,
    },
    /// An attempt has failed, and the next one waits until then.
    Pausing { failed: u32, until: Duration },
    /// Baskets may be opened, where nothing is halted.
    Open,
    /// Until nothing is in flight.
    Draining {
        /// How often the core had published its counters when it was told to stop.
        heard: u64,
        wait: Wait,
    },
    /// Until the readings under way have ended.
    Gathering { idle: bool, wait: Wait },
    /// Until the shell has read both venues for the report, or for as long as that may take.
    ReadingAtEnd { idle: bool, wait: Wait },
    /// Until the core's last counters are out.
    Lagging { idle: bool, until: Duration },
    /// Nothing more is wanted.
    Closed,
}

/// The policy of a run: see the head of this file.
#[derive(Debug)]
pub struct Policy {
    span: Option<Duration>,
    phase: Phase,
    /// Why the run is to end, from the moment that this is known.
    ending: Option<Ending>,
    resume: Option<Resume>,
    readings: Readings,
    halts: Halts,
    /// Whether every stream was up at the last look.
    streams_were_up: bool,
    /// Whether venues and core agreed at the last look.
    agreed: bool,
    /// Whether the run was open once.
    opened: bool,
    /// Whether something that a venue said had not been read at the last look.
    unread: bool,
    /// When the venues were last read because of that.
    unread_asked: Duration,
    wants: VecDeque<Want>,
    /// The latest time that was told.
    now: Duration,
}

impl Policy {
    /// The policy of a run that begins now.
    pub fn new(options: PolicyOptions) -> Self {
        Self {
            span: options.span,
            phase: Phase::Starting { said: false, listed: false },
            ending: None,
            resume: None,
            readings: Readings::new(options.read),
            halts: Halts::new(options.epoch, options.latched),
            streams_were_up: false,
            agreed: false,
            opened: false,
            unread: false,
            unread_asked: Duration::ZERO,
            wants: VecDeque::new(),
            now: Duration::ZERO,
        }
    }

    /// The policy of a run whose main thread has failed an assertion, perhaps one of the policy: it halts, then ends. `begun`
    /// is what it begins with, and of what was before it knows which venues are being read.
    pub fn after_failure(now: Duration, begun: PolicyOptions, under_way: PerVenue<bool>) -> Self {
        let mut policy = Self { now, ..Self::new(begun) };
        for venue in Venue::ALL.into_iter().filter(|venue| under_way[*venue]) {
            policy.readings.take_over(venue);
        }
        policy.halt(HaltCause::MainThread);
        policy.ending = Some(Ending::MainThread);
        policy
    }

    // --- what comes in ---

    /// Somebody asks for something. The answer is a want, now or later.
    pub fn on_asked(&mut self, now: Duration, request: RequestId, asked: Asked) {
        self.tick(now);
        match asked {
            Asked::Halt { why } => {
                self.halt(HaltCause::Asked { request, why });
                self.interrupt_agreements(now);
            }
            Asked::Resume { since } => self.on_resume(request, since),
            Asked::Stop => {
                self.end_resume_for_good();
                self.answer(request, Ok(()));
                if !self.is_closing() {
                    self.ending.get_or_insert(Ending::Asked);
                }
            }
        }
    }

    /// Trading is halted for a reason that the shell alone sees, unless it is already.
    pub fn on_trouble(&mut self, now: Duration, cause: HaltCause) {
        self.tick(now);
        if !self.halts.is_latched() {
            self.halt(cause);
        }
    }

    /// A reading that was wanted has ended, and the core was told what it brought.
    ///
    /// # Panics
    /// The venue was not being read.
    pub fn on_read(&mut self, now: Duration, venue: Venue, result: ReadResult) {
        self.tick(now);
        self.readings.end(venue, result);
        match result {
            ReadResult::Refused => {
                let unread = Control::Reconciled { venue, clean: false };
                self.wants.push_back(Want::Tell(Event::Control(unread)));
            }
            ReadResult::Lost => self.halt(HaltCause::ReaderLost(venue)),
            ReadResult::Whole
            | ReadResult::WithoutResults
            | ReadResult::Failed
            | ReadResult::NotBegun => {}
        }
        if let Some(agreement) = self.agreement() {
            agreement.on_read(venue, result); // whoever waits for the agreement hears of it
        } else if result != ReadResult::Whole && !matches!(self.phase, Phase::Pausing { .. }) {
            // Elsewhere nothing is read by time.
            let is_read_again = result != ReadResult::Lost && matches!(self.phase, Phase::Open);
            let again = is_read_again.then(|| self.readings.pause(venue, self.agreed));
            self.wants.push_back(Want::Say(Message::ReadFailed { venue, again }));
        }
    }

    /// The halt epoch was moved as wanted, and stands there now.
    ///
    /// # Panics
    /// That was not wanted, or the epoch did not grow.
    pub fn on_advanced(&mut self, epoch: u64) {
        match self.halts.on_advanced(epoch) {
            Some(cause) => self.halt_further(epoch, cause),
            None => self.lift(epoch),
        }
    }

    /// Whether the resume was written down and the latch removed, as wanted.
    ///
    /// # Panics
    /// That was not wanted.
    pub fn on_unlatched(&mut self, written: bool) {
        let done = if written { Ok(()) } else { Err(Refusal::Unwritten) };
        self.unlatched(done);
    }

    /// Both venues were read for the report, and the core was told what has settled by it.
    ///
    /// # Panics
    /// That was not wanted, or the run has closed without it.
    pub fn on_read_at_end(&mut self, now: Duration) {
        self.tick(now);
        let Phase::ReadingAtEnd { idle, .. } = self.phase else {
            panic!("read for the report unasked")
        };
        self.phase = Phase::Lagging { idle, until: now.saturating_add(closing::COUNTERS_LAG) };
    }

    /// The shell has looked around: everything that waits for time or for the core goes on.
    pub fn on_seen(&mut self, now: Duration, seen: &Seen) {
        self.tick(now);
        assert!(!self.halts.is_advancing(), "the epoch is moved before anything else");
        if seen.settled || (seen.streams_up && !self.streams_were_up) {
            self.readings.want_at_once();
        }
        self.streams_were_up = seen.streams_up;
        (self.agreed, self.unread) = (seen.core.agreed, seen.core.unread);
        let is_gone = self.look_at_halts(now, seen);
        if self.is_closing() {
            self.go_on_closing(now, seen, is_gone);
        } else if is_gone {
            self.end(now, seen, Ending::CoreGone);
        } else if let Some(ending) = self.ending {
            self.end(now, seen, ending);
        } else {
            self.look_at_trip(seen);
            match self.span {
                Some(span) if now >= span => self.end(now, seen, Ending::SpanOver),
                _ => self.step(now, seen),
            }
        }
    }

    // --- what goes out ---

    /// The next thing to do. An [`Want::Advance`] must be answered before the next call.
    pub fn poll_want(&mut self) -> Option<Want> {
        assert!(!self.halts.is_handed_out(), "the epoch is moved before anything else");
        let want = self.wants.pop_front();
        if want == Some(Want::Advance) {
            self.halts.hand_out();
        }
        want
    }

    /// When [`Policy::on_seen`] is due at the latest if the shell sees nothing new until then, as time since the run began.
    /// After a look that brought nothing new it lies ahead: a shell that sleeps until then does not spin.
    pub fn poll_deadline(&self) -> Duration {
        let of_phase = match (&self.resume, self.phase) {
            (_, Phase::Closed) => return Duration::MAX,
            (Some(resume), _) => resume.deadline(),
            (None, phase) => self.deadline_of(phase),
        };
        let of_run = match (self.is_closing(), self.ending) {
            (true, _) => Duration::MAX,
            (false, Some(_)) => Duration::ZERO,
            (false, None) => self.span.unwrap_or(Duration::MAX),
        };
        of_phase.min(of_run).min(self.halts.deadline())
    }

    /// When the phase goes on by time alone, where no resume keeps it waiting.
    fn deadline_of(&self, phase: Phase) -> Duration {
        match phase {
            Phase::Starting { said, .. } => start::deadline(said),
            Phase::Agreeing { agreement, .. } => agreement.deadline(),
            Phase::Open => {
                let due = Venue::ALL.map(|venue| self.readings.due_at(venue, self.agreed));
                let unread = self.unread.then(|| self.unread_asked.saturating_add(UNREAD_EVERY));
                due.into_iter().flatten().chain(unread).fold(Duration::MAX, Duration::min)
            }
            Phase::Pausing { until, .. } | Phase::Lagging { until, .. } => until,
            Phase::Draining { wait, .. } => wait.deadline(DRAIN_WITHIN),
            Phase::Gathering { wait, .. } => wait.deadline(GATHER_WITHIN),
            Phase::ReadingAtEnd { wait, .. } => wait.deadline(READ_WITHIN),
            Phase::Closed => Duration::MAX,
        }
    }

    // --- what it knows ---

    /// Whether both venues were agreed with at the start, so that baskets may be opened where nothing is halted or ending.
    pub const fn is_open(&self) -> bool {
        self.opened
    }

    /// Whether a resume is under way.
    pub const fn is_resuming(&self) -> bool {
        self.resume.is_some()
    }

    /// Whether a halt is kept over restarts.
    pub const fn is_latched(&self) -> bool {
        self.halts.is_latched()
    }

    /// The halt epoch as the policy left it: counters that know it know every halt and resume of before.
    pub const fn epoch(&self) -> u64 {
        self.halts.epoch()
    }

    /// Whether a hot thread stands still.
    pub const fn is_stalled(&self) -> bool {
        self.halts.is_stalled()
    }

    /// Whether the run is ending.
    pub const fn is_closing(&self) -> bool {
        match self.phase {
            Phase::Starting { .. }
            | Phase::Agreeing { .. }
            | Phase::Pausing { .. }
            | Phase::Open => false,
            Phase::Draining { .. }
            | Phase::Gathering { .. }
            | Phase::Lagging { .. }
            | Phase::ReadingAtEnd { .. }
            | Phase::Closed => true,
        }
    }

    // --- within ---

    /// What the phase makes of a look around, while the run goes on. A resume that is under way keeps the phase waiting.
    fn step(&mut self, now: Duration, seen: &Seen) {
        if self.resume.is_some() {
            return self.go_on_resuming(now, seen);
        }
        match self.phase {
            Phase::Starting { said, listed } => self.go_on_starting(now, seen, said, listed),
            Phase::Agreeing { failed, agreement } => {
                self.go_on_agreeing(now, seen, failed, agreement)
            }
            Phase::Pausing { failed, until } => self.go_on_pausing(now, seen, failed, until),
            Phase::Open => self.read_what_is_due(now, seen),
            Phase::Draining { .. }
            | Phase::Gathering { .. }
            | Phase::Lagging { .. }
            | Phase::ReadingAtEnd { .. }
            | Phase::Closed => unreachable!("a run that ends goes on elsewhere"),
        }
    }

    /// Has each venue read when that is due, or as soon as nobody reads it where something calls for it.
    fn read_what_is_due(&mut self, now: Duration, seen: &Seen) {
        let unread = seen.core.unread && now.saturating_sub(self.unread_asked) >= UNREAD_EVERY;
        if unread {
            self.unread_asked = now;
            self.readings.want_at_once();
        }
        for venue in Venue::ALL {
            if self.readings.is_due(now, venue, seen.core.agreed) {
                self.read(now, venue);
            }
        }
    }

    fn read(&mut self, now: Duration, venue: Venue) {
        self.readings.begin(now, venue);
        self.wants.push_back(Want::Read(venue));
    }

    /// The step of an agreement: its readings are wanted here.
    fn step_of(&mut self, now: Duration, seen: &Seen, agreement: &mut Agreement) -> Step {
        let step = agreement.look(now, seen, &self.readings);
        if step == Step::Read {
            for venue in Venue::ALL {
                self.read(now, venue);
            }
        }
        step
    }

    /// The attempt to agree with both venues that is under way: of a resume, or of the start.
    const fn agreement(&mut self) -> Option<&mut Agreement> {
        match (&mut self.resume, &mut self.phase) {
            (Some(resume), _) => resume.agreement_mut(),
            (None, Phase::Agreeing { agreement, .. }) => Some(agreement),
            (None, _) => None,
        }
    }

    fn answer(&mut self, request: RequestId, outcome: Result<(), Refusal>) {
        self.wants.push_back(Want::Answer { request, outcome });
    }

    fn say(&mut self, message: Message) {
        self.wants.push_back(Want::Say(message));
    }

    fn tick(&mut self, now: Duration) {
        debug_assert!(now >= self.now, "time ran back");
        self.now = self.now.max(now);
    }
}
