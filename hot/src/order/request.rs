//! What is asked about an order that has been sent.

use crate::ids::{MarketId, OrderId, Venue, VenueKey};
use crate::pack::pack_fields;
use crate::units::Qty;

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

pack_fields! {
    Cancel { order, key, market, venue, qty }
    Query { order, key, market, venue }
}
