//! A journal whose end is missing after a clean stop: nothing is traded on it, and a person accepts the loss by a verb.

use std::fs;
use std::path::Path;

use surefoot_cold::state_dir::StateDir;

use crate::rig::{Said, Scratch, Twin, count, run_against, say, segments, signal, status, until};

fn trades_and_stops(scratch: &Scratch, twin: &Twin, state: &Path, name: &str) -> Said {
    let run = run_against(scratch, &twin.venues, state, name);
    until(scratch, state, "trading", |status| count(status, "/orders/sent") > 0);
    signal(run.pid(), "-TERM");
    run.end()
}

pub fn a_journal_without_its_end_is_not_traded_on_until_a_person_accepts_the_loss() {
    let scratch = Scratch::new("loss");
    let state = scratch.path("state");
    let twin = Twin::start(&scratch, 11);
    for name in ["first", "second"] {
        let said = trades_and_stops(&scratch, &twin, &state, name);
        assert_eq!(said.code, Some(0), "{said:#?}");
    }
    let dir = StateDir::at(&state);
    let last = segments(&state).pop().unwrap();
    let good = fs::read(&last).unwrap();
    let start = format!("run --topology calm --json --for 1s --venues {}", twin.venues.display());
    let refused = |what: &str| {
        let said = say(&scratch, &state, &start);
        assert_eq!(said.code, Some(6), "{what}: {said:#?}");
        assert!(
            said.err.contains("is missing") && said.err.contains("Nothing was traded"),
            "{what}: {said:#?}"
        );
        assert!(said.err.contains("surefoot accept-loss"), "the verb: {said:#?}");
    };
    // Between two records, within one, and to nothing; the database or gone too.
    for (nth, cut) in
        [good.len() - 1, good.len() - 80, good.len() / 160 * 80, 7, 0].into_iter().enumerate()
    {
        fs::write(&last, &good[..cut]).unwrap();
        refused(&format!("cut at byte {cut} of {}", good.len()));
        if nth == 1 {
            let replayed = say(&scratch, &state, "replay --json");
            assert_eq!(replayed.code, Some(6), "{replayed:#?}");
        }
        assert_eq!(fs::read(&last).unwrap().len(), cut, "left as it was found");
    }
    fs::remove_file(&last).unwrap();
    refused("the last segment is removed");
    let mark = fs::read(dir.journal_mark()).unwrap();
    fs::remove_file(dir.journal_mark()).unwrap();
    refused("the mark is removed as well: the database knows");
    // Put back whole, it goes on; without a mark, as older versions left it, and without a database, too.
    fs::write(&last, &good).unwrap();
    let said = say(&scratch, &state, "accept-loss --reason test");
    assert!(said.code == Some(1) && said.err.contains("nothing is lost"), "{said:#?}");
    fs::remove_file(dir.database()).unwrap();
    let said = say(&scratch, &state, &start);
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert!(said.err.contains("journal.mark is not there"), "{said:#?}");
    fs::remove_file(dir.database()).unwrap();
    let said = say(&scratch, &state, &start);
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert!(!said.err.contains("journal.mark is not there"), "{said:#?}");
    fs::remove_file(dir.wire_log("kalshi")).unwrap();
    let said = say(&scratch, &state, &start);
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert!(said.err.contains("wire-kalshi.log is not there"), "{said:#?}");
    // Lost for good: accepted, with a reason, and halted until somebody has looked.
    fs::write(dir.journal_mark(), mark).unwrap();
    let last = segments(&state).pop().unwrap();
    fs::remove_file(&last).unwrap();
    for _ in 0..3 {
        fs::remove_file(segments(&state).pop().unwrap()).unwrap();
    }
    refused("the last segments are removed");
    let usage = say(&scratch, &state, "accept-loss");
    assert_eq!(usage.code, Some(2), "a reason is needed: {usage:#?}");
    let accepted = say(&scratch, &state, "accept-loss --reason disk-died --json");
    assert_eq!(accepted.code, Some(0), "{accepted:#?}");
    let kept = accepted.json()["journal"].as_str().unwrap().to_owned();
    assert!(kept.ends_with("journal.aside-1") && fs::read_dir(&kept).unwrap().count() > 0);
    let record = fs::read_to_string(state.join("operator.jsonl")).unwrap();
    assert!(record.contains("accept-loss") && record.contains("disk-died"), "{record}");
    let run = run_against(&scratch, &twin.venues, &state, "after");
    let halted = until(&scratch, &state, "up and halted", |status| status["open"] == true);
    assert_eq!(
        (&halted["halted"], &halted["reconciled"]),
        (&true.into(), &true.into()),
        "{halted:#}"
    );
    assert_eq!(say(&scratch, &state, "resume --reason looked").code, Some(0));
    let traded = until(&scratch, &state, "trading", |status| count(status, "/orders/sent") > 0);
    assert_eq!(traded["halted"], false);
    assert!(status(&scratch, &state).is_some());
    signal(run.pid(), "-TERM");
    let said = run.end();
    assert_eq!(said.code, Some(0), "{said:#?}");
}
