//! `surefoot sim`: simulated days, one for each seed.

mod log;
mod totals;
mod workers;

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde_json::json;
use surefoot_cold::journal::binary_hash;
use surefoot_cold::text::counted;
#[cfg(feature = "canary")]
use surefoot_hot::canary::{self, Canary};
use surefoot_hot::group::Sequencing;
use surefoot_hot::units::Nanos;

use super::{refuse, told};
use crate::config::Setup;
use crate::exit::Exit;
use crate::sim::day_journal::{self, Written};
use crate::sim::fault::Fault;
use crate::sim::plan::Quotes;
use crate::sim::scenario::Scenario;
use crate::sim::{Plan, script, shrink};
use crate::twin::world::{World, WorldName};
use log::{DayKind, DayLog};
use totals::Totals;
use workers::{Day, Failure, Told};

/// The longest day that may be simulated, in hours: a leap year.
const HOURS_MAX: u64 = 8_784;

/// Lines that are shown of what led to a violation.
const LINES_MAX: usize = 60;

/// Which days to simulate.
#[derive(Args, Clone, Debug)]
pub struct SimArgs {
    /// The seeds, a day each, the first and the last included: 1..20, or one alone
    #[arg(long, value_name = "A..B", default_value = "1..60", value_parser = parse_seeds)]
    pub seeds: RangeInclusive<u64>,
    /// How many hours each day has, 1 to 8784 (a leap year)
    #[arg(long, value_name = "H", default_value = "24", value_parser = clap::value_parser!(u64).range(1..=HOURS_MAX))]
    pub hours: u64,
    /// Lets nothing go wrong but the market: no fault of a network, a venue or the program
    #[arg(long)]
    pub calm: bool,
    /// Shows how often each of the scenarios C01 to C58 has happened, and where those are played that do not happen here
    #[arg(long)]
    pub scenarios: bool,
    /// Plays one scenario instead, such as C13: a short calm day in which it is provoked on purpose
    #[arg(long, value_name = "ID", conflicts_with_all = ["seeds", "hours", "calm", "world", "sequencing", "quotes", "canary", "scenarios"])]
    pub scenario: Option<String>,
    /// Where a day did not hold, tries it again with parts of its faults left out, at most so many times, to find those that are needed
    #[arg(long, value_name = "N", default_value_t = 12)]
    pub shrink: usize,
    /// What the market and the venues are like [default: calm]
    #[arg(long, value_enum)]
    pub world: Option<WorldName>,
    /// In what order the legs of every basket leave: sequential, staggered or parallel, whatever that is expected to cost [default: sequential]
    #[arg(long, value_name = "WAY", value_parser = parse_sequencing)]
    pub sequencing: Option<Sequencing>,
    /// Orders rest every few seconds: somebody asks for them, changes them and withdraws them. Without it they do on every third day with faults, and seldom
    #[arg(long)]
    pub quotes: bool,
    /// How many days are simulated at the same time, each on a thread of its own
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: u16,
    /// Appends a line of JSON for each day that ends to this file, and leaves out the days that it holds already: a run that was stopped goes on with the same command
    #[arg(long, value_name = "FILE", conflicts_with_all = ["canary", "scenario"])]
    pub log: Option<PathBuf>,
    /// Writes the journal of the one calm day of `--seeds N` into this new directory, for `surefoot replay DIR`
    #[arg(long, value_name = "DIR", requires = "calm", conflicts_with_all = ["log", "canary", "scenario", "jobs"])]
    pub journal: Option<PathBuf>,
    /// Switches on the known defect of this number, in a build with the feature `canary`: the first day that does not hold has found it, and the exit code says whether one has
    #[arg(long, value_name = "N")]
    pub canary: Option<u8>,
}

/// Runs the days, and says what came of each, in the order of the seeds.
pub fn run(args: &SimArgs, setup: &Setup) -> Exit {
    if let Some(refused) = args.canary.and_then(switch_on) {
        return refused;
    }
    if let Some(id) = &args.scenario {
        return play(id, setup.json);
    }
    let span = Nanos::from_secs(args.hours * 3_600);
    if let Some(dir) = &args.journal {
        return keep_day(args, dir, span, setup.json);
    }
    let world = args.world.unwrap_or(WorldName::Calm);
    let sequencing = args.sequencing.unwrap_or(Sequencing::Sequential).name();
    let SimArgs { calm, quotes, .. } = *args;
    let opened = args.log.as_deref().map(|path| {
        let program = binary_hash();
        let kind = DayKind { span, calm, quotes, world: world.name(), sequencing, program };
        if program == 0 {
            return Err(
                "this program cannot be read (/proc/self/exe), and a log names it: leave out --log"
                    .to_owned(),
            );
        }
        DayLog::open(path, kind)
    });
    let opened = opened.transpose();
    let mut log = match opened {
        Ok(log) => log,
        Err(why) => {
            eprintln!("surefoot: {why}");
            return Exit::Usage;
        }
    };
    let mut totals = Totals::new(span);
    let known = log.as_mut().map(DayLog::take_known).unwrap_or_default();
    let seeds: Vec<u64> = args.seeds.clone().filter(|seed| !known.contains_key(seed)).collect();
    if let Some(path) = args.log.as_deref().filter(|_| log.is_some()) {
        let known = known.into_values().filter(|day| args.seeds.contains(&day.seed));
        known.for_each(|day| totals.add_known(&day));
        eprintln!("surefoot: {}: {}", path.display(), totals.words());
    }
    let mut failed = None;
    let plan = |seed| plan(args, seed, span);
    workers::run(&seeds, args.jobs, span, &plan, |event| {
        match event {
            Told::Ended(day) => {
                failed = log.as_mut().and_then(|log| log.add(day).err());
            }
            Told::InOrder(day) => {
                print_day(args, &day, setup.json);
                if let (0, None, Err(failure)) = (totals.broken, args.canary, &day.outcome) {
                    explain(args, (day.seed, span), failure);
                }
                totals.add(*day);
            }
            Told::Progress { ended, spent } => {
                eprintln!("surefoot: {}", progress(&totals, ended, seeds.len(), spent));
            }
        }
        // A defect that was found is found.
        failed.is_none() && (args.canary.is_none() || totals.broken == 0)
    });
    if let Some(why) = failed {
        eprintln!("surefoot: {why}");
        return Exit::Internal;
    }
    totals.print(setup.json, args.scenarios);
    // A defect that was switched on is to be found.
    if (totals.broken == 0) == args.canary.is_none() { Exit::Ok } else { Exit::Internal }
}

/// Simulates one day and keeps its journal.
fn keep_day(args: &SimArgs, dir: &Path, span: Nanos, json: bool) -> Exit {
    let seed = *args.seeds.start();
    if seed != *args.seeds.end() {
        return refuse(Exit::Usage, "a journal is of one day: --seeds with one number", json);
    }
    eprintln!("surefoot: simulating the day of seed {seed}; its journal goes to {}", dir.display());
    match day_journal::write(dir, seed, span, plan(args, seed, span)) {
        Err(why) => refuse(Exit::Failed, &why, json),
        Ok(Written { outcome, records }) => {
            let answer = json!({
                "ok": true,
                "directory": dir.display().to_string(),
                "events": outcome.events,
                "records": records,
                "decision_hash": format!("{:016x}", outcome.decision_hash),
                "state_hash": format!("{:016x}", outcome.state_hash),
            });
            let records = counted(records, "record", "records");
            told(&answer, json, &format!("{}\n{}: {records}", outcome.line(), dir.display()))
        }
    }
}

/// A line on stdout for a day that held, and one on stderr for one that did not.
fn print_day(args: &SimArgs, day: &Day, is_json: bool) {
    match &day.outcome {
        Ok(outcome) if !is_json => println!("{}", outcome.line()),
        Ok(_) => {}
        Err(Failure { why, .. }) => say_again(args, day.seed, why),
    }
}

/// How far a run has come, for a person who waits for it.
fn progress(totals: &Totals, ended: usize, all: usize, spent: Duration) -> String {
    let left = spent.as_secs() * (all - ended) as u64 / (ended as u64).max(1);
    let left = match (ended, left) {
        (0, _) => "no day has ended yet".to_owned(),
        (_, 0..60) => format!("{left} s left"),
        (_, 60..7_200) => format!("{} min left", left / 60),
        (..) => format!("{} h left", left / 3_600),
    };
    format!("{ended} of {}, {}, {left}", counted(all as u64, "day", "days"), totals.words())
}

/// Says what did not hold, and how to see it once more.
fn say_again(args: &SimArgs, seed: u64, why: &str) {
    let world = args.world.map(|world| format!(" --world {}", world.name()));
    let way = args.sequencing.map(|way| format!(" --sequencing {}", way.name()));
    eprintln!(
        "surefoot: seed {seed}: {why}; once more: surefoot sim --seeds {seed}..{seed} --hours {}{}{}{}{}",
        args.hours,
        world.unwrap_or_default(),
        way.unwrap_or_default(),
        if args.calm { " --calm" } else { "" },
        if args.quotes { " --quotes" } else { "" }
    );
}

/// Says what led to a violation, and which faults were needed for it.
fn explain(args: &SimArgs, (seed, span): (u64, Nanos), failure: &Failure) {
    let Failure { by, faults, led, .. } = failure;
    eprintln!("surefoot: what led to it, the last {} entries:", led.len());
    led.iter().for_each(|line| eprintln!("  {line}"));
    if faults.is_empty() || args.shrink == 0 {
        return;
    }
    let fails = |kept: &[Fault]| {
        let plan = Plan { faults: kept.to_vec(), ..plan(args, seed, span) };
        shrink::fails(seed, span, plan, *by)
    };
    let shrunk = shrink::shrink(faults, args.shrink, fails);
    eprintln!(
        "surefoot: of {} faults these are needed, as far as {} showed:",
        faults.len(),
        counted(shrunk.runs as u64, "more day", "more days")
    );
    shrunk.faults.iter().for_each(|fault| eprintln!("  {fault}"));
}

/// Plays one scenario, and says step by step what happened.
fn play(id: &str, json: bool) -> Exit {
    let Some(played) = script::play(id) else {
        eprintln!("surefoot: no script for `{id}`: there is one for {}", script::ids().join(", "));
        return Exit::Usage;
    };
    let why = match &played.broken {
        Some(broken) => Some(broken.to_string()),
        None if played.times == 0 => Some("it did not happen".to_owned()),
        None => None,
    };
    let Scenario { happens, holds, .. } = played.scenario;
    if json {
        println!(
            "{}",
            json!({
                "scenario": played.scenario.id(),
                "happens": happens,
                "holds": holds,
                "does": played.does,
                "seed": played.seed,
                "times": played.times,
                "steps": played.steps,
                "why": why,
            })
        );
    } else {
        println!("{}: {happens}", played.scenario.id());
        println!("must hold: {holds}");
        println!(
            "a calm day of {} minutes, seed {}: {}",
            script::SPAN.millis() / 60_000,
            played.seed,
            played.does
        );
        played.faults.iter().for_each(|fault| println!("  {fault}"));
        println!("what led to it first:");
        played.steps.iter().for_each(|step| println!("  {step}"));
    }
    match why {
        None => {
            if !json {
                println!(
                    "{} happened {}, and held",
                    played.scenario.id(),
                    counted(played.times, "time", "times")
                );
            }
            Exit::Ok
        }
        Some(why) => {
            eprintln!("surefoot: {}: {why}", played.scenario.id());
            Exit::Internal
        }
    }
}

/// What the day of a seed brings.
fn plan(args: &SimArgs, seed: u64, span: Nanos) -> Plan {
    let mut plan = Plan::of(seed, span);
    plan.world = args.world.map_or(plan.world, World::of);
    plan.sequencing = args.sequencing.unwrap_or(plan.sequencing);
    if args.calm {
        plan = Plan { faults: Vec::new(), quotes: Quotes::None, unpaired: 0, ..plan };
    }
    if args.quotes {
        plan.quotes = Quotes::Often;
    }
    plan
}

/// Switches a defect on; where that cannot be, it is said why.
#[cfg(feature = "canary")]
fn switch_on(number: u8) -> Option<Exit> {
    let Some(canary) = Canary::ALL.into_iter().find(|canary| *canary as u8 == number) else {
        eprintln!(
            "surefoot: there is no defect {number}: they have the numbers 1 to {}",
            Canary::ALL.len()
        );
        return Some(Exit::Usage);
    };
    eprintln!("surefoot: defect {number}: {}", canary.words());
    canary::switch_on(canary);
    None
}

/// Switches a defect on; where that cannot be, it is said why.
#[cfg(not(feature = "canary"))]
fn switch_on(number: u8) -> Option<Exit> {
    eprintln!(
        "surefoot: this build has no defects to switch on: cargo run --release --features canary -- sim --canary {number} --seeds 1..5"
    );
    Some(Exit::Usage)
}

/// A way in which legs leave, by its name.
fn parse_sequencing(text: &str) -> Result<Sequencing, String> {
    let names = || Sequencing::ALL.map(Sequencing::name).join(", ");
    let found = Sequencing::ALL.into_iter().find(|way| way.name() == text);
    found.ok_or_else(|| format!("`{text}` is no way in which legs leave: {}", names()))
}

/// Seeds from the first to the last: `1..20`, `1..=20` or `7`.
fn parse_seeds(text: &str) -> Result<RangeInclusive<u64>, String> {
    let wrong = || format!("`{text}` names no seeds: write 1..20, or one number");
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    let seed = |text: &str| text.parse::<u64>().map_err(|_| wrong());
    let (first, last) = (seed(first)?, seed(last.strip_prefix('=').unwrap_or(last))?);
    if first <= last { Ok(first..=last) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_a_range_with_both_ends_or_one_number() {
        assert_eq!(parse_seeds("1..20"), Ok(1..=20));
        assert_eq!(parse_seeds("1..=20"), Ok(1..=20));
        assert_eq!(parse_seeds("7"), Ok(7..=7));
        for text in ["", "..", "1..", "..2", "2..1", "a..b", "-1..2", "1...2"] {
            assert!(parse_seeds(text).is_err(), "{text}");
        }
    }
}
