//! One order as it is sent.

use super::Purpose;
use crate::ids::{Action, GroupId, MarketId, OrderId, Outcome, Side, Venue};
use crate::pack::{enum_table, pack_fields};
use crate::units::{Nanos, Price, Qty};
use crate::venue_rules::Purchases;

/// One order, complete: nothing is left for the executor to decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// Our own id; never used for another order.
    pub id: OrderId,
    /// The halt epoch at the decision; the executor compares it again at the socket.
    pub epoch: u64,
    /// When the order was decided. Time stamps and salts derive from it, so that a resend is the same to the byte.
    pub decided: Nanos,
    pub group: GroupId,
    pub market: MarketId,
    pub venue: Venue,
    /// The outcome whose contracts are bought or sold.
    pub outcome: Outcome,
    pub action: Action,
    /// The limit as a price of `outcome`: the most to pay, or the least to take.
    pub price: Price,
    /// The number of contracts; for an order that [spends](Self::spends), at the limit price.
    pub qty: Qty,
    pub tif: Tif,
    /// Whether the venue rejects it rather than let it trade at once.
    pub post_only: bool,
    pub purpose: Purpose,
}

impl Order {
    /// Whether it spends a sum of dollars instead of buying a number of contracts. Where the book is cheaper than its
    /// price it brings more contracts than `qty`, for the same money.
    pub const fn spends(&self) -> bool {
        matches!(self.venue.rules().purchases, Purchases::ByMoney)
            && matches!(self.action, Action::Buy)
            && !self.tif.may_rest()
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
        /// Rests until it is cancelled.
        Gtc = 0, "gtc";
        /// Fills what it can at once, and the rest is cancelled. Polymarket calls it FAK.
        Ioc = 1, "ioc";
        /// Fills in full at once or not at all.
        Fok = 2, "fok";
    }
}

pack_fields! {
    Order {
        id, epoch, decided, group, market, venue, outcome, action, price, qty, tif, post_only,
        purpose,
    }
}

impl Tif {
    /// Whether what does not fill at once stays on the book.
    pub const fn may_rest(self) -> bool {
        match self {
            Self::Gtc => true,
            Self::Ioc | Self::Fok => false,
        }
    }
}
