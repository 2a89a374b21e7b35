//! Everything that can happen to the core: one closed set of events, each within one cache line.

mod books;

use crate::basket::BasketDef;
use crate::book::{Level, StaleWhy};
use crate::fees::FeeChange;
use crate::grid::Grid;
use crate::ids::{Action, BasketId, MarketId, OrderId, OrderRef, Outcome, Side, Venue, VenueKey};
use crate::links::{LinkNumber, LinkSet};
use crate::market::{MarketDef, MarketStatus};
use crate::order::{Expiry, Order};
use crate::pack::{enum_table, pack_fields, pack_variants};
use crate::report::Report;
use crate::risk::{HaltWhy, LimitRow};
use crate::units::{Nanos, Price, Qty, Usd};
use crate::venue_mode::VenueMode;

/// One input of the core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A fresh snapshot begins: the book is emptied; levels follow, then [`Event::SnapshotEnd`].
    SnapshotBegin {
        market: MarketId,
        /// The market link that the snapshot comes over. The book's changes come over it as well: when it is lost, the book is.
        link: LinkNumber,
        /// The venue's own time of the snapshot; zero where it gives none.
        venue_time: Nanos,
    },
    /// The snapshot is complete: from here on the book may be decided from.
    SnapshotEnd { market: MarketId },
    /// One level of the YES book.
    Level(Level),
    /// What a level of the YES book must now hold, derived from what the venue sends for NO. It checks the book and never
    /// changes it.
    Mirror {
        market: MarketId,
        side: Side,
        price: Price,
        /// Contracts that should rest at `price`.
        qty: Qty,
    },
    /// The best prices of YES as the venue states them after a frame. They check the book and never change it.
    Top {
        market: MarketId,
        /// `None` where nobody bids.
        bid: Option<Price>,
        /// `None` where nobody offers.
        ask: Option<Price>,
        /// Whether this is the last event of its frame: decisions are taken only then.
        last: bool,
    },
    /// A public trade. Its price is of YES, whichever outcome was traded.
    Trade {
        market: MarketId,
        price: Price,
        qty: Qty,
        /// The side of the YES book that the taker's order was on.
        taker: Side,
    },
    /// The book may have missed something: nothing is opened from it until a fresh snapshot.
    Stale { market: MarketId, why: StaleWhy },
    /// All books that one of a venue's market links feeds may have missed something.
    StaleAll { venue: Venue, link: LinkNumber, why: StaleWhy },
    /// The price grid changed: the book is emptied and waits for a snapshot.
    GridChange { market: MarketId, grid: Grid },
    /// The market's status changed.
    Status { market: MarketId, status: MarketStatus },
    /// The market's result is final.
    Settled {
        market: MarketId,
        /// What one YES contract pays, from $0 to $1; one NO contract pays the rest of the dollar.
        yes_pays: Price,
    },
    /// A connection to a venue came up or went down.
    Link {
        venue: Venue,
        link: Link,
        /// Which of the market links; 0 for the others.
        number: LinkNumber,
        up: bool,
    },
    /// What happened to an order.
    Report(Report),
    /// The terms of a market, at start and whenever one of them changes.
    Market(MarketDef),
    /// One leg of a basket definition; the basket exists when its last leg is in.
    Basket(BasketDef),
    /// A message from the operator, from reconciliation or from the rest of the program.
    Control(Control),
    /// Time passed: whatever waits for its time is looked at.
    Timer,
    /// An order of ours that was sent although no event in the journal caused it: a crash cut the journal's end off, and
    /// the wire log still has the order. The core fills in its group and its purpose.
    Adopt(Order),
    /// Everything that these market links of a venue had sent by `upto` has been handed in: their books are as old as that
    /// moment, however lately their frames were read. Comes some twenty times a second, for links that are read empty
    /// together; for one whose frames wait in its socket by itself, and not before more of them has been handed in.
    Current { venue: Venue, links: LinkSet, upto: Nanos },
    /// The thread that feeds the core stood still for `span`: the process was stopped, the host ran others, or the clock
    /// was set.
    Stall { span: Nanos },
    /// A message was not understood, or not in full.
    Odd {
        venue: Venue,
        /// `None` where the message does not say, or no such market is followed.
        market: Option<MarketId>,
        what: Oddity,
    },
    /// A market is to be followed no more: nothing is opened there from here on. It goes on being followed for as long as
    /// something is held, in flight or not final there. [`Event::Market`] takes it back.
    MarketWithdrawn { market: MarketId },
    /// A basket is not to be bought any more. What was bought of it stays.
    BasketWithdrawn { basket: BasketId, why: WithdrawnWhy },
    /// From some time on another rule says what a fill in this market costs. One whose time has come is the rule of now: like
    /// [`Event::Market`] it voids what was said before of times to come.
    FeeChange { market: MarketId, change: FeeChange },
    /// Everything that the feed read from its sockets in the turn that began at `read`, and before, has been handed in. Comes
    /// some twenty times a second: the time until the core has it is our own latency.
    Handed { read: Nanos },
    /// What keeps a venue's executor from sending an order that opens something, though it is connected: told where that
    /// changes.
    Way {
        venue: Venue,
        /// Whether the breaker is open after failures in a row.
        breaker_open: bool,
        /// Whether too few rate tokens are left beside those kept for cancels, hedges and sales, or the venue has said to wait.
        tokens_short: bool,
    },
    /// The least order and the close of a market, as it is listed now. Grid, status and fees come otherwise.
    Listed { market: MarketId, min_qty: Qty, close: Nanos },
    /// What a venue showed of a market's book over REST, because the core asked for a witness of its silence.
    Witness {
        market: MarketId,
        /// [`digest`](crate::book::digest) of the book that it showed.
        digest: u64,
        /// The venue's own time of that book; zero where it gives none.
        venue_time: Nanos,
    },
    /// The best prices of YES as the venue states them apart from any change, which may still be on its way. A book that does
    /// not come to them soon has missed it.
    Stated {
        market: MarketId,
        /// `None` where nobody bids.
        bid: Option<Price>,
        /// `None` where nobody offers.
        ask: Option<Price>,
    },
    /// When a venue expects that it has paid what a market owes: often long before or after its close. [`Nanos::NEVER`] where
    /// it says nothing of that any more.
    Expected { market: MarketId, paid_by: Nanos },
    /// What a shard of a venue takes at the moment, as its executor has learnt from answers: told where that changes. A new run
    /// begins with everything taken.
    Mode {
        venue: Venue,
        /// Kalshi's `exchange_index`; 0 on Polymarket.
        shard: u8,
        mode: VenueMode,
        /// When the venue says that it takes everything again; zero where it has not said.
        until: Nanos,
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
            | Self::MarketWithdrawn { market }
            | Self::Listed { market, .. }
            | Self::Expected { market, .. }
            | Self::FeeChange { market, .. }
            | Self::Witness { market, .. }
            | Self::Stated { market, .. }
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
            | Self::Odd { .. }
            | Self::Handed { .. }
            | Self::Way { .. }
            | Self::Mode { .. }
            | Self::BasketWithdrawn { .. } => None,
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
        /// No message at all: a market was asked for over several connections, and none of them brought its book. A person is told.
        Unanswered = 5, "unanswered";
    }
}

enum_table! {
    /// Why a basket is not bought any more.
    pub enum WithdrawnWhy {
        /// A market of it is to be followed no more, or nobody declares it any more. What is held of it still pays together.
        Unfollowed = 0, "unfollowed";
        /// What was said of its markets does not hold, such as that they settle by the same rule. What is held of it is no
        /// complete basket.
        Revoked = 1, "revoked";
    }
}

enum_table! {
    /// The connections to a venue, by what they carry.
    pub enum Link {
        /// A stream of market data; a venue has as many as its markets need.
        Market = 0, "market";
        /// The stream of our own orders and fills.
        Private = 1, "private";
        /// The connections that our orders are sent on.
        Orders = 2, "orders";
    }
}

/// What a venue's list says of an order that rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Contracts that have filled.
    pub filled: Qty,
    /// The price of YES, and the contracts in all, where the list says them.
    pub terms: Option<(Price, Qty)>,
}

/// A message from the operator, from reconciliation or from the rest of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// A run begins: every order in flight becomes unknown and every book stale.
    Start {
        /// The halt epoch of this run.
        epoch: u64,
        /// The id of the first order of this run, above every id ever used.
        first_order: u64,
    },
    /// Trading halts: nothing is opened and everything is cancelled, until it is resumed.
    Halt { epoch: u64, why: HaltWhy },
    /// The operator lifted the halt.
    Resume { epoch: u64 },
    /// The run is ending: nothing is opened any more, and what rests is cancelled.
    Stop,
    /// The cash at a shard of a venue, as a reading of it found it.
    Cash {
        venue: Venue,
        /// Kalshi's `exchange_index`; 0 on Polymarket.
        shard: u8,
        /// What the venue tells: with what resting orders reserve or without it, as `VenueRules::tells_free_cash` says.
        cash: Usd,
    },
    /// Contracts held at the venue, as a reading of it found them.
    Position { market: MarketId, yes: Qty, no: Qty },
    /// The end of a reading. Nothing is opened before both venues have been read whole without a difference.
    Reconciled {
        venue: Venue,
        /// Whether the venue could be read in full. What differs from ours the core has seen for itself.
        clean: bool,
    },
    /// The value of one limit. While trading is open a limit may only be tightened.
    Limit {
        row: LimitRow,
        /// In the unit of the row's [`LimitDef`](crate::risk::LimitDef).
        value: u64,
    },
    /// A new trading day begins.
    Day {
        /// Days since 1970-01-01 in the configured zone.
        day: u32,
    },
    /// Reconciliation begins to read a venue: cash, positions and agreement told next were read after `since`, while orders
    /// may have filled.
    Reading {
        venue: Venue,
        /// When the first request left, on the clock of the core's events.
        since: Nanos,
    },
    /// The reading found an order that rests at the venue. One that no record of ours explains is named and left alone.
    Open {
        venue: Venue,
        market: Option<MarketId>,
        /// Our id where the order carries one, else the venue's.
        order: OrderRef,
        key: VenueKey,
    },
    /// The same order as the venue lists it, told right behind its [`Control::Open`]: an answer to whoever has not heard of it since the
    /// run began.
    Listed {
        venue: Venue,
        /// Our id where the order carries one, else the venue's.
        order: OrderRef,
        listing: Listing,
    },
    /// Whether new baskets with a leg at this venue are held back because something there is in trouble. Baskets that
    /// are open already are finished; a new run begins with nothing held.
    Hold { venue: Venue, held: bool },
    /// What the venue's own list of our trades in a market adds up to. Read where the venue's positions say that contracts
    /// are gone which are held here.
    History {
        market: MarketId,
        /// Contracts of YES bought and not sold again.
        yes: Qty,
        /// Contracts of NO bought and not sold again.
        no: Qty,
    },
    /// By how much our clock was off the system's, ahead or behind, when they were last compared: rounded up to a millisecond,
    /// and told where that has changed.
    ClockError { error: Nanos },
    /// The terms of all markets of a venue were read at `at`, on the clock of the core's events, and are what the core was told;
    /// but for those of which [`Control::TermsUnread`] said otherwise since they were told.
    TermsRead { venue: Venue, at: Nanos },
    /// The terms of a market were to be read and could not be, or not in full.
    TermsUnread { market: MarketId },
    /// A person has looked at a quarantined market: trading may open there again.
    Release { market: MarketId },
    /// An order is to rest in a market. What does not pass the gate is refused, and noted.
    Rest {
        market: MarketId,
        outcome: Outcome,
        action: Action,
        /// The limit as a price of `outcome`.
        price: Price,
        qty: Qty,
        /// `None` where it is to rest until it is cancelled.
        expires: Option<Expiry>,
        /// Whether the venue is to reject it rather than let it trade at once.
        post_only: bool,
        /// Whether it closes what is held; otherwise it quotes.
        exit: bool,
    },
    /// An order that rests is to have other terms.
    Amend {
        order: OrderId,
        /// The limit as a price of the order's outcome.
        price: Price,
        /// Contracts in all, those that are filled already included.
        qty: Qty,
        /// `None` where it is to rest until it is cancelled.
        expires: Option<Expiry>,
    },
    /// An order is not wanted any more: it is cancelled.
    Withdraw { order: OrderId },
}

pack_fields! {
    Listing { filled, terms }
}

pack_variants! {
    Event {
        0 = SnapshotBegin { market, link, venue_time },
        1 = SnapshotEnd { market },
        2 = Level(level),
        3 = Mirror { market, side, price, qty },
        4 = Top { market, bid, ask, last },
        5 = Trade { market, price, qty, taker },
        6 = Stale { market, why },
        7 = StaleAll { venue, link, why },
        8 = GridChange { market, grid },
        9 = Status { market, status },
        10 = Settled { market, yes_pays },
        11 = Link { venue, link, number, up },
        12 = Report(report),
        13 = Market(def),
        14 = Basket(def),
        15 = Control(control),
        16 = Timer,
        17 = Adopt(order),
        18 = Current { venue, links, upto },
        19 = Stall { span },
        20 = Odd { venue, market, what },
        21 = MarketWithdrawn { market },
        22 = BasketWithdrawn { basket, why },
        23 = FeeChange { market, change },
        24 = Handed { read },
        25 = Way { venue, breaker_open, tokens_short },
        26 = Listed { market, min_qty, close },
        27 = Witness { market, digest, venue_time },
        28 = Stated { market, bid, ask },
        29 = Expected { market, paid_by },
        30 = Mode { venue, shard, mode, until },
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
        14 = Rest { market, outcome, action, price, qty, expires, post_only, exit },
        15 = Amend { order, price, qty, expires },
        16 = Withdraw { order },
        17 = ClockError { error },
        18 = TermsRead { venue, at },
        19 = TermsUnread { market },
        20 = Listed { venue, order, listing },
    }
}
