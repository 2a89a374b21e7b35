//! What the core tells the cold side for the record: nothing acts on a note.

use crate::basket::Verdict;
use crate::group::GroupState;
use crate::ids::{BasketId, GroupId, MarketId, OrderId, Outcome};
use crate::order::{OrderState, Purpose};
use crate::pack::{enum_table, pack_variants};
use crate::risk::Refusal;
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

enum_table! {
    /// Something that must not be.
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
