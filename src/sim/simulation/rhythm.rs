//! What the program does by time: the core is told the time and publishes its counters, and the shell looks around.
//!
//! Production does each of it after a fixed period. Here the periods are the same, but a period at whose end nothing can come of
//! it is let pass: no counters are published while the core has heard nothing, and the shell does not look where it would see
//! what it saw last and nothing is due. A day goes by as if it had looked each time; with [`Plan::idle`] it does, and
//! `tests/sim.rs` holds the one day against the other.
//!
//! [`Plan::idle`]: crate::sim::Plan::idle

use surefoot_hot::core::Core;
use surefoot_hot::event::Event;
use surefoot_hot::order::OrderState;
use surefoot_hot::units::Nanos;

use super::{READING_ONE_WAY, Simulation};
use crate::app::LOOK_EVERY;
use crate::machine::core_agent::{STATS_EVERY, TIMER_EVERY};
use crate::sim::Broken;
use crate::sim::shell::ShellWish;
use crate::sim::simulation::Happening;
use crate::sim::simulation::restart::AGAIN_AFTER;

/// How often the core is told that time has passed while nothing is in flight; as often as in production while something is.
/// Production knows no such difference; a day would take several times as long.
const TIMER_IDLE: Nanos = Nanos::from_millis(500);
/// How long a market link may carry pings alone before its session finds it: the longest silence that is borne (two minutes) and
/// is doubled twice, as `hot/src/venue/pulse.rs` has it, and a little more.
const FOUND_WITHIN: Nanos = Nanos::from_secs(500);
/// How often the shell looks around, as in production.
const LOOK_PERIOD: Nanos = Nanos::from_millis(LOOK_EVERY.as_millis() as u64);

/// When each of it is due next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rhythm {
    /// When the program began: counters and looks are due at whole periods since.
    began: Nanos,
    /// When the core was last told the time.
    timed: Nanos,
    /// When it is told next.
    timer: Nanos,
    /// When the core last published its counters, and how many events it had heard by then.
    published: Option<(Nanos, u64)>,
    /// When it does next; never while there is nothing new to publish.
    counters: Nanos,
    /// When the shell last looked around.
    looked: Nanos,
    /// When it does next.
    look: Nanos,
    /// Whether it looks although there is nothing to be seen.
    idle: bool,
}

/// The first end of a period since `began` that is not before `by`, and later than `last`.
fn next_end(began: Nanos, period: Nanos, by: Nanos, last: Nanos) -> Nanos {
    if by == Nanos::NEVER {
        return by;
    }
    let periods = by.since(began).get().div_ceil(period.get());
    let after = last.since(began).get() / period.get() + 1;
    began.after(Nanos::new(period.get() * periods.max(after)))
}

/// Whether nothing is in flight: orders that only rest go nowhere by time.
fn is_at_rest(core: &Core) -> bool {
    core.groups().is_empty()
        && core.orders().live().all(|record| record.state == OrderState::Resting)
}

impl Rhythm {
    /// The program begins.
    pub fn new(began: Nanos, idle: bool) -> Self {
        Self {
            began,
            timed: began,
            timer: began,
            published: None,
            counters: began,
            looked: began,
            look: began.after(LOOK_PERIOD),
            idle,
        }
    }

    /// When something of it is due next.
    pub fn next_at(&self) -> Nanos {
        self.timer.min(self.counters).min(self.look)
    }

    /// Whether what would alter nothing is done all the same.
    pub fn is_idle(&self) -> bool {
        self.idle
    }

    /// The same program, started again.
    pub fn begun_again(&self, now: Nanos) -> Self {
        Self::new(now, self.idle)
    }
}

impl Simulation {
    /// What is due by time now, in production's order.
    pub(super) fn keep_time(&mut self) -> Result<(), Broken> {
        if self.rhythm.timer <= self.now {
            (self.rhythm.timed, self.rhythm.timer) = (self.now, self.now.after(TIMER_IDLE));
            self.inbox.push_back(Event::Timer);
        } else if self.rhythm.counters <= self.now {
            self.rhythm.published = Some((self.now, self.core.events()));
            self.shell.publish(self.core.stats());
        } else if self.rhythm.look <= self.now {
            self.rhythm.looked = self.now;
            self.look()?;
        }
        Ok(())
    }

    /// Something has happened: what is due by time may be due sooner.
    pub(super) fn wind_up(&mut self) {
        let now = self.now;
        let rhythm = &mut self.rhythm;
        if !is_at_rest(&self.core) {
            let busy = next_end(rhythm.timed, TIMER_EVERY, now, rhythm.timed);
            rhythm.timer = rhythm.timer.min(busy);
        }
        let waits = self.shell.waits_for_core();
        rhythm.counters = match rhythm.published {
            None => rhythm.began,
            Some((at, events)) if waits || events != self.core.events() => {
                next_end(rhythm.began, STATS_EVERY, now, at)
            }
            Some(_) => Nanos::NEVER,
        };
        let streams_up = self.links.iter().all(|link| link.conn.is_some());
        let by = if rhythm.idle { now } else { self.shell.look_by(now, streams_up) };
        rhythm.look = next_end(rhythm.began, LOOK_PERIOD, by.max(now), rhythm.looked);
    }

    /// The shell looks around, and what it wants is done.
    fn look(&mut self) -> Result<(), Broken> {
        let streams_up = self.links.iter().all(|link| link.conn.is_some());
        let is_missed = |since| self.now.since(since) > FOUND_WITHIN;
        if self.links.iter().any(|link| link.frozen_since.is_some_and(is_missed)) {
            let what = "a market link that carries pings alone has not been found";
            return Err(Broken::new("S11", what.to_owned()));
        }
        self.shell.look(self.now, streams_up, &self.catalogue.directory)?;
        if self.shell.take_gave_up() {
            self.kill(AGAIN_AFTER);
        }
        while let Some(wish) = self.shell.poll_wish() {
            match wish {
                ShellWish::Tell(event) => self.inbox.push_back(event),
                ShellWish::Ask(venue) => {
                    self.put(self.now.after(READING_ONE_WAY), Happening::Question(venue));
                }
                ShellWish::AskAtEnd => {
                    self.put(self.now.after(READING_ONE_WAY), Happening::LastQuestion);
                }
            }
        }
        Ok(())
    }
}
