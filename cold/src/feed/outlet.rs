//! The producing end of `feed_core`, and what happens when it is full.
//!
//! Market links are left unread while the ring is half full, which the core sees as data that gets old. After a moment of
//! that, market data is dropped: from the first event lost, all of that link's are, until there is room again and the core
//! has been told that every book of the link is stale; then fresh snapshots are asked for. The switch back
//! happens between frames only: half a snapshot must never look like a whole one. Everything that no snapshot
//! brings back (reports, statuses, grids, settlements, links) is kept in order and waits; links that carry
//! private news are not read while something waits.

use std::collections::VecDeque;

use rtrb::{Producer, PushError};
use surefoot_hot::book::StaleWhy;
use surefoot_hot::bounds::MARKET_LINKS_MAX;
use surefoot_hot::event::Event;
use surefoot_hot::ids::Venue;
use surefoot_hot::links::{LinkNumber, LinkSet};
use surefoot_hot::per_venue::PerVenue;
use surefoot_hot::venue::EventSink;

/// Events kept waiting without allocating; more only follow from one gigantic frame.
const WAITING_MAX: usize = 1_024;
/// Free slots that a private link wants before it reads a frame. A frame may hold more: they wait.
pub const PRIVATE_FRAME_EVENTS_MAX: usize = 64;

/// The way to the core.
#[derive(Debug)]
pub struct Outlet {
    ring: Producer<Event>,
    waiting: VecDeque<Event>,
    /// The market links whose events are being dropped.
    lossy: PerVenue<LinkSet>,
    /// How often each market link lost events, by number.
    resyncs: PerVenue<[u64; MARKET_LINKS_MAX]>,
    /// Slots of the ring that are free at least, less what was pushed since they were counted.
    free: usize,
    dropped: u64,
    waited: u64,
}

/// What an outlet has counted so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutletFigures {
    /// Market events that found no room in the ring; the books they were for are fetched anew.
    pub dropped: u64,
    /// Events that had to wait for room; none of them was lost.
    pub waited: u64,
    /// Times that the books of a market link were declared stale because the ring was full.
    pub overflows: u64,
}

impl Outlet {
    /// Over the ring.
    pub fn new(ring: Producer<Event>) -> Self {
        Self {
            ring,
            waiting: VecDeque::with_capacity(WAITING_MAX),
            lossy: PerVenue::all(LinkSet::NONE),
            resyncs: PerVenue::all([0; MARKET_LINKS_MAX]),
            free: 0,
            dropped: 0,
            waited: 0,
        }
    }

    /// Moves what waits into the ring, as far as there is room; how much was moved.
    pub fn flush(&mut self) -> u32 {
        let mut moved = 0;
        while let Some(&event) = self.waiting.front() {
            if self.push(event).is_err() {
                break;
            }
            self.waiting.pop_front();
            moved += 1;
        }
        moved
    }

    /// Between frames of a market link of `venue`: if events were lost and there is room again, the core is told.
    /// How often that has happened so far; a link that sees it grow asks for fresh snapshots.
    pub fn between_frames(&mut self, venue: Venue, link: LinkNumber) -> u64 {
        if self.lossy[venue].contains(link) && self.waiting.is_empty() {
            let room = self.ring.buffer().capacity() / 4;
            let stale = Event::StaleAll { venue, link, why: StaleWhy::Overflow };
            if self.ring.slots() >= room.max(1) && self.push(stale).is_ok() {
                self.lossy[venue].remove(link);
                self.resyncs[venue][link.index()] += 1;
            }
        }
        self.resyncs[venue][link.index()]
    }

    /// Whether a market link may read a frame without fear of dropping it: half of the ring is free. One frame may bring
    /// the books of a hundred markets.
    pub fn has_half(&mut self) -> bool {
        let half = self.ring.buffer().capacity() / 2;
        if self.free < half {
            self.free = self.ring.slots(); // the core may have taken some since
        }
        self.free >= half && self.waiting.is_empty()
    }

    fn push(&mut self, event: Event) -> Result<(), PushError<Event>> {
        self.free = self.free.saturating_sub(1);
        self.ring.push(event)
    }

    /// Takes an event in for sure: into the ring, or into the line behind it.
    pub fn deliver(&mut self, event: Event) {
        if !self.waiting.is_empty() || self.push(event).is_err() {
            self.waiting.push_back(event);
            self.waited += 1;
        }
    }

    /// Tells the core something that is told anew in a moment, where there is room; whether there was.
    pub(super) fn mention(&mut self, event: Event) -> bool {
        self.waiting.is_empty() && self.push(event).is_ok()
    }

    /// Whether what some market link brings is being dropped.
    pub(super) fn is_dropping(&self) -> bool {
        self.lossy.values().any(|links| !links.is_empty())
    }

    /// Whether what a market link brings is being dropped: it must not look fresh.
    pub(super) fn is_lossy(&self, venue: Venue, link: LinkNumber) -> bool {
        self.lossy[venue].contains(link)
    }

    /// Takes what a market link of `venue` brings in, or drops it.
    fn offer(&mut self, venue: Venue, link: LinkNumber, event: Event) {
        let dropping = self.is_lossy(venue, link) || !self.waiting.is_empty();
        if dropping || self.push(event).is_err() {
            self.lossy[venue].insert(link);
            self.dropped += 1;
        }
    }

    /// Whether a private link may read a frame.
    pub fn has_room(&self) -> bool {
        self.waiting.is_empty() && self.ring.slots() >= PRIVATE_FRAME_EVENTS_MAX
    }

    /// Whether something waits for room.
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Market events dropped so far.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Events that had to wait so far; none of them was lost.
    pub fn waited(&self) -> u64 {
        self.waited
    }

    /// What was dropped, and what had to wait.
    pub fn figures(&self) -> OutletFigures {
        OutletFigures { dropped: self.dropped, waited: self.waited, overflows: self.overflows() }
    }

    /// Times that the books of a market link were declared stale because the ring was full.
    pub fn overflows(&self) -> u64 {
        self.resyncs.values().flatten().sum()
    }
}

/// Whether a fresh snapshot brings it back.
const fn is_market_data(event: &Event) -> bool {
    matches!(
        event,
        Event::SnapshotBegin { .. }
            | Event::SnapshotEnd { .. }
            | Event::Level(_)
            | Event::Mirror { .. }
            | Event::Top { .. }
            | Event::Stated { .. }
            | Event::Trade { .. }
            | Event::Stale { .. } // the whole link is declared stale instead
    )
}

/// What a session pushes into.
#[derive(Debug)]
pub struct RingSink<'a> {
    pub(super) outlet: &'a mut Outlet,
    pub(super) venue: Venue,
    pub(super) link: LinkNumber,
    pub(super) pushed: u32,
}

impl EventSink for RingSink<'_> {
    fn push(&mut self, event: Event) {
        self.pushed += 1;
        if is_market_data(&event) {
            self.outlet.offer(self.venue, self.link, event);
        } else {
            self.outlet.deliver(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use rtrb::RingBuffer;
    use surefoot_hot::ids::MarketId;
    use surefoot_hot::market::MarketStatus;
    use surefoot_hot::units::Nanos;

    use super::*;

    const PM: Venue = Venue::Polymarket;
    const LINK: LinkNumber = LinkNumber::FIRST;

    fn begin() -> Event {
        Event::SnapshotBegin { market: MarketId::new(1), link: LINK, venue_time: Nanos::ZERO }
    }
    fn end() -> Event {
        Event::SnapshotEnd { market: MarketId::new(1) }
    }
    fn status() -> Event {
        Event::Status { market: MarketId::new(1), status: MarketStatus::Paused }
    }
    fn sink(outlet: &mut Outlet, venue: Venue) -> RingSink<'_> {
        RingSink { outlet, venue, link: LINK, pushed: 0 }
    }

    #[test]
    fn half_a_snapshot_never_looks_whole_and_the_core_hears_of_the_loss_first() {
        let (ring, mut core) = RingBuffer::new(4);
        let mut outlet = Outlet::new(ring);
        for _ in 0..3 {
            sink(&mut outlet, PM).push(Event::Timer);
        }
        sink(&mut outlet, PM).push(begin());
        sink(&mut outlet, PM).push(status()); // full: it must wait
        core.pop().unwrap(); // room in the middle of a frame changes nothing
        sink(&mut outlet, PM).push(end());
        assert_eq!((outlet.dropped(), outlet.waited()), (1, 1));
        assert_eq!(outlet.between_frames(PM, LINK), 0, "something waits");
        outlet.flush();
        assert_eq!(outlet.between_frames(PM, LINK), 0, "no room yet");
        let mut seen = Vec::new();
        while let Ok(event) = core.pop() {
            seen.push(event);
        }
        sink(&mut outlet, PM).push(end());
        assert_eq!(outlet.dropped(), 2, "still dropped: the core has not been told");
        assert_eq!(outlet.between_frames(PM, LINK), 1);
        sink(&mut outlet, PM).push(begin());
        while let Ok(event) = core.pop() {
            seen.push(event);
        }
        let stale = Event::StaleAll { venue: PM, link: LINK, why: StaleWhy::Overflow };
        assert_eq!(seen, [Event::Timer, Event::Timer, begin(), status(), stale, begin()]);
    }

    #[test]
    fn one_venue_losing_does_not_silence_the_other() {
        let (ring, mut core) = RingBuffer::new(2);
        let mut outlet = Outlet::new(ring);
        for _ in 0..3 {
            sink(&mut outlet, PM).push(begin());
        }
        core.pop().unwrap();
        sink(&mut outlet, Venue::Kalshi).push(end());
        core.pop().unwrap();
        assert_eq!(core.pop(), Ok(end()));
    }

    #[test]
    fn one_link_losing_does_not_silence_its_neighbour() {
        let (ring, mut core) = RingBuffer::new(2);
        let mut outlet = Outlet::new(ring);
        let other = LinkNumber::new(1).unwrap();
        for _ in 0..3 {
            sink(&mut outlet, PM).push(begin());
        }
        core.pop().unwrap();
        RingSink { outlet: &mut outlet, venue: PM, link: other, pushed: 0 }.push(end());
        assert!(outlet.is_lossy(PM, LINK) && !outlet.is_lossy(PM, other));
        core.pop().unwrap();
        assert_eq!(core.pop(), Ok(end()));
        assert_eq!((outlet.between_frames(PM, LINK), outlet.between_frames(PM, other)), (1, 0));
        let stale = Event::StaleAll { venue: PM, link: LINK, why: StaleWhy::Overflow };
        assert_eq!(core.pop(), Ok(stale));
    }

    #[test]
    fn half_of_the_ring_is_seen_to_be_free_again() {
        let (ring, mut core) = RingBuffer::new(8);
        let mut outlet = Outlet::new(ring);
        for _ in 0..4 {
            assert!(outlet.has_half());
            sink(&mut outlet, PM).push(begin());
        }
        assert!(outlet.has_half());
        sink(&mut outlet, PM).push(begin());
        assert!(!outlet.has_half());
        core.pop().unwrap();
        assert!(outlet.has_half());
    }

    #[test]
    fn reports_are_never_lost_whatever_the_ring() {
        let (ring, mut core) = RingBuffer::new(2);
        let mut outlet = Outlet::new(ring);
        assert!(!outlet.has_room());
        for _ in 0..5_000 {
            sink(&mut outlet, PM).push(status());
        }
        let mut seen = 0;
        while outlet.is_waiting() || !core.is_empty() {
            outlet.flush();
            while core.pop().is_ok() {
                seen += 1;
            }
        }
        assert_eq!((seen, outlet.dropped()), (5_000, 0));
    }
}
