//! What the gate may look at beside an order, its market's terms and the limits: the account as a whole, the venue, and what
//! others have paid.

use crate::basket::{BasketKind, Baskets};
use crate::book::{Book, Books};
use crate::ids::{MarketId, Outcome};
use crate::pack::pack_fields;
use crate::risk::{Account, EquityLimits, Limits};
use crate::units::{Nanos, Price, Qty, Usd};
use crate::venue_mode::VenueMode;

/// The whole of it. A further thing to look at is a field here, which `core/place.rs` fills: tests and benches take the rest
/// from the default. What has to be looked up is looked up where a row asks for it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context<'a> {
    pub account: Account,
    /// How the order's market is.
    pub market: MarketCondition,
    /// The limits that follow what the account is worth.
    pub equity_limits: EquityLimits,
    /// Today's result of the strategy that the order is of.
    pub strategy_result: Usd,
    /// The last public trade in the order's market; `None` before the first.
    pub last_trade: Option<LastTrade>,
    /// How the order's venue is.
    pub venue: VenueCondition,
    /// Where the same question is traded at the other venue. `None` in tests and benches alone.
    pub other_venue: Option<OtherVenue<'a>>,
    /// By how much our clock was off the system's when they were last compared, at most.
    pub clock_error: Nanos,
    /// How long what is read from the sockets takes to reach the core, in 99 of 100 cases; `None` before enough was read.
    pub own_latency: Option<Nanos>,
    /// Orders that venues rejected in the last minute, kills aside.
    pub rejects: u64,
    /// Whether what sends orders of this kind is disabled, because it repeated itself.
    pub disabled: bool,
}

/// How a market is at this moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MarketCondition {
    /// What YES is bid for and offered at in its own book.
    pub best: BestPrices,
    /// How long ago its terms were read.
    pub terms_age: Nanos,
    /// Until when nothing is opened there, because purchase after purchase was rejected; zero if it never was so.
    pub paused_until: Nanos,
    /// When an order there was last rejected, kills aside; `None` if none ever was.
    pub rejected: Option<Nanos>,
}

impl Context<'_> {
    /// Of an account that is worth so much and never was worth more; nothing else is known.
    pub fn funded(equity: Usd, limits: &Limits) -> Self {
        let account = Account { equity, peak: equity };
        Self { account, equity_limits: EquityLimits::of(limits, account), ..Self::default() }
    }
}

/// The market of an order, as the way to the one that asks the same question at another venue.
#[derive(Clone, Copy, Debug)]
pub struct OtherVenue<'a> {
    pub books: &'a Books,
    pub baskets: &'a Baskets,
    /// The order's own market.
    pub market: MarketId,
}

/// What YES of a market is bid for and offered at. `None` where nobody bids or offers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BestPrices {
    pub bid: Option<Price>,
    pub ask: Option<Price>,
}

impl<'a> OtherVenue<'a> {
    /// The book there, of the first pair that the market is in and of which the other book may be decided from; and the outcome of
    /// it that asks what YES asks here. `None` where there is none.
    #[inline(always)] // into what holds a price against it
    pub fn book(&self) -> Option<(&'a Book, Outcome)> {
        self.baskets.with_leg_in(self.market).find_map(|(basket, ours)| {
            if basket.kind() != BasketKind::CrossVenue || basket.is_withdrawn() {
                return None;
            }
            let other = basket.legs().iter().find(|leg| leg.market != self.market)?;
            let book = self.books.get(other.market).filter(|book| book.is_good())?;
            // One leg of a pair pays where the other does not.
            Some((book, if other.outcome == ours { Outcome::No } else { Outcome::Yes }))
        })
    }

    /// The best prices there; `None` where there is no such book.
    pub fn best(&self) -> Option<BestPrices> {
        let (book, as_yes) = self.book()?;
        let price = |best: Option<(Price, Qty)>| best.map(|(price, _)| price);
        let (bid, ask) = (book.best_bid_for(as_yes), book.best_ask_for(as_yes));
        Some(BestPrices { bid: price(bid), ask: price(ask) })
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
    /// How long it takes to acknowledge an order, from when the executor was handed it: a moving average. `None` before the
    /// first one of the run.
    pub latency: Option<Nanos>,
    /// Whether its executor's breaker is open after failures in a row.
    pub breaker_open: bool,
    /// Whether its executor has too few rate tokens for an order that opens something: what is left is for cancels, hedges and
    /// sales.
    pub tokens_short: bool,
    /// What the venue takes, in the order's shard.
    pub mode: VenueMode,
}

pack_fields! {
    LastTrade { price, at }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::risk::LimitRow;

    #[test]
    fn a_funded_account_has_never_been_worth_more_and_has_the_shares_of_that() {
        let mut limits = Limits::unset();
        for row in LimitRow::ALL {
            limits.set(row, row.def().default, false);
        }
        let equity = Usd::from_dollars(20_000);
        let account = Account { equity, peak: equity };
        let context = Context::funded(equity, &limits);
        assert_eq!(context.account, account);
        assert_eq!(context.equity_limits, EquityLimits::of(&limits, account));
        assert_eq!(context.equity_limits.category, Usd::from_dollars(6_000));
    }
}
