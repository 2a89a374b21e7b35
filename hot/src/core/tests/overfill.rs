//! Fills that must not be, or that nobody planned for: more contracts than ordered, and worse prices than agreed.

use super::*;
use crate::event::Oddity;
use crate::ids::Action;
use crate::risk::{QuarantineWhy, Refusal};

fn alarms(desk: &Desk, wanted: Alarm) -> usize {
    let is = |note: &&Note| matches!(note, Note::Alarm { what, .. } if *what == wanted);
    desk.notes.iter().filter(is).count()
}

/// Why a market is quarantined, where it is.
fn shut(desk: &Desk, market: MarketId) -> Option<QuarantineWhy> {
    let shown = desk.core.stats().quarantined_shown;
    shown.shown().find(|(at, _)| *at == market).map(|(_, why)| why)
}

/// Fills every order that follows whole at its own price, until nothing is in flight.
fn finish(desk: &mut Desk, after: usize) {
    let mut at = after;
    for _ in 0..50 {
        while let Some(order) = desk.placed().get(at).copied() {
            at += 1;
            desk.fill(&order, order.qty.micros() / 1_000_000);
        }
        if desk.core.is_idle() {
            return;
        }
        desk.wait(Nanos::from_millis(100));
    }
    panic!("it never ends: {:?}", desk.core.groups().iter().next());
}

/// Both halves at Polymarket: the first leg is a fill-or-kill that spends dollars.
fn two_of_polymarkets() -> (Desk, Order) {
    let mut desk = Desk::new();
    desk.event(Event::Market(MarketDef {
        venue: Venue::Polymarket,
        min_qty: qty(5),
        fee: terms(PM).fee,
        ..terms(KA)
    }));
    desk.book(PM, &[(39, 300)], &[(40, 30), (60, 100)]);
    desk.book(KA, &[(50, 30), (20, 100)], &[(52, 300)]);
    let first = desk.last_placed();
    assert_eq!((first.market, first.tif, first.qty), (PM, Tif::Fok, qty(30)));
    (desk, first)
}

#[test]
fn a_purchase_by_amount_that_brings_more_ends_the_same_whichever_message_comes_first() {
    let mut ends = Vec::new();
    // In one fill or two, told before or after the answer, or between.
    for (parts, answer_at) in
        [(vec![40], 0), (vec![40], 1), (vec![30, 10], 0), (vec![30, 10], 1), (vec![30, 10], 2)]
    {
        let (mut desk, first) = two_of_polymarkets();
        let placed = desk.placed().len();
        let fills: Vec<_> = parts
            .iter()
            .map(|&part| Fill { price: price(30), ..desk.fill_of(&first, part) })
            .collect();
        for at in 0..=fills.len() {
            if at == answer_at {
                desk.status(&first, VenueState::Filled, Some(40));
            }
            if let Some(fill) = fills.get(at) {
                desk.report(Report::Fill(*fill));
            }
        }
        finish(&mut desk, placed);
        assert_eq!(alarms(&desk, Alarm::Overfill), 1, "{parts:?}, answer at {answer_at}");
        assert_eq!(shut(&desk, PM), None, "it cost no more than it might");
        let sold: Vec<_> = desk
            .placed()
            .iter()
            .filter(|order| order.action == Action::Sell)
            .map(|order| order.qty)
            .collect();
        assert_eq!(sold, [qty(10)], "the ten too many are sold: {parts:?}, answer at {answer_at}");
        assert_eq!(desk.group_states().last(), Some(&GroupState::Hedged));
        ends.push((
            desk.held(PM, Outcome::Yes),
            desk.held(KA, Outcome::No),
            desk.core.ledger().cash_at(Venue::Polymarket),
        ));
    }
    let first = ends[0];
    assert_eq!((first.0, first.1), (qty(30), qty(30)));
    assert!(ends.iter().all(|end| (end.0, end.1) == (first.0, first.1)));
    let spread = ends.iter().map(|end| (end.2 - first.2).max(first.2 - end.2)).max().unwrap();
    assert!(spread <= Usd::from_micros(2), "but for the rounding of two fills: {ends:?}");
}

#[test]
fn a_sliver_too_many_stays_and_is_named() {
    for fill_first in [true, false] {
        let (mut desk, first) = two_of_polymarkets();
        let placed = desk.placed().len();
        let got = Qty::from_micros(30_300_000);
        let fill = Fill { price: price(39), qty: got, ..desk.fill_of(&first, 30) };
        let answer = Report::Status(OrderStatus {
            order: OrderRef::Id(first.id),
            state: VenueState::Filled,
            filled: Some(got),
        });
        let reports =
            if fill_first { [Report::Fill(fill), answer] } else { [answer, Report::Fill(fill)] };
        reports.into_iter().for_each(|report| desk.report(report));
        finish(&mut desk, placed);
        assert_eq!((desk.held(PM, Outcome::Yes), desk.held(KA, Outcome::No)), (got, qty(30)));
        assert_eq!(alarms(&desk, Alarm::Overfill), 1);
        assert_eq!(desk.group_states().last(), Some(&GroupState::Hedged));
    }
}

#[test]
fn more_than_was_ordered_closes_the_market_and_leaves_nothing_naked_whichever_message_comes_first()
{
    for fill_first in [true, false] {
        let mut desk = Desk::new();
        desk.gap();
        let first = desk.last_placed();
        assert_eq!((first.market, first.tif), (KA, Tif::Fok));
        let placed = desk.placed().len();
        let fill = desk.fill_of(&first, 40);
        if fill_first {
            desk.report(Report::Fill(fill));
        }
        desk.status(&first, VenueState::Filled, Some(40));
        if !fill_first {
            desk.report(Report::Fill(fill));
        }
        assert_eq!(
            (alarms(&desk, Alarm::Overfill), shut(&desk, KA)),
            (1, Some(QuarantineWhy::Overfill))
        );
        finish(&mut desk, placed);
        assert_eq!(
            (desk.held(PM, Outcome::Yes), desk.held(KA, Outcome::No)),
            (qty(30), qty(30)),
            "fill first: {fill_first}"
        );
        assert_eq!(desk.core.halted(), None);
    }
}

#[test]
fn a_status_that_counts_more_than_was_told_is_asked_about() {
    let (mut desk, first) = two_of_polymarkets();
    let placed = desk.placed().len();
    let fill = Fill { price: price(30), ..desk.fill_of(&first, 30) };
    desk.report(Report::Fill(fill));
    finish(&mut desk, placed);
    let queries = desk.queries();
    desk.wait(Nanos::from_secs(10));
    desk.status(&first, VenueState::Filled, Some(40));
    assert_eq!(desk.queries(), queries + 1);
}

#[test]
fn a_worse_price_than_agreed_closes_the_market_until_a_person_releases_it() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    let worse = Fill { price: price(49), ..desk.fill_of(&first, 30) }; // NO for 51 instead of 50
    desk.report(Report::Fill(worse));
    assert_eq!(
        (alarms(&desk, Alarm::WorseFill), shut(&desk, KA)),
        (1, Some(QuarantineWhy::WorseFill))
    );
    let second = desk.last_placed();
    desk.fill(&second, 30); // the other half is in another market
    assert!(desk.core.is_idle());
    // Neither the venue's word nor a restart opens it again.
    desk.event(Event::Status { market: KA, status: MarketStatus::Open });
    desk.event(Event::Market(terms(KA)));
    // Nor does a resume: that is about a halt, and of this market it says nothing.
    desk.control(Control::Resume { epoch: 3 });
    assert_eq!(shut(&desk, KA), Some(QuarantineWhy::WorseFill));
    let placed = desk.placed().len();
    desk.wait(Nanos::from_secs(2));
    desk.gap();
    assert_eq!(desk.placed().len(), placed);
    let refused = |note: &Note| matches!(note, Note::Refused { why: Refusal::Quarantined, .. });
    assert!(desk.notes.iter().any(refused));
    desk.control(Control::Release { market: KA });
    assert_eq!(shut(&desk, KA), None);
    desk.gap();
    assert_eq!(desk.placed().len(), placed + 1);
}

#[test]
fn in_a_second_market_it_is_no_longer_the_markets_fault() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    let worse = Fill { price: price(49), ..desk.fill_of(&first, 30) };
    desk.report(Report::Fill(worse));
    let second = desk.last_placed();
    let worse = Fill { price: price(60), ..desk.fill_of(&second, 30) };
    desk.report(Report::Fill(worse));
    assert_eq!(desk.core.halted(), Some(HaltWhy::Impossible));
}

#[test]
fn a_market_whose_trading_pauses_or_ends_is_quarantined_all_the_same_when_it_is_open_again() {
    let mut desk = Desk::new();
    let odd = Event::Odd { venue: Venue::Kalshi, market: Some(KA), what: Oddity::Meaning };
    desk.event(odd);
    for status in [MarketStatus::Paused, MarketStatus::Closed, MarketStatus::Open] {
        desk.event(Event::Status { market: KA, status });
        assert_eq!(desk.core.books().terms(KA).unwrap().status, status);
        assert_eq!(shut(&desk, KA), Some(QuarantineWhy::Meaning));
    }
}

#[test]
fn a_change_to_fewer_contracts_is_not_made_by_an_overfill() {
    let mut desk = Desk::new();
    desk.book(KA, &[(40, 100)], &[(60, 100)]);
    desk.control(to_rest(KA, Action::Buy, 50, 20, false));
    let order = desk.last_placed();
    desk.status(&order, VenueState::Resting, Some(0));
    desk.control(Control::Amend { order: order.id, price: price(49), qty: qty(12), expires: None });
    desk.fill(&order, 21);
    assert_eq!(alarms(&desk, Alarm::Overfill), 1);
    assert_eq!(shut(&desk, KA), Some(QuarantineWhy::Overfill));
    let record = *desk.core.orders().find(OrderRef::Id(order.id)).unwrap();
    assert_eq!((record.order.qty, record.order.price), (qty(20), price(50)));
    assert_eq!((record.state, desk.core.stats().amended), (OrderState::Done, 0));
}
