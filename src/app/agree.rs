//! Agreeing with both venues before anything opens: at the start, and before a halt is lifted. Meanwhile the run answers:
//! it can be looked at, halted and ended, and a halt ends what it interrupts.

use std::time::{Duration, Instant};

use serde_json::json;
use surefoot_cold::observe::table::{CoreFigure, LinkFigure};
use surefoot_hot::ids::Venue;
use surefoot_hot::units::Nanos;

use super::run_note::RunNote;
use super::{LOOK_EVERY, LOOK_WITHIN, Running};
use crate::control::Command;
use crate::exit::Exit;

/// How long the links may take to come up, and orders of an unknown fate to be accounted for, before it is said.
const UP_WITHIN: Duration = Duration::from_secs(20);
/// How often a start tries to agree with the venues.
const START_TRIES: u32 = 3;
/// The pause after a start's first failure to agree; each further one is longer by as much.
const START_PAUSE: Duration = Duration::from_secs(1);
/// How often the venues are read at most until the core agrees.
const AGREE_TRIES: u32 = 20;
/// How long the venues are waited for, whatever hangs.
pub(super) const AGREE_WITHIN: Duration = Duration::from_secs(45);
/// How long the core may take to show that it has compared, before the venues are read again.
const CORE_SHOWS_WITHIN: Duration = Duration::from_secs(2);
/// Why both venues were not agreed with.
pub(super) enum Unagreed {
    /// They differ, or do not answer: in words.
    Why(String),
    /// Somebody halted meanwhile.
    Halted,
    /// The run is to end.
    Over(Exit),
}

/// One reading of both venues, under way or told.
struct Round {
    /// When it began, on the core's clock.
    since: Nanos,
    /// When both were told.
    told: Option<Instant>,
}

impl Running {
    /// Waits for the links and for the venues' word on every order of an earlier run, agrees with both venues, and opens.
    /// Orders that rest go on resting meanwhile: the core keeps those whose purpose is to rest and cancels the others.
    /// Returns an exit where that was not to be.
    pub(super) fn agree_at_start(&mut self) -> Option<Exit> {
        let begin = Instant::now();
        let mut said = false;
        loop {
            std::thread::sleep(LOOK_EVERY);
            if let Some(exit) = self.look() {
                return Some(exit);
            }
            let seen = self.engine.look();
            let up = seen.links(LinkFigure::Up) == seen.links.len() as u64;
            let known = seen.core.get(CoreFigure::OrdersUnknownLive) == 0;
            if up && known {
                break;
            }
            if begin.elapsed() > UP_WITHIN && !said {
                said = true;
                let what = match up {
                    true => "the venues' word on orders of an earlier run",
                    false => "all streams",
                };
                let text = format!("still waiting for {what}: nothing is opened before that");
                self.tell(RunNote::StillWaiting, text);
            }
        }
        let mut failed = 0;
        while failed < START_TRIES {
            match self.agree(Instant::now() + AGREE_WITHIN) {
                Ok(()) => {
                    self.is_open = true;
                    self.notify.ready();
                    return None;
                }
                Err(Unagreed::Halted) => {} // halted, it agrees with the venues and opens nothing
                Err(Unagreed::Over(exit)) => return Some(exit),
                Err(Unagreed::Why(why)) => {
                    failed += 1;
                    let text = format!("reconciliation {failed} of {START_TRIES}: {why}");
                    self.tell(RunNote::NotAgreed, text);
                    std::thread::sleep(START_PAUSE * failed);
                }
            }
        }
        let text = "the venues could not be agreed with; nothing was opened";
        self.tell(RunNote::NotAgreed, text.to_owned());
        Some(Exit::Unreconciled)
    }

    /// Has both venues read until the core agrees with both. Orders may rest and fill meanwhile: the core holds each figure
    /// against the range that they allow, and believes a difference only once it has seen the same one twice.
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
                let compared = stats.compared.values().all(|at| *at >= round.since);
                if compared && stats.reconciled {
                    return Ok(());
                }
                if !compared && told.elapsed() < CORE_SHOWS_WITHIN {
                    continue;
                }
            }
            if tries == AGREE_TRIES {
                return Err(Unagreed::Why(self.disagreement()));
            }
            tries += 1;
            round = Some(Round { since: self.engine.clock.now(), told: None });
            for venue in Venue::ALL {
                self.begin_check(venue).map_err(Unagreed::Why)?;
            }
        }
    }

    /// Tells the core what has been read by now. A venue whose reading is still under way, if there is one; where it was
    /// asked by an earlier check (`ours` is false), it does not matter how that ended.
    fn gather(&mut self, ours: bool) -> Result<Option<Venue>, Unagreed> {
        let mut away = None;
        for venue in Venue::ALL {
            match &self.checks[venue].thread {
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
        while let Some(request) = self.control.poll() {
            match &request.command {
                Command::Stop { .. } => {
                    request.done(json!({ "stopping": true, "pid": std::process::id() }));
                    return Err(Unagreed::Over(Exit::Ok));
                }
                Command::Halt { .. } => {
                    self.obey(request);
                    return Err(Unagreed::Halted);
                }
                Command::Resume { .. } => request.failed(
                    "the venues are being compared with already, for the start or for another resume: nothing was \
                     changed. Wait for that, look at `surefoot status`, then resume where it is still halted",
                ),
                Command::Status
                | Command::Release { .. }
                | Command::Follow { .. }
                | Command::Unfollow { .. } => self.obey(request),
            }
        }
        self.look_around().map_or(Ok(()), |exit| Err(Unagreed::Over(exit)))
    }
}
