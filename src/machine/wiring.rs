//! The agents of a real or embedded venue: sessions on sockets, executors with keys, on the rings' ends.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crossbeam_channel::Sender;
use rtrb::RingBuffer;
use surefoot_cold::directory::Directory;
use surefoot_cold::exec::ExecOptions;
use surefoot_cold::feed::Feed;
use surefoot_cold::halt::HaltEpoch;
use surefoot_cold::net::{DialPace, Dialer, Endpoint, Neighbours, Trust, client_config};
use surefoot_cold::paper::account::PaperAccount;
use surefoot_cold::wirelog::{self, Contents, WireLog, WireLogError};
use surefoot_hot::ids::Venue;
use surefoot_hot::order::Order;
use surefoot_hot::per_venue::PerVenue;
use surefoot_hot::units::Nanos;
use surefoot_hot::venue::Notice;

use super::executors::Executors;
use super::meter::HotMeter;
use super::topology::AgentEnds;
use super::venue::{Accounts, ExecParts, LinkParts};
use crate::clock::Clock;
use crate::exit::Exit;

/// Ids learnt from the private stream that wait for the executor.
const LEARNT_SLOTS: usize = 1_024;

/// The agents, ready to be dealt out to threads.
pub struct Wired {
    /// All links of every venue.
    pub feed: Feed<HotMeter>,
    /// The executor of each venue.
    pub executors: Executors,
}

/// What [`wire`] needs beside the rings.
pub struct Parts<'a> {
    /// Where each venue is reached, and with whose keys.
    pub accounts: &'a Accounts,
    /// Whose certificates are taken.
    pub trust: &'a Trust,
    /// The markets that are followed.
    pub directory: &'a Directory,
    /// The clock that the agents run by.
    pub clock: &'a Clock,
    /// The halt epoch that every order is held against.
    pub halt: &'a HaltEpoch,
    /// Where the wire logs are.
    pub wire_logs: PerVenue<PathBuf>,
    /// The orders of earlier runs whose end the journal does not hold.
    pub live: &'a [Order],
    /// Whether they are synced before each send.
    pub sync: wirelog::SyncMode,
    /// Where copies of raw frames go for the audit; `None` where nobody audits.
    pub tap: Option<rtrb::Producer<u8>>,
    /// Where the links tell what is no input of the core.
    pub notices: Sender<(Venue, Notice)>,
    /// Makes back-off differ between runs and repeat within one.
    pub seed: u64,
    /// How long an executor's breaker holds orders that open something, at first.
    pub breaker: Nanos,
    /// What is held at each venue where the accounts are on paper.
    pub on_paper: Option<&'a PerVenue<PaperAccount>>,
    /// Whether the executors' thread spins: then idle ones rehearse orders.
    pub spins: bool,
}

/// What the wire logs of earlier runs said.
pub type Remembered = PerVenue<Contents>;

/// Why the agents could not be built.
#[derive(Debug)]
pub enum WireError {
    /// A wire log cannot be used: damaged, or no room.
    Log(WireLogError),
    /// An endpoint has no address, or the system no room for a thread or poll; the words name it.
    Agent(String),
}

impl WireError {
    /// How the program ends by it.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Log(WireLogError::Corrupt { .. }) => Exit::Corrupt,
            Self::Log(WireLogError::Io { .. } | WireLogError::Version { .. }) => Exit::State,
            Self::Agent(_) => Exit::Failed,
        }
    }
}

impl From<String> for WireError {
    fn from(what: String) -> Self {
        Self::Agent(what)
    }
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log(error @ WireLogError::Corrupt { .. }) => write!(
                f,
                "{error}. An order that left may be missing from it. Do not edit it: keep a copy of the state directory, \
                 cancel what rests on the venues' own pages, then see *A damaged wire log* in docs/operator.md"
            ),
            Self::Log(error @ WireLogError::Io { .. }) => write!(
                f,
                "{error}. Nothing was sent. Check the owner, mode and free space of its directory, then start again"
            ),
            Self::Log(error @ WireLogError::Version { .. }) => error.fmt(f),
            Self::Agent(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for WireError {}

/// Builds the agents.
///
/// # Errors
/// An endpoint has no address, a wire log cannot be opened, or the system has no room.
pub fn wire(parts: Parts<'_>, ends: AgentEnds) -> Result<(Wired, Remembered), WireError> {
    let Parts { accounts, directory, halt, live, .. } = parts;
    let AgentEnds { feed: feed_ends, executors: exec_ends, core_turns } = ends;
    let config = client_config(parts.trust);
    let meter = || HotMeter::new(parts.clock.clone());
    let mut feed =
        Feed::new(feed_ends.events, parts.tap, meter()).map_err(|error| error.to_string())?;
    feed.take_intents(feed_ends.intents);
    feed.take_names(feed_ends.names);
    feed.take_witnesses(feed_ends.witnesses);
    // What is held in a market that was withdrawn is sold by its book: the core asks for it. Of any other it may want a witness.
    for entry in directory.iter() {
        feed.know(Arc::new(entry.clone()));
    }
    let mut options = ExecOptions { breaker_open: parts.breaker, ..ExecOptions::default() };
    if !parts.spins {
        options.rehearse_every = Nanos::NEVER;
    }
    let made = exec_ends.map(|venue, ends| -> Result<_, WireError> {
        let (neighbours, pace) = (Neighbours::default(), DialPace::default());
        let dial = |endpoint: &Endpoint, nth: u64| {
            Dialer::new(endpoint.clone(), Arc::clone(&config), parts.seed.wrapping_add(nth))
                .map(|dialer| dialer.beside(&neighbours))
                .map_err(|error| error.to_string())
        };
        let paced =
            |endpoint: &Endpoint, nth: u64| dial(endpoint, nth).map(|dialer| dialer.paced(&pace));
        let (learn, learnt) = RingBuffer::new(LEARNT_SLOTS);
        let notices = &parts.notices;
        let links = LinkParts { venue, directory, notices, dial: &paced };
        let account = accounts.at(venue);
        account.add_links(&mut feed, &links, learn)?;
        let path = &parts.wire_logs[venue];
        let (log, remembered) = WireLog::open(path, parts.sync).map_err(WireError::Log)?;
        let exec = ExecParts {
            directory,
            halt,
            ends,
            log,
            remembered: &remembered,
            live,
            options,
            core_turns: Arc::clone(&core_turns),
            learnt,
            meter: meter(),
            dial: &dial,
            on_paper: parts.on_paper.map(|accounts| &accounts[venue]),
        };
        Ok((account.executor(exec)?, remembered))
    });
    let (executors, remembered) = made.transpose()?.unzip();
    Ok((Wired { feed, executors: Executors(executors) }, remembered))
}
