//! The start of a run: from the lock on its directory to agents that dial, step by step.

use std::mem;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rtrb::{Consumer, RingBuffer};
use surefoot_cold::directory::Directory;
use surefoot_cold::disk;
use surefoot_cold::halt::HaltEpoch;
use surefoot_cold::journal::{self, Identity, Journal, Options, Replayed, binary_hash};
use surefoot_cold::observe::log::{JsonLog, LogOptions};
use surefoot_cold::observe::observer::{Announcer, Observer};
use surefoot_cold::observe::told::NamedPlace;
use surefoot_cold::paper::account::PaperAccount;
use surefoot_cold::policy::Policy;
use surefoot_cold::snapshot::{Follower, Following};
use surefoot_cold::state_dir::{HaltLatch, StateDir};
use surefoot_cold::store::names::MarketNames;
use surefoot_cold::store::{Store, StoreSink, StoreStatus, next_record};
use surefoot_cold::wirelog::{self, SyncMode};
use surefoot_hot::core::Core;
use surefoot_hot::event::{self, Event};
use surefoot_hot::ids::{Outcome, Venue};
use surefoot_hot::ledger::CashAccount;
use surefoot_hot::per_venue::PerVenue;
use surefoot_hot::risk::HaltWhy;
use surefoot_hot::units::{Nanos, Usd};

use super::audit::AuditThread;
use super::backups::Backups;
use super::compare::VenueCheck;
use super::fees::FeeReading;
use super::follow::places;
use super::foreign::Foreign;
use super::held::Held;
use super::last_reading::AtEnd;
use super::limits;
use super::markets;
use super::notices::Notices;
use super::notify::Notify;
use super::recover::{Recovered, check_format, recover, tell_adopted};
use super::requests::Requests;
use super::rescue::Rescue;
use super::results::Results;
use super::run_note::RunNote;
use super::status::Vitals;
use super::terminal::Terminal;
use super::watch::Watched;
use super::watchdog::Watchdog;
use super::witness::Witnesses;
use super::{RunSpec, Running, policy_options};
use crate::access::Access;
use crate::catalogue::Catalogue;
use crate::clock::Clock;
use crate::config::{Config, JournalSync, LogLevel};
use crate::control::Control;
use crate::control::operator_log::lifted_since;
use crate::exit::{Exit, Failed};
use crate::machine::topology::{self, Topology};
use crate::machine::wiring::{self, Parts, WireError};
use crate::machine::{Engine, Plan};
use crate::watchdog;
use crate::watchdog::child::WatchdogChild;
use crate::watchdog::words::Beats;

/// Starts the observer with the terminal and the log: the store follows once it is open.
fn start_observer(config: &Config, json: bool) -> Result<Observer, Failed> {
    let failed = |error| Failed(Exit::Failed, format!("starting the observer's threads: {error}"));
    let mut observer = Observer::start().map_err(failed)?;
    let lines = !json && config.log_level >= LogLevel::Info;
    observer.add(Terminal::new(std::io::stderr(), lines)).map_err(failed)?;
    if let Some(log) = &config.log {
        let options = LogOptions {
            path: StateDir::at(&config.state_dir).notes(),
            bytes_max: log.bytes_max,
            older_max: log.older_max,
        };
        observer.add(JsonLog::new(options)).map_err(failed)?;
    }
    Ok(observer)
}

/// Tells what the mode says of itself, and what an operator should know of the accounts.
fn introduce(spec: &RunSpec, notes: &Announcer) {
    for line in &spec.about {
        eprintln!("{line}");
    }
    for venue in Venue::ALL {
        if let Some(warning) = spec.access.accounts.at(venue).warning() {
            let text = format!("{}: {warning}", venue.name());
            notes.note(RunNote::AccountWarning.told(NamedPlace::of_venue(venue), text));
        }
    }
}

/// Tells that the run goes on from here.
fn tell_began(spec: &RunSpec, run: u64, notes: &Announcer) {
    let text = format!("run {run} of the {} began", spec.mode.name());
    notes.note(RunNote::Started.told(NamedPlace::default(), text));
}

/// The configuration with the limits that are in force: those that an operator tightened in an earlier run are.
fn in_force(
    state: &StateDir,
    config: &Config,
    recovered: &Recovered,
    spec: &RunSpec,
    notes: &Announcer,
) -> Result<Config, Failed> {
    let last = (!recovered.fresh).then_some(&recovered.core);
    let limits = limits::at_start(state, config, last, spec.loosen.as_deref(), notes)?;
    Ok(Config { limits, ..config.clone() })
}

/// Asks both venues for the terms of the markets to follow. Numbers that markets had in earlier runs are kept, and written
/// down again with the new ones, and notes name markets by them. The last halt that came meanwhile is returned as well.
fn load_markets(
    spec: &RunSpec,
    held: &mut Held,
    notes: &Announcer,
) -> Result<(MarketNames, Catalogue, Option<HaltLatch>), Failed> {
    check_format(&held.state)?; // before the file of names changes
    let venue = spec.access.identity();
    let names_file = held.state.names();
    let mut names = MarketNames::load(&names_file)?;
    let (catalogue, halt) = markets::ask(spec, held, names.directory(venue), notes)?;
    for line in &catalogue.observed {
        notes.note(RunNote::MarketObserved.told(NamedPlace::default(), line.clone()));
    }
    tell_left_out(&catalogue.left_out, notes);
    names.put(venue, catalogue.directory.clone());
    names.save(&names_file)?;
    notes.markets(Arc::new(catalogue.directory.clone()));
    Ok((names, catalogue, halt.or_else(|| held.halt.take())))
}

/// Names what is not followed or not bought, and why.
fn tell_left_out(left_out: &[String], notes: &Announcer) {
    for line in left_out {
        let text = format!("left out: {line}");
        notes.note(RunNote::MarketLeftOut.told(NamedPlace::default(), text));
    }
}

/// The halt that a run begins with.
struct StandingHalt {
    /// The halt of an earlier run, where nobody has lifted it.
    latch: Option<HaltLatch>,
    /// What the core is told of it: why it halted, as the journal or the latch has it.
    why: HaltWhy,
    /// The journal ends halted and a person has resumed since, while nothing ran: the core must be told.
    lifted: bool,
}

/// Why somebody halted, by what the latch calls them.
fn why_of(latch: &HaltLatch) -> HaltWhy {
    match latch.who.as_str() {
        "kill_file" => HaltWhy::KillFile,
        "journal" | "directory" => HaltWhy::Journal,
        "thread" | "crash_loop" | watchdog::WHO => HaltWhy::Thread,
        "ring" => HaltWhy::RingFull,
        _ => HaltWhy::Operator, // a person or a signal; a limit of the core's own is in the journal
    }
}

impl StandingHalt {
    /// From the latch, and from the journal where the latch is not there: lifted by a person since, or never written.
    fn find(
        state: &StateDir,
        recovered: &Recovered,
        meanwhile: Option<HaltLatch>,
    ) -> Result<Self, Failed> {
        let latch = state.halt()?.or(meanwhile); // one that came meanwhile may not be on the disk
        let cores_own = recovered.core.halted();
        let why = cores_own.or(latch.as_ref().map(why_of)).unwrap_or(HaltWhy::Operator);
        if cores_own.is_none() || latch.is_some() {
            return Ok(Self { latch, why, lifted: false });
        }
        let when_ns = recovered.last.get();
        if lifted_since(state, when_ns)? {
            return Ok(Self { latch: None, why, lifted: true });
        }
        let reason = "the journal ends halted, and nobody has resumed since".to_owned();
        let found = HaltLatch { reason, who: "journal".into(), when_ns };
        state.set_halt(&found)?;
        Ok(Self { latch: Some(found), why, lifted: false })
    }
}

/// Opens the store and has it catch up, then opens the journal: the store is handed the new run's records, the first one
/// included.
fn open_records(
    state: &StateDir,
    names: MarketNames,
    options: Options,
    clock: &Clock,
    observer: &mut Observer,
) -> Result<(Journal, Arc<StoreStatus>), Failed> {
    let notes = observer.announcer().clone();
    let say = |line: &str| {
        notes.note(RunNote::Store.told(NamedPlace::default(), line.to_owned()));
    };
    let store = Store::open(&state.database(), &state.journal(), names, say)
        .map_err(|error| Failed(Exit::State, error.to_string()))?;
    let journal = Journal::open(options, clock.now()).map_err(|error| {
        let exit = if error.is_damage() { Exit::Corrupt } else { Exit::State };
        Failed(exit, error.to_string())
    })?;
    let store = store.with_names_file(state.names()).with_operator_log(state.operator_log());
    let store = StoreSink::new(store, state.journal());
    let status = store.status();
    observer
        .add(store)
        .map_err(|error| Failed(Exit::State, format!("starting the store's thread: {error}")))?;
    Ok((journal, status))
}

/// How this run's journal is written.
fn journal_options(
    spec: &RunSpec,
    config: &Config,
    state: &StateDir,
    run: u64,
    recovered: &mut Recovered,
) -> Options {
    let sync = match config.journal_sync {
        JournalSync::Grouped => journal::Sync::Grouped,
        JournalSync::Always => journal::Sync::Always,
        JournalSync::Off => journal::Sync::Off,
    };
    let identity = Identity {
        config: config.hash,
        binary: binary_hash(),
        run,
        venue: spec.access.identity(),
        mode: spec.mode as u8,
    };
    Options {
        dir: state.journal(),
        sync,
        segment_bytes: journal::SEGMENT_BYTES,
        identity,
        fresh: recovered.fresh,
        mark: Some(state.journal_mark()),
        untold: mem::take(&mut recovered.untold),
    }
}

/// Where the executors write ahead, by venue. Says where a log is missing that an earlier run must have had.
fn wire_logs(state: &StateDir, fresh: bool, notes: &Announcer) -> PerVenue<PathBuf> {
    let logs = PerVenue::from_fn(|venue| state.wire_log(venue.name()));
    for log in logs.values().filter(|log| !fresh && matches!(disk::is_there(log), Ok(false))) {
        let text = format!(
            "{} is not there although runs came before: orders that left in the last moments before a crash may be known \
             to the venues alone. What rests or is held there is compared before anything opens",
            log.display()
        );
        notes.note(RunNote::WireLogMissing.told(NamedPlace::default(), text));
    }
    logs
}

/// Removes from the wire logs what the journal knows to be over and is older than the time to keep.
fn shorten_wire_logs(
    state: &StateDir,
    recovered: &Recovered,
    keep: Duration,
) -> Result<(), Failed> {
    let keep_ns = u64::try_from(keep.as_nanos()).unwrap_or(u64::MAX);
    let before = Nanos::new(recovered.last.get().saturating_sub(keep_ns));
    for venue in Venue::ALL {
        let log = state.wire_log(venue.name());
        wirelog::shorten(&log, before, |order| recovered.in_journal.is_over(order))
            .map_err(WireError::Log)
            .map_err(|error| Failed(error.exit(), error.to_string()))?;
    }
    Ok(())
}

/// What earlier runs left, and their wire logs without what nobody needs any more. Baskets get the numbers by which the core
/// knows them.
fn take_up(
    state: &StateDir,
    spec: &RunSpec,
    config: &Config,
    catalogue: &mut Catalogue,
    notes: &Announcer,
) -> Result<Recovered, Failed> {
    let recovered = recover(state, spec.access.identity(), notes)?;
    tell_left_out(&catalogue.keep_numbers(recovered.core.baskets()), notes);
    shorten_wire_logs(state, &recovered, config.retention())?;
    Ok(recovered)
}

/// Starts the thread that takes snapshots, behind what was folded.
fn start_follower(
    state: &StateDir,
    journal: &Journal,
    folded: Option<Replayed>,
    keep: Duration,
) -> Result<Follower, Failed> {
    let database = state.database();
    let following = Following {
        journal: state.journal(),
        snapshots: state.snapshots(),
        applied: Box::new(move || next_record(&database).ok().flatten().unwrap_or(0)),
        keep,
        begins: journal.begins(),
        folded,
    };
    Follower::start(following)
        .map_err(|error| Failed(Exit::Failed, format!("starting the snapshots' thread: {error}")))
}

/// The halt epoch that a run begins with: beyond every one that the core knows of earlier runs. An executor sends no order of
/// another epoch than this one: where it began below the core's, nothing would ever leave, not even what hedges or sells. Seconds
/// since 1970 are beyond it but where the system's clock was set back, or where a full ring has moved the epoch for many orders.
pub(crate) fn first_epoch(now: Nanos, core: &Core) -> u64 {
    (now.get() / 1_000_000_000).max(core.stats().epoch + 1)
}

/// What the machine is started around.
struct MachineStart<'a> {
    spec: &'a RunSpec,
    config: &'a Config,
    state: &'a StateDir,
    catalogue: &'a Catalogue,
    topology: Topology,
    clock: Clock,
}

/// The machine as it was started.
struct Started {
    engine: Engine,
    /// The halt epoch it began with.
    epoch: u64,
    /// Raw frames for the audit.
    tapped: Consumer<u8>,
    /// Who asks the venues for books over REST.
    witnesses: Witnesses,
    notices: Notices,
    watchdog_child: Option<WatchdogChild>,
}

impl MachineStart<'_> {
    /// Starts every thread of the machine. Its agents dial by themselves; nothing is traded before the core is told that
    /// both venues agree.
    fn run(
        self,
        recovered: Recovered,
        journal: Journal,
        follower: &Follower,
        observer: &Observer,
    ) -> Result<Started, Failed> {
        let Recovered { core, fresh, in_journal, .. } = recovered;
        let live: Vec<_> = core.orders().live().map(|record| record.order).collect();
        let epoch = first_epoch(self.clock.now(), &core);
        let halt = HaltEpoch::new(epoch);
        let (watchdog_child, beats) =
            start_watchdog_child(self.spec, self.state, observer.announcer());
        let on_paper = self.on_paper(&core, fresh);
        let plan = Plan {
            topology: self.topology,
            pin: self.config.pin_cpu.map(usize::from),
            clock: self.clock.clone(),
            core,
            journal,
            follower: Arc::clone(follower.status()),
            on: Some(observer.records()),
            notes: observer.announcer().clone(),
            halt: halt.clone(),
            beats,
            on_paper: on_paper.is_some(),
        };
        let (tap, tapped) = RingBuffer::new(topology::FEED_TAP.slots);
        let wire_logs = wire_logs(self.state, fresh, observer.announcer());
        let (to_notices, notices) = Notices::new();
        let always = self.config.journal_sync == JournalSync::Always;
        let mut engine = Engine::start(plan, |ends| {
            let parts = Parts {
                accounts: &self.spec.access.accounts,
                trust: &self.spec.access.trust,
                directory: &self.catalogue.directory,
                clock: &self.clock,
                halt: &halt,
                wire_logs,
                live: &live,
                sync: if always { SyncMode::Always } else { SyncMode::Grouped },
                tap: Some(tap),
                notices: to_notices,
                seed: self.spec.seed,
                breaker: self.config.times.breaker,
                on_paper: on_paper.as_ref(),
                spins: self.topology != Topology::Calm,
            };
            let now = self.clock.now();
            let (wired, remembered) = wiring::wire(parts, ends)?;
            let mut first = in_journal.first_events(now, epoch, &remembered);
            tell_adopted(&first, observer.announcer());
            // The core must know a market before its first snapshot comes, or it drops that snapshot.
            first.extend(self.config.limits.events().map(Event::Control));
            first.extend(self.catalogue.events());
            Ok((wired, first))
        })
        .map_err(|error| Failed(error.exit(), error.to_string()))?;
        let witnesses = start_witnesses(&mut engine, &self.spec.access)?;
        Ok(Started { engine, epoch, tapped, witnesses, notices, watchdog_child })
    }
}

impl MachineStart<'_> {
    /// What is held at each venue where the accounts are on paper: what the journal says, and at the first start the starting capital, in
    /// equal parts over the shards that the followed markets draw on.
    fn on_paper(&self, core: &Core, fresh: bool) -> Option<PerVenue<PaperAccount>> {
        if !self.spec.access.accounts.are_on_paper() {
            return None;
        }
        let ledger = core.ledger();
        Some(PerVenue::from_fn(|venue| {
            let of_venue = self.catalogue.directory.of(venue);
            let mut shards: Vec<u8> = of_venue.map(|entry| entry.def.shard).collect();
            shards.sort_unstable();
            shards.dedup();
            if fresh {
                let parts = i64::try_from(shards.len().max(1)).expect("a shard is a byte");
                let each = self.config.starting_capital[venue].scale_floor(1, parts);
                return PaperAccount::new(venue, shards.into_iter().map(|shard| (shard, each)), []);
            }
            let accounts = 0..venue.rules().cash_accounts;
            let cash = accounts
                .map(|shard| (shard, ledger.cash(CashAccount::of(venue, shard))))
                .filter(|(shard, cash)| shards.contains(shard) || *cash != Usd::ZERO);
            let held = self.catalogue.directory.of(venue).map(|entry| {
                let position = ledger.position(entry.def.market);
                let [yes, no] = [Outcome::Yes, Outcome::No]
                    .map(|outcome| position.held(outcome) + position.claimed(outcome));
                (entry.def.market, yes, no)
            });
            PaperAccount::new(venue, cash, held)
        }))
    }
}

impl Started {
    /// Tells the core of the halt that stands, or that one was lifted; those that come move its epoch as soon as they are read.
    fn take_halts(&mut self, halt: &StandingHalt, control: &Control) {
        control.halts_at_once(self.engine.halt.clone());
        assert!(!(halt.lifted && halt.latch.is_some()), "a halt stands or is lifted, not both");
        if halt.lifted {
            self.epoch = self.engine.halt.advance();
            self.engine.tell(Event::Control(event::Control::Resume { epoch: self.epoch }));
        }
        if halt.latch.is_some() {
            self.epoch = self.engine.halt.advance();
            let why = halt.why;
            self.engine.tell(Event::Control(event::Control::Halt { epoch: self.epoch, why }));
        }
    }
}

/// The cold threads that watch the machine.
fn start_watchers(
    engine: &Engine,
    tapped: Consumer<u8>,
    directory: &Directory,
) -> Result<(AuditThread, Watchdog), Failed> {
    let audit = AuditThread::start(tapped, directory, engine.teller())
        .map_err(|error| Failed(Exit::Failed, format!("starting the audit's thread: {error}")))?;
    let journal = Arc::clone(engine.journal());
    let watchdog =
        Watchdog::start(Notify::from_env(), engine.pulses(), journal).map_err(|error| {
            Failed(Exit::Failed, format!("starting the watchdog's thread: {error}"))
        })?;
    Ok((audit, watchdog))
}

/// The thread that copies the database.
fn start_backups(state: &StateDir, config: &Config, notes: &Announcer) -> Result<Backups, Failed> {
    Backups::start(state, config.backup, notes.clone())
        .map_err(|error| Failed(Exit::Failed, format!("starting the backups' thread: {error}")))
}

/// The process that cancels everything where this one cannot any more. A run without it is told, and opens nothing (`no_watchdog`).
fn start_watchdog_child(
    spec: &RunSpec,
    state: &StateDir,
    notes: &Announcer,
) -> (Option<WatchdogChild>, Option<Beats>) {
    let Some(venues) = &spec.venues_file else { return (None, None) };
    match WatchdogChild::start(venues, state) {
        Ok((child, beats)) => (Some(child), Some(beats)),
        Err(error) => {
            let text = format!("the watchdog's process could not be started: {error}");
            notes.note(RunNote::NoWatchdog.told(NamedPlace::default(), text));
            (None, None)
        }
    }
}

/// The threads that ask the venues for books over REST.
fn start_witnesses(engine: &mut Engine, access: &Access) -> Result<Witnesses, Failed> {
    let wanted = engine.take_witnesses();
    Witnesses::start(wanted, |venue| access.books(venue), &engine.teller())
        .map_err(|error| Failed(Exit::Failed, format!("starting the witnesses' threads: {error}")))
}

/// What each venue is compared by.
fn venue_checks(access: &Access, directory: &Directory) -> PerVenue<VenueCheck> {
    access.accounts.readers(&access.trust, directory).map(|venue, account| {
        let results = Results::new(venue, access.metadata(venue), directory);
        VenueCheck::new(account, results)
    })
}

impl Running {
    /// Takes what a run needs, one step after the other, and starts the machine.
    pub(super) fn start(spec: RunSpec, config: &Config, json: bool) -> Result<Self, Failed> {
        let clock = Clock::start().map_err(|why| Failed(Exit::Clock, why))?;
        let topology = Topology::resolve(config.topology, topology::cores())
            .map_err(|why| Failed(Exit::Machine, why))?;
        let mut observer = start_observer(config, json)?;
        let notes = observer.announcer().clone();
        let mut held = Held::take(&spec, config, &notes)?;
        introduce(&spec, &notes);
        let (names, mut catalogue, halted) = load_markets(&spec, &mut held, &notes)?;
        let Held { state, lock, control, hardened, .. } = held;
        let mut recovered = take_up(&state, &spec, config, &mut catalogue, &notes)?;
        let halt = StandingHalt::find(&state, &recovered, halted)?;
        let begun = in_force(&state, config, &recovered, &spec, &notes)?;
        let run = clock.now().get() / 1_000_000; // milliseconds: rises over restarts, and people can read it
        let options = journal_options(&spec, config, &state, run, &mut recovered);
        let (journal, store) = open_records(&state, names, options, &clock, &mut observer)?;
        let follower =
            start_follower(&state, &journal, recovered.folded.take(), config.retention())?;
        let machine = MachineStart {
            spec: &spec,
            config: &begun,
            state: &state,
            catalogue: &catalogue,
            topology,
            clock,
        };
        let mut started = machine.run(recovered, journal, &follower, &observer)?;
        started.take_halts(&halt, &control);
        let Started { engine, epoch, tapped, witnesses, notices, watchdog_child } = started;
        let (audit, watchdog) = start_watchers(&engine, tapped, &catalogue.directory)?;
        tell_began(&spec, run, &notes);
        Ok(Self {
            checks: venue_checks(&spec.access, &catalogue.directory),
            backups: start_backups(&state, config, &notes)?,
            rescue: Some(Rescue::new(&spec.access, &catalogue.directory)),
            began_at: engine.clock.now(),
            configured: config.limits,
            config: begun,
            places: PerVenue::from_fn(|venue| places(&catalogue.directory, venue)),
            catalogue,
            following: None,
            fee_reading: FeeReading::begin(Instant::now()),
            policy: Policy::new(policy_options(config, epoch, halt.latch.is_some(), spec.span)),
            latch: halt.latch,
            requests: Requests::default(),
            at_end: AtEnd::default(),
            closed: None,
            watched: Watched::begin(Instant::now()),
            foreign: Foreign::default(),
            notify: Notify::from_env(),
            vitals: Vitals::default(),
            spec,
            json,
            state,
            lock,
            control,
            engine,
            observer,
            store,
            follower,
            audit,
            witnesses,
            topology,
            run,
            notices,
            watchdog,
            watchdog_child,
            hardened,
        })
    }
}

#[cfg(test)]
mod tests {
    use surefoot_hot::outbox::Outbox;

    use super::*;

    #[test]
    fn a_run_begins_beyond_every_epoch_that_the_core_knows_whatever_the_clock_says() {
        let mut core = Core::new();
        assert_eq!(first_epoch(Nanos::from_secs(1_800_000_000), &core), 1_800_000_000);
        let start = event::Control::Start { epoch: 1_800_000_500, first_order: 1 };
        core.on_event(Nanos::from_secs(1), &Event::Control(start), &mut Outbox::new());
        for now in [1_700_000_000, 1_800_000_000, 1_800_000_500] {
            let epoch = first_epoch(Nanos::from_secs(now), &core);
            assert_eq!(epoch, 1_800_000_501, "at {now} s");
        }
    }

    #[test]
    fn a_halt_that_stands_is_told_with_its_own_reason() {
        let latch = |who: &str| HaltLatch { who: who.into(), ..HaltLatch::default() };
        for (who, why) in [
            ("operator", HaltWhy::Operator),
            ("signal", HaltWhy::Operator),
            ("kill_file", HaltWhy::KillFile),
            ("journal", HaltWhy::Journal),
            ("directory", HaltWhy::Journal),
            ("thread", HaltWhy::Thread),
            ("crash_loop", HaltWhy::Thread),
            ("watchdog", HaltWhy::Thread),
            ("ring", HaltWhy::RingFull),
        ] {
            assert_eq!(why_of(&latch(who)), why, "{who}");
        }
    }
}
