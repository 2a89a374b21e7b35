//! What a person must know of each refusal of the gate: whom it stops, why, and how it ends.

use surefoot_hot::risk::Refusal;

/// The words about one refusal.
#[derive(Clone, Copy, Debug)]
pub struct RefusalWords {
    /// Which orders it stops.
    pub stops: Stops,
    /// Why they are refused.
    pub why: &'static str,
    /// How that ends.
    pub ends: &'static str,
}

/// Which orders a refusal stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stops {
    /// All of them, hedges and sales too.
    All,
    /// All but sales.
    AllButSales,
    /// The first leg of a basket, and quotes.
    Opening,
    /// Orders that are to rest and make a market; baskets are bought all the same.
    Quotes,
}

impl Stops {
    /// For a table.
    pub const fn text(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::AllButSales => "all but sales",
            Self::Opening => "what opens",
            Self::Quotes => "quotes",
        }
    }
}

macro_rules! refusal_words {
    ($($refusal:ident $stops:ident, $why:literal, $ends:literal;)*) => {
        /// The words about a refusal.
        pub const fn of_refusal(refusal: Refusal) -> RefusalWords {
            match refusal {
                $(Refusal::$refusal => RefusalWords { stops: Stops::$stops, why: $why, ends: $ends },)*
            }
        }
    };
}

refusal_words! {
    Halted AllButSales, "trading is halted, or not every limit has been told", "`surefoot resume --reason …`, after the cause is gone";
    Closing Opening, "the market's stated close is near", "never: the market closes";
    Stopping Opening, "the run is ending", "with the next start";
    Unreconciled Opening, "our figures and a venue's do not agree, or have not been compared yet", "with two whole readings that agree or \
        show the same difference; look at the venue's page where it lasts";
    Stale Opening, "the book may not be decided from", "with a fresh snapshot, by itself";
    NotOpen All, "the market is paused, closed, proposed or resolved; one that is only observed (not open yet, not listed at the start, or with orders held back by its venue) still takes hedges, top-ups and sales", "when the venue opens it";
    OffGrid All, "the price is off the market's grid or at its edge", "by itself: the next order is priced on the grid";
    MinSize All, "it is smaller than the venue takes", "by itself, with a larger order; a leftover is topped up";
    OrderQty Opening, "too many contracts in one order", "by itself, with a smaller order";
    OrderNotional Opening, "too many dollars in one order", "by itself, with a smaller order";
    Cash AllButSales, "more than its share of the cash that is free at the venue; a hedge may take all of it", "with cash: a sale, a settlement, \
        money paid in";
    Position Opening, "too many contracts of one outcome, or too many dollars in one position",
        "when contracts are sold or paid, or with a smaller order";
    ExposureMarket Opening, "too many dollars in one market", "when contracts there are sold or paid";
    ExposureCluster Opening, "too many dollars in markets that depend on each other", "when contracts there are sold or paid";
    ExposureVenue Opening, "too many dollars at one venue", "when contracts there are sold or paid";
    ExposureTotal Opening, "too many dollars in all", "when contracts are sold or paid";
    Positions Opening, "something is at risk in too many events at once", "when all of one is sold or paid";
    DailyLoss Opening, "the day's loss has reached its limit, or the limit is 0 (observe only)", "`resume`, once the day is over or the loss smaller";
    Rate Opening, "too many orders this minute, in all or in the market", "by itself, within a minute";
    Duplicate Opening, "the same order was sent within `limits.duplicate_ms`", "by itself, after that time";
    OwnCross All, "it would trade with an order of our own", "when that order is over";
    NotReducing All, "a sale of more than is held and free, or a purchase that is to reduce", "by itself: groups sell what is there";
    Full All, "no room in the table of orders", "when orders end; it is far larger than the limits let it fill";
    LinkDown Opening, "the order path or the private stream of the venue is down", "by itself, once they are back";
    OldData Opening, "the venue's market data is older than 250 ms, or may be", "by itself, once its sockets have been read empty";
    Quarantined Opening, "something about the market was not understood", "as its cause says: itself, or `surefoot release`";
    Expiry All, "an expiry that does not fit the time in force, or comes too soon for the venue", "by itself: the next order has another";
    NotResting All, "a change of an order that does not rest, is being changed or cancelled, or is a group's own", "by itself, when that is over; a group changes what it sends by itself";
    Withdrawn Opening, "the market is to be followed no more", "`surefoot follow`";
    Collar Opening, "the price is much worse than elsewhere, or there is none to hold it against", "by itself, with a better price";
    NoClose Quotes, "nobody has said when the market closes: they could rest beyond that, and are cancelled", "with metadata that has a close";
    ClockOff Opening, "our clock is off the system's", "by itself, once both agree again";
    QuoteCooldown Quotes, "an order in the market was just rejected", "by itself, after `limits.quote_cooldown_ms`";
    MarketPaused Opening, "purchase after purchase was rejected in the market", "after 5 minutes, doubled with each further pause within a day";
    RejectStorm Quotes, "too many orders were rejected in the last minute, at all venues together", "by itself, once the minute has fewer";
    Disabled Opening, "orders of its kind repeated themselves", "`surefoot resume --reason …`";
    Slow Opening, "what is read takes too long to reach the core", "by itself, some minutes after the machine is quick again";
    Breaker Opening, "requests to the venue failed again and again", "by itself, after `times.breaker_ms`";
    Tokens Opening, "the executor has fewer rate tokens than an order and the reserve for cancels, hedges and sales need, or the venue has said \
        how long to wait", "by itself, as tokens come back";
    OldTerms Opening, "the market's terms were read too long ago", "with the next reading of the terms";
    EquityFloor Opening, "the account is worth no more than its floor", "when it is worth more, and `resume`";
    Drawdown Opening, "the account is too far below its peak", "`resume`, which begins the peak anew";
    PositionShare Opening, "too large a share of the account in one position",
        "when contracts are sold or paid, equity grows, or with a smaller order";
    Category Opening, "too large a share of the account in one category", "when contracts of it are sold or paid, or equity grows";
    ExposureTheme Opening, "too many dollars in one theme", "when contracts of it are sold or paid";
    StrategyLoss Opening, "what the strategy lost today has reached its limit", "`resume`, once the day is over or the loss smaller";
    Shock Opening, "the plan could lose too much of what is left above the equity floor", "by itself as equity grows, or with a smaller plan";
    ClusterOutcome Opening, "markets that depend on each other could lose too much together", "when what stands alone is completed, sold or paid";
    VenueMode All, "the venue takes no such order at the moment: it restarts (425), is in maintenance, or takes cancels alone; where it \
        takes orders that only rest, those pass", "when the venue says so or takes an order, by itself: what is to be sold goes first";
}
