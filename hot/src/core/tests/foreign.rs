//! Reports of orders that are none of ours, and those of ours that only come early.

use super::*;
use crate::bounds::ORPHANS_MAX;

/// A fill in our account of an order that we never sent.
fn stray(desk: &mut Desk, key: u64) -> Fill {
    desk.fills += 1;
    Fill {
        fill: FillId::new(1_000_000 + desk.fills),
        order: OrderRef::Key(VenueKey::new(key)),
        market: KA,
        side: Side::Bid,
        price: price(50),
        qty: qty(1),
        fee: None,
        liquidity: Liquidity::Taker,
        finality: Finality::Provisional,
        venue_time: Nanos::ZERO,
    }
}

fn alarms(desk: &Desk, which: Alarm) -> usize {
    let is_it = |note: &&Note| matches!(note, Note::Alarm { what, .. } if *what == which);
    desk.notes.iter().filter(is_it).count()
}

#[test]
fn a_fill_that_nobody_claims_is_told_once_an_order() {
    let mut desk = Desk::new();
    for key in [7, 7, 8, 7] {
        let fill = stray(&mut desk, key);
        desk.report(Report::Fill(fill));
        desk.report(Report::Fill(fill)); // by the stream and by REST
    }
    desk.wait(Nanos::from_secs(9));
    assert_eq!((alarms(&desk, Alarm::ForeignFill), desk.core.stats().strays), (0, 0));
    desk.wait(Nanos::from_secs(2));
    desk.wait(Nanos::from_secs(60));
    assert_eq!((alarms(&desk, Alarm::ForeignFill), desk.core.stats().strays), (2, 4));
    let fill = stray(&mut desk, 8);
    desk.report(Report::Fill(fill));
    desk.wait(Nanos::from_secs(11));
    assert_eq!((alarms(&desk, Alarm::ForeignFill), desk.core.stats().strays), (2, 5));
    assert_eq!(desk.held(KA, Outcome::Yes), Qty::ZERO, "it is not ours to book");
}

#[test]
fn an_order_that_is_not_ours_is_told_once() {
    let mut desk = Desk::new();
    for state in [VenueState::Resting, VenueState::Cancelled] {
        desk.report(Report::Status(OrderStatus {
            order: OrderRef::Key(VenueKey::new(7)),
            state,
            filled: None,
        }));
    }
    desk.wait(Nanos::from_secs(11));
    assert_eq!((alarms(&desk, Alarm::ForeignOrder), desk.core.stats().strays), (1, 2));
}

#[test]
fn thousands_are_all_counted_and_make_no_storm() {
    let mut desk = Desk::new();
    for key in 0..5_000 {
        let fill = stray(&mut desk, key);
        desk.report(Report::Fill(fill));
    }
    assert_eq!(desk.core.stats().strays, 5_000 - ORPHANS_MAX as u64, "evicted, not forgotten");
    for _ in 0..59 {
        desk.wait(Nanos::from_secs(1));
    }
    assert_eq!(desk.core.stats().strays, 5_000);
    assert_eq!(alarms(&desk, Alarm::ForeignFill), 16);
    // An hour of it: a named number a minute.
    for key in 5_000..8_600 {
        let fill = stray(&mut desk, key);
        desk.report(Report::Fill(fill));
        desk.wait(Nanos::from_secs(1));
    }
    assert!((900..=16 * 62).contains(&alarms(&desk, Alarm::ForeignFill)));
}

#[test]
fn an_early_fill_of_ours_outlasts_a_flood_of_others() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    let key = VenueKey::new(1 << 40);
    let ours = Fill { order: OrderRef::Key(key), ..desk.fill_of(&first, 30) };
    desk.report(Report::Fill(ours));
    for key in 0..2_000 {
        let mut fill = stray(&mut desk, key);
        fill.market = PM;
        desk.report(Report::Fill(fill));
    }
    desk.report(Report::TimedOut { order: first.id });
    desk.wait(Nanos::from_secs(3));
    desk.report(Report::Bound { order: first.id, key });
    assert_eq!(desk.held(KA, Outcome::No), qty(30), "it was kept");
}

#[test]
fn a_name_that_comes_very_late_still_claims_its_fill() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    let key = VenueKey::new(77);
    let ours = Fill { order: OrderRef::Key(key), ..desk.fill_of(&first, 30) };
    desk.report(Report::Fill(ours));
    desk.report(Report::TimedOut { order: first.id });
    desk.wait(Nanos::from_secs(110));
    assert_eq!(alarms(&desk, Alarm::ForeignFill), 0, "an order of ours has no name yet");
    desk.wait(Nanos::from_secs(20));
    assert_eq!(alarms(&desk, Alarm::ForeignFill), 1, "nobody could say so until then");
    desk.report(Report::Bound { order: first.id, key });
    assert_eq!(desk.held(KA, Outcome::No), qty(30));
}
