//! Markets that come and go while others are traded.

use std::fs;
use std::time::Instant;

use serde_json::Value;
use surefoot::access::Access;
use surefoot::relations::Pair;
use surefoot::twin::open::{Options, open};

use crate::harness::take_seed;
use crate::rig::{Scratch, ask, count, database, run_against, say, signal, until};

/// Markets of the twin; the run begins with some of them.
const MARKETS: usize = 300;
/// Markets that come and go.
const COME: usize = 100;

/// A figure of every link or session that there is, summed.
fn sum(status: &Value, of: &str, figure: &str) -> u64 {
    let each = status["figures"][of].as_object().unwrap().values();
    each.map(|values| values[figure].as_u64().unwrap()).sum()
}

/// The same of both venues.
fn of_venues(status: &Value, figure: &str) -> u64 {
    let each = status["figures"]["core"][figure].as_object(); // there is none before the run has begun
    each.into_iter().flatten().map(|(_, value)| value.as_u64().unwrap()).sum()
}

/// Takes the last pairs out of what the venues say of how markets belong together, and returns them.
fn leave_pairs_out(description: &mut Value, count: usize) -> Vec<Pair> {
    let pairs = description["relations"]["pairs"].as_array_mut().unwrap();
    let out = pairs.split_off(pairs.len() - count);
    assert!(pairs.len() >= 5, "some pairs are left to trade");
    let mut only = description.clone();
    only["relations"]["pairs"] = out.into();
    only["relations"]["sets"] = Vec::<Value>::new().into();
    let path = std::env::temp_dir().join(format!("surefoot-pairs-{}.json", std::process::id()));
    fs::write(&path, only.to_string()).unwrap();
    let pairs = Access::from_file(&path).unwrap().relations.pairs;
    fs::remove_file(path).unwrap();
    pairs
}

/// Frames of the others that were missed, and books that had to be fetched anew, as far as they can be told.
fn missed(status: &Value) -> [u64; 4] {
    [
        sum(status, "sessions", "session_gaps_seen"),
        sum(status, "sessions", "session_messages_bad"),
        sum(status, "links", "link_times_lost"),
        sum(status, "outlets", "outlet_events_dropped"),
    ]
}

pub fn a_hundred_markets_come_and_go_while_others_are_traded() {
    let scratch = Scratch::new("follow");
    let state = scratch.path("state");
    let options = Options { seed: take_seed(40), markets: Some(MARKETS), ..Options::default() };
    let (server, mut description) = open(&options, &scratch.path("twin")).unwrap();
    let later = leave_pairs_out(&mut description, COME / 2);
    description["relations"]["sets"] = Vec::<Value>::new().into();
    description["markets"] = Value::Null; // else the run follows all that there are
    let venues = scratch.path("venues.json");
    fs::write(&venues, description.to_string()).unwrap();
    let mut twin = server.spawn().unwrap();
    let names: Vec<_> = later
        .iter()
        .flat_map(|pair| &pair.markets)
        .take(COME)
        .map(|(venue, name)| format!("{}:{name}", venue.name()))
        .collect();
    assert_eq!(names.len(), COME, "the twin has enough pairs");

    let run = run_against(&scratch, &venues, &state, "run");
    let before = until(&scratch, &state, "trading with every book whole", |status| {
        let all = of_venues(status, "core_markets_followed");
        all > 0 && of_venues(status, "core_books_good") == all && count(status, "/orders/sent") > 0
    });
    let (all, lost) = (of_venues(&before, "core_markets_followed"), missed(&before));

    let wrong = say(&scratch, &state, "follow KX-NONE");
    assert_eq!(wrong.code, Some(1), "{wrong:#?}");
    assert!(wrong.err.contains("at which venue"), "{wrong:#?}");
    let wrong = say(&scratch, &state, "follow kalshi:KX-NONE");
    assert!(wrong.code == Some(1) && wrong.err.contains("nothing was followed"), "{wrong:#?}");
    let wrong = say(&scratch, &state, "unfollow KX-NONE");
    assert!(wrong.code == Some(1) && wrong.err.contains("is not followed"), "{wrong:#?}");

    let words = names.join(" ");
    for round in 0..2 {
        let told = say(&scratch, &state, &format!("follow --json {words}"));
        assert_eq!(told.code, Some(0), "{told:#?}");
        assert_eq!(told.json()["followed"].as_array().unwrap().len(), COME, "{told:#?}");
        assert_eq!(told.json()["baskets"], COME, "one of YES and NO each");
        let sent = until(&scratch, &state, "all are followed, every book whole", |status| {
            let followed = of_venues(status, "core_markets_followed");
            followed == all + COME as u64 && of_venues(status, "core_books_good") == followed
        });
        let sent = count(&sent, "/orders/sent");
        let traded = until(&scratch, &state, "trading goes on", |status| {
            count(status, "/orders/sent") > sent
        });
        assert_eq!(missed(&traded), lost, "no frame of the others was missed");
        let again = say(&scratch, &state, &format!("follow --json {}", names[0]));
        assert_eq!(again.json()["already"].as_array().unwrap().len(), 1, "{again:#?}");

        let told = say(&scratch, &state, &format!("unfollow --json {words}"));
        assert_eq!(told.code, Some(0), "{told:#?}");
        let left = until(&scratch, &state, "all are left", |status| {
            let figures = &status["figures"]["core"];
            figures["core_markets_unfollowed"] == (round + 1) * COME
                && figures["core_markets_leaving"] == 0
                && of_venues(status, "core_markets_followed") == all
        });
        let sent = count(&left, "/orders/sent");
        let traded = until(&scratch, &state, "trading goes on", |status| {
            count(status, "/orders/sent") > sent
                && of_venues(status, "core_books_good")
                    == of_venues(status, "core_markets_followed")
        });
        assert_eq!(missed(&traded), lost, "no frame of the others was missed");
    }

    signal(run.pid(), "-TERM");
    let said = run.end();
    assert_eq!(said.code, Some(0), "{said:#?}");
    let replay = say(&scratch, &state, "replay --json");
    assert_eq!(replay.code, Some(0), "the same decisions: {replay:#?}");
    let db = database(&state);
    let left = "SELECT count(*) FROM v_markets WHERE following = 'unfollowed' AND name <> ''";
    assert_eq!(ask(&db, left), COME as i64);

    // A start knows what is wanted: those that were taken out stay out.
    let run = run_against(&scratch, &venues, &state, "again");
    until(&scratch, &state, "the same markets are followed, every book whole", |status| {
        of_venues(status, "core_markets_followed") == all
            && of_venues(status, "core_books_good") == all
    });
    until(&scratch, &state, "it is open", |status| status["open"] == true);
    signal(run.pid(), "-TERM");
    assert_eq!(run.end().code, Some(0));
    twin.stop().unwrap();
}

/// Markets of the largest world that the twin plays.
const MOST: usize = 5_000;

/// Every book of five thousand markets is whole within the venues' own limits of connections and requests, which the twin
/// keeps. Prints how long that took and what memory the run has.
pub fn five_thousand_markets_are_followed_within_the_venues_limits() {
    let scratch = Scratch::new("many");
    let state = scratch.path("state");
    let options = Options { seed: take_seed(41), markets: Some(MOST), ..Options::default() };
    let (server, description) = open(&options, &scratch.path("twin")).unwrap();
    let venues = scratch.path("venues.json");
    fs::write(&venues, description.to_string()).unwrap();
    let mut twin = server.spawn().unwrap();
    let begin = Instant::now();
    let run = run_against(&scratch, &venues, &state, "run");
    let whole = until(&scratch, &state, "every book is whole and every link up", |status| {
        let all = of_venues(status, "core_markets_followed");
        let links = status["figures"]["links"].as_object();
        all >= MOST as u64
            && of_venues(status, "core_books_good") == all
            && links.is_some_and(|links| links.values().all(|link| link["link_up"] == 1))
    });
    let took = begin.elapsed();
    let links = whole["figures"]["links"].as_object().unwrap();
    assert_eq!(missed(&whole), [0; 4], "within the venues' limits nothing is missed");
    let memory = fs::read_to_string(format!("/proc/{}/status", run.pid())).unwrap();
    let memory = memory.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("VmHWM unknown");
    println!(
        "{} markets over {} links: every book whole {:.1} s after the start, {}",
        of_venues(&whole, "core_markets_followed"),
        links.len(),
        took.as_secs_f64(),
        memory.split_whitespace().collect::<Vec<_>>().join(" ")
    );
    // Ended before it has agreed with the venues, a run says that it differs from them, for it holds no cash yet.
    until(&scratch, &state, "it is open", |status| status["open"] == true);
    signal(run.pid(), "-TERM");
    assert_eq!(run.end().code, Some(0));
    twin.stop().unwrap();
}
