//! `surefoot sim`: simulated days, one seed after the other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use surefoot_cold::text::counted;
use surefoot_hot::units::Nanos;

use crate::cli::SimArgs;
use crate::config::Setup;
use crate::exit::Exit;
use crate::sim::{self, Outcome};

/// Runs the days, and says what came of each.
pub fn run(args: &SimArgs, setup: &Setup) -> Exit {
    let span = Nanos::from_secs(args.hours * 3_600);
    let begun = (Instant::now(), cpu_time());
    let (mut days, mut broken): (Vec<Outcome>, Vec<Value>) = (Vec::new(), Vec::new());
    for seed in args.seeds.clone() {
        // A day that breaks an assertion is a finding, and no reason to leave out the others.
        let ran = catch_unwind(AssertUnwindSafe(|| sim::run(seed, span)));
        let why = match ran {
            Ok(Ok(outcome)) => {
                if !setup.json {
                    println!("{}", outcome.line());
                }
                days.push(outcome);
                continue;
            }
            Ok(Err(broken)) => broken.to_string(),
            Err(_) => "an assertion failed: the message above names it".to_owned(),
        };
        eprintln!(
            "surefoot: seed {seed}: {why}; once more: surefoot sim --seeds {seed}..{seed} --hours {}",
            args.hours
        );
        broken.push(json!({ "seed": seed, "why": why }));
    }
    let spent = cpu_time().zip(begun.1).map(|(now, then)| now.saturating_sub(then));
    let speed = speed(&days, spent.unwrap_or_else(|| begun.0.elapsed()));
    if setup.json {
        let days: Vec<_> = days.iter().map(Outcome::json).collect();
        println!("{}", json!({ "days": days, "broken": broken, "days_per_core_hour": speed }));
    } else {
        let events: u64 = days.iter().map(|day| day.events).sum();
        println!(
            "{} of {} held: every invariant after each of {events} events; {speed} days of 24 hours per core-hour",
            days.len(),
            counted((days.len() + broken.len()) as u64, "day", "days")
        );
    }
    if broken.is_empty() { Exit::Ok } else { Exit::Internal }
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
