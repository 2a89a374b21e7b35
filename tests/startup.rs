//! What a person meets who starts the program the wrong way: a clear sentence and the documented exit code.
#![allow(clippy::unwrap_used)]

#[path = "support/scratch.rs"]
mod scratch;

use std::path::Path;
use std::process::{Command, Output, Stdio};

use scratch::Scratch;
use surefoot::exit::Exit;
use surefoot_cold::state_dir::StateDir;

fn surefoot(dir: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_surefoot"));
    command.args(words).current_dir(dir).stdin(Stdio::null()).output().unwrap()
}

/// Ends with `exit`, says each of `words` on stderr and nothing on stdout.
fn refused(output: &Output, exit: Exit, words: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(i32::from(exit.code())), "{said}");
    for word in words {
        assert!(said.contains(word), "`{word}` is missing in: {said}");
    }
    assert!(!said.contains("panicked"), "{said}");
    assert!(
        output.stdout.is_empty(),
        "stdout is data: {}",
        String::from_utf8_lossy(&output.stdout)
    );
}

#[test]
fn every_mistake_of_the_configuration_at_once() {
    let dir = Scratch::new("config");
    let text = "profil = 'small'\n\n[limits]\ndaily_loss = -1\norder_qty = 1e3\n";
    std::fs::write(dir.join("surefoot.toml"), text).unwrap();
    for words in [&["config", "check"][..], &["run", "--for", "1s"], &["start"]] {
        let words_said = [
            "surefoot.toml:1:1",
            "did you mean `profile`?",
            "surefoot.toml:4:14",
            "surefoot.toml:5:13",
            "^^",
            "3 mistakes",
        ];
        refused(&surefoot(&dir, words), Exit::Config, &words_said);
    }
    assert!(!dir.join("surefoot-state").exists(), "nothing was begun");
    refused(&surefoot(&dir, &["run", "--config", "none.toml"]), Exit::Config, &["none.toml"]);
}

/// What a start could not use is a mistake of the configuration, and a script is told so as data.
#[test]
fn config_check_opens_what_it_names_and_never_waits() {
    use std::os::unix::fs::PermissionsExt;
    let dir = Scratch::new("secrets");
    let made = Command::new("mkfifo").arg(dir.join("pipe")).status().unwrap();
    assert!(made.success());
    std::fs::create_dir(dir.join("folder")).unwrap();
    std::fs::write(dir.join("open"), "s3cret").unwrap();
    std::fs::set_permissions(dir.join("open"), std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::create_dir(dir.join("state")).unwrap();
    std::fs::set_permissions(dir.join("state"), std::fs::Permissions::from_mode(0o777)).unwrap();
    let named = |name: &str| format!("file:{}", dir.join(name).display());
    let text = format!(
        "state_dir = 'state'\n[venues.kalshi]\nkey_id = '{}'\nprivate_key = '{}'\n[venues.polymarket]\nsecret = '{}'\n\
         passphrase = '{}'\n",
        named("open"),
        named("none"),
        named("folder"),
        named("pipe")
    );
    std::fs::write(dir.join("surefoot.toml"), text).unwrap();
    let said = [
        "venues.kalshi.key_id: others may read",
        "venues.kalshi.private_key: cannot read",
        "venues.polymarket.secret: the secret",
        "folder is no file",
        "pipe is no file",
        "others may write to state",
    ];
    refused(&surefoot(&dir, &["config", "check"]), Exit::Config, &said);
    let output = surefoot(&dir, &["config", "check", "--json"]);
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&told["ok"], told["mistakes"].as_array().unwrap().len()), (&false.into(), 5));
    assert!(!told.to_string().contains("s3cret"));
    std::fs::write(dir.join("surefoot.toml"), "profil = 'small'\n").unwrap();
    let output = surefoot(&dir, &["config", "check", "--json"]);
    assert_eq!(output.status.code(), Some(3));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&told["mistakes"][0]["line"], &told["mistakes"][0]["column"]),
        (&1.into(), &1.into())
    );
    refused(
        &surefoot(&dir, &["config", "check", "--config", "pipe"]),
        Exit::Config,
        &["it is no file"],
    );
}

#[test]
fn a_right_configuration_is_said_to_be_right() {
    let dir = Scratch::new("right");
    std::fs::write(dir.join("surefoot.toml"), "profile = 'micro'\n").unwrap();
    let output = surefoot(&dir, &["config", "check", "--json"]);
    let object: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((object["ok"].clone(), output.status.code()), (true.into(), Some(0)));
    let output = surefoot(&dir, &["config", "show", "--json"]);
    let object: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(object["keys"]["profile"]["from"], "file, line 1");
    assert_eq!(object["keys"]["limits.daily_loss"]["value"], "$50");
}

#[test]
fn a_state_directory_that_cannot_be_used() {
    let dir = Scratch::new("state");
    std::fs::write(dir.join("file"), "").unwrap();
    for verb in ["run", "start"] {
        let output = surefoot(&dir, &[verb, "--state", "file"]);
        refused(&output, Exit::State, &["cannot make the directory file", "--state"]);
    }
    // Nobody may write there, the superuser included.
    refused(
        &surefoot(&dir, &["run", "--state", "/proc/surefoot"]),
        Exit::State,
        &["/proc/surefoot"],
    );
}

#[test]
fn a_state_directory_that_another_instance_holds() {
    let dir = Scratch::new("lock");
    let state = StateDir::open(&dir.join("state")).unwrap();
    let lock = state.lock().unwrap();
    let pid = std::process::id().to_string();
    for verb in ["run", "start"] {
        let output = surefoot(&dir, &[verb, "--state", "state"]);
        refused(&output, Exit::InUse, &["state is in use by another surefoot", &pid]);
    }
    drop(lock);
}

#[test]
fn one_core_is_too_few_for_a_spinner() {
    let dir = Scratch::new("core");
    let output = std::thread::spawn(move || {
        // The process inherits what this thread may use.
        let ids = core_affinity::get_core_ids().unwrap();
        assert!(core_affinity::set_for_current(ids[0]));
        surefoot(&dir, &["run", "--topology", "fused", "--state", "state"])
    });
    let words = ["needs 2 cores and this machine gives us 1", "--topology calm"];
    refused(&output.join().unwrap(), Exit::Machine, &words);
}

#[test]
fn what_is_not_built_says_so() {
    let dir = Scratch::new("modes");
    for words in [&["run", "live"][..], &["run", "--dry-run"], &["start", "live"]] {
        refused(&surefoot(&dir, words), Exit::NotYet, &["nothing was connected and nothing sent"]);
    }
    refused(&surefoot(&dir, &["walk"]), Exit::Usage, &["unrecognized subcommand"]);
    refused(&surefoot(&dir, &["resume"]), Exit::Usage, &["--reason"]);
}

/// A closed terminal is no reason to leave orders behind: what cannot be said is left unsaid.
#[test]
fn a_run_that_nobody_reads_ends_as_any_other() {
    let dir = Scratch::new("unread");
    let mut child = Command::new(env!("CARGO_BIN_EXE_surefoot"))
        .args(["run", "--for", "3s"])
        .current_dir(&*dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    assert_eq!(child.wait().unwrap().code(), Some(0));
    // It ended as it should: the last record is there, and all of it folds to the same.
    let output = surefoot(&dir, &["replay", "--json"]);
    let object: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&object["verdict"], &object["closed"]), (&"same".into(), &true.into()), "{object}");
    assert!(object["inputs"].as_u64().is_some_and(|inputs| inputs > 1_000), "{object}");
}

#[test]
fn verbs_without_an_instance_say_so() {
    let dir = Scratch::new("none");
    for verb in ["status", "stop"] {
        refused(&surefoot(&dir, &[verb]), Exit::NotRunning, &["not running", "surefoot start"]);
    }
    // A halt or resume in the wrong place must not pass for one.
    std::fs::create_dir(dir.join("empty")).unwrap();
    let verbs = [(&["halt"][..], "halted"), (&["resume", "--reason", "x"], "resumed")];
    for (verb, done) in verbs {
        for (state, whole) in
            [("surefoot-state", "surefoot-state"), ("empty", "empty"), ("../none", "none")]
        {
            let words = [verb, &["--state", state]].concat();
            let whole = if state.starts_with("..") { dir.join("..") } else { dir.to_path_buf() }
                .join(whole);
            let said = format!("no surefoot has run in {}: NOTHING was {done}", whole.display());
            refused(&surefoot(&dir, &words), Exit::NotRunning, &[&said, "--state"]);
            assert!(!whole.join("halt.json").exists() && !whole.join("journal").exists());
        }
    }
    // Where one has run: for the next start.
    let used = StateDir::open(&dir.join("used")).unwrap();
    drop(used.lock().unwrap());
    let output = surefoot(&dir, &["halt", "--state", "used", "--reason", "night"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(
        said.contains(&format!("no instance runs in {}", dir.join("used").display())),
        "{said}"
    );
    assert_eq!(used.halt().unwrap().unwrap().reason, "night");
    let output = surefoot(&dir, &["replay"]);
    assert_ne!(output.status.code(), Some(0));
    assert!(!dir.join("surefoot-state").exists(), "looking makes nothing");
}

/// A script that asks for an object gets one, whatever fails: `ok`, the exit and the sentence, and nothing else on stdout.
#[test]
fn a_failure_is_an_object_too_where_one_is_wanted() {
    let dir = Scratch::new("objects");
    std::fs::write(dir.join("file"), "").unwrap();
    std::fs::write(dir.join("bad.toml"), "profil = 'small'\n").unwrap();
    let used = StateDir::open(&dir.join("used")).unwrap();
    drop(used.lock().unwrap());
    std::fs::write(used.kill_file(), "").unwrap();
    let cases: &[(&[&str], Exit)] = &[
        (&["run", "--state", "file"], Exit::State),
        (&["start", "--state", "file"], Exit::State),
        (&["run", "live"], Exit::NotYet),
        (&["start", "live"], Exit::NotYet),
        (&["run", "--venues", "none.json"], Exit::Usage),
        (&["run", "--capture", "none.jsonl"], Exit::Failed),
        (&["twin", "--capture", "none.jsonl"], Exit::Failed),
        (&["run", "--config", "none.toml"], Exit::Config),
        (&["run", "--config", "bad.toml"], Exit::Config),
        (&["config", "check", "--config", "bad.toml"], Exit::Config),
        (&["config", "explain", "nothing_like_it"], Exit::Usage),
        (&["resume", "--reason", " "], Exit::Usage),
        (&["resume", "--reason", "x", "--state", "used"], Exit::Halted),
        (&["release", "M", "--reason", " "], Exit::Usage),
        (&["limits", "set", "limits.positions", "3", "--reason", " "], Exit::Usage),
        (&["accept-loss", "--reason", " "], Exit::Usage),
        (&["accept-loss", "--reason", "x"], Exit::NotRunning),
    ];
    for &(words, exit) in cases {
        let output = surefoot(&dir, &[words, &["--json"]].concat());
        let told: serde_json::Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{words:?}: {error}: {output:?}"));
        assert_eq!(output.status.code(), Some(i32::from(exit.code())), "{words:?}: {output:?}");
        assert_eq!(
            (&told["ok"], &told["exit"]),
            (&false.into(), &exit.code().into()),
            "{words:?}: {told}"
        );
        let why = told["error"].as_str().unwrap_or_default();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!why.is_empty() && said.contains(why), "{words:?}: {why:?} is not in: {said}");
    }
}

#[test]
fn a_simulated_day_has_from_one_hour_to_a_year() {
    let dir = Scratch::new("hours");
    for hours in ["0", "8785", "9999999999999999"] {
        let output = surefoot(&dir, &["sim", "--seeds", "1", "--hours", hours]);
        refused(&output, Exit::Usage, &["--hours", "8784"]);
    }
}

/// Whoever looks after a crash is told what it was and what is done about it.
#[test]
fn a_run_that_was_cut_off_is_told_to_whoever_looks() {
    let dir = Scratch::new("cut");
    let mut run = Command::new(env!("CARGO_BIN_EXE_surefoot"))
        .args(["run", "--topology", "calm"])
        .current_dir(&*dir)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let is_open = || {
        let output = surefoot(&dir, &["status", "--json"]);
        let status: Option<serde_json::Value> = serde_json::from_slice(&output.stdout).ok();
        status.is_some_and(|status| status["open"] == true)
    };
    let begin = std::time::Instant::now();
    while !is_open() {
        assert!(begin.elapsed() < std::time::Duration::from_secs(120), "it never opened");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let output = surefoot(&dir, &["replay"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("of 1 run:") && said.contains("an instance is at work"), "{output:?}");
    run.kill().unwrap();
    run.wait().unwrap();
    let said = ["not running", "the last run did not end as it should", "surefoot start"];
    let output = surefoot(&dir, &["status"]);
    assert_eq!(output.status.code(), Some(8), "{output:?}");
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(said.iter().all(|words| err.contains(words)), "{err}");
    let output = surefoot(&dir, &["replay"]);
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("did not end as it should"),
        "{output:?}"
    );
}
