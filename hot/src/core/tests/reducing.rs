//! Orders that reduce what is at risk: no budget stops them, they wait for the way to the venue to open, and only what
//! the venue itself answers counts as an attempt.

use super::*;
use crate::book::StaleWhy;
use crate::event::Oddity;
use crate::note::Code;
use crate::order::Purpose;
use crate::report::{Reject, Unsent};

/// Both legs of a pair sent, the first one filled: what is to be hedged, and the hedge.
fn on_one_leg(desk: &mut Desk) -> (Order, Order) {
    desk.gap();
    let first = desk.last_placed();
    desk.fill(&first, 30);
    let hedge = desk.last_placed();
    assert_eq!((hedge.purpose, hedge.market), (Purpose::Hedge, PM));
    (first, hedge)
}

/// 30 NO at Kalshi whose hedge the venue would not have: the sale that follows at once.
fn unwinding(desk: &mut Desk) -> Order {
    let (_, hedge) = on_one_leg(desk);
    desk.report(Report::Rejected { order: OrderRef::Id(hedge.id), why: Reject::Funds });
    let sale = desk.last_placed();
    assert_eq!((sale.purpose, sale.market, sale.price), (Purpose::Unwind, KA, price(48)));
    sale
}

fn count(desk: &Desk, purpose: Purpose) -> usize {
    desk.placed().iter().filter(|order| order.purpose == purpose).count()
}

#[test]
fn what_stops_opening_stops_neither_hedge_nor_unwind() {
    type Spoil = (&'static str, fn(&mut Desk));
    const fn link(venue: Venue, link: Link) -> Event {
        Event::Link { venue, link, number: LinkNumber::FIRST, up: false }
    }
    fn tighten(desk: &mut Desk, row: LimitRow, value: u64) {
        desk.control(Control::Limit { row, value });
    }
    fn spoil_ways(desk: &mut Desk, breaker_open: bool, tokens_short: bool) {
        for venue in Venue::ALL {
            desk.event(Event::Way { venue, breaker_open, tokens_short });
        }
    }
    let spoils: [Spoil; 19] = [
        ("rate", |desk| tighten(desk, LimitRow::OrdersPerMinute, 1)),
        ("rate of the market", |desk| tighten(desk, LimitRow::OrdersPerMinuteMarket, 0)),
        ("daily loss", |desk| tighten(desk, LimitRow::DailyLoss, 0)),
        ("exposure", |desk| tighten(desk, LimitRow::ExposureTotal, 1)),
        ("exposure of the market", |desk| tighten(desk, LimitRow::ExposureMarket, 1)),
        ("exposure of the cluster", |desk| tighten(desk, LimitRow::ExposureCluster, 1)),
        ("exposure of the venue", |desk| tighten(desk, LimitRow::ExposureVenue, 1)),
        ("position", |desk| tighten(desk, LimitRow::PositionQty, 1)),
        ("positions", |desk| tighten(desk, LimitRow::Positions, 0)),
        ("order size", |desk| tighten(desk, LimitRow::OrderQty, 1)),
        ("cash share", |desk| tighten(desk, LimitRow::CashPercent, 0)),
        ("cut-off", |desk| tighten(desk, LimitRow::CloseCutoffMs, 1_000_000_000_000)),
        ("old terms", |desk| {
            for market in [PM, KA] {
                desk.control(Control::TermsUnread { market });
            }
            desk.control(Control::Limit { row: LimitRow::MetadataAgeMs, value: 0 });
        }),
        ("breaker", |desk| spoil_ways(desk, true, false)),
        ("tokens", |desk| spoil_ways(desk, false, true)),
        ("clock", |desk| desk.control(Control::ClockError { error: Nanos::from_secs(1) })),
        ("unreconciled", |desk| {
            for venue in Venue::ALL {
                desk.control(Control::Reconciled { venue, clean: false });
            }
        }),
        ("links", |desk| {
            for venue in Venue::ALL {
                desk.event(link(venue, Link::Orders));
                desk.event(link(venue, Link::Private));
            }
        }),
        ("quarantine", |desk| {
            for market in [PM, KA] {
                let venue = terms(market).venue;
                let what = Oddity::Meaning;
                desk.event(Event::Odd { venue, market: Some(market), what });
            }
        }),
    ];
    for (name, spoil) in spoils {
        let mut desk = Desk::new();
        desk.gap();
        let first = desk.last_placed();
        spoil(&mut desk);
        desk.fill(&first, 30);
        let hedge = desk.last_placed();
        assert_eq!((hedge.purpose, hedge.qty), (Purpose::Hedge, qty(30)), "{name}");
        desk.report(Report::Rejected { order: OrderRef::Id(hedge.id), why: Reject::Funds });
        let sale = desk.last_placed();
        assert_eq!((sale.purpose, sale.qty), (Purpose::Unwind, qty(30)), "{name}");
        desk.fill(&sale, 30);
        assert_eq!(desk.group_states().last(), Some(&GroupState::Flat), "{name}");
        desk.now = desk.now.after(Nanos::from_secs(2_000));
        desk.gap();
        assert_eq!(count(&desk, Purpose::Leg), 1, "{name}: and it does stop opening");
    }
}

#[test]
fn a_hedge_still_needs_the_cash() {
    let mut desk = Desk::new();
    desk.gap();
    let first = desk.last_placed();
    // Told at the start of a run, this is the truth at once.
    let account = crate::ledger::CashAccount::of(Venue::Polymarket, 0);
    desk.core.money.correct_cash(account, crate::core::money::Figure::To(Usd::from_dollars(3)));
    desk.core.on_event(desk.now, &Event::Timer, &mut desk.out);
    desk.out.clear();
    desk.fill(&first, 30);
    assert_eq!(desk.last_placed().purpose, Purpose::Unwind);
}

#[test]
fn a_market_that_the_venue_has_paused_takes_no_sale_and_burns_no_attempt() {
    let mut desk = Desk::new();
    let (_, hedge) = on_one_leg(&mut desk);
    desk.event(Event::Status { market: KA, status: MarketStatus::Paused });
    desk.report(Report::Rejected { order: OrderRef::Id(hedge.id), why: Reject::Funds });
    for _ in 0..1_000 {
        desk.wait(Nanos::from_millis(20));
    }
    assert_eq!(count(&desk, Purpose::Unwind), 0);
    assert!(desk.core.stats().refusals < 30, "{} refusals in 20 s", desk.core.stats().refusals);
    desk.event(Event::Status { market: KA, status: MarketStatus::Open });
    desk.wait(Nanos::from_secs(1));
    let sale = desk.last_placed();
    assert_eq!(
        (sale.purpose, sale.price),
        (Purpose::Unwind, price(48)),
        "at the bid, nothing given away"
    );
    assert_eq!(desk.core.halted(), None);
}

#[test]
fn a_hedge_that_never_left_is_sent_again_when_the_way_is_open() {
    for why in [Unsent::Down, Unsent::Tokens, Unsent::Breaker, Unsent::WireLog] {
        let mut desk = Desk::new();
        let (_, hedge) = on_one_leg(&mut desk);
        let claimed = desk.core.stats().exposure;
        desk.report(Report::Unsent { order: hedge.id, why });
        assert_eq!(desk.last_placed(), hedge, "not at once");
        assert_eq!(desk.core.stats().exposure, claimed, "its cash stays held");
        desk.wait(Nanos::from_millis(60));
        let again = desk.last_placed();
        assert_eq!((again.purpose, again.price, again.qty), (Purpose::Hedge, hedge.price, qty(30)));
        assert_ne!(again.id, hedge.id);
        desk.fill(&again, 30);
        assert_eq!(desk.group_states().last(), Some(&GroupState::Hedged), "{why:?}");
        assert!(desk.core.is_idle());
    }
}

#[test]
fn a_hedge_is_tried_for_as_long_as_a_leg_may_take_and_then_its_partner_sold() {
    let mut desk = Desk::new();
    let (_, mut last) = on_one_leg(&mut desk);
    let began = desk.now;
    desk.report(Report::Unsent { order: last.id, why: Unsent::Breaker });
    while desk.last_placed().purpose == Purpose::Hedge {
        desk.wait(Nanos::from_millis(10));
        if desk.last_placed() != last {
            last = desk.last_placed();
            if last.purpose == Purpose::Hedge {
                desk.report(Report::Unsent { order: last.id, why: Unsent::Breaker });
            }
        }
        assert!(desk.now.since(began) < Nanos::from_secs(10));
    }
    let took = desk.now.since(began).millis();
    assert!((5_000..5_100).contains(&took), "{took} ms");
    assert!(count(&desk, Purpose::Hedge) <= 10, "{} hedges", count(&desk, Purpose::Hedge));
    let sale = desk.last_placed();
    assert_eq!((sale.purpose, sale.price, sale.qty), (Purpose::Unwind, price(48), qty(30)));
    desk.fill(&sale, 30);
    assert!(desk.core.is_idle());
}

#[test]
fn a_halt_while_a_hedge_waits_sells_its_partner_at_once() {
    let mut desk = Desk::new();
    let (_, hedge) = on_one_leg(&mut desk);
    desk.report(Report::Unsent { order: hedge.id, why: Unsent::Down });
    desk.control(Control::Halt { epoch: 2, why: HaltWhy::Operator });
    assert_eq!(desk.last_placed().purpose, Purpose::Unwind);
}

#[test]
fn an_unwind_that_never_left_costs_no_attempt_and_no_cent() {
    let mut desk = Desk::new();
    let mut sale = unwinding(&mut desk);
    for second in 0..60 {
        for _ in 0..100 {
            if desk.last_placed().id != sale.id || second == 0 {
                sale = desk.last_placed();
                desk.report(Report::Unsent { order: sale.id, why: Unsent::Breaker });
            }
            desk.wait(Nanos::from_millis(10));
        }
    }
    assert!((50..80).contains(&count(&desk, Purpose::Unwind)), "{}", count(&desk, Purpose::Unwind));
    assert_eq!(desk.core.halted(), None);
    let last = desk.last_placed();
    assert_eq!((last.price, last.qty), (price(48), qty(30)), "at the bid, as the first");
    desk.report(Report::Unsent { order: last.id, why: Unsent::Down });
    let placed = desk.placed().len();
    desk.event(Event::Link {
        venue: Venue::Kalshi,
        link: Link::Orders,
        number: LinkNumber::FIRST,
        up: true,
    });
    assert_eq!(desk.placed().len(), placed + 1, "the way is open: at once");
    let last = desk.last_placed();
    desk.fill(&last, 30);
    assert_eq!(desk.group_states().last(), Some(&GroupState::Flat));
}

#[test]
fn an_unwind_that_the_venue_never_knew_costs_no_attempt() {
    let mut desk = Desk::new();
    let sale = unwinding(&mut desk);
    desk.report(Report::TimedOut { order: sale.id });
    for _ in 0..4 {
        desk.wait(Nanos::from_secs(10));
        desk.report(Report::Absent { order: sale.id, venue: Venue::Kalshi });
    }
    desk.wait(Nanos::from_millis(100));
    let again = desk.last_placed();
    assert_ne!(again.id, sale.id);
    assert_eq!((again.purpose, again.price), (Purpose::Unwind, price(48)));
}

#[test]
fn refusals_that_a_lower_price_would_not_change_lower_none() {
    for (why, counts) in [(Reject::Other, true), (Reject::Rate, false), (Reject::Mode, false)] {
        let mut desk = Desk::new();
        let sale = unwinding(&mut desk);
        desk.report(Report::Rejected { order: OrderRef::Id(sale.id), why });
        desk.wait(Nanos::from_millis(600));
        let again = desk.last_placed();
        assert_ne!(again.id, sale.id);
        assert_eq!(again.price, price(48), "{why:?}");
        assert_eq!(desk.core.groups().iter().next().unwrap().attempts, u32::from(counts));
    }
}

/// 30 YES at Polymarket whose partner the other venue took back and will not sell again.
pub(super) fn unwinding_at_polymarket(desk: &mut Desk) -> Order {
    desk.gap();
    let first = desk.last_placed();
    let fill = desk.fill_of(&first, 30);
    desk.report(Report::Fill(fill));
    let hedge = desk.last_placed();
    desk.fill(&hedge, 30);
    desk.report(Report::Finality { fill: fill.fill, state: Finality::Failed });
    let again = desk.last_placed();
    desk.report(Report::Rejected { order: OrderRef::Id(again.id), why: Reject::Funds });
    let sale = desk.last_placed();
    assert_eq!((sale.market, sale.purpose, sale.price), (PM, Purpose::Unwind, price(38)));
    sale
}

#[test]
fn a_sale_refused_until_its_purchase_has_settled_waits_at_its_price() {
    for seconds in [2, 5, 15, 50] {
        let mut desk = Desk::new();
        let mut sale = unwinding_at_polymarket(&mut desk);
        let began = desk.now;
        while desk.now.since(began) < Nanos::from_secs(seconds) {
            desk.report(Report::Rejected { order: OrderRef::Id(sale.id), why: Reject::Funds });
            while desk.last_placed().id == sale.id {
                desk.wait(Nanos::from_millis(10));
            }
            sale = desk.last_placed();
        }
        assert_eq!((sale.price, sale.qty), (price(38), qty(30)), "{seconds} s");
        assert!(count(&desk, Purpose::Unwind) as u64 <= seconds + 7);
        desk.fill(&sale, 30);
        assert_eq!(desk.group_states().last(), Some(&GroupState::Flat));
        assert_eq!(desk.core.halted(), None);
        let stuck = desk.notes.iter().any(|note| {
            let place = note.place();
            note.code() == Code::Alarm(Alarm::GroupStuck)
                && (place.venue, place.market) == (Some(Venue::Kalshi), Some(KA))
                && place.group == Some(sale.group)
        });
        assert_eq!(stuck, seconds > 30, "and a person hears of it");
    }
}

#[test]
fn a_doubtful_book_prices_a_sale_from_its_last_bid() {
    let mut desk = Desk::new();
    let (_, hedge) = on_one_leg(&mut desk);
    desk.wait(Nanos::from_millis(10));
    desk.event(Event::Stale { market: KA, why: StaleWhy::Gap });
    desk.report(Report::Rejected { order: OrderRef::Id(hedge.id), why: Reject::Funds });
    let sale = desk.last_placed();
    assert_eq!((sale.purpose, sale.price), (Purpose::Unwind, price(48)));
}

#[test]
fn without_a_bid_it_waits_and_is_handed_to_a_person_in_the_end() {
    let mut desk = Desk::new();
    let (_, hedge) = on_one_leg(&mut desk);
    let assumed = desk.core.stats().leg_fail_ppm;
    desk.book(KA, &[(50, 30)], &[]);
    desk.report(Report::Rejected { order: OrderRef::Id(hedge.id), why: Reject::Funds });
    let began = desk.now;
    let mut alarmed = None;
    while desk.core.halted().is_none() {
        desk.wait(Nanos::from_secs(1));
        if alarmed.is_none() && desk.core.stats().alarms > 0 {
            alarmed = Some(desk.now.since(began).get() / 1_000_000_000);
        }
        assert!(desk.now.since(began) < Nanos::from_secs(700));
    }
    assert!(alarmed.is_some_and(|second| second <= 31));
    assert!((600..605).contains(&(desk.now.since(began).get() / 1_000_000_000)));
    assert_eq!(count(&desk, Purpose::Unwind), 0);
    assert_eq!(desk.core.halted(), Some(HaltWhy::Group));
    assert_eq!(desk.group_states().last(), Some(&GroupState::Operator));
    assert!(desk.core.stats().leg_fail_ppm > assumed, "the worst that a leg can do counts");

    // A bid that comes in time is taken at once.
    let mut desk = Desk::new();
    let (_, hedge) = on_one_leg(&mut desk);
    desk.book(KA, &[(50, 30)], &[]);
    desk.report(Report::Rejected { order: OrderRef::Id(hedge.id), why: Reject::Funds });
    desk.wait(Nanos::from_secs(500));
    desk.book(KA, &[(50, 30)], &[(55, 100)]);
    desk.wait(Nanos::from_millis(10));
    assert_eq!(desk.last_placed().price, price(45));
}

#[test]
fn a_sale_begins_at_the_bid_that_has_room_for_it_but_not_far_below_the_best() {
    // NO sells where YES is offered: the asks of YES, at the complement.
    let cases: [(&[(u16, u64)], u16); 9] = [
        (&[(52, 300)], 48),
        (&[(52, 10), (53, 20), (54, 300)], 47),
        (&[(52, 10), (54, 300)], 46),
        (&[(52, 10), (55, 10), (56, 300)], 44),
        // A hole in the book: six cents a contract may be given up on average, and so twelve by half of them.
        (&[(52, 15), (64, 300)], 36),
        (&[(52, 14), (64, 300)], 48),
        // Half of the best bid is the least, however little is sold for it.
        (&[(52, 29), (76, 300)], 24),
        (&[(52, 29), (77, 300)], 48),
        (&[(52, 10), (70, 300)], 48),
    ];
    for (asks, cents) in cases {
        let mut desk = Desk::new();
        let (_, hedge) = on_one_leg(&mut desk);
        desk.book(KA, &[(50, 30)], asks);
        desk.report(Report::Rejected { order: OrderRef::Id(hedge.id), why: Reject::Funds });
        assert_eq!(desk.last_placed().price, price(cents), "{asks:?}");
    }
}

/// What the group may lose bounds how far down the book it sells: at the price that may be, all that stands there goes at once.
#[test]
fn a_sale_goes_down_the_book_no_farther_than_the_group_may_lose() {
    for (value, cents) in [(25_000_000, 46), (2_000_000, 47), (1_800_000, 48)] {
        let mut desk = Desk::new();
        let (_, hedge) = on_one_leg(&mut desk);
        desk.control(Control::Limit { row: LimitRow::UnwindLoss, value });
        desk.book(KA, &[(50, 30)], &[(52, 10), (53, 10), (54, 300)]);
        desk.report(Report::Rejected { order: OrderRef::Id(hedge.id), why: Reject::Funds });
        let sale = desk.last_placed();
        assert_eq!((sale.purpose, sale.price), (Purpose::Unwind, price(cents)), "{value}");
    }
}

/// A sale that a halt stopped on its way is decided anew at once, whichever of both the core hears of first.
fn is_sold_under_the_halt(desk: &Desk, stopped: &Order) {
    let again = desk.last_placed();
    assert_ne!(again.id, stopped.id);
    assert_eq!((again.purpose, again.epoch, again.qty), (Purpose::Unwind, 2, stopped.qty));
    assert_eq!(desk.core.groups().iter().next().map(|group| group.attempts), Some(0));
}

#[test]
fn a_sale_that_a_halt_stopped_leaves_at_once_where_the_halt_is_known() {
    let mut desk = Desk::new();
    let sale = unwinding(&mut desk);
    desk.control(Control::Halt { epoch: 2, why: HaltWhy::Operator });
    assert_eq!(desk.last_placed(), sale, "it may have left");
    desk.report(Report::Unsent { order: sale.id, why: Unsent::Epoch });
    is_sold_under_the_halt(&desk, &sale);
}

#[test]
fn a_sale_that_a_halt_stopped_leaves_as_soon_as_the_halt_is_known() {
    let mut desk = Desk::new();
    let sale = unwinding(&mut desk);
    desk.report(Report::Unsent { order: sale.id, why: Unsent::Epoch });
    assert_eq!(desk.last_placed(), sale, "whatever were sent now would be stopped as well");
    desk.control(Control::Halt { epoch: 2, why: HaltWhy::Operator });
    is_sold_under_the_halt(&desk, &sale);
}

/// Two legs of a set bought, the third one refused: the first one's market is as `spoil` leaves it by then.
pub(super) fn two_legs_to_sell(spoil: impl Fn(&mut Desk)) -> Desk {
    let mut desk = Desk::new();
    let third = MarketId::new(2);
    desk.event(Event::Market(MarketDef { market: third, ..terms(KA) }));
    for (leg, market) in [KA, third, PM].into_iter().enumerate() {
        desk.event(Event::Basket(BasketDef {
            basket: BasketId::new(2),
            kind: BasketKind::ExclusiveYes,
            leg: leg as u8,
            legs: 3,
            market,
            outcome: Outcome::Yes,
            payout: 10_000,
            ratio: 1,
        }));
    }
    for market in [KA, third, PM] {
        desk.book(market, &[(28, 300)], &[(30, 30), (60, 100)]);
    }
    for _ in 0..2 {
        let order = desk.last_placed();
        desk.fill(&order, 30);
    }
    let last = desk.last_placed();
    assert_eq!(last.market, PM);
    spoil(&mut desk);
    desk.report(Report::Rejected { order: OrderRef::Id(last.id), why: Reject::Funds });
    desk
}

#[test]
fn two_legs_are_sold_one_right_after_the_other() {
    let mut desk = two_legs_to_sell(|_| ());
    let began = desk.now;
    for _ in 0..2 {
        let sale = desk.last_placed();
        assert_eq!((sale.purpose, sale.qty), (Purpose::Unwind, qty(30)));
        desk.fill(&sale, 30);
    }
    assert_eq!(desk.group_states().last(), Some(&GroupState::Flat));
    assert!(desk.now.since(began) < Nanos::from_millis(1), "each leg's first sale leaves at once");
}

/// Tokens that are back are told by no link: what waited for them leaves before anything that opens.
#[test]
fn a_sale_that_waited_for_tokens_or_the_breaker_leaves_at_once_when_they_are_back() {
    for (breaker_open, tokens_short, why) in
        [(true, false, Unsent::Breaker), (false, true, Unsent::Tokens)]
    {
        let mut desk = Desk::new();
        let mut sale = unwinding(&mut desk);
        let venue = Venue::Kalshi;
        desk.event(Event::Way { venue, breaker_open, tokens_short });
        for _ in 0..10 {
            desk.report(Report::Unsent { order: sale.id, why });
            let placed = desk.placed().len();
            desk.event(Event::Way { venue, breaker_open, tokens_short });
            assert_eq!(desk.placed().len(), placed, "it is as it was: the sale waits");
            while desk.last_placed().id == sale.id {
                desk.wait(Nanos::from_millis(10));
            }
            sale = desk.last_placed();
        }
        desk.report(Report::Unsent { order: sale.id, why });
        desk.event(Event::Way { venue, breaker_open: false, tokens_short: false });
        let again = desk.last_placed();
        assert_ne!(again.id, sale.id, "{why:?}");
        assert_eq!((again.purpose, again.price, again.qty), (Purpose::Unwind, price(48), qty(30)));
        assert_eq!(desk.core.groups().iter().next().map(|group| group.attempts), Some(0));
    }
}
