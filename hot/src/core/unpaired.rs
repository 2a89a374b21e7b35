//! Contracts that neither a complete basket nor a group at work explains: another program bought them, a file was lost,
//! or a group was given up. They are told to a person, and shown for as long as they are held. What else is done about them is
//! `strategy.unpaired`'s to say: `stop` in this folder.

use super::Core;
use super::fills::QTY_DUST;
use crate::bounds::MARKETS_MAX;
use crate::id_set::IdSet;
use crate::ids::{MarketId, Outcome};
use crate::ledger::Ledger;
use crate::note::Alarm;
use crate::outbox::Outbox;
use crate::state::state_fields;
use crate::stats::{Unpaired, UnpairedPosition};
use crate::units::{Nanos, Usd};

/// What could be sold for less may stay: groups leave as much.
pub(super) const WORTH_MIN: Usd = Usd::from_dollars(1);
/// Positions that are told as alarms after one comparison; the next ones go on with the others.
const TOLD_MAX: usize = 64;

/// For which positions the alarm was raised, by market: one set an outcome.
#[derive(Debug)]
pub(super) struct UnpairedTold {
    markets: [IdSet; 2],
    /// When a stop-loss may begin in a market again, by market.
    next_stop: Vec<Nanos>,
    /// Since when the bids say that what is held of either outcome has lost enough for a stop-loss, by market; [`Nanos::NEVER`] where
    /// they do not.
    lost_since: Vec<[Nanos; 2]>,
    /// When positions were last held against their bids.
    looked: Nanos,
}

state_fields! {
    UnpairedTold { markets: each, next_stop: table(Nanos::ZERO), lost_since: table([Nanos::NEVER; 2]), looked: value }
}

impl UnpairedTold {
    pub fn new() -> Self {
        let markets = [IdSet::new(MARKETS_MAX), IdSet::new(MARKETS_MAX)];
        Self {
            markets,
            next_stop: vec![Nanos::ZERO; MARKETS_MAX],
            lost_since: vec![[Nanos::NEVER; 2]; MARKETS_MAX],
            looked: Nanos::ZERO,
        }
    }

    /// The next market from `from` on of which contracts of an outcome were told that are still held.
    pub fn next(&self, outcome: Outcome, from: usize) -> Option<MarketId> {
        let at = self.markets[outcome.index()].next(from)?;
        Some(MarketId::new(at as u16))
    }

    /// Whether a stop-loss may begin in a market.
    pub fn may_stop(&self, now: Nanos, market: MarketId) -> bool {
        now >= self.next_stop[market.index()]
    }

    /// A stop-loss begins in a market: the next one not before this time.
    pub fn on_stop(&mut self, market: MarketId, next: Nanos) {
        self.next_stop[market.index()] = next;
    }

    /// Positions are held against their bids at `now`. Where they were not for longer than `most`, nothing is known of what the bids have
    /// said since.
    pub fn look(&mut self, now: Nanos, most: Nanos) {
        if now.since(self.looked) > most {
            self.lost_since.fill([Nanos::NEVER; 2]);
        }
        self.looked = now;
    }

    /// Notes whether the bids say at `now` that an outcome has lost enough for a stop-loss, and tells for how long they have said so.
    pub fn lost_for(
        &mut self,
        now: Nanos,
        market: MarketId,
        outcome: Outcome,
        is_lost: bool,
    ) -> Nanos {
        let since = &mut self.lost_since[market.index()][outcome.index()];
        *since = if is_lost { now.min(*since) } else { Nanos::NEVER };
        if is_lost { now.since(*since) } else { Nanos::ZERO }
    }

    /// A run begins, or a person resumes: a stop-loss may begin at once.
    pub fn begin_anew(&mut self) {
        self.next_stop.fill(Nanos::ZERO);
        self.lost_since.fill([Nanos::NEVER; 2]);
    }

    /// An outcome counts as told, or as nothing that would be told.
    fn set_told(&mut self, market: MarketId, outcome: Outcome, is_told: bool) {
        self.markets[outcome.index()].set(market.index(), is_told);
        if !is_told {
            self.lost_since[market.index()][outcome.index()] = Nanos::NEVER;
        }
    }

    /// Forgets the markets in which nothing is open any more.
    fn forget_closed(&mut self, ledger: &Ledger) {
        for told in &mut self.markets {
            let mut from = 0;
            while let Some(at) = told.next(from) {
                from = at + 1;
                if !ledger.position(MarketId::new(at as u16)).is_open() {
                    told.remove(at);
                    self.lost_since[at] = [Nanos::NEVER; 2];
                }
            }
        }
    }
}

impl Core {
    /// Looks for contracts without a partner. Complete baskets count as hedged, whoever bought them. Where a group is at
    /// work, what is held may be a leg that waits for its partner: what was found there last stands until it has ended. A group ends
    /// with what its venue has counted: the contracts may be told, and booked, a moment later.
    pub(super) fn look_for_unpaired(&mut self, out: &mut Outbox) {
        self.mark(); // leaves what no complete basket has taken
        let mut found = Unpaired::default();
        self.unpaired_told.forget_closed(self.money.ledger());
        let (mut from, mut newly_told) = (MarketId::new(0), 0);
        while let Some(market) = self.ledger().next_open(from) {
            from = MarketId::new(market.get() + 1);
            // Of whichever outcome its leg is: where pairs are netted, the first leg of a basket takes contracts away that were
            // the partner of others, until the second one has taken those away as well.
            let is_worked_on = self.groups.has_leg_in(market);
            for outcome in [Outcome::Yes, Outcome::No] {
                let qty = self.money.worth().unpaired(market, outcome);
                let is_open = self.money.worth().settled_at(market).is_none() && !qty.is_zero();
                let told = self.unpaired_told.markets[outcome.index()].contains(market.index());
                let stands = match is_worked_on {
                    true => is_open && told,
                    false => {
                        let worth = is_open && self.is_worth(market, outcome, qty);
                        worth && (told || !self.awaits_fills_beside(market))
                    }
                };
                if stands {
                    found.add(UnpairedPosition { market, outcome, qty });
                }
                let is_due = stands && !told && newly_told < TOLD_MAX;
                if is_due {
                    newly_told += 1;
                    self.alarm(Alarm::Unpaired, Some(market), None, out);
                }
                let is_told = stands && (told || is_due);
                self.unpaired_told.set_told(market, outcome, is_told);
            }
        }
        self.stats.unpaired = found;
    }

    /// Whether a venue has counted contracts of an order as filled that it has not told yet, in the cluster of a market: they may be the
    /// partner of those that are held there.
    fn awaits_fills_beside(&self, market: MarketId) -> bool {
        let cluster = self.terms(market).cluster;
        self.orders.live().any(|record| {
            record.known_filled() > record.filled + QTY_DUST
                && self.terms(record.order.market).cluster == cluster
        })
    }

    /// Whether contracts cost or would fetch enough to matter.
    fn is_worth(&self, market: MarketId, outcome: Outcome, qty: crate::units::Qty) -> bool {
        let cost = self.money.position(market).share(outcome, qty);
        let fetches = self.money.worth().bid(market, outcome).map(|bid| bid.proceeds_floor(qty));
        cost.max(fetches.unwrap_or(Usd::ZERO)) >= WORTH_MIN
    }
}
