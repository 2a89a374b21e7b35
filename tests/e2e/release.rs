//! A market in quarantine, and the verb by which a person lets it be traded again.

use std::fs;
use std::time::Duration;

use serde_json::Value;
use surefoot::access::Access;
use surefoot::twin::open::{Options, open};
use surefoot_cold::state_dir::StateDir;
use surefoot_hot::ids::Venue;

use crate::harness::take_seed;
use crate::rig::{Scratch, count, holds, run_against, say, signal, until};

/// How long a resume is watched that must not lift a quarantine.
const A_WHILE: Duration = Duration::from_secs(2);

fn names_in_quarantine(status: &Value) -> Vec<&str> {
    status["quarantined"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
}

pub fn a_market_in_quarantine_waits_for_release_and_for_nothing_else() {
    let scratch = Scratch::new("release");
    let state = scratch.path("state");
    let (server, description) =
        open(&Options { seed: take_seed(18), ..Options::default() }, &scratch.path("twin"))
            .unwrap();
    let venues = scratch.path("venues.json");
    fs::write(&venues, description.to_string()).unwrap();
    let access = Access::from_file(&venues).unwrap();
    let remote = server.remote();
    let mut twin = server.spawn().unwrap();

    let nobody = say(&scratch, &state, "release KX-NONE --reason test");
    assert_ne!(nobody.code, Some(0), "nothing runs: {nobody:#?}");

    let run = run_against(&scratch, &venues, &state, "run");
    until(&scratch, &state, "trading", |status| count(status, "/orders/sent") > 0);
    let market = access.relations.pairs[0].name_at(Venue::Kalshi).unwrap().to_owned();
    remote.with(|world, now| world.kalshi.say_of_life(0, "reticulated", now)).unwrap();
    let shut = until(&scratch, &state, "a market is in quarantine", |status| {
        !names_in_quarantine(status).is_empty()
    });
    let named = names_in_quarantine(&shut)[0].to_owned();
    let market = named.split_whitespace().nth(1).map_or(market, str::to_owned);
    assert!(named.starts_with("kalshi "), "{named}");

    for (words, code, word) in [
        ("release --reason test".to_owned(), 2, "MARKET"),
        (format!("release {market}"), 2, "reason"),
        ("release KX-NONE --reason test".to_owned(), 1, "no market is called"),
        ("resume --reason test".to_owned(), 0, ""),
    ] {
        let said = say(&scratch, &state, &words);
        assert_eq!(said.code, Some(code), "{words}: {said:#?}");
        assert!(said.err.contains(word), "{words}: {said:#?}");
    }
    let what = "nothing but its own release opens the market";
    holds(&scratch, &state, A_WHILE, what, |status| {
        names_in_quarantine(status) == [named.as_str()]
    });

    let released = say(&scratch, &state, &format!("release {market} --reason harmless"));
    assert_eq!(released.code, Some(0), "{released:#?}");
    until(&scratch, &state, "no market is in quarantine", |status| {
        names_in_quarantine(status).is_empty()
    });
    let record = fs::read_to_string(StateDir::at(&state).root().join("operator.jsonl")).unwrap();
    assert!(record.contains(&market) && record.contains("harmless"), "{record}");

    signal(run.pid(), "-TERM");
    let said = run.end();
    assert_eq!(said.code, Some(0), "{said:#?}");
    let replay = say(&scratch, &state, "replay --json");
    assert_eq!(replay.code, Some(0), "{replay:#?}");
    twin.stop().unwrap();
}
