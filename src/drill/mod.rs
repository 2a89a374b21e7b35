//! Drills over the real wire: the program as a process, the twin's venues before it, and something that goes wrong.
//!
//! `kill` ends a run with SIGKILL, at a random moment or at a named point, starts it again, waits until it has agreed with
//! the venues, ends it, and compares its files with the twin's own books. SIGKILL does not lose what the system holds in its
//! page cache: this shows what a crash of the process does, not what a power cut does. `net` spoils the ways to the venues for a
//! while, and `disk` fails a call on a file; the comparison is the same.

pub mod compare;
pub mod life;
pub mod point;
pub mod program;
pub mod proxy;
#[cfg(test)]
mod reads;
pub mod shim;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crossbeam_channel::Sender;

use life::{Life, Round};
use point::{Point, RoundPlan};
use shim::Shim;

/// What to do.
#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    /// The first round.
    pub from: u64,
    /// How many rounds.
    pub times: u64,
    /// How many runs at one time.
    pub jobs: u64,
    /// At which points.
    pub points: Vec<Point>,
    /// Where the files go.
    pub dir: PathBuf,
}

/// What came of a round.
pub enum RoundResult {
    /// It was done, and this was found.
    Done(Box<Round>),
    /// It could not be done as it should.
    Failed {
        drawn: RoundPlan,
        /// For a person.
        why: String,
    },
}

impl RoundResult {
    /// What was wrong; empty where nothing was.
    pub fn wrong(&self) -> Vec<String> {
        match self {
            Self::Done(round) => round.found.wrong.clone(),
            Self::Failed { why, .. } => vec![why.clone()],
        }
    }

    /// What was drawn.
    pub const fn drawn(&self) -> &RoundPlan {
        match self {
            Self::Done(round) => &round.drawn,
            Self::Failed { drawn, .. } => drawn,
        }
    }
}

/// Runs all rounds, and tells of each as it ends: what came of it, and where its files are kept if something was wrong.
///
/// # Errors
/// A thread could not be started.
pub fn run(
    plan: &Plan,
    shim: Option<&Shim>,
    mut tell: impl FnMut(RoundResult, Option<PathBuf>),
) -> std::io::Result<()> {
    let (next, end) = (AtomicU64::new(plan.from), plan.from + plan.times);
    let (told, outcomes) = crossbeam_channel::unbounded();
    thread::scope(|scope| {
        for job in 0..plan.jobs {
            let (told, next) = (told.clone(), &next);
            let work = move || work(plan, shim, job, next, end, &told);
            thread::Builder::new().name("drill".into()).spawn_scoped(scope, work)?;
        }
        drop(told);
        for (outcome, kept) in outcomes {
            tell(outcome, kept);
        }
        Ok(())
    })
}

/// One round after the other, a new life whenever one is over.
fn work(
    plan: &Plan,
    shim: Option<&Shim>,
    job: u64,
    next: &AtomicU64,
    end: u64,
    told: &Sender<(RoundResult, Option<PathBuf>)>,
) {
    let mut life: Option<Life> = None;
    loop {
        let round = next.fetch_add(1, Ordering::Relaxed);
        if round >= end {
            break;
        }
        let drawn = RoundPlan::of(plan.seed, round, &plan.points);
        if let Some(over) = life.take_if(|life| life.is_over()) {
            forget(over.dir());
        }
        let dir = plan.dir.join(format!("job{job}-from{round}"));
        let begun = life.take().map_or_else(|| Life::begin(&dir, plan.seed ^ round << 16), Ok);
        let (outcome, kept) = match begun {
            Err(why) => (RoundResult::Failed { drawn, why }, None),
            Ok(mut begun) => {
                let outcome = match begun.round(drawn.clone(), shim) {
                    Ok(round) => RoundResult::Done(Box::new(round)),
                    Err(why) => RoundResult::Failed { drawn, why },
                };
                if outcome.wrong().is_empty() {
                    life = Some(begun);
                    (outcome, None)
                } else {
                    (outcome, Some(begun.dir().clone()))
                }
            }
        };
        if told.send((outcome, kept)).is_err() {
            break;
        }
    }
    if let Some(life) = life {
        forget(life.dir());
    }
}

/// Removes the files of a life that went well.
fn forget(dir: &Path) {
    let _ = std::fs::remove_dir_all(dir); // what is left is in a directory for temporary files
}
