//! Groups that do not end, and legs that are lost again and again.

use super::*;
use crate::order::Purpose;
use crate::report::Reject;

fn resyncs(desk: &Desk, of: MarketId) -> usize {
    let is_it = |intent: &&Intent| matches!(intent, Intent::Resync { market } if *market == of);
    desk.intents.iter().filter(is_it).count()
}

fn count(desk: &Desk, of: Alarm) -> usize {
    let is_it = |note: &&Note| matches!(note, Note::Alarm { what, .. } if *what == of);
    desk.notes.iter().filter(is_it).count()
}

#[test]
fn the_book_of_what_cannot_be_sold_is_fetched_anew_every_half_minute() {
    let mut desk = Desk::new();
    desk.gap();
    let began = desk.now;
    let first = desk.last_placed();
    desk.fill(&first, 30);
    let hedge = desk.last_placed();
    desk.book(KA, &[(50, 30)], &[]); // nobody bids for NO
    desk.report(Report::Rejected { order: OrderRef::Id(hedge.id), why: Reject::Funds });
    for (until_ms, fetched) in [(29_990, 0), (30_020, 1), (59_990, 1), (60_040, 2), (89_000, 2)] {
        while desk.now.since(began) < Nanos::from_millis(until_ms) {
            desk.wait(Nanos::from_millis(10));
        }
        assert_eq!(resyncs(&desk, KA), fetched, "after {until_ms} ms");
        assert_eq!(count(&desk, Alarm::GroupStuck), fetched.min(1), "a person is told once");
    }
    assert_eq!(resyncs(&desk, PM), 0, "nothing is to be sold there");
    assert_eq!(desk.core.halted(), None);
}

#[test]
fn a_venue_that_has_not_answered_for_half_a_minute_is_asked_at_once() {
    let mut desk = Desk::new();
    desk.gap();
    let began = desk.now;
    let first = desk.last_placed();
    desk.report(Report::TimedOut { order: first.id });
    let mut asked = Vec::new();
    while desk.now.since(began) < Nanos::from_millis(30_050) {
        let before = desk.queries();
        desk.wait(Nanos::from_millis(10));
        if desk.queries() > before {
            asked.push(desk.now.since(began).millis());
        }
    }
    let [.., before, last] = asked[..] else { panic!("asked again and again: {asked:?}") };
    assert!((30_000..30_020).contains(&last), "{asked:?}");
    assert!(before < 29_000, "its own pace has become slow: {asked:?}");
}

/// The venue takes back one fill after another of a leg: the first is made up for at once, what is lost while that order is on its
/// way or within half a second of it is bought with one more order, of all that is lacking by then and no more.
#[test]
fn what_a_venue_takes_back_is_bought_again_at_once_and_then_together_half_a_second_later() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    let second = desk.last_placed();
    assert_eq!(second.market, PM);
    let fills = [10, 8, 7, 5].map(|contracts| desk.fill_of(&second, contracts));
    fills.iter().for_each(|fill| desk.report(Report::Fill(*fill)));
    assert_eq!(desk.group_states().last(), Some(&GroupState::Hedged));
    let fails = |fill: &Fill| Report::Finality { fill: fill.fill, state: Finality::Failed };
    desk.report(fails(&fills[0]));
    let again = desk.last_placed();
    let began = desk.now;
    assert_eq!((again.purpose, again.market, again.qty), (Purpose::Hedge, PM, qty(10)), "at once");
    desk.report(fails(&fills[1]));
    let placed = desk.placed().len();
    desk.fill(&again, 10);
    assert_eq!(desk.placed().len(), placed, "one at a time, and half a second apart");
    desk.wait(Nanos::from_millis(200));
    desk.report(fails(&fills[2]));
    while desk.now.since(began) < Nanos::from_millis(499) {
        desk.wait(Nanos::new(500_000));
        assert_eq!(desk.placed().len(), placed, "after {} ms", desk.now.since(began).millis());
    }
    while desk.placed().len() == placed {
        desk.wait(Nanos::new(100_000));
    }
    let took = desk.now.since(began);
    assert!(took >= Nanos::from_millis(500) && took < Nanos::from_millis(501), "{took:?}");
    let rest = desk.last_placed();
    assert_eq!((rest.purpose, rest.qty), (Purpose::Hedge, qty(15)), "what is lacking by now");
    desk.fill(&rest, 15);
    assert_eq!(desk.group_states().last(), Some(&GroupState::Hedged));
    assert_eq!(desk.held(PM, Outcome::Yes), qty(30));
}
