//! The agents of a real or embedded venue: sessions on sockets, executors with keys, on the rings' ends.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crossbeam_channel::Sender;
use rtrb::RingBuffer;
use surefoot_cold::directory::{Directory, Entry};
use surefoot_cold::exec::{Exec, ExecFigures, ExecOptions, ExecWiring};
use surefoot_cold::feed::{Feed, FeedLink, Follow, LinkOptions, Upgrade, assign, markets_per_link};
use surefoot_cold::halt::HaltEpoch;
use surefoot_cold::net::{DialPace, Dialer, Endpoint, Neighbours, client_config};
use surefoot_cold::reconcile::Reader;
use surefoot_cold::rest::Rest;
use surefoot_cold::venue::kalshi::reconcile::KalshiReader;
use surefoot_cold::venue::kalshi::{
    HeaderSlots, Kalshi, KalshiAuth, KalshiExec, KalshiRates, KalshiUpgrade, learn_from_frame,
};
use surefoot_cold::venue::polymarket::reconcile::PolymarketReader;
use surefoot_cold::venue::polymarket::{
    Polymarket, PolymarketAuth, PolymarketExec, PolymarketRates, polymarket_user_frame,
};
use surefoot_cold::venue::{kalshi, polymarket};
use surefoot_cold::wirelog::{self, Contents, WireLog, WireLogError};
use surefoot_hot::bounds::MARKETS_MAX;
use surefoot_hot::event::Link;
use surefoot_hot::ids::{MarketId, OrderId, Venue};
use surefoot_hot::order::Order;
use surefoot_hot::units::Nanos;
use surefoot_hot::venue::{Notice, kalshi as kalshi_venue, polymarket as polymarket_venue};

use super::meter::HotMeter;
use super::topology::AgentEnds;
use crate::access::Access;
use crate::clock::Clock;
use crate::exit::Exit;

/// Ids learnt from the private stream that wait for the executor.
const LEARNT_SLOTS: usize = 1_024;
/// Where the seeds of market links' dialers begin, one lot for each venue; those of all others are below.
const MARKET_DIALS: u64 = 1_000;

/// Both executors: they take turns on one thread.
pub struct Executors {
    /// Polymarket's.
    pub polymarket: PolymarketExec<HotMeter>,
    /// Kalshi's.
    pub kalshi: KalshiExec<HotMeter>,
}

impl Executors {
    /// One turn of each.
    #[inline]
    pub fn turn(&mut self, now: Nanos) -> u32 {
        self.polymarket.turn(now) + self.kalshi.turn(now)
    }

    /// What health is judged by, by venue.
    pub fn figures(&self, now: Nanos) -> [ExecFigures; 2] {
        [self.polymarket.figures(now), self.kalshi.figures(now)]
    }

    /// What they measured.
    pub fn meters(&mut self) -> [HotMeter; 2] {
        [self.polymarket.meter().clone(), self.kalshi.meter().clone()]
    }
}

/// The agents, ready to be dealt out to threads.
pub struct Wired {
    /// All links of both venues.
    pub feed: Feed<HotMeter>,
    /// Both executors.
    pub executors: Executors,
}

/// Who signs for us at the venues, shared by executors and cold readers.
pub struct Signers {
    /// Polymarket's.
    pub polymarket: Arc<polymarket::signer::Signer>,
    /// Kalshi's.
    pub kalshi: Arc<kalshi::signer::Signer>,
}

impl Signers {
    /// From the keys.
    ///
    /// # Errors
    /// A key is not what it should be; the words name which.
    pub fn new(access: &Access) -> Result<Self, String> {
        let pm = &access.polymarket;
        let polymarket = polymarket::signer::Signer::new(
            &pm.private_key,
            pm.kind,
            pm.funder,
            pm.chain,
            Some(&pm.credentials),
        )
        .map_err(|error| format!("polymarket account: {error}"))?;
        let kalshi = kalshi::signer::Signer::from_pem(&access.kalshi.key_id, &access.kalshi.pem)
            .map_err(|error| format!("kalshi key {}: {error}", access.kalshi.key_id))?;
        Ok(Self { polymarket: Arc::new(polymarket), kalshi: Arc::new(kalshi) })
    }

    /// Clients for signed cold REST at both venues, by venue.
    pub fn clients(&self, access: &Access) -> [Rest; 2] {
        let polymarket = Arc::new(PolymarketAuth(self.polymarket.clone()));
        let kalshi = Arc::new(KalshiAuth(self.kalshi.clone()));
        [
            Rest::new(access.polymarket.clob.clone(), &access.trust, Some(polymarket)),
            Rest::new(access.kalshi.rest.clone(), &access.trust, Some(kalshi)),
        ]
    }

    /// Readers over cold REST at both venues: metadata, and what is true.
    pub fn readers(&self, access: &Access, directory: &Directory) -> [Box<dyn Reader>; 2] {
        let pm = &access.polymarket;
        let [clob, kalshi] = self.clients(access);
        let data = Rest::new(pm.data.clone(), &access.trust, None);
        [
            Box::new(PolymarketReader::new(
                clob,
                data,
                self.polymarket.maker_text().to_owned(),
                pm.credentials.api_key.clone(),
                pm.kind as u8,
                directory,
            )),
            Box::new(KalshiReader::new(kalshi, directory)),
        ]
    }
}

/// What [`wire`] needs beside the rings.
pub struct Parts<'a> {
    /// Where and with whose keys.
    pub access: &'a Access,
    /// Who signs.
    pub signers: &'a Signers,
    /// Which markets.
    pub directory: &'a Directory,
    /// The clock that the agents run by.
    pub clock: &'a Clock,
    /// The halt epoch that every order is held against.
    pub halt: &'a HaltEpoch,
    /// Where the wire logs are, by venue.
    pub wire_logs: [&'a Path; 2],
    /// The orders of earlier runs whose end the journal does not hold.
    pub live: &'a [Order],
    /// Whether they are synced before each send.
    pub sync: wirelog::SyncMode,
    /// Raw frames for the audit.
    pub tap: Option<rtrb::Producer<u8>>,
    /// Where the links tell what is no input of the core.
    pub notices: Sender<(Venue, Notice)>,
    /// Makes back-off differ between runs and repeat within one.
    pub seed: u64,
    /// How long an executor's breaker holds orders that open something, at first.
    pub breaker: Nanos,
    /// Whether the executors' thread spins: then idle ones rehearse orders.
    pub spins: bool,
}

/// What the wire logs of earlier runs said, by venue.
pub type Remembered = [Contents; 2];

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
            Self::Log(WireLogError::Io { .. }) => Exit::State,
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
    let Parts {
        access,
        signers,
        directory,
        clock,
        halt,
        wire_logs,
        live,
        sync,
        tap,
        notices,
        seed,
        breaker,
        spins,
    } = parts;
    let AgentEnds { feed: feed_ends, executors: [pm_ends, ka_ends], core_turns } = ends;
    let config = client_config(&access.trust);
    let neighbours: [Neighbours; 2] = Default::default();
    let dial = |venue: Venue, endpoint: &Endpoint, nth: u64| {
        Dialer::new(endpoint.clone(), Arc::clone(&config), seed.wrapping_add(nth))
            .map(|dialer| dialer.beside(&neighbours[venue.index()]))
            .map_err(|error| error.to_string())
    };
    let meter = || HotMeter::new(clock.clone());
    let (learn, learnt) = RingBuffer::new(LEARNT_SLOTS);
    let mut feed = Feed::new(feed_ends.events, tap, meter()).map_err(|error| error.to_string())?;
    feed.take_intents(feed_ends.intents);
    let paces: [DialPace; 2] = Default::default();
    let paced = |venue: Venue, endpoint: &Endpoint, nth: u64| {
        dial(venue, endpoint, nth).map(|dialer| dialer.paced(&paces[venue.index()]))
    };
    let link_parts = LinkParts { access, signers, directory, notices: &notices, dial: &paced };
    add_polymarket(&mut feed, &link_parts)?;
    add_kalshi(&mut feed, &link_parts, learn)?;

    let open_log = |path: &Path| WireLog::open(path, sync).map_err(WireError::Log);
    let (pm_log, pm_contents) = open_log(wire_logs[0])?;
    let (ka_log, ka_contents) = open_log(wire_logs[1])?;
    let clob = &access.polymarket.clob;
    let codec =
        Polymarket::new(signers.polymarket.clone(), clob, directory, PolymarketRates::default());
    let wiring = ExecWiring {
        core_exec: pm_ends.intents,
        exec_core: pm_ends.reports,
        halt: halt.clone(),
        log: pm_log,
        order_lanes: vec![dial(Venue::Polymarket, clob, 10)?, dial(Venue::Polymarket, clob, 11)?],
        chore_lanes: vec![dial(Venue::Polymarket, clob, 12)?],
        learnt: None,
    };
    let mut options = ExecOptions { breaker_open: breaker, ..ExecOptions::default() };
    if !spins {
        options.rehearse_every = Nanos::NEVER;
    }
    // The dead man's switch is armed where money is real or acts as if: the venue cancels when we fall silent.
    let with_switch = ExecOptions { heartbeat: true, ..options };
    let mut pm_exec =
        Exec::new(codec, wiring, with_switch, meter()).map_err(|error| error.to_string())?;
    pm_exec.watch_core(Arc::clone(&core_turns));
    pm_exec.remember(&pm_contents, live);

    let rest = &access.kalshi.rest;
    let slots = HeaderSlots::spawn(signers.kalshi.clone())
        .map_err(|error| format!("starting the signer: {error}"))?;
    let codec =
        Kalshi::new(signers.kalshi.clone(), rest, directory, KalshiRates::default(), Some(slots));
    let wiring = ExecWiring {
        core_exec: ka_ends.intents,
        exec_core: ka_ends.reports,
        halt: halt.clone(),
        log: ka_log,
        order_lanes: vec![dial(Venue::Kalshi, rest, 20)?, dial(Venue::Kalshi, rest, 21)?],
        chore_lanes: vec![dial(Venue::Kalshi, rest, 22)?],
        learnt: Some(learnt),
    };
    let mut ka_exec =
        Exec::new(codec, wiring, options, meter()).map_err(|error| error.to_string())?;
    ka_exec.watch_core(Arc::clone(&core_turns));
    ka_exec.remember(&ka_contents, live);
    let wired = Wired { feed, executors: Executors { polymarket: pm_exec, kalshi: ka_exec } };
    Ok((wired, [pm_contents, ka_contents]))
}

/// What the links of the feed are made from.
struct LinkParts<'a> {
    access: &'a Access,
    signers: &'a Signers,
    directory: &'a Directory,
    notices: &'a Sender<(Venue, Notice)>,
    /// Makes the dialer of the nth connection.
    dial: &'a dyn Fn(Venue, &Endpoint, u64) -> Result<Dialer, String>,
}

impl LinkParts<'_> {
    fn markets(&self, venue: Venue) -> Vec<MarketId> {
        self.directory.of(venue).map(|entry| entry.def.market).collect()
    }

    fn options(&self) -> LinkOptions {
        LinkOptions { notices: Some(self.notices.clone()), ..LinkOptions::default() }
    }
}

/// Why a session does not take a market in.
fn unfit(entry: &Entry) -> String {
    format!("{}: no room, or a name that stands for another market", entry.names.id())
}

/// Polymarket's market links, each with its markets, and the link of our own orders and fills.
fn add_polymarket(feed: &mut Feed<HotMeter>, parts: &LinkParts<'_>) -> Result<(), String> {
    let pm = &parts.access.polymarket;
    for (number, markets) in assign(parts.directory, Venue::Polymarket) {
        let room = markets_per_link(Venue::Polymarket);
        let mut session = polymarket_venue::MarketSession::with_capacity(room).numbered(number);
        for entry in &markets {
            session.follow(Nanos::ZERO, entry).map_err(|_| unfit(entry))?;
        }
        let markets = markets.iter().map(|entry| entry.def.market).collect();
        let dialer =
            (parts.dial)(Venue::Polymarket, &pm.ws_market, MARKET_DIALS + u64::from(number.get()))?;
        let (venue, options) = (Venue::Polymarket, parts.options());
        feed.add(FeedLink::new(venue, Link::Market, session, markets, dialer, options));
    }
    let mut user = polymarket_venue::UserSession::new(
        MARKETS_MAX,
        polymarket_user_frame(&pm.credentials),
        &pm.credentials.api_key,
    );
    for entry in parts.directory.of(Venue::Polymarket) {
        user.follow(Nanos::ZERO, entry).map_err(|_| unfit(entry))?;
    }
    let markets = parts.markets(Venue::Polymarket);
    let (dialer, options) = ((parts.dial)(Venue::Polymarket, &pm.ws_user, 2)?, parts.options());
    feed.add(FeedLink::new(Venue::Polymarket, Link::Private, user, markets, dialer, options));
    Ok(())
}

/// Kalshi's market links, each with its markets, and the link of our own orders and fills. The executor learns from the
/// latter: fills and updates may outrun the answer that names the order.
fn add_kalshi(
    feed: &mut Feed<HotMeter>,
    parts: &LinkParts<'_>,
    mut learn: rtrb::Producer<(OrderId, wirelog::VenueId)>,
) -> Result<(), String> {
    let ws = &parts.access.kalshi.ws;
    let upgrade = || -> Option<Box<dyn Upgrade>> {
        Some(Box::new(KalshiUpgrade::new(parts.signers.kalshi.clone())))
    };
    for (number, markets) in assign(parts.directory, Venue::Kalshi) {
        let room = markets_per_link(Venue::Kalshi);
        let session = kalshi_venue::Session::with_capacity(kalshi_venue::Role::Market, room);
        let mut session = session.numbered(number);
        for entry in &markets {
            session.follow(Nanos::ZERO, entry).map_err(|_| unfit(entry))?;
        }
        let markets = markets.iter().map(|entry| entry.def.market).collect();
        let dialer = (parts.dial)(Venue::Kalshi, ws, 2 * MARKET_DIALS + u64::from(number.get()))?;
        let options = LinkOptions { upgrade: upgrade(), ..parts.options() };
        feed.add(FeedLink::new(Venue::Kalshi, Link::Market, session, markets, dialer, options));
    }
    let role = kalshi_venue::Role::Private;
    let mut private = kalshi_venue::Session::with_capacity(role, MARKETS_MAX);
    for entry in parts.directory.of(Venue::Kalshi) {
        private.follow(Nanos::ZERO, entry).map_err(|_| unfit(entry))?;
    }
    let options = LinkOptions {
        upgrade: upgrade(),
        inspect: Some(Box::new(move |frame| {
            if let Some(learnt) = learn_from_frame(frame) {
                let _ = learn.push(learnt); // the answer, or a question, names it as well
            }
        })),
        ..parts.options()
    };
    let (markets, dialer) = (parts.markets(Venue::Kalshi), (parts.dial)(Venue::Kalshi, ws, 4)?);
    feed.add(FeedLink::new(Venue::Kalshi, Link::Private, private, markets, dialer, options));
    Ok(())
}
