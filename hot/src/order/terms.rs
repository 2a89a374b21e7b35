//! One order as it is sent.

use std::num::NonZeroU32;

use super::Purpose;
use crate::ids::{Action, GroupId, MarketId, OrderId, Outcome, Side, Venue};
use crate::pack::{Pack, PackSink, PackSource, enum_table, pack_fields};
use crate::units::{Nanos, Price, Qty};
use crate::venue_rules::Purchases;

/// One order, complete: nothing is left for the executor to decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// Our own id; never used for another order.
    pub id: OrderId,
    /// The halt epoch at the decision; the executor compares it again at the socket.
    pub epoch: u64,
    /// When the order was decided. Time stamps and salts derive from it, so that a resend is the same to the byte.
    pub decided: Nanos,
    pub group: GroupId,
    pub market: MarketId,
    pub venue: Venue,
    /// The outcome whose contracts are bought or sold.
    pub outcome: Outcome,
    pub action: Action,
    /// The limit as a price of `outcome`: the most to pay, or the least to take.
    pub price: Price,
    /// The number of contracts; for an order that [spends](Self::spends), at the limit price.
    pub qty: Qty,
    pub tif: Tif,
    /// From when on nothing of it rests any more; there for [`Tif::Gtd`], and for no other.
    pub expires: Option<Expiry>,
    /// Whether the venue rejects it rather than let it trade at once.
    pub post_only: bool,
    pub purpose: Purpose,
}

impl Order {
    /// Whether it spends a sum of dollars instead of buying a number of contracts. Where the book is cheaper than its
    /// price it brings more contracts than `qty`, for the same money.
    pub const fn spends(&self) -> bool {
        matches!(self.venue.rules().purchases, Purchases::ByMoney)
            && matches!(self.action, Action::Buy)
            && !self.tif.may_rest()
    }

    /// Whether what does not fill at once is wanted on the book: told by its purpose and its time in force.
    pub const fn wants_to_rest(&self) -> bool {
        self.purpose.rests() && self.tif.may_rest()
    }

    /// Whether it has an expiry if, and only if, its time in force asks for one.
    pub const fn has_fitting_expiry(&self) -> bool {
        matches!(self.tif, Tif::Gtd) == self.expires.is_some()
    }

    /// Its side and price on the YES book.
    pub const fn on_book(&self) -> (Side, Price) {
        (Side::of(self.outcome, self.action), self.outcome.price_from_yes(self.price))
    }
}

enum_table! {
    /// How long an order lives.
    pub enum Tif {
        /// Rests until it is cancelled.
        Gtc = 0, "gtc";
        /// Fills what it can at once, and the rest is cancelled. Polymarket calls it FAK.
        Ioc = 1, "ioc";
        /// Fills in full at once or not at all.
        Fok = 2, "fok";
        /// Rests until it is cancelled or its expiry comes.
        Gtd = 3, "gtd";
    }
}

/// A whole second since 1970-01-01, from 1 to 2³² − 1: from then on an order rests no more. Both venues count expiries in
/// seconds (`kalshi.md` §3.2, `polymarket.md` §3.8, 2026-11-20).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Expiry(NonZeroU32);

impl Expiry {
    /// The second that `time` lies in; `None` before the first second of 1970 has passed and after the year 2106.
    pub fn at(time: Nanos) -> Option<Self> {
        let secs = u32::try_from(time.get() / 1_000_000_000).ok()?;
        NonZeroU32::new(secs).map(Self)
    }

    /// Seconds since 1970-01-01.
    pub fn secs(self) -> u64 {
        self.0.get().into()
    }

    /// The same as a time.
    pub fn time(self) -> Nanos {
        Nanos::from_secs(self.secs())
    }
}

impl Pack for Expiry {
    fn pack<W: PackSink>(&self, to: &mut W) {
        self.0.get().pack(to);
    }
    fn unpack<S: PackSource>(from: &mut S) -> Option<Self> {
        NonZeroU32::new(u32::unpack(from)?).map(Self)
    }
}

pack_fields! {
    Order {
        id, epoch, decided, group, market, venue, outcome, action, price, qty, tif, expires,
        post_only, purpose,
    }
}

impl Tif {
    /// Whether what does not fill at once stays on the book.
    pub const fn may_rest(self) -> bool {
        match self {
            Self::Gtc | Self::Gtd => true,
            Self::Ioc | Self::Fok => false,
        }
    }
}
