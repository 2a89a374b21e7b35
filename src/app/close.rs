//! The end of a run: cancel, drain, compare with the venues, end every thread, report.

use std::time::{Duration, Instant};

use serde_json::json;
use surefoot_cold::directory::Directory;
use surefoot_cold::observe::told::NamedPlace;
use surefoot_cold::reconcile::Truth;
use surefoot_hot::core::Core;
use surefoot_hot::event::{Control, Event};
use surefoot_hot::ids::Venue;
use surefoot_hot::per_venue::PerVenue;

use super::report::{Agreement, ClosingReport, ThisRun};
use super::rescue::{Rescued, on_one_leg};
use super::run_note::RunNote;
use super::status::beside;
use super::{LOOK_EVERY, Running, STALL_AFTER, compare, differences, foreign};
use crate::control::{Command, Request};
use crate::exit::Exit;
use crate::machine::Finished;

/// After so long an end that still waits says what for: silence makes people end it at once, with orders resting.
const STOPPING_SAID_AFTER: Duration = Duration::from_secs(3);
/// How long a graceful end waits for orders and groups in flight: longer than an order that the venue does not know is
/// taken to be on its way (30 s).
const DRAIN_WITHIN: Duration = Duration::from_secs(40);
/// The main thread must be heard of within this time at the end of a run, which waits for orders and asks both venues.
const CLOSE_WITHIN: Duration = Duration::from_secs(600);
/// Counters are at most this old.
const STATS_LAG: Duration = Duration::from_millis(150);

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
        "{} orders and {} groups were still in flight after {} s; the next start asks about them",
        core.orders().live_len(),
        core.groups().len(),
        DRAIN_WITHIN.as_secs()
    )
}

/// A step of the end that may take long.
struct Waits {
    began: Instant,
    said: bool,
}

impl Waits {
    fn begin() -> Self {
        Self { began: Instant::now(), said: false }
    }

    /// Whether it has taken so long that a person should hear of it: once.
    fn is_long(&mut self) -> bool {
        let is_long = !self.said && self.began.elapsed() >= STOPPING_SAID_AFTER;
        self.said |= is_long;
        is_long
    }
}

impl Running {
    /// Cancels what rests, lets groups finish, compares with the venues, ends every thread, reports.
    pub(super) fn close(mut self, asked: Exit) -> Exit {
        self.notify.stopping();
        self.watchdog.expect_within(CLOSE_WITHIN);
        if self.engine.dead().is_some() || self.watched.stalled.is_some() {
            return self.close_without_core();
        }
        let heard = self.engine.stats_heard();
        self.engine.tell(Event::Control(Control::Stop));
        crate::fault::on_stop();
        let Ok(idle) = self.drain(heard) else {
            return self.close_without_core();
        };
        self.end_readings();
        std::thread::sleep(STATS_LAG);
        let duration = self.watched.began.elapsed();
        let truths = self.read_venues_at_end();
        if self.is_without_core() {
            return self.close_without_core();
        }
        self.finish(asked, idle, duration, &truths)
    }

    /// Waits for the readings under way, then books the markets that settled meanwhile. Where a venue does not answer, the
    /// comparison that follows shows what is missing as a difference.
    fn end_readings(&mut self) {
        let mut waits = Waits::begin();
        while self.is_any_venue_read() {
            std::thread::sleep(LOOK_EVERY);
            self.answer_who_asks();
            if waits.is_long() {
                self.say_stopping("a venue is still being read");
            }
        }
        self.end_checks();
        for venue in Venue::ALL {
            let asker = self.checks[venue].asker();
            for event in asker.map(compare::Asker::settled).unwrap_or_default() {
                self.engine.tell(event);
            }
            self.answer_who_asks();
        }
    }

    /// What each venue says of our account; the words say why one could not be read.
    fn read_venues_at_end(&mut self) -> PerVenue<Result<Truth, String>> {
        PerVenue::from_fn(|venue| {
            self.answer_who_asks();
            match self.checks[venue].asker() {
                Some(asker) => asker.truth_at_end(),
                None => Err(format!("{}: nobody is left to ask", venue.name())),
            }
        })
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
        let finished = match self.engine.finish() {
            Ok(finished) => finished,
            Err(why) => {
                tell(RunNote::HotThreadDied, why.clone());
                let _ = self.observer.close(); // it says nothing that helps beside this
                if self.json {
                    println!("{}", json!({ "ok": false, "error": why }));
                }
                return Exit::Internal;
            }
        };
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

    /// What is asked of a run that is ending: a halt holds for the next start as well.
    fn answer_while_closing(&mut self, request: Request) {
        match &request.command {
            Command::Status | Command::Halt { .. } => self.obey(request),
            Command::Stop { .. } => {
                request.done(json!({ "stopping": true, "pid": std::process::id() }))
            }
            Command::Resume { .. }
            | Command::Release { .. }
            | Command::Follow { .. }
            | Command::Unfollow { .. } => {
                request.failed(
                    "it is ending: nothing was changed; ask again after the next `surefoot start`",
                );
            }
        }
    }

    /// Between the steps of the end, each of which may take long: whoever looks is told how it goes.
    fn answer_who_asks(&mut self) {
        while let Some(request) = self.control.poll() {
            self.answer_while_closing(request);
        }
    }

    fn is_any_venue_read(&self) -> bool {
        self.checks
            .values()
            .any(|check| check.thread.as_ref().is_some_and(|thread| !thread.is_finished()))
    }

    /// Waits until nothing is in flight, or for as long as a stop may take. Whether nothing is.
    ///
    /// # Errors
    /// A hot thread died or stands still meanwhile: it leaves as much behind as one that does so before the stop.
    fn drain(&mut self, heard: u64) -> Result<bool, ()> {
        let (begin, mut waits) = (Instant::now(), Waits::begin());
        // Counters of before the stop do not have the order that left a moment before it: the first ones after it may be
        // those, the second ones are not.
        let told = heard + 2;
        while begin.elapsed() < DRAIN_WITHIN {
            std::thread::sleep(LOOK_EVERY);
            if self.check_health().is_some() {
                return Err(());
            }
            self.answer_who_asks();
            let told = self.engine.stats_heard() >= told;
            let stats = self.engine.stats();
            if told && stats.orders_live == 0 && stats.groups_live == 0 {
                return Ok(true);
            }
            if waits.is_long() {
                let (orders, groups) = (stats.orders_live, stats.groups_live);
                self.say_stopping(&format!("{orders} orders and {groups} groups are in flight"));
            }
        }
        if self.is_without_core() { Err(()) } else { Ok(false) }
    }

    /// Says once why the end takes long, and what a second signal would do.
    fn say_stopping(&self, what: &str) {
        let text = format!(
            "still stopping: {what}; it waits for the venues' word, {} s at most. A second Ctrl-C or signal ends it at once and \
             may leave orders resting",
            DRAIN_WITHIN.as_secs()
        );
        self.tell(RunNote::Stopping, text);
    }

    /// Whether a hot thread is dead or stands still.
    fn is_without_core(&mut self) -> bool {
        if let Some(name) = self.engine.still(STALL_AFTER) {
            self.watched.stalled.get_or_insert((Instant::now(), name));
        }
        self.engine.dead().is_some() || self.watched.stalled.is_some()
    }

    /// The end where a hot thread is dead or stands still: what it would have done is done over connections of our own,
    /// and only then does the program end.
    fn close_without_core(self) -> Exit {
        let Self { engine, rescue, spec, catalogue, watched, json, mut observer, .. } = self;
        let notes = observer.announcer().clone();
        let tell = |text: &str| {
            notes.note(RunNote::Rescue.told(NamedPlace::default(), text.to_owned()));
        };
        tell("cancelling everything at both venues over connections of our own");
        let rescued = rescue.run();
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
            println!(
                "{}",
                json!({ "ok": false, "error": "a hot thread died or stood still", "rescue": lines })
            );
        }
        match watched.stalled {
            Some(_) => engine.abandon(),
            None => {
                if let Err(why) = engine.finish() {
                    tell(&why);
                }
            }
        }
        for error in observer.close() {
            eprintln!("surefoot: {error}");
        }
        Exit::Internal
    }
}
