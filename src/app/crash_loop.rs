//! Runs that crash again and again: after so many within ten minutes a start opens nothing until a person has looked.
//!
//! A single crash needs nobody: the next start asks the venues about every order and compares before it opens anything. A cause
//! that stays crashes the next run too, and each of them may leave contracts on one leg.

use std::fs;
use std::io;
use std::time::Duration;

use surefoot_cold::observe::observer::Announcer;
use surefoot_cold::observe::told::NamedPlace;
use surefoot_cold::state_dir::{HaltLatch, StateDir, StateError, write_atomic};

use super::halt::keep_halt;
use super::run_note::RunNote;
use crate::control::exit_note;
use crate::control::operator_log::now_ns;

/// Crashes further back than this are forgotten. As `StartLimitIntervalSec` in `tuning/systemd/surefoot.service`.
const WITHIN: Duration = Duration::from_secs(600);
/// Who halts, in `halt.json`.
const WHO: &str = "crash_loop";

/// Counts the crash of the run before this one, where it did, and then says that this one is at work. In this order: where the count
/// fails the start does, and the next one must still find that crash. Returns the halt that began here.
///
/// # Errors
/// The count cannot be read or written, or the file that says how a run ended cannot.
pub(super) fn begin(
    state: &StateDir,
    most: u32,
    notes: &Announcer,
) -> Result<Option<HaltLatch>, StateError> {
    let crashed = exit_note::crashed_before(state);
    let halt = if crashed { count(state, most, notes)? } else { None };
    exit_note::begin(state)?;
    Ok(halt)
}

/// Counts one crash, found by this start. Where that makes `most` within [`WITHIN`], trading is halted, kept over restarts like any
/// other halt; a halt that stands already is left as it is. Returns the halt that began here. `most` of 0 counts nothing.
///
/// # Errors
/// The count cannot be read or written.
fn count(state: &StateDir, most: u32, notes: &Announcer) -> Result<Option<HaltLatch>, StateError> {
    if most == 0 {
        return Ok(None);
    }
    let (crashes, now) = (with_one_more(state, now_ns())?, now_ns());
    if crashes.len() < most as usize {
        return Ok(None);
    }
    let reason = format!(
        "{} runs crashed within {} min (killed, or a failed assertion): nothing is opened until `surefoot resume --reason …`. \
         Look at the ends of those runs in surefoot.log or the service manager's log, and at what stands on one leg",
        crashes.len(),
        WITHIN.as_secs() / 60
    );
    notes.note(RunNote::CrashLoop.told(NamedPlace::default(), reason.clone()));
    if state.halt()?.is_some() {
        return Ok(None); // the first reason is what must be understood; the count stands for when it is lifted
    }
    let (latch, told) = keep_halt(state, WHO, &reason, now);
    for (what, text) in told {
        notes.note(what.told(NamedPlace::default(), text));
    }
    if !matches!(state.halt(), Ok(Some(_))) {
        return Ok(Some(latch)); // a restart would not know of it: the next crash halts again
    }
    // Behind the halt: whoever lifts it has looked at these crashes.
    match fs::remove_file(state.crashes()) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(StateError::Io { doing: "remove", path: state.crashes(), source })
        }
        _ => Ok(Some(latch)),
    }
}

/// The crashes within [`WITHIN`], one at `now` among them, written down.
fn with_one_more(state: &StateDir, now: u64) -> Result<Vec<u64>, StateError> {
    let path = state.crashes();
    let text = match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => b"[]".to_vec(),
        Err(source) => return Err(StateError::Io { doing: "read", path, source }),
        Ok(text) => text,
    };
    let mut crashes: Vec<u64> = serde_json::from_slice(&text)
        .map_err(|error| StateError::Damaged { path: path.clone(), what: error.to_string() })?;
    // Of a clock that was set back in between, those ahead of it count.
    crashes.retain(|at| u128::from(now.saturating_sub(*at)) < WITHIN.as_nanos());
    crashes.push(now);
    let text = serde_json::to_vec(&crashes).expect("numbers are JSON");
    write_atomic(&path, &text)?;
    Ok(crashes)
}

#[cfg(test)]
mod tests {
    use surefoot_cold::observe::observer::Observer;

    use super::*;

    /// A directory and somebody to tell.
    fn place(name: &str) -> (StateDir, Observer) {
        let dir = format!("surefoot-crash-loop-{name}-{}", std::process::id());
        let state = StateDir::open(&std::env::temp_dir().join(dir)).unwrap();
        (state, Observer::start().unwrap())
    }

    #[test]
    fn the_third_crash_within_ten_minutes_halts_and_a_resume_counts_anew() {
        let (state, mut observer) = place("third");
        let count = |most| super::count(&state, most, observer.announcer()).unwrap();
        assert_eq!((count(3), count(3)), (None, None));
        let latch = count(3).unwrap();
        assert_eq!(latch.who, "crash_loop");
        assert!(latch.reason.contains("3 runs crashed within 10 min"), "{latch:?}");
        assert!(latch.reason.contains("surefoot resume"), "{latch:?}");
        assert_eq!(state.halt().unwrap(), Some(latch), "kept over restarts");
        state.clear_halt().unwrap();
        assert_eq!((count(3), state.halt().unwrap()), (None, None), "the first since the resume");
        assert_eq!([(); 5].map(|()| count(0)), [const { None }; 5], "nobody counts");
        observer.close();
        fs::remove_dir_all(state.root()).unwrap();
    }

    #[test]
    fn a_halt_that_stands_keeps_its_reason_and_the_count_stands_for_later() {
        let (state, mut observer) = place("stands");
        let first = HaltLatch { reason: "loss".into(), who: "limit".into(), when_ns: 1 };
        state.set_halt(&first).unwrap();
        let count = || super::count(&state, 1, observer.announcer()).unwrap();
        assert_eq!((count(), state.halt().unwrap()), (None, Some(first)));
        state.clear_halt().unwrap();
        assert!(count().is_some_and(|latch| latch.reason.starts_with("2 runs")));
        observer.close();
        fs::remove_dir_all(state.root()).unwrap();
    }

    /// On a full disk the halt holds in this run alone: what is counted must not begin anew with the next.
    #[test]
    fn a_halt_that_could_not_be_kept_leaves_the_count_for_the_next_start() {
        let (state, mut observer) = place("unkept");
        let latch = state.halt_latch();
        let temporary = latch.with_file_name(format!("halt.json.tmp{}", std::process::id()));
        fs::create_dir(&temporary).unwrap(); // nothing can be written there
        let count = || super::count(&state, 2, observer.announcer()).unwrap();
        assert_eq!(count(), None);
        assert!(count().is_some(), "this run is halted");
        assert_eq!(state.halt().unwrap(), None, "the next one would not be");
        fs::remove_dir(&temporary).unwrap();
        assert!(count().is_some_and(|latch| latch.reason.starts_with("3 runs")));
        assert!(state.halt().unwrap().is_some());
        observer.close();
        fs::remove_dir_all(state.root()).unwrap();
    }

    #[test]
    fn a_crash_that_cannot_be_counted_is_found_again_by_the_next_start() {
        let (state, mut observer) = place("uncounted");
        fs::write(state.exit_file(), "cut off").unwrap();
        fs::write(state.crashes(), "{").unwrap();
        let begun = super::begin(&state, 1, observer.announcer());
        assert!(matches!(begun, Err(StateError::Damaged { .. })), "{begun:?}");
        assert_eq!(fs::read_to_string(state.exit_file()).unwrap(), "cut off");
        observer.close();
        fs::remove_dir_all(state.root()).unwrap();
    }

    #[test]
    fn crashes_of_long_ago_are_forgotten() {
        let (state, mut observer) = place("old");
        let minute = 60_000_000_000;
        let now = 1_000 * minute;
        let found: Vec<_> = [now, now + 5 * minute, now + 10 * minute, now + 14 * minute]
            .map(|now| with_one_more(&state, now).unwrap().len())
            .into();
        assert_eq!(found, [1, 2, 2, 3]);
        assert_eq!(with_one_more(&state, now).unwrap().len(), 4, "the clock was set back");
        fs::write(state.crashes(), "{").unwrap();
        assert!(matches!(with_one_more(&state, now), Err(StateError::Damaged { .. })));
        observer.close();
        fs::remove_dir_all(state.root()).unwrap();
    }

    /// The service manager must not give up before the program has frozen itself: what is down cancels and compares nothing.
    #[test]
    fn the_service_unit_starts_a_frozen_run_and_gives_up_only_later() {
        let unit = concat!(env!("CARGO_MANIFEST_DIR"), "/tuning/systemd/surefoot.service");
        let unit = fs::read_to_string(unit).unwrap();
        let value = |key: &str| {
            let line = unit.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
            line.unwrap_or_else(|| panic!("{key} is not set")).to_owned()
        };
        assert_eq!(value("StartLimitIntervalSec"), WITHIN.as_secs().to_string());
        let crashes_max =
            crate::config::load::read(&crate::config::load::Inputs::default()).0.config.crashes_max;
        let starts: u32 = value("StartLimitBurst").parse().unwrap();
        assert!(
            starts > crashes_max,
            "start {} is the frozen one, it makes {starts}",
            crashes_max + 1
        );
        assert_eq!(value("Restart"), "on-failure");
        let kept: Vec<u8> = value("RestartPreventExitStatus")
            .split(' ')
            .map(|code| code.parse().unwrap())
            .collect();
        let internal = crate::exit::Exit::Internal.code();
        assert!(!kept.contains(&internal), "a failed assertion is tried again, and counted");
    }
}
