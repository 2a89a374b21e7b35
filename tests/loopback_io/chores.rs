//! Cancels, questions and heartbeats: over which connection they go, and whose answers count.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use surefoot_cold::exec::CORE_STILL_MAX;
use surefoot_cold::wirelog::VenueId;
use surefoot_hot::ids::{MarketId, OrderId, OrderRef, Venue};
use surefoot_hot::intent::Intent;
use surefoot_hot::order::{Cancel, Query};
use surefoot_hot::report::{OrderStatus, Report, Unsent, VenueState};
use surefoot_hot::units::{Nanos, Qty};

use crate::exec::*;
use crate::support::*;
use crate::way::polymarket;

const ORDER: OrderId = OrderId::new(9);
const MARKET: MarketId = MarketId::new(0);

fn query() -> Intent {
    Intent::Query(Query { order: ORDER, key: None, market: MARKET, venue: Venue::Kalshi })
}

#[test]
fn cancels_go_over_a_connection_for_orders_where_their_own_is_away() {
    let (trust, config) = authority();
    let away = Arc::new(AtomicBool::new(false));
    let gone = Arc::clone(&away);
    let (addr, seen) = serve(config, move |number, stream, tell| {
        if number > 0 {
            while !gone.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(1));
            }
            return; // hangs up, and so does every later one
        }
        while let Some(heard) = hear(stream) {
            tell.send((number, heard)).unwrap();
            say(stream, b"HTTP/1.1 204 No Content\r\n\r\n");
        }
    });
    let setup = Setup { chore_lanes: 1, ..Setup::default() };
    let mut rig = rig("own-away", &trust, addr, &setup).up();
    away.store(true, Ordering::SeqCst);
    rig.until(|rig| rig.exec.stats().broken == 1);
    rig.intents.push(Intent::CancelAll { venue: Venue::Kalshi }).unwrap();
    rig.until(|rig| rig.exec.is_idle());
    let heads: Vec<_> = seen.try_iter().map(|(lane, heard)| (lane, heard.head)).collect();
    assert!(heads.len() == 1 && heads[0].0 == 0 && heads[0].1.starts_with("DELETE "), "{heads:?}");
}

#[test]
fn too_many_cancels_slow_down_what_is_written_and_nothing_that_is_read() {
    let (trust, config) = authority();
    let (addr, _seen) = serve(config, |_, stream, _| {
        while let Some(heard) = hear(stream) {
            if heard.head.starts_with("GET ") {
                say(stream, &answer("200 OK", "{\"cursor\":\"\",\"orders\":[]}"));
            } else {
                say(stream, &answer("429 Too Many Requests", "{\"error\":\"too many requests\"}"));
            }
        }
    });
    let setup = Setup { chore_lanes: 1, ..Setup::default() };
    let mut rig = rig("limited", &trust, addr, &setup).up();
    let (order, id) = (OrderId::new(8), VenueId::new(b"uuid-8").unwrap());
    rig.exec.learn(order, id);
    let (key, qty) = (None, Qty::from_contracts(10));
    let cancel = Cancel { order, key, market: MARKET, venue: Venue::Kalshi, qty };
    rig.intents.push(Intent::Cancel(cancel)).unwrap();
    rig.until(|rig| rig.exec.stats().limited == 1);
    rig.place(1);
    assert_eq!(rig.report(), unsent(1, Unsent::Tokens), "orders and cancels share the bucket");
    rig.intents.push(query()).unwrap();
    assert_eq!(rig.report(), Report::Absent { order: ORDER, venue: Venue::Kalshi });
}

#[test]
fn questions_left_unanswered_while_their_own_connection_is_away_leave_one_for_orders() {
    let (trust, config) = authority();
    let away = Arc::new(AtomicBool::new(false));
    let gone = Arc::clone(&away);
    let (addr, seen) = serve(config, move |number, stream, tell| {
        if number == 2 {
            while !gone.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(1));
            }
            return; // the questions' own
        }
        while let Some(heard) = hear(stream) {
            let body = match heard.head.split(' ').next().unwrap() {
                "GET" if number < 2 => None, // reads hang
                "GET" => Some(answer("200 OK", "{\"cursor\":\"\",\"orders\":[]}")),
                "DELETE" => Some(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()),
                _ => Some(answer("201 Created", &created(order_in(&heard)))),
            };
            tell.send((number, heard)).unwrap();
            if let Some(body) = body {
                say(stream, &body);
            }
        }
    });
    let setup = Setup { order_lanes: 2, chore_lanes: 1, ..Setup::default() };
    let mut rig = rig("hung", &trust, addr, &setup).up();
    rig.until(|rig| rig.exec.open_lanes() == 2);
    away.store(true, Ordering::SeqCst);
    rig.until(|rig| rig.exec.dials().1 == 1);
    let (second, venue) = (OrderId::new(10), Venue::Kalshi);
    rig.intents.push(query()).unwrap();
    let other = Query { order: second, key: None, market: MARKET, venue };
    rig.intents.push(Intent::Query(other)).unwrap();
    rig.until(|rig| rig.exec.stats().asked == 1);
    rig.quiet();
    assert_eq!(rig.exec.stats().asked, 1, "the second one waits");
    rig.unwind(3);
    assert_eq!((rig.report(), rig.report()), (bound(3), filled(3)));
    rig.intents.push(Intent::CancelAll { venue }).unwrap();
    rig.until(|_| seen.try_iter().any(|(_, heard)| heard.head.starts_with("DELETE ")));
    rig.pass_time(Nanos::from_secs(1)); // their own connection is dialled again
    assert_eq!(rig.report(), Report::Absent { order: second, venue });
}

#[test]
fn the_last_connection_for_orders_is_not_kept_warm_while_an_order_is_out() {
    let (trust, config) = authority();
    let (addr, seen) = serve(config, |number, stream, tell| {
        while let Some(heard) = hear(stream) {
            let reads = heard.head.starts_with("GET ");
            tell.send((number, heard)).unwrap();
            if reads {
                say(stream, &answer("200 OK", "{}"));
            }
        }
    });
    let mut setup = Setup { order_lanes: 2, chore_lanes: 1, ..Setup::default() };
    setup.options.warm_every = Nanos::from_millis(500);
    // Time passes while answers are on their way, however slow the machine: nothing is given up for that here.
    setup.options.order_wait_max = Nanos::from_secs(3_600);
    setup.options.chore_wait_max = Nanos::from_secs(3_600);
    let mut rig = rig("warm", &trust, addr, &setup).up();
    rig.until(|rig| rig.exec.open_lanes() == 2 && rig.exec.dials().0 == 3);
    rig.place(1);
    rig.until(|rig| rig.exec.stats().sent == 1);
    let (warmed, for_orders) = (Cell::new(0), Cell::new(0));
    rig.until(|rig| {
        rig.pass_time(Nanos::from_millis(5));
        let (own, orders): (Vec<_>, Vec<_>) = seen.try_iter().partition(|(lane, _)| *lane == 2);
        warmed.set(warmed.get() + own.len());
        for_orders.set(for_orders.get() + orders.len());
        warmed.get() >= 2
    });
    assert_eq!(for_orders.get(), 1, "the order alone");
}

#[test]
fn a_cancel_of_everything_that_was_one_too_many_keeps_no_order_of_another_shard() {
    let (trust, config) = authority();
    let (addr, _seen) = serve(config, |_, stream, _| {
        while let Some(heard) = hear(stream) {
            if heard.head.starts_with("DELETE ") {
                say(stream, &answer("429 Too Many Requests", "{\"error\":\"too many requests\"}"));
            } else {
                say(stream, &answer("201 Created", &created(order_in(&heard))));
            }
        }
    });
    let setup = Setup { chore_lanes: 1, ..Setup::default() };
    let mut rig = rig("shards", &trust, addr, &setup).up();
    rig.place(1);
    assert_eq!((rig.report(), rig.report()), (bound(1), filled(1)));
    rig.intents.push(Intent::CancelAll { venue: Venue::Kalshi }).unwrap();
    rig.until(|rig| rig.exec.stats().limited == 1);
    rig.place(2); // its market is on shard 2
    assert_eq!((rig.report(), rig.report()), (bound(2), filled(2)));
}

/// A row of an order, and of a fill of four contracts.
fn rows(order: &str, client: u64, ticker: &str) -> (String, String) {
    let row = format!(
        "{{\"order_id\":\"{order}\",\"client_order_id\":\"sf-{client:016x}\",\"ticker\":\"{ticker}\",\
\"book_side\":\"ask\",\"status\":\"canceled\",\"yes_price_dollars\":\"0.5600\",\"initial_count_fp\":\"10.00\",\
\"fill_count_fp\":\"4.00\",\"remaining_count_fp\":\"0.00\",\"created_time\":\"2026-11-20T18:00:00Z\",\
\"exchange_index\":2}}"
    );
    let fill = format!(
        "{{\"trade_id\":\"t-{order}\",\"order_id\":\"{order}\",\"ticker\":\"{ticker}\",\"book_side\":\"ask\",\
\"count_fp\":\"4.00\",\"yes_price_dollars\":\"0.5600\",\"is_taker\":true,\"fee_cost\":\"0.010000\"}}"
    );
    (row, fill)
}

#[test]
fn rows_of_other_orders_in_an_answer_are_not_the_orders_that_was_asked_about() {
    let (trust, config) = authority();
    let first = AtomicBool::new(true);
    let (addr, _seen) = serve(config, move |_, stream, _| {
        while let Some(heard) = hear(stream) {
            let (ours, fill) = rows("uuid-9", 9, "KXA");
            let (other, their_fill) = rows("uuid-7", 7, "KXB");
            let (_, same_market) = rows("uuid-6", 6, "KXA");
            let body = if heard.head.contains("/portfolio/fills") {
                format!("{{\"cursor\":\"\",\"fills\":[{their_fill},{same_market},{fill}]}}")
            } else if first.swap(false, Ordering::SeqCst) {
                format!("{{\"order\":{other}}}")
            } else {
                format!("{{\"order\":{ours}}}")
            };
            say(stream, &answer("200 OK", &body));
        }
    });
    let setup = Setup { chore_lanes: 1, ..Setup::default() };
    let mut rig = rig("others", &trust, addr, &setup).up();
    rig.exec.learn(ORDER, VenueId::new(b"uuid-9").unwrap());
    rig.intents.push(query()).unwrap();
    let key = VenueId::new(b"uuid-9").unwrap().key();
    assert_eq!(rig.report(), Report::Bound { order: ORDER, key }, "it was asked without the name");
    rig.until(|rig| rig.exec.stats().asked == 1 && rig.events.is_empty());
    rig.quiet(); // another order's row says nothing of this one
    rig.pass_time(Nanos::from_secs(1));
    let (order, filled) = (OrderRef::Id(ORDER), Some(Qty::from_contracts(4)));
    let state = VenueState::Cancelled;
    assert_eq!(rig.report(), Report::Status(OrderStatus { order, state, filled }));
    let Report::Fill(fill) = rig.report() else { panic!("its own fill") };
    assert_eq!((fill.order, fill.market), (order, MARKET));
    rig.quiet();
}

#[test]
fn a_heartbeat_that_is_lost_is_followed_by_another_before_the_venue_gives_up() {
    let (trust, config) = authority();
    let first = AtomicBool::new(true);
    let (addr, seen) = serve(config, move |number, stream, tell| {
        while let Some(heard) = hear(stream) {
            tell.send((number, heard)).unwrap();
            if !first.swap(false, Ordering::SeqCst) {
                say(stream, &answer("200 OK", "{\"heartbeat_id\":\"b-1\"}"));
            }
        }
    });
    let mut rig = polymarket("beat-lost", &trust, addr).up();
    let began = rig.now;
    while rig.exec.stats().beats == 0 {
        rig.exec.turn(rig.now);
        rig.exec.park(rig.now, Duration::from_millis(1));
        rig.pass_time(Nanos::from_millis(10));
        assert!(rig.now.since(began) < Nanos::from_secs(60), "{:?}", rig.exec.stats());
    }
    let took = rig.now.since(began);
    assert!(took < Nanos::from_secs(4), "the venue waits for ten seconds: {took:?}");
    assert_eq!(seen.try_iter().count(), 2);
}

/// In every topology: where the core's thread is not the executor's, the executor still turns.
#[test]
fn a_core_that_stands_still_beats_no_more_and_one_that_moves_again_does() {
    let (trust, config) = authority();
    let (addr, seen) = serve(config, move |number, stream, tell| {
        while let Some(heard) = hear(stream) {
            tell.send((number, heard)).unwrap();
            say(stream, &answer("200 OK", "{\"heartbeat_id\":\"b-1\"}"));
        }
    });
    let mut rig = polymarket("beat-still", &trust, addr).up();
    let turns = Arc::new(AtomicU64::new(1));
    rig.exec.watch_core(Arc::clone(&turns));
    let mut run = |span: Nanos, moves: bool| {
        for _ in 0..span.millis() / 100 {
            turns.fetch_add(u64::from(moves), Ordering::SeqCst);
            rig.pass_time(Nanos::from_millis(100));
            rig.exec.turn(rig.now);
            rig.exec.park(rig.now, Duration::from_millis(1));
        }
        let heads = seen.try_iter().map(|(_, heard)| heard.head);
        heads.filter(|head| head.starts_with("POST /v1/heartbeats ")).count()
    };
    assert!(run(Nanos::from_secs(20), true) >= 2, "it beats");
    run(CORE_STILL_MAX.after(Nanos::from_millis(500)), false);
    assert_eq!(run(Nanos::from_secs(30), false), 0, "the venue cancels what rests");
    assert!(run(Nanos::from_secs(20), true) >= 2, "it beats again");
}
