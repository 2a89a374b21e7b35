//! Cash, positions and results: integer double entry.
//!
//! Every booking is a set of lines, so much into one account and so much out of another, that sum to nothing; so do all
//! accounts together, after every event. A dollar that we have came from somewhere: it was paid in, or gained. See [`LedgerAccount`]
//! and [`Ledger::is_balanced`].
//!
//! Reserved cash is an account too: it comes out of the free cash and goes back there. It follows what orders and groups
//! in flight need, not which fills stand, so it is no part of the list of entries below.
//!
//! The accounts are a fold over a list of entries, and the list is kept as far back as a venue may take a fill back.
//! A fill that fails is taken out of the list and the accounts are made anew from it: an average cost or a realised
//! result cannot be undone by adding the opposite, because what was sold since took its share of them along.

mod accounts;
mod balances;
mod position;

pub use balances::LedgerAccount;
pub use position::Position;

use std::collections::VecDeque;

use crate::bounds::LEDGER_ENTRIES_MAX;
use crate::ids::{Action, MarketId, Outcome, Venue};
use crate::pack::{Pack, PackSink, PackSource, pack_fields, pack_newtypes, pack_variants};
use crate::state::state_fields;
use crate::units::{Price, Qty, Usd};
use crate::venue_rules::CASH_ACCOUNTS;

use accounts::Accounts;

/// One separate amount of cash at a venue: all of it there, or that of one of the venue's shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CashAccount(u8);

/// The venue of each account, by [`CashAccount::index`]: the venues' accounts follow each other in the order of [`Venue::ALL`].
const VENUES: [Venue; CASH_ACCOUNTS] = {
    let mut venues = [Venue::ALL[0]; CASH_ACCOUNTS];
    let (mut at, mut nth) = (0, 0);
    while nth < Venue::ALL.len() {
        let end = at + Venue::ALL[nth].rules().cash_accounts as usize;
        while at < end {
            venues[at] = Venue::ALL[nth];
            at += 1;
        }
        nth += 1;
    }
    venues
};

impl CashAccount {
    /// The first account of each venue, and how many it has.
    const OF_VENUES: [(u8, u8); Venue::ALL.len()] = {
        let mut of = [(0, 0); Venue::ALL.len()];
        let (mut first, mut nth) = (0, 0);
        while nth < of.len() {
            let accounts = Venue::ALL[nth].rules().cash_accounts;
            of[nth] = (first, accounts);
            first += accounts;
            nth += 1;
        }
        of
    };

    /// The account that orders at this venue and shard draw on. Where a venue has one account, every shard is that one.
    ///
    /// # Panics
    /// Beyond the venue's accounts; metadata with such a shard is refused on the way in.
    #[inline(always)] // a dozen instructions, without the call
    pub const fn of(venue: Venue, shard: u8) -> Self {
        Self::known(venue, shard).expect("metadata bounds the shard")
    }

    /// The same; `None` for a shard that is beyond the venue's accounts, which the venue may have opened since.
    #[inline(always)] // see `of`
    pub const fn known(venue: Venue, shard: u8) -> Option<Self> {
        let (first, accounts) = Self::OF_VENUES[venue.index()];
        let shard = if accounts == 1 { 0 } else { shard };
        if shard < accounts { Some(Self(first + shard)) } else { None }
    }

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..CASH_ACCOUNTS as u8).map(Self)
    }

    /// Index into per-account arrays.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// Whose it is.
    pub const fn venue(self) -> Venue {
        VENUES[self.index()]
    }
}

/// One fill, as the ledger books it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Booking {
    pub market: MarketId,
    /// The account that pays, or is paid.
    pub account: CashAccount,
    /// The outcome whose contracts change hands.
    pub outcome: Outcome,
    pub action: Action,
    /// Price of that outcome.
    pub price: Price,
    pub qty: Qty,
    /// Charged on top, or off the proceeds.
    pub fee: Usd,
}

/// One line of the list that the accounts are a fold of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    /// A fill that was booked.
    Fill(Booking),
    /// A fill that failed after its own entry had left the list: the same amounts, the other way.
    Back(Booking),
    /// A fill that failed: it never was.
    Void,
    /// The venue's word on the cash in an account.
    Cash { account: CashAccount, cash: Usd },
    /// The venue's word on what is held; new contracts cost `price` a YES.
    Position { market: MarketId, yes: Qty, no: Qty, price: Price },
    /// So much more cash, or less.
    CashBy { account: CashAccount, by: Usd },
    /// So many more contracts, or fewer: see [`Ledger::change_position`].
    PositionBy { market: MarketId, account: CashAccount, by: [i64; 2], price: Price },
    /// A market's result.
    Settled { market: MarketId, account: CashAccount, yes_pays: Price },
    /// What a settled market owes was paid.
    Redeemed { market: MarketId, account: CashAccount },
    /// What a settled market owed is gone without having been paid.
    Lost { market: MarketId },
    /// A new day.
    Day,
    /// So many millionths of YES and of NO came to be, for a dollar a pair; below zero they were merged and paid.
    Pairs { market: MarketId, account: CashAccount, by: i64, price: Price },
    /// So much more was charged for fills of a market than was booked with them, or less.
    Fee { market: MarketId, account: CashAccount, by: Usd },
    /// One market's part of a conversion: so many NO went at `amount`, or so many YES came at it.
    Converted { market: MarketId, account: CashAccount, outcome: Outcome, qty: Qty, amount: Usd },
}

/// Which entry a fill is: what [`Ledger::undo`] takes it out by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryId(u64);

/// The ledger: every account, and the entries that may still be taken back.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// What all entries come to.
    now: Accounts,
    /// What those came to that have left the list.
    base: Accounts,
    /// The entries since, oldest first.
    entries: VecDeque<Entry>,
    /// How many have left the list.
    left: u64,
    /// Grows with every change; see [`Ledger::version`].
    version: u64,
}

/// Two ledgers are equal if their accounts are, whatever order the entries came in.
impl PartialEq for Ledger {
    fn eq(&self, other: &Self) -> bool {
        self.now == other.now
    }
}

impl Eq for Ledger {}

impl Ledger {
    /// A ledger without an entry.
    pub fn new() -> Self {
        Self {
            now: Accounts::new(),
            base: Accounts::new(),
            entries: VecDeque::with_capacity(LEDGER_ENTRIES_MAX),
            left: 0,
            version: 0,
        }
    }

    /// What stands in one of its accounts.
    pub const fn balance(&self, account: LedgerAccount) -> Usd {
        self.now.balances.of(account)
    }

    /// Cash in an account, reserved or not.
    pub fn cash(&self, account: CashAccount) -> Usd {
        self.now.cash(account)
    }

    /// Claims cash of an account for orders and groups in flight, or gives it back where `by` is below zero.
    ///
    /// # Panics
    /// R3: if more is given back than was claimed.
    pub fn reserve(&mut self, account: CashAccount, by: Usd) {
        self.now.reserve(account, by);
        debug_assert!(self.now.sums_agree(), "P2: all accounts sum to nothing");
    }

    /// Cash in every account of a venue.
    pub fn cash_at(&self, venue: Venue) -> Usd {
        CashAccount::all()
            .filter(|p| p.venue() == venue)
            .fold(Usd::ZERO, |sum, p| sum + self.cash(p))
    }

    /// What is held in a market.
    pub fn position(&self, market: MarketId) -> &Position {
        &self.now.positions[market.index()]
    }

    /// Markets in which something is held, short or claimed, by rising id.
    pub fn open(&self) -> impl Iterator<Item = MarketId> {
        self.now.open.iter().map(|market| MarketId::new(market as u16))
    }

    /// The first market from `from` on in which something is held, short or claimed.
    pub fn next_open(&self, from: MarketId) -> Option<MarketId> {
        self.now.open.next(from.index()).map(|market| MarketId::new(market as u16))
    }

    /// Goes up with every entry, and with every fill that is taken out: while it stands, so does every position.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Result so far, fees taken off.
    pub const fn realised(&self) -> Usd {
        self.now.realised()
    }

    /// Result of the day, fees taken off.
    pub const fn realised_today(&self) -> Usd {
        self.now.realised_today
    }

    /// Fees paid so far.
    pub const fn fees(&self) -> Usd {
        self.balance(LedgerAccount::Fees)
    }

    /// What everything held has cost, less what was got for contracts sold that we did not hold.
    pub const fn cost(&self) -> Usd {
        self.balance(LedgerAccount::Positions)
    }

    /// What everything held has cost: the most that it can lose.
    pub const fn at_risk(&self) -> Usd {
        self.now.at_risk
    }

    /// What settled markets owe and have not paid yet.
    pub const fn claims(&self) -> Usd {
        self.balance(LedgerAccount::Claims)
    }

    /// Takes the venue's word for the cash: a deposit, or the repair of a difference. It stands whatever becomes of
    /// earlier fills.
    pub fn set_cash(&mut self, account: CashAccount, cash: Usd) {
        self.enter(Entry::Cash { account, cash });
        assert!(self.cash(account) == cash, "the venue's word for the cash stands");
    }

    /// Takes the venue's word for a position, which stands whatever becomes of earlier fills. What it cost is unknown,
    /// so new contracts are booked at nothing gained: their cost is taken as `price`.
    pub fn set_position(&mut self, market: MarketId, yes: Qty, no: Qty, price: Price) {
        self.enter(Entry::Position { market, yes, no, price });
        let position = self.position(market);
        assert!(!position.is_short(), "P1: the venue's word leaves nothing short");
        assert!(
            position.held(Outcome::Yes) == yes && position.held(Outcome::No) == no,
            "P1: the venue's word for the position stands"
        );
    }

    /// Corrects the cash by a part of a difference. Other than the venue's whole word ([`Self::set_cash`]) it leaves earlier
    /// fills what they are: one that fails later is taken out as well.
    pub fn change_cash(&mut self, account: CashAccount, by: Usd) {
        self.enter(Entry::CashBy { account, by });
    }

    /// Corrects a position by a part of a difference, which leaves earlier fills what they are, as [`Self::change_cash`]
    /// does. `by` is in millionths of a contract: YES and NO, or, where the venue nets pairs, YES less NO and nothing. New
    /// contracts are booked at `price` a YES.
    pub fn change_position(
        &mut self,
        market: MarketId,
        account: CashAccount,
        by: [i64; 2],
        price: Price,
    ) {
        self.enter(Entry::PositionBy { market, account, by, price });
    }

    /// Books a fill. Fees are a loss at once.
    ///
    /// A sale for more than is held is booked too, because the venue has said that it happened: on Kalshi the rest is a
    /// purchase of the other outcome, on Polymarket a short position ([`Position::short`]) until somebody says what is
    /// true.
    pub fn book(&mut self, booking: &Booking) -> EntryId {
        self.enter(Entry::Fill(*booking))
    }

    /// By how much booking this fill would change the cash, in a market that has no result.
    pub fn cash_change(&self, booking: &Booking) -> Usd {
        self.now.cash_change(booking)
    }

    /// A fill failed: the accounts become what they were had it never been.
    ///
    /// Costs a walk over all remembered entries, half a millisecond when the list is full; fills fail seldom.
    pub fn undo(&mut self, entry: EntryId, booking: &Booking) {
        let Some(at) = entry.0.checked_sub(self.left) else {
            self.enter(Entry::Back(*booking));
            return;
        };
        let at = usize::try_from(at).expect("LEDGER_ENTRIES_MAX is small");
        let kept = &mut self.entries[at];
        assert!(*kept == Entry::Fill(*booking), "a fill is undone once, and as it was booked");
        *kept = Entry::Void;
        self.version += 1;
        let reserved = |account| self.now.balances.of(LedgerAccount::Reserved(account));
        let reserved: [Usd; CASH_ACCOUNTS] =
            std::array::from_fn(|at| reserved(CashAccount(at as u8)));
        self.now.copy_from(&self.base);
        for entry in &self.entries {
            self.now.apply(entry);
        }
        for (account, reserved) in CashAccount::all().zip(reserved) {
            self.now.reserve(account, reserved);
        }
        assert!(self.now.sums_agree(), "P2: all accounts sum to nothing");
    }

    /// The market has a result: YES pays `yes_pays`, NO the rest, and nothing is held any more.
    ///
    /// Where it had another result before, what that gave is taken back and the new one is booked: all of it where the
    /// venue pays by itself, and what is still owed where a claim must be redeemed. What was redeemed stays what it was
    /// paid, because the contracts are gone.
    ///
    /// Kalshi pays at once. At Polymarket the contracts become a claim ([`Position::claim`]): its money comes when they
    /// are redeemed (`venues/polymarket.md`, 2026-11), see [`Self::redeem`].
    pub fn settle(&mut self, market: MarketId, account: CashAccount, yes_pays: Price) {
        self.enter(Entry::Settled { market, account, yes_pays });
        let position = self.position(market);
        assert!(position.is_flat(), "P6: nothing is held in a market that has its result");
        assert!(position.at_risk() == Usd::ZERO, "P6: a result leaves nothing at risk");
    }

    /// One market's part of a conversion: `qty` NO of it went at `amount`, or as many YES of it came at `amount`. The parts
    /// of all its markets come to the cash that the venue pays with it: see `Core::take_converted`.
    pub fn convert(
        &mut self,
        market: MarketId,
        account: CashAccount,
        outcome: Outcome,
        qty: Qty,
        amount: Usd,
    ) {
        assert!(!account.venue().rules().nets_pairs(), "P1: what is netted is not converted");
        assert!(amount >= Usd::ZERO, "P1: contracts come and go at no less than nothing");
        self.enter(Entry::Converted { market, account, outcome, qty, amount });
    }

    /// A settled market has paid what it owed.
    pub fn redeem(&mut self, market: MarketId, account: CashAccount) {
        self.enter(Entry::Redeemed { market, account });
        assert!(!self.position(market).has_claim(), "P6: a claim is paid once");
    }

    /// What a settled market owed is gone, and nothing was paid for it: that is a loss.
    pub fn lose_claim(&mut self, market: MarketId) {
        self.enter(Entry::Lost { market });
        assert!(!self.position(market).has_claim(), "P6: a claim is lost once");
    }

    /// Pairs of YES and NO were split off cash, a dollar each, or merged into cash where `by`, in millionths of a pair, is
    /// below zero. A YES is booked at `price` and a NO at the rest of the dollar.
    pub fn convert_pairs(&mut self, market: MarketId, account: CashAccount, by: i64, price: Price) {
        let cash = self.cash(account);
        self.enter(Entry::Pairs { market, account, by, price });
        let settles = self.position(market).is_settled();
        assert!(
            settles || self.cash(account) == cash - Usd::from_micros(by),
            "P1: a pair is worth a dollar, neither more nor less"
        );
    }

    /// Fills of a market were charged so much more than was booked with them, or less where `by` is below zero.
    pub fn charge_more(&mut self, market: MarketId, account: CashAccount, by: Usd) {
        self.enter(Entry::Fee { market, account, by });
    }

    /// A new day: its result starts at nothing. The loss halt, if any, stays.
    pub fn new_day(&mut self) {
        self.enter(Entry::Day);
    }

    /// Whether all accounts sum to nothing, and those of positions, claims and results are what the positions say. Costs a
    /// walk over every market.
    pub fn is_balanced(&self) -> bool {
        self.now.sums_agree() && self.now.positions_agree()
    }

    /// Whether all accounts sum to nothing, taking those of positions as they are kept.
    pub fn sums_agree(&self) -> bool {
        self.now.sums_agree()
    }

    /// Checks the positions of `count` markets from number `from` on. Returns where the next such slice begins: 0 after the
    /// last market.
    ///
    /// # Panics
    /// Where one breaks an invariant.
    pub fn check_positions(&self, from: usize, count: usize) -> usize {
        let positions = &self.now.positions;
        let end = from.saturating_add(count).min(positions.len());
        positions.iter().take(end).skip(from).for_each(Position::check);
        if end == positions.len() { 0 } else { end }
    }

    fn enter(&mut self, entry: Entry) -> EntryId {
        if self.entries.len() == LEDGER_ENTRIES_MAX {
            let oldest = self.entries.pop_front().expect("it is full");
            self.base.apply(&oldest);
            self.left += 1;
        }
        self.now.apply(&entry);
        self.version += 1;
        self.entries.push_back(entry);
        assert!(self.entries.len() <= LEDGER_ENTRIES_MAX, "the list has its bound");
        assert!(self.now.sums_agree(), "P2: all accounts sum to nothing");
        EntryId(self.left + self.entries.len() as u64 - 1)
    }
}

impl Default for Ledger {
    fn default() -> Self {
        Self::new()
    }
}

pack_newtypes!(EntryId);

impl Pack for CashAccount {
    fn pack<W: PackSink>(&self, to: &mut W) {
        self.0.pack(to);
    }
    fn unpack<S: PackSource>(from: &mut S) -> Option<Self> {
        from.below(CASH_ACCOUNTS as u8).map(Self)
    }
}

pack_fields! {
    Booking { market, account, outcome, action, price, qty, fee }
}

pack_variants! {
    Entry {
        0 = Fill(booking),
        1 = Back(booking),
        2 = Void,
        3 = Cash { account, cash },
        4 = Position { market, yes, no, price },
        5 = Settled { market, account, yes_pays },
        6 = Redeemed { market, account },
        7 = Lost { market },
        8 = Day,
        9 = CashBy { account, by },
        10 = PositionBy { market, account, by, price },
        11 = Pairs { market, account, by, price },
        12 = Fee { market, account, by },
        13 = Converted { market, account, outcome, qty, amount },
    }
}

// What the entries come to is written too, so that loading them computes nothing.
state_fields! {
    Ledger { now: value, base: value, entries: list(LEDGER_ENTRIES_MAX), left: value, version: value }
}

#[cfg(test)]
mod tests;
