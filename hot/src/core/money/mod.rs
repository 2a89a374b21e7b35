//! Money: the ledger, what orders and groups reserve of its cash, the dollars at risk, and the result of the day.
//!
//! Only the methods here change any of it, so that these hold after each of them:
//! - P2: every entry of the ledger balances;
//! - R2: exposure is what is held and what is reserved, in each market, cluster and venue;
//! - R3: no reservation is given back twice, and nothing at risk is negative.
//!
//! That reservations are the sum of what live orders and groups hold (R5) is the callers' part:
//! [`Money::check_claims`] holds their sum against ours.

mod day;
mod worth;

use crate::basket::Baskets;
use crate::book::{Applied, Books};
use crate::bounds::INVARIANT_POSITIONS;
use crate::event::Event;
use crate::fees::{self, FeeRule};
use crate::ids::{Action, ClusterId, MarketId, Outcome, Venue};
use crate::ledger::{Booking, CashAccount, EntryId, Ledger, LedgerAccount, Position};
use crate::market::MarketDef;
use crate::order::{Order, Strategy};
use crate::pack::pack_fields;
use crate::risk::{Account, Exposure};
use crate::state::state_fields;
use crate::units::{Price, Qty, Usd};
use crate::venue_rules::CASH_ACCOUNTS;

use day::Day;

pub(super) use worth::Worth;

/// The money part: see the head of this file.
#[derive(Debug)]
pub(super) struct Money {
    ledger: Ledger,
    exposure: Exposure,
    worth: Worth,
    /// What the account is worth, and was at most.
    account: Account,
    /// The trading day, in days since 1970-01-01 where the account's day begins at midnight UTC.
    day_number: u32,
    day: Day,
    /// Where the next slice of positions to be checked begins.
    checked_to: usize,
    /// Cash of sales that may still fail: it is reserved. By cash account.
    held_back: [Usd; CASH_ACCOUNTS],
    /// What was at risk in the contracts that those sales gave away: it still counts.
    doubtful: Usd,
}

/// What a sale that may still fail would have freed: until its end is known it counts as if it had failed, while the
/// contracts count as sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HeldBack {
    /// What the sale brought.
    pub cash: Usd,
    /// What was at risk in the contracts that it gave away.
    pub at_risk: Usd,
}

impl HeldBack {
    /// Nothing is in doubt.
    pub const NOTHING: Self = Self { cash: Usd::ZERO, at_risk: Usd::ZERO };
}

pack_fields! {
    HeldBack { cash, at_risk }
}

/// How a figure of ours is corrected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Figure<T, D> {
    /// It becomes this, whatever becomes of earlier fills.
    To(T),
    /// It changes by so much, and an earlier fill that fails is still taken out of it.
    By(D),
}

/// Contracts of YES and NO; or by how many millionths they change, or YES less NO does where pairs are netted.
pub(super) type Contracts = Figure<[Qty; 2], [i64; 2]>;

/// Why a position is set to other figures, which decides how the day counts the change in worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Correction {
    /// The venue's figure is taken over without an explanation.
    TakenOver,
    /// An earlier correction is undone, because a fill that was heard of later explains it.
    PutBack,
}

state_fields! {
    Money {
        ledger: value, exposure: value, worth: value, account: value, day_number: value, day: value, checked_to: index,
        held_back: value, doubtful: value,
    }
}

impl Money {
    /// Allocates all it will ever need.
    pub fn new() -> Self {
        Self {
            ledger: Ledger::new(),
            exposure: Exposure::new(),
            worth: Worth::new(),
            account: Account::default(),
            day_number: 0,
            day: Day::new(),
            checked_to: 0,
            held_back: [Usd::ZERO; CASH_ACCOUNTS],
            doubtful: Usd::ZERO,
        }
    }

    /// The ledger, for reading.
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// What is held in a market.
    pub fn position(&self, market: MarketId) -> &Position {
        self.ledger.position(market)
    }

    /// Cash in an account, reserved or not.
    pub fn cash(&self, account: CashAccount) -> Usd {
        self.ledger.cash(account)
    }

    /// Cash in an account that nothing has a claim on; negative where more is claimed than is there.
    pub const fn cash_free(&self, account: CashAccount) -> Usd {
        self.ledger.balance(LedgerAccount::Cash(account))
    }

    /// Dollars at risk, for reading.
    pub const fn exposure(&self) -> &Exposure {
        &self.exposure
    }

    /// The prices that holdings are valued at and the last valuation, for reading.
    pub const fn worth(&self) -> &Worth {
        &self.worth
    }

    /// What the account is worth, and was at most.
    pub const fn account(&self) -> Account {
        self.account
    }

    /// What a cluster loses in the worst outcome that the declared relations allow: all that is at risk in it, less what the
    /// complete baskets among it are sure to bring back. Never less than the truth: what is bought counts in full at once, and
    /// as part of a complete basket from the first valuation on after its venue cannot take it back any more.
    pub fn cluster_worst(&self, cluster: ClusterId) -> Usd {
        self.exposure.cluster(cluster) - self.worth.hedged(cluster)
    }

    /// Complete baskets count in full, as if they were none, until what is held is valued again: which contracts pay together,
    /// or in which cluster they are, has changed.
    pub fn forget_hedges(&mut self) {
        self.worth.forget_hedges();
    }

    /// Result of the day: what was realised since it began, and by how much what is held has come to be worth more.
    /// What was bought today starts from its cost, what was held before from its worth then; a settlement only
    /// moves the one into the other.
    pub fn day_result(&self) -> Usd {
        self.day.result_of_all(self.worth.marked_by())
    }

    /// The part of the day's result that is a strategy's.
    pub fn strategy_result(&self, strategy: Strategy) -> Usd {
        self.day.result(strategy, self.worth.marked_by())
    }

    /// The day's warnings.
    pub const fn day_mut(&mut self) -> &mut Day {
        &mut self.day
    }

    /// A person goes on from what the account is worth now: its drawdown is counted from here.
    pub const fn begin_peak(&mut self) {
        self.account.begin_anew();
    }

    /// Claims cash in the account of a market, or gives it back.
    ///
    /// # Panics
    /// R3: if more is given back than was claimed.
    pub fn reserve(&mut self, terms: &MarketDef, delta: Usd) {
        if delta == Usd::ZERO {
            return;
        }
        self.ledger.reserve(CashAccount::of(terms.venue, terms.shard), delta);
        self.exposure.add(terms, delta);
    }

    /// What an order must hold for `open` contracts: cash for a purchase, contracts for a sale.
    pub fn claim(&self, terms: &MarketDef, order: &Order, open: Qty) -> (Usd, Qty) {
        match order.action {
            Action::Buy => {
                // An order that spends dollars spends no more of them for more contracts.
                let open = if order.spends() { open.min(order.qty) } else { open };
                (worst_cost(terms.fee, order.price, open), Qty::ZERO)
            }
            // A sale beyond what is held may be a purchase of the other outcome, and costs what that costs.
            Action::Sell if order.venue.rules().sells_beyond_holding() => {
                let held = self.ledger.position(order.market).held(order.outcome).min(open);
                (worst_cost(terms.fee, order.price.complement(), open - held), held)
            }
            Action::Sell => (Usd::ZERO, open),
        }
    }

    /// A market's terms changed: what is at risk in it moves to its new cluster, category, theme and venue.
    pub fn regroup(&mut self, from: &MarketDef, to: &MarketDef) {
        self.exposure.regroup(from, to);
        self.forget_hedges();
    }

    /// An event did this to a book: where its best prices may be others now, the next valuation looks at it.
    #[inline]
    pub fn on_book(&mut self, event: &Event, applied: Applied) {
        let moved = match applied {
            Applied::Unchanged | Applied::Deep => {
                matches!(event, Event::Status { .. } | Event::Market(_))
            }
            Applied::Pending | Applied::Top | Applied::Stale(_) | Applied::Many => true,
        };
        if moved && let Some(market) = event.market() {
            self.on_moved(market);
        }
    }

    /// The same where it is known that they may be others.
    #[inline]
    pub fn on_moved(&mut self, market: MarketId) {
        self.worth.on_book(market);
    }

    /// Values everything held: see [`Worth::mark`].
    pub fn mark(&mut self, books: &Books, baskets: &Baskets) {
        self.worth.mark(books, baskets, &self.ledger, &self.day);
        let cash =
            Venue::ALL.iter().fold(Usd::ZERO, |sum, venue| sum + self.ledger.cash_at(*venue));
        let held = self.ledger.cost() + self.worth.marked();
        self.account.on_valued(cash + self.ledger.claims() + held);
    }

    /// A trading day has been told. The same day told again, as after a restart, changes nothing: today's loss is still
    /// today's.
    pub fn on_day(&mut self, day: u32, books: &Books, baskets: &Baskets) {
        if day > self.day_number {
            self.day_number = day;
            self.ledger.new_day();
            self.mark(books, baskets);
            self.day.begin(self.worth.marked_by());
        }
    }

    /// Books a fill of a strategy's order; one that may still fail is `provisional`. Returns what of it is held back until its
    /// end is known.
    pub fn book(
        &mut self,
        books: &Books,
        baskets: &Baskets,
        booking: &Booking,
        strategy: Strategy,
        provisional: bool,
    ) -> (EntryId, HeldBack) {
        let realised = self.ledger.realised();
        if self.ledger.position(booking.market).is_flat() {
            self.day.on_opened(booking.market, strategy);
        }
        let &Booking { market, account, .. } = booking;
        let (cash, at_risk) = (self.ledger.cash(account), self.ledger.position(market).at_risk());
        let entry = self.change_held(books, booking.market, |ledger| ledger.book(booking));
        let bought = booking.action == Action::Buy;
        if provisional && bought {
            self.worth.on_provisional(market);
        }
        // What was bought is worth its cost until it is valued. What went took its worth along: that is realised
        // now, and must not count twice until the next valuation.
        if !bought || self.ledger.realised() - realised != -booking.fee {
            self.mark(books, baskets);
        }
        if !provisional || bought {
            return (entry, HeldBack::NOTHING);
        }
        let held_back = HeldBack {
            cash: (self.ledger.cash(account) - cash).max(Usd::ZERO),
            at_risk: (at_risk - self.ledger.position(market).at_risk()).max(Usd::ZERO),
        };
        self.hold_back(books, booking, held_back, false);
        (entry, held_back)
    }

    /// The end of a fill that was provisional is known, or nobody can know it any more: nothing of it is held back or in doubt
    /// from here on.
    pub fn let_go(&mut self, books: &Books, booking: &Booking, held_back: HeldBack) {
        self.hold_back(books, booking, held_back, true);
        if booking.action == Action::Buy && booking.account.venue().rules().provisional_fills {
            self.worth.on_purchase_ended(booking.market);
        }
    }

    fn hold_back(&mut self, books: &Books, booking: &Booking, what: HeldBack, ends: bool) {
        let &Booking { market, account, .. } = booking;
        let HeldBack { cash, at_risk } = what;
        let (cash, at_risk) = if ends { (-cash, -at_risk) } else { (cash, at_risk) };
        self.held_back[account.index()] += cash;
        self.doubtful += at_risk;
        self.ledger.reserve(account, cash);
        let terms = books.terms(market).expect("a market in use has terms");
        self.exposure.add(terms, at_risk);
    }

    /// Pairs of YES and NO were split off cash, or merged into it where `by`, in millionths, is below zero.
    pub fn convert_pairs(
        &mut self,
        books: &Books,
        baskets: &Baskets,
        market: MarketId,
        by: i64,
        yes_price: Price,
    ) {
        let terms = books.terms(market).expect("a market in use has terms");
        let account = CashAccount::of(terms.venue, terms.shard);
        self.change_held(books, market, |ledger| {
            ledger.convert_pairs(market, account, by, yes_price);
        });
        self.mark(books, baskets); // what went took its worth along
    }

    /// So many NO of a market were converted at `amount`, or as many YES came of it at that. What is held is not valued anew
    /// before the whole set is booked.
    pub fn convert(
        &mut self,
        books: &Books,
        market: MarketId,
        outcome: Outcome,
        qty: Qty,
        amount: Usd,
    ) {
        let terms = books.terms(market).expect("a market in use has terms");
        let account = CashAccount::of(terms.venue, terms.shard);
        self.change_held(books, market, |ledger| {
            ledger.convert(market, account, outcome, qty, amount);
        });
    }

    /// Fills of a market were charged so much more than was booked with them, or less.
    pub fn charge_more(&mut self, market: MarketId, account: CashAccount, by: Usd) {
        let realised = self.ledger.realised_today();
        self.ledger.charge_more(market, account, by);
        self.day.on_realised(market, self.ledger.realised_today() - realised);
    }

    /// Takes a booked fill back.
    pub fn undo(&mut self, books: &Books, baskets: &Baskets, entry: EntryId, booking: &Booking) {
        self.change_held(books, booking.market, |ledger| ledger.undo(entry, booking));
        self.mark(books, baskets);
    }

    /// A market is settled: what is held there is paid, or becomes a claim. Returns the cash that came in.
    pub fn settle(
        &mut self,
        books: &Books,
        baskets: &Baskets,
        market: MarketId,
        yes_pays: Price,
    ) -> Usd {
        let terms = books.terms(market).expect("a market that settles has terms");
        let account = CashAccount::of(terms.venue, terms.shard);
        self.worth.on_settled(market, yes_pays);
        let cash = self.ledger.cash(account);
        self.change_held(books, market, |ledger| ledger.settle(market, account, yes_pays));
        self.mark(books, baskets); // what it was worth over its cost is realised now, and counts once
        self.ledger.cash(account) - cash
    }

    /// The claim on a settled market was paid into its account.
    pub fn redeem(&mut self, market: MarketId, account: CashAccount) {
        self.ledger.redeem(market, account);
    }

    /// The claim on a settled market is given up.
    pub fn lose_claim(&mut self, market: MarketId) {
        let realised = self.ledger.realised_today();
        self.ledger.lose_claim(market);
        self.day.on_realised(market, self.ledger.realised_today() - realised);
    }

    /// Corrects the cash of an account by the venue's figure.
    pub fn correct_cash(&mut self, account: CashAccount, cash: Figure<Usd, Usd>) {
        let before = self.ledger.cash(account);
        match cash {
            Figure::To(cash) => self.ledger.set_cash(account, cash),
            Figure::By(by) => self.ledger.change_cash(account, by),
        }
        self.account.on_corrected(self.ledger.cash(account) - before);
    }

    /// Takes out of the cash of an account what a fill or a payment, about to be booked, explains of an earlier correction.
    pub fn put_back_cash(&mut self, account: CashAccount, explained: Usd) {
        self.ledger.change_cash(account, -explained);
        self.account.on_explained(explained);
    }

    /// Corrects what is held in a market, new contracts at `yes_price` a YES, and decides what of the change in worth is
    /// the day's.
    pub fn correct_position(
        &mut self,
        books: &Books,
        baskets: &Baskets,
        market: MarketId,
        contracts: Contracts,
        yes_price: Price,
        why: Correction,
    ) {
        let both = [Outcome::Yes, Outcome::No];
        let before = both.map(|outcome| self.ledger.position(market).held(outcome));
        self.mark(books, baskets);
        let worth = self.worth.marked();
        let terms = books.terms(market).expect("a market in use has terms");
        let account = CashAccount::of(terms.venue, terms.shard);
        self.change_held(books, market, |ledger| match contracts {
            Figure::To([yes, no]) => ledger.set_position(market, yes, no, yes_price),
            Figure::By(by) => ledger.change_position(market, account, by, yes_price),
        });
        self.mark(books, baskets);
        let change = self.worth.marked() - worth;
        let after = both.map(|outcome| self.ledger.position(market).held(outcome));
        let grew = after[0] >= before[0] && after[1] >= before[1];
        let shrank = after[0] <= before[0] && after[1] <= before[1];
        let left_out = match why {
            // Contracts that the venue knew of and we did not are no result of today's. Those that it does not know
            // take the gain along that they stood for; their loss stays.
            Correction::TakenOver if grew => change,
            Correction::TakenOver => change.max(Usd::ZERO),
            // What the correction added changed nothing that day; of what it removed the day kept the loss.
            Correction::PutBack if shrank => change,
            Correction::PutBack => change.min(Usd::ZERO),
        };
        self.day.leave_out(market, left_out);
    }

    /// Changes what is held in a market, and the exposure with it.
    fn change_held<T>(
        &mut self,
        books: &Books,
        market: MarketId,
        change: impl FnOnce(&mut Ledger) -> T,
    ) -> T {
        let position = |ledger: &Ledger| {
            let position = ledger.position(market);
            (position.at_risk(), [Outcome::Yes, Outcome::No].map(|outcome| position.held(outcome)))
        };
        let (before, had) = position(&self.ledger);
        let realised = self.ledger.realised_today();
        let result = change(&mut self.ledger);
        let (after, has) = position(&self.ledger);
        if has[0] < had[0] || has[1] < had[1] {
            self.forget_hedges(); // a basket may be complete no more
        }
        let terms = books.terms(market).expect("a market in use has terms");
        self.exposure.add(terms, after - before);
        self.day.on_realised(market, self.ledger.realised_today() - realised);
        result
    }

    /// Checks the accounts' sums and the next slice of the positions.
    ///
    /// # Panics
    /// P2: where they do not agree.
    pub fn check_some(&mut self) {
        self.check_sums();
        self.checked_to = self.ledger.check_positions(self.checked_to, INVARIANT_POSITIONS);
    }

    /// Checks the accounts' sums, taking those of positions as they are kept.
    ///
    /// # Panics
    /// P2: where they do not agree.
    pub fn check_sums(&self) {
        assert!(self.ledger.sums_agree(), "P2: all accounts sum to nothing");
        self.check_day();
    }

    /// Cash that is held back for sales that may fail, by account, and what counts as at risk because of them.
    pub const fn held_back(&self) -> ([Usd; CASH_ACCOUNTS], Usd) {
        (self.held_back, self.doubtful)
    }

    /// Checks every account and every position.
    ///
    /// # Panics
    /// P2: where they do not agree.
    pub fn check_all(&self) {
        assert!(self.ledger.is_balanced(), "P2: all accounts sum to nothing");
        self.ledger.check_positions(0, usize::MAX);
        self.check_day();
    }

    fn check_day(&self) {
        let by_strategies = self.day.realised_by_all();
        assert!(
            by_strategies == self.ledger.realised_today(),
            "P2: what the strategies have realised sums to the day's result"
        );
    }

    /// Checks what is held back, and counts as at risk, for sales whose end is not known against their sum.
    ///
    /// # Panics
    /// R6: where they differ.
    pub fn check_held_back(&self, cash: &[Usd; CASH_ACCOUNTS], at_risk: Usd) {
        let same = *cash == self.held_back && at_risk == self.doubtful;
        assert!(same, "R6: cash of sales that may fail is held back, and nothing else");
    }

    /// Checks the purchases that may still be taken back against a walk over the fills: the market of each.
    ///
    /// # Panics
    /// R2: where they differ.
    pub fn check_provisional(&self, purchases: impl Iterator<Item = MarketId>) {
        let mut markets: Vec<_> = purchases.collect();
        markets.sort_unstable();
        let same = |here: &[MarketId]| here.len() == self.worth.provisional(here[0]) as usize;
        let agree = markets.len() as u64 == self.worth.provisional_in_all()
            && markets.chunk_by(|market, next| market == next).all(same);
        assert!(agree, "R2: what may be taken back completes nothing");
    }

    /// Checks what is reserved and at risk against the sum of what live orders and groups hold, by cash account.
    ///
    /// # Panics
    /// R5, R2: where they differ.
    pub fn check_claims(&self, claimed: &[Usd; CASH_ACCOUNTS]) {
        let reserved =
            CashAccount::all().map(|account| self.ledger.balance(LedgerAccount::Reserved(account)));
        let needed = claimed.iter().zip(&self.held_back).map(|(claimed, held)| *claimed + *held);
        assert!(reserved.eq(needed), "R5: reservations are the sum of live orders and holds");
        let all = claimed.iter().fold(Usd::ZERO, |sum, part| sum + *part);
        assert_eq!(
            all + self.ledger.at_risk() + self.doubtful,
            self.exposure.total(),
            "R2: exposure is what is held and reserved"
        );
    }
}

/// The most that buying can cost under a fee rule, rounding included. It rises with the price, so the limit is the
/// worst case.
#[inline]
pub(super) fn worst_cost(fee: FeeRule, price: Price, qty: Qty) -> Usd {
    if qty.is_zero() {
        return Usd::ZERO;
    }
    price.cost_ceil(qty) + fees::fee_bound(fee, price, qty, true)
}

/// What tests spoil, to see that a check finds it.
#[cfg(test)]
impl Money {
    pub fn ledger_mut(&mut self) -> &mut Ledger {
        &mut self.ledger
    }

    pub fn exposure_mut(&mut self) -> &mut Exposure {
        &mut self.exposure
    }

    pub fn worth_mut(&mut self) -> &mut Worth {
        &mut self.worth
    }

    pub fn doubtful_mut(&mut self) -> &mut Usd {
        &mut self.doubtful
    }

    pub const fn day_base_mut(&mut self) -> &mut Usd {
        self.day.base_mut()
    }

    pub const fn checked_to(&self) -> usize {
        self.checked_to
    }
}
