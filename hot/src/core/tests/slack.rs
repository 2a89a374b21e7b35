//! The slack of a plan is one for all its legs: a set of any number of legs never completes for more than it pays.

use super::*;
use crate::ids::Action;
use crate::order::Purpose;

/// Numbers from a seed.
struct Rng(u64);

impl Rng {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

const BASKET: BasketId = BasketId::new(7);

fn market(leg: usize) -> MarketId {
    MarketId::new(10 + leg as u16)
}

/// A set of outcomes of which exactly one pays a dollar, one leg at each price; not decided on yet.
fn set_desk(venues: &[Venue]) -> Desk {
    let mut desk = Desk::new();
    for row in [LimitRow::ExposureCluster, LimitRow::ExposureVenue, LimitRow::ExposureMarket] {
        desk.core.limits.set(row, 1_000_000_000, false);
    }
    for (leg, &venue) in venues.iter().enumerate() {
        let like = if venue == Venue::Polymarket { PM } else { KA };
        desk.event(Event::Market(MarketDef { market: market(leg), ..terms(like) }));
    }
    for leg in 0..venues.len() {
        desk.event(Event::Basket(BasketDef {
            basket: BASKET,
            kind: BasketKind::ExclusiveYes,
            leg: leg as u8,
            legs: venues.len() as u8,
            market: market(leg),
            outcome: Outcome::Yes,
            payout: 10_000,
        }));
    }
    desk
}

/// What a purchase cost, with its fee.
fn cost(desk: &Desk, market: MarketId, price: Price, qty: Qty) -> Usd {
    price.cost_ceil(qty) + desk.core.books().terms(market).unwrap().fee.fee(price, qty, true)
}

/// What was bought of each leg, and for how much.
type Bought = [(Qty, Usd)];

/// What `units` of all legs but one cost, or will at the plan's worst prices; by the letter, without any rounding.
fn others(desk: &Desk, bought: &Bought, but: MarketId, units: Qty) -> Usd {
    let group = desk.core.groups().iter().next().unwrap();
    let mut sum = Usd::ZERO;
    for leg in group.legs().iter().filter(|leg| leg.market != but) {
        let (qty, paid) = bought[usize::from(leg.market.get()) - 10];
        sum += if qty.is_zero() {
            cost(desk, leg.market, leg.limit, units)
        } else {
            paid.share_ceil(units, qty)
        };
    }
    sum
}

/// The highest whole cent at which a hedge may buy, by trying all of them.
fn brute_force(desk: &Desk, hedge: &Order, bought: &Bought, allowance: Usd) -> Price {
    let group = desk.core.groups().iter().next().unwrap();
    let reach = group.legs().iter().find(|leg| leg.market == hedge.market).unwrap().reach;
    let pays = Price::ONE.proceeds_floor(hedge.qty);
    let left = pays - others(desk, bought, hedge.market, hedge.qty) + allowance;
    let fits = |at: &Price| *at <= reach && cost(desk, hedge.market, *at, hedge.qty) <= left;
    (1..100).map(price).rfind(fits).unwrap_or(Price::ZERO)
}

#[test]
fn three_legs_at_their_worst_prices_still_pay() {
    let mut desk = set_desk(&[Venue::Kalshi; 3]);
    for leg in 0..3 {
        desk.book(market(leg), &[(28, 300)], &[(30, 40), (60, 300)]);
    }
    let mut paid = Usd::ZERO;
    for _ in 0..3 {
        let order = desk.last_placed();
        paid += cost(&desk, order.market, order.price, order.qty);
        desk.fill(&order, 40);
    }
    assert_eq!(desk.group_states().last(), Some(&GroupState::Hedged));
    assert!(desk.placed()[1].price > price(30), "the second leg may use what is there");
    assert!(paid <= Usd::from_dollars(40), "{paid} for what pays 40");
    assert!(paid > Usd::from_dollars(39), "{paid}: as far as it goes");
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

/// One set bought to its end, every answer drawn from the seed.
fn play(seed: u64) -> Option<()> {
    let mut rng = Rng(seed);
    let count = 2 + rng.below(4) as usize;
    let venues: Vec<Venue> = (0..count).map(|_| Venue::ALL[rng.below(2) as usize]).collect();
    let mut desk = set_desk(&venues);
    let sum = 100 - 5 - rng.below(14);
    let mut asks = vec![sum / count as u64; count];
    for _ in 0..20 {
        let (from, to) = (rng.below(count as u64) as usize, rng.below(count as u64) as usize);
        if asks[from] > 4 {
            asks[from] -= 1;
            asks[to] += 1;
        }
    }
    for (leg, &ask) in asks.iter().enumerate() {
        let depth = 30 + rng.below(40);
        desk.book(market(leg), &[(ask as u16 - 2, 500)], &[(ask as u16, depth), (99, 500)]);
    }
    let mut bought = vec![(Qty::ZERO, Usd::ZERO); count];
    let mut answered = 0;
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
            let allowance = Usd::from_micros(200);
            let (low, high) = (
                brute_force(&desk, &order, &bought, -allowance),
                brute_force(&desk, &order, &bought, allowance),
            );
            assert!(
                (low..=high).contains(&order.price),
                "seed {seed}: {} not in {low}..={high}",
                order.price
            );
        }
        let worst = rng.below(4) > 0;
        let at = order.price.ticks() / 100 - if worst { 0 } else { rng.below(3) as u16 };
        let at = price(at.max(1));
        let some = order.purpose == Purpose::Hedge && rng.below(4) == 0;
        let got = if some { rng.below(whole + 1) } else { whole };
        let entry = &mut bought[usize::from(order.market.get()) - 10];
        *entry = (entry.0 + qty(got), entry.1 + cost(&desk, order.market, at, qty(got)));
        if got > 0 {
            let fill = Fill { price: at, ..desk.fill_of(&order, got) };
            desk.report(Report::Fill(fill));
        }
        desk.status(&order, VenueState::Cancelled, Some(got));
    }
    let units = (0..count).map(|leg| desk.held(market(leg), Outcome::Yes)).min().unwrap();
    if units.is_zero() {
        return None;
    }
    let paid = bought.iter().fold(Usd::ZERO, |sum, &(qty, paid)| sum + paid.share_ceil(units, qty));
    let pays = Price::ONE.proceeds_floor(units);
    assert!(paid <= pays + Usd::from_micros(1_000), "seed {seed}: {paid} for what pays {pays}");
    Some(())
}

#[test]
fn no_set_completes_for_more_than_it_pays() {
    let completed = (0..3_000).filter_map(play).count();
    assert!(completed > 1_000, "{completed} sets were completed");
}
