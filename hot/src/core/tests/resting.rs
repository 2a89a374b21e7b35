//! Orders that are wanted on the book: placed, changed, withdrawn, expired, and found again after a restart.

use super::*;
use crate::ids::GroupId;
use crate::order::{Change, Expiry, OrderState, Purpose};
use crate::risk::{HaltWhy, Refusal};

/// A market that nobody has an edge in, at either venue.
fn quiet() -> Desk {
    let mut desk = Desk::new();
    for market in [PM, KA] {
        desk.book(market, &[(40, 100)], &[(50, 100)]);
    }
    desk
}

fn in_secs(desk: &Desk, secs: u64) -> Option<Expiry> {
    Expiry::at(desk.now.after(Nanos::from_secs(secs)))
}

fn quote(desk: &mut Desk, market: MarketId, cents: u16, contracts: u64, expires: Option<Expiry>) {
    desk.control(Control::Rest {
        market,
        outcome: Outcome::Yes,
        action: Action::Buy,
        price: price(cents),
        qty: qty(contracts),
        expires,
        post_only: true,
        exit: false,
    });
}

/// A quote of 20 at 42 cents that the venue has on its book.
fn resting(desk: &mut Desk, market: MarketId) -> Order {
    quote(desk, market, 42, 20, None);
    let order = desk.last_placed();
    desk.status(&order, VenueState::Resting, Some(0));
    assert_eq!(state(desk, &order), OrderState::Resting);
    order
}

fn amend(desk: &mut Desk, order: &Order, cents: u16, contracts: u64) {
    let (order, price, qty) = (order.id, price(cents), qty(contracts));
    desk.control(Control::Amend { order, price, qty, expires: None });
}

fn terms_told(desk: &mut Desk, order: &Order, cents: u16, contracts: u64) {
    let (order, price, qty) = (OrderRef::Id(order.id), price(cents), qty(contracts));
    desk.report(Report::Terms { order, price, qty });
}

fn record(desk: &Desk, order: &Order) -> crate::order::Record {
    *desk.core.orders().find(OrderRef::Id(order.id)).unwrap()
}

fn state(desk: &Desk, order: &Order) -> OrderState {
    record(desk, order).state
}

fn refusals(desk: &Desk) -> Vec<Refusal> {
    let why = |note: &Note| if let Note::Refused { why, .. } = note { Some(*why) } else { None };
    desk.notes.iter().filter_map(why).collect()
}

fn worst(market: MarketId, cents: u16, contracts: u64) -> Usd {
    crate::core::money::worst_cost(terms(market).fee, price(cents), qty(contracts))
}

#[test]
fn a_quote_rests_untouched_and_fills_move_its_claim() {
    for market in [PM, KA] {
        let mut desk = quiet();
        let order = resting(&mut desk, market);
        assert_eq!((order.purpose, order.tif, order.post_only), (Purpose::Quote, Tif::Gtc, true));
        assert_eq!(desk.reserved(), worst(market, 42, 20));
        for _ in 0..40 {
            desk.wait(Nanos::from_secs(1));
        }
        assert_eq!((desk.cancels(), desk.queries()), (0, 0), "it is where it is wanted");
        desk.fill(&order, 5);
        desk.status(&order, VenueState::Resting, Some(5));
        assert_eq!(
            (desk.held(market, Outcome::Yes), desk.reserved()),
            (qty(5), worst(market, 42, 15))
        );
        desk.fill(&order, 15);
        assert_eq!((state(&desk, &order), desk.reserved()), (OrderState::Done, Usd::ZERO));
        assert!(desk.core.halted().is_none() && desk.core.groups().is_empty());
    }
}

/// A hundredth of a contract: the smallest size there is.
const HUNDREDTH: Qty = Qty::from_micros(10_000);

fn fill_all_but_a_hundredth(desk: &mut Desk, order: &Order) {
    let fill = desk.fill_of(order, 1);
    desk.report(Report::Fill(Fill { qty: order.qty.saturating_sub(HUNDREDTH), ..fill }));
}

fn fill_a_hundredth(desk: &mut Desk, order: &Order) {
    let fill = desk.fill_of(order, 1);
    desk.report(Report::Fill(Fill { qty: HUNDREDTH, ..fill }));
}

#[test]
fn a_hundredth_that_is_left_rests_until_the_venue_says_otherwise() {
    for market in [PM, KA] {
        for ends in [None, Some(VenueState::Filled), Some(VenueState::Cancelled)] {
            let mut desk = quiet();
            let order = resting(&mut desk, market);
            let asked = desk.queries();
            fill_all_but_a_hundredth(&mut desk, &order);
            assert_eq!(state(&desk, &order), OrderState::Resting, "{market:?}");
            assert_eq!(record(&desk, &order).open(), HUNDREDTH);
            assert!(desk.reserved() > Usd::ZERO, "it may still be bought");
            assert_eq!(desk.queries(), asked + 1, "the venue knows");
            let filled = Some(order.qty.saturating_sub(HUNDREDTH));
            if let Some(state) = ends {
                desk.report(Report::Status(OrderStatus {
                    order: OrderRef::Id(order.id),
                    state,
                    filled,
                }));
                assert_eq!(self::state(&desk, &order), OrderState::Done, "{market:?} {state:?}");
                let may_be_left = state == VenueState::Filled;
                assert_eq!(desk.cancels(), usize::from(may_be_left), "{market:?} {state:?}");
                continue;
            }
            fill_a_hundredth(&mut desk, &order);
            assert_eq!((state(&desk, &order), desk.reserved()), (OrderState::Done, Usd::ZERO));
            assert_eq!(desk.held(market, Outcome::Yes), order.qty);
        }
    }
}

/// Taking over terms asks anew whether what has filled is all: a hundredth short of it is not.
#[test]
fn a_change_that_leaves_a_hundredth_leaves_the_order_on_the_book() {
    let mut desk = quiet();
    let order = resting(&mut desk, KA);
    amend(&mut desk, &order, 42, 10);
    let fill = desk.fill_of(&order, 1);
    desk.report(Report::Fill(Fill { qty: qty(10).saturating_sub(HUNDREDTH), ..fill }));
    terms_told(&mut desk, &order, 42, 10);
    assert_eq!(
        (state(&desk, &order), record(&desk, &order).open()),
        (OrderState::Resting, HUNDREDTH)
    );
    fill_a_hundredth(&mut desk, &order);
    assert_eq!((state(&desk, &order), desk.held(KA, Outcome::Yes)), (OrderState::Done, qty(10)));
}

/// The venue's word for the end may come before its last fill, and the word for the fill be lost.
#[test]
fn an_order_that_ended_waits_for_its_last_hundredth_until_half_a_minute_brought_none() {
    for market in [PM, KA] {
        for comes in [true, false] {
            let mut desk = quiet();
            let order = resting(&mut desk, market);
            fill_all_but_a_hundredth(&mut desk, &order);
            desk.status(&order, VenueState::Filled, Some(20));
            assert!(state(&desk, &order) != OrderState::Done, "{market:?}: a fill is not told");
            let asked = desk.queries();
            desk.wait(Nanos::from_secs(1));
            assert!(desk.queries() > asked, "it is asked for");
            if comes {
                fill_a_hundredth(&mut desk, &order);
            } else {
                desk.status(&order, VenueState::Filled, Some(20));
                desk.wait(Nanos::from_secs(29));
                desk.status(&order, VenueState::Filled, Some(20));
                assert!(state(&desk, &order) != OrderState::Done, "{market:?}: too early");
                desk.wait(Nanos::from_secs(2));
                desk.status(&order, VenueState::Filled, Some(20));
            }
            assert_eq!((state(&desk, &order), desk.reserved()), (OrderState::Done, Usd::ZERO));
            assert_eq!(desk.core.stats().alarms, 0);
        }
    }
}

#[test]
fn what_means_to_take_is_cancelled_where_it_comes_to_rest_and_what_is_wanted_is_not() {
    let sent = resting(&mut quiet(), KA);
    for purpose in Purpose::ALL {
        for tif in Tif::ALL {
            let mut desk = quiet();
            let action = if purpose.reduces() { Action::Sell } else { Action::Buy };
            let expires = if tif == Tif::Gtd { in_secs(&desk, 500) } else { None };
            let (id, group) = (OrderId::new(400), GroupId::new(5));
            let order = Order { id, group, purpose, tif, expires, action, ..sent };
            desk.event(Event::Adopt(order));
            desk.status(&order, VenueState::Resting, Some(0));
            let rests = matches!(tif, Tif::Gtc | Tif::Gtd);
            let wanted = matches!(purpose, Purpose::Quote | Purpose::Exit | Purpose::StopLoss);
            assert_eq!(desk.cancels() > 0, rests && !wanted, "{purpose:?} {tif:?}");
        }
    }
}

#[test]
fn the_gate_asks_for_a_fitting_expiry_and_quotes_sell_only_what_is_held() {
    let mut desk = quiet();
    for (market, secs) in [(PM, 100), (PM, 121), (KA, 1)] {
        let expires = in_secs(&desk, secs);
        quote(&mut desk, market, 42, 20, expires);
        assert_eq!(refusals(&desk).pop(), Some(Refusal::Expiry), "{secs} s");
    }
    for (market, secs) in [(PM, 123), (KA, 4)] {
        let expires = in_secs(&desk, secs);
        quote(&mut desk, market, 41, 20, expires);
        assert_eq!((desk.last_placed().tif, desk.last_placed().expires), (Tif::Gtd, expires));
    }
    for market in [PM, KA] {
        let rest = |action, exit| Control::Rest {
            market,
            outcome: Outcome::Yes,
            action,
            price: price(60),
            qty: qty(5),
            expires: None,
            post_only: false,
            exit,
        };
        for exit in [true, false] {
            desk.control(rest(Action::Sell, exit));
            assert_eq!(refusals(&desk).pop(), Some(Refusal::NotReducing));
        }
    }
    let placed = desk.placed().len();
    quote(&mut desk, MarketId::new(9), 42, 20, None);
    assert_eq!((desk.placed().len(), refusals(&desk).pop()), (placed, Some(Refusal::NotOpen)));
}

#[test]
fn an_exit_rests_and_closes_what_a_quote_brought() {
    for market in [PM, KA] {
        let mut desk = quiet();
        let order = resting(&mut desk, market);
        desk.fill(&order, 20);
        desk.control(to_rest(market, Action::Sell, 55, 20, true));
        let exit = desk.last_placed();
        assert_eq!((exit.purpose, exit.action), (Purpose::Exit, Action::Sell));
        desk.status(&exit, VenueState::Resting, Some(0));
        desk.wait(Nanos::from_secs(5));
        assert_eq!(
            (state(&desk, &exit), record(&desk, &exit).reserved_qty),
            (OrderState::Resting, qty(20))
        );
        desk.fill(&exit, 20);
        assert!(desk.held(market, Outcome::Yes).is_zero());
    }
}

#[test]
fn a_change_in_place_holds_the_larger_claim_until_the_venue_has_said() {
    let mut desk = quiet();
    let order = resting(&mut desk, KA);
    // Up: both claims are possible, so the larger one is held, and no more.
    amend(&mut desk, &order, 43, 30);
    let Some(Intent::Amend(sent)) = desk.intents.last().copied() else { panic!("no change left") };
    assert_eq!(
        (sent.price, sent.qty, sent.was, sent.order),
        (price(43), qty(30), qty(20), order.id)
    );
    assert_eq!((state(&desk, &order), desk.reserved()), (OrderState::Amending, worst(KA, 43, 30)));
    amend(&mut desk, &order, 44, 30);
    assert_eq!(refusals(&desk).pop(), Some(Refusal::NotResting), "one change at a time");
    // A word sent before the change came proves nothing, nor does a fill on the old terms.
    desk.status(&order, VenueState::Resting, Some(0));
    terms_told(&mut desk, &order, 42, 20);
    desk.fill(&order, 5);
    assert_eq!((state(&desk, &order), desk.reserved()), (OrderState::Amending, worst(KA, 43, 25)));
    terms_told(&mut desk, &order, 43, 30);
    assert_eq!(state(&desk, &order), OrderState::Resting);
    assert_eq!(
        (record(&desk, &order).order.price, record(&desk, &order).order.qty),
        (price(43), qty(30))
    );
    assert_eq!(desk.reserved(), worst(KA, 43, 25));
    // Down: the old claim stays until the venue has said.
    amend(&mut desk, &order, 43, 10);
    let Some(Intent::Amend(sent)) = desk.intents.last().copied() else { panic!("no change left") };
    assert_eq!(sent.shrinks_by(), Some(qty(20)), "a decrease keeps its place in the queue");
    assert_eq!(desk.reserved(), worst(KA, 43, 25));
    desk.report(Report::AmendRefused { order: OrderRef::Id(order.id) });
    assert_eq!((state(&desk, &order), desk.reserved()), (OrderState::Resting, worst(KA, 43, 25)));
    let stats = desk.core.stats();
    assert_eq!((stats.amends, stats.amended, stats.amends_refused), (2, 1, 1));
    // The whole of it fills on the new terms.
    desk.fill(&order, 25);
    assert_eq!((state(&desk, &order), desk.reserved()), (OrderState::Done, Usd::ZERO));
    assert_eq!(desk.core.stats().alarms, 0);
}

#[test]
fn a_fill_of_the_old_size_ends_no_order_that_is_just_growing() {
    let mut desk = quiet();
    let order = resting(&mut desk, KA);
    amend(&mut desk, &order, 42, 30);
    desk.fill(&order, 20);
    assert_eq!((state(&desk, &order), desk.reserved()), (OrderState::Amending, worst(KA, 42, 10)));
    desk.report(Report::AmendRefused { order: OrderRef::Id(order.id) });
    assert_eq!((state(&desk, &order), desk.reserved()), (OrderState::Done, Usd::ZERO));
}

#[test]
fn an_order_that_ends_with_more_than_its_old_size_was_changed_though_nobody_said_so() {
    let mut desk = quiet();
    let order = resting(&mut desk, KA);
    amend(&mut desk, &order, 42, 30);
    desk.fill(&order, 22);
    // 25 of 30 were filled when it was cancelled; the fill of the last three is still on its way.
    desk.status(&order, VenueState::Cancelled, Some(25));
    let found = record(&desk, &order);
    assert_eq!((found.order.qty, found.ended, found.filled), (qty(30), Some(qty(25)), qty(22)));
    assert_eq!(desk.reserved(), worst(KA, 42, 3));
    desk.fill(&order, 3);
    assert_eq!((state(&desk, &order), desk.reserved()), (OrderState::Done, Usd::ZERO));
    assert_eq!((desk.core.stats().amended, desk.core.stats().alarms), (1, 0));
}

#[test]
fn a_purchase_of_the_other_outcome_that_would_meet_our_own_is_refused() {
    for market in [PM, KA] {
        let mut desk = quiet();
        resting(&mut desk, market);
        // NO at 58 is a sale of YES at 42, where our own purchase of YES rests; at 57 it is a sale of YES at 43.
        for (cents, refused) in [(58, vec![Refusal::OwnCross]), (57, vec![])] {
            let (before, placed) = (refusals(&desk).len(), desk.placed().len());
            desk.control(Control::Rest {
                market,
                outcome: Outcome::No,
                action: Action::Buy,
                price: price(cents),
                qty: qty(20),
                expires: None,
                post_only: true,
                exit: false,
            });
            assert_eq!(refusals(&desk)[before..], refused, "{market:?}, NO at {cents}");
            assert_eq!(desk.placed().len(), placed + usize::from(refused.is_empty()));
        }
    }
}

#[test]
fn a_change_without_an_answer_is_told_by_the_venues_own_terms() {
    for made in [true, false] {
        let mut desk = quiet();
        let order = resting(&mut desk, KA);
        amend(&mut desk, &order, 43, 30);
        desk.report(Report::TimedOut { order: order.id });
        assert_eq!(state(&desk, &order), OrderState::Amending, "a time-out proves nothing");
        assert!(desk.queries() > 0);
        let (cents, contracts) = if made { (43, 30) } else { (42, 20) };
        for _ in 0..30 {
            desk.wait(Nanos::from_secs(1));
            terms_told(&mut desk, &order, cents, contracts);
            desk.status(&order, VenueState::Resting, Some(0));
        }
        assert_eq!(
            (state(&desk, &order), desk.reserved()),
            (OrderState::Resting, worst(KA, cents, contracts))
        );
    }
}

#[test]
fn terms_that_nobody_gave_are_taken_over_with_an_alarm() {
    let mut desk = quiet();
    let order = resting(&mut desk, KA);
    terms_told(&mut desk, &order, 45, 40);
    assert_eq!(desk.reserved(), worst(KA, 45, 40));
    let told = |note: &&Note| matches!(note, Note::Alarm { what: Alarm::ForeignTerms, .. });
    assert_eq!(desk.notes.iter().filter(told).count(), 1);
}

#[test]
fn terms_of_before_a_change_that_are_told_late_alter_nothing() {
    let mut desk = quiet();
    let order = resting(&mut desk, KA);
    amend(&mut desk, &order, 43, 30);
    terms_told(&mut desk, &order, 43, 30);
    terms_told(&mut desk, &order, 42, 20);
    assert_eq!((desk.reserved(), desk.core.stats().alarms), (worst(KA, 43, 30), 0));
    amend(&mut desk, &order, 44, 30);
    terms_told(&mut desk, &order, 42, 20);
    assert_eq!(state(&desk, &order), OrderState::Amending, "nor while the next one is under way");
    terms_told(&mut desk, &order, 44, 30);
    desk.wait(Nanos::from_secs(20));
    terms_told(&mut desk, &order, 43, 30);
    assert_eq!(
        (desk.reserved(), desk.core.stats().alarms),
        (worst(KA, 43, 30), 1),
        "now they hold"
    );
}

#[test]
fn a_fill_of_before_a_change_that_is_told_after_it_has_no_worse_price() {
    let mut desk = quiet();
    let order = resting(&mut desk, KA);
    amend(&mut desk, &order, 41, 30);
    terms_told(&mut desk, &order, 41, 30);
    desk.fill(&order, 5); // at 42
    assert_eq!((record(&desk, &order).filled, desk.core.stats().alarms), (qty(5), 0));
    let fill = Fill { price: price(43), ..desk.fill_of(&order, 5) };
    desk.report(Report::Fill(fill));
    let worse = |note: &&Note| matches!(note, Note::Alarm { what: Alarm::WorseFill, .. });
    assert_eq!(desk.notes.iter().filter(worse).count(), 1, "no limit of it was so high");
}

#[test]
fn what_quotes_gives_way_to_what_sells_a_leg_without_a_partner() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    let second = desk.last_placed();
    desk.control(Control::Rest {
        market: KA,
        outcome: Outcome::No,
        action: Action::Buy,
        price: price(48),
        qty: qty(10),
        expires: None,
        post_only: true,
        exit: false,
    });
    let quoted = desk.last_placed();
    assert_eq!((quoted.purpose, refusals(&desk)), (Purpose::Quote, vec![]));
    desk.status(&quoted, VenueState::Resting, Some(0));
    let why = crate::report::Reject::Funds;
    desk.report(Report::Rejected { order: OrderRef::Id(second.id), why });
    // NO sells at 48, where our own purchase of NO rests.
    assert_eq!((desk.last_placed(), refusals(&desk)), (quoted, vec![Refusal::OwnCross]));
    assert_eq!(state(&desk, &quoted), OrderState::Cancelling);
    desk.status(&quoted, VenueState::Cancelled, Some(0));
    desk.wait(Nanos::from_millis(60)); // a correction that could not be sent has waited for 50
    let sale = desk.last_placed();
    assert_eq!((sale.purpose, sale.market, sale.qty), (Purpose::Unwind, KA, qty(30)));
}

#[test]
fn a_replace_has_one_claim_and_passes_on_what_was_not_filled() {
    let mut desk = quiet();
    let order = resting(&mut desk, PM);
    amend(&mut desk, &order, 43, 30);
    assert_eq!((desk.cancels(), desk.placed().len()), (1, 1), "first the cancel, alone");
    assert_eq!(
        (state(&desk, &order), desk.reserved()),
        (OrderState::Cancelling, worst(PM, 43, 30))
    );
    desk.fill(&order, 4);
    assert_eq!(desk.reserved(), worst(PM, 43, 26));
    desk.status(&order, VenueState::Cancelled, Some(4));
    let next = desk.last_placed();
    assert_eq!((next.price, next.qty, next.purpose), (price(43), qty(26), Purpose::Quote));
    assert!(next.id != order.id && next.post_only);
    assert_eq!((state(&desk, &order), desk.reserved()), (OrderState::Done, worst(PM, 43, 26)));
    let replaced = Note::Replaced { order: order.id, by: next.id };
    assert!(desk.notes.contains(&replaced));
    desk.status(&order, VenueState::Cancelled, Some(4));
    assert_eq!(desk.placed().len(), 2, "told twice, it follows once");
}

#[test]
fn a_cancel_says_the_size_except_while_the_size_is_changing() {
    let cases = [
        (KA, None, 20),
        (KA, Some((43, 20)), 20),
        (KA, Some((43, 30)), 0),
        (PM, Some((43, 30)), 20), // cancelled to be replaced: this order stays as large as it is
    ];
    for (market, change, contracts) in cases {
        let mut desk = quiet();
        let order = resting(&mut desk, market);
        if let Some((cents, contracts)) = change {
            amend(&mut desk, &order, cents, contracts);
        }
        desk.control(Control::Withdraw { order: order.id });
        let told = desk.intents.iter().find_map(|intent| match intent {
            Intent::Cancel(cancel) => Some(cancel.qty),
            _ => None,
        });
        assert_eq!(told, Some(qty(contracts)), "{market:?} {change:?}");
    }
}

#[test]
fn a_replace_whose_cancel_was_refused_is_asked_for_again() {
    let mut desk = quiet();
    let order = resting(&mut desk, PM);
    amend(&mut desk, &order, 43, 30);
    desk.report(Report::CancelRefused { order: OrderRef::Id(order.id) });
    desk.status(&order, VenueState::Resting, Some(0));
    assert_eq!((state(&desk, &order), desk.cancels()), (OrderState::Resting, 1));
    desk.wait(Nanos::from_secs(2));
    assert_eq!((state(&desk, &order), desk.cancels()), (OrderState::Cancelling, 2));
    desk.status(&order, VenueState::Cancelled, Some(0));
    assert_eq!((desk.last_placed().price, desk.last_placed().qty), (price(43), qty(30)));
}

#[test]
fn nothing_follows_an_order_that_filled_whole_was_withdrawn_or_met_a_halt() {
    let mut filled = quiet();
    let order = resting(&mut filled, PM);
    amend(&mut filled, &order, 43, 20);
    filled.fill(&order, 20);
    assert_eq!((filled.placed().len(), filled.reserved()), (1, Usd::ZERO));

    for control in [
        |order: &Order| Control::Withdraw { order: order.id },
        |_: &Order| Control::Halt { epoch: 2, why: HaltWhy::Operator },
        |_: &Order| Control::Stop,
    ] {
        let mut desk = quiet();
        let order = resting(&mut desk, PM);
        amend(&mut desk, &order, 43, 30);
        desk.control(control(&order));
        assert_eq!(desk.reserved(), worst(PM, 42, 20), "its own claim is what is left");
        desk.status(&order, VenueState::Cancelled, Some(0));
        assert_eq!((desk.placed().len(), desk.reserved()), (1, Usd::ZERO));
    }
}

#[test]
fn a_change_passes_the_gate_as_what_it_would_leave() {
    let mut desk = quiet();
    let order = resting(&mut desk, KA);
    let most = LimitRow::OrderQty.def().default / 1_000_000;
    amend(&mut desk, &order, 42, most + 1);
    assert_eq!(refusals(&desk).pop(), Some(Refusal::OrderQty));
    assert_eq!((state(&desk, &order), desk.reserved()), (OrderState::Resting, worst(KA, 42, 20)));
    // What is filled is not asked for again.
    desk.fill(&order, 5);
    desk.control(Control::Amend {
        order: order.id,
        price: price(42),
        qty: qty(20),
        expires: in_secs(&desk, 1),
    });
    assert_eq!(refusals(&desk).pop(), Some(Refusal::Expiry));
    desk.control(Control::Halt { epoch: 2, why: HaltWhy::Operator });
    let intents = desk.intents.len();
    amend(&mut desk, &order, 41, 20);
    assert_eq!(desk.intents.len(), intents, "nothing is changed after a halt");
}

#[test]
fn an_order_ends_with_its_time_and_a_silent_venue_is_asked() {
    for (market, state_told) in [(KA, VenueState::Expired), (PM, VenueState::Cancelled)] {
        let mut desk = quiet();
        let expires = in_secs(&desk, 200);
        quote(&mut desk, market, 42, 20, expires);
        let order = desk.last_placed();
        desk.status(&order, VenueState::Resting, Some(0));
        desk.fill(&order, 5);
        let asked = desk.queries();
        desk.wait(Nanos::from_secs(203));
        assert_eq!(desk.queries(), asked + 1, "its time has passed without a word");
        desk.status(&order, state_told, Some(5));
        assert_eq!((state(&desk, &order), desk.reserved()), (OrderState::Done, Usd::ZERO));
        assert_eq!((desk.core.stats().orders_expired, desk.cancels()), (1, 0));
        assert_eq!(desk.held(market, Outcome::Yes), qty(5));
    }
}

#[test]
fn a_restart_finds_what_rests_and_leaves_it() {
    for market in [PM, KA] {
        let mut desk = quiet();
        let order = resting(&mut desk, market);
        if market == KA {
            amend(&mut desk, &order, 43, 30);
        }
        let held = desk.reserved();
        desk.control(Control::Start { epoch: 5, first_order: 500 });
        assert_eq!((state(&desk, &order), desk.reserved()), (OrderState::Unknown, held));
        assert!(matches!(desk.intents.last(), Some(Intent::Query(_))));
        desk.open();
        desk.wait(Nanos::from_secs(30));
        let (cents, contracts) = if market == KA { (43, 30) } else { (42, 20) };
        if market == KA {
            terms_told(&mut desk, &order, cents, contracts);
        }
        desk.status(&order, VenueState::Resting, Some(0));
        desk.wait(Nanos::from_secs(1));
        assert_eq!((state(&desk, &order), desk.cancels()), (OrderState::Resting, 0));
        assert_eq!(desk.reserved(), worst(market, cents, contracts));
        assert_eq!(record(&desk, &order).change.map(|c| c.to), None::<Change>);
    }
}

#[test]
fn one_that_only_the_wire_log_knows_is_adopted_alone() {
    let mut desk = quiet();
    let lost = Order { id: OrderId::new(400), ..resting(&mut quiet(), KA) };
    desk.event(Event::Adopt(lost));
    assert_eq!((state(&desk, &lost), desk.reserved()), (OrderState::Unknown, worst(KA, 42, 20)));
    assert!(desk.core.groups().is_empty(), "no group wants it");
    desk.status(&lost, VenueState::Resting, Some(0));
    desk.fill(&lost, 20);
    assert_eq!((state(&desk, &lost), desk.held(KA, Outcome::Yes)), (OrderState::Done, qty(20)));
    // A fill beyond its end has no group that it could trouble.
    desk.fill(&lost, 1);
    assert!(desk.core.halted().is_none());
}

#[test]
fn a_stream_that_was_away_has_what_rests_asked_about() {
    let mut desk = quiet();
    let order = resting(&mut desk, KA);
    let (venue, link) = (Venue::Kalshi, Link::Private);
    desk.event(Event::Link { venue, link, number: LinkNumber::FIRST, up: false });
    let asked = desk.queries();
    desk.event(Event::Link { venue, link, number: LinkNumber::FIRST, up: true });
    assert_eq!(desk.queries(), asked + 1);
    assert_eq!(state(&desk, &order), OrderState::Resting);
}

/// Whatever comes in whichever order, the claim is never less than what may fill needs, and in the end nothing is left.
#[test]
fn any_order_of_answers_leaves_no_claim_behind() {
    for seed in 0..400_u64 {
        let mut desk = quiet();
        let order = resting(&mut desk, KA);
        amend(&mut desk, &order, 43, 30);
        let fills = [desk.fill_of(&order, 7), desk.fill_of(&order, 5)];
        let id = OrderRef::Id(order.id);
        let mut reports = vec![
            Report::Terms { order: id, price: price(43), qty: qty(30) },
            Report::Fill(fills[0]),
            Report::Fill(fills[1]),
            Report::Status(OrderStatus {
                order: id,
                state: VenueState::Resting,
                filled: Some(qty(7)),
            }),
            Report::TimedOut { order: order.id },
            Report::Status(OrderStatus {
                order: id,
                state: VenueState::Expired,
                filled: Some(qty(12)),
            }),
        ];
        reports.extend(reports.clone());
        let mut mixed = seed;
        for left in (1..reports.len()).rev() {
            mixed = mixed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            reports.swap(left, (mixed >> 33) as usize % (left + 1));
        }
        for report in reports {
            desk.report(report);
        }
        assert_eq!(
            (state(&desk, &order), desk.reserved()),
            (OrderState::Done, Usd::ZERO),
            "seed {seed}"
        );
        assert_eq!(desk.held(KA, Outcome::Yes), qty(12), "seed {seed}");
    }
}

fn cancelled(desk: &Desk) -> Vec<OrderId> {
    let of = |intent: &Intent| match intent {
        Intent::Cancel(cancel) => Some(cancel.order),
        _ => None,
    };
    desk.intents.iter().filter_map(of).collect()
}

#[test]
fn a_grid_change_withdraws_what_rests_off_the_new_grid_and_nothing_else() {
    let grid = Grid::uniform(500).unwrap();
    for (market, other) in [(PM, KA), (KA, PM)] {
        let mut desk = quiet();
        let off = resting(&mut desk, market);
        quote(&mut desk, market, 45, 20, None);
        let on = desk.last_placed();
        desk.status(&on, VenueState::Resting, Some(0));
        let elsewhere = resting(&mut desk, other);
        desk.event(Event::GridChange { market, grid });
        assert_eq!(cancelled(&desk), [off.id]);
        for order in [&on, &elsewhere] {
            assert_eq!(state(&desk, order), OrderState::Resting);
        }
        assert_eq!(desk.core.books().get(market).unwrap().levels(Side::Bid).count(), 0);
        let placed = desk.placed().len();
        quote(&mut desk, market, 40, 20, None);
        assert_eq!((desk.placed().len(), refusals(&desk).pop()), (placed, Some(Refusal::Stale)));
    }
}

#[test]
fn a_grid_change_withdraws_what_is_on_its_way_off_the_new_grid() {
    let grid = Grid::uniform(500).unwrap();
    for market in [PM, KA] {
        let mut desk = quiet();
        quote(&mut desk, market, 45, 20, None);
        let order = desk.last_placed();
        desk.status(&order, VenueState::Resting, Some(0));
        desk.wait(Nanos::from_secs(40)); // whatever a venue asks between two words about one order
        amend(&mut desk, &order, 42, 20);
        assert_eq!(refusals(&desk), []);
        desk.event(Event::GridChange { market, grid });
        assert_eq!(cancelled(&desk), [order.id], "{market:?}");
        desk.status(&order, VenueState::Cancelled, Some(0));
        assert_eq!(
            (desk.placed().len(), desk.core.is_idle()),
            (1, true),
            "nothing takes its place"
        );
    }
}
