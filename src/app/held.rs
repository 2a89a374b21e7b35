//! What a run holds of its state directory and of the accounts: taken first, because it keeps another run from both.

use std::os::unix::net::UnixListener;

use surefoot_cold::account::{self, AccountError};
use surefoot_cold::lock::Lock;
use surefoot_cold::observe::observer::Announcer;
use surefoot_cold::observe::told::NamedPlace;
use surefoot_cold::state_dir::{HaltLatch, StateDir, StateError};
use surefoot_hot::ids::Venue;

use super::RunSpec;
use super::crash_loop;
use super::harden::{Hardened, harden};
use super::run_note::RunNote;
use crate::access::Access;
use crate::cli::Mode;
use crate::config::Config;
use crate::control::{Control, Signals, exit_note};
use crate::exit::{Exit, Failed};

/// What a run holds of its state directory and of the accounts for as long as it lasts.
pub(super) struct Held {
    pub state: StateDir,
    pub lock: Lock,
    pub control: Control,
    pub hardened: Hardened,
    /// Whether the run before this one ended with nothing resting, or there was none.
    pub ended_well_before: bool,
    /// The halt that this start began with itself.
    pub halt: Option<HaltLatch>,
}

impl Held {
    /// Takes the state directory, then the accounts, then listens for requests in both.
    pub fn take(spec: &RunSpec, config: &Config, notes: &Announcer) -> Result<Self, Failed> {
        let state = StateDir::open(&config.state_dir)?;
        let is_first = !state.was_used();
        let lock = state.lock()?;
        let ended_well_before = is_first || exit_note::before(&state) == Some(Exit::Ok);
        let accounts = take_accounts(&spec.access)?;
        let halt = crash_loop::begin(&state, config.crashes_max, notes)?;
        let hardened = harden();
        for gap in hardened.gaps() {
            if spec.mode != Mode::Demo {
                notes.note(RunNote::NotHardened.told(NamedPlace::default(), gap.to_string()));
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
        Ok(Self { state, lock, control, hardened, ended_well_before, halt })
    }
}

/// Takes the account at each venue for this process.
fn take_accounts(access: &Access) -> Result<Vec<UnixListener>, Failed> {
    let take = |venue: Venue| match account::take(access.account(venue)) {
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
