//! What the core tells the cold side for the record: nothing acts on a note.

use crate::ids::{BasketId, GroupId, MarketId, OrderId, Outcome};
use crate::intent::Purpose;
use crate::units::{Price, Qty, Usd};

/// One line of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// A basket looked worth it; taken or not, and why not.
    Opportunity {
        /// Which basket.
        basket: BasketId,
        /// How many units.
        units: Qty,
        /// Profit per unit after fees, in $0.0001, at the margin.
        edge: i32,
        /// Profit of the whole after fees.
        profit: Usd,
        /// What was made of it.
        verdict: Verdict,
    },
    /// A group moved.
    Group {
        /// Which group.
        group: GroupId,
        /// Of which basket.
        basket: BasketId,
        /// Where it stands now.
        state: GroupState,
        /// Units planned.
        units: Qty,
        /// Profit promised when it was planned.
        promised: Usd,
        /// Realised loss or gain when it ends unwound.
        result: Usd,
        /// Nanoseconds spent on one leg so far.
        one_leg_ns: u64,
    },
    /// An order moved.
    Order {
        /// Which order.
        order: OrderId,
        /// Its state now.
        state: OrderState,
        /// Filled so far.
        filled: Qty,
        /// The reservation that remains.
        reserved: Usd,
    },
    /// A fill was booked.
    Booked {
        /// Which order.
        order: OrderId,
        /// Where.
        market: MarketId,
        /// Of which outcome.
        outcome: Outcome,
        /// Price of that outcome.
        price: Price,
        /// Contracts.
        qty: Qty,
        /// What it cost in fees.
        fee: Usd,
        /// Whether we took.
        taker: bool,
        /// Whether it undoes an earlier booking that failed.
        undone: bool,
    },
    /// A position changed.
    Position {
        /// Where.
        market: MarketId,
        /// YES held.
        yes: Qty,
        /// NO held.
        no: Qty,
        /// What they cost.
        cost: Usd,
        /// Realised so far in this market, fees included.
        realised: Usd,
    },
    /// An order was refused by the gate.
    Refused {
        /// In which market.
        market: MarketId,
        /// For which group.
        group: GroupId,
        /// Why.
        why: Refusal,
    },
    /// Trading halted or resumed.
    Halt {
        /// Whether it is halted now.
        halted: bool,
        /// Why, as `HaltWhy`'s number.
        why: u8,
        /// The epoch from here on.
        epoch: u64,
    },
    /// Something that must not be came in and was contained.
    Alarm {
        /// What.
        what: Alarm,
        /// Where, or `u16::MAX`.
        market: u16,
        /// About which order, or zero.
        order: u64,
    },
    /// An order that the journal had lost was taken in again.
    Adopted {
        /// Which order.
        order: OrderId,
        /// Into which group.
        group: GroupId,
        /// What it is for there.
        purpose: Purpose,
    },
}

const _: () = assert!(size_of::<Note>() <= 64, "a note is one cache line");

/// What was made of an opportunity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Verdict {
    /// Orders are on the way.
    Taken = 0,
    /// Too little profit in all, or under a venue's minimum, once rounded.
    TooSmall = 1,
    /// Just shot, or still in flight. Nothing gives this verdict: such a basket is not looked at. Its number is kept for the
    /// journals that are there.
    Cooldown = 2,
    /// Too good to be true: bad data.
    Absurd = 3,
    /// The gate said no.
    Refused = 4,
    /// Not worth the risk of standing on one leg.
    LegRisk = 5,
    /// Halted, stopping, or not reconciled.
    Closed = 6,
    /// No room for another group.
    Full = 7,
}

impl Verdict {
    /// The name used in output and in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::TooSmall => "too_small",
            Self::Cooldown => "cooldown",
            Self::Absurd => "absurd",
            Self::Refused => "refused",
            Self::LegRisk => "leg_risk",
            Self::Closed => "closed",
            Self::Full => "full",
        }
    }
}

/// Where a group stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum GroupState {
    /// Decided, nothing reserved. No group is seen in this state, nor in the next: planning and reserving are one event,
    /// and a group that cannot reserve never exists. Their numbers stay taken, so that nothing else gets them.
    Planned = 0,
    /// Every leg passes the gate and holds its cash; see [`GroupState::Planned`].
    Reserving = 1,
    /// Legs are on the way.
    Working = 2,
    /// Every leg is held in equal number.
    Hedged = 3,
    /// A leg found no partner: being sold.
    Unwinding = 4,
    /// Nothing is held.
    Flat = 5,
    /// Needs a person.
    Operator = 6,
}

impl GroupState {
    /// Whether it has ended.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Hedged | Self::Flat | Self::Operator)
    }

    /// The name used in output and in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Reserving => "reserving",
            Self::Working => "working",
            Self::Hedged => "hedged",
            Self::Unwinding => "unwinding",
            Self::Flat => "flat",
            Self::Operator => "operator",
        }
    }
}

/// Where an order stands, as the core sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum OrderState {
    /// Approved and reserved, handed to the executor.
    Pending = 0,
    /// On the venue's book.
    Resting = 1,
    /// Nobody can say whether the venue has it; the reservation stays.
    Unknown = 2,
    /// A cancel is on the way; it still counts.
    Cancelling = 3,
    /// Over; only a late fill can still move it.
    Done = 4,
}

impl OrderState {
    /// The name used in output and in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Resting => "resting",
            Self::Unknown => "unknown",
            Self::Cancelling => "cancelling",
            Self::Done => "done",
        }
    }
}

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
    /// The venue's market data is older than [`DATA_AGE_MAX`](crate::limits::DATA_AGE_MAX), or may be.
    OldData = 24,
    /// Something about the market was not understood.
    Quarantined = 25,
}

/// Something that must not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Alarm {
    /// An order filled beyond its quantity.
    Overfill = 0,
    /// A fill at a price worse than the order's limit.
    WorseFill = 1,
    /// A fill of an order we do not know.
    ForeignFill = 2,
    /// A fill after the order was done.
    LateFill = 3,
    /// A fill that failed after it was booked.
    FailedFill = 4,
    /// A charged fee differs from the rule's by more than a unit.
    FeeDrift = 5,
    /// The venue's cash differs from ours.
    CashDrift = 6,
    /// The venue's position differs from ours.
    PositionDrift = 7,
    /// A step that the order's state table does not have.
    IllegalStep = 8,
    /// An order of a name we do not know.
    ForeignOrder = 9,
    /// A group is stuck.
    GroupStuck = 10,
    /// A basket definition that cannot be.
    BadBasket = 11,
    /// A venue's figures differ from ours, cannot be read, or were read too long ago: nothing is opened.
    Unreconciled = 12,
    /// A venue says that cash or contracts are gone, and its own history does not explain it: not believed.
    Gone = 13,
    /// Contracts are held that neither a complete basket nor a group explains.
    Unpaired = 14,
    /// Order after order is refused, at a venue or in a market: nothing new is begun there for a while.
    OrdersRefused = 15,
    /// The thread that trades stood still.
    Stalled = 16,
    /// A market was quarantined: nothing is opened there.
    Quarantined = 17,
    /// A message about our own orders or fills could not be read in full.
    UnreadMoney = 18,
    /// A venue told of our money more finely than our units: it was rounded against us.
    RoundedMoney = 19,
}
