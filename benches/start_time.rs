//! How long a start takes on a journal of a simulated day (synthetic: the twin's markets, one seed), with as many orders open as the core
//! holds: from the newest snapshot, and from the beginning. Then whole starts against a twin, from the process until it agrees with both
//! venues: with nothing on the books, and with as many orders resting at both venues as the core holds. `cargo bench --bench start_time -- [events] [directory]`
//!
//! The day is written as a run writes it, and the follower takes its snapshots beside. Then the run "dies" with as many records
//! behind the last snapshot as there ever are, and the steps of a start that read files are timed: the journal's end held
//! against its mark, the state restored, a second core for the follower, the journal opened behind its end, and the wire logs read.

use std::cell::RefCell;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use surefoot::access::Access;
use surefoot::control::client::ask;
use surefoot::machine::venue::PolymarketAccount;
use surefoot::sim;
use surefoot::sim::day_journal::{append, options};
use surefoot_cold::directory::{Directory, Entry, Names};
use surefoot_cold::journal::{Journal, Mark, Replayed};
use surefoot_cold::rest::{Rest, RestError};
use surefoot_cold::snapshot::{Follower, Following, list, restore};
use surefoot_cold::state_dir::StateDir;
use surefoot_cold::store::names::MarketNames;
use surefoot_cold::venue::{kalshi, polymarket};
use surefoot_cold::wall::unix_ns;
use surefoot_cold::wirelog::{self, Ended, Sent, SyncMode, VenueId, WireLog};
use surefoot_hot::bounds::ORDERS_LIVE_MAX;
use surefoot_hot::event::Event;
use surefoot_hot::ids::{Action, GroupId, MarketId, OrderId, OrderRef, Outcome, Venue};
use surefoot_hot::order::{Order, Purpose, Tif};
use surefoot_hot::outbox::Outbox;
use surefoot_hot::report::{OrderStatus, Report, VenueState};
use surefoot_hot::units::{Nanos, Price, Qty};

/// The journal's records behind the last snapshot, at most: as the follower takes them.
const TAIL: u64 = 250_000;
const SEED: u64 = 1;
/// Starts over the wire that are timed.
const STARTS: usize = 5;
/// Orders that rest at both venues together as the program starts.
const ORDERS: u64 = 1_000;
/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Writes the journal of a day of at least so many events, followed until `TAIL` records before its end.
fn write_day(root: &Path, events: u64) -> u64 {
    struct Writing {
        journal: Journal,
        follower: Option<Follower>,
        events: u64,
        stop_after: u64,
    }
    let state = StateDir::at(root);
    let journal = Journal::open(options(root, 1), Nanos::ZERO).expect("it can be written");
    let following = Following {
        journal: state.journal(),
        snapshots: state.snapshots(),
        applied: Box::new(|| 0), // nothing is removed
        keep: Duration::MAX,
        begins: journal.begins(),
        folded: None,
    };
    let follower = Some(Follower::start(following).expect("a thread can be started"));
    // What a record costs in events is not known before: notes and intents are few.
    let stop_after = events.saturating_sub(TAIL);
    let writing = Rc::new(RefCell::new(Writing { journal, follower, events: 0, stop_after }));
    let heard = Rc::clone(&writing);
    let listener: sim::Listener = Box::new(move |now, event, out| {
        let mut to = heard.borrow_mut();
        if to.events == events {
            return;
        }
        to.events += 1;
        append(&mut to.journal, now, event, out).expect("there is room");
        if to.events.is_multiple_of(4_096) {
            to.journal.flush().expect("there is room");
            drop(to.journal.take_made()); // nobody else follows it
        }
        if to.events == to.stop_after {
            to.journal.flush().expect("there is room");
            let follower = to.follower.take().expect("it stops once");
            let (figures, trouble) = follower.close();
            println!(
                "snapshots while the day was written: {figures:?} {}",
                trouble.unwrap_or_default()
            );
        }
    });
    // A day has some 1.3 million events; the rest of it is not written down.
    let hours = (events / 45_000 + 2).min(24);
    // A kill would begin another run, which this journal does not have.
    let span = Nanos::from_secs(hours * 3_600);
    let plan = sim::Plan { listener, faults: Vec::new(), ..sim::Plan::of(SEED, span) };
    sim::run_planned(SEED, span, plan).expect("the day holds");
    let mut writing = writing.borrow_mut();
    writing.journal.flush().and_then(|()| writing.journal.sync()).expect("there is room");
    assert_eq!(writing.events, events, "the day is long enough");
    writing.events
}

/// An order that rests at a price that nobody sells at.
fn order(id: u64, market: MarketId, venue: Venue, decided: Nanos) -> Order {
    Order {
        id: OrderId::new(id),
        epoch: 1,
        decided,
        group: GroupId::new(0),
        market,
        venue,
        outcome: Outcome::Yes,
        action: Action::Buy,
        price: Price::from_ticks(100).expect("a cent"),
        qty: Qty::from_contracts(10),
        tif: Tif::Gtc,
        expires: None,
        post_only: true,
        purpose: Purpose::Quote,
    }
}

/// A run goes on from the day, with as many orders on the books as the core holds, and dies.
fn open_orders(root: &Path, folded: Replayed) -> usize {
    let mut options = options(root, 2);
    options.untold = folded.untold;
    let (mut core, now) = (folded.core, folded.last);
    let mut journal = Journal::open(options, now).expect("it can be opened");
    let mut out = Outbox::new();
    let markets: Vec<_> = core
        .books()
        .iter()
        .filter_map(|(market, _)| Some((market, core.books().terms(market)?.venue)))
        .collect();
    let ids = core.next_order()..;
    for (id, (market, venue)) in ids.zip(markets.into_iter().cycle()).take(2 * ORDERS_LIVE_MAX) {
        if core.orders().live_len() == ORDERS_LIVE_MAX {
            break;
        }
        let status = OrderStatus {
            order: OrderRef::Id(OrderId::new(id)),
            state: VenueState::Resting,
            filled: Some(Qty::ZERO),
        };
        let taken = Event::Adopt(order(id, market, venue, now));
        for event in [taken, Event::Report(Report::Status(status))] {
            core.on_event(now, &event, &mut out);
            append(&mut journal, now, &event, &out).expect("there is room");
            out.clear();
        }
    }
    journal.flush().and_then(|()| journal.sync()).expect("there is room");
    core.orders().live_len()
}

fn timed<T>(what: &str, step: impl FnOnce() -> T) -> T {
    let begin = Instant::now();
    let made = step();
    println!("  {what:<44} {:>6} ms", begin.elapsed().as_millis());
    made
}

fn size_of(dir: &Path) -> u64 {
    let files = fs::read_dir(dir).into_iter().flatten().flatten();
    files.filter_map(|file| file.metadata().ok()).map(|meta| meta.len()).sum()
}

/// A wire log of orders whose end is not known, beyond those that it holds.
fn write_log(state: &StateDir, venue: Venue, market: MarketId, first: u64, count: u64) {
    let path = state.wire_log(venue.name());
    let (mut log, _) = WireLog::open(&path, SyncMode::Grouped).expect("it can be written");
    for id in first..first + count {
        let name: Vec<u8> = id.to_le_bytes().into_iter().cycle().take(32).collect();
        let name = match venue {
            Venue::Polymarket => VenueId::new(&name).expect("32 bytes"),
            Venue::Kalshi => VenueId::NONE,
        };
        let sent = Sent::of(
            &order(id, market, venue, Nanos::new(unix_ns())),
            Nanos::new(unix_ns()),
            1,
            name,
        );
        log.append(&wirelog::Record::Sent(sent)).expect("there is room");
    }
}

fn files(root: &Path, events: u64) {
    let state = StateDir::open(root).expect("the directory can be made");
    let events = write_day(root, events);
    let say = |line: &str| println!("{line}");
    let day = restore(&state.journal(), &state.snapshots(), say).expect("it can be restored");
    let open = open_orders(root, day);
    for (venue, market) in Venue::ALL.into_iter().zip(0..) {
        write_log(&state, venue, MarketId::new(market), 1, ORDERS_LIVE_MAX as u64 / 2);
    }
    println!("{events} events, {open} orders open, journal of {} bytes", size_of(&state.journal()));
    let newest = list(&state.snapshots()).expect("it can be listed").first().cloned();
    let bytes = newest.and_then(|file| fs::metadata(file.path).ok()).map_or(0, |meta| meta.len());
    println!("newest snapshot of {bytes} bytes");

    println!("a start:");
    let begin = Instant::now();
    timed("journal.mark against the journal's end", || {
        let mark = Mark::read(&state.journal_mark()).expect("it is whole").expect("it is there");
        mark.check(&state.journal()).expect("the end is there");
    });
    let restored = timed("snapshot and what is behind it", || {
        restore(&state.journal(), &state.snapshots(), say).expect("it can be restored")
    });
    timed("a second core for the follower", || drop(restored.twin()));
    timed("the journal opened behind its end", || {
        drop(Journal::open(options(root, 3), Nanos::ZERO).expect("it can be opened"));
    });
    timed("both wire logs", || {
        for venue in Venue::ALL {
            let log = state.wire_log(venue.name());
            wirelog::shorten(&log, Nanos::ZERO, |_| false).expect("it is whole");
            drop(WireLog::open(&log, SyncMode::Grouped).expect("it is whole"));
        }
    });
    println!("  {:<44} {:>6} ms", "in all", begin.elapsed().as_millis());
    let records = restored.counts.records;
    println!("  {records} records, {} behind the snapshot", records + 1 - restored.first);

    println!("without a snapshot:");
    let whole = timed("the whole journal", || {
        restore(&state.journal(), &root.join("none"), say).expect("it can be folded")
    });
    assert_eq!(whole.core.state_hash(), restored.core.state_hash(), "both ways lead to one state");
    println!("state hash {:016x} both ways", whole.core.state_hash());
}

/// A process that goes with the value.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn surefoot(root: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_surefoot"));
    command.args(words).current_dir(root).env("SUREFOOT__RESTART__CRASHES_MAX", "0");
    command.stdin(Stdio::null()).stderr(Stdio::null());
    command
}

fn status(state: &StateDir) -> Option<Value> {
    let mut answer = ask(state, &json!({ "cmd": "status" }), PATIENCE).ok()?;
    answer.get_mut("status").map(Value::take)
}

/// `count` markets of a venue that are traded for the next hour, over and over.
fn markets(directory: &Directory, venue: Venue, count: u64) -> impl Iterator<Item = &Entry> {
    let until = Nanos::new(unix_ns()).after(Nanos::from_secs(3_600));
    let lasts = |entry: &&Entry| entry.def.status.is_traded() && entry.def.close > until;
    let all: Vec<&Entry> = directory.of(venue).filter(lasts).collect();
    (0..count as usize).map(move |nth| all[nth % all.len()])
}

/// Sends a request until it is not refused for its rate.
fn post(rest: &Rest, path: &str, body: &[u8]) -> Value {
    loop {
        match rest.post(path, body) {
            Ok(answer) => return answer,
            Err(RestError::Status { status: 429, .. }) => {
                std::thread::sleep(Duration::from_millis(100)); // the venue's own rate
            }
            Err(error) => panic!("the twin takes an order that rests: {error}"),
        }
    }
}

/// Orders that really rest at the twin, as a program placed them whose journal is lost: the wire logs have them, with the ids that the
/// venues gave.
fn place(state: &StateDir, access: &Access, directory: &Directory, orders: u64) {
    // Above those of the starts before, whose orders the twin remembers.
    let first = OrderId::first_at(unix_ns() / 1_000_000_000 + 60).get();
    let log = |venue: Venue| {
        let (log, _) = WireLog::open(&state.wire_log(venue.name()), SyncMode::Grouped)
            .expect("it can be written");
        log
    };
    let now = || Nanos::new(unix_ns());
    let begin = Instant::now();
    let kalshi = access.accounts.at(Venue::Kalshi).client(&access.trust);
    let mut to = log(Venue::Kalshi);
    for (nth, entry) in (0..).zip(markets(directory, Venue::Kalshi, orders / 2)) {
        let Names::Kalshi(names) = &entry.names else { panic!("Kalshi's") };
        let order = order(first + nth, entry.def.market, Venue::Kalshi, now());
        let mut body = Vec::new();
        kalshi::encode::create(&mut body, names, &order).expect("it can be written");
        let path = kalshi::encode::ORDERS.strip_prefix(kalshi::encode::ROOT).expect("it is below");
        let answer = post(&kalshi, path, &body);
        let id = answer["order_id"].as_str().expect("it names the order");
        let id = VenueId::new(id.as_bytes()).expect("a UUID");
        let sent = Sent::of(&order, now(), 1, VenueId::NONE);
        to.append(&wirelog::Record::Sent(sent)).expect("there is room");
        let end = wirelog::Record::End { at: now(), order: order.id, how: Ended::Taken, id };
        to.append(&end).expect("there is room");
    }
    println!("  Kalshi's orders placed after {:?}", begin.elapsed());
    // The dead-man switch of the runs before fires within fifteen seconds of their last beat, and would take these too.
    std::thread::sleep(Duration::from_secs(20));
    let polymarket = access.accounts.at(Venue::Polymarket).client(&access.trust);
    let account = access.accounts.of::<PolymarketAccount>().expect("the twin's");
    let mut to = log(Venue::Polymarket);
    for (nth, entry) in (orders / 2..).zip(markets(directory, Venue::Polymarket, orders / 2)) {
        let Names::Polymarket(names) = &entry.names else { panic!("Polymarket's") };
        let order = order(first + nth, entry.def.market, Venue::Polymarket, now());
        let signed = account.signer.order(names, &order).expect("it can be signed");
        let mut body = Vec::new();
        polymarket::encode::post_order(&mut body, &account.signer, &signed);
        let answer = post(&polymarket, polymarket::encode::path::ORDER, &body);
        assert_eq!(answer["success"], true, "{answer}");
        let id = VenueId::new(&signed.id).expect("32 bytes");
        let sent = Sent::of(&order, now(), 1, id);
        to.append(&wirelog::Record::Sent(sent)).expect("there is room");
        let end = wirelog::Record::End { at: now(), order: order.id, how: Ended::Taken, id };
        to.append(&end).expect("there is room");
    }
    println!("  all orders placed after {:?}", begin.elapsed());
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("there is room");
    for entry in fs::read_dir(from).expect("it is there").flatten() {
        let to = to.join(entry.file_name());
        let kind = entry.file_type().expect("it is there");
        if kind.is_dir() {
            copy(&entry.path(), &to);
        } else if kind.is_file() {
            fs::copy(entry.path(), to).expect("there is room");
        }
    }
}

/// From the process until it agrees with both venues, with so many orders of an earlier run on the books. Then both processes die, as
/// with the machine, and the orders go on resting.
fn start(root: &Path, venues: &Path, before: &Path, orders: u64) -> Duration {
    let state = StateDir::at(&root.join("wire"));
    let _ = fs::remove_dir_all(state.root());
    copy(before, state.root());
    let begin = Instant::now();
    let mut command = surefoot(root, &["run", "--topology", "calm", "--json", "--venues"]);
    command.arg(venues).arg("--state").arg(state.root()).stdout(Stdio::null());
    let mut run = Process(command.spawn().expect("it can be started"));
    let (took, status) = loop {
        assert!(begin.elapsed() < PATIENCE, "it never agrees with the venues");
        let ended = run.0.try_wait().expect("it is ours");
        assert!(ended.is_none(), "it ended: {ended:?}");
        if let Some(status) = status(&state)
            && status["reconciled"] == true
        {
            break (begin.elapsed(), status);
        }
    };
    println!("  agreed after {took:?}; orders {}", status["orders"]);
    assert!(
        status["orders"]["live"].as_u64() >= Some(orders),
        "all of them rest: {}",
        status["orders"]
    );
    if let Some(watchdog) = status["watchdog"].as_u64() {
        // It would cancel what a dead program left.
        let killed = Command::new("kill").args(["-9", &watchdog.to_string()]).status();
        assert!(killed.expect("there is a kill").success());
    }
    drop(run);
    took
}

fn over_the_wire(root: &Path) {
    let dir = root.join("twin");
    let mut command =
        surefoot(root, &["twin", "--world", "calm", "--json", "--seed", "5121", "--dir"]);
    let mut twin = Process(command.arg(&dir).stdout(Stdio::piped()).spawn().expect("it starts"));
    let mut line = String::new();
    let out = twin.0.stdout.take().expect("it is piped");
    BufReader::new(out).read_line(&mut line).expect("it says how it is reached");
    let venues = root.join("venues.json");
    fs::write(&venues, &line).expect("there is room");
    let access = Access::from_file(&venues).expect("the twin describes itself");
    let before = root.join("before");
    let mut first = surefoot(root, &["run", "--topology", "calm", "--for", "3s", "--json"]);
    first.arg("--venues").arg(&venues).arg("--state").arg(&before);
    first.stdout(Stdio::null()).status().expect("it runs");
    for orders in [0, ORDERS] {
        println!("starts against a twin, {orders} orders of an earlier run rest there:");
        if orders > 0 {
            let state = StateDir::at(&before);
            let names = MarketNames::load(&state.names()).expect("a run came before");
            let directory = names.directory(access.identity()).expect("a run came before");
            place(&state, &access, directory, orders);
        }
        let mut took: Vec<Duration> =
            (0..STARTS).map(|_| start(root, &venues, &before, orders)).collect();
        took.sort();
        println!("  p50 {:?}, most {:?}", took[STARTS / 2], took[STARTS - 1]);
    }
}

fn main() {
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench"); // Cargo adds that one
    let events = args.next().map_or(1_000_000, |text| text.parse().expect("a number of events"));
    let root =
        args.next().map_or_else(|| std::env::temp_dir().join("surefoot-start-time"), PathBuf::from);
    let _ = fs::remove_dir_all(&root);
    files(&root, events);
    over_the_wire(&root);
    let _ = fs::remove_dir_all(&root);
}
