//! What is remembered of each basket between events: its last opportunity, what was made of it, and its cooldown.
//!
//! A book that flickers shows the same opportunity many times. An episode is all of them with less than
//! [`EPISODE_GAP`] between two; each verdict is told once in it, but for a purchase, which is told each time. While a basket cools
//! down it is not traded, and once it has cooled down it is looked at again, though no book changed.

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
    /// The verdicts that were told in its present episode: one bit each.
    told: u16,
    /// Until this time the basket is not traded (cooldown).
    cools_until: Nanos,
}

/// How a verdict stands in its basket's episode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Recorded {
    /// Whether it is told: it is the first of its kind in its episode, or a purchase.
    pub is_new: bool,
    /// Whether it is the first of its episode that is about more than too little of a profit.
    pub is_first: bool,
}

impl Episode {
    /// Of a basket that never showed an opportunity.
    const NONE: Self = Self { seen: Nanos::ZERO, told: 0, cools_until: Nanos::ZERO };

    /// The verdicts of the episode that an opportunity now would be of.
    const fn told_by(&self, now: Nanos) -> u16 {
        if now.since(self.seen).get() >= EPISODE_GAP.get() { 0 } else { self.told }
    }
}

/// The verdicts about too little of a profit.
const SMALL: u16 = bit(Verdict::TooSmall) | bit(Verdict::NoEdge);

const fn bit(verdict: Verdict) -> u16 {
    1 << verdict as u16
}

const _: () =
    assert!(Verdict::ALL.len() <= u16::BITS as usize, "a word has a bit for each verdict");

pack_fields! {
    Episode { seen, told, cools_until }
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

    /// Whether the present episode of a basket has not had this verdict.
    pub fn is_new(&self, now: Nanos, basket: BasketId, verdict: Verdict) -> bool {
        self.all[basket.index()].told_by(now) & bit(verdict) == 0
    }

    /// An opportunity is still there, and nothing new is to be said of it.
    pub fn see(&mut self, now: Nanos, basket: BasketId) {
        self.all[basket.index()].seen = now;
    }

    /// Records what was made of an opportunity. What it promises after a purchase is another one, but not while the basket rests:
    /// that may be what was left of the same.
    pub fn record(&mut self, now: Nanos, basket: BasketId, verdict: Verdict) -> Recorded {
        let episode = &mut self.all[basket.index()];
        let told = episode.told_by(now);
        let is_bought = verdict == Verdict::Taken;
        (episode.seen, episode.told) =
            (now, if is_bought { bit(verdict) } else { told | bit(verdict) });
        let may_precede = match verdict {
            Verdict::Cooldown => SMALL,
            _ => SMALL | bit(Verdict::Taken) | bit(Verdict::Cooldown),
        };
        Recorded {
            is_new: is_bought || told & bit(verdict) == 0,
            is_first: SMALL & bit(verdict) == 0 && told & !may_precede == 0,
        }
    }
}
