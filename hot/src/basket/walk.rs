//! The depth walk: all legs together, level by level, as long as the last unit is worth it.

use super::{Basket, Leg, LegPlan, NoPlan, Plan, Room, Sizing};
use crate::book::{Book, Books, Levels};
use crate::bounds::WALK_LEVELS_MAX;
use crate::fees::{MANY, TICK_OF_MANY, TakerFee};
use crate::ids::{MarketId, Outcome};
use crate::ledger::CashAccount;
use crate::units::{Price, QTY_MAX, Qty, Usd};
use crate::venue_rules::{CASH_ACCOUNTS, LOT};

/// Taken off every dollar bound, per leg: cost and fee round up at every fill, Kalshi's to $0.0001 (`kalshi.md` §7.2),
/// and an order may take many.
pub(super) const ROUNDING: Usd = Usd::from_cents(2);

/// The legs of nearly every basket.
pub(super) const PAIR: usize = 2;

/// One leg on its way down.
#[derive(Debug)]
struct Cursor<'a, const RATIOS: bool> {
    book: &'a Book,
    account: CashAccount,
    /// Contracts for each unit of the basket.
    ratio: u16,
    levels: std::iter::Take<Levels<'a>>,
    /// Levels beyond this price are not walked to.
    dearest: Price,
    /// The level's price, and what is charged there.
    fee: TakerFee,
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
#[derive(Debug)]
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
    #[inline(always)] // so that its sums stay where they are
    fn add(&mut self, fee: &TakerFee, qty: Qty, unit: i64) {
        let price = fee.price();
        let (worth, cost) = price.worth_between(qty);
        self.leg.limit = price;
        self.leg.levels += 1;
        self.leg.cost += cost;
        self.leg.fee += fee.charge(qty, cost);
        self.worth += worth;
        self.last_unit = unit;
    }
}

/// The place of a leg's cursor.
trait Slot<'a, const RATIOS: bool> {
    fn cursor(&self) -> &Cursor<'a, RATIOS>;
    fn cursor_mut(&mut self) -> &mut Cursor<'a, RATIOS>;
}

/// Of a basket whose number of legs is known to the compiler.
impl<'a, const RATIOS: bool> Slot<'a, RATIOS> for Cursor<'a, RATIOS> {
    fn cursor(&self) -> &Self {
        self
    }
    fn cursor_mut(&mut self) -> &mut Self {
        self
    }
}

/// Of any other: slots beyond its last leg are empty, and left out before they are asked.
impl<'a, const RATIOS: bool> Slot<'a, RATIOS> for Option<Cursor<'a, RATIOS>> {
    fn cursor(&self) -> &Cursor<'a, RATIOS> {
        self.as_ref().expect("every leg has its cursor")
    }
    fn cursor_mut(&mut self) -> &mut Cursor<'a, RATIOS> {
        self.as_mut().expect("every leg has its cursor")
    }
}

impl<'a, const RATIOS: bool> Cursor<'a, RATIOS> {
    /// At the best level, whose price and contracts `best` are.
    #[inline(always)] // written where it will stand
    fn new(book: &'a Book, leg: &Leg, dearest: Price, (price, left): (Price, Qty)) -> Self {
        let terms = book.terms();
        let ratio = if RATIOS { leg.ratio } else { 1 };
        let fee = TakerFee::at(terms.fee, price);
        Self {
            book,
            account: CashAccount::of(terms.venue, terms.shard),
            ratio,
            levels: book.asks_behind_best(leg.outcome).take(WALK_LEVELS_MAX - 1),
            dearest,
            fee,
            left,
            taken: Qty::ZERO,
            unit: fee.cost_of_many() * i64::from(ratio),
            cost: LegCost::new(leg.market, leg.outcome, ratio),
            carries: false,
        }
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
    #[inline(always)] // into the one loop that asks
    fn advance(&mut self) -> bool {
        self.close();
        let next = self.levels.next().filter(|(price, _)| *price <= self.dearest);
        let Some((price, left)) = next else { return false };
        self.carries |= !self.left.is_zero();
        self.fee.move_to(price);
        self.left += left;
        self.unit = self.fee.cost_of_many() * i64::from(self.ratio());
        true
    }

    /// Adds what was taken of this level to the cost.
    #[inline(always)] // into `advance` and `settle`
    fn close(&mut self) {
        let taken = std::mem::take(&mut self.taken);
        if !taken.is_zero() {
            self.cost.add(&self.fee, taken, self.unit);
        }
    }

    /// Ends with the best `units`, where `beyond` have been taken on top of them.
    #[inline(always)] // once for each leg
    fn settle(&mut self, beyond: Qty, units: Qty) {
        // What is too much was taken last: nearly always it comes off the level where the leg stands.
        match self.taken.checked_sub(beyond.times(self.ratio())) {
            Some(taken) if !self.carries => {
                self.taken = taken;
                self.close();
            }
            Some(_) | None => self.cost = self.cost_for(units),
        }
        self.cost.leg.qty = units.times(self.ratio());
    }

    /// What the best `units` cost, from the book.
    #[cold]
    fn cost_for(&self, units: Qty) -> LegCost {
        let terms = self.book.terms();
        let outcome = self.cost.leg.outcome;
        let mut cost = LegCost::new(terms.market, outcome, self.ratio());
        let mut need = units.times(self.ratio());
        let mut fee = self.fee;
        for (price, qty) in self.book.asks_for(outcome).take(WALK_LEVELS_MAX) {
            let here = need.min(qty);
            fee.move_to(price);
            cost.add(&fee, here, fee.cost_of_many() * i64::from(self.ratio()));
            need -= here;
            if need.is_zero() {
                break;
            }
        }
        assert!(need.is_zero(), "the walk never goes beyond the depth");
        cost
    }
}

/// Sizes a basket of two legs, of each of which a unit needs one contract.
pub(super) fn walk_pair(
    books: &Books,
    basket: &Basket,
    sizing: &Sizing<'_>,
    plan: &mut Plan,
) -> Result<(), NoPlan> {
    let legs: &[Leg; PAIR] = basket.legs().try_into().expect("the caller has counted the legs");
    let rooms: &[Room; PAIR] = sizing.legs.first_chunk().expect("there is one for each leg");
    let gross = gross(basket)?;
    let [(first, best), (second, other)] = [usable(books, &legs[0])?, usable(books, &legs[1])?];
    let mut cursors = [
        Cursor::<false>::new(first, &legs[0], rooms[0].dearest, best),
        Cursor::<false>::new(second, &legs[1], rooms[1].dearest, other),
    ];
    size(&mut cursors, gross, basket, sizing, plan)
}

/// Sizes a basket of up to `N` legs, of each of which a unit needs one contract unless `RATIOS`. Most have a few legs and no
/// ratios, and a walk through the room of the largest would cost them more than the walk itself.
#[inline(never)] // that room is no pair's
pub(super) fn walk<const N: usize, const RATIOS: bool>(
    books: &Books,
    basket: &Basket,
    sizing: &Sizing<'_>,
    plan: &mut Plan,
) -> Result<(), NoPlan> {
    let gross = gross(basket)?;
    let mut slots: [Option<Cursor<'_, RATIOS>>; N] = [const { None }; N];
    let cursors = &mut slots[..basket.legs().len()];
    for ((slot, leg), room) in cursors.iter_mut().zip(basket.legs()).zip(sizing.legs) {
        let (book, best) = usable(books, leg)?;
        *slot = Some(Cursor::new(book, leg, room.dearest, best));
    }
    size(cursors, gross, basket, sizing, plan)
}

/// The book of a leg, where it may be used and something is offered, and the best level there.
#[inline]
fn usable<'a>(books: &'a Books, leg: &Leg) -> Result<(&'a Book, (Price, Qty)), NoPlan> {
    let book =
        books.get(leg.market).filter(|book| book.is_opened_from()).ok_or(NoPlan::NotReady)?;
    Ok((book, book.best_ask_for(leg.outcome).ok_or(NoPlan::NotReady)?))
}

/// The profit of a unit at best prices before fees, in $0.0001.
fn gross(basket: &Basket) -> Result<i64, NoPlan> {
    Ok(i64::from(basket.payout) - i64::from(basket.cost().ok_or(NoPlan::NotReady)?))
}

/// Level prices only rise, and with them a unit's cost, so the units before the first one that is not worth it are
/// all the units that are.
#[inline(always)] // how many legs there are may be known where it is called
fn size<'a, const RATIOS: bool>(
    cursors: &mut [impl Slot<'a, RATIOS>],
    gross: i64,
    basket: &Basket,
    sizing: &Sizing<'_>,
    plan: &mut Plan,
) -> Result<(), NoPlan> {
    if gross * 100 > i64::from(basket.payout) * i64::from(sizing.edge_max_percent) {
        return Err(NoPlan::Absurd { edge: gross as i32 });
    }
    let (taken, edge) = descend(cursors, basket.payout, sizing)?;
    let too_small =
        |units| Err(NoPlan::TooSmall { units, edge: ticks_floor(edge), profit: Usd::ZERO });
    // A whole lot of units is a whole number of lots of every leg.
    let units = taken.floor_to(LOT);
    if units.is_zero() {
        return too_small(taken);
    }
    plan.legs.clear();
    (plan.kind, plan.units) = (basket.kind, units);
    let (mut profit, mut last_unit) = (payout_floor(basket.payout, units), 0);
    for slot in cursors {
        let cursor = slot.cursor_mut();
        cursor.settle(taken - units, units);
        let LegCost { leg, worth, last_unit: unit } = &cursor.cost;
        let terms = cursor.book.terms();
        if leg.qty < terms.min_qty || *worth < terms.venue.rules().marketable_min {
            return too_small(units);
        }
        profit = profit - leg.cost - leg.fee;
        last_unit += unit;
        plan.legs.push(*leg);
    }
    let edge = ticks_floor(i64::from(basket.payout) * TICK_OF_MANY - last_unit);
    if profit < sizing.profit_min {
        return Err(NoPlan::TooSmall { units, edge, profit });
    }
    (plan.edge, plan.profit) = (edge, profit);
    Ok(())
}

/// Goes down the levels as far as the last unit is worth it and every bound allows. Returns the units, and the edge that
/// [`MANY`] have of the last one, in microdollars.
#[inline(always)] // how many legs there are is then known to it
fn descend<'a, const RATIOS: bool>(
    cursors: &mut [impl Slot<'a, RATIOS>],
    payout: u32,
    sizing: &Sizing<'_>,
) -> Result<(Qty, i64), NoPlan> {
    let mut units = Qty::ZERO;
    let (mut last, mut first) = (None, 0);
    let least = Least::of(cursors, sizing);
    loop {
        let cost: i64 = cursors.iter().map(|slot| slot.cursor().unit).sum();
        let edge = i64::from(payout) * TICK_OF_MANY - cost;
        if edge < i64::from(sizing.edge_min) * TICK_OF_MANY {
            first = edge;
            break;
        }
        let depth = cursors.iter().map(|slot| slot.cursor().depth()).min();
        let want = units + depth.ok_or(NoPlan::NotReady)?;
        let most = if least.allows(want, cost) { want } else { bound(cursors, sizing, want) };
        if most > units || last.is_none() {
            last = Some(edge);
        }
        // at a worse limit the same dollars may buy less than is taken already
        let taken = most.max(units) - units;
        units += taken;
        for slot in &mut *cursors {
            slot.cursor_mut().take(taken);
        }
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
#[inline(always)]
fn advance<'a, const RATIOS: bool>(cursors: &mut [impl Slot<'a, RATIOS>]) -> bool {
    for slot in cursors {
        let cursor = slot.cursor_mut();
        if cursor.depth().is_zero() && !cursor.advance() {
            return false;
        }
    }
    true
}

/// Bounds that are no wider than any of those that [`bound`] looks at: most steps stay within them.
struct Least {
    units: Qty,
    /// Dollars for all legs together, times [`MANY`], in 1e-12 dollars.
    budget: u128,
}

impl Least {
    #[inline(always)]
    fn of<'a, const RATIOS: bool>(cursors: &[impl Slot<'a, RATIOS>], sizing: &Sizing<'_>) -> Self {
        let (mut units, mut dollars) = (QTY_MAX, sizing.total);
        let mut rounding = Usd::ZERO;
        for (cursor, room) in cursors.iter().map(Slot::cursor).zip(sizing.legs) {
            units = units.min(room.qty.per(cursor.ratio()));
            dollars = dollars.min(room.cost).min(sizing.cash[cursor.account.index()]);
            rounding += ROUNDING;
        }
        Self { units, budget: budget(dollars - rounding).unwrap_or(0) }
    }

    /// Whether no bound is reached by so many units, where [`MANY`] of them cost `unit` microdollars. Where it says no, one may
    /// or may not be.
    fn allows(&self, want: Qty, unit: i64) -> bool {
        want <= self.units && cost_of(want, unit) <= self.budget
    }
}

/// The most units, up to `want`, that the bounds allow when every leg's limit is where its cursor stands.
#[inline(never)] // seldom more than once a walk
fn bound<'a, const RATIOS: bool>(
    cursors: &[impl Slot<'a, RATIOS>],
    sizing: &Sizing<'_>,
    want: Qty,
) -> Qty {
    let mut most = want;
    let mut all = (0, Usd::ZERO);
    let mut seen = 0_u64;
    for (cursor, room) in cursors.iter().map(Slot::cursor).zip(sizing.legs) {
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
        let drawing = cursors.iter().map(Slot::cursor);
        for other in drawing.filter(|other| other.account == cursor.account) {
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
    let Some(budget) = budget(dollars) else { return Qty::ZERO };
    if cost_of(want, unit) <= budget {
        return want;
    }
    let most = u64::try_from(budget / u128::from(whole(unit)));
    most.map_or(want, |most| want.min(Qty::from_micros(most)))
}

/// What dollars allow, to be compared with [`cost_of`]; `None` below zero.
fn budget(dollars: Usd) -> Option<u128> {
    let dollars = u64::try_from(dollars.micros()).ok()?;
    Some(u128::from(dollars) * u128::from(MANY.micros()))
}

/// What so many units cost, where [`MANY`] cost `unit` microdollars: in 1e-12 dollars.
fn cost_of(units: Qty, unit: i64) -> u128 {
    u128::from(units.micros()) * u128::from(whole(unit))
}

/// What [`MANY`] units cost, and a microdollar where that is nothing.
fn whole(unit: i64) -> u64 {
    unit.unsigned_abs().max(1)
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
