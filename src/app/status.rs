//! What a running session says of itself: `status`, and the health that it is judged by.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use surefoot_cold::directory::Directory;
use surefoot_cold::lock::Lost;
use surefoot_cold::observe::observer::Observer;
use surefoot_cold::observe::snapshot::CoreWords;
use surefoot_cold::observe::table::{
    CoreFigure, ExecFigure, JournalFigure, LinkFigure, SessionFigure, SinkFigure,
};
use surefoot_cold::observe::{RunFacts, Snapshot, Values};
use surefoot_cold::policy::HaltCause;
use surefoot_cold::text::counted;
use surefoot_hot::event::{Control, Event};
use surefoot_hot::ids::{Outcome, Venue};
use surefoot_hot::per_venue::PerVenue;
use surefoot_hot::risk::{HaltWhy, LimitRow};
use surefoot_hot::stats::{Refused, UnpairedPosition};
use surefoot_hot::units::{Nanos, Usd};
use surefoot_hot::venue_mode::VenueMode;

use super::health::{self, Health, Recent, Signs, Streak, VenueSigns};
use super::report::{ThisRun, paper};
use super::{Running, STALL_AFTER};
use crate::cli::Mode;
use crate::config::limits::Limits;
use crate::watchdog::child::WatchdogChild;

/// How long a status waits for counters that are as new as the halt beside them. Whoever asks waits two seconds.
const CURRENT_WITHIN: Duration = Duration::from_millis(500);

/// Health over time, and the counters it is judged by.
#[derive(Debug, Default)]
pub(super) struct Vitals {
    health: Health,
    venues: PerVenue<VenueVitals>,
    stales: Recent,
    /// What the last look saw.
    signs: Signs,
    /// Rows that found something at the last look.
    troubles: u64,
    /// What each sink beside the store has lost, by its name.
    sinks: BTreeMap<&'static str, Recent>,
    /// The line that the service manager was last told.
    service_line: String,
    /// What the core was told to hold back, by venue.
    told: PerVenue<bool>,
}

#[derive(Debug, Default)]
struct VenueVitals {
    lost: Recent,
    strange: Recent,
    unknown: Recent,
    refused: Streak,
    key: KeyDoubt,
}

/// Whether the key is still good after an order was answered as if it were not.
///
/// Such an answer may be about the order, the place or the moment and not about the key, and no order leaves while it is
/// believed. So a signed reading decides: one that began later and was answered clears the key, until the next such answer.
#[derive(Debug, Default)]
struct KeyDoubt {
    /// When the newest such answer was seen, and how many orders had been turned away by then.
    seen: Option<(Nanos, u64)>,
}

impl KeyDoubt {
    /// Whether the key counts as refused: `refused` is what the newest answer said, `turned_away` counts orders, `read_at` is
    /// when the newest signed reading that was answered began.
    fn look(&mut self, now: Nanos, refused: bool, turned_away: u64, read_at: Nanos) -> bool {
        let before = self.seen.filter(|&(_, count)| count == turned_away);
        self.seen = refused.then(|| before.unwrap_or((now, turned_away)));
        self.seen.is_some_and(|(seen, _)| seen >= read_at)
    }
}

impl VenueVitals {
    fn look(
        &mut self,
        now: Instant,
        venue: Venue,
        seen: &Snapshot,
        read_at: Nanos,
        clock: Nanos,
    ) -> VenueSigns {
        let executor = seen.executor(venue);
        let taken = executor.counts.count(ExecFigure::Taken);
        let turned_away = executor.counts.count(ExecFigure::TurnedAway);
        let mut exec = executor.order_way();
        exec.credentials_refused =
            self.key.look(clock, exec.credentials_refused, turned_away, read_at)
                || seen.links_of(venue, LinkFigure::CredentialsRefused) > 0;
        let markets = |figure| u32::try_from(seen.core.at(figure, venue)).unwrap_or(u32::MAX);
        VenueSigns {
            links: seen.links.iter().filter(|link| link.venue == venue).count() as u64,
            links_up: seen.links_of(venue, LinkFigure::Up),
            links_lost: self.lost.grew(now, seen.links_of(venue, LinkFigure::Lost)),
            markets: markets(CoreFigure::MarketsFollowed),
            good: markets(CoreFigure::BooksGood),
            quarantined: markets(CoreFigure::Quarantined),
            exec,
            refused: self.refused.count(taken, turned_away),
            mode: mode_of(seen, venue),
            strange: self.strange.grew(now, executor.counts.count(ExecFigure::Strange)),
            unknown: self.unknown.grew(now, seen.sessions_of(venue, SessionFigure::UnknownType)),
        }
    }
}

/// Why the core halted by itself, with the figures. Where it has not said, they tell.
pub(super) fn why_halted(run: ThisRun<'_>, limits: &Limits) -> String {
    let core = &run.0.core;
    let dollars = |row| Usd::from_micros(i64::try_from(limits.value(row)).unwrap_or(i64::MAX));
    let loss =
        dollars(LimitRow::DailyLoss).min(core.usd(CoreFigure::Equity).scale_floor(
            i64::try_from(limits.value(LimitRow::DailyLossPercent)).unwrap_or(100),
            100,
        ));
    let is_loss = loss > Usd::ZERO && core.usd(CoreFigure::DayResult) <= -loss;
    let is_group = run.grown(CoreFigure::BasketsOperator) > 0;
    let told = match (is_loss, is_group) {
        (true, _) => Some(HaltWhy::DailyLoss),
        (false, true) => Some(HaltWhy::Group),
        (false, false) => None,
    };
    match run.0.words.halted_why.or(told) {
        Some(HaltWhy::DailyLoss) => format!(
            "the day's loss reached its limit: the day's result is ${}, the limit is ${}",
            core.usd(CoreFigure::DayResult),
            loss
        ),
        Some(HaltWhy::StrategyLoss) => format!(
            "a strategy's loss of the day reached its limit of ${}: baskets made ${}, orders that rest ${}",
            dollars(LimitRow::DailyLossStrategy),
            core.usd(CoreFigure::ArbitrageResult),
            core.usd(CoreFigure::QuotingResult)
        ),
        Some(HaltWhy::EquityFloor) => format!(
            "the account is worth ${}, no more than its floor of ${} (`limits.equity_floor`; half of `starting_capital` \
             where nothing else is set)",
            core.usd(CoreFigure::Equity),
            dollars(LimitRow::EquityFloor)
        ),
        Some(HaltWhy::Drawdown) => format!(
            "the account is worth ${}, and was worth ${}: it may lose {} % of that. Money that was taken out counts as lost \
             until a resume",
            core.usd(CoreFigure::Equity),
            core.usd(CoreFigure::Peak),
            limits.value(LimitRow::DrawdownPercent)
        ),
        Some(HaltWhy::Group) => format!(
            "a group on one leg could not be closed within its attempts: {} with the operator (`v_groups` names \
             them), ${} at risk",
            counted(core.count(CoreFigure::BasketsOperator), "group is", "groups are"),
            core.usd(CoreFigure::Exposure)
        ),
        Some(HaltWhy::RingFull) => {
            "a ring that may not fill was full: the machine could not keep up with itself".to_owned()
        }
        Some(HaltWhy::Impossible) => {
            "a venue filled more than was ordered, or worse than the limit: the alarms table names the order".to_owned()
        }
        Some(why @ (HaltWhy::Operator | HaltWhy::KillFile | HaltWhy::Thread | HaltWhy::Journal)) => {
            format!("the core was told to halt ({why:?})")
        }
        None => "a limit or a group of the core's own; the halts table names it".to_owned(),
    }
}

impl Running {
    /// Looks at everything that health is judged by, says what is new, and has the core hold back new baskets that need
    /// what is in trouble.
    pub(super) fn look_at_health(&mut self) {
        let now = Instant::now();
        let seen = self.look_at_figures();
        let signs = self.signs(now, &seen);
        let at = self.engine.clock.now();
        for news in self.vitals.health.look(&signs, now) {
            self.observer.announcer().note(news.told(at));
        }
        let troubles = health::troubles(&signs);
        self.vitals.troubles = troubles.len() as u64;
        self.vitals.signs = signs;
        let line = for_service_manager(self.spec.mode.name(), &troubles);
        if line != self.vitals.service_line {
            self.notify.status(&line);
            self.vitals.service_line = line;
        }
        for venue in Venue::ALL {
            let held = self.vitals.health.held[venue];
            if std::mem::replace(&mut self.vitals.told[venue], held) != held {
                self.engine.tell(Event::Control(Control::Hold { venue, held }));
            }
        }
    }

    /// Every figure as of now: those of the machine, and those of what is beside it.
    pub(super) fn look_at_figures(&mut self) -> Snapshot {
        let machine = self.engine.look();
        beside(machine, &self.facts(), &self.observer)
    }

    /// What the run says of itself.
    pub(super) fn facts(&self) -> RunFacts {
        let lasted = self.watched.began.elapsed().as_nanos();
        RunFacts {
            lasted: Nanos::new(u64::try_from(lasted).unwrap_or(u64::MAX)),
            open: self.policy.is_open(),
            latched: self.latch.is_some(),
            troubles: self.vitals.troubles,
            alarms: self.vitals.health.raised,
            alarms_over: self.vitals.health.spells.over(),
            notify_failed: self.notify.failed(),
        }
    }

    fn signs(&mut self, now: Instant, seen: &Snapshot) -> Signs {
        let compared = self.compared_ago();
        let clock = self.engine.clock.now();
        let vitals = &mut self.vitals;
        let venues = PerVenue::from_fn(|venue| {
            let read_at = self.checks[venue].read_at;
            let mut signs = vitals.venues[venue].look(now, venue, seen, read_at, clock);
            signs.exec.credentials_refused |= self.checks[venue].credentials_refused;
            signs
        });
        let stales = vitals.stales.grew(now, seen.core.count(CoreFigure::Stales));
        let mut ended = self.engine.ended();
        // A terminal or a log that ended loses notes, which has a row of its own.
        let needed = self.observer.ended().into_iter();
        ended.extend(needed.filter(|name| ["observer", "store"].contains(name)));
        ended.extend(self.follower.has_ended().then_some("snapshot"));
        ended.extend(self.audit.has_ended().then_some("audit"));
        ended.extend(self.backups.has_ended().then_some("backup"));
        ended.extend(self.witnesses.have_ended().then_some("witness"));
        let watchdog = self.watchdog_child.as_mut();
        let watchdog_gone =
            self.spec.venues_file.is_some() && watchdog.is_none_or(WatchdogChild::is_gone);
        let still = self.engine.still(STALL_AFTER);
        let lost = self.lock.check().err();
        let directory = lost.as_ref().map(ToString::to_string);
        if let Some(Lost::Directory(_)) = lost {
            self.policy.on_trouble(self.watched.now(), HaltCause::DirectoryLost);
            self.carry_out();
        }
        let beside_store = seen.sinks.iter().filter(|(name, _)| *name != "store");
        let sinks = beside_store
            .map(|(name, values)| {
                let lost = values.count(SinkFigure::Dropped) + values.count(SinkFigure::Failed);
                (*name, self.vitals.sinks.entry(name).or_default().grew(now, lost))
            })
            .collect();
        let failed = seen.journal.is(JournalFigure::Failed);
        let journal = failed.then(|| self.engine.journal().error().unwrap_or_default());
        Signs {
            open: self.policy.is_open(),
            halted: self.latch.is_some() || seen.core.is(CoreFigure::Halted),
            dead: self.engine.dead(),
            still,
            ended,
            watchdog_gone,
            journal,
            store: self.store.trouble(),
            snapshots: self.follower.status().trouble(),
            sinks,
            directory,
            stales,
            agreed: seen.core.is(CoreFigure::Reconciled),
            unpaired: unpaired(&self.catalogue.directory, &seen.words),
            quarantined: quarantined(&self.catalogue.directory, seen),
            disabled: seen.core.is(CoreFigure::Disabled),
            unpriced: self.notices.unpriced(&self.catalogue.directory),
            fees_changed: self.notices.fees(),
            compared,
            links_down: seen.links_down(),
            venues,
        }
    }

    /// Waits a moment for counters that know the newest halt or resume: beside older ones the word "halted" would be said
    /// of orders that left before it and are not counted yet. Whether they came; a core that hangs publishes none.
    fn counters_current(&mut self) -> bool {
        let begin = Instant::now();
        loop {
            if self.engine.stats().epoch >= self.policy.epoch() {
                return true;
            }
            if self.policy.is_stalled() || begin.elapsed() >= CURRENT_WITHIN {
                return false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(super) fn status(&mut self) -> Value {
        let current = self.counters_current();
        self.look_at_health();
        let seen = self.look_at_figures();
        let mut status = ThisRun(&seen).counters();
        let latch = self.latch.as_ref();
        let signs = &self.vitals.signs;
        let troubles = health::troubles(signs);
        let words: Vec<&str> = troubles.iter().map(|trouble| trouble.what.as_str()).collect();
        let names: Vec<&str> = troubles.iter().map(|trouble| trouble.name).collect();
        let held: Vec<&str> = Venue::ALL
            .into_iter()
            .filter(|venue| self.vitals.told[*venue])
            .map(Venue::name)
            .collect();
        let more = json!({
            "figures": seen.json(),
            "running": true,
            "healthy": troubles.is_empty(),
            "troubles": words,
            "trouble_rows": names,
            "troubles_seen": self.vitals.health.spells.shown(),
            "held_back_at": held,
            "quarantined": signs.quarantined,
            "refused": refused(&seen.words.refused),
            "venue_modes": venue_modes(&seen),
            "stale_most": stale_most(&self.catalogue.directory, &seen.words),
            "open": signs.open,
            "mode": self.spec.mode.name(),
            "simulated": self.spec.mode == Mode::Paper,
            "paper": paper::curves(&self.spec.access.accounts),
            "pid": std::process::id(),
            "watchdog": self.watchdog_child.as_ref().map(WatchdogChild::pid),
            "topology": self.topology.name(),
            "uptime_s": self.watched.began.elapsed().as_secs(),
            "counters_current": current,
            "resuming": self.policy.is_resuming(),
            "halted": signs.halted,
            "halt": latch.map(|latch| json!({ "reason": latch.reason, "who": latch.who, "when_ns": latch.when_ns })),
            "dumps_forbidden": self.hardened.dumps.is_ok(),
            "memory_locked": self.hardened.memory.is_ok(),
            "foreign_orders": self.foreign.now(&seen.words),
            "foreign_positions": self.foreign.held(),
            "unpaired": unpaired(&self.catalogue.directory, &seen.words),
            "reconciled": signs.reconciled(),
            "compared_s_ago": signs.compared.map(|age| age.as_secs()),
            "journal": {
                "records": seen.journal.count(JournalFigure::Written),
                "synced": seen.journal.count(JournalFigure::Synced),
            },
        });
        if let (Value::Object(status), Value::Object(more)) = (&mut status, more) {
            status.extend(more);
        }
        status
    }
}

/// What a venue takes at the moment.
fn mode_of(seen: &Snapshot, venue: Venue) -> VenueMode {
    let number = seen.core.at(CoreFigure::VenueMode, venue);
    let at = usize::try_from(number).ok();
    at.and_then(|at| VenueMode::ALL.get(at).copied()).unwrap_or_default()
}

/// What the venues take at the moment, and when they say that they take everything again, where they have said.
fn venue_modes(seen: &Snapshot) -> Value {
    let each = Venue::ALL.into_iter().map(|venue| {
        let until = seen.core.at(CoreFigure::VenueResumes, venue);
        let until = (until > 0).then_some(until);
        let shown = json!({ "takes": mode_of(seen, venue).name(), "until_ns": until });
        (venue.name().to_owned(), shown)
    });
    Value::Object(each.collect())
}

/// How many orders the gate refused for each reason, since the journal began.
fn refused(refused: &Refused) -> Value {
    refused.iter().map(|(why, count)| (why.name().to_owned(), Value::from(count))).collect()
}

/// The machine's figures with those of the run, the observer and the sinks.
pub(super) fn beside(machine: Snapshot, facts: &RunFacts, observer: &Observer) -> Snapshot {
    let sinks = observer.watches().iter();
    Snapshot {
        run: Values::of(facts),
        observer: Values::of(&observer.counts()),
        sinks: sinks.map(|watch| (watch.name, Values::of(&watch.counts()))).collect(),
        ..machine
    }
}

/// The line that `systemctl status` shows: the mode, and what is wrong.
fn for_service_manager(mode: &str, troubles: &[health::Trouble]) -> String {
    let words: Vec<&str> = troubles.iter().map(|trouble| trouble.what.as_str()).collect();
    match words.as_slice() {
        [] => format!("{mode}: healthy"),
        words => format!("{mode}: {}", words.join("; ")),
    }
}

/// Quarantined markets by the venues' names, with the cause and what ends it.
fn quarantined(directory: &Directory, seen: &Snapshot) -> Vec<String> {
    let count = usize::try_from(seen.core.get(CoreFigure::Quarantined)).unwrap_or(0);
    let shown = seen.words.quarantined.shown();
    let mut names: Vec<String> = shown
        .filter_map(|(market, why)| {
            let entry = directory.entry(market)?;
            let (venue, name) = (entry.def.venue.name(), entry.names.id());
            let words = why.words().replace("MARKET", name); // the command as it is to be typed
            Some(format!("{venue} {name} ({words})"))
        })
        .collect();
    let more = count - names.len().min(count);
    if more > 0 {
        names.push(format!("and {more} more"));
    }
    names
}

/// The markets whose books became stale most often since the journal began, worst first: how often for each reason.
fn stale_most(directory: &Directory, words: &CoreWords) -> Vec<Value> {
    let shown = words.stale.iter().filter_map(|worst| {
        let entry = directory.entry(worst.market)?;
        let reasons = worst.reasons().map(|(why, times)| (why.name().to_owned(), json!(times)));
        Some(json!({
            "venue": entry.def.venue.name(),
            "market": entry.names.id(),
            "times": worst.times(),
            "reasons": Value::Object(reasons.collect()),
        }))
    });
    shown.collect()
}

/// Contracts without a partner, in words: `kalshi KXA: 18 no`.
fn unpaired(directory: &Directory, words: &CoreWords) -> Vec<String> {
    let in_words = |found: UnpairedPosition| {
        let entry = directory.entry(found.market)?;
        let outcome = match found.outcome {
            Outcome::Yes => "yes",
            Outcome::No => "no",
        };
        Some(format!("{} {}: {} {outcome}", entry.def.venue.name(), entry.names.id(), found.qty))
    };
    words.unpaired.shown().filter_map(in_words).collect()
}

#[cfg(test)]
mod tests {
    use surefoot_hot::stats::Stats;

    use super::*;
    use crate::config::Config;
    use crate::machine::figures::MachineFigures;
    use crate::machine::published::Published;

    #[test]
    fn a_signed_reading_clears_a_key_that_one_answer_called_refused() {
        let at = Nanos::from_secs;
        let mut key = KeyDoubt::default();
        assert!(!key.look(at(1), false, 4, at(0)), "nothing was refused");
        assert!(key.look(at(2), true, 5, at(1)), "the reading began before the answer");
        assert!(key.look(at(3), true, 5, at(1)));
        assert!(!key.look(at(14), true, 5, at(13)), "answered since: the key is good");
        assert!(key.look(at(20), true, 6, at(13)), "refused again: asked again");
        assert!(!key.look(at(26), true, 6, at(25)));
        assert!(!key.look(at(27), false, 6, at(25)), "an order was taken");
        assert!(key.look(at(28), true, 7, at(25)));
    }

    #[test]
    fn the_service_manager_reads_the_mode_and_every_trouble() {
        assert_eq!(for_service_manager("demo", &[]), "demo: healthy");
        let signs = Signs { open: true, halted: true, agreed: true, ..Signs::default() };
        let line = for_service_manager("demo", &health::troubles(&signs));
        assert!(line.starts_with("demo: ") && line.contains("halted"), "{line}");
        assert!(line.contains("; "), "all of them: {line}");
    }

    #[test]
    fn a_halt_of_the_cores_own_names_its_figures() {
        let limits = Config::demo().limits;
        let base = Stats { baskets_operator: 2, ..Stats::default() };
        let why = |stats: &Stats| {
            let figures = MachineFigures {
                published: Published::new([].iter()).into(),
                journal: Default::default(),
                follower: Default::default(),
                threads: Vec::new(),
                base: Values::of(&base).into(),
            };
            why_halted(ThisRun(&figures.read(stats)), &limits)
        };
        let words = why(&Stats {
            day_result: Usd::from_micros(-100_250_000),
            equity: Usd::from_dollars(20_000),
            ..base
        });
        assert!(
            words.contains("day's result is $-100.25") && words.contains("limit is $100"),
            "{words}"
        );
        let equity = Usd::from_dollars(9_000);
        for (halted, named) in [
            (HaltWhy::StrategyLoss, "limit of $100"),
            (HaltWhy::EquityFloor, "worth $9000.000000, no more than its floor of $10000"),
            (HaltWhy::Drawdown, "was worth $20000"),
        ] {
            let peak = Usd::from_dollars(20_000);
            let words = why(&Stats { halted_why: Some(halted), equity, peak, ..base });
            assert!(words.contains(named), "{words}");
        }
        let words = why(&Stats { baskets_operator: 3, exposure: Usd::from_dollars(17), ..base });
        assert!(
            words.contains("3 groups are with the operator") && words.contains("$17"),
            "{words}"
        );
        let words = why(&Stats { halted_why: Some(HaltWhy::Impossible), ..base });
        assert!(words.contains("alarms table"), "{words}");
    }
}
