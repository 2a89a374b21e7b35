//! What the venues take at the moment ([`VenueMode`]), as their executors have learnt: the gate has a row of it.
//!
//! Where a venue takes no order that trades at once, what is to be sold there waits. That is no attempt, the time does not count
//! towards the bounds of an unwind, and when the mode ends it goes before anything else is decided.

use super::Core;
use crate::group::Group;
use crate::ids::Venue;
use crate::note::{Alarm, Place};
use crate::outbox::Outbox;
use crate::pack::pack_fields;
use crate::per_venue::PerVenue;
use crate::state::state_fields;
use crate::units::Nanos;
use crate::venue_mode::{MODE_SHARDS, ModeShown, VenueMode, mode_shard};

/// The modes of every shard. A run begins with everything taken.
#[derive(Debug)]
pub(super) struct Modes {
    /// What each shard takes: one byte that the gate reads.
    now: PerVenue<[VenueMode; MODE_SHARDS]>,
    spans: PerVenue<[Span; MODE_SHARDS]>,
}

/// How long a mode lasts. Nothing is said of one that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    /// Since when the shard has not taken everything.
    since: Nanos,
    /// When the venue says that it takes everything again; zero where it has not said.
    until: Nanos,
}

/// What was before a mode that is another one now.
struct Before {
    mode: VenueMode,
    /// Since when the shard had not taken everything.
    since: Nanos,
}

state_fields! {
    Modes { now: value, spans: value }
}

pack_fields! {
    Span { since, until }
}

impl Modes {
    pub const fn new() -> Self {
        const NONE: Span = Span { since: Nanos::ZERO, until: Nanos::ZERO };
        Self {
            now: PerVenue::all([VenueMode::Open; MODE_SHARDS]),
            spans: PerVenue::all([NONE; MODE_SHARDS]),
        }
    }

    /// What a shard of a venue takes.
    #[inline]
    pub fn of(&self, venue: Venue, shard: u8) -> VenueMode {
        self.now[venue][mode_shard(shard)]
    }

    /// What the venues take, for status: of each the shard that takes least.
    pub fn shown(&self) -> PerVenue<ModeShown> {
        PerVenue::from_fn(|venue| {
            let shards = self.now[venue].iter().zip(&self.spans[venue]);
            let least = shards.max_by_key(|(mode, _)| **mode);
            let (&mode, span) = least.expect("a venue has a shard");
            ModeShown { mode, until: span.until }
        })
    }

    /// A shard takes this from now on. What was before, where that was something else.
    fn on_told(
        &mut self,
        now: Nanos,
        (venue, shard): (Venue, u8),
        mode: VenueMode,
        until: Nanos,
    ) -> Option<Before> {
        let at = mode_shard(shard);
        let (held, span) = (&mut self.now[venue][at], &mut self.spans[venue][at]);
        let before = Before { mode: *held, since: span.since };
        let since = if before.mode == VenueMode::Open { now } else { before.since };
        *span = match mode {
            VenueMode::Open => Span { since: Nanos::ZERO, until: Nanos::ZERO },
            VenueMode::PostOnly
            | VenueMode::CancelOnly
            | VenueMode::Restarting
            | VenueMode::Shut => Span { since, until },
        };
        *held = mode;
        (before.mode != mode).then_some(before)
    }
}

impl Core {
    /// A venue's executor has learnt what the venue takes.
    pub(super) fn on_mode(
        &mut self,
        now: Nanos,
        (venue, shard): (Venue, u8),
        mode: VenueMode,
        until: Nanos,
        out: &mut Outbox,
    ) {
        let Some(before) = self.modes.on_told(now, (venue, shard), mode, until) else { return };
        if before.mode == VenueMode::Open {
            self.stats.venue_modes += 1;
            self.alarm_at(Alarm::VenueMode, Place::of_venue(venue), out);
        }
        if mode != VenueMode::Open {
            return;
        }
        for slot in 0..self.groups.len() {
            let group = self.groups.at(slot);
            if self.sells_in(group, venue, shard) {
                self.groups.at_mut(slot).leave_out(before.since, now);
            }
        }
        // Nobody promises that what rested outlives a restart.
        self.ask_about_resting(now, venue, out);
        self.wake_groups(now, out);
    }

    /// Whether a group has contracts to sell in a shard of a venue.
    fn sells_in(&self, group: &Group, venue: Venue, shard: u8) -> bool {
        let at = mode_shard(shard);
        group.legs().iter().any(|leg| {
            let is_there = leg.venue == venue && mode_shard(self.terms(leg.market).shard) == at;
            is_there && !group.excess(leg).is_zero()
        })
    }

    /// Whether a group has contracts to sell where the venue takes no order now that trades at once.
    pub(super) fn waits_for_mode(&self, group: &Group) -> bool {
        group.legs().iter().any(|leg| {
            let mode = self.modes.of(leg.venue, self.terms(leg.market).shard);
            !mode.takes_all() && !group.excess(leg).is_zero()
        })
    }
}
