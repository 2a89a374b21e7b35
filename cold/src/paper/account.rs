//! The account that paper fills are booked in. Amounts are rounded as the ledger of the core rounds them: against us.

use std::collections::BTreeMap;

use surefoot_hot::ids::{Action, MarketId, Outcome, Venue};
use surefoot_hot::units::{Price, Qty, Usd};
use surefoot_hot::venue_rules::Settlement;

/// Cash and contracts on paper at one venue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaperAccount {
    venue: Venue,
    /// What each shard of the venue has: an order draws on the shard of its market alone.
    cash: BTreeMap<u8, Usd>,
    /// YES and NO.
    held: BTreeMap<MarketId, [Qty; 2]>,
    /// What settled markets pay a YES, where somebody must claim it and nobody has.
    results: BTreeMap<MarketId, Price>,
}

/// One change of hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deal {
    pub market: MarketId,
    pub shard: u8,
    pub outcome: Outcome,
    pub action: Action,
    /// Price of that outcome.
    pub price: Price,
    pub qty: Qty,
    pub fee: Usd,
}

impl PaperAccount {
    /// With this cash by shard, and these contracts of YES and NO.
    pub fn new(
        venue: Venue,
        cash: impl IntoIterator<Item = (u8, Usd)>,
        held: impl IntoIterator<Item = (MarketId, Qty, Qty)>,
    ) -> Self {
        let held = held.into_iter().map(|(market, yes, no)| (market, [yes, no]));
        let results = BTreeMap::new();
        Self { venue, cash: cash.into_iter().collect(), held: held.collect(), results }
    }

    /// Cash in a shard.
    pub fn cash(&self, shard: u8) -> Usd {
        self.cash.get(&shard).copied().unwrap_or_default()
    }

    /// Cash by shard.
    pub fn all_cash(&self) -> impl Iterator<Item = (u8, Usd)> {
        self.cash.iter().map(|(shard, cash)| (*shard, *cash))
    }

    /// Contracts of an outcome.
    pub fn held(&self, market: MarketId, outcome: Outcome) -> Qty {
        self.held.get(&market).map_or(Qty::ZERO, |held| held[outcome.index()])
    }

    /// Markets in which something is held: YES and NO.
    pub fn positions(&self) -> impl Iterator<Item = (MarketId, Qty, Qty)> {
        let held = self.held.iter().filter(|(_, held)| **held != [Qty::ZERO; 2]);
        held.map(|(market, [yes, no])| (*market, *yes, *no))
    }

    /// What everything is worth, where a contract of an outcome can be sold at `price`; rounded down. What nobody buys counts as
    /// nothing, but a pair of YES and NO as the dollar that it pays.
    pub fn worth(&self, price: impl Fn(MarketId, Outcome) -> Option<Price>) -> Usd {
        let cash = self.cash.values().fold(Usd::ZERO, |sum, cash| sum + *cash);
        self.positions().fold(cash, |sum, (market, held_yes, held_no)| {
            let pairs = held_yes.min(held_no);
            let result = self.results.get(&market).copied();
            let worth = |outcome: Outcome, held: Qty| {
                let pays = result.map(|yes| outcome.price_from_yes(yes));
                let price = pays.or_else(|| price(market, outcome)).unwrap_or(Price::ZERO);
                price.proceeds_floor(held - pairs)
            };
            let single = worth(Outcome::Yes, held_yes) + worth(Outcome::No, held_no);
            sum + single + Price::ONE.proceeds_floor(pairs)
        })
    }

    /// Books a deal.
    ///
    /// # Panics
    /// Where more is sold than is held at a venue that lets nobody do so: such an order is refused before.
    pub fn book(&mut self, deal: &Deal) {
        let &Deal { market, shard, outcome, action, price, qty, fee } = deal;
        let held = self.held.entry(market).or_default();
        let mut cash = -fee;
        match action {
            Action::Buy => {
                held[outcome.index()] += qty;
                cash += -price.cost_ceil(qty);
            }
            Action::Sell => {
                let sold = held[outcome.index()].min(qty);
                held[outcome.index()] -= sold;
                cash += price.proceeds_floor(sold);
                let rest = qty - sold;
                if !rest.is_zero() {
                    let buys = self.venue.rules().sells_beyond_holding();
                    assert!(buys, "P1: no more is sold on paper than is held");
                    held[outcome.other().index()] += rest;
                    cash += -price.complement().cost_ceil(rest);
                }
            }
        }
        if self.venue.rules().nets_pairs() {
            let pairs = held[0].min(held[1]);
            *held = held.map(|qty| qty - pairs);
            cash += Price::ONE.proceeds_floor(pairs);
        }
        *self.cash.entry(shard).or_default() += cash;
    }

    /// A market has its result.
    pub fn settle(&mut self, market: MarketId, shard: u8, yes_pays: Price) {
        match self.venue.rules().settlement {
            Settlement::Claimed => {
                self.results.insert(market, yes_pays);
            }
            Settlement::Paid => {
                let Some([yes, no]) = self.held.remove(&market) else { return };
                let paid = yes_pays.proceeds_floor(yes) + yes_pays.complement().proceeds_floor(no);
                *self.cash.entry(shard).or_default() += paid;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKET: MarketId = MarketId::new(3);

    fn deal(outcome: Outcome, action: Action, cents: u16, contracts: u64) -> Deal {
        let price = Price::from_ticks(cents * 100).unwrap();
        let qty = Qty::from_contracts(contracts);
        Deal { market: MARKET, shard: 0, outcome, action, price, qty, fee: Usd::from_cents(1) }
    }

    fn account(venue: Venue) -> PaperAccount {
        PaperAccount::new(venue, [(0, Usd::from_dollars(100))], [])
    }

    #[test]
    fn pairs_are_kept_or_netted_as_the_venue_does() {
        for (venue, cash, held) in [(Venue::Polymarket, 9_048, 10), (Venue::Kalshi, 10_048, 0)] {
            let mut account = account(venue);
            account.book(&deal(Outcome::Yes, Action::Buy, 40, 10));
            account.book(&deal(Outcome::No, Action::Buy, 55, 10));
            assert_eq!(account.cash(0), Usd::from_cents(cash), "{}", venue.name());
            assert_eq!(account.held(MARKET, Outcome::Yes), Qty::from_contracts(held));
            assert_eq!(account.worth(|_, _| None), Usd::from_cents(10_048), "{}", venue.name());
        }
    }

    #[test]
    fn a_sale_beyond_what_is_held_buys_the_other_outcome() {
        let mut account = account(Venue::Kalshi);
        account.book(&deal(Outcome::Yes, Action::Buy, 40, 10));
        account.book(&deal(Outcome::Yes, Action::Sell, 45, 12));
        assert_eq!(account.held(MARKET, Outcome::No), Qty::from_contracts(2));
        assert_eq!(account.cash(0), Usd::from_cents(10_000 - 401 + 450 - 110 - 1));
        account.settle(MARKET, 0, Price::ZERO);
        assert_eq!(account.cash(0), Usd::from_cents(10_138));
        assert_eq!(account.positions().count(), 0, "paid at once");
    }

    #[test]
    #[should_panic(expected = "P1")]
    fn nothing_is_sold_that_is_not_held_where_the_venue_refuses_it() {
        account(Venue::Polymarket).book(&deal(Outcome::Yes, Action::Sell, 45, 1));
    }

    #[test]
    fn a_claim_is_worth_what_it_pays_although_nobody_has_claimed_it() {
        let mut account = account(Venue::Polymarket);
        account.book(&deal(Outcome::No, Action::Buy, 40, 10));
        assert_eq!(account.worth(|_, _| None), Usd::from_cents(9_599));
        account.settle(MARKET, 0, Price::ZERO);
        assert_eq!(account.worth(|_, _| None), Usd::from_cents(10_599));
        assert_eq!(account.cash(0), Usd::from_cents(9_599));
    }
}
