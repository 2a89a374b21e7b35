//! A venue that does not take everything: what the gate refuses meanwhile, what waits, and what goes first when it is over.

use super::*;
use crate::order::{Purpose, Record};
use crate::report::{Reject, Unsent};
use crate::risk::Refusal;
use crate::venue_mode::VenueMode;

fn mode_in(desk: &mut Desk, venue: Venue, shard: u8, mode: VenueMode) {
    desk.event(Event::Mode { venue, shard, mode, until: Nanos::ZERO });
}

fn mode(desk: &mut Desk, venue: Venue, mode: VenueMode) {
    mode_in(desk, venue, 0, mode);
}

fn refused(desk: &Desk) -> Vec<Refusal> {
    let why = |note: &Note| if let Note::Refused { why, .. } = note { Some(*why) } else { None };
    desk.notes.iter().filter_map(why).collect()
}

fn alarms(desk: &Desk) -> usize {
    let is = |note: &&Note| matches!(note, Note::Alarm { what: Alarm::VenueMode, .. });
    desk.notes.iter().filter(is).count()
}

const LESS: [VenueMode; 4] =
    [VenueMode::PostOnly, VenueMode::CancelOnly, VenueMode::Restarting, VenueMode::Shut];

#[test]
fn nothing_is_opened_where_a_leg_would_not_be_taken() {
    for (venue, less) in Venue::ALL.into_iter().flat_map(|venue| LESS.map(|less| (venue, less))) {
        let mut desk = Desk::new();
        mode(&mut desk, venue, less);
        desk.gap();
        assert_eq!(
            (refused(&desk), desk.placed().len()),
            (vec![Refusal::VenueMode], 0),
            "{less:?}"
        );
        let shown = desk.core.stats().modes[venue];
        assert_eq!((shown.mode, alarms(&desk)), (less, 1));
        mode(&mut desk, venue, VenueMode::Open);
        desk.gap();
        assert_eq!(desk.placed().len(), 1, "{less:?}");
        let stats = desk.core.stats();
        assert_eq!((stats.modes[venue].mode, stats.venue_modes), (VenueMode::Open, 1));
        assert_eq!(stats.refused.iter().collect::<Vec<_>>(), [(Refusal::VenueMode, 1)]);
    }
}

#[test]
fn another_shard_of_the_venue_trades_on() {
    let mut desk = Desk::new();
    mode_in(&mut desk, Venue::Kalshi, 2, VenueMode::Shut);
    desk.gap();
    assert_eq!((refused(&desk), desk.placed().len()), (vec![], 1));
    assert_eq!(desk.core.stats().modes[Venue::Kalshi].mode, VenueMode::Shut, "status shows it");
}

/// 30 NO at Kalshi that are to be sold while Kalshi takes cancels alone.
fn waiting(less: VenueMode) -> Desk {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    let hedge = desk.last_placed();
    assert_eq!((hedge.purpose, hedge.market), (Purpose::Hedge, PM));
    mode(&mut desk, Venue::Kalshi, less);
    desk.report(Report::Rejected { order: OrderRef::Id(hedge.id), why: Reject::Funds });
    desk
}

#[test]
fn a_sale_waits_for_as_long_as_it_takes_and_goes_first_with_no_attempt() {
    for less in LESS {
        let mut desk = waiting(less);
        for _ in 0..1_200 {
            desk.wait(Nanos::from_secs(1)); // a person is called after ten minutes of anything else
        }
        let sales = |desk: &Desk| {
            desk.placed().into_iter().filter(|order| order.purpose == Purpose::Unwind).count()
        };
        assert_eq!((sales(&desk), desk.core.halted()), (0, None), "{less:?}");
        assert!(refused(&desk).iter().all(|why| *why == Refusal::VenueMode));
        mode(&mut desk, Venue::Kalshi, VenueMode::Open);
        assert_eq!(sales(&desk), 1, "{less:?}: in the same event");
        let sale = desk.last_placed();
        assert_eq!(
            (sale.market, sale.price, sale.qty),
            (KA, price(48), qty(30)),
            "nothing given away"
        );
        let group = desk.core.groups().at(0);
        let since = group.unwinding_since.unwrap();
        assert_eq!(group.attempts, 0);
        assert!(desk.now.since(since) < Nanos::from_secs(1), "{less:?}: the wait is left out");
        desk.fill(&sale, 30);
        assert_eq!(desk.group_states().last(), Some(&GroupState::Flat));
    }
}

#[test]
fn what_waited_and_then_fails_still_ends_with_a_person() {
    let mut desk = waiting(VenueMode::CancelOnly);
    for _ in 0..1_200 {
        desk.wait(Nanos::from_secs(1));
    }
    mode(&mut desk, Venue::Kalshi, VenueMode::Open);
    let began = desk.now;
    while desk.core.halted().is_none() {
        let last = desk.last_placed();
        if last.purpose == Purpose::Unwind {
            desk.report(Report::Unsent { order: last.id, why: Unsent::Mode });
        }
        desk.wait(Nanos::from_secs(1));
        assert!(desk.now.since(began) < Nanos::from_secs(700));
    }
    let secs = desk.now.since(began).get() / 1_000_000_000;
    assert!((599..605).contains(&secs), "{secs} s");
}

/// A venue's maintenance is no reason to wait for a bid at the other one, where the contracts are.
#[test]
fn a_sale_at_one_venue_is_not_kept_from_a_person_by_the_mode_of_another() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    let hedge = desk.last_placed();
    desk.book(KA, &[(50, 30)], &[]); // nobody bids for NO
    mode(&mut desk, Venue::Polymarket, VenueMode::Shut);
    desk.report(Report::Rejected { order: OrderRef::Id(hedge.id), why: Reject::Funds });
    let (began, mut seconds) = (desk.now, 0);
    while desk.core.halted().is_none() {
        desk.wait(Nanos::from_secs(1));
        seconds += 1;
        if seconds == 300 {
            mode(&mut desk, Venue::Polymarket, VenueMode::Open);
            mode(&mut desk, Venue::Polymarket, VenueMode::Shut);
        }
        assert!(desk.now.since(began) < Nanos::from_secs(700), "a person is called");
    }
    assert!(desk.now.since(began) >= Nanos::from_secs(600));
}

/// A better price is waited for while there can be one.
#[test]
fn a_dear_price_is_not_waited_out_while_the_venue_takes_no_order() {
    let mut desk = Desk::new();
    desk.control(Control::Limit { row: LimitRow::UnwindLoss, value: 1_000_000 });
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    let hedge = desk.last_placed();
    desk.report(Report::Rejected { order: OrderRef::Id(hedge.id), why: Reject::Funds });
    assert_eq!(desk.last_placed(), hedge, "the sale would lose too much");
    let wait = |desk: &mut Desk, seconds| (0..seconds).for_each(|_| desk.wait(Nanos::from_secs(1)));
    mode(&mut desk, Venue::Kalshi, VenueMode::CancelOnly);
    wait(&mut desk, 100);
    mode(&mut desk, Venue::Kalshi, VenueMode::Open);
    wait(&mut desk, 29);
    assert_eq!(desk.core.halted(), None);
    wait(&mut desk, 2);
    assert_eq!(desk.core.halted(), Some(HaltWhy::Group));
}

#[test]
fn what_rested_is_asked_about_when_the_venue_is_back() {
    let mut desk = Desk::new();
    for market in [PM, KA] {
        desk.book(market, &[(40, 100)], &[(50, 100)]);
    }
    desk.control(Control::Rest {
        market: PM,
        outcome: Outcome::Yes,
        action: Action::Buy,
        price: price(42),
        qty: qty(20),
        expires: None,
        post_only: true,
        exit: false,
    });
    let order = desk.last_placed();
    desk.status(&order, VenueState::Resting, Some(0));
    let asked = desk.queries();
    mode(&mut desk, Venue::Polymarket, VenueMode::Restarting);
    mode(&mut desk, Venue::Polymarket, VenueMode::PostOnly);
    assert_eq!((desk.queries(), alarms(&desk)), (asked, 1));
    mode(&mut desk, Venue::Polymarket, VenueMode::Open);
    assert_eq!(desk.queries(), asked + 1);
    // While the venue takes no order the order is cancelled all the same.
    mode(&mut desk, Venue::Polymarket, VenueMode::CancelOnly);
    let cancels = desk.cancels();
    desk.control(Control::Withdraw { order: order.id });
    assert_eq!(desk.cancels(), cancels + 1);
    assert!(!desk.core.orders().find(OrderRef::Id(order.id)).is_some_and(Record::is_over));
}

#[test]
fn a_mode_is_state_and_a_run_begins_without_one() {
    let (mut desk, mut other) = (Desk::new(), Desk::new());
    mode(&mut desk, Venue::Kalshi, VenueMode::Shut);
    mode(&mut other, Venue::Kalshi, VenueMode::CancelOnly);
    assert_ne!(desk.core.state_hash(), other.core.state_hash());
    let mut bytes = Vec::new();
    desk.core.save(&mut bytes);
    let loaded = Core::load(&bytes).unwrap();
    assert_eq!(loaded.stats().modes[Venue::Kalshi].mode, VenueMode::Shut);
    desk.control(Control::Start { epoch: 2, first_order: 1_000 });
    assert_eq!(desk.core.stats().modes[Venue::Kalshi].mode, VenueMode::Open);
}
