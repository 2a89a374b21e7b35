//! The agents of a real or embedded venue: sessions on sockets, executors with keys, on the rings' ends.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crossbeam_channel::Sender;
use rtrb::RingBuffer;
use surefoot_cold::directory::{Directory, Names};
use surefoot_cold::exec::{Exec, ExecFigures, ExecOptions, ExecWiring};
use surefoot_cold::feed::{Feed, FeedLink, LinkOptions, Upgrade};
use surefoot_cold::halt::HaltEpoch;
use surefoot_cold::net::{Dialer, Endpoint, Neighbours, client_config};
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
use surefoot_hot::ids::{MarketId, Venue};
use surefoot_hot::order::Order;
use surefoot_hot::units::Nanos;
use surefoot_hot::venue::Notice;

use super::meter::HotMeter;
use super::topology::AgentEnds;
use crate::access::{Access, KalshiAccess};
use crate::clock::Clock;
use crate::exit::Exit;

/// Ids learnt from the private stream that wait for the executor.
const LEARNT_SLOTS: usize = 1_024;

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
    let links = links(access, signers, directory, learn, &notices, &dial)?;
    let mut feed = Feed::new(feed_ends.events, tap, meter()).map_err(|error| error.to_string())?;
    feed.take_intents(feed_ends.intents);
    feed.add(links.polymarket_market);
    feed.add(links.polymarket_user);
    feed.add(links.kalshi_market);
    feed.add(links.kalshi_private);

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
    let mut options = ExecOptions::default();
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

struct Links {
    polymarket_market: FeedLink<surefoot_hot::venue::polymarket::MarketSession>,
    polymarket_user: FeedLink<surefoot_hot::venue::polymarket::UserSession>,
    kalshi_market: FeedLink<surefoot_hot::venue::kalshi::Session>,
    kalshi_private: FeedLink<surefoot_hot::venue::kalshi::Session>,
}

fn links(
    access: &Access,
    signers: &Signers,
    directory: &Directory,
    mut learn: rtrb::Producer<(surefoot_hot::ids::OrderId, wirelog::VenueId)>,
    notices: &Sender<(Venue, Notice)>,
    dial: &dyn Fn(Venue, &Endpoint, u64) -> Result<Dialer, String>,
) -> Result<Links, String> {
    use surefoot_hot::venue::{kalshi, polymarket};
    let of =
        |venue: Venue| directory.of(venue).map(|entry| entry.def.market).collect::<Vec<MarketId>>();
    let pm = &access.polymarket;
    let mut market = polymarket::MarketSession::with_capacity(MARKETS_MAX);
    let mut user = polymarket::UserSession::new(
        MARKETS_MAX,
        polymarket_user_frame(&pm.credentials),
        &pm.credentials.api_key,
    );
    let mut ka_market = kalshi::Session::with_capacity(kalshi::Role::Market, MARKETS_MAX);
    let mut ka_private = kalshi::Session::with_capacity(kalshi::Role::Private, MARKETS_MAX);
    for entry in directory.iter() {
        let fail =
            |_| format!("{}: no room, or a name that stands for another market", entry.names.id());
        match &entry.names {
            Names::Polymarket(names) => {
                let names = polymarket::MarketNames {
                    market: entry.def.market,
                    condition: &names.condition_id,
                    yes: &names.yes_token,
                    no: &names.no_token,
                    grid: entry.def.grid,
                };
                market.add_market(Nanos::ZERO, &names).map_err(fail)?;
                user.add_market(&names).map_err(fail)?;
            }
            Names::Kalshi(names) => {
                let (id, grid) = (entry.def.market, entry.def.grid);
                ka_market.add_market(Nanos::ZERO, &names.ticker, id, grid).map_err(fail)?;
                ka_private.add_market(Nanos::ZERO, &names.ticker, id, grid).map_err(fail)?;
            }
        }
    }
    let KalshiAccess { ws, .. } = &access.kalshi;
    let upgrade = || Some(Box::new(KalshiUpgrade::new(signers.kalshi.clone())) as Box<dyn Upgrade>);
    let heard = || LinkOptions { notices: Some(notices.clone()), ..LinkOptions::default() };
    let links = Links {
        polymarket_market: FeedLink::new(
            Venue::Polymarket,
            Link::Market,
            market,
            of(Venue::Polymarket),
            dial(Venue::Polymarket, &pm.ws_market, 1)?,
            heard(),
        ),
        polymarket_user: FeedLink::new(
            Venue::Polymarket,
            Link::Private,
            user,
            of(Venue::Polymarket),
            dial(Venue::Polymarket, &pm.ws_user, 2)?,
            heard(),
        ),
        kalshi_market: FeedLink::new(
            Venue::Kalshi,
            Link::Market,
            ka_market,
            of(Venue::Kalshi),
            dial(Venue::Kalshi, ws, 3)?,
            LinkOptions { upgrade: upgrade(), ..heard() },
        ),
        kalshi_private: FeedLink::new(
            Venue::Kalshi,
            Link::Private,
            ka_private,
            of(Venue::Kalshi),
            dial(Venue::Kalshi, ws, 4)?,
            LinkOptions {
                upgrade: upgrade(),
                // Fills and updates may outrun the answer that names the order.
                inspect: Some(Box::new(move |frame| {
                    if let Some(learnt) = learn_from_frame(frame) {
                        let _ = learn.push(learnt); // the answer, or a question, names it as well
                    }
                })),
                ..heard()
            },
        ),
    };
    Ok(links)
}
