//! Venues and markets that refuse order after order.

use super::*;
use crate::order::Purpose;
use crate::per_venue::PerVenue;
use crate::report::{Reject, Unsent};

fn alarms(desk: &Desk) -> usize {
    let is = |note: &&Note| matches!(note, Note::Alarm { what: Alarm::OrdersRefused, .. });
    desk.notes.iter().filter(is).count()
}

/// A minute in which the gap is there all the time and Polymarket answers every order as told. Returns what was bought
/// first at Kalshi, and how many orders Polymarket saw.
fn refused_for_a_minute(desk: &mut Desk, answer: impl Fn(&Order) -> Report) -> (usize, usize) {
    desk.core.limits.set(LimitRow::CooldownLossMs, 1_000, false);
    let (mut answered, mut first_legs, mut asked) = (desk.placed().len(), 0, 0);
    for _ in 0..6_000 {
        desk.wait(Nanos::from_millis(10));
        desk.gap();
        while let Some(order) = desk.placed().get(answered).copied() {
            answered += 1;
            if order.market == PM {
                asked += 1;
                desk.report(answer(&order));
            } else {
                first_legs += usize::from(order.purpose == Purpose::Leg);
                desk.fill(&order, 30);
            }
        }
    }
    (first_legs, asked)
}

#[test]
fn a_venue_that_refuses_everything_costs_one_leg_and_is_held() {
    type Answer = fn(&Order) -> Report;
    let answers: [(&str, Answer); 4] = [
        ("403", |order| Report::Rejected { order: OrderRef::Id(order.id), why: Reject::Blocked }),
        ("401", |order| Report::Rejected { order: OrderRef::Id(order.id), why: Reject::Auth }),
        ("425", |order| Report::Rejected { order: OrderRef::Id(order.id), why: Reject::Mode }),
        ("breaker", |order| Report::Unsent { order: order.id, why: Unsent::Breaker }),
    ];
    for (name, answer) in answers {
        let mut desk = Desk::new();
        let (first_legs, asked) = refused_for_a_minute(&mut desk, answer);
        assert!(first_legs <= 1, "{name}: {first_legs} first legs were bought at the other venue");
        // A hedge that never left is tried for five seconds.
        let most = if name == "breaker" { 25 } else { 12 };
        assert!(asked <= most, "{name}: {asked} orders in a minute");
        assert!(alarms(&desk) >= 1, "{name}: a person hears of it");
        assert!(desk.core.stats().refused_in_a_row[Venue::Polymarket] >= 3);
        assert_eq!(desk.core.stats().refused_in_a_row[Venue::Kalshi], 0);
        assert_eq!(desk.held(KA, Outcome::No), Qty::ZERO, "{name}");
        // Well again: the next try takes it up, its leg there first.
        let mut waited = Nanos::ZERO;
        let placed = desk.placed().len();
        while desk.placed().len() == placed {
            desk.wait(Nanos::from_millis(100));
            desk.gap();
            waited = waited.after(Nanos::from_millis(100));
            assert!(waited < Nanos::from_secs(100), "{name}: it is tried again");
        }
        let probe = desk.last_placed();
        assert_eq!((probe.market, probe.purpose), (PM, Purpose::Leg), "{name}");
        desk.fill(&probe, 30);
        let hedge = desk.last_placed();
        assert_eq!(hedge.market, KA);
        desk.fill(&hedge, 30);
        assert_eq!(desk.core.stats().refused_in_a_row, PerVenue::all(0));
        desk.wait(Nanos::from_secs(2));
        desk.gap();
        assert_eq!(desk.last_placed().market, KA, "{name}: trusted again");
    }
}

#[test]
fn a_new_connection_is_tried_at_once() {
    let mut desk = Desk::new();
    let answer = |order: &Order| Report::Unsent { order: order.id, why: Unsent::Down };
    refused_for_a_minute(&mut desk, answer);
    let placed = desk.placed().len();
    desk.event(Event::Link {
        venue: Venue::Polymarket,
        link: Link::Orders,
        number: LinkNumber::FIRST,
        up: true,
    });
    desk.wait(Nanos::from_secs(2));
    desk.gap();
    assert_eq!(desk.placed().len(), placed + 1);
}

#[test]
fn a_market_that_refuses_one_purchase_after_another_is_paused() {
    let mut desk = Desk::new();
    desk.core.limits.set(LimitRow::OrdersPerMinuteMarket, 1_000, false);
    desk.core.limits.set(LimitRow::OrdersPerMinute, 1_000, false);
    for _ in 0..150 {
        let placed = desk.placed().len();
        desk.wait(Nanos::from_secs(1));
        desk.gap();
        if desk.placed().len() > placed {
            let first = desk.last_placed();
            desk.report(Report::Rejected { order: OrderRef::Id(first.id), why: Reject::Terms });
        }
    }
    assert_eq!(desk.placed().len(), 5, "five in a row, then a pause of five minutes");
    assert_eq!((alarms(&desk), desk.core.stats().market_pauses), (1, 1));
    desk.wait(Nanos::from_secs(300));
    desk.gap();
    assert_eq!(desk.placed().len(), 6);
}
