//! An order's way to a venue that is away, slow or unwilling: who waits, who goes first, what is held back, and how often
//! anything is asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use surefoot_cold::exec::codec::VenueCodec;
use surefoot_cold::exec::{BEATS_MISSED_MAX, CORE_STILL_MAX};
use surefoot_cold::secrets::Secret;
use surefoot_cold::venue::polymarket::eip712::{Chain, SignatureType};
use surefoot_cold::venue::polymarket::signer::{Credentials, Signer};
use surefoot_cold::venue::polymarket::{Polymarket, PolymarketRates};
use surefoot_cold::wirelog;
use surefoot_hot::event::{Event, Link};
use surefoot_hot::ids::{MarketId, OrderId, OrderRef, Venue};
use surefoot_hot::intent::Intent;
use surefoot_hot::links::LinkNumber;
use surefoot_hot::order::{Cancel, Query};
use surefoot_hot::report::{Reject, Report, Unsent};
use surefoot_hot::units::{Nanos, Qty};

use crate::exec::*;
use crate::support::*;

/// A switch that a server's script looks at before each answer.
fn switch() -> (Arc<AtomicBool>, Arc<AtomicBool>) {
    let switch = Arc::new(AtomicBool::new(false));
    (Arc::clone(&switch), switch)
}

/// Fills every create while `away` is off; while it is on, hangs up.
fn comes_and_goes(away: Arc<AtomicBool>) -> impl Fn(usize, &mut Stream, &Tell) + Send + Sync {
    move |number, stream, tell| {
        while let Some(heard) = hear(stream) {
            if away.load(Ordering::SeqCst) {
                return;
            }
            let body = answer("201 Created", &created(order_in(&heard)));
            tell.send((number, heard)).unwrap();
            say(stream, &body);
        }
    }
}

fn rejected(order: u64, why: Reject) -> Report {
    Report::Rejected { order: OrderRef::Id(OrderId::new(order)), why }
}

fn link(venue: Venue, up: bool) -> Event {
    Event::Link { venue, link: Link::Orders, number: LinkNumber::FIRST, up }
}

#[test]
fn a_sale_waits_for_a_venue_that_is_away_and_leaves_when_it_is_back() {
    let (trust, config) = authority();
    let (away, set) = switch();
    let (addr, seen) = serve(config, comes_and_goes(away));
    let mut rig = rig("away", &trust, addr, &Setup::default()).up();
    set.store(true, Ordering::SeqCst);
    rig.place(1);
    assert_eq!(rig.report(), timed_out(1), "hung up on: nothing is known");
    rig.place(2);
    assert_eq!(rig.report(), unsent(2, Unsent::Down), "what opens something does not wait");
    rig.unwind(3);
    rig.pass_time(Nanos::from_millis(100));
    rig.quiet();
    set.store(false, Ordering::SeqCst);
    rig.pass_time(Nanos::from_millis(250)); // the next dial is due
    assert_eq!((rig.report(), rig.report()), (bound(3), filled(3)));
    assert_eq!(seen.try_iter().map(|(_, heard)| order_in(&heard)).collect::<Vec<_>>(), [3]);
}

#[test]
fn a_sale_that_waited_in_vain_is_told_with_its_reason_and_was_never_sent() {
    let (_, config) = authority();
    let (other, _) = authority(); // whose servers it does not trust: no connection ever opens
    let (addr, _seen) = serve(config, |_, stream, _| while hear(stream).is_some() {});
    let mut rig = rig("vain", &other, addr, &Setup::default());
    rig.unwind(1);
    rig.quiet();
    rig.pass_time(Nanos::from_millis(999));
    rig.quiet();
    rig.pass_time(Nanos::from_millis(1));
    assert_eq!(rig.report(), unsent(1, Unsent::Down));
    assert!(wirelog::read(&rig.log).unwrap().records.is_empty());
}

#[test]
fn a_sale_that_waits_dies_at_once_when_the_epoch_moves() {
    let (trust, config) = authority();
    let (away, set) = switch();
    let (addr, seen) = serve(config, comes_and_goes(away));
    let mut rig = rig("epoch-waits", &trust, addr, &Setup::default()).up();
    set.store(true, Ordering::SeqCst);
    rig.place(1);
    assert_eq!(rig.report(), timed_out(1));
    rig.unwind(2);
    rig.quiet();
    rig.halt.advance();
    assert_eq!(rig.report(), unsent(2, Unsent::Epoch));
    assert_eq!(seen.try_iter().count(), 0);
}

#[test]
fn a_sale_probes_an_open_breaker_and_its_success_lets_everybody_through() {
    let (trust, config) = authority();
    let (sick, heal) = switch();
    let (addr, _seen) = serve(config, move |number, stream, tell| {
        while let Some(heard) = hear(stream) {
            let well = sick.load(Ordering::SeqCst);
            let body = created(order_in(&heard));
            tell.send((number, heard)).unwrap();
            if well {
                say(stream, &answer("201 Created", &body));
            } else {
                say(stream, &answer("200 OK", "")); // a proxy that has lost the answer
            }
        }
    });
    let mut rig = rig("probe", &trust, addr, &Setup::default()).up();
    for order in 1..=5 {
        rig.place(order);
        assert_eq!(rig.report(), timed_out(order), "an empty answer proves nothing");
    }
    rig.until(|rig| rig.exec.breaker_opened() == 1);
    let way = |breaker_open| Event::Way { venue: Venue::Kalshi, breaker_open, tokens_short: false };
    assert_eq!(rig.event(), way(true));
    assert_eq!(rig.event(), link(Venue::Kalshi, false), "nothing is to be opened there");
    rig.place(6);
    assert_eq!(rig.report(), unsent(6, Unsent::Breaker));
    rig.unwind(7);
    assert_eq!(rig.report(), timed_out(7), "the first probe goes at once");
    rig.unwind(8);
    rig.quiet();
    heal.store(true, Ordering::SeqCst);
    rig.pass_time(Nanos::from_millis(749));
    rig.quiet();
    rig.pass_time(Nanos::from_millis(1));
    assert_eq!((rig.report(), rig.report()), (bound(8), filled(8)));
    assert_eq!(rig.event(), way(false));
    assert_eq!(rig.event(), link(Venue::Kalshi, true));
    rig.place(9);
    assert_eq!((rig.report(), rig.report()), (bound(9), filled(9)));
}

#[test]
fn a_sale_waits_for_the_end_of_a_pause_and_no_longer() {
    let (trust, config) = authority();
    let first = AtomicBool::new(true);
    let (addr, _seen) = serve(config, move |_, stream, _| {
        while let Some(heard) = hear(stream) {
            if first.swap(false, Ordering::SeqCst) {
                say(
                    stream,
                    b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 2\r\n\r\n{}",
                );
            } else {
                say(stream, &answer("201 Created", &created(order_in(&heard))));
            }
        }
    });
    let mut rig = rig("pause", &trust, addr, &Setup::default()).up();
    rig.place(1);
    assert_eq!(rig.report(), rejected(1, Reject::Rate));
    rig.pass_time(Nanos::from_millis(500));
    rig.place(2);
    assert_eq!(rig.report(), unsent(2, Unsent::Tokens));
    rig.unwind(3);
    rig.pass_time(Nanos::from_millis(499));
    rig.quiet();
    rig.pass_time(Nanos::from_millis(1));
    assert_eq!((rig.report(), rig.report()), (bound(3), filled(3)));
}

#[test]
fn a_sale_may_use_what_opening_orders_must_leave() {
    let (trust, config) = authority();
    let (addr, _seen) = serve(config, comes_and_goes(switch().0));
    let mut rig = rig("reserve", &trust, addr, &Setup::default()).up();
    let mut order = 0;
    loop {
        order += 1;
        rig.place(order);
        match rig.report() {
            Report::Unsent { why, .. } => break assert_eq!(why, Unsent::Tokens),
            report => assert_eq!(report, bound(order)),
        }
        assert_eq!(rig.report(), filled(order));
    }
    rig.unwind(100);
    assert_eq!((rig.report(), rig.report()), (bound(100), filled(100)));
}

#[test]
fn a_sale_goes_ahead_of_what_waits_to_open_something() {
    let (trust, config) = authority();
    let (busy, free) = switch();
    let (addr, seen) = serve(config, move |number, stream, tell| {
        while let Some(heard) = hear(stream) {
            let body = answer("201 Created", &created(order_in(&heard)));
            tell.send((number, heard)).unwrap();
            while !busy.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(1));
            }
            say(stream, &body);
        }
    });
    let mut rig = rig("ahead", &trust, addr, &Setup::default()).up();
    rig.place(1);
    rig.until(|rig| rig.exec.stats().sent == 1);
    rig.place(2);
    rig.unwind(3);
    rig.quiet();
    free.store(true, Ordering::SeqCst);
    rig.until(|rig| rig.exec.stats().taken == 3);
    assert_eq!(seen.try_iter().map(|(_, heard)| order_in(&heard)).collect::<Vec<_>>(), [1, 3, 2]);
}

#[test]
fn a_cancel_refused_at_once_every_time_does_not_become_a_storm() {
    let (trust, config) = authority();
    let (addr, seen) = serve(config, |number, stream, tell| {
        while let Some(heard) = hear(stream) {
            tell.send((number, heard)).unwrap();
            say(stream, &answer("404 Not Found", "{\"error\":{\"code\":\"not_found\"}}"));
        }
    });
    let setup = Setup { chore_lanes: 1, ..Setup::default() };
    let mut rig = rig("storm", &trust, addr, &setup).up();
    let (order, market, venue) = (OrderId::new(9), MarketId::new(0), Venue::Kalshi);
    rig.exec.learn(order, wirelog::VenueId::new(b"uuid-9").unwrap());
    let cancel = Cancel { order, key: None, market, venue, qty: Qty::from_contracts(10) };
    rig.intents.push(Intent::Cancel(cancel)).unwrap();
    // Ten seconds of a core that cancels again as soon as it hears that the last cancel was refused.
    let mut refused = 0;
    for _ in 0..1_000 {
        for _ in 0..3 {
            rig.exec.turn(rig.now);
            rig.exec.park(rig.now, Duration::from_micros(200));
        }
        while let Ok(event) = rig.events.pop() {
            if event == Event::Report(Report::CancelRefused { order: OrderRef::Id(order) }) {
                refused += 1;
                rig.intents.push(Intent::Cancel(cancel)).unwrap();
            }
        }
        rig.pass_time(Nanos::from_millis(10));
    }
    assert!((3..=12).contains(&refused), "{refused} refused");
    assert!(seen.try_iter().count() <= 12);
}

#[test]
fn a_core_that_stands_still_has_everything_cancelled_until_the_venue_confirms_it() {
    let (trust, config) = authority();
    let asked = AtomicUsize::new(0);
    let (addr, seen) = serve(config, move |number, stream, tell| {
        while let Some(heard) = hear(stream) {
            tell.send((number, heard)).unwrap();
            match asked.fetch_add(1, Ordering::SeqCst) {
                0 => say(stream, &answer("503 Service Unavailable", "")),
                1 => say(stream, &answer("200 OK", "")), // says nothing
                _ => say(stream, b"HTTP/1.1 204 No Content\r\n\r\n"),
            }
        }
    });
    let setup = Setup { chore_lanes: 1, ..Setup::default() };
    let mut rig = rig("still", &trust, addr, &setup).up();
    let turns = Arc::new(AtomicU64::new(1));
    rig.exec.watch_core(Arc::clone(&turns));
    let run = |rig: &mut Rig<_>, span: Nanos, moves: bool| {
        for _ in 0..span.millis() / 20 {
            turns.fetch_add(u64::from(moves), Ordering::SeqCst);
            rig.pass_time(Nanos::from_millis(20));
            rig.exec.turn(rig.now);
            rig.exec.park(rig.now, Duration::from_millis(1));
        }
    };
    run(&mut rig, Nanos::from_secs(5), true);
    assert_eq!((rig.halt.read(), seen.try_iter().count()), (7, 0));
    run(&mut rig, CORE_STILL_MAX.after(Nanos::from_millis(200)), false);
    rig.until(|rig| rig.exec.figures(rig.now).core_still);
    assert_eq!(rig.halt.read(), 8, "what it decided does not leave any more");
    assert_eq!(rig.event(), link(Venue::Kalshi, false));
    run(&mut rig, Nanos::from_secs(6), false);
    rig.until(|rig| rig.exec.is_idle());
    let heads: Vec<_> = seen.try_iter().map(|(_, heard)| heard.head).collect();
    assert!(
        heads.iter().all(|head| head.starts_with("DELETE /trade-api/v2/portfolio/events/orders?"))
    );
    assert_eq!(heads.len(), 4, "two in vain, one confirmed, one more for what was on its way");
    assert_eq!(rig.exec.stats().core_still, 1);
    run(&mut rig, Nanos::from_millis(200), true);
    assert!(!rig.exec.figures(rig.now).core_still, "it moves again");
}

#[test]
fn credentials_that_are_refused_are_known_at_once_and_a_block_page_is_not_that() {
    let (trust, config) = authority();
    let nth = AtomicUsize::new(0);
    let (addr, _seen) = serve(config, move |_, stream, _| {
        while let Some(heard) = hear(stream) {
            let body = match nth.fetch_add(1, Ordering::SeqCst) {
                0 => answer("403 Forbidden", "<html>Sorry, you have been blocked</html>"),
                1 => answer("401 Unauthorized", "{\"error\":{\"code\":\"authentication_error\"}}"),
                _ => answer("201 Created", &created(order_in(&heard))),
            };
            say(stream, &body);
        }
    });
    let mut rig = rig("refused", &trust, addr, &Setup::default()).up();
    rig.place(1);
    assert_eq!(rig.report(), rejected(1, Reject::Blocked));
    let figures = rig.exec.figures(rig.now);
    assert_eq!((figures.turned_away, figures.credentials_refused), (Some(Reject::Blocked), false));
    rig.place(2);
    assert_eq!(rig.report(), rejected(2, Reject::Auth));
    let figures = rig.exec.figures(rig.now);
    assert_eq!((figures.turned_away, figures.credentials_refused), (Some(Reject::Auth), true));
    rig.place(3);
    assert_eq!((rig.report(), rig.report()), (bound(3), filled(3)));
    let figures = rig.exec.figures(rig.now);
    assert_eq!((figures.turned_away, figures.credentials_refused), (None, false));
}

pub fn polymarket(
    name: &str,
    trust: &surefoot_cold::net::Trust,
    addr: std::net::SocketAddr,
) -> Rig<Polymarket> {
    let credentials = Credentials {
        api_key: "key".to_owned(),
        secret: Secret::new("c2VjcmV0".to_owned()),
        passphrase: Secret::new("phrase".to_owned()),
    };
    let key = Secret::new("11".repeat(32));
    let signer = Signer::new(&key, SignatureType::Eoa, None, Chain::Polygon, Some(&credentials));
    let clob = "https://127.0.0.1:1".parse().unwrap();
    let rates = PolymarketRates::default();
    let codec = Polymarket::new(Arc::new(signer.unwrap()), &clob, &two_tokens(), rates);
    let mut setup = Setup { chore_lanes: 1, ..Setup::default() };
    setup.options.heartbeat = true;
    Rig::new(name, codec, trust, addr, &setup)
}

#[test]
fn heartbeats_that_fail_are_counted_slow_down_and_close_the_way_for_new_baskets() {
    let (trust, config) = authority();
    let (sick, heal) = switch();
    let (addr, seen) = serve(config, move |number, stream, tell| {
        while let Some(heard) = hear(stream) {
            tell.send((number, heard)).unwrap();
            if sick.load(Ordering::SeqCst) {
                say(stream, &answer("200 OK", "{\"heartbeat_id\":\"b-1\"}"));
            } else {
                say(stream, &answer("500 Internal Server Error", "{\"error\":\"internal\"}"));
            }
        }
    });
    let mut rig = polymarket("beats", &trust, addr).up();
    for _ in 0..2_500 {
        rig.exec.turn(rig.now);
        rig.exec.park(rig.now, Duration::from_micros(200));
        rig.pass_time(Nanos::from_millis(10));
    }
    let beats = seen.try_iter().count();
    assert!((5..=12).contains(&beats), "{beats} beats in 25 s");
    assert!(rig.exec.figures(rig.now).beats_missed >= BEATS_MISSED_MAX);
    assert_eq!(rig.event(), link(Polymarket::VENUE, false));
    heal.store(true, Ordering::SeqCst);
    rig.pass_time(Nanos::from_secs(5));
    assert_eq!(rig.event(), link(Polymarket::VENUE, true));
    assert_eq!((rig.exec.stats().beats, rig.exec.figures(rig.now).beats_missed), (1, 0));
}

#[test]
fn an_order_that_no_wire_log_knows_is_asked_about_by_the_name_it_left_with() {
    let (trust, config) = authority();
    let (addr, seen) = serve(config, |number, stream, tell| {
        while let Some(heard) = hear(stream) {
            let body = if heard.head.starts_with("GET /data/trades") {
                "{\"data\":[],\"next_cursor\":\"LTE=\"}"
            } else {
                "null"
            };
            tell.send((number, heard)).unwrap();
            say(stream, &answer("200 OK", body));
        }
    });
    let mut rig = polymarket("named", &trust, addr).up();
    let order = unwinding(5, Venue::Polymarket, 7, rig.now);
    rig.intents.push(Intent::Place(order)).unwrap();
    let Report::Bound { key, .. } = rig.report() else { panic!("its name is known first") };
    assert_eq!(rig.report(), timed_out(5));
    drop(rig);
    let mut rig = polymarket("named-again", &trust, addr).up(); // with an empty wire log
    rig.exec.remember(&wirelog::Contents::default(), [&*order]);
    while seen.try_recv().is_ok() {}
    let (id, market, venue) = (order.id, order.market, order.venue);
    rig.intents.push(Intent::Query(Query { order: id, key: None, market, venue })).unwrap();
    assert_eq!(
        rig.report(),
        Report::Bound { order: id, key },
        "who asks without the name is told it"
    );
    assert_eq!(rig.report(), Report::Absent { order: id, venue });
    let asked: Vec<_> = seen.try_iter().map(|(_, heard)| heard.head).collect();
    let name = asked.iter().find_map(|head| head.strip_prefix("GET /data/order/")).unwrap();
    let bytes = surefoot_cold::text::parse_hex::<32>(&name[..66]).unwrap();
    assert_eq!(wirelog::VenueId::new(&bytes).unwrap().key(), key);
    assert!(asked.iter().any(|head| head.starts_with("GET /data/trades")), "and its fills");
}

#[test]
fn an_order_without_a_name_is_never_called_absent() {
    let (trust, config) = authority();
    let (addr, seen) = serve(config, |number, stream, tell| {
        while let Some(heard) = hear(stream) {
            tell.send((number, heard)).unwrap();
            say(stream, &answer("200 OK", "null"));
        }
    });
    let mut rig = polymarket("nameless", &trust, addr).up();
    let (order, market, venue) = (OrderId::new(6), MarketId::new(9), Venue::Polymarket);
    rig.exec.remember(&wirelog::Contents::default(), []);
    rig.intents.push(Intent::Query(Query { order, key: None, market, venue })).unwrap();
    rig.quiet();
    assert_eq!(rig.exec.stats().unanswered, 1);
    assert!(seen.try_iter().all(|(_, heard)| !heard.head.contains("/data/")));
}

#[test]
fn an_id_of_another_venue_in_the_wire_log_is_no_id() {
    let (trust, config) = authority();
    let (addr, seen) = serve(config, |number, stream, tell| {
        while let Some(heard) = hear(stream) {
            tell.send((number, heard)).unwrap();
            say(stream, &answer("200 OK", "null"));
        }
    });
    let mut rig = polymarket("mixed-up", &trust, addr).up();
    let (order, market, venue) = (OrderId::new(6), MarketId::new(9), Venue::Polymarket);
    rig.exec.learn(order, wirelog::VenueId::new(b"3b23c1c7-f4ef-4f0d-8b9a-9e53c61f1a0d").unwrap());
    rig.intents.push(Intent::Query(Query { order, key: None, market, venue })).unwrap();
    rig.quiet();
    assert!(seen.try_iter().all(|(_, heard)| !heard.head.contains("/data/")));
}
