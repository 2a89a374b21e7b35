//! Changes of an order that rests.

use super::{Expiry, Order, Purpose, Tif};
use crate::ids::{Action, MarketId, OrderId, Outcome, Side, Venue};
use crate::pack::pack_fields;
use crate::units::{Nanos, Price, Qty};

/// What an order that rests is to become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The limit as a price of the order's outcome.
    pub price: Price,
    /// Contracts in all, those that are filled already included.
    pub qty: Qty,
    /// From when on nothing of it rests any more; `None` where it is to rest until it is cancelled.
    pub expires: Option<Expiry>,
}

impl Change {
    /// What the order is now.
    pub const fn of(order: &Order) -> Self {
        Self { price: order.price, qty: order.qty, expires: order.expires }
    }

    /// The order with these terms instead of its own.
    #[must_use]
    pub const fn on(&self, order: &Order) -> Order {
        let tif = if self.expires.is_some() { Tif::Gtd } else { Tif::Gtc };
        let &Self { price, qty, expires } = self;
        Order { price, qty, expires, tif, ..*order }
    }
}

/// A change of one order on its way to a venue that can make it in place: nothing is left for the executor to decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amend {
    /// Our own id of the order, which keeps it.
    pub order: OrderId,
    /// The halt epoch at the decision; the executor compares it again at the socket.
    pub epoch: u64,
    /// When the change was decided.
    pub decided: Nanos,
    pub market: MarketId,
    pub venue: Venue,
    /// The outcome whose contracts the order buys or sells.
    pub outcome: Outcome,
    pub action: Action,
    pub purpose: Purpose,
    /// The limit that it is to have, as a price of `outcome`.
    pub price: Price,
    /// Contracts in all that it is to have, those that are filled already included.
    pub qty: Qty,
    /// Contracts in all that it had before.
    pub was: Qty,
    /// When it is to expire; `None` where it is to rest until it is cancelled.
    pub expires: Option<Expiry>,
    /// Whether `price` is the limit that it has now.
    pub keeps_price: bool,
    /// Whether `expires` is the expiry that it has now.
    pub keeps_expiry: bool,
}

impl Amend {
    /// The change of `order`, which rests, into `to`.
    pub fn new(order: &Order, to: &Change, epoch: u64, decided: Nanos) -> Self {
        Self {
            order: order.id,
            epoch,
            decided,
            market: order.market,
            venue: order.venue,
            outcome: order.outcome,
            action: order.action,
            purpose: order.purpose,
            price: to.price,
            qty: to.qty,
            was: order.qty,
            expires: to.expires,
            keeps_price: to.price == order.price,
            keeps_expiry: to.expires == order.expires,
        }
    }

    /// By how many contracts the order shrinks, where that is all that changes: it keeps its place in the queue.
    pub fn shrinks_by(&self) -> Option<Qty> {
        let less = self.was.checked_sub(self.qty)?;
        (self.keeps_price && self.keeps_expiry && !less.is_zero()).then_some(less)
    }

    /// Side and limit on the YES book.
    pub const fn on_book(&self) -> (Side, Price) {
        (Side::of(self.outcome, self.action), self.outcome.price_from_yes(self.price))
    }
}

pack_fields! {
    Change { price, qty, expires }
    Amend {
        order, epoch, decided, market, venue, outcome, action, purpose, price, qty, was, expires,
        keeps_price, keeps_expiry,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::GroupId;

    fn resting() -> Order {
        Order {
            id: OrderId::new(1),
            epoch: 1,
            decided: Nanos::from_secs(1),
            group: GroupId::new(1),
            market: MarketId::new(0),
            venue: Venue::Kalshi,
            outcome: Outcome::Yes,
            action: Action::Buy,
            price: Price::ONE,
            qty: Qty::from_contracts(30),
            tif: Tif::Gtc,
            expires: None,
            post_only: true,
            purpose: Purpose::Quote,
        }
    }

    #[test]
    fn an_order_has_the_time_in_force_of_its_expiry() {
        let order = resting();
        let expires = Expiry::at(Nanos::from_secs(100));
        let with = Change { expires, ..Change::of(&order) }.on(&order);
        assert_eq!(with, Order { tif: Tif::Gtd, expires, ..order });
        assert_eq!(Change { expires: None, ..Change::of(&with) }.on(&with), order);
    }

    #[test]
    fn only_a_change_of_nothing_else_keeps_the_place_in_the_queue() {
        let order = resting();
        let same = Change::of(&order);
        let less = Change { qty: Qty::from_contracts(10), ..same };
        let cases = [
            (less, Some(Qty::from_contracts(20))),
            (same, None),
            (Change { qty: Qty::from_contracts(31), ..same }, None),
            (Change { price: Price::ZERO, ..less }, None),
            (Change { expires: Expiry::at(Nanos::from_secs(100)), ..less }, None),
        ];
        for (to, expected) in cases {
            let shrinks = Amend::new(&order, &to, 1, order.decided).shrinks_by();
            assert_eq!(shrinks, expected, "{to:?}");
        }
    }
}
