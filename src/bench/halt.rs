//! How long from a halt until the last byte of an order, and until both venues are told to cancel everything? More than a
//! millisecond and twenty, and a halt waits for something that it should not wait for.
//!
//! A run of this program in a process of its own, as a user's, before a twin in this one. The halt is written to the run's control
//! socket as soon as an order arrives at the twin: a basket is under way then, and its second leg about to leave. The clock starts
//! before the command is written, and stops where the twin reads the first byte of a request: both rows hold the way there.
//!
//! The twin cannot tell an order that was decided before the halt from the sale with which the halted core closes a leg: both count, so
//! that the first row is an upper bound.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use hdrhistogram::Histogram;
use serde_json::{Value, json};
use surefoot_cold::state_dir::StateDir;
use surefoot_hot::ids::Venue;
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

/// So many halts of one run; then another one begins, on an account of its own, because halts in mid-basket cost money.
const HALTS_A_RUN: u32 = 12;
/// How long an order is waited for, and a run until it trades.
const ORDER_WITHIN: Duration = Duration::from_secs(90);
/// A control connection on which nothing was said is made anew after this time: the run hangs up on a silent one.
const CONNECTED_FOR: Duration = Duration::from_secs(5);
/// How long after the halt requests are watched for: ten times as long as any of them may take.
const WATCHED_FOR: Duration = Duration::from_millis(250);
/// How long a resume may take: both venues must be agreed with.
const RESUMED_WITHIN: Duration = Duration::from_secs(120);
/// How long a run may take to end.
const ENDED_WITHIN: Duration = Duration::from_secs(60);
/// A measurement goes on after a bad day.
const SETTINGS: &str = "[limits]\ndaily_loss = 2000\ndaily_loss_strategy = 2000\n";

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

/// What one halt came to, in nanoseconds.
struct Shot {
    /// To the last byte of an order; `None` where none left after it.
    last_order: Option<u64>,
    /// To the cancel of everything at the venue that heard of it last; `None` where nothing was under way any more, and so no venue
    /// is told.
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
        let options = Options { seed, ..Options::default() };
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

    /// Halts in mid-basket and watches what still arrives.
    fn shoot(&mut self) -> Result<Shot, String> {
        let mut control = self.order_arrives()?;
        let from = Instant::now();
        control
            .write_all(b"{\"cmd\":\"halt\",\"reason\":\"a measurement\"}\n")
            .map_err(failed("halting"))?;
        let (mut told, mut last_order) = (PerVenue::<Option<u64>>::all(None), None);
        while let Ok(stamp) = self.stamps.recv_deadline(from + WATCHED_FOR) {
            let span = self.since(from, &stamp);
            match stamp.kind {
                StampKind::PostIn if span > 0 => last_order = Some(span),
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
        let mut answer = String::new();
        BufReader::new(control).read_line(&mut answer).map_err(failed("the halt's answer"))?;
        let answer: Value = serde_json::from_str(&answer).map_err(|error| error.to_string())?;
        if answer["ok"] != true {
            return Err(format!("not halted: {answer}"));
        }
        Ok(Shot { last_order, cancelled })
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

/// What all halts came to, in picoseconds.
struct Measured {
    last_order: Histogram<u64>,
    cancelled: Histogram<u64>,
    /// Halts after which an order still arrived.
    overtaken: u32,
}

fn measure(halts: u32) -> Result<Measured, String> {
    let mut measured = Measured { last_order: histogram(), cancelled: histogram(), overtaken: 0 };
    let mut stage = None;
    for nth in 0..halts {
        if nth % HALTS_A_RUN == 0 {
            drop(stage.take()); // before the next one begins
        }
        let stage = match &mut stage {
            Some(stage) => stage,
            none => none.insert(Stage::new(9_000 + u64::from(nth / HALTS_A_RUN))?),
        };
        let Shot { last_order, cancelled } = stage.shoot()?;
        measured.overtaken += u32::from(last_order.is_some());
        measured.last_order.saturating_record(last_order.unwrap_or(0) * 1_000);
        if let Some(span) = cancelled {
            measured.cancelled.saturating_record(span * 1_000);
        }
        stage.resume()?;
    }
    Ok(measured)
}

/// `halt_to_last_byte` and `cancel_all`, over so many halts: measured, or why they could not be, in words.
pub fn both(halts: u32) -> [(&'static str, Result<Row, String>); 2] {
    let names = ["halt_to_last_byte", "cancel_all"];
    let measured = match measure(halts) {
        Ok(measured) => measured,
        Err(why) => return names.map(|name| (name, Err(why.clone()))),
    };
    let Measured { last_order, cancelled, overtaken } = measured;
    let row = |name, hist| Row {
        name,
        input: String::new(),
        block: 1,
        hist,
        single: None,
        reference: None,
    };
    let [last, all] = names;
    let how = format!(
        "{halts} halts in mid-basket over the control socket of a run before a twin on loopback"
    );
    let last_order = row(last, last_order).fed(format!(
        "{how}; from the command written to the last order's first byte at a venue, zero where none came any more: after \
         {overtaken} halts one did, sales of what stands on one leg among them"
    ));
    let cancelled = row(all, cancelled).fed(format!(
        "{how}; from the command written to the first byte of the cancel of everything, at the last venue where orders were under \
         way; a halt that met none there is not counted"
    ));
    [(last, Ok(last_order)), (all, Ok(cancelled))]
}
