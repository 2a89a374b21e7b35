//! Every order that is alive, and the last ones that are not.

use std::collections::VecDeque;
use std::hint::black_box;

use crate::bounds::{ORDERS_DONE_MAX, ORDERS_LIVE_MAX};
use crate::fees::FeeAccumulator;
use crate::ids::{Action, OrderId, OrderRef, VenueKey};
use crate::index::Index;
use crate::order::{Change, Order, OrderState, Pace};
use crate::pack::{enum_table, pack_fields};
use crate::state::state_fields;
use crate::units::{Nanos, Price, Qty, Usd};

/// What we know of one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// The order as it was sent.
    pub order: Order,
    pub state: OrderState,
    /// The venue's id of the order, hashed; `None` until it is known.
    pub key: Option<VenueKey>,
    /// Contracts of the booked fills, without those that failed.
    pub filled: Qty,
    /// What the booked fills came to, at their prices and without fees.
    pub notional: Usd,
    /// What the venue's rounding has kept of the order's fees, by the fee rule.
    pub rounding: FeeAccumulator,
    /// By how much its fills were charged more than the rule says, or less, since that was last told.
    pub fee_apart: Usd,
    /// The most contracts that the venue has called filled, those that failed since included. The fills themselves follow.
    pub claimed: Qty,
    /// Contracts of its fills that failed, booked or not. A venue may leave them in what it calls filled or take them out: they
    /// are not waited for.
    pub void: Qty,
    /// Contracts that the group was told of when the order was over.
    pub told: Qty,
    /// Whether the alarm for an overfill has been raised.
    pub overfilled: bool,
    /// Contracts filled in all as the venue said when the order was over; `None` while it is not.
    pub ended: Option<Qty>,
    /// Cash reserved for what may still fill; zero for a sale.
    pub reserved: Usd,
    /// Contracts reserved for what may still be sold; zero for a purchase.
    pub reserved_qty: Qty,
    /// When the order was handed to the executor.
    pub sent: Nanos,
    /// Whether its limit reached the best price of the other side when it was sent, or changed: it may have traded at once.
    /// Taken as true where nobody knows, because takers pay more.
    pub crossed: bool,
    /// What its market's book had counted when the order was sent ([`Book::frames`](crate::book::Book::frames)): while that stands
    /// still, nothing has been told of the book since.
    pub frames: u32,
    /// Spaces out the questions to the venue about the order.
    pub queries: Pace,
    /// Whether a question came up too early: it is asked as soon as the next one is due.
    pub query_owed: bool,
    /// Spaces out the requests to cancel the order.
    pub cancels: Pace,
    /// Whether the order is wanted no more: it is cancelled until it is gone, however often the venue refuses.
    pub withdrawn: bool,
    /// Whether the venue has refused to cancel the order and has not said since that it rests.
    pub cancel_refused: bool,
    /// How many contracts the venue has called filled since it refused a cancel, or since the order was over with more, and since
    /// when it says that number.
    pub part_told: Option<(Qty, Nanos)>,
    /// How the order ended, which decides whether its group sends another one like it.
    pub end: EndKind,
    /// Whether the venue has acknowledged the order.
    pub acked: bool,
    /// How often in a row the venue did not know the order while its history showed no fill.
    pub absent: u8,
    /// The change of the order that is under way: nobody can say yet whether it was made.
    pub change: Option<ChangeSent>,
    /// The terms that the order had before the last change of it that was made, and when that became known: what the venue said of it
    /// earlier may come after that.
    pub former: Option<(Change, Nanos)>,
    /// The limit at which it could trade worst before its changes. Fills of that time may be told after them.
    pub loosest: Price,
}

/// A change of an order that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeSent {
    /// What the order is to become.
    pub to: Change,
    /// When the change was handed to the executor.
    pub sent: Nanos,
    /// Whether the venue cannot change an order in place: this one is cancelled, and once that is confirmed another takes
    /// what is left. Until then both share one reservation.
    pub replaces: bool,
}

enum_table! {
    /// What the end of an order says about sending another one like it.
    pub enum EndKind {
        /// It reached the book. What it did not get there it may get at a better price.
        Traded = 0, "traded";
        /// The venue rejected it for a reason that a better price does not change.
        Refused = 1, "refused";
        /// It never came before the matching engine, for reasons that have nothing to do with the order: the connection,
        /// our own rate, the venue's mode, contracts that have not settled. The same order may pass a moment later.
        Missed = 2, "missed";
    }
}

pack_fields! {
    Record {
        order, state, key, filled, notional, rounding, fee_apart, claimed, void, told, overfilled, ended, reserved, reserved_qty, sent,
        crossed, frames, queries, query_owed, cancels, withdrawn, cancel_refused, part_told, end, acked, absent, change, former,
        loosest,
    }
    ChangeSent { to, sent, replaces }
}

impl Record {
    /// An order that is handed to the executor now, with what is reserved for it.
    pub const fn new(order: Order, cash: Usd, qty: Qty, now: Nanos) -> Self {
        Self {
            order,
            state: OrderState::Pending,
            key: None,
            filled: Qty::ZERO,
            notional: Usd::ZERO,
            rounding: FeeAccumulator::NEW,
            fee_apart: Usd::ZERO,
            claimed: Qty::ZERO,
            void: Qty::ZERO,
            told: Qty::ZERO,
            overfilled: false,
            ended: None,
            reserved: cash,
            reserved_qty: qty,
            sent: now,
            crossed: true,
            frames: 0,
            queries: Pace::NEW,
            query_owed: false,
            cancels: Pace::NEW,
            withdrawn: false,
            cancel_refused: false,
            part_told: None,
            end: EndKind::Traded,
            acked: false,
            absent: 0,
            change: None,
            former: None,
            loosest: order.price,
        }
    }

    /// The limit at which it could trade worst at any time: with its present terms and those before them, told or only asked for.
    pub fn worst_price(&self) -> Price {
        let change = self.change.filter(|change| !change.replaces);
        let changed = change.map_or(self.order.price, |change| change.to.price);
        let limits = [self.order.price, self.loosest, changed];
        let worst = match self.order.action {
            Action::Buy => limits.into_iter().max(),
            Action::Sell => limits.into_iter().min(),
        };
        worst.expect("there are three")
    }

    /// The contracts that are filled, by the fills booked and by the venue's word without what failed. Where the venue took that
    /// out itself, it may be more: such a fill is booked when it is told, as a late one if need be.
    pub fn known_filled(&self) -> Qty {
        self.filled.max(self.claimed.saturating_sub(self.void))
    }

    /// The most contracts that the venue can mean when it says how many are filled: with a change of the order that may have
    /// been made, and for a sum of dollars, what it buys at the lowest price there is.
    pub fn claim_max(&self) -> Qty {
        if !self.order.spends() {
            return self.qty_max();
        }
        let ticks = self.order.price.ticks() as u64;
        Qty::from_micros(self.order.qty.micros().saturating_mul(ticks))
    }

    /// The most contracts that the order may come to, as it is and with the change of it that may have been made in place.
    pub fn qty_max(&self) -> Qty {
        let changed = self.change.filter(|change| !change.replaces);
        changed.map_or(self.order.qty, |change| self.order.qty.max(change.to.qty))
    }

    /// Whether nothing that is under way changes how many contracts the order is for.
    pub fn qty_is_known(&self) -> bool {
        self.change.is_none_or(|change| change.replaces || change.to.qty == self.order.qty)
    }

    /// By how much its fills may come to less than it is for, or than the venue says that it has filled, and be all of them: the
    /// venue's rounding. An order that may rest has none, because what looks like rounding may be on the book, and fill.
    pub const fn dust(&self) -> Qty {
        if self.order.tif.may_rest() { Qty::ZERO } else { self.order.venue.rules().fill_dust }
    }

    /// Whether the order is wanted on the book: it was sent to rest there and nobody has withdrawn it.
    pub const fn is_wanted(&self) -> bool {
        self.order.wants_to_rest() && !self.withdrawn
    }

    /// Contracts that may still fill, or that have filled and are not booked yet.
    pub fn open(&self) -> Qty {
        match (self.state, self.ended) {
            (_, Some(total)) => total.saturating_sub(self.filled),
            (OrderState::Done, None) => Qty::ZERO,
            (_, None) => self.qty_max().saturating_sub(self.filled),
        }
    }

    /// Contracts that may still fill once the change that is under way is made; zero without one.
    pub fn change_open(&self) -> Qty {
        self.change.map_or(Qty::ZERO, |change| change.to.qty.saturating_sub(self.filled))
    }

    /// Whether the venue is done with it: nothing more will fill.
    pub fn is_over(&self) -> bool {
        self.ended.is_some() || self.state == OrderState::Done
    }
}

/// The table. Slots are reused only after the order has been over for long.
#[derive(Debug)]
pub struct OrderTable {
    slots: Vec<Record>,
    free: Vec<u32>,
    live: Vec<u32>,
    done: VecDeque<u32>,
    by_id: Index,
    by_key: Index,
}

const SLOTS: usize = ORDERS_LIVE_MAX + ORDERS_DONE_MAX;

impl OrderTable {
    /// Allocates all it will ever need.
    pub fn new() -> Self {
        Self {
            slots: Vec::with_capacity(SLOTS),
            free: Vec::with_capacity(SLOTS),
            live: Vec::with_capacity(ORDERS_LIVE_MAX),
            done: VecDeque::with_capacity(ORDERS_DONE_MAX + 1),
            by_id: Index::with_capacity(SLOTS),
            by_key: Index::with_capacity(SLOTS),
        }
    }

    /// Whether another order fits.
    pub fn has_room(&self) -> bool {
        self.live.len() < ORDERS_LIVE_MAX
    }

    /// Remembers a new order.
    ///
    /// # Panics
    /// Without room, which the gate has checked, or if its id was used before.
    #[inline] // so that the record is moved once
    pub fn insert(&mut self, record: Record) {
        assert!(self.has_room(), "the gate checks for room");
        assert!(
            self.by_id.find(record.order.id.get()).is_none(),
            "O7: an order id is never reused"
        );
        assert!(!record.order.qty.is_zero(), "O1: an order is for something");
        assert!(record.reserved >= Usd::ZERO, "R3: a reservation is never negative");
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = record;
                slot
            }
            None => {
                self.slots.push(record);
                u32::try_from(self.slots.len() - 1).expect("few slots")
            }
        };
        self.live.push(slot);
        assert!(
            self.by_id.insert(record.order.id.get(), slot),
            "the index is as large as the table"
        );
    }

    /// Reads what an order with id `next` will be written over, so that it is in the cache when the order comes: nobody has looked
    /// there since the order that had the slot was forgotten.
    pub fn warm(&self, next: u64) {
        if let Some(&slot) = self.free.last() {
            black_box(self.slots[slot as usize]);
        }
        black_box(self.by_id.find(next));
    }

    /// Learns the venue's name for an order. An order keeps its first name, and a name its first order (O7). Returns whether
    /// what was told agrees with that; of an order that is forgotten nothing is known to the contrary.
    pub fn bind(&mut self, id: OrderId, key: VenueKey) -> bool {
        let Some(slot) = self.by_id.find(id.get()) else { return true };
        if let Some(known) = self.slots[slot as usize].key {
            return known == key;
        }
        if self.by_key.find(key.get()).is_some() {
            return false;
        }
        self.slots[slot as usize].key = Some(key);
        assert!(self.by_key.insert(key.get(), slot), "the index is as large as the table");
        true
    }

    /// One order, by either name.
    pub fn find(&self, order: OrderRef) -> Option<&Record> {
        self.slot(order).map(|slot| &self.slots[slot as usize])
    }

    /// One order, by either name, to be changed.
    pub fn find_mut(&mut self, order: OrderRef) -> Option<&mut Record> {
        self.slot(order).map(|slot| &mut self.slots[slot as usize])
    }

    /// Takes an order that is done off the live list; the oldest done one is forgotten when there are too many.
    pub fn retire(&mut self, id: OrderId) {
        let Some(slot) = self.by_id.find(id.get()) else { return };
        let Some(at) = self.live.iter().position(|&live| live == slot) else { return };
        let record = &self.slots[slot as usize];
        assert!(record.state == OrderState::Done, "O3: only what is over retires");
        assert!(
            record.reserved == Usd::ZERO && record.reserved_qty.is_zero(),
            "R3: what is over holds nothing"
        );
        self.live.remove(at); // keeps the order of placing, which replay depends on
        self.done.push_back(slot);
        if self.done.len() > ORDERS_DONE_MAX {
            let oldest = self.done.pop_front().expect("just pushed");
            let record = &self.slots[oldest as usize];
            self.by_id.remove(record.order.id.get());
            if let Some(key) = record.key {
                self.by_key.remove(key.get());
            }
            self.free.push(oldest);
        }
    }

    /// Orders that are not done, oldest first.
    pub fn live(&self) -> impl Iterator<Item = &Record> {
        self.live.iter().map(|&slot| &self.slots[slot as usize])
    }

    /// The id of the live order at position `n`, counted from the oldest.
    pub fn live_id(&self, n: usize) -> Option<OrderId> {
        self.live.get(n).map(|&slot| self.slots[slot as usize].order.id)
    }

    /// How many are not done.
    pub fn live_len(&self) -> usize {
        self.live.len()
    }

    fn slot(&self, order: OrderRef) -> Option<u32> {
        match order {
            OrderRef::Id(id) => self.by_id.find(id.get()),
            OrderRef::Key(key) => self.by_key.find(key.get()),
        }
    }

    /// Both indexes. `None` where a slot is in no list or in two, or where an id is there twice.
    fn rebuild(&mut self) -> Option<()> {
        let mut listed = vec![false; self.slots.len()];
        for &slot in self.free.iter().chain(&self.done).chain(&self.live) {
            let listed = listed.get_mut(slot as usize)?;
            if std::mem::replace(listed, true) {
                return None;
            }
        }
        for &slot in self.done.iter().chain(&self.live) {
            let Record { order, key, .. } = &self.slots[slot as usize];
            let id = order.id.get();
            if self.by_id.find(id).is_some() || !self.by_id.insert(id, slot) {
                return None;
            }
            if let Some(key) = key {
                self.by_key.insert(key.get(), slot).then_some(())?;
            }
        }
        listed.iter().all(|&listed| listed).then_some(())
    }
}

impl Default for OrderTable {
    fn default() -> Self {
        Self::new()
    }
}

state_fields! {
    OrderTable {
        slots: list(SLOTS), free: list(SLOTS), live: list(ORDERS_LIVE_MAX), done: list(ORDERS_DONE_MAX), by_id: derived,
        by_key: derived,
    } then rebuild
}

#[cfg(test)]
mod tests;
