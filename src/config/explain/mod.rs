//! What a key means, for whoever wonders whether to change it: `surefoot config explain`. The tables of `docs/risk.md` are made
//! of the same words.

mod key_words;
mod limit_words;
#[cfg(test)]
mod page;
mod refusal_words;

use serde_json::{Value, json};
use surefoot_hot::risk::{LimitRow, LimitUnit as Unit, Safer};

use limit_words::IN_ORDER;
use refusal_words::{RefusalWords, of_refusal};

use super::keys::{self, Key, Kind};
use super::limits::{self, Profile};
use super::load::{Loaded, Origin};

/// How wide an explanation is, in columns.
const WIDTH: usize = 110;
/// Where the words begin that stand behind a label.
const INDENT: usize = 15;
/// How many keys are named that may have been meant.
const MEANT_MAX: usize = 3;
/// The section of every row of the risk table, whatever section of the file it stands in.
const RISK: &str = "risk";

/// What a person asks about.
#[derive(Clone, Debug)]
pub enum Found {
    /// The one key with that path; a limit may be named without the unit at its end.
    One(Key),
    /// The keys whose paths begin so.
    Many(Vec<Key>),
    /// No key; these may have been meant.
    Nothing(Vec<&'static str>),
}

/// The keys that `asked` names: one by its path, or those of a section or with a common beginning. `risk` is the whole risk table, and
/// `risk.NAME` its row of that name, with or without the unit behind it.
pub fn find(asked: &str) -> Found {
    let asked = asked.trim().trim_end_matches('.');
    let known = keys::all();
    let one = |path: &str| known.iter().find(|key| key.path == path).cloned();
    let limit = asked.strip_prefix("risk.").and_then(limit_named);
    if let Some(key) = one(asked).or_else(|| one(limit?.def().key)) {
        return Found::One(key);
    }
    let section = format!("{asked}.");
    let within = |prefix: &str| {
        known.iter().filter(|key| key.path.starts_with(prefix)).cloned().collect::<Vec<_>>()
    };
    let mut many = match asked {
        RISK => IN_ORDER.iter().filter_map(|row| one(row.def().key)).collect(),
        _ => within(&section),
    };
    if many.is_empty() {
        many = within(asked);
    }
    if many.is_empty() {
        let paths: Vec<_> = known.iter().map(|key| key.path).collect();
        return Found::Nothing(keys::nearest_few(asked, &paths, MEANT_MAX));
    }
    Found::Many(many)
}

/// The row of the risk table that a person calls so.
fn limit_named(name: &str) -> Option<LimitRow> {
    let bare = name.strip_suffix("_usd").unwrap_or(name);
    LimitRow::ALL.into_iter().find(|row| row.name() == name || row.name() == bare)
}

/// The row of the risk table that a key is.
pub fn limit_of(path: &str) -> Option<LimitRow> {
    LimitRow::ALL.into_iter().find(|row| row.def().key == path)
}

/// All that is said of a key.
#[derive(Clone, Debug)]
pub struct Explanation {
    key: Key,
    limit: Option<LimitRow>,
    /// Its value in each profile, where it is a limit.
    profiles: Option<[(Profile, String); 3]>,
    /// The value that holds, and where it is from.
    holds: Option<(String, Origin)>,
}

impl Explanation {
    /// Of a key, with the value that it has in a configuration.
    pub fn new(key: Key, loaded: &Loaded) -> Self {
        let limit = limit_of(key.path);
        let capital = loaded.config.capital();
        let profiles = limit.map(|row| {
            Profile::ALL
                .map(|profile| (profile, show_default(row, profile.limits(capital).value(row))))
        });
        let shown = loaded.shown.iter().find(|(path, ..)| *path == key.path);
        let holds = shown.map(|(_, value, origin)| (value.clone(), origin.clone()));
        Self { key, limit, profiles, holds }
    }

    /// Why its default is what it is.
    fn why(&self) -> &'static str {
        match self.limit {
            Some(row) => limit_words::of_limit(row).why,
            None => key_words::of_key(&self.key).unwrap_or_default(),
        }
    }

    fn unit(&self) -> Option<&'static str> {
        match (self.limit, self.key.kind) {
            (Some(row), _) => Some(unit_name(row.def().unit)),
            (None, Kind::Micros(unit, ..)) => Some(unit),
            (None, Kind::Ticks(..)) => Some("dollars"),
            (None, _) => None,
        }
    }

    fn default(&self) -> String {
        match &self.profiles {
            Some(profiles) => in_profiles(profiles),
            None => self.key.default.unwrap_or("none").to_owned(),
        }
    }

    /// Label and words, in the order in which they are read.
    fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines =
            vec![("what", self.key.about.to_owned()), ("takes", self.key.kind.describe())];
        if let Some(unit) = self.unit() {
            lines.push(("unit", unit.to_owned()));
        }
        if let Some(row) = self.limit {
            lines.push(("tighter", safer_name(row.def().safer).to_owned()));
        }
        lines.push(("default", self.default()));
        if let Some((value, origin)) = &self.holds {
            lines.push(("in force", format!("{value} ({origin})")));
        }
        lines.push(("why", self.why().to_owned()));
        if let Some(words) = self.limit.map(limit_words::of_limit) {
            lines.push(("breach", words.breach.to_owned()));
            for refusal in words.refusals {
                let RefusalWords { stops, why, ends } = of_refusal(*refusal);
                let (name, stops) = (refusal.name(), stops.text());
                lines.push(("refusal", format!("{name} stops {stops}: {why}. It ends: {ends}")));
            }
            lines.push(("recovery", words.recovery.to_owned()));
        }
        lines
    }

    /// For a person.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n", self.key.path);
        for (label, words) in self.lines() {
            text.push_str(&labelled(label, &words));
        }
        text
    }

    /// For a script.
    pub fn json(&self) -> Value {
        let words = self.limit.map(limit_words::of_limit);
        let profiles = self.profiles.as_ref().map(|profiles| {
            profiles
                .iter()
                .map(|(profile, value)| (profile.name(), value))
                .collect::<std::collections::BTreeMap<_, _>>()
        });
        json!({
            "key": self.key.path,
            "topic": words.map(|words| words.topic.name()),
            "about": self.key.about,
            "takes": self.key.kind.describe(),
            "unit": self.unit(),
            "least": bounds(&self.key).map(|bounds| bounds.0),
            "most": bounds(&self.key).map(|bounds| bounds.1),
            "tighter": self.limit.map(|row| safer_name(row.def().safer)),
            "default": self.key.default,
            "profiles": profiles,
            "value": self.holds.as_ref().map(|(value, _)| value),
            "from": self.holds.as_ref().map(|(_, origin)| origin.to_string()),
            "why": self.why(),
            "breach": words.map(|words| words.breach),
            "refusals": words.map(|words| words.refusals.iter().map(|refusal| refusal.name()).collect::<Vec<_>>()),
            "recovery": words.map(|words| words.recovery),
        })
    }

    /// A line of a list: path, value and meaning.
    pub fn line(&self) -> String {
        let value = self.holds.as_ref().map_or("", |(value, _)| value.as_str());
        format!("{:<34} {value:<16} {}\n", self.key.path, self.key.about)
    }
}

/// The least and the most that a key takes, as they are written; `None` where it takes words.
fn bounds(key: &Key) -> Option<(String, String)> {
    match key.kind {
        Kind::Whole(least, most) => Some((least.to_string(), most.to_string())),
        Kind::Micros(_, least, most) => Some((limits::micros(least), limits::micros(most))),
        Kind::Ticks(least, most) => Some((limits::ticks(least), limits::ticks(most))),
        _ => None,
    }
}

/// What a limit's values are counted in.
pub const fn unit_name(unit: Unit) -> &'static str {
    match unit {
        Unit::Contracts => "contracts",
        Unit::Dollars | Unit::Ticks => "dollars",
        Unit::Percent => "percent",
        Unit::Ppm => "millionths",
        Unit::Millis => "milliseconds",
        Unit::Count => "a number",
    }
}

const fn safer_name(safer: Safer) -> &'static str {
    match safer {
        Safer::Smaller => "smaller",
        Safer::Larger => "larger",
    }
}

/// A profile's value. One that is the most a row can be set to says that the profile leaves it to another row.
fn show_default(row: LimitRow, value: u64) -> String {
    let (_, most) = row.def().bounds;
    if row.def().unit == Unit::Dollars && value == most {
        return "no bound of its own".to_owned();
    }
    limits::show(row, value)
}

/// `micro $50, small $100, large $5000`; the value alone where all have the same.
fn in_profiles(profiles: &[(Profile, String); 3]) -> String {
    let (_, first) = &profiles[0];
    if profiles.iter().all(|(_, value)| value == first) {
        return first.clone();
    }
    let named = profiles.iter().map(|(profile, value)| format!("{} {value}", profile.name()));
    named.collect::<Vec<_>>().join(", ")
}

/// A label and its words, broken where they are too wide.
fn labelled(label: &str, words: &str) -> String {
    let mut lines = vec![String::new()];
    for word in words.split_whitespace() {
        let line = lines.last_mut().expect("there is one");
        if !line.is_empty() && INDENT + line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(word.to_owned());
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let label = format!("    {label}");
    let labels = std::iter::once(label.as_str()).chain(std::iter::repeat(""));
    lines.iter().zip(labels).map(|(line, label)| format!("{label:<INDENT$}{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::load::{Inputs, load};
    use super::*;

    fn asked(asked: &str) -> Vec<&'static str> {
        match find(asked) {
            Found::One(key) => vec![key.path],
            Found::Many(many) => many.iter().map(|key| key.path).collect(),
            Found::Nothing(meant) => panic!("{asked}: {meant:?}"),
        }
    }

    #[test]
    fn every_key_is_explained() {
        let loaded = load(&Inputs::default()).unwrap();
        for key in keys::all() {
            let Found::One(found) = find(key.path) else { panic!("{} is not found", key.path) };
            let explained = Explanation::new(found, &loaded);
            let (path, text, object) = (key.path, explained.text(), explained.json());
            assert!(!explained.why().is_empty(), "{path}: why its default is what it is");
            assert!(object["value"].is_string() && object["from"].is_string(), "{path}: {object}");
            let labels = ["what", "takes", "default", "in force", "why"];
            assert!(labels.iter().all(|label| text.contains(&format!("\n    {label} "))), "{text}");
            assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
            if limit_of(path).is_some() {
                let words = ["topic", "unit", "tighter", "least", "most", "breach", "recovery"];
                assert!(words.iter().all(|word| object[word].is_string()), "{path}: {object}");
                assert_eq!(
                    object["profiles"].as_object().map(serde_json::Map::len),
                    Some(3),
                    "{path}"
                );
            }
        }
    }

    #[test]
    fn no_words_are_about_what_is_no_key() {
        let paths: BTreeSet<_> = keys::all().iter().map(|key| key.path).collect();
        let words: Vec<_> = key_words::WORDS.iter().map(|(path, _)| *path).collect();
        let paths: BTreeSet<_> = paths.into_iter().map(key_words::of_any_venue).collect();
        assert!(words.iter().all(|path| paths.contains(*path) && limit_of(path).is_none()));
        assert_eq!(words.iter().collect::<BTreeSet<_>>().len(), words.len());
    }

    #[test]
    fn a_limit_is_explained_from_its_unit_to_how_one_recovers() {
        let file = Some(("surefoot.toml".to_owned(), "[limits]\ndaily_loss = 12.5\n".to_owned()));
        let loaded = load(&Inputs { file, ..Inputs::default() }).unwrap();
        let Found::One(key) = find("risk.daily_loss_usd") else { panic!("it is a limit") };
        let text = Explanation::new(key, &loaded).text();
        for words in [
            "limits.daily_loss\n",
            "takes      dollars from 0 to 1000000000",
            "tighter    smaller",
            "default    micro $50, small $100, large $5000",
            "in force   $12.50 (file, line 2)",
            "why        a bad day ends",
            "breach     everything halts",
            "refusal    daily_loss stops what opens: the day's loss",
            "surefoot resume",
        ] {
            assert!(text.contains(words), "{words:?} is not in:\n{text}");
        }
    }

    #[test]
    fn keys_are_found_by_path_section_and_beginning() {
        assert_eq!(asked("limits.daily_loss"), ["limits.daily_loss"], "not those that begin so");
        assert_eq!(asked("risk.edge_min"), ["strategy.edge_min"]);
        assert_eq!(asked("risk.daily_loss_usd"), ["limits.daily_loss"]);
        assert_eq!(asked("risk").len(), LimitRow::ALL.len());
        assert_eq!(asked("log."), ["log.json", "log.max_mb", "log.keep"]);
        assert_eq!(asked("limits.coll").len(), 3);
        let Found::Nothing(meant) = find("limits.daly_loss") else { panic!("it is no key") };
        assert_eq!(meant, ["limits.daily_loss"]);
        let Found::Nothing(meant) = find("limits.exposure_vanue") else { panic!("it is no key") };
        assert_eq!((meant[0], meant.len()), ("limits.exposure_venue", 3), "several are near");
        let Found::Nothing(meant) = find("zzzzzzzzzzzz") else { panic!("it is no key") };
        assert!(meant.is_empty());
    }
}
