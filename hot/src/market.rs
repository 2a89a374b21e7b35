//! What the core knows of a market: its terms of trade, never its name.

use crate::fees::FeeRule;
use crate::grid::Grid;
use crate::ids::{ClusterId, MarketId, ThemeId, Venue};
use crate::pack::{enum_table, pack_fields};
use crate::units::{Nanos, Qty};

/// The terms of one market, as an event: sent at start and whenever one of them changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarketDef {
    pub market: MarketId,
    /// Where it trades.
    pub venue: Venue,
    /// Kalshi's `exchange_index`, whose cash it draws on; 0 on Polymarket.
    pub shard: u8,
    /// Which markets its result depends on.
    pub cluster: ClusterId,
    /// Allowed prices of YES.
    pub grid: Grid,
    /// The fewest contracts that an order may be for.
    pub min_qty: Qty,
    /// When the venue closes it; [`Nanos::NEVER`] where it has not said.
    pub close: Nanos,
    /// The fee of a fill.
    pub fee: FeeRule,
    /// Where it stands in its life.
    pub status: MarketStatus,
    /// What kind of question it asks.
    pub category: Category,
    /// The theme that the operator has declared it to be of; `None` where it is of none.
    pub theme: Option<ThemeId>,
}

impl MarketDef {
    /// The terms that tests and measurements begin with: open, in cents, one contract at least, no fee, no close that is known, no
    /// category, and in one cluster with every other such market.
    pub fn bare(market: MarketId, venue: Venue) -> Self {
        Self {
            market,
            venue,
            shard: 0,
            cluster: ClusterId::new(0),
            grid: Grid::uniform(100).expect("cents divide a dollar"),
            min_qty: Qty::from_contracts(1),
            close: Nanos::NEVER,
            fee: FeeRule::FREE,
            status: MarketStatus::Open,
            category: Category::Unknown,
            theme: None,
        }
    }
}

enum_table! {
    /// What kind of question a market asks: the categories by which Polymarket sets its fees (`polymarket.md` §8, 2026-11-20).
    /// Kalshi's are counted as one of these.
    pub enum Category {
        /// The venue has not said, or has a name for it that is not known. It may be any of the others.
        Unknown = 0, "unknown";
        Crypto = 1, "crypto";
        Sports = 2, "sports";
        Finance = 3, "finance";
        Politics = 4, "politics";
        Mentions = 5, "mentions";
        Tech = 6, "tech";
        Economics = 7, "economics";
        Culture = 8, "culture";
        Weather = 9, "weather";
        Geopolitics = 10, "geopolitics";
        Other = 11, "other";
    }
}

impl Category {
    /// From the venue's word, in capitals or not.
    pub fn from_word(word: &str) -> Self {
        let named =
            Self::ALL.into_iter().find(|category| category.name().eq_ignore_ascii_case(word));
        named.unwrap_or(Self::Unknown)
    }
}

enum_table! {
    /// Where a market stands in its life.
    pub enum MarketStatus {
        /// Seen, not traded.
        Observe = 0, "observe";
        /// Orders are taken and matched.
        Open = 1, "open";
        /// Halted by the venue; a return clears the book.
        Paused = 2, "paused";
        /// Trading is over, the result is not known.
        Closed = 3, "closed";
        /// The result is known but not yet final.
        Proposed = 4, "proposed";
        /// Settled and paid.
        Resolved = 5, "resolved";
    }
}

impl MarketStatus {
    /// Whether trading has ended there for good, as far as the venue has said.
    pub const fn is_over(self) -> bool {
        match self {
            Self::Observe | Self::Open | Self::Paused => false,
            Self::Closed | Self::Proposed | Self::Resolved => true,
        }
    }

    /// Whether the venue takes orders there, so that what is held can be sold.
    pub const fn is_traded(self) -> bool {
        match self {
            Self::Open | Self::Observe => true,
            Self::Paused | Self::Closed | Self::Proposed | Self::Resolved => false,
        }
    }
}

pack_fields! {
    MarketDef { market, venue, shard, cluster, grid, min_qty, close, fee, status, category, theme }
}
