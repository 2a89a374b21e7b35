//! Our account at each venue, and how the machine is wired to it: a file a venue, and what they have in common.

pub mod description;
mod kalshi;
mod paper;
mod polymarket;

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crossbeam_channel::Sender;
use rtrb::{Consumer, Producer};
use serde_json::Value;
use surefoot_cold::cancel_rights::CancelRights;
use surefoot_cold::directory::{Directory, Entry};
use surefoot_cold::exec::codec::VenueCodec;
use surefoot_cold::exec::{AnyExec, Exec, ExecOptions, ExecWiring};
use surefoot_cold::feed::{Feed, FeedLink, Follow, LinkOptions, assign};
use surefoot_cold::halt::HaltEpoch;
use surefoot_cold::net::{Dialer, Endpoint, Trust};
use surefoot_cold::paper::account::PaperAccount;
use surefoot_cold::paper::exec::PaperShown;
use surefoot_cold::paper::venue::PaperOptions;
use surefoot_cold::reconcile::Reader;
use surefoot_cold::rest::Rest;
use surefoot_cold::wirelog::{Contents, VenueId, WireLog};
use surefoot_hot::event::Link;
use surefoot_hot::ids::{OrderId, Venue};
use surefoot_hot::links::LinkNumber;
use surefoot_hot::order::Order;
use surefoot_hot::per_venue::PerVenue;
use surefoot_hot::units::Nanos;
use surefoot_hot::venue::Notice;

use super::meter::HotMeter;
use super::topology::ExecutorEnds;
pub use kalshi::KalshiAccount;
pub use paper::PaperVenueAccount;
pub use polymarket::PolymarketAccount;

use description::AccessError;

/// Market links beyond those that a venue's markets need at the start: room for markets that are followed later.
pub const SPARE_LINKS: usize = 4;
/// Where the numbers of market links' dialers begin, one lot for each venue; those of all others are below.
const MARKET_DIALS: u64 = 1_000;

/// Makes the dialer of a connection to one venue: where it leads, and a number that no other connection there has.
pub type Dial<'a> = dyn Fn(&Endpoint, u64) -> Result<Dialer, String> + 'a;

/// Our account at a venue, and how the machine is wired to it.
pub trait VenueAccount: fmt::Debug + Send + Sync {
    /// The endpoint of the REST interface that takes orders.
    fn orders_at(&self) -> &Endpoint;
    /// The endpoint of the REST interface that tells the terms of markets; it needs no key.
    fn metadata_at(&self) -> &Endpoint;
    /// Every endpoint that is dialled at this venue.
    fn endpoints(&self) -> Vec<&Endpoint>;
    /// The name of the API key.
    fn key(&self) -> &str;
    /// Whose money trades, as text.
    fn owner(&self) -> String;
    /// What an operator should know of the account before it is traded; `None` where nothing is amiss.
    fn warning(&self) -> Option<&'static str> {
        None
    }
    /// What cancels everything, and nothing else; `None` where nothing of ours can be at the venue.
    fn cancel_rights(&self, trust: &Trust) -> Option<CancelRights>;
    /// What an account on paper shows of itself; `None` where the account is the venue's.
    fn paper(&self) -> Option<&PaperShown> {
        None
    }
    /// Itself, for whoever knows its type: see [`Accounts::of`].
    fn as_any(&self) -> &dyn Any;
    /// A client for signed cold REST.
    fn client(&self, trust: &Trust) -> Rest;
    /// A reader of the account over cold REST.
    fn reader(&self, trust: &Trust, directory: &Directory) -> Box<dyn Reader>;
    /// Adds its links to the feed: market data, and our own orders and fills. `learn` takes our order ids with the venue's,
    /// where its private stream names both.
    ///
    /// # Errors
    /// A market that cannot be followed, or an endpoint without an address; the words name it.
    fn add_links(
        &self,
        feed: &mut Feed<HotMeter>,
        parts: &LinkParts<'_>,
        learn: Producer<(OrderId, VenueId)>,
    ) -> Result<(), String>;
    /// Makes its executor.
    ///
    /// # Errors
    /// An endpoint has no address, or the system no room; the words name it.
    fn executor(&self, parts: ExecParts<'_>) -> Result<Box<dyn AnyExec<HotMeter>>, String>;
}

/// Our account at each venue. They are of different types, because what they sign and where they are reached is.
#[derive(Debug)]
pub struct Accounts(PerVenue<Box<dyn VenueAccount>>);

impl Accounts {
    /// From the object that `surefoot twin --json` prints.
    ///
    /// # Errors
    /// Which field is absent or wrong.
    pub fn from_json(value: &Value) -> Result<Self, AccessError> {
        let account = |venue| -> Result<Box<dyn VenueAccount>, AccessError> {
            Ok(match venue {
                Venue::Polymarket => Box::new(PolymarketAccount::from_json(value)?),
                Venue::Kalshi => Box::new(KalshiAccount::from_json(value)?),
            })
        };
        PerVenue::from_fn(account).transpose().map(Self)
    }

    /// On paper at each venue, whose public addresses are those of that object.
    ///
    /// # Errors
    /// Which field is absent or wrong.
    pub fn on_paper(
        value: &Value,
        options: PaperOptions,
        owner: &str,
    ) -> Result<Self, AccessError> {
        let account = |venue| -> Result<Box<dyn VenueAccount>, AccessError> {
            Ok(Box::new(PaperVenueAccount::from_json(venue, value, options, owner)?))
        };
        PerVenue::from_fn(account).transpose().map(Self)
    }

    /// Whether no order can leave, because the accounts are on paper.
    pub fn are_on_paper(&self) -> bool {
        self.0.values().all(|account| account.paper().is_some())
    }

    /// The account at a venue.
    pub fn at(&self, venue: Venue) -> &dyn VenueAccount {
        self.0[venue].as_ref()
    }

    /// The account that is of this type.
    pub fn of<A: VenueAccount + 'static>(&self) -> Option<&A> {
        self.0.values().find_map(|account| account.as_any().downcast_ref())
    }

    /// Readers over cold REST at each venue.
    pub fn readers(&self, trust: &Trust, directory: &Directory) -> PerVenue<Box<dyn Reader>> {
        PerVenue::from_fn(|venue| self.at(venue).reader(trust, directory))
    }
}

/// What cancels everything at each venue, from the object that `surefoot twin --json` prints: no more of each account's keys is read
/// than that needs.
///
/// # Errors
/// Which field is absent or wrong, or a key file that cannot be read.
pub fn cancel_rights(value: &Value, trust: &Trust) -> Result<PerVenue<CancelRights>, AccessError> {
    let rights = PerVenue::from_fn(|venue| match venue {
        Venue::Polymarket => polymarket::cancel_rights(value, trust),
        Venue::Kalshi => kalshi::cancel_rights(value, trust),
    });
    rights.transpose()
}

/// What a venue's links are made from.
pub struct LinkParts<'a> {
    pub venue: Venue,
    pub directory: &'a Directory,
    pub notices: &'a Sender<(Venue, Notice)>,
    pub dial: &'a Dial<'a>,
}

impl LinkParts<'_> {
    fn options(&self) -> LinkOptions {
        LinkOptions { notices: Some(self.notices.clone()), ..LinkOptions::default() }
    }

    /// Adds as many market links as the venue's limits ask, each with its markets, and [`SPARE_LINKS`] more. `session` makes
    /// the session of a link that has room for so many markets.
    fn add_market_links<S: Follow + Send + 'static>(
        &self,
        feed: &mut Feed<HotMeter>,
        endpoint: &Endpoint,
        session: impl Fn(LinkNumber, usize) -> S,
        options: impl Fn() -> LinkOptions,
    ) -> Result<(), String> {
        let room = self.venue.rules().link_markets_max;
        let lot = (1 + self.venue.index() as u64) * MARKET_DIALS;
        let mut next = 0;
        for (number, markets) in assign(self.directory, self.venue) {
            let session = follow_all(session(number, room), markets.iter().copied())?;
            let markets = markets.iter().map(|entry| entry.def.market).collect();
            let dialer = (self.dial)(endpoint, lot + u64::from(number.get()))?;
            feed.add(FeedLink::new(self.venue, Link::Market, session, markets, dialer, options()));
            next = usize::from(number.get()) + 1;
        }
        for number in (next..).map_while(LinkNumber::new).take(SPARE_LINKS) {
            let dialer = (self.dial)(endpoint, lot + u64::from(number.get()))?;
            let (session, venue) = (session(number, room), self.venue);
            feed.add_spare(FeedLink::new(venue, Link::Market, session, vec![], dialer, options()));
        }
        Ok(())
    }

    /// Adds the link of our own orders and fills, over all of the venue's markets.
    fn add_private_link<S: Follow + Send + 'static>(
        &self,
        feed: &mut Feed<HotMeter>,
        endpoint: &Endpoint,
        nth: u64,
        session: S,
        options: LinkOptions,
    ) -> Result<(), String> {
        let session = follow_all(session, self.directory.of(self.venue))?;
        let markets = self.directory.of(self.venue).map(|entry| entry.def.market).collect();
        let dialer = (self.dial)(endpoint, nth)?;
        feed.add(FeedLink::new(self.venue, Link::Private, session, markets, dialer, options));
        Ok(())
    }
}

/// A session that follows these markets.
///
/// # Errors
/// It does not take one in; the words name it.
fn follow_all<'a, S: Follow>(
    mut session: S,
    markets: impl Iterator<Item = &'a Entry>,
) -> Result<S, String> {
    for entry in markets {
        session.follow(Nanos::ZERO, entry).map_err(|_| {
            format!("{}: no room, or a name that stands for another market", entry.names.id())
        })?;
    }
    Ok(session)
}

/// What a venue's executor is made from.
pub struct ExecParts<'a> {
    pub directory: &'a Directory,
    pub halt: &'a HaltEpoch,
    pub ends: ExecutorEnds,
    pub log: WireLog,
    /// What the log said when it was opened.
    pub remembered: &'a Contents,
    /// The orders of earlier runs whose end the journal does not hold.
    pub live: &'a [Order],
    pub options: ExecOptions,
    pub core_turns: Arc<AtomicU64>,
    /// Order ids learnt from the venue's private stream.
    pub learnt: Consumer<(OrderId, VenueId)>,
    pub meter: HotMeter,
    pub dial: &'a Dial<'a>,
    /// What is held at the start where the account is on paper.
    pub on_paper: Option<&'a PaperAccount>,
}

impl ExecParts<'_> {
    /// The executor around a codec: two connections for orders and one for everything else, numbered from `first`.
    fn build<C: VenueCodec + 'static>(
        self,
        codec: C,
        endpoint: &Endpoint,
        first: u64,
    ) -> Result<Box<dyn AnyExec<HotMeter>>, String> {
        let dial = |nth| (self.dial)(endpoint, first + nth);
        let wiring = ExecWiring {
            core_exec: self.ends.intents,
            exec_core: self.ends.reports,
            halt: self.halt.clone(),
            log: self.log,
            order_lanes: vec![dial(0)?, dial(1)?],
            chore_lanes: vec![dial(2)?],
            learnt: Some(self.learnt),
        };
        let mut exec = Exec::new(codec, wiring, self.options, self.meter)
            .map_err(|error| error.to_string())?;
        exec.watch_core(self.core_turns);
        exec.take_names(self.ends.names);
        exec.remember(self.remembered, self.live);
        Ok(Box::new(exec))
    }
}
