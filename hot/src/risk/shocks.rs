//! What a plan can lose at worst: every set of its legs that may have filled, under every shock.
//!
//! A plan buys legs one after the other, and a fill may be taken back later. So any set of the legs may come to stand alone,
//! and that is what a state is here. What stands is sold at a shocked bid, or held until its markets jump to 0 or 1. Worked
//! out once for each plan; the gate compares it with what may still be lost before the equity floor.
//!
//! # The shocks
//!
//! | shock | what stands |
//! | --- | --- |
//! | jump | is held; each contract pays a dollar or nothing, as the relation of the markets allows |
//! | price, volatility | is sold into bids that are lower by 3 ¢ or 10 ¢, or by 1.3 or 1.5 times that |
//! | spread | is sold into bids that are lower by half of what the spread grows, at 1.5 or 2 times its width |
//! | depth | is sold into bids of half the size |
//!
//! A plan has no quotes, and it owes nothing to the volatility but this: prices move farther. So volatility scales the price
//! shock. Each leg's price moves against us by itself, whatever the others do; a move in our favour loses less. Of the shocks
//! that lower bids, the largest of its kind loses most (what a level brings rises with its price), so that 10 ¢ times 1.5
//! stands for all price shocks and twice the spread for both spreads.
//!
//! # Why whole legs are enough
//!
//! A leg that has filled in part loses no more than the larger of nothing and the whole leg, under each shock: its cost grows
//! with its share, its sale brings less and less for each further contract because the best bids go first, and what a
//! jump pays grows with the share too. So the loss is convex in the part, and greatest at an end. Legs add up, so the worst
//! state is the set of those legs that lose. What rounding takes whatever the size is, the steps of the sale's fees, is added
//! to a leg that is sold in any part.
//!
//! Money is rounded against us in every step.

use crate::bounds::LEGS_MAX;
use crate::fees::{self, FeeRule, MANY, TICK_OF_MANY, TakerFee};
use crate::pack::{enum_table, pack_fields};
use crate::units::{Price, Qty, Usd};

/// Plans of no more legs than this have all of their outcomes looked at; for longer ones there is a bound.
pub const EXACT_LEGS_MAX: usize = 4;
/// The legs of nearly every plan.
const PAIR: usize = 2;
/// Levels of a book that a sale may count on. What they have no room for is worth nothing.
pub const SALE_LEVELS_MAX: usize = 8;
/// The largest price shock, 10 ¢, times the greatest growth of volatility, 1.5: in $0.0001.
const MOVE_MAX: u16 = 1_500;
/// In so small parts of a dollar a contract's proceeds are worked out, rounded down.
const PARTS: u64 = 100_000_000;

enum_table! {
    /// What makes a plan lose most.
    pub enum Shock {
        /// The markets jump to 0 or 1 while some of the legs stand.
        Jump = 0, "jump";
        /// Prices fall by 10 ¢, 1.5 times as far because volatility has grown.
        Price = 1, "price";
        /// The spread is twice as wide.
        Spread = 2, "spread";
        /// The bids have half their size.
        Depth = 3, "depth";
    }
}

/// The greatest loss of a plan, and what leads to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Worst {
    /// Never negative. Never less than the loss in any state under any shock.
    pub loss: Usd,
    pub shock: Shock,
    /// The legs that have filled in the worst state: bit `n` for leg `n`.
    pub filled: u64,
}

/// What a plan can lose by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanLoss {
    /// Under every shock.
    pub worst: Worst,
    /// Where its markets jump to 0 or 1 in an outcome that their relation allows.
    pub joint: Usd,
}

/// What a plan puts at stake. The gate compares both figures with their limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanRisk {
    /// The plan by itself, under every shock.
    pub worst: Worst,
    /// What its cluster would lose in the worst outcome that the declared relations allow, the plan in its worst state.
    pub cluster: Usd,
}

/// One leg of a plan, as it would have to be sold again.
#[derive(Clone, Copy, Debug)]
pub struct PlannedLeg<B> {
    /// The most that all of it costs, fees included.
    pub cost: Usd,
    /// How many contracts the leg buys.
    pub qty: Qty,
    /// Contracts for each unit of the basket.
    pub ratio: u16,
    /// The market's fee.
    pub fee: FeeRule,
    /// The best ask of the leg's outcome; `None` where nobody offers it.
    pub ask: Option<Price>,
    /// What the leg's outcome can be sold at, best first. Only walked where a sale may lose most.
    pub bids: B,
}

impl Worst {
    /// Nothing can be lost.
    pub const NONE: Self = Self { loss: Usd::ZERO, shock: Shock::Jump, filled: 0 };
}

impl PlanRisk {
    /// Nothing is at stake: what an order has that opens nothing.
    pub const NONE: Self = Self { worst: Worst::NONE, cluster: Usd::ZERO };

    /// A single order that costs `cost` is a plan of one leg: at worst it fills and its contracts pay nothing, and no sale
    /// brings less than that. Its cluster loses `cluster` without it.
    pub fn of_one(cost: Usd, cluster: Usd) -> Self {
        let worst = Worst { loss: cost, shock: Shock::Jump, filled: 1 };
        Self { worst, cluster: cluster + cost }
    }
}

/// What a plan can lose. `payout` is what a unit of all legs pays at least, in $0.0001, as the relation of its markets says.
/// Where that is not `certain`, the shocks reckon with legs that all pay nothing.
///
/// Exact for up to [`EXACT_LEGS_MAX`] legs, else a bound that is no smaller.
pub fn worst<B>(
    legs: impl Iterator<Item = PlannedLeg<B>> + Clone,
    payout: u32,
    certain: bool,
) -> PlanLoss
where
    B: IntoIterator<Item = (Price, Qty)>,
{
    let Jump { worst: jump, paid, legs: count } = worst_jump(legs.clone(), payout);
    let joint = jump.loss;
    if !certain || count == 0 {
        let filled = u64::MAX.checked_shr(u64::BITS - count).unwrap_or(0);
        let worst = Worst { loss: paid, shock: Shock::Jump, filled };
        return PlanLoss { worst, joint };
    }
    if joint >= paid {
        return PlanLoss { worst: jump, joint }; // no sale loses more than what was paid
    }
    let mut sales =
        [Shock::Price, Shock::Spread, Shock::Depth].map(|shock| Worst { shock, ..Worst::NONE });
    for (at, leg) in legs.enumerate() {
        for (sale, loss) in sales.iter_mut().zip(sale_losses(leg)) {
            sale.loss += loss;
            sale.filled |= u64::from(loss > Usd::ZERO) << at;
        }
    }
    let worst =
        sales.into_iter().fold(jump, |most, sale| if sale.loss > most.loss { sale } else { most });
    PlanLoss { worst, joint }
}

/// What one leg loses where it pays nothing, and where it pays.
#[derive(Clone, Copy, Debug)]
struct Stake {
    cost: Usd,
    /// Where it costs more than it pays.
    lost_by_winning: Usd,
    /// What it pays a unit, in $0.0001.
    weight: u64,
    /// Its place among the legs of the plan.
    at: u32,
}

impl Stake {
    const NONE: Self = Self { cost: Usd::ZERO, lost_by_winning: Usd::ZERO, weight: 0, at: 0 };

    fn new<B>(at: u32, leg: &PlannedLeg<B>) -> Self {
        let pays = Price::ONE.proceeds_floor(leg.qty);
        let lost_by_winning = (leg.cost - pays).max(Usd::ZERO);
        let weight = u64::from(leg.ratio) * u64::from(Price::ONE.ticks());
        Self { cost: leg.cost, lost_by_winning, weight, at }
    }

    /// By how much more it loses where it pays nothing.
    fn more(&self) -> Usd {
        self.cost - self.lost_by_winning
    }
}

/// What a plan loses where its markets jump.
#[derive(Debug)]
struct Jump {
    worst: Worst,
    /// What all legs cost.
    paid: Usd,
    /// How many legs there are.
    legs: u32,
}

/// The greatest loss of a plan whose markets jump to 0 or 1 while some of its legs stand: exact for up to
/// [`EXACT_LEGS_MAX`] legs.
///
/// A unit of all legs pays at least `payout`. So the legs that pay nothing have no more contracts a unit than all legs
/// together could pay beyond that. In every such outcome the worst state is that those have filled which pay less than they
/// cost.
fn worst_jump<B>(legs: impl Iterator<Item = PlannedLeg<B>> + Clone, payout: u32) -> Jump {
    let mut few = [Stake::NONE; EXACT_LEGS_MAX];
    let mut count = 0;
    for (at, leg) in (0..).zip(legs.clone()) {
        let Some(stake) = few.get_mut(count) else {
            let mut many = [Stake::NONE; LEGS_MAX];
            let mut count = 0;
            for (at, leg) in (0..).zip(legs) {
                many[count] = Stake::new(at, &leg);
                count += 1;
            }
            return jump(&mut many[..count], payout, bounded_jump);
        };
        *stake = Stake::new(at, &leg);
        count += 1;
    }
    match count {
        // Nearly every plan is a pair: where the compiler knows how many legs there are, the loops over sets are none.
        PAIR => jump(&mut few[..PAIR], payout, exact_jump),
        count => jump(&mut few[..count], payout, exact_jump),
    }
}

/// Works out how much room there is for legs that pay nothing, and asks `by` for what that leads to.
#[inline(always)] // how many legs there are may be known where it is called
fn jump(stakes: &mut [Stake], payout: u32, by: impl Fn(&mut [Stake], u64) -> Worst) -> Jump {
    let (mut paid, mut room) = (Usd::ZERO, 0_u64);
    for stake in &*stakes {
        paid += stake.cost;
        room += stake.weight;
    }
    let worst = by(stakes, room.saturating_sub(u64::from(payout)));
    Jump { worst, paid, legs: u32::try_from(stakes.len()).expect("LEGS_MAX fits") }
}

/// Looks at every set of legs that may pay nothing together.
#[inline(always)] // see `jump`
fn exact_jump(stakes: &mut [Stake], room: u64) -> Worst {
    let mut worst = Worst::NONE;
    for losing in 0..1_u64 << stakes.len() {
        let (mut used, mut here) = (0, Worst::NONE);
        for stake in &*stakes {
            let loses = losing >> stake.at & 1 != 0;
            used += if loses { stake.weight } else { 0 };
            let loss = if loses { stake.cost } else { stake.lost_by_winning };
            here.loss += loss;
            here.filled |= u64::from(loss > Usd::ZERO) << stake.at;
        }
        if used <= room && here.loss > worst.loss {
            worst = here;
        }
    }
    worst
}

/// A bound for many legs: the room is filled with the legs that lose most for what they take of it, the last of them in part.
///
/// That is the best solution of a knapsack of which things may be taken in part, and no choice of whole things is worth more:
/// whatever room a choice leaves to legs that lose less for it, the parts give to legs that lose more.
fn bounded_jump(stakes: &mut [Stake], mut room: u64) -> Worst {
    let times = |loss: Usd, weight: u64| i128::from(loss.micros()) * i128::from(weight);
    stakes.sort_unstable_by(|a, b| {
        times(b.more(), a.weight).cmp(&times(a.more(), b.weight)).then(a.at.cmp(&b.at))
    });
    let mut worst = Worst::NONE;
    for stake in &*stakes {
        let part = stake.weight.min(room);
        room -= part;
        // Rounded against us: what is lost counts for up to a microdollar more than its part.
        let share = -(-times(stake.more(), part)).div_euclid(i128::from(stake.weight));
        let share = Usd::from_micros(i64::try_from(share).expect("no more than the whole"));
        let loss = stake.lost_by_winning + share;
        worst.loss += loss;
        worst.filled |= u64::from(loss > Usd::ZERO) << stake.at;
    }
    worst
}

/// What selling a leg again loses under each of the shocks of a sale, in the order of [`Shock`]: never less than nothing, and
/// never more than it cost, for it may be held as well.
fn sale_losses<B: IntoIterator<Item = (Price, Qty)>>(leg: PlannedLeg<B>) -> [Usd; 3] {
    let PlannedLeg { cost, qty, fee, ask, bids, .. } = leg;
    let mut brings = [Usd::ZERO; 3];
    let mut wider = 0;
    let (mut left, mut left_by_half) = (qty, qty);
    for (nth, (bid, there)) in bids.into_iter().take(SALE_LEVELS_MAX).enumerate() {
        if nth == 0 {
            let spread = ask.unwrap_or(Price::ONE).ticks().saturating_sub(bid.ticks());
            wider = spread.div_ceil(2); // twice as wide around the same middle
        }
        let here = left.min(there);
        let here_by_half = left_by_half.min(Qty::from_micros(there.micros() / 2));
        brings[0] += proceeds(fee, lower(bid, MOVE_MAX), here);
        brings[1] += proceeds(fee, lower(bid, wider), here);
        brings[2] += proceeds(fee, bid, here_by_half);
        left -= here;
        left_by_half -= here_by_half;
        if left_by_half.is_zero() {
            break; // and so is the other: it took no less of any level
        }
    }
    let steps = fees::fee_bound(fee, Price::ZERO, Qty::ZERO, true);
    brings.map(|brings| ((cost - brings).max(Usd::ZERO) + steps).min(cost))
}

/// A price lower by so many $0.0001, and no lower than nothing.
fn lower(price: Price, by: u16) -> Price {
    Price::from_ticks(price.ticks().saturating_sub(by)).expect("no higher than it was")
}

/// What selling `qty` brings at a price after the fee in proportion, rounded down.
#[inline]
fn proceeds(fee: FeeRule, price: Price, qty: Qty) -> Usd {
    // Of MANY contracts in microdollars, which is of one in 1e-12 dollars.
    let many = i64::from(price.ticks()) * TICK_OF_MANY;
    let charged = TakerFee::at(fee, price).cost_of_many() - many;
    // A fee of more than the price is not paid: then nothing is sold.
    let each = (many - charged).max(0).unsigned_abs() / (MANY.micros() / PARTS);
    let micros = match each.checked_mul(qty.micros()) {
        Some(exact) => u128::from(exact / PARTS),
        None => u128::from(each) * u128::from(qty.micros()) / u128::from(PARTS),
    };
    Usd::from_micros(i64::try_from(micros).expect("QTY_MAX bounds the proceeds"))
}

pack_fields! {
    Worst { loss, shock, filled }
    PlanRisk { worst, cluster }
}

#[cfg(test)]
mod tests;
