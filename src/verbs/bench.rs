//! Measuring the parts and the whole.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};

use super::refuse;
use crate::bench::hiccups::Watch;
use crate::bench::report::Report;
use crate::bench::{
    Row, Span, basket, book, clock_read, codec, cores, gate, halt, path, pin_first, ring,
    risk_table, shocks, sign, wire,
};
use crate::config::Setup;
use crate::exit::Exit;

/// What to measure.
#[derive(Args, Clone, Debug, Default)]
pub struct BenchArgs {
    /// A few seconds instead of minutes
    #[arg(long)]
    pub quick: bool,
    /// Only these parts; all of them unless given
    #[arg(long, value_name = "PART", value_delimiter = ',')]
    pub only: Vec<Part>,
    /// Where the HDR files go [default: bench-out]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Rows that are measured together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// A level changes, both best prices are read
    Book,
    /// Frames into events
    Codecs,
    /// Frame to order in the ring
    Path,
    /// Gate, core and depth walk by themselves
    Core,
    /// Signatures and request encoding
    Sign,
    /// One hop between two threads
    Ring,
    /// Frame to signed order over TLS
    Wire,
    /// Halts of a run before a twin, a process each: measured only where it is named, because two hundred take minutes
    Halt,
}

/// Measures every row, prints the table or the object, and writes the HDR files.
pub fn run(args: &BenchArgs, setup: &Setup) -> Exit {
    let report = match measure(args) {
        Ok(report) => report,
        Err(why) => return refuse(Exit::Failed, &why, setup.json),
    };
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from("bench-out"));
    if setup.json {
        println!("{}", report.json());
    } else {
        print!("{}", report.table());
    }
    match report.write(&out) {
        Ok(()) => {
            eprintln!("HDR files in {}", shown(&out));
            for (name, why) in &report.failed {
                eprintln!("surefoot: {name} could not be measured: {why}");
            }
            if report.failed.is_empty() { Exit::Ok } else { Exit::Unmeasured }
        }
        Err(why) => {
            eprintln!("surefoot: {}: {why}; give another place with `--out`", shown(&out));
            Exit::Failed
        }
    }
}

/// The machine is watched at least so long, whatever is measured.
const WATCH_MIN: Duration = Duration::from_secs(1);

fn shown(path: &Path) -> std::path::Display<'_> {
    path.display()
}

/// Says what comes next on stderr: a whole run takes a minute.
fn say(what: &str) {
    eprintln!("measuring {what}");
}

fn measure(args: &BenchArgs) -> Result<Report, String> {
    let quick = args.quick;
    let only = args.only.clone();
    let wants = move |part| only.is_empty() || only.contains(&part);
    let span = if quick { Span::QUICK } else { Span::FULL };
    let (mut remarks, mut failed) = (Vec::new(), Vec::new());
    if cfg!(debug_assertions) {
        remarks.push("built without optimisation: these figures say nothing, use --release".into());
    }
    if cores() < 2 {
        remarks.push("one core: what watches for hiccups and what is measured take turns".into());
    }
    let (watch, begin) = (Watch::start(), Instant::now());
    let watch = watch.map_err(|why| format!("starting a thread: {why}"))?;
    // On a thread of its own: it is pinned, and what is started later must not inherit that.
    let parts = thread::Builder::new().name("bench".into()).spawn({
        let wants = wants.clone();
        move || parts(span, wants)
    });
    let parts = parts.map_err(|why| format!("starting a thread: {why}"))?.join();
    // A thread that watches would be one too many beside the two threads of what follows.
    thread::sleep(WATCH_MIN.saturating_sub(begin.elapsed()));
    let hiccups = watch.finish();
    let mut rows = parts.map_err(|_| "a measurement failed; the message is above".to_owned())?;
    if wants(Part::Ring) {
        say("two threads");
        match ring::ring_hop(span.times(5)) {
            Some(row) => rows.push(row),
            None => remarks.push("ring_hop is left out: it needs two cores".into()),
        }
    }
    if wants(Part::Wire) && cores() < 2 {
        remarks.push("the wire rows are left out: venue and machine need a core each".into());
    } else if wants(Part::Wire) {
        say("wire to wire");
        let (warm_up, shots) = if quick { (10, 50) } else { (100, 1_000) };
        for (name, measured) in wire::both(warm_up, shots) {
            match measured {
                Ok(row) => rows.push(row),
                Err(why) => failed.push((name, why)),
            }
        }
        if cores() < 4 {
            remarks.push("wire rows are of the fused topology; split needs four cores".into());
        }
    }
    if args.only.contains(&Part::Halt) {
        say("halts");
        for (name, measured) in halt::all(if quick { 10 } else { 200 }) {
            match measured {
                Ok(row) => rows.push(row),
                Err(why) => failed.push((name, why)),
            }
        }
    }
    Ok(Report { rows, hiccups, remarks, failed })
}

/// Everything that one thread can measure while another watches the machine.
fn parts(span: Span, wants: impl Fn(Part) -> bool) -> Vec<Row> {
    pin_first();
    let mut rows = Vec::new();
    if wants(Part::Book) {
        say("the book");
        rows.push(book::book_update(span).beside(book::book_update_reference(span)));
        rows.push(book::book_update_10k(span));
        rows.extend(book::book_update_8192_books(span));
    }
    if wants(Part::Codecs) {
        say("the codecs");
        rows.push(codec::decode_pm_price_change(span));
        rows.push(codec::decode_kalshi_delta(span));
    }
    if wants(Part::Path) {
        say("frame to intent");
        rows.push(path::frame_to_intent_pm(span.times(5)));
        rows.push(path::frame_to_intent_kalshi(span.times(5)));
        rows.push(path::frame_to_intent_pm_crowd(span.times(5)));
        rows.push(path::frame_to_intent_kalshi_crowd(span.times(5)));
    }
    if wants(Part::Core) {
        say("the core's parts");
        rows.push(risk_table::gate(span).beside(risk_table::gate_reference(span)));
        rows.push(gate::core_event(span));
        rows.push(gate::basket_walk(span));
        rows.push(basket::eval_8_baskets(span).beside(basket::eval_8_baskets_reference(span)));
        rows.push(basket::size_2_legs(span).beside(basket::size_2_legs_reference(span)));
        rows.push(shocks::shock_plan(span).beside(shocks::shock_plan_reference(span)));
    }
    if wants(Part::Sign) {
        say("signing and encoding");
        rows.push(sign::sign_pm_order(span));
        rows.push(sign::encode_kalshi_create(span));
        let tenth = Span { warm_up: span.warm_up / 10, blocks: span.blocks / 10 };
        rows.extend(sign::sign_kalshi(tenth));
    }
    rows.push(clock_read(span.times(5)));
    rows
}
