//! A market's terms: from the market itself, its event and its series.
//!
//! `price_ranges` is the rule and `price_level_structure` only its name. What is absent is an error for that
//! market, never a default. Source: venue reference, `kalshi.md` §5 to §7, compiled 2026-11-20.

use std::sync::Arc;

use serde_json::Value;
use surefoot_hot::fees::FeeRule;
use surefoot_hot::grid::Grid;
use surefoot_hot::ids::{ClusterId, MarketId, Venue};
use surefoot_hot::market::{Category, MarketDef, MarketStatus};
use surefoot_hot::units::{Nanos, Price};
use surefoot_hot::venue_rules::LOT;

use super::fees::{self, FeeChanges, FeesOf};
use super::rest::shard;
use crate::directory::{Entry, KalshiNames, Names};
use crate::facts::{EventFacts, Facts, Fingerprint, StandsFor};
use crate::json::{Object, ReadError, parse_scaled};

/// A settlement timer is read up to so much: a year.
const TIMER_SECS_MAX: u64 = 31_536_000;

/// A market as the venue lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Market {
    pub ticker: String,
    pub event_ticker: String,
    /// Its question, for people.
    pub title: String,
    /// What YES stands for.
    pub yes_title: String,
    /// What resolves it: both rule texts.
    pub rules: String,
    /// Shard, sent with every write.
    pub shard: u8,
    /// Allowed prices of YES.
    pub grid: Grid,
    /// When trading closes; it may move either way.
    pub close: Nanos,
    pub status: MarketStatus,
    /// Comparator of its strike, empty where it has none.
    pub strike_type: String,
    /// Strike text, lower bound.
    pub floor_strike: Option<String>,
    /// Strike text, upper bound.
    pub cap_strike: Option<String>,
    /// What one YES pays, once the result is final or proposed.
    pub yes_pays: Option<Price>,
    /// When its fees begin, where they are waived until then.
    pub waived_until: Option<Nanos>,
    /// When the venue expects that the result is known and its settlement timer has run out.
    pub paid_by: Option<Nanos>,
}

impl Market {
    /// As a row of the directory, with what its event and series add, and the changes of their fees from `now` on.
    ///
    /// # Errors
    /// A fee to come is of a kind not known.
    pub fn entry(
        self,
        now: Nanos,
        (series, event): (&Series, &Event),
        changes: &FeeChanges,
        cluster: ClusterId,
    ) -> Result<Entry, ReadError> {
        let of = FeesOf {
            series: (&series.ticker, series.fee),
            event: (&event.ticker, event.fee),
            waived_until: self.waived_until,
        };
        let (fee, fee_changes) = changes.schedule(now, &of)?;
        let facts = Facts {
            event: Some(event.facts.clone()),
            stands_for: stands_for(&self.yes_title),
            rules: Fingerprint::of(&self.rules),
        };
        Ok(Entry {
            def: MarketDef {
                market: MarketId::new(0),
                venue: Venue::Kalshi,
                shard: self.shard,
                cluster,
                grid: self.grid,
                min_qty: LOT,
                close: self.close,
                fee,
                status: self.status,
                category: category(&series.category),
                theme: None,
            },
            fee_changes,
            paid_by: self.paid_by,
            title: self.title,
            names: Names::Kalshi(KalshiNames {
                ticker: self.ticker,
                event_ticker: self.event_ticker,
                series_ticker: series.ticker.clone(),
                exchange_index: self.shard,
            }),
            facts,
        })
    }
}

/// Reads one market, or the single answer that wraps one.
///
/// # Errors
/// A field that trading needs is absent or not understood: the market is not traded.
pub fn market(row: &Value) -> Result<Market, ReadError> {
    let object = Object::new("market", row.get("market").unwrap_or(row));
    if object.text_or_empty("market_type") != "binary" {
        return Err(object.error("market_type"));
    }
    if object.get("notional_value_dollars").is_some()
        && object.price("notional_value_dollars")? != Price::ONE
    {
        return Err(object.error("notional_value_dollars"));
    }
    let strike = |field: &str| {
        object.get(field).map(|value| value.as_str().map_or(value.to_string(), str::to_owned))
    };
    // A combination of other markets has fees and a settlement of its own, which are not understood here.
    if object.get("mve_collection_ticker").is_some() {
        return Err(object.error("mve_collection_ticker"));
    }
    let ticker = object.text("ticker")?;
    if ticker.starts_with("KXMVE") {
        return Err(object.error("ticker"));
    }
    let (title, yes_title) = (object.text_or_empty("title"), object.text_or_empty("yes_sub_title"));
    Ok(Market {
        ticker: ticker.to_owned(),
        event_ticker: object.text("event_ticker")?.to_owned(),
        title: if title.is_empty() { yes_title } else { title }.to_owned(),
        yes_title: yes_title.to_owned(),
        rules: [object.text_or_empty("rules_primary"), object.text_or_empty("rules_secondary")]
            .join("\n"),
        shard: shard(&object)?,
        grid: price_ranges(object.list("price_ranges")?).ok_or(object.error("price_ranges"))?,
        close: object.time("close_time")?,
        status: status(object.text("status")?).ok_or(object.error("status"))?,
        strike_type: object.text_or_empty("strike_type").to_owned(),
        floor_strike: strike("floor_strike"),
        cap_strike: strike("cap_strike"),
        yes_pays: yes_pays(&object)?,
        waived_until: match object.get("fee_waiver_expiration_time") {
            Some(_) => Some(object.time("fee_waiver_expiration_time")?),
            None => None,
        },
        paid_by: paid_by(&object),
    })
}

/// What one YES pays by the result. A word that is not known pays nothing that is known, whatever value stands beside it: `void`
/// once meant that what was paid is given back.
fn yes_pays(object: &Object<'_>) -> Result<Option<Price>, ReadError> {
    let value = match object.get("settlement_value_dollars") {
        Some(_) => Some(object.price("settlement_value_dollars")?),
        None => None,
    };
    match (object.text_or_empty("result"), value) {
        ("", _) => Ok(None),
        ("yes", None | Some(Price::ONE)) => Ok(Some(Price::ONE)),
        ("no", None | Some(Price::ZERO)) => Ok(Some(Price::ZERO)),
        ("scalar", Some(value)) => Ok(Some(value)),
        _ => Err(object.error("result")),
    }
}

/// When the result is expected, and the timer behind it that the venue waits before it pays. Nothing of it decides a trade that
/// would not be made without: what is not understood says nothing.
fn paid_by(object: &Object<'_>) -> Option<Nanos> {
    let expected = object.time("expected_expiration_time").ok()?;
    let timer = object.get("settlement_timer_seconds").and_then(Value::as_u64).unwrap_or(0);
    Some(expected.after(Nanos::from_secs(timer.min(TIMER_SECS_MAX))))
}

/// What a series' category is among ours. One that is not among these words may be of any category, and counts in each.
/// Source: the venue's page lists none; all words in a list of its public events of 2026-02-12 (`kalshi_data_collection.md` in the
/// GitHub repository `borat14011-sudo/wom-polymarket-strategy`).
fn category(word: &str) -> Category {
    match word.to_ascii_lowercase().as_str() {
        "climate and weather" => Category::Weather,
        "companies" | "financials" => Category::Finance,
        "elections" => Category::Politics,
        "entertainment" => Category::Culture,
        "health" | "social" | "transportation" => Category::Other,
        "science and technology" => Category::Tech,
        "world" => Category::Geopolitics,
        word => Category::from_word(word),
    }
}

/// The object's word, which is not the filter's. `None` for a word not known.
pub fn status(word: &str) -> Option<MarketStatus> {
    Some(match word {
        "initialized" => MarketStatus::Observe,
        "active" => MarketStatus::Open,
        "inactive" => MarketStatus::Paused,
        "closed" => MarketStatus::Closed,
        "determined" | "disputed" | "amended" => MarketStatus::Proposed,
        "finalized" => MarketStatus::Resolved,
        _ => return None,
    })
}

/// A grid from ranges of `{start, end, step}` in YES dollars (or triples): they must cover $0 to $1 without a gap
/// and come to at most three bands of different steps.
pub fn price_ranges(ranges: &[Value]) -> Option<Grid> {
    let mut bands: Vec<(u16, u16, u16)> = Vec::with_capacity(ranges.len());
    for range in ranges {
        let ticks = |name: &str, place: usize| {
            let text = range.get(name).or(range.get(place)).and_then(Value::as_str)?;
            u16::try_from(parse_scaled(text, 4)?).ok()
        };
        bands.push((ticks("start", 0)?, ticks("end", 1)?, ticks("step", 2)?));
    }
    bands.sort_unstable();
    let gap = bands.windows(2).any(|pair| pair[0].1 != pair[1].0);
    if gap || bands.first()?.0 != 0 || bands.last()?.1 != 10_000 {
        return None;
    }
    bands.dedup_by(|next, band| {
        let same = next.2 == band.2;
        if same {
            band.1 = next.1;
        }
        same
    });
    match bands[..] {
        [(_, _, step)] => Grid::uniform(step),
        [(_, middle, low), (_, _, high)] => Grid::banded(middle, 10_000, low, high, high),
        [(_, low_end, low), (_, high_start, mid), (_, _, high)] => {
            Grid::banded(low_end, high_start, low, mid, high)
        }
        _ => None,
    }
}

/// What a series says of all its markets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    pub ticker: String,
    /// Its title, for people.
    pub title: String,
    /// Its category, empty where none.
    pub category: String,
    /// The fee of a fill, unless the event says otherwise.
    pub fee: FeeRule,
}

/// Reads a series, or the single answer that wraps one.
///
/// # Errors
/// A field is absent, or the fee is of a kind not known.
pub fn series(row: &Value) -> Result<Series, ReadError> {
    let object = Object::new("series", row.get("series").unwrap_or(row));
    Ok(Series {
        ticker: object.text("ticker")?.to_owned(),
        title: object.text_or_empty("title").to_owned(),
        category: object.text_or_empty("category").to_owned(),
        fee: fees::fee(&object, "fee_type", "fee_multiplier")?,
    })
}

/// What an event says of its markets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub ticker: String,
    pub series_ticker: String,
    /// Its title, for people.
    pub title: String,
    /// Whether at most one of its markets resolves YES, and which there are. That the listed ones are all that can come true is
    /// not promised.
    pub facts: Arc<EventFacts>,
    /// A fee that overrides the series'.
    pub fee: Option<FeeRule>,
}

/// What a market of an event stands for, by what its YES says. The venue names its own outcomes, and says of none that it will be
/// named later.
fn stands_for(yes_title: &str) -> StandsFor {
    let title = yes_title.trim().to_ascii_lowercase();
    let is_rest = ["other", "others", "any other", "anyone else", "someone else"];
    if is_rest.contains(&title.as_str()) || title.starts_with("any other ") {
        StandsFor::Other
    } else {
        StandsFor::Named
    }
}

/// The markets that an answer about one event lists, within the event or beside it; `None` where it lists none.
fn listed(row: &Value) -> Option<Vec<String>> {
    let markets = row["event"]["markets"].as_array().or_else(|| row["markets"].as_array())?;
    let tickers = markets.iter().map(|market| market["ticker"].as_str().map(str::to_owned));
    tickers.collect::<Option<Vec<_>>>().filter(|tickers| !tickers.is_empty())
}

/// Reads an event, or the single answer that wraps one.
///
/// # Errors
/// A field is absent, or the fee is of a kind not known.
pub fn event(row: &Value) -> Result<Event, ReadError> {
    let object = Object::new("event", row.get("event").unwrap_or(row));
    Ok(Event {
        ticker: object.text("event_ticker")?.to_owned(),
        series_ticker: object.text("series_ticker")?.to_owned(),
        title: object.text_or_empty("title").to_owned(),
        facts: Arc::new(EventFacts {
            name: object.text("event_ticker")?.to_owned(),
            is_exclusive: object.flag("mutually_exclusive"),
            is_augmented: false,
            markets: listed(row),
        }),
        fee: fees::event_override(&object)?,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row() -> Value {
        json!({"ticker": "KXBTCD-1-T9", "event_ticker": "KXBTCD-1", "market_type": "binary",
            "title": "", "yes_sub_title": "$95,000 or above", "close_time": "2026-11-20T22:00:00Z",
            "status": "active", "result": "",
            "notional_value_dollars": "1.0000", "strike_type": "greater", "floor_strike": 94999.99,
            "price_level_structure": "", "price_ranges": [
                {"start": "0.0000", "end": "0.1000", "step": "0.0010"},
                {"start": "0.1000", "end": "0.9000", "step": "0.0100"},
                {"start": "0.9000", "end": "1.0000", "step": "0.0010"}], "exchange_index": 2})
    }

    #[test]
    fn a_market_is_read_whole() {
        let read = market(&json!({"market": row()})).unwrap();
        assert_eq!(read.grid, Grid::banded(1_000, 9_000, 10, 100, 10).unwrap());
        assert_eq!((read.shard, read.status), (2, MarketStatus::Open));
        assert_eq!(read.floor_strike.as_deref(), Some("94999.99"));
        let series = series(&json!({"ticker": "KXBTCD", "fee_type": "quadratic_with_maker_fees", "fee_multiplier": 0.5})).unwrap();
        let event = event(&json!({"event_ticker": "KXBTCD-1", "series_ticker": "KXBTCD",
            "fee_type_override": "quadratic", "fee_multiplier_override": 1}))
        .unwrap();
        assert_eq!(series.fee, FeeRule::Kalshi { taker: 35_000, maker: 8_750 });
        let of = (&series, &event);
        let entry = read.entry(Nanos::ZERO, of, &FeeChanges::default(), ClusterId::new(1)).unwrap();
        assert_eq!(entry.def.fee, FeeRule::Kalshi { taker: 70_000, maker: 0 }, "the event's");
        assert_eq!(entry.def.shard, 2);
    }

    #[test]
    fn every_word_for_a_category_that_was_seen_is_one_of_ours_and_a_new_one_is_unknown() {
        let words = [
            ("Climate and Weather", Category::Weather),
            ("Companies", Category::Finance),
            ("Crypto", Category::Crypto),
            ("Economics", Category::Economics),
            ("Elections", Category::Politics),
            ("Entertainment", Category::Culture),
            ("Financials", Category::Finance),
            ("Health", Category::Other),
            ("Mentions", Category::Mentions),
            ("Politics", Category::Politics),
            ("Science and Technology", Category::Tech),
            ("Social", Category::Other),
            ("Sports", Category::Sports),
            ("Transportation", Category::Other),
            ("World", Category::Geopolitics),
            ("", Category::Unknown),
            ("Tulips", Category::Unknown),
        ];
        for (word, expected) in words {
            assert_eq!(category(word), expected, "{word}");
        }
    }

    #[test]
    fn a_market_is_paid_when_its_timer_has_run_out_after_its_expected_end() {
        let paid_by = |more: Value| {
            let mut row = row();
            row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            market(&row).unwrap().paid_by
        };
        let expected = json!({"expected_expiration_time": "2026-11-20T22:00:00Z"});
        let at = market(&row()).unwrap().close;
        assert_eq!(paid_by(expected.clone()), Some(at));
        let mut timed = expected;
        timed["settlement_timer_seconds"] = json!(60);
        assert_eq!(paid_by(timed), Some(at.after(Nanos::from_secs(60))));
        assert_eq!(paid_by(json!({"settlement_timer_seconds": 60})), None);
        assert_eq!(paid_by(json!({"expected_expiration_time": "soon"})), None);
    }

    #[test]
    fn an_event_says_which_markets_it_has_and_whether_they_exclude_each_other() {
        let mut row = json!({"event": {"event_ticker": "KXE", "series_ticker": "KX",
            "mutually_exclusive": true}, "markets": [{"ticker": "KXE-A"}, {"ticker": "KXE-B"}]});
        let facts = |row: &Value| (*event(row).unwrap().facts).clone();
        let read = facts(&row);
        assert_eq!(read.markets, Some(vec!["KXE-A".to_owned(), "KXE-B".to_owned()]));
        assert!(read.is_exclusive && !read.is_augmented && read.name == "KXE");
        row["event"]["mutually_exclusive"] = json!(false);
        row["markets"] = json!([{"ticker": "KXE-A"}, {}]);
        let read = facts(&row);
        assert_eq!((read.is_exclusive, read.markets), (false, None), "one has no name");
        row["event"]["markets"] = json!([{"ticker": "KXE-C"}]);
        assert_eq!(facts(&row).markets, Some(vec!["KXE-C".to_owned()]));
        for (title, stands) in [
            ("Other", StandsFor::Other),
            ("any other person", StandsFor::Other),
            ("Another World", StandsFor::Named),
            ("None of the above", StandsFor::Named),
        ] {
            assert_eq!(stands_for(title), stands, "{title}");
        }
    }

    #[test]
    fn what_is_missing_or_new_is_an_error() {
        let with = |field: &'static str, value: Value| {
            let mut row = row();
            row[field] = value;
            market(&row).map_err(|error| error.field)
        };
        for field in
            ["close_time", "price_ranges", "status", "exchange_index", "ticker", "market_type"]
        {
            assert_eq!(with(field, Value::Null), Err(field));
        }
        assert_eq!(with("market_type", json!("scalar")), Err("market_type"));
        assert_eq!(with("status", json!("new")), Err("status"));
        assert_eq!(with("notional_value_dollars", json!("0.5")), Err("notional_value_dollars"));
        assert_eq!(with("mve_collection_ticker", json!("KXMVE")), Err("mve_collection_ticker"));
        assert_eq!(with("ticker", json!("KXMVECROSS-1")), Err("ticker"), "a combination of others");
        let waived = |text| with("fee_waiver_expiration_time", json!(text));
        assert_eq!(waived("soon"), Err("fee_waiver_expiration_time"));
        let until = waived("2026-11-20T22:00:00Z").unwrap().waived_until;
        assert_eq!(until, Some(with("title", json!("T")).unwrap().close));
        let odd = json!({"ticker": "K", "fee_type": "flat", "fee_multiplier": 1});
        assert_eq!(series(&odd).unwrap_err().field, "fee_type");
        let negative = json!({"ticker": "K", "fee_type": "quadratic", "fee_multiplier": -1});
        assert_eq!(series(&negative).unwrap_err().field, "fee_multiplier");
    }

    #[test]
    fn a_result_that_is_not_known_pays_nothing_whatever_value_stands_beside_it() {
        let pays = |result: &str, value: Value| {
            let mut row = row();
            (row["result"], row["settlement_value_dollars"]) = (json!(result), value);
            market(&row).map(|market| market.yes_pays).map_err(|error| error.field)
        };
        let dollars = |text: &str| json!(text);
        assert_eq!(pays("yes", Value::Null), Ok(Some(Price::ONE)));
        assert_eq!(pays("yes", dollars("1.0000")), Ok(Some(Price::ONE)));
        assert_eq!(pays("no", dollars("0.0000")), Ok(Some(Price::ZERO)));
        assert_eq!(pays("scalar", dollars("0.2500")), Ok(Price::from_ticks(2_500)));
        assert_eq!(pays("", dollars("0.0000")), Ok(None), "not determined yet");
        let unknown = [("yes", "0.9900"), ("no", "0.0100"), ("void", "0.0000"), ("void", "0.5000")];
        for (result, value) in unknown {
            assert_eq!(pays(result, dollars(value)), Err("result"), "{result} {value}");
        }
        for result in ["scalar", "void"] {
            assert_eq!(pays(result, Value::Null), Err("result"), "{result}");
        }
    }

    #[test]
    fn ranges_with_a_gap_or_four_steps_are_refused() {
        let ranges = |rows: Value| price_ranges(rows.as_array().unwrap());
        assert!(ranges(json!([["0", "0.5", "0.01"], ["0.6", "1", "0.01"]])).is_none());
        assert!(ranges(json!([["0", "0.9", "0.01"]])).is_none());
        assert!(ranges(json!([])).is_none());
        let same = json!([["0", "0.5", "0.01"], ["0.5", "1", "0.01"]]);
        assert_eq!(ranges(same), Grid::uniform(100));
        let two = json!([["0", "0.5", "0.001"], ["0.5", "1", "0.01"]]);
        assert_eq!(ranges(two), Grid::banded(5_000, 10_000, 10, 100, 100));
        let four = json!([
            ["0", "0.1", "0.001"],
            ["0.1", "0.2", "0.01"],
            ["0.2", "0.9", "0.02"],
            ["0.9", "1", "0.01"]
        ]);
        assert!(ranges(four).is_none());
    }
}
