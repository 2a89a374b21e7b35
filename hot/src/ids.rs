//! Names for things as small integers, given out at start, so that they index arrays.

use std::fmt;

use crate::pack::{enum_table, pack_newtypes, pack_variants};
use crate::units::Price;

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
    /// A theme that the operator has declared: markets limited together whether they depend on each other or not.
    ThemeId(u8)
);
id!(
    /// One basket: outcomes that together pay at least a known floor.
    BasketId(u16)
);
id!(
    /// Our order id, made before sending and never reused, across restarts too.
    OrderId(u64)
);
/// The second from which order ids count, since 1970: the beginning of 2026.
const ORDER_IDS_SINCE: u64 = 1_767_225_600;
/// So many ids, as a power of two, lie between those of runs that began a second apart: more than a run can give out in one.
const ORDER_IDS_PER_SECOND: u32 = 24;

impl OrderId {
    /// The first id of a run that begins at this second since 1970: above every id that an earlier run can have used, even one
    /// whose journal is lost. Below 2⁵³ until the year 2043, for Polymarket's salts travel as JSON numbers.
    pub fn first_at(second: u64) -> Self {
        Self(second.saturating_sub(ORDER_IDS_SINCE).max(1) << ORDER_IDS_PER_SECOND)
    }

    /// The second since 1970 at which the run began that gave out this id, by that run's clock: the order is not older.
    pub const fn run_began(self) -> u64 {
        ORDER_IDS_SINCE + (self.0 >> ORDER_IDS_PER_SECOND)
    }
}

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

    /// What one contract of this outcome costs, or pays, where one YES costs or pays `yes`. The other way round it is the same.
    pub const fn price_from_yes(self, yes: Price) -> Price {
        match self {
            Self::Yes => yes,
            Self::No => yes.complement(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_ids_of_a_later_run_are_above_those_of_every_earlier_one() {
        let began = 1_795_197_660;
        let (first, next) = (OrderId::first_at(began), OrderId::first_at(began + 1));
        assert_eq!(next.get() - first.get(), 1 << 24);
        assert_eq!(first.run_began(), began);
        assert_eq!(OrderId::new(next.get() - 1).run_began(), began, "as many as a run gives out");
        assert_eq!(OrderId::first_at(0).get(), 1 << 24, "a clock before 2026 begins somewhere too");
        assert!(OrderId::first_at(2_303_596_800).get() < 1 << 53, "in the year 2043");
    }
}
