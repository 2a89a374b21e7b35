//! One run, from the lock on its directory to the closing report: what every mode that trades shares.
//!
//! A mode hands in a [`RunSpec`]. A run then starts, agrees with both venues, watches over itself until somebody ends it or
//! something does, and closes. When it does what, the run policy decides (`surefoot_cold::policy`), which is a value; what is
//! here is its shell: `watch` looks around and tells it what there is, `carry_out` does what it wants. `start` is what comes
//! before, `asker` and `compare` one reading of a venue, `halt` what is kept of a halt, `status` and `health` what is seen,
//! `close` the end, `last_reading` what the venues say at it, `failure` what becomes of a run whose main thread fails, and `rescue`
//! the end without a core.

pub(crate) mod asker;
mod audit;
mod backups;
mod carry_out;
mod close;
mod compare;
mod crash_loop;
pub(crate) mod differences;
mod failure;
mod fees;
mod follow;
mod foreign;
mod halt;
pub(crate) mod harden;
pub mod health;
mod held;
mod last_reading;
mod limits;
mod markets;
pub(crate) mod notices;
pub mod notify;
pub(crate) mod recover;
pub(crate) mod report;
mod requests;
mod rescue;
pub(crate) mod results;
mod run_note;
mod spec;
pub(crate) mod start;
mod status;
mod terminal;
mod terms;
mod watch;
mod watchdog;
pub(crate) mod witness;

use std::sync::Arc;
use std::time::Duration;

use surefoot_cold::lock::Lock;
use surefoot_cold::observe::observer::Observer;
use surefoot_cold::observe::told::NamedPlace;
use surefoot_cold::policy::{Closing, Ending, Policy, PolicyOptions};
use surefoot_cold::snapshot::Follower;
use surefoot_cold::state_dir::{HaltLatch, StateDir};
use surefoot_cold::store::StoreStatus;
use surefoot_hot::per_venue::PerVenue;
use surefoot_hot::units::Nanos;

use crate::catalogue::Catalogue;
use crate::config::Config;
use crate::config::limits::Limits;
use crate::control::{Control, exit_note};
use crate::exit::Exit;
use crate::machine::Engine;
use crate::machine::topology::Topology;
use crate::watchdog::child::WatchdogChild;

use audit::AuditThread;
use backups::Backups;
use compare::VenueCheck;
use fees::FeeReading;
use follow::Following;
use foreign::Foreign;
use harden::Hardened;
use last_reading::AtEnd;
use notices::Notices;
use notify::Notify;
use requests::Requests;
use rescue::Rescue;
use run_note::RunNote;
pub use spec::RunSpec;
use status::Vitals;
use watch::Watched;
use watchdog::Watchdog;
use witness::Witnesses;

/// How often the loop looks around.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(20);
/// The main thread must be heard of within this time while a run goes on; otherwise the watchdog takes it for hung.
const LOOK_WITHIN: Duration = Duration::from_secs(30);
/// A hot thread that stands still for so long is taken for dead.
const STALL_AFTER: Duration = Duration::from_secs(2);
/// Why a run is halted whose main thread failed.
const MAIN_THREAD_FAILED: &str = "the main thread failed an assertion";

/// Runs to the end of the run: everything that a mode which trades has in common.
pub fn run(spec: RunSpec, config: &Config, json: bool) -> Exit {
    let exit = match Running::start(spec, config, json) {
        Ok(running) => running.until_over(),
        Err(failed) => failed.say(json),
    };
    exit_note::leave(&StateDir::at(&config.state_dir), exit);
    exit
}

/// What the run policy begins with.
const fn policy_options(
    config: &Config,
    epoch: u64,
    latched: bool,
    span: Option<Duration>,
) -> PolicyOptions {
    PolicyOptions { epoch, latched, read: config.times.read(), span }
}

struct Running {
    spec: RunSpec,
    /// With the limits that are in force.
    config: Config,
    /// The limits as the configuration has them.
    configured: Limits,
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
    fee_reading: FeeReading,
    /// What ends a run without a core; gone once it is at it.
    rescue: Option<Rescue>,
    /// The comparisons with each venue.
    checks: PerVenue<VenueCheck>,
    audit: AuditThread,
    backups: Backups,
    witnesses: Witnesses,
    topology: Topology,
    began_at: Nanos,
    run: u64,
    policy: Policy,
    /// What the policy was asked and has not answered yet.
    requests: Requests,
    at_end: AtEnd,
    /// How the run closes, once the policy has said so.
    closed: Option<(Ending, Closing)>,
    latch: Option<HaltLatch>,
    watched: Watched,
    foreign: Foreign,
    notices: Notices,
    notify: Notify,
    watchdog: Watchdog,
    /// The process that cancels everything where this one cannot; `None` where the venues are embedded, or it could not be started.
    watchdog_child: Option<WatchdogChild>,
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
        let (why, how) = failure::until_closed(
            &mut self,
            Self::until_closed,
            Self::begin_anew_after_failure,
            Self::halt_after_second_failure,
        );
        self.close(why, how)
    }

    /// Looks around until the policy has ended the run.
    fn until_closed(&mut self) -> (Ending, Closing) {
        loop {
            self.control.wait(LOOK_EVERY);
            self.look();
            if let Some(closed) = self.closed {
                return closed;
            }
        }
    }

    /// It may be the policy that failed: a new one halts, and ends the run.
    fn begin_anew_after_failure(&mut self) {
        let begun = policy_options(&self.config, self.engine.halt.read(), false, None);
        let under_way = PerVenue::from_fn(|venue| self.checks[venue].thread.is_some());
        self.requests.drop_all();
        // A reading for the report that is under way goes on, but this policy has not wanted it yet.
        self.at_end.is_wanted_no_more();
        self.policy = Policy::after_failure(self.watched.now(), begun, under_way);
        self.carry_out();
    }

    /// Halts, by none of what is looked at while a run goes on.
    fn halt_after_second_failure(&mut self) {
        self.engine.halt.advance();
        self.latch_halt("thread", MAIN_THREAD_FAILED); // it may not have come to that before
    }
}
