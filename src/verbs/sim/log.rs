//! The file that a long run writes its days to, so that it can go on where it was stopped.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use surefoot_hot::units::Nanos;

use super::workers::Day;
use crate::sim::Outcome;
use crate::sim::scenario::{Scenario, Tally};

/// A file with a line of JSON for each day.
#[derive(Debug)]
pub struct DayLog {
    path: PathBuf,
    file: File,
    kind: DayKind,
    /// Days of this kind that it held as it was opened.
    known: BTreeMap<u64, KnownDay>,
}

/// What makes a day of a seed another day.
#[derive(Clone, Copy, Debug)]
pub struct DayKind {
    /// How long it is.
    pub span: Nanos,
    /// Whether nothing goes wrong on it.
    pub calm: bool,
    /// Whether orders rest.
    pub quotes: bool,
    /// The world's name.
    pub world: &'static str,
    /// In what order legs leave, by its name.
    pub sequencing: &'static str,
    /// The hash of the program that simulates it, as the header of a journal has it.
    pub program: u64,
}

impl DayKind {
    /// The program as a line of the file names it.
    fn program(&self) -> String {
        format!("{:016x}", self.program)
    }
}

/// What is counted of a day that has ended in an earlier run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownDay {
    pub seed: u64,
    /// Why it did not hold.
    pub why: Option<String>,
    pub events: u64,
    pub faults: u64,
    pub orders: u64,
    pub scenarios: Tally,
}

impl DayLog {
    /// Opens the file, or makes it. Of the days in it those of this kind count that this very program has simulated:
    /// all others would be other days. So does no line that was cut short.
    ///
    /// # Errors
    /// The file cannot be read or written, in words.
    pub fn open(path: &Path, kind: DayKind) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("{}: {error}", path.display());
        let opened = OpenOptions::new().read(true).append(true).create(true).open(path);
        let mut file = opened.map_err(failed)?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(failed)?;
        if !text.is_empty() && !text.ends_with('\n') {
            file.write_all(b"\n").map_err(failed)?; // what a kill has cut short stays a line of its own
        }
        let days = text.lines().filter_map(|line| KnownDay::read(line, kind));
        let known = days.map(|day| (day.seed, day)).collect();
        Ok(Self { path: path.to_owned(), file, kind, known })
    }

    /// The days that it held as it was opened, by seed. Given once.
    pub fn take_known(&mut self) -> BTreeMap<u64, KnownDay> {
        std::mem::take(&mut self.known)
    }

    /// A day has ended.
    ///
    /// # Errors
    /// It cannot be written, in words.
    pub fn add(&mut self, day: &Day) -> Result<(), String> {
        let line = format!("{}\n", line(day, self.kind));
        let wrote = self.file.write_all(line.as_bytes());
        wrote.map_err(|error| format!("{}: {error}", self.path.display()))
    }
}

/// The line of a day.
fn line(day: &Day, kind: DayKind) -> Value {
    json!({
        "seed": day.seed,
        "span_ms": kind.span.millis(),
        "calm": kind.calm,
        "quotes": kind.quotes,
        "world": kind.world,
        "sequencing": kind.sequencing,
        "program": kind.program(),
        "why": day.outcome.as_ref().err().map(|failure| &failure.why),
        "day": day.outcome.as_ref().ok().map(Outcome::json),
    })
}

impl KnownDay {
    /// A line of the file, where it is of such a day.
    fn read(line: &str, kind: DayKind) -> Option<Self> {
        let line: Value = serde_json::from_str(line).ok()?;
        let is_ours = line["span_ms"] == kind.span.millis()
            && line["calm"] == kind.calm
            && line["quotes"] == kind.quotes
            && line["world"] == kind.world
            && line["sequencing"] == kind.sequencing
            && line["program"] == kind.program();
        let day = &line["day"];
        let number = |name: &str| day[name].as_u64();
        let why = line["why"].as_str().map(str::to_owned);
        let faults = day["faults"].as_object().into_iter().flat_map(|faults| faults.values());
        let mut scenarios = Tally::default();
        for (id, times) in day["scenarios"].as_object().into_iter().flatten() {
            if let (Some(scenario), Some(times)) = (Scenario::find(id), times.as_u64()) {
                scenarios.add_times(scenario.number, times);
            }
        }
        let known = Self {
            seed: line["seed"].as_u64()?,
            events: number("events").or(why.as_ref().map(|_| 0))?,
            orders: number("orders").or(why.as_ref().map(|_| 0))?,
            faults: faults.filter_map(Value::as_u64).sum(),
            scenarios,
            why,
        };
        is_ours.then_some(known)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::workers::Failure;
    use super::*;

    const KIND: DayKind = DayKind {
        span: Nanos::from_secs(3_600),
        calm: false,
        quotes: false,
        world: "calm",
        sequencing: "sequential",
        program: 0x5f,
    };

    fn broken(seed: u64) -> Day {
        let why = "G1 does not hold".to_owned();
        let failure = Failure { why, by: Some("G1"), faults: Vec::new(), led: Vec::new() };
        Day { seed, outcome: Err(failure), spent: Duration::ZERO }
    }

    #[test]
    fn a_day_that_was_written_is_known_and_one_of_another_kind_is_not() {
        let held = r#"{"seed":4,"span_ms":3600000,"calm":false,"quotes":false,"world":"calm","sequencing":"sequential","program":"P","why":null,
            "day":{"events":7,"orders":2,"faults":{"down":3,"slow":2},"scenarios":{"C04":9}}}"#;
        let held = held.replace("\"P\"", "\"000000000000005f\"");
        let day = KnownDay::read(&held, KIND).expect("it is of this kind");
        assert_eq!((day.seed, day.events, day.orders, day.faults), (4, 7, 2, 5));
        assert_eq!((day.why.as_deref(), day.scenarios.of(4)), (None, 9));
        let of_a_version = held.replace("000000000000005f", env!("CARGO_PKG_VERSION"));
        assert_eq!(KnownDay::read(&of_a_version, KIND), None, "no build is named");
        assert_eq!(KnownDay::read(&held, DayKind { program: 0x60, ..KIND }), None, "another build");
        assert_eq!(KnownDay::read(&held, DayKind { world: "real", ..KIND }), None);
        assert_eq!(KnownDay::read(&held, DayKind { sequencing: "parallel", ..KIND }), None);
        assert_eq!(KnownDay::read(&held, DayKind { calm: true, ..KIND }), None);
        assert_eq!(KnownDay::read(&held, DayKind { quotes: true, ..KIND }), None);
        assert_eq!(KnownDay::read(&held, DayKind { span: Nanos::from_secs(60), ..KIND }), None);
        assert_eq!(KnownDay::read(&held[..held.len() - 9], KIND), None, "cut short");
    }

    #[test]
    fn a_file_is_gone_on_with_behind_a_line_that_was_cut_short() {
        let dir = std::env::temp_dir().join(format!("surefoot-days-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a temporary directory");
        let path = dir.join("days.jsonl");
        std::fs::write(&path, "{\"seed\":1,\"span").expect("a temporary file");
        let mut log = DayLog::open(&path, KIND).expect("it opens");
        assert_eq!(log.take_known(), BTreeMap::new());
        log.add(&broken(2)).expect("it is written");
        let mut log = DayLog::open(&path, KIND).expect("it opens");
        let known = log.take_known();
        assert_eq!(known.keys().copied().collect::<Vec<_>>(), [2]);
        assert_eq!(known[&2].why.as_deref(), Some("G1 does not hold"));
        std::fs::remove_dir_all(&dir).expect("it is ours");
    }
}
