//! The turns of the main thread while a run goes on: requests, health, the clock, the line of the second.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use serde_json::json;
use surefoot_cold::observe::Snapshot;
use surefoot_cold::observe::table::{CoreFigure, LinkFigure};
use surefoot_hot::event::{Control, Event};
use surefoot_hot::risk::HaltWhy;
use surefoot_hot::units::Nanos;

use super::halt::Refused;
use super::report::ThisRun;
use super::run_note::RunNote;
use super::{LOOK_WITHIN, Running, STALL_AFTER, status};
use crate::clock::WallOff;
use crate::control::{Command, Request};
use crate::exit::Exit;

/// How often both venues are asked what is true while something they said of our money has not been understood.
const UNREAD_EVERY: Duration = Duration::from_secs(2);
/// A trading day, in nanoseconds; days begin at midnight, UTC.
const DAY_NS: u64 = 86_400_000_000_000;
/// How often our clock is held against the system's.
const CLOCK_EVERY: Duration = Duration::from_secs(1);
/// How often the figures are handed on, and with them the line of the second.
const SAY_EVERY: Duration = Duration::from_secs(1);
/// A hot thread that still stands so long after the halt for it is given up: the venues are told without it.
const GIVE_UP_AFTER: Duration = Duration::from_secs(8);

/// What the main thread remembers from one look to the next.
pub(super) struct Watched {
    /// When the run began.
    pub began: Instant,
    /// Since when a hot thread stands still, and which.
    pub stalled: Option<(Instant, &'static str)>,
    /// Links that there were at the last look.
    pub links: u64,
    /// Those of them that were up.
    pub links_up: u64,
    /// When the first basket was completed, from the start.
    pub first_basket: Option<Duration>,
    /// When the figures were last handed on.
    last_said: Instant,
    /// Messages about our own money that were not understood, as far as that was said.
    unread: u64,
    /// When the venues were last asked because of those.
    unread_asked: Instant,
    /// When our clock was last held against the system's.
    clock_seen: Instant,
    /// Whether the system's clock had stepped then.
    clock_stepped: bool,
    /// What the core was last told of how far the two are apart.
    clock_error: Option<Nanos>,
    /// The trading day that the core was told, in days since 1970 (UTC).
    day: u32,
}

impl Watched {
    /// Nothing seen yet.
    pub fn begin(now: Instant) -> Self {
        Self {
            began: now,
            stalled: None,
            links: 0,
            links_up: 0,
            first_basket: None,
            last_said: now,
            unread: 0,
            unread_asked: now,
            clock_seen: now,
            clock_stepped: false,
            clock_error: None,
            day: 0,
        }
    }
}

impl Running {
    /// One turn of the main thread: commands, health, time, the venues. Returns an exit when it is time to end.
    pub(super) fn look(&mut self) -> Option<Exit> {
        self.watchdog.expect_within(LOOK_WITHIN);
        let links_before = self.watched.links_up;
        while let Some(request) = self.control.poll() {
            if matches!(request.command, Command::Stop { .. }) {
                request.done(json!({ "stopping": true, "pid": std::process::id() }));
                return Some(Exit::Ok);
            }
            self.obey(request);
            if let Some(exit) = self.over {
                return Some(exit);
            }
        }
        if let Some(exit) = self.look_around() {
            return Some(exit);
        }
        self.end_follow();
        let unread =
            self.engine.stats().unread_now && self.watched.unread_asked.elapsed() >= UNREAD_EVERY;
        if unread {
            self.watched.unread_asked = Instant::now();
        }
        let settled = self.notices.take();
        let all = self.watched.links;
        let came_back = self.watched.links_up == all && links_before < all;
        self.check_venues(unread || settled || came_back);
        None
    }

    /// What is looked at in every turn, also while the venues are waited for: health, time, what is to be said. Returns an
    /// exit when it is time to end.
    pub(super) fn look_around(&mut self) -> Option<Exit> {
        if let Some(exit) = self.check_health() {
            return Some(exit);
        }
        self.follow_clock();
        let day = u32::try_from(self.engine.clock.now().get() / DAY_NS).unwrap_or(u32::MAX);
        if day != self.watched.day {
            self.watched.day = day;
            self.engine.tell(Event::Control(Control::Day { day }));
        }
        let since = self.watched.began.elapsed();
        let seen = self.look_at_figures();
        let run = ThisRun(&seen);
        if self.watched.first_basket.is_none() && run.grown(CoreFigure::BasketsCompleted) > 0 {
            self.watched.first_basket = Some(since);
        }
        self.foreign.say(&seen.words, self.observer.announcer());
        if seen.core.is(CoreFigure::Halted) && self.latch.is_none() && self.is_open {
            // The core tripped a limit by itself: the latch makes that survive a restart.
            self.latch_halt("limit", &status::why_halted(run, &self.config.limits));
        }
        let is_due = self.watched.last_said.elapsed() >= SAY_EVERY;
        if is_due {
            self.watched.last_said = Instant::now();
            self.look_at_health();
        }
        (self.watched.links, self.watched.links_up) =
            (seen.links.len() as u64, seen.links(LinkFigure::Up));
        self.say_unread(&seen);
        if is_due {
            self.observer.announcer().figures(seen);
        }
        self.spec.span.is_some_and(|span| since >= span).then_some(Exit::Ok)
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

    pub(super) fn check_health(&mut self) -> Option<Exit> {
        if let Some(name) = self.engine.dead() {
            self.latch_halt("thread", &format!("the {name} thread failed an assertion"));
            return Some(Exit::Internal);
        }
        if self.engine.journal().failed() && self.latch.is_none() {
            let why = self.engine.journal().error().unwrap_or_default();
            let text = format!(
                "the journal cannot be written ({why}): trading is halted, cancels still go out"
            );
            self.tell(RunNote::JournalFailed, text);
            self.halt("journal", &why, HaltWhy::Journal);
        }
        if self.engine.halt.is_the_cores() {
            // Nothing was lost: the core has halted by itself, and its counters say why within a moment.
            self.epoch = self.engine.halt.read();
        }
        if self.engine.halt.read() > self.epoch {
            // A hot thread voided what it could not hand on; the core and the next start must know. Halted before or not:
            // a core that decides under an older epoch sells and hedges nothing any more.
            if self.latch.is_none() {
                self.halt("ring", "a ring that may not fill was full", HaltWhy::RingFull);
            } else {
                self.epoch = self.engine.halt.read();
                let (epoch, why) = (self.epoch, HaltWhy::RingFull);
                self.engine.tell(Event::Control(Control::Halt { epoch, why }));
            }
        }
        let Some(name) = self.engine.still(STALL_AFTER) else {
            self.watched.stalled = None;
            return None;
        };
        if self.watched.stalled.is_none() {
            self.rescue.tell_once(self.observer.announcer());
        }
        let (since, _) = *self.watched.stalled.get_or_insert((Instant::now(), name));
        if self.latch.is_none() {
            let why = format!("the {name} thread stood still for {} s", STALL_AFTER.as_secs());
            self.halt("thread", &why, HaltWhy::Thread);
        }
        // One that wakes hears of the halt and cancels by itself. One that does not is not waited for.
        (since.elapsed() >= GIVE_UP_AFTER).then_some(Exit::Internal)
    }

    pub(super) fn obey(&mut self, request: Request) {
        match request.command.clone() {
            Command::Status => {
                // Whoever only looks must not be able to end what is looked at.
                match catch_unwind(AssertUnwindSafe(|| self.status())) {
                    Ok(status) => request.done(json!({ "status": status })),
                    Err(_) => request.failed(
                        "an assertion failed while the status was put together; the log names it",
                    ),
                }
            }
            Command::Halt { reason, who } => {
                let why = if who == "kill_file" { HaltWhy::KillFile } else { HaltWhy::Operator };
                self.halt(who, &reason, why);
                request.done(json!({ "halted": true }));
            }
            Command::Resume { reason } => match self.resume(&reason, request.since) {
                Ok(()) => request.done(json!({ "halted": false })),
                Err(Refused(exit, why)) => request.refused(exit, &why),
            },
            Command::Release { market, reason } => match self.release(&market, &reason) {
                Ok(()) => request.done(json!({ "released": market })),
                Err(why) => request.failed(&why),
            },
            Command::Follow { markets } => self.begin_follow(request, &markets),
            Command::Unfollow { markets } => match self.unfollow(&markets) {
                Ok(done) => request.done(done),
                Err(why) => request.failed(&why),
            },
            Command::Stop { .. } => unreachable!("taken by the caller"),
        }
    }
}
