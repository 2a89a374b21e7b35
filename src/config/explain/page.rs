//! The tables of `docs/risk.md` that are made of the words which `config explain` shows, and the test that compares them.

use std::fmt::Write as _;
use std::fs;

use surefoot_hot::risk::{LIMIT_ROWS, Refusal};
use surefoot_hot::units::Usd;

use super::limit_words::{IN_ORDER, Topic, of_limit};
use super::refusal_words::of_refusal;
use super::*;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/risk.md");
const TOPICS: [Topic; 6] =
    [Topic::Orders, Topic::Held, Topic::Account, Topic::Worth, Topic::Legs, Topic::Market];
const END: &str = "<!-- end -->\n";

fn begin(name: &str) -> String {
    format!("<!-- made from src/config/explain: {name} -->\n")
}

/// What a row is set to in each profile.
fn defaults(row: LimitRow) -> String {
    if row == LimitRow::EquityFloor {
        return "half of `starting_capital`".to_owned();
    }
    let value = |profile: Profile| show_default(row, profile.limits(Usd::ZERO).value(row));
    let values = Profile::ALL.map(value);
    if values.iter().all(|value| *value == values[0]) {
        return values[0].clone();
    }
    values.join(", ")
}

/// The limits of a topic.
fn limits_table(topic: Topic) -> String {
    let mut table = "| limit | micro, small, large | refusal | why | what a breach looks like | how one recovers |\n\
                     | --- | --- | --- | --- | --- | --- |\n"
        .to_owned();
    for row in IN_ORDER.iter().copied().filter(|row| of_limit(*row).topic == topic) {
        let (words, def) = (of_limit(row), row.def());
        let names: Vec<_> =
            words.refusals.iter().map(|refusal| format!("`{}`", refusal.name())).collect();
        let names = if names.is_empty() { "–".to_owned() } else { names.join(", ") };
        let (key, about, values) = (def.key, def.about, defaults(row));
        let (why, breach, recovery) = (words.why, words.breach, words.recovery);
        writeln!(
            table,
            "| `{key}`: {about} | {values} | {names} | {why} | {breach} | {recovery} |"
        )
        .expect("text takes everything");
    }
    table
}

/// Every refusal, with the limits that it speaks of.
fn refusals_table() -> String {
    let mut table =
        "| refusal | stops | because | how it ends | limits |\n| --- | --- | --- | --- | --- |\n"
            .to_owned();
    for refusal in Refusal::ALL {
        let words = of_refusal(refusal);
        let rows = IN_ORDER.iter().filter(|row| of_limit(**row).refusals.contains(&refusal));
        let keys: Vec<_> = rows.map(|row| format!("`{}`", row.def().key)).collect();
        let keys = if keys.is_empty() { "–".to_owned() } else { keys.join(", ") };
        let (name, stops) = (refusal.name(), words.stops.text());
        writeln!(table, "| `{name}` | {stops} | {} | {} | {keys} |", words.why, words.ends)
            .expect("text takes everything");
    }
    table
}

/// The page with every table as it should be.
fn made_anew(page: &str) -> String {
    let mut tables: Vec<_> =
        TOPICS.map(|topic| (topic.name(), limits_table(topic))).into_iter().collect();
    tables.push(("refusals", refusals_table()));
    let mut page = page.to_owned();
    for (name, table) in tables {
        let mark = begin(name);
        let from =
            page.find(&mark).unwrap_or_else(|| panic!("the page has no `{mark}`")) + mark.len();
        let to = from + page[from..].find(END).unwrap_or_else(|| panic!("{name} has no end"));
        page.replace_range(from..to, &table);
    }
    page
}

#[test]
fn the_page_about_risk_has_every_limit_and_refusal_as_it_is_explained() {
    let page = fs::read_to_string(PATH).unwrap();
    let wanted = made_anew(&page);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(PATH, &wanted).unwrap();
    }
    assert_eq!(fs::read_to_string(PATH).unwrap(), wanted, "UPDATE_GOLDEN=1 renews it");
    for row in LimitRow::ALL {
        let cell = format!("\n| `{}`: ", row.def().key);
        assert_eq!(wanted.matches(&cell).count(), 1, "{} has one row", row.def().key);
    }
    for refusal in Refusal::ALL {
        let cell = format!("\n| `{}` | ", refusal.name());
        assert_eq!(wanted.matches(&cell).count(), 1, "{} has one row", refusal.name());
    }
}

#[test]
fn no_cell_is_empty_or_breaks_its_table() {
    assert_eq!(IN_ORDER.len(), LIMIT_ROWS, "each limit once");
    let of_limits =
        LimitRow::ALL.map(of_limit).map(|words| [words.why, words.breach, words.recovery]);
    let of_refusals = Refusal::ALL.map(of_refusal).map(|words| [words.why, words.ends, "–"]);
    for cell in of_limits.iter().chain(&of_refusals).flatten() {
        assert!(
            !cell.is_empty() && !cell.contains(['|', '\n']) && !cell.ends_with('.'),
            "{cell:?}"
        );
    }
}
