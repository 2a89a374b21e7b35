//! Every key there is: its kind, default and meaning. Nothing is configured that is not in this table.

use surefoot_hot::risk::{LimitRow, LimitUnit as Unit};
use surefoot_hot::units::MICROS;

use super::limits;

/// A key of the configuration: its path, what it takes and what it means.
#[derive(Clone, Debug)]
pub struct Key {
    /// Its place: `limits.daily_loss`.
    pub path: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Its value where nothing gives one, as it would be written; `None` where a profile or nothing does.
    pub default: Option<&'static str>,
    /// What it is, in a line.
    pub about: &'static str,
    /// Whether it alters what is traded and how, and so the configuration's hash.
    pub trades: bool,
}

/// What a key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One of these words.
    Choice(&'static [&'static str]),
    /// The path of a file or a directory, in quotes.
    Path,
    /// A whole number within bounds.
    Whole(u64, u64),
    /// Dollars or contracts with up to six decimals, within bounds in millionths.
    Micros(&'static str, u64, u64),
    /// Dollars in steps of $0.0001, within bounds in steps.
    Ticks(u64, u64),
    /// An address that begins so.
    Url(&'static str),
    /// Any text, in quotes.
    Text,
    /// Names with lists of patterns.
    Themes,
    /// Where a secret is; never the secret.
    Secret,
}

impl Kind {
    /// What it takes, for people.
    pub fn describe(self) -> String {
        match self {
            Self::Choice(words) => format!("one of {}", words.join(", ")),
            Self::Path => "a path in quotes".into(),
            Self::Whole(least, most) => format!("a whole number from {least} to {most}"),
            Self::Micros(unit, least, most) => format!(
                "{unit} from {} to {}, up to six decimals",
                limits::micros(least),
                limits::micros(most)
            ),
            Self::Ticks(least, most) => {
                format!("dollars from {} to {} in steps of 0.0001", limits::ticks(least), limits::ticks(most))
            }
            Self::Url(scheme) => format!("an address in quotes that begins with {scheme}"),
            Self::Text => "text in quotes".into(),
            Self::Themes => {
                "a section with a line for each theme, in a file alone: fed = [\"kalshi:KXFED*\", \"*fed decision*\"]".into()
            }
            Self::Secret => {
                "where the secret is: \"credential:NAME\" (systemd), \"file:/path\" (mode 0600) or \"env:NAME\"".into()
            }
        }
    }
}

/// Everything that can be set but the limits.
const KEYS: &[Key] = &[
    key(
        "mode",
        Kind::Choice(&["demo", "paper", "shadow", "live"]),
        Some("demo"),
        "with what money; this version knows the demo and paper",
        true,
    ),
    key(
        "world",
        Kind::Choice(&["calm", "real", "hostile"]),
        Some("real"),
        "what the demo's venues are like: for a first look, by public figures, or as bad as they get",
        false,
    ),
    key(
        "state_dir",
        Kind::Path,
        Some("surefoot-state"),
        "where lock, journal and database are",
        false,
    ),
    key(
        "topology",
        Kind::Choice(&["auto", "fused", "split", "calm"]),
        Some("auto"),
        "which agents share which thread",
        false,
    ),
    key("pin_cpu", Kind::Whole(0, 1_023), None, "the core that the hot thread is pinned to", false),
    key(
        "log_level",
        Kind::Choice(&["warn", "info"]),
        Some("info"),
        "how much is said: with info also the limits, and a line a second",
        false,
    ),
    key(
        "log.json",
        Kind::Choice(&["on", "off"]),
        Some("on"),
        "whether every note is kept as a line of JSON in notes.jsonl of the state directory",
        false,
    ),
    key(
        "log.max_mb",
        Kind::Whole(1, 10_240),
        Some("64"),
        "megabytes of notes.jsonl beyond which it is renamed to notes.jsonl.1 and begun anew",
        false,
    ),
    key(
        "log.keep",
        Kind::Whole(0, 100),
        Some("8"),
        "how many renamed files of notes are kept, the newest ones",
        false,
    ),
    key(
        "profile",
        Kind::Choice(&["micro", "small", "large"]),
        Some("small"),
        "what the limits start from; the tighter of profile and file holds",
        true,
    ),
    key(
        "journal.sync",
        Kind::Choice(&["grouped", "always", "off"]),
        Some("grouped"),
        "when records are on the disk: within 5 ms, before going on, or when the system likes",
        false,
    ),
    key(
        "journal.retention_days",
        Kind::Whole(0, 3_650),
        Some("30"),
        "days for which journal and wire logs are kept whole; older records go once a snapshot and the database have them",
        false,
    ),
    key(
        "restart.crashes_max",
        Kind::Whole(0, 100),
        Some("3"),
        "runs that may crash within ten minutes: the start after them opens nothing until `surefoot resume`; 0 never counts",
        false,
    ),
    key(
        "backup.every_hours",
        Kind::Whole(0, 720),
        Some("24"),
        "hours between two copies of the database that a run makes by itself; 0 for none",
        false,
    ),
    key(
        "backup.keep",
        Kind::Whole(1, 1_000),
        Some("7"),
        "how many copies of the database are kept, the newest ones",
        false,
    ),
    key(
        "times.breaker_ms",
        Kind::Whole(1_000, 3_600_000),
        Some("60000"),
        "milliseconds for which orders that open something wait once five at a venue failed; longer while it turns them away",
        true,
    ),
    key(
        "times.compare_ms",
        Kind::Whole(1_000, 20_000),
        Some("12000"),
        "milliseconds between two comparisons with a venue while they agree",
        true,
    ),
    key(
        "times.compare_again_ms",
        Kind::Whole(500, 5_000),
        Some("5000"),
        "the same while they do not agree, or once a venue could not be read; up to four times that where it fails again",
        true,
    ),
    key(
        "starting_capital.polymarket",
        DOLLARS,
        Some("10000"),
        "dollars at Polymarket when the account began",
        true,
    ),
    key(
        "starting_capital.kalshi",
        DOLLARS,
        Some("10000"),
        "dollars at Kalshi when the account began",
        true,
    ),
    key(
        "paper.curve",
        Kind::Choice(&["pessimistic", "realistic", "optimistic"]),
        Some("realistic"),
        "which assumptions about fills drive a run on paper; the two others are counted beside it",
        true,
    ),
    key(
        "paper.latency_ms",
        Kind::Whole(0, 60_000),
        Some("100"),
        "milliseconds of a request's round trip to the venues, as measured: an order on paper reaches the book after it",
        true,
    ),
    key(
        "limits.midnight_utc_min",
        Kind::Whole(0, 1_439),
        Some("0"),
        "minutes after midnight UTC at which the trading day begins; halts do not end with a day",
        true,
    ),
    key(
        "themes",
        Kind::Themes,
        None,
        "markets limited together by limits.exposure_theme: ticker, event, series, condition id, event slug or question; \
         a market is of the first theme, by name, that it fits",
        true,
    ),
    key(
        "venues.polymarket.clob",
        HTTPS,
        Some("https://clob.polymarket.com"),
        "orders and books (live modes: not built yet)",
        true,
    ),
    key(
        "venues.polymarket.gamma",
        HTTPS,
        Some("https://gamma-api.polymarket.com"),
        "metadata (live modes: not built yet)",
        true,
    ),
    key(
        "venues.polymarket.data",
        HTTPS,
        Some("https://data-api.polymarket.com"),
        "positions (live modes: not built yet)",
        true,
    ),
    key(
        "venues.polymarket.ws_market",
        WSS,
        Some("wss://ws-subscriptions-clob.polymarket.com/ws/market"),
        "market stream (live modes: not built yet)",
        true,
    ),
    key(
        "venues.polymarket.ws_user",
        WSS,
        Some("wss://ws-subscriptions-clob.polymarket.com/ws/user"),
        "our orders and fills (live modes: not built yet)",
        true,
    ),
    key(
        "venues.polymarket.signature_type",
        Kind::Whole(0, 3),
        None,
        "kind of wallet (live modes: not built yet)",
        true,
    ),
    key(
        "venues.polymarket.funder",
        Kind::Text,
        None,
        "address that holds the money (live modes: not built yet)",
        true,
    ),
    key(
        "venues.polymarket.private_key",
        Kind::Secret,
        None,
        "key that signs orders (live modes: not built yet)",
        true,
    ),
    key(
        "venues.polymarket.api_key",
        Kind::Secret,
        None,
        "L2 key (live modes: not built yet)",
        true,
    ),
    key(
        "venues.polymarket.secret",
        Kind::Secret,
        None,
        "L2 secret (live modes: not built yet)",
        true,
    ),
    key(
        "venues.polymarket.passphrase",
        Kind::Secret,
        None,
        "L2 passphrase (live modes: not built yet)",
        true,
    ),
    key(
        "venues.kalshi.rest",
        HTTPS,
        Some("https://external-api.kalshi.com/trade-api/v2"),
        "orders and metadata (live modes: not built yet)",
        true,
    ),
    key(
        "venues.kalshi.ws",
        WSS,
        Some("wss://external-api-ws.kalshi.com/trade-api/ws/v2"),
        "all streams (live modes: not built yet)",
        true,
    ),
    key(
        "venues.kalshi.key_id",
        Kind::Secret,
        None,
        "the key's id (live modes: not built yet)",
        true,
    ),
    key(
        "venues.kalshi.private_key",
        Kind::Secret,
        None,
        "the key, PEM, RSA or Ed25519 (live modes: not built yet)",
        true,
    ),
];

const DOLLARS: Kind = Kind::Micros("dollars", MICROS, 1_000_000_000 * MICROS);
const HTTPS: Kind = Kind::Url("https://");
const WSS: Kind = Kind::Url("wss://");

const fn key(
    path: &'static str,
    kind: Kind,
    default: Option<&'static str>,
    about: &'static str,
    trades: bool,
) -> Key {
    Key { path, kind, default, about, trades }
}

/// Everything that can be set, limits included.
pub fn all() -> Vec<Key> {
    let mut keys = KEYS.to_vec();
    for row in LimitRow::ALL {
        keys.push(key(row.def().key, kind_of(row), None, row.def().about, true));
    }
    keys
}

/// What a limit takes.
pub fn kind_of(row: LimitRow) -> Kind {
    let (least, most) = row.def().bounds;
    match row.def().unit {
        Unit::Contracts => Kind::Micros("contracts", least, most),
        Unit::Dollars => Kind::Micros("dollars", least, most),
        Unit::Ticks => Kind::Ticks(least, most),
        Unit::Percent | Unit::Ppm | Unit::Millis | Unit::Count => Kind::Whole(least, most),
    }
}

/// A value as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A number in the key's smallest unit.
    Number(u64),
    /// A word, a path, an address or any other text, without its quotes.
    Text(String),
}

/// Reads a value from its text.
///
/// # Errors
/// What is wrong with it, in words. A secret's text is never repeated.
pub fn parse(kind: Kind, text: &str) -> Result<Value, String> {
    let expected = || format!("`{text}` is not {}", kind.describe());
    let within = |number: u64, least, most| {
        if (least..=most).contains(&number) { Ok(Value::Number(number)) } else { Err(expected()) }
    };
    match kind {
        Kind::Choice(words) if words.contains(&text) => Ok(Value::Text(text.into())),
        Kind::Choice(words) => {
            let meant = nearest(text, words.iter().copied());
            let meant = meant.map(|word| format!("; did you mean `{word}`?")).unwrap_or_default();
            Err(format!("{}{meant}", expected()))
        }
        Kind::Themes => Err(format!("this is not {}", kind.describe())),
        Kind::Path | Kind::Text if text.is_empty() => Err("it is empty".into()),
        Kind::Path | Kind::Text => Ok(Value::Text(text.into())),
        Kind::Whole(least, most) => within(text.parse().map_err(|_| expected())?, least, most),
        Kind::Micros(_, least, most) => within(decimal(text, 6).ok_or_else(expected)?, least, most),
        Kind::Ticks(least, most) => within(decimal(text, 4).ok_or_else(expected)?, least, most),
        Kind::Url(scheme) => {
            let rest = text.strip_prefix(scheme).unwrap_or("");
            let plain = !rest.is_empty() && !rest.contains(|c: char| c.is_whitespace() || c == '@');
            if plain { Ok(Value::Text(text.into())) } else { Err(expected()) }
        }
        Kind::Secret => match text.split_once(':') {
            Some(("credential" | "env" | "file", name)) if !name.is_empty() => {
                Ok(Value::Text(text.into()))
            }
            _ => Err(format!(
                "a secret must not stand here (its text is not shown); give {}. If it was a real one, replace it \
                 at the venue: it is in a file now",
                kind.describe()
            )),
        },
    }
}

/// `12.5` as 12,500,000 with six places. No sign, exponent or digit beyond.
fn decimal(text: &str, places: usize) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || part.len() > places || !digits(whole) || !digits(part) {
        return None;
    }
    format!("{whole}{part:0<places$}").parse().ok()
}

/// The word that was probably meant.
pub fn nearest<'a>(text: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = words.map(|word| (distance(text, word), word)).min()?;
    (near.0 <= (text.len() / 3).max(2)).then_some(near.1)
}

/// The words that may have been meant, the nearest first: by all of it, or by what stands behind the last dot.
pub fn nearest_few(text: &str, words: &[&'static str], most: usize) -> Vec<&'static str> {
    let last = |text: &str| text.rsplit('.').next().unwrap_or_default().to_owned();
    let name = last(text);
    let mut near: Vec<_> = words
        .iter()
        .filter_map(|word| {
            let whole = (distance(text, word), (text.len() / 3).max(2));
            let behind = (distance(&name, &last(word)), (name.len() / 3).max(2));
            let is_near = |(far, bound): (usize, usize)| (far <= bound).then_some(far);
            let far = is_near(whole).into_iter().chain(is_near(behind)).min()?;
            Some((far, *word))
        })
        .collect();
    near.sort_unstable();
    near.into_iter().take(most).map(|(_, word)| word).collect()
}

/// How many letters must be changed, added, removed or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let mut least = (rows[i - 1][j] + 1).min(row[j - 1] + 1);
            least = least.min(rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]));
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}
