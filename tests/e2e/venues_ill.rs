//! Venues that are ill rather than away: answers that come late or say nothing, orders turned away while everything else
//! is well, a market stream that lives and carries nothing. Afterwards every group is hedged or flat, both venues hold
//! the same of each pair, and it trades again by itself.

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use surefoot::access::Access;
use surefoot::twin::Host;
use surefoot::twin::demo::Demo;
use surefoot::twin::open::{Options, open};
use surefoot::twin::server::{Command, ConditionId, Fault, Remote, Running};
use surefoot_hot::ids::Venue;
use surefoot_hot::units::Nanos;

use crate::harness::take_seed;
use crate::loopback::{ends_well, opened, recovers};
use crate::rig::{Process, Scratch, ask, command_against, count, database, holds, until, wait};
use crate::safety::pairs_are_even;

pub const POLYMARKET_REST: [Host; 3] = [Host::PolymarketClob, Host::Gamma, Host::Data];
/// Settings of a run that looks sooner whether a venue is well again, as an operator may have it: the breaker's time is
/// a third of an illness, so that it is tried and found ill again in between.
pub const TIMES: &str = "[times]\nbreaker_ms = 5000\ncompare_ms = 3000\ncompare_again_ms = 1000\n";
/// How long a venue is ill.
const ILL: Duration = Duration::from_secs(15);
/// How often it falls ill until something was under way.
const ILLNESSES_MAX: u32 = 5;

/// A run that trades, and the venues it trades at.
pub struct Ward {
    pub scratch: Scratch,
    pub state: PathBuf,
    access: Access,
    remote: Remote<Demo>,
    twin: Running<Demo>,
    pub run: Process,
    /// The last status while all was well.
    well: Value,
}

impl Ward {
    pub fn open(name: &'static str, seed: u64) -> Self {
        Self::open_with(name, seed, &[])
    }

    /// The same with more in the run's environment.
    pub fn open_with(name: &'static str, seed: u64, environment: &[(&str, String)]) -> Self {
        let scratch = Scratch::new(name);
        std::fs::write(scratch.path("surefoot.toml"), TIMES).unwrap();
        let state = scratch.path("state");
        let options = Options { seed: take_seed(seed), ..Options::default() };
        let (server, description) = open(&options, &scratch.path("twin")).unwrap();
        let venues = scratch.path("venues.json");
        std::fs::write(&venues, description.to_string()).unwrap();
        let access = Access::from_file(&venues).unwrap();
        let remote = server.remote();
        let twin = server.spawn().unwrap();
        let mut command = command_against(&scratch, &venues, &state);
        command.envs(environment.iter().map(|(key, value)| (key, value)));
        let run = Process::spawn(&scratch, "run", command);
        let well =
            until(&scratch, &state, "trading", |status| count(status, "/baskets/completed") > 0);
        Self { scratch, state, access, remote, twin, run, well }
    }

    pub fn fault(&self, hosts: &[Host], fault: Fault) {
        for &host in hosts {
            self.remote.command(Command::Fault(host, fault));
        }
    }

    pub fn until(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        until(&self.scratch, &self.state, what, wanted)
    }

    /// While the venue is ill: no halt, no group left to a person. The last status.
    fn never_gives_up(&self, span: Duration) -> Value {
        holds(&self.scratch, &self.state, span, "it goes on without a person", |status| {
            status["halted"] == false && count(status, "/baskets/operator") == 0
        })
    }

    /// Illnesses by the same fault until baskets were under way in one: the program stops opening when a reading fails,
    /// and a gap may come too late. The last status.
    fn is_ill_while_trading(&self, begin: impl Fn(&Self), end: impl Fn(&Self)) -> Value {
        let mut well = self.well.clone();
        for _ in 0..ILLNESSES_MAX {
            begin(self);
            let ill = self.never_gives_up(ILL);
            if opened(&ill) > opened(&well) {
                return ill;
            }
            end(self);
            well = recovers(&self.scratch, &self.state, &ill);
        }
        panic!("nothing was under way in {ILLNESSES_MAX} illnesses: it proves nothing");
    }

    /// It is said on stderr when it begins, and kept.
    pub fn alarmed(&self, row: &str) {
        // The terminal is a sink of its own and may be a moment behind the status.
        let alarm = format!("ALARM {row}: ");
        let said = wait("the alarm is said", || self.run.err().contains(&alarm).then_some(()));
        assert!(said.is_some(), "{row}: {}", self.run.err());
        let kept = format!(
            "SELECT count(*) FROM v_alarms WHERE source = 'health' AND name = '{row}' AND remedy <> '' AND at > '2020'"
        );
        let kept =
            wait("the alarm is kept", || (ask(&database(&self.state), &kept) > 0).then_some(()));
        assert!(kept.is_some(), "{row} is not in the database");
    }

    /// The venue is well: it trades as before, and nothing stands on one leg.
    pub fn discharge(mut self, since: &Value) {
        recovers(&self.scratch, &self.state, since);
        let report = ends_well(&self.scratch, &self.state, self.run, &self.access);
        assert_eq!(count(&report, "/baskets/operator"), 0);
        pairs_are_even(&self.access, &self.state);
        self.twin.stop().unwrap();
    }
}

pub fn has_row(status: &Value, row: &str) -> bool {
    status["trouble_rows"].as_array().unwrap().iter().any(|name| name == row)
}

pub fn answers_that_come_seconds_late_leave_nothing_on_one_leg() {
    let ward = Ward::open("late", 21);
    let delay = |ward: &Ward, span| {
        for host in POLYMARKET_REST {
            ward.remote.command(Command::Delay(host, span));
        }
    };
    let ill =
        ward.is_ill_while_trading(|w| delay(w, Nanos::from_secs(3)), |w| delay(w, Nanos::ZERO));
    delay(&ward, Nanos::ZERO);
    ward.discharge(&ill);
}

pub fn answers_without_a_body_leave_nothing_on_one_leg() {
    let ward = Ward::open("hollow", 22);
    let ill = ward.is_ill_while_trading(
        |ward| ward.fault(&POLYMARKET_REST, Fault::AnswersEmptied),
        |ward| ward.fault(&POLYMARKET_REST, Fault::None),
    );
    ward.fault(&POLYMARKET_REST, Fault::None);
    ward.discharge(&ill);
}

/// First legs that may be bought until a venue is known to refuse all orders: a few in flight when it begins, and those of
/// whichever baskets try it.
const BASKETS_TRIED_MAX: u64 = 8;

/// The row of the health table that names a venue which refuses every order.
fn refusals_named(status: &Value) -> Option<&'static str> {
    ["breaker_open", "orders_refused", "credentials_refused", "venue_mode"]
        .into_iter()
        .find(|row| has_row(status, row))
}

fn orders_are_turned_away(name: &'static str, seed: u64, host: Host, fault: Fault) {
    let ward = Ward::open(name, seed);
    ward.fault(&[host], fault);
    let before = ward.until("a status", |_| true);
    let seen = ward.until("the refusals are named", |status| refusals_named(status).is_some());
    assert_eq!(seen["healthy"], false, "{seen:#}");
    ward.alarmed(refusals_named(&seen).unwrap());
    let ill = ward.never_gives_up(ILL);
    let tried = opened(&ill) - opened(&before);
    assert!(tried <= BASKETS_TRIED_MAX, "{tried} baskets were tried: {ill:#}");
    ward.fault(&[host], Fault::None);
    // One order finds out, when the pause after the last refusal is over.
    let well = ward.until("orders are taken again", |status| refusals_named(status).is_none());
    ward.discharge(&well);
}

pub fn a_block_page_for_every_order_stops_first_legs_elsewhere() {
    orders_are_turned_away("blocked", 23, Host::PolymarketClob, Fault::OrdersBlocked);
}

pub fn orders_that_come_too_early_at_kalshi_stop_first_legs_elsewhere() {
    orders_are_turned_away("early-ka", 24, Host::KalshiRest, Fault::OrdersTooEarly);
}

pub fn orders_that_come_too_early_at_polymarket_stop_first_legs_elsewhere() {
    orders_are_turned_away("early-pm", 26, Host::PolymarketClob, Fault::OrdersTooEarly);
}

pub fn a_key_that_may_not_trade_for_a_while_is_asked_again_when_readings_are_answered() {
    orders_are_turned_away("forbidden", 27, Host::KalshiRest, Fault::OrdersForbidden);
}

fn wall_ns() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()).unwrap()
}

pub fn a_market_stream_of_pongs_alone_is_not_traded_on() {
    let ward = Ward::open("pongs", 25);
    let (begin, began) = (wall_ns(), Instant::now());
    ward.fault(&[Host::PolymarketWs], Fault::MarketOnlyPongs);
    ward.until("the silence is found", |status| {
        count(status, "/books/polymarket/good") == 0 && has_row(status, "no_good_book")
    });
    let found = began.elapsed();
    ward.alarmed("no_good_book");
    let blind = wall_ns();
    let ill = ward.never_gives_up(ILL);
    let end = wall_ns();
    ward.fault(&[Host::PolymarketWs], Fault::None);
    // The database has caught up with what is asked about once it trades again.
    let well = recovers(&ward.scratch, &ward.state, &ill);
    let decided = |from: i64, to: i64| {
        // The first leg may well be the one at Kalshi: what counts is that the basket has one in a frozen book.
        let query = format!(
            "SELECT count(*) FROM orders o JOIN groups g USING (world, group_id)
             WHERE o.decided_ns BETWEEN {from} AND {to} AND o.purpose = 'arb_leg' AND EXISTS (
                 SELECT 1 FROM baskets b JOIN markets m USING (world, market)
                 WHERE b.world = g.world AND b.basket = g.basket AND m.venue = 'polymarket')"
        );
        ask(&database(&ward.state), &query)
    };
    eprintln!("found after {found:?}, {} first legs until then", decided(begin, blind));
    assert_eq!(decided(blind, end), 0, "orders were decided from frozen books");
    ward.discharge(&well);
}

/// One market's changes stop while its link and its neighbours go on: nothing but its own rhythm and a look over REST tell.
pub fn a_market_that_freezes_on_a_living_stream_is_found() {
    let ward = Ward::open("frozen", 71);
    // A lively market (the first pair speaks once in some seconds), and time for it to show its rhythm.
    let market = ward.access.relations.pairs[1].name_at(Venue::Polymarket).unwrap().to_owned();
    ward.until("its rhythm is known", |status| count(status, "/frames/polymarket") >= 3_000);
    let began = Instant::now();
    let frozen = Fault::MarketFrozen(ConditionId::new(&market).unwrap());
    ward.fault(&[Host::PolymarketWs], frozen);
    let is_frozen = |status: &Value| {
        status["stale_most"].as_array().unwrap().iter().any(|stale| {
            let times = stale.pointer("/reasons/frozen").and_then(Value::as_u64).unwrap_or(0);
            stale["market"] == market.as_str() && times > 0
        })
    };
    let ill = ward.until("the market is found frozen", is_frozen);
    eprintln!("found after {:?}: {}", began.elapsed(), ill["stale_most"]);
    assert_eq!(count(&ill, "/links_up"), 4, "the streams live");
    ward.fault(&[Host::PolymarketWs], Fault::None);
    ward.until("a fresh snapshot shows that it had frozen", |status| {
        count(status, "/figures/core/core_markets_frozen") > 0
    });
    let told = wait("the alarm is kept", || {
        let query = "SELECT count(*) FROM alarms WHERE what = 'frozen'";
        (ask(&database(&ward.state), query) > 0).then_some(())
    });
    assert!(told.is_some(), "{}", ward.run.err());
    ward.discharge(&ill);
}

/// Fills that no stream tells are asked for, the first time at once: a leg stands alone for no longer than that and a
/// loaded machine take.
const UNTOLD_ONE_LEG_MAX: Duration = Duration::from_secs(5);

pub fn private_streams_that_tell_nothing_of_our_orders_leave_nothing_on_one_leg() {
    let ward = Ward::open("untold", 35);
    let begin = wall_ns();
    ward.fault(&[Host::PolymarketWs, Host::KalshiWs], Fault::PrivateUntold);
    let ill = ward.never_gives_up(ILL);
    assert!(count(&ill, "/baskets/completed") > count(&ward.well, "/baskets/completed"), "{ill:#}");
    assert_eq!(count(&ill, "/links_up"), 4, "the streams live");
    ward.fault(&[Host::PolymarketWs, Host::KalshiWs], Fault::None);
    let well = recovers(&ward.scratch, &ward.state, &ill);
    let longest = ask(
        &database(&ward.state),
        &format!("SELECT max(one_leg_ns) FROM groups WHERE created_ns >= {begin}"),
    );
    let longest = Duration::from_nanos(u64::try_from(longest).unwrap());
    eprintln!("longest on one leg: {longest:?}");
    assert!(longest <= UNTOLD_ONE_LEG_MAX, "{longest:?}");
    ward.discharge(&well);
}
