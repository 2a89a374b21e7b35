//! What the core asks the executors to do.

use crate::ids::{Action, GroupId, MarketId, OrderId, Outcome, Side, Venue, VenueKey};
use crate::risk::Approved;
use crate::units::{Nanos, Price, Qty};

/// One output of the core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// Sign and send this order.
    Place(Approved<Order>),
    /// Cancel one order.
    Cancel(Cancel),
    /// Cancel everything these credentials can see.
    CancelAll {
        /// Where.
        venue: Venue,
    },
    /// Ask the venue what became of an order, its fills included.
    Query(Query),
    /// Ask for a fresh snapshot.
    Resync {
        /// Of which market.
        market: MarketId,
    },
}

const _: () = assert!(size_of::<Intent>() <= 64, "an intent is one cache line");

impl Intent {
    /// Which venue's executor it is for; `None` for the feed.
    pub fn venue(&self) -> Option<Venue> {
        match self {
            Self::Place(order) => Some(order.venue),
            Self::Cancel(cancel) => Some(cancel.venue),
            Self::CancelAll { venue } => Some(*venue),
            Self::Query(query) => Some(query.venue),
            Self::Resync { .. } => None,
        }
    }
}

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

/// How long an order lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Tif {
    /// Until cancelled.
    Gtc = 0,
    /// Fill what can be filled now, cancel the rest. Polymarket calls it FAK.
    Ioc = 1,
    /// All now or nothing.
    Fok = 2,
}

/// What an order is for: stored with it, and used by the gate to tell opening from reducing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Purpose {
    /// The first leg of a basket.
    Leg = 0,
    /// A later leg: it completes what is already held.
    Hedge = 1,
    /// Gets rid of a leg that found no partner.
    Unwind = 2,
    /// Closes a position for the operator.
    Exit = 3,
    /// Buys a few more of what has no partner, because the venue takes no order for so little: all of it is sold next.
    TopUp = 4,
}

impl Purpose {
    /// Whether it puts more at risk than is at risk now: the first order of a basket. A hedge does not: it completes
    /// what is already held, and without it the group is exposed for longer. Nor does a top-up: what it buys is sold at
    /// once, with what could not be sold without it.
    pub const fn opens(self) -> bool {
        matches!(self, Self::Leg)
    }

    /// Whether it may only sell what is held.
    pub const fn reduces(self) -> bool {
        matches!(self, Self::Unwind | Self::Exit)
    }

    /// Whether it gets rid of contracts without a partner, or makes that possible.
    pub const fn corrects(self) -> bool {
        matches!(self, Self::Unwind | Self::TopUp)
    }

    /// The name used in output and in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Leg => "arb_leg",
            Self::Hedge => "hedge",
            Self::Unwind => "unwind",
            Self::Exit => "exit",
            Self::TopUp => "top_up",
        }
    }
}

/// Which order to cancel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancel {
    /// Ours.
    pub order: OrderId,
    /// The venue's name for it, once known.
    pub key: Option<VenueKey>,
    /// Where.
    pub market: MarketId,
    /// At which venue.
    pub venue: Venue,
    /// How much the order was for: turns the venue's "reduced by" into "filled".
    pub qty: Qty,
}

/// Which order to ask about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query {
    /// Ours.
    pub order: OrderId,
    /// The venue's name for it, once known.
    pub key: Option<VenueKey>,
    /// Where.
    pub market: MarketId,
    /// At which venue.
    pub venue: Venue,
}
