//! Pairs of YES and NO that were split off cash or merged into it by other means than ours.

use super::*;

/// A desk that holds so many YES and NO at Polymarket, for 40 and 50 cents, and whose venue agrees.
fn holding(yes: u64, no: u64) -> Desk {
    let mut desk = Desk::new();
    for venue in Venue::ALL {
        desk.reading(venue, &[]);
    }
    desk.book(PM, &[(30, 300)], &[(60, 300)]);
    for (outcome, cents, contracts) in [(Outcome::Yes, 40, yes), (Outcome::No, 50, no)] {
        desk.buy_at_rest(PM, outcome, cents, contracts);
    }
    desk.wait(Nanos::from_secs(20));
    desk.notes.clear();
    desk
}

/// Polymarket lists so many contracts, and has so many dollars more than we.
fn reading(desk: &mut Desk, yes: u64, no: u64, more: i64) {
    let venue = Venue::Polymarket;
    let cash = desk.core.ledger().cash_at(venue) + Usd::from_dollars(more);
    desk.wait(Nanos::from_secs(12));
    let told = [
        Control::Position { market: PM, yes: qty(yes), no: qty(no) },
        Control::Cash { venue, shard: 0, cash },
    ];
    desk.reading(venue, &told);
    desk.reading(Venue::Kalshi, &[]);
}

fn held(desk: &Desk) -> [Qty; 2] {
    [Outcome::Yes, Outcome::No].map(|outcome| desk.held(PM, outcome))
}

fn alarms(desk: &Desk) -> usize {
    // These contracts are of no basket, which is another matter.
    let is = |note: &&Note| matches!(note, Note::Alarm { what, .. } if *what != Alarm::Unpaired);
    desk.notes.iter().filter(is).count()
}

#[test]
fn a_merge_elsewhere_is_booked_with_its_result_and_is_no_difference() {
    let mut desk = holding(30, 20);
    let cash = desk.core.ledger().cash_at(Venue::Polymarket);
    reading(&mut desk, 18, 8, 12);
    assert_eq!(held(&desk), [qty(18), qty(8)]);
    assert_eq!(desk.core.ledger().cash_at(Venue::Polymarket), cash + Usd::from_dollars(12));
    // Twelve pairs had cost 90 cents each.
    assert_eq!(desk.core.ledger().realised(), Usd::from_cents(120));
    assert_eq!(desk.core.money.exposure().market(PM), Usd::from_cents(18 * 40 + 8 * 50));
    assert!(desk.core.stats().reconciled);
    assert_eq!(alarms(&desk), 0, "{:?}", desk.notes);
    reading(&mut desk, 18, 8, 0);
    assert_eq!(alarms(&desk), 0);
}

#[test]
fn all_pairs_merged_are_booked_although_the_list_is_empty_then() {
    let mut desk = holding(20, 20);
    reading(&mut desk, 0, 0, 20);
    assert_eq!(held(&desk), [Qty::ZERO; 2]);
    assert_eq!(desk.core.ledger().realised(), Usd::from_dollars(2));
    assert_eq!((alarms(&desk), desk.core.stats().reconciled), (0, true));
}

#[test]
fn a_split_elsewhere_costs_a_dollar_a_pair() {
    let mut desk = holding(30, 20);
    let (cost, day) = (desk.core.ledger().cost(), desk.core.ledger().realised());
    reading(&mut desk, 37, 27, -7);
    assert_eq!(held(&desk), [qty(37), qty(27)]);
    assert_eq!(desk.core.ledger().cost(), cost + Usd::from_dollars(7));
    assert_eq!(desk.core.ledger().realised(), day);
    assert_eq!((alarms(&desk), desk.core.stats().reconciled), (0, true));
}

#[test]
fn contracts_alone_or_cash_alone_are_no_pairs() {
    for (yes, no, more) in [(18, 8, 0), (18, 8, 11), (18, 8, -12), (30, 20, 12), (18, 9, 12)] {
        let mut desk = holding(30, 20);
        let before = (held(&desk), desk.core.ledger().cash_at(Venue::Polymarket));
        reading(&mut desk, yes, no, more);
        let after = (held(&desk), desk.core.ledger().cash_at(Venue::Polymarket));
        assert_eq!(before, after, "{yes} {no} {more}: one reading alone changes nothing");
        assert!(!desk.core.stats().reconciled, "{yes} {no} {more}");
    }
}
