//! `surefoot sim`: simulated days, one seed after the other.

use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value, json};
use surefoot_cold::text::counted;
#[cfg(feature = "canary")]
use surefoot_hot::canary::{self, Canary};
use surefoot_hot::units::Nanos;

use crate::config::Setup;
use crate::exit::Exit;
use crate::sim::fault::Fault;
use crate::sim::scenario::{Scenario, Tally};
use crate::sim::{self, Outcome, Plan, script, shrink};
use crate::twin::world::{World, WorldName};

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
    #[arg(long, value_name = "ID", conflicts_with_all = ["seeds", "hours", "calm", "world", "canary", "scenarios"])]
    pub scenario: Option<String>,
    /// Where a day did not hold, tries it again with parts of its faults left out, at most so many times, to find those that are needed
    #[arg(long, value_name = "N", default_value_t = 12)]
    pub shrink: usize,
    /// What the market and the venues are like [default: calm]
    #[arg(long, value_enum)]
    pub world: Option<WorldName>,
    /// Switches on the known defect of this number, in a build with the feature `canary`: the first day that does not hold has found it, and the exit code says whether one has
    #[arg(long, value_name = "N")]
    pub canary: Option<u8>,
}

/// Runs the days, and says what came of each.
pub fn run(args: &SimArgs, setup: &Setup) -> Exit {
    let span = Nanos::from_secs(args.hours * 3_600);
    if let Some(refused) = args.canary.and_then(switch_on) {
        return refused;
    }
    if let Some(id) = &args.scenario {
        return play(id, setup.json);
    }
    let begun = (Instant::now(), cpu_time());
    let (mut days, mut broken): (Vec<Outcome>, Vec<Value>) = (Vec::new(), Vec::new());
    for seed in args.seeds.clone() {
        let plan = plan(args, seed, span);
        let (faults, chronicle) = (plan.faults.clone(), plan.chronicle.clone());
        // A day that breaks an assertion is a finding, and no reason to leave out the others.
        let ran = catch_unwind(AssertUnwindSafe(|| sim::run_planned(seed, span, plan)));
        let (by, why) = match ran {
            Ok(Ok(outcome)) => {
                if !setup.json {
                    println!("{}", outcome.line());
                }
                days.push(outcome);
                continue;
            }
            Ok(Err(broken)) => (Some(broken.id), broken.to_string()),
            Err(_) => (None, "an assertion failed: the message above names it".to_owned()),
        };
        say_again(args, seed, &why);
        if broken.is_empty() && args.canary.is_none() {
            explain(args, (seed, span), &faults, by, &chronicle.last(&why, LINES_MAX));
        }
        broken.push(json!({ "seed": seed, "why": why }));
        if args.canary.is_some() {
            break; // it was found
        }
    }
    let spent = cpu_time().zip(begun.1).map(|(now, then)| now.saturating_sub(then));
    let speed = speed(&days, spent.unwrap_or_else(|| begun.0.elapsed()));
    let mut scenarios = Tally::default();
    days.iter().for_each(|day| scenarios.add_all(&day.scenarios));
    if setup.json {
        let days: Vec<_> = days.iter().map(Outcome::json).collect();
        println!(
            "{}",
            json!({ "days": days, "broken": broken, "scenarios": scenarios.by_id(), "days_per_core_hour": speed })
        );
    } else {
        if args.scenarios {
            print!("{}", scenarios.table());
        }
        let events: u64 = days.iter().map(|day| day.events).sum();
        println!(
            "{} of {} held: every invariant after each of {events} events; {speed} days of 24 hours per core-hour",
            days.len(),
            counted((days.len() + broken.len()) as u64, "day", "days")
        );
    }
    // A defect that was switched on is to be found.
    if broken.is_empty() == args.canary.is_none() { Exit::Ok } else { Exit::Internal }
}

/// Says what did not hold, and how to see it once more.
fn say_again(args: &SimArgs, seed: u64, why: &str) {
    let world = args.world.map(|world| format!(" --world {}", world.name()));
    eprintln!(
        "surefoot: seed {seed}: {why}; once more: surefoot sim --seeds {seed}..{seed} --hours {}{}",
        args.hours,
        world.unwrap_or_default()
    );
}

/// Says what led to a violation, and which faults were needed for it.
fn explain(
    args: &SimArgs,
    (seed, span): (u64, Nanos),
    faults: &[Fault],
    by: Option<&str>,
    lines: &[String],
) {
    eprintln!("surefoot: what led to it, the last {} entries:", lines.len());
    lines.iter().for_each(|line| eprintln!("  {line}"));
    if faults.is_empty() || args.shrink == 0 || args.world.is_some() {
        return;
    }
    let fails = |kept: &[Fault]| shrink::fails(seed, span, kept, by);
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
    if args.calm { Plan { faults: Vec::new(), ..plan } } else { plan }
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

/// Whole days of 24 hours that an hour of one core simulates.
fn speed(days: &[Outcome], spent: Duration) -> u64 {
    let simulated: u128 = days.iter().map(|day| u128::from(day.span.millis())).sum();
    let per_day = u128::from(86_400_000_u32) * spent.as_millis().max(1);
    u64::try_from(simulated * 3_600_000 / per_day).unwrap_or(u64::MAX)
}

/// Time that this process has had a core for; `None` where the system does not say.
fn cpu_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
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
