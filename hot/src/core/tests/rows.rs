//! A desk in which exactly one thing is wrong opens nothing, and it is stopped where it should be: by the pricing, where
//! baskets are looked at, by the sizing or at the gate. Each test asserts what was noted besides the absent order, for
//! whatever one of them lets pass, the next one stops. The gate's own rows are held in `risk/gate/tests.rs`.

use super::*;
use crate::book::StaleWhy;
use crate::report::Reject;
use crate::risk::Refusal;

/// What a gap leads to after `change` has been made.
fn orders_after(change: impl FnOnce(&mut Desk)) -> (usize, Vec<Refusal>, Vec<Verdict>) {
    let mut desk = Desk::new();
    change(&mut desk);
    desk.gap();
    let refusals = desk.notes.iter().filter_map(|note| match note {
        Note::Refused { why, .. } => Some(*why),
        _ => None,
    });
    let verdicts = desk.notes.iter().filter_map(|note| match note {
        Note::Opportunity { verdict, .. } => Some(*verdict),
        _ => None,
    });
    (desk.placed().len(), refusals.collect(), verdicts.collect())
}

fn limit(row: LimitRow, value: u64) -> impl FnOnce(&mut Desk) {
    move |desk| desk.control(Control::Limit { row, value })
}

#[test]
fn nothing_wrong_opens() {
    assert_eq!(orders_after(|_| {}), (1, vec![], vec![Verdict::Taken]));
}

/// Closed before the gate is asked: an opportunity that was seen, and no refusal.
#[test]
fn a_core_that_is_halted_stopping_unreconciled_or_held_asks_no_gate() {
    let closed = (0, vec![], vec![Verdict::Closed]);
    let halt = |desk: &mut Desk| desk.control(Control::Halt { epoch: 2, why: HaltWhy::Operator });
    assert_eq!(orders_after(halt), closed, "halted");
    assert_eq!(orders_after(|desk| desk.control(Control::Stop)), closed, "stopping");
    for venue in Venue::ALL {
        let unclean = |desk: &mut Desk| desk.control(Control::Reconciled { venue, clean: false });
        assert_eq!(orders_after(unclean), closed, "unreconciled: {venue:?}");
        let hold = |desk: &mut Desk| desk.control(Control::Hold { venue, held: true });
        assert_eq!(orders_after(hold), closed, "held: {venue:?}");
    }
}

#[test]
fn what_stood_in_the_way_and_passed_is_noticed_without_a_new_book() {
    type Act = fn(&mut Desk);
    const fn orders(up: bool) -> Event {
        Event::Link { venue: Venue::Polymarket, link: Link::Orders, number: LinkNumber::FIRST, up }
    }
    let ways: [(Act, Act); 4] = [
        (|desk| desk.event(orders(false)), |desk| desk.event(orders(true))),
        (
            |desk| desk.control(Control::Hold { venue: Venue::Kalshi, held: true }),
            |desk| desk.control(Control::Hold { venue: Venue::Kalshi, held: false }),
        ),
        (
            |desk| desk.control(Control::Halt { epoch: 2, why: HaltWhy::Operator }),
            |desk| {
                desk.control(Control::Resume { epoch: 3 });
            },
        ),
        (
            |desk| limit(LimitRow::OrdersPerMinute, 0)(desk),
            |desk| {
                desk.core.limits.set(LimitRow::OrdersPerMinute, 60, false); // as if the minute were over
            },
        ),
    ];
    for (close, open) in ways {
        let mut desk = Desk::new();
        close(&mut desk);
        desk.gap();
        for _ in 0..100 {
            desk.wait(Nanos::from_millis(10));
        }
        assert_eq!(desk.placed().len(), 0);
        let told = desk.notes.iter().filter(|note| matches!(note, Note::Opportunity { .. }));
        assert_eq!(told.count(), 1, "however often it was looked at");
        open(&mut desk);
        desk.wait(Nanos::from_millis(10));
        assert_eq!(desk.placed().len(), 1);
    }
}

#[test]
fn a_resume_opens_again() {
    let again = |desk: &mut Desk| {
        desk.control(Control::Halt { epoch: 2, why: HaltWhy::Operator });
        desk.control(Control::Resume { epoch: 3 });
    };
    assert_eq!(orders_after(again).0, 1);
}

#[test]
fn a_venue_that_cannot_be_reached_opens_nothing() {
    for link in [Link::Private, Link::Orders] {
        let down = |desk: &mut Desk| {
            desk.event(Event::Link {
                venue: Venue::Polymarket,
                link,
                number: LinkNumber::FIRST,
                up: false,
            })
        };
        assert_eq!(orders_after(down).1, [Refusal::LinkDown], "{link:?}");
    }
}

#[test]
fn a_market_that_is_not_open_opens_nothing() {
    let paused =
        |desk: &mut Desk| desk.event(Event::Status { market: KA, status: MarketStatus::Paused });
    assert_eq!(orders_after(paused), (0, vec![Refusal::NotOpen], vec![Verdict::Refused]));
}

/// Not priced at all: neither an opportunity nor a refusal.
#[test]
fn a_stale_book_is_no_price() {
    let heard = |doubted: bool| {
        let mut desk = Desk::new();
        desk.book(PM, &[(38, 300)], &[(40, 30)]);
        if doubted {
            desk.event(Event::Stale { market: PM, why: StaleWhy::Gap });
        }
        desk.book(KA, &[(50, 30)], &[(52, 300)]);
        let told = |note: &&Note| matches!(note, Note::Opportunity { .. } | Note::Refused { .. });
        (desk.placed().len(), desk.notes.iter().filter(told).count())
    };
    assert_eq!(heard(true), (0, 0));
    assert_eq!(heard(false), (1, 1), "the same books without doubt");
}

/// A plan is made no larger than what can pass, so that the gate has nothing to refuse.
#[test]
fn a_limit_of_nothing_is_sized_to_nothing_before_the_gate_is_asked() {
    use LimitRow as L;
    for row in [
        L::OrderQty,
        L::OrderNotional,
        L::CashPercent,
        L::PositionQty,
        L::PositionNotional,
        L::ExposureTotal,
        L::ExposureMarket,
        L::ExposureCluster,
        L::ExposureVenue,
        L::ShockBufferPercent,
        L::ClusterPercent,
    ] {
        let sized = (0, vec![], vec![Verdict::TooSmall]);
        assert_eq!(orders_after(limit(row, 0)), sized, "{}", row.name());
    }
}

#[test]
fn rows_that_only_the_gate_knows_name_themselves() {
    use LimitRow as L;
    assert_eq!(orders_after(limit(L::OrdersPerMinute, 0)).1, [Refusal::Rate]);
    assert_eq!(orders_after(limit(L::OrdersPerMinuteMarket, 0)).1, [Refusal::Rate]);
    assert_eq!(orders_after(limit(L::Positions, 0)).1, [Refusal::Positions]);
    assert_eq!(
        orders_after(limit(L::DailyLoss, 0)).1,
        [Refusal::DailyLoss],
        "zero means observe only"
    );
}

#[test]
fn limits_size_the_order() {
    use LimitRow as L;
    let sized = |row, value| {
        let mut desk = Desk::new();
        desk.control(Control::Limit { row, value });
        desk.gap();
        desk.placed().first().map_or(Qty::ZERO, |order| order.qty)
    };
    assert_eq!(sized(L::OrderQty, 11_000_000), qty(11));
    assert!(sized(L::OrderNotional, 10_000_000) < qty(20));
    assert!(sized(L::OrderNotional, 10_000_000) > qty(10));
    assert_eq!(sized(L::PositionQty, 7_000_000), qty(7));
}

#[test]
fn without_one_of_the_limits_nothing_is_opened() {
    for missing in [LimitRow::DuplicateMs, LimitRow::UnwindAttempts, LimitRow::LegTimeoutMs] {
        let unset = |desk: &mut Desk| {
            desk.core.limits = Limits::unset();
            for (row, value) in limit_values().into_iter().filter(|&(row, _)| row != missing) {
                desk.core.limits.set(row, value, false);
            }
        };
        let (orders, refusals, _) = orders_after(unset);
        assert_eq!((orders, refusals), (0, vec![Refusal::Halted]), "{}", missing.name());
    }
}

#[test]
fn a_full_minute_passes() {
    let mut desk = Desk::new();
    desk.control(Control::Limit { row: LimitRow::OrdersPerMinute, value: 1 });
    desk.gap();
    let first = desk.last_placed();
    desk.report(Report::Rejected {
        order: OrderRef::Id(first.id),
        why: crate::report::Reject::Killed,
    });
    desk.now = desk.now.after(Nanos::from_secs(2));
    desk.gap();
    assert_eq!(desk.placed().len(), 1, "one a minute");
    desk.wait(Nanos::from_secs(60));
    desk.gap();
    assert_eq!(desk.placed().len(), 2, "and one the next");
}

/// The timer at so long after `since`, to the nanosecond.
fn timer_at(desk: &mut Desk, since: Nanos, span: Nanos) {
    desk.now = since.after(span).since(Nanos::new(1_000)); // what each event adds
    desk.event(Event::Timer);
}

#[test]
fn a_basket_rests_for_its_cooldown_and_for_longer_after_a_loss() {
    for row in [LimitRow::CooldownMs, LimitRow::CooldownLossMs] {
        let mut desk = Desk::new();
        if row == LimitRow::CooldownMs {
            desk.gap();
            let first = desk.last_placed();
            desk.report(Report::Rejected { order: OrderRef::Id(first.id), why: Reject::Killed });
        } else {
            let sale = desk.first_leg_to_sell();
            desk.fill(&sale, 30);
        }
        let (ended, span) = (desk.now, desk.core.limits().span(row));
        desk.gap();
        let placed = desk.placed().len();
        timer_at(&mut desk, ended, span.since(Nanos::new(1)));
        assert_eq!(desk.placed().len(), placed, "{row:?}: not yet");
        timer_at(&mut desk, ended, span);
        assert_eq!(desk.placed().len(), placed + 1, "{row:?}: and now");
    }
}

#[test]
fn a_sale_that_brought_nothing_is_tried_again_after_its_step() {
    let mut desk = Desk::new();
    let (sale, sent) = (desk.first_leg_to_sell(), desk.now);
    desk.report(Report::Rejected { order: OrderRef::Id(sale.id), why: Reject::Killed });
    let (placed, step) = (desk.placed().len(), desk.core.limits().span(LimitRow::UnwindStepMs));
    timer_at(&mut desk, sent, step.since(Nanos::new(1)));
    assert_eq!(desk.placed().len(), placed, "not yet");
    timer_at(&mut desk, sent, step);
    assert_eq!(desk.placed().len(), placed + 1, "and now");
}

#[test]
fn the_same_order_is_a_duplicate_for_its_time_and_no_longer() {
    let mut desk = Desk::new();
    desk.book(KA, &[(40, 100)], &[(50, 100)]);
    let again = to_rest(KA, Action::Buy, 42, 20, false);
    desk.control(again);
    let (sent, span) = (desk.now, desk.core.limits().span(LimitRow::DuplicateMs));
    let refused = |desk: &Desk| {
        let is = |note: &&Note| matches!(note, Note::Refused { why: Refusal::Duplicate, .. });
        desk.notes.iter().filter(is).count()
    };
    for (at, orders, duplicates) in [(span.since(Nanos::new(1)), 1, 1), (span, 2, 1)] {
        desk.now = sent.after(at).since(Nanos::new(1_000));
        desk.control(again);
        assert_eq!((desk.placed().len(), refused(&desk)), (orders, duplicates), "{at:?}");
    }
}

/// The requests of an order that were handed out: the order, changes of it and its cancel.
fn requests(desk: &Desk, market: MarketId) -> u64 {
    let of = desk.intents.iter().filter(|intent| match intent {
        Intent::Place(order) => order.market == market,
        Intent::Cancel(cancel) => cancel.market == market,
        Intent::Amend(amend) => amend.market == market,
        Intent::CancelAll { .. } | Intent::Query(_) | Intent::Resync { .. } => false,
        Intent::Unfollow { .. } | Intent::Witness { .. } => false,
    });
    of.count() as u64
}

#[test]
fn cancels_changes_hedges_and_sales_use_up_the_minute_too() {
    // A quote is placed, changed and withdrawn.
    let mut desk = Desk::new();
    desk.book(KA, &[(40, 100)], &[(50, 100)]);
    desk.control(to_rest(KA, Action::Buy, 42, 20, false));
    let order = desk.last_placed();
    desk.status(&order, VenueState::Resting, Some(0));
    desk.control(Control::Amend { order: order.id, price: price(43), qty: qty(20), expires: None });
    desk.report(Report::Terms { order: OrderRef::Id(order.id), price: price(43), qty: qty(20) });
    desk.control(Control::Withdraw { order: order.id });
    assert_eq!(requests(&desk, KA), 3);
    assert_eq!(desk.core.orders.rate().in_market(KA), 3);
    // A first leg fills, the second is refused, and the first is sold again.
    let mut desk = Desk::new();
    desk.first_leg_to_sell();
    let of = [PM, KA].map(|market| requests(&desk, market));
    assert_eq!(of, [1, 2]);
    assert_eq!([PM, KA].map(|market| desk.core.orders.rate().in_market(market)), of);
    assert_eq!(desk.core.orders.rate().in_all(), 3);
}

/// Six minutes under these limits in which two pairs show a gap all the time, and every order is killed: when the orders left, and
/// in which of the two markets.
fn six_minutes_of_two_gaps(all_most: u64, each_most: u64) -> Vec<(Nanos, MarketId)> {
    let mut desk = Desk::new();
    desk.control(Control::Limit { row: LimitRow::OrdersPerMinute, value: all_most });
    desk.control(Control::Limit { row: LimitRow::OrdersPerMinuteMarket, value: each_most });
    let other = [2, 3].map(MarketId::new);
    for (market, like) in other.into_iter().zip([PM, KA]) {
        desk.event(Event::Market(MarketDef { market, cluster: ClusterId::new(1), ..terms(like) }));
    }
    let (basket, kind) = (BasketId::new(2), BasketKind::CrossVenue);
    let legs = [(other[0], Outcome::Yes), (other[1], Outcome::No)];
    for def in BasketDef::of_single_contracts(basket, kind, 10_000, &legs) {
        desk.event(Event::Basket(def));
    }
    let (begin, mut answered) = (desk.now, 0);
    while desk.now.since(begin) < Nanos::from_secs(360) {
        for [here, there] in [[PM, KA], other] {
            desk.book(here, &[(38, 300)], &[(40, 30), (60, 100)]);
            desk.book(there, &[(50, 30), (20, 100)], &[(52, 300)]);
        }
        let placed = desk.placed();
        for order in &placed[answered..] {
            let why = crate::report::Reject::Killed;
            desk.report(Report::Rejected { order: OrderRef::Id(order.id), why });
        }
        answered = placed.len();
        desk.wait(Nanos::from_millis(1_300)); // longer than the cooldown
    }
    desk.placed().iter().map(|order| (order.decided, order.market)).collect()
}

/// S7, each limit by itself: no stretch of a minute, whenever it begins, has more orders than it lets through, and the minutes of
/// the gaps have as many.
#[test]
fn no_minute_has_more_orders_than_its_limits_whenever_it_begins() {
    let check = |times: Vec<Nanos>, most: usize| {
        for sent in times.windows(most + 1) {
            let took = sent[most].since(sent[0]);
            assert!(took >= Nanos::from_secs(60), "{} orders in {took:?}", most + 1);
        }
        assert!(times.len() >= 6 * most, "no more is held back than must be: {times:?}");
    };
    let all = six_minutes_of_two_gaps(3, 60);
    check(all.iter().map(|&(at, _)| at).collect(), 3);
    let all = six_minutes_of_two_gaps(60, 2);
    for market in [KA, MarketId::new(3)] {
        check(all.iter().filter(|sent| sent.1 == market).map(|&(at, _)| at).collect(), 2);
    }
}

#[test]
fn one_shards_cash_says_nothing_about_anothers() {
    let mut desk = Desk::new();
    let kalshi = |desk: &mut Desk, shard, dollars| {
        let cash = Usd::from_dollars(dollars);
        desk.control(Control::Cash { venue: Venue::Kalshi, shard, cash });
        desk.core.ledger().cash(crate::ledger::CashAccount::of(Venue::Kalshi, shard))
    };
    let ours = Usd::from_dollars(10_000);
    assert_eq!(kalshi(&mut desk, 0, 9_000), ours);
    assert_eq!(kalshi(&mut desk, 1, 500), Usd::ZERO, "each is seen to differ once");
    assert_eq!(kalshi(&mut desk, 2, 0), Usd::ZERO, "and one that agrees makes up for neither");
    assert_eq!(kalshi(&mut desk, 0, 9_000), Usd::from_dollars(9_000));
    assert_eq!(kalshi(&mut desk, 1, 500), Usd::from_dollars(500));
}

#[test]
fn one_odd_answer_of_the_venue_changes_nothing() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    let held =
        |desk: &Desk| (desk.held(KA, Outcome::No), desk.core.ledger().cash_at(Venue::Kalshi));
    let before = held(&desk);
    let few = Control::Position { market: KA, yes: Qty::ZERO, no: qty(3) };
    desk.control(few);
    desk.control(Control::Cash { venue: Venue::Kalshi, shard: 0, cash: Usd::from_dollars(7) });
    assert_eq!(held(&desk), before);
    desk.control(Control::Position { market: KA, yes: Qty::ZERO, no: qty(30) });
    desk.control(few);
    assert_eq!(held(&desk), before, "it must differ twice in a row");
    desk.control(few);
    assert_eq!(held(&desk).0, qty(3), "then it is the truth, and an alarm");
    assert!(
        desk.notes
            .iter()
            .any(|note| matches!(note, Note::Alarm { what: Alarm::PositionDrift, .. }))
    );
}

#[test]
fn a_market_that_joins_a_cluster_takes_what_is_at_risk_in_it_along() {
    let mut desk = Desk::new();
    let apart = MarketDef { cluster: ClusterId::new(1), ..terms(KA) };
    desk.event(Event::Market(apart));
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    let clusters = |desk: &Desk| {
        let exposure = desk.core.money.exposure();
        (
            exposure.cluster(ClusterId::new(0)),
            exposure.cluster(ClusterId::new(1)),
            exposure.positions(),
        )
    };
    let (here, there, positions) = clusters(&desk);
    assert!(here > Usd::ZERO && there > Usd::ZERO && positions == 2);
    // A relation between the two is declared: one limit counts for both.
    desk.event(Event::Market(terms(KA)));
    assert_eq!(clusters(&desk), (here + there, Usd::ZERO, 1));
    desk.event(Event::Market(terms(KA)));
    assert_eq!(clusters(&desk), (here + there, Usd::ZERO, 1));
}
