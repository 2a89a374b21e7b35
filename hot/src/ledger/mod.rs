//! Cash, positions and results: integer double entry.
//!
//! Every booking moves the same amount out of one account and into another, so the accounts sum to what was
//! paid in, after every event. See [`Ledger::is_balanced`].

mod position;

pub use position::Position;

use crate::ids::{Action, MarketId, Outcome, Venue};
use crate::limits::MARKETS_MAX;
use crate::units::{Price, Qty, Usd};

/// Kalshi's shards, Polymarket's one purse beside them.
pub const PURSES: usize = 1 + SHARDS_MAX;
/// Exchange shards of Kalshi that can hold cash (`venues/kalshi.md` §1.3: four in 2026-10).
pub const SHARDS_MAX: usize = 8;

/// Where cash lies: Polymarket, or one shard of Kalshi.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purse(u8);

impl Purse {
    /// The purse that orders at this venue and shard draw on.
    ///
    /// # Panics
    /// Beyond [`SHARDS_MAX`]; metadata with such a shard is refused on the way in.
    pub const fn of(venue: Venue, shard: u8) -> Self {
        match venue {
            Venue::Polymarket => Self(0),
            Venue::Kalshi => {
                assert!((shard as usize) < SHARDS_MAX, "metadata bounds the shard");
                Self(1 + shard)
            }
        }
    }

    /// Index into per-purse arrays.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// Whose it is.
    pub const fn venue(self) -> Venue {
        if self.0 == 0 { Venue::Polymarket } else { Venue::Kalshi }
    }
}

/// One fill, as the ledger books it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Booking {
    /// Where.
    pub market: MarketId,
    /// Which cash.
    pub purse: Purse,
    /// Of which outcome.
    pub outcome: Outcome,
    /// Bought or sold.
    pub action: Action,
    /// Price of that outcome.
    pub price: Price,
    /// Contracts.
    pub qty: Qty,
    /// Charged on top, or off the proceeds.
    pub fee: Usd,
}

/// The books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    cash: [Usd; PURSES],
    paid_in: Usd,
    positions: Vec<Position>,
    cost: Usd,
    fees: Usd,
    realised: Usd,
    realised_today: Usd,
}

impl Ledger {
    /// Empty books.
    pub fn new() -> Self {
        Self {
            cash: [Usd::ZERO; PURSES],
            paid_in: Usd::ZERO,
            positions: vec![Position::default(); MARKETS_MAX],
            cost: Usd::ZERO,
            fees: Usd::ZERO,
            realised: Usd::ZERO,
            realised_today: Usd::ZERO,
        }
    }

    /// Cash in a purse.
    pub const fn cash(&self, purse: Purse) -> Usd {
        self.cash[purse.index()]
    }

    /// Cash in every purse of a venue.
    pub fn cash_at(&self, venue: Venue) -> Usd {
        (0..PURSES as u8)
            .map(Purse)
            .filter(|p| p.venue() == venue)
            .fold(Usd::ZERO, |sum, p| sum + self.cash(p))
    }

    /// What is held in a market.
    pub fn position(&self, market: MarketId) -> &Position {
        &self.positions[market.index()]
    }

    /// Result so far, fees taken off.
    pub const fn realised(&self) -> Usd {
        self.realised
    }

    /// Result of the day, fees taken off.
    pub const fn realised_today(&self) -> Usd {
        self.realised_today
    }

    /// Fees paid so far.
    pub const fn fees(&self) -> Usd {
        self.fees
    }

    /// What everything held has cost.
    pub const fn cost(&self) -> Usd {
        self.cost
    }

    /// Takes the venue's word for the cash: a deposit, or the repair of a difference.
    pub fn set_cash(&mut self, purse: Purse, cash: Usd) {
        self.paid_in += cash - self.cash(purse);
        self.cash[purse.index()] = cash;
    }

    /// Takes the venue's word for a position; what it cost is unknown, so new contracts are booked at nothing
    /// gained: their cost is taken as `price`.
    pub fn set_position(&mut self, market: MarketId, yes: Qty, no: Qty, price: Price) {
        let position = &mut self.positions[market.index()];
        let before = position.cost_total();
        position.set(Outcome::Yes, yes, price);
        position.set(Outcome::No, no, price.complement());
        let change = position.cost_total() - before;
        self.cost += change;
        self.paid_in += change;
    }

    /// Books a fill. Fees are a loss at once.
    pub fn book(&mut self, booking: &Booking) {
        let Booking { market, purse, outcome, action, price, qty, fee } = *booking;
        self.realise(market, -fee);
        self.fees += fee;
        self.cash[purse.index()] -= fee;
        let position = &mut self.positions[market.index()];
        match action {
            Action::Buy => {
                let cost = price.cost_ceil(qty);
                self.cash[purse.index()] -= cost;
                position.add(outcome, qty, cost);
                self.cost += cost;
            }
            Action::Sell => {
                // On Kalshi selling what is not held is buying the other outcome; elsewhere it cannot be.
                let kalshi = purse.venue() == Venue::Kalshi;
                let held = if kalshi { position.held(outcome).min(qty) } else { qty };
                let cost = position.take(outcome, held);
                let (other, rest) = (price.complement().cost_ceil(qty - held), qty - held);
                position.add(outcome.other(), rest, other);
                let proceeds = price.proceeds_floor(held);
                self.cash[purse.index()] += proceeds - other;
                self.cost += other - cost;
                self.realise(market, proceeds - cost);
            }
        }
        if purse.venue() == Venue::Kalshi {
            self.net(market, purse);
        }
    }

    /// Kalshi pays a dollar for every pair of YES and NO at once (`venues/kalshi.md` §8).
    fn net(&mut self, market: MarketId, purse: Purse) {
        let position = &mut self.positions[market.index()];
        let pairs = position.held(Outcome::Yes).min(position.held(Outcome::No));
        if pairs.is_zero() {
            return;
        }
        let cost = position.take(Outcome::Yes, pairs) + position.take(Outcome::No, pairs);
        let pays = Price::ONE.proceeds_floor(pairs);
        self.cash[purse.index()] += pays;
        self.cost -= cost;
        self.realise(market, pays - cost);
    }

    /// Undoes a booking that failed: the same amounts, the other way.
    pub fn unbook(&mut self, booking: &Booking) {
        let Booking { market, purse, outcome, action, price, qty, fee } = *booking;
        self.realise(market, fee);
        self.fees -= fee;
        self.cash[purse.index()] += fee;
        match action {
            Action::Buy => {
                let cost = self.positions[market.index()].take(outcome, qty);
                self.cash[purse.index()] += price.cost_ceil(qty);
                self.cost -= cost;
                self.realise(market, price.cost_ceil(qty) - cost);
            }
            Action::Sell => {
                let proceeds = price.proceeds_floor(qty);
                self.positions[market.index()].add(outcome, qty, proceeds);
                self.cash[purse.index()] -= proceeds;
                self.cost += proceeds;
            }
        }
    }

    /// The market is settled: YES pays `yes_pays`, NO the rest, and nothing is held any more.
    /// Returns what was paid.
    pub fn settle(&mut self, market: MarketId, purse: Purse, yes_pays: Price) -> Usd {
        let position = &mut self.positions[market.index()];
        let (yes, no) = (position.held(Outcome::Yes), position.held(Outcome::No));
        let cost = position.take(Outcome::Yes, yes) + position.take(Outcome::No, no);
        let pays = yes_pays.proceeds_floor(yes) + yes_pays.complement().proceeds_floor(no);
        self.cash[purse.index()] += pays;
        self.cost -= cost;
        self.realise(market, pays - cost);
        pays
    }

    /// A new day: its result starts at nothing. The loss halt, if any, stays.
    pub fn new_day(&mut self) {
        self.realised_today = Usd::ZERO;
    }

    /// Whether all accounts sum to what was paid in.
    pub fn is_balanced(&self) -> bool {
        let cash = self.cash.iter().fold(Usd::ZERO, |sum, &purse| sum + purse);
        let cost =
            self.positions.iter().fold(Usd::ZERO, |sum, position| sum + position.cost_total());
        cost == self.cost && cash + cost == self.paid_in + self.realised
    }

    fn realise(&mut self, market: MarketId, result: Usd) {
        self.positions[market.index()].realised += result;
        self.realised += result;
        self.realised_today += result;
    }
}

impl Default for Ledger {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
