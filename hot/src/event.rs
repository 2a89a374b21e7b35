//! Everything that can happen to the core: one closed set, one cache line each.

mod books;

use crate::basket::BasketDef;
use crate::book::{Level, StaleWhy};
use crate::grid::Grid;
use crate::ids::{MarketId, OrderRef, Side, Venue, VenueKey};
use crate::market::{MarketDef, MarketStatus};
use crate::order::Order;
use crate::pack::{enum_table, pack_variants};
use crate::report::Report;
use crate::risk::{HaltWhy, LimitRow};
use crate::units::{Nanos, Price, Qty, Usd};

/// One input of the core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A fresh snapshot begins: the book is emptied; levels follow, then [`Event::SnapshotEnd`].
    SnapshotBegin {
        /// Whose book.
        market: MarketId,
        /// The venue's time of it, or zero.
        venue_time: Nanos,
    },
    /// The snapshot is whole: the book is good from here.
    SnapshotEnd {
        /// Whose book.
        market: MarketId,
    },
    /// One level of the YES book.
    Level(Level),
    /// What a level of the YES book must now hold, told through the other outcome: a check, never a change.
    Mirror {
        /// Whose book.
        market: MarketId,
        /// Which side of it.
        side: Side,
        /// Price of YES.
        price: Price,
        /// Contracts that should rest there.
        qty: Qty,
    },
    /// The venue's own best prices of YES after the frame: a check, never a change.
    Top {
        /// Whose book.
        market: MarketId,
        /// Best bid, `None` where there is none.
        bid: Option<Price>,
        /// Best ask, `None` where there is none.
        ask: Option<Price>,
        /// Whether this is the last event of its frame: decisions are taken only then.
        last: bool,
    },
    /// A public trade, in YES terms.
    Trade {
        /// Where.
        market: MarketId,
        /// Price of YES.
        price: Price,
        /// Contracts.
        qty: Qty,
        /// Which side the taker was on.
        taker: Side,
    },
    /// The book may have missed something: nothing is opened from it until a fresh snapshot.
    Stale {
        /// Whose book.
        market: MarketId,
        /// Why.
        why: StaleWhy,
    },
    /// All books of a venue may have missed something.
    StaleAll {
        /// Which venue.
        venue: Venue,
        /// Why.
        why: StaleWhy,
    },
    /// The grid changed: the book is dropped, a snapshot awaited.
    GridChange {
        /// Whose.
        market: MarketId,
        /// The new grid.
        grid: Grid,
    },
    /// The market moved on in its life.
    Status {
        /// Which market.
        market: MarketId,
        /// Where it stands now.
        status: MarketStatus,
    },
    /// The result is final and paid.
    Settled {
        /// Which market.
        market: MarketId,
        /// What one YES pays; NO pays the complement.
        yes_pays: Price,
    },
    /// A link came up or went down.
    Link {
        /// To which venue.
        venue: Venue,
        /// Which one.
        link: Link,
        /// Whether it works.
        up: bool,
    },
    /// What happened to an order.
    Report(Report),
    /// A market's terms.
    Market(MarketDef),
    /// One leg of a basket definition; the basket exists when its last leg is in.
    Basket(BasketDef),
    /// From the operator, reconciliation or the shell.
    Control(Control),
    /// Time passed.
    Timer,
    /// An order of ours that left although no earlier event caused it: the journal lost its end in a crash, the
    /// wire log did not. Group and purpose are the core's to fill in.
    Adopt(Order),
    /// Everything that a venue's market stream had sent by a moment of our clock has been handed in: its books are
    /// as old as that moment, however lately the frames were read. Comes some twenty times a second and stays away
    /// while frames wait in the socket.
    Current {
        /// Which venue.
        venue: Venue,
        /// Up to when.
        upto: Nanos,
    },
    /// The thread that feeds the core stood still: the process was stopped, the host gave its time to others, or the
    /// clock stepped.
    Stall {
        /// For how long.
        span: Nanos,
    },
    /// A message was not understood, or not in full.
    Odd {
        /// Whose message.
        venue: Venue,
        /// The market it speaks of, where that much is known.
        market: Option<MarketId>,
        /// What is odd about it.
        what: Oddity,
    },
}

const _: () = assert!(size_of::<Event>() <= 64, "an event is one cache line");

impl Event {
    /// The market whose book, status or terms it tells of.
    pub fn market(&self) -> Option<MarketId> {
        match *self {
            Self::SnapshotBegin { market, .. }
            | Self::SnapshotEnd { market }
            | Self::Level(Level { market, .. })
            | Self::Mirror { market, .. }
            | Self::Top { market, .. }
            | Self::Trade { market, .. }
            | Self::Stale { market, .. }
            | Self::GridChange { market, .. }
            | Self::Status { market, .. }
            | Self::Settled { market, .. }
            | Self::Market(MarketDef { market, .. }) => Some(market),
            Self::StaleAll { .. }
            | Self::Link { .. }
            | Self::Report(_)
            | Self::Basket(_)
            | Self::Control(_)
            | Self::Timer
            | Self::Adopt(_)
            | Self::Current { .. }
            | Self::Stall { .. }
            | Self::Odd { .. } => None,
        }
    }
}

enum_table! {
    /// What is odd about a message, by what it may cost. Each venue's table (`venue/*/odd.rs`) says which messages may be
    /// odd in which way.
    pub enum Oddity {
        /// A message about a book has a field missing, of another name or off its grid: the book is fetched anew. Again and
        /// again in one market, nothing is opened there until its book has been whole for a while.
        Shape = 0, "shape";
        /// A word about a market whose meaning is not known here: nothing is opened there until a person has looked.
        Meaning = 1, "meaning";
        /// A message about our own orders or fills could not be read in full: the venue's history is read, and nothing is
        /// opened before it agrees.
        Money = 2, "money";
        /// A message about our own money is finer than our units: it was booked, rounded against us.
        Rounded = 3, "rounded";
        /// A message about a book names its fields otherwise: nothing is opened in the market until its book has been whole
        /// for a while.
        Schema = 4, "schema";
    }
}

enum_table! {
    /// Which link of a venue.
    pub enum Link {
        /// Market data.
        Market = 0, "market";
        /// Our own orders and fills.
        Private = 1, "private";
        /// The order path.
        Orders = 2, "orders";
    }
}

/// From the operator, reconciliation or the shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// A run begins; whatever was in flight is now unknown and every book stale.
    Start {
        /// The halt epoch of this run.
        epoch: u64,
        /// The first order id of this run: above every id ever used.
        first_order: u64,
    },
    /// Stop opening, cancel everything; stays until resumed.
    Halt {
        /// The new epoch.
        epoch: u64,
        /// Why.
        why: HaltWhy,
    },
    /// The operator lifted the halt.
    Resume {
        /// The new epoch.
        epoch: u64,
    },
    /// The run is ending: no new orders, cancel what rests.
    Stop,
    /// Cash at a venue's shard, from a consistent, repeated read.
    Cash {
        /// Which venue.
        venue: Venue,
        /// Which shard; 0 on Polymarket.
        shard: u8,
        /// Cash, reservations of resting orders included.
        cash: Usd,
    },
    /// A position at the venue, from a consistent, repeated read.
    Position {
        /// Which market.
        market: MarketId,
        /// YES held.
        yes: Qty,
        /// NO held.
        no: Qty,
    },
    /// The end of a reading. Nothing is opened before both venues have been read whole without a difference.
    Reconciled {
        /// Which venue.
        venue: Venue,
        /// Whether it could be read; what differs, the core has seen by itself.
        clean: bool,
    },
    /// One limit, by its row; may only tighten while running.
    Limit {
        /// Which row.
        row: LimitRow,
        /// Its value in the row's own unit: contracts in 1e-6, dollars in 1e-6, counts as they are.
        value: u64,
    },
    /// A new trading day begins.
    Day {
        /// Days since 1970-01-01 in the configured zone.
        day: u32,
    },
    /// A reading begins: cash, positions and agreement told next were read since then, while orders may have filled.
    Reading {
        /// Which venue.
        venue: Venue,
        /// When the first question left, on the clock of the core's events.
        since: Nanos,
    },
    /// An order rests at the venue, of this reading. One that no record of ours explains is named and left alone.
    Open {
        /// Which venue.
        venue: Venue,
        /// In which market, where we follow it.
        market: Option<MarketId>,
        /// By our name where it bears one.
        order: OrderRef,
        /// By the venue's.
        key: VenueKey,
    },
    /// Whether new baskets with a leg at this venue are held back because something there is in trouble. Baskets that
    /// are open already are finished; a new run begins with nothing held.
    Hold {
        /// Which venue.
        venue: Venue,
        /// Whether they are held back from now on.
        held: bool,
    },
    /// What the venue's own trades in a market add up to, of this reading: told where its list says that contracts are
    /// gone which are held here.
    History {
        /// Which market.
        market: MarketId,
        /// YES bought and not sold.
        yes: Qty,
        /// NO bought and not sold.
        no: Qty,
    },
    /// A person has looked at a quarantined market: it may be opened in again.
    Release {
        /// The market that this is about.
        market: MarketId,
    },
}

pack_variants! {
    Event {
        0 = SnapshotBegin { market, venue_time },
        1 = SnapshotEnd { market },
        2 = Level(level),
        3 = Mirror { market, side, price, qty },
        4 = Top { market, bid, ask, last },
        5 = Trade { market, price, qty, taker },
        6 = Stale { market, why },
        7 = StaleAll { venue, why },
        8 = GridChange { market, grid },
        9 = Status { market, status },
        10 = Settled { market, yes_pays },
        11 = Link { venue, link, up },
        12 = Report(report),
        13 = Market(def),
        14 = Basket(def),
        15 = Control(control),
        16 = Timer,
        17 = Adopt(order),
        18 = Current { venue, upto },
        19 = Stall { span },
        20 = Odd { venue, market, what },
    }
    Control {
        0 = Start { epoch, first_order },
        1 = Halt { epoch, why },
        2 = Resume { epoch },
        3 = Stop,
        4 = Cash { venue, shard, cash },
        5 = Position { market, yes, no },
        6 = Reconciled { venue, clean },
        7 = Limit { row, value },
        8 = Day { day },
        9 = Reading { venue, since },
        10 = Open { venue, market, order, key },
        11 = Hold { venue, held },
        12 = History { market, yes, no },
        13 = Release { market },
    }
}
