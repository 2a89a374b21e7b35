//! All orders of one curve at one venue: what has reached the book, what each has filled, and the account.

use std::collections::BTreeMap;

use surefoot_hot::fees::{FeeAccumulator, FeeRule};
use surefoot_hot::ids::{Action, MarketId, OrderId, Side};
use surefoot_hot::order::{Change, Order, Tif};
use surefoot_hot::report::{Liquidity, Reject, VenueState};
use surefoot_hot::units::{Nanos, Price, Qty, Usd};

use super::account::{Deal, PaperAccount};
use super::book::{LevelChange, PublicBook, Taken};
use super::curve::Curve;
use super::queue::{PRINT_WINDOW, Part, QueuePlace};

/// What an amount of money buys is rounded down to so much.
const MONEY_LOT: Qty = Qty::from_micros(10_000);

/// What happened to an order on paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    Fill(PaperFill),
    /// It is over, or it rests; so much of it is filled.
    State {
        order: OrderId,
        state: VenueState,
        filled: Qty,
    },
    Rejected {
        order: OrderId,
        why: Reject,
    },
    CancelRefused {
        order: OrderId,
    },
    /// Its limit as a price of YES, and its size in all.
    Terms {
        order: OrderId,
        price: Price,
        qty: Qty,
    },
    AmendRefused {
        order: OrderId,
    },
}

/// A fill that nobody at a venue knows of. There is no other kind on paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaperFill {
    pub order: OrderId,
    /// Counts the fills of the order from 0.
    pub nth: u32,
    pub market: MarketId,
    pub side: Side,
    /// Price of YES.
    pub price: Price,
    pub qty: Qty,
    pub fee: Usd,
    pub liquidity: Liquidity,
}

/// What a market's orders are filled by.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    pub shard: u8,
    pub fee: FeeRule,
}

/// One order of ours that rests.
#[derive(Clone, Debug)]
struct Standing {
    order: Order,
    terms: Terms,
    filled: Qty,
    /// Where it stands.
    place: QueuePlace,
    /// The number of the event after which it stood there.
    joined: u64,
    fees: FeeAccumulator,
    fills: u32,
    /// Since when the public book has stood against its price.
    crossed: Option<Nanos>,
}

impl Standing {
    fn left(&self) -> Qty {
        self.order.qty.saturating_sub(self.filled)
    }
}

/// How an order ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    pub state: VenueState,
    pub filled: Qty,
}

/// Orders that ended and are remembered, for whoever asks about them.
const ENDED_MAX: usize = 10_000;

/// What one curve adds up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Orders that reached the book and were not rejected.
    pub orders: u64,
    pub rejected: u64,
    pub fills: u64,
    pub contracts: Qty,
    pub fees: Usd,
}

impl Tally {
    /// Of a run that has done nothing yet.
    const NONE: Self =
        Self { orders: 0, rejected: 0, fills: 0, contracts: Qty::ZERO, fees: Usd::ZERO };
}

/// The orders of one curve.
#[derive(Clone, Debug)]
pub struct Desk {
    curve: Curve,
    standing: BTreeMap<OrderId, Standing>,
    ended: BTreeMap<OrderId, Ended>,
    taken: BTreeMap<MarketId, Taken>,
    account: PaperAccount,
    tally: Tally,
    told: Vec<Told>,
}

impl Desk {
    /// Fills by the assumptions of `curve`, into `account`; nothing rests and nothing was taken yet.
    pub const fn new(curve: Curve, account: PaperAccount) -> Self {
        Self {
            curve,
            standing: BTreeMap::new(),
            ended: BTreeMap::new(),
            taken: BTreeMap::new(),
            account,
            tally: Tally::NONE,
            told: Vec::new(),
        }
    }

    /// What is held after all that was filled by this curve.
    pub const fn account(&self) -> &PaperAccount {
        &self.account
    }

    /// What it adds up to.
    pub const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// What has happened since this was last taken.
    pub fn take_told(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.told)
    }

    /// Orders that rest: their market.
    pub fn resting(&self) -> impl Iterator<Item = (OrderId, MarketId)> {
        self.standing.iter().map(|(id, standing)| (*id, standing.order.market))
    }

    /// How an order that rests or has ended stands; `None` where it never reached the book.
    pub fn state_of(&self, order: OrderId) -> Option<Ended> {
        let standing = self.standing.get(&order);
        let rests =
            |standing: &Standing| Ended { state: VenueState::Resting, filled: standing.filled };
        standing.map(rests).or_else(|| self.ended.get(&order).copied())
    }

    /// The best price on the other side that this curve has not taken.
    pub fn best_against(&self, book: &PublicBook, market: MarketId, side: Side) -> Option<Price> {
        let taken = self.taken.get(&market);
        let other = side.other();
        let left = |price, shown| taken.map_or(shown, |taken| taken.left(other, price, shown));
        let mut levels = book.levels(other);
        levels.find(|&(price, shown)| !left(price, shown).is_zero()).map(|(price, _)| price)
    }

    // --- requests that have reached the book ---

    /// An order reaches the book. `seen` is the best price against it when it was decided.
    pub fn on_order(
        &mut self,
        event: u64,
        order: &Order,
        seen: Option<Price>,
        market: Option<(&PublicBook, Terms)>,
    ) {
        if let Err(why) = self.place(event, order, seen, market) {
            self.tally.rejected += 1;
            self.told.push(Told::Rejected { order: order.id, why });
        } else {
            self.tally.orders += 1;
        }
    }

    fn place(
        &mut self,
        event: u64,
        order: &Order,
        seen: Option<Price>,
        market: Option<(&PublicBook, Terms)>,
    ) -> Result<(), Reject> {
        if self.state_of(order.id).is_some() {
            return Err(Reject::Duplicate);
        }
        let (book, terms) = market.ok_or(Reject::Closed)?;
        if !book.is_good() {
            return Err(Reject::Closed); // what rests there is not known, so nothing is promised
        }
        self.check_funds(order, terms)?;
        let (side, limit) = order.on_book();
        let crosses = self
            .best_against(book, order.market, side)
            .is_some_and(|best| reaches(side, limit, best));
        if order.post_only && crosses {
            return Err(Reject::Crossed);
        }
        let walk = self.walk(book, order, seen);
        if order.tif == Tif::Fok && !walk.is_whole {
            return Err(Reject::Killed);
        }
        let mut standing = Standing {
            order: *order,
            terms,
            filled: Qty::ZERO,
            place: QueuePlace::at_end_of(book.at(side, limit)),
            joined: event,
            fees: FeeAccumulator::NEW,
            fills: 0,
            crossed: None,
        };
        for (level, price, qty) in walk.takes {
            self.taken.entry(order.market).or_default().take(side.other(), level, qty);
            self.fill(&mut standing, price, qty, Liquidity::Taker);
        }
        if order.tif.may_rest() && !standing.left().is_zero() {
            self.tell_state(order.id, VenueState::Resting, standing.filled);
            self.standing.insert(order.id, standing);
        } else {
            let is_whole = walk.is_whole || standing.left().is_zero();
            let state = if is_whole { VenueState::Filled } else { VenueState::Cancelled };
            self.end(order.id, state, standing.filled);
        }
        Ok(())
    }

    /// Whether cash or contracts are there for all of an order at its limit. Orders that rest keep what they may need.
    fn check_funds(&self, order: &Order, terms: Terms) -> Result<(), Reject> {
        let offered = self.standing.values().map(|standing| (&standing.order, standing.left()));
        let offered = offered.filter(|(other, _)| {
            let same = (other.market, other.outcome, other.action);
            same == (order.market, order.outcome, Action::Sell)
        });
        let offered = offered.fold(Qty::ZERO, |sum, (_, left)| sum + left);
        let held = self.account.held(order.market, order.outcome).saturating_sub(offered);
        let (needs, beyond) = match order.action {
            Action::Buy => (cost(order.price, order.qty, terms.fee), Qty::ZERO),
            Action::Sell => {
                let beyond = order.qty.saturating_sub(held);
                let fee = terms.fee.fee(order.price, order.qty, true);
                (order.price.complement().cost_ceil(beyond) + fee, beyond)
            }
        };
        if !beyond.is_zero() && !order.venue.rules().sells_beyond_holding() {
            return Err(Reject::Funds);
        }
        let claims = self.standing.values().filter(|standing| {
            standing.terms.shard == terms.shard && standing.order.action == Action::Buy
        });
        let claimed = claims.fold(Usd::ZERO, |sum, standing| {
            sum + cost(standing.order.price, standing.left(), standing.terms.fee)
        });
        // A sale pays its fee out of what it brings.
        let is_covered = beyond.is_zero() && order.action == Action::Sell;
        if is_covered || claimed + needs <= self.account.cash(terms.shard) {
            Ok(())
        } else {
            Err(Reject::Funds)
        }
    }

    /// What an order takes at once, best level first.
    fn walk(&self, book: &PublicBook, order: &Order, seen: Option<Price>) -> Walk {
        let (side, limit) = order.on_book();
        let taken = self.taken.get(&order.market);
        let worse = |one: Price, other: Price| match side {
            Side::Bid => one.max(other),
            Side::Ask => one.min(other),
        };
        let mut walk = Walk { takes: Vec::new(), is_whole: false };
        let mut left = order.qty;
        let mut money = order.price.cost_ceil(order.qty);
        for (level, shown) in book.levels(side.other()) {
            if left.is_zero() || !reaches(side, limit, level) {
                break;
            }
            let ours = taken.map_or(shown, |taken| taken.left(side.other(), level, shown));
            let price = self.curve.taken_at(level, seen, limit, worse);
            let mut qty = self.curve.reachable(ours);
            if order.spends() {
                let each = order.outcome.price_from_yes(price);
                qty = qty.min(bought_for(money, each)).floor_to(MONEY_LOT);
                money = (money - each.cost_ceil(qty)).max(Usd::ZERO);
                left = bought_for(money, each).floor_to(MONEY_LOT);
            } else {
                qty = qty.min(left);
                left -= qty;
            }
            if !qty.is_zero() {
                walk.takes.push((level, price, qty));
            }
        }
        walk.is_whole = left.is_zero() && !walk.takes.is_empty();
        walk
    }

    /// A cancel reaches the book.
    pub fn on_cancel(&mut self, order: OrderId) {
        match self.standing.remove(&order) {
            Some(standing) => self.end(order, VenueState::Cancelled, standing.filled),
            None => self.told.push(Told::CancelRefused { order }),
        }
    }

    /// A cancel of everything reaches the book.
    pub fn on_cancel_all(&mut self) {
        for (order, standing) in std::mem::take(&mut self.standing) {
            self.end(order, VenueState::Cancelled, standing.filled);
        }
    }

    /// A change of an order reaches the book. One that keeps the price and asks for no more keeps its place.
    pub fn on_amend(&mut self, event: u64, order: OrderId, to: &Change, book: Option<&PublicBook>) {
        let Some(standing) = self.standing.get(&order) else {
            self.told.push(Told::AmendRefused { order });
            return;
        };
        let changed = to.on(&standing.order);
        let (side, price) = changed.on_book();
        let best = book.and_then(|book| self.best_against(book, changed.market, side));
        // One that would take is refused: the model does not move an order across the book.
        let is_refused = book.is_none_or(|book| !book.is_good())
            || best.is_some_and(|best| reaches(side, price, best))
            || changed.qty <= standing.filled;
        let book = match book {
            Some(book) if !is_refused => book,
            _ => {
                self.told.push(Told::AmendRefused { order });
                return;
            }
        };
        let standing = self.standing.get_mut(&order).expect("it was there");
        let keeps_place =
            changed.price == standing.order.price && changed.qty <= standing.order.qty;
        if !keeps_place {
            standing.place = QueuePlace::at_end_of(book.at(side, price));
            standing.joined = event;
            standing.crossed = None;
        }
        standing.order = changed;
        self.told.push(Told::Terms { order, price, qty: changed.qty });
    }

    // --- what the public data says ---

    /// A level shows something else. `explained` are the parts of a decrease that trades told before; `pending` says how much is gone
    /// from it since an event and may still have been traded.
    pub fn on_level(
        &mut self,
        market: MarketId,
        change: &LevelChange,
        explained: &[Part],
        pending: impl Fn(u64) -> Qty,
    ) {
        if let Some(taken) = self.taken.get_mut(&market) {
            taken.limit(change.side, change.price, change.after);
        }
        for standing in self.standing.values_mut() {
            if standing.order.market != market
                || standing.order.on_book() != (change.side, change.price)
            {
                continue;
            }
            if change.after > change.before {
                standing.place.grow(change.after - change.before);
            }
            // A trade that was told before we joined, of contracts that were still shown then.
            for part in explained.iter().filter(|part| part.first < standing.joined) {
                let _ = standing.place.trade(part.qty);
            }
            standing.place.limit(change.after + pending(standing.joined));
        }
    }

    /// Parts of a decrease that no trade has explained: cancels.
    pub fn on_cancelled(&mut self, market: MarketId, side: Side, price: Price, parts: &[Part]) {
        let curve = self.curve;
        for standing in self.standing.values_mut() {
            if standing.order.market == market && standing.order.on_book() == (side, price) {
                for part in parts.iter().filter(|part| part.first >= standing.joined) {
                    standing.place.cancel(part.qty, curve);
                }
            }
        }
    }

    /// Somebody traded `parts` at a price, against what rests on `side`. No more of ours fills than traded.
    pub fn on_trade(&mut self, market: MarketId, side: Side, price: Price, parts: &[Part]) {
        let mut budget = parts.iter().fold(Qty::ZERO, |sum, part| sum + part.qty);
        let mut ours: Vec<_> = self
            .standing
            .iter()
            .filter(|(_, standing)| {
                let (its, limit) = standing.order.on_book();
                standing.order.market == market && its == side && reaches(side, limit, price)
            })
            .map(|(id, standing)| (standing.order.on_book().1, standing.joined, *id))
            .collect();
        // The best price first, then the order that came first.
        ours.sort_unstable_by(|one, next| {
            let by_price = match side {
                Side::Bid => next.0.cmp(&one.0),
                Side::Ask => one.0.cmp(&next.0),
            };
            by_price.then(one.1.cmp(&next.1)).then(one.2.cmp(&next.2))
        });
        for (limit, joined, id) in ours {
            let mut standing = self.standing.remove(&id).expect("it was listed");
            // What traded at a worse price went past us; at ours, what was ahead goes first.
            let reaches_us = if limit == price {
                let since = parts.iter().filter(|part| part.first >= joined);
                let qty = since.fold(Qty::ZERO, |sum, part| sum + part.qty);
                standing.place.trade(qty)
            } else {
                budget
            };
            let qty = reaches_us.min(budget).min(standing.left());
            if limit == price {
                standing.place.pass(reaches_us - qty);
            }
            budget -= qty;
            self.fill_resting(id, standing, qty);
        }
    }

    /// Time is `now`: the public book may have stood against an order of ours for so long that it cannot be a match that is still being
    /// told, and orders may have expired. `book` gives the book of a market.
    pub fn on_time<'a>(&mut self, now: Nanos, book: impl Fn(MarketId) -> Option<&'a PublicBook>) {
        let ids: Vec<OrderId> = self.standing.keys().copied().collect();
        for id in ids {
            let mut standing = self.standing.remove(&id).expect("it was listed");
            if standing.order.expires.is_some_and(|expiry| expiry.time() <= now) {
                self.end(id, VenueState::Expired, standing.filled);
                continue;
            }
            let book = book(standing.order.market).filter(|book| book.is_good());
            let Some(takes) = book.and_then(|book| self.crossing(&standing, book)) else {
                standing.crossed = None;
                self.standing.insert(id, standing);
                continue;
            };
            let since = *standing.crossed.get_or_insert(now);
            if now.since(since) <= PRINT_WINDOW {
                self.standing.insert(id, standing);
                continue;
            }
            let (side, _) = standing.order.on_book();
            let market = standing.order.market;
            let mut filled = Qty::ZERO;
            for (level, qty) in takes {
                self.taken.entry(market).or_default().take(side.other(), level, qty);
                filled += qty;
            }
            self.fill_resting(id, standing, filled);
        }
    }

    /// What rests against an order of ours, level by level, as much as it has left; `None` where nothing does. Whoever came there would
    /// have met us.
    fn crossing(&self, standing: &Standing, book: &PublicBook) -> Option<Vec<(Price, Qty)>> {
        let (side, limit) = standing.order.on_book();
        let stands_against = |level: Price| match self.curve {
            Curve::Pessimistic => false, // only a trade that is told fills
            Curve::Realistic => level != limit && reaches(side, limit, level),
            Curve::Optimistic => reaches(side, limit, level),
        };
        let taken = self.taken.get(&standing.order.market);
        let (mut left, mut takes) = (standing.left(), Vec::new());
        for (level, shown) in
            book.levels(side.other()).take_while(|(level, _)| stands_against(*level))
        {
            let ours = taken.map_or(shown, |taken| taken.left(side.other(), level, shown));
            let qty = ours.min(left);
            left -= qty;
            if !qty.is_zero() {
                takes.push((level, qty));
            }
        }
        (!takes.is_empty()).then_some(takes)
    }

    /// A market is traded no more: what rests there is gone.
    pub fn on_closed(&mut self, market: MarketId) {
        let there = |(id, standing): (&OrderId, &Standing)| {
            (standing.order.market == market).then_some(*id)
        };
        let ids: Vec<OrderId> = self.standing.iter().filter_map(there).collect();
        for id in ids {
            self.on_cancel(id);
        }
    }

    /// A market has its result.
    pub fn on_settled(&mut self, market: MarketId, shard: u8, yes_pays: Price) {
        self.on_closed(market);
        self.account.settle(market, shard, yes_pays);
    }

    // --- what it comes to ---

    /// So much of an order that rests is filled, at its limit; it may be over by that.
    fn fill_resting(&mut self, id: OrderId, mut standing: Standing, qty: Qty) {
        if qty.is_zero() {
            self.standing.insert(id, standing);
            return;
        }
        standing.crossed = None;
        let (_, limit) = standing.order.on_book();
        self.fill(&mut standing, limit, qty, Liquidity::Maker);
        if standing.left().is_zero() {
            self.end(id, VenueState::Filled, standing.filled);
        } else {
            self.standing.insert(id, standing);
        }
    }

    /// Books a fill at a price of YES.
    fn fill(&mut self, standing: &mut Standing, price: Price, qty: Qty, liquidity: Liquidity) {
        let order = &standing.order;
        let (market, outcome, action) = (order.market, order.outcome, order.action);
        let each = outcome.price_from_yes(price);
        let takes = liquidity == Liquidity::Taker;
        let fee = standing.terms.fee.charge(&mut standing.fees, action, each, qty, takes);
        let shard = standing.terms.shard;
        self.account.book(&Deal { market, shard, outcome, action, price: each, qty, fee });
        self.tally.fills += 1;
        self.tally.contracts += qty;
        self.tally.fees += fee;
        let (side, _) = order.on_book();
        let (order, nth) = (order.id, standing.fills);
        standing.fills += 1;
        standing.filled += qty;
        let fill = PaperFill { order, nth, market, side, price, qty, fee, liquidity };
        self.told.push(Told::Fill(fill));
    }

    fn end(&mut self, order: OrderId, state: VenueState, filled: Qty) {
        self.ended.insert(order, Ended { state, filled });
        if self.ended.len() > ENDED_MAX {
            self.ended.pop_first(); // ids rise with time
        }
        self.tell_state(order, state, filled);
    }

    fn tell_state(&mut self, order: OrderId, state: VenueState, filled: Qty) {
        self.told.push(Told::State { order, state, filled });
    }

    /// Contracts ahead of an order of ours that rests.
    pub fn ahead_of(&self, order: OrderId) -> Option<Qty> {
        self.standing.get(&order).map(|standing| standing.place.ahead())
    }
}

/// What an order takes at once.
struct Walk {
    /// The level, the price that is paid, and how much: prices of YES.
    takes: Vec<(Price, Price, Qty)>,
    /// Whether nothing of the order is left.
    is_whole: bool,
}

/// Whether an order on `side` with this limit may trade at a price; all of YES.
fn reaches(side: Side, limit: Price, price: Price) -> bool {
    match side {
        Side::Bid => price <= limit,
        Side::Ask => price >= limit,
    }
}

/// The most that buying can cost, its fee included.
fn cost(price: Price, qty: Qty, fee: FeeRule) -> Usd {
    price.cost_ceil(qty) + fee.fee(price, qty, true)
}

/// How many contracts an amount buys, rounded down; nothing can be bought at nothing.
fn bought_for(money: Usd, price: Price) -> Qty {
    if price == Price::ZERO {
        return Qty::ZERO;
    }
    let micros = u128::from(money.micros().max(0).unsigned_abs()) * 10_000;
    let micros = micros / u128::from(price.ticks());
    Qty::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
}
