//! Near a limit on dollars a plan is made smaller, as small as the gate itself asks for, and not refused again and again.

use super::*;
use crate::group::Group;
use crate::ids::ThemeId;
use crate::ledger::{CashAccount, LedgerAccount};
use crate::market::Category;
use crate::random::Rng;
use crate::risk::Refusal;
use crate::strategy::arbitrage::Decision;
use LimitRow as L;

const BASKET: BasketId = BasketId::new(7);
/// More dollars than any basket here comes to.
const WIDE: u64 = 1_000_000 * 1_000_000;
/// Rows whose room is a sum of dollars, and the values that they are drawn from, in dollars.
const SUMS: [(L, u64, u64); 7] = [
    (L::OrderNotional, 5, 60),
    (L::PositionNotional, 5, 60),
    (L::ExposureMarket, 5, 80),
    (L::ExposureCluster, 10, 120),
    (L::ExposureTheme, 10, 120),
    (L::ExposureVenue, 10, 120),
    (L::ExposureTotal, 20, 150),
];
/// The same of rows whose room is a share of the account, in percent.
const SHARES: [(L, u64, u64); 7] = [
    (L::PositionPercent, 1, 20),
    (L::ExposureVenuePercent, 2, 40),
    (L::ExposureTotalPercent, 4, 60),
    (L::CategoryPercent, 4, 60),
    (L::ClusterPercent, 2, 40),
    (L::ShockBufferPercent, 4, 60),
    (L::CashPercent, 5, 95),
];

/// A basket of one of the shapes that there are, its legs at drawn venues, in drawn clusters, categories and themes. The markets
/// are told of, the basket is not.
fn shape(rng: &mut Rng, desk: &mut Desk) -> (BasketKind, Vec<(MarketId, Outcome)>) {
    let market = |leg: usize| MarketId::new(10 + leg as u16);
    let (yes, no) = (Outcome::Yes, Outcome::No);
    let (kind, legs) = match rng.below(8) {
        0..=3 => (BasketKind::CrossVenue, vec![(market(0), yes), (market(1), no)]),
        4 => (BasketKind::ExclusiveYes, vec![(market(0), yes), (market(1), yes)]),
        _ => {
            let count = 3 + rng.below(8) as usize;
            (BasketKind::ExclusiveYes, (0..count).map(|leg| (market(leg), yes)).collect())
        }
    };
    for (nth, &(market, _)) in legs.iter().enumerate() {
        let at_polymarket = if kind == BasketKind::CrossVenue { nth == 0 } else { rng.percent(50) };
        let like = terms(if at_polymarket { PM } else { KA });
        let rate = rng.of(&[0, 17_500, 40_000, 70_000]);
        let fee = match like.venue {
            Venue::Polymarket => FeeRule::Polymarket { rate, exponent: 1 },
            Venue::Kalshi => FeeRule::Kalshi { taker: rate, maker: 0 },
        };
        desk.event(Event::Market(MarketDef {
            market,
            cluster: ClusterId::new(rng.below(2) as u16),
            fee,
            category: rng.of(&[Category::Unknown, Category::Crypto, Category::Sports]),
            theme: Some(ThemeId::new(rng.below(2) as u8)).filter(|_| rng.percent(50)),
            ..like
        }));
    }
    (kind, legs)
}

/// Books in which the basket is worth buying, some levels deep: by 2 cents of a dollar, or by up to 19.
fn offer(rng: &mut Rng, desk: &mut Desk, legs: &[(MarketId, Outcome)]) {
    let count = legs.len() as u64;
    let mut asks = vec![(98 - rng.below(18)) / count; legs.len()];
    for _ in 0..30 {
        let (from, to) = (rng.below(count) as usize, rng.below(count) as usize);
        if asks[from] > 3 {
            (asks[from], asks[to]) = (asks[from] - 1, asks[to] + 1);
        }
    }
    for (&(market, outcome), ask) in legs.iter().zip(asks) {
        let ask = ask as u16;
        let offers: Vec<_> =
            (0..1 + rng.below(4) as u16).map(|level| (ask + level, 10 + rng.below(800))).collect();
        let bids = [(ask - 2, 1 + rng.below(500))];
        let of_no = |levels: &[(u16, u64)]| -> Vec<_> {
            levels.iter().map(|&(cents, there)| (100 - cents, there)).collect()
        };
        match outcome {
            Outcome::Yes => desk.book(market, &bids, &offers),
            Outcome::No => desk.book(market, &of_no(&offers), &of_no(&bids)),
        }
    }
}

/// Every limit wide but for one or two that are drawn.
fn limit(rng: &mut Rng, desk: &mut Desk) {
    let mut set = |row, value| assert!(desk.core.limits.set(row, value, false));
    for row in [L::OrderQty, L::PositionQty] {
        set(row, WIDE);
    }
    SUMS.iter().for_each(|(row, ..)| set(*row, WIDE));
    SHARES.iter().for_each(|(row, ..)| set(*row, 100));
    for row in [L::EquityFloor, L::HurdleRate, L::LegFailPpm, L::ProfitMin] {
        set(row, 0);
    }
    for _ in 0..1 + rng.below(2) {
        if rng.percent(50) {
            let (row, least, most) = rng.of(&SUMS);
            set(row, (least * 100 + rng.below((most - least) * 100 + 1)) * 10_000);
        } else {
            let (row, least, most) = rng.of(&SHARES);
            set(row, least + rng.below(most - least + 1));
        }
    }
}

/// A desk with drawn cash and something at risk already. A basket is worth buying there, and nothing has looked at it yet.
fn desk(seed: u64) -> Desk {
    let mut rng = Rng::from_seed(seed);
    let mut desk = Desk::unfunded();
    for venue in Venue::ALL {
        let dollars = rng.of(&[60, 200, 10_000]) + rng.below(100) as i64;
        desk.control(Control::Cash { venue, shard: 0, cash: Usd::from_dollars(dollars) });
    }
    desk.open();
    limit(&mut rng, &mut desk);
    desk.wait(Nanos::from_millis(10)); // the account is valued, its shares follow
    let (kind, legs) = shape(&mut rng, &mut desk);
    if rng.percent(50) {
        desk.book(PM, &[(30, 300)], &[(60, 300)]);
        desk.control(to_rest(PM, Action::Buy, 30, 5 + rng.below(12), false));
    }
    offer(&mut rng, &mut desk, &legs);
    for def in BasketDef::of_single_contracts(BASKET, kind, 10_000, &legs) {
        desk.event(Event::Basket(def));
    }
    desk
}

/// Whether the gate lets a group pass as it is. Nothing is held then.
fn passes(desk: &mut Desk, group: &mut Group) -> Result<(), Refusal> {
    desk.core.hold_whole(desk.now, group).map_err(|(_, why)| why)?;
    for leg in group.legs() {
        desk.core.reserve(leg.market, -leg.hold);
    }
    Ok(())
}

/// Cash that something has a claim on.
fn claimed(desk: &Desk) -> Usd {
    let reserved = |account| desk.core.ledger().balance(LedgerAccount::Reserved(account));
    CashAccount::all().map(reserved).fold(Usd::ZERO, |sum, cash| sum + cash)
}

/// Whether a plan of the basket passes in any size, in whole contracts, of those that a strategy would buy.
fn passes_in_any_size(desk: &mut Desk, most: Qty) -> bool {
    (1..=most.micros() / 1_000_000).any(|contracts| {
        match desk.core.decision(desk.now, BASKET, Some(qty(contracts))) {
            Decision::Buy { .. } => {
                let mut group = desk.core.planned(desk.now);
                let passed = passes(desk, &mut group).is_ok();
                desk.core.groups.give_back(group.legs);
                passed
            }
            _ => false,
        }
    })
}

#[test]
fn a_plan_that_the_gate_finds_too_large_is_made_as_small_as_it_asks() {
    let (mut whole, mut smaller, mut refused) = (0, 0, 0);
    for seed in 0..crate::cases::cases(20_000) / 5 {
        let mut desk = desk(seed);
        let now = desk.now;
        let Decision::Buy { mut seen, .. } = desk.core.decision(now, BASKET, None) else {
            continue;
        };
        let mut group = desk.core.planned(now);
        let planned = group.target;
        let first = passes(&mut desk, &mut group);
        let before = claimed(&desk);
        let held = desk.core.hold_what_fits(now, &mut seen, &mut group);
        match (first, held) {
            (Ok(()), Ok(_)) => {
                whole += 1;
                assert_eq!(group.target, planned, "seed {seed}: what passes is not touched");
            }
            (Err(why), Ok(_)) => {
                smaller += 1;
                assert!(why.is_of_size() && group.target < planned, "seed {seed}: {why:?}");
                assert!(
                    group.target.times(2) > planned,
                    "seed {seed}: {:?} of {planned:?}",
                    group.target
                );
            }
            (Ok(()), Err(_)) => panic!("seed {seed}: it passed"),
            (Err(why), Err((_, told))) => {
                refused += u32::from(why.is_of_size());
                assert_eq!(why, told, "seed {seed}");
                assert_eq!(claimed(&desk), before, "seed {seed}: nothing is held");
                assert!(
                    !why.is_of_size() || !passes_in_any_size(&mut desk, planned),
                    "seed {seed}: {why:?}"
                );
            }
        }
    }
    assert!(
        smaller * 10 > whole && whole > smaller,
        "{whole} {smaller} {refused}: the draws are lame"
    );
}

#[test]
fn a_basket_that_would_be_refused_for_its_size_is_bought_in_a_smaller_one() {
    let mut desk = desk(10);
    let decision = desk.core.decision(desk.now, BASKET, None);
    assert!(matches!(decision, Decision::Buy { .. }), "it is worth buying");
    let mut group = desk.core.planned(desk.now);
    assert_eq!(passes(&mut desk, &mut group), Err(Refusal::ExposureTotal));
    desk.core.groups.give_back(std::mem::take(&mut group.legs));
    let (before, planned) = (desk.placed().len(), group.target);
    desk.wait(Nanos::from_millis(10));
    assert_eq!(desk.placed().len(), before + 1);
    let bought = desk.core.groups().iter().next().expect("it was begun").target;
    assert!(bought < planned && bought.times(2) > planned, "{bought:?} of {planned:?}");
    assert_eq!(desk.verdicts(), [(BASKET.get(), Verdict::Taken)]);
}
