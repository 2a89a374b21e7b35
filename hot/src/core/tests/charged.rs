//! What a fill is charged: who was the taker, what the rule says, and what becomes of a market that charges otherwise.

use super::*;
use crate::fees::FeeAccumulator;
use crate::risk::QuarantineWhy;

impl Desk {
    /// The last fill's word on who took.
    fn was_taker(&self) -> bool {
        let booked = self.notes.iter().rev().find_map(|note| match note {
            Note::Booked { taker, .. } => Some(*taker),
            _ => None,
        });
        booked.expect("a fill was booked")
    }

    /// An order to buy 10 YES at Kalshi for so many cents, where the book is 40 to 60.
    fn rest_at(&mut self, cents: u16, post_only: bool) -> Order {
        self.book(KA, &[(40, 100)], &[(60, 100)]);
        self.control(Control::Rest {
            market: KA,
            outcome: Outcome::Yes,
            action: Action::Buy,
            price: price(cents),
            qty: qty(10),
            expires: None,
            post_only,
            exit: false,
        });
        self.last_placed()
    }
}

#[test]
fn how_it_was_sent_decides_who_took_then_the_venues_word_then_the_book() {
    use Liquidity::{Maker, Taker, Unsaid};
    // Limit in cents, post-only, what the venue says, at which price it fills; and whether it took.
    let cases = [
        (50, true, Maker, 50, false),
        (50, true, Taker, 50, false),
        (50, true, Unsaid, 50, false),
        (50, false, Taker, 50, true),
        (60, false, Maker, 60, false),
        (50, false, Unsaid, 50, false), // it did not reach the 60 that is offered
        (60, false, Unsaid, 60, true),
        (50, false, Unsaid, 49, true), // only a taker gets better than its limit
    ];
    for (cents, post_only, liquidity, at, took) in cases {
        let mut desk = Desk::new();
        let order = desk.rest_at(cents, post_only);
        let fill = Fill { liquidity, price: price(at), ..desk.fill_of(&order, 10) };
        desk.report(Report::Fill(fill));
        assert_eq!(desk.was_taker(), took, "{cents} {post_only} {liquidity:?} {at}");
        let (rule, mut rounding) = (terms(KA).fee, FeeAccumulator::NEW);
        let fee = rule.charge(&mut rounding, Action::Buy, price(at), qty(10), took);
        assert_eq!(desk.core.ledger().fees(), fee, "the fee is that of its part");
    }
}

#[test]
fn what_cannot_rest_took_whatever_the_venue_says() {
    let mut desk = Desk::new();
    desk.gap();
    let order = desk.last_placed();
    assert!(!order.tif.may_rest());
    let fill = Fill { liquidity: Liquidity::Maker, ..desk.fill_of(&order, 30) };
    desk.report(Report::Fill(fill));
    assert!(desk.was_taker());
}

#[test]
fn a_change_that_reaches_the_book_may_take() {
    let mut desk = Desk::new();
    let order = desk.rest_at(50, false);
    desk.status(&order, VenueState::Resting, Some(0));
    let (to, qty) = (price(60), qty(10));
    desk.control(Control::Amend { order: order.id, price: to, qty, expires: None });
    desk.report(Report::Terms { order: OrderRef::Id(order.id), price: to, qty });
    let changed = Order { price: to, ..order };
    let fill = Fill { liquidity: Liquidity::Unsaid, ..desk.fill_of(&changed, 10) };
    desk.report(Report::Fill(fill));
    assert!(desk.was_taker());
}

#[test]
fn three_fills_with_other_fees_than_the_rules_close_the_market_until_a_person_releases_it() {
    let mut desk = Desk::new();
    for nth in 1..=6 {
        let order = desk.rest_at(50, true);
        let odd = Some(Usd::from_micros(200)); // makers pay nothing there, and one unit is rounding
        let fill = Fill { fee: odd, ..desk.fill_of(&order, 10) };
        desk.report(Report::Fill(fill));
        assert_eq!(desk.alarms(Alarm::FeeDrift), nth, "each is told");
        let shut = nth % 3 == 0;
        let quarantined = [(KA, QuarantineWhy::Fees)];
        assert_eq!(desk.quarantined(), quarantined[..usize::from(shut)], "fill {nth}");
        if shut {
            desk.control(Control::Release { market: KA }); // the count begins anew
        }
        desk.wait(Nanos::from_secs(20));
    }
}

#[test]
fn the_fees_of_an_orders_fills_are_what_the_venues_rounding_makes_of_them() {
    // 7 % of 0.59 × 0.41 is 0.016933: the cost with it is rounded up to 0.6070, by 67 microdollars, and whole units of what
    // that has taken come back.
    let by_rule = [17_000, 16_900, 16_900, 17_000, 16_900, 16_900, 17_000, 16_900, 16_900, 17_000];
    let drifts = |charged: [i64; 10]| {
        let mut desk = Desk::new();
        let order = desk.rest_at(60, false);
        for fee in charged {
            let fee = Some(Usd::from_micros(fee));
            let fill = Fill { fee, price: price(59), ..desk.fill_of(&order, 1) };
            desk.report(Report::Fill(fill));
        }
        desk.alarms(Alarm::FeeDrift)
    };
    assert_eq!(drifts(by_rule), 0);
    let mut swapped = by_rule;
    swapped.swap(0, 1);
    assert_eq!(drifts(swapped), 0, "told out of turn");
    assert_eq!(drifts([17_000; 10]), 3, "nothing comes back: two units after three fills each");
    assert_eq!(drifts([16_933; 10]), 0, "what is kept is less than two units");
}

/// A stream that loses some fills of an order tells the rest, and the venue's count says that there are more: of those that are missing
/// each may have had back what the rounding of these took.
#[test]
fn fees_are_compared_once_all_fills_that_the_venue_counts_are_told() {
    let drifts = |counted: bool, charged: [i64; 10]| {
        let mut desk = Desk::new();
        let order = desk.rest_at(60, false);
        if counted {
            desk.status(&order, VenueState::Filled, Some(10));
        }
        let each = charged.map(|fee| {
            let fee = Some(Usd::from_micros(fee));
            let fill = Fill { fee, price: price(59), ..desk.fill_of(&order, 1) };
            desk.report(Report::Fill(fill));
            desk.alarms(Alarm::FeeDrift)
        });
        (each[8], each[9])
    };
    // The fills that got something back are told first.
    let by_rule = [16_900, 16_900, 16_900, 16_900, 16_900, 16_900, 17_000, 17_000, 17_000, 17_000];
    assert_eq!(drifts(true, by_rule), (0, 0));
    assert!(drifts(false, by_rule).0 > 0, "nobody has said that there are more");
    assert_eq!(drifts(true, [17_000; 10]), (0, 1), "too much in all is told with the last one");
}

#[test]
fn a_fee_that_is_not_told_is_what_the_venues_rounding_makes_of_it() {
    let mut desk = Desk::new();
    let order = desk.rest_at(60, false);
    for sum in [17_000, 33_900, 50_800] {
        let fill = Fill { fee: None, price: price(59), ..desk.fill_of(&order, 1) };
        desk.report(Report::Fill(fill));
        assert_eq!(desk.core.ledger().fees(), Usd::from_micros(sum));
    }
}

/// A desk that has bought 30 YES at Polymarket as a taker, at the fee that the rule says, confirmed and long past.
fn bought_without_a_fee() -> Desk {
    let mut desk = Desk::new();
    for venue in Venue::ALL {
        desk.reading(venue, &[]);
    }
    let fills = desk.buy_gap();
    for fill in fills {
        desk.report(Report::Finality { fill: fill.fill, state: Finality::Final });
    }
    desk.book(KA, &[(20, 100)], &[(52, 300)]);
    desk.wait(Nanos::from_secs(20));
    desk
}

/// Polymarket has so much more cash than we, in two readings.
fn read_twice(desk: &mut Desk, more: Usd) {
    let venue = Venue::Polymarket;
    let cash = desk.core.ledger().cash_at(venue) + more;
    let held = [Outcome::Yes, Outcome::No].map(|outcome| desk.held(PM, outcome));
    for _ in 0..2 {
        desk.wait(Nanos::from_secs(12));
        desk.reading(
            venue,
            &[
                Control::Position { market: PM, yes: held[0], no: held[1] },
                Control::Cash { venue, shard: 0, cash },
            ],
        );
    }
}

#[test]
fn a_fee_that_only_the_cash_shows_is_found_booked_and_counted() {
    let mut desk = bought_without_a_fee();
    let (fees, cash) = (desk.core.ledger().fees(), desk.core.ledger().cash_at(Venue::Polymarket));
    let more = Usd::from_cents(5);
    read_twice(&mut desk, -more);
    assert_eq!(desk.core.ledger().fees(), fees + more);
    assert_eq!(desk.core.ledger().cash_at(Venue::Polymarket), cash - more);
    assert_eq!((desk.alarms(Alarm::FeeDrift), desk.alarms(Alarm::CashDrift)), (1, 0));
    // The next difference has no fill that explains it.
    read_twice(&mut desk, -more);
    assert_eq!((desk.alarms(Alarm::FeeDrift), desk.alarms(Alarm::CashDrift)), (1, 1));
    assert_eq!(desk.core.ledger().fees(), fees + more);
}

/// Polymarket's fills tell no fee: between two readings there may be some in several markets.
#[test]
fn fees_that_only_the_cash_shows_are_shared_by_the_markets_that_they_may_be_of() {
    const OTHER: MarketId = MarketId::new(2);
    let mut desk = Desk::new();
    desk.event(Event::Market(MarketDef { market: OTHER, ..terms(PM) }));
    for venue in Venue::ALL {
        desk.reading(venue, &[]);
    }
    let mut before = Usd::ZERO;
    for nth in 1..=3 {
        for (market, contracts) in [(PM, 30), (OTHER, 10)] {
            desk.book(market, &[(30, 300)], &[(70, 300)]);
            desk.control(to_rest(market, Action::Buy, 40, contracts, false));
            let order = desk.last_placed();
            let fill = Fill { finality: Finality::Final, ..desk.fill_of(&order, contracts) };
            desk.report(Report::Fill(fill));
        }
        desk.wait(Nanos::from_secs(20));
        // At most 5 % of what thirty and ten contracts change hands for: three parts of four are the first market's.
        let (venue, more) = (Venue::Polymarket, Usd::from_micros(80_001));
        let cash = desk.core.ledger().cash_at(venue) - more;
        let held = |market| desk.held(market, Outcome::Yes);
        let told = [
            Control::Position { market: PM, yes: held(PM), no: Qty::ZERO },
            Control::Position { market: OTHER, yes: held(OTHER), no: Qty::ZERO },
            Control::Cash { venue, shard: 0, cash },
        ];
        for _ in 0..2 {
            desk.wait(Nanos::from_secs(12));
            desk.reading(venue, &told);
            desk.reading(Venue::Kalshi, &[]);
        }
        let ledger = desk.core.ledger();
        assert_eq!((ledger.cash_at(venue), ledger.fees()), (cash, before + more));
        let of = |market| ledger.position(market).realised.micros();
        assert_eq!((of(PM), of(OTHER)), (-60_000 * nth, -20_001 * nth));
        assert_eq!(
            (desk.alarms(Alarm::FeeDrift), desk.alarms(Alarm::CashDrift)),
            (2 * nth as usize, 0)
        );
        let why = QuarantineWhy::Fees;
        let shut = [(PM, why), (OTHER, why)];
        assert_eq!(desk.quarantined(), shut[..if nth == 3 { 2 } else { 0 }]);
        before = ledger_fees(&desk);
    }
}

fn ledger_fees(desk: &Desk) -> Usd {
    desk.core.ledger().fees()
}

#[test]
fn cash_that_is_paid_in_is_no_fee() {
    let mut desk = bought_without_a_fee();
    let (fees, day) = (ledger_fees(&desk), desk.core.money.day_result());
    read_twice(&mut desk, Usd::from_cents(50));
    assert_eq!((desk.alarms(Alarm::FeeDrift), desk.alarms(Alarm::CashDrift)), (0, 1));
    assert_eq!((ledger_fees(&desk), desk.core.money.day_result()), (fees, day));
}

#[test]
fn no_more_comes_back_than_was_booked_by_the_rule() {
    for (beyond, drifts) in [(0, (1, 0)), (1, (0, 1))] {
        let mut desk = bought_without_a_fee();
        let before = ledger_fees(&desk);
        // 4 % of 0.47 × 0.53, for thirty contracts: the other leg's fee is Kalshi's.
        let booked = terms(PM).fee.fee(price(47), qty(30), true);
        read_twice(&mut desk, booked + Usd::from_micros(beyond));
        assert_eq!((desk.alarms(Alarm::FeeDrift), desk.alarms(Alarm::CashDrift)), drifts);
        let kept = if beyond == 0 { before - booked } else { before };
        assert_eq!(ledger_fees(&desk), kept, "{beyond}");
    }
}

/// With a quote on the book the venue's cash may always be less than ours: that hides no fee for ever.
#[test]
fn a_fee_that_the_cash_has_agreed_with_while_a_quote_rests_explains_nothing_later() {
    let mut desk = bought_without_a_fee();
    desk.control(to_rest(PM, Action::Buy, 10, 10, false));
    let quote = desk.last_placed();
    desk.status(&quote, VenueState::Resting, Some(0));
    read_twice(&mut desk, Usd::ZERO);
    let fees = ledger_fees(&desk);
    read_twice(&mut desk, Usd::from_cents(5));
    assert_eq!((desk.alarms(Alarm::FeeDrift), desk.alarms(Alarm::CashDrift)), (0, 1));
    assert_eq!(ledger_fees(&desk), fees);
}

#[test]
fn cash_that_no_fee_could_be_is_a_difference_like_any_other() {
    let mut desk = bought_without_a_fee();
    let fees = desk.core.ledger().fees();
    // A twentieth of what thirty contracts change hands for, at 53 of the other side, less the 29.892 cents that were booked.
    read_twice(&mut desk, Usd::from_micros(-496_081));
    assert_eq!((desk.alarms(Alarm::FeeDrift), desk.alarms(Alarm::CashDrift)), (0, 1));
    assert_eq!(desk.core.ledger().fees(), fees);
}

#[test]
fn a_fee_that_the_cash_has_agreed_with_explains_nothing_later() {
    let mut desk = bought_without_a_fee();
    read_twice(&mut desk, Usd::ZERO);
    read_twice(&mut desk, Usd::from_cents(-5));
    assert_eq!((desk.alarms(Alarm::FeeDrift), desk.alarms(Alarm::CashDrift)), (0, 1));
}
