//! The slack of a plan is one for all its legs: a set of any number of legs never completes for more than it pays.

use super::*;
use crate::bounds::{FEES_PER_TIMER_MAX, LEGS_MAX};
use crate::cases::cases;
use crate::fees::{self, FeeAccumulator};
use crate::ids::Action;
use crate::order::Purpose;
use crate::random::Rng;

const BASKET: BasketId = BasketId::new(7);

fn market(leg: usize) -> MarketId {
    MarketId::new(10 + leg as u16)
}

/// A set of outcomes of which exactly one pays a dollar, one leg at each price; not decided on yet.
fn set_desk(venues: &[Venue]) -> Desk {
    ratio_desk(&venues.iter().map(|&venue| (venue, 1)).collect::<Vec<_>>(), 10_000)
}

/// A basket of so many contracts of each leg a unit, which pays `payout`; not decided on yet.
fn ratio_desk(legs: &[(Venue, u16)], payout: u32) -> Desk {
    let mut desk = Desk::new();
    for row in [LimitRow::ExposureCluster, LimitRow::ExposureVenue, LimitRow::ExposureMarket] {
        desk.core.limits.set(row, 1_000_000_000, false);
    }
    for (leg, &(venue, _)) in legs.iter().enumerate() {
        let like = if venue == Venue::Polymarket { PM } else { KA };
        desk.event(Event::Market(MarketDef { market: market(leg), ..terms(like) }));
    }
    for (leg, &(_, ratio)) in legs.iter().enumerate() {
        desk.event(Event::Basket(BasketDef {
            basket: BASKET,
            kind: BasketKind::ExclusiveYes,
            leg: leg as u8,
            legs: legs.len() as u8,
            market: market(leg),
            outcome: Outcome::Yes,
            payout,
            ratio,
        }));
    }
    desk
}

/// What a purchase costs at most, with the fees of all fills that it may take, by the rule that is counted with: near a change of
/// rules the dearer one.
fn most(desk: &Desk, market: MarketId, price: Price, qty: Qty) -> Usd {
    let fee = desk.core.books().terms(market).unwrap().fee;
    price.cost_ceil(qty) + fees::fee_bound(fee, price, qty, true)
}

/// The same of a purchase in one fill, but for the rounding that a leg of a plan is let off.
fn nearly(desk: &Desk, market: MarketId, price: Price, qty: Qty) -> Usd {
    let fee = desk.core.books().terms(market).unwrap().fee;
    price.cost_ceil(qty) + fee.fee(price, qty, true) - Usd::from_micros(120)
}

/// What a purchase costs that is made now in fills of such sizes, each with its fee as the venue rounds it and gives back what
/// it took with fills before. Near a change of rules nobody knows by which of them: by the dearest.
fn paid(desk: &Desk, market: MarketId, price: Price, fills: &[u64]) -> Usd {
    let mut rounding = FeeAccumulator::NEW;
    let mut sum = Usd::ZERO;
    for contracts in fills.iter().map(|&contracts| qty(contracts)) {
        let rules = desk.core.fee_rules.within(market, desk.now, desk.now).map(|rule| {
            let mut after = rounding;
            let fee = rule.charge(&mut after, Action::Buy, price, contracts, true);
            (after, fee)
        });
        let (after, fee) = rules.max_by_key(|(_, fee)| fee.micros()).unwrap();
        rounding = after;
        sum += price.cost_ceil(contracts) + fee;
    }
    sum
}

/// So many contracts in up to nine fills: one more than a purchase is reckoned to take.
fn parts(rng: &mut Rng, contracts: u64) -> Vec<u64> {
    let cuts = (0..rng.below(9)).map(|_| rng.below(contracts + 1)).collect::<Vec<_>>();
    let mut cuts = [cuts, vec![0, contracts]].concat();
    cuts.sort_unstable();
    cuts.dedup();
    cuts.windows(2).map(|ends| ends[1] - ends[0]).collect()
}

/// What was bought of each leg, and for how much.
type Bought = [(Qty, Usd)];

/// A way to say what a purchase costs.
type Cost = fn(&Desk, MarketId, Price, Qty) -> Usd;

/// What `units` of all legs but one cost, or will at the plan's worst prices.
fn others(desk: &Desk, bought: &Bought, but: MarketId, units: Qty, cost: Cost) -> Usd {
    let group = desk.core.groups().iter().next().unwrap();
    let mut sum = Usd::ZERO;
    for leg in group.legs().iter().filter(|leg| leg.market != but) {
        let (qty, paid) = bought[usize::from(leg.market.get()) - 10];
        let contracts = units.times(leg.ratio);
        sum += if qty.is_zero() {
            cost(desk, leg.market, leg.limit, contracts)
        } else {
            paid.share_ceil(contracts, qty)
        };
    }
    sum
}

/// The highest whole cent at which a hedge may buy, by trying all of them; and whether the set is then sure to pay for itself.
/// At the plan's own worst price it may lack the rounding of its legs.
fn brute_force(desk: &Desk, hedge: &Order, bought: &Bought) -> (Price, bool) {
    let group = desk.core.groups().iter().next().unwrap();
    let leg = group.legs().iter().find(|leg| leg.market == hedge.market).unwrap();
    let units = hedge.qty.per(leg.ratio);
    let highest = |cost: Cost, allowance: Usd| {
        let left = pays_floor(group.payout, units) + allowance
            - others(desk, bought, hedge.market, units, cost);
        let fits = |at: &Price| cost(desk, hedge.market, *at, hedge.qty) <= left;
        (1..100).map(price).rfind(fits).unwrap_or(Price::ZERO)
    };
    let sure = highest(most, Usd::ZERO).min(leg.reach);
    if sure >= leg.limit {
        return (sure, true);
    }
    let paid = group.legs().iter().filter(|leg| !leg.booked.is_zero()).count();
    let allowance = Usd::from_micros(120 * i64::try_from(paid).unwrap());
    (highest(nearly, allowance).min(leg.limit), false)
}

#[test]
fn three_legs_at_their_worst_prices_still_pay() {
    let mut desk = set_desk(&[Venue::Kalshi; 3]);
    for leg in 0..3 {
        desk.book(market(leg), &[(28, 300)], &[(30, 40), (60, 300)]);
    }
    let mut spent = Usd::ZERO;
    for _ in 0..3 {
        let order = desk.last_placed();
        spent += paid(&desk, order.market, order.price, &[40]);
        desk.fill(&order, 40);
    }
    assert_eq!(desk.group_states().last(), Some(&GroupState::Hedged));
    assert!(desk.placed()[1].price > price(30), "the second leg may use what is there");
    assert!(spent <= Usd::from_dollars(40), "{spent} for what pays 40");
    assert!(spent > Usd::from_dollars(39), "{spent}: as far as it goes");
}

#[test]
fn what_an_earlier_leg_saves_the_later_ones_may_use() {
    let prices = |second: u16| {
        let mut desk = set_desk(&[Venue::Kalshi; 3]);
        for leg in 0..3 {
            desk.book(market(leg), &[(28, 300)], &[(30, 40), (60, 300)]);
        }
        let first = desk.last_placed();
        desk.fill(&first, 40);
        let hedge = desk.last_placed();
        let fill = Fill { price: price(second), ..desk.fill_of(&hedge, 40) };
        desk.report(Report::Fill(fill));
        desk.last_placed().price
    };
    assert!(prices(30) > prices(33));
    assert_eq!(prices(35), price(30), "nothing is left");
}

/// What `units` pay at least, `payout` in $0.0001 each.
fn pays_floor(payout: u32, units: Qty) -> Usd {
    let exact = u128::from(payout) * u128::from(units.micros()) / 10_000;
    Usd::from_micros(i64::try_from(exact).unwrap())
}

/// Draws the fees of every leg's market, and the limits that bound a plan. Every other time the books come while the old fees are
/// still counted with beside the new ones.
fn draw_terms(rng: &mut Rng, desk: &mut Desk, legs: usize) {
    for leg in 0..legs {
        let terms = *desk.core.books().terms(market(leg)).unwrap();
        let rate = [0, 1, 17_500, 40_000, 70_000, 125_000][rng.below(6) as usize];
        let fee = match terms.venue {
            Venue::Polymarket => FeeRule::Polymarket { rate, exponent: 1 + (rate == 1) as u8 },
            Venue::Kalshi => FeeRule::Kalshi { taker: rate, maker: 0 },
        };
        desk.event(Event::Market(MarketDef { fee, ..terms }));
    }
    for (row, value) in [
        (LimitRow::EdgeMin, rng.below(200)),
        (LimitRow::ProfitMin, rng.below(1_000_000)),
        (LimitRow::OrderQty, (20 + rng.below(400)) * 1_000_000),
        (LimitRow::OrderNotional, (10 + rng.below(200)) * 1_000_000),
    ] {
        desk.core.limits.set(row, value, false);
    }
    if rng.below(2) == 0 {
        // A timer event looks at some of the markets.
        for _ in 0..legs.div_ceil(FEES_PER_TIMER_MAX) {
            desk.wait(Nanos::from_secs(8));
        }
    }
}

/// One basket of `count` legs bought to its end, every answer drawn from the seed. A unit needs up to `ratio_max` contracts
/// of a leg. Returns whether some units were completed.
fn play(seed: u64, count: usize, ratio_max: u64) -> bool {
    play_on(seed, count, ratio_max, |_, _| {})
}

/// The same, `prepare` being done with the desk before there are books.
fn play_on(
    seed: u64,
    count: usize,
    ratio_max: u64,
    prepare: impl FnOnce(&mut Rng, &mut Desk),
) -> bool {
    let mut rng = Rng::from_seed(seed);
    let legs: Vec<(Venue, u16)> = (0..count)
        .map(|_| (Venue::ALL[rng.below(2) as usize], 1 + rng.below(ratio_max) as u16))
        .collect();
    let contracts: u64 = legs.iter().map(|&(_, ratio)| u64::from(ratio)).sum();
    // A dollar where few contracts share it; else so much that each costs some cents.
    let cents = 100.max(12 * contracts);
    let payout = u32::try_from(cents * 100).unwrap();
    let mut desk = ratio_desk(&legs, payout);
    prepare(&mut rng, &mut desk);
    let sum = cents - cents * (5 + rng.below(14)) / 100;
    let mut asks = vec![sum / contracts; count];
    for _ in 0..20 {
        let (from, to) = (rng.below(count as u64) as usize, rng.below(count as u64) as usize);
        if asks[from] > 4 {
            asks[from] -= 1;
            asks[to] += 1;
        }
    }
    for (leg, &ask) in asks.iter().enumerate() {
        let depth = 30 + rng.below(40);
        let (depth, behind) = (depth * ratio_max, 500 * ratio_max);
        desk.book(market(leg), &[(ask as u16 - 2, behind)], &[(ask as u16, depth), (99, behind)]);
    }
    let mut bought = vec![(Qty::ZERO, Usd::ZERO); count];
    let (mut answered, mut is_sure) = (0, true);
    while let Some(order) = desk.placed().get(answered).copied() {
        answered += 1;
        let whole = order.qty.micros() / 1_000_000;
        if order.action == Action::Sell {
            desk.fill(&order, whole);
            if order.qty > qty(whole) {
                desk.status(&order, VenueState::Cancelled, Some(whole));
                desk.wait(Nanos::from_millis(600));
            }
            desk.wait(Nanos::from_millis(600));
            continue;
        }
        if order.purpose == Purpose::TopUp {
            // Sold next, with what has no partner: no part of the set.
            if whole > 0 {
                desk.fill(&order, whole);
            }
            desk.status(&order, VenueState::Cancelled, Some(whole));
            continue;
        }
        if order.purpose == Purpose::Hedge {
            let highest;
            (highest, is_sure) = brute_force(&desk, &order, &bought);
            assert_eq!(order.price, highest, "seed {seed}: {order:?}");
        }
        let worst = rng.below(4) > 0;
        let at = order.price.ticks() / 100 - if worst { 0 } else { rng.below(3) as u16 };
        let at = price(at.max(1));
        let some = order.purpose == Purpose::Hedge && rng.below(4.max(2 * count as u64)) == 0;
        let got = if some { rng.below(whole + 1) } else { whole };
        let entry = &mut bought[usize::from(order.market.get()) - 10];
        let fills = parts(&mut rng, got);
        *entry = (entry.0 + qty(got), entry.1 + paid(&desk, order.market, at, &fills));
        for part in fills {
            let fill = Fill { price: at, ..desk.fill_of(&order, part) };
            desk.report(Report::Fill(fill));
        }
        desk.status(&order, VenueState::Cancelled, Some(got));
    }
    let held = |leg: usize| desk.held(market(leg), Outcome::Yes).per(legs[leg].1);
    let units = (0..count).map(held).min().unwrap();
    if units.is_zero() {
        return false;
    }
    let mut spent = Usd::ZERO;
    for (&(qty, cost), &(_, ratio)) in bought.iter().zip(&legs) {
        spent += cost.share_ceil(units.times(ratio), qty);
    }
    let pays = pays_floor(payout, units);
    // The shares are rounded up here.
    let rounding = Usd::from_micros(if is_sure { 1 } else { 120 } * count as i64);
    assert!(spent <= pays + rounding, "seed {seed}: {spent} for what pays {pays}");
    true
}

#[test]
fn no_set_completes_for_more_than_it_pays() {
    let completed = (0..3_000).filter(|&seed| play(seed, 2 + seed as usize % 4, 1)).count();
    assert!(completed > 1_000, "{completed} sets were completed");
}

#[test]
fn no_basket_with_ratios_completes_for_more_than_it_pays() {
    let completed = (0..1_000).filter(|&seed| play(seed, 2 + seed as usize % 5, 4)).count();
    assert!(completed > 300, "{completed} baskets were completed");
}

#[test]
fn a_basket_of_the_most_legs_is_bought_to_its_end() {
    let completed =
        (0..20).filter(|&seed| play(seed, LEGS_MAX - seed as usize % 30, 1 + seed % 3)).count();
    assert!(completed > 3, "{completed} baskets were completed");
}

#[test]
fn no_basket_of_any_fees_and_limits_completes_for_more_than_it_pays() {
    let cases = cases(1_000);
    let (mut completed, mut of_many) = (0, 0);
    for seed in 0..cases {
        // Every size comes up; most are small, as most baskets are.
        let count = match seed % 10 {
            0 => 2 + seed as usize / 10 % (LEGS_MAX - 1),
            _ => 2 + seed as usize % 6,
        };
        let done = play_on(seed, count, 1 + seed % 3, |rng, desk| draw_terms(rng, desk, count));
        completed += u64::from(done);
        of_many += u64::from(done && count > 8);
    }
    if cases >= 1_000 {
        assert!(completed * 5 > cases && of_many * 100 > cases, "{completed}, {of_many}: lame");
    }
}
