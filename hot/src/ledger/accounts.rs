//! What each entry does to the accounts and to what is held.

use super::balances::Balances;
use super::balances::LedgerAccount::{
    self, Cash, Claims, Fees, Positions, Realised, Reserved, Transfers,
};
use super::{Booking, CashAccount, Entry, Position};
use crate::bounds::MARKETS_MAX;
use crate::id_set::IdSet;
use crate::ids::{Action, MarketId, Outcome};
use crate::per_id::PerId;
use crate::state::state_fields;
use crate::units::{Price, Qty, Usd};
use crate::venue_rules::Settlement;

/// Every account of the ledger, and what is held in each market.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Accounts {
    pub balances: Balances,
    pub positions: PerId<Position>,
    /// Markets in which something is held, short or claimed.
    pub open: IdSet,
    /// A sum over the positions that is no account: the most that what is held can lose.
    pub at_risk: Usd,
    /// The part of the results, fees taken off, that is today's.
    pub realised_today: Usd,
}

/// By how much a change of a position moved what the accounts have of it.
struct Moved {
    cost: Usd,
    claim: Usd,
}

impl Accounts {
    pub fn new() -> Self {
        Self {
            balances: Balances::EMPTY,
            positions: PerId::new(MARKETS_MAX, Position::default()),
            open: IdSet::new(MARKETS_MAX),
            at_risk: Usd::ZERO,
            realised_today: Usd::ZERO,
        }
    }

    /// Becomes equal to `other`, in the memory it has.
    pub fn copy_from(&mut self, other: &Self) {
        self.positions.copy_from(&other.positions);
        self.open.copy_from(&other.open);
        let Self { balances, at_risk, realised_today, .. } = *other;
        (self.balances, self.at_risk, self.realised_today) = (balances, at_risk, realised_today);
    }

    /// Cash in an account, reserved or not.
    pub fn cash(&self, account: CashAccount) -> Usd {
        self.balances.of(Cash(account)) + self.balances.of(Reserved(account))
    }

    /// What one entry does.
    pub fn apply(&mut self, entry: &Entry) {
        match *entry {
            Entry::Fill(ref booking) => self.fill(booking),
            Entry::Back(ref booking) => self.back(booking),
            Entry::Void => {}
            Entry::Cash { account, cash } => {
                let by = cash - self.cash(account);
                self.balances.post(&[(Cash(account), by), (Transfers, -by)]);
            }
            Entry::Position { market, yes, no, price } => {
                self.take_over(market, |position| {
                    position.set(Outcome::Yes, yes, price);
                    position.set(Outcome::No, no, price.complement());
                });
            }
            Entry::CashBy { account, by } => {
                self.balances.post(&[(Cash(account), by), (Transfers, -by)]);
            }
            Entry::PositionBy { market, account, by, price } => {
                let pairs = account.venue().rules().pairs;
                self.take_over(market, |position| position.change(pairs, by, price));
            }
            Entry::Settled { market, account, yes_pays } => {
                match self.positions[market.index()].pays.replace(yes_pays) {
                    Some(before) if before != yes_pays => self.decide_anew(market, yes_pays),
                    Some(_) | None => {}
                }
                self.settle(market, account);
            }
            Entry::Redeemed { market, account } => {
                self.pay_claim(market, Cash(account), Position::end_claim);
            }
            Entry::Lost { market } => {
                let claim = self.positions[market.index()].claim();
                self.pay_claim(market, Realised, Position::end_claim);
                self.note_result(market, -claim);
            }
            Entry::Day => self.realised_today = Usd::ZERO,
            Entry::Pairs { market, account, by, price } => {
                self.convert_pairs(market, account, by, price);
            }
            Entry::Fee { market, account, by } => self.charge(market, account, by),
            Entry::Converted { market, account, outcome, qty, amount } => {
                match outcome {
                    Outcome::Yes => self.buy(market, account, outcome, qty, amount),
                    Outcome::No => self.sell(market, account, outcome, qty, amount),
                }
                self.settle(market, account);
            }
        }
    }

    /// Claims cash for orders and groups in flight, or gives it back.
    #[inline(always)] // into `Ledger::reserve`
    pub fn reserve(&mut self, account: CashAccount, by: Usd) {
        self.balances.post(&[(Reserved(account), by), (Cash(account), -by)]);
        let reserved = self.balances.of(Reserved(account));
        assert!(reserved >= Usd::ZERO, "R3: no more is given back than was claimed");
    }

    /// Changes a position, and keeps the sums over all of them in step. What that moves is for the caller to book.
    fn change<T>(
        &mut self,
        market: MarketId,
        change: impl FnOnce(&mut Position) -> T,
    ) -> (T, Moved) {
        let position = &mut self.positions[market.index()];
        let before = *position;
        let result = change(position);
        position.check();
        self.open.set(market.index(), position.is_open());
        self.at_risk += position.at_risk() - before.at_risk();
        let cost = position.cost_total() - before.cost_total();
        (result, Moved { cost, claim: position.claim() - before.claim() })
    }

    /// A position becomes what a venue says, and nobody knows what its contracts cost or brought.
    fn take_over(&mut self, market: MarketId, change: impl FnOnce(&mut Position)) {
        let ((), moved) = self.change(market, change);
        self.balances.post(&[(Positions, moved.cost), (Transfers, -moved.cost)]);
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
        self.balances.post(&[(Cash(account), -fee), (Fees, fee)]);
        self.note_result(market, -fee);
    }

    fn buy(
        &mut self,
        market: MarketId,
        account: CashAccount,
        outcome: Outcome,
        qty: Qty,
        cost: Usd,
    ) {
        let (result, moved) = self.change(market, |position| position.buy(outcome, qty, cost));
        self.trade(market, account, -cost, moved.cost, result);
    }

    fn sell(
        &mut self,
        market: MarketId,
        account: CashAccount,
        outcome: Outcome,
        qty: Qty,
        proceeds: Usd,
    ) {
        let (result, moved) = self.change(market, |position| position.sell(outcome, qty, proceeds));
        self.trade(market, account, proceeds, moved.cost, result);
    }

    /// A dollar becomes a YES and a NO, or the other way; both together cost and bring exactly the dollar.
    fn convert_pairs(&mut self, market: MarketId, account: CashAccount, by: i64, price: Price) {
        let pairs = Qty::from_micros(by.unsigned_abs());
        let yes = price.proceeds_floor(pairs);
        let no = Price::ONE.proceeds_floor(pairs) - yes;
        for (outcome, amount) in [(Outcome::Yes, yes), (Outcome::No, no)] {
            if by > 0 {
                self.buy(market, account, outcome, pairs, amount);
            } else {
                self.sell(market, account, outcome, pairs, amount);
            }
        }
        self.settle(market, account);
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
        let (cost, moved) = self.change(market, |position| {
            position.take(Outcome::Yes, pairs) + position.take(Outcome::No, pairs)
        });
        self.trade(market, account, pays, moved.cost, pays - cost);
        let position = &self.positions[market.index()];
        assert!(
            position.held(Outcome::Yes).is_zero() || position.held(Outcome::No).is_zero(),
            "P1: no pair stays at a venue that pays for pairs"
        );
    }

    /// In a market that has its result nothing stays held: it is paid, or becomes a claim.
    fn settle(&mut self, market: MarketId, account: CashAccount) {
        let Some(yes_pays) = self.positions[market.index()].pays else { return };
        let (result, moved) = self.change(market, |position| position.settle(yes_pays));
        self.balances.post(&[(Positions, moved.cost), (Claims, moved.claim), (Realised, -result)]);
        self.note_result(market, result);
        if account.venue().rules().settlement == Settlement::Paid {
            self.pay_claim(market, Cash(account), Position::take_claim);
        }
    }

    /// A market that has its result has another one: what the first gave is taken back, and what the second gives is booked.
    fn decide_anew(&mut self, market: MarketId, yes_pays: Price) {
        let ([old, new], moved) = self.change(market, |position| position.decide_anew(yes_pays));
        assert!(moved.claim == new - old, "P6: what is owed changes by what the result is worth");
        self.balances.post(&[(Claims, -old), (Realised, old)]);
        self.balances.post(&[(Claims, new), (Realised, -new)]);
        self.note_result(market, new - old);
    }

    /// The claim of a market is over: its money goes `to` the cash, or is a loss.
    fn pay_claim(&mut self, market: MarketId, to: LedgerAccount, over: impl FnOnce(&mut Position)) {
        let ((), moved) = self.change(market, over);
        self.balances.post(&[(Claims, moved.claim), (to, -moved.claim)]);
    }

    /// Contracts changed hands for cash: their cost moved by `cost`, and `result` was made with those that went.
    fn trade(&mut self, market: MarketId, account: CashAccount, cash: Usd, cost: Usd, result: Usd) {
        self.balances.post(&[(Cash(account), cash), (Positions, cost), (Realised, -result)]);
        self.note_result(market, result);
    }

    /// Counts a result, fees taken off, in its market and its day.
    fn note_result(&mut self, market: MarketId, result: Usd) {
        self.positions[market.index()].realised += result;
        self.realised_today += result;
    }

    /// Results so far, fees taken off.
    pub const fn realised(&self) -> Usd {
        let gained = self.balances.of(Realised).micros();
        let fees = self.balances.of(Fees).micros();
        Usd::from_micros(-gained - fees)
    }

    /// The list of the positions that are open.
    fn rebuild(&mut self) -> Option<()> {
        for (at, position) in self.positions.iter().enumerate() {
            self.open.set(at, position.is_open());
        }
        Some(())
    }

    /// Whether all accounts sum to nothing.
    pub fn sums_agree(&self) -> bool {
        self.balances.sum() == Usd::ZERO
    }

    /// Whether the accounts of positions, claims and results, and the list of the open positions, are what the positions say.
    pub fn positions_agree(&self) -> bool {
        let sum = |of: fn(&Position) -> Usd| {
            self.positions.iter().fold(Usd::ZERO, |sum, position| sum + of(position))
        };
        sum(Position::cost_total) == self.balances.of(Positions)
            && sum(Position::claim) == self.balances.of(Claims)
            && sum(|position| position.realised) == self.realised()
            && sum(Position::at_risk) == self.at_risk
            && self
                .positions
                .iter()
                .enumerate()
                .all(|(at, of)| self.open.contains(at) == of.is_open())
    }
}

state_fields! {
    Accounts {
        balances: value, positions: table(Position::default()), open: derived, at_risk: value, realised_today: value,
    } then rebuild
}
