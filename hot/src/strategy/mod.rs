//! Strategies: what should be bought, decided from what the core knows.
//!
//! A strategy reads through [`Sight`] and answers with a value. It has no way to an order: the core takes the answer,
//! asks the gate about each leg, reserves its cash, and sends. A strategy that is wrong can thus propose nonsense, and
//! cannot pass a limit.

pub mod arbitrage;

use crate::basket::{Baskets, Verdict};
use crate::book::{Book, Books};
use crate::group::Groups;
use crate::ids::{BasketId, ClusterId, MarketId, Outcome, Side, Venue};
use crate::risk::collar::Bound;
use crate::risk::{Account, Headroom, Limits, Rejections};
use crate::units::{Nanos, Usd};

/// What a strategy sees of the core. Everything here only reads.
pub trait Sight {
    /// Every market's book.
    fn books(&self) -> &Books;
    /// The baskets, repriced with every book.
    fn baskets(&self) -> &Baskets;
    /// The rows of the risk table.
    fn limits(&self) -> &Limits;
    /// What the account is worth.
    fn account(&self) -> Account;
    /// What a cluster loses in the worst outcome that the declared relations allow.
    fn cluster_worst(&self, cluster: ClusterId) -> Usd;
    /// The groups that have not ended.
    fn groups(&self) -> &Groups;
    /// Which venues and markets refuse orders just now.
    fn rejections(&self) -> &Rejections;
    /// What the sums of claims leave to a purchase of an outcome now, in the market of this book.
    fn headroom(&self, now: Nanos, book: &Book, outcome: Outcome) -> Headroom;
    /// When a market is expected to have paid what it owes; [`Nanos::NEVER`] where its venue has not said.
    fn paid_by(&self, market: MarketId) -> Nanos;
    /// When an order was last sent to a side of a market's book; zero if never.
    fn last_sent(&self, market: MarketId, side: Side) -> Nanos;
    /// Whether anything may be opened: no halt, no stop, and all venues and we agree.
    fn may_open(&self) -> bool;
    /// The most that the gate's collar lets a first leg pay for an outcome now.
    fn collar(&self, now: Nanos, book: &Book, outcome: Outcome) -> Bound;
    /// Whether the operator holds back new baskets with a leg at a venue.
    fn is_held(&self, venue: Venue) -> bool;
    /// Whether this verdict was told of a basket's present opportunity.
    fn is_told(&self, now: Nanos, basket: BasketId, verdict: Verdict) -> bool;
    /// Whether a basket was traded a moment ago and is not traded again yet (cooldown).
    fn is_cooling(&self, now: Nanos, basket: BasketId) -> bool;
}
