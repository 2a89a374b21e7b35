//! What everything held is worth: valued twice, once for the loss of the day and once for people.

use crate::basket::{Basket, Baskets, Leg, payout_floor};
use crate::book::{Books, Sync};
use crate::bounds::{BASKETS_MAX, CLUSTERS_MAX, MARKETS_MAX};
use crate::id_set::IdSet;
use crate::ids::{BasketId, ClusterId, MarketId, Outcome};
use crate::ledger::Ledger;
use crate::market::MarketStatus;
use crate::order::{ByStrategy, Strategy};
use crate::per_id::PerId;
use crate::state::state_fields;
use crate::units::{Price, Qty, Usd};

use super::day::Day;

/// Prices that holdings are valued at, and the last valuation.
#[derive(Debug)]
pub(in crate::core) struct Worth {
    /// The best bid for each outcome in the last book that was whole; `None` where none ever was.
    bids: Vec<[Option<Price>; 2]>,
    /// What one YES of each settled market paid.
    settled: Vec<Option<Price>>,
    /// Contracts of each outcome that the last valuation found in no complete basket.
    unpaired: Vec<[Qty; 2]>,
    /// Markets of which `unpaired` may not be zero.
    unpaired_in: IdSet,
    /// What the complete baskets of the last valuation cost and are sure to bring back, by cluster.
    hedged: Vec<Usd>,
    /// Clusters of which `hedged` may not be zero.
    hedged_in: IdSet,
    /// Purchases in each market that its venue may still take back: what they complete is not sure to stay complete.
    provisional: PerId<u32>,
    /// Markets whose books may show other best prices than at the last valuation.
    moved: IdSet,
    /// Room for a valuation: the baskets that may be complete among the holdings.
    paired: IdSet,
    /// The versions of ledger and baskets that the last valuation saw; `None` where it has to be done again whatever they
    /// are.
    valued: Option<(u64, u64)>,
    /// What everything held is worth over its cost, complete baskets at what they pay.
    unrealised: Usd,
    /// The same at what selling would bring, complete baskets at no more than their cost, by the strategy that it is of.
    marked: ByStrategy,
}

state_fields! {
    Worth {
        bids: table([None; 2]), settled: table(None), unpaired: table([Qty::ZERO; 2]), unpaired_in: derived,
        hedged: table(Usd::ZERO), hedged_in: derived, provisional: table(0), moved: value, paired: derived, valued: derived,
        unrealised: value, marked: value,
    } then rebuild
}

impl Worth {
    pub fn new() -> Self {
        Self {
            bids: vec![[None; 2]; MARKETS_MAX],
            settled: vec![None; MARKETS_MAX],
            unpaired: vec![[Qty::ZERO; 2]; MARKETS_MAX],
            unpaired_in: IdSet::new(MARKETS_MAX),
            hedged: vec![Usd::ZERO; CLUSTERS_MAX],
            hedged_in: IdSet::new(CLUSTERS_MAX),
            provisional: PerId::new(MARKETS_MAX, 0),
            moved: IdSet::new(MARKETS_MAX),
            paired: IdSet::new(BASKETS_MAX),
            valued: None,
            unrealised: Usd::ZERO,
            marked: [Usd::ZERO; Strategy::ALL.len()],
        }
    }

    /// The lists of unpaired contracts and of hedged clusters; and the next valuation is done whatever has changed.
    fn rebuild(&mut self) -> Option<()> {
        for (at, unpaired) in self.unpaired.iter().enumerate() {
            self.unpaired_in.set(at, *unpaired != [Qty::ZERO; 2]);
        }
        for (at, hedged) in self.hedged.iter().enumerate() {
            self.hedged_in.set(at, *hedged != Usd::ZERO);
        }
        self.valued = None;
        Some(())
    }

    /// The best bid for an outcome in the last whole book; `None` where no book ever was whole.
    pub fn bid(&self, market: MarketId, outcome: Outcome) -> Option<Price> {
        self.bids[market.index()][outcome.index()]
    }

    /// What one YES of a settled market paid; `None` while it is not settled.
    pub fn settled_at(&self, market: MarketId) -> Option<Price> {
        self.settled[market.index()]
    }

    /// Contracts of an outcome that the last valuation found in no complete basket.
    pub fn unpaired(&self, market: MarketId, outcome: Outcome) -> Qty {
        self.unpaired[market.index()][outcome.index()]
    }

    /// What of the money at risk in a cluster the complete baskets of the last valuation are sure to bring back, whatever the
    /// outcome: what they pay at least, and at most what they cost.
    pub fn hedged(&self, cluster: ClusterId) -> Usd {
        self.hedged[cluster.index()]
    }

    /// A purchase in a market was booked that its venue may still take back.
    pub fn on_provisional(&mut self, market: MarketId) {
        self.provisional[market.index()] += 1;
    }

    /// The end of such a purchase is known, or nobody can know it any more.
    ///
    /// # Panics
    /// If there was none.
    pub fn on_purchase_ended(&mut self, market: MarketId) {
        self.provisional[market.index()] -= 1;
        self.valued = None;
    }

    /// Purchases in a market that its venue may still take back.
    pub fn provisional(&self, market: MarketId) -> u32 {
        self.provisional[market.index()]
    }

    /// The same in all markets together.
    pub fn provisional_in_all(&self) -> u64 {
        self.provisional.iter().map(|count| u64::from(*count)).sum()
    }

    /// No basket counts as complete until the next valuation, which is done whatever has changed.
    pub fn forget_hedges(&mut self) {
        self.clear_hedges();
        self.valued = None;
    }

    fn clear_hedges(&mut self) {
        while let Some(at) = self.hedged_in.pop() {
            self.hedged[at] = Usd::ZERO;
        }
    }

    /// Worth over cost as people are shown it, at the last valuation.
    pub const fn unrealised(&self) -> Usd {
        self.unrealised
    }

    /// Worth over cost as the loss of the day counts it, at the last valuation.
    pub fn marked(&self) -> Usd {
        self.marked.iter().fold(Usd::ZERO, |sum, of| sum + *of)
    }

    /// The same of what each strategy holds.
    pub const fn marked_by(&self) -> &ByStrategy {
        &self.marked
    }

    /// A market has settled: one YES paid `yes_pays`.
    pub fn on_settled(&mut self, market: MarketId, yes_pays: Price) {
        self.settled[market.index()] = Some(yes_pays);
        self.valued = None;
    }

    /// The best prices of a market's book, or whether they count, may have changed.
    #[inline]
    pub fn on_book(&mut self, market: MarketId) {
        self.moved.insert(market.index());
    }

    /// Values everything held, twice.
    ///
    /// `marked`, which the loss of the day is measured by, is what selling would bring now: each contract at the best bid
    /// of its outcome, and without a bid nothing. A complete basket counts at no more than it cost, however much it
    /// promises or fetches, so that a promised profit never makes room for a real loss; and at less where its legs fetch
    /// less, so that a pair which is none shows its loss before it settles. Once a leg of it has been paid for, the others
    /// count at their bids alone.
    ///
    /// `unrealised`, which people are shown, takes complete baskets at what they pay at least.
    ///
    /// A book that is not whole just now counts as it last was, and one that never was, as neither gain nor loss: a
    /// snapshot on its way is no loss. In a market that is paused or closed the last bid stands: its book is emptied, its
    /// contracts are still there. Baskets are taken out in the order of their ids, as many as the holdings have, whichever groups
    /// the contracts were bought for.
    ///
    /// Costs what has changed since the last time: books that moved are looked at, and only where one of them is of a market
    /// in which something is held, or where holdings or baskets are others, what is held is valued anew.
    pub fn mark(&mut self, books: &Books, baskets: &Baskets, ledger: &Ledger, day: &Day) {
        let mut is_due = false;
        while let Some(at) = self.moved.pop() {
            let market = MarketId::new(at as u16);
            let Some(book) = books.get(market) else { continue };
            if book.sync() == Sync::Good && has_book(book.terms().status) {
                let bid = |outcome| book.best_bid_for(outcome).map_or(Price::ZERO, |(bid, _)| bid);
                self.bids[at] = [Outcome::Yes, Outcome::No].map(|o| Some(bid(o)));
                is_due |= !ledger.position(market).is_flat();
            }
        }
        let versions = Some((ledger.version(), baskets.version()));
        if is_due || self.valued != versions {
            self.valued = versions;
            self.value(books, baskets, ledger, day);
        }
    }

    /// Values what is held at the prices that are known.
    fn value(&mut self, books: &Books, baskets: &Baskets, ledger: &Ledger, day: &Day) {
        self.clear_hedges();
        let mut left = std::mem::take(&mut self.unpaired);
        while let Some(at) = self.unpaired_in.pop() {
            left[at] = [Qty::ZERO; 2];
        }
        for market in ledger.open() {
            let position = ledger.position(market);
            left[market.index()] = [position.held(Outcome::Yes), position.held(Outcome::No)];
            self.unpaired_in.insert(market.index());
        }
        let (mut promised, mut marked) = self.value_baskets(books, baskets, ledger, day, &mut left);
        for market in ledger.open() {
            let position = ledger.position(market);
            let marked = &mut marked[day.owner(market) as usize];
            *marked -= position.cost_total();
            for outcome in [Outcome::Yes, Outcome::No] {
                // What is short was sold and never known to be held: neither gain nor loss until it is known.
                let value = if position.short(outcome).is_zero() {
                    let qty = left[market.index()][outcome.index()];
                    self.fetches(ledger, market, outcome, qty)
                } else {
                    position.cost(outcome)
                };
                promised += value;
                *marked += value;
            }
        }
        self.unpaired = left;
        self.unrealised = promised - ledger.cost();
        self.marked = marked;
    }

    /// What the complete baskets among `left` pay at least, and what they count for in the loss of the day. Takes their
    /// contracts out of it. Looks only at baskets with a leg that is held: a complete one has no other.
    fn value_baskets(
        &mut self,
        books: &Books,
        baskets: &Baskets,
        ledger: &Ledger,
        day: &Day,
        left: &mut [[Qty; 2]],
    ) -> (Usd, ByStrategy) {
        for market in ledger.open() {
            for (basket, outcome) in baskets.touching(market) {
                if !left[market.index()][outcome.index()].is_zero() {
                    self.paired.insert(basket.index());
                }
            }
        }
        let (mut promised, mut marked) = (Usd::ZERO, [Usd::ZERO; Strategy::ALL.len()]);
        while let Some(at) = self.paired.pop() {
            let Some(basket) = baskets.get(BasketId::new(at as u16)) else { continue };
            let legs = basket.legs();
            // A leg whose market is settled has paid what it pays: the others pay at least the rest.
            let paid = |leg: &Leg| {
                let yes = self.settled_at(leg.market)?;
                Some(u32::from(leg.outcome.price_from_yes(yes).ticks()) * u32::from(leg.ratio))
            };
            let known: u32 = legs.iter().filter_map(paid).sum();
            let open = || legs.iter().filter(|leg| paid(leg).is_none());
            let of = |leg: &Leg| left[leg.market.index()][leg.outcome.index()].per(leg.ratio);
            let units = open().map(of).min().unwrap_or(Qty::ZERO);
            if units.is_zero() {
                continue;
            }
            let cost_of = |leg: &Leg, qty| ledger.position(leg.market).share(leg.outcome, qty);
            let (mut fetches, mut cost) = (Usd::ZERO, Usd::ZERO);
            for leg in open() {
                let qty = units.times(leg.ratio);
                left[leg.market.index()][leg.outcome.index()] -= qty;
                fetches += self.fetches(ledger, leg.market, leg.outcome, qty);
                cost += cost_of(leg, qty);
            }
            let pays = payout_floor(basket.payout().saturating_sub(known), units);
            promised += pays;
            let whole = open().count() == legs.len();
            let at_cost = whole && cost < fetches;
            for leg in open() {
                let qty = units.times(leg.ratio);
                marked[day.owner(leg.market) as usize] += if at_cost {
                    cost_of(leg, qty)
                } else {
                    self.fetches(ledger, leg.market, leg.outcome, qty)
                };
            }
            self.count_hedged(books, basket, pays.min(cost));
        }
        (promised, marked)
    }

    /// A basket is complete and sure to bring back so much of its cost. Counted only where all of its markets are in one
    /// cluster, for of one that is spread over several nobody knows which gets what, and where no leg's fill may still be taken
    /// back: then the others would stand alone.
    fn count_hedged(&mut self, books: &Books, basket: &Basket, brings: Usd) {
        if basket.legs().iter().any(|leg| self.provisional(leg.market) > 0) {
            return;
        }
        let cluster = |leg: &Leg| books.terms(leg.market).map(|terms| terms.cluster);
        let Some(first) = basket.legs().first().and_then(cluster) else { return };
        if basket.legs().iter().all(|leg| cluster(leg) == Some(first)) {
            self.hedged[first.index()] += brings;
            self.hedged_in.insert(first.index());
        }
    }

    /// What so many of the contracts held would bring at the best bid; at their cost where no book ever was whole.
    fn fetches(&self, ledger: &Ledger, market: MarketId, outcome: Outcome, qty: Qty) -> Usd {
        match self.bid(market, outcome) {
            Some(bid) => bid.proceeds_floor(qty),
            None => ledger.position(market).share(outcome, qty),
        }
    }
}

/// Whether a market of this status has a book to sell into; a venue empties it when trading ends or pauses.
const fn has_book(status: MarketStatus) -> bool {
    match status {
        MarketStatus::Observe | MarketStatus::Open => true,
        MarketStatus::Paused
        | MarketStatus::Closed
        | MarketStatus::Proposed
        | MarketStatus::Resolved => false,
    }
}

#[cfg(test)]
mod tests;
