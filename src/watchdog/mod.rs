//! A process beside a run, which cancels everything at the venues where the run cannot any more: it stands still as a whole, or is
//! gone without having ended in order. It can cancel and ask, and do nothing else ([`CancelRights`]).
//!
//! ```text
//! core ── a byte every 100 ms, written in a turn of its own ──▶ socket ──▶ vigil ──▶ cancel everything, until nothing rests
//! main thread ── closing, ended ─────────────────────────────▶   │
//! the run's process is gone ── end of the stream ────────────────┘
//! ```
//!
//! `child` is the run's side, `words` what is said over the socket, `vigil` when it acts.

pub mod child;
mod vigil;
pub mod words;

use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use surefoot_cold::cancel_rights::CancelRights;
use surefoot_cold::state_dir::{HaltLatch, StateDir};
use surefoot_cold::wall;
use surefoot_hot::ids::Venue;
use surefoot_hot::per_venue::PerVenue;

use crate::exit::Exit;
pub use vigil::Cause;
use vigil::{Moment, Vigil};
use words::Word;

/// How often it looks around.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long after a stall was found its halt is kept at the latest.
const HALT_AFTER: Duration = Duration::from_secs(1);
/// Who halts, in `halt.json`.
pub const WHO: &str = "watchdog";

/// What came of it: by venue whether nothing rests any more, or why that is not known.
type Cleared = PerVenue<Result<(), String>>;

/// Watches over the run of one state directory.
#[derive(Debug)]
pub struct Watchdog {
    state: StateDir,
    rights: PerVenue<CancelRights>,
    /// The process of the run; `None` where it is over and nobody knows it any more.
    run: Option<u32>,
}

impl Watchdog {
    /// Over the run with this process number.
    pub const fn new(state: StateDir, rights: PerVenue<CancelRights>, run: Option<u32>) -> Self {
        Self { state, rights, run }
    }

    /// Reads what the run says until it is gone, and acts where it must. How the process ends: whether nothing rests after the last
    /// time that it acted.
    ///
    /// # Errors
    /// `beats` is no socket.
    pub fn watch(&self, mut beats: &UnixStream) -> io::Result<Exit> {
        beats.set_read_timeout(Some(LOOK_EVERY))?;
        let (mut vigil, began, mut exit) = (Vigil::default(), Instant::now(), Exit::Ok);
        let now = || Moment { ran: began.elapsed(), wall: Duration::from_nanos(wall::unix_ns()) };
        let mut bytes = [0; 256];
        loop {
            match beats.read(&mut bytes) {
                Ok(0) => break,
                Ok(read) => {
                    for word in bytes[..read].iter().filter_map(|byte| Word::of(*byte)) {
                        vigil.on_word(now(), word);
                    }
                }
                Err(error) if is_nothing_yet(&error) => {}
                Err(_) => break, // a run that is killed with unread words leaves a broken stream
            }
            if vigil.on_time(now()) {
                exit = self.act(Cause::Stalled);
            }
        }
        match vigil.on_end() {
            Some(cause) => Ok(self.act(cause)),
            None => Ok(exit),
        }
    }

    /// Cancels everything at all venues at once, each until nothing rests or it is given up, and says so.
    pub fn act(&self, cause: Cause) -> Exit {
        let (begin, when_ns) = (Instant::now(), wall::unix_ns());
        let run = self.run.map_or("the run".to_owned(), |pid| format!("process {pid}"));
        let (cleared, halted) = thread::scope(|scope| {
            // First of all: the disk may be what the run stands still for.
            let venues = self.rights.clone().map(|_, rights| {
                scope
                    .spawn(move || rights.clear_unless(|| taken_over(&self.state, self.run, cause)))
            });
            say(&format!("{run} {}: cancelling everything at both venues", cause.words()));
            // Then the halt: a run that sees to itself has kept its own by now, with a better reason.
            while begin.elapsed() < HALT_AFTER && !venues.values().all(|venue| venue.is_finished())
            {
                thread::sleep(LOOK_EVERY);
            }
            let halted = cause == Cause::Stalled && self.halt(when_ns);
            let cleared = venues.map(|_, venue| {
                venue.join().unwrap_or_else(|_| Err("an assertion failed while it was told".into()))
            });
            (cleared, halted)
        });
        for (venue, cleared) in cleared.iter() {
            say(&match cleared {
                Ok(()) => format!("{}: everything is cancelled, nothing rests", venue.name()),
                Err(why) if taken_over(&self.state, self.run, cause).as_ref() == Some(why) => {
                    format!("{}: {why}", venue.name())
                }
                Err(why) => format!(
                    "{}: NOT confirmed that nothing rests ({why}): cancel on the venue's own page",
                    venue.name()
                ),
            });
        }
        if halted {
            say(
                "halted: what stopped the run must be understood, then `surefoot resume --reason …`",
            );
        }
        let line = self.line(cause, when_ns, begin.elapsed(), halted, &cleared);
        if let Err(error) = self.write(&line) {
            say(&format!("{}: {error}", self.state.watchdog_log().display()));
        }
        if cleared.values().all(Result::is_ok) { Exit::Ok } else { Exit::Unreconciled }
    }

    /// Keeps a halt for the next start, unless one stands. Whether this one is kept.
    fn halt(&self, when_ns: u64) -> bool {
        if !matches!(self.state.halt(), Ok(None)) {
            return false; // what halted it first is what must be understood
        }
        let reason = format!(
            "the whole process stood still for {} s and everything was cancelled without it",
            vigil::STILL_MAX.as_secs()
        );
        let latch = HaltLatch { reason, who: WHO.to_owned(), when_ns };
        let kept = self.state.set_halt(&latch);
        if let Err(error) = &kept {
            say(&format!("the halt could not be kept for the next start: {error}"));
        }
        kept.is_ok()
    }

    fn line(
        &self,
        cause: Cause,
        when_ns: u64,
        took: Duration,
        halted: bool,
        cleared: &Cleared,
    ) -> Value {
        let venues = Venue::ALL.map(|venue| {
            let why = cleared[venue].as_ref().err();
            (venue.name().to_owned(), json!({ "cleared": why.is_none(), "why": why }))
        });
        json!({
            "when_ns": when_ns,
            "pid": self.run,
            "cause": cause.name(),
            "venues": Value::Object(venues.into_iter().collect()),
            "took_ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            "halted": halted,
        })
    }

    fn write(&self, line: &Value) -> io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file =
            options.append(true).create(true).mode(0o600).open(self.state.watchdog_log())?;
        file.write_all(format!("{line}\n").as_bytes())?;
        file.sync_data()
    }
}

/// Who has the directory now, where that is another run than the one that died: it asks the venues about everything that rests
/// before it opens anything, and what it sends then must stay.
fn taken_over(state: &StateDir, run: Option<u32>, cause: Cause) -> Option<String> {
    if cause == Cause::Stalled {
        return None; // who has it stands still
    }
    let is_another = |pid: &u32| *pid != 0 && Some(*pid) != run;
    let holder = state.holder().filter(is_another);
    holder.map(|pid| format!("process {pid} has taken over, and sees to what rests"))
}

fn is_nothing_yet(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), Interrupted | TimedOut | WouldBlock)
}

fn say(what: &str) {
    say_to(&mut io::stderr(), what);
}

/// Whoever read the run's words may be gone with it (a terminal that was closed): that ends nobody who still has to cancel.
fn say_to(to: &mut impl Write, what: &str) {
    let _ = writeln!(to, "surefoot watchdog: {what}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_says_something_to_nobody_goes_on() {
        let (mut to, from) = UnixStream::pair().unwrap();
        drop(from);
        assert!(to.write_all(b"a word").is_err(), "nobody reads");
        say_to(&mut to, "everything is cancelled");
        let mut heard = Vec::new();
        say_to(&mut heard, "everything is cancelled");
        assert_eq!(heard, b"surefoot watchdog: everything is cancelled\n");
    }

    #[test]
    fn another_run_takes_over_from_one_that_died_and_none_from_one_that_stands_still() {
        let root = std::env::temp_dir().join(format!("surefoot-taken-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&root);
        let state = StateDir::open(&root).unwrap();
        let over = |run: Option<u32>, cause| taken_over(&state, run, cause);
        let (own, gone) = (std::process::id(), 1);
        assert_eq!(over(Some(gone), Cause::Died), None, "nobody is there");
        let lock = state.lock().unwrap();
        let words = format!("process {own} has taken over, and sees to what rests");
        for run in [Some(gone), None] {
            assert_eq!(over(run, Cause::Died), Some(words.clone()), "{run:?}");
            assert_eq!(over(run, Cause::Stalled), None, "{run:?}");
        }
        assert_eq!(over(Some(own), Cause::Died), None, "the run's own, on its way out");
        drop(lock);
        std::fs::remove_dir_all(&root).unwrap();
    }
}
