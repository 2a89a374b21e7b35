//! What a venue or an executor says happened to an order.
//!
//! Prices are prices of YES, whatever the order bought: the core knows the order's outcome, a stream may not.

use crate::ids::{FillId, MarketId, OrderId, OrderRef, Side, Venue, VenueKey};
use crate::pack::{enum_table, pack_fields, pack_variants};
use crate::units::{Nanos, Price, Qty, Usd};

/// What happened to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// The executor has learnt the venue's id of an order, on Polymarket before the first byte is sent.
    Bound { order: OrderId, key: VenueKey },
    /// The executor did not send the order: no byte of it was sent, and none will be.
    Unsent { order: OrderId, why: Unsent },
    /// The venue rejected the order. This is definite: it is not on the book and never was.
    Rejected { order: OrderRef, why: Reject },
    /// No definite answer came. This proves nothing: the order may be on the book.
    TimedOut { order: OrderId },
    /// What the venue says of an order now: an acknowledgement, a stream update or the answer to a query.
    Status(OrderStatus),
    /// One fill, from a stream or from REST. The same one may come any number of times.
    Fill(Fill),
    /// A fill became final or void.
    Finality { fill: FillId, state: Finality },
    /// The venue refused to cancel an order, or to change it: it is filled, gone or was never there. This proves nothing by
    /// itself.
    CancelRefused { order: OrderRef },
    /// The venue was asked about an order and knows none of that id.
    Absent { order: OrderId, venue: Venue },
    /// The limit and the size that an order which rests has at the venue now: told when a change of it was made, and
    /// whenever the venue lists the order.
    Terms {
        order: OrderRef,
        /// Price of YES.
        price: Price,
        /// Contracts in all, those that are filled already included.
        qty: Qty,
    },
    /// A change of an order was not made: the venue refused it, or it was never sent. The order is what it was.
    AmendRefused { order: OrderRef },
}

/// What the venue says of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderStatus {
    pub order: OrderRef,
    pub state: VenueState,
    /// Contracts filled in all; `None` where the message does not say.
    pub filled: Option<Qty>,
}

enum_table! {
    /// Where an order stands at the venue.
    pub enum VenueState {
        /// It is on the book, perhaps partly filled.
        Resting = 0, "resting";
        /// It is accepted and held back (taker delay), not on the book yet.
        Delayed = 1, "delayed";
        /// It is filled in full.
        Filled = 2, "filled";
        /// It ended without being filled in full: cancelled or killed; or expired, where the venue does not say so.
        Cancelled = 3, "cancelled";
        /// It ended without being filled in full, because its time had come.
        Expired = 4, "expired";
    }
}

/// One fill of an order of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// A fill that is told twice has the same id both times.
    pub fill: FillId,
    pub order: OrderRef,
    pub market: MarketId,
    /// The side of the YES book that our order was on.
    pub side: Side,
    /// Price of YES.
    pub price: Price,
    pub qty: Qty,
    /// The fee that the venue charged; `None` where it does not say.
    pub fee: Option<Usd>,
    /// Which part the venue says that our order had in the trade.
    pub liquidity: Liquidity,
    pub finality: Finality,
    /// When the venue matched it, by the venue's own clock: as finely as it says, which may be the second. Zero where it does
    /// not say.
    pub venue_time: Nanos,
}

enum_table! {
    /// Which part a venue says that an order had in a trade.
    pub enum Liquidity {
        /// It rested on the book.
        Maker = 0, "maker";
        /// It took what rested there.
        Taker = 1, "taker";
        /// The venue does not say.
        Unsaid = 2, "unsaid";
    }
}

enum_table! {
    /// How sure a fill is.
    #[derive(PartialOrd, Ord)]
    pub enum Finality {
        /// It is matched and not settled: it may still fail.
        Provisional = 0, "provisional";
        /// It is settled and stays.
        Final = 1, "final";
        /// It is void, as if it had never been.
        Failed = 2, "failed";
    }
}

enum_table! {
    /// Why the executor did not send an order.
    pub enum Unsent {
        /// The halt epoch moved between decision and write.
        Epoch = 0, "epoch";
        /// No connection to the venue.
        Down = 1, "down";
        /// Too few rate tokens.
        Tokens = 2, "tokens";
        /// The wire log could not be written.
        WireLog = 3, "wire_log";
        /// It could not be encoded: off the grid, unknown market. Our mistake.
        Encode = 4, "encode";
        /// The breaker is open after repeated failures.
        Breaker = 5, "breaker";
        /// It opens something, and too long had passed since it was decided: this computer stood still, or the disk did.
        Old = 6, "old";
        /// The venue takes no such order at the moment.
        Mode = 7, "mode";
    }
}

impl Unsent {
    /// Whether the same order may leave a moment later: the way to the venue was closed, nothing is wrong with the order.
    pub const fn may_pass_later(self) -> bool {
        match self {
            Self::Epoch
            | Self::Down
            | Self::Tokens
            | Self::WireLog
            | Self::Breaker
            | Self::Old
            | Self::Mode => true,
            Self::Encode => false,
        }
    }

    /// Whether the next order to the venue will fare the same: what is closed is the way, not this order.
    pub const fn is_of_the_way(self) -> bool {
        match self {
            Self::Down | Self::Tokens | Self::WireLog | Self::Breaker => true,
            Self::Epoch | Self::Encode | Self::Old | Self::Mode => false,
        }
    }
}

enum_table! {
    /// Why the venue rejected an order.
    pub enum Reject {
        /// Not enough cash or tokens.
        Funds = 0, "funds";
        /// The market is not open.
        Closed = 1, "closed";
        /// Post-only, and it would have crossed.
        Crossed = 2, "crossed";
        /// Price, size or amounts off the venue's grid or under its minimum.
        Terms = 3, "terms";
        /// Fill-or-kill without enough to fill it.
        Killed = 4, "killed";
        /// Signature, key or header.
        Auth = 5, "auth";
        /// Too many requests.
        Rate = 6, "rate";
        /// The venue is paused, restarting or in post-only or cancel-only mode.
        Mode = 7, "mode";
        /// It exists already: the same order was sent before.
        Duplicate = 8, "duplicate";
        /// Anything else definite.
        Other = 9, "other";
        /// Turned away unread, by a filter in front of the venue: a block page instead of the venue's own words.
        Blocked = 10, "blocked";
        /// The venue has withdrawn the call that was made (410): its interface is another one now.
        Gone = 11, "gone";
    }
}

impl Reject {
    /// Whether it says nothing about the order: the venue would have taken none of ours, whatever its price and size.
    /// A second one will fare the same until the venue, the account or the connection is well again.
    pub const fn is_of_venue(self) -> bool {
        match self {
            Self::Auth | Self::Rate | Self::Mode | Self::Blocked | Self::Gone => true,
            Self::Funds
            | Self::Closed
            | Self::Crossed
            | Self::Terms
            | Self::Killed
            | Self::Duplicate
            | Self::Other => false,
        }
    }
}

pack_fields! {
    OrderStatus { order, state, filled }
    Fill { fill, order, market, side, price, qty, fee, liquidity, finality, venue_time }
}

pack_variants! {
    Report {
        0 = Bound { order, key },
        1 = Unsent { order, why },
        2 = Rejected { order, why },
        3 = TimedOut { order },
        4 = Status(status),
        5 = Fill(fill),
        6 = Finality { fill, state },
        7 = CancelRefused { order },
        8 = Absent { order, venue },
        9 = Terms { order, price, qty },
        10 = AmendRefused { order },
    }
}
