//! What the gate may look at beside an order, its market's terms and the limits: the account as a whole, the venue, and what
//! others have paid.

use crate::pack::pack_fields;
use crate::units::{Nanos, Price, Usd};

/// The whole of it. A further thing to look at is a field here, which `core/place.rs` fills: tests and benches take the rest
/// from the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Context {
    pub account: Account,
    /// The last public trade in the order's market; `None` before the first.
    pub last_trade: Option<LastTrade>,
    /// How the order's venue is.
    pub venue: VenueCondition,
}

/// What the account is worth at all venues together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Cash, claims, and what selling everything held would bring, as of the last valuation: complete baskets at no more
    /// than they cost.
    pub equity: Usd,
    /// The most that `equity` ever was. Money that is paid in raises both; money that is taken out lowers `equity` alone.
    pub peak: Usd,
}

impl Account {
    /// The account has been valued.
    pub fn on_valued(&mut self, equity: Usd) {
        *self = Self { equity, peak: self.peak.max(equity) };
    }

    /// How far below its peak it is.
    pub fn drawdown(&self) -> Usd {
        self.peak - self.equity
    }
}

/// The last public trade in a market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastTrade {
    /// What one YES was traded at.
    pub price: Price,
    /// When the core heard of it.
    pub at: Nanos,
}

/// How a venue is at this moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VenueCondition {
    /// Whether the link that brings the market's data is up.
    pub has_data: bool,
    /// Whether its cash and positions agree with ours.
    pub agrees: bool,
    /// Whether new baskets with a leg there are held back, because health has found something.
    pub held_back: bool,
    /// Orders in a row that it turned away unread, or that could not be sent.
    pub refused_in_a_row: u32,
}

pack_fields! {
    Account { equity, peak }
    LastTrade { price, at }
}
