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
use surefoot_hot::bounds::DATA_AGE_MAX;
use surefoot_hot::event::Event;
use surefoot_hot::ids::Venue;
use surefoot_hot::intent::Intent;
use surefoot_hot::links::LinkSet;
use surefoot_hot::units::Nanos;
use surefoot_hot::venue::Counters;

pub use assign::assign;
pub use link::{Command, FeedLink, Follow, Inspect, LinkOptions, LinkStats, Unfollowed, Upgrade};
pub use outlet::{Outlet, OutletFigures, RingSink};
pub use tap::{Tap, TapReader, Tapped};

use crate::net::{Meter, NetError, wait_ready};
use link::AnyLink;

/// Readiness events taken from the system per call.
const EVENTS_MAX: usize = 64;
/// How often the core is told how fresh market data is, and idle links are looked at. A fifth of what the gate allows it to be old.
const CURRENT_EVERY: Nanos = Nanos::from_millis(50);
const _: () = assert!(CURRENT_EVERY.get() * 5 <= DATA_AGE_MAX.get());
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
            awake: Vec::new(),
            deadline: Nanos::ZERO,
            told: Vec::new(),
            current_due: Nanos::ZERO,
            meter,
        })
    }

    /// Takes a link in; it dials in the next turn.
    pub fn add<S: Follow + Send + 'static>(&mut self, mut link: FeedLink<S>) {
        link.register_as(Token(self.links.len()));
        self.links.push(Box::new(link));
        self.told.push(Nanos::ZERO);
        self.awake.resize(self.links.len().div_ceil(64), 0);
        self.deadline = Nanos::ZERO; // it dials
    }

    /// Where [`Intent::Resync`] and [`Intent::Unfollow`] come from. Any other intent there is a mistake of the wiring.
    pub fn take_intents(&mut self, core_feed: Consumer<Intent>) {
        self.intents = Some(core_feed);
    }

    /// One turn: what is ready is read, decoded and pushed, within bounds. Returns the work done; zero is idle.
    pub fn turn(&mut self, now: Nanos) -> u32 {
        self.gather(Some(Duration::ZERO));
        let mut work = self.outlet.flush();
        work += self.route_resyncs(now);
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

    fn route_resyncs(&mut self, now: Nanos) -> u32 {
        let Some(intents) = &mut self.intents else { return 0 };
        let mut work = 0;
        while work < 64 {
            let Ok(intent) = intents.pop() else { break };
            work += 1;
            if let Intent::Unfollow { market } = intent {
                for (nth, link) in self.links.iter_mut().enumerate() {
                    if link.follows(market) {
                        link.unfollow(now, &[market]);
                        self.awake[nth / 64] |= 1 << (nth % 64);
                    }
                }
                continue;
            }
            let Intent::Resync { market } = intent else {
                panic!("only what concerns subscriptions is wired to the feed: {intent:?}")
            };
            for (nth, link) in self.links.iter_mut().enumerate() {
                if link.follows(market) {
                    link.resync(now, market);
                    self.awake[nth / 64] |= 1 << (nth % 64);
                }
            }
        }
        work
    }
}
