//! One YES book per market, and how far it can be trusted.
//!
//! A [`Book`] is whole only between a snapshot and the first proof against it. A level off the grid or below zero
//! makes it stale, and from then on it takes nothing but a fresh snapshot: a patched book is a guess. Crossed sides
//! and a best price or mirrored level other than the venue states put it in doubt: nothing is decided from it, and it
//! is whole again by itself where the next frames explain what was seen, stale where they do not in time.
//!
//! Memory: a book is allocated when its market's terms come in ([`Event::Market`](crate::event::Event::Market)), sized to its grid: 2 kB
//! on a grid of cents, 16 kB on one of tenths of a cent, 160 kB on one of hundredths. For a market that comes while the core
//! runs, the memory is made by another thread and given to the core beforehand ([`BookRoom`]). A change to a finer grid, which comes at
//! most once or twice in a market's life, takes room for tenths of a cent from [`FINER_GRIDS_MAX`](crate::bounds::FINER_GRIDS_MAX) that all markets share;
//! only a change beyond those, or to a still finer grid, allocates.

mod checks;
mod ladder;
mod level;
mod room;
mod scale;
mod stale;
mod table;
#[cfg(test)]
mod tests;
mod witness;
mod worst;

pub use ladder::{Ladder, Moved, Ranks};
pub use level::{Change, Level};
pub use room::BookRoom;
pub use stale::StaleWhy;
pub use table::Books;
pub use witness::digest;
pub use worst::{StaleMarket, StaleWorst};

use crate::canary::{self, Canary};
use crate::grid::Grid;
use crate::ids::{Action, MarketId, Outcome, Side, Venue};
use crate::links::LinkNumber;
use crate::market::{MarketDef, MarketStatus};
use crate::pack::{Arbitrary, Pack, PackSink, PackSource, pack_variants};
use crate::state::{State, draw_some, state_fields};
use crate::units::{Nanos, Price, QTY_MAX, Qty};
use checks::{Checks, MirrorCheck, TopCheck};
use room::{Rest, fits};
use scale::{Even, Scale};

/// How long a book may be crossed, or disagree with what the venue stated, before it is stale.
///
/// One match is told in several frames: a bid joins at the ask's price in one and the ask goes in the next, or each of
/// two frames of a sweep states the best prices after both. They are a millisecond or two apart (reported by users of
/// Polymarket, 2026-11). Meanwhile the book is known to be old and nothing is opened from it. Its `best_bid_ask` comes ahead of
/// the `price_change` that causes it, by up to 1.4 ms (58 of 58 on the session of 2026-09-24): it has as long to come true.
pub const DOUBT_NS_MAX: Nanos = Nanos::from_millis(25);

/// Ranks that the shared ladders have room for: tenths of a cent, the finest grid a market is usually moved to.
const RANKS_ROOM: usize = 1_001;

/// How far a book can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// No snapshot yet.
    Fresh,
    /// In the middle of a snapshot.
    Loading,
    /// Decisions are taken from it: nothing is known to be missing.
    Good,
    /// In doubt: changes are ignored until the next snapshot.
    Stale {
        /// Why; the first reason, not the last.
        why: StaleWhy,
        since: Nanos,
    },
}

/// What an event did to a book, as far as a decision can see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The frame or the snapshot goes on: decide nothing yet.
    Pending,
    /// The event changed no level.
    Unchanged,
    /// Levels behind the best prices changed.
    Deep,
    /// A best price changed, or what rests there, or whether the book may be used at all.
    Top,
    /// It became stale: a fresh snapshot is needed.
    Stale(StaleWhy),
    /// Several books became stale at once.
    Many,
}

/// One market's YES book, its terms and its sync state.
///
/// What every change of a level and every look at the best prices reads is here, in two cache lines; the rest is apart, so that the
/// table of thousands of books takes few pages.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub struct Book {
    /// Bids and asks, by [`Side::index`].
    ladders: [Ladder; 2],
    sync: Sync,
    /// The best levels, kept beside the ladders because they are read far more often than they move.
    tops: Tops,
    /// Of the grid, where it has one step.
    even: Even,
    /// The one that the terms are of.
    market: MarketId,
    /// Frames and snapshots about it so far; only whether it has moved says anything.
    frames: u32,
    /// The strongest change of the frame so far.
    frame: Applied,
    frame_open: bool,
    /// Whether it may belong in other lists of [`Books`] than before.
    refile: bool,
    /// Whether any statement of the venue waits for the book to agree with it, or the sides were crossed when the last frame ended.
    checks_open: bool,
    /// Set while a frame has ended with one of them open, other than one that puts nothing in doubt: since when.
    doubted_since: Option<Nanos>,
    rest: Box<Rest>,
}

const _: () = assert!(size_of::<Option<Book>>() == 128, "a row of the table is two cache lines");

/// The best level of each side, by [`Side::index`]: a side without one has nothing resting there.
#[derive(Clone, Copy, Debug)]
struct Tops {
    qty: [Qty; 2],
    price: [Price; 2],
}

impl Tops {
    const NONE: Self = Self { qty: [Qty::ZERO; 2], price: [Price::ZERO; 2] };

    #[inline]
    const fn get(&self, side: Side) -> Option<(Price, Qty)> {
        let (price, qty) = (self.price[side.index()], self.qty[side.index()]);
        if qty.is_zero() { None } else { Some((price, qty)) }
    }

    #[inline]
    fn set(&mut self, side: Side, best: Option<(Price, Qty)>) {
        let (price, qty) = best.unwrap_or((Price::ZERO, Qty::ZERO));
        (self.price[side.index()], self.qty[side.index()]) = (price, qty);
    }
}

impl Book {
    /// Empty and [`Sync::Fresh`].
    pub fn new(terms: MarketDef) -> Self {
        Self::in_room(terms, BookRoom::new(terms.grid))
    }

    /// The same in memory that is there: its ladders are empty, so that nothing of them is written. Allocates only where they do
    /// not fit the market's grid.
    fn in_room(terms: MarketDef, BookRoom { mut ladders, mut rest }: BookRoom) -> Self {
        *rest = Rest::new(terms);
        ladders.iter_mut().for_each(|ladder| ladder.reset(rest.scale.slots()));
        Self {
            ladders,
            sync: Sync::Fresh,
            tops: Tops::NONE,
            even: Even::new(terms.grid),
            market: terms.market,
            frames: 0,
            frame: Applied::Unchanged,
            frame_open: false,
            refile: true,
            checks_open: false,
            doubted_since: None,
            rest,
        }
    }

    /// One level changes.
    pub(crate) fn on_level(&mut self, now: Nanos, level: &Level) -> Applied {
        self.set_behind(level).unwrap_or_else(|| self.on_any_level(now, level))
    }

    /// What [`Self::on_any_level`] does, in fewer instructions, where all is as it is with most changes: the one change of a frame,
    /// behind the best price, and a book that nothing is known against. `None` where it is not so, and then nothing has changed.
    #[inline]
    pub(crate) fn set_behind(&mut self, level: &Level) -> Option<Applied> {
        let Change::Set(qty) = level.change else { return None };
        if !self.is_settled() || self.refile || !level.last || level.market != self.market {
            return None;
        }
        let rank = self.rank(level.side, self.even.slot(level.price)?);
        if qty > QTY_MAX {
            return None;
        }
        let moved = self.ladders[level.side.index()].set_behind(rank, qty)?;
        // Both best prices stay, so that the sides are not crossed, as they were not before.
        self.frames = self.frames.wrapping_add(1);
        Some(if moved == Moved::Not { Applied::Unchanged } else { Applied::Deep })
    }

    /// One level changes, whatever it is and however the book stands.
    pub(crate) fn on_any_level(&mut self, now: Nanos, level: &Level) -> Applied {
        assert!(level.market == self.market, "a level changes its own market's book");
        if !matches!(self.sync, Sync::Good | Sync::Loading) {
            return Applied::Unchanged;
        }
        let Some((rank, held)) = self.read(level) else {
            return self.fail(now, StaleWhy::Level);
        };
        let frame = match self.ladders[level.side.index()].set(rank, held) {
            Moved::Not => self.frame,
            Moved::Behind if self.frame == Applied::Top => Applied::Top,
            Moved::Behind => Applied::Deep,
            Moved::Top => {
                let best = match held {
                    Qty::ZERO => self.find_best(level.side),
                    qty => Some((level.price, qty)),
                };
                self.tops.set(level.side, best);
                Applied::Top
            }
        };
        if level.last {
            return self.end_frame(now, frame);
        }
        (self.frame, self.frame_open) = (frame, true);
        Applied::Pending
    }

    /// At which rank a level is, and what rests there with its change. `None` off the grid, below zero and beyond what a level may
    /// hold.
    #[inline]
    fn read(&self, level: &Level) -> Option<(usize, Qty)> {
        let rank = self.rank(level.side, slot(self.even, &self.rest.scale, level.price)?);
        let old = || self.ladders[level.side.index()].qty(rank);
        let held = match level.change {
            Change::Set(qty) => qty,
            Change::Add(qty) => Qty::from_micros(old().micros().checked_add(qty.micros())?),
            Change::Take(qty) => old().checked_sub(qty)?,
        };
        (held <= QTY_MAX).then_some((rank, held))
    }

    /// The frame is over, and this is what it did: now, and not before, the book has to make sense.
    #[inline]
    fn end_frame(&mut self, now: Nanos, frame: Applied) -> Applied {
        self.frames = self.frames.wrapping_add(1);
        if self.sync != Sync::Good {
            (self.frame, self.frame_open) = (frame, true);
            return Applied::Pending; // a snapshot ends with its end, whatever its levels say
        }
        (self.frame, self.frame_open) = (Applied::Unchanged, false);
        let crossed = self.is_crossed();
        if crossed || self.checks_open {
            return self.end_odd_frame(now, frame, crossed);
        }
        frame
    }

    /// The frame leaves the book crossed or at odds with what the venue stated, or ends that.
    #[cold]
    fn end_odd_frame(&mut self, now: Nanos, frame: Applied, crossed: bool) -> Applied {
        let doubted = self.doubted_since.is_some();
        self.rest.checks.set_crossed(crossed);
        match self.settle() {
            Some(why) if doubted && self.is_overdue(now) => self.fail(now, why),
            None if !doubted => frame,
            Some(_) if doubted => frame,
            None => Applied::Top, // usable again
            Some(_) => {
                self.doubt(now);
                Applied::Top // usable no more
            }
        }
    }

    /// The venue states its best prices; `last` ends the frame.
    pub(crate) fn on_top(
        &mut self,
        now: Nanos,
        bid: Option<Price>,
        ask: Option<Price>,
        last: bool,
    ) -> Applied {
        let check = TopCheck { bid, ask };
        if !matches!(self.sync, Sync::Good | Sync::Loading) {
            return Applied::Unchanged;
        }
        if self.frame_open && last {
            if !self.top_agrees(check) {
                self.hold_top(check);
            }
            return self.end_frame(now, self.frame);
        }
        if self.is_settled() && self.top_agrees(check) {
            return Applied::Unchanged; // the usual case, kept short
        }
        self.hold_top(check);
        self.on_check(now)
    }

    /// The venue states its best prices apart from any change, which may still be on its way.
    pub(crate) fn on_stated(
        &mut self,
        now: Nanos,
        bid: Option<Price>,
        ask: Option<Price>,
    ) -> Applied {
        let check = TopCheck { bid, ask };
        if self.sync == Sync::Good {
            if self.top_agrees(check) {
                self.rest.checks.drop_stated();
            } else {
                self.rest.checks.hold_stated(check, now);
                self.checks_open = true;
            }
            self.refile = true;
        }
        Applied::Unchanged
    }

    /// The venue states through the other outcome what one level holds.
    pub(crate) fn on_mirror(&mut self, now: Nanos, side: Side, price: Price, qty: Qty) -> Applied {
        let check = MirrorCheck { side, price, qty };
        if !matches!(self.sync, Sync::Good | Sync::Loading) {
            return Applied::Unchanged;
        }
        if self.is_settled() && self.mirror_agrees(check) {
            return Applied::Unchanged; // the usual case, kept short
        }
        if !self.checks_open {
            self.rest.checks.hold_first_mirror(check); // the usual case inside a frame, kept short
        } else if !self.rest.checks.hold_mirror(check) {
            self.settle(); // makes room: most were waiting for a level that has come since
            if !self.rest.checks.hold_mirror(check) {
                return self.fail(now, StaleWhy::Mirror);
            }
        }
        self.checks_open = true;
        self.on_check(now)
    }

    fn hold_top(&mut self, check: TopCheck) {
        self.rest.checks.hold_top(check);
        self.checks_open = true;
    }

    /// A statement came in. Inside a frame it waits for the end; outside, a book that disagrees is in doubt: the
    /// change that explains it may be on its way.
    fn on_check(&mut self, now: Nanos) -> Applied {
        if self.frame_open || self.sync == Sync::Loading {
            return Applied::Pending;
        }
        let doubted = self.doubted_since.is_some();
        match (self.settle(), doubted) {
            (Some(why), true) if self.is_overdue(now) => self.fail(now, why),
            (None, false) | (Some(_), true) => Applied::Unchanged,
            (None, true) => Applied::Top,
            (Some(_), false) => {
                self.doubt(now);
                Applied::Top
            }
        }
    }

    /// Drops the statements that the book agrees with; says what is left. Most frames of a venue that states its best prices
    /// end here: nothing is copied, and the lists of [`Books`] are touched only where a doubt has ended.
    fn settle(&mut self) -> Option<StaleWhy> {
        let Self { tops, ladders, even, rest, doubted_since, .. } = self;
        let Rest { checks, scale, .. } = &mut **rest;
        let before = (*doubted_since, checks.stated_since());
        let left = checks.settle(
            |check| top_agrees(tops, check),
            |check| mirror_agrees(*even, scale, ladders, check),
        );
        if left.is_none() {
            *doubted_since = None;
        }
        let after = (*doubted_since, checks.stated_since());
        self.checks_open = left.is_some() || after.1.is_some();
        self.refile |= after != before;
        left
    }

    /// From here on the book is in doubt, if it was not before.
    const fn doubt(&mut self, now: Nanos) {
        if self.doubted_since.is_none() {
            self.doubted_since = Some(now);
        }
        self.refile = true;
    }

    /// Nothing that was stated waits any more.
    fn drop_checks(&mut self) {
        self.rest.checks = Checks::NONE;
        (self.checks_open, self.doubted_since) = (false, None);
    }

    /// Between frames, with no statement open.
    #[inline]
    fn is_settled(&self) -> bool {
        self.sync == Sync::Good && !self.frame_open && !self.checks_open
    }

    fn top_agrees(&self, check: TopCheck) -> bool {
        top_agrees(&self.tops, check)
    }

    fn mirror_agrees(&self, check: MirrorCheck) -> bool {
        mirror_agrees(self.even, &self.rest.scale, &self.ladders, check)
    }

    /// A fresh snapshot begins: its levels follow, and then changes, over the same link.
    pub(crate) fn on_snapshot_begin(&mut self, link: LinkNumber, venue_time: Nanos) -> Applied {
        if !self.rest.followed {
            return Applied::Unchanged; // sent before the venue heard that it is not wanted
        }
        let was_good = self.sync == Sync::Good;
        self.frames = self.frames.wrapping_add(1);
        self.drop_levels();
        self.sync = Sync::Loading;
        self.refile = true;
        self.rest.venue_time = venue_time;
        self.rest.link = Some(link);
        if was_good { Applied::Top } else { Applied::Pending }
    }

    /// The snapshot is complete.
    pub(crate) fn on_snapshot_end(&mut self, now: Nanos) -> Applied {
        if self.sync != Sync::Loading {
            return Applied::Unchanged; // its beginning was lost, or it failed on the way
        }
        if self.is_crossed() {
            return self.fail(now, StaleWhy::Crossed);
        }
        if let Some(why) = self.settle() {
            return self.fail(now, why); // a whole book needs no later frame to make sense
        }
        self.sync = Sync::Good;
        self.refile = true;
        let applied = self.end_frame(now, Applied::Top);
        assert!(self.is_good() && !self.is_crossed(), "O14: a snapshot ends in a whole book");
        applied
    }

    /// The grid changed: the levels of the old one are dropped.
    pub(crate) fn on_grid(&mut self, now: Nanos, grid: Grid) -> Applied {
        self.rest.terms.grid = grid;
        (self.even, self.rest.scale) = (Even::new(grid), Scale::new(grid));
        for ladder in &mut self.ladders {
            ladder.reset(self.rest.scale.slots());
        }
        self.drop_levels();
        let applied = self.fail(now, StaleWhy::Grid);
        assert!(!self.is_good(), "O14: a book of another grid waits for a snapshot");
        assert!(
            self.ladders.iter().all(|ladder| ladder.slots() == self.rest.scale.slots()),
            "both sides have a rank for every price of the grid"
        );
        applied
    }

    /// Whether another grid fits the memory that it has.
    fn has_room_for(&self, grid: Grid) -> bool {
        fits(&self.ladders, grid)
    }

    /// Takes larger ladders for a finer grid, which comes at once and drops the levels.
    fn take_ladders(&mut self, mut ladders: [Ladder; 2]) {
        ladders.iter_mut().for_each(|ladder| ladder.reset(self.rest.scale.slots()));
        self.ladders = ladders;
    }

    /// The market's terms came in again.
    pub(crate) fn on_terms(&mut self, now: Nanos, terms: &MarketDef) -> Applied {
        assert!(terms.market == self.rest.terms.market, "a book keeps its market");
        let same_grid = terms.grid == self.rest.terms.grid;
        self.rest.terms = *terms;
        self.rest.followed = true;
        self.refile = true;
        if same_grid { Applied::Unchanged } else { self.on_grid(now, terms.grid) }
    }

    /// The market's status changed; its levels stay.
    pub(crate) const fn on_status(&mut self, status: MarketStatus) -> Applied {
        self.rest.terms.status = status;
        self.refile = true;
        Applied::Unchanged
    }

    /// The market's least order and its close, as they are listed now.
    pub(crate) const fn on_listed(&mut self, min_qty: Qty, close: Nanos) {
        (self.rest.terms.min_qty, self.rest.terms.close) = (min_qty, close);
    }

    /// Empties it: what was learned before no longer counts.
    fn drop_levels(&mut self) {
        for ladder in &mut self.ladders {
            ladder.clear();
        }
        self.tops = Tops::NONE;
        self.rest.epoch += 1;
        self.frame = Applied::Unchanged;
        self.frame_open = false;
        self.drop_checks();
        assert!(
            self.ladders.iter().all(|ladder| ladder.top() == 0),
            "an emptied book holds nothing"
        );
    }

    /// The market is subscribed to no more: the book is emptied, and nothing fills it until the market's terms come again.
    fn unfollow(&mut self) {
        self.drop_levels();
        (self.sync, self.rest.link, self.rest.followed) = (Sync::Fresh, None, false);
        self.refile = true;
    }

    /// Whether the market is subscribed to, or is about to be.
    pub const fn is_followed(&self) -> bool {
        self.rest.followed
    }

    /// Makes it stale; the levels stay as the last that is known.
    #[cold]
    #[inline(never)]
    pub(crate) fn fail(&mut self, now: Nanos, why: StaleWhy) -> Applied {
        if matches!(self.sync, Sync::Stale { .. }) || !self.rest.followed {
            return Applied::Unchanged;
        }
        self.sync = Sync::Stale { why, since: now };
        let times = &mut self.rest.stales[why as usize];
        *times = times.saturating_add(1);
        self.refile = true;
        self.frame = Applied::Unchanged;
        self.frame_open = false;
        self.drop_checks();
        Applied::Stale(why)
    }

    fn is_overdue(&self, now: Nanos) -> bool {
        self.doubted_since.is_some_and(|since| now.since(since) >= DOUBT_NS_MAX)
    }

    /// Time passed: a book that has disagreed with its venue for too long is stale.
    fn on_time(&mut self, now: Nanos) -> Option<StaleWhy> {
        let is_late = |since: Nanos| now.since(since) >= DOUBT_NS_MAX;
        let why = match (self.is_overdue(now), self.rest.checks.stated_since()) {
            (true, _) => self.settle()?,
            (false, Some(since)) if is_late(since) => StaleWhy::Top,
            (false, _) => return None,
        };
        self.fail(now, why);
        Some(why)
    }

    fn is_crossed(&self) -> bool {
        // The best bid's slot is `top - 1`; the best ask's, counted from the other end, `slots - top`.
        self.ladders[0].top() + self.ladders[1].top() > self.ladders[0].slots()
    }

    const fn rank(&self, side: Side, slot: usize) -> usize {
        rank(&self.ladders, side, slot)
    }

    /// Whether orders may be opened from it: whole, between frames, and not at odds with what the venue said last.
    pub const fn is_good(&self) -> bool {
        matches!(self.sync, Sync::Good) && !self.frame_open && self.doubted_since.is_none()
    }

    /// Whether orders are opened from it: where it is good, and with a known defect always.
    pub(crate) fn is_opened_from(&self) -> bool {
        self.is_good() || canary::is(Canary::StaleBookTraded)
    }

    /// Whether it may belong in other lists of [`Books`] than before.
    pub(crate) const fn is_to_file(&self) -> bool {
        self.refile
    }

    /// Whether it is whole and not at odds with what the venue said last, also in the middle of a frame.
    const fn is_well(&self) -> bool {
        matches!(self.sync, Sync::Good) && self.doubted_since.is_none()
    }

    /// Whether it waits for a snapshot that has not begun. That of a market which is over waits for none: there will be none,
    /// and nothing can be traded there.
    const fn is_waiting(&self) -> bool {
        let waits = matches!(self.sync, Sync::Fresh | Sync::Stale { .. });
        waits && self.rest.followed && !self.rest.terms.status.is_over()
    }

    /// How far it can be trusted.
    pub const fn sync(&self) -> Sync {
        self.sync
    }

    /// Whether time alone may make it stale: it disagrees with what the venue stated.
    const fn is_timed(&self) -> bool {
        self.doubted_since.is_some() || self.rest.checks.stated_since().is_some()
    }

    /// Since when it disagrees with what the venue stated outside a frame, if it does.
    pub const fn doubted_since(&self) -> Option<Nanos> {
        self.doubted_since
    }

    /// Moves with every frame and every snapshot about it: a market is silent while this stands still.
    pub const fn frames(&self) -> u32 {
        self.frames
    }

    /// How often it became stale for each reason, by the reason's number; none counts beyond 65,535.
    pub const fn stales(&self) -> &[u16; StaleWhy::ALL.len()] {
        &self.rest.stales
    }

    /// What a witness of the same book says of it: see [`digest`].
    pub fn digest(&self) -> u64 {
        digest(self.levels(Side::Bid), self.levels(Side::Ask))
    }

    /// Goes up whenever the levels are dropped: quantities of two epochs cannot be compared.
    pub const fn epoch(&self) -> u32 {
        self.rest.epoch
    }

    /// The venue's time of the last snapshot, or zero.
    pub const fn venue_time(&self) -> Nanos {
        self.rest.venue_time
    }

    /// The market link that its last snapshot came over, and its changes since; `None` before the first.
    pub const fn link(&self) -> Option<LinkNumber> {
        self.rest.link
    }

    /// The market link that brought its last snapshot, and whose link that is; `None` before the first.
    fn fed_by(&self) -> Option<(Venue, LinkNumber)> {
        self.rest.link.map(|link| (self.rest.terms.venue, link))
    }

    /// The market's terms of trade as last heard, its grid and status kept up to date.
    pub const fn terms(&self) -> &MarketDef {
        &self.rest.terms
    }

    /// The best price of YES and what rests there, as last known; see [`Book::is_good`].
    #[inline]
    pub const fn best(&self, side: Side) -> Option<(Price, Qty)> {
        self.tops.get(side)
    }

    #[inline(never)] // the change of a level seldom needs it
    fn find_best(&self, side: Side) -> Option<(Price, Qty)> {
        let (rank, qty) = self.ladders[side.index()].best()?;
        Some((self.rest.scale.price(self.rank(side, rank)), qty))
    }

    /// What rests at a price of YES; zero off the grid.
    pub fn qty(&self, side: Side, price: Price) -> Qty {
        let slot = slot(self.even, &self.rest.scale, price);
        slot.map_or(Qty::ZERO, |slot| self.ladders[side.index()].qty(self.rank(side, slot)))
    }

    /// Levels in prices of YES, best first.
    pub fn levels(&self, side: Side) -> Levels<'_> {
        Levels { ranks: self.ladders[side.index()].iter(), book: self, side, outcome: Outcome::Yes }
    }

    /// What buying `outcome` costs, cheapest first: NO is bought from the bids of YES, at the complement.
    pub fn asks_for(&self, outcome: Outcome) -> Levels<'_> {
        let side = Side::of(outcome, Action::Sell);
        Levels { ranks: self.ladders[side.index()].iter(), book: self, side, outcome }
    }

    /// The same behind [`Self::best_ask_for`].
    #[inline]
    pub fn asks_behind_best(&self, outcome: Outcome) -> Levels<'_> {
        let side = Side::of(outcome, Action::Sell);
        Levels { ranks: self.ladders[side.index()].behind_best(), book: self, side, outcome }
    }

    /// What selling `outcome` brings, dearest first: NO is sold to the asks of YES, at the complement.
    pub fn bids_for(&self, outcome: Outcome) -> Levels<'_> {
        let side = match outcome {
            Outcome::Yes => Side::Bid,
            Outcome::No => Side::Ask,
        };
        Levels { ranks: self.ladders[side.index()].iter(), book: self, side, outcome }
    }

    /// The cheapest price of `outcome` and how much of it is offered there.
    #[inline]
    pub fn best_ask_for(&self, outcome: Outcome) -> Option<(Price, Qty)> {
        match outcome {
            Outcome::Yes => self.best(Side::Ask),
            Outcome::No => self.best(Side::Bid).map(|(price, qty)| (price.complement(), qty)),
        }
    }

    /// The dearest price that `outcome` can be sold at and how much of it is wanted there.
    #[inline]
    pub fn best_bid_for(&self, outcome: Outcome) -> Option<(Price, Qty)> {
        match outcome {
            Outcome::Yes => self.best(Side::Bid),
            Outcome::No => self.best(Side::Ask).map(|(price, qty)| (price.complement(), qty)),
        }
    }

    /// The scale and the best levels, which follow from the terms and the ladders.
    fn rebuild(&mut self) -> Option<()> {
        (self.even, self.rest.scale) =
            (Even::new(self.rest.terms.grid), Scale::new(self.rest.terms.grid));
        self.market = self.rest.terms.market;
        for side in Side::ALL {
            self.tops.set(side, self.find_best(side));
        }
        self.refile = true;
        self.ladders.iter().all(|ladder| ladder.slots() == self.rest.scale.slots()).then_some(())
    }
}

/// The slot of a price an order may have; `None` off the grid.
#[inline]
fn slot(even: Even, scale: &Scale, price: Price) -> Option<usize> {
    even.slot(price).or_else(|| scale.slot(price))
}

/// The rank of a slot on a side: the best price has the highest. Without a branch: which side comes next is not to be foretold.
/// A slot beyond the grid, which none is, would have a rank that no ladder takes.
#[inline]
const fn rank(ladders: &[Ladder; 2], side: Side, slot: usize) -> usize {
    let asks = side.index().wrapping_neg(); // no bit for bids, every bit for asks
    (slot ^ asks).wrapping_add(ladders[1].slots() & asks) // the slot, or the slots above it
}

/// Whether the best prices are those that the venue states.
fn top_agrees(tops: &Tops, check: TopCheck) -> bool {
    let price = |side: Side| tops.get(side).map(|(price, _)| price);
    (price(Side::Bid), price(Side::Ask)) == (check.bid, check.ask)
}

/// Whether a level holds what the venue states; none off the grid does.
fn mirror_agrees(even: Even, scale: &Scale, ladders: &[Ladder; 2], check: MirrorCheck) -> bool {
    slot(even, scale, check.price).is_some_and(|slot| {
        ladders[check.side.index()].qty(rank(ladders, check.side, slot)) == check.qty
    })
}

pack_variants! {
    Sync { 0 = Fresh, 1 = Loading, 2 = Good, 3 = Stale { why, since } }
    Applied { 0 = Pending, 1 = Unchanged, 2 = Deep, 3 = Top, 4 = Stale(why), 5 = Many }
}

// The terms come first, written by the table of books: without them no book can be made to load the rest into.
state_fields! {
    Book {
        market: derived, even: derived, ladders: each, tops: derived, sync: value, frame: value, frame_open: value, checks_open: value,
        doubted_since: value, refile: derived, frames: value, rest: boxed,
    } then rebuild
}

/// A row of the table of books that is in use.
impl State for Option<Book> {
    fn save<W: PackSink>(&self, to: &mut W) {
        let book = self.as_ref().expect("only rows in use are written");
        book.rest.terms.pack(to);
        book.save(to);
    }
    fn load<S: PackSource>(&mut self, from: &mut S) -> Option<()> {
        self.insert(Book::new(MarketDef::unpack(from)?)).load(from)
    }
    fn sketch<W: PackSink>(&self, draw: &mut Arbitrary, to: &mut W) {
        let terms: MarketDef = draw_some(draw);
        terms.pack(to);
        Book::new(terms).sketch(draw, to);
    }
}

/// Levels of a [`Book`], best first, as prices of one outcome.
#[derive(Clone, Debug)]
pub struct Levels<'a> {
    ranks: Ranks<'a>,
    book: &'a Book,
    side: Side,
    outcome: Outcome,
}

impl Iterator for Levels<'_> {
    type Item = (Price, Qty);

    #[inline(always)] // into the loops that walk
    fn next(&mut self) -> Option<(Price, Qty)> {
        let (rank, qty) = self.ranks.next()?;
        let price = self.book.rest.scale.price(self.book.rank(self.side, rank));
        match self.outcome {
            Outcome::Yes => Some((price, qty)),
            Outcome::No => Some((price.complement(), qty)),
        }
    }
}
