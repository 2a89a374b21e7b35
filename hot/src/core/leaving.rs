//! Markets and baskets that were withdrawn: what is still done there, and when they are left for good.
//!
//! From the moment a market is withdrawn nothing is opened there: the gate refuses it, and what rests to open something is
//! cancelled. What is held stays, for it is money: hedges and sales go on, the book is kept, the venue's word is compared. Only
//! when nothing is held, owed, in flight or still to be confirmed is the market followed no more. Its number stays its own:
//! a journal never has two markets under one number.
//!
//! A basket that was withdrawn is not bought, and what is held of it goes on counting as complete until none of its legs is
//! held. One that was revoked never was what it seemed: it counts for nothing from then on, and its groups buy no further leg.

use super::Core;
use crate::book::Book;
use crate::bounds::{BASKETS_MAX, LEAVING_PER_TIMER_MAX, MARKETS_MAX};
use crate::event::{Event, WithdrawnWhy};
use crate::id_set::IdSet;
use crate::ids::{BasketId, MarketId, OrderRef};
use crate::intent::Intent;
use crate::market::MarketDef;
use crate::note::Note;
use crate::outbox::Outbox;
use crate::state::state_fields;
use crate::units::Nanos;

/// What was withdrawn and is not at rest yet: see the head of this file.
#[derive(Debug)]
pub(super) struct Leaving {
    markets: IdSet,
    baskets: IdSet,
    /// Where the next timer event begins to look through the markets.
    next_market: usize,
    /// Where the next timer event begins to look through the baskets.
    next_basket: usize,
}

state_fields! {
    Leaving { markets: value, baskets: value, next_market: index, next_basket: index }
}

impl Leaving {
    /// Allocates all it will ever need.
    pub fn new() -> Self {
        Self {
            markets: IdSet::new(MARKETS_MAX),
            baskets: IdSet::new(BASKETS_MAX),
            next_market: 0,
            next_basket: 0,
        }
    }

    /// A basket is defined: whatever had its number before is gone.
    pub fn on_basket(&mut self, basket: BasketId) {
        if basket.index() < BASKETS_MAX {
            self.baskets.remove(basket.index());
        }
    }

    /// How many markets are withdrawn and still followed.
    pub const fn markets(&self) -> usize {
        self.markets.len()
    }
}

/// The number in a set at which a walk goes on: behind the last one it begins anew. `None` where the set is empty.
pub(super) fn go_on(set: &IdSet, next: &mut usize) -> Option<usize> {
    let found = set.next(*next).or_else(|| set.next(0))?;
    *next = found + 1;
    Some(found)
}

impl Core {
    /// Whether nothing may be opened in the market of a book because it was withdrawn.
    #[inline]
    pub(super) fn is_withdrawn(&self, book: &Book) -> bool {
        self.leaving.markets.contains(book.terms().market.index()) || !book.is_followed()
    }

    /// A market's terms came in: from here on it is followed. One that was not, while links bring market data, is
    /// subscribed to at once; before that, links subscribe to all of theirs as they come up.
    pub(super) fn on_market_followed(
        &mut self,
        now: Nanos,
        event: &Event,
        terms: &MarketDef,
        out: &mut Outbox,
    ) {
        let market = terms.market;
        let was_followed = self.books.get(market).is_some_and(Book::is_followed);
        self.leaving.markets.remove(market.index());
        self.terms_age.on_told(now, market);
        self.on_market(now, event, terms, out);
        let book = self.books.get(market).expect("its terms make its book");
        if !was_followed && self.truth.is_fed(book) {
            self.resync_asked[market.index()] = now;
            out.send(Intent::Resync { market });
        }
    }

    /// A market is to be followed no more.
    pub(super) fn on_market_withdrawn(&mut self, now: Nanos, market: MarketId, out: &mut Outbox) {
        let is_followed = self.books.get(market).is_some_and(Book::is_followed);
        if !is_followed || !self.leaving.markets.insert(market.index()) {
            return;
        }
        let mut at = 0;
        while let Some(id) = self.orders.live_id(at) {
            at += 1;
            let record = self.orders.find(OrderRef::Id(id)).expect("it is on the live list");
            let order = record.order;
            if order.market == market && order.tif.may_rest() && order.purpose.opens() {
                self.withdraw(now, id, out);
            }
        }
    }

    /// A basket is not to be bought any more.
    pub(super) fn on_basket_withdrawn(
        &mut self,
        now: Nanos,
        basket: BasketId,
        why: WithdrawnWhy,
        out: &mut Outbox,
    ) {
        match why {
            WithdrawnWhy::Unfollowed => {
                if self.baskets.withdraw(basket) {
                    self.stats.baskets_withdrawn += 1;
                    self.leaving.baskets.insert(basket.index());
                }
            }
            WithdrawnWhy::Revoked => {
                if !self.baskets.remove(basket) {
                    return;
                }
                self.money.forget_hedges(); // what is held of it never paid together
                self.stats.baskets_withdrawn += 1;
                self.leaving.baskets.remove(basket.index());
                for slot in 0..self.groups.len() {
                    if self.groups.at(slot).basket == basket {
                        self.groups.at_mut(slot).give_up();
                    }
                }
                self.tend_groups(now, out);
            }
        }
    }

    /// Leaves the markets and baskets in which nothing is left to be done, of so many that were withdrawn.
    pub(super) fn tend_leaving(&mut self, out: &mut Outbox) {
        for _ in 0..LEAVING_PER_TIMER_MAX.min(self.leaving.baskets.len()) {
            let Leaving { baskets, next_basket, .. } = &mut self.leaving;
            let Some(at) = go_on(baskets, next_basket) else { break };
            let basket = BasketId::new(at as u16);
            if !self.is_held(basket) {
                self.leaving.baskets.remove(at);
                self.baskets.remove(basket);
            }
        }
        for _ in 0..LEAVING_PER_TIMER_MAX.min(self.leaving.markets.len()) {
            let Leaving { markets, next_market, .. } = &mut self.leaving;
            let Some(at) = go_on(markets, next_market) else { break };
            let market = MarketId::new(at as u16);
            if self.is_at_rest(market) {
                self.leaving.markets.remove(at);
                self.books.unfollow(market);
                self.baskets.refresh(market, &self.books);
                self.stats.markets_unfollowed += 1;
                out.send(Intent::Unfollow { market });
                out.note(Note::Unfollowed { market });
            }
        }
    }

    /// Whether nothing is held, owed, in flight or still to be confirmed in a market.
    fn is_at_rest(&self, market: MarketId) -> bool {
        !self.money.position(market).is_open()
            && !self.groups.has_leg_in(market)
            && !self.fills.is_unsettled(market)
            && !self.orders.live().any(|record| record.order.market == market)
    }

    /// Whether contracts of a basket may be held together: some of a leg are, or a group is at it.
    fn is_held(&self, basket: BasketId) -> bool {
        let legs = self.baskets.get(basket).map_or(&[][..], |basket| basket.legs());
        self.groups.is_busy(basket)
            || legs.iter().any(|leg| self.money.position(leg.market).is_open())
    }

    /// A snapshot arrives. Of a market that is not followed none should: it was on its way, or the word to the feed was lost.
    pub(super) fn ask_to_unfollow(&mut self, now: Nanos, market: MarketId, out: &mut Outbox) {
        if self.books.get(market).is_none_or(Book::is_followed) {
            return;
        }
        let asked = &mut self.resync_asked[market.index()];
        if now.since(*asked) >= super::control::RESYNC_EVERY {
            *asked = now;
            out.send(Intent::Unfollow { market });
        }
    }

    /// Checks that a market or a basket that leaves is still there.
    ///
    /// # Panics
    /// Where it is not.
    pub(super) fn check_leaving(&self) {
        for at in self.leaving.markets.iter() {
            let book = self.books.get(MarketId::new(at as u16));
            assert!(book.is_some_and(Book::is_followed), "market {at} leaves and is followed");
        }
        for at in self.leaving.baskets.iter() {
            assert!(
                self.baskets.get(BasketId::new(at as u16)).is_some(),
                "basket {at} leaves and is there"
            );
        }
    }
}
