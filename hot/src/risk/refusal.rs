//! Why the gate refuses an order.

use crate::pack::enum_table;

enum_table! {
    /// Why the gate refused. One row of the risk table each.
    pub enum Refusal {
        /// Trading is halted.
        Halted = 0, "halted";
        /// The market closes within moments.
        Closing = 1, "closing";
        /// The run is ending: nothing new is begun.
        Stopping = 2, "stopping";
        /// Our figures and the venues' do not agree yet.
        Unreconciled = 3, "unreconciled";
        /// The book is stale, gapped, crossed or absent.
        Stale = 4, "stale";
        /// The market is not open.
        NotOpen = 5, "not_open";
        /// The price is off the grid or at its edge.
        OffGrid = 6, "off_grid";
        /// Below the venue's minimum.
        MinSize = 7, "min_size";
        /// Too many contracts in one order.
        OrderQty = 8, "order_qty";
        /// Too many dollars in one order.
        OrderNotional = 9, "order_notional";
        /// More than its share of free cash.
        Cash = 10, "cash";
        /// Too many contracts of one outcome.
        Position = 11, "position";
        /// Too many dollars in one market.
        ExposureMarket = 12, "exposure_market";
        /// Too many dollars in one cluster.
        ExposureCluster = 13, "exposure_cluster";
        /// Too many dollars at one venue.
        ExposureVenue = 14, "exposure_venue";
        /// Too many dollars in all.
        ExposureTotal = 15, "exposure_total";
        /// Something is at risk in too many events at once.
        Positions = 16, "positions";
        /// The day's loss limit is reached, or it is zero.
        DailyLoss = 17, "daily_loss";
        /// Too many orders this minute.
        Rate = 18, "rate";
        /// The same order within a second.
        Duplicate = 19, "duplicate";
        /// It would cross an order of our own.
        OwnCross = 20, "own_cross";
        /// A reducing order that would not reduce.
        NotReducing = 21, "not_reducing";
        /// No room in a table.
        Full = 22, "full";
        /// The link to the venue is down.
        LinkDown = 23, "link_down";
        /// The venue's market data is older than [`DATA_AGE_MAX`](crate::bounds::DATA_AGE_MAX), or may be.
        OldData = 24, "old_data";
        /// Something about the market was not understood.
        Quarantined = 25, "quarantined";
        /// An expiry that does not fit the order's time in force, or that the venue would not take: too soon.
        Expiry = 26, "expiry";
        /// A change of an order that does not rest, is not to rest, or is being changed or cancelled already.
        NotResting = 27, "not_resting";
        /// The market is to be followed no more.
        Withdrawn = 28, "withdrawn";
        /// The price is much worse than elsewhere, or there is no price to hold it against.
        Collar = 29, "collar";
        /// Nobody has said when the market closes: it is not quoted in.
        NoClose = 30, "no_close";
        /// Our clock is off the system's.
        ClockOff = 31, "clock_off";
        /// The venue has just rejected an order in the market: it is not quoted in for a while.
        QuoteCooldown = 32, "quote_cooldown";
        /// Purchase after purchase was rejected in the market: nothing is opened there for a while.
        MarketPaused = 33, "market_paused";
        /// Too many orders were rejected in the last minute: nothing is quoted anywhere.
        RejectStorm = 34, "reject_storm";
        /// What sends such orders is disabled, because it repeated itself.
        Disabled = 35, "disabled";
        /// What is read takes too long to reach the core.
        Slow = 36, "slow";
        /// Requests to the venue failed again and again.
        Breaker = 37, "breaker";
        /// Too few rate tokens are left at the venue.
        Tokens = 38, "tokens";
        /// The market's terms were read too long ago.
        OldTerms = 39, "old_terms";
        /// The account is worth no more than the equity floor.
        EquityFloor = 40, "equity_floor";
        /// The account is too far below the most that it ever was worth.
        Drawdown = 41, "drawdown";
        /// Too large a share of the account in one position.
        PositionShare = 42, "position_share";
        /// Too large a share of the account in one category.
        Category = 43, "category";
        /// Too many dollars in one theme.
        ExposureTheme = 44, "exposure_theme";
        /// The strategy's loss limit for the day is reached.
        StrategyLoss = 45, "strategy_loss";
        /// The plan could lose too much of what is left above the equity floor.
        Shock = 46, "shock";
        /// Markets that depend on each other could lose too much together.
        ClusterOutcome = 47, "cluster_outcome";
        /// The venue takes no such order at the moment.
        VenueMode = 48, "venue_mode";
    }
}

impl Refusal {
    /// Whether it may be no refusal for fewer contracts: the order would take too much of something that there is only so much of.
    pub const fn is_of_size(self) -> bool {
        match self {
            Self::OrderQty
            | Self::OrderNotional
            | Self::Cash
            | Self::Position
            | Self::ExposureMarket
            | Self::ExposureCluster
            | Self::ExposureVenue
            | Self::ExposureTotal
            | Self::PositionShare
            | Self::Category
            | Self::ExposureTheme
            | Self::Shock
            | Self::ClusterOutcome => true,
            Self::Halted
            | Self::Closing
            | Self::Stopping
            | Self::Unreconciled
            | Self::Stale
            | Self::NotOpen
            | Self::OffGrid
            | Self::MinSize
            | Self::Positions
            | Self::DailyLoss
            | Self::Rate
            | Self::Duplicate
            | Self::OwnCross
            | Self::NotReducing
            | Self::Full
            | Self::LinkDown
            | Self::OldData
            | Self::Quarantined
            | Self::Expiry
            | Self::NotResting
            | Self::Withdrawn
            | Self::Collar
            | Self::NoClose
            | Self::ClockOff
            | Self::QuoteCooldown
            | Self::MarketPaused
            | Self::RejectStorm
            | Self::Disabled
            | Self::Slow
            | Self::Breaker
            | Self::Tokens
            | Self::OldTerms
            | Self::EquityFloor
            | Self::Drawdown
            | Self::StrategyLoss
            | Self::VenueMode => false,
        }
    }
}
