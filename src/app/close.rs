//! The end of a run: cancel, drain, compare with the venues, end every thread, report.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use serde_json::json;
use surefoot_cold::directory::Directory;
use surefoot_cold::observe::observer::Observer;
use surefoot_cold::observe::told::NamedPlace;
use surefoot_cold::policy::{Closing, DRAIN_WITHIN, END_WITHIN, Ending, GIVE_UP_AFTER};
use surefoot_cold::reconcile::Truth;
use surefoot_cold::text::counted;
use surefoot_hot::core::Core;
use surefoot_hot::ids::Venue;
use surefoot_hot::per_venue::PerVenue;

use super::report::{Agreement, ClosingReport, ThisRun, paper};
use super::rescue::{Rescued, on_one_leg};
use super::run_note::RunNote;
use super::status::beside;
use super::{LOOK_EVERY, Running, differences, foreign};
use crate::exit::Exit;
use crate::machine::Finished;
use crate::watchdog::child::WatchdogChild;

/// The main thread must be heard of within this time at the end of a run, which waits for orders and asks both venues.
pub(super) const CLOSE_WITHIN: Duration = Duration::from_secs(600);

/// A thread that stands still is given up within this time: until then it may wake, and the venues have been told already.
pub(super) const GIVEN_UP_WITHIN: Duration = GIVE_UP_AFTER.saturating_add(Duration::from_secs(4));
/// For so long a service manager is told that a rescue goes on. Each venue is told to cancel everything for 45 s at most and answers the
/// last call in 10 s or not at all; what is held there is then read within seconds, or it is not known. A reading that hangs for
/// longer may be ended: what rested is cancelled by then.
const RESCUE_WITHIN: Duration = Duration::from_secs(120);
/// While it goes on the main thread is heard of this often.
const RESCUE_HEARD_WITHIN: Duration = Duration::from_secs(10);

/// What a person must know of how the machine ended.
fn how_it_ended(finished: &Finished, unfollowed: Option<String>) -> Vec<(RunNote, String)> {
    let mut told = Vec::new();
    if finished.dead {
        let text = "a hot thread ended in a panic: everything was halted";
        told.push((RunNote::HotThreadDied, text.to_owned()));
    }
    if let Some(why) = &finished.journal_error {
        let text = format!(
            "the journal ends before the run did ({why}). Make room, then start again: it takes the venues' word on what \
             the journal lacks"
        );
        told.push((RunNote::JournalFailed, text));
    }
    if let Some(why) = unfollowed {
        let text = format!(
            "no snapshot of the end was taken, the next start folds more of the journal: {why}"
        );
        told.push((RunNote::SnapshotFailed, text));
    }
    told
}

const ENDED_BEFORE_COMPARED: &str = "the run ended before it had compared with the venues: nothing was opened, and the next start \
                                     compares before it opens anything";

/// What came of the comparison at the end, where it found no difference (`is_same`) or did.
fn agreement(core: &Core, directory: &Directory, is_same: bool) -> Agreement {
    let unheard = |venue| differences::knows_nothing(core, directory, venue);
    match is_same {
        false => Agreement::Differs,
        true if Venue::ALL.into_iter().any(unheard) => Agreement::NotCompared,
        true => Agreement::Agreed,
    }
}

/// What a person must know of the comparison at the end.
fn how_it_compared(agreement: Agreement, differences: &[String]) -> Vec<(RunNote, String)> {
    match agreement {
        Agreement::Agreed => Vec::new(),
        Agreement::NotCompared => vec![(RunNote::NotCompared, ENDED_BEFORE_COMPARED.to_owned())],
        Agreement::Differs => {
            let told = |found| (RunNote::NotReconciled, format!("not reconciled: {found}"));
            differences.iter().map(told).collect()
        }
    }
}

/// What was still in flight when the wait for it ended.
fn in_flight(core: &Core) -> String {
    format!(
        "still in flight after {} s: {} and {}; the next start asks about them",
        DRAIN_WITHIN.as_secs(),
        counted(core.orders().live_len() as u64, "order", "orders"),
        counted(core.groups().len() as u64, "group", "groups")
    )
}

/// The end of a run whose core's thread panicked while it was ended.
fn end_without_core(mut observer: Observer, json: bool, why: String) -> Exit {
    let note = RunNote::HotThreadDied.told(NamedPlace::default(), why.clone());
    observer.announcer().note(note);
    let _ = observer.close(); // it says nothing that helps beside this
    if json {
        println!("{}", json!({ "ok": false, "error": why }));
    }
    Exit::Internal
}

impl Running {
    /// Ends the run as the policy says, and reports.
    pub(super) fn close(mut self, why: Ending, how: Closing) -> Exit {
        let asked = match why {
            Ending::Asked | Ending::SpanOver => Exit::Ok,
            Ending::NotAgreed => Exit::Unreconciled,
            Ending::CoreGone | Ending::MainThread => Exit::Internal,
        };
        self.backups.close();
        match how {
            Closing::WithoutCore => self.close_without_core(why),
            Closing::Whole { idle } => {
                let (lasted, truths) = std::mem::take(&mut self.at_end).found();
                self.finish(asked, idle, lasted, &truths)
            }
        }
    }

    /// Ends every thread, reports, and says how the program ends. `idle` is whether nothing was in flight any more.
    fn finish(
        mut self,
        asked: Exit,
        idle: bool,
        duration: Duration,
        truths: &PerVenue<Result<Truth, String>>,
    ) -> Exit {
        let (figures, notes) = (self.engine.figures(), self.observer.announcer().clone());
        let facts = self.facts();
        let tell = |what: RunNote, text| notes.note(what.told(NamedPlace::default(), text));
        let audit = self.audit.finish();
        self.witnesses.stop();
        let watchdog = self.watchdog_child;
        watchdog.iter().for_each(WatchdogChild::closing);
        let finished = match self.engine.finish() {
            Ok(finished) => finished,
            Err(why) => return end_without_core(self.observer, self.json, why),
        };
        if idle && !finished.dead {
            watchdog.iter().for_each(WatchdogChild::ended); // by nothing else it knows an end in order
        }
        let (_, unfollowed) = self.follower.close();
        for (what, text) in how_it_ended(&finished, unfollowed) {
            tell(what, text);
        }
        let found = differences::compare(&finished.core, &self.catalogue.directory, truths);
        let agreement = agreement(&finished.core, &self.catalogue.directory, found.is_empty());
        for (what, text) in how_it_compared(agreement, &found) {
            tell(what, text);
        }
        if !idle {
            tell(RunNote::InFlight, in_flight(&finished.core));
        }
        tell(RunNote::Ended, format!("run {} of the {} ended", self.run, self.spec.mode.name()));
        for error in self.observer.close() {
            eprintln!("surefoot: {error}");
        }
        let figures = beside(figures.read(&finished.core.stats()), &facts, &self.observer);
        let report = ClosingReport {
            mode: self.spec.mode,
            paper: paper::curves(&self.spec.access.accounts),
            world: self.spec.world,
            about: &self.spec.about,
            seed: self.spec.seed,
            topology: self.topology,
            duration,
            run: self.run,
            began: self.began_at,
            first_basket: self.watched.first_basket,
            finished: &finished,
            figures: ThisRun(&figures),
            audit,
            foreign: &foreign::at_end(&finished.core, truths),
            agreement,
            limits: &self.config.limits,
            database: &self.state.database(),
        };
        if self.json {
            println!("{}", report.json());
        } else {
            report.print();
        }
        match asked {
            _ if finished.dead => Exit::Internal,
            Exit::Ok if agreement == Agreement::Differs || !idle => Exit::Unreconciled,
            Exit::Ok if finished.journal_error.is_some() => Exit::State,
            other => other,
        }
    }

    /// Says why the end takes long, how long at most, and what a second signal would do.
    pub(super) fn say_stopping(&self, what: &str) {
        let text = format!(
            "still stopping: {what}. It waits for the venues and ends within {} s of the stop. Please wait: a second Ctrl-C or \
             signal ends it at once and may leave orders resting",
            END_WITHIN.as_secs()
        );
        self.tell(RunNote::Stopping, text);
    }

    /// The end where a hot thread is dead or stands still: what it would have done is done over connections of our own,
    /// and only then does the program end.
    fn close_without_core(mut self, why: Ending) -> Exit {
        let error = match why {
            Ending::MainThread => "the program's main thread failed twice",
            Ending::Asked | Ending::SpanOver | Ending::NotAgreed | Ending::CoreGone => {
                "a hot thread died or stood still"
            }
        };
        let stalled = self.policy.is_stalled();
        let notes = self.observer.announcer().clone();
        let tell = |text: &str| {
            notes.note(RunNote::Rescue.told(NamedPlace::default(), text.to_owned()));
        };
        tell("cancelling everything at both venues over connections of our own");
        let rescuing = self.rescue.take().expect("a run closes once").begin();
        // By the hot threads alone it would not be fed any more, and ended half done.
        self.watchdog.rescue_within(RESCUE_WITHIN);
        self.notify.alive();
        let mut answers = true;
        while !rescuing.is_over() {
            self.watchdog.expect_within(RESCUE_HEARD_WITHIN);
            // Whatever fails while somebody is answered, the cancels on their way are waited for.
            answers = answers && catch_unwind(AssertUnwindSafe(|| self.take_requests())).is_ok();
            std::thread::sleep(LOOK_EVERY);
        }
        let rescued = rescuing.rescued();
        let Self { engine, spec, catalogue, json, mut observer, watchdog_child, .. } = self;
        let is_clear = rescued.iter().all(|rescued| rescued.cleared.is_ok());
        if let Some(watchdog) = watchdog_child.filter(|_| is_clear) {
            watchdog.ended();
        }
        let mut lines = Vec::new();
        for Rescued { venue, cleared, truth } in &rescued {
            let name = venue.name();
            lines.push(match cleared {
                Ok(()) => format!("{name}: everything is cancelled, nothing rests"),
                Err(why) => format!("{name}: NOT confirmed that nothing rests ({why}): cancel on the venue's own page"),
            });
            if let Err(why) = truth {
                lines.push(format!("{name}: what is held there is not known: {why}"));
            }
        }
        let alone = on_one_leg(&spec.access.relations, &catalogue.directory, &rescued);
        lines.push(match alone.as_slice() {
            [] => "no contracts without a partner, as far as the venues answered".to_owned(),
            _ => "on one leg: close these at the venues' own pages, or start again and let them be sold".to_owned(),
        });
        lines.extend(alone);
        for line in &lines {
            tell(line);
        }
        if json {
            println!("{}", json!({ "ok": false, "error": error, "rescue": lines }));
        }
        if stalled {
            engine.abandon();
        } else if let Err(why) = engine.finish() {
            tell(&why);
        }
        for error in observer.close() {
            eprintln!("surefoot: {error}");
        }
        Exit::Internal
    }
}
