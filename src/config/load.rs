//! From file, environment and flags to one checked value, or to every mistake at once.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use surefoot_cold::paper::curve::Curve;
use surefoot_cold::paper::venue::PaperOptions;
use surefoot_hot::hash::Hash64;
use surefoot_hot::per_venue::PerVenue;
use surefoot_hot::risk::LimitRow;
use surefoot_hot::units::{Nanos, Usd};
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::keys::{self, Key, Kind, Value, nearest};
use super::limits::{self, Limits, NESTED, Profile};
use super::themes::Themes;
use super::{BackupConfig, Config, JournalSync, JsonLogConfig, LogLevel, SecretRef, Times, Venues};
use crate::cli::{Mode, TopologyArg};
use crate::twin::world::WorldName;

/// What the environment's keys begin with: `SUREFOOT__LIMITS__DAILY_LOSS`.
pub const ENV_PREFIX: &str = "SUREFOOT__";

/// Where values come from; later ones win.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// A file's name and text.
    pub file: Option<(String, String)>,
    /// Variables, all of them: those with our prefix count.
    pub env: Vec<(String, String)>,
    /// Key, flag and text.
    pub flags: Vec<(&'static str, &'static str, String)>,
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody gave one.
    Default,
    /// The limits' profile, whose value is the tighter one or the only one.
    Profile(Profile),
    /// The demo's own, where it differs from the profile's.
    Demo,
    /// A line of the file.
    File(usize),
    /// This variable of the environment.
    Env(String),
    /// This flag of the command line.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Profile(profile) => write!(f, "profile {}", profile.name()),
            Self::Demo => f.write_str("demo"),
            Self::File(line) => write!(f, "file, line {line}"),
            Self::Env(name) => f.write_str(name),
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}

/// One mistake, with its place and remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// What is wrong.
    pub what: String,
    /// In which file, variable or flag.
    pub place: String,
    /// In a file: line and column from 1, the line's text, and how much of it is meant.
    pub line: Option<(usize, usize, String, usize)>,
    /// What to do about it.
    pub remedy: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.what)?;
        match &self.line {
            None => {
                write!(f, "\n  --> {}", self.place)?;
                if !self.remedy.is_empty() {
                    write!(f, "\n   = {}", self.remedy)?;
                }
                Ok(())
            }
            Some((line, column, text, length)) => {
                let number = line.to_string();
                let gap = " ".repeat(number.len());
                let caret = "^".repeat((*length).max(1));
                let before = " ".repeat(column - 1);
                write!(f, "\n{gap}--> {}:{line}:{column}\n{gap} |\n{number} | {text}", self.place)?;
                write!(f, "\n{gap} | {before}{caret} {}", self.remedy)
            }
        }
    }
}

/// What was read, and from where.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The values that hold, whoever gave them.
    pub config: Config,
    /// Every key, its value as it would be written, and its origin.
    pub shown: Vec<(&'static str, String, Origin)>,
    /// What was given and does not hold, a sentence each.
    pub warnings: Vec<String>,
}

/// A value that someone gave.
#[derive(Clone, Debug)]
struct Given {
    value: Value,
    origin: Origin,
    /// For mistakes found later, when values are compared.
    span: Option<Range<usize>>,
}

/// Reads everything and checks it whole.
///
/// # Errors
/// Every mistake there is, in the order of the places.
pub fn load(inputs: &Inputs) -> Result<Loaded, Vec<Mistake>> {
    let (loaded, mistakes) = read(inputs);
    if mistakes.is_empty() { Ok(loaded) } else { Err(mistakes) }
}

/// Reads everything; what is mistaken stands at its default. Only for what must work beside mistakes: a halt
/// does not wait until a limit is spelled right.
pub fn read(inputs: &Inputs) -> (Loaded, Vec<Mistake>) {
    let keys = keys::all();
    let file = inputs.file.clone().unwrap_or_default();
    let mut reading = Reading {
        shows: what_shows(&file.1, &keys),
        keys,
        file,
        given: BTreeMap::new(),
        themes: Themes::default(),
        mistakes: Vec::new(),
    };
    reading.read_file();
    for (name, text) in &inputs.env {
        reading.read_env(name, text);
    }
    for (path, flag, text) in &inputs.flags {
        reading.read_plain(path, text, Origin::Flag(flag));
    }
    let loaded = reading.finish();
    (loaded, reading.mistakes)
}

/// How much of a line of the file may be shown in a mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shows {
    /// All of it.
    All,
    /// What stands before its first `=`: it names a secret, and somebody may have written the secret itself.
    Name,
    /// Nothing: it goes on after such a line, as a key in PEM does.
    Nothing,
}

/// What may be shown of each line. Goes by the text alone, because a file with mistakes has no structure to go by.
fn what_shows(text: &str, keys: &[Key]) -> Vec<Shows> {
    let secrets: Vec<&str> = keys
        .iter()
        .filter(|key| key.kind == Kind::Secret)
        .filter_map(|key| key.path.rsplit('.').next())
        .collect();
    let begins_anew = |line: &str| {
        let line = line.trim_start();
        let word = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next();
        let is_key = |key: &Key| key.path.split('.').any(|part| Some(part) == word);
        line.starts_with('[') || keys.iter().any(is_key)
    };
    let mut inside = false;
    let shows = |line: &str| {
        if secrets.iter().any(|name| line.contains(name)) {
            inside = true;
            return Shows::Name;
        }
        inside = inside && !begins_anew(line);
        if inside { Shows::Nothing } else { Shows::All }
    };
    text.split('\n').map(shows).collect()
}

struct Reading {
    keys: Vec<Key>,
    /// Name and text.
    file: (String, String),
    /// How much of each of its lines may be shown.
    shows: Vec<Shows>,
    given: BTreeMap<&'static str, Given>,
    themes: Themes,
    mistakes: Vec<Mistake>,
}

impl Reading {
    fn key(&self, path: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.path == path)
    }

    fn read_file(&mut self) {
        let text = self.file.1.clone();
        let (table, errors) = DeTable::parse_recoverable(&text);
        for error in errors {
            let span = error.span().unwrap_or(0..0);
            self.mistake_in_file(span, error.message().to_owned(), String::new(), false);
        }
        self.read_table("", table.get_ref());
        let line = |mistake: &Mistake| mistake.line.as_ref().map_or((0, 0), |at| (at.0, at.1));
        self.mistakes.sort_by_key(line);
    }

    fn read_table(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            let path = join(prefix, name.get_ref());
            let section = format!("{path}.");
            if self.keys.iter().any(|key| key.path.starts_with(&section)) {
                match value.get_ref() {
                    DeValue::Table(inner) => self.read_table(&path, inner),
                    _ => {
                        let what = format!("`{path}` is a section, not a value");
                        self.mistake_in_file(value.span(), what, format!("write [{path}]"), false);
                    }
                }
                continue;
            }
            match self.key(&path).map(|key| (key.path, key.kind)) {
                Some((path, kind)) => self.read_value(path, kind, value),
                None => {
                    let (line, ..) = self.line_of(name.span().start);
                    let (what, remedy) = match self.shows.get(line - 1) {
                        Some(Shows::Nothing) => (
                            "this is no key; it may be part of a secret, so it is not shown".into(),
                            "give a secret as a reference: \"file:/path\"".into(),
                        ),
                        _ => (format!("unknown key `{path}`"), self.suggest(&path)),
                    };
                    self.mistake_in_file(name.span(), what, remedy, true);
                }
            }
        }
    }

    fn read_value(&mut self, path: &'static str, kind: Kind, value: &Spanned<DeValue<'_>>) {
        if kind == Kind::Themes {
            return self.read_themes(path, value);
        }
        let numeric = matches!(kind, Kind::Whole(..) | Kind::Micros(..) | Kind::Ticks(..));
        let text = match value.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            DeValue::Integer(number) if numeric && number.radix() == 10 => {
                Some(number.as_str().to_owned())
            }
            DeValue::Float(number) if numeric => Some(number.as_str().to_owned()),
            _ => None,
        };
        let parsed = match text {
            Some(text) => keys::parse(kind, &text),
            None => Err(format!("this is not {}", kind.describe())),
        };
        match parsed {
            Ok(value_read) => {
                let span = Some(value.span());
                let origin = Origin::File(self.line_of(value.span().start).0);
                self.given.insert(path, Given { value: value_read, origin, span });
            }
            Err(remedy) => {
                let what = format!("wrong value for `{path}`");
                self.mistake_in_file(value.span(), what, remedy, kind == Kind::Secret);
            }
        }
    }

    /// The section of themes: each a name and its patterns.
    fn read_themes(&mut self, path: &'static str, value: &Spanned<DeValue<'_>>) {
        let DeValue::Table(table) = value.get_ref() else {
            let what = format!("`{path}` is a section, not a value");
            return self.mistake_in_file(value.span(), what, format!("write [{path}]"), false);
        };
        for (name, patterns) in table {
            let texts = |list: &DeArray<'_>| {
                let text =
                    |value: &Spanned<DeValue<'_>>| Some(value.get_ref().as_str()?.to_owned());
                list.iter().map(text).collect::<Option<Vec<_>>>()
            };
            let list = patterns.get_ref().as_array().and_then(texts);
            let declared = match list {
                Some(list) => self.themes.declare(name.get_ref(), &list),
                None => Err("give its markets as a list: [\"KXFED*\", \"*fed decision*\"]".into()),
            };
            if let Err(remedy) = declared {
                let what = format!("wrong value for `{path}.{}`", name.get_ref());
                self.mistake_in_file(patterns.span(), what, remedy, false);
            }
        }
        let origin = Origin::File(self.line_of(value.span().start).0);
        let (value, span) = (Value::Text(self.themes.show()), Some(value.span()));
        self.given.insert(path, Given { value, origin, span });
    }

    fn read_env(&mut self, name: &str, text: &str) {
        let Some(rest) = name.strip_prefix(ENV_PREFIX) else { return };
        let path = rest.split("__").collect::<Vec<_>>().join(".").to_lowercase();
        if self.key(&path).is_none() {
            let what = format!("unknown key `{path}`");
            let remedy = self.suggest(&path);
            self.mistakes.push(Mistake { what, place: name.into(), line: None, remedy });
            return;
        }
        self.read_plain(&path, text, Origin::Env(name.into()));
    }

    fn read_plain(&mut self, path: &str, text: &str, origin: Origin) {
        let key = self.key(path).expect("flags name keys, variables were looked up");
        let (path, kind) = (key.path, key.kind);
        match keys::parse(kind, text) {
            Ok(value) => {
                self.given.insert(path, Given { value, origin, span: None });
            }
            Err(remedy) => self.mistakes.push(Mistake {
                what: format!("wrong value for `{path}`"),
                place: origin.to_string(),
                line: None,
                remedy,
            }),
        }
    }

    fn suggest(&self, path: &str) -> String {
        let paths = self.keys.iter().map(|key| key.path);
        let last = |path: &str| path.rsplit('.').next().unwrap_or_default().to_owned();
        let by_name = || {
            let wanted = last(path);
            let names: Vec<String> = self.keys.iter().map(|key| last(key.path)).collect();
            let name = nearest(&wanted, names.iter().map(String::as_str))?;
            let at = names.iter().position(|known| known == name)?;
            Some(self.keys[at].path)
        };
        match nearest(path, paths).or_else(by_name) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "`surefoot config explain` lists every key".into(),
        }
    }

    /// Line and column, from 1, and where the line begins.
    fn line_of(&self, at: usize) -> (usize, usize, usize) {
        let text = &self.file.1;
        let at = at.min(text.len());
        let before = text.get(..at).unwrap_or("");
        let begin = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[begin..].chars().count() + 1, begin)
    }

    fn mistake_in_file(&mut self, span: Range<usize>, what: String, remedy: String, hide: bool) {
        let (line, column, begin) = self.line_of(span.start);
        let text = self.file.1[begin..].lines().next().unwrap_or("");
        let within = span.end.min(begin + text.len()).saturating_sub(span.start);
        let (text, length) = match self.shows.get(line - 1) {
            Some(Shows::Nothing) => ("***".into(), 1),
            Some(Shows::All) | None if !hide => (text.to_owned(), within),
            _ => {
                // What stands behind an unknown key or a secret's name may be the secret itself.
                let name = text.split('=').next().unwrap_or("");
                let has_value = text.contains('=');
                let shown = if has_value { format!("{name}= ***") } else { name.to_owned() };
                let rest = shown.chars().count().saturating_sub(column - 1);
                (shown, within.min(rest))
            }
        };
        self.mistakes.push(Mistake {
            what,
            place: self.file.0.clone(),
            line: Some((line, column, text, length)),
            remedy,
        });
    }

    fn number(&self, path: &str) -> Option<u64> {
        match self.given.get(path).map(|given| &given.value) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        }
    }

    /// The number given, else the default, which the table of keys must hold.
    fn number_or_default(&self, path: &str) -> u64 {
        let default = || {
            let key = self.key(path)?;
            match keys::parse(key.kind, key.default?) {
                Ok(Value::Number(number)) => Some(number),
                _ => None,
            }
        };
        let number = self.number(path).or_else(default);
        number.unwrap_or_else(|| panic!("`{path}` is a number with a default in the table of keys"))
    }

    /// The text given, else the default; empty where there is neither.
    fn text(&self, path: &str) -> String {
        match self.given.get(path).map(|given| &given.value) {
            Some(Value::Text(text)) => text.clone(),
            _ => self.key(path).and_then(|key| key.default).unwrap_or("").to_owned(),
        }
    }

    fn finish(&mut self) -> Loaded {
        let mode = match self.text("mode").as_str() {
            "paper" => Mode::Paper,
            "shadow" => Mode::Shadow,
            "live" => Mode::Live,
            _ => Mode::Demo,
        };
        let profile = match self.text("profile").as_str() {
            "micro" => Profile::Micro,
            "large" => Profile::Large,
            _ => Profile::Small,
        };
        let starting_capital = PerVenue::from_fn(|venue| {
            let micros = self.number_or_default(&format!("starting_capital.{}", venue.name()));
            Usd::from_micros(i64::try_from(micros).expect("the key's bounds"))
        });
        let whole = starting_capital.values().fold(Usd::ZERO, |sum, venues| sum + *venues);
        let (limits, origins) = self.limits(mode, profile, whole);
        let secrets = keys::all().into_iter().filter(|key| key.kind == Kind::Secret);
        let venues = Venues::new(secrets.filter_map(|key| {
            SecretRef::parse(&self.text(key.path)).map(|secret| (key.path, secret))
        }));
        let shown = self.shown(&limits, &origins);
        let is_given = |row: &LimitRow| self.number(row.def().key) == Some(limits.value(*row));
        let limits_given = LimitRow::ALL.into_iter().filter(is_given).collect();
        let warnings = self.ignored(&limits, &origins);
        let config = Config {
            mode,
            world: WorldName::named(&self.text("world")).expect("the key's words are the worlds"),
            state_dir: PathBuf::from(self.text("state_dir")),
            topology: match self.text("topology").as_str() {
                "fused" => TopologyArg::Fused,
                "split" => TopologyArg::Split,
                "calm" => TopologyArg::Calm,
                _ => TopologyArg::Auto,
            },
            pin_cpu: self.number("pin_cpu").and_then(|cpu| u16::try_from(cpu).ok()),
            log_level: match self.text("log_level").as_str() {
                "warn" => LogLevel::Warn,
                _ => LogLevel::Info,
            },
            log: self.json_log(),
            journal_sync: self.journal_sync(),
            retention_days: self.number_or_default("journal.retention_days"),
            crashes_max: u32::try_from(self.number_or_default("restart.crashes_max"))
                .expect("the key's bounds"),
            backup: self.backup(),
            times: self.times(),
            profile,
            limits,
            limits_given,
            starting_capital,
            paper: PaperOptions {
                latency: Nanos::from_millis(self.number_or_default("paper.latency_ms")),
                driver: Curve::named(&self.text("paper.curve"))
                    .expect("the key's words are the curves"),
            },
            day_begins: Nanos::from_secs(60 * self.number_or_default("limits.midnight_utc_min")),
            themes: self.themes.clone(),
            venues,
            hash: self.hash(&shown),
        };
        Loaded { config, shown, warnings }
    }

    fn journal_sync(&self) -> JournalSync {
        match self.text("journal.sync").as_str() {
            "always" => JournalSync::Always,
            "off" => JournalSync::Off,
            _ => JournalSync::Grouped,
        }
    }

    fn times(&self) -> Times {
        let millis = |path| Duration::from_millis(self.number_or_default(path));
        Times {
            breaker: Nanos::from_millis(self.number_or_default("times.breaker_ms")),
            compare: millis("times.compare_ms"),
            compare_again: millis("times.compare_again_ms"),
        }
    }

    fn backup(&self) -> BackupConfig {
        BackupConfig {
            every: Duration::from_secs(3_600 * self.number_or_default("backup.every_hours")),
            keep: usize::try_from(self.number_or_default("backup.keep")).expect("the key's bounds"),
        }
    }

    fn json_log(&self) -> Option<JsonLogConfig> {
        (self.text("log.json") == "on").then(|| JsonLogConfig {
            bytes_max: self.number_or_default("log.max_mb") << 20,
            older_max: u32::try_from(self.number_or_default("log.keep")).expect("the key's bounds"),
        })
    }

    /// Limits that were given and do not hold, because something tighter does.
    fn ignored(&self, limits: &Limits, origins: &BTreeMap<&'static str, Origin>) -> Vec<String> {
        let rows = LimitRow::ALL.into_iter().filter_map(|row| {
            let path = row.def().key;
            let (given, holds) = (self.number(path)?, limits.value(row));
            let place = match &self.given.get(path)?.origin {
                Origin::File(line) => format!("{}:{line}", self.file.0),
                other => other.to_string(),
            };
            let (given_text, holds_text) = (limits::show(row, given), limits::show(row, holds));
            (given != holds).then(|| {
                format!(
                    "{place}: {path} = {given_text} is ignored: {holds_text} is tighter and holds ({})",
                    origins[path]
                )
            })
        });
        rows.collect()
    }

    /// The tightest of profile and what was given, consistent with each other.
    fn limits(
        &mut self,
        mode: Mode,
        profile: Profile,
        capital: Usd,
    ) -> (Limits, BTreeMap<&'static str, Origin>) {
        let mut limits = profile.limits(capital);
        if mode == Mode::Demo {
            limits.set(LimitRow::OrdersPerMinute, 600);
            limits.set(LimitRow::OrdersPerMinuteMarket, 200); // in proportion
            limits.set(LimitRow::LatencyMs, 250); // it runs beside whatever else a machine does
        }
        let mut origins = BTreeMap::new();
        for row in LimitRow::ALL {
            let path = row.def().key;
            let before = limits.value(row);
            let given = self.number(path);
            let value = match given {
                Some(given) if limits::profile_holds(row) => limits::tighter(row, before, given),
                Some(given) => given,
                None => before,
            };
            limits.set(row, value);
            let origin = match self.given.get(path) {
                Some(given_here) if given == Some(value) => given_here.origin.clone(),
                _ if before != profile.limits(capital).value(row) => Origin::Demo,
                _ => Origin::Profile(profile),
            };
            origins.insert(path, origin);
        }
        for (inner, outer) in NESTED {
            if limits.value(inner) <= limits.value(outer) {
                continue;
            }
            let (inner_key, outer_key) = (inner.def().key, outer.def().key);
            if self.number(inner_key) == Some(limits.value(inner))
                && self.number(outer_key) == Some(limits.value(outer))
            {
                self.inconsistent(inner, outer, &limits);
            } else {
                // Whoever tightens the whole need not tighten its parts by hand.
                limits.set(inner, limits.value(outer));
                origins.insert(inner_key, origins[outer_key].clone());
            }
        }
        let given = |row: LimitRow| self.number(row.def().key) == Some(limits.value(row));
        for absurd in limits::absurd(&limits, capital, given) {
            let limits::Absurd { row, why, remedy } = absurd;
            let key = row.def().key;
            let what = format!("`{key}` ({}): {why}", limits::show(row, limits.value(row)));
            self.mistake_about(key, what, remedy.to_owned());
        }
        (limits, origins)
    }

    fn inconsistent(&mut self, inner: LimitRow, outer: LimitRow, limits: &Limits) {
        let (inner_key, outer_key) = (inner.def().key, outer.def().key);
        let what = format!(
            "`{inner_key}` ({}) is above `{outer_key}` ({})",
            limits::show(inner, limits.value(inner)),
            limits::show(outer, limits.value(outer))
        );
        let remedy = format!("lower it, or raise `{outer_key}` ({})", self.given[outer_key].origin);
        self.mistake_about(inner_key, what, remedy);
    }

    /// A mistake about a value that was given, where it was given.
    fn mistake_about(&mut self, key: &str, what: String, remedy: String) {
        let given = self.given[key].clone();
        match given.span {
            Some(span) => self.mistake_in_file(span, what, remedy, false),
            None => {
                let place = given.origin.to_string();
                self.mistakes.push(Mistake { what, place, line: None, remedy });
            }
        }
    }

    fn shown(
        &self,
        limits: &Limits,
        origins: &BTreeMap<&'static str, Origin>,
    ) -> Vec<(&'static str, String, Origin)> {
        let rows: BTreeMap<_, _> =
            LimitRow::ALL.map(|row| (row.def().key, row)).into_iter().collect();
        let show = |key: &Key| {
            if let Some(row) = rows.get(key.path) {
                return (
                    key.path,
                    limits::show(*row, limits.value(*row)),
                    origins[key.path].clone(),
                );
            }
            let given = self.given.get(key.path);
            let value = match given.map(|given| &given.value) {
                Some(Value::Text(text)) => text.clone(),
                Some(Value::Number(number)) if matches!(key.kind, Kind::Micros(..)) => {
                    limits::micros(*number)
                }
                Some(Value::Number(number)) => number.to_string(),
                None => key.default.unwrap_or("not set").to_owned(),
            };
            (key.path, value, given.map_or(Origin::Default, |given| given.origin.clone()))
        };
        self.keys.iter().map(show).collect()
    }

    fn hash(&self, shown: &[(&'static str, String, Origin)]) -> u64 {
        let mut hash = Hash64::new();
        for (path, value, _) in shown {
            if self.key(path).is_some_and(|key| key.trades) {
                hash.bytes(path.as_bytes());
                hash.bytes(value.as_bytes());
            }
        }
        hash.get()
    }
}

fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") }
}
