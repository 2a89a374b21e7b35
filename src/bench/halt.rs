//! How long from a halt until the last byte of an order that opens something, and until both venues are told to cancel everything?
//! More than a millisecond and twenty, and a halt waits for something that it should not wait for.
//!
//! A run of this program in a process of its own, as a user's, before a twin in this one whose answers take some milliseconds, so that
//! something is under way whenever a halt comes. The halt is written to the run's control socket while a basket is under way: as soon
//! as an order arrives at the twin, and in turn about when its answer is back and the next leg leaves. The clock starts where the run
//! has read the command, by the run's own word, and stops where the twin reads the first byte of a request: all rows hold the way
//! there. How long the command takes until it is read has a row of its own.
//!
//! What leaves after a halt to close what stands on one leg is meant to leave, and has a row of its own: the run's wire logs say what an
//! order was for.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crossbeam_channel::Receiver;
use hdrhistogram::Histogram;
use serde_json::{Value, json};
use surefoot_cold::state_dir::StateDir;
use surefoot_cold::venue::kalshi::encode::client_id;
use surefoot_cold::venue::polymarket::signer::salt;
use surefoot_cold::wirelog::{self, Record, Sent};
use surefoot_hot::ids::Venue;
use surefoot_hot::order::Purpose;
use surefoot_hot::per_venue::PerVenue;
use surefoot_hot::units::Nanos;

use super::{Row, histogram};
use crate::cli::TopologyArg;
use crate::control::client::{PATIENCE_LONG, ask};
use crate::drill::program::{Place, Program, until};
use crate::twin::Host;
use crate::twin::demo::Demo;
use crate::twin::open::{Options, open};
use crate::twin::server::{Command, Running, Stamp, StampKind};
use crate::twin::world::{Drawn, FlowRules, Way, Ways, World, WorldName};

/// So many halts of one run; then another one begins, on an account of its own. Half of the halts break a basket: a run learns how often its
/// legs fail, and after some thirty halts buys hardly anything any more, because no gap pays for that.
const HALTS_A_RUN: u32 = 12;
/// The markets of a run: a basket that was sold again rests for a quarter of an hour, and each halt leaves one so.
const MARKETS: usize = 120;
/// From one gap to the next, in milliseconds: nobody waits for an order for long, and cash lasts for a run.
const GAP_EVERY_MS: (u64, u64) = (150, 350);
/// How long answers and private frames of the twin take, in microseconds. Requests take no time: they are heard of as they arrive.
const ANSWERS_US: u64 = 5_000;
/// Halts about the time of an answer come so much before or after it at most, in microseconds.
const AROUND_US: u64 = 500;
/// Runs that trade no more before their last halt, at most: then what was measured until then is told.
const GIVEN_UP_MAX: usize = 5;
/// How long an order is waited for, and a run until it trades.
const ORDER_WITHIN: Duration = Duration::from_secs(30);
/// A control connection on which nothing was said is made anew after this time: the run hangs up on a silent one.
const CONNECTED_FOR: Duration = Duration::from_secs(5);
/// How long after the halt requests are watched for: ten times as long as any of them may take.
const WATCHED_FOR: Duration = Duration::from_millis(250);
/// How long a resume may take: both venues must be agreed with.
const RESUMED_WITHIN: Duration = Duration::from_secs(120);
/// How long a run may take to end.
const ENDED_WITHIN: Duration = Duration::from_secs(60);
/// A measurement goes on after a bad day.
const SETTINGS: &str = "profile = \"large\"\n";

/// A twin, and a run before it.
struct Stage {
    dir: PathBuf,
    twin: Running<Demo>,
    stamps: Receiver<Stamp>,
    /// The twin's clock stood there at that moment of ours.
    zero: (Instant, Nanos),
    run: Program,
    state: StateDir,
}

/// What one halt came to, in nanoseconds; what did not come is `None`.
struct Shot {
    /// From the command written to the command read.
    read: u64,
    /// To the last order that opens something.
    opening: Option<u64>,
    /// To the last order that closes something.
    closing: Option<u64>,
    /// To the cancel of everything at the venue that heard of it last. A venue is told where something is under way there.
    cancelled: Option<u64>,
}

impl Drop for Stage {
    fn drop(&mut self) {
        if self.run.stop() {
            until(ENDED_WITHIN, || self.run.ended());
        }
        self.run.kill();
        let _ = self.twin.stop(); // it goes with the process
        let _ = fs::remove_dir_all(&self.dir); // in the system's temporary place
    }
}

fn failed(doing: &str) -> impl Fn(std::io::Error) -> String {
    move |error| format!("{doing}: {error}")
}

impl Stage {
    fn new(seed: u64) -> Result<Self, String> {
        let dir =
            std::env::temp_dir().join(format!("surefoot-halts-{}-{seed}", std::process::id()));
        fs::create_dir_all(&dir).map_err(failed("making a directory"))?;
        fs::write(dir.join("surefoot.toml"), SETTINGS).map_err(failed("writing the settings"))?;
        let options =
            Options { seed, markets: Some(MARKETS), world: world(), ..Options::default() };
        let (server, description) =
            open(&options, &dir.join("twin")).map_err(|error| error.to_string())?;
        let venues = dir.join("venues.json");
        fs::write(&venues, description.to_string()).map_err(failed("describing the twin"))?;
        let twin = server.spawn().map_err(failed("starting the twin"))?;
        let (to, stamps) = crossbeam_channel::bounded(1 << 16);
        twin.remote.command(Command::Stamps(Some(to)));
        let zero = zero_of(&twin).ok_or("the twin has ended")?;
        let state = StateDir::at(&dir.join("state"));
        let place = Place { dir: dir.clone(), state: state.root().to_owned(), venues };
        let run = Program::start(&place, "run", TopologyArg::Auto, |_| ());
        let run = run.map_err(failed("starting the run"))?;
        Ok(Self { dir, twin, stamps, zero, run, state })
    }

    /// From a moment of ours to a stamp of the twin's, in nanoseconds; zero where the stamp is the earlier one.
    fn since(&self, from: Instant, stamp: &Stamp) -> u64 {
        let (zero, at) = self.zero;
        let from = at.after(Nanos::new(nanos(from.saturating_duration_since(zero))));
        stamp.at.since(from).get()
    }

    /// Waits for an order at the twin, with a connection to the run's control ready.
    fn order_arrives(&mut self) -> Result<UnixStream, String> {
        while self.stamps.try_recv().is_ok() {}
        let begin = Instant::now();
        while begin.elapsed() < ORDER_WITHIN {
            if self.run.ended().is_some() {
                return Err(format!("the run has ended: {}", self.run.last_words()));
            }
            let Ok(control) = UnixStream::connect(self.state.control_socket()) else {
                std::thread::sleep(Duration::from_millis(50)); // it still starts
                continue;
            };
            let until = Instant::now() + CONNECTED_FOR;
            while let Ok(stamp) = self.stamps.recv_deadline(until) {
                if stamp.kind == StampKind::PostIn {
                    return Ok(control);
                }
            }
        }
        Err(format!("no order came in {ORDER_WITHIN:?}: {}", self.run.last_words()))
    }

    /// Halts in mid-basket, so long after an order has arrived, and watches what still arrives.
    fn shoot(&mut self, after: Duration) -> Result<Shot, String> {
        let mut control = self.order_arrives()?;
        let arrived = Instant::now();
        while arrived.elapsed() < after {
            std::hint::spin_loop();
        }
        let (from, wall) = (Instant::now(), unix_ns());
        control
            .write_all(b"{\"cmd\":\"halt\",\"reason\":\"a measurement\"}\n")
            .map_err(failed("halting"))?;
        let mut seen = Vec::new();
        while let Ok(stamp) = self.stamps.recv_deadline(from + WATCHED_FOR) {
            seen.push(stamp);
        }
        let mut answer = String::new();
        BufReader::new(control).read_line(&mut answer).map_err(failed("the halt's answer"))?;
        let answer: Value = serde_json::from_str(&answer).map_err(|error| error.to_string())?;
        if answer["ok"] != true {
            return Err(format!("not halted: {answer}"));
        }
        let read = answer["read_ns"].as_u64().ok_or("the answer says not when it was read")?;
        let read = read.saturating_sub(wall);
        let from = from + Duration::from_nanos(read);
        let (mut told, mut late) = (PerVenue::<Option<u64>>::all(None), Vec::new());
        for stamp in seen {
            let span = self.since(from, &stamp);
            match stamp.kind {
                StampKind::PostIn if span > 0 => late.push((span, stamp.order)),
                StampKind::CancelAllIn => {
                    let mut venues = Venue::ALL.into_iter();
                    let venue = venues.find(|venue| Host::of_orders(*venue) == stamp.host);
                    let venue = venue.ok_or("a cancel came to a host without orders")?;
                    told[venue].get_or_insert(span);
                }
                StampKind::PostIn | StampKind::FramesOut { .. } => {}
            }
        }
        let cancelled = told.values().copied().flatten().max();
        let mut shot = Shot { read, opening: None, closing: None, cancelled };
        let purposes = if late.is_empty() { BTreeMap::new() } else { self.purposes()? };
        for (span, name) in late {
            let purpose = name.as_deref().and_then(|name| purposes.get(name));
            let closes = purpose.ok_or("an order is not in the wire log")?.reduces();
            let last = if closes { &mut shot.closing } else { &mut shot.opening };
            *last = Some(span.max(last.unwrap_or(0)));
        }
        Ok(shot)
    }

    /// What each order of the run was for, by what the run calls it at its venue.
    fn purposes(&self) -> Result<BTreeMap<String, Purpose>, String> {
        let mut purposes = BTreeMap::new();
        for venue in Venue::ALL {
            let log = wirelog::read(&self.state.wire_log(venue.name()));
            for record in log.map_err(|error| error.to_string())?.records {
                if let Record::Sent(sent) = record {
                    purposes.insert(called(&sent), sent.purpose);
                }
            }
        }
        Ok(purposes)
    }

    fn resume(&mut self) -> Result<(), String> {
        let request = json!({ "cmd": "resume", "reason": "the next measurement" });
        let mut last = Value::Null;
        let resumed = until(RESUMED_WITHIN, || {
            last = ask(&self.state, &request, PATIENCE_LONG)
                .unwrap_or_else(|error| json!({ "error": error.to_string() }));
            (last["ok"] == true).then_some(())
        });
        resumed.ok_or_else(|| format!("not resumed: {last}"))
    }
}

/// What an order is called in its request.
fn called(sent: &Sent) -> String {
    match sent.venue {
        Venue::Polymarket => salt(sent.order).to_string(),
        Venue::Kalshi => String::from_utf8_lossy(&client_id(sent.order)).into_owned(),
    }
}

/// Many gaps, and answers that take their time.
const fn world() -> World {
    let (none, later) = (Drawn::Always(0), Drawn::Always(ANSWERS_US));
    let way = Way {
        request_us: none,
        answer_us: later,
        private_us: later,
        market_us: none,
        tape_us: none,
    };
    World {
        flow: FlowRules { gap_every_ms: GAP_EVERY_MS, ..FlowRules::CALM },
        ways: Ways { polymarket: way, kalshi: way },
        ..World::of(WorldName::Calm)
    }
}

/// How long after the arrival of an order the halt of a number comes: every other one at once, the rest about when its answer is back.
const fn moment_of(nth: u32) -> Duration {
    if nth.is_multiple_of(2) {
        return Duration::ZERO;
    }
    let spread = nth as u64 * 37 % (2 * AROUND_US);
    Duration::from_micros(ANSWERS_US - AROUND_US + spread)
}

/// What the twin's clock shows at a moment of ours: of several questions the one that was answered soonest.
fn zero_of(twin: &Running<Demo>) -> Option<(Instant, Nanos)> {
    let ask = || {
        let begin = Instant::now();
        let now = twin.remote.with(|_, now| now)?;
        let took = begin.elapsed();
        Some((took, (begin + took / 2, now)))
    };
    let asked: Option<Vec<_>> = (0..16).map(|_| ask()).collect();
    asked?.into_iter().min_by_key(|(took, _)| *took).map(|(_, zero)| zero)
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

fn unix_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, nanos)
}

/// What all halts came to, in picoseconds.
struct Measured {
    read: Histogram<u64>,
    opening: Histogram<u64>,
    closing: Histogram<u64>,
    cancelled: Histogram<u64>,
    /// Halts that were measured.
    halts: u32,
    /// Halts after which an order that opens something still arrived.
    overtaken: u32,
    /// Why runs were given up before their last halt.
    given_up: Vec<String>,
}

impl Measured {
    fn new() -> Self {
        let [read, opening, closing, cancelled] = [(); 4].map(|()| histogram());
        Self { read, opening, closing, cancelled, halts: 0, overtaken: 0, given_up: Vec::new() }
    }

    fn add(&mut self, shot: &Shot) {
        self.halts += 1;
        self.overtaken += u32::from(shot.opening.is_some());
        let zero_if_none = Some(shot.opening.unwrap_or(0));
        for (span, hist) in [
            (Some(shot.read), &mut self.read),
            (zero_if_none, &mut self.opening),
            (shot.closing, &mut self.closing),
            (shot.cancelled, &mut self.cancelled),
        ] {
            if let Some(span) = span {
                hist.saturating_record(span * 1_000);
            }
        }
    }
}

/// Halts runs until so many halts are measured. A run that trades no more is given up and another one takes its place; what was
/// measured stays.
fn measure(halts: u32) -> Measured {
    let mut measured = Measured::new();
    let mut seed = 9_000;
    while measured.halts < halts && measured.given_up.len() < GIVEN_UP_MAX {
        seed += 1;
        if let Err(why) = halt_a_run(seed, halts, &mut measured) {
            measured.given_up.push(why);
        }
    }
    measured
}

/// Halts one run as often as one may be halted.
fn halt_a_run(seed: u64, halts: u32, measured: &mut Measured) -> Result<(), String> {
    let mut stage = Stage::new(seed)?;
    for _ in 0..HALTS_A_RUN {
        if measured.halts == halts {
            break;
        }
        let shot = stage.shoot(moment_of(measured.halts))?;
        measured.add(&shot);
        stage.resume()?;
    }
    Ok(())
}

/// `halt_read`, `halt_to_last_byte`, `halt_to_closing` and `cancel_all`, over so many halts: measured, or why they could not be, in words.
pub fn all(halts: u32) -> [(&'static str, Result<Row, String>); 4] {
    let names = ["halt_read", "halt_to_last_byte", "halt_to_closing", "cancel_all"];
    let Measured { read, opening, closing, cancelled, halts: measured, overtaken, given_up } =
        measure(halts);
    if measured == 0 {
        let why = given_up.join("; ");
        return names.map(|name| (name, Err(why.clone())));
    }
    let mut how = format!(
        "{measured} halts in mid-basket over the control socket of a run before a twin on loopback whose answers take {} ms",
        ANSWERS_US / 1_000
    );
    if let Some(first) = given_up.first() {
        let (count, s) = (given_up.len(), if given_up.len() == 1 { "" } else { "s" });
        how += &format!(
            " ({count} run{s} given up before the last of their halts; the first: {first})"
        );
    }
    let of = |name, hist, what: &str| {
        let row = Row {
            name,
            input: format!("{how}; {what}"),
            block: 1,
            hist,
            single: None,
            reference: None,
        };
        (name, Ok(row))
    };
    let [read_name, last, close, cancel] = names;
    [
        of(read_name, read, "from the command written to the command read by the run"),
        of(
            last,
            opening,
            &format!(
                "from the command read to the first byte at a venue of the last order that opens something, zero where none came any \
                 more: after {overtaken} halts one did"
            ),
        ),
        of(
            close,
            closing,
            "from the command read to the first byte at a venue of the last order that closes what stands on one leg, which waits for \
             the answers of what is under way",
        ),
        of(
            cancel,
            cancelled,
            "from the command read to the first byte at a venue of the cancel of everything, at the last venue where something was \
             under way",
        ),
    ]
}
