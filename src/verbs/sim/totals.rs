//! What came of all days of a run.

use std::time::Duration;

use serde_json::{Value, json};
use surefoot_cold::text::counted;
use surefoot_hot::units::Nanos;

use super::log::KnownDay;
use super::workers::{Day, Failure};
use crate::sim::Outcome;
use crate::sim::scenario::Tally;

/// The days of a run, those of before among them where it goes on with a log.
#[derive(Debug)]
pub struct Totals {
    span: Nanos,
    held: u64,
    /// Days that did not hold.
    pub broken: u64,
    /// Events of the core on the days that held.
    events: u64,
    /// Faults on them.
    faults: u64,
    /// Orders on them.
    orders: u64,
    /// How often each scenario has happened on them.
    scenarios: Tally,
    /// Time that a core was needed for, and how many days that held came of it.
    spent: Duration,
    simulated: u64,
    /// The days of this run.
    days: Vec<Value>,
    why: Vec<Value>,
}

impl Totals {
    /// No day of this length has ended.
    pub fn new(span: Nanos) -> Self {
        Self {
            span,
            held: 0,
            broken: 0,
            events: 0,
            faults: 0,
            orders: 0,
            scenarios: Tally::default(),
            spent: Duration::ZERO,
            simulated: 0,
            days: Vec::new(),
            why: Vec::new(),
        }
    }

    /// A day has ended.
    pub fn add(&mut self, day: Day) {
        match day.outcome {
            Ok(outcome) => {
                self.spent += day.spent;
                self.simulated += 1;
                self.count(outcome.events, outcome.faults.values().sum(), outcome.orders);
                self.scenarios.add_all(&outcome.scenarios);
                self.days.push(Outcome::json(&outcome));
            }
            Err(Failure { why, .. }) => {
                self.broken += 1;
                self.why.push(json!({ "seed": day.seed, "why": why }));
            }
        }
    }

    /// A day had ended in an earlier run.
    pub fn add_known(&mut self, day: &KnownDay) {
        match &day.why {
            None => {
                self.count(day.events, day.faults, day.orders);
                self.scenarios.add_all(&day.scenarios);
            }
            Some(why) => {
                self.broken += 1;
                self.why.push(json!({ "seed": day.seed, "why": why }));
            }
        }
    }

    fn count(&mut self, events: u64, faults: u64, orders: u64) {
        self.held += 1;
        self.events += events;
        self.faults += faults;
        self.orders += orders;
    }

    /// Whole days of 24 hours that an hour of one core simulates.
    fn speed(&self) -> u64 {
        let simulated = u128::from(self.span.millis()) * u128::from(self.simulated);
        let per_day = u128::from(86_400_000_u32) * self.spent.as_millis().max(1);
        u64::try_from(simulated * 3_600_000 / per_day).unwrap_or(u64::MAX)
    }

    /// How many held, and how fast it goes.
    pub fn words(&self) -> String {
        let all = self.held + self.broken;
        let speed = match self.simulated {
            0 => String::new(),
            _ => format!("; {} days of 24 hours per core-hour", self.speed()),
        };
        format!("{} of {} held{speed}", self.held, counted(all, "day", "days"))
    }

    /// The last line, with the scenarios before it where they are wanted, or everything as one JSON object.
    pub fn print(&self, is_json: bool, with_scenarios: bool) {
        if is_json {
            let figures = json!({
                "held": self.held,
                "days": self.days,
                "broken": self.why,
                "events": self.events,
                "faults": self.faults,
                "orders": self.orders,
                "scenarios": self.scenarios.by_id(),
                "days_per_core_hour": self.speed(),
            });
            println!("{figures}");
        } else {
            if with_scenarios {
                print!("{}", self.scenarios.table());
            }
            let all = self.held + self.broken;
            println!(
                "{} of {} held: every invariant after each of {} events; {} days of 24 hours per core-hour",
                self.held,
                counted(all, "day", "days"),
                self.events,
                self.speed()
            );
        }
    }
}
