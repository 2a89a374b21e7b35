//! One run, from the lock on its directory to the closing report: what every mode that trades shares.
//!
//! A mode hands in a [`RunSpec`]. A run then starts, agrees with both venues, watches over itself until somebody ends it or
//! something does, and closes. The files follow that order: `start` (with `markets`, which asks the venues for them), `agree` (with `compare`, one reading of a venue),
//! `watch`, `halt`, `status` and `health`, `close`; `rescue` is the end without a core.

mod agree;
mod audit;
mod close;
mod compare;
pub(crate) mod differences;
mod follow;
mod foreign;
mod halt;
mod harden;
pub mod health;
mod held;
mod markets;
mod notices;
pub mod notify;
pub(crate) mod recover;
pub(crate) mod report;
mod rescue;
pub(crate) mod results;
mod run_note;
mod spec;
mod start;
mod status;
mod terminal;
mod watch;
mod watchdog;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use surefoot_cold::lock::Lock;
use surefoot_cold::observe::observer::Observer;
use surefoot_cold::observe::told::NamedPlace;
use surefoot_cold::snapshot::Follower;
use surefoot_cold::state_dir::{HaltLatch, StateDir};
use surefoot_cold::store::StoreStatus;
use surefoot_hot::per_venue::PerVenue;
use surefoot_hot::risk::HaltWhy;
use surefoot_hot::units::Nanos;

use crate::catalogue::Catalogue;
use crate::config::Config;
use crate::control::{Control, exit_note};
use crate::exit::Exit;
use crate::machine::Engine;
use crate::machine::topology::Topology;

use audit::AuditThread;
use compare::VenueCheck;
use follow::Following;
use foreign::Foreign;
use harden::Hardened;
use notices::Notices;
use notify::Notify;
use rescue::Rescue;
use run_note::RunNote;
pub use spec::RunSpec;
use status::Vitals;
use watch::Watched;
use watchdog::Watchdog;

/// How often the loop looks around.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// The main thread must be heard of within this time while a run goes on; otherwise the watchdog takes it for hung.
const LOOK_WITHIN: Duration = Duration::from_secs(30);
/// A hot thread that stands still for so long is taken for dead.
const STALL_AFTER: Duration = Duration::from_secs(2);

/// Runs to the end of the run: everything that a mode which trades has in common.
pub fn run(spec: RunSpec, config: &Config, json: bool) -> Exit {
    let exit = match Running::start(spec, config, json) {
        Ok(running) => running.until_over(),
        Err(failed) => failed.say(json),
    };
    exit_note::leave(&StateDir::at(&config.state_dir), exit);
    exit
}

struct Running {
    spec: RunSpec,
    config: Config,
    json: bool,
    state: StateDir,
    lock: Lock,
    control: Control,
    engine: Engine,
    observer: Observer,
    store: Arc<StoreStatus>,
    follower: Follower,
    catalogue: Catalogue,
    /// How many markets the links of each venue can carry, those that are spare included.
    places: PerVenue<usize>,
    /// Markets that somebody wants followed, while a venue is asked about them.
    following: Option<Following>,
    rescue: Rescue,
    /// The comparisons with each venue.
    checks: PerVenue<VenueCheck>,
    audit: AuditThread,
    topology: Topology,
    began_at: Nanos,
    run: u64,
    /// Whether both venues were agreed with at the start, so that baskets may be opened.
    is_open: bool,
    /// Whether the venues are being agreed with so that a halt can be lifted.
    resuming: bool,
    /// Set where the run is to end, and how.
    over: Option<Exit>,
    latch: Option<HaltLatch>,
    /// The halt epoch as this thread left it: one beyond it was moved by a hot thread.
    epoch: u64,
    watched: Watched,
    foreign: Foreign,
    notices: Notices,
    notify: Notify,
    watchdog: Watchdog,
    hardened: Hardened,
    vitals: Vitals,
}

impl Running {
    /// Tells a note about the run as a whole.
    fn tell(&self, what: RunNote, text: String) {
        self.tell_of(what, NamedPlace::default(), text);
    }

    /// Tells a note about a place.
    fn tell_of(&self, what: RunNote, place: NamedPlace, text: String) {
        self.observer.announcer().note(what.told(place, text));
    }

    fn until_over(mut self) -> Exit {
        if let Some(latch) = &self.latch {
            let text = format!(
                "trading is halted since an earlier run ({}: {}); `surefoot resume --reason …` lifts it",
                latch.who, latch.reason
            );
            self.tell(RunNote::HaltStands, text);
        }
        // An assertion of this thread that fails must end the run as any other end does: with nothing left resting.
        let exit = catch_unwind(AssertUnwindSafe(|| {
            let mut exit = self.agree_at_start();
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
}
