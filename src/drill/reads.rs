//! A start whose nth reading call fails, for every n: it takes up all that earlier runs left, or ends and names the file.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use surefoot_cold::journal::{Identity, Journal, Options, Reader, Sync, replay};
use surefoot_cold::observe::observer::Observer;
use surefoot_cold::snapshot;
use surefoot_cold::state_dir::StateDir;
use surefoot_hot::core::Core;
use surefoot_hot::event::Event;
use surefoot_hot::journal::{Body, Close};
use surefoot_hot::outbox::Outbox;
use surefoot_hot::risk::LimitRow;
use surefoot_hot::units::Nanos;

use super::shim::{Aim, Fate, Shim};
use crate::app::recover::{check_format, recover};
use crate::config::tighten::Change;
use crate::control::exit_note;
use crate::control::operator_log::{LimitAct, lifted_since, record, record_limits, tightened};
use crate::exit::{Exit, Failed};

const VENUE: u64 = 3;

/// Two runs, the first with a snapshot at its end, the second killed; what operators did; how the last run ended.
fn make(state: &StateDir) {
    StateDir::open(state.root()).unwrap();
    let (mut core, mut out) = (Core::new(), Outbox::new());
    for run in 1..=2 {
        let options = Options {
            dir: state.journal(),
            sync: Sync::Grouped,
            segment_bytes: 4 << 10,
            identity: Identity { config: 1, binary: 2, run, venue: VENUE, mode: 0 },
            fresh: run == 1,
            mark: Some(state.journal_mark()),
            untold: Vec::new(),
        };
        let mut journal = Journal::open(options, Nanos::from_secs(run * 100)).unwrap();
        for nth in 1..40 {
            let now = Nanos::from_secs(run * 100 + nth);
            core.on_event(now, &Event::Timer, &mut out);
            journal.append(now, &Body::Input(Event::Timer)).unwrap();
            for note in out.notes() {
                journal.append(now, &Body::Note(*note)).unwrap();
            }
            out.clear();
        }
        if run == 2 {
            journal.flush().unwrap();
            journal.sync().unwrap();
            break;
        }
        let end = Close { decision: core.decision_hash(), state: core.state_hash() };
        journal.close(Nanos::from_secs(150), end).unwrap();
        let folded = replay(&state.journal(), |_| ()).unwrap();
        let mut reader = Reader::open(&state.journal()).unwrap();
        while reader.next_record().unwrap().is_some() {}
        snapshot::write(&state.snapshots(), &reader.place().unwrap(), &folded).unwrap();
    }
    record(state, "resume", "looked").unwrap();
    let change = Change { row: LimitRow::EdgeMin, old: 100, new: 150 };
    record_limits(state, LimitAct::Tightened, &[change], "night").unwrap();
    fs::write(state.exit_file(), "{\"pid\":1,\"exit\":null}\n").unwrap(); // it was killed
}

/// What a start learns of earlier runs.
fn learn(state: &StateDir) -> Result<String, Failed> {
    let (used, crashed) = (state.was_used(), exit_note::crashed_before(state));
    let mut observer = Observer::start().unwrap();
    check_format(state)?;
    let recovered = recover(state, VENUE, observer.announcer())?;
    observer.close();
    let limit = tightened(state)?.value(LimitRow::EdgeMin);
    let lifted = lifted_since(state, 1)?;
    let (fresh, hash) = (recovered.fresh, recovered.core.state_hash());
    Ok(format!(
        "fresh {fresh}, state {hash:016x}, used {used}, crashed {crashed}, {limit:?}, lifted {lifted}"
    ))
}

/// The process that learns; nothing where it is run as a test.
#[test]
fn script() {
    let Ok(dir) = std::env::var("SUREFOOT_READS_DIR") else { return };
    match learn(&StateDir::at(Path::new(&dir))) {
        Ok(learnt) => println!("\nlearnt {learnt}"),
        Err(Failed(exit, why)) => println!("\nended {} {why}", exit.code()),
    }
}

#[test]
fn a_start_whose_nth_read_fails_takes_up_the_whole_or_ends() {
    let root = std::env::temp_dir().join(format!("surefoot-start-reads-{}", std::process::id()));
    let _ = fs::remove_dir_all(&root); // of a process long gone that had this number
    let state = StateDir::at(&root.join("state"));
    fs::create_dir_all(state.root()).unwrap();
    make(&state);
    fs::write(state.lock_file(), "").unwrap();
    let shim = Shim::build(&root).unwrap();
    let fired = root.join("fired");
    let run = |fails: Option<(u64, Fate)>| {
        let _ = fs::remove_file(&fired); // from the last one
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "drill::reads::script", "--nocapture"]);
        command.env("SUREFOOT_READS_DIR", state.root());
        if let Some((nth, what)) = fails {
            let part = state.root().display().to_string();
            shim.arm(&mut command, &Aim { part, calls: "ixdr", nth, what, head: "" }, &fired);
        }
        let said = command.stdin(Stdio::null()).output().unwrap();
        assert!(said.status.success(), "{fails:?}: {said:?}");
        let out = String::from_utf8_lossy(&said.stdout).into_owned();
        let of =
            |mark: &str| out.lines().find_map(|line| line.strip_prefix(mark)).map(str::to_owned);
        (of("learnt "), of("ended "))
    };
    let (Some(whole), None) = run(None) else { panic!("it learns nothing") };
    assert!(whole.contains("fresh false") && whole.contains("Some(150)"), "{whole}");
    for what in [Fate::Fail(5), Fate::FailFromThen(5)] {
        let mut nth = 1;
        loop {
            match run(Some((nth, what))) {
                (Some(learnt), _) => assert_eq!(learnt, whole, "call {nth}, {what:?}"),
                (None, ended) => {
                    let why = ended.unwrap();
                    let names = why.contains(state.root().to_str().unwrap());
                    let exit = Exit::State.code().to_string();
                    assert!(
                        names && why.contains("docs/operator.md") && why.starts_with(&exit),
                        "{nth}: {why}"
                    );
                }
            }
            if !fired.exists() {
                break;
            }
            nth += 1;
        }
        assert!(nth > 20, "{nth} calls were met: it proves nothing");
    }
    fs::remove_dir_all(root).unwrap();
}
