//! What a plan may lose at worst, and what a cluster may: as the core works it out, sizes by it and is refused for it.

use super::*;
use crate::event::WithdrawnWhy;
use crate::risk::{Refusal, Shock, Worst};
use LimitRow as L;

const CLUSTER: ClusterId = ClusterId::new(0);

/// A desk with so many dollars at each venue.
fn desk_with(dollars: i64) -> Desk {
    let mut desk = Desk::unfunded();
    let floor = u64::try_from(dollars).unwrap() * 1_000_000; // half of what both venues hold
    desk.core.limits.set(L::EquityFloor, floor, false);
    for venue in Venue::ALL {
        let cash = Usd::from_dollars(dollars);
        desk.control(Control::Cash { venue, shard: 0, cash });
    }
    desk.open();
    assert_eq!(desk.core.money.account().equity, Usd::from_dollars(2 * dollars));
    desk
}

/// A group's plan at the prices that its cash was held for, leg by leg.
fn costs(desk: &Desk) -> Vec<Usd> {
    let group = desk.core.groups().iter().next().expect("a group");
    let cost = |leg: &crate::group::Leg| {
        desk.core.worst_cost(leg.market, leg.reach, group.target.times(leg.ratio))
    };
    group.legs().iter().map(cost).collect()
}

fn refusals(desk: &Desk) -> Vec<Refusal> {
    let why = |note: &Note| match note {
        Note::Refused { why, .. } => Some(*why),
        _ => None,
    };
    desk.notes.iter().filter_map(why).collect()
}

#[test]
fn a_pair_may_lose_both_legs_and_its_cluster_counts_one() {
    let mut desk = Desk::new();
    desk.gap();
    let risk = desk.core.groups().iter().next().expect("a group").risk;
    let costs = costs(&desk);
    assert_eq!(costs.len(), 2);
    let both = Worst { loss: costs[0] + costs[1], shock: Shock::Jump, filled: 3 };
    assert_eq!((risk.worst, risk.cluster), (both, costs[0].max(costs[1])));
}

/// Each venue settles by its own rules, whatever it is that relates their markets.
#[test]
fn a_plan_over_two_venues_may_lose_all_of_its_legs_whatever_its_kind() {
    for kind in BasketKind::ALL {
        let mut desk = Desk::new();
        for basket in [0, 1].map(BasketId::new) {
            desk.event(Event::BasketWithdrawn { basket, why: WithdrawnWhy::Revoked });
        }
        let legs = [(PM, Outcome::Yes), (KA, Outcome::No)];
        for def in BasketDef::of_single_contracts(BasketId::new(2), kind, 10_000, &legs) {
            desk.event(Event::Basket(def));
        }
        desk.gap();
        let risk = desk.core.groups().iter().next().expect("a group").risk;
        let costs = costs(&desk);
        assert_eq!(risk.worst.loss, costs[0] + costs[1], "{}", kind.name());
        assert_eq!(risk.cluster, costs[0].max(costs[1]), "here the relation is believed");
    }
}

#[test]
fn legs_of_one_venue_lose_what_their_relation_allows() {
    let mut desk = Desk::new();
    let legs = [(KA, Outcome::Yes), (MarketId::new(2), Outcome::Yes)];
    desk.event(Event::Market(MarketDef { market: legs[1].0, ..terms(KA) }));
    for def in
        BasketDef::of_single_contracts(BasketId::new(2), BasketKind::ExclusiveYes, 10_000, &legs)
    {
        desk.event(Event::Basket(def));
    }
    desk.book(KA, &[(38, 300)], &[(40, 30)]);
    desk.book(legs[1].0, &[(48, 300)], &[(50, 30)]);
    let risk = desk.core.groups().iter().next().expect("a group").risk;
    let costs = costs(&desk);
    assert_eq!(risk.cluster, costs[0].max(costs[1]));
    assert_eq!((risk.worst.loss, risk.worst.shock), (risk.cluster, Shock::Jump));
    // Hardly anybody bids now: to sell both legs again would lose nearly all of them.
    let mut thin = Desk::new();
    thin.event(Event::Market(MarketDef { market: legs[1].0, ..terms(KA) }));
    for def in
        BasketDef::of_single_contracts(BasketId::new(2), BasketKind::ExclusiveYes, 10_000, &legs)
    {
        thin.event(Event::Basket(def));
    }
    thin.book(KA, &[(38, 2)], &[(40, 30)]);
    thin.book(legs[1].0, &[(48, 2)], &[(50, 30)]);
    let thin_risk = thin.core.groups().iter().next().expect("a group").risk;
    assert_eq!(thin_risk.cluster, risk.cluster);
    assert!(thin_risk.worst.loss > risk.worst.loss);
    assert_eq!((thin_risk.worst.shock, thin_risk.worst.filled), (Shock::Depth, 3));
}

/// $20 at each venue: half of $40 is the floor, and nine tenths of the rest may be lost.
#[test]
fn a_plan_is_sized_to_what_it_and_its_cluster_may_lose() {
    let sized = |row: LimitRow, percent: u64| {
        let mut desk = desk_with(20);
        desk.core.limits.set(L::PositionPercent, 100, false);
        desk.core.limits.set(L::CategoryPercent, 100, false);
        desk.control(Control::Limit { row, value: percent });
        desk.gap();
        let risk = desk.core.groups().iter().next().expect("a group").risk;
        let account = desk.core.money.account();
        assert!(risk.worst.loss <= account.shock_room(&desk.core.limits), "{percent}");
        assert!(risk.cluster <= account.cluster_room(&desk.core.limits), "{percent}");
        assert_eq!(refusals(&desk), [], "{percent}");
        desk.last_placed().qty
    };
    let usual = sized(L::ShockBufferPercent, 90);
    assert!(usual < qty(18), "$18 buy no more: {usual}");
    assert_eq!(sized(L::ClusterPercent, 30), usual);
    let half = sized(L::ShockBufferPercent, 60);
    assert!(qty(5) < half && half < usual, "{half}");
    let apart = sized(L::ClusterPercent, 20);
    assert!(qty(5) < apart && apart < usual, "{apart}");
}

#[test]
fn a_single_order_is_refused_for_what_it_may_lose() {
    let told = |cents: u16, contracts: u64, cluster: u64| {
        let mut desk = desk_with(100);
        for (row, percent) in
            [(L::ClusterPercent, cluster), (L::PositionPercent, 100), (L::CategoryPercent, 100)]
        {
            desk.core.limits.set(row, percent, false);
        }
        desk.wait(Nanos::from_millis(10)); // the account is valued
        desk.book(PM, &[(38, 300)], &[(95, 30)]);
        desk.control(to_rest(PM, Action::Buy, cents, contracts, false));
        (desk.placed().len(), refusals(&desk))
    };
    // $90 of the $100 above the floor, fees included.
    assert_eq!(told(90, 99, 100), (1, vec![]));
    assert_eq!(told(90, 100, 100), (0, vec![Refusal::Shock]));
    // $60 of the equity of $200.
    assert_eq!(told(60, 98, 30), (1, vec![]));
    assert_eq!(told(60, 100, 30), (0, vec![Refusal::ClusterOutcome]));
}

/// The venues will not take back the first two fills any more.
fn confirm(desk: &mut Desk) {
    for fill in 1..=2 {
        desk.report(Report::Finality { fill: FillId::new(fill), state: Finality::Final });
    }
}

#[test]
fn a_fill_that_may_be_taken_back_completes_nothing_until_its_end_is_known() {
    for state in [Finality::Final, Finality::Failed] {
        let mut desk = Desk::new();
        let fills = desk.buy_gap();
        desk.wait(Nanos::from_millis(1));
        let both = desk.core.money.exposure().cluster(CLUSTER);
        assert_eq!(desk.core.money.cluster_worst(CLUSTER), both, "either may stand alone");
        let at_polymarket = fills.into_iter().find(|fill| fill.market == PM).expect("a leg");
        desk.report(Report::Finality { fill: at_polymarket.fill, state });
        desk.wait(Nanos::from_millis(1));
        let lone = desk.core.ledger().position(KA).cost_total() + desk.reserved();
        let worst = if state == Finality::Failed { lone } else { Usd::ZERO };
        assert_eq!(desk.core.money.cluster_worst(CLUSTER), worst, "{state:?}");
    }
}

#[test]
#[should_panic(expected = "R2: what may be taken back completes nothing")]
fn a_purchase_in_doubt_that_no_fill_explains_is_found() {
    let mut desk = Desk::new();
    desk.core.money.worth_mut().on_provisional(PM);
    desk.core.check_invariants();
}

#[test]
fn a_complete_basket_counts_for_nothing_in_its_cluster_once_it_is_valued() {
    let mut desk = Desk::new();
    let worst = |desk: &Desk| desk.core.money.cluster_worst(CLUSTER);
    let at_risk = |desk: &Desk| desk.core.money.exposure().cluster(CLUSTER);
    desk.gap();
    for leg in 0..2 {
        let order = desk.last_placed();
        desk.fill(&order, 30);
        for _ in 0..2 {
            assert_eq!(worst(&desk), at_risk(&desk), "leg {leg}");
            desk.wait(Nanos::from_millis(1));
        }
    }
    // Polymarket may still take its fill back, and then the other leg stands alone.
    confirm(&mut desk);
    assert_eq!(worst(&desk), at_risk(&desk), "it is valued at the next timer event");
    desk.wait(Nanos::from_millis(1));
    assert_eq!(worst(&desk), Usd::ZERO);
    assert!(at_risk(&desk) > Usd::from_dollars(20));
    // What an order claims counts in full beside it.
    desk.book(PM, &[(38, 300)], &[(95, 30)]);
    desk.control(to_rest(PM, Action::Buy, 20, 10, false));
    assert_eq!(worst(&desk), desk.reserved());
    assert!(desk.reserved() > Usd::from_dollars(2));
}

#[test]
fn what_does_not_pay_together_any_more_counts_in_full_at_once() {
    let complete = || {
        let mut desk = Desk::new();
        desk.buy_gap();
        confirm(&mut desk);
        desk.wait(Nanos::from_millis(1));
        assert_eq!(desk.core.money.cluster_worst(CLUSTER), Usd::ZERO);
        desk
    };
    let full = |desk: &Desk, cluster: ClusterId| {
        let at_risk = desk.core.money.exposure().cluster(cluster);
        assert!(at_risk > Usd::from_dollars(10));
        assert_eq!(desk.core.money.cluster_worst(cluster), at_risk);
    };
    let mut revoked = complete();
    let (basket, why) = (BasketId::new(0), WithdrawnWhy::Revoked);
    revoked.event(Event::BasketWithdrawn { basket, why });
    full(&revoked, CLUSTER);
    revoked.wait(Nanos::from_millis(1));
    full(&revoked, CLUSTER);
    // Two clusters hold half of it each: nobody knows which of them gets what it pays.
    let (mut apart, other) = (complete(), ClusterId::new(1));
    apart.event(Event::Market(MarketDef { cluster: other, ..terms(KA) }));
    for _ in 0..2 {
        full(&apart, CLUSTER);
        full(&apart, other);
        apart.wait(Nanos::from_millis(1));
    }
    // One leg is gone.
    let mut less = complete();
    less.book(PM, &[(38, 300)], &[(60, 100)]);
    less.wait(Nanos::from_secs(60));
    for _ in 0..2 {
        let held = Control::Position { market: PM, yes: qty(10), no: Qty::ZERO };
        less.reading(Venue::Polymarket, &[held]);
    }
    assert_eq!(less.held(PM, Outcome::Yes), qty(10));
    let cost = |market| less.core.ledger().position(market).cost_total();
    let lone = cost(KA) - less.core.ledger().position(KA).share(Outcome::No, qty(10));
    assert!(less.core.money.cluster_worst(CLUSTER) >= lone, "twenty of it stand alone");
    assert!(less.core.money.cluster_worst(CLUSTER) < cost(KA));
}
