//! A policy with a shell that does at once what it wants, and keeps what that was.

use std::time::Duration;

use surefoot_hot::event::{Control, Event};
use surefoot_hot::ids::Venue;
use surefoot_hot::per_venue::PerVenue;
use surefoot_hot::risk::HaltWhy;
use surefoot_hot::units::Nanos;

use crate::policy::{Asked, Policy, PolicyOptions, ReadResult, ReadTimes, RequestId, Seen, Want};

/// One millisecond of the run.
pub const MS: Duration = Duration::from_millis(1);
/// One second of the run.
pub const SECOND: Duration = Duration::from_secs(1);
/// The clock of the core's events stands so far ahead of the time since the run began.
const CORE_CLOCK: u64 = 1_800_000_000_000_000_000;
/// How long a look around takes to come again, as in production.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A policy and what its shell knows.
pub struct Desk {
    pub policy: Policy,
    pub now: Duration,
    pub seen: Seen,
    /// Everything that was wanted since it was last taken, in order.
    pub done: Vec<Want>,
    /// Readings that were wanted and have not ended.
    pub reading: PerVenue<bool>,
    /// When the newest reading of each venue was begun, on the core's clock.
    begun: PerVenue<Nanos>,
    /// When the newest reading was begun of which the core was told.
    pub told: PerVenue<Nanos>,
    /// Whether the latch can be removed.
    pub unlatches: bool,
    /// Somebody else moves the epoch before the next want to move it is carried out.
    pub races: bool,
    /// The venues are never read for the report.
    pub hangs: bool,
    requests: u64,
}

impl Desk {
    /// A run that begins; `latched` is a halt of an earlier one.
    pub fn begin(latched: bool) -> Self {
        let options = options(100, latched);
        let mut seen = Seen { streams_up: true, epoch: 100, ..Seen::default() };
        seen.core.epoch = 100;
        seen.core.halted = latched.then_some(HaltWhy::Operator);
        Self {
            policy: Policy::new(options),
            now: Duration::ZERO,
            seen,
            done: Vec::new(),
            reading: PerVenue::all(false),
            begun: PerVenue::all(Nanos::ZERO),
            told: PerVenue::all(Nanos::ZERO),
            unlatches: true,
            races: false,
            hangs: false,
            requests: 0,
        }
    }

    /// A run that has agreed with both venues.
    pub fn open() -> Self {
        let mut desk = Self::begin(false);
        desk.look();
        desk.read_all(ReadResult::Whole);
        desk.compare(true);
        desk.look();
        assert!(desk.policy.is_open());
        desk.done.clear();
        desk
    }

    /// A run that was told to stop and reads its venues a last time, which do not answer.
    pub fn hanging_at_the_end() -> Self {
        let mut desk = Self { hangs: true, ..Self::open() };
        desk.ask(Asked::Stop);
        for _ in 0..3 {
            desk.publish();
            desk.look();
        }
        assert_eq!(desk.done.last(), Some(&Want::ReadAtEnd));
        desk
    }

    /// An open run that a person has halted, and whose core shows it.
    pub fn halted() -> Self {
        let mut desk = Self::open();
        desk.ask(Asked::Halt { why: HaltWhy::Operator });
        desk.obey();
        desk.look();
        desk.done.clear();
        desk
    }

    /// An open run that was halted and in which a resume has read both venues, which agree: at the next look it is lifted.
    pub fn resuming() -> (Self, RequestId) {
        let mut desk = Self::halted();
        let request = desk.ask(Asked::Resume { since: desk.now });
        desk.look();
        desk.read_all(ReadResult::Whole);
        desk.compare(true);
        desk.done.clear();
        (desk, request)
    }

    /// A person asks for something now, and the policy's wants are carried out.
    pub fn ask(&mut self, asked: Asked) -> RequestId {
        self.requests += 1;
        let request = RequestId(self.requests);
        self.policy.on_asked(self.now, request, asked);
        self.carry_out();
        request
    }

    /// The shell looks around, 20 ms after the last look.
    pub fn look(&mut self) {
        self.look_after(LOOK_EVERY);
    }

    /// The shell looks around after `pause`, and the policy's wants are carried out.
    pub fn look_after(&mut self, pause: Duration) {
        self.now += pause;
        self.seen.core_now = core_time(self.now);
        self.policy.on_seen(self.now, &self.seen);
        self.seen.settled = false;
        self.carry_out();
    }

    /// The reading of a venue that was wanted ends with `result`.
    pub fn read(&mut self, venue: Venue, result: ReadResult) {
        assert!(std::mem::replace(&mut self.reading[venue], false), "it was wanted");
        if matches!(result, ReadResult::Whole | ReadResult::WithoutResults) {
            self.told[venue] = self.begun[venue];
        }
        self.policy.on_read(self.now, venue, result);
        self.carry_out();
    }

    /// The readings of both venues that were wanted end with `result`.
    pub fn read_all(&mut self, result: ReadResult) {
        for venue in Venue::ALL {
            self.read(venue, result);
        }
    }

    /// The core publishes that it has compared the readings that it was told of.
    pub fn compare(&mut self, agreed: bool) {
        self.compare_readings_of(self.told, agreed);
    }

    /// The core publishes that it has compared the readings that were begun then.
    pub fn compare_readings_of(&mut self, since: PerVenue<Nanos>, agreed: bool) {
        self.seen.core.compared_since = since;
        self.seen.core.agreed = agreed;
        self.publish();
    }

    /// The core publishes its counters as they stand.
    pub fn publish(&mut self) {
        self.seen.core.heard += 1;
    }

    /// The core publishes that it has obeyed the newest halt or resume.
    pub fn obey(&mut self) {
        self.seen.core.epoch = self.seen.epoch;
        self.seen.core.halted = self.policy.is_latched().then_some(HaltWhy::Operator);
        self.publish();
    }

    /// What was wanted since it was last taken.
    pub fn take(&mut self) -> Vec<Want> {
        std::mem::take(&mut self.done)
    }

    /// Carries out every want at once, and keeps it in `done`.
    fn carry_out(&mut self) {
        while let Some(want) = self.policy.poll_want() {
            self.done.push(want.clone());
            match want {
                Want::Read(venue) => {
                    let read = std::mem::replace(&mut self.reading[venue], true);
                    assert!(!read, "a venue is read once at a time");
                    self.begun[venue] = core_time(self.now);
                }
                Want::Advance => {
                    self.seen.epoch += 1 + u64::from(std::mem::take(&mut self.races));
                    self.seen.epoch_is_cores = false;
                    self.policy.on_advanced(self.seen.epoch);
                }
                Want::Unlatch(_) => self.policy.on_unlatched(self.unlatches),
                Want::ReadAtEnd if self.hangs => {}
                Want::ReadAtEnd => self.policy.on_read_at_end(self.now),
                Want::Tell(_)
                | Want::Latch(_)
                | Want::Answer { .. }
                | Want::Say(_)
                | Want::Opened
                | Want::CancelWithoutCore
                | Want::Stopping
                | Want::Close { .. } => {}
            }
        }
    }
}

/// What a run begins with: readings as often as in production, and no end.
pub fn options(epoch: u64, latched: bool) -> PolicyOptions {
    let read = ReadTimes { every: SECOND * 12, again: SECOND * 5 };
    PolicyOptions { epoch, latched, read, span: None }
}

fn core_time(now: Duration) -> Nanos {
    Nanos::new(CORE_CLOCK + u64::try_from(now.as_nanos()).unwrap())
}

/// That the core is told of a halt.
pub fn tell_halt(epoch: u64, why: HaltWhy) -> Want {
    Want::Tell(Event::Control(Control::Halt { epoch, why }))
}

/// That the core is told of a resume.
pub fn tell_resume(epoch: u64) -> Want {
    Want::Tell(Event::Control(Control::Resume { epoch }))
}

/// That the core is told to stop.
pub fn tell_stop() -> Want {
    Want::Tell(Event::Control(Control::Stop))
}
