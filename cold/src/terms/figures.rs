//! Questions about published figures and about the rate of a central bank.

use super::date::{self, Day};
use super::listed::Listed;
use super::question::{Kind, Question, Value};
use super::range::{Compare, Range, ranges};
use super::source;
use super::text::{Text, has};
use super::words::{Dec, Token, Unit};

/// Figures, the words that name each, and the grid that its publisher rounds to (in hundred-millionths).
const FIGURES: &[(&str, &[&str])] = &[
    ("consumer prices", &["cpi", "consumer price index", "inflation", "consumer prices"]),
    ("producer prices", &["ppi", "producer price index"]),
    ("consumption prices", &["pce", "personal consumption expenditures"]),
    ("unemployment rate", &["unemployment rate", "unemployment", "u 3", "u3"]),
    (
        "payrolls",
        &[
            "nonfarm payrolls",
            "nonfarm payroll",
            "non farm payrolls",
            "payrolls",
            "jobs report",
            "jobs added",
            "jobs be added",
            "payroll employment",
            "total nonfarm",
        ],
    ),
    ("gross domestic product", &["gdp", "gross domestic product"]),
    ("jobless claims", &["jobless claims", "initial claims"]),
    ("retail sales", &["retail sales"]),
    ("job openings", &["job openings", "jolts"]),
];

const COUNTRIES: &[(&str, &[&str])] = &[
    ("United Kingdom", &["uk", "united kingdom", "british", "britain"]),
    ("euro area", &["eurozone", "euro area", "euro zone", "eurostat"]),
    ("Canada", &["canada", "canadian"]),
    ("Japan", &["japan", "japanese"]),
    ("China", &["china", "chinese"]),
    ("Germany", &["germany", "german"]),
    ("Argentina", &["argentina"]),
    ("Turkey", &["turkey", "turkish"]),
    ("Brazil", &["brazil", "brazilian"]),
    ("Mexico", &["mexico", "mexican"]),
    ("Australia", &["australia", "australian"]),
    ("India", &["india", "indian"]),
];

/// The figure that a text asks for.
pub fn figure(text: &Text) -> Option<&'static str> {
    let in_part = |part: &[Token]| {
        let named = |(_, words): &&(&str, &[&str])| words.iter().any(|words| has(part, words));
        // Consumption prices are called inflation as well.
        if has(part, "pce") || has(part, "personal consumption expenditures") {
            return Some("consumption prices");
        }
        FIGURES.iter().find(named).map(|(name, _)| *name)
    };
    in_part(&text.title).or_else(|| in_part(&text.event))
}

/// The grid that a figure is published on.
pub fn usual_grid(figure: &str) -> Option<Dec> {
    match figure {
        "payrolls" | "jobless claims" => Some(Dec::whole(1_000)),
        _ => Dec::parse("0.1"),
    }
}

/// Reads what is asked of a published figure.
pub fn read(listed: &Listed, text: &Text, question: &mut Question) {
    source::read(source::FIGURES, listed, text, question);
    let asked = figure(text);
    if let Some(name) = asked {
        let core = text.asks("core")
            || text.asks_any(&[
                "less food and energy",
                "excluding food and energy",
                "except food and energy",
            ]);
        let adp = text.says_any(&["adp"]);
        let broad = name == "unemployment rate" && text.says_any(&["u 6", "u6", "underemployment"]);
        let name = if broad { "U-6 unemployment rate" } else { name };
        let name = if adp { format!("ADP {name}") } else { name.to_owned() };
        question.say("figure", Value::Text(if core { format!("core {name}") } else { name }));
    }
    let country = COUNTRIES.iter().find(|(_, words)| text.asks_any(words)).map(|(name, _)| *name);
    let ours = text.asks_any(&["us", "united states", "american"])
        || text.says_any(&[
            "bureau of labor statistics",
            "bls",
            "bureau of economic analysis",
            "bea",
            "department of labor",
        ]);
    question.say_text("country", country.or(ours.then_some("United States")));
    period(text, question);
    basis(listed, text, question);
    estimate(text, question);
    if text.says_any(&[
        "one decimal place",
        "one decimal",
        "1 decimal place",
        "nearest tenth",
        "single decimal",
        "one digit after",
        "nearest 0.1",
    ]) || text.says_any(&["one decimal place value", "one decimal value"])
    {
        question.grid = Dec::parse("0.1");
    }
    let adjusted = text.says_any(&["seasonally adjusted"]);
    let unadjusted = text.says_any(&[
        "not seasonally adjusted",
        "unadjusted",
        "non seasonally adjusted",
        "nonseasonally adjusted",
    ]);
    question.say_text(
        "adjustment",
        match (adjusted, unadjusted) {
            (_, true) => Some("not seasonally adjusted"),
            (true, false) => Some("seasonally adjusted"),
            (false, false) => None,
        },
    );
    strike(listed, text, question, |range| !matches!(range.unit, Unit::Usd));
}

/// Takes the strike out of the fields, the deciding sentence and the title; all must agree.
pub fn strike(
    listed: &Listed,
    text: &Text,
    question: &mut Question,
    fits: impl Fn(&Range) -> bool,
) {
    let mut found: Vec<Range> = Vec::new();
    match &listed.strike {
        Some(Ok(range)) => found.push(*range),
        Some(Err(why)) => return question.unclear("strike", why.clone()),
        None => {}
    }
    let of = |part: &[Token]| {
        ranges(part).into_iter().filter(|range| fits(range) && !is_years(range)).collect::<Vec<_>>()
    };
    let said = of(&text.main);
    if said.len() == 1 {
        found.push(said[0]);
    } else {
        // Several in one sentence: those of the title and of what YES stands for say which is meant.
        let titled = of(&text.title);
        let stands = of(&text.stands_for);
        found.extend(titled.first().or(stands.first()));
    }
    if found.is_empty()
        && let Some(exact) = exact(&text.title).or_else(|| exact(&text.stands_for))
    {
        found.push(exact);
    }
    let grid = question.grid;
    for (at, range) in found.iter().enumerate() {
        let first = found[0];
        let same = first.stands_to(*range, grid, None);
        if at > 0
            && !matches!(same, super::range::Relation::Same | super::range::Relation::Unsaid(_))
        {
            return question.unclear("strike", format!("{first}, and also {range}"));
        }
    }
    let said = |end: Option<super::range::End>| end.is_none_or(|end| end.inclusive.is_some());
    let best = found.iter().find(|range| said(range.low) && said(range.high)).or(found.first());
    question.say_if("strike", best.map(|range| Value::Range(*range)));
}

/// `between 2025 and 2026` is no bucket.
fn is_years(range: &Range) -> bool {
    let year = |end: Option<super::range::End>| {
        end.is_some_and(|end| (Dec::whole(1_990)..=Dec::whole(2_100)).contains(&end.at))
    };
    range.unit == Unit::Plain && year(range.low) && year(range.high)
}

/// `Will annual inflation be 3.3% in August?`
fn exact(text: &[Token]) -> Option<Range> {
    let mut found = text.iter().filter_map(|token| match token {
        Token::Num(value, Unit::Percent) => Some(*value),
        _ => None,
    });
    let value = found.next().filter(|_| found.next().is_none())?;
    Some(Range::of(Compare::Exactly, value, Unit::Percent))
}

/// The month or quarter that the figure is of.
fn period(text: &Text, question: &mut Question) {
    for part in [&text.main, &text.title, &text.event] {
        if let Some(quarter) = quarter(part) {
            question.say("period", Value::Text(quarter));
            continue;
        }
        let mut months: Vec<Day> = Vec::new();
        let mut at = 0;
        while at < part.len() {
            // `may` is a word as well: a month follows one of these.
            let led = at > 0
                && part[at - 1].word().is_some_and(|word| {
                    ["in", "for", "of", "ending", "from", "during", "the"].contains(&word)
                });
            match date::month_at(part, at) {
                Some((month, end)) => {
                    if led
                        || month.year.is_some()
                        || part.get(at).is_some_and(|token| !token.is("may") && !token.is("march"))
                    {
                        months.push(text.with_year(month));
                    }
                    at = end;
                }
                None => at += 1,
            }
        }
        months.dedup();
        match months.as_slice() {
            [] => {}
            [month] => question.say("period", Value::Text(month_name(*month))),
            [first, other, ..] => {
                return question.unclear("period", format!("{first}, and also {other}"));
            }
        }
    }
}

fn month_name(month: Day) -> String {
    match month.year {
        Some(year) => format!("{year}-{:02}", month.month),
        None => format!("month {}", month.month),
    }
}

fn quarter(text: &[Token]) -> Option<String> {
    (0..text.len()).find_map(|at| {
        let word = text[at].word()?;
        let (number, after) = match word {
            "q1" => (1, at + 1),
            "q2" => (2, at + 1),
            "q3" => (3, at + 1),
            "q4" => (4, at + 1),
            "first" | "1st" if text.get(at + 1)?.is("quarter") => (1, at + 2),
            "second" | "2nd" if text.get(at + 1)?.is("quarter") => (2, at + 2),
            "third" | "3rd" if text.get(at + 1)?.is("quarter") => (3, at + 2),
            "fourth" | "4th" if text.get(at + 1)?.is("quarter") => (4, at + 2),
            _ => return None,
        };
        let skip = usize::from(text.get(after).is_some_and(|token| token.is("of")));
        let year = date::year(text.get(after + skip)?)?;
        Some(format!("{year}-Q{number}"))
    })
}

fn basis(listed: &Listed, text: &Text, question: &mut Question) {
    let yearly = text.says_any(&[
        "year over year",
        "yoy",
        "y/y",
        "twelve months ending",
        "12 months ending",
        "twelve months",
        "12 months",
        "12 month",
        "twelve month",
        "year ending",
        "past year",
        "annual inflation",
        "year on year",
        "annual cpi",
        "annual rate of inflation",
        "over the year",
    ]) || has(&text.title, "annual")
        || has(&text.event, "annual");
    let monthly = text.says_any(&[
        "month over month",
        "mom",
        "m/m",
        "month on month",
        "from the previous month",
        "from the prior month",
        "monthly change",
        "monthly inflation",
        "one month percent change",
        "1 month",
        "one month",
        "monthly percentage",
    ]);
    let annualised = text.says_any(&["annualized", "annualised", "annual rate"]);
    let quarterly = text.says_any(&[
        "quarter over quarter",
        "qoq",
        "from the previous quarter",
        "from the prior quarter",
    ]);
    let by_code = listed.code.split(' ').next().unwrap_or_default();
    question.say_text(
        "basis",
        match (yearly, monthly, annualised || quarterly) {
            (true, false, false) => Some("over twelve months"),
            (false, true, false) => Some("over a month"),
            (false, false, true) => Some("quarterly at an annual rate"),
            (false, false, false) if by_code.contains("yoy") => Some("over twelve months"),
            (false, false, false) => match figure(text) {
                Some("unemployment rate" | "payrolls" | "jobless claims" | "job openings") => {
                    Some("level")
                }
                _ => None,
            },
            _ => return question.unclear("basis", "several ways to measure a change".into()),
        },
    );
}

fn estimate(text: &Text, question: &mut Question) {
    let has_any = |words: &[&str]| text.says_any(words);
    let advance = has_any(&["advance estimate", "advance"]);
    let second = has_any(&["second estimate"]);
    let third = has_any(&["third estimate", "final estimate"]);
    let preliminary = has_any(&["preliminary"]);
    let first = has_any(&[
        "first release",
        "initial release",
        "first published",
        "initially reported",
        "initial print",
        "first reported",
    ]);
    let ignored = has_any(&[
        "revisions will not",
        "revisions made after",
        "not be considered revisions",
        "any revisions",
        "subsequent revisions",
        "later revisions",
        "revisions",
    ]);
    let revised = has_any(&[
        "as revised",
        "revised figure",
        "revised value",
        "most recent revision",
        "revised figures",
        "after revision",
        "revised data",
    ]);
    question.say_text(
        "estimate",
        match (advance, second, third, preliminary) {
            (true, false, false, _) => Some("advance"),
            (false, true, false, false) => Some("second"),
            (false, false, true, false) => Some("third"),
            (false, false, false, true) if !revised => Some("preliminary"),
            (false, false, false, false) if revised && !first => Some("revised"),
            (false, false, false, false) if first || ignored => Some("as first published"),
            (false, false, false, false) => None,
            _ => return question.unclear("estimate", "several estimates are named".into()),
        },
    );
}

/// Reads what is asked of a central bank's rate.
pub fn read_rate(kind: Kind, listed: &Listed, text: &Text, question: &mut Question) {
    question.say_text("bank", Some("Federal Reserve"));
    source::read(source::FIGURES, listed, text, question);
    if kind == Kind::RateCount {
        return count(listed, text, question);
    }
    meeting(text, question);
    if kind == Kind::RateLevel {
        question.say_text("measure", Some("upper bound of the target range"));
        return strike(listed, text, question, |range| !matches!(range.unit, Unit::Usd));
    }
    let mut moves: Vec<Range> = [&text.title, &text.stands_for, &text.main]
        .into_iter()
        .filter_map(|part| step(part))
        .collect();
    moves.dedup();
    // A sentence about all brackets names no step of its own.
    match moves.as_slice() {
        [] => {}
        [only] => question.say("strike", Value::Range(*only)),
        [first, others @ ..] => {
            let plain = others.iter().all(|other| {
                other.low.map(|end| end.at) == first.low.map(|end| end.at)
                    && other.high.map(|end| end.at) == first.high.map(|end| end.at)
            });
            if plain {
                question.say("strike", Value::Range(*first));
            } else {
                question.unclear("strike", format!("{first} basis points, and also {}", others[0]));
            }
        }
    }
}

/// The meeting that is meant: its month.
fn meeting(text: &Text, question: &mut Question) {
    for part in [&text.title, &text.main, &text.event] {
        let mut months: Vec<String> = Vec::new();
        let mut at = 0;
        while at < part.len() {
            let day = date::day_at(part, at)
                .map(|(day, end)| (Day { day: 1, ..text.with_year(day) }, end));
            match day.or_else(|| {
                date::month_at(part, at).map(|(month, end)| (text.with_year(month), end))
            }) {
                Some((month, end)) => {
                    if !part[at].is("may") || month.year.is_some() {
                        months.push(month_name(month));
                    }
                    at = end;
                }
                None => at += 1,
            }
        }
        months.dedup();
        match months.as_slice() {
            [only] => question.say("meeting", Value::Text(only.clone())),
            [first, other, ..] if first != other => {
                return question.unclear("meeting", format!("{first}, and also {other}"));
            }
            _ => {}
        }
    }
}

/// By how many basis points the rate moves: down is negative.
fn step(text: &[Token]) -> Option<Range> {
    let any = |words: &[&str]| words.iter().any(|words| has(text, words));
    let still = any(&[
        "no change",
        "maintain",
        "maintains",
        "hold",
        "holds",
        "unchanged",
        "hold steady",
        "leave rates",
    ]);
    let down =
        any(&["cut", "cuts", "decrease", "decreases", "lower", "lowers", "reduce", "reduces"]);
    let up = any(&["hike", "hikes", "increase", "increases", "raise", "raises"]);
    let points = (0..text.len()).find_map(|at| {
        let (value, Unit::Plain) = text[at].number()? else { return None };
        let plus = text.get(at + 1).is_some_and(|token| token.is("+"));
        let unit = text.get(at + 1 + usize::from(plus)).and_then(Token::word)?;
        let counts = unit.starts_with("bp") || unit == "basis" || unit == "or";
        counts.then_some((at, value, plus))
    });
    match (still, down, up, points) {
        (true, false, false, None) => Some(Range::of(Compare::Exactly, Dec::whole(0), Unit::Plain)),
        (false, true, false, Some((at, value, plus)))
        | (false, false, true, Some((at, value, plus))) => {
            let behind = ["or more", "bps or more", "basis points or more", "or greater"]
                .iter()
                .any(|words| super::range::says(text, at + 1, words).is_some());
            let beyond = at > 0 && text[at - 1].is(">")
                || at > 1 && text[at - 1].is("than") && text[at - 2].is("more");
            let least = at > 1 && text[at - 1].is("least");
            let value = if down { Dec(-value.0) } else { value };
            let compare = match (plus || behind || least, beyond, down) {
                (true, _, true) => Compare::AtMost,
                (true, _, false) => Compare::AtLeast,
                (false, true, true) => Compare::Below,
                (false, true, false) => Compare::Above,
                (false, false, _) => Compare::Exactly,
            };
            Some(Range::of(compare, value, Unit::Plain))
        }
        _ => None,
    }
}

/// How many moves within a year.
fn count(listed: &Listed, text: &Text, question: &mut Question) {
    let up = text.asks_any(&["hike", "hikes", "increases", "raise"]);
    let down = text.asks_any(&["cut", "cuts", "decreases"]);
    question.say_text(
        "direction",
        match (down, up) {
            (true, false) => Some("cuts"),
            (false, true) => Some("hikes"),
            _ => None,
        },
    );
    for part in [&text.title, &text.event, &text.main] {
        let mut years: Vec<i32> = part.iter().filter_map(date::year).collect();
        // `before Jan 1, 2027` is the end of 2026.
        let before = (0..part.len()).any(|at| {
            part[at].is("before")
                && (date::day_at(part, at + 1)
                    .is_some_and(|(day, _)| day.month == 1 && day.day == 1)
                    || part.get(at + 1).and_then(date::year).is_some())
        });
        if before {
            years = years.iter().map(|year| year - 1).collect();
        }
        years.dedup();
        match years.as_slice() {
            [year] => question.say("period", Value::Text(year.to_string())),
            [] => {}
            _ => question.unclear("period", format!("{years:?}")),
        }
    }
    let fifty = text.says_any(&["50 bps", "50 basis points", "50bps"]);
    let emergency = text.says_any(&[
        "emergency rate cuts",
        "emergency cuts",
        "outside of scheduled",
        "unscheduled",
        "intermeeting",
        "emergency",
    ]);
    question.say_text(
        "counting",
        match (fifty, emergency) {
            (true, true) => Some("in steps of 25 basis points, with emergency moves"),
            (true, false) => Some("in steps of 25 basis points"),
            _ => None,
        },
    );
    let of = |part: &[Token]| number_of_moves(part);
    let mut found: Vec<Range> =
        [of(&text.title), of(&text.stands_for), of(&text.main)].into_iter().flatten().collect();
    if found.is_empty() {
        match &listed.strike {
            Some(Ok(range)) => found.push(*range),
            Some(Err(why)) => return question.unclear("strike", why.clone()),
            None => {}
        }
    }
    found.dedup();
    match found.as_slice() {
        [] => {}
        [only] => question.say("strike", Value::Range(*only)),
        [first, other, ..] => question.unclear("strike", format!("{first}, and also {other}")),
    }
}

/// `2 cuts`, `no rate cuts`, `4 or more`, `cuts rates exactly 2 times`, `2 (50 bps)`.
fn number_of_moves(text: &[Token]) -> Option<Range> {
    (0..text.len()).find_map(|at| {
        let value = match &text[at] {
            token if token.is("no") => Dec::whole(0),
            Token::Num(..) if date::year(&text[at]).is_some() => return None,
            token => match token.number()? {
                (value, Unit::Plain) => value,
                _ => return None,
            },
        };
        if value > Dec::whole(40) || value.as_whole().is_none() {
            return None;
        }
        let next = |ahead: usize| text.get(at + ahead).and_then(Token::word).unwrap_or_default();
        let more =
            (next(1) == "or" && (next(2) == "more" || next(2) == "greater")) || next(1) == "+";
        let skip = if next(1) == "+" {
            1
        } else if more {
            2
        } else {
            0
        };
        let named = ["cut", "cuts", "hike", "hikes", "times", "time"];
        let counts = (1..=4).any(|ahead| named.contains(&next(skip + ahead)))
            && !next(skip + 1).starts_with("bp")
            && next(skip + 1) != "basis";
        let alone = text.len() <= 4 && !next(1).starts_with("bp") && next(1) != "basis";
        if !counts && !alone {
            return None;
        }
        if more {
            return Some(Range::of(Compare::AtLeast, value, Unit::Plain));
        }
        let before =
            |back: usize| at.checked_sub(back).and_then(|at| text[at].word()).unwrap_or_default();
        let compare = match (before(2), before(1)) {
            ("at", "least") => Compare::AtLeast,
            ("more", "than") => Compare::Above,
            ("less" | "fewer", "than") => Compare::Below,
            ("at", "most") => Compare::AtMost,
            _ => Compare::Exactly,
        };
        Some(Range::of(compare, value, Unit::Plain))
    })
}
