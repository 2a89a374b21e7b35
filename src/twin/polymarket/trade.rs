//! A trade, its parties, and what each of them gives.

use surefoot_hot::ids::{Action, Outcome};
use surefoot_hot::units::{Nanos, Price, Qty, Usd};

use super::account::Account;

/// How far a trade is on its way to the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TradeStatus {
    /// Matched, not on chain.
    Matched,
    /// In a block.
    Mined,
    /// It is final: it can neither fail nor be retried.
    Confirmed,
    /// Reverted on chain: it is void.
    Failed,
}

impl TradeStatus {
    /// The venue's word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Matched => "MATCHED",
            Self::Mined => "MINED",
            Self::Confirmed => "CONFIRMED",
            Self::Failed => "FAILED",
        }
    }
}

/// One side of a trade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The order; `None` for the house's.
    pub order: Option<usize>,
    /// Its id, the house's too.
    pub order_id: String,
    /// Index of the account that traded.
    pub account: usize,
    /// Which outcome it traded.
    pub outcome: Outcome,
    pub action: Action,
    /// At what price, in its outcome's terms.
    pub price: Price,
    /// How many shares.
    pub qty: Qty,
    /// The collateral that went the other way, without fees.
    pub amount: Usd,
}

/// One trade: a taker against every maker at one price.
#[derive(Clone, Debug)]
pub struct Trade {
    /// The trade's id, a UUID that all its parties share.
    pub id: String,
    /// In which market.
    pub market: usize,
    /// What the taker traded, over all makers.
    pub taker: Part,
    /// The makers, oldest first.
    pub makers: Vec<Part>,
    /// What the taker paid for it.
    pub fee: Usd,
    /// How far it is.
    pub status: TradeStatus,
    /// When it was matched.
    pub at: Nanos,
    /// When its status last changed.
    pub updated: Nanos,
    /// Known once mined.
    pub transaction: Option<String>,
}

/// What became of an order that was taken.
#[derive(Clone, Debug, Default)]
pub struct Placed {
    /// Its trades, by index.
    pub trades: Vec<usize>,
    /// Shares that traded at once.
    pub shares: Qty,
    /// Collateral that changed hands for them, without fees.
    pub collateral: Usd,
}

/// Who takes: one of our orders, or the house.
#[derive(Clone, Copy)]
pub(super) struct Taker {
    pub order: Option<usize>,
    pub account: usize,
    pub outcome: Outcome,
    pub action: Action,
}

/// The venue's word for a way.
pub const fn action_name(action: Action) -> &'static str {
    match action {
        Action::Buy => "BUY",
        Action::Sell => "SELL",
    }
}

/// A YES price in an outcome's own terms.
pub(super) const fn own(outcome: Outcome, yes_price: Price) -> Price {
    match outcome {
        Outcome::Yes => yes_price,
        Outcome::No => yes_price.complement(),
    }
}

/// The other way.
pub(super) const fn opposite(action: Action) -> Action {
    match action {
        Action::Buy => Action::Sell,
        Action::Sell => Action::Buy,
    }
}

/// Moves one side's collateral and shares.
pub(super) fn move_leg(
    account: &mut Account,
    (market, outcome): (usize, Outcome),
    action: Action,
    qty: Qty,
    amount: Usd,
) {
    match action {
        Action::Buy => {
            account.cash -= amount;
            account.receive(market, outcome, qty, amount);
        }
        Action::Sell => {
            account.cash += amount;
            account.give(market, outcome, qty);
        }
    }
}
