//! The depth walk as it was first written: every step recomputed from the books. The one in use must give the same.

use super::super::{Basket, LegPlan, NoPlan, Plan, Sizing};
use super::walk::ROUNDING;
use crate::amounts::lot_step;
use crate::book::{Book, Books, Levels};
use crate::bounds::{LEGS_MAX, WALK_LEVELS_MAX};
use crate::fees::FeeRule;
use crate::ids::{Action, BasketId, Outcome, Venue};
use crate::ledger::Purse;
use crate::order::Tif;
use crate::units::{MICROS, Price, Qty, Usd};
use crate::venue_rules::{CASH_ACCOUNTS, LOT};

/// Polymarket refuses marketable orders worth less (`polymarket.md` §3.7, 2026-11).
const MARKETABLE_MIN: Usd = Usd::from_dollars(1);

/// So many contracts, that a fee on them is exact to a millionth of a microdollar each.
const MANY: Qty = Qty::from_contracts(MICROS);

/// A tick's worth of [`MANY`], in microdollars: the scale of [`Cursor::unit`].
const TICK: i64 = 100 * MICROS as i64;

/// One leg on its way down.
#[derive(Clone, Debug)]
struct Cursor<'a> {
    book: &'a Book,
    outcome: Outcome,
    levels: std::iter::Take<Levels<'a>>,
    /// What is left of the level.
    left: Qty,
    price: Price,
    /// What [`MANY`] contracts cost at this level with fees, in microdollars.
    unit: i64,
}

impl<'a> Cursor<'a> {
    fn new(book: &'a Book, outcome: Outcome) -> Option<Self> {
        let levels = book.asks_for(outcome).take(WALK_LEVELS_MAX);
        let mut cursor =
            Self { book, outcome, levels, left: Qty::ZERO, price: Price::ZERO, unit: 0 };
        cursor.advance().then_some(cursor)
    }

    /// To the next level; `false` where there is none.
    fn advance(&mut self) -> bool {
        let Some((price, qty)) = self.levels.next() else { return false };
        (self.price, self.left) = (price, qty);
        self.unit = i64::from(price.ticks()) * TICK + self.fee(price, MANY).micros();
        true
    }

    /// What the venue charges for one fill that takes.
    fn fee(&self, price: Price, qty: Qty) -> Usd {
        charge(self.book.terms().fee, price, qty)
    }

    fn lot(&self, limit: Price, tif: Tif) -> Qty {
        match self.book.terms().venue {
            Venue::Polymarket => lot_step(limit, Action::Buy, tif),
            Venue::Kalshi => LOT,
        }
    }

    /// The worst level needed for `units`.
    fn limit(&self, units: Qty) -> Price {
        let mut need = units;
        let mut limit = Price::ZERO;
        for (price, qty) in self.book.asks_for(self.outcome).take(WALK_LEVELS_MAX) {
            limit = price;
            need = need.saturating_sub(qty);
            if need.is_zero() {
                break;
            }
        }
        limit
    }

    /// What `units` cost, level by level; and what they are worth at least, by the venue's count.
    fn plan(&self, units: Qty) -> (LegPlan, Usd) {
        let terms = self.book.terms();
        let mut plan = LegPlan {
            market: terms.market,
            outcome: self.outcome,
            limit: Price::ZERO,
            qty: units,
            levels: 0,
            cost: Usd::ZERO,
            fee: Usd::ZERO,
        };
        let mut need = units;
        let mut worth = Usd::ZERO;
        for (price, qty) in self.book.asks_for(self.outcome).take(WALK_LEVELS_MAX) {
            let here = need.min(qty);
            plan.limit = price;
            plan.levels += 1;
            worth += price.proceeds_floor(here);
            plan.cost += price.cost_ceil(here);
            plan.fee += self.fee(price, here);
            need -= here;
            if need.is_zero() {
                break;
            }
        }
        assert!(need.is_zero(), "the walk never goes beyond the depth");
        (plan, worth)
    }
}

/// Sizes a basket.
///
/// Level prices only rise, and with them a unit's cost, so the units before the first one that is not worth it are
/// all the units that are.
pub(super) fn walk(
    books: &Books,
    id: BasketId,
    basket: &Basket,
    sizing: &Sizing,
) -> Result<Plan, NoPlan> {
    let gross = i64::from(basket.payout) - i64::from(basket.cost().ok_or(NoPlan::NotReady)?);
    let mut cursors = cursors(books, basket)?;
    if gross * 100 > i64::from(basket.payout) * i64::from(sizing.edge_max_percent) {
        return Err(NoPlan::Absurd { edge: gross as i32 });
    }
    let (units, edge) = descend(&mut cursors, basket.payout, sizing)?;
    let Some(units) = round_to_lots(&cursors, sizing, units) else {
        return Err(NoPlan::TooSmall { units, edge, profit: Usd::ZERO });
    };
    let mut legs = [None; LEGS_MAX];
    let mut profit = payout_floor(basket.payout, units);
    let mut cost_of_many = 0;
    for (slot, cursor) in legs.iter_mut().zip(cursors.iter().flatten()) {
        let (leg, worth) = cursor.plan(units);
        let terms = cursor.book.terms();
        if units < terms.min_qty || (terms.venue == Venue::Polymarket && worth < MARKETABLE_MIN) {
            return Err(NoPlan::TooSmall { units, edge, profit: Usd::ZERO });
        }
        profit = profit - leg.cost - leg.fee;
        cost_of_many += i64::from(leg.limit.ticks()) * TICK + cursor.fee(leg.limit, MANY).micros();
        *slot = Some(leg);
    }
    let edge = ticks_floor(i64::from(basket.payout) * TICK - cost_of_many);
    if profit < sizing.profit_min {
        return Err(NoPlan::TooSmall { units, edge, profit });
    }
    Ok(Plan { basket: id, kind: basket.kind, legs, units, edge, profit })
}

/// A cursor at the best level of every leg.
fn cursors<'a>(
    books: &'a Books,
    basket: &Basket,
) -> Result<[Option<Cursor<'a>>; LEGS_MAX], NoPlan> {
    let mut cursors = [const { None }; LEGS_MAX];
    for (slot, leg) in cursors.iter_mut().zip(basket.legs()) {
        let book = books.get(leg.market).filter(|book| book.is_good()).ok_or(NoPlan::NotReady)?;
        *slot = Some(Cursor::new(book, leg.outcome).ok_or(NoPlan::NotReady)?);
    }
    Ok(cursors)
}

/// Goes down the levels as far as the last unit is worth it and every bound allows. Returns the units, and the edge of
/// the last one in ticks.
fn descend(
    cursors: &mut [Option<Cursor<'_>>; LEGS_MAX],
    payout: u32,
    sizing: &Sizing,
) -> Result<(Qty, i32), NoPlan> {
    let mut units = Qty::ZERO;
    let mut last = None;
    loop {
        let cost: i64 = cursors.iter().flatten().map(|cursor| cursor.unit).sum();
        let edge = i64::from(payout) * TICK - cost;
        if edge < i64::from(sizing.edge_min) * TICK {
            break;
        }
        let edge = ticks_floor(edge);
        let depth = cursors.iter().flatten().map(|cursor| cursor.left).min();
        let want = units + depth.ok_or(NoPlan::NotReady)?;
        let most = bound(cursors, sizing, want);
        if most > units || last.is_none() {
            last = Some(edge);
        }
        // at a worse limit the same dollars may buy less than is taken already
        let taken = most.max(units) - units;
        units += taken;
        if units < want || !advance(cursors, taken) {
            break;
        }
    }
    match last {
        None => Err(NoPlan::NoEdge),
        Some(edge) if units.is_zero() => Err(NoPlan::TooSmall { units, edge, profit: Usd::ZERO }),
        Some(edge) => Ok((units, edge)),
    }
}

/// Takes so much off every leg; `false` where a leg ends.
fn advance(cursors: &mut [Option<Cursor<'_>>; LEGS_MAX], taken: Qty) -> bool {
    cursors.iter_mut().flatten().all(|cursor| {
        cursor.left -= taken;
        !cursor.left.is_zero() || cursor.advance()
    })
}

/// The most units, up to `want`, that the bounds allow when every leg's limit is where its cursor stands.
fn bound(cursors: &[Option<Cursor<'_>>; LEGS_MAX], sizing: &Sizing, want: Qty) -> Qty {
    let mut most = want;
    let mut purses = [(0_i64, Usd::ZERO); CASH_ACCOUNTS];
    let mut all = (0_i64, Usd::ZERO);
    for (cursor, room) in cursors.iter().flatten().zip(&sizing.legs) {
        most = most.min(room.qty);
        most = affordable(most, cursor.unit, room.cost - ROUNDING);
        let terms = cursor.book.terms();
        let purse = &mut purses[Purse::of(terms.venue, terms.shard).index()];
        for sum in [purse, &mut all] {
            sum.0 += cursor.unit;
            sum.1 += ROUNDING;
        }
    }
    for ((unit, rounding), cash) in purses.into_iter().zip(sizing.cash) {
        if unit > 0 {
            most = affordable(most, unit, cash - rounding);
        }
    }
    affordable(most, all.0, sizing.total - all.1)
}

/// The most of `want` that `dollars` buy, where [`MANY`] cost `unit` microdollars. Multiplies first: the division is
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

/// Rounds down to a quantity that every leg's venue allows. A smaller quantity may need a better limit, and that
/// another lot: done when the lots no longer change, which is at most once a level. `None` where nothing is left.
fn round_to_lots(
    cursors: &[Option<Cursor<'_>>; LEGS_MAX],
    sizing: &Sizing,
    mut units: Qty,
) -> Option<Qty> {
    loop {
        let mut step = 1;
        for (cursor, room) in cursors.iter().flatten().zip(&sizing.legs) {
            step = lcm(step, cursor.lot(cursor.limit(units), room.tif).micros());
        }
        let rounded = units.floor_to(Qty::from_micros(step));
        if rounded.is_zero() {
            return None;
        }
        if rounded == units {
            return Some(units);
        }
        units = rounded;
    }
}

/// What the venue charges for one fill that takes. Kalshi rounds the balance change of a direct member down to
/// $0.0001 and gives whole units back later; the rebate is not counted on.
fn charge(rule: FeeRule, price: Price, qty: Qty) -> Usd {
    let fee = rule.fee(price, qty, true);
    match rule {
        FeeRule::Polymarket { .. } => fee,
        FeeRule::Kalshi { .. } => {
            let cost = price.cost_ceil(qty);
            let whole = (cost + fee).micros().unsigned_abs().next_multiple_of(100);
            Usd::from_micros(i64::try_from(whole).expect("QTY_MAX bounds the cost")) - cost
        }
    }
}

/// What the units pay at least, rounded down. `payout` in $0.0001 a unit.
fn payout_floor(payout: u32, units: Qty) -> Usd {
    let micros = match u64::from(payout).checked_mul(units.micros()) {
        Some(exact) => u128::from(exact / 10_000),
        None => u128::from(payout) * u128::from(units.micros()) / 10_000,
    };
    Usd::from_micros(i64::try_from(micros).expect("QTY_MAX bounds the payout"))
}

fn ticks_floor(of_many: i64) -> i32 {
    i32::try_from(of_many.div_euclid(TICK)).expect("LEGS_MAX dollars bound an edge")
}

const fn lcm(a: u64, b: u64) -> u64 {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    a / x * b
}
