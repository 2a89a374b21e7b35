//! The accounts, and what each entry does to them.

use super::{Booking, CashAccount, Entry, Position};
use crate::bounds::MARKETS_MAX;
use crate::id_set::IdSet;
use crate::ids::{Action, MarketId, Outcome};
use crate::per_id::PerId;
use crate::state::state_fields;
use crate::units::{Price, Qty, Usd};
use crate::venue_rules::{CASH_ACCOUNTS, Settlement};

/// Every account of the ledger: cash by account, positions at cost, fees and results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Accounts {
    pub cash: [Usd; CASH_ACCOUNTS],
    pub paid_in: Usd,
    pub positions: PerId<Position>,
    /// Markets in which something is held, short or claimed.
    pub open: IdSet,
    /// Sums over the positions.
    pub cost: Usd,
    pub at_risk: Usd,
    pub claims: Usd,
    pub fees: Usd,
    pub realised: Usd,
    pub realised_today: Usd,
}

impl Accounts {
    pub fn new() -> Self {
        Self {
            cash: [Usd::ZERO; CASH_ACCOUNTS],
            paid_in: Usd::ZERO,
            positions: PerId::new(MARKETS_MAX, Position::default()),
            open: IdSet::new(MARKETS_MAX),
            cost: Usd::ZERO,
            at_risk: Usd::ZERO,
            claims: Usd::ZERO,
            fees: Usd::ZERO,
            realised: Usd::ZERO,
            realised_today: Usd::ZERO,
        }
    }

    /// Becomes equal to `other`, in the memory it has.
    pub fn copy_from(&mut self, other: &Self) {
        self.positions.copy_from(&other.positions);
        self.open.copy_from(&other.open);
        let Self { cash, paid_in, cost, at_risk, claims, fees, realised, realised_today, .. } =
            *other;
        (self.cash, self.paid_in, self.cost, self.at_risk) = (cash, paid_in, cost, at_risk);
        (self.claims, self.fees) = (claims, fees);
        (self.realised, self.realised_today) = (realised, realised_today);
    }

    /// What one entry does.
    pub fn apply(&mut self, entry: &Entry) {
        match *entry {
            Entry::Fill(ref booking) => self.fill(booking),
            Entry::Back(ref booking) => self.back(booking),
            Entry::Void => {}
            Entry::Cash { account, cash } => {
                self.paid_in += cash - self.cash[account.index()];
                self.cash[account.index()] = cash;
            }
            Entry::Position { market, yes, no, price } => {
                let cost = self.change(market, |position| {
                    let before = position.cost_total();
                    position.set(Outcome::Yes, yes, price);
                    position.set(Outcome::No, no, price.complement());
                    position.cost_total() - before
                });
                self.paid_in += cost;
            }
            Entry::CashBy { account, by } => {
                self.paid_in += by;
                self.cash[account.index()] += by;
            }
            Entry::PositionBy { market, account, by, price } => {
                let pairs = account.venue().rules().pairs;
                let cost = self.change(market, |position| {
                    let before = position.cost_total();
                    position.change(pairs, by, price);
                    position.cost_total() - before
                });
                self.paid_in += cost;
            }
            Entry::Settled { market, account, yes_pays } => {
                self.positions[market.index()].pays = Some(yes_pays);
                self.settle(market, account);
            }
            Entry::Redeemed { market, account } => {
                let claim = self.change(market, Position::take_claim);
                self.cash[account.index()] += claim;
            }
            Entry::Lost { market } => {
                let claim = self.change(market, Position::take_claim);
                self.paid_in -= claim;
            }
            Entry::Day => self.realised_today = Usd::ZERO,
        }
    }

    /// Changes a position, and keeps the sums over all of them in step.
    fn change<T>(&mut self, market: MarketId, change: impl FnOnce(&mut Position) -> T) -> T {
        let position = &mut self.positions[market.index()];
        let before = *position;
        let result = change(position);
        position.check();
        self.open.set(market.index(), position.is_open());
        self.cost += position.cost_total() - before.cost_total();
        self.at_risk += position.at_risk() - before.at_risk();
        self.claims += position.claim() - before.claim();
        result
    }

    fn fill(&mut self, booking: &Booking) {
        let Booking { market, account, outcome, action, price, qty, fee } = *booking;
        self.charge(market, account, fee);
        match action {
            Action::Buy => self.buy(market, account, outcome, qty, price.cost_ceil(qty)),
            // Selling what is not held is buying the other outcome.
            Action::Sell if account.venue().rules().sells_beyond_holding() => {
                let held = self.positions[market.index()].held(outcome).min(qty);
                self.sell(market, account, outcome, held, price.proceeds_floor(held));
                let (rest, price) = (qty - held, price.complement());
                self.buy(market, account, outcome.other(), rest, price.cost_ceil(rest));
            }
            Action::Sell => self.sell(market, account, outcome, qty, price.proceeds_floor(qty)),
        }
        self.tidy(market, account);
    }

    /// What [`Self::fill`] does to the cash, in a market that has no result.
    pub fn cash_change(&self, booking: &Booking) -> Usd {
        let Booking { market, account, outcome, action, price, qty, fee } = *booking;
        let position = &self.positions[market.index()];
        let rules = account.venue().rules();
        let money = match action {
            Action::Buy if rules.nets_pairs() => {
                let pairs = qty.min(position.held(outcome.other()));
                Price::ONE.proceeds_floor(pairs) - price.cost_ceil(qty)
            }
            Action::Buy => -price.cost_ceil(qty),
            Action::Sell if rules.sells_beyond_holding() => {
                let held = position.held(outcome).min(qty);
                price.proceeds_floor(held) - price.complement().cost_ceil(qty - held)
            }
            Action::Sell => price.proceeds_floor(qty),
        };
        money - fee
    }

    /// The opposite of a fill, at its amounts.
    fn back(&mut self, booking: &Booking) {
        let Booking { market, account, outcome, action, price, qty, fee } = *booking;
        self.charge(market, account, -fee);
        match action {
            Action::Buy => self.sell(market, account, outcome, qty, price.cost_ceil(qty)),
            Action::Sell => self.buy(market, account, outcome, qty, price.proceeds_floor(qty)),
        }
        self.tidy(market, account);
    }

    fn charge(&mut self, market: MarketId, account: CashAccount, fee: Usd) {
        self.realise(market, -fee);
        self.fees += fee;
        self.cash[account.index()] -= fee;
    }

    fn buy(
        &mut self,
        market: MarketId,
        account: CashAccount,
        outcome: Outcome,
        qty: Qty,
        cost: Usd,
    ) {
        self.cash[account.index()] -= cost;
        let result = self.change(market, |position| position.buy(outcome, qty, cost));
        self.realise(market, result);
    }

    fn sell(
        &mut self,
        market: MarketId,
        account: CashAccount,
        outcome: Outcome,
        qty: Qty,
        proceeds: Usd,
    ) {
        self.cash[account.index()] += proceeds;
        let result = self.change(market, |position| position.sell(outcome, qty, proceeds));
        self.realise(market, result);
    }

    /// What a venue does with a position by itself.
    fn tidy(&mut self, market: MarketId, account: CashAccount) {
        if account.venue().rules().nets_pairs() {
            self.net(market, account);
        }
        self.settle(market, account); // a fill that comes late, in a market that has its result
    }

    /// Where pairs are netted, the venue takes every pair of YES and NO away and pays a dollar for it.
    fn net(&mut self, market: MarketId, account: CashAccount) {
        let position = &self.positions[market.index()];
        let pairs = position.held(Outcome::Yes).min(position.held(Outcome::No));
        if pairs.is_zero() {
            return;
        }
        let pays = Price::ONE.proceeds_floor(pairs);
        let cost = self.change(market, |position| {
            position.take(Outcome::Yes, pairs) + position.take(Outcome::No, pairs)
        });
        self.cash[account.index()] += pays;
        self.realise(market, pays - cost);
        let position = &self.positions[market.index()];
        assert!(
            position.held(Outcome::Yes).is_zero() || position.held(Outcome::No).is_zero(),
            "P1: no pair stays at a venue that pays for pairs"
        );
    }

    /// In a market that has its result nothing stays held: it is paid, or becomes a claim.
    fn settle(&mut self, market: MarketId, account: CashAccount) {
        let Some(yes_pays) = self.positions[market.index()].pays else { return };
        let (cost, claim) = self.change(market, |position| position.settle(yes_pays));
        self.realise(market, claim - cost);
        if account.venue().rules().settlement == Settlement::Paid {
            let claim = self.change(market, Position::take_claim);
            self.cash[account.index()] += claim;
        }
    }

    fn realise(&mut self, market: MarketId, result: Usd) {
        self.positions[market.index()].realised += result;
        self.realised += result;
        self.realised_today += result;
    }

    /// The list of the positions that are open.
    fn rebuild(&mut self) -> Option<()> {
        for (at, position) in self.positions.iter().enumerate() {
            self.open.set(at, position.is_open());
        }
        Some(())
    }

    /// Whether the accounts sum to what was paid in.
    pub fn sums_agree(&self) -> bool {
        let cash = self.cash.iter().fold(Usd::ZERO, |sum, &cash| sum + cash);
        cash + self.cost + self.claims == self.paid_in + self.realised
    }

    /// Whether the sums over positions, and the list of those that are open, are what the positions say.
    pub fn positions_agree(&self) -> bool {
        let sum = |of: fn(&Position) -> Usd| {
            self.positions.iter().fold(Usd::ZERO, |sum, position| sum + of(position))
        };
        sum(Position::cost_total) == self.cost
            && sum(Position::at_risk) == self.at_risk
            && sum(Position::claim) == self.claims
            && self
                .positions
                .iter()
                .enumerate()
                .all(|(at, of)| self.open.contains(at) == of.is_open())
    }
}

state_fields! {
    Accounts {
        cash: value, paid_in: value, positions: table(Position::default()), open: derived, cost: value, at_risk: value,
        claims: value, fees: value, realised: value, realised_today: value,
    } then rebuild
}
