//! What the core asks the executors to do.

use crate::ids::{MarketId, Venue};
use crate::order::{Amend, Cancel, Order, Query};
use crate::pack::pack_variants;
use crate::risk::Approved;

/// One output of the core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// Sign and send this order.
    Place(Approved<Order>),
    /// Cancel one order.
    Cancel(Cancel),
    /// Cancel everything these credentials can see.
    CancelAll { venue: Venue },
    /// Ask the venue what became of an order, its fills included.
    Query(Query),
    /// Ask for a fresh snapshot; a market that is not subscribed to is subscribed to, which brings one.
    Resync { market: MarketId },
    /// Change an order that rests, in place.
    Amend(Approved<Amend>),
    /// Subscribe to a market no more: it was withdrawn, and nothing is left to be done there.
    Unfollow { market: MarketId },
    /// Ask the venue for a market's book over REST: its stream has been silent for longer than it usually is.
    Witness { market: MarketId },
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
            Self::Resync { .. } | Self::Unfollow { .. } | Self::Witness { .. } => None,
            Self::Amend(amend) => Some(amend.venue),
        }
    }
}

/// An intent as the journal keeps it: the order is a plain copy, so that no file can make an
/// [`Approved`] one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntentRecord {
    /// This order was to be signed and sent.
    Place(Order),
    /// This order was to be cancelled.
    Cancel(Cancel),
    /// Everything was to be cancelled.
    CancelAll { venue: Venue },
    /// The venue was to be asked about an order.
    Query(Query),
    /// A fresh snapshot was wanted.
    Resync { market: MarketId },
    /// This change of an order was to be sent.
    Amend(Amend),
    /// A market was to be subscribed to no more.
    Unfollow { market: MarketId },
    /// A market's book was to be asked for over REST.
    Witness { market: MarketId },
}

impl From<&Intent> for IntentRecord {
    fn from(intent: &Intent) -> Self {
        match intent {
            Intent::Place(order) => Self::Place(**order),
            Intent::Cancel(cancel) => Self::Cancel(*cancel),
            Intent::CancelAll { venue } => Self::CancelAll { venue: *venue },
            Intent::Query(query) => Self::Query(*query),
            Intent::Resync { market } => Self::Resync { market: *market },
            Intent::Amend(amend) => Self::Amend(**amend),
            Intent::Unfollow { market } => Self::Unfollow { market: *market },
            Intent::Witness { market } => Self::Witness { market: *market },
        }
    }
}

pack_variants! {
    IntentRecord {
        0 = Place(order),
        1 = Cancel(cancel),
        2 = CancelAll { venue },
        3 = Query(query),
        4 = Resync { market },
        5 = Amend(amend),
        6 = Unfollow { market },
        7 = Witness { market },
    }
}
