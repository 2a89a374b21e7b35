//! The depth walk as it was first written: every step recomputed from the books. The one in use must give the same.

use super::super::{Basket, Leg, LegPlan, NoPlan, Plan, Room, Sizing};
use super::walk::ROUNDING;
use crate::book::{Book, Books};
use crate::bounds::WALK_LEVELS_MAX;
use crate::fees::FeeRule;
use crate::ids::{BasketId, Outcome, Venue};
use crate::ledger::CashAccount;
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
    /// Contracts for each unit of the basket.
    ratio: u64,
    levels: std::vec::IntoIter<(Price, Qty)>,
    /// What is left of the level.
    left: Qty,
    price: Price,
    /// What this leg of [`MANY`] units costs at this level with fees, in microdollars.
    unit: i64,
}

impl<'a> Cursor<'a> {
    fn new(book: &'a Book, leg: &Leg, dearest: Price) -> Option<Self> {
        let mut levels: Vec<_> = book.asks_for(leg.outcome).take(WALK_LEVELS_MAX).collect();
        let best = levels.first().map(|(price, _)| *price);
        levels.retain(|(price, _)| *price <= dearest || Some(*price) == best);
        let mut cursor = Self {
            book,
            outcome: leg.outcome,
            ratio: u64::from(leg.ratio),
            levels: levels.into_iter(),
            left: Qty::ZERO,
            price: Price::ZERO,
            unit: 0,
        };
        cursor.advance().then_some(cursor)
    }

    /// To the next level; `false` where there is none.
    fn advance(&mut self) -> bool {
        let Some((price, qty)) = self.levels.next() else { return false };
        (self.price, self.left) = (price, self.left + qty); // with what was not enough for a unit
        self.unit = self.cost_of_many(price);
        true
    }

    /// What this leg of [`MANY`] units costs at a price, in microdollars.
    fn cost_of_many(&self, price: Price) -> i64 {
        let one = i64::from(price.ticks()) * TICK + self.fee(price, MANY).micros();
        one * i64::try_from(self.ratio).expect("ratios are small")
    }

    /// Contracts for so many units.
    const fn contracts(&self, units: Qty) -> Qty {
        Qty::from_micros(units.micros() * self.ratio)
    }

    /// Units that so many contracts are enough for.
    const fn units(&self, contracts: Qty) -> Qty {
        Qty::from_micros(contracts.micros() / self.ratio)
    }

    /// What the venue charges for one fill that takes.
    fn fee(&self, price: Price, qty: Qty) -> Usd {
        charge(self.book.terms().fee, price, qty)
    }

    /// What `units` cost, level by level; and what they are worth at least, by the venue's count.
    fn plan(&self, units: Qty) -> (LegPlan, Usd) {
        let terms = self.book.terms();
        let mut plan = LegPlan {
            market: terms.market,
            outcome: self.outcome,
            ratio: u16::try_from(self.ratio).expect("ratios are small"),
            limit: Price::ZERO,
            qty: self.contracts(units),
            levels: 0,
            cost: Usd::ZERO,
            fee: Usd::ZERO,
        };
        let mut need = plan.qty;
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
    sizing: &Sizing<'_>,
) -> Result<Plan, NoPlan> {
    let gross = i64::from(basket.payout) - i64::from(basket.cost().ok_or(NoPlan::NotReady)?);
    let mut cursors = cursors(books, basket, sizing)?;
    if gross * 100 > i64::from(basket.payout) * i64::from(sizing.edge_max_percent) {
        return Err(NoPlan::Absurd { edge: gross as i32 });
    }
    let (units, edge) = descend(&mut cursors, basket.payout, sizing)?;
    let taken = units;
    let units = Qty::from_micros(taken.micros() / LOT.micros() * LOT.micros());
    if units.is_zero() {
        return Err(NoPlan::TooSmall { units: taken, edge, profit: Usd::ZERO });
    }
    let mut legs = Vec::new();
    let mut profit = payout_floor(basket.payout, units);
    let mut cost_of_many = 0;
    for cursor in &cursors {
        let (leg, worth) = cursor.plan(units);
        let terms = cursor.book.terms();
        if leg.qty < terms.min_qty || (terms.venue == Venue::Polymarket && worth < MARKETABLE_MIN) {
            return Err(NoPlan::TooSmall { units, edge, profit: Usd::ZERO });
        }
        profit = profit - leg.cost - leg.fee;
        cost_of_many += cursor.cost_of_many(leg.limit);
        legs.push(leg);
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
    sizing: &Sizing<'_>,
) -> Result<Vec<Cursor<'a>>, NoPlan> {
    let cursor = |(leg, room): (&Leg, &Room)| {
        let book = books.get(leg.market).filter(|book| book.is_good())?;
        Cursor::new(book, leg, room.dearest)
    };
    let legs = basket.legs().iter().zip(sizing.legs);
    legs.map(|leg| cursor(leg).ok_or(NoPlan::NotReady)).collect()
}

/// Goes down the levels as far as the last unit is worth it and every bound allows. Returns the units, and the edge of
/// the last one in ticks.
fn descend(
    cursors: &mut [Cursor<'_>],
    payout: u32,
    sizing: &Sizing<'_>,
) -> Result<(Qty, i32), NoPlan> {
    let mut units = Qty::ZERO;
    let (mut last, mut first) = (None, 0);
    loop {
        let cost: i64 = cursors.iter().map(|cursor| cursor.unit).sum();
        let edge = i64::from(payout) * TICK - cost;
        if edge < i64::from(sizing.edge_min) * TICK {
            first = edge;
            break;
        }
        let edge = ticks_floor(edge);
        let depth = cursors.iter().map(|cursor| cursor.units(cursor.left)).min();
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
        None => Err(NoPlan::NoEdge { edge: ticks_floor(first) }),
        Some(edge) if units.is_zero() => Err(NoPlan::TooSmall { units, edge, profit: Usd::ZERO }),
        Some(edge) => Ok((units, edge)),
    }
}

/// Takes so much off every leg; `false` where a leg ends.
fn advance(cursors: &mut [Cursor<'_>], taken: Qty) -> bool {
    cursors.iter_mut().all(|cursor| {
        cursor.left -= cursor.contracts(taken);
        !cursor.units(cursor.left).is_zero() || cursor.advance()
    })
}

/// The most units, up to `want`, that the bounds allow when every leg's limit is where its cursor stands.
fn bound(cursors: &[Cursor<'_>], sizing: &Sizing<'_>, want: Qty) -> Qty {
    let mut most = want;
    let mut accounts = [(0_i64, Usd::ZERO); CASH_ACCOUNTS];
    let mut all = (0_i64, Usd::ZERO);
    for (cursor, room) in cursors.iter().zip(sizing.legs) {
        most = most.min(cursor.units(room.qty));
        most = affordable(most, cursor.unit, room.cost - ROUNDING);
        let terms = cursor.book.terms();
        let account = &mut accounts[CashAccount::of(terms.venue, terms.shard).index()];
        for sum in [account, &mut all] {
            sum.0 += cursor.unit;
            sum.1 += ROUNDING;
        }
    }
    for ((unit, rounding), cash) in accounts.into_iter().zip(sizing.cash) {
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
