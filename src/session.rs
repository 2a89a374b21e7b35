//! One run, from the lock on its directory to the closing report: what every mode that trades shares.

mod agree;
mod close;
mod notices;
mod rescue;
mod resume;
mod status;

use std::os::unix::net::UnixListener;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rtrb::RingBuffer;
use serde_json::json;
use surefoot_cold::account::{self, AccountError};
use surefoot_cold::directory::Directory;
use surefoot_cold::halt::HaltEpoch;
use surefoot_cold::journal::{self, Identity, Journal, Options, binary_hash};
use surefoot_cold::lock::Lock;
use surefoot_cold::state_dir::{HaltLatch, StateDir, StateError};
use surefoot_cold::store::names::Book;
use surefoot_cold::store::{Store, StoreThread};
use surefoot_cold::wirelog::SyncMode;
use surefoot_hot::event::{Control as Tell, Event};
use surefoot_hot::ids::Venue;
use surefoot_hot::risk::HaltWhy;
use surefoot_hot::stats::Stats;
use surefoot_hot::units::Nanos;

use crate::access::Access;
use crate::audit::AuditThread;
use crate::catalogue::{Also, load_catalogue};
use crate::cli::Mode;
use crate::clock::Clock;
use crate::config::{Config, JournalSync, LogLevel};
use crate::control::{Asked, Command, Control, Signals, farewell, verbs};
use crate::engine::{Engine, Plan};
use crate::exit::Exit;
use crate::foreign::Foreign;
use crate::harden::{Hardened, harden};
use crate::health::LINKS;
use crate::notify::Notify;
use crate::recover::{Recovered, recover};
use crate::report;
use crate::results::Results;
use crate::topology::{self, Topology};
use crate::watchdog::Watchdog;
use crate::wiring::{self, Parts, Signers};

use agree::VenueCheck;
use notices::Notices;
use resume::{AGREE_WITHIN, Refused, Unagreed};

/// How long the links may take to come up, and orders in flight to be accounted for, before it is said.
const UP_WITHIN: Duration = Duration::from_secs(20);
/// How long a graceful end waits for orders and groups in flight: longer than an order that the venue does not know is
/// taken to be on its way (30 s).
const DRAIN_WITHIN: Duration = Duration::from_secs(40);
/// How often both venues are asked what is true while something they said of our money has not been understood.
const UNREAD_EVERY: Duration = Duration::from_secs(2);
/// A trading day; they begin at midnight, UTC.
const DAY_NS: u64 = 86_400_000_000_000;
/// Counters are at most this old.
const STATS_LAG: Duration = Duration::from_millis(150);
/// How often the loop looks around.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// The main thread is heard of so often, or it hangs; and in the end of a run, which waits for orders and asks both
/// venues.
const LOOK_WITHIN: Duration = Duration::from_secs(30);
const CLOSE_WITHIN: Duration = Duration::from_secs(600);
/// How often our clock is held against the system's.
const CLOCK_EVERY: Duration = Duration::from_secs(1);
/// How often a start tries to agree with the venues, and the pause after the first failure; it grows by as much.
const OPEN_TRIES: u32 = 3;
const OPEN_PAUSE: Duration = Duration::from_secs(1);
/// How often a line is said.
const SAY_EVERY: Duration = Duration::from_secs(1);
/// A hot thread that stands still for so long is taken for dead.
const STALL_AFTER: Duration = Duration::from_secs(2);

/// A hot thread that still stands so long after the halt for it is given up: the venues are told without it.
const GIVE_UP_AFTER: Duration = Duration::from_secs(8);

/// What a mode hands in.
pub struct Session {
    /// Which mode.
    pub mode: Mode,
    /// Where the venues are.
    pub access: Access,
    /// Markets to follow beside those in relations.
    pub also: Also,
    /// End after this long.
    pub span: Option<Duration>,
    /// Makes back-off differ between runs.
    pub seed: u64,
    /// Lines that say what this is: said first, and kept in the report.
    pub about: Vec<String>,
}

/// Why a run ended before it began: what to say, and the exit.
pub(crate) struct Failed(pub(crate) Exit, pub(crate) String);

impl From<StateError> for Failed {
    fn from(error: StateError) -> Self {
        let exit = match &error {
            StateError::InUse { .. } | StateError::AccountInUse { .. } => Exit::InUse,
            StateError::Io { .. } | StateError::Open { .. } | StateError::Damaged { .. } => {
                Exit::State
            }
        };
        Self(exit, error.to_string())
    }
}

/// Takes the account at each venue for this process.
fn take_accounts(access: &Access) -> Result<Vec<UnixListener>, Failed> {
    let take = |venue: Venue| match account::take(access.accounts()[venue.index()]) {
        Ok(listener) => Ok(listener),
        Err(AccountError::Held(holder)) => {
            Err(StateError::AccountInUse { venue: venue.name(), holder }.into())
        }
        Err(AccountError::Io(error)) => {
            let why = format!("locking the {} account: {error}", venue.name());
            Err(Failed(Exit::Failed, why))
        }
    };
    Venue::ALL.into_iter().map(take).collect()
}

/// Runs a session to its end.
pub fn run(session: Session, config: &Config, json: bool) -> Exit {
    let exit = match Running::start(session, config, json) {
        Ok(running) => running.until_over(),
        Err(Failed(exit, why)) => {
            eprintln!("surefoot: {why}");
            exit
        }
    };
    farewell::leave(&StateDir::at(&config.state_dir), exit);
    exit
}

struct Running {
    session: Session,
    config: Config,
    json: bool,
    state: StateDir,
    lock: Lock,
    control: Control,
    engine: Engine,
    store: StoreThread,
    directory: Directory,
    rescue: rescue::Rescue,
    /// Since when a hot thread stands still, and which.
    stalled: Option<(Instant, &'static str)>,
    /// The comparisons with each venue, by index.
    checks: [VenueCheck; 2],
    audit: AuditThread,
    topology: Topology,
    began: Instant,
    began_at: Nanos,
    run: u64,
    /// Counters at the start: a continued journal counts on.
    base: Stats,
    open: bool,
    /// Whether the venues are being agreed with so that a halt can be lifted.
    resuming: bool,
    /// Set where the run is to end, and how.
    over: Option<Exit>,
    /// Links that were up at the last look.
    links_up: u64,
    latch: Option<HaltLatch>,
    /// The halt epoch as this thread left it: one beyond it was moved by a hot thread.
    epoch: u64,
    last_said: Instant,
    /// How many messages about our own money were not understood, as far as that was said.
    unread: u64,
    /// When the venues were last asked for that.
    unread_asked: Instant,
    /// When the wall clock was last looked at, and whether it had stepped.
    clock_seen: Instant,
    clock_stepped: bool,
    /// Lines said.
    said: u64,
    /// The trading day that the core was told, in days since 1970 (UTC).
    day: u32,
    foreign: Foreign,
    notices: Notices,
    first_basket: Option<Duration>,
    notify: Notify,
    watchdog: Watchdog,
    hardened: Hardened,
    vitals: status::Vitals,
}

impl Running {
    fn start(session: Session, config: &Config, json: bool) -> Result<Self, Failed> {
        let clock = Clock::start().map_err(|why| Failed(Exit::Clock, why))?;
        let topology = Topology::resolve(config.topology, topology::cores())
            .map_err(|why| Failed(Exit::Machine, why))?;
        let state = StateDir::open(&config.state_dir)?;
        let lock = state.lock()?;
        let accounts = take_accounts(&session.access)?;
        farewell::begin(&state)?;
        let hardened = harden();
        for gap in hardened.gaps() {
            if session.mode != Mode::Demo {
                eprintln!("surefoot: {gap}");
            }
        }
        let signals = Signals::install()
            .map_err(|error| Failed(Exit::Failed, format!("taking over signals: {error}")))?;
        let mut control = Control::start(&state, signals).map_err(|error| {
            Failed(Exit::State, format!("{}: {error}", state.control_socket().display()))
        })?;
        for account in accounts {
            control.listen_by_account(account).map_err(|error| {
                Failed(Exit::Failed, format!("starting the control's thread: {error}"))
            })?;
        }
        for line in &session.about {
            eprintln!("{line}");
        }
        let mut latch = state.halt()?;
        let venue = session.access.identity();
        let signers = Signers::new(&session.access).map_err(|why| Failed(Exit::Config, why))?;
        let mut names = Book::load(&state.names())?;
        let catalogue = load_catalogue(&session.access, &session.also, names.directory(venue))?;
        for line in &catalogue.left_out {
            eprintln!("surefoot: left out: {line}");
        }
        names.put(venue, catalogue.directory.clone());
        names.save(&state.names())?;

        let Recovered { core, fresh, last, in_journal } = recover(&state, venue)?;
        let live: Vec<_> = core.orders().live().map(|record| record.order).collect();
        let mut lifted = false;
        if core.halted().is_some() && latch.is_none() {
            // The journal is halted and the latch is not there: lifted by a person since, or never written.
            lifted = verbs::lifted_since(&state, last.get());
            if !lifted {
                let reason = "the journal ends halted, and nobody has resumed since".to_owned();
                let found = HaltLatch { reason, who: "journal".into(), when_ns: last.get() };
                state.set_halt(&found)?;
                latch = Some(found);
            }
        }
        let run = clock.now().get() / 1_000_000; // milliseconds: rises over restarts, and people can read it
        let identity = Identity {
            config: config.hash,
            binary: binary_hash(),
            run,
            venue,
            mode: session.mode as u8,
        };
        let sync = match config.journal_sync {
            JournalSync::Grouped => journal::Sync::Grouped,
            JournalSync::Always => journal::Sync::Always,
            JournalSync::Off => journal::Sync::Off,
        };
        let options = Options {
            dir: state.journal(),
            sync,
            segment_bytes: journal::SEGMENT_BYTES,
            identity,
            fresh,
            mark: Some(state.journal_mark()),
        };
        let say = |line: &str| eprintln!("surefoot: {line}");
        let store = Store::open(&state.database(), &state.journal(), names, say)
            .map_err(|error| Failed(Exit::State, error.to_string()))?;
        // After the store has caught up: it is handed the new run's records, the first one included.
        let journal = Journal::open(options, clock.now()).map_err(|error| {
            let exit = if error.is_damage() { Exit::Corrupt } else { Exit::State };
            Failed(exit, error.to_string())
        })?;
        let store = StoreThread::start(store, state.journal())
            .map_err(|error| Failed(Exit::State, error.to_string()))?;

        let base = core.stats();
        // Seconds since 1970 rise over restarts faster than halts are lifted.
        let epoch = clock.now().get() / 1_000_000_000;
        let halt = HaltEpoch::new(epoch);
        let plan = Plan {
            topology,
            pin: config.pin_cpu.map(usize::from),
            clock: clock.clone(),
            core,
            journal,
            store: Some(store.input()),
            halt,
        };
        let (tap, tapped) = RingBuffer::new(topology::FEED_TAP.slots);
        let logs = [state.wire_log("polymarket"), state.wire_log("kalshi")];
        for log in logs.iter().filter(|log| !fresh && !log.exists()) {
            eprintln!(
                "surefoot: {} is not there although runs came before: orders that left in the last moments before a crash may \
                 be known to the venues alone. What rests or is held there is compared before anything opens",
                log.display()
            );
        }
        let (to_notices, notices) = Notices::new();
        let engine = Engine::start(plan, |rings| {
            let parts = Parts {
                access: &session.access,
                signers: &signers,
                directory: &catalogue.directory,
                wire_logs: [&logs[0], &logs[1]],
                live: &live,
                sync: if config.journal_sync == JournalSync::Always {
                    SyncMode::Always
                } else {
                    SyncMode::Grouped
                },
                tap: Some(tap),
                notices: to_notices,
                seed: session.seed,
                spins: topology != Topology::Calm,
            };
            let now = rings.clock.now();
            let (wired, remembered) = wiring::wire(parts, rings)?;
            rings.first = in_journal.first_events(now, epoch, &remembered);
            Ok(wired)
        })
        .map_err(|error| Failed(error.exit(), error.to_string()))?;

        for limit in config.limits.events() {
            engine.tell(Event::Control(limit));
        }
        for event in catalogue.events() {
            engine.tell(event);
        }
        let mut epoch = epoch;
        if lifted {
            epoch = engine.halt.advance();
            engine.tell(Event::Control(Tell::Resume { epoch }));
        }
        if latch.is_some() {
            epoch = engine.halt.advance();
            engine.tell(Event::Control(Tell::Halt { epoch, why: HaltWhy::Operator }));
        }
        let audit =
            AuditThread::start(tapped, &catalogue.directory, engine.teller()).map_err(|error| {
                Failed(Exit::Failed, format!("starting the audit's thread: {error}"))
            })?;
        let checks = signers.readers(&session.access, &catalogue.directory).map(|account| {
            let venue = account.venue();
            let metadata = session.access.metadata(venue);
            let results = Results::new(venue, metadata, &catalogue.directory);
            VenueCheck::new(account, results)
        });
        let journal = Arc::clone(engine.journal());
        let watchdog =
            Watchdog::start(Notify::from_env(), engine.pulses(), journal).map_err(|error| {
                Failed(Exit::Failed, format!("starting the watchdog's thread: {error}"))
            })?;
        let rescue = rescue::Rescue::new(&session.access, &signers, &catalogue.directory);
        let now = Instant::now();
        Ok(Self {
            session,
            config: config.clone(),
            json,
            state,
            lock,
            control,
            began_at: engine.clock.now(),
            engine,
            store,
            rescue,
            stalled: None,
            directory: catalogue.directory,
            checks,
            audit,
            topology,
            began: now,
            run,
            base,
            open: false,
            resuming: false,
            over: None,
            links_up: 0,
            latch,
            epoch,
            last_said: now,
            unread: 0,
            unread_asked: now,
            clock_seen: now,
            clock_stepped: false,
            said: 0,
            day: 0,
            foreign: Foreign::default(),
            notices,
            first_basket: None,
            notify: Notify::from_env(),
            watchdog,
            hardened,
            vitals: status::Vitals::default(),
        })
    }

    fn until_over(mut self) -> Exit {
        if let Some(latch) = &self.latch {
            eprintln!(
                "surefoot: trading is halted since an earlier run ({}: {}); `surefoot resume --reason …` lifts it",
                latch.who, latch.reason
            );
        }
        // An assertion of this thread that fails must end the run as any other end does: with nothing left resting.
        let exit = catch_unwind(AssertUnwindSafe(|| {
            let mut exit = self.open_up();
            loop {
                if let Some(exit) = exit {
                    return exit;
                }
                std::thread::sleep(LOOK_EVERY);
                exit = self.look();
            }
        }));
        let exit = exit.unwrap_or_else(|_| {
            self.halt("thread", "the main thread failed an assertion", HaltWhy::Thread);
            Exit::Internal
        });
        self.close(exit)
    }

    /// Waits for the links, settles what an earlier run left in flight, agrees with both venues, and opens.
    /// Returns an exit where that was not to be.
    fn open_up(&mut self) -> Option<Exit> {
        let begin = Instant::now();
        let mut said = false;
        loop {
            std::thread::sleep(LOOK_EVERY);
            if let Some(exit) = self.look() {
                return Some(exit);
            }
            let up = self.engine.shown.links_up.load(std::sync::atomic::Ordering::Relaxed) == LINKS;
            let settled = self.engine.stats().orders_live == 0;
            if up && settled {
                break;
            }
            if begin.elapsed() > UP_WITHIN && !said {
                said = true;
                eprintln!(
                    "surefoot: still waiting for {}: nothing is opened before that",
                    if up {
                        "the venues' word on orders of an earlier run"
                    } else {
                        "all four streams"
                    }
                );
            }
        }
        let mut failed = 0;
        while failed < OPEN_TRIES {
            match self.agree(Instant::now() + AGREE_WITHIN) {
                Ok(()) => {
                    self.open = true;
                    self.notify.ready();
                    return None;
                }
                Err(Unagreed::Halted) => {} // halted, it agrees with the venues and opens nothing
                Err(Unagreed::Over(exit)) => return Some(exit),
                Err(Unagreed::Why(why)) => {
                    failed += 1;
                    eprintln!("surefoot: reconciliation {failed} of {OPEN_TRIES}: {why}");
                    std::thread::sleep(OPEN_PAUSE * failed);
                }
            }
        }
        eprintln!("surefoot: the venues could not be agreed with; nothing was opened");
        Some(Exit::Unreconciled)
    }

    /// One turn of the main thread: commands, health, time, the venues. Returns an exit when it is time to end.
    fn look(&mut self) -> Option<Exit> {
        self.watchdog.expect_within(LOOK_WITHIN);
        let links_before = self.links_up;
        while let Some(asked) = self.control.poll() {
            if matches!(asked.command, Command::Stop { .. }) {
                asked.done(json!({ "stopping": true, "pid": std::process::id() }));
                return Some(Exit::Ok);
            }
            self.obey(asked);
            if let Some(exit) = self.over {
                return Some(exit);
            }
        }
        if let Some(exit) = self.look_around() {
            return Some(exit);
        }
        let unread = self.engine.stats().unread_now && self.unread_asked.elapsed() >= UNREAD_EVERY;
        if unread {
            self.unread_asked = Instant::now();
        }
        let settled = self.notices.take();
        let came_back = self.links_up == LINKS && links_before < LINKS;
        self.check_venues(unread || settled || came_back);
        None
    }

    /// What is looked at in every turn, also while the venues are waited for: health, time, what is to be said. Returns an
    /// exit when it is time to end.
    fn look_around(&mut self) -> Option<Exit> {
        if let Some(exit) = self.check_health() {
            return Some(exit);
        }
        self.follow_clock();
        let day = u32::try_from(self.engine.clock.now().get() / DAY_NS).unwrap_or(u32::MAX);
        if day != self.day {
            self.day = day;
            self.engine.tell(Event::Control(Tell::Day { day }));
        }
        let since = self.began.elapsed();
        let stats = *self.engine.stats();
        if self.first_basket.is_none() && stats.baskets_completed > self.base.baskets_completed {
            self.first_basket = Some(since);
        }
        self.foreign.say(&stats);
        if stats.halted && self.latch.is_none() && self.open {
            // The core tripped a limit by itself: the latch makes that survive a restart.
            self.latch_halt("limit", &status::why_halted(&stats, &self.base, &self.config.limits));
        }
        if self.last_said.elapsed() >= SAY_EVERY {
            self.last_said = Instant::now();
            if !self.json && self.config.log_level >= LogLevel::Info {
                let (base, shown) = (&self.base, &self.engine.shown);
                report::say_line(self.said, since, &stats, base, shown, self.open);
                self.said += 1;
            }
            self.look_at_health();
        }
        self.links_up = self.engine.shown.links_up.load(std::sync::atomic::Ordering::Relaxed);
        self.say_unread();
        self.session.span.is_some_and(|span| since >= span).then_some(Exit::Ok)
    }

    /// Names what a venue said of our money and was not understood.
    fn say_unread(&mut self) {
        let Ok(unread) = self.engine.shown.unread.lock().map(|unread| unread.clone()) else {
            return;
        };
        if unread.0 > self.unread {
            self.unread = unread.0;
            eprintln!(
                "surefoot: a message about our own orders or fills was not understood ({}): nothing is opened before the \
                 venue's own history has been read and agrees",
                unread.1
            );
        }
    }

    /// Keeps our clock with the system's. One that stepped may have let any time pass: that is told as the stall that it
    /// may have been.
    fn follow_clock(&mut self) {
        if self.clock_seen.elapsed() < CLOCK_EVERY {
            return;
        }
        self.clock_seen = Instant::now();
        let step = self.engine.clock.follow();
        if let Some(off) = step.filter(|_| !self.clock_stepped) {
            let (tenths, way) =
                (off.unsigned_abs() / 100_000_000, if off > 0 { "ahead" } else { "back" });
            eprintln!(
                "surefoot: the system clock was set {way} by {}.{} s: what was read before is not traded from. Check that \
                 only one program sets it (timedatectl status)",
                tenths / 10,
                tenths % 10
            );
            self.engine.tell(Event::Stall { span: Nanos::new(off.unsigned_abs()) });
        }
        self.clock_stepped = step.is_some();
    }

    fn check_health(&mut self) -> Option<Exit> {
        if let Some(name) = self.engine.dead() {
            self.latch_halt("thread", &format!("the {name} thread failed an assertion"));
            return Some(Exit::Internal);
        }
        if self.engine.journal().failed() && self.latch.is_none() {
            let why = self.engine.journal().error().unwrap_or_default();
            eprintln!(
                "surefoot: the journal cannot be written ({why}): trading is halted, cancels still go out"
            );
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
                self.engine.tell(Event::Control(Tell::Halt { epoch, why }));
            }
        }
        let Some(name) = self.engine.still(STALL_AFTER) else {
            self.stalled = None;
            return None;
        };
        if self.stalled.is_none() {
            self.rescue.tell_once();
        }
        let (since, _) = *self.stalled.get_or_insert((Instant::now(), name));
        if self.latch.is_none() {
            let why = format!("the {name} thread stood still for {} s", STALL_AFTER.as_secs());
            self.halt("thread", &why, HaltWhy::Thread);
        }
        // One that wakes hears of the halt and cancels by itself. One that does not is not waited for.
        (since.elapsed() >= GIVE_UP_AFTER).then_some(Exit::Internal)
    }

    fn obey(&mut self, asked: Asked) {
        match asked.command.clone() {
            Command::Status => {
                // Whoever only looks must not be able to end what is looked at.
                match catch_unwind(AssertUnwindSafe(|| self.status())) {
                    Ok(status) => asked.done(json!({ "status": status })),
                    Err(_) => asked.failed(
                        "an assertion failed while the status was put together; the log names it",
                    ),
                }
            }
            Command::Halt { reason, who } => {
                let why = if who == "kill_file" { HaltWhy::KillFile } else { HaltWhy::Operator };
                self.halt(who, &reason, why);
                asked.done(json!({ "halted": true }));
            }
            Command::Resume { reason } => match self.resume(&reason, asked.since) {
                Ok(()) => asked.done(json!({ "halted": false })),
                Err(Refused(exit, why)) => asked.refused(exit, &why),
            },
            Command::Release { market, reason } => match self.release(&market, &reason) {
                Ok(()) => asked.done(json!({ "released": market })),
                Err(why) => asked.failed(&why),
            },
            Command::Stop { .. } => unreachable!("taken by the caller"),
        }
    }

    /// Stops everything that has not left, tells the core, and latches it.
    fn halt(&mut self, who: &str, reason: &str, why: HaltWhy) {
        self.epoch = self.engine.halt.advance();
        self.engine.tell(Event::Control(Tell::Halt { epoch: self.epoch, why }));
        self.latch_halt(who, reason);
    }

    fn latch_halt(&mut self, who: &str, reason: &str) {
        let latch = HaltLatch {
            reason: reason.to_owned(),
            who: who.to_owned(),
            when_ns: self.engine.clock.now().get(),
        };
        if let Err(error) = self.state.set_halt(&latch) {
            eprintln!("surefoot: the halt holds, but a restart would not know of it: {error}");
        }
        if let Err(error) = verbs::record(&self.state, "halt", &format!("{who}: {reason}")) {
            eprintln!("surefoot: {error}");
        }
        eprintln!("surefoot: HALTED by {who}: {reason}");
        self.latch = Some(latch);
    }

    fn release(&mut self, market: &str, reason: &str) -> Result<(), String> {
        let entry = self.directory.iter().find(|entry| entry.names.id() == market);
        let entry = entry.ok_or_else(|| {
            format!(
                "no market is called {market:?} here: `surefoot status` names those in quarantine"
            )
        })?;
        let what = format!("{market}: {reason}");
        verbs::record(&self.state, "release", &what).map_err(|error| error.to_string())?;
        self.engine.tell(Event::Control(Tell::Release { market: entry.def.market }));
        eprintln!("surefoot: released {what}");
        Ok(())
    }
}
