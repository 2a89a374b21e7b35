//! The depth walk: all legs together, level by level, as long as the last unit is worth it.

use super::{Basket, Leg, LegPlan, NoPlan, Plan, Sizing};
use crate::book::{Book, Books, Levels};
use crate::bounds::WALK_LEVELS_MAX;
use crate::fees::{FeeRule, MANY, TICK_OF_MANY};
use crate::ids::{MarketId, Outcome};
use crate::ledger::CashAccount;
use crate::units::{Price, Qty, Usd};
use crate::venue_rules::{CASH_ACCOUNTS, LOT};

/// Taken off every dollar bound, per leg: cost and fee round up at every fill, Kalshi's to $0.0001 (`kalshi.md` §7.2),
/// and an order may take many.
pub(super) const ROUNDING: Usd = Usd::from_cents(2);

/// One leg on its way down.
#[derive(Clone, Debug)]
struct Cursor<'a, const RATIOS: bool> {
    book: &'a Book,
    account: CashAccount,
    /// Contracts for each unit of the basket.
    ratio: u16,
    levels: std::iter::Take<Levels<'a>>,
    /// Levels beyond this price are not walked to.
    dearest: Price,
    price: Price,
    /// What is left of the level, and what was carried to it.
    left: Qty,
    /// What has been taken of it.
    taken: Qty,
    /// What this leg of [`MANY`] units costs at this level with fees, in microdollars.
    unit: i64,
    /// What the levels behind come to, and this one once it is closed.
    cost: LegCost,
    /// Whether contracts that were not enough for a unit were carried to a level behind theirs: the cost has them at its
    /// price.
    carries: bool,
}

/// What is bought of one leg, and what it comes to.
#[derive(Clone, Copy, Debug)]
struct LegCost {
    leg: LegPlan,
    /// What it is worth at least, by the venue's count.
    worth: Usd,
    /// What this leg of [`MANY`] units costs at the limit, as [`Cursor::unit`].
    last_unit: i64,
}

impl LegCost {
    const fn new(market: MarketId, outcome: Outcome, ratio: u16) -> Self {
        let leg = LegPlan {
            market,
            outcome,
            ratio,
            limit: Price::ZERO,
            qty: Qty::ZERO,
            levels: 0,
            cost: Usd::ZERO,
            fee: Usd::ZERO,
        };
        Self { leg, worth: Usd::ZERO, last_unit: 0 }
    }

    /// So many contracts of the next level, where this leg of [`MANY`] units would cost `unit`.
    fn add(&mut self, rule: FeeRule, price: Price, qty: Qty, unit: i64) {
        let cost = price.cost_ceil(qty);
        self.leg.limit = price;
        self.leg.qty += qty;
        self.leg.levels += 1;
        self.leg.cost += cost;
        self.leg.fee += rule.taker_charge(price, qty, cost);
        self.worth += price.proceeds_floor(qty);
        self.last_unit = unit;
    }
}

/// One slot a leg, none of them empty; slots beyond the last leg are left out, so that no loop looks at them.
type Cursors<'a, const RATIOS: bool> = [Option<Cursor<'a, RATIOS>>];

impl<'a, const RATIOS: bool> Cursor<'a, RATIOS> {
    fn new(book: &'a Book, leg: &Leg, dearest: Price) -> Option<Self> {
        let (terms, outcome) = (book.terms(), leg.outcome);
        let ratio = if RATIOS { leg.ratio } else { 1 };
        let mut levels = book.asks_for(outcome).take(WALK_LEVELS_MAX);
        let (price, left) = levels.next()?;
        Some(Self {
            book,
            account: CashAccount::of(terms.venue, terms.shard),
            ratio,
            levels,
            dearest,
            price,
            left,
            taken: Qty::ZERO,
            unit: cost_of_many(terms.fee, price, ratio),
            cost: LegCost::new(terms.market, outcome, ratio),
            carries: false,
        })
    }

    /// Contracts for each unit.
    const fn ratio(&self) -> u16 {
        if RATIOS { self.ratio } else { 1 }
    }

    /// How many units the level has contracts for. What is left of it beyond that, not enough for a millionth of a unit, is
    /// carried to the next one.
    const fn depth(&self) -> Qty {
        self.left.per(self.ratio())
    }

    fn take(&mut self, units: Qty) {
        let qty = units.times(self.ratio());
        self.left -= qty;
        self.taken += qty;
    }

    /// To the next level; `false` where there is none.
    fn advance(&mut self) -> bool {
        self.close();
        let next = self.levels.next().filter(|(price, _)| *price <= self.dearest);
        let Some((price, left)) = next else { return false };
        self.carries |= !self.left.is_zero();
        (self.price, self.left) = (price, self.left + left);
        self.unit = cost_of_many(self.book.terms().fee, price, self.ratio());
        true
    }

    /// Adds what was taken of this level to the cost.
    fn close(&mut self) {
        let taken = std::mem::take(&mut self.taken);
        if !taken.is_zero() {
            self.cost.add(self.book.terms().fee, self.price, taken, self.unit);
        }
    }

    /// What the best `units` cost, from the book.
    fn cost_for(&self, units: Qty) -> LegCost {
        let terms = self.book.terms();
        let outcome = self.cost.leg.outcome;
        let mut cost = LegCost::new(terms.market, outcome, self.ratio());
        let mut need = units.times(self.ratio());
        for (price, qty) in self.book.asks_for(outcome).take(WALK_LEVELS_MAX) {
            let here = need.min(qty);
            cost.add(terms.fee, price, here, cost_of_many(terms.fee, price, self.ratio()));
            need -= here;
            if need.is_zero() {
                break;
            }
        }
        assert!(need.is_zero(), "the walk never goes beyond the depth");
        cost
    }
}

/// What `ratio` times [`MANY`] contracts cost with fees, in microdollars.
fn cost_of_many(fee: FeeRule, price: Price, ratio: u16) -> i64 {
    fee.cost_of_many(price) * i64::from(ratio)
}

/// Sizes a basket of up to `N` legs, of each of which a unit needs one contract unless `RATIOS`. Most have a few legs and no
/// ratios, and a walk through the room of the largest would cost them more than the walk itself.
///
/// Level prices only rise, and with them a unit's cost, so the units before the first one that is not worth it are
/// all the units that are.
pub(super) fn walk<const N: usize, const RATIOS: bool>(
    books: &Books,
    basket: &Basket,
    sizing: &Sizing<'_>,
    plan: &mut Plan,
) -> Result<(), NoPlan> {
    let gross = i64::from(basket.payout) - i64::from(basket.cost().ok_or(NoPlan::NotReady)?);
    let mut slots: [Option<Cursor<'_, RATIOS>>; N] = [const { None }; N];
    let cursors = &mut slots[..basket.legs().len()];
    for ((slot, leg), room) in cursors.iter_mut().zip(basket.legs()).zip(sizing.legs) {
        let book = books.get(leg.market).filter(|book| book.is_good()).ok_or(NoPlan::NotReady)?;
        *slot = Some(Cursor::new(book, leg, room.dearest).ok_or(NoPlan::NotReady)?);
    }
    if gross * 100 > i64::from(basket.payout) * i64::from(sizing.edge_max_percent) {
        return Err(NoPlan::Absurd { edge: gross as i32 });
    }
    let (taken, edge) = descend(cursors, basket.payout, sizing)?;
    // A whole lot of units is a whole number of lots of every leg.
    let units = taken.floor_to(LOT);
    if units.is_zero() {
        return Err(NoPlan::TooSmall { units: taken, edge, profit: Usd::ZERO });
    }
    plan.legs.clear();
    (plan.kind, plan.units, plan.edge) = (basket.kind, units, edge);
    plan.profit = payout_floor(basket.payout, units);
    let mut last_unit = 0;
    for cursor in cursors.iter_mut().flatten() {
        cursor.close();
        let LegCost { leg, worth, last_unit: unit } =
            if units == taken && !cursor.carries { cursor.cost } else { cursor.cost_for(units) };
        let terms = cursor.book.terms();
        if leg.qty < terms.min_qty || worth < terms.venue.rules().marketable_min {
            return Err(NoPlan::TooSmall { units, edge, profit: Usd::ZERO });
        }
        plan.profit = plan.profit - leg.cost - leg.fee;
        last_unit += unit;
        plan.legs.push(leg);
    }
    plan.edge = ticks_floor(i64::from(basket.payout) * TICK_OF_MANY - last_unit);
    if plan.profit < sizing.profit_min {
        return Err(NoPlan::TooSmall { units, edge: plan.edge, profit: plan.profit });
    }
    Ok(())
}

/// Goes down the levels as far as the last unit is worth it and every bound allows. Returns the units, and the edge of
/// the last one in ticks.
fn descend<const RATIOS: bool>(
    cursors: &mut Cursors<'_, RATIOS>,
    payout: u32,
    sizing: &Sizing<'_>,
) -> Result<(Qty, i32), NoPlan> {
    let mut units = Qty::ZERO;
    let (mut last, mut first) = (None, 0);
    loop {
        let cost: i64 = cursors.iter().flatten().map(|cursor| cursor.unit).sum();
        let edge = i64::from(payout) * TICK_OF_MANY - cost;
        if edge < i64::from(sizing.edge_min) * TICK_OF_MANY {
            first = edge;
            break;
        }
        let edge = ticks_floor(edge);
        let depth = cursors.iter().flatten().map(Cursor::depth).min();
        let want = units + depth.ok_or(NoPlan::NotReady)?;
        let most = bound(cursors, sizing, want);
        if most > units || last.is_none() {
            last = Some(edge);
        }
        // at a worse limit the same dollars may buy less than is taken already
        let taken = most.max(units) - units;
        units += taken;
        cursors.iter_mut().flatten().for_each(|cursor| cursor.take(taken));
        if units < want || !advance(cursors) {
            break;
        }
    }
    match last {
        None => Err(NoPlan::NoEdge { edge: ticks_floor(first) }),
        Some(edge) => Ok((units, edge)),
    }
}

/// Takes every leg that is through with its level to the next; `false` where one ends.
fn advance<const RATIOS: bool>(cursors: &mut Cursors<'_, RATIOS>) -> bool {
    cursors.iter_mut().flatten().all(|cursor| !cursor.depth().is_zero() || cursor.advance())
}

/// The most units, up to `want`, that the bounds allow when every leg's limit is where its cursor stands.
fn bound<const RATIOS: bool>(cursors: &Cursors<'_, RATIOS>, sizing: &Sizing<'_>, want: Qty) -> Qty {
    let mut most = want;
    let mut all = (0, Usd::ZERO);
    let mut seen = 0_u64;
    for (cursor, room) in cursors.iter().flatten().zip(sizing.legs) {
        most = most.min(room.qty.per(cursor.ratio()));
        most = affordable(most, cursor.unit, room.cost - ROUNDING);
        all = (all.0 + cursor.unit, all.1 + ROUNDING);
        let account = 1 << cursor.account.index();
        if seen & account != 0 {
            continue;
        }
        // Once an account: all legs that draw on it together.
        seen |= account;
        let mut drawn = (0, Usd::ZERO);
        for other in cursors.iter().flatten().filter(|other| other.account == cursor.account) {
            drawn = (drawn.0 + other.unit, drawn.1 + ROUNDING);
        }
        most = affordable(most, drawn.0, sizing.cash[cursor.account.index()] - drawn.1);
    }
    affordable(most, all.0, sizing.total - all.1)
}

const _: () = assert!(
    CASH_ACCOUNTS <= u64::BITS as usize,
    "`bound` keeps one bit for each cash account of all venues together"
);

/// The most of `want` that `dollars` buy, where [`MANY`] units cost `unit` microdollars. Multiplies first: the division is
/// needed only where the bound binds.
fn affordable(want: Qty, unit: i64, dollars: Usd) -> Qty {
    let Ok(dollars) = u64::try_from(dollars.micros()) else { return Qty::ZERO };
    let unit = unit.unsigned_abs().max(1);
    let budget = u128::from(dollars) * u128::from(MANY.micros());
    if u128::from(want.micros()) * u128::from(unit) <= budget {
        return want;
    }
    let most = u64::try_from(budget / u128::from(unit));
    most.map_or(want, |most| want.min(Qty::from_micros(most)))
}

/// What `units` of a basket pay at least, rounded down; `payout` in $0.0001 a unit.
pub fn payout_floor(payout: u32, units: Qty) -> Usd {
    let micros = match u64::from(payout).checked_mul(units.micros()) {
        Some(exact) => u128::from(exact / 10_000),
        None => u128::from(payout) * u128::from(units.micros()) / 10_000,
    };
    Usd::from_micros(i64::try_from(micros).expect("QTY_MAX bounds the payout"))
}

fn ticks_floor(of_many: i64) -> i32 {
    i32::try_from(of_many.div_euclid(TICK_OF_MANY)).expect("LEGS_MAX and RATIO_MAX bound an edge")
}
