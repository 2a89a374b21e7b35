//! Any TOML and any environment into the configuration: one checked value, or every mistake with its place.

use surefoot::config::limits::NESTED;
use surefoot::config::load::{Inputs, load, read};

/// What a secret's text may look like; it is shown nowhere.
pub const CANARY: &str = "hunter2hunter2";

/// Any text as the file, any as the values of some variables.
pub fn config_any(text: &str, env: &[(String, String)]) {
    let inputs = Inputs {
        file: Some(("surefoot.toml".into(), text.into())),
        env: env.to_vec(),
        ..Inputs::default()
    };
    let loaded = match load(&inputs) {
        Ok(loaded) => loaded,
        Err(mistakes) => {
            assert!(!mistakes.is_empty(), "refused without a mistake");
            for mistake in &mistakes {
                let shown = mistake.to_string();
                assert!(!shown.contains(CANARY), "a secret is shown: {shown}\nof\n{text}");
                assert!(!mistake.place.is_empty() && !mistake.what.is_empty());
                let Some((line, column, ..)) = mistake.line else { continue };
                let lines = text.split('\n').count();
                assert!((1..=lines).contains(&line) && column >= 1, "line {line} of {lines}");
            }
            read(&inputs).0 // a halt works beside mistakes
        }
    };
    let limits = loaded.config.limits;
    for (row, value) in limits.iter() {
        let (least, most) = row.def().bounds;
        assert!((least..=most).contains(&value), "{} = {value}", row.def().key);
    }
    for (inner, outer) in NESTED {
        let of = |row| limits.value(row);
        let told = || format!("{} above {}", inner.def().key, outer.def().key);
        assert!(of(inner) <= of(outer) || load(&inputs).is_err(), "{}", told());
    }
}

/// Files that are good, or nearly.
pub const GOOD: &[&str] = &[
    "mode = 'demo'\ntopology = 'calm'\nprofile = 'small'\n\n[limits]\nexposure_total = 100.5\ndaily_loss = 20\n",
    "[venues.polymarket]\nclob = 'https://x'\nsignature_type = 2\n",
    "[venues]\nkalshi = { rest = 'https://x' }\n[limits]\norder_qty = 5\n",
    "starting_capital.polymarket = 500\nstarting_capital.kalshi = 1_000\njournal.sync = 'always'\nlog_level = 'warn'\n",
    "[limits]\nexposure_market = 90\nexposure_cluster = 80\npositions = 4\nduplicate_ms = 5000\n[strategy]\nedge_min = 0.02\n",
];

/// Lines by which people have put a secret where only its place may stand.
pub const SECRETS: &[&str] = &[
    "[venues.polymarket]\nprivate_key = 'hunter2hunter2'\n",
    "[venues.polymarket]\nprivate_key = hunter2hunter2\n",
    "venues.kalshi.key_id = \"hunter2hunter2\"\n",
    "venues.kalshi = { rest = 'http://x', private_key = 'hunter2hunter2' }\n",
    "venues.kalshi = { rest = 'http://x', private_key = 'hunter2hunter2', \n",
    "[venues.kalshi]\nprivate_key = '''\n-----BEGIN PRIVATE KEY-----\nhunter2hunter2\n-----END PRIVATE KEY-----\n'''\n",
    "[venues.kalshi]\nprivate_key = '-----BEGIN PRIVATE KEY-----\nhunter2hunter2\nhunter2hunter2=\n-----END PRIVATE KEY-----'\n",
    "[venues.polymarket]\npassphrase = [\n'hunter2hunter2',\n]\n",
    "[venues.polymarket]\nsecretly = 'hunter2hunter2'\n",
];

/// Values for variables.
pub const VALUES: &[&str] = &[
    "",
    "0",
    "-1",
    "5",
    "1e9",
    "0.0000001",
    "18446744073709551616",
    "99999999999999999999999999",
    "demo",
    "live",
    "calm",
    "credential:a",
    "env:",
    "https://",
    "https://a b",
    "💥",
    "+7",
    "0x10",
    "'5'",
    ".5",
    "5.",
];
