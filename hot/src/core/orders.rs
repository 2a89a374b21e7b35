//! Our orders: their records, their ids, how many were sent lately, and when which side of a book was last sent one.
//!
//! This part keeps that an id is given out once (O7), and that every order that is sent is counted and remembered for the
//! gate's rate and duplicate rows. What an order reserves is in its record, and in the money part as a sum.

use crate::bounds::MARKETS_MAX;
use crate::ids::{MarketId, OrderId, OrderRef, Side, VenueKey};
use crate::order::{Order, OrderTable, Record};
use crate::risk::Rate;
use crate::state::state_fields;
use crate::units::Nanos;

/// Our orders: see the head of this file.
#[derive(Debug)]
pub(super) struct Orders {
    table: OrderTable,
    rate: Rate,
    /// The id of the next order.
    next: u64,
    /// When an order was last sent to each side of each market's book, by the side that the order is on.
    sent: Vec<[Nanos; 2]>,
}

state_fields! {
    Orders { table: value, rate: value, next: value, sent: table([Nanos::ZERO; 2]) }
}

impl Orders {
    /// Allocates all it will ever need.
    pub fn new() -> Self {
        Self {
            table: OrderTable::new(),
            rate: Rate::new(),
            next: 1,
            sent: vec![[Nanos::ZERO; 2]; MARKETS_MAX],
        }
    }

    /// The records, for reading.
    pub const fn table(&self) -> &OrderTable {
        &self.table
    }

    /// What was sent lately, for the gate.
    pub const fn rate(&self) -> &Rate {
        &self.rate
    }

    /// The id that the next order will have.
    pub const fn next_id(&self) -> u64 {
        self.next
    }

    /// Ids below this one are taken, by a run whose journal is lost or by an order that is adopted.
    pub fn begin_ids_at(&mut self, first: u64) {
        self.next = self.next.max(first);
    }

    /// Whether an order was ever placed or adopted here, or one with a later id.
    pub const fn has_seen(&self, order: OrderId) -> bool {
        order.get() < self.next
    }

    /// Forgets what was sent too long ago to count. `duplicate` is how long the same order may not be sent again.
    pub fn on_time(&mut self, now: Nanos, duplicate: Nanos) {
        self.rate.advance(now, duplicate);
    }

    /// An order is handed to its executor.
    ///
    /// # Panics
    /// If it does not have the next id, or there is no room, which the gate has checked.
    pub fn send(&mut self, now: Nanos, record: Record) {
        let order = &record.order;
        assert!(order.id.get() == self.next, "O7: an order has the next id");
        self.next += 1;
        self.rate.count(now, order.market);
        self.rate.remember(now, order);
        self.sent[order.market.index()][order.on_book().0 as usize] = now;
        self.table.insert(record);
    }

    /// Brings what the next order needs into the cache.
    pub fn warm(&self) {
        self.table.warm(self.next);
    }

    /// An order that was sent in an earlier run, and of which the journal knows nothing, is taken in.
    ///
    /// # Panics
    /// If its id may still be given out.
    pub fn adopt(&mut self, record: Record) {
        assert!(self.has_seen(record.order.id), "O7: an adopted id is not given out again");
        self.table.insert(record);
    }

    /// A request about an order in this market is sent, which the venues count like an order.
    pub fn count_request(&mut self, now: Nanos, market: MarketId) {
        self.rate.count(now, market);
    }

    /// A change of an order is handed to its executor. `order` is what it is to be.
    pub fn send_change(&mut self, now: Nanos, order: &Order) {
        self.rate.count(now, order.market);
        self.rate.remember(now, order);
    }

    /// When an order was last sent to a side of a market's book; zero if never.
    pub fn last_sent(&self, market: MarketId, side: Side) -> Nanos {
        self.sent[market.index()][side as usize]
    }

    /// Whether another order fits.
    pub fn has_room(&self) -> bool {
        self.table.has_room()
    }

    /// Gives an order the venue's id of it; see [`OrderTable::bind`].
    pub fn bind(&mut self, id: OrderId, key: VenueKey) -> bool {
        self.table.bind(id, key)
    }

    /// One order, by either name.
    pub fn find(&self, order: OrderRef) -> Option<&Record> {
        self.table.find(order)
    }

    /// One order, by either name, to be changed.
    pub fn find_mut(&mut self, order: OrderRef) -> Option<&mut Record> {
        self.table.find_mut(order)
    }

    /// Forgets an order that is done; see [`OrderTable::retire`].
    pub fn retire(&mut self, id: OrderId) {
        self.table.retire(id);
    }

    /// Orders that are not done, oldest first.
    pub fn live(&self) -> impl Iterator<Item = &Record> {
        self.table.live()
    }

    /// Orders in a market that are not done, oldest first.
    pub fn live_in(&self, market: MarketId) -> impl Iterator<Item = &Record> {
        self.table.live().filter(move |record| record.order.market == market)
    }

    /// The id of the live order at position `n`, counted from the oldest.
    pub fn live_id(&self, n: usize) -> Option<OrderId> {
        self.table.live_id(n)
    }

    /// The number of orders that are not done.
    pub fn live_len(&self) -> usize {
        self.table.live_len()
    }
}
