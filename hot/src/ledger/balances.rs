//! The balances of all accounts, and the one way to change them: lines that sum to nothing.

use super::CashAccount;
use crate::pack::pack_newtypes;
use crate::units::Usd;
use crate::venue_rules::CASH_ACCOUNTS;

/// One account of the ledger. What we have, and what it cost, stands above zero; where it came from stands below. All accounts
/// together sum to nothing.
///
/// What holdings would bring if they were sold is no account: it is valued anew from the books each time, and no booking
/// moves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LedgerAccount {
    /// Cash that nothing has a claim on.
    Cash(CashAccount),
    /// Cash that orders and groups in flight have a claim on.
    Reserved(CashAccount),
    /// What everything held has cost, less what was got for contracts sold that were not held.
    Positions,
    /// What settled markets owe and have not paid yet.
    Claims,
    /// What venues have charged for fills, since the account began.
    Fees,
    /// Results of sales, pairs and settlements before fees: a gain stands below zero, a loss above.
    Realised,
    /// What was paid in, or taken over from a venue without a booking that explains it, below zero.
    Transfers,
}

impl LedgerAccount {
    /// How many there are.
    const COUNT: usize = 2 * CASH_ACCOUNTS + 5;

    const fn index(self) -> usize {
        match self {
            Self::Cash(account) => account.index(),
            Self::Reserved(account) => CASH_ACCOUNTS + account.index(),
            Self::Positions => 2 * CASH_ACCOUNTS,
            Self::Claims => 2 * CASH_ACCOUNTS + 1,
            Self::Fees => 2 * CASH_ACCOUNTS + 2,
            Self::Realised => 2 * CASH_ACCOUNTS + 3,
            Self::Transfers => 2 * CASH_ACCOUNTS + 4,
        }
    }
}

/// What stands in each account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Balances([Usd; LedgerAccount::COUNT]);

impl Balances {
    /// Nothing was ever booked.
    pub const EMPTY: Self = Self([Usd::ZERO; LedgerAccount::COUNT]);

    /// What stands in one account.
    pub const fn of(&self, account: LedgerAccount) -> Usd {
        self.0[account.index()]
    }

    /// Books lines: so much into each of these accounts, out of it where the amount is below zero.
    ///
    /// # Panics
    /// P2: if the lines do not sum to nothing.
    #[inline]
    pub fn post(&mut self, lines: &[(LedgerAccount, Usd)]) {
        let sum = lines.iter().fold(Usd::ZERO, |sum, &(_, amount)| sum + amount);
        assert!(sum == Usd::ZERO, "P2: the lines of a booking sum to nothing");
        for &(account, amount) in lines {
            self.0[account.index()] += amount;
        }
    }

    /// What stands in all accounts together: nothing.
    pub fn sum(&self) -> Usd {
        self.0.iter().fold(Usd::ZERO, |sum, &balance| sum + balance)
    }
}

pack_newtypes!(Balances);
