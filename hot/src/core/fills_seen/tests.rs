//! The list of fills that a reading may not show.

use super::*;
use crate::ids::{Action, Outcome};
use crate::ledger::{CashAccount, Ledger};
use crate::units::{Price, Qty, Usd};

const VENUES: [Venue; 2] = [Venue::Polymarket, Venue::Kalshi];

/// A purchase of one contract.
fn booking(venue: Venue) -> Booking {
    Booking {
        market: MarketId::new(venue as u16),
        account: CashAccount::of(venue, 0),
        outcome: Outcome::Yes,
        action: Action::Buy,
        price: Price::ONE,
        qty: Qty::from_contracts(1),
        fee: Usd::ZERO,
    }
}

/// Some entry of a ledger: none is looked up here.
fn some_entry() -> EntryId {
    Ledger::new().book(&booking(Venue::Kalshi))
}

fn booked(fill: u64, entry: EntryId, venue: Venue, at: Nanos, is_final: bool) -> Booked {
    Booked {
        fill: FillId::new(fill),
        order: OrderId::new(1),
        group: GroupId::new(1),
        booking: booking(venue),
        entry,
        at,
        settled: is_final.then_some(at),
        undone: false,
        taker: true,
        held_back: HeldBack::NOTHING,
    }
}

/// What a walk over all remembered fills finds.
fn walked(fills: &FillsSeen, venue: Venue, since: Nanos) -> Vec<u64> {
    let lagging = since.get() - READ_LAG.get();
    let old = since.get() - SETTLED_AFTER.get();
    let of_venue = fills.booked.iter().filter(|booked| booked.booking.account.venue() == venue);
    let unshown = of_venue.filter(|booked| match booked.settled {
        Some(settled) => settled.get() > lagging,
        None => booked.at.get() >= old,
    });
    unshown.map(|booked| booked.fill.get()).collect()
}

fn listed(fills: &FillsSeen, venue: Venue) -> Vec<u64> {
    fills.unshown(venue).map(|booked| booked.fill.get()).collect()
}

#[test]
fn a_reading_looks_only_at_what_it_may_not_show() {
    let (mut fills, entry) = (FillsSeen::new(), some_entry());
    let mut now = Nanos::from_secs(1_000_000);
    for fill in 0..20_000 {
        now = now.after(Nanos::from_millis(100));
        fills.remember(booked(fill, entry, VENUES[(fill % 2) as usize], now, true));
    }
    fills.begin_reading(Venue::Kalshi, now);
    assert_eq!(fills.unshown(Venue::Kalshi).count(), 50, "those of ten seconds, every other one");
    now = now.after(Nanos::from_secs(30));
    fills.begin_reading(Venue::Kalshi, now);
    assert_eq!(fills.unshown(Venue::Kalshi).count(), 0);
    assert_eq!(fills.unshown(Venue::Polymarket).count(), 10_000, "it was not read yet");
    fills.begin_reading(Venue::Polymarket, now);
    assert_eq!(fills.unshown(Venue::Polymarket).count(), 0);
    assert_eq!(fills.on_failed(now, FillId::new(2)).map(|booked| booked.undone), Some(false));
    assert_eq!(listed(&fills, Venue::Polymarket), [2], "its venue's figures may still have it");
}

#[test]
fn as_many_early_ends_are_remembered_as_there_is_room_for_and_a_failure_stands() {
    let (mut fills, now) = (FillsSeen::new(), Nanos::from_secs(1_000_000));
    let first = FillId::new(1);
    for fill in (1..=FILLS_FINAL_MAX as u64).map(FillId::new) {
        assert!(fills.on_final(now, fill).is_none());
        assert!(!fills.knows(fill), "it is still to be booked");
    }
    assert!(fills.on_failed(now, FillId::new(2)).is_none());
    assert!(fills.on_final(now, FillId::new(2)).is_none());
    assert!(fills.knows(FillId::new(2)), "it books nothing");
    assert!(!fills.take_final(FillId::new(2)), "a failure stands");
    fills.on_final(now, FillId::new(FILLS_FINAL_MAX as u64 + 1));
    fills.on_final(now, FillId::new(3)); // told twice
    assert!(fills.take_final(first) && !fills.take_final(first));
    for more in (2..4).map(|more| FillId::new(FILLS_FINAL_MAX as u64 + more)) {
        fills.on_final(now, more);
    }
    assert!(!fills.take_final(FillId::new(3)), "the oldest went");
    assert!(fills.take_final(FillId::new(4)));
}

#[test]
fn the_list_is_what_a_walk_over_all_fills_finds() {
    let (mut fills, entry) = (FillsSeen::new(), some_entry());
    let mut now = Nanos::from_secs(1_000_000);
    let mut seed = 7_u64;
    let mut draw = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let (mut told, mut compared, mut settled) = (0, 0, 0);
    while told < FILLS_SEEN_MAX as u64 * 3 / 2 {
        now = now.after(Nanos::from_millis(draw(300)));
        let some_fill = |told: u64, back: u64| FillId::new(told.saturating_sub(back));
        match draw(20) {
            0..12 => {
                told += 1;
                fills.remember(booked(told, entry, VENUES[draw(2) as usize], now, draw(2) == 0));
            }
            12..16 => {
                let back = draw(400);
                fills.on_final(now, some_fill(told, back));
            }
            16 => {
                let back = draw(40_000);
                let _ = fills.on_failed(now, some_fill(told, back));
            }
            _ if draw(20) == 0 => {
                let venue = VENUES[draw(2) as usize];
                // A reading is told of some time after its first question left.
                let since = Nanos::new(now.get() - Nanos::from_millis(draw(3_000)).get());
                let since = since.max(fills.read[venue]);
                let mut from = 0;
                while let Some(old) = fills.settle_old(venue, since, &mut from) {
                    assert!(old.at.after(SETTLED_AFTER) < since && old.venue() == venue);
                    settled += 1;
                }
                fills.begin_reading(venue, since);
                let of_venue = fills.booked.iter().filter(|booked| booked.venue() == venue);
                let open = of_venue.filter(|booked| booked.settled.is_none());
                assert!(open.clone().all(|booked| booked.at.after(SETTLED_AFTER) >= since));
                assert_eq!(listed(&fills, venue), walked(&fills, venue, since));
                compared += 1;
            }
            _ => {}
        }
    }
    assert!(compared > 200, "{compared} readings");
    assert!(settled > 100, "{settled} ends that nobody told");
    for venue in VENUES {
        fills.begin_reading(venue, fills.read[venue]);
    }
    let before = VENUES.map(|venue| listed(&fills, venue));
    fills.by_id = Index::with_capacity(FILLS_SEEN_MAX);
    fills.unsettled = PerId::new(MARKETS_MAX, 0);
    fills.unshown = PerVenue::from_fn(|_| IdSet::new(FILLS_SEEN_MAX));
    fills.rebuild().expect("it is whole");
    assert_eq!(VENUES.map(|venue| listed(&fills, venue)), before, "made anew after loading");
}
