//! `surefoot drill`: what goes wrong over the real wire, done on purpose.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use surefoot_cold::text::counted;

use super::refuse;
use crate::config::Setup;
use crate::drill::point::{Family, Point};
use crate::drill::shim::Shim;
use crate::drill::{self, Plan, RoundResult};
use crate::exit::Exit;

/// How often progress is told, in rounds.
const TOLD_EVERY: u64 = 10;
/// A point that was drawn so often and never met was not tried at all: the drill shows nothing there.
const DRAWN_MIN: u64 = 8;

/// What to break.
#[derive(Clone, Debug, Subcommand)]
pub enum DrillVerb {
    /// Kill a run with SIGKILL again and again, start it, and compare with the twin's own statements
    Kill(DrillArgs),
    /// Spoil the ways to the venues for a while: late, sliced, cut, reset, silent, stalled; then compare
    Net(DrillArgs),
    /// Fail a call on a file of a run, kill it, start it without, and compare
    Disk(DrillArgs),
}

/// How often, and where.
#[derive(Args, Clone, Debug)]
pub struct DrillArgs {
    /// So many rounds
    #[arg(long, value_name = "N", default_value = "100")]
    pub times: u64,
    /// With its number a round is drawn from this; the moments of a process are never quite the same
    #[arg(long, default_value = "1")]
    pub seed: u64,
    /// The number of the first round: to repeat one, give its number and `--times 1`
    #[arg(long, value_name = "N", default_value = "1")]
    pub from: u64,
    /// At these points alone; without it at all of them
    #[arg(long = "at", value_name = "POINT", value_parser = parse_point)]
    pub points: Vec<Point>,
    /// So many runs at one time: some rounds wait half a minute for a venue's word
    #[arg(long, value_name = "N", default_value = "4", value_parser = clap::value_parser!(u64).range(1..=64))]
    pub jobs: u64,
    /// Where files go; those of a round that went wrong stay [default: in memory, a directory of its own]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

fn parse_point(text: &str) -> Result<Point, String> {
    let names = || Point::ALL.map(Point::name).join(", ");
    Point::find(text).ok_or_else(|| format!("there is no point `{text}`: {}", names()))
}

/// Does one drill.
pub fn run(verb: &DrillVerb, setup: &Setup) -> Exit {
    let (family, args) = match verb {
        DrillVerb::Kill(args) => (Family::Kill, args),
        DrillVerb::Net(args) => (Family::Net, args),
        DrillVerb::Disk(args) => (Family::Disk, args),
    };
    drill(family, args, setup.json)
}

/// What was counted over all rounds.
#[derive(Debug, Default)]
struct Sum {
    done: u64,
    failed: u64,
    under_way: u64,
    fills_lost: u64,
    duplicates: u64,
    drift: u64,
    left_out: u64,
    /// Rounds at each point, and how many of them met it.
    points: BTreeMap<Point, (u64, u64)>,
    again: Vec<Duration>,
    kept: Vec<PathBuf>,
}

impl Sum {
    fn add(&mut self, outcome: &RoundResult, kept: Option<PathBuf>) {
        let (at, hit) = self.points.entry(outcome.drawn().point).or_default();
        *at += 1;
        match outcome {
            RoundResult::Done(round) => {
                *hit += u64::from(round.hit);
                self.done += 1;
                self.under_way += u64::from(round.under_way > 0);
                self.fills_lost += round.found.fills_lost;
                self.duplicates += round.found.duplicates;
                self.drift += round.found.drift;
                self.left_out += round.found.left_out;
                self.again.push(round.again);
            }
            RoundResult::Failed { .. } => {}
        }
        self.failed += u64::from(!outcome.wrong().is_empty());
        self.kept.extend(kept);
    }

    /// Points of which nothing can be said: none of their rounds met them, or fewer than half of all rounds did.
    fn unmet(&self) -> Vec<String> {
        let never = self.points.iter().filter(|(_, (drawn, hit))| *drawn >= DRAWN_MIN && *hit == 0);
        let mut unmet: Vec<String> = never
            .map(|(point, (drawn, _))| {
                format!("`{}` was drawn {drawn} times and never met", point.name())
            })
            .collect();
        let (drawn, hit) =
            self.points.values().fold((0, 0), |sum, at| (sum.0 + at.0, sum.1 + at.1));
        if drawn >= DRAWN_MIN && hit * 2 < drawn {
            unmet.push(format!("{hit} of {drawn} rounds met what they were drawn for"));
        }
        unmet
    }

    /// How long a start took until it had agreed with both venues, by the part of starts that took no longer.
    fn again_ms(&self, percent: usize) -> u128 {
        let mut sorted = self.again.clone();
        sorted.sort_unstable();
        let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
        sorted.get(at).map_or(0, Duration::as_millis)
    }

    fn json(&self, took: Duration) -> Value {
        let points: serde_json::Map<String, Value> = self
            .points
            .iter()
            .map(|(point, (kills, hit))| {
                (point.name().into(), json!({ "times": kills, "met": hit }))
            })
            .collect();
        json!({
            "ok": self.failed == 0 && self.unmet().is_empty(), "unmet": self.unmet(), "rounds": self.done, "failed": self.failed,
            "fills_lost": self.fills_lost, "duplicate_orders": self.duplicates, "reservation_drift": self.drift,
            "with_orders_under_way": self.under_way, "money_not_compared": self.left_out, "points": points,
            "again_ms": { "p50": self.again_ms(50), "p99": self.again_ms(99), "max": self.again_ms(100) },
            "took_s": took.as_secs(), "kept": self.kept,
        })
    }

    fn text(&self, took: Duration) -> String {
        let mut lines = vec![format!(
            "{} in {} s: {} acknowledged fills lost, {} duplicate orders, {} reservations that drifted; {} not as it should be",
            counted(self.done, "round", "rounds"),
            took.as_secs(),
            self.fills_lost,
            self.duplicates,
            self.drift,
            counted(self.failed, "round", "rounds")
        )];
        let points = self.points.iter();
        lines.extend(points.map(|(point, (kills, hit))| {
            format!("  {:<17} {kills:>4} times, {hit:>4} of them met", point.name())
        }));
        lines.push(format!(
            "orders or groups were under way in {}; until it had agreed again: p50 {} ms, p99 {} ms, at most {} ms",
            counted(self.under_way, "round", "rounds"),
            self.again_ms(50),
            self.again_ms(99),
            self.again_ms(100)
        ));
        if self.left_out > 0 {
            lines.push(format!(
                "cash and positions were not compared {} times: a market paid out while the run ended",
                self.left_out
            ));
        }
        lines.extend(self.kept.iter().map(|dir| format!("kept for a look: {}", dir.display())));
        lines.join("\n")
    }
}

/// A directory in memory where the system has such a place: a slow disk halts a run, which is another matter.
fn own_dir() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    let is_writable = fs::metadata(&memory).is_ok_and(|meta| !meta.permissions().readonly());
    let parent = if is_writable { memory } else { std::env::temp_dir() };
    parent.join(format!("surefoot-drill-{}", std::process::id()))
}

/// The library that kills at a call; without a compiler the points that need it are left out, and said so.
fn shim(dir: &Path, points: &mut Vec<Point>) -> Option<Shim> {
    match Shim::build(dir) {
        Ok(shim) => Some(shim),
        Err(error) => {
            points.retain(|point| !point.is_call());
            eprintln!("surefoot: nothing at calls on files, which needs a C compiler: {error}");
            None
        }
    }
}

fn drill(family: Family, args: &DrillArgs, json: bool) -> Exit {
    let dir = args.dir.clone().unwrap_or_else(own_dir);
    if let Err(error) = fs::create_dir_all(&dir) {
        return refuse(Exit::State, &format!("{}: {error}", dir.display()), json);
    }
    let dir = std::path::absolute(&dir).unwrap_or(dir);
    let mut points = args.points.clone();
    if points.is_empty() {
        points = Point::of(family);
    }
    if let Some(other) = points.iter().find(|point| point.family() != family) {
        return refuse(Exit::Usage, &format!("`{}` is of another drill", other.name()), json);
    }
    let shim = shim(&dir, &mut points);
    if points.is_empty() {
        return refuse(Exit::Failed, "no point is left: install a C compiler", json);
    }
    let DrillArgs { seed, from, times, jobs, .. } = *args;
    let plan = Plan { seed, from, times, jobs, points, dir: dir.clone() };
    let (begin, mut sum) = (Instant::now(), Sum::default());
    let tell = |outcome: RoundResult, kept: Option<PathBuf>| {
        let drawn = outcome.drawn();
        for wrong in outcome.wrong() {
            eprintln!(
                "surefoot: round {} ({}): {wrong}; once more: surefoot drill {} --seed {seed} --from {} --times 1",
                drawn.round,
                drawn.words(),
                family.name(),
                drawn.round
            );
        }
        sum.add(&outcome, kept);
        let told: u64 = sum.points.values().map(|(kills, _)| kills).sum();
        if told.is_multiple_of(TOLD_EVERY) {
            eprintln!(
                "{told} of {times} rounds after {} s, {} wrong",
                begin.elapsed().as_secs(),
                sum.failed
            );
        }
    };
    if let Err(error) = drill::run(&plan, shim.as_ref(), tell) {
        return refuse(Exit::Failed, &format!("a thread could not be started: {error}"), json);
    }
    if sum.kept.is_empty() && args.dir.is_none() {
        let _ = fs::remove_dir_all(&dir); // nothing in it is worth a look
    }
    if json {
        println!("{}", sum.json(begin.elapsed()));
    } else {
        println!("{}", sum.text(begin.elapsed()));
    }
    for unmet in sum.unmet() {
        eprintln!("surefoot: {unmet}: the drill shows nothing there");
    }
    if sum.failed == 0 && sum.unmet().is_empty() { Exit::Ok } else { Exit::Internal }
}
