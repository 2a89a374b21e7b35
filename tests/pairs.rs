//! Pairs of market objects judged: drawn ones, the labelled ones in their style, and texts that try to be taken for another.

#![allow(clippy::unwrap_used)]

#[path = "pairs/coins.rs"]
mod coins;
#[path = "pairs/found.rs"]
mod found;
#[path = "pairs/generated.rs"]
mod generated;
#[path = "pairs/written.rs"]
mod written;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use surefoot_cold::terms::{Judgement, Verdict};
use surefoot_cold::venue::pairs::judge_pair;
use written::{ALIKE, UNLIKE, Written, YES_NO};

const SEED: u64 = 20_261_201;
const PAIRS: u64 = 4_320;

fn judged(kalshi: &Value, polymarket: &Value) -> Judgement {
    judge_pair(&json!({ "kalshi": kalshi, "polymarket": polymarket }))
}

/// Half of what is drawn are near misses: none of them may be certified, whatever the others come to.
#[test]
fn no_near_miss_is_certified_and_true_pairs_are_not_refused() {
    let mut counts: BTreeMap<(String, bool, &str), u32> = BTreeMap::new();
    let (mut wrong, mut refused, mut told) = (Vec::new(), 0, [0_u32; 2]);
    let show = std::env::var("SHOW_PAIRS").unwrap_or_default();
    for number in 0..PAIRS {
        let drawn = generated::draw(SEED, number);
        let found = judged(&drawn.kalshi, &drawn.polymarket);
        let family = drawn.id.split('-').next().unwrap().to_owned();
        let is_true = drawn.miss.is_none();
        *counts.entry((family, is_true, found.verdict.name())).or_default() += 1;
        told[usize::from(is_true)] += 1;
        let about = || {
            format!(
                "{} ({:?}): {} {:?}: {}\n{}\n{}",
                drawn.id,
                drawn.miss,
                found.verdict.name(),
                found.polarity(),
                found.reason,
                drawn.kalshi,
                drawn.polymarket
            )
        };
        if !show.is_empty() && drawn.id.starts_with(&show) {
            println!("{}\n", about());
        }
        match (is_true, found.verdict) {
            (false, Verdict::Certified) => wrong.push(about()),
            (true, Verdict::Certified) if found.opposite != Some(drawn.opposite) => {
                wrong.push(about())
            }
            (true, Verdict::Refused) => refused += 1,
            _ => {}
        }
    }
    for ((family, is_true, verdict), count) in &counts {
        println!(
            "{family:8} {} {verdict}: {count}",
            if *is_true { "true     " } else { "near miss" }
        );
    }
    println!("{} near misses, {} true pairs, {refused} of them refused", told[0], told[1]);
    assert!(wrong.is_empty(), "{} false certificates:\n{}", wrong.len(), wrong.join("\n\n"));
    assert!(told[0] + told[1] >= 2_000 && told[0] * 2 >= told[0] + told[1]);
    assert!(refused * 10 <= told[1], "{refused} of {} true pairs are refused", told[1]);
    let certified: u32 = counts
        .iter()
        .filter(|((_, is_true, verdict), _)| *is_true && *verdict == "certified")
        .map(|(_, count)| count)
        .sum();
    assert!(certified * 3 >= told[1], "only {certified} of {} true pairs are certified", told[1]);
}

fn kalshi(ticker: &str, title: &str, yes: &str, rules: [&str; 2]) -> Value {
    json!({ "ticker": ticker, "market_type": "binary", "title": title, "yes_sub_title": yes, "rules_primary": rules[0], "rules_secondary": rules[1], "status": "active" })
}

fn polymarket(question: &str, group: &str, outcomes: &str, description: &str, end: &str) -> Value {
    json!({ "question": question, "groupItemTitle": group, "outcomes": outcomes, "description": description, "endDate": end, "active": true })
}

/// The six labelled pairs and the eight near misses, as objects in the manner of the venues: the labels have names alone.
#[test]
fn the_labelled_pairs_come_out_as_labelled() {
    let coin = |by: &str, ticker: &str| {
        kalshi(
            ticker,
            &format!("Will Bitcoin be above $100000.00 by {by} at 12:00AM ET?"),
            "Above $100,000",
            [
                &format!(
                    "If the price of Bitcoin according to CF Benchmarks' BRTI is above 100000.00 at any time between Nov 20, 2025 and {by} at 12:00 AM ET, then the market resolves to Yes."
                ),
                "The price is a trimmed mean of one minute of index values.",
            ],
        )
    };
    let reach = |level: &str, by: &str, end: &str| {
        polymarket(
            &format!("Will Bitcoin reach {level} by {by}?"),
            level,
            YES_NO,
            &format!(
                "This market will immediately resolve to \"Yes\" if any Binance 1 minute candle for Bitcoin (BTC/USDT) between November 24, 2025, 14:00 and {by}, 23:59 in the ET timezone has a final \"High\" price equal to or greater than the price specified in the title. Otherwise, this market will resolve to \"No.\""
            ),
            end,
        )
    };
    let cuts = |number: u32| {
        kalshi(
            &format!("KXRATECUTCOUNT-26DEC31-T{number}"),
            "Number of rate cuts in 2026?",
            &format!("{number} cuts"),
            [
                &format!(
                    "If the Fed cuts rates exactly {number} times before Jan 1, 2027, then the market resolves to Yes."
                ),
                "A cut of 50 basis points counts as two.",
            ],
        )
    };
    let happen = |number: u32| {
        let title = match number {
            0 => "Will no Fed rate cuts happen in 2026?".to_owned(),
            1 => "Will 1 Fed rate cut happen in 2026?".to_owned(),
            _ => format!("Will {number} Fed rate cuts happen in 2026?"),
        };
        polymarket(
            &title,
            &format!("{number} ({} bps)", number * 25),
            YES_NO,
            "This market will resolve according to the exact amount of cuts of 25 basis points in 2026 by the Fed (including any cuts made during the December meeting).\n\nEmergency rate cuts outside of scheduled FOMC meetings will also count toward the total number of cuts in 2026.",
            "2026-12-31T00:00:00Z",
        )
    };
    let september = (
        coin("Oct 1, 2026", "KXBTCMAX100-26-SEP"),
        reach("$100,000", "September 30, 2026", "2026-10-01T00:00:00Z"),
    );
    let december = (
        coin("Jan 1, 2027", "KXBTCMAX100-26-DEC"),
        reach("$100k", "December 31, 2026", "2027-01-01T00:00:00Z"),
    );
    let ether = (
        kalshi(
            "KXETHMAXMON-ETH-26SEP30-300000",
            "How high will Ethereum get in September?",
            "Above $3,000.00",
            [
                "If the trimmed mean of CF Benchmarks' ETHUSD_RTI is above 3000.00 at any time in September 2026 (ET), then the market resolves to Yes.",
                "",
            ],
        ),
        polymarket(
            "Will Ethereum reach $3,000 in September?",
            "↑ 3,000",
            YES_NO,
            "This market will immediately resolve to \"Yes\" if any Binance 1 minute candle for ETH/USDT during the month specified in the title (from 00:00 AM ET on the first day to 11:59 PM ET on the last), has a final High price equal to or greater than the price specified in the title. Otherwise, this market will resolve to \"No.\"",
            "2026-10-01T04:00:00Z",
        ),
    );
    let counts: Vec<(Value, Value)> = (0..3).map(|number| (cuts(number), happen(number))).collect();
    let mut alike = vec![september.clone(), december.clone(), ether];
    alike.extend(counts.iter().cloned());
    alike_and_unlike(&alike, &unlike(&september, &december, &counts));
}

/// Every pairing that is labelled as different.
fn unlike(
    september: &(Value, Value),
    december: &(Value, Value),
    counts: &[(Value, Value)],
) -> Vec<(Value, Value)> {
    let mut unlike =
        vec![(september.0.clone(), december.1.clone()), (december.0.clone(), september.1.clone())];
    for (at, one) in counts.iter().enumerate() {
        let others = counts.iter().enumerate().filter(|(other, _)| *other != at);
        unlike.extend(others.map(|(_, other)| (one.0.clone(), other.1.clone())));
    }
    unlike
}

fn alike_and_unlike(alike: &[(Value, Value)], unlike: &[(Value, Value)]) {
    for (one, other) in alike {
        let found = judged(one, other);
        assert_ne!(found.verdict, Verdict::Refused, "{}: {}", one["ticker"], found.reason);
        assert!(found.verdict == Verdict::Certified || !found.missing.is_empty());
        println!("{} {}: {:?}", one["ticker"], found.verdict.name(), found.missing);
    }
    assert_eq!(unlike.len(), 8);
    for (one, other) in unlike {
        let found = judged(one, other);
        assert_eq!(
            found.verdict,
            Verdict::Refused,
            "{} and {}: {:?}",
            one["ticker"],
            other["question"],
            found.missing
        );
        assert!(found.polarity().is_none() && found.missing.is_empty());
    }
}

/// Markets that are never one of a pair.
#[test]
fn what_is_no_single_question_is_refused() {
    let fine = kalshi(
        "KXHIGHNY-26MAY11-T69",
        "Will the high temp in NYC be >69° on May 11, 2026?",
        "70° or above",
        [
            "If the highest temperature recorded in Central Park, New York for May 11, 2026 as reported by the National Weather Service's Climatological Report (Daily), is greater than 69°, then the market resolves to Yes.",
            "",
        ],
    );
    let text = "This market will resolve to \"Yes\" if the highest temperature recorded at Central Park, New York on May 11, 2026 according to the National Weather Service's Climatological Report (Daily) is 70°F or higher. Otherwise, this market will resolve to \"No\".";
    let other = polymarket(
        "Will the highest temperature in NYC be 70°F or higher on May 11?",
        "70°F or higher",
        YES_NO,
        text,
        "2026-05-11T12:00:00Z",
    );
    let found = judged(&fine, &other);
    assert_eq!(
        (found.verdict, found.polarity()),
        (Verdict::Certified, Some("same")),
        "{}",
        found.reason
    );
    let certificate = found.certificate.unwrap();
    assert_eq!(certificate["rules"].as_array().unwrap().len(), 2);
    assert_eq!(certificate["states"][0]["yes_pays"], json!(["1.0000", "1.0000"]));

    let changed = |from: &Value, field: &str, value: Value| {
        let mut market = from.clone();
        market[field] = value;
        market
    };
    for (field, value, word) in [
        ("ticker", json!("KXMVESPORTS-S1"), "combination"),
        ("mve_collection_ticker", json!("KXMVE"), "combination"),
        ("market_type", json!("scalar"), "market type"),
        ("rules_primary", json!(" "), "rules"),
        ("yes_sub_title", json!("Person B"), "placeholder"),
    ] {
        let found = judged(&changed(&fine, field, value), &other);
        assert!(
            found.verdict == Verdict::Refused && found.reason.starts_with(word),
            "{field}: {}",
            found.reason
        );
    }
    for (field, value, word) in [
        ("description", json!(""), "rules"),
        ("outcomes", json!("[\"A\",\"B\",\"C\"]"), "outcomes"),
        ("outcomes", json!("not a list"), "outcomes"),
        ("marketType", json!("scalar"), "market type"),
        ("groupItemTitle", json!("Person B"), "placeholder"),
        ("negRiskOther", json!(true), "placeholder"),
    ] {
        let found = judged(&fine, &changed(&other, field, value));
        assert!(
            found.verdict == Verdict::Refused && found.reason.starts_with(word),
            "{field}: {}",
            found.reason
        );
    }
    // Strike fields that say something else than the text are no proof of anything.
    let clash =
        changed(&changed(&fine, "strike_type", json!("greater")), "floor_strike", json!(71));
    assert_ne!(judged(&clash, &other).verdict, Verdict::Certified);
    // Prices that fit the other polarity alone.
    let dear = changed(
        &changed(&fine, "yes_bid_dollars", json!("0.9400")),
        "yes_ask_dollars",
        json!("0.9600"),
    );
    let cheap = changed(&other, "outcomePrices", json!("[\"0.05\", \"0.95\"]"));
    let found = judged(&dear, &cheap);
    assert!(
        found.verdict == Verdict::Offered && found.missing[0].starts_with("polarity"),
        "{:?}",
        found.missing
    );
    // One more sentence, whatever it says, and nothing is certified.
    for sentence in [
        "If the station is closed, this market will resolve to No.",
        "The value of LaGuardia counts where Central Park has none.",
        "Except on Sundays.",
        "Revised values will be used.",
    ] {
        let found =
            judged(&fine, &changed(&other, "description", json!(format!("{text} {sentence}"))));
        assert!(found.verdict != Verdict::Certified, "{sentence}");
        assert!(
            found.missing.iter().any(|missing| missing.starts_with("rules: "))
                || found.verdict == Verdict::Refused,
            "{:?}",
            found.missing
        );
    }
}

/// Whatever stands in the fields, judging ends with a verdict; a certificate of noise would be a false one.
#[test]
fn noise_is_judged_and_never_certified() {
    let mut dice = generated::Dice::new(SEED);
    let bits = [
        "if",
        "$",
        "100,000",
        "1e9",
        "between",
        "and",
        "-",
        "-5",
        "99999999999999999999999",
        "'26",
        "°",
        "%",
        "May",
        "11",
        "2026",
        "by",
        "before",
        "ET",
        "12:00",
        "PM",
        "at least",
        "é",
        "\u{301}",
        "\u{0}",
        "→",
        "🙂",
        "vs.",
        "wins",
        "Bitcoin",
        "Fed",
        "cuts",
        "CPI",
        "temperature",
        "Senate",
        "(",
        ")",
        "\"",
        "\n",
        ".",
        "?",
        "https://a.b/c",
        "0.5",
        "..",
        "5.5.5",
        "Q3",
        "31",
        "February",
        "0",
        "25bps",
        "+",
        "k",
        "≥",
    ];
    let noise = |dice: &mut generated::Dice| {
        let words: Vec<&str> = (0..dice.below(40)).map(|_| dice.pick(&bits)).collect();
        words.join(dice.pick(&[" ", "", "  "]))
    };
    for _ in 0..3_000 {
        let mut one = kalshi(
            "KXA-26MAY11-B",
            &noise(&mut dice),
            &noise(&mut dice),
            [&noise(&mut dice), &noise(&mut dice)],
        );
        one["strike_type"] = json!(dice.pick(&["greater", "between", "less", "odd"]));
        one["floor_strike"] = dice.pick::<fn() -> Value>(&[
            || json!(1e300),
            || json!("x"),
            || json!(-0.1),
            || json!(null),
            || json!([1]),
        ])();
        one["close_time"] = json!(noise(&mut dice));
        let mut other = polymarket(
            &noise(&mut dice),
            &noise(&mut dice),
            dice.pick(&[YES_NO, "[\"Up\",\"Down\"]", "[1,2]", "{}", "[\"A vs\",\"B\"]"]),
            &noise(&mut dice),
            &noise(&mut dice),
        );
        other["line"] = json!(noise(&mut dice));
        assert_ne!(judged(&one, &other).verdict, Verdict::Certified, "{one}\n{other}");
    }
}

/// A rule that is cut off says less than it did, and what decides is not known any more.
#[test]
fn a_rule_that_is_cut_off_is_not_certified() {
    let mut dice = generated::Dice::new(SEED);
    for number in 0..400 {
        let drawn = generated::draw(SEED + 1, number * 2);
        let text: Vec<char> = drawn.kalshi["rules_primary"].as_str().unwrap().chars().collect();
        let at = usize::try_from(dice.below(text.len() as u64 - 2)).unwrap();
        let cut: String = text[..at].iter().collect();
        let mut spoilt = drawn.kalshi.clone();
        spoilt["rules_primary"] = json!(cut);
        let found = judged(&spoilt, &drawn.polymarket);
        assert_ne!(found.verdict, Verdict::Certified, "{cut}");
    }
}

fn objects((one, other): &Written) -> (Value, Value) {
    (
        kalshi(one[0], one[1], one[2], [one[3], one[4]]),
        polymarket(other[0], other[1], other[2], other[3], other[4]),
    )
}

#[test]
fn other_words_for_the_same_are_not_refused() {
    let mut refused = Vec::new();
    for written in ALIKE {
        let (one, other) = objects(written);
        let found = judged(&one, &other);
        println!(
            "{}: {} {:?} {:?}",
            written.0[0],
            found.verdict.name(),
            found.polarity(),
            found.missing
        );
        if found.verdict == Verdict::Refused {
            refused.push(format!("{} and {}: {}", written.0[1], written.1[0], found.reason));
        }
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

#[test]
fn what_differs_in_one_thing_is_refused_for_it() {
    for (field, written) in UNLIKE {
        let (one, other) = objects(written);
        let found = judged(&one, &other);
        let why = format!(
            "{} and {}: {} {} {:?}",
            written.0[1],
            written.1[0],
            found.verdict.name(),
            found.reason,
            found.missing
        );
        assert!(found.verdict == Verdict::Refused, "{field}: {why}");
        assert!(
            found.reason.contains(field.split(' ').next().unwrap_or(field))
                || *field == "window end"
                || *field == "time zone",
            "{field}: {why}"
        );
    }
}

/// What is certified as it stands, and is not once this is put for that in the text of one venue.
const CHANGED: &[(&str, &str, &str)] = &[
    ("touch", "USDT", "USDC"),
    ("touch", "candle for", "candle for the perpetual"),
    ("touch", "any ", "every "),
    ("touch", "final", "average"),
    ("price", "Real-Time Index", "Reference Rate"),
    ("price", "sixty", "thirty"),
    ("price", "final \"Close\"", "final \"Open\""),
    ("price", "1 minute", "1 hour"),
    ("price", "Yes\" if", "No\" if"),
    ("updown", "end of the time range", "middle of the time range"),
    ("updown", "to \"Up\" if", "to \"Down\" if"),
    ("updown", "data stream", "data stream TWAP"),
    ("prices", "Consumer Price", "Producer Price"),
    ("prices", "2026", "2027"),
    ("prices", "twelve months", "six months"),
    ("jobless", "unemployment rate", "unemployment rate (U-6)"),
    ("jobless", "as first", "as last"),
    ("jobless", "US", "UK"),
    ("weather", "highest", "average"),
    ("weather", "2026", "2025"),
    ("game", "win, the market", "lose, the market"),
    ("game", "canceled", "shortened"),
    ("game", "NFL game", "NFL preseason practice"),
    ("rates", "upper bound", "lower bound"),
    ("rates", "2026 meeting", "2027 meeting"),
];

#[test]
fn one_word_changed_takes_the_certificate_away() {
    let mut tried = BTreeMap::new();
    for number in (0..PAIRS).step_by(2) {
        let drawn = generated::draw(SEED, number);
        if judged(&drawn.kalshi, &drawn.polymarket).verdict != Verdict::Certified {
            continue;
        }
        let rules = drawn.polymarket["description"].as_str().unwrap();
        for (family, from, to) in CHANGED {
            if !drawn.id.starts_with(&format!("{family}-")) || !rules.contains(from) {
                continue;
            }
            let mut other = drawn.polymarket.clone();
            other["description"] = json!(rules.replace(from, to));
            let found = judged(&drawn.kalshi, &other);
            assert_ne!(
                found.verdict,
                Verdict::Certified,
                "{from} to {to}: {}\n{other}",
                drawn.kalshi
            );
            *tried.entry((family, from)).or_insert(0) += 1;
        }
        // A text that pays an outcome for the other side's win.
        let names: Vec<String> =
            serde_json::from_str(drawn.polymarket["outcomes"].as_str().unwrap()).unwrap();
        if drawn.id.starts_with("game-") {
            let swapped = rules
                .replace(&format!("to \"{}\"", names[0]), "to \"?\"")
                .replace(&format!("to \"{}\"", names[1]), &format!("to \"{}\"", names[0]))
                .replace("to \"?\"", &format!("to \"{}\"", names[1]));
            let mut other = drawn.polymarket.clone();
            other["description"] = json!(swapped);
            assert_ne!(judged(&drawn.kalshi, &other).verdict, Verdict::Certified, "{other}");
            *tried.entry((&"game", &"swapped")).or_insert(0) += 1;
        }
    }
    let untried: Vec<_> =
        CHANGED.iter().filter(|(family, from, _)| !tried.contains_key(&(family, from))).collect();
    assert!(untried.is_empty(), "no certified pair has the words of {untried:?}");
    assert!(tried.contains_key(&(&"game", &"swapped")));
}
