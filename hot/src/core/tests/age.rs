//! Old market data: what a stopped process, a full socket or a late stream leave behind is not traded.

use super::*;
use crate::book::StaleWhy;
use crate::bounds::{DATA_AGE_MAX, STALL_HALT, STALL_MIN, STALL_REST};
use crate::risk::{HaltWhy, Refusal};

impl Desk {
    /// From here on nobody says how fresh market data is.
    pub(super) fn silence(&mut self) {
        self.current = false;
    }

    pub(super) fn tell_current(&mut self, venues: &[Venue], upto: Nanos) {
        for &venue in venues {
            self.event(Event::Current { venue, links: LinkSet::only(LinkNumber::FIRST), upto });
        }
    }

    fn refusals(&self) -> Vec<Refusal> {
        let refused = |note: &Note| match note {
            Note::Refused { why, .. } => Some(*why),
            _ => None,
        };
        self.notes.iter().filter_map(refused).collect()
    }
}

/// `now` less a span.
fn ago(desk: &Desk, span: Nanos) -> Nanos {
    Nanos::new(desk.now.get() - span.get())
}

#[test]
fn books_that_nobody_calls_current_open_nothing() {
    let mut desk = Desk::new();
    desk.control(Control::Start { epoch: 2, first_order: 200 });
    desk.silence();
    desk.open();
    desk.gap();
    assert_eq!((desk.placed().len(), desk.refusals()), (0, vec![Refusal::OldData]));
}

#[test]
fn the_row_alone_refuses_and_either_venue_is_enough() {
    for late in Venue::ALL {
        let mut desk = Desk::new();
        desk.silence();
        let over = DATA_AGE_MAX.after(Nanos::from_millis(1));
        desk.now = desk.now.after(over);
        let on_time: Vec<_> = Venue::ALL.into_iter().filter(|venue| *venue != late).collect();
        let now = desk.now;
        desk.tell_current(&on_time, now);
        desk.gap();
        assert_eq!((desk.placed().len(), desk.refusals()), (0, vec![Refusal::OldData]), "{late:?}");
        let now = desk.now;
        desk.tell_current(&[late], now);
        desk.wait(Nanos::from_millis(10));
        assert_eq!(desk.placed().len(), 1, "{late:?} caught up: the next timer event looks again");
    }
}

#[test]
fn frames_that_waited_are_taken_in_and_not_decided_from() {
    let mut desk = Desk::new();
    desk.silence();
    let stopped = Nanos::from_millis(1_500);
    desk.now = desk.now.after(stopped);
    desk.event(Event::Stall { span: stopped });
    assert_eq!(desk.core.halted(), None, "short of what halts");
    let begin = ago(&desk, stopped);
    desk.gap(); // what waited in the socket
    desk.tell_current(&Venue::ALL, begin); // as the turn in which it was stopped has it
    assert_eq!((desk.placed().len(), desk.refusals()), (0, vec![Refusal::OldData]));
    let now = desk.now;
    desk.tell_current(&Venue::ALL, now); // empty now; but the venue may have held more back
    desk.wait(Nanos::from_millis(10));
    assert_eq!(desk.placed().len(), 0);
    desk.now = desk.now.after(STALL_REST);
    desk.wait(Nanos::from_millis(10));
    assert_eq!(desk.placed().len(), 0, "what was current then is old by now");
    let now = desk.now;
    desk.tell_current(&Venue::ALL, now);
    desk.wait(Nanos::from_millis(10));
    assert_eq!(desk.placed().len(), 1);
    assert_eq!(desk.core.stats().stalls, 1);
}

#[test]
fn a_stall_of_two_seconds_halts_whoever_wakes() {
    let short = Nanos::new(STALL_HALT.get() - 1);
    for (span, halts) in [(STALL_MIN, false), (short, false), (STALL_HALT, true)] {
        let mut desk = Desk::new();
        desk.gap();
        assert_eq!(desk.placed().len(), 1);
        desk.event(Event::Stall { span });
        assert_eq!(desk.core.halted(), halts.then_some(HaltWhy::Thread), "{span:?}");
        let all = |intent: &&Intent| matches!(intent, Intent::CancelAll { .. });
        assert_eq!(desk.intents.iter().filter(all).count(), usize::from(halts));
    }
}

#[test]
fn a_trip_while_halted_is_counted_for_a_resume_that_waits() {
    let mut desk = Desk::new();
    desk.control(Control::Halt { epoch: 2, why: HaltWhy::Operator });
    let before = desk.core.stats();
    assert_eq!((before.halted, before.trips), (true, 0), "a person's halt is no trip");
    desk.event(Event::Stall { span: STALL_HALT });
    let after = desk.core.stats();
    assert_eq!((after.trips, after.epoch), (1, before.epoch));
    assert_eq!(after.halted_why, Some(HaltWhy::Operator), "the first reason stands");
}

#[test]
fn a_leg_that_stands_alone_is_sold_however_old_the_data() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.silence();
    desk.fill(&first, 30);
    let second = desk.last_placed();
    assert_ne!(first.id, second.id);
    desk.event(Event::Stall { span: STALL_MIN });
    desk.report(Report::Rejected {
        order: OrderRef::Id(second.id),
        why: crate::report::Reject::Killed,
    });
    desk.wait(Nanos::from_secs(1));
    let sale = desk.last_placed();
    assert!(sale.purpose.reduces(), "{sale:?}");
}

#[test]
fn a_first_snapshot_that_was_lost_is_asked_for() {
    let late = MarketId::new(2);
    let mut desk = Desk::new();
    // Its snapshot is here before the market is: nobody knows yet whose book it is.
    desk.book(late, &[(40, 10)], &[(42, 10)]);
    desk.event(Event::Market(MarketDef { market: late, ..terms(KA) }));
    desk.gap();
    let asked = |desk: &Desk| desk.intents.contains(&Intent::Resync { market: late });
    assert!(asked(&desk), "links are up, and may not have subscribed to it");
    desk.intents.clear();
    desk.wait(Nanos::from_secs(1));
    assert!(!asked(&desk), "it may be on its way");
    desk.wait(Nanos::from_secs(5));
    assert!(asked(&desk));

    desk.intents.clear();
    desk.event(Event::Link {
        venue: Venue::Kalshi,
        link: Link::Market,
        number: LinkNumber::FIRST,
        up: false,
    });
    desk.wait(Nanos::from_secs(10));
    assert!(!asked(&desk), "the link brings one when it is back");
    desk.event(Event::Link {
        venue: Venue::Kalshi,
        link: Link::Market,
        number: LinkNumber::FIRST,
        up: true,
    });
    desk.wait(Nanos::from_secs(10));
    assert!(asked(&desk), "but it did not");
    desk.book(late, &[(40, 10)], &[(42, 10)]);
    desk.intents.clear();
    desk.wait(Nanos::from_secs(10));
    assert!(!asked(&desk), "it has come");
}

/// A market moved to another of its venue's market links.
fn over(desk: &mut Desk, number: u8, bids: &[(u16, u64)], asks: &[(u16, u64)]) {
    let link = LinkNumber::new(number.into()).unwrap();
    desk.event(Event::Link { venue: Venue::Kalshi, link: Link::Market, number: link, up: true });
    desk.event(Event::Current { venue: Venue::Kalshi, links: LinkSet::only(link), upto: desk.now });
    desk.book_over(link, KA, bids, asks);
}

#[test]
fn a_link_that_is_lost_or_late_costs_the_books_that_it_feeds_and_no_other() {
    let mut desk = Desk::new();
    let market_link = |number: u8, up| Event::Link {
        venue: Venue::Kalshi,
        link: Link::Market,
        number: LinkNumber::new(number.into()).unwrap(),
        up,
    };
    over(&mut desk, 7, &[(40, 100)], &[(60, 100)]);
    desk.event(market_link(0, false));
    assert!(desk.core.books().get(KA).unwrap().is_good(), "it is fed by another");
    desk.event(market_link(7, false));
    let sync = desk.core.books().get(KA).unwrap().sync();
    assert!(matches!(sync, crate::book::Sync::Stale { why: StaleWhy::Link, .. }), "{sync:?}");
    over(&mut desk, 7, &[(40, 100)], &[(60, 100)]);
    assert!(desk.core.books().get(KA).unwrap().is_good());
    let (now, later) = (desk.now, desk.now.after(DATA_AGE_MAX).after(Nanos::from_millis(1)));
    let first = LinkSet::only(LinkNumber::FIRST);
    let age = |desk: &Desk, now| desk.core.truth.data_age(now, desk.core.books().get(KA).unwrap());
    assert!(age(&desk, now) <= DATA_AGE_MAX);
    desk.now = later;
    desk.silence();
    desk.event(Event::Current { venue: Venue::Kalshi, links: first, upto: later });
    assert!(age(&desk, later) > DATA_AGE_MAX, "link 7 has said nothing since");
}

#[test]
fn the_book_of_a_market_that_is_over_is_asked_for_no_more_and_again_where_it_opens() {
    let mut desk = Desk::new();
    let asked = |desk: &mut Desk| {
        desk.intents.clear();
        for _ in 0..30 {
            desk.wait(Nanos::from_secs(1));
        }
        let resync = |intent: &&Intent| matches!(intent, Intent::Resync { market: KA });
        desk.intents.iter().filter(resync).count()
    };
    assert!(asked(&mut desk) > 3, "no snapshot has come");
    for status in [MarketStatus::Closed, MarketStatus::Proposed, MarketStatus::Resolved] {
        desk.event(Event::Status { market: KA, status });
        assert_eq!(asked(&mut desk), 0, "{status:?}");
    }
    desk.event(Event::Status { market: KA, status: MarketStatus::Paused });
    assert!(asked(&mut desk) > 3, "it may go on");
}

#[test]
fn a_snapshot_that_comes_with_another_grid_is_not_asked_for_once_more() {
    let grid = Grid::uniform(500).unwrap();
    let asked = |desk: &mut Desk| {
        desk.intents.clear();
        desk.wait(Nanos::from_millis(10));
        desk.intents.contains(&Intent::Resync { market: PM })
    };
    for comes in [true, false] {
        let mut desk = Desk::new();
        desk.book(PM, &[(40, 100)], &[(60, 100)]);
        desk.intents.clear();
        desk.event(Event::GridChange { market: PM, grid });
        assert_eq!(desk.intents, [], "it comes along, or the session has asked for it");
        if comes {
            desk.book(PM, &[(40, 100)], &[(60, 100)]);
        }
        assert_eq!(asked(&mut desk), !comes, "but it is, where it did not come");
    }
}
