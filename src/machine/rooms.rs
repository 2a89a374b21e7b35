//! Memory for the books of further markets, made here so that the core allocates none.

use rtrb::Producer;
use surefoot_hot::book::{BookRoom, Books};
use surefoot_hot::bounds::MARKETS_MAX;
use surefoot_hot::event::Event;
use surefoot_hot::grid::Grid;
use surefoot_hot::id_set::IdSet;
use surefoot_hot::ids::MarketId;

/// Gives memory to the core, once for each market: one that is followed again has its book still, and what the core has no use
/// for would only fill its places for others.
#[derive(Debug)]
pub struct Rooms {
    to_core: Producer<BookRoom>,
    /// Markets whose book there is, or that memory was given for.
    given: IdSet,
}

impl Rooms {
    /// Beside a core that has these books and is first told this.
    pub fn new(to_core: Producer<BookRoom>, books: &Books, first: &[Event]) -> Self {
        let mut given = IdSet::new(MARKETS_MAX);
        for (market, _) in books.iter() {
            given.insert(market.index());
        }
        for event in first.iter().filter(|event| matches!(event, Event::Market(_))) {
            event.market().into_iter().for_each(|market| given.set(market.index(), true));
        }
        Self { to_core, given }
    }

    /// The core will hear of this market. Where there is no place for more memory, it allocates.
    pub fn give(&mut self, market: MarketId, grid: Grid) {
        let is_new = !self.given.contains(market.index());
        if is_new && self.to_core.push(BookRoom::new(grid)).is_ok() {
            self.given.insert(market.index());
        }
    }
}

#[cfg(test)]
mod tests {
    use rtrb::RingBuffer;
    use surefoot_hot::bounds::BOOK_ROOMS_MAX;
    use surefoot_hot::core::Core;

    use super::*;

    #[test]
    fn a_market_that_is_followed_again_and_again_is_given_memory_once() {
        let [cents, tenths] = [100, 10].map(|step| Grid::uniform(step).unwrap());
        let known = MarketId::new(3);
        let mut first = crate::bench::desk::directory().iter().next().unwrap().def;
        first.market = known;
        let (to_core, mut rooms) = RingBuffer::new(4);
        let mut give = Rooms::new(to_core, Core::new().books(), &[Event::Market(first)]);
        let new = MarketId::new(4);
        for _ in 0..2 * BOOK_ROOMS_MAX {
            give.give(known, cents);
            give.give(new, tenths);
        }
        assert_eq!(rooms.slots(), 1, "the core knows one of them from its start");
        rooms.pop().unwrap();
        for market in 5..10 {
            give.give(MarketId::new(market), cents);
        }
        assert_eq!(rooms.slots(), 4, "there is no place for a fifth");
        rooms.pop().unwrap();
        give.give(MarketId::new(9), cents);
        assert_eq!(rooms.slots(), 4, "it was not given any yet");
    }
}
