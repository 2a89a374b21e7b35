//! One order as it is sent.

use super::Purpose;
use crate::ids::{Action, GroupId, MarketId, OrderId, Outcome, Side, Venue};
use crate::pack::{enum_table, pack_fields};
use crate::units::{Nanos, Price, Qty};

/// One order, complete: nothing is left for the executor to decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// Ours, never reused.
    pub id: OrderId,
    /// The halt epoch of the decision; compared again at the socket.
    pub epoch: u64,
    /// When it was decided: stamps and salts derive from it, so that a resend is byte for byte the same.
    pub decided: Nanos,
    /// The group it belongs to.
    pub group: GroupId,
    /// Where.
    pub market: MarketId,
    /// Where the market trades.
    pub venue: Venue,
    /// Contracts of this outcome
    pub outcome: Outcome,
    /// are bought or sold,
    pub action: Action,
    /// at this price of that outcome or better,
    pub price: Price,
    /// so many of them,
    pub qty: Qty,
    /// for as long as this,
    pub tif: Tif,
    /// and, if set, only by resting.
    pub post_only: bool,
    /// What for.
    pub purpose: Purpose,
}

impl Order {
    /// Whether it spends a sum of dollars instead of buying a number of contracts: Polymarket's purchases that take at
    /// once. Where the book is cheaper than their price they bring more contracts than `qty`, for the same money
    /// (`venues/polymarket.md` §3.7).
    pub const fn spends(&self) -> bool {
        matches!(
            (self.venue, self.action, self.tif),
            (Venue::Polymarket, Action::Buy, Tif::Ioc | Tif::Fok)
        )
    }

    /// Its side and price on the YES book.
    pub const fn on_book(&self) -> (Side, Price) {
        let price = match self.outcome {
            Outcome::Yes => self.price,
            Outcome::No => self.price.complement(),
        };
        (Side::of(self.outcome, self.action), price)
    }
}

enum_table! {
    /// How long an order lives.
    pub enum Tif {
        /// Until cancelled.
        Gtc = 0, "gtc";
        /// Fill what can be filled now, cancel the rest. Polymarket calls it FAK.
        Ioc = 1, "ioc";
        /// All now or nothing.
        Fok = 2, "fok";
    }
}

pack_fields! {
    Order {
        id, epoch, decided, group, market, venue, outcome, action, price, qty, tif, post_only,
        purpose,
    }
}
