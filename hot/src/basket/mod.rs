//! Baskets: outcomes that together pay at least a known floor, and what they cost now.
//!
//! Per market there is a list of the baskets it touches, per basket a running sum of best asks; a change of a best
//! price is one subtraction and one addition for each basket touched. Where the sum is below the payout the basket
//! is worth a look, and only then is depth walked ([`Baskets::walk`]).

mod def;
mod plan;
mod proof;
#[cfg(test)]
mod tests;
mod verdict;
mod walk;

pub use def::{BasketDef, BasketKind};
pub use plan::{LegPlan, NoPlan, Plan, Room, Sizing};
pub use proof::{Proven, Unproven};
pub use verdict::Verdict;
pub(crate) use walk::payout_floor;

use crate::book::{Book, Books};
use crate::bounds::{BASKETS_MAX, BASKETS_PER_MARKET_MAX, LEGS_MAX, MARKETS_MAX, RATIO_MAX};
use crate::id_set::IdSet;
use crate::ids::{BasketId, MarketId, Outcome};
use crate::pack::{Pack, PackSink, PackSource, pack_fields};
use crate::per_id::PerId;
use crate::state::state_fields;

/// No price: nothing is offered, or the book may not be used.
const NONE: u16 = u16::MAX;
/// Baskets of no more legs than this are walked in little room.
const FEW_LEGS: usize = 8;

/// What to buy, for one leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg {
    pub market: MarketId,
    pub outcome: Outcome,
    /// Contracts for each unit of the basket, from 1 to [`RATIO_MAX`].
    pub ratio: u16,
}

/// One basket and what a unit of it costs at best prices.
///
/// Laid out so that a change of a best price touches one cache line of it where the basket has no more than 25 legs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(64))]
pub struct Basket {
    payout: u32,
    /// What a unit costs at the best asks, blank ones left out, in $0.0001.
    sum: u32,
    kind: BasketKind,
    /// How many legs it will have.
    want: u8,
    /// How many are in; it exists when they are as many.
    have: u8,
    /// Legs without an ask.
    blank: u8,
    /// Whether a unit needs more than one contract of a leg.
    has_ratios: bool,
    /// Whether it is not to be bought any more: it says only what is held together.
    withdrawn: bool,
    /// Best ask of each leg, in $0.0001, or [`NONE`].
    asks: [u16; LEGS_MAX],
    legs: [Leg; LEGS_MAX],
}

impl Basket {
    const EMPTY: Self = Self {
        payout: 0,
        sum: 0,
        kind: BasketKind::Complement,
        want: 0,
        have: 0,
        blank: 0,
        has_ratios: false,
        withdrawn: false,
        asks: [NONE; LEGS_MAX],
        legs: [Leg { market: MarketId::new(0), outcome: Outcome::Yes, ratio: 1 }; LEGS_MAX],
    };

    /// Whether it is not to be bought any more.
    pub const fn is_withdrawn(&self) -> bool {
        self.withdrawn
    }

    /// How its markets are related.
    pub const fn kind(&self) -> BasketKind {
        self.kind
    }

    /// The least that one unit pays, in $0.0001.
    pub const fn payout(&self) -> u32 {
        self.payout
    }

    /// What to buy: of each, its ratio of contracts a unit.
    pub fn legs(&self) -> &[Leg] {
        &self.legs[..usize::from(self.have)]
    }

    /// What one unit costs at best prices before fees, in $0.0001; `None` while a leg cannot be bought.
    pub const fn cost(&self) -> Option<u32> {
        if self.is_whole() && self.blank == 0 { Some(self.sum) } else { None }
    }

    const fn is_whole(&self) -> bool {
        self.want > 0 && self.have == self.want
    }

    /// Whether it costs less than it pays, before fees. The sum comes first: it alone says no for nearly every basket.
    const fn is_candidate(&self) -> bool {
        self.sum < self.payout && self.blank == 0 && self.is_whole() && !self.withdrawn
    }

    fn reprice(&mut self, leg: usize, ask: u16) {
        let ratio = u32::from(self.legs[leg].ratio);
        match std::mem::replace(&mut self.asks[leg], ask) {
            NONE => self.blank -= 1,
            old => self.sum -= u32::from(old) * ratio,
        }
        match ask {
            NONE => self.blank += 1,
            new => self.sum += u32::from(new) * ratio,
        }
    }

    /// The most that one unit can pay, in $0.0001: a dollar for each contract.
    fn payout_max(&self) -> u32 {
        self.legs().iter().map(|leg| u32::from(leg.ratio) * 10_000).sum()
    }
}

/// A basket that a market touches, and as which leg.
#[derive(Clone, Copy, Debug)]
struct Touch {
    basket: BasketId,
    leg: u8,
    outcome: Outcome,
}

/// The baskets that a market touches.
#[derive(Clone, Copy, Debug)]
struct Touched {
    list: [Touch; BASKETS_PER_MARKET_MAX],
    len: u8,
}

impl Touched {
    const NONE: Self = Self {
        list: [Touch { basket: BasketId::new(0), leg: 0, outcome: Outcome::Yes };
            BASKETS_PER_MARKET_MAX],
        len: 0,
    };

    fn as_slice(&self) -> &[Touch] {
        &self.list[..usize::from(self.len)]
    }

    fn add(&mut self, touch: Touch) -> bool {
        let Some(slot) = self.list.get_mut(usize::from(self.len)) else { return false };
        *slot = touch;
        self.len += 1;
        true
    }

    fn forget(&mut self, basket: BasketId) {
        let mut kept = 0;
        for index in 0..usize::from(self.len) {
            let touch = self.list[index];
            if touch.basket != basket {
                self.list[kept] = touch;
                kept += 1;
            }
        }
        self.len = kept as u8;
    }
}

/// Why a leg of a basket was not taken in; the basket does not exist until it comes again from its first leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefError {
    /// The id is beyond [`BASKETS_MAX`], or the market beyond [`MARKETS_MAX`].
    Unknown,
    /// None, or more than [`LEGS_MAX`].
    Legs,
    /// Not the leg that comes next, or it disagrees with the first about the basket.
    Order,
    /// The same outcome twice: its depth would be counted twice.
    Twice,
    /// The market touches [`BASKETS_PER_MARKET_MAX`] baskets already.
    Full,
    /// It pays nothing, or more than its legs can: a dollar for each contract.
    Payout,
    /// The leg needs no contract a unit, or more than [`RATIO_MAX`].
    Ratio,
}

/// Every basket, and which of them are worth a look.
#[derive(Debug)]
pub struct Baskets {
    baskets: PerId<Basket>,
    touched: PerId<Touched>,
    /// Candidates that something has happened to since they were last asked for.
    dirty: IdSet,
    /// See [`Baskets::version`].
    version: u64,
}

impl Baskets {
    /// Without a basket yet. Allocates everything it will ever need.
    pub fn new() -> Self {
        Self {
            baskets: PerId::new(BASKETS_MAX, Basket::EMPTY),
            touched: PerId::new(MARKETS_MAX, Touched::NONE),
            dirty: IdSet::new(BASKETS_MAX),
            version: 0,
        }
    }

    /// A whole basket.
    pub fn get(&self, basket: BasketId) -> Option<&Basket> {
        self.baskets.get(basket.index()).filter(|basket| basket.is_whole())
    }

    /// Whole baskets, by rising id.
    pub fn iter(&self) -> impl Iterator<Item = (BasketId, &Basket)> {
        let ids = (0_u16..).map(BasketId::new);
        ids.zip(self.baskets.iter()).filter(|(_, basket)| basket.is_whole())
    }

    /// Goes up with every leg that is defined and every basket that is removed: while it stands, so do all baskets.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Takes in one leg; says whether the basket is whole. A first leg replaces a basket of the same id.
    ///
    /// # Errors
    /// See [`DefError`]: the basket is dropped.
    pub fn define(&mut self, def: &BasketDef, books: &Books) -> Result<bool, DefError> {
        if def.basket.index() >= BASKETS_MAX || def.market.index() >= MARKETS_MAX {
            return Err(DefError::Unknown);
        }
        self.version += 1;
        if def.leg == 0 {
            self.drop_basket(def.basket);
            self.baskets[def.basket.index()] =
                Basket { kind: def.kind, payout: def.payout, want: def.legs, ..Basket::EMPTY };
        }
        let taken = self.add_leg(def, books);
        if taken.is_err() {
            self.drop_basket(def.basket);
        }
        taken
    }

    fn add_leg(&mut self, def: &BasketDef, books: &Books) -> Result<bool, DefError> {
        let basket = &mut self.baskets[def.basket.index()];
        if def.legs == 0 || usize::from(def.legs) > LEGS_MAX {
            return Err(DefError::Legs);
        }
        if def.ratio == 0 || def.ratio > RATIO_MAX {
            return Err(DefError::Ratio);
        }
        if def.payout == 0 || def.payout > u32::from(def.legs) * u32::from(RATIO_MAX) * 10_000 {
            return Err(DefError::Payout);
        }
        let is_next = (def.leg, def.legs, def.payout, def.kind)
            == (basket.have, basket.want, basket.payout, basket.kind);
        if !is_next || def.leg >= def.legs {
            return Err(DefError::Order);
        }
        let leg = Leg { market: def.market, outcome: def.outcome, ratio: def.ratio };
        let same = |other: &Leg| (other.market, other.outcome) == (leg.market, leg.outcome);
        if basket.legs().iter().any(same) {
            return Err(DefError::Twice);
        }
        let touch = Touch { basket: def.basket, leg: def.leg, outcome: def.outcome };
        if !self.touched[def.market.index()].add(touch) {
            return Err(DefError::Full);
        }
        basket.legs[usize::from(basket.have)] = leg;
        basket.have += 1;
        basket.blank += 1;
        basket.has_ratios |= def.ratio > 1;
        let ask = asks(books.get(def.market))[def.outcome.index()];
        basket.reprice(usize::from(def.leg), ask);
        let whole = basket.is_whole();
        if whole && basket.payout > basket.payout_max() {
            return Err(DefError::Payout);
        }
        if basket.is_candidate() {
            self.mark(def.basket);
        }
        Ok(whole)
    }

    fn drop_basket(&mut self, basket: BasketId) {
        let old = self.baskets[basket.index()];
        if old.want > 0 {
            self.baskets[basket.index()] = Basket::EMPTY;
        }
        for leg in old.legs() {
            self.touched[leg.market.index()].forget(basket);
        }
        self.dirty.remove(basket.index());
    }

    /// A whole basket is not to be bought any more; what is held of it still pays together. Returns whether that is new.
    pub fn withdraw(&mut self, basket: BasketId) -> bool {
        if self.get(basket).is_none_or(|there| there.withdrawn) {
            return false;
        }
        self.baskets[basket.index()].withdrawn = true;
        self.dirty.remove(basket.index());
        true
    }

    /// Forgets a basket: what is held of its legs does not pay together, or nothing is. Returns whether it was there.
    pub fn remove(&mut self, basket: BasketId) -> bool {
        let is_there = self.get(basket).is_some();
        if is_there {
            self.version += 1;
            self.drop_basket(basket);
        }
        is_there
    }

    /// A market's book changed at a frame's end, or stopped being usable: reprices the baskets it touches, and marks
    /// those worth a look.
    #[inline]
    pub fn refresh(&mut self, market: MarketId, books: &Books) {
        let Some(touched) = self.touched.get(market.index()) else { return };
        if touched.len == 0 {
            return;
        }
        let book = books.get(market);
        let asks = asks(book);
        for touch in touched.as_slice() {
            let basket = &mut self.baskets[touch.basket.index()];
            let ask = asks[touch.outcome.index()];
            if basket.asks[usize::from(touch.leg)] != ask {
                basket.reprice(usize::from(touch.leg), ask);
            }
            if basket.is_candidate() {
                self.dirty.insert(touch.basket.index());
            }
        }
    }

    /// Several books changed at once: looks at every market.
    pub fn refresh_all(&mut self, books: &Books) {
        for market in (0..self.touched.len() as u16).map(MarketId::new) {
            self.refresh(market, books);
        }
    }

    /// Marks a basket for another look without a change of a book: a cooldown has ended, room has come free.
    pub fn mark(&mut self, basket: BasketId) {
        self.dirty.insert(basket.index());
    }

    /// Whether a basket is marked. It may be one that is not worth a look any more.
    #[inline]
    pub fn is_any_dirty(&self) -> bool {
        !self.dirty.is_empty()
    }

    /// The next marked basket that costs less than it pays at best prices, by rising id; takes the mark off.
    #[inline]
    pub fn poll_dirty(&mut self) -> Option<BasketId> {
        while let Some(slot) = self.dirty.pop() {
            if self.baskets[slot].is_candidate() {
                return Some(BasketId::new(slot as u16));
            }
        }
        None
    }

    /// Whole baskets that a market is a leg of, and the outcome of it that each buys, in the order of their definition.
    pub fn touching(&self, market: MarketId) -> impl Iterator<Item = (BasketId, Outcome)> {
        let touched = self.touched.get(market.index()).map_or(&[][..], Touched::as_slice);
        let whole = |touch: &&Touch| self.baskets[touch.basket.index()].is_whole();
        touched.iter().filter(whole).map(|touch| (touch.basket, touch.outcome))
    }

    /// The same, by the baskets themselves.
    #[inline]
    pub fn with_leg_in(&self, market: MarketId) -> impl Iterator<Item = (&Basket, Outcome)> {
        let touched = self.touched.get(market.index()).map_or(&[][..], Touched::as_slice);
        let baskets =
            touched.iter().map(|touch| (&self.baskets[touch.basket.index()], touch.outcome));
        baskets.filter(|(basket, _)| basket.is_whole())
    }

    /// The baskets that each market touches. `None` where a market is unknown or touches too many.
    fn rebuild(&mut self) -> Option<()> {
        for (id, basket) in (0_u16..).map(BasketId::new).zip(self.baskets.iter()) {
            for (leg, &Leg { market, outcome, .. }) in (0_u8..).zip(basket.legs()) {
                let touch = Touch { basket: id, leg, outcome };
                let is_known = market.index() < MARKETS_MAX;
                (is_known && self.touched[market.index()].add(touch)).then_some(())?;
            }
        }
        Some(())
    }

    /// Walks the depth of all legs together and sizes the basket; see [`Sizing`] for what bounds it. The plan is written
    /// over; on an error it means nothing.
    ///
    /// # Errors
    /// Why nothing should be bought; see [`NoPlan`].
    pub fn walk(
        &self,
        books: &Books,
        id: BasketId,
        sizing: &Sizing<'_>,
        plan: &mut Plan,
    ) -> Result<(), NoPlan> {
        let basket = self.get(id).ok_or(NoPlan::NotReady)?;
        plan.basket = id;
        match (basket.legs().len(), basket.has_ratios) {
            (walk::PAIR, false) => walk::walk_pair(books, basket, sizing, plan),
            (..=FEW_LEGS, false) => walk::walk::<FEW_LEGS, false>(books, basket, sizing, plan),
            (..=FEW_LEGS, true) => walk::walk::<FEW_LEGS, true>(books, basket, sizing, plan),
            (_, _) => walk::walk::<LEGS_MAX, true>(books, basket, sizing, plan),
        }
    }
}

impl Default for Baskets {
    fn default() -> Self {
        Self::new()
    }
}

pack_fields! {
    Leg { market, outcome, ratio }
}

/// Its fields in their order, but for legs and asks, of which only those that are in are written.
impl Pack for Basket {
    fn pack<W: PackSink>(&self, to: &mut W) {
        let Self { kind, payout, legs, want, have, blank, has_ratios: _, withdrawn, asks, sum } =
            self;
        (*kind, *payout, *want, *have).pack(to);
        for leg in 0..usize::from(*have) {
            (legs[leg], asks[leg]).pack(to);
        }
        (*blank, *sum, *withdrawn).pack(to);
    }
    fn unpack<S: PackSource>(from: &mut S) -> Option<Self> {
        let (kind, payout, want, have) = Pack::unpack(from)?;
        let mut basket = Self { kind, payout, want, have, ..Self::EMPTY };
        if usize::from(have) > LEGS_MAX {
            return None;
        }
        for leg in 0..usize::from(have) {
            (basket.legs[leg], basket.asks[leg]) = Pack::unpack(from)?;
        }
        (basket.blank, basket.sum, basket.withdrawn) = Pack::unpack(from)?;
        basket.has_ratios = basket.legs().iter().any(|leg| leg.ratio > 1);
        Some(basket)
    }
}

state_fields! {
    Baskets { baskets: table(Basket::EMPTY), touched: derived, dirty: value, version: value } then rebuild
}

/// The best ask of each outcome in $0.0001, or [`NONE`] where there is none or the book may not be used.
#[inline]
fn asks(book: Option<&Book>) -> [u16; 2] {
    let Some(book) = book.filter(|book| book.is_opened_from()) else { return [NONE; 2] };
    let best = |outcome| book.best_ask_for(outcome).map_or(NONE, |(price, _)| price.ticks());
    [best(Outcome::Yes), best(Outcome::No)]
}
