//! Sets whose NO were converted into YES of the others and dollars by other means than ours.

use super::*;

/// The three markets of an exclusive set.
const SET: [MarketId; 3] = [PM, MarketId::new(2), MarketId::new(4)];

/// A desk that holds 30, 20 and no NO of the set, bought for so many cents, and whose venues agree.
fn holding(cents: u16) -> Desk {
    let mut desk = Desk::new();
    for market in SET {
        desk.event(Event::Market(MarketDef { market, ..terms(PM) }));
        desk.book(market, &[(30, 300)], &[(70, 300)]);
    }
    for venue in Venue::ALL {
        desk.reading(venue, &[]);
    }
    for (market, contracts) in [(SET[0], 30), (SET[1], 20)] {
        desk.buy_at_rest(market, Outcome::No, cents, contracts);
    }
    desk.wait(Nanos::from_secs(20));
    desk.notes.clear();
    desk
}

/// Polymarket lists so many YES and NO of the set, and has so many dollars more than we.
fn reading(desk: &mut Desk, listed: [[u64; 2]; 3], more: i64) {
    let venue = Venue::Polymarket;
    let cash = desk.core.ledger().cash_at(venue) + Usd::from_dollars(more);
    desk.wait(Nanos::from_secs(12));
    let mut told: Vec<_> = SET
        .into_iter()
        .zip(listed)
        .map(|(market, [yes, no])| Control::Position { market, yes: qty(yes), no: qty(no) })
        .collect();
    told.push(Control::Cash { venue, shard: 0, cash });
    desk.reading(venue, &told);
    desk.reading(Venue::Kalshi, &[]);
}

fn held(desk: &Desk) -> [[Qty; 2]; 3] {
    SET.map(|market| [Outcome::Yes, Outcome::No].map(|outcome| desk.held(market, outcome)))
}

fn alarms(desk: &Desk) -> usize {
    // These contracts are of no basket, which is another matter.
    let is = |note: &&Note| matches!(note, Note::Alarm { what, .. } if *what != Alarm::Unpaired);
    desk.notes.iter().filter(is).count()
}

#[test]
fn a_conversion_elsewhere_is_booked_and_is_no_difference() {
    // Cents a NO, and what twelve of both come to: what they cost beyond the dollars is what the YES cost, or a gain.
    for (cents, cost, gain) in [(60, 240, 0), (50, 0, 0), (40, 0, 240)] {
        let mut desk = holding(cents);
        let (cash, before) =
            (desk.core.ledger().cash_at(Venue::Polymarket), desk.core.ledger().cost());
        reading(&mut desk, [[0, 18], [0, 8], [12, 0]], 12);
        assert_eq!(held(&desk), [[0, 18], [0, 8], [12, 0]].map(|both| both.map(qty)), "{cents}");
        let ledger = desk.core.ledger();
        assert_eq!(ledger.cash_at(Venue::Polymarket), cash + Usd::from_dollars(12));
        assert_eq!(ledger.realised(), Usd::from_cents(gain), "{cents}");
        assert_eq!(ledger.position(SET[2]).cost(Outcome::Yes), Usd::from_cents(cost), "{cents}");
        let gone = Usd::from_cents(2 * 12 * i64::from(cents));
        assert_eq!(ledger.cost(), before - gone + Usd::from_cents(cost));
        assert!(desk.core.stats().reconciled, "{cents}");
        assert_eq!(alarms(&desk), 0, "{:?}", desk.notes);
        reading(&mut desk, [[0, 18], [0, 8], [12, 0]], 0);
        assert_eq!(alarms(&desk), 0);
    }
}

#[test]
fn one_market_alone_is_converted_for_no_cash_and_all_of_it_though_its_list_is_empty_then() {
    let mut desk = holding(60);
    reading(&mut desk, [[0, 30], [5, 0], [0, 0]], 0);
    assert!(!desk.core.stats().reconciled, "twenty went, and five came");
    let mut desk = holding(60);
    reading(&mut desk, [[20, 30], [0, 0], [20, 0]], 0);
    assert_eq!(held(&desk), [[20, 30], [0, 0], [20, 0]].map(|both| both.map(qty)));
    let ledger = desk.core.ledger();
    assert_eq!((ledger.realised(), ledger.cost()), (Usd::ZERO, Usd::from_dollars(30)));
    assert_eq!(ledger.position(SET[0]).cost(Outcome::Yes), Usd::from_dollars(6), "half of it");
    assert_eq!((alarms(&desk), desk.core.stats().reconciled), (0, true), "{:?}", desk.notes);
}

#[test]
fn contracts_or_cash_that_do_not_fit_and_markets_of_two_clusters_are_no_conversion() {
    let cases = [
        ([[0, 18], [0, 8], [12, 0]], 0),
        ([[0, 18], [0, 8], [12, 0]], 24),
        ([[0, 18], [0, 8], [11, 0]], 12),
        ([[0, 18], [0, 9], [12, 0]], 12),
        ([[0, 18], [0, 20], [0, 0]], 0),
        ([[0, 30], [0, 20], [12, 0]], -12),
    ];
    for (listed, more) in cases {
        let mut desk = holding(60);
        let before = (held(&desk), desk.core.ledger().cash_at(Venue::Polymarket));
        reading(&mut desk, listed, more);
        let after = (held(&desk), desk.core.ledger().cash_at(Venue::Polymarket));
        assert_eq!(before, after, "{listed:?} {more}: one reading alone changes nothing");
        assert!(!desk.core.stats().reconciled, "{listed:?} {more}");
    }
    let mut desk = holding(60);
    let apart = MarketDef { market: SET[2], cluster: ClusterId::new(7), ..terms(PM) };
    desk.event(Event::Market(apart));
    let before = held(&desk);
    reading(&mut desk, [[20, 30], [0, 0], [20, 0]], 0);
    assert_ne!(held(&desk)[2], before[2].map(|_| qty(20)), "it is of another set");
    assert!(!desk.core.stats().reconciled);
}
