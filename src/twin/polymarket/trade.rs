//! A trade, its parties, and what each of them gives.

use std::cell::RefCell;

use surefoot_hot::ids::{Action, Outcome};
use surefoot_hot::units::{Nanos, Price, Qty, Usd};

use super::account::Account;

/// How far a trade is on its way to the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TradeStatus {
    /// Matched, not on chain.
    Matched,
    /// The chain did not take it, and it is tried again.
    Retrying,
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
            Self::Retrying => "RETRYING",
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
    /// What is to become of it.
    pub course: Course,
    /// Its row in a list, and what that was made of.
    pub text: RefCell<Option<(RowOf, String)>>,
}

impl Trade {
    /// One that was matched now, under this id in this market.
    pub fn matched(
        now: Nanos,
        (id, market): (String, usize),
        (taker, makers): (Part, Vec<Part>),
        fee: Usd,
        course: Course,
    ) -> Self {
        Self {
            id,
            market,
            taker,
            makers,
            fee,
            status: TradeStatus::Matched,
            at: now,
            updated: now,
            transaction: None,
            course,
            text: RefCell::default(),
        }
    }
}

/// What is to become of a trade after its match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Course {
    /// From the match until it is mined or fails; twice that where it is tried again.
    pub mined_after: Nanos,
    /// From the match until it is final, where it is not tried again.
    pub confirmed_after: Nanos,
    /// Whether it is tried again before that.
    pub retries: bool,
    /// Whether it fails.
    pub fails: bool,
}

impl Course {
    /// How much longer it takes where it is tried again.
    const fn delay(&self) -> Nanos {
        if self.retries { self.mined_after } else { Nanos::ZERO }
    }

    /// What it becomes next, and how long after the match.
    pub(super) fn next(&self, status: TradeStatus) -> (TradeStatus, Nanos) {
        match status {
            TradeStatus::Matched if self.retries => (TradeStatus::Retrying, self.mined_after),
            TradeStatus::Matched | TradeStatus::Retrying => {
                let next = if self.fails { TradeStatus::Failed } else { TradeStatus::Mined };
                (next, self.mined_after.after(self.delay()))
            }
            TradeStatus::Mined | TradeStatus::Confirmed | TradeStatus::Failed => {
                (TradeStatus::Confirmed, self.confirmed_after.after(self.delay()))
            }
        }
    }
}

/// What the text of a trade's row depends on beside what never changes: who sees it, how far the trade is and since when, and how many
/// API keys there are.
pub type RowOf = (usize, TradeStatus, Nanos, usize);

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
