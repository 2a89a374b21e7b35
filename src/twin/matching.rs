//! A price-time order book in YES terms. It knows orders and owners, and no money.

use std::collections::{BTreeMap, VecDeque};

use surefoot_hot::ids::Side;
use surefoot_hot::units::{Price, Qty};

/// The owner of the house's own orders, which stand for the rest of the world.
pub const HOUSE: u32 = 0;

/// An order that arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// Its id, unique within the book.
    pub id: u64,
    /// Whose it is.
    pub owner: u32,
    /// Which side of the YES book it joins.
    pub side: Side,
    /// The worst price it takes, in YES terms.
    pub limit: Price,
    /// Contracts at the most.
    pub qty: Qty,
    /// Whether what is left rests.
    pub rest: bool,
    /// Whether it stops where it would meet an order of its own owner; what is left then never rests.
    pub stop_at_own: bool,
}

/// An order that rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resting {
    /// The order's id, unique in its book.
    pub id: u64,
    /// Whose it is.
    pub owner: u32,
    pub side: Side,
    /// Its price, in YES terms.
    pub price: Price,
    /// What is left of it.
    pub left: Qty,
}

/// One meeting of the incoming order with a resting one, at the resting one's price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// The resting order.
    pub maker: u64,
    /// Whose it is.
    pub maker_owner: u32,
    /// The resting order's price, in YES terms.
    pub price: Price,
    /// Contracts that change hands.
    pub qty: Qty,
    /// What is left of the resting order.
    pub maker_left: Qty,
}

/// What became of an incoming order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Submitted {
    /// In the order they happened.
    pub matches: Vec<Match>,
    /// What did not match.
    pub left: Qty,
    /// Whether `left` rests now.
    pub rested: bool,
    /// Whether it stopped at an order of its own owner.
    pub stopped: bool,
}

#[derive(Clone, Debug, Default)]
struct Level {
    queue: VecDeque<Resting>,
    total: Qty,
}

/// One market's book: orders match by price, then by time.
///
/// # What it does not model
///
/// Fills here may look better, or come later, than at the venue:
///
/// - *Queue position.* Everybody else is one owner, the house. Where the house shrinks a level, its youngest orders go
///   first, so that a resting order of ours moves up by trades alone and never because somebody ahead of it cancels.
/// - *Hidden orders.* What rests is what is shown; no order takes more or less than the book says.
/// - *Latency.* An order matches at the moment in which it is read: there is no engine queue, and nobody can be faster
///   than the client whose request is read first.
/// - *Impact.* The house does not answer to orders, except where the flow closes a gap that was hit.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// By price in ticks; bids and asks.
    sides: [BTreeMap<u16, Level>; 2],
    /// Where each resting order is.
    places: BTreeMap<u64, (Side, u16)>,
}

impl Book {
    /// An empty book.
    pub fn new() -> Self {
        Self::default()
    }

    /// Matches `order` against the other side, best price and then oldest first, and lets the rest of it
    /// rest where it may. An id that rests already is our mistake.
    pub fn submit(&mut self, order: Incoming) -> Submitted {
        assert!(!self.places.contains_key(&order.id), "order ids are unique within a book");
        let mut done = Submitted { left: order.qty, ..Submitted::default() };
        while !done.left.is_zero() {
            let Some(price) = self.best(order.side.other()).map(|(price, _)| price) else { break };
            if !crosses(order.side, order.limit, price) {
                break;
            }
            if !self.take_level(&order, price, &mut done) {
                done.stopped = true;
                break;
            }
        }
        if order.rest && !done.stopped && !done.left.is_zero() {
            self.insert(Resting {
                id: order.id,
                owner: order.owner,
                side: order.side,
                price: order.limit,
                left: done.left,
            });
            done.rested = true;
        }
        done
    }

    /// Takes from one level; `false` where it met its own owner.
    fn take_level(&mut self, order: &Incoming, price: Price, done: &mut Submitted) -> bool {
        let side = &mut self.sides[order.side.other().index()];
        let level = side.get_mut(&price.ticks()).expect("the best level exists");
        let mut met_own = false;
        while !done.left.is_zero() {
            let Some(maker) = level.queue.front_mut() else { break };
            if order.stop_at_own && maker.owner == order.owner {
                met_own = true;
                break;
            }
            let qty = done.left.min(maker.left);
            maker.left -= qty;
            level.total -= qty;
            done.left -= qty;
            done.matches.push(Match {
                maker: maker.id,
                maker_owner: maker.owner,
                price,
                qty,
                maker_left: maker.left,
            });
            if maker.left.is_zero() {
                self.places.remove(&maker.id);
                level.queue.pop_front();
            }
        }
        if level.queue.is_empty() {
            side.remove(&price.ticks());
        }
        !met_own
    }

    /// Lets an order rest at the back of its level without matching. The caller knows that it does not cross.
    pub fn insert(&mut self, order: Resting) {
        let ticks = order.price.ticks();
        let level = self.sides[order.side.index()].entry(ticks).or_default();
        level.total += order.left;
        level.queue.push_back(order);
        let before = self.places.insert(order.id, (order.side, ticks));
        assert!(before.is_none(), "order ids are unique within a book");
    }

    /// How much an order of that side and limit would take now, whoever owns what it meets.
    pub fn would_fill(&self, side: Side, limit: Price) -> Qty {
        let mut sum = Qty::ZERO;
        for (price, qty) in self.levels(side.other()) {
            if !crosses(side, limit, price) {
                break;
            }
            sum += qty;
        }
        sum
    }

    /// Whether an order of that side and limit would take anything now.
    pub fn crosses(&self, side: Side, limit: Price) -> bool {
        self.best(side.other()).is_some_and(|(price, _)| crosses(side, limit, price))
    }

    /// Takes an order out; `None` where it does not rest.
    pub fn cancel(&mut self, id: u64) -> Option<Resting> {
        let (side, ticks) = self.places.remove(&id)?;
        let levels = &mut self.sides[side.index()];
        let level = levels.get_mut(&ticks).expect("a placed order has a level");
        let at = level.queue.iter().position(|o| o.id == id).expect("a placed order is queued");
        let order = level.queue.remove(at).expect("found above");
        level.total -= order.left;
        if level.queue.is_empty() {
            levels.remove(&ticks);
        }
        Some(order)
    }

    /// Makes a resting order smaller where it stands, keeping its place in the queue; to zero takes it out.
    /// `None` where it does not rest or `left` is more than it has.
    pub fn reduce_to(&mut self, id: u64, left: Qty) -> Option<Resting> {
        if left.is_zero() {
            return self.cancel(id).map(|o| Resting { left: Qty::ZERO, ..o });
        }
        let &(side, ticks) = self.places.get(&id)?;
        let level = self.sides[side.index()].get_mut(&ticks).expect("a placed order has a level");
        let order = level.queue.iter_mut().find(|o| o.id == id).expect("a placed order is queued");
        let less = order.left.checked_sub(left)?;
        order.left = left;
        let order = *order;
        level.total -= less;
        Some(order)
    }

    /// A resting order.
    pub fn order(&self, id: u64) -> Option<&Resting> {
        let (side, ticks) = self.places.get(&id)?;
        self.sides[side.index()].get(ticks)?.queue.iter().find(|o| o.id == id)
    }

    /// How much stands before a resting order at its own level.
    pub fn ahead_of(&self, id: u64) -> Option<Qty> {
        let (side, ticks) = self.places.get(&id)?;
        let mut sum = Qty::ZERO;
        for order in &self.sides[side.index()].get(ticks)?.queue {
            if order.id == id {
                return Some(sum);
            }
            sum += order.left;
        }
        None
    }

    /// Levels, best first.
    pub fn levels(&self, side: Side) -> Box<dyn Iterator<Item = (Price, Qty)> + '_> {
        let levels = self.sides[side.index()].iter().map(|(&ticks, l)| (price_of(ticks), l.total));
        match side {
            Side::Bid => Box::new(levels.rev()),
            Side::Ask => Box::new(levels),
        }
    }

    /// Resting orders, best price and then oldest first.
    pub fn orders(&self, side: Side) -> Box<dyn Iterator<Item = &Resting> + '_> {
        let levels = self.sides[side.index()].values();
        match side {
            Side::Bid => Box::new(levels.rev().flat_map(|l| l.queue.iter())),
            Side::Ask => Box::new(levels.flat_map(|l| l.queue.iter())),
        }
    }

    /// The best level.
    pub fn best(&self, side: Side) -> Option<(Price, Qty)> {
        let levels = &self.sides[side.index()];
        let found = match side {
            Side::Bid => levels.last_key_value(),
            Side::Ask => levels.first_key_value(),
        };
        found.map(|(&ticks, l)| (price_of(ticks), l.total))
    }

    /// The quantity resting at a price.
    pub fn at(&self, side: Side, price: Price) -> Qty {
        self.sides[side.index()].get(&price.ticks()).map_or(Qty::ZERO, |l| l.total)
    }

    /// What of it is the house's.
    pub fn house_at(&self, side: Side, price: Price) -> Qty {
        let Some(level) = self.sides[side.index()].get(&price.ticks()) else { return Qty::ZERO };
        level.queue.iter().filter(|o| o.owner == HOUSE).fold(Qty::ZERO, |sum, o| sum + o.left)
    }

    /// Makes the house's resting quantity at a level `qty`: less is taken from its youngest orders, more is one
    /// order `id` at the back. Nothing matches here: the caller first submits what would cross.
    pub fn set_house(&mut self, side: Side, price: Price, qty: Qty, id: u64) {
        let now = self.house_at(side, price);
        if let Some(more) = qty.checked_sub(now) {
            if !more.is_zero() {
                self.insert(Resting { id, owner: HOUSE, side, price, left: more });
            }
            return;
        }
        let mut less = now - qty;
        while !less.is_zero() {
            let level = self.sides[side.index()].get(&price.ticks()).expect("it holds `now`");
            let youngest =
                *level.queue.iter().rev().find(|o| o.owner == HOUSE).expect("it holds `now`");
            let cut = less.min(youngest.left);
            self.reduce_to(youngest.id, youngest.left - cut);
            less -= cut;
        }
    }

    /// Takes the house out of every level that an order of that side and limit would meet.
    pub fn clear_house(&mut self, side: Side, limit: Price) {
        let other = side.other();
        let met: Vec<u64> = self
            .orders(other)
            .take_while(|o| crosses(side, limit, o.price))
            .filter(|o| o.owner == HOUSE)
            .map(|o| o.id)
            .collect();
        for id in met {
            self.cancel(id);
        }
    }

    /// The same book with the house's orders alone, each in its place.
    #[must_use]
    pub fn of_house(&self) -> Self {
        let mut book = Self::new();
        for side in [Side::Bid, Side::Ask] {
            self.orders(side).filter(|o| o.owner == HOUSE).for_each(|o| book.insert(*o));
        }
        book
    }

    /// How many orders rest.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether none rests.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }
}

/// Whether an order of that side and limit takes from a level of the other side.
fn crosses(side: Side, limit: Price, level: Price) -> bool {
    match side {
        Side::Bid => level <= limit,
        Side::Ask => level >= limit,
    }
}

fn price_of(ticks: u16) -> Price {
    Price::from_ticks(ticks).expect("levels are keyed by prices")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn px(ticks: u16) -> Price {
        Price::from_ticks(ticks).unwrap()
    }

    fn order(id: u64, owner: u32, side: Side, ticks: u16, contracts: u64) -> Incoming {
        let qty = Qty::from_contracts(contracts);
        Incoming { id, owner, side, limit: px(ticks), qty, rest: true, stop_at_own: false }
    }

    #[test]
    fn best_price_then_oldest_first_at_the_makers_price() {
        let mut book = Book::new();
        book.submit(order(1, 1, Side::Ask, 5_200, 10));
        book.submit(order(2, 2, Side::Ask, 5_100, 10));
        book.submit(order(3, 3, Side::Ask, 5_100, 10));
        let done = book.submit(order(4, 4, Side::Bid, 5_200, 25));
        let met: Vec<(u64, u16, u64)> = done
            .matches
            .iter()
            .map(|m| (m.maker, m.price.ticks(), m.qty.micros() / 1_000_000))
            .collect();
        assert_eq!(met, [(2, 5_100, 10), (3, 5_100, 10), (1, 5_200, 5)]);
        assert!(done.left.is_zero() && !done.rested);
        assert_eq!(book.best(Side::Ask), Some((px(5_200), Qty::from_contracts(5))));
    }

    #[test]
    fn stopping_at_ones_own_order_leaves_both_where_they_are() {
        let mut book = Book::new();
        book.submit(order(1, 2, Side::Ask, 5_000, 10));
        book.submit(order(2, 1, Side::Ask, 5_000, 10));
        let done = book.submit(Incoming { stop_at_own: true, ..order(3, 1, Side::Bid, 5_000, 15) });
        assert_eq!(done.matches.len(), 1);
        assert!(done.stopped && !done.rested);
        assert_eq!(done.left, Qty::from_contracts(5));
        assert_eq!(book.at(Side::Ask, px(5_000)), Qty::from_contracts(10));
    }

    #[test]
    fn the_house_shrinks_from_its_youngest_and_leaves_others_alone() {
        let mut book = Book::new();
        book.set_house(Side::Bid, px(4_000), Qty::from_contracts(10), 1);
        book.submit(order(2, 7, Side::Bid, 4_000, 5));
        book.set_house(Side::Bid, px(4_000), Qty::from_contracts(30), 3);
        assert_eq!(book.ahead_of(2), Some(Qty::from_contracts(10)));
        book.set_house(Side::Bid, px(4_000), Qty::from_contracts(4), 4);
        assert_eq!(book.at(Side::Bid, px(4_000)), Qty::from_contracts(9));
        assert_eq!(book.ahead_of(2), Some(Qty::from_contracts(4)));
        book.clear_house(Side::Ask, px(4_000));
        assert_eq!(book.at(Side::Bid, px(4_000)), Qty::from_contracts(5));
    }

    /// The dull twin: a list of orders in arrival order, scanned for each match.
    #[derive(Default)]
    struct Naive(Vec<Resting>);

    impl Naive {
        fn submit(&mut self, order: Incoming) -> Submitted {
            let mut done = Submitted { left: order.qty, ..Submitted::default() };
            while !done.left.is_zero() {
                let best = (0..self.0.len())
                    .filter(|&i| {
                        self.0[i].side != order.side
                            && crosses(order.side, order.limit, self.0[i].price)
                    })
                    .min_by_key(|&i| match order.side {
                        Side::Bid => (i32::from(self.0[i].price.ticks()), i),
                        Side::Ask => (-i32::from(self.0[i].price.ticks()), i),
                    });
                let Some(at) = best else { break };
                if order.stop_at_own && self.0[at].owner == order.owner {
                    done.stopped = true;
                    break;
                }
                let maker = &mut self.0[at];
                let qty = maker.left.min(done.left);
                maker.left -= qty;
                done.left -= qty;
                done.matches.push(Match {
                    maker: maker.id,
                    maker_owner: maker.owner,
                    price: maker.price,
                    qty,
                    maker_left: maker.left,
                });
                if maker.left.is_zero() {
                    self.0.remove(at);
                }
            }
            if order.rest && !done.stopped && !done.left.is_zero() {
                done.rested = true;
                self.0.push(Resting {
                    id: order.id,
                    owner: order.owner,
                    side: order.side,
                    price: order.limit,
                    left: done.left,
                });
            }
            done
        }
    }

    #[test]
    fn agrees_with_a_scanned_list() {
        for seed in 1..=40_u64 {
            let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let mut next = |below: u64| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state % below
            };
            let (mut book, mut naive) = (Book::new(), Naive::default());
            for id in 0..600 {
                match next(10) {
                    0 | 1 if id > 0 => {
                        let victim = next(id);
                        let at = naive.0.iter().position(|o| o.id == victim);
                        assert_eq!(book.cancel(victim), at.map(|i| naive.0.remove(i)));
                    }
                    2 if !naive.0.is_empty() => {
                        let at = next(naive.0.len() as u64) as usize;
                        let half = Qty::from_micros(naive.0[at].left.micros() / 2);
                        let id = naive.0[at].id;
                        naive.0[at].left = half;
                        assert_eq!(book.reduce_to(id, half).unwrap().left, half, "seed {seed}");
                        if half.is_zero() {
                            naive.0.remove(at);
                        }
                    }
                    _ => {
                        let incoming = Incoming {
                            id,
                            owner: next(4) as u32,
                            side: if next(2) == 0 { Side::Bid } else { Side::Ask },
                            limit: px(4_900 + 10 * next(20) as u16),
                            qty: Qty::from_micros(1 + next(5_000_000)),
                            rest: next(4) != 0,
                            stop_at_own: next(3) == 0,
                        };
                        let would = naive
                            .0
                            .iter()
                            .filter(|o| {
                                o.side != incoming.side
                                    && crosses(incoming.side, incoming.limit, o.price)
                            })
                            .fold(Qty::ZERO, |sum, o| sum + o.left);
                        assert_eq!(book.would_fill(incoming.side, incoming.limit), would);
                        assert_eq!(book.submit(incoming), naive.submit(incoming), "seed {seed}");
                    }
                }
                assert_eq!(book.len(), naive.0.len(), "seed {seed}");
                for side in [Side::Bid, Side::Ask] {
                    let mut want: BTreeMap<u16, Qty> = BTreeMap::new();
                    for o in naive.0.iter().filter(|o| o.side == side) {
                        *want.entry(o.price.ticks()).or_default() += o.left;
                    }
                    let mut seen: Vec<(u16, Qty)> =
                        book.levels(side).map(|(p, q)| (p.ticks(), q)).collect();
                    if side == Side::Bid {
                        seen.reverse();
                    }
                    assert_eq!(seen, want.into_iter().collect::<Vec<_>>(), "seed {seed}");
                }
            }
        }
    }
}
