//! The worst case, held against one that walks through every state, outcome and direction.

use super::*;
use crate::cases::cases;
use crate::random::Rng;

/// So many 1e-14 dollars are a microdollar.
const FINE: i128 = 100_000_000;

/// A leg in plain numbers: microdollars, millionths of a contract, $0.0001, parts per million.
#[derive(Clone, Debug)]
struct Plain {
    cost: i128,
    qty: i128,
    ratio: u16,
    rate: u32,
    is_kalshi: bool,
    ask: Option<u16>,
    bids: Vec<(u16, u64)>,
}

impl Plain {
    fn fee(&self) -> FeeRule {
        if self.is_kalshi {
            FeeRule::Kalshi { taker: self.rate, maker: 0 }
        } else {
            FeeRule::Polymarket { rate: self.rate, exponent: 1 }
        }
    }

    fn planned(&self) -> PlannedLeg<impl Iterator<Item = (Price, Qty)> + Clone> {
        let price = |ticks| Price::from_ticks(ticks).unwrap();
        PlannedLeg {
            cost: Usd::from_micros(i64::try_from(self.cost).unwrap()),
            qty: Qty::from_micros(u64::try_from(self.qty).unwrap()),
            ratio: self.ratio,
            fee: self.fee(),
            ask: self.ask.map(price),
            bids: self.bids.iter().map(move |&(bid, qty)| (price(bid), Qty::from_micros(qty))),
        }
    }

    /// Eight steps of rounding, one for each fill that a sale may take.
    fn steps(&self) -> i128 {
        match (self.is_kalshi, self.rate) {
            (true, _) => 8 * 101,
            (false, 0) => 0,
            (false, _) => 7 * 10,
        }
    }

    /// What a sale of `qty` brings where each bid moves by `moves` and has one `share`-th of its size: level by level, in
    /// 1e-14 dollars.
    fn levels(&self, qty: i128, moves: i128, share: i128) -> Vec<i128> {
        let (mut left, mut brings) = (qty, Vec::new());
        for &(bid, there) in self.bids.iter().take(8) {
            let price = (i128::from(bid) + moves).clamp(0, 10_000);
            // In 1e-14 dollars a contract, and from there rounded down to 1e-8.
            let each = price * 10_i128.pow(10) - i128::from(self.rate) * price * (10_000 - price);
            let each = each.max(0) / 10_i128.pow(6);
            let here = left.min(i128::from(there) / share);
            brings.push(each * here);
            left -= here;
        }
        brings
    }

    /// The same in microdollars, each level rounded down.
    fn brings(&self, qty: i128, moves: i128, share: i128) -> i128 {
        self.levels(qty, moves, share).iter().map(|level| level / FINE).sum()
    }

    /// What is lost of a whole leg under a shock of a sale.
    fn loss(&self, moves: i128, share: i128) -> i128 {
        let sold = (self.cost - self.brings(self.qty, moves, share)).max(0) + self.steps();
        sold.min(self.cost)
    }

    /// By how much the bids fall where the spread is so many halves as wide again.
    fn widening(&self, halves: i128) -> i128 {
        let Some(&(bid, _)) = self.bids.first() else { return 0 };
        let spread = (i128::from(self.ask.unwrap_or(10_000)) - i128::from(bid)).max(0);
        -(-spread * halves).div_euclid(4) // rounded up
    }

    /// What is lost of a whole leg that pays a dollar a contract, or nothing.
    fn held(&self, wins: bool) -> i128 {
        self.cost - if wins { self.qty } else { 0 }
    }
}

/// Every shock of a sale, for one leg: by how much its bids move and the share of their size that stays. A price moves in
/// either direction.
fn sales(leg: &Plain) -> Vec<Vec<(i128, i128)>> {
    let mut shocks = Vec::new();
    for cents in [3, 10] {
        for tenths in [10, 13, 15] {
            let moves = cents * 100 * tenths / 10;
            shocks.push(vec![(-moves, 1), (moves, 1)]);
        }
    }
    shocks.push(vec![(-leg.widening(1), 1)]);
    shocks.push(vec![(-leg.widening(2), 1)]);
    shocks.push(vec![(0, 2)]);
    shocks
}

/// The greatest sum where each leg has one of its losses, or has not filled.
fn greatest_sale(losses: &[Vec<i128>]) -> i128 {
    let Some((first, others)) = losses.split_first() else { return 0 };
    let rest = greatest_sale(others);
    first.iter().fold(rest, |most, loss| most.max(loss + rest))
}

/// The greatest loss over outcomes that pay at least `owed` and over what has filled, leg by leg.
fn greatest_jump(legs: &[Plain], owed: i128) -> Option<i128> {
    let Some((first, others)) = legs.split_first() else { return (owed <= 0).then_some(0) };
    let mut most: Option<i128> = None;
    for wins in [false, true] {
        let pays = if wins { i128::from(first.ratio) * 10_000 } else { 0 };
        let Some(rest) = greatest_jump(others, owed - pays) else { continue };
        for loss in [0, first.held(wins)] {
            most = most.max(Some(loss + rest));
        }
    }
    most
}

fn greatest(legs: &[Plain], payout: u32) -> i128 {
    let jump = greatest_jump(legs, i128::from(payout)).expect("all legs together pay enough");
    let by_leg: Vec<_> = legs.iter().map(sales).collect();
    (0..by_leg[0].len()).fold(jump, |most, shock| {
        let losses: Vec<Vec<i128>> = legs
            .iter()
            .zip(&by_leg)
            .map(|(leg, shocks)| shocks[shock].iter().map(|&(to, by)| leg.loss(to, by)).collect())
            .collect();
        most.max(greatest_sale(&losses))
    })
}

fn drawn_leg(rng: &mut Rng, units: u64) -> Plain {
    let ratio: u16 = rng.of(&[1, 1, 1, 1, 2, 3]);
    let qty = units * u64::from(ratio);
    let price = 100 + rng.below(9_900);
    let mut bid = (price + rng.below(400)).saturating_sub(rng.below(2_000)).min(9_999);
    let ask = (bid + 1 + rng.below(1_500)).min(10_000);
    let (mut bids, thin) = (Vec::new(), rng.of(&[1, 1, 10]));
    for _ in 0..rng.below(11) {
        if bid == 0 {
            break;
        }
        bids.push((u16::try_from(bid).unwrap(), 1 + rng.below(qty / thin + 1)));
        bid = bid.saturating_sub(1 + rng.below(300));
    }
    Plain {
        // Now and then more than it can pay.
        cost: i128::from(qty) * i128::from(price + rng.below(300)) / 10_000 + 1,
        qty: i128::from(qty),
        ratio,
        rate: rng.of(&[0, 0, 40_000, 70_000, 250_000]),
        is_kalshi: rng.percent(50),
        ask: rng.percent(90).then_some(u16::try_from(ask).unwrap()),
        bids,
    }
}

/// Legs, and what a unit of them pays at least: nothing, something odd, or some of them a dollar each.
fn drawn(rng: &mut Rng, count: u64) -> (Vec<Plain>, u32) {
    let units = 1 + rng.below(200_000_000);
    let legs: Vec<_> = (0..count).map(|_| drawn_leg(rng, units)).collect();
    let all: u64 = legs.iter().map(|leg| u64::from(leg.ratio) * 10_000).sum();
    let payout = match rng.below(4) {
        0 => 0,
        1 => rng.below(all + 1),
        _ => rng.below(all / 10_000 + 1) * 10_000,
    };
    (legs, u32::try_from(payout).unwrap())
}

fn ours(legs: &[Plain], payout: u32) -> Worst {
    worst(legs.iter().map(Plain::planned), payout, true).worst
}

/// What is lost in the state that is named, under the shock that is named; a jump in its worst outcome.
fn loss_in(legs: &[Plain], payout: u32, worst: &Worst) -> i128 {
    let filled: Vec<_> = (0..legs.len()).map(|at| worst.filled >> at & 1 != 0).collect();
    let sold = |moves: fn(&Plain) -> (i128, i128)| {
        let legs = legs.iter().zip(&filled).filter(|(_, filled)| **filled);
        legs.map(|(leg, _)| leg.loss(moves(leg).0, moves(leg).1)).sum::<i128>()
    };
    match worst.shock {
        Shock::Price => sold(|_| (-1_500, 1)),
        Shock::Spread => sold(|leg| (-leg.widening(2), 1)),
        Shock::Depth => sold(|_| (0, 2)),
        Shock::Jump => {
            let standing = legs.iter().zip(&filled).map(|(leg, filled)| Plain {
                cost: if *filled { leg.cost } else { 0 },
                qty: if *filled { leg.qty } else { 0 },
                ..leg.clone()
            });
            greatest_jump(&standing.collect::<Vec<_>>(), i128::from(payout)).unwrap()
        }
    }
}

#[test]
fn it_is_the_greatest_over_all_states_and_shocks() {
    let mut rng = Rng::from_seed(1);
    let mut seen = [0_u64; Shock::ALL.len()];
    for case in 0..cases(20_000) {
        let count = 1 + case % 4;
        let (legs, payout) = drawn(&mut rng, count);
        let found = ours(&legs, payout);
        let expected = greatest(&legs, payout);
        assert_eq!(i128::from(found.loss.micros()), expected, "case {case}: {legs:?} {payout}");
        assert_eq!(loss_in(&legs, payout, &found), expected, "case {case}: {found:?} {legs:?}");
        seen[found.shock as usize] += 1;
    }
    assert!(seen.iter().all(|&times| times > 20), "each shock is the worst of some: {seen:?}");
}

#[test]
fn the_bound_of_many_legs_is_never_below_what_they_can_lose() {
    let mut rng = Rng::from_seed(2);
    for case in 0..cases(20_000) / 10 {
        let count = 5 + case % 4;
        let (legs, payout) = drawn(&mut rng, count);
        let (bound, exact) = (ours(&legs, payout).loss, greatest(&legs, payout));
        assert!(i128::from(bound.micros()) >= exact, "case {case}: {bound} {exact} {legs:?}");
    }
}

/// NO of every member of an exclusive set, however large: one of them pays nothing.
#[test]
fn the_bound_is_exact_where_legs_weigh_the_same() {
    let mut rng = Rng::from_seed(3);
    for case in 0..cases(20_000) / 10 {
        let count = 2 + case % 7;
        let (mut legs, _) = drawn(&mut rng, count);
        legs.iter_mut().for_each(|leg| leg.ratio = 1);
        let payout = u32::try_from(rng.below(count + 1)).unwrap() * 10_000;
        let mut stakes: Vec<_> =
            (0..).zip(&legs).map(|(at, leg)| Stake::new(at, &leg.planned())).collect();
        let bound = jump(&mut stakes, payout, bounded_jump).worst;
        assert_eq!(bound, jump(&mut stakes, payout, exact_jump).worst, "case {case}: {legs:?}");
        let exact = greatest_jump(&legs, i128::from(payout)).unwrap();
        assert_eq!(i128::from(bound.loss.micros()), exact, "case {case}: {legs:?} {payout}");
    }
}

/// Any part of each leg may have filled; a part costs its share.
#[test]
fn no_part_of_the_legs_loses_more_than_whole_ones() {
    let mut rng = Rng::from_seed(4);
    for case in 0..cases(20_000) {
        let count = 1 + case % 6;
        let (legs, payout) = drawn(&mut rng, count);
        let most = i128::from(ours(&legs, payout).loss.micros());
        let part = |rng: &mut Rng, leg: &Plain| match rng.below(3) {
            0 => leg.qty,
            1 => i128::from(rng.below(200)).min(leg.qty),
            _ => i128::from(rng.below(u64::try_from(leg.qty).unwrap() + 1)),
        };
        let parts: Vec<_> = legs.iter().map(|leg| part(&mut rng, leg)).collect();
        let cost = |leg: &Plain, part: i128| leg.cost * part / leg.qty;
        for shock in 0..sales(&legs[0]).len() {
            let sold = legs.iter().zip(&parts).map(|(leg, &part)| {
                let cost = leg.cost * FINE * part / leg.qty;
                let (moves, share) = sales(leg)[shock][0];
                let brings: i128 = leg.levels(part, moves, share).iter().sum();
                (cost - brings + leg.steps() * FINE).min(cost)
            });
            assert!(sold.sum::<i128>() <= most * FINE, "case {case}: {shock} {parts:?} {legs:?}");
        }
        let standing = legs.iter().zip(&parts).map(|(leg, &part)| Plain {
            cost: cost(leg, part),
            qty: part,
            ..leg.clone()
        });
        let standing: Vec<_> = standing.collect();
        let jump = greatest_jump(&standing, i128::from(payout)).unwrap();
        assert!(jump <= most, "case {case}: jump {parts:?} {legs:?}");
    }
}

#[test]
fn a_single_order_is_a_plan_of_one_leg() {
    let mut rng = Rng::from_seed(5);
    for _ in 0..2_000 {
        let units = 1 + rng.below(200_000_000);
        let leg = drawn_leg(&mut rng, units);
        let cost = leg.planned().cost;
        let alone = PlanRisk::of_one(cost, Usd::from_cents(7));
        assert_eq!(ours(&[leg], 0), alone.worst);
        assert_eq!(alone.cluster, cost + Usd::from_cents(7));
    }
}

/// What is told is the same on every machine, and no leg is named that adds nothing to the loss.
#[test]
fn of_equal_cases_the_first_is_named_with_the_legs_that_lose() {
    let leg = |cost: i128, bids: &[(u16, u64)]| Plain {
        cost,
        qty: 100_000_000,
        ratio: 1,
        rate: 0,
        is_kalshi: false,
        ask: None,
        bids: bids.to_vec(),
    };
    let whole = [(9_900, 1_000_000_000)];
    let (half, half_unsold, cheap) =
        (leg(50_000_000, &whole), leg(50_000_000, &[]), leg(10_000_000, &whole));
    let dollar = leg(100_000_000, &whole);
    let cases = [
        ("either may pay nothing", vec![half.clone(), half.clone()], 10_000, Shock::Jump, 1),
        ("the first costs less than it pays", vec![half, dollar], 10_000, Shock::Jump, 2),
        ("nobody bids", vec![half_unsold.clone()], 10_000, Shock::Price, 1),
        ("only one sells at a loss", vec![half_unsold, cheap], 20_000, Shock::Price, 1),
    ];
    for (name, legs, payout, shock, filled) in cases {
        let found = ours(&legs, payout);
        assert_eq!((found.shock, found.filled), (shock, filled), "{name}: {found:?}");
    }
}

#[test]
fn what_is_too_large_for_64_bits_is_worked_out_the_same_way() {
    let leg = Plain {
        cost: 900_000_000_000_000,
        qty: 1_000_000_000_000_000,
        ratio: 1,
        rate: 70_000,
        is_kalshi: true,
        ask: Some(9_000),
        bids: vec![(8_900, 1_000_000_000_000_000)],
    };
    let legs = [leg.clone(), leg.clone(), leg];
    let found = ours(&legs, 30_000);
    assert_eq!((i128::from(found.loss.micros()), found.filled), (greatest(&legs, 30_000), 7));
    assert_eq!(found.shock, Shock::Depth);
}

#[test]
fn a_plan_of_nothing_loses_nothing() {
    for certain in [false, true] {
        let loss = worst([].iter().map(Plain::planned), 0, certain);
        assert_eq!(loss, PlanLoss { worst: Worst::NONE, joint: Usd::ZERO });
    }
}

/// What the relation says is not believed by the shocks, and is by the joint outcome.
#[test]
fn where_a_payout_is_not_certain_all_legs_may_pay_nothing() {
    let mut rng = Rng::from_seed(6);
    for case in 0..2_000 {
        let count = 1 + case % 8;
        let (legs, payout) = drawn(&mut rng, count);
        let found = worst(legs.iter().map(Plain::planned), payout, false);
        let costs = legs.iter().map(|leg| leg.cost).sum::<i128>();
        let joint = greatest_jump(&legs, i128::from(payout)).unwrap();
        assert_eq!(i128::from(found.worst.loss.micros()), costs);
        assert_eq!(
            (found.worst.shock, found.worst.filled.count_ones()),
            (Shock::Jump, count as u32)
        );
        assert!(i128::from(found.joint.micros()) >= joint, "case {case}");
    }
}

/// The example of `docs/risk.md`: NO of three candidates of whom one wins, 100 contracts each, fees in the cost.
#[test]
fn the_example_of_the_page_is_as_it_says() {
    let leg = |cents: i128, bids: [(u16, u64); 2]| Plain {
        cost: cents * 10_000,
        qty: 100_000_000,
        ratio: 1,
        rate: 0,
        is_kalshi: false,
        ask: Some(bids[0].0 + 400),
        bids: bids.map(|(cents, contracts)| (cents, contracts * 1_000_000)).to_vec(),
    };
    let legs = [
        leg(6_500, [(6_100, 40), (5_500, 100)]),
        leg(6_200, [(5_800, 100), (5_000, 100)]),
        leg(6_800, [(6_400, 30), (6_000, 50)]),
    ];
    let jump = worst(legs.iter().map(Plain::planned), 20_000, true).joint;
    let sold = legs.iter().fold([Usd::ZERO; 3], |mut sums, leg| {
        for (sum, loss) in sums.iter_mut().zip(sale_losses(leg.planned())) {
            *sum += loss;
        }
        sums
    });
    let page = include_str!("../../../../docs/risk.md");
    let [price, spread, depth] = sold;
    for (name, loss) in [("jump", jump), ("price", price), ("spread", spread), ("depth", depth)] {
        let row = format!(
            "| {name} | ${}.{:02} |",
            loss.micros() / 1_000_000,
            loss.micros() / 10_000 % 100
        );
        assert!(page.contains(&row), "the page lacks {row}");
        assert_eq!(loss.micros() % 10_000, 0, "whole cents");
    }
    let found = ours(&legs, 20_000);
    assert_eq!((found.loss, found.shock, found.filled), (depth, Shock::Depth, 7));
}
