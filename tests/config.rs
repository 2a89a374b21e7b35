//! The configuration: what wins, what is refused, and how a mistake reads.
#![allow(clippy::unwrap_used)]

#[path = "support/scratch.rs"]
mod scratch;

use scratch::Scratch;
use surefoot::cli::{Mode, TopologyArg};
use surefoot::config::SecretRef;
use surefoot::config::load::{Inputs, Loaded, Mistake, Origin, load};
use surefoot_hot::per_venue::PerVenue;
use surefoot_hot::risk::LimitRow;
use surefoot_hot::units::{Nanos, Usd};

fn file(text: &str) -> Inputs {
    Inputs { file: Some(("surefoot.toml".into(), text.into())), ..Inputs::default() }
}

fn good(text: &str) -> Loaded {
    load(&file(text)).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"))
}

fn bad(text: &str) -> Vec<Mistake> {
    load(&file(text)).expect_err("this is wrong")
}

fn origin(loaded: &Loaded, path: &str) -> Origin {
    loaded.shown.iter().find(|(key, ..)| *key == path).unwrap().2.clone()
}

#[test]
fn nothing_given_is_the_demo() {
    let config = good("").config;
    assert_eq!((config.mode, config.topology), (Mode::Demo, TopologyArg::Auto));
    assert_eq!(config.starting_capital, PerVenue::all(Usd::from_dollars(10_000)));
    assert_eq!(config.limits.value(LimitRow::OrdersPerMinute), 600);
    assert_eq!(config.limits.value(LimitRow::OrderNotional), 100_000_000);
    assert_eq!(config.limits.value(LimitRow::ExposureTotal), 1_000_000_000);
    let paper = good("mode = 'paper'").config;
    assert_eq!(paper.limits.value(LimitRow::OrdersPerMinute), 60);
    assert_ne!(paper.hash, config.hash);
    assert_eq!(good("log_level = 'warn'").config.hash, config.hash, "it trades the same");
}

#[test]
fn a_limit_that_does_not_hold_is_named_with_both_values() {
    let text = "[limits]\nexposure_total = 100000\ndaily_loss = 20\nduplicate_ms = 5\n";
    let mut inputs = file(text);
    inputs.env = vec![("SUREFOOT__LIMITS__POSITIONS".into(), "900".into())];
    let loaded = load(&inputs).unwrap();
    let want = [
        "surefoot.toml:2: limits.exposure_total = $100000 is ignored: $1000 is tighter and holds (profile small)",
        "SUREFOOT__LIMITS__POSITIONS: limits.positions = 900 is ignored: 16 is tighter and holds (profile small)",
        "surefoot.toml:4: limits.duplicate_ms = 5 ms is ignored: 1000 ms is tighter and holds (profile small)",
    ];
    let mut warnings = loaded.warnings;
    warnings.sort();
    let mut want = want.map(str::to_owned);
    want.sort();
    assert_eq!(warnings, want);
    assert!(good("[strategy]\nedge_min = 0.02\n[limits]\ndaily_loss = 1\n").warnings.is_empty());
}

#[test]
fn flag_over_variable_over_file_over_default() {
    let mut inputs = file("topology = 'split'\nlog_level = 'warn'\n[limits]\ndaily_loss = 50\n");
    inputs.env = vec![
        ("SUREFOOT__TOPOLOGY".into(), "fused".into()),
        ("SUREFOOT__LIMITS__DAILY_LOSS".into(), "20.50".into()),
        ("HOME".into(), "/".into()),
    ];
    inputs.flags = vec![("topology", "--topology", "calm".into())];
    let loaded = load(&inputs).unwrap();
    assert_eq!(loaded.config.topology, TopologyArg::Calm);
    assert_eq!(loaded.config.limits.value(LimitRow::DailyLoss), 20_500_000);
    assert_eq!(origin(&loaded, "topology"), Origin::Flag("--topology"));
    assert_eq!(
        origin(&loaded, "limits.daily_loss"),
        Origin::Env("SUREFOOT__LIMITS__DAILY_LOSS".into())
    );
    assert_eq!(origin(&loaded, "log_level"), Origin::File(2));
    assert_eq!(origin(&loaded, "journal.sync"), Origin::Default);
}

#[test]
fn the_tightest_of_profile_and_file_holds() {
    let loaded = good(
        "[limits]\nexposure_total = 5000\nexposure_market = 40\n[strategy]\nedge_min = 0.0050\n",
    );
    let limits = loaded.config.limits;
    assert_eq!(limits.value(LimitRow::ExposureTotal), 1_000_000_000, "the profile is tighter");
    assert_eq!(limits.value(LimitRow::ExposureMarket), 40_000_000);
    assert_eq!(limits.value(LimitRow::PositionNotional), 40_000_000, "follows what holds it");
    assert_eq!(limits.value(LimitRow::EdgeMin), 50, "the strategy's own number is the operator's");
    let tight = good("[limits]\nexposure_total = 60").config.limits;
    for row in [LimitRow::ExposureVenue, LimitRow::ExposureCluster, LimitRow::OrderNotional] {
        assert_eq!(tight.value(row), 60_000_000);
    }
    let zero = good("[limits]\ndaily_loss = 0").config.limits;
    assert_eq!(zero.value(LimitRow::DailyLoss), 0, "observe only");
}

#[test]
fn every_mistake_is_shown_at_once_with_line_column_caret_and_remedy() {
    let text = "\
topologie = 'fused'
profile = 'smal'

[limits]
dayly_loss = 100
order_qty = -5
cash_percent = 101
positions = 'many'
exposure_market = 90
exposure_cluster = 80

[venues.kalshi]
private_key = '-----BEGIN PRIVATE KEY----- hunter2'
rest = 'http://example.com'
";
    let mistakes = bad(text);
    let shown: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    let all = shown.join("\n");
    let places: Vec<(usize, usize)> = mistakes
        .iter()
        .map(|mistake| mistake.line.as_ref().map(|line| (line.0, line.1)).unwrap())
        .collect();
    assert_eq!(
        places,
        [(1, 1), (2, 11), (5, 1), (6, 13), (7, 16), (8, 13), (13, 15), (14, 8), (9, 19)],
        "{all}"
    );
    assert_eq!(
        shown[2],
        "error: unknown key `limits.dayly_loss`\n --> surefoot.toml:5:1\n  |\n5 | dayly_loss = ***\n  | \
         ^^^^^^^^^^ did you mean `limits.daily_loss`?"
    );
    assert!(shown[0].contains("did you mean `topology`?"), "{all}");
    assert!(shown[1].contains("did you mean `small`?"), "{all}");
    assert!(shown[4].contains("a whole number from 1 to 100"), "{all}");
    assert!(
        shown[8]
            .contains("`limits.exposure_market` ($90) is above `limits.exposure_cluster` ($80)"),
        "{all}"
    );
    assert!(!all.contains("hunter2"), "a secret was shown: {all}");
}

#[test]
fn limits_that_make_no_sense_together_are_refused_all_at_once() {
    let text = "\
profile = 'large'

[starting_capital]
polymarket = 30
kalshi = 70

[limits]
position_notional = 90
exposure_market = 80
exposure_cluster = 70
exposure_venue = 60
exposure_theme = 301
exposure_total = 300
daily_loss = 100
daily_loss_strategy = 150
loss_warn_percent = 100
equity_floor = 100
category_percent = 30
exposure_venue_percent = 50
exposure_total_percent = 20
orders_per_minute = 10
orders_per_minute_market = 11

[strategy]
edge_min = 0.10
edge_max_percent = 10
cooldown_ms = 60000
cooldown_loss_ms = 1000
unwind_step_ms = 2000
leg_timeout_ms = 1000
";
    let mistakes = bad(text);
    let all: Vec<&str> = mistakes.iter().map(|mistake| mistake.what.as_str()).collect();
    let expected = [
        "wrong value for `limits.loss_warn_percent`",
        "`limits.exposure_theme` ($301) is above `limits.exposure_total` ($300)",
        "`limits.exposure_cluster` ($70) is above `limits.exposure_venue` ($60)",
        "`limits.exposure_market` ($80) is above `limits.exposure_cluster` ($70)",
        "`limits.position_notional` ($90) is above `limits.exposure_market` ($80)",
        "`limits.daily_loss_strategy` ($150) is above `limits.daily_loss` ($100)",
        "`limits.exposure_venue_percent` (50 %) is above `limits.exposure_total_percent` (20 %)",
        "`limits.category_percent` (30 %) is above `limits.exposure_total_percent` (20 %)",
        "`limits.orders_per_minute_market` (11) is above `limits.orders_per_minute` (10)",
        "`limits.daily_loss` ($100): a day may lose all that the account began with",
        "`limits.equity_floor` ($100): the account begins at or below its floor: everything would halt at once",
        "`limits.exposure_total` ($300): more may be at risk than the account began with",
        "`strategy.edge_min` ($0.1000): every edge that is large enough counts as bad data: nothing would ever be traded",
        "`strategy.cooldown_ms` (60000 ms): a basket would rest longer after a profit than after a loss",
        "`strategy.unwind_step_ms` (2000 ms): an unwind would wait longer between two orders than a leg may take",
    ];
    assert_eq!(all, expected);
    let places =
        mistakes.iter().all(|mistake| mistake.line.is_some() && !mistake.remedy.is_empty());
    assert!(places, "each with its line and what to do");
    let mistakes = bad("limits.daily_loss_strategy = 0\n");
    let all: Vec<&str> = mistakes.iter().map(|mistake| mistake.what.as_str()).collect();
    let expected = "`limits.daily_loss_strategy` ($0): a strategy that may lose nothing is refused everything, from the start on";
    assert_eq!(all, [expected]);
    good("limits.daily_loss_strategy = 0\nlimits.daily_loss = 0\n");
    // An account that is smaller than its profile is meant for is no mistake of anybody's.
    assert!(
        good("starting_capital.polymarket = 30\nstarting_capital.kalshi = 20").warnings.is_empty()
    );
}

#[test]
fn themes_are_declared_in_the_file_by_patterns() {
    let text = "[themes]\nfed = ['kalshi:KXFED*', '*Fed decision*']\nbtc = ['KXBTC*']\n";
    let loaded = good(text);
    let shown = loaded.shown.iter().find(|(key, ..)| *key == "themes").unwrap();
    assert_eq!(shown.1, "btc = kxbtc*; fed = kalshi:kxfed*, *fed decision*");
    assert_ne!(loaded.config.hash, good("").config.hash, "it alters what is traded");
    let text = "themes = 'fed'\n";
    assert!(bad(text)[0].what.contains("is a section"));
    let text = "[themes]\na = 'KXFED*'\nb = []\nc = ['kalsih:X']\nd = ['*']\ne = [5]\n";
    let mistakes = bad(text);
    let lines: Vec<_> = mistakes.iter().map(|mistake| mistake.line.as_ref().unwrap().0).collect();
    assert_eq!(lines, [2, 3, 4, 5, 6], "{mistakes:#?}");
    let env = vec![("SUREFOOT__THEMES".into(), "fed".into())];
    let inputs = Inputs { env, ..Inputs::default() };
    assert!(load(&inputs).unwrap_err()[0].remedy.contains("in a file alone"));
}

#[test]
fn the_trading_day_begins_when_it_is_set_to() {
    assert_eq!(good("").config.day_begins, Nanos::ZERO);
    let late = good("[limits]\nmidnight_utc_min = 300\n").config;
    assert_eq!(late.day_begins, Nanos::from_secs(5 * 3_600));
    assert_ne!(late.hash, good("").config.hash);
    assert!(!bad("[limits]\nmidnight_utc_min = 1440\n").is_empty());
}

#[test]
fn variables_and_syntax_are_checked_too() {
    let mut inputs = file("mode = demo\n[limits\n");
    inputs.env = vec![
        ("SUREFOOT__LIMIT__DAILY_LOSS".into(), "1".into()),
        ("SUREFOOT__VENUES__POLYMARKET__SECRET".into(), "hunter2".into()),
    ];
    let mistakes = load(&inputs).unwrap_err();
    let all = mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert!(mistakes.len() >= 4, "{all}");
    assert!(all.contains("did you mean `limits.daily_loss`?") && !all.contains("hunter2"), "{all}");
    assert!(all.contains("surefoot.toml:1:") && all.contains("surefoot.toml:2:"), "{all}");
    assert!(!bad("limits = 5").is_empty());
    assert!(!bad("mode = 'demo'\nmode = 'live'").is_empty(), "given twice");
    assert!(!bad("[limits]\ndaily_loss = 1e3").is_empty(), "no exponents in money");
    assert!(!bad("[limits]\ndaily_loss = 0.0000001").is_empty(), "no seventh decimal");
}

#[test]
fn waits_are_settings_with_bounds() {
    let times = good("").config.times;
    assert_eq!(times.breaker, Nanos::from_secs(60));
    assert_eq!((times.compare.as_secs(), times.compare_again.as_secs()), (12, 5));
    let loaded = good("[times]\nbreaker_ms = 5000\ncompare_ms = 3000\ncompare_again_ms = 1000\n");
    let times = loaded.config.times;
    assert_eq!(times.breaker, Nanos::from_secs(5));
    assert_eq!((times.compare.as_secs(), times.compare_again.as_secs()), (3, 1));
    assert_ne!(loaded.config.hash, good("").config.hash, "it alters when orders leave");
    // A comparison that is rarer than this would make the newest one too old to trade on.
    for wrong in ["breaker_ms = 999", "compare_ms = 20001", "compare_again_ms = 5001"] {
        let mistakes = bad(&format!("[times]\n{wrong}\n"));
        assert!(mistakes[0].to_string().contains("a whole number from"), "{mistakes:#?}");
    }
}

#[test]
fn secrets_are_references_that_only_the_owner_may_read() {
    use std::os::unix::fs::PermissionsExt;
    let dir = Scratch::new("secret");
    let path = dir.join("key");
    std::fs::write(&path, "s3cret\n").unwrap();
    let config = good(&format!("[venues.kalshi]\nkey_id = 'file:{}'", path.display())).config;
    let Some(reference) = config.venues.secret("venues.kalshi.key_id") else { panic!("not read") };
    assert_eq!(*reference, SecretRef::File(path.clone()));
    for (mode, fine) in [(0o644, false), (0o640, false), (0o600, true), (0o400, true)] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        match reference.read() {
            Ok(secret) => assert!(fine && secret.expose() == "s3cret", "{mode:o}"),
            Err(error) => assert!(!fine && error.contains("chmod 600"), "{mode:o}: {error}"),
        }
    }
    std::fs::remove_file(&path).unwrap();
    assert!(reference.read().is_err());
}
