//! Why each key that is no limit has its default, and what to look at before it is changed.

use super::super::keys::{Key, Kind};

/// The words about a key; `None` for limits, which have a table of their own.
pub fn of_key(key: &Key) -> Option<&'static str> {
    let path = of_any_venue(key.path);
    let named = WORDS.iter().find(|(known, _)| *known == path).map(|(_, words)| *words);
    named.or(match key.kind {
        Kind::Secret => Some(SECRET),
        Kind::Url(_) => Some(LIVE),
        _ => None,
    })
}

/// The path with a star for the venue, where it has one.
pub(super) fn of_any_venue(path: &str) -> String {
    let mut parts: Vec<_> = path.split('.').collect();
    if parts.len() > 1 && ["venues", "starting_capital"].contains(&parts[0]) {
        parts[1] = "*";
    }
    parts.join(".")
}

const LIVE: &str = "the venue's own address, as its documentation has it; the demo's are the twin's and come from nowhere else";
const SECRET: &str =
    "a configuration is copied and shown, so it names where a secret is and never holds one";

/// Path, with a star for any venue, and words.
pub(super) const WORDS: &[(&str, &str)] = &[
    (
        "mode",
        "the demo needs no account and can lose nothing: whoever starts the program without reading anything is there",
    ),
    (
        "world",
        "what a fair market leaves is worth knowing before money is at stake; `calm` shows how the program works, and its profits \
        say nothing",
    ),
    (
        "state_dir",
        "beside where it is started, so that two folders are two instances; give a path on a local disk, mode 0700",
    ),
    (
        "topology",
        "the number of cores decides what is fastest; `calm` uses least and is right on a laptop",
    ),
    (
        "pin_cpu",
        "the topology chooses a core by itself; name one that the kernel keeps free (`tuning/README.md`)",
    ),
    (
        "log_level",
        "a person at a terminal wants to see that it lives; `warn` says only what is odd",
    ),
    ("log.json", "what was said is looked for afterwards, by scripts too"),
    ("log.max_mb", "small enough for an editor to open; what is older is renamed, see `log.keep`"),
    ("log.keep", "together with `log.max_mb` half a gigabyte at most"),
    (
        "profile",
        "limits for an account of $500 to $20,000; `micro` is meant for less, `large` for more. A profile is a ceiling: the file can \
        only be tighter",
    ),
    (
        "journal.sync",
        "nothing on the path waits for the disk, and a crash of the machine loses 5 ms at most; `always` loses nothing and costs the \
        time of a sync for each order",
    ),
    (
        "journal.retention_days",
        "a month can be replayed to the bit; the database keeps what came of it for ever",
    ),
    (
        "restart.crashes_max",
        "one crash is no reason to stay away: what rests is cancelled and the start compares before it opens. What crashes a third \
         time will crash a fourth, with other positions; 0 is for drills that kill it on purpose",
    ),
    (
        "backup.every_hours",
        "a copy a day costs a second of a cold thread; the journal has everything since",
    ),
    ("backup.keep", "a week of copies: a damage that nobody saw at once is older than a day"),
    (
        "times.breaker_ms",
        "a venue that failed five times in a row needs about a minute to come back",
    ),
    (
        "times.compare_ms",
        "often enough that a wrong figure lives for seconds, seldom enough for the venues' rate limits",
    ),
    (
        "times.compare_again_ms",
        "a difference is looked at sooner: two readings that show the same one end it",
    ),
    (
        "paper.curve",
        "the realistic curve decides what is not known against us; the two others say how far apart the assumptions are",
    ),
    (
        "paper.latency_ms",
        "a careful guess for a server in another region; measure your own round trip and set it, larger rather than smaller",
    ),
    (
        "starting_capital.*",
        "what the demo's twin gives; set it to what the account really began with: the equity floor is half of it",
    ),
    (
        "limits.midnight_utc_min",
        "midnight UTC; move it to where your day begins, so that a day's loss is a day's loss. Losses that halted do not end \
        with it",
    ),
    ("themes", "none: what hangs together beyond the declared relations only you know"),
    ("venues.*.signature_type", "depends on how the wallet was made; there is no right guess"),
    ("venues.*.funder", "the address whose money is used; there is no right guess"),
];
