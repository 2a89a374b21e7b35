//! The feed: sockets to sessions to the ring, on one thread, never blocking.
//!
//! A [`Feed`] owns some [`FeedLink`]s and the one producing end of `feed_core`. Each link is a WebSocket over
//! TLS with a hot [`Session`](surefoot_hot::venue::Session) that understands it.

mod assign;
pub mod link;
mod market_set;
pub mod outlet;
pub mod tap;

use std::sync::Arc;
use std::time::Duration;

use mio::{Events, Poll, Token, Waker};
use rtrb::{Consumer, Producer};
use surefoot_hot::bounds::{DATA_AGE_MAX, MARKETS_MAX};
use surefoot_hot::event::{Event, Link};
use surefoot_hot::ids::{MarketId, Venue};
use surefoot_hot::intent::Intent;
use surefoot_hot::links::LinkSet;
use surefoot_hot::per_venue::PerVenue;
use surefoot_hot::units::Nanos;
use surefoot_hot::venue::Counters;

pub use assign::assign;
pub use link::{Command, FeedLink, Follow, Inspect, LinkOptions, LinkStats, Unfollowed, Upgrade};
pub use outlet::{Outlet, OutletFigures, RingSink};
pub use tap::{Tap, TapReader, Tapped};

use crate::directory::Entry;
use crate::net::{Meter, NetError, wait_ready};
use link::AnyLink;

/// Readiness events taken from the system per call.
const EVENTS_MAX: usize = 64;
/// How often the core is told how fresh market data is, and idle links are looked at. A fifth of what the gate allows it to be old.
const CURRENT_EVERY: Nanos = Nanos::from_millis(50);
const _: () = assert!(CURRENT_EVERY.get() * 5 <= DATA_AGE_MAX.get());
/// Intents taken per turn.
const ROUTED_MAX: usize = 64;
/// The token of the waker; links have the numbers from 0.
const WAKE: Token = Token(usize::MAX);

/// The agent that reads the venues.
pub struct Feed<M> {
    poll: Poll,
    events: Events,
    waker: Arc<Waker>,
    links: Vec<Box<dyn AnyLink<M>>>,
    outlet: Outlet,
    tap: Option<Tap>,
    intents: Option<Consumer<Intent>>,
    /// Markets that the core may ask for, told before it hears of them.
    names: Option<Consumer<Arc<Entry>>>,
    /// What they are called, by market.
    known: Vec<Option<Arc<Entry>>>,
    /// Links that are not needed yet: they have no market and do not dial.
    spares: Vec<Box<dyn AnyLink<M>>>,
    /// Markets that are left in this turn.
    leaving: Vec<MarketId>,
    /// Requests for markets that found no place on any link.
    unplaced: u64,
    /// Where it is said of which market a venue's book is wanted over REST.
    witnesses: Option<PerVenue<Producer<Arc<Entry>>>>,
    /// Links that have something to do in the next turn, one bit for each. Most of a hundred links are idle at any moment.
    awake: Vec<u64>,
    /// When the first link's deadline comes.
    deadline: Nanos,
    /// Up to when the core was last told that a link's data has been handed in, by link.
    told: Vec<Nanos>,
    /// When the core is next told how fresh market data is.
    current_due: Nanos,
    meter: M,
}

impl<M: Meter> Feed<M> {
    /// A feed without links.
    ///
    /// # Errors
    /// The system has no room for another poll.
    pub fn new(
        feed_core: Producer<Event>,
        tap: Option<Producer<u8>>,
        meter: M,
    ) -> Result<Self, NetError> {
        let fail = |doing| move |error| NetError::Io { doing, error };
        let poll = Poll::new().map_err(fail("making the feed's poll"))?;
        let waker = Waker::new(poll.registry(), WAKE).map_err(fail("making the feed's waker"))?;
        Ok(Self {
            poll,
            events: Events::with_capacity(EVENTS_MAX),
            waker: Arc::new(waker),
            links: Vec::new(),
            outlet: Outlet::new(feed_core),
            tap: tap.map(Tap::new),
            intents: None,
            names: None,
            known: vec![None; MARKETS_MAX],
            spares: Vec::new(),
            leaving: Vec::with_capacity(ROUTED_MAX),
            unplaced: 0,
            witnesses: None,
            awake: Vec::new(),
            deadline: Nanos::ZERO,
            told: Vec::new(),
            current_due: Nanos::ZERO,
            meter,
        })
    }

    /// Takes a link in; it dials in the next turn.
    pub fn add<S: Follow + Send + 'static>(&mut self, link: FeedLink<S>) {
        self.push(Box::new(link));
    }

    fn push(&mut self, mut link: Box<dyn AnyLink<M>>) {
        link.register_as(Token(self.links.len()));
        self.links.push(link);
        self.told.push(Nanos::ZERO);
        self.awake.resize(self.links.len().div_ceil(64), 0);
        self.deadline = Nanos::ZERO; // it dials
    }

    /// Takes in a market link without markets. It becomes one of the links when the others of its venue have no place left for
    /// a market; those of a venue do so in the order in which they were added.
    pub fn add_spare<S: Follow + Send + 'static>(&mut self, link: FeedLink<S>) {
        self.spares.push(Box::new(link));
        let all = self.links.len() + self.spares.len();
        self.links.reserve(all - self.links.len());
        self.told.reserve(all - self.told.len());
        self.awake.reserve(all.div_ceil(64) - self.awake.len());
    }

    /// What a market is called that the core may ask for.
    pub fn know(&mut self, entry: Arc<Entry>) {
        let slot = &mut self.known[entry.def.market.index()];
        *slot = Some(entry);
    }

    /// Where it hears of further markets while it runs. A market must be told there before the core hears of it.
    pub fn take_names(&mut self, names: Consumer<Arc<Entry>>) {
        self.names = Some(names);
    }

    /// Requests for markets that found no place on any link.
    pub fn unplaced(&self) -> u64 {
        self.unplaced
    }

    /// Where it says of which market a venue's book is wanted over REST: somebody asks for it who may wait for an answer. What
    /// finds no room there is not asked for; the core counts it as not answered.
    pub fn take_witnesses(&mut self, witnesses: PerVenue<Producer<Arc<Entry>>>) {
        self.witnesses = Some(witnesses);
    }

    /// Where [`Intent::Resync`], [`Intent::Unfollow`] and [`Intent::Witness`] come from. Any other intent there is a mistake of the wiring.
    pub fn take_intents(&mut self, core_feed: Consumer<Intent>) {
        self.intents = Some(core_feed);
    }

    /// One turn: what is ready is read, decoded and pushed, within bounds. Returns the work done; zero is idle.
    pub fn turn(&mut self, now: Nanos) -> u32 {
        self.gather(Some(Duration::ZERO));
        let mut work = self.outlet.flush();
        work += self.route_intents(now);
        let tells = now >= self.current_due;
        if tells || now >= self.deadline || self.outlet.is_dropping() {
            self.deadline = Nanos::NEVER;
            for nth in 0..self.links.len() {
                work += self.turn_link(now, nth);
            }
        } else {
            for word in 0..self.awake.len() {
                let mut awake = self.awake[word];
                while awake != 0 {
                    work += self.turn_link(now, word * 64 + awake.trailing_zeros() as usize);
                    awake &= awake - 1;
                }
            }
        }
        if tells {
            self.current_due = now.after(CURRENT_EVERY);
            self.tell_current(now);
        }
        work
    }

    fn turn_link(&mut self, now: Nanos, nth: usize) -> u32 {
        let (link, tap) = (&mut self.links[nth], self.tap.as_mut());
        let work = link.turn(now, self.poll.registry(), &mut self.outlet, tap, &mut self.meter);
        self.deadline = self.deadline.min(link.deadline());
        let (word, bit) = (&mut self.awake[nth / 64], 1 << (nth % 64));
        *word = if link.wants_turn() { *word | bit } else { *word & !bit };
        work
    }

    /// Tells the core up to when the market data of each link has been handed in: in one event for those of a venue that
    /// were read empty a moment ago, as far as all of them; of each other where it is news. `now` was read before the
    /// sockets were, so a stall in this turn makes data older, never younger.
    fn tell_current(&mut self, now: Nanos) {
        let mut together = [(LinkSet::NONE, Nanos::NEVER); Venue::ALL.len()];
        for (link, told) in self.links.iter().zip(&mut self.told) {
            let Some(upto) = link.current(now).filter(|upto| *upto > Nanos::ZERO) else { continue };
            let (venue, number) = (link.stats().venue, link.stats().number);
            if self.outlet.is_lossy(venue, number) {
                continue; // it must not look fresh
            }
            if now.since(upto) <= CURRENT_EVERY {
                let (links, all) = &mut together[venue.index()];
                links.insert(number);
                *all = upto.min(*all);
            } else if upto > *told {
                let links = LinkSet::only(number);
                if self.outlet.mention(Event::Current { venue, links, upto }) {
                    *told = upto;
                }
            }
        }
        for venue in Venue::ALL {
            let (links, upto) = together[venue.index()];
            if !links.is_empty() {
                self.outlet.mention(Event::Current { venue, links, upto });
            }
        }
        self.outlet.mention(Event::Handed { read: now }); // behind all that this turn has read
    }

    /// Waits for something to read, for the waker, for the next deadline or for `longest`; then it is time for
    /// a [`Feed::turn`]. For threads that may sleep.
    pub fn park(&mut self, now: Nanos, longest: Duration) {
        if self.outlet.is_waiting() || self.links.iter().any(|link| link.has_more()) {
            return;
        }
        let deadline = self.links.iter().map(|link| link.deadline()).min();
        let until = Duration::from_nanos(deadline.unwrap_or(Nanos::NEVER).since(now).get());
        self.gather(Some(until.min(longest)));
    }

    /// Ends a [`Feed::park`] from another thread.
    pub fn waker(&self) -> Arc<Waker> {
        Arc::clone(&self.waker)
    }

    /// Closes every link; each says so to the core where there is room.
    pub fn close(&mut self, now: Nanos) {
        for link in &mut self.links {
            link.shut(now, self.poll.registry(), &mut self.outlet);
        }
        self.outlet.flush();
    }

    /// What each link has done so far, in the order they were added.
    pub fn stats(&self) -> impl Iterator<Item = &LinkStats> {
        self.links.iter().map(|link| link.stats())
    }

    /// What the session of each link has counted so far, in the order they were added.
    pub fn counters(&self) -> impl Iterator<Item = &Counters> {
        self.links.iter().map(|link| link.counters())
    }

    /// The ring's side of it: what was dropped, what waited.
    pub fn outlet(&self) -> &Outlet {
        &self.outlet
    }

    /// The meter, for reading.
    pub fn meter(&mut self) -> &mut M {
        &mut self.meter
    }

    fn gather(&mut self, timeout: Option<Duration>) {
        if !wait_ready(&mut self.poll, &mut self.events, timeout) {
            return;
        }
        for event in &self.events {
            if let Some(link) = self.links.get_mut(event.token().0) {
                link.on_ready(event);
                self.awake[event.token().0 / 64] |= 1 << (event.token().0 % 64);
            }
        }
    }

    /// Does what the core wants of subscriptions, in its order; how much that was.
    fn route_intents(&mut self, now: Nanos) -> u32 {
        let mut work = self.take_in_names(now);
        for _ in 0..ROUTED_MAX {
            let Some(intent) = self.intents.as_mut().and_then(|intents| intents.pop().ok()) else {
                break;
            };
            work += 1;
            match intent {
                Intent::Resync { market } => {
                    self.leave(now);
                    self.take_in_names(now); // a market was told before the core could ask for it
                    self.resync(now, market);
                }
                Intent::Unfollow { market } => self.leaving.push(market),
                Intent::Witness { market } => self.hand_on_witness(market),
                Intent::Place(_)
                | Intent::Cancel(_)
                | Intent::CancelAll { .. }
                | Intent::Query(_)
                | Intent::Amend(_) => {
                    panic!("only what concerns subscriptions is wired to the feed: {intent:?}")
                }
            }
        }
        self.leave(now);
        work
    }

    /// Takes in markets that the core may ask for. Private links know them from now on, and links that carry them already
    /// hear of their new terms.
    fn take_in_names(&mut self, now: Nanos) -> u32 {
        let mut work = 0;
        while let Some(entry) = self.names.as_mut().and_then(|names| names.pop().ok()) {
            work += 1;
            let (market, venue) = (entry.def.market, entry.def.venue);
            for (nth, link) in self.links.iter_mut().enumerate() {
                let is_private = link.stats().link == Link::Private && link.stats().venue == venue;
                if is_private || link.carries(market) {
                    link.follow(now, &entry);
                    self.awake[nth / 64] |= 1 << (nth % 64);
                }
            }
            self.know(entry);
        }
        work
    }

    /// A market's book is wanted over REST.
    fn hand_on_witness(&mut self, market: MarketId) {
        let entry = self.known.get(market.index()).and_then(Option::as_ref);
        if let (Some(witnesses), Some(entry)) = (&mut self.witnesses, entry) {
            let _ = witnesses[entry.def.venue].push(Arc::clone(entry));
        }
    }

    /// A fresh snapshot of a market is wanted: one that no link carries is subscribed to.
    fn resync(&mut self, now: Nanos, market: MarketId) {
        if let Some(nth) = self.links.iter().position(|link| link.carries(market)) {
            self.links[nth].resync(now, market);
            self.awake[nth / 64] |= 1 << (nth % 64);
            return;
        }
        let Some(entry) = self.known.get(market.index()).and_then(Option::clone) else { return };
        match self.place_for(entry.def.venue) {
            Some(nth) if self.links[nth].follow(now, &entry) => {
                self.awake[nth / 64] |= 1 << (nth % 64);
            }
            Some(_) | None => self.unplaced += 1, // the core asks again
        }
    }

    /// The link that carries the next market of a venue.
    fn place_for(&mut self, venue: Venue) -> Option<usize> {
        if let Some(nth) = self.links.iter().position(|link| link.has_place(venue)) {
            return Some(nth);
        }
        let spare = self.spares.iter().position(|link| link.has_place(venue))?;
        let spare = self.spares.remove(spare);
        self.push(spare);
        Some(self.links.len() - 1)
    }

    /// Stops following the markets that are left, with one request on each link.
    fn leave(&mut self, now: Nanos) {
        if self.leaving.is_empty() {
            return;
        }
        for (nth, link) in self.links.iter_mut().enumerate() {
            if self.leaving.iter().any(|market| link.carries(*market)) {
                link.unfollow(now, &self.leaving);
                self.awake[nth / 64] |= 1 << (nth % 64);
            }
        }
        self.leaving.clear();
    }
}
