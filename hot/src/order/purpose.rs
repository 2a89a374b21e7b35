//! What an order is for.

use crate::pack::enum_table;
use crate::units::Usd;

enum_table! {
    /// What an order is for: stored with it, and used by the gate to tell opening from reducing.
    pub enum Purpose {
        /// A leg of a basket none of which is held yet: the first one, and each that leaves beside it.
        Leg = 0, "arb_leg";
        /// A later leg: it completes what is already held.
        Hedge = 1, "hedge";
        /// Gets rid of a leg that found no partner.
        Unwind = 2, "unwind";
        /// Closes a position for the operator.
        Exit = 3, "exit";
        /// Buys a few more of what has no partner, because the venue takes no order for so little: all of it is sold next.
        TopUp = 4, "top_up";
        /// Offers to trade at a price of our own choice, and rests until somebody takes it.
        Quote = 5, "quote";
        /// The first sale of contracts that a stop-loss gives up: it rests for a moment near the best price.
        StopLoss = 6, "stop_loss";
    }
}

enum_table! {
    /// The strategy that an order is of: whose result it is.
    pub enum Strategy {
        /// Baskets that cost less than they pay.
        Arbitrage = 0, "arbitrage";
        /// Orders that rest until somebody takes them.
        Quoting = 1, "quoting";
    }
}

/// An amount for each strategy, by its number.
pub type ByStrategy = [Usd; Strategy::ALL.len()];

impl Purpose {
    /// Whether it puts more at risk than is at risk now: a leg that no other one waits for, and a quote. A hedge does not: it
    /// completes what is already held, and without it the group is exposed for longer. Nor does a top-up: what it buys is
    /// sold at once, with what could not be sold without it.
    pub const fn opens(self) -> bool {
        matches!(self, Self::Leg | Self::Quote)
    }

    /// Whether it is sent alone, for no group: nothing else waits for what it gets.
    pub const fn is_alone(self) -> bool {
        matches!(self, Self::Quote | Self::Exit)
    }

    /// Whether what does not fill at once is wanted on the book, until it is withdrawn. Any other order means to take: if it comes to rest, it is
    /// cancelled.
    pub const fn rests(self) -> bool {
        matches!(self, Self::Quote | Self::Exit | Self::StopLoss)
    }

    /// The strategy that orders of this purpose are of.
    pub const fn strategy(self) -> Strategy {
        match self {
            Self::Leg | Self::Hedge | Self::Unwind | Self::TopUp | Self::StopLoss => {
                Strategy::Arbitrage
            }
            Self::Quote | Self::Exit => Strategy::Quoting,
        }
    }

    /// Whether it may only sell what is held.
    pub const fn reduces(self) -> bool {
        matches!(self, Self::Unwind | Self::Exit | Self::StopLoss)
    }

    /// Whether it gets rid of contracts without a partner, or makes that possible.
    pub const fn corrects(self) -> bool {
        matches!(self, Self::Unwind | Self::TopUp | Self::StopLoss)
    }
}
