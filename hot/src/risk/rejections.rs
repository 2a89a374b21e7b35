//! Rejections without a success between them: which venues and which markets take no orders just now.
//!
//! A venue may reject everything while its books and reads are well (a filter in front of it, revoked keys, a restart of
//! its engine). A basket that is begun then is bought at the other venue and sold again at a loss. A market may reject
//! order after order because our view of it is wrong. And where order after order is rejected anywhere, nothing is quoted:
//! quotes are many, and each of them would be the next one.

use std::collections::VecDeque;

use crate::bounds::MARKETS_MAX;
use crate::ids::{MarketId, Venue};
use crate::pack::pack_fields;
use crate::per_id::PerId;
use crate::per_venue::PerVenue;
use crate::risk::LimitRow;
use crate::state::state_fields;
use crate::units::Nanos;

/// Rejections of a venue in a row, without an order that it looked at, after which new baskets there wait.
const VENUE_REJECTIONS_MAX: u32 = 3;
/// How long they wait at first. Doubles each time that the order sent afterwards is rejected too.
const VENUE_PAUSE: Nanos = Nanos::from_secs(5);
/// The longest wait after rejections of a venue.
const VENUE_PAUSE_MAX: Nanos = Nanos::from_secs(300);
/// How long a market pauses at first. Doubles each time, up to a [`DAY`].
const MARKET_PAUSE: Nanos = Nanos::from_secs(300);
/// The longest pause of a market. After so long without one, its pauses are short again.
const DAY: Nanos = Nanos::from_secs(86_400);
/// Rejections older than this are not counted together any more.
const WINDOW: Nanos = Nanos::from_secs(60);
/// Rejections that the window remembers: more than the row allows at most, so that a full window is over every limit.
const REMEMBERED: usize = 1_024;
const _: () = assert!(
    LimitRow::RejectsPerMinute.def().bounds.1 < REMEMBERED as u64,
    "a window that is full is over every limit"
);

/// Rejections in a row at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Streak {
    rejected: u32,
    pauses: u32,
    until: Nanos,
    /// Whether a basket is under way that finds out how the place is now.
    probed: bool,
    /// When an order there was last rejected, kills aside.
    last: Option<Nanos>,
}

impl Streak {
    const NONE: Self =
        Self { rejected: 0, pauses: 0, until: Nanos::ZERO, probed: false, last: None };
}

/// What was rejected lately.
#[derive(Debug)]
pub struct Rejections {
    venues: PerVenue<Streak>,
    markets: PerId<Streak>,
    /// When orders were rejected in the last minute, at all venues together, kills aside.
    lately: VecDeque<Nanos>,
    /// Whether the last of them was one too many.
    storm: bool,
}

impl Rejections {
    /// Nothing rejected yet. Allocates all it will ever need.
    pub fn new() -> Self {
        Self {
            venues: PerVenue::all(Streak::NONE),
            markets: PerId::new(MARKETS_MAX, Streak::NONE),
            lately: VecDeque::with_capacity(REMEMBERED),
            storm: false,
        }
    }

    /// An order did not get past a venue's door, or not even there. Returns whether that begins a pause.
    pub fn on_turned_away(&mut self, now: Nanos, venue: Venue) -> bool {
        let streak = &mut self.venues[venue];
        streak.rejected = streak.rejected.saturating_add(1);
        // Orders of one moment are rejected together: they are one rejection as far as the pause goes.
        let again = now < streak.until && !streak.probed;
        if streak.rejected < VENUE_REJECTIONS_MAX || again {
            return false;
        }
        streak.probed = false;
        streak.until = now.after(VENUE_PAUSE.doubled(streak.pauses, VENUE_PAUSE_MAX));
        streak.pauses += 1;
        true
    }

    /// Forgets rejections that are more than a minute old. Call before asking for [`Rejections::in_a_minute`].
    pub fn on_time(&mut self, now: Nanos) {
        while self.lately.front().is_some_and(|&at| now.since(at) >= WINDOW) {
            self.lately.pop_front();
        }
    }

    /// A venue rejected an order in a market, whatever it was for, and not because somebody else was quicker. More than `most` in a
    /// minute are a storm. Returns whether this one begins it.
    pub fn on_any(&mut self, now: Nanos, market: MarketId, most: u64) -> bool {
        self.on_time(now);
        self.markets[market.index()].last = Some(now);
        if self.lately.len() == REMEMBERED {
            self.lately.pop_front();
        }
        self.lately.push_back(now);
        let is_storm = self.in_a_minute() > most;
        let was_storm = std::mem::replace(&mut self.storm, is_storm);
        is_storm && !was_storm
    }

    /// Orders rejected in the last minute, at all venues together.
    pub fn in_a_minute(&self) -> u64 {
        self.lately.len() as u64
    }

    /// When an order in a market was last rejected; `None` if none ever was.
    pub fn last_in(&self, market: MarketId) -> Option<Nanos> {
        self.markets[market.index()].last
    }

    /// Until when nothing is opened in a market; zero if it was never paused.
    pub fn paused_until(&self, market: MarketId) -> Nanos {
        self.markets[market.index()].until
    }

    /// A venue looked at an order, whatever it made of it.
    pub fn on_looked_at(&mut self, venue: Venue) {
        self.venues[venue] = Streak::NONE;
    }

    /// The connection to a venue is new: one order may find out at once whether it takes orders again.
    pub fn on_link(&mut self, now: Nanos, venue: Venue) {
        let streak = &mut self.venues[venue];
        streak.until = streak.until.min(now);
    }

    /// A basket that needs this venue is begun. Where the venue is suspected, nothing follows it before its answer.
    pub fn on_begun(&mut self, now: Nanos, venue: Venue) {
        let streak = &mut self.venues[venue];
        if streak.rejected >= VENUE_REJECTIONS_MAX {
            (streak.until, streak.probed) = (now.after(VENUE_PAUSE), true);
        }
    }

    /// Whether the last order at a venue was turned away: its leg goes first then, so that another rejection costs nothing.
    pub fn is_suspected(&self, venue: Venue) -> bool {
        self.venues[venue].rejected > 0
    }

    /// The venue rejected a purchase in a market; `most` of them in a row pause it. Returns whether this one does so. While it
    /// pauses none is counted: only hedges go there then, and the next storm begins from nothing.
    pub fn on_rejected(&mut self, now: Nanos, market: MarketId, most: u64) -> bool {
        let streak = &mut self.markets[market.index()];
        if now < streak.until {
            return false;
        }
        if now.since(streak.until) >= DAY {
            streak.pauses = 0;
        }
        streak.rejected += 1;
        if u64::from(streak.rejected) < most {
            return false;
        }
        streak.until = now.after(MARKET_PAUSE.doubled(streak.pauses, DAY));
        (streak.rejected, streak.pauses) = (0, streak.pauses + 1);
        true
    }

    /// An order filled in a market.
    pub fn on_fill(&mut self, market: MarketId) {
        self.markets[market.index()].rejected = 0;
    }

    /// Whether nothing new may be begun in a market or at its venue.
    pub fn holds(&self, now: Nanos, venue: Venue, market: MarketId) -> bool {
        now < self.venues[venue].until || now < self.markets[market.index()].until
    }

    /// Rejections in a row at a venue.
    pub fn in_a_row(&self, venue: Venue) -> u32 {
        self.venues[venue].rejected
    }
}

impl Default for Rejections {
    fn default() -> Self {
        Self::new()
    }
}

pack_fields! {
    Streak { rejected, pauses, until, probed, last }
}

state_fields! {
    Rejections { venues: value, markets: table(Streak::NONE), lately: list(REMEMBERED), storm: value }
}

#[cfg(test)]
mod tests {
    use super::*;

    const M: MarketId = MarketId::new(3);

    #[test]
    fn a_pause_doubles_with_each_rejection_after_it_and_a_success_ends_it() {
        let mut rejections = Rejections::new();
        let (mut now, mut pauses) = (Nanos::from_secs(1_000), Vec::new());
        for _ in 0..2 {
            assert!(!rejections.on_turned_away(now, Venue::Kalshi));
        }
        for _ in 0..9 {
            assert!(rejections.on_turned_away(now, Venue::Kalshi));
            for _ in 0..50 {
                rejections.on_turned_away(now, Venue::Kalshi); // more of the same moment
            }
            let began = now;
            while rejections.holds(now, Venue::Kalshi, M) {
                now = now.after(Nanos::from_secs(1));
                assert!(now.since(began) < DAY, "a pause ends");
            }
            pauses.push(now.since(began).millis() / 1_000);
            rejections.on_begun(now, Venue::Kalshi);
        }
        assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 300, 300, 300]);
        assert!(!rejections.holds(now, Venue::Polymarket, M));
        assert!(rejections.is_suspected(Venue::Kalshi));
        assert!(rejections.holds(now, Venue::Kalshi, M), "one finds out, the others wait");
        rejections.on_looked_at(Venue::Kalshi);
        assert!(
            !rejections.holds(now, Venue::Kalshi, M) && !rejections.is_suspected(Venue::Kalshi)
        );
    }

    #[test]
    fn a_rejection_at_the_moment_a_pause_ends_begins_the_next() {
        let (mut rejections, start) = (Rejections::new(), Nanos::from_secs(1_000));
        let turned_away =
            |rejections: &mut Rejections, now| rejections.on_turned_away(now, Venue::Kalshi);
        assert_eq!([(); 3].map(|()| turned_away(&mut rejections, start)), [false, false, true]);
        let end = start.after(VENUE_PAUSE);
        assert!(!turned_away(&mut rejections, Nanos::new(end.get() - 1)), "it lasts");
        assert!(turned_away(&mut rejections, end));
    }

    #[test]
    fn a_market_pauses_longer_with_each_storm_until_a_day_without_one() {
        let mut rejections = Rejections::new();
        let mut now = Nanos::from_secs(1_000_000);
        let storm = |now: &mut Nanos, rejections: &mut Rejections| {
            for turn in 1..=5 {
                assert_eq!(rejections.on_rejected(*now, M, 5), turn == 5);
            }
            let began = *now;
            while rejections.holds(*now, Venue::Kalshi, M) {
                *now = now.after(Nanos::from_secs(60));
                assert!(now.since(began) < DAY, "a pause ends");
            }
            now.since(began).millis() / 60_000
        };
        assert_eq!([5, 10, 20].map(|_| storm(&mut now, &mut rejections)), [5, 10, 20]);
        for _ in 0..20 {
            rejections.on_rejected(now, M, 5);
            rejections.on_fill(M);
        }
        assert!(!rejections.holds(now, Venue::Kalshi, M), "a fill between them makes no storm");
        now = now.after(DAY);
        assert_eq!(storm(&mut now, &mut rejections), 5);
    }

    #[test]
    fn what_is_rejected_while_a_market_pauses_makes_the_next_pause_no_longer() {
        let (mut rejections, now) = (Rejections::new(), Nanos::from_secs(1_000_000));
        let reject = |rejections: &mut Rejections, now, times: u32| {
            (0..times).filter(|_| rejections.on_rejected(now, M, 5)).count()
        };
        assert_eq!(reject(&mut rejections, now, 5), 1);
        let over = rejections.paused_until(M);
        let last = Nanos::new(over.get() - 1);
        assert_eq!(reject(&mut rejections, last, 9), 0);
        assert_eq!(rejections.paused_until(M), over);
        assert_eq!(reject(&mut rejections, over, 4), 0, "counted from nothing");
        assert_eq!(reject(&mut rejections, over, 1), 1);
        assert_eq!(rejections.paused_until(M).since(over), Nanos::from_secs(600), "doubled once");
    }

    #[test]
    fn a_storm_begins_once_whatever_becomes_of_its_limit() {
        let (mut rejections, start) = (Rejections::new(), Nanos::from_secs(1_000));
        let at = |secs| start.after(Nanos::from_secs(secs));
        let begins = |rejections: &mut Rejections, secs, most| rejections.on_any(at(secs), M, most);
        assert_eq!(
            [3, 3, 3, 3].map(|most| begins(&mut rejections, 0, most)),
            [false, false, false, true]
        );
        assert!(!begins(&mut rejections, 1, 3), "it goes on");
        assert!(!begins(&mut rejections, 60, 3), "one is left of it, and this one");
        assert!(begins(&mut rejections, 60, 1), "the limit is tighter now");
        assert!(!begins(&mut rejections, 60, 1));
    }

    #[test]
    fn all_rejections_of_a_minute_are_counted_together() {
        let mut rejections = Rejections::new();
        let start = Nanos::from_secs(1_000);
        for nth in 0..60 {
            let market = MarketId::new(nth);
            let now = start.after(Nanos::from_secs(u64::from(nth)));
            rejections.on_any(now, market, u64::MAX);
            assert_eq!(rejections.in_a_minute(), u64::from(nth) + 1);
            assert_eq!(rejections.last_in(market), Some(now));
        }
        assert_eq!(rejections.last_in(MarketId::new(60)), None);
        rejections.on_any(start.after(WINDOW), M, u64::MAX);
        assert_eq!(rejections.in_a_minute(), 60, "the first is a minute old");
        rejections.on_time(start.after(WINDOW).after(WINDOW));
        assert_eq!(rejections.in_a_minute(), 0);
        for _ in 0..REMEMBERED + 5 {
            rejections.on_any(start.after(DAY), M, u64::MAX);
        }
        assert!(rejections.in_a_minute() > LimitRow::RejectsPerMinute.def().bounds.1);
    }
}
