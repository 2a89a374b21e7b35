//! What each event does to the books. Books know nothing of events: this is the one place where the two meet.

use super::{Control, Event, Link};
use crate::book::{Applied, Book, Books, Level, StaleWhy};
use crate::ids::MarketId;
use crate::units::Nanos;

impl Books {
    /// Takes in one event. Events of a market whose terms are not known change nothing: no basket can hold it.
    #[inline]
    pub fn apply(&mut self, now: Nanos, event: &Event) -> Applied {
        match event {
            Event::Level(level) => self.apply_level(now, level), // nearly every event is one
            other => self.apply_other(now, other),
        }
    }

    /// Takes in an event that is not of one level. By itself, so that those need not save the registers that it takes.
    #[inline(never)]
    fn apply_other(&mut self, now: Nanos, event: &Event) -> Applied {
        match *event {
            Event::Level(ref level) => self.apply_level(now, level),
            Event::Market(ref terms) => self.on_terms(now, terms),
            Event::StaleAll { venue, link, why } => self.fail_link(now, why, venue, link),
            Event::Link { venue, link: Link::Market, number, up: false } => {
                self.fail_link(now, StaleWhy::Link, venue, number)
            }
            Event::Control(ref control) => self.on_control(now, control),
            Event::GridChange { market, grid } => {
                self.make_room(market, grid);
                self.apply_to(now, market, event)
            }
            Event::SnapshotBegin { market, .. }
            | Event::SnapshotEnd { market }
            | Event::Mirror { market, .. }
            | Event::Top { market, .. }
            | Event::Stated { market, .. }
            | Event::Stale { market, .. }
            | Event::Status { market, .. } => self.apply_to(now, market, event),
            Event::Link { .. }
            | Event::Trade { .. }
            | Event::Settled { .. }
            | Event::Report(_)
            | Event::Basket(_)
            | Event::Timer
            | Event::Adopt(_)
            | Event::Current { .. }
            | Event::Stall { .. }
            | Event::Handed { .. }
            | Event::Listed { .. }
            | Event::Expected { .. }
            | Event::Way { .. }
            | Event::Mode { .. }
            | Event::Odd { .. }
            | Event::MarketWithdrawn { .. }
            | Event::BasketWithdrawn { .. }
            | Event::FeeChange { .. }
            | Event::Witness { .. } => Applied::Unchanged,
        }
    }

    /// Takes in a change of one level, as [`Books::apply`] does.
    #[inline]
    pub fn apply_level(&mut self, now: Nanos, level: &Level) -> Applied {
        let usual = self.get_mut(level.market).and_then(|book| book.set_behind(level));
        usual.unwrap_or_else(|| self.apply_any_level(now, level))
    }

    /// The same for any level. By itself, so that most changes need not save the registers that it takes.
    #[inline(never)]
    fn apply_any_level(&mut self, now: Nanos, level: &Level) -> Applied {
        let Some(book) = self.get_mut(level.market) else { return Applied::Unchanged };
        let applied = book.on_any_level(now, level);
        if book.is_to_file() {
            self.on_change(level.market);
        }
        applied
    }

    /// The same for an event of one market's book.
    #[inline]
    pub(crate) fn apply_to(&mut self, now: Nanos, market: MarketId, event: &Event) -> Applied {
        let Some(book) = self.get_mut(market) else { return Applied::Unchanged };
        let applied = book.apply(now, event);
        self.on_change(market);
        applied
    }

    fn on_control(&mut self, now: Nanos, control: &Control) -> Applied {
        match control {
            Control::Start { .. } => self.fail_all(now, StaleWhy::Restart),
            Control::Halt { .. }
            | Control::Resume { .. }
            | Control::Stop
            | Control::Cash { .. }
            | Control::Position { .. }
            | Control::Reconciled { .. }
            | Control::Limit { .. }
            | Control::Day { .. }
            | Control::Reading { .. }
            | Control::Open { .. }
            | Control::Listed { .. }
            | Control::Hold { .. }
            | Control::History { .. }
            | Control::Release { .. }
            | Control::Rest { .. }
            | Control::Amend { .. }
            | Control::Withdraw { .. }
            | Control::TermsRead { .. }
            | Control::TermsUnread { .. }
            | Control::ClockError { .. } => Applied::Unchanged,
        }
    }
}

impl Book {
    /// Takes in one event of this market. Events that are not about its book change nothing.
    #[inline]
    pub fn apply(&mut self, now: Nanos, event: &Event) -> Applied {
        match *event {
            Event::Level(ref level) => self.on_level(now, level),
            Event::Top { bid, ask, last, .. } => self.on_top(now, bid, ask, last),
            Event::Stated { bid, ask, .. } => self.on_stated(now, bid, ask),
            Event::Mirror { side, price, qty, .. } => self.on_mirror(now, side, price, qty),
            Event::SnapshotBegin { link, venue_time, .. } => {
                self.on_snapshot_begin(link, venue_time)
            }
            Event::SnapshotEnd { .. } => self.on_snapshot_end(now),
            Event::Stale { why, .. } => self.fail(now, why),
            Event::GridChange { grid, .. } => self.on_grid(now, grid),
            Event::Market(ref terms) => self.on_terms(now, terms),
            Event::Status { status, .. } => self.on_status(status),
            Event::Trade { .. }
            | Event::StaleAll { .. }
            | Event::Settled { .. }
            | Event::Link { .. }
            | Event::Report(_)
            | Event::Basket(_)
            | Event::Control(_)
            | Event::Timer
            | Event::Adopt(_)
            | Event::Current { .. }
            | Event::Stall { .. }
            | Event::Handed { .. }
            | Event::Listed { .. }
            | Event::Expected { .. }
            | Event::Way { .. }
            | Event::Mode { .. }
            | Event::Odd { .. }
            | Event::MarketWithdrawn { .. }
            | Event::BasketWithdrawn { .. }
            | Event::FeeChange { .. }
            | Event::Witness { .. } => Applied::Unchanged,
        }
    }
}
