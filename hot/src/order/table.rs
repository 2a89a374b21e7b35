//! Every order that is alive, and the last ones that are not.

use std::collections::VecDeque;

use crate::bounds::{ORDERS_DONE_MAX, ORDERS_LIVE_MAX};
use crate::ids::{OrderId, OrderRef, VenueKey};
use crate::index::Index;
use crate::order::{Order, OrderState, Pace};
use crate::units::{Nanos, Qty, Usd};

/// What we know of one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// What was asked for.
    pub order: Order,
    /// Where it stands.
    pub state: OrderState,
    /// The venue's name for it.
    pub key: Option<VenueKey>,
    /// Booked fills, failed ones taken out again.
    pub filled: Qty,
    /// What those fills came to, at their prices, without fees.
    pub notional: Usd,
    /// The most that the venue has claimed to have filled; fills follow with their details.
    pub claimed: Qty,
    /// How much its group was told that it got, once it was over.
    pub told: Qty,
    /// Whether the alarm for more filled than was ordered was raised.
    pub overfilled: bool,
    /// Total filled when the venue said that the order is over.
    pub ended: Option<Qty>,
    /// Cash, or for sells nothing, that is held for what may still fill.
    pub reserved: Usd,
    /// Contracts held for what may still be sold.
    pub reserved_qty: Qty,
    /// When it was handed to the executor.
    pub sent: Nanos,
    /// When the venue was asked about it.
    pub queries: Pace,
    /// Whether a question came up before the next one was due: it is asked then.
    pub query_owed: bool,
    /// When the venue was asked to cancel it.
    pub cancels: Pace,
    /// Whether the venue refused a cancel and has not said since that the order rests.
    pub cancel_refused: bool,
    /// How much of it the venue called filled after it refused a cancel, and since when it says just that.
    pub part_told: Option<(Qty, Nanos)>,
    /// How the order ended, as far as its group must know.
    pub end: EndKind,
    /// Whether the venue has said that it has it, or had it.
    pub acked: bool,
    /// How often in a row the venue did not know it, while its history showed no fill.
    pub absent: u8,
}

/// What the end of an order says about sending another one like it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndKind {
    /// It met the book: what it did not get there, a better price may.
    Traded,
    /// The venue would not have this order: a better price would not help.
    Refused,
    /// It never came before the matching engine, for reasons that have nothing to do with the order: the connection,
    /// our own rate, the venue's mode, contracts that have not settled. The same order may pass a moment later.
    Missed,
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
            claimed: Qty::ZERO,
            told: Qty::ZERO,
            overfilled: false,
            ended: None,
            reserved: cash,
            reserved_qty: qty,
            sent: now,
            queries: Pace::NEW,
            query_owed: false,
            cancels: Pace::NEW,
            cancel_refused: false,
            part_told: None,
            end: EndKind::Traded,
            acked: false,
            absent: 0,
        }
    }

    /// The most we have reason to believe is filled.
    pub fn known_filled(&self) -> Qty {
        self.filled.max(self.claimed)
    }

    /// The most contracts that the venue can mean when it says how many are filled: for a sum of dollars, what it buys
    /// at the lowest price there is.
    pub const fn claim_max(&self) -> Qty {
        if !self.order.spends() {
            return self.order.qty;
        }
        let ticks = self.order.price.ticks() as u64;
        Qty::from_micros(self.order.qty.micros().saturating_mul(ticks))
    }

    /// What may still fill, or has filled without its details being booked.
    pub fn open(&self) -> Qty {
        match (self.state, self.ended) {
            (_, Some(total)) => total.saturating_sub(self.filled),
            (OrderState::Done, None) => Qty::ZERO,
            (_, None) => self.order.qty.saturating_sub(self.filled),
        }
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

    /// Learns the venue's name for an order.
    pub fn bind(&mut self, id: OrderId, key: VenueKey) {
        if let Some(slot) = self.by_id.find(id.get()) {
            self.slots[slot as usize].key = Some(key);
            assert!(self.by_key.insert(key.get(), slot), "the index is as large as the table");
            assert!(self.by_key.find(key.get()) == Some(slot), "O7: a venue's name is one order's");
        }
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

    /// The id of the `n`th live order.
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
}

impl Default for OrderTable {
    fn default() -> Self {
        Self::new()
    }
}
