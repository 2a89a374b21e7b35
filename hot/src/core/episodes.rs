//! What is remembered of each basket between events: its last opportunity, what was made of it, and its cooldown.
//!
//! A book that flickers shows the same opportunity many times. An episode is all of them with less than
//! [`EPISODE_GAP`] between two; each verdict is told once in it. While a basket cools down it is not traded, and once it has
//! cooled down it is looked at again, though no book changed.

use crate::basket::Verdict;
use crate::bounds::{BASKETS_MAX, COOLED_PER_TIMER_MAX};
use crate::group::ADOPTED;
use crate::id_set::IdSet;
use crate::ids::BasketId;
use crate::pack::pack_fields;
use crate::per_id::PerId;
use crate::state::state_fields;
use crate::units::Nanos;

/// A basket without an opportunity for this long begins a new episode with the next one.
const EPISODE_GAP: Nanos = Nanos::from_secs(1);

/// What is remembered of every basket: see the head of this file.
#[derive(Debug)]
pub(super) struct Episodes {
    /// By basket id.
    all: PerId<Episode>,
    /// Baskets that cool down, and are to be looked at again afterwards.
    cooling: IdSet,
    /// Where the next timer event begins to look through them.
    next: usize,
}

/// What is remembered of one basket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Episode {
    /// When it last showed an opportunity.
    seen: Nanos,
    /// What was last made of it.
    verdict: Verdict,
    /// Until this time the basket is not traded (cooldown).
    cools_until: Nanos,
}

/// How a verdict stands in its basket's episode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Recorded {
    /// Whether it is told: the verdict before it was another, or of an earlier episode.
    pub is_new: bool,
    /// Whether it is the first of its episode that is about more than a size too small.
    pub is_first: bool,
}

impl Episode {
    /// Of a basket that never showed an opportunity.
    const NONE: Self =
        Self { seen: Nanos::ZERO, verdict: Verdict::TooSmall, cools_until: Nanos::ZERO };
}

pack_fields! {
    Episode { seen, verdict, cools_until }
}

state_fields! {
    Episodes { all: table(Episode::NONE), cooling: value, next: index }
}

impl Episodes {
    /// Allocates all it will ever need.
    pub fn new() -> Self {
        let all = PerId::new(BASKETS_MAX, Episode::NONE);
        Self { all, cooling: IdSet::new(BASKETS_MAX), next: 0 }
    }

    /// Whether a basket is not traded just now (cooldown).
    pub fn is_cooling(&self, now: Nanos, basket: BasketId) -> bool {
        now < self.all[basket.index()].cools_until
    }

    /// A basket was traded: until `until` it is not traded again, and then it is looked at.
    pub fn on_traded(&mut self, basket: BasketId, until: Nanos) {
        if basket == ADOPTED {
            return; // nobody decides to open that one
        }
        let episode = &mut self.all[basket.index()];
        episode.cools_until = until;
        episode.verdict = Verdict::Taken;
        self.cooling.insert(basket.index());
    }

    /// What stood in the way may pass (a full minute, a link, an operator's halt) without a book changing: the next timer
    /// event looks again.
    pub fn look_again(&mut self, basket: BasketId) {
        self.cooling.insert(basket.index());
    }

    /// Hands over the baskets that have cooled down, by rising id, and forgets that they did. Looks at
    /// [`COOLED_PER_TIMER_MAX`] of those that cool down; the next call goes on behind them.
    pub fn wake(&mut self, now: Nanos, mut with: impl FnMut(BasketId)) {
        for _ in 0..COOLED_PER_TIMER_MAX {
            let Some(at) = self.cooling.next(self.next) else { break };
            if now >= self.all[at].cools_until {
                self.cooling.remove(at);
                with(BasketId::new(at as u16));
            }
            self.next = at + 1;
        }
        if self.cooling.next(self.next).is_none() {
            self.next = 0;
        }
    }

    /// Whether the present episode of a basket has not had this verdict last.
    pub fn is_new(&self, now: Nanos, basket: BasketId, verdict: Verdict) -> bool {
        let episode = &self.all[basket.index()];
        now.since(episode.seen) >= EPISODE_GAP || episode.verdict != verdict
    }

    /// Records what was made of an opportunity.
    pub fn record(&mut self, now: Nanos, basket: BasketId, verdict: Verdict) -> Recorded {
        let is_new = self.is_new(now, basket, verdict);
        let episode = &mut self.all[basket.index()];
        let begins = now.since(episode.seen) >= EPISODE_GAP || episode.verdict == Verdict::TooSmall;
        episode.seen = now;
        if is_new {
            episode.verdict = verdict;
        }
        Recorded { is_new, is_first: is_new && begins && verdict != Verdict::TooSmall }
    }
}
