//! Fees that change by their date.

use super::*;
use crate::fees::FeeChange;

const DEAR: FeeRule = FeeRule::Kalshi { taker: 140_000, maker: 0 };
const FREE: FeeRule = FeeRule::Kalshi { taker: 0, maker: 0 };

impl Desk {
    fn fee_of(&self, market: MarketId) -> FeeRule {
        self.core.books().terms(market).unwrap().fee
    }

    /// A change of Kalshi's fee, in so many seconds.
    fn fee_in(&mut self, secs: u64, rule: FeeRule) {
        let from = self.now.after(Nanos::from_secs(secs));
        self.event(Event::FeeChange { market: KA, change: FeeChange { from, rule } });
    }
}

#[test]
fn a_fee_that_rises_counts_before_its_date_and_one_that_falls_after_it() {
    for (rule, seen) in [(DEAR, [false, true, true, true]), (FREE, [false, false, false, true])] {
        let mut desk = Desk::new();
        let old = desk.fee_of(KA);
        desk.fee_in(60, rule);
        let counted = [50, 5, 6, 8].map(|secs| {
            desk.wait(Nanos::from_secs(secs));
            let fee = desk.fee_of(KA);
            assert!(fee == old || fee == rule);
            fee == rule
        });
        assert_eq!(counted, seen, "10 and 5 s before, 1 and 9 s after");
        assert_eq!(desk.fee_of(PM), terms(PM).fee);
    }
}

#[test]
fn a_waiver_that_begins_opens_what_fees_had_eaten_though_no_book_moves() {
    let mut desk = Desk::new();
    // 98 cents, and about 2.7 of fees
    desk.book(PM, &[(38, 300)], &[(47, 60)]);
    desk.book(KA, &[(49, 60)], &[(55, 300)]);
    assert!(desk.placed().is_empty());
    desk.event(Event::Market(MarketDef { fee: FREE, ..terms(KA) }));
    desk.wait(Nanos::from_secs(8)); // until then both rules count
    assert_eq!(desk.last_placed().group, desk.core.groups().iter().next().unwrap().id);
}

#[test]
fn what_is_reserved_follows_a_fee_that_changes_by_its_date() {
    let mut desk = Desk::new();
    for market in [PM, KA] {
        desk.book(market, &[(40, 100)], &[(50, 100)]);
    }
    desk.control(to_rest(KA, Action::Buy, 42, 20, false));
    let order = desk.last_placed();
    desk.status(&order, VenueState::Resting, Some(0));
    let before = desk.reserved();
    desk.fee_in(8, DEAR);
    assert_eq!(desk.reserved(), before);
    desk.wait(Nanos::from_secs(2));
    let fee = |rule: FeeRule| rule.fee(price(42), qty(20), true);
    assert_eq!(desk.reserved(), before + fee(DEAR) - fee(terms(KA).fee));
}

/// Kalshi's usual proportion of both fees.
fn rule(maker: u32) -> FeeRule {
    FeeRule::Kalshi { taker: 4 * maker, maker }
}

/// A market whose maker fee changes from 1.75 % to another after 60 s, and 70 s after its start: an order that was sent there
/// after `sent_at` seconds.
fn order_beside_a_change(later: u32, sent_at: u64) -> (Desk, Order) {
    let mut desk = Desk::new();
    desk.event(Event::Market(MarketDef { fee: rule(17_500), ..terms(KA) }));
    desk.fee_in(60, rule(later));
    desk.wait(Nanos::from_secs(sent_at));
    for market in [PM, KA] {
        desk.book(market, &[(40, 100)], &[(50, 100)]);
    }
    desk.control(to_rest(KA, Action::Buy, 42, 20, false));
    let order = desk.last_placed();
    desk.wait(Nanos::from_secs(70 - sent_at));
    (desk, order)
}

#[test]
fn a_charged_fee_is_held_against_the_rules_since_its_order_was_sent() {
    let drifts = |sent_at: u64, charged: u32| {
        let (mut desk, order) = order_beside_a_change(35_000, sent_at);
        let fee = Some(rule(charged).fee(price(42), qty(20), false));
        let fill = Fill { fee, ..desk.fill_of(&order, 20) };
        desk.report(Report::Fill(fill));
        assert_eq!(Some(desk.core.ledger().fees()), fee, "it is booked as charged");
        let drift = |note: &&Note| matches!(note, Note::Alarm { what: Alarm::FeeDrift, .. });
        desk.notes.iter().filter(drift).count()
    };
    assert_eq!([drifts(50, 17_500), drifts(50, 35_000), drifts(50, 0)], [0, 0, 1]);
    assert_eq!([drifts(69, 17_500), drifts(69, 35_000)], [1, 0], "the change was over");
}

#[test]
fn a_fee_that_is_not_told_is_the_dearest_since_its_order_was_sent() {
    let booked = |sent_at: u64| {
        let (mut desk, order) = order_beside_a_change(0, sent_at);
        let fill = Fill { fee: None, ..desk.fill_of(&order, 20) };
        desk.report(Report::Fill(fill));
        desk.core.ledger().fees()
    };
    // 1.75 % of 20 × 0.42 × 0.58, rounded up to a unit
    assert_eq!(booked(50), Usd::from_micros(85_300), "it may have filled before the change");
    assert_eq!(booked(69), Usd::ZERO);
}

/// A fee changes at 60 s; the order was sent at 50 s, and its fill is told at 70 s with a time of its own.
#[test]
fn a_fill_that_says_when_it_was_is_held_against_the_rules_of_that_time() {
    let told_at = |millis: i64, charged: Option<u32>| {
        let (mut desk, order) = order_beside_a_change(35_000, 50);
        let venue_time = desk.now.get() as i64 + (millis - 70_000) * 1_000_000;
        let venue_time = Nanos::new(venue_time as u64);
        let fee = charged.map(|maker| rule(maker).fee(price(42), qty(20), false));
        let fill = Fill { fee, venue_time, ..desk.fill_of(&order, 20) };
        desk.report(Report::Fill(fill));
        (desk.alarms(Alarm::FeeDrift), desk.core.ledger().fees())
    };
    let drifts = |millis, charged| told_at(millis, Some(charged)).0;
    // Two seconds on either side of the change both rules may have been charged.
    for (millis, explains) in [
        (50_000, [true, false]),
        (57_999, [true, false]),
        (58_000, [true, true]),
        (61_999, [true, true]),
        (62_000, [false, true]),
        (70_000, [false, true]),
        (72_000, [false, true]),
        (48_000, [true, false]),
        // Before it can have been, or after: that says nothing, and any rule since the order was sent may have held.
        (47_999, [true, true]),
        (72_001, [true, true]),
    ] {
        let seen = [17_500, 35_000].map(|charged| drifts(millis, charged) == 0);
        assert_eq!(seen, explains, "{millis} ms");
        assert_eq!(drifts(millis, 0), 1, "no rule of any time");
        // A fee that is not told is the dearest of those that may have held.
        let dearest = if explains[1] { 170_600 } else { 85_300 };
        assert_eq!(told_at(millis, None), (0, Usd::from_micros(dearest)), "{millis} ms");
    }
}

#[test]
fn terms_that_come_anew_void_what_was_to_come() {
    let mut desk = Desk::new();
    desk.fee_in(60, DEAR);
    desk.event(Event::Market(terms(KA)));
    desk.wait(Nanos::from_secs(61));
    assert_eq!(desk.fee_of(KA), terms(KA).fee);
    // of a market that is not known, and of another venue's formula
    desk.event(Event::FeeChange {
        market: MarketId::new(9),
        change: FeeChange { from: Nanos::ZERO, rule: DEAR },
    });
    desk.event(Event::FeeChange {
        market: PM,
        change: FeeChange { from: Nanos::ZERO, rule: DEAR },
    });
    desk.wait(Nanos::from_secs(1));
    assert_eq!(desk.fee_of(PM), terms(PM).fee);
}

#[test]
fn a_core_that_was_saved_knows_what_is_to_come() {
    let mut desk = Desk::new();
    desk.fee_in(60, DEAR);
    let mut bytes = Vec::new();
    desk.core.save(&mut bytes);
    desk.core = Core::load(&bytes).unwrap();
    desk.wait(Nanos::from_secs(61));
    assert_eq!(desk.fee_of(KA), DEAR);
}

#[test]
fn as_many_fees_as_there_are_change_within_the_margin() {
    let mut desk = Desk::new();
    let markets = (2..202).map(MarketId::new);
    let from = desk.now.after(Nanos::from_secs(60));
    for market in markets.clone() {
        desk.event(Event::Market(MarketDef { market, ..terms(KA) }));
        desk.event(Event::FeeChange { market, change: FeeChange { from, rule: DEAR } });
    }
    desk.wait(Nanos::from_secs(54));
    for _ in 0..6 {
        desk.wait(Nanos::from_millis(5));
    }
    assert!(markets.clone().all(|market| desk.fee_of(market) == DEAR), "32 in a timer event");
}
