//! What other hands do: fills that the venue takes back after their group has ended, and orders that somebody else
//! places with the same keys.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use surefoot::access::Access;
use surefoot::machine::venue::PolymarketAccount;
use surefoot::twin::demo::Demo;
use surefoot::twin::open::{Options, open};
use surefoot::twin::server::{Command, Fault, Remote};
use surefoot::twin::{Host, polymarket};
use surefoot_cold::directory::{Directory, Names};
use surefoot_cold::state_dir::StateDir;
use surefoot_cold::store::names::MarketNames;
use surefoot_cold::venue::polymarket::encode;
use surefoot_hot::ids::{Action, GroupId, OrderId, Outcome, Venue};
use surefoot_hot::order::{Order, Purpose, Tif};
use surefoot_hot::units::{Nanos, Price, Qty};

use crate::harness::take_seed;
use crate::loopback::ends_well;
use crate::rig::{Scratch, Twin, ask, count, database, run_against, say, truths, until};
use crate::venues_ill::TIMES;

pub fn names(access: &Access, state: &Path) -> Directory {
    let book = MarketNames::load(&StateDir::at(state).names()).unwrap();
    book.directory(access.identity()).unwrap().clone()
}

fn at_rest(status: &Value) -> bool {
    count(status, "/orders/live") + count(status, "/groups_live") == 0
}

/// Whether a trade could be taken back.
fn is_unsettled(remote: &Remote<Demo>) -> bool {
    remote.with(|world, _| world.polymarket.unsettled().next().is_some()).unwrap()
}

/// Takes back the newest trade.
fn revert(remote: &Remote<Demo>) -> bool {
    let act = |world: &mut Demo, now| {
        let newest = world.polymarket.unsettled().next_back().map(str::to_owned);
        newest.is_some_and(|id| world.polymarket.fail_trade(&id, now))
    };
    remote.with(act).unwrap()
}

/// What may be left of a sale because to sell it too would lose half of what it brings, in millionths of a contract.
const LEFTOVER_MAX: i128 = 1_000_000;

/// Markets that are in pairs alone hold as much at both venues, but for what was too little to sell.
pub fn pairs_are_even(access: &Access, state: &Path) {
    let directory = names(access, state);
    let truths = truths(access, state);
    let net = |venue: Venue, id: &str| {
        let entry = directory.of(venue).find(|entry| entry.names.id() == id)?;
        let held = truths[venue.index()].positions.iter().find(|row| row.0 == entry.def.market);
        let (yes, no) = held.map_or((Qty::ZERO, Qty::ZERO), |row| (row.1, row.2));
        Some(i128::from(yes.micros()) - i128::from(no.micros()))
    };
    let in_set = |id: &String| access.relations.sets.iter().any(|set| set.members.contains(id));
    let mut pairs = 0;
    for pair in &access.relations.pairs {
        if pair.markets.iter().any(|(_, name)| in_set(name)) {
            continue;
        }
        let held = pair.markets.each_ref().map(|(venue, name)| net(*venue, name));
        let [Some(here), Some(there)] = held else { continue };
        pairs += 1;
        assert!((here + there).abs() <= LEFTOVER_MAX, "{:?}: {here} and {there}", pair.markets);
    }
    assert!(pairs > 0, "no pair stands alone");
}

pub fn fills_taken_back_after_the_group_has_ended_leave_nothing_on_one_leg() {
    let scratch = Scratch::new("void");
    let state = scratch.path("state");
    let never = Nanos::from_secs(86_400);
    let options = Options {
        seed: take_seed(33),
        polymarket: polymarket::Config { confirmed_after: never, ..Default::default() },
        ..Options::default()
    };
    let (server, description) = open(&options, &scratch.path("twin")).unwrap();
    let venues = scratch.path("venues.json");
    fs::write(&venues, description.to_string()).unwrap();
    let access = Access::from_file(&venues).unwrap();
    let remote = server.remote();
    let mut twin = server.spawn().unwrap();
    let run = run_against(&scratch, &venues, &state, "run");

    for (failed, hears) in (1..).zip([true, true, false]) {
        until(&scratch, &state, "a trade of a group that has ended", |status| {
            at_rest(status) && is_unsettled(&remote)
        });
        if !hears {
            // Nobody is told: only what is read after the link is back can say it.
            remote.command(Command::Fault(Host::PolymarketWs, Fault::Down));
            until(&scratch, &state, "the loss is seen", |status| count(status, "/links_up") < 4);
        }
        assert!(revert(&remote));
        remote.command(Command::Fault(Host::PolymarketWs, Fault::None));
        until(&scratch, &state, "it is made up for", |status| {
            count(status, "/fills_failed") >= failed
                && count(status, "/baskets/reopened") >= 1
                && at_rest(status)
        });
    }
    let report = ends_well(&scratch, &state, run, &access);
    assert!(count(&report, "/baskets/reopened") >= 1);
    assert_eq!(ask(&database(&state), "SELECT count(*) FROM alarms WHERE what = 'failed_fill'"), 3);
    pairs_are_even(&access, &state);
    twin.stop().unwrap();
}

/// Orders of a person with the same keys, far from the market: the venues' ids.
pub fn placed_by_hand(access: &Access, directory: &Directory) -> [String; 2] {
    placed_again(access, directory, 1)
}

/// The same for the `nth` time on these accounts: an order's own id is taken once.
pub fn placed_again(access: &Access, directory: &Directory, nth: u64) -> [String; 2] {
    let mut last = String::new();
    let [clob, rest] = Venue::ALL.map(|venue| access.accounts.at(venue).client(&access.trust));
    let signer = &access.accounts.of::<PolymarketAccount>().unwrap().signer;
    // In markets that are open long enough: one that settles takes the order with it.
    let lasting = |venue| {
        let mut entries: Vec<_> = directory.of(venue).collect();
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.def.close));
        entries
    };
    let polymarket = lasting(Venue::Polymarket).into_iter().find_map(|entry| {
        let Names::Polymarket(names) = &entry.names else { return None };
        let order = Order {
            id: OrderId::new(6 + nth),
            epoch: 0,
            decided: Nanos::from_secs(1_795_000_000),
            group: GroupId::new(0),
            market: entry.def.market,
            venue: Venue::Polymarket,
            outcome: Outcome::Yes,
            action: Action::Buy,
            price: Price::from_ticks(100).unwrap(),
            qty: Qty::from_contracts(200),
            tif: Tif::Gtc,
            expires: None,
            post_only: true,
            purpose: Purpose::Leg,
        };
        let signed = signer.order(names, &order).unwrap();
        let mut body = Vec::new();
        encode::post_order(&mut body, signer, &signed);
        let answer = clob.post("/order", &body);
        last = format!("{answer:?}");
        answer.ok()?["orderID"].as_str().map(str::to_owned)
    });
    let kalshi = lasting(Venue::Kalshi).into_iter().find_map(|entry| {
        let Names::Kalshi(names) = &entry.names else { return None };
        let order = json!({
            "ticker": names.ticker, "client_order_id": format!("by-hand-{nth}"), "side": "bid", "count": "2.00",
            "price": "0.0100", "time_in_force": "good_till_canceled",
            "self_trade_prevention_type": "taker_at_cross", "exchange_index": names.exchange_index,
        });
        let answer = rest.post("/portfolio/events/orders", order.to_string().as_bytes());
        last = format!("{last} {answer:?}");
        answer.ok()?["order_id"].as_str().map(str::to_owned)
    });
    [polymarket, kalshi].map(|id| id.unwrap_or_else(|| panic!("not placed: {last}")))
}

pub fn orders_of_others_are_named_once_and_left_alone() {
    let scratch = Scratch::new("foreign");
    fs::write(scratch.path("surefoot.toml"), TIMES).unwrap();
    let state = scratch.path("state");
    let twin = Twin::start(&scratch, 34);
    let run = run_against(&scratch, &twin.venues, &state, "run");
    let before = until(&scratch, &state, "trading", |status| count(status, "/orders/sent") > 0);
    assert_eq!((count(&before, "/orders/foreign"), &before["foreign_orders"]), (0, &json!([])));

    let ids = placed_by_hand(&twin.access, &names(&twin.access, &state));
    let wanted = [format!("polymarket order {}", ids[0]), format!("kalshi order {}", ids[1])];
    let seen =
        until(&scratch, &state, "both are seen", |status| count(status, "/orders/foreign") == 2);
    assert_eq!(seen["foreign_orders"], json!(wanted));
    // Further readings raise no further alarm, and it trades on.
    let sent = count(&seen, "/orders/sent");
    until(&scratch, &state, "it trades on", |status| count(status, "/orders/sent") > sent);
    let compared = |status: &Value| count(status, "/compared_s_ago");
    until(&scratch, &state, "the next comparison is near", |status| compared(status) >= 2);
    until(&scratch, &state, "compared once more", |status| compared(status) < 2);

    let foreign_orders = |said: &crate::rig::Said| said.json()["foreign_orders"].clone();
    // What the hand's order holds of Kalshi's cash is a difference until it could be read twice in peace.
    let ended = |code: Option<i32>, said: &crate::rig::Said| {
        let blamed = said.err.lines().filter(|line| line.contains("not reconciled: "));
        let blamed: Vec<&str> = blamed.collect();
        assert_eq!(code, Some(if blamed.is_empty() { 0 } else { 10 }), "{said:#?}");
        for why in blamed {
            assert!(why.contains("kalshi cash") && why.contains("not ours"), "{why}");
        }
    };
    let stopped = say(&scratch, &state, "stop").code;
    let said = run.end();
    ended(stopped, &said);
    assert_eq!(foreign_orders(&said), json!(wanted), "{said:#?}");
    for name in &wanted {
        assert_eq!(said.err.matches(name.as_str()).count(), 1, "said once: {}", said.err);
    }
    let alarms = "SELECT count(*) FROM alarms WHERE what = 'foreign_order'";
    assert_eq!(ask(&database(&state), alarms), 2);
    let open: Vec<String> = truths(&twin.access, &state)
        .into_iter()
        .flat_map(|truth| truth.open.into_iter().map(|open| open.id))
        .collect();
    assert_eq!(open, ids, "they rest as they did");

    // The next start knows them: named, no new alarm.
    let run = run_against(&scratch, &twin.venues, &state, "again");
    until(&scratch, &state, "seen at the start", |status| {
        status["reconciled"] == true && count(status, "/orders/foreign") == 2
    });
    let stopped = say(&scratch, &state, "stop").code;
    let said = run.end();
    ended(stopped, &said);
    assert_eq!(foreign_orders(&said), json!(wanted));
    assert_eq!(ask(&database(&state), alarms), 2);
}
