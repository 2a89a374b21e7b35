//! Names for things as small integers, given out at start, so that they index arrays.

use std::fmt;

use crate::pack::{enum_table, pack_newtypes, pack_variants};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($inner);

        impl $name {
            /// From its number.
            pub const fn new(number: $inner) -> Self {
                Self(number)
            }
            /// The number that it stands for.
            pub const fn get(self) -> $inner {
                self.0
            }
            /// Its number as an index.
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }

        pack_newtypes!($name);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

id!(
    /// One market (a question) on one venue.
    MarketId(u16)
);
id!(
    /// Markets whose results depend on each other: one event, or the same question on both venues.
    ClusterId(u16)
);
id!(
    /// One basket: outcomes that together pay at least a known floor.
    BasketId(u16)
);
id!(
    /// Our order id, made before sending and never reused, across restarts too.
    OrderId(u64)
);
id!(
    /// Orders that only make sense together.
    GroupId(u32)
);
id!(
    /// One fill, from a hash of the venue's trade id and order id: the same fill told twice has the same id.
    FillId(u64)
);
id!(
    /// The venue's own order id, hashed: Polymarket's order hash, Kalshi's UUID.
    VenueKey(u64)
);

enum_table! {
    /// Where a market trades.
    #[derive(PartialOrd, Ord, Hash)]
    pub enum Venue {
        /// Polymarket's CLOB, exchange generations 2 and 3.
        Polymarket = 0, "polymarket";
        /// Kalshi's event contracts.
        Kalshi = 1, "kalshi";
    }
}

impl Venue {
    /// Index into per-venue arrays.
    pub const fn index(self) -> usize {
        self as usize
    }
}

enum_table! {
    /// One side of a question.
    #[derive(PartialOrd, Ord, Hash)]
    pub enum Outcome {
        /// The contract that pays if it happens.
        Yes = 0, "yes";
        /// The contract that pays if it does not happen.
        No = 1, "no";
    }
}

impl Outcome {
    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
        }
    }

    /// Index into per-outcome arrays.
    pub const fn index(self) -> usize {
        self as usize
    }
}

enum_table! {
    /// Whether an order adds or gives up contracts of its outcome.
    #[derive(PartialOrd, Ord, Hash)]
    pub enum Action {
        /// Pay cash, receive contracts.
        Buy = 0, "buy";
        /// Give contracts, receive cash.
        Sell = 1, "sell";
    }
}

enum_table! {
    /// A side of the one YES book that every market has.
    #[derive(PartialOrd, Ord, Hash)]
    pub enum Side {
        /// Offers to buy YES, or to sell NO at the complement.
        Bid = 0, "bid";
        /// Offers to sell YES, or to buy NO at the complement.
        Ask = 1, "ask";
    }
}

impl Side {
    /// The other side.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Bid => Self::Ask,
            Self::Ask => Self::Bid,
        }
    }

    /// Index into per-side arrays.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Which side of the YES book an order joins: buying YES and selling NO bid, the others ask.
    pub const fn of(outcome: Outcome, action: Action) -> Self {
        match (outcome, action) {
            (Outcome::Yes, Action::Buy) | (Outcome::No, Action::Sell) => Self::Bid,
            (Outcome::Yes, Action::Sell) | (Outcome::No, Action::Buy) => Self::Ask,
        }
    }
}

/// By which name a report speaks of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderRef {
    /// By our own id.
    Id(OrderId),
    /// By the venue's id, hashed.
    Key(VenueKey),
}

pack_variants! {
    OrderRef { 0 = Id(id), 1 = Key(key) }
}
