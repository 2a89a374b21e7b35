//! Each row of the table alone: its words, and what it holds back.

use surefoot_hot::ids::Venue;

use super::*;

const VENUE: VenueSigns = VenueSigns {
    links: 2,
    links_up: 2,
    links_lost: 0,
    markets: 9,
    good: 1,
    quarantined: 0,
    exec: WAY,
    refused: 0,
    mode: VenueMode::Open,
    strange: 0,
    unknown: 0,
};
const WAY: ExecFigures = ExecFigures {
    connected: true,
    breaker_open: false,
    turned_away: None,
    credentials_refused: false,
    beats_missed: 0,
    core_still: false,
    cancelling_all: false,
    unlogged: 0,
};

fn on_the_way(exec: ExecFigures) -> Signs {
    at_kalshi(VenueSigns { exec, ..VENUE })
}

fn good() -> Signs {
    Signs {
        open: true,
        agreed: true,
        compared: Some(COMPARED_WITHIN),
        venues: PerVenue::from_fn(|venue| match venue {
            Venue::Polymarket => VENUE,
            Venue::Kalshi => VenueSigns { markets: 0, good: 0, ..VENUE },
        }),
        ..Signs::default()
    }
}

fn with(change: impl Fn(&mut Signs)) -> Signs {
    let mut signs = good();
    change(&mut signs);
    signs
}

fn at_kalshi(kalshi: VenueSigns) -> Signs {
    with(|signs| signs.venues[Venue::Kalshi] = kalshi)
}

/// Every row with signs in which it alone is found, its words, and at which venues it holds new baskets.
fn cases() -> Vec<(&'static str, Signs, &'static str, PerVenue<bool>)> {
    let (none, all) = (PerVenue::all(false), PerVenue::all(true));
    let kalshi = PerVenue::from_fn(|venue| venue == Venue::Kalshi);
    let late = COMPARED_WITHIN + Duration::from_secs(1);
    vec![
        ("hot_thread_dead", with(|s| s.dead = Some("core")), "the core thread is dead", all),
        ("hot_thread_still", with(|s| s.still = Some("feed")), "the feed thread stands still", all),
        ("directory", with(|s| s.directory = Some("gone".into())), "gone", all),
        (
            "journal",
            with(|s| s.journal = Some("full".into())),
            "the journal cannot be written: full",
            all,
        ),
        (
            "cold_thread_ended",
            with(|s| s.ended = vec!["store"]),
            "ended before the run did: store",
            all,
        ),
        ("no_watchdog", with(|s| s.watchdog_gone = true), "the watchdog's process is gone", all),
        ("halted", with(|s| s.halted = true), "halted", none),
        ("starting", with(|s| s.open = false), "starting: not agreed with the venues yet", none),
        (
            "core_still",
            on_the_way(ExecFigures { core_still: true, cancelling_all: true, ..WAY }),
            "the core stands still, everything is cancelled at kalshi (not confirmed yet)",
            all,
        ),
        (
            "credentials_refused",
            on_the_way(ExecFigures { credentials_refused: true, ..WAY }),
            "credentials refused at kalshi",
            kalshi,
        ),
        (
            "no_order_connection",
            on_the_way(ExecFigures { connected: false, ..WAY }),
            "no connection for orders to kalshi",
            none,
        ),
        (
            "wire_log",
            on_the_way(ExecFigures { unlogged: 1, ..WAY }),
            "the wire log cannot be written, no order leaves for kalshi",
            kalshi,
        ),
        (
            "breaker_open",
            on_the_way(ExecFigures {
                breaker_open: true,
                turned_away: Some(Reject::Blocked),
                ..WAY
            }),
            "repeated failures at kalshi (a block page instead of answers)",
            kalshi,
        ),
        (
            "venue_mode",
            at_kalshi(VenueSigns { mode: VenueMode::CancelOnly, ..VENUE }),
            "not everything is taken at kalshi (cancels alone)",
            none,
        ),
        (
            "interface_changed",
            at_kalshi(VenueSigns { strange: 2, ..VENUE }),
            "answers of an unknown form at kalshi (2 within a minute)",
            none,
        ),
        (
            "messages_unknown",
            at_kalshi(VenueSigns { unknown: 4, ..VENUE }),
            "stream messages of an unknown type from kalshi (4 within a minute)",
            none,
        ),
        (
            "orders_refused",
            at_kalshi(VenueSigns { refused: 3, ..VENUE }),
            "every order refused at kalshi (3 in a row)",
            none,
        ),
        (
            "beats_missed",
            on_the_way(ExecFigures { beats_missed: 2, ..WAY }),
            "heartbeats not confirmed by kalshi (2 in a row)",
            kalshi,
        ),
        (
            "no_good_book",
            at_kalshi(VenueSigns { good: 0, ..VENUE }),
            "no good book at kalshi",
            none,
        ),
        (
            "links_down",
            Signs {
                links_down: [0, 3, 4, 7].map(|n| format!("kalshi market {n}")).into(),
                ..at_kalshi(VenueSigns { links: 10, links_up: 6, ..VENUE })
            },
            "8 of 12 streams are up; down: kalshi market 0, kalshi market 3, kalshi market 4 and 1 more",
            none,
        ),
        (
            "links_unsteady",
            at_kalshi(VenueSigns { links_lost: 4, ..VENUE }),
            "streams break again and again at kalshi (4 times in a minute)",
            none,
        ),
        (
            "books_unsteady",
            with(|s| s.stales = 54),
            "books fetched anew 54 times in a minute",
            none,
        ),
        (
            "quarantined",
            with(|s| {
                s.venues[Venue::Kalshi].quarantined = 5;
                s.quarantined = ["KXA (odd)", "KXB", "KXC", "KXD", "KXE"].map(String::from).into();
            }),
            "markets quarantined at kalshi (5): KXA (odd), KXB, KXC and 2 more",
            none,
        ),
        (
            "strategy_disabled",
            with(|s| s.disabled = true),
            "baskets or quotes are disabled: the same orders were to be sent again and again",
            none,
        ),
        ("disagreed", with(|s| s.agreed = false), "the venues and we do not agree", all),
        (
            "compared_long_ago",
            with(|s| s.compared = Some(late)),
            "not compared with the venues for 41 s",
            all,
        ),
        (
            "unpaired",
            with(|s| s.unpaired = vec!["kalshi KXA: 18 no".into(), "kalshi KXB: 2 yes".into()]),
            "contracts without a partner: kalshi KXA: 18 no, kalshi KXB: 2 yes",
            none,
        ),
        (
            "settled_unseen",
            with(|s| s.unpriced = vec!["kalshi KXA".into()]),
            "settled at a price that is not known yet: kalshi KXA",
            none,
        ),
        (
            "fees_changed",
            with(|s| s.fees_changed[Venue::Kalshi] = true),
            "fees have changed at kalshi",
            none,
        ),
        (
            "database",
            with(|s| s.store = Some("locked".into())),
            "the database is not written: locked",
            none,
        ),
        (
            "snapshots",
            with(|s| s.snapshots = Some("no room".into())),
            "no snapshot can be taken: no room",
            none,
        ),
        (
            "notes_lost",
            with(|s| s.sinks = vec![("terminal", 0), ("log", 7)]),
            "notes are lost on the way to: log (7 in a minute)",
            none,
        ),
    ]
}

#[test]
fn each_trouble_alone_is_told_and_holds_what_needs_it() {
    assert!(
        troubles(&good()).is_empty()
            && holds(&good()) == PerVenue::all(false)
            && good().reconciled()
    );
    let cases = cases();
    assert_eq!(
        cases.iter().map(|case| case.0).collect::<Vec<_>>(),
        ROWS.iter().map(|row| row.name).collect::<Vec<_>>()
    );
    for (name, signs, what, held) in cases {
        let found = troubles(&signs);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].name, found[0].what.as_str()), (name, what));
        assert!(found[0].remedy.ends_with('.'), "{name}: a sentence");
        assert_eq!(holds(&signs), held, "{name}");
    }
    for signs in [with(|s| s.agreed = false), with(|s| s.compared = None)] {
        assert!(!signs.reconciled(), "{signs:?}");
    }
}

#[test]
fn an_alarm_is_said_once_and_so_is_its_end() {
    let (mut health, now) = (Health::default(), Instant::now());
    let bad = on_the_way(ExecFigures { breaker_open: true, ..WAY });
    let said = health.look(&bad, now);
    assert_eq!(said.len(), 1);
    let at = Nanos::from_secs(5);
    let remedy = ROWS.iter().find(|row| row.name == "breaker_open").unwrap().remedy;
    let told = ToldNote {
        at,
        source: Source::Health,
        code: "breaker_open",
        severity: Severity::Alarm,
        place: NamedPlace::default(),
        text: "repeated failures at kalshi".into(),
        phase: Phase::Began { remedy },
    };
    assert_eq!(said[0].clone().told(at), told);
    assert!(
        health.look(&bad, now).is_empty()
            && health.held == PerVenue::from_fn(|venue| venue == Venue::Kalshi)
            && (health.raised, health.spells.over()) == (1, 0)
    );
    let over = health.look(&good(), now + Duration::from_secs(7));
    let text = "over after 7 s: breaker_open".into();
    assert_eq!(over.len(), 1);
    assert_eq!(over[0].clone().told(at), ToldNote { text, phase: Phase::Over, ..told });
    assert!(health.held == PerVenue::all(false) && health.spells.over() == 1);
    assert!(health.look(&with(|signs| signs.halted = true), now).is_empty(), "said by who halted");
}

#[test]
fn refusals_in_a_row_are_counted_from_the_last_order_taken() {
    let refused = |refused| VenueSigns { refused, ..VENUE }.is_refused();
    assert!(!refused(2) && refused(3), "one or two are chance");
    let mut streak = Streak::default();
    assert_eq!(
        [(0, 1), (0, 3), (1, 3), (1, 5)].map(|(good, bad)| streak.count(good, bad)),
        [1, 3, 0, 2]
    );
}

#[test]
fn a_counter_is_judged_by_its_last_minute() {
    let (mut recent, now) = (Recent::default(), Instant::now());
    assert_eq!(recent.grew(now, 100), 0, "what was before is no news");
    assert_eq!(recent.grew(now + Duration::from_secs(30), 104), 4);
    assert_eq!(recent.grew(now + Duration::from_secs(61), 105), 1);
    assert_eq!(recent.grew(now + Duration::from_secs(200), 3), 0, "a counter that fell");
}

/// The guide shows every row, as the program has it. `UPDATE_GOLDEN=1` renews it there.
#[test]
fn the_operators_guide_shows_this_table() {
    const MARKS: [&str; 2] =
        ["<!-- health: generated from src/app/health.rs -->\n", "<!-- health: end -->"];
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operator.md");
    let guide = std::fs::read_to_string(path).unwrap();
    let (before, rest) = guide.split_once(MARKS[0]).expect("the mark where the table begins");
    let (shown, after) = rest.split_once(MARKS[1]).expect("the mark where it ends");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, [before, MARKS[0], &page(), MARKS[1], after].concat()).unwrap();
        return;
    }
    let missing: Vec<_> =
        ROWS.iter().map(|row| row.name).filter(|name| !shown.contains(name)).collect();
    assert!(
        missing.is_empty(),
        "docs/operator.md has no row for {missing:?}: UPDATE_GOLDEN=1 renews it"
    );
    assert_eq!(shown, page(), "UPDATE_GOLDEN=1 renews it");
}
