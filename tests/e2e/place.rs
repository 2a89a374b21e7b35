//! The directory and the account under a run: removed, renamed, unlocked by hand, traded twice, started four times at once.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use surefoot_cold::state_dir::StateDir;

use crate::control::Detached;
use crate::rig::{
    Process, Scratch, Twin, count, run_against, say, signal, surefoot, truths, until,
};

pub fn a_directory_that_is_gone_halts_and_the_account_is_still_one_instances() {
    let scratch = Scratch::new("gone");
    let (state, moved, other) =
        (scratch.path("state"), scratch.path("moved"), scratch.path("other"));
    let twin = Twin::start(&scratch, 14);
    let run = run_against(&scratch, &twin.venues, &state, "run");
    until(&scratch, &state, "trading", |status| count(status, "/orders/sent") > 0);
    let venues = twin.venues.display();

    // Another directory, the same accounts.
    let second = say(&scratch, &other, &format!("run --for 1s --topology calm --venues {venues}"));
    assert_eq!(second.code, Some(5), "{second:#?}");
    for named in ["account", &run.pid().to_string(), state.to_str().unwrap()] {
        assert!(second.err.contains(named), "{named}: {second:#?}");
    }
    // The lock file removed: the directory is locked all the same, and it is told.
    fs::remove_file(StateDir::at(&state).lock_file()).unwrap();
    let second = say(&scratch, &state, &format!("run --for 1s --topology calm --venues {venues}"));
    assert_eq!(second.code, Some(5), "{second:#?}");
    assert!(second.err.contains("in use by another surefoot"), "{second:#?}");
    let told = until(&scratch, &state, "the lock is missed", |status| status["healthy"] == false);
    assert!(told["troubles"].to_string().contains("lock was removed"), "{told:#}");

    // The whole directory renamed: it halts, and is found under its old name and its new one.
    fs::rename(&state, &moved).unwrap();
    let halted = until(&scratch, &state, "it halts", |status| status["halted"] == true);
    assert_eq!(halted["halt"]["who"], "directory");
    assert!(halted["halt"]["reason"].as_str().unwrap().contains("removed, renamed or replaced"));
    until(&scratch, &moved, "found where it is now", |status| status["halted"] == true);
    let said = say(&scratch, &state, "halt --reason where-is-it");
    assert_eq!(said.code, Some(0), "{said:#?}");
    let second = say(&scratch, &state, &format!("run --for 1s --topology calm --venues {venues}"));
    assert_eq!(
        second.code,
        Some(5),
        "a new directory of the same name, the same accounts: {second:#?}"
    );
    let stopped = say(&scratch, &moved, "stop");
    let said = run.end();
    assert_eq!((stopped.code, said.code), (Some(0), Some(0)), "{stopped:#?} {said:#?}");
    for truth in truths(&twin.access, &moved) {
        assert!(truth.open.is_empty(), "still resting: {:?}", truth.open);
    }
}

pub fn of_four_starts_at_one_moment_one_is_up_and_three_say_in_use() {
    let scratch = Scratch::new("four");
    let state = scratch.path("state");
    let twin = Twin::start(&scratch, 15);
    let _guard = Detached(state.clone());
    let starts: Vec<Process> = (0..4)
        .map(|nth| {
            let mut command = surefoot(&scratch, ["start", "--topology", "calm", "--venues"]);
            command.arg(&twin.venues).arg("--state").arg(&state);
            Process::spawn(&scratch, &format!("start{nth}"), command)
        })
        .collect();
    let ends: Vec<_> = starts.into_iter().map(Process::end).collect();
    let mut codes: Vec<_> = ends.iter().map(|end| end.code).collect();
    codes.sort_unstable();
    assert_eq!(codes, [Some(0), Some(5), Some(5), Some(5)], "{ends:#?}");
    assert_eq!(say(&scratch, &state, "stop").code, Some(0));
}

pub fn a_closed_terminal_is_one_wish_a_halt_never_fails_for_its_words_and_an_open_directory_is_refused()
 {
    let scratch = Scratch::new("ends");
    let state = scratch.path("state");
    let twin = Twin::start(&scratch, 16);
    let run = run_against(&scratch, &twin.venues, &state, "run");
    until(&scratch, &state, "trading", |status| count(status, "/orders/sent") > 0);
    let reason = "é".repeat(5_000);
    let mut command = surefoot(&scratch, ["halt", "--reason", &reason]);
    let halted = command.arg("--state").arg(&state).output().unwrap();
    assert_eq!(halted.status.code(), Some(0), "{halted:?}");
    let latch = StateDir::at(&state).halt().unwrap().unwrap();
    assert!(latch.reason.ends_with("… (cut)") && latch.reason.chars().count() < 1_100);
    assert_eq!(say(&scratch, &state, "resume --reason test").code, Some(0));
    // The kernel's, and the shell's.
    signal(run.pid(), "-HUP");
    signal(run.pid(), "-HUP");
    let said = run.end();
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert_eq!(said.json()["reconciled"], true);

    // Play money is nobody else's business: what is not on this machine is not asked.
    let text = fs::read_to_string(&twin.venues).unwrap();
    let mut venues: serde_json::Value = serde_json::from_str(&text).unwrap();
    venues["kalshi"]["ws"] = "wss://203.0.113.7/trade-api/ws/v2".into();
    let elsewhere = scratch.path("elsewhere.json");
    fs::write(&elsewhere, venues.to_string()).unwrap();
    let refused = say(&scratch, &state, &format!("run --for 1s --venues {}", elsewhere.display()));
    assert_eq!(refused.code, Some(2), "{refused:#?}");
    assert!(
        refused.err.contains("203.0.113.7") && refused.err.contains("loopback"),
        "{refused:#?}"
    );

    fs::set_permissions(&state, fs::Permissions::from_mode(0o777)).unwrap();
    let refused =
        say(&scratch, &state, &format!("run --for 1s --venues {}", twin.venues.display()));
    assert_eq!(refused.code, Some(4), "{refused:#?}");
    assert!(refused.err.contains("mode 0777") && refused.err.contains("chmod 700"), "{refused:#?}");
}
