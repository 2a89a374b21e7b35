//! The turns of the main thread while a run goes on: requests, health, the clock, the line of the second.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use serde_json::json;
use surefoot_cold::lock::Lost;
use surefoot_cold::observe::Snapshot;
use surefoot_cold::observe::table::{CoreFigure, LinkFigure};
use surefoot_cold::policy::{Asked, Seen};
use surefoot_hot::event::{Control, Event};
use surefoot_hot::risk::HaltWhy;
use surefoot_hot::units::Nanos;

use super::carry_out::ENDING;
use super::report::ThisRun;
use super::run_note::RunNote;
use super::{LOOK_WITHIN, Running, STALL_AFTER};
use crate::clock::WallOff;
use crate::control::{Command, Request};
use crate::exit::Failed;

/// A trading day.
const DAY: Nanos = Nanos::from_secs(86_400);
/// How often our clock is held against the system's.
const CLOCK_EVERY: Duration = Duration::from_secs(1);
/// How often the figures are handed on, and with them the line of the second.
const SAY_EVERY: Duration = Duration::from_secs(1);
/// What the main thread remembers from one look to the next.
pub(super) struct Watched {
    /// When the run began.
    pub began: Instant,
    /// When the first basket was completed, from the start.
    pub first_basket: Option<Duration>,
    /// When the figures were last handed on.
    last_said: Instant,
    /// Messages about our own money that were not understood, as far as that was said.
    unread: u64,
    /// When our clock was last held against the system's.
    clock_seen: Instant,
    /// Whether the system's clock had stepped then.
    clock_stepped: bool,
    /// What the core was last told of how far the two are apart.
    clock_error: Option<Nanos>,
    /// The trading day that the core was told.
    day: u32,
}

/// The number of the trading day, in days since 1970, where days begin so long after midnight UTC.
fn trading_day(now: Nanos, begins: Nanos) -> u32 {
    u32::try_from(now.since(begins).get() / DAY.get()).unwrap_or(u32::MAX)
}

impl Watched {
    /// Nothing seen yet.
    pub fn begin(now: Instant) -> Self {
        Self {
            began: now,
            first_basket: None,
            last_said: now,
            unread: 0,
            clock_seen: now,
            clock_stepped: false,
            clock_error: None,
            day: 0,
        }
    }

    /// The time since the run began: what the policy is told.
    pub fn now(&self) -> Duration {
        self.began.elapsed()
    }
}

impl Running {
    /// One turn of the main thread: requests, readings that have ended, what there is to be seen; the policy makes of it what
    /// it will.
    pub(super) fn look(&mut self) {
        if !self.policy.is_closing() {
            self.watchdog.expect_within(LOOK_WITHIN);
        }
        self.take_requests();
        self.end_checks();
        self.look_at_last_reading();
        let figures = self.look_at_figures();
        let seen = self.see(&figures);
        self.policy.on_seen(self.watched.now(), &seen);
        self.carry_out();
        if !self.policy.is_closing() {
            self.look_at_rest(figures);
            self.end_follow();
            self.tend_fees();
        }
    }

    /// What the policy looks at.
    fn see(&mut self, figures: &Snapshot) -> Seen {
        let is_resuming = self.policy.is_resuming();
        let (epoch, epoch_is_cores) = self.engine.halt.look();
        // Moved for a halt that is taken in at the next look: the policy moves it once more then, and knows for whom.
        let epoch = if self.engine.halt.is_ahead() { self.policy.epoch() } else { epoch };
        Seen {
            core_now: self.engine.clock.now(),
            streams_up: figures.links(LinkFigure::Up) == figures.links.len() as u64,
            dead: self.engine.dead(),
            still: self.engine.still(STALL_AFTER),
            journal_failed: self.engine.journal().failed(),
            kill_file: is_resuming && self.control.kill_file_present(),
            directory_lost: is_resuming && matches!(self.lock.check(), Err(Lost::Directory(_))),
            halt_waits: is_resuming && self.control.wants_halt(),
            settled: self.notices.take(),
            epoch,
            epoch_is_cores,
            core: self.engine.counters(),
        }
    }

    /// What is looked at in every turn beside what the policy decides: time, figures, what is to be said.
    fn look_at_rest(&mut self, figures: Snapshot) {
        self.follow_clock();
        let day = trading_day(self.engine.clock.now(), self.config.day_begins);
        if day != self.watched.day {
            self.watched.day = day;
            self.engine.tell(Event::Control(Control::Day { day }));
        }
        let run = ThisRun(&figures);
        if self.watched.first_basket.is_none() && run.grown(CoreFigure::BasketsCompleted) > 0 {
            self.watched.first_basket = Some(self.watched.now());
        }
        self.foreign.say(&figures.words, self.observer.announcer());
        self.say_unread(&figures);
        if self.watched.last_said.elapsed() >= SAY_EVERY {
            self.watched.last_said = Instant::now();
            self.look_at_health();
            self.observer.announcer().figures(figures);
        }
    }

    /// Names what a venue said of our money and was not understood.
    fn say_unread(&mut self, seen: &Snapshot) {
        let (count, words) = &seen.unread;
        if *count > self.watched.unread {
            self.watched.unread = *count;
            let text = format!(
                "a message about our own orders or fills was not understood ({words}): nothing is opened before the \
                 venue's own history has been read and agrees"
            );
            self.tell(RunNote::MoneyUnread, text);
        }
    }

    /// Keeps our clock with the system's. One that stepped may have let any time pass: that is told as the stall that it
    /// may have been.
    fn follow_clock(&mut self) {
        if self.watched.clock_seen.elapsed() < CLOCK_EVERY {
            return;
        }
        self.watched.clock_seen = Instant::now();
        let Some(off) = self.engine.clock.follow() else { return };
        self.tell_clock_error(off);
        let step = off.step();
        if let Some(off) = step.filter(|_| !self.watched.clock_stepped) {
            let (tenths, way) =
                (off.unsigned_abs() / 100_000_000, if off > 0 { "ahead" } else { "back" });
            let text = format!(
                "the system clock was set {way} by {}.{} s: what was read before is not traded from. Check that only one \
                 program sets it (timedatectl status)",
                tenths / 10,
                tenths % 10
            );
            self.tell(RunNote::ClockStepped, text);
            self.engine.tell(Event::Stall { span: Nanos::new(off.unsigned_abs()) });
        }
        self.watched.clock_stepped = step.is_some();
    }

    /// Tells the core by how much our clock was off, where that has changed by a millisecond.
    fn tell_clock_error(&mut self, off: WallOff) {
        let error = Nanos::from_millis(off.size().get().div_ceil(1_000_000));
        if self.watched.clock_error.replace(error) != Some(error) {
            self.engine.tell(Event::Control(Control::ClockError { error }));
        }
    }

    /// Takes in what is asked of the run, and of those who only look no more than one: where a hot thread hangs, each of them
    /// waits for counters, and a row of them must not keep the run from looking around.
    pub(super) fn take_requests(&mut self) {
        while let Some(request) = self.control.poll() {
            let only_looks = request.command.only_looks();
            self.obey(request);
            if only_looks {
                break;
            }
        }
    }

    /// Does what is asked: at once, or by asking the policy, which answers in its time.
    fn obey(&mut self, request: Request) {
        let since = request.since.saturating_duration_since(self.watched.began);
        let asked = match request.command.clone() {
            Command::Status => return self.answer_status(request),
            Command::Release { .. }
            | Command::SetLimit { .. }
            | Command::Follow { .. }
            | Command::Unfollow { .. }
                if self.policy.is_closing() =>
            {
                return request.failed(ENDING);
            }
            Command::Limits => {
                let limits = self.show_limits();
                return request.done(limits);
            }
            Command::SetLimit { key, value, reason } => {
                return match self.set_limit(&key, &value, &reason) {
                    Ok(done) => request.done(done),
                    Err(Failed(exit, why)) => request.refused(exit, &why),
                };
            }
            Command::Follow { markets } => return self.begin_follow(request, &markets),
            Command::Unfollow { markets } => {
                return match self.unfollow(&markets) {
                    Ok(done) => request.done(done),
                    Err(why) => request.failed(&why),
                };
            }
            Command::Release { market, reason } => {
                return match self.release(&market, &reason) {
                    Ok(()) => request.done(json!({ "released": market })),
                    Err(why) => request.failed(&why),
                };
            }
            Command::Halt { who, .. } => {
                let is_file = who == "kill_file";
                Asked::Halt { why: if is_file { HaltWhy::KillFile } else { HaltWhy::Operator } }
            }
            Command::Resume { .. } => Asked::Resume { since },
            Command::Stop { .. } => Asked::Stop,
        };
        let request = self.requests.keep(request);
        self.policy.on_asked(self.watched.now(), request, asked);
        self.carry_out();
    }

    fn answer_status(&mut self, request: Request) {
        // Whoever only looks must not be able to end what is looked at.
        match catch_unwind(AssertUnwindSafe(|| self.status())) {
            Ok(status) => request.done(json!({ "status": status })),
            Err(_) => request
                .failed("an assertion failed while the status was put together; the log names it"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trading_day_begins_so_long_after_midnight() {
        let at = |day: u64, minute: u64| Nanos::from_secs(86_400 * day + 60 * minute);
        let nine = Nanos::from_secs(9 * 3_600);
        assert_eq!(trading_day(at(20_000, 0), Nanos::ZERO), 20_000);
        assert_eq!(trading_day(at(20_000, 1_439), Nanos::ZERO), 20_000);
        assert_eq!(trading_day(at(20_000, 539), nine), 19_999, "the day before is not over");
        assert_eq!(trading_day(at(20_000, 540), nine), 20_000);
        assert_eq!(trading_day(at(20_001, 539), nine), 20_000);
    }
}
