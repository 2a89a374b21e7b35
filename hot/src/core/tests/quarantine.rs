//! What is not understood closes a market to opening, and only what proves it well, or a person, opens it again.

use super::*;
use crate::book::StaleWhy;
use crate::event::Oddity;
use crate::per_venue::PerVenue;
use crate::risk::QuarantineWhy::{self, Meaning, Overfill, Shape, WorseFill};
use crate::risk::Refusal;

impl Desk {
    fn odd(&mut self, market: MarketId, what: Oddity) {
        let venue = if market == PM { Venue::Polymarket } else { Venue::Kalshi };
        self.event(Event::Odd { venue, market: Some(market), what });
    }

    pub(super) fn quarantined(&self) -> Vec<(MarketId, QuarantineWhy)> {
        self.core.stats().quarantined_shown.shown().collect()
    }

    pub(super) fn alarms(&self, wanted: Alarm) -> usize {
        let is = |note: &&Note| matches!(note, Note::Alarm { what, .. } if *what == wanted);
        self.notes.iter().filter(is).count()
    }

    fn refused(&self, wanted: Refusal) -> bool {
        self.notes.iter().any(|note| matches!(note, Note::Refused { why, .. } if *why == wanted))
    }
}

#[test]
fn a_word_without_meaning_waits_for_a_person_whatever_the_venue_says_and_over_a_restart() {
    let mut desk = Desk::new();
    desk.odd(KA, Oddity::Meaning);
    desk.odd(KA, Oddity::Meaning);
    assert_eq!((desk.quarantined(), desk.alarms(Alarm::Quarantined)), (vec![(KA, Meaning)], 1));
    desk.event(Event::Status { market: KA, status: MarketStatus::Open });
    desk.event(Event::Market(terms(KA)));
    desk.control(Control::Start { epoch: 2, first_order: 200 });
    desk.open();
    desk.gap();
    for _ in 0..4_000 {
        desk.wait(Nanos::from_millis(10)); // forty seconds of good books
    }
    assert_eq!(desk.placed().len(), 0);
    assert!(desk.refused(Refusal::Quarantined));
    assert_eq!(desk.quarantined(), [(KA, Meaning)]);
    desk.control(Control::Release { market: KA });
    desk.wait(Nanos::from_millis(10));
    assert_eq!((desk.placed().len(), desk.quarantined()), (1, vec![]));
}

#[test]
fn one_odd_frame_costs_a_snapshot_three_in_a_minute_the_market_until_its_book_was_whole_for_a_while()
 {
    let mut desk = Desk::new();
    for _ in 0..10 {
        desk.odd(PM, Oddity::Shape);
        desk.wait(Nanos::from_secs(31));
    }
    assert_eq!(desk.quarantined(), [], "now and then is no sign");
    desk.wait(Nanos::from_secs(60));
    desk.book(PM, &[(38, 300)], &[(60, 100)]);
    for _ in 0..3 {
        desk.odd(PM, Oddity::Shape);
    }
    assert_eq!((desk.quarantined(), desk.alarms(Alarm::Quarantined)), (vec![(PM, Shape)], 1));
    for _ in 0..20 {
        desk.wait(Nanos::from_secs(1));
    }
    assert_eq!(desk.quarantined(), [(PM, Shape)], "the old book proves nothing");
    desk.gap();
    for _ in 0..5 {
        desk.wait(Nanos::from_secs(1));
    }
    desk.odd(PM, Oddity::Shape);
    desk.gap();
    for _ in 0..9 {
        desk.wait(Nanos::from_secs(1));
    }
    assert_eq!((desk.placed().len(), desk.quarantined()), (0, vec![(PM, Shape)]));
    for _ in 0..3 {
        desk.wait(Nanos::from_secs(1));
    }
    assert_eq!((desk.placed().len(), desk.quarantined()), (1, vec![]), "it lifted itself");
}

#[test]
fn a_book_that_turns_stale_again_begins_its_proof_anew() {
    let mut desk = Desk::new();
    desk.book(PM, &[(38, 300)], &[(60, 100)]);
    for _ in 0..3 {
        desk.odd(PM, Oddity::Shape);
    }
    for _ in 0..4 {
        desk.book(PM, &[(38, 300)], &[(60, 100)]);
        desk.wait(Nanos::from_millis(10));
        desk.wait(Nanos::from_secs(9));
        desk.event(Event::Stale { market: PM, why: StaleWhy::Decode });
        desk.wait(Nanos::from_millis(10));
    }
    assert_eq!(desk.quarantined(), [(PM, Shape)]);
}

#[test]
fn a_quarantined_market_is_left_all_the_same() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    let second = desk.last_placed();
    for market in [PM, KA] {
        desk.odd(market, Oddity::Meaning);
    }
    desk.report(Report::Rejected {
        order: OrderRef::Id(second.id),
        why: crate::report::Reject::Killed,
    });
    desk.wait(Nanos::from_secs(1));
    let sale = desk.last_placed();
    assert!(sale.purpose.reduces() && sale.market == first.market, "{sale:?}");
}

#[test]
fn what_was_said_of_our_money_and_not_read_is_asked_for_before_anything_is_opened() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.wait(Nanos::from_secs(1));
    let queries = desk.queries();
    desk.event(Event::Odd { venue: first.venue, market: None, what: Oddity::Money });
    assert_eq!(desk.queries(), queries + 1, "the order in flight may be meant");
    assert_eq!(desk.alarms(Alarm::UnreadMoney), 1);
    assert!(!desk.core.stats().reconciled);
    desk.report(Report::Rejected {
        order: OrderRef::Id(first.id),
        why: crate::report::Reject::Killed,
    });
    desk.wait(Nanos::from_secs(2));
    desk.gap();
    assert_eq!(desk.placed().len(), 1, "nothing is opened");
    let (venue, cash) = (first.venue, desk.core.ledger().cash_at(first.venue));
    for since in [Nanos::new(desk.now.get() - 5_000_000_000), desk.now] {
        assert!(!desk.core.stats().reconciled, "what was read before says nothing of it");
        desk.control(Control::Reading { venue, since });
        desk.control(Control::Cash { venue, shard: 0, cash });
        desk.control(Control::Reconciled { venue, clean: true });
    }
    assert!(desk.core.stats().reconciled);
    desk.wait(Nanos::from_millis(10));
    assert_eq!(desk.placed().len(), 2);
}

#[test]
fn what_is_finer_than_our_units_is_told_and_holds_nothing_up() {
    let mut desk = Desk::new();
    desk.odd(PM, Oddity::Rounded);
    desk.gap();
    assert_eq!((desk.placed().len(), desk.alarms(Alarm::RoundedMoney)), (1, 1));
}

#[test]
fn of_several_causes_the_gravest_stands_and_each_new_one_is_told() {
    let mut desk = Desk::new();
    desk.book(PM, &[(38, 300)], &[(60, 100)]);
    desk.odd(KA, Oddity::Schema);
    assert_eq!(desk.quarantined(), [(KA, Shape)]);
    desk.odd(KA, Oddity::Meaning);
    assert_eq!((desk.quarantined(), desk.alarms(Alarm::Quarantined)), (vec![(KA, Meaning)], 2));
    desk.odd(KA, Oddity::Schema);
    assert_eq!((desk.quarantined(), desk.alarms(Alarm::Quarantined)), (vec![(KA, Meaning)], 2));
    assert_eq!(
        desk.core.stats().quarantined,
        PerVenue::from_fn(|venue| u32::from(venue == Venue::Kalshi))
    );
}

#[test]
fn a_fill_that_must_not_be_outlives_a_halt_and_a_restart_and_is_released_market_by_market() {
    for (wrong, why) in [(40, Overfill), (30, WorseFill)] {
        let mut desk = Desk::new();
        desk.gap();
        let first = desk.last_placed();
        assert_eq!(first.market, KA);
        let fill = desk.fill_of(&first, wrong);
        let fill = if why == WorseFill { Fill { price: price(49), ..fill } } else { fill };
        desk.report(Report::Fill(fill));
        let quarantined = desk.alarms(Alarm::Quarantined);
        assert_eq!((desk.quarantined(), quarantined), (vec![(KA, why)], 1));
        desk.control(Control::Halt { epoch: 2, why: HaltWhy::Operator });
        desk.control(Control::Resume { epoch: 3 });
        desk.control(Control::Start { epoch: 4, first_order: 200 });
        desk.odd(KA, Oddity::Meaning);
        desk.control(Control::Release { market: PM });
        assert_eq!(desk.quarantined(), [(KA, why)]);
        desk.control(Control::Release { market: KA });
        assert_eq!(desk.quarantined(), []);
    }
}
