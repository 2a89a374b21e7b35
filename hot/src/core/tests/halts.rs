//! What no halt, stop or withdrawal leaves on a book: an order that is not wanted any more is cancelled until it is gone.

use super::*;
use crate::order::OrderState;
use crate::report::Reject;
use crate::risk::{HaltWhy, QuarantineWhy, Refusal};

/// A third market, at Kalshi, that no basket has.
const ALONE: MarketId = MarketId::new(2);

/// A desk with a quote of 20 at 42 cents on the venue's book, in a market of its own.
fn quoting() -> (Desk, Order) {
    let mut desk = Desk::new();
    let cluster = ClusterId::new(7);
    desk.event(Event::Market(MarketDef { market: ALONE, cluster, ..terms(KA) }));
    desk.book(ALONE, &[(40, 100)], &[(50, 100)]);
    desk.control(to_rest(ALONE, Action::Buy, 42, 20, false));
    let order = desk.last_placed();
    desk.status(&order, VenueState::Resting, Some(0));
    (desk, order)
}

fn state(desk: &Desk, order: &Order) -> OrderState {
    desk.core.orders().find(OrderRef::Id(order.id)).unwrap().state
}

/// The venue refuses to cancel the order, and says that it rests.
fn refuse_cancel(desk: &mut Desk, order: &Order) {
    desk.report(Report::CancelRefused { order: OrderRef::Id(order.id) });
    desk.status(order, VenueState::Resting, Some(0));
}

fn is_cancelled(desk: &Desk, order: &Order) -> bool {
    let is_it =
        |intent: &Intent| matches!(intent, Intent::Cancel(cancel) if cancel.order == order.id);
    desk.intents.iter().any(is_it)
}

#[test]
fn the_kill_file_halts_within_the_event_that_tells_of_it() {
    let (mut desk, order) = quoting();
    let placed = desk.placed().len();
    desk.control(Control::Halt { epoch: 2, why: HaltWhy::KillFile });
    assert_eq!(desk.core.halted(), Some(HaltWhy::KillFile));
    assert!(is_cancelled(&desk, &order), "in the same event");
    desk.gap();
    assert_eq!(desk.placed().len(), placed, "the next event opens nothing");
}

#[test]
fn a_halt_that_the_core_finds_a_reason_for_by_itself_cancels_what_rests() {
    type Act = fn(&mut Desk);
    let causes: [(Act, HaltWhy); 4] = [
        (|desk| desk.event(Event::Stall { span: Nanos::from_secs(3) }), HaltWhy::Thread),
        (
            |desk| {
                *desk.core.money.day_base_mut() += Usd::from_dollars(200);
                desk.wait(Nanos::from_millis(10));
            },
            HaltWhy::DailyLoss,
        ),
        (
            |desk| {
                // A leg that nobody buys back for ten minutes is a person's.
                desk.gap();
                let first = desk.last_placed();
                desk.fill(&first, 30);
                let hedge = desk.last_placed();
                desk.book(first.market, &[(50, 30)], &[]);
                let (order, why) = (OrderRef::Id(hedge.id), Reject::Funds);
                desk.report(Report::Rejected { order, why });
                for _ in 0..700 {
                    desk.wait(Nanos::from_secs(1));
                }
            },
            HaltWhy::Group,
        ),
        (
            |desk| {
                desk.core.quarantine(MarketId::new(9), QuarantineWhy::WorseFill, &mut desk.out);
                desk.out.clear();
                desk.gap();
                let order = desk.last_placed();
                let worse = Price::from_ticks(order.on_book().1.ticks() - 100).unwrap();
                let fill = desk.fill_of(&order, 30);
                desk.report(Report::Fill(Fill { price: worse, ..fill }));
            },
            HaltWhy::Impossible,
        ),
    ];
    for (act, why) in causes {
        let (mut desk, order) = quoting();
        act(&mut desk);
        assert_eq!(desk.core.halted(), Some(why));
        assert!(is_cancelled(&desk, &order), "{why:?}: a quote rests on through a halt");
        let all = |intent: &Intent| *intent == Intent::CancelAll { venue: Venue::Kalshi };
        assert!(desk.intents.iter().any(all), "{why:?}");
    }
}

#[test]
fn what_is_withdrawn_stays_unwanted_however_often_its_cancel_is_refused() {
    for control in [
        |order: &Order| Control::Withdraw { order: order.id },
        |_: &Order| Control::Halt { epoch: 2, why: HaltWhy::Operator },
        |_: &Order| Control::Stop,
    ] {
        let (mut desk, order) = quoting();
        desk.control(control(&order));
        for refused in 1..5 {
            assert_eq!(state(&desk, &order), OrderState::Cancelling);
            assert_eq!(desk.cancels(), refused);
            refuse_cancel(&mut desk, &order);
            desk.wait(Nanos::from_secs(9));
        }
        desk.status(&order, VenueState::Cancelled, Some(0));
        assert_eq!((state(&desk, &order), desk.reserved()), (OrderState::Done, Usd::ZERO));
    }
}

#[test]
fn one_that_cannot_be_cancelled_at_once_is_withdrawn_all_the_same() {
    let (mut desk, order) = quoting();
    desk.control(Control::Withdraw { order: order.id });
    refuse_cancel(&mut desk, &order);
    // Its last cancel was a moment ago: the next one waits, and comes.
    desk.control(Control::Halt { epoch: 2, why: HaltWhy::Operator });
    desk.control(Control::Resume { epoch: 3 });
    desk.wait(Nanos::from_secs(2));
    assert_eq!((state(&desk, &order), desk.cancels()), (OrderState::Cancelling, 2));
    refuse_cancel(&mut desk, &order);
    let (id, epoch) = (order.id, 5);
    desk.control(Control::Start { epoch, first_order: 500 });
    desk.open();
    desk.status(&order, VenueState::Resting, Some(0));
    desk.wait(Nanos::from_secs(1));
    assert_eq!(
        state(&desk, &order),
        OrderState::Cancelling,
        "{id} is unwanted after a restart too"
    );
}

#[test]
fn a_market_in_quarantine_has_no_quote_of_ours_on_its_book() {
    let (mut desk, order) = quoting();
    desk.event(Event::Odd {
        venue: Venue::Kalshi,
        market: Some(ALONE),
        what: crate::event::Oddity::Meaning,
    });
    desk.wait(Nanos::from_millis(10));
    assert!(is_cancelled(&desk, &order));
    assert!(desk.core.halted().is_none());
}

#[test]
fn what_means_to_close_a_position_never_buys() {
    let (mut desk, order) = quoting();
    desk.fill(&order, 20);
    desk.control(Control::Halt { epoch: 2, why: HaltWhy::Operator });
    let placed = desk.placed().len();
    desk.control(to_rest(ALONE, Action::Buy, 41, 20, true));
    assert_eq!(desk.placed().len(), placed, "held or not, it would be held twice");
    let refused = |note: &Note| matches!(note, Note::Refused { why: Refusal::NotReducing, .. });
    assert!(desk.notes.iter().any(refused));
}

#[test]
fn more_contracts_than_there_may_be_are_refused_before_anything_is_worked_out() {
    let (mut desk, order) = quoting();
    let qty = Qty::from_micros(u64::MAX);
    desk.control(Control::Amend { order: order.id, price: price(99), qty, expires: None });
    let Control::Rest { market, outcome, action, price, expires, post_only, exit, .. } =
        to_rest(ALONE, Action::Buy, 99, 20, false)
    else {
        unreachable!("made above")
    };
    desk.control(Control::Rest { market, outcome, action, price, qty, expires, post_only, exit });
    let refused = |note: &&Note| matches!(note, Note::Refused { why: Refusal::OrderQty, .. });
    assert_eq!(desk.notes.iter().filter(refused).count(), 2);
}

#[test]
fn an_order_that_is_moving_is_met_at_neither_price() {
    let (mut desk, order) = quoting();
    desk.fill(&order, 5);
    let (id, qty) = (order.id, order.qty);
    desk.control(Control::Amend { order: id, price: price(48), qty, expires: None });
    assert_eq!(state(&desk, &order), OrderState::Amending);
    for cents in [42, 45, 48] {
        desk.control(to_rest(ALONE, Action::Sell, cents, 5, true));
        let why = desk.notes.iter().rev().find_map(|note| match note {
            Note::Refused { why, .. } => Some(*why),
            _ => None,
        });
        assert_eq!(why, Some(Refusal::OwnCross), "{cents}");
        desk.notes.clear();
    }
}

#[test]
fn a_fill_that_fails_gives_a_live_order_its_claim_back() {
    let mut desk = Desk::new();
    desk.book(PM, &[(40, 100)], &[(50, 100)]);
    desk.control(to_rest(PM, Action::Buy, 42, 20, false));
    let order = desk.last_placed();
    desk.status(&order, VenueState::Resting, Some(0));
    let whole = desk.reserved();
    let fill = desk.fill_of(&order, 8);
    desk.report(Report::Fill(fill));
    assert!(desk.reserved() < whole);
    desk.report(Report::Finality { fill: fill.fill, state: Finality::Failed });
    assert_eq!(desk.reserved(), whole, "R1: all of it may fill");
}
