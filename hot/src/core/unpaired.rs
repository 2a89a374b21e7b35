//! Contracts that neither a complete basket nor a group at work explains: another program bought them, a file was lost,
//! or a group was given up. They are told to a person, and shown for as long as they are held.

use super::Core;
use crate::bounds::MARKETS_MAX;
use crate::ids::{MarketId, Outcome};
use crate::note::Alarm;
use crate::outbox::Outbox;
use crate::state::state_fields;
use crate::stats::{Unpaired, UnpairedPosition};
use crate::units::Usd;

/// What could be sold for less may stay: groups leave as much.
const WORTH_MIN: Usd = Usd::from_dollars(1);

/// For which positions the alarm was raised, by market and outcome.
#[derive(Debug)]
pub(super) struct UnpairedTold {
    markets: Vec<[bool; 2]>,
}

state_fields! {
    UnpairedTold { markets: table([false; 2]) }
}

impl UnpairedTold {
    pub fn new() -> Self {
        Self { markets: vec![[false; 2]; MARKETS_MAX] }
    }
}

impl Core {
    /// Looks for contracts without a partner. Complete baskets count as hedged, whoever bought them. Where a group is at
    /// work, what is held may be a leg that waits for its partner: what was found there last stands until it has ended.
    pub(super) fn look_for_unpaired(&mut self, out: &mut Outbox) {
        self.mark(); // leaves what no complete basket has taken
        let mut found = Unpaired::default();
        for nth in 0..MARKETS_MAX {
            let market = MarketId::new(u16::try_from(nth).expect("MARKETS_MAX fits"));
            for outcome in [Outcome::Yes, Outcome::No] {
                let qty = self.money.worth().unpaired(market, outcome);
                let is_open = self.money.worth().settled_at(market).is_none() && !qty.is_zero();
                let stands = match self.is_worked_on(market, outcome) {
                    true => is_open && self.unpaired_told.markets[nth][outcome.index()],
                    false => is_open && self.is_worth(market, outcome, qty),
                };
                let told = std::mem::replace(
                    &mut self.unpaired_told.markets[nth][outcome.index()],
                    stands,
                );
                if stands {
                    found.add(UnpairedPosition { market, outcome, qty });
                }
                if stands && !told {
                    self.alarm(Alarm::Unpaired, Some(market), None, out);
                }
            }
        }
        self.stats.unpaired = found;
    }

    /// Whether a group that has not ended has a leg in this outcome.
    fn is_worked_on(&self, market: MarketId, outcome: Outcome) -> bool {
        let mut legs = self.groups.iter().flat_map(|group| group.legs());
        legs.any(|leg| leg.market == market && leg.outcome == outcome)
    }

    /// Whether contracts cost or would fetch enough to matter.
    fn is_worth(&self, market: MarketId, outcome: Outcome, qty: crate::units::Qty) -> bool {
        let cost = self.money.position(market).share(outcome, qty);
        let fetches = self.money.worth().bid(market, outcome).map(|bid| bid.proceeds_floor(qty));
        cost.max(fetches.unwrap_or(Usd::ZERO)) >= WORTH_MIN
    }
}
