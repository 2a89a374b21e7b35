//! Fees that a venue did not tell with its fills: they were booked by their rule, and only the cash of their account shows what
//! was charged.
//!
//! This part keeps, for each market, by how much that may be more or less than what was booked. It keeps that a difference of
//! cash which no fee could be is never taken for one, and that fees explain nothing more once the cash has agreed with them.

use super::fills_seen::READ_LAG;
use crate::bounds::MARKETS_MAX;
use crate::id_set::IdSet;
use crate::ids::MarketId;
use crate::ledger::CashAccount;
use crate::pack::pack_fields;
use crate::per_id::PerId;
use crate::state::state_fields;
use crate::units::{Nanos, Usd};
use crate::venue_rules::CASH_ACCOUNTS;

/// The most that a venue may charge, in percent of what changes hands (`venues/polymarket.md` §8, 2026-11-20: 500 bps).
const FEE_CAP_PERCENT: i64 = 5;

/// The fees that were booked by their rule since the cash of their account last agreed to the microdollar.
#[derive(Debug)]
pub(super) struct UntoldFees {
    markets: PerId<Option<MarketFees>>,
    /// The markets that have such fees.
    ids: IdSet,
    /// When the last such fee of each account was booked; zero before the first one of a run.
    booked: [Nanos; CASH_ACCOUNTS],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct MarketFees {
    account: CashAccount,
    error: FeeError,
}

/// By how much what was charged may differ from what was booked. Neither is below zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct FeeError {
    /// The venue's cap leaves room for so much more.
    more: Usd,
    /// Nobody is charged less than nothing: the fee that was booked.
    less: Usd,
}

pack_fields! {
    MarketFees { account, error }
    FeeError { more, less }
}

state_fields! {
    UntoldFees { markets: table(None), ids: value, booked: value }
}

impl FeeError {
    /// A fill that changed hands for at most `notional` was booked with a fee of `booked`.
    fn of(booked: Usd, notional: Usd) -> Self {
        let cap = notional.scale_floor(FEE_CAP_PERCENT, 100);
        Self { more: (cap - booked).max(Usd::ZERO), less: booked.max(Usd::ZERO) }
    }

    fn add(&mut self, other: Self) {
        self.more += other.more;
        self.less += other.less;
    }

    /// How much of it lies on the side of `charged`, which is below zero where less was charged than was booked.
    pub fn toward(self, charged: Usd) -> Usd {
        if charged < Usd::ZERO { self.less } else { self.more }
    }
}

impl UntoldFees {
    /// Allocates all it will ever need.
    pub fn new() -> Self {
        Self {
            markets: PerId::new(MARKETS_MAX, None),
            ids: IdSet::new(MARKETS_MAX),
            booked: [Nanos::ZERO; CASH_ACCOUNTS],
        }
    }

    /// A run begins: what fees of earlier ones came to is in the cash that is told first.
    pub fn restart(&mut self) {
        for account in CashAccount::all() {
            self.forget(account);
        }
        self.booked = [Nanos::ZERO; CASH_ACCOUNTS];
    }

    /// A fee of `booked` was booked by its rule, for a fill that changed hands for at most `notional`.
    pub fn on_booked(
        &mut self,
        now: Nanos,
        account: CashAccount,
        market: MarketId,
        booked: Usd,
        notional: Usd,
    ) {
        let of = &mut self.markets[market.index()];
        let mut error = of.map(|of| of.error).unwrap_or_default();
        error.add(FeeError::of(booked, notional));
        *of = Some(MarketFees { account, error }); // its terms may have moved it to another account
        self.ids.insert(market.index());
        self.booked[account.index()] = now;
    }

    /// A reading that began at `since` shows the cash of an account as we have it, to the microdollar. Where it shows every fill
    /// with such a fee, these were what their rule says, whatever else is in flight.
    pub fn on_agreed(&mut self, account: CashAccount, since: Nanos) {
        if since.since(self.booked[account.index()]) >= READ_LAG {
            self.forget(account);
        }
    }

    /// By how much such fees of an account may be off in all, where that explains that `charged` more was charged than was
    /// booked. What it does not explain is not explained by them later either.
    pub fn find(&mut self, account: CashAccount, charged: Usd) -> Option<FeeError> {
        let mut all = FeeError::default();
        for of in self.ids.iter().filter_map(|at| self.markets[at]) {
            if of.account == account {
                all.add(of.error);
            }
        }
        if charged.max(-charged) <= all.toward(charged) {
            return Some(all);
        }
        self.forget(account);
        None
    }

    /// Takes out the next market of an account that has such fees, and by how much they may be off.
    pub fn take(&mut self, account: CashAccount) -> Option<(MarketId, FeeError)> {
        let is_of = |at: &usize| self.markets[*at].is_some_and(|of| of.account == account);
        let at = self.ids.iter().find(is_of)?;
        self.ids.remove(at);
        let of = self.markets[at].take().expect("just found");
        Some((MarketId::new(at as u16), of.error))
    }

    /// The cash of an account has shown what its fills were charged.
    fn forget(&mut self, account: CashAccount) {
        while self.take(account).is_some() {}
    }
}
