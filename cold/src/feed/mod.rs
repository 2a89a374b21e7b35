//! The feed: sockets to sessions to the ring, on one thread, never blocking.
//!
//! A [`Feed`] owns some [`FeedLink`]s and the one producing end of `feed_core`. Each link is a WebSocket over
//! TLS with a hot [`Session`](surefoot_hot::venue::Session) that understands it.

pub mod link;
pub mod outlet;
pub mod tap;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use mio::{Events, Poll, Token, Waker};
use rtrb::{Consumer, Producer};
use surefoot_hot::bounds::DATA_AGE_MAX;
use surefoot_hot::event::Event;
use surefoot_hot::ids::Venue;
use surefoot_hot::intent::Intent;
use surefoot_hot::units::Nanos;
use surefoot_hot::venue::Counters;

pub use link::{Command, FeedLink, Follow, Inspect, LinkOptions, LinkStats, Unfollowed, Upgrade};
pub use outlet::{Outlet, OutletFigures, RingSink};
pub use tap::{Tap, TapReader, Tapped};

use crate::net::{Meter, NetError};
use link::Pump;

/// Readiness events taken from the system per call.
const EVENTS_MAX: usize = 64;
/// How often the core is told how fresh each venue's market data is. A fifth of what the gate allows it to be old.
const CURRENT_EVERY: Nanos = Nanos::from_millis(50);
const _: () = assert!(CURRENT_EVERY.get() * 5 <= DATA_AGE_MAX.get());
/// The token of the waker; links have the numbers from 0.
const WAKE: Token = Token(usize::MAX);

/// The agent that reads the venues.
pub struct Feed<M> {
    poll: Poll,
    events: Events,
    waker: Arc<Waker>,
    links: Vec<Box<dyn Pump<M>>>,
    outlet: Outlet,
    tap: Option<Tap>,
    intents: Option<Consumer<Intent>>,
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
            current_due: Nanos::ZERO,
            meter,
        })
    }

    /// Takes a link in; it dials in the next turn.
    pub fn add<S: Follow + Send + 'static>(&mut self, mut link: FeedLink<S>) {
        link.register_as(Token(self.links.len()));
        self.links.push(Box::new(link));
    }

    /// Where [`Intent::Resync`] comes from. Any other intent there is a mistake of the wiring.
    pub fn take_intents(&mut self, core_feed: Consumer<Intent>) {
        self.intents = Some(core_feed);
    }

    /// One turn: what is ready is read, decoded and pushed, within bounds. Returns the work done; zero is idle.
    pub fn turn(&mut self, now: Nanos) -> u32 {
        self.gather(Some(Duration::ZERO));
        let mut work = self.outlet.flush();
        work += self.route_resyncs(now);
        for link in &mut self.links {
            let tap = self.tap.as_mut();
            work += link.turn(now, self.poll.registry(), &mut self.outlet, tap, &mut self.meter);
        }
        if now >= self.current_due {
            self.current_due = now.after(CURRENT_EVERY);
            self.tell_current(now);
        }
        work
    }

    /// Tells the core up to when each venue's market data has been handed in: as far as all of its links that are up.
    /// `now` was read before the sockets were, so a stall in this turn makes data older, never younger.
    fn tell_current(&mut self, now: Nanos) {
        for venue in Venue::ALL {
            let of_venue = self.links.iter().filter_map(|link| link.current(now));
            let upto = of_venue.filter(|(of, _)| *of == venue).filter_map(|(_, upto)| upto).min();
            if let Some(upto) = upto.filter(|upto| *upto > Nanos::ZERO) {
                self.outlet.mention(venue, Event::Current { venue, upto });
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

    /// Frames that did not fit into the tap.
    pub fn tap_lost(&self) -> u64 {
        self.tap.as_ref().map_or(0, Tap::lost)
    }

    /// The meter, for reading.
    pub fn meter(&mut self) -> &mut M {
        &mut self.meter
    }

    fn gather(&mut self, timeout: Option<Duration>) {
        match self.poll.poll(&mut self.events, timeout) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return,
            Err(error) => panic!("the poll is ours and open: {error}"),
        }
        for event in &self.events {
            if let Some(link) = self.links.get_mut(event.token().0) {
                link.on_ready(event);
            }
        }
    }

    fn route_resyncs(&mut self, now: Nanos) -> u32 {
        let Some(intents) = &mut self.intents else { return 0 };
        let mut work = 0;
        while work < 64 {
            let Ok(intent) = intents.pop() else { break };
            work += 1;
            let Intent::Resync { market } = intent else {
                panic!("only resyncs are wired to the feed: {intent:?}")
            };
            for link in self.links.iter_mut().filter(|link| link.follows(market)) {
                link.resync(now, market);
            }
        }
        work
    }
}
