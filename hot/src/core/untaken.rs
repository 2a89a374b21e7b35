//! Orders that reached the book and found nothing, although what they were to take still stands in ours, and nothing was told of that
//! book since they left.
//!
//! Somebody may have been quicker, and the stream is about to tell. Or the book is frozen, and each order at its levels finds
//! nothing: the market is suspect ([`super::silence`]) until it has spoken or a witness has vouched for its book. A book of which
//! something was told since the order left is not frozen, and an order that found nothing there lost a race.

use super::Core;
use crate::book::Book;
use crate::ids::Side;
use crate::order::Record;
use crate::units::{Nanos, Qty};

impl Core {
    /// A purchase is over, without a fill, that reached the book: where that has not changed since the order left and shows enough for
    /// all of it, it is doubted. A sale that found nobody doubts nothing: the next one, which must get rid of the same contracts, waits
    /// for no witness.
    pub(super) fn doubt_untaken(&mut self, now: Nanos, record: &Record) {
        let order = &record.order;
        let book = self.books.get(order.market).filter(|book| book.is_good());
        let is_as_it_was = |book: &&Book| record.crossed && record.frames == book.frames();
        let Some(book) = book.filter(is_as_it_was) else { return };
        let (side, limit) = order.on_book();
        let stands = book.levels(side.other()).take_while(|(price, _)| match side {
            Side::Bid => *price <= limit,
            Side::Ask => *price >= limit,
        });
        let stands = stands.fold(Qty::ZERO, |sum, (_, qty)| sum + qty);
        if stands >= order.qty {
            self.silence.doubt(now, order.market, book.frames());
        }
    }
}
