//! What the core tells the cold side for the record: nothing acts on a note.

use crate::basket::Verdict;
use crate::group::GroupState;
use crate::ids::{BasketId, GroupId, MarketId, OrderId, Outcome};
use crate::order::{OrderState, Purpose};
use crate::pack::{enum_table, pack_variants};
use crate::risk::Refusal;
use crate::units::{Price, Qty, Usd};

/// One thing that the core tells: for the journal, the store and whoever is shown it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// A basket's best prices promised a profit; `verdict` says what became of it.
    Opportunity {
        basket: BasketId,
        /// Units of the basket: contracts of each leg.
        units: Qty,
        /// Profit of the last unit after fees, in $0.0001.
        edge: i32,
        /// Profit of all units after fees.
        profit: Usd,
        verdict: Verdict,
    },
    /// A group's state or figures changed.
    Group {
        group: GroupId,
        basket: BasketId,
        state: GroupState,
        units: Qty,
        /// Profit after fees that was expected when the group was planned.
        promised: Usd,
        /// Money in less money out of contracts that were sold again, after fees.
        result: Usd,
        /// How long one leg stood without its partners so far, in nanoseconds.
        one_leg_ns: u64,
    },
    /// An order's state or figures changed.
    Order {
        order: OrderId,
        state: OrderState,
        /// Contracts filled so far.
        filled: Qty,
        /// Cash still reserved for what may fill.
        reserved: Usd,
    },
    /// A fill was booked.
    Booked {
        order: OrderId,
        market: MarketId,
        outcome: Outcome,
        /// Price of `outcome`.
        price: Price,
        qty: Qty,
        /// The fee of this fill.
        fee: Usd,
        /// Whether our order was the taker.
        taker: bool,
        /// Whether this takes an earlier booking back because the venue voided the fill.
        undone: bool,
    },
    /// A position changed.
    Position {
        market: MarketId,
        yes: Qty,
        no: Qty,
        cost: Usd,
        /// Result realised in this market so far, after fees.
        realised: Usd,
    },
    /// An order was refused by the gate.
    Refused { market: MarketId, group: GroupId, why: Refusal },
    /// Trading halted or resumed.
    Halt {
        halted: bool,
        /// The number of the [`HaltWhy`](crate::risk::HaltWhy).
        why: u8,
        /// The halt epoch from here on.
        epoch: u64,
    },
    /// Something that should not happen did, and was contained.
    Alarm {
        what: Alarm,
        /// The market's number; `u16::MAX` where the alarm is about none.
        market: u16,
        /// The order's id; 0 where the alarm is about none.
        order: u64,
    },
    /// An order that the journal had lost in a crash was taken in from the wire log.
    Adopted { order: OrderId, group: GroupId, purpose: Purpose },
}

const _: () = assert!(size_of::<Note>() <= 64, "a note is one cache line");

enum_table! {
    /// Something that should not happen.
    pub enum Alarm {
        /// An order filled beyond its quantity.
        Overfill = 0, "overfill";
        /// A fill at a price worse than the order's limit.
        WorseFill = 1, "worse_fill";
        /// A fill of an order we do not know.
        ForeignFill = 2, "foreign_fill";
        /// A fill after the order was done.
        LateFill = 3, "late_fill";
        /// A fill that failed after it was booked.
        FailedFill = 4, "failed_fill";
        /// A charged fee differs from the rule's by more than a unit.
        FeeDrift = 5, "fee_drift";
        /// The venue's cash differs from ours.
        CashDrift = 6, "cash_drift";
        /// The venue's position differs from ours.
        PositionDrift = 7, "position_drift";
        /// A step that the order's state table does not have.
        IllegalStep = 8, "illegal_step";
        /// An order of a name we do not know.
        ForeignOrder = 9, "foreign_order";
        /// A group is stuck.
        GroupStuck = 10, "group_stuck";
        /// A basket definition that cannot be.
        BadBasket = 11, "bad_basket";
        /// A venue's figures differ from ours, cannot be read, or were read too long ago: nothing is opened.
        Unreconciled = 12, "unreconciled";
        /// A venue says that cash or contracts are gone, and its own history does not explain it: not believed.
        Gone = 13, "gone";
        /// Contracts are held that neither a complete basket nor a group explains.
        Unpaired = 14, "unpaired";
        /// Order after order is refused, at a venue or in a market: nothing new is begun there for a while.
        OrdersRefused = 15, "orders_refused";
        /// The thread that trades stood still.
        Stalled = 16, "stalled";
        /// A market was quarantined: nothing is opened there.
        Quarantined = 17, "quarantined";
        /// A message about our own orders or fills could not be read in full.
        UnreadMoney = 18, "unread_money";
        /// A venue told of our money more finely than our units: it was rounded against us.
        RoundedMoney = 19, "rounded_money";
    }
}

pack_variants! {
    Note {
        0 = Opportunity { basket, units, edge, profit, verdict },
        1 = Group { group, basket, state, units, promised, result, one_leg_ns },
        2 = Order { order, state, filled, reserved },
        3 = Booked { order, market, outcome, price, qty, fee, taker, undone },
        4 = Position { market, yes, no, cost, realised },
        5 = Refused { market, group, why },
        6 = Halt { halted, why, epoch },
        7 = Alarm { what, market, order },
        8 = Adopted { order, group, purpose },
    }
}
