//! Fills and payments that are heard of after the venue's figures have been taken over: none counts twice.

use super::*;
use crate::ids::Action;
use crate::report::Reject;

const KALSHI: Venue = Venue::Kalshi;
const POLYMARKET: Venue = Venue::Polymarket;
/// Longer than reads lag behind fills, and than an order may be absent.
const LATER: Nanos = Nanos::from_secs(31);
const KEY: VenueKey = VenueKey::new(77);

/// Cash and contracts at a venue, as counted here.
fn counted(desk: &Desk, venue: Venue) -> (Usd, [Qty; 2]) {
    let market = market_of(venue);
    let held = [Outcome::Yes, Outcome::No].map(|outcome| desk.held(market, outcome));
    (desk.core.ledger().cash_at(venue), held)
}

fn market_of(venue: Venue) -> MarketId {
    match venue {
        Venue::Polymarket => PM,
        Venue::Kalshi => KA,
    }
}

/// A reading in which the venue has these figures.
fn told(desk: &mut Desk, venue: Venue, (cash, [yes, no]): (Usd, [Qty; 2])) {
    desk.wait(Nanos::from_secs(12));
    let position = Control::Position { market: market_of(venue), yes, no };
    desk.reading(venue, &[position, Control::Cash { venue, shard: 0, cash }]);
}

/// Both venues have what we count.
fn agree(desk: &mut Desk) {
    for venue in Venue::ALL {
        let figures = counted(desk, venue);
        told(desk, venue, figures);
    }
    assert!(desk.core.stats().reconciled);
}

/// The first leg's answer is lost; the venue says three times that it has no such order.
fn declared_dead(desk: &mut Desk) -> Order {
    agree(desk);
    desk.gap();
    let first = desk.last_placed();
    assert_eq!((first.market, first.outcome, first.qty), (KA, Outcome::No, qty(30)));
    desk.report(Report::TimedOut { order: first.id });
    desk.book(KA, &[(20, 100)], &[(52, 300)]); // the gap is gone
    desk.now = desk.now.after(LATER);
    for _ in 0..3 {
        desk.report(Report::Absent { order: first.id, venue: KALSHI });
    }
    assert_eq!(desk.core.orders().find(OrderRef::Id(first.id)).unwrap().state, OrderState::Done);
    first
}

/// What a core that hears these fills in time counts.
fn heard_in_time(fills: &[u64]) -> (Usd, [Qty; 2]) {
    let mut desk = Desk::new();
    agree(&mut desk);
    desk.gap();
    let first = desk.last_placed();
    for &contracts in fills {
        desk.fill(&first, contracts);
    }
    counted(&desk, KALSHI)
}

#[test]
fn a_fill_whose_name_comes_after_the_repair_is_counted_once() {
    for fills in [&[30][..], &[12, 18], &[10, 10, 10]] {
        let truth = heard_in_time(fills);
        let mut desk = Desk::new();
        let first = declared_dead(&mut desk);
        for _ in 0..2 {
            told(&mut desk, KALSHI, truth);
        }
        assert_eq!(counted(&desk, KALSHI), truth, "repaired");
        for &contracts in fills {
            let fill = Fill { order: OrderRef::Key(KEY), ..desk.fill_of(&first, contracts) };
            desk.report(Report::Fill(fill));
        }
        desk.report(Report::Bound { order: first.id, key: KEY });
        assert_eq!(counted(&desk, KALSHI), truth, "{fills:?}");
        assert_eq!(desk.core.stats().fills, fills.len() as u64);
        agree(&mut desk);
        // What it cost is known now (several fills are averaged with what is left of the repair), and its group has a
        // leg to find a partner for.
        let cost = first.price.cost_ceil(qty(30));
        assert!(fills.len() > 1 || desk.core.ledger().position(KA).cost(Outcome::No) == cost);
        assert_eq!(desk.core.stats().groups_reopened, 1);
    }
}

#[test]
fn what_the_repair_did_not_see_is_counted_as_ever() {
    // The venue showed 10 of 30 when it was read: 20 are new. Its cash was not repaired yet.
    let (paid, _) = heard_in_time(&[30]);
    let mut desk = Desk::new();
    let first = declared_dead(&mut desk);
    let (cash, _) = counted(&desk, KALSHI);
    for _ in 0..2 {
        told(&mut desk, KALSHI, (cash, [Qty::ZERO, qty(10)]));
    }
    desk.report(Report::Bound { order: first.id, key: KEY });
    desk.fill(&first, 30);
    assert_eq!(counted(&desk, KALSHI), (paid, [Qty::ZERO, qty(30)]));
}

#[test]
fn an_order_sent_after_the_reading_is_not_what_the_reading_showed() {
    let mut desk = Desk::new();
    agree(&mut desk);
    let (cash, _) = counted(&desk, KALSHI);
    let theirs = (cash - Usd::from_dollars(15), [Qty::ZERO, qty(30)]);
    for _ in 0..2 {
        told(&mut desk, KALSHI, theirs); // somebody bought these by hand
    }
    assert_eq!(counted(&desk, KALSHI), theirs);
    desk.wait(Nanos::from_secs(2));
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    assert_eq!(desk.held(KA, Outcome::No), qty(60));
    assert!(counted(&desk, KALSHI).0 < theirs.0);
}

/// A pair whose Kalshi half is then taken back and cannot be had again: the sale of the other half is in flight, and the
/// venue does not know it.
fn sale_declared_dead(desk: &mut Desk) -> Order {
    desk.gap();
    let first = desk.last_placed();
    let kalshi = desk.fill_of(&first, 30);
    desk.report(Report::Fill(kalshi));
    let second = desk.last_placed();
    desk.fill(&second, 30);
    for fill in 1..=2 {
        desk.report(Report::Finality { fill: FillId::new(fill), state: Finality::Final });
    }
    desk.now = desk.now.after(LATER);
    agree(desk);
    desk.book(KA, &[(20, 100)], &[(52, 300)]);
    desk.report(Report::Finality { fill: kalshi.fill, state: Finality::Failed });
    let again = desk.last_placed();
    desk.report(Report::Rejected { order: OrderRef::Id(again.id), why: Reject::Killed });
    let sale = desk.last_placed();
    assert_eq!((sale.market, sale.action), (PM, Action::Sell));
    desk.book(PM, &[], &[(60, 100)]); // nobody buys the rest
    desk.report(Report::TimedOut { order: sale.id });
    desk.now = desk.now.after(LATER);
    sale
}

#[test]
fn a_sale_heard_of_after_its_contracts_were_found_gone_sells_no_others() {
    let mut desk = Desk::new();
    let sale = sale_declared_dead(&mut desk);
    desk.fill(&sale, 30);
    let truth = (counted(&desk, POLYMARKET), desk.core.ledger().realised());

    let mut desk = Desk::new();
    let sale = sale_declared_dead(&mut desk);
    for _ in 0..3 {
        desk.report(Report::Absent { order: sale.id, venue: POLYMARKET });
    }
    for _ in 0..3 {
        desk.wait(Nanos::from_secs(12));
        let (cash, [yes, no]) = truth.0;
        let since = desk.now;
        desk.control(Control::Reading { venue: POLYMARKET, since });
        desk.control(Control::History { market: PM, yes, no });
        desk.control(Control::Position { market: PM, yes, no });
        desk.control(Control::Cash { venue: POLYMARKET, shard: 0, cash });
        desk.control(Control::Reconciled { venue: POLYMARKET, clean: true });
    }
    assert_eq!(counted(&desk, POLYMARKET), truth.0, "repaired");
    desk.fill(&sale, 30);
    assert_eq!(counted(&desk, POLYMARKET), truth.0);
    assert_eq!(desk.core.ledger().realised(), truth.1, "the sale's result is known after all");
    assert!(!desk.core.ledger().position(PM).is_short());
}

#[test]
fn one_that_fails_after_it_was_counted_once_is_taken_back_whole() {
    let truth = heard_in_time(&[30]);
    let mut desk = Desk::new();
    let before = counted(&desk, KALSHI);
    let first = declared_dead(&mut desk);
    for _ in 0..2 {
        told(&mut desk, KALSHI, truth);
    }
    desk.report(Report::Bound { order: first.id, key: KEY });
    desk.fill(&first, 30);
    let failed = FillId::new(desk.fills);
    desk.report(Report::Finality { fill: failed, state: Finality::Failed });
    assert_eq!(counted(&desk, KALSHI), before);
}
