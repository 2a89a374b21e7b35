//! The fills that have been told: those that are booked, and those whose end was told before they were.
//!
//! This part keeps that a fill is booked once however often it is told (O5), and that it is undone at most once (O2). It remembers
//! the last [`FILLS_SEEN_MAX`] booked fills, and of those that are not booked the last [`FILLS_VOID_MAX`] that failed and the last
//! [`FILLS_FINAL_MAX`] that are final; older ones are forgotten. Those that a reading of their venue may not show are kept as a
//! list, so that no reading walks all of them.

use super::money::HeldBack;
use crate::bounds::{FILLS_FINAL_MAX, FILLS_SEEN_MAX, FILLS_VOID_MAX, MARKETS_MAX};
use crate::id_set::IdSet;
use crate::ids::{FillId, GroupId, MarketId, OrderId, Venue};
use crate::index::Index;
use crate::ledger::{Booking, EntryId};
use crate::pack::pack_fields;
use crate::per_id::PerId;
use crate::per_venue::PerVenue;
use crate::state::state_fields;
use crate::units::Nanos;

use std::collections::VecDeque;

/// Reads of an account may lag behind its fills by this long.
pub(super) const READ_LAG: Nanos = Nanos::from_secs(10);
/// A fill that the venue has neither confirmed nor failed for this long counts as settled. Settlement takes seconds,
/// its retries take minutes.
const SETTLED_AFTER: Nanos = Nanos::from_secs(3_600);

/// One booked fill.
#[derive(Clone, Copy, Debug)]
pub(super) struct Booked {
    pub fill: FillId,
    pub order: OrderId,
    /// The group of the order. It outlives the order's own record.
    pub group: GroupId,
    pub booking: Booking,
    pub entry: EntryId,
    /// When it was booked.
    pub at: Nanos,
    /// When the venue confirmed it or took it back; until then it may still do either. Where nobody ever tells, it counts as
    /// confirmed when it was booked: see [`FillsSeen::settle_old`].
    pub settled: Option<Nanos>,
    pub undone: bool,
    /// Whether our order was the taker.
    pub taker: bool,
    /// What is held back of it while it may still fail.
    pub held_back: HeldBack,
}

/// The fills that have been told: see the head of this file.
#[derive(Debug)]
pub(super) struct FillsSeen {
    /// Slots of `booked`, by fill id.
    by_id: Index,
    /// A ring, once it is full.
    booked: Vec<Booked>,
    /// The slot of `booked` that the next fill takes.
    next: usize,
    /// Fills that failed before anything else was told of them, oldest first.
    voids: VecDeque<FillId>,
    /// Those of `voids` whose order is known and has been told of them, oldest first.
    voids_counted: VecDeque<FillId>,
    /// Fills that were called final before anything else was told of them, oldest first. None of them is in `voids`.
    finals: VecDeque<FillId>,
    /// How many of the booked fills in each market the venue may still take back.
    unsettled: PerId<u32>,
    /// Slots of the fills that the next reading of each venue may not show as they are. What a later reading shows for
    /// certain leaves with that reading.
    unshown: PerVenue<IdSet>,
    /// When the last reading of each venue began.
    read: PerVenue<Nanos>,
}

pack_fields! {
    Booked { fill, order, group, booking, entry, at, settled, undone, taker, held_back }
}

state_fields! {
    FillsSeen {
        by_id: derived, booked: list(FILLS_SEEN_MAX), next: index, voids: list(FILLS_VOID_MAX),
        voids_counted: list(FILLS_VOID_MAX), finals: list(FILLS_FINAL_MAX), unsettled: derived, unshown: derived,
        read: value,
    } then rebuild
}

impl FillsSeen {
    /// Allocates all it will ever need.
    pub fn new() -> Self {
        Self {
            by_id: Index::with_capacity(FILLS_SEEN_MAX),
            booked: Vec::with_capacity(FILLS_SEEN_MAX),
            next: 0,
            voids: VecDeque::with_capacity(FILLS_VOID_MAX),
            voids_counted: VecDeque::with_capacity(FILLS_VOID_MAX),
            finals: VecDeque::with_capacity(FILLS_FINAL_MAX),
            unsettled: PerId::new(MARKETS_MAX, 0),
            unshown: PerVenue::from_fn(|_| IdSet::new(FILLS_SEEN_MAX)),
            read: PerVenue::default(),
        }
    }

    /// Whether a fill books nothing when it is told: it is booked already, or has failed.
    pub fn knows(&self, fill: FillId) -> bool {
        self.by_id.find(fill.get()).is_some() || self.voids.contains(&fill)
    }

    /// A fill was booked. Returns the one that is forgotten for it, if its end was never told.
    ///
    /// # Panics
    /// If it was booked before.
    pub fn remember(&mut self, booked: Booked) -> Option<Booked> {
        let mut forgotten = None;
        assert!(self.by_id.find(booked.fill.get()).is_none(), "P1: a fill is booked once");
        let slot = self.next;
        if self.booked.len() < FILLS_SEEN_MAX {
            self.booked.push(booked);
        } else {
            let oldest = self.booked[slot];
            self.by_id.remove(oldest.fill.get());
            self.unshown[oldest.venue()].remove(slot);
            if oldest.settled.is_none() {
                self.unsettled[oldest.booking.market.index()] -= 1;
                forgotten = Some(oldest);
            }
            self.booked[slot] = booked;
        }
        if booked.settled.is_none() {
            self.unsettled[booked.booking.market.index()] += 1;
        }
        self.unshown[booked.venue()].insert(slot);
        self.next = (slot + 1) % FILLS_SEEN_MAX;
        let slot = u32::try_from(slot).expect("FILLS_SEEN_MAX is small");
        assert!(self.by_id.insert(booked.fill.get(), slot), "the oldest made room");
        forgotten
    }

    /// The fills whose end is not known.
    pub fn open(&self) -> impl Iterator<Item = &Booked> {
        self.booked.iter().filter(|booked| booked.settled.is_none())
    }

    /// The venue will not take a fill back any more: from the next readings on, its figures show it. Returns it if that was
    /// not known before. One that is not booked is remembered, so that it is final when it is told late.
    pub fn on_final(&mut self, now: Nanos, fill: FillId) -> Option<Booked> {
        let Some(slot) = self.by_id.find(fill.get()) else {
            if !self.voids.contains(&fill) {
                remember_end(&mut self.finals, FILLS_FINAL_MAX, fill);
            }
            return None;
        };
        let booked = &mut self.booked[slot as usize];
        if booked.settled.is_some() {
            return None;
        }
        booked.settled = Some(now);
        self.unsettled[booked.booking.market.index()] -= 1;
        self.unshown[booked.venue()].insert(slot as usize);
        Some(*booked)
    }

    /// A fill failed. Returns it if that must be undone: it is booked, and was not undone before. One that is not booked
    /// is remembered, so that it books nothing when it is told late.
    pub fn on_failed(&mut self, now: Nanos, fill: FillId) -> Option<Booked> {
        let Some(slot) = self.by_id.find(fill.get()) else {
            self.take_final(fill);
            remember_end(&mut self.voids, FILLS_VOID_MAX, fill);
            return None;
        };
        let booked = &mut self.booked[slot as usize];
        let before = *booked;
        if before.undone {
            return None;
        }
        (booked.undone, booked.settled) = (true, Some(now));
        self.unshown[before.venue()].insert(slot as usize);
        if before.settled.is_none() {
            self.unsettled[before.booking.market.index()] -= 1;
        }
        Some(before)
    }

    /// Whether a fill was called final before it was told. It is booked now: that needs to be remembered no longer.
    pub fn take_final(&mut self, fill: FillId) -> bool {
        let told = self.finals.iter().position(|told| *told == fill);
        told.is_some_and(|at| self.finals.remove(at).is_some())
    }

    /// Whether a fill failed before it was booked.
    pub fn is_void(&self, fill: FillId) -> bool {
        self.voids.contains(&fill)
    }

    /// Whether the order of such a fill has been told of it.
    pub fn is_void_counted(&self, fill: FillId) -> bool {
        self.voids_counted.contains(&fill)
    }

    /// The order of such a fill is told of it, once.
    pub fn count_void(&mut self, fill: FillId) {
        remember_end(&mut self.voids_counted, FILLS_VOID_MAX, fill);
    }

    /// Whether the venue may still take back a fill in a market.
    pub fn is_unsettled(&self, market: MarketId) -> bool {
        self.unsettled[market.index()] > 0
    }

    /// The index of fills, how many may be taken back, and which ones no reading has shown.
    ///
    /// `None` where the slot of the next fill is none, or a fill is there twice.
    fn rebuild(&mut self) -> Option<()> {
        for (slot, booked) in (0_u32..).zip(&self.booked) {
            let fill = booked.fill.get();
            if self.by_id.find(fill).is_some() || !self.by_id.insert(fill, slot) {
                return None;
            }
        }
        for booked in self.booked.iter().filter(|booked| booked.settled.is_none()) {
            let market = booked.booking.market.index();
            (market < MARKETS_MAX).then_some(())?;
            self.unsettled[market] += 1;
        }
        for (slot, booked) in self.booked.iter().enumerate() {
            let venue = booked.venue();
            self.unshown[venue].set(slot, !booked.is_shown(self.read[venue]));
        }
        let fits = match self.booked.len() {
            FILLS_SEEN_MAX => self.next < FILLS_SEEN_MAX,
            count => self.next == count,
        };
        fits.then_some(())
    }

    /// A reading of a venue begins at `since`. A fill that it shows for certain though its end was never told will not be taken
    /// back: it counts as confirmed from here on. Returns the first one in a slot from `from` on; `from` moves on behind it. The
    /// word that it is final may be lost for good, and what is held back for it is not.
    pub fn settle_old(&mut self, venue: Venue, since: Nanos, from: &mut usize) -> Option<Booked> {
        while let Some(slot) = self.unshown[venue].next(*from) {
            *from = slot + 1;
            let booked = &mut self.booked[slot];
            if booked.settled.is_none() && booked.is_shown(since) {
                booked.settled = Some(booked.at);
                self.unsettled[booked.booking.market.index()] -= 1;
                return Some(*booked);
            }
        }
        None
    }

    /// A reading of a venue began at `since`: what it and all later ones show for certain leaves the list.
    pub fn begin_reading(&mut self, venue: Venue, since: Nanos) {
        let read = &mut self.read[venue];
        *read = since.max(*read);
        let (unshown, read) = (&mut self.unshown[venue], *read);
        let mut from = 0;
        while let Some(slot) = unshown.next(from) {
            from = slot + 1;
            if self.booked[slot].is_shown(read) {
                unshown.remove(slot);
            }
        }
    }

    /// The booked fills that the reading of a venue that has begun last may lack or, where they were undone, still have.
    pub fn unshown(&self, venue: Venue) -> impl Iterator<Item = &Booked> {
        self.unshown[venue].iter().map(|slot| &self.booked[slot])
    }
}

/// Remembers that the end of a fill was told before the fill, and forgets the oldest where there is no room.
fn remember_end(ends: &mut VecDeque<FillId>, most: usize, fill: FillId) {
    if ends.contains(&fill) {
        return;
    }
    if ends.len() == most {
        ends.pop_front();
    }
    ends.push_back(fill);
}

impl Booked {
    pub fn venue(&self) -> Venue {
        self.booking.account.venue()
    }

    /// Whether a reading that began at `since` shows what became of it for certain.
    fn is_shown(&self, since: Nanos) -> bool {
        let before = |span: Nanos| Nanos::new(since.get().saturating_sub(span.get()));
        match self.settled {
            Some(at) => at <= before(READ_LAG),
            None => self.at < before(SETTLED_AFTER),
        }
    }
}

#[cfg(test)]
mod tests;
