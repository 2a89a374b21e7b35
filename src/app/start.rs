//! The start of a run: from the lock on its directory to agents that dial, step by step.

use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::time::Instant;

use rtrb::RingBuffer;
use surefoot_cold::account::{self, AccountError};
use surefoot_cold::halt::HaltEpoch;
use surefoot_cold::journal::{self, Identity, Journal, Options, binary_hash};
use surefoot_cold::state_dir::{HaltLatch, StateDir, StateError};
use surefoot_cold::store::names::Book;
use surefoot_cold::store::{Store, StoreThread};
use surefoot_cold::wirelog::SyncMode;
use surefoot_hot::event::{self, Event};
use surefoot_hot::ids::Venue;
use surefoot_hot::risk::HaltWhy;

use super::audit::AuditThread;
use super::compare::VenueCheck;
use super::foreign::Foreign;
use super::harden::harden;
use super::notices::Notices;
use super::notify::Notify;
use super::recover::{Recovered, recover};
use super::rescue::Rescue;
use super::results::Results;
use super::status::Vitals;
use super::watchdog::Watchdog;
use super::{RunSpec, Running};
use crate::access::Access;
use crate::catalogue::load_catalogue;
use crate::cli::Mode;
use crate::clock::Clock;
use crate::config::{Config, JournalSync};
use crate::control::operator_log::lifted_since;
use crate::control::{Control, Signals, exit_note};
use crate::exit::{Exit, Failed};
use crate::machine::topology::{self, Topology};
use crate::machine::wiring::{self, Parts, Signers};
use crate::machine::{Engine, Plan};

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

impl Running {
    pub(super) fn start(spec: RunSpec, config: &Config, json: bool) -> Result<Self, Failed> {
        let clock = Clock::start().map_err(|why| Failed(Exit::Clock, why))?;
        let topology = Topology::resolve(config.topology, topology::cores())
            .map_err(|why| Failed(Exit::Machine, why))?;
        let state = StateDir::open(&config.state_dir)?;
        let lock = state.lock()?;
        let accounts = take_accounts(&spec.access)?;
        exit_note::begin(&state)?;
        let hardened = harden();
        for gap in hardened.gaps() {
            if spec.mode != Mode::Demo {
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
        for line in &spec.about {
            eprintln!("{line}");
        }
        let mut latch = state.halt()?;
        let venue = spec.access.identity();
        let signers = Signers::new(&spec.access).map_err(|why| Failed(Exit::Config, why))?;
        let mut names = Book::load(&state.names())?;
        let catalogue = load_catalogue(&spec.access, &spec.extra, names.directory(venue))?;
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
            lifted = lifted_since(&state, last.get());
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
            mode: spec.mode as u8,
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
                access: &spec.access,
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
                seed: spec.seed,
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
            engine.tell(Event::Control(event::Control::Resume { epoch }));
        }
        if latch.is_some() {
            epoch = engine.halt.advance();
            engine.tell(Event::Control(event::Control::Halt { epoch, why: HaltWhy::Operator }));
        }
        let audit =
            AuditThread::start(tapped, &catalogue.directory, engine.teller()).map_err(|error| {
                Failed(Exit::Failed, format!("starting the audit's thread: {error}"))
            })?;
        let checks = signers.readers(&spec.access, &catalogue.directory).map(|account| {
            let venue = account.venue();
            let metadata = spec.access.metadata(venue);
            let results = Results::new(venue, metadata, &catalogue.directory);
            VenueCheck::new(account, results)
        });
        let journal = Arc::clone(engine.journal());
        let watchdog =
            Watchdog::start(Notify::from_env(), engine.pulses(), journal).map_err(|error| {
                Failed(Exit::Failed, format!("starting the watchdog's thread: {error}"))
            })?;
        let rescue = Rescue::new(&spec.access, &signers, &catalogue.directory);
        let now = Instant::now();
        Ok(Self {
            spec,
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
            vitals: Vitals::default(),
        })
    }
}
