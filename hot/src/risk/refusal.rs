//! Why the gate refuses an order.

/// Why the gate refused. One row of the risk table each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Refusal {
    /// Halted.
    Halted = 0,
    /// The market closes within moments.
    Closing = 1,
    /// Stopping: nothing new.
    Stopping = 2,
    /// The venue and we do not agree yet.
    Unreconciled = 3,
    /// The book is stale, gapped, crossed or absent.
    Stale = 4,
    /// The market is not open.
    NotOpen = 5,
    /// The price is off the grid or at its edge.
    OffGrid = 6,
    /// Below the venue's minimum.
    MinSize = 7,
    /// Too many contracts in one order.
    OrderQty = 8,
    /// Too many dollars in one order.
    OrderNotional = 9,
    /// More than its share of free cash.
    Cash = 10,
    /// Too many contracts of one outcome.
    Position = 11,
    /// Too many dollars in one market.
    ExposureMarket = 12,
    /// Too many dollars in one cluster.
    ExposureCluster = 13,
    /// Too many dollars at one venue.
    ExposureVenue = 14,
    /// Too many dollars in all.
    ExposureTotal = 15,
    /// Too many positions at once.
    Positions = 16,
    /// The day's loss limit is reached, or it is zero.
    DailyLoss = 17,
    /// Too many orders this minute.
    Rate = 18,
    /// The same order within a second.
    Duplicate = 19,
    /// It would cross an order of our own.
    OwnCross = 20,
    /// A reducing order that would not reduce.
    NotReducing = 21,
    /// No room in a table.
    Full = 22,
    /// The link to the venue is down.
    LinkDown = 23,
    /// The venue's market data is older than [`DATA_AGE_MAX`](crate::bounds::DATA_AGE_MAX), or may be.
    OldData = 24,
    /// Something about the market was not understood.
    Quarantined = 25,
}
