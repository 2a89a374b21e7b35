//! Runs the table of tests of this program side by side, as far as the machine's cores go.
//!
//! The usual harness starts as many tests as there are cores and knows nothing of what each needs. Here a run that spins
//! takes a core for itself for as long as it lives, and most others only wait for a time-out of the program or of a venue.
//! The command line is that of the usual one: names, `--exact`, `--skip`, `--list`, `--test-threads`.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How the runs of a test share their threads, and so what the test asks of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runs {
    /// By the machine's own topology, as a user's would: a thread that spins on a core of its own.
    Own,
    /// A spinning thread for feed, core and executors each.
    Split,
    /// Threads that rest when idle: the test waits for minutes, or wants more processes than the machine has cores.
    Calm,
}

impl Runs {
    /// What runs are given as `--topology`.
    pub const fn topology(self) -> &'static str {
        match self {
            Self::Own => "auto",
            Self::Split => "split",
            Self::Calm => "calm",
        }
    }

    /// Its part of the machine, in quarters of a core.
    const fn quarters(self) -> usize {
        match self {
            Self::Own => 4 + VENUES_QUARTERS,
            Self::Split => 3 * 4 + VENUES_QUARTERS,
            Self::Calm => VENUES_QUARTERS,
        }
    }
}

/// What a run without spinning threads and the twin that it trades at take of a core while they trade, in quarters.
const VENUES_QUARTERS: usize = 1;

/// How much is started for each core, in quarters of it. Not more than there is: with seven, a hot thread stood still for
/// more than the 2 s that halt a run, on an idle machine.
const QUARTERS_PER_CORE: usize = 4;

/// A row of the table in `main.rs`: what runs, and what its runs take of a core.
pub struct Test {
    /// Its module and function.
    pub name: &'static str,
    pub runs: Runs,
    pub body: fn(),
}

thread_local! {
    static RUNS: Cell<Runs> = const { Cell::new(Runs::Own) };
}

/// How the runs of the test on this thread share their threads.
pub fn runs() -> Runs {
    RUNS.get()
}

/// The seed of a twin is this test's alone: Polymarket's accounts are made of it, and an account is traded by one run at a
/// time.
///
/// # Panics
/// Another test has it.
pub fn take_seed(seed: u64) -> u64 {
    static TAKEN: Mutex<BTreeMap<u64, String>> = Mutex::new(BTreeMap::new());
    let this = thread::current().name().unwrap_or_default().to_owned();
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    let holder = taken.entry(seed).or_insert_with(|| this.clone()).clone();
    drop(taken);
    assert_eq!(holder, this, "seed {seed} is another test's");
    seed
}

/// What is asked for on the command line.
#[derive(Debug, Default)]
struct Asked {
    filters: Vec<String>,
    skipped: Vec<String>,
    exact: bool,
    list: bool,
    ignored: bool,
    threads: Option<usize>,
}

impl Asked {
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut asked = Self::default();
        while let Some(word) = words.next() {
            let (flag, mut value) = match word.split_once('=') {
                Some((flag, value)) if flag.starts_with("--") => (flag, Some(value.to_owned())),
                _ => (word.as_str(), None),
            };
            let mut value =
                || value.take().or_else(|| words.next()).ok_or(format!("{flag} needs a value"));
            match flag {
                "--exact" => asked.exact = true,
                "--list" => asked.list = true,
                "--ignored" => asked.ignored = true,
                "--skip" => asked.skipped.push(value()?),
                "--test-threads" => {
                    let text = value()?;
                    let count = text.parse().ok().filter(|&count| count > 0);
                    asked.threads = Some(count.ok_or(format!("`{text}` is no number of threads"))?);
                }
                "--color" | "--format" | "-Z" => drop(value()?),
                // Output is never held back, and times are always told.
                "--nocapture" | "--no-capture" | "--show-output" | "--report-time" | "--quiet"
                | "-q" | "--include-ignored" => {}
                _ if flag.starts_with('-') => return Err(format!("`{flag}` is unknown here")),
                _ => asked.filters.push(word),
            }
        }
        Ok(asked)
    }

    fn wants(&self, name: &str) -> bool {
        let meant = |filter: &String| {
            if self.exact { name == filter } else { name.contains(filter.as_str()) }
        };
        let named = self.filters.is_empty() || self.filters.iter().any(meant);
        named && !self.skipped.iter().any(meant) && !self.ignored
    }
}

/// Runs the tests that the command line asks for. Of those that fit, the first in the table is started first.
pub fn main(tests: &'static [Test]) -> ExitCode {
    let asked = match Asked::parse(std::env::args().skip(1)) {
        Ok(asked) => asked,
        Err(why) => {
            eprintln!("e2e: {why}");
            return ExitCode::from(2);
        }
    };
    let wanted: Vec<_> = tests.iter().filter(|test| asked.wants(test.name)).collect();
    if asked.list {
        wanted.iter().for_each(|test| println!("{}: test", test.name));
        return ExitCode::SUCCESS;
    }
    let begin = Instant::now();
    println!("\nrunning {} tests", wanted.len());
    let (total, left_out) = (wanted.len(), tests.len() - wanted.len());
    let failed = run(wanted, asked.threads);
    let verdict = if failed.is_empty() { "ok" } else { "FAILED" };
    if !failed.is_empty() {
        println!("\nfailures:\n    {}", failed.join("\n    "));
    }
    println!(
        "\ntest result: {verdict}. {} passed; {} failed; 0 ignored; 0 measured; {left_out} filtered out; finished in \
         {:.2}s\n",
        total - failed.len(),
        failed.len(),
        begin.elapsed().as_secs_f32()
    );
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(101) }
}

/// The tests under way.
struct Under {
    running: usize,
    quarters: usize,
}

/// Runs them all, at most `threads` at once; the names of those that failed.
fn run(mut waiting: Vec<&'static Test>, threads: Option<usize>) -> Vec<&'static str> {
    let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let (quarters_max, running_max) = (QUARTERS_PER_CORE * cores, threads.unwrap_or(usize::MAX));
    let (done, ended) = channel();
    let mut under = Under { running: 0, quarters: 0 };
    let mut failed = Vec::new();
    loop {
        let fits = |test: &&Test| {
            under.running == 0
                || under.running < running_max
                    && under.quarters + test.runs.quarters() <= quarters_max
        };
        if let Some(next) = waiting.iter().position(fits) {
            let test = waiting.remove(next);
            under.running += 1;
            under.quarters += test.runs.quarters();
            start(test, done.clone());
            continue;
        }
        if under.running == 0 {
            return failed;
        }
        let (test, took, passed): (&Test, Duration, bool) = ended.recv().expect("one is under way");
        under.running -= 1;
        under.quarters -= test.runs.quarters();
        println!(
            "test {} ... {} <{:.3}s>",
            test.name,
            if passed { "ok" } else { "FAILED" },
            took.as_secs_f32()
        );
        if !passed {
            failed.push(test.name);
        }
    }
}

fn start(test: &'static Test, done: Sender<(&'static Test, Duration, bool)>) {
    let begin = Instant::now();
    let body = thread::Builder::new().name(test.name.to_owned()).spawn(move || {
        RUNS.set(test.runs);
        (test.body)();
    });
    let body = body.expect("the system has room for a thread");
    thread::spawn(move || {
        let passed = body.join().is_ok();
        done.send((test, begin.elapsed(), passed)).expect("the main thread waits for it");
    });
}
