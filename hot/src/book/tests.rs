use super::*;
use crate::event::Event;
use crate::ids::{MarketId, Venue};
use crate::links::LinkNumber;
use crate::market::MarketStatus;
use Applied::{Deep, Pending, Top, Unchanged};

const M: MarketId = MarketId::new(3);
const T: Nanos = Nanos::new(7);

fn px(ticks: u16) -> Price {
    Price::from_ticks(ticks).unwrap()
}

fn n(contracts: u64) -> Qty {
    Qty::from_contracts(contracts)
}

fn terms(step: u16) -> MarketDef {
    MarketDef { grid: Grid::uniform(step).unwrap(), ..MarketDef::bare(M, Venue::Kalshi) }
}

fn level(side: Side, ticks: u16, change: Change, last: bool) -> Event {
    Event::Level(Level { market: M, side, price: px(ticks), change, last })
}

fn set(side: Side, ticks: u16, contracts: u64) -> Event {
    level(side, ticks, Change::Set(n(contracts)), true)
}

fn top(bid: u16, ask: u16) -> Event {
    Event::Top { market: M, bid: Some(px(bid)), ask: Some(px(ask)), last: false }
}

fn mirror(side: Side, ticks: u16, contracts: u64) -> Event {
    Event::Mirror { market: M, side, price: px(ticks), qty: n(contracts) }
}

const BEGIN: Event =
    Event::SnapshotBegin { market: M, link: LinkNumber::FIRST, venue_time: Nanos::ZERO };
const END: Event = Event::SnapshotEnd { market: M };

/// Good, with bids 10 @ 0.47 and 20 @ 0.46, asks 10 @ 0.49 and 20 @ 0.50.
fn good() -> Book {
    let mut book = Book::new(terms(100));
    let levels = [
        set(Side::Bid, 4_600, 20),
        set(Side::Bid, 4_700, 10),
        set(Side::Ask, 4_900, 10),
        set(Side::Ask, 5_000, 20),
    ];
    assert_eq!(book.apply(T, &BEGIN), Pending);
    for event in levels {
        assert_eq!(book.apply(T, &event), Pending);
        assert!(!book.is_good());
    }
    assert_eq!(book.apply(T, &END), Top);
    assert!(book.is_good());
    book
}

#[test]
fn changes_are_told_by_what_a_decision_can_see() {
    let mut book = good();
    let cases = [
        (set(Side::Bid, 4_500, 5), Deep),
        (set(Side::Bid, 4_500, 5), Unchanged),
        (set(Side::Bid, 4_700, 11), Top),
        (level(Side::Bid, 4_600, Change::Take(n(20)), true), Deep),
        (level(Side::Ask, 4_900, Change::Take(n(10)), true), Top),
        (level(Side::Ask, 5_000, Change::Add(n(1)), true), Top),
        (level(Side::Bid, 4_800, Change::Set(n(1)), false), Pending),
        (set(Side::Bid, 4_500, 6), Top), // the frame as a whole moved the top
    ];
    for (event, want) in cases {
        assert_eq!(book.apply(T, &event), want, "{event:?}");
    }
    assert_eq!(book.best(Side::Bid), Some((px(4_800), n(1))));
    assert_eq!(book.best(Side::Ask), Some((px(5_000), n(21))));
}

#[test]
fn what_cannot_be_true_makes_it_stale_until_a_snapshot() {
    let cases = [
        (level(Side::Bid, 4_700, Change::Take(n(11)), true), StaleWhy::Level),
        (level(Side::Bid, 4_500, Change::Take(n(1)), true), StaleWhy::Level),
        (level(Side::Bid, 4_700, Change::Add(QTY_MAX), true), StaleWhy::Level),
        (level(Side::Bid, 4_700, Change::Add(Qty::from_micros(u64::MAX)), true), StaleWhy::Level),
        (set(Side::Bid, 4_750, 1), StaleWhy::Level),
        (set(Side::Bid, 0, 1), StaleWhy::Level),
        (set(Side::Ask, 10_000, 1), StaleWhy::Level),
        (Event::Stale { market: M, why: StaleWhy::Gap }, StaleWhy::Gap),
        (Event::GridChange { market: M, grid: Grid::uniform(10).unwrap() }, StaleWhy::Grid),
    ];
    for (event, why) in cases {
        let mut book = good();
        assert_eq!(book.apply(T, &event), Applied::Stale(why), "{event:?}");
        assert_eq!(book.sync(), Sync::Stale { why, since: T });
        let before: Vec<_> = book.levels(Side::Bid).collect();
        assert_eq!(book.apply(T, &set(Side::Bid, 4_500, 9)), Unchanged, "a change is ignored");
        assert_eq!(book.apply(T, &END), Unchanged, "so is an end without a beginning");
        assert_eq!(book.levels(Side::Bid).collect::<Vec<_>>(), before);
        assert!(!book.is_good());
        let epoch = book.epoch();
        book.apply(T, &BEGIN);
        assert_eq!(book.levels(Side::Bid).next(), None);
        assert_eq!(book.apply(T, &END), Top, "an empty market is a good book");
        assert!(book.is_good() && book.epoch() == epoch + 1);
    }
}

#[test]
fn a_frame_may_cross_inside_but_not_at_its_end() {
    let mut book = good();
    assert_eq!(book.apply(T, &level(Side::Bid, 4_900, Change::Set(n(5)), false)), Pending);
    assert!(!book.is_good(), "nothing is decided in the middle");
    assert_eq!(book.apply(T, &set(Side::Ask, 4_900, 0)), Top);
    assert_eq!(book.best(Side::Ask), Some((px(5_000), n(20))));
}

#[test]
fn a_crossed_or_broken_snapshot_is_refused() {
    let mut book = Book::new(terms(100));
    for event in [BEGIN, set(Side::Bid, 5_000, 1), set(Side::Ask, 4_900, 1)] {
        assert_eq!(book.apply(T, &event), Pending);
    }
    assert_eq!(book.apply(T, &END), Applied::Stale(StaleWhy::Crossed));
    book.apply(T, &BEGIN);
    assert_eq!(book.apply(T, &set(Side::Bid, 5_001, 1)), Applied::Stale(StaleWhy::Level));
    assert_eq!(book.apply(T, &set(Side::Bid, 5_000, 1)), Unchanged);
    assert_eq!(book.apply(T, &END), Unchanged);
    assert!(!book.is_good());
}

#[test]
fn checks_inside_a_frame_are_judged_at_its_end() {
    let frames: [(&[Event], Applied); 6] = [
        (
            &[
                level(Side::Bid, 4_800, Change::Set(n(1)), false),
                top(4_800, 4_900),
                set(Side::Bid, 4_500, 1),
            ],
            Top,
        ),
        (
            &[
                level(Side::Bid, 4_500, Change::Set(n(1)), false),
                top(4_800, 4_900),
                set(Side::Bid, 4_800, 1),
            ],
            Top,
        ),
        (
            &[
                level(Side::Bid, 4_500, Change::Set(n(1)), false),
                top(4_800, 4_900),
                set(Side::Bid, 4_500, 2),
            ],
            Top, // in doubt, below
        ),
        (
            &[
                level(Side::Bid, 4_500, Change::Set(n(1)), false),
                mirror(Side::Ask, 5_100, 4),
                set(Side::Ask, 5_100, 4),
            ],
            Deep,
        ),
        (
            &[
                level(Side::Bid, 4_500, Change::Set(n(1)), false),
                mirror(Side::Ask, 5_100, 4),
                set(Side::Ask, 5_100, 5),
            ],
            Top,
        ),
        (
            &[
                level(Side::Bid, 4_500, Change::Set(n(1)), false),
                mirror(Side::Ask, 5_150, 0),
                set(Side::Ask, 5_100, 5),
            ],
            Top, // off the grid: it cannot agree
        ),
    ];
    for ((events, want), left) in frames.into_iter().zip([
        None,
        None,
        Some(StaleWhy::Top),
        None,
        Some(StaleWhy::Mirror),
        Some(StaleWhy::Mirror),
    ]) {
        let mut book = good();
        let (last, before) = events.split_last().unwrap();
        for event in before {
            assert_eq!(book.apply(T, event), Pending);
        }
        assert_eq!(book.apply(T, last), want, "{events:?}");
        assert_eq!(book.is_good(), left.is_none(), "{events:?}");
        assert_eq!(book.on_time(T.after(DOUBT_NS_MAX)), left, "{events:?}");
    }
}

#[test]
fn a_book_that_is_crossed_for_a_moment_decides_nothing_and_is_good_again_by_itself() {
    for (first, second) in [
        (set(Side::Bid, 4_900, 5), set(Side::Ask, 4_900, 0)), // locked, then the ask goes
        (set(Side::Ask, 4_600, 5), set(Side::Bid, 4_700, 0)), // crossed by two levels
    ] {
        let mut book = good();
        assert_eq!(book.apply(T, &first), Top, "usable no more");
        assert!(!book.is_good() && book.sync() == Sync::Good);
        let mut left = book.clone();
        let soon = Nanos::new(T.get() + 2_000_000);
        assert_eq!(book.apply(soon, &second), Top);
        let uncrossed = matches!(second, Event::Level(level) if level.side == Side::Ask);
        assert_eq!(book.is_good(), uncrossed, "the bid at 46 still meets the ask");
        if !uncrossed {
            assert_eq!(book.apply(soon, &set(Side::Bid, 4_600, 0)), Top);
            assert!(book.is_good());
        }
        let late = T.after(DOUBT_NS_MAX);
        assert_eq!(left.apply(late, &set(Side::Bid, 100, 5)), Applied::Stale(StaleWhy::Crossed));
    }
}

#[test]
fn a_sweep_told_in_two_frames_that_state_the_same_end_costs_nothing() {
    let mut book = good();
    let frame = |side, ticks, bid, ask| {
        let tops = Event::Top { market: M, bid: Some(px(bid)), ask: Some(px(ask)), last: true };
        [level(side, ticks, Change::Set(n(0)), false), tops]
    };
    book.apply(T, &set(Side::Ask, 5_100, 7));
    let [change, tops] = frame(Side::Ask, 4_900, 4_700, 5_100);
    assert_eq!((book.apply(T, &change), book.apply(T, &tops)), (Pending, Top));
    assert!(!book.is_good(), "the ask at 50 is about to go");
    let [change, tops] = frame(Side::Ask, 5_000, 4_700, 5_100);
    assert_eq!((book.apply(T, &change), book.apply(T, &tops)), (Pending, Top));
    assert!(book.is_good());
    assert_eq!(book.best(Side::Ask), Some((px(5_100), n(7))));
}

#[test]
fn many_mirrors_wait_for_one_frame_and_no_more_than_fit() {
    let mut book = good();
    book.apply(T, &level(Side::Bid, 100, Change::Set(n(1)), false));
    for ticks in (200..=900).step_by(100) {
        assert_eq!(book.apply(T, &mirror(Side::Bid, ticks, 1)), Pending);
    }
    let mut full = book.clone();
    assert_eq!(full.apply(T, &mirror(Side::Bid, 1_000, 1)), Applied::Stale(StaleWhy::Mirror));
    for ticks in (200..=900).step_by(100) {
        book.apply(T, &level(Side::Bid, ticks, Change::Set(n(1)), false));
    }
    assert_eq!(
        book.apply(T, &mirror(Side::Bid, 1_000, 1)),
        Pending,
        "those that came true made room"
    );
    assert_eq!(book.apply(T, &set(Side::Bid, 1_000, 1)), Deep);
    assert!(book.is_good());
}

#[test]
fn a_statement_ahead_of_its_frame_is_a_doubt_that_the_frame_clears() {
    let mut book = good();
    assert_eq!(book.apply(T, &top(4_700, 4_900)), Unchanged);
    assert_eq!(book.apply(T, &top(4_800, 4_900)), Top, "not usable from here");
    assert!(!book.is_good() && book.sync() == Sync::Good);
    assert_eq!(book.apply(T, &set(Side::Bid, 4_500, 1)), Deep, "another change in between");
    assert!(!book.is_good());
    assert_eq!(book.apply(T, &set(Side::Bid, 4_800, 1)), Top);
    assert!(book.is_good());
    assert_eq!(book.apply(T, &mirror(Side::Bid, 4_800, 2)), Top);
    assert!(!book.is_good());
    assert_eq!(book.apply(T, &mirror(Side::Bid, 4_800, 1)), Top, "a newer statement replaces it");
    assert!(book.is_good());
}

#[test]
fn a_doubt_that_lasts_is_a_stale_book() {
    let mut books = Books::new();
    for event in [Event::Market(terms(100)), BEGIN, set(Side::Bid, 4_700, 1), END] {
        books.apply(T, &event);
    }
    assert_eq!(books.apply(T, &top(4_800, 4_900)), Top);
    let late = T.after(DOUBT_NS_MAX);
    assert_eq!(books.poll_overdue(Nanos::new(late.get() - 1)), None);
    assert_eq!(books.poll_overdue(late), Some((M, StaleWhy::Top)));
    assert_eq!(books.poll_overdue(late), None);
    assert_eq!(books.get(M).unwrap().sync(), Sync::Stale { why: StaleWhy::Top, since: late });
}

#[test]
fn a_snapshot_ends_every_doubt_and_judges_its_own_statements() {
    let mut book = good();
    book.apply(T, &top(4_800, 4_900));
    assert_eq!(book.apply(T, &BEGIN), Top);
    assert_eq!(book.apply(T, &set(Side::Bid, 4_600, 1)), Pending);
    assert_eq!(
        book.apply(T, &Event::Top { market: M, bid: Some(px(4_600)), ask: None, last: false }),
        Pending
    );
    assert_eq!(book.apply(T, &END), Top);
    assert!(book.is_good());
    for event in [BEGIN, Event::Top { market: M, bid: Some(px(4_600)), ask: None, last: false }] {
        book.apply(T, &event);
    }
    assert_eq!(book.apply(T, &END), Applied::Stale(StaleWhy::Top));
}

#[test]
fn no_is_the_complement_of_yes() {
    let book = good();
    assert_eq!(book.best_ask_for(Outcome::Yes), Some((px(4_900), n(10))));
    assert_eq!(book.best_ask_for(Outcome::No), Some((px(5_300), n(10))));
    assert_eq!(book.best_bid_for(Outcome::No), Some((px(5_100), n(10))));
    let no: Vec<_> = book.asks_for(Outcome::No).collect();
    assert_eq!(no, [(px(5_300), n(10)), (px(5_400), n(20))], "cheapest first");
    let no: Vec<_> = book.bids_for(Outcome::No).collect();
    assert_eq!(no, [(px(5_100), n(10)), (px(5_000), n(20))], "dearest first");
}

#[test]
fn a_finer_grid_and_new_terms() {
    let mut book = good();
    assert_eq!(book.apply(T, &Event::Market(terms(100))), Unchanged);
    assert!(book.is_good(), "the same grid again keeps the book");
    assert_eq!(book.apply(T, &Event::Market(terms(10))), Applied::Stale(StaleWhy::Grid));
    for event in [BEGIN, set(Side::Bid, 4_710, 3), set(Side::Ask, 9_990, 4)] {
        book.apply(T, &event);
    }
    assert_eq!(book.apply(T, &END), Top);
    assert_eq!(book.best(Side::Bid), Some((px(4_710), n(3))));
    assert_eq!(book.best(Side::Ask), Some((px(9_990), n(4))));
}

#[test]
fn a_lost_link_or_a_restart_makes_every_book_of_it_stale() {
    use crate::event::{Control, Link};
    let mut books = Books::new();
    let mut other = terms(100);
    other.market = MarketId::new(4);
    other.venue = Venue::Polymarket;
    for event in [Event::Market(terms(100)), Event::Market(other), BEGIN, END] {
        books.apply(T, &event);
    }
    let (m, o) = (M, other.market);
    assert_eq!(books.health(Venue::Kalshi), (1, 1));
    let down = Event::Link {
        venue: Venue::Kalshi,
        link: Link::Market,
        number: LinkNumber::FIRST,
        up: false,
    };
    assert_eq!(books.apply(T, &down), Applied::Many);
    assert_eq!(books.apply(T, &down), Unchanged);
    assert_eq!(books.get(m).unwrap().sync(), Sync::Stale { why: StaleWhy::Link, since: T });
    assert_eq!(books.get(o).unwrap().sync(), Sync::Fresh);
    let start = Event::Control(Control::Start { epoch: 1, first_order: 1 });
    assert_eq!(books.apply(T, &start), Applied::Many);
    assert_eq!(books.get(o).unwrap().sync(), Sync::Stale { why: StaleWhy::Restart, since: T });
    let unknown = Event::SnapshotEnd { market: MarketId::new(5) };
    assert_eq!(books.apply(T, &unknown), Unchanged);
}

#[test]
fn a_top_that_ends_its_frame_is_held_against_the_book_before_anything_is_decided() {
    let mut book = good();
    let open = Event::Level(Level {
        market: M,
        side: Side::Bid,
        price: px(4_700),
        change: Change::Set(Qty::from_contracts(5)),
        last: false,
    });
    assert_eq!(book.apply(T, &open), Pending);
    let wrong = Event::Top { market: M, bid: Some(px(4_800)), ask: Some(px(4_900)), last: true };
    assert_eq!(book.apply(T, &wrong), Top, "in doubt");
    assert!(!book.is_good());
    assert_eq!(book.on_time(T.after(DOUBT_NS_MAX)), Some(StaleWhy::Top));
}

/// Two books get the same events, and one of them never takes the short way. Both answer alike, and each is what the other is,
/// every field and every word of it.
#[test]
fn the_short_way_of_a_change_ends_where_the_long_one_does() {
    let mut seed = 5_u64;
    let mut draw = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let (mut short, mut long) = (good(), good());
    let (mut now, mut shorter) = (T, 0);
    for step in 0..12_000 {
        now = now.after(Nanos::from_millis(1));
        let qty = if draw(400) == 0 { QTY_MAX } else { n(draw(4)) };
        let change = match draw(8) {
            0 => Change::Add(qty),
            1 => Change::Take(n(draw(2))),
            _ if draw(300) == 0 => Change::Set(Qty::from_micros(QTY_MAX.micros() + 1)),
            _ => Change::Set(qty),
        };
        let side = Side::ALL[draw(2) as usize];
        let nearest = [4_800 - 100 * draw(3) as u16, 4_900][side.index()];
        let away = if draw(300) == 0 { 150 } else { 100 * draw(12) as u16 };
        let ticks = [nearest - away, nearest + away][side.index()];
        let event = match draw(80) {
            0 => BEGIN,
            1..=8 => END,
            _ if matches!(short.sync(), Sync::Stale { .. }) && draw(4) == 0 => BEGIN,
            9 => top(4_700, 4_900),
            10 => mirror(side, ticks, draw(4)),
            _ => level(side, ticks, change, draw(4) > 0),
        };
        if let Event::Level(level) = event {
            shorter += usize::from(short.clone().set_behind(&level).is_some());
            let (one, other) = (short.on_level(now, &level), long.on_any_level(now, &level));
            assert_eq!(one, other, "step {step}: {level:?}");
        } else {
            assert_eq!(short.apply(now, &event), long.apply(now, &event));
        }
        if draw(8) > 0 {
            (short.refile, long.refile) = (false, false); // it was filed
        }
        assert_eq!(format!("{short:?}"), format!("{long:?}"), "step {step}: {event:?}");
    }
    assert!(shorter > 500, "{shorter} changes went the short way");
}

#[test]
fn what_is_asked_of_all_books_is_kept_as_each_changes() {
    use crate::event::{Control, Link};
    const MARKETS: u16 = 70;
    let mut books = Books::new();
    let mut seed = 3_u64;
    let mut draw = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let (mut well, mut doubted, mut overdue) = (0, 0, 0);
    let mut now = T;
    for _ in 0..40_000 {
        now = now.after(Nanos::from_millis(1));
        let market = MarketId::new(draw(u64::from(MARKETS)) as u16);
        // Once in a while a market is told to be another venue's.
        let moved = u16::from(draw(50) == 0);
        let venue = Venue::ALL[usize::from(market.get() + moved) % 2];
        let link = LinkNumber::new(draw(3) as usize).unwrap();
        let level = |side, ticks: u16, qty: u64, last| {
            let change = Change::Set(Qty::from_contracts(qty));
            Event::Level(Level { market, side, price: px(ticks), change, last })
        };
        let event = match draw(100) {
            0..=2 => Event::Market(MarketDef { market, venue, ..terms(100) }),
            3..=11 => Event::SnapshotBegin { market, link, venue_time: now },
            12..=29 => Event::SnapshotEnd { market },
            30 => Event::Stale { market, why: StaleWhy::Gap },
            31 => Event::GridChange { market, grid: Grid::uniform(100).unwrap() },
            32..=33 => Event::Status { market, status: MarketStatus::Open },
            34..=44 => {
                let (bid, ask) = (Some(px(4_700)), Some(px(4_900)));
                Event::Top { market, bid, ask, last: draw(2) == 0 }
            }
            45..=49 => {
                let (price, qty) = (px(4_700), Qty::from_contracts(draw(2)));
                Event::Mirror { market, side: Side::Bid, price, qty }
            }
            50..=71 => level(Side::Bid, 4_500 + 100 * draw(3) as u16, draw(3), draw(4) > 0),
            72..=97 => level(Side::Ask, 4_700 + 100 * draw(3) as u16, draw(3), draw(4) > 0),
            98 if draw(20) == 0 => Event::StaleAll { venue, link, why: StaleWhy::Decode },
            98 if draw(20) == 0 => {
                Event::Link { venue, link: Link::Market, number: link, up: false }
            }
            99 if draw(60) == 0 => Event::Control(Control::Start { epoch: 1, first_order: 1 }),
            _ => level(Side::Bid, 4_500, 1, true),
        };
        books.apply(now, &event);
        while books.poll_overdue(now).is_some() {
            overdue += 1;
        }
        books.check_lists();
        well += Venue::ALL.map(|venue| books.health(venue).1).iter().sum::<usize>();
        doubted += books.iter().filter(|(_, book)| book.doubted_since().is_some()).count();
        let mut waiting = MarketId::new(0);
        while let Some(market) = books.next_waiting(waiting) {
            let sync = books.get(market).unwrap().sync();
            assert!(matches!(sync, Sync::Fresh | Sync::Stale { .. }), "{sync:?}");
            waiting = MarketId::new(market.get() + 1);
        }
    }
    assert!(well > 40_000 && doubted > 4_000 && overdue > 100, "{well} {doubted} {overdue}");
}

#[test]
fn a_link_that_goes_down_costs_its_own_books_alone() {
    use crate::event::Link;
    let mut books = Books::new();
    let link = |number| LinkNumber::new(number).unwrap();
    let market = MarketId::new;
    let of = |at: u16| MarketDef { market: market(at), venue: Venue::ALL[0], ..terms(100) };
    let mut apply = |event: Event| books.apply(T, &event);
    let snapshot = |at, number| {
        [
            Event::SnapshotBegin { market: market(at), link: link(number), venue_time: T },
            Event::SnapshotEnd { market: market(at) },
        ]
    };
    for at in 0..6 {
        apply(Event::Market(of(at)));
        for event in snapshot(at, usize::from(at % 2)) {
            apply(event);
        }
    }
    for event in snapshot(2, 1) {
        apply(event); // it is read over the other link from here
    }
    apply(Event::Market(MarketDef { venue: Venue::ALL[1], ..of(4) })); // it is another venue's
    let down = |venue, number| Event::Link { venue, link: Link::Market, number, up: false };
    assert_eq!(apply(down(Venue::ALL[0], link(0))), Applied::Many);
    let good = |books: &Books| -> Vec<u16> {
        books.iter().filter(|(_, book)| book.is_good()).map(|(market, _)| market.get()).collect()
    };
    assert_eq!(good(&books), [1, 2, 3, 4, 5]);
    books.unfollow(market(5));
    books.check_lists();
    assert_eq!(books.apply(T, &down(Venue::ALL[1], link(0))), Applied::Many);
    assert_eq!(good(&books), [1, 2, 3]);
    assert_eq!(books.apply(T, &down(Venue::ALL[0], link(1))), Applied::Many);
    assert!(good(&books).is_empty());
    assert_eq!(books.apply(T, &down(Venue::ALL[0], link(1))), Unchanged);
    books.check_lists();
}

#[test]
fn a_market_that_is_moved_to_a_finer_grid_takes_shared_room() {
    let mut books = Books::new();
    for event in [Event::Market(terms(100)), BEGIN, set(Side::Bid, 4_700, 1), END] {
        books.apply(T, &event);
    }
    let grid = |step| Grid::uniform(step).unwrap();
    assert!(!books.get(M).unwrap().has_room_for(grid(10)), "a grid of cents has cents' room");
    let finer = Event::GridChange { market: M, grid: grid(10) };
    assert_eq!(books.apply(T, &finer), Applied::Stale(StaleWhy::Grid));
    let book = books.get(M).unwrap();
    assert_eq!((book.levels(Side::Bid).count(), book.has_room_for(grid(10))), (0, true));
    let room = book.ladders[0].room();
    for event in [BEGIN, set(Side::Bid, 4_710, 3), set(Side::Ask, 9_990, 4), END] {
        books.apply(T, &event);
    }
    assert_eq!(books.get(M).unwrap().best(Side::Bid), Some((px(4_710), n(3))));
    // Back and forth it keeps what it has.
    books.apply(T, &Event::Market(terms(100)));
    books.apply(T, &Event::Market(terms(10)));
    assert_eq!(books.get(M).unwrap().ladders[0].room(), room);
}

#[test]
fn a_book_takes_no_more_memory_than_it_says() {
    let banded = Grid::banded(1_000, 9_000, 10, 100, 10).unwrap();
    for (grid, most) in [
        (Grid::uniform(100).unwrap(), 4 << 10),
        (banded, 8 << 10),
        (Grid::uniform(10).unwrap(), 40 << 10),
        (Grid::uniform(1).unwrap(), 320 << 10),
    ] {
        let made = Book::new(MarketDef { grid, ..terms(100) });
        let given = Book::in_room(MarketDef { grid, ..terms(100) }, BookRoom::new(grid));
        for book in [made, given] {
            let heap: usize = book.ladders.iter().map(Ladder::heap_bytes).sum();
            let bytes = size_of::<Book>() + size_of::<Rest>() + heap;
            assert!(bytes <= most, "{bytes} bytes on {:?}", grid.parts());
        }
    }
}

#[test]
fn a_larger_room_serves_a_smaller_grid_without_being_written() {
    let room = BookRoom::new(Grid::uniform(1).unwrap());
    let places: Vec<_> = room.ladders.iter().map(Ladder::heap_bytes).collect();
    let mut book = Book::in_room(terms(100), room);
    assert!(book.ladders.iter().map(Ladder::heap_bytes).eq(places), "it is the same memory");
    for event in [BEGIN, set(Side::Bid, 4_700, 1), set(Side::Ask, 9_900, 4), END] {
        book.apply(T, &event);
    }
    assert_eq!(book.best(Side::Bid), Some((px(4_700), n(1))));
    assert_eq!(book.best(Side::Ask), Some((px(9_900), n(4))));
    assert_eq!(book.apply(T, &set(Side::Ask, 4_800, 2)), Top);
    assert_eq!(book.levels(Side::Ask).count(), 2);
}

#[test]
fn every_reason_for_which_a_book_was_stale_is_counted() {
    let mut books = Books::new();
    books.apply(T, &Event::Market(terms(100)));
    let mut of = |events: &[Event]| {
        for event in events {
            books.apply(T, event);
        }
        books.check_lists();
        books.stale_worst().iter().next().map(|worst| worst.reasons().collect::<Vec<_>>())
    };
    let stale = |why| Event::Stale { market: M, why };
    assert_eq!(of(&[BEGIN, END]), None);
    assert_eq!(of(&[stale(StaleWhy::Gap)]), Some(vec![(StaleWhy::Gap, 1)]));
    assert_eq!(
        of(&[stale(StaleWhy::Hash)]),
        Some(vec![(StaleWhy::Gap, 1)]),
        "it was stale already"
    );
    let link = Event::Link {
        venue: Venue::Kalshi,
        link: crate::event::Link::Market,
        number: LinkNumber::FIRST,
        up: false,
    };
    let again = [BEGIN, END, stale(StaleWhy::Gap), BEGIN, END, link];
    assert_eq!(of(&again), Some(vec![(StaleWhy::Gap, 2), (StaleWhy::Link, 1)]));
}

#[test]
fn best_prices_stated_ahead_of_a_change_have_as_long_as_a_doubt_to_come_true() {
    let stated = |bid, ask| Event::Stated { market: M, bid: Some(px(bid)), ask: Some(px(ask)) };
    let (begin, late) = (set(Side::Bid, 4_700, 1), T.after(DOUBT_NS_MAX));
    for (events, why) in [
        (vec![stated(4_700, 4_900)], None),
        (vec![stated(4_800, 4_900)], Some(StaleWhy::Top)),
        // Its change came.
        (vec![stated(4_800, 4_900), set(Side::Bid, 4_800, 1)], None),
        // It came, and the next one after it.
        (vec![stated(4_800, 4_900), set(Side::Bid, 4_800, 1), set(Side::Bid, 4_800, 0)], None),
        // A burst: the statements run ahead, and the last one comes true.
        (
            vec![stated(4_800, 4_900), stated(4_600, 4_900), set(Side::Bid, 4_800, 1)],
            Some(StaleWhy::Top),
        ),
        (vec![stated(4_800, 4_900), stated(4_600, 4_900), set(Side::Bid, 4_700, 0)], None),
        // Another change explains nothing.
        (vec![stated(4_800, 4_900), set(Side::Bid, 4_600, 7)], Some(StaleWhy::Top)),
        // A fresh snapshot ends it.
        (vec![stated(4_800, 4_900), BEGIN, END], None),
    ] {
        let mut books = Books::new();
        let whole = [set(Side::Bid, 4_600, 1), begin, set(Side::Ask, 4_900, 1)];
        for event in [Event::Market(terms(100)), BEGIN].iter().chain(&whole).chain([&END]) {
            books.apply(T, event);
        }
        for event in &events {
            books.apply(T, event);
            books.check_lists();
            assert!(!matches!(books.get(M).unwrap().sync(), Sync::Stale { .. }));
        }
        assert!(books.get(M).unwrap().is_good(), "it puts nothing in doubt while it waits");
        assert_eq!(books.poll_overdue(Nanos::new(late.get() - 1)), None);
        assert_eq!(books.poll_overdue(late), why.map(|why| (M, why)), "{events:?}");
    }
}
