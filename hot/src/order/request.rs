//! What is asked about an order that has been sent.

use crate::ids::{MarketId, OrderId, Venue, VenueKey};
use crate::pack::pack_fields;
use crate::units::Qty;

/// Which order to cancel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancel {
    pub order: OrderId,
    /// The venue's id of the order, once it is known.
    pub key: Option<VenueKey>,
    pub market: MarketId,
    pub venue: Venue,
    /// The quantity ordered: with it the venue's "reduced by" says how much was filled.
    pub qty: Qty,
}

/// Which order to ask about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query {
    pub order: OrderId,
    /// The venue's id of the order, once it is known.
    pub key: Option<VenueKey>,
    pub market: MarketId,
    pub venue: Venue,
}

pack_fields! {
    Cancel { order, key, market, venue, qty }
    Query { order, key, market, venue }
}
